/*
 * A seccomp filter for the entrypoint. No record keeps an engine's own but as names for libseccomp; this one refuses what
 * docker's default refuses to who has no more than the default capabilities (moby/profiles/seccomp/default.json), by number. Even
 * where the container had no filter two things are refused, since the entrypoint is on the host's user namespace with a terminal
 * that the host's programs read: typing into it, and the keyrings of the host's users.
 */
#include "sidecar/rerun.h"

#include <endian.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <stddef.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

#ifndef TIOCLINUX
#define TIOCLINUX 0x541C
#endif
#ifndef CLONE_NEWTIME
#define CLONE_NEWTIME 0x80
#endif
#define CLONE3 435 /* from 424 on every architecture has the same numbers */
#define NEWSPACES                                                                                  \
	(CLONE_NEWNS | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWUSER | CLONE_NEWPID | CLONE_NEWNET | \
	 CLONE_NEWCGROUP)
#define CODE_MAX 400

#if defined(__x86_64__)
#define ARCH AUDIT_ARCH_X86_64
#elif defined(__aarch64__)
#define ARCH AUDIT_ARCH_AARCH64
#elif defined(__i386__)
#define ARCH AUDIT_ARCH_I386
#elif defined(__riscv) && __riscv_xlen == 64
#define ARCH AUDIT_ARCH_RISCV64
#endif

struct table {
	int ioctl, clone;
	const int *always, *as_engine; /* end with -1 */
};

static const int always[] = { SYS_keyctl, SYS_add_key, SYS_request_key, -1 };
static const int as_engine[] = { SYS_mount,
				 SYS_umount2,
				 SYS_pivot_root,
				 SYS_setns,
				 SYS_unshare,
				 SYS_bpf,
				 SYS_perf_event_open,
				 SYS_userfaultfd,
				 SYS_kexec_load,
				 SYS_init_module,
				 SYS_finit_module,
				 SYS_delete_module,
				 SYS_open_by_handle_at,
				 SYS_swapon,
				 SYS_swapoff,
				 SYS_reboot,
				 SYS_acct,
				 SYS_quotactl,
				 SYS_settimeofday,
				 SYS_clock_settime,
				 SYS_clock_adjtime,
				 SYS_syslog,
				 SYS_lookup_dcookie,
				 SYS_nfsservctl,
				 SYS_move_pages,
				 SYS_mbind,
				 SYS_migrate_pages,
				 SYS_set_mempolicy,
				 SYS_kcmp,
				 SYS_vhangup,
				 SYS_sethostname,
				 SYS_setdomainname,
#ifdef SYS_iopl
				 SYS_iopl,
				 SYS_ioperm,
#endif
#ifdef SYS_kexec_file_load
				 SYS_kexec_file_load,
#endif
				 425,
				 426,
				 427 /* io_uring */,
				 428,
				 429,
				 430,
				 431,
				 432,
				 433,
				 442 /* mounts */,
				 -1 };
static const struct table native = { SYS_ioctl, SYS_clone, always, as_engine };

#ifdef __x86_64__
/* asm/unistd_32.h: programs of 32 bits on this kernel */
static const int always_32[] = { 286, 287, 288, -1 };
static const int as_engine_32[] = {
	21,  22,  25,  51,  52,	 79,  87,  88,	101, 103, 110, 111, 113, 115, 124, 128, 129, 131,
	166, 169, 217, 253, 264, 274, 276, 283, 294, 310, 317, 336, 342, 343, 346, 349, 350, 357,
	374, 404, 405, 425, 426, 427, 428, 429, 430, 431, 432, 433, 442, 74,  121, -1
};
static const struct table table_32 = { 54, 120, always_32, as_engine_32 };
#endif

struct code {
	struct sock_filter ins[CODE_MAX];
	unsigned short n;
};

static void put(struct code *c, uint16_t op, uint32_t k, uint8_t jt, uint8_t jf)
{
	if (c->n < CODE_MAX)
		c->ins[c->n++] = (struct sock_filter){ op, jt, jf, k };
}

