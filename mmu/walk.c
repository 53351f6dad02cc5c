/*
 * The page walker: 2-, 3- and 4-level paging with PSE, PSE-36, NX, WP, global pages and the
 * accessed and dirty bits. SDM 3A chapter 4; APM 2 chapter 5.
 * SMEP and SMAP.
 *
 * UNIMPL: protection keys.
 */
#include "core/mem_view.h"
#include "cpu/operand.h"
#include "mmu/walk.h"

enum pte_bit {
    PTE_P = 1, PTE_W = 2, PTE_U = 4, PTE_A = 32, PTE_D = 64, PTE_PS = 128, PTE_G = 256,
};
#define PTE_NX   (1ull << 63)
#define PHYS_MAX 40 /* MAXPHYADDR, as CPUID 80000008h says */

/* How one paging mode descends. */
struct paging {
    u8 levels, entry_size, index_bits;
};

/* Reserved bits of an entry: SDM 3A tables 4-2 to 4-20. */
static inline u64 reserved_bits(const struct cpu *c, const struct paging *p, unsigned level, u64 e)
{
    u64 r = 0;
    bool large = level > 0 && (e & PTE_PS);

    if (p->entry_size == 4) {
        if (large && (c->cr4 & CR4_PSE))
            return e & (1u << 21);
        return 0;
    }
    r = (0xfffffffffffffull >> PHYS_MAX << PHYS_MAX) & 0xfffffffffffffull;
    if (!(c->msr.efer & EFER_NXE))
        r |= PTE_NX;
    if (!(c->mode & MODE_LMA))
        r |= 0x7ff0000000000000ull; /* PAE: bits 62..52 */
    if (level == 3)
        r |= PTE_PS;
    if (level == 2 && large)
        r |= cpu_offers(c, FEAT_PDPE1GB) ? 0x3fffe000 : PTE_PS;
    if (level == 1 && large)
        r |= 0x1fe000;
    return e & r;
}

/* Entries do not cross pages. */
static u64 read_entry(struct cpu *c, u64 pa, unsigned size)
{
    struct mem_view *v = c->cfg.view;
    u64 off = mem_view_page(v, pa).read_off;

    return LIKELY(off < MEM_PASS) ? load_le(v->backing + off + (pa & 0xfff), size) : mem_read(v, pa, size);
}

static void set_bits(struct cpu *c, u64 pa, u64 e, u64 set, unsigned size)
{
    if ((e & set) != set)
        mem_write(c->cfg.view, pa, e | set, size);
}

/* PERF: a copy of it for each paging mode. */
static inline __attribute__((always_inline)) bool descend(struct cpu *c, u64 lin, unsigned access, bool user, bool commit,
                                                          struct walk *w, const struct paging p)
{
    u64 table = c->cr3 & (p.entry_size == 4 ? 0xfffff000ull : 0xfffffffff000ull);
    u64 entry_pa[4] = { 0 }, entry[4] = { 0 };
    bool write = (access & ACC_KIND) == ACC_WRITE, exec = (access & ACC_KIND) == ACC_EXEC;
    bool w_ok = true, u_ok = true, nx = false, pae3 = p.levels == 3;
    unsigned level = p.levels - 1u, leaf;
    u32 err = (write ? 2 : 0) | (user ? 4 : 0) |
              (exec && (((c->cr4 & CR4_PAE) && (c->msr.efer & EFER_NXE)) || (c->cr4 & CR4_SMEP))
                   ? 16 : 0);

