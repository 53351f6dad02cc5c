/*
 * The generator's choices: values, addresses, targets, selectors; and what a row needs of
 * registers and memory so that it does not merely fault.
 */
#include "cpu/operand.h"
#include "tests/native/gen.h"

u64 rng_next(struct rng *r)
{
    u64 z = (r->s += 0x9e3779b97f4a7c15ull); /* splitmix64 */

    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9ull;
    z = (z ^ z >> 27) * 0x94d049bb133111ebull;
    return z ^ z >> 31;
}

u64 rng_below(struct rng *r, u64 n)
{
    return (u64)(((unsigned __int128)rng_next(r) * n) >> 64);
}

bool chance(struct rng *r, unsigned percent)
{
    return rng_below(r, 100) < percent;
}

static u64 code_base(void)
{
    return regions[R_CODE].lin;
}

u64 boundary(struct gen *g, unsigned size)
{
    struct rng *r = &g->rng;
    unsigned width = 8 * (size > 8 ? 8 : size);
    u64 top = 1ull << (width - 1);

    switch (rng_below(r, 12)) {
    case 0: return 0;
    case 1: return 1;
    case 2: return ~0ull;
    case 3: return top;
    case 4: return top - 1;
    case 5: return rng_below(r, 70);
    case 6: return -rng_below(r, 70);
    case 7: return top + rng_below(r, 5) - 2;
    case 8: { /* the sign border of a smaller size */
        unsigned w = 8u << rng_below(r, 3);
        return (1ull << (w - 1)) + rng_below(r, 3) - 1;
    }
    case 9: return 1ull << rng_below(r, width);
    default: return rng_next(r) >> (rng_below(r, 8) * 8);
    }
}

static u64 float_value(struct rng *r, unsigned exp_bits, unsigned mant_bits)
{
    u64 bias = (1ull << (exp_bits - 1)) - 1, mant = rng_next(r) & ((1ull << mant_bits) - 1), exp;
    u64 sign = rng_below(r, 2) << (exp_bits + mant_bits), quiet = 1ull << (mant_bits - 1);

    switch (rng_below(r, 12)) {
    case 0: return sign;                                             /* zero */
    case 1: return sign | ((2 * bias + 1) << mant_bits);             /* infinity */
    case 2: return sign | ((2 * bias + 1) << mant_bits) | quiet | mant; /* quiet NaN */
    case 3: return sign | ((2 * bias + 1) << mant_bits) | (mant & ~quiet) | 1; /* signalling NaN */
    case 4: return sign | (rng_below(r, 2) ? mant : 1 + rng_below(r, 3)); /* denormal */
    case 5: return sign | (1ull << mant_bits) | (chance(r, 50) ? mant : 0); /* the smallest */
    case 6: return sign | ((2 * bias) << mant_bits) | (chance(r, 50) ? mant : (1ull << mant_bits) - 1);
    case 7: return sign | (bias << mant_bits);                        /* one */
    case 8: exp = bias + rng_below(r, 66); break;                     /* borders of integers */
    case 9: exp = bias - rng_below(r, 70); break;
    default: exp = rng_below(r, 2 * bias + 1); break;
    }
    switch (rng_below(r, 3)) {
    case 0: mant = 0; break;
    case 1: mant &= ~0ull << rng_below(r, mant_bits); break;
    }
    return sign | exp << mant_bits | mant;
}

u64 vector_value(struct gen *g)
{
    struct rng *r = &g->rng;

    switch (rng_below(r, 8)) {
    case 0: case 1: case 2: return float_value(r, 11, 52);
    case 3: case 4: case 5: return float_value(r, 8, 23) | float_value(r, 8, 23) << 32;
    case 6: return boundary(g, 8);
    default: { /* bytes and words on their borders */
        u64 v = 0;

        for (unsigned i = 0; i < 4; i++)
            v = v << 16 | (boundary(g, 1 + (unsigned)rng_below(r, 2)) & 0xffff);
        return v;
    }
    }
}

/* What 16 bits reach from the base: data, or the low page. */
u64 pick_address_16(struct gen *g, unsigned size, u64 base)
{
    struct rng *r = &g->rng;
    unsigned step = (size == 16 || size == 512) && chance(r, 80) ? 16 : 1; /* what must be aligned */
    const struct region_def *to = &regions[regions[R_DATA].lin - base < 0xe000 ? R_DATA : R_LOW];
    u64 bytes = to->pages * 4096u;

    if (chance(r, 5)) /* over the end */
        return to->lin + bytes - rng_below(r, size + 1);
    return to->lin + rng_below(r, (bytes - size) / step) * step;
}

