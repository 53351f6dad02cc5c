/* Contents of files: reading, writing, sizes, holes, devices. */
#include "guestos/user/usertests/usertests.h"

#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <sys/vfs.h>
#include <unistd.h>

static int create(const char *path)
{
    int fd = open(path, O_RDWR | O_CREAT | O_EXCL, 0644);
    CHECK(fd >= 0);
    return fd;
}

static void test_file_open_flags(void)
{
    char c;
    int fd = create("f");

    CHECK_FAILS(open("f", O_WRONLY | O_CREAT | O_EXCL, 0600), EEXIST);
    CHECK_FAILS(open("none", O_RDONLY), ENOENT);
    CHECK(write(fd, "hello", 5) == 5);
    CHECK(open("f", O_WRONLY | O_CREAT, 0600) >= 0 && file_is("f", "hello"));
    int reader = open("f", O_RDONLY), writer = open("f", O_WRONLY);
    CHECK_FAILS(write(reader, "x", 1), EBADF);
    CHECK_FAILS(read(writer, &c, 1), EBADF);
    CHECK(open("f", O_WRONLY | O_TRUNC) >= 0 && file_is("f", ""));
    CHECK(mkdir("d", 0755) == 0 && symlink("f", "l") == 0);
    CHECK_FAILS(open("d", O_WRONLY), EISDIR);
    CHECK_FAILS(open("f", O_RDONLY | O_DIRECTORY), ENOTDIR);
    CHECK_FAILS(open("l", O_RDONLY | O_NOFOLLOW), ELOOP);
    CHECK_FAILS(open("f/", O_RDONLY), ENOTDIR);
    int dir = open("d", O_RDONLY | O_DIRECTORY);
    CHECK_FAILS(read(dir, &c, 1), EISDIR);
    CHECK(openat(dir, "../f", O_RDONLY) >= 0);
    CHECK(openat(dir, "inside", O_WRONLY | O_CREAT, 0600) >= 0 && access("d/inside", F_OK) == 0);
    CHECK_FAILS(openat(fd, "x", O_RDONLY), ENOTDIR);
    CHECK_FAILS(openat(999, "x", O_RDONLY), EBADF);
    CHECK((fcntl(reader, F_GETFL) & O_ACCMODE) == O_RDONLY);
}

static void test_file_positions(void)
{
    char got[16];
    int fd = create("f");

    CHECK(write(fd, "0123456789", 10) == 10 && lseek(fd, 3, SEEK_SET) == 3);
    CHECK(read(fd, got, 2) == 2 && got[0] == '3' && lseek(fd, 0, SEEK_CUR) == 5);
    CHECK(pread(fd, got, 3, 7) == 3 && got[2] == '9' && pwrite(fd, "x", 1, 0) == 1);
    CHECK(lseek(fd, 0, SEEK_CUR) == 5 && lseek(fd, -2, SEEK_END) == 8);
    CHECK(read(fd, got, 16) == 2 && read(fd, got, 16) == 0);
    CHECK_FAILS(lseek(fd, -1, SEEK_SET), EINVAL);
    CHECK_FAILS(lseek(fd, 0, 77), EINVAL);
    CHECK_FAILS(pread(fd, got, 1, -1), EINVAL);
    CHECK(lseek(fd, 100, SEEK_SET) == 100 && read(fd, got, 1) == 0 && write(fd, "y", 1) == 1);
    struct stat st;
    CHECK(fstat(fd, &st) == 0 && st.st_size == 101 && pread(fd, got, 1, 50) == 1 && got[0] == 0);
}

static void test_file_append(void)
{
    int a = open("f", O_WRONLY | O_CREAT | O_APPEND, 0644), b = open("f", O_WRONLY | O_APPEND);

    CHECK(write(a, "one", 3) == 3 && write(b, "two", 3) == 3 && lseek(a, 0, SEEK_SET) == 0);
    CHECK(write(a, "three", 5) == 5 && file_is("f", "onetwothree"));
    CHECK(lseek(a, 0, SEEK_CUR) == 11);
    pid_t pid = fork();
    for (int i = 0; i < 100; i++) { /* two processes: no line lost, none torn */
        CHECK(write(a, pid ? "aaaaaaa\n" : "bbbbbbb\n", 8) == 8);
    }
    if (pid == 0) {
        _exit(0);
    }
    CHECK(status_of(pid) == 0 && lseek(a, 0, SEEK_END) == 11 + 1600);
}

