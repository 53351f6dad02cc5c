/*
 * -hda to -hdd, -cdrom, -fda, -fdb, the bare image, -drive, -device ide-hd and ide-cd, and how they
 * come together: explicit places first, then the drives without an index in the order given, as in
 * QEMU.
 */
#include "host/option_parser.h"
#include "host/option_text.h"
#include <stdlib.h>

static const char *const place_names[MAX_DISKS] = {
    "-hda (primary master)",
    "-hdb (primary slave)",
    "-hdc (secondary master)",
    "-hdd (secondary slave)",
    "AHCI port 0",
    "AHCI port 1",
    "AHCI port 2",
    "AHCI port 3",
    "AHCI port 4",
    "AHCI port 5",
    "-fda",
    "-fdb",
};

static const struct {
    const char *name; /* of if= */
    int first, nr;    /* places */
    const char *full;
} buses[NR_DRIVE_BUSES] = {
    [DRIVE_IDE] = {"ide", DISK_IDE, 4, "two IDE channels take four"},
    [DRIVE_AHCI] = {"ahci", DISK_AHCI, 6, "the AHCI controller has six ports"},
    [DRIVE_FLOPPY] = {"floppy", DISK_FLOPPY, 2, "there are two floppy drives"},
};

static const char *place_name(const struct drive_options *d)
{
    return place_names[buses[d->bus].first + d->index];
}

static bool add_drive(struct option_parser *p, const struct drive_options *d)
{
    struct options *o = p->o;
    if (o->nr_loose == MAX_DISKS)
        return option_fail(p, "too many drives; there are places for %d", MAX_DISKS);
    for (unsigned i = 0; i < o->nr_loose; i++) {
        const struct drive_options *other = &o->loose[i];
        if (d->attached && other->attached && d->index >= 0 && other->bus == d->bus &&
            other->index == d->index)
            return option_fail(p, "%s already holds %s; use another index", place_name(d),
                               other->file);
        if (d->id && other->id && !strcmp(d->id, other->id))
            return option_fail(p, "there is already a drive with id=%s", d->id);
    }
    o->loose[o->nr_loose++] = *d;
    return true;
}

bool opt_hd(struct option_parser *p, const struct option_row *row, const char *arg)
{
    struct drive_options d = {
        .file = option_keep(p, arg), .index = (int)row->field, .attached = true};
    return add_drive(p, &d);
}

bool opt_cdrom(struct option_parser *p, const struct option_row *row, const char *arg)
{
    (void)row;
    struct drive_options d = {
        .file = option_keep(p, arg), .index = 2, .attached = true, .cdrom = true};
    return add_drive(p, &d);
}

bool opt_fd(struct option_parser *p, const struct option_row *row, const char *arg)
{
    struct drive_options d = {.file = option_keep(p, arg),
                              .bus = DRIVE_FLOPPY,
                              .index = (int)row->field,
                              .attached = true};
    return add_drive(p, &d);
}

bool opt_image(struct option_parser *p, const char *file)
{
    struct drive_options d = {.file = option_keep(p, file), .index = 0, .attached = true};
    struct options *o = p->o;
    for (unsigned i = 0; i < o->nr_loose; i++)
        if (o->loose[i].bus == DRIVE_IDE && o->loose[i].attached && o->loose[i].index == 0)
            return option_fail(p, "%s is the boot disk already; a second disk goes with -hdb %s",
                               o->loose[i].file, file);
    return add_drive(p, &d);
}

static bool drive_interface(struct option_parser *p, struct drive_options *d, const char *value)
{
    d->attached = strcmp(value, "none") != 0;
    for (unsigned i = 0; i < NR_DRIVE_BUSES; i++)
        if (!strcmp(value, buses[i].name)) {
            d->bus = (enum drive_bus)i;
            return true;
        }
    return !d->attached || option_fail(p, "if=%s is not there; try if=ide", value);
}

