/*
 * Terminals: a line discipline (echo, editing, signals, job control) between programs and a device:
 * the screen with the keyboard, or a serial port.
 */
#ifndef GUESTOS_TTY_TTY_H
#define GUESTOS_TTY_TTY_H

#include "guestos/abi/termios.h"
#include "guestos/kernel/lock.h"

#define TTY_QUEUE_BYTES 4096u

struct tty;

struct tty_device {
    void (*put)(struct tty *, const char *text, u32 len); /* to the device; may spin, not sleep */
};

struct tty {
    const char *name; /* "tty1", "ttyS0" */
    u64 rdev;
    const struct tty_device *device;
    void *data;
    struct spinlock lock; /* all below */
    struct termios termios;
    struct winsize size;
    u32 session, foreground;              /* sid and pgid, or 0 */
    char queue[TTY_QUEUE_BYTES];          /* what was typed, edited */
    u32 head, tail, line_begin, nr_lines; /* positions only grow; whole lines in the queue */
    u32 column;                           /* of the echo */
    bool stopped, literal_next, lost_line;
    struct wait_queue readers, writers;
    u32 opened;
};

void tty_register(struct tty *);      /* fields up to data are set; makes the /dev node */
void tty_input(struct tty *, char c); /* by the driver, in interrupts */
void tty_hangup(struct tty *);
/* setsid and exit of a session's leader. */
void tty_leave(struct tty *, u32 sid);
/* The one that kernel messages and /dev/console go to. */
extern struct tty *tty_console;

#endif
