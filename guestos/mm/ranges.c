/*
 * Which physical memory is ours: the loader's map, cut to whole frames, without the first MiB, the
 * kernel's image and the loader's modules. Before there are struct pages, a cursor hands out the
 * first of it, which becomes the kernel's page tables; those frames are never given back.
 *
 * While the tables of boot.S are in force, only frames below EARLY_MAP_BYTES can be zeroed; the
 * ranges are sorted, so that the first frames are the low ones.
 */
#include "guestos/mm/ranges.h"
#include "guestos/kernel/string.h"
#include "guestos/mm/layout.h"

static struct frame_range ranges[BOOT_MAX_RANGES * 2];
static u32 nr_ranges;

extern const char kernel_end[]; /* kernel.ld; virtual */

static void add(u64 begin, u64 end)
{
    begin = (begin + PAGE_BYTES - 1) & ~(u64)(PAGE_BYTES - 1);
    end &= ~(u64)(PAGE_BYTES - 1);
    if (end > DIRECT_MAP_BYTES) {
        end = DIRECT_MAP_BYTES;
    }
    if (begin >= end || nr_ranges == ARRAY_LEN(ranges)) {
        return;
    }
    u32 at = nr_ranges++;
    for (; at > 0 && ranges[at - 1].begin > begin; at--) {
        ranges[at] = ranges[at - 1];
    }
    ranges[at] = (struct frame_range){.begin = begin, .end = end};
}

/* Cuts [begin, end) out of every range. */
static void exclude(u64 begin, u64 end)
{
    struct frame_range old[ARRAY_LEN(ranges)];
    u32 nr_old = nr_ranges;

    memcpy(old, ranges, sizeof old);
    nr_ranges = 0;
    for (u32 i = 0; i < nr_old; i++) {
        if (old[i].end <= begin || old[i].begin >= end) {
            add(old[i].begin, old[i].end);
            continue;
        }
        if (old[i].begin < begin) {
            add(old[i].begin, begin);
        }
        if (old[i].end > end) {
            add(end, old[i].end);
        }
    }
}

void ranges_init(const struct boot_info *boot)
{
    for (u32 i = 0; i < boot->nr_ranges; i++) {
        const struct boot_range *r = &boot->range[i];
        if (r->is_ram) {
            /* Firmware's maps may overlap: what was added before is not added again. */
            exclude(r->base, r->base + r->bytes);
            add(r->base, r->base + r->bytes);
        }
    }
    for (u32 i = 0; i < boot->nr_ranges; i++) {
        const struct boot_range *r = &boot->range[i];
        if (!r->is_ram) {
            exclude(r->base & ~(u64)(PAGE_BYTES - 1), r->base + r->bytes + PAGE_BYTES - 1);
        }
    }
    exclude(0, LOW_MEMORY_END);
    exclude(KERNEL_LOAD, (u64)kernel_end - KERNEL_BASE);
    for (u32 i = 0; i < boot->nr_modules; i++) {
        const struct boot_module *m = &boot->module[i];
        exclude(m->base & ~(u64)(PAGE_BYTES - 1), m->base + m->bytes + PAGE_BYTES - 1);
    }
    for (u32 i = 0; i < nr_ranges; i++) {
        ranges[i].first = ranges[i].begin;
    }
}

u64 ranges_take_early(void)
{
    for (u32 i = 0; i < nr_ranges; i++) {
        struct frame_range *r = &ranges[i];
        if (r->first < r->end) {
            r->first += PAGE_BYTES;
            return r->first - PAGE_BYTES;
        }
    }
    return NO_FRAME;
}

struct frame_range *ranges_all(u32 *nr)
{
    *nr = nr_ranges;
    return ranges;
}
