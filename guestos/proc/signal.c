/*
 * Sending and delivering signals. signal(7) says what each does by default; POSIX.1-2017, XSH 2.4,
 * what the rest means. A signal waits in its thread's or its process' queue: the set says which
 * numbers wait, the list holds what is known of them (real-time signals several times over).
 */
#include "guestos/proc/signal.h"
#include "guestos/abi/errno.h"
#include "guestos/kernel/panic.h"
#include "guestos/mm/slab.h"
#include "guestos/proc/process.h"

#define STOP_SIGNALS                                                                               \
    (SIGNAL_BIT(SIGSTOP) | SIGNAL_BIT(SIGTSTP) | SIGNAL_BIT(SIGTTIN) | SIGNAL_BIT(SIGTTOU))
#define IGNORED_BY_DEFAULT                                                                         \
    (SIGNAL_BIT(SIGCHLD) | SIGNAL_BIT(SIGURG) | SIGNAL_BIT(SIGWINCH) | SIGNAL_BIT(SIGCONT))
/* Delivered first: they belong to the instruction that is about to run. */
#define SYNCHRONOUS                                                                                \
    (SIGNAL_BIT(SIGSEGV) | SIGNAL_BIT(SIGBUS) | SIGNAL_BIT(SIGILL) | SIGNAL_BIT(SIGTRAP) |         \
     SIGNAL_BIT(SIGFPE) | SIGNAL_BIT(SIGSYS))

void signal_drop_queue(struct list *queue)
{
    for (LIST_EACH_SAFE(struct queued_signal, q, queue, link)) {
        list_remove(&q->link);
        kfree(q);
    }
}

/* ---- sending. signal_lock is held in what follows. */

static void discard(struct list *queue, u64 *pending, u64 set)
{
    *pending &= ~set;
    for (LIST_EACH_SAFE(struct queued_signal, q, queue, link)) {
        if (SIGNAL_BIT(q->info.signo) & set) {
            list_remove(&q->link);
            kfree(q);
        }
    }
}

static void discard_everywhere(struct process *p, u64 set)
{
    discard(&p->signal_queue, &p->signal_pending, set);
    for (LIST_EACH(struct thread, t, &p->threads, process_link)) {
        discard(&t->signal_queue, &t->signal_pending, set);
    }
}

static void put(struct list *queue, u64 *pending, u32 signal, const struct siginfo *info)
{
    if (*pending & SIGNAL_BIT(signal) && signal < SIGRTMIN) {
        return; /* a standard signal waits once */
    }
    *pending |= SIGNAL_BIT(signal);
    struct queued_signal *q = kmalloc(sizeof *q);
    if (!q) {
        return; /* it comes, without its details */
    }
    q->info = info ? *info : (struct siginfo){.code = SI_KERNEL};
    q->info.signo = (i32)signal;
    list_add_last(queue, &q->link);
}

static bool is_ignored(const struct process *p, u32 signal)
{
    u64 handler = p->actions->of[signal].handler;

    return handler == SIG_IGN || (handler == SIG_DFL && SIGNAL_BIT(signal) & IGNORED_BY_DEFAULT);
}

void signal_forget_ignored(struct process *p, u32 signal)
{
    if (is_ignored(p, signal)) {
        discard_everywhere(p, SIGNAL_BIT(signal));
    }
}

/* init gets only what it has a handler for. */
static bool is_protected(const struct process *p, u32 signal)
{
    return p->pid == 1 && p->actions->of[signal].handler == SIG_DFL;
}

static void kill_threads(struct process *p)
{
    for (LIST_EACH(struct thread, t, &p->threads, process_link)) {
        t->exiting = true;
        thread_wake_for_signal(t);
    }
}

/* What a signal does at once, whether it is blocked or not. process_lock is held, too. */
static void job_control(struct process *p, u32 signal)
{
    if (signal == SIGCONT || signal == SIGKILL) {
        discard_everywhere(p, STOP_SIGNALS);
        if (p->state == PROCESS_STOPPED) {
            p->state = PROCESS_ALIVE;
            p->stop_reported = false;
            if (signal == SIGCONT) {
                p->continue_pending = true;
                job_tell_parent(p, CLD_CONTINUED, SIGCONT);
            }
            wake_all(&p->stop_wait);
        }
    } else if (SIGNAL_BIT(signal) & STOP_SIGNALS) {
        discard_everywhere(p, SIGNAL_BIT(SIGCONT));
    }
}

static void wake_somebody(struct process *p, u32 signal)
{
    for (LIST_EACH(struct thread, t, &p->threads, process_link)) {
        if (!(t->signal_mask & SIGNAL_BIT(signal))) {
            thread_wake_for_signal(t);
            return;
        }
    }
}

