/*
 * Bytes of one instruction, built from its row: prefixes, REX, ModRM, SIB, displacement and
 * immediates. It does not use the encoder, and makes forms that the encoder never would.
 */
#include "cpu/operand.h"
#include "tests/native/gen.h"

enum { MEM_CHANCE = 55, WILD_CHANCE = 2, NO_SOLUTION = -1 };

static void put(struct form *f, u64 v, unsigned n)
{
    ASSERT(f->len + n <= sizeof(f->bytes));
    store_le(f->bytes + f->len, v, n);
    f->len += n;
}

static unsigned code_now(const struct gen *g)
{
    return code_size(g->rig->c.mode);
}

static const struct opnd *find_operand(const struct isa_row *r, u8 letter)
{
    for (int i = 0; i < 3; i++)
        if (r->op[i].letter == letter)
            return &r->op[i];
    return NULL;
}

/* The r/m operand of a row. */
static const struct opnd *rm_operand(const struct isa_row *r)
{
    static const u8 letters[] = { OP_E, OP_M, OP_N, OP_R, OP_Q, OP_P, OP_T, OP_W, OP_U, OP_q, OP_n };
    const struct opnd *o;

    for (unsigned i = 0; i < ARRAY_LEN(letters); i++)
        if ((o = find_operand(r, letters[i])))
            return o;
    return NULL;
}

static unsigned bytes_of(const struct opnd *o, unsigned eff, unsigned code, bool rexw)
{
    switch (o->size) {
    case SZ_b: return 1;
    case SZ_w: return 2;
    case SZ_d: return 4;
    case SZ_q: return 8;
    case SZ_z: return eff == 8 ? 4 : eff;
    case SZ_y: return eff == 2 ? 4 : eff;
    case SZ_m: return code == 8 ? 8 : 4;
    case SZ_o: return rexw ? 16 : 8;
    case SZ_a: return 2 * eff;
    case SZ_x: return 16;
    case SZ_t: return 10;
    default: return eff;
    }
}

/* ---- memory operands ---- */

struct memform {
    unsigned mod, rm, scale, index, base; /* base, index: register number, NO_REG, RIP_REG */
    i64 disp;
    unsigned disp_size;
    bool sib;
};

/* Finds a displacement with which the registers chosen reach off. */
static bool solve(struct gen *g, struct memform *m, u64 off, unsigned adsz, unsigned code)
{
    const struct cpu *c = &g->rig->c;
    struct rng *r = &g->rng;
    u64 rest, kind = rng_below(r, 10);

    *m = (struct memform){ .index = NO_REG, .base = NO_REG };
    if (adsz == 2) {
        static const u8 base16[8] = { RBX, RBX, RBP, RBP, RSI, RDI, RBP, RBX };
        static const u8 index16[8] = { RSI, RDI, RSI, RDI, NO_REG, NO_REG, NO_REG, NO_REG };

        m->rm = (unsigned)rng_below(r, 8);
        m->mod = (unsigned)rng_below(r, 3);
        if (m->mod == 0 && m->rm == 6) {
            m->disp = (i16)off;
            m->disp_size = 2;
            return true;
        }
        m->base = base16[m->rm];
        m->index = index16[m->rm];
        rest = off - c->gpr[m->base] - c->gpr[m->index];
        if (m->mod == 1 && (i16)rest != (i8)rest)
            m->mod = 2;
        if (m->mod == 0 && (u16)rest)
            m->mod = 2;
        m->disp = (i16)rest;
        m->disp_size = m->mod;
        return true;
    }
    if (kind == 0) { /* no register */
        m->disp = adsz == 4 ? (i32)off : (i64)off;
        m->sib = code == 8 || chance(r, 20);
        m->rm = m->sib ? 4 : 5;
        m->disp_size = 4;
    } else if (kind == 1 && code == 8) { /* RIP-relative: the caller corrects for the length */
        m->base = RIP_REG;
        m->rm = 5;
        m->disp = (i64)(off - c->rip);
        if (adsz == 4)
            m->disp = (i32)m->disp;
        m->disp_size = 4;
    } else {
        unsigned regs = code == 8 ? 16 : 8;

        m->base = (unsigned)rng_below(r, regs);
        rest = off - c->gpr[m->base];
        if (kind >= 6 || (m->base & 7) == RSP) {
            m->sib = true;
            m->index = (unsigned)rng_below(r, regs);
            m->scale = (unsigned)rng_below(r, 4);
            if (m->index == RSP)
                m->index = NO_REG;
            else
                rest -= c->gpr[m->index] << m->scale;
            if (kind == 9 && chance(r, 50)) { /* index without base */
                m->base = NO_REG;
                rest = off - (m->index == NO_REG ? 0 : c->gpr[m->index] << m->scale);
            }
        }
        m->disp = adsz == 4 ? (i32)rest : (i64)rest;
        m->rm = m->sib ? 4 : m->base & 7;
        m->mod = m->disp == 0 && (m->base & 7) != RBP ? 0 : m->disp == (i8)m->disp ? 1 : 2;
        if (m->mod < 2 && chance(r, 15))
            m->mod = 2;
        if (m->base == NO_REG)
            m->mod = 0;
        m->disp_size = m->base == NO_REG ? 4 : m->mod == 0 ? 0 : m->mod == 1 ? 1 : 4;
    }
    return m->disp == (i32)m->disp;
}

