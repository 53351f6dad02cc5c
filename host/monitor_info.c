/*
 * The monitor's info commands: what QEMU prints, and tables of descriptors as Bochs has them.
 */
#include "host/monitor_commands.h"
#include "host/session.h"
#include "machine/inspect.h"

static void status(const struct monitor_call *c)
{
    const char *s = control_status(c->ctl);

    if (c->ctl->stopped && strcmp(s, "paused"))
        fprintf(c->out, "VM status: paused (%s)\n", s);
    else
        fprintf(c->out, "VM status: %s\n", s);
}

static void registers(const struct monitor_call *c)
{
    inspect_registers(c->m, c->out);
}
static void mem(const struct monitor_call *c)
{
    inspect_mem(c->m, c->out);
}
static void tlb(const struct monitor_call *c)
{
    inspect_tlb(c->m, c->out);
}
static void tab(const struct monitor_call *c)
{
    inspect_tab(c->m, c->out);
}
static void pic(const struct monitor_call *c)
{
    inspect_pic(c->m, c->out);
}
static void lapic(const struct monitor_call *c)
{
    inspect_lapic(c->m, c->out);
}
static void pci(const struct monitor_call *c)
{
    inspect_pci(c->m, c->out);
}
/* QEMU's names of places: ide0-hd0, ide1-cd0, floppy0; ports of the controller are ahci0 to ahci5. */
static void place_name(unsigned i, const struct drive_options *d, char name[16])
{
    const char *kind = d->cdrom ? "cd" : "hd";

    if (i < DISK_AHCI)
        snprintf(name, 16, "ide%u-%s%u", i / 2, kind, i % 2);
    else if (i < DISK_FLOPPY)
        snprintf(name, 16, "ahci%u-%s0", i - DISK_AHCI, kind);
    else
        snprintf(name, 16, "floppy%u", i - DISK_FLOPPY);
}

static void block(const struct monitor_call *c)
{
    for (unsigned i = 0; i < MAX_DISKS; i++) {
        const struct drive_options *d = &c->ctl->s->o->drive[i];
        char name[16];

        if (!d->file && !d->cdrom)
            continue;
        place_name(i, d, name);
        if (d->file)
            fprintf(c->out, "%s: %s (raw%s%s)\n", name, d->file, d->readonly ? ", read-only" : "",
                    d->snapshot ? ", writes stay in memory" : "");
        else
            fprintf(c->out, "%s: [not inserted]\n", name);
        if (d->cdrom)
            inspect_cdrom(c->m, c->out, i);
    }
}

static void mtree(const struct monitor_call *c)
{
    inspect_mtree(c->m, c->out);
}
static void tss(const struct monitor_call *c)
{
    inspect_tss(c->m, c->out);
}
static void stats(const struct monitor_call *c)
{
    machine_print_stats(c->m, c->out, 0);
}

static void jit(const struct monitor_call *c)
{
    if (!machine_print_engine_stats(c->m, c->out))
        fprintf(c->out, "the %s engine translates nothing: no numbers; try kiln -accel jit, or info stats\n",
                machine_engine_name(c->m));
}

static void version(const struct monitor_call *c)
{
    fprintf(c->out, "%s\n", KILN_VERSION);
}

static void name(const struct monitor_call *c)
{
    if (c->ctl->s->o->name)
        fprintf(c->out, "%s\n", c->ctl->s->o->name);
}

/* "info gdt [first [last]]" */
static void table(const struct monitor_call *c, void (*inspect)(struct machine *, FILE *, u32, u32))
{
    const char *args = c->args, *why;
    u64 first = 0, last = UINT32_MAX;

    if (*args) {
        if (!monitor_expression(c->m, &args, &first, &why) ||
            (last = first, *args && !monitor_expression(c->m, &args, &last, &why))) {
            fprintf(c->out, "%s\n", why);
            return;
        }
    }
    inspect(c->m, c->out, first > UINT32_MAX ? UINT32_MAX : (u32)first,
            last > UINT32_MAX ? UINT32_MAX : (u32)last);
}

static void idt(const struct monitor_call *c)
{
    table(c, inspect_idt);
}
static void gdt(const struct monitor_call *c)
{
    table(c, inspect_gdt);
}
static void ldt(const struct monitor_call *c)
{
    table(c, inspect_ldt);
}
static void cpuid(const struct monitor_call *c)
{
    inspect_cpuid(c->m, c->out);
}
static void ivt(const struct monitor_call *c)
{
    table(c, inspect_ivt);
}

const struct monitor_command monitor_info_commands[] = {
    {"status", "", "whether the guest runs", status},
    {"registers|cpu", "", "the processor", registers},
    {"cpuid", "", "what the guest is told of its processor", cpuid},
    {"mem", "", "mapped ranges of linear memory and their rights", mem},
    {"tlb", "", "every mapping of the page tables", tlb},
    {"tab", "", "linear ranges and the physical ones that they lead to", tab},
    {"pic", "", "interrupt controllers: I/O APIC and 8259s", pic},
    {"lapic", "", "local APIC", lapic},
    {"pci", "", "PCI functions", pci},
    {"block", "", "disks, CDs and floppies", block},
    {"mtree", "", "maps of memory and ports", mtree},
    {"idt", "[first [last]]", "interrupt descriptor table", idt},
    {"gdt", "[first [last]]", "global descriptor table", gdt},
    {"ldt", "[first [last]]", "local descriptor table", ldt},
    {"ivt", "[first [last]]", "interrupt vectors of real mode", ivt},
    {"tss", "", "task state segment", tss},
    {"stats", "", "numbers of the run", stats},
    {"jit", "", "numbers of the translator", jit},
    {"name", "", "what -name gave", name},
    {"version", "", "version", version},
    {NULL, NULL, NULL, NULL},
};
