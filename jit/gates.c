/*
 * INT n from level 3 to level 0, and IRET in 64-bit code: what cpu/event.c and cpu/exec_far.c do, for the gate and the
 * segments that there were when it was translated.
 *
 * That they are still the same is seen by comparing: the gate and the descriptors are read each time, where the
 * processor would read them, and must be the words that the code was made for. All is looked at before anything is
 * changed: what is missing in the supervisor's fast set, has another value, or is unusual, goes to C.
 */
#include "jit/translator.h"
#include "core/clock.h"
#include "core/mem_view.h"
#include "cpu/operand.h"
#include "cpu/segment.h"
#include "mmu/mmu.h"

exec_fn x_iret;

enum { SLOT_SP, SLOT_FRAME }; /* of cpu.jit.range, which no range has behind a block's last instruction */

static struct host_mem kept(unsigned slot)
{
    return at(H_RBP, (i64)offsetof(struct cpu, jit.range) + 8 * slot);
}

/* Eight bytes of a table, without side effects. */
static bool peek(struct cpu *c, u64 lin, u64 *v)
{
    u64 pa;

    if ((lin & 0xfff) > 0xff8 || !mmu_peek(c, lin, &pa) || mem_view_page(c->cfg.view, pa).read_off >= MEM_PASS)
        return false;
    *v = mem_read(c->cfg.view, pa, 8);
    return true;
}

static bool peek_descriptor(struct cpu *c, u16 sel, u64 *d)
{
    if (sel & 4 || !(sel & ~7) || (sel | 7) > c->gdtr.limit || !peek(c, c->gdtr.base + (sel & ~7), d))
        return false;
    *d |= BIT(40); /* until it has been accessed, C runs */
    return true;
}

/* RSI = the host's address of `span` bytes at [base] + off, where a system access may read them. */
static void system_access(struct translator *t, i64 base, i32 off, unsigned span)
{
    asm_load(&t->a, 8, H_RSI, at(H_RBP, base));
    asm_alu_ri(&t->a, ALU_ADD, 8, H_RSI, off);
    set_access(t, FAST_SUPERVISOR, span, false);
}

static void must_reach(struct translator *t, i64 limit, unsigned last)
{
    asm_load_zx(&t->a, 2, H_RDI, at(H_RBP, limit));
    asm_alu_ri(&t->a, ALU_CMP, 4, H_RDI, (i32)last);
    exec_if(t, CC_B);
}

static void must_be(struct translator *t, struct host_mem m, u64 v)
{
    asm_mov_imm(&t->a, H_R11, v);
    asm_alu_rm(&t->a, ALU_CMP, 8, H_R11, m);
    exec_if(t, CC_NE);
}

static void same_descriptor(struct translator *t, u16 sel, u64 d)
{
    must_reach(t, offsetof(struct cpu, gdtr.limit), sel | 7);
    system_access(t, offsetof(struct cpu, gdtr.base), sel & ~7, 8);
    must_be(t, at(H_RSI, 0), d);
}

/* RDI = icount behind the block. */
static void icount_emit(struct translator *t)
{
    struct assembler *a = &t->a;

    asm_load(a, 8, H_R11, FIELD(cfg.clk));
    asm_load(a, 8, H_RDI, at(H_R11, offsetof(struct clock, until)));
    asm_alu_rm(a, ALU_SUB, 8, H_RDI, FIELD(budget));
    asm_alu_rm(a, ALU_SUB, 8, H_RDI, at(H_R11, offsetof(struct clock, charged)));
}

