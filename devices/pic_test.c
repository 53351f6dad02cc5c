/* 8259A pair, expected values from Intel 231468; ELCR from Intel 290550. */
#include "devices/pic.h"
#include "devices/test_bench.h"
#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static struct bench b;
static struct pic_pair pic;

static void out(u16 port, u8 v)
{
    bench_out(&b, port, v, 1);
}

static u8 in(u16 port)
{
    return (u8)bench_in(&b, port, 1);
}

/* As a PC does: vectors 08h and 70h, cascade on input 2, icw4. */
static void init_pair(u8 icw4)
{
    out(0x20, 0x11), out(0x21, 0x08), out(0x21, 0x04), out(0x21, icw4);
    out(0xa0, 0x11), out(0xa1, 0x70), out(0xa1, 0x02), out(0xa1, icw4);
    out(0x21, 0), out(0xa1, 0);
}

static int setup(void **state)
{
    (void)state;
    bench_init(&b);
    memset(&pic, 0, sizeof(pic));
    bench_attach(&b, &pic.dev, &pic_class, &(struct pic_cfg){ .intr = bench_wire(&b, 0) });
    init_pair(0x01);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    bench_fini(&b);
    return 0;
}

static void pulse(unsigned irq)
{
    pic_set_irq(&pic, irq, true);
}

static void raise_many(const char *irqs)
{
    for (; *irqs; irqs++) {
        unsigned n = *irqs <= '9' ? (unsigned)(*irqs - '0') : (unsigned)(*irqs - 'a' + 10);
        pic_set_irq(&pic, n, false);
        pic_set_irq(&pic, n, true);
    }
}

static u8 isr(u16 port)
{
    out(port, 0x0b);
    return in(port);
}

static u8 irr(u16 port)
{
    out(port, 0x0a);
    return in(port);
}

static void vectors_come_by_priority(void **state)
{
    (void)state;
    raise_many("74103e8");
    assert_int_equal(irr(0x20), 0x9f); /* 2: the slave */
    assert_int_equal(irr(0xa0), 0x41);
    assert_int_equal(pic_ack(&pic), 0x08);
    assert_false(b.level[0]);          /* nothing higher than what is in service */
    out(0x20, 0x20);
    assert_true(b.level[0]);
    assert_int_equal(pic_ack(&pic), 0x09);
    out(0x20, 0x20);
    assert_int_equal(pic_ack(&pic), 0x70);
    assert_int_equal(isr(0xa0), 0x01);
    assert_int_equal(isr(0x20), 0x04);
    out(0xa0, 0x20), out(0x20, 0x20);
    assert_int_equal(pic_ack(&pic), 0x76);
    out(0xa0, 0x20), out(0x20, 0x20);
    assert_int_equal(pic_ack(&pic), 0x0b);
    out(0x20, 0x63); /* specific end of 3 */
    assert_int_equal(pic_ack(&pic), 0x0c);
    raise_many("1"); /* a higher one interrupts the service */
    assert_true(b.level[0]);
    assert_int_equal(pic_ack(&pic), 0x09);
    assert_int_equal(isr(0x20), 0x12);
}

static void a_request_that_goes_away_is_spurious(void **state)
{
    (void)state;
    pic_set_irq(&pic, 3, true);
    pic_set_irq(&pic, 3, false);
    assert_int_equal(pic_ack(&pic), 0x0f); /* input 7 */
    assert_int_equal(isr(0x20), 0);        /* and its in-service bit is not set */
    out(0x21, 0xfb);                       /* only the cascade */
    pic_set_irq(&pic, 9, true);
    out(0xa1, 0xff);                       /* masked between request and acknowledge */
    assert_false(b.level[0]);
}

static void the_mask_holds_requests_back(void **state)
{
    (void)state;
    out(0x21, 0x02);
    raise_many("1");
    assert_false(b.level[0]);
    assert_int_equal(irr(0x20), 0x02);
    assert_int_equal(in(0x21), 0x02);
    out(0x21, 0x00);
    assert_true(b.level[0]);
}

