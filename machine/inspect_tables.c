/*
 * Descriptor tables, the real-mode vectors and the task state segment, one entry a line.
 * SDM 3A figures 3-8, 5-8, 6-2, 6-8, 7-2, 7-11.
 */
#include "machine/debug.h"
#include "machine/event_words.h"
#include "machine/inspect.h"
#include "machine/pc.h"
#include <inttypes.h>

static bool long_mode(struct machine *m)
{
    return machine_pc(m)->cpu.mode & MODE_LMA;
}

static bool peek(struct machine *m, u64 lin, u64 *v, unsigned size)
{
    u8 bytes[8];

    if (machine_read_linear(m, lin, bytes, size) != size)
        return false;
    *v = load_le(bytes, size);
    return true;
}

static const char *system_name(bool lma, unsigned type)
{
    static const char *const names[16] = {"reserved",
                                          "16-bit TSS (available)",
                                          "LDT",
                                          "16-bit TSS (busy)",
                                          "16-bit call gate",
                                          "task gate",
                                          "16-bit interrupt gate",
                                          "16-bit trap gate",
                                          "reserved",
                                          "32-bit TSS (available)",
                                          "reserved",
                                          "32-bit TSS (busy)",
                                          "32-bit call gate",
                                          "reserved",
                                          "32-bit interrupt gate",
                                          "32-bit trap gate"};
    static const char *const long_names[16] = {"upper half",
                                               "reserved",
                                               "LDT",
                                               "reserved",
                                               "reserved",
                                               "reserved",
                                               "reserved",
                                               "reserved",
                                               "reserved",
                                               "64-bit TSS (available)",
                                               "reserved",
                                               "64-bit TSS (busy)",
                                               "64-bit call gate",
                                               "reserved",
                                               "64-bit interrupt gate",
                                               "64-bit trap gate"};

    return lma ? long_names[type] : names[type];
}

static u32 desc_limit(u64 d)
{
    u32 limit = (u32)(bits(d, 15, 0) | bits(d, 51, 48) << 16);

    return d & BIT(55) ? limit << 12 | 0xfff : limit;
}

static u64 desc_base(u64 d)
{
    return bits(d, 39, 16) | bits(d, 63, 56) << 24;
}

static void put_segment(FILE *f, u64 d, bool lma)
{
    unsigned type = (unsigned)bits(d, 43, 40);
    bool code = type & 8;

    fprintf(f, "%s, base=0x%08" PRIx64 ", limit=0x%08x, ", code ? "code" : "data", desc_base(d),
            desc_limit(d));
    if (code)
        fprintf(f, "execute%s%s, %s", type & 2 ? "/read" : " only", type & 4 ? ", conforming" : "",
                lma && (d & BIT(53)) ? "64-bit"
                : d & BIT(54)        ? "32-bit"
                                     : "16-bit");
    else
        fprintf(f, "read%s%s, %s", type & 2 ? "/write" : " only", type & 4 ? ", expand-down" : "",
                d & BIT(54) ? "32-bit" : "16-bit");
    fputs(type & 1 ? ", accessed" : "", f);
}

static bool is_gate(unsigned type)
{
    return (type >= 4 && type <= 7) || type == 12 || type == 14 || type == 15;
}

/* The entry d, with the 8 bytes behind it where long mode widens it. */
static void put_descriptor(FILE *f, u64 d, u64 high, bool lma)
{
    unsigned type = (unsigned)bits(d, 43, 40);

    if (d & BIT(44)) {
        put_segment(f, d, lma);
    } else if (is_gate(type)) {
        u64 target = bits(d, 15, 0) | bits(d, 63, 48) << 16;

        if (lma)
            target |= high << 32;
        fprintf(f, "%s, target=0x%04x:0x%0*" PRIx64, system_name(lma, type),
                (unsigned)bits(d, 31, 16), lma ? 16 : 8, target);
        if (lma && bits(d, 34, 32))
            fprintf(f, ", IST=%u", (unsigned)bits(d, 34, 32));
    } else {
        fprintf(f, "%s, base=0x%0*" PRIx64 ", limit=0x%08x", system_name(lma, type), lma ? 16 : 8,
                desc_base(d) | (lma ? high << 32 : 0), desc_limit(d));
    }
    fprintf(f, ", DPL=%u%s\n", (unsigned)bits(d, 46, 45), d & BIT(47) ? "" : ", not present");
}

