/* Memory for option ROMs while POST runs (POST Memory Manager Specification 1.01).
 *
 * Below 1 MiB blocks come from 20000h to 80000h, which is the boot sector's afterwards. Above, what
 * a ROM keeps for good comes from the top of RAM and leaves the memory map; other blocks come from
 * its middle on and are not cleared, so that they last until something is booted over them. */
#include "bda.h"
#include "entry.h"
#include "memory.h"
#include "rom.h"
#include "tables.h"

enum { ALLOCATE, FIND, DEALLOCATE };
enum { CONVENTIONAL = 1, EXTENDED = 2, ALIGNED = 4, PERMANENT = 8, ANONYMOUS = 0xFFFFFFFF };
enum { LOW_START = 0x20000, LOW_END = 0x80000, BLOCKS = 16, MIB = 1 << 20 };

static struct { u32 handle, pa, bytes; } block[BLOCKS];
static u32 high_start;

void pmm_open(void)
{
    high_start = (memory_usable_end() / 2 + MIB) & ~(u32)(MIB - 1);
    anchor_sum((u16)(u32)anchor_pmm, 6, 16);
}

/* After POST there is no such manager (3.1): its signature goes. */
void pmm_close(void)
{
    poke32(0xF000, (u32)anchor_pmm, 0);
}

/* The first free address of an arena that bytes fit at, 0 if there is none. */
static u32 fit(u32 start, u32 end, u32 bytes, u32 align)
{
    u32 at = (start + align - 1) & ~(align - 1);
    for (unsigned i = 0; i < BLOCKS; i++) {
        if (block[i].bytes == 0 || block[i].pa >= at + bytes || block[i].pa + block[i].bytes <= at)
            continue;
        at = (block[i].pa + block[i].bytes + align - 1) & ~(align - 1);
        i = (unsigned)-1; /* from the first block again */
    }
    return at < end && end - at >= bytes ? at : 0;
}

static u32 find(u32 handle)
{
    for (unsigned i = 0; handle != ANONYMOUS && i < BLOCKS; i++) {
        if (block[i].bytes != 0 && block[i].handle == handle)
            return block[i].pa;
    }
    return 0;
}

static u32 allocate(u32 paragraphs, u32 handle, u16 flags)
{
    u32 high_end = memory_usable_end(), bytes = paragraphs * 16, align = 16, pa = 0;
    unsigned i = 0;
    if (paragraphs == 0) { /* how much is the largest block? */
        u32 room = flags & EXTENDED ? high_end - high_start : LOW_END - LOW_START;
        return room / 16;
    }
    if (flags & ALIGNED) /* to the lowest bit of the length, 4.1 */
        align = bytes & -bytes;
    while (i < BLOCKS && block[i].bytes != 0)
        i++;
    if (i == BLOCKS || paragraphs > 0x0FFFFFFF || find(handle) != 0)
        return 0;
    if (flags & CONVENTIONAL)
        pa = fit(LOW_START, LOW_END, bytes, align);
    if (pa == 0 && flags & EXTENDED && flags & PERMANENT && align <= 4096) {
        u32 size = (bytes + 4095) & ~4095u;
        if (high_end > size && fit(high_end - size, high_end, size, 4096) == high_end - size)
            pa = memory_take_top(size, E820_RESERVED);
    }
    if (pa == 0 && flags & EXTENDED && !(flags & PERMANENT))
        pa = fit(high_start, high_end, bytes, align);
    if (pa == 0)
        return 0;
    block[i].handle = handle;
    block[i].pa = pa;
    block[i].bytes = bytes;
    return pa;
}

void pmm_services(struct regs *r)
{
    u32 result = 0xFFFFFFFF;
    if (r->ax == ALLOCATE) {
        result = allocate(r->ebx, r->ecx, r->dx);
    } else if (r->ax == FIND) {
        result = find(r->ebx);
    } else if (r->ax == DEALLOCATE) {
        result = 1;
        for (unsigned i = 0; i < BLOCKS; i++) {
            if (block[i].bytes != 0 && block[i].pa == r->ebx)
                result = block[i].bytes = 0;
        }
    }
    r->ax = (u16)result;
    r->dx = (u16)(result >> 16);
}
