/* What the user chose in set-up, kept in battery-backed memory. */
#ifndef SPARK_SETTINGS_H
#define SPARK_SETTINGS_H

#include "drive.h"

/* What can be booted from: the numbers are kept in CMOS, four bits each, and stay as they are. */
enum boot_slot {
    SLOT_NONE,  /* ends an order */
    SLOT_ROM,   /* bootstrap entries of option ROMs that the user asked for */
    SLOT_IDE,   /* primary master, primary slave, secondary master, secondary slave */
    SLOT_FLOPPY = SLOT_IDE + IDE_DRIVES,
    SLOT_AHCI,  /* the first drives at AHCI ports */
    SLOT_NET = SLOT_AHCI + AHCI_DRIVES, /* bootstrap entries of adapters' ROMs */
    SLOT_LAST = SLOT_NET,
    NR_SLOTS = SLOT_LAST
};
enum { WAIT_MAX = 9 };

struct settings {
    u8 order[NR_SLOTS]; /* enum boot_slot: first to last, then SLOT_NONE; what is missing is off */
    u8 wait;            /* seconds that POST waits for a key */
};

/* The order of the emulator's command line: classes of drives in CMOS 3Dh and 38h, as QEMU, Bochs and
 * Kiln put them there; classes that are not named follow, hard disks first. */
void settings_default(struct settings *s);
void settings_load(struct settings *s); /* the defaults where CMOS holds none */
void settings_store(const struct settings *s);

/* "primary master" and so on; "option ROM". */
const char *slot_name(u8 slot);
int slot_drive(u8 slot); /* the number of its drive for drive_get(), or -1 */
u8 slot_of(const struct drive *d);

/* fwcfg.c: what the emulator says of the memory that settings are kept in. */
enum nvram { NVRAM_UNKNOWN, NVRAM_KEPT, NVRAM_THIS_RUN };
enum nvram fwcfg_nvram(void);

#endif
