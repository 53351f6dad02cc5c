/*
 * Threads: what the scheduler runs. A thread of a process enters the kernel on its own kernel
 * stack, at whose top its user registers lie; a kernel thread has no process and no user side.
 */
#ifndef GUESTOS_KERNEL_THREAD_H
#define GUESTOS_KERNEL_THREAD_H

#include "guestos/abi/signal.h"
#include "guestos/kernel/lock.h"
#include "guestos/kernel/traps.h"

enum thread_state {
    THREAD_RUNNABLE, /* on the run queue, or running */
    THREAD_SLEEPING,
    THREAD_DEAD, /* its stack may be freed once another thread runs */
};

struct thread {
    u64 saved_rsp;    /* while it does not run. ORDER: switch.S */
    u64 kernel_stack; /* lowest address; KERNEL_STACK_BYTES of it */
    u32 tid;
    enum thread_state state;   /* guarded by the scheduler's lock */
    enum wait_kind sleep_kind; /* while sleeping */
    bool woken;                /* since wait_arm() */
    bool timed_out;
    struct list run_link; /* run queue */
    u32 slice_ticks;      /* left of its time slice */
    char name[16];
    void (*function)(void *); /* of a kernel thread */
    void *argument;

    /* What a process' thread has besides. */
    struct process *process;  /* NULL: a kernel thread */
    struct list process_link; /* process->threads */
    struct list hash_link;    /* by tid */
    struct trap_frame *user;  /* its user registers, when in the kernel */
    void *fpu;                /* XSAVE or FXSAVE area, aligned to 64 */
    u64 fs_base, gs_base;
    u64 user_ns, system_ns, last_ns;                 /* time used, and when this count began */
    u64 set_child_tid, clear_child_tid, robust_list; /* user addresses */

    /* Signals; guarded by process->signal_lock. */
    u64 signal_mask, signal_pending, signal_saved_mask;
    bool restore_mask; /* signal_saved_mask becomes the mask when no handler runs (sigsuspend) */
    struct list signal_queue; /* struct queued_signal (proc/signal.h) */
    struct abi_stack alt_stack;
    bool exiting; /* it ends before it returns to user mode */
    /* How restart_syscall() goes on with what a stop broke off. */
    long (*restart)(const u64 *arg);
    u64 restart_arg[4];
    bool vfork_child; /* its process still uses its parent's memory */
};

#define KERNEL_STACK_BYTES 16384

/* ---- the current thread; cpu_local() is in kernel/percpu.h */
struct thread *current(void);

void threads_init(void); /* what runs now becomes a thread: this CPU's idle one */

/* A thread that runs function(argument) in the kernel, made runnable; NULL: no memory. */
struct thread *thread_spawn(const char *name, void (*function)(void *), void *argument);
/* For fork: a new thread, not runnable yet, whose user registers are a copy of `frame` (at its
 * ->user, to be changed) and which goes to user mode when it first runs. NULL: no memory. */
struct thread *thread_new_user(struct process *, const struct trap_frame *frame);
/* Before it goes to user mode for the first time, it runs function(argument) in the kernel. */
void thread_begins_in(struct thread *, void (*function)(void *), void *argument);
void thread_discard(struct thread *); /* one that was never started */
void thread_start(struct thread *);
_Noreturn void thread_exit(void); /* the current one */

/* Time is the program's before, the kernel's after; frame holds its registers. And the reverse. */
void thread_entered(struct trap_frame *frame);
void thread_leaves(void);

/* Its kernel stack, and if it is a process' thread, tables, vector registers and bases, to this CPU.
 * Interrupts are off. */
void thread_load_user_side(struct thread *);

void schedule(void); /* another thread's turn; returns when it is ours again. No spinlock held */
void thread_wake(struct thread *);            /* makes a sleeping thread runnable */
void thread_wake_for_signal(struct thread *); /* only if its sleep lets signals through */
void sched_tick(void);                        /* by the clock's interrupt */
bool sched_wanted(void); /* the current thread's slice is over, or somebody better waits */
u32 sched_nr_runnable(void);
u64 sched_nr_switches(void);

#endif
