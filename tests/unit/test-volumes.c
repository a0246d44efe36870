/* What a stopped container's configuration mounts, found again on the host: a host below a temporary directory. */
#include "tests/unit/layers.h"

#include "libinspect/container/container.h"
#include "libinspect/rootfs/volumes.h"

struct world {
	struct insp_sys *sys;
	struct insp_container *c;
	struct insp_files *files;
	struct volumes v;
};

static void put_mount(struct world *w, const char *type, const char *source,
		      const char *destination)
{
	struct insp_mount m = { .type = (char *)type,
				.source = (char *)source,
				.destination = (char *)destination };

	assert_int_equal(container_add_mount(w->c, &m), 0);
}

static void world_up(const struct layers *l, struct world *w, uid_t owner)
{
	struct insp_sys_opts opts = { .root = l->base };

	put_dir(l, "store/0");
	put_dir(l, "store/1");
	put_file(l, "etc/passwd", "root:x:0:0::/:/bin/sh\nann:x:1000:1000::/:/bin/sh\n");
	put_file(l, "etc/subuid", "ann:100000:65536\n");
	assert_int_equal(insp_sys_open(&opts, &w->sys, NULL), 0);
	w->c = container_new("test", "c");
	w->c->owner = owner;
	assert_int_equal(container_set(&w->c->name, "c"), 0);
	assert_int_equal(container_set(&w->c->store, "/store"), 0);
	w->c->layers = container_layers_new(INSP_ROOT_OVERLAY);
	assert_int_equal(container_set(&w->c->layers->upper, "/store/0"), 0);
	assert_int_equal(container_layers_add(w->c->layers, "/store/1"), 0);
}

static void world_open(struct world *w)
{
	struct insp_err err = { 0 };

	if (insp_files_open(w->sys, w->c, INSP_FILES_LAYERS, &w->files, &err) < 0)
		fail_msg("%s", err.text);
	assert_int_equal(volumes_open(w->files, false, &w->v), 0);
}

static void world_down(struct world *w)
{
	volumes_close(&w->v);
	insp_files_close(w->files);
	insp_container_free(w->c);
	insp_sys_close(w->sys);
}

/* "PATH: what is in the file", "PATH/" of a directory, or the error's name. */
static const char *look(const struct world *w, const char *path)
{
	static char text[PATH_MAX];
	_cleanup_path_at_ struct path_at at = { 0 };
	_cleanup_close_ int fd = -EBADF;
	int r = volumes_resolve(&w->files->view, &w->v, path, PATH_FOLLOW, &at);
	ssize_t n;

	if (r == 0 && !at.exists)
		r = -ENOENT;
	if (r == 0 && (!at.name || S_ISDIR(at.node.st.st_mode))) {
		snprintf(text, sizeof(text), "%s/", at.path);
		return text;
	}
	if (r == 0)
		r = view_open(&at.dir, at.name, &at.node, &fd);
	if (r < 0)
		return strerrorname_np(-r);
	n = snprintf(text, sizeof(text), "%s: ", at.path);
	n += read(fd, text + n, sizeof(text) - 1 - (size_t)n);
	text[n] = '\0';
	return text;
}

static void a_path_ends_in_the_volume(void **state)
{
	struct layers *l = *state;
	struct world w = { 0 };

	world_up(l, &w, 0);
	put_file(l, "store/1/data/covered", "below");
	put_file(l, "store/1/etc/app.conf", "below");
	put_file(l, "store/1/outside", "layer");
	put_link(l, "store/1/var/run", "/run");
	put_dir(l, "store/1/run");
	put_link(l, "store/1/todata", "data/in");
	put_file(l, "vol/one/in", "one");
	put_file(l, "vol/one/sub/covered", "one");
	put_file(l, "vol/two/in", "two");
	put_link(l, "vol/one/out", "/outside");
	put_link(l, "vol/one/up", "../etc/app.conf");
	put_link(l, "vol/one/host", "/vol/two/in");
	put_file(l, "conf/host.conf", "host");
	put_dir(l, "srv");
	put_link(l, "srv/three", "../vol/two");
	put_mount(&w, "volume", "/vol/two", "/data/sub");
	put_mount(&w, "volume", "/vol/one", "/data");
	put_mount(&w, "bind", "/conf/host.conf", "/etc/app.conf");
	put_mount(&w, "bind", "/vol/two", "/var/run/app/");
	put_mount(&w, "tmpfs", NULL, "/tmp");
	put_mount(&w, "bind", "/nothing", "/gone");
	put_mount(&w, "bind", "/srv/three", "three");
	put_dir(l, "store/1/tmp");
	world_open(&w);

	assert_string_equal(look(&w, "/data"), "/data/");
	assert_string_equal(look(&w, "/data/in"), "/data/in: one");
	assert_string_equal(look(&w, "/data/covered"), "ENOENT");
	assert_string_equal(look(&w, "todata"), "/data/in: one");
	assert_string_equal(look(&w, "/data/sub/in"), "/data/sub/in: two");
	assert_string_equal(look(&w, "/data/sub/covered"), "ENOENT");
	assert_string_equal(look(&w, "/data/sub/../in"), "/data/in: one");
	assert_string_equal(look(&w, "/etc/app.conf"), "/etc/app.conf: host");
	assert_string_equal(look(&w, "/etc/app.conf/"), "ENOTDIR");
	assert_string_equal(look(&w, "/run/app/in"), "/run/app/in: two");
	assert_string_equal(look(&w, "/var/run/app/in"), "/run/app/in: two");
	assert_string_equal(look(&w, "/three/in"), "/three/in: two");
	/* links of a volume are the container's */
	assert_string_equal(look(&w, "/data/out"), "/outside: layer");
	assert_string_equal(look(&w, "/data/up"), "/etc/app.conf: host");
	assert_string_equal(look(&w, "/data/host"), "ENOENT");
	assert_string_equal(look(&w, "/data/../../.."), "//");
	assert_string_equal(look(&w, "/tmp/x"), "ENODATA");
	assert_string_equal(look(&w, "/gone"), "ENOENT");
	assert_string_equal(look(&w, "/outside"), "/outside: layer");
	world_down(&w);
}

