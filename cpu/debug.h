/*
 * Breakpoints, watchpoints and single steps that belong to the emulator's user, not to the guest:
 * the guest's DR0 to DR7 are not touched, and no byte of its memory is.
 *
 * A struct cpu_debug is attached while there is something to look for, and then:
 * - a breakpoint stops the engine before the instruction at its address is fetched;
 * - a watchpoint stops it after the instruction, or the element of a repeated one, that accessed
 *   its range; the pages that it touches take the slow path of the mmu;
 * - a step stops it when an instruction has retired or an event has been delivered.
 * Nothing of this changes what the guest computes, or when.
 */
#ifndef CPU_DEBUG_H
#define CPU_DEBUG_H

#include "core/types.h"

struct cpu;

enum debug_access { DEBUG_EXEC = 1, DEBUG_READ = 2, DEBUG_WRITE = 4 };

struct debug_point {
    u64 lin, len; /* linear; len of a breakpoint is 1 */
    u8 access;    /* DEBUG_EXEC alone, or DEBUG_READ and DEBUG_WRITE */
    u8 tag;       /* the debugger's own: what kind it asked for */
};

enum debug_why { DEBUG_NOTHING, DEBUG_BREAK, DEBUG_WATCH, DEBUG_STEP };

#define DEBUG_MAX_POINTS 128

struct cpu_debug {
    struct debug_point point[DEBUG_MAX_POINTS];
    unsigned nr_points;
    bool stepping;
    u64 step_icount, step_events; /* when the step began */
    u64 skip_lin, skip_icount;    /* the breakpoint at which the run goes on: not again before its
                                     instruction has retired */
    u64 skip_rsp;
    bool again; /* that instruction was interrupted before it ran: not again on the return to it */
    u64 again_lin, again_rsp;
    enum debug_why why; /* of the last stop */
    u8 hit_tag;         /* the point's */
    u64 hit_lin;        /* watchpoint: the first byte of its range that was accessed */
};

/* After any change of points or stepping; only between slices. NULL detaches. */
void cpu_debug_attach(struct cpu *, struct cpu_debug *);

/* ---- for the engine and the mmu; cpu->debug is not NULL ---- */

/* Whether the engine is to stop here, between two instructions. */
bool debug_stops(struct cpu *);
/* Whether the instructions in these bytes must run one by one. */
bool debug_wants_steps(const struct cpu *, u64 lin, u64 len);
bool debug_watches_page(const struct cpu *, u64 lin);
void debug_access(struct cpu *, u64 lin, unsigned size, bool write);

#endif