/* record() of cpu/event.c. */
static void record_emit(struct translator *t, u8 vector, u64 next)
{
    struct assembler *a = &t->a;
#define EVENT(f) (struct host_mem){ H_RBP, H_RSI, 0, (i32)(offsetof(struct cpu, events) + offsetof(struct event_record, f)) }

    icount_emit(t);
    asm_alu_ri(a, ALU_SUB, 8, H_RDI, 1); /* INT has not retired */
    asm_load(a, 4, H_RSI, FIELD(nr_events));
    asm_alu_mi(a, ALU_ADD, 8, FIELD(nr_events), 1);
    asm_alu_ri(a, ALU_AND, 4, H_RSI, EVENT_RING - 1);
    asm_rr(a, 4, 0x69, H_RSI, H_RSI);
    asm_int(a, sizeof(struct event_record), 4);
    store_imm(t, 4, vector | 3 << 8 | (u32)EVENT_SOFT << 24, EVENT(vector));
    store_imm(t, 2, (u16)DELIVER_NONE, EVENT(during));
    store_imm(t, 4, 0, EVENT(lost));
    store_imm(t, 4, 0, EVENT(error));
    store_imm(t, 4, t->cx->mode, EVENT(mode));
    asm_store(a, 8, EVENT(icount), H_RDI);
    asm_mov_imm(a, H_RDI, next);
    asm_store(a, 8, EVENT(rip), H_RDI);
    asm_alu_rm(a, ALU_ADD, 8, H_RDI, FIELD(seg[CS].base));
    asm_store(a, 8, EVENT(lin_rip), H_RDI);
    asm_store(a, 8, EVENT(pc), H_RDI);
    asm_store(a, 8, EVENT(rsp), host_of_guest[RSP]);
    asm_store(a, 8, EVENT(rax), H_RAX);
    asm_load(a, 8, H_RDI, FIELD(cr2));
    asm_store(a, 8, EVENT(cr2), H_RDI);
    asm_load_zx(a, 2, H_RDI, FIELD(seg[CS].sel));
    asm_store(a, 2, EVENT(cs), H_RDI);
    asm_load_zx(a, 2, H_RDI, FIELD(seg[SS].sel));
    asm_store(a, 2, EVENT(ss), H_RDI);
#undef EVENT
}
_Static_assert(offsetof(struct event_record, kind) == 3 && offsetof(struct event_record, cpl) == 1 &&
               offsetof(struct event_record, error) == offsetof(struct event_record, lost) + 2 * 2, "they are stored together");

/* A word of the frame, whose host address is in RSI, as the processor pushes it. */
static void frame_store(struct translator *t, unsigned at_byte, unsigned host)
{
    struct host_mem m = at(H_RSI, at_byte);

    asm_store(&t->a, 8, m, host);
    wrote_emit(t, 8, m);
}

static bool gate_for_level_0(struct translator *t, u8 vector, u64 gate[2], u64 *code)
{
    struct cpu *c = t->c;
    u64 off = vector * 16u;

    return off + 15 <= c->idtr.limit && peek(c, c->idtr.base + off, &gate[0]) && peek(c, c->idtr.base + off + 8, &gate[1]) &&
           !desc_s(gate[0]) && (desc_type(gate[0]) == SYS_INT || desc_type(gate[0]) == SYS_TRAP) && desc_dpl(gate[0]) == 3 &&
           desc_present(gate[0]) && !(gate[0] >> 32 & 7) && peek_descriptor(c, (u16)(gate[0] >> 16), code) && desc_is_code(*code) &&
           !desc_conforming(*code) && desc_dpl(*code) == 0 && bits(*code, 54, 53) == 1 && desc_present(*code);
}

