/*
 * Page tables as text. They are read as the guest has left them in memory; what its TLB still
 * remembers otherwise is not shown. SDM 3A chapter 4.
 */
#include "machine/debug.h"
#include "machine/inspect.h"
#include "machine/pc.h"
#include <inttypes.h>

enum {
    P = 1,
    W = 2,
    U = 4,
    PWT = 8,
    PCD = 16,
    A = 32,
    D = 64,
    PS = 128,
    G = 256,
    RIGHTS = U | W | P
};
#define NX BIT(63)

/* One leaf: a page of 4 KiB, 2 or 4 MiB, or 1 GiB. */
struct leaf {
    u64 lin, pa, size, entry;
    u64 rights; /* of all levels together: RIGHTS */
};

struct visit {
    struct machine *m;
    void (*leaf)(struct visit *, const struct leaf *);
    FILE *f;
    bool pse; /* of two-level paging */
    unsigned entry_size, index_bits;
    struct leaf run; /* of inspect_mem and inspect_tab: what is being put together */
    bool running;
};

static u64 page_frame(const struct visit *v, u64 e, unsigned level)
{
    u64 size = BIT(12 + v->index_bits * level);

    if (v->entry_size == 4)
        return level ? (e & 0xffc00000) | bits(e, 20, 13) << 32 : e & 0xfffff000;
    return e & 0xffffffffff000ull & ~(size - 1);
}

static void table(struct visit *v, u64 pa, unsigned level, u64 lin, u64 rights)
{
    u8 entries[4096];
    unsigned nr = v->index_bits == 9 && level == 2 && !(machine_pc(v->m)->cpu.mode & MODE_LMA)
                      ? 4
                      : 1u << v->index_bits;

    if (machine_peek_phys(v->m, pa, entries, nr * v->entry_size) != nr * v->entry_size)
        return;
    for (unsigned i = 0; i < nr; i++) {
        u64 e = load_le(entries + i * v->entry_size, v->entry_size);
        u64 at = lin | (u64)i << (12 + v->index_bits * level);
        bool pdpte = nr == 4; /* has no rights and no page size */

        if (!(e & P))
            continue;
        if (level == 0 || (!pdpte && level < 3 && (e & PS) && v->pse)) {
            struct leaf l = {.lin = at,
                             .pa = page_frame(v, e, level),
                             .entry = e,
                             .size = BIT(12 + v->index_bits * level),
                             .rights = rights & e & RIGHTS};

            if (nr != 4 && v->entry_size == 8 && (machine_pc(v->m)->cpu.mode & MODE_LMA))
                l.lin = (u64)((i64)(at << 16) >> 16);
            v->leaf(v, &l);
        } else {
            table(v, v->entry_size == 4 ? e & 0xfffff000 : e & 0xffffffffff000ull, level - 1, at,
                  pdpte ? rights : rights & e);
        }
    }
}

/* false: there is no paging. */
static bool visit(struct visit *v)
{
    const struct cpu *c = &machine_pc(v->m)->cpu;

    if (!(c->cr0 & CR0_PG))
        return false;
    if ((c->mode & MODE_LMA) || (c->cr4 & CR4_PAE)) {
        v->entry_size = 8;
        v->index_bits = 9;
        v->pse = true;
        if (c->mode & MODE_LMA)
            table(v, c->cr3 & 0xffffffffff000ull, 3, 0, RIGHTS);
        else
            table(v, c->cr3 & 0xffffffe0, 2, 0, RIGHTS);
    } else {
        v->entry_size = 4;
        v->index_bits = 10;
        v->pse = c->cr4 & CR4_PSE;
        table(v, c->cr3 & 0xfffff000, 1, 0, RIGHTS);
    }
    return true;
}

/* ---- info tlb ---- */

static void tlb_leaf(struct visit *v, const struct leaf *l)
{
    static const struct {
        u64 bit;
        char c;
    } flags[] = {{NX, 'X'},  {G, 'G'},   {PS, 'P'}, {D, 'D'}, {A, 'A'},
                 {PCD, 'C'}, {PWT, 'T'}, {U, 'U'},  {W, 'W'}};
    char text[ARRAY_LEN(flags) + 1] = "";

    for (unsigned i = 0; i < ARRAY_LEN(flags); i++) {
        bool has = l->entry & flags[i].bit;

        if (flags[i].bit == PS && l->size == 4096) /* there it is PAT */
            has = false;
        text[i] = has ? flags[i].c : '-';
    }
    fprintf(v->f, "%016" PRIx64 ": %016" PRIx64 " %s\n", l->lin, l->pa, text);
}

void inspect_tlb(struct machine *m, FILE *f)
{
    struct visit v = {.m = m, .leaf = tlb_leaf, .f = f};

    if (!visit(&v))
        fputs("PG disabled\n", f);
}

/* ---- info mem ---- */

static void put_rights(struct visit *v)
{
    const struct leaf *r = &v->run;

    if (v->running)
        fprintf(v->f, "%016" PRIx64 "-%016" PRIx64 " %016" PRIx64 " %c%c%c\n", r->lin,
                r->lin + r->size, r->size, r->rights & U ? 'u' : '-', 'r',
                r->rights & W ? 'w' : '-');
}

static void mem_leaf(struct visit *v, const struct leaf *l)
{
    if (v->running && v->run.lin + v->run.size == l->lin && v->run.rights == l->rights) {
        v->run.size += l->size;
        return;
    }
    put_rights(v);
    v->run = *l;
    v->running = true;
}

void inspect_mem(struct machine *m, FILE *f)
{
    struct visit v = {.m = m, .leaf = mem_leaf, .f = f};

    if (!visit(&v))
        fputs("PG disabled\n", f);
    put_rights(&v);
}

/* ---- info tab ---- */

static void put_target(struct visit *v)
{
    const struct leaf *r = &v->run;

    if (v->running)
        fprintf(v->f, "0x%016" PRIx64 "-0x%016" PRIx64 " -> 0x%012" PRIx64 "-0x%012" PRIx64 "\n",
                r->lin, r->lin + r->size - 1, r->pa, r->pa + r->size - 1);
}

static void tab_leaf(struct visit *v, const struct leaf *l)
{
    if (v->running && v->run.lin + v->run.size == l->lin && v->run.pa + v->run.size == l->pa) {
        v->run.size += l->size;
        return;
    }
    put_target(v);
    v->run = *l;
    v->running = true;
}

void inspect_tab(struct machine *m, FILE *f)
{
    struct visit v = {.m = m, .leaf = tab_leaf, .f = f};
    const struct cpu *c = &machine_pc(m)->cpu;

    if (!(c->cr0 & CR0_PG)) {
        fputs("paging is off\n", f);
        return;
    }
    fprintf(f, "cr3: 0x%012" PRIx64 "\n", c->cr3);
    visit(&v);
    put_target(&v);
}
