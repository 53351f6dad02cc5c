/*
 * The trace of small programs, compared with lines written from the manual: opcodes and operands
 * of SDM 2, error codes of 3A 6.13, frames of 3A 6.12 and 20.1.4.
 */
#include "machine/watch_rig.h"
#include <stdlib.h>

static void trace_is(struct watch_rig *r, const char *expected)
{
    watch_rig_stop(r);
    if (strcmp(r->trace_text, expected))
        print_error("--- expected\n%s--- traced\n%s", expected, r->trace_text);
    assert_true(!strcmp(r->trace_text, expected));
    watch_rig_destroy(r);
}

static struct watch_rig *run(const void *code, size_t len, struct trace_options o)
{
    struct watch_rig *r = watch_rig_create(code, len);

    r->options = o;
    watch_rig_start(r, 0, true);
    watch_rig_run(r, 1000);
    return r;
}

/* mov ax, 1234h; inc ax; mov [2000h], ax; jmp +0; hlt */
static const u8 simple[] = {0xb8, 0x34, 0x12, 0x40, 0xa3, 0x00, 0x20, 0xeb, 0x00, 0xf4};

static void a_line_has_count_mode_address_bytes_text(void **state)
{
    (void)state;
    trace_is(run(simple, sizeof(simple), (struct trace_options){0}),
             "           0 rm16 0 0000:1000     00001000 b83412                 mov ax, 0x1234\n"
             "           1 rm16 0 0000:1003     00001003 40                     inc ax\n"
             "           2 rm16 0 0000:1004     00001004 a30020                 mov word ptr "
             "[0x2000], ax\n"
             "           3 rm16 0 0000:1007     00001007 eb00                   jmp 0x1009\n"
             "           4 rm16 0 0000:1009     00001009 f4                     hlt\n");
}

static void registers_and_memory_follow_when_asked_for(void **state)
{
    (void)state;
    trace_is(
        run(simple, sizeof(simple), (struct trace_options){.regs = true, .mem = true}),
        "           0 rm16 0 0000:1000     00001000 b83412                 mov ax, 0x1234         "
        "          ; eax=00001234\n"
        /* 1235h: no flag; PF counts the low byte, 35h, with four bits: set */
        "           1 rm16 0 0000:1003     00001003 40                     inc ax                 "
        "          ; eax=00001235 flags=oditszaPc\n"
        "           2 rm16 0 0000:1004     00001004 a30020                 mov word ptr [0x2000], "
        "ax        ; w2[00002000]=1235\n"
        "           3 rm16 0 0000:1007     00001007 eb00                   jmp 0x1009\n"
        "           4 rm16 0 0000:1009     00001009 f4                     hlt\n");
}

static void from_and_to_are_counts_or_addresses(void **state)
{
    (void)state;
    const char *expected =
        "           1 rm16 0 0000:1003     00001003 40                     inc ax\n"
        "           2 rm16 0 0000:1004     00001004 a30020                 mov word ptr [0x2000], "
        "ax\n";

    trace_is(run(simple, sizeof(simple), (struct trace_options){.start = "1", .stop = "#3"}),
             expected);
    trace_is(
        run(simple, sizeof(simple), (struct trace_options){.start = "0x1003", .stop = "0x1007"}),
        expected);
}

static void a_trace_that_is_done_asks_for_a_stop(void **state)
{
    struct watch_rig *r = watch_rig_create(simple, sizeof(simple));

    (void)state;
    r->options.stop = "2";
    watch_rig_start(r, 0, true);
    assert_false(observe_done(r->observe));
    assert_int_equal(watch_rig_run(r, 1000), STOP_REQUEST);
    assert_true(observe_done(r->observe));
    assert_true(observe_flush(r->observe));
    watch_rig_destroy(r);
}

static void filters_must_all_hold(void **state)
{
    (void)state;
    trace_is(run(simple, sizeof(simple), (struct trace_options){.filter = "0x1003-0x1007,cpl=0"}),
             "           1 rm16 0 0000:1003     00001003 40                     inc ax\n"
             "           2 rm16 0 0000:1004     00001004 a30020                 mov word ptr "
             "[0x2000], ax\n"
             "           3 rm16 0 0000:1007     00001007 eb00                   jmp 0x1009\n");
    trace_is(run(simple, sizeof(simple), (struct trace_options){.filter = "0x1003-0x1007,cpl=3"}),
             "");
    trace_is(run(simple, sizeof(simple), (struct trace_options){.filter = "0x1003,0x1000-0x1fff"}),
             "           1 rm16 0 0000:1003     00001003 40                     inc ax\n");
}

