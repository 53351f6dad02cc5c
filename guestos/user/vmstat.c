/*
 * vmstat [SECONDS [TIMES]]: what the kernel counts, as differences a second: processes that run,
 * switches, interrupts, forks, page faults (those that read a disk apart), sectors read and written,
 * and how the time was spent. From /proc/stat, /proc/vmstat, /proc/meminfo and /proc/diskstats; what
 * one of them lacks shows as 0.
 */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum counter {
    SWITCHES, INTERRUPTS, FORKS, FAULTS, MAJOR, COPIES, READ, WRITTEN, USER, NICE, SYSTEM, IDLE,
    NR_COUNTERS
};
struct sample {
    unsigned long of[NR_COUNTERS], running, free_kib, cached_kib;
};

/* Lines "NAME NUMBER ..." of a file: the first number after each name. */
static void words(const char *path, const char *const names[], unsigned long *const to[])
{
    char line[1024], name[64];
    unsigned long value;
    FILE *f = fopen(path, "re");

    while (f && fgets(line, sizeof line, f)) {
        for (int i = 0; names[i]; i++) {
            if (sscanf(line, "%63[^: ]%*[: ]%lu", name, &value) == 2 && strcmp(name, names[i]) == 0) {
                *to[i] = value;
            }
        }
    }
    if (f) {
        fclose(f);
    }
}

static void take(struct sample *s)
{
    char line[256], name[64];
    unsigned long read, written;
    FILE *f = fopen("/proc/stat", "re");

    memset(s, 0, sizeof *s);
    if (f) {
        if (fscanf(f, "cpu %lu %lu %lu %lu", &s->of[USER], &s->of[NICE], &s->of[SYSTEM], &s->of[IDLE]) != 4) {
            s->of[USER] = 0;
        }
        fclose(f);
    }
    words("/proc/stat", (const char *const[]){"ctxt", "intr", "processes", "procs_running", NULL},
          (unsigned long *const[]){&s->of[SWITCHES], &s->of[INTERRUPTS], &s->of[FORKS], &s->running});
    words("/proc/vmstat", (const char *const[]){"pgfault", "pgmajfault", "cow_copies", NULL},
          (unsigned long *const[]){&s->of[FAULTS], &s->of[MAJOR], &s->of[COPIES]});
    words("/proc/meminfo", (const char *const[]){"MemFree", "Cached", NULL},
          (unsigned long *const[]){&s->free_kib, &s->cached_kib});
    f = fopen("/proc/diskstats", "re");
    while (f && fgets(line, sizeof line, f)) { /* whole disks only: their names have no number */
        if (sscanf(line, "%*d %*d %63s %*u %*u %lu %*u %*u %*u %lu", name, &read, &written) == 3 &&
            !isdigit((unsigned char)name[strlen(name) - 1])) {
            s->of[READ] += read;
            s->of[WRITTEN] += written;
        }
    }
    if (f) {
        fclose(f);
    }
}

int main(int argc, char **argv)
{
    unsigned seconds = argc > 1 ? (unsigned)atoi(argv[1]) : 1;
    int times = argc > 2 ? atoi(argv[2]) : argc > 1 ? -1 : 1;
    struct sample a, b;

    if (seconds == 0) {
        fprintf(stderr, "usage: vmstat [SECONDS [TIMES]]\n");
        return 2;
    }
    take(&a);
    for (int i = 0; i != times; i++, a = b) {
        if (i % 20 == 0) {
            printf(" run  free KiB cached KiB switches  irqs forks faults  disk copies sect.read written"
                   " user%% sys%% idle%%\n");
        }
        sleep(seconds);
        take(&b);
#define RATE(counter) ((b.of[counter] - a.of[counter]) / seconds)
        unsigned long user = RATE(USER) + RATE(NICE), sum = user + RATE(SYSTEM) + RATE(IDLE);
        sum = sum ? sum : 1;
        printf("%4lu %9lu %10lu %8lu %5lu %5lu %6lu %5lu %6lu %9lu %7lu %5lu %4lu %5lu\n", b.running,
               b.free_kib, b.cached_kib, RATE(SWITCHES), RATE(INTERRUPTS), RATE(FORKS), RATE(FAULTS),
               RATE(MAJOR), RATE(COPIES), RATE(READ), RATE(WRITTEN), user * 100 / sum,
               RATE(SYSTEM) * 100 / sum, RATE(IDLE) * 100 / sum);
        fflush(stdout);
    }
    return 0;
}
