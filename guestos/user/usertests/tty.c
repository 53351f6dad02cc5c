/*
 * Terminals: editing, signals from keys, job control. The terminal is a pseudo terminal where there
 * are any, and the controlling one, with TIOCSTI to type on it, elsewhere (TIOCSTI is root's, and new
 * Linux kernels have it turned off).
 */
#include "guestos/user/usertests/usertests.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

static int master = -1, terminal = -1; /* master: -1 if it is the real terminal */
static struct termios first;

static void open_terminal(void)
{
    if (access("/dev/ptmx", R_OK | W_OK) == 0) {
        pid_t pid = fork(); /* the leader of a group cannot begin a session */
        if (pid > 0) {
            _exit(status_of(pid));
        }
        master = posix_openpt(O_RDWR | O_NOCTTY);
        CHECK(master >= 0 && grantpt(master) == 0 && unlockpt(master) == 0 && setsid() == getpid());
        terminal = open(ptsname(master), O_RDWR | O_NOCTTY);
        CHECK(terminal >= 0 && ioctl(terminal, TIOCSCTTY, 0) == 0);
    } else {
        need_root();
        terminal = open("/dev/tty", O_RDWR);
        if (terminal < 0) {
            skip("no terminal");
        }
        signal(SIGTTOU, SIG_IGN); /* the runner made us a background group */
        CHECK(tcsetpgrp(terminal, getpgrp()) == 0);
        signal(SIGTTOU, SIG_DFL);
    }
    CHECK(tcgetattr(terminal, &first) == 0);
}

/* The next test, and the shell, find the terminal as it was. */
static void give_back(void)
{
    if (master < 0) {
        signal(SIGTTOU, SIG_IGN);
        tcsetattr(terminal, TCSAFLUSH, &first);
        tcsetpgrp(terminal, getpgid(getppid()));
    }
}

static void set_flags(tcflag_t local)
{
    struct termios t = first;
    t.c_lflag = local;
    t.c_cc[VMIN] = 1;
    t.c_cc[VTIME] = 0;
    CHECK(tcsetattr(terminal, TCSAFLUSH, &t) == 0);
}

static void type(const char *keys)
{
    for (; *keys; keys++) {
        if (master >= 0) {
            CHECK(write(master, keys, 1) == 1);
        } else {
            CHECK(ioctl(terminal, TIOCSTI, keys) == 0);
        }
    }
}

static bool line_is(const char *text)
{
    char got[256];
    ssize_t n = read(terminal, got, sizeof got - 1);
    got[n > 0 ? n : 0] = 0;
    return strcmp(got, text) == 0;
}

static void test_tty_settings(void)
{
    struct termios t;
    struct winsize size;

    open_terminal();
    CHECK(isatty(terminal) && tcgetattr(terminal, &t) == 0);
    t.c_cc[VINTR] = 1;
    t.c_lflag &= ~(tcflag_t)ECHO;
    CHECK(tcsetattr(terminal, TCSANOW, &t) == 0 && tcgetattr(terminal, &t) == 0);
    CHECK(t.c_cc[VINTR] == 1 && !(t.c_lflag & ECHO));
    CHECK(ioctl(terminal, TIOCGWINSZ, &size) == 0);
    int null = open("/dev/null", O_RDWR);
    CHECK(!isatty(null) && errno == ENOTTY);
    CHECK(tcgetsid(terminal) == getsid(0) && tcgetpgrp(terminal) == getpgrp());
    give_back();
}

static void test_tty_lines(void)
{
    int waiting = 0;

    open_terminal();
    set_flags(ICANON | ISIG | IEXTEN);
    struct pollfd p = {terminal, POLLIN, 0};
    type("abc");
    CHECK(poll(&p, 1, 0) == 0); /* no line yet */
    type("\n");
    CHECK(poll(&p, 1, 100) == 1 && ioctl(terminal, FIONREAD, &waiting) == 0 && waiting == 4);
    CHECK(line_is("abc\n"));
    type("abd\177c\n"); /* erase */
    CHECK(line_is("abc\n"));
    type("rubbish\025good\n"); /* kill */
    CHECK(line_is("good\n"));
    type("two words\027ones\n"); /* word erase */
    CHECK(line_is("two ones\n"));
    type("one\ntwo\n");
    CHECK(line_is("one\n") && line_is("two\n")); /* a line at a time */
    type("half\004");
    CHECK(line_is("half")); /* EOF ends a line without a newline, */
    type("\004");
    CHECK(line_is("")); /* and an empty one is the end */
    type("a\026\003b\n");
    CHECK(line_is("a\003b\n")); /* literally */
    type("cr\r");
    CHECK(line_is("cr\n")); /* ICRNL */
    give_back();
}

static void test_tty_raw(void)
{
    struct termios t;
    char got[8];

    open_terminal();
    set_flags(0);
    type("x");
    CHECK(read(terminal, got, sizeof got) == 1 && got[0] == 'x');
    t = first;
    t.c_lflag = 0;
    t.c_cc[VMIN] = 3;
    t.c_cc[VTIME] = 0;
    CHECK(tcsetattr(terminal, TCSANOW, &t) == 0);
    type("\003ab"); /* no signal */
    CHECK(read(terminal, got, sizeof got) == 3 && got[0] == 3);
    t.c_cc[VMIN] = 0;
    t.c_cc[VTIME] = 2;
    CHECK(tcsetattr(terminal, TCSANOW, &t) == 0);
    uint64_t began = now_ms();
    CHECK(read(terminal, got, sizeof got) == 0 && now_ms() - began >= 190);
    t.c_cc[VTIME] = 0;
    CHECK(tcsetattr(terminal, TCSANOW, &t) == 0 && read(terminal, got, sizeof got) == 0);
    CHECK(fcntl(terminal, F_SETFL, O_NONBLOCK) == 0);
    t.c_cc[VMIN] = 1;
    CHECK(tcsetattr(terminal, TCSANOW, &t) == 0);
    CHECK_FAILS(read(terminal, got, sizeof got), EAGAIN);
    fcntl(terminal, F_SETFL, 0);
    give_back();
}

