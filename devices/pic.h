/* The pair of 8259A interrupt controllers of a PC: Intel 8259A data sheet (231468). */
#ifndef DEVICES_PIC_H
#define DEVICES_PIC_H

#include "core/dev.h"

struct pic_cfg {
    struct irq_line intr; /* to the processor */
    bool broken;          /* the mask register does not read back */
    struct irq_line also; /* where the inputs' levels go, too: an I/O APIC; pins 0 to 15 */
};

/* One 8259A. */
struct pic {
    u8 irr, isr, imr;
    u8 line;     /* level of the inputs */
    u8 icw_step; /* next initialisation word: 0 none, 2 to 4 */
    u8 vector;   /* base, ICW2 */
    u8 cascade;  /* ICW3 */
    u8 need_icw4;
    u8 auto_eoi, rotate_aeoi, special_mask, fully_nested;
    u8 lowest;   /* the input of lowest priority: 7 by default */
    u8 read_isr; /* OCW3: reads of the even port give ISR, not IRR */
    u8 poll;     /* OCW3: the next read is a poll */
    u8 elcr;     /* inputs that are level-triggered (PIIX3, ports 4D0h and 4D1h) */
};

/* An input may be driven by several parts of the board; it sees the OR of them. A pin is the
 * input's number and one of these: */
enum pic_source { PIC_ISA = 0, PIC_PIRQ = 16, PIC_SCI = 32, PIC_TEST = 48, PIC_SOURCES = 4 };

struct pic_pair {
    struct dev dev;
    struct pic_cfg cfg;
    struct bus_region master_region, slave_region, elcr_region;
    struct pic chip[2]; /* master, slave on its input 2 */
    u16 driven[PIC_SOURCES]; /* levels by source */
};

extern const struct dev_class pic_class;

/* An irq_line.set: inputs 0 to 7 of the master, 8 to 15 of the slave, plus a source. */
void pic_set_irq(void *pic, unsigned pin, bool level);

/* The processor's INTA cycle: the vector, and the request moves into service. */
u8 pic_ack(void *pic);

#endif
