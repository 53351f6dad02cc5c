/*
 * Instructions that translated code runs as the host's own: decoded, registers renamed, the memory
 * operand replaced by [RSI], encoded again.
 */
#include "jit/translator.h"
#include "cpu/silicon.h"
#include "core/clock.h"
#include "cpu/operand.h"

exec_fn x_add, x_sub, x_cmp, x_test, x_and, x_or, x_xor, x_neg, x_shl, x_shr, x_sar, x_imul, x_imul2, x_imul3, x_mul, x_div,
    x_idiv, x_popcnt, x_bsf, x_bsr, x_bt, x_bts, x_btr, x_btc, x_lea, x_xchg, x_xadd, x_cmpxchg, x_cmpxchg8b, x_cwd, x_lahf,
    x_nop, x_nop_pause, x_clflush, x_mov, x_movu_load, x_movu_store, x_vec_str_index, x_vec_str_mask, x_maskmovdqu, x_mulx,
    x_x87, x_x87_load, x_x87_store, x_fnstsw, x_fcomi, x_cld, x_std, x_bswap, x_movbe, x_shld, x_shrd, x_movs, x_stos, x_lods,
    x_rdtsc, x_rdtscp;

/* ---- what instructions touch ---- */

static int memory_operand(const struct insn *in)
{
    for (int i = 0; i < 3; i++)
        if (in->kind[i] == K_MEM || in->kind[i] == K_MOFF)
            return i;
    return -1;
}

static bool writes_first(const struct isa_row *r)
{
    return r->op[0].letter != OP_none && !(r->attr & A_R0);
}

u32 pass_written(const struct insn *in)
{
    const struct isa_row *r = &isa_rows[in->row];
    exec_fn *fn = r->exec;
    u32 regs = 0;

    if (writes_first(r) && (in->kind[0] == K_REG || in->kind[0] == K_REGH))
        regs |= 1u << in->reg[0];
    if (fn == x_xchg || fn == x_xadd || fn == x_mulx)
        regs |= in->kind[1] == K_REG || in->kind[1] == K_REGH ? 1u << in->reg[1] : 0;
    if (fn == x_mul || fn == x_imul || fn == x_div || fn == x_idiv)
        regs |= 1u << RAX | 1u << RDX;
    if (fn == x_cwd)
        regs = 1u << RDX;
    if (fn == x_cmpxchg || fn == x_lahf)
        regs |= 1u << RAX;
    if (fn == x_cmpxchg8b)
        regs = 1u << RAX | 1u << RDX;
    if (fn == x_vec_str_index)
        regs |= 1u << RCX;
    if (fn == x_movs || fn == x_stos || fn == x_lods)
        regs = 1u << RSI | 1u << RDI | (fn == x_lods ? 1u << RAX : 0) | (in->pfx & (PFX_REP | PFX_REPNE) ? 1u << RCX : 0);
    if (fn == x_rdtsc || fn == x_rdtscp)
        regs = 1u << RAX | 1u << RDX | (fn == x_rdtscp ? 1u << RCX : 0);
    return regs;
}

/* ---- registers ---- */

/* Replaces the guest's registers by the host's. Those that have none are moved through scratch
 * registers: loaded before, stored behind. */
struct renamed {
    struct insn in;
    struct { u8 guest, host; bool store; } moved[3];
    unsigned nr;
};

static bool scratch_free(const struct renamed *n, unsigned host, u32 taken)
{
    for (unsigned i = 0; i < n->nr; i++)
        if (n->moved[i].host == host)
            return false;
    return !(taken >> host & 1);
}

