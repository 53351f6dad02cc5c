/*
 * Near control flow and the stack in translated code.
 */
#include "jit/translator.h"
#include "core/mem_view.h"
#include "cpu/operand.h"

exec_fn x_jcc, x_jmp, x_call, x_ret, x_jmp_e, x_call_e, x_loop, x_jcxz, x_push, x_pop, x_leave, x_pushf, x_popf, x_syscall, x_sysret,
    x_int, x_iret;

/* ---- ways out ---- */

static u8 *cmp_epoch(struct translator *t, const u32 *epoch)
{
    struct assembler *a = &t->a;

    asm_load(a, 4, H_RSI, FIELD(jit.epoch));
    asm_rip(a, 4, 0x3b, H_RSI, epoch);
    return asm_jcc(a, CC_NE);
}

/* The target begins with the recipe that the edge's flags are made by. */
void emit_edge(struct translator *t, unsigned n, u64 rip, int cc)
{
    struct assembler *a = &t->a;
    struct edge *e = &t->t->out[n];
    u64 lin = code64(t) ? 0 : t->cx->cs_base;
    bool border = ((lin + rip) ^ (lin + t->t->rip)) >> PAGE_SHIFT;
    u8 *from;
    u32 word;

    *e = (struct edge){ .from = t->t, .rip = rip, .flags = recipe_number(t->j, &t->flags),
                        .epoch = t->c->fetch_epoch - 1 };
    word = site_new(t, SITE_EDGE, 0, NULL);
    if (!a->full)
        t->j->site[word].edge = (u8)n;
    if (!border) {
        e->rel = cc < 0 ? asm_jmp(a) : asm_jcc(a, (unsigned)cc);
        stub_add(t, THUNK_EDGE, word, e->rel);
        t->edge_stub[n] = (int)t->nr_stubs - 1;
        return;
    }
    if (cc >= 0) {
        u8 *skip = asm_jcc(a, (unsigned)cc ^ 1);
        bool valid = t->host_valid;

        from = cmp_epoch(t, &e->epoch);
        e->rel = asm_jmp(a);
        asm_patch(skip, a->p);
        t->host_valid = valid; /* not taken: the flags are as they were */
    } else {
        from = cmp_epoch(t, &e->epoch);
        e->rel = asm_jmp(a);
    }
    stub_add(t, THUNK_EDGE, word, from);
    if (!a->full) {
        t->stub[t->nr_stubs - 1].from[1] = e->rel;
        t->stub[t->nr_stubs - 1].nr_from = 2;
    }
    t->edge_stub[n] = (int)t->nr_stubs - 1;
}

void before_edges(struct translator *t)
{
    if (t->flags.kind != FLAGS_STORED && recipe_number(t->j, &t->flags) == 0)
        flags_store(t);
}

static bool near_target(const struct translator *t, u64 target, unsigned opsz, u64 *rip)
{
    if (code64(t)) {
        *rip = target;
        return opsz == 8 && canonical(target);
    }
    *rip = target & (opsz == 2 ? 0xffff : 0xffffffff);
    return *rip <= t->cx->cs_limit;
}

void jump_entry_emit(struct translator *t)
{
    struct assembler *a = &t->a;

    t->in_rsi = NULL;
    asm_mov(a, 4, H_RDI, H_R11);
    asm_alu_ri(a, ALU_AND, 4, H_RDI, JUMP_ENTRIES - 1);
    asm_rr(a, 4, 0xc1, 4, H_RDI);
    asm_int(a, 5, 1);
    asm_alu_rm(a, ALU_ADD, 8, H_RDI, FIELD(jit.jump_cache));
    asm_alu_rm(a, ALU_CMP, 8, H_R11, at(H_RDI, offsetof(struct jump_entry, rip)));
    exec_if(t, CC_NE);
}

/* Jumps to the block at R11 by the table; a miss runs the whole instruction in C. Leaves the table's
 * entry in RDI. */
static void probe_jumps(struct translator *t)
{
    struct assembler *a = &t->a;

    jump_entry_emit(t);
    asm_load(a, 8, H_RSI, FIELD(jit.context));
    asm_alu_rm(a, ALU_CMP, 8, H_RSI, at(H_RDI, offsetof(struct jump_entry, context_epoch)));
    exec_if(t, CC_NE);
}
_Static_assert(sizeof(struct jump_entry) == 32, "the probe's shift");
_Static_assert(offsetof(struct jit_state, epoch) == offsetof(struct jit_state, context) + 4, "they are compared together");

/* ---- the stack ---- */

static unsigned stack_size(const struct translator *t) /* of rSP, in bytes */
{
    return code64(t) ? 8 : t->cx->mode & MODE_SS32 ? 4 : 2;
}

