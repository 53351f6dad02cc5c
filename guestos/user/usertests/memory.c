/* mmap and its relatives, brk, copy-on-write, limits. */
#include "guestos/user/usertests/usertests.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/sysinfo.h>
#include <sys/wait.h>
#include <unistd.h>

enum { PAGE = 4096 };
#define ANON (MAP_PRIVATE | MAP_ANONYMOUS)
#define RW   (PROT_READ | PROT_WRITE)

static char *map(size_t len_bytes, int flags, int fd)
{
    char *p = mmap(NULL, len_bytes, RW, flags, fd, 0);
    CHECK(p != MAP_FAILED && (uintptr_t)p % PAGE == 0);
    return p;
}

static bool is_mapped(const char *p) /* by a call that would give EFAULT */
{
    static int null = -1;
    if (null < 0) {
        null = open("/dev/urandom", O_RDONLY | O_CLOEXEC);
    }
    return read(null, (void *)(uintptr_t)p, 1) == 1;
}

static void test_mmap_is_zero(void)
{
    char *p = map(64 * PAGE, ANON, -1);

    for (int i = 0; i < 64 * PAGE; i += 97) {
        CHECK(p[i] == 0);
    }
    memset(p, 0xff, 64 * PAGE);
    CHECK(munmap(p, 64 * PAGE) == 0);
    p = map(64 * PAGE, ANON, -1); /* the same frames, perhaps */
    for (int i = 0; i < 64 * PAGE; i += 97) {
        CHECK(p[i] == 0);
    }
}

static void test_munmap_in_the_middle(void)
{
    char *p = map(9 * PAGE, ANON, -1);

    memset(p, 'x', 9 * PAGE);
    CHECK(munmap(p + 3 * PAGE, 3 * PAGE) == 0);
    CHECK(p[3 * PAGE - 1] == 'x' && p[6 * PAGE] == 'x');
    CHECK(!is_mapped(p + 3 * PAGE) && !is_mapped(p + 5 * PAGE));
    CHECK(is_mapped(p) && is_mapped(p + 8 * PAGE));
    CHECK(munmap(p + 3 * PAGE, PAGE) == 0); /* nothing there: no error */
    CHECK(munmap(p, 9 * PAGE) == 0 && !is_mapped(p) && !is_mapped(p + 8 * PAGE));
    CHECK_FAILS(munmap(p + 1, PAGE), EINVAL);
    CHECK_FAILS(munmap(p, 0), EINVAL);
}

static void test_mmap_fixed(void)
{
    char *p = map(4 * PAGE, ANON, -1);

    memset(p, 'x', 4 * PAGE);
    CHECK(mmap(p + PAGE, PAGE, RW, ANON | MAP_FIXED, -1, 0) == p + PAGE);
    CHECK(p[0] == 'x' && p[PAGE] == 0 && p[2 * PAGE] == 'x');
    CHECK(mmap(p + PAGE, PAGE, RW, ANON | MAP_FIXED_NOREPLACE, -1, 0) == MAP_FAILED &&
          errno == EEXIST);
    CHECK(munmap(p + PAGE, PAGE) == 0);
    CHECK(mmap(p + PAGE, PAGE, RW, ANON | MAP_FIXED_NOREPLACE, -1, 0) == p + PAGE);
    CHECK(munmap(p + PAGE, PAGE) == 0);
    CHECK(mmap(p + PAGE, PAGE, RW, ANON, -1, 0) == p + PAGE); /* a hint that fits */
}

