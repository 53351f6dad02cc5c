/*
 * The architectural TLB: what guests can see of translation caching.
 *
 * A hash table of 4 KiB translations (fragments of large pages carry their page's level). It is
 * filled by the walker alone, on an executed access, and loses entries only by the architecture's
 * invalidations, or all of them when it is full. The fast sets of struct cpu only cache it.
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
    return (unsigned)((key * 0x9e3779b97f4a7c15ull) >> 51);
}
_Static_assert(TLB_SLOTS == 1 << (64 - 51), "slot_of() yields slot numbers");

/* The slot of key, or the empty one where it would go. The table is never more than half full. */
static unsigned probe(const struct tlb *t, u64 key)
{
    unsigned i = slot_of(key);

    while (t->slot[i].key && t->slot[i].key != key)
        i = (i + 1) % TLB_SLOTS;
    return i;
}

const struct tlb_entry *tlb_find(const struct tlb *t, u16 pcid, u64 lin)
{
    const struct tlb_entry *e = &t->slot[probe(t, key_of(space_of(pcid), lin))];

    if (!e->key)
        e = &t->slot[probe(t, key_of(KEY_GLOBAL, lin))];
    return e->key ? e : NULL;
}

void tlb_insert(struct cpu *c, u64 lin, u64 pa, u8 flags, u8 level)
{
    u64 key = key_of(flags & TLB_G ? KEY_GLOBAL : space_of(mmu_pcid(c)), lin);
    struct tlb *t = c->tlb;
    struct tlb_entry *e;

    if (t->nr >= (c->cfg.tlb_capacity ? c->cfg.tlb_capacity : TLB_CAPACITY) && !t->slot[probe(t, key)].key) {
        mmu_flush_all(c);
        /* The page of the code that runs is gone too. It comes back with the next fetch: let that
         * be the next instruction's, however long the block is that the engine is in. */
        c->leave = true;
    }
    e = &t->slot[probe(t, key)];
    if (!e->key)
        t->nr++;
    t->nr_fills++;
    *e = (struct tlb_entry){ key, pa, flags, level };
}

/* Removes slot i and moves up the entries behind it that would no longer be found. */
static void remove_slot(struct tlb *t, unsigned i)
{
    unsigned j = i;

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

/* Linear address bits that a large page of the level covers: 2 MiB (4 MiB without PAE is two of
 * them, dropped together through the wider mask), 1 GiB. */
static u64 level_mask(u8 level)
{
    return level == 2 ? ~0x3fffffffull : ~0x3fffffull;
}

static void drop_in_space(struct tlb *t, u64 space, u64 lin)
{
    u64 key = key_of(space, lin);
    unsigned i = probe(t, key);
    u8 level;

    /* Fragments of a large page may be there although this one is not: a miss must look too. */
    level = t->slot[i].key ? t->slot[i].level : 0;
    if (t->slot[i].key && level == 0) {
        remove_slot(t, i);
        return;
    }
    for (unsigned s = 0; s < TLB_SLOTS;) {
        const struct tlb_entry *e = &t->slot[s];
        u64 mask = KEY_SPACE | bits(level_mask(e->level), 47, 12) << 1;

        if (e->key && e->level && ((e->key ^ key) & mask) == 0)
            remove_slot(t, s); /* another entry may have moved here: look again */
        else
            s++;
    }
}

void tlb_drop(struct tlb *t, u16 pcid, u64 lin, bool global_too)
{
    drop_in_space(t, space_of(pcid), lin);
    if (global_too)
        drop_in_space(t, KEY_GLOBAL, lin);
}

void tlb_drop_all(struct tlb *t)
{
    t->nr_flushes++;
    if (t->nr)
        memset(t->slot, 0, sizeof(t->slot));
    t->nr = 0;
}

/* Drops the entries whose key, masked, is not, or is, equal to the value. */
static void drop_by_key(struct tlb *t, u64 mask, u64 value, bool if_equal)
{
    struct tlb_entry keep[TLB_CAPACITY];
    unsigned n = 0;

    t->nr_flushes++;
    if (t->nr == 0)
        return;
    /* Rebuild with those that stay: removing one by one would visit moved entries twice. */
    for (unsigned s = 0; s < TLB_SLOTS; s++)
        if (t->slot[s].key && ((t->slot[s].key & mask) == value) != if_equal)
            keep[n++] = t->slot[s];
    memset(t->slot, 0, sizeof(t->slot));
    t->nr = n;
    for (unsigned k = 0; k < n; k++)
        t->slot[probe(t, keep[k].key)] = keep[k];
}

void tlb_drop_nonglobal(struct tlb *t)
{
    drop_by_key(t, KEY_GLOBAL, KEY_GLOBAL, false);
}

void tlb_drop_pcid(struct tlb *t, u16 pcid)
{
    drop_by_key(t, KEY_SPACE, space_of(pcid), true);
}

/* ---- saved state ---- */

static int by_key(const void *x, const void *y)
{
    const struct tlb_entry *a = x, *b = y;

    return a->key < b->key ? -1 : a->key > b->key;
}

struct tlb_entry *tlb_list(const struct tlb *t, u32 *nr)
{
    struct tlb_entry *list = malloc((t->nr + 1) * sizeof(*list));

    *nr = 0;
    for (unsigned s = 0; list && s < TLB_SLOTS; s++)
        if (t->slot[s].key)
            list[(*nr)++] = t->slot[s];
    if (list)
        qsort(list, *nr, sizeof(*list), by_key);
    return list;
}

bool tlb_take(struct tlb *t, const struct tlb_entry *list, u32 nr)
{
    const u64 page_bits = 0x000ffffffffff000;

    if (nr > TLB_CAPACITY || t->nr)
        return false;
    for (u32 i = 0; i < nr; i++) {
        const struct tlb_entry *e = &list[i];

        bool global = e->key & KEY_GLOBAL;

        if (!(e->key & 1) || (e->key & ~KEY_BITS) || global != !!(e->flags & TLB_G) ||
            (global && (e->key & KEY_SPACE) != KEY_GLOBAL) || (e->pa & ~page_bits) || e->flags > 2 * TLB_G - 1 ||
            e->level > 2 || (i && e->key <= list[i - 1].key))
            return false;
        t->slot[probe(t, e->key)] = *e;
        t->nr++;
    }
    return true;
}

u64 tlb_hash(const struct tlb *t, u64 seed)
{
    u64 sum = 0;

    for (unsigned s = 0; s < TLB_SLOTS; s++)
        if (t->slot[s].key) {
            const struct tlb_entry *e = &t->slot[s];
            u64 words[3] = { e->key, e->pa, e->flags | (u64)e->level << 8 };
            sum += state_hash_bytes(0, words, sizeof(words));
        }
    return state_hash_bytes(seed, &sum, sizeof(sum));
}
