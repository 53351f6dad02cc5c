/*
 * Linear memory: paging, the architectural TLB, and the accesses of instructions.
 *
 * Accesses may raise #PF or #AC and then nothing has changed. Linear addresses are already
 * truncated to 32 bits outside of 64-bit mode. "sys" accesses (descriptor tables, TSS) are made
 * with supervisor rights whatever the CPL, and to no user page under SMAP (SDM 3A 4.6.1).
 */
#ifndef MMU_MMU_H
#define MMU_MMU_H

#include "core/types.h"
#include "cpu/cpu.h"

enum access {
    ACC_READ = 0,
    ACC_WRITE = 1,
    ACC_EXEC = 2,
    ACC_KIND = 3,
    ACC_SYS = 4,   /* implicit: supervisor whatever the CPL */
    ACC_INNER = 8, /* explicit, of the level that is being entered: a push onto its stack */
};

u64 mmu_load_slow(struct cpu *, u64 lin, unsigned size, unsigned access);
void mmu_store_slow(struct cpu *, u64 lin, u64 val, unsigned size, unsigned access);

/* Where a linear address is on the host, by the entry that has its page. */
static inline void *fast_host(const struct fast_entry *e, u64 lin)
{
    return (void *)(uintptr_t)(e->host + (lin - e->tag));
}

static inline u64 mmu_load(struct cpu *c, u64 lin, unsigned size)
{
    const struct fast_entry *e = &c->fast->read[(lin >> 12) & (FAST_ENTRIES - 1)];
    if (LIKELY(lin - e->tag <= 4096 - size))
        return load_le(fast_host(e, lin), size);
    return mmu_load_slow(c, lin, size, ACC_READ);
}

static inline void mmu_store(struct cpu *c, u64 lin, u64 val, unsigned size)
{
    const struct fast_entry *e = &c->fast->write[(lin >> 12) & (FAST_ENTRIES - 1)];
    if (LIKELY(lin - e->tag <= 4096 - size))
        store_le(fast_host(e, lin), val, size);
    else
        mmu_store_slow(c, lin, val, size, ACC_WRITE);
}

/* Sixteen bytes. mmu_view16 returns where they can be read at once, or *tmp filled. */
void mmu_load16_slow(struct cpu *, u64 lin, struct xmm *);
void mmu_store16_slow(struct cpu *, u64 lin, const struct xmm *);
static inline const void *mmu_view16(struct cpu *c, u64 lin, struct xmm *tmp)
{
    const struct fast_entry *e = &c->fast->read[(lin >> 12) & (FAST_ENTRIES - 1)];
    if (LIKELY(lin - e->tag <= 4096 - 16))
        return fast_host(e, lin);
    mmu_load16_slow(c, lin, tmp);
    return tmp;
}

static inline void mmu_load16(struct cpu *c, u64 lin, struct xmm *out)
{
    struct xmm tmp;
    memcpy(out, mmu_view16(c, lin, &tmp), 16);
}

static inline void mmu_store16(struct cpu *c, u64 lin, const struct xmm *v)
{
    const struct fast_entry *e = &c->fast->write[(lin >> 12) & (FAST_ENTRIES - 1)];
    if (LIKELY(lin - e->tag <= 4096 - 16))
        memcpy(fast_host(e, lin), v, 16);
    else
        mmu_store16_slow(c, lin, v);
}

/* The load of a read-modify-write: checks for writing, then reads. */
u64 mmu_load_rmw_slow(struct cpu *, u64 lin, unsigned size);
static inline u64 mmu_load_rmw(struct cpu *c, u64 lin, unsigned size)
{
    const struct fast_entry *e = &c->fast->write[(lin >> 12) & (FAST_ENTRIES - 1)];
    if (LIKELY(lin - e->tag <= 4096 - size))
        return load_le(fast_host(e, lin), size);
    return mmu_load_rmw_slow(c, lin, size);
}

u64 mmu_load_sys(struct cpu *, u64 lin, unsigned size);
void mmu_store_sys(struct cpu *, u64 lin, u64 val, unsigned size);

void mmu_store_inner(struct cpu *, u64 lin, u64 val, unsigned size, unsigned access); /* with ACC_SYS or ACC_INNER */

/* A store with more to it than its kind. */
static inline void mmu_store_as(struct cpu *c, u64 lin, u64 val, unsigned size, unsigned access)
{
    if (access & (ACC_SYS | ACC_INNER))
        mmu_store_inner(c, lin, val, size, access);
    else
        mmu_store(c, lin, val, size);
}

/* Translates len bytes with intent, so that a later access to them cannot fault. */
void mmu_probe(struct cpu *, u64 lin, u64 len, unsigned access);

/* Translates one address for an executed access: may raise; fills the TLB. Returns the physical
 * address. */
u64 mmu_translate(struct cpu *, u64 lin, unsigned access);

