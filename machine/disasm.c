/*
 * The disassembler and its cache. Capstone takes about 250 ns for an instruction; a look into the
 * cache takes 10.
 *
 * Whether a text depends on the address is found by asking twice, at two addresses: only a
 * relative branch's differs, in its one operand, and the difference of the two is the proof.
 */
#include "machine/disasm.h"
#include "machine/hex.h"
#include <capstone/capstone.h>
#include <stdio.h>
#include <stdlib.h>

enum {
    CACHE_SIZE = 1 << 14,
    MAX_BYTES = 15,
    ADDRESS_1 = 0x4000, /* far enough from 0 and 64 KiB for a short branch in 16-bit code */
    ADDRESS_2 = 0x4100,
};

struct entry {
    u64 key[2];  /* the bytes, zeros behind them; the top byte of key[1] is the code size */
    u8 len;      /* 0: no instruction */
    u8 text_len; /* of a branch: without its target */
    bool is_branch;
    u8 target_size; /* bytes of the instruction pointer that a branch keeps */
    i64 distance;   /* from the instruction's first byte to the target */
    char text[DISASM_TEXT_LEN];
};

struct disasm {
    csh handle[3]; /* 16, 32, 64 */
    cs_insn *scratch[3];
    char text[DISASM_TEXT_LEN + 20];
    struct entry cache[CACHE_SIZE];
};

static unsigned index_of(unsigned code_bits)
{
    return code_bits >> 5; /* 0, 1, 2 */
}

struct disasm *disasm_create(void)
{
    static const cs_mode modes[] = {CS_MODE_16, CS_MODE_32, CS_MODE_64};
    struct disasm *d = calloc(1, sizeof(*d));

    if (!d)
        return NULL;
    for (unsigned i = 0; i < ARRAY_LEN(modes); i++) {
        if (cs_open(CS_ARCH_X86, modes[i], &d->handle[i]) != CS_ERR_OK) {
            d->handle[i] = 0;
            disasm_destroy(d);
            return NULL;
        }
        cs_option(d->handle[i], CS_OPT_SYNTAX, CS_OPT_SYNTAX_INTEL);
        d->scratch[i] = cs_malloc(d->handle[i]);
        if (!d->scratch[i]) {
            disasm_destroy(d);
            return NULL;
        }
    }
    return d;
}

void disasm_destroy(struct disasm *d)
{
    if (!d)
        return;
    for (unsigned i = 0; i < ARRAY_LEN(d->handle); i++) {
        if (d->scratch[i])
            cs_free(d->scratch[i], 1);
        if (d->handle[i])
            cs_close(&d->handle[i]);
    }
    free(d);
}

static const cs_insn *decode(struct disasm *d, unsigned mode, const u8 *bytes, unsigned avail,
                             u64 address)
{
    size_t left = avail;

    return cs_disasm_iter(d->handle[mode], &bytes, &left, &address, d->scratch[mode])
               ? d->scratch[mode]
               : NULL;
}

static bool parse_target(const char *operand, u64 *v)
{
    char *end;

    *v = strtoull(operand, &end, 0);
    return end != operand && !*end;
}

/* Bytes of the instruction pointer that a relative branch keeps: its operand size. */
static u8 target_size(unsigned mode, const u8 *bytes, unsigned len)
{
    bool small = false;

    for (unsigned i = 0; i < len; i++) {
        if (bytes[i] == 0x66)
            small = true;
        else if (bytes[i] != 0x67 && bytes[i] != 0xf2 && bytes[i] != 0xf3 && bytes[i] != 0x2e &&
                 bytes[i] != 0x3e)
            break;
    }
    if (mode == 2)
        return 8;
    return (mode == 0) != small ? 2 : 4;
}

/* Cut to DISASM_TEXT_LEN, which no real instruction needs. */
static u8 put_whole(char *out, const cs_insn *in)
{
    char *p = put_text(out, in->mnemonic, strlen(in->mnemonic));
    size_t room = DISASM_TEXT_LEN - 2 - (size_t)(p - out), len = strnlen(in->op_str, room);

    if (len) {
        *p++ = ' ';
        p = put_text(p, in->op_str, len);
    }
    *p = 0;
    return (u8)(p - out);
}

