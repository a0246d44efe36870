/* systemd-nspawn's command lines, settings and trees. No machine runs. */
#include "docker-store.h"
#include "prereq.h"

#include "libinspect/engines/nspawn/nspawn.h"

#include <sys/stat.h>

#define WANT (INSP_WANT_STOPPED | INSP_WANT_DETAIL | INSP_WANT_FILES)

static struct insp_list list_host(const struct host *h, struct insp_diags *diags)
{
	struct insp_sys *sys = host_open(h);
	struct insp_list list = { 0 };

	assert_int_equal(insp_list(sys, WANT, &list, diags, NULL), 0);
	insp_sys_close(sys);
	return list;
}

/* text: arguments with a NUL behind each */
#define PARSE(text, o) nspawn_args_parse(text, sizeof(text) - 1, o)

static void options_are_taken_as_getopt_takes_them(void **state)
{
	_cleanup_nspawn_options_ struct nspawn_options a = { 0 }, b = { 0 }, c = { 0 };

	assert_int_equal(PARSE("systemd-nspawn\0-qxD\0/t\0--mach\0web\0--volat\0sh\0-M\0no\0", &a),
			 0);
	assert_string_equal(a.directory, "/t");
	assert_string_equal(a.machine, "web");
	assert_true(a.ephemeral);
	assert_int_equal(a.is_volatile, NSPAWN_VOLATILE_YES);
	assert_string_equal(a.command, "sh -M no");
	assert_int_equal(PARSE("x\0-D/t\0--volatile=overlay\0--image=/i.raw\0--\0-M\0", &b), 0);
	assert_string_equal(b.directory, "/t");
	assert_string_equal(b.image, "/i.raw");
	assert_null(b.machine);
	assert_int_equal(b.is_volatile, NSPAWN_VOLATILE_OVERLAY);
	assert_string_equal(b.command, "-M");
	/* an option's argument that looks like an option */
	assert_int_equal(PARSE("x\0--setenv\0--machine=evil\0-E\0-Mevil\0-Mgood\0", &c), 0);
	assert_string_equal(c.machine, "good");
}

static void what_nspawn_refuses_is_refused(void **state)
{
	struct nspawn_options o = { 0 };

	assert_int_equal(PARSE("x\0--no-such\0", &o), -EBADMSG);
	assert_int_equal(PARSE("x\0--pri\0", &o), -EBADMSG); /* several begin so */
	assert_int_equal(PARSE("x\0--quiet=1\0", &o), -EBADMSG);
	assert_int_equal(PARSE("x\0--machine\0", &o), -EBADMSG);
	assert_int_equal(PARSE("x\0-D\0", &o), -EBADMSG);
	assert_int_equal(PARSE("x\0-y\0", &o), -EBADMSG);
	assert_int_equal(nspawn_args_parse("", 0, &o), 0);
	assert_null(o.machine);
}

static void mounts_are_told(void **state)
{
	_cleanup_nspawn_options_ struct nspawn_options o = { 0 };
	struct insp_container *c = container_new("nspawn", "x");

	assert_int_equal(PARSE("x\0--bind=/a\\:b:/c:norbind\0--bind-ro\0-/d\0--tmpfs=/t:mode=1\0"
			       "--bind=+/in:/side\0--bind=:/fresh\0--bind=rel\0",
			       &o),
			 0);
	assert_int_equal(nspawn_add_mounts(&o, c), 0);
	assert_int_equal(c->n_mounts, 5);
	assert_string_equal(c->mounts[0].source, "/a:b");
	assert_string_equal(c->mounts[0].destination, "/c");
	assert_false(c->mounts[0].read_only);
	assert_string_equal(c->mounts[1].source, "/d");
	assert_string_equal(c->mounts[1].destination, "/d");
	assert_true(c->mounts[1].read_only);
	assert_string_equal(c->mounts[2].type, "tmpfs");
	assert_null(c->mounts[3].source);
	assert_string_equal(c->mounts[3].destination, "/side");
	assert_null(c->mounts[4].source);
	assert_string_equal(c->mounts[4].destination, "/fresh");
	insp_container_free(c);
}

static void trees_and_images_are_machines(void **state)
{
	struct insp_diags diags = { 0 };
	struct host h = host_make();
	const struct insp_container *c;
	struct insp_list list;

	host_mkdirs(&h, "var/lib/machines/web/etc");
	host_mkdirs(&h, "var/lib/machines/.#webabc");
	host_mkdirs(&h, "var/lib/machines/a b");
	host_write(&h, "var/lib/machines/disk.raw", "");
	host_write(&h, "var/lib/machines/.raw", "");
	host_write(&h, "var/lib/machines/notes.txt", "");
	host_mkdirs(&h, "elsewhere");
	assert_int_equal(symlinkat("/elsewhere", h.fd, "var/lib/machines/link"), 0);
	assert_int_equal(mkfifoat(h.fd, "var/lib/machines/fifo.raw", 0600), 0);
	host_write(&h, "etc/systemd/nspawn/web.nspawn",
		   "[Exec]\nHostname=inside\nParameters=sh -c x\n[Network]\nBind=/no\n"
		   "[Files]\n; c\nBindReadOnly=/srv:/mnt\n");
	/* what came with an image may not mount */
	host_write(&h, "var/lib/machines/disk.nspawn", "[Files]\nBind=/etc/shadow\n");
	list = list_host(&h, &diags);
	assert_int_equal(diags.n, 0);
	assert_int_equal(list.n, 2);
	c = find_name(&list, "web");
	assert_string_equal(c->engine, "nspawn");
	assert_int_equal(c->state, INSP_STATE_EXITED);
	assert_int_equal(c->created, 0);
	assert_null(c->image);
	assert_string_equal(c->hostname, "inside");
	assert_string_equal(c->command, "sh -c x");
	assert_int_equal(c->layers->kind, INSP_ROOT_DIR);
	assert_string_equal(c->layers->upper, "/var/lib/machines/web");
	assert_int_equal(c->n_mounts, 1);
	assert_true(c->mounts[0].read_only);
	c = find_name(&list, "disk");
	assert_null(c->layers);
	assert_int_equal(c->n_mounts, 0);
	insp_list_clear(&list);
	host_remove(&h);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(options_are_taken_as_getopt_takes_them),
		cmocka_unit_test(what_nspawn_refuses_is_refused),
		cmocka_unit_test(mounts_are_told),
		cmocka_unit_test(trees_and_images_are_machines),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