void set_sp_emit(struct translator *t, unsigned guest, i32 add)
{
    struct assembler *a = &t->a;
    unsigned w = stack_size(t), sp = host_of_guest[RSP];

    if (w == 2) {
        asm_lea(a, 4, H_RDI, at(host_of_guest[guest], add));
        asm_mov(a, 2, sp, H_RDI);
    } else {
        asm_lea(a, w, sp, at(host_of_guest[guest], add));
    }
}

static void protect(struct translator *t, unsigned guest)
{
    if (t->need[t->index])
        flags_protect(t, guest);
}

void store_imm(struct translator *t, unsigned size, u64 v, struct host_mem m)
{
    struct assembler *a = &t->a;

    if (v == (u64)(i64)(i32)v || size < 8) {
        asm_rm(a, size, 0xc7, 0, m);
        asm_int(a, v, size == 2 ? 2 : 4);
    } else {
        asm_mov_imm(a, H_R11, v);
        asm_store(a, 8, m, H_R11);
    }
}

static bool emit_push(struct translator *t)
{
    const struct insn *in = t->in;
    struct assembler *a = &t->a;
    unsigned size = in->opsz;
    struct host_mem m;

    if (in->kind[0] != K_REG && in->kind[0] != K_IMM)
        return false;
    protect(t, RSP);
    m = stack_access(t, RSP, -(i64)size, size, true);
    if (in->kind[0] == K_IMM) {
        store_imm(t, size, in->imm, m);
    } else if (host_of_guest[in->reg[0]] != H_NONE) {
        asm_store(a, size, m, host_of_guest[in->reg[0]]);
    } else {
        asm_load(a, 8, H_R11, gpr_home(in->reg[0]));
        asm_store(a, size, m, H_R11);
    }
    wrote_emit(t, size, m);
    set_sp_emit(t, RSP, -(i32)size);
    return true;
}

static void write_reg(struct translator *t, unsigned guest, unsigned size, unsigned host)
{
    if (host_of_guest[guest] != H_NONE)
        asm_rr(&t->a, size, sized(0x88, size), host, host_of_guest[guest]); /* 32 bits clear the rest, even of itself */
    else if (size == 4)
        asm_store(&t->a, 8, gpr_home(guest), host); /* loaded zero-extended */
    else
        asm_store(&t->a, size, gpr_home(guest), host);
}

static bool emit_pop(struct translator *t)
{
    const struct insn *in = t->in;
    unsigned size = in->opsz;
    struct host_mem m;

    if (in->kind[0] != K_REG)
        return false;
    protect(t, RSP);
    protect(t, in->reg[0]);
    m = stack_access(t, RSP, 0, size, false);
    asm_load_zx(&t->a, size, H_R11, m);
    set_sp_emit(t, RSP, (i32)size);
    write_reg(t, in->reg[0], size, H_R11);
    return true;
}

static bool emit_leave(struct translator *t)
{
    unsigned size = t->in->opsz;
    struct host_mem m;

    protect(t, RSP);
    protect(t, RBP);
    m = stack_access(t, RBP, 0, size, false);
    asm_load_zx(&t->a, size, H_R11, m);
    set_sp_emit(t, RBP, (i32)size);
    write_reg(t, RBP, size, H_R11);
    return true;
}

bool emit_stack(struct translator *t)
{
    exec_fn *fn = isa_rows[t->in->row].exec;

    if (code64(t) && t->in->opsz != 8)
        return false;
    if (fn == x_push)
        return emit_push(t);
    if (fn == x_pop)
        return emit_pop(t);
    if (fn == x_leave)
        return emit_leave(t);
    if (fn == x_pushf || fn == x_popf)
        return emit_flags_stack(t);
    return false;
}

/* ---- jumps ---- */

static bool emit_jcc(struct translator *t, u64 next, u64 target)
{
    const struct insn *in = t->in;
    u64 rip;

    if (!near_target(t, target, in->opsz, &rip))
        return false;
    before_edges(t);
    flags_to_host(t);
    emit_edge(t, 0, rip, in->cc);
    emit_edge(t, 1, next, -1);
    return true;
}

static bool emit_jmp(struct translator *t, u64 target)
{
    u64 rip;

    if (!near_target(t, target, t->in->opsz, &rip))
        return false;
    before_edges(t);
    emit_edge(t, 0, rip, -1);
    return true;
}

static bool emit_call(struct translator *t, u64 next, u64 target)
{
    unsigned size = t->in->opsz;
    struct host_mem m;
    u64 rip;

    if (!near_target(t, target, size, &rip))
        return false;
    protect(t, RSP);
    m = stack_access(t, RSP, -(i64)size, size, true);
    store_imm(t, size, next, m);
    wrote_emit(t, size, m);
    set_sp_emit(t, RSP, -(i32)size);
    before_edges(t);
    emit_edge(t, 0, rip, -1);
    return true;
}