static bool rename_one(struct renamed *n, int i, bool store, u32 taken)
{
    static const u8 scratch[] = { H_RDI, H_R11, H_RSI };
    u8 guest = n->in.reg[i];

    if (host_of_guest[guest] != H_NONE) {
        n->in.reg[i] = host_of_guest[guest];
        return true;
    }
    for (unsigned k = 0; k < n->nr; k++)
        if (n->moved[k].guest == guest) {
            n->in.reg[i] = n->moved[k].host;
            n->moved[k].store |= store;
            return true;
        }
    for (unsigned k = 0; k < ARRAY_LEN(scratch); k++)
        if (scratch_free(n, scratch[k], taken)) {
            n->moved[n->nr].guest = guest;
            n->moved[n->nr].host = n->in.reg[i] = scratch[k];
            n->moved[n->nr++].store = store;
            return true;
        }
    return false;
}

/* taken: host registers that hold something. */
static bool rename_registers(struct renamed *n, const struct insn *in, u32 taken)
{
    const struct isa_row *r = &isa_rows[in->row];

    n->in = *in;
    n->nr = 0;
    for (int i = 0; i < 3; i++) {
        bool store = (i == 0 && writes_first(r)) || (i == 1 && (r->exec == x_xchg || r->exec == x_xadd || r->exec == x_mulx));

        if (in->kind[i] == K_REGH && host_of_guest[in->reg[i]] != in->reg[i])
            return false; /* AH to BH are where they are encoded */
        if (in->kind[i] == K_REG && !rename_one(n, i, store, taken))
            return false;
    }
    return true;
}

static void load_moved(struct translator *t, const struct renamed *n)
{
    for (unsigned i = 0; i < n->nr; i++)
        asm_load(&t->a, 8, n->moved[i].host, gpr_home(n->moved[i].guest));
}

static void store_moved(struct translator *t, const struct renamed *n)
{
    for (unsigned i = 0; i < n->nr; i++)
        if (n->moved[i].store)
            asm_store(&t->a, 8, gpr_home(n->moved[i].guest), n->moved[i].host);
}

/* Rows that 64-bit mode has not, as others that mean the same. */
static void modernise(struct insn *in)
{
    switch (in->row) {
    case ROW_INC_Zv: in->row = ROW_INC_Ev; break;
    case ROW_DEC_Zv: in->row = ROW_DEC_Ev; break;
    case ROW_MOV_ALOb: in->row = ROW_MOV_GbEb; break;
    case ROW_MOV_AXOv: in->row = ROW_MOV_GvEv; break;
    case ROW_MOV_ObAL: in->row = ROW_MOV_EbGb; break;
    case ROW_MOV_OvAX: in->row = ROW_MOV_EvGv; break;
    case ROW_ADD_EbIb_82: in->row = ROW_ADD_EbIb; break;
    case ROW_OR_EbIb_82: in->row = ROW_OR_EbIb; break;
    case ROW_ADC_EbIb_82: in->row = ROW_ADC_EbIb; break;
    case ROW_SBB_EbIb_82: in->row = ROW_SBB_EbIb; break;
    case ROW_AND_EbIb_82: in->row = ROW_AND_EbIb; break;
    case ROW_SUB_EbIb_82: in->row = ROW_SUB_EbIb; break;
    case ROW_XOR_EbIb_82: in->row = ROW_XOR_EbIb; break;
    case ROW_CMP_EbIb_82: in->row = ROW_CMP_EbIb; break;
    }
    in->pfx &= (u8)~PFX_LOCK; /* one thread runs all processors */
}

static int encode(const struct insn *in, u8 bytes[15])
{
    return insn_encode(in, MODE_CODE64, bytes);
}

/* ---- recipes ---- */

/* How the flags that the instruction writes can be made again behind it. */
struct plan {
    bool known;
    bool old_first; /* the first operand's old value goes to slot 0 */
    bool second;    /* the second operand's value goes to slot 1: it is memory, or is overwritten */
    bool result;    /* the result, in R11, goes to slot 0 */
    struct flags_recipe flags;
};

static bool is_plain_reg(const struct insn *in, int i)
{
    return in->kind[i] == K_REG;
}

static u8 second_place(const struct insn *in, struct plan *p, bool first_written)
{
    if (in->kind[1] == K_IMM)
        return PLACE_IMM;
    if (is_plain_reg(in, 1) && !(first_written && is_plain_reg(in, 0) && in->reg[0] == in->reg[1]))
        return in->reg[1];
    if (is_plain_reg(in, 1) && p->old_first)
        return PLACE_SLOT0;
    p->second = true;
    return PLACE_SLOT1;
}

