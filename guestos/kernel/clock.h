/*
 * Time. The monotonic clock counts nanoseconds since the kernel's start: the TSC, measured against
 * the 8254. Wall-clock time is that plus an offset which the RTC gave at the start. Timers fire in
 * the clock's interrupt, up to a tick (1 ms) late, never early.
 */
#ifndef GUESTOS_KERNEL_CLOCK_H
#define GUESTOS_KERNEL_CLOCK_H

#include "guestos/kernel/list.h"

#define CLOCK_HZ    1000u
#define NS_PER_TICK (NS_PER_S / CLOCK_HZ)

struct ktimer {
    u64 when_ns;                   /* monotonic */
    void (*fire)(struct ktimer *); /* interrupts off; may arm the timer again */
    struct list link;
};

void clock_init(void);     /* starts the ticks; interrupts may still be off */
u64 clock_monotonic(void); /* ns */
u64 clock_realtime(void);  /* ns since 1970 */
u64 clock_tsc_khz(void);
void clock_set_realtime(u64 ns);
u64 clock_ticks(void); /* of CLOCK_HZ, since the start */

void timer_init(struct ktimer *, void (*fire)(struct ktimer *));
void timer_arm(struct ktimer *, u64 when_ns); /* again: the new time counts */
void timer_cancel(struct ktimer *);           /* it will not fire after this returns */

/* Deadlines from seconds and nanoseconds (0 to 999,999,999): from now on, or of a clock. Too far
 * away becomes NEVER, what has passed becomes 0 or so. */
u64 clock_after(i64 s, i64 ns);
u64 clock_deadline(i64 s, i64 ns, bool realtime);

u64 uptime_ms(void);
void sleep_ms(u32 ms);
int sleep_until(u64 when_ns, bool interruptible); /* 0 or -EINTR */

#endif
