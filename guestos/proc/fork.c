/*
 * clone(2) and what is made of it: fork, vfork, threads. Each part of a process is either shared or
 * copied, as a flag says; memory is copied by sharing its pages until one side writes (mm/).
 */
#include "guestos/fs/vfs.h"
#include "guestos/kernel/fpu.h"
#include "guestos/kernel/panic.h"
#include "guestos/kernel/percpu.h"
#include "guestos/kernel/string.h"
#include "guestos/mm/slab.h"
#include "guestos/mm/vm.h"
#include "guestos/proc/fork.h"
#include "guestos/sys/syscall.h"

/* clone(2) */
#define CLONE_VM             0x00000100ul
#define CLONE_FS             0x00000200ul
#define CLONE_FILES          0x00000400ul
#define CLONE_SIGHAND        0x00000800ul
#define CLONE_PIDFD          0x00001000ul
#define CLONE_VFORK          0x00004000ul
#define CLONE_PARENT         0x00008000ul
#define CLONE_THREAD         0x00010000ul
#define CLONE_SETTLS         0x00080000ul
#define CLONE_PARENT_SETTID  0x00100000ul
#define CLONE_CHILD_CLEARTID 0x00200000ul
#define CLONE_CHILD_SETTID   0x01000000ul
#define CLONE_SIGNAL         0x000000FFul
/* New namespaces, a pidfd, a parent's I/O context: not here. */
#define CLONE_REFUSED 0x7E023000ul

struct request {
    u64 flags, stack, parent_tid, child_tid, tls;
    u32 exit_signal;
};

static u32 processes_of(u32 uid)
{
    u32 n = 0;

    spin_lock(&process_lock);
    for (LIST_EACH(struct process, p, &processes, table_link)) {
        n += p->cred.uid == uid ? MAX(p->nr_threads, 1u) : 0;
    }
    spin_unlock(&process_lock);
    return n;
}

static int check(const struct request *r)
{
    const struct process *p = this_process();

    if (r->flags & CLONE_REFUSED || r->exit_signal > NR_SIGNALS ||
        (r->flags & CLONE_SIGHAND && !(r->flags & CLONE_VM)) ||
        (r->flags & CLONE_THREAD && !(r->flags & CLONE_SIGHAND))) {
        return -EINVAL;
    }
    if (r->flags & CLONE_PARENT && p->pid == 1) {
        return -EINVAL;
    }
    return !is_superuser() && processes_of(p->cred.uid) >= p->limit[RLIMIT_NPROC].soft ? -EAGAIN
                                                                                       : 0;
}

/* What belongs to the thread itself. */
static struct thread *copy_thread(const struct request *r, struct process *process)
{
    struct thread *from = current();
    struct thread *t = thread_new_user(process, from->user);

    if (!t) {
        return NULL;
    }
    irq_off();
    fpu_save(from->fpu);
    irq_back();
    memcpy(t->fpu, from->fpu, fpu_bytes());
    memcpy(t->name, from->name, sizeof t->name);
    t->user->rax = 0; /* the child's result */
    t->user->vector = 0;
    if (r->stack) {
        t->user->rsp = r->stack;
    }
    t->fs_base = r->flags & CLONE_SETTLS ? r->tls : from->fs_base;
    t->gs_base = from->gs_base;
    t->signal_mask = from->signal_mask;
    if (!(r->flags & CLONE_VM) || r->flags & CLONE_VFORK) {
        t->alt_stack = from->alt_stack;
    }
    t->clear_child_tid = r->flags & CLONE_CHILD_CLEARTID ? r->child_tid : 0;
    t->set_child_tid = r->flags & CLONE_CHILD_SETTID ? r->child_tid : 0;
    return t;
}

static void drop_parts(struct process *p)
{
    if (p->vm) {
        vm_put(p->vm);
    }
    if (p->files) {
        fd_table_put(p->files);
    }
    if (p->fs) {
        fs_context_put(p->fs);
    }
    process_free(p);
}

static struct process *copy_process(const struct request *r)
{
    struct process *from = this_process();
    struct process *p = process_new();

    if (!p) {
        return NULL;
    }
    if (r->flags & CLONE_VM) {
        vm_get(from->vm);
        p->vm = from->vm;
    } else {
        p->vm = vm_fork(from->vm);
    }
    p->files = r->flags & CLONE_FILES ? fd_table_hold(from->files) : fd_table_copy(from->files);
    p->fs = r->flags & CLONE_FS ? fs_context_hold(from->fs) : fs_context_copy(from->fs);
    if (r->flags & CLONE_SIGHAND) {
        __atomic_add_fetch(&from->actions->users, 1, __ATOMIC_RELAXED);
        p->actions = from->actions;
    } else {
        p->actions = actions_copy(from->actions);
    }
    if (!p->vm || !p->files || !p->fs || !p->actions) {
        drop_parts(p);
        return NULL;
    }
    p->cred = from->cred;
    memcpy(p->limit, from->limit, sizeof p->limit);
    memcpy(p->name, from->name, sizeof p->name);
    p->no_new_privs = from->no_new_privs;
    p->dumpable = from->dumpable;
    p->traced = from->traced;
    p->nice = from->nice;
    p->exit_signal = r->exit_signal;
    return p;
}

