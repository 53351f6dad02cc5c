/* See tests/fuzz/rig.h. */
#include "tests/fuzz/rig.h"
#include "cpu/segment.h"
#include "machine/pc.h"
#include "mmu/mmu.h"
#include "tests/fuzz/fuzz.h"

enum { /* in RAM, physical and linear */
    GDT = 0x1000, IDT = 0x2000, TSS = 0x3000, STACK0 = 0x6000, STACK3 = 0x7000, PML4 = 0x10000,
    PDPT = 0x11000, PDS = 0x12000, BIOS_BYTES = 64 << 10,
};
enum { CODE32_0 = 0x08, DATA_0 = 0x10, CODE32_3 = 0x1b, DATA_3 = 0x23, CODE64_0 = 0x28,
       CODE64_3 = 0x33, CODE16_0 = 0x38, TSS_SEL = 0x40 };

static void poke(struct pc *pc, u64 pa, u64 v, unsigned size)
{
    store_le(pc->view.backing + pa, v, size);
}

static void fill_gdt(struct pc *pc)
{
    static const u64 flat[] = {
        0,
        0x00cf9b000000ffff, 0x00cf93000000ffff, /* 32-bit code, data; level 0 */
        0x00cffb000000ffff, 0x00cff3000000ffff, /* level 3 */
        0x00af9b000000ffff, 0x00affb000000ffff, /* 64-bit code, levels 0 and 3 */
        0x00009b000000ffff,                     /* 16-bit code */
        0x00008b0000000067 | (u64)TSS << 16, 0, /* TSS */
    };

    for (unsigned i = 0; i < ARRAY_LEN(flat); i++)
        poke(pc, GDT + 8 * i, flat[i], 8);
    poke(pc, TSS + 4, STACK0, 8); /* ESP0 or RSP0 */
    poke(pc, TSS + 8, pc->cpu.msr.efer & EFER_LMA ? 0 : DATA_0, 4);
    poke(pc, TSS + 0x24, STACK0 - 0x800, 8);
    poke(pc, TSS + 0x66, 0x68, 2);
}

static void fill_idt(struct pc *pc, size_t len)
{
    bool lma = pc->cpu.msr.efer & EFER_LMA;

    for (unsigned v = 0; v < 256; v++) {
        u64 at = RIG_CODE + (len ? v * 37 % len : 0);
        u64 low = (at & 0xffff) | (u64)(lma ? CODE64_0 : CODE32_0) << 16 | 0xee0000000000ull;

        if (!(pc->cpu.cr0 & CR0_PE))
            poke(pc, 4 * v, at, 4);
        else if (lma)
            poke(pc, IDT + 16 * v, low, 8);
        else
            poke(pc, IDT + 8 * v, low, 8);
    }
}

/* The first 4 GiB one to one in pages of 2 MiB, open to everybody. */
static void fill_page_tables(struct pc *pc, bool lma)
{
    if (lma)
        poke(pc, PML4, PDPT | 7, 8);
    for (unsigned i = 0; i < 4; i++)
        poke(pc, PDPT + 8 * i, (PDS + 0x1000 * i) | (lma ? 7 : 1), 8);
    for (unsigned i = 0; i < 2048; i++)
        poke(pc, PDS + 8 * i, (u64)i << 21 | 0x87, 8);
}

static void set_segments(struct pc *pc, u16 code, u16 data)
{
    struct cpu *c = &pc->cpu;

    for (unsigned s = 0; s < NR_SEGS; s++) {
        u16 sel = s == CS ? code : data;

        c->seg[s] = seg_from_desc(sel, load_le(pc->view.backing + GDT + (sel & ~7u), 8));
    }
    c->cpl = code & 3;
}

static void set_mode(struct pc *pc, enum rig_mode mode, size_t len)
{
    struct cpu *c = &pc->cpu;
    bool lma = mode >= RIG_LONG, user = mode == RIG_USER || mode == RIG_LONG_USER;

    if (mode != RIG_REAL) {
        c->cr0 = CR0_PE | CR0_ET | CR0_NE | CR0_WP;
        c->msr.efer = lma ? EFER_LME | EFER_LMA | EFER_NXE | EFER_SCE : 0;
        c->gdtr = (struct dtable){ GDT, 0x4f };
        c->idtr = (struct dtable){ IDT, lma ? 0xfff : 0x7ff };
        fill_gdt(pc);
        set_segments(pc, lma ? (user ? CODE64_3 : CODE64_0) : user ? CODE32_3 : CODE32_0,
                     user ? DATA_3 : DATA_0);
        c->tr = seg_from_desc(TSS_SEL, load_le(pc->view.backing + GDT + TSS_SEL, 8));
    } else {
        for (unsigned s = 0; s < NR_SEGS; s++)
            seg_load_real(c, s, 0);
    }
    fill_idt(pc, len);
    if (lma || mode == RIG_PAGED) {
        fill_page_tables(pc, lma);
        c->cr4 = CR4_PAE | CR4_PGE;
        c->cr3 = lma ? PML4 : PDPT;
        for (unsigned i = 0; i < 4; i++)
            c->pdpte[i] = load_le(pc->view.backing + PDPT + 8 * i, 8);
        c->cr0 |= CR0_PG;
    }
    c->rip = RIG_CODE;
    c->gpr[RSP] = user ? STACK3 : STACK0 - 0x100;
    cpu_set_flags(c, (user ? F_IOPL : 0) | 2 | F_I);
    cpu_update_mode(c);
    mmu_flush_all(c);
}

struct machine *rig_create(const u8 *code, size_t len, enum rig_mode mode, struct blockdev *disk)
{
    static u8 bios[BIOS_BYTES];
    struct fuzz_file file;
    struct machine_config cfg = { 0 };
    char err[MACHINE_ERR_LEN];
    struct machine *m;

    ASSERT(len <= RIG_CODE_MAX);
    memset(bios, 0xf4, sizeof(bios)); /* HLT, should anything get there */
    file = fuzz_file(bios, sizeof(bios));
    machine_config_defaults(&cfg);
    cfg.ram_bytes = RIG_RAM;
    cfg.bios_path = file.path;
    cfg.disk[0] = disk;
    cfg.exit_device = true;
    cfg.log_file = fuzz_quiet();
    cfg.log_mask = LOG_GUEST_ERRORS | LOG_UNIMP;
    stderr = fuzz_quiet(); /* reports of triple faults; sanitizers write to descriptor 2 */
    m = machine_create(&cfg, err);
    fuzz_file_close(&file);
    ASSERT(m);
    memcpy(machine_pc(m)->view.backing + RIG_CODE, code, len);
    set_mode(machine_pc(m), mode, len);
    return m;
}

bool rig_run(struct machine *m, u64 instructions, enum machine_stop *stop)
{
    struct machine_limit limit = { .max_ticks = machine_ticks(m) + 500 * instructions,
                                   .max_icount = machine_icount(m) + instructions,
                                   .until_port = -1 };

    *stop = machine_run(m, &limit);
    return *stop == MACHINE_SLICE_DONE || *stop == MACHINE_RESET;
}
