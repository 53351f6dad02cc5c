/*
 * The loader's ext2.c on the host, under ASan and UBSan, with an image in memory as its disk.
 *
 *   ext2_reader --check LIST IMAGE
 *       LIST: lines "same\tPATH\tFILE" (equal contents) and "refused\tPATH\tTEXT" (the reason)
 * not ext2_reader --damage SEED ROUNDS IMAGE PATH...    reads the paths from ROUNDS damaged copies
 *
 * Damage must lead to an error or to other contents, but never to a sector outside of the file
 * system, to a sanitizer's report, or to more than MAX_SECTORS sectors for one path.
 */
#include "guestos/boot/ext2.h"
#include "guestos/boot/loader.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MAX_SECTORS 1000000u /* 64 directories of 4 MiB, and indirect blocks */
#define PIECE_BYTES 50000u
#define MAX_CHANGES 6

static uint8_t *image;
static uint32_t nr_sectors;
static uint64_t sectors_read;
static char reason[300];

static _Noreturn void die(const char *what)
{
    fprintf(stderr, "ext2_reader: %s\n", what);
    exit(2);
}

bool error(const char *text, ...)
{
    va_list args;

    va_start(args, text);
    vsnprintf(reason, sizeof reason, text, args);
    va_end(args);
    return false;
}

const char *error_text(void)
{
    return reason;
}

bool disk_read(const struct disk *disk, uint32_t lba, uint32_t nr, void *to)
{
    (void)disk;
    if (nr > nr_sectors || lba > nr_sectors - nr) {
        fprintf(stderr, "sectors %u to %u of %u are read\n", lba, lba + nr - 1, nr_sectors);
        abort();
    }
    sectors_read += nr;
    if (sectors_read > MAX_SECTORS) {
        fprintf(stderr, "more than %u sectors are read\n", MAX_SECTORS);
        abort();
    }
    memcpy(to, image + (size_t)lba * SECTOR_BYTES, (size_t)nr * SECTOR_BYTES);
    return true;
}

static void load(const char *path)
{
    FILE *f = fopen(path, "rb");

    if (!f || fseek(f, 0, SEEK_END) != 0) {
        die(path);
    }
    long size = ftell(f);
    rewind(f);
    image = malloc((size_t)size);
    if (!image || fread(image, 1, (size_t)size, f) != (size_t)size) {
        die(path);
    }
    fclose(f);
    nr_sectors = (uint32_t)(size / SECTOR_BYTES);
}

/* Reads a file by pieces that do not fall on blocks; at most max_bytes. */
static bool read_file(const char *path, uint32_t max_bytes, FILE *out)
{
    struct ext2 *fs = malloc(sizeof *fs);
    struct ext2_file file;
    bool ok = ext2_mount(fs, NULL, 0, nr_sectors) && ext2_open(fs, path, &file);

    for (uint32_t at = 0; ok && at < file.size_bytes && at < max_bytes;) {
        uint32_t now = file.size_bytes - at < PIECE_BYTES ? file.size_bytes - at : PIECE_BYTES;
        uint8_t *piece = malloc(now); /* of its own, so that a byte too much is noticed */
        ok = ext2_read(fs, &file, at, piece, now);
        if (ok && out && fwrite(piece, 1, now, out) != now) {
            die("stdout");
        }
        free(piece);
        at += now;
        sectors_read = out ? 0 : sectors_read;
    }
    free(fs);
    return ok;
}

static bool equal(const char *path, const char *file)
{
    FILE *read = tmpfile(), *expected = fopen(file, "rb");
    int a, b;

    if (!read || !expected) {
        die(file);
    }
    bool ok = read_file(path, 0xFFFFFFFFu, read);
    if (!ok) {
        printf("%s: %s\n", path, reason);
    }
    rewind(read);
    do {
        a = getc_unlocked(read);
        b = getc_unlocked(expected);
    } while (a == b && a != EOF);
    if (ok && a != b) {
        printf("%s: other contents than %s\n", path, file);
    }
    fclose(read);
    fclose(expected);
    return ok && a == b;
}

