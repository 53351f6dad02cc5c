/* What a parent learns of its children: wait4(2), waitid(2), SIGCHLD; and how a process stops. */
#include "guestos/mm/vm.h"
#include "guestos/proc/fork.h"
#include "guestos/proc/rusage.h"
#include "guestos/proc/signal.h"
#include "guestos/sys/syscall.h"

/* wait(2) */
#define WNOHANG    1u
#define WUNTRACED  2u /* = WSTOPPED */
#define WEXITED    4u
#define WCONTINUED 8u
#define WNOWAIT    0x01000000u
#define WNOTHREAD  0x20000000u
#define WALL       0x40000000u
#define WCLONE     0x80000000u

enum { P_ALL, P_PID, P_PGID };

#define STATUS_STOPPED   0x7Fu
#define STATUS_CONTINUED 0xFFFFu

void job_tell_parent(struct process *p, i32 code, i32 status)
{
    struct process *parent = p->parent;
    bool ended = code == CLD_EXITED || code == CLD_KILLED || code == CLD_DUMPED;
    u32 signal = ended ? p->exit_signal : SIGCHLD;
    struct siginfo info = {.signo = (i32)signal, .code = code};

    if (!parent) {
        return;
    }
    info.pid = (i32)p->pid;
    info.uid = p->cred.uid;
    info.child.status = status;
    info.child.utime = (i64)(p->user_ns / (NS_PER_S / 100));
    info.child.stime = (i64)(p->system_ns / (NS_PER_S / 100));
    if (ended || !(parent->actions->of[SIGCHLD].flags & SA_NOCLDSTOP)) {
        signal_process_locked(parent, signal, &info);
    }
    wake_all(&parent->child_wait);
}

void process_stop(u32 signal)
{
    struct process *p = this_process();

    spin_lock(&process_lock);
    spin_lock(&p->signal_lock);
    /* A SIGCONT may have come since the stop signal was taken from the queue. */
    if (p->state == PROCESS_ALIVE && !p->exiting && !(p->signal_pending & SIGNAL_BIT(SIGCONT))) {
        p->state = PROCESS_STOPPED;
        p->stop_signal = signal;
        p->stop_reported = false;
        p->continue_pending = false;
        for (LIST_EACH(struct thread, t, &p->threads, process_link)) {
            thread_wake_for_signal(t);
        }
        job_tell_parent(p, CLD_STOPPED, (i32)signal);
    }
    spin_unlock(&p->signal_lock);
    spin_unlock(&process_lock);
}

/* What is asked, and what was found. */
struct question {
    u32 kind, id, options;
    bool any; /* there is a child that it could be */
    u32 pid;  /* 0: none has changed */
    u32 uid, status;
    i32 code;
    struct rusage usage;
    struct process *reaped; /* to be freed */
};

static bool is_meant(const struct question *q, const struct process *child)
{
    bool clone_child = child->exit_signal != SIGCHLD;

    if (!(q->options & WALL) && clone_child != !!(q->options & WCLONE)) {
        return false;
    }
    return q->kind == P_ALL || (q->kind == P_PID ? child->pid == q->id : child->pgid == q->id);
}

static void reap(struct process *self, struct process *child)
{
    self->children_user_ns += child->user_ns + child->children_user_ns;
    self->children_system_ns += child->system_ns + child->children_system_ns;
    self->children_faults_minor += child->faults_minor + child->children_faults_minor;
    self->children_faults_major += child->faults_major + child->children_faults_major;
    self->children_max_resident =
        MAX(self->children_max_resident, MAX(child->max_resident, child->children_max_resident));
    process_remove(child);
}

