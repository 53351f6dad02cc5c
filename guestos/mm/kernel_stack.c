/*
 * Stacks of threads. KERNEL_STACKS is cut into slots: an unmapped guard page, then the stack. A map
 * with one bit for each slot says which are in use. An overflow runs into the guard page, faults
 * without a stack to push to, and becomes a double fault with a report, not silent damage.
 */
#include "guestos/kernel/panic.h"
#include "guestos/kernel/thread.h"
#include "guestos/mm/frames.h"
#include "guestos/mm/layout.h"
#include "guestos/mm/paging.h"

#define SLOT_BYTES (PAGE_BYTES + KERNEL_STACK_BYTES)
#define NR_SLOTS   40000u /* more than there can be threads: pid_max is 32768 */

static struct spinlock lock = SPINLOCK_INIT("kernel stacks");
static u64 used[(NR_SLOTS + 63) / 64];
static u32 first_candidate; /* no word before this one has a free slot */

static u64 slot_stack(u32 slot)
{
    return KERNEL_STACKS + (u64)slot * SLOT_BYTES + PAGE_BYTES;
}

/* A free slot, now in use; NR_SLOTS: none. */
static u32 take_slot(void)
{
    spin_lock(&lock);
    while (first_candidate < ARRAY_LEN(used) && used[first_candidate] == ~0ul) {
        first_candidate++;
    }
    u32 slot = NR_SLOTS;
    if (first_candidate < ARRAY_LEN(used)) {
        u32 bit = (u32)__builtin_ctzl(~used[first_candidate]);
        slot = MIN(first_candidate * 64 + bit, NR_SLOTS);
        if (slot < NR_SLOTS) {
            used[first_candidate] |= 1ul << bit;
        }
    }
    spin_unlock(&lock);
    return slot;
}

static void give_slot(u32 slot)
{
    spin_lock(&lock);
    ASSERT(used[slot / 64] >> slot % 64 & 1);
    used[slot / 64] &= ~(1ul << slot % 64);
    first_candidate = MIN(first_candidate, slot / 64);
    spin_unlock(&lock);
}

static void unmap(u64 stack, u64 bytes)
{
    for (u64 at = 0; at < bytes; at += PAGE_BYTES) {
        frame_free(kernel_unmap_page(stack + at));
    }
}

u64 kernel_stack_alloc(void)
{
    u32 slot = take_slot();

    if (slot == NR_SLOTS) {
        return 0;
    }
    u64 stack = slot_stack(slot);
    for (u64 at = 0; at < KERNEL_STACK_BYTES; at += PAGE_BYTES) {
        u64 pa = frame_alloc();
        if (pa == NO_FRAME || !kernel_map_page(stack + at, pa)) {
            if (pa != NO_FRAME) {
                frame_free(pa);
            }
            unmap(stack, at);
            give_slot(slot);
            return 0;
        }
    }
    return stack;
}

void kernel_stack_free(u64 stack)
{
    u64 slot = (stack - KERNEL_STACKS) / SLOT_BYTES;

    ASSERT(slot < NR_SLOTS && stack == slot_stack((u32)slot));
    unmap(stack, KERNEL_STACK_BYTES);
    give_slot((u32)slot);
}
