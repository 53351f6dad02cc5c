/*
 * The encoder: struct insn to bytes, by the same rows as the decoder, in the shortest form.
 */
#include "cpu/cpu.h"
#include "cpu/insn.h"
#include "cpu/isa.h"

enum { REX_B = 1, REX_X = 2, REX_R = 4, REX_W = 8 };

struct emit {
    u8 buf[32];
    unsigned n;
};

static void put(struct emit *e, u64 v, unsigned size)
{
    if (e->n + size <= sizeof(e->buf))
        store_le(e->buf + e->n, v, size);
    e->n += size;
}

/* The size that 66h and REX.W choose, where an operand depends on it; else 0. */
static unsigned effective_size(const struct insn *in, const struct isa_row *r)
{
    if (!isa_size_dependent(r))
        return 0;
    if (r->op[0].size == SZ_y && r->op[1].size == SZ_v) /* CRC32 */
        return in->srcsz;
    for (int i = 0; i < 2; i++)
        if (r->op[i].size == SZ_y) /* 32 bits whatever 66h says */
            return (i ? in->srcsz : in->opsz) == 8 ? 8 : 0;
    return r->op[0].size == SZ_b && r->op[0].letter != OP_I && r->op[1].size != SZ_none &&
                   r->op[0].letter != OP_J && r->op[0].letter != OP_K
               ? in->srcsz
               : in->opsz;
}

/* ModRM, SIB and displacement; the register bits above 7 go into *rex. False: no such form. */
static bool memory_form(const struct insn *in, struct emit *e, unsigned reg, unsigned code,
                        unsigned *rex)
{
    unsigned mod, rm;
    bool disp8 = in->disp == (i8)in->disp;

    if (in->adsz == 2) {
        static const struct { u8 base, index; } forms[8] = {
            { RBX, RSI }, { RBX, RDI }, { RBP, RSI }, { RBP, RDI },
            { RSI, NO_REG }, { RDI, NO_REG }, { RBP, NO_REG }, { RBX, NO_REG },
        };
        if (in->base == NO_REG && in->index == NO_REG) {
            put(e, reg << 3 | 6, 1);
            put(e, (u64)in->disp, 2);
            return true;
        }
        for (rm = 0; rm < 8; rm++)
            if (forms[rm].base == in->base && forms[rm].index == in->index)
                break;
        if (rm == 8 || in->scale)
            return false;
        mod = in->disp == 0 && rm != 6 ? 0 : disp8 ? 1 : 2;
        put(e, mod << 6 | reg << 3 | rm, 1);
        put(e, (u64)in->disp, mod == 0 ? 0 : mod);
        return true;
    }
    if (in->index == RSP)
        return false;
    if (in->base == RIP_REG) {
        if (code != 8 || in->index != NO_REG)
            return false;
        put(e, reg << 3 | 5, 1);
        put(e, (u64)in->disp, 4);
        return true;
    }
    if (in->base == NO_REG) {
        /* [disp32] without SIB is RIP-relative in 64-bit mode */
        if (in->index == NO_REG && code != 8) {
            put(e, reg << 3 | 5, 1);
        } else {
            put(e, reg << 3 | 4, 1);
            put(e, (u64)in->scale << 6 | (in->index == NO_REG ? 4 : in->index & 7) << 3 | 5, 1);
            *rex |= in->index != NO_REG && in->index >= 8 ? REX_X : 0;
        }
        put(e, (u64)in->disp, 4);
        return true;
    }
    mod = in->disp == 0 && (in->base & 7) != RBP ? 0 : disp8 ? 1 : 2;
    *rex |= in->base >= 8 ? REX_B : 0;
    if (in->index != NO_REG || (in->base & 7) == RSP) {
        put(e, mod << 6 | reg << 3 | 4, 1);
        put(e, (u64)in->scale << 6 | (in->index == NO_REG ? 4 : in->index & 7) << 3 | (in->base & 7),
            1);
        *rex |= in->index != NO_REG && in->index >= 8 ? REX_X : 0;
    } else {
        put(e, mod << 6 | reg << 3 | (in->base & 7), 1);
    }
    put(e, (u64)in->disp, mod == 1 ? 1 : mod == 2 ? 4 : 0);
    return true;
}

/* The shorter of the VEX prefixes that can say it (SDM 2A 2.3.5). */
static void put_vex(struct emit *e, const struct isa_row *r, unsigned rex, unsigned vvvv)
{
    unsigned map = r->opcode >> 8, not_r = rex & REX_R ? 0 : 0x80, low = (~vvvv & 15) << 3;

    low |= r->attr & A_66 ? 1 : r->attr & A_F3 ? 2 : r->attr & A_F2 ? 3 : 0;
    if (map == MAP_0F && !(rex & (REX_W | REX_X | REX_B))) {
        put(e, 0xc5, 1);
        put(e, not_r | low, 1);
        return;
    }
    put(e, 0xc4, 1);
    put(e, not_r | (rex & REX_X ? 0 : 0x40) | (rex & REX_B ? 0 : 0x20) | map, 1);
    put(e, (rex & REX_W ? 0x80 : 0) | low, 1);
}

