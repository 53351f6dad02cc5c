/* Option ROMs: found at C0000h to DFFFFh, or behind a PCI ROM BAR or in fw_cfg, from where they are
 * copied to shadow RAM.
 *
 * A ROM is 55 AA, its size in 512 bytes, and an entry at offset 3; its bytes add up to 0. PCI ROMs
 * are entered with AX = bus/device/function (PCI Firmware Specification 3.0, 5.2).
 * Shadow RAM needs the host bridge's PAM1 to PAM4: each nibble is 16 KiB, bit 0 lets reads and
 * bit 1 lets writes reach RAM. */
#include "rom.h"
#include "bda.h"
#include "console.h"
#include "entry.h"
#include "pci.h"
#include "tables.h"

enum { ROM_START = 0xC000, ROM_END = 0xE000, CHUNK = 0x400, STEP_2K = 0x80, BOOT_ENTRIES = 4 };
enum { ROM_PNP = 0x1A, PNP_CONNECT = 0x16, PNP_BOOT = 0x1A }; /* pointers: to the $PnP header; in it, to entries */

extern u8 pam_saved[4];
static u16 next_free = ROM_START; /* where the next ROM may be copied */
static struct { bool net; u16 seg, off; } boot_entry[BOOT_ENTRIES];
static unsigned nr_boot_entries;

/* Access of the 16 KiB chunk that holds `seg`: 0 ROM, 1 read RAM, 3 read and write RAM. */
static void pam_set(u16 seg, u8 access)
{
    unsigned chunk = (unsigned)(seg - ROM_START) / CHUNK;
    u8 reg = (u8)(pam_base + 1 + chunk / 2);
    u8 v = pci_read8(0, reg);
    v = chunk & 1 ? (u8)((v & 0x0F) | access << 4) : (u8)((v & 0xF0) | access);
    pci_write8(0, reg, v);
}

static bool sum_is_zero(u16 seg, u32 len)
{
    u8 sum = 0;
    for (u32 i = 0; i < len; i++)
        sum = (u8)(sum + peek8(seg, i));
    return sum == 0;
}

static u32 rom_length(u16 seg)
{
    return peek16(seg, 0) == 0xAA55 ? peek8(seg, 2) * 512u : 0;
}

static void enter(u16 seg, u16 bdf)
{
    struct call_regs r = {0};
    r.cs = seg;
    r.ip = 3;
    r.ax = bdf;
    r.ebx = 0xFFFF;
    r.edx = 0xFFFF;
    if (pam_base != 0) { /* ES:DI: a Plug and Play BIOS; bootstrap entries need not hook INT 19h */
        r.es = 0xF000;
        r.edi = (u32)anchor_pnp;
    }
    far_call(&r);
}

static bool fits_below_end(u32 len)
{
    return len != 0 && ((u32)next_free << 4) + len <= (u32)ROM_END << 4;
}

/* Makes len bytes from next_free on writable shadow RAM. */
static void open_shadow(u32 len)
{
    for (u32 seg = next_free & ~(CHUNK - 1u); seg < next_free + (len >> 4); seg += CHUNK)
        pam_set((u16)seg, 3);
}

/* Copies the ROM of a PCI function to shadow RAM at next_free; its length, 0 if it has none. */
static u32 copy_pci_rom(u16 bdf)
{
    u32 old = pci_read32(bdf, PCI_ROM);
    pci_write32(bdf, PCI_ROM, 0xFFFFF800);
    u32 mask = pci_read32(bdf, PCI_ROM) & 0xFFFFF800;
    if (mask == 0 || mask == 0xFFFFF800) {
        pci_write32(bdf, PCI_ROM, old);
        return 0;
    }
    u32 at = pci_mem_free(~mask + 1), len = 0;
    u16 command = pci_read16(bdf, PCI_COMMAND);
    pci_write32(bdf, PCI_ROM, at | 1);
    pci_write16(bdf, PCI_COMMAND, command | PCI_CMD_MEM);
    flat_begin();
    u32 head = flat_read32(at);
    if ((head & 0xFFFF) == 0xAA55)
        len = (head >> 16 & 0xFF) * 512;
    bool fits = fits_below_end(len);
    if (fits) {
        u32 to = (u32)next_free << 4;
        open_shadow(len);
        for (u32 i = 0; i < len; i += 4)
            flat_write32(to + i, flat_read32(at + i));
    }
    flat_end();
    pci_write32(bdf, PCI_ROM, at & 0xFFFFF800);
    pci_write32(bdf, PCI_ROM, 0);
    pci_write16(bdf, PCI_COMMAND, command);
    return fits ? len : 0;
}

static bool start_at(u16 seg, u32 len, u16 bdf)
{
    if (!sum_is_zero(seg, len)) {
        post_fail("rom", "checksum of the option ROM at %04X0h is wrong", seg);
        return false;
    }
    enter(seg, bdf);
    return true;
}

