/*
 * The processor's state, and what the rest of the emulator may ask of it.
 *
 * struct cpu is one object per virtual processor; both engines, the mmu and the debugger work on
 * it. It is plain C state plus pointers to what the board gave it (struct cpu_config).
 */
#ifndef CPU_CPU_H
#define CPU_CPU_H

#include "core/irq.h"
#include "core/types.h"
#include "cpu/engine_options.h"
#include "cpu/insn.h"
#include "cpu/isa.h"
#include "cpu/silicon.h"
#include "cpu/translated.h"
#include <setjmp.h>
#include <stdio.h>

struct bus;
struct cpu_debug;
struct clock;
struct log;
struct mem_view;
struct state_desc;
struct cpu;

/* The mode word: everything that decoding or translated code may depend on, recomputed by
 * cpu_update_mode() whenever one of its sources changes. */
enum cpu_mode {
    MODE_CODE16 = 0,
    MODE_CODE32 = 1,
    MODE_CODE64 = 2,
    MODE_CODE_MASK = 3,
    MODE_SS32 = 1 << 2, /* stack addresses are 32 bits (64 in 64-bit mode) */
    MODE_PE = 1 << 3,
    MODE_VM = 1 << 4,
    MODE_CPL_SHIFT = 5,
    MODE_CPL_MASK = 3 << 5,
    MODE_PG = 1 << 7,
    MODE_LMA = 1 << 8, /* long mode is active (64-bit or compatibility) */
    MODE_TF = 1 << 9,
    MODE_SHADOW = 1 << 10, /* an STI or MOV SS shadow covers the next instruction */
    MODE_EM_TS = 1 << 11,  /* x87 instructions raise #NM */
    MODE_AC = 1 << 12,     /* alignment is checked: CR0.AM, EFLAGS.AC and CPL 3 */
    MODE_VIP = 1 << 13,    /* VIF and VIP are both set where that is a fault (SDM 3B 20.3.2) */
    MODE_DR7 = 1 << 14,    /* a breakpoint of the guest's is enabled (cpu/dr.h) */
    MODE_NO_SSE = 1 << 15, /* SSE instructions raise #UD or #NM: CR0.EM, CR0.TS, no CR4.OSFXSR */
};

/* Lazy flags: the last result and its carry-out vector give all but CF on demand.
 * Valid while lazy; otherwise eflags holds everything. CF = cf always when lazy. */
struct lazy_flags {
    u64 res;  /* result, any high bits */
    u64 cout; /* carry or borrow out of each bit */
    u8 top;   /* number of the result's sign bit: 7, 15, 31, 63 */
    u8 cf;
    u8 lazy;
};

/* A segment register with its hidden part. attr: descriptor bits 55..40 without the limit:
 * bits 7..0 type, S, DPL, P; bits 15..12 AVL, L, D/B, G. */
struct seg {
    u16 sel, attr;
    u32 limit; /* last byte, granularity applied */
    u64 base;
    u8 usable; /* not a null selector */
    u8 fast;   /* SEG_FAST_R, SEG_FAST_W: expand-up and permitted, so only the limit is left */
    u64 room_r, room_w; /* limit + 1 where fast says so, else 0: what translated code compares with */
};
enum { SEG_FAST_R = 1, SEG_FAST_W = 2 };
enum seg_attr {
    SEG_TYPE = 0xf, SEG_ACCESSED = 1, SEG_RW = 2, SEG_DC = 4, SEG_CODE = 8,
    SEG_S = 1 << 4, SEG_DPL_SHIFT = 5, SEG_P = 1 << 7,
    SEG_AVL = 1 << 12, SEG_L = 1 << 13, SEG_DB = 1 << 14, SEG_G = 1 << 15,
};

struct dtable {
    u64 base;
    u16 limit;
};

