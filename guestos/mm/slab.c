/*
 * Slabs: a frame that holds objects of one size, its book-keeping in its struct page. Free objects
 * are a list of offsets, each in the first two bytes of an object. A cache lists the slabs that
 * have room; a full one is in no list and found by its objects' addresses. An empty slab is given
 * back unless it is the only one with room, so that one object that comes and goes costs no frame.
 *
 * kmalloc() has a cache for each power of two up to 2048, beyond that blocks of frames. One kfree()
 * for both: the struct page says what an address is.
 */
#include "guestos/mm/slab.h"
#include "guestos/kernel/panic.h"
#include "guestos/kernel/string.h"
#include "guestos/mm/frames.h"
#include "guestos/mm/layout.h"

#define SMALLEST_SHIFT 4
#define LARGEST_SHIFT  11
#define MAX_OBJECT     (1u << LARGEST_SHIFT)
#define MAX_KMALLOC    (1ul << 20)
#define NO_OBJECT      0xFFFFu

struct list slab_caches = LIST_INIT(slab_caches);
static struct spinlock caches_lock = SPINLOCK_INIT("slab caches");
static struct slab_cache kmalloc_caches[LARGEST_SHIFT - SMALLEST_SHIFT + 1];

void slab_cache_init(struct slab_cache *c, const char *name, u32 object_bytes)
{
    ASSERT(object_bytes <= MAX_OBJECT);
    *c = (struct slab_cache){.name = name, .object_bytes = ROUND_UP(MAX(object_bytes, 8u), 8u)};
    if (c->object_bytes >= 64) {
        c->object_bytes = ROUND_UP(c->object_bytes, 64u);
    }
    spin_init(&c->lock, name);
    list_init(&c->partial);
    spin_lock(&caches_lock);
    list_add_last(&slab_caches, &c->link);
    spin_unlock(&caches_lock);
}

void slab_init(void)
{
    static const char *const names[] = {"kmalloc-16",  "kmalloc-32",  "kmalloc-64", "kmalloc-128",
                                        "kmalloc-256", "kmalloc-512", "kmalloc-1k", "kmalloc-2k"};

    for (u32 i = 0; i < ARRAY_LEN(kmalloc_caches); i++) {
        slab_cache_init(&kmalloc_caches[i], names[i], 1u << (SMALLEST_SHIFT + i));
    }
}

static u16 *link_at(const struct page *slab, u32 offset)
{
    return (u16 *)((u8 *)page_data(slab) + offset);
}

/* A new slab, in the list of those with room; NULL: no memory. The cache's lock is held. */
static struct page *grow(struct slab_cache *c)
{
    struct page *slab = frames_alloc_block(0);

    if (!slab) {
        return NULL;
    }
    slab->flags = PAGE_SLAB;
    slab->slab = c;
    slab->slab_used = 0;
    slab->slab_first = 0;
    u32 last = (PAGE_BYTES / c->object_bytes - 1) * c->object_bytes;
    for (u32 at = 0; at <= last; at += c->object_bytes) {
        *link_at(slab, at) = at == last ? NO_OBJECT : (u16)(at + c->object_bytes);
    }
    list_add_first(&c->partial, &slab->lru);
    c->nr_slabs++;
    return slab;
}

void *slab_alloc(struct slab_cache *c)
{
    spin_lock(&c->lock);
    struct page *slab = LIST_FIRST(&c->partial, struct page, lru);
    if (!slab) {
        slab = grow(c);
    }
    if (!slab) {
        spin_unlock(&c->lock);
        return NULL;
    }
    void *object = link_at(slab, slab->slab_first);
    slab->slab_first = *(u16 *)object;
    slab->slab_used++;
    c->nr_used++;
    if (slab->slab_first == NO_OBJECT) {
        list_remove(&slab->lru);
    }
    spin_unlock(&c->lock);
    memset(object, 0, c->object_bytes);
    return object;
}

void slab_free(struct slab_cache *c, void *object)
{
    struct page *slab = page_of((u64)object - DIRECT_MAP);
    u32 offset = (u64)object % PAGE_BYTES;

    ASSERT(slab && slab->flags & PAGE_SLAB && slab->slab == c && offset % c->object_bytes == 0);
    spin_lock(&c->lock);
    ASSERT(slab->slab_used > 0 && slab->slab_first != offset);
    if (slab->slab_first == NO_OBJECT) {
        list_add_first(&c->partial, &slab->lru);
    }
    *(u16 *)object = slab->slab_first;
    slab->slab_first = (u16)offset;
    slab->slab_used--;
    c->nr_used--;
    bool give_back = slab->slab_used == 0 && c->partial.next != c->partial.prev;
    if (give_back) {
        list_remove(&slab->lru);
        c->nr_slabs--;
    }
    spin_unlock(&c->lock);
    if (give_back) {
        slab->flags = 0;
        slab->slab = NULL;
        page_put(slab);
    }
}

/* The smallest n with bytes <= 1 << n. */
static u32 shift_for(size_t bytes)
{
    return bytes <= 1 ? 0 : 64 - (u32)__builtin_clzl(bytes - 1);
}

void *kmalloc(size_t bytes)
{
    if (bytes <= MAX_OBJECT) {
        u32 shift = MAX(shift_for(bytes), (u32)SMALLEST_SHIFT);
        return slab_alloc(&kmalloc_caches[shift - SMALLEST_SHIFT]);
    }
    if (bytes > MAX_KMALLOC) {
        return NULL;
    }
    u32 order = shift_for(bytes) - 12;
    struct page *p = frames_alloc_block(order);
    return p ? memset(page_data(p), 0, (u64)PAGE_BYTES << order) : NULL;
}

void kfree(void *object)
{
    if (!object) {
        return;
    }
    struct page *p = page_of((u64)object - DIRECT_MAP);
    ASSERT(p);
    if (p->flags & PAGE_SLAB) {
        slab_free(p->slab, object);
    } else {
        ASSERT((u64)object % PAGE_BYTES == 0);
        page_put(p);
    }
}

char *kstrdup(const char *s)
{
    size_t bytes = 1;

    while (s[bytes - 1]) {
        bytes++;
    }
    char *copy = kmalloc(bytes);
    return copy ? memcpy(copy, s, bytes) : NULL;
}
