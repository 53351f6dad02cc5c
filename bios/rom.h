/* Option ROMs: the video BIOS, then the others. */
#ifndef SPARK_ROM_H
#define SPARK_ROM_H

#include "types.h"

bool rom_start_video(void); /* true if a video BIOS was found and INT 10h is its own */
void rom_scan_others(void);
/* Where the n-th bootstrap entry is, of the ROMs that the user asked for or (`net`) of adapters; false
 * when there is none. Plug and Play BIOS Specification 1.0A, 3.2. */
bool rom_boot_entry(bool net, unsigned n, u16 *seg, u16 *off);

/* fwcfg.c: makes the n-th option ROM of fw_cfg current; its size, 0 if there is none. Then its
 * bytes, four at a time. */
u32 fwcfg_rom_select(unsigned n);
u32 fwcfg_rom_next(void);
/* pmm.c: memory for ROMs, from here to there. */
void pmm_open(void);
void pmm_close(void);
void rom_protect(void);     /* option ROM areas and F0000h become read-only */

#endif