u64 pick_address(struct gen *g, unsigned size, bool write, unsigned adsz)
{
    struct rng *r = &g->rng;
    unsigned code = code_size(g->rig->c.mode);
    u64 data = regions[R_DATA].lin, kind = rng_below(r, 1000), at;

    if (adsz == 2)
        return pick_address_16(g, size, code == 8 ? 0 : g->rig->c.seg[DS].base);
    if ((size == 16 || size == 512) && chance(r, 80)) /* what must be aligned */
        return data + rng_below(r, (0x2000 - size) / 16) * 16;
    if (kind < 560)
        at = data + rng_below(r, 8192 - size);
    else if (kind < 700)
        at = data + 4096 - rng_below(r, size + 1); /* over the border of two pages */
    else if (kind < 830)
        at = regions[R_STACK].lin + 64 + rng_below(r, 8192 - 128 - size);
    else if (kind < 900)
        at = code == 8 && adsz == 8 ? regions[R_HIGH].lin + rng_below(r, 4096 - size)
                                    : data + rng_below(r, 8192 - size);
    else if (kind < 930)
        at = g->facts->top ? regions[R_TOP].lin + 4096 - size - rng_below(r, 64) : data;
    else if (kind < 960)
        at = regions[R_CONST].lin + rng_below(r, 4096 - size);
    else if (kind < 980)
        at = code_base() + rng_below(r, CODE_PAGES * 4096 - size);
    else if (kind < 990)
        at = data + 8192 - rng_below(r, size); /* into the guard page */
    else if (kind < 991)
        at = regions[R_CONST].lin - rng_below(r, size);
    else if (kind < 993)
        at = rng_below(r, 4096 - size);
    else if (kind < 998 && code == 8)
        at = 0x800000000000ull - rng_below(r, 2 * size); /* the border of canonical addresses */
    else if (kind < 999 && code == 8)
        at = 0xffff800000000000ull - rng_below(r, 2 * size);
    else if (code == 8)
        at = rng_next(r);
    else
        at = g->facts->top ? 0x100000000ull - rng_below(r, size + 1) : 0;
    if (write && kind >= 930 && kind < 980 && chance(r, 70))
        at = data + rng_below(r, 8192 - size); /* not that many write faults */
    return at;
}

u64 pick_target(struct gen *g)
{
    struct rng *r = &g->rng;
    u64 here = g->rig->c.rip + g->rig->c.seg[CS].base * (code_size(g->rig->c.mode) != 8), k = rng_below(r, 100);

    if (k < 80)
        return here + 2 + rng_below(r, 30);
    if (k < 90 && g->nr_steps) /* back */
        return g->steps[rng_below(r, g->nr_steps)].rip;
    if (k < 98)
        return code_base() + g->slot->code_off + rng_below(r, CODE_BYTES);
    return boundary(g, 8);
}

u16 pick_selector(struct gen *g)
{
    struct rng *r = &g->rng;

    switch (rng_below(r, 10)) {
    case 0: return (u16)rng_below(r, 4);
    case 1: return g->facts->ss;
    case 2: return g->cs;
    case 3: return (u16)(rng_below(r, 16) * 8 + rng_below(r, 4));
    case 4: return (u16)rng_next(r);
    default:
        return g->facts->ldt ? (u16)(rng_below(r, NR_LDT) * 8 + 4 + (chance(r, 85) ? 3 : rng_below(r, 4)))
                             : g->facts->ss;
    }
}

/* ---- the image ---- */

static u32 image_index(u64 lin, unsigned size)
{
    enum region reg;
    u64 off;

    if (!rig_find(lin, &reg, &off) || regions[reg].image_off == NO_IMAGE ||
        off + size > regions[reg].pages * 4096u)
        return NO_IMAGE;
    return (u32)(regions[reg].image_off + off);
}

/* Linear address of the instruction's memory operand. */
static u64 operand_lin(const struct cpu *c, const struct insn *in)
{
    return ea_of(c, in) + (code_size(c->mode) == 8 && in->seg < FS ? 0 : c->seg[in->seg].base);
}

