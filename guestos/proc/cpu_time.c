/*
 * What ends or signals a process by the processor time that it has used: ITIMER_VIRTUAL (user time)
 * and ITIMER_PROF (user and system time), RLIMIT_CPU. Looked at by each tick of the clock that hits
 * the process, so a timer is up to a tick late.
 */
#include "guestos/proc/cpu_time.h"
#include "guestos/proc/rusage.h"

/* What counts for a timer; process_lock is held. */
static u64 used(struct process *p, enum cpu_timer which)
{
    u64 user_ns, system_ns;

    process_times(p, &user_ns, &system_ns);
    return which == CPU_TIMER_VIRTUAL ? user_ns : user_ns + system_ns;
}

static void check_timer(struct process *p, enum cpu_timer which, u32 signal)
{
    struct cpu_itimer *t = &p->cpu_timer[which];
    u64 now = t->at_ns ? used(p, which) : 0;

    if (!t->at_ns || now < t->at_ns) {
        return;
    }
    t->at_ns = t->interval_ns ? MAX(t->at_ns + t->interval_ns, now + 1) : 0;
    signal_process_locked(p, signal, NULL);
}

/* SIGXCPU at the soft limit and each second after it, SIGKILL at the hard one. getrlimit(2) */
static void check_limit(struct process *p)
{
    const struct rlimit *limit = &p->limit[RLIMIT_CPU];

    if (limit->soft == RLIM_INFINITY) {
        return;
    }
    u64 seconds = used(p, CPU_TIMER_PROF) / NS_PER_S;
    if (seconds >= limit->hard) {
        signal_process_locked(p, SIGKILL, NULL);
    } else if (seconds >= MAX(limit->soft, p->xcpu_after_s)) {
        p->xcpu_after_s = seconds + 1;
        signal_process_locked(p, SIGXCPU, NULL);
    }
}

void cpu_time_tick(void)
{
    struct process *p = this_process();

    if (!p || (!p->cpu_timer[CPU_TIMER_VIRTUAL].at_ns && !p->cpu_timer[CPU_TIMER_PROF].at_ns &&
               p->limit[RLIMIT_CPU].soft == RLIM_INFINITY)) {
        return;
    }
    spin_lock(&process_lock);
    check_timer(p, CPU_TIMER_VIRTUAL, SIGVTALRM);
    check_timer(p, CPU_TIMER_PROF, SIGPROF);
    check_limit(p);
    spin_unlock(&process_lock);
}

u64 cpu_timer_left(enum cpu_timer which)
{
    struct process *p = this_process();

    spin_lock(&process_lock);
    u64 at = p->cpu_timer[which].at_ns;
    u64 now = used(p, which);
    spin_unlock(&process_lock);
    return !at ? 0 : at > now ? at - now : 1;
}

void cpu_timer_set(enum cpu_timer which, u64 after_ns, u64 interval_ns)
{
    struct process *p = this_process();

    spin_lock(&process_lock);
    p->cpu_timer[which] =
        (struct cpu_itimer){after_ns ? used(p, which) + after_ns : 0, interval_ns};
    spin_unlock(&process_lock);
}
