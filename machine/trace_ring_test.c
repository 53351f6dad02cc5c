/*
 * The ring of --last: what it writes is what was given last, in the words of the ordinary trace,
 * wherever its pieces begin and end; and it stays within its memory.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include "machine/trace_ring.h"
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

struct rig {
    char path[32], err[200];
    struct disasm *disasm;
    struct symbols *symbols;
    struct trace_output *out;
    struct trace_text *text;
};

static struct rig start(void)
{
    struct rig r = {.path = "/tmp/kiln_ring_XXXXXX"};
    int fd = mkstemp(r.path);

    assert_true(fd >= 0);
    close(fd);
    r.disasm = disasm_create();
    r.symbols = symbols_load(NULL, 0, r.err, sizeof(r.err));
    r.out = trace_output_open(r.path, r.err, sizeof(r.err));
    r.text = malloc(sizeof(*r.text));
    trace_text_init(r.text, r.disasm, r.symbols, false, r.out);
    return r;
}

/* What was written, to be freed. */
static char *stop(struct rig *r)
{
    FILE *f;
    char *text = NULL;
    size_t cap = 0;

    trace_line_flush(&r->text->line);
    assert_int_equal(r->text->line.error, 0);
    assert_int_equal(trace_output_close(r->out), 0);
    disasm_destroy(r->disasm);
    symbols_free(r->symbols);
    free(r->text);
    f = fopen(r->path, "r");
    assert_non_null(f);
    if (getdelim(&text, &cap, 0, f) < 0) {
        free(text);
        text = calloc(1, 1);
    }
    fclose(f);
    unlink(r->path);
    return text;
}

/* Records of every kind and length: the n-th of a run. */
static struct trace_head make_head(u64 n)
{
    struct trace_head h = {.kind = n % 7 == 3    ? TRACE_EVENT
                                   : n % 11 == 5 ? TRACE_NOTE
                                                 : TRACE_INSN,
                           .mode = MODE_CODE32 | MODE_PE,
                           .cs = 8,
                           .count = n,
                           .rip = 0x1000 + n,
                           .lin = 0x1000 + n,
                           .note = "#RESET",
                           .valid = true,
                           .nr_bytes = 1,
                           .bytes = {0x90}};
    return h;
}

static const struct event_record event = {.vector = EXC_GP, .has_error = 1, .during = DELIVER_NONE};

static unsigned nr_items(u64 n)
{
    return n % 11 == 5 ? 0 : (unsigned)(n * n % 5);
}

static struct trace_item make_item(u64 n, unsigned i)
{
    return (struct trace_item){
        .kind = i % 2 ? TRACE_WRITE : TRACE_REG, .size = 4, .digits = 8, .lin = n, .value = i};
}

static void write_directly(struct rig *r, u64 from, u64 to)
{
    for (u64 n = from; n < to; n++) {
        struct trace_head h = make_head(n);

        trace_text_head(r->text, &h, h.kind == TRACE_EVENT ? &event : NULL);
        for (unsigned i = 0; i < nr_items(n); i++) {
            struct trace_item item = make_item(n, i);
            trace_text_item(r->text, &item);
        }
        trace_text_end(r->text);
    }
}

static void put_records(struct trace_ring *ring, u64 from, u64 to)
{
    for (u64 n = from; n < to; n++) {
        struct trace_head h = make_head(n);

        trace_ring_head(ring, &h, h.kind == TRACE_EVENT ? &event : NULL);
        for (unsigned i = 0; i < nr_items(n); i++) {
            struct trace_item item = make_item(n, i);
            trace_ring_item(ring, &item);
        }
    }
}

static void it_writes_the_last_of_what_it_was_given(void **state)
{
    static const u64 wanted[] = {1, 2, 499, 500, 1000, 5000}, given[] = {0, 1, 500, 3000, 10000};

    (void)state;
    for (unsigned w = 0; w < ARRAY_LEN(wanted); w++)
        for (unsigned g = 0; g < ARRAY_LEN(given); g++) {
            struct trace_ring *ring = trace_ring_create(wanted[w]);
            struct rig a = start(), b = start();
            char *expected, *text;
            u64 first = given[g] > wanted[w] ? given[g] - wanted[w] : 0;

            put_records(ring, 0, given[g]);
            assert_int_equal(trace_ring_write(ring, a.text), 0);
            write_directly(&b, first, given[g]);
            /* It is empty now, and goes on. */
            put_records(ring, given[g], given[g] + 1);
            assert_int_equal(trace_ring_write(ring, a.text), 0);
            write_directly(&b, given[g], given[g] + 1);
            text = stop(&a);
            expected = stop(&b);
            assert_string_equal(text, expected);
            free(text);
            free(expected);
            trace_ring_destroy(ring);
        }
}

enum { MILLION = 1 << 20 };

static void put_large(struct trace_ring *ring, u64 n, unsigned items)
{
    struct trace_head h = make_head(0);

    h.count = n;
    trace_ring_head(ring, &h, NULL);
    for (unsigned i = 0; i < items; i++)
        trace_ring_item(ring, &(struct trace_item){.kind = TRACE_READ, .size = 1, .digits = 8});
}

static void items_beyond_a_million_are_counted(void **state)
{
    struct trace_ring *ring = trace_ring_create(10);
    struct rig r = start();
    char *text, *more;

    (void)state;
    put_large(ring, 1, MILLION + 12);
    put_large(ring, 2, 1);
    put_large(ring, 3, MILLION + 34);
    assert_int_equal(trace_ring_write(ring, r.text), 0);
    text = stop(&r);
    more = strstr(text, "more=");
    assert_non_null(more);
    assert_memory_equal(more, "more=12\n", 8);
    more = strstr(more + 1, "more=");
    assert_non_null(more);
    assert_string_equal(more, "more=34\n");
    free(text);
    trace_ring_destroy(ring);
}

/* 64 MiB hold two such records, and a third in part. */
static void records_that_need_too_much_memory_are_missing(void **state)
{
    struct trace_ring *ring = trace_ring_create(10);
    struct rig r = start();
    char *text;

    (void)state;
    for (u64 n = 1; n <= 9; n++)
        put_large(ring, n, MILLION);
    assert_int_equal(trace_ring_write(ring, r.text), 7);
    text = stop(&r);
    assert_memory_equal(text, "           8 ", 13);
    free(text);
    trace_ring_destroy(ring);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_writes_the_last_of_what_it_was_given),
        cmocka_unit_test(items_beyond_a_million_are_counted),
        cmocka_unit_test(records_that_need_too_much_memory_are_missing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
