/* System calls about time: clocks, sleeping, alarms. clock_gettime(2), nanosleep(2), setitimer(2).
 */
#include "guestos/proc/cpu_time.h"
#include "guestos/proc/fork.h"
#include "guestos/proc/rusage.h"
#include "guestos/proc/timespec.h"
#include "guestos/sys/syscall.h"

enum {
    CLOCK_REALTIME,
    CLOCK_MONOTONIC,
    CLOCK_PROCESS_CPUTIME_ID,
    CLOCK_THREAD_CPUTIME_ID,
    CLOCK_MONOTONIC_RAW,
    CLOCK_REALTIME_COARSE,
    CLOCK_MONOTONIC_COARSE,
    CLOCK_BOOTTIME,
    NR_CLOCKS = 12,
};
#define TIMER_ABSTIME 1
#define NS_PER_US     1000u

enum { ITIMER_REAL, ITIMER_VIRTUAL, ITIMER_PROF };

static bool is_realtime(u64 clock)
{
    return clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE;
}

static bool is_monotonic(u64 clock)
{
    return clock == CLOCK_MONOTONIC || clock == CLOCK_MONOTONIC_RAW ||
           clock == CLOCK_MONOTONIC_COARSE || clock == CLOCK_BOOTTIME;
}

static u64 cpu_time(bool of_thread)
{
    u64 user_ns, system_ns;

    if (of_thread) {
        return current()->user_ns + current()->system_ns + clock_monotonic() - current()->last_ns;
    }
    spin_lock(&process_lock);
    process_times(this_process(), &user_ns, &system_ns);
    spin_unlock(&process_lock);
    return user_ns + system_ns + clock_monotonic() - current()->last_ns;
}

long sys_clock_gettime(const u64 *arg)
{
    u64 clock = (u32)arg[0], ns;

    if (is_realtime(clock)) {
        ns = clock_realtime();
    } else if (is_monotonic(clock)) {
        ns = clock_monotonic();
    } else if (clock == CLOCK_PROCESS_CPUTIME_ID || clock == CLOCK_THREAD_CPUTIME_ID) {
        ns = cpu_time(clock == CLOCK_THREAD_CPUTIME_ID);
    } else {
        return -EINVAL;
    }
    struct abi_timespec t = timespec_of(ns);
    return PUT_USER(arg[1], t);
}

long sys_clock_getres(const u64 *arg)
{
    u64 clock = (u32)arg[0];
    struct abi_timespec t = {0, 1};

    if (!is_realtime(clock) && !is_monotonic(clock) && clock != CLOCK_PROCESS_CPUTIME_ID &&
        clock != CLOCK_THREAD_CPUTIME_ID) {
        return -EINVAL;
    }
    return arg[1] ? PUT_USER(arg[1], t) : 0;
}

long sys_clock_settime(const u64 *arg)
{
    struct abi_timespec t;

    if ((u32)arg[0] != CLOCK_REALTIME) {
        return -EINVAL;
    }
    if (GET_USER(t, arg[1])) {
        return -EFAULT;
    }
    if (!timespec_is_valid(&t)) {
        return -EINVAL;
    }
    if (!is_superuser()) {
        return -EPERM;
    }
    clock_set_realtime((u64)t.sec * NS_PER_S + (u64)t.nsec);
    return 0;
}

long sys_gettimeofday(const u64 *arg)
{
    u64 now = clock_realtime();
    i64 tv[2] = {(i64)(now / NS_PER_S), (i64)(now % NS_PER_S / NS_PER_US)};
    i32 zone[2] = {0, 0};

    return (arg[0] && PUT_USER(arg[0], tv)) || (arg[1] && PUT_USER(arg[1], zone)) ? -EFAULT : 0;
}

long sys_settimeofday(const u64 *arg)
{
    i64 tv[2];

    if (arg[0] && GET_USER(tv, arg[0])) {
        return -EFAULT;
    }
    if (arg[0] && (tv[0] < 0 || tv[1] < 0 || tv[1] >= 1000000)) {
        return -EINVAL;
    }
    if (!is_superuser()) {
        return -EPERM;
    }
    if (arg[0]) {
        clock_set_realtime((u64)tv[0] * NS_PER_S + (u64)tv[1] * NS_PER_US);
    }
    return 0;
}

long sys_time(const u64 *arg)
{
    i64 now = (i64)(clock_realtime() / NS_PER_S);

    return arg[0] && PUT_USER(arg[0], now) ? -EFAULT : now;
}

/* ---- sleeping */

/* Until a deadline; what is left of it goes to user memory when a signal comes. */
static long sleep_for_user(u64 deadline, u64 left_at)
{
    int error = sleep_until(deadline, true);

    if (!error || !left_at) {
        return error;
    }
    u64 now = clock_monotonic();
    struct abi_timespec left = timespec_of(deadline > now ? deadline - now : 0);
    return PUT_USER(left_at, left) ? -EFAULT : -EINTR;
}

static long restart_sleep(const u64 *saved);

