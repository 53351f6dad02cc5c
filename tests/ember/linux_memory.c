/*
 * What memory calls do at their edges, printed: errors, signals, values, one line each. linux.sh
 * runs it on the host's Linux and in Ember and compares; nothing here knows what is right. So it
 * prints no addresses and nothing that depends on the machine's size or speed.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#define PAGE          4096ul
#define PRIVATE       (MAP_PRIVATE | MAP_ANONYMOUS)
#define SHARED        (MAP_SHARED | MAP_ANONYMOUS)
#define RW            (PROT_READ | PROT_WRITE)
#define KERNEL        0xFFFF800000000000ul
#define NON_CANONICAL 0x0000900000000000ul
#define UNMAPPED      0x0000000100000000ul /* Linux puts the heap anywhere in the first GiB */

static sigjmp_buf after_signal;
static volatile sig_atomic_t expecting;
static volatile int signal_number, signal_code;
static void *volatile signal_address;

static void on_signal(int number, siginfo_t *info, void *context)
{
    (void)context;
    if (!expecting) {
        dprintf(1, "an unexpected signal %d\n", number);
        _exit(1);
    }
    signal_number = number;
    signal_code = info->si_code;
    signal_address = info->si_addr;
    siglongjmp(after_signal, 1);
}

/* The call's result in words: an address is not to be compared. */
static void say_result(const char *what, long result)
{
    if (result == -1) {
        printf("%s: error %d\n", what, errno);
    } else {
        printf("%s: %s\n", what, result ? "not 0" : "0");
    }
}

#define RESULT(call)      (errno = 0, say_result(#call, (long)(call)))
#define VALUE(expression) printf("%s: %ld\n", #expression, (long)(expression))
/* The signal that a statement causes. */
#define SIGNAL(statement)                                                                          \
    do {                                                                                           \
        signal_number = 0;                                                                         \
        expecting = 1;                                                                             \
        if (!sigsetjmp(after_signal, 1)) {                                                         \
            statement;                                                                             \
        }                                                                                          \
        expecting = 0;                                                                             \
        printf("%s: signal %d code %d\n", #statement, signal_number,                               \
               signal_number ? signal_code : 0);                                                   \
    } while (0)
#define READ(address)         (void)*(volatile char *)(address)
#define WRITE(address, value) *(volatile char *)(address) = (value)
#define CALL(address)         ((void (*)(void))(address))()

/* The calls themselves: libc checks some arguments, or rounds them. */
static long map(unsigned long at, unsigned long len, int prot, int flags, int fd, long offset)
{
    return syscall(SYS_mmap, at, len, prot, flags, fd, offset);
}
static long protect(void *at, unsigned long len, int prot)
{
    return syscall(SYS_mprotect, at, len, prot);
}
static long unmap(unsigned long at, unsigned long len)
{
    return syscall(SYS_munmap, at, len);
}
static long remap(void *at, unsigned long old, unsigned long new, int flags, unsigned long to)
{
    return syscall(SYS_mremap, at, old, new, flags, to);
}
static char *fresh(unsigned long pages)
{
    return mmap(NULL, pages * PAGE, RW, PRIVATE, -1, 0);
}

static void arguments_of_mmap(void)
{
    char *a = fresh(4);

    RESULT(map(0, 0, RW, PRIVATE, -1, 0));
    RESULT(map(0, PAGE, RW, MAP_ANONYMOUS, -1, 0));
    RESULT(map(0, ~0ul, RW, PRIVATE, -1, 0));
    RESULT(map(0, ~0ul - 4095, RW, PRIVATE, -1, 0));
    RESULT(map(0, 1ul << 47, RW, PRIVATE, -1, 0));
    RESULT(map(0, 1ul << 45, RW, PRIVATE, -1, 0));
    RESULT(map(0, 1ul << 40, RW, PRIVATE | MAP_NORESERVE, -1, 0));
    RESULT(map(0, PAGE, RW, MAP_PRIVATE, -1, 0));
    RESULT(map(0, PAGE, RW, PRIVATE, -1, 5));
    RESULT(map(UNMAPPED + 1, PAGE, RW, PRIVATE | MAP_FIXED, -1, 0));
    RESULT(map(KERNEL, PAGE, RW, PRIVATE | MAP_FIXED, -1, 0));
    RESULT(map(1ul << 47, PAGE, RW, PRIVATE | MAP_FIXED, -1, 0));
    RESULT(map((1ul << 47) - PAGE, PAGE, RW, PRIVATE | MAP_FIXED, -1, 0));
    RESULT(map((1ul << 47) - 2 * PAGE, PAGE, RW, PRIVATE | MAP_FIXED, -1, 0));
    RESULT(map((1ul << 47) - 2 * PAGE, ~0ul - PAGE, RW, PRIVATE | MAP_FIXED, -1, 0));
    RESULT(map(KERNEL, PAGE, RW, PRIVATE, -1, 0));
    RESULT(map(0, PAGE, RW, MAP_SHARED_VALIDATE | MAP_ANONYMOUS, -1, 0));
    RESULT(map(0, PAGE, RW, PRIVATE | MAP_HUGETLB, -1, 0));
    RESULT(map((unsigned long)a, PAGE, RW, PRIVATE | MAP_FIXED_NOREPLACE, -1, 0));
    RESULT(map((unsigned long)a + 1, PAGE, RW, PRIVATE | MAP_FIXED_NOREPLACE, -1, 0));
    munmap(a, 4 * PAGE);
}

