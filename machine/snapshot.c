/*
 * Saving and loading a machine. See machine/snapshot.h.
 *
 * Sections, in this order (machine/snapshot_file.h has their form):
 *
 *     clock    ticks, charged, base_ns, num, den
 *     board    a request for power or reset that the run loop has not yet honoured, and its code
 *     device   a state table's form; one for each device, in the order of the board
 *     cpu      the same
 *     tlb      entries of the architectural TLB by rising key: key, pa, flags, level
 *     memory   pages that are not zero, rising: number, 4096 bytes; as many sections as it takes
 *     disk     what -snapshot keeps, rising: disk, sectors, first sector, bytes
 *     end
 *
 * A load reads the file twice: first to check all that can be checked without touching the
 * machine, then to take it over. Devices take their state first, each then says whether it can be
 * in it, and if not all get back what they had. Nothing behind that can fail but the host.
 */
#include "machine/snapshot.h"
#include "machine/identity.h"
#include "machine/pc.h"
#include "machine/snapshot_file.h"
#include "mmu/mmu.h"
#include <stdlib.h>

enum {
    PAGE_RECORD = 8 + 4096,
    PAGES_AT_ONCE = 250, /* in a section */
    TLB_RECORD = 8 + 8 + 1 + 1,
    DISK_HEADER = 4 + 4 + 8,
    DISK_SECTORS_AT_ONCE = 128,
};

static int refuse(char *err, const char *path, const char *why)
{
    snprintf(err, MACHINE_ERR_LEN, "%.120s: %.380s", path, why);
    return -1;
}

/* A disk that is written to directly would go on without the saved machine. */
static int check_disks(const struct machine_config *cfg, const char *path, char *err)
{
    char why[160];

    for (unsigned i = 0; i < MAX_DISKS; i++) {
        const struct blockdev *d = cfg->disk[i];

        if (!d || d->readonly || d->under)
            continue;
        snprintf(why, sizeof(why), "the image of disk %u would be written to, and a saved machine "
                                   "would then no longer fit it: run with -snapshot", i);
        return refuse(err, path, why);
    }
    return 0;
}

/* ---- saving ---- */

static void put(struct state_buf *b, u64 value, unsigned size)
{
    u8 bytes[8];

    store_le(bytes, value, size);
    state_put(b, bytes, size);
}

/* Writes a section and empties the buffer. */
static int flush(struct section_writer *w, const char *tag, struct state_buf *b)
{
    int failed = section_write(w, tag, b->data, b->len);

    b->len = 0;
    return failed;
}

static int save_table(struct section_writer *w, const char *tag, struct state_buf *b,
                      const struct state_desc *d, const void *obj)
{
    state_save(b, d, obj);
    return flush(w, tag, b);
}

static int save_tlb(struct section_writer *w, struct state_buf *b, const struct tlb *t)
{
    u32 nr;
    struct tlb_entry *list = tlb_list(t, &nr);

    ASSERT(list);
    for (u32 i = 0; i < nr; i++) {
        put(b, list[i].key, 8);
        put(b, list[i].pa, 8);
        put(b, list[i].flags, 1);
        put(b, list[i].level, 1);
    }
    free(list);
    return flush(w, "tlb", b);
}

static bool is_zero(const u8 *page)
{
    u64 any = 0;

    for (unsigned i = 0; i < PAGE_SIZE && !any; i += 64)
        for (unsigned k = 0; k < 64; k += 8)
            any |= load_le(page + i + k, 8);
    return !any;
}

static int save_memory(struct section_writer *w, struct state_buf *b, const struct pc *pc)
{
    for (u64 p = 0; p < pc->bios_off >> PAGE_SHIFT; p++) {
        const u8 *page = pc->view.backing + (p << PAGE_SHIFT);

        if (is_zero(page))
            continue;
        put(b, p, 8);
        state_put(b, page, PAGE_SIZE);
        if (b->len == PAGES_AT_ONCE * PAGE_RECORD && flush(w, "memory", b))
            return -1;
    }
    return b->len ? flush(w, "memory", b) : 0;
}

