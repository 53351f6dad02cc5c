/* System calls about processes that fit one screen each: numbers, names, prctl, scheduling. */
#include "guestos/kernel/cpu.h"
#include "guestos/kernel/percpu.h"
#include "guestos/kernel/string.h"
#include "guestos/kernel/x86.h"
#include "guestos/mm/frames.h"
#include "guestos/mm/layout.h"
#include "guestos/mm/vm.h"
#include "guestos/proc/fork.h"
#include "guestos/proc/system.h"
#include "guestos/sys/syscall.h"

long sys_getpid(const u64 *arg)
{
    (void)arg;
    return this_process()->pid;
}

long sys_gettid(const u64 *arg)
{
    (void)arg;
    return current()->tid;
}

long sys_getppid(const u64 *arg)
{
    (void)arg;
    spin_lock(&process_lock);
    long pid = this_process()->parent ? this_process()->parent->pid : 0;
    spin_unlock(&process_lock);
    return pid;
}

long sys_set_tid_address(const u64 *arg)
{
    current()->clear_child_tid = arg[0];
    return current()->tid;
}

/* ---- names of the system */

struct host_names host_names = {
    .lock = SPINLOCK_INIT("host names"), .node = "ember", .domain = "(none)"};

struct utsname {
    char sysname[65], nodename[65], release[65], version[65], machine[65], domainname[65];
};

long sys_uname(const u64 *arg)
{
    struct utsname u = {.sysname = "Linux", /* what programs look for: the ABI's name */
                        .release = EMBER_RELEASE,
                        .version = EMBER_VERSION,
                        .machine = "x86_64"};

    spin_lock(&host_names.lock);
    memcpy(u.nodename, host_names.node, sizeof u.nodename);
    memcpy(u.domainname, host_names.domain, sizeof u.domainname);
    spin_unlock(&host_names.lock);
    return PUT_USER(arg[0], u);
}

static long set_name(char *name, u64 from, u64 len)
{
    char new_name[HOST_NAME_BYTES] = {0};

    if (!is_superuser()) {
        return -EPERM;
    }
    if (len >= HOST_NAME_BYTES) {
        return -EINVAL;
    }
    if (copy_from_user(new_name, from, len)) {
        return -EFAULT;
    }
    spin_lock(&host_names.lock);
    memcpy(name, new_name, sizeof new_name);
    spin_unlock(&host_names.lock);
    return 0;
}

long sys_sethostname(const u64 *arg)
{
    return set_name(host_names.node, arg[0], arg[1]);
}

long sys_setdomainname(const u64 *arg)
{
    return set_name(host_names.domain, arg[0], arg[1]);
}

/* ---- what the system has: sysinfo(2) */

struct sysinfo {
    i64 uptime;
    u64 loads[3], totalram, freeram, sharedram, bufferram, totalswap, freeswap;
    u16 procs, pad;
    u64 totalhigh, freehigh;
    u32 mem_unit;
    u32 padding;
};
_Static_assert(sizeof(struct sysinfo) == 112, "struct sysinfo");

long sys_sysinfo(const u64 *arg)
{
    struct sysinfo s = {.uptime = (i64)(clock_monotonic() / NS_PER_S),
                        .totalram = frames_total() * PAGE_BYTES,
                        .freeram = frames_free() * PAGE_BYTES,
                        .procs = (u16)process_count(),
                        .mem_unit = 1};

    return PUT_USER(arg[0], s);
}

/* ---- arch_prctl(2), prctl(2) */

enum { ARCH_SET_GS = 0x1001, ARCH_SET_FS, ARCH_GET_FS, ARCH_GET_GS };

