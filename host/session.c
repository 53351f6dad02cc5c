/*
 * From options to a machine: opens what they name, in an order in which a failure leaves nothing
 * half done, and hands the backends to the machine.
 */
#include "host/session.h"
#include "host/channel.h"
#include "host/console.h"
#include "host/curses_display.h"
#include "host/data_files.h"
#include "host/disk.h"
#include "host/key_script.h"
#include "host/nvram.h"
#include "host/sdl_display.h"
#include "host/tape.h"
#include "host/terminal.h"
#include "host/twin.h"
#include "machine/snapshot.h"
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

static int open_display(struct session *s)
{
    struct options *o = s->o;
    enum display_kind want = o->display;
    char err[MACHINE_ERR_LEN], why_not[MACHINE_ERR_LEN];
    if (want == DISPLAY_NONE)
        return 0;
    if (want != DISPLAY_CURSES)
        s->display = sdl_display_open("Kiln", err);
    if (want == DISPLAY_CURSES ||
        (!s->display && want != DISPLAY_SDL && !options_stdout_user(o))) {
        s->terminal_port = NO_PORT;
        s->display = curses_display_open(&s->terminal, want == DISPLAY_CURSES ? err : why_not);
    }
    if (s->display)
        return 0;
    if (want != DISPLAY_AUTO) {
        fprintf(stderr, "kiln: %s\n", err);
        return -1;
    }
    o->display = DISPLAY_NONE;
    options_use_terminal(o);
    fprintf(stderr, "kiln: no display, so COM1 is this terminal; Ctrl-A x quits, Ctrl-A h helps\n");
    return 0;
}

static int open_disks(struct session *s, struct machine_config *cfg)
{
    char err[DISK_ERR_LEN];
    for (unsigned i = 0; i < MAX_DISKS; i++) {
        const struct drive_options *d = &s->o->drive[i];
        if (d->cdrom)
            cfg->cdroms |= (u16)(1u << i);
        if (!d->file)
            continue;
        struct disk_request r = {.path = d->file,
                                 .readonly = d->readonly,
                                 .snapshot = d->snapshot,
                                 .boots = (i == DISK_IDE || i == DISK_FLOPPY) && !d->cdrom && !s->o->kernel,
                                 .kind = d->cdrom                  ? DISK_CD
                                         : d->bus == DRIVE_FLOPPY ? DISK_DISKETTE
                                                                  : DISK_HARD};
        s->disk[i] = disk_open(&r, stderr, err);
        if (!s->disk[i]) {
            fprintf(stderr, "kiln: %s\n", err);
            return -1;
        }
        cfg->disk[i] = disk_blockdev(s->disk[i]);
    }
    cfg->ahci = s->o->ahci;
    cfg->pc_testdev = s->o->pc_testdev;
    cfg->pci_testdev = s->o->pci_testdev;
    cfg->no_hpet = s->o->no_hpet;
    cfg->boot_order = *s->o->boot_order ? s->o->boot_order : NULL;
    const char *name = s->o->name ? s->o->name : s->o->kernel;
    for (unsigned i = 0; i < MAX_DISKS && !name; i++)
        name = s->o->drive[i].file;
    if (name && !s->o->name && strrchr(name, '/'))
        name = strrchr(name, '/') + 1;
    s->image_name = name ? name : "no disk";
    return 0;
}

