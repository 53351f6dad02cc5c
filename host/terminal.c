/*
 * Standard input in raw mode, and how the terminal is put back. See host/terminal.h.
 */
#include "host/terminal.h"
#include "host/ctrl_a.h"
#include "host/held_stderr.h"
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <termios.h>
#include <unistd.h>

enum { RING = 4096 };

struct terminal {
    bool tty, escape, eof;
    bool streaming; /* a pipe or socket: more may come until its end */
    bool after_ctrl_a;
    bool display; /* a display is on it, */
    bool lent;    /* and reads the keys */
    u8 ring[RING];
    unsigned head, len;
    bool in_monitor;
    char monitor[RING]; /* typed for it, in order */
    unsigned monitor_len;
};

/* What signal handlers need to put the terminal back: they get no argument. There is one terminal
 * per process. */
static struct termios saved_mode, raw_mode;
static char farewell[256];
static volatile sig_atomic_t farewell_len;
static volatile sig_atomic_t raw_active; /* the terminal is as we set it; written last */
static volatile sig_atomic_t lost;       /* it was put back, or maybe so, and is wanted again */

/* A background job must not touch the terminal: the kernel would stop it. */
static bool in_foreground(void)
{
    pid_t group = tcgetpgrp(STDIN_FILENO);
    return group < 0 || group == getpgrp(); /* -1: a terminal without job control */
}

/* All that is called here is async-signal-safe by POSIX. */
void terminal_restore_now(void)
{
    if (!raw_active)
        return;
    raw_active = 0;
    if (in_foreground()) { /* otherwise the shell has it, and has set it as it likes */
        size_t len = (size_t)farewell_len;
        bool said = len == 0 || write(STDOUT_FILENO, farewell, len) == (ssize_t)len;
        (void)said; /* nothing else could be tried */
        tcsetattr(STDIN_FILENO, TCSANOW, &saved_mode);
    }
    held_stderr_release();
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
    lost = 1;
    errno = e;
}

/* After SIGSTOP, too, which told us nothing; the shell may have changed the terminal meanwhile. */
static void on_continue(int sig)
{
    (void)sig;
    lost = 1;
}

/* A guest's stack overflow is not ours, but ours would leave a handler no stack. */
static void use_signal_stack(void)
{
    static u8 fault_stack[64 * 1024];
    stack_t s = {.ss_sp = fault_stack, .ss_size = sizeof(fault_stack)};
    sigaltstack(&s, NULL);
}

static void catch_signals(void)
{
    /* Those that end a process and are not noted by stop_signal.c. */
    static const int deadly[] = {SIGSEGV, SIGBUS,  SIGILL,    SIGFPE,  SIGABRT, SIGQUIT, SIGTRAP, SIGSYS,
                                 SIGXCPU, SIGXFSZ, SIGVTALRM, SIGPROF, SIGALRM, SIGUSR1, SIGUSR2};
    struct sigaction stop = {.sa_handler = on_stop, .sa_flags = SA_RESTART};
    struct sigaction go_on = {.sa_handler = on_continue, .sa_flags = SA_RESTART};
    use_signal_stack();
    for (unsigned i = 0; i < ARRAY_LEN(deadly); i++) {
        struct sigaction sa = {.sa_handler = on_fault,
                               .sa_flags = (int)SA_RESETHAND | SA_NODEFER | SA_ONSTACK};
        sigaction(deadly[i], &sa, NULL);
    }
    sigaction(SIGTSTP, &stop, NULL);
    sigaction(SIGCONT, &go_on, NULL);
    atexit(terminal_restore_now);
}

