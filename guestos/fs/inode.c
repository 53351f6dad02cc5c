/*
 * The inodes in memory, by file system and number. One that nobody holds any more is written back,
 * if it has names left, and goes; while it goes, and while a new one is being filled in, whoever
 * wants it waits.
 */
#include "guestos/fs/cache.h"
#include "guestos/fs/vfs.h"
#include "guestos/kernel/clock.h"
#include "guestos/kernel/panic.h"
#include "guestos/mm/layout.h"
#include "guestos/mm/slab.h"
#include "guestos/proc/process.h"

#define NR_BUCKETS 1024u
#define DAY_NS     (24 * 3600 * NS_PER_S)

static struct spinlock table_lock = SPINLOCK_INIT("inode table");
static struct list buckets[NR_BUCKETS];
static struct wait_queue state_wait = WAIT_QUEUE_INIT(state_wait);
static struct slab_cache inode_slab;

void inodes_init(void)
{
    for (u32 i = 0; i < NR_BUCKETS; i++) {
        list_init(&buckets[i]);
    }
    slab_cache_init(&inode_slab, "inode", sizeof(struct inode));
}

static struct list *bucket(const struct super *super, u64 ino)
{
    u64 h = (ino ^ (u64)super >> 4) * 0x9E3779B97F4A7C15ul;
    return &buckets[h >> 32 & (NR_BUCKETS - 1)];
}

static struct inode *find(const struct super *super, u64 ino) /* table_lock held */
{
    for (LIST_EACH(struct inode, inode, bucket(super, ino), hash_link)) {
        if (inode->super == super && inode->ino == ino) {
            return inode;
        }
    }
    return NULL;
}

static bool is_settled(const struct super *super, u64 ino)
{
    spin_lock(&table_lock);
    struct inode *inode = find(super, ino);
    bool settled = !inode || !inode->state;
    spin_unlock(&table_lock);
    return settled;
}

static struct inode *inode_alloc(struct super *super, u64 ino)
{
    struct inode *inode = slab_alloc(&inode_slab);

    if (inode) {
        inode->super = super;
        inode->ino = ino;
        inode->refs = 1;
        inode->nlink = 1;
        inode->state = INODE_NEW;
        mutex_init(&inode->lock);
        mutex_init(&inode->mappings_lock);
        spin_init(&inode->cache_lock, "page cache");
        list_init(&inode->mappings);
        list_init(&inode->super_link);
        list_init(&inode->hash_link);
        list_init(&inode->file_locks);
        wait_queue_init(&inode->open_wait);
    }
    return inode;
}

struct inode *inode_get(struct super *super, u64 ino, bool *fresh)
{
    struct inode *spare = NULL;

    *fresh = false;
    for (;;) {
        spin_lock(&table_lock);
        struct inode *inode = find(super, ino);
        if (inode && !inode->state) {
            inode->refs++;
            spin_unlock(&table_lock);
            if (spare) {
                slab_free(&inode_slab, spare);
            }
            return inode;
        }
        if (!inode && spare) {
            list_add_first(bucket(super, ino), &spare->hash_link);
            list_add_last(&super->inodes, &spare->super_link);
            spin_unlock(&table_lock);
            *fresh = true;
            return spare;
        }
        spin_unlock(&table_lock);
        if (inode) {
            (void)WAIT(&state_wait, is_settled(super, ino), WAIT_FIRM, NEVER);
        } else if (!(spare = inode_alloc(super, ino))) {
            return NULL;
        }
    }
}

struct inode *inode_new(struct super *super, u64 ino, int *error)
{
    struct inode *inode = inode_alloc(super, ino);

    if (!inode) {
        *error = -ENOMEM;
        return NULL;
    }
    spin_lock(&table_lock);
    const struct inode *old = find(super, ino);
    *error = !old ? 0 : old->state & INODE_GOING ? -EBUSY : -EEXIST;
    if (!old) {
        list_add_first(bucket(super, ino), &inode->hash_link);
        list_add_last(&super->inodes, &inode->super_link);
    }
    spin_unlock(&table_lock);
    if (*error) {
        slab_free(&inode_slab, inode);
        inode = NULL;
    }
    return inode;
}

static void take_out(struct inode *inode)
{
    spin_lock(&table_lock);
    list_remove(&inode->hash_link);
    list_remove(&inode->super_link);
    spin_unlock(&table_lock);
    wake_all(&state_wait);
    slab_free(&inode_slab, inode);
}

void inode_ready(struct inode *inode)
{
    spin_lock(&table_lock);
    inode->state &= (u8)~INODE_NEW;
    spin_unlock(&table_lock);
    wake_all(&state_wait);
}

void inode_forget(struct inode *inode)
{
    ASSERT(inode->state & INODE_NEW);
    take_out(inode);
}

struct inode *inode_hold(struct inode *inode)
{
    spin_lock(&table_lock);
    ASSERT(inode->refs);
    inode->refs++;
    spin_unlock(&table_lock);
    return inode;
}

