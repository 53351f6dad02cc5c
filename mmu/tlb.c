/*
 * The architectural TLB: what guests can see of translation caching.
 *
 * Two hash tables of 4 KiB translations (fragments of large pages carry their page's level), one of
 * them of global pages. They are filled by the walker alone, on an executed access, and lose entries
 * only by the architecture's invalidations, or all of them when they are full. The fast sets of struct
 * cpu only cache them.
 *
 * An invalidation costs what it drops, not what the tables hold: a flush goes through the list of slots
 * that were filled, and a page's looks for fragments of large pages only where there are some.
 * docs/decisions/002-architectural-tlb.md says why.
 */
#include "core/state.h"
#include "mmu/mmu.h"
#include <stdlib.h>

struct tlb *tlb_create(void)
{
    return calloc(1, sizeof(struct tlb));
}

/*     63     53   52     51      40 39  37 36                1   0
 *    +---------+--------+----------+------+-----------------+---+
 *    |    0    | global |   PCID   |  0   | linear address  | 1 |
 *    +---------+--------+----------+------+-----------------+---+
 *                                            bits 47..12            */
enum { KEY_PCID_SHIFT = 40 };
#define KEY_GLOBAL BIT(52) /* in every address space: PCID is 0 */
#define KEY_SPACE  (~0ull << KEY_PCID_SHIFT)
#define KEY_BITS   (KEY_GLOBAL | 0xfffull << KEY_PCID_SHIFT | (BIT(37) - 1))

static u64 space_of(u16 pcid)
{
    return (u64)pcid << KEY_PCID_SHIFT;
}

static u64 key_of(u64 space, u64 lin)
{
    return space | bits(lin, 47, 12) << 1 | 1;
}

static unsigned slot_of(u64 key)
{
    return (unsigned)((key * 0x9e3779b97f4a7c15ull) >> 49);
}
_Static_assert(TLB_SLOTS == 1 << (64 - 49), "slot_of() yields slot numbers");

/* The slot of key, or the empty one where it would go. The table is never more than half full. */
static unsigned probe(const struct tlb_table *t, u64 key)
{
    unsigned i = slot_of(key);

    while (t->slot[i].key && t->slot[i].key != key)
        i = (i + 1) % TLB_SLOTS;
    return i;
}

const struct tlb_entry *tlb_find(const struct tlb *t, u16 pcid, u64 lin)
{
    const struct tlb_entry *e = &t->spaces.slot[probe(&t->spaces, key_of(space_of(pcid), lin))];

    if (!e->key && t->global.nr)
        e = &t->global.slot[probe(&t->global, key_of(KEY_GLOBAL, lin))];
    return e->key ? e : NULL;
}

/* ---- fragments of large pages ---- */

/* Linear address bits that a large page of the level covers: 2 MiB (4 MiB without PAE is two of
 * them, dropped together through the wider mask), 1 GiB. */
static u64 level_mask(u8 level)
{
    return level == 2 ? ~0x3fffffffull : ~0x3fffffull;
}

/* The page of the level that key lies in, its address space apart. */
static u64 page_of(u64 key, u8 level)
{
    return key & (KEY_SPACE | bits(level_mask(level), 47, 12) << 1);
}

static u16 *bucket_of(struct tlb_table *t, u64 key, u8 level)
{
    return &t->large[(page_of(key, level) + level) * 0x9e3779b97f4a7c15ull >> 56];
}
_Static_assert(TLB_BUCKETS == 1 << (64 - 56), "bucket_of() yields buckets");

/* ---- filling and dropping ---- */

static void list_slot(struct tlb_table *t, unsigned i)
{
    if (t->nr_filled < TLB_LISTED)
        t->filled[t->nr_filled] = (u16)i;
    t->nr_filled++;
}

/* Returns whether that changes anything. */
static bool put(struct tlb_table *t, const struct tlb_entry *new)
{
    unsigned i = probe(t, new->key);
    struct tlb_entry *e = &t->slot[i];

    if (!e->key) {
        t->nr++;
        list_slot(t, i);
    } else if (e->pa == new->pa && e->flags == new->flags && e->level == new->level) {
        return false;
    } else if (e->level) {
        --*bucket_of(t, e->key, e->level);
    }
    if (new->level)
        ++*bucket_of(t, new->key, new->level);
    *e = *new;
    return true;
}

void tlb_insert(struct cpu *c, u64 lin, u64 pa, u8 flags, u8 level)
{
    u64 key = key_of(flags & TLB_G ? KEY_GLOBAL : space_of(mmu_pcid(c)), lin);
    struct tlb *t = c->tlb;
    struct tlb_table *table = flags & TLB_G ? &t->global : &t->spaces;
    const struct tlb_entry *old = &table->slot[probe(table, key)];

    if (old->key && old->pa != pa) { /* the page has moved without a flush: perhaps that of the code that runs */
        mmu_flush_fast(c);
        c->leave = true;
    }
    if (tlb_nr(t) >= (c->cfg.tlb_capacity ? c->cfg.tlb_capacity : TLB_CAPACITY) && !old->key) {
        mmu_flush_all(c);
        /* The page of the code that runs is gone too. It comes back with the next fetch: let that
         * be the next instruction's, however long the block is that the engine is in. */
        c->leave = true;
    }
    t->nr_fills += put(table, &(struct tlb_entry){ key, pa, flags, level });
}

/* Removes slot i and moves up the entries behind it that would no longer be found. A slot that one
 * moves to was filled before, so it is in the list. */
