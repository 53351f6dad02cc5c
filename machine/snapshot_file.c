/*
 * Sections in a zstd stream. See machine/snapshot_file.h.
 */
#define _GNU_SOURCE /* asprintf */
#include "machine/snapshot_file.h"
#include "core/state.h"
#include "machine/identity.h"
#include <errno.h>
#include <limits.h>
#include <stdarg.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zstd.h>

enum { LEVEL = 1, HEADER = SECTION_TAG + 8 };

static void explain(char *err, size_t err_len, const char *format, ...)
{
    va_list ap;

    va_start(ap, format);
    vsnprintf(err, err_len, format, ap);
    va_end(ap);
}

static u64 sum_of(const u8 header[HEADER], const void *data, size_t len)
{
    return state_hash_bytes(state_hash_bytes(0, header, HEADER), data, len);
}

/* ---- writing ---- */

struct section_writer {
    FILE *f;
    ZSTD_CStream *z;
    char *path, *fresh; /* where it will be, and where it is until then */
    char *err;
    size_t err_len;
    bool failed;
    u8 out[128 << 10];
};

static int write_failed(struct section_writer *w)
{
    if (!w->failed)
        explain(w->err, w->err_len, "cannot write %s: %s", w->path, strerror(errno));
    w->failed = true;
    return -1;
}

/* A new file beside path: a file that is there stays until the new one is whole. */
static FILE *create_beside(const char *path, char **fresh)
{
    struct stat st;
    int fd;

    *fresh = NULL;
    if (stat(path, &st) == 0 && !S_ISREG(st.st_mode)) {
        errno = S_ISDIR(st.st_mode) ? EISDIR : EINVAL;
        return NULL;
    }
    if (asprintf(fresh, "%s.XXXXXX", path) < 0)
        abort();
    fd = mkstemp(*fresh);
    if (fd < 0) {
        free(*fresh);
        *fresh = NULL;
        return NULL;
    }
    return fchmod(fd, 0644) == 0 ? fdopen(fd, "wb") : NULL;
}

struct section_writer *section_writer_open(const char *path, const void *head, size_t head_len,
                                           char *err, size_t err_len)
{
    struct section_writer *w = calloc(1, sizeof(*w));

    if (!w)
        abort();
    w->err = err;
    w->err_len = err_len;
    w->path = strdup(path);
    w->f = create_beside(path, &w->fresh);
    if (!w->f || fwrite(head, 1, head_len, w->f) != head_len) {
        write_failed(w);
        section_writer_close(w, false);
        return NULL;
    }
    w->z = ZSTD_createCStream();
    if (!w->path || !w->z)
        abort();
    ZSTD_CCtx_setParameter(w->z, ZSTD_c_compressionLevel, LEVEL);
    ZSTD_CCtx_setParameter(w->z, ZSTD_c_checksumFlag, 0); /* sections have their sums */
    return w;
}

static int compress(struct section_writer *w, const void *bytes, size_t len, ZSTD_EndDirective how)
{
    ZSTD_inBuffer in = { bytes, len, 0 };
    size_t left;

    do {
        ZSTD_outBuffer out = { w->out, sizeof(w->out), 0 };

        left = ZSTD_compressStream2(w->z, &out, &in, how);
        if (ZSTD_isError(left)) {
            errno = ENOMEM;
            return write_failed(w);
        }
        if (fwrite(w->out, 1, out.pos, w->f) != out.pos)
            return write_failed(w);
    } while (in.pos < in.size || (how == ZSTD_e_end && left));
    return 0;
}

int section_write(struct section_writer *w, const char *tag, const void *data, size_t len)
{
    u8 header[HEADER] = { 0 }, sum[8];

    ASSERT(len <= SECTION_MAX && strlen(tag) <= SECTION_TAG);
    memcpy(header, tag, strlen(tag));
    store_le(header + SECTION_TAG, len, 8);
    store_le(sum, sum_of(header, data, len), 8);
    if (w->failed || compress(w, header, HEADER, ZSTD_e_continue) ||
        compress(w, data, len, ZSTD_e_continue))
        return -1;
    return compress(w, sum, sizeof(sum), ZSTD_e_continue);
}

int section_writer_close(struct section_writer *w, bool good)
{
    good = good && section_write(w, "end", "", 0) == 0 && compress(w, "", 0, ZSTD_e_end) == 0;
    if (good && (fflush(w->f) || fsync(fileno(w->f))))
        good = write_failed(w) == 0;
    if (w->f && fclose(w->f) && good)
        good = write_failed(w) == 0;
    if (good && rename(w->fresh, w->path))
        good = write_failed(w) == 0;
    if (!good && w->fresh)
        unlink(w->fresh);
    ZSTD_freeCStream(w->z);
    free(w->path);
    free(w->fresh);
    free(w);
    return good ? 0 : -1;
}

