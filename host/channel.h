/*
 * Two-way byte channels to programs that look into a run (gdb, a monitor's user, a QMP client) and
 * to the other end of a serial line.
 *
 *     struct channel *c = channel_open(&options, "-gdb", err);
 *     between slices: while ((e = channel_poll(c)) != CHANNEL_QUIET) ...; channel_read(c, buf, n);
 *
 * Standard input and output, a socket that listens and serves one client at a time (the next may
 * come when it has gone), one that calls, once, or a pseudo-terminal. Nothing here waits, except channel_open() when it was asked to.
 */
#ifndef HOST_CHANNEL_H
#define HOST_CHANNEL_H

#include "host/options.h"

struct channel;

enum channel_event { CHANNEL_QUIET, CHANNEL_OPENED, CHANNEL_CLOSED };

#define CHANNEL_ERR_LEN 512

/* NULL, with what, why and what to try in err. */
struct channel *channel_open(const struct channel_options *, const char *name,
                             char err[CHANNEL_ERR_LEN]);
void channel_close(struct channel *); /* writes what it can of the rest; NULL is allowed */

/* Lets a client in, or notices that it has gone. */
enum channel_event channel_poll(struct channel *);

bool channel_connected(const struct channel *);
bool channel_is_stdio(const struct channel *);

/* What has arrived: 0 when nothing has. */
size_t channel_read(struct channel *, void *buf, size_t cap);

/* What the client has not taken yet. */
size_t channel_pending(const struct channel *);

/* Kept until the client takes it. A client that takes nothing is cut off in the end. */
void channel_write(struct channel *, const void *buf, size_t len);

struct pollfd;
/* What to wait for. False: nothing more will come. */
bool channel_pollfd(const struct channel *, struct pollfd *);

#endif
