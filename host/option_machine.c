/*
 * Handlers of the options that describe the machine, and the generic ones: a text, a flag,
 * accepted with a word, not there yet.
 */
#include "host/option_parser.h"
#include "host/option_text.h"
#include <stdlib.h>
#include <time.h>

bool opt_string(struct option_parser *p, const struct option_row *row, const char *arg)
{
    if (!*arg && row->field != offsetof(struct options, append))
        return option_fail(p, "the argument is empty");
    const char *copy = option_keep(p, arg);
    memcpy((char *)p->o + row->field, &copy, sizeof(copy));
    return true;
}

bool opt_flag(struct option_parser *p, const struct option_row *row, const char *arg)
{
    (void)arg;
    *(bool *)((char *)p->o + row->field) = true;
    return true;
}

bool opt_quiet(struct option_parser *p, const struct option_row *row, const char *arg)
{
    (void)p, (void)row, (void)arg;
    return true;
}

bool opt_accepted(struct option_parser *p, const struct option_row *row, const char *arg)
{
    (void)arg;
    return option_note(p, "%s", row->help);
}

bool opt_missing(struct option_parser *p, const struct option_row *row, const char *arg)
{
    (void)arg;
    return option_fail(p, "%s", row->help);
}

bool opt_net(struct option_parser *p, const struct option_row *row, const char *arg)
{
    return !strcmp(arg, "none") || opt_accepted(p, row, arg);
}

bool opt_memory(struct option_parser *p, const struct option_row *row, const char *arg)
{
    (void)row;
    const u64 mib = 1 << 20;
    char *item = option_next_item(&arg);
    const char *text = item ? item : "";
    if (!strncmp(text, "size=", 5))
        text += 5;
    u64 bytes = 0;
    bool good = option_size(text, mib, &bytes);
    if (!good)
        option_fail(p, "'%s' is no size; write 512, 512M or 1G", text);
    else if (bytes < mib || bytes > (64ull << 30))
        good = option_fail(p, "%s: 1M to 64G; a number alone counts MiB", text);
    else if (bytes % mib)
        good = option_fail(p, "%s: a whole number of MiB", text);
    else
        p->o->ram_bytes = bytes;
    if (good && arg)
        option_note(p, "%s has no effect here", arg);
    free(item);
    return good;
}

bool opt_smp(struct option_parser *p, const struct option_row *row, const char *arg)
{
    (void)row;
    bool good = true;
    char *item;
    for (bool first = true; good && (item = option_next_item(&arg)); first = false) {
        char *value = option_split_value(item);
        u64 n;
        if (!value && !first)
            good = option_fail(p, "'%s' is no property", item);
        else if (!option_u64(value ? value : item, &n) || n == 0)
            good = option_fail(p, "'%s' is no number of processors", value ? value : item);
        else if (n != 1)
            good = option_fail(p, "one processor only yet; try -smp 1");
        free(item);
    }
    return good;
}

bool opt_machine(struct option_parser *p, const struct option_row *row, const char *arg)
{
    (void)row;
    bool good = true;
    char *item;
    for (bool first = true; good && (item = option_next_item(&arg)); first = false) {
        char *value = option_split_value(item);
        const char *type = first && !value ? item : !strcmp(item, "type") ? value : NULL;
        if (type && (!strcmp(type, "?") || !strcmp(type, "help"))) {
            fprintf(p->out, "pc                   i440FX with PIIX3 (default)\n");
            p->done = true;
        } else if (type && (!strncmp(type, "q35", 3) || !strncmp(type, "pc-q35", 6))) {
            option_note(p, "q35 is not there yet; the board is pc (i440FX), disks are on IDE");
        } else if (type && strcmp(type, "pc") && strncmp(type, "pc-i440fx", 9)) {
            good = option_fail(p, "no board '%s'; try -M pc", type);
        } else if (!type && !strcmp(item, "accel")) {
            good = option_accel(p, value ? value : "");
        } else if (!type && !strcmp(item, "hpet")) {
            bool on = true;
            good = option_bool(value ? value : "on", &on) || option_fail(p, "hpet=%s: on or off", value);
            p->o->no_hpet = !on;
        } else if (!type) {
            option_note(p, "%s has no effect here", item);
        }
        free(item);
    }
    return good;
}

