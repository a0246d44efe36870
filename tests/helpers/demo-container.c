/*
 * demo-container NAME DIR: a small container without an engine, for the demo and for tests.
 *
 * It has namespaces of its own (pid, mount, network, IPC, host name), a root of overlay layers with nothing in it but
 * busybox, a volume at /data, a cgroup sonde-demo/NAME, and docker's default capabilities. In it a web server listens
 * on port 8080 and a loop writes orders to /data. DIR is an empty directory to build in; nothing of it is left.
 *
 * Prints "ready PID" once it runs, and takes all down when its standard input closes, or on INT, TERM and HUP.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <net/if.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/sendfile.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <unistd.h>

#define CGROUPS_MAX 32
#define CGROUP_DIR  "sonde-demo"

static const char init_script[] = "#!/bin/sh\n"
				  "httpd -p 8080 -h /srv\n"
				  "n=0\n"
				  "while :; do\n"
				  "\tn=$((n + 1))\n"
				  "\techo \"$(date -u +%H:%M:%S) order $n\" >>/data/orders.log\n"
				  "\tsleep 1\n"
				  "done\n";

/* What docker leaves a container. */
static const int kept_capabilities[] = {
	CAP_CHOWN,   CAP_DAC_OVERRIDE, CAP_FSETID,	     CAP_FOWNER,
	CAP_MKNOD,   CAP_NET_RAW,      CAP_SETGID,	     CAP_SETUID,
	CAP_SETFCAP, CAP_SETPCAP,      CAP_NET_BIND_SERVICE, CAP_SYS_CHROOT,
	CAP_KILL,    CAP_AUDIT_WRITE,
};

struct demo {
	const char *name, *dir;
	char cgroups[CGROUPS_MAX][512]; /* the directories sonde-demo */
	int n_cgroups;
	int start[2], started[2];
};

_Noreturn static void die(const char *format, ...) __attribute__((format(printf, 1, 2)));
_Noreturn static void die(const char *format, ...)
{
	int saved = errno;
	va_list ap;

	fprintf(stderr, "demo-container: ");
	va_start(ap, format);
	vfprintf(stderr, format, ap);
	va_end(ap);
	fprintf(stderr, ": %s\n", strerror(saved));
	exit(1);
}

static void write_file(const char *path, const char *text, mode_t mode)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, mode);

	if (fd < 0 || write(fd, text, strlen(text)) < 0 || fchmod(fd, mode) < 0)
		die("write '%s'", path);
	close(fd);
}

static void make_dir(const char *path)
{
	if (mkdir(path, 0755) < 0 && errno != EEXIST)
		die("make '%s'", path);
}

static void mount_or_die(const char *source, const char *target, const char *type,
			 unsigned long flags, const char *options)
{
	if (mount(source, target, type, flags, options) < 0)
		die("mount %s at '%s'", type ? type : "", target);
}

static const char *find_busybox(void)
{
	static const char *const places[] = { "/bin/busybox", "/usr/bin/busybox",
					      "/usr/lib/busybox/busybox" };

	for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++)
		if (access(places[i], X_OK) == 0)
			return places[i];
	errno = ENOENT;
	die("find busybox (package busybox-static)");
}

static void copy_file(const char *from, const char *to)
{
	int in = open(from, O_RDONLY | O_CLOEXEC);
	int out = open(to, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0755);
	struct stat st;

	if (in < 0 || out < 0 || fstat(in, &st) < 0)
		die("copy '%s'", from);
	for (off_t left = st.st_size; left > 0;) {
		ssize_t n = sendfile(out, in, NULL, (size_t)left);

		if (n <= 0)
			die("copy '%s'", from);
		left -= n;
	}
	close(in);
	close(out);
}

