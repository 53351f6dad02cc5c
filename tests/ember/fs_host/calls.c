/*
 * Random calls on files, in Ember's file system code and on the host's Linux, whose answers must be
 * the same: results, errors, contents, attributes, names. In between, the whole trees are compared,
 * everything is written, and e2fsck looks at the image. As root, since it uses chroot.
 * usage: calls IMAGE DIR SEED CALLS PERIOD LARGEST: DIR is empty, as the ext2 in IMAGE; a check
 * each PERIOD calls; offsets reach up to LARGEST MiB
 */
#define _GNU_SOURCE
#include "tests/ember/fs_host/host.h"
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define MAX_FILES  12u
#define DATA_BYTES 300000u
#define MAX_NAMES  4000

static struct {
    int ember, linux_fd;
} file[MAX_FILES];
static uint32_t nr_files;
static unsigned char data[DATA_BYTES], ours[DATA_BYTES], theirs[DATA_BYTES];
static uint64_t random_state, largest;
static long nr_calls;
static char last_call[1400];
static const char *image;
static int real_root;

static uint32_t any(uint32_t below)
{
    random_state ^= random_state << 13; /* xorshift */
    random_state ^= random_state >> 7;
    random_state ^= random_state << 17;
    return (uint32_t)((random_state >> 11) % below);
}

static void same(const char *what, long ember, long linux_result)
{
    if (ember != linux_result) {
        printf("call %ld, %s: %s: Ember %ld, Linux %ld\n", nr_calls, last_call, what, ember,
               linux_result);
        exit(1);
    }
}

static long answer(long result) /* of the C library, as of a system call */
{
    return result < 0 ? -errno : result;
}

#define SAID(...) snprintf(last_call, sizeof last_call, __VA_ARGS__)

/* ---- random arguments */

static void any_path(char *path)
{
    static const char *const name[] = {"a", "b", "c", "d", "e", "a_longer_name_that_fills_blocks",
                                       "f", "g", "h"};
    uint32_t depth = 1 + any(4);

    *path = 0;
    for (uint32_t i = 0; i < depth; i++) {
        strcat(strcat(path, "/"), name[any(9)]);
        if (any(6) == 0) {
            sprintf(path + strlen(path), "%u", any(60));
        }
    }
    strcat(path, any(40) == 0 ? "/" : any(60) == 0 ? "/." : any(60) == 0 ? "/.." : "");
    if (any(300) == 0) {
        memset(path + 1, 'x', 256);
        path[257] = 0;
    }
    if (any(300) == 0) {
        *path = 0;
    }
}

static uint32_t any_size(void)
{
    static const uint32_t below[] = {10, 1500, 5000, 60000, 200000};
    return any(6) == 0 ? 4096 * any(20) : any(below[any(5)]);
}

static uint64_t any_offset(void)
{
    switch (any(8)) {
    case 0: return 0;
    case 1: return ((uint64_t)any(1 << 20) * largest) + any(4096);
    case 2: return any(1 << 24);
    default: return any(200000);
    }
}

/* ---- comparing */

static void same_attributes(const char *path, bool follow)
{
    struct stat e = {0}, l;
    long result = follow ? EMBER(stat, AT(path), AT(&e)) : EMBER(lstat, AT(path), AT(&e));

    same("stat", result, answer(follow ? stat(path, &l) : lstat(path, &l)));
    if (result == 0) {
        same("mode", e.st_mode, l.st_mode);
        same("uid", e.st_uid, l.st_uid);
        same("gid", e.st_gid, l.st_gid);
        if (!S_ISDIR(e.st_mode)) {
            same("links", (long)e.st_nlink, (long)l.st_nlink);
            same("size", e.st_size, l.st_size);
        }
    }
}

static void same_bytes(long len)
{
    for (long i = 0; i < len; i++) {
        if (ours[i] != theirs[i]) {
            printf("at byte %ld of what was read ", i);
            same("byte", ours[i], theirs[i]);
        }
    }
}

struct names {
    int nr;
    char name[MAX_NAMES][100]; /* "NAME TYPE" */
};

static int compare_names(const void *a, const void *b)
{
    return strcmp(a, b);
}

static void read_names(bool ember, const char *path, struct names *to)
{
    struct entry {
        uint64_t ino, next;
        uint16_t len;
        uint8_t type;
        char name[];
    };
    static char buffer[3000];
    long fd = ember ? EMBER(open, AT(path), O_RDONLY | O_DIRECTORY) : open(path, O_RDONLY);

    to->nr = 0;
    for (long n = 1; fd >= 0 && n > 0;) {
        n = ember ? EMBER(getdents64, (uint64_t)fd, AT(buffer), sizeof buffer)
                  : syscall(SYS_getdents64, fd, buffer, sizeof buffer);
        for (long i = 0; i < n; i += ((struct entry *)(buffer + i))->len) {
            struct entry *e = (struct entry *)(buffer + i);
            snprintf(to->name[to->nr++], 100, "%s %d", e->name, e->type);
        }
    }
    if (ember) {
        (void)EMBER(close, (uint64_t)fd);
    } else {
        close((int)fd);
    }
    qsort(to->name, (size_t)to->nr, sizeof to->name[0], compare_names);
}

