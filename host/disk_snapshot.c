/*
 * -snapshot: clusters of 4 KiB that were written are kept in memory, the rest is read from the
 * image. Clusters lie in tables, and tables are found by a hash of their number, so that a disk
 * costs what is written to it, however large it is.
 *
 *     lba:  | table number | cluster within table (9 bits) | sector within cluster (3 bits) |
 */
#include "host/disk_snapshot.h"
#include <errno.h>
#include <stdlib.h>

enum {
    CLUSTER_SECTORS = 8,
    TABLE_CLUSTERS = 512,
    TABLE_SECTORS = TABLE_CLUSTERS * CLUSTER_SECTORS,
    CHAINS = 4096, /* 8 GiB of disk before two tables share one */
};

struct table {
    u8 *cluster[TABLE_CLUSTERS];
    u64 number;
    struct table *next; /* in its chain */
};

struct disk_snapshot {
    struct blockdev dev;
    struct blockdev *base;
    struct table *chain[CHAINS];
};

static struct table *find_table(const struct disk_snapshot *s, u64 number)
{
    struct table *t = s->chain[number % CHAINS];
    while (t && t->number != number)
        t = t->next;
    return t;
}

static u8 **find_cluster(struct disk_snapshot *s, u64 lba)
{
    struct table *t = find_table(s, lba / TABLE_SECTORS);
    return t ? &t->cluster[lba / CLUSTER_SECTORS % TABLE_CLUSTERS] : NULL;
}

/* Sectors from lba to the end of its cluster, at most nr. */
static u32 run_length(u64 lba, u32 nr)
{
    u32 left = CLUSTER_SECTORS - (u32)(lba % CLUSTER_SECTORS);
    return nr < left ? nr : left;
}

static int snapshot_read(void *h, u64 lba, u32 nr_sectors, void *dst)
{
    struct disk_snapshot *s = h;
    u8 *p = dst;
    while (nr_sectors) {
        u32 n = run_length(lba, nr_sectors);
        u8 **c = find_cluster(s, lba);
        if (c && *c) {
            memcpy(p, *c + lba % CLUSTER_SECTORS * SECTOR_SIZE, n * SECTOR_SIZE);
        } else {
            int r = s->base->read(s->base->h, lba, n, p);
            if (r)
                return r;
        }
        lba += n;
        nr_sectors -= n;
        p += n * SECTOR_SIZE;
    }
    return 0;
}

/* A cluster that is written for the first time begins as a copy of the image's. */
static int make_cluster(struct disk_snapshot *s, u64 lba, u8 **out)
{
    u64 number = lba / TABLE_SECTORS;
    u8 **c = find_cluster(s, lba);
    if (!c) {
        struct table *t = calloc(1, sizeof(*t)), **chain = &s->chain[number % CHAINS];
        if (!t)
            return -ENOMEM;
        t->number = number;
        t->next = *chain;
        *chain = t;
        c = find_cluster(s, lba);
    }
    if (!*c) {
        u64 first = lba - lba % CLUSTER_SECTORS;
        u64 left = s->base->nr_sectors - first;
        u8 *bytes = calloc(CLUSTER_SECTORS, SECTOR_SIZE);
        if (!bytes)
            return -ENOMEM;
        int r = s->base->read(s->base->h, first,
                              left < CLUSTER_SECTORS ? (u32)left : CLUSTER_SECTORS, bytes);
        if (r) {
            free(bytes);
            return r;
        }
        *c = bytes;
    }
    *out = *c;
    return 0;
}

static int snapshot_write(void *h, u64 lba, u32 nr_sectors, const void *src)
{
    struct disk_snapshot *s = h;
    const u8 *p = src;
    while (nr_sectors) {
        u32 n = run_length(lba, nr_sectors);
        u8 *c;
        int r = make_cluster(s, lba, &c);
        if (r)
            return r;
        memcpy(c + lba % CLUSTER_SECTORS * SECTOR_SIZE, p, n * SECTOR_SIZE);
        lba += n;
        nr_sectors -= n;
        p += n * SECTOR_SIZE;
    }
    return 0;
}

static int snapshot_flush(void *h)
{
    (void)h;
    return 0;
}

static int by_number(const void *x, const void *y)
{
    const struct table *a = *(struct table *const *)x, *b = *(struct table *const *)y;
    return a->number < b->number ? -1 : a->number > b->number;
}

static int visit_table(const struct disk_snapshot *s, const struct table *t,
                       int (*each)(void *, u64, u32, const void *), void *sink)
{
    for (unsigned i = 0; i < TABLE_CLUSTERS; i++) {
        u64 lba = t->number * TABLE_SECTORS + i * CLUSTER_SECTORS, left = s->dev.nr_sectors - lba;
        u32 nr = left < CLUSTER_SECTORS ? (u32)left : CLUSTER_SECTORS;
        int r = t->cluster[i] ? each(sink, lba, nr, t->cluster[i]) : 0;
        if (r)
            return r;
    }
    return 0;
}

static int snapshot_visit(void *h, int (*each)(void *, u64, u32, const void *), void *sink)
{
    struct disk_snapshot *s = h;
    size_t nr = 0, n = 0;
    int r = 0;
    for (unsigned i = 0; i < CHAINS; i++)
        for (struct table *t = s->chain[i]; t; t = t->next)
            nr++;
    struct table **sorted = calloc(nr + 1, sizeof(struct table *));
    if (!sorted)
        return -ENOMEM;
    for (unsigned i = 0; i < CHAINS; i++)
        for (struct table *t = s->chain[i]; t; t = t->next)
            sorted[n++] = t;
    qsort(sorted, nr, sizeof(*sorted), by_number);
    for (size_t i = 0; i < nr && !r; i++)
        r = visit_table(s, sorted[i], each, sink);
    free(sorted);
    return r;
}

static void snapshot_forget(void *h)
{
    struct disk_snapshot *s = h;
    for (unsigned i = 0; i < CHAINS; i++)
        for (struct table *t; (t = s->chain[i]);) {
            s->chain[i] = t->next;
            for (unsigned j = 0; j < TABLE_CLUSTERS; j++)
                free(t->cluster[j]);
            free(t);
        }
}

struct disk_snapshot *disk_snapshot_create(struct blockdev *base)
{
    struct disk_snapshot *s = calloc(1, sizeof(*s));
    if (!s)
        return NULL;
    s->base = base;
    s->dev = (struct blockdev){.read = snapshot_read,
                               .write = snapshot_write,
                               .flush = snapshot_flush,
                               .nr_sectors = base->nr_sectors,
                               .readonly = base->readonly,
                               .under = base,
                               .visit = snapshot_visit,
                               .forget = snapshot_forget,
                               .h = s};
    return s;
}

void disk_snapshot_destroy(struct disk_snapshot *s)
{
    if (!s)
        return;
    snapshot_forget(s);
    free(s);
}

struct blockdev *disk_snapshot_blockdev(struct disk_snapshot *s)
{
    return &s->dev;
}
