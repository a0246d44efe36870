/*
 * A container's files, running or stopped: what changed, all of it, copies in and out. The second public header of
 * libinspect; its conventions are those of inspect.h.
 *
 * Nothing is mounted that anybody else sees, no namespace is changed, nothing of the container is run, and reading
 * leaves no access time behind where the kernel lets it. Every name below a container is opened below an fd, one component at
 * a time, so that a container which swaps links and directories meanwhile changes which of its own files is found.
 */
#ifndef SONDE_FILES_H
#define SONDE_FILES_H

#include "libinspect/inspect.h"

#include <sys/stat.h>

struct insp_files;

enum insp_files_from {
	/*
	 * Its root filesystem as its layers make it, whether it runs or not: what the engine's own diff, export and
	 * commit mean. Where something is mounted over it (/proc, a volume), what lies below is seen.
	 */
	INSP_FILES_LAYERS,
	/* As its processes see them, with everything that is mounted: of a running container only. */
	INSP_FILES_LIVE,
	/* As they were before it ran: its image, without what the engine put there. */
	INSP_FILES_IMAGE,
};

/*
 * Opens the files of c, which must have been resolved with INSP_WANT_FILES. -ENODATA: where they are is not known, or
 * kept nowhere, and err says why; -ESRCH: INSP_FILES_LIVE of what does not run. c must live as long as the files.
 * Give back with insp_files_close(), which returns NULL.
 */
int insp_files_open(struct insp_sys *sys, const struct insp_container *c, enum insp_files_from from,
		    struct insp_files **ret_files, struct insp_err *err);
struct insp_files *insp_files_close(struct insp_files *files);

/*
 * The image that ref names, found in the stores on disk of the engines that have images: a name as they take it (without a tag
 * ":latest", "docker.io/library/" and "localhost/" need not be said), an id or its beginning (4 digits at least), either with
 * "ENGINE:" in front. A name wins over an id. Where several stores have one, that of beside's store (may be NULL) is meant.
 * *ret_image has engine, id, name, image, store and layers: it is for insp_files_open() with INSP_FILES_IMAGE and for
 * insp_mount_files(), and nothing else.
 * -ENOENT: none; -ENOTUNIQ: several: candidates (may be NULL) then has them; -ENODATA: its layers cannot be told, err says why.
 */
int insp_image_find(struct insp_sys *sys, const char *ref, const struct insp_container *beside,
		    struct insp_container **ret_image, struct insp_list *candidates,
		    struct insp_err *err);

/* ---- what changed -------------------------------------------------------------------------------------- */

/* docker diff's letters. */
enum insp_change_kind {
	INSP_CHANGE_ADDED = 'A',
	INSP_CHANGE_CHANGED = 'C',
	INSP_CHANGE_DELETED = 'D', /* with all that was below it, of which nothing is said */
};
/* What of a changed file is another now. None is set where a directory is changed only below. */
enum insp_change_what {
	INSP_CHANGED_TYPE = 1 << 0,
	INSP_CHANGED_MODE = 1 << 1, /* permission bits */
	INSP_CHANGED_OWNER = 1 << 2,
	INSP_CHANGED_DEVICE = 1 << 3, /* the number that a device file stands for */
	INSP_CHANGED_SIZE = 1 << 4,
	INSP_CHANGED_MTIME = 1 << 5,
	/* The bytes, or where a link leads: known where the sizes differ, with INSP_DIFF_DETAIL, or with INSP_DIFF_VERIFY. */
	INSP_CHANGED_CONTENT = 1 << 6,
	INSP_CHANGED_CAPABILITY = 1 << 7,
	INSP_CHANGED_XATTR =
		1 << 8, /* another attribute: with INSP_DIFF_DETAIL or INSP_DIFF_VERIFY */
};
/* "type", "mode", …: the name of one bit. */
const char *insp_change_what_name(enum insp_change_what what);

/* A file on one of the two sides. */
struct insp_file {
	mode_t mode; /* with the type */
	uid_t uid;   /* as on disk */
	gid_t gid;
	dev_t rdev;
	uint64_t size; /* bytes */
	int64_t mtime; /* ns since the epoch; INT64_MIN: a time before 1678 or after 2262, which is not told so */
};

