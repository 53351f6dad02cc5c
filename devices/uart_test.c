/* 16550A, expected values from the National Semiconductor PC16550D data sheet, tables I to IV. */
#include "devices/test_bench.h"
#include "devices/uart.h"
#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

enum { RBR, IER, IIR, LCR, MCR, LSR, MSR, SCR, FCR = IIR };
static struct bench b;
static struct uart uart;
static char sent[256];

static void put(void *h, u8 byte)
{
    size_t n = strlen(sent);

    (void)h;
    sent[n] = (char)byte;
    sent[n + 1] = 0;
}

static struct chardev out_dev = { put, NULL };

static u8 in(unsigned reg)
{
    return (u8)bench_in(&b, (u16)(0x3f8 + reg), 1);
}

static void out(unsigned reg, u8 v)
{
    bench_out(&b, (u16)(0x3f8 + reg), v, 1);
}

static void rate(u16 divisor, u8 lcr)
{
    out(LCR, 0x80), out(0, (u8)divisor), out(1, divisor >> 8), out(LCR, lcr);
}

static int setup(void **state)
{
    (void)state;
    bench_init(&b);
    memset(&uart, 0, sizeof(uart));
    sent[0] = 0;
    bench_attach(&b, &uart.dev, &uart_class, &(struct uart_cfg){ .base = 0x3f8, .irq = bench_wire(&b, 4), .out = &out_dev });
    rate(12, 0x03); /* 9600 8N1 */
    out(MCR, 0x0b);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    dev_fini(&uart.dev);
    bench_fini(&b);
    return 0;
}

static void registers_after_reset(void **state)
{
    static const struct { u8 reg, value; } rows[] = {
        { IER, 0 }, { IIR, 1 }, { LCR, 0 }, { MCR, 0 }, { LSR, 0x60 }, { MSR, 0xb0 },
    };

    (void)state;
    dev_reset(&uart.dev, RESET_HARD);
    for (unsigned i = 0; i < ARRAY_LEN(rows); i++)
        assert_int_equal(in(rows[i].reg), rows[i].value);
    out(SCR, 0x5a);
    assert_int_equal(in(SCR), 0x5a);
    out(IER, 0xff);
    assert_int_equal(in(IER), 0x0f);
    out(MCR, 0xff);
    assert_int_equal(in(MCR), 0x1f);
    rate(0x1234, 0x83);
    assert_int_equal(in(0), 0x34);
    assert_int_equal(in(1), 0x12);
}

static void a_character_takes_its_bits(void **state)
{
    static const struct { u16 divisor; u8 lcr; unsigned ns; } rows[] = {
        { 12, 0x03, 1041666 }, /* 9600 8N1: 10 bits */
        { 1, 0x03, 86805 },    /* 115200 */
        { 12, 0x1f, 1250000 }, /* 8E2: 12 bits */
        { 96, 0x00, 5833333 }, /* 1200 5N1: 7 bits */
    };

    (void)state;
    for (unsigned i = 0; i < ARRAY_LEN(rows); i++) {
        rate(rows[i].divisor, rows[i].lcr);
        out(0, 'x');
        bench_pass(&b, rows[i].ns - 5000);
        assert_int_equal(in(LSR) & 0x40, 0);
        bench_pass(&b, 5000);
        assert_int_equal(in(LSR) & 0x60, 0x60);
    }
    assert_string_equal(sent, "xxxx");
}

static void the_holding_register_frees_itself_first(void **state)
{
    (void)state;
    out(0, 'a');
    assert_int_equal(in(LSR) & 0x60, 0x20); /* in the shift register: room for one more */
    out(0, 'b');
    assert_int_equal(in(LSR) & 0x60, 0);
    bench_pass(&b, 1050000);
    assert_int_equal(in(LSR) & 0x60, 0x20);
    bench_pass(&b, 1050000);
    assert_int_equal(in(LSR) & 0x60, 0x60);
    assert_string_equal(sent, "ab");
}

