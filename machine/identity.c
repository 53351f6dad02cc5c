/*
 * The common head of saved machines and input logs. See machine/identity.h.
 *
 * A head is a list of lines "name value". Both sides of a comparison are made by describe(), one
 * at saving and one now, so a line more needs one call there and, if there is advice to give, a
 * row in hints[].
 */
#include "machine/identity.h"
#include "machine/pc.h"
#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>

enum {
    VALUE_LEN = 200,
    DIGEST_CHUNK = 128,          /* sectors */
    DIGEST_MOST = 1 << 21,       /* sectors of a disk: 1 GiB */
    KEY_KERNEL_DATA = 0x11, KEY_INITRD_DATA = 0x12,
};

static const struct {
    const char *file, *command;
    unsigned format;
} kinds[] = {
    [IDENTITY_STATE] = { "saved machine", "-loadvm", IDENTITY_STATE_FORMAT },
    [IDENTITY_LOG] = { "input log", "kiln replay", IDENTITY_LOG_FORMAT },
};

/* What to try when a line differs; %s is the first word of the file's value. */
static const struct {
    const char *name, *hint;
} hints[] = {
    { "memory", "run with -m %s" },
    { "cpu", "run with -cpu %s and the same features added or taken away" },
    { "seed", "run with -seed %s" },
    { "bios", "give the same -bios" },
    { "vga-bios", "the video ROM must be the same" },
    { "disk0", "give the same first disk, unchanged" },
    { "disk1", "give the same second disk, unchanged" },
    { "disk2", "give the same third disk, unchanged" },
    { "disk3", "give the same fourth disk, unchanged" },
    { "disk4", "give the same disk on the first AHCI port, unchanged" },
    { "disk5", "give the same disk on the second AHCI port, unchanged" },
    { "disk6", "give the same disk on the third AHCI port, unchanged" },
    { "disk7", "give the same disk on the fourth AHCI port, unchanged" },
    { "disk8", "give the same disk on the fifth AHCI port, unchanged" },
    { "disk9", "give the same disk on the sixth AHCI port, unchanged" },
    { "disk10", "give the same -fda, unchanged" },
    { "disk11", "give the same -fdb, unchanged" },
    { "ahci", "use -device ahci in both or in none" },
    { "hpet", "use -no-hpet in both or in none" },
    { "pc-testdev", "use -device pc-testdev in both or in none" },
    { "pci-testdev", "use -device pci-testdev in both or in none" },
    { "boot-order", "give -boot order=%s" },
    { "kernel", "give the same -kernel and -initrd, or none" },
    { "arguments", "give the same -kernel, -initrd and -append" },
    { "nvram", "give --nvram the same file as it was, or none" },
    { "nvram-kept", "use --nvram in both or in none" },
    { "debugcon", "give the same -debugcon and its port" },
    { "exit-port", "give the same -device isa-debug-exit" },
    { "ticks", "give the same tick length" },
    { "break-device", "give the same --break-device" },
    { "date", "give the same -rtc base" },
    { "on-triple-fault", "give --on-triple-fault %s" },
};

/* ---- the present machine ---- */

struct lines {
    struct state_buf text;
    const struct machine *m;
    char *err;
};

static void line(struct lines *l, const char *name, const char *format, ...)
{
    char value[VALUE_LEN], whole[VALUE_LEN + 40];
    va_list ap;
    int n;

    va_start(ap, format);
    vsnprintf(value, sizeof(value), format, ap);
    va_end(ap);
    for (char *p = value; *p; p++)
        if ((unsigned char)*p < ' ')
            *p = '?';
    n = snprintf(whole, sizeof(whole), "%s %s\n", name, value);
    state_put(&l->text, whole, (size_t)n);
}

static void digest_line(struct lines *l, const char *name, const void *bytes, size_t len)
{
    if (bytes)
        line(l, name, "%zu bytes, %016" PRIx64, len, state_hash_bytes(0, bytes, len));
    else
        line(l, name, "none");
}

/* All of a disk's content up to 1 GiB; of a larger one an even sample of that size. What -snapshot
 * has in memory is not looked at: it is in the saved machine. */