/* The two sides of a comparison. */
enum insp_side {
	INSP_BEFORE,
	INSP_AFTER,
};

struct insp_change_at;
/* One change; all of it is good until the callback returns. */
struct insp_change {
	enum insp_change_kind kind;
	unsigned what;			 /* INSP_CHANGED_* or'ed */
	const char *path;		 /* absolute; bytes of the container, of any length */
	const struct insp_file *file[2]; /* by enum insp_side; NULL: there is none on this side */
	const struct insp_change_at *at;
};
/*
 * The data of a regular file, or where a link leads, on one side. The caller's fd, a new string to free(). -ENOENT: none
 * on this side; -ESTALE: it is no such file any more.
 */
int insp_change_open(const struct insp_change *change, enum insp_side side, int *ret_fd);
int insp_change_readlink(const struct insp_change *change, enum insp_side side, char **ret);

enum insp_diff_flags {
	/* What the engine put there before the container ran is a change, too: compared with the image. */
	INSP_DIFF_ALL = 1 << 0,
	/* Content and all extended attributes of what looks unchanged are compared, too. */
	INSP_DIFF_VERIFY = 1 << 1,
	/* All of a change's what is found out. Reads changed files of equal size. */
	INSP_DIFF_DETAIL = 1 << 2,
};
struct insp_diff_opts {
	unsigned flags;
	/* Only what is at or below these paths of the container (links are followed). NULL: everything. */
	const char *const *paths;
	size_t n_paths;
	/*
	 * Not what matches, nor what is below: fnmatch(3) patterns, of the last component, or with a slash of the whole path.
	 * '*' matches no slash.
	 */
	const char *const *excludes;
	size_t n_excludes;
	/* Each change, a directory before what is in it, names by their bytes. 0, or < 0: the comparison ends with it. */
	int (*each)(const struct insp_change *change, void *arg);
	void *arg;
};
/*
 * What is, compared with what was; was NULL: with what is began as. The same set of files as docker diff gives: a file is
 * changed when type, mode, owner, device number or its file capabilities differ, and other than a directory also when size
 * or time of modification do (where one of the two has no fraction of a second: in whole seconds); a directory also when
 * something in it is. The root itself is none. The cost is that of the layers that only one side has.
 * What could not be read goes to diags. -ENODATA: what it began as is not kept. -ENOENT: one of the paths is on
 * neither side.
 */
int insp_diff(const struct insp_files *is, const struct insp_files *was,
	      const struct insp_diff_opts *opts, struct insp_diags *diags, struct insp_err *err);

enum insp_layer_role {
	INSP_LAYER_UPPER,  /* what the container changed */
	INSP_LAYER_ENGINE, /* what its engine put there for it */
	INSP_LAYER_IMAGE,
	INSP_LAYER_TREE, /* no layer: one whole tree */
};
struct insp_layer {
	enum insp_layer_role role;
	unsigned number; /* of the image's layers, 1: the lowest one; else 0 */
	/* These stay the container's. NULL: not known. */
	const char *path; /* the directory on this host */
	const char *id;	  /* what its engine calls it */
	const char *
		diff_id; /* of an image's layer, "sha256:HEX"; of a container resolved with INSP_WANT_LAYER_IDS */
};
/* The layer of a file on one side. */
void insp_change_layer(const struct insp_change *change, enum insp_side side,
		       struct insp_layer *ret);

/* ---- mounting ------------------------------------------------------------------------------------------ */

struct insp_mount_opts {
	/*
	 * A directory with two others in it, "upper", which is empty or has what an earlier mount left there, and "work", on
	 * one file system that overlayfs can write to: what is changed goes there.
	 */
	int changes;
	/* What is changed goes to the container's own layer. changes is still needed, and left as it is. */
	bool write;
};
/*
 * Mounts the files of a container that does not run, or of an image, of which all layers stay as they are, not even an access time is left:
 * an overlay of its layers, nosuid and nodev; ids as on disk. Without its volumes. c as for insp_files_open(). sys and changes
 * must have been opened in the caller's mount namespace, which nobody else is in and which hands no mount on (MS_SLAVE or
 * MS_PRIVATE); single-threaded, its working directory is another for a moment. *ret_tree: a detached mount for
 * move_mount(2), gone with its last fd; the caller's. -ENODATA: where they are is not known; -EOPNOTSUPP: the kernel cannot
 * mount such layers, or write is not for ids of a user namespace; -E2BIG: more than 500 layers; -EBUSY: write, and it runs or
 * its upper layer is mounted.
 */