static void put_modrm_memory(struct form *f, const struct memform *m, unsigned reg, unsigned *disp_at)
{
    put(f, m->mod << 6 | (reg & 7) << 3 | m->rm, 1);
    if (m->sib)
        put(f, m->scale << 6 | (m->index == NO_REG ? 4 : m->index & 7) << 3 |
               (m->base == NO_REG ? 5 : m->base & 7), 1);
    *disp_at = f->len;
    put(f, (u64)m->disp, m->disp_size);
}

static u64 seg_base_now(const struct gen *g, unsigned seg)
{
    if (code_now(g) == 8 && seg < FS)
        return 0;
    return g->rig->c.seg[seg].base;
}

/* An override, sometimes; and the segment that the operand then has is one that can be used. */
static int pick_override(struct gen *g, unsigned code)
{
    if (chance(&g->rng, 88))
        return NO_SOLUTION;
    return code == 8 ? (int)(FS + rng_below(&g->rng, 2)) : (int)rng_below(&g->rng, NR_SEGS);
}

/* ---- prefixes ---- */

/* F2 and F3 that mean nothing to the row. The manual reserves them (SDM 2A 2.1.1), and AMD silicon
 * turns LOOPE with F2 into LOOPNE. */
static bool takes_idle_rep(const struct isa_row *r)
{
    u16 op = r->opcode;

    if (op == (M1 | 0xe0) || op == (M1 | 0xe1))
        return false;
    if (r->attr & (A_HINT | A_REP | A_NP | A_66 | A_F3 | A_F2))
        return false;
    return (op >> 8) == MAP_1 && op != (M1 | 0x90);
}

/* VEX, the opcode's map and the prefix that it stands for (SDM 2A 2.3.5). */
static void put_vex(struct gen *g, const struct isa_row *r, struct form *f, unsigned rex, unsigned vvvv)
{
    unsigned map = r->opcode >> 8, not_r = rex & 4 ? 0 : 0x80, low = (~vvvv & 15) << 3;

    low |= r->attr & A_66 ? 1 : r->attr & A_F3 ? 2 : r->attr & A_F2 ? 3 : 0;
    if (map == MAP_0F && !(rex & 11) && chance(&g->rng, 50)) {
        put(f, 0xc5, 1);
        put(f, not_r | low, 1);
        return;
    }
    put(f, 0xc4, 1);
    put(f, not_r | (rex & 2 ? 0 : 0x40) | (rex & 1 ? 0 : 0x20) | map, 1);
    put(f, (rex & 8 ? 0x80 : 0) | low, 1);
}

