/* fork, vfork, wait, zombies, orphans, groups and sessions, limits. */
#include "guestos/user/usertests/usertests.h"

#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/times.h>
#include <sys/wait.h>
#include <unistd.h>

static void test_fork_exit_code(void)
{
    pid_t me = getpid(), pid = fork();

    if (pid == 0) {
        _exit(getppid() == me ? 42 : 1);
    }
    CHECK(status_of(pid) == 42);
}

static void test_fork_many(void)
{
    enum { N = 50 };
    bool seen[N] = {false};
    int status;

    for (int i = 0; i < N; i++) {
        pid_t pid = fork();
        if (pid == 0) {
            _exit(i);
        }
        CHECK(pid > 0);
    }
    for (int i = 0; i < N; i++) {
        CHECK(wait(&status) > 0 && WIFEXITED(status) && WEXITSTATUS(status) < N);
        seen[WEXITSTATUS(status)] = true;
    }
    for (int i = 0; i < N; i++) {
        CHECK(seen[i]);
    }
    CHECK_FAILS(wait(NULL), ECHILD);
}

static void test_fork_copies_memory(void)
{
    enum { BYTES = 200 * 4096 };
    static char data[BYTES];
    int to_child[2], to_parent[2];
    char c;

    memset(data, 'a', BYTES);
    CHECK(pipe(to_child) == 0 && pipe(to_parent) == 0);
    pid_t pid = fork();
    if (pid == 0) {
        memset(data, 'c', BYTES / 2); /* ours */
        CHECK(write(to_parent[1], "x", 1) == 1 && read(to_child[0], &c, 1) == 1);
        for (int i = 0; i < BYTES; i++) {
            CHECK(data[i] == (i < BYTES / 2 ? 'c' : 'a'));
        }
        _exit(0);
    }
    CHECK(read(to_parent[0], &c, 1) == 1);
    for (int i = 0; i < BYTES; i++) {
        CHECK(data[i] == 'a');
    }
    memset(data, 'p', BYTES);
    CHECK(write(to_child[1], "x", 1) == 1);
    CHECK(status_of(pid) == 0);
    CHECK(data[0] == 'p' && data[BYTES - 1] == 'p');
}

static void test_fork_shares_offsets(void)
{
    char c;
    write_text("f", "abcdef");
    int fd = open("f", O_RDONLY);

    pid_t pid = fork();
    if (pid == 0) {
        CHECK(read(fd, &c, 1) == 1 && c == 'a');
        CHECK(read(fd, &c, 1) == 1 && c == 'b');
        _exit(0);
    }
    CHECK(status_of(pid) == 0);
    CHECK(read(fd, &c, 1) == 1 && c == 'c');
    CHECK(lseek(fd, 0, SEEK_CUR) == 3);
}

static void test_vfork_shares_memory(void)
{
    volatile int value = 1;

    pid_t pid = vfork();
    if (pid == 0) {
        value = 2;
        _exit(3);
    }
    CHECK(value == 2); /* the parent waited, and the memory was its own */
    CHECK(status_of(pid) == 3);
}

static void test_wait_statuses(void)
{
    int status;
    pid_t pid = fork();

    if (pid == 0) {
        raise(SIGSTOP);
        pause();
    }
    CHECK(waitpid(pid, &status, WUNTRACED) == pid);
    CHECK(WIFSTOPPED(status) && WSTOPSIG(status) == SIGSTOP);
    CHECK(waitpid(pid, &status, WNOHANG | WUNTRACED) == 0); /* said once */
    CHECK(kill(pid, SIGCONT) == 0);
    CHECK(waitpid(pid, &status, WCONTINUED) == pid && WIFCONTINUED(status));
    CHECK(waitpid(pid, &status, WNOHANG) == 0);
    CHECK(kill(pid, SIGTERM) == 0);
    CHECK(waitpid(pid, &status, 0) == pid && WIFSIGNALED(status) && WTERMSIG(status) == SIGTERM);
    CHECK_FAILS(waitpid(pid, &status, 0), ECHILD);
    CHECK_FAILS(waitpid(1, &status, 0), ECHILD); /* exists, is no child */
    CHECK_FAILS(waitpid(-1, &status, 0x8000), EINVAL);
}

static void test_wait_chooses(void)
{
    pid_t a = fork();
    if (a == 0) {
        _exit(1);
    }
    pid_t b = fork();
    if (b == 0) {
        setpgid(0, 0);
        _exit(2);
    }
    setpgid(b, b); /* both do it: whoever is first */
    CHECK(status_of(b) == 2);
    pid_t c = fork();
    if (c == 0) {
        pause();
    }
    CHECK(setpgid(c, c) == 0);
    CHECK(waitpid(0, NULL, 0) == a); /* of our group */
    CHECK_FAILS(waitpid(0, NULL, 0), ECHILD);
    CHECK(waitpid(-c, NULL, WNOHANG) == 0);
    kill(c, SIGKILL);
    CHECK(waitpid(-c, NULL, 0) == c);
}

