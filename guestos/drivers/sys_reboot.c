/* reboot(2). Whatever a program forgot, file systems are written and marked clean before. */
#include "guestos/drivers/power.h"
#include "guestos/fs/vfs.h"
#include "guestos/kernel/console.h"
#include "guestos/kernel/x86.h"
#include "guestos/proc/process.h"
#include "guestos/sys/syscall.h"

#define MAGIC1         0xFEE1DEADu
#define RB_AUTOBOOT    0x01234567u
#define RB_HALT_SYSTEM 0xCDEF0123u
#define RB_POWER_OFF   0x4321FEDCu
#define RB_ENABLE_CAD  0x89ABCDEFu /* Ctrl-Alt-Del: it does nothing here */
#define RB_DISABLE_CAD 0u

/* Birthdays, says the manual page. */
static bool is_magic2(u32 value)
{
    return value == 672274793 || value == 85072278 || value == 369367448 || value == 537993216;
}

long sys_reboot(const u64 *arg)
{
    u32 what = (u32)arg[2];

    if (!is_superuser()) {
        return -EPERM;
    }
    if ((u32)arg[0] != MAGIC1 || !is_magic2((u32)arg[1])) {
        return -EINVAL;
    }
    switch (what) {
    case RB_ENABLE_CAD:
    case RB_DISABLE_CAD: return 0;
    case RB_AUTOBOOT:
    case RB_HALT_SYSTEM:
    case RB_POWER_OFF: break;
    default: return -EINVAL;
    }
    fs_shutdown();
    if (what == RB_AUTOBOOT) {
        print("Restarting\n");
        power_reset();
    }
    if (what == RB_POWER_OFF) {
        print("Power off\n");
        power_off();
    }
    print("System halted\n");
    halt_forever();
}
