/* INT 19h and 18h: what the boot order names is tried in turn, bootstrap entries of option ROMs and
 * hard disks. A disk's first sector is read and, if it ends in 55 AA, started at 0000:7C00 with the
 * drive in DL (BIOS Boot Specification 1.01); the disk that comes first is drive 80h. What gives up
 * with INT 18h lets the next one try. When none is left, a clear screen says why for each.
 * UNIMPL: floppy, CD, network. */
#include "boot.h"
#include "bda.h"
#include "console.h"
#include "disk.h"
#include "entry.h"
#include "rom.h"

enum why { WHY_NOT_TRIED, WHY_READ_ERROR, WHY_NO_SIGNATURE, WHY_GAVE_UP };

static struct { u8 why, status, found[2]; } outcome[DISKS_MAX];
static u8 order[NR_SLOTS]; /* of this start */
static unsigned next_slot, next_rom;

static int disk_of(u8 slot)
{
    for (unsigned k = 0; slot >= SLOT_DISK0 && k < disk_count(); k++) {
        if (disk_get(k)->ide == ide_drive(slot - SLOT_DISK0))
            return (int)k;
    }
    return -1;
}

bool boot_slot_present(u8 slot)
{
    u16 seg, off;
    return slot == SLOT_ROM ? rom_boot_entry(0, &seg, &off) : disk_of(slot) >= 0;
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

static void list_drive(unsigned i)
{
    const struct ide_drive *d = ide_drive(i);
    con_printf("  %s %s: ", d->channel == 0 ? "primary" : "secondary",
               d->unit == 0 ? "master" : "slave ");
    if (d->kind == IDE_NONE) {
        con_printf("%s\n", ide_channel_dead(d->channel) ? "channel failed" : "no drive");
        return;
    }
    if (d->kind == IDE_ATAPI) {
        con_printf("%s: CD drive, not bootable by this version\n", d->model);
        return;
    }
    con_printf("%s: ", d->model);
    for (unsigned k = 0; k < disk_count(); k++) {
        if (disk_get(k)->ide != d)
            continue;
        if (outcome[k].why == WHY_NOT_TRIED)
            con_printf("not in the boot order (F2 at start: set-up)\n");
        else if (outcome[k].why == WHY_READ_ERROR)
            con_printf("sector 0 cannot be read (INT 13h status %02Xh)\n", outcome[k].status);
        else if (outcome[k].why == WHY_NO_SIGNATURE)
            con_printf("first sector ends in %02X %02X, not in 55 AA\n",
                       outcome[k].found[0], outcome[k].found[1]);
        else
            con_printf("its boot sector gave up (INT 18h)\n");
    }
}

static _Noreturn void nothing_boots(void)
{
    post_code(0xAF);
    console_clear();
    con_printf("Spark BIOS: nothing to boot from\n\n");
    for (unsigned i = 0; i < IDE_DRIVES; i++)
        list_drive(i);
    if (disk_count() == 0)
        con_printf("\n  No hard disk was found.\n");
    post_list_failures();
    con_printf("\nPress a key to try again.\n");
    struct call_regs r = {0};
    call_int(0x16, &r);
    con_printf("\n");
    /* Drives may have been connected or repaired meanwhile. */
    ide_probe();
    boot_load_order(SLOT_NONE);
    boot_start();
}

static void try_disk(unsigned k)
{
    post_code((u8)(0xA0 + k));
    struct call_regs r = {0};
    for (unsigned tries = 0; tries < 3; tries++) {
        r.eax = 0x0201;
        r.ebx = 0x7C00;
        r.ecx = 0x0001;
        r.edx = 0x80 + k;
        r.es = 0;
        call_int(0x13, &r);
        if (!(r.flags & FLAG_CF))
            break;
        struct call_regs reset = {.edx = 0x80 + k};
        call_int(0x13, &reset);
    }
    outcome[k].status = r.ah;
    if (r.flags & FLAG_CF) {
        outcome[k].why = WHY_READ_ERROR;
        return;
    }
    outcome[k].found[0] = peek8(0, 0x7C00 + 510);
    outcome[k].found[1] = peek8(0, 0x7C00 + 511);
    if (outcome[k].found[0] != 0x55 || outcome[k].found[1] != 0xAA) {
        outcome[k].why = WHY_NO_SIGNATURE;
        return;
    }
    outcome[k].why = WHY_GAVE_UP; /* what it will be if it comes back */
    boot_jump((u8)(0x80 + k));
}

static void try_roms(void)
{
    u16 seg, off;
    if (rom_boot_entry(next_rom, &seg, &off)) {
        next_rom++;
        next_slot--; /* they may be more */
        boot_rom((u32)seg << 16 | off);
    }
}

/* Starts what comes next in the order; what is started does not return, but by INT 18h. */
static void try_next(void)
{
    while (next_slot < NR_SLOTS && order[next_slot] != SLOT_NONE) {
        u8 slot = order[next_slot++];
        if (slot == SLOT_ROM)
            try_roms();
        else if (disk_of(slot) >= 0)
            try_disk((unsigned)disk_of(slot));
    }
    nothing_boots();
}

static void from_the_start(void)
{
    next_slot = next_rom = 0;
    for (unsigned k = 0; k < DISKS_MAX; k++)
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
