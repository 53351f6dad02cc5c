/* Threads: pthreads over clone, futex and TLS. */
#include "guestos/user/usertests/usertests.h"

#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { FUTEX_WAIT, FUTEX_WAKE }; /* linux/futex.h, which musl-gcc does not see */
enum { THREADS = 8, TIMES = 500 };

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static int shared;
static __thread int own = 7;

static void *add(void *argument)
{
    for (int i = 0; i < TIMES; i++) {
        pthread_mutex_lock(&mutex);
        int was = shared;
        if (i % 50 == 0) {
            sched_yield();
        }
        shared = was + 1;
        pthread_mutex_unlock(&mutex);
        own++;
    }
    CHECK(own == 7 + TIMES);
    return argument;
}

static void test_thread_mutex(void)
{
    pthread_t t[THREADS];
    void *result;

    for (long i = 0; i < THREADS; i++) {
        CHECK(pthread_create(&t[i], NULL, add, (void *)i) == 0);
    }
    for (long i = 0; i < THREADS; i++) {
        CHECK(pthread_join(t[i], &result) == 0 && result == (void *)i);
    }
    CHECK(shared == THREADS * TIMES && own == 7);
}

static void *ping(void *argument)
{
    for (int i = 0; i < 100; i++) {
        pthread_mutex_lock(&mutex);
        while (shared % 2 == 0) {
            pthread_cond_wait(&changed, &mutex);
        }
        shared++;
        pthread_cond_signal(&changed);
        pthread_mutex_unlock(&mutex);
    }
    return argument;
}

static void test_thread_condition(void)
{
    pthread_t t;

    CHECK(pthread_create(&t, NULL, ping, NULL) == 0);
    for (int i = 0; i < 100; i++) {
        pthread_mutex_lock(&mutex);
        shared++;
        pthread_cond_signal(&changed);
        while (shared % 2 == 1) {
            pthread_cond_wait(&changed, &mutex);
        }
        pthread_mutex_unlock(&mutex);
    }
    CHECK(pthread_join(t, NULL) == 0 && shared == 200);
}

static pid_t thread_id, thread_pid;
static void *say_ids(void *argument)
{
    thread_id = (pid_t)syscall(SYS_gettid);
    thread_pid = getpid();
    return argument;
}

static void test_thread_ids(void)
{
    pthread_t t;

    CHECK(syscall(SYS_gettid) == getpid());
    CHECK(pthread_create(&t, NULL, say_ids, NULL) == 0 && pthread_join(t, NULL) == 0);
    CHECK(thread_pid == getpid() && thread_id != getpid());
    /* On Linux the join may be back before the last of the thread has gone. */
    for (int i = 0; i < 1000 && syscall(SYS_tgkill, getpid(), thread_id, 0) == 0; i++) {
        usleep(1000);
    }
    CHECK_FAILS(syscall(SYS_tgkill, getpid(), thread_id, 0), ESRCH);
}

static atomic_int word;
static long futex(atomic_int *at, int operation, int value, const struct timespec *timeout)
{
    return syscall(SYS_futex, at, operation, value, timeout, NULL, 0);
}

static void *wait_for_word(void *argument)
{
    while (word == 0) {
        futex(&word, FUTEX_WAIT, 0, NULL);
    }
    return argument;
}

static void test_futex(void)
{
    struct timespec little = {0, 30000000};
    pthread_t t[4];

    CHECK_FAILS(futex(&word, FUTEX_WAIT, 1, NULL), EAGAIN);
    uint64_t began = now_ms();
    CHECK_FAILS(futex(&word, FUTEX_WAIT, 0, &little), ETIMEDOUT);
    CHECK(now_ms() - began >= 29);
    CHECK(futex(&word, FUTEX_WAKE, 1, NULL) == 0);
    CHECK_FAILS(futex((atomic_int *)((char *)&word + 1), FUTEX_WAIT, 0, NULL), EINVAL);
    CHECK_FAILS(futex((atomic_int *)0x10, FUTEX_WAIT, 0, NULL), EFAULT);
    CHECK_FAILS(futex(&word, 99, 0, NULL), ENOSYS);
    for (int i = 0; i < 4; i++) {
        CHECK(pthread_create(&t[i], NULL, wait_for_word, NULL) == 0);
    }
    sleep_ms(50);
    word = 1;
    CHECK(futex(&word, FUTEX_WAKE, 2, NULL) == 2);
    CHECK(futex(&word, FUTEX_WAKE, 100, NULL) == 2);
    for (int i = 0; i < 4; i++) {
        CHECK(pthread_join(t[i], NULL) == 0);
    }
}

