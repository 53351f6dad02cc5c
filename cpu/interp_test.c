/*
 * An engine alone, without a machine: a processor, RAM, and a few bytes of code.
 * What instructions compute is judged by the host CPU in tests/native; here are the engine's own
 * promises: exact stops, time of string instructions, self-modifying code, swapping of engines.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include "core/bus.h"
#include "core/clock.h"
#include "core/log.h"
#include "core/mem_view.h"
#include "core/trace.h"
#include "cpu/cpu.h"
#include "cpu/rig_engine.h"
#include "mmu/mmu.h"
#include <stdlib.h>

struct rig {
    struct cpu c;
    struct clock clk;
    struct log log;
    struct trace trace;
    struct bus io, mem;
    struct mem_view view;
    const struct engine *engine;
    void *e;
};

static void code_written(void *sink, u64 off, u64 len)
{
    struct rig *r = sink;

    r->engine->code_changed(r->e, off, len);
}

static struct rig *rig_create(const void *code, size_t len)
{
    struct rig *r = calloc(1, sizeof(*r));
    struct cpu_config cfg = { .view = &r->view, .io = &r->io, .clk = &r->clk, .log = &r->log,
                              .features = ~0ull };

    clock_init(&r->clk);
    log_init(&r->log, stderr, 0);
    trace_init(&r->trace, stderr, &r->clk);
    bus_init(&r->io, "io", 0x10000, 1000, &r->clk, &r->log, &r->trace);
    bus_init(&r->mem, "mem", 0, 200, &r->clk, &r->log, &r->trace);
    assert_int_equal(mem_view_init(&r->view, 1 << 20, &r->mem, &r->trace), 0);
    mem_view_add(&r->view, (struct mem_overlay){ "ram", 0, 1 << 20, 0, 0, 0, true });
    r->view.sink = r;
    r->view.code_written = code_written;
    r->engine = rig_engine(&cfg);
    assert_int_equal(cpu_init(&r->c, &cfg), 0);
    r->e = r->engine->create(&r->c);
    r->c.seg[CS].sel = 0;
    r->c.seg[CS].base = 0;
    r->c.rip = 0x1000;
    r->c.gpr[RSP] = 0x8000;
    memcpy(r->view.backing + 0x1000, code, len);
    return r;
}

static void rig_destroy(struct rig *r)
{
    r->engine->destroy(r->e);
    cpu_fini(&r->c);
    mem_view_fini(&r->view);
    bus_fini(&r->io);
    bus_fini(&r->mem);
    clock_fini(&r->clk);
    log_fini(&r->log);
    free(r);
}

static enum stop_reason run_to(struct rig *r, u64 ticks)
{
    clock_open_slice(&r->clk, ticks);
    return r->engine->run(r->e);
}

static void stops_at_the_exact_tick(void **state)
{
    static const u8 code[] = { 0x40, 0x40, 0x40, 0xeb, 0xfb }; /* inc ax x 3; jmp back */
    struct rig *r = rig_create(code, sizeof(code));

    (void)state;
    assert_int_equal(run_to(r, 6), STOP_SLICE);
    assert_int_equal(clock_ticks(&r->clk), 6);
    assert_int_equal(r->c.gpr[RAX], 5);
    assert_int_equal(r->c.rip, 0x1002);
    assert_int_equal(run_to(r, 1000006), STOP_SLICE);
    assert_int_equal(clock_icount(&r->clk), 1000006);
    rig_destroy(r);
}

static void rep_stosb_takes_one_tick_per_line(void **state)
{
    static const u8 code[] = { 0xf3, 0xaa, 0xf4 }; /* rep stosb; hlt */
    struct rig *r = rig_create(code, sizeof(code));

    (void)state;
    r->c.gpr[RDI] = 0x2000;
    r->c.gpr[RCX] = 0x1000;
    r->c.gpr[RAX] = 0x5a;
    /* 64 lines: stopped after 10 of them, at the instruction, with the registers there */
    assert_int_equal(run_to(r, 10), STOP_SLICE);
    assert_int_equal(r->c.rip, 0x1000);
    assert_int_equal(r->c.gpr[RDI], 0x2000 + 640);
    assert_int_equal(r->c.gpr[RCX], 0x1000 - 640);
    assert_int_equal(clock_icount(&r->clk), 0);
    assert_int_equal(run_to(r, 1000), STOP_HALT);
    assert_int_equal(clock_ticks(&r->clk), 65);
    assert_int_equal(clock_icount(&r->clk), 2);
    assert_int_equal(r->view.backing[0x2fff], 0x5a);
    rig_destroy(r);
}

static void a_store_into_the_next_instruction_takes_effect(void **state)
{
    /* mov byte [0x1005], 0x48 (dec ax); inc ax -> dec ax; hlt */
    static const u8 code[] = { 0xc6, 0x06, 0x05, 0x10, 0x48, 0x40, 0xf4 };
    struct rig *r = rig_create(code, sizeof(code));

    (void)state;
    r->c.gpr[RAX] = 7;
    assert_int_equal(run_to(r, 100), STOP_HALT);
    assert_int_equal(r->c.gpr[RAX], 6);
    rig_destroy(r);
}

static void engines_can_be_swapped_between_slices(void **state)
{
    static const u8 code[] = { 0x40, 0x01, 0xc3, 0xeb, 0xfb }; /* inc ax; add bx, ax; jmp */
    struct rig *one = rig_create(code, sizeof(code)), *two = rig_create(code, sizeof(code));

    (void)state;
    assert_int_equal(run_to(one, 50000), STOP_SLICE);
    for (u64 t = 77; t < 50000; t += 977) {
        assert_int_equal(run_to(two, t), STOP_SLICE);
        two->engine->sync(two->e);
        two->engine->destroy(two->e);
        two->e = two->engine->create(&two->c);
    }
    assert_int_equal(run_to(two, 50000), STOP_SLICE);
    one->engine->sync(one->e);
    two->engine->sync(two->e);
    assert_memory_equal(one->c.gpr, two->c.gpr, sizeof(one->c.gpr));
    assert_int_equal(one->c.rip, two->c.rip);
    assert_int_equal(one->c.eflags, two->c.eflags);
    rig_destroy(one);
    rig_destroy(two);
}

static void a_fault_without_a_handler_is_a_triple_fault(void **state)
{
    static const u8 code[] = { 0x0f, 0x0b }; /* ud2 */
    struct rig *r = rig_create(code, sizeof(code));

    (void)state;
    r->c.idtr.limit = 0;
    assert_int_equal(run_to(r, 100), STOP_TRIPLE);
    assert_int_equal(r->c.rip, 0x1000);
    assert_true(r->c.nr_events >= 3);
    assert_int_equal(r->c.events[0].vector, EXC_UD);
    rig_destroy(r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(stops_at_the_exact_tick),
        cmocka_unit_test(rep_stosb_takes_one_tick_per_line),
        cmocka_unit_test(a_store_into_the_next_instruction_takes_effect),
        cmocka_unit_test(engines_can_be_swapped_between_slices),
        cmocka_unit_test(a_fault_without_a_handler_is_a_triple_fault),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
