/* /dev/null, zero and full: Linux' null(4), full(4). Kernel messages have no /dev/kmsg yet. */
#include "guestos/drivers/char.h"
#include "guestos/fs/vfs.h"
#include "guestos/mm/user.h"
#include "guestos/mm/vm.h"

static long read_nothing(struct file *f, u64 to, u64 len, u64 *pos)
{
    (void)f, (void)to, (void)len, (void)pos;
    return 0;
}

static long write_away(struct file *f, u64 from, u64 len, u64 *pos)
{
    (void)f, (void)from, (void)pos;
    return (long)len;
}

static long read_zeroes(struct file *f, u64 to, u64 len, u64 *pos)
{
    (void)f, (void)pos;
    return clear_user(to, len) < 0 ? -EFAULT : (long)len;
}

static long write_full(struct file *f, u64 from, u64 len, u64 *pos)
{
    (void)f, (void)from, (void)len, (void)pos;
    return -ENOSPC;
}

static i64 seek_nowhere(struct file *f, i64 offset, int whence)
{
    (void)f, (void)offset, (void)whence;
    return 0;
}

static const struct file_ops null_ops = {
    .read = read_nothing, .write = write_away, .seek = seek_nowhere};
static const struct file_ops zero_ops = {
    .read = read_zeroes, .write = write_away, .seek = seek_nowhere, .mmap = vm_map_zeroes};
static const struct file_ops full_ops = {
    .read = read_zeroes, .write = write_full, .seek = seek_nowhere};

void char_devices_init(void)
{
    device_register("null", S_IFCHR | 0666, MAKE_DEV(1, 3), &null_ops);
    device_register("zero", S_IFCHR | 0666, MAKE_DEV(1, 5), &zero_ops);
    device_register("full", S_IFCHR | 0666, MAKE_DEV(1, 7), &full_ops);
}
