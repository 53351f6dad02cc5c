/* See machine/rom_file.h. */
#include "machine/rom_file.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

void *rom_file_read(const char *path, size_t max, size_t *len, char *err, size_t err_len)
{
    FILE *f = fopen(path, "rb");
    u8 *p = NULL;

    if (!f) {
        snprintf(err, err_len, "cannot open %s: %s", path, strerror(errno));
        return NULL;
    }
    p = malloc(max + 1);
    *len = p ? fread(p, 1, max + 1, f) : 0;
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