static int digest_disk(const struct blockdev *d, u64 *sum)
{
    u8 bytes[DIGEST_CHUNK * SECTOR_SIZE];
    u64 step = DIGEST_CHUNK * ((d->nr_sectors + DIGEST_MOST - 1) / DIGEST_MOST);

    *sum = 0;
    for (u64 lba = 0; lba < d->nr_sectors; lba += step) {
        u64 left = d->nr_sectors - lba;
        u32 n = left < DIGEST_CHUNK ? (u32)left : DIGEST_CHUNK;

        if (d->read(d->h, lba, n, bytes))
            return -1;
        *sum = state_hash_bytes(*sum, bytes, n * SECTOR_SIZE);
    }
    return 0;
}

static int disk_line(struct lines *l, unsigned i, const struct machine_config *cfg)
{
    const struct blockdev *d = cfg->disk[i];
    const char *kind = cfg->cdroms >> i & 1 ? ", cd" : "";
    char name[8];
    u64 sum;

    snprintf(name, sizeof(name), "disk%u", i);
    if (!d) {
        line(l, name, "none%s", kind);
        return 0;
    }
    if (digest_disk(d->under ? d->under : d, &sum)) {
        snprintf(l->err, MACHINE_ERR_LEN, "the image of disk %u could not be read", i);
        return -1;
    }
    line(l, name, "%" PRIu64 " sectors%s%s, %016" PRIx64, d->nr_sectors,
         d->readonly ? ", read only" : "", kind, sum);
    return 0;
}

static const struct fw_cfg_item *item(const struct fw_cfg *f, u16 key)
{
    for (unsigned i = 0; i < f->nr_items; i++)
        if (f->items[i].key == key)
            return &f->items[i];
    return NULL;
}

static void item_line(struct lines *l, const char *name, const struct fw_cfg *f, u16 key)
{
    const struct fw_cfg_item *it = item(f, key);

    digest_line(l, name, it ? it->data : NULL, it ? it->len : 0);
}

/* Whatever else firmware is told, such as the kernel's entry and the option ROM. */
static void fw_cfg_line(struct lines *l, const struct fw_cfg *f)
{
    u64 sum = 0;

    for (unsigned i = 0; i < f->nr_items; i++) {
        u32 head[2] = { f->items[i].key, f->items[i].len };

        sum = state_hash_bytes(sum, head, sizeof(head));
        sum = state_hash_bytes(sum, f->items[i].name, strlen(f->items[i].name));
        sum = state_hash_bytes(sum, f->items[i].data, f->items[i].len);
    }
    line(l, "fw-cfg", "%u items, %016" PRIx64, f->nr_items, sum);
}

static int describe(struct lines *l, enum identity_kind kind)
{
    const struct machine_config *cfg = machine_config_of(l->m);
    const struct pc *pc = machine_pc((struct machine *)(uintptr_t)l->m);
    char flags[VALUE_LEN];

    line(l, "definition", "%u", MACHINE_DEFINITION);
    line(l, "host", HOST_CLASS);
    silicon_text(&pc->cpu.silicon, flags, sizeof(flags));
    line(l, "undefined-flags", "%s", flags);
    line(l, "approximations", "%016" PRIx64, silicon_approximations());
    line(l, "memory", "%" PRIu64 " MiB", cfg->ram_bytes >> 20);
    line(l, "cpu", "%s, features %016" PRIx64, cfg->processor.model,
         processor_features_digest(&cfg->processor));
    digest_line(l, "bios", pc->view.backing + pc->bios_off, pc->bios_len);
    digest_line(l, "vga-bios", pc->vga_rom, pc->vga_rom_len);
    for (unsigned i = 0; i < MAX_DISKS; i++)
        if (disk_line(l, i, cfg))
            return -1;
    line(l, "ahci", cfg->ahci ? "yes" : "no");
    line(l, "hpet", cfg->no_hpet ? "no" : "yes");
    line(l, "pc-testdev", cfg->pc_testdev ? "yes" : "no");
    line(l, "pci-testdev", cfg->pci_testdev ? "yes" : "no");
    line(l, "boot-order", "%s", cfg->boot_order ? cfg->boot_order : "cad");
    item_line(l, "kernel", &pc->fw_cfg, KEY_KERNEL_DATA);
    item_line(l, "arguments", &pc->fw_cfg, KEY_INITRD_DATA);
    line(l, "nvram-kept", cfg->nvram ? "yes" : "no");
    fw_cfg_line(l, &pc->fw_cfg);
    if (cfg->debugcon)
        line(l, "debugcon", "%xh", cfg->debugcon_port);
    else
        line(l, "debugcon", "none");
    if (cfg->exit_device)
        line(l, "exit-port", "%xh, %u bytes", cfg->exit_port, cfg->exit_size);
    else
        line(l, "exit-port", "none");
    line(l, "ticks", "%" PRIu64 "/%" PRIu64 " ns", cfg->tick_num, cfg->tick_den);
    line(l, "break-device", "%s", cfg->break_device ? cfg->break_device : "none");
    if (kind == IDENTITY_LOG) {
        line(l, "date", "%" PRIu64, cfg->rtc_seconds);
        line(l, "seed", "%" PRIu64, cfg->seed);
        digest_line(l, "nvram", cfg->nvram, NVRAM_BYTES);
        line(l, "on-triple-fault", cfg->reset_on_triple_fault ? "reset" : "stop");
    }
    return 0;
}

