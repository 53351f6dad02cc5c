/*
 * See gdb_jit.h. A batch of translations is one small ELF file in memory: symbols, and how to unwind. gdb reads
 * it when it attaches, or, if it is there already, when it stops in __jit_debug_register_code(). Each file costs
 * gdb time at every stop, so there is one for up to BATCH translations.
 *
 * The last batch is a valid file at any time, and grows in place: a gdb that attaches sees all. One that is
 * attached is told again when the batch has doubled, and when it is full.
 *
 * DEVIATION: all code is said to have the frame that `enter` makes (jit/thunks.c). For the first instructions of
 * thunks, for those that fill slots, and for the watchers of lock step and check=on that is not so.
 */
#include "jit/gdb_jit.h"
#include <elf.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

enum { BATCH = 1024, NAMES = 64 * BATCH };

/* ---- the interface: gdb knows these names and layouts ---- */

enum { JIT_NOACTION, JIT_REGISTER_FN, JIT_UNREGISTER_FN };

struct jit_code_entry {
    struct jit_code_entry *next_entry, *prev_entry;
    const char *symfile_addr;
    u64 symfile_size;
};

struct jit_descriptor {
    u32 version, action_flag;
    struct jit_code_entry *relevant_entry, *first_entry;
};

void __jit_debug_register_code(void);
/* One list for all machines of the process, as the interface has it. */
struct jit_descriptor __jit_debug_descriptor = { .version = 1 };

__attribute__((noinline, used)) void __jit_debug_register_code(void)
{
    __asm__ volatile("" ::: "memory"); /* gdb's breakpoint is here */
}

static void announce(struct jit_code_entry *e)
{
    struct jit_descriptor *d = &__jit_debug_descriptor;

    e->prev_entry = NULL;
    e->next_entry = d->first_entry;
    if (e->next_entry)
        e->next_entry->prev_entry = e;
    d->first_entry = d->relevant_entry = e;
    d->action_flag = JIT_REGISTER_FN;
    __jit_debug_register_code();
}

static void withdraw(struct jit_code_entry *e)
{
    struct jit_descriptor *d = &__jit_debug_descriptor;

    *(e->prev_entry ? &e->prev_entry->next_entry : &d->first_entry) = e->next_entry;
    if (e->next_entry)
        e->next_entry->prev_entry = e->prev_entry;
    d->relevant_entry = e;
    d->action_flag = JIT_UNREGISTER_FN;
    __jit_debug_register_code();
    d->relevant_entry = NULL;
    d->action_flag = JIT_NOACTION;
}

/* ---- a file ---- */

enum { SECTION_NULL, SECTION_TEXT, SECTION_SYMBOLS, SECTION_NAMES, SECTION_FRAME, SECTION_HEADINGS, NR_SECTIONS };
static const char headings[] = "\0.text\0.symtab\0.strtab\0.debug_frame\0.shstrtab";
static const u8 heading_at[NR_SECTIONS] = { [SECTION_TEXT] = 1, [SECTION_SYMBOLS] = 7, [SECTION_NAMES] = 15, [SECTION_FRAME] = 23, [SECTION_HEADINGS] = 36 };

/* How to unwind (DWARF 4, 6.4.1). Registers have their numbers of the x86-64 ABI. ORDER: callee_saved and emit_enter() in
 * jit/thunks.c: return address, RBX, RBP, R12 to R15, 8 bytes; so the caller's RSP is at RSP + 64. */
struct frame {
    struct {
        u32 length, id; /* ~0: this one is common to those that follow */
        u8 version, augmentation, code_factor, data_factor, return_column, rules[3 + 2 * 7], pad[2];
    } __attribute__((packed)) common;
    struct {
        u32 length, common; /* offset in the section */
        u64 start, bytes;
    } __attribute__((packed)) code;
};
_Static_assert(sizeof(struct frame) == 32 + 24, "DWARF's layout, entries of whole words");
enum { CFA_DEF = 0x0c, CFA_OFFSET = 0x80, REG_RBX = 3, REG_RBP = 6, REG_RSP = 7, REG_R12 = 12, REG_RIP = 16 };

struct image {
    Elf64_Ehdr file;
    Elf64_Phdr segment;
    Elf64_Shdr section[NR_SECTIONS];
    char headings[sizeof(headings)];
    struct frame frame;
    Elf64_Sym symbol[BATCH + 1]; /* the first is none */
    char names[NAMES];
};

struct batch {
    struct jit_code_entry entry;
    struct batch *before; /* of lower addresses */
    u32 nr, nr_told;
    u32 names_used;
    u64 start, end;
    struct image image;
};

struct gdb_jit {
    struct batch *last;
};

static void put_section(struct image *m, unsigned s, u32 type, const void *at, u64 bytes, u64 entry_bytes)
{
    m->section[s] = (Elf64_Shdr){ .sh_name = heading_at[s], .sh_type = type, .sh_offset = (u64)((const u8 *)at - (const u8 *)m),
                                  .sh_size = bytes, .sh_addralign = 1, .sh_entsize = entry_bytes };
}

static void put_frame(struct frame *f)
{
    static const u8 rules[] = { CFA_DEF, REG_RSP, 64, CFA_OFFSET | REG_RIP, 1, CFA_OFFSET | REG_RBX, 2, CFA_OFFSET | REG_RBP, 3,
                                CFA_OFFSET | REG_R12, 4, CFA_OFFSET | (REG_R12 + 1), 5, CFA_OFFSET | (REG_R12 + 2), 6,
                                CFA_OFFSET | (REG_R12 + 3), 7 };
    _Static_assert(sizeof(rules) == sizeof(f->common.rules), "all rules, no more");

    f->common.length = sizeof(f->common) - 4;
    f->common.id = ~0u;
    f->common.version = 1;
    f->common.code_factor = 1;
    f->common.data_factor = 0x78; /* -8 */
    f->common.return_column = REG_RIP;
    memcpy(f->common.rules, rules, sizeof(rules));
    f->code.length = sizeof(f->code) - 4;
}

