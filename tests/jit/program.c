/*
 * See program.h. An instruction is made from its row: prefixes, opcode, ModRM with an address that the
 * registers' first values make likely, and random bytes for the rest; the decoder says how long it is.
 */
#include "tests/jit/program.h"
#include "cpu/insn.h"

u64 rng_next(struct rng *r)
{
    r->s += 0x9e3779b97f4a7c15ull;
    return mix(r->s, r->s >> 7);
}

u64 below(struct rng *r, u64 n)
{
    return (rng_next(r) >> 11) % n;
}

bool chance(struct rng *r, unsigned percent)
{
    return below(r, 100) < percent;
}

/* ---- one instruction ---- */

/* How often a row is taken, of 64. */
static unsigned weight(const struct isa_row *r)
{
    if (r->attr & A_MISSING)
        return 1;
    switch (r->jit) {
    case JIT_FLOW: return 64;
    case JIT_STACK: return 48;
    case JIT_STRING: return 16;
    case JIT_HELP: return r->attr & (A_CPL0 | A_ENDS) ? 4 : 10;
    default: break;
    }
    if (r->attr & A_X87)
        return 6;
    if (r->op[0].letter == OP_V || r->op[0].letter == OP_W)
        return 9;
    return r->reads & F_ARITH ? 64 : 36;
}

static const struct isa_row *pick_row(struct rng *g, unsigned code)
{
    for (;;) {
        const struct isa_row *r = &isa_rows[1 + below(g, NR_ROWS - 1)];

        if (!(r->attr & (code == 8 ? A_N64 : A_O64)) && below(g, 64) < weight(r))
            return r;
    }
}

static void put(struct item *t, u64 v, unsigned n)
{
    for (unsigned i = 0; i < n && t->len < ITEM_BYTES; i++, v >>= 8)
        t->bytes[t->len++] = (u8)v;
}

static u64 value(struct rng *g)
{
    static const u64 plain[] = { 0, 1, 2, 7, 8, 0x7f, 0x80, 0xff, 0x7fffffff, 0x80000000, 0xffffffff, 0x7fff, 0x8000 };

    return chance(g, 50) ? plain[below(g, ARRAY_LEN(plain))] : rng_next(g);
}

static bool has_rm_operand(const struct isa_row *r)
{
    return isa_has_modrm(r);
}

static const u8 pointers[] = { RBX, RBP, RSI, RDI }; /* what registers begin as: main.c, pick_start() */

static void put_modrm(struct item *t, struct rng *g, const struct isa_row *r, unsigned code, bool p67)
{
    unsigned ad = p67 ? (code == 2 ? 4 : code == 4 ? 2 : 4) : code, reg = (unsigned)below(g, chance(g, 60) ? 3 : 8), mod = (unsigned)below(g, 4);
    unsigned rm = (unsigned)(chance(g, 40) ? below(g, 8) : chance(g, 50) ? pointers[below(g, 4)] : RBX);

    if (r->reg >= 0)
        reg = (unsigned)r->reg;
    if (chance(g, 25))
        mod = 3;
    if (r->attr & A_NO3)
        mod = (unsigned)below(g, 3);
    if (r->attr & A_ONLY3)
        mod = 3;
    if (r->rm >= 0) {
        mod = 3;
        rm = (unsigned)r->rm;
    }
    if (mod == 2 && chance(g, 80))
        mod = 1;
    put(t, mod << 6 | reg << 3 | rm, 1);
    if (mod == 3)
        return;
    if (ad == 2) {
        if (mod == 0 && rm == 6)
            put(t, chance(g, 80) ? 0x4000 + below(g, 0x8000) : rng_next(g), 2);
        else
            put(t, mod == 1 ? rng_next(g) : below(g, 0x200), mod);
        return;
    }
    if (rm == 4) {
        unsigned base = (unsigned)(chance(g, 30) ? below(g, 8) : pointers[below(g, 4)]), index = chance(g, 70) ? 1 + (unsigned)below(g, 2) : (unsigned)below(g, 8); /* RCX and RDX are small */

        put(t, below(g, 4) << 6 | index << 3 | base, 1);
        rm = base;
        if (mod == 0 && base == 5) {
            put(t, DATA + below(g, DATA_BYTES), 4);
            return;
        }
    } else if (mod == 0 && rm == 5) {
        put(t, code == 8 ? DATA - CODE + below(g, 0x4000) : DATA + below(g, DATA_BYTES), 4);
        return;
    }
    if (mod == 1)
        put(t, chance(g, 50) ? rng_next(g) & 0xf0 : rng_next(g), 1);
    else if (mod == 2)
        put(t, chance(g, 80) ? below(g, 0x400) - 0x200 : rng_next(g), 4);
}

