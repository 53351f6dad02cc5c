/*
 * What ranges.c must not take for one group: addresses that do not differ by a constant. Runs under
 * the interpreter, too, which says what is right.
 */
#include "cpu/test_rig.h"

/* movzx r13, al: what the two registers hold differs by what was in the upper bits. */
static void a_part_of_a_register_is_another_value(void **state)
{
    struct test_rig *r = rig_long(0, false);

    (void)state;
    CODE_BYTES(r, 0x4c, 0x0f, 0xb6, 0xe8,         /* movzx r13, al */
               0x8b, 0x98, 0x00, 0xa0, 0x00, 0x00, /* mov ebx, [rax + 0a000h] */
               0x41, 0x8b, 0x8d, 0x00, 0xa0, 0x00, 0x00, /* mov ecx, [r13 + 0a000h] */
               0xf4);
    r->c.gpr[RAX] = 0x104;
    rig_poke(r, 0xa104, 1, 4);
    rig_poke(r, 0xa004, 2, 4);
    expect_done(r, CODE + 18);
    assert_int_equal(r->c.gpr[RBX], 1);
    assert_int_equal(r->c.gpr[RCX], 2);
    rig_destroy(r);
}

/* A copy is the same value, and ADD, SUB, LEA, INC, PUSH and POP move it by a constant. */
static void constants_are_followed(void **state)
{
    struct test_rig *r = rig_long(0, false);

    (void)state;
    CODE_BYTES(r, 0x48, 0x89, 0xc1,                   /* mov rcx, rax */
               0x48, 0x83, 0xc1, 0x08,                /* add rcx, 8 */
               0x48, 0x8d, 0x51, 0xfc,                /* lea rdx, [rcx - 4] */
               0x48, 0xff, 0xc2,                      /* inc rdx */
               0xc7, 0x00, 0x11, 0x00, 0x00, 0x00,    /* mov dword [rax], 11h */
               0xc6, 0x02, 0x22,                      /* mov byte [rdx], 22h */
               0xc7, 0x01, 0x33, 0x00, 0x00, 0x00,    /* mov dword [rcx], 33h */
               0x50, 0x8b, 0x1c, 0x24, 0x5e,          /* push rax; mov ebx, [rsp]; pop rsi */
               0xf4);
    r->c.gpr[RAX] = 0xa000;
    expect_done(r, CODE + 35);
    assert_int_equal(rig_peek(r, 0xa000, 8), 0x220000000011ull); /* RDX is 0a005h */
    assert_int_equal(rig_peek(r, 0xa008, 4), 0x33);
    assert_int_equal(r->c.gpr[RBX], 0xa000);
    assert_int_equal(r->c.gpr[RSI], 0xa000);
    rig_destroy(r);
}

/* What runs in C moves the stack pointer and writes registers as well. */
static void instructions_in_c_are_followed_too(void **state)
{
    struct test_rig *r = rig_long(0, false);

    (void)state;
    CODE_BYTES(r, 0x50, 0x51,                         /* push rax; push rcx */
               0x8b, 0x5c, 0x24, 0x08,                /* mov ebx, [rsp + 8] */
               0x8f, 0x02,                            /* pop qword [rdx] */
               0x8b, 0x34, 0x24,                      /* mov esi, [rsp] */
               0x49, 0x89, 0xc0,                      /* mov r8, rax */
               0x0f, 0xc7, 0x0a,                      /* cmpxchg8b [rdx]: not equal, so EDX:EAX are loaded */
               0x45, 0x8b, 0x48, 0x08,                /* mov r9d, [r8 + 8] */
               0x8b, 0x78, 0x08,                      /* mov edi, [rax + 8] */
               0xf4);
    r->c.gpr[RAX] = 0xa000;
    r->c.gpr[RCX] = 0xa100;
    r->c.gpr[RDX] = 0xa200;
    rig_poke(r, 0xa008, 5, 4);
    rig_poke(r, 0xa108, 6, 4);
    expect_done(r, CODE + 25);
    assert_int_equal(r->c.gpr[RBX], 0xa000);
    assert_int_equal(r->c.gpr[RSI], 0xa000);
    assert_int_equal(r->c.gpr[R9], 5);
    assert_int_equal(r->c.gpr[RDI], 6);
    rig_destroy(r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_part_of_a_register_is_another_value),
        cmocka_unit_test(constants_are_followed),
        cmocka_unit_test(instructions_in_c_are_followed_too),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