static void test_waitid(void)
{
    siginfo_t info;
    pid_t pid = fork();

    if (pid == 0) {
        _exit(7);
    }
    memset(&info, 0, sizeof info);
    CHECK(waitid(P_PID, (id_t)pid, &info, WEXITED | WNOWAIT) == 0);
    CHECK(info.si_pid == pid && info.si_code == CLD_EXITED && info.si_status == 7 &&
          info.si_signo == SIGCHLD && info.si_uid == getuid());
    CHECK(waitid(P_ALL, 0, &info, WEXITED) == 0 && info.si_pid == pid); /* it was still there */
    CHECK_FAILS(waitid(P_ALL, 0, &info, WEXITED), ECHILD);
}

static void test_zombie_stays(void)
{
    pid_t pid = fork();
    if (pid == 0) {
        _exit(0);
    }
    sleep_ms(50);
    CHECK(kill(pid, 0) == 0 && kill(pid, SIGKILL) == 0); /* no effect, no error */
    CHECK(status_of(pid) == 0);
    CHECK_FAILS(kill(pid, 0), ESRCH);
}

static void test_orphan_finds_init(void)
{
    int out[2];
    pid_t ids[2];

    CHECK(pipe(out) == 0);
    pid_t pid = fork();
    if (pid == 0) {
        pid_t parent = getpid();
        if (fork() == 0) {
            while (getppid() == parent) {
                sleep_ms(2);
            }
            ids[0] = getppid();
            ids[1] = getpid();
            CHECK(write(out[1], ids, sizeof ids) == sizeof ids);
        }
        _exit(0);
    }
    CHECK(status_of(pid) == 0);
    CHECK(read(out[0], ids, sizeof ids) == sizeof ids);
    CHECK(ids[0] == 1 || !on_ember()); /* init; Linux may have a subreaper */
    for (int i = 0; kill(ids[1], 0) == 0; i++) {
        CHECK(i < 500); /* reaped by somebody */
        sleep_ms(10);
    }
}

static void test_ignored_sigchld(void)
{
    signal(SIGCHLD, SIG_IGN);
    pid_t pid = fork();
    if (pid == 0) {
        _exit(0);
    }
    CHECK_FAILS(waitpid(pid, NULL, 0), ECHILD); /* waits for its end, then it is gone */
    CHECK_FAILS(kill(pid, 0), ESRCH);
}

static void test_process_groups(void)
{
    pid_t me = getpid();

    CHECK(getpgrp() == me && getpgid(0) == me);
    pid_t pid = fork();
    if (pid == 0) {
        CHECK(getpgrp() == me);
        CHECK(setpgid(0, 0) == 0 && getpgrp() == getpid());
        CHECK(setpgid(0, me) == 0 && getpgrp() == me);
        CHECK_FAILS(setpgid(0, 999999), EPERM);
        CHECK_FAILS(setpgid(0, -1), EINVAL);
        CHECK_FAILS(setpgid(999999, 0), ESRCH);
        CHECK_FAILS(getpgid(999999), ESRCH);
        CHECK(setsid() == getpid() && getsid(0) == getpid() && getpgrp() == getpid());
        CHECK_FAILS(setsid(), EPERM);       /* leads its group */
        CHECK_FAILS(setpgid(0, 0), EPERM);  /* leads its session */
        CHECK_FAILS(setpgid(0, me), EPERM); /* of another session */
        _exit(0);
    }
    CHECK(status_of(pid) == 0);
    pid = fork();
    if (pid == 0) {
        execl(self_path, self_path, "@exit", "0", NULL);
    }
    sleep_ms(100);
    CHECK(setpgid(pid, pid) < 0 && (errno == EACCES || errno == ESRCH)); /* it did execve */
    CHECK(status_of(pid) == 0);
}

static void test_exit_group_ends_children_not(void)
{
    int fd[2];
    char c;

    CHECK(pipe(fd) == 0);
    pid_t pid = fork();
    if (pid == 0) {
        if (fork() == 0) {
            sleep_ms(50);
            CHECK(write(fd[1], "x", 1) == 1);
        }
        _exit(0);
    }
    close(fd[1]);
    CHECK(status_of(pid) == 0);
    CHECK(read(fd[0], &c, 1) == 1 && read(fd[0], &c, 1) == 0);
}

