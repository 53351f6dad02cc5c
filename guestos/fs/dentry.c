/*
 * The name cache: what has been looked up, found or not. A dentry that nobody holds stays in the
 * table, and in a list in the order of last use, until there are too many; it holds its parent, so
 * that the tree is whole from every dentry upwards. Names of file systems that change by themselves
 * are looked up each time, and go when nobody holds them.
 */
#include "guestos/fs/fs_context.h"
#include "guestos/fs/path.h"
#include "guestos/kernel/panic.h"
#include "guestos/kernel/string.h"
#include "guestos/mm/slab.h"

#define NR_BUCKETS 2048u

struct spinlock dentry_lock = SPINLOCK_INIT("dentries");
static struct list buckets[NR_BUCKETS];
static struct list unused = LIST_INIT(unused); /* the least recently used first */
static u64 nr_unused, nr_dentries;
static struct slab_cache dentry_slab;

void dentries_init(void)
{
    for (u32 i = 0; i < NR_BUCKETS; i++) {
        list_init(&buckets[i]);
    }
    slab_cache_init(&dentry_slab, "dentry", sizeof(struct dentry));
}

static struct list *bucket(const struct dentry *parent, const char *name)
{
    u64 h = (u64)parent >> 4;

    for (; *name; name++) {
        h = (h ^ (u8)*name) * 0x100000001B3ul; /* FNV-1a's prime */
    }
    return &buckets[(h ^ h >> 24) & (NR_BUCKETS - 1)];
}

static struct dentry *dentry_new(struct super *super, struct dentry *parent, const char *name)
{
    struct dentry *d = slab_alloc(&dentry_slab);

    if (d && !(d->name = kstrdup(name))) {
        slab_free(&dentry_slab, d);
        d = NULL;
    }
    if (d) {
        d->refs = 1;
        d->super = super;
        d->parent = parent ? dentry_hold(parent) : d;
        list_init(&d->hash_link);
        list_init(&d->child_link);
        list_init(&d->children);
        list_init(&d->lru);
        __atomic_add_fetch(&nr_dentries, 1, __ATOMIC_RELAXED);
    }
    return d;
}

struct dentry *dentry_root(struct inode *inode)
{
    struct dentry *d = dentry_new(inode->super, NULL, "");

    if (d) {
        d->inode = inode;
    } else {
        inode_put(inode);
    }
    return d;
}

void dentry_hold_locked(struct dentry *d)
{
    if (d->refs++ == 0) {
        list_remove(&d->lru);
        nr_unused--;
    }
}

struct dentry *dentry_hold(struct dentry *d)
{
    spin_lock(&dentry_lock);
    dentry_hold_locked(d);
    spin_unlock(&dentry_lock);
    return d;
}

/* Takes an unused dentry out of everything, dentry_lock held, and frees it with the lock dropped.
 * Returns its parent, whose reference is now the caller's; NULL for a root. */
static struct dentry *destroy(struct dentry *d)
{
    struct dentry *parent = d->parent == d ? NULL : d->parent;
    struct inode *inode = d->inode;

    list_remove(&d->hash_link);
    list_remove(&d->child_link);
    spin_unlock(&dentry_lock);
    if (inode) {
        inode_put(inode);
    }
    kfree(d->name);
    slab_free(&dentry_slab, d);
    __atomic_sub_fetch(&nr_dentries, 1, __ATOMIC_RELAXED);
    return parent;
}

void dentry_put(struct dentry *d)
{
    while (d) {
        spin_lock(&dentry_lock);
        ASSERT(d->refs);
        if (--d->refs) {
            spin_unlock(&dentry_lock);
            return;
        }
        if (!list_empty(&d->hash_link) && !d->parent->unlinked && !d->super->type->volatile_names) {
            list_add_last(&unused, &d->lru);
            nr_unused++;
            spin_unlock(&dentry_lock);
            return;
        }
        d = destroy(d);
    }
}

/* Frees the first unused one, of a file system or of any. False: there is none. */
static bool trim_one(struct super *super, u32 keep)
{
    spin_lock(&dentry_lock);
    if (nr_unused > keep) {
        for (LIST_EACH(struct dentry, d, &unused, lru)) {
            if (!super || d->super == super) {
                list_remove(&d->lru);
                nr_unused--;
                dentry_put(destroy(d));
                return true;
            }
        }
    }
    spin_unlock(&dentry_lock);
    return false;
}

void dentry_trim(u32 keep)
{
    while (trim_one(NULL, keep)) {
    }
}

void dentry_forget(struct super *super)
{
    while (trim_one(super, 0)) {
    }
}

u64 dentry_count(void)
{
    return __atomic_load_n(&nr_dentries, __ATOMIC_RELAXED);
}

static struct dentry *find(struct dentry *dir, const char *name) /* held */
{
    struct dentry *found = NULL;

    spin_lock(&dentry_lock);
    for (LIST_EACH(struct dentry, d, bucket(dir, name), hash_link)) {
        if (d->parent == dir && strcmp(d->name, name) == 0) {
            dentry_hold_locked(d);
            found = d;
            break;
        }
    }
    spin_unlock(&dentry_lock);
    return found;
}

