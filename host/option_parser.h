/*
 * Inside the option parser: what a handler gets, and the rows of the table in option_table.c.
 */
#ifndef HOST_OPTION_PARSER_H
#define HOST_OPTION_PARSER_H

#include "host/options.h"

struct option_parser {
    struct options *o;
    const char *name; /* the option as the user wrote it, for messages */
    FILE *out, *err;
    bool done; /* the option was a question and has been answered: exit 0 */
};

enum option_group {
    GROUP_DISKS,
    GROUP_MACHINE,
    GROUP_BOOT,
    GROUP_DISPLAY,
    GROUP_CONSOLES,
    GROUP_SCRIPTS,
    GROUP_DEBUG,
    GROUP_TRACE, /* of the verb trace only */
    GROUP_BENCH, /* of the verb bench only */
    GROUP_ACCEPTED,
    GROUP_MISSING,
    NR_GROUPS
};

struct option_row {
    const char *names; /* without dashes; the first is the name, the rest are aliases */
    const char *arg;   /* what the help calls the argument; NULL: takes none */
    bool (*set)(struct option_parser *, const struct option_row *, const char *arg);
    enum option_group group;
    const char *help; /* of GROUP_ACCEPTED and GROUP_MISSING also what is said on use */
    size_t field;     /* of opt_string and opt_flag: offset into struct options */
};

extern const struct option_row option_table[];
extern const unsigned nr_option_rows;

/* Says "kiln: NAME: ..." and is false. */
bool option_fail(struct option_parser *, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
/* Says "kiln: NAME: ..." and is true: accepted, with a word of explanation. */
bool option_note(struct option_parser *, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* A copy that lives as long as the options. */
char *option_keep(struct option_parser *, const char *text);

/* The word of a list that is nearest to a misspelt one, or NULL when none is near. */
const char *option_nearest(const char *word, const char *const *words, unsigned nr);

void option_print_help(FILE *);
bool options_list_devices(FILE *);

/* One -device, its properties checked by name. */
struct device_props {
    const char *name; /* as it was written */
    const char *key[8], *value[8];
    unsigned nr;
};
/* NULL: not given. */
const char *device_prop(const struct device_props *, const char *key);
/* Leaves *n alone when it is not given; false, and said, when it is no number or out of range. */
bool device_number(struct option_parser *, const struct device_props *, const char *key, u64 min,
                   u64 max, u64 *n);

/* -device ide-hd, ide-cd: a place for a -drive of if=none. */
bool option_add_disk_device(struct option_parser *, const struct device_props *, bool cdrom);
/* Puts -drive and -device together after the last option. */
bool option_resolve_drives(struct option_parser *);

/* Handlers, by file. option_drives.c: */
bool opt_hd(struct option_parser *, const struct option_row *, const char *);
bool opt_cdrom(struct option_parser *, const struct option_row *, const char *);
bool opt_fd(struct option_parser *, const struct option_row *, const char *);
bool opt_drive(struct option_parser *, const struct option_row *, const char *);
bool opt_image(struct option_parser *, const char *file);
/* option_devices.c: */
bool opt_device(struct option_parser *, const struct option_row *, const char *);
/* option_machine.c: */
bool opt_memory(struct option_parser *, const struct option_row *, const char *);
bool opt_smp(struct option_parser *, const struct option_row *, const char *);
bool opt_seed(struct option_parser *, const struct option_row *, const char *);
bool opt_cpu(struct option_parser *, const struct option_row *, const char *);
bool opt_machine(struct option_parser *, const struct option_row *, const char *);
bool opt_vga(struct option_parser *, const struct option_row *, const char *);
bool opt_rtc(struct option_parser *, const struct option_row *, const char *);
bool opt_boot(struct option_parser *, const struct option_row *, const char *);
bool opt_break_device(struct option_parser *, const struct option_row *, const char *);
bool opt_global(struct option_parser *, const struct option_row *, const char *);
bool opt_net(struct option_parser *, const struct option_row *, const char *);
bool opt_string(struct option_parser *, const struct option_row *, const char *);
bool opt_flag(struct option_parser *, const struct option_row *, const char *);
bool opt_quiet(struct option_parser *, const struct option_row *, const char *);
bool opt_accepted(struct option_parser *, const struct option_row *, const char *);
bool opt_missing(struct option_parser *, const struct option_row *, const char *);
bool opt_help(struct option_parser *, const struct option_row *, const char *);
bool opt_version(struct option_parser *, const struct option_row *, const char *);
/* option_accel.c: */
bool opt_accel(struct option_parser *, const struct option_row *, const char *);
bool option_accel(struct option_parser *, const char *); /* also of -M accel= */
/* option_session.c: */
bool opt_serial(struct option_parser *, const struct option_row *, const char *);
bool opt_debugcon(struct option_parser *, const struct option_row *, const char *);
bool opt_display(struct option_parser *, const struct option_row *, const char *);
bool opt_curses(struct option_parser *, const struct option_row *, const char *);
bool opt_log(struct option_parser *, const struct option_row *, const char *);
bool opt_log_filter(struct option_parser *, const struct option_row *, const char *);
bool opt_trace_events(struct option_parser *, const struct option_row *, const char *);
bool opt_sym(struct option_parser *, const struct option_row *, const char *);
bool opt_choice(struct option_parser *, const struct option_row *, const char *);
bool opt_timeout(struct option_parser *, const struct option_row *, const char *);
bool opt_point(struct option_parser *, const struct option_row *, const char *);
bool opt_max_insns(struct option_parser *, const struct option_row *, const char *);
bool opt_until(struct option_parser *, const struct option_row *, const char *);
bool opt_keys(struct option_parser *, const struct option_row *, const char *);
bool opt_screenshot_at(struct option_parser *, const struct option_row *, const char *);
bool opt_trace_last(struct option_parser *, const struct option_row *, const char *);
bool opt_bench(struct option_parser *, const struct option_row *, const char *);
bool opt_trace_only(struct option_parser *, const struct option_row *, const char *);
/* option_channels.c: */
bool opt_gdb(struct option_parser *, const struct option_row *, const char *);
bool opt_gdb_arch(struct option_parser *, const struct option_row *, const char *);
/* Where a serial line ends: pty, tcp or unix; a client unless "server" is said. */
bool option_serial_channel(struct option_parser *, struct channel_options *, const char *);
bool opt_monitor(struct option_parser *, const struct option_row *, const char *);

#endif
