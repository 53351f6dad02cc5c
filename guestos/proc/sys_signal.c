/* System calls about signals: actions, masks, sending, waiting. signal(7) and the pages named
 * there. */
#include "guestos/kernel/string.h"
#include "guestos/proc/process.h"
#include "guestos/proc/signal.h"
#include "guestos/proc/timespec.h"
#include "guestos/sys/syscall.h"

#define SIGSET_BYTES 8

long sys_rt_sigaction(const u64 *arg)
{
    u32 signal = (u32)arg[0];
    struct process *p = this_process();
    struct abi_sigaction new_action, old;

    if (arg[3] != SIGSET_BYTES || signal < 1 || signal > NR_SIGNALS) {
        return -EINVAL;
    }
    if (arg[1] && (SIGNAL_BIT(signal) & SIGNALS_NOT_MASKED)) {
        return -EINVAL;
    }
    if (arg[1] && GET_USER(new_action, arg[1])) {
        return -EFAULT;
    }
    spin_lock(&p->signal_lock);
    old = p->actions->of[signal];
    if (arg[1]) {
        new_action.mask &= ~SIGNALS_NOT_MASKED;
        p->actions->of[signal] = new_action;
        signal_forget_ignored(p, signal);
    }
    spin_unlock(&p->signal_lock);
    return arg[2] && PUT_USER(arg[2], old) ? -EFAULT : 0;
}

long sys_rt_sigprocmask(const u64 *arg)
{
    u64 set, mask, old = current()->signal_mask;

    if (arg[3] != SIGSET_BYTES) {
        return -EINVAL;
    }
    if (arg[1]) {
        if (GET_USER(set, arg[1])) {
            return -EFAULT;
        }
        switch (arg[0]) {
        case SIG_BLOCK: mask = old | set; break;
        case SIG_UNBLOCK: mask = old & ~set; break;
        case SIG_SETMASK: mask = set; break;
        default: return -EINVAL;
        }
        signal_set_mask(mask);
    }
    return arg[2] && PUT_USER(arg[2], old) ? -EFAULT : 0;
}

long sys_rt_sigpending(const u64 *arg)
{
    struct thread *t = current();
    u64 set = (t->signal_pending | t->process->signal_pending) & t->signal_mask;

    if (arg[1] > SIGSET_BYTES) {
        return -EINVAL;
    }
    return copy_to_user(arg[0], &set, arg[1]);
}

static long wait_for_signal(u64 mask)
{
    struct thread *t = current();
    struct wait_queue nobody;

    wait_queue_init(&nobody);
    t->signal_saved_mask = t->signal_mask;
    t->restore_mask = true;
    signal_set_mask(mask);
    WAIT(&nobody, false, WAIT_INTERRUPTIBLE, NEVER);
    return -ERESTARTNOHAND;
}

long sys_rt_sigsuspend(const u64 *arg)
{
    u64 mask;

    if (arg[1] != SIGSET_BYTES) {
        return -EINVAL;
    }
    return GET_USER(mask, arg[0]) ? -EFAULT : wait_for_signal(mask);
}

long sys_pause(const u64 *arg)
{
    (void)arg;
    return wait_for_signal(current()->signal_mask);
}

long sys_rt_sigtimedwait(const u64 *arg)
{
    struct thread *t = current();
    struct siginfo info;
    struct wait_queue nobody;
    struct abi_timespec timeout;
    u64 set, deadline = NEVER;
    u32 signal = 0;

    if (arg[3] != SIGSET_BYTES) {
        return -EINVAL;
    }
    if (GET_USER(set, arg[0]) || (arg[2] && GET_USER(timeout, arg[2]))) {
        return -EFAULT;
    }
    if (arg[2]) {
        if (!timespec_is_valid(&timeout)) {
            return -EINVAL;
        }
        deadline = clock_after(timeout.sec, timeout.nsec);
    }
    set &= ~SIGNALS_NOT_MASKED;
    wait_queue_init(&nobody);
    u64 mask = t->signal_mask;
    signal_set_mask(mask & ~set); /* so that they wake us */
    int error =
        WAIT(&nobody, (signal = signal_take(set, &info)) != 0, WAIT_INTERRUPTIBLE, deadline);
    signal_set_mask(mask);
    if (!signal) {
        return error == -ETIMEDOUT ? -EAGAIN : -EINTR;
    }
    return arg[1] && PUT_USER(arg[1], info) ? -EFAULT : (long)signal;
}