struct disk_save {
    struct section_writer *w;
    struct state_buf *b;
    unsigned disk;
};

static int save_cluster(void *sink, u64 lba, u32 nr_sectors, const void *bytes)
{
    struct disk_save *s = sink;

    put(s->b, s->disk, 4);
    put(s->b, nr_sectors, 4);
    put(s->b, lba, 8);
    state_put(s->b, bytes, (size_t)nr_sectors * SECTOR_SIZE);
    return flush(s->w, "disk", s->b);
}

static int save_all(struct section_writer *w, struct machine *m)
{
    const struct machine_config *cfg = machine_config_of(m);
    struct pc *pc = machine_pc(m);
    struct state_buf b = { 0 };
    int bad = 0;

    put(&b, clock_ticks(&pc->clk), 8);
    put(&b, pc->clk.charged, 8);
    put(&b, pc->clk.base_ns, 8);
    put(&b, pc->clk.num, 8);
    put(&b, pc->clk.den, 8);
    bad |= flush(w, "clock", &b);
    put(&b, pc->power, 4);
    put(&b, pc->power_code, 4);
    bad |= flush(w, "board", &b);
    for (unsigned i = 0; i < pc->nr_devices; i++)
        bad |= save_table(w, "device", &b, pc->devices[i]->class->state, pc->devices[i]);
    bad |= save_table(w, "cpu", &b, &cpu_state, &pc->cpu);
    bad |= save_tlb(w, &b, pc->cpu.tlb);
    bad |= save_memory(w, &b, pc);
    for (unsigned i = 0; i < MAX_DISKS && !bad; i++)
        if (cfg->disk[i] && cfg->disk[i]->visit)
            bad |= cfg->disk[i]->visit(cfg->disk[i]->h, save_cluster,
                                       &(struct disk_save){ w, &b, i });
    free(b.data);
    return bad;
}

int snapshot_save(struct machine *m, const char *path, char err[MACHINE_ERR_LEN])
{
    struct state_buf head = { 0 };
    struct section_writer *w;

    if (check_disks(machine_config_of(m), path, err))
        return -1;
    if (identity_write(&head, IDENTITY_STATE, m, err)) {
        free(head.data);
        return -1;
    }
    machine_sync(m);
    w = section_writer_open(path, head.data, head.len, err, MACHINE_ERR_LEN);
    free(head.data);
    return w ? section_writer_close(w, save_all(w, m) == 0) : -1;
}

/* ---- loading ---- */

enum stage { AT_CLOCK, AT_BOARD, AT_DEVICE, AT_CPU, AT_TLB, AT_MEMORY, AT_DISK, AT_END };

struct load {
    struct machine *m;
    struct pc *pc;
    bool taking; /* the second pass */
    bool touched; /* more than devices has been changed */
    enum stage stage;
    unsigned nr_devices;
    u64 next_page;            /* pages below have been taken */
    unsigned disk;
    u64 next_lba;             /* of that disk */
    struct state_buf cpu, tlb; /* kept to the end */
    struct state_buf before;  /* of the devices, before anything was loaded */
    u64 clock[5];             /* the same, of the clock */
    u32 power, power_code;
    const char *why;          /* it cannot be, in words */
    char words[200];
};

static int wrong(struct load *l, const char *why)
{
    l->why = why;
    return -1;
}

/* ---- clock and board ---- */

static void set_clock(struct clock *c, const u64 v[5])
{
    c->until = v[0];
    *c->left = 0;
    c->charged = v[1];
    c->base_ns = v[2];
    c->num = v[3];
    c->den = v[4];
}

