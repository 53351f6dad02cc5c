/* IDE channels at 1F0h and 170h: probing, IDENTIFY, and PIO transfers (ATA/ATAPI-6).
 *
 * The drive's interrupt is switched off (nIEN) during a command: the status register is polled,
 * against a deadline. After the command nIEN is cleared again, so that an OS finds the state that
 * reset left. Commands of up to 256 sectors; LBA28 unless the address needs 48 bits. */
#include "ide.h"
#include "chips.h"
#include "console.h"
#include "entry.h"
#include "io.h"
#include "pci.h"

enum {
    DATA = 0,
    ERROR = 1,
    COUNT = 2,
    LBA_LOW = 3,
    LBA_MID = 4,
    LBA_HIGH = 5,
    DEVICE = 6,
    STATUS = 7,
    COMMAND = 7,
    CONTROL = 0x206, /* from the command block's base */

    BSY = 0x80,
    DRDY = 0x40,
    DF = 0x20,
    DRQ = 0x08,
    ERR = 0x01,

    CTL_NIEN = 0x02,
    CTL_SRST = 0x04,
    CTL_ONE = 0x08,

    CMD_READ = 0x20,
    CMD_READ_EXT = 0x24,
    CMD_WRITE = 0x30,
    CMD_WRITE_EXT = 0x34,
    CMD_VERIFY = 0x40,
    CMD_VERIFY_EXT = 0x42,
    CMD_FLUSH = 0xE7,
    CMD_IDENTIFY = 0xEC,
    CMD_IDENTIFY_PACKET = 0xA1,
    CMD_PACKET = 0xA0,

    PROBE_US = 400000,   /* virtual drives need no spin-up */
    COMMAND_US = 1900000
};

static bool dead[2];

bool ide_channel_dead(unsigned channel)
{
    return dead[channel];
}

u16 ide_base(unsigned channel)
{
    return channel == 0 ? 0x1F0 : 0x170;
}

/* Waits for BSY to go away; the status, or -1. */
static int wait_ready(u16 base, u32 us)
{
    struct deadline d;
    u8 s = inb((u16)(base + CONTROL)); /* the alternate status register: 400 ns have passed */
    s = inb((u16)(base + STATUS));
    if (!(s & BSY))
        return s;
    deadline_start(&d, us);
    while ((s = inb((u16)(base + STATUS))) & BSY) {
        if (deadline_passed(&d))
            return -1;
    }
    return s;
}

static void in_sector(u16 base, u16 seg, u16 off)
{
    u32 count = 256, di = off;
    __asm__ volatile("pushw %%es\n\tmovw %w2, %%es\n\trep insw\n\tpopw %%es"
                     : "+D"(di), "+c"(count)
                     : "r"(seg), "d"(base + DATA)
                     : "memory");
}

static void out_sector(u16 base, u16 seg, u16 off)
{
    u32 count = 256, si = off;
    __asm__ volatile("pushw %%ds\n\tmovw %w2, %%ds\n\trep outsw\n\tpopw %%ds"
                     : "+S"(si), "+c"(count)
                     : "r"(seg), "d"(base + DATA)
                     : "memory");
}

static void select(u16 base, u8 device)
{
    outb((u16)(base + DEVICE), device);
    for (unsigned i = 0; i < 4; i++)
        (void)inb((u16)(base + CONTROL)); /* 400 ns */
}

static void finish(u16 base)
{
    (void)inb((u16)(base + STATUS));
    outb((u16)(base + CONTROL), CTL_ONE);
}

