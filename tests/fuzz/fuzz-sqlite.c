/*
 * A SQLite database, hostile, with and without a log beside it: the first byte says how much of the rest (in 256ths) is a
 * log, the second which kind.
 */
#include "libinspect/base/sqlite.h"
#include "libinspect/base/util.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define IMAGE_MAX (4 * 1024 * 1024)

static int see(void *userdata, const struct sqlite_value *v)
{
	size_t *sum = userdata;

	for (size_t i = 0; i < 2; i++)
		if (v[i].data && v[i].data[v[i].len] != '\0')
			__builtin_trap();
	*sum += v[0].len + v[1].len;
	return 0;
}

static void read_tables(const char *data, size_t len)
{
	static const char *const columns[] = { "ID", "JSON", NULL };
	_cleanup_sqlite_ struct sqlite *db = NULL;
	size_t sum = 0;

	if (sqlite_parse(data, len, &db, NULL) < 0)
		return;
	(void)sqlite_each(db, "ContainerConfig", columns, see, &sum, NULL);
	(void)sqlite_each(db, "ContainerState", columns, see, &sum, NULL);
	if (sum > 4 * len)
		__builtin_trap();
}

static void with_log(const char *data, size_t len, size_t log_len, bool wal)
{
	_cleanup_io_buf_ struct io_buf image = { 0 }, log = { 0 };
	int r;

	image.len = len - log_len;
	image.data = malloc(image.len + 1);
	log.len = log_len;
	log.data = malloc(log_len + 1);
	if (!image.data || !log.data)
		return;
	memcpy(image.data, data, image.len);
	memcpy(log.data, data + image.len, log.len);
	r = wal ? sqlite_redo(&image, &log, IMAGE_MAX) : sqlite_undo(&image, &log, IMAGE_MAX);
	if (r == 0)
		read_tables(image.data, image.len);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *p = (const char *)data + 2;

	if (size < 2)
		return 0;
	size -= 2;
	if (data[0] == 0)
		read_tables(p, size);
	else
		with_log(p, size, size * data[0] / 256, data[1] & 1);
	return 0;
}