static void arguments_of_others(void)
{
    char *a = fresh(4);

    RESULT(unmap((unsigned long)a + 1, PAGE));
    RESULT(unmap((unsigned long)a, 0));
    RESULT(unmap(KERNEL, PAGE));
    RESULT(unmap((unsigned long)a, ~0ul));
    RESULT(unmap(UNMAPPED, PAGE));
    RESULT(unmap((1ul << 47) - PAGE, PAGE));
    RESULT(protect(a + 1, PAGE, RW));
    RESULT(protect(a, 0, RW));
    RESULT(protect((void *)UNMAPPED, PAGE, RW));
    RESULT(protect(a, PAGE, 0xFF0));
    RESULT(protect(a, ~0ul - PAGE, RW));
    RESULT(protect(a, PAGE, RW | PROT_GROWSDOWN));
    RESULT(protect((void *)KERNEL, PAGE, RW));
    munmap(a, 4 * PAGE);
}

static void rights(void)
{
    char *a = fresh(8);

    SIGNAL(READ(0));
    SIGNAL(WRITE(8, 1));
    SIGNAL(READ(KERNEL));
    SIGNAL(WRITE(KERNEL, 1));
    SIGNAL(READ(NON_CANONICAL));
    SIGNAL(CALL(a));
    a[0] = (char)0xC3; /* RET */
    protect(a, PAGE, PROT_READ | PROT_EXEC);
    SIGNAL(CALL(a));
    SIGNAL(WRITE(a, 1));
    protect(a, PAGE, PROT_NONE);
    SIGNAL(READ(a));
    SIGNAL(WRITE(a, 1));
    SIGNAL(CALL(a));
    VALUE(signal_address == a);
    protect(a, PAGE, RW);
    VALUE((unsigned char)a[0]);
    SIGNAL(WRITE(a, 1));
    protect(a, PAGE, PROT_WRITE);
    SIGNAL(READ(a));
    munmap(a + 4 * PAGE, PAGE);
    SIGNAL(READ(a + 4 * PAGE));
    VALUE(signal_address == a + 4 * PAGE);
    SIGNAL(WRITE(a + 4 * PAGE - 1, 1));
    SIGNAL(WRITE(a + 5 * PAGE, 1));
    munmap(a, 8 * PAGE);
}

/* Bad addresses in system calls give an error, never a signal. */
static void pointers(int fd)
{
    char *a = fresh(8), *bad = (char *)16;
    struct iovec half[2] = {{a, 10}, {bad, 10}}, endless = {a, ~0ul}, wrong = {bad, 10};

    protect(a + 4 * PAGE, PAGE, PROT_NONE);
    RESULT(write(fd, bad, 10));
    RESULT(write(fd, (void *)KERNEL, 10));
    RESULT(write(fd, (void *)NON_CANONICAL, 10));
    RESULT(write(fd, (void *)~0ul, 10));
    RESULT(read(fd, bad, 10));
    RESULT(open(bad, 0));
    RESULT(open((char *)KERNEL, 0));
    VALUE(write(fd, a + 4 * PAGE - 10, 20));
    VALUE(lseek(fd, 0, SEEK_SET));
    protect(a, PAGE, PROT_NONE);
    RESULT(write(fd, a, 10));
    RESULT(open(a, 0));
    protect(a, PAGE, PROT_READ);
    RESULT(read(fd, a, 10));
    RESULT(syscall(SYS_stat, "/", a));
    protect(a, PAGE, RW);
    RESULT(syscall(SYS_clock_gettime, 0, bad));
    RESULT(syscall(SYS_clock_gettime, 0, KERNEL));
    RESULT(syscall(SYS_pipe, 0xFFFFFFFF81000000));
    RESULT(syscall(SYS_nanosleep, bad, 0));
    RESULT(syscall(SYS_rt_sigaction, SIGUSR1, bad, 0, 8));
    RESULT(syscall(SYS_execve, bad, 0, 0));
    RESULT(syscall(SYS_execve, "/bin/sh", bad, 0));
    RESULT(syscall(SYS_readlink, "/proc/self", bad, 10));
    RESULT(syscall(SYS_getcwd, bad, 100));
    RESULT(syscall(SYS_uname, bad));
    RESULT(syscall(SYS_wait4, -1, bad, 0, 0));
    RESULT(writev(fd, (void *)bad, 1));
    VALUE(writev(fd, half, 2));
    RESULT(writev(fd, &endless, 1));
    RESULT(writev(fd, &wrong, 1));
    RESULT(writev(fd, half, -1));
    RESULT(writev(fd, half, 2000));
    munmap(a, 8 * PAGE);
}

