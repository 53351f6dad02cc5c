/* System calls on descriptors: open(2), close(2), dup(2), fcntl(2), ioctl(2), memfd_create(2). */
#include "guestos/fs/fd.h"
#include "guestos/fs/file.h"
#include "guestos/fs/file_lock.h"
#include "guestos/fs/path.h"
#include "guestos/fs/pipe.h"
#include "guestos/abi/termios.h"
#include "guestos/kernel/string.h"
#include "guestos/proc/process.h"
#include "guestos/sys/syscall.h"

static long open_at(int dirfd, u64 path, u32 flags, u32 mode, u32 lookup_flags)
{
    struct file *f;
    int error = file_open_user(dirfd, path, flags, mode, lookup_flags, &f);

    return error ? error : fd_install(f, 0, flags & O_CLOEXEC);
}

long sys_open(const u64 *arg)
{
    return open_at(AT_FDCWD, arg[0], (u32)arg[1], (u32)arg[2], 0);
}

long sys_openat(const u64 *arg)
{
    return open_at((int)arg[0], arg[1], (u32)arg[2], (u32)arg[3], 0);
}

long sys_creat(const u64 *arg)
{
    return open_at(AT_FDCWD, arg[0], O_CREAT | O_WRONLY | O_TRUNC, (u32)arg[1], 0);
}

#define OPEN_HOW_BYTES      24u
#define RESOLVE_NO_SYMLINKS 4u
#define OPEN_FLAGS                                                                                 \
    (u32)(O_ACCMODE | O_CREAT | O_EXCL | O_NOCTTY | O_TRUNC | O_APPEND | O_NONBLOCK | O_SYNC |     \
          O_ASYNC | O_DIRECT | O_LARGEFILE | O_DIRECTORY | O_NOFOLLOW | O_NOATIME | O_CLOEXEC |    \
          O_PATH | O_TMPFILE)

long sys_openat2(const u64 *arg)
{
    struct {
        u64 flags, mode, resolve;
    } how;

    if (arg[3] < OPEN_HOW_BYTES) {
        return -EINVAL;
    }
    if (arg[3] > OPEN_HOW_BYTES) {
        return -E2BIG;
    }
    if (GET_USER(how, arg[2])) {
        return -EFAULT;
    }
    bool makes = how.flags & O_CREAT || (how.flags & O_TMPFILE) == O_TMPFILE;
    if (how.flags & ~(u64)OPEN_FLAGS || how.mode & ~07777ul || (how.mode && !makes) ||
        how.resolve & ~(u64)RESOLVE_NO_SYMLINKS) {
        return -EINVAL;
    }
    return open_at((int)arg[0], arg[1], (u32)how.flags, (u32)how.mode,
                   how.resolve ? LOOKUP_NO_SYMLINKS : 0);
}

long sys_close(const u64 *arg)
{
    int error = (int)arg[0] < 0 ? -EBADF : fd_close((u32)arg[0]);

    return error == -ERESTARTSYS ? -EINTR : error; /* it is closed all the same */
}

enum { CLOSE_RANGE_UNSHARE = 2, CLOSE_RANGE_CLOEXEC = 4 };

long sys_close_range(const u64 *arg)
{
    u32 first = (u32)arg[0], last = (u32)arg[1], flags = (u32)arg[2];

    if (first > last || flags & ~(u32)(CLOSE_RANGE_UNSHARE | CLOSE_RANGE_CLOEXEC)) {
        return -EINVAL;
    }
    if (flags & CLOSE_RANGE_UNSHARE) {
        fd_table_unshare(this_process());
    }
    u32 end = fd_table_size(this_process()->files);
    for (u32 fd = first; fd <= last && fd < end; fd++) {
        if (flags & CLOSE_RANGE_CLOEXEC) {
            (void)fd_flags(fd, 1);
        } else {
            (void)fd_close(fd);
        }
    }
    return 0;
}

/* ---- dup */

static long dup_from(int fd, u64 lowest, bool close_on_exec)
{
    struct file *f = fd_get(fd);

    if (!f) {
        return -EBADF;
    }
    if (lowest >= fd_limit()) {
        file_put(f);
        return -EINVAL;
    }
    return fd_install(f, (u32)lowest, close_on_exec);
}

static long dup_to(int from, int to, bool close_on_exec)
{
    struct file *f = fd_get(from);

    if (!f) {
        return -EBADF;
    }
    if (to < 0) {
        file_put(f);
        return -EBADF;
    }
    return fd_install_at(f, (u32)to, close_on_exec);
}

long sys_dup(const u64 *arg)
{
    struct file *f = fd_get((int)arg[0]);

    return f ? fd_install(f, 0, false) : -EBADF;
}

long sys_dup2(const u64 *arg)
{
    if ((int)arg[0] == (int)arg[1]) {
        return (int)arg[0] >= 0 && fd_flags((u32)arg[0], -1) >= 0 ? (long)(int)arg[0] : -EBADF;
    }
    return dup_to((int)arg[0], (int)arg[1], false);
}