static void words_that_are_not_understood_are_refused(void **state)
{
    static const struct {
        struct trace_options o;
        const char *says;
    } cases[] = {
        {{.output = "/dev/null", .start = "main"}, "--from main"},
        {{.output = "/dev/null", .stop = "0x"}, "--to 0x"},
        {{.output = "/dev/null", .filter = "cpl=4"}, "cpl=4"},
        {{.output = "/dev/null", .filter = "0x2000-0x1000"}, "0x2000-0x1000"},
        {{.output = "/dev/null", .filter = "sym=f"}, "--sym"},
        {{.output = "/nowhere/at/all"}, "-o /nowhere/at/all"},
    };
    struct watch_rig *r = watch_rig_create(simple, sizeof(simple));

    (void)state;
    for (unsigned i = 0; i < ARRAY_LEN(cases); i++) {
        struct machine_config cfg = {.insn_trace = &cases[i].o};
        char err[MACHINE_ERR_LEN] = "";

        assert_null(observe_create(&r->c, &r->clk, &r->log, &cfg, err));
        if (!strstr(err, cases[i].says))
            fail_msg("'%s' does not say '%s'", err, cases[i].says);
    }
    fclose(r->log_file);
    watch_rig_destroy(r);
}

static void a_fault_has_a_line_and_what_its_delivery_did(void **state)
{
    /* ud2, with a handler at 0000:1100 that is iret; FLAGS 0002 */
    static const u8 code[] = {0x0f, 0x0b};
    struct watch_rig *r = watch_rig_create(code, sizeof(code));

    (void)state;
    watch_rig_poke(r, 6 * 4, 0x1100);
    r->view.backing[0x1100] = 0xcf;
    r->options.regs = r->options.mem = true;
    r->options.stop = "1";
    watch_rig_start(r, 0, true);
    watch_rig_run(r, 1000);
    trace_is(r, "           0 rm16 0 0000:1000     00001000 0f0b                   ud2\n"
                "           0 rm16 0 0000:1000     00001000 #UD vector=06 kind=fault         ; "
                "r4[00000018]=00001100 w2[00007ffe]=0002 w2[00007ffc]=0000 w2[00007ffa]=1000 "
                "esp=00007ffa\n"
                "           0 rm16 0 0000:1100     00001100 cf                     iret            "
                "                 ; r2[00007ffa]=1000 r2[00007ffc]=0000 r2[00007ffe]=0002 "
                "esp=00008000\n");
}

static void a_software_interrupt_is_an_instruction_and_an_event(void **state)
{
    /* int 12h, with a handler at 0000:1100 that is hlt */
    static const u8 code[] = {0xcd, 0x12};
    struct watch_rig *r = watch_rig_create(code, sizeof(code));

    (void)state;
    watch_rig_poke(r, 0x12 * 4, 0x1100);
    r->view.backing[0x1100] = 0xf4;
    watch_rig_start(r, 0, true);
    watch_rig_run(r, 1000);
    trace_is(r, "           0 rm16 0 0000:1000     00001000 cd12                   int 0x12\n"
                "           0 rm16 0 0000:1000     00001000 #INT vector=12 kind=software\n"
                "           1 rm16 0 0000:1100     00001100 f4                     hlt\n");
}

static void a_string_instruction_is_one_line_however_it_is_sliced(void **state)
{
    static const u8 code[] = {0xf3, 0xaa, 0xf4}; /* rep stosb; hlt */
    char *texts[2];

    (void)state;
    for (unsigned i = 0; i < 2; i++) {
        struct watch_rig *r = watch_rig_create(code, sizeof(code));

        r->c.gpr[RDI] = 0x203e;
        r->c.gpr[RCX] = 200;
        r->options.regs = r->options.mem = true;
        watch_rig_start(r, 0, true);
        for (u64 t = 1; t <= 100; t += i ? 1 : 99)
            watch_rig_run(r, t);
        watch_rig_stop(r);
        texts[i] = strdup(r->trace_text);
        watch_rig_destroy(r);
    }
    assert_string_equal(texts[0], texts[1]);
    assert_non_null(strstr(texts[0], "rep stosb"));
    assert_non_null(strstr(texts[0], " w1[00002105]=00 ecx=00000000 edi=00002106\n"));
    assert_ptr_equal(strchr(strchr(texts[0], '\n') + 1, '\n')[1], 0); /* two lines */
    free(texts[0]);
    free(texts[1]);
}

