/* INT 19h and 18h: what the boot order names is tried in turn: bootstrap entries of option ROMs, hard
 * disks, CDs and the floppy. A disk's first sector is read and, if it ends in 55 AA, started at
 * 0000:7C00 with the drive in DL (BIOS Boot Specification 1.01); the disk that comes first is drive
 * 80h. A floppy need not end in 55 AA if CMOS 38h says so. What gives up with INT 18h lets the next one
 * try. When none is left, a clear screen says why for each. */
#include "boot.h"
#include "bda.h"
#include "console.h"
#include "disk.h"
#include "eltorito.h"
#include "entry.h"
#include "floppy.h"
#include "ide.h"
#include "rom.h"

enum why { WHY_NOT_TRIED, WHY_READ_ERROR, WHY_NO_SIGNATURE, WHY_GAVE_UP, WHY_NO_MEDIA, WHY_NO_BOOT_CD };
enum { CMOS_FLAGS = 0x38, NO_FLOPPY_CHECK = 0x01 };

static struct { u8 why, status, found[2]; } outcome[SLOT_LAST + 1];
static u8 order[NR_SLOTS]; /* of this start */
static unsigned next_slot, next_rom;

/* The INT 13h number of a slot's drive, -1 if it has none. */
static int number_of(u8 slot)
{
    const struct drive *d = slot_drive(slot) >= 0 ? drive_get((unsigned)slot_drive(slot)) : 0;
    if (slot == SLOT_FLOPPY)
        return floppy_type(0) != 0 ? 0 : -1;
    for (unsigned k = 0; d != 0 && k < disk_count(); k++) {
        if (disk_get(k)->drive == d)
            return DISK_FIRST + (int)k;
    }
    for (unsigned k = 0; d != 0 && k < cd_count(); k++) {
        if (cd_get(k) == d)
            return CD_FIRST + (int)k;
    }
    return -1;
}

bool boot_slot_present(u8 slot)
{
    u16 seg, off;
    if (slot == SLOT_ROM || slot == SLOT_NET)
        return rom_boot_entry(slot == SLOT_NET, 0, &seg, &off);
    return number_of(slot) >= 0;
}

void boot_load_order(u8 first)
{
    struct settings s;
    unsigned n = 0;
    settings_load(&s);
    for (unsigned i = 0; i < NR_SLOTS; i++)
        order[i] = SLOT_NONE;
    if (first != SLOT_NONE)
        order[n++] = first;
    for (unsigned i = 0; i < NR_SLOTS && s.order[i] != SLOT_NONE; i++) {
        if (s.order[i] != first)
            order[n++] = s.order[i];
    }
    disk_init(order);
}

static void list_slot(u8 slot)
{
    int index = slot_drive(slot);
    const struct drive *d = index >= 0 ? drive_get((unsigned)index) : 0;
    if (d == 0 && slot != SLOT_FLOPPY && outcome[slot].why == WHY_NOT_TRIED)
        return;
    if (!boot_slot_present(slot) && (index < 0 || index >= IDE_DRIVES))
        return;
    con_printf("  %s%s: ", slot_name(slot), d != 0 && index < IDE_DRIVES && d->unit != 0 ? " " : "");
    if (!boot_slot_present(slot)) {
        con_printf("%s\n", ide_channel_dead(d->channel) ? "channel failed" : "no drive");
        return;
    }
    if (d != 0)
        con_printf("%s: ", d->model);
    switch (outcome[slot].why) {
    case WHY_NOT_TRIED: con_printf("not in the boot order (F2 at start: set-up)\n"); break;
    case WHY_READ_ERROR:
        con_printf("%s cannot be read (INT 13h status %02Xh)\n",
                   d != 0 && d->kind == DRIVE_CD ? "the disc" : "sector 0", outcome[slot].status);
        break;
    case WHY_NO_SIGNATURE:
        con_printf("first sector ends in %02X %02X, not in 55 AA\n", outcome[slot].found[0],
                   outcome[slot].found[1]);
        break;
    case WHY_GAVE_UP: con_printf("its boot %s gave up (INT 18h)\n", d == 0 && slot != SLOT_FLOPPY ? "entry" : "sector"); break;
    case WHY_NO_MEDIA: con_printf("no disk is in\n"); break;
    case WHY_NO_BOOT_CD: con_printf("the disc has no boot catalog (El Torito)\n"); break;
    }
}

