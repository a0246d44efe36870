#include "libinspect/container/container.h"
#include "libinspect/base/str.h"
#include "libinspect/base/util.h"

struct insp_container *container_new(const char *engine, const char *id)
{
	struct insp_container *c = calloc(1, sizeof(*c));

	if (!c)
		return NULL;
	c->engine = engine;
	c->id = strdup(id);
	c->name = strdup(id);
	c->exit_code = INSP_EXIT_UNSET;
	c->restarts = INSP_COUNT_UNSET;
	c->owner = (uid_t)-1;
	if (!c->id || !c->name)
		return insp_container_free(c);
	return c;
}

struct insp_layers *container_layers_new(enum insp_root_kind kind)
{
	struct insp_layers *layers = calloc(1, sizeof(*layers));

	if (layers)
		layers->kind = kind;
	return layers;
}

static void clear_lowers(struct insp_layers *layers)
{
	for (size_t i = 0; i < layers->n_lowers; i++) {
		free(layers->lowers[i]);
		free(layers->ids[i].id);
		free(layers->ids[i].diff_id);
	}
	layers->n_lowers = 0;
}

struct insp_layers *container_layers_free(struct insp_layers *layers)
{
	if (!layers)
		return NULL;
	clear_lowers(layers);
	free(layers->lowers);
	free(layers->ids);
	free(layers->upper);
	free(layers->upper_id);
	free(layers->work);
	free(layers);
	return NULL;
}

int container_layers_add(struct insp_layers *layers, const char *path)
{
	struct insp_layer_ids *ids;
	char **lowers, *copy;

	if (layers->n_lowers >= CONTAINER_LAYERS_MAX)
		return -E2BIG;
	lowers = reallocarray(layers->lowers, layers->n_lowers + 1, sizeof(*lowers));
	if (!lowers)
		return -ENOMEM;
	layers->lowers = lowers;
	ids = reallocarray(layers->ids, layers->n_lowers + 1, sizeof(*ids));
	if (!ids)
		return -ENOMEM;
	layers->ids = ids;
	ids[layers->n_lowers] = (struct insp_layer_ids){ 0 };
	copy = strdup(path);
	if (!copy)
		return -ENOMEM;
	lowers[layers->n_lowers++] = copy;
	return 0;
}

int container_layers_name(struct insp_layers *layers, const char *id, const char *diff_id)
{
	struct insp_layer_ids *ids = &layers->ids[layers->n_lowers - 1];
	int r = container_set(&ids->id, id);

	return r < 0 ? r : container_set(&ids->diff_id, diff_id);
}

int container_layers_all_lower(struct insp_layers *layers)
{
	struct insp_layer_ids ids;
	char *path;
	size_t n;
	int r;

	if (layers->kind == INSP_ROOT_DIR)
		clear_lowers(layers); /* a tree has all that those below it have */
	n = layers->n_lowers;
	r = container_layers_add(layers, layers->upper);
	if (r == 0)
		r = container_layers_name(layers, layers->upper_id, NULL);
	if (r < 0)
		return r;
	path = layers->lowers[n];
	ids = layers->ids[n];
	memmove(layers->lowers + 1, layers->lowers, n * sizeof(*layers->lowers));
	memmove(layers->ids + 1, layers->ids, n * sizeof(*layers->ids));
	layers->lowers[0] = path;
	layers->ids[0] = ids;
	free(layers->upper);
	free(layers->upper_id);
	free(layers->work);
	layers->upper = layers->upper_id = layers->work = NULL;
	return 0;
}

static void mount_clear(struct insp_mount *m)
{
	free(m->type);
	free(m->name);
	free(m->source);
	free(m->destination);
	*m = (struct insp_mount){ 0 };
}

int container_add_mount(struct insp_container *c, const struct insp_mount *mount)
{
	struct insp_mount *mounts = reallocarray(c->mounts, c->n_mounts + 1, sizeof(*mounts));
	struct insp_mount copy = { .read_only = mount->read_only };

	if (!mounts)
		return -ENOMEM;
	c->mounts = mounts;
	if (container_set(&copy.type, mount->type) < 0 ||
	    container_set(&copy.name, mount->name) < 0 ||
	    container_set(&copy.source, mount->source) < 0 ||
	    container_set(&copy.destination, mount->destination) < 0) {
		mount_clear(&copy);
		return -ENOMEM;
	}
	mounts[c->n_mounts++] = copy;
	return 0;
}

#define ID_RANGES_MAX 340 /* what the kernel takes, user_namespaces(7) */

int container_add_ids(struct insp_id_map *map, uint64_t inside, uint64_t outside, uint64_t count)
{
	struct insp_id_range *items;

	if (count == 0 || count > UINT32_MAX || inside > UINT32_MAX - count ||
	    outside > UINT32_MAX - count || map->n >= ID_RANGES_MAX)
		return 0;
	items = reallocarray(map->items, map->n + 1, sizeof(*items));
	if (!items)
		return -ENOMEM;
	map->items = items;
	items[map->n++] =
		(struct insp_id_range){ (uint32_t)inside, (uint32_t)outside, (uint32_t)count };
	return 0;
}

