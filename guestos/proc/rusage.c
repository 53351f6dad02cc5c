/* See rusage.h; and times(2), getrlimit(2) and its kin. */
#include "guestos/proc/rusage.h"
#include "guestos/mm/layout.h"
#include "guestos/mm/vm.h"
#include "guestos/sys/syscall.h"

#define NS_PER_US       1000u
#define CLOCK_TICKS_NS  (NS_PER_S / 100) /* sysconf(_SC_CLK_TCK) = 100 */
#define KIB(pages)      ((i64)((pages) * (PAGE_BYTES / 1024)))
#define MAX_FILES_LIMIT 65536u
#define RUSAGE_CHILDREN (-1)
#define RUSAGE_THREAD   1

void process_times(struct process *p, u64 *user_ns, u64 *system_ns)
{
    *user_ns = p->user_ns;
    *system_ns = p->system_ns;
    for (LIST_EACH(struct thread, t, &p->threads, process_link)) {
        *user_ns += t->user_ns;
        *system_ns += t->system_ns;
    }
}

static void put_times(struct rusage *r, u64 user_ns, u64 system_ns)
{
    r->user_s = (i64)(user_ns / NS_PER_S);
    r->user_us = (i64)(user_ns % NS_PER_S / NS_PER_US);
    r->system_s = (i64)(system_ns / NS_PER_S);
    r->system_us = (i64)(system_ns % NS_PER_S / NS_PER_US);
}

void rusage_of_zombie(const struct process *p, struct rusage *r)
{
    *r = (struct rusage){.max_resident_kib = KIB(p->max_resident),
                         .faults_minor = (i64)p->faults_minor,
                         .faults_major = (i64)p->faults_major};
    put_times(r, p->user_ns + p->children_user_ns, p->system_ns + p->children_system_ns);
}

void rusage_of_process(struct process *p, struct rusage *r)
{
    u64 user_ns, system_ns;

    *r = (struct rusage){.max_resident_kib =
                             KIB(MAX(p->max_resident, p->vm ? p->vm->nr_resident : 0)),
                         .faults_minor = p->vm ? (i64)p->vm->faults_minor : 0,
                         .faults_major = p->vm ? (i64)p->vm->faults_major : 0};
    process_times(p, &user_ns, &system_ns);
    put_times(r, user_ns, system_ns);
}

long sys_getrusage(const u64 *arg)
{
    struct process *p = this_process();
    struct rusage r = {0};

    spin_lock(&process_lock);
    if ((i32)arg[0] == RUSAGE_CHILDREN) {
        r.max_resident_kib = KIB(p->children_max_resident);
        r.faults_minor = (i64)p->children_faults_minor;
        r.faults_major = (i64)p->children_faults_major;
        put_times(&r, p->children_user_ns, p->children_system_ns);
    } else {
        rusage_of_process(p, &r);
        if ((i32)arg[0] == RUSAGE_THREAD) {
            put_times(&r, current()->user_ns, current()->system_ns);
        }
    }
    spin_unlock(&process_lock);
    if ((i32)arg[0] < RUSAGE_CHILDREN || (i32)arg[0] > RUSAGE_THREAD) {
        return -EINVAL;
    }
    return PUT_USER(arg[1], r);
}

long sys_times(const u64 *arg)
{
    struct process *p = this_process();
    u64 tms[4];

    spin_lock(&process_lock);
    process_times(p, &tms[0], &tms[1]);
    tms[2] = p->children_user_ns;
    tms[3] = p->children_system_ns;
    spin_unlock(&process_lock);
    for (u32 i = 0; i < ARRAY_LEN(tms); i++) {
        tms[i] /= CLOCK_TICKS_NS;
    }
    if (arg[0] && PUT_USER(arg[0], tms)) {
        return -EFAULT;
    }
    return (long)(clock_monotonic() / CLOCK_TICKS_NS);
}

static long set_limit(struct process *p, u32 which, const struct rlimit *new_limit)
{
    struct rlimit *limit = &p->limit[which];

    if (new_limit->soft > new_limit->hard) {
        return -EINVAL;
    }
    if (which == RLIMIT_NOFILE && new_limit->hard > MAX_FILES_LIMIT) {
        return -EPERM;
    }
    if (new_limit->hard > limit->hard && !is_superuser()) {
        return -EPERM;
    }
    *limit = *new_limit;
    if (which == RLIMIT_STACK && p->vm) {
        p->vm->stack_limit_bytes = new_limit->soft;
    }
    return 0;
}

/* prlimit64(2): limits of ourselves, or of another process that is ours. */
static long change_limit(i32 pid, u32 which, u64 from, u64 to)
{
    struct rlimit new_limit, old;
    long result = 0;

    if (which >= NR_RLIMITS) {
        return -EINVAL;
    }
    if (from && GET_USER(new_limit, from)) {
        return -EFAULT;
    }
    spin_lock(&process_lock);
    struct process *p = pid ? process_find((u32)pid) : this_process();
    if (!p) {
        result = -ESRCH;
    } else if (p != this_process() && !may_signal(p)) {
        result = -EPERM;
    } else {
        old = p->limit[which];
        result = from ? set_limit(p, which, &new_limit) : 0;
    }
    spin_unlock(&process_lock);
    return result ? result : to && PUT_USER(to, old) ? -EFAULT : 0;
}

long sys_prlimit64(const u64 *arg)
{
    return change_limit((i32)arg[0], (u32)arg[1], arg[2], arg[3]);
}

long sys_getrlimit(const u64 *arg)
{
    if ((u32)arg[0] < NR_RLIMITS && !arg[1]) {
        return -EFAULT;
    }
    return change_limit(0, (u32)arg[0], 0, arg[1]);
}

long sys_setrlimit(const u64 *arg)
{
    if ((u32)arg[0] < NR_RLIMITS && !arg[1]) {
        return -EFAULT;
    }
    return change_limit(0, (u32)arg[0], arg[1], 0);
}
