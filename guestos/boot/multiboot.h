/*
 * Multiboot 1, as far as Ember uses it: what a kernel tells its loader in the first 8 KiB of its
 * file, and what the loader hands over (EAX = magic, EBX = address of struct multiboot_info, 32-bit
 * protected mode, paging off, A20 on). Multiboot Specification 0.6.96, 3.1 to 3.3.
 * Used by our loader, by the kernel, and by its assembly.
 */
#ifndef GUESTOS_BOOT_MULTIBOOT_H
#define GUESTOS_BOOT_MULTIBOOT_H

#define MULTIBOOT_HEADER_MAGIC 0x1BADB002
#define MULTIBOOT_LOADER_MAGIC 0x2BADB002
#define MULTIBOOT_SEARCH       8192

/* flags of the header */
#define MULTIBOOT_MUST_KNOW   0x0000FFFF /* refuse what you do not know of these */
#define MULTIBOOT_PAGE_ALIGN  0x00000001 /* modules start on page boundaries */
#define MULTIBOOT_MEMORY_INFO 0x00000002 /* the kernel wants mem_* and the memory map */
#define MULTIBOOT_ADDRESSES   0x00010000 /* the address fields say where the file goes */

/* flags of the information: which fields are there */
#define MULTIBOOT_INFO_MEMORY      0x001
#define MULTIBOOT_INFO_BOOT_DEVICE 0x002
#define MULTIBOOT_INFO_CMDLINE     0x004
#define MULTIBOOT_INFO_MODULES     0x008
#define MULTIBOOT_INFO_MMAP        0x040
#define MULTIBOOT_INFO_LOADER_NAME 0x200

#define MULTIBOOT_MEMORY_RAM 1

#ifndef __ASSEMBLER__
#include <stdint.h>

struct multiboot_header {
    uint32_t magic, flags, checksum; /* their sum is zero */
    /* valid with MULTIBOOT_ADDRESSES; physical */
    uint32_t header_addr;   /* of this header */
    uint32_t load_addr;     /* of the first byte loaded; header_addr - load_addr bytes before it */
    uint32_t load_end_addr; /* 0: the whole rest of the file */
    uint32_t bss_end_addr;  /* zeroed from load_end_addr to here; 0: none */
    uint32_t entry_addr;
};

/* Up to the last field that we use. Pointers are physical addresses. */
struct multiboot_info {
    uint32_t flags, mem_lower, mem_upper, boot_device, cmdline;
    uint32_t mods_count, mods_addr, syms[4];
    uint32_t mmap_length, mmap_addr, drives_length, drives_addr;
    uint32_t config_table, boot_loader_name, apm_table;
    uint32_t vbe[4], framebuffer[7];
};

struct multiboot_module {
    uint32_t start, end; /* physical; end is the byte after the last */
    uint32_t string, reserved;
};

/* size counts the bytes after itself. */
struct multiboot_mmap {
    uint32_t size;
    uint64_t base, bytes;
    uint32_t type;
} __attribute__((packed));
#endif

#endif