bool reads_open_mxcsr(const struct gen *g, const struct insn *in)
{
    enum region reg;
    u64 off;

    if (in->row != ROW_LDMXCSR && in->row != ROW_FXRSTOR)
        return false;
    return rig_find(operand_lin(&g->rig->c, in) + (in->row == ROW_FXRSTOR ? FX_MXCSR : 0), &reg, &off) &&
           off + 4 <= regions[reg].pages * 4096u && load_le(g->rig->region[reg] + off, 4) & 0x30000;
}

bool patch(struct gen *g, u64 lin, u64 value, unsigned size)
{
    u32 at = image_index(lin, size);
    enum region reg;
    u64 off;

    if (at == NO_IMAGE)
        return false;
    for (u32 i = at; i < at + size; i++)
        if (g->touched[i / 8] >> (i % 8) & 1)
            return false;
    store_le(g->slot->image + at, value, size > 8 ? 8 : size);
    rig_find(lin, &reg, &off);
    store_le(g->rig->region[reg] + off, value, size > 8 ? 8 : size);
    return true;
}

/* ---- preparing registers ---- */

static bool in_region(u64 lin, enum region reg, u64 below, u64 above)
{
    return lin - regions[reg].lin >= below && lin - regions[reg].lin + above <= regions[reg].pages * 4096ull;
}

static bool set_reg(struct gen *g, unsigned reg, u64 value, struct form *f)
{
    form_mov_imm(g, reg, value, f);
    return true;
}

static u64 stack_address(struct gen *g)
{
    return regions[R_STACK].lin + 512 + rng_below(&g->rng, 8192 - 1024) / 8 * 8 +
           (chance(&g->rng, 10) ? rng_below(&g->rng, 8) : 0);
}

static bool uses_stack(u16 row)
{
    switch (row) {
    case ROW_PUSH_Zv: case ROW_POP_Zv: case ROW_PUSH_Iz: case ROW_PUSH_Ib: case ROW_PUSH_Ev:
    case ROW_POP_Ev: case ROW_PUSH_ES: case ROW_PUSH_CS: case ROW_PUSH_SS: case ROW_PUSH_DS:
    case ROW_PUSH_FS: case ROW_PUSH_GS: case ROW_POP_ES: case ROW_POP_SS: case ROW_POP_DS:
    case ROW_POP_FS: case ROW_POP_GS: case ROW_PUSHA: case ROW_POPA: case ROW_PUSHF: case ROW_POPF:
    case ROW_ENTER: case ROW_CALL_Jz: case ROW_CALL_Ev: case ROW_RET: case ROW_RET_Iw:
    case ROW_CALLF_Ap: case ROW_CALLF_Mp: case ROW_RETF: case ROW_RETF_Iw: case ROW_IRET:
        return true;
    }
    return false;
}

static bool prepare_division(struct gen *g, const struct isa_row *r, unsigned size, struct form *f)
{
    struct cpu *c = &g->rig->c;
    u16 row = (u16)(r - isa_rows);
    bool is_signed = row == ROW_IDIV_Eb || row == ROW_IDIV_Ev;
    unsigned width = 8 * size;
    u64 high;

    if (row == ROW_DIV_Eb || row == ROW_IDIV_Eb) {
        u16 ax = (u16)c->gpr[RAX];

        if (is_signed ? (u16)(ax + 64 * 40) < 64 * 80 : ax >> 8 < 60)
            return false;
        return set_reg(g, RAX, rng_below(&g->rng, 64 * 20) * (is_signed && chance(&g->rng, 50) ? -1ull : 1), f);
    }
    high = c->gpr[RDX] & size_mask(size);
    if (is_signed) {
        u64 sign = (c->gpr[RAX] >> (width - 1)) & 1 ? size_mask(size) : 0;
        if (high == sign || chance(&g->rng, 20))
            return false;
        return set_reg(g, RDX, sign, f);
    }
    if (high < 1ull << (width / 2))
        return false;
    return set_reg(g, RDX, rng_below(&g->rng, 1ull << (width / 2)), f);
}

/* A register that indexes the segment, made to point to memory that is there. */
static bool place_index(struct gen *g, unsigned reg, unsigned seg, struct form *f)
{
    struct cpu *c = &g->rig->c;
    unsigned code = code_size(c->mode);
    u64 base = code == 8 ? 0 : c->seg[seg].base, mask = size_mask(code == 8 ? 8 : code);
    u64 lin = base + (c->gpr[reg] & mask), target = regions[R_DATA].lin + 2048 + rng_below(&g->rng, 4096);

    if (in_region(lin, R_DATA, 100, 256) || in_region(lin, R_STACK, 100, 256) || in_region(lin, R_LOW, 100, 256))
        return false;
    if (code == 2 && target - base > mask)
        target = regions[R_LOW].lin + 1024 + rng_below(&g->rng, 2048);
    return set_reg(g, reg, target - base, f);
}

