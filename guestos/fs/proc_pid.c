/* What /proc/PID/ and /proc/PID/task/TID/ say of a process in numbers: stat, status, statm, limits,
 * comm. proc(5) has the columns. */
#include "guestos/fs/fd.h"
#include "guestos/fs/proc_fs.h"
#include "guestos/kernel/clock.h"
#include "guestos/kernel/string.h"
#include "guestos/mm/area.h"
#include "guestos/mm/layout.h"
#include "guestos/proc/process.h"
#include "guestos/proc/rusage.h"
#include "guestos/tty/tty.h"

#define NS_PER_USER_TICK (NS_PER_S / 100)
#define KIB(pages)       ((pages) * (PAGE_BYTES / 1024))
#define ALL_CAPABILITIES 0x1FFFFFFFFFFul /* as many as Linux 6.1 has */

/* ---- whom it is about */

struct process *proc_process(const struct proc_ref *ref, struct thread **thread)
{
    struct process *p;

    if (ref->is_task) {
        *thread = thread_find(ref->pid);
        return *thread ? (*thread)->process : NULL;
    }
    p = process_find(ref->pid);
    *thread = p ? LIST_FIRST(&p->threads, struct thread, process_link) : NULL;
    return p;
}

int proc_hold_vm(const struct proc_ref *ref, struct vm **vm)
{
    struct thread *t;

    spin_lock(&process_lock);
    const struct process *p = proc_process(ref, &t);
    *vm = p ? p->vm : NULL;
    if (*vm) {
        vm_get(*vm);
    }
    spin_unlock(&process_lock);
    return p ? 0 : -ESRCH;
}

int proc_may_look(const struct proc_ref *ref)
{
    const struct credentials *me = &this_process()->cred;
    struct thread *t;
    int result = 0;

    spin_lock(&process_lock);
    const struct process *p = proc_process(ref, &t);
    if (!p) {
        result = -ESRCH;
    } else if (p != this_process() && me->euid != 0) {
        const struct credentials *it = &p->cred;
        bool same = me->fsuid == it->uid && me->fsuid == it->euid && me->fsuid == it->suid &&
                    me->fsgid == it->gid && me->fsgid == it->egid && me->fsgid == it->sgid;
        result = same && p->dumpable ? 0 : -EACCES;
    }
    spin_unlock(&process_lock);
    return result;
}

/* ---- a look at all of it, taken in one moment */

struct look {
    u32 pid, tgid, ppid, pgid, sid, nr_threads, nr_fds, umask, exit_signal, exit_code;
    char name[16], state;
    i32 nice, terminal_group;
    u64 terminal, user_ns, system_ns, children_user_ns, children_system_ns, started_ns;
    u64 minor, major, children_minor, children_major, stack_limit, max_resident;
    u64 pending, shared_pending, blocked, ignored, caught, nr_queued;
    struct credentials cred;
    bool no_new_privs;
    struct vm *vm; /* held, or NULL */
};

static char state_letter(const struct process *p, const struct thread *t)
{
    if (p->state == PROCESS_ZOMBIE || !t || t->state == THREAD_DEAD) {
        return 'Z';
    }
    if (p->state == PROCESS_STOPPED) {
        return 'T';
    }
    return t->state == THREAD_RUNNABLE ? 'R' : t->sleep_kind == WAIT_FIRM ? 'D' : 'S';
}

static const char *state_name(char letter)
{
    static const struct {
        char letter;
        const char *name;
    } names[] = {{'R', "running"},
                 {'S', "sleeping"},
                 {'D', "disk sleep"},
                 {'T', "stopped"},
                 {'Z', "zombie"}};

    for (u32 i = 0; i < ARRAY_LEN(names); i++) {
        if (names[i].letter == letter) {
            return names[i].name;
        }
    }
    return "?";
}

static void look_at_signals(struct look *l, struct process *p, const struct thread *t)
{
    spin_lock(&p->signal_lock);
    l->shared_pending = p->signal_pending;
    l->pending = t ? t->signal_pending : 0;
    l->blocked = t ? t->signal_mask : 0;
    for (u32 i = 1; p->actions && i <= NR_SIGNALS; i++) {
        u64 handler = p->actions->of[i].handler;
        l->ignored |= handler == SIG_IGN ? SIGNAL_BIT(i) : 0;
        l->caught |= handler != SIG_IGN && handler != SIG_DFL ? SIGNAL_BIT(i) : 0;
    }
    for (struct list *at = p->signal_queue.next; at != &p->signal_queue; at = at->next) {
        l->nr_queued++;
    }
    spin_unlock(&p->signal_lock);
}

