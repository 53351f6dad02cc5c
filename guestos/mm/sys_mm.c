/* The system calls that change an address space: mmap, munmap, mprotect, mremap, brk, and msync.
 * Their pages of the Linux manual, section 2, say what they do; here are the checks of arguments.
 */
#include "guestos/fs/cache.h"
#include "guestos/fs/vfs.h"
#include "guestos/mm/area.h"
#include "guestos/mm/layout.h"
#include "guestos/proc/process.h"
#include "guestos/sys/syscall.h"

#define PROT_GROWSDOWN 0x01000000u
#define PROT_GROWSUP   0x02000000u

#define KNOWN_FLAGS                                                                                \
    (MAP_SHARED_VALIDATE | MAP_FIXED | MAP_ANONYMOUS | MAP_GROWSDOWN | MAP_DENYWRITE |             \
     MAP_EXECUTABLE | MAP_LOCKED | MAP_NORESERVE | MAP_POPULATE | MAP_NONBLOCK | MAP_STACK |       \
     MAP_FIXED_NOREPLACE)

enum { MS_ASYNC = 1, MS_INVALIDATE = 2, MS_SYNC = 4 };

/* May the file be mapped so? */
static int check_file(const struct file *file, u32 prot, u32 flags)
{
    u32 mode = file->flags & O_ACCMODE;

    if (file->flags & O_PATH) {
        return -EBADF;
    }
    if (mode == O_WRONLY || (flags & MAP_SHARED && prot & PROT_WRITE && mode != O_RDWR)) {
        return -EACCES;
    }
    return S_ISDIR(file->inode->mode) ? -ENODEV : 0;
}

long sys_mmap(const u64 *arg)
{
    u32 prot = (u32)arg[2], flags = (u32)arg[3];
    u32 kind = flags & MAP_SHARED_VALIDATE;
    struct file *file = NULL;

    if (arg[5] % PAGE_BYTES || kind == 0) {
        return -EINVAL;
    }
    if (flags & MAP_HUGETLB) {
        return -ENOMEM; /* the pool of huge pages is empty */
    }
    if (kind == MAP_SHARED_VALIDATE) {
        if (flags & MAP_ANONYMOUS) {
            return -EINVAL;
        }
        if (flags & ~KNOWN_FLAGS) {
            return -EOPNOTSUPP;
        }
        flags &= ~MAP_PRIVATE;
    }
    if (!(flags & MAP_ANONYMOUS)) {
        file = fd_get((int)arg[4]);
        if (!file) {
            return -EBADF;
        }
        int result = arg[1] ? check_file(file, prot, flags) : -EINVAL;
        if (result < 0) {
            file_put(file);
            return result;
        }
    }
    long place =
        vm_map(this_process()->vm, arg[0], arg[1], prot, flags, file, file ? arg[5] : 0, NULL);
    if (file) {
        file_put(file);
    }
    return place;
}

long sys_munmap(const u64 *arg)
{
    return vm_unmap(this_process()->vm, arg[0], arg[1]);
}

/* With PROT_GROWSDOWN from the beginning of the stack that the range lies in. */
static long protect_stack(struct vm *vm, u64 at, u64 len, u32 prot)
{
    mutex_lock(&vm->lock);
    const struct vm_area *a = area_find(vm, at);
    bool is_stack = a && a->flags & MAP_GROWSDOWN && a->begin < at + len;
    u64 begin = is_stack ? a->begin : 0;
    mutex_unlock(&vm->lock);
    return is_stack ? vm_protect(vm, begin, at + len - begin, prot & ~PROT_GROWSDOWN) : -EINVAL;
}

long sys_mprotect(const u64 *arg)
{
    struct vm *vm = this_process()->vm;
    u32 prot = (u32)arg[2];

    if (prot & PROT_GROWSUP || arg[2] > UINT32_MAX) {
        return -EINVAL;
    }
    if (prot & PROT_GROWSDOWN) {
        bool sound = arg[0] % PAGE_BYTES == 0 && arg[0] + arg[1] >= arg[0] && arg[1];
        return sound ? protect_stack(vm, arg[0], arg[1], prot) : -EINVAL;
    }
    return vm_protect(vm, arg[0], arg[1], prot);
}

long sys_mremap(const u64 *arg)
{
    if (arg[3] > UINT32_MAX) {
        return -EINVAL;
    }
    return vm_remap(this_process()->vm, arg[0], arg[1], arg[2], (u32)arg[3], arg[4]);
}

long sys_brk(const u64 *arg)
{
    return (long)vm_brk(this_process()->vm, arg[0]);
}

/* The first area that has a part of [*from, end): what of it is to be written, with the file held;
 * NULL: nothing. *from goes beyond it. False: there is a hole before it, or no area at all. */
static bool next_to_sync(struct vm *vm, u64 *from, u64 end, struct file **file, u64 *first,
                         u64 *last, bool invalidate, int *error)
{
    mutex_lock(&vm->lock);
    const struct vm_area *a = area_find(vm, *from);
    bool covered = a && a->begin <= *from;
    *file = NULL;
    if (!a || a->begin >= end) {
        *from = end;
    } else {
        u64 begin = MAX(*from, a->begin);
        *from = MIN(end, a->end);
        if (invalidate && a->flags & MAP_LOCKED) {
            *error = -EBUSY;
        }
        if (a->file && a->flags & MAP_SHARED) {
            *file = file_hold(a->file);
            *first = a->offset_pages + (begin - a->begin) / PAGE_BYTES;
            *last = a->offset_pages + (*from - a->begin) / PAGE_BYTES - 1;
        }
    }
    mutex_unlock(&vm->lock);
    return covered;
}

/* What is mapped shared is in the page cache already: only writing it to the disk is left. */
long sys_msync(const u64 *arg)
{
    u64 from = arg[0], end = arg[0] + ROUND_UP(arg[1], (u64)PAGE_BYTES);
    u32 flags = (u32)arg[2];
    int result = 0;
    bool hole = false;

    if (flags & ~(u32)(MS_ASYNC | MS_INVALIDATE | MS_SYNC) ||
        (flags & (MS_ASYNC | MS_SYNC)) == (MS_ASYNC | MS_SYNC) || arg[0] % PAGE_BYTES) {
        return -EINVAL;
    }
    if (end < from || (end == from && arg[1])) {
        return -ENOMEM;
    }
    while (from < end && result == 0) {
        struct file *file;
        u64 first = 0, last = 0;
        if (!next_to_sync(this_process()->vm, &from, end, &file, &first, &last,
                          flags & MS_INVALIDATE, &result)) {
            hole = true;
        }
        if (file && flags & MS_SYNC && result == 0) {
            result = cache_sync(file->inode, first, last);
        }
        if (file) {
            file_put(file);
        }
    }
    return result < 0 ? result : hole ? -ENOMEM : 0;
}