static void edges_once_levels_while_they_last(void **state)
{
    (void)state;
    pulse(5);
    assert_int_equal(pic_ack(&pic), 0x0d);
    out(0x20, 0x20);
    assert_false(b.level[0]); /* still high, but no new edge */
    out(0x4d0, 0xff);
    assert_int_equal(in(0x4d0), 0xf8); /* 0, 1 and 2 are edge-triggered for good */
    out(0x4d1, 0xff);
    assert_int_equal(in(0x4d1), 0xde); /* and 8 and 13 */
    assert_int_equal(pic_ack(&pic), 0x0d); /* level: the input as it stands */
    out(0x20, 0x20);
    assert_true(b.level[0]);
    pic_set_irq(&pic, 5, false);
    assert_false(b.level[0]);
}

static void sources_of_one_input_are_ored(void **state)
{
    (void)state;
    out(0x4d1, 0x02);
    pic_set_irq(&pic, PIC_SCI + 9, true);
    pic_set_irq(&pic, PIC_PIRQ + 9, true);
    pic_set_irq(&pic, PIC_SCI + 9, false);
    assert_true(b.level[0]);
    pic_set_irq(&pic, PIC_PIRQ + 9, false);
    assert_false(b.level[0]);
}

static void rotation(void **state)
{
    (void)state;
    raise_many("03");
    assert_int_equal(pic_ack(&pic), 0x08);
    out(0x20, 0xa0); /* rotate on non-specific end: 0 becomes the lowest */
    raise_many("0");
    assert_int_equal(pic_ack(&pic), 0x0b);
    out(0x20, 0x20);
    assert_int_equal(pic_ack(&pic), 0x08);
    out(0x20, 0x20);
    out(0x20, 0xc4); /* set priority: 4 is the lowest, 5 the highest */
    raise_many("056");
    assert_int_equal(pic_ack(&pic), 0x0d);
    out(0x20, 0x65);
    assert_int_equal(pic_ack(&pic), 0x0e);
    out(0x20, 0xe6); /* rotate on specific end: 6 is the lowest */
    assert_int_equal(isr(0x20), 0);
    assert_int_equal(pic_ack(&pic), 0x08);
}

static void automatic_end(void **state)
{
    (void)state;
    init_pair(0x03);
    raise_many("1");
    assert_int_equal(pic_ack(&pic), 0x09);
    assert_int_equal(isr(0x20), 0);
    raise_many("1");
    assert_true(b.level[0]);
}

static void poll_acknowledges(void **state)
{
    (void)state;
    out(0x20, 0x0c);
    assert_int_equal(in(0x20), 0x00);
    raise_many("6");
    out(0x20, 0x0c);
    assert_int_equal(in(0x20), 0x86);
    assert_int_equal(isr(0x20), 0x40);
}

static void special_mask_mode_lets_lower_ones_through(void **state)
{
    (void)state;
    raise_many("1");
    pic_ack(&pic);
    raise_many("4");
    assert_false(b.level[0]);
    out(0x21, 0x02);
    assert_false(b.level[0]);
    out(0x20, 0x68);
    assert_true(b.level[0]);
    assert_int_equal(pic_ack(&pic), 0x0c);
    out(0x20, 0x48);
    assert_int_equal(isr(0x20), 0x12);
}

static void special_fully_nested_mode(void **state)
{
    (void)state;
    init_pair(0x11);
    raise_many("b");
    assert_int_equal(pic_ack(&pic), 0x73);
    raise_many("9"); /* higher, of the same slave */
    assert_true(b.level[0]);
    assert_int_equal(pic_ack(&pic), 0x71);
    raise_many("c");
    assert_false(b.level[0]);
}

static void initialisation_clears(void **state)
{
    (void)state;
    raise_many("1");
    out(0x21, 0xff);
    out(0x20, 0x11); /* ICW1 clears mask and requests; a new edge is needed */
    out(0x21, 0x20), out(0x21, 0x04), out(0x21, 0x01);
    assert_int_equal(in(0x21), 0);
    assert_int_equal(irr(0x20), 0);
    raise_many("1");
    assert_int_equal(pic_ack(&pic), 0x21);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(vectors_come_by_priority), TEST(a_request_that_goes_away_is_spurious), TEST(the_mask_holds_requests_back),
        TEST(edges_once_levels_while_they_last), TEST(sources_of_one_input_are_ored), TEST(rotation),
        TEST(automatic_end), TEST(poll_acknowledges), TEST(special_mask_mode_lets_lower_ones_through),
        TEST(special_fully_nested_mode), TEST(initialisation_clears),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
