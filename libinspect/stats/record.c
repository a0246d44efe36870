/* Recording to a file, and replaying it. */
#include "libinspect/base/io.h"
#include "libinspect/base/util.h"
#include "libinspect/stats/recfile.h"

#include <sys/file.h>
#include <sys/stat.h>

static void put_u32(uint8_t *p, uint32_t v)
{
	for (int i = 0; i < 4; i++)
		p[i] = (uint8_t)(v >> (8 * i));
}

static uint32_t get_u32(const uint8_t *p)
{
	return p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

/* ---- a file's frames ---- */

/* 0: a recording, of a version that is known; or it is empty, and *ret_empty says so. */
static int check_head(int fd, const char *path, bool *ret_empty, struct insp_err *err)
{
	uint8_t head[REC_HEAD_LEN];
	ssize_t n = io_pread_full(fd, head, sizeof(head), 0);

	if (n < 0)
		return insp_err_set(err, (int)n, "read '%s'", path);
	*ret_empty = n == 0;
	if (n == 0)
		return 0;
	if (n < REC_HEAD_LEN || memcmp(head, REC_MAGIC, REC_MAGIC_LEN) != 0)
		return insp_err_say(err, -EBADMSG, "'%s' is no recording of ctop", path);
	if (head[REC_MAGIC_LEN] == REC_VERSION)
		return 0;
	insp_err_say(err, -EPROTONOSUPPORT, "'%s' is of version %d, known here is %d", path,
		     head[REC_MAGIC_LEN], REC_VERSION);
	insp_err_hint(err, "a newer sonde has recorded it");
	return -EPROTONOSUPPORT;
}

/*
 * The payload of the frame at *at, which moves behind it. 1: there is one; 0: no more, or the last one is torn. *buf is used
 * again from frame to frame.
 */
static int read_frame(int fd, uint64_t *at, uint8_t **buf, size_t *cap, size_t *ret_len)
{
	uint8_t head[REC_FRAME_HEAD];
	ssize_t n = io_pread_full(fd, head, sizeof(head), *at);
	uint32_t len;

	if (n < 0)
		return (int)n;
	len = n == REC_FRAME_HEAD ? get_u32(head) : 0;
	if (len == 0 || len > REC_PAYLOAD_MAX)
		return 0;
	if (len > *cap) {
		uint8_t *bigger = realloc(*buf, len);

		if (!bigger)
			return -ENOMEM;
		*buf = bigger;
		*cap = len;
	}
	n = io_pread_full(fd, *buf, len, *at + REC_FRAME_HEAD);
	if (n < 0)
		return (int)n;
	if (n != (ssize_t)len || rec_checksum(*buf, len) != get_u32(head + 4))
		return 0;
	*at += REC_FRAME_HEAD + len;
	*ret_len = len;
	return 1;
}

/* ---- recording ---- */

struct insp_recorder {
	char *path;
	int fd;
	uint64_t size, max_size;
	bool anew; /* the next frame begins anew */
	struct rec_identities all;
};

static void recorder_closep(struct insp_recorder **rec)
{
	insp_recorder_close(*rec);
}

struct insp_recorder *insp_recorder_close(struct insp_recorder *rec)
{
	if (!rec)
		return NULL;
	rec_identities_clear(&rec->all);
	util_close(rec->fd);
	free(rec->path);
	free(rec);
	return NULL;
}

/* Behind the last whole frame: what a crash has torn is cut off. */
static int find_end(struct insp_recorder *rec, struct insp_err *err)
{
	_cleanup_free_ uint8_t *buf = NULL;
	size_t cap = 0, len;
	int r;

	rec->size = REC_HEAD_LEN;
	while ((r = read_frame(rec->fd, &rec->size, &buf, &cap, &len)) > 0)
		;
	if (r >= 0 && ftruncate(rec->fd, (off_t)rec->size) < 0)
		r = -errno;
	if (r >= 0 && lseek(rec->fd, (off_t)rec->size, SEEK_SET) < 0)
		r = -errno;
	return r < 0 ? insp_err_set(err, r, "find the end of '%s'", rec->path) : 0;
}

static int write_head(struct insp_recorder *rec, struct insp_err *err)
{
	uint8_t head[REC_HEAD_LEN] = REC_MAGIC;
	int r;

	head[REC_MAGIC_LEN] = REC_VERSION;
	r = io_write_all(rec->fd, head, sizeof(head));
	rec->size = sizeof(head);
	return r < 0 ? insp_err_set(err, r, "write '%s'", rec->path) : 0;
}

/* A regular file that nobody else records to. */
static int open_file(struct insp_recorder *rec, struct insp_err *err)
{
	bool empty = false;
	struct stat st;
	int r;

	rec->fd = open(rec->path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0600);
	if (rec->fd < 0 || fstat(rec->fd, &st) < 0)
		return insp_err_set(err, -errno, "open '%s'", rec->path);
	if (!S_ISREG(st.st_mode))
		return insp_err_say(err, -EINVAL, "'%s' is no regular file", rec->path);
	if (flock(rec->fd, LOCK_EX | LOCK_NB) < 0)
		return insp_err_say(err, -EBUSY, "another ctop records to '%s'", rec->path);
	r = check_head(rec->fd, rec->path, &empty, err);
	if (r < 0)
		return r;
	rec->anew = true;
	return empty ? write_head(rec, err) : find_end(rec, err);
}

int insp_recorder_open(const char *path, uint64_t max_size, struct insp_recorder **ret,
		       struct insp_err *err)
{
	_cleanup_(recorder_closep) struct insp_recorder *rec = calloc(1, sizeof(*rec));
	int r;

	if (!rec || !(rec->path = str_dup(path)))
		return insp_err_set(err, -ENOMEM, "record to '%s'", path);
	rec->fd = -EBADF;
	rec->max_size = max_size;
	r = open_file(rec, err);
	if (r < 0)
		return r;
	*ret = TAKE_PTR(rec);
	return 0;
}

/* The older half of what may be kept is FILE.1. */
static int rotate(struct insp_recorder *rec, struct insp_err *err)
{
	_cleanup_free_ char *old = str_format("%s.1", rec->path);

	if (!old)
		return insp_err_set(err, -ENOMEM, "record");
	if (rename(rec->path, old) < 0)
		return insp_err_set(err, -errno, "rename '%s'", rec->path);
	rec->fd = util_close(rec->fd);
	return open_file(rec, err);
}

/* In one write: a crash leaves a beginning of it, which its checksum tells. */
static int write_frame(struct insp_recorder *rec, struct strbuf *frame, struct insp_err *err)
{
	size_t len = frame->len - REC_FRAME_HEAD;
	int r;

	put_u32((uint8_t *)frame->buf, (uint32_t)len);
	put_u32((uint8_t *)frame->buf + 4, rec_checksum(frame->buf + REC_FRAME_HEAD, len));
	r = len > REC_PAYLOAD_MAX ? -EFBIG : io_write_all(rec->fd, frame->buf, frame->len);
	if (r >= 0) {
		rec->size += frame->len;
		return 0;
	}
	/* a full disk: what is half there goes, and the next frame stands by itself */
	rec->anew = true;
	if (ftruncate(rec->fd, (off_t)rec->size) == 0)
		(void)lseek(rec->fd, (off_t)rec->size, SEEK_SET);
	return insp_err_set(err, r, "write '%s'", rec->path);
}

int insp_recorder_add(struct insp_recorder *rec, const struct insp_moment *moment,
		      struct insp_err *err)
{
	static const char head[REC_FRAME_HEAD];
	struct strbuf frame = { 0 };
	int r = 0;

	if (rec->max_size && rec->size > rec->max_size / 2)
		r = rotate(rec, err);
	if (r < 0)
		return r;
	if (rec->all.n >= REC_IDENTITIES_MAX)
		rec->anew = true;
	strbuf_add(&frame, head, sizeof(head));
	r = rec_encode(moment, rec->anew, &rec->all, &frame);
	rec->anew = r < 0;
	if (r < 0)
		insp_err_set(err, r, "record to '%s'", rec->path);
	else
		r = write_frame(rec, &frame, err);
	strbuf_free(&frame);
	return r;
}

/* ---- replaying ---- */

struct insp_replay {
	char *path;
	int fd;
	uint64_t at;
	uint8_t *buf;
	size_t cap;
	struct rec_identities all;
	struct rec_frame frame;
};

struct insp_replay *insp_replay_close(struct insp_replay *rep)
{
	if (!rep)
		return NULL;
	rec_identities_clear(&rep->all);
	rec_frame_clear(&rep->frame);
	util_close(rep->fd);
	free(rep->buf);
	free(rep->path);
	free(rep);
	return NULL;
}

int insp_replay_open(const char *path, struct insp_replay **ret, struct insp_err *err)
{
	struct insp_replay *rep = calloc(1, sizeof(*rep));
	bool empty = false;
	int r = 0;

	if (!rep || !(rep->path = str_dup(path))) {
		free(rep);
		return insp_err_set(err, -ENOMEM, "replay '%s'", path);
	}
	rep->fd = io_open_regular(AT_FDCWD, path);
	rep->at = REC_HEAD_LEN;
	if (rep->fd < 0)
		r = insp_err_set(err, rep->fd, "open '%s'", path);
	if (r >= 0)
		r = check_head(rep->fd, path, &empty, err);
	if (r < 0) {
		insp_replay_close(rep);
		return r;
	}
	*ret = rep;
	return 0;
}

int insp_replay_next(struct insp_replay *rep, struct insp_moment *ret, struct insp_err *err)
{
	uint64_t at = rep->at;
	size_t len;
	int r = read_frame(rep->fd, &rep->at, &rep->buf, &rep->cap, &len);

	if (r > 0)
		r = rec_decode(rep->buf, len, &rep->all, &rep->frame, ret) < 0 ? -EBADMSG : 1;
	if (r == -EBADMSG)
		return insp_err_say(err, r, "'%s': the sample at byte %llu makes no sense",
				    rep->path, (unsigned long long)at);
	return r < 0 ? insp_err_set(err, r, "read '%s'", rep->path) : r;
}