static void put_return(struct code *c, uint32_t what)
{
	put(c, BPF_RET | BPF_K, what, 0, 0);
}

static void refuse(struct code *c, uint32_t equal)
{
	put(c, BPF_JMP | BPF_JEQ | BPF_K, equal, 0, 1);
	put_return(c, SECCOMP_RET_ERRNO | EPERM);
}

/* The lower half is all that the kernel looks at of an ioctl's number (CVE-2019-10063) and of clone's flags. */
static void load_argument(struct code *c, unsigned i)
{
	size_t at = offsetof(struct seccomp_data, args) + i * sizeof(uint64_t);

#if __BYTE_ORDER == __BIG_ENDIAN
	at += sizeof(uint32_t);
#endif
	put(c, BPF_LD | BPF_W | BPF_ABS, (uint32_t)at, 0, 0);
}

static void put_table(struct code *c, const struct table *t, bool engine)
{
	put(c, BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr), 0, 0);
#ifdef __x86_64__
	/* x32: the same calls by other numbers */
	put(c, BPF_JMP | BPF_JSET | BPF_K, 0x40000000, 0, 1);
	put_return(c, SECCOMP_RET_ERRNO | ENOSYS);
#endif
	for (const int *nr = t->always; *nr >= 0; nr++)
		refuse(c, (uint32_t)*nr);
	for (const int *nr = t->as_engine; engine && *nr >= 0; nr++)
		refuse(c, (uint32_t)*nr);
	put(c, BPF_JMP | BPF_JEQ | BPF_K, (uint32_t)t->ioctl, 0, 6);
	load_argument(c, 1);
	refuse(c, TIOCSTI);
	refuse(c, TIOCLINUX);
	put_return(c, SECCOMP_RET_ALLOW);
	if (engine) {
		/* its flags are in memory, where no filter sees them: C libraries then use clone() */
		put(c, BPF_JMP | BPF_JEQ | BPF_K, CLONE3, 0, 1);
		put_return(c, SECCOMP_RET_ERRNO | ENOSYS);
		put(c, BPF_JMP | BPF_JEQ | BPF_K, (uint32_t)t->clone, 0, 3);
		load_argument(c, 0);
		put(c, BPF_JMP | BPF_JSET | BPF_K, NEWSPACES, 0, 1);
		put_return(c, SECCOMP_RET_ERRNO | EPERM);
	}
	put_return(c, SECCOMP_RET_ALLOW);
}

static void put_arch(struct code *c, uint32_t arch, const struct table *t, bool engine)
{
	struct code part = { .n = 0 };

	put_table(&part, t, engine);
	put(c, BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, arch), 0, 0);
	put(c, BPF_JMP | BPF_JEQ | BPF_K, arch, 1, 0);
	put(c, BPF_JMP | BPF_JA, part.n, 0, 0);
	for (unsigned i = 0; i < part.n && c->n < CODE_MAX; i++)
		c->ins[c->n++] = part.ins[i];
}

int launch_filter(bool engine, struct insp_err *err)
{
#ifdef ARCH
	struct code c = { .n = 0 };
	struct sock_fprog program = { .filter = c.ins };

	put_arch(&c, ARCH, &native, engine);
#ifdef __x86_64__
	put_arch(&c, AUDIT_ARCH_I386, &table_32, engine);
#endif
	put_return(&c, SECCOMP_RET_ERRNO | ENOSYS);
	program.len = c.n;
	if (c.n == CODE_MAX)
		return insp_err_set(err, -E2BIG, "filter the entrypoint's system calls");
	if (prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) < 0)
		return insp_err_set(err, -errno, "filter the entrypoint's system calls");
	return 0;
#else
	(void)native;
	return insp_err_say(err, -ENOSYS,
			    "--rerun: no filter of system calls for this architecture");
#endif
}
