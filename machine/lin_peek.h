/* Linear memory as the processor would see it, without side effects: for looking at code, tables
 * and stacks. */
#ifndef MACHINE_LIN_PEEK_H
#define MACHINE_LIN_PEEK_H

#include "core/mem_view.h"
#include "cpu/cpu.h"

/* Returns how many of len bytes are mapped and memory, from the first on. */
static inline unsigned lin_peek(struct cpu *c, u64 lin, void *out, unsigned len)
{
    unsigned n;
    u64 pa;

    for (n = 0; n < len; n++)
        if (!cpu_peek_translate(c, c->mode & MODE_LMA ? lin + n : (u32)(lin + n), &pa) ||
            mem_view_read_bytes(c->cfg.view, pa, (u8 *)out + n, 1) != 1)
            break;
    return n;
}

#endif
