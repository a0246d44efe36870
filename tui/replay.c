/* Feeds that have to do with recordings: one that is replayed, and one that is recorded as it goes by. */
#include "tools/shared/util.h"
#include "tui/feed.h"

#include <errno.h>
#include <string.h>

/* ---- replayed ---- */

struct replay {
	struct feed feed; /* first: a feed is cast to it */
	char *path;
	struct insp_replay *file;
	uint64_t count; /* frames that were given out */
};

static int replay_next(struct feed *feed, struct insp_moment *ret, struct insp_diags *diags,
		       struct insp_err *err)
{
	struct replay *rep = (struct replay *)feed;
	int r = insp_replay_next(rep->file, ret, err);

	rep->count += r > 0;
	/* what stands before the damage was shown: the rest is a diagnostic */
	if (r == -EBADMSG && diags) {
		insp_diags_add(diags, err);
		return 0;
	}
	return r;
}

/* From the beginning: a frame is worth nothing without those before it. */
static int replay_to(struct replay *rep, uint64_t count, struct insp_err *err)
{
	struct insp_replay *again = NULL;
	struct insp_moment moment;
	int r = insp_replay_open(rep->path, &again, err);

	if (r < 0)
		return r;
	insp_replay_close(rep->file);
	rep->file = again;
	for (rep->count = 0; rep->count < count && r >= 0; rep->count++)
		r = insp_replay_next(rep->file, &moment, err) > 0 ? 0 : -ENODATA;
	return r;
}

static int replay_back(struct feed *feed, struct insp_err *err)
{
	struct replay *rep = (struct replay *)feed;

	return replay_to(rep, rep->count > 3 ? rep->count - 3 : 0, err);
}

static void replay_close(struct feed *feed)
{
	struct replay *rep = (struct replay *)feed;

	insp_replay_close(rep->file);
	free(rep->path);
	free(rep);
}

/* So that the first frame at that time, or after it, is the second one to come. */
static int go_to(struct replay *rep, int64_t at, struct insp_err *err)
{
	struct insp_moment moment;
	uint64_t count = 0;
	int r;

	while ((r = insp_replay_next(rep->file, &moment, err)) > 0 && moment.time < at)
		count++;
	if (r == 0)
		return insp_err_say(err, -ENODATA, "'%s' ends before that time", rep->path);
	return r < 0 ? r : replay_to(rep, count > 0 ? count - 1 : 0, err);
}

int feed_replay(const char *path, int64_t at, struct feed **ret, struct insp_err *err)
{
	struct replay *rep = calloc(1, sizeof(*rep));
	int r;

	if (!rep || !(rep->path = strdup(path))) {
		free(rep);
		return insp_err_set(err, -ENOMEM, "replay '%s'", path);
	}
	rep->feed =
		(struct feed){ .next = replay_next, .close = replay_close, .back = replay_back };
	r = insp_replay_open(path, &rep->file, err);
	if (r >= 0 && at)
		r = go_to(rep, at, err);
	if (r < 0) {
		replay_close(&rep->feed);
		return r;
	}
	*ret = &rep->feed;
	return 0;
}

/* ---- recorded ---- */

struct tap {
	struct feed feed;
	struct feed *from;
	struct insp_recorder *rec;
};

/* A full disk is a diagnostic: what is watched goes on. */
static int tap_next(struct feed *feed, struct insp_moment *ret, struct insp_diags *diags,
		    struct insp_err *err)
{
	struct tap *tap = (struct tap *)feed;
	struct insp_err failure = { 0 };
	int r = tap->from->next(tap->from, ret, diags, err);

	if (r > 0 && insp_recorder_add(tap->rec, ret, &failure) < 0 && diags)
		insp_diags_add(diags, &failure);
	return r;
}

static void tap_close(struct feed *feed)
{
	struct tap *tap = (struct tap *)feed;

	insp_recorder_close(tap->rec);
	tap->from->close(tap->from);
	free(tap);
}

int feed_record(const char *path, uint64_t max_size, struct feed **feed, struct insp_err *err)
{
	struct tap *tap = calloc(1, sizeof(*tap));
	int r;

	if (!tap)
		return insp_err_set(err, -ENOMEM, "record to '%s'", path);
	r = insp_recorder_open(path, max_size, &tap->rec, err);
	if (r < 0) {
		free(tap);
		return r;
	}
	tap->feed = (struct feed){ .next = tap_next, .close = tap_close };
	tap->from = *feed;
	*feed = &tap->feed;
	return 0;
}
