/*
 * MXCSR between memory and the host, and SIMD floating-point exceptions that are not masked.
 * SDM 1, 10.2.3, 11.5.
 */
#include "cpu/vec.h"
#include "cpu/vec_operand.h"

static u32 get_mxcsr(void)
{
    u32 v;

    __asm__ volatile("stmxcsr %0" : "=m"(v) : : "memory");
    return v;
}

static void set_mxcsr(u32 v)
{
    __asm__ volatile("ldmxcsr %0" : : "m"(v) : "memory");
}

void mxcsr_move_to_memory(struct cpu *c)
{
    c->fpu.mxcsr = get_mxcsr();
    set_mxcsr(c->host_mxcsr);
    c->mxcsr_live = false;
}

bool mxcsr_to_host(struct cpu *c)
{
    if ((c->fpu.mxcsr & MXCSR_MASKS) != MXCSR_MASKS)
        return false;
    c->host_mxcsr = get_mxcsr();
    set_mxcsr(c->fpu.mxcsr);
    c->mxcsr_live = true;
    return true;
}

/* Runs the stub with all exceptions masked; returns the flags that it raises. */
static u32 run_masked(vec_stub *stub, struct xmm *dst, const void *src, u64 third, u32 mxcsr, u64 *eflags)
{
    u32 host = get_mxcsr(), flags;

    set_mxcsr((mxcsr & ~(u32)MXCSR_FLAGS) | MXCSR_MASKS);
    *eflags = stub(dst, src, third);
    flags = get_mxcsr() & MXCSR_FLAGS;
    set_mxcsr(host);
    return flags;
}

/* Whether an element is tiny, even if exact: that is what an underflow is when it is not masked, and
 * what FTZ acts on (SDM 1, 11.5.2.5, 10.2.3.3). */
static bool is_tiny(vec_stub *stub, struct xmm value, const void *src, u64 third, u32 mxcsr)
{
    u64 eflags;

    return run_masked(stub, &value, src, third, mxcsr | MXCSR_FTZ, &eflags) & MXCSR_UE;
}

u64 vec_run_unmasked(struct cpu *c, unsigned row, bool wide, struct xmm *dst, const void *src, u64 third)
{
    vec_stub *stub = vec_stubs[row][wide];
    u32 mxcsr = c->fpu.mxcsr, enabled = ~(mxcsr >> 7) & MXCSR_FLAGS, flags;
    const u32 before = MXCSR_IE | MXCSR_DE | MXCSR_ZE; /* found before anything is computed */
    struct xmm value = *dst;
    bool inexact;
    u64 eflags;

    if (enabled & MXCSR_UE)
        mxcsr &= ~(u32)MXCSR_FTZ; /* acts on masked underflows alone */
    flags = run_masked(stub, &value, src, third, mxcsr, &eflags);
    if (enabled & MXCSR_UE && !(flags & before & enabled) && is_tiny(stub, *dst, src, third, mxcsr))
        flags |= MXCSR_UE;
    if (flags & before & enabled) {
        flags &= before;
    } else if (flags & enabled & (MXCSR_OE | MXCSR_UE)) {
        fpu_to_memory(c);
        if (vec_inexact(row, dst, src, mxcsr, &inexact))
            flags = (flags & ~(u32)MXCSR_PE) | (inexact ? MXCSR_PE : 0);
    }
    c->fpu.mxcsr |= flags;
    if (flags & enabled) {
        if (c->cr4 & CR4_OSXMMEXCPT)
            cpu_raise_no_code(c, EXC_XM);
        cpu_raise_no_code(c, EXC_UD);
    }
    *dst = value;
    return eflags;
}

void vec_check_aligned(struct cpu *c, const struct insn *in, u64 off)
{
    bool flat = (c->mode & MODE_CODE_MASK) == MODE_CODE64 && in->seg < FS;

    if (((flat ? 0 : c->seg[in->seg].base) + off) & 15 && !(isa_rows[in->row].attr & A_UNALIGNED))
        cpu_raise(c, EXC_GP, 0);
}

void sse_unavailable(struct cpu *c)
{
    if ((c->cr0 & CR0_EM) || !(c->cr4 & CR4_OSFXSR))
        cpu_raise_no_code(c, EXC_UD);
    cpu_raise_no_code(c, EXC_NM);
}
