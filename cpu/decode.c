/*
 * The decoder: bytes to struct insn, by the rows of cpu/isa_*.def. SDM 2A chapter 2.
 *
 * It has no side effects and knows no opcode of its own. Prefixes that have no meaning for the
 * row are dropped, so that equal instructions have equal decoded forms.
 */
#include "cpu/cpu.h"
#include "cpu/insn.h"
#include "cpu/isa.h"
#include "isa_index.inc"

enum { REX_B = 1, REX_X = 2, REX_R = 4, REX_W = 8, MAX_LEN = 15 };

struct cursor {
    const u8 *bytes;
    unsigned avail, pos;
    u8 rex, rep; /* rep: F2h, F3h or 0, the last one */
    bool p66, p67, lock;
    u8 seg; /* NR_SEGS: no override */
    u8 modrm;
    bool vex;
    u8 vvvv;
    unsigned code; /* code size: 2, 4, 8 */
    unsigned effsz;
};

/* Makes sure that n more bytes are there. */
static enum decode_status need(const struct cursor *k, unsigned n)
{
    if (k->pos + n > MAX_LEN)
        return DECODE_TOO_LONG;
    return k->pos + n > k->avail ? DECODE_MORE : DECODE_OK;
}

static enum decode_status take(struct cursor *k, unsigned n, u64 *out)
{
    enum decode_status s = need(k, n);

    if (s == DECODE_OK) {
        *out = load_le(k->bytes + k->pos, n);
        k->pos += n;
    }
    return s;
}

static i64 sign_extend(u64 v, unsigned size)
{
    unsigned shift = 64 - 8 * size;
    return (i64)(v << shift) >> shift;
}

static enum decode_status prefixes(struct cursor *k)
{
    for (;; k->pos++) {
        enum decode_status s = need(k, 1);
        u8 b;

        if (s != DECODE_OK)
            return s;
        b = k->bytes[k->pos];
        if (k->code == 8 && (b & 0xf0) == 0x40) {
            k->rex = b;
            continue;
        }
        switch (b) {
        case 0x26: k->seg = ES; break;
        case 0x2e: k->seg = CS; break;
        case 0x36: k->seg = SS; break;
        case 0x3e: k->seg = DS; break;
        case 0x64: k->seg = FS; break;
        case 0x65: k->seg = GS; break;
        case 0x66: k->p66 = true; break;
        case 0x67: k->p67 = true; break;
        case 0xf0: k->lock = true; break;
        case 0xf2: case 0xf3: k->rep = b; break;
        default: return DECODE_OK;
        }
        k->rex = 0; /* a REX counts only right before the opcode */
    }
}

static bool row_matches(const struct isa_row *r, const struct cursor *k, bool have_modrm)
{
    bool mod3 = have_modrm && k->modrm >= 0xc0;

    if (r->attr & (k->code == 8 ? A_N64 : A_O64))
        return false;
    if (((r->attr & A_VEX) != 0) != k->vex)
        return false;
    if ((r->attr & A_REXB0) && (k->rex & REX_B))
        return false;
    if (r->reg >= 0 && ((k->modrm >> 3) & 7) != r->reg)
        return false;
    if (r->rm >= 0 && (!mod3 || (k->modrm & 7) != r->rm))
        return false;
    if (mod3 ? (r->attr & A_NO3) != 0 : (r->attr & A_ONLY3) != 0)
        return false;
    for (int i = 0; i < 3; i++)
        switch (r->op[i].letter) {
        case OP_M: case OP_P: case OP_T:
            if (mod3)
                return false;
            break;
        case OP_R: case OP_U: case OP_n: case OP_F:
            if (!mod3)
                return false;
            break;
        }
    switch (r->attr & (A_NP | A_66 | A_F3 | A_F2 | A_NOREP)) {
    case A_NP: return !k->p66 && !k->rep;
    case A_NOREP: return !k->rep;
    case A_66: return k->p66 && !k->rep;
    case A_F3: return k->rep == 0xf3;
    case A_F2: return k->rep == 0xf2;
    }
    return true;
}

