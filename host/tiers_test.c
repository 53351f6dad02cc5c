/* Tiers: nothing is lost when intervals are joined, and each slice is in its own. */
#include "host/tiers.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

static void nothing_is_lost(void **state)
{
    static struct tiers t;
    struct tier_counts c = {0}, sum = {0};

    (void)state;
    t = (struct tiers){0};
    for (unsigned i = 1; i <= 3000; i++) {
        c.insns += 100;
        c.interpreted += i % 7;
        c.seconds += 0.5;
        tiers_visit(&t, (u64)i * TIERS_FIRST_TICKS, &c);
    }
    assert_int_equal(t.ticks, 16 * TIERS_FIRST_TICKS);
    assert_int_equal(t.nr, 188); /* 3000 / 16, rounded up */
    for (unsigned i = 0; i < t.nr; i++) {
        assert_int_equal(t.at[i].insns, i + 1 < t.nr ? 1600 : 800);
        sum.insns += t.at[i].insns;
        sum.interpreted += t.at[i].interpreted;
        sum.seconds += t.at[i].seconds;
    }
    assert_int_equal(sum.insns, c.insns);
    assert_int_equal(sum.interpreted, c.interpreted);
    assert_true(sum.seconds == c.seconds);
}

/* A guest that halts for long leaves intervals without instructions. */
static void halts_leave_gaps(void **state)
{
    static struct tiers t;

    (void)state;
    t = (struct tiers){0};
    tiers_visit(&t, 1, &(struct tier_counts){.insns = 1});
    tiers_visit(&t, TIERS_FIRST_TICKS, &(struct tier_counts){.insns = 5});
    tiers_visit(&t, 9 * TIERS_FIRST_TICKS + 1, &(struct tier_counts){.insns = 6});
    assert_int_equal(t.nr, 10);
    assert_int_equal(t.at[0].insns, 5);
    assert_int_equal(t.at[1].insns, 0);
    assert_int_equal(t.at[9].insns, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_is_lost),
        cmocka_unit_test(halts_leave_gaps),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
