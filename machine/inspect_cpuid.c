/*
 * "info cpuid": what the guest is told of its processor, leaf by leaf.
 */
#include "cpu/cpu.h"
#include "cpu/cpu_model.h"
#include "machine/inspect.h"
#include "machine/machine.h"

static void print_leaf(const struct cpu *c, FILE *out, u32 n, u32 sub)
{
    u32 r[4];
    char text[17];

    cpu_cpuid(c, n, sub, r);
    if (!(r[0] | r[1] | r[2] | r[3]))
        return;
    for (int i = 0; i < 16; i++) {
        char b = (char)(r[i / 4] >> 8 * (i % 4));
        text[i] = b >= ' ' && b < 0x7f ? b : '.';
    }
    text[16] = 0;
    fprintf(out, "%08x %u  eax=%08x ebx=%08x ecx=%08x edx=%08x  %s\n", n, sub, r[0], r[1], r[2],
            r[3], text);
}

void inspect_cpuid(struct machine *m, FILE *out)
{
    static const u32 first[] = { 0, 0x40000000, 0x80000000 };
    const struct cpu *c = machine_cpu(m);
    const struct machine_config *cfg = machine_config_of(m);

    fprintf(out, "model %s:", cfg->processor.model);
    for (unsigned f = FEAT_NONE + 1; f < NR_FEATURES; f++)
        if (cpu_offers(c, (enum feature)f))
            fprintf(out, " %s", cpu_feature_names[f]);
    fprintf(out, "\n");
    for (unsigned i = 0; i < ARRAY_LEN(first); i++) {
        u32 top[4];

        cpu_cpuid(c, first[i], 0, top);
        for (u32 n = first[i]; n <= top[0]; n++) {
            bool many = n == 4 || n == 0xb || n == 0xd || n == 0x8000001d;

            for (u32 sub = 0; sub < (many ? 4 : 1); sub++)
                print_leaf(c, out, n, sub);
        }
    }
}