bool rom_start_video(void)
{
    u16 bdf = pci_find_class(0x0300);
    u32 own = (u32)peek16(0, 0x10 * 4 + 2);
    if (bdf != 0xFFFF && pam_base != 0) {
        u32 len = copy_pci_rom(bdf);
        if (len != 0 && rom_length(ROM_START) == len) {
            start_at(ROM_START, len, bdf);
            next_free = (u16)(ROM_START + ((len + 2047) / 2048) * STEP_2K);
        }
    }
    if (next_free == ROM_START && rom_length(ROM_START) != 0) {
        u32 len = rom_length(ROM_START);
        start_at(ROM_START, len, bdf);
        /* Shadow RAM would hide the ROM: PCI ROMs go into the chunks after it. */
        next_free = (u16)(ROM_START + ((len + 16383) / 16384) * CHUNK);
    }
    return peek16(0, 0x10 * 4 + 2) != own;
}

/* A ROM's bootstrap entry (BEV) in its $PnP header, which initialisation may have changed. */
static void note_boot_entry(u16 seg, bool net)
{
    u16 pnp = peek16(seg, ROM_PNP), connect = peek16(seg, pnp + PNP_CONNECT), off = peek16(seg, pnp + PNP_BOOT);
    if (pnp == 0 || peek32(seg, pnp) != 0x506E5024) /* $PnP */
        return;
    if (connect != 0) { /* it hooks INT 13h for its drives */
        struct call_regs r = {.es = 0xF000, .edi = (u32)anchor_pnp, .ebx = 0xFFFF, .edx = 0xFFFF};
        r.cs = seg;
        r.ip = connect;
        far_call(&r);
    }
    if (off == 0 || nr_boot_entries == BOOT_ENTRIES)
        return;
    boot_entry[nr_boot_entries].net = net;
    boot_entry[nr_boot_entries].seg = seg;
    boot_entry[nr_boot_entries++].off = off;
}

/* Initialises the ROM at next_free, which may shrink then, and goes on behind it. */
static bool start_next(u32 len, u16 bdf, bool net)
{
    if (!start_at(next_free, len, bdf))
        return false;
    note_boot_entry(next_free, net);
    len = peek8(next_free, 2) * 512u;
    next_free = (u16)(next_free + ((len + 2047) / 2048) * STEP_2K);
    return true;
}

/* The ROMs of fw_cfg were asked for by the user: their bootstrap entries come before the disks. */
static void start_fwcfg_roms(void)
{
    u32 len;
    for (unsigned n = 0; (len = fwcfg_rom_select(n)) != 0; n++) {
        u16 seg = next_free;
        len &= ~511u;
        if (!fits_below_end(len))
            continue;
        open_shadow(len);
        flat_begin();
        for (u32 i = 0; i < len; i += 4)
            flat_write32(((u32)seg << 4) + i, fwcfg_rom_next());
        flat_end();
        if (rom_length(seg) <= len)
            start_next(len, 0, false);
    }
}

bool rom_boot_entry(bool net, unsigned n, u16 *seg, u16 *off)
{
    for (unsigned i = 0; i < nr_boot_entries; i++) {
        if (boot_entry[i].net != net || n-- != 0)
            continue;
        *seg = boot_entry[i].seg;
        *off = boot_entry[i].off;
        return true;
    }
    return false;
}

void rom_scan_others(void)
{
    /* ROMs of other PCI devices first: shadow RAM reads as it was before. */
    if (pam_base != 0) {
        for (u16 bdf = pci_first(); bdf != 0xFFFF; bdf = pci_next(bdf)) {
            if (pci_read32(bdf, PCI_CLASS) >> 16 == 0x0300 ||
                (pci_read8(bdf, PCI_HEADER) & 0x7F) != 0)
                continue;
            u32 len = copy_pci_rom(bdf);
            if (len != 0)
                start_next(len, bdf, true);
        }
        start_fwcfg_roms();
    }
    for (u32 seg = next_free; seg < ROM_END; ) {
        u32 len = rom_length((u16)seg);
        if (len == 0) {
            seg += STEP_2K;
            continue;
        }
        if (start_at((u16)seg, len, 0))
            note_boot_entry((u16)seg, true);
        seg += ((len + 2047) / 2048) * STEP_2K;
    }
}

void rom_protect(void)
{
    if (pam_base == 0)
        return;
    for (u8 i = 0; i < 4; i++) {
        u8 reg = (u8)(pam_base + 1 + i);
        u8 v = pci_read8(0, reg) & 0x11; /* RAM that was written stays RAM, read-only */
        pam_saved[i] = v;
        pci_write8(0, reg, v);
    }
    pci_write8(0, pam_base, 0x10);
}
