/* Signals: masks, what handlers are told, restart, stacks, queues, timers. */
#include "guestos/user/usertests/usertests.h"

#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

static volatile sig_atomic_t count, last;
static siginfo_t info;

static void on_signal(int signal)
{
    count++;
    last = signal;
}

static void on_info(int signal, siginfo_t *i, void *context)
{
    on_signal(signal);
    info = *i;
    CHECK(context);
}

static void handle(int signal, int flags)
{
    struct sigaction a = {.sa_handler = on_signal, .sa_flags = flags};
    if (flags & SA_SIGINFO) {
        a.sa_sigaction = on_info;
    }
    CHECK(sigaction(signal, &a, NULL) == 0);
}

static sigset_t set_of(int signal)
{
    sigset_t s;
    sigemptyset(&s);
    if (signal) {
        sigaddset(&s, signal);
    }
    return s;
}

static void mask(int how, int signal)
{
    sigset_t s = set_of(signal);
    CHECK(sigprocmask(how, &s, NULL) == 0);
}

/* A child that sends us a signal after a while. */
static pid_t later(int signal, long ms)
{
    pid_t me = getpid(), pid = fork();
    if (pid == 0) {
        sleep_ms(ms);
        kill(me, signal);
        _exit(0);
    }
    return pid;
}

static void test_signal_handler(void)
{
    struct sigaction a;

    handle(SIGUSR1, 0);
    CHECK(kill(getpid(), SIGUSR1) == 0 && count == 1 && last == SIGUSR1);
    CHECK(raise(SIGUSR1) == 0 && count == 2);
    CHECK(sigaction(SIGUSR1, NULL, &a) == 0 && a.sa_handler == on_signal);
    CHECK_FAILS(sigaction(SIGKILL, &(struct sigaction){.sa_handler = SIG_IGN}, NULL), EINVAL);
    CHECK_FAILS(sigaction(SIGSTOP, &(struct sigaction){.sa_handler = on_signal}, NULL), EINVAL);
    CHECK_FAILS(kill(getpid(), 65), EINVAL);
    CHECK_FAILS(kill(999999, SIGUSR1), ESRCH);
    CHECK(kill(getpid(), 0) == 0);
    signal(SIGUSR1, SIG_IGN);
    raise(SIGUSR1);
    CHECK(count == 2);
}

static void test_signal_defaults(void)
{
    static const struct {
        int signal, status;
    } rows[] = {
        {SIGHUP, 128 + SIGHUP},   {SIGINT, 128 + SIGINT},   {SIGQUIT, 128 + SIGQUIT},
        {SIGABRT, 128 + SIGABRT}, {SIGALRM, 128 + SIGALRM}, {SIGUSR2, 128 + SIGUSR2},
        {SIGCHLD, 0},             {SIGURG, 0},              {SIGWINCH, 0},
        {SIGCONT, 0},             {35, 128 + 35},     {SIGKILL, 128 + SIGKILL},
    };
    for (unsigned i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        pid_t pid = fork();
        if (pid == 0) {
            kill(getpid(), rows[i].signal);
            _exit(0);
        }
        CHECK(status_of(pid) == rows[i].status);
    }
}

static void test_signal_mask(void)
{
    sigset_t pending;

    handle(SIGUSR1, 0);
    mask(SIG_BLOCK, SIGUSR1);
    raise(SIGUSR1);
    raise(SIGUSR1);
    CHECK(count == 0 && sigpending(&pending) == 0 && sigismember(&pending, SIGUSR1));
    pid_t pid = fork();
    if (pid == 0) { /* the mask is inherited, what is pending is not */
        CHECK(sigpending(&pending) == 0 && !sigismember(&pending, SIGUSR1));
        mask(SIG_UNBLOCK, SIGUSR1);
        _exit(count);
    }
    CHECK(status_of(pid) == 0);
    mask(SIG_UNBLOCK, SIGUSR1);
    CHECK(count == 1); /* two became one */
    mask(SIG_BLOCK, SIGUSR1);
    raise(SIGUSR1);
    signal(SIGUSR1, SIG_IGN); /* takes a pending one away */
    CHECK(sigpending(&pending) == 0 && !sigismember(&pending, SIGUSR1));
    mask(SIG_BLOCK, SIGKILL);
    sigprocmask(SIG_BLOCK, NULL, &pending);
    CHECK(!sigismember(&pending, SIGKILL));
}

