/* INT 15h: memory size and map, block move, A20, waits; and the small services 05h, 10h (before a
 * video BIOS), 11h, 12h, 1Ah. Interface: AT and PS/2 BIOS references; E801h and E820h as in ACPI 6.4,
 * chapter 15. APM 1.2; its
 * functions for a connected driver, and 89h, are in pm.S. */
#include "bda.h"
#include "chips.h"
#include "entry.h"
#include "kbd.h"
#include "memory.h"
#include "pci.h"

enum { NOT_SUPPORTED = 0x86, PORT_A = 0x92, A20 = 0x02, SMAP = 0x534D4150 };

/* PS/2 system configuration table for INT 15h AH=C0h; bytes after the length word. */
static const u8 config_table[] = {
    8, 0,
    0xFC, 0x00, 0x01, /* model, submodel, revision */
    0x74,             /* 2nd PIC, RTC, INT 15h/4Fh, EBDA */
    0x40, 0, 0, 0};   /* INT 16h/09h */

void apm16_entry(void), apm32_entry(void); /* pm.S */
void apm_services(struct regs *r);

static bool a20_get(void)
{
    return inb(PORT_A) & A20;
}

static void a20_set(bool on)
{
    u8 v = inb(PORT_A) & (u8)~1; /* bit 0 resets the processor */
    outb(PORT_A, on ? v | A20 : v & (u8)~A20);
}

static void refuse(struct regs *r)
{
    r->ah = NOT_SUPPORTED;
    set_cf(r, true);
}

static void a20_services(struct regs *r)
{
    switch (r->al) {
    case 0x00:
    case 0x01: a20_set(r->al); break;
    case 0x02: r->al = a20_get(); break;
    case 0x03: r->bx = 0x0003; break; /* by the 8042 and by port 92h */
    default: refuse(r); return;
    }
    r->ah = 0;
    set_cf(r, false);
}

/* APM 1.2, 4.6: what differs by the interface, and who is connected. */
static void apm(struct regs *r)
{
    static bool connected;
    if (r->al != 0x00 && r->al != 0x0A && r->al != 0x0E && r->al > 0x04 && !connected) {
        r->ah = 0x03; /* interface not connected */
        set_cf(r, true);
        return;
    }
    if (r->al <= 0x03 && r->bx != 0) {
        r->ah = 0x09; /* no such device */
        set_cf(r, true);
        return;
    }
    if (r->al >= 0x01 && r->al <= 0x03 && connected) {
        r->ah = r->al == 1 ? 0x02 : r->al == 2 ? 0x05 : 0x07; /* connected already */
        set_cf(r, true);
        return;
    }
    if (r->al >= 0x01 && r->al <= 0x04)
        connected = r->al != 0x04;
    r->flags &= (u16)~FLAG_CF;
    switch (r->al) {
    case 0x00:
        r->ax = 0x0102;
        r->bx = 0x504D; /* "PM" */
        r->cx = 0x0003; /* 16-bit and 32-bit entries */
        break;
    case 0x01: r->ah = 0; break;
    case 0x02:
        r->ax = 0xF000;
        r->bx = (u16)(u32)apm16_entry;
        r->cx = 0xF000;
        r->si = r->di = 0xFFFF;
        break;
    case 0x03:
        r->ax = 0xF000;
        r->ebx = (u32)apm32_entry;
        r->cx = r->dx = 0xF000;
        r->esi = 0xFFFFFFFF; /* lengths: of 16-bit code above 32-bit code */
        r->di = 0xFFFF;
        break;
    case 0x05: /* here interrupts come in by irq_halt only */
        irq_halt();
        r->ah = 0;
        break;
    default: apm_services(r); break;
    }
}

/* Fills in the entries of the caller's table that are the BIOS's to fill in. */
static void descriptor(u16 seg, u16 off, u32 base, u16 limit, u8 access)
{
    poke16(seg, off, limit);
    poke32(seg, off + 2, base | (u32)access << 24);
    poke8(seg, off + 4, (u8)(base >> 16));
    poke8(seg, off + 5, access);
    poke16(seg, off + 6, 0);
}