static void transmitter_interrupt(void **state)
{
    (void)state;
    out(IER, 2); /* enabling it while empty raises it */
    assert_true(b.level[4]);
    assert_int_equal(in(IIR), 2);
    assert_int_equal(in(IIR), 1); /* reading it was the acknowledgement */
    assert_false(b.level[4]);
    out(0, 'a'), out(0, 'b');
    bench_pass(&b, 1050000);
    assert_int_equal(in(IIR), 2);
    out(MCR, 0x03); /* OUT2 gates the line on a PC */
    out(IER, 0), out(IER, 2);
    assert_false(b.level[4]);
}

static void receiver_without_fifo(void **state)
{
    (void)state;
    out(IER, 5);
    uart_receive(&uart, 'q');
    assert_true(b.level[4]);
    assert_false(uart_can_receive(&uart));
    assert_int_equal(in(LSR), 0x61);
    uart_receive(&uart, 'r'); /* overrun: the first is lost */
    assert_int_equal(in(IIR), 6);
    assert_int_equal(in(LSR), 0x63);
    assert_int_equal(in(LSR), 0x61); /* reading clears the error */
    assert_int_equal(in(IIR), 4);
    assert_int_equal(in(RBR), 'r');
    assert_int_equal(in(IIR), 1);
    assert_int_equal(in(LSR), 0x60);
}

static void fifo_triggers_and_timeout(void **state)
{
    static const struct { u8 fcr; unsigned level; } rows[] = { { 0x01, 1 }, { 0x41, 4 }, { 0x81, 8 }, { 0xc1, 14 } };

    (void)state;
    out(IER, 1);
    for (unsigned i = 0; i < ARRAY_LEN(rows); i++) {
        out(FCR, rows[i].fcr | 6);
        for (unsigned n = 1; n <= 16; n++) {
            uart_receive(&uart, (u8)n);
            assert_int_equal(in(IIR), n >= rows[i].level ? 0xc4 : 0xc1);
        }
        uart_receive(&uart, 99); /* overrun: the FIFO keeps what it has */
        assert_int_equal(in(LSR) & 2, 2);
        for (unsigned n = 1; n <= 16; n++)
            assert_int_equal(in(RBR), n);
        assert_int_equal(in(LSR) & 1, 0);
    }
    uart_receive(&uart, 'z');
    bench_pass(&b, 4 * 1041666 - 10000); /* four characters' time */
    assert_int_equal(in(IIR), 0xc1);
    bench_pass(&b, 10000);
    assert_int_equal(in(IIR), 0xcc);
    assert_int_equal(in(RBR), 'z');
    assert_int_equal(in(IIR), 0xc1);
    out(FCR, 0);
    assert_int_equal(in(IIR), 1);
}

static void loopback(void **state)
{
    (void)state;
    out(MCR, 0x1a); /* loop, OUT2, RTS */
    assert_int_equal(in(MSR) & 0xf0, 0x90); /* DCD, CTS */
    out(MCR, 0x15); /* OUT1, DTR */
    assert_int_equal(in(MSR) >> 4, 0x6);
    out(0, 'L');
    bench_pass(&b, 1050000);
    assert_int_equal(in(RBR), 'L');
    assert_string_equal(sent, "");
    uart_receive(&uart, 'x');
    assert_int_equal(in(LSR) & 1, 0);
    in(MSR);
    out(IER, 8);
    out(MCR, 0x1f); /* RTS and OUT2 rise: delta CTS, delta DCD */
    assert_int_equal(in(IIR), 0);
    assert_int_equal(in(MSR), 0xf9);
    assert_int_equal(in(MSR), 0xf0);
    out(MCR, 0x1b); /* OUT1 falls: trailing edge of RI */
    assert_int_equal(in(MSR), 0xb4);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(registers_after_reset), TEST(a_character_takes_its_bits), TEST(the_holding_register_frees_itself_first),
        TEST(transmitter_interrupt), TEST(receiver_without_fifo), TEST(fifo_triggers_and_timeout), TEST(loopback),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