int identity_write(struct state_buf *b, enum identity_kind kind, const struct machine *m,
                   char err[MACHINE_ERR_LEN])
{
    struct lines l = { .m = m, .err = err };
    char text[64];
    int n = snprintf(text, sizeof(text), "Kiln %s %u\n", kinds[kind].file, kinds[kind].format);

    state_put(&l.text, text, (size_t)n);
    if (describe(&l, kind)) {
        free(l.text.data);
        return -1;
    }
    n = snprintf(text, sizeof(text), "sum %016" PRIx64 "\n",
                 state_hash_bytes(0, l.text.data, l.text.len));
    state_put(&l.text, text, (size_t)n);
    state_put(b, l.text.data, l.text.len);
    free(l.text.data);
    return 0;
}

/* ---- a file's ---- */

/* The line that begins at p, without its end. NULL: the data ends before it does. */
static const u8 *line_end(const u8 *p, const u8 *end)
{
    return memchr(p, '\n', (size_t)(end - p));
}

static bool names(const u8 *p, const u8 *eol, const char *name)
{
    size_t n = strlen(name);

    return (size_t)(eol - p) > n && !memcmp(p, name, n) && p[n] == ' ';
}

bool identity_find(const u8 *data, size_t len, const char *name, char *value, size_t cap)
{
    const u8 *p = data, *end = data + len, *eol;

    for (; p < end && (eol = line_end(p, end)) != NULL; p = eol + 1) {
        if (names(p, eol, name)) {
            p += strlen(name) + 1;
            snprintf(value, cap, "%.*s", (int)(eol - p), (const char *)p);
            return true;
        }
        if (names(p, eol, "sum"))
            break;
    }
    return false;
}

static int refuse(char *err, const char *format, ...)
{
    va_list ap;

    va_start(ap, format);
    vsnprintf(err, MACHINE_ERR_LEN, format, ap);
    va_end(ap);
    return -1;
}

/* The first line: is it ours, of this kind and format? */
static int check_first(const u8 *p, size_t len, enum identity_kind kind, char *err)
{
    const u8 *eol = len ? line_end(p, p + len) : NULL;
    char first[64], want[64];
    unsigned format;

    if (len < 5 || memcmp(p, "Kiln ", 5))
        return refuse(err, "it is no %s of Kiln's", kinds[kind].file);
    snprintf(first, sizeof(first), "%.*s", eol ? (int)(eol - p) : (int)len, (const char *)p);
    for (unsigned k = 0; k < ARRAY_LEN(kinds); k++) {
        int n = snprintf(want, sizeof(want), "Kiln %s ", kinds[k].file);

        if (strncmp(first, want, (size_t)n))
            continue;
        if (k != kind)
            return refuse(err, "it is a%s %s; use %s for it", k == IDENTITY_LOG ? "n" : "",
                          kinds[k].file, kinds[k].command);
        format = (unsigned)strtoul(first + n, NULL, 10);
        if (eol && format != kinds[kind].format)
            return refuse(err, "it is in format %u, this program knows format %u", format,
                          kinds[kind].format);
        return 0;
    }
    return refuse(err, eol ? "it is no %s of Kiln's" : "the %s is truncated: it ends within its head",
                  kinds[kind].file);
}

