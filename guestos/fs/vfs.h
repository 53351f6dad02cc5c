/*
 * The virtual file system: what a file system implements, and what the rest of the kernel uses.
 *
 *   file descriptor -> struct file -> struct dentry (a name in a directory) -> struct inode
 *                                                        struct super (a mounted file system) <-'
 *
 * An inode is a file itself; it lives in memory while somebody holds it, and is one object however
 * many names it has. A dentry is a name that has been looked up; it holds its parent and its inode.
 * A mount hides a dentry (`mounted`) behind the root dentry of another file system (`covers`).
 * inode->lock guards its contents, size and, for a directory, its names. Functions return 0 or a
 * count, or a negative errno.
 */
#ifndef GUESTOS_FS_VFS_H
#define GUESTOS_FS_VFS_H

#include "guestos/abi/errno.h"
#include "guestos/abi/stat.h"
#include "guestos/kernel/lock.h"
#include "guestos/mm/frames.h"

#define NAME_MAX 255u
#define PATH_MAX 4096u

struct dir_sink;
struct file;
struct inode;
struct super;
struct dentry;
struct poll_table;
struct block_device;
struct vm_area;
struct epoll_item;

/* ---- a file system */
struct fs_type {
    const char *name;
    bool needs_device;
    bool volatile_names; /* names come and go by themselves (procfs): each lookup asks again */
    /* Fills in super's ops, data, block_bytes, max_bytes and gives the root directory's inode,
     * held. super->readonly is what is asked for, and may be set. Options: mount's text, or "". */
    int (*mount)(struct super *, const char *options, struct inode **root);
    struct list link;
};

struct super_ops {
    int (*write_inode)(struct inode *); /* its metadata to the disk's cache */
    void (*free_inode)(struct inode *); /* memory goes; if nlink is 0, its blocks too */
    int (*statfs)(struct super *, struct abi_statfs *);
    int (*sync)(struct super *); /* superblock and the like; inodes were written before */
    /* Becomes read-only (everything was written) or writable. NULL: -EINVAL. */
    int (*remount)(struct super *, bool readonly);
    void (*unmount)(struct super *); /* nothing is in use any more */
};

struct super {
    const struct fs_type *type;
    const struct super_ops *ops;
    struct block_device *device; /* or NULL */
    u32 dev;                     /* st_dev */
    u32 block_bytes;
    u64 max_bytes; /* of a file */
    bool readonly;
    u32 flags; /* MS_ flags of mount() */
    struct dentry *root;
    struct mutex rename_lock; /* while directories move; outer to their locks */
    struct list inodes;       /* in memory; guarded by the inode table */
    struct list link;         /* of all mounts, oldest first */
    char source[64];          /* for /proc/mounts */
    void *data;
};

/* ---- an inode */
struct inode_ops {
    /* Of a directory; its lock is held. Names are at most NAME_MAX characters, without '/'. */
    int (*lookup)(struct inode *dir, const char *name, struct inode **found); /* held; -ENOENT */
    int (*create)(struct inode *dir, const char *name, u32 mode, u64 rdev, struct inode **made);
    int (*link)(struct inode *dir, const char *name, struct inode *target);
    int (*symlink)(struct inode *dir, const char *name, const char *target, struct inode **made);
    int (*unlink)(struct inode *dir, const char *name, struct inode *target);
    int (*mkdir)(struct inode *dir, const char *name, u32 mode, struct inode **made);
    int (*rmdir)(struct inode *dir, const char *name, struct inode *target);
    /* Both directories are locked; replaced: what has new_name now, or NULL. */
    int (*rename)(struct inode *old_dir, const char *old_name, struct inode *target,
                  struct inode *new_dir, const char *new_name, struct inode *replaced);
    /* Of a symbolic link: its text, held by the caller (kfree), or an error. */
    int (*readlink)(struct inode *, char **text);
    /* The link goes where no text can say (/proc/PID/exe): a held dentry. NULL: by its text. */
    int (*follow)(struct inode *, struct dentry **to);
    int (*truncate)(struct inode *, u64 size); /* blocks; the cache is cut by the caller */
    int (*changed)(struct inode *);            /* mode, owner or times are new. NULL: fine */
    /* The page cache's: pages with consecutive indices, busy, from or to the disk; what lies beyond
     * the end is read as zeroes and not written. The inode is not locked; may sleep. NULL: the
     * cache is all that there is (RAM files). */
    int (*read_pages)(struct inode *, struct page *const *, u32 nr_pages);
    int (*write_pages)(struct inode *, struct page *const *, u32 nr_pages);
    /* Room for bytes [from, to) before they are written to; may fail with -ENOSPC. NULL: none
     * needed. The inode is locked. */
    int (*prepare_write)(struct inode *, u64 from, u64 to);
};

struct inode {
    struct super *super;
    u64 ino;
    u32 refs; /* guarded by the inode table */
    u32 mode, uid, gid, nlink, generation;
    u64 size_bytes, blocks_512, rdev;
    u64 atime_ns, mtime_ns, ctime_ns; /* since 1970 */
    const struct inode_ops *ops;
    const struct file_ops *file_ops; /* of files opened on it */
    bool metadata_dirty;
    u8 state; /* INODE_ bits; guarded by the inode table */
    struct mutex lock;