static bool drive_item(struct option_parser *p, struct drive_options *d, const char *key,
                       const char *value, int *bus, int *unit)
{
    static const char *const keys[] = {"file", "format", "index",    "media",    "if",   "id",
                                       "bus",  "unit",   "snapshot", "readonly", "cache"};
    u64 n;
    bool *flag = !strcmp(key, "snapshot")                                ? &d->snapshot
                 : !strcmp(key, "readonly") || !strcmp(key, "read-only") ? &d->readonly
                                                                         : NULL;
    if (flag) {
        if (option_bool(value ? value : "on", flag))
            return true;
        return option_fail(p, "%s=%s: say on or off", key, value);
    }
    if (!value)
        return option_fail(p, "'%s' needs a value; is this the file? Write file=%s", key, key);
    if (!strcmp(key, "file")) {
        d->file = option_keep(p, value);
        return true;
    }
    if (!strcmp(key, "id")) {
        d->id = option_keep(p, value);
        return true;
    }
    if (!strcmp(key, "if"))
        return drive_interface(p, d, value);
    if (!strcmp(key, "format")) {
        if (!strcmp(value, "raw"))
            return true;
        return option_fail(p,
                           "format=%s: only raw images yet; convert it with "
                           "qemu-img convert -O raw",
                           value);
    }
    if (!strcmp(key, "media")) {
        d->cdrom = !strcmp(value, "cdrom");
        return d->cdrom || !strcmp(value, "disk") ||
               option_fail(p, "media=%s: disk or cdrom", value);
    }
    if (!strcmp(key, "index") || !strcmp(key, "bus") || !strcmp(key, "unit")) {
        u64 max = key[0] == 'i' ? 5 : 1;
        if (!option_u64(value, &n) || n > max)
            return option_fail(p, "%s=%s: 0 to %d", key, value, (int)max);
        *(key[0] == 'i' ? &d->index : key[0] == 'b' ? bus : unit) = (int)n;
        return true;
    }
    if (!strcmp(key, "cache") || !strcmp(key, "aio") || !strcmp(key, "discard") ||
        !strcmp(key, "werror") || !strcmp(key, "rerror") || !strcmp(key, "detect-zeroes") ||
        !strcmp(key, "cyls") || !strcmp(key, "heads") || !strcmp(key, "secs") ||
        !strcmp(key, "serial"))
        return option_note(p, "%s= has no effect here", key);
    const char *near = option_nearest(key, keys, ARRAY_LEN(keys));
    if (near)
        return option_fail(p, "unknown property '%s'; did you mean %s?", key, near);
    return option_fail(p, "unknown property '%s'", key);
}

bool opt_drive(struct option_parser *p, const struct option_row *row, const char *arg)
{
    (void)row;
    struct drive_options d = {.index = -1, .attached = true};
    int bus = -1, unit = -1;
    char *item;
    while ((item = option_next_item(&arg))) {
        char *value = option_split_value(item);
        bool good = drive_item(p, &d, item, value, &bus, &unit);
        free(item);
        if (!good)
            return false;
    }
    if (!d.file)
        return option_fail(p, "needs file=FILE");
    if (d.index < 0 && (bus >= 0 || unit >= 0))
        d.index = (bus > 0 ? 2 : 0) + (unit > 0);
    if (d.attached && d.index >= buses[d.bus].nr)
        return option_fail(p, "index=%d: %s", d.index, buses[d.bus].full);
    if (d.attached && d.bus == DRIVE_FLOPPY && d.cdrom)
        return option_fail(p, "media=cdrom does not go with if=floppy");
    if (!d.attached && !d.id)
        return option_fail(p, "if=none needs id=ID, for a -device ide-hd,drive=ID to name it");
    return add_drive(p, &d);
}

bool option_add_disk_device(struct option_parser *p, const struct device_props *props, bool cdrom)
{
    struct options *o = p->o;
    struct disk_device d = {.name = props->name, .unit = -1, .cdrom = cdrom};
    u64 unit = 0;
    if (!device_number(p, props, "unit", 0, 1, &unit))
        return false;
    if (device_prop(props, "unit"))
        d.unit = (int)unit;
    d.drive = device_prop(props, "drive");
    d.bus = device_prop(props, "bus");
    if (!d.drive && !cdrom)
        return option_fail(p, "%s needs drive=ID of a -drive with if=none", props->name);
    if (o->nr_disk_devices == MAX_DISKS)
        return option_fail(p, "too many drives; there are places for %d", MAX_DISKS);
    o->disk_device[o->nr_disk_devices++] = d;
    return true;
}