static struct names ember_names, linux_names;

static void same_names(const char *path)
{
    read_names(true, path, &ember_names);
    read_names(false, path, &linux_names);
    same("number of names", ember_names.nr, linux_names.nr);
    for (int i = 0; i < ember_names.nr; i++) {
        same(linux_names.name[i], strcmp(ember_names.name[i], linux_names.name[i]), 0);
    }
}

static void same_contents(const char *path)
{
    long e = EMBER(open, AT(path), O_RDONLY), n = 1;
    int l = open(path, O_RDONLY);

    while (n > 0) {
        n = EMBER(read, (uint64_t)e, AT(ours), DATA_BYTES);
        same(path, n, answer(read(l, theirs, DATA_BYTES)));
        same_bytes(n);
    }
    (void)EMBER(close, (uint64_t)e);
    close(l);
}

static void same_link(const char *path)
{
    long n = EMBER(readlink, AT(path), AT(ours), 4096);

    same("readlink", n, answer(readlink(path, (char *)theirs, 4096)));
    same_bytes(n);
}

static void same_tree(const char *path)
{
    same_names(path);
    int nr = linux_names.nr;
    char(*name)[100] = malloc((size_t)nr * 100 + 1), below[3000];
    memcpy(name, linux_names.name, (size_t)nr * 100);
    for (int i = 0; i < nr; i++) {
        char *space = strrchr(name[i], ' ');
        int type = atoi(space + 1);
        *space = 0;
        if (strcmp(name[i], ".") == 0 || strcmp(name[i], "..") == 0) {
            continue;
        }
        snprintf(below, sizeof below, "%s/%s", strcmp(path, "/") ? path : "", name[i]);
        SAID("compare %.900s", below);
        same_attributes(below, false);
        if (type == DT_REG) {
            same_contents(below);
        } else if (type == DT_LNK) {
            same_link(below);
        } else if (type == DT_DIR) {
            same_tree(below);
        }
    }
    free(name);
}

/* ---- calls */

static void close_file(uint32_t i)
{
    same("close", EMBER(close, (uint64_t)file[i].ember), answer(close(file[i].linux_fd)));
    file[i] = file[--nr_files];
}

static void do_open(const char *path, uint32_t mode)
{
    static const int flags[] = {O_RDWR | O_CREAT,
                                O_RDWR,
                                O_RDONLY,
                                O_WRONLY | O_CREAT | O_TRUNC,
                                O_RDWR | O_CREAT | O_EXCL,
                                O_RDWR | O_CREAT | O_APPEND,
                                O_RDONLY | O_DIRECTORY,
                                O_RDONLY | O_NOFOLLOW,
                                O_RDWR | O_CREAT | O_NOFOLLOW,
                                O_WRONLY | O_TRUNC,
                                O_PATH,
                                O_PATH | O_NOFOLLOW};
    int f = flags[any(12)];

    if (nr_files == MAX_FILES) {
        close_file(any(nr_files));
    }
    SAID("open %s %o %o", path, (unsigned)f, mode);
    long e = EMBER(open, AT(path), (uint64_t)f, mode);
    long l = answer(open(path, f, mode));
    same("error", e < 0 ? e : 0, l < 0 ? l : 0);
    if (e >= 0) {
        file[nr_files].ember = (int)e;
        file[nr_files++].linux_fd = (int)l;
    }
}

static void do_write(uint32_t i)
{
    uint32_t len = any_size();
    uint64_t e = (uint64_t)file[i].ember, at = any_offset();
    bool zeroes = any(5) == 0;

    for (uint32_t k = 0; k < len; k++) {
        data[k] = zeroes ? 0 : (unsigned char)(k * 7 + (uint32_t)nr_calls);
    }
    if (any(2)) {
        SAID("pwrite of %u at %lu", len, at);
        same("result", EMBER(pwrite64, e, AT(data), len, at),
             answer(pwrite(file[i].linux_fd, data, len, (off_t)at)));
    } else {
        SAID("write of %u", len);
        same("result", EMBER(write, e, AT(data), len), answer(write(file[i].linux_fd, data, len)));
    }
}

static void do_read(uint32_t i)
{
    uint32_t len = any_size();
    uint64_t e = (uint64_t)file[i].ember, at = any_offset();
    long n;

    if (any(2)) {
        SAID("pread of %u at %lu", len, at);
        n = EMBER(pread64, e, AT(ours), len, at);
        same("result", n, answer(pread(file[i].linux_fd, theirs, len, (off_t)at)));
    } else {
        SAID("read of %u", len);
        n = EMBER(read, e, AT(ours), len);
        same("result", n, answer(read(file[i].linux_fd, theirs, len)));
    }
    same_bytes(n);
}

