/* Serial and printer ports: probing for the BDA, INT 14h (16550 data sheet), INT 17h.
 * UNIMPL: INT 17h always answers "no printer". */
#include "bda.h"
#include "chips.h"
#include "serial.h"

enum { IIR = 2, LCR = 3, MCR = 4, LSR = 5, MSR = 6, LSR_DATA = 1, LSR_THRE = 0x20, POLL_US = 500000 };

/* A UART keeps what is written to its interrupt enable register. It is left at 8 bits, no parity. */
static bool uart_at(u16 port)
{
    outb((u16)(port + LCR), 0);
    outb((u16)(port + 1), 0x02);
    u8 ier = inb((u16)(port + 1)), iir = inb((u16)(port + IIR));
    outb((u16)(port + 1), 0);
    outb((u16)(port + LCR), 0x03);
    return ier == 0x02 && !(iir & 0x30);
}

static bool printer_at(u16 port)
{
    outb((u16)(port + 2), 0x0C);
    outb(port, 0xAA);
    return inb(port) == 0xAA;
}

void serial_probe(void)
{
    static const u16 uarts[] = {0x3F8, 0x2F8, 0x3E8, 0x2E8}, printers[] = {0x378, 0x278};
    unsigned n = 0, p = 0;
    for (unsigned i = 0; i < 4; i++) {
        if (uart_at(uarts[i])) {
            bda_set16(BDA_COM + 2 * n, uarts[i]);
            bda_set8(BDA_COM_TIMEOUT + n, 1);
            n++;
        }
    }
    for (unsigned i = 0; i < 2; i++) {
        if (printer_at(printers[i])) {
            bda_set16(BDA_LPT + 2 * p, printers[i]);
            bda_set8(BDA_LPT_TIMEOUT + p, 20);
            p++;
        }
    }
    bda_set16(BDA_EQUIPMENT, (u16)((bda16(BDA_EQUIPMENT) & ~0xCE00u) | n << 9 | p << 14));
}

static bool wait_line(u16 port, u8 bit)
{
    struct deadline d;
    if (inb((u16)(port + LSR)) & bit)
        return true;
    deadline_start(&d, POLL_US);
    while (!(inb((u16)(port + LSR)) & bit)) {
        if (deadline_passed(&d))
            return false;
    }
    return true;
}

void int14_serial(struct regs *r)
{
    static const u16 divisors[] = {1047, 768, 384, 192, 96, 48, 24, 12};
    u16 port = r->dx < 4 ? bda16(BDA_COM + 2 * r->dx) : 0;
    if (port == 0)
        return;
    switch (r->ah) {
    case 0x00: {
        u16 divisor = divisors[r->al >> 5];
        outb((u16)(port + LCR), (u8)((r->al & 0x1F) | 0x80));
        outb(port, (u8)divisor);
        outb((u16)(port + 1), (u8)(divisor >> 8));
        outb((u16)(port + LCR), r->al & 0x1F);
        outb((u16)(port + 1), 0);
        r->ah = inb((u16)(port + LSR));
        r->al = inb((u16)(port + MSR));
        break;
    }
    case 0x01:
        outb((u16)(port + MCR), inb((u16)(port + MCR)) | 0x03);
        if (wait_line(port, LSR_THRE)) {
            outb(port, r->al);
            r->ah = inb((u16)(port + LSR)) & 0x7F;
        } else {
            r->ah = inb((u16)(port + LSR)) | 0x80;
        }
        break;
    case 0x02:
        outb((u16)(port + MCR), inb((u16)(port + MCR)) | 0x01);
        if (wait_line(port, LSR_DATA)) {
            r->ah = inb((u16)(port + LSR)) & 0x1E;
            r->al = inb(port);
        } else {
            r->ah = inb((u16)(port + LSR)) | 0x80;
        }
        break;
    case 0x03:
        r->ah = inb((u16)(port + LSR));
        r->al = inb((u16)(port + MSR));
        break;
    default: r->ah = 0x80; break;
    }
}

void int17_printer(struct regs *r)
{
    if (r->ah <= 0x02)
        r->ah = 0x01; /* timed out */
}
