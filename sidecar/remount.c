/* compat: kernel < 5.12: what mount_setattr(AT_RECURSIVE) does in one call, mount by mount. */
#include "sidecar/mounts.h"
#include "libinspect/sysc.h"

#include <stdlib.h>
#include <sys/mount.h>

static const struct {
	const char *word;
	unsigned long flag;
} option_flags[] = {
	{ "ro", MS_RDONLY },	     { "nosuid", MS_NOSUID },	{ "nodev", MS_NODEV },
	{ "noexec", MS_NOEXEC },     { "noatime", MS_NOATIME }, { "nodiratime", MS_NODIRATIME },
	{ "relatime", MS_RELATIME },
};

/* mountinfo's sixth field -> the flags that a remount has to repeat, or they are lost. */
static unsigned long flags_of(const char *options)
{
	unsigned long flags = 0;

	for (const char *p = options; *p;) {
		size_t len = strcspn(p, ",");

		for (size_t i = 0; i < ARRAY_SIZE(option_flags); i++)
			if (strlen(option_flags[i].word) == len &&
			    memcmp(option_flags[i].word, p, len) == 0)
				flags |= option_flags[i].flag;
		p += len + (p[len] == ',');
	}
	return flags;
}

static bool is_octal(const char *s)
{
	for (int i = 0; i < 3; i++)
		if (s[i] < '0' || s[i] > '7')
			return false;
	return true;
}

/* "\040" and the like, in place. */
static void unescape(char *s)
{
	char *to = s;

	while (*s) {
		if (*s == '\\' && is_octal(s + 1)) {
			*to++ = (char)((s[1] - '0') << 6 | (s[2] - '0') << 3 | (s[3] - '0'));
			s += 4;
		} else {
			*to++ = *s++;
		}
	}
	*to = '\0';
}

static int remount(const char *path, unsigned long flags)
{
	return mount(NULL, path, NULL, MS_REMOUNT | MS_BIND | flags, NULL) < 0 ? -errno : 0;
}

static int remount_one(const char *path, const char *options, uint64_t target_set)
{
	unsigned long flags = flags_of(options);
	int r;

	if (proc_is_below(path, "/tmp"))
		return 0;
	if (!proc_is_below(path, "/target"))
		return remount(path, flags | MS_RDONLY);
	flags |= MS_NOSUID | MS_NODEV | (target_set & MOUNT_ATTR_RDONLY ? MS_RDONLY : 0);
	r = remount(path, (flags & ~(unsigned long)MS_RELATIME) | MS_NOATIME);
	/* locked in a user namespace's mounts */
	return r == -EPERM ? remount(path, flags) : r;
}

/* "36 35 98:0 /mnt1 /mnt2 rw,noatime master:1 - ext3 /dev/root rw" */
static int remount_line(char *line, uint64_t target_set, struct insp_err *err)
{
	char *save = NULL, *field[6];
	int r;

	for (int i = 0; i < 6; i++) {
		field[i] = strtok_r(i ? NULL : line, " ", &save);
		if (!field[i])
			return 0;
	}
	unescape(field[4]);
	r = remount_one(field[4], field[5], target_set);
	/* one that went meanwhile, or lies below another and cannot be reached by anyone */
	if (r == -ENOENT || r == -EINVAL || r == -ENOTDIR)
		return 0;
	return r < 0 ? insp_err_set(err, r, "make '%s' read-only", field[4]) : 0;
}

int remount_all(int self, uint64_t target_set, struct insp_err *err)
{
	int fd = openat(self, "mountinfo", O_RDONLY | O_CLOEXEC), r = 0;
	FILE *f = fd < 0 ? NULL : fdopen(fd, "re");
	char *line = NULL;
	size_t cap = 0;

	if (!f)
		return insp_err_set(err, -errno, "read the own mount table");
	while (r == 0 && getline(&line, &cap, f) > 0)
		r = remount_line(line, target_set, err);
	free(line);
	fclose(f);
	return r;
}
