/*
 * The interpreter's cache of decoded code: blocks of instructions, keyed by the backing offset of
 * their first byte and the part of the mode word that decoding depends on. Aliases of a page
 * share its blocks. Blocks do not cross pages, but for an instruction that does: it is a block of
 * its own, and whoever comes to it looks where its second part lies and whether that is the same.
 */
#ifndef CPU_BLOCK_H
#define CPU_BLOCK_H

#include "core/mem_view.h"
#include "cpu/cpu.h"

struct op {
    exec_fn *fn;
    struct insn in;
};

#define BLOCK_MAX_OPS 48
#define NO_BACKING    (~0ull)

/* Where a block went last: good while nothing that lookup depends on has changed. */
struct block_link {
    struct block *to;
    u64 lin;
    u32 mode, epoch;
};

struct block {
    u64 off; /* backing offset of the first byte; NO_BACKING: the bytes are in raw */
    u64 tail; /* of one that crosses a page: backing offset of the second; its bytes are in raw, too */
    u32 mode;
    u16 nr_ops, nr_bytes;
    bool dead, crosses;
    u8 raw[16];
    struct block *hash_next;
    struct block *page_next;
    struct block_link link[2]; /* a conditional jump has two ways on */
    u8 link_turn;              /* the one to be replaced next */
    u32 runs;                  /* the JIT's: how often it was interpreted, and what was made of it */
    void *translations;
    bool no_ranges;
    u8 samples; /* how often slices ended here */
    u64 no_slot; /* bit per instruction: its accesses are all over the place */
    struct op ops[];
};

/* Whether the instruction is what its row says, and no more: not one that raises, counts or checks first. */
bool block_op_plain(const struct op *);
/* Whether it is that at level 0. */
bool block_op_plain_at_0(const struct op *);

struct block_cache;

/* dropped (may be NULL) is told of each block that has translations and dies. */
typedef void block_dropped(void *h, struct block *);
struct block_cache *block_cache_create(struct cpu *, block_dropped *, void *h);
void block_cache_destroy(struct block_cache *);

/* The block at the present CS:RIP: found or decoded. Raises #PF or #GP of the fetch. The block
 * lives until the next call. */
struct block *block_lookup(struct block_cache *);

/* The same, but NULL where the next instruction is not kept: it crosses a page or lies in a device. Its
 * bytes have not been fetched then. */
struct block *block_lookup_kept(struct block_cache *);

/* The same, from where the block `from` (NULL: none) has left off. */
struct block *block_lookup_from(struct block_cache *, struct block *from);

/* Whether the second part of a block that crosses a page has the bytes that it was made from. */
static inline bool block_tail_same(const struct cpu *c, const struct block *b)
{
    unsigned n = (unsigned)(PAGE_SIZE - (b->off & (PAGE_SIZE - 1)));

    return !memcmp(c->cfg.view->backing + b->tail, b->raw + n, b->nr_bytes - n);
}

/* Bytes of the backing have changed: drops the blocks that were made from them. Returns whether
 * there were any. */
bool block_invalidate(struct block_cache *, u64 off, u64 len);

/* Whether bytes within a page of the backing may be code: some block is within 16 bytes of them. */
bool block_near(const struct block_cache *, u64 off, u64 len);

/* Drops all. */
void block_drop_all(struct block_cache *);

struct block_stats {
    u64 decoded, invalidations, flushes;
};
struct block_stats block_cache_stats(const struct block_cache *);

#endif
