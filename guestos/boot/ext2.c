/*
 * Reads ext2. The format: "The Second Extended File System, Internal Layout" (D. Poirier), and the
 * kernel's documentation of ext4 for the features' names.
 */
#include "guestos/boot/ext2.h"
#include "guestos/boot/loader.h"

#define SUPERBLOCK_LBA    2 /* byte 1024 of the partition, whatever the size of blocks */
#define MAGIC             0xEF53
#define ROOT_INODE        2
#define GROUP_BYTES       32u
#define NR_DIRECT         12u
#define MAX_LINKS         8  /* symbolic links followed on one path */
#define MAX_COMPONENTS    64 /* names looked up on one path, links included */
#define MAX_DIR_BYTES     0x400000u
#define DIR_ENTRY_HEAD    8u /* bytes before the name */
#define MODE_TYPE         0xF000
#define MODE_DIRECTORY    0x4000
#define MODE_REGULAR      0x8000
#define MODE_LINK         0xA000
#define INODE_EXTENTS     0x00080000u
#define INODE_INLINE_DATA 0x10000000u

#define INCOMPAT_FILETYPE 0x0002u /* directory entries say the type: we look into the inode */
#define INCOMPAT_RECOVER  0x0004u

/* Features that change what a reader must know, by bit. */
static const char *const incompat_name[32] = {
    [0] = "compression",
    [3] = "a journal device",
    [4] = "meta block groups",
    [6] = "extents",
    [7] = "64bit",
    [8] = "multiple mount protection",
    [9] = "flex_bg",
    [10] = "ea_inode",
    [12] = "dirdata",
    [13] = "metadata_csum_seed",
    [14] = "large_dir",
    [15] = "inline_data",
    [16] = "encrypt",
    [17] = "casefold",
};

struct superblock {
    uint32_t inodes_count, blocks_count, r_blocks_count, free_blocks, free_inodes;
    uint32_t first_data_block, log_block_size, log_frag_size;
    uint32_t blocks_per_group, frags_per_group, inodes_per_group;
    uint32_t mtime, wtime;
    uint16_t mnt_count, max_mnt_count, magic, state, errors, minor_rev;
    uint32_t lastcheck, checkinterval, creator_os, rev_level;
    uint16_t def_resuid, def_resgid;
    /* from here on only with rev_level 1 */
    uint32_t first_ino;
    uint16_t inode_size, block_group_nr;
    uint32_t feature_compat, feature_incompat, feature_ro_compat;
    uint8_t rest[408];
};

struct group {
    uint32_t block_bitmap, inode_bitmap, inode_table;
    uint8_t rest[20];
};

struct inode {
    uint16_t mode, uid;
    uint32_t size, atime, ctime, mtime, dtime;
    uint16_t gid, links_count;
    uint32_t blocks, flags, osd1;
    uint32_t block[15];
    uint32_t generation, file_acl, size_high;
    uint8_t rest[16];
};

struct dir_entry {
    uint32_t inode;
    uint16_t rec_len;
    uint8_t name_len, file_type; /* without the feature: the length's high byte, always zero */
};

_Static_assert(sizeof(struct superblock) == 512, "the superblock's first half");
_Static_assert(sizeof(struct group) == GROUP_BYTES, "group descriptor");
_Static_assert(sizeof(struct inode) == 128, "inode of revision 0");
_Static_assert(sizeof(struct dir_entry) == DIR_ENTRY_HEAD, "directory entry");

/* Reads a whole number of sectors of one or more adjoining blocks. */
static bool read_blocks(struct ext2 *fs, uint32_t block, uint32_t nr_sectors, void *to)
{
    return disk_read(fs->disk, fs->partition_lba + block * (fs->block_bytes / SECTOR_BYTES),
                     nr_sectors, to);
}

static bool read_block(struct ext2 *fs, uint32_t block, const char *what, void *to)
{
    if (block < fs->first_block || block >= fs->nr_blocks) {
        return error("%s, block %u, lies outside of the file system", what, block);
    }
    return read_blocks(fs, block, fs->block_bytes / SECTOR_BYTES, to);
}