static void test_file_vectors(void)
{
    char a[4] = "", b[8] = "";
    struct iovec out[3] = {{"abc", 3}, {NULL, 0}, {"defgh", 5}}, in[2] = {{a, 2}, {b, 5}};
    int fd = create("f");

    CHECK(writev(fd, out, 3) == 8 && lseek(fd, 1, SEEK_SET) == 1);
    CHECK(readv(fd, in, 2) == 7 && memcmp(a, "bc", 2) == 0 && memcmp(b, "defgh", 5) == 0);
    CHECK_FAILS(writev(fd, out, -1), EINVAL);
    CHECK(preadv(fd, in, 1, 6) == 2 && a[0] == 'g');
}

static void test_file_truncate(void)
{
    static char big[20000], got[20000];
    struct stat st;
    int fd = create("f");

    memset(big, 'x', sizeof big);
    CHECK(write(fd, big, sizeof big) == (ssize_t)sizeof big && ftruncate(fd, 5000) == 0);
    CHECK(ftruncate(fd, 20000) == 0 && pread(fd, got, 20000, 0) == 20000);
    CHECK(got[4999] == 'x' && got[5000] == 0 && got[19999] == 0); /* the old bytes are gone */
    CHECK(truncate("f", 0) == 0 && fstat(fd, &st) == 0 && st.st_size == 0 && st.st_blocks == 0);
    CHECK_FAILS(truncate("f", -1), EINVAL);
    CHECK_FAILS(truncate("none", 0), ENOENT);
    CHECK_FAILS(truncate(".", 0), EISDIR);
}

static void test_file_sparse(void)
{
    static const long at[] = {0, 40000, 3l << 20, 300l << 20, 5l << 30}; /* all kinds of blocks */
    enum { N = sizeof at / sizeof at[0] };
    struct stat st;
    long got;
    int fd = create("f");

    for (int i = 0; i < N; i++) {
        CHECK(pwrite(fd, &at[i], sizeof at[i], at[i]) == sizeof at[i]);
    }
    for (int i = 0; i < N; i++) {
        CHECK(pread(fd, &got, sizeof got, at[i]) == sizeof got && got == at[i]);
        CHECK(pread(fd, &got, sizeof got, at[i] + 4096) == (i == N - 1 ? 0 : (ssize_t)sizeof got));
        CHECK(i == N - 1 || got == 0);
    }
    CHECK(fstat(fd, &st) == 0 && st.st_size == (5l << 30) + 8);
    CHECK(st.st_blocks > 0 && st.st_blocks < 400); /* of 512 bytes: holes take none */
    CHECK(ftruncate(fd, 100l << 20) == 0 && fstat(fd, &st) == 0 && st.st_blocks < 200);
    CHECK(pread(fd, &got, sizeof got, 3l << 20) == sizeof got && got == 3l << 20);
}

static void test_file_many_blocks(void)
{
    enum { PIECES = 600, LEN = 5000 }; /* 3 MB: beyond the indirect block */
    static unsigned char piece[LEN], got[LEN];
    int fd = create("f");

    for (int i = 0; i < PIECES; i++) {
        memset(piece, i & 255, LEN);
        CHECK(write(fd, piece, LEN) == LEN);
    }
    CHECK(fsync(fd) == 0);
    for (int i = PIECES - 1; i >= 0; i--) {
        CHECK(pread(fd, got, LEN, (off_t)i * LEN) == LEN && got[0] == (i & 255) &&
              got[LEN - 1] == (i & 255));
    }
}

static void test_file_unlinked_lives(void)
{
    char got[6] = "";
    struct stat st;
    int fd = create("f");

    CHECK(write(fd, "hello", 5) == 5 && unlink("f") == 0);
    CHECK_FAILS(open("f", O_RDONLY), ENOENT);
    CHECK(fstat(fd, &st) == 0 && st.st_nlink == 0 && pread(fd, got, 5, 0) == 5);
    CHECK(strcmp(got, "hello") == 0);
    int other = create("f"); /* the name is free */
    CHECK(fstat(other, &st) == 0 && st.st_size == 0);
}

static void test_file_size_limit(void)
{
    struct rlimit limit = {1000, 1000};
    static char data[2000];
    int fd = create("f");

    CHECK(setrlimit(RLIMIT_FSIZE, &limit) == 0);
    signal(SIGXFSZ, SIG_IGN);
    CHECK(write(fd, data, 2000) == 1000); /* as far as it may */
    CHECK_FAILS(write(fd, data, 1), EFBIG);
    CHECK_FAILS(ftruncate(fd, 5000), EFBIG);
    pid_t pid = fork();
    if (pid == 0) {
        signal(SIGXFSZ, SIG_DFL);
        write(fd, data, 1);
        _exit(0);
    }
    CHECK(status_of(pid) == 128 + SIGXFSZ);
}

