/*
 * The local APIC's timer: one-shot, periodic, TSC deadline. SDM 3A 10.5.4.
 *
 * It counts nanoseconds, divided by what the guest chose. Its count follows from the clock; a timer
 * is armed for the next end that can be seen alone: not while the entry is masked, and not while
 * the vector is requested already, since a second request would be the same one.
 */
#include "devices/lapic.h"

static u64 now(const struct lapic *l)
{
    return clock_now(l->dev.env.clk);
}

enum lapic_timer_mode lapic_timer_mode(const struct lapic *l)
{
    unsigned mode = l->lvt[LVT_TIMER] >> LVT_TIMER_SHIFT & 3;

    return mode == 3 ? TIMER_ONE_SHOT : (enum lapic_timer_mode)mode; /* 3 is reserved */
}

/* Bits 0, 1 and 3: divide by 2, 4 ... 128, and 1 (figure 10-10). */
unsigned lapic_timer_divisor(const struct lapic *l)
{
    unsigned n = (l->divide & 3) | (l->divide >> 1 & 4);

    return 1u << ((n + 1) & 7);
}

static u64 elapsed(const struct lapic *l)
{
    return (now(l) - l->start_ns) / lapic_timer_divisor(l);
}

u32 lapic_timer_count(const struct lapic *l)
{
    u64 e = elapsed(l);

    if (l->count == 0 || e < l->count)
        return l->count ? l->count - (u32)e : 0;
    if (lapic_timer_mode(l) != TIMER_PERIODIC || l->initial == 0)
        return 0;
    return l->initial - (u32)((e - l->count) % l->initial);
}

/* Goes on from the present count, whatever changes now. */
static void rebase(struct lapic *l)
{
    u32 count = lapic_timer_count(l);

    l->start_ns = now(l) - (now(l) - l->start_ns) % lapic_timer_divisor(l);
    l->count = count;
}

static void arm_deadline(struct lapic *l)
{
    u64 tsc = l->cfg.cpu.tsc(l->cfg.cpu.cpu), left = l->deadline > tsc ? l->deadline - tsc : 0;
    struct clock *clk = l->dev.env.clk;

    if (l->deadline && left < CLOCK_END / 2)
        timer_arm(&l->expiry, clock_ticks_to_ns(clk, clock_ticks(clk) + left));
    else
        timer_cancel(&l->expiry);
}

void lapic_timer_arm(struct lapic *l)
{
    u64 e = elapsed(l), end = l->count;

    if (lapic_timer_mode(l) == TIMER_TSC_DEADLINE) {
        arm_deadline(l);
        return;
    }
    if (end && e >= end) {
        if (lapic_timer_mode(l) == TIMER_PERIODIC && l->initial)
            end += ((e - end) / l->initial + 1) * l->initial;
        else
            end = 0;
    }
    if (end && !(l->lvt[LVT_TIMER] & LVT_MASKED) && !lapic_is_requested(l, (u8)l->lvt[LVT_TIMER]))
        timer_arm(&l->expiry, l->start_ns + end * lapic_timer_divisor(l));
    else
        timer_cancel(&l->expiry);
}

static void expired(void *lapic, u64 now_ns)
{
    struct lapic *l = lapic;

    if (lapic_timer_mode(l) == TIMER_TSC_DEADLINE) {
        if (l->cfg.cpu.tsc(l->cfg.cpu.cpu) < l->deadline) { /* nanoseconds are not its ticks */
            timer_arm(&l->expiry, now_ns + 1);
            return;
        }
        l->deadline = 0;
        lapic_local_interrupt(l, LVT_TIMER);
        return;
    }
    lapic_local_interrupt(l, LVT_TIMER);
    lapic_timer_arm(l);
}

void lapic_timer_init(struct lapic *l)
{
    timer_init(&l->expiry, l->dev.env.clk, expired, l);
}

static void stop(struct lapic *l)
{
    l->initial = l->count = 0;
    l->deadline = 0;
    l->start_ns = now(l);
    timer_cancel(&l->expiry);
}

void lapic_timer_reset(struct lapic *l)
{
    l->divide = 0;
    stop(l);
}

void lapic_timer_lvt(struct lapic *l, u32 old)
{
    u32 lvt = l->lvt[LVT_TIMER];
    enum lapic_timer_mode mode = lapic_timer_mode(l), before;

    l->lvt[LVT_TIMER] = old;
    before = lapic_timer_mode(l);
    if (mode != before)
        rebase(l); /* as the old mode counted: what has stopped stays so */
    l->lvt[LVT_TIMER] = lvt;
    if (mode != before && (mode == TIMER_TSC_DEADLINE || before == TIMER_TSC_DEADLINE))
        stop(l);
    lapic_timer_arm(l);
}

void lapic_timer_start(struct lapic *l, u32 initial)
{
    if (lapic_timer_mode(l) == TIMER_TSC_DEADLINE)
        return;
    l->initial = l->count = initial;
    l->start_ns = now(l);
    lapic_timer_arm(l);
}

void lapic_timer_divide(struct lapic *l, u32 divide)
{
    rebase(l);
    l->divide = divide;
    lapic_timer_arm(l);
}

void lapic_timer_deadline(struct lapic *l, u64 tsc)
{
    if (lapic_timer_mode(l) != TIMER_TSC_DEADLINE)
        return;
    l->deadline = tsc;
    lapic_timer_arm(l);
}