static bool blocked_by_all(const struct process *p, u32 signal)
{
    for (LIST_EACH(struct thread, t, &p->threads, process_link)) {
        if (!(t->signal_mask & SIGNAL_BIT(signal))) {
            return false;
        }
    }
    return true;
}

/* process_lock is held. */
void signal_process_locked(struct process *p, u32 signal, const struct siginfo *info)
{
    if (signal == 0 || p->state == PROCESS_ZOMBIE) {
        return;
    }
    spin_lock(&p->signal_lock);
    job_control(p, signal);
    if (signal == SIGKILL && p->pid != 1) {
        if (!p->exiting) {
            p->exiting = true;
            p->exit_code = SIGKILL;
        }
        kill_threads(p);
    } else if (!is_protected(p, signal) && (!is_ignored(p, signal) || blocked_by_all(p, signal))) {
        put(&p->signal_queue, &p->signal_pending, signal, info);
        wake_somebody(p, signal);
    }
    spin_unlock(&p->signal_lock);
}

void signal_process(struct process *p, u32 signal, const struct siginfo *info)
{
    spin_lock(&process_lock);
    signal_process_locked(p, signal, info);
    spin_unlock(&process_lock);
}

/* process_lock is held. */
void signal_thread_locked(struct thread *t, u32 signal, const struct siginfo *info)
{
    struct process *p = t->process;

    if (signal == 0) {
        return;
    }
    if (signal == SIGKILL || SIGNAL_BIT(signal) & (STOP_SIGNALS | SIGNAL_BIT(SIGCONT))) {
        signal_process_locked(p, signal, info); /* these are for the whole process */
        return;
    }
    spin_lock(&p->signal_lock);
    if (!is_protected(p, signal) &&
        (!is_ignored(p, signal) || t->signal_mask & SIGNAL_BIT(signal))) {
        put(&t->signal_queue, &t->signal_pending, signal, info);
        if (!(t->signal_mask & SIGNAL_BIT(signal))) {
            thread_wake_for_signal(t);
        }
    }
    spin_unlock(&p->signal_lock);
}

void signal_thread(struct thread *t, u32 signal, const struct siginfo *info)
{
    spin_lock(&process_lock);
    signal_thread_locked(t, signal, info);
    spin_unlock(&process_lock);
}

int signal_group(u32 pgid, u32 signal, const struct siginfo *info)
{
    int result = -ESRCH;

    spin_lock(&process_lock);
    for (LIST_EACH(struct process, p, &processes, table_link)) {
        if (p->pgid == pgid && p->state != PROCESS_ZOMBIE) {
            signal_process_locked(p, signal, info);
            result = 0;
        }
    }
    spin_unlock(&process_lock);
    return result;
}

void signal_force(u32 signal, const struct siginfo *info)
{
    struct thread *t = current();
    struct process *p = t->process;
    struct abi_sigaction *action = &p->actions->of[signal];

    spin_lock(&p->signal_lock);
    if (t->signal_mask & SIGNAL_BIT(signal) || action->handler == SIG_IGN) {
        action->handler = SIG_DFL;
        t->signal_mask &= ~SIGNAL_BIT(signal);
    }
    put(&t->signal_queue, &t->signal_pending, signal, info);
    spin_unlock(&p->signal_lock);
}

/* ---- receiving */

bool signal_is_pending(const struct thread *t)
{
    const struct process *p = t->process;

    return p && (t->exiting || p->state == PROCESS_STOPPED ||
                 (t->signal_pending | p->signal_pending) & ~t->signal_mask);
}

bool signal_is_ignored_or_blocked(u32 signal)
{
    struct process *p = this_process();

    return current()->signal_mask & SIGNAL_BIT(signal) || p->actions->of[signal].handler == SIG_IGN;
}

void signal_set_mask(u64 mask)
{
    struct process *p = this_process();

    spin_lock(&p->signal_lock);
    current()->signal_mask = mask & ~SIGNALS_NOT_MASKED;
    /* What waits for the process may have been left to us: another thread takes it now. */
    for (u32 n = 1; n <= NR_SIGNALS; n++) {
        if (p->signal_pending & mask & SIGNAL_BIT(n)) {
            wake_somebody(p, n);
        }
    }
    spin_unlock(&p->signal_lock);
}