/* The image: one layer, in the working directory. */
static void make_image(void)
{
	static const char *const dirs[] = { "image",	  "image/bin",	"image/etc", "image/srv",
					    "image/proc", "image/dev",	"image/sys", "image/tmp",
					    "image/data", "image/root", "upper",     "work",
					    "merged" };
	static const char *const applets[] = { "sh", "httpd", "date", "sleep", "echo" };
	char path[64];

	for (size_t i = 0; i < sizeof(dirs) / sizeof(dirs[0]); i++)
		make_dir(dirs[i]);
	copy_file(find_busybox(), "image/bin/busybox");
	for (size_t i = 0; i < sizeof(applets) / sizeof(applets[0]); i++) {
		snprintf(path, sizeof(path), "image/bin/%s", applets[i]);
		if (symlink("busybox", path) < 0)
			die("link '%s'", path);
	}
	write_file("image/etc/passwd", "root:x:0:0::/root:/bin/sh\nshop:x:1000:1000::/:/bin/sh\n",
		   0644);
	write_file("image/etc/resolv.conf", "nameserver 10.9.8.7\n", 0644);
	write_file("image/etc/hosts", "127.0.0.1 localhost shop\n", 0644);
	write_file("image/srv/index.html", "<h1>shop</h1>\n", 0644);
	write_file("image/init", init_script, 0755);
}

static void make_dev(void)
{
	static const struct {
		const char *path;
		unsigned minor;
	} nodes[] = { { "merged/dev/null", 3 },
		      { "merged/dev/zero", 5 },
		      { "merged/dev/urandom", 9 } };

	mount_or_die("tmpfs", "merged/dev", "tmpfs", MS_NOSUID | MS_NOEXEC, "mode=755,size=64k");
	for (size_t i = 0; i < sizeof(nodes) / sizeof(nodes[0]); i++)
		if (mknod(nodes[i].path, S_IFCHR | 0666, makedev(1, nodes[i].minor)) < 0 ||
		    chmod(nodes[i].path, 0666) < 0)
			die("make '%s'", nodes[i].path);
}