static void look_at_times(struct look *l, struct process *p, struct thread *t, bool is_task)
{
    if (is_task && t) {
        l->user_ns = t->user_ns;
        l->system_ns = t->system_ns;
    } else {
        process_times(p, &l->user_ns, &l->system_ns);
    }
    l->children_user_ns = p->children_user_ns;
    l->children_system_ns = p->children_system_ns;
    l->started_ns = p->started_ns;
}

static void look_at_memory(struct look *l, struct process *p)
{
    l->vm = p->vm;
    if (l->vm) {
        vm_get(l->vm);
    }
    l->minor = l->vm ? l->vm->faults_minor : p->faults_minor;
    l->major = l->vm ? l->vm->faults_major : p->faults_major;
    l->max_resident = MAX(p->max_resident, l->vm ? l->vm->max_resident : 0);
    l->children_minor = p->children_faults_minor;
    l->children_major = p->children_faults_major;
    l->stack_limit = p->limit[RLIMIT_STACK].soft;
}

static int look_at(struct look *l, const struct proc_ref *ref)
{
    struct thread *t;

    *l = (struct look){0};
    spin_lock(&process_lock);
    struct process *p = proc_process(ref, &t);
    if (!p) {
        spin_unlock(&process_lock);
        return -ESRCH;
    }
    l->pid = ref->pid;
    l->tgid = p->pid;
    l->ppid = p->parent ? p->parent->pid : 0;
    l->pgid = p->pgid;
    l->sid = p->sid;
    l->terminal = p->tty ? p->tty->rdev : 0;
    l->terminal_group = p->tty ? (i32)p->tty->foreground : -1;
    l->nr_threads = p->nr_threads;
    l->nr_fds = p->files ? fd_table_size(p->files) : 0;
    l->umask = p->fs ? p->fs->umask : 0;
    l->exit_signal = p->exit_signal;
    l->exit_code = p->exit_code;
    l->state = state_letter(p, t);
    l->nice = p->nice;
    l->cred = p->cred;
    l->no_new_privs = p->no_new_privs;
    string_copy(l->name, ref->is_task && t ? t->name : p->name, sizeof l->name);
    look_at_times(l, p, t, ref->is_task);
    look_at_signals(l, p, t);
    look_at_memory(l, p);
    spin_unlock(&process_lock);
    return 0;
}

static void look_away(struct look *l)
{
    if (l->vm) {
        vm_put(l->vm);
    }
}

/* ---- the sizes of areas */

struct sizes {
    u64 data, stack, program, libraries, locked, shared; /* bytes */
    u64 code_begin, code_end;
};

static bool is_of_program(const struct vm *vm, const struct vm_area *a)
{
    return a->file && vm->exe && a->file->inode == vm->exe->inode;
}

static void measure(struct vm *vm, struct sizes *s)
{
    *s = (struct sizes){0};
    if (!vm) {
        return;
    }
    mutex_lock(&vm->lock);
    for (LIST_EACH(struct vm_area, a, &vm->areas, link)) {
        u64 bytes = a->end - a->begin;
        s->locked += a->flags & MAP_LOCKED ? bytes : 0;
        if (a->flags & MAP_SHARED) {
            s->shared += bytes;
        } else if (a->flags & MAP_GROWSDOWN) {
            s->stack += bytes;
        } else if (a->prot & PROT_WRITE) {
            s->data += bytes;
        } else if (a->prot & PROT_EXEC && is_of_program(vm, a)) {
            s->program += bytes;
            s->code_begin = s->code_begin ? s->code_begin : a->begin;
            s->code_end = a->end;
        } else if (a->prot & PROT_EXEC) {
            s->libraries += bytes;
        }
    }
    mutex_unlock(&vm->lock);
}

/* ---- files */