static void test_mmap_errors(void)
{
    write_text("f", "hello");
    int ro = open("f", O_RDONLY), wo = open("f", O_WRONLY), fd[2];

    CHECK(pipe(fd) == 0);
#define MMAP_FAILS(error, ...) CHECK(mmap(__VA_ARGS__) == MAP_FAILED && errno == (error))
    MMAP_FAILS(EINVAL, NULL, 0, RW, ANON, -1, 0);
    MMAP_FAILS(EINVAL, NULL, PAGE, RW, MAP_ANONYMOUS, -1, 0);
    MMAP_FAILS(EINVAL, (void *)1, PAGE, RW, ANON | MAP_FIXED, -1, 0);
    MMAP_FAILS(EINVAL, NULL, PAGE, PROT_READ, MAP_PRIVATE, ro, 1);
    MMAP_FAILS(EBADF, NULL, PAGE, PROT_READ, MAP_PRIVATE, 99, 0);
    MMAP_FAILS(EACCES, NULL, PAGE, RW, MAP_SHARED, ro, 0);
    MMAP_FAILS(EACCES, NULL, PAGE, PROT_READ, MAP_PRIVATE, wo, 0);
    MMAP_FAILS(ENODEV, NULL, PAGE, PROT_READ, MAP_PRIVATE, fd[0], 0);
    MMAP_FAILS(ENOMEM, NULL, 1ul << 47, RW, ANON | MAP_NORESERVE, -1, 0);
    CHECK(mmap((void *)0xffff800000000000, PAGE, RW, ANON | MAP_FIXED, -1, 0) == MAP_FAILED);
    char *p = mmap(NULL, PAGE, PROT_READ, MAP_SHARED, ro, 0);
    CHECK(p != MAP_FAILED);
    CHECK_FAILS(mprotect(p, PAGE, RW), EACCES);
    CHECK_FAILS(syscall(SYS_mprotect, p + 1, PAGE, PROT_READ), EINVAL); /* musl rounds */
    munmap(p, PAGE);
    CHECK_FAILS(mprotect(p, PAGE, PROT_READ), ENOMEM);
}

static void test_mmap_private_file(void)
{
    write_text("f", "hello");
    int fd = open("f", O_RDWR);
    char *p = map(PAGE, MAP_PRIVATE, fd), *q = map(PAGE, MAP_PRIVATE, fd);

    CHECK(close(fd) == 0); /* the mapping holds the file */
    CHECK(memcmp(p, "hello", 6) == 0);
    p[0] = 'j';
    CHECK(memcmp(q, "hello", 6) == 0 && file_is("f", "hello") && p[0] == 'j');
    CHECK(unlink("f") == 0 && q[4] == 'o');
}

static void test_mmap_shared_file(void)
{
    write_text("f", "hello");
    int fd = open("f", O_RDWR);
    char *p = map(PAGE, MAP_SHARED, fd), *q = map(PAGE, MAP_SHARED, fd), got[6];

    memcpy(p, "HE", 2);
    CHECK(memcmp(q, "HEllo", 6) == 0 && file_is("f", "HEllo"));
    CHECK(pwrite(fd, "LL", 2, 2) == 2 && memcmp(q, "HELLo", 6) == 0); /* one page, one truth */
    pid_t pid = fork();
    if (pid == 0) {
        p[4] = 'O';
        _exit(0);
    }
    CHECK(status_of(pid) == 0 && q[4] == 'O');
    CHECK(msync(p, PAGE, MS_SYNC) == 0 && munmap(p, PAGE) == 0);
    CHECK(pread(fd, got, 5, 0) == 5 && memcmp(got, "HELLO", 5) == 0);
    q[100] = 'x'; /* beyond the end, within its page: never in the file */
    CHECK(msync(q, PAGE, MS_SYNC) == 0 && lseek(fd, 0, SEEK_END) == 5);
    CHECK(ftruncate(fd, 200) == 0 && pread(fd, got, 1, 100) == 1 && got[0] == 0);
    CHECK_FAILS(msync(p, PAGE, MS_SYNC), ENOMEM);
}

static void test_mmap_shared_anonymous(void)
{
    volatile int *p = (volatile int *)map(PAGE, MAP_SHARED | MAP_ANONYMOUS, -1);

    for (int i = 0; i < 5; i++) {
        pid_t pid = fork();
        if (pid == 0) {
            for (int k = 0; k < 100; k++) {
                __atomic_fetch_add(p, 1, __ATOMIC_SEQ_CST);
            }
            _exit(0);
        }
        CHECK(pid > 0);
    }
    while (wait(NULL) > 0) {
    }
    CHECK(*p == 500);
}

static void test_mmap_large_file(void)
{
    enum { PAGES = 300 };
    int fd = open("f", O_RDWR | O_CREAT, 0600);

    CHECK(ftruncate(fd, PAGES * PAGE) == 0);
    int *p = (int *)map(PAGES * PAGE, MAP_SHARED, fd), got;
    for (int i = 0; i < PAGES; i++) {
        p[i * PAGE / 4] = i + 1;
    }
    CHECK(munmap(p, PAGES * PAGE) == 0);
    for (int i = PAGES - 1; i >= 0; i -= 7) {
        CHECK(pread(fd, &got, 4, i * PAGE) == 4 && got == i + 1);
    }
    p = mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE, fd, 100 * PAGE);
    CHECK(p != MAP_FAILED && p[0] == 101);
}

