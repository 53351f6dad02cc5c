/* The kernel's small objects: caches of equal ones, and kmalloc() on caches of powers of two.
 * May be called with spinlocks held, and in interrupts. */
#ifndef GUESTOS_MM_SLAB_H
#define GUESTOS_MM_SLAB_H

#include "guestos/kernel/list.h"
#include "guestos/kernel/lock.h"

struct slab_cache {
    const char *name;
    u32 object_bytes; /* at most 2048 */
    struct spinlock lock;
    struct list partial; /* slabs with room */
    u64 nr_used, nr_slabs;
    struct list link; /* of all caches, for /proc/slabinfo */
};

extern struct list slab_caches; /* of all; they only grow */

void slab_init(void);
void slab_cache_init(struct slab_cache *, const char *name, u32 object_bytes);
void *slab_alloc(struct slab_cache *); /* zeroed; NULL: no memory */
void slab_free(struct slab_cache *, void *);

/* Zeroed, aligned to 16 (to 64 from 64 bytes on); NULL: no memory, or more than 1 MiB. Beyond 2048
 * bytes in whole, physically contiguous frames, a power of two of them. */
void *kmalloc(size_t bytes);
void kfree(void *);          /* NULL is fine */
char *kstrdup(const char *); /* NULL: no memory */

#endif
