/*
 * Is this file a raw disk image? Recognises what people give by mistake.
 */
#ifndef HOST_IMAGE_CHECK_H
#define HOST_IMAGE_CHECK_H

#include "core/types.h"
#include <stdio.h>

/* What to know of a file's content: its first bytes, the last sector, the ISO descriptor. */
struct image_peek {
    u8 head[512], tail[512], iso[8]; /* zero where the file is shorter */
    u64 size;
};

void image_peek(struct image_peek *, int fd, u64 size);

/* 0, or -1 with the reason and what to try instead in err. */
int image_check_format(const struct image_peek *, const char *path, bool cd, char *err, size_t err_len);

/* Warns when it will not boot, or is no whole number of sectors. */
void image_warn(const struct image_peek *, const char *path, bool boots, FILE *notes);

#endif
