/*
 * PUSHF and POPF at level 0. SYSCALL and SYSRETQ between 64-bit code: what cpu/exec_far.c does, with all worked out beforehand that does not depend
 * on MSRs and flags. What is unusual - SCE clear, flags that change more than the level does, an interrupt that the new
 * flags may let through, a target that is not in the table of jumps - goes to C before anything has been changed.
 */
#include "jit/translator.h"
#include "cpu/segment.h"

exec_fn x_syscall, x_sysret, x_pushf, x_popf;

void segment_become(struct translator *t, unsigned seg, const struct seg *s)
{
    i64 to = (i64)(offsetof(struct cpu, seg) + seg * sizeof(*s));

    store_imm(t, 4, s->sel | (u32)s->attr << 16, at(H_RBP, to + (i64)offsetof(struct seg, sel)));
    store_imm(t, 4, s->limit, at(H_RBP, to + (i64)offsetof(struct seg, limit)));
    store_imm(t, 8, s->base, at(H_RBP, to + (i64)offsetof(struct seg, base)));
    store_imm(t, 2, s->usable | s->fast << 8, at(H_RBP, to + (i64)offsetof(struct seg, usable)));
    store_imm(t, 8, s->room_r, at(H_RBP, to + (i64)offsetof(struct seg, room_r)));
    store_imm(t, 8, s->room_w, at(H_RBP, to + (i64)offsetof(struct seg, room_w)));
}
_Static_assert(offsetof(struct seg, attr) == offsetof(struct seg, sel) + 2, "they are stored together");
_Static_assert(offsetof(struct seg, fast) == offsetof(struct seg, usable) + 1, "so are they");

/* The same, with the selector that STAR has from that bit on, plus `add`. */
static void segment_by_star(struct translator *t, unsigned seg, const struct seg *s, unsigned star_bit, i32 add)
{
    struct assembler *a = &t->a;

    segment_become(t, seg, s);
    asm_load_zx(a, 2, H_RSI, at(H_RBP, (i64)offsetof(struct cpu, msr.star) + star_bit / 8));
    asm_alu_ri(a, ALU_ADD, 4, H_RSI, add);
    asm_alu_ri(a, ALU_AND, 4, H_RSI, ~3);
    asm_alu_ri(a, ALU_OR, 4, H_RSI, s->attr >> SEG_DPL_SHIFT & 3);
    asm_store(a, 2, at(H_RBP, (i64)(offsetof(struct cpu, seg) + seg * sizeof(*s) + offsetof(struct seg, sel))), H_RSI);
}

void probe_target(struct translator *t, u32 context)
{
    struct assembler *a = &t->a;

    jump_entry_emit(t);
    asm_alu_mi(a, ALU_CMP, 4, at(H_RDI, offsetof(struct jump_entry, context_epoch)), (i32)context);
    exec_if(t, CC_NE);
    asm_load(a, 4, H_RSI, FIELD(jit.epoch));
    asm_alu_rm(a, ALU_CMP, 4, H_RSI, at(H_RDI, offsetof(struct jump_entry, context_epoch) + 4));
    exec_if(t, CC_NE);
    asm_load(a, 8, H_RSI, at(H_RDI, offsetof(struct jump_entry, host)));
    asm_store(a, 8, FIELD(jit.target), H_RSI);
}

void eflags_emit(struct translator *t)
{
    struct assembler *a = &t->a;

    asm_load_zx(a, 2, H_RDI, FIELD(jit.flags));
    asm_mov(a, 4, H_RSI, H_RDI);
    asm_rr(a, 4, 0xc1, 5, H_RSI);
    asm_int(a, 8, 1);
    asm_alu_ri(a, ALU_AND, 4, H_RSI, F_S | F_Z | F_A | F_P | F_C);
    asm_alu_ri(a, ALU_AND, 4, H_RDI, 1);
    asm_rr(a, 4, 0xc1, 4, H_RDI);
    asm_int(a, 11, 1);
    asm_alu_rr(a, ALU_OR, 4, H_RSI, H_RDI);
    asm_load(a, 4, H_RDI, FIELD(eflags));
    asm_alu_ri(a, ALU_AND, 4, H_RDI, ~(i32)(F_ARITH | F_RF));
    asm_alu_rr(a, ALU_OR, 4, H_RSI, H_RDI);
}

