/*
 * The register dump.
 *
 * Segments: selector, base, limit, and the second half of the descriptor without its base, then
 * in words what it is. CCS, CCD and CCO are how QEMU keeps flags lazily; here the flags are
 * always complete, which is its state EFLAGS.
 *
 * FTW has a bit for each physical register R0 to R7 that is not empty, and FPR0 to FPR7 are these;
 * XMM8 and on are there in 64-bit code.
 */
#include "machine/cpu_dump.h"
#include "core/mem_view.h"
#include "cpu/isa.h"
#include "cpu/vec.h"
#include <inttypes.h>

struct dump {
    FILE *f;
    const struct cpu *c;
    bool wide; /* 64-bit code */
};

/* ---- segments ---- */

static const char *system_type(const struct cpu *c, unsigned type)
{
    /* SDM 3A table 3-2 */
    static const char *const names[2][16] = {
        {"Reserved", "TSS16-avl", "LDT", "TSS16-busy", "CallGate16", "TaskGate", "IntGate16",
         "TrapGate16", "Reserved", "TSS32-avl", "Reserved", "TSS32-busy", "CallGate32", "Reserved",
         "IntGate32", "TrapGate32"},
        {"<hiword>", "Reserved", "LDT", "Reserved", "Reserved", "Reserved", "Reserved", "Reserved",
         "Reserved", "TSS64-avl", "Reserved", "TSS64-busy", "CallGate64", "Reserved", "IntGate64",
         "TrapGate64"},
    };

    return names[c->mode & MODE_LMA ? 1 : 0][type];
}

/* Bits 31..8 of a descriptor's second half, without the base. */
static u32 attributes(const struct seg *s)
{
    u32 units = s->attr & SEG_G ? s->limit >> 12 : s->limit;

    return (u32)s->attr << 8 | (units & 0xf0000);
}

static void put_segment(const struct dump *d, const char *name, const struct seg *s)
{
    unsigned a = s->attr;

    fprintf(d->f, "%-3s=%04x %0*" PRIx64 " %08x %08x", name, s->sel, d->wide ? 16 : 8, s->base,
            s->limit, attributes(s));
    if ((d->c->mode & MODE_PE) && (a & SEG_P)) {
        fprintf(d->f, " DPL=%u ", (a >> SEG_DPL_SHIFT) & 3);
        if (!(a & SEG_S))
            fputs(system_type(d->c, a & SEG_TYPE), d->f);
        else if (a & SEG_CODE)
            fprintf(d->f, "%s [%c%c%c]",
                    a & SEG_L    ? "CS64"
                    : a & SEG_DB ? "CS32"
                                 : "CS16",
                    a & SEG_DC ? 'C' : '-', a & SEG_RW ? 'R' : '-', a & SEG_ACCESSED ? 'A' : '-');
        else
            fprintf(d->f, "%s [%c%c%c]", (a & SEG_DB) || (d->c->mode & MODE_LMA) ? "DS  " : "DS16",
                    a & SEG_DC ? 'E' : '-', a & SEG_RW ? 'W' : '-', a & SEG_ACCESSED ? 'A' : '-');
    }
    fputc('\n', d->f);
}

/* ---- the rest ---- */

static void put_general(const struct dump *d)
{
    static const char names[16][4] = {"AX",  "CX",  "DX",  "BX",  "SP",  "BP",  "SI",  "DI",
                                      "R8 ", "R9 ", "R10", "R11", "R12", "R13", "R14", "R15"};
    static const u8 order[16] = {RAX, RBX, RCX, RDX, RSI, RDI, RBP, RSP,
                                 R8,  R9,  R10, R11, R12, R13, R14, R15};

    for (unsigned i = 0; i < (d->wide ? 16 : 8); i++) {
        unsigned reg = order[i];
        const char *prefix = reg >= R8 ? "" : d->wide ? "R" : "E", *end = i % 4 == 3 ? "\n" : " ";

        if (d->wide)
            fprintf(d->f, "%s%s=%016" PRIx64 "%s", prefix, names[reg], d->c->gpr[reg], end);
        else
            fprintf(d->f, "%s%s=%08x%s", prefix, names[reg], (u32)d->c->gpr[reg], end);
    }
}