static bool emit_int(struct translator *t, u8 vector, u64 next)
{
    struct assembler *a = &t->a;
    unsigned sp = host_of_guest[RSP];
    struct context to;
    u32 context;
    u64 gate[2], code;
    struct seg cs, ss = { 0 };
    u16 sel;

    if ((t->cx->mode & (MODE_CPL_MASK | MODE_AC)) != MODE_CPL_MASK || !gate_for_level_0(t, vector, gate, &code) ||
        !level_context(t, 0, &to, &context))
        return false;
    sel = (u16)(gate[0] >> 16) & ~3u;

    flags_store(t);
    t->host_valid = false;
    asm_alu_mi(a, ALU_CMP, 8, FIELD(observer), 0);
    exec_if(t, CC_NE);
    asm_load(a, 4, H_RDI, FIELD(eflags));
    test_odd_flags(t);
    must_reach(t, offsetof(struct cpu, idtr.limit), vector * 16u + 15);
    system_access(t, offsetof(struct cpu, idtr.base), vector * 16, 16);
    must_be(t, at(H_RSI, 0), gate[0]);
    asm_alu_mi(a, ALU_CMP, 4, at(H_RSI, 8), (i32)gate[1]);
    exec_if(t, CC_NE);
    same_descriptor(t, sel, code);
    asm_alu_mi(a, ALU_CMP, 1, FIELD(tr.usable), 0);
    exec_if(t, CC_E);
    asm_alu_mi(a, ALU_CMP, 4, FIELD(tr.limit), 11);
    exec_if(t, CC_B);
    system_access(t, offsetof(struct cpu, tr.base), 4, 8);
    asm_load(a, 8, H_RSI, at(H_RSI, 0));
    asm_alu_ri(a, ALU_AND, 8, H_RSI, ~15);
    asm_alu_ri(a, ALU_SUB, 8, H_RSI, 40);
    asm_store(a, 8, kept(SLOT_SP), H_RSI);
    set_access(t, FAST_SUPERVISOR, 40, true);
    asm_store(a, 8, kept(SLOT_FRAME), H_RSI);
    asm_mov_imm(a, H_R11, bits(gate[0], 15, 0) | bits(gate[0], 63, 48) << 16 | gate[1] << 32);
    probe_target(t, context);

    record_emit(t, vector, next);
    eflags_emit(t);
    asm_mov(a, 4, H_R11, H_RSI);
    asm_load(a, 8, H_RSI, kept(SLOT_FRAME));
    asm_load_zx(a, 2, H_RDI, FIELD(seg[SS].sel));
    frame_store(t, 32, H_RDI);
    frame_store(t, 24, sp);
    frame_store(t, 16, H_R11);
    asm_load_zx(a, 2, H_RDI, FIELD(seg[CS].sel));
    frame_store(t, 8, H_RDI);
    asm_mov_imm(a, H_RDI, next);
    frame_store(t, 0, H_RDI);
    asm_load(a, 8, sp, kept(SLOT_SP));
    asm_alu_mi(a, ALU_AND, 4, FIELD(eflags), ~(i32)(F_NT | F_RF | F_VM | (desc_type(gate[0]) & 1 ? 0 : F_I)));
    seg_make(&cs, sel, code);
    segment_become(t, CS, &cs);
    segment_become(t, SS, &ss);
    enter_context(t, &to, context);
    return true;
}

/* What a return to the level is taken to load: 64-bit code, by the selectors that SYSRET loads, or as it runs now. */
struct way_back {
    u16 cs, ss;
    u64 code, stack; /* descriptors; stack: 0 where SS is null */
};

static bool way_back(struct translator *t, unsigned cpl, struct way_back *w)
{
    struct cpu *c = t->c;
    u16 star = (u16)(c->msr.star >> 48);

    w->cs = cpl ? (u16)(star + 16) | 3 : c->seg[CS].sel;
    w->ss = cpl ? (u16)(star + 8) | 3 : c->seg[SS].sel;
    w->stack = 0;
    return peek_descriptor(c, w->cs, &w->code) && desc_is_code(w->code) && !desc_conforming(w->code) &&
           desc_dpl(w->code) == cpl && (w->cs & 3) == cpl && bits(w->code, 54, 53) == 1 && desc_present(w->code) &&
           ((!cpl && !w->ss) ||
            (peek_descriptor(c, w->ss, &w->stack) && desc_s(w->stack) && (desc_type(w->stack) & (SEG_CODE | SEG_RW)) == SEG_RW &&
             desc_dpl(w->stack) == cpl && (w->ss & 3) == cpl && desc_present(w->stack)));
}

/* seg_drop_privileged() would change none: they are null, or of level 3. */
static void data_segments_stay(struct translator *t)
{
    static const u8 data_segs[] = { ES, DS, FS, GS };
    struct assembler *a = &t->a;

    for (unsigned i = 0; i < ARRAY_LEN(data_segs); i++) {
        u8 *null;

        asm_load(a, 4, H_RDI, at(H_RBP, (i64)(offsetof(struct cpu, seg) + data_segs[i] * sizeof(struct seg))));
        asm_rr(a, 4, 0x85, H_RDI, H_RDI);
        null = asm_jcc(a, CC_E);
        asm_alu_ri(a, ALU_AND, 4, H_RDI, 3 << (SEG_DPL_SHIFT + 16));
        asm_alu_ri(a, ALU_CMP, 4, H_RDI, 3 << (SEG_DPL_SHIFT + 16));
        exec_if(t, CC_NE);
        asm_patch(null, a->p);
    }
}

