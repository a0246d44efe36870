/* Frames of a recording: numbers of seven bits a byte, the least first (LEB128), signed ones zigzag. */
#include "libinspect/stats/recfile.h"

#include "libinspect/base/util.h"

#include <inttypes.h>

/* FNV-1a: it has to tell a torn frame, not an enemy's. */
uint32_t rec_checksum(const void *bytes, size_t len)
{
	const uint8_t *p = bytes;
	uint32_t sum = 2166136261u;

	for (size_t i = 0; i < len; i++)
		sum = (sum ^ p[i]) * 16777619u;
	return sum;
}

/* ---- identities ---- */

static void identity_clear(struct rec_identity *id)
{
	insp_container_free(id->c);
	free(id->engine);
	*id = (struct rec_identity){ 0 };
}

void rec_identities_clear(struct rec_identities *all)
{
	for (size_t i = 0; i < all->n; i++)
		identity_clear(&all->items[i]);
	free(all->items);
	*all = (struct rec_identities){ 0 };
}

/* Appends a new one without strings; NULL: memory is out. */
static struct rec_identity *add_identity(struct rec_identities *all)
{
	struct rec_identity *id;

	if (!util_grow(&all->items, all->n, &all->cap, sizeof(*all->items), 64))
		return NULL;
	id = &all->items[all->n];
	*id = (struct rec_identity){ .c = calloc(1, sizeof(*id->c)) };
	if (!id->c)
		return NULL;
	id->c->exit_code = INSP_EXIT_UNSET;
	id->c->restarts = INSP_COUNT_UNSET;
	all->n++;
	return id;
}

void rec_frame_clear(struct rec_frame *frame)
{
	free(frame->items);
	free(frame->ended);
	*frame = (struct rec_frame){ 0 };
}

/* ---- writing ---- */

static void put(struct strbuf *out, uint64_t v)
{
	do {
		uint8_t byte = (uint8_t)(v & 0x7f) | (v > 0x7f ? 0x80 : 0);

		strbuf_add(out, &byte, 1);
		v >>= 7;
	} while (v);
}

static void put_signed(struct strbuf *out, int64_t v)
{
	put(out, ((uint64_t)v << 1) ^ (uint64_t)(v >> 63));
}

/* 0: none; else its length and one. */
static void put_string(struct strbuf *out, const char *s)
{
	size_t n = s ? strnlen(s, REC_STRING_MAX) : 0;

	put(out, s ? n + 1 : 0);
	if (n)
		strbuf_add(out, s, n);
}

static int64_t hundredths(double v)
{
	return v < 0 ? -1 : (int64_t)(v * 100 + 0.5);
}

static void put_host(struct strbuf *out, const struct insp_host_sample *h)
{
	for (size_t i = 0; i < 3; i++)
		put_signed(out, hundredths(h->load[i]));
	for (size_t i = 0; i < 3; i++)
		put_signed(out, hundredths(h->psi[i]));
	put_signed(out, h->mem_total);
	put_signed(out, h->mem_available);
	put_signed(out, h->swap_total);
	put_signed(out, h->swap_free);
	put_signed(out, h->cpus);
}

static void put_identity(struct strbuf *out, const struct insp_container *c)
{
	put_string(out, c->engine);
	put_string(out, c->id);
	put_string(out, c->name);
	put_string(out, c->image);
	put_string(out, c->pod);
	put_string(out, c->project);
	put_signed(out, (int32_t)c->owner);
	put_signed(out, c->pid);
	put_signed(out, c->started);
	put_signed(out, c->restarts);
}

static bool is_same(const struct insp_container *a, const struct insp_container *b)
{
	return a->pid == b->pid && a->started == b->started && a->restarts == b->restarts &&
	       a->owner == b->owner && str_eq(a->id, b->id) && str_eq(a->engine, b->engine) &&
	       str_eq(a->name, b->name) && str_eq(a->pod, b->pod) &&
	       str_eq(a->project, b->project) && str_eq(a->image, b->image);
}

/* The newest of that container; hint: where it mostly is. -1: none. */
static ssize_t find_identity(const struct rec_identities *all, size_t hint,
			     const struct insp_container *c)
{
	if (hint < all->n && is_same(all->items[hint].c, c))
		return (ssize_t)hint;
	for (size_t i = all->n; i > 0; i--)
		if (is_same(all->items[i - 1].c, c))
			return (ssize_t)i - 1;
	return -1;
}

