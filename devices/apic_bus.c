/* See devices/apic_bus.h. */
#include "devices/apic_bus.h"
#include "devices/lapic.h"

bool apic_bus_send(const struct apic_bus *b, const struct apic_message *m, const struct lapic *except)
{
    struct lapic *lowest = NULL;
    bool taken = false;

    for (unsigned i = 0; i < b->nr_cpus; i++) {
        struct lapic *l = b->cpu[i];

        if (l == except || !lapic_is_meant(l, m))
            continue;
        if (m->mode != APIC_LOWEST)
            taken = lapic_accept(l, m) || taken;
        else if (lapic_takes(l) && (!lowest || lapic_priority(l) < lapic_priority(lowest)))
            lowest = l;
    }
    return lowest ? lapic_accept(lowest, m) : taken;
}

bool apic_bus_msi(const struct apic_bus *b, u64 address, u32 data)
{
    struct apic_message m = {
        .dest = apic_dest8((u8)(address >> 12)), .logical = address >> 2 & 1,
        .vector = (u8)data, .mode = data >> 8 & 7, .level = data >> 15 & 1,
    };

    return apic_bus_send(b, &m, NULL);
}

void apic_bus_eoi(const struct apic_bus *b, u8 vector)
{
    if (b->eoi)
        b->eoi(b->io_apic, vector);
}
