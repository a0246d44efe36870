/*
 * The data of a file while somebody may be writing to it. The archive's header has promised a size: what the file has
 * more is left out, what it lacks by then is zeros, and said.
 */
#include "libinspect/rootfs/export.h"

#include "libinspect/base/io.h"
#include "libinspect/base/util.h"

/* Drops the holes that are smaller than least: their neighbours become one extent. */
static void coarsen(struct export_map *map, uint64_t least)
{
	size_t n = 0;

	for (size_t i = 0; i < map->n; i++) {
		struct export_extent *last = n ? &map->extents[n - 1] : NULL;
		const struct export_extent *e = &map->extents[i];

		if (last && e->offset - (last->offset + last->len) < least)
			last->len = e->offset + e->len - last->offset;
		else
			map->extents[n++] = *e;
	}
	map->n = n;
}

int export_map_read(int fd, uint64_t size, struct export_map *ret)
{
	struct export_map map = { .size = size };
	uint64_t least = 1, end = 0;

	map.extents = calloc(EXPORT_EXTENTS_MAX, sizeof(*map.extents));
	if (!map.extents)
		return -ENOMEM;
	while (end < size) {
		off_t data = lseek(fd, (off_t)end, SEEK_DATA), hole;

		if (data < 0 && errno == ENXIO)
			break;
		hole = data < 0 ? -1 : lseek(fd, data, SEEK_HOLE);
		if (hole <= data) { /* it is not told, or changed meanwhile: the rest is read */
			data = (off_t)end;
			hole = (off_t)size;
		}
		if ((uint64_t)data >= size)
			break;
		end = MIN_OF((uint64_t)hole, size);
		map.extents[map.n++] =
			(struct export_extent){ (uint64_t)data, end - (uint64_t)data };
		if (map.n == EXPORT_EXTENTS_MAX)
			for (; map.n > EXPORT_EXTENTS_MAX / 2; least *= 2)
				coarsen(&map, least);
	}
	map.sparse = map.n != 1 || map.extents[0].len != size;
	*ret = map;
	return 0;
}

static int put(struct export *x, const char *data, size_t len)
{
	while (len > 0) {
		la_ssize_t n = archive_write_data(x->archive, data, len);

		if (n <= 0)
			return export_archive_failed(x, "write");
		data += n;
		len -= (size_t)n;
	}
	return 0;
}

/* Holes are counted by libarchive and never looked at. */
static int put_hole(struct export *x, uint64_t len)
{
	int r = 0;

	for (; len > 0 && r == 0; len -= MIN_OF(len, EXPORT_ZEROS))
		r = put(x, x->zeros, (size_t)MIN_OF(len, EXPORT_ZEROS));
	return r;
}

/* *lost: it was told that bytes are missing. */
static int put_extent(struct export *x, int fd, struct export_extent e, const char *path,
		      bool *lost)
{
	int r = 0;

	while (e.len > 0 && r == 0) {
		size_t want = (size_t)MIN_OF(e.len, EXPORT_BLOCK);
		ssize_t got = *lost ? 0 : io_pread_full(fd, x->block, want, e.offset);

		if (got < (ssize_t)want) {
			if (!*lost && got < 0)
				export_warn(x, (int)got, path, "read");
			else if (!*lost)
				export_warn(x, -ESTALE, path,
					    "became shorter while it was read, zeros are put");
			*lost = true;
			memset(x->block + MAX_OF(got, 0), 0, want - (size_t)MAX_OF(got, 0));
		}
		r = put(x, x->block, want);
		e.offset += want;
		e.len -= want;
		if (r == 0)
			r = export_tell(x, path);
	}
	return r;
}

int export_data(struct export *x, int fd, const struct export_map *map, const char *path)
{
	struct export_extent all = { 0, map->size };
	uint64_t end = 0;
	bool lost = false;
	int r = 0;

	if (!map->sparse)
		return put_extent(x, fd, all, path, &lost);
	for (size_t i = 0; i < map->n && r == 0; i++) {
		const struct export_extent *e = &map->extents[i];

		r = put_hole(x, e->offset - end);
		if (r == 0)
			r = put_extent(x, fd, *e, path, &lost);
		end = e->offset + e->len;
	}
	/* also the last one: libarchive (3.6) writes the list of extents with the first data that it is given */
	return r < 0 ? r : put_hole(x, map->size - end);
}
