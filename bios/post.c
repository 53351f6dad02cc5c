/* Power-on self test, in order, each step announced on port 80h (table in README.md). */
#include "bda.h"
#include "boot.h"
#include "chips.h"
#include "console.h"
#include "disk.h"
#include "floppy.h"
#include "entry.h"
#include "kbd.h"
#include "memory.h"
#include "pci.h"
#include "rom.h"
#include "serial.h"
#include "tables.h"

enum {
    POST_PIT = 0x10,
    POST_PIC = 0x12,
    POST_CLOCK = 0x14,
    POST_MEMORY_SIZE = 0x20,
    POST_MEMORY_BASE = 0x22,
    POST_TABLES = 0x28,
    POST_PCI = 0x30,
    POST_VIDEO = 0x38,
    POST_MEMORY_EXTENDED = 0x40,
    POST_KEYBOARD = 0x48,
    POST_MOUSE = 0x4C,
    POST_PORTS = 0x50,
    POST_DISKS = 0x58,
    POST_ROMS = 0x60,
    POST_SYSTEM_TABLES = 0x68,
    POST_DONE = 0x70
};

/* entry.S and reset.S */
void isr_05(void), isr_08(void), isr_09(void), isr_0e(void), isr_10(void), isr_11(void), isr_12(void);
void isr_13(void), isr_14(void), isr_15(void), isr_16(void), isr_17(void), isr_18(void);
void isr_19(void), isr_1a(void), isr_70(void), isr_74(void), isr_76(void);
void isr_irq_master(void), isr_irq_slave(void), dummy_iret(void);

static const struct { u8 vector; void (*entry)(void); } vectors[] = {
    {0x05, isr_05}, {0x08, isr_08}, {0x09, isr_09}, {0x0E, isr_0e}, {0x10, isr_10}, {0x11, isr_11},
    {0x12, isr_12}, {0x13, isr_13}, {0x14, isr_14}, {0x15, isr_15}, {0x16, isr_16},
    {0x17, isr_17}, {0x18, isr_18}, {0x19, isr_19}, {0x1A, isr_1a}, {0x70, isr_70},
    {0x74, isr_74}, {0x76, isr_76},
};

static void set_vector(u8 vector, void (*entry)(void))
{
    poke32(0, vector * 4u, 0xF0000000u | (u16)(u32)entry);
}

/* Interrupt table, BIOS data area, extended BIOS data area. */
static void build_tables(void)
{
    u16 warm = bda16(BDA_RESET_FLAG);
    for (unsigned v = 0; v < 0x78; v++)
        set_vector((u8)v, dummy_iret);
    for (unsigned v = 0x60; v < 0x68; v++)
        poke32(0, v * 4, 0); /* free for programs */
    for (unsigned v = 0x78; v < 0x100; v++)
        poke32(0, v * 4, 0);
    for (u8 v = 0x0A; v < 0x10; v++)
        set_vector(v, isr_irq_master);
    for (u8 v = 0x71; v < 0x78; v++)
        set_vector(v, isr_irq_slave);
    for (unsigned i = 0; i < sizeof vectors / sizeof vectors[0]; i++)
        set_vector(vectors[i].vector, vectors[i].entry);
    static const u8 data_pointers[] = {0x1D, 0x1E, 0x1F, 0x41, 0x43, 0x46, 0x4A};
    for (unsigned i = 0; i < sizeof data_pointers; i++)
        poke32(0, data_pointers[i] * 4u, data_pointers[i] == 0x1E ? 0xF000EFC7 : 0);

    for (u32 i = 0; i < 256; i += 2)
        bda_set16(i, 0);
    for (u32 i = 0; i < 1024; i += 2)
        poke16(EBDA_SEG, i, 0);
    poke8(EBDA_SEG, EBDA_SIZE_KIB, 1);
    bda_set16(BDA_EBDA, EBDA_SEG);
    bda_set16(BDA_BASE_KIB, memory_base_kib());
    bda_set16(BDA_RESET_FLAG, warm);
    bda_set16(BDA_EQUIPMENT, 0x0022); /* coprocessor; 80x25 colour */
    bda_set16(BDA_KBD_HEAD, BDA_KBD_BUFFER);
    bda_set16(BDA_KBD_TAIL, BDA_KBD_BUFFER);
    bda_set16(BDA_KBD_START, BDA_KBD_BUFFER);
    bda_set16(BDA_KBD_END, BDA_KBD_BUFFER + 32);
    bda_set8(BDA_KBD_MODE, 0x10); /* enhanced keyboard */
}

static void banner(void)
{
    u32 mib = (memory_low_end() >> 20) + (u32)(memory_high_bytes() >> 20);
    con_printf("Spark BIOS  %u MiB RAM", mib);
    if (memory_low_end() & 0xFFFFF)
        con_printf(" (%u KiB below 4 GiB)", memory_low_end() >> 10);
    con_printf("\n");
}

static void list_drives(void)
{
    for (unsigned i = 0; i < 2; i++) {
        if (floppy_type(i) != 0)
            con_printf("Drive %02Xh: floppy, %s\n", i, floppy_name(floppy_type(i)));
    }
    for (unsigned i = 0; i < disk_count(); i++) {
        const struct drive *d = disk_get(i)->drive;
        con_printf("Disk %02Xh: %s, %u MiB, %s\n", DISK_FIRST + i, d->model, (u32)(d->sectors >> 11),
                   slot_name(slot_of(d)));
    }
    for (unsigned i = 0; i < cd_count(); i++)
        con_printf("CD %02Xh: %s, %s\n", CD_FIRST + i, cd_get(i)->model, slot_name(slot_of(cd_get(i))));
    if (disk_count() == 0)
        con_printf("No hard disk\n");
}

void post_main(void)
{
    post_code(POST_PIT);
    pit_init(); /* first: what follows measures time with it */
    post_code(POST_PIC);
    pic_init();
    apic_virtual_wire();
    post_code(POST_CLOCK);
    rtc_init();
    outb(0x92, (inb(0x92) & 0xFE) | 0x02); /* A20 on: memory above 1 MiB is tested next */
    post_code(POST_MEMORY_SIZE);
    memory_size();
    post_code(POST_MEMORY_BASE);
    memory_test_base();
    post_code(POST_TABLES);
    build_tables();
    rtc_start_ticks();
    post_code(POST_PCI);
    pci_setup();
    anchor_sum((u16)(u32)anchor_pnp, 8, 0x21);
    post_code(POST_VIDEO);
    console_open(rom_start_video() ? CONSOLE_VIDEO : CONSOLE_SERIAL);
    post_code(POST_MEMORY_EXTENDED);
    memory_test_extended();
    memory_build_map();
    acpi_reserve();
    banner();
    post_code(POST_KEYBOARD);
    kbd_init();
    pic_unmask(0);
    pic_unmask(1);
    post_code(POST_MOUSE);
    mouse_init();
    pic_unmask(12);
    post_code(POST_PORTS);
    serial_probe();
    post_code(POST_DISKS);
    drive_probe();
    floppy_init();
    boot_load_order(SLOT_NONE);
    pic_unmask(14);
    list_drives();
    post_code(POST_ROMS);
    pmm_open();
    rom_scan_others();
    pmm_close();
    post_code(POST_SYSTEM_TABLES);
    tables_build();
    post_code(POST_DONE);
    rom_protect();
    irq_window();
    boot_offer_menu();
    struct call_regs r = {0};
    call_int(0x19, &r);
    halt_forever();
}
