/*
 * The frame allocator: a cursor that climbs through the usable ranges, and a list of freed frames
 * that is threaded through the frames themselves (the first word holds the next one's address).
 * Nothing is touched before it is given out, so start-up costs no time however large memory is.
 *
 * While the tables of boot.S are in force, only frames below EARLY_MAP_BYTES can be zeroed; the
 * ranges are sorted, so that the first frames, which become page tables, are the low ones.
 */
#include "guestos/mm/frames.h"
#include "guestos/kernel/panic.h"
#include "guestos/kernel/string.h"
#include "guestos/mm/layout.h"

static struct frame_range ranges[BOOT_MAX_RANGES * 2];
static u32 nr_ranges, current;
static u64 cursor, first_freed, nr_total, nr_free;

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
    ranges[at] = (struct frame_range){begin, end};
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

void frames_init(const struct boot_info *boot)
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
        nr_total += (ranges[i].end - ranges[i].begin) / PAGE_BYTES;
    }
    nr_free = nr_total;
    current = 0;
    cursor = nr_ranges ? ranges[0].begin : 0;
}

u64 frame_alloc(void)
{
    u64 pa = first_freed;

    if (pa) {
        first_freed = *(u64 *)direct(pa);
    } else {
        while (current < nr_ranges && cursor == ranges[current].end) {
            current++;
            cursor = current < nr_ranges ? ranges[current].begin : 0;
        }
        if (current == nr_ranges) {
            return NO_FRAME;
        }
        pa = cursor;
        cursor += PAGE_BYTES;
    }
    nr_free--;
    memset(direct(pa), 0, PAGE_BYTES);
    return pa;
}

void frame_free(u64 pa)
{
    ASSERT(pa && pa % PAGE_BYTES == 0);
    *(u64 *)direct(pa) = first_freed;
    first_freed = pa;
    nr_free++;
}

u64 frames_total(void)
{
    return nr_total;
}

u64 frames_free(void)
{
    return nr_free;
}

const struct frame_range *frames_ranges(u32 *nr)
{
    *nr = nr_ranges;
    return ranges;
}
