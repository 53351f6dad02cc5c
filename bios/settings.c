/* Settings in CMOS cells 60h to 6Fh, which neither a PC's firmware nor QEMU or Bochs uses:
 *     60h 'S' 'K', 62h version, 63h seconds of wait, 64h to 6Dh boot order, 6Eh sum of 60h to 6Dh.
 * The order has a slot in each half of a byte, the lower half first. A sum or a value that is none
 * brings the defaults: the battery was flat, or another wrote there. */
#include "settings.h"
#include "io.h"

enum { AT = 0x60, VERSION = 2, WAIT = 3, ORDER = 4, SUM = 14, ORDER_MAX = 20 };
enum class { CLASS_FLOPPY = 1, CLASS_DISK, CLASS_CD, CLASS_NET, NR_CLASSES = 4 }; /* as in CMOS */
enum { CMOS_BOOT_12 = 0x3D, CMOS_BOOT_3 = 0x38 };

static enum class class_of(u8 slot)
{
    if (slot == SLOT_FLOPPY)
        return CLASS_FLOPPY;
    if (slot == SLOT_NET)
        return CLASS_NET;
    return slot_drive(slot) >= 0 && drive_get((unsigned)slot_drive(slot))->kind == DRIVE_CD ? CLASS_CD
                                                                                           : CLASS_DISK;
}

static unsigned put_class(struct settings *s, unsigned n, u8 class)
{
    for (u8 slot = SLOT_ROM + 1; slot <= SLOT_LAST; slot++) {
        bool new = class_of(slot) == class;
        for (unsigned i = 0; i < n; i++)
            new = new && s->order[i] != slot;
        if (new)
            s->order[n++] = slot;
    }
    return n;
}

void settings_default(struct settings *s)
{
    static const u8 usual[NR_CLASSES] = {CLASS_DISK, CLASS_FLOPPY, CLASS_CD, CLASS_NET};
    u8 first = cmos_read(CMOS_BOOT_12), third = cmos_read(CMOS_BOOT_3);
    unsigned n = 0;
    s->order[n++] = SLOT_ROM;
    n = put_class(s, n, first & 15);
    n = put_class(s, n, first >> 4);
    n = put_class(s, n, third >> 4);
    for (unsigned i = 0; i < NR_CLASSES; i++)
        n = put_class(s, n, usual[i]);
    s->wait = 1;
}

/* A first class other than hard disks was asked for on the command line: it goes before all others
 * that set-up has. */
static void command_line(struct settings *s)
{
    u8 class = cmos_read(CMOS_BOOT_12) & 15;
    unsigned n = s->order[0] == SLOT_ROM; /* stays before it */
    if (class == CLASS_DISK)
        return;
    for (unsigned i = n; i < NR_SLOTS && s->order[i] != SLOT_NONE; i++) {
        u8 slot = s->order[i];
        if (class_of(slot) != class)
            continue;
        for (unsigned k = i; k > n; k--)
            s->order[k] = s->order[k - 1];
        s->order[n++] = slot;
    }
}

static u16 sum(void)
{
    u16 v = 0;
    for (u8 i = 0; i < SUM; i++)
        v = (u16)(v + cmos_read((u8)(AT + i)));
    return v;
}

static bool order_good(const u8 *order)
{
    u32 seen = 0;
    for (unsigned i = 0; i < NR_SLOTS; i++) {
        u8 slot = order[i];
        if (slot > SLOT_LAST || (slot != SLOT_NONE && (seen >> slot & 1)) ||
            (slot != SLOT_NONE && (seen & 1)))
            return false;
        seen |= 1u << slot;
    }
    return true;
}

void settings_load(struct settings *s)
{
    for (u8 i = 0; i < NR_SLOTS; i++)
        s->order[i] = cmos_read((u8)(AT + ORDER + i / 2)) >> 4 * (i & 1) & 15;
    s->wait = cmos_read(AT + WAIT);
    if (cmos_read(AT) != 'S' || cmos_read(AT + 1) != 'K' || cmos_read(AT + 2) != VERSION ||
        (cmos_read(AT + SUM) | cmos_read(AT + SUM + 1) << 8) != sum() || s->wait > WAIT_MAX ||
        !order_good(s->order))
        settings_default(s);
    else
        command_line(s);
}

void settings_store(const struct settings *s)
{
    cmos_write(AT, 'S');
    cmos_write(AT + 1, 'K');
    cmos_write(AT + 2, VERSION);
    cmos_write(AT + WAIT, s->wait);
    for (u8 i = 0; i < ORDER_MAX; i += 2) {
        u8 low = i < NR_SLOTS ? s->order[i] : SLOT_NONE;
        u8 high = i + 1 < NR_SLOTS ? s->order[i + 1] : SLOT_NONE;
        cmos_write((u8)(AT + ORDER + i / 2), (u8)(low | high << 4));
    }
    u16 v = sum();
    cmos_write(AT + SUM, (u8)v);
    cmos_write(AT + SUM + 1, (u8)(v >> 8));
}

const char *slot_name(u8 slot)
{
    static const char *const names[] = {"option ROM", "primary master", "primary slave",
                                        "secondary master", "secondary slave", "floppy A",
                                        "AHCI drive 0", "AHCI drive 1", "AHCI drive 2", "AHCI drive 3",
                                        "AHCI drive 4", "AHCI drive 5", "network"};
    return names[slot - SLOT_ROM];
}

int slot_drive(u8 slot)
{
    if (slot >= SLOT_IDE && slot < SLOT_IDE + IDE_DRIVES)
        return slot - SLOT_IDE;
    return slot >= SLOT_AHCI && slot < SLOT_AHCI + AHCI_DRIVES ? slot - SLOT_AHCI + IDE_DRIVES : -1;
}

u8 slot_of(const struct drive *d)
{
    unsigned i = 0;
    while (drive_get(i) != d)
        i++;
    return (u8)(i < IDE_DRIVES ? SLOT_IDE + i : SLOT_AHCI + i - IDE_DRIVES);
}