static long sleep_relative(u64 deadline, u64 left_at)
{
    struct thread *t = current();
    long result = sleep_for_user(deadline, left_at);

    if (result != -EINTR) {
        return result;
    }
    t->restart = restart_sleep;
    t->restart_arg[0] = deadline;
    t->restart_arg[1] = left_at;
    return -ERESTART_RESTARTBLOCK;
}

static long restart_sleep(const u64 *saved)
{
    return sleep_relative(saved[0], saved[1]);
}

long sys_restart_syscall(const u64 *arg)
{
    struct thread *t = current();

    (void)arg;
    return t->restart ? t->restart(t->restart_arg) : -EINTR;
}

long sys_nanosleep(const u64 *arg)
{
    struct abi_timespec t;

    if (GET_USER(t, arg[0])) {
        return -EFAULT;
    }
    return timespec_is_valid(&t) ? sleep_relative(clock_after(t.sec, t.nsec), arg[1]) : -EINVAL;
}

long sys_clock_nanosleep(const u64 *arg)
{
    u64 clock = (u32)arg[0];
    struct abi_timespec t;

    if (clock == CLOCK_THREAD_CPUTIME_ID || clock >= NR_CLOCKS) {
        return -EINVAL;
    }
    if (!is_realtime(clock) && !is_monotonic(clock)) {
        return -EOPNOTSUPP;
    }
    if (GET_USER(t, arg[2])) {
        return -EFAULT;
    }
    if (!timespec_is_valid(&t)) {
        return -EINVAL;
    }
    if (!(arg[1] & TIMER_ABSTIME)) {
        return sleep_relative(clock_after(t.sec, t.nsec), arg[3]);
    }
    long result = sleep_until(clock_deadline(t.sec, t.nsec, is_realtime(clock)), true);
    return result == -EINTR ? -ERESTARTNOHAND : result;
}

/* ---- interval timers; ORDER: ITIMER_ and CPU_TIMER_ values run in parallel */

void alarm_fires(struct ktimer *timer)
{
    struct process *p = CONTAINER_OF(timer, struct process, alarm);

    if (p->alarm_interval_ns) {
        timer_arm(timer, timer->when_ns + p->alarm_interval_ns);
    } else {
        timer->when_ns = 0;
    }
    signal_process(p, SIGALRM, NULL);
}

static u64 alarm_left(const struct process *p)
{
    u64 now = clock_monotonic();

    return p->alarm.when_ns > now ? p->alarm.when_ns - now : p->alarm.when_ns ? 1 : 0;
}

static void alarm_set(struct process *p, u64 after_ns, u64 interval_ns)
{
    timer_cancel(&p->alarm);
    p->alarm.when_ns = 0;
    p->alarm_interval_ns = interval_ns;
    if (after_ns) {
        timer_arm(&p->alarm, clock_monotonic() + after_ns);
    }
}

long sys_alarm(const u64 *arg)
{
    struct process *p = this_process();
    u64 left = alarm_left(p);

    alarm_set(p, (u64)(u32)arg[0] * NS_PER_S, 0);
    return (long)((left + NS_PER_S - 1) / NS_PER_S);
}

struct itimerval {
    i64 interval_s, interval_us, value_s, value_us;
};

static int put_itimer(u64 which, u64 to)
{
    struct process *p = this_process();
    u64 left, interval;

    if (which == ITIMER_REAL) {
        left = alarm_left(p);
        interval = p->alarm_interval_ns;
    } else {
        left = cpu_timer_left(which - ITIMER_VIRTUAL);
        interval = p->cpu_timer[which - ITIMER_VIRTUAL].interval_ns;
    }
    struct itimerval v = {(i64)(interval / NS_PER_S), (i64)(interval % NS_PER_S / NS_PER_US),
                          (i64)(left / NS_PER_S), (i64)(left % NS_PER_S / NS_PER_US)};
    return PUT_USER(to, v);
}

long sys_getitimer(const u64 *arg)
{
    return arg[0] > ITIMER_PROF ? -EINVAL : put_itimer(arg[0], arg[1]);
}

static bool is_us(i64 us)
{
    return us >= 0 && us < 1000000;
}

long sys_setitimer(const u64 *arg)
{
    struct itimerval v = {0};

    if (arg[0] > ITIMER_PROF) {
        return -EINVAL;
    }
    if (arg[1] && GET_USER(v, arg[1])) {
        return -EFAULT;
    }
    if (!is_us(v.value_us) || !is_us(v.interval_us) || v.value_s < 0 || v.interval_s < 0) {
        return -EINVAL;
    }
    if (arg[2] && put_itimer(arg[0], arg[2])) {
        return -EFAULT;
    }
    u64 after = (u64)v.value_s * NS_PER_S + (u64)v.value_us * NS_PER_US;
    u64 interval = (u64)v.interval_s * NS_PER_S + (u64)v.interval_us * NS_PER_US;
    if (arg[0] == ITIMER_REAL) {
        alarm_set(this_process(), after, interval);
    } else {
        cpu_timer_set(arg[0] - ITIMER_VIRTUAL, after, interval);
    }
    return 0;
}
