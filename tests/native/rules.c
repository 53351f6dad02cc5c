/*
 * Which rows are compared, and which flags: see rules.h. The rules that depend on operands are
 * written here from the manual's pages, apart from the interpreter that they judge.
 */
#include "tests/native/rules.h"
#include <stdio.h>

static u64 features = ~0ull; /* of the witness; this is a test program */

void rules_witness_has(u64 those)
{
    features = those | BIT(FEAT_NONE);
}

enum row_use row_use(const struct isa_row *r, unsigned code, const char **why)
{
    u16 row = (u16)(r - isa_rows);

    *why = NULL;
    if (r->attr & A_MISSING) {
        *why = "not there yet in the interpreter: #UD or #NM by design";
        return USE_NEVER;
    }
    switch (row) {
    case ROW_SYSCALL: case ROW_SYSENTER:
        *why = "enters the host's kernel";
        return USE_NEVER;
    case ROW_CPUID: case ROW_RDTSC: case ROW_RDTSCP:
        *why = "its result is a fact of the host";
        return USE_NEVER;
    case ROW_SYSEXIT:
        *why = "CPL 0 only; and in long mode AMD has #UD where Intel has #GP(0)";
        return USE_NEVER;
    case ROW_RDPMC:
        *why = "whether it faults is the host kernel's choice (CR4.PCE)";
        return USE_NEVER;
    case ROW_SGDT: case ROW_SIDT: case ROW_SLDT: case ROW_STR: case ROW_SMSW:
        *why = "its result is a fact of the host's kernel, which may also emulate it (UMIP)";
        return USE_NEVER;
    case ROW_CLI: case ROW_STI: case ROW_IN_ALIb: case ROW_IN_AXIb: case ROW_OUT_IbAL:
    case ROW_OUT_IbAX: case ROW_IN_ALDX: case ROW_IN_AXDX: case ROW_OUT_DXAL: case ROW_OUT_DXAX:
    case ROW_INSB: case ROW_INSZ: case ROW_OUTSB: case ROW_OUTSZ:
        *why = "IOPL is 0 in user mode: #GP(0)";
        return USE_FAULT;
    case ROW_UD0: case ROW_UD1: case ROW_UD2: case ROW_RSM:
        *why = "raises #UD, which is its purpose";
        return USE_FAULT;
    case ROW_MONITOR: case ROW_MWAIT: case ROW_CLAC: case ROW_STAC:
        *why = "CPL 0 only: #UD";
        return USE_FAULT;
    case ROW_INVPCID:
        *why = "CPL 0 only: #GP(0), but #UD where the host has it not";
        return USE_NEVER;
    case ROW_INT3: case ROW_INT1: case ROW_INT_Ib:
        *why = "always ends in its exception, which is compared";
        return USE_FAULT;
    case ROW_FNSTENV: case ROW_FNSAVE: case ROW_FXSAVE:
        *why = "stores the host's own instruction and data pointers";
        return USE_NEVER;
    case ROW_XSAVE: case ROW_XRSTOR: case ROW_XGETBV: case ROW_XSETBV:
        *why = "what XCR0 holds is the host kernel's choice";
        return USE_NEVER;
    case ROW_RDRAND: case ROW_RDSEED: case ROW_RDPID:
        *why = "its result is a fact of the host";
        return USE_NEVER;
    case ROW_RDFSBASE: case ROW_RDGSBASE: case ROW_WRFSBASE: case ROW_WRGSBASE:
        *why = "whether it is there is the host kernel's choice (CR4.FSGSBASE)";
        return USE_NEVER;
    }
    if (r->attr & A_CPL0) {
        *why = "CPL 0 only: #GP(0), or #UD";
        return USE_FAULT;
    }
    if (!(features >> isa_feature(r) & 1)) {
        *why = "this host's processor has it not";
        return USE_NEVER;
    }
    if (code != 8 && (r->attr & A_O64)) {
        *why = "only in 64-bit mode";
        return USE_NEVER;
    }
    return USE_RUN;
}

static bool is(const struct insn *in, u16 first, u16 last)
{
    return in->row >= first && in->row <= last;
}

static u64 value(const struct cpu *c, const struct insn *in, int i)
{
    return in->kind[i] == K_IMM ? in->imm : c->gpr[in->reg[i]];
}

static bool rotate(const struct insn *in) { return is(in, ROW_ROL_EbIb, ROW_RCR_EvCL); }
static bool shift(const struct insn *in) { return is(in, ROW_SHL_EbIb, ROW_SAR_EvCL); }
static bool dshift(const struct insn *in) { return is(in, ROW_SHLD_EvGvIb, ROW_SHRD_EvGvCL); }
static bool by_count(const struct insn *in) { return rotate(in) || shift(in) || dshift(in); }