/* ---- reading ---- */

struct section_reader {
    FILE *f;
    ZSTD_DStream *z;
    char *err;
    size_t err_len;
    u8 head[IDENTITY_MAX];
    u8 *data; /* of the present section */
    size_t cap;
    ZSTD_inBuffer in;
    bool frame_over;
    u8 chunk[128 << 10];
};

static int read_failed(struct section_reader *r, const char *why)
{
    explain(r->err, r->err_len, "the saved machine is %s", why);
    return -1;
}

struct section_reader *section_reader_open(const char *path, const u8 **start, size_t *len,
                                           char *err, size_t err_len)
{
    FILE *f = fopen(path, "rb");
    struct stat st;
    struct section_reader *r;

    if (!f || fstat(fileno(f), &st) || !S_ISREG(st.st_mode)) {
        explain(err, err_len, "cannot read %s: %s", path, f ? "it is no file" : strerror(errno));
        if (f)
            fclose(f);
        return NULL;
    }
    r = calloc(1, sizeof(*r));
    if (!r || !(r->z = ZSTD_createDStream()))
        abort();
    r->f = f;
    r->err = err;
    r->err_len = err_len;
    *start = r->head;
    *len = fread(r->head, 1, sizeof(r->head), f);
    return r;
}

void section_reader_errors(struct section_reader *r, char *err, size_t err_len)
{
    r->err = err;
    r->err_len = err_len;
}

int section_reader_rewind(struct section_reader *r, size_t head_len)
{
    if (fseek(r->f, (long)head_len, SEEK_SET))
        return read_failed(r, "not to be read");
    ZSTD_DCtx_reset(r->z, ZSTD_reset_session_only);
    r->in = (ZSTD_inBuffer){ r->chunk, 0, 0 };
    r->frame_over = false;
    return 0;
}

/* The next n bytes of the stream. */
static int get(struct section_reader *r, void *bytes, size_t n)
{
    ZSTD_outBuffer out = { bytes, n, 0 };

    while (out.pos < out.size) {
        size_t before = out.pos, left;

        if (r->in.pos == r->in.size && !r->frame_over) {
            r->in = (ZSTD_inBuffer){ r->chunk, fread(r->chunk, 1, sizeof(r->chunk), r->f), 0 };
            if (ferror(r->f))
                return read_failed(r, "not to be read");
        }
        if (r->frame_over)
            return read_failed(r, "altered: it ends too early");
        left = ZSTD_decompressStream(r->z, &out, &r->in);
        if (ZSTD_isError(left))
            return read_failed(r, "altered: it does not decompress");
        r->frame_over = left == 0;
        if (out.pos == before && r->in.pos == r->in.size && feof(r->f) && !r->frame_over)
            return read_failed(r, "truncated");
    }
    return 0;
}

/* Room for n bytes, which grows as they really come: a length may be a lie. */
static int get_content(struct section_reader *r, size_t n)
{
    size_t done = 0;

    while (done < n) {
        size_t part = n - done < 1 << 20 ? n - done : 1 << 20;

        if (done + part > r->cap) {
            size_t cap = 2 * (done + part);
            u8 *more = realloc(r->data, cap);

            if (!more)
                return read_failed(r, "too large for this host's memory");
            r->data = more;
            r->cap = cap;
        }
        if (get(r, r->data + done, part))
            return -1;
        done += part;
    }
    return 0;
}

int section_read(struct section_reader *r, struct section *s)
{
    u8 header[HEADER], sum[8];
    u64 len;

    if (get(r, header, HEADER))
        return -1;
    len = load_le(header + SECTION_TAG, 8);
    if (len > SECTION_MAX)
        return read_failed(r, "altered: a section is too long");
    if (get_content(r, len) || get(r, sum, sizeof(sum)))
        return -1;
    if (load_le(sum, 8) != sum_of(header, r->data, len))
        return read_failed(r, "altered: the sum of a section is wrong");
    memcpy(s->tag, header, SECTION_TAG);
    s->tag[SECTION_TAG] = 0;
    s->data = r->data;
    s->len = len;
    return strcmp(s->tag, "end") != 0;
}

void section_reader_close(struct section_reader *r)
{
    if (!r)
        return;
    fclose(r->f);
    ZSTD_freeDStream(r->z);
    free(r->data);
    free(r);
}
