/* How a container is started: from docker's record and from a runtime's specification, and what is read of it. */
#include "tests/unit/torture.h"

#include "libinspect/base/str.h"
#include "libinspect/container/container.h"
#include "libinspect/creds.h"
#include "libinspect/engines/docker/docker.h"
#include "libinspect/engines/oci/process.h"

#include <sys/capability.h>

#define CAP_BIT(cap) (UINT64_C(1) << (cap))

/* Of that text, or image configuration; the error in *ret_r. */
static struct insp_start *start_of(const char *process, const char *image, int *ret_r)
{
	_cleanup_container_ struct insp_container *c = container_new("test", "x");
	struct insp_start *s = NULL;

	assert_non_null(c);
	c->process = str_dup(process);
	c->image_config = str_dup(image);
	*ret_r = insp_start_read(c, &s, NULL);
	return s;
}

static struct insp_start *read_process(const char *text)
{
	int r;
	struct insp_start *s = start_of(text, NULL, &r);

	assert_int_equal(r, 0);
	assert_non_null(s);
	return s;
}

static int refusal(const char *text)
{
	int r;

	assert_null(start_of(text, NULL, &r));
	return r;
}

static void is_words(char *const *words, const char *expect)
{
	_cleanup_(strbuf_free) struct strbuf sb = { 0 };

	for (; words && *words; words++)
		strbuf_printf(&sb, "%s%s", sb.len ? "|" : "", *words);
	assert_string_equal(sb.buf ? sb.buf : "", expect);
}

/* ---- reading ---- */

static void a_process_is_read_whole(void **state)
{
	struct insp_start *s = read_process(
		"{\"args\":[\"sh\",\"-c\",\"a b\"],\"env\":[\"A=1\",\"B=\",\"none\",\"=x\",\"\",7],\"cwd\":\"/w\","
		"\"user\":{\"uid\":5,\"gid\":6,\"additionalGids\":[7,-1,\"x\",4294967295,8]},"
		"\"groups\":[\"adm\",\"12\"],\"noNewPrivileges\":true,\"readonly\":true,\"seccomp\":false}");

	is_words(s->argv, "sh|-c|a b");
	is_words(s->env, "A=1|B=");
	is_words(s->groups, "adm|12");
	assert_string_equal(s->workdir, "/w");
	assert_null(s->user);
	assert_int_equal(s->uid, 5);
	assert_int_equal(s->gid, 6);
	assert_int_equal(s->n_gids, 2);
	assert_int_equal(s->gids[0], 7);
	assert_int_equal(s->gids[1], 8);
	assert_true(s->caps.no_new_privs);
	assert_true(s->read_only);
	assert_int_equal(s->seccomp, INSP_SECCOMP_NONE);
	assert_false(s->caps_known);
	insp_start_free(s);
}

static void capabilities_are_those_named_and_not_dropped(void **state)
{
	struct insp_start *s = read_process(
		"{\"capabilities\":{\"bounding\":[\"CAP_CHOWN\",\"kill\",\"net_raw\",\"cap_of_tomorrow\",\"\",3],"
		"\"ambient\":[\"KILL\",\"sys_admin\"],\"effective\":[\"chown\"],\"dropped\":[\"NET_RAW\"]}}");

	assert_true(s->caps_known);
	assert_int_equal(s->caps.bounding, CAP_BIT(CAP_CHOWN) | CAP_BIT(CAP_KILL));
	/* never more than what is in the bounding set */
	assert_int_equal(s->caps.ambient, CAP_BIT(CAP_KILL));
	assert_int_equal(s->caps.effective, CAP_BIT(CAP_CHOWN));
	insp_start_free(s);
	s = read_process(
		"{\"capabilities\":{\"bounding\":[\"ALL\"],\"dropped\":[\"cap_sys_admin\"]}}");
	assert_int_equal(s->caps.bounding & CAP_BIT(CAP_SYS_ADMIN), 0);
	assert_true(s->caps.bounding & CAP_BIT(CAP_LAST_CAP));
	insp_start_free(s);
}

static void ids_that_are_none_are_refused_not_root(void **state)
{
	assert_int_equal(refusal("{\"user\":{\"uid\":-1}}"), -EINVAL);
	assert_int_equal(refusal("{\"user\":{\"uid\":4294967295}}"), -EINVAL);
	assert_int_equal(refusal("{\"user\":{\"gid\":4294967296}}"), -EINVAL);
	assert_int_equal(refusal("{\"user\""), -EBADMSG);
}

static void more_words_than_a_command_has_are_refused(void **state)
{
	_cleanup_(strbuf_free) struct strbuf sb = { 0 };

	strbuf_puts(&sb, "{\"args\":[\"x\"");
	for (int i = 0; i < 4096; i++)
		strbuf_puts(&sb, ",\"x\"");
	strbuf_puts(&sb, "]}");
	assert_int_equal(refusal(sb.buf), -E2BIG);
}

