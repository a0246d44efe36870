/*
 * deny-syscall NAME[=ERRNO][,NAME[=ERRNO]...] -- COMMAND...: runs COMMAND where these system calls fail, as on an older
 * kernel or below a container engine's filter. ERRNO: ENOSYS (default), EINVAL, EPERM, EACCES.
 *
 * "setns-many" is setns() with several namespaces at once, which only a pidfd takes: EINVAL on a kernel < 5.8.
 */
#include <errno.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

/* compat: headers older than the calls; the numbers are the same on every architecture */
#ifndef SYS_openat2
#define SYS_openat2 437
#endif
#ifndef SYS_close_range
#define SYS_close_range 436
#endif
#ifndef SYS_mount_setattr
#define SYS_mount_setattr 442
#endif
#define SETNS_MANY 100000

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

static const struct {
	const char *name;
	int nr;
} calls[] = {
	{ "close_range", SYS_close_range },
	{ "copy_file_range", SYS_copy_file_range },
	{ "execveat", SYS_execveat },
	{ "fsmount", 432 },
	{ "fsopen", 430 },
	{ "fspick", 433 },
	{ "memfd_create", SYS_memfd_create },
	{ "mount", SYS_mount },
	{ "mount_setattr", SYS_mount_setattr },
	{ "move_mount", 429 },
	{ "name_to_handle_at", SYS_name_to_handle_at },
	{ "open_tree", 428 },
	{ "openat2", SYS_openat2 },
	{ "pidfd_open", 434 },
	{ "pidfd_send_signal", 424 },
	{ "sendfile", SYS_sendfile },
	{ "setns", SYS_setns },
	{ "setns-many", SETNS_MANY },
	{ "signalfd", SYS_signalfd4 },
	{ "statx", SYS_statx },
	{ "unshare", SYS_unshare },
};

static const struct {
	const char *name;
	int code;
} errnos[] = {
	{ "ENOSYS", ENOSYS },
	{ "EINVAL", EINVAL },
	{ "EPERM", EPERM },
	{ "EACCES", EACCES },
};

#define FILTER_MAX 256
static struct sock_filter filter[FILTER_MAX];
static unsigned short filter_len;

static void fail(const char *what)
{
	fprintf(stderr, "deny-syscall: %s\n", what);
	exit(125);
}

static void emit(uint16_t code, uint32_t k, uint8_t jt, uint8_t jf)
{
	if (filter_len == FILTER_MAX)
		fail("too many system calls");
	filter[filter_len++] = (struct sock_filter){ code, jt, jf, k };
}

static void emit_load(uint32_t offset)
{
	emit(BPF_LD | BPF_W | BPF_ABS, offset, 0, 0);
}

static void emit_errno(int code)
{
	emit(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | ((uint32_t)code & SECCOMP_RET_DATA), 0, 0);
}

/* Several bits: a power of two is left without any by x & (x - 1). */
static void deny_setns_many(int code)
{
	emit_load(offsetof(struct seccomp_data, nr));
	emit(BPF_JMP | BPF_JEQ | BPF_K, SYS_setns, 0, 6);
	emit_load(offsetof(struct seccomp_data, args[1]));
	emit(BPF_MISC | BPF_TAX, 0, 0, 0);
	emit(BPF_ALU | BPF_SUB | BPF_K, 1, 0, 0);
	emit(BPF_ALU | BPF_AND | BPF_X, 0, 0, 0);
	emit(BPF_JMP | BPF_JEQ | BPF_K, 0, 1, 0);
	emit_errno(code);
}

static void deny(int nr, int code)
{
	if (nr == SETNS_MANY) {
		deny_setns_many(code);
		return;
	}
	emit_load(offsetof(struct seccomp_data, nr));
	emit(BPF_JMP | BPF_JEQ | BPF_K, (uint32_t)nr, 0, 1);
	emit_errno(code);
}

static int find_call(const char *name, size_t len)
{
	for (size_t i = 0; i < ARRAY_SIZE(calls); i++)
		if (strlen(calls[i].name) == len && strncmp(calls[i].name, name, len) == 0)
			return calls[i].nr;
	fail("a system call that it does not know");
	return -1;
}

static int find_errno(const char *name, size_t len)
{
	for (size_t i = 0; i < ARRAY_SIZE(errnos); i++)
		if (strlen(errnos[i].name) == len && strncmp(errnos[i].name, name, len) == 0)
			return errnos[i].code;
	fail("an errno that it does not know");
	return -1;
}

static void deny_all(const char *list)
{
	for (const char *p = list; *p;) {
		size_t len = strcspn(p, ","), name = strcspn(p, "=,");
		int code = name < len ? find_errno(p + name + 1, len - name - 1) : ENOSYS;

		deny(find_call(p, name), code);
		p += len + (p[len] == ',');
	}
	emit(BPF_RET | BPF_K, SECCOMP_RET_ALLOW, 0, 0);
}

int main(int argc, char *argv[])
{
	struct sock_fprog prog = { .filter = filter };

	if (argc < 4 || strcmp(argv[2], "--") != 0)
		fail("usage: deny-syscall NAME[=ERRNO],... -- COMMAND...");
	deny_all(argv[1]);
	prog.len = filter_len;
	/* without privileges a filter needs this; with them it would change what is tested */
	if (geteuid() != 0)
		prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	if (prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &prog) < 0)
		fail(strerror(errno));
	execvp(argv[3], argv + 3);
	fail(strerror(errno));
}
