/* See clock.h. */
#include "guestos/kernel/clock.h"
#include "guestos/abi/errno.h"
#include "guestos/drivers/pit.h"
#include "guestos/kernel/lock.h"
#include "guestos/kernel/thread.h"
#include "guestos/kernel/x86.h"
#include "guestos/proc/cpu_time.h"

#define SHIFT 32 /* of the factor from TSC ticks to nanoseconds */

static u64 tsc_begin, ns_per_tsc; /* the latter times 2^SHIFT */
static u64 real_offset_ns;
static volatile u64 ticks;

static struct spinlock timer_lock = SPINLOCK_INIT("timers");
static struct list timers = LIST_INIT(timers); /* the next one first */

u64 clock_monotonic(void)
{
    return (u64)((unsigned __int128)(rdtsc() - tsc_begin) * ns_per_tsc >> SHIFT);
}

u64 clock_tsc_khz(void)
{
    return (u64)(((unsigned __int128)(NS_PER_S / 1000) << SHIFT) / ns_per_tsc);
}

u64 clock_realtime(void)
{
    return clock_monotonic() + real_offset_ns;
}

void clock_set_realtime(u64 ns)
{
    real_offset_ns = ns - clock_monotonic();
}

u64 clock_ticks(void)
{
    return ticks;
}

void timer_init(struct ktimer *t, void (*fire)(struct ktimer *))
{
    t->fire = fire;
    list_init(&t->link);
}

void timer_arm(struct ktimer *t, u64 when_ns)
{
    spin_lock(&timer_lock);
    list_remove(&t->link);
    t->when_ns = when_ns;
    struct list *at = timers.prev; /* most are armed for later than what waits already */
    while (at != &timers && LIST_ENTRY(at, struct ktimer, link)->when_ns > when_ns) {
        at = at->prev;
    }
    list_add_first(at, &t->link);
    spin_unlock(&timer_lock);
}

void timer_cancel(struct ktimer *t)
{
    spin_lock(&timer_lock);
    list_remove(&t->link);
    spin_unlock(&timer_lock);
}

/* Fires with the lock dropped, so that a timer may arm itself or others. UNIMPL for SMP: a cancel
 * on another CPU would have to wait for a timer that is firing. */
static void fire_timers(void)
{
    u64 now = clock_monotonic();

    for (;;) {
        spin_lock(&timer_lock);
        struct ktimer *t = LIST_FIRST(&timers, struct ktimer, link);
        if (!t || t->when_ns > now) {
            spin_unlock(&timer_lock);
            return;
        }
        list_remove(&t->link);
        spin_unlock(&timer_lock);
        t->fire(t);
    }
}

static void tick(void *unused)
{
    (void)unused;
    ticks++;
    fire_timers();
    cpu_time_tick();
    sched_tick();
}

void clock_init(void)
{
    u64 hz = pit_measure_tsc();

    ns_per_tsc = (u64)(((unsigned __int128)NS_PER_S << SHIFT) / hz);
    tsc_begin = rdtsc();
    pit_start(CLOCK_HZ, tick);
}

int sleep_until(u64 when_ns, bool interruptible)
{
    struct wait_queue nobody;

    wait_queue_init(&nobody);
    int error = WAIT(&nobody, clock_monotonic() >= when_ns,
                     interruptible ? WAIT_INTERRUPTIBLE : WAIT_FIRM, when_ns);
    return error == -EINTR ? -EINTR : 0;
}

#define MAX_SECONDS 0x100000000l /* 136 years */

u64 clock_after(i64 s, i64 ns)
{
    return s >= MAX_SECONDS ? NEVER : clock_monotonic() + (u64)s * NS_PER_S + (u64)ns;
}

u64 clock_deadline(i64 s, i64 ns, bool realtime)
{
    if (s >= MAX_SECONDS) {
        return NEVER;
    }
    u64 when = (u64)s * NS_PER_S + (u64)ns;
    u64 offset = realtime ? real_offset_ns : 0;
    return when > offset ? when - offset : 0;
}

u64 uptime_ms(void)
{
    return clock_monotonic() / NS_PER_MS;
}

void sleep_ms(u32 ms)
{
    sleep_until(clock_monotonic() + ms * NS_PER_MS, false);
}
