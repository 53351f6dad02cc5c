/*
 * cowdemo [MIB]: copy-on-write, counted. A process fills MIB of memory and forks; no page is copied
 * by that. Then the child writes to half of it, and as many pages are copied.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/sysinfo.h>
#include <sys/wait.h>
#include <unistd.h>

#define PAGE 4096ul

static void report(const char *when)
{
    static unsigned long last;
    struct sysinfo s;
    struct rusage r;
    char line[128];

    sysinfo(&s);
    getrusage(RUSAGE_SELF, &r);
    unsigned long free_pages = s.freeram * s.mem_unit / PAGE;
    printf("%-34s free pages %7lu", when, free_pages);
    if (last) {
        printf(" (%+ld)", (long)(free_pages - last));
    }
    printf(", our faults %ld\n", r.ru_minflt);
    last = free_pages;
    FILE *f = fopen("/proc/self/status", "re");
    while (f && fgets(line, sizeof line, f)) {
        if (strncmp(line, "Cow", 3) == 0) {
            printf("    %s", line);
        }
    }
    if (f) {
        fclose(f);
    }
    fflush(stdout);
}

int main(int argc, char **argv)
{
    size_t bytes = (size_t)(argc > 1 ? atoi(argv[1]) : 16) << 20;
    char *p = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    if (bytes == 0 || p == MAP_FAILED) {
        fprintf(stderr, "usage: cowdemo [MIB], of what memory there is\n");
        return 2;
    }
    report("mapped, not touched:");
    memset(p, 'p', bytes);
    report("filled:");
    fflush(stdout);
    pid_t pid = fork();
    if (pid == 0) {
        report("child, after the fork:");
        for (size_t i = 0; i < bytes / 2; i += PAGE) {
            p[i] = 'c';
        }
        report("child, has written to half of it:");
        fflush(stdout);
        _exit(p[0] == 'c' && p[bytes - 1] == 'p' ? 0 : 1);
    }
    int status = 1;
    waitpid(pid, &status, 0);
    report("parent, the child has ended:");
    printf("the parent's memory is %s\n", p[0] == 'p' ? "as it was" : "CHANGED");
    return status || p[0] != 'p';
}