static bool check_features(struct ext2 *fs, const struct superblock *sb)
{
    uint32_t unknown = 0;

    fs->inode_bytes = 128;
    if (sb->rev_level > 1) {
        return error("file system: revision %u is unknown", sb->rev_level);
    }
    if (sb->rev_level == 1) {
        fs->inode_bytes = sb->inode_size;
        fs->needs_recovery = sb->feature_incompat & INCOMPAT_RECOVER;
        unknown = sb->feature_incompat & ~(INCOMPAT_FILETYPE | INCOMPAT_RECOVER);
    }
    for (uint32_t bit = 0; bit < 32; bit++) {
        if (unknown >> bit & 1) {
            return error("file system: it uses %s (feature %x), which this loader cannot read",
                         incompat_name[bit] ? incompat_name[bit] : "something unknown", 1u << bit);
        }
    }
    return true;
}

bool ext2_mount(struct ext2 *fs, const struct disk *disk, uint32_t partition_lba,
                uint32_t nr_sectors)
{
    struct superblock sb;

    memset(fs, 0, sizeof *fs);
    fs->disk = disk;
    fs->partition_lba = partition_lba;
    if (!disk_read(disk, partition_lba + SUPERBLOCK_LBA, 1, &sb)) {
        return false;
    }
    if (sb.magic != MAGIC) {
        return error("the partition holds no ext2 (its magic is %x, not ef53)", sb.magic);
    }
    if (!check_features(fs, &sb)) {
        return false;
    }
    if (sb.log_block_size > 2) {
        return error("file system: its blocks have neither 1, 2 nor 4 KiB (2 to the power %u)",
                     sb.log_block_size);
    }
    fs->block_shift = 10 + sb.log_block_size;
    fs->block_bytes = 1u << fs->block_shift;
    fs->nr_blocks = sb.blocks_count;
    fs->first_block = sb.first_data_block;
    fs->nr_inodes = sb.inodes_count;
    fs->inodes_per_group = sb.inodes_per_group;
    if (fs->first_block != (sb.log_block_size == 0) || fs->nr_blocks <= fs->first_block + 1) {
        return error("file system: it has %u blocks from block %u", fs->nr_blocks, fs->first_block);
    }
    uint64_t end = (uint64_t)fs->nr_blocks * (fs->block_bytes / SECTOR_BYTES);
    if (end + partition_lba > 0xFFFFFFFFu || (nr_sectors && end > nr_sectors)) {
        return error("file system: its %u blocks of %u bytes reach beyond the partition's end",
                     fs->nr_blocks, fs->block_bytes);
    }
    uint32_t bits = fs->block_bytes * 8; /* of a bitmap */
    if (sb.blocks_per_group == 0 || sb.blocks_per_group > bits || fs->inodes_per_group == 0 ||
        fs->inodes_per_group > bits) {
        return error("file system: groups of %u blocks and %u inodes", sb.blocks_per_group,
                     fs->inodes_per_group);
    }
    fs->nr_groups = (fs->nr_blocks - fs->first_block - 1) / sb.blocks_per_group + 1;
    if ((uint64_t)fs->nr_groups * fs->inodes_per_group < fs->nr_inodes ||
        fs->nr_inodes < ROOT_INODE) {
        return error("file system: %u inodes in %u groups", fs->nr_inodes, fs->nr_groups);
    }
    uint32_t size = fs->inode_bytes;
    if (size < 128 || size > fs->block_bytes || (size & (size - 1)) != 0) {
        return error("file system: inodes of %u bytes", size);
    }
    return true;
}

static bool read_inode(struct ext2 *fs, uint32_t number, struct ext2_file *file)
{
    struct group group;
    struct inode inode;

    if (number == 0 || number > fs->nr_inodes) {
        return error("inode %u does not exist", number);
    }
    uint32_t per_block = fs->block_bytes / GROUP_BYTES;
    uint32_t index = (number - 1) / fs->inodes_per_group;
    if (!read_block(fs, fs->first_block + 1 + index / per_block, "a group descriptor", fs->block)) {
        return false;
    }
    memcpy(&group, fs->block + index % per_block * GROUP_BYTES, sizeof group);

    per_block = fs->block_bytes / fs->inode_bytes;
    index = (number - 1) % fs->inodes_per_group;
    if (group.inode_table >= fs->nr_blocks) { /* so that the sum below cannot wrap */
        return error("the inode table, block %u, lies outside of the file system",
                     group.inode_table);
    }
    if (!read_block(fs, group.inode_table + index / per_block, "the inode table", fs->block)) {
        return false;
    }
    memcpy(&inode, fs->block + index % per_block * fs->inode_bytes, sizeof inode);

    bool regular = (inode.mode & MODE_TYPE) == MODE_REGULAR;
    if (inode.links_count == 0) {
        return error("inode %u is not in use", number);
    }
    if (inode.flags & (INODE_EXTENTS | INODE_INLINE_DATA)) {
        return error("inode %u has ext4's %s, which this loader cannot read", number,
                     inode.flags & INODE_EXTENTS ? "extents" : "inline data");
    }
    if (regular && inode.size_high) {
        return error("inode %u has 4 GiB or more", number);
    }
    *file = (struct ext2_file){.inode = number,
                               .mode = inode.mode,
                               .size_bytes = inode.size,
                               .nr_sectors = inode.blocks,
                               .file_acl = inode.file_acl};
    memcpy(file->block, inode.block, sizeof file->block);
    return true;
}

