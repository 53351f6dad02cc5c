/* How poll(), select() and epoll() wait on many files at once. */
#ifndef GUESTOS_FS_POLL_H
#define GUESTOS_FS_POLL_H

#include "guestos/kernel/lock.h"

enum {
    POLLIN = 0x001,
    POLLPRI = 0x002,
    POLLOUT = 0x004,
    POLLERR = 0x008,
    POLLHUP = 0x010,
    POLLNVAL = 0x020,
    POLLRDNORM = 0x040,
    POLLRDBAND = 0x080,
    POLLWRNORM = 0x100,
    POLLWRBAND = 0x200,
    POLLRDHUP = 0x2000,
};

struct file;

/* Whoever looks says how it is to be linked into a queue; fs/poll.c or fs/epoll.c. */
struct poll_table {
    void (*link)(struct poll_table *, struct wait_queue *);
};
/* A file's poll() calls this for each queue that is woken when its answer may change, then says
 * what is true now. table may be NULL: only a look. */
void poll_wait(struct poll_table *, struct wait_queue *);
/* What is true of a file now. Files that have no poll() are always ready. */
u32 file_poll(struct file *, struct poll_table *);

/* ---- fs/poll.c, for calls that wait for files */
/* A timespec in user memory from now on; no address: NEVER. -EFAULT, -EINVAL. */
int deadline_from_user(u64 from, u64 *deadline);
/* The signal mask in user memory (no address: none) for the time of a call. mask_end() puts the
 * old one back, unless a signal ended the call: then its handler runs with this mask, and
 * proc/signal.c restores. */
int mask_begin(u64 from, u64 size_bytes);
void mask_end(bool interrupted);

#endif