static unsigned effective_size(const struct isa_row *r, const struct cursor *k)
{
    if (k->vex)
        return k->rex & REX_W ? 8 : 4;
    if (k->code == 8) {
        if (k->rex & REX_W)
            return 8;
        if (k->p66 && !(r->attr & A_66))
            return 2;
        return r->attr & (A_D64 | A_F64) ? 8 : 4;
    }
    return k->p66 && !(r->attr & A_66) ? 6 - k->code : k->code;
}

static unsigned operand_size(const struct opnd *o, const struct cursor *k)
{
    switch (o->size) {
    case SZ_b: return 1;
    case SZ_w: return 2;
    case SZ_d: return 4;
    case SZ_q: return 8;
    case SZ_v: return k->effsz;
    case SZ_z: return k->effsz == 8 ? 4 : k->effsz;
    case SZ_y: return k->effsz == 2 ? 4 : k->effsz;
    case SZ_m: return k->code == 8 ? 8 : 4;
    case SZ_o: return k->rex & REX_W ? 16 : 8;
    case SZ_a: return k->effsz * 2;
    case SZ_x: return 16;
    case SZ_t: return 10;
    }
    return 0;
}

/* The memory form of ModRM: base, index, scale, disp and the default segment. */
static enum decode_status memory_operand(struct insn *in, struct cursor *k)
{
    static const u8 base16[8] = { RBX, RBX, RBP, RBP, RSI, RDI, RBP, RBX };
    static const u8 index16[8] = { RSI, RDI, RSI, RDI, NO_REG, NO_REG, NO_REG, NO_REG };
    unsigned mod = k->modrm >> 6, rm = k->modrm & 7, disp_size = mod == 1 ? 1 : 0;
    enum decode_status s;
    u64 v;

    in->base = in->index = NO_REG;
    in->scale = 0;
    if (in->adsz == 2) {
        if (mod == 0 && rm == 6) {
            disp_size = 2;
        } else {
            in->base = base16[rm];
            in->index = index16[rm];
            if (mod == 2)
                disp_size = 2;
        }
    } else {
        if (mod == 2)
            disp_size = 4;
        if (rm == 4) {
            if ((s = take(k, 1, &v)) != DECODE_OK)
                return s;
            in->scale = (u8)(v >> 6);
            in->index = (u8)(((v >> 3) & 7) | (k->rex & REX_X ? 8 : 0));
            if (in->index == RSP) {
                in->index = NO_REG;
                in->scale = 0;
            }
            in->base = (u8)((v & 7) | (k->rex & REX_B ? 8 : 0));
            if ((v & 7) == 5 && mod == 0) {
                in->base = NO_REG;
                disp_size = 4;
            }
        } else if (rm == 5 && mod == 0) {
            in->base = k->code == 8 ? RIP_REG : NO_REG;
            disp_size = 4;
        } else {
            in->base = (u8)(rm | (k->rex & REX_B ? 8 : 0));
        }
    }
    if (disp_size) {
        if ((s = take(k, disp_size, &v)) != DECODE_OK)
            return s;
        in->disp = (i32)sign_extend(v, disp_size);
    }
    in->seg = in->base == RSP || in->base == RBP ? SS : DS;
    return DECODE_OK;
}

/* A register of another file than the general ones. */
static void set_other(struct insn *in, int i, unsigned kind, unsigned reg)
{
    in->kind[i] = (u8)kind;
    in->reg[i] = (u8)reg;
}

static void set_reg(struct insn *in, int i, unsigned reg, unsigned size, const struct cursor *k)
{
    in->kind[i] = K_REG;
    in->reg[i] = (u8)reg;
    if (size == 1 && reg >= 4 && reg < 8 && !k->rex) {
        in->kind[i] = K_REGH;
        in->reg[i] = (u8)(reg - 4);
    }
}