static void test_mremap(void)
{
    char *p = map(4 * PAGE, ANON, -1), *wall, *q;

    for (int i = 0; i < 4; i++) {
        p[i * PAGE] = (char)('a' + i);
    }
    CHECK(mremap(p, 4 * PAGE, 2 * PAGE, 0) == p && !is_mapped(p + 2 * PAGE) && p[PAGE] == 'b');
    wall = mmap(p + 2 * PAGE, PAGE, RW, ANON | MAP_FIXED, -1, 0);
    CHECK(wall == p + 2 * PAGE);
    CHECK(mremap(p, 2 * PAGE, 4 * PAGE, 0) == MAP_FAILED && errno == ENOMEM);
    q = mremap(p, 2 * PAGE, 64 * PAGE, MREMAP_MAYMOVE);
    CHECK(q != MAP_FAILED && q != p && q[0] == 'a' && q[PAGE] == 'b' && q[2 * PAGE] == 0);
    CHECK(q[63 * PAGE] == 0 && !is_mapped(p) && is_mapped(wall));
    p = map(8 * PAGE, ANON, -1);
    CHECK(mremap(q, 2 * PAGE, 2 * PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, p + 4 * PAGE) ==
          p + 4 * PAGE);
    CHECK(p[4 * PAGE] == 'a' && p[5 * PAGE] == 'b' && !is_mapped(q) && is_mapped(q + 2 * PAGE));
    CHECK(mremap(p + 1, PAGE, PAGE, 0) == MAP_FAILED && errno == EINVAL);
    CHECK(mremap(q, PAGE, 2 * PAGE, MREMAP_MAYMOVE) == MAP_FAILED && errno == EFAULT);
}

static void test_madvise(void)
{
    char *p = map(4 * PAGE, ANON, -1);

    memset(p, 'x', 4 * PAGE);
    CHECK(madvise(p + PAGE, 2 * PAGE, MADV_DONTNEED) == 0);
    CHECK(p[0] == 'x' && p[PAGE] == 0 && p[3 * PAGE - 1] == 0 && p[3 * PAGE] == 'x');
    CHECK_FAILS(madvise(p, PAGE, 9999), EINVAL);
}

static void test_brk(void)
{
    char *begin = sbrk(0);

    CHECK(syscall(SYS_brk, 0) == (long)begin);
    CHECK(syscall(SYS_brk, begin + 10 * PAGE) == (long)(begin + 10 * PAGE));
    for (int i = 0; i < 10 * PAGE; i += 101) {
        CHECK(begin[i] == 0);
    }
    memset(begin, 'x', 10 * PAGE);
    CHECK(syscall(SYS_brk, begin + PAGE) == (long)(begin + PAGE));
    CHECK(begin[0] == 'x');
    CHECK(syscall(SYS_brk, begin + 10 * PAGE) == (long)(begin + 10 * PAGE));
    CHECK(begin[5 * PAGE] == 0); /* what was given back comes back as zeroes */
    CHECK(syscall(SYS_brk, 0x7fffffff0000) == (long)(begin + 10 * PAGE)); /* no: stays */
    CHECK(syscall(SYS_brk, begin) == (long)begin);
}

static void test_fork_and_maps(void)
{
    char *private = map(10 * PAGE, ANON, -1);

    memset(private, 'p', 10 * PAGE);
    pid_t pid = fork();
    if (pid == 0) {
        CHECK(munmap(private + PAGE, PAGE) == 0 && mprotect(private, PAGE, PROT_READ) == 0);
        private[5 * PAGE] = 'c';
        pid_t grandchild = fork();
        if (grandchild == 0) {
            CHECK(private[5 * PAGE] == 'c' && private[6 * PAGE] == 'p');
            private[6 * PAGE] = 'g';
            _exit(0);
        }
        CHECK(status_of(grandchild) == 0 && private[6 * PAGE] == 'p');
        _exit(0);
    }
    CHECK(status_of(pid) == 0);
    CHECK(private[PAGE] == 'p' && private[5 * PAGE] == 'p');
    private[0] = 'w'; /* still writable here */
}

/* Threads of a number of kernel counters in /proc/vmstat or /proc/meminfo would do; free memory does
 * on both systems: a fork of 32 MiB must not take 32 MiB. */
