/*
 * Two descriptions of a kernel are understood: the multiboot header's address fields, which make
 * one segment of any file (Multiboot 3.1.3; they win, if they are there), and ELF32 program headers
 * (System V ABI, chapters 4 and 5; i386 supplement), where segments go to their physical address,
 * p_paddr. What memory holds beyond the file is zero.
 */
#include "guestos/boot/kernel_file.h"
#include "guestos/boot/ext2.h"
#include "guestos/boot/loader.h"
#include "guestos/boot/multiboot.h"

#define ELF_MAGIC           0x464C457Fu
#define CLASS_32            1
#define DATA_LSB            1
#define ET_EXEC             2
#define EM_386              3
#define PT_LOAD             1
#define EHDR_BYTES          52
#define PHDR_BYTES          32
#define MAX_PHDRS           64
#define MAX_KERNEL_SEGMENTS 16

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

static uint8_t head[MULTIBOOT_SEARCH]; /* of the file; the rest is zero if the file is shorter */

/* The first segment that shares memory with [paddr, paddr + bytes); NULL if none does. */
static const struct kernel_segment *overlapping(const struct kernel_file *kernel, uint32_t paddr,
                                                uint32_t bytes)
{
    for (uint32_t i = 0; i < kernel->nr_segments; i++) {
        const struct kernel_segment *s = &kernel->segment[i];
        if (paddr < s->paddr + s->mem_bytes && s->paddr < paddr + bytes) {
            return s;
        }
    }
    return NULL;
}

static bool add_segment(struct kernel_file *kernel, const struct kernel_segment *new)
{
    uint32_t number = kernel->nr_segments;

    if (number == MAX_KERNEL_SEGMENTS) {
        return error("the kernel has more than %u segments", number);
    }
    if (new->file_bytes > new->mem_bytes) {
        return error("kernel segment %u is larger in the file than in memory", number);
    }
    if (new->offset > kernel->file->size_bytes ||
        new->file_bytes > kernel->file->size_bytes - new->offset) {
        return error("kernel segment %u lies outside of the file", number);
    }
    if (!memory_is_usable(kernel->map, new->paddr, new->mem_bytes)) {
        return error("kernel segment %u (at %x, %u bytes) does not fit into memory", number,
                     new->paddr, new->mem_bytes);
    }
    const struct kernel_segment *other = overlapping(kernel, new->paddr, new->mem_bytes);
    if (other) {
        return error("kernel segments %u and %u overlap", (uint32_t)(other - kernel->segment),
                     number);
    }
    kernel->segment[kernel->nr_segments++] = *new;
    return true;
}

static bool describe_elf32(struct kernel_file *kernel)
{
    struct elf32_ehdr eh;

    memcpy(&eh, head, sizeof eh);
    if (eh.magic != ELF_MAGIC || eh.class != CLASS_32 || eh.data != DATA_LSB ||
        eh.type != ET_EXEC || eh.machine != EM_386) {
        return error("the kernel is no ELF32 executable for the i386, and has no address fields");
    }
    if (eh.phentsize < PHDR_BYTES || eh.phnum > MAX_PHDRS) {
        return error("the kernel has %u program headers of %u bytes", eh.phnum, eh.phentsize);
    }
    kernel->entry = eh.entry;
    for (uint32_t i = 0; i < eh.phnum; i++) {
        uint32_t offset = eh.phoff + i * eh.phentsize;
        struct elf32_phdr ph;
        if (offset < eh.phoff) {
            return error("the kernel's program headers lie outside of the file");
        }
        if (!ext2_read(kernel->fs, kernel->file, offset, &ph, sizeof ph)) {
            return false;
        }
        if (ph.type == PT_LOAD && ph.memsz != 0 &&
            !add_segment(kernel,
                         &(struct kernel_segment){ph.offset, ph.paddr, ph.filesz, ph.memsz})) {
            return false;
        }
    }
    return true;
}

static bool describe_flat(struct kernel_file *kernel, const struct multiboot_header *h,
                          uint32_t header_offset)
{
    uint32_t before = h->header_addr - h->load_addr; /* bytes loaded that precede the header */

    if (h->load_addr > h->header_addr || before > header_offset) {
        return error("the kernel's multiboot addresses are wrong (header %x, load %x)",
                     h->header_addr, h->load_addr);
    }
    struct kernel_segment s = {.offset = header_offset - before, .paddr = h->load_addr};
    s.file_bytes =
        h->load_end_addr ? h->load_end_addr - h->load_addr : kernel->file->size_bytes - s.offset;
    s.mem_bytes = h->bss_end_addr ? h->bss_end_addr - h->load_addr : s.file_bytes;
    kernel->entry = h->entry_addr;
    return add_segment(kernel, &s);
}