static enum decode_status immediate(struct insn *in, struct cursor *k, unsigned size, int i)
{
    u64 v;
    enum decode_status s = take(k, size, &v);

    if (s != DECODE_OK)
        return s;
    if (i == 1 && in->kind[0] == K_IMM) /* ENTER: the second immediate */
        in->imm = (in->imm & 0xffff) | v << 16;
    else
        in->imm = (u64)sign_extend(v, size);
    in->kind[i] = K_IMM;
    return DECODE_OK;
}

static enum decode_status operand(struct insn *in, struct cursor *k, const struct isa_row *r, int i,
                                  u8 opcode)
{
    const struct opnd *o = &r->op[i];
    unsigned size = operand_size(o, k), reg = (k->modrm >> 3) & 7;
    unsigned rex_r = k->rex & REX_R ? 8 : 0, rex_b = k->rex & REX_B ? 8 : 0;
    enum decode_status s;
    u64 v;

    switch (o->letter) {
    case OP_E: case OP_M: case OP_N: case OP_P: case OP_T: case OP_R:
        if (k->modrm >= 0xc0)
            set_reg(in, i, (k->modrm & 7u) | rex_b, size, k);
        else
            in->kind[i] = K_MEM;
        break;
    case OP_Q: set_reg(in, i, (k->modrm & 7u) | rex_b, size, k); break;
    case OP_G: set_reg(in, i, reg | rex_r, size, k); break;
    case OP_Z: set_reg(in, i, (opcode & 7u) | rex_b, size, k); break;
    case OP_a: set_reg(in, i, RAX, size, k); break;
    case OP_c: set_reg(in, i, RCX, 1, k); break;
    case OP_d: set_reg(in, i, RDX, 2, k); break;
    case OP_S:
        if (reg > GS || (i == 0 && reg == CS))
            return DECODE_INVALID;
        in->kind[i] = K_SEG;
        in->reg[i] = (u8)reg;
        break;
    case OP_C:
        in->kind[i] = K_CR;
        in->reg[i] = (u8)(reg | rex_r);
        if (in->reg[i] == 1 || (in->reg[i] > 4 && in->reg[i] != 8))
            return DECODE_INVALID;
        break;
    case OP_D:
        in->kind[i] = K_DR;
        in->reg[i] = (u8)(reg | rex_r);
        if (in->reg[i] > 7)
            return DECODE_INVALID;
        break;
    case OP_I: return immediate(in, k, o->size == SZ_v ? size : size == 8 ? 4 : size, i);
    case OP_K: return immediate(in, k, 1, i);
    case OP_u:
        in->kind[i] = K_IMM;
        in->imm = 1;
        break;
    case OP_J:
        in->kind[i] = K_REL;
        if ((s = take(k, o->size == SZ_b ? 1 : size, &v)) != DECODE_OK)
            return s;
        in->imm = (u64)sign_extend(v, o->size == SZ_b ? 1 : size);
        break;
    case OP_A:
        in->kind[i] = K_FAR;
        if ((s = take(k, size, &in->imm)) != DECODE_OK || (s = take(k, 2, &v)) != DECODE_OK)
            return s;
        in->imm |= v << 32;
        break;
    case OP_O:
        in->kind[i] = K_MOFF;
        if ((s = take(k, in->adsz, &in->imm)) != DECODE_OK)
            return s;
        in->seg = DS;
        break;
    case OP_X: case OP_Y: in->kind[i] = K_STR; break;
    case OP_V: set_other(in, i, K_XMM, reg | rex_r); break;
    case OP_H: set_other(in, i, K_XMM, k->vvvv); break;
    case OP_B: set_reg(in, i, k->vvvv, size, k); break;
    case OP_p: set_other(in, i, K_MMX, reg); break;
    case OP_F: set_other(in, i, K_ST, k->modrm & 7u); break;
    case OP_W: case OP_U:
        if (k->modrm >= 0xc0)
            set_other(in, i, K_XMM, (k->modrm & 7u) | rex_b);
        else
            in->kind[i] = K_MEM;
        break;
    case OP_q: case OP_n:
        if (k->modrm >= 0xc0)
            set_other(in, i, K_MMX, k->modrm & 7u);
        else
            in->kind[i] = K_MEM;
        break;
    case OP_fs_es: case OP_fs_cs: case OP_fs_ss: case OP_fs_ds: case OP_fs_fs: case OP_fs_gs:
        in->kind[i] = K_SEG;
        in->reg[i] = (u8)(ES + (o->letter - OP_fs_es));
        break;
    }
    return DECODE_OK;
}