/* Fast pointer for bulk operations inside one page: host address, or NULL when the slow path
 * must be used (a device, code on the page). Translation has happened either way. */
void *mmu_host(struct cpu *, u64 lin, unsigned access);

/* Fills the fast set of the present level for an access that is about to be made. */
enum mmu_filled {
    MMU_FILLED,
    MMU_SLOW,  /* it must go the slow way: a device, code on the page (*pa is set), */
    MMU_HARD,  /* a page's end, alignment checks (it is not) */
    MMU_FAULT, /* #PF, which has been noted, is to be delivered */
};
enum mmu_filled mmu_fill(struct cpu *, u64 lin, unsigned size, unsigned access, u64 *pa);

/* Without side effects on TLB, accessed bits or faults. */
bool mmu_peek(struct cpu *, u64 lin, u64 *pa);

/* CR3 load under PAE paging: reads the four PDPTEs; raises #GP(0) on reserved bits. */
void mmu_load_pdptes(struct cpu *, u64 cr3, u64 out[4]);

/* Architectural invalidation. */
void mmu_flush_all(struct cpu *);        /* global pages too */
void mmu_flush_nonglobal(struct cpu *);                /* of all PCIDs */
void mmu_flush_pcid(struct cpu *, u16 pcid);           /* its entries that are not global */
void mmu_flush_page(struct cpu *, u64 lin);            /* of this PCID, and global */
void mmu_flush_pcid_page(struct cpu *, u16 pcid, u64 lin); /* that is not global */
/* The bit of cpu.fetched for a linear page. */
static inline u64 *mmu_fetched(struct cpu *c, u64 lin, u64 *bit)
{
    unsigned h = (unsigned)((lin >> 12) * 0x9e3779b97f4a7c15ull >> 56);

    *bit = BIT(h & 63);
    return &c->fetched[h >> 6];
}

void mmu_flush_fast(struct cpu *);       /* only the caches of the TLB: rights or the map changed */

/* mmu/tlb.c: the architectural TLB. */
struct tlb_entry {
    u64 key;  /* mmu/tlb.c: linear page, and PCID or global; 0: empty */
    u64 pa;   /* of the 4 KiB page */
    u8 flags; /* enum tlb_flag */
    u8 level; /* page size: 0 4 KiB, 1 2 or 4 MiB, 2 1 GiB */
};
enum tlb_flag { TLB_W = 1, TLB_U = 2, TLB_NX = 4, TLB_D = 8, TLB_G = 16 };
#define TLB_CAPACITY 16384 /* entries kept before a whole flush */
#define TLB_SLOTS    32768
#define TLB_LISTED   1024
#define TLB_BUCKETS  256
struct tlb_table {
    u32 nr;                  /* entries */
    u32 nr_filled;           /* slots since it was empty; beyond TLB_LISTED no list is kept */
    u16 filled[TLB_LISTED];  /* so that a flush need not visit all; some may be empty again */
    u16 large[TLB_BUCKETS];  /* how many fragments of large pages there are, by a hash of the page */
    struct tlb_entry slot[TLB_SLOTS];
};
struct tlb {
    u64 nr_fills, nr_flushes;
    struct tlb_table spaces, global; /* entries of one address space; of all of them */
};
static inline u32 tlb_nr(const struct tlb *t)
{
    return t->spaces.nr + t->global.nr;
}
struct tlb *tlb_create(void);
const struct tlb_entry *tlb_find(const struct tlb *, u16 pcid, u64 lin);
void tlb_insert(struct cpu *, u64 lin, u64 pa, u8 flags, u8 level);
/* The page that maps lin, all of it when large. Returns what was dropped, bit by bit: nothing that caches
 * the TLB can have more. */
enum tlb_dropped {
    TLB_DROPPED_NONE = 0,
    TLB_DROPPED_PAGE = 1, /* lin's 4 KiB */
    TLB_DROPPED_MORE = 2, /* fragments of a large page */
};
enum tlb_dropped tlb_drop(struct tlb *, u16 pcid, u64 lin, bool global_too);
void tlb_drop_all(struct tlb *);
void tlb_drop_nonglobal(struct tlb *);
void tlb_drop_pcid(struct tlb *, u16 pcid); /* but what is global */

/* The address space that runs; 0 without CR4.PCIDE (SDM 3A 4.10.1). */
static inline u16 mmu_pcid(const struct cpu *c)
{
    return c->cr4 & CR4_PCIDE ? c->cr3 & 0xfff : 0;
}
u64 tlb_hash(const struct tlb *, u64 seed); /* independent of slot order */

/* The entries by rising key; free() them. NULL: no memory. */
struct tlb_entry *tlb_list(const struct tlb *, u32 *nr);
/* Takes entries into an empty TLB. False: there is one that cannot be, or too many. */
bool tlb_take(struct tlb *, const struct tlb_entry *, u32 nr);

#endif