/* The head's length, checked for being whole and unaltered. */
int identity_check(struct state_reader *r, enum identity_kind kind, char err[MACHINE_ERR_LEN])
{
    const u8 *start = r->data + r->pos, *p = start, *end = r->data + r->len, *eol;
    char want[32];

    if (check_first(start, (size_t)(end - start), kind, err))
        return -1;
    for (; p < end && (eol = line_end(p, end)) != NULL; p = eol + 1) {
        int n;

        if (eol + 1 - start > IDENTITY_MAX)
            break;
        if (!names(p, eol, "sum"))
            continue;
        n = snprintf(want, sizeof(want), "sum %016" PRIx64,
                     state_hash_bytes(0, start, (size_t)(p - start)));
        if (eol - p != n || memcmp(p, want, (size_t)n))
            return refuse(err, "the head of the %s was altered: its sum is wrong",
                          kinds[kind].file);
        r->pos = (size_t)(eol + 1 - r->data);
        return 0;
    }
    return refuse(err, "the %s is truncated: it ends within its head", kinds[kind].file);
}

static int differs(enum identity_kind kind, const char *name, const char *theirs, const char *ours,
                   char *err)
{
    char hint[160] = "", word[40];

    if (!strcmp(name, "definition"))
        return refuse(err, "this %s was made by a Kiln whose machine keeps time differently "
                           "(definition %s, here %s); only that one can go on with it",
                      kinds[kind].file, theirs, ours);
    if (!strcmp(name, "host") || !strcmp(name, "undefined-flags") || !strcmp(name, "approximations"))
        return refuse(err, "this %s was made on another class of host (%s; here: %s), where guests "
                           "would see differences", kinds[kind].file, theirs, ours);
    snprintf(word, sizeof(word), "%.*s", (int)strcspn(theirs, " ,"), theirs);
    for (unsigned i = 0; i < ARRAY_LEN(hints); i++)
        if (!strcmp(hints[i].name, name)) {
            const char *at = strstr(hints[i].hint, "%s");

            if (at)
                snprintf(hint, sizeof(hint), ": %.*s%s", (int)(at - hints[i].hint), hints[i].hint,
                         word);
            else
                snprintf(hint, sizeof(hint), ": %s", hints[i].hint);
        }
    return refuse(err, "the %s is of another machine: its %s is '%.150s', here '%.150s'%s",
                  kinds[kind].file, name, theirs, ours, hint);
}

int identity_read(struct state_reader *r, enum identity_kind kind, const struct machine *m,
                  char err[MACHINE_ERR_LEN])
{
    const u8 *head = r->data + r->pos;
    struct lines l = { .m = m, .err = err };
    const u8 *p, *end, *eol;
    int failed;

    if (identity_check(r, kind, err))
        return -1;
    failed = describe(&l, kind);
    p = l.text.data;
    end = p + l.text.len;
    for (; !failed && p < end && (eol = line_end(p, end)) != NULL; p = eol + 1) {
        const u8 *space = memchr(p, ' ', (size_t)(eol - p));
        char name[40], ours[VALUE_LEN], theirs[VALUE_LEN] = "not said";

        snprintf(name, sizeof(name), "%.*s", (int)(space - p), (const char *)p);
        snprintf(ours, sizeof(ours), "%.*s", (int)(eol - space - 1), (const char *)space + 1);
        identity_find(head, (size_t)(r->data + r->pos - head), name, theirs, sizeof(theirs));
        if (strcmp(ours, theirs))
            failed = differs(kind, name, theirs, ours, err);
    }
    free(l.text.data);
    if (failed)
        r->pos = (size_t)(head - r->data);
    return failed;
}
