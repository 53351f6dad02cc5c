/*
 * /boot/ember.cfg: what the menu offers. A line is a word and its value; # begins a comment line.
 *
 *     timeout 3                            seconds until the default starts; 0: no menu; never
 *     default 1                            which entry that is, from 1
 *     title Ember                          begins an entry
 *     kernel /boot/ember quiet             a multiboot-1 kernel and its command line
 *     module /boot/data text for kernel    any number up to MAX_MODULES
 */
#ifndef GUESTOS_BOOT_CONFIG_H
#define GUESTOS_BOOT_CONFIG_H

#include <stdint.h>

#define CONFIG_MAX_BYTES 16384u
#define MAX_ENTRIES      16u
#define MAX_MODULES      8u
#define MAX_TITLE        72u
#define MAX_LINE         256u /* path and command line, the zero at the end included */
#define TIMEOUT_NEVER    0xFFFFFFFFu
#define DEFAULT_TIMEOUT  3u

struct config_entry {
    char title[MAX_TITLE];
    char kernel[MAX_LINE];
    char module[MAX_MODULES][MAX_LINE];
    uint32_t nr_modules;
};

struct config {
    struct config_entry entry[MAX_ENTRIES];
    uint32_t nr_entries;       /* at least 1 after config_parse() and config_fallback() */
    uint32_t timeout_s, first; /* first: the default, from 0 */
    char problem[160];         /* the first line that was not understood; empty: none */
};

/* One entry, for disks without a configuration. */
void config_fallback(struct config *config);

/* text: zero-terminated, is changed. Lines that are not understood are left out and reported. */
void config_parse(struct config *config, char *text);

#endif
