/*
 * ext2 from the inside. The format: "The Second Extended File System, Internal Layout" (D. Poirier)
 * and the kernel's documentation of ext4's data structures for what came later.
 *
 *   block 0 or 1   superblock, at byte 1024      each group:  [superblock and descriptors, or none]
 *   next blocks    group descriptors                          block bitmap, inode bitmap,
 *                                                             inode table, data
 *
 * Metadata (all but the contents of regular files) lies in the page cache of the block device. One
 * mutex, fs->lock, guards all of it; it is taken by the operations that the VFS calls, and is inner
 * to an inode's lock and to a busy page of a file, outer to a busy page of the device. While it is
 * held no inode is put or got that may need it.
 *
 * Nothing on the disk is trusted. What cannot be is reported once by ext2_error(), makes the file
 * system read-only, and fails with -EIO.
 */
#ifndef GUESTOS_FS_EXT2_H
#define GUESTOS_FS_EXT2_H

#include "guestos/fs/vfs.h"

#define EXT2_MAGIC     0xEF53u
#define EXT2_ROOT_INO  2u
#define EXT2_LINK_MAX  32000u
#define EXT2_NR_DIRECT 12u
#define EXT2_NR_SLOTS  15u /* 12 direct blocks, then indirect, double, triple */

enum { EXT2_STATE_VALID = 1, EXT2_STATE_ERRORS = 2 };
enum {
    EXT2_COMPAT_DIR_INDEX = 0x20,
    EXT2_INCOMPAT_FILETYPE = 0x2,
    EXT2_RO_SPARSE_SUPER = 0x1,
    EXT2_RO_LARGE_FILE = 0x2,
    EXT2_RO_EXTRA_ISIZE = 0x40,
};
enum {
    EXT2_IMMUTABLE = 0x10,
    EXT2_APPEND = 0x20,
    EXT2_INDEXED = 0x1000,      /* a directory with a hash tree */
    EXT2_FOREIGN = 0x10080000u, /* ext4's extents, inline data */
    EXT2_INHERITED = 0x4B, /* secure deletion, undelete, sync, no dump: as the directory has them */
};

struct ext2_super_block {
    u32 inodes_count, blocks_count, r_blocks_count, free_blocks, free_inodes;
    u32 first_data_block, log_block_size, log_frag_size;
    u32 blocks_per_group, frags_per_group, inodes_per_group;
    u32 mtime, wtime;
    u16 mnt_count, max_mnt_count, magic, state, errors, minor_rev;
    u32 lastcheck, checkinterval, creator_os, rev_level;
    u16 def_resuid, def_resgid;
    /* from here on only with rev_level 1 */
    u32 first_ino;
    u16 inode_size, block_group_nr;
    u32 feature_compat, feature_incompat, feature_ro_compat;
    u8 uuid[16];
    u8 rest[392];
};

struct ext2_group {
    u32 block_bitmap, inode_bitmap, inode_table;
    u16 free_blocks, free_inodes, used_dirs, flags;
    u8 rest[12];
};

struct ext2_disk_inode {
    u16 mode, uid;
    u32 size, atime, ctime, mtime, dtime;
    u16 gid, links_count;
    u32 blocks, flags, osd1;
    u32 block[EXT2_NR_SLOTS];
    u32 generation, file_acl, size_high, faddr;
    u16 frag, blocks_high, uid_high, gid_high;
    u32 reserved;
    /* from here on only in inodes of more than 128 bytes, as far as extra_isize says */
    u16 extra_isize, checksum_high;
    u32 ctime_extra, mtime_extra, atime_extra, crtime, crtime_extra;
};
#define EXT2_EXTRA_ISIZE 24u /* extra_isize that covers these */

struct ext2_dir_entry {
    u32 inode;
    u16 rec_len;
    u8 name_len, file_type; /* without the feature: the length's high byte, always zero */
    char name[];
};
#define EXT2_DIR_HEAD 8u

_Static_assert(sizeof(struct ext2_super_block) == 512, "the superblock's first half");
_Static_assert(sizeof(struct ext2_group) == 32, "group descriptor");
_Static_assert(sizeof(struct ext2_disk_inode) == 152, "inode");

struct ext2 {
    struct super *super;
    struct inode *cache; /* the device's */
    struct mutex lock;
    u32 block_bytes, block_shift, nr_blocks, first_block, blocks_per_group, nr_groups;
    u32 nr_inodes, inodes_per_group, inode_bytes, first_ino, table_blocks; /* of inodes, a group */
    u32 free_blocks, free_inodes, nr_reserved, reserved_uid, reserved_gid;
    u32 desc_blocks; /* that the descriptors take */
    bool has_filetype, sparse_super, was_clean, broken;
    struct ext2_group *group; /* written at each sync */
    u32 next_generation;
};