/* The frame's host address is in SLOT_FRAME. */
static void emit_way_back(struct translator *t, unsigned cpl, const struct way_back *w, const struct context *to, u32 context)
{
    struct assembler *a = &t->a;
    struct seg cs, ss = { .sel = w->ss };
    u8 *no_rf;

    asm_load(a, 8, H_RSI, kept(SLOT_FRAME));
    asm_load_zx(a, 2, H_RDI, at(H_RSI, 8));
    asm_alu_ri(a, ALU_CMP, 4, H_RDI, w->cs);
    exec_if(t, CC_NE);
    asm_load_zx(a, 2, H_RDI, at(H_RSI, 32));
    asm_alu_ri(a, ALU_CMP, 4, H_RDI, w->ss);
    exec_if(t, CC_NE);
    asm_load(a, 4, H_R11, at(H_RSI, 16));
    popped_flags_check(t, F_T | F_NT | F_AC | F_ID | F_IOPL | F_VIF | F_VIP, ODD_FLAGS | F_NT);
    same_descriptor(t, w->cs, w->code);
    if (w->stack)
        same_descriptor(t, w->ss, w->stack);
    if (cpl)
        data_segments_stay(t);
    asm_load(a, 8, H_RSI, kept(SLOT_FRAME));
    asm_load(a, 8, H_R11, at(H_RSI, 0));
    probe_target(t, context);
    /* RF goes before the next instruction, where that does not show it (find_past_rf()). */
    asm_load(a, 8, H_RSI, kept(SLOT_FRAME));
    asm_rm(a, 4, 0xf7, 0, at(H_RSI, 16));
    asm_int(a, F_RF, 4);
    no_rf = asm_jcc(a, CC_E);
    asm_alu_mi(a, ALU_CMP, 1, at(H_RDI, offsetof(struct jump_entry, past_rf)), 0);
    exec_if(t, CC_E);
    icount_emit(t);
    asm_store(a, 8, FIELD(jit.rf_icount), H_RDI);
    asm_patch(no_rf, a->p);

    asm_rm(a, 1, 0xc6, 0, FIELD(nmi_masked));
    asm_int(a, false, 1);
    asm_load(a, 4, H_R11, at(H_RSI, 16));
    asm_load(a, 8, host_of_guest[RSP], at(H_RSI, 24));
    popped_flags_become(t);
    seg_make(&cs, w->cs, w->code);
    if (w->stack)
        seg_make(&ss, w->ss, w->stack);
    segment_become(t, CS, &cs);
    segment_become(t, SS, &ss);
    enter_context(t, to, context);
}

static bool emit_iret(struct translator *t)
{
    struct assembler *a = &t->a;
    struct way_back user, same;
    struct context to[2];
    u32 context[2];
    u8 *inner;

    if ((t->cx->mode & (MODE_CPL_MASK | MODE_AC)) || !way_back(t, 3, &user) || !way_back(t, 0, &same) ||
        !level_context(t, 3, &to[1], &context[1]) || !level_context(t, 0, &to[0], &context[0]))
        return false;
    flags_store(t);
    t->host_valid = false;
    asm_alu_mi(a, ALU_CMP, 4, FIELD(attention), 0);
    exec_if(t, CC_NE);
    register_access(t, SS, RSP, 40, false);
    asm_store(a, 8, kept(SLOT_FRAME), H_RSI);
    asm_rm(a, 1, 0xf6, 0, at(H_RSI, 8));
    asm_int(a, 3, 1);
    inner = asm_jcc(a, CC_E);
    emit_way_back(t, 3, &user, &to[1], context[1]);
    asm_patch(inner, a->p);
    emit_way_back(t, 0, &same, &to[0], context[0]);
    return true;
}

bool emit_gate(struct translator *t, u64 next)
{
    if (!code64(t) || t->c->cfg.engine.stop_at_blocks)
        return false;
    if (isa_rows[t->in->row].exec == x_iret)
        return t->in->opsz == 8 && emit_iret(t);
    return emit_int(t, (u8)t->in->imm, next);
}