static void fork_bomb(void)
{
    struct rlimit limit = {20, 20};
    int n = 0;

    become(12345, 12345);
    CHECK(setrlimit(RLIMIT_NPROC, &limit) == 0);
    for (;; n++) {
        pid_t pid = fork();
        if (pid == 0) {
            pause();
        }
        if (pid < 0) {
            break;
        }
        CHECK(n < 20);
    }
    CHECK(errno == EAGAIN && n == 19); /* ourselves and 19 */
    signal(SIGTERM, SIG_IGN);
    CHECK(kill(0, SIGTERM) == 0);
    for (int i = 0; i < n; i++) {
        CHECK(wait(NULL) > 0);
    }
    CHECK(fork() >= 0);
}

static void in_own_group(void)
{
    CHECK(setpgid(0, 0) == 0);
    fork_bomb();
}

static void test_fork_bomb_under_limit(void)
{
    need_root();
    CHECK(in_child(in_own_group) == 0);
}

static void test_limits(void)
{
    struct rlimit a = {100, 200}, b;

    CHECK(setrlimit(RLIMIT_NOFILE, &a) == 0 && getrlimit(RLIMIT_NOFILE, &b) == 0);
    CHECK(b.rlim_cur == 100 && b.rlim_max == 200);
    pid_t pid = fork();
    if (pid == 0) {
        CHECK(getrlimit(RLIMIT_NOFILE, &b) == 0 && b.rlim_cur == 100); /* inherited */
        _exit(0);
    }
    CHECK(status_of(pid) == 0);
    a.rlim_cur = 201;
    CHECK_FAILS(setrlimit(RLIMIT_NOFILE, &a), EINVAL);
    CHECK_FAILS(setrlimit(99, &a), EINVAL);
    if (geteuid() == 0) {
        pid = fork();
        if (pid == 0) {
            become(12345, 12345);
            a = (struct rlimit){100, 300};
            CHECK_FAILS(setrlimit(RLIMIT_NOFILE, &a), EPERM);
            a = (struct rlimit){100, 150};
            CHECK(setrlimit(RLIMIT_NOFILE, &a) == 0);
            _exit(0);
        }
        CHECK(status_of(pid) == 0);
    }
}

static void test_times_of_children(void)
{
    struct tms before, after;
    struct rusage self, children;

    times(&before);
    CHECK(before.tms_cutime == 0);
    pid_t pid = fork();
    if (pid == 0) {
        uint64_t end = now_ms() + 150;
        while (now_ms() < end) {
        }
        _exit(0);
    }
    times(&before);
    CHECK(before.tms_cutime == 0); /* it was not waited for yet */
    CHECK(status_of(pid) == 0);
    times(&after);
    CHECK(after.tms_cutime + after.tms_cstime > 0);
    CHECK(getrusage(RUSAGE_CHILDREN, &children) == 0 && getrusage(RUSAGE_SELF, &self) == 0);
    CHECK(children.ru_utime.tv_usec + children.ru_stime.tv_usec >= 20000);
    CHECK(children.ru_minflt > 0 && self.ru_minflt > 0 && self.ru_maxrss > 0);
}

static void test_yield_and_nice(void)
{
    CHECK(sched_yield() == 0);
    CHECK(getpriority(PRIO_PROCESS, 0) == 0);
    CHECK(nice(5) == 5 && getpriority(PRIO_PROCESS, 0) == 5);
    if (geteuid() != 0) {
        CHECK_FAILS(setpriority(PRIO_PROCESS, 0, 0), EACCES);
    }
    CHECK_FAILS(getpriority(PRIO_PROCESS, 999999), ESRCH);
}

static volatile sig_atomic_t over_cpu;
static void on_cpu_limit(int signal)
{
    (void)signal;
    over_cpu = 1;
}

static void test_cpu_limit(void)
{
    struct rlimit limit = {1, 3};

    signal(SIGXCPU, on_cpu_limit);
    CHECK(setrlimit(RLIMIT_CPU, &limit) == 0);
    while (!over_cpu) {
    }
}

const struct test process_tests[] = {
    TEST(fork_exit_code),
    TEST(fork_many),
    TEST(fork_copies_memory),
    TEST(fork_shares_offsets),
    TEST(vfork_shares_memory),
    TEST(wait_statuses),
    TEST(wait_chooses),
    TEST(waitid),
    TEST(zombie_stays),
    TEST(orphan_finds_init),
    TEST(ignored_sigchld),
    TEST(process_groups),
    TEST(exit_group_ends_children_not),
    TEST(fork_bomb_under_limit),
    TEST(limits),
    TEST(times_of_children),
    TEST(yield_and_nice),
    TEST(cpu_limit),
    {0},
};
