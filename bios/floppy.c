/* Floppies: INT 13h 00h to 18h of drives 00h and 01h (82077AA and 8237A data sheets; the AT's BIOS
 * interface with its media state at 40:90h).
 *
 * A command waits for IRQ 6, whose handler sets bit 7 of 40:3Eh. Which of a drive's media is in is found
 * by reading an address mark at each data rate, and again after the change line was active. INT 1Eh's
 * table gives the sector size, the gaps and the motor's time, so that boot sectors may change them. */
#include "floppy.h"
#include "bda.h"
#include "chips.h"
#include "console.h"
#include "disk.h"
#include "entry.h"

enum {
    DOR = 0x3F2,
    MSR = 0x3F4,
    FIFO = 0x3F5,
    DIR = 0x3F7, /* read: bit 7, the change line */
    CCR = 0x3F7, /* written: the data rate */
    MSR_RQM = 0x80,
    MSR_DIO = 0x40,
    DOR_RUN = 0x0C, /* not reset; interrupts and DMA on */
    CMD_SPECIFY = 0x03,
    CMD_RECALIBRATE = 0x07,
    CMD_SENSE = 0x08,
    CMD_SEEK = 0x0F,
    CMD_READ_ID = 0x4A,
    CMD_READ = 0xE6,   /* multi-track, MFM, skip deleted */
    CMD_WRITE = 0xC5,
    CMD_FORMAT = 0x4D,
    DMA_ADDRESS = 0x04,
    DMA_COUNT = 0x05,
    DMA_MASK = 0x0A,
    DMA_MODE = 0x0B,
    DMA_CLEAR = 0x0C,
    DMA_PAGE = 0x81,
    DMA2_MASK = 0xD4,
    DMA2_MODE = 0xD6,
    DMA_TO_MEMORY = 0x46,
    DMA_FROM_MEMORY = 0x4A,
    DMA_NOWHERE = 0x42,
    IRQ = 6,
    BYTE_US = 20000,
    COMMAND_US = 1500000,
    MEDIA_KNOWN = 0x10,
    MOTOR_ON_TICKS = 37,
};
enum { DPT_SPECIFY1, DPT_SPECIFY2, DPT_OFF_TICKS, DPT_SIZE, DPT_SPT, DPT_GAP, DPT_LENGTH, DPT_FORMAT_GAP,
       DPT_FILL, DPT_SETTLE_MS, DPT_START }; /* INT 1Eh */

static const struct media { u8 type, rate, spt, double_step, code; } media[] = {
    {1, 2, 9, 0, 3}, /* type, 0 500k 1 300k 2 250k 3 1M, sectors, 40 tracks in an 80-track drive, 40:90 */
    {2, 0, 15, 0, 5},
    {2, 1, 9, 1, 4},
    {3, 2, 9, 0, 7},
    {4, 0, 18, 0, 7},
    {4, 2, 9, 0, 7},
    {5, 3, 36, 0, 7},
    {5, 0, 18, 0, 7},
    {5, 2, 9, 0, 7},
};
enum { NR_MEDIA = sizeof media / sizeof media[0] };

static u8 types[2];
static const struct media *found[2];
static u8 results[7];

u8 floppy_type(unsigned drive)
{
    return types[drive];
}

const char *floppy_name(u8 type)
{
    static const char *const names[] = {"no drive", "360 KiB", "1.2 MiB", "720 KiB", "1.44 MiB", "2.88 MiB"};
    return names[type];
}

static u8 dpt(u16 field)
{
    return peek8(peek16(0, 0x1E * 4 + 2), (u32)(u16)(peek16(0, 0x1E * 4) + field));
}

static bool wait_fifo(u8 direction)
{
    struct deadline d;
    deadline_start(&d, BYTE_US);
    while ((inb(MSR) & (MSR_RQM | MSR_DIO)) != (MSR_RQM | direction)) {
        if (deadline_passed(&d))
            return false;
    }
    return true;
}

