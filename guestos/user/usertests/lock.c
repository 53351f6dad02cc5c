/* File locks: fcntl's, which are a process', and flock's, which are an open file's. */
#include "guestos/user/usertests/usertests.h"

#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

static int lock(int fd, int command, short type, off_t start, off_t len_bytes)
{
    struct flock l = {.l_type = type, .l_whence = SEEK_SET, .l_start = start, .l_len = len_bytes};
    return fcntl(fd, command, &l);
}

static void test_record_locks(void)
{
    write_text("f", "0123456789");
    int fd = open("f", O_RDWR);

    CHECK(lock(fd, F_SETLK, F_WRLCK, 2, 3) == 0 && lock(fd, F_SETLK, F_RDLCK, 7, 0) == 0);
    pid_t me = getpid(), pid = fork();
    if (pid == 0) { /* locks are not inherited */
        int own = open("f", O_RDWR);
        struct flock l = {.l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = 0, .l_len = 0};
        CHECK(lock(own, F_SETLK, F_WRLCK, 0, 2) == 0 && lock(own, F_SETLK, F_WRLCK, 5, 2) == 0);
        CHECK(lock(own, F_SETLK, F_RDLCK, 4, 1) < 0 && (errno == EAGAIN || errno == EACCES));
        CHECK(lock(own, F_SETLK, F_RDLCK, 8, 5) == 0); /* readers share */
        CHECK(lock(own, F_SETLK, F_WRLCK, 1000, 1) < 0);
        CHECK(fcntl(own, F_GETLK, &l) == 0 && l.l_type == F_WRLCK && l.l_pid == me &&
              l.l_start == 2 && l.l_len == 3);
        l = (struct flock){.l_type = F_RDLCK, .l_whence = SEEK_SET, .l_start = 9, .l_len = 1};
        CHECK(fcntl(own, F_GETLK, &l) == 0 && l.l_type == F_UNLCK);
        _exit(0);
    }
    CHECK(status_of(pid) == 0);
    CHECK(lock(fd, F_SETLK, F_UNLCK, 3, 1) == 0); /* splits it */
    pid = fork();
    if (pid == 0) {
        CHECK(lock(fd, F_SETLK, F_WRLCK, 3, 1) == 0 && lock(fd, F_SETLK, F_WRLCK, 2, 1) < 0 &&
              lock(fd, F_SETLK, F_WRLCK, 4, 1) < 0);
        _exit(0);
    }
    CHECK(status_of(pid) == 0);
    int second = open("f", O_RDONLY);
    close(second); /* any closing of the file by the process takes all of its locks */
    pid = fork();
    if (pid == 0) {
        CHECK(lock(fd, F_SETLK, F_WRLCK, 0, 0) == 0);
        _exit(0);
    }
    CHECK(status_of(pid) == 0);
    CHECK_FAILS(lock(open("f", O_RDONLY), F_SETLK, F_WRLCK, 0, 1), EBADF);
}

static void test_record_locks_wait(void)
{
    int fd = open("f", O_RDWR | O_CREAT, 0600), ready[2];
    char c;

    CHECK(pipe(ready) == 0);
    pid_t pid = fork();
    if (pid == 0) {
        CHECK(lock(fd, F_SETLK, F_WRLCK, 0, 1) == 0 && write(ready[1], "x", 1) == 1);
        sleep_ms(60);
        _exit(0); /* the end gives it back */
    }
    CHECK(read(ready[0], &c, 1) == 1);
    CHECK(lock(fd, F_SETLK, F_WRLCK, 0, 1) < 0);
    CHECK(lock(fd, F_SETLKW, F_WRLCK, 0, 1) == 0);
    CHECK(status_of(pid) == 0);
    pid = fork(); /* the circle that EDEADLK is for */
    if (pid == 0) {
        CHECK(lock(fd, F_SETLK, F_WRLCK, 5, 1) == 0 && write(ready[1], "x", 1) == 1);
        CHECK(lock(fd, F_SETLKW, F_WRLCK, 0, 1) == 0);
        _exit(0);
    }
    CHECK(read(ready[0], &c, 1) == 1);
    sleep_ms(50);
    CHECK_FAILS(lock(fd, F_SETLKW, F_WRLCK, 5, 1), EDEADLK);
    CHECK(lock(fd, F_SETLK, F_UNLCK, 0, 0) == 0);
    CHECK(status_of(pid) == 0);
}

static void test_flock(void)
{
    int a = open("f", O_RDWR | O_CREAT, 0600), b = open("f", O_RDWR), copy = dup(a);

    CHECK(flock(a, LOCK_EX) == 0);
    CHECK_FAILS(flock(b, LOCK_EX | LOCK_NB), EWOULDBLOCK); /* another open file, same process */
    CHECK(flock(copy, LOCK_EX | LOCK_NB) == 0);            /* the same open file */
    CHECK(flock(a, LOCK_SH) == 0 && flock(b, LOCK_SH | LOCK_NB) == 0);
    CHECK_FAILS(flock(a, LOCK_EX | LOCK_NB), EWOULDBLOCK);
    CHECK(flock(b, LOCK_UN) == 0 && flock(a, LOCK_EX) == 0);
    close(a); /* `copy` still holds it */
    CHECK_FAILS(flock(b, LOCK_SH | LOCK_NB), EWOULDBLOCK);
    pid_t pid = fork();
    if (pid == 0) {
        sleep_ms(50);
        _exit(0);
    }
    close(copy);
    CHECK(flock(b, LOCK_SH) == 0 && status_of(pid) == 0); /* waited for the child's copy */
    CHECK_FAILS(flock(b, 77), EINVAL);
}

const struct test lock_tests[] = {
    TEST(record_locks),
    TEST(record_locks_wait),
    TEST(flock),
    {0},
};
