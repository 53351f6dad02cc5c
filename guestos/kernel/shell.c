/*
 * The kernel's own prompt, until there are processes. One row per command; help prints the rows.
 */
#include "guestos/kernel/shell.h"
#include "guestos/drivers/ide.h"
#include "guestos/drivers/pci.h"
#include "guestos/drivers/power.h"
#include "guestos/kernel/clock.h"
#include "guestos/kernel/console.h"
#include "guestos/kernel/string.h"
#include "guestos/mm/frames.h"
#include "guestos/mm/layout.h"
#include "guestos/mm/paging.h"

#define MAX_WORDS 4

struct command {
    const char *name, *arguments, *help;
    u32 min_arguments, max_arguments;
    void (*run)(u32 nr_words, char **word);
};

static const struct boot_info *boot;

static void run_help(u32 nr_words, char **word);

static void run_mem(u32 nr_words, char **word)
{
    (void)nr_words, (void)word;
    memory_describe(boot);
}

static void run_boot(u32 nr_words, char **word)
{
    (void)nr_words, (void)word;
    boot_describe(boot);
}

static void run_pci(u32 nr_words, char **word)
{
    (void)nr_words, (void)word;
    pci_list();
}

static void dump(const u8 *data, u32 len_bytes)
{
    for (u32 at = 0; at < len_bytes; at += 16) {
        print("%03x ", at);
        for (u32 i = 0; i < 16; i++) {
            print("%s%02x", i == 8 ? "  " : " ", data[at + i]);
        }
        print("  ");
        for (u32 i = 0; i < 16; i++) {
            u8 c = data[at + i];
            console_put(c >= ' ' && c < 0x7F ? (char)c : '.');
        }
        print("\n");
    }
}

static void run_sector(u32 nr_words, char **word)
{
    u8 data[IDE_SECTOR_BYTES];
    u64 lba, number = 0;

    if (!string_to_u64(word[1], &lba) || (nr_words > 2 && !string_to_u64(word[2], &number))) {
        print("sector wants numbers: decimal, or hexadecimal with 0x\n");
        return;
    }
    const struct ide_disk *disk = number < IDE_MAX_DISKS ? ide_disk((u32)number) : NULL;
    if (!disk) {
        print("there is no disk %lu\n", number);
    } else if (ide_read(disk, lba, data)) {
        dump(data, sizeof data);
    }
}

static void run_uptime(u32 nr_words, char **word)
{
    u64 ms = uptime_ms();

    (void)nr_words, (void)word;
    print("up %lu:%02lu:%02lu.%02lu\n", ms / 3600000, ms / 60000 % 60, ms / 1000 % 60,
          ms / 10 % 100);
}

static void run_fault(u32 nr_words, char **word)
{
    if (nr_words < 2) {
        shell_fault_help();
    } else {
        shell_fault(word[1]);
    }
}

static void run_reboot(u32 nr_words, char **word)
{
    (void)nr_words, (void)word;
    print("restarting\n");
    power_reset();
}

static void run_poweroff(u32 nr_words, char **word)
{
    (void)nr_words, (void)word;
    print("power off\n");
    power_off();
}

static const struct command commands[] = {
    {"help", "", "this list", 0, 0, run_help},
    {"boot", "", "loader, command line, modules", 0, 0, run_boot},
    {"mem", "", "memory map and free memory", 0, 0, run_mem},
    {"pci", "", "PCI functions, their addresses and interrupts", 0, 0, run_pci},
    {"sector", "N [DISK]", "hex dump of a disk sector", 1, 2, run_sector},
    {"uptime", "", "time since the clock was started", 0, 0, run_uptime},
    {"fault", "[KIND]", "provoke an exception; without KIND: list the kinds", 0, 1, run_fault},
    {"reboot", "", "reset the machine", 0, 0, run_reboot},
    {"poweroff", "", "turn the machine off", 0, 0, run_poweroff},
};

static void run_help(u32 nr_words, char **word)
{
    (void)nr_words, (void)word;
    for (u32 i = 0; i < ARRAY_LEN(commands); i++) {
        print("  %-9s %-9s %s\n", commands[i].name, commands[i].arguments, commands[i].help);
    }
}

void boot_describe(const struct boot_info *b)
{
    print("Loaded by %s", b->loader[0] ? b->loader : "an unnamed loader");
    print(b->cmdline[0] ? ", command line: %s\n" : "%s\n", b->cmdline);
    for (u32 i = 0; i < b->nr_modules; i++) {
        const struct boot_module *m = &b->module[i];
        print("Module %u: %012lx, %lu bytes, %s\n", i, m->base, m->bytes,
              m->name[0] ? m->name : "unnamed");
    }
}

void memory_describe(const struct boot_info *b)
{
    print("Memory map:\n");
    for (u32 i = 0; i < b->nr_ranges; i++) {
        const struct boot_range *r = &b->range[i];
        print("  %012lx - %012lx  %10lu KiB  %s\n", r->base, r->base + r->bytes - 1, r->bytes >> 10,
              boot_range_name(r->type));
    }
    print("Frames: %lu of %lu free (%lu MiB); page tables take %lu; NX %s\n", frames_free(),
          frames_total(), frames_free() * PAGE_BYTES >> 20, paging_frames(),
          paging_has_nx() ? "on" : "not there");
}

/* Splits the line in place; returns how many words there are, which may be more than stored. */
static u32 split(char *line, char *word[MAX_WORDS])
{
    u32 n = 0;

    for (char *p = line; *p;) {
        if (*p == ' ') {
            *p++ = 0;
            continue;
        }
        if (n < MAX_WORDS) {
            word[n] = p;
        }
        n++;
        while (*p && *p != ' ') {
            p++;
        }
    }
    return n;
}

static void run(char *line)
{
    char *word[MAX_WORDS];
    u32 nr_words = split(line, word);

    if (nr_words == 0) {
        return;
    }
    for (u32 i = 0; i < ARRAY_LEN(commands); i++) {
        const struct command *c = &commands[i];
        if (strcmp(word[0], c->name) != 0) {
            continue;
        }
        if (nr_words - 1 < c->min_arguments || nr_words - 1 > c->max_arguments) {
            print("usage: %s %s\n", c->name, c->arguments);
        } else {
            c->run(nr_words, word);
        }
        return;
    }
    print("unknown command: %s (try help)\n", word[0]);
}

void shell_run(const struct boot_info *b)
{
    char line[80];

    boot = b;
    for (;;) {
        shell_read_line("ember> ", line, sizeof line);
        run(line);
    }
}
