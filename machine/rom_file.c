/* See machine/rom_file.h. */
#include "machine/rom_file.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

/* All that there is, but no more than limit bytes. NULL: no memory. */
static u8 *read_up_to(FILE *f, size_t limit, size_t *len)
{
    size_t cap = limit < 64 << 10 ? limit : 64 << 10;
    u8 *p = malloc(cap);

    *len = 0;
    while (p && (*len += fread(p + *len, 1, cap - *len, f)) == cap && cap < limit) {
        size_t next = cap < limit / 2 ? 2 * cap : limit;
        u8 *more = realloc(p, next);

        if (!more)
            free(p);
        p = more;
        cap = next;
    }
    return p;
}

void *rom_file_read(const char *path, size_t max, size_t *len, char *err, size_t err_len)
{
    FILE *f = fopen(path, "rb");
    u8 *p = NULL;

    if (!f) {
        snprintf(err, err_len, "cannot open %s: %s", path, strerror(errno));
        return NULL;
    }
    p = read_up_to(f, max + 1, len);
    if (!p || ferror(f) || *len == 0 || *len > max) {
        snprintf(err, err_len, "%s: %s", path,
                 !p              ? "no memory for it"
                 : ferror(f)     ? strerror(errno)
                 : *len == 0     ? "the file is empty"
                                 : "too large for what it is given as; is it a disk? Then give it as -hda");
        free(p);
        p = NULL;
    }
    fclose(f);
    return p;
}