bool opt_vga(struct option_parser *p, const struct option_row *row, const char *arg)
{
    (void)row;
    if (!strcmp(arg, "std"))
        return true;
    static const char *const cards[] = {"none", "cirrus", "vmware", "qxl", "virtio"};
    for (unsigned i = 0; i < ARRAY_LEN(cards); i++)
        if (!strcmp(arg, cards[i]))
            return option_note(p, "%s is not there; the card is std", arg);
    return option_fail(p, "no card '%s'; try -vga std", arg);
}

bool opt_rtc(struct option_parser *p, const struct option_row *row, const char *arg)
{
    (void)row;
    struct options *o = p->o;
    bool good = true;
    char *item;
    while (good && (item = option_next_item(&arg))) {
        char *value = option_split_value(item);
        if (!strcmp(item, "base") && value) {
            if (!strcmp(value, "utc"))
                o->rtc = RTC_UTC;
            else if (!strcmp(value, "localtime"))
                o->rtc = RTC_LOCAL;
            else if (option_date(value, &o->rtc_seconds))
                o->rtc = RTC_FIXED;
            else
                good = option_fail(p,
                                   "base=%s: utc, localtime, or a date such as "
                                   "2024-02-29T23:59:50",
                                   value);
        } else if (!strcmp(item, "clock") || !strcmp(item, "driftfix")) {
            option_note(p, "%s= has no effect here: the clock counts instructions", item);
        } else {
            good = option_fail(p, "'%s' is not base=utc|localtime|DATE", item);
        }
        free(item);
    }
    return good;
}

/* Keeps the letters that mean something here; false: there were others. */
static bool boot_order(struct options *o, const char *letters)
{
    unsigned n = 0;
    o->boot_order[0] = 0;
    for (; *letters; letters++)
        if (strchr("acd", *letters) && !strchr(o->boot_order, *letters) && n < 3) {
            o->boot_order[n++] = *letters;
            o->boot_order[n] = 0;
        }
    return n > 0;
}

bool opt_boot(struct option_parser *p, const struct option_row *row, const char *arg)
{
    (void)row;
    bool good = true;
    char *item;
    for (bool first = true; good && (item = option_next_item(&arg)); first = false) {
        char *value = option_split_value(item);
        bool order = (first && !value) || !strcmp(item, "order") || !strcmp(item, "once");
        const char *letters = value ? value : item;
        if (order && letters[strspn(letters, "abcdnp")])
            good = option_fail(p, "'%s' is no boot order; a floppy, c hard disk, d CD", letters);
        else if (order && !boot_order(p->o, letters))
            option_note(p, "%s: there is nothing else than a, c and d to boot from", letters);
        free(item);
    }
    return good;
}

bool opt_break_device(struct option_parser *p, const struct option_row *row, const char *arg)
{
    (void)row;
    static const char *const parts[] = {"ram", "pic", "pit", "rtc", "kbd", "ide"};
    for (unsigned i = 0; i < ARRAY_LEN(parts); i++) {
        if (!strcmp(arg, parts[i])) {
            p->o->break_device = option_keep(p, arg);
            return true;
        }
    }
    return option_fail(p, "no part '%s'; ram, pic, pit, rtc, kbd or ide", arg);
}

bool opt_global(struct option_parser *p, const struct option_row *row, const char *arg)
{
    (void)row;
    static const char property[] = "isa-debugcon.iobase=";
    u64 port;
    if (!strncmp(arg, property, sizeof(property) - 1)) {
        if (!option_u64(arg + sizeof(property) - 1, &port) || port > 0xffff || port == 0)
            return option_fail(p, "%s: a port, 1 to 0xffff", arg);
        p->o->debugcon_port = (u16)port;
        return true;
    }
    /* "warning" as QEMU says it: kvm-unit-tests' runner takes other words for a failure. */
    return option_note(p, "warning: %s has no effect here; isa-debugcon.iobase=PORT has", arg);
}
