/*
 * See symbols.h. symbols.awk makes the three tables from `nm` of a first link, in which they are
 * empty: they stand behind the code, so that filling them does not move it (the build checks that).
 */
#include "guestos/kernel/symbols.h"
#include "guestos/mm/layout.h"

extern const u32 symbol_count;
extern const u32 symbol_starts[]; /* KERNEL_BASE + this; ascending */
extern const u32 symbol_names[];  /* where each name is in symbol_text */
extern const char symbol_text[];
extern const char text_begin[], text_end[]; /* kernel.ld.in */

const char *symbol_of(u64 address, u64 *offset)
{
    u32 low = 0, high = symbol_count; /* the last one that starts at or before it lies in between */

    if (address < (u64)text_begin || address >= (u64)text_end) {
        return NULL;
    }
    u64 at = address - KERNEL_BASE;
    while (high - low > 1) {
        u32 middle = low + (high - low) / 2;
        if (symbol_starts[middle] <= at) {
            low = middle;
        } else {
            high = middle;
        }
    }
    if (symbol_count == 0 || symbol_starts[low] > at) {
        return NULL;
    }
    *offset = at - symbol_starts[low];
    return symbol_text + symbol_names[low];
}
