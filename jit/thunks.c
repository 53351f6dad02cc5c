/*
 * The border between translated code and C: how it is entered, left, and how it calls.
 *
 * While translated code runs, RBP points to struct cpu, RSP is 16-byte aligned, and registers of
 * the guest are where host_of_guest says; RSI, RDI and R11 are free. A thunk is called with the
 * number of a site behind the call. It stores the guest's registers, calls a C function, and jumps
 * to where that says, or returns from what entered.
 */
#include "jit/internal.h"

const u8 host_of_guest[16] = {
    [RAX] = H_RAX, [RCX] = H_RCX, [RDX] = H_RDX, [RBX] = H_RBX, [RSP] = H_R15, [RBP] = H_R14,
    [RSI] = H_R8,  [RDI] = H_R9,  [R8] = H_R10,  [R9] = H_R12,  [R12] = H_R13,
    [R10] = H_NONE, [R11] = H_NONE, [R13] = H_NONE, [R14] = H_NONE, [R15] = H_NONE,
};

#define FIELD(f) at(H_RBP, offsetof(struct cpu, f))

static const u8 callee_saved[] = { H_RBX, H_RBP, H_R12, H_R13, H_R14, H_R15 };

static void push(struct assembler *a, unsigned reg)
{
    asm_prefixes(a, 4, 0, H_NONE, reg);
    asm_int(a, 0x50 | (reg & 7), 1);
}

static void pop(struct assembler *a, unsigned reg)
{
    asm_prefixes(a, 4, 0, H_NONE, reg);
    asm_int(a, 0x58 | (reg & 7), 1);
}

static void move_pinned(struct assembler *a, bool store)
{
    for (unsigned g = 0; g < 16; g++) {
        struct host_mem m = at(H_RBP, offsetof(struct cpu, gpr) + 8 * g);

        if (host_of_guest[g] == H_NONE)
            continue;
        if (store)
            asm_store(a, 8, m, host_of_guest[g]);
        else
            asm_load(a, 8, host_of_guest[g], m);
    }
}

/* MOVAPS, if they are live. */
static void move_vec(struct assembler *a, bool store)
{
    u8 *skip;

    asm_alu_mi(a, ALU_CMP, 1, FIELD(jit.vec_live), 0);
    skip = asm_jcc(a, CC_E);
    for (unsigned i = 0; i < 16; i++)
        asm_rm(a, 4, store ? 0x0f29 : 0x0f28, i, at(H_RBP, offsetof(struct cpu, fpu.xmm) + 16 * i));
    asm_patch(skip, a->p);
}

static void leave(struct assembler *a)
{
    asm_alu_ri(a, ALU_ADD, 8, H_RSP, 8);
    for (unsigned i = ARRAY_LEN(callee_saved); i-- > 0;)
        pop(a, callee_saved[i]);
    asm_int(a, 0xc3, 1);
}

static void emit_enter(struct jit *j, struct assembler *a)
{
    j->enter = (void (*)(struct cpu *, const u8 *))(uintptr_t)ASM_RX(a, a->p);
    for (unsigned i = 0; i < ARRAY_LEN(callee_saved); i++)
        push(a, callee_saved[i]);
    asm_alu_ri(a, ALU_SUB, 8, H_RSP, 8);
    asm_mov(a, 8, H_RBP, H_RDI);
    asm_mov(a, 8, H_R11, H_RSI);
    move_pinned(a, false);
    asm_rr(a, 4, 0xff, 4, H_R11);
}

/* LAHF and SETO, with RAX put aside. */
void emit_flags_stored(struct assembler *a)
{
    asm_mov(a, 8, H_R11, H_RAX);
    asm_int(a, 0x9f, 1);
    asm_rr(a, 1, 0x0f90, 0, H_RAX);
    asm_store(a, 2, FIELD(jit.flags), H_RAX);
    asm_mov(a, 8, H_RAX, H_R11);
}

static void call(struct assembler *a, thunk_fn *fn)
{
    asm_mov_imm(a, H_RAX, (u64)(uintptr_t)fn);
    asm_rr(a, 4, 0xff, 2, H_RAX);
}

static void emit_thunk(struct jit *j, struct assembler *a, enum thunk which, thunk_fn *fn)
{
    u8 *out;

    j->thunk[which + 1] = ASM_RX(a, a->p);
    emit_flags_stored(a);
    j->thunk[which] = ASM_RX(a, a->p);
    pop(a, H_R11);
    move_pinned(a, true);
    move_vec(a, true);
    asm_mov(a, 8, H_RDI, H_RBP);
    asm_mov(a, 8, H_RDX, H_R11);
    call(a, fn);
    asm_rr(a, 8, 0x85, H_RAX, H_RAX);
    out = asm_jcc(a, CC_E);
    asm_store(a, 8, FIELD(jit.temp), H_RAX);
    move_vec(a, false);
    move_pinned(a, false);
    asm_load(a, 8, H_RSI, FIELD(jit.hit));
    asm_rm(a, 4, 0xff, 4, FIELD(jit.temp));
    asm_patch(out, a->p);
    asm_rm(a, 1, 0xc6, 0, FIELD(jit.vec_live));
    asm_int(a, 0, 1);
    leave(a);
}