static struct plan make_plan(const struct insn *guest)
{
    struct insn modern = *guest;
    const struct insn *in = &modern;
    const struct isa_row *r = &isa_rows[guest->row];
    exec_fn *fn = r->exec;
    bool mem0 = in->kind[0] == K_MEM, same = is_plain_reg(in, 0) && is_plain_reg(in, 1) && in->reg[0] == in->reg[1];
    struct plan p = { .known = true, .flags = { .size = in->opsz, .a = PLACE_NONE, .b = PLACE_NONE, .imm = (i32)in->imm } };
    struct flags_recipe *f = &p.flags;

    modernise(&modern);
    for (int i = 0; i < 3; i++)
        if (in->kind[i] == K_REGH)
            return (struct plan){ .known = false };
    if (fn == x_cmp || fn == x_test) {
        f->kind = fn == x_cmp ? FLAGS_CMP : FLAGS_TEST;
        p.old_first = mem0;
        f->a = mem0 ? PLACE_SLOT0 : in->reg[0];
        f->b = second_place(in, &p, false);
    } else if (fn == x_and || fn == x_or || fn == x_xor) {
        f->kind = FLAGS_LOGIC;
        p.result = mem0;
        f->a = mem0 ? PLACE_SLOT0 : in->reg[0];
        f->imm = 0;
    } else if ((fn == x_add || fn == x_sub) && !mem0 && !same) {
        f->kind = fn == x_add ? FLAGS_ADD : FLAGS_SUB;
        f->a = in->reg[0];
        f->b = second_place(in, &p, false);
    } else if (fn == x_sub && same) {
        f->kind = FLAGS_CMP;
        f->a = f->b = in->reg[0];
        f->imm = 0;
    } else if (fn == x_neg && !mem0) {
        f->kind = FLAGS_NEG;
        f->a = in->reg[0];
        f->imm = 0;
    } else if (fn == x_add || fn == x_sub || fn == x_shl || fn == x_shr || fn == x_sar || fn == x_imul2 || fn == x_bsf ||
               fn == x_bsr || fn == x_neg) {
        f->kind = FLAGS_ROW;
        f->row = in->row;
        p.old_first = true;
        f->a = PLACE_SLOT0;
        if (fn == x_neg)
            f->imm = 0;
        else if (in->kind[1] == K_REG && (fn == x_shl || fn == x_shr || fn == x_sar))
            return (struct plan){ .known = false };
        else
            f->b = second_place(in, &p, true);
    } else if (fn == x_imul3 || fn == x_popcnt) {
        f->kind = FLAGS_ROW;
        f->row = in->row;
        f->b = second_place(in, &p, true);
    } else {
        p.known = false;
    }
    if (f->b != PLACE_IMM && fn != x_imul3)
        f->imm = 0;
    return p;
}

/* ---- the general form ---- */

static void to_slot(struct translator *t, unsigned n, unsigned host)
{
    asm_store(&t->a, 8, at(H_RBP, offsetof(struct cpu, jit.slot) + 8 * n), host);
}

static void guest_to_slot(struct translator *t, unsigned n, unsigned guest)
{
    unsigned host = host_of_guest[guest];

    if (host == H_NONE) {
        asm_load(&t->a, 8, H_R11, gpr_home(guest));
        host = H_R11;
    }
    to_slot(t, n, host);
}

static unsigned operand_bytes(const struct insn *in, int i)
{
    return i == 0 ? in->opsz : in->srcsz;
}

/* Behind an instruction that has written flags. */
static void flags_written(struct translator *t, const struct plan *p)
{
    if (!t->need[t->index]) {
        t->flags = (struct flags_recipe){ .kind = FLAGS_DEAD };
        t->host_valid = true;
    } else if (p && p->known) {
        t->flags = p->flags;
        t->host_valid = true;
    } else {
        t->flags = (struct flags_recipe){ .kind = FLAGS_DEAD };
        t->host_valid = true; /* they are there, and flags_store() shall not make them again */
        flags_store(t);
        t->host_valid = true;
    }
}