static unsigned count_of(const struct cpu *c, const struct insn *in)
{
    return value(c, in, dshift(in) ? 2 : 1) & (in->opsz == 8 ? 63 : 31);
}

struct flag_rule flag_rule(const struct cpu *c, const struct insn *in)
{
    const struct isa_row *r = &isa_rows[in->row];
    struct flag_rule f = { r->writes & ~r->undefined & F_ARITH, r->undefined & F_ARITH };
    unsigned width = 8u * in->opsz, n;

    if (by_count(in)) {
        n = count_of(c, in);
        if (n == 0)
            return (struct flag_rule){ 0, 0 };
        f.defined = rotate(in) ? F_C : F_C | F_SZP;
        f.undefined = rotate(in) ? 0 : F_A;
        if (n == 1)
            f.defined |= F_O;
        else
            f.undefined |= F_O;
        /* CF of SHL and SHR for counts of the width and above; not of SAR. */
        if (shift(in) && in->row < ROW_SAR_EbIb && n >= width) {
            f.defined &= ~(u32)F_C;
            f.undefined |= F_C;
        }
        if (dshift(in) && n > width)
            f = (struct flag_rule){ 0, F_ARITH };
        return f;
    }
    switch (in->row) {
    case ROW_CALLF_Ap: case ROW_CALLF_Mp: case ROW_JMPF_Ap: case ROW_JMPF_Mp:
        return (struct flag_rule){ 0, 0 }; /* but for task switches */
    case ROW_CMPSB: case ROW_CMPSV: case ROW_SCASB: case ROW_SCASV:
        if ((in->pfx & (PFX_REP | PFX_REPNE)) && (c->gpr[RCX] & size_mask(in->adsz)) == 0)
            return (struct flag_rule){ 0, 0 };
    }
    return f;
}

static bool decimal(unsigned row)
{
    return row >= ROW_DAA && row <= ROW_AAD;
}

/* Whether all that the manual leaves open in a row is compared. */
static bool compared(const struct silicon *s, const struct host_facts *f, unsigned row)
{
    return f->own && silicon_exact(s, row) && !decimal(row);
}

struct flag_rule witness_rule(const struct cpu *c, const struct insn *in, const struct host_facts *f)
{
    struct flag_rule rule = flag_rule(c, in);

    if (compared(&c->silicon, f, in->row))
        rule.undefined = 0;
    return rule;
}

u32 flags_read(const struct isa_row *r, const struct insn *in)
{
    static const u32 of_cc[8] = { F_O, F_C, F_Z, F_C | F_Z, F_S, F_P, F_S | F_O, F_S | F_O | F_Z };

    if (r->attr & A_CC)
        return of_cc[in->cc >> 1];
    return r->reads & F_ARITH;
}

bool result_undefined(const struct cpu *c, const struct insn *in, const struct host_facts *f)
{
    if (compared(&c->silicon, f, in->row))
        return false;
    if (dshift(in))
        return count_of(c, in) > 8u * in->opsz;
    return in->row == ROW_BSWAP_Zv && in->opsz == 2;
}

const char *flag_names(u32 flags, char out[64])
{
    static const struct { u32 flag; const char *name; } names[] = {
        { F_C, "CF" }, { F_P, "PF" }, { F_A, "AF" }, { F_Z, "ZF" }, { F_S, "SF" }, { F_O, "OF" },
        { F_T, "TF" }, { F_I, "IF" }, { F_D, "DF" }, { F_NT, "NT" }, { F_RF, "RF" }, { F_AC, "AC" },
        { F_ID, "ID" },
    };

    out[0] = 0;
    for (unsigned i = 0; i < ARRAY_LEN(names); i++)
        if (flags & names[i].flag)
            strcat(strcat(out, out[0] ? " " : ""), names[i].name);
    return out;
}

/* Rows in a run that have the same undefined flags and page make one line. */
static void print_row_masks(const struct host_facts *f, const struct silicon *s)
{
    char a[64];

    for (unsigned i = 1; i < NR_ROWS;) {
        const struct isa_row *r = &isa_rows[i];
        unsigned j = i + 1;
        struct insn in = { .row = (u16)i };

        while (j < NR_ROWS && isa_rows[j].undefined == r->undefined &&
               !strcmp(isa_rows[j].manual, r->manual))
            j++;
        if ((r->undefined & F_ARITH) && !by_count(&in) && !compared(s, f, i))
            printf("  %-14s %-17s %-28s SDM %s\n", r->id, j - i > 1 ? isa_rows[j - 1].id : "",
                   flag_names(r->undefined & F_ARITH, a), r->manual);
        i = j;
    }
}