int insp_mount_files(struct insp_sys *sys, const struct insp_container *c,
		     const struct insp_mount_opts *opts, int *ret_tree, struct insp_err *err);
/*
 * Mounts what the configuration of c mounts into it (insp_container's mounts) below root, the directory where the tree of
 * insp_mount_files() is attached by now: nosuid, nodev, and read-only; with write only what the container may not write to
 * is. Nothing that is mounted further down in one comes along. Links in the container are followed below root only, whatever
 * they say; nothing is ever mounted outside. Mount points that are missing are made, but not with write. One that cannot be
 * had is a diagnostic (code 0: a tmpfs). Linux 5.12.
 */
int insp_mount_volumes(struct insp_sys *sys, const struct insp_container *c, int root, bool write,
		       struct insp_diags *diags, struct insp_err *err);

/* ---- export ------------------------------------------------------------------------------------------ */

enum insp_export_filter {
	INSP_EXPORT_PLAIN,
	INSP_EXPORT_GZIP,
	INSP_EXPORT_ZSTD,
};

enum insp_export_format {
	INSP_EXPORT_TAR,
	/*
	 * An image of one layer, in the layout of the OCI image specification (image-layout.md), and for those that load an
	 * archive by its manifest.json with that, too.
	 */
	INSP_EXPORT_OCI,
	INSP_EXPORT_DOCKER, /* with manifest.json only, as docker save wrote it before 25 */
};

/* How far an export is. */
struct insp_export_progress {
	uint64_t files;	  /* entries so far */
	uint64_t bytes;	  /* of the archive, before it is compressed */
	const char *path; /* what is being read: raw bytes */
};

struct insp_export_opts {
	const char *const *
		paths; /* only these files and what is below them; links on the way are followed inside */
	size_t n_paths; /* 0: all */
	bool relative; /* names begin with the path's last component; of one that ends in "/." behind it */
	bool follow; /* where a path leads, if it is a link */
	/*
	 * Not what matches, nor what is below: as of insp_diff_opts. One of paths itself is exported all the same.
	 */
	const char *const *excludes;
	size_t n_excludes;
	enum insp_export_filter filter; /* of an image: of its layer */
	enum insp_export_format format;
	/*
	 * Of an image, whose container was resolved with INSP_WANT_CONFIG: what it is called, "shop/web:2", NULL: nothing; the
	 * same with the registry in it, as some loaders want it, NULL: tag is it; a directory for a file without a name as large
	 * as the image, used when fd is not itself an empty regular file, NULL: /var/tmp.
	 */
	const char *tag, *full_tag, *spool;
	/*
	 * With what its configuration mounts into it (insp_container's mounts), of INSP_FILES_LAYERS: while it runs as it is
	 * mounted (where that can be seen), else found again on the host. One that cannot be had is told, and missing; what
	 * something else than these is mounted on is left out and told (code 0). Not with upper, nor of an image.
	 */
	bool volumes;
	bool upper; /* only what the container changed (insp_diff()), deleted files as .wh.NAME: a layer */
	bool sorted; /* the same bytes for equal trees: holes, which equal trees may have elsewhere, are data */
	/* What could not be exported, or not as it was; code 0: a remark. May be NULL. */
	void (*warn)(const struct insp_err *err, void *arg);
	/* After every file and mebibyte. May be NULL. */
	void (*progress)(const struct insp_export_progress *p, void *arg);
	void *arg;
};

/*
 * Writes the files as a tar archive (POSIX pax) to fd. Names have no leading slash and are in the order of their bytes, each
 * directory before what is in it; ids are numbers, with no names. What is in it besides: attributes (SCHILY.xattr.*, which
 * are file capabilities and ACLs, too), holes (GNU.sparse), further names of one file as hard links, times in nanoseconds.
 * Sockets are left out. Whatever happens to the files meanwhile, what was written when 0 is returned is a valid archive: of
 * a file that grows the size that it had, of one that shrinks zeros. -ENOENT: one of paths is not there; -EPIPE, -ENOSPC, …:
 * writing failed; -ESTALE: the container was removed meanwhile. Memory does not grow with the files (but some 100 bytes for
 * each that has several names).
 */
