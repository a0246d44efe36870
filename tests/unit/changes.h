/* For the tests of cdiff: containers of layers made by hand, and what insp_diff() says of them. */
#ifndef SONDE_TESTS_UNIT_CHANGES_H
#define SONDE_TESTS_UNIT_CHANGES_H

#include "tests/unit/layers.h"

#include "libinspect/container/container.h"
#include "libinspect/rootfs/diff.h"

/* A container of layers "0" (its own), "1", … */
struct box {
	struct insp_container *container;
	struct insp_files files;
};

static inline void box_close(struct box *b)
{
	view_close(&b->files.view);
	view_close(&b->files.base);
	insp_container_free(b->container);
}
#define _cleanup_box_ _cleanup_(box_close)

static inline struct box box_of(const struct layers *l, unsigned n, unsigned marks, size_t n_engine)
{
	struct box b = { .container = container_new("test", "0123") };
	struct insp_layers *dirs = container_layers_new(INSP_ROOT_OVERLAY);
	char path[PATH_MAX * 2];

	assert_non_null(b.container);
	assert_non_null(dirs);
	b.container->layers = dirs;
	assert_int_equal(container_set(&b.container->name, "web"), 0);
	dirs->n_engine = n_engine;
	for (unsigned i = 0; i < n; i++) {
		snprintf(path, sizeof(path), "%s/%u", l->base, i);
		assert_int_equal(i ? container_layers_add(dirs, path)
				   : container_set(&dirs->upper, path),
				 0);
	}
	b.files = (struct insp_files){
		.container = b.container,
		.from = INSP_FILES_LAYERS,
		.view = layers_view(l, n, marks),
		.n_upper = 1,
		.n_engine = n_engine,
	};
	return b;
}

/* "D /gone; C /etc; C /etc/passwd size,mtime": each change in one line. */
static inline int note(const struct insp_change *change, void *arg)
{
	struct strbuf *sb = arg;

	strbuf_printf(sb, "%s%c %s", sb->len ? "; " : "", change->kind, change->path);
	for (unsigned bit = 1; bit <= INSP_CHANGED_XATTR; bit <<= 1)
		if (change->what & bit)
			strbuf_printf(sb, "%s%s", change->what & (bit - 1) ? "," : " ",
				      insp_change_what_name(bit));
	assert_int_equal(change->file[INSP_BEFORE] != NULL, change->kind != INSP_CHANGE_ADDED);
	assert_int_equal(change->file[INSP_AFTER] != NULL, change->kind != INSP_CHANGE_DELETED);
	return 0;
}

/* The changes between two, or from what is began as; the error's name. Good until the next call. */
static inline const char *changes_with(const struct insp_files *is, const struct insp_files *was,
				       struct insp_diff_opts opts)
{
	static char text[PATH_MAX * 4];
	_cleanup_(strbuf_free) struct strbuf sb = { 0 };
	struct insp_diags diags = { 0 };
	int r;

	opts.each = note;
	opts.arg = &sb;
	r = insp_diff(is, was, &opts, &diags, NULL);
	for (size_t i = 0; i < diags.n; i++)
		print_error("%s\n", diags.items[i].text);
	assert_int_equal(diags.n, 0);
	insp_diags_clear(&diags);
	snprintf(text, sizeof(text), "%s", r < 0 ? strerrorname_np(-r) : sb.len ? sb.buf : "");
	return text;
}

static inline const char *changes(const struct layers *l, unsigned n, unsigned marks,
				  unsigned flags)
{
	_cleanup_box_ struct box b = box_of(l, n, marks, 0);

	return changes_with(&b.files, NULL, (struct insp_diff_opts){ .flags = flags });
}

#endif