static void put_prefixes(struct gen *g, const struct isa_row *r, struct form *f, unsigned code,
                         bool p66, bool p67, bool lock, int override)
{
    static const u8 seg_byte[NR_SEGS] = { 0x26, 0x2e, 0x36, 0x3e, 0x64, 0x65 };
    u8 list[8];
    unsigned n = 0;

    if (p66)
        list[n++] = 0x66;
    if (p67)
        list[n++] = 0x67;
    if (lock)
        list[n++] = 0xf0;
    if (override >= 0)
        list[n++] = seg_byte[override];
    if ((r->attr & A_REP) && chance(&g->rng, 60))
        list[n++] = chance(&g->rng, 50) ? 0xf3 : 0xf2;
    else if (r - isa_rows == ROW_NOP_90 && chance(&g->rng, 30))
        list[n++] = 0xf3;
    else if (takes_idle_rep(r) && chance(&g->rng, 2))
        list[n++] = chance(&g->rng, 50) ? 0xf3 : 0xf2;
    if (code == 8 && override < 0 && chance(&g->rng, 2)) /* means nothing in 64-bit mode */
        list[n++] = seg_byte[rng_below(&g->rng, FS)];
    while (n) { /* in any order */
        unsigned i = (unsigned)rng_below(&g->rng, n);
        put(f, list[i], 1);
        list[i] = list[--n];
    }
}

/* ---- immediates ---- */

static u64 pick_immediate(struct gen *g, const struct isa_row *r, unsigned size)
{
    u16 row = (u16)(r - isa_rows);

    switch (row) {
    case ROW_ENTER:
        if (size == 2)
            return rng_below(&g->rng, chance(&g->rng, 5) ? 0x10000 : 64) & ~7ull;
        return rng_below(&g->rng, chance(&g->rng, 60) ? 1 : chance(&g->rng, 70) ? 5 : 256);
    case ROW_RET_Iw: case ROW_RETF_Iw:
        return rng_below(&g->rng, chance(&g->rng, 5) ? 0x10000 : 64) & ~7ull;
    case ROW_INT_Ib: { /* gates that every host kernel has closed, and the two open ones */
        static const u8 vectors[] = { 3, 4, 0, 1, 5, 13, 14, 0x20, 0x21, 0x7f, 0x81, 0xfe, 0xff };
        return vectors[rng_below(&g->rng, ARRAY_LEN(vectors))];
    }
    }
    if (size == 1 && r->op[0].letter == OP_E && chance(&g->rng, 50))
        return rng_below(&g->rng, 66); /* shift counts, bit numbers */
    return boundary(g, size);
}

static bool put_immediates(struct gen *g, const struct isa_row *r, struct form *f, unsigned eff)
{
    unsigned z = eff == 8 ? 4 : eff;

    for (int i = 0; i < 3; i++) {
        const struct opnd *o = &r->op[i];
        unsigned n;

        switch (o->letter) {
        case OP_I:
            n = o->size == SZ_b ? 1 : o->size == SZ_w ? 2 : o->size == SZ_v ? eff : z;
            put(f, pick_immediate(g, r, n), n);
            break;
        case OP_K: put(f, boundary(g, 1), 1); break;
        case OP_J: {
            n = o->size == SZ_b ? 1 : z;
            u64 rel = pick_target(g) - seg_base_now(g, CS) - (g->rig->c.rip + f->len + n);
            if (n == 1 && (i64)rel != (i8)rel)
                rel = rng_below(&g->rng, 24);
            put(f, rel, n);
            break;
        }
        case OP_A: {
            bool same = chance(&g->rng, 60);

            put(f, pick_target(g) - (same ? seg_base_now(g, CS) : 0), eff);
            put(f, same ? g->rig->c.seg[CS].sel : pick_selector(g), 2);
            break;
        }
        }
    }
    return true;
}

/* ---- the instruction ---- */