static int load_clock(struct load *l, const struct section *s)
{
    u64 v[5];

    if (s->len != sizeof(v))
        return wrong(l, "its clock is no clock");
    for (unsigned i = 0; i < ARRAY_LEN(v); i++)
        v[i] = load_le(s->data + 8 * i, 8);
    if (v[0] > CLOCK_END || v[1] > v[0] || v[2] > CLOCK_END || !v[3] || !v[4] ||
        v[3] > UINT32_MAX || v[4] > UINT32_MAX ||
        (unsigned __int128)v[0] * v[3] / v[4] + v[2] > CLOCK_END)
        return wrong(l, "its clock shows no possible time");
    if (l->taking)
        set_clock(&l->pc->clk, v);
    return 0;
}

static int load_board(struct load *l, const struct section *s)
{
    if (s->len != 8 || load_le(s->data, 4) > POWER_EXIT)
        return wrong(l, "its board has no such request");
    l->power = (u32)load_le(s->data, 4);
    l->power_code = (u32)load_le(s->data + 4, 4);
    return 0;
}

/* ---- devices ---- */

static int table_loaded(struct load *l, const struct section *s, const struct state_desc *d,
                        void *obj)
{
    struct state_reader r = { .data = s->data, .len = s->len };

    if (state_load(&r, d, obj)) {
        snprintf(l->words, sizeof(l->words), "%s", r.error);
        return wrong(l, l->words);
    }
    return r.pos == s->len ? 0 : wrong(l, "a device's state is longer than it can be");
}

static int load_device(struct load *l, const struct section *s)
{
    struct dev *d;

    if (l->nr_devices == l->pc->nr_devices)
        return wrong(l, "it has more devices");
    d = l->pc->devices[l->nr_devices++];
    return l->taking ? table_loaded(l, s, d->class->state, d) : 0;
}

static int check_devices(struct load *l)
{
    if (l->nr_devices != l->pc->nr_devices)
        return wrong(l, "it has fewer devices");
    for (unsigned i = 0; l->taking && i < l->pc->nr_devices; i++)
        if (dev_check(l->pc->devices[i], l->words))
            return wrong(l, l->words);
    return 0;
}

static void remember_devices(struct load *l)
{
    const struct clock *c = &l->pc->clk;

    for (unsigned i = 0; i < l->pc->nr_devices; i++)
        state_save(&l->before, l->pc->devices[i]->class->state, l->pc->devices[i]);
    memcpy(l->clock, (u64[]){ clock_ticks(c), c->charged, c->base_ns, c->num, c->den },
           sizeof(l->clock));
}

static void restore_devices(struct load *l)
{
    struct state_reader r = { .data = l->before.data, .len = l->before.len };

    set_clock(&l->pc->clk, l->clock);
    for (unsigned i = 0; i < l->pc->nr_devices; i++)
        if (state_load(&r, l->pc->devices[i]->class->state, l->pc->devices[i]))
            ASSERT(!"a device takes back what it gave");
}

/* ---- processor ---- */

static int load_cpu(struct load *l, const struct section *s)
{
    struct cpu *trial = calloc(1, sizeof(*trial));
    int bad;

    ASSERT(trial);
    bad = check_devices(l) || table_loaded(l, s, &cpu_state, trial) ||
          !cpu_plausible(trial, &l->why);
    free(trial);
    state_put(&l->cpu, s->data, s->len);
    return bad ? -1 : 0;
}

static struct tlb_entry *tlb_entries(const u8 *data, size_t len, u32 *nr)
{
    struct tlb_entry *list = calloc(len / TLB_RECORD + 1, sizeof(*list));

    ASSERT(list);
    *nr = (u32)(len / TLB_RECORD);
    for (u32 i = 0; i < *nr; i++, data += TLB_RECORD)
        list[i] = (struct tlb_entry){ load_le(data, 8), load_le(data + 8, 8), data[16], data[17] };
    return list;
}

