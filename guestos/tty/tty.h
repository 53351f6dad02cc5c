/*
 * Terminals: a line discipline (echo, editing, signals, job control) between programs and a device:
 * the screen with the keyboard, or a serial port. tty.c is what is typed, output.c what is written,
 * file.c and ioctl.c what programs call, job.c who may.
 *
 * Locks: process_lock, then tty->lock, then a device's own. Signals are sent with none of the last
 * two held.
 */
#ifndef GUESTOS_TTY_TTY_H
#define GUESTOS_TTY_TTY_H

#include "guestos/abi/termios.h"
#include "guestos/kernel/lock.h"

#define TTY_QUEUE_BYTES 4096u

struct file;
struct tty;

/* What a device does; tty->lock is held, so nothing here may sleep. All but the first two may be
 * NULL. */
struct tty_device {
    u32 (*room)(struct tty *); /* how much put() takes now */
    void (*put)(struct tty *, const char *text, u32 len);
    u32 (*pending)(struct tty *);  /* bytes not sent yet */
    void (*drop)(struct tty *);    /* forgets those */
    void (*set)(struct tty *);     /* tty->termios are new */
    int (*may_open)(struct tty *); /* 0 or an error */
    void (*all_closed)(struct tty *);
    void (*input_taken)(struct tty *); /* there is room for more */
};

struct tty {
    const char *name; /* "tty1", "ttyS0" */
    u64 rdev;
    const struct tty_device *device;
    void *data;
    struct list link;
    struct spinlock lock; /* all below */
    struct termios termios;
    struct winsize size;
    u32 session, foreground; /* sid and pgid, or 0 */
    /* What was typed: positions only grow, modulo TTY_QUEUE_BYTES they are places. In canonical
     * mode the line that can still be edited begins at line_begin, and line_end has a bit for each
     * last byte of a whole line before it; the end-of-file character is a zero byte there. */
    char queue[TTY_QUEUE_BYTES];
    u64 line_end[TTY_QUEUE_BYTES / 64];
    u32 head, tail, line_begin, nr_lines;
    u32 column, line_column; /* of the cursor; where the line being typed began */
    bool stopped, literal_next, exclusive;
    u32 opened, hangups; /* files that were opened before a hangup are dead */
    struct wait_queue readers, writers;
};

void tty_init(const char *console); /* registers all; its name ("ttyS0"), or NULL: tty1 */
void tty_register(struct tty *);    /* fields up to data are set; makes the /dev node */
void tty_reset(struct tty *);       /* the settings that a new one has */
struct tty *tty_find(u64 rdev);     /* NULL: none */
/* The one that /dev/console is. */
extern struct tty *tty_console;

/* ---- by drivers */
void tty_input(struct tty *, char c); /* may be called in interrupts */
void tty_input_locked(struct tty *,
                      char c); /* what a device answers to what is put(); no signals */
void tty_room(struct tty *);   /* it has room again, or nothing is pending */
void tty_resize(struct tty *, const struct winsize *);

/* ---- tty.c; lock held */
bool tty_takes_input(
    const struct tty *); /* else what is typed is lost; in canonical mode, always */
bool tty_has_input(const struct tty *, u32 nr_raw); /* a line, or that many bytes */
/* A line's beginning, or what is there. -EAGAIN: nothing; 0: end of file. */
long tty_take(struct tty *, char *to, u32 len);
void tty_flush_input(struct tty *);
void tty_mode_changed(struct tty *, const struct termios *old);
u32 tty_nr_readable(const struct tty *);

/* ---- output.c; lock held */
u32 tty_output(struct tty *, const char *text, u32 len); /* how much went out */
void tty_echo(struct tty *, char c);                     /* control characters as ^X if ECHOCTL */
void tty_echo_raw(struct tty *, char c);
void tty_set_stopped(struct tty *, bool stopped);
bool tty_is_control(char c);
bool tty_is_continuation(const struct tty *, char c); /* of a UTF-8 character; IUTF8 only */

/* ---- file.c */
bool tty_is_dead(const struct file *);
int tty_drain(struct tty *); /* waits until all is sent. -ERESTARTSYS */

/* ---- ioctl.c */
long tty_ioctl(struct file *, struct tty *, u32 command, u64 argument);

/* ---- job.c; no lock held */
/* May the current process read (SIGTTIN) or write or change (SIGTTOU)? 0, or -EIO, or
 * -ERESTARTSYS: its group has been sent that signal. */
int tty_job_control(struct tty *, u32 signal);
int tty_set_controlling(struct tty *, bool steal); /* of the current process. -EPERM */
int tty_give_up(struct tty *);                     /* TIOCNOTTY */
int tty_foreground(struct tty *, u32 *pgid);       /* -ENOTTY: not the caller's terminal */
int tty_set_foreground(struct tty *, i32 pgid);
int tty_session(struct tty *, u32 *sid);
void tty_signal_foreground(struct tty *, u32 signal);
struct tty *tty_of_process(void); /* the current one's; NULL */
void tty_hangup(struct tty *);    /* SIGHUP to its session's leader and foreground; files die */
/* A session's leader exits: its terminal, if it has one, is hung up and free for others. */
void tty_leave(struct tty *, u32 sid);

#endif