bool prepare(struct gen *g, const struct isa_row *r, unsigned size, struct form *f)
{
    struct cpu *c = &g->rig->c;
    struct rng *rng = &g->rng;
    u16 row = (u16)(r - isa_rows);
    u64 ss_base = code_size(c->mode) == 8 ? 0 : c->seg[SS].base;

    if (chance(rng, 3))
        return false; /* as it is */
    if (uses_stack(row) && !in_region(ss_base + (c->gpr[RSP] & stack_mask(c)), R_STACK, 300, 300))
        return set_reg(g, RSP, stack_address(g) - ss_base, f);
    if ((row == ROW_LEAVE || row == ROW_ENTER) &&
        !in_region(ss_base + (c->gpr[RBP] & stack_mask(c)), R_STACK, 300, 300))
        return set_reg(g, RBP, stack_address(g) - ss_base, f);
    if (row == ROW_XLAT && place_index(g, RBX, DS, f))
        return true;
    if (row == ROW_DIV_Eb || row == ROW_IDIV_Eb || row == ROW_DIV_Ev || row == ROW_IDIV_Ev)
        return prepare_division(g, r, size, f);
    if (r->attr & A_REP) {
        if (place_index(g, RSI, DS, f) || place_index(g, RDI, ES, f))
            return true;
        if (c->gpr[RCX] > 20 && chance(rng, 95))
            return set_reg(g, RCX, rng_below(rng, chance(rng, 10) ? 300 : 12), f);
    }
    if ((row == ROW_MASKMOVDQU || row == ROW_MASKMOVQ) && code_size(c->mode) == 2)
        return place_index(g, RDI, DS, f);
    if ((row == ROW_MASKMOVDQU || row == ROW_MASKMOVQ) && !in_region(c->gpr[RDI], R_DATA, 0, 16))
        return set_reg(g, RDI, regions[R_DATA].lin + rng_below(rng, 8176), f);
    if (row >= ROW_LOOPNE && row <= ROW_JCXZ && c->gpr[RCX] > 4 && chance(rng, 40))
        return set_reg(g, RCX, rng_below(rng, 4), f);
    if (row == ROW_CMPXCHG_EvGv && chance(rng, 10))
        return set_reg(g, RAX, boundary(g, 8), f);
    return false;
}

/* ---- furnishing memory ---- */

static u64 flags_image(struct gen *g)
{
    struct rng *r = &g->rng;
    u64 v = rng_next(r) & (F_ARITH | F_D | F_ID | F_I | F_1);

    if (chance(r, 2))
        v |= F_T;
    if (chance(r, 3))
        v |= F_NT;
    if (chance(r, 5))
        v |= F_AC;
    if (chance(r, 3))
        v |= F_RF;
    if (chance(r, 5))
        v |= rng_next(r);
    return chance(r, 98) ? v & ~(u64)(F_T) : v;
}

static void furnish_stack(struct gen *g, const struct insn *in)
{
    struct cpu *c = &g->rig->c;
    struct rng *r = &g->rng;
    u64 sp = c->gpr[RSP] & stack_mask(c), base = code_size(c->mode) == 8 ? 0 : c->seg[SS].base;
    u64 cs_base = code_size(c->mode) == 8 ? 0 : c->seg[CS].base;
    unsigned n = in->opsz, add = in->kind[0] == K_IMM ? in->imm & 0xffff : 0;

    sp += base;
    switch (in->row) {
    case ROW_RET: case ROW_RET_Iw:
        patch(g, sp, pick_target(g) - cs_base, n);
        break;
    case ROW_POPF:
        patch(g, sp, flags_image(g), n);
        break;
    case ROW_POP_ES: case ROW_POP_SS: case ROW_POP_DS: case ROW_POP_FS: case ROW_POP_GS:
        patch(g, sp, in->row == ROW_POP_SS && chance(r, 70) ? g->facts->ss : pick_selector(g), n);
        break;
    case ROW_RETF: case ROW_RETF_Iw: case ROW_IRET: {
        bool other = g->facts->cs32 && chance(r, 15);
        u16 cs = chance(r, 6) ? pick_selector(g) : other ? (chance(r, 50) ? g->facts->cs32 : g->facts->cs64) : c->seg[CS].sel;

        (void)add;
        patch(g, sp, pick_target(g) - cs_base, n);
        patch(g, sp + n, cs, n);
        if (in->row == ROW_IRET) {
            patch(g, sp + 2 * n, flags_image(g), n);
            if (code_size(c->mode) == 8) {
                patch(g, sp + 3 * n, stack_address(g), n);
                patch(g, sp + 4 * n, chance(r, 8) ? pick_selector(g) : g->facts->ss, n);
            }
        }
        break;
    }
    }
}