static int load_tlb(struct load *l, const struct section *s)
{
    struct tlb *trial = tlb_create();
    u32 nr;
    struct tlb_entry *list = tlb_entries(s->data, s->len, &nr);
    bool good;

    ASSERT(trial);
    good = s->len % TLB_RECORD == 0 && tlb_take(trial, list, nr);
    free(list);
    free(trial);
    state_put(&l->tlb, s->data, s->len);
    return good ? 0 : wrong(l, "its TLB holds what a TLB cannot");
}

static void take_cpu(struct load *l)
{
    struct cpu *c = &l->pc->cpu;
    struct section s = { .data = l->cpu.data, .len = l->cpu.len };
    u32 nr;
    struct tlb_entry *list = tlb_entries(l->tlb.data, l->tlb.len, &nr);

    tlb_drop_all(c->tlb);
    if (!tlb_take(c->tlb, list, nr) || table_loaded(l, &s, &cpu_state, c))
        ASSERT(!"what was good on trial");
    free(list);
    c->nr_events = 0; /* they are of another past */
    cpu_loaded(c);
}

/* ---- memory and disks ---- */

static void take_page(struct load *l, u64 page, const u8 *bytes)
{
    static const u8 zeros[PAGE_SIZE];
    u8 *p = l->pc->view.backing + (page << PAGE_SHIFT);

    if (!bytes && is_zero(p))
        return; /* untouched memory stays so */
    if (!memcmp(p, bytes ? bytes : zeros, PAGE_SIZE))
        return;
    memcpy(p, bytes ? bytes : zeros, PAGE_SIZE);
    mem_view_wrote(&l->pc->view, page << PAGE_SHIFT, PAGE_SIZE);
}

/* Pages that are not named up to the given one are zero. */
static void take_zeros(struct load *l, u64 up_to)
{
    for (; l->next_page < up_to; l->next_page++)
        if (l->taking)
            take_page(l, l->next_page, NULL);
}

static int load_memory(struct load *l, const struct section *s)
{
    u64 nr_pages = l->pc->bios_off >> PAGE_SHIFT;

    if (s->len % PAGE_RECORD)
        return wrong(l, "its memory is not in pages");
    for (const u8 *p = s->data; p < s->data + s->len; p += PAGE_RECORD) {
        u64 page = load_le(p, 8);

        if (page >= nr_pages || page < l->next_page)
            return wrong(l, "its memory has a page out of place");
        take_zeros(l, page);
        if (l->taking)
            take_page(l, page, p + 8);
        l->next_page = page + 1;
    }
    return 0;
}

static void forget_writes(struct load *l)
{
    const struct machine_config *cfg = machine_config_of(l->m);

    for (unsigned i = 0; i < MAX_DISKS; i++)
        if (cfg->disk[i] && cfg->disk[i]->forget)
            cfg->disk[i]->forget(cfg->disk[i]->h);
}

static int load_disk(struct load *l, const struct section *s)
{
    const struct machine_config *cfg = machine_config_of(l->m);
    unsigned disk = s->len > DISK_HEADER ? (u32)load_le(s->data, 4) : MAX_DISKS;
    const struct blockdev *d = disk < MAX_DISKS ? cfg->disk[disk] : NULL;
    u64 lba, nr;

    if (!d || !d->under || disk < l->disk)
        return wrong(l, "it has writes to a disk that takes none");
    if (disk > l->disk)
        l->next_lba = 0;
    nr = load_le(s->data + 4, 4);
    lba = load_le(s->data + 8, 8);
    if (nr > DISK_SECTORS_AT_ONCE || s->len != DISK_HEADER + nr * SECTOR_SIZE ||
        lba < l->next_lba || lba >= d->nr_sectors || nr > d->nr_sectors - lba)
        return wrong(l, "it has writes beyond a disk");
    l->disk = disk;
    l->next_lba = lba + nr;
    if (l->taking && d->write(d->h, lba, (u32)nr, s->data + DISK_HEADER))
        return wrong(l, "the host has no memory for its disks");
    return 0;
}

/* ---- the file ---- */

