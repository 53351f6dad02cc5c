/*
 * What calls on files do at their edges, printed: errors, values, one line each. linux.sh runs it
 * on the host's Linux and in Ember and compares; nothing here knows what is right. It works in a
 * directory of its own under the current one, as root, and prints nothing that depends on the
 * machine, the time or the file system's kind (sizes of directories, numbers of inodes).
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define BAD      ((void *)8)
#define USER     1000
#define SAY(...) (printf("%s %d: ", __func__, __LINE__), printf(__VA_ARGS__), printf("\n"))
/* A call as it is written, and what it gave. Descriptors differ, so success is only "fine" there.
 */
#define SHOW(call) show(__func__, #call, (long)(call), 1)
#define TRY(call)  show(__func__, #call, (long)(call), 0)

static char buffer[9000];
static struct stat st;

static long show(const char *where, const char *call, long result, int with_value)
{
    const char *text = result < 0 ? strerror(errno) : "fine";

    if (with_value && result >= 0) {
        printf("%s: %s = %ld\n", where, call, result);
    } else {
        printf("%s: %s: %s\n", where, call, text);
    }
    fflush(stdout);
    return result;
}

static int in_child(void (*body)(void))
{
    int status;

    fflush(stdout);
    pid_t pid = fork();
    if (pid == 0) {
        body();
        fflush(stdout);
        _exit(0);
    }
    waitpid(pid, &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 1000 + WTERMSIG(status);
}

static void say_child(const char *what, void (*body)(void))
{
    int status = in_child(body);
    printf("%s ended with %d\n", what, status);
}

static int make(const char *name, mode_t mode)
{
    int fd = open(name, O_CREAT | O_RDWR | O_TRUNC, mode);
    return fd;
}

static void positions(void)
{
    int fd = make("a", 0666);

    SHOW(write(fd, "hello", 5));
    SHOW(lseek(fd, 0, SEEK_SET));
    SHOW(read(fd, buffer, 100));
    SHOW(lseek(fd, -1, SEEK_SET));
    SHOW(lseek(fd, 10, SEEK_END));
    SHOW(write(fd, "x", 1));
    SHOW(lseek(fd, 0, 99));
    SHOW(pread(fd, buffer, 100, 3));
    SAY("bytes %d %d %d", buffer[0], buffer[2], buffer[12]);
    SHOW(pread(fd, buffer, 1, -1));
    SHOW(pread(fd, BAD, 5, 0));
    SHOW(write(fd, BAD, 5));
    SHOW(write(fd, NULL, 0));
    SHOW(lseek(fd, 0, SEEK_DATA));
    SHOW(lseek(fd, 0, SEEK_HOLE));
    SHOW(lseek(fd, 1000, SEEK_DATA));
    SHOW(read(99, buffer, 1));
    SHOW(close(99));
    SHOW(close(-1));
    SHOW(fcntl(fd, F_SETFL, O_APPEND));
    SHOW(pwrite(fd, "zz", 2, 0));
    SHOW(lseek(fd, 0, SEEK_END));
    SHOW(ftruncate(fd, 5));
    SHOW(ftruncate(fd, -5));
    close(fd);
    fd = open("a", O_WRONLY);
    SHOW(read(fd, buffer, 1));
    close(fd);
    fd = open("a", O_RDONLY);
    SHOW(write(fd, "x", 1));
    SHOW(ftruncate(fd, 1));
    close(fd);
    fd = open(".", O_RDONLY);
    SHOW(read(fd, buffer, 1));
    SHOW(ftruncate(fd, 0));
    SHOW(fsync(fd));
    close(fd);
}

static void vectors_and_copies(void)
{
    struct iovec out[3] = {{"ab", 2}, {NULL, 0}, {"cde", 3}};
    char x[3] = "", y[9] = "";
    struct iovec in[2] = {{x, 3}, {y, 9}};
    int fd = make("v", 0644), to = make("v2", 0644);
    off_t offset = 1;

    SHOW(writev(fd, out, 3));
    SHOW(preadv(fd, in, 2, 0));
    SAY("%.3s %.2s", x, y);
    SHOW(readv(fd, in, -1));
    SHOW(readv(fd, in, 2000));
    SHOW(readv(fd, BAD, 1));
    out[0].iov_len = (size_t)-1;
    SHOW(writev(fd, out, 3));
    SHOW(pwritev(fd, in, 1, -5));
    SHOW(lseek(fd, 0, SEEK_SET));
    SHOW(sendfile(to, fd, &offset, 100));
    SAY("offset %ld", (long)offset);
    SHOW(copy_file_range(fd, NULL, to, NULL, 2, 0));
    SHOW(lseek(fd, 0, SEEK_CUR));
    SHOW(lseek(to, 0, SEEK_CUR));
    SHOW(copy_file_range(fd, NULL, to, NULL, 2, 1));
    SHOW(pread(to, buffer, 10, 0));
    SAY("%.6s", buffer);
    SHOW(fallocate(to, 0, 0, 10000));
    SHOW(fallocate(to, 0, 0, 0));
    SHOW(fallocate(to, 0, -1, 5));
    SHOW(lseek(to, 0, SEEK_END));
    SHOW(posix_fadvise(to, 0, 0, POSIX_FADV_WILLNEED));
    SHOW(posix_fadvise(to, 0, 0, 77));
    SHOW(sync_file_range(to, 0, 0, 0));
    SHOW(readahead(to, 0, 10));
    SHOW(syncfs(to));
    close(to);
    close(fd);
}

static void descriptors(void)
{
    int fd = make("a", 0666), other;

    SHOW(fcntl(fd, F_GETFD));
    SHOW(fcntl(fd, F_SETFD, FD_CLOEXEC));
    SHOW(fcntl(fd, F_GETFD));
    SHOW(fcntl(fd, 9999));
    SHOW(fcntl(99, F_GETFD));
    SHOW(fcntl(fd, F_DUPFD, -1));
    SHOW(other = fcntl(fd, F_DUPFD_CLOEXEC, 50));
    SHOW(fcntl(other, F_GETFD));
    SHOW(dup2(99, 5));
    SHOW(dup3(fd, fd, 0));
    SHOW(dup3(fd, 60, O_CLOEXEC));
    SHOW(dup3(fd, 60, 1));
    SHOW(dup2(fd, -1));
    SHOW(dup2(fd, 100000));
    SHOW(close(60));
    SHOW(close(60));
    SHOW(syscall(SYS_close_range, 70, 80, 0));
    SHOW(syscall(SYS_close_range, 80, 70, 0));
    SHOW(fcntl(fd, F_GETFL) & ~O_LARGEFILE & 077777);
    close(other);
    close(fd);
    other = memfd_create("x", 0);
    SHOW(write(other, "abc", 3));
    SHOW(ftruncate(other, 100000));
    SHOW(lseek(other, 0, SEEK_END));
    SHOW(memfd_create("x", 0x100));
    close(other);
}

static void opening(void)
{
    unsigned long how[3] = {1ul << 40, 0, 0};

    close(make("a", 0644));
    TRY(open("a/", O_RDONLY));
    TRY(open("a/b", O_RDONLY));
    TRY(open("nx/b", O_RDONLY));
    TRY(open("", O_RDONLY));
    TRY(open(".", O_WRONLY));
    TRY(open(".", O_RDONLY | O_CREAT, 0644));
    TRY(open("new/", O_CREAT | O_RDWR, 0644));
    TRY(open("a", O_CREAT | O_EXCL, 0644));
    TRY(open("..", O_CREAT | O_EXCL, 0644));
    TRY(open("a", O_DIRECTORY));
    TRY(open(BAD, O_RDONLY));
    TRY(open("/dev/null/x", O_RDONLY));
    memset(buffer, 'q', 5000);
    buffer[5000] = 0;
    TRY(open(buffer, O_RDONLY));
    buffer[300] = 0;
    TRY(open(buffer, O_RDONLY));
    TRY(mkdir(buffer, 0755));
    TRY(syscall(SYS_openat2, AT_FDCWD, "a", how, 24));
    TRY(syscall(SYS_openat2, AT_FDCWD, "a", how, 8));
    how[0] = 0;
    TRY(syscall(SYS_openat2, AT_FDCWD, "a", how, 24));
    TRY(openat(99, "a", O_RDONLY));
    TRY(openat(99, "/", O_RDONLY));
}

static void links(void)
{
    int fd;

    symlink("loop2", "loop1");
    symlink("loop1", "loop2");
    symlink("a", "sl");
    symlink("target", "dangling");
    TRY(open("loop1", O_RDONLY));
    TRY(stat("loop1", &st));
    TRY(lstat("loop1", &st));
    SAY("%ld %o", (long)st.st_size, st.st_mode & S_IFMT);
    TRY(open("sl", O_NOFOLLOW));
    TRY(fd = open("sl", O_PATH | O_NOFOLLOW));
    SHOW(readlinkat(fd, "", buffer, 100));
    SHOW(read(fd, buffer, 1));
    SHOW(fchmod(fd, 0));
    close(fd);
    SHOW(readlink("a", buffer, 10));
    SHOW(readlink("", buffer, 10));
    SHOW(readlink("sl", buffer, 0));
    SHOW(readlink("sl", buffer, 1));
    SHOW(symlink("", "e"));
    SHOW(symlink("x", "sl"));
    TRY(open("dangling", O_RDONLY));
    TRY(open("dangling", O_CREAT | O_WRONLY, 0600));
    TRY(stat("target", &st));
    TRY(open("dangling", O_CREAT | O_EXCL | O_WRONLY, 0600));
    TRY(unlink("sl/"));
    TRY(lstat("sl/", &st));
    TRY(mkdir("sl", 0755));
    TRY(link("a", "hard"));
    TRY(link("a", "hard"));
    TRY(link("nx", "q"));
    TRY(link("a", "nx/q"));
    TRY(link("sl", "soft"));
    lstat("soft", &st);
    SAY("%o", st.st_mode & S_IFMT);
    TRY(linkat(AT_FDCWD, "sl", AT_FDCWD, "followed", AT_SYMLINK_FOLLOW));
    lstat("followed", &st);
    SAY("%o %ld", st.st_mode & S_IFMT, (long)st.st_nlink);
}

static void directories(void)
{
    TRY(mkdir("d", 0777));
    TRY(mkdir("d", 0777));
    TRY(mkdir("d2/", 0777));
    TRY(mkdir("d3", 01777));
    TRY(mkdir("nx/y", 0777));
    TRY(mkdir("a/y", 0777));
    TRY(mkdir("/", 0777));
    TRY(mkdir(".", 0777));
    TRY(rmdir("."));
    TRY(rmdir("d/.."));
    TRY(rmdir("/"));
    TRY(rmdir("a"));
    TRY(rmdir("nx"));
    TRY(unlink("d"));
    TRY(unlink("d/"));
    TRY(unlink("a/"));
    mkdir("d/s", 0755);
    TRY(rmdir("d"));
    TRY(link("d", "dl"));
    TRY(rename("d", "d/s/x"));
    TRY(rename("d/s", "d"));
    TRY(rename("d", "a"));
    TRY(rename("a", "d"));
    TRY(rename("d2", "d"));
    TRY(rename("nx", "y"));
    TRY(rename("a", "nx/y"));
    TRY(rename("a", "b/"));
    TRY(rename("d2", "d4/"));
    TRY(rename(".", "e"));
    TRY(rename("d4", ".."));
    TRY(rename("a", "hard"));
    TRY(stat("a", &st));
    TRY(syscall(SYS_renameat2, AT_FDCWD, "a", AT_FDCWD, "hard", 1));
    TRY(syscall(SYS_renameat2, AT_FDCWD, "a", AT_FDCWD, "hard", 8));
    TRY(unlinkat(AT_FDCWD, "d4", 0));
    TRY(unlinkat(AT_FDCWD, "d4", AT_REMOVEDIR));
    TRY(unlinkat(AT_FDCWD, "d3", 7));
}

/* Names read while they are deleted, positions in a directory, directories that are gone. */
static void reading_directories(void)
{
    struct dirent *e;
    char name[300];
    int n = 0;

    mkdir("many", 0755);
    for (int i = 0; i < 300; i++) {
        sprintf(name, "many/f%d", i);
        close(make(name, 0644));
    }
    DIR *d = opendir("many");
    while (n < 100 && readdir(d)) {
        n++;
    }
    long position = telldir(d);
    strcpy(name, readdir(d)->d_name);
    seekdir(d, position);
    SAY("the same again: %d", strcmp(name, readdir(d)->d_name) == 0);
    rewinddir(d);
    for (n = 0; (e = readdir(d)); n += unlink(name) == 0) {
        sprintf(name, "many/%s", e->d_name);
    }
    SAY("deleted %d", n);
    closedir(d);
    int fd = open("many", O_RDONLY);
    SHOW(syscall(SYS_getdents64, fd, buffer, 10));
    SHOW(syscall(SYS_getdents64, fd, BAD, 1000));
    TRY(rmdir("many"));
    SHOW(syscall(SYS_getdents64, fd, buffer, 1000));
    TRY(openat(fd, "x", O_CREAT | O_RDWR, 0644));
    TRY(mkdirat(fd, "x", 0755));
    fstat(fd, &st);
    SAY("links %ld", (long)st.st_nlink);
    close(fd);

    mkdir("cwd", 0755);
    chdir("cwd");
    SAY("%s", strrchr(getcwd(buffer, sizeof buffer), '/'));
    SHOW(syscall(SYS_getcwd, buffer, 3));
    TRY(rmdir("../cwd"));
    SHOW(syscall(SYS_getcwd, buffer, 1000));
    TRY(open("x", O_CREAT | O_RDWR, 0600));
    TRY(chdir(".."));
    TRY(chdir("a"));
    TRY(chdir("nx"));
}

static void show_times(void)
{
    stat("a", &st);
    SAY("%ld.%09ld %ld.%09ld", (long)st.st_atime, st.st_atim.tv_nsec, (long)st.st_mtime,
        st.st_mtim.tv_nsec);
}

static void attributes(void)
{
    struct timespec t[2] = {{1000000000, 123456789}, {2000000000, 987654321}};
    struct timeval v[2] = {{5, 6}, {7, 1000000}};

    TRY(truncate("a", 100));
    TRY(truncate("a", -1));
    TRY(truncate("d", 0));
    TRY(truncate("nx", 0));
    TRY(access("a", R_OK | W_OK));
    TRY(access("a", X_OK));
    TRY(access("a", 99));
    TRY(syscall(SYS_stat, "a", BAD));
    TRY(fstatat(AT_FDCWD, "a", &st, 0x8000));
    TRY(fstatat(AT_FDCWD, "", &st, AT_EMPTY_PATH));
    TRY(chmod("a", 04777));
    TRY(chown("a", 5, 6));
    stat("a", &st);
    SAY("%o %d %d", st.st_mode, st.st_uid, st.st_gid);
    TRY(chown("a", -1, -1));
    TRY(lchown("sl", 7, 8));
    lstat("sl", &st);
    SAY("%d %d", st.st_uid, st.st_gid);
    TRY(chmod("nx", 0));
    TRY(fchownat(AT_FDCWD, "a", 1, 1, 0x8000));
    TRY(utimensat(AT_FDCWD, "a", t, 0));
    show_times();
    t[0] = (struct timespec){-100, 0};
    t[1] = (struct timespec){-1, 5};
    TRY(utimensat(AT_FDCWD, "a", t, 0));
    show_times();
    t[0].tv_nsec = -1;
    TRY(utimensat(AT_FDCWD, "a", t, 0));
    TRY(utimes("a", v));
    v[1].tv_usec = 8;
    TRY(utimes("a", v));
    t[0].tv_nsec = t[1].tv_nsec = UTIME_OMIT;
    TRY(utimensat(AT_FDCWD, "a", t, 0));
    show_times();
    TRY(utimensat(AT_FDCWD, "nx", NULL, 0));

    mkdir("sg", 0755);
    chown("sg", 0, 77);
    chmod("sg", 02755);
    mkdir("sg/sub", 0755);
    close(make("sg/f", 0644));
    stat("sg/sub", &st);
    SAY("%o %d", st.st_mode, st.st_gid);
    stat("sg/f", &st);
    SAY("%o %d", st.st_mode, st.st_gid);
}

static void mappings(void)
{
    int fd = make("mm", 0644);

    ftruncate(fd, 10000);
    char *shared = mmap(NULL, 10000, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    char *private = mmap(NULL, 10000, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0);
    strcpy(shared + 5000, "mapped");
    SHOW(pread(fd, buffer, 6, 5000));
    SAY("%.6s", buffer);
    pwrite(fd, "written", 7, 100);
    private[100] = 'W';
    SAY("%.7s %.7s", shared + 100, private + 100);
    ftruncate(fd, 5000);
    ftruncate(fd, 12000);
    SAY("%d %d", shared[5001], shared[9000]);
    SHOW(write(fd, shared, 5000)); /* a file from its own mapping, and into it */
    SHOW(pread(fd, shared + 2000, 3000, 0));
    SHOW(msync(shared, 10000, MS_SYNC));
    munmap(shared, 10000);
    munmap(private, 10000);
    close(fd);
    fd = make("unlinked", 0644);
    unlink("unlinked");
    SHOW(write(fd, "abc", 3));
    SHOW(pread(fd, buffer, 3, 0));
    fstat(fd, &st);
    SAY("%ld %ld", (long)st.st_nlink, (long)st.st_size);
    close(fd);
}

static void other_locker(void)
{
    int fd = open("lk", O_RDWR);
    struct flock l = {.l_type = F_WRLCK, .l_len = 10};

    SHOW(fcntl(fd, F_SETLK, &l));
    l.l_start = 5;
    SHOW(fcntl(fd, F_GETLK, &l));
    SAY("%d %ld %ld %d", l.l_type, (long)l.l_start, (long)l.l_len, l.l_pid == getppid());
    l = (struct flock){.l_type = F_RDLCK, .l_start = 200, .l_len = 10};
    SHOW(fcntl(fd, F_SETLK, &l));
    SHOW(flock(fd, LOCK_EX | LOCK_NB));
}

static void locks(void)
{
    int fd = make("lk", 0644), ready[2], status;
    struct flock l = {.l_type = F_WRLCK, .l_len = 100}, first = {.l_type = F_WRLCK, .l_len = 1};
    struct flock second = {.l_type = F_WRLCK, .l_start = 1, .l_len = 1};

    SHOW(fcntl(fd, F_SETLK, &l));
    l = (struct flock){.l_type = F_UNLCK, .l_start = 50, .l_len = 5};
    SHOW(fcntl(fd, F_SETLK, &l));
    l = (struct flock){.l_type = F_RDLCK, .l_start = 200};
    SHOW(fcntl(fd, F_SETLK, &l));
    l.l_type = 9;
    SHOW(fcntl(fd, F_SETLK, &l));
    SHOW(fcntl(fd, F_SETLK, BAD));
    l = (struct flock){.l_type = F_WRLCK, .l_start = -1};
    SHOW(fcntl(fd, F_SETLK, &l));
    SHOW(flock(fd, LOCK_SH));
    say_child("another process", other_locker);
    SHOW(flock(fd, LOCK_UN));
    close(open("lk", O_RDONLY)); /* which gives up all record locks of this process */
    say_child("another process", other_locker);

    pipe(ready); /* two processes that would wait for each other */
    fcntl(fd, F_SETLK, &first);
    fflush(stdout);
    pid_t pid = fork();
    if (pid == 0) {
        fcntl(fd, F_SETLK, &second);
        write(ready[1], "x", 1);
        _exit(fcntl(fd, F_SETLKW, &first) ? 10 : 11);
    }
    read(ready[0], buffer, 1);
    usleep(300000);
    TRY(fcntl(fd, F_SETLKW, &second));
    first.l_type = F_UNLCK;
    fcntl(fd, F_SETLK, &first);
    waitpid(pid, &status, 0);
    SAY("the other: %d", WEXITSTATUS(status));
    close(fd);
}

static void as_user(void)
{
    setgid(USER);
    setuid(USER);
    TRY(open("rootonly", O_RDONLY));
    TRY(open("writeonly", O_WRONLY));
    TRY(open("public/x", O_CREAT | O_WRONLY, 0644));
    TRY(unlink("sticky/rootfile"));
    TRY(rename("sticky/rootfile", "sticky/r2"));
    TRY(open("sticky/mine", O_CREAT | O_RDWR, 04755));
    TRY(unlink("sticky/mine"));
    TRY(mkdir("closed/x", 0755));
    TRY(open("closed/f", O_RDONLY));
    TRY(access("rootonly", R_OK));
    TRY(access("rootonly", F_OK));
    TRY(chmod("rootonly", 0777));
    TRY(chown("public/x", 0, 0));
    TRY(chown("public/x", -1, USER));
    TRY(utimensat(AT_FDCWD, "rootonly", NULL, 0));
    TRY(mknod("public/n", S_IFCHR | 0666, 0x103));
    TRY(mknod("public/fifo", S_IFIFO | 0666, 0));
    TRY(chroot("public"));
    TRY(truncate("rootonly", 0));
    TRY(open("suid", O_RDONLY | O_NOATIME));
    int fd = open("suid", O_WRONLY);
    SHOW(write(fd, "x", 1));
    stat("suid", &st);
    SAY("%o", st.st_mode);
    TRY(execl("./rootonly", "x", NULL));
}

static volatile int got_signal;

static void on_signal(int number)
{
    got_signal = number;
}

/* The limit would hold for what is printed, too: that comes when it has been lifted. */
static void small_files(void)
{
    struct rlimit limit = {1000, RLIM_INFINITY}, none = {RLIM_INFINITY, RLIM_INFINITY};
    int fd = make("small", 0644);
    long result[4];

    signal(SIGXFSZ, on_signal);
    setrlimit(RLIMIT_FSIZE, &limit);
    result[0] = write(fd, buffer, 2000);
    result[1] = write(fd, buffer, 10) < 0 ? -errno : 0;
    result[2] = ftruncate(fd, 1001) < 0 ? -errno : 0;
    result[3] = pwrite(fd, buffer, 10, 995);
    setrlimit(RLIMIT_FSIZE, &none);
    SAY("%ld %ld %ld %ld; SIGXFSZ: %d", result[0], result[1], result[2], result[3],
        got_signal == SIGXFSZ);
    fflush(stdout);
    setrlimit(RLIMIT_FSIZE, &limit);
    signal(SIGXFSZ, SIG_DFL);
    write(fd, buffer, 10);
}

static void few_descriptors(void)
{
    struct rlimit limit = {20, 20};

    setrlimit(RLIMIT_NOFILE, &limit);
    while (open("/dev/null", O_RDONLY) >= 0) {
    }
    TRY(open("/dev/null", O_RDONLY));
    TRY(dup(0));
    TRY(dup2(0, 25));
    TRY(fcntl(0, F_DUPFD, 25));
}

static void permissions_and_limits(void)
{
    close(make("rootonly", 0600));
    close(make("writeonly", 0200));
    close(make("suid", 0777));
    chmod("suid", 06777);
    mkdir("public", 0777);
    chmod("public", 0777);
    mkdir("sticky", 0);
    chmod("sticky", 01777);
    close(make("sticky/rootfile", 0666));
    mkdir("closed", 0600);
    close(make("closed/f", 0666));
    chmod(".", 0755);
    say_child("as a user", as_user);
    say_child("a limit of sizes", small_files);
    say_child("a limit of descriptors", few_descriptors);
}

static void nodes(void)
{
    struct statfs fs;
    int fd;

    TRY(mknod("null", S_IFCHR | 0600, 0x103));
    stat("null", &st);
    SAY("%lx", (long)st.st_rdev);
    fd = open("null", O_WRONLY);
    SHOW(write(fd, "x", 1));
    close(fd);
    TRY(mknod("large", S_IFCHR | 0600, 0x12345));
    stat("large", &st);
    SAY("%lx", (long)st.st_rdev);
    TRY(mknod("socket", S_IFSOCK | 0600, 0));
    TRY(open("socket", O_RDONLY));
    TRY(mknod("bad", 0030000, 0));
    TRY(mknod("dir", S_IFDIR | 0700, 0));
    TRY(statfs("nx", &fs));
    TRY(statfs(".", &fs));
    SAY("%ld", (long)fs.f_namelen);
    TRY(chroot("d"));
    TRY(open("/a", O_RDONLY));
    TRY(chdir("/.."));
    TRY(stat("s", &st));
}

int main(void)
{
    char dir[] = "files.XXXXXX";

    if (!mkdtemp(dir) || chdir(dir)) {
        perror(dir);
        return 1;
    }
    umask(022);
    positions();
    vectors_and_copies();
    descriptors();
    opening();
    links();
    directories();
    reading_directories();
    attributes();
    mappings();
    locks();
    permissions_and_limits();
    nodes();
    return 0;
}
