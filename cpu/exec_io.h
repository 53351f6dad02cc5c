/* Permission to touch a port: SDM 1, 19.5. */
#ifndef CPU_EXEC_IO_H
#define CPU_EXEC_IO_H

#include "cpu/cpu.h"

/* Raises #GP(0) unless CPL <= IOPL or the TSS's bitmap allows all size ports from port on. */
void io_check(struct cpu *, u16 port, unsigned size);

#endif
