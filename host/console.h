/*
 * Where a serial port's or the debug console's bytes go: stdout, a file, or nowhere; and a memory
 * of the last of them, for --until and --keys.
 */
#ifndef HOST_CONSOLE_H
#define HOST_CONSOLE_H

#include "core/backend.h"

struct console;

/* fd -1: nowhere. name is for messages. The fd is closed with the console unless it is stdout. */
struct console *console_open(int fd, const char *name);
void console_close(struct console *);
struct chardev *console_chardev(struct console *);

/* Writes what has gathered. Called between slices, so that readers of a pipe see it in time. */
void console_flush(struct console *);

/* Bytes so far. */
u64 console_total(const struct console *);

/* Where text first ends in the bytes from position `from` on (those that are still remembered);
 * 0: it is not there. */
u64 console_find(const struct console *, u64 from, const char *text);

#endif