static void protect_written(struct translator *t)
{
    u32 regs = pass_written(t->in);

    if (!t->need[t->index])
        return;
    for (unsigned g = 0; g < 16; g++)
        if (regs >> g & 1)
            flags_protect(t, g);
}

static bool needs_alignment(const struct insn *in, int m)
{
    exec_fn *fn = isa_rows[in->row].exec;

    return operand_bytes(in, m) == 16 && fn != x_movu_load && fn != x_movu_store && fn != x_vec_str_index &&
           fn != x_vec_str_mask;
}

/* Whether it can be encoded in this form; says so before anything is emitted. */
static bool can_pass(const struct insn *in, int m, bool through_reg)
{
    struct renamed n;
    u8 bytes[15];

    if (!rename_registers(&n, in, m >= 0 ? 1u << H_RSI | (through_reg ? 1u << H_R11 : 0) : 0))
        return false;
    if (m >= 0 && through_reg) {
        n.in.kind[m] = K_REG;
        n.in.reg[m] = H_R11;
    } else if (m >= 0) {
        n.in.kind[m] = K_MEM;
        n.in.base = H_RSI;
        n.in.index = NO_REG;
        n.in.scale = 0;
        n.in.disp = 0;
        n.in.seg = DS;
    }
    n.in.adsz = 8;
    modernise(&n.in);
    return encode(&n.in, bytes) > 0;
}

/* mem: where the memory operand m is. */
static void emit_renamed(struct translator *t, const struct insn *in, int m, bool through_reg, struct host_mem mem)
{
    struct renamed n;
    u8 bytes[15];
    int len;

    rename_registers(&n, in, m >= 0 ? 1u << H_RSI | (through_reg ? 1u << H_R11 : 0) : 0);
    if (m >= 0) {
        n.in.kind[m] = through_reg ? K_REG : K_MEM;
        n.in.reg[m] = H_R11;
        n.in.base = mem.base;
        n.in.index = NO_REG;
        n.in.scale = 0;
        n.in.disp = mem.disp;
        n.in.seg = DS;
    }
    n.in.adsz = 8;
    modernise(&n.in);
    load_moved(t, &n);
    if (m < 0 && !scratch_free(&n, H_RSI, 0))
        t->in_rsi = NULL;
    len = encode(&n.in, bytes);
    ASSERT(len > 0);
    asm_bytes(&t->a, bytes, (size_t)len);
    store_moved(t, &n);
}

static bool emit_general(struct translator *t)
{
    const struct insn *in = t->in;
    const struct isa_row *r = &isa_rows[in->row];
    struct assembler *a = &t->a;
    struct flag_use use = flag_use_of(t->c, in);
    int m = memory_operand(in);
    bool reads_mem = m > 0 || (m == 0 && !(r->attr & A_W0)), writes_mem = m == 0 && writes_first(r);
    bool need = use.writes && t->need[t->index], vector = in->kind[0] == K_XMM || in->kind[1] == K_XMM;
    struct plan plan = { .known = false };
    struct host_mem mem = at(H_RSI, 0);
    bool through_reg;

    if (need && !vector && use.sure == F_ARITH && !(use.reads & ~(r->reads & F_ARITH)))
        plan = make_plan(in);
    /* Through R11: where the value is wanted for flags, or where the memory form is another thing. */
    through_reg = m >= 0 && !vector && reads_mem && ((plan.known && (m > 0 ? plan.second : plan.old_first || plan.result)) || r->exec == x_xchg);
    if (m >= 0 && in->kind[m] == K_MOFF)
        through_reg = false;
    if (!can_pass(in, m, through_reg))
        return false;

    if (!use.writes)
        protect_written(t);
    if (m >= 0)
        mem = operand_access(t, in, m, operand_bytes(in, m), writes_mem, needs_alignment(in, m));
    if (use.reads && (t->need[t->index] || (r->reads & F_ARITH)))
        flags_to_host(t);
    if (plan.known && plan.old_first && m != 0)
        guest_to_slot(t, 0, in->reg[0]);
    if (plan.known && plan.second && m != 1)
        guest_to_slot(t, 1, in->reg[1]);
    if (through_reg) {
        asm_load_zx(a, operand_bytes(in, m), H_R11, mem);
        if (plan.known && m == 0 && plan.old_first)
            to_slot(t, 0, H_R11);
        if (plan.known && m == 1)
            to_slot(t, 1, H_R11);
    }
    emit_renamed(t, in, m, through_reg, mem);
    if (through_reg && writes_mem) {
        if (plan.known && plan.result)
            to_slot(t, 0, H_R11);
        asm_store(a, operand_bytes(in, 0), mem, H_R11);
    }
    if (writes_mem)
        wrote_emit(t, operand_bytes(in, 0), mem);
    if (use.writes)
        flags_written(t, &plan);
    if (r->exec == x_mov && m >= 0)
        behind_access(t);
    return true;
}

