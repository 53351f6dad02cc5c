/* State tables: the saved form byte by byte, versions, damage, differences. */
#include "core/state.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

struct part {
    u16 a;
};
struct thing {
    struct timer timer;
    u8 *memory;
    u32 word;
    u16 pair[2];
    u8 bytes[3];
    struct part parts[2];
    u8 added; /* in version 2 */
};

static const struct state_field part_fields[] = { STATE(struct part, a), STATE_END };
static const struct state_field thing_fields[] = {
    STATE(struct thing, word), STATE_ARRAY(struct thing, pair), STATE_BYTES(struct thing, bytes),
    STATE_STRUCTS(struct thing, parts, part_fields), STATE_TIMER(struct thing, timer),
    STATE_INDIRECT(struct thing, memory, 2),
    { "added", offsetof(struct thing, added), 1, 1, STATE_KIND_INT, 2, NULL, 0x7f }, STATE_END,
};
static const struct state_desc thing_state = { "thing", 2, thing_fields };

static const u8 saved[] = {
    5, 't', 'h', 'i', 'n', 'g', 2, 0, 0, 0,            /* name, version */
    0x44, 0x33, 0x22, 0x11, 0x02, 0x01, 0x04, 0x03,    /* word, pair */
    7, 8, 9, 0x0b, 0x0a, 0x0d, 0x0c,                   /* bytes, parts */
    0x39, 0x30, 0, 0, 0, 0, 0, 0, 0xee, 0xff, 0x66,    /* timer, memory, added */
};

static struct clock clk;
static u8 memory[2][2];

static void fire(void *dev, u64 now_ns)
{
    (void)dev;
    (void)now_ns;
}

static void make(struct thing *x, unsigned n)
{
    *x = (struct thing){ .memory = memory[n], .word = 0x11223344, .pair = { 0x0102, 0x0304 }, .bytes = { 7, 8, 9 },
                         .parts = { { 0x0a0b }, { 0x0c0d } }, .added = 0x66 };
    memory[n][0] = 0xee;
    memory[n][1] = 0xff;
    timer_init(&x->timer, &clk, fire, x);
    timer_arm(&x->timer, 12345);
}

static int setup(void **state)
{
    (void)state;
    clock_init(&clk);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    clock_fini(&clk);
    return 0;
}

static void the_saved_form_is_as_documented(void **state)
{
    struct state_buf b = { 0 };
    struct thing x;

    (void)state;
    make(&x, 0);
    state_save(&b, &thing_state, &x);
    assert_int_equal(b.len, sizeof(saved));
    assert_memory_equal(b.data, saved, sizeof(saved));
    free(b.data);
}

static void loading_brings_all_back(void **state)
{
    struct state_reader r = { .data = saved, .len = sizeof(saved) };
    FILE *quiet = fopen("/dev/null", "w");
    struct thing x, y;

    (void)state;
    make(&x, 0);
    make(&y, 1);
    memset(&y.word, 0x55, sizeof(y) - offsetof(struct thing, word));
    memset(memory[1], 0, 2);
    timer_cancel(&y.timer);
    assert_int_equal(state_load(&r, &thing_state, &y), 0);
    assert_int_equal(r.pos, sizeof(saved));
    assert_int_equal(state_diff(stdout, "thing", &thing_state, &x, &y), 0);
    assert_true(timer_armed(&y.timer));
    assert_ptr_equal(y.memory, memory[1]); /* the pointer is wiring */
    assert_int_equal(state_hash(1, &thing_state, &x), state_hash(1, &thing_state, &y));
    y.parts[1].a++;
    y.bytes[2]++;
    assert_int_equal(state_diff(quiet, "thing", &thing_state, &x, &y), 2);
    assert_int_not_equal(state_hash(1, &thing_state, &x), state_hash(1, &thing_state, &y));
    fclose(quiet);
}

static void what_an_older_version_lacks_is_zero(void **state)
{
    u8 old[sizeof(saved) - 1];
    struct state_reader r = { .data = old, .len = sizeof(old) };
    struct thing x;

    (void)state;
    memcpy(old, saved, sizeof(old));
    old[6] = 1;
    make(&x, 0);
    assert_int_equal(state_load(&r, &thing_state, &x), 0);
    assert_int_equal(x.added, 0);
    assert_int_equal(x.word, 0x11223344);
}

static void damage_is_refused_with_a_reason(void **state)
{
    static const struct { unsigned at; u8 value; const char *why; } rows[] = {
        { 1, 'b', "where thing belongs" }, { 6, 3, "version 3" }, { 6, 0, "version 0" }, { 0, 250, "ends within" },
        { 32, 0x40, "the timer timer is set for the end of time" },
        { sizeof(saved) - 1, 0x80, "added is 128 in the saved state, at most 127" },
    };
    struct thing x;

    (void)state;
    make(&x, 0);
    for (unsigned i = 0; i < ARRAY_LEN(rows); i++) {
        u8 bad[sizeof(saved)];
        struct state_reader r = { .data = bad, .len = sizeof(bad) };

        memcpy(bad, saved, sizeof(bad));
        bad[rows[i].at] = rows[i].value;
        assert_int_equal(state_load(&r, &thing_state, &x), -1);
        assert_non_null(strstr(r.error, rows[i].why));
    }
    for (size_t len = 0; len < sizeof(saved); len++) {
        u8 *exact = malloc(len ? len : 1); /* so that a sanitizer sees a byte too many */
        struct state_reader r = { .data = exact, .len = len };

        memcpy(exact, saved, len);
        assert_int_equal(state_load(&r, &thing_state, &x), -1);
        assert_non_null(strstr(r.error, "ends within"));
        free(exact);
    }
}

/* XXH64 of nothing and of "abc", as published with the algorithm. */
static void the_hash_is_xxh64(void **state)
{
    (void)state;
    assert_int_equal(state_hash_bytes(0, "", 0), 0xef46db3751d8e999);
    assert_int_equal(state_hash_bytes(0, "abc", 3), 0x44bc2cf5ad770999);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(the_saved_form_is_as_documented), TEST(loading_brings_all_back),
        TEST(what_an_older_version_lacks_is_zero), TEST(damage_is_refused_with_a_reason),
        TEST(the_hash_is_xxh64),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
