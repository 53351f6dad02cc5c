/* 8042, keyboard, mouse: expected values from the IBM PS/2 Hardware Interface Technical Reference. */
#include "devices/i8042.h"
#include "devices/test_bench.h"
#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

enum { IRQ1 = 1, IRQ12 = 12, A20 = 20 };
static struct bench b;
static struct i8042 k;

static int setup(void **state)
{
    (void)state;
    bench_init(&b);
    memset(&k, 0, sizeof(k));
    bench_attach(&b, &k.dev, &i8042_class,
                 &(struct i8042_cfg){ .irq1 = bench_wire(&b, IRQ1), .irq12 = bench_wire(&b, IRQ12),
                                      .a20 = bench_wire(&b, A20), .power = bench_power(&b) });
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    dev_fini(&k.dev);
    bench_fini(&b);
    return 0;
}

static void data(u8 v)
{
    bench_out(&b, 0x60, v, 1);
}

static void command(u8 v)
{
    bench_out(&b, 0x64, v, 1);
}

static u8 status(void)
{
    return (u8)bench_in(&b, 0x64, 1);
}

/* Reads what comes, as hexadecimal bytes; those of the mouse with an m. */
static const char *bytes(void)
{
    static char text[256];

    text[0] = 0;
    for (unsigned quiet = 0; quiet < 5;) {
        u8 st = status();

        if (st & 1) {
            sprintf(text + strlen(text), "%s%02x%s", *text ? " " : "", bench_in(&b, 0x60, 1), st & 0x20 ? "m" : "");
            quiet = 0;
        } else {
            bench_pass(&b, 1000000);
            quiet++;
        }
    }
    return text;
}

static void controller_commands(void **state)
{
    static const struct { u8 command; const char *answer; } rows[] = {
        { 0xaa, "55" }, { 0xab, "00" }, { 0xa9, "00" }, { 0xc0, "80" }, { 0x20, "03" }, { 0xd0, "03" },
    };

    (void)state;
    for (unsigned i = 0; i < ARRAY_LEN(rows); i++) {
        command(rows[i].command);
        assert_int_equal(status() & 0x09, 0x09); /* output full; the last write was a command */
        assert_string_equal(bytes(), rows[i].answer);
    }
    command(0x60), data(0x47);
    assert_int_equal(status() & 0x0c, 0x04); /* system flag; the last write was data */
    command(0x20);
    assert_string_equal(bytes(), "47");
    command(0x77), data(0x99);
    command(0x37);
    assert_string_equal(bytes(), "99");
    command(0xd2), data(0xa7);
    assert_string_equal(bytes(), "a7");
    command(0xd3), data(0xa8);
    assert_string_equal(bytes(), "a8m");
}

static void keys_translated_and_not(void **state)
{
    static const struct { u8 mode; u16 key; bool down; const char *codes; } rows[] = {
        { 0x41, 0x1e, true, "1e" },           { 0x41, 0x1e, false, "9e" },
        { 0x41, 0xe048, true, "e0 48" },      { 0x41, 0xe048, false, "e0 c8" },
        { 0x41, 0x01, true, "01" },           { 0x41, 0x57, true, "57" },
        { 0x41, 0xe11d, true, "e1 1d 45 e1 9d c5" }, { 0x41, 0xe11d, false, "" },
        { 0x01, 0x1e, true, "1c" },           { 0x01, 0x1e, false, "f0 1c" },
        { 0x01, 0xe048, true, "e0 75" },      { 0x01, 0xe048, false, "e0 f0 75" },
        { 0x01, 0x01, true, "76" },           { 0x01, 0x39, true, "29" },
        { 0x01, 0x1c, true, "5a" },           { 0x01, 0x58, true, "07" },
        { 0x01, 0xe11d, true, "e1 14 77 e1 f0 14 f0 77" },
    };

    (void)state;
    for (unsigned i = 0; i < ARRAY_LEN(rows); i++) {
        command(0x60), data(rows[i].mode);
        i8042_key(&k, rows[i].key, rows[i].down);
        assert_string_equal(bytes(), rows[i].codes);
        if (rows[i].down) {
            i8042_key(&k, rows[i].key, false);
            bytes();
        }
    }
}