static bool send(const u8 *bytes, unsigned n)
{
    for (unsigned i = 0; i < n; i++) {
        if (!wait_fifo(0))
            return false;
        outb(FIFO, bytes[i]);
    }
    return true;
}

static bool receive(unsigned n)
{
    for (unsigned i = 0; i < n; i++) {
        if (!wait_fifo(MSR_DIO))
            return false;
        results[i] = inb(FIFO);
        bda_set8(BDA_FLOPPY_RESULT + i, results[i]);
    }
    return true;
}

static void expect_irq(void)
{
    bda_set8(BDA_FLOPPY_RECAL, bda8(BDA_FLOPPY_RECAL) & 0x7F);
}

static bool wait_irq(void)
{
    struct deadline d;
    deadline_start(&d, COMMAND_US);
    while (!(bda8(BDA_FLOPPY_RECAL) & 0x80)) {
        irq_window();
        if (deadline_passed(&d))
            return false;
    }
    return true;
}

/* IRQ 6 */
void int0e_floppy(struct regs *r)
{
    (void)r;
    bda_set8(BDA_FLOPPY_RECAL, bda8(BDA_FLOPPY_RECAL) | 0x80);
    pic_eoi(IRQ);
}

static bool sense(void)
{
    static const u8 command = CMD_SENSE;
    return send(&command, 1) && receive(2);
}

static u8 reset(void)
{
    u8 dor = inb(DOR);
    expect_irq();
    outb(DOR, dor & (u8)~0x0C);
    delay_us(10);
    outb(DOR, (dor & 0xF0) | (dor & 3) | DOR_RUN);
    if (!wait_irq())
        return ST_TIMEOUT;
    for (unsigned i = 0; i < 4; i++) { /* one for each drive, polled after a reset */
        if (!sense())
            return ST_CONTROLLER;
    }
    const u8 specify[3] = {CMD_SPECIFY, dpt(DPT_SPECIFY1), dpt(DPT_SPECIFY2)};
    bda_set8(BDA_FLOPPY_RECAL, bda8(BDA_FLOPPY_RECAL) & 0xF0);
    return send(specify, 3) ? ST_OK : ST_CONTROLLER;
}

static void motor_on(u8 drive)
{
    u8 bit = (u8)(0x10 << drive);
    bool running = inb(DOR) & bit;
    bda_set8(BDA_MOTOR_TICKS, 0xFF);
    bda_set8(BDA_MOTOR, (u8)((bda8(BDA_MOTOR) & 0xF0) | 1 << drive));
    outb(DOR, (u8)(bit | DOR_RUN | drive));
    if (!running) {
        for (u8 i = 0; i < dpt(DPT_START); i++) { /* eighths of a second */
            delay_us(125000);
            irq_window();
        }
    }
}

static void motor_leave(void)
{
    bda_set8(BDA_MOTOR_TICKS, MOTOR_ON_TICKS);
}

void floppy_tick(void)
{
    u8 left = bda8(BDA_MOTOR_TICKS);
    if (left == 0)
        return;
    bda_set8(BDA_MOTOR_TICKS, --left);
    if (left == 0 && types[0] | types[1]) {
        bda_set8(BDA_MOTOR, bda8(BDA_MOTOR) & 0xF0);
        outb(DOR, DOR_RUN);
    }
}

/* Recalibrate or seek: its end is an interrupt without result bytes. */
static u8 move(const u8 *command, unsigned n, u8 cylinder)
{
    expect_irq();
    if (!send(command, n))
        return ST_CONTROLLER;
    if (!wait_irq())
        return ST_TIMEOUT;
    if (!sense())
        return ST_CONTROLLER;
    return (results[0] & 0xC0) == 0 && results[1] == cylinder ? ST_OK : ST_SEEK;
}

