/*
 * Reports of triple faults that were made on purpose: each case breaks one thing that the manual
 * requires (SDM 3A 6.12 to 6.15), and the report must name that thing.
 */
#include "machine/watch_rig.h"
#include <stdlib.h>

#define UD2 0x0f, 0x0b

/* Runs to the shutdown and returns the report, to be freed. */
static char *report(struct watch_rig *r)
{
    char *text = NULL;
    size_t len;
    FILE *f = open_memstream(&text, &len);

    watch_rig_start(r, 0, false);
    assert_int_equal(watch_rig_run(r, 100000), STOP_TRIPLE);
    observe_triple_fault(r->observe, f);
    fclose(f);
    watch_rig_destroy(r);
    return text;
}

static void says(struct watch_rig *r, const char *const *parts)
{
    char *text = report(r), *at = text;

    for (; *parts; parts++) {
        char *found = strstr(at, *parts);

        if (!found)
            fail_msg("no '%s' in what follows:\n%s", *parts, at);
        at = found + strlen(*parts);
    }
    free(text);
}
#define SAYS(rig, ...) says(rig, (const char *const[]){__VA_ARGS__, NULL})

static struct watch_rig *protected(const void *code, size_t len)
{
    struct watch_rig *r = watch_rig_create(code, len);

    watch_rig_protected(r);
    return r;
}

static struct watch_rig *long_mode(const void *code, size_t len)
{
    struct watch_rig *r = watch_rig_create(code, len);

    watch_rig_long(r);
    return r;
}

static const u8 ud2[] = {UD2};

static void the_chain_is_told_in_order(void **state)
{
    (void)state;
    SAYS(protected(ud2, sizeof(ud2)), "kiln: triple fault",
         "at 0008:00001000, linear 00001000, CPL 0, mode pm32, after 0 instructions",
         " 0f 0b  ud2\n", "1. #UD (vector 6, invalid opcode)\n",
         "2. delivering that raised #GP (vector 13, general protection), error code 0033: IDT "
         "entry 6, external\n",
         "3. delivering that raised #GP (vector 13, general protection), error code 006b: IDT "
         "entry 13, external\n",
         "4. this makes it a #DF (vector 8, double fault), error code 0000\n",
         "5. delivering that raised #GP (vector 13, general protection), error code 0043: IDT "
         "entry 8, external\n",
         "6. a double fault that cannot be delivered: shutdown\n",
         "IDT entry 6, at linear 00003030, is all zeros", "EIP=00001000", "EFER=");
}

static void an_earlier_exception_is_not_in_the_chain(void **state)
{
    /* int3, whose handler at 1100h returns; then ud2 */
    static const u8 code[] = {0xcc, UD2};
    struct watch_rig *r = protected(code, sizeof(code));
    char *text;

    (void)state;
    watch_rig_poke(r, RIG_IDT + 3 * 8, 0x00008e0000081100);
    r->view.backing[0x1100] = 0xcf;
    text = report(r);
    assert_non_null(strstr(text, "1. #UD"));
    assert_null(strstr(text, "INT 03"));
    free(text);
}

static void a_software_interrupt_begins_its_chain(void **state)
{
    static const u8 code[] = {0xcd, 0x80}; /* int 80h */
    struct watch_rig *r = protected(code, sizeof(code));

    (void)state;
    r->c.idtr.limit = 0x7f;
    SAYS(r, "1. software interrupt, INT 80h\n",
         "2. delivering that raised #GP (vector 13, general protection), error code 0402: IDT "
         "entry 128\n",
         "The IDT is too short for vector 128: its limit is 007f, and that entry needs 0400 to "
         "0407");
}

static void a_missing_idt_is_named(void **state)
{
    struct watch_rig *r = protected(ud2, sizeof(ud2));

    (void)state;
    r->c.idtr = (struct dtable){0, 0x3ff};
    SAYS(r, "No IDT has been loaded: IDTR has base 0 and limit 03ff, which is real mode's table");
}