static void file_contents(int fd)
{
    char *s, *p, byte = 0;

    ftruncate(fd, 0);
    ftruncate(fd, 3 * PAGE + 100);
    pwrite(fd, "hello", 5, 0);
    s = mmap(NULL, 8 * PAGE, RW, MAP_SHARED, fd, 0);
    p = mmap(NULL, 8 * PAGE, RW, MAP_PRIVATE, fd, 0);
    VALUE(s[0]);
    VALUE(p[1]);
    s[1] = 'E';
    VALUE(p[1]);
    p[2] = 'L';
    VALUE(s[2]);
    pwrite(fd, "Z", 1, 4);
    VALUE(s[4]);
    VALUE(p[4]);
    pread(fd, &byte, 1, 1);
    VALUE(byte);
    VALUE(s[3 * PAGE + 200]);
    SIGNAL(WRITE(s + 3 * PAGE + 300, 7));
    SIGNAL(READ(s + 4 * PAGE));
    SIGNAL(WRITE(s + 5 * PAGE, 1));
    SIGNAL(WRITE(p + 5 * PAGE, 1));
    RESULT(write(fd, s + 6 * PAGE, 10));
    ftruncate(fd, PAGE);
    SIGNAL(READ(s + 2 * PAGE));
    SIGNAL(READ(p + 2 * PAGE));
    VALUE(s[0]);
    ftruncate(fd, 6 * PAGE);
    VALUE(s[5 * PAGE]);
    VALUE(s[3 * PAGE + 300]);
    s[5 * PAGE] = 9;
    pread(fd, &byte, 1, 5 * PAGE);
    VALUE(byte);
    p[0] = 'K';
    RESULT(madvise(p, PAGE, MADV_DONTNEED));
    VALUE(p[0]);
    RESULT(madvise(s, PAGE, MADV_FREE));
    RESULT(madvise(s, PAGE, MADV_WIPEONFORK));
    RESULT(msync(s, PAGE, MS_SYNC));
    RESULT(msync(s, PAGE, MS_SYNC | MS_ASYNC));
    RESULT(msync(s + 1, PAGE, MS_SYNC));
    RESULT(msync(s, PAGE, 8));
    RESULT(msync(s, 0, 0));
    munmap(p + PAGE, PAGE);
    RESULT(msync(p, 3 * PAGE, MS_SYNC));
    munmap(s, 8 * PAGE);
    munmap(p, 8 * PAGE);
}

static void file_rights(const char *path)
{
    int ro = open(path, O_RDONLY), wo = open(path, O_WRONLY), ends[2];
    char *s = mmap(NULL, PAGE, PROT_READ, MAP_SHARED, ro, 0);

    pipe(ends);
    RESULT(map(0, PAGE, RW, MAP_SHARED, ro, 0));
    RESULT(map(0, PAGE, PROT_READ, MAP_SHARED, ro, 0));
    RESULT(map(0, PAGE, RW, MAP_PRIVATE, ro, 0));
    RESULT(map(0, PAGE, PROT_READ, MAP_SHARED, wo, 0));
    RESULT(map(0, PAGE, PROT_WRITE, MAP_SHARED, wo, 0));
    RESULT(protect(s, PAGE, RW));
    RESULT(protect(s, PAGE, PROT_READ | PROT_EXEC));
    RESULT(map(0, PAGE, PROT_READ, MAP_SHARED, ro, -4096));
    RESULT(map(0, PAGE, PROT_READ, MAP_PRIVATE, open("/", O_RDONLY), 0));
    RESULT(map(0, PAGE, PROT_READ, MAP_PRIVATE, open("/dev/null", O_RDWR), 0));
    RESULT(map(0, PAGE, PROT_READ, MAP_PRIVATE, ends[0], 0));
    RESULT(map(0, PAGE, PROT_READ, MAP_PRIVATE, open(path, O_PATH), 0));
    for (int kind = MAP_SHARED; kind <= MAP_PRIVATE; kind++) {
        char *z = mmap(NULL, PAGE, RW, kind, open("/dev/zero", O_RDWR), 0);
        z[5] = 1;
        VALUE(z[0] + z[5]);
    }
}