int proc_pid_stat(struct text *t, const struct proc_ref *ref)
{
    struct look l;
    struct sizes s;
    int result = look_at(&l, ref);

    if (result < 0) {
        return result;
    }
    const struct vm none = {0}, *vm = l.vm ? l.vm : &none;
    measure(l.vm, &s);
    text_print(t, "%u (%s) %c %u %u %u %lu %d 0 ", l.pid, l.name, l.state, l.ppid, l.pgid, l.sid,
               l.terminal, l.terminal_group);
    text_print(t, "%lu %lu %lu %lu %lu %lu %lu %lu ", l.minor, l.children_minor, l.major,
               l.children_major, l.user_ns / NS_PER_USER_TICK, l.system_ns / NS_PER_USER_TICK,
               l.children_user_ns / NS_PER_USER_TICK, l.children_system_ns / NS_PER_USER_TICK);
    text_print(t, "%d %d %u 0 %lu %lu %lu %lu ", 20 + l.nice, l.nice, l.nr_threads,
               l.started_ns / NS_PER_USER_TICK, vm->nr_pages * PAGE_BYTES, vm->nr_resident,
               RLIM_INFINITY);
    text_print(t, "%lu %lu %lu 0 0 ", s.code_begin, s.code_end, vm->stack_begin);
    text_print(t, "%lu %lu %lu %lu 0 0 0 %d 0 0 0 0 0 0 ",
               (l.pending | l.shared_pending) & 0x7FFFFFFF, l.blocked & 0x7FFFFFFF,
               l.ignored & 0x7FFFFFFF, l.caught & 0x7FFFFFFF,
               ref->is_task && l.pid != l.tgid ? -1 : (i32)l.exit_signal);
    text_print(t, "0 0 %lu %lu %lu %lu %lu %u\n", vm->brk_begin, vm->args_begin, vm->args_end,
               vm->env_begin, vm->env_end, l.state == 'Z' ? l.exit_code : 0);
    look_away(&l);
    return 0;
}

static void print_memory(struct text *t, const struct look *l)
{
    const struct vm *vm = l->vm;
    struct sizes s;

    if (!vm) {
        return;
    }
    measure(l->vm, &s);
    const struct {
        const char *name;
        u64 kib;
    } rows[] = {
        {"VmPeak:", KIB(vm->max_pages)},
        {"VmSize:", KIB(vm->nr_pages)},
        {"VmLck:", s.locked >> 10},
        {"VmPin:", 0},
        {"VmHWM:", KIB(vm->max_resident)},
        {"VmRSS:", KIB(vm->nr_resident)},
        {"RssAnon:", KIB(vm->nr_resident - vm->nr_file)},
        {"RssFile:", KIB(vm->nr_file)},
        {"VmData:", s.data >> 10},
        {"VmStk:", s.stack >> 10},
        {"VmExe:", s.program >> 10},
        {"VmLib:", s.libraries >> 10},
        {"VmPTE:", KIB(vm->nr_tables)},
        {"VmSwap:", 0},
    };
    for (u32 i = 0; i < ARRAY_LEN(rows); i++) {
        text_print(t, "%s\t%8lu kB\n", rows[i].name, rows[i].kib);
    }
    text_print(t, "CowCopies:\t%lu\nCowReuses:\t%lu\n", vm->cow_copies, vm->cow_reuses); /* ours */
}

static void print_ids(struct text *t, const struct credentials *c)
{
    u64 effective = c->euid == 0 ? ALL_CAPABILITIES : 0;

    text_print(t, "Uid:\t%u\t%u\t%u\t%u\n", c->uid, c->euid, c->suid, c->fsuid);
    text_print(t, "Gid:\t%u\t%u\t%u\t%u\nGroups:\t", c->gid, c->egid, c->sgid, c->fsgid);
    for (u32 i = 0; i < c->nr_groups; i++) {
        text_print(t, "%u ", c->group[i]);
    }
    text_print(t, "\nCapPrm:\t%016lx\nCapEff:\t%016lx\n", effective, effective);
}

int proc_pid_status(struct text *t, const struct proc_ref *ref)
{
    struct look l;
    int result = look_at(&l, ref);

    if (result < 0) {
        return result;
    }
    text_print(t, "Name:\t%s\nUmask:\t0%u%u%u\nState:\t%c (%s)\n", l.name, l.umask >> 6 & 7,
               l.umask >> 3 & 7, l.umask & 7, l.state, state_name(l.state));
    text_print(t, "Tgid:\t%u\nNgid:\t0\nPid:\t%u\nPPid:\t%u\nTracerPid:\t0\n", l.tgid, l.pid,
               l.ppid);
    print_ids(t, &l.cred);
    text_print(t, "FDSize:\t%u\nNSpgid:\t%u\nNSsid:\t%u\n", l.nr_fds, l.pgid, l.sid);
    print_memory(t, &l);
    text_print(t, "Threads:\t%u\nSigQ:\t%lu/0\nSigPnd:\t%016lx\nShdPnd:\t%016lx\n", l.nr_threads,
               l.nr_queued, l.pending, l.shared_pending);
    text_print(t, "SigBlk:\t%016lx\nSigIgn:\t%016lx\nSigCgt:\t%016lx\n", l.blocked, l.ignored,
               l.caught);
    text_print(t, "NoNewPrivs:\t%u\nCpus_allowed:\t1\nCpus_allowed_list:\t0\n", l.no_new_privs);
    look_away(&l);
    return 0;
}