static void put_vex(struct item *t, struct rng *g, const struct isa_row *r, bool wide)
{
    unsigned map = r->opcode >> 8, pp = r->attr & A_66 ? 1 : r->attr & A_F3 ? 2 : r->attr & A_F2 ? 3 : 0;

    put(t, 0xc4, 1);
    put(t, 0xc0 | (below(g, 2) << 5) | map, 1);
    put(t, (wide ? 0x80 : 0) | below(g, 16) << 3 | pp, 1);
    put(t, r->opcode & 0xff, 1);
}

static void put_opcode(struct item *t, struct rng *g, const struct isa_row *r, unsigned code)
{
    static const u8 seg_byte[NR_SEGS] = { 0x26, 0x2e, 0x36, 0x3e, 0x64, 0x65 };
    u8 opcode = (u8)r->opcode, map = (u8)(r->opcode >> 8);
    bool wide = code == 8 && chance(g, 45);

    if (r->attr & A_VEX) {
        put_vex(t, g, r, wide);
        return;
    }
    if (r->attr & A_66 || (!(r->attr & (A_NP | A_F2 | A_F3)) && chance(g, 12)))
        put(t, 0x66, 1);
    if (chance(g, 6))
        put(t, seg_byte[code == 8 ? FS + below(g, 2) : below(g, NR_SEGS)], 1);
    if ((r->attr & A_LOCK) && chance(g, 8))
        put(t, 0xf0, 1);
    if (r->attr & (A_F2 | A_F3))
        put(t, r->attr & A_F2 ? 0xf2 : 0xf3, 1);
    else if ((r->attr & A_REP) ? chance(g, 60) : !(r->attr & (A_NP | A_66 | A_NOREP)) && chance(g, 1))
        put(t, chance(g, 60) ? 0xf3 : 0xf2, 1);
    if (code == 8 && (wide || chance(g, 30)))
        put(t, 0x40 | (wide ? 8 : 0) | (chance(g, 50) ? below(g, 8) : 0), 1);
    if (map)
        put(t, 0x0f, 1);
    if (map == MAP_0F38 || map == MAP_0F3A)
        put(t, map == MAP_0F38 ? 0x38 : 0x3a, 1);
    if (r->attr & A_PLUSR)
        opcode |= (u8)below(g, 8);
    if (r->attr & A_CC)
        opcode |= (u8)below(g, 16);
    put(t, opcode, 1);
}

static bool make_insn(struct item *t, struct rng *g, unsigned code)
{
    static const u32 modes[] = { [2] = MODE_CODE16 | MODE_PE, [4] = MODE_CODE32 | MODE_PE, [8] = MODE_CODE64 | MODE_PE };
    const struct isa_row *r = pick_row(g, code);
    bool p67 = chance(g, 5);
    struct insn in;
    enum decode_status st;

    *t = (struct item){ .target = -1 };
    if (p67)
        put(t, 0x67, 1);
    put_opcode(t, g, r, code);
    if (has_rm_operand(r))
        put_modrm(t, g, r, code, p67);
    if (t->len < 14)
        for (u64 v = value(g); t->len < 15; v = value(g))
            put(t, v, 4);
    st = insn_decode(&in, t->bytes, t->len > 15 ? 15 : t->len, modes[code]);
    if (st == DECODE_MORE || (st == DECODE_INVALID && !chance(g, 3)))
        return false;
    t->len = in.len;
    if (st == DECODE_OK && in.kind[0] == K_REL) {
        t->rel_size = isa_rows[in.row].op[0].size == SZ_b ? 1 : in.opsz == 2 ? 2 : 4;
        t->target = 0; /* chosen later */
    }
    return t->len > 0 && t->len <= 15;
}

/* ---- what compilers and kernels do ---- */

static void put_prefix(struct item *t, struct rng *g, unsigned code)
{
    if (code == 8 && chance(g, 70))
        put(t, 0x48, 1);
    else if (chance(g, code == 2 ? 50 : 5))
        put(t, 0x66, 1);
}

/* A target's address as the last bytes: `MOV reg, address`, PUSH address. */
static void put_address(struct item *t, unsigned code)
{
    t->rel_size = (u8)(code == 2 ? 2 : 4);
    t->absolute = true;
    t->target = 0;
    put(t, 0, t->rel_size);
}

