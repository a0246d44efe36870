/* What the target view has in /.sonde: see view-layout.h. */
#include "sidecar/view.h"

#include "libinspect/sysc.h"

#include <dirent.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <linux/openat2.h>
#include <sys/stat.h>
#include <sys/utsname.h>

/*
 * Of the toolbox's /etc only what is data. A start file (profile, bashrc, vimrc, gdbinit) goes on to others by their
 * absolute path, and that is the container's; so does a link out of alternatives/.
 */
static const char *const etc_data[] = {
	"terminfo",  "ssl",	  "pki",	"ca-certificates", "crypto-policies", "services",
	"protocols", "rpc",	  "ethertypes", "magic",	   "localtime",	      "timezone",
	"gai.conf",  "host.conf", "iproute2",	"locale.alias",	   "mime.types",
};

/*
 * Users are those of the files that view_users() has cleaned: the host's may ask systemd, whose root has the home directory /root, and
 * that is the container's; or the container's /run/systemd/userdb.
 */
static const char nsswitch[] =
	"passwd: files\ngroup: files\nshadow: files\nhosts: files dns\nnetworks: files\n"
	"protocols: files\nservices: files\nethers: files\nrpc: files\n";

/*
 * Directories of which absolute links are left out, for they lead into the container: /usr/share/vim/vimrc and
 * /usr/lib/python3.11/sitecustomize.py are links to /etc, and run. All else in them is linked to.
 */
static const char *const mirrored[] = { "usr",	     "usr/share",	   "usr/share/vim",
					"usr/lib",   "usr/lib/ssl",	   "usr/lib/python3.*",
					"usr/lib64", "usr/lib64/python3.*" };

static int open_dir(int dirfd, const char *path)
{
	struct open_how how = { .flags = O_RDONLY | O_DIRECTORY | O_CLOEXEC,
				.resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS };
	int fd = (int)syscall(SYS_openat2, dirfd, path, &how, sizeof(how));

	return fd < 0 ? -errno : fd;
}

static int make_dir(int dirfd, const char *name, mode_t mode)
{
	int fd;

	if (mkdirat(dirfd, name, 0700) < 0 && errno != EEXIST)
		return -errno;
	fd = openat(dirfd, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd >= 0 && fchmod(fd, mode) < 0) {
		close(fd);
		return -errno;
	}
	return fd < 0 ? -errno : fd;
}

/* ---- the tree ---- */

/* No more of the host than programs have built in. */
static int attach_host(struct mounts *m, int to)
{
	static const char *const names[] = { "usr",   "etc",	"bin",	 "sbin", "lib",
					     "lib32", "libx32", "lib64", "opt" };
	struct sysc_mount_attr attr = { .attr_set = MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID };
	int r = 0;

	for (size_t i = 0; i < ARRAY_SIZE(names) && r == 0; i++) {
		r = mounts_copy_link(m->host, names[i], to);
		if (r == 0)
			continue;
		if (r == -EINVAL)
			r = mounts_attach(m->host, names[i], to, names[i], true);
		if (r == -ENOENT)
			r = 0;
		else if (r == 0 && sysc_mount_setattr(to, names[i], AT_RECURSIVE, &attr) < 0)
			r = -errno;
	}
	return r;
}

/* ---- programs ---- */

static int link_programs_of(int box, const char *path, int bin)
{
	int fd = open_dir(box, path), r = 0;
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);

	if (!dir)
		return 0; /* there is none */
	for (struct dirent *de = readdir(dir); de && r == 0; de = readdir(dir))
		if (de->d_name[0] != '.')
			r = mounts_link(bin, de->d_name, VIEW_LAUNCHER);
	closedir(dir);
	return r;
}

static bool is_same_dir(int box, const char *a, const char *b)
{
	_cleanup_close_ int fa = open_dir(box, a), fb = open_dir(box, b);
	struct stat sa, sb;

	return fa >= 0 && fb >= 0 && fstat(fa, &sa) == 0 && fstat(fb, &sb) == 0 &&
	       sa.st_ino == sb.st_ino && sa.st_dev == sb.st_dev;
}

/* /bin is /usr/bin nearly everywhere: not listed again. */
static bool was_listed(int box, size_t at)
{
	for (size_t i = 0; i < at; i++)
		if (is_same_dir(box, view_program_dirs[i], view_program_dirs[at]))
			return true;
	return false;
}

static int link_programs(int box, int own)
{
	_cleanup_close_ int bin = make_dir(own, "bin", 0755);
	int r = bin < 0 ? bin : 0;

	for (size_t i = 0; view_program_dirs[i] && r == 0; i++)
		if (!was_listed(box, i))
			r = link_programs_of(box, view_program_dirs[i], bin);
	return r;
}