static u8 recalibrate(u8 drive)
{
    const u8 command[2] = {CMD_RECALIBRATE, drive};
    u8 status = move(command, 2, 0);
    if (status == ST_SEEK) /* 79 steps may not be enough */
        status = move(command, 2, 0);
    if (status == ST_OK)
        bda_set8(BDA_FLOPPY_RECAL, bda8(BDA_FLOPPY_RECAL) | (u8)(1 << drive));
    bda_set8(BDA_FLOPPY_TRACK + drive, 0);
    return status;
}

static u8 seek(u8 drive, u8 cylinder, u8 head)
{
    u8 track = found[drive] != 0 && found[drive]->double_step ? (u8)(cylinder * 2) : cylinder;
    if (!(bda8(BDA_FLOPPY_RECAL) >> drive & 1)) {
        u8 status = recalibrate(drive);
        if (status != ST_OK)
            return status;
    }
    const u8 command[3] = {CMD_SEEK, (u8)(head << 2 | drive), track};
    u8 status = move(command, 3, track);
    bda_set8(BDA_FLOPPY_TRACK + drive, track);
    delay_us(dpt(DPT_SETTLE_MS) * 1000u);
    return status;
}

/* What the status bytes say (82077AA, 6.0). */
static u8 outcome(void)
{
    u8 st1 = results[1], st2 = results[2];
    if ((results[0] & 0xC0) == 0)
        return ST_OK;
    if (st1 & 0x02)
        return ST_WRITE_PROTECTED;
    if (st1 & 0x10)
        return ST_DMA_OVERRUN;
    if ((st1 | st2) & 0x20)
        return ST_ECC;
    if (st1 & 0x01)
        return ST_NO_ADDRESS_MARK;
    if (st1 & 0x84 || st2 & 0x12)
        return ST_NOT_FOUND;
    return results[0] & 0x08 ? ST_TIMEOUT : ST_CONTROLLER;
}

static u8 run(const u8 *command, unsigned n)
{
    expect_irq();
    if (!send(command, n)) {
        reset();
        return ST_CONTROLLER;
    }
    if (!wait_irq()) {
        reset();
        return ST_TIMEOUT;
    }
    return receive(7) ? outcome() : ST_CONTROLLER;
}

/* Finds out which medium is in, unless that is known and it was not changed since. */
static u8 know_medium(u8 drive)
{
    bool changed = (inb(DIR) & 0x80) && types[drive] != 1; /* 360K drives have no change line */
    if (found[drive] != 0 && !changed)
        return ST_OK;
    found[drive] = 0;
    bda_set8(BDA_FLOPPY_MEDIA + drive, 0);
    u8 status = ST_TIMEOUT;
    for (unsigned i = 0; i < NR_MEDIA; i++) {
        if (media[i].type != types[drive])
            continue;
        outb(CCR, media[i].rate);
        status = recalibrate(drive);
        if (status == ST_OK && changed) { /* a step with a medium in resets the change line */
            const u8 step[3] = {CMD_SEEK, drive, 1};
            move(step, 3, 1);
            status = recalibrate(drive);
            if (inb(DIR) & 0x80)
                return ST_TIMEOUT; /* nothing is in */
        }
        const u8 command[2] = {CMD_READ_ID, drive};
        if (status == ST_OK)
            status = run(command, 2);
        if (status == ST_OK) {
            found[drive] = &media[i];
            bda_set8(BDA_FLOPPY_MEDIA + drive, (u8)(media[i].rate << 6 | media[i].double_step << 5 |
                                                    MEDIA_KNOWN | media[i].code));
            return ST_OK;
        }
    }
    return status;
}

/* Channel 2 for so many bytes, which lie within 64 KiB. */
static void open_dma(u8 mode, u32 pa, u32 bytes)
{
    outb(DMA_MASK, 0x06);
    outb(DMA_CLEAR, 0);
    outb(DMA_MODE, mode);
    outb(DMA_ADDRESS, (u8)pa);
    outb(DMA_ADDRESS, (u8)(pa >> 8));
    outb(DMA_PAGE, (u8)(pa >> 16));
    outb(DMA_COUNT, (u8)(bytes - 1));
    outb(DMA_COUNT, (u8)((bytes - 1) >> 8));
    outb(DMA_MASK, 0x02);
}

