/* Error numbers. Functions of the kernel return them negated. */
#ifndef GUESTOS_ABI_ERRNO_H
#define GUESTOS_ABI_ERRNO_H

enum {
#define ERROR(number, name, text) name = number,
#include "guestos/abi/errno.def"
#undef ERROR
    /* Inside the kernel only, never seen by programs (proc/signal.c): a signal broke a system call
     * off, which begins again after the handler, */
    ERESTARTSYS = 512,           /* if the handler has SA_RESTART, */
    ERESTARTNOHAND = 514,        /* only if no handler ran, */
    ERESTART_RESTARTBLOCK = 516, /* or only then, and for what is left of its time */
};

#endif
