/*
 * What every device promises, for all of them, and for a board of all of them:
 *   - a reset is idempotent, and after power-on nothing is left of what was before;
 *   - save, load, save gives the same bytes, and a loaded device goes on as the saved one does;
 *   - any number of random accesses does no harm to the host: the disk is never asked for a sector
 *     beyond its end, ASSERTs and sanitizers see the rest;
 *   - two instances do not meet.
 *
 *     conformance_test [STEPS [SEED]]
 *
 * The worlds and the steps are devices/test_world.h's.
 */
#include "devices/test_world.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

static struct { u64 steps, seed; } options = { 100000, 1 };

static void run(struct world *w, u64 steps, u64 seed)
{
    struct draw d = draw_seed(seed);

    while (steps--)
        world_step(w, &d);
}

/* ---- comparing ---- */

/* Devices; with memory, also all that they can reach, and what was seen of them. */
static struct state_buf save(const struct world *w, bool memory)
{
    struct state_buf b = { 0 };

    for (unsigned i = 0; i < w->nr_devs; i++)
        state_save(&b, w->devs[i]->class->state, w->devs[i]);
    if (memory) {
        state_put(&b, &w->digest, sizeof(w->digest));
        state_put(&b, w->b.view.backing, BENCH_RAM);
        for (unsigned i = 0; i < 2; i++)
            state_put(&b, w->disk[i].sectors, WORLD_DISK_SECTORS * SECTOR_SIZE);
    }
    return b;
}

/* Frees a and b. w and v, where both are given, say which fields differ. */
static void same(const char *what, const struct world_row *row, struct state_buf a, struct state_buf b,
                 const struct world *w, const struct world *v)
{
    bool equal = a.len == b.len && !memcmp(a.data, b.data, a.len);

    if (!equal) {
        printf("%s: %s\n", row->name, what);
        for (unsigned i = 0; v && i < w->nr_devs; i++)
            state_diff(stdout, w->devs[i]->class->name, w->devs[i]->class->state, w->devs[i], v->devs[i]);
    }
    free(a.data);
    free(b.data);
    assert_true(equal);
}

static struct world *copy_of(const struct world_row *row, const struct world *w)
{
    struct world *c = world_new(row);
    struct state_buf b = save(w, false);
    struct state_reader r = { .data = b.data, .len = b.len };

    c->digest = w->digest;
    c->b.tsc_offset = w->b.tsc_offset;
    clock_skip_to(&c->b.clk, clock_ticks(&w->b.clk));
    clock_fire_due(&c->b.clk);
    memcpy(c->b.view.backing, w->b.view.backing, BENCH_RAM);
    for (unsigned i = 0; i < 2; i++) {
        memcpy(c->disk[i].sectors, w->disk[i].sectors, WORLD_DISK_SECTORS * SECTOR_SIZE);
        c->disk[i].fail = w->disk[i].fail;
    }
    for (unsigned i = 0; i < c->nr_devs; i++)
        if (state_load(&r, c->devs[i]->class->state, c->devs[i])) {
            printf("%s: %s\n", row->name, r.error);
            fail();
        }
    for (unsigned i = 0; i < c->nr_devs; i++) {
        char err[160];

        if (dev_check(c->devs[i], err)) {
            printf("%s: refused: %s\n", row->name, err);
            fail();
        }
    }
    for (unsigned i = 0; i < c->nr_devs; i++)
        dev_loaded(c->devs[i]);
    assert_int_equal(r.pos, b.len);
    free(b.data);
    return c;
}

static void reset(struct world *w, enum reset_kind kind)
{
    for (unsigned i = w->nr_devs; i--;) /* interrupt controllers last: they see the others' edges */
        dev_reset(w->devs[i], kind);
}

/* ---- the promises ---- */

static void random_accesses_do_no_harm(void **state)
{
    (void)state;
    for (const struct world_row *row = world_rows; row->name; row++) {
        struct world *w = world_new(row);

        run(w, options.steps, options.seed);
        world_free(w);
    }
}

static void reset_is_idempotent(void **state)
{
    (void)state;
    for (const struct world_row *row = world_rows; row->name; row++)
        for (enum reset_kind kind = RESET_POWER_ON; kind <= RESET_HARD; kind++) {
            struct world *w = world_new(row);
            struct state_buf once;

            run(w, options.steps / 20, options.seed + 1);
            reset(w, kind);
            once = save(w, false);
            reset(w, kind);
            same("a second reset changes", row, once, save(w, false), w, NULL);
            world_free(w);
        }
}