static void test_fork_copies_nothing_yet(void)
{
    enum { MIB = 32 };
    struct sysinfo before, during;
    int go[2], ready[2];
    char c;

    if (!on_ember()) {
        skip("Linux has other users of its memory");
    }
    char *p = map(MIB << 20, ANON, -1);
    memset(p, 'x', MIB << 20);
    CHECK(pipe(go) == 0 && pipe(ready) == 0 && sysinfo(&before) == 0);
    pid_t pid = fork();
    if (pid == 0) {
        CHECK(write(ready[1], "x", 1) == 1 && read(go[0], &c, 1) == 1);
        for (int i = 0; i < MIB << 20; i += PAGE) {
            p[i] = 'c';
        }
        CHECK(write(ready[1], "x", 1) == 1 && read(go[0], &c, 1) == 1);
        _exit(0);
    }
    CHECK(read(ready[0], &c, 1) == 1 && sysinfo(&during) == 0);
    CHECK(before.freeram * before.mem_unit < during.freeram * during.mem_unit + (1 << 20));
    CHECK(write(go[1], "x", 1) == 1 && read(ready[0], &c, 1) == 1 && sysinfo(&during) == 0);
    CHECK(before.freeram * before.mem_unit >= during.freeram * during.mem_unit + (MIB << 20));
    CHECK(write(go[1], "x", 1) == 1 && status_of(pid) == 0 && p[0] == 'x');
}

static void test_memory_limit(void)
{
    struct rlimit limit = {64 << 20, 64 << 20};

    CHECK(setrlimit(RLIMIT_AS, &limit) == 0);
    CHECK(mmap(NULL, 128 << 20, RW, ANON, -1, 0) == MAP_FAILED && errno == ENOMEM);
    CHECK(mmap(NULL, 16 << 20, RW, ANON, -1, 0) != MAP_FAILED);
}

static void test_copies_into_untouched_pages(void)
{
    char *p = map(4 * PAGE, ANON, -1);
    write_text("f", "0123456789");
    int fd = open("f", O_RDONLY);

    CHECK(read(fd, p + 2 * PAGE - 5, 10) == 10); /* across two pages that nobody has touched */
    CHECK(memcmp(p + 2 * PAGE - 5, "0123456789", 10) == 0);
    CHECK(mprotect(p + PAGE, PAGE, PROT_READ) == 0 && lseek(fd, 0, SEEK_SET) == 0);
    CHECK_FAILS(read(fd, p + PAGE, 5), EFAULT);
    CHECK(munmap(p, PAGE) == 0);
    CHECK_FAILS(read(fd, p, 5), EFAULT);
    CHECK(lseek(fd, 0, SEEK_CUR) == 0);
}

static void test_mincore(void)
{
    unsigned char there[4];
    char *p = map(4 * PAGE, ANON, -1);

    p[PAGE] = 1;
    CHECK(mincore(p, 4 * PAGE, there) == 0 && !(there[0] & 1) && (there[1] & 1));
    CHECK_FAILS(mincore(p + 1, PAGE, there), EINVAL);
    munmap(p, PAGE);
    CHECK_FAILS(mincore(p, PAGE, there), ENOMEM);
}

/* Takes all memory there is: this process ends, and only it. */
static void eat_all(void)
{
    for (;;) {
        char *p = mmap(NULL, 1 << 20, RW, ANON, -1, 0);
        if (p == MAP_FAILED) {
            _exit(50);
        }
        memset(p, 'x', 1 << 20);
    }
}

static void test_out_of_memory(void)
{
    if (!on_ember()) {
        skip("would hurt others");
    }
    char *kept = map(PAGE, ANON, -1);
    kept[0] = 'k';
    int status = in_child(eat_all);
    CHECK(status == 50 || status == 128 + SIGKILL || status == 128 + SIGSEGV ||
          status == 128 + SIGBUS);
    CHECK(kept[0] == 'k');
    char *p = map(4 << 20, ANON, -1); /* it is all back */
    memset(p, 1, 4 << 20);
}

const struct test memory_tests[] = {
    TEST(mmap_is_zero),
    TEST(munmap_in_the_middle),
    TEST(mmap_fixed),
    TEST(mmap_errors),
    TEST(mmap_private_file),
    TEST(mmap_shared_file),
    TEST(mmap_shared_anonymous),
    TEST(mmap_large_file),
    TEST(mremap),
    TEST(madvise),
    TEST(brk),
    TEST(fork_and_maps),
    TEST(fork_copies_nothing_yet),
    TEST(memory_limit),
    TEST(copies_into_untouched_pages),
    TEST(mincore),
    TEST(out_of_memory),
    {0},
};
