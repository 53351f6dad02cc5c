/* Boot CDs ("El Torito" Bootable CD-ROM Format Specification 1.0). */
#ifndef SPARK_ELTORITO_H
#define SPARK_ELTORITO_H

#include "drive.h"

/* Reads the catalog of a CD and loads what its default entry says. 0, or why not; then `drive` is what
 * DL shall be and seg:0 is loaded. */
enum eltorito_why { ELTORITO_OK, ELTORITO_NO_MEDIA, ELTORITO_READ_ERROR, ELTORITO_NOT_BOOTABLE };
enum eltorito_why eltorito_load(unsigned cd, u8 *drive, u16 *seg);
void eltorito_end(void); /* no emulation any more */

struct regs;
bool eltorito_services(struct regs *r);  /* true: INT 13h was for the emulated drive, or 4Ah to 4Dh */
unsigned eltorito_shift(u8 first);       /* by how much the drives from 00h or 80h move up */

#endif