static void remove_slot(struct tlb_table *t, unsigned i)
{
    unsigned j = i;

    if (t->slot[i].level)
        --*bucket_of(t, t->slot[i].key, t->slot[i].level);
    t->slot[i].key = 0;
    t->nr--;
    for (;;) {
        unsigned home;

        j = (j + 1) % TLB_SLOTS;
        if (!t->slot[j].key)
            return;
        home = slot_of(t->slot[j].key);
        if ((j - home) % TLB_SLOTS < (j - i) % TLB_SLOTS)
            continue;
        t->slot[i] = t->slot[j];
        t->slot[j].key = 0;
        i = j;
    }
}

static enum tlb_dropped drop(struct tlb_table *t, u64 key)
{
    unsigned i = probe(t, key);
    u32 before = t->nr;

    if (t->slot[i].key && t->slot[i].level == 0) {
        remove_slot(t, i);
        return TLB_DROPPED_PAGE;
    }
    /* Fragments of a large page may be there although this one is not: a miss must look too. */
    if (!*bucket_of(t, key, 1) && !*bucket_of(t, key, 2))
        return TLB_DROPPED_NONE;
    for (unsigned s = 0; s < TLB_SLOTS;) {
        const struct tlb_entry *e = &t->slot[s];

        if (e->key && e->level && page_of(e->key, e->level) == page_of(key, e->level))
            remove_slot(t, s); /* another entry may have moved here: look again */
        else
            s++;
    }
    return t->nr != before ? TLB_DROPPED_MORE : TLB_DROPPED_NONE;
}

enum tlb_dropped tlb_drop(struct tlb *t, u16 pcid, u64 lin, bool global_too)
{
    enum tlb_dropped dropped = drop(&t->spaces, key_of(space_of(pcid), lin));

    if (global_too && t->global.nr)
        dropped |= drop(&t->global, key_of(KEY_GLOBAL, lin));
    return dropped;
}

/* Empties the table; what it held goes to keep, if that is not NULL. Returns how many those are. */
static unsigned empty(struct tlb_table *t, struct tlb_entry *keep)
{
    bool listed = t->nr_filled <= TLB_LISTED;
    unsigned n = 0, end = listed ? t->nr_filled : TLB_SLOTS;

    for (unsigned i = 0; i < end; i++) {
        struct tlb_entry *e = &t->slot[listed ? t->filled[i] : i];

        if (e->key && keep)
            keep[n++] = *e;
        e->key = 0;
    }
    memset(t->large, 0, sizeof(t->large));
    t->nr = t->nr_filled = 0;
    return n;
}

void tlb_drop_all(struct tlb *t)
{
    t->nr_flushes++;
    empty(&t->spaces, NULL);
    empty(&t->global, NULL);
}

void tlb_drop_nonglobal(struct tlb *t)
{
    t->nr_flushes++;
    empty(&t->spaces, NULL);
}

void tlb_drop_pcid(struct tlb *t, u16 pcid)
{
    struct tlb_entry keep[TLB_CAPACITY];
    unsigned n;

    t->nr_flushes++;
    /* Filled anew with those that stay: removing one by one would visit moved entries twice. */
    n = empty(&t->spaces, keep);
    for (unsigned i = 0; i < n; i++)
        if ((keep[i].key & KEY_SPACE) != space_of(pcid))
            put(&t->spaces, &keep[i]);
}

/* ---- saved state ---- */

static int by_key(const void *x, const void *y)
{
    const struct tlb_entry *a = x, *b = y;

    return a->key < b->key ? -1 : a->key > b->key;
}

struct tlb_entry *tlb_list(const struct tlb *t, u32 *nr)
{
    const struct tlb_table *tables[] = { &t->spaces, &t->global };
    struct tlb_entry *list = malloc((tlb_nr(t) + 1) * sizeof(*list));

    *nr = 0;
    for (unsigned i = 0; list && i < ARRAY_LEN(tables); i++)
        for (unsigned s = 0; s < TLB_SLOTS; s++)
            if (tables[i]->slot[s].key)
                list[(*nr)++] = tables[i]->slot[s];
    if (list)
        qsort(list, *nr, sizeof(*list), by_key);
    return list;
}

bool tlb_take(struct tlb *t, const struct tlb_entry *list, u32 nr)
{
    const u64 page_bits = 0x000ffffffffff000;

    if (nr > TLB_CAPACITY || tlb_nr(t))
        return false;
    for (u32 i = 0; i < nr; i++) {
        const struct tlb_entry *e = &list[i];

        bool global = e->key & KEY_GLOBAL;

        if (!(e->key & 1) || (e->key & ~KEY_BITS) || global != !!(e->flags & TLB_G) ||
            (global && (e->key & KEY_SPACE) != KEY_GLOBAL) || (e->pa & ~page_bits) || e->flags > 2 * TLB_G - 1 ||
            e->level > 2 || (i && e->key <= list[i - 1].key))
            return false;
        put(global ? &t->global : &t->spaces, e);
    }
    return true;
}

static u64 table_sum(const struct tlb_table *t)
{
    u64 sum = 0;

    for (unsigned s = 0; t->nr && s < TLB_SLOTS; s++)
        if (t->slot[s].key) {
            const struct tlb_entry *e = &t->slot[s];
            u64 words[3] = { e->key, e->pa, e->flags | (u64)e->level << 8 };
            sum += state_hash_bytes(0, words, sizeof(words));
        }
    return sum;
}

u64 tlb_hash(const struct tlb *t, u64 seed)
{
    u64 sum = table_sum(&t->spaces) + table_sum(&t->global);

    return state_hash_bytes(seed, &sum, sizeof(sum));
}
