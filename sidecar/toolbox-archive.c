/*
 * An archive as a toolbox: unpacked to memory, by the rules of insp_copy_archive(), with which nothing gets outside. What it refuses
 * refuses the toolbox: a tree that lacks what it was to have is no tool, and a name with ".." has one purpose only.
 *
 * An image in an archive (OCI image layout, or docker save's manifest.json) is unpacked twice: its files, then each of its layers to
 * a directory of its own, with whiteouts made overlayfs's.
 */
#include "sidecar/internal.h"
#include "sidecar/toolbox-kinds.h"
#include "libinspect/files.h"

#include <dirent.h>
#include <fcntl.h>
#include <jansson.h>
#include <sys/stat.h>
#include <sys/xattr.h>

#define JSON_MAX   (1024 * 1024)
#define DEPTH_MAX  200 /* of directories in a layer */
#define INDEX_MAX  4   /* indexes that lead to one another */
#define WHITEOUT   ".wh."
#define OPAQUE	   ".wh..wh..opq"
#define SHA256_HEX 64

static int damaged(const struct toolbox *t, const char *what, struct insp_err *err)
{
	return insp_err_say(err, -EBADMSG, "toolbox '%s': %s", t->spec, what);
}

/* What is in the archive that file is, below dirfd. */
static int unpack(const struct toolbox *t, int file, int dirfd, struct insp_err *err)
{
	const struct insp_copy_opts opts = { .owner = INSP_COPY_KEEP, .into_dir = true };
	char fd[PROC_FD_PATH_MAX], path[PROC_FD_PATH_MAX + 2];
	struct insp_copy_result result = { 0 };
	struct insp_diags diags = { 0 };
	struct insp_copy_side side = { NULL, path };
	int r;

	proc_fd_path(dirfd, fd);
	snprintf(path, sizeof(path), "%s/.", fd);
	r = insp_copy_archive(file, &side, &opts, &result, &diags, err);
	if (r == 0 && diags.n > 0) {
		*err = diags.items[0];
		r = err->code ?: -EBADMSG;
	}
	insp_diags_clear(&diags);
	return r < 0 ? insp_err_wrap(err, r, "toolbox '%s'", t->spec) : 0;
}

