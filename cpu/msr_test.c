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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_apics_registers_are_those_of_cpuid),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
