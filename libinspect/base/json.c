#include "libinspect/base/json.h"
#include "libinspect/base/io.h"
#include "libinspect/base/util.h"

int json_parse(const char *data, size_t len, json_t **ret, struct insp_err *err)
{
	json_error_t why;
	/* jansson refuses embedded NUL and nesting deeper than 2048 by itself */
	json_t *j = json_loadb(data, len, JSON_DECODE_ANY, &why);

	if (!j)
		return insp_err_say(err, -EBADMSG, "not valid JSON: %s (line %d, column %d)",
				    why.text, why.line, why.column);
	*ret = j;
	return 0;
}

int json_read_file(int dirfd, const char *path, size_t max, json_t **ret, struct insp_err *err)
{
	_cleanup_io_buf_ struct io_buf b = { 0 };
	int r = io_read_file(dirfd, path, max, &b, err);

	if (r < 0)
		return r;
	r = json_parse(b.data, b.len, ret, err);
	if (r < 0)
		return insp_err_wrap(err, r, "read '%s'", path);
	return 0;
}

const json_t *json_at(const json_t *j, const char *path)
{
	while (j && *path) {
		char key[128];
		size_t n = strcspn(path, ".");

		if (n >= sizeof(key))
			return NULL;
		memcpy(key, path, n);
		key[n] = '\0';
		j = json_object_get(j, key);
		path += n + (path[n] == '.');
	}
	return j;
}

bool json_has_str(const json_t *list, const char *value)
{
	json_t *v;
	size_t i;

	json_array_foreach (list, i, v)
		if (str_eq(json_string_value(v), value))
			return true;
	return false;
}

const char *json_str_at(const json_t *j, const char *path)
{
	const char *s = json_string_value(json_at(j, path));

	return s && *s ? s : NULL;
}

int64_t json_int_at(const json_t *j, const char *path, int64_t unset)
{
	const json_t *v = json_at(j, path);

	return json_is_integer(v) ? json_integer_value(v) : unset;
}

bool json_bool_at(const json_t *j, const char *path)
{
	return json_is_true(json_at(j, path));
}