static u32 take_from(struct list *queue, u64 *pending, u64 set, struct siginfo *info)
{
    u64 ready = *pending & set;

    if (!ready) {
        return 0;
    }
    u64 first = ready & SYNCHRONOUS ? ready & SYNCHRONOUS : ready;
    u32 signal = (u32)__builtin_ctzl(first) + 1;
    struct queued_signal *found = NULL;
    bool more = false;
    for (LIST_EACH(struct queued_signal, q, queue, link)) {
        if (q->info.signo == (i32)signal) {
            more |= found != NULL;
            found = found ? found : q;
        }
    }
    *info = found ? found->info : (struct siginfo){.signo = (i32)signal, .code = SI_USER};
    if (found) {
        list_remove(&found->link);
        kfree(found);
    }
    if (!more) {
        *pending &= ~SIGNAL_BIT(signal);
    }
    return signal;
}

u32 signal_take(u64 set, struct siginfo *info)
{
    struct thread *t = current();
    struct process *p = t->process;

    spin_lock(&p->signal_lock);
    u32 signal = take_from(&t->signal_queue, &t->signal_pending, set, info);
    if (!signal) {
        signal = take_from(&p->signal_queue, &p->signal_pending, set, info);
    }
    spin_unlock(&p->signal_lock);
    return signal;
}

static bool broken_off(const struct trap_frame *frame)
{
    long result = (long)frame->rax;

    return frame->vector == TRAP_SYSCALL && result <= -ERESTARTSYS &&
           result >= -ERESTART_RESTARTBLOCK;
}

bool signal_has_work(const struct trap_frame *frame)
{
    return signal_is_pending(current()) || current()->restore_mask || broken_off(frame);
}

#define SYSCALL_BYTES      2 /* 0F 05 */
#define NR_RESTART_SYSCALL 219

static void restart(struct trap_frame *frame, u64 number)
{
    frame->rax = number;
    frame->rip -= SYSCALL_BYTES;
}

static void restart_without_handler(struct trap_frame *frame)
{
    if (broken_off(frame)) {
        bool by_block = (long)frame->rax == -ERESTART_RESTARTBLOCK;
        restart(frame, by_block ? NR_RESTART_SYSCALL : frame->error);
    }
    frame->vector = 0; /* not twice */
}

static void restart_before_handler(struct trap_frame *frame, const struct abi_sigaction *action)
{
    if (broken_off(frame)) {
        if ((long)frame->rax == -ERESTARTSYS && action->flags & SA_RESTART) {
            restart(frame, frame->error);
        } else {
            frame->rax = (u64)-EINTR;
        }
    }
    frame->vector = 0;
}

static void run_handler(struct trap_frame *frame, u32 signal, const struct siginfo *info,
                        const struct abi_sigaction *action)
{
    struct thread *t = current();
    u64 old_mask = t->restore_mask ? t->signal_saved_mask : t->signal_mask;
    u64 mask = t->signal_mask | action->mask;

    t->restore_mask = false;
    restart_before_handler(frame, action);
    if (!signal_push_frame(frame, signal, info, action, old_mask)) {
        if (signal == SIGSEGV) {
            process_exit(SIGSEGV);
        }
        struct siginfo segv = {.signo = SIGSEGV, .code = SI_KERNEL};
        signal_force(SIGSEGV, &segv);
        return;
    }
    signal_set_mask(action->flags & SA_NODEFER ? mask : mask | SIGNAL_BIT(signal));
}

static void default_action(u32 signal)
{
    u64 bit = SIGNAL_BIT(signal);

    if (bit & IGNORED_BY_DEFAULT) {
        return;
    }
    if (bit & STOP_SIGNALS) {
        if (signal == SIGSTOP || !group_is_orphaned(this_process()->pgid)) {
            process_stop(signal);
        }
        return;
    }
    process_exit(signal);
}

void signal_deliver(struct trap_frame *frame)
{
    struct thread *t = current();
    struct process *p = t->process;
    struct abi_sigaction action;
    struct siginfo info;

    for (;;) {
        if (p->state == PROCESS_STOPPED && !t->exiting) {
            WAIT(&p->stop_wait, p->state != PROCESS_STOPPED || t->exiting, WAIT_KILLABLE, NEVER);
        }
        if (t->exiting) {
            thread_end();
        }
        u32 signal = signal_take(~t->signal_mask, &info);
        if (!signal) {
            break;
        }
        spin_lock(&p->signal_lock);
        action = p->actions->of[signal];
        if (action.flags & SA_RESETHAND && action.handler > SIG_IGN) {
            p->actions->of[signal].handler = SIG_DFL;
        }
        spin_unlock(&p->signal_lock);
        if (action.handler == SIG_DFL) {
            default_action(signal);
        } else if (action.handler != SIG_IGN) {
            run_handler(frame, signal, &info, &action);
            return;
        }
    }
    restart_without_handler(frame);
    if (t->restore_mask) {
        t->restore_mask = false;
        signal_set_mask(t->signal_saved_mask);
    }
}