static bool refused(const char *path, const char *text)
{
    sectors_read = 0;
    if (read_file(path, 0xFFFFFFFFu, NULL)) {
        printf("%s was read; expected: %s\n", path, text);
        return false;
    }
    if (!strstr(reason, text)) {
        printf("%s: \"%s\"; expected: %s\n", path, reason, text);
        return false;
    }
    return true;
}

static bool check(const char *list)
{
    FILE *f = fopen(list, "r");
    char line[2000];
    bool ok = f != NULL;
    int nr = 0;

    while (f && fgets(line, sizeof line, f)) {
        char *verb = strtok(line, "\t\n"), *path = strtok(NULL, "\t\n");
        char *what = strtok(NULL, "\t\n");
        if (!verb || !path || !what) {
            die("a line that is not understood");
        }
        ok &= strcmp(verb, "same") == 0 ? equal(path, what) : refused(path, what);
        nr++;
    }
    if (f) {
        fclose(f);
    }
    return ok && nr;
}

static uint64_t random_state;

static uint32_t random_below(uint32_t limit)
{
    random_state ^= random_state << 13; /* xorshift64 */
    random_state ^= random_state >> 7;
    random_state ^= random_state << 17;
    return (uint32_t)(random_state >> 20) % limit;
}

/* Overwrites a field, or a byte, somewhere where the image is not empty. */
static void damage(void)
{
    uint32_t at;

    do {
        at = random_below(4) ? random_below(nr_sectors * SECTOR_BYTES) : 1024 + random_below(1024);
        at &= ~3u;
    } while (memcmp(image + at, "\0\0\0\0", 4) == 0 && random_below(20));
    const uint32_t values[] = {0,
                               1,
                               2,
                               11,
                               0xFFFFFFFFu,
                               0x7FFFFFFFu,
                               0x80000000u,
                               nr_sectors,
                               nr_sectors / 2 - 1,
                               random_below(nr_sectors / 2),
                               random_below(0xFFFFFFFFu)};
    if (random_below(2)) {
        memcpy(image + at, &values[random_below(sizeof values / sizeof values[0])], 4);
    } else {
        image[at + random_below(4)] = (uint8_t)random_below(256);
    }
}

static int damage_all(uint64_t seed, long nr_rounds, char **paths)
{
    size_t size = (size_t)nr_sectors * SECTOR_BYTES;
    uint8_t *good = malloc(size);
    long nr_read = 0, nr_refused = 0;
    uint64_t most = 0;

    memcpy(good, image, size);
    random_state = seed * 0x9E3779B97F4A7C15u + 1;
    for (long round = 0; round < nr_rounds; round++) {
        memcpy(image, good, size);
        for (uint32_t i = 0; i <= random_below(MAX_CHANGES); i++) {
            damage();
        }
        for (char **path = paths; *path; path++) {
            sectors_read = 0;
            bool ok = read_file(*path, 16 * PIECE_BYTES, NULL);
            nr_read += ok;
            nr_refused += !ok;
            most = sectors_read > most ? sectors_read : most;
        }
    }
    printf("%ld files read, %ld refused, at most %llu sectors for one\n", nr_read, nr_refused,
           (unsigned long long)most);
    free(good);
    return nr_read && nr_refused ? 0 : 2; /* else the damage tests nothing */
}

int main(int argc, char **argv)
{
    bool ok = false;

    if (argc == 4 && strcmp(argv[1], "--check") == 0) {
        load(argv[3]);
        ok = check(argv[2]);
    } else if (argc > 5 && strcmp(argv[1], "--damage") == 0) {
        load(argv[4]);
        ok = damage_all(strtoull(argv[2], NULL, 10), strtol(argv[3], NULL, 10), argv + 5) == 0;
    } else {
        die("usage: --check LIST IMAGE | --damage SEED ROUNDS IMAGE PATH...");
    }
    free(image);
    return ok ? 0 : 1;
}
