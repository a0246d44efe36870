/* The ids of a container's user namespace, and in which form its layers hold them. */
#include "libinspect/rootfs/rootfs.h"

#include "libinspect/base/util.h"
#include "libinspect/kernel/pid.h"
#include "libinspect/kernel/subid.h"

/* The kernel's word. *found stays false where it does not run. */
static int read_live(const struct insp_files *f, struct view_ids *ids, bool *found)
{
	const struct insp_container *c = f->container;
	_cleanup_pid_ struct insp_pid *init = NULL;
	int r;

	if (c->pid <= 0 || c->guest || !f->sys->live ||
	    insp_container_init(f->sys, c, &init, NULL) < 0)
		return 0;
	r = idmap_read(init->procfd, "uid_map", &ids->uids);
	if (r == 0)
		r = idmap_read(init->procfd, "gid_map", &ids->gids);
	/* a user's process that has no namespace of its own, or one where nothing is mapped: its user's word then */
	*found = r == 0 && !(rootfs_is_users(c) &&
			     (idmap_is_identity(&ids->uids) || idmap_is_identity(&ids->gids)));
	/* it ended meanwhile */
	return r == -ESRCH || r == -ENOENT ? 0 : r;
}

static void take(const struct insp_id_map *from, struct idmap *to)
{
	to->n = MIN_OF(from->n, (size_t)IDMAP_MAX);
	for (size_t i = 0; i < to->n; i++) {
		to->e[i].inside = from->items[i].inside;
		to->e[i].outside = from->items[i].outside;
		to->e[i].count = from->items[i].count;
	}
}

/* Whether all of m's ids outside are among those of other. */
static bool is_within(const struct idmap *m, const struct idmap *other)
{
	struct idmap common;
	uint64_t all = 0, shared = 0;
	struct idmap flat = { .n = other->n };

	for (size_t i = 0; i < other->n; i++) {
		flat.e[i] = other->e[i];
		flat.e[i].inside = other->e[i].outside;
	}
	idmap_compose(m, &flat, &common);
	for (size_t i = 0; i < m->n; i++)
		all += m->e[i].count;
	for (size_t i = 0; i < common.n; i++)
		shared += common.e[i].count;
	return all == shared;
}

/*
 * A user's record is that user's word. Were it to say that root inside is root outside, what root copies into the container
 * would be root's on the host, set-user-ID programs of that user's making among it.
 */
static int read_record(const struct insp_files *f, struct view_ids *ids)
{
	const struct insp_container *c = f->container;
	struct view_ids *users;
	int r;

	take(&c->uids, &ids->uids);
	take(&c->gids, &ids->gids);
	if (!rootfs_is_users(c))
		return 0;
	users = malloc(sizeof(*users));
	r = users ? subid_rootless(f->sys, c->owner, &users->uids, &users->gids) : -ENOMEM;
	if (r == 0 &&
	    (ids->uids.n == 0 || ids->gids.n == 0 || !is_within(&ids->uids, &users->uids) ||
	     !is_within(&ids->gids, &users->gids)))
		*ids = *users;
	free(users);
	return r;
}

/* Whether id is one of the host's that the map leads to; if it could be one inside as well, as most are. */
static bool is_outside(const struct idmap *m, uint32_t id)
{
	return idmap_to_inside(m, id) != UINT32_MAX;
}

static void set_view(const struct insp_files *f, struct view *v)
{
	const struct view_ids *ids = f->ids;

	for (size_t i = 0; ids && f->from != INSP_FILES_LIVE && i < v->n; i++) {
		struct stat st;

		/* a user has no ids but those of the host, and may give the directory to any group of the user's */
		if (rootfs_is_users(f->container))
			v->layers[i].ids = ids;
		else if (fstat(v->layers[i].fd, &st) == 0 && is_outside(&ids->uids, st.st_uid) &&
			 is_outside(&ids->gids, st.st_gid))
			v->layers[i].ids = ids;
	}
	for (size_t i = 0; i < v->n; i++)
		v->layers[i].rights = rootfs_rights(f);
}

bool rootfs_is_users(const struct insp_container *c)
{
	return c->owner != 0 && c->owner != (uid_t)-1;
}

const struct view_rights *rootfs_rights(const struct insp_files *f)
{
	return f->rights.ids ? &f->rights : NULL;
}

static void set_rights(struct insp_files *f)
{
	bool users = rootfs_is_users(f->container);

	if (geteuid() != 0 || !(users || f->from == INSP_FILES_LIVE))
		return;
	f->rights = (struct view_rights){ f->ids, users ? f->container->owner
							: idmap_to_outside(&f->ids->uids, 0) };
}

int rootfs_set_ids(struct insp_files *f, struct insp_err *err)
{
	struct view_ids *ids = calloc(1, sizeof(*ids));
	bool live = false;
	int r = ids ? read_live(f, ids, &live) : -ENOMEM;

	if (r == 0 && !live)
		r = read_record(f, ids);
	if (r < 0 || (!live && ids->uids.n == 0 && ids->gids.n == 0) ||
	    (idmap_is_identity(&ids->uids) && idmap_is_identity(&ids->gids))) {
		free(ids);
		return r < 0 ? insp_err_set(err, r,
					    "%s container %s: read its user namespace's map",
					    f->container->engine, f->container->name)
			     : 0;
	}
	f->ids = ids;
	set_rights(f);
	set_view(f, &f->view);
	set_view(f, &f->base);
	return 0;
}