void eflags_become(struct translator *t)
{
    struct assembler *a = &t->a;

    asm_store(a, 4, FIELD(eflags), H_RDI);
    asm_rr(a, 1, 0x0fb6, H_RSI, H_RDI);
    asm_rr(a, 4, 0xc1, 4, H_RSI);
    asm_int(a, 8, 1);
    asm_rr(a, 4, 0xc1, 5, H_RDI);
    asm_int(a, 11, 1);
    asm_alu_ri(a, ALU_AND, 4, H_RDI, 1);
    asm_alu_rr(a, ALU_OR, 4, H_RSI, H_RDI);
    asm_store(a, 2, FIELD(jit.flags), H_RSI);
}

void test_odd_flags(struct translator *t)
{
    asm_rr(&t->a, 4, 0xf7, 0, H_RDI);
    asm_int(&t->a, ODD_FLAGS, 4);
    exec_if(t, CC_NE);
}

bool level_context(struct translator *t, unsigned cpl, struct context *to, u32 *number)
{
    memset(to, 0, sizeof(*to)); /* they are compared with their padding */
    to->mode = (t->cx->mode & ~(u32)MODE_CPL_MASK) | cpl << MODE_CPL_SHIFT;
    to->set = cpl ? FAST_USER : FAST_SUPERVISOR;
    *number = context_number(t->j, to);
    return *number != MAX_CONTEXTS;
}

void enter_context(struct translator *t, const struct context *to, u32 number)
{
    struct assembler *a = &t->a;
    unsigned set = t->c->cfg.engine.hash_writes ? FAST_NONE : to->set;

    store_imm(t, 4, to->mode >> MODE_CPL_SHIFT & 3, FIELD(cpl));
    store_imm(t, 4, to->mode, FIELD(mode));
    store_imm(t, 4, number, FIELD(jit.context));
    asm_lea(a, 8, H_RSI, at(H_RBP, (i64)(offsetof(struct cpu, fast_sets) + set * sizeof(struct fast_set))));
    asm_store(a, 8, FIELD(fast), H_RSI);
    asm_rm(a, 4, 0xff, 4, FIELD(jit.target));
}

/* CS, SS, the level, and what follows from it. */
static void enter_level(struct translator *t, const struct context *to, u32 context)
{
    unsigned cpl = to->mode >> MODE_CPL_SHIFT & 3, star_bit = cpl ? 48 : 32;
    struct seg cs = { 0 }, ss = { 0 };

    seg_set_flat(&cs, 0, SEG_CODE | cpl << SEG_DPL_SHIFT | SEG_L);
    seg_set_flat(&ss, 0, cpl << SEG_DPL_SHIFT | SEG_DB);
    segment_by_star(t, CS, &cs, star_bit, cpl ? 16 : 0);
    segment_by_star(t, SS, &ss, star_bit, 8);
    enter_context(t, to, context);
}

