/* Linear memory as the processor would see it, without side effects: for looking at code, tables
 * and stacks. */
#ifndef MACHINE_LIN_PEEK_H
#define MACHINE_LIN_PEEK_H

#include "core/mem_view.h"
#include "cpu/cpu.h"

/* Returns how many of len bytes are mapped and memory, from the first on. */
static inline unsigned lin_peek(struct cpu *c, u64 lin, void *out, unsigned len)
{
    unsigned n = 0;
    u64 pa;

    while (n < len && cpu_peek_translate(c, c->mode & MODE_LMA ? lin + n : (u32)(lin + n), &pa)) {
        u64 room = PAGE_SIZE - pa % PAGE_SIZE, part = len - n < room ? len - n : room;

        if (mem_view_read_bytes(c->cfg.view, pa, (u8 *)out + n, part) != part)
            break;
        n += (unsigned)part;
    }
    return n;
}

#endif