static volatile sig_atomic_t got_signal;
static void note_signal(int signal)
{
    got_signal = signal;
}

static void test_tty_signals(void)
{
    open_terminal();
    set_flags(ICANON | ISIG);
    signal(SIGINT, note_signal);
    signal(SIGQUIT, note_signal);
    signal(SIGTSTP, note_signal);
    type("lost\003");
    for (int i = 0; got_signal != SIGINT; i++) {
        CHECK(i < 200);
        sleep_ms(5);
    }
    type("\034");
    for (int i = 0; got_signal != SIGQUIT; i++) {
        CHECK(i < 200);
        sleep_ms(5);
    }
    type("\032");
    for (int i = 0; got_signal != SIGTSTP; i++) {
        CHECK(i < 200);
        sleep_ms(5);
    }
    type("kept\n");
    CHECK(line_is("kept\n")); /* what stood before the keys is flushed */
    give_back();
}

static void test_tty_job_control(void)
{
    int status;
    char c;

    open_terminal();
    set_flags(ICANON | ISIG);
    pid_t job = fork();
    if (job == 0) {
        setpgid(0, 0);
        CHECK(read(terminal, &c, 1) == 1); /* from the background: SIGTTIN until it is fetched */
        CHECK(c == 'j');
        pause(); /* ended by the key */
    }
    setpgid(job, job);
    CHECK(waitpid(job, &status, WUNTRACED) == job && WIFSTOPPED(status) && WSTOPSIG(status) == SIGTTIN);
    CHECK(tcsetpgrp(terminal, job) == 0 && kill(-job, SIGCONT) == 0);
    signal(SIGTTOU, SIG_IGN); /* now the background is us */
    type("job\n");
    sleep_ms(50);
    type("\032");
    CHECK(waitpid(job, &status, WUNTRACED) == job && WIFSTOPPED(status) && WSTOPSIG(status) == SIGTSTP);
    CHECK(kill(-job, SIGCONT) == 0);
    type("\003");
    CHECK(waitpid(job, &status, 0) == job && WIFSIGNALED(status) && WTERMSIG(status) == SIGINT);
    CHECK(tcsetpgrp(terminal, getpgrp()) == 0);
    give_back();
}

static void test_tty_background_write(void)
{
    int status;

    open_terminal();
    set_flags(ICANON | ISIG | TOSTOP);
    pid_t job = fork();
    if (job == 0) {
        setpgid(0, 0);
        signal(SIGTTOU, SIG_DFL);
        if (write(terminal, "", 0) != 0) {
            _exit(2);
        }
        CHECK(write(terminal, "\r", 1) == 1);
        _exit(0);
    }
    setpgid(job, job);
    CHECK(waitpid(job, &status, WUNTRACED) == job && WIFSTOPPED(status) && WSTOPSIG(status) == SIGTTOU);
    set_flags(ICANON | ISIG); /* allowed now */
    CHECK(kill(job, SIGCONT) == 0 && status_of(job) == 0);
    job = fork();
    if (job == 0) { /* an orphaned group is not stopped but refused */
        if (fork() == 0) {
            setpgid(0, 0);
            sleep_ms(30);
            char c;
            _exit(read(terminal, &c, 1) < 0 && errno == EIO ? 0 : 1);
        }
        _exit(0);
    }
    CHECK(status_of(job) == 0);
    sleep_ms(60);
    give_back();
}

static void test_tty_hangup(void)
{
    open_terminal();
    if (master < 0) {
        give_back();
        skip("no pseudo terminals");
    }
    signal(SIGHUP, note_signal);
    close(master);
    for (int i = 0; got_signal != SIGHUP; i++) {
        CHECK(i < 200);
        sleep_ms(5);
    }
    char c;
    CHECK(read(terminal, &c, 1) == 0);
    CHECK_FAILS(write(terminal, "x", 1), EIO);
}

static void test_tty_sessions(void)
{
    open_terminal();
    pid_t pid = fork();
    if (pid == 0) {
        CHECK(setsid() == getpid());
        CHECK_FAILS(open("/dev/tty", O_RDWR), ENXIO);
        CHECK_FAILS(tcsetpgrp(terminal, getpgrp()), ENOTTY);
        CHECK_FAILS(ioctl(terminal, TIOCSCTTY, 0), EPERM); /* it is another session's */
        _exit(0);
    }
    CHECK(status_of(pid) == 0);
    CHECK(open("/dev/tty", O_RDWR) >= 0);
    CHECK_FAILS(tcsetpgrp(terminal, 999999), ESRCH);
    give_back();
}

const struct test tty_tests[] = {
    TEST(tty_settings),    TEST(tty_lines),       TEST(tty_raw),
    TEST(tty_signals),     TEST(tty_job_control), TEST(tty_background_write),
    TEST(tty_hangup),      TEST(tty_sessions),    {0},
};
