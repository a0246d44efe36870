/*
 * Running from a copy that nobody can write to.
 *
 * A process that enters a container can be seen there, and its /proc/PID/exe is a door to the host's file: a hostile
 * process opens it, waits until the file is no longer busy, and overwrites it; the next user runs the container's
 * program as root (CVE-2019-5736, runc and LXC). So the tool first runs itself again from a memfd that is sealed
 * against every change, or where memory files may not be executed, through a detached read-only mount of itself.
 */
#include "libinspect/base/util.h"
#include "libinspect/sysc.h"
#include "libinspect/inspect.h"

#include <elf.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/sendfile.h>
#include <sys/statvfs.h>

/* link.h's ElfW(Phdr), without what else that header brings */
#if UINTPTR_MAX > UINT32_MAX
#define PROGRAM_HEADER Elf64_Phdr
#else
#define PROGRAM_HEADER Elf32_Phdr
#endif

#define SEALS (F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE)

/*
 * Whether exe is on a mount that hangs in no tree: d_path() names the root of such a mount "/". Only ours can be
 * trusted to stay read-only; a host's /usr that is read-only now is remounted by the next update, while a container
 * still holds an O_PATH fd on the program.
 */
static bool is_detached(void)
{
	char path[2];

	return readlink("/proc/self/exe", path, sizeof(path)) == 1 && path[0] == '/';
}

/* A sealed memfd, or our read-only mount, which is checked whenever somebody opens for writing. */
static bool is_sealed(int exe)
{
	int seals = fcntl(exe, F_GET_SEALS);
	struct statvfs st;

	if (seals >= 0 && (seals & SEALS) == SEALS)
		return true;
	return is_detached() && fstatvfs(exe, &st) == 0 && (st.f_flag & ST_RDONLY);
}

static const char *tool_name(char *const argv[])
{
	const char *name = argv[0] ? argv[0] : "sonde";
	const char *slash = strrchr(name, '/');

	return slash ? slash + 1 : name;
}

/* MFD_EXEC says that running it is meant (6.3); compat: kernel < 6.3 refuses the flag. */
static int memfd_new(const char *name)
{
	int fd = memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING | MFD_EXEC);

	if (fd < 0 && errno == EINVAL)
		fd = memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING);
	return fd < 0 ? -errno : fd;
}

static int copy_by_hand(int from, int to)
{
	char buf[65536];
	ssize_t n;

	while ((n = read(from, buf, sizeof(buf))) > 0)
		for (ssize_t off = 0, w; off < n; off += w) {
			w = write(to, buf + off, (size_t)(n - off));
			if (w < 0)
				return -errno;
		}
	return n < 0 ? -errno : 0;
}

/*
 * Where what the kernel loads ends; symbols and debug information behind it need not be copied on every start.
 * The program headers are those of the running program, whose file this is.
 */
static off_t loaded_size(void)
{
	const PROGRAM_HEADER *ph = (const PROGRAM_HEADER *)getauxval(AT_PHDR);
	size_t n = getauxval(AT_PHNUM);
	off_t end = 0;

	for (size_t i = 0; ph && i < n; i++)
		if (ph[i].p_type != PT_NULL)
			end = MAX_OF(end, (off_t)(ph[i].p_offset + ph[i].p_filesz));
	return end;
}

static int copy_all(int from, int to)
{
	off_t off = 0, size = loaded_size();

	while (off < size) {
		ssize_t n = sendfile(to, from, &off, (size_t)(size - off));

		if (n < 0 && off == 0 && (errno == EINVAL || errno == ENOSYS))
			return copy_by_hand(from, to);
		if (n <= 0)
			return n < 0 ? -errno : -EIO;
	}
	return size > 0 ? 0 : -ENOEXEC;
}

static int sealed_copy(int exe, const char *name)
{
	_cleanup_close_ int fd = memfd_new(name);
	int r;

	if (fd < 0)
		return TAKE_FD(fd);
	r = copy_all(exe, fd);
	if (r < 0)
		return r;
	if (fcntl(fd, F_ADD_SEALS, SEALS) < 0)
		return -errno;
	return TAKE_FD(fd);
}

/*
 * A mount of its own, in no namespace: nobody else can find it to remount it, and it lives as long as the process
 * that runs from it. Needs CAP_SYS_ADMIN and Linux 5.12.
 */
static int readonly_mount(int exe)
{
	struct sysc_mount_attr attr = { .attr_set = MOUNT_ATTR_RDONLY };
	_cleanup_close_ int tree =
		sysc_open_tree(exe, "", AT_EMPTY_PATH | OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);

	if (tree < 0)
		return -errno;
	if (sysc_mount_setattr(tree, "", AT_EMPTY_PATH, &attr) < 0)
		return -errno;
	return TAKE_FD(tree);
}

/* Returns only with an error, that of making the fd or of running it. */
static int run_fd(int fd, char *const argv[], char *const envp[])
{
	if (fd < 0)
		return fd;
	syscall(SYS_execveat, fd, "", argv, envp, AT_EMPTY_PATH);
	return -errno;
}

/* An fd that is opened later must not get the number of one that the command inherits. */
static int open_stdio(void)
{
	int fd;

	do {
		fd = open("/dev/null", O_RDWR);
	} while (fd >= 0 && fd < 3);
	if (fd >= 0)
		close(fd);
	return fd < 0 ? -errno : 0;
}

int insp_enter_seal(char *const argv[], char *const envp[], struct insp_err *err)
{
	_cleanup_close_ int exe = -EBADF, memfd = -EBADF, tree = -EBADF;
	int r = open_stdio();

	if (r < 0)
		return insp_err_set(err, r, "open '/dev/null'");
	exe = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
	if (exe < 0)
		return insp_err_set(err, -errno, "open '/proc/self/exe'");
	if (is_sealed(exe)) {
		/* a program run by fd is called by the fd's number, which no ps user knows */
		prctl(PR_SET_NAME, tool_name(argv));
		return 0;
	}
	/* our mount, and still not read-only: do not go round for ever */
	if (is_detached())
		return insp_err_say(err, -ELOOP,
				    "the sealed copy of this program is not recognised");
	memfd = sealed_copy(exe, tool_name(argv));
	r = run_fd(memfd, argv, envp);
	/* vm.memfd_noexec=2, a mount or LSM policy against running memory files */
	tree = readonly_mount(exe);
	if (tree >= 0)
		r = run_fd(tree, argv, envp);
	insp_err_set(err, r, "run from a sealed copy of this program");
	insp_err_hint(err,
		      "where vm.memfd_noexec forbids memory files this needs root and Linux 5.12");
	return r;
}