/* Which block of the file system is block `index` of the file; 0: a hole. */
static bool map_block(struct ext2 *fs, const struct ext2_file *file, uint32_t index,
                      uint32_t *block)
{
    uint32_t shift = fs->block_shift - 2; /* an indirect block holds 1 << shift numbers */
    uint32_t level = 0, number;

    if (index < NR_DIRECT) {
        number = file->block[index];
    } else {
        uint64_t first = NR_DIRECT;
        while (index - first >= (uint64_t)1 << shift * (level + 1)) {
            first += (uint64_t)1 << shift * (level + 1);
            if (++level == EXT2_LEVELS) {
                return error("inode %u: its block %u is beyond triple indirect ones", file->inode,
                             index);
            }
        }
        index -= (uint32_t)first;
        number = file->block[NR_DIRECT + level];
        for (uint32_t depth = level + 1; depth-- > 0 && number;) {
            if (fs->indirect_block[depth] != number) {
                fs->indirect_block[depth] = 0;
                if (!read_block(fs, number, "an indirect block", fs->indirect[depth])) {
                    return false;
                }
                fs->indirect_block[depth] = number;
            }
            number = fs->indirect[depth][index >> shift * depth & ((1u << shift) - 1)];
        }
    }
    if (number && (number < fs->first_block || number >= fs->nr_blocks)) {
        return error("inode %u: block %u lies outside of the file system", file->inode, number);
    }
    *block = number;
    return true;
}

/* How many blocks from `index` on, at most max, follow each other on the disk, or are holes. */
static bool map_run(struct ext2 *fs, const struct ext2_file *file, uint32_t index, uint32_t max,
                    uint32_t *block, uint32_t *nr)
{
    uint32_t next;

    if (!map_block(fs, file, index, block)) {
        return false;
    }
    for (*nr = 1; *nr < max; ++*nr) {
        if (!map_block(fs, file, index + *nr, &next)) {
            return false;
        }
        if (next != (*block ? *block + *nr : 0)) {
            break;
        }
    }
    return true;
}

bool ext2_read(struct ext2 *fs, const struct ext2_file *file, uint32_t offset, void *to,
               uint32_t len_bytes)
{
    uint8_t *out = to;

    if (offset > file->size_bytes || len_bytes > file->size_bytes - offset) {
        return error("inode %u ends at byte %u", file->inode, file->size_bytes);
    }
    while (len_bytes) {
        uint32_t index = offset >> fs->block_shift;
        uint32_t skip = offset & (fs->block_bytes - 1);
        uint32_t whole = skip ? 0 : len_bytes >> fs->block_shift;
        uint32_t block, nr, now;
        if (!map_run(fs, file, index, whole, &block, &nr)) {
            return false;
        }
        if (whole) {
            now = nr << fs->block_shift;
            if (!block) {
                memset(out, 0, now);
            } else if (!read_blocks(fs, block, now / SECTOR_BYTES, out)) {
                return false;
            }
        } else {
            now = fs->block_bytes - skip < len_bytes ? fs->block_bytes - skip : len_bytes;
            if (!block) {
                memset(out, 0, now);
            } else if (!read_block(fs, block, "the file", fs->block)) {
                return false;
            } else {
                memcpy(out, fs->block + skip, now);
            }
        }
        out += now;
        offset += now;
        len_bytes -= now;
    }
    return true;
}

/* Looks for a name in the directory block that lies in fs->block; *inode stays 0 if it is absent.
 */
