/*
 * See bench_image.h. Numbers of the table are little-endian, as the host is.
 */
#include "host/bench_image.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

enum {
    TABLE_AT = 512,
    TABLE_BYTES = 4096,
    VERSION = 1,
    ROUNDS_AT = 16,
    ENTRIES_AT = 64,
    ENTRY_BYTES = 64,
    MAX_BYTES = 16 << 20,
};

static u64 number(const u8 *p, unsigned len)
{
    u64 v = 0;
    memcpy(&v, p, len);
    return v;
}

static const char *parse(struct bench_image *im)
{
    const u8 *t = im->bytes + TABLE_AT;
    if (im->len < TABLE_AT + TABLE_BYTES || memcmp(t, "KILNBENC", 8))
        return "is no benchmark image";
    if (number(t + 8, 4) != VERSION)
        return "is of another version than this program";
    im->nr_kernels = (unsigned)number(t + 12, 4);
    if (im->nr_kernels > BENCH_KERNELS || ENTRIES_AT + im->nr_kernels * ENTRY_BYTES > TABLE_BYTES)
        return "has too many kernels";
    for (unsigned i = 0; i < im->nr_kernels; i++) {
        const u8 *e = t + ENTRIES_AT + i * ENTRY_BYTES;
        struct bench_kernel *k = &im->kernel[i];
        memcpy(k->name, e, sizeof(k->name) - 1);
        memcpy(k->group, e + 24, sizeof(k->group) - 1);
        k->guest_only = number(e + 36, 4);
        k->millisecond = number(e + 40, 8);
    }
    return NULL;
}

/* The whole file; false, with errno, when it cannot be read. */
static bool read_file(struct bench_image *im, const char *path)
{
    FILE *f = fopen(path, "rb");
    if (!f)
        return false;
    im->bytes = malloc(MAX_BYTES);
    if (im->bytes)
        im->len = fread(im->bytes, 1, MAX_BYTES, f);
    bool good = im->bytes && !ferror(f);
    fclose(f);
    return good;
}

struct bench_image *bench_image_load(const char *path, char *err, size_t err_len)
{
    struct bench_image *im = calloc(1, sizeof(*im));
    const char *why = NULL;
    if (!im || !read_file(im, path))
        why = strerror(errno);
    else
        why = parse(im);
    if (!why)
        return im;
    snprintf(err, err_len, "%s: %s", path, why);
    bench_image_free(im);
    return NULL;
}

void bench_image_free(struct bench_image *im)
{
    if (im)
        free(im->bytes);
    free(im);
}

u8 *bench_image_with(const struct bench_image *im, const u64 *iterations, u32 rounds)
{
    u8 *copy = malloc(im->len);
    if (!copy)
        abort();
    memcpy(copy, im->bytes, im->len);
    memcpy(copy + TABLE_AT + ROUNDS_AT, &rounds, sizeof(rounds));
    for (unsigned i = 0; i < im->nr_kernels; i++)
        memcpy(copy + TABLE_AT + ENTRIES_AT + i * ENTRY_BYTES + 48, &iterations[i], sizeof(u64));
    return copy;
}
