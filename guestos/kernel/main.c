/*
 * The order in which Ember comes up. Reading this function is reading the kernel's structure; each
 * line may use what the lines above it brought.
 */
#include "guestos/drivers/ide.h"
#include "guestos/drivers/keyboard.h"
#include "guestos/drivers/pit.h"
#include "guestos/drivers/serial.h"
#include "guestos/kernel/boot_info.h"
#include "guestos/kernel/console.h"
#include "guestos/kernel/cpu.h"
#include "guestos/kernel/panic.h"
#include "guestos/kernel/shell.h"
#include "guestos/kernel/traps.h"
#include "guestos/kernel/x86.h"
#include "guestos/mm/frames.h"
#include "guestos/mm/paging.h"

_Noreturn void kernel_main(u32 magic, u32 info);

static struct boot_info boot;

static void print_disks(void)
{
    for (u32 i = 0; i < ide_nr_disks(); i++) {
        const struct ide_disk *d = ide_disk(i);
        print("Disk %u: %s, %lu sectors (%lu MiB)\n", i, d->model, d->nr_sectors,
              d->nr_sectors >> 11);
    }
    if (ide_nr_disks() == 0) {
        print("Disks: none on the IDE channels\n");
    }
}

void kernel_main(u32 magic, u32 info)
{
    console_init();
    print("\nEmber 0.1, a 64-bit kernel\n");
    cpu_init();
    traps_init();
    if (!boot_info_read(&boot, magic, info)) {
        panic("no multiboot information with memory in it (EAX = %08x)", magic);
    }
    frames_init(&boot);
    paging_init();

    boot_describe(&boot);
    cpu_describe();
    memory_describe(&boot);

    pit_init();
    __asm__ volatile("sti");
    serial_enable_input();
    if (!keyboard_init()) {
        print("Keyboard: the controller does not answer\n");
    }
    ide_init();
    print_disks();
    print("Type help for the commands.\n");
    shell_run(&boot);
}
