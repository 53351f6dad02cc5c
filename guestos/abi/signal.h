/* Signals of Linux on x86-64: numbers, flags, and the structures that programs see. */
#ifndef GUESTOS_ABI_SIGNAL_H
#define GUESTOS_ABI_SIGNAL_H

#include "guestos/kernel/types.h"

#define NR_SIGNALS 64

enum {
    SIGHUP = 1,
    SIGINT,
    SIGQUIT,
    SIGILL,
    SIGTRAP,
    SIGABRT,
    SIGBUS,
    SIGFPE,
    SIGKILL,
    SIGUSR1,
    SIGSEGV,
    SIGUSR2,
    SIGPIPE,
    SIGALRM,
    SIGTERM,
    SIGSTKFLT,
    SIGCHLD,
    SIGCONT,
    SIGSTOP,
    SIGTSTP,
    SIGTTIN,
    SIGTTOU,
    SIGURG,
    SIGXCPU,
    SIGXFSZ,
    SIGVTALRM,
    SIGPROF,
    SIGWINCH,
    SIGIO,
    SIGPWR,
    SIGSYS,
    SIGRTMIN,
};

#define SIGNAL_BIT(n) (1ul << ((n)-1))

#define SIG_DFL 0ul
#define SIG_IGN 1ul

#define SA_NOCLDSTOP 0x00000001ul
#define SA_NOCLDWAIT 0x00000002ul
#define SA_SIGINFO   0x00000004ul
#define SA_RESTORER  0x04000000ul
#define SA_ONSTACK   0x08000000ul
#define SA_RESTART   0x10000000ul
#define SA_NODEFER   0x40000000ul
#define SA_RESETHAND 0x80000000ul

enum { SIG_BLOCK, SIG_UNBLOCK, SIG_SETMASK };

/* si_code */
enum {
    SI_USER = 0,
    SI_KERNEL = 0x80,
    SI_QUEUE = -1,
    SI_TIMER = -2,
    SI_TKILL = -6,
    ILL_ILLOPN = 2,
    FPE_INTDIV = 1,
    FPE_INTOVF = 2,
    FPE_FLTDIV = 3,
    FPE_FLTOVF = 4,
    FPE_FLTUND = 5,
    FPE_FLTRES = 6,
    FPE_FLTINV = 7,
    SEGV_MAPERR = 1,
    SEGV_ACCERR = 2,
    BUS_ADRALN = 1,
    BUS_ADRERR = 2,
    TRAP_BRKPT = 1,
    TRAP_TRACE = 2,
    CLD_EXITED = 1,
    CLD_KILLED,
    CLD_DUMPED,
    CLD_TRAPPED,
    CLD_STOPPED,
    CLD_CONTINUED,
};

struct abi_sigaction {
    u64 handler, flags, restorer, mask;
};

struct siginfo { /* 128 bytes */
    i32 signo, error, code, pad;
    union {
        struct {
            i32 pid;
            u32 uid;
            union {
                u64 value; /* SI_QUEUE */
                struct {
                    i32 status;
                    i64 utime, stime;
                } child __attribute__((packed, aligned(4)));
            };
        };
        struct {
            u64 address;
        } fault;
        struct {
            i32 id, overrun;
            u64 value;
        } timer;
        u8 bytes[112];
    };
};
_Static_assert(sizeof(struct siginfo) == 128, "siginfo_t");

struct abi_stack {
    u64 sp;
    i32 flags, pad;
    u64 size;
};
enum { SS_ONSTACK = 1, SS_DISABLE = 2 };
#define MINSIGSTKSZ 2048

#endif
