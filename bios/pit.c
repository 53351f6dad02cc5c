/* The 8254 timer: channel 0 at 18.2 Hz, its test, INT 08h, and delays read off its counter.
 *
 * DEVIATION: channel 0 runs in mode 2, not in the AT's mode 3: the rate is the same and the
 * latched count falls once per period, so it can be used to measure time. */
#include "chips.h"
#include "bda.h"
#include "console.h"
#include "floppy.h"
#include "entry.h"

enum { CH0 = 0x40, CONTROL = 0x43, TICKS_PER_DAY = 0x1800B0 };

static bool dead; /* the counter does not count: deadlines fall back to counting polls */

static u16 count(void)
{
    outb(CONTROL, 0x00); /* latch channel 0 */
    u16 lo = inb(CH0);
    return (u16)(lo | inb(CH0) << 8);
}

void pit_init(void)
{
    outb(CONTROL, 0x34); /* channel 0, both bytes, mode 2, binary */
    outb(CH0, 0);
    outb(CH0, 0);
    u16 first = count(), now = first;
    unsigned polls = 0;
    while (polls < 5000 && (now = count()) == first)
        polls++;
    if (now == first) {
        dead = true;
        post_fail("pit", "counter 0 stays at %04Xh", first);
        return;
    }
    /* It must also count down by about as much as was polled, and keep counting. */
    u16 second = now;
    for (polls = 0; polls < 5000 && (now = count()) == second; polls++)
        ;
    if (now == second) {
        dead = true;
        post_fail("pit", "counter 0 stopped at %04Xh", second);
    }
}

void deadline_start(struct deadline *d, u32 us)
{
    /* 1193182 Hz: 1.193 counts each microsecond; us stays below 2^21 here. */
    d->left = us + us / 5;
    d->polls = us;
    d->last = count();
}

bool deadline_passed(struct deadline *d)
{
    if (d->polls > 0)
        d->polls--;
    if (dead)
        return d->polls == 0;
    u16 now = count();
    u16 delta = (u16)(d->last - now);
    d->last = now;
    if (delta >= d->left)
        d->left = 0;
    else
        d->left -= delta;
    return d->left == 0;
}

void delay_us(u32 us)
{
    struct deadline d;
    deadline_start(&d, us);
    while (!deadline_passed(&d))
        ;
}

/* IRQ 0. */
void int08_tick(struct regs *r)
{
    (void)r;
    u32 ticks = bda32(BDA_TICKS) + 1;
    if (ticks >= TICKS_PER_DAY) {
        ticks = 0;
        bda_set8(BDA_MIDNIGHT, 1);
    }
    bda_set32(BDA_TICKS, ticks);
    floppy_tick();
    struct call_regs user = {0};
    user.ds = BDA_SEG;
    call_int(0x1C, &user);
    pic_eoi(0);
}