    /* The page cache (fs/cache.h). */
    struct spinlock cache_lock; /* the tree and the counts */
    void *cache_tree;           /* pages by index */
    u32 cache_height;
    u32 read_window; /* pages that were read ahead last */
    u64 read_next;   /* the index that a sequential reader wants next */
    u64 nr_cached, nr_dirty;
    int write_error;      /* of write-back, since the last fsync */
    struct list mappings; /* vm_areas, guarded by mappings_lock */
    struct mutex mappings_lock;

    struct list super_link, hash_link;
    struct wait_queue open_wait; /* FIFOs */
    u32 nr_writers;              /* open for writing: ETXTBSY */
    u32 nr_executing;
    struct list file_locks; /* fs/lock_file.c */
    void *pipe;             /* FIFOs */
    void *data;             /* the file system's */
};

/* ---- an open file */
struct file_ops {
    int (*open)(struct inode *, struct file *); /* NULL: nothing to do */
    void (*release)(struct file *);             /* the last reference is gone */
    int (*flush)(struct file *);                /* a descriptor is closed */
    /* User addresses; *pos is advanced. NULL: -EINVAL. */
    long (*read)(struct file *, u64 to, u64 len, u64 *pos);
    long (*write)(struct file *, u64 from, u64 len, u64 *pos);
    i64 (*seek)(struct file *, i64 offset, int whence); /* NULL: as of a regular file */
    /* Calls emit for each name from *pos on, until it says false; *pos goes on. */
    int (*readdir)(struct file *, u64 *pos, struct dir_sink *);
    long (*ioctl)(struct file *, u32 command, u64 argument); /* NULL: -ENOTTY */
    u32 (*poll)(struct file *, struct poll_table *);         /* POLL bits; NULL: always ready */
    /* NULL: through the page cache, if it is a regular file. The area is not linked yet; its file,
     * which it holds, may be replaced (NULL: zeroes). */
    int (*mmap)(struct file *, struct vm_area *);
    int (*fsync)(struct file *);
};

struct dir_sink {
    bool (*emit)(struct dir_sink *, const char *name, u32 len, u64 ino, u32 type, u64 next_pos);
};

struct file {
    u32 refs;              /* atomic */
    u32 flags;             /* O_ flags; the changeable ones guarded by pos_lock */
    struct inode *inode;   /* held by the dentry, or by itself if there is none */
    struct dentry *dentry; /* held; NULL for pipes and their like */
    const struct file_ops *ops;
    struct mutex pos_lock;
    u64 pos;
    u32 owner_pid;               /* F_SETOWN */
    struct epoll_item *watchers; /* fs/epoll.c */
    void *data;
};

/* ---- a name */
struct dentry {
    u32 refs; /* all guarded by dentry_lock; an unused one waits in a list to be wanted again */
    struct super *super;
    char *name;             /* "" of a root */
    struct dentry *parent;  /* held; a root's is itself */
    struct inode *inode;    /* held; NULL: the name is known not to exist */
    bool unlinked;          /* no lookup finds it */
    struct dentry *mounted; /* root of what is mounted here */
    struct dentry *covers;  /* of a root: where it is mounted; NULL: nowhere, or the first */
    struct list hash_link, child_link, children, lru;
};

/* ---- inodes (fs/inode.c) */
enum { INODE_NEW = 1, INODE_GOING = 2 };
/* The inode (super, ino), held; *fresh: it is new, nobody else gets it yet, and the caller fills it
 * in, then calls inode_ready() or, if that failed, inode_forget(). NULL: no memory. */
struct inode *inode_get(struct super *, u64 ino, bool *fresh);
/* A new one with that number, as a fresh one of inode_get(). NULL with *error: -EEXIST (one is in
 * memory), -EBUSY (one is going), -ENOMEM. Does not wait: a file system's mutex may be held. */
struct inode *inode_new(struct super *, u64 ino, int *error);
void inode_ready(struct inode *);
void inode_forget(struct inode *);
struct inode *inode_hold(struct inode *);
void inode_put(struct inode *); /* no spinlock held, nor the inode's lock; may write to the disk */
/* A file that no directory knows (pipes and their like), owned by the current process. */
struct inode *inode_unnamed(u32 mode);
/* Of a new one in dir: mode (umask has been applied), owner, times; setgid as of Linux. */
void inode_init_new(struct inode *, const struct inode *dir, u32 mode, u64 rdev);
void inode_set_file_ops(struct inode *);    /* by its mode, for devices and FIFOs */
int inode_write(struct inode *, bool data); /* back: its dirty pages, if wanted, and itself */
/* Goes through a file system's inodes: the next after `last`, held; last is put. NULL: the end. */
struct inode *inode_next(struct super *, struct inode *last);
bool super_has_inodes(struct super *);
void inode_touch(struct inode *, u32 what); /* TOUCH_ bits: the times become now; marks dirty */
enum { TOUCH_ATIME = 1, TOUCH_MTIME = 2, TOUCH_CTIME = 4 };

