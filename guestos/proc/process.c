/*
 * The table of processes and threads, and how their structs come and go. A process lives from
 * process_new() until its parent has waited for it; a thread until it has switched away for the
 * last time (kernel/sched.c).
 */
#include "guestos/proc/process.h"
#include "guestos/fs/fs_context.h"
#include "guestos/fs/vfs.h"
#include "guestos/kernel/console.h"
#include "guestos/kernel/panic.h"
#include "guestos/kernel/string.h"
#include "guestos/mm/slab.h"
#include "guestos/mm/vm.h"
#include "guestos/proc/fork.h"
#include "guestos/proc/signal.h"

#define FIRST_AGAIN 300u /* numbering goes on here after MAX_PID */
#define NR_BUCKETS  256u

struct spinlock process_lock = SPINLOCK_INIT("processes");
struct list processes = LIST_INIT(processes);

static struct list buckets[NR_BUCKETS]; /* threads by tid */
static u32 last_pid, nr_processes;

static struct list *bucket(u32 tid)
{
    struct list *b = &buckets[tid % NR_BUCKETS];

    if (!b->next) {
        list_init(b);
    }
    return b;
}

struct process *process_find(u32 pid)
{
    for (LIST_EACH(struct process, p, &processes, table_link)) {
        if (p->pid == pid) {
            return p;
        }
    }
    return NULL;
}

struct thread *thread_find(u32 tid)
{
    for (LIST_EACH(struct thread, t, bucket(tid), hash_link)) {
        if (t->tid == tid) {
            return t;
        }
    }
    return NULL;
}

/* Groups and sessions keep the number of the process that founded them. */
static bool in_use(u32 pid)
{
    if (thread_find(pid)) {
        return true;
    }
    for (LIST_EACH(struct process, p, &processes, table_link)) {
        if (p->pid == pid || p->pgid == pid || p->sid == pid) {
            return true;
        }
    }
    return false;
}

static u32 new_pid(void)
{
    for (u32 tries = 0; tries < MAX_PID; tries++) {
        last_pid = last_pid + 1 < MAX_PID ? last_pid + 1 : FIRST_AGAIN;
        if (!in_use(last_pid)) {
            return last_pid;
        }
    }
    return 0;
}

u32 process_last_pid(void)
{
    return last_pid;
}

u32 process_count(void)
{
    return nr_processes;
}

/* process_lock is held. */
bool thread_join(struct thread *t, struct process *p)
{
    if (!t->tid) {
        t->tid = new_pid();
        if (!t->tid) {
            return false;
        }
    }
    list_add_last(&p->threads, &t->process_link);
    list_add_last(bucket(t->tid), &t->hash_link);
    p->nr_threads++;
    return true;
}

void thread_leave(struct thread *t)
{
    list_remove(&t->process_link);
    list_remove(&t->hash_link);
    t->process->nr_threads--;
}

/* execve by another thread than the first: it becomes the first. */
void thread_take_pid(struct thread *t)
{
    list_remove(&t->hash_link);
    t->tid = t->process->pid;
    list_add_last(bucket(t->tid), &t->hash_link);
}

struct process *process_new(void)
{
    struct process *p = kmalloc(sizeof *p);

    if (!p) {
        return NULL;
    }
    list_init(&p->children);
    list_init(&p->sibling_link);
    list_init(&p->table_link);
    list_init(&p->threads);
    list_init(&p->signal_queue);
    list_init(&p->timers);
    spin_init(&p->signal_lock, "signals");
    wait_queue_init(&p->child_wait);
    wait_queue_init(&p->stop_wait);
    p->exit_signal = SIGCHLD;
    p->dumpable = true;
    p->started_ns = clock_monotonic();
    timer_init(&p->alarm, alarm_fires);
    return p;
}

/* process_lock is held. */
void process_enter(struct process *p, u32 pid)
{
    p->pid = pid;
    list_add_last(&processes, &p->table_link);
    nr_processes++;
}

void process_remove(struct process *p)
{
    list_remove(&p->table_link);
    list_remove(&p->sibling_link);
    nr_processes--;
}

/* Nobody finds it any more. */
void process_free(struct process *p)
{
    timer_cancel(&p->alarm);
    signal_drop_queue(&p->signal_queue);
    actions_put(p->actions);
    kfree(p);
}

struct signal_actions *actions_copy(const struct signal_actions *from)
{
    struct signal_actions *a = kmalloc(sizeof *a);

    if (a) {
        if (from) {
            *a = *from;
        }
        a->users = 1;
    }
    return a;
}

void actions_put(struct signal_actions *a)
{
    if (a && __atomic_sub_fetch(&a->users, 1, __ATOMIC_ACQ_REL) == 0) {
        kfree(a);
    }
}

static const struct rlimit default_limits[NR_RLIMITS] = {
    [RLIMIT_CPU] = {RLIM_INFINITY, RLIM_INFINITY},
    [RLIMIT_FSIZE] = {RLIM_INFINITY, RLIM_INFINITY},
    [RLIMIT_DATA] = {RLIM_INFINITY, RLIM_INFINITY},
    [RLIMIT_STACK] = {8u << 20, RLIM_INFINITY},
    [RLIMIT_CORE] = {0, RLIM_INFINITY},
    [RLIMIT_RSS] = {RLIM_INFINITY, RLIM_INFINITY},
    [RLIMIT_NPROC] = {1024, 1024},
    [RLIMIT_NOFILE] = {1024, 4096},
    [RLIMIT_MEMLOCK] = {8u << 20, 8u << 20},
    [RLIMIT_AS] = {RLIM_INFINITY, RLIM_INFINITY},
    [RLIMIT_LOCKS] = {RLIM_INFINITY, RLIM_INFINITY},
    [RLIMIT_SIGPENDING] = {1024, 1024},
    [RLIMIT_MSGQUEUE] = {819200, 819200},
    [RLIMIT_NICE] = {0, 0},
    [RLIMIT_RTPRIO] = {0, 0},
    [RLIMIT_RTTIME] = {RLIM_INFINITY, RLIM_INFINITY},
};

static char first_path[64];

/* Descriptors 0 to 2 are the console, as far as there is one. */
static void open_console(void)
{
    struct file *console;

    if (file_open(AT_FDCWD, "/dev/console", O_RDWR | O_NOCTTY, 0, &console)) {
        print("There is no /dev/console for the first process\n");
        return;
    }
    for (u32 fd = 0; fd < 2; fd++) {
        fd_install(file_hold(console), fd, false);
    }
    fd_install(console, 2, false);
}

static void first_program(void *unused)
{
    (void)unused;
    open_console();
    exec_first(first_path, (const char *const[]){first_path, NULL},
               (const char *const[]){"HOME=/", "TERM=linux", NULL});
}

void process_start_init(const char *path)
{
    struct trap_frame frame = {0};
    struct process *p = process_new();

    string_copy(first_path, path, sizeof first_path);
    if (!p) {
        panic("no memory for the first process");
    }
    p->actions = actions_copy(NULL);
    p->files = fd_table_new();
    p->fs = fs_context_new();
    struct thread *t = thread_new_user(p, &frame);
    if (!t || !p->actions || !p->files || !p->fs) {
        panic("no memory for the first process");
    }
    thread_begins_in(t, first_program, NULL);
    memcpy(p->limit, default_limits, sizeof p->limit);
    spin_lock(&process_lock);
    if (!thread_join(t, p)) {
        panic("no number for the first process");
    }
    process_enter(p, t->tid);
    p->pgid = p->sid = p->pid;
    spin_unlock(&process_lock);
    thread_start(t);
}
