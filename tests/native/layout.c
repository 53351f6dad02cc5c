/*
 * The address space and the descriptors that both sides have in common.
 */
#include "tests/native/host.h"

const struct region_def regions[NR_REGIONS] = {
    [R_LOW] = { 0x8000, 1, true, false, 0x5000 },
    [R_CODE] = { 0x10000000, CODE_PAGES, false, true, NO_IMAGE },
    [R_DATA] = { 0x20000000, 2, true, false, 0 },
    [R_CONST] = { 0x20004000, 1, false, false, NO_IMAGE },
    [R_STACK] = { 0x30000000, 2, true, false, 0x2000 },
    [R_TOP] = { 0xfffff000, 1, true, false, 0x6000 },
    [R_HIGH] = { 0x654321000000, 1, true, false, 0x4000 },
};

/* SDM 3A 3.4.5: base, limit, then type with S, DPL 3 and P, then AVL, L, D, G. */
#define DESC(base, limit, type, p, flags)                                                          \
    ((u64)((limit)&0xffff) | (u64)((base)&0xffffff) << 16 | (u64)(type) << 40 | 1ull << 44 |       \
     3ull << 45 | (u64)(p) << 47 | (u64)((limit) >> 16) << 48 | (u64)(flags) << 52 |               \
     (u64)((u32)(base) >> 24) << 56)

/* The accessed bit is set, as the Linux kernel's modify_ldt does. */
const u64 ldt_descriptors[NR_LDT] = {
    [LDT_DATA32] = DESC(0x20000000u, 0x01fffu, 3, 1, 4),
    [LDT_DATA16] = DESC(0x1fffc000u, 0x0ffffu, 3, 1, 4),
    [LDT_DOWN] = DESC(0u, 0x20000u, 7, 1, 0xc),
    [LDT_RO] = DESC(0u, 0xfffffu, 1, 1, 0xc),
    [LDT_XO] = DESC(0u, 0xfffffu, 9, 1, 0xc),
    [LDT_NP] = DESC(0u, 0xfffffu, 3, 0, 0xc),
    [LDT_CODE32] = DESC(0u, 0xfffffu, 11, 1, 0xc),
    [LDT_CODE16] = DESC(0x10000000u, 0x01fffu, 11, 1, 0),
    [LDT_STACK16] = DESC(0x30000000u, 0x01fffu, 3, 1, 0),
};

u64 ldt_entry(const struct host_facts *f, unsigned index)
{
    u64 d = ldt_descriptors[index];

    return !f->ldt || (!f->ldt16 && !bits(d, 54, 54)) ? 0 : d;
}