static void test_thread_semaphore_and_timeout(void)
{
    sem_t s;
    struct timespec until;

    CHECK(sem_init(&s, 0, 1) == 0 && sem_wait(&s) == 0);
    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_nsec += 30000000;
    if (until.tv_nsec >= 1000000000) {
        until.tv_sec++;
        until.tv_nsec -= 1000000000;
    }
    CHECK_FAILS(sem_timedwait(&s, &until), ETIMEDOUT);
    CHECK(sem_post(&s) == 0 && sem_wait(&s) == 0);
}

static void *fork_here(void *argument)
{
    pid_t pid = fork();
    if (pid == 0) {
        _exit(syscall(SYS_gettid) == getpid() ? 5 : 1); /* the one thread there is */
    }
    CHECK(status_of(pid) == 5);
    return argument;
}

static void test_thread_forks(void)
{
    pthread_t t;
    CHECK(pthread_create(&t, NULL, fork_here, NULL) == 0 && pthread_join(t, NULL) == 0);
}

static void *exit_all(void *argument)
{
    (void)argument;
    sleep_ms(20);
    _exit(17);
}

static void *sleep_long(void *argument)
{
    sleep(1000);
    return argument;
}

static void test_thread_exit_group(void)
{
    pthread_t t;
    pid_t pid = fork();
    if (pid == 0) {
        pthread_create(&t, NULL, sleep_long, NULL);
        pthread_create(&t, NULL, exit_all, NULL);
        sleep(1000);
    }
    CHECK(status_of(pid) == 17);
    pid = fork();
    if (pid == 0) { /* the first thread ends; the process lives on */
        pthread_create(&t, NULL, exit_all, NULL);
        syscall(SYS_exit, 1);
    }
    CHECK(status_of(pid) == 17);
    pid = fork();
    if (pid == 0) {
        pthread_create(&t, NULL, sleep_long, NULL);
        sleep_ms(10);
        *(volatile char *)8 = 1;
    }
    CHECK(status_of(pid) == 128 + SIGSEGV);
}

static pthread_t got_it;
static void note_thread(int signal)
{
    (void)signal;
    got_it = pthread_self();
}

static void test_thread_signals(void)
{
    pthread_t t;
    sigset_t set;

    signal(SIGUSR1, note_thread);
    CHECK(pthread_create(&t, NULL, sleep_long, NULL) == 0);
    sleep_ms(20);
    CHECK(pthread_kill(t, SIGUSR1) == 0);
    CHECK(pthread_join(t, NULL) == 0 && got_it == t); /* its sleep was interrupted */
    sigemptyset(&set);
    sigaddset(&set, SIGUSR1);
    CHECK(pthread_create(&t, NULL, sleep_long, NULL) == 0);
    CHECK(pthread_sigmask(SIG_BLOCK, &set, NULL) == 0); /* masks are a thread's own */
    sleep_ms(20);
    CHECK(kill(getpid(), SIGUSR1) == 0); /* goes to who does not block it */
    CHECK(pthread_join(t, NULL) == 0 && got_it == t);
}

static void test_thread_cancel(void)
{
    pthread_t t;
    void *result;

    CHECK(pthread_create(&t, NULL, sleep_long, NULL) == 0);
    sleep_ms(20);
    CHECK(pthread_cancel(t) == 0 && pthread_join(t, &result) == 0 && result == PTHREAD_CANCELED);
}

static pthread_barrier_t barrier;
static void *meet(void *argument)
{
    for (int i = 0; i < 20; i++) {
        pthread_barrier_wait(&barrier);
    }
    return argument;
}

static void test_thread_barrier(void)
{
    pthread_t t[THREADS];

    CHECK(pthread_barrier_init(&barrier, NULL, THREADS) == 0);
    for (int i = 0; i < THREADS; i++) {
        CHECK(pthread_create(&t[i], NULL, meet, NULL) == 0);
    }
    for (int i = 0; i < THREADS; i++) {
        CHECK(pthread_join(t[i], NULL) == 0);
    }
}

static void test_thread_many_in_turn(void)
{
    pthread_t t;
    void *result;

    for (long i = 0; i < 200; i++) {
        CHECK(pthread_create(&t, NULL, say_ids, (void *)i) == 0);
        CHECK(pthread_join(t, &result) == 0 && result == (void *)i);
    }
}

const struct test thread_tests[] = {
    TEST(thread_mutex),
    TEST(thread_condition),
    TEST(thread_ids),
    TEST(futex),
    TEST(thread_semaphore_and_timeout),
    TEST(thread_forks),
    TEST(thread_exit_group),
    TEST(thread_signals),
    TEST(thread_cancel),
    TEST(thread_barrier),
    TEST(thread_many_in_turn),
    {0},
};