static struct batch *batch_create(u64 start)
{
    struct batch *b = calloc(1, sizeof(*b));
    struct image *m;

    if (!b)
        return NULL;
    m = &b->image;
    b->start = b->end = start;
    b->names_used = 1;
    b->entry.symfile_addr = (const char *)m;
    b->entry.symfile_size = sizeof(*m);
    memcpy(m->file.e_ident, ELFMAG, SELFMAG);
    m->file.e_ident[EI_CLASS] = ELFCLASS64;
    m->file.e_ident[EI_DATA] = ELFDATA2LSB;
    m->file.e_ident[EI_VERSION] = m->file.e_version = EV_CURRENT;
    m->file.e_type = ET_EXEC;
    m->file.e_machine = EM_X86_64;
    m->file.e_phoff = offsetof(struct image, segment);
    m->file.e_shoff = offsetof(struct image, section);
    m->file.e_ehsize = sizeof(m->file);
    m->file.e_phentsize = sizeof(m->segment);
    m->file.e_phnum = 1;
    m->file.e_shentsize = sizeof(m->section[0]);
    m->file.e_shnum = NR_SECTIONS;
    m->file.e_shstrndx = SECTION_HEADINGS;
    m->segment = (Elf64_Phdr){ .p_type = PT_LOAD, .p_flags = PF_R | PF_X, .p_vaddr = start, .p_paddr = start };
    put_section(m, SECTION_TEXT, SHT_NOBITS, m, 0, 0);
    m->section[SECTION_TEXT].sh_flags = SHF_ALLOC | SHF_EXECINSTR;
    m->section[SECTION_TEXT].sh_addr = start;
    put_section(m, SECTION_SYMBOLS, SHT_SYMTAB, m->symbol, sizeof(m->symbol[0]), sizeof(m->symbol[0]));
    m->section[SECTION_SYMBOLS].sh_link = SECTION_NAMES;
    m->section[SECTION_SYMBOLS].sh_info = 1; /* the first that is global */
    put_section(m, SECTION_NAMES, SHT_STRTAB, m->names, NAMES, 0);
    put_section(m, SECTION_FRAME, SHT_PROGBITS, &m->frame, sizeof(m->frame), 0);
    put_section(m, SECTION_HEADINGS, SHT_STRTAB, m->headings, sizeof(headings), 0);
    memcpy(m->headings, headings, sizeof(headings));
    put_frame(&m->frame);
    m->frame.code.start = start;
    return b;
}

static void set_end(struct batch *b, u64 end)
{
    struct image *m = &b->image;

    b->end = end;
    m->section[SECTION_SYMBOLS].sh_size = (b->nr + 1) * sizeof(m->symbol[0]);
    m->section[SECTION_TEXT].sh_size = m->segment.p_memsz = m->frame.code.bytes = b->end - b->start;
}

static void batch_append(struct batch *b, u64 runs_at, u32 bytes, const char *name)
{
    struct image *m = &b->image;
    size_t len = strlen(name) + 1;

    memcpy(m->names + b->names_used, name, len);
    m->symbol[++b->nr] = (Elf64_Sym){ .st_name = b->names_used, .st_info = ELF64_ST_INFO(STB_GLOBAL, STT_FUNC), .st_shndx = SECTION_TEXT,
                                      .st_value = runs_at, .st_size = bytes };
    b->names_used += (u32)len;
    set_end(b, runs_at + bytes);
}

/* ---- batches ---- */

static void tell(struct batch *b)
{
    if (b->nr_told == b->nr)
        return;
    if (b->nr_told)
        withdraw(&b->entry);
    announce(&b->entry);
    b->nr_told = b->nr;
}

static void drop_last(struct gdb_jit *g)
{
    struct batch *b = g->last;

    g->last = b->before;
    withdraw(&b->entry);
    free(b);
}

/* What runs at `from` and above is gone. */
static void forget(struct gdb_jit *g, u64 from)
{
    struct batch *b;

    while (g->last && g->last->start >= from)
        drop_last(g);
    b = g->last;
    if (!b || b->end <= from)
        return;
    for (; b->nr && b->image.symbol[b->nr].st_value >= from; b->nr--)
        b->names_used = b->image.symbol[b->nr].st_name;
    set_end(b, from);
    tell(b);
}

struct gdb_jit *gdb_jit_create(void)
{
    return calloc(1, sizeof(struct gdb_jit));
}

void gdb_jit_destroy(struct gdb_jit *g)
{
    while (g && g->last)
        drop_last(g);
    free(g);
}

void gdb_jit_add(struct gdb_jit *g, u64 runs_at, u32 bytes, const char *name)
{
    char shown[256];
    struct batch *b;

    snprintf(shown, sizeof(shown), "%s", name);
    if (g->last && runs_at < g->last->end)
        forget(g, runs_at);
    b = g->last;
    if (!b || b->nr == BATCH || b->names_used + sizeof(shown) > NAMES) {
        if (b)
            tell(b);
        b = batch_create(runs_at);
        if (!b)
            return; /* without a name it runs as well */
        b->before = g->last;
        g->last = b;
    }
    batch_append(b, runs_at, bytes, shown);
    if (b->nr >= 2 * b->nr_told)
        tell(b);
}