/* The keyboard's set 2 and the controller's translation are inverse: every key of set 1 comes out
 * as it went in. */
static void translation_gives_set_1_back(void **state)
{
    (void)state;
    command(0x60), data(0x41);
    for (u16 code = 1; code <= 0x58; code++) {
        char expected[4];

        if (code == 0x55) /* no such key on any keyboard of IBM's */
            continue;
        i8042_key(&k, code, true);
        sprintf(expected, "%02x", code);
        assert_string_equal(bytes(), expected);
        i8042_key(&k, code, false);
        sprintf(expected, "%02x", code | 0x80);
        assert_string_equal(bytes(), expected);
    }
}

static void keyboard_commands(void **state)
{
    static const struct { const char *in, *out; } rows[] = {
        { "\xff", "fa aa" },     { "\xf2", "fa ab 83" }, { "\xee", "ee" },     { "\xed\x07", "fa fa" },
        { "\xf3\x20", "fa fa" }, { "\xf4", "fa" },       { "\xf5", "fa" },     { "\xf6", "fa" },
        { "\x55", "fe" },
    };

    (void)state;
    for (unsigned i = 0; i < ARRAY_LEN(rows); i++) {
        char all[64] = "";

        for (const char *p = rows[i].in; *p; p++) {
            data((u8)*p);
            sprintf(all + strlen(all), "%s%s", *all ? " " : "", bytes());
        }
        assert_string_equal(all, rows[i].out);
    }
    data(0xf0), bytes();
    data(0x00);
    assert_string_equal(bytes(), "fa 02"); /* scan code set 2 */
    data(0xf5), bytes();
    i8042_key(&k, 0x1e, true); /* not scanning */
    assert_string_equal(bytes(), "");
}

static void a_held_key_repeats_after_half_a_second(void **state)
{
    unsigned n = 0;

    (void)state;
    command(0x60), data(0x41);
    i8042_key(&k, 0x1e, true);
    assert_string_equal(bytes(), "1e");
    bench_pass(&b, 480000000);
    assert_string_equal(bytes(), "");
    for (unsigned ms = 0; ms < 1000; ms++) { /* 10.9 a second */
        bench_pass(&b, 1000000);
        n += status() & 1 && bench_in(&b, 0x60, 1) == 0x1e;
    }
    assert_in_range(n, 10, 12);
    i8042_key(&k, 0x1e, false);
    assert_string_equal(bytes(), "9e");
    bench_pass(&b, NS_PER_SEC);
    assert_string_equal(bytes(), "");
}

static void interrupts_follow_the_buffer_and_the_mode(void **state)
{
    (void)state;
    command(0x60), data(0x43);
    i8042_key(&k, 0x1e, true);
    assert_false(b.level[IRQ1]); /* a byte takes its time on the wire */
    bench_pass(&b, 1100000);
    assert_true(b.level[IRQ1]);
    bench_in(&b, 0x60, 1);
    assert_false(b.level[IRQ1]);
    command(0xd4), data(0xf4);
    bench_pass(&b, 1100000);
    assert_true(b.level[IRQ12]);
    assert_false(b.level[IRQ1]);
    bench_in(&b, 0x60, 1);
    command(0x60), data(0x40);
    i8042_key(&k, 0x1e, false);
    bench_pass(&b, 1100000);
    assert_int_equal(status() & 1, 1);
    assert_false(b.level[IRQ1]);
}

static void switched_off_ports_keep_their_bytes(void **state)
{
    (void)state;
    command(0x60), data(0x41);
    command(0xad);
    i8042_key(&k, 0x1e, true);
    assert_string_equal(bytes(), "");
    command(0xae);
    assert_string_equal(bytes(), "1e");
}

