/* Keys at start: F2 set-up, F12 the boot menu. */
#include "bda.h"
#include "boot.h"
#include "console.h"
#include "entry.h"
#include "floppy.h"
#include "kbd.h"

enum { TICKS_PER_SECOND = 18, BAR = 0x70, PLAIN = 0x07 };
enum { SCAN_ESC = 0x01, SCAN_ENTER = 0x1C, SCAN_F2 = 0x3C, SCAN_UP = 0x48, SCAN_DOWN = 0x50,
       SCAN_F12 = 0x86 };

u16 menu_key(void)
{
    struct call_regs r = {.eax = 0x1000};
    call_int(0x16, &r);
    return r.ax;
}

/* The key that would come next, 0 when none is there. */
static u16 peek(void)
{
    struct call_regs r = {.eax = 0x1100};
    call_int(0x16, &r);
    return r.flags & FLAG_ZF ? 0 : r.ax;
}

void menu_slot(u8 slot)
{
    con_printf("%s", slot_name(slot));
    con_fill(26);
    if (slot == SLOT_FLOPPY)
        con_printf("%s", floppy_name(floppy_type(0)));
    if (slot_drive(slot) < 0)
        return;
    const struct drive *d = drive_get((unsigned)slot_drive(slot));
    if (d->kind == DRIVE_DISK)
        con_printf("%s, %u MiB", d->model, (u32)(d->sectors >> 11));
    else
        con_printf("%s%s", d->kind == DRIVE_CD ? "CD, " : "no drive", d->kind == DRIVE_CD ? d->model : "");
}

static void boot_menu(void)
{
    u8 slot[NR_SLOTS];
    unsigned n = 0, at = 0;
    for (u8 s = SLOT_ROM; s <= SLOT_LAST; s++) {
        if (boot_slot_present(s))
            slot[n++] = s;
    }
    console_clear();
    con_printf("Spark boot menu\n\n");
    if (n == 0)
        con_printf("  There is nothing to boot from.\n");
    con_at((u8)(n + 3), 0, PLAIN);
    con_printf("Arrow keys and Enter, or a digit: boot from it now\nF2: set-up   Esc: boot as usual");
    for (;;) {
        for (unsigned i = 0; i < n; i++) {
            con_at((u8)(2 + i), 2, i == at ? BAR : PLAIN);
            con_printf(" %u  ", i + 1);
            menu_slot(slot[i]);
            con_fill(78);
        }
        u16 key = menu_key();
        u8 scan = (u8)(key >> 8), c = (u8)key;
        if (scan == SCAN_ESC)
            break;
        if (scan == SCAN_UP && at > 0)
            at--;
        if (scan == SCAN_DOWN && at + 1 < n)
            at++;
        if (c >= '1' && c < '1' + n)
            at = c - '1';
        if (n != 0 && (scan == SCAN_ENTER || (c >= '1' && c < '1' + n))) {
            boot_load_order(slot[at]);
            break;
        }
        if (scan == SCAN_F2) {
            setup_screen();
            return;
        }
    }
    console_clear();
}

void boot_offer_menu(void)
{
    struct settings s;
    settings_load(&s);
    if (!con_has_screen() || !kbc_ok())
        return;
    con_printf("F2: set-up   F12: boot menu\n");
    u32 start = bda32(BDA_TICKS);
    u16 key;
    while ((key = peek()) == 0 && bda32(BDA_TICKS) - start < s.wait * TICKS_PER_SECOND)
        irq_halt();
    if (key >> 8 != SCAN_F2 && key >> 8 != SCAN_F12)
        return; /* it is for what boots */
    menu_key();
    if (key >> 8 == SCAN_F2)
        setup_screen();
    else
        boot_menu();
}