enum {
    CR0_PE = 1 << 0, CR0_MP = 1 << 1, CR0_EM = 1 << 2, CR0_TS = 1 << 3, CR0_ET = 1 << 4,
    CR0_NE = 1 << 5, CR0_WP = 1 << 16, CR0_AM = 1 << 18, CR0_NW = 1 << 29, CR0_CD = 1 << 30,
};
#define CR0_PG (1u << 31)
enum {
    CR4_VME = 1 << 0, CR4_PVI = 1 << 1, CR4_TSD = 1 << 2, CR4_DE = 1 << 3, CR4_PSE = 1 << 4,
    CR4_PAE = 1 << 5, CR4_MCE = 1 << 6, CR4_PGE = 1 << 7, CR4_PCE = 1 << 8, CR4_OSFXSR = 1 << 9,
    CR4_OSXMMEXCPT = 1 << 10, CR4_UMIP = 1 << 11, CR4_FSGSBASE = 1 << 16, CR4_PCIDE = 1 << 17,
    CR4_OSXSAVE = 1 << 18, CR4_SMEP = 1 << 20,
    CR4_SMAP = 1 << 21,
};
enum { XCR0_X87 = 1, XCR0_SSE = 2, XCR0_KNOWN = XCR0_X87 | XCR0_SSE };
enum { EFER_SCE = 1 << 0, EFER_LME = 1 << 8, EFER_LMA = 1 << 10, EFER_NXE = 1 << 11 };

enum vector {
    EXC_DE, EXC_DB, EXC_NMI, EXC_BP, EXC_OF, EXC_BR, EXC_UD, EXC_NM, EXC_DF, EXC_TS = 10, EXC_NP,
    EXC_SS, EXC_GP, EXC_PF, EXC_MF = 16, EXC_AC, EXC_MC, EXC_XM,
};

/* x87, MMX and SSE registers (SDM 1, 8.1, 9.2, 10.2). While an engine runs, the x87 part may live in
 * the host's registers: fpu.h says when. */
struct xmm {
    _Alignas(16) u64 q[2];
};
struct st {
    u64 mant; /* an MMX register, too */
    u16 exp;  /* and the sign, bit 15 */
};
struct fpu {
    struct xmm xmm[16];
    u32 mxcsr;
    u16 cw, sw;
    u8 valid;  /* the tag word in FXSAVE's form, bit n for R(n): not empty */
    u16 fop;   /* of the last exception that was not masked, as fip and fdp: DEVIATION: silicon */
    u64 fip, fdp; /* keeps them for each instruction, and hosts would show their own here */
    struct st r[8]; /* physical registers R0 to R7; ST(i) is R((TOP + i) & 7), MMi is Ri */
};

/* Why an engine returned. */
enum stop_reason {
    STOP_SLICE,   /* the budget is used up */
    STOP_REQUEST, /* cpu_request_stop() was called, by a device's power wire for instance */
    STOP_HALT,    /* HLT: nothing to do until an interrupt */
    STOP_TRIPLE,  /* triple fault: the processor is in shutdown */
    STOP_DEBUG,   /* a point or step of the debugger: cpu.debug says which */
};

enum attention {
    ATT_INTR = 1,    /* the interrupt line is high */
    ATT_NMI = 2,
    ATT_STOP = 4,    /* leave run() */
    ATT_INIT = 8,    /* the INIT pin: cpu_take_init() is due */
    ATT_DEBUG = 16,  /* debug_pending holds a trap */
};

/* One event, kept for the triple-fault report and -d int. */
struct event_record {
    u8 vector, cpl, has_error, kind; /* kind: enum event_kind */
    u16 cs;
    i16 during; /* the vector whose delivery raised it, DELIVER_EXTERNAL or DELIVER_NONE */
    bool lost;  /* never delivered: it became a double fault or the shutdown */
    u32 error, mode;
    u64 rip, lin_rip, rsp, cr2, icount, pc;
    u16 ss;
    u64 rax;
};
enum event_kind { EVENT_FAULT, EVENT_TRAP, EVENT_SOFT, EVENT_EXT, EVENT_ABORT };
#define EVENT_RING 16
enum { DELIVER_NONE = -1, DELIVER_EXTERNAL = 256 };