/* The target into R11, zero-extended. */
static void load_target(struct translator *t)
{
    const struct insn *in = t->in;
    struct assembler *a = &t->a;
    unsigned size = in->opsz;

    if (in->kind[0] == K_MEM) {
        asm_load_zx(a, size, H_R11, operand_access(t, in, 0, size, false, false));
    } else {
        unsigned host = host_of_guest[in->reg[0]];

        if (host == H_NONE)
            asm_load(a, 8, H_R11, gpr_home(in->reg[0]));
        if (size == 2)
            asm_rr(a, 4, 0x0fb7, H_R11, host == H_NONE ? H_R11 : host);
        else if (size == 4 || host != H_NONE)
            asm_rr(a, size, 0x8b, H_R11, host == H_NONE ? H_R11 : host);
    }
}

static bool emit_jmp_indirect(struct translator *t)
{
    flags_store(t);
    load_target(t);
    t->host_valid = false;
    probe_jumps(t);
    asm_rm(&t->a, 4, 0xff, 4, at(H_RDI, offsetof(struct jump_entry, host)));
    return true;
}

static bool emit_call_indirect(struct translator *t, u64 next)
{
    struct assembler *a = &t->a;
    unsigned size = t->in->opsz;
    struct host_mem m;

    flags_store(t);
    load_target(t);
    t->host_valid = false;
    probe_jumps(t);
    asm_load(a, 8, H_RDI, at(H_RDI, offsetof(struct jump_entry, host)));
    asm_store(a, 8, FIELD(jit.target), H_RDI);
    m = stack_access(t, RSP, -(i64)size, size, true);
    store_imm(t, size, next, m);
    wrote_emit(t, size, m);
    set_sp_emit(t, RSP, -(i32)size);
    asm_rm(a, 4, 0xff, 4, FIELD(jit.target));
    return true;
}

static bool emit_ret(struct translator *t)
{
    const struct insn *in = t->in;
    unsigned size = in->opsz;
    i32 more = in->kind[0] == K_IMM ? (i32)(in->imm & 0xffff) : 0;

    flags_store(t);
    asm_load_zx(&t->a, size, H_R11, stack_access(t, RSP, 0, size, false));
    probe_jumps(t);
    asm_load(&t->a, 8, H_R11, at(H_RDI, offsetof(struct jump_entry, host)));
    set_sp_emit(t, RSP, (i32)size + more);
    asm_rr(&t->a, 4, 0xff, 4, H_R11);
    return true;
}

static bool emit_loop(struct translator *t, u64 next, u64 target)
{
    const struct insn *in = t->in;
    struct assembler *a = &t->a;
    unsigned w = in->adsz;
    bool loop = isa_rows[in->row].exec == x_loop;
    u64 rip;

    if (in->row == ROW_LOOPE || in->row == ROW_LOOPNE || !near_target(t, target, in->opsz, &rip))
        return false;
    if (loop) {
        protect(t, RCX);
        if (w == 2) {
            asm_lea(a, 4, H_RDI, at(H_RCX, -1));
            asm_mov(a, 2, H_RCX, H_RDI);
        } else {
            asm_lea(a, w, H_RCX, at(H_RCX, -1));
        }
    }
    before_edges(t);
    asm_rr(a, w, 0x85, H_RCX, H_RCX);
    t->host_valid = false;
    emit_edge(t, 0, rip, loop ? CC_NE : CC_E);
    emit_edge(t, 1, next, -1);
    return true;
}

bool emit_flow(struct translator *t)
{
    const struct insn *in = t->in;
    exec_fn *fn = isa_rows[in->row].exec;
    u64 next = t->t->rip + t->off + in->len, target = next + in->imm;

    if (t->c->cfg.engine.stop_at_blocks && (fn == x_jmp_e || fn == x_call_e || fn == x_ret || fn == x_syscall || fn == x_sysret))
        return false;
    if (fn == x_syscall || fn == x_sysret)
        return t->ended = emit_system_call(t, next);
    if (fn == x_int || fn == x_iret)
        return t->ended = emit_gate(t, next);
    if (code64(t) && in->opsz != 8)
        return false;
    if (fn == x_jcc)
        t->ended = emit_jcc(t, next, target);
    else if (fn == x_jmp)
        t->ended = emit_jmp(t, target);
    else if (fn == x_call)
        t->ended = emit_call(t, next, target);
    else if (fn == x_jmp_e)
        t->ended = emit_jmp_indirect(t);
    else if (fn == x_call_e)
        t->ended = emit_call_indirect(t, next);
    else if (fn == x_ret)
        t->ended = emit_ret(t);
    else if (fn == x_loop || fn == x_jcxz)
        t->ended = emit_loop(t, next, target);
    return t->ended;
}
