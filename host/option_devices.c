/*
 * -device NAME,key=value,...: the table of devices. A row says where `-device help` lists it, which
 * properties mean something, and what adding it does; a device more is a row.
 */
#include "host/option_parser.h"
#include "host/option_text.h"
#include <stdlib.h>

enum device_group { STORAGE, NETWORK, INPUT, DISPLAY, SOUND, MISC, NR_DEVICE_GROUPS };

static const char *const group_titles[NR_DEVICE_GROUPS] = {
    [STORAGE] = "Storage devices",
    [DISPLAY] = "Display devices",
    [MISC] = "Misc devices",
};

struct device_row {
    const char *names; /* the first is the name, the rest, behind blanks, are aliases */
    enum device_group group;
    const char *bus;  /* NULL: not listed */
    const char *text; /* its description; of one that is not there, what is said on use */
    const char *keys; /* properties that mean something here, beside id; NULL: all are ignored */
    bool (*add)(struct option_parser *, const struct device_row *, const struct device_props *);
    size_t field; /* of device_disk: whether it is a CD-ROM drive; of device_flag: the option's */
};

const char *device_prop(const struct device_props *d, const char *key)
{
    for (unsigned i = 0; i < d->nr; i++)
        if (!strcmp(d->key[i], key))
            return d->value[i];
    return NULL;
}

bool device_number(struct option_parser *p, const struct device_props *d, const char *key, u64 min,
                   u64 max, u64 *n)
{
    const char *text = device_prop(d, key);
    u64 v;
    if (!text)
        return true;
    if (!option_u64(text, &v) || v < min || v > max)
        return option_fail(p, "%s: %s=%s: a number, %llu to %llu", d->name, key, text,
                           (unsigned long long)min, (unsigned long long)max);
    *n = v;
    return true;
}

/* ---- what adding one does ---- */

static bool device_quiet(struct option_parser *p, const struct device_row *row,
                         const struct device_props *d)
{
    (void)p, (void)row, (void)d;
    return true;
}

static bool device_ignored(struct option_parser *p, const struct device_row *row,
                           const struct device_props *d)
{
    return option_note(p, "%s: %s", d->name, row->text);
}

static bool device_missing(struct option_parser *p, const struct device_row *row,
                           const struct device_props *d)
{
    return option_fail(p, "%s: %s", d->name, row->text);
}

static bool device_exit(struct option_parser *p, const struct device_row *row,
                        const struct device_props *d)
{
    (void)row;
    struct options *o = p->o;
    u64 port = 0x501, size = 2; /* QEMU's defaults */
    if (!device_number(p, d, "iobase", 0, 0xffff, &port) ||
        !device_number(p, d, "iosize", 1, 8, &size))
        return false;
    o->exit_device = true;
    o->exit_port = (u16)port;
    o->exit_size = (u16)size;
    return true;
}

static bool device_disk(struct option_parser *p, const struct device_row *row,
                        const struct device_props *d)
{
    return option_add_disk_device(p, d, row->field);
}

static bool device_flag(struct option_parser *p, const struct device_row *row,
                        const struct device_props *d)
{
    (void)d;
    *(bool *)((char *)p->o + row->field) = true;
    return true;
}

static bool device_ahci(struct option_parser *p, const struct device_row *row,
                        const struct device_props *d)
{
    (void)row;
    const char *id = device_prop(d, "id");
    if (p->o->ahci)
        return option_fail(p, "%s: there is one controller already; it has six ports", d->name);
    p->o->ahci = true;
    p->o->ahci_id = id ? option_keep(p, id) : NULL;
    return true;
}

/* ---- the table ---- */

#define NO_NET   "there is no network card yet; the guest sees none"
#define NO_SOUND "there is no sound yet"
#define NO_USB   "there is no USB; keyboard and mouse are PS/2"
#define ON_IDE   "put the disk on IDE with -hda, or on -device ahci"

