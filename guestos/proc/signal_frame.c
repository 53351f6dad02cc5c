/*
 * The frame on a program's stack in which a signal handler runs: what it interrupted, so that
 * rt_sigreturn can go back. System V ABI, AMD64, 3.4; the layout is Linux' on x86-64: the
 * restorer's address, struct ucontext, siginfo, and above them the XSAVE area with Linux' marks in
 * it.
 */
#include "guestos/abi/errno.h"
#include "guestos/kernel/cpu.h"
#include "guestos/kernel/fpu.h"
#include "guestos/kernel/percpu.h"
#include "guestos/kernel/string.h"
#include "guestos/kernel/thread.h"
#include "guestos/kernel/x86.h"
#include "guestos/mm/slab.h"
#include "guestos/mm/user.h"
#include "guestos/mm/vm.h"
#include "guestos/proc/process.h"
#include "guestos/proc/signal.h"
#include "guestos/sys/syscall.h"

#define RED_ZONE_BYTES 128 /* below RSP, the program's own. ABI, 3.2.2 */
#define FRAME_ALIGN    16
#define FPU_ALIGN      64

#define UC_FP_XSTATE         1
#define UC_SIGCONTEXT_SS     2
#define UC_STRICT_RESTORE_SS 4

struct sigcontext {
    u64 r8, r9, r10, r11, r12, r13, r14, r15, rdi, rsi, rbp, rbx, rdx, rax, rcx, rsp, rip, rflags;
    u16 cs, gs, fs, ss;
    u64 error, vector, oldmask, cr2;
    u64 fpstate; /* user address, or 0 */
    u64 reserved[8];
};
_Static_assert(sizeof(struct sigcontext) == 256, "struct sigcontext");

struct ucontext {
    u64 flags, link;
    struct abi_stack stack;
    struct sigcontext mcontext;
    u64 sigmask;
};

struct rt_sigframe {
    u64 restorer;
    struct ucontext uc;
    struct siginfo info;
};

/* In the FXSAVE area's bytes that the CPU leaves to software: how much follows it. */
#define SW_OFFSET 464
struct fpu_software {
    u32 magic1, extended_bytes;
    u64 components;
    u32 xstate_bytes, padding[7];
};
#define FP_XSTATE_MAGIC1 0x46505853u
#define FP_XSTATE_MAGIC2 0x46505845u /* behind the area */

/* What a program may change of RFLAGS by sigreturn: ID and AC, OF, DF, TF, SF, ZF, AF, PF, CF. */
#define RFLAGS_USER 0x240DD5ul
#define RFLAGS_IF   0x200ul
#define RFLAGS_ONE  0x002ul
#define RFLAGS_DF   0x400ul
#define RFLAGS_TF   0x100ul
#define RFLAGS_RF   0x10000ul

static bool on_alt_stack(const struct abi_stack *stack, u64 sp)
{
    return !(stack->flags & SS_DISABLE) && sp - stack->sp - 1 < stack->size;
}

static u64 stack_for(const struct trap_frame *frame, const struct abi_sigaction *action)
{
    const struct abi_stack *alt = &current()->alt_stack;
    u64 sp = frame->rsp - RED_ZONE_BYTES;

    if (action->flags & SA_ONSTACK && alt->size && !(alt->flags & SS_DISABLE) &&
        !on_alt_stack(alt, frame->rsp)) {
        sp = alt->sp + alt->size;
    }
    return sp;
}

/* The thread's vector registers to the user's stack at `at`. */
static bool push_fpu(u64 at)
{
    u8 *area = current()->fpu;
    u32 magic2 = FP_XSTATE_MAGIC2;
    struct fpu_software software = {0};

    fpu_save(area);
    if (fpu_components()) {
        software = (struct fpu_software){.magic1 = FP_XSTATE_MAGIC1,
                                         .extended_bytes = fpu_bytes() + sizeof magic2,
                                         .components = fpu_components(),
                                         .xstate_bytes = fpu_bytes()};
        if (PUT_USER(at + fpu_bytes(), magic2)) {
            return false;
        }
    }
    return !copy_to_user(at, area, fpu_bytes()) && !PUT_USER(at + SW_OFFSET, software);
}

static void fill_context(struct sigcontext *c, const struct trap_frame *f)
{
    *c = (struct sigcontext){
        .r8 = f->r8,
        .r9 = f->r9,
        .r10 = f->r10,
        .r11 = f->r11,
        .r12 = f->r12,
        .r13 = f->r13,
        .r14 = f->r14,
        .r15 = f->r15,
        .rdi = f->rdi,
        .rsi = f->rsi,
        .rbp = f->rbp,
        .rbx = f->rbx,
        .rdx = f->rdx,
        .rax = f->rax,
        .rcx = f->rcx,
        .rsp = f->rsp,
        .rip = f->rip,
        .rflags = f->rflags,
        .cs = (u16)f->cs,
        .ss = (u16)f->ss,
        .error = f->error,
        .vector = f->vector,
    };
}