static void other_types_than_expected_are_unknown(void **state)
{
	static const char *const odd[] = {
		"[]",
		"{\"args\":7,\"env\":{},\"cwd\":[],\"user\":\"x\",\"groups\":1}",
		"{\"args\":[null,[],{}],\"user\":{\"uid\":\"5\",\"additionalGids\":{}},\"seccomp\":1}",
		"{\"capabilities\":[],\"noNewPrivileges\":\"true\",\"readonly\":1}",
	};

	for (size_t i = 0; i < ARRAY_SIZE(odd); i++) {
		struct insp_start *s = read_process(odd[i]);

		is_words(s->argv, "");
		is_words(s->env, "");
		assert_int_equal(s->uid, 0);
		assert_int_equal(s->n_gids, 0);
		assert_false(s->caps_known);
		assert_false(s->caps.no_new_privs);
		assert_false(s->read_only);
		assert_int_equal(s->seccomp, INSP_SECCOMP_UNKNOWN);
		insp_start_free(s);
	}
}

static void an_image_starts_its_entrypoint_with_its_command(void **state)
{
	int r;
	struct insp_start *s =
		start_of(NULL,
			 "{\"Entrypoint\":[\"/e\",\"-x\"],\"Cmd\":[\"y\"],\"Env\":[\"A=1\"],"
			 "\"WorkingDir\":\"/w\",\"User\":\"app:adm\"}",
			 &r);

	assert_int_equal(r, 0);
	is_words(s->argv, "/e|-x|y");
	is_words(s->env, "A=1");
	assert_string_equal(s->workdir, "/w");
	assert_string_equal(s->user, "app:adm");
	insp_start_free(s);
	s = start_of(NULL, "{}", &r);
	assert_int_equal(r, 0);
	assert_string_equal(s->user, "0");
	insp_start_free(s);
	assert_null(start_of(NULL, NULL, &r));
	assert_int_equal(r, -ENODATA);
}

/* ---- making: docker ---- */

/* What docker_process() makes of a record and its hostconfig.json (NULL: missing), read. */
static struct insp_start *of_docker(const char *record, const char *host)
{
	_cleanup_json_ json_t *r = NULL, *h = NULL;
	_cleanup_free_ char *text = NULL;

	assert_int_equal(json_parse(record, strlen(record), &r, NULL), 0);
	if (host)
		assert_int_equal(json_parse(host, strlen(host), &h, NULL), 0);
	assert_int_equal(docker_process(r, h, &text), 0);
	return read_process(text);
}

#define USUAL_CAPS 14 /* what a container of docker has by default */

static void a_docker_record_says_what_is_started_and_as_whom(void **state)
{
	struct insp_start *s = of_docker(
		"{\"Path\":\"/e\",\"Args\":[\"-x\",7,\"y\"],\"Config\":{\"Env\":[\"A=1\"],\"User\":\"app\","
		"\"WorkingDir\":\"/w\"}}",
		"{\"GroupAdd\":[\"adm\"],\"ReadonlyRootfs\":true}");

	is_words(s->argv, "/e|-x|y");
	is_words(s->env, "A=1");
	is_words(s->groups, "adm");
	assert_string_equal(s->user, "app");
	assert_string_equal(s->workdir, "/w");
	assert_true(s->read_only);
	assert_int_equal(s->seccomp, INSP_SECCOMP_FILTER);
	assert_int_equal(__builtin_popcountll(s->caps.bounding), USUAL_CAPS);
	assert_false(s->caps.bounding & CAP_BIT(CAP_SYS_ADMIN));
	insp_start_free(s);
}

static void what_docker_adds_and_drops_is_told(void **state)
{
	static const struct {
		const char *host;
		int n, has, lacks;
	} cases[] = {
		{ "{\"CapAdd\":[\"CAP_SYS_PTRACE\"]}", USUAL_CAPS + 1, CAP_SYS_PTRACE,
		  CAP_SYS_ADMIN },
		{ "{\"CapDrop\":[\"CHOWN\"]}", USUAL_CAPS - 1, CAP_KILL, CAP_CHOWN },
		{ "{\"CapDrop\":[\"ALL\"],\"CapAdd\":[\"KILL\"]}", 1, CAP_KILL, CAP_CHOWN },
		{ "{\"CapAdd\":[\"ALL\"],\"CapDrop\":[\"sys_admin\"]}", CAP_LAST_CAP, CAP_KILL,
		  CAP_SYS_ADMIN },
		{ "{\"Privileged\":true,\"CapDrop\":[\"KILL\"]}", CAP_LAST_CAP + 1, CAP_KILL, -1 },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct insp_start *s = of_docker("{}", cases[i].host);

		assert_true(s->caps_known);
		assert_int_equal(__builtin_popcountll(s->caps.bounding), cases[i].n);
		assert_true(s->caps.bounding & CAP_BIT(cases[i].has));
		assert_true(cases[i].lacks < 0 || !(s->caps.bounding & CAP_BIT(cases[i].lacks)));
		insp_start_free(s);
	}
}

