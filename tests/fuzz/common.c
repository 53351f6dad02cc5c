/* What targets share. See tests/fuzz/fuzz.h. */
#define _GNU_SOURCE /* memfd_create, fopencookie */
#include "tests/fuzz/fuzz.h"
#include <sys/mman.h>
#include <unistd.h>

/* As without sanitizers: what is too large is not had. */
const char *__asan_default_options(void);
const char *__asan_default_options(void)
{
    return "allocator_may_return_null=1:detect_leaks=1";
}

u32 fuzz_below(u64 *s, u32 n)
{
    *s ^= *s << 13;
    *s ^= *s >> 7;
    *s ^= *s << 17;
    return (u32)((*s * 0x2545f4914f6cdd1dull >> 32) % n);
}

void fuzz_fill(u64 *s, void *out, size_t len)
{
    u8 *p = out;

    for (size_t i = 0; i < len; i++)
        p[i] = (u8)fuzz_below(s, 256);
}

/* Values at the edges of widths and signs. */
static u64 edge(u64 *s)
{
    u64 v = 1ull << fuzz_below(s, 64);

    switch (fuzz_below(s, 4)) {
    case 0: return v;
    case 1: return v - 1;
    case 2: return ~v;
    default: return fuzz_below(s, 16);
    }
}

size_t fuzz_mutate(u64 *s, u8 *p, size_t len, size_t cap)
{
    for (unsigned n = fuzz_below(s, 8); n && len; n--) {
        size_t at = fuzz_below(s, (u32)len), run = 1 + fuzz_below(s, 16);

        if (fuzz_below(s, 2)) /* formats have what matters at their beginning */
            at %= 512;
        switch (fuzz_below(s, 7)) {
        case 0: p[at] ^= (u8)(1u << fuzz_below(s, 8)); break;
        case 1: p[at] = (u8)fuzz_below(s, 256); break;
        case 2:
        case 3: {
            unsigned size = 1u << fuzz_below(s, 4);

            at &= ~(size_t)(size - 1);
            if (at + size <= len)
                store_le(p + at, edge(s), size);
            break;
        }
        case 4: /* a piece away */
            if (at + run < len) {
                memmove(p + at, p + at + run, len - at - run);
                len -= run;
            }
            break;
        case 5: /* a piece twice */
            if (at + run < len && len + run <= cap) {
                memmove(p + at + run, p + at, len - at);
                len += run;
            }
            break;
        default:
            if (fuzz_below(s, 4) == 0)
                len = at;
        }
    }
    return len;
}

size_t fuzz_text(u64 *s, const char *const *list, unsigned nr, char *out, size_t cap)
{
    static const char likely[] = "0123456789abcdef,;:=#$}*{}[]\"\\ ()-+/~xZzmqv%.\n\x03\xff";
    const char *from = list[fuzz_below(s, nr)];
    size_t len = strlen(from);

    ASSERT(len < cap);
    memcpy(out, from, len);
    for (unsigned n = fuzz_below(s, 3); n; n--) {
        size_t at = len ? fuzz_below(s, (u32)len) : 0, run = 1 + fuzz_below(s, 8);

        switch (fuzz_below(s, 5)) {
        case 0:
            if (len)
                out[at] = likely[fuzz_below(s, sizeof(likely) - 1)];
            break;
        case 1:
            if (at + run < len) {
                memmove(out + at, out + at + run, len - at - run);
                len -= run;
            }
            break;
        case 2:
            if (at + run < len && len + run < cap) {
                memmove(out + at + run, out + at, len - at);
                len += run;
            }
            break;
        case 3:
            if (len + 24 < cap)
                len += (size_t)sprintf(out + len, "%llu", (unsigned long long)edge(s));
            break;
        default:
            for (unsigned k = fuzz_below(s, 4) ? 0 : fuzz_below(s, 600); k && len + 1 < cap; k--)
                out[len++] = likely[at % (sizeof(likely) - 1)];
        }
    }
    out[len] = 0;
    return strlen(out);
}

size_t fuzz_sample(u8 *out, size_t cap)
{
    FILE *f = fopen(FUZZ_SAMPLE, "rb");
    size_t len;

    ASSERT(f);
    len = fread(out, 1, cap, f);
    fclose(f);
    ASSERT(len > 1000 && len < cap);
    return len;
}

struct fuzz_file fuzz_file(const void *bytes, size_t len)
{
    struct fuzz_file f = { .fd = memfd_create("fuzz", MFD_CLOEXEC) };

    ASSERT(f.fd >= 0 && write(f.fd, bytes, len) == (ssize_t)len);
    snprintf(f.path, sizeof(f.path), "/proc/self/fd/%d", f.fd);
    return f;
}

void fuzz_file_close(struct fuzz_file *f)
{
    close(f->fd);
}

/* ---- what is said ---- */

static struct {
    FILE *stream;
    char text[2048];
    size_t len;
} words;

static ssize_t keep_words(void *cookie, const char *text, size_t len)
{
    size_t n = len < sizeof(words.text) / 2 ? len : sizeof(words.text) / 2;

    (void)cookie;
    if (words.len + n >= sizeof(words.text)) {
        words.len -= n;
        memmove(words.text, words.text + n, words.len);
    }
    memcpy(words.text + words.len, text + len - n, n);
    words.len += n;
    words.text[words.len] = 0;
    return (ssize_t)len;
}

FILE *fuzz_quiet(void)
{
    if (!words.stream) {
        words.stream = fopencookie(NULL, "w", (cookie_io_functions_t){ .write = keep_words });
        ASSERT(words.stream);
        setvbuf(words.stream, NULL, _IOLBF, 1024);
    }
    return words.stream;
}

const char *fuzz_last_words(void)
{
    return words.text;
}