bool signal_push_frame(struct trap_frame *frame, u32 signal, const struct siginfo *info,
                       const struct abi_sigaction *action, u64 old_mask)
{
    struct rt_sigframe user = {.restorer = action->restorer, .info = *info};
    u64 sp = stack_for(frame, action);
    u64 fpu_room = fpu_bytes() + sizeof(u32);
    u64 fpu_at = ROUND_DOWN(sp - fpu_room, FPU_ALIGN);
    u64 at = ROUND_DOWN(fpu_at - sizeof user, FRAME_ALIGN) - 8; /* as if called */

    if (!user_range_ok(at, sp - at)) {
        return false;
    }
    user.uc.flags = UC_SIGCONTEXT_SS | UC_STRICT_RESTORE_SS | (fpu_components() ? UC_FP_XSTATE : 0);
    user.uc.stack = current()->alt_stack;
    user.uc.stack.flags = !user.uc.stack.size                               ? SS_DISABLE
                          : on_alt_stack(&current()->alt_stack, frame->rsp) ? SS_ONSTACK
                                                                            : 0;
    user.uc.sigmask = old_mask;
    fill_context(&user.uc.mcontext, frame);
    user.uc.mcontext.fpstate = fpu_at;
    user.uc.mcontext.oldmask = old_mask;
    user.uc.mcontext.cr2 = signal == SIGSEGV || signal == SIGBUS ? info->fault.address : 0;
    if (!push_fpu(fpu_at) || PUT_USER(at, user)) {
        return false;
    }
    frame->rdi = signal;
    frame->rsi = at + offsetof(struct rt_sigframe, info);
    frame->rdx = at + offsetof(struct rt_sigframe, uc);
    frame->rax = 0;
    frame->rip = action->handler;
    frame->rsp = at;
    frame->cs = USER_CS | 3;
    frame->ss = USER_DS | 3;
    frame->rflags &= ~(RFLAGS_DF | RFLAGS_TF | RFLAGS_RF);
    return true;
}

static bool pop_fpu(u64 at)
{
    struct thread *t = current();
    u8 *area = kmalloc(fpu_bytes());
    bool ok = area && !copy_from_user(area, at, fpu_bytes()) && fpu_sanitize(area);

    if (ok) {
        irq_off();
        memcpy(t->fpu, area, fpu_bytes());
        fpu_load(t->fpu);
        irq_back();
    }
    kfree(area);
    return ok;
}

static void take_context(struct trap_frame *f, const struct sigcontext *c)
{
    f->r8 = c->r8, f->r9 = c->r9, f->r10 = c->r10, f->r11 = c->r11, f->r12 = c->r12;
    f->r13 = c->r13, f->r14 = c->r14, f->r15 = c->r15, f->rdi = c->rdi, f->rsi = c->rsi;
    f->rbp = c->rbp, f->rbx = c->rbx, f->rdx = c->rdx, f->rax = c->rax, f->rcx = c->rcx;
    f->rsp = c->rsp;
    f->rip = c->rip;
    f->rflags = (c->rflags & RFLAGS_USER) | RFLAGS_IF | RFLAGS_ONE;
    f->cs = USER_CS | 3;
    f->ss = USER_DS | 3;
    f->vector = 0; /* no system call to begin again */
}

/* RSP is 8 above the frame: the handler's RET took the restorer's address. */
long sys_rt_sigreturn(const u64 *arg)
{
    struct trap_frame *frame = current()->user;
    struct ucontext uc;

    (void)arg;
    u64 at = frame->rsp - 8 + offsetof(struct rt_sigframe, uc);
    if (!user_range_ok(at, sizeof uc) || GET_USER(uc, at) || !user_range_ok(uc.mcontext.rip, 1)) {
        goto bad;
    }
    if (uc.mcontext.fpstate && !pop_fpu(uc.mcontext.fpstate)) {
        goto bad;
    }
    if (!uc.mcontext.fpstate) {
        irq_off();
        fpu_reset(current()->fpu);
        fpu_load(current()->fpu);
        irq_back();
    }
    current()->alt_stack = uc.stack;
    current()->alt_stack.flags &= ~SS_ONSTACK;
    signal_set_mask(uc.sigmask);
    take_context(frame, &uc.mcontext);
    return (long)frame->rax;

bad:;
    struct siginfo info = {.signo = SIGSEGV, .code = SI_KERNEL};
    frame->vector = 0;
    signal_force(SIGSEGV, &info);
    return 0;
}