static int copy_identity(struct rec_identities *all, const struct insp_container *c)
{
	struct rec_identity *id = add_identity(all);
	struct insp_container *to = id ? id->c : NULL;

	if (!id)
		return -ENOMEM;
	to->engine = id->engine = str_dup(c->engine);
	to->id = str_dup(c->id);
	to->name = str_dup(c->name);
	to->image = str_dup(c->image);
	to->pod = str_dup(c->pod);
	to->project = str_dup(c->project);
	to->owner = c->owner;
	to->pid = c->pid;
	to->started = c->started;
	to->restarts = c->restarts;
	return to->engine && to->id && to->name ? 0 : -ENOMEM;
}

/* Its number and one; 0 and all of it when it is new. */
static ssize_t put_container(struct strbuf *out, struct rec_identities *all, size_t hint,
			     const struct insp_container *c)
{
	ssize_t at = find_identity(all, hint, c);

	put(out, (uint64_t)(at + 1));
	if (at >= 0)
		return at;
	put_identity(out, c);
	return copy_identity(all, c) < 0 ? -ENOMEM : (ssize_t)all->n - 1;
}

static void put_sample(struct strbuf *out, const struct insp_sample *s, struct insp_sample *last)
{
	put_signed(out, s->at - last->at);
	put(out, s->known);
	for (size_t i = 0; i < INSP_STAT_MAX; i++) {
		if (!insp_sample_has(s, i))
			continue;
		put_signed(out, (int64_t)(s->value[i] - last->value[i]));
		last->value[i] = s->value[i];
	}
	last->at = s->at;
}

int rec_encode(const struct insp_moment *m, bool anew, struct rec_identities *all,
	       struct strbuf *out)
{
	size_t hint = 0;

	if (anew)
		rec_identities_clear(all);
	put(out, anew ? REC_ANEW : 0);
	put_signed(out, m->time);
	put_host(out, &m->host);
	put(out, m->n);
	for (size_t i = 0; i < m->n; i++) {
		ssize_t at = put_container(out, all, hint, m->items[i].c);

		if (at < 0)
			return (int)at;
		hint = (size_t)at + 1;
		put(out, m->items[i].c->state);
		put(out, m->items[i].summed);
		put_sample(out, &m->items[i].sample, &all->items[at].last);
	}
	put(out, m->n_ended);
	for (size_t i = 0; i < m->n_ended; i++) {
		ssize_t at = put_container(out, all, 0, m->ended[i]);

		if (at < 0)
			return (int)at;
		put_signed(out, m->ended[i]->exit_code);
	}
	return out->failed ? -ENOMEM : 0;
}

/* ---- reading ---- */

struct cursor {
	const uint8_t *p, *end;
	bool bad;
};

static uint64_t get(struct cursor *c)
{
	uint64_t v = 0;

	for (unsigned shift = 0; shift < 64 && c->p < c->end; shift += 7) {
		uint8_t byte = *c->p++;

		v |= (uint64_t)(byte & 0x7f) << shift;
		if (!(byte & 0x80))
			return v;
	}
	c->bad = true;
	return 0;
}

static int64_t get_signed(struct cursor *c)
{
	uint64_t v = get(c);

	return (int64_t)((v >> 1) ^ -(v & 1));
}

static char *get_string(struct cursor *c)
{
	uint64_t n = get(c);
	char *s;

	if (n == 0)
		return NULL;
	n--;
	if (c->bad || n > REC_STRING_MAX || n > (size_t)(c->end - c->p) || memchr(c->p, 0, n)) {
		c->bad = true;
		return NULL;
	}
	s = strndup((const char *)c->p, n);
	c->bad = c->bad || !s;
	c->p += n;
	return s;
}

static double get_hundredths(struct cursor *c)
{
	int64_t v = get_signed(c);

	return v < 0 ? -1 : (double)v / 100;
}