static void fill(struct disasm *d, struct entry *e, unsigned mode, const u8 *bytes, unsigned avail)
{
    u64 key[2] = {e->key[0], e->key[1]}, one, two;
    const cs_insn *in = decode(d, mode, bytes, avail, ADDRESS_1);

    *e = (struct entry){.key = {key[0], key[1]}};
    if (!in) {
        e->text_len = (u8)snprintf(e->text, sizeof(e->text), "(bad)");
        return;
    }
    e->len = (u8)in->size;
    e->text_len = put_whole(e->text, in);
    if (!parse_target(in->op_str, &one))
        return;
    in = decode(d, mode, bytes, avail, ADDRESS_2);
    if (in && parse_target(in->op_str, &two) && one != two) {
        e->is_branch = true;
        e->distance = (i64)(one - ADDRESS_1);
        e->target_size = target_size(mode, bytes, e->len);
        e->text_len = (u8)snprintf(e->text, sizeof(e->text), "%s ", in->mnemonic);
    }
}

struct disasm_insn disasm_at(struct disasm *d, const u8 *bytes, unsigned avail, unsigned code_bits,
                             u64 rip)
{
    unsigned mode = index_of(code_bits), n = avail < MAX_BYTES ? avail : MAX_BYTES;
    u64 key[2] = {0};
    struct disasm_insn out;
    struct entry *e;

    memcpy(key, bytes, n);
    key[1] |= (u64)(mode + 1) << 56;
    e = &d->cache[((key[0] ^ key[1] * 31) * 0x9e3779b97f4a7c15ull) >> 50];
    if (e->key[0] != key[0] || e->key[1] != key[1]) {
        memcpy(e->key, key, sizeof(key));
        fill(d, e, mode, bytes, n);
    }
    out = (struct disasm_insn){e->text, e->text_len, e->len, e->is_branch, 0};
    if (e->is_branch) {
        out.target = (rip + (u64)e->distance) & size_mask(e->target_size);
        memcpy(d->text, e->text, e->text_len);
        memcpy(d->text + e->text_len, "0x", 2);
        *put_hex_short(d->text + e->text_len + 2, out.target) = 0;
        out.text = d->text;
        out.text_len = (u8)strlen(d->text);
    }
    return out;
}
_Static_assert(CACHE_SIZE == 1 << (64 - 50), "the hash yields cache indices");

/* ---- names of instructions ---- */

/* The first group of the instruction that names a part of the architecture. */
static void feature_of(csh handle, const cs_insn *in, char feature[32])
{
    *feature = 0;
    for (unsigned i = 0; i < in->detail->groups_count; i++) {
        unsigned g = in->detail->groups[i];

        if (g > X86_GRP_VM && g != X86_GRP_MODE32 && g != X86_GRP_MODE64 && g != X86_GRP_NOVLX) {
            const char *name = cs_group_name(handle, g);
            if (name)
                snprintf(feature, 32, "%s", name);
            return;
        }
    }
}

bool disasm_name(struct disasm *d, const u8 *bytes, unsigned avail, unsigned code_bits,
                 char mnemonic[32], char feature[32])
{
    csh handle = d->handle[index_of(code_bits)];
    cs_insn *in;

    cs_option(handle, CS_OPT_DETAIL, CS_OPT_ON);
    if (cs_disasm(handle, bytes, avail < MAX_BYTES ? avail : MAX_BYTES, 0, 1, &in) != 1) {
        cs_option(handle, CS_OPT_DETAIL, CS_OPT_OFF);
        return false;
    }
    snprintf(mnemonic, 32, "%s", in->mnemonic);
    feature_of(handle, in, feature);
    cs_free(in, 1);
    cs_option(handle, CS_OPT_DETAIL, CS_OPT_OFF);
    return true;
}