/* False if the channel is dead and the other unit need not be asked. */
static bool probe_unit(struct drive *d)
{
    u16 base = ide_base(d->channel);
    const char *name = d->channel == 0 ? "primary" : "secondary";
    select(base, (u8)(0xA0 | d->unit << 4));
    int s = wait_ready(base, PROBE_US);
    if (s < 0) {
        post_fail("ide", "%s channel stays busy (status %02Xh)", name,
                  inb((u16)(base + STATUS)));
        return false;
    }
    u8 mid = inb((u16)(base + LBA_MID)), high = inb((u16)(base + LBA_HIGH));
    bool packet = mid == 0x14 && high == 0xEB; /* a packet device is not ready after a reset */
    if (s == 0 && !packet)
        return true; /* nobody there */
    outb((u16)(base + COMMAND), CMD_IDENTIFY);
    s = wait_ready(base, PROBE_US);
    if (s == 0)
        return true;
    mid = inb((u16)(base + LBA_MID));
    high = inb((u16)(base + LBA_HIGH));
    packet = (mid == 0x14 && high == 0xEB) || (mid == 0x69 && high == 0x96);
    if (packet) {
        outb((u16)(base + COMMAND), CMD_IDENTIFY_PACKET);
        s = wait_ready(base, PROBE_US);
    }
    if (s < 0) {
        post_fail("ide", "%s %s does not finish IDENTIFY", name, d->unit ? "slave" : "master");
        return false;
    }
    if (s & (ERR | DF) || !(s & DRQ))
        return true;
    in_sector(base, dseg_copy, (u16)(u32)drive_buffer);
    finish(base);
    drive_identified(d, drive_buffer, packet);
    return true;
}

static void probe_channel(unsigned c, struct drive *drives)
{
    u16 base = ide_base(c);
    dead[c] = false;
    u8 s = inb((u16)(base + STATUS));
    if (s == 0xFF) {
        /* A port without a device behind it floats. With the controller's function on the PCI bus
         * the primary channel must answer, though. */
        dead[c] = c == 0 && pci_find_class(0x0101) != 0xFFFF;
        if (dead[c])
            post_fail("ide", "primary channel does not answer (status FFh)");
        return;
    }
    outb((u16)(base + CONTROL), CTL_ONE | CTL_NIEN | CTL_SRST);
    delay_us(10);
    outb((u16)(base + CONTROL), CTL_ONE | CTL_NIEN);
    delay_us(2000);
    dead[c] = !probe_unit(&drives[c * 2]) || !probe_unit(&drives[c * 2 + 1]);
    select(base, 0xA0);
    outb((u16)(base + CONTROL), CTL_ONE);
}

void ide_probe(struct drive *drives)
{
    for (unsigned i = 0; i < IDE_DRIVES; i++) {
        drives[i].bus = BUS_IDE;
        drives[i].channel = (u8)(i >> 1);
        drives[i].unit = (u8)(i & 1);
    }
    probe_channel(0, drives);
    probe_channel(1, drives);
}

static enum drive_result failed(u16 base, int status)
{
    drive_set_error(status < 0 ? 0 : inb((u16)(base + ERROR)));
    finish(base);
    return status < 0 ? DRIVE_TIMEOUT : DRIVE_ERROR;
}

/* Loads the task file and starts the command; nr is 1 to 256. */
static enum drive_result start(const struct drive *d, u64 lba, u16 nr, u8 cmd, u8 cmd_ext)
{
    u16 base = ide_base(d->channel);
    outb((u16)(base + CONTROL), CTL_ONE | CTL_NIEN);
    int s = wait_ready(base, COMMAND_US);
    if (s < 0)
        return failed(base, s);
    bool wide = d->lba48 && lba + nr > 0x0FFFFFFF;
    u8 device = (u8)(0xE0 | d->unit << 4 | (wide ? 0 : (u32)lba >> 24 & 0x0F));
    select(base, device);
    s = wait_ready(base, COMMAND_US);
    if (s < 0)
        return failed(base, s);
    if (wide) {
        outb((u16)(base + COUNT), (u8)(nr >> 8));
        outb((u16)(base + LBA_LOW), (u8)((u32)lba >> 24));
        outb((u16)(base + LBA_MID), (u8)(u32)(lba >> 32));
        outb((u16)(base + LBA_HIGH), (u8)((u32)(lba >> 32) >> 8));
    }
    outb((u16)(base + COUNT), (u8)nr);
    outb((u16)(base + LBA_LOW), (u8)lba);
    outb((u16)(base + LBA_MID), (u8)((u32)lba >> 8));
    outb((u16)(base + LBA_HIGH), (u8)((u32)lba >> 16));
    outb((u16)(base + COMMAND), wide ? cmd_ext : cmd);
    return DRIVE_OK;
}

enum drive_result ide_read(const struct drive *d, u64 lba, u16 nr, u16 seg, u16 off, u16 *done)
{
    u16 base = ide_base(d->channel);
    *done = 0;
    enum drive_result e = start(d, lba, nr, CMD_READ, CMD_READ_EXT);
    while (e == DRIVE_OK && *done < nr) {
        int s = wait_ready(base, COMMAND_US);
        if (s < 0 || s & (ERR | DF) || !(s & DRQ))
            return failed(base, s);
        in_sector(base, seg, off);
        seg += 32;
        ++*done;
        irq_window();
    }
    if (e == DRIVE_OK)
        finish(base);
    return e;
}