/* Whether the segment override means something: a memory operand, or DS:rSI. */
static bool uses_segment(const struct insn *in, const struct isa_row *r)
{
    for (int i = 0; i < 3; i++)
        if (in->kind[i] == K_MEM || in->kind[i] == K_MOFF || r->op[i].letter == OP_X)
            return true;
    return false;
}

static bool uses_vvvv(const struct isa_row *r)
{
    for (int i = 0; i < 3; i++)
        if (r->op[i].letter == OP_H || r->op[i].letter == OP_B)
            return true;
    return false;
}

static enum decode_status finish(struct insn *in, struct cursor *k, const struct isa_row *r)
{
    const struct opnd *o = r->op;

    switch (o[0].letter) {
    case OP_none: case OP_I: case OP_K: case OP_J: case OP_A: case OP_d:
        in->opsz = (u8)(isa_size_dependent(r) ? k->effsz : 0);
        break;
    case OP_T: in->opsz = (u8)(k->code == 8 ? 8 : k->effsz); break;
    default: in->opsz = (u8)operand_size(&o[0], k); break;
    }
    in->srcsz = o[1].letter == OP_I || o[1].letter == OP_K ? in->opsz : (u8)operand_size(&o[1], k);
    if (!uses_segment(in, r))
        in->seg = DS;
    else if (k->seg < NR_SEGS && (k->code != 8 || k->seg >= FS))
        in->seg = k->seg;
    if (r->attr & (A_REP | A_HINT))
        in->pfx |= k->rep == 0xf3 ? PFX_REP : k->rep == 0xf2 ? PFX_REPNE : 0;
    if ((r->attr & A_REXW) && (k->rex & REX_W))
        in->pfx |= PFX_REXW;
    in->len = (u8)k->pos;
    if (k->vex && k->vvvv && !uses_vvvv(r))
        return DECODE_INVALID;
    if (k->lock) {
        in->pfx |= PFX_LOCK;
        if (!(r->attr & A_LOCK) || in->kind[0] != K_MEM)
            return DECODE_INVALID;
    }
    return DECODE_OK;
}

/* A VEX prefix: at C4h or C5h where that is not LES or LDS (SDM 2A 2.3.5). Takes it, the opcode and
 * its map. Behind 66, F2, F3, LOCK or REX it is #UD. */
static enum decode_status vex_prefix(struct cursor *k, unsigned *map, u8 *op)
{
    bool three = k->bytes[k->pos - 1] == 0xc4;
    enum decode_status s;
    u64 b1, b2, opcode;

