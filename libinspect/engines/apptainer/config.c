/* The configuration in an instance's record. internal/pkg/runtime/engine/apptainer/config of apptainer 1.4. */
#include "libinspect/engines/apptainer/apptainer.h"
#include "libinspect/base/str.h"
#include "libinspect/base/util.h"
#include "libinspect/engines/oci/runtime.h"

#include <sys/stat.h>

#define OVERLAYS_MAX 64

static int digit(char c)
{
	if (c >= 'A' && c <= 'Z')
		return c - 'A';
	if (c >= 'a' && c <= 'z')
		return c - 'a' + 26;
	if (c >= '0' && c <= '9')
		return c - '0' + 52;
	return c == '+' ? 62 : c == '/' ? 63 : -1;
}

/* A new buffer of *ret_len bytes. */
static int decode_base64(const char *text, size_t len, char **ret, size_t *ret_len)
{
	_cleanup_free_ char *out = NULL;
	uint32_t bits = 0;
	size_t n = 0, digits = 0;

	while (len > 0 && text[len - 1] == '=')
		len--;
	out = malloc(len / 4 * 3 + 4);
	if (!out)
		return -ENOMEM;
	for (size_t i = 0; i < len; i++) {
		int d = digit(text[i]);

		if (d < 0)
			return -EBADMSG;
		bits = bits << 6 | (uint32_t)d;
		if (++digits % 4 != 1)
			out[n++] = (char)(bits >> (6 - 2 * ((digits - 1) % 4)));
	}
	if (digits % 4 == 1)
		return -EBADMSG;
	*ret = TAKE_PTR(out);
	*ret_len = n;
	return 0;
}

int apptainer_config_decode(const json_t *record, json_t **ret, struct insp_err *err)
{
	const char *text = json_str_at(record, "config");
	_cleanup_free_ char *data = NULL;
	size_t len;
	int r;

	if (!text)
		return -ENOENT;
	r = decode_base64(text, strlen(text), &data, &len);
	if (r < 0)
		return insp_err_set(err, r, "its 'config' is no base64");
	r = json_parse(data, len, ret, err);
	return r < 0 ? insp_err_wrap(err, r, "its 'config'") : 0;
}

/* ---- mounts -------------------------------------------------------------------------------------------- */

static int add_bind(const json_t *bind, struct insp_container *c)
{
	const char *source = json_str_at(bind, "source"), *to = json_str_at(bind, "destination");
	struct insp_mount mount = {
		.type = (char *)"bind",
		.source = (char *)source,
		.destination = (char *)(to ? to : source),
		.read_only = json_at(bind, "options.ro") != NULL,
	};

	return mount.destination ? container_add_mount(c, &mount) : 0;
}

static int add_binds(const json_t *config, struct insp_container *c)
{
	json_t *bind;
	size_t i;
	int r = 0;

	json_array_foreach (json_at(config, "bindpath"), i, bind) {
		r = add_bind(bind, c);
		if (r < 0)
			return r;
	}
	return 0;
}

/* ---- layers -------------------------------------------------------------------------------------------- */

/* Whether path is a directory that the record's owner may speak for; its last component is no link. */
static bool is_dir(const struct engine_scan *scan, const char *path, uid_t owner)
{
	_cleanup_close_ int fd = -EBADF;
	struct stat st;

	if (path[0] != '/')
		return false;
	fd = sys_open(scan->sys, path, O_PATH | O_DIRECTORY | O_NOFOLLOW);
	return fd >= 0 && fstat(fd, &st) == 0 && (owner == 0 || st.st_uid == owner);
}

/* "DIR", "DIR:ro", "DIR:rw" as --overlay takes them. A new string; NULL when memory is out. */
static char *overlay_dir(const char *option, bool *ro)
{
	size_t len = strlen(option);

	*ro = str_ends(option, ":ro");
	if (*ro || str_ends(option, ":rw"))
		len -= 3;
	return strndup(option, len);
}

/*
 * One --overlay: DIR/upper is a layer, of the writable one the upper. 1, 0: it is no directory, so not all layers are
 * known; -ENOMEM.
 */
static int add_overlay(const struct engine_scan *scan, const char *option,
		       const struct insp_container *c, struct insp_layers *layers)
{
	_cleanup_free_ char *dir = NULL, *upper = NULL;
	bool ro;
	int r;

	dir = overlay_dir(option, &ro);
	upper = dir ? str_format("%s/upper", dir) : NULL;
	if (!upper)
		return -ENOMEM;
	if (!is_dir(scan, upper, c->owner))
		return 0;
	if (!ro && !layers->upper) {
		layers->work = str_format("%s/work", dir);
		layers->upper = TAKE_PTR(upper);
		return layers->work ? 1 : -ENOMEM;
	}
	r = container_layers_add(layers, upper);
	return r == -ENOMEM ? r : r == 0;
}

/* The last --overlay lies uppermost. 1, 0, -ENOMEM. */
static int add_overlays(const struct engine_scan *scan, const json_t *config,
			const struct insp_container *c, struct insp_layers *layers)
{
	const json_t *overlays = json_at(config, "overlayImage");
	size_t n = json_array_size(overlays);
	int r = n <= OVERLAYS_MAX;

	for (size_t i = n; i > 0 && r == 1; i--) {
		const char *option = json_string_value(json_array_get(overlays, i - 1));

		r = option ? add_overlay(scan, option, c, layers) : 0;
	}
	return r;
}

static int set_layers(const struct engine_scan *scan, const json_t *config,
		      struct insp_container *c)
{
	bool whole = json_bool_at(config, "writableImage");
	_cleanup_layers_ struct insp_layers *layers =
		container_layers_new(whole ? INSP_ROOT_DIR : INSP_ROOT_OVERLAY);
	const char *image = json_str_at(config, "image");
	int r;

	if (!layers)
		return -ENOMEM;
	if (!image || !is_dir(scan, image, c->owner))
		return 0;
	if (whole) {
		r = container_set(&layers->upper, image);
	} else {
		r = add_overlays(scan, config, c, layers);
		if (r <= 0)
			return r;
		r = container_layers_add(layers, image);
	}
	if (r == 0)
		c->layers = TAKE_PTR(layers);
	return r == -ENOMEM ? r : 0;
}

int apptainer_config_fill(const struct engine_scan *scan, const json_t *config,
			  struct insp_container *c)
{
	const json_t *json_config = json_at(config, "engineConfig.jsonConfig");
	int r = 0;

	if ((scan->want & INSP_WANT_DETAIL) && !c->command)
		c->command =
			runtime_join_args(json_at(config, "engineConfig.ociConfig.process.args"));
	if (!(scan->want & INSP_WANT_FILES))
		return 0;
	r = add_binds(json_config, c);
	return r < 0 ? r : set_layers(scan, json_config, c);
}