static const struct device_row device_table[] = {
    {"ide-hd ide-drive", STORAGE, "IDE", "disk of a -drive with if=none", "drive bus unit",
     device_disk, 0},
    {"ide-cd", STORAGE, "IDE", "CD-ROM drive, with the medium of a -drive with if=none or empty",
     "drive bus unit", device_disk, 1},
    {"ich9-ahci ahci", STORAGE, "PCI", "AHCI controller with six ports", "", device_ahci, 0},
    {"VGA", DISPLAY, "PCI", "always there", NULL, device_quiet, 0},
    {"isa-debug-exit", MISC, "ISA", "a write of v ends with status (v<<1)|1", "iobase iosize",
     device_exit, 0},
    {"pc-testdev", MISC, "ISA", "scratch ports E0h, interrupts at 2000h, memory at FF000000h", "",
     device_flag, offsetof(struct options, pc_testdev)},
    {"pci-testdev", MISC, "PCI", "counts writes to a BAR of memory and one of ports", "",
     device_flag, offsetof(struct options, pci_testdev)},

    {"isa-debugcon", MISC, NULL,
     "say it with -debugcon file:FILE and, for another port, -global isa-debugcon.iobase=PORT",
     NULL, device_missing, 0},
    {"virtio-blk-pci", STORAGE, NULL, "virtio is not there yet; " ON_IDE, NULL, device_missing, 0},
    {"virtio-scsi-pci", STORAGE, NULL, "virtio is not there yet; " ON_IDE, NULL, device_missing,
     0},
    {"nvme", STORAGE, NULL, "NVMe is not there; " ON_IDE, NULL, device_missing, 0},
    {"e1000", NETWORK, NULL, NO_NET, NULL, device_ignored, 0},
    {"rtl8139", NETWORK, NULL, NO_NET, NULL, device_ignored, 0},
    {"virtio-net-pci", NETWORK, NULL, NO_NET, NULL, device_ignored, 0},
    {"virtio-rng-pci", MISC, NULL, "there is no random number device; RDRAND may do", NULL,
     device_ignored, 0},
    {"AC97", SOUND, NULL, NO_SOUND, NULL, device_ignored, 0},
    {"intel-hda", SOUND, NULL, NO_SOUND, NULL, device_ignored, 0},
    {"hda-duplex", SOUND, NULL, NO_SOUND, NULL, device_ignored, 0},
    {"qemu-xhci", INPUT, NULL, NO_USB, NULL, device_ignored, 0},
    {"piix3-usb-uhci", INPUT, NULL, NO_USB, NULL, device_ignored, 0},
    {"usb-ehci", INPUT, NULL, NO_USB, NULL, device_ignored, 0},
    {"usb-kbd", INPUT, NULL, NO_USB, NULL, device_ignored, 0},
    {"usb-mouse", INPUT, NULL, NO_USB, NULL, device_ignored, 0},
    {"usb-tablet", INPUT, NULL, NO_USB, NULL, device_ignored, 0},
    {"virtio-vga", DISPLAY, NULL, "the card is VGA, as with -vga std", NULL, device_ignored, 0},
};

/* Properties that QEMU's devices have and that change nothing here. */
static const char quiet_keys[] = "addr bootindex serial model ver wwn werror rerror write-cache "
                                 "logical_block_size physical_block_size discard_granularity "
                                 "rombar romfile";

/* ---- the option ---- */

enum { MAX_WORDS = 64 };

/* Cuts a list of words into an array; text holds their copies. */
static unsigned split(const char *list, char *text, size_t cap, const char *words[MAX_WORDS])
{
    unsigned nr = 0;
    snprintf(text, cap, "%s", list);
    for (char *p = text; *p && nr < MAX_WORDS;) {
        words[nr++] = p;
        p += strcspn(p, " ");
        if (*p)
            *p++ = 0;
    }
    return nr;
}