int proc_pid_statm(struct text *t, const struct proc_ref *ref)
{
    struct vm *vm;
    struct sizes s;
    int result = proc_hold_vm(ref, &vm);

    if (result < 0) {
        return result;
    }
    measure(vm, &s);
    text_print(t, "%lu %lu %lu %lu 0 %lu 0\n", vm ? vm->nr_pages : 0, vm ? vm->nr_resident : 0,
               vm ? vm->nr_file : 0, s.program / PAGE_BYTES, (s.data + s.stack) / PAGE_BYTES);
    if (vm) {
        vm_put(vm);
    }
    return 0;
}

int proc_pid_comm(struct text *t, const struct proc_ref *ref)
{
    struct look l;
    int result = look_at(&l, ref);

    if (result == 0) {
        text_print(t, "%s\n", l.name);
        look_away(&l);
    }
    return result;
}

/* Only one's own threads, as Linux has it. */
int proc_pid_set_comm(const char *name, size_t len, const struct proc_ref *ref)
{
    struct thread *t;
    int result = -EINVAL;

    (void)len;
    spin_lock(&process_lock);
    struct process *p = proc_process(ref, &t);
    if (p == this_process() && t) {
        string_copy(t->name, name, sizeof t->name);
        if (t->tid == p->pid) {
            string_copy(p->name, name, sizeof p->name);
        }
        result = 0;
    }
    spin_unlock(&process_lock);
    return result;
}

int proc_pid_limits(struct text *t, const struct proc_ref *ref)
{
    static const struct {
        const char *name, *unit;
    } rows[NR_RLIMITS] = {
        [RLIMIT_CPU] = {"Max cpu time", "seconds"},
        [RLIMIT_FSIZE] = {"Max file size", "bytes"},
        [RLIMIT_DATA] = {"Max data size", "bytes"},
        [RLIMIT_STACK] = {"Max stack size", "bytes"},
        [RLIMIT_CORE] = {"Max core file size", "bytes"},
        [RLIMIT_RSS] = {"Max resident set", "bytes"},
        [RLIMIT_NPROC] = {"Max processes", "processes"},
        [RLIMIT_NOFILE] = {"Max open files", "files"},
        [RLIMIT_MEMLOCK] = {"Max locked memory", "bytes"},
        [RLIMIT_AS] = {"Max address space", "bytes"},
        [RLIMIT_LOCKS] = {"Max file locks", "locks"},
        [RLIMIT_SIGPENDING] = {"Max pending signals", "signals"},
        [RLIMIT_MSGQUEUE] = {"Max msgqueue size", "bytes"},
        [RLIMIT_NICE] = {"Max nice priority", ""},
        [RLIMIT_RTPRIO] = {"Max realtime priority", ""},
        [RLIMIT_RTTIME] = {"Max realtime timeout", "us"},
    };
    struct rlimit limit[NR_RLIMITS];
    struct thread *thread;

    spin_lock(&process_lock);
    const struct process *p = proc_process(ref, &thread);
    if (p) {
        memcpy(limit, p->limit, sizeof limit);
    }
    spin_unlock(&process_lock);
    if (!p) {
        return -ESRCH;
    }
    text_print(t, "%-25s %-20s %-20s %-10s\n", "Limit", "Soft Limit", "Hard Limit", "Units");
    for (u32 i = 0; i < NR_RLIMITS; i++) {
        text_print(t, "%-25s ", rows[i].name);
        for (u32 j = 0; j < 2; j++) {
            u64 value = j == 0 ? limit[i].soft : limit[i].hard;
            if (value == RLIM_INFINITY) {
                text_print(t, "%-20s ", "unlimited");
            } else {
                text_print(t, "%-20lu ", value);
            }
        }
        text_print(t, "%-10s\n", rows[i].unit);
    }
    return 0;
}