int insp_export(struct insp_files *files, const struct insp_export_opts *opts, int fd,
		struct insp_err *err);

/* ---- copying ------------------------------------------------------------------------------------------- */

/* One side of a copy. */
struct insp_copy_side {
	struct insp_files *files; /* NULL: this host */
	const char *path; /* in the container from its root on; on the host as open(2) takes it */
};

enum insp_copy_owner {
	INSP_COPY_TARGET, /* the container's root; on the host who calls */
	INSP_COPY_KEEP,	  /* the ids that the source's user namespace has for them */
	INSP_COPY_IDS,	  /* uid and gid below, as the destination's user namespace counts */
};

/* What was done, so far. */
struct insp_copy_result {
	uint64_t files;	  /* everything that has a name, directories too */
	uint64_t bytes;	  /* of data */
	uint64_t devices; /* left out */
	uint64_t sockets; /* left out: they mean nothing elsewhere */
	uint64_t set_ids; /* of files that lost their set-user-ID and set-group-ID bits */
	uint64_t failed;
};

struct insp_copy_opts {
	enum insp_copy_owner owner;
	uid_t uid;
	gid_t gid;
	bool follow;   /* where the source's path leads, if it is a link */
	bool devices;  /* device nodes, too */
	bool into_dir; /* the destination must be a directory */
	/* ends the copy soon when it is not 0: set by a signal handler. May be NULL. */
	const volatile int *stop;
	/* Called now and then. May be NULL. */
	void (*progress)(const struct insp_copy_result *so_far, void *arg);
	void *arg;
};

/*
 * Copies a file, or a directory with all that is in it. Where it goes and what it is called there is told as docker cp does:
 *   - the destination is a directory: the source goes into it under its own name, or, when the source's path ends in
 *     "/.", what is in the source does;
 *   - it is not there: the source becomes it (a file does not where the path ends in "/"); the directory above must be there;
 *   - it is a file: a file replaces it, a directory does not.
 * Directories are merged; a file does not replace a directory, nor a directory a file. Links are copied as links and
 * never followed below the destination. A file, and a directory that was not there, gets its name when it is whole.
 * INSP_FILES_LAYERS as the destination is for a container that does not run: what is written lands in its own layer as
 * overlayfs would have put it.
 * A file that could not be copied is a diagnostic and counts as failed; the rest goes on. result is added to, also when
 * it fails. -EBUSY: something is mounted on the destination; -EINTR: stopped; -ENOSPC, …: ended; -ESTALE: the container went
 * meanwhile.
 */
int insp_copy(const struct insp_copy_side *src, const struct insp_copy_side *dst,
	      const struct insp_copy_opts *opts, struct insp_copy_result *result,
	      struct insp_diags *diags, struct insp_err *err);
/*
 * Puts what is in the tar archive that fd gives (compressed with gzip, bzip2, xz or zstd, or not) into dst, which must be a
 * directory. Names stay below it: ".." is refused, links that the archive makes are not followed by its later entries, hard
 * links lead to files below dst. An entry that is refused is a diagnostic. -EBADMSG: no archive, or it is damaged.
 */
int insp_copy_archive(int fd, const struct insp_copy_side *dst, const struct insp_copy_opts *opts,
		      struct insp_copy_result *result, struct insp_diags *diags,
		      struct insp_err *err);

/* Free with insp_paths_clear(). */
struct insp_paths {
	char **items;
	size_t n;
};
void insp_paths_clear(struct insp_paths *paths);
/*
 * The paths of a container that a pattern of glob(7) names, sorted; links on the way are followed inside it. -ENOENT: none.
 */
int insp_copy_glob(struct insp_files *files, const char *pattern, struct insp_paths *ret,
		   struct insp_err *err);

/*
 * Where path, of the caller's own files, leads: its last component followed while it is a link, whether there is something or
 * not. -EACCES: a link that another user has put where everybody may (/tmp), as fs.protected_symlinks of proc_sys_fs(5) has it,
 * whatever that is set to; -ELOOP. free() *ret_path.
 */
int insp_follow(const char *path, char **ret_path);

#endif
