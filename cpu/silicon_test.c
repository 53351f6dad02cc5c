/*
 * The host's profile. What silicon does is compared at random by tests/native, on whatever runs it; here
 * both vendors' behaviours are held to what was measured on theirs: a Zen 5 and a Sapphire Rapids.
 */
#include "cpu/test_rig.h"

static int setup(void **state)
{
    *state = rig_create();
    return 0;
}

static int teardown(void **state)
{
    rig_destroy(*state);
    return 0;
}

static void a_behaviour_that_is_found_is_the_only_one(void **state)
{
    struct cpu *c = &((struct test_rig *)*state)->c;
    unsigned known = 0;

    for (enum silicon_trait t = 0; t < NR_SILICON_TRAITS; t++) {
        u8 found = c->silicon.behaviour[t];

        if (c->silicon.unknown >> t & 1)
            continue;
        known++;
        assert_true(silicon_agrees(c, t));
        for (unsigned b = 0; b < silicon_nr_behaviours(t); b++) {
            c->silicon.behaviour[t] = (u8)b;
            assert_int_equal(silicon_agrees(c, t), b == found);
        }
        c->silicon.behaviour[t] = found;
    }
    assert_true(known > NR_SILICON_TRAITS / 2); /* else the host is not the x86 of any vendor */
}

static void an_unknown_family_is_not_exact(void **state)
{
    struct silicon s = { .unknown = 0 };

    (void)state;
    for (unsigned row = 1; row < NR_ROWS; row++)
        assert_true(silicon_exact(&s, row));
    s.unknown = BIT(SILICON_ROTATE) | BIT(SILICON_BMI);
    for (unsigned row = 1; row < NR_ROWS; row++)
        assert_int_equal(silicon_exact(&s, row),
                         !(row >= ROW_ROL_EbIb && row <= ROW_ROR_EvCL) && row != ROW_ANDN &&
                             row != ROW_BLSR && row != ROW_BLSMSK && row != ROW_BLSI && row != ROW_BZHI);
}

static void the_text_says_how_the_interpreter_behaves(void **state)
{
    struct silicon amd = { .unknown = 0 }, intel = { .unknown = 0 };
    char text[200], other[200], little[8];

    (void)state;
    for (enum silicon_trait t = 0; t < NR_SILICON_TRAITS; t++)
        intel.behaviour[t] = silicon_nr_behaviours(t) > 1;
    silicon_text(&amd, text, sizeof(text));
    assert_non_null(strstr(text, "mul keeps, div sets-af, shift last"));
    assert_true(strlen(text) < sizeof(text) - 1);
    silicon_text(&intel, other, sizeof(other));
    assert_non_null(strstr(other, "double-beyond destination"));
    assert_true(strlen(other) < sizeof(other) - 1);
    amd.unknown = 1; /* the interpreter is none the different */
    silicon_text(&amd, other, sizeof(other));
    assert_string_equal(text, other);
    silicon_text(&amd, little, sizeof(little));
    assert_memory_equal(little, text, sizeof(little) - 1);
    assert_int_equal(little[sizeof(little) - 1], 0);
}

struct measured {
    const char *name;
    u8 bytes[8];
    u64 rax, rcx, rdx;
    u32 flags;
    struct {
        u64 rax;
        u32 flags;
    } amd, intel;
};

