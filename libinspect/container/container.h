/*
 * Making and owning container objects. This folder knows no engine and no kernel interface.
 */
#ifndef SONDE_CONTAINER_H
#define SONDE_CONTAINER_H

#include "libinspect/inspect.h"

/* A new container with every field unset. engine must be a static string. NULL when memory is out. */
struct insp_container *container_new(const char *engine, const char *id);

static inline void container_freep(struct insp_container **c)
{
	insp_container_free(*c);
}
#define _cleanup_container_ _cleanup_(container_freep)

/* Replaces *field by a copy of value (NULL and "" unset it). -ENOMEM. */
int container_set(char **field, const char *value);
int container_add_label(struct insp_container *c, const char *key, const char *value);
int container_add_port(struct insp_container *c, const struct insp_port *port); /* copies */
/* Appends a copy of an address, "10.0.0.2" or "10.0.0.2/24"; NULL, "" and what is there already are left out. -ENOMEM. */
int container_add_address(struct insp_container *c, const char *address);

/* New, empty layers of kind; NULL when memory is out. container_layers_free() returns NULL. */
struct insp_layers *container_layers_new(enum insp_root_kind kind);
struct insp_layers *container_layers_free(struct insp_layers *layers);
static inline void container_layers_freep(struct insp_layers **layers)
{
	container_layers_free(*layers);
}
#define _cleanup_layers_ _cleanup_(container_layers_freep)
/* Puts a copy of path below the lowers that are there. -ENOMEM; -E2BIG: more than CONTAINER_LAYERS_MAX. */
int container_layers_add(struct insp_layers *layers, const char *path);
/* Says how the last one is called, NULL: not known. -ENOMEM. */
int container_layers_name(struct insp_layers *layers, const char *id, const char *diff_id);
/* The upper becomes the first of the lowers: of an image, which has nothing that is written to. -ENOMEM, -E2BIG. */
int container_layers_all_lower(struct insp_layers *layers);
/* overlayfs takes 500 in one mount (fs/overlayfs/params.c: OVL_MAX_STACK); what has more is no container's. */
#define CONTAINER_LAYERS_MAX 500

/* Appends a copy. Strings may be NULL but for type and destination. -ENOMEM. */
int container_add_mount(struct insp_container *c, const struct insp_mount *mount);

/* Appends a range; one that is empty or ends above UINT32_MAX - 1 is left out, and so is what comes after 340. -ENOMEM. */
int container_add_ids(struct insp_id_map *map, uint64_t inside, uint64_t outside, uint64_t count);

/* Appends, taking ownership of c on success. */
int container_list_add(struct insp_list *list, struct insp_container *c);

/* "a b c" of n strings; NULL entries are left out. A new string. */
char *container_join_words(const char *const *words, size_t n);

#endif
