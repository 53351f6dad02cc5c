/*
 * Standard input in raw mode. The terminal is put back at close, at exit(), when the process is
 * stopped with SIGTSTP, and when it dies of a fault.
 */
#include "host/terminal.h"
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <termios.h>
#include <unistd.h>

enum { RING = 4096, CTRL_A = 1 };

struct terminal {
    bool tty, escape, eof;
    bool streaming; /* a pipe or socket: more may come until its end */
    bool after_ctrl_a;
    u8 ring[RING];
    unsigned head, len;
    bool in_monitor;
    char monitor[RING]; /* typed for it, in order */
    unsigned monitor_len;
};

/* What the handlers of faults and of SIGTSTP need to put the terminal back: they get no
 * argument. There is one terminal per process. Written before raw_active is set. */
static struct termios saved_mode, raw_mode;
static volatile sig_atomic_t raw_active;

void terminal_restore_now(void)
{
    if (raw_active)
        tcsetattr(STDIN_FILENO, TCSANOW, &saved_mode); /* async-signal-safe by POSIX */
}

static void on_fault(int sig)
{
    terminal_restore_now();
    raise(sig); /* SA_RESETHAND: now with the default action */
}

static void on_stop(int sig)
{
    int e = errno;
    sigset_t set, old;
    terminal_restore_now();
    signal(sig, SIG_DFL);
    sigemptyset(&set);
    sigaddset(&set, sig);
    raise(sig);
    sigprocmask(SIG_UNBLOCK, &set, &old); /* stops here, until SIGCONT */
    sigprocmask(SIG_SETMASK, &old, NULL);
    signal(sig, on_stop);
    if (raw_active)
        tcsetattr(STDIN_FILENO, TCSANOW, &raw_mode);
    errno = e;
}

static void make_raw(bool escape)
{
    static const int faults[] = {SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGABRT, SIGQUIT};
    if (tcgetattr(STDIN_FILENO, &saved_mode) < 0)
        return;
    raw_mode = saved_mode;
    raw_mode.c_iflag &=
        ~(tcflag_t)(IGNBRK | BRKINT | PARMRK | ISTRIP | INLCR | IGNCR | ICRNL | IXON);
    raw_mode.c_lflag &= ~(tcflag_t)(ECHO | ECHONL | ICANON | IEXTEN);
    if (escape)
        raw_mode.c_lflag &= ~(tcflag_t)ISIG;
    raw_mode.c_cc[VMIN] = 1;
    raw_mode.c_cc[VTIME] = 0;
    raw_active = 1;
    atexit(terminal_restore_now);
    for (unsigned i = 0; i < ARRAY_LEN(faults); i++) {
        struct sigaction sa = {.sa_handler = on_fault, .sa_flags = SA_RESETHAND | SA_NODEFER};
        sigemptyset(&sa.sa_mask);
        sigaction(faults[i], &sa, NULL);
    }
    signal(SIGTSTP, on_stop);
    tcsetattr(STDIN_FILENO, TCSANOW, &raw_mode);
}

/* A background job must not touch the terminal: the kernel would stop it. */
static bool in_foreground(void)
{
    return tcgetpgrp(STDIN_FILENO) == getpgrp();
}

struct terminal *terminal_open(bool escape)
{
    struct terminal *t = calloc(1, sizeof(*t));
    struct stat st;
    if (!t)
        abort();
    t->tty = isatty(STDIN_FILENO);
    t->escape = escape;
    t->eof = fcntl(STDIN_FILENO, F_GETFD) < 0;
    t->streaming =
        !t->eof && fstat(STDIN_FILENO, &st) == 0 && (S_ISFIFO(st.st_mode) || S_ISSOCK(st.st_mode));
    if (t->tty && in_foreground())
        make_raw(escape);
    return t;
}

void terminal_close(struct terminal *t)
{
    if (!t)
        return;
    terminal_restore_now();
    raw_active = 0;
    free(t);
}

static void keep(struct terminal *t, u8 byte)
{
    if (t->in_monitor) {
        if (t->monitor_len < RING)
            t->monitor[t->monitor_len++] = (char)byte;
        return;
    }
    t->ring[(t->head + t->len++) % RING] = byte;
}

static enum terminal_command take(struct terminal *t, u8 byte)
{
    if (!t->escape) {
        keep(t, byte);
        return TERMINAL_NOTHING;
    }
    if (!t->after_ctrl_a) {
        t->after_ctrl_a = byte == CTRL_A;
        if (!t->after_ctrl_a)
            keep(t, byte);
        return TERMINAL_NOTHING;
    }
    t->after_ctrl_a = false;
    switch (byte) {
    case 'x':
    case 'X': return TERMINAL_QUIT;
    case CTRL_A:
    case 'a': keep(t, CTRL_A); break;
    case 'c':
    case 'C': t->in_monitor = !t->in_monitor; break;
    case 'h':
    case '?':
        fprintf(stderr, "\r\nkiln: Ctrl-A x  quit\r\n"
                        "      Ctrl-A c  monitor, and back\r\n"
                        "      Ctrl-A Ctrl-A  send Ctrl-A\r\n"
                        "      Ctrl-A h  this help\r\n");
        break;
    default: break;
    }
    return TERMINAL_NOTHING;
}

int terminal_poll_fd(const struct terminal *t)
{
    return t->eof || t->len == RING || (t->tty && !in_foreground()) ? -1 : STDIN_FILENO;
}

enum terminal_command terminal_poll(struct terminal *t)
{
    struct pollfd p = {.fd = terminal_poll_fd(t), .events = POLLIN};
    enum terminal_command command = TERMINAL_NOTHING;
    u8 buf[256];
    if (p.fd < 0 || poll(&p, 1, 0) <= 0)
        return TERMINAL_NOTHING;
    unsigned room = RING - t->len;
    ssize_t n = read(p.fd, buf, room < sizeof(buf) ? room : sizeof(buf));
    if (n == 0 || (n < 0 && errno != EINTR && errno != EAGAIN))
        t->eof = true;
    for (ssize_t i = 0; i < n; i++)
        if (take(t, buf[i]) == TERMINAL_QUIT)
            command = TERMINAL_QUIT;
    return command;
}

bool terminal_peek(const struct terminal *t, u8 *byte)
{
    if (!t->len)
        return false;
    *byte = t->ring[t->head];
    return true;
}

void terminal_pop(struct terminal *t)
{
    t->head = (t->head + 1) % RING;
    t->len--;
}

bool terminal_in_monitor(const struct terminal *t)
{
    return t->in_monitor;
}

size_t terminal_monitor_read(struct terminal *t, char *buf, size_t cap)
{
    size_t n = t->monitor_len < cap ? t->monitor_len : cap;

    memcpy(buf, t->monitor, n);
    memmove(t->monitor, t->monitor + n, t->monitor_len - n);
    t->monitor_len -= (unsigned)n;
    return n;
}

bool terminal_interactive(const struct terminal *t)
{
    return !t->eof && (t->tty || t->streaming);
}