static void on_a_file(void)
{
    uint32_t i = any(nr_files);
    uint64_t e = (uint64_t)file[i].ember, at = any_offset();
    int l = file[i].linux_fd, whence = (int)any(3);
    off_t by = (off_t)any(100000) - (whence ? 50000 : 0);
    struct stat st;

    switch (any(11)) {
    case 0:
    case 1:
        SAID("ftruncate to %lu", at);
        same("result", EMBER(ftruncate, e, at), answer(ftruncate(l, (off_t)at)));
        break;
    case 2:
        if (fstat(l, &st) == 0 && !S_ISDIR(st.st_mode)) {
            SAID("lseek %ld %d", (long)by, whence);
            same("result", EMBER(lseek, e, (uint64_t)by, (uint64_t)whence),
                 answer(lseek(l, by, whence)));
        }
        break;
    case 3: close_file(i); break;
    case 4: (void)EMBER(fsync, e); break;
    case 5:
    case 6:
    case 7: do_read(i); break;
    default: do_write(i); break;
    }
}

/* One call with a path or two: the name, Ember's and Linux'. */
#define BOTH(name, ember, host)                                                                    \
    SAID("%s %s %s %o", name, a, b, mode);                                                         \
    same("result", ember, answer(host));                                                           \
    break

static void on_paths(void)
{
    char a[600], b[600];
    uint32_t mode = any(8) ? 0777 : any(010000), uid = any(3), flag = any(5) == 0;
    uint64_t at = any_offset();
    struct stat st;

    any_path(a);
    any_path(b);
    switch (any(20)) {
    case 0:
    case 1: BOTH("mkdir", EMBER(mkdir, AT(a), mode), mkdir(a, mode));
    case 2: BOTH("rmdir", EMBER(rmdir, AT(a)), rmdir(a));
    case 3:
    case 4: BOTH("unlink", EMBER(unlink, AT(a)), unlink(a));
    case 5:
    case 6:
    case 7:
        BOTH("rename", EMBER(renameat2, (uint64_t)AT_FDCWD, AT(a), (uint64_t)AT_FDCWD, AT(b), flag),
             syscall(SYS_renameat2, AT_FDCWD, a, AT_FDCWD, b, flag));
    case 8: BOTH("link", EMBER(link, AT(a), AT(b)), link(a, b));
    case 9: BOTH("symlink", EMBER(symlink, AT(b), AT(a)), symlink(b, a));
    case 10: BOTH("chmod", EMBER(chmod, AT(a), mode), chmod(a, mode));
    case 11: BOTH("chown", EMBER(chown, AT(a), uid, uid + 1), chown(a, uid, uid + 1));
    case 12: BOTH("truncate", EMBER(truncate, AT(a), at), truncate(a, (off_t)at));
    case 13:
        BOTH("mknod", EMBER(mknod, AT(a), S_IFSOCK | (mode & 0777), 0),
             mknod(a, S_IFSOCK | (mode & 0777), 0));
    case 14:
        SAID("readlink %s", a);
        same_link(a);
        break;
    case 15:
    case 16:
        SAID("stat %s", a);
        same_attributes(a, flag);
        break;
    case 17:
        SAID("names of %s", a);
        if (stat(a, &st) == 0 && S_ISDIR(st.st_mode)) {
            same_names(a);
        }
        break;
    default: do_open(a, mode); break;
    }
}

static void check(void)
{
    char command[1000];
    int status;

    while (nr_files) {
        close_file(0);
    }
    same_tree("/");
    (void)EMBER(sync, 0);
    snprintf(command, sizeof command, "e2fsck -fn %s >%s.fsck 2>&1 || { cat %s.fsck; false; }",
             image, image, image);
    fflush(stdout);
    pid_t pid = fork();
    if (pid == 0) {
        if (fchdir(real_root) || chroot(".")) {
            _exit(99);
        }
        execl("/bin/sh", "sh", "-c", command, NULL);
        _exit(99);
    }
    waitpid(pid, &status, 0);
    same("e2fsck", status, 0);
}

int main(int argc, char **argv)
{
    struct stat st;

    if (argc != 7) {
        fprintf(stderr, "usage: calls IMAGE DIR SEED CALLS PERIOD LARGEST\n");
        return 2;
    }
    image = argv[1];
    random_state = strtoull(argv[3], NULL, 0) * 0x9E3779B97F4A7C15u + 1;
    long calls = atol(argv[4]), period = atol(argv[5]);
    largest = strtoull(argv[6], NULL, 0);
    umask(0);
    int disk = open(image, O_RDWR);
    real_root = open("/", O_RDONLY);
    if (fstat(disk, &st)) {
        perror(image);
        return 2;
    }
    host_start(disk, (uint64_t)st.st_size);
    if (chdir(argv[2]) || chroot(".")) {
        perror(argv[2]);
        return 77;
    }
    while (nr_calls++ < calls) {
        if (any(100) == 0) {
            host_forget(any(200), any(20));
        } else if (nr_files && any(2)) {
            on_a_file();
        } else {
            on_paths();
        }
        if (nr_calls % period == 0) {
            check();
        }
    }
    check();
    printf("%ld calls, the same answers; e2fsck finds nothing\n", calls);
    return 0;
}