long sys_arch_prctl(const u64 *arg)
{
    struct thread *t = current();
    bool gs = arg[0] == ARCH_SET_GS || arg[0] == ARCH_GET_GS;
    u64 *base = gs ? &t->gs_base : &t->fs_base;

    switch (arg[0]) {
    case ARCH_SET_GS:
    case ARCH_SET_FS:
        if (arg[1] >= USER_END) {
            return -EPERM;
        }
        irq_off();
        *base = arg[1];
        wrmsr(gs ? MSR_KERNEL_GS_BASE : MSR_FS_BASE, arg[1]);
        irq_back();
        return 0;
    case ARCH_GET_GS:
    case ARCH_GET_FS: return PUT_USER(arg[1], *base);
    default: return -EINVAL;
    }
}

enum {
    PR_SET_PDEATHSIG = 1,
    PR_GET_PDEATHSIG,
    PR_GET_DUMPABLE,
    PR_SET_DUMPABLE,
    PR_SET_NAME = 15,
    PR_GET_NAME,
    PR_CAPBSET_READ = 23,
    PR_SET_TIMERSLACK = 29,
    PR_GET_TIMERSLACK,
    PR_SET_CHILD_SUBREAPER = 36,
    PR_SET_NO_NEW_PRIVS = 38,
    PR_GET_NO_NEW_PRIVS,
};
#define PR_EMBER_STRACE 0x456D6200u /* ours: strace of this process and its children on or off */

static long set_thread_name(u64 from)
{
    struct thread *t = current();
    char name[sizeof t->name];
    long len = string_from_user(name, from, sizeof name);

    if (len < 0 && len != -ENAMETOOLONG) {
        return len;
    }
    name[sizeof name - 1] = 0;
    memcpy(t->name, name, sizeof name);
    if (t->tid == t->process->pid) {
        memcpy(t->process->name, name, sizeof name);
    }
    return 0;
}

long sys_prctl(const u64 *arg)
{
    struct process *p = this_process();

    switch ((u32)arg[0]) {
    case PR_SET_NAME: return set_thread_name(arg[1]);
    case PR_GET_NAME: return copy_to_user(arg[1], current()->name, sizeof current()->name);
    case PR_GET_DUMPABLE: return p->dumpable;
    case PR_SET_DUMPABLE:
        if (arg[1] > 1) {
            return -EINVAL;
        }
        p->dumpable = arg[1];
        return 0;
    case PR_SET_NO_NEW_PRIVS:
        if (arg[1] != 1 || arg[2] || arg[3] || arg[4]) {
            return -EINVAL;
        }
        p->no_new_privs = true;
        return 0;
    case PR_GET_NO_NEW_PRIVS: return p->no_new_privs;
    case PR_EMBER_STRACE: p->traced = arg[1]; return 0;
    default: return -EINVAL;
    }
}

/* ---- scheduling: one policy, all processes equal; the calls say so */

long sys_sched_yield(const u64 *arg)
{
    (void)arg;
    schedule();
    return 0;
}

static long thread_exists(u64 tid)
{
    if ((i32)tid < 0) {
        return -EINVAL;
    }
    spin_lock(&process_lock);
    bool exists = !tid || thread_find((u32)tid);
    spin_unlock(&process_lock);
    return exists ? 0 : -ESRCH;
}

long sys_sched_getscheduler(const u64 *arg)
{
    return thread_exists(arg[0]); /* SCHED_OTHER is 0 */
}

long sys_sched_setscheduler(const u64 *arg)
{
    i32 priority;
    long error = thread_exists(arg[0]);

    if (error) {
        return error;
    }
    if (GET_USER(priority, arg[2])) {
        return -EFAULT;
    }
    return (i32)arg[1] == 0 && priority == 0 ? 0 : -EINVAL;
}

long sys_sched_getparam(const u64 *arg)
{
    i32 priority = 0;
    long error = arg[1] ? thread_exists(arg[0]) : -EINVAL;

    return error ? error : PUT_USER(arg[1], priority);
}

long sys_sched_setparam(const u64 *arg)
{
    i32 priority;
    long error = arg[1] ? thread_exists(arg[0]) : -EINVAL;

    if (error) {
        return error;
    }
    return GET_USER(priority, arg[1]) ? -EFAULT : priority == 0 ? 0 : -EINVAL;
}

