/*
 * Power-off by the PIIX4's power management function (Intel 290562, 7.1.24 PMBA, 7.1.28 PMREGMISC,
 * 7.2.3 PMCNTRL): SLP_TYP = 0 with SLP_EN is "soft off" there, in QEMU, in Bochs and in Kiln. Other
 * chipsets say their value in the DSDT. UNIMPL: ACPI tables.
 *
 * Reset: the keyboard controller's pulse, then the PIIX3's reset control register (Intel 290550,
 * 2.5.3), then a triple fault.
 */
#include "guestos/drivers/power.h"
#include "guestos/drivers/keyboard.h"
#include "guestos/drivers/pci.h"
#include "guestos/kernel/clock.h"
#include "guestos/kernel/console.h"
#include "guestos/kernel/cpu.h"
#include "guestos/kernel/x86.h"

#define PIIX4_VENDOR  0x8086
#define PIIX4_PM      0x7113
#define PMBA          0x40
#define PMBA_MASK     0xFFC0u
#define PMREGMISC     0x80
#define PMIOSE        0x01u /* the I/O range is on */
#define PM1_CNT       4
#define PM1_CNT_OTHER 0xC3FFu /* all but SLP_TYP (12:10) and SLP_EN (13) */
#define SLP_TYP_OFF   0u
#define SLP_EN        (1u << 13)

#define RESET_CONTROL 0xCF9
#define RESET_HARD    0x02
#define RESET_NOW     0x04

#define WAIT_MS 100

void power_off(void)
{
    struct pci_function pm;

    if (!pci_find(PIIX4_VENDOR, PIIX4_PM, &pm)) {
        print("no PIIX4 power management (PCI 8086:7113) here: turn it off yourself\n");
        return;
    }
    u16 base = pci_read(pm, PMBA) & PMBA_MASK;
    if (!base || !(pci_read(pm, PMREGMISC) & PMIOSE)) {
        print("the firmware left the power management registers off\n");
        return;
    }
    u16 control = in16(base + PM1_CNT) & PM1_CNT_OTHER;
    out16(base + PM1_CNT, (u16)(control | SLP_TYP_OFF));
    out16(base + PM1_CNT, (u16)(control | SLP_TYP_OFF | SLP_EN));
    sleep_ms(WAIT_MS);
    print("the machine is still on\n");
}

void power_reset(void)
{
    keyboard_pulse_reset();
    sleep_ms(WAIT_MS);
    out8(RESET_CONTROL, RESET_HARD);
    out8(RESET_CONTROL, RESET_HARD | RESET_NOW);
    sleep_ms(WAIT_MS);
    cpu_triple_fault();
}
