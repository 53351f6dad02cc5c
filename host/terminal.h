/*
 * The terminal that Kiln was started from: standard input in raw mode, or a pipe or a file there;
 * and the promise that the terminal is put back whatever happens.
 *
 *     struct terminal *t = terminal_open(escape);
 *     between slices: terminal_poll(t); while (ready && terminal_peek(t, &b)) ... terminal_pop(t);
 *     terminal_close(t);
 *
 * With escape (-nographic, mon:stdio, curses) Ctrl-A is a prefix for commands (host/ctrl_a.h), and
 * Ctrl-C and Ctrl-Z go to the guest; without, Ctrl-C ends the run and Ctrl-Z stops it as a job.
 *
 * The terminal is put back at close, at exit(), before the process stops as a job, and before it
 * dies of a signal; only kill -9 and kill -STOP leave no time for that. After a stop it is made
 * raw again as soon as Kiln is in the foreground.
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

/* ---- for a display on the terminal ---- */

/* A display reads the keys itself. farewell is what undoes its escape sequences, written when the
 * terminal is put back; the modes that are set now are those that a stopped process gets again. */
void terminal_lend(struct terminal *, const char *farewell);

/* The display has left: keys go to the monitor, until Ctrl-A c. */
void terminal_give_to_monitor(struct terminal *);

/* Whether the display may draw: not in the background, not after the terminal was put back. */
bool terminal_ours(const struct terminal *);

/* The process goes on after it was stopped: makes the terminal raw again. True when it just did. */
bool terminal_resume(struct terminal *);

/* Stops the process as a job, as Ctrl-Z does. */
void terminal_suspend(void);

/* ---- */

/* Puts the terminal back as it was; for signal handlers too. */
void terminal_restore_now(void);

#endif