/* Shifts and rotations, whose masks depend on the count. */
static void print_count_masks(void)
{
    static const char *const rules[][2] = {
        { "ROL ROR RCL RCR: OF when the masked count is above 1", "2B RCL/RCR/ROL/ROR" },
        { "SHL SHR SAR: AF when the masked count is not 0", "2B SAL/SAR/SHL/SHR" },
        { "SHL SHR SAR: OF when the masked count is above 1", "2B SAL/SAR/SHL/SHR" },
        { "SHL SHR: CF when the masked count is the operand's width or more", "2B SAL/SAR/SHL/SHR" },
        { "SHLD SHRD: AF when the masked count is not 0; OF when above 1", "2B SHLD, SHRD" },
        { "SHLD SHRD: all six when the masked count is above the width", "2B SHLD, SHRD" },
        { "any of these: nothing is changed, so nothing masked, when the masked count is 0",
          "2B, the same pages" },
    };

    for (unsigned i = 0; i < ARRAY_LEN(rules); i++)
        printf("  %s; SDM %s\n", rules[i][0], rules[i][1]);
}

static bool counts_compared(const struct host_facts *f, const struct silicon *s)
{
    return compared(s, f, ROW_SHL_EvCL) && compared(s, f, ROW_ROL_EvCL) && compared(s, f, ROW_RCL_EvCL) &&
           compared(s, f, ROW_SHLD_EvGvCL);
}

void print_masks(const struct host_facts *f, const struct silicon *s)
{
    char profile[200];

    silicon_text(s, profile, sizeof(profile));
    printf("undefined flags as this host has them: %s%s\n", profile,
           s->unknown ? "; of some rows in no way that is known" : "");
    printf("masks: flags that are not compared, until an instruction defines them again\n");
    print_row_masks(f, s);
    if (!counts_compared(f, s))
        print_count_masks();
    if (f->own)
        printf("masks: destinations: none but of rows above: BSF and BSR of 0, BSWAP of 16 bits and SHLD,\n"
               "  SHRD beyond the width are compared\n");
    else
        printf("masks: destinations that the manual leaves open are not generated: BSWAP of 16\n"
               "  bits (2A BSWAP), SHLD and SHRD beyond the width (2B SHLD, SHRD)\n");
    printf("masks: #PF error code bit 0 for addresses from 7ffffffff000 up: host kernels set it, so\n"
           "  as to hide what they map (SDM 3A 4.7 gives the bit)\n");
    printf("masks: the null selectors 0 to 3 in DS, ES, FS and GS count as equal: the host's kernel\n"
           "  returns to its handler by IRET, which makes them 0 (SDM 2A IRET)\n");
    if (f->fs_lost)
        printf("masks: the selectors in FS and GS at the end of a case: this host's hypervisor does\n"
               "  not keep them over exceptions (measured); MOV from them, PUSH and the bases show them\n");
    if (f->rf_lost)
        printf("masks: RF: this processor does not push it as 1 when an instruction faults (measured\n"
               "  with UD2; SDM 3B 17.3.1.1)\n");
    printf("not generated: F2 and F3 before LOOPE and LOOPNE (reserved, SDM 2A 2.1.1; AMD silicon takes\n"
           "  F2 LOOPE for LOOPNE); VEX behind 66, F2, F3, LOCK or REX (#UD, 2A 2.3.2 to 2.3.4);\n"
           "  LOCK before VERW (#UD, 2A LOCK; this silicon's microcode ignores it) and before MOV\n"
           "  to and from CR (AMD: CR8 where CPUID says so, APM 3 MOV CRn); FS and GS with a base\n"
           "  and an offset that is not canonical while their sum is (SDM 1 3.3.7.1 looks at the sum;\n"
           "  this silicon has #GP)\n");
    if (!f->amd && !*f->emulator)
        printf("not generated on Intel's silicon, whose manual differs from AMD's: 66 before near branches\n"
               "  (SDM 2A 2.2.1.7) and before MOVSXD in 64-bit code, far pointers with offsets of 64 bits,\n"
               "  SYSRET outside of 64-bit code; accesses across 4 GiB (either fault or none, SDM 3A 5.3)\n");
    if (f->ss_is_gp)
        printf("masks: #SS(0) and #GP(0) count as equal: this host's hypervisor reports #SS as #GP\n"
               "  (measured with PUSH; SDM 3A 6.15)\n");
}