/* inode->data */
struct ext2_inode {
    u32 block[EXT2_NR_SLOTS];
    u32 flags, file_acl;
    u32 last_block;        /* that was allocated: the next goal; 0: none */
    u32 parent, name_hash; /* of a directory: where it was found; parent 0: nowhere yet */
    u32 room_from;         /* of a directory: no room before this block of it */
    bool deleted;
    struct ext2_index *index; /* of a large directory; or NULL */
};

static inline struct ext2 *ext2_of(const struct inode *inode)
{
    return inode->super->data;
}

static inline struct ext2_inode *ext2_inode_of(const struct inode *inode)
{
    return inode->data;
}

/* ---- ext2_super.c */
int ext2_error(struct ext2 *, const char *what, u64 inode, u64 number); /* -EIO */
int ext2_need_large_file(struct ext2 *);

/* ---- ext2_block.c. fs->lock is held. */
/* A block of metadata in the cache, its page held; NULL: it cannot be read, or does not exist. */
void *ext2_block(struct ext2 *, u32 block, struct page **page);
void *ext2_block_new(struct ext2 *, u32 block, struct page **page); /* zeroed and dirty */
void ext2_block_dirty(struct ext2 *, u32 block, struct page *page);
void ext2_block_forget(struct ext2 *, u32 block);        /* metadata no more: never to be written */
bool ext2_block_is_data(const struct ext2 *, u32 block); /* may be a file's, or an indirect one */
int ext2_block_alloc(struct ext2 *, u32 goal, u32 *block);
int ext2_block_free(struct ext2 *, u32 block);
int ext2_number_alloc(struct ext2 *, u32 dir_ino, bool is_directory, u32 *ino); /* of an inode */
int ext2_number_free(struct ext2 *, u32 ino, bool is_directory);

/* ---- ext2_map.c. fs->lock is held. */
/* The block that holds block `index` of a file; 0: a hole, if it is not to be created. */
int ext2_map(struct inode *, u64 index, bool create, u32 *block);
int ext2_cut(struct inode *, u64 first_index); /* frees blocks from there on */
u64 ext2_max_bytes(const struct ext2 *);

/* ---- ext2_inode.c */
int ext2_get(struct super *, u32 ino, struct inode **); /* fs->lock is not held */
/* A new file, held, without a name; fs->lock is held. Give it up with ext2_inode_give_up. */
int ext2_inode_new(struct inode *dir, u32 mode, u64 rdev, struct inode **);
void ext2_inode_give_up(struct inode *);
int ext2_inode_store(struct inode *); /* to the cache; fs->lock is held */
int ext2_write_inode(struct inode *);
void ext2_free_inode(struct inode *);
void ext2_delete_inode(
    struct inode *); /* if it has no name left: gives its blocks and number back */

/* ---- ext2_data.c: the contents of regular files */
int ext2_read_pages(struct inode *, struct page *const *, u32 nr);
int ext2_write_pages(struct inode *, struct page *const *, u32 nr);
int ext2_prepare_write(struct inode *, u64 from, u64 to);
int ext2_truncate(struct inode *, u64 size);

/* ---- ext2_dir.c: names in directories. fs->lock is held. */
int ext2_dir_find(struct inode *dir, const char *name, u32 *ino); /* -ENOENT */
int ext2_dir_add(struct inode *dir, const char *name, u32 ino, u32 mode);
int ext2_dir_remove(struct inode *dir, const char *name, u32 ino);
int ext2_dir_change(struct inode *dir, const char *name, u32 ino, u32 mode); /* points elsewhere */
int ext2_dir_make(struct inode *dir, u32 parent_ino);                        /* "." and ".." */
u32 ext2_name_hash(const char *name, u32 len);
/* Shows each name, with the block of the directory where it is, until `see` says false. */
int ext2_dir_each(struct inode *dir, bool (*see)(const struct ext2_dir_entry *, u32, void *),
                  void *);
int ext2_dir_is_empty(struct inode *dir); /* 0, -ENOTEMPTY, -EIO */
extern const struct file_ops ext2_dir_file_ops;

/* ---- ext2_index.c: which blocks of a large directory to look into. fs->lock is held. */
int ext2_index_prepare(struct inode *dir); /* afterwards there is one, or none is needed or had */
void ext2_index_add(struct inode *dir, u32 hash, u32 block);
void ext2_index_drop(struct inode *dir);
/* The next block (*cursor from 0) where a name of this hash may be; there is an index. */
bool ext2_index_next(const struct inode *dir, u32 hash, u32 *cursor, u32 *block);

/* ---- ext2_names.c */
extern const struct inode_ops ext2_dir_ops, ext2_file_ops, ext2_link_ops, ext2_special_ops;

#endif
