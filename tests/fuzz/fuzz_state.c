/*
 * Saved machines: files that say that they are one. A file is refused with a reason, and the
 * machine is as it was; or it is loaded, and the machine goes on without harm to the host.
 *
 * An input: a byte of flags, then edits of a saved machine's sections: section, what to do, offset,
 * number of bytes, bytes. The file is written anew with right sums. With RAW the rest of the
 * input is the file.
 */
#include "machine/snapshot.h"
#include "machine/identity.h"
#include "machine/snapshot_file.h"
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/rig.h"
#include <unistd.h>

enum { CAP = 4096, MAX_SECTIONS = 64, EDIT_HEAD = 5, AFTER = 5000 };
enum flag { RAW = 1, FRESH = 2 };
enum edit_kind { SET, ADD, CUT, GROW, DROP, TWICE, SWAP, NR_EDITS };

/* A loop with a port, a call, memory and HLT now and then. */
static const u8 code[] = { 0xe8, 0x04, 0, 0, 0, 0xeb, 0xf9, 0x90, 0x90, 0x50, 0xff, 0x00, 0xe6, 0x80,
                           0x58, 0xc3 };

static char dir[40], saved[64], edited[64];
static struct { char tag[SECTION_TAG + 1]; u8 *data; size_t len; } sample[MAX_SECTIONS], now[MAX_SECTIONS];
static unsigned nr_sample, nr_now;
static u8 head[IDENTITY_MAX];
static size_t head_len;

static struct machine *make_machine(u64 instructions)
{
    struct machine *m = rig_create(code, sizeof(code), RIG_LONG, NULL);
    enum machine_stop stop;

    rig_run(m, instructions, &stop);
    return m;
}

static void clean_up(void)
{
    unlink(saved);
    unlink(edited);
    rmdir(dir);
}

static void save_sample(const char *only)
{
    char err[MACHINE_ERR_LEN] = "";
    struct machine *m = make_machine(3000);
    struct state_reader identity;
    struct section_reader *r;
    struct section s;
    const u8 *start;
    size_t len;

    (void)only;
    strcpy(dir, "/tmp/fuzz_state.XXXXXX");
    ASSERT(mkdtemp(dir));
    atexit(clean_up);
    snprintf(saved, sizeof(saved), "%s/saved", dir);
    snprintf(edited, sizeof(edited), "%s/edited", dir);
    ASSERT(snapshot_save(m, saved, err) == 0);
    machine_destroy(m);
    r = section_reader_open(saved, &start, &len, err, sizeof(err));
    ASSERT(r);
    identity = (struct state_reader){ .data = start, .len = len };
    ASSERT(identity_check(&identity, IDENTITY_STATE, err) == 0);
    head_len = identity.pos;
    memcpy(head, start, head_len);
    section_reader_errors(r, err, sizeof(err));
    ASSERT(section_reader_rewind(r, head_len) == 0);
    while (section_read(r, &s) > 0) {
        ASSERT(nr_sample < MAX_SECTIONS);
        strcpy(sample[nr_sample].tag, s.tag);
        sample[nr_sample].data = malloc(s.len + 1);
        ASSERT(sample[nr_sample].data);
        memcpy(sample[nr_sample].data, s.data, s.len);
        sample[nr_sample++].len = s.len;
    }
    section_reader_close(r);
    ASSERT(nr_sample > 10);
}

static void remove_section(unsigned i)
{
    free(now[i].data);
    memmove(now + i, now + i + 1, (nr_now - i - 1) * sizeof(now[0]));
    nr_now--;
}

static void edit_one(const u8 *p, size_t n)
{
    unsigned i = p[0] % nr_now, j = (i + 1) % nr_now;
    size_t len = now[i].len, off = len ? load_le(p + 2, 2) % len : 0;

    n = n < len - off ? n : len - off;
    switch (p[1] % NR_EDITS) {
    case SET: memcpy(now[i].data + off, p + EDIT_HEAD, n); break;
    case ADD:
        if (n)
            now[i].data[off] = (u8)(now[i].data[off] + p[EDIT_HEAD]);
        break;
    case CUT: now[i].len = off; break;
    case GROW:
        now[i].data = realloc(now[i].data, len + n + 1);
        ASSERT(now[i].data);
        memcpy(now[i].data + len, p + EDIT_HEAD, n);
        now[i].len = len + n;
        break;
    case DROP:
        if (nr_now > 1)
            remove_section(i);
        break;
    case TWICE:
        if (nr_now < MAX_SECTIONS) {
            now[nr_now] = now[i];
            now[nr_now].data = malloc(len + 1);
            ASSERT(now[nr_now].data);
            memcpy(now[nr_now++].data, now[i].data, len);
        }
        break;
    default: { /* SWAP */
        __typeof__(now[0]) t = now[i];

        now[i] = now[j];
        now[j] = t;
    }
    }
}

