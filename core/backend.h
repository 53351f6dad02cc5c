/*
 * The outside world: implemented in host/, handed to devices by the command line.
 * No function here may block for long, and none may call back into the machine.
 */
#ifndef CORE_BACKEND_H
#define CORE_BACKEND_H

#include "core/types.h"

/* Bytes out: serial ports, debug consoles. Bytes in arrive through the input log. */
struct chardev {
    void (*put)(void *h, u8 byte);
    void *h;
};

static inline void chardev_put(const struct chardev *c, u8 byte)
{
    if (c && c->put)
        c->put(c->h, byte);
}

#define SECTOR_SIZE 512u

/* A disk image. All return 0 or -errno. Transfers beyond nr_sectors are refused by the caller. */
struct blockdev {
    int (*read)(void *h, u64 lba, u32 nr_sectors, void *dst);
    int (*write)(void *h, u64 lba, u32 nr_sectors, const void *src);
    int (*flush)(void *h);
    u64 nr_sectors;
    bool readonly;
    void *h;
    /* Of a device that keeps writes apart from an image: the image; a walk over what was written,
     * in rising order, which ends with what `each` returns when that is not 0; forgetting it. */
    struct blockdev *under;
    int (*visit)(void *h, int (*each)(void *sink, u64 lba, u32 nr_sectors, const void *bytes),
                 void *sink);
    void (*forget)(void *h);
};

#endif
