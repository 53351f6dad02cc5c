/*
 * The file of a trace.
 */
#include "machine/trace_output.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include <zstd.h>

enum { COMPRESSION_LEVEL = 3 };

struct trace_output {
    int fd;
    bool own_fd;
    ZSTD_CCtx *zstd; /* NULL: plain */
    char *packed;    /* what one write becomes */
    size_t packed_cap;
};

static bool wants_zstd(const char *path)
{
    size_t len = path ? strlen(path) : 0;

    return len > 4 && !strcmp(path + len - 4, ".zst");
}

struct trace_output *trace_output_open(const char *path, char *err, size_t err_len)
{
    struct trace_output *o = calloc(1, sizeof(*o));

    if (o && wants_zstd(path))
        o->zstd = ZSTD_createCCtx();
    if (!o || (wants_zstd(path) && !o->zstd)) {
        snprintf(err, err_len, "the host has no memory for a trace");
        free(o);
        return NULL;
    }
    if (o->zstd) {
        ZSTD_CCtx_setParameter(o->zstd, ZSTD_c_compressionLevel, COMPRESSION_LEVEL);
        ZSTD_CCtx_setParameter(o->zstd, ZSTD_c_checksumFlag, 1);
    }
    o->own_fd = path != NULL;
    o->fd = path ? open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666) : STDOUT_FILENO;
    if (o->fd < 0) {
        snprintf(err, err_len, "-o %s: cannot write: %s", path, strerror(errno));
        trace_output_close(o);
        return NULL;
    }
    return o;
}

static int write_all(int fd, const char *p, size_t len)
{
    while (len) {
        ssize_t n = write(fd, p, len);

        if (n > 0) {
            p += n;
            len -= (size_t)n;
        } else if (errno != EINTR) {
            return errno ? errno : EIO;
        }
    }
    return 0;
}

int trace_output_write(struct trace_output *o, const char *p, size_t len)
{
    size_t bound = ZSTD_compressBound(len);

    if (!o->zstd || !len)
        return write_all(o->fd, p, len);
    if (bound > o->packed_cap) {
        free(o->packed);
        o->packed = malloc(bound);
        o->packed_cap = o->packed ? bound : 0;
        if (!o->packed)
            return ENOMEM;
    }
    len = ZSTD_compress2(o->zstd, o->packed, o->packed_cap, p, len);
    return ZSTD_isError(len) ? EIO : write_all(o->fd, o->packed, len);
}

int trace_output_close(struct trace_output *o)
{
    int error = 0;

    if (!o)
        return 0;
    if (o->own_fd && o->fd >= 0 && close(o->fd))
        error = errno;
    ZSTD_freeCCtx(o->zstd);
    free(o->packed);
    free(o);
    return error;
}

bool trace_output_is_tty(const struct trace_output *o)
{
    return isatty(o->fd);
}