struct insp_container *insp_container_free(struct insp_container *c)
{
	if (!c)
		return NULL;
	container_layers_free(c->layers);
	free(c->no_layers);
	for (size_t i = 0; i < c->n_mounts; i++)
		mount_clear(&c->mounts[i]);
	free(c->mounts);
	free(c->uids.items);
	free(c->gids.items);
	free(c->pod_namespace);
	for (size_t i = 0; i < c->n_labels; i++) {
		free(c->labels[i].key);
		free(c->labels[i].value);
	}
	for (size_t i = 0; i < c->n_ports; i++)
		free(c->ports[i].host_ip);
	for (size_t i = 0; i < c->n_addresses; i++)
		free(c->addresses[i]);
	free(c->addresses);
	free(c->labels);
	free(c->ports);
	free(c->id);
	free(c->name);
	free(c->image);
	free(c->image_id);
	free(c->image_config);
	free(c->process);
	free(c->command);
	free(c->pod);
	free(c->project);
	free(c->cgroup);
	free(c->log_path);
	free(c->hostname);
	free(c->store);
	free(c->rootfs);
	free(c);
	return NULL;
}

int container_set(char **field, const char *value)
{
	char *copy = NULL;

	if (value && *value) {
		copy = strdup(value);
		if (!copy)
			return -ENOMEM;
	}
	free(*field);
	*field = copy;
	return 0;
}

int container_add_label(struct insp_container *c, const char *key, const char *value)
{
	_cleanup_free_ char *k = strdup(key), *v = strdup(value ? value : "");
	struct insp_label *labels;

	if (!k || !v)
		return -ENOMEM;
	labels = reallocarray(c->labels, c->n_labels + 1, sizeof(*labels));
	if (!labels)
		return -ENOMEM;
	c->labels = labels;
	c->labels[c->n_labels++] = (struct insp_label){ TAKE_PTR(k), TAKE_PTR(v) };
	return 0;
}

int container_add_port(struct insp_container *c, const struct insp_port *port)
{
	struct insp_port *ports = reallocarray(c->ports, c->n_ports + 1, sizeof(*ports));
	struct insp_port copy = *port;

	if (!ports)
		return -ENOMEM;
	c->ports = ports;
	if (port->host_ip) {
		copy.host_ip = strdup(port->host_ip);
		if (!copy.host_ip)
			return -ENOMEM;
	}
	ports[c->n_ports++] = copy;
	return 0;
}

int container_add_address(struct insp_container *c, const char *address)
{
	size_t len = address ? strcspn(address, "/") : 0;
	char **addresses;

	if (len == 0)
		return 0;
	for (size_t i = 0; i < c->n_addresses; i++)
		if (strlen(c->addresses[i]) == len && memcmp(c->addresses[i], address, len) == 0)
			return 0;
	addresses = reallocarray(c->addresses, c->n_addresses + 1, sizeof(*addresses));
	if (!addresses)
		return -ENOMEM;
	c->addresses = addresses;
	addresses[c->n_addresses] = strndup(address, len);
	return addresses[c->n_addresses] ? (c->n_addresses++, 0) : -ENOMEM;
}

const char *insp_container_label(const struct insp_container *c, const char *key)
{
	for (size_t i = 0; i < c->n_labels; i++)
		if (strcmp(c->labels[i].key, key) == 0)
			return c->labels[i].value;
	return NULL;
}

int container_list_add(struct insp_list *list, struct insp_container *c)
{
	struct insp_container **items;

	/* grown by doubling: a power of two entries means that the array is full */
	if ((list->n & (list->n - 1)) == 0) {
		items = reallocarray(list->items, list->n ? list->n * 2 : 1, sizeof(*items));
		if (!items)
			return -ENOMEM;
		list->items = items;
	}
	list->items[list->n++] = c;
	return 0;
}

void insp_list_clear(struct insp_list *list)
{
	for (size_t i = 0; i < list->n; i++)
		insp_container_free(list->items[i]);
	free(list->items);
	*list = (struct insp_list){ 0 };
}

char *container_join_words(const char *const *words, size_t n)
{
	struct strbuf sb = { 0 };

	for (size_t i = 0; i < n; i++) {
		if (!words[i])
			continue;
		if (sb.len)
			strbuf_puts(&sb, " ");
		strbuf_puts(&sb, words[i]);
	}
	return strbuf_take(&sb);
}

static const char *const state_names[] = {
	[INSP_STATE_UNKNOWN] = "unknown",
	[INSP_STATE_CREATED] = "created",
	[INSP_STATE_RUNNING] = "running",
	[INSP_STATE_PAUSED] = "paused",
	[INSP_STATE_RESTARTING] = "restarting",
	[INSP_STATE_EXITED] = "exited",
	[INSP_STATE_DEAD] = "dead",
};

const char *insp_state_name(enum insp_state state)
{
	if ((size_t)state >= ARRAY_SIZE(state_names))
		return "unknown";
	return state_names[state];
}

bool insp_state_is_live(enum insp_state state)
{
	return state == INSP_STATE_RUNNING || state == INSP_STATE_PAUSED ||
	       state == INSP_STATE_RESTARTING;
}