/* RAX, RCX, RDX and flags before; RAX and flags after on either. */
static const struct measured vectors[] = {
    { "mul edx", { 0xf7, 0xe2 }, 0x80000001, 0, 3, F_Z | F_A,
      { 0x80000003, F_O | F_Z | F_A | F_C }, { 0x80000003, F_O | F_S | F_P | F_C } },
    { "imul rax, rdx", { 0x48, 0x0f, 0xaf, 0xc2 }, 0x4000000000000000, 0, 4, F_S | F_P,
      { 0, F_O | F_S | F_P | F_C }, { 0, F_O | F_P | F_C } },
    { "shl al, cl", { 0xd2, 0xe0 }, 0x41, 2, 0, 0,
      { 4, F_O | F_A | F_C }, { 4, F_O | F_C } },
    { "shr rax, 9", { 0x48, 0xc1, 0xe8, 0x09 }, 0x8000000000000100, 0, 0, 0,
      { 0x40000000000000, F_A | F_P | F_C }, { 0x40000000000000, F_O | F_P | F_C } },
    { "sar ax, cl", { 0x66, 0xd3, 0xf8 }, 0x8421, 5, 0, F_O | F_A,
      { 0xfc21, F_S | F_A | F_P }, { 0xfc21, F_S | F_P } },
    { "rol eax, cl", { 0xd3, 0xc0 }, 0x40000000, 3, 0, F_S,
      { 2, F_S }, { 2, F_O | F_S } },
    { "rol eax, 3", { 0xc1, 0xc0, 0x03 }, 0x10000000, 0, 0, F_O,
      { 0x80000000, F_O }, { 0x80000000, F_O } },
    { "ror al, 8", { 0xc0, 0xc8, 0x08 }, 0x81, 0, 0, F_O,
      { 0x81, F_O | F_C }, { 0x81, F_O | F_C } },
    { "rcl al, 9", { 0xc0, 0xd0, 0x09 }, 0x40, 0, 0, F_C,
      { 0x40, F_O | F_C }, { 0x40, F_C } },
    { "rcr ax, cl", { 0x66, 0xd3, 0xd8 }, 1, 2, 0, F_C,
      { 0xc000, 0 }, { 0xc000, F_O } },
    { "rcr ax, 17", { 0x66, 0xc1, 0xd8, 0x11 }, 0x8000, 0, 0, 0,
      { 0x8000, F_O }, { 0x8000, 0 } },
    { "shld eax, edx, cl", { 0x0f, 0xa5, 0xd0 }, 0x40000000, 4, 0xf0000000, 0,
      { 0xf, F_A | F_P }, { 0xf, F_O | F_P } },
    { "shrd rax, rdx, 40", { 0x48, 0x0f, 0xac, 0xd0, 0x28 }, 0x8000000000000000, 0, 1, 0,
      { 0x1800000, F_A | F_P }, { 0x1800000, F_P } },
    { "shld ax, dx, 20", { 0x66, 0x0f, 0xa4, 0xd0, 0x14 }, 0x1234, 0, 0x5678, 0,
      { 0x6785, F_A }, { 0x6781, F_P | F_C } },
    { "shrd ax, dx, 20", { 0x66, 0x0f, 0xac, 0xd0, 0x14 }, 0x1234, 0, 0x5678, 0,
      { 0x8567, F_O | F_S | F_A }, { 0x4567, F_C } },
    { "bsf eax, edx of 0", { 0x0f, 0xbc, 0xc2 }, 0x1122334455667788, 0, 0, F_O | F_C,
      { 0x1122334455667788, F_Z | F_P }, { 0x1122334455667788, F_Z | F_P } },
    { "btc eax, 7", { 0x0f, 0xba, 0xf8, 0x07 }, 0x80, 0, 0, F_O | F_S | F_P,
      { 0, F_O | F_S | F_P | F_C }, { 0, F_O | F_S | F_P | F_C } },
    { "tzcnt eax, edx", { 0xf3, 0x0f, 0xbc, 0xc2 }, 0, 0, 8, F_O | F_S,
      { 3, F_O }, { 3, 0 } },
    { "bextr eax, edx, ecx", { 0xc4, 0xe2, 0x70, 0xf7, 0xc2 }, 0, 0x2000, 0x80000003, F_P,
      { 0x80000003, F_A | F_P }, { 0x80000003, 0 } },
    { "andn rax, rcx, rdx", { 0xc4, 0xe2, 0xf0, 0xf2, 0xc2 }, 0, 1, 0x8000000000000003, 0,
      { 0x8000000000000002, F_S }, { 0x8000000000000002, F_S } },
    { "blsi eax, edx", { 0xc4, 0xe2, 0x78, 0xf3, 0xda }, 0, 0, 0x80000000, F_P,
      { 0x80000000, F_S | F_P | F_C }, { 0x80000000, F_S | F_C } },
    { "bzhi rax, rdx, rcx", { 0xc4, 0xe2, 0xf0, 0xf5, 0xc2 }, 0, 4, 0x1f, F_O,
      { 0xf, F_P }, { 0xf, 0 } },
    { "div ecx", { 0xf7, 0xf1 }, 0x64, 7, 0, F_O | F_S | F_Z | F_P,
      { 0xe, F_O | F_A }, { 0xe, F_O | F_S | F_Z | F_P } },
    { "idiv rcx", { 0x48, 0xf7, 0xf9 }, 0x64, 7, 0, F_C,
      { 0xe, F_A | F_C }, { 0xe, F_C } },
};

static void run(struct cpu *c, const struct measured *v, u8 behaviour, u64 rax, u32 flags)
{
    struct insn in;

    for (enum silicon_trait t = 0; t < NR_SILICON_TRAITS; t++)
        c->silicon.behaviour[t] = silicon_nr_behaviours(t) > 1 ? behaviour : 0;
    assert_int_equal(insn_decode(&in, v->bytes, sizeof(v->bytes), MODE_CODE64 | MODE_PE), DECODE_OK);
    c->gpr[RAX] = v->rax;
    c->gpr[RCX] = v->rcx;
    c->gpr[RDX] = v->rdx;
    cpu_set_flags(c, v->flags | F_1);
    isa_rows[in.row].exec(c, &in);
    if (c->gpr[RAX] != rax || (cpu_flags(c) & F_ARITH) != flags)
        fail_msg("%s as on %s: rax %llx flags %x instead of %llx %x", v->name, behaviour ? "Intel" : "AMD",
                 (unsigned long long)c->gpr[RAX], cpu_flags(c) & F_ARITH, (unsigned long long)rax, flags);
}

static void each_vendors_behaviour_is_as_measured(void **state)
{
    struct cpu *c = &((struct test_rig *)*state)->c;

    for (unsigned i = 0; i < ARRAY_LEN(vectors); i++) {
        run(c, &vectors[i], 0, vectors[i].amd.rax, vectors[i].amd.flags);
        run(c, &vectors[i], 1, vectors[i].intel.rax, vectors[i].intel.flags);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_behaviour_that_is_found_is_the_only_one, setup, teardown),
        cmocka_unit_test(an_unknown_family_is_not_exact),
        cmocka_unit_test(the_text_says_how_the_interpreter_behaves),
        cmocka_unit_test_setup_teardown(each_vendors_behaviour_is_as_measured, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
