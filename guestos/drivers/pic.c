/*
 * 8259A data sheet (Intel 231468): ICW1 to ICW4, OCW1 (mask), OCW2 (EOI), OCW3 (read ISR).
 * Edge-triggered, fully nested, normal EOI. Which lines are level-triggered is set in ELCR by the
 * firmware.
 */
#include "guestos/drivers/pic.h"
#include "guestos/kernel/x86.h"

#define PIC1      0x20 /* command; data at + 1 */
#define PIC2      0xA0
#define CASCADE   2    /* the line of PIC1 where PIC2 hangs */
#define ICW1_INIT 0x11 /* edge, cascade, ICW4 follows */
#define ICW4_8086 0x01
#define OCW2_EOI  0x20
#define OCW3_ISR  0x0B
#define LOWEST    7 /* a request that went away before it was taken arrives as line 7 */

static u16 mask = 0xFFFF;

static void write_mask(void)
{
    out8(PIC1 + 1, (u8)mask);
    out8(PIC2 + 1, (u8)(mask >> 8));
}

void pic_init(u8 first_vector)
{
    out8(PIC1, ICW1_INIT);
    out8(PIC2, ICW1_INIT);
    out8(PIC1 + 1, first_vector);
    out8(PIC2 + 1, first_vector + 8);
    out8(PIC1 + 1, 1 << CASCADE);
    out8(PIC2 + 1, CASCADE);
    out8(PIC1 + 1, ICW4_8086);
    out8(PIC2 + 1, ICW4_8086);
    write_mask();
}

void pic_unmask(u8 irq)
{
    u64 flags = irq_save();

    mask &= (u16) ~(1u << irq);
    if (irq >= 8) {
        mask &= (u16) ~(1u << CASCADE);
    }
    write_mask();
    irq_restore(flags);
}

bool pic_is_spurious(u8 irq)
{
    u16 base = irq >= 8 ? PIC2 : PIC1;

    if (irq % 8 != LOWEST) {
        return false;
    }
    out8(base, OCW3_ISR);
    if (in8(base) & 1 << LOWEST) {
        return false;
    }
    if (irq >= 8) {
        out8(PIC1, OCW2_EOI); /* the first controller did see a real request: the cascade's */
    }
    return true;
}

void pic_end_of_interrupt(u8 irq)
{
    if (irq >= 8) {
        out8(PIC2, OCW2_EOI);
    }
    out8(PIC1, OCW2_EOI);
}