/* Keeps all registers and the flags; goes on behind the site's number. */
static void emit_watcher(struct jit *j, struct assembler *a, enum thunk which, thunk_fn *fn)
{
    j->thunk[which] = ASM_RX(a, a->p);
    push(a, H_R11); /* aligned: return address, R11, flags, RSI ... */
    asm_int(a, 0x9c, 1);
    push(a, H_RSI);
    push(a, H_RDI);
    push(a, H_RSI);
    move_pinned(a, true);
    move_vec(a, true);
    asm_mov(a, 8, H_RDI, H_RBP);
    asm_load(a, 8, H_RDX, at(H_RSP, 40));
    call(a, fn);
    asm_alu_mi(a, ALU_ADD, 8, at(H_RSP, 40), 4);
    move_vec(a, false);
    move_pinned(a, false);
    pop(a, H_RSI);
    pop(a, H_RDI);
    pop(a, H_RSI);
    asm_int(a, 0x9d, 1);
    pop(a, H_R11);
    asm_int(a, 0xc3, 1);
}

/* RSI: a linear address; RDI: a slot. If its page is in the fast set the slot becomes that, but for its
 * length, which the caller sets, and R11 is the offset in the page; else R11 is -1. */
static void emit_fill_slot(struct jit *j, struct assembler *a, unsigned set, bool write)
{
    struct host_mem tag = { H_RBP, H_R11, 0, (i32)set_field(set, write, offsetof(struct fast_entry, tag)) };
    struct host_mem host = { H_RBP, H_R11, 0, (i32)set_field(set, write, offsetof(struct fast_entry, host)) };
    u8 *miss, *tired, *listed, *room, *again;

    j->fill_slot[set][write] = ASM_RX(a, a->p);
    push(a, H_RAX);
    push(a, H_RCX);
    asm_alu_mi(a, ALU_SUB, 4, at(H_RDI, offsetof(struct access_slot, credit)), 1);
    tired = asm_jcc(a, CC_S);
    asm_mov(a, 4, H_R11, H_RSI);
    asm_rr(a, 4, 0xc1, 5, H_R11);
    asm_int(a, 8, 1);
    asm_alu_ri(a, ALU_AND, 4, H_R11, (FAST_ENTRIES - 1) << 4);
    asm_mov(a, 8, H_RAX, H_RSI);
    asm_alu_rm(a, ALU_SUB, 8, H_RAX, tag);
    asm_alu_ri(a, ALU_CMP, 8, H_RAX, 4095);
    miss = asm_jcc(a, CC_A);
    asm_alu_mi(a, ALU_CMP, 8, at(H_RDI, offsetof(struct access_slot, len)), 0);
    listed = asm_jcc(a, CC_NE);
    asm_load(a, 4, H_RCX, FIELD(jit.nr_filled));
    asm_alu_ri(a, ALU_CMP, 4, H_RCX, FILLED_SLOTS);
    room = asm_jcc(a, CC_B);
    again = a->p; /* the list is full: all in it are emptied */
    asm_load(a, 8, H_RAX, (struct host_mem){ H_RBP, H_RCX, 3, (i32)offsetof(struct cpu, jit.filled) - 8 });
    asm_rm(a, 8, 0xc7, 0, at(H_RAX, offsetof(struct access_slot, len)));
    asm_int(a, 0, 4);
    asm_alu_ri(a, ALU_SUB, 4, H_RCX, 1);
    asm_patch(asm_jcc(a, CC_NE), again);
    asm_patch(room, a->p);
    asm_store(a, 8, (struct host_mem){ H_RBP, H_RCX, 3, (i32)offsetof(struct cpu, jit.filled) }, H_RDI);
    asm_alu_ri(a, ALU_ADD, 4, H_RCX, 1);
    asm_store(a, 4, FIELD(jit.nr_filled), H_RCX);
    asm_patch(listed, a->p);
    asm_rm(a, 8, 0xc7, 0, at(H_RDI, offsetof(struct access_slot, len))); /* right for this start, until the caller knows */
    asm_int(a, 1, 4);
    asm_load(a, 8, H_RAX, tag);
    asm_store(a, 8, at(H_RDI, offsetof(struct access_slot, start)), H_RAX);
    asm_load(a, 8, H_RCX, host);
    asm_alu_rr(a, ALU_SUB, 8, H_RCX, H_RAX);
    asm_store(a, 8, at(H_RDI, offsetof(struct access_slot, delta)), H_RCX);
    asm_mov(a, 8, H_R11, H_RSI);
    asm_alu_rm(a, ALU_SUB, 8, H_R11, at(H_RDI, offsetof(struct access_slot, start)));
    pop(a, H_RCX);
    pop(a, H_RAX);
    asm_int(a, 0xc3, 1);
    asm_patch(tired, a->p);
    asm_patch(miss, a->p);
    asm_mov_imm(a, H_R11, ~0ull);
    pop(a, H_RCX);
    pop(a, H_RAX);
    asm_int(a, 0xc3, 1);
}

void thunks_emit(struct jit *j)
{
    static const struct { enum thunk which; thunk_fn *fn; } thunks[] = {
        { THUNK_SLOW, jit_slow }, { THUNK_HELP, jit_help }, { THUNK_EDGE, jit_edge },
        { THUNK_ENTRY, jit_entry }, { THUNK_VEC, jit_vec }, { THUNK_X87, jit_x87 }, { THUNK_TAIL, jit_tail },
    };
    struct code_cache *k = &j->code;
    struct assembler a = { k->write, k->write + k->size, k->run - k->write, false };

    emit_enter(j, &a);
    for (unsigned i = 0; i < ARRAY_LEN(thunks); i++)
        emit_thunk(j, &a, thunks[i].which, thunks[i].fn);
    for (unsigned set = 0; set < NR_FAST_SETS; set++)
        for (unsigned write = 0; write < 2; write++)
            emit_fill_slot(j, &a, set, write);
    emit_watcher(j, &a, THUNK_WROTE, jit_wrote);
    emit_watcher(j, &a, THUNK_CHECK, jit_check);
    while ((a.p - k->write) & 15)
        asm_int(&a, 0xcc, 1); /* INT3 */
    k->used = k->thunks_end = (size_t)(a.p - k->write);
}
