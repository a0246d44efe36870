#include "libinspect/base/yaml.h"
#include "libinspect/base/util.h"

#include <yaml.h>

struct reader {
	yaml_parser_t parser;
	struct insp_err *err;
	int depth;
};

static int bad(struct reader *rd, const char *why, size_t line)
{
	return insp_err_say(rd->err, -EBADMSG, "not YAML: line %zu: %s", line + 1, why);
}

static int next_event(struct reader *rd, yaml_event_t *event)
{
	if (yaml_parser_parse(&rd->parser, event))
		return 0;
	if (rd->parser.error == YAML_MEMORY_ERROR)
		return -ENOMEM;
	return bad(rd, rd->parser.problem ? rd->parser.problem : "cannot be read",
		   rd->parser.problem_mark.line);
}

static int read_value(struct reader *rd, const yaml_event_t *event, json_t **ret);

static int read_scalar(struct reader *rd, const yaml_event_t *event, json_t **ret)
{
	const char *value = (const char *)event->data.scalar.value;

	if (memchr(value, '\0', event->data.scalar.length))
		return bad(rd, "a NUL byte in a string", event->start_mark.line);
	*ret = json_stringn(value, event->data.scalar.length);
	return *ret ? 0 : bad(rd, "a string that is no UTF-8", event->start_mark.line);
}

static int read_member(struct reader *rd, const yaml_event_t *key, json_t *object)
{
	yaml_event_t event;
	json_t *value = NULL;
	int r = next_event(rd, &event);

	if (r < 0)
		return r;
	r = read_value(rd, &event, &value);
	yaml_event_delete(&event);
	if (r < 0)
		return r;
	return json_object_set_new(object, (const char *)key->data.scalar.value, value) < 0
		       ? -ENOMEM
		       : 0;
}

/* Until the end of the mapping; a key that is no scalar is refused. */
static int read_mapping(struct reader *rd, json_t **ret)
{
	_cleanup_json_ json_t *object = json_object();
	bool more = true;

	while (object && more) {
		yaml_event_t event;
		int r = next_event(rd, &event);

		if (r < 0)
			return r;
		more = event.type != YAML_MAPPING_END_EVENT;
		if (more)
			r = event.type == YAML_SCALAR_EVENT
				    ? read_member(rd, &event, object)
				    : bad(rd, "a key that is no string", event.start_mark.line);
		yaml_event_delete(&event);
		if (r < 0)
			return r;
	}
	*ret = TAKE_PTR(object);
	return *ret ? 0 : -ENOMEM;
}

static int read_sequence(struct reader *rd, json_t **ret)
{
	_cleanup_json_ json_t *array = json_array();
	bool more = true;

	while (array && more) {
		json_t *value = NULL;
		yaml_event_t event;
		int r = next_event(rd, &event);

		if (r < 0)
			return r;
		more = event.type != YAML_SEQUENCE_END_EVENT;
		if (more)
			r = read_value(rd, &event, &value);
		yaml_event_delete(&event);
		if (r < 0)
			return r;
		if (more && json_array_append_new(array, value) < 0)
			return -ENOMEM;
	}
	*ret = TAKE_PTR(array);
	return *ret ? 0 : -ENOMEM;
}

static int read_value(struct reader *rd, const yaml_event_t *event, json_t **ret)
{
	int r;

	if (event->type == YAML_SCALAR_EVENT)
		return read_scalar(rd, event, ret);
	if (event->type == YAML_ALIAS_EVENT)
		return bad(rd, "an alias", event->start_mark.line);
	if (event->type != YAML_MAPPING_START_EVENT && event->type != YAML_SEQUENCE_START_EVENT)
		return bad(rd, "no value", event->start_mark.line);
	if (++rd->depth > YAML_DEPTH_MAX)
		return bad(rd, "nested too deep", event->start_mark.line);
	r = event->type == YAML_MAPPING_START_EVENT ? read_mapping(rd, ret)
						    : read_sequence(rd, ret);
	rd->depth--;
	return r;
}

/* The stream, the document and its first value. */
static int read_document(struct reader *rd, json_t **ret)
{
	yaml_event_type_t type = YAML_NO_EVENT;
	int r = 0;

	while (r == 0 && !*ret && type != YAML_STREAM_END_EVENT) {
		yaml_event_t event;

		r = next_event(rd, &event);
		if (r < 0)
			return r;
		type = event.type;
		if (type != YAML_STREAM_START_EVENT && type != YAML_DOCUMENT_START_EVENT &&
		    type != YAML_STREAM_END_EVENT)
			r = read_value(rd, &event, ret);
		yaml_event_delete(&event);
	}
	return r < 0 ? r : *ret ? 0 : bad(rd, "empty", 0);
}

int yaml_parse(const char *data, size_t len, json_t **ret, struct insp_err *err)
{
	struct reader rd = { .err = err };
	json_t *j = NULL;
	int r;

	if (!yaml_parser_initialize(&rd.parser))
		return -ENOMEM;
	yaml_parser_set_input_string(&rd.parser, (const unsigned char *)data, len);
	r = read_document(&rd, &j);
	yaml_parser_delete(&rd.parser);
	if (r == 0)
		*ret = j;
	else
		json_decref(j);
	return r;
}
