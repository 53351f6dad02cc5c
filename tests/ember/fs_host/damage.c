/*
 * Damaged ext2 images: each is mounted, walked, written to and unmounted by Ember's file system
 * code, in a process of its own, which must neither fail nor last. Nothing is said about answers.
 * usage: damage ROOT-IMAGE GOOD-IMAGE WORK-IMAGE FROM TO: the seeds
 */
#define _GNU_SOURCE
#include "tests/ember/fs_host/host.h"
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <unistd.h>

#define SECONDS 60 /* for one image; a sound one takes a hundredth */

enum { WAS_USED, WAS_REFUSED, STAYED_MOUNTED };

static uint64_t random_state;
static unsigned char buffer[100000];

static uint32_t any(uint32_t below)
{
    random_state ^= random_state << 13;
    random_state ^= random_state >> 7;
    random_state ^= random_state << 17;
    return (uint32_t)((random_state >> 11) % below);
}

/* Superblock, first group descriptors, the first blocks, or a block that is neither empty nor full,
 * as metadata are. */
static uint64_t place(int fd, uint64_t bytes)
{
    static unsigned char block[1024];
    uint64_t at = 0;

    switch (any(6)) {
    case 0: return 1024 + any(220);
    case 1: return 2048 + any(256);
    case 2: return any(300 * 1024);
    default: break;
    }
    for (int tries = 0; tries < 200; tries++) {
        int used = 0;
        at = (uint64_t)any((uint32_t)(bytes / sizeof block)) * sizeof block;
        if (pread(fd, block, sizeof block, (off_t)at) < 0) {
            continue;
        }
        for (uint32_t i = 0; i < sizeof block; i++) {
            used += block[i] != 0;
        }
        if (used > 4 && used < 1000) {
            break;
        }
    }
    return at + any(sizeof block);
}

static void damage(int fd, uint64_t bytes)
{
    for (uint32_t n = 1 + any(20); n > 0; n--) {
        uint64_t at = place(fd, bytes) & ~3ul;
        uint32_t word;
        if (pread(fd, &word, 4, (off_t)at) != 4) {
            continue;
        }
        switch (any(5)) {
        case 0: word = (word & ~0xFFu) | any(256); break;
        case 1: word = 0; break;
        case 2: word = any(2) ? 0xFFFFFFFF : word | 0xFFFF; break;
        case 3: word = any(3000); break;
        default: word ^= 1u << any(32); break;
        }
        if (pwrite(fd, &word, 4, (off_t)at) != 4) {
            abort();
        }
    }
}

static void any_path(char *path)
{
    static const char *const name[] = {"dir0", "dir1",      "file3",     "big", "slow", "fast",
                                       "many", "many/f100", "dir0/dir0", "new", "a/b"};

    sprintf(path, "/m/%s", name[any(11)]);
    if (any(3) == 0) {
        sprintf(path + strlen(path), "/f%u", any(300));
    }
}

static void look_at(const char *path, uint32_t depth)
{
    char names[3000], below[1000];
    struct stat st;
    long fd = EMBER(open, AT(path), O_RDONLY), n;

    if (EMBER(stat, AT(path), AT(&st)) == 0 && S_ISREG(st.st_mode)) {
        for (int i = 0; i < 20 && EMBER(read, (uint64_t)fd, AT(buffer), sizeof buffer) > 0; i++) {
        }
    }
    while (depth < 8 && (n = EMBER(getdents64, (uint64_t)fd, AT(names), sizeof names)) > 0) {
        for (long i = 0; i < n; i += *(uint16_t *)(names + i + 16)) {
            const char *name = names + i + 19;
            if (strcmp(name, ".") && strcmp(name, "..")) {
                snprintf(below, sizeof below, "%.700s/%.255s", path, name);
                (void)EMBER(readlink, AT(below), AT(buffer), 4096);
                look_at(below, depth + 1);
            }
        }
    }
    (void)EMBER(close, (uint64_t)fd);
}

static void call_something(void)
{
    char a[300], b[300];
    long fd;

    any_path(a);
    any_path(b);
    switch (any(11)) {
    case 0:
    case 1:
        fd = EMBER(open, AT(a), O_RDWR | O_CREAT, 0644);
        (void)EMBER(pwrite64, (uint64_t)fd, AT(buffer), any(9000), any(any(3) ? 10000 : 1 << 26));
        (void)EMBER(ftruncate, (uint64_t)fd, any(100000));
        (void)EMBER(close, (uint64_t)fd);
        break;
    case 2: (void)EMBER(mkdir, AT(a), 0755); break;
    case 3: (void)EMBER(rmdir, AT(a)); break;
    case 4:
    case 5: (void)EMBER(unlink, AT(a)); break;
    case 6:
    case 7: (void)EMBER(rename, AT(a), AT(b)); break;
    case 8: (void)EMBER(link, AT(a), AT(b)); break;
    case 9: (void)EMBER(symlink, AT(b), AT(a)); break;
    default:
        (void)EMBER(truncate, AT(a), any(300000));
        host_forget(any(50), any(50));
        break;
    }
}

static int use(const char *image, uint64_t seed)
{
    int fd = open(image, O_RDWR);
    struct stat st;

    if (fstat(fd, &st)) {
        abort();
    }
    random_state = (seed + 1) * 0x9E3779B97F4A7C15u;
    damage(fd, (uint64_t)st.st_size);
    host_second_disk(fd, (uint64_t)st.st_size);
    if (EMBER(mount, AT("/sdb1"), AT("/m"), AT("ext2"), 0, 0)) {
        return WAS_REFUSED;
    }
    look_at("/m", 0);
    for (uint32_t i = 0; i < 400; i++) {
        call_something();
    }
    look_at("/m", 0);
    (void)EMBER(sync, 0);
    return EMBER(umount2, AT("/m"), 0) ? STAYED_MOUNTED : WAS_USED;
}

static void copy_file(const char *from, const char *to)
{
    char command[2000];

    snprintf(command, sizeof command, "cp '%s' '%s'", from, to);
    if (system(command)) {
        exit(2);
    }
}

int main(int argc, char **argv)
{
    uint32_t nr[3] = {0}, nr_bad = 0;
    struct stat st;
    int status;

    if (argc != 6) {
        fprintf(stderr, "usage: damage ROOT-IMAGE GOOD-IMAGE WORK-IMAGE FROM TO\n");
        return 2;
    }
    int root = open(argv[1], O_RDWR);
    if (fstat(root, &st)) {
        perror(argv[1]);
        return 2;
    }
    host_quiet = true;
    host_start(root, (uint64_t)st.st_size);
    (void)EMBER(mkdir, AT("/m"), 0755);
    (void)EMBER(mknod, AT("/sdb1"), S_IFBLK | 0600, makedev(8, 17));
    for (long seed = atol(argv[4]); seed < atol(argv[5]); seed++) {
        copy_file(argv[2], argv[3]);
        fflush(stdout);
        pid_t pid = fork();
        if (pid == 0) {
            alarm(SECONDS);
            _exit(use(argv[3], (uint64_t)seed));
        }
        waitpid(pid, &status, 0);
        if (!WIFEXITED(status) || WEXITSTATUS(status) >= STAYED_MOUNTED) {
            printf("seed %ld: status %x\n", seed, (unsigned)status);
            nr_bad++;
        } else {
            nr[WEXITSTATUS(status)]++;
        }
    }
    printf("%u damaged file systems used, %u refused, %u bad\n", nr[WAS_USED], nr[WAS_REFUSED],
           nr_bad);
    return nr_bad != 0;
}
