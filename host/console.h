/*
 * Where a serial port's or the debug console's bytes go: stdout, a file, a channel or nowhere; what
 * comes back from a channel; and a memory of the last bytes, for --until and --keys.
 */
#ifndef HOST_CONSOLE_H
#define HOST_CONSOLE_H

#include "core/backend.h"

struct channel;
struct console;

/* fd -1: nowhere. name is for messages. The fd is closed with the console unless it is stdout. */
struct console *console_open(int fd, const char *name);
/* The channel is closed with the console. While nobody is there bytes are lost, as on a wire; a
 * reader that is far behind loses some too, which is said once. */
struct console *console_open_channel(struct channel *, const char *name);
void console_close(struct console *);
struct chardev *console_chardev(struct console *);

/* Writes what has gathered. Called between slices, so that readers of a pipe see it in time. */
void console_flush(struct console *);

/* Of a channel: lets the other end in, and gives the next byte that has come from it. */
bool console_interactive(const struct console *);
bool console_peek(struct console *, u8 *byte);
void console_pop(struct console *);
struct pollfd;
bool console_pollfd(const struct console *, struct pollfd *);

/* Bytes so far. */
u64 console_total(const struct console *);

/* Where text first ends in the bytes from position `from` on (those that are still remembered);
 * 0: it is not there. */
u64 console_find(const struct console *, u64 from, const char *text);

#endif
