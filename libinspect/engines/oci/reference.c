#include "libinspect/engines/oci/reference.h"

#include "libinspect/base/str.h"
#include "libinspect/base/util.h"

#define ID_DIGITS_MIN 4 /* fewer are nobody's id */

/* What is behind prefix, when anything is; else s. */
static const char *skip(const char *s, const char *prefix)
{
	const char *rest = str_after(s, prefix);

	return rest && *rest ? rest : s;
}

const char *oci_reference_familiar(const char *ref)
{
	const char *rest = skip(skip(ref, "index."), "docker.io/");

	/* without the registry "index." and "library/" are parts of any name */
	return rest == skip(ref, "index.") ? ref : skip(rest, "library/");
}

size_t oci_reference_name_length(const char *ref, size_t len)
{
	size_t i = len;

	while (i > 0 && ref[i - 1] != '/' && ref[i - 1] != ':')
		i--;
	return i > 0 && ref[i - 1] == ':' ? i - 1 : len;
}

/* A reference in its parts, inside it. */
struct parts {
	const char *name, *tag;
	size_t name_len, tag_len;
	const char *digest; /* with the "@"; "": none */
};

static struct parts parts_of(const char *ref)
{
	struct parts p = { .name = oci_reference_familiar(ref), .tag = ":latest" };
	size_t len = strcspn(p.name, "@");

	p.digest = p.name + len;
	p.name_len = oci_reference_name_length(p.name, len);
	if (p.name_len < len)
		p.tag = p.name + p.name_len;
	p.tag_len = p.name_len < len ? len - p.name_len : strlen(p.tag);
	return p;
}

static bool same(const char *a, size_t a_len, const char *b, size_t b_len)
{
	return a_len == b_len && memcmp(a, b, a_len) == 0;
}

static bool same_name(const struct parts *r, const struct parts *n)
{
	static const char here[] = "localhost/";
	size_t skipped = str_starts(n->name, here) && !str_starts(r->name, here) ? strlen(here) : 0;

	return n->name_len > skipped &&
	       same(r->name, r->name_len, n->name + skipped, n->name_len - skipped);
}

bool oci_reference_means(const char *ref, const char *name)
{
	struct parts r = parts_of(ref), n = parts_of(name);

	if (!same_name(&r, &n) || strcmp(r.digest, n.digest) != 0)
		return false;
	/* a digest says more than a tag */
	return *r.digest || same(r.tag, r.tag_len, n.tag, n.tag_len);
}

bool oci_image_wanted(struct engine_scan *scan, const char *name)
{
	struct parts r = parts_of(scan->match.ref), n = parts_of(name);

	if (oci_reference_means(scan->match.ref, name))
		return true;
	if (same_name(&r, &n) && !scan->near_image[0] && !*n.digest)
		snprintf(scan->near_image, sizeof(scan->near_image), "%s",
			 oci_reference_familiar(name));
	return false;
}

bool oci_reference_is_id(const char *ref, const char *id)
{
	const char *hex = str_after(ref, "sha256:");

	hex = hex ? hex : ref;
	return strlen(hex) >= ID_DIGITS_MIN && str_starts(id, hex);
}

int oci_image_found(struct engine_scan *scan, const struct oci_image *image,
		    struct insp_layers *layers)
{
	_cleanup_container_ struct insp_container *c = container_new(image->engine, image->id);
	int r;

	if (!c) {
		container_layers_free(layers);
		return -ENOMEM;
	}
	c->layers = layers;
	c->is_image = true;
	c->owner = image->owner;
	if (container_set(&c->image_id, image->id) < 0 ||
	    container_set(&c->store, image->store) < 0 ||
	    container_set(&c->image_config, image->config) < 0 ||
	    (image->name && (container_set(&c->image, oci_reference_familiar(image->name)) < 0 ||
			     container_set(&c->name, c->image) < 0)))
		return -ENOMEM;
	r = container_list_add(&scan->found, c);
	if (r == 0)
		c = NULL;
	return r;
}