/* ---- special ones ---- */

static bool emit_lea(struct translator *t)
{
    const struct insn *in = t->in;
    struct assembler *a = &t->a;
    unsigned dst = host_of_guest[in->reg[0]];

    if (t->need[t->index])
        flags_protect(t, in->reg[0]);
    address_emit(t, in, 1, 0);
    if (dst == H_NONE) {
        if (in->opsz == 2)
            asm_store(a, 2, gpr_home(in->reg[0]), H_RSI);
        else {
            if (in->opsz == 4)
                asm_rr(a, 4, 0x8b, H_RSI, H_RSI);
            asm_store(a, 8, gpr_home(in->reg[0]), H_RSI);
        }
    } else {
        asm_rr(a, in->opsz, 0x8b, dst, H_RSI);
    }
    return true;
}

/* What would raise #DE, and a signed dividend that is more than a sign-extended rAX, go to C. */
static bool emit_div(struct translator *t, bool sign)
{
    const struct insn *in = t->in;
    struct assembler *a = &t->a;
    unsigned size = in->opsz, divisor = H_R11;
    bool writes_flags = flag_use_of(t->c, in).writes != 0;

    if (size < 4 || in->kind[0] == K_REGH)
        return false;
    protect_written(t);
    if (in->kind[0] == K_REG) {
        if (host_of_guest[in->reg[0]] != H_NONE)
            asm_mov(a, 8, H_R11, host_of_guest[in->reg[0]]);
        else
            asm_load(a, 8, H_R11, gpr_home(in->reg[0]));
    } else {
        asm_load(a, size, H_R11, operand_access(t, in, 0, size, false, false));
    }
    t->host_valid = false;
    if (sign) {
        asm_mov(a, 8, H_RDI, H_RAX);
        asm_rr(a, size, 0xc1, 7, H_RDI);
        asm_int(a, 8 * size - 1, 1);
        asm_alu_rr(a, ALU_CMP, size, H_RDI, H_RDX);
        exec_if(t, CC_NE);
        asm_lea(a, size, H_RDI, at(H_R11, 1));
        asm_alu_ri(a, ALU_CMP, size, H_RDI, 1);
        exec_if(t, CC_BE);
    } else {
        asm_alu_rr(a, ALU_CMP, size, H_RDX, H_R11);
        exec_if(t, CC_AE);
    }
    if (writes_flags && t->need[t->index]) { /* some stay; to make them takes R11 */
        divisor = H_RSI;
        asm_mov(a, 8, H_RSI, H_R11);
        t->in_rsi = NULL;
        flags_to_host(t);
    }
    asm_rr(a, size, 0xf7, sign ? 7 : 6, divisor);
    if (writes_flags)
        flags_written(t, NULL);
    return true;
}