static void test_file_descriptor_limit(void)
{
    struct rlimit limit = {30, 30};
    int n = 0, fd, last = -1;

    CHECK(setrlimit(RLIMIT_NOFILE, &limit) == 0);
    while ((fd = open("/dev/null", O_RDONLY)) >= 0) {
        CHECK(fd > last && ++n < 31);
        last = fd;
    }
    CHECK(errno == EMFILE && last == 29);
    CHECK_FAILS(dup(0), EMFILE);
    CHECK(close(20) == 0 && close(10) == 0 && open("/dev/null", O_RDONLY) == 10); /* the lowest */
    CHECK_FAILS(fcntl(0, F_DUPFD, 30), EINVAL);
}

static void test_file_times(void)
{
    struct timespec set[2] = {{1000000000, 500000000}, {1100000000, 0}};
    struct stat before, after;
    int fd = create("f");

    CHECK(fstat(fd, &before) == 0);
    sleep_ms(1100); /* ext2 counts seconds */
    CHECK(write(fd, "x", 1) == 1 && fstat(fd, &after) == 0);
    CHECK(after.st_mtime > before.st_mtime && after.st_ctime > before.st_ctime);
    CHECK(utimensat(AT_FDCWD, "f", set, 0) == 0 && stat("f", &after) == 0);
    CHECK(after.st_atime == 1000000000 && after.st_mtime == 1100000000);
    CHECK(after.st_ctime >= before.st_ctime + 1);
    set[0].tv_nsec = UTIME_OMIT;
    set[1].tv_nsec = UTIME_NOW;
    CHECK(futimens(fd, set) == 0 && fstat(fd, &after) == 0);
    CHECK(after.st_atime == 1000000000 && after.st_mtime > 1100000000);
    CHECK(mkdir("d", 0755) == 0 && utimensat(AT_FDCWD, "d", (struct timespec[2]){{1, 0}, {1, 0}}, 0) == 0);
    CHECK(close(create("d/x")) == 0 && stat("d", &after) == 0 && after.st_mtime > 1);
}

static void test_devices(void)
{
    char got[64], other[64];
    struct stat st;
    int null = open("/dev/null", O_RDWR), zero = open("/dev/zero", O_RDWR),
        full = open("/dev/full", O_RDWR), random = open("/dev/urandom", O_RDONLY);

    CHECK(read(null, got, 1) == 0 && write(null, got, 64) == 64);
    memset(got, 1, 64);
    CHECK(read(zero, got, 64) == 64 && got[0] == 0 && got[63] == 0 && write(zero, got, 5) == 5);
    CHECK_FAILS(write(full, got, 1), ENOSPC);
    CHECK(read(random, got, 64) == 64 && read(random, other, 64) == 64 && memcmp(got, other, 64));
    CHECK(stat("/dev/null", &st) == 0 && S_ISCHR(st.st_mode) && st.st_rdev == 0x103);
}

static void test_file_copies_in_kernel(void)
{
    static char data[100000], got[100001];
    int from, to = create("to");
    off_t at = 10;

    for (unsigned i = 0; i < sizeof data; i++) {
        data[i] = (char)(i * 7);
    }
    write_file("from", data, sizeof data, 0644);
    from = open("from", O_RDONLY);
    for (long n, left = 99990; left > 0; left -= n) {
        n = sendfile(to, from, &at, (size_t)left);
        CHECK(n > 0);
    }
    CHECK(at == 100000 && lseek(from, 0, SEEK_CUR) == 0);
    CHECK(read_file("to", got, sizeof got) == 99990 && memcmp(got, data + 10, 99990) == 0);
}

static void test_statfs(void)
{
    struct statfs a, b;
    static char data[100 * 4096];

    CHECK(statfs(".", &a) == 0 && a.f_bsize >= 1024 && a.f_namelen == 255 && a.f_bfree <= a.f_blocks);
    write_file("f", data, sizeof data, 0644);
    sync();
    CHECK(statfs(".", &b) == 0);
    if (on_ember()) { /* elsewhere others write, too */
        CHECK(a.f_ffree - b.f_ffree == 1);
        CHECK((a.f_bfree - b.f_bfree) * (unsigned long)a.f_bsize >= sizeof data);
    }
}

const struct test file_tests[] = {
    TEST(file_open_flags),
    TEST(file_positions),
    TEST(file_append),
    TEST(file_vectors),
    TEST(file_truncate),
    TEST(file_sparse),
    TEST(file_many_blocks),
    TEST(file_unlinked_lives),
    TEST(file_size_limit),
    TEST(file_descriptor_limit),
    TEST(file_times),
    TEST(devices),
    TEST(file_copies_in_kernel),
    TEST(statfs),
    {0},
};
