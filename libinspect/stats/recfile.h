/*
 * A recording of samples. docs/formats/ctop-recording.md has it byte by byte.
 *
 * A file is a head and frames; a frame is its length, its checksum, and a payload. A frame names a container once, by all that is
 * known of it, and by a number from then on; its numbers are differences from its frame before. So a frame is worth nothing
 * without those before it, back to one that begins anew. What a crash has left of the last one does not fit its checksum: the
 * recording ends before it.
 */
#ifndef SONDE_STATS_RECFILE_H
#define SONDE_STATS_RECFILE_H

#include "libinspect/base/str.h"
#include "libinspect/stats.h"

#define REC_MAGIC	   "sonde-ctop\n"
#define REC_MAGIC_LEN	   11
#define REC_VERSION	   1
#define REC_HEAD_LEN	   12 /* the magic and a byte of version */
#define REC_FRAME_HEAD	   8
#define REC_PAYLOAD_MAX	   (32 * 1024 * 1024)
#define REC_IDENTITIES_MAX 65536
#define REC_ITEMS_MAX	   65536
#define REC_STRING_MAX	   4096
#define REC_ANEW	   1 /* flag of a frame: identities begin anew */

/* One container as the file knows it: number i is the i-th that was named. */
struct rec_identity {
	struct insp_container *c;
	char *engine; /* c->engine points to it */
	struct insp_sample last;
};
struct rec_identities {
	struct rec_identity *items;
	size_t n, cap;
};
void rec_identities_clear(struct rec_identities *all);

uint32_t rec_checksum(const void *bytes, size_t len);
/* One frame's payload -> ret: items and ended are of replay's arrays. -EBADMSG: it makes no sense. */
struct rec_frame {
	struct insp_fleet_item *items;
	struct insp_container **ended;
	size_t cap_items, cap_ended;
};
int rec_decode(const uint8_t *payload, size_t len, struct rec_identities *all,
	       struct rec_frame *frame, struct insp_moment *ret);
void rec_frame_clear(struct rec_frame *frame);
/* The other way round. *hint: where the last identity was found. */
int rec_encode(const struct insp_moment *moment, bool anew, struct rec_identities *all,
	       struct strbuf *out);

#endif