/* "ide.0", or the name of the AHCI controller, a dot and the port. */
static bool device_place(struct option_parser *p, const struct disk_device *dev,
                         struct drive_options *d)
{
    struct options *o = p->o;
    u64 n = 0;
    d->bus = DRIVE_IDE;
    d->index = dev->unit; /* on the first channel */
    if (!dev->bus)
        return true;
    const char *dot = strrchr(dev->bus, '.');
    size_t len = dot ? (size_t)(dot - dev->bus) : strlen(dev->bus);
    bool numbered = !dot || option_u64(dot + 1, &n);
    if (o->ahci_id && strlen(o->ahci_id) == len && !strncmp(dev->bus, o->ahci_id, len)) {
        if (!numbered || n > 5)
            return option_fail(p, "bus=%s: the controller has ports %s.0 to %s.5", dev->bus,
                               o->ahci_id, o->ahci_id);
        if (dev->unit > 0)
            return option_fail(p, "unit=%d: a port takes one drive", dev->unit);
        d->bus = DRIVE_AHCI;
        d->index = dot ? (int)n : -1;
        return true;
    }
    if (len != 3 || strncmp(dev->bus, "ide", 3) || !numbered || n > 1)
        return option_fail(p, "bus=%s: there are ide.0 and ide.1%s%s", dev->bus,
                           o->ahci ? " and the ports of the AHCI controller; its id is "
                                   : "; -device ahci,id=NAME adds NAME.0 to NAME.5",
                           !o->ahci ? "" : o->ahci_id ? o->ahci_id : "not given");
    d->index = (int)(2 * n) + (dev->unit > 0);
    return true;
}

/* A drive of if=none gets its place from the device that names it. */
static bool attach_devices(struct option_parser *p)
{
    struct options *o = p->o;
    for (unsigned i = 0; i < o->nr_disk_devices; i++) {
        const struct disk_device *dev = &o->disk_device[i];
        struct drive_options *d = NULL, empty = {.cdrom = true};
        char name[40];
        snprintf(name, sizeof(name), "-device %.30s", dev->name);
        p->name = option_keep(p, name);
        for (unsigned j = 0; j < o->nr_loose && dev->drive; j++)
            if (o->loose[j].id && !strcmp(o->loose[j].id, dev->drive))
                d = &o->loose[j];
        if (!d && dev->drive)
            return option_fail(p, "there is no -drive with id=%s", dev->drive);
        if (d && d->attached)
            return option_fail(p, "drive %s has its place already; give it if=none", dev->drive);
        if (!d) {
            if (!add_drive(p, &empty))
                return false;
            d = &o->loose[o->nr_loose - 1];
        }
        if (!device_place(p, dev, d))
            return false;
        d->attached = true;
        d->cdrom = dev->cdrom;
    }
    for (unsigned i = 0; i < o->nr_loose; i++) {
        p->name = "-drive";
        if (!o->loose[i].attached)
            option_note(p, "%s is if=none and no -device ide-hd,drive=%s names it: not attached",
                        o->loose[i].file, o->loose[i].id);
    }
    return true;
}

static const char *medium_name(const struct drive_options *d)
{
    return d->file ? d->file : "an empty CD-ROM drive";
}

static bool is_taken(const struct drive_options *d)
{
    return d->file || d->cdrom;
}

static bool put_drive(struct option_parser *p, struct drive_options d)
{
    struct options *o = p->o;
    struct drive_options *place = &o->drive[buses[d.bus].first];
    for (int at = 0; d.index < 0 && at < buses[d.bus].nr; at++)
        if (!is_taken(&place[at]))
            d.index = at;
    if (d.index < 0)
        return option_fail(p, "no place for %s: %s", medium_name(&d), buses[d.bus].full);
    if (is_taken(&place[d.index]))
        return option_fail(p, "%s and %s are both %s; use another index",
                           medium_name(&place[d.index]), medium_name(&d), place_name(&d));
    d.snapshot |= o->snapshot;
    d.readonly |= d.cdrom;
    place[d.index] = d;
    return true;
}

bool option_resolve_drives(struct option_parser *p)
{
    struct options *o = p->o;
    if (!attach_devices(p))
        return false;
    p->name = "-drive";
    for (int pass = 0; pass < 2; pass++) /* those with a place, then the others */
        for (unsigned i = 0; i < o->nr_loose; i++) {
            const struct drive_options *d = &o->loose[i];
            o->ahci |= d->attached && d->bus == DRIVE_AHCI;
            if (d->attached && (d->index < 0) == (pass == 1) && !put_drive(p, *d))
                return false;
        }
    return true;
}
