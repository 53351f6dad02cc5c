/*
 * The second extended file system, read only: finds files by path and reads them. What it takes:
 * blocks of 1, 2 and 4 KiB, revisions 0 and 1, any size of inode, holes, symbolic links, hashed
 * directories (read in a row). ext3 is taken as ext2: its journal is not replayed. What it refuses
 * by name: features that change the format (extents, 64-bit block numbers ...).
 *
 * Nothing in the file system is trusted: a number that leads outside of it is an error, and no
 * structure makes a call last for ever. A function that fails returns false; error_text() says why.
 */
#ifndef GUESTOS_BOOT_EXT2_H
#define GUESTOS_BOOT_EXT2_H

#include <stdbool.h>
#include <stdint.h>

#define EXT2_MAX_BLOCK_BYTES 4096u
#define EXT2_MAX_PATH        512u
#define EXT2_LEVELS          3 /* indirect, double and triple indirect blocks */

struct disk;

struct ext2 {
    const struct disk *disk;
    uint32_t partition_lba;
    uint32_t block_bytes, block_shift; /* block_bytes = 1 << block_shift */
    uint32_t nr_blocks, first_block;   /* of data: 1 if blocks have 1 KiB, else 0 */
    uint32_t nr_inodes, inodes_per_group, nr_groups;
    uint32_t inode_bytes;
    bool needs_recovery; /* ext3, not unmounted: the journal holds changes that we do not see */

    /* The last indirect block read for each level, so that a file costs one read for many blocks.
     */
    uint32_t indirect_block[EXT2_LEVELS]; /* 0: none */
    uint32_t indirect[EXT2_LEVELS][EXT2_MAX_BLOCK_BYTES / 4];
    uint8_t block[EXT2_MAX_BLOCK_BYTES]; /* the piece that is worked on */
};

/* An open file: its inode, as far as it matters here. */
struct ext2_file {
    uint32_t inode; /* number */
    uint16_t mode;
    uint32_t size_bytes;
    uint32_t nr_sectors; /* 512-byte sectors that it occupies, extended attributes included */
    uint32_t file_acl;   /* block of extended attributes, 0: none */
    uint32_t block[15];  /* 12 direct, 3 indirect; a short symbolic link's text */
};

/* nr_sectors: the partition's length; 0 if it is not known. */
bool ext2_mount(struct ext2 *fs, const struct disk *disk, uint32_t partition_lba,
                uint32_t nr_sectors);

/* Follows symbolic links. Only regular files can be opened. */
bool ext2_open(struct ext2 *fs, const char *path, struct ext2_file *file);

/* Reads len_bytes from offset, which must lie inside the file. */
bool ext2_read(struct ext2 *fs, const struct ext2_file *file, uint32_t offset, void *to,
               uint32_t len_bytes);

#endif