static void put_segments(struct machine *m, FILE *f, const char *name, u64 base, u32 limit,
                         u32 first, u32 last)
{
    bool lma = long_mode(m);

    for (u32 i = first; i <= last && i * 8 + 7 <= limit && i < 8192; i++) {
        u64 d, high = 0;

        fprintf(f, "%s[0x%04x]=", name, i * 8);
        if (!peek(m, base + i * 8, &d, 8)) {
            fputs("not mapped\n", f);
            continue;
        }
        if (d == 0) {
            fputs("null\n", f);
            continue;
        }
        if (lma && !(d & BIT(44)) && i * 8 + 15 <= limit) {
            peek(m, base + i * 8 + 8, &high, 8);
            put_descriptor(f, d, high, lma);
            i++; /* it takes two places */
            continue;
        }
        put_descriptor(f, d, high, lma);
    }
}

void inspect_gdt(struct machine *m, FILE *f, u32 first, u32 last)
{
    const struct cpu *c = &machine_pc(m)->cpu;

    fprintf(f, "Global descriptor table (base=0x%016" PRIx64 ", limit=%u):\n", c->gdtr.base,
            c->gdtr.limit);
    put_segments(m, f, "GDT", c->gdtr.base, c->gdtr.limit, first, last);
}

void inspect_ldt(struct machine *m, FILE *f, u32 first, u32 last)
{
    const struct cpu *c = &machine_pc(m)->cpu;

    if (!(c->ldtr.sel & ~3u)) {
        fputs("there is no LDT: LDTR is null\n", f);
        return;
    }
    fprintf(f, "Local descriptor table (selector=0x%04x, base=0x%016" PRIx64 ", limit=%u):\n",
            c->ldtr.sel, c->ldtr.base, c->ldtr.limit);
    put_segments(m, f, "LDT", c->ldtr.base, c->ldtr.limit, first, last);
}

void inspect_idt(struct machine *m, FILE *f, u32 first, u32 last)
{
    const struct cpu *c = &machine_pc(m)->cpu;
    bool lma = long_mode(m);
    u32 size = lma ? 16 : 8;

    if (!(c->mode & MODE_PE)) {
        fputs("real mode has no IDT; try: info ivt\n", f);
        return;
    }
    fprintf(f, "Interrupt descriptor table (base=0x%016" PRIx64 ", limit=%u):\n", c->idtr.base,
            c->idtr.limit);
    for (u32 i = first; i <= last && i < 256 && (i + 1) * size - 1 <= c->idtr.limit; i++) {
        u64 d, high = 0;

        fprintf(f, "IDT[0x%02x]=", i);
        if (!peek(m, c->idtr.base + i * size, &d, 8) ||
            (lma && !peek(m, c->idtr.base + i * size + 8, &high, 8)))
            fputs("not mapped\n", f);
        else if (!d)
            fputs("empty\n", f);
        else
            put_descriptor(f, d, high, lma);
    }
}

/* What a PC's firmware puts there, by vector. */
static const char *ivt_name(unsigned n)
{
    static const char *const names[] = {[0x08] = "IRQ 0, timer",
                                        [0x09] = "IRQ 1, keyboard",
                                        [0x0a] = "IRQ 2",
                                        [0x0b] = "IRQ 3, COM2",
                                        [0x0c] = "IRQ 4, COM1",
                                        [0x0d] = "IRQ 5",
                                        [0x0e] = "IRQ 6, floppy",
                                        [0x0f] = "IRQ 7",
                                        [0x10] = "video",
                                        [0x11] = "equipment",
                                        [0x12] = "memory size",
                                        [0x13] = "disks",
                                        [0x14] = "serial",
                                        [0x15] = "system",
                                        [0x16] = "keyboard",
                                        [0x17] = "printer",
                                        [0x18] = "no boot device",
                                        [0x19] = "boot",
                                        [0x1a] = "time, PCI",
                                        [0x1b] = "Ctrl-Break",
                                        [0x1c] = "timer tick",
                                        [0x1d] = "video parameters",
                                        [0x1e] = "floppy parameters",
                                        [0x1f] = "8x8 font",
                                        [0x40] = "floppy",
                                        [0x41] = "disk 0 parameters",
                                        [0x43] = "font",
                                        [0x46] = "disk 1 parameters",
                                        [0x4a] = "alarm",
                                        [0x70] = "IRQ 8, RTC",
                                        [0x71] = "IRQ 9",
                                        [0x72] = "IRQ 10",
                                        [0x73] = "IRQ 11",
                                        [0x74] = "IRQ 12, mouse",
                                        [0x75] = "IRQ 13",
                                        [0x76] = "IRQ 14, IDE",
                                        [0x77] = "IRQ 15, IDE"};

    if (n < 8)
        return vector_long_name(n);
    return n < ARRAY_LEN(names) && names[n] ? names[n] : "";
}

