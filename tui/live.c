/* The feed of the live host. */
#include "tools/shared/util.h"
#include "tui/feed.h"

#include <errno.h>

struct live {
	struct feed feed; /* first: a feed is cast to it */
	struct insp_sys *sys;
	struct insp_fleet *fleet;
};

static int live_next(struct feed *feed, struct insp_moment *ret, struct insp_diags *diags,
		     struct insp_err *err)
{
	struct live *live = (struct live *)feed;
	int r = insp_fleet_sample(live->fleet, diags, err);

	if (r < 0)
		return r;
	*ret = (struct insp_moment){ .time = insp_sys_now(live->sys) };
	insp_host_sample(live->sys, &ret->host);
	ret->n = insp_fleet_items(live->fleet, &ret->items);
	ret->n_ended = insp_fleet_ended(live->fleet, &ret->ended);
	return 1;
}

static void live_set(struct feed *feed, uint32_t fields, unsigned want)
{
	struct insp_fleet_opts opts = { .fields = fields, .want = want };

	insp_fleet_set(((struct live *)feed)->fleet, &opts);
}

static void live_close(struct feed *feed)
{
	insp_fleet_close(((struct live *)feed)->fleet);
	free(feed);
}

int feed_live(struct insp_sys *sys, uint32_t fields, unsigned want, struct feed **ret,
	      struct insp_diags *diags, struct insp_err *err)
{
	struct insp_fleet_opts opts = { .fields = fields, .want = want };
	struct live *live = calloc(1, sizeof(*live));
	int r;

	if (!live)
		return insp_err_set(err, -ENOMEM, "watch the containers");
	live->feed = (struct feed){ .next = live_next, .set = live_set, .close = live_close };
	live->sys = sys;
	r = insp_fleet_open(sys, &opts, &live->fleet, diags, err);
	if (r < 0) {
		free(live);
		return r;
	}
	*ret = &live->feed;
	return 0;
}
