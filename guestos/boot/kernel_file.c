/*
 * The kernel's file, loaded from a stream: its head says what goes where, then each piece of the
 * file is copied to the segments it belongs to. What memory holds beyond the file is zero.
 *
 * Two descriptions are understood: the multiboot header's address fields, which make one segment
 * of any file (Multiboot 3.1.3; they win, if they are there), and ELF32 program headers (System V
 * ABI, chapters 4 and 5; i386 supplement), where segments go to their physical address, p_paddr.
 */
#include "guestos/boot/multiboot.h"
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

static void add_segment(struct kernel_file *kernel, const struct kernel_segment *new)
{
    uint32_t number = kernel->nr_segments;

    if (number == sizeof kernel->segment / sizeof kernel->segment[0]) {
        fail("the kernel has more than %u segments", number);
    }
    if (new->file_bytes > new->mem_bytes) {
        fail("kernel segment %u is larger in the file than in memory", number);
    }
    if (new->offset > kernel->file_bytes || new->file_bytes > kernel->file_bytes - new->offset) {
        fail("kernel segment %u lies outside the file", number);
    }
    if (!memory_is_usable(kernel->map, new->paddr, new->mem_bytes)) {
        fail("kernel segment %u (%x, %u bytes) does not fit into RAM", number, new->paddr,
             new->mem_bytes);
    }
    for (uint32_t i = 0; i < number; i++) {
        const struct kernel_segment *s = &kernel->segment[i];
        if (new->paddr < s->paddr + s->mem_bytes && s->paddr < new->paddr + new->mem_bytes) {
            fail("kernel segments %u and %u overlap", i, number);
        }
    }
    kernel->segment[kernel->nr_segments++] = *new;
    memset((void *)(new->paddr + new->file_bytes), 0, new->mem_bytes - new->file_bytes);
}

static void begin_elf32(struct kernel_file *kernel, const uint8_t *head, uint32_t head_bytes)
{
    struct elf32_ehdr eh;

    if (kernel->file_bytes < EHDR_BYTES || head_bytes < EHDR_BYTES) {
        fail("the kernel is too short to be an ELF file");
    }
    memcpy(&eh, head, sizeof eh);
    if (eh.magic != ELF_MAGIC || eh.class != CLASS_32 || eh.data != DATA_LSB ||
        eh.type != ET_EXEC || eh.machine != EM_386) {
        fail("the kernel is no ELF32 executable for the i386, and has no address fields");
    }
    if (eh.phentsize < PHDR_BYTES || eh.phoff > head_bytes ||
        (uint32_t)eh.phnum * eh.phentsize > head_bytes - eh.phoff) {
        fail("the kernel's program headers are not in its first %u bytes", head_bytes);
    }
    kernel->entry = eh.entry;
    for (uint32_t i = 0; i < eh.phnum; i++) {
        struct elf32_phdr ph;
        memcpy(&ph, head + eh.phoff + i * eh.phentsize, sizeof ph);
        if (ph.type == PT_LOAD && ph.memsz != 0) {
            add_segment(kernel, &(struct kernel_segment){ph.offset, ph.paddr, ph.filesz, ph.memsz});
        }
    }
}

static void begin_flat(struct kernel_file *kernel, const struct multiboot_header *h,
                       uint32_t header_offset)
{
    uint32_t before = h->header_addr - h->load_addr; /* bytes loaded that precede the header */

    if (h->load_addr > h->header_addr || before > header_offset) {
        fail("the kernel's multiboot addresses are wrong (header %x, load %x)", h->header_addr,
             h->load_addr);
    }
    struct kernel_segment s = {.offset = header_offset - before, .paddr = h->load_addr};
    s.file_bytes =
        h->load_end_addr ? h->load_end_addr - h->load_addr : kernel->file_bytes - s.offset;
    s.mem_bytes = h->bss_end_addr ? h->bss_end_addr - h->load_addr : s.file_bytes;
    kernel->entry = h->entry_addr;
    add_segment(kernel, &s);
}

/* The header's offset in the file; fails if there is none that we understand. */
static uint32_t find_header(struct multiboot_header *h, const uint8_t *head, uint32_t head_bytes)
{
    uint32_t end = head_bytes < MULTIBOOT_SEARCH ? head_bytes : MULTIBOOT_SEARCH;

    for (uint32_t at = 0; at + sizeof *h <= end; at += 4) {
        memcpy(h, head + at, sizeof *h);
        if (h->magic != MULTIBOOT_HEADER_MAGIC || h->magic + h->flags + h->checksum != 0) {
            continue;
        }
        if (h->flags & MULTIBOOT_MUST_KNOW & ~(MULTIBOOT_PAGE_ALIGN | MULTIBOOT_MEMORY_INFO)) {
            fail("the kernel's multiboot header asks for unknown things (flags %x)", h->flags);
        }
        return at;
    }
    fail("the kernel has no multiboot header");
}

void kernel_begin(struct kernel_file *kernel, const struct memory_map *map, const uint8_t *head,
                  uint32_t head_bytes, uint32_t file_bytes)
{
    struct multiboot_header h;
    uint32_t header_offset = find_header(&h, head, head_bytes);

    *kernel = (struct kernel_file){.map = map, .file_bytes = file_bytes};
    if (h.flags & MULTIBOOT_ADDRESSES) {
        begin_flat(kernel, &h, header_offset);
    } else {
        begin_elf32(kernel, head, head_bytes);
    }
    /* The entry point is a physical address here: paging is off. */
    for (uint32_t i = 0; i < kernel->nr_segments; i++) {
        const struct kernel_segment *s = &kernel->segment[i];
        if (kernel->entry >= s->paddr && kernel->entry - s->paddr < s->file_bytes) {
            return;
        }
    }
    fail("the kernel's entry point %x is in none of its segments", kernel->entry);
}

void kernel_feed(struct kernel_file *kernel, uint32_t offset, const uint8_t *data,
                 uint32_t len_bytes)
{
    for (uint32_t i = 0; i < kernel->nr_segments; i++) {
        const struct kernel_segment *s = &kernel->segment[i];
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