static _Noreturn void nothing_boots(void)
{
    post_code(0xAF);
    console_clear();
    con_printf("Spark BIOS: nothing to boot from\n\n");
    for (u8 slot = SLOT_ROM; slot <= SLOT_LAST; slot++)
        list_slot(slot);
    if (disk_count() == 0)
        con_printf("\n  No hard disk was found.\n");
    post_list_failures();
    con_printf("\nPress a key to try again.\n");
    struct call_regs r = {0};
    call_int(0x16, &r);
    con_printf("\n");
    /* Drives may have been connected or repaired meanwhile. */
    drive_probe();
    boot_load_order(SLOT_NONE);
    boot_start();
}

static void try_disk(u8 slot, u8 drive)
{
    struct call_regs r;
    post_code((u8)(drive < DISK_FIRST ? 0xA8 : 0xA0 + (drive - DISK_FIRST)));
    for (unsigned tries = 0; tries < 3; tries++) {
        r = (struct call_regs){0};
        r.eax = 0x0201;
        r.ebx = 0x7C00;
        r.ecx = 0x0001;
        r.edx = drive;
        r.es = 0;
        call_int(0x13, &r);
        if (!(r.flags & FLAG_CF) || (drive < DISK_FIRST && r.ah == ST_TIMEOUT))
            break;
        struct call_regs reset = {.edx = drive};
        call_int(0x13, &reset);
    }
    outcome[slot].status = r.ah;
    if (r.flags & FLAG_CF) {
        outcome[slot].why = drive < DISK_FIRST && r.ah == ST_TIMEOUT ? WHY_NO_MEDIA : WHY_READ_ERROR;
        return;
    }
    outcome[slot].found[0] = peek8(0, 0x7C00 + 510);
    outcome[slot].found[1] = peek8(0, 0x7C00 + 511);
    bool checked = drive >= DISK_FIRST || !(cmos_read(CMOS_FLAGS) & NO_FLOPPY_CHECK);
    if (checked && (outcome[slot].found[0] != 0x55 || outcome[slot].found[1] != 0xAA)) {
        outcome[slot].why = WHY_NO_SIGNATURE;
        return;
    }
    outcome[slot].why = WHY_GAVE_UP; /* what it will be if it comes back */
    boot_jump(drive, 0x07C0);
}

static void try_cd(u8 slot, unsigned cd)
{
    static const u8 why[] = {WHY_GAVE_UP, WHY_NO_MEDIA, WHY_READ_ERROR, WHY_NO_BOOT_CD};
    u8 drive;
    u16 seg;
    post_code((u8)(0xA9 + cd));
    outcome[slot].why = why[eltorito_load(cd, &drive, &seg)];
    outcome[slot].status = disk_status_of(DRIVE_ERROR);
    if (outcome[slot].why == WHY_GAVE_UP)
        boot_jump(drive, seg);
}

static void try_roms(u8 slot)
{
    u16 seg, off;
    if (rom_boot_entry(slot == SLOT_NET, next_rom, &seg, &off)) {
        outcome[slot].why = WHY_GAVE_UP;
        next_rom++;
        next_slot--; /* they may be more */
        boot_rom((u32)seg << 16 | off);
    }
    next_rom = 0;
}

/* Starts what comes next in the order; what is started does not return, but by INT 18h. */
static void try_next(void)
{
    eltorito_end();
    while (next_slot < NR_SLOTS && order[next_slot] != SLOT_NONE) {
        u8 slot = order[next_slot++];
        int number = number_of(slot);
        if (slot == SLOT_ROM || slot == SLOT_NET)
            try_roms(slot);
        else if (number >= CD_FIRST)
            try_cd(slot, (unsigned)(number - CD_FIRST));
        else if (number >= 0)
            try_disk(slot, (u8)number);
    }
    nothing_boots();
}

static void from_the_start(void)
{
    next_slot = next_rom = 0;
    for (unsigned k = 0; k <= SLOT_LAST; k++)
        outcome[k].why = WHY_NOT_TRIED;
    try_next();
}

_Noreturn void boot_start(void)
{
    restart_with(from_the_start);
}

void int19_boot(struct regs *r)
{
    (void)r;
    boot_start();
}

void int18_no_boot(struct regs *r)
{
    (void)r;
    restart_with(try_next);
}