    if (pae3) {
        entry[2] = c->pdpte[(lin >> 30) & 3];
        if (!(entry[2] & PTE_P)) {
            w->error = err;
            return false;
        }
        table = entry[2] & 0xfffffff000ull;
        level = 1;
    }
    for (;; level--) {
        unsigned shift = 12 + p.index_bits * level;
        u64 e;

        entry_pa[level] = table + ((lin >> shift) & ((1u << p.index_bits) - 1)) * p.entry_size;
        e = entry[level] = read_entry(c, entry_pa[level], p.entry_size);
        if (!(e & PTE_P)) {
            w->error = err;
            return false;
        }
        if (reserved_bits(c, &p, level, e)) {
            w->error = err | 1 | 8;
            return false;
        }
        w_ok = w_ok && (e & PTE_W);
        u_ok = u_ok && (e & PTE_U);
        nx = nx || (p.entry_size == 8 && (e & PTE_NX));
        if (level == 0 || ((e & PTE_PS) && (p.entry_size == 8 || (c->cr4 & CR4_PSE))))
            break;
        table = e & (p.entry_size == 4 ? 0xfffff000ull : 0xfffffffff000ull);
    }
    leaf = level;
    nx = nx && (c->msr.efer & EFER_NXE);
    w->flags = (u8)((w_ok ? TLB_W : 0) | (u_ok ? TLB_U : 0) | (nx ? TLB_NX : 0));
    if (commit && !walk_permits(c, w->flags, access, user)) {
        w->error = err | 1;
        return false;
    }
    {
        u64 e = entry[leaf], page = BIT(12 + p.index_bits * leaf) - 1, base;

        if (p.entry_size == 4) {
            base = leaf ? (e & 0xffc00000) | bits(e, 20, 13) << 32 : e & 0xfffff000;
        } else {
            base = e & 0xfffffffff000ull & ~page;
        }
        w->pa = base | (lin & page & ~0xfffull);
    }
    w->level = (u8)leaf;
    if ((entry[leaf] & PTE_G) && (c->cr4 & CR4_PGE))
        w->flags |= TLB_G;
    if ((entry[leaf] & PTE_D) || write)
        w->flags |= TLB_D;
    if (commit) {
        for (unsigned l = pae3 ? 1u : p.levels - 1u;; l--) {
            set_bits(c, entry_pa[l], entry[l], PTE_A | (l == leaf && write ? PTE_D : 0),
                     p.entry_size);
            if (l == leaf)
                break;
        }
    }
    return true;
}

bool walk(struct cpu *c, u64 lin, unsigned access, bool user, bool commit, struct walk *w)
{
    if (c->mode & MODE_LMA)
        return descend(c, lin, access, user, commit, w, (struct paging){ 4, 8, 9 });
    if (c->cr4 & CR4_PAE)
        return descend(c, lin, access, user, commit, w, (struct paging){ 3, 8, 9 });
    return descend(c, lin, access, user, commit, w, (struct paging){ 2, 4, 10 });
}

bool walk_permits(const struct cpu *c, u8 flags, unsigned access, bool user)
{
    if (user && !(flags & TLB_U))
        return false;
    if ((access & ACC_KIND) == ACC_WRITE && !(flags & TLB_W) && (user || (c->cr0 & CR0_WP)))
        return false;
    if ((access & ACC_KIND) == ACC_EXEC)
        return !(flags & TLB_NX) && !((c->cr4 & CR4_SMEP) && !user && (flags & TLB_U));
    /* SMAP: no data of a user page, unless EFLAGS.AC says that it is meant (SDM 3A 4.6.1). */
    return !((c->cr4 & CR4_SMAP) && !user && (flags & TLB_U) &&
             ((access & ACC_SYS) || !(c->eflags & F_AC)));
}

void mmu_load_pdptes(struct cpu *c, u64 cr3, u64 out[4])
{
    for (unsigned i = 0; i < 4; i++) {
        out[i] = mem_read(c->cfg.view, (cr3 & 0xffffffe0) + 8 * i, 8);
        /* Bits 2..1, 8..5 and 63..MAXPHYADDR are reserved (SDM 3A table 4-8). */
        if ((out[i] & PTE_P) && (out[i] & (0x1e6 | ~0ull << PHYS_MAX)))
            cpu_raise(c, EXC_GP, 0);
    }
}
