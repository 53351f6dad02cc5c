/*
 * -d out_asm: guest instructions, the host's behind each, stubs behind all; told by the JIT as it
 * translates. The bytes are the manual's encodings.
 */
#include "machine/watch_rig.h"
#include <stdlib.h>

/* Runs 64-bit code up to its HLT; the log is in log_text. */
static struct watch_rig *logged(const u8 *code, size_t len, const struct log_range *range)
{
    struct watch_rig *r = watch_rig_create(code, len);

    watch_rig_long(r);
    r->log.range = range;
    r->log.nr_ranges = range != NULL;
    r->c.gpr[RCX] = 0x5000;
    watch_rig_start(r, LOG_OUT_ASM, false);
    assert_null(r->c.observer); /* nothing that would have the engine interpret */
    assert_int_equal(watch_rig_run(r, 1000), STOP_HALT);
    watch_rig_stop(r);
    return r;
}

/* Behind the text in s; fails if it is not there. */
static const char *after(const char *s, const char *text)
{
    const char *p = strstr(s, text);

    if (!p)
        print_error("no '%s' in\n%.2000s\n", text, s);
    assert_non_null(p);
    return p + strlen(text);
}

static void host_code_follows_each_guest_instruction(void **state)
{
    static const u8 code[] = {
        0x48, 0x01, 0xd8,       /* 1000: add rax, rbx: the host's is the same */
        0x48, 0x01, 0xf0,       /* 1003: add rax, rsi: which the host has in r8 */
        0x48, 0x89, 0x01,       /* 1006: mov [rcx], rax */
        0xf4,                   /* 1009: hlt */
    };
    struct watch_rig *r = logged(code, sizeof(code), NULL);
    const char *s = r->log_text;

    (void)state;
    s = after(s, "OUT: thunk: enter [size=");
    s = after(s, "OUT: thunk: slow [size=");
    s = after(s, "OUT: [size=");
    s = after(s, "  block at 0x00001000, rip 0x1000, mode lm64 ");
    s = after(s, ", flags: stored\n  -- entry\n");
    s = after(s, "  -- guest addr 0x00001000:  48 01 d8  add rax, rbx\n0x");
    s = after(s, ":  48 01 d8                 add      rax, rbx\n");
    s = after(s, "  -- guest addr 0x00001003:  48 01 f0  add rax, rsi\n0x");
    s = after(s, "add      rax, r8\n");
    s = after(s, "  -- guest addr 0x00001006:  48 89 01  mov qword ptr [rcx], rax\n0x");
    s = after(s, "mov      qword ptr [rsi], rax\n");
    s = after(s, "  -- guest addr 0x00001009:  f4  hlt\n0x");
    s = after(s, "<row in C>\n");
    s = after(s, ".long ");
    s = after(s, "  -- stub of 0x00001006: a store that missed\n0x");
    s = after(s, "  <slow");
    assert_null(strstr(s, "-- guest addr"));
    assert_null(strstr(r->log_text, "(bad)"));
    watch_rig_destroy(r);
}

static void a_block_that_begins_with_live_flags_says_whose(void **state)
{
    static const u8 code[] = {
        0x83, 0xf8, 0x05,       /* 1000: cmp eax, 5 */
        0x75, 0x01,             /* 1003: jne 1006 */
        0xf4,                   /* 1005: hlt */
        0x90, 0x90,             /* 1006: nop; nop */
        0xf4,                   /* 1008: hlt */
    };
    struct watch_rig *r = logged(code, sizeof(code), NULL);
    const char *s = r->log_text;

    (void)state;
    s = after(s, "  block at 0x00001000,");
    s = after(s, "  block at 0x00001006,");
    s = after(s, "flags: cmp rax, 0x5 (32 bits)\n");
    watch_rig_destroy(r);
}

static void dfilter_chooses_blocks(void **state)
{
    static const u8 code[] = { 0xeb, 0x00, 0x90, 0xf4 }; /* 1000: jmp 1002; nop; hlt */
    static const struct log_range range = { 0x1002, 0x1003 };
    struct watch_rig *r = logged(code, sizeof(code), &range);

    (void)state;
    assert_null(strstr(r->log_text, "block at 0x00001000"));
    assert_null(strstr(r->log_text, "OUT: thunk"));
    after(r->log_text, "block at 0x00001002");
    watch_rig_destroy(r);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(host_code_follows_each_guest_instruction),
        cmocka_unit_test(a_block_that_begins_with_live_flags_says_whose),
        cmocka_unit_test(dfilter_chooses_blocks),
    };

    setenv("KILN_ACCEL", "jit,hot=0", 1);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
