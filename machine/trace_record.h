/*
 * What an instruction trace is made of, before it is text: a head for each line, then the items
 * that belong to it. insn_trace.c makes these; trace_text.c writes them at once, or trace_ring.c
 * keeps the last of them. They hold all that a line shows, so that it does not matter when it is
 * written.
 */
#ifndef MACHINE_TRACE_RECORD_H
#define MACHINE_TRACE_RECORD_H

#include "cpu/cpu.h"

enum trace_kind {
    /* heads */
    TRACE_INSN,
    TRACE_EVENT, /* an event_record goes with it */
    TRACE_NOTE,  /* note, which has no items */
    /* items */
    TRACE_READ,
    TRACE_WRITE,
    TRACE_REG,
    TRACE_MORE, /* value items have been left out */
};

enum { TRACE_MAX_INSN = 15 };

struct trace_head {
    u8 kind;
    u8 cpl;
    u16 cs;
    u32 mode;
    u64 count, rip, lin;
    const char *note; /* of TRACE_NOTE; a literal */
    bool valid;       /* of TRACE_INSN: the decoder knows it */
    u8 nr_bytes;
    u8 bytes[TRACE_MAX_INSN];
};

struct trace_item {
    u8 kind;
    u8 size;   /* of an access, bytes */
    u8 digits; /* of an access's address; of a register's value */
    u8 reg;    /* enum trace_reg of machine/trace_regs.h */
    u32 limit; /* of gdtr and idtr */
    u64 lin;   /* of an access */
    u64 value;
};

#endif