static bool is_among(const char *word, const char *list)
{
    char text[256];
    const char *words[MAX_WORDS];
    unsigned nr = split(list, text, sizeof(text), words);
    for (unsigned i = 0; i < nr; i++)
        if (!strcmp(words[i], word))
            return true;
    return false;
}

static const struct device_row *find_device(const char *name)
{
    for (unsigned i = 0; i < ARRAY_LEN(device_table); i++)
        if (is_among(name, device_table[i].names))
            return &device_table[i];
    return NULL;
}

static bool no_device(struct option_parser *p, const char *name)
{
    char text[ARRAY_LEN(device_table)][32];
    const char *names[ARRAY_LEN(device_table)];
    for (unsigned i = 0; i < ARRAY_LEN(device_table); i++) {
        snprintf(text[i], sizeof(text[i]), "%.*s", (int)strcspn(device_table[i].names, " "),
                 device_table[i].names);
        names[i] = text[i];
    }
    const char *near = option_nearest(name, names, ARRAY_LEN(device_table));
    return near ? option_fail(p, "no device %s; did you mean %s?", name, near)
                : option_fail(p, "no device %s; -device '?' lists them", name);
}

static bool no_property(struct option_parser *p, const struct device_row *row, const char *device,
                        const char *key)
{
    char text[256];
    const char *words[MAX_WORDS];
    unsigned nr = split(row->keys, text, sizeof(text), words);
    const char *near = option_nearest(key, words, nr);
    if (near)
        return option_fail(p, "%s: no property '%s'; did you mean %s?", device, key, near);
    return option_fail(p, "%s: no property '%s'; it has id %s", device, key, row->keys);
}

static bool add_property(struct option_parser *p, const struct device_row *row,
                         struct device_props *d, const char *key, const char *value)
{
    if (!row->keys)
        return true;
    if (strcmp(key, "id") && !is_among(key, row->keys)) {
        if (is_among(key, quiet_keys))
            return option_note(p, "%s: %s= has no effect here", d->name, key);
        return no_property(p, row, d->name, key);
    }
    if (!value)
        return option_fail(p, "%s: %s needs a value", d->name, key);
    if (d->nr == ARRAY_LEN(d->key))
        return option_fail(p, "%s: too many properties", d->name);
    d->key[d->nr] = option_keep(p, key);
    d->value[d->nr++] = option_keep(p, value);
    return true;
}

bool opt_device(struct option_parser *p, const struct option_row *row, const char *arg)
{
    (void)row;
    if (!strcmp(arg, "?") || !strcmp(arg, "help"))
        return p->done = options_list_devices(p->out);
    char *item = option_next_item(&arg);
    struct device_props d = {.name = option_keep(p, item ? item : "")};
    const struct device_row *device = find_device(d.name);
    bool good = true;
    free(item);
    if (!device)
        return no_device(p, d.name);
    while (good && (item = option_next_item(&arg))) {
        char *value = option_split_value(item);
        good = add_property(p, device, &d, item, value);
        free(item);
    }
    return good && device->add(p, device, &d);
}

bool options_list_devices(FILE *f)
{
    bool first = true;
    for (unsigned g = 0; g < NR_DEVICE_GROUPS; g++) {
        bool titled = false;
        for (unsigned i = 0; i < ARRAY_LEN(device_table); i++) {
            const struct device_row *row = &device_table[i];
            if (row->group != g || !row->bus)
                continue;
            if (!titled)
                fprintf(f, "%s%s:\n", first ? "" : "\n", group_titles[g]);
            size_t n = strcspn(row->names, " ");
            fprintf(f, "name \"%.*s\", bus %s", (int)n, row->names, row->bus);
            if (row->names[n])
                fprintf(f, ", alias \"%s\"", row->names + n + 1);
            fprintf(f, ", desc \"%s\"\n", row->text);
            titled = true;
            first = false;
        }
    }
    return true;
}
