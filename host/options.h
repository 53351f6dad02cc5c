/*
 * The command line as data: what the user asked for, before any file is opened.
 *
 *     struct options o;
 *     switch (options_parse(&o, argc, argv, stdout, stderr)) { ... }
 *     options_free(&o);
 *
 * Options are QEMU's where QEMU has one; docs/kiln.1 lists them. Parsing touches no file and no
 * machine, so it is tested alone.
 */
#ifndef HOST_OPTIONS_H
#define HOST_OPTIONS_H

#include "core/log.h"
#include "core/types.h"
#include "machine/lockstep.h"
#include "machine/machine.h"
#include "machine/processor.h"
#include "machine/trace_options.h"
#include <stdio.h>

#define OPTIONS_SYMBOL_FILES 16
#define OPTIONS_UNTIL        8
#define OPTIONS_POINTS       256
#define OPTIONS_LOG_RANGES   16
#define BENCH_MAX_RUNS       99

enum verb { VERB_RUN, VERB_TRACE, VERB_REPLAY, VERB_BENCH, VERB_LOCKSTEP };

enum drive_bus { DRIVE_IDE, DRIVE_AHCI, DRIVE_FLOPPY, NR_DRIVE_BUSES };

/* One -hda, -cdrom, -fda or -drive. */
struct drive_options {
    char *file;    /* NULL: no drive here, or a CD-ROM drive without a medium */
    char *id;      /* NULL: none */
    enum drive_bus bus;
    int index;     /* on its bus; -1: next free */
    bool attached; /* false: if=none, waits for a -device ide-hd,drive=ID */
    bool cdrom;
    bool readonly, snapshot;
};

/* -device ide-hd or ide-cd, before all options are known. */
struct disk_device {
    const char *name, *drive, *bus; /* as written; drive and bus may be NULL */
    int unit;                       /* -1: not said */
    bool cdrom;
};

enum channel_kind { CHANNEL_NONE, CHANNEL_STDIO, CHANNEL_TCP, CHANNEL_UNIX, CHANNEL_PTY };

/* Where gdb, a monitor's user, a QMP client or a serial line's other end comes in. */
struct channel_options {
    enum channel_kind kind;
    char *path; /* of CHANNEL_UNIX */
    char *host; /* of CHANNEL_TCP; NULL: this machine only */
    u16 port;   /* 0: any, which is said on stderr */
    bool calls; /* we call, rather than listen */
    bool wait;  /* the guest starts when somebody is there */
};

enum char_kind { CHAR_UNSET, CHAR_NONE, CHAR_STDIO, CHAR_FILE, CHAR_CHANNEL };

/* Where a serial port or a debug console goes. */
struct char_options {
    enum char_kind kind;
    char *path;
    bool escape; /* mon:stdio: Ctrl-A commands; Ctrl-C goes to the guest */
    struct channel_options channel; /* of CHAR_CHANNEL */
};

enum gdb_arch { GDB_X86_64, GDB_I386, GDB_I8086 };

#define OPTIONS_MONITORS 4

enum display_kind {
    DISPLAY_UNSET, /* the verb's: DISPLAY_DEFAULT for run, none for trace */
    DISPLAY_NONE,
    DISPLAY_SDL,
    DISPLAY_CURSES,
    DISPLAY_DEFAULT, /* a window, or else the terminal; where there is neither an error */
    DISPLAY_AUTO,    /* the same, but where there is neither COM1 is standard input and output */
};

enum until_kind { UNTIL_SERIAL, UNTIL_SCREEN };

struct until_options {
    enum until_kind kind;
    char *text;
};

/* Of kiln bench. */
struct bench_options {
    u32 runs;
    double ms;          /* of the host, for each kernel */
    char *kernels;      /* names and groups, comma-separated; NULL: all */
    const char *engine; /* NULL: both */
    bool check;         /* compare only */
    char *html;         /* page with charts; NULL: none */
};

/* A point of virtual time at which the machine is saved, or its hash is said. */
struct point_options {
    u64 icount, ticks; /* so many instructions, and ticks behind them */
    char *file;        /* where it is saved; NULL: its hash is said */
};

