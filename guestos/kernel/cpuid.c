/* CPUID, for people and for the few features that the kernel asks for. SDM 2A, CPUID. */
#include "guestos/kernel/console.h"
#include "guestos/kernel/cpu.h"
#include "guestos/kernel/string.h"
#include "guestos/kernel/x86.h"

#define LEAF_EXTENDED 0x80000000u
#define LEAF_BRAND    0x80000002u /* and the two after it */

enum feature_register { L1_EDX, L1_ECX, L7_EBX, L7_ECX, L7_EDX, X1_EDX, X1_ECX, NR_REGISTERS };

/* In the order of the manual's tables, register by register. */
static const struct feature {
    u8 reg, bit;
    const char *name;
} features[] = {
    {L1_EDX, 0, "fpu"},         {L1_EDX, 1, "vme"},       {L1_EDX, 2, "de"},
    {L1_EDX, 3, "pse"},         {L1_EDX, 4, "tsc"},       {L1_EDX, 5, "msr"},
    {L1_EDX, 6, "pae"},         {L1_EDX, 7, "mce"},       {L1_EDX, 8, "cx8"},
    {L1_EDX, 9, "apic"},        {L1_EDX, 11, "sep"},      {L1_EDX, 12, "mtrr"},
    {L1_EDX, 13, "pge"},        {L1_EDX, 14, "mca"},      {L1_EDX, 15, "cmov"},
    {L1_EDX, 16, "pat"},        {L1_EDX, 17, "pse36"},    {L1_EDX, 19, "clflush"},
    {L1_EDX, 23, "mmx"},        {L1_EDX, 24, "fxsr"},     {L1_EDX, 25, "sse"},
    {L1_EDX, 26, "sse2"},       {L1_EDX, 28, "htt"},      {L1_ECX, 0, "sse3"},
    {L1_ECX, 1, "pclmul"},      {L1_ECX, 3, "monitor"},   {L1_ECX, 5, "vmx"},
    {L1_ECX, 9, "ssse3"},       {L1_ECX, 12, "fma"},      {L1_ECX, 13, "cx16"},
    {L1_ECX, 17, "pcid"},       {L1_ECX, 19, "sse4.1"},   {L1_ECX, 20, "sse4.2"},
    {L1_ECX, 21, "x2apic"},     {L1_ECX, 22, "movbe"},    {L1_ECX, 23, "popcnt"},
    {L1_ECX, 24, "tscdl"},      {L1_ECX, 25, "aes"},      {L1_ECX, 26, "xsave"},
    {L1_ECX, 28, "avx"},        {L1_ECX, 29, "f16c"},     {L1_ECX, 30, "rdrand"},
    {L1_ECX, 31, "hypervisor"}, {L7_EBX, 0, "fsgsbase"},  {L7_EBX, 3, "bmi1"},
    {L7_EBX, 5, "avx2"},        {L7_EBX, 7, "smep"},      {L7_EBX, 8, "bmi2"},
    {L7_EBX, 9, "erms"},        {L7_EBX, 10, "invpcid"},  {L7_EBX, 16, "avx512f"},
    {L7_EBX, 18, "rdseed"},     {L7_EBX, 19, "adx"},      {L7_EBX, 20, "smap"},
    {L7_EBX, 23, "clflushopt"}, {L7_EBX, 24, "clwb"},     {L7_EBX, 29, "sha"},
    {L7_ECX, 2, "umip"},        {L7_ECX, 3, "pku"},       {L7_ECX, 16, "la57"},
    {L7_ECX, 22, "rdpid"},      {L7_EDX, 4, "fsrm"},      {X1_EDX, 11, "syscall"},
    {X1_EDX, 20, "nx"},         {X1_EDX, 26, "1gpages"},  {X1_EDX, 27, "rdtscp"},
    {X1_EDX, 29, "lm"},         {X1_ECX, 0, "lahf"},      {X1_ECX, 2, "svm"},
    {X1_ECX, 5, "abm"},         {X1_ECX, 8, "prefetchw"},
};

static void read_features(u32 reg[NR_REGISTERS])
{
    u32 max = cpuid(0, 0).eax;
    struct cpuid_regs r = cpuid(1, 0);

    memset(reg, 0, NR_REGISTERS * sizeof reg[0]);
    reg[L1_EDX] = r.edx;
    reg[L1_ECX] = r.ecx;
    if (max >= 7) {
        r = cpuid(7, 0);
        reg[L7_EBX] = r.ebx;
        reg[L7_ECX] = r.ecx;
        reg[L7_EDX] = r.edx;
    }
    if (cpuid(LEAF_EXTENDED, 0).eax >= LEAF_EXTENDED + 1) {
        r = cpuid(LEAF_EXTENDED + 1, 0);
        reg[X1_EDX] = r.edx;
        reg[X1_ECX] = r.ecx;
    }
}

bool cpu_has_nx(void)
{
    u32 reg[NR_REGISTERS];

    read_features(reg);
    return reg[X1_EDX] >> 20 & 1;
}

void cpu_identify(struct cpu_identity *c)
{
    struct cpuid_regs r = cpuid(0, 0);
    char brand[49] = {0};

    memset(c, 0, sizeof *c);
    c->max_leaf = r.eax;
    memcpy(c->vendor, &r.ebx, 4);
    memcpy(c->vendor + 4, &r.edx, 4);
    memcpy(c->vendor + 8, &r.ecx, 4);
    u32 id = cpuid(1, 0).eax;
    c->stepping = id & 15;
    c->family = id >> 8 & 15;
    c->model = id >> 4 & 15;
    if (c->family == 6 || c->family == 15) {
        c->model |= id >> 12 & 0xF0;
    }
    if (c->family == 15) {
        c->family += id >> 20 & 0xFF;
    }
    if (cpuid(LEAF_EXTENDED, 0).eax >= LEAF_BRAND + 2) {
        for (u32 i = 0; i < 3; i++) {
            r = cpuid(LEAF_BRAND + i, 0);
            memcpy(brand + 16 * i, &r, sizeof r);
        }
    }
    const char *name = brand;
    while (*name == ' ') {
        name++;
    }
    string_copy(c->brand, name, sizeof c->brand);
}

const char *cpu_feature(u32 number)
{
    u32 reg[NR_REGISTERS];

    read_features(reg);
    for (u32 i = 0; i < ARRAY_LEN(features); i++) {
        const struct feature *f = &features[i];
        if (reg[f->reg] >> f->bit & 1 && number-- == 0) {
            return f->name;
        }
    }
    return NULL;
}

void cpu_describe(void)
{
    struct cpu_identity c;
    u32 column = 80;
    const char *name;

    cpu_identify(&c);
    print("CPU: %s\n", c.brand[0] ? c.brand : "(no brand string)");
    print("     %s, family %u, model %u, stepping %u\n", c.vendor, c.family, c.model, c.stepping);
    for (u32 i = 0; (name = cpu_feature(i)); i++) {
        u32 len = (u32)strlen(name);
        if (column + 1 + len >= 80) {
            print("%s    ", column == 80 ? "" : "\n");
            column = 4;
        }
        print(" %s", name);
        column += 1 + len;
    }
    print("\n");
}
