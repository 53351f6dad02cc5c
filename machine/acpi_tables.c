/*
 * ACPI tables for firmware that takes them from fw_cfg, as SeaBIOS does; Spark builds its own (decisions
 * 008 and 009). Tables: ACPI 6.4, chapter 5, with ACPI 2.0's FADT for the fixed hardware of the PIIX4.
 * Files are QEMU's: etc/acpi/tables and etc/acpi/rsdp are to be copied to memory, etc/table-loader is the
 * list of commands that says where to, and which pointers and sums depend on that.
 *
 * The power management ports lie where firmware for this board puts them: at 600h (SeaBIOS' and Spark's
 * choice). MADT and DSDT say that there is one processor, and that PCI interrupts reach the I/O APIC at
 * the pins of the ISA interrupts that the PIIX3 makes of them.
 */
#define _GNU_SOURCE /* memmem */
#include "machine/acpi_tables.h"

enum { ROOM = 8192, COMMAND_LEN = 128, MAX_COMMANDS = 32, HEADER = 36, RSDP = 36 };
enum { PM = 0x600, SCI = 9, LAPIC = 0xfee00000, IOAPIC = 0xfec00000, HPET = 0xfed00000, HPET_ID = 0x8086a201 };

static const char tables[] = "etc/acpi/tables", rsdp[] = "etc/acpi/rsdp";

extern const u8 dsdt_aml[], dsdt_aml_end[]; /* dsdt.S */

struct build {
    u8 bytes[ROOM], commands[MAX_COMMANDS * COMMAND_LEN];
    u32 len;
    unsigned nr_commands;
};

/* ---- etc/table-loader: commands of 128 bytes, names of 56 ---- */

enum command { ALLOCATE = 1, ADD_POINTER, ADD_CHECKSUM };
enum zone { ZONE_HIGH = 1, ZONE_FSEG };

static u8 *command(struct build *b, enum command what, const char *file)
{
    u8 *c = b->commands + COMMAND_LEN * b->nr_commands++;

    ASSERT(b->nr_commands <= MAX_COMMANDS);
    store_le(c, what, 4);
    memcpy(c + 4, file, strlen(file));
    return c;
}

static void allocate(struct build *b, const char *file, u32 align, enum zone zone)
{
    u8 *c = command(b, ALLOCATE, file);

    store_le(c + 60, align, 4);
    store_le(c + 64, zone, 1);
}

/* The offset in the tables that stands at `at` in the file becomes an address. */
static void add_pointer(struct build *b, const char *file, u32 at, u32 size)
{
    u8 *c = command(b, ADD_POINTER, file);

    memcpy(c + 60, tables, sizeof(tables));
    store_le(c + 116, at, 4);
    store_le(c + 120, size, 1);
}

static void add_checksum(struct build *b, const char *file, u32 at, u32 start, u32 len)
{
    u8 *c = command(b, ADD_CHECKSUM, file);

    store_le(c + 60, at, 4);
    store_le(c + 64, start, 4);
    store_le(c + 68, len, 4);
}

/* ---- tables ---- */

static u32 add(struct build *b, const void *bytes, u32 len)
{
    u32 at = b->len;

    ASSERT(len <= ROOM - at);
    if (bytes)
        memcpy(b->bytes + at, bytes, len);
    b->len += len;
    return at;
}

static void put(struct build *b, u32 at, u64 v, unsigned size)
{
    store_le(b->bytes + at, v, size);
}

static void put_pointer(struct build *b, u32 at, u32 target, unsigned size)
{
    put(b, at, target, size);
    add_pointer(b, tables, at, size);
}

/* A table of len zero bytes behind its header, at the offset that is returned. */
static u32 begin(struct build *b, const char *signature, u8 revision, u32 len)
{
    static const u8 maker[] = "KILN  KILN    \1\0\0\0KILN\1\0\0"; /* OEM and its table, creator; revisions */
    u32 at;

    b->len = (b->len + 15) & ~15u;
    at = add(b, NULL, HEADER + len);
    memcpy(b->bytes + at, signature, 4);
    put(b, at + 8, revision, 1);
    memcpy(b->bytes + at + 10, maker, 26);
    return at;
}

static void end(struct build *b, u32 at)
{
    put(b, at + 4, b->len - at, 4);
    add_checksum(b, tables, at + 9, at, b->len - at);
}

/* What differs from machine to machine, as dsdt.asl asks for it: field BOAR. */
static u32 add_board(struct build *b, bool hpet)
{
    const u8 board[16] = { 1, hpet, 1, 1, 1, 1, 1, 1 }; /* processors, HPET, COM1, COM2, floppy, 8042 and mouse, I/O APIC */

    return add(b, board, sizeof(board));
}

/* "Name (INFO, dword)" of dsdt.asl is 08h, "INFO", 0Ch and the dword: the address of the board's bytes. */
static u32 add_dsdt(struct build *b, u32 board)
{
    static const u8 info[] = { 0x08, 'I', 'N', 'F', 'O', 0x0c };
    u32 len = (u32)(dsdt_aml_end - dsdt_aml), at = add(b, dsdt_aml, len);
    const u8 *name = memmem(b->bytes + at, len, info, sizeof(info));

    ASSERT(name);
    put_pointer(b, (u32)(name - b->bytes) + sizeof(info), board, 4);
    put(b, at + 9, 0, 1);
    end(b, at);
    return at;
}

static u32 add_facs(struct build *b)
{
    u32 at = add(b, NULL, 64);

    memcpy(b->bytes + at, "FACS", 4);
    put(b, at + 4, 64, 4);
    return at;
}

