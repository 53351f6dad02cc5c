/* The machine's processors and interrupt controllers, for the tables.
 *
 * Processors are counted by starting them (MultiProcessor Specification 1.4, B.4): INIT and STARTUP
 * to all others, which note their APIC id (ap_start in entry.S) and halt; INIT is what an OS sends
 * them next. Where firmware tables of the emulator (fw_cfg, CMOS 5Fh) say that there is one
 * processor, nobody is woken. */
#include "board.h"
#include "chips.h"
#include "console.h"
#include "entry.h"
#include "io.h"
#include "pci.h"

enum {
    LAPIC_ID = 0x20,
    LAPIC_VERSION = 0x30,
    LAPIC_ICR = 0x300,
    ICR_ALL_BUT_SELF = 3 << 18,
    ICR_INIT = 0x4500,
    ICR_STARTUP = 0x4600,
    IOAPIC_ID = 0,
    IOAPIC_VERSION = 1,
    EFLAGS_ID = 1 << 21,
    CMOS_CPUS = 0x5F, /* Bochs and QEMU: number of processors - 1 */
    FDC_STATUS = 0x3F4,
};

static struct board board;
u8 ap_id[CPUS_MAX];      /* entry.S: ap_start; ORDER: CPUS_MAX there */
volatile u8 ap_count;    /* numbers given out */
volatile u8 ap_finished; /* numbers whose id is written */

const struct board *board_get(void)
{
    return &board;
}

static bool has_cpuid(void)
{
    u32 before, after;
    __asm__ volatile("pushfl\n\tpopl %0\n\tmovl %0, %1\n\txorl %2, %1\n\tpushl %1\n\tpopfl\n\t"
                     "pushfl\n\tpopl %1\n\tpushl %0\n\tpopfl"
                     : "=&r"(before), "=&r"(after)
                     : "i"(EFLAGS_ID)
                     : "cc");
    return ((before ^ after) & EFLAGS_ID) != 0;
}

static void raw_cpuid(u32 leaf, u32 out[4])
{
    __asm__ volatile("cpuid"
                     : "=a"(out[0]), "=b"(out[1]), "=c"(out[2]), "=d"(out[3])
                     : "0"(leaf), "2"(0));
}

void cpuid(u32 leaf, u32 out[4])
{
    out[0] = out[1] = out[2] = out[3] = 0;
    if (!has_cpuid())
        return;
    u32 top[4];
    raw_cpuid(leaf & 0x80000000u, top);
    if (leaf <= top[0] && (top[0] ^ leaf) < 0x80000000u)
        raw_cpuid(leaf, out);
}

static void name_processor(void)
{
    u32 v[4];
    cpuid(0, v);
    u32 *vendor = (u32 *)board.cpu_vendor, *brand = (u32 *)board.cpu_brand;
    vendor[0] = v[1];
    vendor[1] = v[3];
    vendor[2] = v[2];
    for (u32 i = 0; i < 3; i++)
        cpuid(0x80000002u + i, brand + 4 * i);
    cpuid(1, v);
    board.cpu_signature = v[0];
    board.cpu_features = v[3];
}

static u32 ioapic(u32 reg)
{
    flat_write32(IOAPIC_PA, reg);
    return flat_read32(IOAPIC_PA + 0x10);
}

/* An address where nobody answers reads as all ones or all zeros. */
static void find_chips(void)
{
    flat_begin();
    if (board.cpu_features & FEATURE_APIC) {
        u32 version = flat_read32(LAPIC_PA + LAPIC_VERSION);
        board.lapic = version != 0xFFFFFFFF && (version & 0xFF) != 0;
        board.lapic_version = (u8)version;
        board.apic_id[0] = (u8)(flat_read32(LAPIC_PA + LAPIC_ID) >> 24);
    }
    u32 version = ioapic(IOAPIC_VERSION);
    if (version != 0xFFFFFFFF && version != 0 && ioapic(IOAPIC_VERSION) == version) {
        board.ioapic = true;
        board.ioapic_version = (u8)version;
        board.ioapic_pins = (u8)((version >> 16 & 0xFF) + 1);
    }
    u32 hpet = flat_read32(HPET_PA), period = flat_read32(HPET_PA + 4);
    /* IA-PC HPET 1.0a, 2.3.4: revision not 0, period at most 100 ns */
    if (hpet != 0xFFFFFFFF && (hpet & 0xFF) != 0 && period != 0 && period <= 0x05F5E100)
        board.hpet_id = hpet;
    flat_end();
}

static void count_processors(void)
{
    board.nr_cpus = 1;
    unsigned expected = fwcfg_cpus();
    if (expected == 0)
        expected = cmos_read(CMOS_CPUS) + 1u;
    if (!board.lapic || expected == 1 || expected > 255 || dseg_copy != 0xE000)
        return;
    flat_begin();
    flat_write32(LAPIC_PA + LAPIC_ICR, ICR_ALL_BUT_SELF | ICR_INIT);
    delay_us(10000);
    for (unsigned i = 0; i < 2; i++) {
        flat_write32(LAPIC_PA + LAPIC_ICR, ICR_ALL_BUT_SELF | ICR_STARTUP | 0xE8);
        delay_us(200);
    }
    flat_end();
    struct deadline d;
    deadline_start(&d, 100000);
    while (ap_finished + 1u < expected && !deadline_passed(&d))
        ;
    if (ap_finished + 1u < expected)
        post_fail("smp", "%u of %u processors answer", ap_finished + 1u, expected);
    for (unsigned i = 0; i < ap_finished && board.nr_cpus < CPUS_MAX; i++)
        board.apic_id[board.nr_cpus++] = ap_id[i];
}

/* Its id must differ from those of the processors (MP 1.4, 3.6.6: all ids are unique). */
static void number_ioapic(void)
{
    u8 id = 0;
    for (unsigned i = 0; i < board.nr_cpus; i++) {
        if (board.apic_id[i] >= id)
            id = (u8)(board.apic_id[i] + 1);
    }
    flat_begin();
    ioapic(IOAPIC_ID);
    flat_write32(IOAPIC_PA + 0x10, (u32)id << 24);
    board.ioapic_id = (u8)(ioapic(IOAPIC_ID) >> 24 & 0x0F);
    flat_end();
}

static const char *maker(void)
{
    if (fwcfg_present())
        return fwcfg_kiln() ? "Kiln" : "QEMU";
    return inb(0xE9) == 0xE9 ? "Bochs" : "unknown";
}

void board_probe(void)
{
    name_processor();
    find_chips();
    count_processors();
    if (board.ioapic)
        number_ioapic();
    board.i440fx = pci_present() && pci_read32(0, PCI_ID) == 0x12378086 &&
                   pci_read32(1 << 3, PCI_ID) == 0x70008086;
    board.pm = pci_find_id(0x71138086);
    board.floppy = inb(FDC_STATUS) != 0xFF;
    board.maker = maker();
}