/* CLD and STD. */
static bool emit_direction(struct translator *t, bool set)
{
    t->host_valid = false;
    asm_alu_mi(&t->a, set ? ALU_OR : ALU_AND, 4, FIELD(eflags), set ? (i32)F_D : ~(i32)F_D);
    return true;
}

/* clock_charge() of as many ticks as the register says; R11 is lost. */
static void charge_emit(struct translator *t, unsigned reg)
{
    struct assembler *a = &t->a;

    asm_rm(a, 8, 0x29, reg, FIELD(budget));
    asm_load(a, 8, H_R11, FIELD(cfg.clk));
    asm_rm(a, 8, 0x01, reg, at(H_R11, offsetof(struct clock, charged)));
}

/* PAUSE lets time pass. What is left of the slice must pay for it and for the rest of the block. */
static bool emit_pause(struct translator *t)
{
    struct assembler *a = &t->a;

    t->host_valid = false;
    asm_load(a, 8, H_RDI, FIELD(jit.pause_ticks));
    asm_alu_rm(a, ALU_CMP, 8, H_RDI, FIELD(budget));
    exec_if(t, CC_G);
    charge_emit(t, H_RDI);
    return true;
}

/* RDTSC and RDTSCP, where nobody forbids them. The budget has been lowered for all of the block. */
static bool emit_rdtsc(struct translator *t)
{
    struct assembler *a = &t->a;

    if ((t->cx->mode & MODE_CPL_MASK) || (t->cx->mode & MODE_VM))
        return false; /* CR4.TSD may */
    protect_written(t);
    t->host_valid = false;
    asm_load(a, 8, H_R11, FIELD(cfg.clk));
    asm_load(a, 8, H_RDX, at(H_R11, offsetof(struct clock, until)));
    asm_alu_rm(a, ALU_SUB, 8, H_RDX, FIELD(budget));
    asm_alu_ri(a, ALU_SUB, 8, H_RDX, (i32)(t->b->nr_ops - t->index));
    asm_alu_rm(a, ALU_ADD, 8, H_RDX, FIELD(msr.tsc_offset));
    asm_rr(a, 4, 0x8b, H_RAX, H_RDX);
    asm_rr(a, 8, 0xc1, 5, H_RDX);
    asm_int(a, 32, 1);
    if (t->in->row == ROW_RDTSCP)
        asm_load(a, 4, H_RCX, FIELD(msr.tsc_aux));
    return true;
}

/* Repeated MOVS and STOS: elements that lie on one page, or on one page each, and do not overlap, as many as the
 * budget pays for (cpu/exec_string.c). */
static void emit_repeated(struct translator *t, bool movs)
{
    const struct insn *in = t->in;
    struct assembler *a = &t->a;
    unsigned size = in->opsz, shift = (unsigned)__builtin_ctz(size), w = code64(t) ? 8 : 4;
    struct host_mem source = FIELD(jit.target);

    asm_lea(a, 8, H_R11, at(H_RCX, -1));
    asm_alu_ri(a, ALU_CMP, 8, H_R11, (i32)(4096 / size - 1));
    exec_if(t, CC_A);
    for (int n = !movs; n < 2; n++) {
        register_access(t, n ? ES : in->seg, n ? RDI : RSI, size, n);
        asm_lea(a, 8, H_RDI, (struct host_mem){ H_R11, H_RCX, (u8)shift, 0 });
        asm_alu_ri(a, ALU_CMP, 8, H_RDI, 4096);
        exec_if(t, CC_A);
        if (!n)
            asm_store(a, 8, source, H_RSI);
    }
    if (movs) { /* what the copy has written must not be read */
        asm_mov(a, 8, H_RDI, H_RSI);
        asm_alu_rm(a, ALU_SUB, 8, H_RDI, source);
        asm_rr(a, 8, 0xc1, 5, H_RDI);
        asm_int(a, shift, 1);
        asm_alu_rr(a, ALU_CMP, 8, H_RDI, H_RCX);
        exec_if(t, CC_B);
    }
    /* a tick for each line but the first in which an element begins */
    asm_lea(a, 4, H_RDI, (struct host_mem){ H_R11, H_RCX, (u8)shift, -(i32)size });
    asm_rr(a, 4, 0xc1, 5, H_RDI);
    asm_int(a, 6, 1);
    asm_rr(a, 4, 0xc1, 5, H_R11);
    asm_int(a, 6, 1);
    asm_alu_rr(a, ALU_SUB, 4, H_RDI, H_R11);
    asm_alu_rm(a, ALU_CMP, 8, H_RDI, FIELD(budget));
    exec_if(t, CC_G);
    charge_emit(t, H_RDI);
    asm_mov(a, 8, H_RDI, H_RSI);
    if (movs) {
        asm_load(a, 8, H_RSI, source);
        asm_lea(a, w, host_of_guest[RSI], (struct host_mem){ host_of_guest[RSI], H_RCX, (u8)shift, 0 });
    }
    asm_lea(a, w, host_of_guest[RDI], (struct host_mem){ host_of_guest[RDI], H_RCX, (u8)shift, 0 });
    asm_int(a, 0xf3, 1);
    asm_prefixes(a, size, 0, H_NONE, H_NONE);
    asm_int(a, sized(movs ? 0xa4 : 0xaa, size), 1);
}