static u32 add_fadt(struct build *b, u32 facs, u32 dsdt)
{
    enum { IO = 1, WBINVD = 1, PROC_C1 = 4, SLP_BUTTON = 0x20, RESET_REG = 0x400 };
    static const struct { u8 at, size; u32 value; } fields[] = { /* ACPI 6.4, table 5.9 */
        { 45, 1, 1 }, /* desktop */
        { 46, 2, SCI },
        { 48, 4, 0xb2 }, { 52, 1, 0xf1 }, { 53, 1, 0xf0 }, /* APM port, ACPI on, off */
        { 56, 4, PM }, { 64, 4, PM + 4 }, { 76, 4, PM + 8 }, /* PM1a event and control, timer */
        { 88, 1, 4 }, { 89, 1, 2 }, { 91, 1, 4 }, /* their lengths */
        { 96, 2, 0xfff }, { 98, 2, 0xfff }, /* no C2, no C3 */
        { 108, 1, 0x32 }, /* the century in CMOS memory */
        { 109, 2, 3 }, /* there are ISA devices and an 8042 */
        { 112, 4, WBINVD | PROC_C1 | SLP_BUTTON | RESET_REG },
        { 116, 1, IO }, { 117, 1, 8 }, { 120, 4, 0xcf9 }, { 128, 1, 6 }, /* reset register */
        { 148, 1, IO }, { 149, 1, 32 }, { 152, 4, PM },
        { 172, 1, IO }, { 173, 1, 16 }, { 176, 4, PM + 4 },
        { 208, 1, IO }, { 209, 1, 32 }, { 212, 4, PM + 8 },
    };
    u32 at = begin(b, "FACP", 3, 244 - HEADER);

    for (unsigned i = 0; i < ARRAY_LEN(fields); i++)
        put(b, at + fields[i].at, fields[i].value, fields[i].size);
    put_pointer(b, at + 36, facs, 4);
    put_pointer(b, at + 40, dsdt, 4);
    put_pointer(b, at + 132, facs, 8);
    put_pointer(b, at + 140, dsdt, 8);
    end(b, at);
    return at;
}

static u32 add_madt(struct build *b)
{
    static const u8 entries[] = { /* ACPI 6.4, 5.2.12.2 to 5.2.12.7; flags 0Dh: level, active high */
        0, 8, 0, 0, 1, 0, 0, 0,                                          /* processor 0 */
        1, 12, 0, 0, IOAPIC & 255, IOAPIC >> 8 & 255, IOAPIC >> 16 & 255, IOAPIC >> 24, 0, 0, 0, 0,
        2, 10, 0, 0, 2, 0, 0, 0, 0, 0,                                   /* IRQ 0 at pin 2 */
        2, 10, 0, 5, 5, 0, 0, 0, 0x0d, 0,
        2, 10, 0, SCI, SCI, 0, 0, 0, 0x0d, 0,
        2, 10, 0, 10, 10, 0, 0, 0, 0x0d, 0,
        2, 10, 0, 11, 11, 0, 0, 0, 0x0d, 0,
        4, 6, 0xff, 0, 0, 1,                                             /* NMI at LINT1 */
    };
    u32 at = begin(b, "APIC", 3, 8);

    put(b, at + 36, LAPIC, 4);
    put(b, at + 40, 1, 4); /* 8259s are there, too */
    add(b, entries, sizeof(entries));
    end(b, at);
    return at;
}

static u32 add_hpet(struct build *b)
{
    u32 at = begin(b, "HPET", 1, 56 - HEADER); /* IA-PC HPET Specification 1.0a, 3.2.4 */

    put(b, at + 36, HPET_ID, 4);
    put(b, at + 41, 64, 1);
    put(b, at + 44, HPET, 8);
    put(b, at + 53, 100, 2); /* the least period, in ticks */
    end(b, at);
    return at;
}

static u32 add_list(struct build *b, const char *signature, unsigned size, const u32 *list, u32 n)
{
    u32 at = begin(b, signature, 1, n * size);

    for (unsigned i = 0; i < n; i++)
        put_pointer(b, at + HEADER + i * size, list[i], size);
    end(b, at);
    return at;
}

static int add_files(struct fw_cfg *f, struct build *b, u32 rsdt, u32 xsdt)
{
    u8 root[RSDP] = "RSD PTR \0KILN  \2";

    store_le(root + 16, rsdt, 4);
    store_le(root + 20, RSDP, 4);
    store_le(root + 24, xsdt, 8);
    add_pointer(b, rsdp, 16, 4);
    add_pointer(b, rsdp, 24, 8);
    add_checksum(b, rsdp, 8, 0, 20);
    add_checksum(b, rsdp, 32, 0, RSDP);
    return fw_cfg_add_file(f, rsdp, root, sizeof(root)) || fw_cfg_add_file(f, tables, b->bytes, b->len) ||
           fw_cfg_add_file(f, "etc/table-loader", b->commands, COMMAND_LEN * b->nr_commands) ? -1 : 0;
}

int acpi_tables_add(struct fw_cfg *f, bool hpet)
{
    struct build b = { 0 };
    u32 list[3], n = 0, facs, dsdt;

    allocate(&b, tables, 64, ZONE_HIGH); /* the FACS, which comes first, wants the alignment */
    allocate(&b, rsdp, 16, ZONE_FSEG);
    facs = add_facs(&b);
    dsdt = add_dsdt(&b, add_board(&b, hpet));
    list[n++] = add_fadt(&b, facs, dsdt);
    list[n++] = add_madt(&b);
    if (hpet)
        list[n++] = add_hpet(&b);
    u32 rsdt = add_list(&b, "RSDT", 4, list, n), xsdt = add_list(&b, "XSDT", 8, list, n);
    return add_files(f, &b, rsdt, xsdt);
}