/* What observers get; any may be NULL. Observers only look. */
struct cpu_observer {
    void (*before)(void *h, struct cpu *, const struct insn *, const u8 *bytes); /* not yet run */
    void (*after)(void *h, struct cpu *, const struct insn *); /* retired; not after a fault */
    void (*event)(void *h, struct cpu *, const struct event_record *);
    void (*mem)(void *h, struct cpu *, u64 lin, u64 value, unsigned size, bool write);
    void (*port_write)(void *h, struct cpu *, u16 port, u64 value); /* has been written */
    void *h;
};

struct cpu_config {
    struct mem_view *view;
    struct bus *io;
    struct clock *clk;
    struct log *log;
    struct irq_ack ack;
    struct irq_line ferr; /* the FERR# pin */
    u64 features; /* bit per enum feature */
    u64 seed;     /* of RDRAND and RDSEED */
    struct apic_port apic; /* .apic == NULL: there is none, and CPUID says so */
    u32 apic_id;           /* CPUID's */
    /* Told of each #UD by an undecodable instruction at CS:rIP or a missing row; may be
     * NULL. The board names and counts what is a known instruction elsewhere. */
    void (*undefined)(void *h, struct cpu *);
    void *undefined_h;
    translated_fn *translated; /* told of host code that is made; may be NULL */
    void *translated_h;
    struct engine_options engine;
    u32 tlb_capacity; /* entries of the architectural TLB; 0: TLB_CAPACITY. Part of what the machine is */
};

/* Machine check banks: as many as QEMU's processors have. Nothing here reports an error. */
#define MC_BANKS 10

/* MSRs that are kept (SDM 4). */
struct msrs {
    u64 efer, star, lstar, cstar, fmask, kernel_gs_base, tsc_aux, tsc_offset;
    u64 sysenter_cs, sysenter_esp, sysenter_eip, apic_base, pat, misc_enable, mtrr_def_type;
    u64 mtrr_fix[11], mtrr_phys[16];
    u64 syscfg, int_pending;
    u64 mcg_status, mcg_ctl;
    u64 perf_select[4], perf_count[4]; /* AMD's counters, which are kept but count nothing */
    u64 mc[MC_BANKS * 4]; /* CTL, STATUS, ADDR, MISC (APM 2 9.3). No reset reaches them: the last */
};

#define FAST_ENTRIES 16384
struct fast_entry {
    u64 tag;    /* linear page address, or FAST_INVALID(index) */
    u64 host;   /* where it begins on the host */
};
/* A page that has another index, so that nothing that is looked for at this one matches. */
#define FAST_INVALID(index) ((u64)(~(index) & (FAST_ENTRIES - 1)) << 12)
#define FAST_LISTED 4096
struct fast_set {
    struct fast_entry read[FAST_ENTRIES], write[FAST_ENTRIES];
    u32 nr_filled;           /* since the last flush; beyond FAST_LISTED no list is kept */
    u16 filled[FAST_LISTED]; /* index * 2, + 1 for write: so that a flush need not visit all */
};

/* SDM 3A 6.8.3: MOV SS holds back NMIs and debug traps, too. */
enum shadow { SHADOW_NONE, SHADOW_STI, SHADOW_MOV_SS };

/* Which fast set serves accesses: rights differ, so that a probe need not look at them. */
enum {
    FAST_SUPERVISOR,
    FAST_USER,
    FAST_NONE,       /* stays empty: alignment checks and observers take every access the slow way */
    FAST_SMAP_LIFTED, /* supervisor under SMAP with EFLAGS.AC */
    NR_FAST_SETS,
};

/* What halted is. MWAIT ends whenever a device may have done something, too. FERR: an x87 instruction
 * waits for the interrupt that its predecessor's exception brings (SDM 1, 8.7.2). */
enum { HALT_NONE, HALT_HLT, HALT_MWAIT, HALT_FERR, HALT_MAX = HALT_FERR };

/* What setjmp at cpu.unwind returns. */
enum { UNWIND_FAULT = 1, UNWIND_WAIT };

/* Where one access of translated code went last: linear addresses from start on, len of them for its first
 * byte, are at start + delta on the host. It caches the fast sets, and dies with them. */
struct access_slot {
    u64 start, len, delta; /* len 0: empty */
    i32 credit;            /* misses until it is looked at */
    u32 tries;             /* how often it was */
    u64 stamp;             /* ticks at the last look */
};
#define FILLED_SLOTS 4096

