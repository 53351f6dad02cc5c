/*
 * Exceptions, error codes and modes, named.
 */
#include "machine/event_words.h"
#include "cpu/cpu.h"
#include <stdio.h>

static const struct {
    const char *brief, *full;
} vectors[] = {
    [EXC_DE] = {"#DE", "divide error"},
    [EXC_DB] = {"#DB", "debug exception"},
    [EXC_NMI] = {"NMI", "non-maskable interrupt"},
    [EXC_BP] = {"#BP", "breakpoint"},
    [EXC_OF] = {"#OF", "overflow"},
    [EXC_BR] = {"#BR", "BOUND range exceeded"},
    [EXC_UD] = {"#UD", "invalid opcode"},
    [EXC_NM] = {"#NM", "no math coprocessor"},
    [EXC_DF] = {"#DF", "double fault"},
    [EXC_TS] = {"#TS", "invalid TSS"},
    [EXC_NP] = {"#NP", "segment not present"},
    [EXC_SS] = {"#SS", "stack-segment fault"},
    [EXC_GP] = {"#GP", "general protection"},
    [EXC_PF] = {"#PF", "page fault"},
    [EXC_MF] = {"#MF", "x87 floating-point error"},
    [EXC_AC] = {"#AC", "alignment check"},
    [EXC_MC] = {"#MC", "machine check"},
    [EXC_XM] = {"#XM", "SIMD floating-point exception"},
};

const char *vector_short_name(unsigned vector)
{
    return vector < ARRAY_LEN(vectors) && vectors[vector].brief ? vectors[vector].brief : "INT";
}

const char *vector_long_name(unsigned vector)
{
    return vector < ARRAY_LEN(vectors) && vectors[vector].full ? vectors[vector].full : "";
}

void error_code_words(char *out, size_t cap, unsigned vector, u32 error, const char *sep)
{
    *out = 0;
    switch (vector) {
    case EXC_PF: /* SDM 3A figure 4-12 */
        snprintf(out, cap, "%s%s%s%s%s%s%s", error & 1 ? "protection" : "not present", sep,
                 error & 16  ? "fetch"
                 : error & 2 ? "write"
                             : "read",
                 sep, error & 4 ? "user" : "supervisor", error & 8 ? sep : "",
                 error & 8 ? "reserved bit" : "");
        break;
    case EXC_TS:
    case EXC_NP:
    case EXC_SS:
    case EXC_GP: /* SDM 3A figure 6-7 */
        if (error)
            snprintf(out, cap, "%s entry %u%s%s",
                     error & 2   ? "IDT"
                     : error & 4 ? "LDT"
                                 : "GDT",
                     (error >> 3) & 0x1fff, error & 1 ? sep : "", error & 1 ? "external" : "");
        break;
    default: break;
    }
}

const char *mode_name(u32 mode)
{
    static const char *const names[4][3] = {
        {"rm16", "rm32", "rm64"},
        {"vm16", "vm32", "vm64"},
        {"pm16", "pm32", "pm64"},
        {"cm16", "cm32", "lm64"},
    };
    unsigned row = !(mode & MODE_PE) ? 0 : mode & MODE_VM ? 1 : mode & MODE_LMA ? 3 : 2;

    return names[row][mode & MODE_CODE_MASK];
}