static void a_volume_is_known_by_its_path(void **state)
{
	struct layers *l = *state;
	struct world w = { 0 };
	_cleanup_view_dir_ struct view_dir dir = { 0 };

	world_up(l, &w, 0);
	put_file(l, "vol/one/in", "one");
	put_file(l, "vol/two/in", "two");
	put_mount(&w, "volume", "/vol/one", "/data");
	put_mount(&w, "volume", "/vol/two", "//data/");
	put_mount(&w, "volume", "/vol/one", "/a/b/../c");
	world_open(&w);
	/* the last one on a place is the one that is seen */
	assert_int_equal(w.v.n, 2);
	assert_string_equal(w.v.items[0].path, "/data");
	assert_string_equal(w.v.items[0].mount->source, "/vol/two");
	assert_ptr_equal(volumes_at(&w.v, "/data"), &w.v.items[0]);
	assert_ptr_equal(volumes_at(&w.v, "/a/c"), &w.v.items[1]);
	assert_null(volumes_at(&w.v, "/dat"));
	assert_int_equal(view_root(&w.v.items[1].view, 0, &dir), 0);
	assert_ptr_equal(volumes_of(&w.v, &dir), &w.v.items[1]);
	world_down(&w);
}

/* Its user's word is believed of that user's files only. */
static void a_users_record_names_its_users_files_only(void **state)
{
	struct layers *l = *state;
	struct world w = { 0 };

	NEED_ROOT();
	world_up(l, &w, 1000);
	put_file(l, "root/secret", "secret");
	put_file(l, "home/ann/own", "own");
	put_file(l, "home/ann/subuids/x", "sub");
	put_file(l, "home/ann/mine/in", "mine");
	put_link(l, "home/ann/a/b/c/link", "/root");
	put_link(l, "home/ann/link", "/home/ann/mine");
	for (size_t i = 0; i < 3; i++)
		assert_int_equal(fchownat(l->fd,
					  i == 0   ? "store"
					  : i == 1 ? "home/ann/own"
						   : "home/ann/mine",
					  1000, 1000, 0),
				 0);
	assert_int_equal(fchownat(l->fd, "home/ann/subuids", 100999, 1000, 0), 0);
	put_mount(&w, "bind", "/root", "/root");
	put_mount(&w, "bind", "/root/secret", "/secret");
	put_mount(&w, "bind", "/etc/passwd", "/passwd");
	put_mount(&w, "bind", "/home/ann/a/b/c/link", "/link");
	put_mount(&w, "bind", "/home/ann/a/b/c/link/secret", "/linked");
	put_mount(&w, "bind", "/home/ann/mine/../../../root", "/up");
	put_mount(&w, "bind", "/home/ann/own", "/own");
	put_mount(&w, "volume", "/home/ann/subuids", "/subuids");
	put_mount(&w, "bind", "/home/ann/mine", "/mine");
	world_open(&w);
	assert_string_equal(look(&w, "/root/secret"), "EPERM");
	assert_string_equal(look(&w, "/secret"), "EPERM");
	assert_string_equal(look(&w, "/passwd"), "EPERM");
	assert_string_equal(look(&w, "/link/secret"), "ELOOP");
	assert_string_equal(look(&w, "/linked"), "ENOTDIR");
	assert_string_equal(look(&w, "/up/secret"), "EPERM");
	assert_string_equal(look(&w, "/own"), "/own: own");
	assert_string_equal(look(&w, "/subuids/x"), "/subuids/x: sub");
	assert_string_equal(look(&w, "/mine/in"), "/mine/in: mine");
	world_down(&w);
}

int main(void)
{
#define LAYERS_TEST(f) cmocka_unit_test_setup_teardown(f, layers_up, layers_down)
	const struct CMUnitTest tests[] = {
		LAYERS_TEST(a_path_ends_in_the_volume),
		LAYERS_TEST(a_volume_is_known_by_its_path),
		LAYERS_TEST(a_users_record_names_its_users_files_only),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
