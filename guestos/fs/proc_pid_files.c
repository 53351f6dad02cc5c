/* /proc/PID/ where memory and files are: cmdline, environ, maps; the links exe, cwd, root, fd/N. */
#include "guestos/fs/fd.h"
#include "guestos/fs/path.h"
#include "guestos/fs/proc_fs.h"
#include "guestos/mm/area.h"
#include "guestos/mm/layout.h"
#include "guestos/mm/slab.h"
#include "guestos/proc/process.h"

#define NAME_COLUMN 73u /* of maps */

/* ---- who asks */

int proc_self(struct text *t, const struct proc_ref *ref)
{
    (void)ref;
    text_print(t, "%u", this_process()->pid);
    return 0;
}

int proc_thread_self(struct text *t, const struct proc_ref *ref)
{
    (void)ref;
    text_print(t, "%u/task/%u", this_process()->pid, current()->tid);
    return 0;
}

/* ---- memory */

/* The bytes of [begin, end) as far as they can be read. */
static int add_memory(struct text *t, struct vm *vm, u64 begin, u64 end)
{
    char *buffer = kmalloc(PAGE_BYTES);

    if (!buffer) {
        return -ENOMEM;
    }
    while (begin < end && !t->failed) {
        int got = vm_read(vm, begin, buffer, MIN(end - begin, (u64)PAGE_BYTES));
        if (got <= 0) {
            break;
        }
        text_add(t, buffer, (size_t)got);
        begin += (u64)got;
    }
    kfree(buffer);
    return 0;
}

int proc_pid_cmdline(struct text *t, const struct proc_ref *ref)
{
    struct vm *vm;
    int result = proc_hold_vm(ref, &vm);

    if (result == 0 && vm) {
        result = add_memory(t, vm, vm->args_begin, vm->args_end);
        vm_put(vm);
    }
    return result;
}

int proc_pid_environ(struct text *t, const struct proc_ref *ref)
{
    struct vm *vm;
    int result = proc_may_look(ref);

    if (result == 0) {
        result = proc_hold_vm(ref, &vm);
    }
    if (result == 0 && vm) {
        result = add_memory(t, vm, vm->env_begin, vm->env_end);
        vm_put(vm);
    }
    return result;
}

static void print_area(struct text *t, const struct vm_area *a, char *buffer)
{
    const struct inode *inode = a->file ? a->file->inode : NULL;
    u32 dev = inode ? inode->super->dev : 0;
    size_t line = t->len;
    const char *name = a->name;

    text_print(t, "%08lx-%08lx %c%c%c%c %08lx %02x:%02x %lu ", a->begin, a->end,
               a->prot & PROT_READ ? 'r' : '-', a->prot & PROT_WRITE ? 'w' : '-',
               a->prot & PROT_EXEC ? 'x' : '-', a->flags & MAP_SHARED ? 's' : 'p',
               inode ? a->offset_pages * PAGE_BYTES : 0, DEV_MAJOR(dev), DEV_MINOR(dev),
               inode ? inode->ino : 0);
    if (a->file) {
        name = a->file->dentry ? path_of(a->file->dentry, buffer, PATH_MAX) : "/dev/zero (deleted)";
    }
    while (name && !t->failed && t->len - line < NAME_COLUMN) {
        text_add(t, " ", 1);
    }
    text_print(t, "%s\n", name ? name : "");
}

static void print_use(struct text *t, const struct vm_area *a)
{
    struct vm_use use;

    vm_measure(a->vm, a, &use);
    const struct {
        const char *name;
        u64 kib;
    } rows[] = {
        {"Size:", (a->end - a->begin) >> 10},
        {"KernelPageSize:", PAGE_BYTES >> 10},
        {"MMUPageSize:", PAGE_BYTES >> 10},
        {"Rss:", use.resident * PAGE_BYTES >> 10},
        {"Pss:", use.share_bytes >> 10},
        {"Shared_Clean:", use.shared_clean * PAGE_BYTES >> 10},
        {"Shared_Dirty:", use.shared_dirty * PAGE_BYTES >> 10},
        {"Private_Clean:", use.private_clean * PAGE_BYTES >> 10},
        {"Private_Dirty:", use.private_dirty * PAGE_BYTES >> 10},
        {"Referenced:", use.referenced * PAGE_BYTES >> 10},
        {"Anonymous:", use.anonymous * PAGE_BYTES >> 10},
        {"Swap:", 0},
        {"Locked:", a->flags & MAP_LOCKED ? use.share_bytes >> 10 : 0},
    };
    for (u32 i = 0; i < ARRAY_LEN(rows); i++) {
        text_print(t, "%-16s %7lu kB\n", rows[i].name, rows[i].kib);
    }
}