static void insert(struct dentry *d)
{
    spin_lock(&dentry_lock);
    list_add_first(bucket(d->parent, d->name), &d->hash_link);
    list_add_last(&d->parent->children, &d->child_link);
    spin_unlock(&dentry_lock);
}

static void hide(struct dentry *d)
{
    spin_lock(&dentry_lock);
    d->unlinked = true;
    list_remove(&d->hash_link);
    spin_unlock(&dentry_lock);
}

int dentry_lookup_locked(struct dentry *dir, const char *name, struct dentry **found)
{
    struct inode *inode = NULL;

    if (strlen(name) > NAME_MAX) {
        return -ENAMETOOLONG;
    }
    struct dentry *d = find(dir, name);

    if (d && !d->super->type->volatile_names) {
        *found = d;
        return 0;
    }
    int error = -ENOENT;
    if (dir->inode->nlink && dir->inode->ops->lookup) {
        error = dir->inode->ops->lookup(dir->inode, name, &inode);
    }
    if (d && !error && d->inode == inode) {
        inode_put(inode);
        *found = d;
        return 0;
    }
    if (d) { /* it has become another file, or none */
        hide(d);
        dentry_put(d);
    }
    if (error && error != -ENOENT) {
        return error;
    }
    d = dentry_new(dir->super, dir, name);
    if (!d) {
        if (inode) {
            inode_put(inode);
        }
        return -ENOMEM;
    }
    d->inode = inode;
    if (!dir->unlinked) {
        insert(d);
    }
    *found = d;
    return 0;
}

int dentry_lookup(struct dentry *dir, const char *name, struct dentry **found)
{
    if (!dir->super->type->volatile_names && (*found = find(dir, name))) {
        return 0;
    }
    mutex_lock(&dir->inode->lock);
    int error = dentry_lookup_locked(dir, name, found);
    mutex_unlock(&dir->inode->lock);
    return error;
}

void dentry_fill(struct dentry *d, struct inode *inode)
{
    spin_lock(&dentry_lock);
    ASSERT(!d->inode);
    d->inode = inode;
    spin_unlock(&dentry_lock);
}

/* Unused names in a directory that is gone would hold it. */
static void forget_children(struct dentry *dir)
{
    bool found;

    do {
        found = false;
        spin_lock(&dentry_lock);
        for (LIST_EACH(struct dentry, d, &dir->children, child_link)) {
            if (d->refs == 0) {
                list_remove(&d->lru);
                nr_unused--;
                dentry_put(destroy(d));
                found = true;
                break;
            }
        }
        if (!found) {
            spin_unlock(&dentry_lock);
        }
    } while (found);
}

/* Where the name was, a negative dentry takes its place. */
void dentry_unlink(struct dentry *d)
{
    struct dentry *negative;

    hide(d);
    forget_children(d);
    if (!d->super->type->volatile_names && (negative = dentry_new(d->super, d->parent, d->name))) {
        insert(negative);
        dentry_put(negative);
    }
}

void dentry_move(struct dentry *d, struct dentry *new_dir, struct dentry *replaced)
{
    struct dentry *old_dir = d->parent;
    struct dentry *negative =
        d->super->type->volatile_names ? NULL : dentry_new(d->super, old_dir, d->name);

    dentry_hold(new_dir);
    spin_lock(&dentry_lock);
    char *name = d->name; /* they change names, as `replaced` will go */
    d->name = replaced->name;
    replaced->name = name;
    list_remove(&replaced->hash_link);
    replaced->unlinked = true;
    list_remove(&d->hash_link);
    list_remove(&d->child_link);
    d->parent = new_dir;
    list_add_first(bucket(new_dir, d->name), &d->hash_link);
    list_add_last(&new_dir->children, &d->child_link);
    spin_unlock(&dentry_lock);
    if (negative) {
        insert(negative);
        dentry_put(negative);
    }
    forget_children(replaced);
    dentry_put(old_dir);
}

bool dentry_is_below(struct dentry *d, struct dentry *ancestor)
{
    spin_lock(&dentry_lock);
    while (d != ancestor && d->parent != d) {
        d = d->parent;
    }
    spin_unlock(&dentry_lock);
    return d == ancestor;
}

/* The text before `at`, if there is room; NULL: none. */
static char *prepend(char *at, const char *begin, const char *text, size_t len)
{
    if (!at || (size_t)(at - begin) < len) {
        return NULL;
    }
    return memcpy(at - len, text, len);
}

char *path_of(struct dentry *d, char *buffer, size_t size)
{
    struct dentry *root = context_root(), *top = d;
    char *at = prepend(buffer + size, buffer, "", 1);

    spin_lock(&dentry_lock);
    if (d->unlinked) {
        at = prepend(at, buffer, " (deleted)", 10);
    }
    while (top != root && (top->parent != top || top->covers)) {
        if (top->parent == top) {
            top = top->covers; /* the name of a mount is that of the directory below it */
            continue;
        }
        at = prepend(at, buffer, top->name, strlen(top->name));
        at = prepend(at, buffer, "/", 1);
        top = top->parent;
    }
    if (top == d || (at && *at != '/')) { /* the root itself */
        at = prepend(at, buffer, "/", 1);
    }
    if (top != root) {
        at = prepend(at, buffer, "(unreachable)", 13);
    }
    spin_unlock(&dentry_lock);
    dentry_put(root);
    return at;
}
