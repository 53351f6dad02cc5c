/* Clocks, sleeping, timers. */
#include "guestos/user/usertests/usertests.h"

#include <signal.h>
#include <sys/time.h>
#include <sys/times.h>
#include <time.h>
#include <unistd.h>

static volatile sig_atomic_t count;
static void on_alarm(int signal)
{
    (void)signal;
    count++;
}

static int64_t ns(clockid_t clock)
{
    struct timespec t;
    CHECK(clock_gettime(clock, &t) == 0 && t.tv_nsec >= 0 && t.tv_nsec < 1000000000);
    return t.tv_sec * 1000000000ll + t.tv_nsec;
}

static void test_clocks(void)
{
    struct timeval tv;
    struct timespec resolution;
    int64_t last = ns(CLOCK_MONOTONIC), real = ns(CLOCK_REALTIME);

    for (int i = 0; i < 2000; i++) {
        int64_t now = ns(CLOCK_MONOTONIC);
        CHECK(now >= last);
        last = now;
    }
    CHECK(gettimeofday(&tv, NULL) == 0);
    CHECK(tv.tv_sec - real / 1000000000 <= 5 && tv.tv_sec >= real / 1000000000);
    CHECK(time(NULL) - tv.tv_sec <= 1);
    CHECK(tv.tv_sec > 1700000000); /* the hardware's clock was read */
    CHECK(clock_getres(CLOCK_MONOTONIC, &resolution) == 0 && resolution.tv_sec == 0);
    CHECK_FAILS(clock_gettime(99, &resolution), EINVAL);
    int64_t cpu = ns(CLOCK_PROCESS_CPUTIME_ID), wall = ns(CLOCK_MONOTONIC);
    sleep_ms(50);
    CHECK(ns(CLOCK_PROCESS_CPUTIME_ID) - cpu < 40000000 && ns(CLOCK_MONOTONIC) - wall >= 50000000);
}

static void test_nanosleep(void)
{
    struct timespec t = {0, 50000000}, left;
    int64_t began = ns(CLOCK_MONOTONIC);

    CHECK(nanosleep(&t, NULL) == 0 && ns(CLOCK_MONOTONIC) - began >= 50000000);
    t.tv_nsec = 1000000000;
    CHECK_FAILS(nanosleep(&t, NULL), EINVAL);
    t = (struct timespec){-1, 0};
    CHECK_FAILS(nanosleep(&t, NULL), EINVAL);
    signal(SIGALRM, on_alarm);
    ualarm(30000, 0);
    t = (struct timespec){10, 0};
    CHECK_FAILS(nanosleep(&t, &left), EINTR);
    CHECK(left.tv_sec == 9 && left.tv_nsec > 0);
    clock_gettime(CLOCK_MONOTONIC, &t);
    t.tv_nsec += 30000000;
    if (t.tv_nsec >= 1000000000) {
        t.tv_sec++;
        t.tv_nsec -= 1000000000;
    }
    CHECK(clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &t, NULL) == 0);
    CHECK(ns(CLOCK_MONOTONIC) >= t.tv_sec * 1000000000ll + t.tv_nsec);
    CHECK(clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &t, NULL) == 0); /* has been */
}

static void test_alarm_and_itimer(void)
{
    struct itimerval every = {{0, 20000}, {0, 20000}}, got, none = {{0, 0}, {0, 0}};

    signal(SIGALRM, on_alarm);
    CHECK(alarm(100) > 0); /* the runner's */
    CHECK(alarm(0) == 100);
    int64_t began = ns(CLOCK_MONOTONIC);
    CHECK(setitimer(ITIMER_REAL, &every, NULL) == 0);
    while (count < 5) {
        pause();
    }
    CHECK(ns(CLOCK_MONOTONIC) - began >= 100000000);
    CHECK(getitimer(ITIMER_REAL, &got) == 0 && got.it_interval.tv_usec == 20000);
    CHECK(setitimer(ITIMER_REAL, &none, &got) == 0 && got.it_value.tv_usec <= 20000);
    count = 0;
    sleep_ms(50);
    CHECK(count == 0);
    pid_t pid = fork();
    if (pid == 0) { /* not inherited by fork */
        CHECK(alarm(0) == 0);
        _exit(0);
    }
    CHECK(status_of(pid) == 0);
    alarm(60);
}

static void test_posix_timer(void)
{
    struct sigevent event = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGUSR1};
    struct itimerspec soon = {{0, 0}, {0, 20000000}}, got;
    timer_t timer;

    signal(SIGUSR1, on_alarm);
    CHECK(timer_create(CLOCK_MONOTONIC, &event, &timer) == 0);
    CHECK(timer_settime(timer, 0, &soon, NULL) == 0);
    while (count == 0) {
        sleep_ms(5);
    }
    CHECK(timer_gettime(timer, &got) == 0 && got.it_value.tv_sec == 0 && got.it_value.tv_nsec == 0);
    CHECK(timer_delete(timer) == 0);
}

static void test_preemption(void)
{
    int fd[2];
    char c;

    CHECK(pipe(fd) == 0);
    pid_t hog = fork();
    if (hog == 0) {
        for (;;) { /* never enters the kernel by itself */
        }
    }
    int64_t began = ns(CLOCK_MONOTONIC);
    for (int i = 0; i < 5; i++) {
        pid_t pid = fork();
        if (pid == 0) {
            CHECK(write(fd[1], "x", 1) == 1);
            _exit(0);
        }
        CHECK(read(fd[0], &c, 1) == 1 && status_of(pid) == 0);
    }
    CHECK(ns(CLOCK_MONOTONIC) - began < 5000000000);
    kill(hog, SIGKILL);
    CHECK(status_of(hog) == 128 + SIGKILL);
}

const struct test time_tests[] = {
    TEST(clocks),      TEST(nanosleep),  TEST(alarm_and_itimer),
    TEST(posix_timer), TEST(preemption), {0},
};
