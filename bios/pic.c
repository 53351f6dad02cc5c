/* The two 8259A interrupt controllers: initialisation, test, end of interrupt (8259A data sheet).
 * Vectors are the PC's: 08h to 0Fh and 70h to 77h. */
#include "chips.h"
#include "console.h"
#include "io.h"

enum {
    MASTER = 0x20,
    SLAVE = 0xA0,
    ICW1_INIT = 0x11,
    ICW4_8086 = 0x01,
    OCW2_EOI = 0x20,
    OCW3_READ_ISR = 0x0B,
    OCW3_READ_IRR = 0x0A,
    CASCADE_IRQ = 2
};

void pic_init(void)
{
    outb(MASTER, ICW1_INIT);
    outb(SLAVE, ICW1_INIT);
    outb(MASTER + 1, 0x08);
    outb(SLAVE + 1, 0x70);
    outb(MASTER + 1, 1 << CASCADE_IRQ);
    outb(SLAVE + 1, CASCADE_IRQ);
    outb(MASTER + 1, ICW4_8086);
    outb(SLAVE + 1, ICW4_8086);

    /* The mask registers hold what is written. */
    static const u8 patterns[] = {0x00, 0xFF, 0x55, 0xAA};
    bool ok = true;
    u8 want = 0, got = 0;
    for (unsigned i = 0; ok && i < sizeof patterns; i++) {
        for (u16 port = MASTER + 1; ok && port <= SLAVE + 1; port += SLAVE - MASTER) {
            outb(port, patterns[i]);
            got = inb(port);
            want = patterns[i];
            ok = got == want;
        }
    }
    outb(MASTER + 1, (u8) ~(1 << CASCADE_IRQ));
    outb(SLAVE + 1, 0xFF);
    if (!ok)
        post_fail("pic", "mask register written %02Xh reads %02Xh", want, got);
}

void pic_unmask(unsigned irq)
{
    u16 port = irq < 8 ? MASTER + 1 : SLAVE + 1;
    outb(port, (u8)(inb(port) & ~(1u << (irq & 7))));
}

void pic_mask(unsigned irq)
{
    u16 port = irq < 8 ? MASTER + 1 : SLAVE + 1;
    outb(port, (u8)(inb(port) | 1u << (irq & 7)));
}

void pic_eoi(unsigned irq)
{
    if (irq >= 8)
        outb(SLAVE, OCW2_EOI);
    outb(MASTER, OCW2_EOI);
}

bool pic_in_service(unsigned irq)
{
    u16 port = irq < 8 ? MASTER : SLAVE;
    outb(port, OCW3_READ_ISR);
    bool in = inb(port) >> (irq & 7) & 1;
    outb(port, OCW3_READ_IRR);
    return in;
}

/* An interrupt that nobody claims: spurious ones get no EOI, others are also masked. */
void irq_master_unused(struct regs *r)
{
    (void)r;
    for (unsigned irq = 3; irq < 8; irq++) {
        if (pic_in_service(irq)) {
            pic_mask(irq);
            outb(MASTER, OCW2_EOI);
            return;
        }
    }
}

void irq_slave_unused(struct regs *r)
{
    (void)r;
    for (unsigned irq = 8; irq < 16; irq++) {
        if (pic_in_service(irq)) {
            pic_mask(irq);
            pic_eoi(irq);
            return;
        }
    }
    outb(MASTER, OCW2_EOI); /* spurious at the slave: the master still has the cascade in service */
}
