/* What is behind a change: its data, its layer. */
#include "libinspect/rootfs/diff.h"

#include "libinspect/base/util.h"

int insp_change_open(const struct insp_change *change, enum insp_side side, int *ret_fd)
{
	const struct diff_file *f = &change->at->files[side];

	if (!f->dir)
		return -ENOENT;
	return S_ISREG(f->node.st.st_mode) ? view_open(f->dir, f->name, &f->node, ret_fd) : -ESTALE;
}

int insp_change_readlink(const struct insp_change *change, enum insp_side side, char **ret)
{
	const struct diff_file *f = &change->at->files[side];

	return f->dir ? view_readlink(f->dir, f->name, &f->node, ret) : -ENOENT;
}

/* The container's own, or its whole tree. */
static void set_upper(const struct insp_layers *l, struct insp_layer *ret)
{
	ret->path = l->upper;
	ret->id = l->upper_id;
}

static void set_lower(const struct insp_layers *l, size_t i, struct insp_layer *ret)
{
	ret->path = l->lowers[i];
	ret->id = l->ids[i].id;
	ret->diff_id = l->ids[i].diff_id;
}

/* Number i of the layers of a stack. */
static void layer_of_stack(const struct insp_files *files, size_t i, struct insp_layer *ret)
{
	const struct insp_layers *l = files->container->layers;
	size_t lower = files->from == INSP_FILES_IMAGE ? i + l->n_engine : i - files->n_upper;

	if (i < files->n_upper) {
		ret->role = INSP_LAYER_UPPER;
		set_upper(l, ret);
		return;
	}
	ret->role = lower < l->n_engine ? INSP_LAYER_ENGINE : INSP_LAYER_IMAGE;
	ret->number = lower < l->n_engine ? 0 : (unsigned)(l->n_lowers - lower);
	set_lower(l, lower, ret);
}

void insp_change_layer(const struct insp_change *change, enum insp_side side,
		       struct insp_layer *ret)
{
	const struct diff_side *s = &change->at->sides[side];
	const struct diff_file *f = &change->at->files[side];
	const struct insp_layers *l = s->files->container->layers;

	*ret = (struct insp_layer){ .role = INSP_LAYER_TREE };
	if (!f->dir || s->files->from == INSP_FILES_LIVE || !l)
		return;
	if (l->kind != INSP_ROOT_DIR)
		layer_of_stack(s->files, f->dir->parts[f->node.part].layer + s->first, ret);
	else if (s->is_base || s->files->from == INSP_FILES_IMAGE)
		set_lower(l, 0, ret);
	else
		set_upper(l, ret);
}