bool form_build(struct gen *g, const struct isa_row *r, unsigned size, struct form *f)
{
    const struct cpu *c = &g->rig->c;
    struct rng *rng = &g->rng;
    const struct opnd *rm = rm_operand(r);
    unsigned code = code_now(g), eff = size ? size : code == 2 ? 2 : 4, rex = 0, adsz, disp_at = 0;
    unsigned reg = (unsigned)rng_below(rng, code == 8 ? 16 : 8), rmreg = (unsigned)rng_below(rng, code == 8 ? 16 : 8);
    bool mem = false, p66 = false, p67, lock = false, need_mem, wide = false;
    struct memform m = { .base = NO_REG, .index = NO_REG };
    int override = NO_SOLUTION;
    u8 opcode = (u8)r->opcode, map = (u8)(r->opcode >> 8);
    u64 off = 0;

    f->len = 0;
    /* operand size */
    if (r->attr & A_VEX) {
        if (size == 2 || (code != 8 && size == 8))
            return false;
        wide = size == 8;
    } else if (isa_size_dependent(r) || r->op[0].letter == OP_T) {
        if (code == 8) {
            wide = size == 8 && !(r->attr & (A_D64 | A_F64) && chance(rng, 80));
            p66 = size == 2 || (wide && chance(rng, 3));
            if (r->attr & (A_D64 | A_F64) && size == 4)
                return false;
            if (r->op[0].letter == OP_T && wide)
                wide = false;
        } else {
            if (size == 8)
                return false;
            p66 = size != code && !(r->attr & A_NP);
        }
    } else if (code == 8 && r->op[0].size == SZ_o) {
        wide = size == 8;
    } else if (chance(rng, 3) && !(r->attr & (A_NP | A_66 | A_F3 | A_F2)) && map == MAP_1) {
        p66 = true; /* without a meaning */
    }
    if (r->attr & A_VEX)
        eff = wide ? 8 : 4;
    else
        eff = code == 8 ? wide ? 8 : p66 ? 2 : r->attr & (A_D64 | A_F64) ? 8 : 4 : p66 ? 6 - code : code;

    /* address size, segment */
    p67 = chance(rng, 8);
    adsz = code == 8 ? p67 ? 4 : 8 : p67 ? 6 - code : code;
    override = find_operand(r, OP_X) || find_operand(r, OP_O) || rm ? pick_override(g, code) : NO_SOLUTION;

    /* r/m */
    if (rm) {
        need_mem = rm->letter == OP_M || rm->letter == OP_P || rm->letter == OP_T || (r->attr & A_NO3);
        if (rm->letter == OP_R || rm->letter == OP_U || rm->letter == OP_n || r->attr & A_ONLY3 || r->rm >= 0 || rm->letter == OP_Q)
            mem = false;
        else
            mem = need_mem || chance(rng, MEM_CHANCE);
    }
    if (mem) {
        unsigned bytes = bytes_of(rm, eff, code, wide) + (rm->letter == OP_P || rm->letter == OP_T ? 2 : 0);
        bool write = rm == &r->op[0] && !(r->attr & A_R0), wild = chance(rng, WILD_CHANCE);
        bool fx = r == &isa_rows[ROW_FXRSTOR];
        u64 target = wild ? boundary(g, code == 8 ? 8 : 4)
                          : pick_address(g, fx ? 512 : bytes, write, adsz);
        unsigned seg;

        if (adsz == 2 && !wild) {
            if (c->seg[FS].usable && chance(rng, code == 2 ? 20 : 60))
                override = FS;
            target = pick_address_16(g, fx ? 512 : bytes, c->seg[override >= 0 ? override : DS].base);
        }
        for (unsigned try = 0;; try++) {
            seg = override >= 0 ? (unsigned)override : DS;
            off = target - seg_base_now(g, seg);
            if (code != 8)
                off = (u32)off;
            else if (seg >= FS && seg_base_now(g, seg) && !canonical(off))
                return false; /* see print_masks() */
            /* A bit number in a register moves the operand. */
            if (r - isa_rows == ROW_BT_EvGv || r - isa_rows == ROW_BTS_EvGv ||
                r - isa_rows == ROW_BTR_EvGv || r - isa_rows == ROW_BTC_EvGv) {
                unsigned shift = 64 - 8 * eff;
                i64 n = (i64)(c->gpr[reg] << shift) >> shift;
                off -= (u64)(n >> (eff == 2 ? 4 : eff == 4 ? 5 : 6)) * eff;
                if (adsz == 4)
                    off = (u32)off;
            }
            if (r - isa_rows == ROW_POP_Ev)
                off -= 0; /* rSP as a base has moved: left to chance */
            /* rBP and rSP have SS, whose base differs only for 16-bit stacks. */
            if (solve(g, &m, off, adsz, code) &&
                (code != 2 || override >= 0 || (m.base != RBP && m.base != RSP) || try > 8))
                break;
            if (try == 12)
                return false;
        }
        if (m.base != NO_REG && m.base != RIP_REG && m.base >= 8)
            rex |= 1;
        if (m.index != NO_REG && m.index >= 8)
            rex |= 2;
    } else if (rm) {
        rex |= rmreg >= 8 ? 1 : 0;
    }
    if (r->reg >= 0)
        reg = (unsigned)r->reg;
    else if (isa_has_modrm(r))
        rex |= reg >= 8 ? 4 : 0;
    if (find_operand(r, OP_S))
        reg = (unsigned)rng_below(rng, NR_SEGS), rex &= ~4u;
    if (r->rm >= 0)
        rmreg = (unsigned)r->rm, rex &= ~1u;
    if (r->attr & A_PLUSR) {
        opcode |= rmreg & 7;
        rex |= rmreg >= 8 ? 1 : 0;
    }
    if (r->attr & A_CC)
        opcode |= rng_below(rng, 16);
    if (mem && (r->attr & A_LOCK))
        lock = chance(rng, 15);
    else
        lock = chance(rng, 1) && chance(rng, 25) && r - isa_rows != ROW_VERW &&
               !(r->attr & A_VEX) && !find_operand(r, OP_C); /* #UD; see rules.c for those that do not */
    if (wide)
        rex |= 8;

    put_prefixes(g, r, f, code, p66, p67, lock, override);
    if (r->attr & A_VEX) {
        put_vex(g, r, f, rex, find_operand(r, OP_B) || find_operand(r, OP_H) ? (unsigned)rng_below(rng, code == 8 ? 16 : 8) : 0);
        goto opcode;
    }
    if (r->attr & A_66)
        put(f, 0x66, 1);
    if (r->attr & A_F3)
        put(f, 0xf3, 1);
    if (r->attr & A_F2)
        put(f, 0xf2, 1);
    if (code == 8 && (rex || chance(rng, 10)))
        put(f, 0x40 | rex, 1);
    if (map != MAP_1)
        put(f, 0x0f, 1);
    if (map == MAP_0F38 || map == MAP_0F3A)
        put(f, map == MAP_0F38 ? 0x38 : 0x3a, 1);
opcode:
    put(f, opcode, 1);
    if (isa_has_modrm(r)) {
        if (mem)
            put_modrm_memory(f, &m, reg, &disp_at);
        else
            put(f, (find_operand(r, OP_Q) && chance(rng, 30) ? rng_below(rng, 4) << 6 : 0xc0) |
                   (reg & 7) << 3 | (rmreg & 7), 1);
    }
    if (find_operand(r, OP_O)) {
        unsigned bytes = bytes_of(r->op[0].letter == OP_O ? &r->op[0] : &r->op[1], eff, code, wide);
        u64 target = pick_address(g, bytes, r->op[0].letter == OP_O, adsz);
        target -= seg_base_now(g, override >= 0 ? (unsigned)override : DS);
        if (code == 8 && override >= (int)FS && !canonical(target))
            return false;
        put(f, target, adsz);
    }
    put_immediates(g, r, f, eff);
    if (mem && m.base == RIP_REG) {
        i64 disp = m.disp - (i64)f->len;
        if (disp != (i32)disp && adsz == 8)
            return false;
        store_le(f->bytes + disp_at, (u64)disp, 4);
    }
    if (f->len > 15 && !chance(rng, 30))
        return false;
    return true;
}

void form_mov_imm(struct gen *g, unsigned reg, u64 value, struct form *f)
{
    unsigned code = code_now(g);

    f->len = 0;
    if (code != 8) {
        if (code == 2)
            put(f, 0x66, 1);
        put(f, 0xb8 | reg, 1);
        put(f, value, 4);
    } else if (value == (u32)value && chance(&g->rng, 50)) {
        if (reg >= 8)
            put(f, 0x41, 1);
        put(f, 0xb8 | (reg & 7), 1);
        put(f, value, 4);
    } else if ((i64)value == (i32)value) {
        put(f, 0x48 | (reg >= 8), 1);
        put(f, 0xc7, 1);
        put(f, 0xc0 | (reg & 7), 1);
        put(f, value, 4);
    } else {
        put(f, 0x48 | (reg >= 8), 1);
        put(f, 0xb8 | (reg & 7), 1);
        put(f, value, 8);
    }
}
