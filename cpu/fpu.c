/*
 * The x87 state between memory and the host's registers, and its exceptions.
 * SDM 1, 8.1 (state), 8.7 (exceptions), 10.5.1 (FXSAVE's image).
 */
#include "cpu/fpu.h"
#include "cpu/operand.h"

struct fx_image {
    u16 cw, sw;
    u8 valid, reserved;
    u16 fop;
    u64 fip, fdp;
    u32 mxcsr, mxcsr_mask;
    struct {
        u64 mant;
        u16 exp, pad[3];
    } st[8]; /* by stack position */
    u8 xmm[16 * 16 + 96];
} __attribute__((aligned(16)));
_Static_assert(sizeof(struct fx_image) == 512, "FXSAVE's image");

/* Neither compiler keeps a value in an XMM register over these. */
#define ALL_XMM                                                                                    \
    "xmm0", "xmm1", "xmm2", "xmm3", "xmm4", "xmm5", "xmm6", "xmm7", "xmm8", "xmm9", "xmm10",       \
        "xmm11", "xmm12", "xmm13", "xmm14", "xmm15", "memory"

/* The pointers stay in struct fpu: the host's own would be host addresses. */
void fpu_move_to_host(struct cpu *c)
{
    struct fx_image x = { .cw = c->fpu.cw, .sw = c->fpu.sw, .valid = c->fpu.valid };

    for (unsigned i = 0; i < 8; i++) {
        x.st[i].mant = fpu_st(&c->fpu, i)->mant;
        x.st[i].exp = fpu_st(&c->fpu, i)->exp;
    }
    __asm__ volatile("stmxcsr %0" : "=m"(x.mxcsr));
    __asm__ volatile("fxrstor64 %0" : : "m"(x) : ALL_XMM);
    c->fpu_live = true;
}

void fpu_move_to_memory(struct cpu *c)
{
    struct fx_image x;

    __asm__ volatile("fxsave64 %0\n\tfninit" : "=m"(x));
    c->fpu_live = c->jit.x87_native = false;
    c->fpu.sw = x.sw;
    c->fpu.valid = x.valid;
    for (unsigned i = 0; i < 8; i++)
        *fpu_st(&c->fpu, i) = (struct st){ x.st[i].mant, x.st[i].exp };
}

u16 fpu_status(const struct cpu *c)
{
    u16 sw = c->fpu.sw;

    if (c->fpu_live)
        __asm__ volatile("fnstsw %0" : "=m"(sw));
    return sw;
}

void fpu_init(struct fpu *f)
{
    f->cw = 0x37f;
    f->sw = f->fop = 0;
    f->valid = 0;
    f->fip = f->fdp = 0;
}

/* Control word: bit 6 is 1; 7, 13, 14 and 15 are 0. Silicon computes ES and B when it loads. */
void fpu_settle(struct cpu *c)
{
    struct fpu *f = &c->fpu;
    bool es = f->sw & ~f->cw & FPU_EXCEPTIONS;

    f->cw = (f->cw & 0x1f7f) | 0x40;
    f->sw = (u16)((f->sw & ~(FPU_ES | FPU_B)) | (es ? FPU_ES | FPU_B : 0));
    if (!es && c->ferr) {
        c->ferr = false;
        irq_set(&c->cfg.ferr, false);
    }
}

void fpu_pending(struct cpu *c)
{
    if (!(fpu_status(c) & FPU_ES))
        return;
    if (c->cr0 & CR0_NE)
        cpu_raise_no_code(c, EXC_MF);
    if (!c->ferr) {
        c->ferr = true;
        irq_set(&c->cfg.ferr, true);
    }
    if (!c->ignne)
        cpu_wait_at(c, HALT_FERR);
}

void cpu_set_ignne(void *cpu, unsigned pin, bool level)
{
    (void)pin;
    ((struct cpu *)cpu)->ignne = level;
}

u16 fpu_tag_word(const struct fpu *f)
{
    u16 tags = 0;

    for (unsigned i = 0; i < 8; i++) {
        const struct st *s = &f->r[i];
        unsigned exp = s->exp & 0x7fff, tag = 0;

        if (!(f->valid >> i & 1))
            tag = 3;
        else if (exp == 0 && s->mant == 0)
            tag = 1;
        else if (exp == 0x7fff || !(s->mant >> 63))
            tag = 2;
        tags |= (u16)(tag << 2 * i);
    }
    return tags;
}

void fpu_set_tag_word(struct fpu *f, u16 tags)
{
    f->valid = 0;
    for (unsigned i = 0; i < 8; i++)
        if ((tags >> 2 * i & 3) != 3)
            f->valid |= (u8)(1 << i);
}
