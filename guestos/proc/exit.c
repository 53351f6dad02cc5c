/*
 * Ends: of a thread, of a process, of all threads but one. The last thread of a process gives back
 * what the process has, leaves its children to init, and then it is a zombie: a number and an exit
 * code, until its parent asks (wait.c).
 */
#include "guestos/fs/vfs.h"
#include "guestos/kernel/panic.h"
#include "guestos/kernel/percpu.h"
#include "guestos/mm/user.h"
#include "guestos/mm/vm.h"
#include "guestos/proc/fork.h"
#include "guestos/proc/signal.h"
#include "guestos/sys/syscall.h"
#include "guestos/tty/tty.h"

/* set_tid_address(2): whoever joins this thread waits for the word to become 0. */
static void clear_tid(struct thread *t)
{
    struct process *p = t->process;
    u32 zero = 0;

    if (t->clear_child_tid && (p->nr_threads > 1 || p->vm->users > 1)) {
        PUT_USER(t->clear_child_tid, zero);
        futex_wake_address(t->clear_child_tid, 1);
    }
    t->clear_child_tid = 0;
}

/* A zombie's parent, be it a new one, learns how it ended. process_lock is held. */
static void tell_end(struct process *p)
{
    u32 code = p->exit_code;

    if (code & 0x7F) {
        job_tell_parent(p, code & 0x80 ? CLD_DUMPED : CLD_KILLED, code & 0x7F);
    } else {
        job_tell_parent(p, CLD_EXITED, code >> 8 & 0xFF);
    }
}

/* Children go to init; a group that loses its last link to its session by that, and has stopped
 * members, gets SIGHUP and SIGCONT (POSIX.1-2017, _exit). process_lock is held. */
static void leave_children(struct process *p)
{
    struct process *init = process_find(1);

    for (LIST_EACH_SAFE(struct process, child, &p->children, sibling_link)) {
        list_remove(&child->sibling_link);
        child->parent = init;
        child->exit_signal = SIGCHLD;
        list_add_last(&init->children, &child->sibling_link);
        if (child->state == PROCESS_ZOMBIE) {
            tell_end(child);
        }
    }
}

static bool has_stopped(u32 pgid)
{
    for (LIST_EACH(struct process, p, &processes, table_link)) {
        if (p->pgid == pgid && p->state == PROCESS_STOPPED) {
            return true;
        }
    }
    return false;
}

static bool is_orphaned_without(u32 pgid, const struct process *leaving)
{
    for (LIST_EACH(struct process, p, &processes, table_link)) {
        const struct process *parent = p->parent;
        if (p->pgid == pgid && p != leaving && p->state != PROCESS_ZOMBIE && parent &&
            parent != leaving && parent->pid != 1 && parent->pgid != pgid &&
            parent->sid == p->sid) {
            return false;
        }
    }
    return true;
}

bool group_is_orphaned(u32 pgid)
{
    spin_lock(&process_lock);
    bool orphaned = is_orphaned_without(pgid, NULL);
    spin_unlock(&process_lock);
    return orphaned;
}

static void signal_group_locked(u32 pgid, u32 signal)
{
    for (LIST_EACH(struct process, p, &processes, table_link)) {
        if (p->pgid == pgid) {
            signal_process_locked(p, signal, NULL);
        }
    }
}

static void release_orphans(struct process *leaving)
{
    /* Groups that this process held: its own, and its children's. */
    if (is_orphaned_without(leaving->pgid, leaving) && has_stopped(leaving->pgid)) {
        signal_group_locked(leaving->pgid, SIGHUP);
        signal_group_locked(leaving->pgid, SIGCONT);
    }
    for (LIST_EACH(struct process, child, &leaving->children, sibling_link)) {
        if (child->pgid != leaving->pgid && child->sid == leaving->sid &&
            is_orphaned_without(child->pgid, leaving) && has_stopped(child->pgid)) {
            signal_group_locked(child->pgid, SIGHUP);
            signal_group_locked(child->pgid, SIGCONT);
        }
    }
}

/* Memory, files and terminal. May sleep. What others may look at (/proc) is taken out of the
 * process before it goes. */
