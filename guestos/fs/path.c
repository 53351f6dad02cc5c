/*
 * From a path to a dentry. path_resolution(7) says how; a path is walked name by name, and a
 * symbolic link's text is put before what is left of it.
 */
#include "guestos/fs/fs_context.h"
#include "guestos/fs/path.h"
#include "guestos/kernel/string.h"
#include "guestos/mm/slab.h"
#include "guestos/mm/user.h"

static void move_to(struct walk *w, struct dentry *to) /* takes over the reference */
{
    dentry_put(w->at);
    w->at = to;
}

/* ---- beginning and end */

static int begin_at(struct walk *w, int dirfd)
{
    if (*w->rest == '/') {
        w->at = dentry_hold(w->root);
        return 0;
    }
    if (dirfd == AT_FDCWD) {
        w->at = context_cwd();
        return 0;
    }
    struct file *file = fd_get(dirfd);
    int error = 0;
    if (!file) {
        return -EBADF;
    }
    if (!file->dentry || (*w->rest && !S_ISDIR(file->inode->mode))) {
        error = -ENOTDIR;
    } else {
        w->at = dentry_hold(file->dentry);
    }
    file_put(file);
    return error;
}

static int begin(struct walk *w, int dirfd, u32 flags) /* w->buffer is the path */
{
    w->flags = flags;
    w->rest = w->buffer;
    w->root = context_root();
    if (!*w->rest && !(flags & LOOKUP_EMPTY)) {
        return -ENOENT;
    }
    return begin_at(w, dirfd);
}

int walk_begin(struct walk *w, int dirfd, const char *path, u32 flags)
{
    *w = (struct walk){.buffer = kstrdup(path)};
    return w->buffer ? begin(w, dirfd, flags) : -ENOMEM;
}

int walk_begin_user(struct walk *w, int dirfd, u64 path, u32 flags)
{
    *w = (struct walk){.buffer = kmalloc(PATH_MAX)};
    if (!w->buffer) {
        return -ENOMEM;
    }
    long len = string_from_user(w->buffer, path, PATH_MAX);
    return len < 0 ? (int)len : begin(w, dirfd, flags);
}

void walk_end(struct walk *w)
{
    dentry_put(w->at);
    dentry_put(w->root);
    kfree(w->buffer);
    dentry_trim(DENTRIES_UNUSED_MAX);
}

/* ---- steps */

/* What is mounted over d, over that, ...; takes over the reference. */
static struct dentry *cross_mounts(struct dentry *d)
{
    for (;;) {
        spin_lock(&dentry_lock);
        struct dentry *above = d->mounted;
        if (above) {
            dentry_hold_locked(above);
        }
        spin_unlock(&dentry_lock);
        if (!above) {
            return d;
        }
        dentry_put(d);
        d = above;
    }
}

static struct dentry *parent_of(const struct walk *w) /* held */
{
    struct dentry *d = w->at;

    spin_lock(&dentry_lock);
    while (d != w->root && d->parent == d && d->covers) {
        d = d->covers;
    }
    if (d != w->root) {
        d = d->parent;
    }
    dentry_hold_locked(d);
    spin_unlock(&dentry_lock);
    return cross_mounts(d);
}

static void take_name(struct walk *w)
{
    u32 len = 0;

    for (; *w->rest && *w->rest != '/'; w->rest++) {
        if (len <= NAME_MAX) {
            w->name[len++] = *w->rest;
        }
    }
    w->name[len] = 0;
    w->slash = *w->rest == '/';
    while (*w->rest == '/') {
        w->rest++;
    }
}

static enum last_kind kind_of(const char *name)
{
    if (name[0] != '.') {
        return LAST_NAME;
    }
    return !name[1] ? LAST_DOT : name[1] == '.' && !name[2] ? LAST_DOTDOT : LAST_NAME;
}

int walk_last(struct walk *w, struct dentry **found)
{
    switch (w->last) {
    case LAST_DOT:
    case LAST_ROOT: *found = dentry_hold(w->at); return 0;
    case LAST_DOTDOT: *found = parent_of(w); return 0;
    case LAST_NAME: break;
    }
    int error = dentry_lookup(w->at, w->name, found);
    if (!error) {
        *found = cross_mounts(*found);
    }
    return error;
}

/* The text of a link goes before what is left. */
static int expand(struct walk *w, struct inode *link)
{
    char *text;
    int error = link->ops->readlink ? link->ops->readlink(link, &text) : -EINVAL;

    if (error) {
        return error;
    }
    size_t text_len = strlen(text), rest_len = strlen(w->rest);
    char *buffer = kmalloc(text_len + rest_len + 2);
    if (!*text || !buffer) {
        kfree(buffer);
        kfree(text);
        return *text ? -ENOMEM : -ENOENT;
    }
    memcpy(buffer, text, text_len);
    if (w->slash) {
        buffer[text_len++] = '/';
    }
    memcpy(buffer + text_len, w->rest, rest_len + 1);
    if (*text == '/') {
        move_to(w, dentry_hold(w->root));
    }
    kfree(text);
    kfree(w->buffer);
    w->rest = w->buffer = buffer;
    inode_touch(link, TOUCH_ATIME);
    return 0;
}

