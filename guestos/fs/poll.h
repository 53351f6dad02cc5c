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
struct poll_table;
/* A file's poll() calls this for each queue that is woken when its answer may change, then says
 * what is true now. table may be NULL: only a look. */
void poll_wait(struct poll_table *, struct wait_queue *);
/* What is true of a file now. Files that have no poll() are always ready. */
u32 file_poll(struct file *, struct poll_table *);

#endif
