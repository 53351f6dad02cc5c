/*
 * Local APIC and I/O APIC as text, in QEMU's formats (`info lapic`, the second half of `info pic`).
 */
#include "machine/inspect.h"
#include "machine/pc.h"
#include <inttypes.h>

static const char *const modes[8] = { "fixed", "lowest", "SMI", "...", "NMI", "INIT", "SIPI", "ExtINT" };
static const char *const lvt_modes[8] = { "Fixed", "LowPri", "SMI", "...", "NMI", "INIT", "SIPI", "ExtINT" };

static const char *polarity(u64 entry)
{
    return entry & LVT_ACTIVE_LOW ? "active-lo" : "active-hi";
}

static const char *trigger(u64 entry)
{
    return entry & LVT_LEVEL ? "level" : "edge";
}

static void put_lvt(FILE *f, const char *name, u32 lvt, const char *timer)
{
    unsigned mode = *timer ? APIC_FIXED : lvt >> LVT_MODE_SHIFT & 7;

    fprintf(f, "%s\t 0x%08x %s %-5s %-6s %-7s %-12s %-6s", name, lvt, polarity(lvt), trigger(lvt),
            lvt & LVT_MASKED ? "masked" : "", "", timer, lvt_modes[mode]);
    if (mode != APIC_NMI)
        fprintf(f, " (vec %u)", lvt & 0xff);
    fputc('\n', f);
}

static void put_vectors(FILE *f, const char *name, const u32 set[8], const u32 tmr[8])
{
    bool any = false;

    fprintf(f, "%s\t ", name);
    for (unsigned i = 0; i < 256; i++)
        if (set[i / 32] >> i % 32 & 1) {
            fprintf(f, "%u%s ", i, tmr[i / 32] >> i % 32 & 1 ? "(level)" : "");
            any = true;
        }
    fputs(any ? "\n" : "(none)\n", f);
}

void inspect_lapic(struct machine *m, FILE *f)
{
    static const char *const shorthands[4] = { "no-shorthand", "self", "all-self", "all" };
    static const char *const timer_modes[] = { "one-shot", "periodic", "tsc-deadline" };
    const struct lapic *l = &machine_pc(m)->lapic;
    u32 icr = (u32)l->icr;

    fprintf(f, "dumping local APIC state for CPU %u \n\n", l->cfg.id);
    if (!(l->base & APIC_BASE_ENABLE))
        fputs("the APIC is switched off: INTR and NMI reach the processor directly\n", f);
    put_lvt(f, "LVT0", l->lvt[LVT_LINT0], "");
    put_lvt(f, "LVT1", l->lvt[LVT_LINT1], "");
    put_lvt(f, "LVTPC", l->lvt[LVT_PERFORMANCE], "");
    put_lvt(f, "LVTERR", l->lvt[LVT_ERROR], "");
    put_lvt(f, "LVTTHMR", l->lvt[LVT_THERMAL], "");
    put_lvt(f, "LVTT", l->lvt[LVT_TIMER], timer_modes[lapic_timer_mode(l)]);
    fprintf(f, "Timer\t DCR=0x%x (divide by %u) initial_count = %u current_count = %u\n", l->divide,
            lapic_timer_divisor(l), l->initial, lapic_timer_count(l));
    if (l->deadline)
        fprintf(f, "Deadline %" PRIu64 "\n", l->deadline);
    fprintf(f, "SPIV\t 0x%08x APIC %s, focus=off, spurious vec %u\n", l->svr,
            l->svr & APIC_SOFTWARE_ENABLE ? "enabled" : "disabled", l->svr & 0xff);
    fprintf(f, "ICR\t 0x%08x %s %s %s %s\n", icr, icr & 1 << 11 ? "logical" : "physical", trigger(icr),
            icr & 1 << 14 ? "assert" : "de-assert", shorthands[icr >> 18 & 3]);
    fprintf(f, "ICR2\t 0x%08x\n", (u32)(l->icr >> 32));
    fprintf(f, "ESR\t 0x%08x\n", l->esr);
    put_vectors(f, "ISR", l->isr, l->tmr);
    put_vectors(f, "IRR", l->irr, l->tmr);
    if (l->base & APIC_BASE_X2APIC)
        fprintf(f, "\nTPR 0x%02x LDR 0x%08x PPR 0x%02x, x2APIC mode\n", l->tpr, l->ldr, lapic_priority(l));
    else
        fprintf(f, "\nAPR 0x%02x TPR 0x%02x DFR 0x%02x LDR 0x%02x PPR 0x%02x\n", l->tpr, l->tpr,
                l->dfr >> 28, l->ldr >> 24, lapic_priority(l));
}

static void put_pins(FILE *f, const char *name, u32 pins)
{
    fprintf(f, "  %s", name);
    for (unsigned i = 0; i < IOAPIC_PINS; i++)
        if (pins >> i & 1)
            fprintf(f, " %u", i);
    fputs(pins ? "\n" : " (none)\n", f);
}

void inspect_ioapic(struct machine *m, FILE *f)
{
    const struct ioapic *a = &machine_pc(m)->ioapic;
    u32 remote = 0;

    fprintf(f, "ioapic0: ver=0x%x id=0x%02x sel=0x%02x\n", IOAPIC_VERSION, a->id, a->select);
    for (unsigned i = 0; i < IOAPIC_PINS; i++) {
        u64 e = a->entry[i];

        fprintf(f, "  pin %-2u 0x%016" PRIx64 " dest=%x vec=%-3u %s %-5s %-6s %-6s %s\n", i, e,
                (unsigned)(e >> 56), (unsigned)(e & 0xff), polarity(e), trigger(e),
                e & RTE_MASKED ? "masked" : "", modes[e >> 8 & 7],
                e & RTE_LOGICAL ? "logical" : "physical");
        remote |= e & RTE_REMOTE_IRR ? 1u << i : 0;
    }
    put_pins(f, "IRR     ", ioapic_levels(a));
    put_pins(f, "Remote IRR", remote);
}