static int open_console(struct session *s, unsigned which, const struct char_options *c)
{
    static const char *const names[NR_CONSOLES] = {"COM1", "COM2", "debug console"};
    int fd = -1;
    if (c->kind == CHAR_STDIO)
        fd = STDOUT_FILENO;
    if (c->kind == CHAR_FILE) {
        fd = open(c->path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
        if (fd < 0) {
            fprintf(stderr, "kiln: %s: cannot write %s: %s\n", names[which], c->path,
                    strerror(errno));
            return -1;
        }
    }
    if (c->kind == CHAR_CHANNEL) {
        static const char *const labels[] = {"serial0", "serial1"}; /* QEMU's */
        char err[CHANNEL_ERR_LEN];
        struct channel *ch = channel_open(&c->channel, labels[which], err);
        if (!ch) {
            fprintf(stderr, "kiln: -serial: %s\n", err);
            return -1;
        }
        s->console[which] = console_open_channel(ch, names[which]);
        return 0;
    }
    s->console[which] = console_open(fd, names[which]);
    if (c->kind == CHAR_STDIO && which != CONSOLE_DEBUG && s->o->verb != VERB_REPLAY) {
        s->terminal = terminal_open(c->escape);
        s->terminal_port = which;
    }
    return 0;
}

static int open_consoles(struct session *s, struct machine_config *cfg)
{
    for (unsigned i = 0; i < 2; i++) {
        if (open_console(s, i, &s->o->serial[i]) < 0)
            return -1;
        cfg->serial[i] = console_chardev(s->console[i]);
    }
    if (s->o->debugcon.kind != CHAR_UNSET) {
        if (open_console(s, CONSOLE_DEBUG, &s->o->debugcon) < 0)
            return -1;
        cfg->debugcon = console_chardev(s->console[CONSOLE_DEBUG]);
    }
    if (s->o->debugcon_port)
        cfg->debugcon_port = s->o->debugcon_port;
    return 0;
}

static int check_readable(const char *what, const char *path)
{
    if (!path || access(path, R_OK) == 0)
        return 0;
    fprintf(stderr, "kiln: %s %s: %s\n", what, path, strerror(errno));
    return -1;
}

static int find_firmware(struct session *s, struct machine_config *cfg)
{
    char err[MACHINE_ERR_LEN];
    const struct options *o = s->o;
    /* kvm-unit-tests' runner looks for QEMU's words about a kernel that is not there. */
    if (check_readable("-bios", o->bios) < 0 ||
        check_readable("could not load kernel", o->kernel) < 0)
        return -1;
    for (u32 i = 0; i < o->nr_symbol_files; i++)
        if (check_readable("--sym", o->symbol_files[i]) < 0)
            return -1;
    s->bios =
        o->bios ? strdup(o->bios) : data_file_find("spark.bin", o->data_dir, err, sizeof(err));
    if (!s->bios) {
        fprintf(stderr, "kiln: the BIOS %s; build it with make, or name one with -bios FILE\n",
                err);
        return -1;
    }
    cfg->bios_path = s->bios;
    if (o->kernel) {
        s->kernel_rom = data_file_find("multiboot.bin", o->data_dir, err, sizeof(err));
        if (!s->kernel_rom) {
            fprintf(stderr, "kiln: -kernel needs an option ROM: %s; build it with make\n", err);
            return -1;
        }
        cfg->kernel_rom_path = s->kernel_rom;
    }
    if (o->vgabios && !strcmp(o->vgabios, "none"))
        return 0;
    if (check_readable("--vgabios", o->vgabios) < 0)
        return -1;
    s->vgabios = o->vgabios ? strdup(o->vgabios)
                            : data_file_find("vgabios.bin", o->data_dir, err, sizeof(err));
    if (!s->vgabios) {
        fprintf(stderr,
                "kiln: the display card's %s; build it with make, or name one with "
                "--vgabios FILE, or none\n",
                err);
        return -1;
    }
    cfg->vgabios_path = s->vgabios;
    return 0;
}

static int open_log(struct session *s, struct machine_config *cfg)
{
    cfg->log_file = stderr;
    if (!s->o->log_path)
        return 0;
    s->log_file = fopen(s->o->log_path, "w");
    if (!s->log_file) {
        fprintf(stderr, "kiln: -D %s: cannot write: %s\n", s->o->log_path, strerror(errno));
        return -1;
    }
    cfg->log_file = s->log_file;
    return 0;
}

/* Without -rtc, a window starts at the host's date; other runs keep the machine's fixed one, so
 * that they repeat exactly. */
static void set_date(const struct session *s, struct machine_config *cfg)
{
    const struct options *o = s->o;
    time_t now = time(NULL);
    struct tm tm;
    if (o->rtc == RTC_FIXED)
        cfg->rtc_seconds = o->rtc_seconds;
    else if (o->rtc == RTC_LOCAL && localtime_r(&now, &tm))
        cfg->rtc_seconds = (u64)(now + tm.tm_gmtoff);
    else if (o->rtc == RTC_UTC || s->display)
        cfg->rtc_seconds = (u64)now;
}

static int open_nvram(struct session *s, struct machine_config *cfg)
{
    char err[NVRAM_ERR_LEN];
    cfg->nvram = s->o->nvram_cells;
    if (!s->o->nvram)
        return 0;
    if (nvram_load(s->o->nvram, s->nvram, err) < 0) {
        fprintf(stderr, "kiln: %s\n", err);
        return -1;
    }
    cfg->nvram = s->nvram;
    return 0;
}

static void save_nvram(struct session *s)
{
    u8 cells[NVRAM_BYTES];
    char err[NVRAM_ERR_LEN];
    if (!s->o->nvram)
        return;
    machine_nvram(s->m, cells);
    if (nvram_save(s->o->nvram, cells, err) < 0)
        fprintf(stderr, "kiln: %s\n", err);
}

int session_open(struct session *s, struct options *o)
{
    char err[MACHINE_ERR_LEN], why[KEY_SCRIPT_ERR_LEN];
    struct machine_config cfg = {0};
    *s = (struct session){.o = o};
    machine_config_defaults(&cfg);
    if (open_disks(s, &cfg) < 0 || find_firmware(s, &cfg) < 0 || open_log(s, &cfg) < 0 ||
        open_nvram(s, &cfg) < 0 || open_display(s) < 0 || open_consoles(s, &cfg) < 0)
        return -1;
    set_date(s, &cfg);
    if (o->ram_bytes)
        cfg.ram_bytes = o->ram_bytes;
    cfg.processor = o->processor;
    cfg.seed = o->seed;
    cfg.engine = o->engine;
    cfg.engine_options = o->engine_options;
    cfg.tlb_capacity = o->tlb_capacity;
    if (o->lockstep.on)
        lockstep_config(&cfg, &o->lockstep);
    cfg.exit_device = o->exit_device;
    if (o->exit_device) {
        cfg.exit_port = o->exit_port;
        cfg.exit_size = o->exit_size;
    }
    cfg.kernel = o->kernel;
    cfg.append = o->append;
    cfg.initrd = o->initrd;
    cfg.reset_on_triple_fault = o->reset_on_triple_fault;
    cfg.break_device = o->break_device;
    cfg.log_mask = o->log_mask;
    cfg.log_range = o->log_range;
    cfg.nr_log_ranges = o->nr_log_ranges;
    cfg.trace_events = o->trace_events;
    cfg.symbol_files = (const char *const *)o->symbol_files;
    cfg.nr_symbol_files = o->nr_symbol_files;
    cfg.insn_trace = o->verb == VERB_TRACE ? &o->trace : NULL;
    s->keys = o->keys ? key_script_parse(o->keys, why) : NULL;
    s->m = machine_create(&cfg, err);
    if (!s->m) {
        fprintf(stderr, "kiln: %s\n", err);
        return -1;
    }
    if (o->loadvm && o->record)
        snprintf(err, sizeof(err), "a recording begins at power-on; leave out --record");
    if (o->loadvm && (o->record || snapshot_load(s->m, o->loadvm, err))) {
        terminal_close(s->terminal);
        s->terminal = NULL;
        fprintf(stderr, "kiln: -loadvm: %s\n", err);
        return -1;
    }
    control_init(&s->control, s);
    return 0;
}

void session_close(struct session *s)
{
    control_close(&s->control);
    tape_close(s->tape);
    twin_close(s->twin);
    if (s->m) {
        save_nvram(s);
        machine_destroy(s->m);
    }
    for (unsigned i = 0; i < NR_CONSOLES; i++)
        console_close(s->console[i]);
    display_close(s->display);
    terminal_close(s->terminal);
    for (unsigned i = 0; i < MAX_DISKS; i++)
        disk_close(s->disk[i]);
    key_script_free(s->keys);
    if (s->log_file)
        fclose(s->log_file);
    free(s->bios);
    free(s->vgabios);
    free(s->kernel_rom);
}
