/*
 * 8254 data sheet (Intel 231164). Channel 0 in mode 2 (rate generator) interrupts; channel 2 in
 * mode 0 counts down once, its gate and output are bits 0 and 5 of port 61h (IBM PC/AT Technical
 * Reference, system board, port B).
 */
#include "guestos/drivers/pit.h"
#include "guestos/kernel/traps.h"
#include "guestos/kernel/x86.h"

#define PIT_COUNTER0       0x40
#define PIT_COUNTER2       0x42
#define PIT_CONTROL        0x43
#define PIT_COUNTER0_MODE2 0x34 /* channel 0, low then high byte, mode 2, binary */
#define PIT_COUNTER2_MODE0 0xB0
#define PIT_HZ             1193182u
#define PORT_B             0x61
#define PORT_B_GATE2       0x01
#define PORT_B_SPEAKER     0x02
#define PORT_B_OUT2        0x20
#define MEASURE_COUNT      (PIT_HZ / 100)
#define MEASURE_TIMES      3 /* the shortest counts: a host that is busy elsewhere only adds time */

static void write_counter(u16 port, u32 value)
{
    out8(port, (u8)value);
    out8(port, (u8)(value >> 8));
}

void pit_start(u32 hz, void (*tick)(void *))
{
    out8(PIT_CONTROL, PIT_COUNTER0_MODE2);
    write_counter(PIT_COUNTER0, (PIT_HZ + hz / 2) / hz);
    irq_attach(0, tick, NULL);
}

u64 pit_measure_tsc(void)
{
    u64 shortest = ~0ul;
    u8 port_b = in8(PORT_B);

    out8(PORT_B, (u8)((port_b & ~PORT_B_SPEAKER) | PORT_B_GATE2));
    for (u32 i = 0; i < MEASURE_TIMES; i++) {
        out8(PIT_CONTROL, PIT_COUNTER2_MODE0);
        write_counter(PIT_COUNTER2, MEASURE_COUNT);
        u64 begin = rdtsc();
        while (!(in8(PORT_B) & PORT_B_OUT2)) {
        }
        shortest = MIN(shortest, rdtsc() - begin);
    }
    out8(PORT_B, port_b);
    return shortest * PIT_HZ / MEASURE_COUNT;
}