static bool search_block(struct ext2 *fs, const struct ext2_file *dir, const char *name,
                         uint32_t name_len, uint32_t *inode)
{
    struct dir_entry entry;

    for (uint32_t at = 0; at < fs->block_bytes; at += entry.rec_len) {
        uint32_t left = fs->block_bytes - at; /* a multiple of 4, as every rec_len is one */
        entry.rec_len = 0;
        if (left >= sizeof entry) {
            memcpy(&entry, fs->block + at, sizeof entry);
        }
        if (entry.rec_len < DIR_ENTRY_HEAD || entry.rec_len % 4 != 0 || entry.rec_len > left ||
            (entry.inode && DIR_ENTRY_HEAD + entry.name_len > entry.rec_len)) {
            return error("directory inode %u has a damaged entry (length %u, name %u)", dir->inode,
                         entry.rec_len, left >= sizeof entry ? entry.name_len : 0);
        }
        if (entry.inode && entry.name_len == name_len &&
            memcmp(fs->block + at + DIR_ENTRY_HEAD, name, name_len) == 0) {
            *inode = entry.inode;
            return true;
        }
    }
    return true;
}

static bool search_directory(struct ext2 *fs, const struct ext2_file *dir, const char *name,
                             uint32_t name_len, uint32_t *inode)
{
    *inode = 0;
    if (dir->size_bytes > MAX_DIR_BYTES || dir->size_bytes % fs->block_bytes != 0) {
        return error("directory inode %u has %u bytes", dir->inode, dir->size_bytes);
    }
    for (uint32_t i = 0; i < dir->size_bytes >> fs->block_shift && !*inode; i++) {
        uint32_t block;
        if (!map_block(fs, dir, i, &block)) {
            return false;
        }
        if (!block) {
            return error("directory inode %u has a hole", dir->inode);
        }
        if (!read_block(fs, block, "a directory", fs->block) ||
            !search_block(fs, dir, name, name_len, inode)) {
            return false;
        }
    }
    return true;
}

/* Puts the text of a symbolic link in front of what is left of the path. */
static bool expand_link(struct ext2 *fs, const struct ext2_file *link, const char *rest, char *path)
{
    char text[EXT2_MAX_PATH];
    uint32_t len = link->size_bytes;
    uint32_t rest_len = (uint32_t)strlen(rest);
    uint32_t attribute_sectors = link->file_acl ? fs->block_bytes / SECTOR_BYTES : 0;

    if (len == 0 || len + 1 + rest_len >= EXT2_MAX_PATH || len >= EXT2_MAX_PATH) {
        return error("inode %u: a symbolic link of %u bytes", link->inode, len);
    }
    if (link->nr_sectors != attribute_sectors) {
        if (!ext2_read(fs, link, 0, text, len)) {
            return false;
        }
    } else if (len < sizeof link->block) {
        memcpy(text, link->block, len);
    } else {
        return error("inode %u: a symbolic link of %u bytes without a block", link->inode, len);
    }
    text[len++] = '/';
    memcpy(text + len, rest, rest_len + 1);
    memcpy(path, text, len + rest_len + 1);
    return true;
}

bool ext2_open(struct ext2 *fs, const char *path, struct ext2_file *file)
{
    char left[EXT2_MAX_PATH]; /* of the path, links expanded */
    struct ext2_file dir;
    uint32_t nr_links = 0, nr_components = 0;
    uint32_t len = (uint32_t)strlen(path);

    if (len >= sizeof left) {
        return error("the path is too long: %s", path);
    }
    memcpy(left, path, len + 1);
    if (!read_inode(fs, ROOT_INODE, file)) {
        return false;
    }
    for (char *p = left;;) {
        while (*p == '/') {
            p++;
        }
        if (!*p) {
            break;
        }
        uint32_t name_len = 0, number;
        while (p[name_len] && p[name_len] != '/') {
            name_len++;
        }
        if ((file->mode & MODE_TYPE) != MODE_DIRECTORY) {
            return error("a part of the path is no directory: %s", path);
        }
        if (++nr_components > MAX_COMPONENTS) {
            return error("the path has more than %u parts: %s", MAX_COMPONENTS, path);
        }
        dir = *file;
        if (!search_directory(fs, &dir, p, name_len, &number)) {
            return false;
        }
        if (!number) {
            return error("no such file: %s", path);
        }
        if (!read_inode(fs, number, file)) {
            return false;
        }
        p += name_len;
        if ((file->mode & MODE_TYPE) == MODE_LINK) {
            if (++nr_links > MAX_LINKS) {
                return error("more than %u symbolic links; a circle? %s", MAX_LINKS, path);
            }
            if (!expand_link(fs, file, p, left)) {
                return false;
            }
            p = left;
            if (*p != '/') {
                *file = dir;
            } else if (!read_inode(fs, ROOT_INODE, file)) {
                return false;
            }
        }
    }
    if ((file->mode & MODE_TYPE) != MODE_REGULAR) {
        return error("no regular file: %s", path);
    }
    return true;
}