static int follow(struct walk *w, struct dentry *d, struct dentry **jumped)
{
    struct inode *link = d->inode;

    *jumped = NULL;
    if (++w->nr_links > MAX_LINKS || (w->flags & LOOKUP_NO_SYMLINKS)) {
        return -ELOOP;
    }
    return link->ops->follow ? link->ops->follow(link, jumped) : expand(w, link);
}

/* Into the directory that the name in the middle of a path means. */
static int step(struct walk *w)
{
    struct dentry *d, *jumped;
    int error = walk_last(w, &d);

    if (error) {
        return error;
    }
    if (!d->inode) {
        error = -ENOENT;
    } else if (S_ISLNK(d->inode->mode)) {
        error = follow(w, d, &jumped);
        if (!error && jumped) {
            move_to(w, jumped);
        }
    } else {
        move_to(w, d);
        return 0;
    }
    dentry_put(d);
    return error;
}

int walk_to_last(struct walk *w)
{
    while (*w->rest == '/') {
        w->rest++;
    }
    while (*w->rest) {
        if (!S_ISDIR(w->at->inode->mode)) {
            return -ENOTDIR;
        }
        int error = inode_permission(w->at->inode, MAY_EXEC);
        if (error) {
            return error;
        }
        take_name(w);
        w->last = kind_of(w->name);
        if (!*w->rest) {
            return 0;
        }
        error = step(w);
        if (error) {
            return error;
        }
        while (*w->rest == '/') {
            w->rest++;
        }
    }
    w->last = LAST_ROOT;
    w->slash = false;
    return 0;
}

int walk_follow(struct walk *w, struct dentry *link, struct dentry **jumped)
{
    int error = follow(w, link, jumped);

    return error || *jumped ? error : walk_to_last(w);
}

int walk_all(struct walk *w, struct dentry **found)
{
    struct dentry *d, *jumped;
    int error = walk_to_last(w);

    while (!error) {
        error = walk_last(w, &d);
        if (error) {
            break;
        }
        if (!d->inode) {
            error = -ENOENT;
        } else if (S_ISLNK(d->inode->mode) && ((w->flags & LOOKUP_FOLLOW) || w->slash)) {
            bool slash = w->slash;
            error = walk_follow(w, d, &jumped);
            if (!error && !jumped) {
                dentry_put(d);
                continue;
            }
            if (!error) {
                dentry_put(d);
                d = jumped;
                w->slash = slash;
            }
        }
        if (!error && (w->slash || (w->flags & LOOKUP_DIRECTORY)) && !S_ISDIR(d->inode->mode)) {
            error = -ENOTDIR;
        }
        if (error) {
            dentry_put(d);
        } else {
            *found = d;
        }
        return error;
    }
    return error;
}

int path_lookup(int dirfd, const char *path, u32 flags, struct dentry **found)
{
    struct walk w;
    int error = walk_begin(&w, dirfd, path, flags);

    error = error ? error : walk_all(&w, found);
    walk_end(&w);
    return error;
}

int path_lookup_user(int dirfd, u64 path, u32 flags, struct dentry **found)
{
    struct walk w;
    int error = walk_begin_user(&w, dirfd, path, flags);

    error = error ? error : walk_all(&w, found);
    walk_end(&w);
    return error;
}

/* ---- the last name, to be made or deleted */

int walk_lock_new(struct walk *w, bool is_directory, struct dentry **negative)
{
    struct inode *dir = w->at->inode;
    struct dentry *d;

    if (w->last != LAST_NAME) {
        return -EEXIST;
    }
    mutex_lock(&dir->lock);
    int error = dentry_lookup_locked(w->at, w->name, &d);
    if (!error) {
        error = d->inode ? -EEXIST : w->slash && !is_directory ? -ENOENT : may_create(dir);
        if (error) {
            dentry_put(d);
        }
    }
    if (error) {
        mutex_unlock(&dir->lock);
        return error;
    }
    *negative = d;
    return 0;
}

int walk_lock_victim(struct walk *w, bool is_directory, struct dentry **victim)
{
    struct inode *dir = w->at->inode;
    struct dentry *d;

    if (w->last != LAST_NAME) {
        return !is_directory            ? -EISDIR
               : w->last == LAST_DOT    ? -EINVAL
               : w->last == LAST_DOTDOT ? -ENOTEMPTY
                                        : -EBUSY;
    }
    mutex_lock(&dir->lock);
    int error = dentry_lookup_locked(w->at, w->name, &d);
    if (!error) {
        if (!d->inode) {
            error = -ENOENT;
        } else if (w->slash && !is_directory) {
            error = S_ISDIR(d->inode->mode) ? -EISDIR : -ENOTDIR;
        } else {
            error = may_delete(dir, d->inode);
        }
        if (!error && S_ISDIR(d->inode->mode) != is_directory) {
            error = is_directory ? -ENOTDIR : -EISDIR;
        }
        if (!error && d->mounted) {
            error = -EBUSY;
        }
        if (error) {
            dentry_put(d);
        }
    }
    if (error) {
        mutex_unlock(&dir->lock);
        return error;
    }
    *victim = d;
    return 0;
}