static const struct {
    const char *tag;
    enum stage from, to; /* it may come at these */
    enum stage next;
    int (*load)(struct load *, const struct section *);
} sections[] = {
    { "clock", AT_CLOCK, AT_CLOCK, AT_BOARD, load_clock },
    { "board", AT_BOARD, AT_BOARD, AT_DEVICE, load_board },
    { "device", AT_DEVICE, AT_DEVICE, AT_DEVICE, load_device },
    { "cpu", AT_DEVICE, AT_DEVICE, AT_TLB, load_cpu },
    { "tlb", AT_TLB, AT_TLB, AT_MEMORY, load_tlb },
    { "memory", AT_MEMORY, AT_MEMORY, AT_MEMORY, load_memory },
    { "disk", AT_MEMORY, AT_DISK, AT_DISK, load_disk },
};

static int load_section(struct load *l, const struct section *s)
{
    for (unsigned i = 0; i < ARRAY_LEN(sections); i++) {
        if (strcmp(sections[i].tag, s->tag))
            continue;
        if (l->stage < sections[i].from || l->stage > sections[i].to)
            return wrong(l, "its sections are out of order");
        if (l->taking && l->stage == AT_MEMORY && !l->touched) {
            l->touched = true;
            forget_writes(l);
        }
        l->stage = sections[i].next;
        return sections[i].load(l, s);
    }
    return wrong(l, "it has a section that this program does not know");
}

/* One pass. */
static int load_all(struct load *l, struct section_reader *r, size_t head_len)
{
    struct section s;
    int more;

    l->stage = AT_CLOCK;
    l->nr_devices = l->disk = 0;
    l->next_page = l->next_lba = 0;
    l->cpu.len = l->tlb.len = 0;
    if (section_reader_rewind(r, head_len))
        return -1;
    while ((more = section_read(r, &s)) > 0)
        if (load_section(l, &s))
            return -1;
    if (more < 0)
        return -1;
    if (l->stage < AT_MEMORY)
        return wrong(l, "it is incomplete");
    if (l->taking && !l->touched)
        forget_writes(l);
    take_zeros(l, l->pc->bios_off >> PAGE_SHIFT);
    return 0;
}

static void finish(struct load *l)
{
    for (unsigned i = 0; i < l->pc->nr_devices; i++)
        dev_loaded(l->pc->devices[i]); /* the PIC first: others drive its inputs */
    take_cpu(l);
    l->pc->power = l->power;
    l->pc->power_code = l->power_code;
    machine_replaced(l->m);
}

/* Both passes. */
static int load_file(struct load *l, struct section_reader *r, size_t head_len)
{
    if (load_all(l, r, head_len))
        return -1;
    l->taking = true;
    remember_devices(l);
    if (load_all(l, r, head_len)) {
        restore_devices(l);
        if (l->touched)
            machine_reset(l->m);
        return -1;
    }
    finish(l);
    return 0;
}

int snapshot_load(struct machine *m, const char *path, char err[MACHINE_ERR_LEN])
{
    struct load l = { .m = m, .pc = machine_pc(m) };
    struct state_reader head = { 0 };
    char why[MACHINE_ERR_LEN] = "", text[MACHINE_ERR_LEN + 40];
    struct section_reader *r;
    int bad;

    if (check_disks(machine_config_of(m), path, err))
        return -1;
    r = section_reader_open(path, &head.data, &head.len, err, MACHINE_ERR_LEN);
    if (!r)
        return -1;
    section_reader_errors(r, why, sizeof(why));
    bad = identity_read(&head, IDENTITY_STATE, m, why) || load_file(&l, r, head.pos);
    section_reader_close(r);
    free(l.cpu.data);
    free(l.tlb.data);
    free(l.before.data);
    if (!bad)
        return 0;
    snprintf(text, sizeof(text), "%s%.400s%s", l.why ? "the saved machine cannot be: " : "",
             l.why ? l.why : why, l.touched ? "; this one has been reset" : "");
    return refuse(err, path, text);
}
