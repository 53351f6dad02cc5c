/* /proc, as programs read it. */
#include "guestos/user/usertests/usertests.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

static char text[65536];

static void test_proc_self(void)
{
    char path[64], link[256], want[64];
    ssize_t n;

    snprintf(path, sizeof path, "/proc/%d/stat", getpid());
    CHECK(read_file(path, text, sizeof text) > 0);
    int pid, parent;
    char name[64], state;
    CHECK(sscanf(text, "%d (%63[^)]) %c %d", &pid, name, &state, &parent) == 4);
    CHECK(pid == getpid() && parent == getppid() && state == 'R');
    CHECK(read_file("/proc/self/status", text, sizeof text) > 0);
    snprintf(want, sizeof want, "\nPid:\t%d\n", getpid());
    CHECK(strstr(text, want) && strstr(text, "\nUid:\t") && strstr(text, "\nVmRSS:\t"));
    n = readlink("/proc/self/exe", link, sizeof link - 1);
    CHECK(n > 0 && (link[n] = 0, strcmp(link, self_path) == 0));
    n = readlink("/proc/self/cwd", link, sizeof link - 1);
    CHECK(n > 0 && (link[n] = 0, getcwd(text, sizeof text)) && strcmp(link, text) == 0);
    CHECK(read_file("/proc/self/cmdline", text, sizeof text) > 0);
    CHECK(text[0]);
    write_text("f", "x");
    int fd = open("f", O_RDONLY);
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    n = readlink(path, link, sizeof link - 1);
    CHECK(n > 2 && (link[n] = 0, strcmp(link + n - 2, "/f") == 0));
}

static void test_proc_maps(void)
{
    char line[256];
    bool stack = false, ours = false;
    char *page = mmap(NULL, 8192, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    unsigned long last = 0;
    FILE *f = fopen("/proc/self/maps", "r");

    CHECK(f && page != MAP_FAILED);
    while (fgets(line, sizeof line, f)) {
        unsigned long begin, end;
        char rights[8];
        CHECK(sscanf(line, "%lx-%lx %7s", &begin, &end, rights) == 3);
        CHECK(begin >= last && end > begin && strlen(rights) == 4);
        last = end;
        stack |= strstr(line, "[stack]") && rights[1] == 'w';
        ours |= begin <= (unsigned long)page && end >= (unsigned long)page + 8192 &&
                rights[0] == 'r' && rights[1] == '-';
    }
    CHECK(stack && ours);
}

static void test_proc_of_others(void)
{
    char path[64];
    pid_t pid = fork();

    if (pid == 0) {
        _exit(0);
    }
    sleep_ms(50);
    snprintf(path, sizeof path, "/proc/%d/stat", pid);
    CHECK(read_file(path, text, sizeof text) > 0 && strstr(text, ") Z ")); /* a zombie */
    int fd = open(path, O_RDONLY);
    CHECK(status_of(pid) == 0);
    CHECK(access(path, F_OK) < 0);
    CHECK_FAILS(read(fd, text, 10), ESRCH);
}

static void test_proc_system(void)
{
    long total = 0, free_kib = 0;

    CHECK(read_file("/proc/meminfo", text, sizeof text) > 0);
    CHECK(sscanf(strstr(text, "MemTotal:"), "MemTotal: %ld", &total) == 1);
    CHECK(sscanf(strstr(text, "MemFree:"), "MemFree: %ld", &free_kib) == 1);
    CHECK(total > 0 && free_kib > 0 && free_kib < total);
    CHECK(read_file("/proc/mounts", text, sizeof text) > 0 && strstr(text, " / "));
    CHECK(read_file("/proc/uptime", text, sizeof text) > 0 && atof(text) > 0);
    CHECK(read_file("/proc/stat", text, sizeof text) > 0 && strncmp(text, "cpu ", 4) == 0);
    CHECK(read_file("/proc/cpuinfo", text, sizeof text) > 0 && strstr(text, "processor"));
    CHECK(read_file("/proc/filesystems", text, sizeof text) > 0 && strstr(text, "proc"));
    CHECK(read_file("/proc/loadavg", text, sizeof text) > 0);
    CHECK(read_file("/proc/version", text, sizeof text) > 0);
    CHECK_FAILS(open("/proc/none", O_RDONLY), ENOENT);
    CHECK(mkdir("/proc/x", 0755) < 0);
}

const struct test proc_tests[] = {
    TEST(proc_self), TEST(proc_maps), TEST(proc_of_others), TEST(proc_system), {0},
};