    if ((s = take(k, 1, &b1)) != DECODE_OK)
        return s;
    b2 = b1 & 0x7f; /* the two-byte form: R.vvvv.L.pp, W = 0, X = B = 0, map 0Fh */
    if (three && (s = take(k, 1, &b2)) != DECODE_OK)
        return s;
    if ((s = take(k, 1, &opcode)) != DECODE_OK)
        return s;
    *map = three ? b1 & 0x1f : MAP_0F;
    *op = (u8)opcode;
    if (k->p66 || k->rep || k->lock || k->rex || *map == 0 || *map >= NR_MAPS || (b2 & 4))
        return DECODE_INVALID;
    k->vex = true;
    k->p66 = (b2 & 3) == 1;
    k->rep = (b2 & 3) == 2 ? 0xf3 : (b2 & 3) == 3 ? 0xf2 : 0;
    k->vvvv = (u8)(~b2 >> 3 & 15);
    if (k->code == 8)
        k->rex = (u8)(0x40 | (b1 & 0x80 ? 0 : REX_R) | (!three || b1 & 0x40 ? 0 : REX_X) |
                      (!three || b1 & 0x20 ? 0 : REX_B) | (three && b2 & 0x80 ? REX_W : 0));
    else
        k->vvvv &= 7; /* its high bit is not looked at, as B and W are not */
    return DECODE_OK;
}

static bool begins_vex(const struct cursor *k, u8 op, u32 mode)
{
    return (op & 0xfe) == 0xc4 && !mode_real(mode) &&
           (k->code == 8 || (k->pos < k->avail && k->bytes[k->pos] >= 0xc0));
}

enum decode_status insn_decode(struct insn *in, const u8 *bytes, unsigned avail, u32 mode)
{
    struct cursor k = { .bytes = bytes, .avail = avail, .seg = NR_SEGS, .code = code_size(mode) };
    const struct isa_row *r = NULL;
    enum decode_status s, invalid = DECODE_OK;
    bool have_modrm = false;
    unsigned map = MAP_1;
    u8 op;

    *in = (struct insn){ .base = NO_REG, .index = NO_REG, .seg = DS };
    if ((s = prefixes(&k)) != DECODE_OK)
        return s;
    op = bytes[k.pos++];
    if (begins_vex(&k, op, mode)) {
        if ((s = vex_prefix(&k, &map, &op)) != DECODE_OK) {
            in->len = (u8)k.pos;
            return s;
        }
    } else if (op == 0x0f) {
        if ((s = need(&k, 1)) != DECODE_OK)
            return s;
        op = bytes[k.pos++];
        map = MAP_0F;
        if (op == 0x38 || op == 0x3a) {
            map = op == 0x38 ? MAP_0F38 : MAP_0F3A;
            if ((s = need(&k, 1)) != DECODE_OK)
                return s;
            op = bytes[k.pos++];
        }
    }
    for (unsigned i = index_start[map << 8 | op]; i < index_start[(map << 8 | op) + 1]; i++) {
        const struct isa_row *cand = &isa_rows[index_rows[i]];

        if (!have_modrm && isa_has_modrm(cand)) {
            if ((s = need(&k, 1)) != DECODE_OK)
                return s;
            k.modrm = bytes[k.pos++];
            have_modrm = true;
        }
        if (row_matches(cand, &k, have_modrm)) {
            in->row = index_rows[i];
            r = cand;
            break;
        }
    }
    if (!r || ((r->attr & A_PE) && mode_real(mode))) {
        in->len = (u8)k.pos;
        return DECODE_INVALID;
    }
    k.effsz = effective_size(r, &k);
    in->adsz = (u8)(k.code == 8 ? (k.p67 ? 4 : 8) : k.p67 ? 6 - k.code : k.code);
    if (r->attr & A_CC)
        in->cc = op & 15;
    if (have_modrm && k.modrm < 0xc0 && !(r->op[0].letter == OP_Q || r->op[1].letter == OP_Q))
        if ((s = memory_operand(in, &k)) != DECODE_OK)
            return s;
    for (int i = 0; i < 3; i++) {
        s = operand(in, &k, r, i, op);
        if (s == DECODE_INVALID)
            invalid = s; /* go on: the length is still of interest */
        else if (s != DECODE_OK)
            return s;
    }
    s = finish(in, &k, r);
    return invalid != DECODE_OK ? invalid : s;
}
