/* poll, select, epoll, eventfd. */
#include "guestos/user/usertests/usertests.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/select.h>
#include <unistd.h>

static void test_poll_pipe(void)
{
    int fd[2];
    char c;

    CHECK(pipe(fd) == 0);
    struct pollfd p[3] = {{fd[0], POLLIN, 0}, {fd[1], POLLOUT, 0}, {-1, POLLIN, 7}};
    CHECK(poll(p, 3, 0) == 1 && p[0].revents == 0 && p[1].revents == POLLOUT && p[2].revents == 0);
    CHECK(write(fd[1], "x", 1) == 1);
    CHECK(poll(p, 3, -1) == 2 && p[0].revents == POLLIN);
    CHECK(read(fd[0], &c, 1) == 1);
    close(fd[1]);
    CHECK(poll(p, 1, -1) == 1 && p[0].revents == POLLHUP);
    CHECK(poll(p + 1, 1, 0) == 1 && p[1].revents == POLLNVAL);
    CHECK(pipe(fd) == 0);
    close(fd[0]);
    p[0] = (struct pollfd){fd[1], POLLOUT, 0};
    CHECK(poll(p, 1, 0) == 1 && (p[0].revents & POLLERR));
    int file = open("f", O_RDWR | O_CREAT, 0600);
    p[0] = (struct pollfd){file, POLLIN | POLLOUT, 0};
    CHECK(poll(p, 1, 0) == 1 && p[0].revents == (POLLIN | POLLOUT)); /* always ready */
}

static void test_poll_waits(void)
{
    int fd[2];

    CHECK(pipe(fd) == 0);
    struct pollfd p = {fd[0], POLLIN, 0};
    uint64_t began = now_ms();
    CHECK(poll(&p, 1, 60) == 0);
    CHECK(now_ms() - began >= 59);
    pid_t pid = fork();
    if (pid == 0) {
        sleep_ms(40);
        CHECK(write(fd[1], "x", 1) == 1);
        _exit(0);
    }
    CHECK(poll(&p, 1, 10000) == 1 && p.revents == POLLIN);
    CHECK(status_of(pid) == 0);
    CHECK(poll(NULL, 0, 10) == 0);
}

static void on_alarm(int signal)
{
    (void)signal;
}

static void test_poll_interrupted(void)
{
    struct sigaction a = {.sa_handler = on_alarm, .sa_flags = SA_RESTART};
    int fd[2];
    sigset_t block, none;

    CHECK(pipe(fd) == 0 && sigaction(SIGUSR1, &a, NULL) == 0);
    struct pollfd p = {fd[0], POLLIN, 0};
    pid_t me = getpid(), pid = fork();
    if (pid == 0) {
        sleep_ms(40);
        kill(me, SIGUSR1);
        _exit(0);
    }
    CHECK_FAILS(poll(&p, 1, 10000), EINTR); /* never restarted */
    CHECK(status_of(pid) == 0);
    sigemptyset(&block);
    sigemptyset(&none);
    sigaddset(&block, SIGUSR1);
    sigprocmask(SIG_BLOCK, &block, NULL);
    raise(SIGUSR1);
    CHECK_FAILS(ppoll(&p, 1, NULL, &none), EINTR); /* unblocked only while it waits */
}

static void test_select(void)
{
    int fd[2];
    fd_set in, out;
    struct timeval zero = {0, 0}, little = {0, 30000};

    CHECK(pipe(fd) == 0);
    FD_ZERO(&in);
    FD_ZERO(&out);
    FD_SET(fd[0], &in);
    FD_SET(fd[1], &out);
    CHECK(select(fd[1] + 1, &in, &out, NULL, &zero) == 1);
    CHECK(!FD_ISSET(fd[0], &in) && FD_ISSET(fd[1], &out));
    FD_SET(fd[0], &in);
    CHECK(select(fd[0] + 1, &in, NULL, NULL, &little) == 0);
    CHECK(write(fd[1], "x", 1) == 1);
    FD_SET(fd[0], &in);
    CHECK(select(fd[0] + 1, &in, NULL, NULL, NULL) == 1 && FD_ISSET(fd[0], &in));
    close(fd[1]);
    FD_ZERO(&in);
    FD_SET(fd[1], &in);
    CHECK_FAILS(select(fd[1] + 1, &in, NULL, NULL, &zero), EBADF);
    CHECK_FAILS(select(-1, NULL, NULL, NULL, &zero), EINVAL);
}

static void test_epoll(void)
{
    int fd[2], ep = epoll_create1(EPOLL_CLOEXEC);
    struct epoll_event e = {.events = EPOLLIN, .data.u64 = 77}, got[4];
    char c;

    CHECK(ep >= 0 && pipe(fd) == 0);
    CHECK(epoll_ctl(ep, EPOLL_CTL_ADD, fd[0], &e) == 0);
    CHECK_FAILS(epoll_ctl(ep, EPOLL_CTL_ADD, fd[0], &e), EEXIST);
    CHECK_FAILS(epoll_ctl(ep, EPOLL_CTL_MOD, fd[1], &e), ENOENT);
    CHECK(epoll_wait(ep, got, 4, 0) == 0);
    CHECK(write(fd[1], "xy", 2) == 2);
    CHECK(epoll_wait(ep, got, 4, -1) == 1 && got[0].events == EPOLLIN && got[0].data.u64 == 77);
    CHECK(read(fd[0], &c, 1) == 1 && epoll_wait(ep, got, 4, 0) == 1); /* level-triggered */
    e.events = EPOLLIN | EPOLLET;
    CHECK(epoll_ctl(ep, EPOLL_CTL_MOD, fd[0], &e) == 0);
    CHECK(epoll_wait(ep, got, 4, 0) == 1 && epoll_wait(ep, got, 4, 0) == 0);
    CHECK(epoll_ctl(ep, EPOLL_CTL_DEL, fd[0], NULL) == 0 && epoll_wait(ep, got, 4, 0) == 0);
}

static void test_eventfd(void)
{
    uint64_t value = 5;
    int fd = eventfd(3, EFD_NONBLOCK);

    CHECK(fd >= 0 && write(fd, &value, 8) == 8);
    CHECK(read(fd, &value, 8) == 8 && value == 8);
    CHECK_FAILS(read(fd, &value, 8), EAGAIN);
    CHECK_FAILS(write(fd, &value, 4), EINVAL);
    int semaphore = eventfd(2, EFD_SEMAPHORE | EFD_NONBLOCK);
    CHECK(read(semaphore, &value, 8) == 8 && value == 1);
    CHECK(read(semaphore, &value, 8) == 8 && value == 1);
    CHECK_FAILS(read(semaphore, &value, 8), EAGAIN);
}

const struct test poll_tests[] = {
    TEST(poll_pipe), TEST(poll_waits), TEST(poll_interrupted), TEST(select),
    TEST(epoll),     TEST(eventfd),    {0},
};
