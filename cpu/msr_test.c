/*
 * Model-specific registers: what is there, and what may be written. Expected values: SDM 4 chapter 2
 * and APM 2, the sections that each test names.
 */
#include "cpu/test_rig.h"

/* A local APIC that keeps what it is given. */
static bool fake_read(void *apic, u32 n, u64 *v)
{
    (void)n;
    *v = *(u64 *)apic;
    return true;
}

static bool fake_write(void *apic, u32 n, u64 v)
{
    (void)n;
    *(u64 *)apic = v;
    return true;
}

/* Runs WRMSR, RDMSR with one register; what was read, or the vector of the fault. */
static int write_msr(struct test_rig *r, u32 n, u64 v)
{
    CODE_BYTES(r, 0x0f, 0x30, 0xf4);
    r->c.rip = CODE;
    r->c.halted = HALT_NONE;
    r->c.gpr[RCX] = n;
    r->c.gpr[RAX] = (u32)v;
    r->c.gpr[RDX] = v >> 32;
    return run_to_fault(r);
}

static int read_msr(struct test_rig *r, u32 n, u64 *v)
{
    int vector;

    CODE_BYTES(r, 0x0f, 0x32, 0xf4);
    r->c.rip = CODE;
    r->c.halted = HALT_NONE;
    r->c.gpr[RCX] = n;
    vector = run_to_fault(r);
    *v = (u32)r->c.gpr[RAX] | r->c.gpr[RDX] << 32;
    return vector;
}

/* SDM 4 table 2-2: IA32_APIC_BASE.EXTD, IA32_TSC_DEADLINE and the x2APIC's registers are there if
 * CPUID.1 says so. */
static void the_apics_registers_are_those_of_cpuid(void **state)
{
    static const struct {
        u32 n;
        u64 v;
        enum feature needs;
    } cases[] = {
        { 0x1b, 0xfee00900, FEAT_NONE }, { 0x1b, 0xfee00d00, FEAT_X2APIC },
        { 0x6e0, 1, FEAT_TSC_DEADLINE }, { 0x808, 0x20, FEAT_X2APIC },
    };

    (void)state;
    for (unsigned i = 0; i < ARRAY_LEN(cases); i++)
        for (int there = 0; there < 2; there++) {
            struct test_rig *r = rig_protected(0);
            u64 apic = 0, v;
            bool good = there || cases[i].needs == FEAT_NONE;

            r->c.cfg.apic.apic = &apic;
            r->c.cfg.apic.read_msr = fake_read;
            r->c.cfg.apic.write_msr = fake_write;
            r->c.features = there ? ~0ull : ~BIT(cases[i].needs);
            assert_int_equal(write_msr(r, cases[i].n, cases[i].v), good ? -1 : EXC_GP);
            assert_int_equal(apic, good ? cases[i].v : 0);
            r->c.gpr[RSP] = STACK0 - 0x100;
            assert_int_equal(read_msr(r, cases[i].n, &v), good || cases[i].n == 0x1b ? -1 : EXC_GP);
            rig_destroy(r);
        }
}

/* A write, and what is read then; GP: the write faults, and what is read is what was there. */
struct msr_case {
    u32 n;
    u64 write, read;
    bool gp;
};

static void run_cases(struct test_rig *r, const struct msr_case *cases, unsigned nr)
{
    u64 v;

    for (unsigned i = 0; i < nr; i++) {
        r->c.gpr[RSP] = STACK0 - 0x100;
        assert_int_equal(write_msr(r, cases[i].n, cases[i].write), cases[i].gp ? EXC_GP : -1);
        assert_int_equal(read_msr(r, cases[i].n, &v), -1);
        assert_int_equal(v, cases[i].read);
    }
}

/* APM 2 9.3: the capabilities cannot be written; reserved bits of MCG_STATUS read as zero; MCi_STATUS
 * is cleared only. Ten banks, as QEMU's qemu64 has, and no eleventh. */
static void machine_check_registers(void **state)
{
    static const struct msr_case cases[] = {
        { 0x179, 0, 0x10a, true },          { 0x179, 0x10a, 0x10a, true },
        { 0x17a, ~0ull, 7, false },         { 0x17a, 0, 0, false },
        { 0x17b, ~0ull, ~0ull, false },     { 0x17b, 0, 0, false },
        { 0x400, ~0ull, ~0ull, false },     { 0x401, 1, 0, true },
        { 0x401, 1ull << 63, 0, true },     { 0x401, 0, 0, false },
        { 0x402, 1ull << 63, 1ull << 63, false }, { 0x403, 0x55, 0x55, false },
        { 0x410, ~0x400ull, ~0x400ull, false }, /* Linux, of the family that CPUID names */
        { 0x424, 1, 1, false },             { 0x425, 2, 0, true },
        { 0x426, 3, 3, false },             { 0x427, 4, 4, false },
        { 0x400, 0, 0, false },
    };
    struct test_rig *r = rig_protected(0);
    u64 v;

    (void)state;
    run_cases(r, cases, ARRAY_LEN(cases));
    for (u32 n = 0x428; n < 0x480; n++) {
        r->c.gpr[RSP] = STACK0 - 0x100;
        assert_int_equal(read_msr(r, n, &v), EXC_GP);
    }
    cpu_reset(&r->c); /* 9.3: the banks keep their values */
    assert_int_equal(r->c.msr.mc[0x26], 3);
    assert_int_equal(r->c.msr.mcg_ctl, 0);
    rig_destroy(r);
}

/* SDM 3B 15.3, 3A 2.5: without CPUID's bits there are no registers, and CR4.MCE is reserved. */
static void machine_check_is_cpuids(void **state)
{
    static const u32 registers[] = { 0x179, 0x17a, 0x17b, 0x400, 0x401, 0x427 };
    struct test_rig *r = rig_protected(0);
    u64 v;

    (void)state;
    r->c.features = ~BIT(FEAT_MCA);
    for (unsigned i = 0; i < ARRAY_LEN(registers); i++) {
        r->c.gpr[RSP] = STACK0 - 0x100;
        assert_int_equal(read_msr(r, registers[i], &v), EXC_GP);
        assert_int_equal(write_msr(r, registers[i], 0), EXC_GP);
    }
    for (int there = 0; there < 2; there++) {
        r->c.features = there ? ~0ull : ~BIT(FEAT_MCE);
        CODE_BYTES(r, 0x0f, 0x22, 0xe0, 0xf4); /* mov cr4, eax */
        r->c.rip = CODE;
        r->c.halted = HALT_NONE;
        r->c.gpr[RAX] = CR4_MCE;
        assert_int_equal(run_to_fault(r), there ? -1 : EXC_GP);
        assert_int_equal(r->c.cr4, there ? CR4_MCE : 0);
    }
    rig_destroy(r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(machine_check_registers),
        cmocka_unit_test(machine_check_is_cpuids),
        cmocka_unit_test(the_apics_registers_are_those_of_cpuid),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
