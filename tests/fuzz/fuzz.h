/*
 * What a fuzz target is. Each fuzz_NAME.c defines one `fuzz_target`; driver.c makes a program of
 * it that runs made inputs from a seed, or files, with any compiler; libfuzzer.c one for clang's
 * libFuzzer, which finds its own.
 *
 * A target's run() must end, must not fault, and must not depend on what ran before. What it looks
 * for itself is said with FUZZ_CHECK.
 */
#ifndef TESTS_FUZZ_FUZZ_H
#define TESTS_FUZZ_FUZZ_H

#include "core/types.h"
#include <stdio.h>
#include <stdlib.h>

struct fuzz_target {
    const char *name;
    const char *unit; /* what run() counts: "instructions", "accesses" */
    size_t cap;       /* the longest input that is made */
    /* Before the first input; only: the argument of --only, or NULL. May be NULL itself. */
    void (*open)(const char *only);
    /* One input. Returns how many units it did. */
    u64 (*run)(const u8 *bytes, size_t len);
    /* Makes an input that gets past the first check of its format. NULL: any bytes will do. */
    size_t (*make)(u64 *rng, u8 *out);
};
extern const struct fuzz_target fuzz_target;

#define FUZZ_CHECK(cond) ASSERT(cond)

/* Random numbers; 0 to n - 1. The state must not be zero. */
u32 fuzz_below(u64 *rng, u32 n);
void fuzz_fill(u64 *rng, void *out, size_t len);

/* Changes bytes, bits and lengths here and there; returns the new length, at most cap. */
size_t fuzz_mutate(u64 *rng, u8 *bytes, size_t len, size_t cap);

/* Text from a list, mutated now and then, up to cap bytes with its final 0. Returns the length. */
size_t fuzz_text(u64 *rng, const char *const *list, unsigned nr, char *out, size_t cap);

/* The ELF multiboot kernel that is built for the targets. Returns its length, below cap. */
size_t fuzz_sample(u8 *out, size_t cap);

/* A file in memory that holds these bytes, for functions that take a path. */
struct fuzz_file {
    int fd;
    char path[40];
};
struct fuzz_file fuzz_file(const void *bytes, size_t len);
void fuzz_file_close(struct fuzz_file *);

/* Where the code under test may say what it likes: the end of it is shown when an input fails. */
FILE *fuzz_quiet(void);
const char *fuzz_last_words(void);

#endif