static void make_raw(struct terminal *t)
{
    if (tcgetattr(STDIN_FILENO, &saved_mode) < 0)
        return;
    raw_mode = saved_mode;
    raw_mode.c_iflag &=
        ~(tcflag_t)(IGNBRK | BRKINT | PARMRK | ISTRIP | INLCR | IGNCR | ICRNL | IXON);
    raw_mode.c_lflag &= ~(tcflag_t)(ECHO | ECHONL | ICANON | IEXTEN);
    if (t->escape)
        raw_mode.c_lflag &= ~(tcflag_t)ISIG;
    raw_mode.c_cc[VMIN] = 1;
    raw_mode.c_cc[VTIME] = 0;
    raw_active = 1;
    tcsetattr(STDIN_FILENO, TCSANOW, &raw_mode);
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
    farewell_len = lost = 0;
    if (t->tty) {
        catch_signals();
        if (in_foreground())
            make_raw(t);
        else
            lost = 1; /* its modes are taken when it is brought to the foreground */
    }
    return t;
}

void terminal_close(struct terminal *t)
{
    if (!t)
        return;
    terminal_restore_now();
    lost = 0;
    free(t);
}

/* ---- a display ---- */

void terminal_lend(struct terminal *t, const char *undo)
{
    size_t len = strlen(undo);
    t->display = t->lent = true;
    farewell_len = 0;
    if (len < sizeof(farewell))
        memcpy(farewell, undo, len);
    farewell_len = len < sizeof(farewell) ? (sig_atomic_t)len : 0;
    tcgetattr(STDIN_FILENO, &raw_mode);
}

void terminal_give_to_monitor(struct terminal *t)
{
    t->lent = false;
    t->in_monitor = true;
    farewell_len = 0;
    tcgetattr(STDIN_FILENO, &raw_mode);
}

bool terminal_ours(const struct terminal *t)
{
    return t->tty && raw_active && !lost && in_foreground();
}

bool terminal_resume(struct terminal *t)
{
    if (!lost || !in_foreground())
        return false;
    lost = 0;
    if (!raw_mode.c_cflag) { /* we began in the background */
        make_raw(t);
        return true;
    }
    raw_active = 1;
    tcsetattr(STDIN_FILENO, TCSANOW, &raw_mode);
    return true;
}

void terminal_suspend(void)
{
    raise(SIGTSTP);
}

/* ---- bytes ---- */

static void keep(struct terminal *t, u8 byte)
{
    if (t->in_monitor) {
        if (t->monitor_len < RING)
            t->monitor[t->monitor_len++] = (char)byte;
        return;
    }
    t->ring[(t->head + t->len++) % RING] = byte;
}

/* On the terminal, wherever stderr may go; a pipe's reader wants the guest's bytes alone. */
static void help(void)
{
    fprintf(isatty(STDOUT_FILENO) ? stdout : stderr, "\n" CTRL_A_HELP_TEXT);
    fflush(stdout);
}

static enum terminal_command take(struct terminal *t, u8 byte)
{
    switch (t->escape ? ctrl_a_take(&t->after_ctrl_a, byte) : CTRL_A_PASS) {
    case CTRL_A_PASS: keep(t, byte); break;
    case CTRL_A_SEND: keep(t, CTRL_A); break;
    case CTRL_A_QUIT: return TERMINAL_QUIT;
    case CTRL_A_MONITOR:
        t->in_monitor = !t->in_monitor;
        t->lent = t->display && !t->in_monitor;
        break;
    case CTRL_A_SUSPEND: terminal_suspend(); break;
    case CTRL_A_HELP: help(); break;
    case CTRL_A_SWALLOW: break;
    }
    return TERMINAL_NOTHING;
}

int terminal_poll_fd(const struct terminal *t)
{
    return t->eof || t->lent || t->len == RING || (t->tty && !in_foreground()) ? -1 : STDIN_FILENO;
}

enum terminal_command terminal_poll(struct terminal *t)
{
    struct pollfd p = {.fd = terminal_poll_fd(t), .events = POLLIN};
    enum terminal_command command = TERMINAL_NOTHING;
    u8 buf[256];
    if (!t->lent)
        terminal_resume(t);
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