/* A damaged hostconfig.json gives nothing, and above all not every capability. */
static void without_a_hostconfig_no_capability_is_known(void **state)
{
	struct insp_start *s = of_docker("{\"Path\":\"/e\"}", NULL);

	is_words(s->argv, "/e");
	assert_false(s->caps_known);
	assert_int_equal(s->caps.bounding, 0);
	assert_string_equal(s->user, "0");
	insp_start_free(s);
}

static void dockers_security_options_are_read(void **state)
{
	struct insp_start *s = of_docker("{}", "{\"SecurityOpt\":[\"seccomp=unconfined\","
					       "\"no-new-privileges\"]}");

	assert_int_equal(s->seccomp, INSP_SECCOMP_NONE);
	assert_true(s->caps.no_new_privs);
	insp_start_free(s);
	s = of_docker("{}",
		      "{\"SecurityOpt\":[\"no-new-privileges:false\",7,\"seccomp=/p.json\"]}");
	assert_int_equal(s->seccomp, INSP_SECCOMP_FILTER);
	assert_false(s->caps.no_new_privs);
	insp_start_free(s);
}

/* ---- making: a runtime's specification, and a command line ---- */

static const char spec[] =
	"{\"process\":{\"args\":[\"/init\",\"--\",\"sh\"],\"env\":[\"A=1\"],\"cwd\":\"/\","
	"\"user\":{\"uid\":3,\"gid\":4},\"capabilities\":{\"bounding\":[\"CAP_KILL\"]},\"noNewPrivileges\":true},"
	"\"root\":{\"readonly\":true},\"linux\":{\"seccomp\":{}}}";

static struct insp_start *of_spec(const char *text, const struct oci_process_more *more)
{
	_cleanup_json_ json_t *j = NULL;
	_cleanup_free_ char *process = NULL;

	assert_int_equal(json_parse(text, strlen(text), &j, NULL), 0);
	assert_int_equal(oci_process_of_spec(j, more, &process), 0);
	return read_process(process);
}

static void a_specification_is_taken_as_it_is(void **state)
{
	struct insp_start *s = of_spec(spec, NULL);

	is_words(s->argv, "/init|--|sh");
	is_words(s->env, "A=1");
	assert_int_equal(s->uid, 3);
	assert_int_equal(s->gid, 4);
	assert_int_equal(s->caps.bounding, CAP_BIT(CAP_KILL));
	assert_true(s->caps.no_new_privs);
	assert_true(s->read_only);
	assert_int_equal(s->seccomp, INSP_SECCOMP_FILTER);
	assert_null(s->user);
	insp_start_free(s);
	s = of_spec("{\"process\":{\"args\":{},\"env\":1,\"user\":[],\"capabilities\":\"ALL\"}}",
		    NULL);
	is_words(s->argv, "");
	assert_false(s->caps_known);
	assert_int_equal(s->seccomp, INSP_SECCOMP_NONE);
	insp_start_free(s);
}

static void what_an_engine_keeps_beside_it_is_added(void **state)
{
	_cleanup_json_ json_t *groups = json_pack("[ss]", "adm", "5");
	struct oci_process_more more = { .user = "app", .groups = groups, .skip = 2 };
	struct insp_start *s = of_spec(spec, &more);

	is_words(s->argv, "sh");
	is_words(s->groups, "adm|5");
	assert_string_equal(s->user, "app");
	insp_start_free(s);
	/* more to be left out than there is */
	more.skip = 9;
	s = of_spec(spec, &more);
	is_words(s->argv, "");
	insp_start_free(s);
}

static void a_command_line_is_split_at_blanks(void **state)
{
	static const char *const lines[][3] = {
		{ "/sbin/my init\t-x", "/sbin/init", "/sbin/my|init|-x" },
		{ NULL, "/sbin/init", "/sbin/init" },
		{ " a  \xff b ", "/sbin/init", "a|b" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(lines); i++) {
		_cleanup_free_ char *process = NULL;
		struct insp_start *s;

		assert_int_equal(oci_process_of_command(lines[i][0], lines[i][1], &process), 0);
		s = read_process(process);
		is_words(s->argv, lines[i][2]);
		insp_start_free(s);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_process_is_read_whole),
		cmocka_unit_test(capabilities_are_those_named_and_not_dropped),
		cmocka_unit_test(ids_that_are_none_are_refused_not_root),
		cmocka_unit_test(more_words_than_a_command_has_are_refused),
		cmocka_unit_test(other_types_than_expected_are_unknown),
		cmocka_unit_test(an_image_starts_its_entrypoint_with_its_command),
		cmocka_unit_test(a_docker_record_says_what_is_started_and_as_whom),
		cmocka_unit_test(what_docker_adds_and_drops_is_told),
		cmocka_unit_test(without_a_hostconfig_no_capability_is_known),
		cmocka_unit_test(dockers_security_options_are_read),
		cmocka_unit_test(a_specification_is_taken_as_it_is),
		cmocka_unit_test(what_an_engine_keeps_beside_it_is_added),
		cmocka_unit_test(a_command_line_is_split_at_blanks),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
