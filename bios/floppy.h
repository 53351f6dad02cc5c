/* Floppy drives at the 82077AA, by 8237 DMA. */
#ifndef SPARK_FLOPPY_H
#define SPARK_FLOPPY_H

#include "types.h"

void floppy_init(void);             /* POST: drives as CMOS 10h names them, if the controller answers */
u8 floppy_type(unsigned drive);     /* CMOS type: 1 360K, 2 1.2M, 3 720K, 4 1.44M, 5 2.88M; 0 none */
const char *floppy_name(u8 type);

struct regs;
void floppy_services(struct regs *r, u8 drive); /* INT 13h */
void floppy_tick(void);                         /* INT 08h: the motor's time runs out */

#endif