static void real_mode_has_a_table_too(void **state)
{
    struct watch_rig *r = watch_rig_create(ud2, sizeof(ud2));

    (void)state;
    r->c.idtr.limit = 0x17;
    SAYS(r, "at 0000:1000, linear 00001000, CPL 0, mode rm16",
         "1. #UD (vector 6, invalid opcode)\n",
         "2. delivering that raised #GP (vector 13, general protection)\n",
         "The IDT is too short for vector 6: its limit is 0017, and that entry needs 0018 to 001b");
}

static void gates_are_judged(void **state)
{
    /* trap gate type, DPL 0, present, selector 0008: 8f00; see SDM 3A figure 6-2 */
    static const struct {
        u64 gate;
        const char *says;
    } cases[] = {
        {0x00000e0000081100, "is marked not present"},
        {0x00008c0000081100, "is no interrupt or trap gate: 00008c0000081100 is a call gate"},
        {0x00009a0000081100, "is a code segment"},
        {0x00008e0000001100, "names the null selector"},
        {0x00008e0000101100, "names selector 0010, which is no code segment"},
        {0x00008e0000481100, "names selector 0048, which lies beyond the GDT's limit 003f"},
        /* task gates: SDM 3A 7.2.5 */
        {0x0000850000141100, "names selector 0014, but a TSS must be in the GDT"},
        {0x0000850000101100, "names selector 0010, which is no TSS"},
        {0x0000850000381100, "names selector 0038, whose task is busy"},
    };

    (void)state;
    for (unsigned i = 0; i < ARRAY_LEN(cases); i++) {
        struct watch_rig *r = protected(ud2, sizeof(ud2));

        watch_rig_poke(r, RIG_GDT + 0x38, 0x00008b0050000067); /* a busy TSS */
        watch_rig_poke(r, RIG_IDT + 6 * 8, cases[i].gate);
        SAYS(r, "1. #UD", cases[i].says);
    }
}

static void long_mode_wants_64_bit_handlers(void **state)
{
    struct watch_rig *r = long_mode(ud2, sizeof(ud2));

    (void)state;
    watch_rig_poke(r, RIG_IDT + 6 * 16, 0x00008e0000081100);
    SAYS(r, "mode lm64", "1. #UD", "error code 0009: GDT entry 1, external",
         "IDT entry 6 names selector 0008, which is not 64-bit code");
}

static void a_stack_that_is_not_mapped_is_found(void **state)
{
    /* mov esp, 600000h; push rax: 2 MiB and above are not mapped */
    static const u8 code[] = {0xbc, 0x00, 0x00, 0x60, 0x00, 0x50};
    struct watch_rig *r = long_mode(code, sizeof(code));

    (void)state;
    for (unsigned v = 0; v < 15; v++)
        watch_rig_poke(r, RIG_IDT + v * 16, 0x00008e0000181100);
    SAYS(r, "push rax",
         "1. #PF (vector 14, page fault), error code 0002: not present, write, supervisor, "
         "CR2=00000000005ffff8\n",
         "2. delivering that raised #PF", "CR2=00000000005ffff8", "3. this makes it a #DF",
         "It is a push: CR2 is just below RSP=0000000000600000",
         "The handler's stack is not mapped: CR2 is just below RSP=0000000000600000");
}

static void code_that_is_not_mapped_is_found(void **state)
{
    /* mov eax, 400000h; jmp rax */
    static const u8 code[] = {0xb8, 0x00, 0x00, 0x40, 0x00, 0xff, 0xe0};

    (void)state;
    SAYS(long_mode(code, sizeof(code)), "0018:0000000000400000", "its bytes are not mapped",
         "1. #PF (vector 14, page fault), error code 0000: not present, read, supervisor",
         "The code that runs is not mapped");
}