static void moving(int fd)
{
    char *m = fresh(4), *bigger, *to;

    for (int i = 0; i < 4; i++) {
        m[i * PAGE] = (char)(i + 1);
    }
    RESULT(remap(m + 1, PAGE, PAGE, 0, 0));
    RESULT(remap(m, PAGE, 0, 0, 0));
    RESULT(remap(m, PAGE, PAGE, 0x80, 0));
    RESULT(remap(m, PAGE, PAGE, MREMAP_FIXED, (unsigned long)m));
    RESULT(remap((void *)UNMAPPED, PAGE, 2 * PAGE, MREMAP_MAYMOVE, 0));
    RESULT(
        remap(m, 4 * PAGE, 4 * PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, (unsigned long)m + 2 * PAGE));
    RESULT(
        remap(m + 2 * PAGE, 2 * PAGE, 4 * PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, (unsigned long)m));
    RESULT(remap(m, PAGE, PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, (unsigned long)m + 10));
    RESULT(remap(m, PAGE, PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, KERNEL));
    RESULT(remap(m, PAGE, 1ul << 47, MREMAP_MAYMOVE, 0));
    RESULT(remap(m, 0, PAGE, MREMAP_MAYMOVE, 0));
    bigger = (char *)remap(m, 4 * PAGE, 1024 * PAGE, MREMAP_MAYMOVE, 0);
    VALUE(bigger[0] + bigger[PAGE] + bigger[2 * PAGE] + bigger[3 * PAGE]);
    VALUE(bigger[900 * PAGE]);
    VALUE(remap(bigger, 1024 * PAGE, 2 * PAGE, 0, 0) == (long)bigger);
    SIGNAL(READ(bigger + 2 * PAGE));
    VALUE(bigger[PAGE]);
    to = fresh(8);
    VALUE(remap(bigger, 2 * PAGE, 2 * PAGE, MREMAP_MAYMOVE | MREMAP_FIXED,
                (unsigned long)to + 2 * PAGE) == (long)(to + 2 * PAGE));
    VALUE(to[2 * PAGE] + to[3 * PAGE]);
    SIGNAL(READ(bigger));
    SIGNAL(WRITE(to + PAGE, 1));
    SIGNAL(WRITE(to + 4 * PAGE, 1));
    char *s = mmap(NULL, PAGE, RW, MAP_SHARED, fd, 0);
    char *twin = (char *)remap(s, 0, PAGE, MREMAP_MAYMOVE, 0);
    twin[3] = 'Q';
    VALUE(s[3]);
    VALUE(s != twin);
}

static void advice(void)
{
    char *a = fresh(4), *locked = fresh(4);
    unsigned char there[4];

    memset(a, 7, 4 * PAGE);
    RESULT(madvise(a, 2 * PAGE, MADV_DONTNEED));
    VALUE(a[0]);
    VALUE(a[2 * PAGE]);
    RESULT(madvise(a, PAGE, 999));
    RESULT(madvise(a + 1, PAGE, MADV_NORMAL));
    RESULT(madvise(a, ~0ul, MADV_NORMAL));
    RESULT(madvise(a, 0, MADV_NORMAL));
    RESULT(madvise(a + 2 * PAGE, PAGE, MADV_FREE));
    RESULT(mlock(locked, 2 * PAGE));
    RESULT(mincore(locked, 4 * PAGE, there));
    VALUE((there[0] & 1) + (there[1] & 1) * 10 + (there[2] & 1) * 100);
    RESULT(mincore(locked + 1, PAGE, there));
    RESULT(mincore(locked, PAGE, (void *)16));
    RESULT(mincore(locked, ~0ul, there));
    RESULT(madvise(locked, PAGE, MADV_DONTNEED));
    RESULT(msync(locked, PAGE, MS_INVALIDATE));
    RESULT(munlock(locked, 2 * PAGE));
    munmap(a + PAGE, PAGE);
    RESULT(madvise(a, 4 * PAGE, MADV_DONTNEED));
    VALUE(a[2 * PAGE]);
    RESULT(mincore(a, 4 * PAGE, there));
    RESULT(mlock(a, 4 * PAGE));
    RESULT(mlock(a, ~0ul - PAGE));
    RESULT(munlock((void *)UNMAPPED, PAGE));
    RESULT(mlockall(0));
    RESULT(mlockall(64));
    RESULT(munlockall());
}