static bool make_idiom(struct item *t, struct rng *g, unsigned code)
{
    unsigned p = pointers[below(g, 4)];
    u64 pte = TABLES + 0x3000 + below(g, 48) * (chance(g, 70) ? 8 : 4);

    *t = (struct item){ .target = -1 };
    switch (below(g, 20)) {
    case 16: case 17: case 18: /* a pointer is loaded: MOV p, [p + n] */
        put_prefix(t, g, code);
        if (code == 2)
            put(t, 0x67, 1);
        put(t, 0x8b, 1);
        put(t, 0x40 | p << 3 | (chance(g, 60) ? p : pointers[below(g, 4)]), 1);
        put(t, chance(g, 80) ? below(g, 32) & ~7ull : rng_next(g), 1);
        break;
    case 19: /* LOOP, DEC ECX and JNZ; mostly backwards */
        put(t, chance(g, 50) ? 0xe2 : 0x75, 1);
        put(t, 0, 1);
        t->rel_size = 1;
        t->target = 0;
        break;
    case 0: /* a pointer moves on: ADD, SUB */
        put_prefix(t, g, code);
        put(t, 0x83, 1);
        put(t, (chance(g, 50) ? 0xe8 : 0xc0) | p, 1);
        put(t, chance(g, 60) ? below(g, 64) & ~7ull : rng_next(g), 1);
        break;
    case 1: /* or as LEA p, [p + n] */
        put_prefix(t, g, code);
        if (code == 2)
            put(t, 0x67, 1);
        put(t, 0x8d, 1);
        put(t, 0x40 | p << 3 | pointers[below(g, 4)], 1);
        put(t, chance(g, 60) ? below(g, 64) : rng_next(g), 1);
        break;
    case 2: /* MOV p, p */
        put_prefix(t, g, code);
        put(t, 0x89, 1);
        put(t, 0xc0 | (chance(g, 80) ? pointers[below(g, 4)] : RSP) << 3 | p, 1);
        break;
    case 3: /* INC, DEC */
        put_prefix(t, g, code);
        put(t, 0xff, 1);
        put(t, 0xc0 | p | below(g, 2) << 3, 1);
        break;
    case 4: put(t, 0x50 | below(g, 16), 1); break;
    case 5: /* MOV reg, address; one of a few registers that others jump by */
        put(t, 0xb8 | below(g, 3), 1);
        put_address(t, code);
        break;
    case 6: /* JMP, CALL by them */
        put(t, 0xff, 1);
        put(t, (chance(g, 50) ? 0xe0 : 0xd0) | below(g, 3), 1);
        break;
    case 7: /* PUSH address: for RET */
        put(t, 0x68, 1);
        put_address(t, code);
        break;
    case 8: put(t, 0xc3, 1); break;
    case 9: /* a page's entry: OR, AND, XOR of its low bits */
        if (code == 2)
            put(t, 0x67, 1);
        put(t, 0x80, 1);
        if (code == 8) {
            put(t, 0x04 | (chance(g, 40) ? 1 : chance(g, 50) ? 4 : 6) << 3, 1);
            put(t, 0x25, 1);
        } else {
            put(t, 0x05 | (chance(g, 40) ? 1 : chance(g, 50) ? 4 : 6) << 3, 1);
        }
        put(t, pte, 4);
        put(t, (t->bytes[t->len - 5] >> 3 & 7) == 4 ? ~(1ull << below(g, 7)) : 1ull << below(g, 7), 1);
        break;
    case 10: /* INVLPG [p] */
        put(t, 0x010f, 2);
        put(t, code == 2 ? 0x3c | below(g, 4) : 0x38 | RBX, 1);
        if (code != 2 && chance(g, 50))
            t->bytes[t->len - 1] = 0x38 | RSI;
        break;
    case 11: /* MOV EAX, CR3 or MOV CR3, EAX; the like of CR0, CR4 */
        put(t, 0x0f | (chance(g, 50) ? 0x2000 : 0x2200), 2);
        put(t, 0xc0 | (chance(g, 70) ? 3 : chance(g, 50) ? 0 : 4) << 3, 1);
        break;
    case 12: /* MOV sreg from memory or a register */
        put(t, 0x8e, 1);
        put(t, 0xc0 | below(g, 6) << 3 | below(g, 8), 1);
        break;
    case 13: /* MOV AX, selector */
        put(t, 0xb8 | below(g, 3), 1);
        put(t, below(g, SEL_LAST / 8) * 8 | below(g, 4), code == 2 ? 2 : 4);
        break;
    case 14: /* STI, CLI, CLD, STD, PUSHF, POPF, STAC, CLAC */
        switch (below(g, 8)) {
        case 0: put(t, 0xcb010f, 3); break;
        case 1: put(t, 0xca010f, 3); break;
        default: put(t, (const u8[]){ 0xfa, 0xfb, 0xfc, 0xfd, 0x9c, 0x9d }[below(g, 6)], 1); break;
        }
        break;
    default: /* ENTER, LEAVE */
        if (chance(g, 50)) {
            put(t, 0xc9, 1);
        } else {
            put(t, 0xc8, 1);
            put(t, below(g, 64), 2);
            put(t, 0, 1);
        }
        break;
    }
    return true;
}