static sigset_t mask_inside;
static void look_at_mask(int signal)
{
    sigprocmask(SIG_BLOCK, NULL, &mask_inside);
    if (signal == SIGUSR1 && count++ == 0) {
        raise(SIGUSR1);
    }
}

static void test_signal_mask_in_handler(void)
{
    struct sigaction a = {.sa_handler = look_at_mask, .sa_mask = set_of(SIGUSR2)};
    sigset_t after;

    CHECK(sigaction(SIGUSR1, &a, NULL) == 0);
    raise(SIGUSR1); /* raises itself: comes again after the first has returned */
    CHECK(count == 2);
    CHECK(sigismember(&mask_inside, SIGUSR1) && sigismember(&mask_inside, SIGUSR2));
    sigprocmask(SIG_BLOCK, NULL, &after);
    CHECK(!sigismember(&after, SIGUSR1) && !sigismember(&after, SIGUSR2));
    count = 0;
    a.sa_flags = SA_NODEFER | SA_RESETHAND;
    CHECK(sigaction(SIGUSR1, &a, NULL) == 0);
    pid_t pid = fork();
    if (pid == 0) {
        raise(SIGUSR1); /* within the handler it is the default's again, and not blocked */
        _exit(0);
    }
    CHECK(status_of(pid) == 128 + SIGUSR1);
}

static void test_signal_info(void)
{
    union sigval value = {.sival_int = 4711};

    handle(SIGUSR1, SA_SIGINFO);
    CHECK(kill(getpid(), SIGUSR1) == 0);
    CHECK(info.si_signo == SIGUSR1 && info.si_code == SI_USER && info.si_pid == getpid() &&
          info.si_uid == getuid());
    CHECK(sigqueue(getpid(), SIGUSR1, value) == 0);
    CHECK(info.si_code == SI_QUEUE && info.si_value.sival_int == 4711 && info.si_pid == getpid());
    CHECK(syscall(SYS_tkill, getpid(), SIGUSR1) == 0 && info.si_code == SI_TKILL);
    handle(SIGCHLD, SA_SIGINFO);
    pid_t pid = fork();
    if (pid == 0) {
        _exit(9);
    }
    while (last != SIGCHLD) {
        sleep_ms(5);
    }
    CHECK(info.si_code == CLD_EXITED && info.si_status == 9 && info.si_pid == pid);
    CHECK(status_of(pid) == 9);
    last = 0;
    pid = fork();
    if (pid == 0) {
        raise(SIGKILL);
    }
    while (last != SIGCHLD) {
        sleep_ms(5);
    }
    CHECK(info.si_code == CLD_KILLED && info.si_status == SIGKILL);
    CHECK(status_of(pid) == 128 + SIGKILL);
}

static void test_signal_child_stops(void)
{
    handle(SIGCHLD, SA_SIGINFO);
    pid_t pid = fork();
    if (pid == 0) {
        for (;;) {
            pause();
        }
    }
    kill(pid, SIGSTOP);
    while (count < 1) {
        sleep_ms(5);
    }
    CHECK(info.si_code == CLD_STOPPED && info.si_status == SIGSTOP);
    kill(pid, SIGCONT);
    while (count < 2) {
        sleep_ms(5);
    }
    CHECK(info.si_code == CLD_CONTINUED);
    handle(SIGCHLD, SA_SIGINFO | SA_NOCLDSTOP);
    kill(pid, SIGSTOP);
    CHECK(waitpid(pid, NULL, WUNTRACED) == pid);
    sleep_ms(20);
    CHECK(count == 2);
    kill(pid, SIGKILL); /* also of a stopped one */
    CHECK(status_of(pid) == 128 + SIGKILL);
}

static void test_signal_restart(void)
{
    int fd[2];
    char c;

    CHECK(pipe(fd) == 0);
    handle(SIGUSR1, 0);
    pid_t pid = later(SIGUSR1, 40);
    CHECK_FAILS(read(fd[0], &c, 1), EINTR);
    CHECK(status_of(pid) == 0 && count == 1);
    handle(SIGUSR1, SA_RESTART);
    pid = fork();
    if (pid == 0) {
        sleep_ms(40);
        kill(getppid(), SIGUSR1);
        sleep_ms(40);
        CHECK(write(fd[1], "x", 1) == 1);
        _exit(0);
    }
    CHECK(read(fd[0], &c, 1) == 1 && c == 'x' && count == 2); /* went on */
    CHECK(status_of(pid) == 0);
    pid = later(SIGUSR1, 40);
    CHECK(waitpid(pid, NULL, 0) == pid && count == 3); /* so does wait */
    pid = later(SIGUSR1, 40);
    CHECK_FAILS(pause(), EINTR); /* and pause never */
    CHECK(status_of(pid) == 0);
}

