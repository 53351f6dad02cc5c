/*
 * Where every interrupt arrives, and where the kernel is left. Exceptions of programs become
 * signals, page faults go to mm/. One in the kernel is reported and ends it, unless trap_try()
 * waits for it.
 */
#include "guestos/kernel/traps.h"
#include "guestos/drivers/pic.h"
#include "guestos/kernel/clock.h"
#include "guestos/kernel/console.h"
#include "guestos/kernel/cpu.h"
#include "guestos/kernel/fpu.h"
#include "guestos/kernel/panic.h"
#include "guestos/kernel/percpu.h"
#include "guestos/kernel/thread.h"
#include "guestos/kernel/x86.h"
#include "guestos/mm/vm.h"
#include "guestos/proc/process.h"
#include "guestos/proc/signal.h"

#define NR_IRQS         16
#define NR_EXCEPTIONS   32
#define TRAP_STUB_BYTES 16 /* ORDER: traps.S */
#define MAX_HANDLERS    24
#define RFLAGS_IF       (1ul << 9)
#define RFLAGS_ONE      (1ul << 1)

enum {
    VECTOR_DB = 1,
    VECTOR_NMI = 2,
    VECTOR_BP = 3,
    VECTOR_OF = 4,
    VECTOR_DF = 8,
    VECTOR_PF = 14,
    VECTOR_MF = 16,
    VECTOR_XM = 19
};

extern const char trap_stubs[], trap_resume[];
extern u64 trap_recovery;

void trap_dispatch(struct trap_frame *frame);
void trap_leave(struct trap_frame *frame);

static struct irq_handler {
    void (*function)(void *);
    void *argument;
    u8 irq;
} irq_handlers[MAX_HANDLERS];
static u32 nr_handlers;
static bool reporting;

void traps_init(void)
{
    for (u32 v = 0; v < NR_EXCEPTIONS + NR_IRQS; v++) {
        void (*entry)(void) = (void (*)(void))(trap_stubs + v * TRAP_STUB_BYTES);
        u8 ist = v == VECTOR_DF ? IST_DOUBLE_FAULT : v == VECTOR_NMI ? IST_NMI : IST_NONE;
        cpu_set_gate((u8)v, entry, ist, v == VECTOR_BP || v == VECTOR_OF ? 3 : 0);
    }
    cpu_load_idt();
    pic_init(TRAP_FIRST_IRQ);
}

void irq_attach(u8 irq, void (*handler)(void *), void *argument)
{
    ASSERT(irq < NR_IRQS && nr_handlers < MAX_HANDLERS);
    irq_handlers[nr_handlers] = (struct irq_handler){handler, argument, irq};
    __atomic_store_n(&nr_handlers, nr_handlers + 1, __ATOMIC_RELEASE);
    pic_unmask(irq);
}

static void dispatch_irq(u8 irq)
{
    if (pic_is_spurious(irq)) {
        return;
    }
    cpu_local()->nr_interrupts++;
    for (u32 i = 0; i < nr_handlers; i++) {
        if (irq_handlers[i].irq == irq) {
            irq_handlers[i].function(irq_handlers[i].argument);
        }
    }
    pic_end_of_interrupt(irq);
}

/* What a program's exception is to the program. The address is that of the instruction. */
static const struct {
    u8 signal;
    i32 code;
} exception_signals[NR_EXCEPTIONS] = {
    [0] = {SIGFPE, FPE_INTDIV},  [1] = {SIGTRAP, TRAP_TRACE}, [3] = {SIGTRAP, SI_KERNEL},
    [4] = {SIGSEGV, SI_KERNEL},  [5] = {SIGSEGV, SI_KERNEL},  [6] = {SIGILL, ILL_ILLOPN},
    [7] = {SIGSEGV, SI_KERNEL},  [9] = {SIGFPE, SI_KERNEL},   [10] = {SIGSEGV, SI_KERNEL},
    [11] = {SIGBUS, SI_KERNEL},  [12] = {SIGBUS, SI_KERNEL},  [13] = {SIGSEGV, SI_KERNEL},
    [16] = {SIGFPE, FPE_FLTINV}, [17] = {SIGBUS, BUS_ADRALN}, [19] = {SIGFPE, FPE_FLTINV},
};

/* Which of the exceptions that are not masked the unit has flagged; SDM 1, 8.1.3 and 10.2.3. The
 * bits are the same: invalid, denormal, divide, overflow, underflow, precision. */
static i32 float_code(u32 flags)
{
    static const i32 codes[] = {FPE_FLTINV, FPE_FLTUND, FPE_FLTDIV,
                                FPE_FLTOVF, FPE_FLTUND, FPE_FLTRES};

    for (u32 i = 0; i < ARRAY_LEN(codes); i++) {
        if (flags >> i & 1) {
            return codes[i];
        }
    }
    return FPE_FLTINV;
}

static void user_exception(struct trap_frame *frame)
{
    u32 v = (u32)frame->vector;
    u32 signal = exception_signals[v].signal ? exception_signals[v].signal : SIGSEGV;
    bool has_address = exception_signals[v].code != SI_KERNEL;
    struct siginfo info = {.signo = (i32)signal, .code = exception_signals[v].code};

    if (has_address) {
        info.fault.address = frame->rip;
    }
    if (v == VECTOR_MF || v == VECTOR_XM) {
        info.code = float_code(v == VECTOR_MF ? fpu_x87_exceptions() : fpu_sse_exceptions());
    }
    __asm__ volatile("sti" : : : "memory");
    signal_force(signal, &info);
}

static void kernel_exception(struct trap_frame *frame)
{
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

void trap_dispatch(struct trap_frame *frame)
{
    if (trap_from_user(frame)) {
        thread_entered(frame);
    }
    if (frame->vector >= TRAP_FIRST_IRQ) {
        dispatch_irq((u8)(frame->vector - TRAP_FIRST_IRQ));
    } else if (frame->vector == VECTOR_PF && page_fault(frame)) {
        return;
    } else if (trap_from_user(frame) && frame->vector != VECTOR_NMI) {
        user_exception(frame);
    } else {
        kernel_exception(frame);
    }
}

/* Before the way back; interrupts are off, and off at the end. A program is not gone back to while
 * somebody else should run or a signal is to be delivered. */
void trap_leave(struct trap_frame *frame)
{
    if (!trap_from_user(frame)) {
        if (frame->rflags & RFLAGS_IF && sched_wanted() && cpu_local()->thread) {
            schedule();
            __asm__ volatile("cli" : : : "memory");
        }
        return;
    }
    while (sched_wanted() || signal_has_work(frame) || frame->rip >= USER_END) {
        __asm__ volatile("sti" : : : "memory");
        if (frame->rip >= USER_END) {
            /* An entry point or a handler that is no address: IRET would fault here, in ring 0. */
            signal_force(SIGSEGV, &(struct siginfo){.signo = SIGSEGV, .code = SI_KERNEL});
        }
        if (sched_wanted()) {
            schedule();
        }
        signal_deliver(frame);
        __asm__ volatile("cli" : : : "memory");
    }
    thread_leaves();
}
