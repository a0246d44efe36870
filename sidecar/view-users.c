/* The container's users as the programs of the target view see them. See view.h. */
#include "sidecar/view.h"

#define NAME_LEN 256
#define FIELDS	 7

static bool is_plain(const char *s, const char *more)
{
	for (; *s; s++)
		if ((*s < 'a' || *s > 'z') && (*s < 'A' || *s > 'Z') && (*s < '0' || *s > '9') &&
		    !strchr("_.-", *s) && !strchr(more, *s))
			return false;
	return true;
}

static bool is_name(const char *s)
{
	return *s && *s != '-' && strlen(s) <= NAME_LEN && is_plain(s, "");
}

static bool is_number(const char *s)
{
	return *s && strlen(s) <= 10 && strspn(s, "0123456789") == strlen(s);
}

/* "name:x:0:0:Name:/root:/bin/sh", "name:x:0:member,member": how many there are; what is missing is "". */
static void split(char *line, char *field[FIELDS])
{
	static char none[] = "";

	for (size_t i = 0; i < FIELDS; i++) {
		field[i] = line ? line : none;
		line = line ? strchr(line, ':') : NULL;
		if (line)
			*line++ = '\0';
	}
}

/* Whether it was root's of passwd. */
static bool put_line(char *line, bool passwd, FILE *f)
{
	char *field[FIELDS];

	split(line, field);
	if (!is_name(field[0]) || !is_number(field[2]) || (passwd && !is_number(field[3])))
		return false;
	if (!passwd)
		fprintf(f, "%s:x:%s:%s\n", field[0], field[2],
			is_plain(field[3], ",") ? field[3] : "");
	else
		fprintf(f, "%s:x:%s:%s::" VIEW_HOME ":" VIEW_BIN "/sh\n", field[0], field[2],
			field[3]);
	return passwd && strtoul(field[2], NULL, 10) == 0;
}

char *view_users(const char *text, size_t len, bool passwd, size_t *ret_len)
{
	_cleanup_free_ char *copy = strndup(text, len);
	char *out = NULL, *save = NULL;
	FILE *f = copy ? open_memstream(&out, ret_len) : NULL;
	bool has_root = !passwd;

	if (!f)
		return NULL;
	for (char *line = strtok_r(copy, "\n", &save); line; line = strtok_r(NULL, "\n", &save))
		has_root = put_line(line, passwd, f) || has_root;
	/* nobody is to make one up */
	if (!has_root)
		fputs("root:x:0:0::" VIEW_HOME ":" VIEW_BIN "/sh\n", f);
	if (fclose(f) == 0)
		return out;
	free(out);
	return NULL;
}
