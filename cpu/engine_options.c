/*
 * The words of -accel that say how an engine is to run.
 */
#include "cpu/engine_options.h"
#include <stdlib.h>
#include <string.h>

bool engine_option(struct engine_options *e, u32 *tlb_capacity, const char *name, const char *value)
{
    char *end = "x";
    unsigned long n = value ? strtoul(value, &end, 0) : 0;
    bool number = value && *value && !*end;

    if (!strcmp(name, "check"))
        e->check_hits = !value || !strcmp(value, "on");
    else if (!strcmp(name, "perf"))
        e->perf_map = !value || !strcmp(value, "on");
    else if (!strcmp(name, "gdb"))
        e->gdb_names = !value || !strcmp(value, "on");
    else if (!strcmp(name, "cache") && number && n >= 1 && n <= 1024)
        e->cache_bytes = (u64)n << 20;
    else if (!strcmp(name, "block") && number && n >= 1 && n <= UINT32_MAX)
        e->block_insns = (u32)n;
    else if (!strcmp(name, "tlb") && number && n >= TLB_CAPACITY_MIN && n <= TLB_CAPACITY_MAX)
        *tlb_capacity = (u32)n;
    else if (!strcmp(name, "hot") && number && n <= UINT32_MAX) {
        e->from_first = n == 0;
        e->hot = (u32)n;
    } else {
        return false;
    }
    return true;
}
