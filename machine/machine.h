/*
 * A whole PC, as host/ sees it: create it from a configuration, run it in slices, feed it input
 * through the log, look at its screen, ask why it stopped.
 *
 *     struct machine *m = machine_create(&cfg, err);
 *     while ((reason = machine_run(m, &limit)) == MACHINE_SLICE_DONE)
 *         poll the host, input_push(machine_input(m), ...);
 */
#ifndef MACHINE_MACHINE_H
#define MACHINE_MACHINE_H

#include "core/backend.h"
#include "cpu/engine_options.h"
#include "core/input.h"
#include "core/log.h"
#include "core/text_screen.h"
#include "core/trace.h"
#include "core/types.h"
#include "machine/processor.h"

/* Places of drives: four on IDE (primary master, primary slave, secondary ...), then AHCI ports,
 * then floppy drives A and B. */
enum disk_place { DISK_IDE = 0, DISK_AHCI = 4, DISK_FLOPPY = 10, MAX_DISKS = 12 };
#define MACHINE_ERR_LEN 512
#define NVRAM_BYTES 256

struct machine;
struct cpu;
struct trace_options;

/* Zeroed memory plus machine_config_defaults() is a valid configuration. Strings and backends
 * are not owned and must outlive the machine. */
struct machine_config {
    u64 ram_bytes;          /* multiple of 1 MiB, 1 MiB to 64 GiB */
    const char *bios_path;  /* NULL: Spark, found beside the program */
    const char *vgabios_path;
    struct processor processor; /* -cpu */
    u64 seed;                   /* of RDRAND and RDSEED */
    const char *engine;     /* "interp" or "jit" */
    struct engine_options engine_options;
    u32 tlb_capacity;       /* of the architectural TLB; 0: the usual */
    struct blockdev *disk[MAX_DISKS]; /* by enum disk_place; NULL: none there */
    u16 cdroms;             /* bits: CD-ROM drives, whose media, if any, are disk[] */
    bool ahci;              /* the controller is there */
    bool pc_testdev, pci_testdev; /* devices that test suites want */
    bool no_hpet;
    const char *boot_order; /* letters of "acd", for firmware; NULL: "cad" */
    struct chardev *serial[2];        /* COM1, COM2; NULL: the port is there, its bytes go nowhere */
    struct chardev *debugcon;         /* NULL: none */
    u16 debugcon_port;                /* E9h */
    bool exit_device;                 /* isa-debug-exit */
    u16 exit_port, exit_size;         /* F4h, 4 */
    const char *kernel, *append, *initrd; /* multiboot 1; NULL: boot from disk */
    const char *kernel_rom_path; /* multiboot.bin, with kernel */
    u64 rtc_seconds;        /* since 1970, what the RTC starts at */
    const u8 *nvram;        /* NVRAM_BYTES of battery-backed memory, which the caller keeps for the
                               next run; NULL: as new, and gone with the machine */
    bool reset_on_triple_fault;
    bool silent;            /* another machine speaks for this one: a triple fault is not reported */
    const char *break_device; /* "ram", "pic", "pit", "rtc", "kbd", "ide", or NULL */
    FILE *log_file;         /* stderr */
    u32 log_mask;           /* -d */
    const struct log_range *log_range; /* -dfilter */
    u32 nr_log_ranges;
    const char *trace_events; /* comma-separated patterns, or NULL */
    u64 tick_num, tick_den; /* ns per tick; 1, 1 */
    const char *const *symbol_files; /* ELF files of --sym */
    u32 nr_symbol_files;
    const struct trace_options *insn_trace; /* machine/trace_options.h; NULL: none */
};

void machine_config_defaults(struct machine_config *);

/* NULL, with what, why and what to try in err, when it cannot be built. */
struct machine *machine_create(const struct machine_config *, char err[MACHINE_ERR_LEN]);
void machine_destroy(struct machine *);