static void power_on_forgets(void **state)
{
    (void)state;
    for (const struct world_row *row = world_rows; row->name; row++) {
        struct world *w = world_new(row), *fresh = world_new(row);

        if (!row->keeps) {
            run(w, options.steps / 20, options.seed + 2);
            reset(w, RESET_POWER_ON);
            bench_pass(&fresh->b, clock_ticks(&w->b.clk) - clock_ticks(&fresh->b.clk));
            reset(fresh, RESET_POWER_ON);
            same("power-on leaves something behind", row, save(w, false), save(fresh, false), w, fresh);
        }
        world_free(w);
        world_free(fresh);
    }
}

static void loaded_goes_on_as_saved(void **state)
{
    (void)state;
    for (const struct world_row *row = world_rows; row->name; row++)
        for (unsigned round = 0; round < (row->large ? 4 : 24); round++) {
            struct world *w = world_new(row), *c;

            run(w, options.steps / 200 + round, options.seed + 10 + round);
            c = copy_of(row, w);
            same("save, load, save", row, save(w, true), save(c, true), w, c);
            run(w, options.steps / 200, options.seed + 20);
            run(c, options.steps / 200, options.seed + 20);
            same("a loaded device goes on otherwise", row, save(w, true), save(c, true), w, c);
            world_free(w);
            world_free(c);
        }
}

/* Loads what somebody has altered. False: it was refused. */
static bool load_altered(struct world *c, const struct state_buf *b)
{
    struct state_reader r = { .data = b->data, .len = b->len };
    char err[160];

    for (unsigned i = 0; i < c->nr_devs; i++)
        if (state_load(&r, c->devs[i]->class->state, c->devs[i]))
            return false;
    for (unsigned i = 0; i < c->nr_devs; i++)
        if (dev_check(c->devs[i], err))
            return false;
    for (unsigned i = 0; i < c->nr_devs; i++)
        dev_loaded(c->devs[i]);
    return true;
}

/* Sanitizers and ctest's timeout are the judges. */
static void an_altered_state_is_refused_or_harmless(void **state)
{
    (void)state;
    for (const struct world_row *row = world_rows; row->name; row++) {
        unsigned rounds = row->large ? 4 : 24, taken = 0;
        struct draw d = draw_seed(options.seed * 977 + (u64)(row - world_rows) + 1);

        for (unsigned round = 0; round < rounds; round++) {
            struct world *w = world_new(row), *c = world_new(row);
            struct state_buf b;

            run(w, options.steps / 500 + round, options.seed + 30 + round);
            b = save(w, false);
            clock_skip_to(&c->b.clk, clock_ticks(&w->b.clk));
            clock_fire_due(&c->b.clk);
            for (unsigned n = 1 + draw_below(&d, 8); n; n--) { /* video memory lies at the end */
                u32 at = draw_below(&d, b.len < 40000 ? (u32)b.len : 40000);

                b.data[at] = (u8)(draw_below(&d, 2) ? draw_any(&d) : draw_below(&d, 2) ? 255 : 0);
            }
            if (load_altered(c, &b)) {
                taken++;
                run(c, options.steps / 200, options.seed + 40);
            }
            free(b.data);
            world_free(w);
            world_free(c);
        }
        printf("%s: %u of %u altered states were taken\n", row->name, taken, rounds);
    }
}

static void two_instances_do_not_meet(void **state)
{
    (void)state;
    for (const struct world_row *row = world_rows; row->name; row++) {
        struct world *a = world_new(row), *b = world_new(row);
        struct state_buf before;

        run(b, options.steps / 40, options.seed + 3);
        before = save(b, true);
        run(a, options.steps / 40, options.seed + 4);
        same("one instance changed the other", row, before, save(b, true), b, NULL);
        run(b, options.steps / 40, options.seed + 5);
        run(a, options.steps / 40, options.seed + 6);
        world_free(a);
        a = world_new(row);
        run(a, options.steps / 40, options.seed + 3);
        run(a, options.steps / 40, options.seed + 5);
        same("the same accesses lead elsewhere", row, save(a, true), save(b, true), a, b);
        world_free(a);
        world_free(b);
    }
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(random_accesses_do_no_harm), cmocka_unit_test(reset_is_idempotent),
        cmocka_unit_test(power_on_forgets), cmocka_unit_test(loaded_goes_on_as_saved),
        cmocka_unit_test(an_altered_state_is_refused_or_harmless),
        cmocka_unit_test(two_instances_do_not_meet),
    };

    if (argc > 1)
        options.steps = strtoull(argv[1], NULL, 0);
    if (argc > 2)
        options.seed = strtoull(argv[2], NULL, 0);
    printf("%llu steps, seed %llu\n", (unsigned long long)options.steps, (unsigned long long)options.seed);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