static int show_areas(struct text *t, const struct proc_ref *ref, bool with_use)
{
    struct vm *vm;
    char *buffer = kmalloc(PATH_MAX);
    int result = buffer ? proc_may_look(ref) : -ENOMEM;

    if (result == 0) {
        result = proc_hold_vm(ref, &vm);
    }
    if (result == 0 && vm) {
        mutex_lock(&vm->lock);
        for (LIST_EACH(struct vm_area, a, &vm->areas, link)) {
            print_area(t, a, buffer);
            if (with_use) {
                print_use(t, a);
            }
        }
        mutex_unlock(&vm->lock);
        vm_put(vm);
    }
    kfree(buffer);
    return result;
}

int proc_pid_maps(struct text *t, const struct proc_ref *ref)
{
    return show_areas(t, ref, false);
}

int proc_pid_smaps(struct text *t, const struct proc_ref *ref)
{
    return show_areas(t, ref, true);
}

/* ---- links */

int proc_pid_exe(const struct proc_ref *ref, struct dentry **to)
{
    struct vm *vm;
    int result = proc_may_look(ref);

    if (result == 0) {
        result = proc_hold_vm(ref, &vm);
    }
    if (result == 0 && vm) {
        result = vm->exe && vm->exe->dentry ? 0 : -ENOENT;
        if (result == 0) {
            *to = dentry_hold(vm->exe->dentry);
        }
        vm_put(vm);
        return result;
    }
    return result < 0 ? result : -ENOENT;
}

/* The root or the working directory; which: its offset in struct fs_context. */
static int context_dentry(const struct proc_ref *ref, size_t which, struct dentry **to)
{
    struct thread *t;
    int result = proc_may_look(ref);

    if (result < 0) {
        return result;
    }
    spin_lock(&process_lock);
    const struct process *p = proc_process(ref, &t);
    struct fs_context *fs = p ? p->fs : NULL;
    *to = NULL;
    if (fs) {
        spin_lock(&fs->lock);
        *to = dentry_hold(*(struct dentry **)((char *)fs + which));
        spin_unlock(&fs->lock);
    }
    spin_unlock(&process_lock);
    return *to ? 0 : -ENOENT;
}

int proc_pid_cwd(const struct proc_ref *ref, struct dentry **to)
{
    return context_dentry(ref, offsetof(struct fs_context, cwd), to);
}

int proc_pid_root(const struct proc_ref *ref, struct dentry **to)
{
    return context_dentry(ref, offsetof(struct fs_context, root), to);
}

/* ---- descriptors */

/* Held; NULL: it is not open, or the process is gone. *size: beyond all that are. */
static struct file *get_file(const struct proc_ref *ref, u32 fd, u32 *size)
{
    struct thread *t;

    spin_lock(&process_lock);
    const struct process *p = proc_process(ref, &t);
    struct fd_table *table = p ? p->files : NULL;
    struct file *file = table ? fd_get_from(table, fd) : NULL;
    *size = table ? fd_table_size(table) : 0;
    spin_unlock(&process_lock);
    return file;
}

bool proc_next_fd(const struct proc_ref *ref, u32 from, u32 *fd)
{
    u32 size;

    do {
        struct file *file = get_file(ref, from, &size);
        if (file) {
            file_put(file);
            *fd = from;
            return true;
        }
        from++;
    } while (from < size);
    return false;
}

int proc_fd_text(struct text *t, const struct proc_ref *ref)
{
    u32 size;
    char *buffer = kmalloc(PATH_MAX);
    int result = buffer ? proc_may_look(ref) : -ENOMEM;
    struct file *file = result == 0 ? get_file(ref, ref->fd, &size) : NULL;

    if (result == 0 && !file) {
        result = -ENOENT;
    } else if (file && file->dentry) {
        const char *path = path_of(file->dentry, buffer, PATH_MAX);
        result = path ? 0 : -ENAMETOOLONG;
        text_print(t, "%s", path ? path : "");
    } else if (file) {
        text_print(t, S_ISFIFO(file->inode->mode) ? "pipe:[%lu]" : "anon_inode:[%lu]",
                   file->inode->ino);
    }
    if (file) {
        file_put(file);
    }
    kfree(buffer);
    return result;
}

/* What has no name gets a dentry for the occasion, so that it can be opened again. */
int proc_pid_fd(const struct proc_ref *ref, struct dentry **to)
{
    u32 size;
    int result = proc_may_look(ref);
    struct file *file = result == 0 ? get_file(ref, ref->fd, &size) : NULL;

    if (!file) {
        return result < 0 ? result : -ENOENT;
    }
    if (file->dentry) {
        *to = dentry_hold(file->dentry);
    } else if (S_ISFIFO(file->inode->mode)) {
        *to = dentry_root(inode_hold(file->inode));
        result = *to ? 0 : -ENOMEM;
    } else {
        result = -ENXIO;
    }
    file_put(file);
    return result;
}