static long priority_limit(u32 policy, long realtime)
{
    switch (policy) {
    case 0: /* OTHER, BATCH, IDLE */
    case 3:
    case 5: return 0;
    case 1: /* FIFO, RR: known, though nobody may have them */
    case 2: return realtime;
    default: return -EINVAL;
    }
}

long sys_sched_get_priority_max(const u64 *arg)
{
    return priority_limit((u32)arg[0], 99);
}

long sys_sched_get_priority_min(const u64 *arg)
{
    return priority_limit((u32)arg[0], 1);
}

long sys_sched_rr_get_interval(const u64 *arg)
{
    i64 slice[2] = {0, NS_PER_S / 100};
    long error = thread_exists(arg[0]);

    return error ? error : PUT_USER(arg[1], slice);
}

long sys_sched_getaffinity(const u64 *arg)
{
    u64 cpus = 1;
    long error = thread_exists(arg[0]);

    if (error) {
        return error;
    }
    if (arg[1] < sizeof cpus || arg[1] % sizeof cpus) {
        return -EINVAL;
    }
    return PUT_USER(arg[2], cpus) ? -EFAULT : (long)sizeof cpus;
}

long sys_sched_setaffinity(const u64 *arg)
{
    u8 first = 0;
    long error = thread_exists(arg[0]);

    if (error) {
        return error;
    }
    if (arg[1] && GET_USER(first, arg[2])) {
        return -EFAULT;
    }
    return first & 1 ? 0 : -EINVAL;
}

long sys_getcpu(const u64 *arg)
{
    u32 cpu = cpu_local()->number, node = 0;

    return (arg[0] && PUT_USER(arg[0], cpu)) || (arg[1] && PUT_USER(arg[1], node)) ? -EFAULT : 0;
}

/* ---- nice: kept and shown; the scheduler does not look at it */

enum { PRIO_PROCESS, PRIO_PGRP, PRIO_USER };

static bool prio_is_meant(const struct process *p, u64 which, u32 who)
{
    const struct process *self = this_process();

    switch (which) {
    case PRIO_PROCESS: return p->pid == (who ? who : self->pid);
    case PRIO_PGRP: return p->pgid == (who ? who : self->pgid);
    default: return p->cred.uid == (who ? who : self->cred.uid);
    }
}

long sys_getpriority(const u64 *arg)
{
    long best = -ESRCH;

    if (arg[0] > PRIO_USER) {
        return -EINVAL;
    }
    spin_lock(&process_lock);
    for (LIST_EACH(struct process, p, &processes, table_link)) {
        if (prio_is_meant(p, arg[0], (u32)arg[1])) {
            best = MAX(best, 20 - p->nice);
        }
    }
    spin_unlock(&process_lock);
    return best;
}

long sys_setpriority(const u64 *arg)
{
    i32 nice = MIN(MAX((i32)arg[2], -20), 19);
    const struct credentials *c = &this_process()->cred;
    long result = -ESRCH;

    if (arg[0] > PRIO_USER) {
        return -EINVAL;
    }
    spin_lock(&process_lock);
    for (LIST_EACH(struct process, p, &processes, table_link)) {
        if (!prio_is_meant(p, arg[0], (u32)arg[1])) {
            continue;
        }
        if (c->euid && c->euid != p->cred.uid && c->euid != p->cred.euid) {
            result = -EPERM;
        } else if (nice < p->nice && c->euid) {
            result = -EACCES;
        } else {
            p->nice = nice;
            result = result == -ESRCH ? 0 : result;
        }
    }
    spin_unlock(&process_lock);
    return result;
}

/* personality(2): only Linux' own. */
long sys_personality(const u64 *arg)
{
    return (u32)arg[0] == 0 || (u32)arg[0] == 0xFFFFFFFF ? 0 : -EINVAL;
}