/* ---- dentries (fs/dentry.c) and paths (fs/path.c) */
struct dentry *dentry_hold(struct dentry *);
void dentry_put(struct dentry *);
enum lookup_flags {
    LOOKUP_FOLLOW = 1,    /* a symbolic link at the end, too */
    LOOKUP_DIRECTORY = 2, /* else -ENOTDIR */
    LOOKUP_NO_SYMLINKS = 4,
};
#define AT_FDCWD (-100)
/* The dentry that path names from dirfd (a descriptor, or AT_FDCWD), held. It exists. */
int path_lookup(int dirfd, const char *path, u32 flags, struct dentry **found);
/* The same for a path in user memory; "" gives dirfd's own file if flags has LOOKUP_EMPTY. */
#define LOOKUP_EMPTY 8
int path_lookup_user(int dirfd, u64 path, u32 flags, struct dentry **found);
/* The absolute path as the current process sees it, in buffer[size]; NULL: too long. Returns where
 * it begins in the buffer, whose last byte ends it. What was unlinked ends in " (deleted)". */
char *path_of(struct dentry *, char *buffer, size_t size);

/* ---- permission (fs/permission.c): the current process', by its fsuid and fsgid */
enum { MAY_EXEC = 1, MAY_WRITE = 2, MAY_READ = 4 };
int inode_permission(struct inode *, u32 wanted); /* 0, -EACCES, -EROFS */

/* ---- files (fs/file.c) */
/* Opens what path names, as open() does. The mode is for O_CREAT, before umask. */
int file_open(int dirfd, const char *path, u32 flags, u32 mode, struct file **opened);
/* A file without a name (pipes and their like); takes over the reference to inode. */
struct file *file_new(struct inode *, const struct file_ops *, u32 flags);
struct file *file_hold(struct file *);
void file_put(struct file *);
/* Into kernel memory, from a place (execve, readdir of config files): bytes, or an error. */
long file_read_kernel(struct file *, void *to, u64 len, u64 pos);
int file_deny_write(struct inode *); /* -ETXTBSY if somebody writes; pairs with allow */
void file_allow_write(struct inode *);
extern const struct file_ops regular_file_ops, char_file_ops, block_file_ops;
extern const struct file_ops fifo_file_ops;      /* of FIFOs, by the pipes' file */
struct file *tmpfs_unnamed_file(u64 size_bytes); /* RAM, for shared anonymous memory; NULL */

/* ---- descriptors (fs/fd.c) */
struct fd_table *fd_table_new(void);               /* empty; NULL: no memory */
struct fd_table *fd_table_hold(struct fd_table *); /* CLONE_FILES */
struct fd_table *fd_table_copy(struct fd_table *); /* fork */
void fd_table_put(struct fd_table *);
void fd_close_on_exec(struct fd_table *);
struct file *fd_get(int fd); /* the current process'; held; NULL: -EBADF */
int fd_install(struct file *, u32 lowest, bool close_on_exec); /* takes over the reference */

/* fs_context: fork and CLONE_FS */
struct fs_context *fs_context_hold(struct fs_context *);
struct fs_context *fs_context_copy(struct fs_context *);
void fs_context_put(struct fs_context *);

/* ---- mounts (fs/mount.c) */
struct dentry *vfs_root(void); /* the first root, held */
void fs_register(struct fs_type *);
/* at: "/" for the first. source: a path of a block device, or a word. */
int fs_mount(const char *type, const char *source, const char *at, u32 flags, const char *options);
int fs_unmount(const char *at);
void fs_sync_all(void);    /* writes everything that is dirty, and waits */
void fs_shutdown(void);    /* before power-off: all is written, marked clean, and read-only */
extern struct list mounts; /* supers; guarded by mounts_lock */
extern struct mutex mounts_lock;
enum {
    MS_RDONLY = 1,
    MS_NOSUID = 2,
    MS_NODEV = 4,
    MS_NOEXEC = 8,
    MS_REMOUNT = 32,
    MS_NOATIME = 1024
};
void vfs_init(void);
/* Mounts the root: device is "hd0p1"'s like, or NULL for the first partition with an ext2. Also
 * makes /dev and /proc where these directories exist. Panics if nothing can be mounted. */
void vfs_mount_root(const char *device);

/* ---- devices: numbers as in Linux' devices list */
#define MAKE_DEV(major, minor)                                                                     \
    ((u64)(minor & 0xFF) | (u64)(major) << 8 | (u64)((minor) & ~0xFFu) << 12)
#define DEV_MAJOR(dev) ((u32)((dev) >> 8) & 0xFFF)
#define DEV_MINOR(dev) (((u32)(dev)&0xFF) | ((u32)((dev) >> 12) & 0xFFF00))
/* A node of devfs, and what opening a character device of that number does. name may hold '/'. */
void device_register(const char *name, u32 mode_and_type, u64 rdev, const struct file_ops *);
const struct file_ops *device_ops(u64 rdev); /* NULL: -ENXIO */

#endif
