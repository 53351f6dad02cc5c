/*
 * The framing of gdb's protocol. Examples are from gdb's manual, appendix E.1.
 */
#include "host/gdb_packets.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

static struct gdb_packets in;
static struct gdb_reply out;

static enum gdb_input feed(const char *text, size_t len)
{
    enum gdb_input what;

    in = (struct gdb_packets){0};
    assert_int_equal(gdb_packets_feed(&in, (const u8 *)text, len, &what), len);
    return what;
}

static void whole_packets(void **state)
{
    (void)state;
    assert_int_equal(feed("$g#67", 5), GDB_PACKET);
    assert_string_equal(in.data, "g");
    assert_int_equal(feed("+$m0,4#FD", 9), GDB_PACKET);
    assert_string_equal(in.data, "m0,4");
    assert_int_equal(feed("$g#68", 5), GDB_BAD);
    assert_int_equal(feed("$g#6", 4), GDB_NOTHING);
    assert_int_equal(feed("$g#zz", 5), GDB_BAD);
    assert_int_equal(feed("-", 1), GDB_NACK);
    assert_int_equal(feed("\x03", 1), GDB_INTERRUPT);
    assert_int_equal(feed("$abc$g#67", 9), GDB_PACKET); /* the first one lost its end */
    assert_string_equal(in.data, "g");
}

static void escapes(void **state)
{
    (void)state;
    /* "}" stands before a byte with its bit 5 flipped */
    assert_int_equal(feed("$X}\x03}\x04}]#33", 11), GDB_PACKET);
    assert_int_equal(in.len, 4);
    assert_memory_equal(in.data, "X#$}", 4);
    gdb_reply_start(&out);
    gdb_reply_binary(&out, "a#$}*\0", 6);
    gdb_reply_finish(&out);
    assert_memory_equal(out.data, "$a}\x03}\x04}]}\x0a\0#", 12);
}

static void too_long(void **state)
{
    char *text = malloc(GDB_PACKET_MAX + 100);
    unsigned sum = 0;

    (void)state;
    text[0] = '$';
    memset(text + 1, 'a', GDB_PACKET_MAX + 1);
    for (unsigned i = 0; i <= GDB_PACKET_MAX; i++)
        sum += 'a';
    sprintf(text + GDB_PACKET_MAX + 2, "#%02x", sum & 255);
    assert_int_equal(feed(text, GDB_PACKET_MAX + 5), GDB_BAD);
    sprintf(text + GDB_PACKET_MAX + 1, "#%02x", (sum - 'a') & 255);
    assert_int_equal(feed(text, GDB_PACKET_MAX + 4), GDB_PACKET);
    assert_int_equal(in.len, GDB_PACKET_MAX);
    free(text);
}

static void replies(void **state)
{
    (void)state;
    gdb_reply_start(&out);
    gdb_reply_text(&out, "OK");
    gdb_reply_finish(&out);
    assert_int_equal(out.len, 6);
    assert_memory_equal(out.data, "$OK#9a", 6);
    gdb_reply_start(&out);
    gdb_reply_hex(&out, "\x12\xab", 2);
    gdb_reply_finish(&out);
    assert_memory_equal(out.data, "$12ab#26", 8);
    gdb_reply_start(&out);
    for (unsigned i = 0; i < GDB_PACKET_MAX; i++)
        gdb_reply_hex(&out, "\xff\xff", 2);
    assert_true(out.full);
    gdb_reply_finish(&out);
    assert_true(out.len < sizeof(out.data));
}

static void numbers(void **state)
{
    const char *p = "1234,ffffffffffffffff:zz";
    u64 v;
    u8 b[2];

    (void)state;
    assert_true(gdb_take_number(&p, &v));
    assert_int_equal(v, 0x1234);
    assert_true(gdb_take(&p, ','));
    assert_true(gdb_take_number(&p, &v));
    assert_int_equal(v, ~0ull);
    assert_false(gdb_take_number(&p, &v));
    p = "10000000000000000";
    assert_false(gdb_take_number(&p, &v)); /* 17 digits */
    p = "12a";
    assert_false(gdb_take_bytes(&p, b, 2));
    p = "12aB";
    assert_true(gdb_take_bytes(&p, b, 2));
    assert_int_equal(b[1], 0xab);
}

/* Random bytes, with the protocol's own among them: no packet is longer than it may be, and every
 * byte is taken. */
static void noise(void **state)
{
    static const u8 likely[] = {'$', '#', '}', '+', '-', 3, '0', '6', '7', 'g', 'm', ','};
    u8 bytes[512];
    unsigned packets = 0;

    (void)state;
    srand(1);
    in = (struct gdb_packets){0};
    for (unsigned round = 0; round < 20000; round++) {
        size_t len = (size_t)rand() % sizeof(bytes), at = 0;

        for (size_t i = 0; i < len; i++)
            bytes[i] = rand() % 3 ? likely[(size_t)rand() % sizeof(likely)] : (u8)rand();
        while (at < len) {
            enum gdb_input what;
            size_t n = gdb_packets_feed(&in, bytes + at, len - at, &what);

            assert_true(n > 0 && n <= len - at);
            at += n;
            if (what == GDB_PACKET) {
                packets++;
                assert_true(in.len <= GDB_PACKET_MAX && in.data[in.len] == 0);
            }
        }
    }
    assert_true(packets > 10);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(whole_packets), cmocka_unit_test(escapes), cmocka_unit_test(too_long),
        cmocka_unit_test(replies),       cmocka_unit_test(numbers), cmocka_unit_test(noise),
    };

    return cmocka_run_group_tests_name("gdb_packets", tests, NULL, NULL);
}
