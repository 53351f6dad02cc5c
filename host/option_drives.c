/*
 * -hda to -hdd, the bare image, -drive, and how disks come together: explicit places
 * first, then the drives without an index in the order given, as in QEMU.
 */
#include "host/option_parser.h"
#include "host/option_text.h"
#include <stdlib.h>

static const char *const place_names[OPTIONS_DISKS] = {
    "-hda (primary master)", "-hdb (primary slave)", "-hdc (secondary master)",
    "-hdd (secondary slave)"};

static bool add_drive(struct option_parser *p, const struct drive_options *d)
{
    struct options *o = p->o;
    if (o->nr_loose == OPTIONS_DISKS)
        return option_fail(p, "too many disks; two IDE channels take four");
    for (unsigned i = 0; i < o->nr_loose; i++) {
        const struct drive_options *other = &o->loose[i];
        if (d->index >= 0 && other->index == d->index)
            return option_fail(p, "%s already holds %s; use another index", place_names[d->index],
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

bool opt_image(struct option_parser *p, const char *file)
{
    struct drive_options d = {.file = option_keep(p, file), .index = 0, .attached = true};
    struct options *o = p->o;
    for (unsigned i = 0; i < o->nr_loose; i++)
        if (o->loose[i].index == 0)
            return option_fail(p, "%s is the boot disk already; a second disk goes with -hdb %s",
                               o->loose[i].file, file);
    return add_drive(p, &d);
}

static bool drive_interface(struct option_parser *p, struct drive_options *d, const char *value)
{
    if (!strcmp(value, "ide") || !strcmp(value, "none")) {
        d->attached = value[0] == 'i';
        return true;
    }
    if (!strcmp(value, "floppy"))
        return option_fail(p, "if=floppy: floppy drives are not there yet; a boot sector also "
                              "boots with if=ide");
    return option_fail(p, "if=%s is not there; try if=ide", value);
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
        if (!strcmp(value, "disk"))
            return true;
        return option_fail(p, "media=%s: CD-ROM drives are not there yet; only media=disk", value);
    }
    if (!strcmp(key, "index") || !strcmp(key, "bus") || !strcmp(key, "unit")) {
        u64 max = key[0] == 'i' ? OPTIONS_DISKS - 1 : 1;
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
    if (!d.attached && !d.id)
        return option_fail(p, "if=none needs id=ID, for a -device ide-hd,drive=ID to name it");
    return add_drive(p, &d);
}

bool option_add_disk_device(struct option_parser *p, const struct device_props *props)
{
    struct options *o = p->o;
    const char *drive = device_prop(props, "drive"), *on = device_prop(props, "bus");
    u64 bus = 0, unit = 0;
    if (!drive)
        return option_fail(p, "%s needs drive=ID of a -drive with if=none", props->name);
    if (on && (strncmp(on, "ide.", 4) || !option_u64(on + 4, &bus) || bus > 1))
        return option_fail(p, "%s: bus=%s: ide.0 or ide.1", props->name, on);
    if (!device_number(p, props, "unit", 0, 1, &unit))
        return false;
    if (o->nr_device == OPTIONS_DISKS)
        return option_fail(p, "too many disks; two IDE channels take four");
    o->device_index[o->nr_device] =
        on || device_prop(props, "unit") ? (int)(2 * bus + unit) : -1;
    o->device_drive[o->nr_device++] = option_keep(p, drive);
    return true;
}

/* A drive of if=none gets its place from the device that names it. */
static bool attach_devices(struct option_parser *p)
{
    struct options *o = p->o;
    for (unsigned i = 0; i < o->nr_device; i++) {
        struct drive_options *d = NULL;
        for (unsigned j = 0; j < o->nr_loose; j++)
            if (o->loose[j].id && !strcmp(o->loose[j].id, o->device_drive[i]))
                d = &o->loose[j];
        p->name = "-device ide-hd";
        if (!d)
            return option_fail(p, "there is no -drive with id=%s", o->device_drive[i]);
        if (d->attached)
            return option_fail(p, "drive %s has its place already; give it if=none",
                               o->device_drive[i]);
        d->attached = true;
        d->index = o->device_index[i];
    }
    for (unsigned i = 0; i < o->nr_loose; i++) {
        p->name = "-drive";
        if (!o->loose[i].attached)
            option_note(p, "%s is if=none and no -device ide-hd,drive=%s names it: not attached",
                        o->loose[i].file, o->loose[i].id);
    }
    return true;
}

bool option_resolve_drives(struct option_parser *p)
{
    struct options *o = p->o;
    if (!attach_devices(p))
        return false;
    p->name = "-drive";
    for (int pass = 0; pass < 2; pass++) { /* those with a place, then the others */
        for (unsigned i = 0; i < o->nr_loose; i++) {
            struct drive_options d = o->loose[i];
            if (!d.attached || (d.index < 0) != (pass == 1))
                continue;
            for (int at = 0; d.index < 0 && at < OPTIONS_DISKS; at++)
                if (!o->drive[at].file)
                    d.index = at;
            if (o->drive[d.index].file)
                return option_fail(p, "%s and %s are both %s; use another index",
                                   o->drive[d.index].file, d.file, place_names[d.index]);
            d.snapshot |= o->snapshot;
            o->drive[d.index] = d;
        }
    }
    return true;
}
