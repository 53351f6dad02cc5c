/*
 * The runner. usertests [-r N] [NAME...]: all tests, or those whose group or name is given; -l lists
 * them. On Ember, free memory, free inodes and blocks, and processes are counted before and after each test: what
 * is gone for good is a leak, and a failure.
 */
#include "guestos/user/usertests/usertests.h"

#include <dirent.h>
#include <fcntl.h>
#include <ftw.h>
#include <grp.h>
#include <limits.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysinfo.h>
#include <sys/utsname.h>
#include <sys/vfs.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define PATIENCE_S 120 /* for one test */
#define SKIPPED    77

static const struct test_group groups[] = {
    {"process", process_tests}, {"exec", exec_tests},     {"pipe", pipe_tests},
    {"poll", poll_tests},       {"signal", signal_tests}, {"fault", fault_tests},
    {"tty", tty_tests},         {"thread", thread_tests}, {"memory", memory_tests},
    {"file", file_tests},       {"name", name_tests},     {"permission", permission_tests},
    {"lock", lock_tests},       {"time", time_tests},     {"proc", proc_tests},
    {"hostile", hostile_tests},
};
#define NR_GROUPS (sizeof groups / sizeof groups[0])

const char *self_path;
static int repeat = 1;
static char top[64]; /* where the tests' folders are */

/* ---- for tests */

_Noreturn void check_failed(const char *file, int line, const char *what)
{
    int error = errno;
    const char *base = strrchr(file, '/');

    dprintf(2, "\n    %s:%d: not so: %s (errno %d, %s)\n", base ? base + 1 : file, line, what, error,
            strerror(error));
    _exit(1);
}

_Noreturn void skip(const char *why)
{
    dprintf(1, "%s: ", why);
    _exit(SKIPPED);
}

void need_root(void)
{
    if (geteuid() != 0) {
        skip("needs root");
    }
}

bool on_ember(void)
{
    struct utsname u;
    return uname(&u) == 0 && (strstr(u.version, "Ember") || strstr(u.release, "ember"));
}

int rounds(int normal)
{
    return normal * repeat;
}

int status_of(pid_t pid)
{
    int status;

    CHECK(pid > 0);
    while (waitpid(pid, &status, 0) != pid) {
        CHECK(errno == EINTR);
    }
    return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

int in_child(void (*function)(void))
{
    pid_t pid = fork();
    if (pid == 0) {
        function();
        _exit(0);
    }
    return status_of(pid);
}

void become(uid_t uid, gid_t gid)
{
    CHECK(setgroups(0, NULL) == 0 && setgid(gid) == 0 && setuid(uid) == 0);
}

void sleep_ms(long ms)
{
    struct timespec left = {ms / 1000, ms % 1000 * 1000000};
    while (nanosleep(&left, &left) < 0 && errno == EINTR) {
    }
}

uint64_t now_ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

uint32_t random32(uint32_t *state) /* Marsaglia's xorshift */
{
    *state ^= *state << 13;
    *state ^= *state >> 17;
    *state ^= *state << 5;
    return *state;
}

void write_file(const char *path, const void *data, size_t len_bytes, mode_t mode)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    CHECK(fd >= 0);
    CHECK(write(fd, data, len_bytes) == (ssize_t)len_bytes);
    CHECK(fchmod(fd, mode) == 0);
    CHECK(close(fd) == 0);
}

void write_text(const char *path, const char *text)
{
    write_file(path, text, strlen(text), 0644);
}

size_t read_file(const char *path, void *to, size_t size)
{
    size_t len = 0;
    ssize_t n;
    int fd = open(path, O_RDONLY);

    CHECK(fd >= 0);
    while (len < size - 1 && (n = read(fd, (char *)to + len, size - 1 - len)) > 0) {
        len += (size_t)n;
    }
    ((char *)to)[len] = 0;
    close(fd);
    return len;
}

bool file_is(const char *path, const char *text)
{
    char got[4096];
    read_file(path, got, sizeof got);
    return strcmp(got, text) == 0;
}

/* ---- what there is of things that can leak */

struct counts {
    long pages, inodes, blocks, processes;
};

/* Free memory, and what would be free without caches. */
static long free_pages(void)
{
    FILE *f = fopen("/proc/meminfo", "r");
    char line[128];
    long kib, sum = 0;

    while (f && fgets(line, sizeof line, f)) {
        if (sscanf(line, "MemFree: %ld", &kib) == 1 || sscanf(line, "Cached: %ld", &kib) == 1 ||
            sscanf(line, "Buffers: %ld", &kib) == 1) {
            sum += kib / 4;
        }
    }
    if (f) {
        fclose(f);
    }
    return sum;
}

static struct counts count(void)
{
    struct counts c = {0};
    struct statfs s;
    struct sysinfo info;

    sync();
    if (statfs(top, &s) == 0) {
        c.inodes = (long)s.f_ffree;
        c.blocks = (long)s.f_bfree;
    }
    if (sysinfo(&info) == 0) {
        c.processes = info.procs;
    }
    c.pages = free_pages();
    return c;
}

