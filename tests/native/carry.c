/*
 * See carry.h. Images are carried as the words that differ from one that both sides have.
 */
#include "tests/native/carry.h"

enum { WORDS = IMAGE_BYTES / 8, CHUNK_WORDS = 64 };
enum { MARK_CASE = 'C', MARK_OUTCOME = 'O', MARK_END = 'E' };

static const char magic[8] = {'K', 'I', 'L', 'N', 'C', 'A', 'S', 'E'};

static bool put(FILE *f, const void *p, size_t n)
{
    return fwrite(p, 1, n, f) == n;
}

static bool get(FILE *f, void *p, size_t n)
{
    return fread(p, 1, n, f) == n;
}

void carry_head_init(struct carry_head *h)
{
    memset(h, 0, sizeof(*h));
    memcpy(h->magic, magic, sizeof(magic));
    h->bytes = sizeof(*h);
}

bool carry_put_head(FILE *f, const struct carry_head *h)
{
    return put(f, h, sizeof(*h));
}

bool carry_get_head(FILE *f, struct carry_head *h)
{
    if (get(f, h, sizeof(*h)) && !memcmp(h->magic, magic, sizeof(magic)) && h->bytes == sizeof(*h))
        return true;
    fprintf(stderr, "native_test: not a file of cases or outcomes of this build\n");
    return false;
}

/* ---- images ---- */

struct change {
    u32 word;
    u64 value;
} __attribute__((packed));

static bool put_image(FILE *f, const u8 *image, const u8 *base)
{
    static struct change list[WORDS];
    u32 n = 0;

    for (u32 chunk = 0; chunk < WORDS; chunk += CHUNK_WORDS) {
        if (!memcmp(image + 8 * chunk, base + 8 * chunk, 8 * CHUNK_WORDS))
            continue;
        for (u32 w = chunk; w < chunk + CHUNK_WORDS; w++)
            if (load_le(image + 8 * w, 8) != load_le(base + 8 * w, 8))
                list[n++] = (struct change){w, load_le(image + 8 * w, 8)};
    }
    return put(f, &n, sizeof(n)) && put(f, list, n * sizeof(list[0]));
}

static bool get_image(FILE *f, u8 *image, const u8 *base)
{
    static struct change list[WORDS];
    u32 n;

    if (!get(f, &n, sizeof(n)) || n > WORDS || !get(f, list, n * sizeof(list[0])))
        return false;
    memcpy(image, base, IMAGE_BYTES);
    for (u32 i = 0; i < n; i++) {
        if (list[i].word >= WORDS)
            return false;
        store_le(image + 8 * list[i].word, list[i].value, 8);
    }
    return true;
}

/* ---- cases and outcomes ---- */

struct case_part {
    u32 mark, code_off, code_len, want_bases;
    struct carry_note note;
    struct nstate in;
};

struct outcome_part {
    u32 mark, pad;
    struct nstate out;
    struct outcome end;
};

bool carry_put_case(FILE *f, const struct slot *s, const struct carry_note *note,
                    const u8 *pristine)
{
    struct case_part p = {.mark = MARK_CASE,
                          .code_off = s->code_off,
                          .code_len = s->code_len,
                          .want_bases = s->want_bases,
                          .note = *note,
                          .in = s->in};

    return put(f, &p, sizeof(p)) && put(f, s->code, s->code_len) &&
           put_image(f, s->image, pristine);
}

/* Reads a part whose mark is as wanted; 0: the end is there instead. */
static int get_part(FILE *f, void *part, size_t n, u32 wanted)
{
    u32 mark;

    if (!get(f, &mark, sizeof(mark)))
        return -1;
    if (mark == MARK_END)
        return 0;
    memcpy(part, &mark, sizeof(mark));
    return mark == wanted && get(f, (u8 *)part + sizeof(mark), n - sizeof(mark)) ? 1 : -1;
}

int carry_get_case(FILE *f, struct slot *s, struct carry_note *note, const u8 *pristine)
{
    struct case_part p;
    int got = get_part(f, &p, sizeof(p), MARK_CASE);

    if (got != 1)
        return got;
    if (p.code_len > CODE_BYTES || p.code_off >= CODE_PAGES * 4096)
        return -1;
    *note = p.note;
    s->in = p.in;
    s->code_off = p.code_off;
    s->code_len = p.code_len;
    s->want_bases = p.want_bases;
    return get(f, s->code, s->code_len) && get_image(f, s->image, pristine) ? 1 : -1;
}

bool carry_put_outcome(FILE *f, const struct slot *s)
{
    struct outcome_part p = {.mark = MARK_OUTCOME, .out = s->out, .end = s->end};

    return put(f, &p, sizeof(p)) && put_image(f, s->image_out, s->image);
}

int carry_get_outcome(FILE *f, struct slot *s)
{
    struct outcome_part p;
    int got = get_part(f, &p, sizeof(p), MARK_OUTCOME);

    if (got != 1)
        return got;
    s->out = p.out;
    s->end = p.end;
    return get_image(f, s->image_out, s->image) ? 1 : -1;
}

bool carry_put_end(FILE *f)
{
    u32 mark = MARK_END;

    return put(f, &mark, sizeof(mark)) && fflush(f) == 0;
}