/* One of a burst: accesses by one pointer, which moves meanwhile. */
static void make_burst(struct item *t, struct rng *g, unsigned code, unsigned p)
{
    unsigned kind = (unsigned)below(g, 8);

    *t = (struct item){ .target = -1 };
    if (kind == 7) { /* POP p */
        put(t, 0x58 | p, 1);
        return;
    }
    put(t, code == 8 ? 0x48 : code == 2 ? 0x66 : 0x3e, 1);
    if (kind >= 5) { /* ADD, SUB */
        put(t, 0x83, 1);
        put(t, (kind == 5 ? 0xc0 : 0xe8) | p, 1);
        put(t, below(g, 8) * 8, 1);
        return;
    }
    if (code == 2)
        put(t, 0x67, 1);
    put(t, kind & 1 ? 0x8b : 0x89, 1); /* MOV */
    put(t, 0x40 | below(g, 3) << 3 | p, 1);
    put(t, below(g, 12) * 8, 1);
}

/* ---- programs ---- */

void program_make(struct program *p, struct rng *g, unsigned code)
{
    unsigned kind = (unsigned)below(g, 10), idioms = (unsigned)(chance(g, 30) ? 0 : 5 + below(g, 40));

    *p = (struct program){ .nr = 3 + (unsigned)below(g, kind < 3 ? 6 : MAX_ITEMS - 3) };
    for (unsigned i = 0, burst = 0, by = RBX; i < p->nr; i++) {
        struct item *t = &p->item[i];

        if (burst || (kind < 9 && chance(g, 3))) {
            by = burst ? by : pointers[below(g, 4)];
            burst = burst ? burst - 1 : 3 + (unsigned)below(g, 8);
            make_burst(t, g, code, by);
            continue;
        }
        if (kind == 9 || (kind == 8 && chance(g, 10))) {
            *t = (struct item){ .len = 1 + (u8)below(g, 8), .target = -1 };
            for (unsigned b = 0; b < t->len; b++)
                t->bytes[b] = (u8)rng_next(g);
            continue;
        }
        if (idioms > below(g, 100) && make_idiom(t, g, code))
            continue;
        while (!make_insn(t, g, code))
            ;
    }
    for (unsigned i = 0; i < p->nr; i++) {
        struct item *t = &p->item[i];

        if (t->rel_size && (t->bytes[0] == 0xe2 || t->bytes[0] == 0x75) && chance(g, 70))
            t->target = (i8)(i - below(g, i < 12 ? i + 1 : 12));
        else if (t->rel_size && (t->absolute || chance(g, 95)))
            t->target = (i8)(chance(g, 60) && i + 1 < p->nr ? i + 1 + below(g, p->nr - i - 1) : below(g, p->nr));
        else if (t->rel_size)
            t->rel_size = 0; /* anywhere */
    }
}

u32 program_bytes(const struct program *p, u64 rip, u8 *out, u32 cap)
{
    u32 at[MAX_ITEMS + 1];

    return program_layout(p, rip, out, cap, at);
}

u32 program_layout(const struct program *p, u64 rip, u8 *out, u32 cap, u32 at[MAX_ITEMS + 1])
{
    u32 n = 0;

    for (unsigned i = 0; i < p->nr; i++) {
        at[i] = n;
        n += p->item[i].gone ? 0 : p->item[i].len;
    }
    ASSERT(n < cap);
    at[p->nr] = n;
    for (unsigned i = 0; i < p->nr; i++) {
        const struct item *t = &p->item[i];

        if (t->gone)
            continue;
        memcpy(out + at[i], t->bytes, t->len);
        if (t->absolute)
            store_le(out + at[i] + t->len - t->rel_size, rip + at[t->target], t->rel_size);
        else if (t->rel_size) {
            i32 rel = (i32)at[t->target] - (i32)(at[i] + t->len);

            store_le(out + at[i] + t->len - t->rel_size, (u64)(t->rel_size == 1 && rel != (i8)rel ? 0 : rel), t->rel_size);
        }
    }
    out[n++] = 0xf4;
    return n;
}
