/* What the user chose in set-up, kept in battery-backed memory. */
#ifndef SPARK_SETTINGS_H
#define SPARK_SETTINGS_H

#include "ide.h"

/* What can be booted from: the numbers are kept in CMOS and stay as they are. */
enum boot_slot {
    SLOT_NONE,  /* ends an order */
    SLOT_ROM,   /* bootstrap entries of option ROMs */
    SLOT_DISK0, /* hard disks: primary master, primary slave, secondary master, secondary slave */
    SLOT_LAST = SLOT_DISK0 + IDE_DRIVES - 1,
    NR_SLOTS = SLOT_LAST
};
enum { WAIT_MAX = 9 };

struct settings {
    u8 order[NR_SLOTS]; /* enum boot_slot: first to last, then SLOT_NONE; what is missing is off */
    u8 wait;            /* seconds that POST waits for a key */
};

void settings_default(struct settings *s);
void settings_load(struct settings *s); /* the defaults where CMOS holds none */
void settings_store(const struct settings *s);

/* "primary master" and so on; "option ROM". */
const char *slot_name(u8 slot);

/* fwcfg.c: what the emulator says of the memory that settings are kept in. */
enum nvram { NVRAM_UNKNOWN, NVRAM_KEPT, NVRAM_THIS_RUN };
enum nvram fwcfg_nvram(void);

#endif