enum rtc_base { RTC_DEFAULT, RTC_UTC, RTC_LOCAL, RTC_FIXED };
enum three_way { AUTO, ON, OFF };

struct options {
    enum verb verb;
    char *command; /* the command line, for reports */

    u64 ram_bytes;                             /* 0: the machine's default */
    char *cpu;                                 /* -cpu as written; NULL: the default */
    const char *engine;                        /* -accel */
    char *accel;                               /* the same as written; NULL: not at all */
    struct lockstep_options lockstep;
    struct engine_options engine_options;
    u32 tlb_capacity;
    struct processor processor;                /* what it means */
    u64 seed;
    struct drive_options drive[MAX_DISKS]; /* by enum disk_place, once parsing is over */
    bool snapshot;
    bool ahci;
    bool pc_testdev, pci_testdev, no_hpet;
    char *ahci_id; /* what its bus is called; NULL: no name */
    char boot_order[4];
    char *kernel, *initrd, *append;
    char *bios, *vgabios, *data_dir;
    enum rtc_base rtc;
    u64 rtc_seconds; /* of RTC_FIXED */
    bool exit_device;
    u16 exit_port, exit_size;
    char *break_device;
    char *nvram; /* file of battery-backed memory; NULL: none */
    const u8 *nvram_cells; /* of a replay: what it was; NULL: none */

    struct char_options serial[2], debugcon;
    unsigned nr_serial;
    u16 debugcon_port; /* 0: the machine's default */

    struct channel_options gdb, monitor[OPTIONS_MONITORS], qmp[OPTIONS_MONITORS];
    unsigned nr_monitors, nr_qmp;
    enum gdb_arch gdb_arch;
    bool gdb_linear_pc;
    bool start_stopped; /* -S */

    enum display_kind display;
    bool nographic;
    char *name;

    char *log_path; /* -D */
    u32 log_mask;
    struct log_range log_range[OPTIONS_LOG_RANGES]; /* -dfilter */
    u32 nr_log_ranges;
    char *trace_events; /* comma-separated patterns */
    char *symbol_files[OPTIONS_SYMBOL_FILES];
    u32 nr_symbol_files;
    struct trace_options trace;
    struct bench_options bench;

    bool no_reboot, no_shutdown, reset_on_triple_fault, exit_on_halt;
    enum three_way exit_at_end; /* --on-end; AUTO: a window stays unless the run is limited */
    enum three_way real_time;
    double timeout_s; /* 0: none */
    u64 max_insns;    /* UINT64_MAX: none */
    struct until_options until[OPTIONS_UNTIL];
    unsigned nr_until;
    i32 until_port; /* -1: none */
    struct point_options point[OPTIONS_POINTS];
    unsigned nr_points;
    char *loadvm; /* saved machine to go on from; NULL: power-on */

    char *record; /* where the input log goes; NULL: nowhere */
    char *replay; /* of VERB_REPLAY: the log; of VERB_LOCKSTEP: the reproducer's folder */
    bool partial; /* a log without its end will do */

    char *keys;
    char *screenshot;
    double screenshot_at_s; /* virtual; negative: at the end */
    bool stats, state_hash;

    struct drive_options loose[MAX_DISKS]; /* -drive in the order given; parser's own */
    unsigned nr_loose;
    struct disk_device disk_device[MAX_DISKS]; /* parser's own */
    unsigned nr_disk_devices;
    char **owned; /* every string above */
    size_t nr_owned;
};

enum options_result {
    OPTIONS_GO,
    OPTIONS_DONE, /* --help, -version, -device ?: the text is on out; exit 0 */
    OPTIONS_BAD,  /* the message is on err; exit 1 */
};

enum options_result options_parse(struct options *, int argc, char **argv, FILE *out, FILE *err);
void options_free(struct options *);

/* The windowless run for a machine without a display: as -nographic would have set it. */
void options_use_terminal(struct options *);

/* Whether kiln bench has something to boot, rather than its own guest. */
bool options_bench_disk(const struct options *);

/* What would be written to stdout, such as "-serial stdio"; NULL: nothing. */
const char *options_stdout_user(const struct options *);

#endif
