/* See page_tree.h. Empty nodes are freed at once; the height shrinks only when nothing is left. */
#include "guestos/fs/page_tree.h"
#include "guestos/kernel/panic.h"
#include "guestos/mm/slab.h"

#define SHIFT 6u
#define SLOTS (1u << SHIFT)

struct node {
    u32 used;
    void *slot[SLOTS]; /* nodes, or at the lowest level pages */
};

static struct slab_cache node_slab;

void page_tree_init(void)
{
    slab_cache_init(&node_slab, "page tree", sizeof(struct node));
}

/* How many indices a tree of this height has, less one. Height 0: nothing. */
static u64 last_index(u32 height)
{
    return height * SHIFT >= 64 ? ~0ul : (1ul << height * SHIFT) - 1;
}

static u32 slot_of(u64 index, u32 level) /* level 0: the lowest */
{
    return (u32)(index >> level * SHIFT) & (SLOTS - 1);
}

struct page *page_tree_find(const struct inode *inode, u64 index)
{
    void *at = inode->cache_tree;

    if (!at || index > last_index(inode->cache_height)) {
        return NULL;
    }
    for (u32 level = inode->cache_height; level-- > 0 && at;) {
        at = ((struct node *)at)->slot[slot_of(index, level)];
    }
    return at;
}

static struct page *next_below(const struct node *node, u32 level, u64 *index, u64 last, u32 flags)
{
    for (u32 i = slot_of(*index, level); i < SLOTS && *index <= last; i++) {
        void *at = node->slot[i];
        u64 next = ((*index >> level * SHIFT) + 1) << level * SHIFT; /* 0: it was the last */
        if (at && level) {
            at = next_below(at, level - 1, index, last, flags);
        } else if (at && flags && !(((struct page *)at)->flags & flags)) {
            at = NULL;
        }
        if (at) {
            return at;
        }
        if (next == 0) {
            return NULL;
        }
        *index = next;
    }
    return NULL;
}

struct page *page_tree_next(const struct inode *inode, u64 index, u64 last, u32 flags)
{
    if (!inode->cache_tree || index > last_index(inode->cache_height)) {
        return NULL;
    }
    last = MIN(last, last_index(inode->cache_height));
    struct page *page = next_below(inode->cache_tree, inode->cache_height - 1, &index, last, flags);
    return page && page->index <= last ? page : NULL;
}

static bool make_high_enough(struct inode *inode, u64 index)
{
    while (!inode->cache_tree || index > last_index(inode->cache_height)) {
        struct node *top = slab_alloc(&node_slab);
        if (!top) {
            return false;
        }
        if (inode->cache_tree) {
            top->slot[0] = inode->cache_tree;
            top->used = 1;
        } else {
            inode->cache_height = 0;
        }
        inode->cache_tree = top;
        inode->cache_height++;
    }
    return true;
}

/* Frees the nodes on the way to index that hold nothing. */
static void prune(struct inode *inode, u64 index)
{
    struct node *path[11], *node = inode->cache_tree;
    u32 depth = 0;

    for (u32 level = inode->cache_height; level-- > 0 && node;) {
        path[depth++] = node;
        node = level ? node->slot[slot_of(index, level)] : NULL;
    }
    while (depth && path[depth - 1]->used == 0) {
        slab_free(&node_slab, path[--depth]);
        if (depth) {
            path[depth - 1]->slot[slot_of(index, inode->cache_height - depth)] = NULL;
            path[depth - 1]->used--;
        } else {
            inode->cache_tree = NULL;
            inode->cache_height = 0;
        }
    }
}

int page_tree_insert(struct inode *inode, struct page *page)
{
    if (!make_high_enough(inode, page->index)) {
        return -ENOMEM;
    }
    struct node *node = inode->cache_tree;
    for (u32 level = inode->cache_height - 1; level > 0; level--) {
        void **slot = &node->slot[slot_of(page->index, level)];
        if (!*slot) {
            *slot = slab_alloc(&node_slab);
            if (!*slot) {
                prune(inode, page->index);
                return -ENOMEM;
            }
            node->used++;
        }
        node = *slot;
    }
    void **slot = &node->slot[slot_of(page->index, 0)];
    if (*slot) {
        return -EEXIST;
    }
    *slot = page;
    node->used++;
    inode->nr_cached++;
    return 0;
}

void page_tree_remove(struct inode *inode, u64 index)
{
    struct node *node = inode->cache_tree;

    for (u32 level = inode->cache_height - 1; level > 0; level--) {
        node = node->slot[slot_of(index, level)];
    }
    ASSERT(node->slot[slot_of(index, 0)]);
    node->slot[slot_of(index, 0)] = NULL;
    node->used--;
    inode->nr_cached--;
    prune(inode, index);
}
