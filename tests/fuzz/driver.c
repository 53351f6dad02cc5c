/*
 * A fuzz target as a program of its own: inputs that the target makes from a seed, or files.
 *
 *     fuzz_NAME [--only WHAT] [--seed S] [--runs N] [--units N] [--save DIR]
 *     fuzz_NAME [--only WHAT] FILE...
 *
 * Runs at least N inputs, and until N units (accesses, instructions) are done. --save also writes
 * each input to DIR, as a start for libFuzzer. When an input faults, fails a check, or takes more
 * than LIMIT_S seconds of processor time, it is written to the present directory: run that file.
 */
#include "tests/fuzz/fuzz.h"
#include <fcntl.h>
#include <getopt.h>
#include <signal.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

enum { LIMIT_S = 10, HANGS_S = 600 };

/* The input at hand, for whoever reports a death. */
static struct {
    const u8 *bytes;
    size_t len;
    bool from_file, told;
    char path[64];
} now;

static void say(const char *text)
{
    if (write(STDERR_FILENO, text, strlen(text)) < 0)
        return;
}

/* Async-signal-safe. */
static void keep_input(void)
{
    int fd;

    if (now.told || !now.bytes || now.from_file)
        return;
    now.told = true;
    say(fuzz_last_words());
    fd = open(now.path, O_WRONLY | O_CREAT | O_TRUNC, 0644);
    if (fd < 0 || write(fd, now.bytes, now.len) < 0)
        return;
    close(fd);
    say("the input is in ");
    say(now.path);
    say("\n");
}

static void died(int sig)
{
    say(sig == SIGPROF   ? "the input takes too much time\n"
        : sig == SIGALRM ? "the input hangs\n"
                         : "a check failed\n");
    keep_input();
    signal(sig, SIG_DFL);
    if (sig != SIGABRT)
        abort();
}

/* Sanitizers call it before they end the process. */
void __sanitizer_set_death_callback(void (*)(void)) __attribute__((weak));

static double seconds(void)
{
    struct timespec t;

    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static double slowest;

static u64 run(const u8 *bytes, size_t len)
{
    struct itimerval limit = { .it_value = { LIMIT_S, 0 } }, none = { 0 };
    u8 *exact = malloc(len ? len : 1); /* reads beyond it are seen */
    double from = seconds();
    u64 units;

    ASSERT(exact);
    memcpy(exact, bytes, len);
    now.bytes = bytes;
    now.len = len;
    setitimer(ITIMER_PROF, &limit, NULL);
    alarm(HANGS_S);
    units = fuzz_target.run(exact, len);
    alarm(0);
    setitimer(ITIMER_PROF, &none, NULL);
    free(exact);
    now.bytes = NULL;
    if (seconds() - from > slowest)
        slowest = seconds() - from;
    return units;
}

static u64 run_file(const char *path)
{
    enum { MAX = 64 << 20 };
    FILE *f = fopen(path, "rb");
    u8 *bytes = malloc(MAX);
    size_t len;
    u64 units;

    ASSERT(bytes);
    if (!f) {
        fprintf(stderr, "cannot open %s\n", path);
        exit(2);
    }
    len = fread(bytes, 1, MAX, f);
    fclose(f);
    now.from_file = true;
    units = run(bytes, len);
    free(bytes);
    return units;
}

static void save(const char *dir, u64 seed, const u8 *bytes, size_t len)
{
    char path[4096];
    FILE *f;

    snprintf(path, sizeof(path), "%s/%llu", dir, (unsigned long long)seed);
    f = fopen(path, "wb");
    if (!f || fwrite(bytes, 1, len, f) != len || fclose(f)) {
        fprintf(stderr, "cannot write %s\n", path);
        exit(2);
    }
}

static u64 run_made(u64 seed, u8 *bytes, const char *dir)
{
    u64 rng = seed * 0x9e3779b97f4a7c15ull | 1;
    size_t len;

    if (fuzz_target.make) {
        len = fuzz_target.make(&rng, bytes);
    } else {
        len = fuzz_below(&rng, (u32)fuzz_target.cap + 1);
        fuzz_fill(&rng, bytes, len);
    }
    ASSERT(len <= fuzz_target.cap);
    if (dir)
        save(dir, seed, bytes, len);
    snprintf(now.path, sizeof(now.path), "crash-%s-%llu", fuzz_target.name,
             (unsigned long long)seed);
    return run(bytes, len);
}

int main(int argc, char **argv)
{
    static const struct option longs[] = { { "only", 1, 0, 'o' },  { "seed", 1, 0, 's' },
                                           { "runs", 1, 0, 'n' },  { "units", 1, 0, 'u' },
                                           { "save", 1, 0, 'd' },  { 0 } };
    u64 seed = 1, runs = 100, units = 0, done = 0, inputs = 0;
    const char *only = NULL, *dir = NULL;
    int c;

    while ((c = getopt_long(argc, argv, "", longs, NULL)) != -1)
        switch (c) {
        case 'o': only = optarg; break;
        case 's': seed = strtoull(optarg, NULL, 0); break;
        case 'n': runs = strtoull(optarg, NULL, 0); break;
        case 'u': units = strtoull(optarg, NULL, 0); break;
        case 'd': dir = optarg; break;
        default:
            fprintf(stderr, "usage: %s [--only WHAT] [--seed S] [--runs N] [--units N] "
                            "[--save DIR] [FILE...]\n", argv[0]);
            return 2;
        }
    signal(SIGABRT, died);
    signal(SIGPROF, died);
    signal(SIGALRM, died);
    if (__sanitizer_set_death_callback)
        __sanitizer_set_death_callback(keep_input);
    if (fuzz_target.open)
        fuzz_target.open(only);
    if (optind < argc) {
        for (; optind < argc; optind++, inputs++)
            done += run_file(argv[optind]);
    } else {
        u8 *bytes = malloc(fuzz_target.cap + 1);

        ASSERT(bytes);
        for (; inputs < runs || done < units; inputs++)
            done += run_made(seed + inputs, bytes, dir);
        free(bytes);
    }
    printf("%s%s%s: %llu inputs from seed %llu, %llu %s, the slowest took %.2f s\n",
           fuzz_target.name, only ? " " : "", only ? only : "", (unsigned long long)inputs,
           (unsigned long long)seed, (unsigned long long)done, fuzz_target.unit, slowest);
    return 0;
}