/* MOVS, STOS and LODS, upwards. */
static bool emit_string(struct translator *t)
{
    const struct insn *in = t->in;
    exec_fn *fn = isa_rows[in->row].exec;
    struct assembler *a = &t->a;
    unsigned size = in->opsz, w = code64(t) ? 8 : 4, flat = t->cx->flat;
    bool repeated = in->pfx & (PFX_REP | PFX_REPNE);
    struct host_mem m;

    if (in->adsz != w || (fn != x_movs && fn != x_stos && fn != x_lods))
        return false;
    if (repeated && (fn == x_lods || t->c->cfg.engine.hash_writes || !(code64(t) || (flat >> in->seg & flat >> ES & 1))))
        return false;
    protect_written(t);
    t->host_valid = false;
    asm_rm(a, 4, 0xf7, 0, FIELD(eflags));
    asm_int(a, F_D, 4);
    exec_if(t, CC_NE);
    if (repeated) {
        emit_repeated(t, fn == x_movs);
        return true;
    }
    if (fn != x_stos) {
        m = register_access(t, in->seg, RSI, size, false);
        if (fn == x_lods)
            asm_load(a, size, H_RAX, m);
        else
            asm_load_zx(a, size, H_R11, m);
    }
    if (fn == x_movs) {
        asm_store(a, 8, FIELD(jit.target), H_R11);
        m = register_access(t, ES, RDI, size, true);
        asm_load(a, 8, H_R11, FIELD(jit.target));
        asm_store(a, size, m, H_R11);
    } else if (fn == x_stos) {
        m = register_access(t, ES, RDI, size, true);
        asm_store(a, size, m, H_RAX);
    }
    if (fn != x_lods)
        wrote_emit(t, size, m);
    if (fn != x_stos)
        asm_lea(a, w, host_of_guest[RSI], at(host_of_guest[RSI], size));
    if (fn != x_lods)
        asm_lea(a, w, host_of_guest[RDI], at(host_of_guest[RDI], size));
    return true;
}

/* ---- x87 ---- */

static void x87_ready(struct translator *t)
{
    u8 *from;

    if (t->x87_checked)
        return;
    t->x87_checked = true;
    t->host_valid = false;
    t->in_rsi = NULL;
    asm_alu_mi(&t->a, ALU_CMP, 1, FIELD(jit.x87_native), 0);
    from = asm_jcc(&t->a, CC_E);
    stub_add(t, THUNK_X87, site_new(t, SITE_ENTRY, 0, ASM_RX(&t->a, t->a.p)), from);
}