static void the_mouse(void **state)
{
    static const struct { u8 in; const char *out; } rows[] = {
        { 0xff, "fam aam 00m" }, { 0xf2, "fam 00m" }, { 0xe9, "fam 00m 02m 64m" }, { 0xe8, "fam" }, { 0x03, "fam" },
        { 0xf3, "fam" },         { 0x28, "fam" },     { 0xe9, "fam 00m 03m 28m" }, { 0x12, "fem" }, { 0xf4, "fam" },
    };
    static const struct { int dx, dy; unsigned buttons; const char *packet; } moves[] = {
        { 5, 3, 0, "08m 05m 03m" },   { -1, 0, 0, "18m ffm 00m" }, { 0, -2, 1, "29m 00m fem" },
        { 0, 0, 2, "0am 00m 00m" },   { 0, 0, 2, "" },             { 0, 0, 4, "0cm 00m 00m" },
        { 300, 0, 0, "08m ffm 00m 08m 2dm 00m" },
    };

    (void)state;
    for (unsigned i = 0; i < ARRAY_LEN(rows); i++) {
        command(0xd4), data(rows[i].in);
        assert_string_equal(bytes(), rows[i].out);
    }
    for (unsigned i = 0; i < ARRAY_LEN(moves); i++) {
        i8042_mouse(&k, moves[i].dx, moves[i].dy, 0, moves[i].buttons);
        assert_string_equal(bytes(), moves[i].packet);
    }
    command(0xd4), data(0xf5), bytes();
    i8042_mouse(&k, 1, 1, 0, 0);
    i8042_mouse(&k, INT32_MAX, INT32_MIN, 0, 0); /* a sanitizer looks */
    assert_string_equal(bytes(), "");
}

/* Microsoft IntelliMouse: 200, 100, 80 bring the wheel, 200, 200, 80 five buttons, a reset takes
 * them away. The wheel's steps are in the fourth byte: positive towards the user. */
static void the_wheel(void **state)
{
    static const struct { u8 rates[3]; const char *id; int dz; unsigned buttons; const char *packet; } rows[] = {
        { { 200, 80, 100 }, "fam 00m", 1, 0x11, "09m 00m 00m" },
        { { 200, 100, 80 }, "fam 03m", -1, 0x12, "0am 00m 00m ffm" },
        { { 200, 200, 80 }, "fam 04m", -1, 0x12, "0am 00m 00m 2fm" },
        { { 200, 200, 80 }, "fam 04m", 2, 0x08, "08m 00m 00m 12m" },
    };

    (void)state;
    for (unsigned i = 0; i < ARRAY_LEN(rows); i++) {
        command(0xd4), data(0xff), bytes();
        for (unsigned n = 0; n < 3; n++) {
            command(0xd4), data(0xf3), bytes();
            command(0xd4), data(rows[i].rates[n]), bytes();
        }
        command(0xd4), data(0xf2);
        assert_string_equal(bytes(), rows[i].id);
        command(0xd4), data(0xf4), bytes();
        i8042_mouse(&k, 0, 0, rows[i].dz, rows[i].buttons);
        assert_string_equal(bytes(), rows[i].packet);
    }
    command(0xd4), data(0xff), bytes();
    command(0xd4), data(0xf2);
    assert_string_equal(bytes(), "fam 00m");
}

static void a20_and_reset(void **state)
{
    (void)state;
    bench_out(&b, 0x92, 0x00, 1);
    assert_false(b.level[A20]);
    assert_int_equal(bench_in(&b, 0x92, 1) & 2, 0);
    command(0xd1), data(0xdf);
    assert_true(b.level[A20]);
    command(0xdd);
    assert_false(b.level[A20]);
    command(0xdf);
    assert_true(b.level[A20]);
    command(0xd1), data(0xdd);
    assert_false(b.level[A20]);
    bench_out(&b, 0x92, 0x02, 1);
    assert_true(b.level[A20]);
    assert_int_equal(b.nr_power, 0);
    command(0xff); /* pulses nothing */
    assert_int_equal(b.nr_power, 0);
    command(0xfe);
    assert_int_equal(b.nr_power, 1);
    assert_int_equal(b.power, POWER_RESET);
    bench_out(&b, 0x92, 0x03, 1);
    assert_int_equal(b.nr_power, 2);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(controller_commands), TEST(keys_translated_and_not), TEST(translation_gives_set_1_back),
        TEST(keyboard_commands),
        TEST(a_held_key_repeats_after_half_a_second), TEST(interrupts_follow_the_buffer_and_the_mode),
        TEST(switched_off_ports_keep_their_bytes), TEST(the_mouse), TEST(the_wheel), TEST(a20_and_reset),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