bool emit_system_call(struct translator *t, u64 next)
{
    struct assembler *a = &t->a;
    bool call = isa_rows[t->in->row].exec == x_syscall;
    struct context to;
    u32 context;

    if (!code64(t) || (!call && t->in->opsz != 8) || (t->cx->mode & MODE_AC) || !level_context(t, call ? 0 : 3, &to, &context))
        return false;

    flags_store(t);
    t->host_valid = false;
    asm_rm(a, 4, 0xf7, 0, FIELD(msr.efer));
    asm_int(a, EFER_SCE, 4);
    exec_if(t, CC_E);
    if (call) {
        asm_load(a, 8, H_R11, FIELD(msr.lstar));
        probe_target(t, context);
        eflags_emit(t);
        asm_load(a, 4, H_RDI, FIELD(msr.fmask));
        asm_rr(a, 4, 0xf7, 2, H_RDI);
        asm_alu_rr(a, ALU_AND, 4, H_RDI, H_RSI);
        asm_alu_ri(a, ALU_OR, 4, H_RDI, F_1);
        test_odd_flags(t);
        asm_alu_ri(a, ALU_OR, 4, H_RSI, F_1);
        asm_store(a, 8, gpr_home(R11), H_RSI);
        asm_mov_imm(a, H_RCX, next);
    } else {
        asm_mov(a, 8, H_R11, H_RCX);
        probe_target(t, context);
        asm_load(a, 4, H_RDI, gpr_home(R11));
        asm_alu_ri(a, ALU_AND, 4, H_RDI, SYSRET_FLAGS);
        asm_alu_ri(a, ALU_OR, 4, H_RDI, F_1);
        test_odd_flags(t);
        asm_alu_mi(a, ALU_CMP, 4, FIELD(attention), 0);
        exec_if(t, CC_NE);
    }
    eflags_become(t);
    enter_level(t, &to, context);
    return true;
}

void popped_flags_check(struct translator *t, u32 same, u32 clear)
{
    struct assembler *a = &t->a;

    asm_load(a, 4, H_RDI, FIELD(eflags));
    asm_alu_rr(a, ALU_XOR, 4, H_RDI, H_R11);
    asm_rr(a, 4, 0xf7, 0, H_RDI);
    asm_int(a, same, 4);
    exec_if(t, CC_NE);
    asm_load(a, 4, H_RDI, FIELD(eflags));
    asm_rr(a, 4, 0xf7, 0, H_RDI);
    asm_int(a, clear, 4);
    exec_if(t, CC_NE);
}

void popped_flags_become(struct translator *t)
{
    enum { POPPED = F_ARITH | F_D | F_I };
    struct assembler *a = &t->a;

    t->in_rsi = NULL;
    asm_load(a, 4, H_RDI, FIELD(eflags));
    asm_alu_ri(a, ALU_AND, 4, H_RDI, ~(POPPED | F_RF));
    asm_alu_ri(a, ALU_AND, 4, H_R11, POPPED);
    asm_alu_rr(a, ALU_OR, 4, H_RDI, H_R11);
    eflags_become(t);
}

/* At level 0. A POPF that changes more than arithmetic flags, DF and IF goes to C, and one that may let an interrupt
 * through. */
bool emit_flags_stack(struct translator *t)
{
    struct assembler *a = &t->a;
    unsigned size = t->in->opsz;
    struct host_mem m;

    if ((t->cx->mode & (MODE_CPL_MASK | MODE_VM)) || size == 2)
        return false;
    flags_store(t);
    t->host_valid = false;
    if (isa_rows[t->in->row].exec == x_pushf) {
        eflags_emit(t);
        asm_store(a, 8, FIELD(jit.target), H_RSI);
        m = stack_access(t, RSP, -(i64)size, size, true);
        asm_load(a, 8, H_R11, FIELD(jit.target));
        asm_store(a, size, m, H_R11);
        wrote_emit(t, size, m);
        set_sp_emit(t, RSP, -(i32)size);
        return true;
    }
    asm_load_zx(a, 4, H_R11, stack_access(t, RSP, 0, size, false));
    popped_flags_check(t, F_T | F_NT | F_AC | F_ID | F_IOPL, F_VIF | F_VIP);
    asm_alu_mi(a, ALU_CMP, 4, FIELD(attention), 0);
    exec_if(t, CC_NE);
    popped_flags_become(t);
    set_sp_emit(t, RSP, (i32)size);
    return true;
}
