/* --json: docs/json/cdiff.schema.json. */
#include "tools/cdiff/cdiff.h"
#include "tools/shared/text.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/sysmacros.h>

static void json_container(struct cdiff *cdiff, const char *key, enum insp_side side)
{
	const struct insp_container *c = cdiff->containers[side];
	struct json_out *out = &cdiff->out;

	if (!c) {
		json_out_null(out, key);
		return;
	}
	json_out_open(out, key, '{');
	json_out_string(out, "engine", c->engine);
	json_out_string(out, "id", c->id);
	json_out_string(out, "name", c->name);
	json_out_string(out, "image", c->image);
	json_out_close(out, '}');
}

static void begin(struct cdiff *cdiff)
{
	struct json_out *out = &cdiff->out;

	out->file = stdout;
	json_out_open(out, NULL, '{');
	json_out_int(out, "schema", 1);
	json_container(cdiff, "container", INSP_AFTER);
	json_container(cdiff, "before", INSP_BEFORE);
	json_out_open(out, "changes", '[');
}

static const char *type_name(mode_t mode)
{
	switch (mode & S_IFMT) {
	case S_IFREG: return "file";
	case S_IFDIR: return "directory";
	case S_IFLNK: return "link";
	case S_IFCHR: return "character device";
	case S_IFBLK: return "block device";
	case S_IFIFO: return "fifo";
	case S_IFSOCK: return "socket";
	default: return NULL;
	}
}

static void json_layer(const struct insp_change *change, enum insp_side side, struct json_out *out)
{
	struct insp_layer layer;

	insp_change_layer(change, side, &layer);
	json_out_open(out, "layer", '{');
	json_out_string(out, "role", cdiff_role_name(layer.role));
	if (layer.number)
		json_out_int(out, "number", layer.number);
	else
		json_out_null(out, "number");
	json_out_string(out, "diff_id", layer.diff_id);
	json_out_string(out, "id", layer.id);
	json_out_string(out, "directory", layer.path);
	json_out_close(out, '}');
}

static void json_device(const struct insp_file *file, struct json_out *out)
{
	char text[TEXT_MAX];

	if (!S_ISCHR(file->mode) && !S_ISBLK(file->mode)) {
		json_out_null(out, "device");
		return;
	}
	snprintf(text, sizeof(text), "%u:%u", major(file->rdev), minor(file->rdev));
	json_out_string(out, "device", text);
}

static void json_link(const struct insp_change *change, enum insp_side side, struct json_out *out)
{
	_cleanup_free_ char *target = NULL;

	if (S_ISLNK(change->file[side]->mode))
		(void)insp_change_readlink(change, side, &target);
	json_out_string(out, "target", target);
}

static void json_file(const struct insp_change *change, enum insp_side side, const char *key,
		      struct json_out *out)
{
	const struct insp_file *file = change->file[side];
	char text[TEXT_MAX];

	if (!file) {
		json_out_null(out, key);
		return;
	}
	json_out_open(out, key, '{');
	json_out_string(out, "type", type_name(file->mode));
	snprintf(text, sizeof(text), "%04o", (unsigned)(file->mode & 07777));
	json_out_string(out, "mode", text);
	json_out_int(out, "uid", file->uid);
	json_out_int(out, "gid", file->gid);
	if (S_ISREG(file->mode) || S_ISLNK(file->mode))
		json_out_int(out, "size", (int64_t)file->size);
	else
		json_out_null(out, "size");
	json_out_string(out, "mtime",
			file->mtime == INT64_MIN ? NULL : text_rfc3339(file->mtime, text));
	json_device(file, out);
	json_link(change, side, out);
	json_layer(change, side, out);
	json_out_close(out, '}');
}

static const char *kind_name(enum insp_change_kind kind)
{
	return kind == INSP_CHANGE_ADDED     ? "added"
	       : kind == INSP_CHANGE_CHANGED ? "changed"
					     : "deleted";
}

static int each(struct cdiff *cdiff, const struct insp_change *change)
{
	struct json_out *out = &cdiff->out;

	json_out_open(out, NULL, '{');
	json_out_string(out, "path", change->path);
	json_out_string(out, "kind", kind_name(change->kind));
	json_out_open(out, "what", '[');
	for (unsigned bit = 1; bit <= change->what; bit <<= 1)
		if (change->what & bit)
			json_out_string(out, NULL, insp_change_what_name(bit));
	json_out_close(out, ']');
	json_file(change, INSP_BEFORE, "before", out);
	json_file(change, INSP_AFTER, "after", out);
	json_out_close(out, '}');
	return ferror(stdout) ? -EIO : 0;
}

static void end(struct cdiff *cdiff)
{
	struct json_out *out = &cdiff->out;

	json_out_close(out, ']');
	json_out_open(out, "summary", '{');
	json_out_int(out, "added", (int64_t)cdiff->n[0]);
	json_out_int(out, "changed", (int64_t)cdiff->n[1]);
	json_out_int(out, "deleted", (int64_t)cdiff->n[2]);
	json_out_int(out, "growth", cdiff->growth);
	json_out_close(out, '}');
	json_out_open(out, "diagnostics", '[');
	for (size_t i = 0; i < cdiff->diags.n; i++) {
		const struct insp_err *e = &cdiff->diags.items[i];

		json_out_open(out, NULL, '{');
		json_out_string(out, "text", e->text);
		json_out_string(out, "hint", e->hint[0] ? e->hint : NULL);
		json_out_close(out, '}');
	}
	json_out_close(out, ']');
	json_out_close(out, '}');
}

const struct cdiff_way way_json = {
	.begin = begin, .each = each, .end = end, .flags = INSP_DIFF_DETAIL
};
