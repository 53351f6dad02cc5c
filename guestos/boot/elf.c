/*
 * An ELF32 executable, loaded from a stream: the headers are checked first (System V ABI, chapters
 * 4 and 5; i386 supplement), then each piece of the file is copied to the segments it belongs to.
 * Segments go to their physical address (p_paddr); what memory holds beyond the file is zero.
 */
#include "guestos/boot/loader.h"

#define ELF_MAGIC  0x464C457Fu
#define CLASS_32   1
#define DATA_LSB   1
#define ET_EXEC    2
#define EM_386     3
#define PT_LOAD    1
#define EHDR_BYTES 52
#define PHDR_BYTES 32

struct elf32_ehdr {
    uint32_t magic;
    uint8_t class, data, version, pad[9];
    uint16_t type, machine;
    uint32_t version2, entry, phoff, shoff, flags;
    uint16_t ehsize, phentsize, phnum, shentsize, shnum, shstrndx;
};

struct elf32_phdr {
    uint32_t type, offset, vaddr, paddr, filesz, memsz, flags, align;
};

_Static_assert(sizeof(struct elf32_ehdr) == EHDR_BYTES, "ELF32 file header");
_Static_assert(sizeof(struct elf32_phdr) == PHDR_BYTES, "ELF32 program header");

static void add_segment(struct elf_load *elf, const struct elf32_phdr *ph, uint32_t number)
{
    if (elf->nr_segments == sizeof elf->segment / sizeof elf->segment[0]) {
        fail("the kernel has more than %u segments", elf->nr_segments);
    }
    if (ph->filesz > ph->memsz) {
        fail("kernel segment %u is larger in the file than in memory", number);
    }
    if (ph->offset > elf->file_bytes || ph->filesz > elf->file_bytes - ph->offset) {
        fail("kernel segment %u lies outside the file", number);
    }
    if (!memory_is_usable(elf->map, ph->paddr, ph->memsz)) {
        fail("kernel segment %u (%x, %u bytes) does not fit into RAM", number, ph->paddr,
             ph->memsz);
    }
    for (uint32_t i = 0; i < elf->nr_segments; i++) {
        const struct elf_segment *s = &elf->segment[i];
        if (ph->paddr < s->paddr + s->mem_bytes && s->paddr < ph->paddr + ph->memsz) {
            fail("kernel segments %u and %u overlap", i, number);
        }
    }
    elf->segment[elf->nr_segments++] =
        (struct elf_segment){ph->offset, ph->paddr, ph->filesz, ph->memsz};
    memset((void *)(ph->paddr + ph->filesz), 0, ph->memsz - ph->filesz);
}

void elf_begin(struct elf_load *elf, const struct memory_map *map, const uint8_t *head,
               uint32_t head_bytes, uint32_t file_bytes)
{
    struct elf32_ehdr eh;

    *elf = (struct elf_load){.map = map, .file_bytes = file_bytes};
    if (file_bytes < EHDR_BYTES || head_bytes < EHDR_BYTES) {
        fail("the kernel is too short to be an ELF file");
    }
    memcpy(&eh, head, sizeof eh);
    if (eh.magic != ELF_MAGIC || eh.class != CLASS_32 || eh.data != DATA_LSB ||
        eh.type != ET_EXEC || eh.machine != EM_386) {
        fail("the kernel is no ELF32 executable for the i386");
    }
    if (eh.phentsize < PHDR_BYTES || eh.phoff > head_bytes ||
        (uint32_t)eh.phnum * eh.phentsize > head_bytes - eh.phoff) {
        fail("the kernel's program headers are not in its first %u bytes", head_bytes);
    }

    bool has_entry = false;
    for (uint32_t i = 0; i < eh.phnum; i++) {
        struct elf32_phdr ph;
        memcpy(&ph, head + eh.phoff + i * eh.phentsize, sizeof ph);
        if (ph.type != PT_LOAD || ph.memsz == 0) {
            continue;
        }
        add_segment(elf, &ph, i);
        /* The entry point is a physical address here: paging is off. */
        has_entry |= eh.entry >= ph.paddr && eh.entry - ph.paddr < ph.filesz;
    }
    if (!has_entry) {
        fail("the kernel's entry point %x is in none of its segments", eh.entry);
    }
    elf->entry = eh.entry;
}

void elf_feed(struct elf_load *elf, uint32_t offset, const uint8_t *data, uint32_t len_bytes)
{
    for (uint32_t i = 0; i < elf->nr_segments; i++) {
        const struct elf_segment *s = &elf->segment[i];
        uint32_t from = offset > s->offset ? offset : s->offset;
        uint32_t to = offset + len_bytes;
        if (to > s->offset + s->file_bytes) {
            to = s->offset + s->file_bytes;
        }
        if (from < to) {
            memcpy((void *)(s->paddr + (from - s->offset)), data + (from - offset), to - from);
        }
    }
}
