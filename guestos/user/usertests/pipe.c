/* Pipes and FIFOs. */
#include "guestos/user/usertests/usertests.h"

#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

static void test_pipe_carries(void)
{
    int fd[2];
    char got[16];

    CHECK(pipe(fd) == 0);
    CHECK(write(fd[1], "hello", 5) == 5 && write(fd[1], " you", 4) == 4);
    CHECK(read(fd[0], got, 3) == 3 && memcmp(got, "hel", 3) == 0);
    CHECK(read(fd[0], got, sizeof got) == 6 && memcmp(got, "lo you", 6) == 0);
    CHECK_FAILS(write(fd[0], "x", 1), EBADF);
    CHECK_FAILS(read(fd[1], got, 1), EBADF);
    CHECK_FAILS(lseek(fd[0], 0, SEEK_CUR), ESPIPE);
    CHECK_FAILS(pread(fd[0], got, 1, 0), ESPIPE);
    CHECK(close(fd[1]) == 0 && read(fd[0], got, 1) == 0); /* the end */
    CHECK_FAILS(close(fd[1]), EBADF);
}

static void test_pipe_much(void)
{
    enum { TOTAL = 1 << 20 };
    static unsigned char buffer[10000];
    int fd[2];
    uint32_t state = 1, sum = 0, got_sum = 0;
    ssize_t n, got = 0;

    CHECK(pipe(fd) == 0);
    pid_t pid = fork();
    if (pid == 0) {
        close(fd[0]);
        for (int left = TOTAL; left > 0; left -= (int)n) {
            n = left < 7777 ? left : 7777;
            memset(buffer, (int)(left & 255), (size_t)n);
            CHECK(write(fd[1], buffer, (size_t)n) == n);
        }
        _exit(0);
    }
    close(fd[1]);
    for (int left = TOTAL; left > 0; left -= 7777) {
        sum += (uint32_t)(left & 255) * (left < 7777 ? (uint32_t)left : 7777);
    }
    while ((n = read(fd[0], buffer, 1 + random32(&state) % sizeof buffer)) > 0) {
        for (ssize_t i = 0; i < n; i++) {
            got_sum += buffer[i];
        }
        got += n;
    }
    CHECK(got == TOTAL && got_sum == sum && status_of(pid) == 0);
}

static void test_pipe_full_blocks(void)
{
    static char buffer[65536];
    int fd[2], waiting = 0;
    size_t room = 0;

    CHECK(pipe2(fd, O_NONBLOCK | O_CLOEXEC) == 0);
    CHECK(fcntl(fd[0], F_GETFD) == FD_CLOEXEC && (fcntl(fd[1], F_GETFL) & O_NONBLOCK));
    CHECK_FAILS(read(fd[0], buffer, 1), EAGAIN);
    while (write(fd[1], buffer, 4096) == 4096) {
        room += 4096;
    }
    CHECK(errno == EAGAIN && room == 65536);
    CHECK(ioctl(fd[0], FIONREAD, &waiting) == 0 && waiting == 65536);
    CHECK(fcntl(fd[1], F_SETFL, 0) == 0);
    pid_t pid = fork();
    if (pid == 0) {
        CHECK(write(fd[1], buffer, 5000) == 5000); /* waits for room */
        _exit(0);
    }
    sleep_ms(30);
    CHECK(read(fd[0], buffer, sizeof buffer) > 0);
    CHECK(status_of(pid) == 0);
}

static volatile sig_atomic_t nr_pipe_signals;
static void count_signal(int signal)
{
    (void)signal;
    nr_pipe_signals++;
}

static void test_pipe_without_reader(void)
{
    int fd[2];

    CHECK(pipe(fd) == 0);
    close(fd[0]);
    signal(SIGPIPE, count_signal);
    CHECK_FAILS(write(fd[1], "x", 1), EPIPE);
    CHECK(nr_pipe_signals == 1);
    pid_t pid = fork();
    if (pid == 0) {
        signal(SIGPIPE, SIG_DFL);
        write(fd[1], "x", 1);
        _exit(0);
    }
    CHECK(status_of(pid) == 128 + SIGPIPE);
}

