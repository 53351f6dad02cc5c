/*
 * A machine as a command line. See host/machine_args.h.
 */
#include "host/machine_args.h"
#include <limits.h>
#include <stdlib.h>

/* ---- out ---- */

static void add(struct machine_args *l, const char *text)
{
    ASSERT(l->nr < MACHINE_MAX_ARGS);
    l->arg[l->nr++] = strdup(text);
}

void machine_args_pair(struct machine_args *l, const char *name, const char *text)
{
    if (!text)
        return;
    add(l, name);
    add(l, text);
}

/* From whatever directory it will be replayed. */
static void add_file(struct machine_args *l, const char *name, const char *path)
{
    char whole[PATH_MAX];

    if (path)
        machine_args_pair(l, name, realpath(path, whole) ? whole : path);
}

static void add_drive(struct machine_args *l, const struct drive_options *d)
{
    static const char *const buses[] = {"ide", "ahci", "floppy"};
    char whole[PATH_MAX], text[2 * PATH_MAX + 64], *p = text;
    const char *path = d->file && realpath(d->file, whole) ? whole : d->file;

    if (!path) { /* a CD-ROM drive without a medium */
        snprintf(text, sizeof(text), d->bus == DRIVE_AHCI ? "ide-cd,bus=ahci.%d" : "ide-cd,bus=ide.%d,unit=%d",
                 d->bus == DRIVE_AHCI ? d->index : d->index / 2, d->index % 2);
        machine_args_pair(l, "-device", text);
        return;
    }
    p += sprintf(p, "file=");
    for (; *path && p < text + 2 * PATH_MAX; path++) {
        if (*path == ',')
            *p++ = ',';
        *p++ = *path;
    }
    sprintf(p, ",format=raw,if=%s,index=%d,snapshot=on%s%s", buses[d->bus], d->index,
            d->cdrom ? ",media=cdrom" : "", d->readonly && !d->cdrom ? ",readonly=on" : "");
    machine_args_pair(l, "-drive", text);
}

/* ORDER: every option that makes another machine: the rows of GROUP_DISKS, GROUP_MACHINE and
 * GROUP_BOOT in option_table.c, and the debug console. A -kernel and its modules stay as they
 * were written, since the guest can read their names; the date is in the log's head, the
 * battery-backed memory beside this list. */
void machine_args_describe(struct machine_args *l, const struct options *o)
{
    char text[64];

    l->nr = 0;
    if (o->ahci)
        machine_args_pair(l, "-device", "ahci,id=ahci");
    if (o->no_hpet)
        machine_args_pair(l, "-machine", "hpet=off");
    if (o->pc_testdev)
        machine_args_pair(l, "-device", "pc-testdev");
    if (o->pci_testdev)
        machine_args_pair(l, "-device", "pci-testdev");
    for (unsigned i = 0; i < MAX_DISKS; i++)
        if (o->drive[i].file || o->drive[i].cdrom)
            add_drive(l, &o->drive[i]);
    if (*o->boot_order)
        machine_args_pair(l, "-boot", o->boot_order);
    if (o->ram_bytes) {
        snprintf(text, sizeof(text), "%llu", (unsigned long long)(o->ram_bytes >> 20));
        machine_args_pair(l, "-m", text);
    }
    machine_args_pair(l, "-cpu", o->cpu);
    if (o->seed) {
        snprintf(text, sizeof(text), "%llu", (unsigned long long)o->seed);
        machine_args_pair(l, "-seed", text);
    }
    add_file(l, "-L", o->data_dir);
    add_file(l, "-bios", o->bios);
    if (o->vgabios && !strcmp(o->vgabios, "none"))
        machine_args_pair(l, "-vgabios", "none");
    else
        add_file(l, "-vgabios", o->vgabios);
    machine_args_pair(l, "-kernel", o->kernel);
    machine_args_pair(l, "-initrd", o->initrd);
    machine_args_pair(l, "-append", o->append);
    machine_args_pair(l, "-break-device", o->break_device);
    if (o->exit_device) {
        snprintf(text, sizeof(text), "isa-debug-exit,iobase=%u,iosize=%u", o->exit_port,
                 o->exit_size);
        machine_args_pair(l, "-device", text);
    }
    if (o->debugcon.kind != CHAR_UNSET)
        machine_args_pair(l, "-debugcon", "null");
    if (o->debugcon_port) {
        snprintf(text, sizeof(text), "isa-debugcon.iobase=%u", o->debugcon_port);
        machine_args_pair(l, "-global", text);
    }
    if (o->reset_on_triple_fault)
        machine_args_pair(l, "-on-triple-fault", "reset");
}

void machine_args_free(struct machine_args *l)
{
    for (unsigned i = 0; i < l->nr; i++)
        free(l->arg[i]);
    l->nr = 0;
}

/* ---- in ---- */

/* Whether the user has said this himself, such as where a file is now. */
static bool said_anew(const struct options *o, const char *name, const char *text)
{
    return (o->nr_loose && !strcmp(name, "-drive")) ||
           (o->nr_loose && !strcmp(name, "-device") && !strncmp(text, "ide-cd", 6)) ||
           (o->ahci_id && !strcmp(name, "-device") && !strncmp(text, "ahci", 4)) || (o->bios && !strcmp(name, "-bios")) ||
           (o->lockstep.on && !strcmp(name, "-accel")) ||
           (o->vgabios && !strcmp(name, "-vgabios")) || (o->data_dir && !strcmp(name, "-L")) ||
           (o->kernel && !strcmp(name, "-kernel")) || (o->initrd && !strcmp(name, "-initrd"));
}

bool machine_args_parse(struct options *o, const char *const *args, unsigned nr, int argc, char **argv)
{
    char **all = calloc((size_t)argc + nr + 1, sizeof(*all)), *text = NULL;
    size_t len;
    FILE *err = open_memstream(&text, &len);
    enum options_result result;
    int n = 0;

    if (!all || !err)
        abort();
    for (; n < argc; n++)
        all[n] = argv[n];
    for (unsigned i = 0; i + 1 < nr; i += 2) {
        if (said_anew(o, args[i], args[i + 1]))
            continue;
        all[n++] = (char *)(uintptr_t)args[i];
        all[n++] = (char *)(uintptr_t)args[i + 1];
    }
    options_free(o);
    result = options_parse(o, n, all, stdout, err);
    fclose(err);
    if (result != OPTIONS_GO)
        fprintf(stderr, "%s", text); /* what was only a remark has been said the first time */
    free(text);
    free(all);
    return result == OPTIONS_GO;
}