/* Finds the header; fails if there is none that we understand. */
static bool find_header(struct multiboot_header *h, uint32_t *offset)
{
    for (uint32_t at = 0; at + sizeof *h <= sizeof head; at += 4) {
        memcpy(h, head + at, sizeof *h);
        if (h->magic != MULTIBOOT_HEADER_MAGIC || h->magic + h->flags + h->checksum != 0) {
            continue;
        }
        if (h->flags & MULTIBOOT_MUST_KNOW & ~(MULTIBOOT_PAGE_ALIGN | MULTIBOOT_MEMORY_INFO)) {
            return error("the kernel's multiboot header asks for unknown things (flags %x)",
                         h->flags);
        }
        *offset = at;
        return true;
    }
    return error("the kernel has no multiboot header");
}

/* The entry point is a physical address here: paging is off. */
static bool entry_is_loaded(const struct kernel_file *kernel)
{
    for (uint32_t i = 0; i < kernel->nr_segments; i++) {
        const struct kernel_segment *s = &kernel->segment[i];
        if (kernel->entry >= s->paddr && kernel->entry - s->paddr < s->file_bytes) {
            return true;
        }
    }
    return error("the kernel's entry point %x is in none of its segments", kernel->entry);
}

bool kernel_load(struct kernel_file *kernel, const struct memory_map *map, struct ext2 *fs,
                 const struct ext2_file *file)
{
    struct multiboot_header h;
    uint32_t header_offset = 0;
    uint32_t head_bytes = file->size_bytes < sizeof head ? file->size_bytes : sizeof head;

    *kernel = (struct kernel_file){.map = map, .fs = fs, .file = file};
    memset(head, 0, sizeof head);
    if (!ext2_read(fs, file, 0, head, head_bytes) || !find_header(&h, &header_offset) ||
        !(h.flags & MULTIBOOT_ADDRESSES ? describe_flat(kernel, &h, header_offset)
                                        : describe_elf32(kernel)) ||
        !entry_is_loaded(kernel)) {
        return false;
    }
    for (uint32_t i = 0; i < kernel->nr_segments; i++) {
        const struct kernel_segment *s = &kernel->segment[i];
        if (!ext2_read(fs, file, s->offset, (void *)s->paddr, s->file_bytes)) {
            return false;
        }
        memset((void *)(s->paddr + s->file_bytes), 0, s->mem_bytes - s->file_bytes);
    }
    return true;
}

/* The lowest free place that is not below `from`; 0 if there is none. */
static uint32_t free_place(const struct kernel_file *kernel, uint32_t from, uint32_t bytes)
{
    const struct kernel_segment *s;
    uint64_t at = from;

    do {
        at = (at + PAGE_BYTES - 1) & ~(uint64_t)(PAGE_BYTES - 1);
        if (!memory_is_usable(kernel->map, at, bytes)) {
            return 0;
        }
        s = overlapping(kernel, (uint32_t)at, bytes);
        at = s ? s->paddr + s->mem_bytes : at;
    } while (s);
    return (uint32_t)at;
}

bool kernel_place(struct kernel_file *kernel, uint32_t bytes, uint32_t *paddr)
{
    uint32_t end = LOW_MEMORY_END;

    if (kernel->nr_segments == sizeof kernel->segment / sizeof kernel->segment[0]) {
        return error("too many modules");
    }
    for (uint32_t i = 0; i < kernel->nr_segments; i++) {
        const struct kernel_segment *s = &kernel->segment[i];
        end = s->paddr + s->mem_bytes > end ? s->paddr + s->mem_bytes : end;
    }
    *paddr = free_place(kernel, end, bytes);
    if (!*paddr) {
        *paddr = free_place(kernel, LOW_MEMORY_END, bytes);
    }
    if (!*paddr) {
        return error("memory has no room for %u bytes", bytes);
    }
    kernel->segment[kernel->nr_segments++] =
        (struct kernel_segment){.paddr = *paddr, .mem_bytes = bytes};
    return true;
}
