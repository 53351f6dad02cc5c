/*
 * Instructions in memory as text.
 */
#include "machine/debug.h"
#include "machine/disasm.h"
#include "machine/inspect.h"
#include <inttypes.h>

void inspect_code(struct machine *m, FILE *f, u64 at, bool physical, u64 count)
{
    struct disasm *d = disasm_create();
    u64 base = machine_reg(m, DR_PC) - machine_reg(m, DR_RIP);

    for (; d && count; count--) {
        u8 bytes[15];
        char hex[3 * sizeof(bytes) + 1] = "";
        u64 got = physical ? machine_peek_phys(m, at, bytes, sizeof(bytes))
                           : machine_read_linear(m, at, bytes, sizeof(bytes));
        struct disasm_insn in;
        unsigned len;

        if (!got) {
            fprintf(f, "0x%08" PRIx64 ": unable to read memory\n", at);
            break;
        }
        /* Targets of branches are offsets in CS, as the trace shows them. */
        in = disasm_at(d, bytes, (unsigned)got, machine_code_bits(m), physical ? at : at - base);
        len = in.len ? in.len : 1;
        for (unsigned i = 0; i < len; i++)
            sprintf(hex + 3 * i, "%02x ", bytes[i]);
        fprintf(f, "0x%08" PRIx64 ":  %-24s %s\n", at, hex, in.text);
        at += len;
    }
    disasm_destroy(d);
}