static void test_signal_stop_is_no_interruption(void)
{
    int fd[2];
    char c;

    CHECK(pipe(fd) == 0);
    pid_t pid = fork();
    if (pid == 0) {
        CHECK(read(fd[0], &c, 1) == 1); /* is stopped and continued in it, without a handler */
        _exit(0);
    }
    sleep_ms(20);
    kill(pid, SIGSTOP);
    CHECK(waitpid(pid, NULL, WUNTRACED) == pid);
    kill(pid, SIGCONT);
    sleep_ms(20);
    CHECK(waitpid(pid, NULL, WNOHANG) == 0);
    CHECK(write(fd[1], "x", 1) == 1);
    CHECK(status_of(pid) == 0);
}

static void test_sigsuspend(void)
{
    sigset_t none = set_of(0), now;

    handle(SIGUSR1, 0);
    mask(SIG_BLOCK, SIGUSR1);
    raise(SIGUSR1);
    CHECK_FAILS(sigsuspend(&none), EINTR);
    CHECK(count == 1);
    sigprocmask(SIG_BLOCK, NULL, &now);
    CHECK(sigismember(&now, SIGUSR1)); /* blocked again */
    pid_t pid = later(SIGUSR1, 30);
    CHECK_FAILS(sigsuspend(&none), EINTR);
    CHECK(count == 2 && status_of(pid) == 0);
}

static void test_sigwait(void)
{
    sigset_t set = set_of(SIGUSR1);
    struct timespec little = {0, 30000000};
    siginfo_t got;

    mask(SIG_BLOCK, SIGUSR1);
    CHECK_FAILS(sigtimedwait(&set, &got, &little), EAGAIN);
    pid_t pid = later(SIGUSR1, 30);
    CHECK(sigwaitinfo(&set, &got) == SIGUSR1 && got.si_pid == pid && got.si_code == SI_USER);
    CHECK(status_of(pid) == 0);
}

static int order[8], nr_order;
static void note(int signal, siginfo_t *i, void *context)
{
    (void)signal, (void)context;
    order[nr_order++ & 7] = i->si_value.sival_int;
}

static void test_realtime_signals_queue(void)
{
    struct sigaction a = {.sa_sigaction = note, .sa_flags = SA_SIGINFO};
    sigset_t both = set_of(SIGRTMIN + 1);

    sigaddset(&both, SIGRTMIN);
    sigfillset(&a.sa_mask);
    CHECK(sigaction(SIGRTMIN, &a, NULL) == 0 && sigaction(SIGRTMIN + 1, &a, NULL) == 0);
    sigprocmask(SIG_BLOCK, &both, NULL);
    for (int i = 0; i < 3; i++) { /* the higher first: the lower is delivered first */
        CHECK(sigqueue(getpid(), SIGRTMIN + 1, (union sigval){.sival_int = 10 + i}) == 0);
        CHECK(sigqueue(getpid(), SIGRTMIN, (union sigval){.sival_int = i}) == 0);
    }
    sigprocmask(SIG_UNBLOCK, &both, NULL);
    CHECK(nr_order == 6);
    static const int expected[] = {0, 1, 2, 10, 11, 12};
    CHECK(memcmp(order, expected, sizeof expected) == 0);
}

/* Handlers change all registers; the interrupted program must not notice. */
static void spoil_vectors(int signal)
{
    count++;
    (void)signal;
    __asm__ volatile("pcmpeqd %%xmm0, %%xmm0; pcmpeqd %%xmm7, %%xmm7; pcmpeqd %%xmm15, %%xmm15;"
                     "fninit; fldpi" ::: "xmm0", "xmm7", "xmm15");
}

