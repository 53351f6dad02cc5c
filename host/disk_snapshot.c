/*
 * -snapshot: clusters of 4 KiB that were written are kept in memory, the rest is read from the
 * image. Clusters are found through a two-level table, so that a large disk costs only what is
 * written to it.
 *
 *     lba:  | table | cluster within table (9 bits) | sector within cluster (3 bits) |
 */
#include "host/disk_snapshot.h"
#include <errno.h>
#include <stdlib.h>

enum {
    CLUSTER_SECTORS = 8,
    TABLE_CLUSTERS = 512,
    TABLE_SECTORS = TABLE_CLUSTERS * CLUSTER_SECTORS,
};

struct table {
    u8 *cluster[TABLE_CLUSTERS];
    u64 number;
    struct table *next; /* all that there are: the array may be huge, and is never walked */
};

struct disk_snapshot {
    struct blockdev dev;
    struct blockdev *base;
    struct table **tables, *first;
};

static u8 **find_cluster(struct disk_snapshot *s, u64 lba)
{
    struct table *t = s->tables[lba / TABLE_SECTORS];
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
    struct table **t = &s->tables[lba / TABLE_SECTORS];
    if (!*t) {
        *t = calloc(1, sizeof(**t));
        if (!*t)
            return -ENOMEM;
        (*t)->number = lba / TABLE_SECTORS;
        (*t)->next = s->first;
        s->first = *t;
    }
    u8 **c = find_cluster(s, lba);
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
    for (struct table *t = s->first; t; t = t->next)
        nr++;
    struct table **sorted = calloc(nr + 1, sizeof(struct table *));
    if (!sorted)
        return -ENOMEM;
    for (struct table *t = s->first; t; t = t->next)
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
    for (struct table *t = s->first, *next; t; t = next) {
        for (unsigned j = 0; j < TABLE_CLUSTERS; j++)
            free(t->cluster[j]);
        next = t->next;
        s->tables[t->number] = NULL;
        free(t);
    }
    s->first = NULL;
}

struct disk_snapshot *disk_snapshot_create(struct blockdev *base)
{
    struct disk_snapshot *s = calloc(1, sizeof(*s));
    if (!s)
        return NULL;
    s->base = base;
    s->tables = calloc((base->nr_sectors + TABLE_SECTORS - 1) / TABLE_SECTORS, sizeof(struct table *));
    if (!s->tables) {
        free(s);
        return NULL;
    }
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
    free(s->tables);
    free(s);
}

struct blockdev *disk_snapshot_blockdev(struct disk_snapshot *s)
{
    return &s->dev;
}
