/*
 * 8254 data sheet (Intel 231164). Channel 0 in mode 2 (rate generator) divides 1193182 Hz by 11932:
 * 99.998 Hz. A tick is counted as 10 ms; the clock is 16 ppm slow by that.
 */
#include "guestos/drivers/pit.h"
#include "guestos/kernel/traps.h"
#include "guestos/kernel/x86.h"

#define PIT_COUNTER0       0x40
#define PIT_CONTROL        0x43
#define PIT_COUNTER0_MODE2 0x34 /* channel 0, low then high byte, mode 2, binary */
#define PIT_HZ             1193182u
#define TICKS_PER_S        100u
#define MS_PER_TICK        (1000u / TICKS_PER_S)

static volatile u64 ticks;

static void tick(void)
{
    ticks++;
}

void pit_init(void)
{
    u32 divisor = (PIT_HZ + TICKS_PER_S / 2) / TICKS_PER_S;

    out8(PIT_CONTROL, PIT_COUNTER0_MODE2);
    out8(PIT_COUNTER0, (u8)divisor);
    out8(PIT_COUNTER0, (u8)(divisor >> 8));
    irq_attach(0, tick);
}

u64 uptime_ms(void)
{
    return ticks * MS_PER_TICK;
}

void sleep_ms(u32 ms)
{
    u64 end = ticks + (ms + MS_PER_TICK - 1) / MS_PER_TICK + 1; /* the first may be a short one */

    while (ticks < end) {
        __asm__ volatile("hlt" : : : "memory");
    }
}