void furnish(struct gen *g, const struct insn *in)
{
    struct cpu *c = &g->rig->c;
    struct rng *r = &g->rng;
    unsigned n = in->opsz;
    u64 lin, cs_base = code_size(c->mode) == 8 ? 0 : c->seg[CS].base;

    furnish_stack(g, in);
    if (in->kind[0] != K_MEM && in->kind[1] != K_MEM)
        return;
    lin = operand_lin(c, in);
    switch (in->row) {
    case ROW_LDMXCSR: /* at times a reserved bit, but see reads_open_mxcsr() */
        patch(g, lin, 0x1f80 ^ (rng_next(r) & (chance(r, 40) ? 0xffff : 0xe07f)) ^ (chance(r, 2) ? BIT(18 + rng_below(r, 14)) : 0), 4);
        return;
    case ROW_JMP_Ev: case ROW_CALL_Ev:
        patch(g, lin, pick_target(g) - cs_base, n);
        return;
    case ROW_JMPF_Mp: case ROW_CALLF_Mp: {
        bool other = g->facts->cs32 && chance(r, 20);

        n = n == 8 ? 4 : n; /* AMD: m16:32 with REX.W, too */
        patch(g, lin, pick_target(g) - cs_base, n);
        patch(g, lin + n, chance(r, 10) ? pick_selector(g) : other ? (chance(r, 50) ? g->facts->cs32 : g->facts->cs64) : c->seg[CS].sel, 2);
        return;
    }
    case ROW_LES: case ROW_LDS: case ROW_LSS: case ROW_LFS: case ROW_LGS:
        n = n == 8 ? 4 : n;
        patch(g, lin, boundary(g, n), n);
        patch(g, lin + n, in->row == ROW_LSS && chance(r, 70) ? g->facts->ss : pick_selector(g), 2);
        return;
    case ROW_MOV_SwEw: case ROW_LAR: case ROW_LSL: case ROW_VERR: case ROW_VERW:
        patch(g, lin, pick_selector(g), 2);
        return;
    case ROW_CMPXCHG_EbGb: case ROW_CMPXCHG_EvGv:
        if (chance(r, 50))
            patch(g, lin, c->gpr[RAX], n);
        return;
    case ROW_CMPXCHG8B:
        if (chance(r, 50)) {
            patch(g, lin, c->gpr[RAX], n / 2);
            patch(g, lin + n / 2, c->gpr[RDX], n / 2);
        }
        return;
    case ROW_FXRSTOR: /* an image with what MXCSR can hold */
        if (chance(r, 90))
            patch(g, lin + FX_MXCSR, rng_next(r) & 0xffff, 4);
        return;
    case ROW_BOUND: {
        unsigned shift = 64 - 8 * n;
        i64 v = (i64)(c->gpr[in->reg[0]] << shift) >> shift;
        if (chance(r, 85)) {
            patch(g, lin, (u64)v - rng_below(r, 3), n);
            patch(g, lin + n, (u64)v + rng_below(r, 3), n);
        }
        return;
    }
    case ROW_DIV_Eb: case ROW_IDIV_Eb: case ROW_DIV_Ev: case ROW_IDIV_Ev:
        if (chance(r, 80)) {
            patch(g, lin, rng_next(r) | 1ull << (8 * n - 2), n);
            return;
        }
    }
    if (in->kind[0] == K_XMM || in->kind[0] == K_MMX || in->kind[1] == K_XMM || in->kind[1] == K_MMX) {
        n = in->kind[1] == K_MEM ? in->srcsz : n;
        for (unsigned i = 0; i < n; i += 8)
            patch(g, lin + i, vector_value(g), n < 8 ? n : 8);
        return;
    }
    if (chance(r, 40))
        patch(g, lin, boundary(g, n), n > 8 ? 8 : n ? n : 1);
}
