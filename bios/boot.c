/* INT 19h and 18h: each hard disk in turn is read and, if its first sector ends in 55 AA, started
 * at 0000:7C00 with the drive in DL (BIOS Boot Specification 1.01). A boot sector that gives up
 * with INT 18h lets the next disk try. When none is left, a clear screen says why for each.
 * UNIMPL: floppy, CD, network; a boot order. */
#include "boot.h"
#include "bda.h"
#include "console.h"
#include "disk.h"
#include "entry.h"
#include "rom.h"

enum why { WHY_READ_ERROR, WHY_NO_SIGNATURE, WHY_GAVE_UP };

static struct { u8 why, status, found[2]; } outcome[DISKS_MAX];
static unsigned next_disk, next_rom;

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
        if (outcome[k].why == WHY_READ_ERROR)
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
    disk_init();
    boot_start();
}

static void try_disks(void)
{
    while (next_disk < disk_count()) {
        unsigned k = next_disk++;
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
            continue;
        }
        outcome[k].found[0] = peek8(0, 0x7C00 + 510);
        outcome[k].found[1] = peek8(0, 0x7C00 + 511);
        if (outcome[k].found[0] != 0x55 || outcome[k].found[1] != 0xAA) {
            outcome[k].why = WHY_NO_SIGNATURE;
            continue;
        }
        outcome[k].why = WHY_GAVE_UP; /* what it will be if it comes back */
        boot_jump((u8)(0x80 + k));
    }
    nothing_boots();
}

static void try_roms(void)
{
    u16 seg, off;
    if (rom_boot_entry(next_rom, &seg, &off)) {
        next_rom++;
        boot_rom((u32)seg << 16 | off);
    }
}

static void try_next(void)
{
    try_roms();
    try_disks();
}

static void from_the_start(void)
{
    next_disk = next_rom = 0;
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