long sys_dup3(const u64 *arg)
{
    if ((int)arg[0] == (int)arg[1] || (u32)arg[2] & ~(u32)O_CLOEXEC) {
        return -EINVAL;
    }
    return dup_to((int)arg[0], (int)arg[1], arg[2] & O_CLOEXEC);
}

/* ---- fcntl */
enum {
    F_DUPFD,
    F_GETFD,
    F_SETFD,
    F_GETFL,
    F_SETFL,
    F_GETLK,
    F_SETLK,
    F_SETLKW,
    F_SETOWN,
    F_GETOWN,
    F_SETSIG,
    F_GETSIG,
    F_OFD_GETLK = 36,
    F_OFD_SETLKW = 38,
    F_DUPFD_CLOEXEC = 1030,
    F_SETPIPE_SZ = 1031,
    F_GETPIPE_SZ = 1032,
};
#define SETTABLE_FLAGS (u32)(O_APPEND | O_NONBLOCK | O_DIRECT | O_NOATIME | O_ASYNC)

static long set_flags(struct file *f, u32 flags)
{
    if ((flags & O_NOATIME) && !(f->flags & O_NOATIME) && !is_owner(f->inode)) {
        return -EPERM;
    }
    mutex_lock(&f->pos_lock);
    f->flags = (f->flags & ~SETTABLE_FLAGS) | (flags & SETTABLE_FLAGS);
    mutex_unlock(&f->pos_lock);
    return 0;
}

static long file_control(struct file *f, u32 command, u64 argument)
{
    switch (command) {
    case F_SETFL: return set_flags(f, (u32)argument);
    case F_GETLK:
    case F_SETLK:
    case F_SETLKW: return file_lock_control(f, command, argument);
    case F_SETOWN: f->owner_pid = (u32)argument; return 0;
    case F_GETOWN: return (i32)f->owner_pid;
    case F_SETSIG: return argument > NR_SIGNALS ? -EINVAL : argument ? -EOPNOTSUPP : 0;
    case F_GETSIG: return 0;
    case F_GETPIPE_SZ: return pipe_size(f);
    case F_SETPIPE_SZ: return pipe_set_size(f, argument);
    default:
        return command >= F_OFD_GETLK && command <= F_OFD_SETLKW
                   ? file_lock_control(f, command, argument)
                   : -EINVAL;
    }
}

long sys_fcntl(const u64 *arg)
{
    u32 fd = (u32)arg[0], command = (u32)arg[1];
    struct file *f;
    long result;

    switch (command) {
    case F_DUPFD:
    case F_DUPFD_CLOEXEC: return dup_from((int)fd, (u32)arg[2], command == F_DUPFD_CLOEXEC);
    case F_GETFD: return fd_flags(fd, -1);
    case F_SETFD: result = fd_flags(fd, arg[2] & 1); return MIN(result, 0);
    case F_GETFL:
        f = fd_get((int)fd);
        result = f ? (long)f->flags : -EBADF;
        break;
    default:
        f = fd_get_io((int)fd);
        result = f ? file_control(f, command, arg[2]) : -EBADF;
        break;
    }
    if (f) {
        file_put(f);
    }
    return result;
}

/* ---- ioctl: what all files know, then the file's own */

static long control(struct file *f, u32 fd, u32 command, u64 argument)
{
    i32 value;

    switch (command) {
    case FIOCLEX:
    case FIONCLEX: return MIN(fd_flags(fd, command == FIOCLEX), 0);
    case FIONBIO:
        if (GET_USER(value, argument)) {
            return -EFAULT;
        }
        return set_flags(f, value ? f->flags | O_NONBLOCK : f->flags & ~(u32)O_NONBLOCK);
    case FIONREAD:
        if (S_ISREG(f->inode->mode)) {
            value = (i32)(f->inode->size_bytes - MIN(f->inode->size_bytes, f->pos));
            return PUT_USER(argument, value);
        }
        break;
    default: break;
    }
    return f->ops->ioctl ? f->ops->ioctl(f, command, argument) : -ENOTTY;
}

long sys_ioctl(const u64 *arg)
{
    struct file *f = fd_get_io((int)arg[0]);

    if (!f) {
        return -EBADF;
    }
    long result = control(f, (u32)arg[0], (u32)arg[1], arg[2]);
    file_put(f);
    return result;
}

/* ---- memfd */
enum { MFD_CLOEXEC = 1, MFD_ALLOW_SEALING = 2 };
#define MEMFD_NAME_MAX 249

long sys_memfd_create(const u64 *arg)
{
    char name[MEMFD_NAME_MAX + 1];
    long len = string_from_user(name, arg[0], sizeof name);

    if ((u32)arg[1] & ~(u32)(MFD_CLOEXEC | MFD_ALLOW_SEALING)) {
        return -EINVAL;
    }
    if (len < 0) {
        return len == -ENAMETOOLONG ? -EINVAL : len;
    }
    struct file *f = tmpfs_unnamed_file(0);
    if (!f) {
        return -ENOMEM;
    }
    f->flags |= O_LARGEFILE;
    return fd_install(f, 0, arg[1] & MFD_CLOEXEC);
}
