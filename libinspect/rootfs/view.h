/*
 * Inside rootfs/: a container's files, merged from its layers without mounting anything. A view is a stack of layers;
 * a directory of it is the stack of those layers' directories that the merged one is made of (its parts).
 *
 * What is deleted, opaque, renamed or only metadata in a layer is told by marks, which differ from store to store:
 * Documentation/filesystems/overlayfs.rst, fuse-overlayfs(1), the OCI image specification (layer.md, "Whiteouts").
 *
 * Everything below a layer may be hostile and may change while it is read: one component is opened at a time, below
 * an fd that is held, and no link is followed here (path.c does that, inside the view).
 */
#ifndef SONDE_ROOTFS_VIEW_H
#define SONDE_ROOTFS_VIEW_H

#include "libinspect/kernel/idmap.h"
#include "libinspect/kernel/sys.h"

#include <sys/stat.h>

/* Which marks count in a view. A mark of another kind is the container's own attribute and means nothing. */
enum view_marks {
	VIEW_DEVICE = 1 << 0,  /* a character device 0:0 is a whiteout */
	VIEW_TRUSTED = 1 << 1, /* trusted.overlay.* */
	VIEW_USER = 1 << 2,    /* user.overlay.*: overlay's userxattr, of users' mounts */
	VIEW_FUSE = 1 << 3,    /* user.fuseoverlayfs.*, and files called .wh. */
};

struct view_ids {
	struct idmap uids, gids;
};

/*
 * Who stands behind what is read or written, where that is not who runs us: the root of a user namespace, or a user whose
 * record it is. A user may mount, or name, any directory of the host: root would do there what that user may not.
 */
struct view_rights {
	const struct view_ids *ids; /* borrowed: those that its capabilities are good for */
	uid_t owner;		    /* as the host counts; (uid_t)-1: nobody */
};

struct view_layer {
	int fd; /* the directory, O_RDONLY */
	bool sealed; /* fd is a sealedtree: what is opened below cannot be a device, and leaves no access time */
	bool one_mount; /* nothing that is mounted below is opened: -EXDEV. A sealedtree has nothing mounted below */
	/*
	 * How the ids of files here are those inside; NULL: they are. Set, view_node's st has ids inside (65534: one that the
	 * container's user namespace has not).
	 */
	const struct view_ids *ids;
	/* Whose rights count here: borrowed; NULL: the caller's. */
	const struct view_rights *rights;
};

/* Free with view_close(). */
struct view {
	struct view_layer *layers; /* from the uppermost one down */
	size_t n;
	unsigned marks;
};

/* Appends a layer below those that are there. Takes ownership of fd, also when it fails (-ENOMEM). */
int view_add(struct view *v, int fd);
void view_close(struct view *v);
#define _cleanup_view_ _cleanup_(view_close)

/* What is to be done with a file: the bits for others of a mode, and a change of its owner or mode. */
enum rights_want {
	RIGHTS_SEARCH = 01,
	RIGHTS_WRITE = 02,
	RIGHTS_READ = 04,
	RIGHTS_OWN = 010,
};
/*
 * Whether rights (NULL: all) are enough for the file, st as the host counts, or fd (not O_PATH): 0 or -EACCES. As the kernel has it
 * (capable_wrt_inode_uidgid()): over the files of its ids a namespace's root has all power, and over its own; with others it
 * may do what everybody may: of which groups it is, and whom a list names, is not known, so both bits of the mode must say so,
 * and there must be no list.
 */
int rights_check(const struct view_rights *rights, const struct stat *st, unsigned want);
int rights_fd(const struct view_rights *rights, int fd, unsigned want);

/* One layer's directory in a merged one. */
struct view_part {
	int fd;
	unsigned layer;
};
/* A merged directory. Free with view_dir_close(). */
struct view_dir {
	const struct view *view;
	struct view_part *parts; /* from the uppermost one down; at least one */
	size_t n;
	bool xwhiteouts; /* overlay's second kind of whiteout is in use here (Linux 6.7, opaque="x") */
};
void view_dir_close(struct view_dir *dir);
#define _cleanup_view_dir_ _cleanup_(view_dir_close)

/* The root of the view's layers from number first on. -ENOMEM, -EMFILE. */
int view_root(const struct view *v, size_t first, struct view_dir *ret);

/*
 * The merged directory, of the layers from number first on, that path's last component is in: where a redirect leads. path is
 * absolute and sound (marks_redirect()); *ret_name is its last component, in path. -ENOENT, -ENOTDIR.
 */
int view_enter_parent(const struct view *v, size_t first, const char *path, struct view_dir *ret,
		      const char **ret_name);