static void move_block(struct regs *r)
{
    u16 seg = (u16)(r->es + (r->si >> 4)), off = r->si & 15;
    if (r->cx > 0x8000) {
        r->ah = 0x02; /* an exception, as the AT would report it */
        set_cf(r, true);
        return;
    }
    u32 table = ((u32)seg << 4) + off;
    descriptor(seg, (u16)(off + 0x08), table, 0x2F, 0x93);
    descriptor(seg, (u16)(off + 0x20), 0xF0000, 0xFFFF, 0x9B);
    descriptor(seg, (u16)(off + 0x28), (u32)dseg_copy << 4, 0xFFFF, 0x93);
    bool a20 = a20_get();
    a20_set(true);
    block_move(table, r->cx);
    if (!a20)
        a20_set(false);
    r->ah = 0;
    set_cf(r, false);
}

static void e820(struct regs *r)
{
    if (r->edx != SMAP || r->ebx >= memory_map_count() || r->ecx < 20) {
        refuse(r);
        return;
    }
    const struct e820_entry *e = memory_map_entry(r->ebx);
    poke32(r->es, r->di, (u32)e->addr);
    poke32(r->es, (u16)(r->di + 4), (u32)(e->addr >> 32));
    poke32(r->es, (u16)(r->di + 8), (u32)e->len);
    poke32(r->es, (u16)(r->di + 12), (u32)(e->len >> 32));
    poke32(r->es, (u16)(r->di + 16), e->type);
    r->eax = SMAP;
    r->ecx = 20;
    r->ebx++;
    if (r->ebx == memory_map_count())
        r->ebx = 0;
    set_cf(r, false);
}

/* E801h: KiB between 1 and 16 MiB, 64 KiB blocks above 16 MiB. */
static void e801(struct regs *r)
{
    u32 kib = (memory_usable_end() >> 10) - 1024;
    u32 above = kib > 0x3C00 ? (kib - 0x3C00) / 64 : 0;
    r->cx = (u16)(kib > 0x3C00 ? 0x3C00 : kib);
    r->dx = (u16)above;
    r->ax = r->cx;
    r->bx = r->dx;
    set_cf(r, false);
}

void int15_system(struct regs *r)
{
    switch (r->ah) {
    case 0x24: a20_services(r); break;
    case 0x53: apm(r); break;
    case 0x4F: set_cf(r, true); break; /* keyboard intercept: take the key as it is */
    case 0x80:                         /* device open, close, program end: hooks for others */
    case 0x81:
    case 0x82:
    case 0x85: /* SysReq */
    case 0x90: /* device busy, device done */
    case 0x91:
        r->ah = 0;
        set_cf(r, false);
        break;
    case 0x83:
    case 0x86: rtc_wait_services(r); break;
    case 0x87: move_block(r); break;
    case 0x88: {
        u32 kib = (memory_usable_end() >> 10) - 1024;
        r->ax = (u16)(kib > 0xFC00 ? 0xFC00 : kib);
        set_cf(r, false);
        break;
    }
    case 0xC0:
        r->es = dseg_copy;
        r->bx = (u16)(u32)config_table;
        r->ah = 0;
        set_cf(r, false);
        break;
    case 0xC1:
        r->es = bda16(BDA_EBDA);
        set_cf(r, false);
        break;
    case 0xC2: mouse_services(r); break;
    case 0xE8:
        if (r->al == 0x20) {
            e820(r);
        } else if (r->al == 0x01) {
            e801(r);
        } else {
            refuse(r);
        }
        break;
    default: refuse(r); break;
    }
}

void int11_equipment(struct regs *r)
{
    r->ax = bda16(BDA_EQUIPMENT);
}

void int12_memory(struct regs *r)
{
    r->ax = bda16(BDA_BASE_KIB);
}

/* UNIMPL: no printer, so no screen goes to it; 50:0 tells the outcome. */
void int05_print_screen(struct regs *r)
{
    (void)r;
    poke8(0x50, 0, 0xFF);
}

void int10_no_video(struct regs *r)
{
    (void)r;
}

/* IRQ 14: only when someone started a command with the drive's interrupt on. */
void int76_disk(struct regs *r)
{
    (void)r;
    bda_set8(BDA_DISK_IRQ, 0xFF);
    pic_eoi(14);
}

void int1a_time(struct regs *r)
{
    if (r->ah == 0xB1)
        pci_services(r);
    else if (!rtc_services(r))
        set_cf(r, true);
}