static int make_dir_at(int dirfd, const char *name)
{
	int fd;

	if (mkdirat(dirfd, name, 0755) < 0 && errno != EEXIST)
		return -errno;
	fd = openat(dirfd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

/* ---- whiteouts: OCI image specification, layer.md -> Documentation/filesystems/overlayfs.rst ---- */

static int convert_one(int dirfd, const char *name)
{
	const char *of = name + strlen(WHITEOUT);

	if (unlinkat(dirfd, name, 0) < 0)
		return errno == EISDIR ? 0 : -errno;
	if (strcmp(name, OPAQUE) == 0)
		return fsetxattr(dirfd, "trusted.overlay.opaque", "y", 1, 0) < 0 ? -errno : 0;
	/* other names with two of them are for tools of their own */
	if (strncmp(of, WHITEOUT, strlen(WHITEOUT)) == 0 || *of == '\0')
		return 0;
	return mknodat(dirfd, of, S_IFCHR, 0) < 0 && errno != EEXIST ? -errno : 0;
}

/* Takes dirfd. */
static int convert(int dirfd, unsigned depth)
{
	DIR *dir = depth > DEPTH_MAX ? NULL : fdopendir(dirfd);
	int r = 0;

	if (!dir) {
		close(dirfd);
		return depth > DEPTH_MAX ? -ELOOP : -errno;
	}
	for (struct dirent *de = readdir(dir); de && r == 0; de = readdir(dir)) {
		int sub;

		if (strcmp(de->d_name, ".") == 0 || strcmp(de->d_name, "..") == 0)
			continue;
		if (strncmp(de->d_name, WHITEOUT, strlen(WHITEOUT)) == 0) {
			r = convert_one(dirfd, de->d_name);
		} else if (de->d_type == DT_DIR) {
			sub = openat(dirfd, de->d_name,
				     O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
			r = sub < 0 ? -errno : convert(sub, depth + 1);
		}
	}
	closedir(dir);
	return r;
}

/* ---- which layers ---- */

static json_t *read_json(int root, const char *path)
{
	_cleanup_close_ int fd = insp_open_regular_in_root(root, path);
	_cleanup_free_ char *buf = fd < 0 ? NULL : malloc(JSON_MAX);
	ssize_t n = buf ? files_read_fd(fd, buf, JSON_MAX) : -1;

	return n < 0 || n == JSON_MAX ? NULL : json_loadb(buf, (size_t)n, 0, NULL);
}

/* "sha256:HEX" -> "blobs/sha256/HEX" */
static bool blob_path(const json_t *digest, char path[96])
{
	const char *text = json_string_value(digest), *hex = text ? text + 7 : "";

	if (!text || strncmp(text, "sha256:", 7) != 0 || strlen(hex) != SHA256_HEX ||
	    strspn(hex, "0123456789abcdef") != SHA256_HEX)
		return false;
	snprintf(path, 96, "blobs/sha256/%s", hex);
	return true;
}

/* The first manifest of an index for this machine, or of none; else the first. */
static const json_t *choose_manifest(const json_t *index)
{
	const json_t *manifests = json_object_get(index, "manifests"), *m;
	const char *ours =
#if defined(__x86_64__)
		"amd64";
#elif defined(__aarch64__)
		"arm64";
#else
		"";
#endif
	size_t i;

	json_array_foreach (manifests, i, m) {
		const json_t *p = json_object_get(m, "platform");
		const char *arch = json_string_value(json_object_get(p, "architecture"));

		if (!arch || strcmp(arch, ours) == 0)
			return m;
	}
	return json_array_get(manifests, 0);
}

/* The manifest of an OCI image layout: json_decref() it. */
static json_t *oci_manifest(int root)
{
	json_t *j = read_json(root, "index.json");
	char path[96];

	for (int i = 0; j && i < INDEX_MAX && json_object_get(j, "manifests"); i++) {
		bool ok = blob_path(json_object_get(choose_manifest(j), "digest"), path);

		json_decref(j);
		j = ok ? read_json(root, path) : NULL;
	}
	return j;
}

/* Opens layer i, the lowest first. -ENOENT: there are no more; -EBADMSG. */
static int open_layer(int root, const json_t *oci, const json_t *docker, size_t i)
{
	const json_t *layer =
		oci ? json_array_get(json_object_get(oci, "layers"), i) : json_array_get(docker, i);
	char path[96];
	const char *name = path;
	int fd;

	if (!layer)
		return -ENOENT;
	if (oci && !blob_path(json_object_get(layer, "digest"), path))
		return -EBADMSG;
	if (!oci)
		name = json_string_value(layer);
	fd = name ? insp_open_regular_in_root(root, name) : -1;
	return fd < 0 ? -EBADMSG : fd;
}

static int add_layer(const struct toolbox *t, int file, int layers, struct toolbox_lowers *l,
		     struct insp_err *err)
{
	char name[16];
	int fd, r;

	if (l->n == TOOLBOX_LAYERS_MAX)
		return insp_err_say(err, -E2BIG, "toolbox '%s': it has more than %d layers",
				    t->spec, TOOLBOX_LAYERS_MAX);
	snprintf(name, sizeof(name), "%zu", l->n);
	fd = make_dir_at(layers, name);
	if (fd < 0)
		return insp_err_set(err, fd, "toolbox '%s': unpack it", t->spec);
	l->fd[l->n++] = fd;
	r = unpack(t, file, fd, err);
	if (r < 0)
		return r;
	fd = openat(fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	r = fd < 0 ? -errno : convert(fd, 0);
	return r < 0 ? insp_err_set(err, r, "toolbox '%s': unpack a layer", t->spec) : 0;
}

static int unpack_layers(const struct toolbox *t, int root, int scratch, struct toolbox_lowers *l,
			 struct insp_err *err)
{
	_cleanup_close_ int layers = make_dir_at(scratch, "layers");
	json_t *oci = oci_manifest(root), *docker = read_json(root, "manifest.json");
	const json_t *names = json_object_get(json_array_get(docker, 0), "Layers");
	int r = layers < 0 ? insp_err_set(err, layers, "toolbox '%s': unpack it", t->spec) : 0;

	while (r == 0) {
		_cleanup_close_ int file = open_layer(root, oci, names, l->n);

		if (file == -ENOENT)
			break;
		r = file < 0 ? damaged(t, "a layer of its image is not in it", err)
			     : add_layer(t, file, layers, l, err);
	}
	json_decref(oci);
	json_decref(docker);
	if (r == 0 && l->n == 0)
		r = damaged(t, "it is an image's archive, and names no layer", err);
	return r;
}

static bool is_image(int root)
{
	struct stat st;

	return (fstatat(root, "oci-layout", &st, AT_SYMLINK_NOFOLLOW) == 0 ||
		fstatat(root, "manifest.json", &st, AT_SYMLINK_NOFOLLOW) == 0) &&
	       S_ISREG(st.st_mode);
}

int toolbox_unpack(const struct toolbox *t, int scratch, struct toolbox_lowers *ret,
		   struct insp_err *err)
{
	_cleanup_close_ int file = open(t->path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	_cleanup_close_ int root = make_dir_at(scratch, "lower");
	int r;

	if (file < 0 || root < 0)
		return insp_err_set(err, file < 0 ? -errno : root, "toolbox '%s': open it",
				    t->spec);
	r = unpack(t, file, root, err);
	if (r < 0)
		return r;
	if (is_image(root))
		return unpack_layers(t, root, scratch, ret, err);
	ret->fd[ret->n++] = root;
	root = -1;
	return 0;
}
