/* OpenVZ's containers by their documented configuration files. */
#include "tests/unit/docker-store.h"

#include "libinspect/engines/openvz.h"

#define WANT (INSP_WANT_STOPPED | INSP_WANT_DETAIL | INSP_WANT_FILES)
#define UUID "2f3c9d3e-1a2b-4c5d-8e9f-0123456789ab"

static void a_configuration_is_a_container(void **state)
{
	struct insp_diags diags = { 0 };
	struct host h = host_make();
	const struct insp_container *c;
	struct insp_list list;

	host_write(&h, "etc/vz/vz.conf", "VE_PRIVATE=/data/private/$VEID\n");
	host_write(&h, "etc/vz/conf/101.conf",
		   "# made by hand\nONBOOT=\"yes\"\nNAME=\"web\"\nHOSTNAME=\"web.example\"\n"
		   "OSTEMPLATE=\"debian-8.0-x86_64\"\nVE_ROOT=\"/vz/root/$VEID\"\n"
		   "IP_ADDRESS=\"10.0.0.2 fd00::2/64\"\nBROKEN=\"x\n");
	host_mkdirs(&h, "data/private/101/etc");
	host_write(&h, "etc/vz/conf/102.conf", "OSTEMPLATE=centos-6\nVE_LAYOUT=\"ploop\"\n");
	host_mkdirs(&h, "data/private/102/root.hdd");
	/* the host's own, a sample, nothing of a container */
	host_write(&h, "etc/vz/conf/0.conf", "ONBOOT=\"no\"\n");
	host_write(&h, "etc/vz/conf/ve-basic.conf-sample", "ONBOOT=\"no\"\n");
	host_write(&h, "etc/vz/conf/abc.conf", "ONBOOT=\"no\"\n");
	/* Virtuozzo 7 */
	host_write(&h, "vz/private/" UUID "/ve.conf",
		   "NAME=\"new\"\nVE_PRIVATE=\"/vz/private/$VEID\"\n");
	host_mkdirs(&h, "vz/private/" UUID "/fs");
	assert_int_equal(
		symlinkat("/vz/private/" UUID "/ve.conf", h.fd, "etc/vz/conf/" UUID ".conf"), 0);
	list = host_list(&h, WANT, &diags);
	assert_int_equal(diags.n, 0);
	assert_int_equal(list.n, 3);
	c = find_name(&list, "web");
	assert_string_equal(c->engine, "openvz");
	assert_string_equal(c->id, "101");
	assert_string_equal(c->image, "debian-8.0-x86_64");
	assert_string_equal(c->hostname, "web.example");
	assert_string_equal(c->rootfs, "/vz/root/101");
	assert_string_equal(c->layers->upper, "/data/private/101");
	assert_int_equal(c->n_addresses, 2);
	assert_string_equal(c->addresses[1], "fd00::2");
	assert_int_equal(c->state, INSP_STATE_EXITED);
	assert_null(find_name(&list, "102")->layers);
	assert_string_equal(find_name(&list, "new")->layers->upper, "/vz/private/" UUID "/fs");
	insp_list_clear(&list);
	host_remove(&h);
}

static void what_cannot_be_read_is_named(void **state)
{
	struct insp_diags diags = { 0 };
	struct host h = host_make();
	struct insp_list list;

	host_write(&h, "etc/vz/conf/101.conf", "NAME=\"web\"\n");
	assert_int_equal(mkfifoat(h.fd, "etc/vz/conf/102.conf", 0600), 0);
	assert_int_equal(symlinkat("/nowhere", h.fd, "etc/vz/conf/103.conf"), 0);
	list = host_list(&h, WANT, &diags);
	assert_int_equal(list.n, 1);
	assert_int_equal(diags.n, 2);
	insp_list_clear(&list);
	insp_diags_clear(&diags);
	host_remove(&h);
}

static void the_kernels_tables_are_read(void **state)
{
	static const char veinfo[] = "Version: 2.5\n         1010     0    17 10.0.0.2\n"
				     "        101     0    17\n          0     0    80\n";
	static const char status[] =
		"Name:\tinit\nPid:\t4711\nenvID:\t101\nVPid:\t1\nTgid:\t4711\n";
	char ctid[8];
	bool init;

	assert_true(openvz_is_listed(veinfo, strlen(veinfo), "101"));
	assert_true(openvz_is_listed(veinfo, strlen(veinfo), "1010"));
	assert_false(openvz_is_listed(veinfo, strlen(veinfo), "10"));
	assert_true(openvz_parse_status(status, strlen(status), ctid, sizeof(ctid), &init));
	assert_string_equal(ctid, "101");
	assert_true(init);
	assert_false(openvz_parse_status(status, strlen(status), ctid, 3, &init));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_configuration_is_a_container),
		cmocka_unit_test(what_cannot_be_read_is_named),
		cmocka_unit_test(the_kernels_tables_are_read),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
