/*
 * rename(2). Two directories are locked, the upper one first, or the one at the lower address if
 * neither is above the other; which is which cannot change, as super->rename_lock is held.
 */
#include "guestos/fs/path.h"
#include "guestos/sys/syscall.h"

enum { RENAME_NOREPLACE = 1, RENAME_EXCHANGE = 2, RENAME_WHITEOUT = 4 };

struct renaming {
    struct walk from, to;
    struct dentry *old, *new; /* held, once found; new may be negative */
    u32 flags;
};

static void lock_both(struct dentry *a, struct dentry *b)
{
    if (a == b || a->inode == b->inode) {
        mutex_lock(&a->inode->lock);
        return;
    }
    mutex_lock(&a->super->rename_lock);
    bool a_first = dentry_is_below(b, a) || (!dentry_is_below(a, b) && a->inode < b->inode);
    mutex_lock(a_first ? &a->inode->lock : &b->inode->lock);
    mutex_lock(a_first ? &b->inode->lock : &a->inode->lock);
}

static void unlock_both(struct dentry *a, struct dentry *b)
{
    mutex_unlock(&a->inode->lock);
    if (a->inode != b->inode) {
        mutex_unlock(&b->inode->lock);
        mutex_unlock(&a->super->rename_lock);
    }
}

/* What the file system need not know. */
static int check_rename(struct renaming *r)
{
    struct inode *old_dir = r->from.at->inode, *new_dir = r->to.at->inode;
    struct inode *old = r->old->inode, *new = r->new->inode;
    int error;

    if (new && (r->flags & RENAME_NOREPLACE)) {
        return -EEXIST;
    }
    if (!S_ISDIR(old->mode) && (r->from.slash || r->to.slash)) {
        return -ENOTDIR;
    }
    if (dentry_is_below(r->to.at, r->old)) {
        return -EINVAL; /* into itself */
    }
    if (dentry_is_below(r->from.at, r->new)) {
        return -ENOTEMPTY;
    }
    if ((error = may_delete(old_dir, old))) {
        return error;
    }
    error = new ? may_delete(new_dir, new) : may_create(new_dir);
    if (error) {
        return error;
    }
    if (new &&S_ISDIR(old->mode) != S_ISDIR(new->mode)) {
        return S_ISDIR(old->mode) ? -ENOTDIR : -EISDIR;
    }
    if (r->old->mounted || r->new->mounted) {
        return -EBUSY;
    }
    if (S_ISDIR(old->mode) && old_dir != new_dir) {
        return inode_permission(old, MAY_WRITE); /* its ".." changes */
    }
    return old_dir->ops->rename ? 0 : -EPERM;
}

static int rename_locked(struct renaming *r)
{
    struct inode *old_dir = r->from.at->inode, *new_dir = r->to.at->inode;
    int error = dentry_lookup_locked(r->from.at, r->from.name, &r->old);

    if (!error && !r->old->inode) {
        error = -ENOENT;
    }
    error = error ? error : dentry_lookup_locked(r->to.at, r->to.name, &r->new);
    error = error ? error : check_rename(r);
    if (error || r->old->inode == r->new->inode) {
        return error; /* two names of one file: both stay */
    }
    struct inode *replaced = r->new->inode;
    bool lock = replaced && S_ISDIR(replaced->mode);
    if (lock) {
        mutex_lock(&replaced->lock);
    }
    error =
        old_dir->ops->rename(old_dir, r->from.name, r->old->inode, new_dir, r->to.name, replaced);
    if (!error) {
        dentry_move(r->old, r->to.at, r->new);
    }
    if (lock) {
        mutex_unlock(&replaced->lock);
    }
    return error;
}

static long rename_at(int old_dirfd, u64 old_path, int new_dirfd, u64 new_path, u32 flags)
{
    struct renaming r = {.flags = flags};

    if (flags & ~(u32)RENAME_NOREPLACE) {
        return -EINVAL;
    }
    int error = walk_begin_user(&r.from, old_dirfd, old_path, 0);
    error = error ? error : walk_to_last(&r.from);
    error = error ? error : walk_begin_user(&r.to, new_dirfd, new_path, 0);
    error = error ? error : walk_to_last(&r.to);
    if (!error && r.from.at->super != r.to.at->super) {
        error = -EXDEV;
    }
    if (!error && r.from.last != LAST_NAME) {
        error = -EBUSY;
    }
    if (!error && r.to.last != LAST_NAME) {
        error = flags & RENAME_NOREPLACE ? -EEXIST : -EBUSY;
    }
    if (!error) {
        lock_both(r.from.at, r.to.at);
        error = rename_locked(&r);
        unlock_both(r.from.at, r.to.at);
    }
    dentry_put(r.old);
    dentry_put(r.new);
    walk_end(&r.from);
    walk_end(&r.to);
    return error;
}

long sys_rename(const u64 *arg)
{
    return rename_at(AT_FDCWD, arg[0], AT_FDCWD, arg[1], 0);
}

long sys_renameat(const u64 *arg)
{
    return rename_at((int)arg[0], arg[1], (int)arg[2], arg[3], 0);
}

long sys_renameat2(const u64 *arg)
{
    return rename_at((int)arg[0], arg[1], (int)arg[2], arg[3], (u32)arg[4]);
}
