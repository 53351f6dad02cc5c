/*
 * Virtual time and timers: a binary heap by deadline. See core/clock.h for the reckoning.
 */
#include "core/clock.h"
#include <stdlib.h>

u64 clock_muldiv(u64 a, u64 mul, u64 div)
{
    return (u64)((unsigned __int128)a * mul / div);
}

void clock_init(struct clock *c)
{
    *c = (struct clock){ .num = 1, .den = 1 };
    c->left = &c->no_engine;
}

void clock_fini(struct clock *c)
{
    for (u32 i = 0; i < c->nr_timers; i++)
        c->heap[i]->heap_index = TIMER_IDLE;
    free(c->heap);
    c->heap = NULL;
    c->nr_timers = c->cap_timers = 0;
}

void clock_attach(struct clock *c, i64 *left)
{
    *left = *c->left;
    c->left = left;
}

u64 clock_ticks_to_ns(const struct clock *c, u64 ticks)
{
    return c->base_ns + (c->num == c->den ? ticks : clock_muldiv(ticks, c->num, c->den)); /* PERF: no division at the nominal rate */
}

u64 clock_ns_to_ticks(const struct clock *c, u64 ns)
{
    u64 product;

    if (ns <= c->base_ns)
        return 0;
    if (c->num == c->den)
        return ns - c->base_ns;
    if (!__builtin_mul_overflow(ns - c->base_ns, c->den, &product) && !__builtin_add_overflow(product, c->num - 1, &product))
        return product / c->num; /* PERF: 128-bit divisions are calls */
    return (u64)(((unsigned __int128)(ns - c->base_ns) * c->den + c->num - 1) / c->num);
}

u64 clock_now(const struct clock *c)
{
    return clock_ticks_to_ns(c, clock_ticks(c));
}

/* Moves the end of the slice, leaving the present tick as it is. */
static void set_until(struct clock *c, u64 until)
{
    *c->left += (i64)(until - c->until);
    c->until = until;
}

u64 clock_next_deadline(const struct clock *c)
{
    return c->nr_timers ? clock_ns_to_ticks(c, c->heap[0]->when_ns) : UINT64_MAX;
}

void clock_open_slice(struct clock *c, u64 limit_ticks)
{
    u64 deadline = clock_next_deadline(c), now = clock_ticks(c);
    u64 until = limit_ticks < deadline ? limit_ticks : deadline;

    /* The budget is signed: a slice without a limit is still a finite one. */
    if (until > now + (1ull << 62))
        until = now + (1ull << 62);
    set_until(c, until < now ? now : until);
}

void clock_close_slice(struct clock *c)
{
    set_until(c, clock_ticks(c));
}

void clock_skip_to(struct clock *c, u64 ticks)
{
    u64 now = clock_ticks(c);

    if (ticks > now)
        clock_charge(c, ticks - now);
}

/* ---- timers ---- */

static bool before(const struct timer *a, const struct timer *b)
{
    return a->when_ns != b->when_ns ? a->when_ns < b->when_ns : a->order < b->order;
}

static void place(struct clock *c, u32 i, struct timer *t)
{
    c->heap[i] = t;
    t->heap_index = i;
}

static void sift_up(struct clock *c, u32 i, struct timer *t)
{
    for (; i && before(t, c->heap[(i - 1) / 2]); i = (i - 1) / 2)
        place(c, i, c->heap[(i - 1) / 2]);
    place(c, i, t);
}

static void sift_down(struct clock *c, u32 i, struct timer *t)
{
    for (;;) {
        u32 child = 2 * i + 1;

        if (child >= c->nr_timers)
            break;
        if (child + 1 < c->nr_timers && before(c->heap[child + 1], c->heap[child]))
            child++;
        if (!before(c->heap[child], t))
            break;
        place(c, i, c->heap[child]);
        i = child;
    }
    place(c, i, t);
}

void timer_init(struct timer *t, struct clock *c, void (*fire)(void *dev, u64 now_ns), void *dev)
{
    *t = (struct timer){ .fire = fire, .dev = dev, .clk = c, .heap_index = TIMER_IDLE,
                         .order = c->next_order++ };
    if (c->next_order > c->cap_timers) { /* room for every timer there is: arming cannot fail */
        u32 cap = c->cap_timers ? 2 * c->cap_timers : 32;
        struct timer **more = realloc(c->heap, cap * sizeof(*more));

        ASSERT(more);
        c->heap = more;
        c->cap_timers = cap;
    }
}

void timer_cancel(struct timer *t)
{
    struct clock *c = t->clk;
    struct timer *last;
    u32 i = t->heap_index;

    if (i == TIMER_IDLE)
        return;
    t->heap_index = TIMER_IDLE;
    last = c->heap[--c->nr_timers];
    if (last == t)
        return;
    sift_down(c, i, last);
    sift_up(c, last->heap_index, last);
}

void timer_arm(struct timer *t, u64 when_ns)
{
    struct clock *c = t->clk;
    u64 tick;

    timer_cancel(t);
    t->when_ns = when_ns;
    sift_up(c, c->nr_timers++, t);
    tick = clock_ns_to_ticks(c, when_ns);
    if (tick < c->until)
        set_until(c, tick);
}

bool clock_fire_due(struct clock *c)
{
    u64 now = clock_now(c);
    bool any = false;

    while (c->nr_timers && c->heap[0]->when_ns <= now) {
        struct timer *t = c->heap[0];

        timer_cancel(t);
        t->fire(t->dev, now);
        any = true;
    }
    return any;
}
