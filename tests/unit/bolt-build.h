/* Makes small bolt files for tests: pages written one by one, sound or damaged on purpose. */
#ifndef SONDE_TESTS_BOLT_BUILD_H
#define SONDE_TESTS_BOLT_BUILD_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "libinspect/base/util.h"

#define BB_PAGE	  512
#define BB_BRANCH 1
#define BB_LEAF	  2
#define BB_META	  4

struct bb {
	char *data;
	size_t pages;
};

static inline void bb_put32(char *p, uint32_t v)
{
	memcpy(p, &v, sizeof(v));
}

static inline void bb_put64(char *p, uint64_t v)
{
	memcpy(p, &v, sizeof(v));
}

static inline char *bb_page(const struct bb *b, size_t page)
{
	return b->data + page * BB_PAGE;
}

static inline uint64_t bb_sum(const char *p, size_t len)
{
	uint64_t h = 0xcbf29ce484222325u;

	for (size_t i = 0; i < len; i++)
		h = (h ^ (unsigned char)p[i]) * 0x100000001b3u;
	return h;
}

static inline void bb_header(char *p, uint64_t id, uint16_t flags, uint16_t count,
			     uint32_t overflow)
{
	bb_put64(p, id);
	memcpy(p + 8, &flags, sizeof(flags));
	memcpy(p + 10, &count, sizeof(count));
	bb_put32(p + 12, overflow);
}

/* Meta page 0 or 1 at p: 80 bytes. */
static inline void bb_meta(char *p, uint64_t which, uint64_t root, uint64_t high, uint64_t txid)
{
	bb_header(p, which, BB_META, 0, 0);
	bb_put32(p + 16, 0xED0CDAEDu);
	bb_put32(p + 20, 2);
	bb_put32(p + 24, BB_PAGE);
	bb_put32(p + 28, 0);
	bb_put64(p + 32, root);
	bb_put64(p + 40, 0);
	bb_put64(p + 48, 0);
	bb_put64(p + 56, high);
	bb_put64(p + 64, txid);
	bb_put64(p + 72, bb_sum(p + 16, 56));
}

struct bb_entry {
	const char *key;
	const void *value; /* bucket: its header and inline page */
	size_t len;
	bool bucket;
};

/* A leaf page at p; n_pages with its overflow. Returns its bytes. */
static inline size_t bb_leaf(char *p, uint64_t id, uint32_t overflow, const struct bb_entry *e,
			     size_t n)
{
	size_t at = 16 + n * 16;

	bb_header(p, id, BB_LEAF, (uint16_t)n, overflow);
	for (size_t i = 0; i < n; i++) {
		char *el = p + 16 + i * 16;
		size_t klen = strlen(e[i].key);

		bb_put32(el, e[i].bucket);
		bb_put32(el + 4, (uint32_t)(at - 16 - i * 16));
		bb_put32(el + 8, (uint32_t)klen);
		bb_put32(el + 12, (uint32_t)e[i].len);
		memcpy(p + at, e[i].key, klen);
		memcpy(p + at + klen, e[i].value, e[i].len);
		at += klen + e[i].len;
	}
	return at;
}

static inline void bb_branch(char *p, uint64_t id, const char *const *keys,
			     const uint64_t *children, size_t n)
{
	size_t at = 16 + n * 16;

	bb_header(p, id, BB_BRANCH, (uint16_t)n, 0);
	for (size_t i = 0; i < n; i++) {
		char *el = p + 16 + i * 16;

		bb_put32(el, (uint32_t)(at - 16 - i * 16));
		bb_put32(el + 4, (uint32_t)strlen(keys[i]));
		bb_put64(el + 8, children[i]);
		memcpy(p + at, keys[i], strlen(keys[i]));
		at += strlen(keys[i]);
	}
}

static inline struct bb bb_new(size_t pages)
{
	struct bb b = { calloc(pages, BB_PAGE), pages };

	assert_non_null(b.data);
	return b;
}

static inline void bb_free(struct bb *b)
{
	free(b->data);
}

/*
 * A sound file: root leaf (page 2) with an inline bucket "in" {a=1, b=two}, a value "plain", and a bucket "tree" whose
 * root is a branch (3) over leaves 4 {k00=v, k10=v} and 5 (with one overflow page) {k20=600 bytes of x}.
 */
static inline struct bb bb_sound(void)
{
	static char inlined[16 + 256], tree[16], big[600];
	struct bb_entry in[] = { { "a", "1", 1, false }, { "b", "two", 3, false } };
	struct bb b = bb_new(7);
	size_t in_len;

	memset(inlined, 0, sizeof(inlined));
	memset(tree, 0, sizeof(tree));
	memset(big, 'x', sizeof(big));
	in_len = 16 + bb_leaf(inlined + 16, 0, 0, in, 2);
	bb_put64(tree, 3);
	struct bb_entry root[] = { { "in", inlined, in_len, true },
				   { "plain", "value", 5, false },
				   { "tree", tree, 16, true } };
	struct bb_entry low[] = { { "k00", "v0", 2, false }, { "k10", "v1", 2, false } };
	struct bb_entry high[] = { { "k20", big, sizeof(big), false } };

	bb_meta(bb_page(&b, 0), 0, 2, 7, 8);
	bb_meta(bb_page(&b, 1), 1, 2, 7, 7);
	bb_leaf(bb_page(&b, 2), 2, 0, root, 3);
	bb_branch(bb_page(&b, 3), 3, (const char *[]){ "k00", "k20" }, (uint64_t[]){ 4, 5 }, 2);
	bb_leaf(bb_page(&b, 4), 4, 0, low, 2);
	bb_leaf(bb_page(&b, 5), 5, 1, high, 1);
	return b;
}

#endif
