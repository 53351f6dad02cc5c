/* Option ROMs: the video BIOS, then the others. */
#ifndef SPARK_ROM_H
#define SPARK_ROM_H

#include "types.h"

bool rom_start_video(void); /* true if a video BIOS was found and INT 10h is its own */
void rom_scan_others(void);
void rom_protect(void);     /* option ROM areas and F0000h become read-only */

#endif