static void get_host(struct cursor *c, struct insp_host_sample *h)
{
	for (size_t i = 0; i < 3; i++)
		h->load[i] = get_hundredths(c);
	for (size_t i = 0; i < 3; i++)
		h->psi[i] = get_hundredths(c);
	h->mem_total = get_signed(c);
	h->mem_available = get_signed(c);
	h->swap_total = get_signed(c);
	h->swap_free = get_signed(c);
	h->cpus = (int)get_signed(c);
}

static void get_identity(struct cursor *c, struct rec_identity *id)
{
	struct insp_container *to = id->c;

	to->engine = id->engine = get_string(c);
	to->id = get_string(c);
	to->name = get_string(c);
	to->image = get_string(c);
	to->pod = get_string(c);
	to->project = get_string(c);
	to->owner = (uid_t)get_signed(c);
	to->pid = (pid_t)get_signed(c);
	to->started = get_signed(c);
	to->restarts = (int)get_signed(c);
	c->bad = c->bad || !to->engine || !to->id || !to->name;
}

/* Its place; all->items may move. -EBADMSG. */
static ssize_t get_container(struct cursor *c, struct rec_identities *all)
{
	uint64_t number = get(c);

	if (c->bad || number > all->n || all->n >= 2 * REC_IDENTITIES_MAX)
		return -EBADMSG;
	if (number > 0)
		return (ssize_t)number - 1;
	if (!add_identity(all))
		return -ENOMEM;
	get_identity(c, &all->items[all->n - 1]);
	return c->bad ? -EBADMSG : (ssize_t)all->n - 1;
}

static void get_sample(struct cursor *c, struct insp_sample *last, struct insp_sample *ret)
{
	last->at = (int64_t)((uint64_t)last->at + (uint64_t)get_signed(c));
	last->known = (uint32_t)get(c) & INSP_STAT_ALL;
	for (size_t i = 0; i < INSP_STAT_MAX; i++)
		if (insp_sample_has(last, i))
			last->value[i] += (uint64_t)get_signed(c);
	*ret = *last;
	for (size_t i = 0; i < INSP_STAT_MAX; i++)
		if (!insp_sample_has(ret, i))
			ret->value[i] = 0;
}

static int get_items(struct cursor *c, struct rec_identities *all, struct rec_frame *f,
		     struct insp_moment *m)
{
	uint64_t n = get(c);

	if (c->bad || n > REC_ITEMS_MAX)
		return -EBADMSG;
	for (; m->n < n; m->n++) {
		ssize_t at = get_container(c, all);
		struct insp_fleet_item *item;

		if (at < 0)
			return (int)at;
		if (!util_grow(&f->items, m->n, &f->cap_items, sizeof(*f->items), 64))
			return -ENOMEM;
		item = &f->items[m->n];
		item->c = all->items[at].c;
		item->c->state = get(c) % (INSP_STATE_DEAD + 1);
		item->summed = get(c) & 1;
		get_sample(c, &all->items[at].last, &item->sample);
		if (c->bad)
			return -EBADMSG;
	}
	return 0;
}

static int get_ended(struct cursor *c, struct rec_identities *all, struct rec_frame *f,
		     struct insp_moment *m)
{
	uint64_t n = get(c);

	if (c->bad || n > REC_ITEMS_MAX)
		return -EBADMSG;
	for (; m->n_ended < n; m->n_ended++) {
		ssize_t at = get_container(c, all);

		if (at < 0)
			return (int)at;
		if (!util_grow(&f->ended, m->n_ended, &f->cap_ended, sizeof(*f->ended), 8))
			return -ENOMEM;
		f->ended[m->n_ended] = all->items[at].c;
		f->ended[m->n_ended]->exit_code = (int)get_signed(c);
	}
	return c->bad ? -EBADMSG : 0;
}

int rec_decode(const uint8_t *payload, size_t len, struct rec_identities *all,
	       struct rec_frame *frame, struct insp_moment *ret)
{
	struct cursor c = { payload, payload + len, false };
	struct insp_moment m = { 0 };
	int r;

	if (get(&c) & REC_ANEW)
		rec_identities_clear(all);
	m.time = get_signed(&c);
	get_host(&c, &m.host);
	r = get_items(&c, all, frame, &m);
	if (r >= 0)
		r = get_ended(&c, all, frame, &m);
	if (r < 0)
		return r;
	m.items = frame->items;
	m.ended = frame->ended;
	*ret = m;
	return 0;
}