/* What translated code keeps here (jit/README.md). */
struct jit_state {
    u16 flags;       /* arithmetic flags as LAHF and SETO give them: OF in the low byte, the rest in the high */
    bool vec_live;   /* the XMM registers and MXCSR are in the host's */
    bool x87_native; /* the x87 registers are in the host's, and all exceptions are masked */
    u32 context;     /* what its blocks depend on beside RIP */
    u32 epoch;       /* cpu.fetch_epoch: compared together with context */
    u64 temp, target;
    u64 hit;         /* host address for code that goes on behind a probe */
    u64 slot[2];     /* operands that flags are made from again */
    u64 range[16];   /* host addresses of ranges that have been probed */
    u64 rf_icount;   /* when RF went: if nothing retires before translated code is left, it comes back */
    u64 checked;     /* debug: linear address of an access */
    u64 pause_ticks; /* what PAUSE is charged */
    u32 nr_filled;
    struct access_slot *filled[FILLED_SLOTS]; /* since the last flush of the fast sets */
    void *jump_cache, *jit;
};

struct cpu {
    /* hot */
    u64 gpr[NO_REG + 1]; /* the last one is always 0 */
    u64 rip;
    u64 next_rip; /* of the instruction that runs; branches overwrite it */
    i64 budget;   /* ticks left in the slice; the clock counts in it */
    u32 mode;
    u32 attention;
    struct jit_state jit;
    struct lazy_flags lf;
    u32 eflags; /* all bits when !lf.lazy; else without the arithmetic ones */
    bool leave; /* end the block after this instruction: a device was reached, code was written */
    u8 halted; /* HALT_NONE or why not */
    bool monitor_armed; /* since MONITOR nothing has happened that could have written its line */
    u8 shadow;       /* enum shadow: no interrupt before the next instruction is done */
    bool nmi_masked; /* between NMI and IRET */
    bool nmi_line;   /* the pin's level: its rising edge counts */
    bool rep_interrupted; /* the string instruction stopped between elements and did not retire */
    struct fast_set *fast; /* one of fast_sets; set by cpu_update_mode */
    struct seg seg[NR_SEGS];
    struct seg ldtr, tr;
    struct dtable gdtr, idtr;
    u64 cr0, cr2, cr3, cr4, cr8;
    u64 xcr0;
    u64 pdpte[4]; /* PAE: loaded with CR3 */
    u64 dr[8];
    u32 debug_pending; /* bits of DR6 that the next debug trap brings */
    struct msrs msr;
    u32 cpl; /* 3 in virtual-8086 mode */
    struct fpu fpu;
    bool fpu_live;    /* cpu/fpu.h: the x87 registers are in the host's */
    bool ferr, ignne; /* the pins: an x87 exception for the board; the board's word to ignore it */
    bool mxcsr_live; /* MXCSR is in the host's register (cpu/vec.h) */
    u32 host_mxcsr;  /* what was there */
    u64 features; /* as configured: what CPUID offers, and rows need */
    struct silicon silicon; /* what the host makes of what the manuals leave open; fixed from cpu_init on */
    u64 random;   /* the state of RDRAND's and RDSEED's generator; no reset touches it */

    /* the fault that is being raised or delivered */
    u8 exc_vector;
    bool exc_has_error;
    u32 exc_error;
    int delivering; /* vector being delivered, DELIVER_EXTERNAL, or DELIVER_NONE */
    int exc_during; /* what was being delivered when the fault was raised */

    struct fast_set fast_sets[NR_FAST_SETS];
    struct tlb *tlb;               /* architectural; owned */
    u32 fetch_epoch;               /* counts flushes: what engines cached of fetches is stale */
    u64 fetched[4];                /* bits, by a hash: linear pages that code was fetched from since the last */

    struct cpu_config cfg;
    struct cpu_observer *observer; /* NULL: none */
    struct cpu_debug *debug;       /* cpu/debug.h; NULL: nothing to look for */
    void *engine;                  /* the running engine's object */
    jmp_buf *unwind;               /* where cpu_raise goes; set by whoever runs instructions */
    struct event_record events[EVENT_RING];
    u64 nr_events;                 /* events[(nr_events - 1) % EVENT_RING] is the latest */
};