int insn_encode(const struct insn *in, u32 mode, u8 out[15])
{
    static const u8 seg_prefix[NR_SEGS] = { 0x26, 0x2e, 0x36, 0x3e, 0x64, 0x65 };
    const struct isa_row *r = &isa_rows[in->row];
    unsigned code = code_size(mode), eff = effective_size(in, r), map = r->opcode >> 8;
    unsigned default_ad = code, rex = 0, reg_field = r->reg >= 0 ? (unsigned)r->reg : 0;
    unsigned rm_field = r->rm >= 0 ? (unsigned)r->rm : 0;
    bool need_rex = false, forbid_rex = false, has_mem = false, has_x = false, rm_reg = r->rm >= 0;
    u8 opcode = (u8)r->opcode, vvvv = 0;
    struct emit e = { .n = 0 }, m = { .n = 0 };

    if (in->row == ROW_INVALID || in->row >= NR_ROWS)
        return 0;
    if (r->attr & A_CC)
        opcode |= in->cc;
    for (int i = 0; i < 3; i++) {
        unsigned reg = in->reg[i];
        u8 l = r->op[i].letter;
        unsigned size = r->op[i].size == SZ_b ? 1 : 8;

        if (in->kind[i] == K_REGH) {
            forbid_rex = true;
            reg += 4;
        } else if (in->kind[i] == K_REG && size == 1 && reg >= 4 && reg < 8) {
            need_rex = true;
        }
        switch (l) {
        case OP_E: case OP_M: case OP_N: case OP_P: case OP_T: case OP_R: case OP_Q:
        case OP_W: case OP_U: case OP_q: case OP_n: case OP_F:
            if (in->kind[i] == K_MEM) {
                has_mem = true;
            } else {
                rm_reg = true;
                rm_field = reg & 7;
                rex |= reg >= 8 ? REX_B : 0;
            }
            break;
        case OP_H: case OP_B: vvvv = in->reg[i]; break;
        case OP_G: case OP_S: case OP_C: case OP_D: case OP_V: case OP_p:
            reg_field = reg & 7;
            rex |= reg >= 8 ? REX_R : 0;
            break;
        case OP_Z:
            opcode = (u8)(opcode | (reg & 7));
            rex |= reg >= 8 ? REX_B : 0;
            break;
        case OP_X: case OP_O: has_x = true; break;
        }
    }
    if (isa_has_modrm(r)) {
        if (has_mem) {
            if (!memory_form(in, &m, reg_field, code, &rex))
                return 0;
        } else if (rm_reg || r->attr & A_ONLY3 || r->reg >= 0) {
            put(&m, 0xc0 | reg_field << 3 | rm_field, 1);
        }
    }
    if (code == 8 && eff == 8 && !(r->attr & (A_D64 | A_F64)) && r->op[0].letter != OP_T)
        rex |= REX_W;
    if ((r->op[0].size == SZ_o && in->opsz == 16) || (in->pfx & PFX_REXW))
        rex |= REX_W;
    if ((rex || need_rex || vvvv > 7) && (code != 8 || forbid_rex))
        return 0;

    if (in->adsz != default_ad)
        put(&e, 0x67, 1);
    if (has_mem || has_x) {
        u8 def = has_mem && (in->base == RSP || in->base == RBP) ? SS : DS;
        if (in->seg != def)
            put(&e, seg_prefix[in->seg], 1);
    }
    if (r->attr & A_VEX) {
        put_vex(&e, r, rex, vvvv);
        goto opcode;
    }
    if (in->pfx & PFX_LOCK)
        put(&e, 0xf0, 1);
    if ((in->pfx & PFX_REPNE) || (r->attr & A_F2))
        put(&e, 0xf2, 1);
    if ((in->pfx & PFX_REP) || (r->attr & A_F3))
        put(&e, 0xf3, 1);
    if ((r->attr & A_66) || (eff && (code == 2 ? eff == 4 : eff == 2)))
        put(&e, 0x66, 1);
    if (rex || need_rex)
        put(&e, 0x40 | rex, 1);
    if (map != MAP_1)
        put(&e, 0x0f, 1);
    if (map == MAP_0F38 || map == MAP_0F3A)
        put(&e, map == MAP_0F38 ? 0x38 : 0x3a, 1);
opcode:
    put(&e, opcode, 1);
    for (unsigned i = 0; i < m.n; i++)
        put(&e, m.buf[i], 1);
    for (int i = 0; i < 3; i++) {
        const struct opnd *o = &r->op[i];
        unsigned z = eff == 2 ? 2 : 4;

        switch (o->letter) {
        case OP_I:
            put(&e, i == 1 && in->kind[0] == K_IMM ? in->imm >> 16 : in->imm,
                o->size == SZ_b ? 1 : o->size == SZ_w ? 2 : o->size == SZ_v ? eff : z);
            break;
        case OP_K: put(&e, in->imm, 1); break;
        case OP_J: put(&e, in->imm, o->size == SZ_b ? 1 : z); break;
        case OP_A:
            put(&e, in->imm, in->opsz);
            put(&e, in->imm >> 32, 2);
            break;
        case OP_O: put(&e, in->imm, in->adsz); break;
        }
    }
    if (e.n > 15)
        return 0;
    memcpy(out, e.buf, e.n);
    return (int)e.n;
}