static int put_launcher(int own)
{
	size_t size = (size_t)(view_launcher_end - view_launcher);
	int r = files_write(own, "launch", (const char *)view_launcher, size);

	return r ?: fchmodat(own, "launch", 0755, 0) < 0 ? -errno : 0;
}

/* ---- data ---- */

static bool is_mirrored(const char *path)
{
	for (size_t i = 0; i < ARRAY_SIZE(mirrored); i++)
		if (fnmatch(mirrored[i], path, FNM_PATHNAME) == 0)
			return true;
	return false;
}

static int mirror(int box, const char *path, int to);

static int mirror_entry(int box, const char *path, const struct dirent *de, int dirfd, int to)
{
	char from[512], text[640];
	ssize_t n = de->d_type == DT_DIR ? -1 : readlinkat(dirfd, de->d_name, text, 1);

	if (n == 1 && text[0] == '/')
		return 0;
	if ((size_t)snprintf(from, sizeof(from), "%s/%s", path, de->d_name) >= sizeof(from))
		return 0;
	if (strcmp(from, "usr/bin") == 0 || strcmp(from, "usr/sbin") == 0)
		return mounts_link(to, de->d_name, VIEW_BIN);
	if (n < 0 && is_mirrored(from)) {
		_cleanup_close_ int sub = make_dir(to, de->d_name, 0755);

		return sub < 0 ? sub : mirror(box, from, sub);
	}
	snprintf(text, sizeof(text), VIEW_TOOLBOX "/%s", from);
	return mounts_link(to, de->d_name, text);
}

static int mirror(int box, const char *path, int to)
{
	int fd = open_dir(box, path), r = 0;
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);

	if (!dir)
		return 0;
	for (struct dirent *de = readdir(dir); de && r == 0; de = readdir(dir))
		if (strcmp(de->d_name, ".") != 0 && strcmp(de->d_name, "..") != 0)
			r = mirror_entry(box, path, de, dirfd(dir), to);
	closedir(dir);
	return r;
}

static int link_data(int box, int own)
{
	_cleanup_close_ int usr = make_dir(own, "usr", 0755), etc = make_dir(own, "etc", 0755);
	int r = usr < 0 ? usr : etc < 0 ? etc : mirror(box, "usr", usr);

	for (size_t i = 0; i < ARRAY_SIZE(etc_data) && r == 0; i++) {
		char to[64];

		snprintf(to, sizeof(to), VIEW_TOOLBOX "/etc/%s", etc_data[i]);
		r = mounts_link(etc, etc_data[i], to);
	}
	return r ?: files_write(etc, "nsswitch.conf", nsswitch, strlen(nsswitch));
}

/* ---- what is made ready ---- */

/* Whoever the session becomes makes programs ready. */
static int make_var(int own)
{
	_cleanup_close_ int var = mounts_tmpfs("0755", 0, 0, MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV);
	_cleanup_close_ int run = var < 0 ? -1 : make_dir(var, "run", 01777);
	_cleanup_close_ int tmp = var < 0 ? -1 : make_dir(var, "tmp", 01777);
	_cleanup_close_ int lib = var < 0 ? -1 : make_dir(var, "lib", 01777);
	char triplet[128];
	struct utsname u;

	if (var < 0 || run < 0 || tmp < 0 || lib < 0)
		return var < 0 ? var : -ENOMEM;
	if (mkdirat(own, "var", 0755) < 0 || sysc_move_mount_to(var, own, "var", 0) < 0)
		return -errno;
	/* the loader's own directory, whichever it has built in, is this one; and what else is below /lib */
	uname(&u);
	snprintf(triplet, sizeof(triplet), "%s-linux-gnu", u.machine);
	return mounts_link(lib, triplet, ".")
		       ?: mounts_link(lib, "terminfo", VIEW_TOOLBOX "/lib/terminfo");
}

static int add(struct mounts *m, int own, int tree, int *ret_box)
{
	int r = 0;

	*ret_box = make_dir(own, "toolbox", 0755);
	if (*ret_box < 0)
		return *ret_box;
	if (tree >= 0 && sysc_move_mount(tree, *ret_box) < 0)
		return -errno;
	if (tree >= 0) {
		/* its root now, not what it lies over */
		close(*ret_box);
		*ret_box = openat(own, "toolbox", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		r = *ret_box < 0 ? -errno : 0;
	} else {
		r = attach_host(m, *ret_box);
	}
	r = r ?: link_programs(*ret_box, own);
	r = r ?: put_launcher(own);
	r = r ?: link_data(*ret_box, own);
	return r ?: make_var(own);
}

int view_add_toolbox(struct mounts *m, int tree, struct insp_err *err)
{
	_cleanup_close_ int own = openat(m->root, SIDECAR_DIR, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	_cleanup_close_ int box = -1;
	int r = own < 0 ? -errno : add(m, own, tree, &box);

	return r < 0 ? insp_err_set(err, r, "bring the toolbox") : 0;
}
