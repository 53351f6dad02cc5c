/*
 * decode_test: the decoder against Capstone, on random byte strings in 16-, 32- and 64-bit code.
 *
 * Both say whether the bytes are an instruction, how long it is and what it is called. Where they
 * differ, the difference must fall into one of the classes of classes.c; each class says which
 * of the two the manual backs. Strings are biased towards valid prefixes and opcodes.
 */
#include "tests/decode/classes.h"
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

enum { STRING = 15, MAX_SHOWN = 40 };

static u64 next(u64 *s)
{
    u64 z = (*s += 0x9e3779b97f4a7c15ull); /* splitmix64 */

    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9ull;
    z = (z ^ z >> 27) * 0x94d049bb133111ebull;
    return z ^ z >> 31;
}

static void make_string(u64 *s, unsigned code, u8 out[STRING])
{
    static const u8 prefix[] = { 0x66, 0x67, 0xf0, 0xf2, 0xf3, 0x2e, 0x36, 0x3e, 0x26, 0x64, 0x65 };
    u64 r = next(s);
    unsigned n = 0;

    for (unsigned i = 0; i < STRING; i += 8) {
        u64 v = next(s);
        memcpy(out + i, &v, STRING - i < 8 ? STRING - i : 8);
    }
    if (r & 1) /* as it is, in half of the cases */
        return;
    r >>= 1;
    while ((r & 3) == 0 && n < 6) {
        out[n++] = prefix[next(s) % sizeof(prefix)];
        r >>= 2;
    }
    if (code == 8 && (r & 1))
        out[n++] = 0x40 | (next(s) & 15);
    r >>= 1;
    if (r & 1) { /* a row of the table */
        const struct isa_row *row = &isa_rows[1 + next(s) % (NR_ROWS - 1)];
        unsigned map = row->opcode >> 8;

        if (row->attr & A_VEX) {
            out[n++] = 0xc4;
            out[n++] = (u8)((next(s) & 0xe0) | map);
            out[n++] = (u8)((next(s) & 0xf8) | (row->attr & A_66 ? 1 : row->attr & A_F3 ? 2 : row->attr & A_F2 ? 3 : 0));
            map = MAP_1;
        }
        if (map != MAP_1)
            out[n++] = 0x0f;
        if (map == MAP_0F38 || map == MAP_0F3A)
            out[n++] = map == MAP_0F38 ? 0x38 : 0x3a;
        out[n++] = (u8)(row->opcode | (row->attr & A_CC ? next(s) & 15 : row->attr & A_PLUSR ? next(s) & 7 : 0));
        if (row->reg >= 0)
            out[n] = (u8)((out[n] & 0xc7) | row->reg << 3);
        if (row->rm >= 0)
            out[n] = (u8)(0xc0 | row->reg << 3 | row->rm);
    } else if (r & 2) {
        out[n] = 0x0f;
    }
}

struct tally {
    u64 strings, both, neither, other;
};

static void show(const struct difference *d, const char *what)
{
    char name[32];

    printf("%s: %2u-bit", what, 8 * d->code);
    for (unsigned i = 0; i < STRING; i++)
        printf(" %02x", d->bytes[i]);
    printf("   kiln %s %s len %u status %d   capstone %s %s len %u\n", isa_rows[d->in.row].id,
           isa_mnemonic(&d->in, name, sizeof(name)), d->in.len, d->status,
           d->known ? d->mnemonic : "(none)", d->known ? d->operands : "", d->known ? d->size : 0);
}

/* Capstone's mnemonic without the prefixes that it writes in front. */
static const char *bare(const char *m)
{
    static const char *const front[] = { "lock ", "rep ", "repe ", "repne ", "repz ", "repnz ", "xacquire ", "xrelease ", "bnd ", "notrack " };

    for (unsigned i = 0; i < ARRAY_LEN(front); i++)
        if (!strncmp(m, front[i], strlen(front[i]))) {
            m += strlen(front[i]);
            i = (unsigned)-1;
        }
    return m;
}

static unsigned run_mode(unsigned code, u64 count, u64 seed, const char *show_class, struct tally *t,
                         u64 *shown)
{
    static const cs_mode modes[] = { [2] = CS_MODE_16, [4] = CS_MODE_32, [8] = CS_MODE_64 };
    u32 mode = (code == 2 ? MODE_CODE16 : code == 4 ? MODE_CODE32 : MODE_CODE64) | MODE_PE;
    unsigned failures = 0;
    csh h;
    cs_insn *ci;

    if (cs_open(CS_ARCH_X86, modes[code], &h) != CS_ERR_OK)
        return 1;
    ci = cs_malloc(h);
    for (u64 i = 0; i < count; i++) {
        struct difference d = { .code = code };
        const u8 *p = d.bytes;
        size_t left = STRING;
        uint64_t at = 0x1000;
        char name[32];
        const struct class *c;

        make_string(&seed, code, d.bytes);
        d.known = cs_disasm_iter(h, &p, &left, &at, ci);
        d.status = insn_decode(&d.in, d.bytes, STRING, mode);
        if (d.known) {
            d.size = ci->size;
            d.mnemonic = bare(ci->mnemonic);
            d.operands = ci->op_str;
            d.id = ci->id;
        }
        t->strings++;
        if (!d.known && d.status != DECODE_OK) {
            t->neither++;
            continue;
        }
        if (d.known && d.status == DECODE_OK && d.size == d.in.len &&
            !strcmp(d.mnemonic, isa_mnemonic(&d.in, name, sizeof(name)))) {
            t->both++;
            continue;
        }
        t->other++;
        c = class_of(&d);
        if (!c) {
            failures++;
            if ((*shown)++ < MAX_SHOWN)
                show(&d, "no class");
        } else if (show_class && !strcmp(show_class, c->name) && (*shown)++ < MAX_SHOWN) {
            show(&d, c->name);
        }
    }
    cs_free(ci, 1);
    cs_close(&h);
    return failures;
}

int main(int argc, char **argv)
{
    static const struct option longs[] = { { "count", 1, 0, 'n' }, { "seed", 1, 0, 's' }, { "mode", 1, 0, 'm' },
                                          { "show", 1, 0, 'w' }, { 0 } };
    u64 count = 200000, seed = 1, shown = 0;
    unsigned failures = 0, only = 0;
    const char *show_class = NULL;
    int c;

    while ((c = getopt_long(argc, argv, "", longs, NULL)) != -1)
        switch (c) {
        case 'n': count = strtoull(optarg, NULL, 0); break;
        case 's': seed = strcmp(optarg, "random") ? strtoull(optarg, NULL, 0) : (u64)time(NULL) * 0x9e37u + (u64)getpid(); break;
        case 'w': show_class = optarg; break;
        case 'm': only = (unsigned)atoi(optarg) / 8; break;
        default: fprintf(stderr, "decode_test [--count N] [--seed S|random] [--mode 16|32|64] [--show CLASS]\n"); return 1;
        }
    for (unsigned code = 2; code <= 8; code *= 2) {
        struct tally t = { 0 };

        if (only && code != only)
            continue;
        failures += run_mode(code, count, seed + code, show_class, &t, &shown);
        printf("%2u-bit: %llu strings: %llu decoded alike, %llu refused by both, %llu in classes of difference\n",
               8 * code, (unsigned long long)t.strings, (unsigned long long)t.both, (unsigned long long)t.neither,
               (unsigned long long)t.other);
    }
    class_print();
    printf("decode_test: seed %llu, %u differences without a class\n", (unsigned long long)seed, failures);
    return failures ? 1 : 0;
}
