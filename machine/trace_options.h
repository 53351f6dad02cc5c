/*
 * What an instruction trace shows, where it starts and stops, where it goes: the options of
 * `kiln trace`, as host/ parsed them and as machine/ reads them. The words in start, stop and
 * filter are as the user wrote them, since symbols are known only when the files of --sym are
 * read. The line grammar is in docs/TRACE.md.
 */
#ifndef MACHINE_TRACE_OPTIONS_H
#define MACHINE_TRACE_OPTIONS_H

#include "core/types.h"

struct trace_options {
    const char *output;       /* file name, packed if it ends in .zst; NULL: stdout */
    bool regs;                /* --regs: changed registers */
    bool mem;                 /* --mem: memory accesses */
    bool lines;               /* --lines: source lines */
    u64 last;                 /* --last: keep so many records, write them at the end; 0: all */
    const char *start, *stop; /* --from, --to: an instruction count "#N" or "N", a linear address
                                 "0x7c00", a symbol, or a write to a port "port:0x80=0x41"; NULL:
                                 from reset, to the end */
    const char *filter;       /* --filter: "0x7c00-0x7dff", "cpl=3", "sym=NAME", joined by commas,
                                 all must hold; NULL: everything */
};

#endif