void inode_put(struct inode *inode)
{
    const struct super_ops *ops = inode->super->ops;

    spin_lock(&table_lock);
    ASSERT(inode->refs);
    if (--inode->refs) {
        spin_unlock(&table_lock);
        return;
    }
    inode->state |= INODE_GOING;
    spin_unlock(&table_lock);

    if (inode->nlink) {
        (void)inode_write(inode, true);
    }
    cache_drop(inode);
    if (ops && ops->free_inode) {
        ops->free_inode(inode);
    }
    take_out(inode);
}

int inode_write(struct inode *inode, bool data)
{
    const struct super_ops *ops = inode->super->ops;
    int result = data ? cache_sync(inode, 0, ~0ul) : 0;

    if (inode->metadata_dirty && ops && ops->write_inode && !inode->super->readonly) {
        inode->metadata_dirty = false;
        int error = ops->write_inode(inode);
        result = result ? result : error;
    }
    return result;
}

/* The next inode after `last` (NULL: the first) that can be held; last's reference is given back.
 */
struct inode *inode_next(struct super *super, struct inode *last)
{
    struct inode *next = NULL;

    spin_lock(&table_lock);
    struct list *link = last ? last->super_link.next : super->inodes.next;
    for (; link != &super->inodes; link = link->next) {
        struct inode *inode = LIST_ENTRY(link, struct inode, super_link);
        if (!inode->state) {
            inode->refs++;
            next = inode;
            break;
        }
    }
    spin_unlock(&table_lock);
    if (last) {
        inode_put(last);
    }
    return next;
}

bool super_has_inodes(struct super *super)
{
    spin_lock(&table_lock);
    bool some = !list_empty(&super->inodes);
    spin_unlock(&table_lock);
    return some;
}

/* Reading changes the access time only if it is older than the last change, or than a day. */
static bool atime_wanted(const struct inode *inode, u64 now)
{
    return inode->atime_ns <= inode->mtime_ns || inode->atime_ns <= inode->ctime_ns ||
           now - inode->atime_ns >= DAY_NS;
}

void inode_touch(struct inode *inode, u32 what)
{
    u64 now = clock_realtime();

    if (inode->super->readonly) {
        return;
    }
    if ((what & TOUCH_ATIME) && ((inode->super->flags & MS_NOATIME) || !atime_wanted(inode, now))) {
        what &= ~(u32)TOUCH_ATIME;
    }
    if (what & TOUCH_ATIME) {
        inode->atime_ns = now;
    }
    if (what & TOUCH_MTIME) {
        inode->mtime_ns = now;
    }
    if (what & TOUCH_CTIME) {
        inode->ctime_ns = now;
    }
    if (what) {
        inode->metadata_dirty = true;
    }
}

void inode_set_file_ops(struct inode *inode)
{
    switch (inode->mode & S_IFMT) {
    case S_IFCHR: inode->file_ops = &char_file_ops; break;
    case S_IFBLK: inode->file_ops = &block_file_ops; break;
    case S_IFIFO: inode->file_ops = &fifo_file_ops; break;
    default: break;
    }
}

void inode_init_new(struct inode *inode, const struct inode *dir, u32 mode, u64 rdev)
{
    const struct process *p = this_process();

    inode->uid = p ? p->cred.fsuid : 0;
    inode->gid = p ? p->cred.fsgid : 0;
    if (dir && (dir->mode & S_ISGID)) {
        inode->gid = dir->gid;
        if (S_ISDIR(mode)) {
            mode |= S_ISGID;
        } else if ((mode & S_ISGID) && (mode & 010) && p && !is_superuser() &&
                   !in_group(dir->gid)) {
            mode &= ~(u32)S_ISGID;
        }
    }
    inode->mode = mode;
    inode->rdev = rdev;
    inode->atime_ns = inode->mtime_ns = inode->ctime_ns = clock_realtime();
    inode_set_file_ops(inode);
}

/* ---- files without a name: an own file system that nobody mounts */
static struct super unnamed_super = {
    .dev = (u32)MAKE_DEV(0, 1),
    .block_bytes = PAGE_BYTES,
    .max_bytes = ~0ul >> 1,
    .rename_lock = MUTEX_INIT(unnamed_super.rename_lock),
    .inodes = LIST_INIT(unnamed_super.inodes),
    .link = LIST_INIT(unnamed_super.link),
};

struct inode *inode_unnamed(u32 mode)
{
    static u64 last_ino;
    bool fresh;
    struct inode *inode =
        inode_get(&unnamed_super, __atomic_add_fetch(&last_ino, 1, __ATOMIC_RELAXED), &fresh);

    if (inode) {
        const struct file_ops *none = inode->file_ops;
        inode_init_new(inode, NULL, mode, 0);
        inode->file_ops = none; /* the opener brings its own */
        inode_ready(inode);
    }
    return inode;
}