static void across_fork(int fd)
{
    char *shared = mmap(NULL, PAGE, RW, SHARED, -1, 0), *own = fresh(1);
    char *wiped = fresh(1), *kept = fresh(1), *file = mmap(NULL, PAGE, RW, MAP_SHARED, fd, 0);
    char *holed = mmap(NULL, 64 * PAGE, RW, SHARED, -1, 0);
    int status;

    shared[0] = own[0] = 1;
    wiped[0] = kept[0] = 5;
    munmap(holed + 10 * PAGE, 10 * PAGE);
    RESULT(madvise(wiped, PAGE, MADV_WIPEONFORK));
    RESULT(madvise(kept, PAGE, MADV_DONTFORK));
    fflush(stdout);
    if (fork() == 0) {
        VALUE(wiped[0]);
        SIGNAL(READ(kept));
        shared[0]++;
        own[0]++;
        file[6] = 'F';
        holed[0] = 1;
        holed[63 * PAGE] = 2;
        fflush(stdout);
        _exit(own[0]);
    }
    wait(&status);
    VALUE(WEXITSTATUS(status));
    VALUE(shared[0]);
    VALUE(own[0]);
    VALUE(file[6]);
    VALUE(holed[0] + holed[63 * PAGE]);
}

static void heap_and_limits(void)
{
    char *end = (char *)syscall(SYS_brk, 0);
    struct rlimit limit = {64 << 20, RLIM_INFINITY};

    VALUE(syscall(SYS_brk, end + 3 * PAGE) == (long)(end + 3 * PAGE));
    SIGNAL(WRITE(end + 3 * PAGE - 1, 1));
    VALUE(syscall(SYS_brk, end) == (long)end);
    VALUE(syscall(SYS_brk, 0x1000) == (long)end);
    VALUE(syscall(SYS_brk, ~0ul) == (long)end);
    VALUE(syscall(SYS_brk, end + PAGE) == (long)(end + PAGE));
    VALUE(end[0]);
    limit.rlim_cur = 16 << 20;
    setrlimit(RLIMIT_DATA, &limit);
    RESULT(map(0, 32 << 20, RW, PRIVATE, -1, 0));
    RESULT(map(0, 32 << 20, PROT_NONE, PRIVATE, -1, 0));
    RESULT(map(0, 32 << 20, RW, SHARED, -1, 0));
    VALUE(syscall(SYS_brk, end + (32 << 20)) == (long)(end + PAGE));
    limit.rlim_cur = 8 << 20;
    setrlimit(RLIMIT_AS, &limit);
    RESULT(map(0, 128 << 20, RW, PRIVATE, -1, 0));
}

static void growing_down(void)
{
    char *g = mmap((void *)(2 * UNMAPPED), PAGE, RW, PRIVATE | MAP_GROWSDOWN | MAP_FIXED, -1, 0);

    SIGNAL(WRITE(g - 100, 1));
    SIGNAL(WRITE(g - 3 * PAGE, 1));
    SIGNAL(WRITE(g - (16l << 20), 1)); /* beyond RLIMIT_STACK */
}

int main(void)
{
    struct sigaction action = {.sa_sigaction = on_signal, .sa_flags = SA_SIGINFO | SA_NODEFER};
    struct rlimit stack = {8 << 20, 8 << 20};
    char path[] = "/tmp/linux_memory.XXXXXX";
    int fd = mkstemp(path);

    sigaction(SIGSEGV, &action, NULL);
    sigaction(SIGBUS, &action, NULL);
    setrlimit(RLIMIT_STACK, &stack);
    arguments_of_mmap();
    arguments_of_others();
    rights();
    pointers(fd);
    file_contents(fd);
    file_rights(path);
    moving(fd);
    advice();
    across_fork(fd);
    growing_down();
    heap_and_limits();
    unlink(path);
    printf("end\n");
    return 0;
}
