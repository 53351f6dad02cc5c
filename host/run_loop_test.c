/*
 * The run loop around a fake machine: exit statuses, limits, keys and screenshots at exact points
 * of virtual time, and that what a script sees does not depend on the host's speed.
 */
#include "host/console.h"
#include "host/fake_machine.h"
#include "host/host_clock.h"
#include "host/key_script.h"
#include "host/run_loop.h"
#include "host/stop_signal.h"
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <unistd.h>
#include <cmocka.h>

static u64 end_ticks;

/* Runs the plan with these options (words separated by blanks). Returns the status. */
static int run(struct fake_plan *plan, const char *line)
{
    char *words = strdup(line), *argv[20] = {"kiln"}, why[KEY_SCRIPT_ERR_LEN];
    int argc = 1;
    for (char *w = strtok(words, " "); w; w = strtok(NULL, " "))
        argv[argc++] = w;
    struct options o;
    assert_int_equal(options_parse(&o, argc, argv, stdout, stderr), OPTIONS_GO);
    struct session s = {.o = &o, .image_name = "fake"};
    s.console[0] = console_open(-1, "COM1");
    s.m = fake_machine_create(plan, console_chardev(s.console[0]));
    s.keys = o.keys ? key_script_parse(o.keys, why) : NULL;
    int status = run_loop(&s);
    end_ticks = machine_ticks(s.m);
    session_close(&s);
    options_free(&o);
    free(words);
    return status;
}

static void statuses(void **state)
{
    (void)state;
    static const struct {
        enum machine_stop stop;
        const char *line;
        int status;
    } cases[] = {
        {MACHINE_POWER_OFF, "-display none", 0},
        {MACHINE_TRIPLE_FAULT, "-display none", 70},
        {MACHINE_ERROR, "-display none", 72},
        {MACHINE_HALTED, "-display none --on-halt exit", 74},
        {MACHINE_HALTED, "-display none --timeout 0.05", 124},
        {MACHINE_POWER_OFF, "-display none -no-shutdown --timeout 0.05", 124},
        {MACHINE_EXIT, "-display none", 33},
        {MACHINE_RESET, "-display none -no-reboot", 0},
        {MACHINE_BREAK, "-display none --until port:0x80", 0},
        {MACHINE_SLICE_DONE, "-display none --max-insns 5000000", 0},
        {MACHINE_HALTED, "-display none --until screen:hi --timeout 5", 0},
    };
    for (unsigned i = 0; i < ARRAY_LEN(cases); i++) {
        struct fake_plan plan = {.stop = cases[i].stop, .exit_code = 33, .screen_text = "oh hi\n"};
        if (cases[i].stop != MACHINE_SLICE_DONE)
            plan.stop_tick = 1234567;
        assert_int_equal(run(&plan, cases[i].line), cases[i].status);
    }
}

static void limits_end_at_the_same_tick(void **state)
{
    (void)state;
    u64 ticks[3];
    for (unsigned i = 0; i < ARRAY_LEN(ticks); i++) {
        struct fake_plan plan = {.serial_text = "boot: all is well", .serial_every = 77777};
        /* the paced run takes longer on the wall and must not end elsewhere */
        assert_int_equal(run(&plan, i == 2 ? "-display none --until serial:well -rt on"
                                           : "-display none --until serial:well"),
                         0);
        ticks[i] = end_ticks;
    }
    assert_int_equal(ticks[0], ticks[1]);
    assert_int_equal(ticks[0], ticks[2]);
    struct fake_plan plan = {0};
    run(&plan, "-display none --max-insns 1234567");
    assert_int_equal(end_ticks, 1234567);
}

static void keys_come_at_the_same_ticks(void **state)
{
    (void)state;
    struct fake_plan a = {.serial_text = "login: ", .serial_every = 500000000};
    struct fake_plan b = a;
    assert_int_equal(run(&a, "-display none --keys={serial:login}ok\\n --max-insns 8000000000"), 0);
    assert_int_equal(run(&b, "-display none --keys={serial:login}ok\\n --max-insns 8000000000"), 0);
    assert_int_equal(a.nr_keys, 6);
    assert_memory_equal(a.keys, b.keys, sizeof(a.keys));
    assert_memory_equal(a.key_ticks, b.key_ticks, sizeof(a.key_ticks));
    assert_true(a.key_ticks[0] > 2500000000u); /* not before the text was complete */
}

static void hlt_waits_for_the_wall_only_when_paced(void **state)
{
    (void)state;
    struct fake_plan plan = {.halted_from = 1000, .timer_every = 1000000};
    u64 start = host_now_ns();
    assert_int_equal(run(&plan, "-display none --max-insns 300000000"), 0);
    assert_true(host_now_ns() - start < 250000000);
    assert_int_equal(plan.nr_idle, 0);
    start = host_now_ns();
    assert_int_equal(run(&plan, "-display none --max-insns 300000000 -rt on"), 0);
    assert_true(host_now_ns() - start >= 250000000);
    assert_true(plan.nr_idle > 10);
}

static void screenshot_at_a_virtual_time(void **state)
{
    (void)state;
    char name[] = "/tmp/kiln-shot-XXXXXX", line[200];
    u8 magic[8] = {0};
    int fd = mkstemp(name);
    close(fd);
    unlink(name);
    snprintf(line, sizeof(line),
             "-display none --screenshot %s --screenshot-at 0.5 "
             "--max-insns 600000000",
             name);
    struct fake_plan plan = {0};
    assert_int_equal(run(&plan, line), 0);
    FILE *f = fopen(name, "rb");
    assert_non_null(f);
    assert_int_equal(fread(magic, 1, 8, f), 8);
    assert_memory_equal(magic, "\x89PNG\r\n\x1a\n", 8);
    fclose(f);
    unlink(name);
    struct fake_plan too_short = {0};
    snprintf(line, sizeof(line),
             "-display none --screenshot %s --screenshot-at 0.5 "
             "--max-insns 400000000",
             name);
    assert_int_equal(run(&too_short, line), 1); /* said, not forgotten */
}

static void a_signal_ends_the_run(void **state)
{
    (void)state;
    struct fake_plan plan = {0};
    stop_signal_install();
    raise(SIGTERM);
    assert_int_equal(run(&plan, "-display none"), 128 + SIGTERM);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(statuses),
        cmocka_unit_test(limits_end_at_the_same_tick),
        cmocka_unit_test(keys_come_at_the_same_ticks),
        cmocka_unit_test(hlt_waits_for_the_wall_only_when_paced),
        cmocka_unit_test(screenshot_at_a_virtual_time),
        cmocka_unit_test(a_signal_ends_the_run),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
