/* A multiboot-1 kernel: from its file to memory, and where the rest of memory is free. */
#ifndef GUESTOS_BOOT_KERNEL_FILE_H
#define GUESTOS_BOOT_KERNEL_FILE_H

#include <stdbool.h>
#include <stdint.h>

struct ext2;
struct ext2_file;
struct memory_map;

struct kernel_segment {
    uint32_t offset, paddr, file_bytes, mem_bytes;
};

struct kernel_file {
    const struct memory_map *map;
    struct ext2 *fs;
    const struct ext2_file *file;
    uint32_t entry;
    struct kernel_segment segment[24]; /* the kernel's, then those that kernel_place() added */
    uint32_t nr_segments;
};

/* Nothing is written to memory before all of the file's head has been found good. */
bool kernel_load(struct kernel_file *kernel, const struct memory_map *map, struct ext2 *fs,
                 const struct ext2_file *file);

/* Takes page-aligned memory that nothing else of this kernel uses: behind it, else in front. */
bool kernel_place(struct kernel_file *kernel, uint32_t bytes, uint32_t *paddr);

#endif