/* Layers on a file system in memory: an overlay cannot lie on every disk, and nothing is left when it ends. */
static void make_root(const char *dir)
{
	mount_or_die(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL);
	mount_or_die("tmpfs", dir, "tmpfs", 0, "mode=755");
	if (chdir(dir) < 0)
		die("enter '%s'", dir);
	make_image();
	mount_or_die("overlay", "merged", "overlay", 0,
		     "lowerdir=image,upperdir=upper,workdir=work");
	mount_or_die("proc", "merged/proc", "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL);
	mount_or_die("tmpfs", "merged/data", "tmpfs", MS_NOSUID | MS_NODEV, "mode=755,size=8m");
	make_dev();
	if (chdir("merged") < 0 || syscall(SYS_pivot_root, ".", ".") < 0 ||
	    umount2(".", MNT_DETACH) < 0 || chdir("/") < 0)
		die("change the root");
}

static void loopback_up(void)
{
	struct ifreq ifr = { .ifr_name = "lo", .ifr_flags = IFF_UP };
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	if (fd < 0 || ioctl(fd, SIOCSIFFLAGS, &ifr) < 0)
		die("bring up the network");
	close(fd);
}

static void drop_capabilities(void)
{
	struct __user_cap_header_struct header = { _LINUX_CAPABILITY_VERSION_3, 0 };
	struct __user_cap_data_struct data[2] = { 0 };

	for (size_t i = 0; i < sizeof(kept_capabilities) / sizeof(kept_capabilities[0]); i++)
		data[kept_capabilities[i] / 32].permitted |= 1U << (kept_capabilities[i] % 32);
	for (int c = 0; c < 64; c++)
		if (!(data[c / 32].permitted & (1U << (c % 32))) && prctl(PR_CAPBSET_DROP, c) < 0 &&
		    errno != EINVAL)
			die("drop capability %d", c);
	data[0].effective = data[0].permitted;
	if (syscall(SYS_capset, &header, data) < 0)
		die("drop capabilities");
}

/* The container's first process. */
static int container(void *arg)
{
	static char *const argv[] = { (char *)"/bin/sh", (char *)"/init", NULL };
	static char *const envp[] = { (char *)"PATH=/bin", (char *)"HOME=/root", NULL };
	struct demo *d = arg;
	sigset_t none;
	char c;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	close(d->start[1]);
	/* until the parent has put this into the cgroup; EOF: the parent has died */
	if (read(d->start[0], &c, 1) != 1)
		return 1;
	setsid();
	if (sethostname(d->name, strlen(d->name)) < 0)
		die("set the host name");
	make_root(d->dir);
	loopback_up();
	drop_capabilities();
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	if (write(d->started[1], "k", 1) != 1)
		return 1;
	dup2(open("/dev/null", O_RDWR), 0);
	dup2(0, 1);
	dup2(0, 2);
	execve(argv[0], argv, envp);
	return 127;
}

static void join_cgroup(struct demo *d, const char *mount_point, pid_t pid)
{
	char path[700], text[16];
	int fd;

	snprintf(d->cgroups[d->n_cgroups], sizeof(d->cgroups[0]), "%.400s/" CGROUP_DIR,
		 mount_point);
	mkdir(d->cgroups[d->n_cgroups], 0755);
	snprintf(path, sizeof(path), "%s/%.60s", d->cgroups[d->n_cgroups++], d->name);
	mkdir(path, 0755);
	snprintf(path + strlen(path), sizeof(path) - strlen(path), "/cgroup.procs");
	fd = open(path, O_WRONLY | O_CLOEXEC);
	snprintf(text, sizeof(text), "%d", (int)pid);
	/* a hierarchy that wants more first (cpuset of v1) or is not ours to change: without it */
	if (fd >= 0 && write(fd, text, strlen(text)) < 0)
		errno = 0;
	close(fd);
}

/* In every hierarchy that is mounted. */
static void join_cgroups(struct demo *d, pid_t pid)
{
	FILE *f = fopen("/proc/self/mounts", "re");
	char line[4096], point[512], type[32];

	while (f && d->n_cgroups < CGROUPS_MAX && fgets(line, sizeof(line), f))
		if (sscanf(line, "%*s %511s %31s", point, type) == 2 &&
		    strncmp(type, "cgroup", 6) == 0)
			join_cgroup(d, point, pid);
	if (f)
		fclose(f);
}

static void remove_cgroups(const struct demo *d)
{
	char path[700];

	for (int i = 0; i < d->n_cgroups; i++) {
		snprintf(path, sizeof(path), "%s/%.60s", d->cgroups[i], d->name);
		for (int try = 0; try < 500 && rmdir(path) < 0 && errno == EBUSY; try++)
			usleep(2000);
		/* another demo's may be in there still */
		rmdir(d->cgroups[i]);
	}
}

/* Until standard input closes, a signal comes or the container ends by itself. */
static void wait_for_end(int sigfd)
{
	for (;;) {
		struct pollfd fds[] = { { 0, POLLIN, 0 }, { sigfd, POLLIN, 0 } };
		char buf[64];

		if (poll(fds, 2, -1) < 0)
			return;
		if (fds[1].revents || (fds[0].revents && read(0, buf, sizeof(buf)) <= 0))
			return;
	}
}

static int watch_signals(void)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGHUP);
	sigaddset(&set, SIGCHLD);
	sigprocmask(SIG_BLOCK, &set, NULL);
	return signalfd(-1, &set, SFD_CLOEXEC);
}

static pid_t start_container(struct demo *d)
{
	static char stack[256 * 1024] __attribute__((aligned(16)));
	pid_t pid;
	char c;

	if (pipe2(d->start, O_CLOEXEC) < 0 || pipe2(d->started, O_CLOEXEC) < 0)
		die("make a pipe");
	pid = clone(container, stack + sizeof(stack),
		    CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWNET | CLONE_NEWIPC | CLONE_NEWUTS |
			    SIGCHLD,
		    d);
	if (pid < 0)
		die("make namespaces (this needs root)");
	join_cgroups(d, pid);
	close(d->started[1]);
	if (write(d->start[1], "k", 1) != 1 || read(d->started[0], &c, 1) != 1) {
		kill(pid, SIGKILL);
		waitpid(pid, NULL, 0);
		return -1;
	}
	return pid;
}

int main(int argc, char *argv[])
{
	struct demo d = { 0 };
	int sigfd;
	pid_t pid;

	if (argc != 3) {
		fprintf(stderr, "usage: demo-container NAME DIR\n");
		return 2;
	}
	d.name = argv[1];
	d.dir = argv[2];
	sigfd = watch_signals();
	pid = start_container(&d);
	if (pid > 0) {
		printf("ready %d\n", (int)pid);
		fflush(stdout);
		wait_for_end(sigfd);
		kill(pid, SIGKILL);
		waitpid(pid, NULL, 0);
	}
	remove_cgroups(&d);
	return pid > 0 ? 0 : 1;
}