static void test_signal_keeps_registers(void)
{
    struct itimerval every = {{0, 2000}, {0, 2000}};
    uint64_t bad = 0, x = 0x123456789abcdef0;
    double sum = 0;

    signal(SIGALRM, spoil_vectors);
    CHECK(setitimer(ITIMER_REAL, &every, NULL) == 0);
    for (uint64_t i = 1; count < 10; i++) {
        uint64_t a, b, c;
        __asm__ volatile("movq %3, %%xmm0; movq %3, %%xmm7; movq %3, %%xmm15; mov $2000, %%ecx;"
                         "1: dec %%ecx; jnz 1b;"
                         "movq %%xmm0, %0; movq %%xmm7, %1; movq %%xmm15, %2"
                         : "=&r"(a), "=&r"(b), "=&r"(c)
                         : "r"(x + i)
                         : "rcx", "xmm0", "xmm7", "xmm15", "cc");
        bad += a != x + i || b != x + i || c != x + i;
        sum += 0.5;
    }
    CHECK(bad == 0 && sum > 0);
}

static sigjmp_buf back;
static void jump_out(int signal)
{
    siglongjmp(back, signal);
}

static void test_siglongjmp(void)
{
    sigset_t now;

    signal(SIGUSR1, jump_out);
    for (int i = 0; i < 3; i++) {
        int got = sigsetjmp(back, 1);
        if (got == 0) {
            raise(SIGUSR1);
            CHECK(false);
        }
        CHECK(got == SIGUSR1);
        sigprocmask(SIG_BLOCK, NULL, &now);
        CHECK(!sigismember(&now, SIGUSR1));
    }
}

static char alternate[32768];
static void on_alternate(int signal)
{
    char here;
    stack_t s;

    (void)signal;
    count += &here >= alternate && &here < alternate + sizeof alternate;
    CHECK(sigaltstack(NULL, &s) == 0 && (s.ss_flags & SS_ONSTACK));
    s.ss_flags = 0;
    CHECK_FAILS(sigaltstack(&s, NULL), EPERM); /* not while on it */
}

static void test_sigaltstack(void)
{
    stack_t s = {.ss_sp = alternate, .ss_size = sizeof alternate}, was;
    struct sigaction a = {.sa_handler = on_alternate, .sa_flags = SA_ONSTACK};

    CHECK(sigaltstack(&s, &was) == 0 && (was.ss_flags & SS_DISABLE));
    CHECK(sigaction(SIGUSR1, &a, NULL) == 0);
    raise(SIGUSR1);
    CHECK(count == 1);
    CHECK(sigaltstack(NULL, &was) == 0 && was.ss_flags == 0 && was.ss_sp == alternate);
    s.ss_size = 100;
    CHECK_FAILS(sigaltstack(&s, NULL), ENOMEM);
    s = (stack_t){.ss_flags = SS_DISABLE};
    CHECK(sigaltstack(&s, NULL) == 0);
    a.sa_handler = on_signal;
    CHECK(sigaction(SIGUSR1, &a, NULL) == 0 && raise(SIGUSR1) == 0 && count == 2);
}

static void test_kill_group(void)
{
    pid_t child[3];
    int fd[2];
    char c;

    CHECK(pipe(fd) == 0);
    for (int i = 0; i < 3; i++) {
        child[i] = fork();
        if (child[i] == 0) {
            setpgid(0, i == 0 ? 0 : child[0]);
            CHECK(write(fd[1], "x", 1) == 1);
            for (;;) {
                pause();
            }
        }
        setpgid(child[i], child[0]);
        CHECK(read(fd[0], &c, 1) == 1);
    }
    CHECK(kill(-child[0], SIGTERM) == 0);
    for (int i = 0; i < 3; i++) {
        CHECK(status_of(child[i]) == 128 + SIGTERM);
    }
    CHECK_FAILS(kill(-child[0], SIGTERM), ESRCH);
}

const struct test signal_tests[] = {
    TEST(signal_handler),
    TEST(signal_defaults),
    TEST(signal_mask),
    TEST(signal_mask_in_handler),
    TEST(signal_info),
    TEST(signal_child_stops),
    TEST(signal_restart),
    TEST(signal_stop_is_no_interruption),
    TEST(sigsuspend),
    TEST(sigwait),
    TEST(realtime_signals_queue),
    TEST(signal_keeps_registers),
    TEST(siglongjmp),
    TEST(sigaltstack),
    TEST(kill_group),
    {0},
};