static void give_back(struct process *p)
{
    struct vm *vm = p->vm;
    struct fd_table *files = p->files;
    struct fs_context *fs = p->fs;

    p->max_resident = MAX(p->max_resident, vm->nr_resident);
    p->faults_minor = vm->faults_minor;
    p->faults_major = vm->faults_major;
    timer_cancel(&p->alarm);
    timers_delete(p);
    spin_lock(&process_lock);
    p->files = NULL;
    spin_unlock(&process_lock);
    fd_table_put(files);
    if (p->tty && p->sid == p->pid) {
        tty_leave(p->tty, p->sid);
    }
    spin_lock(&process_lock);
    p->fs = NULL;
    p->vm = NULL;
    vm_switch(NULL);
    spin_unlock(&process_lock);
    fs_context_put(fs);
    vm_put(vm);
}

static bool parent_does_not_care(const struct process *p)
{
    const struct abi_sigaction *a;

    if (!p->parent) {
        return false;
    }
    a = &p->parent->actions->of[SIGCHLD];
    return p->exit_signal == SIGCHLD && (a->handler == SIG_IGN || a->flags & SA_NOCLDWAIT);
}

/* The current thread, the last one, is about to stop; its process becomes a zombie, or nothing. */
static void become_zombie(struct process *p)
{
    bool forgotten;

    spin_lock(&process_lock);
    release_orphans(p);
    leave_children(p);
    p->state = PROCESS_ZOMBIE;
    forgotten = parent_does_not_care(p);
    tell_end(p);
    if (forgotten) {
        process_remove(p);
    }
    current()->process = NULL;
    spin_unlock(&process_lock);
    if (forgotten) {
        process_free(p);
    }
}

void thread_end(void)
{
    struct thread *t = current();
    struct process *p = t->process;

    futex_exit_robust(t);
    clear_tid(t);
    vfork_done();
    spin_lock(&process_lock);
    thread_leave(t);
    bool last = p->nr_threads == 0;
    p->user_ns += t->user_ns;
    p->system_ns += t->system_ns;
    if (!last) {
        t->process = NULL;
        wake_all(&p->stop_wait); /* exit_other_threads() */
    }
    spin_unlock(&process_lock);
    if (last) {
        if (p->pid == 1) {
            panic("init has ended, with status %04x", p->exit_code);
        }
        give_back(p);
        become_zombie(p);
    }
    thread_exit();
}

/* The others are told; each goes on its own way out (signal_deliver). */
static void tell_others(struct process *p)
{
    for (LIST_EACH(struct thread, t, &p->threads, process_link)) {
        if (t != current()) {
            t->exiting = true;
            thread_wake_for_signal(t);
        }
    }
}

void process_exit(u32 exit_code)
{
    struct process *p = this_process();

    spin_lock(&process_lock);
    if (!p->exiting) {
        p->exiting = true;
        p->exit_code = exit_code;
        tell_others(p);
        if (p->state == PROCESS_STOPPED) {
            p->state = PROCESS_ALIVE;
            wake_all(&p->stop_wait);
        }
    }
    current()->exiting = true;
    spin_unlock(&process_lock);
    thread_end();
}

void exit_other_threads(void)
{
    struct thread *t = current();
    struct process *p = t->process;

    spin_lock(&process_lock);
    tell_others(p);
    spin_unlock(&process_lock);
    WAIT(&p->stop_wait, p->nr_threads == 1, WAIT_KILLABLE, NEVER);
    spin_lock(&process_lock);
    if (t->tid != p->pid && !t->exiting) {
        thread_take_pid(t);
    }
    spin_unlock(&process_lock);
}

long sys_exit(const u64 *arg)
{
    struct process *p = this_process();

    spin_lock(&process_lock);
    if (!p->exiting) {
        p->exit_code = ((u32)arg[0] & 0xFF) << 8; /* counts if this is the last thread */
    }
    current()->exiting = true;
    spin_unlock(&process_lock);
    thread_end();
}

long sys_exit_group(const u64 *arg)
{
    process_exit(((u32)arg[0] & 0xFF) << 8);
}