static void put_flags(const struct dump *d)
{
    const struct cpu *c = d->c;
    u32 f = cpu_flags(c);

    if (d->wide)
        fprintf(d->f, "RIP=%016" PRIx64 " RFL=%08x", c->rip, f);
    else
        fprintf(d->f, "EIP=%08x EFL=%08x", (u32)c->rip, f);
    fprintf(d->f, " [%c%c%c%c%c%c%c] CPL=%u II=%d A20=%d SMM=0 HLT=%d\n", f & F_D ? 'D' : '-',
            f & F_O ? 'O' : '-', f & F_S ? 'S' : '-', f & F_Z ? 'Z' : '-', f & F_A ? 'A' : '-',
            f & F_P ? 'P' : '-', f & F_C ? 'C' : '-', cpu_cpl(c), c->shadow != SHADOW_NONE,
            (int)(c->cfg.view->a20_mask >> 20 & 1), c->halted != HALT_NONE);
}

static void put_control(const struct dump *d, bool cc)
{
    const struct cpu *c = d->c;
    int w = d->wide ? 16 : 8;

    fprintf(d->f, "GDT=     %0*" PRIx64 " %08x\n", w, c->gdtr.base, c->gdtr.limit);
    fprintf(d->f, "IDT=     %0*" PRIx64 " %08x\n", w, c->idtr.base, c->idtr.limit);
    fprintf(d->f, "CR0=%08x CR2=%0*" PRIx64 " CR3=%0*" PRIx64 " CR4=%08x\n", (u32)c->cr0, w, c->cr2,
            w, c->cr3, (u32)c->cr4);
    for (unsigned i = 0; i < 4; i++)
        fprintf(d->f, "DR%u=%016" PRIx64 " ", i, c->dr[i]);
    fprintf(d->f, "\nDR6=%016" PRIx64 " DR7=%016" PRIx64 "\n", c->dr[6], c->dr[7]);
    if (cc)
        fprintf(d->f, "CCS=%0*x CCD=%0*x CCO=EFLAGS\n", w, 0, w, 0);
    fprintf(d->f, "EFER=%016" PRIx64 "\n", c->msr.efer);
}

static void put_floating(const struct dump *d)
{
    const struct fpu *p = &d->c->fpu;

    fprintf(d->f, "FCW=%04x FSW=%04x [ST=%u] FTW=%02x MXCSR=%08x\n", p->cw, p->sw, fpu_top(p),
            p->valid, p->mxcsr);
    for (unsigned i = 0; i < 8; i++)
        fprintf(d->f, "FPR%u=%016" PRIx64 " %04x%c", i, p->r[i].mant, p->r[i].exp,
                i % 2 ? '\n' : ' ');
    for (unsigned i = 0; i < (d->wide ? 16 : 8); i++)
        fprintf(d->f, "XMM%02u=%016" PRIx64 " %016" PRIx64 "%c", i, p->xmm[i].q[1], p->xmm[i].q[0],
                i % 2 ? '\n' : ' ');
}

void cpu_dump(FILE *f, struct cpu *c, unsigned parts)
{
    static const char names[NR_SEGS][3] = {"ES", "CS", "SS", "DS", "FS", "GS"};
    struct dump d = {f, c, (c->mode & MODE_CODE_MASK) == MODE_CODE64};

    put_general(&d);
    put_flags(&d);
    for (unsigned i = 0; i < NR_SEGS; i++)
        put_segment(&d, names[i], &c->seg[i]);
    put_segment(&d, "LDT", &c->ldtr);
    put_segment(&d, "TR", &c->tr);
    put_control(&d, parts & DUMP_CC);
    if (parts & DUMP_FLOATING) {
        floating_to_memory(c);
        put_floating(&d);
    }
}