static bool answers(struct question *q, struct process *self, struct process *child)
{
    bool keep = q->options & WNOWAIT;

    if (child->state == PROCESS_ZOMBIE && q->options & WEXITED) {
        u32 code = child->exit_code;
        q->status = code;
        q->code = code & 0x7F ? code & 0x80 ? CLD_DUMPED : CLD_KILLED : CLD_EXITED;
        rusage_of_zombie(child, &q->usage);
        if (!keep) {
            reap(self, child);
            q->reaped = child;
        }
    } else if (child->state == PROCESS_STOPPED && q->options & WUNTRACED && !child->stop_reported) {
        child->stop_reported = !keep;
        q->status = child->stop_signal << 8 | STATUS_STOPPED;
        q->code = CLD_STOPPED;
    } else if (child->continue_pending && q->options & WCONTINUED) {
        child->continue_pending = keep;
        q->status = STATUS_CONTINUED;
        q->code = CLD_CONTINUED;
    } else {
        return false;
    }
    q->pid = child->pid;
    q->uid = child->cred.uid;
    return true;
}

/* True: there is an answer, or there will never be one. */
static bool look(struct question *q)
{
    struct process *self = this_process();

    q->any = false;
    spin_lock(&process_lock);
    for (LIST_EACH_SAFE(struct process, child, &self->children, sibling_link)) {
        if (is_meant(q, child)) {
            q->any = true;
            if (answers(q, self, child)) {
                break;
            }
        }
    }
    spin_unlock(&process_lock);
    return q->pid || !q->any;
}

static int ask(struct question *q)
{
    int error = 0;

    if (!look(q) && !(q->options & WNOHANG)) {
        error = WAIT(&this_process()->child_wait, look(q), WAIT_INTERRUPTIBLE, NEVER);
    }
    if (q->reaped) {
        process_free(q->reaped);
    }
    return q->pid ? 0 : error ? -ERESTARTSYS : q->any ? 0 : -ECHILD;
}

long sys_wait4(const u64 *arg)
{
    i32 pid = (i32)arg[0];
    struct question q = {.options = (u32)arg[2] | WEXITED};

    if (arg[2] & ~(u64)(WNOHANG | WUNTRACED | WCONTINUED | WNOTHREAD | WALL | WCLONE)) {
        return -EINVAL;
    }
    if (pid == -2147483647 - 1) {
        return -ESRCH;
    }
    q.kind = pid == -1 ? P_ALL : pid > 0 ? P_PID : P_PGID;
    q.id = pid > 0 ? (u32)pid : pid == 0 ? this_process()->pgid : (u32)-pid;
    int error = ask(&q);
    if (error || !q.pid) {
        return error;
    }
    if ((arg[1] && PUT_USER(arg[1], q.status)) || (arg[3] && PUT_USER(arg[3], q.usage))) {
        return -EFAULT;
    }
    return q.pid;
}

long sys_waitid(const u64 *arg)
{
    struct question q = {.kind = (u32)arg[0], .id = (u32)arg[1], .options = (u32)arg[3]};
    struct siginfo info = {0};

    if (arg[3] & ~(u64)(WNOHANG | WUNTRACED | WEXITED | WCONTINUED | WNOWAIT | WNOTHREAD | WALL |
                        WCLONE) ||
        !(arg[3] & (WEXITED | WUNTRACED | WCONTINUED)) || arg[0] > P_PGID) {
        return -EINVAL;
    }
    if (q.kind == P_PGID && q.id == 0) {
        q.id = this_process()->pgid;
    } else if (q.kind != P_ALL && (i32)arg[1] <= 0) {
        return -EINVAL;
    }
    int error = ask(&q);
    if (error) {
        return error;
    }
    if (q.pid) {
        info.signo = SIGCHLD;
        info.code = q.code;
        info.pid = (i32)q.pid;
        info.uid = q.uid;
        info.child.status = (i32)(q.code == CLD_EXITED      ? q.status >> 8
                                  : q.code == CLD_STOPPED   ? q.status >> 8
                                  : q.code == CLD_CONTINUED ? SIGCONT
                                                            : q.status & 0x7F);
    }
    if ((arg[2] && PUT_USER(arg[2], info)) || (arg[4] && PUT_USER(arg[4], q.usage))) {
        return -EFAULT;
    }
    return 0;
}