long sys_sigaltstack(const u64 *arg)
{
    struct thread *t = current();
    struct abi_stack stack, old = t->alt_stack;
    bool on_it = old.size && t->user->rsp - old.sp - 1 < old.size;

    old.flags = !old.size ? SS_DISABLE : on_it ? SS_ONSTACK : old.flags;
    if (arg[0]) {
        if (GET_USER(stack, arg[0])) {
            return -EFAULT;
        }
        if (on_it) {
            return -EPERM;
        }
        if (stack.flags & ~(SS_DISABLE | SS_ONSTACK)) {
            return -EINVAL;
        }
        if (stack.flags & SS_DISABLE) {
            stack = (struct abi_stack){0};
        } else if (stack.size < MINSIGSTKSZ) {
            return -ENOMEM;
        }
        stack.flags = 0;
        t->alt_stack = stack;
    }
    return arg[1] && PUT_USER(arg[1], old) ? -EFAULT : 0;
}

/* ---- sending */

static struct siginfo from_us(u32 signal, i32 code)
{
    struct siginfo info = {.signo = (i32)signal, .code = code};

    info.pid = (i32)this_process()->pid;
    info.uid = this_process()->cred.uid;
    return info;
}

/* kill(2): to one process, to a group, or to all that we may. */
long sys_kill(const u64 *arg)
{
    i32 pid = (i32)arg[0];
    u32 signal = (u32)arg[1];
    struct siginfo info = from_us(signal, SI_USER);
    struct process *self = this_process();
    long result = -ESRCH;

    if (signal > NR_SIGNALS) {
        return -EINVAL;
    }
    if (pid == -2147483647 - 1) {
        return -ESRCH;
    }
    spin_lock(&process_lock);
    for (LIST_EACH(struct process, p, &processes, table_link)) {
        bool meant = pid > 0    ? p->pid == (u32)pid
                     : pid == 0 ? p->pgid == self->pgid
                     : pid < -1 ? p->pgid == (u32)-pid
                                : p->pid != 1 && p != self;
        if (!meant) {
            continue;
        }
        if (!may_signal(p) && !(signal == SIGCONT && p->sid == self->sid)) {
            result = result == 0 ? 0 : -EPERM;
            continue;
        }
        signal_process_locked(p, signal, &info);
        result = 0;
    }
    spin_unlock(&process_lock);
    return result;
}

static long to_thread(i32 tgid, i32 tid, u32 signal, const struct siginfo *info)
{
    long result = 0;

    if (signal > NR_SIGNALS || tid <= 0) {
        return -EINVAL;
    }
    spin_lock(&process_lock);
    struct thread *t = thread_find((u32)tid);
    if (!t || (tgid >= 0 && t->process->pid != (u32)tgid)) {
        result = -ESRCH;
    } else if (!may_signal(t->process)) {
        result = -EPERM;
    } else {
        signal_thread_locked(t, signal, info);
    }
    spin_unlock(&process_lock);
    return result;
}

long sys_tkill(const u64 *arg)
{
    struct siginfo info = from_us((u32)arg[1], SI_TKILL);

    return to_thread(-1, (i32)arg[0], (u32)arg[1], &info);
}

long sys_tgkill(const u64 *arg)
{
    struct siginfo info = from_us((u32)arg[2], SI_TKILL);

    if ((i32)arg[0] <= 0) {
        return -EINVAL;
    }
    return to_thread((i32)arg[0], (i32)arg[1], (u32)arg[2], &info);
}

/* A program may say what it likes of itself, but not to others that the kernel sent it. */
static long read_info(u64 from, u32 signal, bool to_self, struct siginfo *info)
{
    if (copy_from_user(info, from, sizeof *info)) {
        return -EFAULT;
    }
    if (!to_self && (info->code >= 0 || info->code == SI_TKILL)) {
        return -EPERM;
    }
    info->signo = (i32)signal;
    return 0;
}

long sys_rt_sigqueueinfo(const u64 *arg)
{
    u32 pid = (u32)arg[0], signal = (u32)arg[1];
    struct siginfo info;
    long result = read_info(arg[2], signal, pid == this_process()->pid, &info);

    if (result) {
        return result;
    }
    if (signal > NR_SIGNALS) {
        return -EINVAL;
    }
    spin_lock(&process_lock);
    struct process *p = process_find(pid);
    if (!p) {
        result = -ESRCH;
    } else if (!may_signal(p)) {
        result = -EPERM;
    } else {
        signal_process_locked(p, signal, &info);
    }
    spin_unlock(&process_lock);
    return result;
}

long sys_rt_tgsigqueueinfo(const u64 *arg)
{
    struct siginfo info;
    long result = read_info(arg[3], (u32)arg[2], (u32)arg[0] == this_process()->pid, &info);

    return result ? result : to_thread((i32)arg[0], (i32)arg[1], (u32)arg[2], &info);
}