/* The same directory with file descriptors of its own. */
int view_dir_again(const struct view_dir *dir, struct view_dir *ret);

/* A name in a merged directory. */
struct view_name {
	const char *name;   /* the list's */
	unsigned part;	    /* where it is: index in the directory's parts */
	unsigned char type; /* DT_*, DT_UNKNOWN where the file system does not say */
	bool whiteout;	    /* only with VIEW_LIST_WHITEOUTS */
};
/* Sorted by bytes. Free with view_list_clear(). */
struct view_list {
	struct view_name *items;
	size_t n;
	char *names;
	/* private: where those begin that there was no room for (NULL: there are none), and how often they are still looked for */
	char *last;
	uint64_t again;
};
void view_list_clear(struct view_list *list);
#define _cleanup_view_list_ _cleanup_(view_list_clear)

enum view_list_flags {
	VIEW_LIST_WHITEOUTS = 1 << 0, /* names that are deleted here are given, too */
};
/*
 * The names that the first n_parts parts of dir make (n_parts: dir->n for all). About 20 bytes and the name for each are held in
 * memory, for 65,536 of them or 1 MiB at the most: the first ones. With view_list_more() come those behind them.
 */
int view_list(const struct view_dir *dir, size_t n_parts, unsigned flags, struct view_list *ret);
/*
 * The next names of the same directory instead of those that list has, with the same arguments. 1: there are some, 0: there are
 * none, and the list stays as it is. The directory is read again: a name that was made or deleted meanwhile may be given or
 * not, none is given twice, and who goes on making names does not keep us. < 0: the list is empty, and stays so.
 */
int view_list_more(const struct view_dir *dir, size_t n_parts, unsigned flags,
		   struct view_list *list);

/* One file of a merged directory. */
struct view_node {
	struct stat
		st; /* of the uppermost; size is right also where its data is not there (metacopy), ids are those inside */
	unsigned part;
};
/*
 * Looks name (one component) up; a link is not followed. -ENOENT: none, or deleted.
 */
int view_lookup(const struct view_dir *dir, const char *name, struct view_node *ret);
/* The same where a list said which part has it, for one system call. -ENOENT also for a whiteout. */
int view_stat(const struct view_dir *dir, const struct view_name *name, struct view_node *ret);

/* The merged directory name, which view_lookup() found to be one. -ENOTDIR when it is none any more. */
int view_enter(const struct view_dir *dir, const char *name, const struct view_node *node,
	       struct view_dir *ret);
/*
 * The data of the regular file name. Never opens a device or waits for a FIFO: -ESTALE when it is not regular any more.
 * Leaves no access time where that can be had. The caller's fd.
 */
int view_open(const struct view_dir *dir, const char *name, const struct view_node *node,
	      int *ret_fd);
/*
 * The same, and node becomes what was opened, as it is now, whatever was looked at before. *ret_top: a second fd, on what says of
 * which mode, owner and attributes the file is, where its data is another one's further down (metacopy); else -EBADF.
 */
int view_open_as(const struct view_dir *dir, const char *name, struct view_node *node, int *ret_fd,
		 int *ret_top);
/* The ids of what fstat() said of a file of that part become those inside. */
void view_ids_inside(const struct view_dir *dir, size_t part, struct stat *st);
/* openat(2) of one component below a directory of the layer, as its one_mount wants it: io_open_one_mount(). */
int view_openat(const struct view_layer *layer, int dirfd, const char *name, int flags);
/* Whether fd is on a file system of the kernel's own, which is no storage: proc, sysfs, cgroup, debugfs, tracefs. */
bool view_is_pseudo(int fd);
/* Where the link name leads, as bytes of the container. free() it. */
int view_readlink(const struct view_dir *dir, const char *name, const struct view_node *node,
		  char **ret);

/* An extended attribute. */
struct view_xattr {
	const char *name; /* the list's */
	const void *value;
	size_t len;
};
struct view_xattrs {
	struct view_xattr *items; /* by name */
	size_t n;
	char *buf;
};
void view_xattrs_clear(struct view_xattrs *x);
#define _cleanup_view_xattrs_ _cleanup_(view_xattrs_clear)
/*
 * The attributes of name (any type) as the container sees them: without the marks of its layers, and with those of a
 * nested overlay under their own names. None is no error; -E2BIG above 1 MiB in all.
 */
int view_xattrs(const struct view_dir *dir, const char *name, const struct view_node *node,
		struct view_xattrs *ret);
/* The same of what is open already, of whichever name it is now. */
int view_xattrs_of_fd(const struct view *v, int fd, struct view_xattrs *ret);

#endif