static void test_pipe_writes_are_whole(void)
{
    enum { WRITERS = 4, TIMES = 40, LEN = PIPE_BUF };
    static char buffer[LEN];
    int fd[2], count[WRITERS] = {0};

    CHECK(pipe(fd) == 0);
    for (int w = 0; w < WRITERS; w++) {
        if (fork() == 0) {
            memset(buffer, 'a' + w, LEN);
            for (int i = 0; i < TIMES; i++) {
                CHECK(write(fd[1], buffer, LEN) == LEN);
            }
            _exit(0);
        }
    }
    close(fd[1]);
    for (int i = 0; i < WRITERS * TIMES; i++) {
        for (int got = 0; got < LEN;) {
            ssize_t n = read(fd[0], buffer + got, (size_t)(LEN - got));
            CHECK(n > 0);
            got += (int)n;
        }
        CHECK(memcmp(buffer, buffer + 1, LEN - 1) == 0); /* nobody else's bytes in between */
        CHECK(buffer[0] >= 'a' && buffer[0] < 'a' + WRITERS);
        count[buffer[0] - 'a']++;
    }
    for (int w = 0; w < WRITERS; w++) {
        CHECK(count[w] == TIMES);
    }
    CHECK(read(fd[0], buffer, 1) == 0);
}

static void test_dup(void)
{
    int fd[2];
    char c;

    CHECK(pipe(fd) == 0);
    CHECK(dup2(fd[1], 40) == 40 && dup2(fd[1], fd[1]) == fd[1]);
    CHECK(dup3(fd[1], 41, O_CLOEXEC) == 41 && fcntl(41, F_GETFD) == FD_CLOEXEC);
    CHECK_FAILS(dup3(fd[1], fd[1], 0), EINVAL);
    CHECK_FAILS(dup2(99, 42), EBADF);
    CHECK_FAILS(dup2(fd[1], -1), EBADF);
    close(fd[1]);
    close(41);
    CHECK(write(40, "x", 1) == 1 && read(fd[0], &c, 1) == 1);
    CHECK(dup2(fd[0], 40) == 40); /* closes the last writing end */
    CHECK(read(fd[0], &c, 1) == 0);
    close(fd[0]);
    CHECK(fcntl(40, F_DUPFD, 100) == 100);
}

static void test_fifo(void)
{
    char got[16];

    CHECK(mkfifo("fifo", 0600) == 0);
    CHECK_FAILS(mkfifo("fifo", 0600), EEXIST);
    CHECK_FAILS(open("fifo", O_WRONLY | O_NONBLOCK), ENXIO); /* nobody reads */
    int reader = open("fifo", O_RDONLY | O_NONBLOCK);
    CHECK(reader >= 0 && read(reader, got, 1) == 0); /* nobody writes: the end */
    int writer = open("fifo", O_WRONLY | O_NONBLOCK);
    CHECK(writer >= 0);
    CHECK_FAILS(read(reader, got, 1), EAGAIN);
    CHECK(write(writer, "abc", 3) == 3 && read(reader, got, sizeof got) == 3);
    close(writer);
    close(reader);

    pid_t pid = fork();
    if (pid == 0) {
        int fd = open("fifo", O_WRONLY); /* waits for the reader */
        CHECK(fd >= 0 && write(fd, "through", 7) == 7);
        _exit(0);
    }
    sleep_ms(20);
    reader = open("fifo", O_RDONLY);
    CHECK(reader >= 0 && read(reader, got, sizeof got) == 7 && memcmp(got, "through", 7) == 0);
    CHECK(read(reader, got, 1) == 0 && status_of(pid) == 0);
    struct stat st;
    CHECK(stat("fifo", &st) == 0 && S_ISFIFO(st.st_mode) && st.st_size == 0);
}

const struct test pipe_tests[] = {
    TEST(pipe_carries),        TEST(pipe_much),
    TEST(pipe_full_blocks),    TEST(pipe_without_reader),
    TEST(pipe_writes_are_whole), TEST(dup),
    TEST(fifo),                {0},
};