/* One command's share: from a sector to the end of the side at most. */
static u8 part(u8 drive, u8 function, u8 cylinder, u8 head, u8 sector, u8 nr, u8 eot, u32 pa)
{
    u32 bytes = (u32)nr << (7 + dpt(DPT_SIZE));
    if ((pa & 0xFFFF) + bytes > 0x10000)
        return ST_DMA_BOUNDARY;
    open_dma(function == 0x02 ? DMA_TO_MEMORY : function == 0x03 ? DMA_FROM_MEMORY : DMA_NOWHERE, pa, bytes);
    const u8 command[9] = {function == 0x03 ? CMD_WRITE : CMD_READ, (u8)(head << 2 | drive), cylinder, head,
                           sector, dpt(DPT_SIZE), eot, dpt(DPT_GAP), dpt(DPT_LENGTH)};
    return run(command, 9);
}

/* 02h, 03h, 04h */
static u8 transfer(struct regs *r, u8 drive)
{
    u8 nr = r->al, done = 0, head = r->dh, sector = r->cl & 63, cylinder = r->ch, status = ST_OK;
    u32 pa = ((u32)r->es << 4) + r->bx;
    r->al = 0;
    if (nr == 0 || sector == 0 || head > 1)
        return ST_BAD_COMMAND;
    outb(CCR, found[drive]->rate);
    /* A boot sector that knows better than the drive types says so in INT 1Eh's table. */
    u8 eot = found[drive]->rate == 0 && dpt(DPT_SPT) > 18 ? dpt(DPT_SPT) : found[drive]->spt;
    while (done < nr && status == ST_OK) {
        u8 n = sector + (nr - done) - 1 > eot ? (u8)(eot - sector + 1) : (u8)(nr - done);
        if (sector > eot) { /* the controller will say that there is none */
            n = 1;
            eot = sector;
        }
        u8 tries = 2; /* a reset and one more try, as a drive that was idle may need */
        do {
            status = seek(drive, cylinder, head);
            if (status == ST_OK)
                status = part(drive, r->ah, cylinder, head, sector, n, eot, pa);
        } while (status != ST_OK && status != ST_DMA_BOUNDARY && status != ST_WRITE_PROTECTED &&
                 --tries > 0 && reset() == ST_OK);
        if (status != ST_OK)
            break;
        done = (u8)(done + n);
        pa += (u32)n << (7 + dpt(DPT_SIZE));
        sector = 1;
        if (++head > 1) {
            head = 0;
            cylinder++;
        }
    }
    r->al = done;
    return status;
}

/* 05h: ES:BX has four bytes for each sector. */
static u8 format(struct regs *r, u8 drive)
{
    u32 pa = ((u32)r->es << 4) + r->bx, bytes = found[drive]->spt * 4u;
    if ((pa & 0xFFFF) + bytes > 0x10000)
        return ST_DMA_BOUNDARY;
    outb(CCR, found[drive]->rate);
    u8 status = seek(drive, r->ch, r->dh);
    if (status != ST_OK)
        return status;
    open_dma(DMA_FROM_MEMORY, pa, bytes);
    const u8 command[6] = {CMD_FORMAT, (u8)(r->dh << 2 | drive), dpt(DPT_SIZE), found[drive]->spt,
                           dpt(DPT_FORMAT_GAP), dpt(DPT_FILL)};
    return run(command, 6);
}