/* Allocates what the cpu owns and puts it into the reset state. -1: no memory. */
int cpu_init(struct cpu *, const struct cpu_config *);
void cpu_fini(struct cpu *);
void cpu_reset(struct cpu *); /* SDM 3A 10.1.1, table 10-1 */
extern const struct state_desc cpu_state; /* architectural state; call engine->sync first */
bool cpu_plausible(const struct cpu *, const char **why_not); /* a loaded state: can it be? */
void cpu_loaded(struct cpu *);            /* after a load: recompute what is derived */

/* Board side: the interrupt line (an irq_line.set), and a request to leave run(). */
void cpu_set_intr(void *cpu, unsigned pin, bool level);
void cpu_set_nmi(void *cpu, unsigned pin, bool level); /* edge-triggered */
void cpu_set_ignne(void *cpu, unsigned pin, bool level);
struct apic_cpu cpu_apic_side(struct cpu *); /* for the configuration of its local APIC */
void cpu_device_event(struct cpu *); /* a timer has fired: ends MWAIT */
void cpu_request_stop(struct cpu *);
bool cpu_can_wake(const struct cpu *); /* halted, and an interrupt would be taken */

/* Attaches the one observer, or NULL; it is not owned. Only between slices. */
void cpu_observe(struct cpu *, struct cpu_observer *);

/* Debugger side. */
u64 cpu_lin_rip(const struct cpu *);
u32 cpu_flags(const struct cpu *);    /* EFLAGS with lazy flags materialised */
void cpu_set_flags(struct cpu *, u32 eflags);
/* Translates without side effects. false: not mapped. */
bool cpu_peek_translate(struct cpu *, u64 lin, u64 *pa);

/* ---- inside cpu/, mmu/ and the engines ---- */

/* Raises a fault of the current instruction: does not return; nothing may have been committed. */
_Noreturn void cpu_raise(struct cpu *, enum vector, u32 error_code); /* vectors with a code */
_Noreturn void cpu_raise_no_code(struct cpu *, enum vector);
_Noreturn void cpu_raise_pf(struct cpu *, u64 lin, u32 error_code);
void cpu_note_pf(struct cpu *, u64 lin, u32 error_code); /* the same, for who delivers it himself */

/* Gives the current instruction up until an interrupt: does not return, and it will run again. */
_Noreturn void cpu_wait_at(struct cpu *, u8 halted);

void cpu_update_mode(struct cpu *);
void cpu_take_init(struct cpu *); /* SDM 3A table 10-1, column INIT */
static inline bool cpu_has_apic(const struct cpu *c) /* and it is switched on */
{
    return c->msr.apic_base & BIT(11);
}
u64 cpu_tsc(const void *cpu);
unsigned cpu_fast_set(const struct cpu *); /* by the present level and flags */
static inline bool cpu_offers(const struct cpu *c, enum feature f)
{
    return f == FEAT_NONE || (c->features >> f & 1);
}
static inline unsigned cpu_cpl(const struct cpu *c)
{
    return c->cpl;
}
static inline unsigned code_size(u32 mode)
{
    return 2u << (mode & MODE_CODE_MASK);
}
static inline bool mode_real(u32 mode) /* no descriptors: real or virtual-8086 */
{
    return (mode & (MODE_PE | MODE_VM)) != MODE_PE;
}

/* An engine runs a struct cpu. Interpreter, JIT and lock step are peers. */
struct engine {
    const char *name;
    void *(*create)(struct cpu *); /* by cpu->cfg.engine; NULL: no memory */
    /* Runs until cpu.budget is used up, exactly, or earlier with a reason. */
    enum stop_reason (*run)(void *);
    void (*sync)(void *);          /* canonical state: lazy flags */
    void (*code_changed)(void *, u64 backing_off, u64 len);
    void (*map_changed)(void *);   /* the memory view is not what it was */
    void (*destroy)(void *);
    void (*print_stats)(void *, FILE *); /* `info jit`, --stats; NULL: there are none */
};
extern const struct engine interp_engine;

#endif
