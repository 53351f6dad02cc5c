/*
 * Virtual time. The only clock that a device may read.
 *
 * Time is counted in ticks: one per retired instruction, plus charges for what is slow on
 * hardware too (a port access 1 us, an MMIO access 0.2 us). At the nominal rate a tick is a
 * nanosecond: ns = base_ns + ticks * num / den, in integers; deadlines are rounded up.
 *
 * While an engine runs, it counts *left down from the length of its slice, so that
 *     now = until - *left
 * is exact at any instruction, also inside a device, and arming a timer that is due before
 * `until` shortens the slice at once. docs/decisions/001-time-is-instructions.md says why.
 */
#ifndef CORE_CLOCK_H
#define CORE_CLOCK_H

#include "core/types.h"

struct clock;

#define TIMER_IDLE UINT32_MAX
#define NS_PER_SEC 1000000000ull
#define CLOCK_END  (1ull << 61) /* no time, in ns or ticks, that is loaded may lie behind: 73 years */

/* Embedded in its device. Armed for the next edge only, never as a periodic tick. */
struct timer {
    u64 when_ns;
    void (*fire)(void *dev, u64 now_ns);
    void *dev;
    struct clock *clk;
    u32 heap_index; /* TIMER_IDLE when not armed */
    u32 order;      /* breaks ties: timers with equal deadlines fire in order of creation */
};

struct clock {
    u64 until;   /* ticks at the end of the present slice */
    i64 *left;   /* ticks left of it; the engine counts it down (struct cpu.budget) */
    u64 charged; /* ticks that are not instructions: icount = clock_ticks() - charged */
    u64 base_ns, num, den;
    struct timer **heap; /* by when_ns, then order */
    u32 nr_timers, cap_timers, next_order;
    i64 no_engine; /* what left points to before an engine is there */
};

void clock_init(struct clock *);
void clock_fini(struct clock *);

/* Makes the clock count in *left, which takes over the present slice. */
void clock_attach(struct clock *, i64 *left);

static inline u64 clock_ticks(const struct clock *c)
{
    return c->until - (u64)*c->left;
}

/* Instructions retired since power-on. */
static inline u64 clock_icount(const struct clock *c)
{
    return clock_ticks(c) - c->charged;
}

/* Virtual nanoseconds since power-on. */
u64 clock_now(const struct clock *);
u64 clock_ticks_to_ns(const struct clock *, u64 ticks);
u64 clock_ns_to_ticks(const struct clock *, u64 ns); /* rounded up */

/* Lets time pass that is no instruction: a slow access, the elements of a string instruction. */
static inline void clock_charge(struct clock *c, u64 ticks)
{
    *c->left -= (i64)ticks;
    c->charged += ticks;
}

/* Opens a slice up to limit_ticks (absolute) or the next deadline, whichever is first. */
void clock_open_slice(struct clock *, u64 limit_ticks);

/* Ends the present slice at the present tick, so that the engine leaves at its next check. */
void clock_close_slice(struct clock *);

/* Moves time forward to ticks (absolute, not in the past): a halted processor. */
void clock_skip_to(struct clock *, u64 ticks);

/* Fires, in order of deadline, every timer that is due. */
bool clock_fire_due(struct clock *); /* whether there were any */

/* Tick of the earliest armed timer, or UINT64_MAX. */
u64 clock_next_deadline(const struct clock *);

void timer_init(struct timer *, struct clock *, void (*fire)(void *dev, u64 now_ns), void *dev);
void timer_arm(struct timer *, u64 when_ns); /* re-arms if armed; a past deadline fires next */
void timer_cancel(struct timer *);           /* idle timers are left alone; call it in fini */

static inline bool timer_armed(const struct timer *t)
{
    return t->heap_index != TIMER_IDLE;
}

/* ns * freq / 1e9 without overflow: ticks of a device's own clock since time 0. */
u64 clock_muldiv(u64 a, u64 mul, u64 div);

#endif