static void a_table_that_is_not_mapped_is_found(void **state)
{
    struct watch_rig *r = long_mode(ud2, sizeof(ud2));

    (void)state;
    r->c.idtr.base = 0x40000000;
    SAYS(r, "1. #UD", "2. delivering that raised #PF", "CR2=0000000040000060",
         "The IDT is not mapped: CR2 lies in it (base 0000000040000000, limit 07ff)");
}

static void to_user(struct watch_rig *r)
{
    r->c.cpl = 3;
    r->c.seg[CS].sel = RIG_USER_CS;
    r->c.seg[CS].attr |= 3 << SEG_DPL_SHIFT;
    r->c.seg[SS].sel = RIG_USER_DS;
    r->c.seg[SS].attr |= 3 << SEG_DPL_SHIFT;
    cpu_update_mode(&r->c);
}

static void a_gate_that_users_may_not_call_is_found(void **state)
{
    static const u8 code[] = {0xcd, 0x80}; /* int 80h */
    struct watch_rig *r = protected(code, sizeof(code));

    (void)state;
    watch_rig_poke(r, RIG_IDT + 0x80 * 8, 0x00008e0000081100);
    to_user(r);
    SAYS(r, "1. software interrupt, INT 80h",
         "IDT entry 128 has DPL 0, so INT 80h is not allowed at CPL 3");
}

static void a_missing_tss_is_found(void **state)
{
    /* From CPL 3 by a fault: the handler at CPL 0 needs a stack from the TSS. */
    struct watch_rig *r = protected(ud2, sizeof(ud2));

    (void)state;
    for (unsigned v = 0; v < 15; v++)
        watch_rig_poke(r, RIG_IDT + v * 8, 0x00008e0000081100);
    to_user(r);
    r->c.tr.usable = 0;
    SAYS(r, "at 0023:00001000", "CPL 3", "1. #UD", "2. delivering that raised #TS",
         "No TSS is loaded (TR is null), but the handler needs ESP0 from it");
}

static void a_selector_in_the_error_code_is_looked_up(void **state)
{
    /* mov eax, 48h; mov ds, ax */
    static const u8 code[] = {0xb8, 0x48, 0x00, 0x00, 0x00, 0x8e, 0xd8};

    (void)state;
    SAYS(protected(code, sizeof(code)), "mov ds, eax",
         "1. #GP (vector 13, general protection), error code 0048: GDT entry 9\n",
         "The instruction names selector 0048, which lies beyond the GDT's limit 003f");
}

static void an_instruction_that_kiln_lacks_is_admitted(void **state)
{
    static const u8 code[] = {0x0f, 0x0f, 0xc1, 0x9e}; /* pfadd mm0, mm1 */

    (void)state;
    SAYS(protected(code, sizeof(code)), "0f 0f c1 9e  pfadd mm0, mm1", "1. #UD",
         "pfadd (3dnow) is an instruction that kiln does not have yet");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_chain_is_told_in_order),
        cmocka_unit_test(an_earlier_exception_is_not_in_the_chain),
        cmocka_unit_test(a_software_interrupt_begins_its_chain),
        cmocka_unit_test(a_missing_idt_is_named),
        cmocka_unit_test(real_mode_has_a_table_too),
        cmocka_unit_test(gates_are_judged),
        cmocka_unit_test(long_mode_wants_64_bit_handlers),
        cmocka_unit_test(a_stack_that_is_not_mapped_is_found),
        cmocka_unit_test(code_that_is_not_mapped_is_found),
        cmocka_unit_test(a_table_that_is_not_mapped_is_found),
        cmocka_unit_test(a_gate_that_users_may_not_call_is_found),
        cmocka_unit_test(a_missing_tss_is_found),
        cmocka_unit_test(a_selector_in_the_error_code_is_looked_up),
        cmocka_unit_test(an_instruction_that_kiln_lacks_is_admitted),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
