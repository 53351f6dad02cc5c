/*
 * Standard input as a serial line: a terminal in raw mode, a pipe or a file.
 *
 *     struct terminal *t = terminal_open(escape);
 *     between slices: terminal_poll(t); while (ready && terminal_peek(t, &b)) ... terminal_pop(t);
 *     terminal_close(t);
 *
 * With escape (-nographic, mon:stdio) Ctrl-A is a prefix for commands, and Ctrl-C goes to the
 * guest; without, Ctrl-C ends the run. Ctrl-A c gives the terminal to the monitor, or back.
 */
#ifndef HOST_TERMINAL_H
#define HOST_TERMINAL_H

#include "core/types.h"

struct terminal;

enum terminal_command { TERMINAL_NOTHING, TERMINAL_QUIT };

struct terminal *terminal_open(bool escape);
void terminal_close(struct terminal *);

/* Reads what is there, without waiting. */
enum terminal_command terminal_poll(struct terminal *);

/* The next byte for the guest, if there is one. */
bool terminal_peek(const struct terminal *, u8 *byte);
void terminal_pop(struct terminal *);

/* Whether the terminal is the monitor's now; what was typed for it. */
bool terminal_in_monitor(const struct terminal *);
size_t terminal_monitor_read(struct terminal *, char *buf, size_t cap);

/* Whether somebody may yet type: a terminal, or the open end of a pipe. The guest's waiting then
 * follows the wall clock. */
bool terminal_interactive(const struct terminal *);

/* What to poll() for, or -1: input has ended, or nothing more can be kept. */
int terminal_poll_fd(const struct terminal *);

/* Puts the terminal back as it was; for signal handlers. */
void terminal_restore_now(void);

#endif
