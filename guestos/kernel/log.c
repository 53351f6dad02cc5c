/*
 * The last 64 KiB of kernel messages, and syslog(2), which dmesg calls. The console shows messages
 * as they come, whatever level was asked for.
 */
#include "guestos/kernel/log.h"
#include "guestos/kernel/lock.h"
#include "guestos/mm/slab.h"
#include "guestos/proc/process.h"
#include "guestos/sys/syscall.h"

#define LOG_BYTES 65536u /* a power of two */

static char text[LOG_BYTES];
static u32 head;       /* only grows */
static u32 cleared_to; /* SYSLOG_ACTION_CLEAR: where the next reading begins */
static struct spinlock lock = SPINLOCK_INIT("log");

void log_put(char c)
{
    if (spin_held(&lock)) {
        return; /* a panic in here */
    }
    spin_lock(&lock);
    text[head++ % LOG_BYTES] = c;
    spin_unlock(&lock);
}

/* syslog(2) */
enum {
    ACTION_CLOSE,
    ACTION_OPEN,
    ACTION_READ,
    ACTION_READ_ALL,
    ACTION_READ_CLEAR,
    ACTION_CLEAR,
    ACTION_CONSOLE_OFF,
    ACTION_CONSOLE_ON,
    ACTION_CONSOLE_LEVEL,
    ACTION_SIZE_UNREAD,
    ACTION_SIZE_BUFFER,
};

static u32 oldest(void)
{
    u32 first = head > LOG_BYTES ? head - LOG_BYTES : 0;

    return MAX(first, cleared_to);
}

/* The last `len` bytes that are kept; how many. */
static long read_all(u64 to, u32 len, bool clear)
{
    char *copy = kmalloc(LOG_BYTES);

    if (!copy) {
        return -ENOMEM;
    }
    spin_lock(&lock);
    u32 n = MIN(head - oldest(), len);
    for (u32 i = 0; i < n; i++) {
        copy[i] = text[(head - n + i) % LOG_BYTES];
    }
    if (clear) {
        cleared_to = head;
    }
    spin_unlock(&lock);
    int error = copy_to_user(to, copy, n);
    kfree(copy);
    return error ? error : (long)n;
}

long sys_syslog(const u64 *arg)
{
    i32 len = (i32)arg[2];

    if (arg[0] != ACTION_READ_ALL && arg[0] != ACTION_SIZE_BUFFER && !is_superuser()) {
        return -EPERM;
    }
    switch (arg[0]) {
    case ACTION_CLOSE:
    case ACTION_OPEN:
    case ACTION_CONSOLE_OFF:
    case ACTION_CONSOLE_ON: return 0;
    case ACTION_READ_ALL:
    case ACTION_READ_CLEAR:
        return !arg[1] || len < 0 ? -EINVAL
                                  : read_all(arg[1], (u32)len, arg[0] == ACTION_READ_CLEAR);
    case ACTION_CLEAR: cleared_to = head; return 0;
    case ACTION_CONSOLE_LEVEL: return len >= 1 && len <= 8 ? 0 : -EINVAL;
    case ACTION_SIZE_UNREAD: return 0;
    case ACTION_SIZE_BUFFER: return LOG_BYTES;
    default: return -EINVAL; /* UNIMPL: ACTION_READ, which waits for more */
    }
}
