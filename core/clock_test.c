/* Virtual time and timers: core/clock.h. Expected values by exact arithmetic. */
#include "core/clock.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

static char fired[64];

struct probe {
    struct timer timer;
    char name;
    u64 again_ns; /* re-arms itself once */
};

static void fire(void *dev, u64 now_ns)
{
    struct probe *p = dev;
    size_t n = strlen(fired);

    (void)now_ns;
    fired[n] = p->name;
    fired[n + 1] = 0;
    if (p->again_ns) {
        timer_arm(&p->timer, p->again_ns);
        p->again_ns = 0;
    }
}

static void setup(struct clock *c, struct probe *p, unsigned n)
{
    clock_init(c);
    fired[0] = 0;
    for (unsigned i = 0; i < n; i++) {
        p[i] = (struct probe){ .name = (char)('a' + i) };
        timer_init(&p[i].timer, c, fire, &p[i]);
    }
}

static void muldiv_does_not_overflow(void **state)
{
    (void)state;
    assert_int_equal(clock_muldiv(1ull << 40, 1193182, NS_PER_SEC), 1311917483);
    assert_int_equal(clock_muldiv(1ull << 62, NS_PER_SEC, 1ull << 32), (1ull << 30) * NS_PER_SEC);
    assert_int_equal(clock_muldiv(UINT64_MAX, UINT64_MAX, UINT64_MAX), UINT64_MAX);
}

static void deadlines_round_up(void **state)
{
    static const struct { u64 num, den, ns, ticks, back; } rows[] = {
        { 1, 1, 7, 7, 7 }, { 3, 1, 7, 3, 9 }, { 1, 3, 7, 21, 7 }, { 10, 3, 7, 3, 10 }, { 10, 3, 10, 3, 10 },
    };
    struct clock c;

    (void)state;
    clock_init(&c);
    for (unsigned i = 0; i < ARRAY_LEN(rows); i++) {
        c.num = rows[i].num;
        c.den = rows[i].den;
        assert_int_equal(clock_ns_to_ticks(&c, rows[i].ns), rows[i].ticks);
        assert_int_equal(clock_ticks_to_ns(&c, rows[i].ticks), rows[i].back);
    }
    clock_fini(&c);
}

static void timers_fire_by_deadline_then_creation(void **state)
{
    static const u64 when[8] = { 50, 20, 50, 10, 20, 70, 10, 60 };
    struct probe p[8];
    struct clock c;

    (void)state;
    setup(&c, p, 8);
    for (unsigned i = 0; i < 8; i++)
        timer_arm(&p[i].timer, when[i]);
    timer_cancel(&p[4].timer);
    timer_cancel(&p[4].timer); /* idle timers are left alone */
    timer_arm(&p[5].timer, 15); /* re-armed */
    assert_int_equal(clock_next_deadline(&c), 10);
    clock_skip_to(&c, 50);
    clock_fire_due(&c);
    assert_string_equal(fired, "dgfbac");
    assert_int_equal(clock_next_deadline(&c), 60);
    assert_true(timer_armed(&p[7].timer));
    assert_false(timer_armed(&p[5].timer));
    clock_fini(&c);
    assert_false(timer_armed(&p[7].timer));
}

static void many_timers_keep_their_order(void **state)
{
    enum { N = 200 };
    static struct probe p[N];
    struct clock c;
    u64 last = 0;

    (void)state;
    setup(&c, p, N);
    srand(1);
    for (unsigned i = 0; i < N; i++)
        timer_arm(&p[i].timer, (u64)rand() % 1000 + 1);
    for (unsigned i = 0; i < N; i += 3)
        timer_cancel(&p[i].timer);
    for (u64 next; (next = clock_next_deadline(&c)) != UINT64_MAX; last = next) {
        assert_true(next >= last);
        timer_cancel(c.heap[0]);
    }
    clock_fini(&c);
}

static void a_timer_that_rearms_in_the_past_fires_at_once(void **state)
{
    struct probe p[2];
    struct clock c;

    (void)state;
    setup(&c, p, 2);
    p[0].again_ns = 12;
    timer_arm(&p[0].timer, 10);
    timer_arm(&p[1].timer, 15);
    clock_skip_to(&c, 20);
    clock_fire_due(&c);
    assert_string_equal(fired, "aab");
    clock_fini(&c);
}

static void arming_shortens_the_slice_and_keeps_the_tick(void **state)
{
    struct probe p[1];
    struct clock c;
    i64 budget = 0;

    (void)state;
    setup(&c, p, 1);
    clock_attach(&c, &budget);
    clock_open_slice(&c, 1000);
    assert_int_equal(budget, 1000);
    budget -= 300; /* an engine retired 300 instructions */
    timer_arm(&p[0].timer, 400);
    assert_int_equal(budget, 100);
    assert_int_equal(clock_ticks(&c), 300);
    timer_arm(&p[0].timer, 250); /* past: the engine leaves at its next check */
    assert_true(budget <= 0);
    assert_int_equal(clock_ticks(&c), 300);
    timer_cancel(&p[0].timer);
    clock_open_slice(&c, UINT64_MAX);
    assert_true(budget > 1ll << 61);
    clock_close_slice(&c);
    assert_int_equal(budget, 0);
    assert_int_equal(clock_ticks(&c), 300);
    clock_fini(&c);
}

static void charges_are_time_but_no_instructions(void **state)
{
    struct clock c;
    i64 budget = 0;

    (void)state;
    clock_init(&c);
    clock_attach(&c, &budget);
    clock_open_slice(&c, 100);
    budget -= 30;
    clock_charge(&c, 50);
    assert_int_equal(clock_ticks(&c), 80);
    assert_int_equal(clock_icount(&c), 30);
    clock_skip_to(&c, 200);
    assert_int_equal(clock_ticks(&c), 200);
    assert_int_equal(clock_icount(&c), 30);
    clock_skip_to(&c, 100); /* never back */
    assert_int_equal(clock_ticks(&c), 200);
    clock_fini(&c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(muldiv_does_not_overflow),
        cmocka_unit_test(deadlines_round_up),
        cmocka_unit_test(timers_fire_by_deadline_then_creation),
        cmocka_unit_test(many_timers_keep_their_order),
        cmocka_unit_test(a_timer_that_rearms_in_the_past_fires_at_once),
        cmocka_unit_test(arming_shortens_the_slice_and_keeps_the_tick),
        cmocka_unit_test(charges_are_time_but_no_instructions),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
