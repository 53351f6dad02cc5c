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

static u64 key_of(u64 lin)
{
    return (lin >> 12) << 1 | 1;
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

const struct tlb_entry *tlb_find(const struct tlb *t, u64 lin)
{
    const struct tlb_entry *e = &t->slot[probe(t, key_of(lin))];

    return e->key ? e : NULL;
}

void tlb_insert(struct cpu *c, u64 lin, u64 pa, u8 flags, u8 level)
{
    struct tlb *t = c->tlb;
    struct tlb_entry *e;

    if (t->nr >= TLB_CAPACITY && !tlb_find(t, lin)) {
        mmu_flush_all(c);
        /* The page of the code that runs is gone too. It comes back with the next fetch: let that
         * be the next instruction's, however long the block is that the engine is in. */
        c->leave = true;
    }
    e = &t->slot[probe(t, key_of(lin))];
    if (!e->key)
        t->nr++;
    t->nr_fills++;
    *e = (struct tlb_entry){ key_of(lin), pa, flags, level };
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

void tlb_drop(struct tlb *t, u64 lin)
{
    unsigned i = probe(t, key_of(lin));
    u8 level;

    /* Fragments of a large page may be there although this one is not: a miss must look too. */
    level = t->slot[i].key ? t->slot[i].level : 0;
    if (t->slot[i].key && level == 0) {
        remove_slot(t, i);
        return;
    }
    for (unsigned s = 0; s < TLB_SLOTS;) {
        const struct tlb_entry *e = &t->slot[s];

        if (e->key && e->level && (((e->key >> 1 << 12) ^ lin) & level_mask(e->level) & 0xffffffffffffull) == 0)
            remove_slot(t, s); /* another entry may have moved here: look again */
        else
            s++;
    }
}

void tlb_drop_all(struct tlb *t, bool globals_too)
{
    t->nr_flushes++;
    if (t->nr == 0)
        return;
    if (globals_too) {
        memset(t->slot, 0, sizeof(t->slot));
        t->nr = 0;
        return;
    }
    /* Rebuild with the global ones: removing one by one would visit moved entries twice. */
    struct tlb_entry keep[TLB_CAPACITY];
    unsigned n = 0;

    for (unsigned s = 0; s < TLB_SLOTS; s++)
        if (t->slot[s].key && (t->slot[s].flags & TLB_G))
            keep[n++] = t->slot[s];
    memset(t->slot, 0, sizeof(t->slot));
    t->nr = n;
    for (unsigned k = 0; k < n; k++)
        t->slot[probe(t, keep[k].key)] = keep[k];
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

        if (!(e->key & 1) || e->key >> 53 || (e->pa & ~page_bits) || e->flags > 2 * TLB_G - 1 ||
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
