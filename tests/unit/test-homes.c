/* Opening in homes: which mounts may never answer, and a child that waits for one (a FIFO here; dead-home.sh has FUSE). */
#include "docker-store.h"

#include "libinspect/base/slowopen.h"
#include "libinspect/engines/homes.h"

#include <sys/wait.h>

#define DEADLINE_MS 300 /* a busy machine answers in that, too */

static void mounts_of_servers_may_stall(void **state)
{
	static const struct {
		const char *line;
		bool for_root, for_user;
	} cases[] = {
		{ "30 1 8:1 / /home rw - ext4 /dev/sda1 rw", false, false },
		{ "30 1 0:9 / /home rw - nfs4 server:/home rw,vers=4.2,hard", true, true },
		{ "30 1 0:9 / /home rw - autofs systemd-1 rw,fd=55", true, true },
		{ "30 1 0:9 / /mnt rw - cifs //server/x rw", true, true },
		{ "30 1 0:9 / / rw - nfs4 server:/root rw", false, false },
		{ "30 1 0:9 / /s rw - fuse.sshfs s: rw,user_id=0,group_id=0", true, false },
		{ "30 1 0:9 / /s rw - fuse.sshfs s: rw,user_id=1000,group_id=1000", false, true },
		{ "30 1 0:9 / /s rw - fuse s rw,user_id=7,group_id=7,allow_other", true, true },
		{ "30 1 0:9 / /s rw - fusectl fusectl rw", false, false },
		{ "30 1 0:9 / /s rw - nfsd nfsd rw", false, false },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		_cleanup_mount_table_ struct mount_table t = { 0 };

		assert_int_equal(mountinfo_parse(cases[i].line, strlen(cases[i].line), &t), 0);
		assert_int_equal(t.n, 1);
		if (homes_may_stall(&t.items[0], 0) != cases[i].for_root ||
		    homes_may_stall(&t.items[0], 1000) != cases[i].for_user)
			fail_msg("%s", cases[i].line);
	}
}

static int open_and_close(struct slowopen *s, const char *path, int flags)
{
	struct slowopen_dev dev;
	int fd = slowopen_open(s, path, flags, &dev);

	if (fd < 0)
		return fd;
	assert_int_equal(fcntl(fd, F_GETFD), FD_CLOEXEC);
	close(fd);
	return 0;
}

static void a_child_opens_and_hands_over(void **state)
{
	struct host h = host_make();
	struct slowopen *s = slowopen_new(h.fd, DEADLINE_MS * 20);
	_cleanup_io_buf_ struct io_buf b = { 0 };
	struct slowopen_dev dev;
	int fd;

	host_write(&h, "dir/file", "text");
	fd = slowopen_open(s, "dir/file", SLOWOPEN_REGULAR, &dev);
	assert_true(fd >= 0);
	assert_int_equal(io_read_fd(fd, 100, &b), 0);
	assert_string_equal(b.data, "text");
	close(fd);
	assert_int_equal(open_and_close(s, "dir", O_RDONLY | O_DIRECTORY), 0);
	assert_int_equal(open_and_close(s, "dir", SLOWOPEN_REGULAR), -EBADF);
	assert_int_equal(open_and_close(s, "dir/none", SLOWOPEN_REGULAR), -ENOENT);
	assert_int_equal(open_and_close(s, "dir/file", O_RDONLY | O_DIRECTORY), -ENOTDIR);
	slowopen_free(s);
	host_remove(&h);
}

static void one_that_is_late_is_left_behind(void **state)
{
	struct host h = host_make();
	struct slowopen *s = slowopen_new(h.fd, DEADLINE_MS);
	int64_t begin;
	pid_t left;

	host_write(&h, "file", "text");
	assert_int_equal(mkfifoat(h.fd, "fifo", 0600), 0);
	for (int i = 0; i < 8; i++) {
		begin = io_now_ms();
		assert_int_equal(open_and_close(s, "fifo", O_RDONLY), -ETIMEDOUT);
		assert_in_range(io_now_ms() - begin, DEADLINE_MS, 20 * DEADLINE_MS);
		if (i < 7)
			assert_int_equal(open_and_close(s, "file", SLOWOPEN_REGULAR), 0);
	}
	/* enough of them */
	begin = io_now_ms();
	assert_int_equal(open_and_close(s, "file", SLOWOPEN_REGULAR), -ETIMEDOUT);
	assert_true(io_now_ms() - begin < DEADLINE_MS);
	slowopen_free(s);
	/* they were killed, all of them; a busy machine may take more than what slowopen_free() waits to end them */
	begin = io_now_ms();
	while ((left = waitpid(-1, NULL, WNOHANG | __WALL)) >= 0 &&
	       io_now_ms() - begin < 20 * DEADLINE_MS)
		usleep(1000);
	assert_int_equal(left, -1);
	assert_int_equal(errno, ECHILD);
	host_remove(&h);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(mounts_of_servers_may_stall),
		cmocka_unit_test(a_child_opens_and_hands_over),
		cmocka_unit_test(one_that_is_late_is_left_behind),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