/* ---- running */

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *where)
{
    (void)st, (void)type, (void)where;
    return remove(path);
}

static void run_in_folder(const struct test *t)
{
    char dir[PATH_MAX];

    setpgid(0, 0);
    snprintf(dir, sizeof dir, "%s/%s", top, t->name);
    CHECK(mkdir(dir, 0755) == 0 && chdir(dir) == 0);
    umask(022);
    alarm(PATIENCE_S);
    t->run();
    _exit(0);
}

/* What it left behind ends: its process group. Init collects it. */
static void clean_up(const struct test *t, pid_t pid)
{
    char dir[PATH_MAX];

    kill(-pid, SIGKILL);
    for (int i = 0; i < 100 && kill(-pid, 0) == 0; i++) {
        sleep_ms(5);
    }
    snprintf(dir, sizeof dir, "%s/%s", top, t->name);
    nftw(dir, remove_one, 200, FTW_DEPTH | FTW_PHYS);
}

static int run_once(const struct test *t)
{
    fflush(stdout);
    pid_t pid = fork();
    if (pid == 0) {
        run_in_folder(t);
    }
    int status = status_of(pid);
    clean_up(t, pid);
    return status;
}

/* Memory may have gone to some cache; a leak is what goes again each time. */
static bool loses_pages(const struct test *t)
{
    for (int i = 0; i < 3; i++) {
        long before = free_pages();
        run_once(t);
        sync();
        if (free_pages() >= before) {
            return false;
        }
    }
    return true;
}

static const char *leak(const struct test *t, const struct counts *a, const struct counts *b)
{
    if (a->processes != b->processes) {
        return "processes";
    }
    if (a->inodes != b->inodes) {
        return "inodes";
    }
    if (a->blocks != b->blocks) {
        return "disk blocks";
    }
    return b->pages < a->pages && loses_pages(t) ? "pages of memory" : NULL;
}

enum verdict { PASSED, FAILED, SKIP, NR_VERDICTS };

static enum verdict run(const struct test *t, bool counting)
{
    printf("%s ", t->name);
    struct counts before = counting ? count() : (struct counts){0};
    uint64_t began = now_ms();
    int status = run_once(t);
    unsigned took = (unsigned)(now_ms() - began);
    struct counts after = counting ? count() : (struct counts){0};
    for (int i = 0; i < 100 && after.processes > before.processes; i++) {
        sleep_ms(10); /* init is about to collect its children */
        after = count();
    }
    const char *lost = counting ? leak(t, &before, &after) : NULL;

    if (status == SKIPPED) {
        printf("skipped\n");
        return SKIP;
    }
    if (status == 0 && !lost) {
        printf("ok (%u ms)\n", took);
        return PASSED;
    }
    printf("FAILED");
    if (status == 128 + SIGALRM) {
        printf(": no end after %d s", PATIENCE_S);
    } else if (status > 128) {
        printf(": ended by signal %d", status - 128);
    }
    if (lost) {
        printf(": leaks %s (processes %ld, pages %ld, inodes %ld, blocks %ld)", lost,
               after.processes - before.processes, after.pages - before.pages,
               after.inodes - before.inodes, after.blocks - before.blocks);
    }
    printf("\n");
    return FAILED;
}

static bool wanted(const struct test_group *g, const struct test *t, char **names, int nr_names)
{
    for (int i = 0; i < nr_names; i++) {
        if (strcmp(names[i], g->name) == 0 || strcmp(names[i], t->name) == 0) {
            return true;
        }
    }
    return nr_names == 0;
}

int main(int argc, char **argv)
{
    unsigned total[NR_VERDICTS] = {0};
    bool list = false;
    int option;

    self_path = argv[0];
    if (argc > 1 && argv[1][0] == '@') {
        return do_job(argv + 1);
    }
    while ((option = getopt(argc, argv, "lr:")) != -1) {
        if (option == 'l') {
            list = true;
        } else if (option == 'r') {
            repeat = atoi(optarg);
        } else {
            fprintf(stderr, "usage: usertests [-l] [-r TIMES] [GROUP|TEST...]\n");
            return 2;
        }
    }
    static char exe[PATH_MAX];
    if (readlink("/proc/self/exe", exe, sizeof exe - 1) > 0) {
        self_path = exe;
    }
    snprintf(top, sizeof top, "/tmp/usertests.%d", getpid());
    if (!list && mkdir(top, 0755) < 0) {
        perror(top);
        return 2;
    }
    bool counting = on_ember();
    for (unsigned g = 0; g < NR_GROUPS; g++) {
        for (const struct test *t = groups[g].tests; t->name; t++) {
            if (!wanted(&groups[g], t, argv + optind, argc - optind)) {
                continue;
            }
            if (list) {
                printf("%s: %s\n", groups[g].name, t->name);
            } else {
                total[run(t, counting)]++;
            }
        }
    }
    if (list) {
        return 0;
    }
    rmdir(top);
    printf("%u passed, %u failed, %u skipped\n", total[PASSED], total[FAILED], total[SKIP]);
    return total[FAILED] || total[PASSED] + total[SKIP] == 0;
}
