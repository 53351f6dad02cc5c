/*
 * Where every interrupt arrives. Exceptions are reported; one that trap_try() was waiting for
 * resumes there, any other stops the kernel, since nothing else can yet cause one.
 */
#include "guestos/kernel/traps.h"
#include "guestos/drivers/pic.h"
#include "guestos/kernel/console.h"
#include "guestos/kernel/cpu.h"
#include "guestos/kernel/panic.h"
#include "guestos/kernel/x86.h"

#define NR_IRQS         16
#define NR_EXCEPTIONS   32
#define TRAP_STUB_BYTES 16 /* ORDER: traps.S */
#define VECTOR_DF       8
#define RFLAGS_IF       (1ul << 9)
#define RFLAGS_ONE      (1ul << 1)

extern const char trap_stubs[], trap_resume[];
extern u64 trap_recovery;

void trap_dispatch(struct trap_frame *frame);

static void (*irq_handlers[NR_IRQS])(void);
static bool reporting;

void traps_init(void)
{
    for (u32 v = 0; v < NR_EXCEPTIONS + NR_IRQS; v++) {
        void (*entry)(void) = (void (*)(void))(trap_stubs + v * TRAP_STUB_BYTES);
        cpu_set_gate((u8)v, entry, v == VECTOR_DF ? IST_DOUBLE_FAULT : IST_NONE);
    }
    cpu_load_idt();
    pic_init(TRAP_FIRST_IRQ);
}

void irq_attach(u8 irq, void (*handler)(void))
{
    ASSERT(irq < NR_IRQS && !irq_handlers[irq]);
    irq_handlers[irq] = handler;
    pic_unmask(irq);
}

static void dispatch_irq(u8 irq)
{
    if (pic_is_spurious(irq)) {
        return;
    }
    if (irq_handlers[irq]) {
        irq_handlers[irq]();
    }
    pic_end_of_interrupt(irq);
}

void trap_dispatch(struct trap_frame *frame)
{
    if (frame->vector >= TRAP_FIRST_IRQ) {
        dispatch_irq((u8)(frame->vector - TRAP_FIRST_IRQ));
        return;
    }
    if (reporting) {
        panic("%s at %016lx while reporting another exception", trap_name(frame->vector),
              frame->rip);
    }
    reporting = true;
    trap_report(frame);
    reporting = false;
    if (!trap_recovery) {
        panic("an exception in the kernel");
    }
    frame->rip = (u64)trap_resume;
    frame->cs = KERNEL_CS;
    frame->rsp = trap_recovery;
    frame->ss = KERNEL_DS;
    frame->rflags = RFLAGS_IF | RFLAGS_ONE;
    frame->rax = frame->vector;
}