void inspect_ivt(struct machine *m, FILE *f, u32 first, u32 last)
{
    const struct cpu *c = &machine_pc(m)->cpu;

    if (c->mode & MODE_PE) {
        fputs("protected mode has no interrupt vectors; try: info idt\n", f);
        return;
    }
    for (u32 i = first; i <= last && i < 256 && i * 4 + 3 <= c->idtr.limit; i++) {
        u64 v;

        if (!peek(m, c->idtr.base + i * 4, &v, 4))
            continue;
        fprintf(f, "INT %02x > %04x:%04x (0x%08x) %s\n", i, (unsigned)(v >> 16), (unsigned)(u16)v,
                (unsigned)((v >> 16) * 16 + (u16)v), ivt_name(i));
    }
}

/* ---- the task state segment ---- */

static void put_field(struct machine *m, FILE *f, const char *name, u64 off, unsigned size)
{
    u64 v;

    if (peek(m, machine_pc(m)->cpu.tr.base + off, &v, size))
        fprintf(f, "%s=0x%0*" PRIx64 "\n", name, (int)size * 2, v);
    else
        fprintf(f, "%s: not mapped\n", name);
}

void inspect_tss(struct machine *m, FILE *f)
{
    static const struct {
        const char *name;
        u8 off, size;
    } tss64[] = {{"rsp0", 4, 8},  {"rsp1", 12, 8}, {"rsp2", 20, 8},  {"ist1", 36, 8},
                 {"ist2", 44, 8}, {"ist3", 52, 8}, {"ist4", 60, 8},  {"ist5", 68, 8},
                 {"ist6", 76, 8}, {"ist7", 84, 8}, {"iomap", 102, 2}},
      tss32[] = {{"link", 0, 2}, {"esp0", 4, 4},    {"ss0", 8, 2},  {"esp1", 12, 4},
                 {"ss1", 16, 2}, {"esp2", 20, 4},   {"ss2", 24, 2}, {"cr3", 28, 4},
                 {"eip", 32, 4}, {"eflags", 36, 4}, {"eax", 40, 4}, {"ecx", 44, 4},
                 {"edx", 48, 4}, {"ebx", 52, 4},    {"esp", 56, 4}, {"ebp", 60, 4},
                 {"esi", 64, 4}, {"edi", 68, 4},    {"es", 72, 2},  {"cs", 76, 2},
                 {"ss", 80, 2},  {"ds", 84, 2},     {"fs", 88, 2},  {"gs", 92, 2},
                 {"ldt", 96, 2}, {"iomap", 102, 2}},
      tss16[] = {{"link", 0, 2}, {"sp0", 2, 2},  {"ss0", 4, 2}, {"sp1", 6, 2},    {"ss1", 8, 2},
                 {"sp2", 10, 2}, {"ss2", 12, 2}, {"ip", 14, 2}, {"flags", 16, 2}, {"ax", 18, 2},
                 {"cx", 20, 2},  {"dx", 22, 2},  {"bx", 24, 2}, {"sp", 26, 2},    {"bp", 28, 2},
                 {"si", 30, 2},  {"di", 32, 2},  {"es", 34, 2}, {"cs", 36, 2},    {"ss", 38, 2},
                 {"ds", 40, 2},  {"ldt", 42, 2}};
    const struct cpu *c = &machine_pc(m)->cpu;
    bool lma = long_mode(m);

    if (!(c->tr.sel & ~3u)) {
        fputs("there is no task: TR is null\n", f);
        return;
    }
    fprintf(f, "TR=0x%04x, base=0x%016" PRIx64 ", limit=0x%08x, %s\n", c->tr.sel, c->tr.base,
            c->tr.limit, system_name(lma, c->tr.attr & SEG_TYPE));
    if (lma)
        for (unsigned i = 0; i < ARRAY_LEN(tss64); i++)
            put_field(m, f, tss64[i].name, tss64[i].off, tss64[i].size);
    else if (c->tr.attr & 8)
        for (unsigned i = 0; i < ARRAY_LEN(tss32); i++)
            put_field(m, f, tss32[i].name, tss32[i].off, tss32[i].size);
    else
        for (unsigned i = 0; i < ARRAY_LEN(tss16); i++)
            put_field(m, f, tss16[i].name, tss16[i].off, tss16[i].size);
}