/* Into the table, unless the parent has been killed meanwhile. */
static int publish(const struct request *r, struct thread *t, struct process *child)
{
    struct process *self = this_process();
    int result = 0;

    spin_lock(&process_lock);
    if (self->exiting || current()->exiting) {
        result = -EINTR;
    } else if (!thread_join(t, child)) {
        result = -EAGAIN;
    } else if (child != self) {
        struct process *parent = r->flags & CLONE_PARENT ? self->parent : self;
        process_enter(child, t->tid);
        child->pgid = self->pgid;
        child->sid = self->sid;
        child->tty = self->tty;
        child->parent = parent;
        list_add_last(&parent->children, &child->sibling_link);
    }
    spin_unlock(&process_lock);
    return result;
}

/* A child that borrows its parent's memory: the parent waits until it gives it back. */
static struct wait_queue vfork_wait = WAIT_QUEUE_INIT(vfork_wait);

void vfork_done(void)
{
    if (current()->vfork_child) {
        current()->vfork_child = false;
        wake_all(&vfork_wait);
    }
}

static bool vfork_is_over(u32 tid)
{
    spin_lock(&process_lock);
    struct thread *t = thread_find(tid);
    bool over = !t || !t->vfork_child;
    spin_unlock(&process_lock);
    return over;
}

static long do_clone(const struct request *r)
{
    struct process *self = this_process();
    int error = check(r);

    if (error) {
        return error;
    }
    struct process *child = r->flags & CLONE_THREAD ? self : copy_process(r);
    struct thread *t = child ? copy_thread(r, child) : NULL;
    if (!t) {
        if (child && child != self) {
            drop_parts(child);
        }
        return -ENOMEM;
    }
    t->vfork_child = r->flags & CLONE_VFORK;
    error = publish(r, t, child);
    if (error) {
        t->process = NULL;
        thread_discard(t);
        if (child != self) {
            drop_parts(child);
        }
        return error;
    }
    u32 tid = t->tid;
    if (r->flags & CLONE_PARENT_SETTID) {
        PUT_USER(r->parent_tid, tid);
    }
    if (r->flags & CLONE_CHILD_SETTID && r->flags & CLONE_VM) {
        PUT_USER(r->child_tid, tid);
    } else if (r->flags & CLONE_CHILD_SETTID) {
        vm_write(child->vm, r->child_tid, &tid, sizeof tid);
    }
    thread_start(t);
    if (r->flags & CLONE_VFORK) {
        WAIT(&vfork_wait, vfork_is_over(tid), WAIT_KILLABLE, NEVER);
    }
    return tid;
}

long sys_clone(const u64 *arg)
{
    struct request r = {.flags = arg[0] & ~CLONE_SIGNAL,
                        .exit_signal = arg[0] & CLONE_SIGNAL,
                        .stack = arg[1],
                        .parent_tid = arg[2],
                        .child_tid = arg[3],
                        .tls = arg[4]};

    return do_clone(&r);
}

long sys_fork(const u64 *arg)
{
    (void)arg;
    return do_clone(&(struct request){.exit_signal = SIGCHLD});
}

long sys_vfork(const u64 *arg)
{
    (void)arg;
    return do_clone(&(struct request){.flags = CLONE_VM | CLONE_VFORK, .exit_signal = SIGCHLD});
}

struct clone_args { /* clone3(2), its first version */
    u64 flags, pidfd, child_tid, parent_tid, exit_signal, stack, stack_bytes, tls;
};

long sys_clone3(const u64 *arg)
{
    struct clone_args a;

    if (arg[1] < sizeof a) {
        return -EINVAL;
    }
    if (GET_USER(a, arg[0])) {
        return -EFAULT;
    }
    if (a.flags & CLONE_SIGNAL || !a.stack != !a.stack_bytes || a.exit_signal > NR_SIGNALS) {
        return -EINVAL;
    }
    return do_clone(&(struct request){.flags = a.flags,
                                      .exit_signal = (u32)a.exit_signal,
                                      .stack = a.stack ? a.stack + a.stack_bytes : 0,
                                      .parent_tid = a.parent_tid,
                                      .child_tid = a.child_tid,
                                      .tls = a.tls});
}
