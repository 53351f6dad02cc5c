/*
 * The scheduler: one queue of runnable threads, served round robin in slices of 10 ms; who sleeps
 * gives the rest of a slice away. One lock guards the queue and every thread's state. It is taken
 * before a switch by the thread that goes and given back after it by the one that comes.
 */
#include "guestos/kernel/sched.h"
#include "guestos/kernel/clock.h"
#include "guestos/kernel/cpu.h"
#include "guestos/kernel/fpu.h"
#include "guestos/kernel/panic.h"
#include "guestos/kernel/percpu.h"
#include "guestos/kernel/x86.h"
#include "guestos/mm/vm.h"
#include "guestos/proc/process.h"

#define SLICE_TICKS (CLOCK_HZ / 100)

static struct spinlock sched_lock = SPINLOCK_INIT("scheduler");
static struct list run_queue = LIST_INIT(run_queue);
static u32 nr_queued;
static u64 nr_switches;
static struct thread *dead; /* the one that the last switch left for good */

static void enqueue(struct thread *t)
{
    ASSERT(spin_held(&sched_lock));
    list_add_last(&run_queue, &t->run_link);
    nr_queued++;
}

static struct thread *dequeue(void)
{
    struct thread *t = LIST_FIRST(&run_queue, struct thread, run_link);

    if (!t) {
        return cpu_local()->idle;
    }
    list_remove(&t->run_link);
    nr_queued--;
    return t;
}

/* Time since the last switch or entry belongs to the kernel's side of t. */
static void account_system(struct thread *t, u64 now)
{
    t->system_ns += now - t->last_ns;
    t->last_ns = now;
}

static void save_user_side(struct thread *t)
{
    if (t->process) {
        fpu_save(t->fpu);
    }
}

void thread_load_user_side(struct thread *t)
{
    cpu_set_kernel_stack(t->kernel_stack + KERNEL_STACK_BYTES);
    if (t->process) {
        vm_switch(t->process->vm);
        fpu_load(t->fpu);
        wrmsr(MSR_FS_BASE, t->fs_base);
        wrmsr(MSR_KERNEL_GS_BASE, t->gs_base);
    }
}

/* After a switch, on the new thread's stack. */
static void finish_switch(void)
{
    struct thread *gone = dead;

    dead = NULL;
    spin_unlock(&sched_lock);
    if (gone) {
        thread_free(gone);
    }
}

/* sched_lock is held, once; the current thread's state says whether it goes on running. */
static void switch_away(void)
{
    struct cpu_local *cpu = cpu_local();
    struct thread *from = cpu->thread;
    bool irq_were_on = cpu->irq_were_on;

    ASSERT(spin_held(&sched_lock) && cpu->irq_off_depth == 1);
    cpu->want_schedule = false;
    if (from->state == THREAD_RUNNABLE && from != cpu->idle) {
        enqueue(from);
    }
    struct thread *to = dequeue();
    to->slice_ticks = SLICE_TICKS;
    if (to != from) {
        u64 now = clock_monotonic();
        account_system(from, now);
        to->last_ns = now;
        nr_switches++;
        save_user_side(from);
        if (from->state == THREAD_DEAD) {
            dead = from;
        }
        cpu->thread = to;
        thread_load_user_side(to);
        switch_stacks(&from->saved_rsp, to->saved_rsp);
    }
    cpu_local()->irq_were_on = irq_were_on;
    finish_switch();
}

void sched_begin(void)
{
    cpu_local()->irq_were_on = true;
    finish_switch();
}

void schedule(void)
{
    spin_lock(&sched_lock);
    switch_away();
}

bool sched_sleep(enum wait_kind kind)
{
    struct thread *t = current();

    spin_lock(&sched_lock);
    if ((kind == WAIT_INTERRUPTIBLE && signal_is_pending(t)) ||
        (kind == WAIT_KILLABLE && t->exiting)) {
        spin_unlock(&sched_lock);
        return false;
    }
    if (t->woken) {
        spin_unlock(&sched_lock);
        return true;
    }
    t->state = THREAD_SLEEPING;
    t->sleep_kind = kind;
    switch_away();
    return true;
}

static void make_runnable(struct thread *t)
{
    t->state = THREAD_RUNNABLE;
    enqueue(t);
    if (current() == cpu_local()->idle) {
        cpu_local()->want_schedule = true;
    }
}

void thread_wake(struct thread *t)
{
    spin_lock(&sched_lock);
    t->woken = true;
    if (t->state == THREAD_SLEEPING) {
        make_runnable(t);
    }
    spin_unlock(&sched_lock);
}

void thread_wake_for_signal(struct thread *t)
{
    spin_lock(&sched_lock);
    t->woken = true; /* it may be about to sleep: it looks at its signals again */
    if (t->state == THREAD_SLEEPING &&
        (t->sleep_kind == WAIT_INTERRUPTIBLE || (t->sleep_kind == WAIT_KILLABLE && t->exiting))) {
        make_runnable(t);
    }
    spin_unlock(&sched_lock);
}

void thread_start(struct thread *t)
{
    spin_lock(&sched_lock);
    make_runnable(t);
    spin_unlock(&sched_lock);
}

void sched_end(void)
{
    spin_lock(&sched_lock);
    current()->state = THREAD_DEAD;
    switch_away();
    panic("a dead thread runs");
}

void sched_tick(void)
{
    struct thread *t = current();

    if (t->slice_ticks > 0 && --t->slice_ticks == 0) {
        cpu_local()->want_schedule = true;
    }
}

bool sched_wanted(void)
{
    return cpu_local()->want_schedule;
}

void sched_add_idle(struct thread *idle)
{
    cpu_local()->idle = idle;
}

/* Whoever becomes runnable while this CPU halts does so in an interrupt, whose way back finds
 * want_schedule set. */
void sched_idle(void)
{
    for (;;) {
        schedule();
        __asm__ volatile("cli" : : : "memory");
        if (list_empty(&run_queue)) {
            irq_enable_and_halt();
        }
        __asm__ volatile("sti" : : : "memory");
    }
}

u32 sched_nr_runnable(void)
{
    return nr_queued + (current() != cpu_local()->idle);
}

u64 sched_nr_switches(void)
{
    return nr_switches;
}