/* Writes the sample with the edits to the file `edited`. */
static void write_edited(const u8 *p, size_t len)
{
    char err[MACHINE_ERR_LEN];
    struct section_writer *w;

    nr_now = nr_sample;
    for (unsigned i = 0; i < nr_sample; i++) {
        now[i] = sample[i];
        now[i].data = malloc(now[i].len + 1);
        ASSERT(now[i].data);
        memcpy(now[i].data, sample[i].data, now[i].len);
    }
    while (len > EDIT_HEAD) {
        size_t n = p[4] % 16 + 1;

        n = n < len - EDIT_HEAD ? n : len - EDIT_HEAD;
        edit_one(p, n);
        p += EDIT_HEAD + n;
        len -= EDIT_HEAD + n;
    }
    w = section_writer_open(edited, head, head_len, err, sizeof(err));
    ASSERT(w);
    for (unsigned i = 0; i < nr_now; i++)
        section_write(w, now[i].tag, now[i].data, now[i].len);
    ASSERT(section_writer_close(w, true) == 0);
    while (nr_now)
        free(now[--nr_now].data);
}

static void write_raw(const u8 *p, size_t len)
{
    FILE *f = fopen(edited, "wb");

    ASSERT(f && fwrite(p, 1, len, f) == len && fclose(f) == 0);
}

static void go_on(struct machine *m)
{
    static u32 px[SCREEN_MAX_W * SCREEN_MAX_H];
    struct screen s = { .px = px };
    enum machine_stop stop;

    for (unsigned i = 0; i < 5 && rig_run(m, AFTER / 5, &stop); i++) {
        input_push(machine_input(m), INPUT_KEY, 0x1e, i & 1, 0);
        input_push(machine_input(m), INPUT_SERIAL, 0, 'a', 0);
    }
    machine_render(m, &s);
    machine_state_hash(m);
    machine_reset(m);
    rig_run(m, 100, &stop);
}

static u64 run(const u8 *bytes, size_t len)
{
    char err[MACHINE_ERR_LEN] = "";
    struct machine *m;
    u64 before;

    if (len < 1)
        return 0;
    if (bytes[0] & RAW)
        write_raw(bytes + 1, len - 1);
    else
        write_edited(bytes + 1, len - 1);
    m = make_machine(bytes[0] & FRESH ? 1 : 700);
    before = machine_state_hash(m);
    if (snapshot_load(m, edited, err)) {
        FUZZ_CHECK(strlen(err) > 20);
        FUZZ_CHECK(machine_state_hash(m) == before);
    } else {
        go_on(m);
    }
    machine_destroy(m);
    return 1;
}

static size_t make(u64 *rng, u8 *out)
{
    size_t len = 1;

    out[0] = (u8)(fuzz_below(rng, 2) << 1);
    if (fuzz_below(rng, 8) == 0) { /* the file as it is, mutated: mostly wrong sums */
        FILE *f = fopen(saved, "rb");

        ASSERT(f);
        out[0] |= RAW;
        len += fread(out + 1, 1, CAP - 1, f);
        fclose(f);
        return 1 + fuzz_mutate(rng, out + 1, len - 1, CAP - 1);
    }
    for (unsigned n = 1 + fuzz_below(rng, 3); n; n--) {
        u8 *p = out + len;

        fuzz_fill(rng, p, EDIT_HEAD + 16);
        p[1] = (u8)(fuzz_below(rng, 8) ? fuzz_below(rng, 2) : fuzz_below(rng, NR_EDITS));
        p[4] = (u8)(fuzz_below(rng, 2) ? 0 : 1u << fuzz_below(rng, 4));
        if (fuzz_below(rng, 3) == 0)
            memset(p + EDIT_HEAD, fuzz_below(rng, 2) ? 0xff : fuzz_below(rng, 4), 16);
        if (fuzz_below(rng, 2)) /* registers are in front */
            store_le(p + 2, fuzz_below(rng, 600), 2);
        len += EDIT_HEAD + p[4] % 16 + 1;
    }
    return len;
}

const struct fuzz_target fuzz_target = { "state", "files", CAP, save_sample, run, make };