enum machine_stop {
    MACHINE_SLICE_DONE,   /* a limit was reached, nothing special */
    MACHINE_IDLE,         /* halted until idle_until_ns and limit.wait_in_hlt was set */
    MACHINE_POWER_OFF,
    MACHINE_RESET,        /* the guest reset the board, which has been done; the caller may go on */
    MACHINE_EXIT,         /* isa-debug-exit: exit_code */
    MACHINE_TRIPLE_FAULT, /* the report has been written */
    MACHINE_HALTED,       /* HLT with IF clear: for good */
    MACHINE_BREAK,        /* an until condition of the caller's (port) was met */
    MACHINE_DEBUG,        /* a breakpoint, watchpoint or step: machine/debug.h */
    MACHINE_DIVERGED,     /* by machine/lockstep.h; the report has been written: status 72 */
    MACHINE_ERROR,        /* internal fault: status 72 */
};

struct machine_limit {
    u64 max_ticks;    /* run at most until this absolute tick; UINT64_MAX: none */
    u64 max_icount;   /* and at most until this many instructions are retired */
    bool wait_in_hlt; /* return MACHINE_IDLE rather than skip time in HLT */
    i32 until_port;   /* stop when this port is accessed; -1: none */
};

/* A new engine in place of the present one, which had its caches from another past. false: the host
 * has no memory for it, and the old one stays. */
bool machine_renew_engine(struct machine *);

/* Runs until a limit, a timer-bounded idle, or an event above. Never blocks on the host. With
 * engine_options.stop_at_blocks also MACHINE_SLICE_DONE behind each block. */
enum machine_stop machine_run(struct machine *, const struct machine_limit *);

/* The battery-backed memory as it is now, to be given to a later machine. */
void machine_nvram(const struct machine *, u8 cells[NVRAM_BYTES]);

/* By the user: an event of the input log like a key. false: refused, this is a replay. */
bool machine_reset(struct machine *);
bool machine_nmi(struct machine *); /* the same */
int machine_exit_code(const struct machine *);      /* after MACHINE_EXIT */
u64 machine_now_ns(const struct machine *);
u64 machine_ticks(const struct machine *);
u64 machine_icount(const struct machine *);
u64 machine_idle_until_ns(const struct machine *);  /* after MACHINE_IDLE; UINT64_MAX: no timer */
u64 machine_state_hash(struct machine *);
const struct machine_config *machine_config_of(const struct machine *); /* what it was made from */
u64 machine_cpu_hash(struct machine *); /* time and the processor's registers alone: cheap */
const char *machine_engine_name(const struct machine *);
struct input_log *machine_input(struct machine *);
struct log *machine_log(struct machine *);
struct cpu *machine_cpu(struct machine *);          /* for the debugger and the tracer */

/* Whether COM1/COM2 can take a byte now; the caller keeps what it cannot. */
bool machine_serial_ready(const struct machine *, unsigned port);
/* Whether the keyboard's buffer is empty and the controller accepts keys: for --keys pacing. */
bool machine_keyboard_ready(const struct machine *);

/* The run is over: writes what the trace has kept. false: it cannot be, which has been said. */
bool machine_end_trace(struct machine *);

/* The screen. Pulled by displays, never pushed; reading it changes nothing in the machine. */
#define SCREEN_MAX_W 1920
#define SCREEN_MAX_H 1200
struct screen {
    u32 *px; /* SCREEN_MAX_W * SCREEN_MAX_H, XRGB8888, owned by the caller; stride is w */
    unsigned w, h;
    unsigned aspect_w, aspect_h; /* of the picture on a monitor, such as 4:3 */
};
void machine_render(struct machine *, struct screen *);

/* The text screen as UTF-8 lines joined by '\n', trailing blanks cut; "" in graphics modes.
 * Returns the length; writes at most cap bytes including the final 0. */
size_t machine_screen_text(struct machine *, char *out, size_t cap);

/* The same as cells with attributes, for displays that are made of text. */
void machine_text_screen(struct machine *, struct text_screen *);

/* Guest physical memory, for loaders and debuggers. Returns how many bytes were memory. */
u64 machine_read_phys(struct machine *, u64 pa, void *dst, u64 len);

/* --stats: names and numbers, ours on the given file. host_seconds is the caller's measure; 0: none, as
 * in a monitor, whose user has stopped the guest for a while. */
void machine_print_stats(struct machine *, FILE *, double host_seconds);

/* "info jit": the engine's own numbers. false: it has none. */
bool machine_print_engine_stats(struct machine *, FILE *);

#endif
