/* Root, working directory and umask of processes. */
#include "guestos/fs/fs_context.h"
#include "guestos/fs/path.h"
#include "guestos/mm/slab.h"
#include "guestos/proc/process.h"
#include "guestos/sys/syscall.h"

static struct fs_context *context_new(struct dentry *root, struct dentry *cwd, u32 umask)
{
    struct fs_context *c = kmalloc(sizeof *c);

    if (c) {
        c->users = 1;
        spin_init(&c->lock, "fs context");
        c->root = root;
        c->cwd = cwd;
        c->umask = umask;
    } else {
        dentry_put(root);
        dentry_put(cwd);
    }
    return c;
}

struct fs_context *fs_context_new(void)
{
    return context_new(vfs_root(), vfs_root(), 022);
}

struct fs_context *fs_context_hold(struct fs_context *c)
{
    __atomic_add_fetch(&c->users, 1, __ATOMIC_RELAXED);
    return c;
}

static struct dentry *held(struct fs_context *c, struct dentry **which)
{
    spin_lock(&c->lock);
    struct dentry *d = dentry_hold(*which);
    spin_unlock(&c->lock);
    return d;
}

struct fs_context *fs_context_copy(struct fs_context *c)
{
    return context_new(held(c, &c->root), held(c, &c->cwd), c->umask);
}

void fs_context_put(struct fs_context *c)
{
    if (__atomic_sub_fetch(&c->users, 1, __ATOMIC_ACQ_REL) == 0) {
        dentry_put(c->root);
        dentry_put(c->cwd);
        kfree(c);
    }
}

static struct fs_context *mine(void)
{
    return this_process() ? this_process()->fs : NULL;
}

struct dentry *context_root(void)
{
    struct fs_context *c = mine();
    return c ? held(c, &c->root) : vfs_root();
}

struct dentry *context_cwd(void)
{
    struct fs_context *c = mine();
    return c ? held(c, &c->cwd) : vfs_root();
}

u32 context_umask(void)
{
    struct fs_context *c = mine();
    return c ? c->umask : 022;
}

static void set(struct dentry **which, struct dentry *to)
{
    struct fs_context *c = mine();

    spin_lock(&c->lock);
    struct dentry *old = *which;
    *which = to;
    spin_unlock(&c->lock);
    dentry_put(old);
}

void context_set_cwd(struct dentry *d)
{
    set(&mine()->cwd, d);
}

void context_set_root(struct dentry *d)
{
    set(&mine()->root, d);
}

/* ---- system calls */

static int change_to(struct dentry *d, void (*to)(struct dentry *))
{
    int error = S_ISDIR(d->inode->mode) ? inode_permission(d->inode, MAY_EXEC) : -ENOTDIR;

    if (error) {
        dentry_put(d);
    } else {
        to(d);
    }
    return error;
}

long sys_chdir(const u64 *arg)
{
    struct dentry *d;
    int error = path_lookup_user(AT_FDCWD, arg[0], LOOKUP_FOLLOW | LOOKUP_DIRECTORY, &d);

    return error ? error : change_to(d, context_set_cwd);
}

long sys_fchdir(const u64 *arg)
{
    struct file *file = fd_get((int)arg[0]);

    if (!file) {
        return -EBADF;
    }
    int error = file->dentry ? change_to(dentry_hold(file->dentry), context_set_cwd) : -ENOTDIR;
    file_put(file);
    return error;
}

long sys_chroot(const u64 *arg)
{
    struct dentry *d;
    int error = path_lookup_user(AT_FDCWD, arg[0], LOOKUP_FOLLOW | LOOKUP_DIRECTORY, &d);

    if (!error && !is_superuser()) {
        dentry_put(d);
        return -EPERM;
    }
    return error ? error : change_to(d, context_set_root);
}

long sys_getcwd(const u64 *arg)
{
    char *buffer = kmalloc(PATH_MAX);
    struct dentry *cwd = context_cwd();
    long result;

    if (!buffer) {
        dentry_put(cwd);
        return -ENOMEM;
    }
    char *path = path_of(cwd, buffer, PATH_MAX);
    if (cwd->unlinked) {
        result = -ENOENT;
    } else if (!path) {
        result = -ENAMETOOLONG;
    } else {
        result = buffer + PATH_MAX - path;
        if ((u64)result > arg[1]) {
            result = -ERANGE;
        } else if (copy_to_user(arg[0], path, (size_t)result)) {
            result = -EFAULT;
        }
    }
    dentry_put(cwd);
    kfree(buffer);
    return result;
}

long sys_umask(const u64 *arg)
{
    struct fs_context *c = mine();
    u32 old = c->umask;

    c->umask = (u32)arg[0] & 0777;
    return old;
}
