/*
 * Walking a path, for the system calls: to the directory that holds its last name, then to that
 * name. Symbolic links on the way are followed, at most 40 of them; mounts are crossed.
 */
#ifndef GUESTOS_FS_PATH_H
#define GUESTOS_FS_PATH_H

#include "guestos/fs/vfs.h"

#define MAX_LINKS 40

enum last_kind { LAST_NAME, LAST_DOT, LAST_DOTDOT, LAST_ROOT };

struct walk {
    struct dentry *root;     /* held: the process' */
    struct dentry *at;       /* held: the directory reached */
    const char *rest;        /* of the path, in buffer */
    char *buffer;            /* kmalloc'ed */
    u32 nr_links, flags;     /* LOOKUP_ */
    enum last_kind last;     /* of what follows `at` */
    bool slash;              /* it had one behind it: it must be a directory */
    char name[NAME_MAX + 2]; /* of a longer one so much that it is seen to be too long */
};

/* Begins at dirfd, or the root if the path is absolute. The walk is to be ended in any case. */
int walk_begin(struct walk *, int dirfd, const char *path, u32 flags);
int walk_begin_user(struct walk *, int dirfd, u64 path, u32 flags);
void walk_end(struct walk *);
/* Goes to the directory of the last name; w->at, w->last, w->name say where. */
int walk_to_last(struct walk *);
/* What the last name names, held, maybe negative (inode NULL); not followed. The directory is not
 * locked. */
int walk_last(struct walk *, struct dentry **found);
/* The last name is this symbolic link: goes on to the last name of where it leads. *jumped: the
 * link led to a dentry itself, held, and the walk is over. */
int walk_follow(struct walk *, struct dentry *link, struct dentry **jumped);
/* The whole way: what the path names, held, existing; links at the end by flags. */
int walk_all(struct walk *, struct dentry **found);

/* Locks w->at and finds the last name there, which must not exist: -EEXIST; or must. Checks what
 * creating, or deleting, needs. On success w->at's inode is locked. */
int walk_lock_new(struct walk *, bool is_directory, struct dentry **negative);
int walk_lock_victim(struct walk *, bool is_directory, struct dentry **victim);

/* ---- fs/dentry.c */
extern struct spinlock dentry_lock;         /* the table, parents, children, mounted, covers */
struct dentry *dentry_root(struct inode *); /* takes over the reference; NULL: no memory */
/* name in dir, held, maybe negative; asks the file system if it is not known. */
int dentry_lookup(struct dentry *dir, const char *name, struct dentry **found);
int dentry_lookup_locked(struct dentry *dir, const char *name, struct dentry **found);
void dentry_fill(struct dentry *, struct inode *); /* negative no more; takes over the reference */
void dentry_unlink(struct dentry *);               /* its name is gone */
void dentry_move(struct dentry *, struct dentry *new_dir, struct dentry *replaced); /* renamed */
void dentry_hold_locked(struct dentry *);                       /* dentry_lock is held */
bool dentry_is_below(struct dentry *, struct dentry *ancestor); /* or equal */
void dentry_trim(u32 keep);         /* drops unused ones beyond so many; no lock held */
void dentry_forget(struct super *); /* all unused ones of a file system */
u64 dentry_count(void);

/* ---- fs/permission.c */
int may_create(struct inode *dir);
int may_delete(struct inode *dir, struct inode *victim);
bool is_owner(const struct inode *); /* fsuid owns it, or is root */

#endif
