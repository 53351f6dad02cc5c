/*
 * The order in which Ember comes up. Reading this file is reading the kernel's structure; each line
 * may use what the lines above it brought.
 */
#include "guestos/drivers/ahci.h"
#include "guestos/drivers/char.h"
#include "guestos/drivers/ide.h"
#include "guestos/drivers/keyboard.h"
#include "guestos/drivers/random.h"
#include "guestos/drivers/rtc.h"
#include "guestos/drivers/serial.h"
#include "guestos/fs/cache.h"
#include "guestos/fs/vfs.h"
#include "guestos/kernel/boot_info.h"
#include "guestos/kernel/clock.h"
#include "guestos/kernel/console.h"
#include "guestos/kernel/cpu.h"
#include "guestos/kernel/fpu.h"
#include "guestos/kernel/panic.h"
#include "guestos/kernel/sched.h"
#include "guestos/kernel/shell.h"
#include "guestos/kernel/string.h"
#include "guestos/kernel/traps.h"
#include "guestos/kernel/x86.h"
#include "guestos/mm/frames.h"
#include "guestos/mm/paging.h"
#include "guestos/mm/reclaim.h"
#include "guestos/mm/slab.h"
#include "guestos/mm/vm.h"
#include "guestos/proc/process.h"
#include "guestos/sys/strace.h"
#include "guestos/tty/tty.h"

#define OPTION_BYTES 64

_Noreturn void kernel_main(u32 magic, u32 info);
_Noreturn void kernel_prompt(void);

static struct boot_info boot;

static void print_disks(void)
{
    for (u32 i = 0; i < ide_nr_disks(); i++) {
        const struct ide_disk *d = ide_disk(i);
        print("Disk %u: %s, %lu sectors (%lu MiB)\n", i, d->id.model, d->id.nr_sectors,
              d->id.nr_sectors >> 11);
    }
    if (ide_nr_disks() == 0) {
        print("Disks: none on the IDE channels\n");
    }
}

void kernel_prompt(void)
{
    print("Type help for the commands.\n");
    shell_run(&boot);
}

/* The second half, as a thread: here things may sleep. */
static void come_up(void *unused)
{
    char root[OPTION_BYTES], init[OPTION_BYTES], console[OPTION_BYTES];
    bool has_root = boot_option(&boot, "root", root, sizeof root);
    bool has_console = boot_option(&boot, "console", console, sizeof console);
    bool has_init = boot_option(&boot, "init", init, sizeof init);

    (void)unused;
    reclaim_start();
    serial_enable_input();
    if (!keyboard_init()) {
        print("Keyboard: the controller does not answer\n");
    }
    rtc_init();
    ide_init();
    print_disks();
    ahci_init();
    if (boot_option(&boot, "prompt", NULL, 0)) {
        kernel_prompt();
    }
    strace_all(boot_option(&boot, "strace", NULL, 0));
    vfs_init();
    char_devices_init();
    random_init();
    tty_init(has_console ? console : NULL);
    vfs_mount_root(has_root ? root : NULL);
    cache_start_writeback();
    process_start_init(has_init ? init : "/sbin/init");
}

void kernel_main(u32 magic, u32 info)
{
    cpu_init();
    console_init();
    print("\nEmber 0.2, a 64-bit Unix\n");
    threads_init();
    traps_init();
    fpu_init();
    if (!boot_info_read(&boot, magic, info)) {
        panic("no multiboot information with memory in it (EAX = %08x)", magic);
    }
    frames_init(&boot);
    paging_init();
    frames_init_pages();
    slab_init();
    vm_init();

    boot_describe(&boot);
    cpu_describe();
    memory_describe(&boot);

    clock_init();
    __asm__ volatile("sti");
    if (!thread_spawn("main", come_up, NULL)) {
        panic("no memory for the first thread");
    }
    sched_idle();
}