/* 08h: the drive, not the medium. */
static void parameters(struct regs *r, u8 drive)
{
    static const struct { u8 cylinders, spt; } largest[] = {{0, 0}, {40, 9}, {80, 15}, {80, 9}, {80, 18}, {80, 36}};
    u8 type = types[drive];
    r->ax = 0;
    r->bh = 0;
    r->bl = type == 5 ? 6 : type;
    r->ch = type != 0 ? (u8)(largest[type].cylinders - 1) : 0;
    r->cl = largest[type].spt;
    r->dh = type != 0;
    r->dl = (u8)((types[0] != 0) + (types[1] != 0));
    r->es = 0xF000;
    r->di = 0xEFC7;
}

/* 17h, 18h: the medium to format. */
static u8 set_medium(u8 drive, u8 rate, u8 spt)
{
    for (unsigned i = 0; i < NR_MEDIA; i++) {
        if (media[i].type != types[drive] || (spt != 0 ? media[i].spt != spt : media[i].rate != rate))
            continue;
        found[drive] = &media[i];
        return ST_OK;
    }
    return 0x0C; /* unknown medium */
}

static u8 with_medium(struct regs *r, u8 drive)
{
    motor_on(drive);
    u8 status = know_medium(drive);
    if (status == ST_OK)
        status = r->ah == 0x05 ? format(r, drive) : transfer(r, drive);
    else
        r->al = 0;
    motor_leave();
    return status;
}

void floppy_services(struct regs *r, u8 drive)
{
    u8 status = ST_BAD_COMMAND;
    bool there = drive < 2 && types[drive] != 0;
    if (r->ah == 0x08 && (types[0] | types[1]) && drive < 2) {
        parameters(r, drive);
        int13_finish(r, ST_OK);
        return;
    }
    if (r->ah == 0x15) {
        int13_finish(r, ST_OK);
        r->ah = !there ? 0 : types[drive] == 1 ? 1 : 2; /* 2: with a change line */
        return;
    }
    if (!there) {
        if (r->ah == 0x00)
            status = ST_OK;
        if (r->ah == 0x08) {
            r->ax = 0;
            r->bl = 0;
            r->cx = 0;
            r->dx = 0;
        }
        int13_finish(r, status);
        return;
    }
    switch (r->ah) {
    case 0x00: status = reset(); break;
    case 0x02:
    case 0x03:
    case 0x04:
    case 0x05: status = with_medium(r, drive); break;
    case 0x16:
        motor_on(drive);
        status = inb(DIR) & 0x80 ? ST_CHANGED : ST_OK;
        motor_leave();
        break;
    case 0x17: status = set_medium(drive, r->al == 3 ? 0 : r->al == 2 ? 1 : 2, 0); break;
    case 0x18:
        status = set_medium(drive, 0, r->cl & 63);
        if (status == ST_OK) {
            r->es = 0xF000;
            r->di = 0xEFC7;
        }
        break;
    }
    int13_finish(r, status);
}

void floppy_init(void)
{
    u8 cmos = cmos_read(0x10);
    types[0] = cmos >> 4;
    types[1] = cmos & 15;
    if (inb(MSR) == 0xFF)
        types[0] = types[1] = 0;
    for (unsigned i = 0; i < 2; i++) {
        found[i] = 0;
        if (types[i] > 5)
            types[i] = 0;
    }
    unsigned n = (unsigned)(types[0] != 0) + (types[1] != 0);
    u16 equipment = bda16(BDA_EQUIPMENT) & (u16)~0xC1;
    bda_set16(BDA_EQUIPMENT, (u16)(n == 0 ? equipment : equipment | 1 | (n - 1) << 6));
    if (n == 0)
        return;
    pic_unmask(IRQ);
    outb(DMA2_MODE, 0xC0); /* channel 4 is the cascade of the first chip: let it through */
    outb(DMA2_MASK, 0x00);
    if (reset() != ST_OK) {
        post_fail("floppy", "the controller does not come out of its reset (status %02Xh)", inb(MSR));
        types[0] = types[1] = 0;
        bda_set16(BDA_EQUIPMENT, equipment);
    }
}
