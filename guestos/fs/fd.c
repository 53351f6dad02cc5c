/*
 * Tables of file descriptors. A table is shared by threads (CLONE_FILES) and copied by fork; it
 * grows by doubling, up to RLIMIT_NOFILE.
 */
#include "guestos/fs/fd.h"
#include "guestos/fs/file_lock.h"
#include "guestos/kernel/string.h"
#include "guestos/mm/slab.h"
#include "guestos/proc/process.h"

#define FIRST_SIZE 32u
#define MAX_SIZE   65536u /* 512 KiB of pointers */

struct fd_table {
    u32 users;
    struct spinlock lock;
    u32 size;
    struct file **file; /* held; NULL: free */
    u8 *close_on_exec;
};

static bool grow(struct fd_table *t, u32 size) /* t->lock not held; false: no memory */
{
    struct file **file = kmalloc(size * sizeof *file);
    u8 *flags = kmalloc(size);

    if (!file || !flags) {
        kfree(file);
        kfree(flags);
        return false;
    }
    spin_lock(&t->lock);
    if (t->size < size) {
        struct file **old_file = t->file;
        u8 *old_flags = t->close_on_exec;
        memcpy(file, old_file, t->size * sizeof *file);
        memcpy(flags, old_flags, t->size);
        t->file = file;
        t->close_on_exec = flags;
        t->size = size;
        file = old_file;
        flags = old_flags;
    }
    spin_unlock(&t->lock);
    kfree(file);
    kfree(flags);
    return true;
}

struct fd_table *fd_table_new(void)
{
    struct fd_table *t = kmalloc(sizeof *t);

    if (t) {
        t->users = 1;
        spin_init(&t->lock, "descriptors");
        if (!grow(t, FIRST_SIZE)) {
            kfree(t);
            return NULL;
        }
    }
    return t;
}

struct fd_table *fd_table_hold(struct fd_table *t)
{
    __atomic_add_fetch(&t->users, 1, __ATOMIC_RELAXED);
    return t;
}

struct fd_table *fd_table_copy(struct fd_table *from)
{
    struct fd_table *t = fd_table_new();

    while (t && t->size < from->size) {
        if (!grow(t, from->size)) {
            fd_table_put(t);
            return NULL;
        }
    }
    if (t) {
        spin_lock(&from->lock);
        for (u32 i = 0; i < from->size && i < t->size; i++) {
            if (from->file[i]) {
                t->file[i] = file_hold(from->file[i]);
                t->close_on_exec[i] = from->close_on_exec[i];
            }
        }
        spin_unlock(&from->lock);
    }
    return t;
}

static int close_file(struct fd_table *t, struct file *file)
{
    int error = 0;

    if (!(file->flags & O_PATH)) {
        error = file->ops->flush ? file->ops->flush(file) : 0;
        file_locks_closed(file, t);
    }
    file_put(file);
    return error;
}

void fd_table_put(struct fd_table *t)
{
    if (__atomic_sub_fetch(&t->users, 1, __ATOMIC_ACQ_REL)) {
        return;
    }
    for (u32 i = 0; i < t->size; i++) {
        if (t->file[i]) {
            (void)close_file(t, t->file[i]);
        }
    }
    kfree(t->file);
    kfree(t->close_on_exec);
    kfree(t);
}

/* execve: a table that others use, too, is copied. If there is no memory it stays shared. */
void fd_table_unshare(struct process *p)
{
    struct fd_table *shared = p->files, *own;

    if (__atomic_load_n(&shared->users, __ATOMIC_ACQUIRE) > 1 && (own = fd_table_copy(shared))) {
        p->files = own;
        fd_table_put(shared);
    }
}

static struct file *take(struct fd_table *t, u32 fd)
{
    spin_lock(&t->lock);
    struct file *file = fd < t->size ? t->file[fd] : NULL;
    if (file) {
        t->file[fd] = NULL;
        t->close_on_exec[fd] = 0;
    }
    spin_unlock(&t->lock);
    return file;
}

void fd_close_on_exec(struct fd_table *t)
{
    for (u32 i = 0; i < t->size; i++) {
        if (t->close_on_exec[i]) {
            struct file *file = take(t, i);
            if (file) {
                (void)close_file(t, file);
            }
        }
    }
}

static struct fd_table *mine(void)
{
    return this_process() ? this_process()->files : NULL;
}

struct file *fd_get_from(struct fd_table *t, u32 fd)
{
    struct file *file = NULL;

    if (t) {
        spin_lock(&t->lock);
        if (fd < t->size && t->file[fd]) {
            file = file_hold(t->file[fd]);
        }
        spin_unlock(&t->lock);
    }
    return file;
}

struct file *fd_get(int fd)
{
    return fd < 0 ? NULL : fd_get_from(mine(), (u32)fd);
}

struct file *fd_get_io(int fd)
{
    struct file *file = fd_get(fd);

    if (file && (file->flags & O_PATH)) {
        file_put(file);
        file = NULL;
    }
    return file;
}

u32 fd_limit(void)
{
    return (u32)MIN(this_process()->limit[RLIMIT_NOFILE].soft, MAX_SIZE);
}

int fd_install(struct file *file, u32 lowest, bool close_on_exec)
{
    struct fd_table *t = mine();
    u32 limit = fd_limit();

    for (;;) {
        spin_lock(&t->lock);
        u32 fd = lowest;
        while (fd < t->size && t->file[fd]) {
            fd++;
        }
        if (fd < limit && fd < t->size) {
            t->file[fd] = file;
            t->close_on_exec[fd] = close_on_exec;
            spin_unlock(&t->lock);
            return (int)fd;
        }
        u32 size = t->size;
        spin_unlock(&t->lock);
        while (size <= fd) {
            size *= 2;
        }
        if (fd >= limit || !grow(t, size)) {
            file_put(file);
            return fd >= limit ? -EMFILE : -ENOMEM;
        }
    }
}

int fd_install_at(struct file *file, u32 fd, bool close_on_exec)
{
    struct fd_table *t = mine();
    u32 size = FIRST_SIZE;

    while (size <= fd) {
        size *= 2;
    }
    if (fd >= fd_limit() || (t->size <= fd && !grow(t, size))) {
        file_put(file);
        return fd >= fd_limit() ? -EBADF : -ENOMEM;
    }
    spin_lock(&t->lock);
    struct file *old = t->file[fd];
    t->file[fd] = file;
    t->close_on_exec[fd] = close_on_exec;
    spin_unlock(&t->lock);
    if (old) {
        (void)close_file(t, old);
    }
    return (int)fd;
}

int fd_close(u32 fd)
{
    struct fd_table *t = mine();
    struct file *file = take(t, fd);

    return file ? close_file(t, file) : -EBADF;
}

int fd_flags(u32 fd, int set)
{
    struct fd_table *t = mine();
    int result = -EBADF;

    spin_lock(&t->lock);
    if (fd < t->size && t->file[fd]) {
        result = t->close_on_exec[fd];
        if (set >= 0) {
            t->close_on_exec[fd] = (u8)set;
        }
    }
    spin_unlock(&t->lock);
    return result;
}

u32 fd_table_size(struct fd_table *t)
{
    return t->size;
}
