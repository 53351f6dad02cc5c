/* Threads come and go: their memory, and the stack on which a new one wakes up (switch.S). */
#include "guestos/kernel/thread.h"
#include "guestos/kernel/clock.h"
#include "guestos/kernel/fpu.h"
#include "guestos/kernel/panic.h"
#include "guestos/kernel/percpu.h"
#include "guestos/kernel/sched.h"
#include "guestos/kernel/string.h"
#include "guestos/mm/layout.h"
#include "guestos/mm/paging.h"
#include "guestos/mm/slab.h"
#include "guestos/proc/process.h"
#include "guestos/proc/signal.h"

/* What switch_stacks() pops. ORDER: switch.S */
struct switch_frame {
    u64 r15, r14, r13, r12, rbx, rbp, rip;
};

extern void thread_first(void);  /* switch.S */
extern const char stack_guard[]; /* boot.S: the first stack, with its guard page */

static struct thread boot_thread;

struct thread *current(void)
{
    struct thread *t;
    __asm__ volatile("movq %%gs:8, %0" : "=r"(t));
    return t;
}

void threads_init(void)
{
    struct thread *t = &boot_thread;

    t->kernel_stack = (u64)stack_guard + PAGE_BYTES;
    t->state = THREAD_RUNNABLE;
    list_init(&t->run_link);
    list_init(&t->process_link);
    list_init(&t->hash_link);
    list_init(&t->signal_queue);
    string_copy(t->name, "idle", sizeof t->name);
    cpu_local()->thread = t;
    sched_add_idle(t);
}

static struct thread *thread_new(void)
{
    struct thread *t = kmalloc(sizeof *t);

    if (!t) {
        return NULL;
    }
    t->kernel_stack = kernel_stack_alloc();
    if (!t->kernel_stack) {
        kfree(t);
        return NULL;
    }
    t->state = THREAD_SLEEPING;
    list_init(&t->run_link);
    list_init(&t->process_link);
    list_init(&t->hash_link);
    list_init(&t->signal_queue);
    return t;
}

void thread_free(struct thread *t)
{
    signal_drop_queue(&t->signal_queue);
    fpu_free(t->fpu);
    kernel_stack_free(t->kernel_stack);
    kfree(t);
}

/* On a stack that ends at top: function(argument), then the way to user mode by the frame at top.
 */
static void prepare(struct thread *t, u64 top, void (*function)(void *), void *argument)
{
    struct switch_frame *frame = (struct switch_frame *)top - 1;

    *frame =
        (struct switch_frame){.rip = (u64)thread_first, .r12 = (u64)function, .rbx = (u64)argument};
    t->saved_rsp = (u64)frame;
}

static void kernel_thread(void *thread)
{
    struct thread *t = thread;

    t->function(t->argument);
    thread_exit();
}

struct thread *thread_spawn(const char *name, void (*function)(void *), void *argument)
{
    struct thread *t = thread_new();

    if (!t) {
        return NULL;
    }
    string_copy(t->name, name, sizeof t->name);
    t->function = function;
    t->argument = argument;
    prepare(t, t->kernel_stack + KERNEL_STACK_BYTES, kernel_thread, t);
    thread_start(t);
    return t;
}

struct thread *thread_new_user(struct process *process, const struct trap_frame *frame)
{
    struct thread *t = thread_new();

    if (!t) {
        return NULL;
    }
    t->fpu = fpu_alloc();
    if (!t->fpu) {
        thread_free(t);
        return NULL;
    }
    t->process = process;
    t->user = (struct trap_frame *)(t->kernel_stack + KERNEL_STACK_BYTES) - 1;
    *t->user = *frame;
    prepare(t, (u64)t->user, NULL, NULL);
    return t;
}

void thread_begins_in(struct thread *t, void (*function)(void *), void *argument)
{
    prepare(t, (u64)t->user, function, argument);
}

void thread_discard(struct thread *t)
{
    thread_free(t);
}

void thread_entered(struct trap_frame *frame)
{
    struct thread *t = current();
    u64 now = clock_monotonic();

    t->user_ns += now - t->last_ns;
    cpu_local()->user_ns += now - t->last_ns;
    t->last_ns = now;
    t->user = frame;
}

void thread_leaves(void)
{
    struct thread *t = current();
    u64 now = clock_monotonic();

    t->system_ns += now - t->last_ns;
    t->last_ns = now;
}

void thread_exit(void)
{
    sched_end();
}