enum drive_result ide_write(const struct drive *d, u64 lba, u16 nr, u16 seg, u16 off, u16 *done)
{
    u16 base = ide_base(d->channel);
    int s;
    *done = 0;
    enum drive_result e = start(d, lba, nr, CMD_WRITE, CMD_WRITE_EXT);
    while (e == DRIVE_OK && *done < nr) {
        s = wait_ready(base, COMMAND_US);
        if (s < 0 || s & (ERR | DF) || !(s & DRQ))
            return failed(base, s);
        out_sector(base, seg, off);
        seg += 32;
        ++*done;
        irq_window();
    }
    if (e != DRIVE_OK)
        return e;
    s = wait_ready(base, COMMAND_US);
    if (s < 0 || s & (ERR | DF))
        return failed(base, s);
    outb((u16)(base + COMMAND), CMD_FLUSH);
    s = wait_ready(base, COMMAND_US); /* an old drive may not know FLUSH CACHE: ERR is no loss */
    finish(base);
    return s < 0 ? DRIVE_TIMEOUT : DRIVE_OK;
}

enum drive_result ide_verify(const struct drive *d, u64 lba, u16 nr)
{
    u16 base = ide_base(d->channel);
    enum drive_result e = start(d, lba, nr, CMD_VERIFY, CMD_VERIFY_EXT);
    if (e != DRIVE_OK)
        return e;
    int s = wait_ready(base, COMMAND_US);
    if (s < 0 || s & (ERR | DF))
        return failed(base, s);
    finish(base);
    return DRIVE_OK;
}

/* n bytes of which `room` fit at seg:*off; the rest is dropped. */
static void in_bytes(u16 base, u16 seg, u32 *off, u32 n, u32 *room)
{
    for (; n > 0; n -= n < 2 ? n : 2) {
        u16 v = inw((u16)(base + DATA));
        for (unsigned i = 0; i < 2 && i < n && *room > 0; i++, --*room)
            poke8(seg, (*off)++, (u8)(v >> 8 * i));
    }
}

/* ATA/ATAPI-6, 9.8: the packet, then blocks whose length the drive says. */
enum drive_result ide_packet(const struct drive *d, const u8 cdb[12], u16 seg, u16 off, u32 len)
{
    u16 base = ide_base(d->channel);
    u32 at = off;
    outb((u16)(base + CONTROL), CTL_ONE | CTL_NIEN);
    int s = wait_ready(base, COMMAND_US);
    if (s < 0)
        return failed(base, s);
    select(base, (u8)(0xA0 | d->unit << 4));
    s = wait_ready(base, COMMAND_US);
    if (s < 0)
        return failed(base, s);
    outb((u16)(base + ERROR), 0); /* features: PIO */
    outb((u16)(base + LBA_MID), (u8)CD_SECTOR);
    outb((u16)(base + LBA_HIGH), CD_SECTOR >> 8);
    outb((u16)(base + COMMAND), CMD_PACKET);
    s = wait_ready(base, COMMAND_US);
    if (s < 0 || s & (ERR | DF) || !(s & DRQ))
        return failed(base, s);
    for (unsigned i = 0; i < 12; i += 2)
        outw((u16)(base + DATA), (u16)(cdb[i] | cdb[i + 1] << 8));
    for (;;) {
        s = wait_ready(base, COMMAND_US);
        if (s < 0 || s & (ERR | DF))
            return failed(base, s);
        if (!(s & DRQ))
            break;
        u32 n = inb((u16)(base + LBA_MID));
        n |= (u32)inb((u16)(base + LBA_HIGH)) << 8;
        if (n == CD_SECTOR && len >= CD_SECTOR) {
            for (unsigned i = 0; i < CD_SECTOR / 512; i++, at += 512)
                in_sector(base, (u16)(seg + (at >> 4)), at & 15);
            len -= CD_SECTOR;
        } else {
            in_bytes(base, seg, &at, n, &len);
        }
        irq_window();
    }
    finish(base);
    return len == 0 ? DRIVE_OK : DRIVE_ERROR;
}
