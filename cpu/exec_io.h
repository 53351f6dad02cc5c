/* What instructions do with ports. Permission to touch one: SDM 1, 19.5. */
#ifndef CPU_EXEC_IO_H
#define CPU_EXEC_IO_H

#include "cpu/cpu.h"

/* Raises #GP(0) unless CPL <= IOPL or the TSS's bitmap allows all size ports from port on. */
void io_check(struct cpu *, u16 port, unsigned size);

/* The port itself, for IN, OUT, INS and OUTS. Writes are told to the observer. */
u64 io_read(struct cpu *, u16 port, unsigned size);
void io_write(struct cpu *, u16 port, u64 v, unsigned size);

/* F3 90 is PAUSE: a spinning guest lets this much pass (docs/decisions/001). */
enum { PAUSE_NS = 40 };

#endif