static bool emit_x87(struct translator *t)
{
    const struct insn *in = t->in;
    exec_fn *fn = isa_rows[in->row].exec;
    bool mem = in->kind[0] == K_MEM;
    struct host_mem m = at(H_RSI, 0);

    if (t->cx->mode & MODE_EM_TS)
        return false;
    if (fn == x_fnstsw && mem)
        return false;
    if (mem && in->opsz == 10 && in->adsz == 2) /* the address may wrap between its parts */
        return false;
    if (!can_pass(in, mem ? 0 : -1, false))
        return false;
    if (fn == x_fnstsw && t->need[t->index])
        flags_protect(t, RAX);
    x87_ready(t);
    if (mem)
        m = operand_access(t, in, 0, in->opsz, fn == x_x87_store, false);
    emit_renamed(t, in, mem ? 0 : -1, false, m);
    if (fn == x_x87_store)
        wrote_emit(t, in->opsz, m);
    return true;
}

/* ---- which is which ---- */

static bool uses_mmx(const struct insn *in)
{
    for (int i = 0; i < 3; i++)
        if (in->kind[i] == K_MMX)
            return true;
    return isa_rows[in->row].attr & A_X87;
}

/* By its row: an operand that could be a vector register may be memory, and MXCSR counts all the same. */
static bool uses_vec(const struct insn *in)
{
    for (int i = 0; i < 3; i++) {
        u8 l = isa_rows[in->row].op[i].letter;

        if (l == OP_V || l == OP_W || l == OP_U)
            return true;
    }
    return false;
}

bool pass_uses_vec(const struct insn *in)
{
    return uses_vec(in) && !uses_mmx(in) && isa_rows[in->row].jit == JIT_PASS;
}

bool pass_is_x87(const struct insn *in)
{
    exec_fn *fn = isa_rows[in->row].exec;

    return fn == x_x87 || fn == x_x87_load || fn == x_x87_store || fn == x_fnstsw;
}

/* Rows whose function is called although the table says PASS, or in this form or mode. */
static bool runs_in_c(const struct translator *t, const struct insn *in)
{
    const struct isa_row *r = &isa_rows[in->row];
    exec_fn *fn = r->exec;

    if (r->jit != JIT_PASS || uses_mmx(in) || (uses_vec(in) && (t->cx->mode & MODE_NO_SSE)) ||
        !silicon_exact(&t->c->silicon, in->row))
        return true;
    if (fn == x_clflush || fn == x_cmpxchg8b || fn == x_maskmovdqu)
        return true;
    if ((fn == x_bt || fn == x_bts || fn == x_btr || fn == x_btc) && in->kind[0] == K_MEM && in->kind[1] == K_REG)
        return true; /* reaches beyond the operand */
    return in->opsz == 2 && (fn == x_shld || fn == x_shrd || fn == x_bswap); /* left open by the manual, and odd */
}

bool emit_pass(struct translator *t)
{
    const struct insn *in = t->in;
    const struct isa_row *r = &isa_rows[in->row];
    exec_fn *fn = r->exec;

    if (pass_is_x87(in))
        return emit_x87(t);
    if (fn == x_cld || fn == x_std)
        return emit_direction(t, fn == x_std);
    if (fn == x_rdtsc || fn == x_rdtscp)
        return emit_rdtsc(t);
    if (r->jit == JIT_STRING)
        return emit_string(t);
    if (runs_in_c(t, in))
        return false;
    if (fn == x_nop)
        return true;
    if (fn == x_nop_pause)
        return in->pfx & PFX_REP ? emit_pause(t) : true;
    if (fn == x_lea)
        return emit_lea(t);
    if (fn == x_div || fn == x_idiv)
        return emit_div(t, fn == x_idiv);
    return emit_general(t);
}

bool pass_is_quiet(const struct translator *t, const struct insn *in)
{
    exec_fn *fn = isa_rows[in->row].exec;

    if (fn == x_cld || fn == x_std || fn == x_nop || fn == x_lea)
        return true;
    if (runs_in_c(t, in) || memory_operand(in) >= 0 || fn == x_div || fn == x_idiv || fn == x_nop_pause)
        return false;
    return can_pass(in, -1, false);
}
