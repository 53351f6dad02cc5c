/*
 * The native side: a sandboxed child process that runs cases on the host CPU.
 *
 * The child lives inside of its signal handler: each exception of the code under test enters it,
 * it writes the outcome down, loads the next case into the signal frame, and returns into it.
 * It owns its stacks, has guard pages around what the code can reach, may make no system call
 * outside of the handler (seccomp), and is killed when it hangs.
 */
#ifndef TESTS_NATIVE_HOST_H
#define TESTS_NATIVE_HOST_H

#include "tests/native/slot.h"
#include <sys/types.h>

/* What this host is and can do; measured, not assumed. */
struct host_facts {
    char vendor[13];
    bool amd;
    u16 cs32;        /* 32-bit flat code selector; 0: the host has none */
    u16 cs64, ss;
    bool ldt;        /* modify_ldt works, and selectors of the LDT can be loaded */
    bool ldt16;      /* ... also with 16-bit segments */
    bool low, top;   /* the low and the top page could be mapped */
    bool ss_is_gp;   /* the hypervisor reports #SS(0) as #GP(0) */
    bool fs_lost;    /* the selectors in FS and GS do not survive an exception */
    bool bus_locks;  /* locked accesses across a cache line are trapped, and hypervisors slow them down */
    bool own;        /* it is the processor that cpu.silicon was measured on: nothing open is masked */
    bool rf_lost;    /* faults do not push RF as 1: emulators */
    char emulator[8]; /* "qemu", "bochs": not silicon, see deviations.h; empty: silicon */
    u64 features;    /* cpu/feature.h */
    u64 gdt[16];     /* descriptors that user mode can see, rebuilt from LAR and LSL */
};

/* LDT entries that both sides install; selector = index * 8 + 7. */
enum ldt_entry {
    LDT_DATA32, /* base at the data region, limit 1fffh */
    LDT_DATA16, /* base so that 16-bit offsets reach data: data - 4000h, limit ffffh */
    LDT_DOWN,   /* expand down, 32-bit, valid above 20000fffh */
    LDT_RO,     /* read-only data, flat */
    LDT_XO,     /* execute-only code, flat 32-bit */
    LDT_NP,     /* not present */
    LDT_CODE32, /* readable code, flat 32-bit */
    LDT_CODE16, /* 16-bit code, base at the code region */
    LDT_STACK16, /* 16-bit data, base at the stack region */
    NR_LDT
};
extern const u64 ldt_descriptors[NR_LDT];
u64 ldt_entry(const struct host_facts *, unsigned index); /* 0 where the host does not allow it */

struct host {
    pid_t pid;
    int to, from; /* pipes */
    struct shared *sh;
};

/* Finds out what the host can do. -1: the sandbox cannot be made here; errno says why. */
int host_probe(struct host_facts *);

int host_start(struct host *, struct shared *, const struct host_facts *);
void host_stop(struct host *);

/* Runs the batch. Two halves, so that the parent can work meanwhile. host_wait returns -1 when
 * the child died or hung in slot sh->current; it has been restarted then. */
void host_go(struct host *);
int host_wait(struct host *, const struct host_facts *);

#endif
