/*
 * -d pcall and mmu. The lines of pcall have the form that QEMU gives them when it is built with
 * them, and come before the checks of the transfer, as there. (mmu's TLB fills are written where
 * they happen, in mmu/access.c.)
 *
 * DEVIATION: CR4 and the TLB have no lines in QEMU.
 */
#include "machine/debug_log_system.h"
#include "core/mem_view.h"
#include "cpu/isa.h"
#include "cpu/operand.h"
#include "machine/cpu_dump.h"
#include "machine/lin_peek.h"
#include "mmu/mmu.h"
#include <inttypes.h>

/* ---- pcall ---- */

/* A number in memory, 0 where there is none: nothing may fault here. */
static u64 peek(struct cpu *c, unsigned seg, u64 off, unsigned size)
{
    u64 base = code_size(c->mode) == 8 && seg < FS ? 0 : c->seg[seg].base;
    u8 bytes[8] = {0};

    lin_peek(c, base + off, bytes, size);
    return load_le(bytes, size);
}

/* 0, 1, 2 for operands of 16, 32, 64 bits. */
static int shift_of(const struct insn *in)
{
    return in->opsz == 8 ? 2 : in->opsz == 4 ? 1 : 0;
}

static void put_call(FILE *f, struct cpu *c, const struct insn *in)
{
    unsigned size = in->opsz == 8 ? 4 : in->opsz;
    u64 off, sel;

    if (in->kind[0] == K_FAR) {
        off = in->imm & size_mask(size);
        sel = in->imm >> 32 & 0xffff;
    } else {
        u64 at = mem_off(c, in, 0);
        off = peek(c, in->seg, at, size);
        sel = peek(c, in->seg, ea_mask(at + size, in->adsz), 2);
    }
    fprintf(f, "lcall %04x:%016" PRIx64 " s=%d\n", (u32)sel, off, shift_of(in));
    cpu_dump(f, c, DUMP_CC);
}

static void put_return(FILE *f, struct cpu *c, const struct insn *in)
{
    u64 mask = stack_mask(c), sp = c->gpr[RSP];
    u64 off = peek(c, SS, sp & mask, in->opsz);
    u64 sel = peek(c, SS, (sp + in->opsz) & mask, 2);

    fprintf(f, "lret new %04x:%016" PRIx64 " s=%d addend=0x%x\n", (u32)sel, off, shift_of(in),
            in->row == ROW_RETF_Iw ? (u32)(in->imm & 0xffff) : 0);
    cpu_dump(f, c, DUMP_CC);
}

void debug_log_far(FILE *f, struct cpu *c, const struct insn *in)
{
    if (mode_real(c->mode))
        return;
    switch (in->row) {
    case ROW_CALLF_Ap:
    case ROW_CALLF_Mp: put_call(f, c, in); break;
    case ROW_RETF:
    case ROW_RETF_Iw:
    case ROW_IRET: put_return(f, c, in); break;
    }
}

/* ---- mmu ---- */

static bool a20(const struct cpu *c)
{
    return c->cfg.view->a20_mask >> 20 & 1;
}

void debug_log_control_start(struct control_seen *seen, const struct cpu *c)
{
    *seen = (struct control_seen){a20(c), c->tlb->nr_flushes};
}

void debug_log_control(FILE *f, const struct cpu *c, const struct insn *in,
                       struct control_seen *seen)
{
    unsigned cr = in->row == ROW_MOV_CdRd ? in->reg[0] : 0;

    if (in->row == ROW_MOV_CdRd || in->row == ROW_LMSW) {
        if (cr == 0)
            fprintf(f, "CR0 update: CR0=0x%08x\n", (u32)c->cr0);
        else if (cr == 3 && (c->cr0 & CR0_PG))
            fprintf(f, "CR3 update: CR3=%016" PRIx64 "\n", c->cr3);
        else if (cr == 4)
            fprintf(f, "CR4 update: CR4=0x%08x\n", (u32)c->cr4);
    }
    if (in->row == ROW_INVLPG)
        fprintf(f, "TLB drop: %016" PRIx64 "\n",
                (code_size(c->mode) == 8 && in->seg < FS ? 0 : c->seg[in->seg].base) +
                    mem_off(c, in, 0));
    if (c->tlb->nr_flushes != seen->nr_flushes)
        fprintf(f, "TLB flush: %u entries stay\n", tlb_nr(c->tlb));
    if (a20(c) != seen->a20)
        fprintf(f, "A20 update: a20=%d\n", a20(c));
    debug_log_control_start(seen, c);
}