static void protected_mode_shows_error_codes_in_words(void **state)
{
    /* mov eax, 18h (a 64-bit code segment: fine outside of long mode, but execute/read);
     * mov ss, ax -> #GP(0018), whose gate is missing -> double fault -> shutdown */
    static const u8 code[] = {0xb8, 0x18, 0x00, 0x00, 0x00, 0x8e, 0xd0};
    struct watch_rig *r = watch_rig_create(code, sizeof(code));

    (void)state;
    watch_rig_protected(r);
    watch_rig_start(r, 0, true);
    assert_int_equal(watch_rig_run(r, 1000), STOP_TRIPLE);
    trace_is(r, "           0 pm32 0 0008:00001000 00001000 b818000000             mov eax, 0x18\n"
                "           1 pm32 0 0008:00001005 00001005 8ed0                   mov ss, eax\n"
                "           1 pm32 0 0008:00001005 00001005 #GP vector=0d kind=fault error=0018 "
                "why=GDT-entry-3\n"
                "           1 pm32 0 0008:00001005 00001005 #GP vector=0d kind=fault error=006b "
                "why=IDT-entry-13,external during=0d lost\n"
                "           1 pm32 0 0008:00001005 00001005 #DF vector=08 kind=abort error=0000 "
                "during=0d\n"
                "           1 pm32 0 0008:00001005 00001005 #GP vector=0d kind=fault error=0043 "
                "why=IDT-entry-8,external during=08 lost\n");
}

static void long_mode_has_wide_columns(void **state)
{
    /* inc r8; mov [40000000h], al -> #PF write */
    static const u8 code[] = {0x49, 0xff, 0xc0, 0x88, 0x04, 0x25, 0x00, 0x00, 0x00, 0x40};
    struct watch_rig *r = watch_rig_create(code, sizeof(code));

    (void)state;
    watch_rig_long(r);
    r->options.regs = true;
    r->options.filter = "0x1000-0x1003";
    watch_rig_start(r, 0, true);
    assert_int_equal(watch_rig_run(r, 1000), STOP_TRIPLE);
    watch_rig_stop(r);
    assert_non_null(strstr(r->trace_text,
                           "           0 lm64 0 0018:0000000000001000 0000000000001000 49ffc0"
                           "                 inc r8                           ; "
                           "r8=0000000000000001\n"));
    assert_non_null(strstr(r->trace_text,
                           "           1 lm64 0 0018:0000000000001003 0000000000001003 "
                           "88042500000040         mov byte ptr [0x40000000], al\n"));
    assert_non_null(strstr(r->trace_text,
                           " #PF vector=0e kind=fault error=0002 cr2=0000000040000000 "
                           "why=not-present,write,supervisor\n"));
    watch_rig_destroy(r);
}

static void an_instruction_that_kiln_lacks_is_still_named(void **state)
{
    static const u8 code[] = {0x0f, 0x0f, 0xc1, 0x9e, 0x0f, 0x0f, 0xc1, 0x9e}; /* pfadd mm0, mm1, twice */
    struct watch_rig *r = watch_rig_create(code, sizeof(code));

    (void)state;
    watch_rig_poke(r, 6 * 4, 0x1100);
    /* the handler skips it: pop ax; add ax, 4; push ax; iret */
    memcpy(r->view.backing + 0x1100, "\x58\x83\xc0\x04\x50\xcf", 6);
    r->options.stop = "8";
    watch_rig_start(r, 0, true);
    watch_rig_run(r, 1000);
    observe_print_stats(r->observe, r->log_file);
    watch_rig_stop(r);
    assert_non_null(strstr(r->trace_text, " 0f0fc19e               pfadd mm0, mm1\n"));
    assert_string_equal(r->log_text, "kiln: not there yet: cpu: pfadd (3dnow) at 0000:1000\n"
                                     "  unimplemented     cpu: pfadd (3dnow), 2 times\n");
    watch_rig_destroy(r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_line_has_count_mode_address_bytes_text),
        cmocka_unit_test(registers_and_memory_follow_when_asked_for),
        cmocka_unit_test(from_and_to_are_counts_or_addresses),
        cmocka_unit_test(a_trace_that_is_done_asks_for_a_stop),
        cmocka_unit_test(filters_must_all_hold),
        cmocka_unit_test(words_that_are_not_understood_are_refused),
        cmocka_unit_test(a_fault_has_a_line_and_what_its_delivery_did),
        cmocka_unit_test(a_software_interrupt_is_an_instruction_and_an_event),
        cmocka_unit_test(a_string_instruction_is_one_line_however_it_is_sliced),
        cmocka_unit_test(protected_mode_shows_error_codes_in_words),
        cmocka_unit_test(long_mode_has_wide_columns),
        cmocka_unit_test(an_instruction_that_kiln_lacks_is_still_named),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
