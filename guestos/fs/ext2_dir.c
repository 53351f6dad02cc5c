/*
 * ext2: directories. A directory's blocks are each filled by entries: inode number, length of the
 * entry, length of the name, type, name. What is free belongs to the entry before it, or is an
 * entry with inode 0.
 *
 * A directory may have a hash tree (dir_index). Its nodes look like blocks without entries, and its
 * leaves are ordinary blocks, so that reading in a row, and deleting, need not know of it. Adding a
 * name gives the tree up: the directory's flag is cleared, and e2fsck -D makes a new one.
 */
#include "guestos/fs/cache.h"
#include "guestos/fs/ext2.h"
#include "guestos/kernel/string.h"

#define ENTRY_BYTES(name_len) ROUND_UP(EXT2_DIR_HEAD + (u32)(name_len), 4u)

static u32 nr_blocks(const struct inode *dir)
{
    return (u32)(dir->size_bytes >> ext2_of(dir)->block_shift);
}

static int damaged(const struct inode *dir, const char *what, u64 number)
{
    return ext2_error(ext2_of(dir), what, dir->ino, number);
}

/* Block `index` of a directory, its page held. NULL with *error. */
static u8 *get_block(struct inode *dir, u32 index, u32 *block, struct page **page, int *error)
{
    *error = ext2_map(dir, index, false, block);
    if (!*error && !*block) {
        *error = damaged(dir, "a directory has a hole", index);
    }
    if (*error) {
        return NULL;
    }
    u8 *at = ext2_block(ext2_of(dir), *block, page);
    *error = at ? 0 : -EIO;
    return at;
}

/* The entry at this offset of a block; NULL: it is damaged. */
static struct ext2_dir_entry *entry_at(const struct inode *dir, u8 *block, u32 offset)
{
    u32 left = ext2_of(dir)->block_bytes - offset;
    struct ext2_dir_entry *e = (void *)(block + offset);

    if (left < EXT2_DIR_HEAD || e->rec_len < EXT2_DIR_HEAD || e->rec_len % 4 || e->rec_len > left ||
        (e->inode && (EXT2_DIR_HEAD + e->name_len > e->rec_len || e->name_len == 0 ||
                      e->inode > ext2_of(dir)->nr_inodes))) {
        (void)damaged(dir, "a directory's entry is damaged, at byte", offset);
        return NULL;
    }
    return e;
}

static u8 type_of(const struct inode *dir, u32 mode)
{
    static const u8 type[16] = {[S_IFREG >> 12] = 1, [S_IFDIR >> 12] = 2, [S_IFCHR >> 12] = 3,
                                [S_IFBLK >> 12] = 4, [S_IFIFO >> 12] = 5, [S_IFSOCK >> 12] = 6,
                                [S_IFLNK >> 12] = 7};

    return ext2_of(dir)->has_filetype ? type[mode >> 12 & 15] : 0;
}

static u32 dt_of(const struct inode *dir, u8 type)
{
    static const u8 dt[8] = {DT_UNKNOWN, DT_REG, DT_DIR, DT_CHR, DT_BLK, DT_FIFO, DT_SOCK, DT_LNK};

    return ext2_of(dir)->has_filetype && type < 8 ? dt[type] : DT_UNKNOWN;
}

/* Where a name was found. The page is held. */
struct place {
    struct page *page;
    u8 *data;                           /* of the block */
    u32 index, block, offset, previous; /* previous = offset: it is the block's first entry */
};

static struct ext2_dir_entry *entry_of(const struct place *p)
{
    return (void *)(p->data + p->offset);
}

/* In one block: 0 and the place; 1: not here; or an error. */
static int find_in_block(struct inode *dir, const char *name, u32 len, struct place *p)
{
    u32 size = ext2_of(dir)->block_bytes, previous = 0;
    struct ext2_dir_entry *e;

    for (u32 at = 0; at < size; previous = at, at += e->rec_len) {
        e = entry_at(dir, p->data, at);
        if (!e) {
            return -EIO;
        }
        if (e->inode && e->name_len == len && e->name[0] == name[0] &&
            memcmp(e->name, name, len) == 0) {
            p->offset = at;
            p->previous = previous;
            return 0;
        }
    }
    return 1;
}

/* In block `index`: as find_in_block(), the page held if it is 0. */
static int look_into(struct inode *dir, u32 index, const char *name, u32 len, struct place *p)
{
    int result;

    p->index = index;
    p->data = get_block(dir, index, &p->block, &p->page, &result);
    if (p->data) {
        result = find_in_block(dir, name, len, p);
        if (result) {
            page_put(p->page);
        }
    }
    return result;
}

static int find(struct inode *dir, const char *name, struct place *p)
{
    u32 len = (u32)strlen(name), hash = ext2_name_hash(name, len), cursor = 0, index;
    int result = ext2_index_prepare(dir);

    if (result) {
        return result;
    }
    result = 1;
    if (ext2_inode_of(dir)->index) {
        while (result > 0 && ext2_index_next(dir, hash, &cursor, &index)) {
            result = look_into(dir, index, name, len, p);
        }
    } else {
        for (index = 0; index < nr_blocks(dir) && result > 0; index++) {
            result = look_into(dir, index, name, len, p);
        }
    }
    return result > 0 ? -ENOENT : result;
}

int ext2_dir_find(struct inode *dir, const char *name, u32 *ino)
{
    struct place p;
    int error = find(dir, name, &p);

    if (!error) {
        *ino = entry_of(&p)->inode;
        page_put(p.page);
    }
    return error;
}

/* ---- changing */

static void changed(struct inode *dir, const struct place *p)
{
    ext2_block_dirty(ext2_of(dir), p->block, p->page);
    inode_touch(dir, TOUCH_MTIME | TOUCH_CTIME);
}

static void fill(struct inode *dir, struct ext2_dir_entry *e, const char *name, u32 ino, u32 mode)
{
    e->inode = ino;
    e->name_len = (u8)strlen(name);
    e->file_type = type_of(dir, mode);
    memcpy(e->name, name, e->name_len);
}

/* Room for an entry in the block: 0 and an entry with its rec_len; 1: none; or an error. */
static int make_room(struct inode *dir, struct place *p, u32 wanted)
{
    u32 size = ext2_of(dir)->block_bytes;
    struct ext2_dir_entry *e;

    for (u32 at = 0; at < size; at += e->rec_len) {
        e = entry_at(dir, p->data, at);
        if (!e) {
            return -EIO;
        }
        u32 used = e->inode ? ENTRY_BYTES(e->name_len) : 0;
        if (e->rec_len >= used + wanted) {
            p->offset = at + used;
            if (used) {
                u16 rest = (u16)(e->rec_len - used);
                e->rec_len = (u16)used;
                entry_of(p)->rec_len = rest;
            }
            return 0;
        }
    }
    return 1;
}

/* A new block at the end, which is one free entry. */
static int append_block(struct inode *dir, struct place *p)
{
    struct ext2 *fs = ext2_of(dir);
    u32 index = nr_blocks(dir);

    if (dir->size_bytes + fs->block_bytes > (1ul << 31)) {
        return -ENOSPC;
    }
    int error = ext2_map(dir, index, true, &p->block);
    if (error) {
        return error;
    }
    p->data = ext2_block_new(fs, p->block, &p->page);
    if (!p->data) {
        (void)ext2_cut(dir, index);
        return -EIO;
    }
    p->index = index;
    p->offset = 0;
    entry_of(p)->rec_len = (u16)fs->block_bytes;
    dir->size_bytes += fs->block_bytes;
    return 0;
}

int ext2_dir_add(struct inode *dir, const char *name, u32 ino, u32 mode)
{
    struct ext2_inode *e = ext2_inode_of(dir);
    u32 wanted = ENTRY_BYTES(strlen(name));
    struct place p;
    int result = 1;

    for (u32 i = MIN(e->room_from, nr_blocks(dir)); i < nr_blocks(dir) && result > 0; i++) {
        p.data = get_block(dir, i, &p.block, &p.page, &result);
        if (!p.data) {
            return result;
        }
        p.index = i;
        result = make_room(dir, &p, wanted);
        if (result) {
            page_put(p.page);
        }
    }
    if (result > 0) {
        result = append_block(dir, &p);
    }
    if (result) {
        return result;
    }
    e->room_from = p.index;
    e->flags &= ~(u32)EXT2_INDEXED;
    fill(dir, entry_of(&p), name, ino, mode);
    ext2_index_add(dir, ext2_name_hash(name, (u32)strlen(name)), p.index);
    changed(dir, &p);
    page_put(p.page);
    return ext2_inode_store(dir);
}

int ext2_dir_remove(struct inode *dir, const char *name, u32 ino)
{
    struct place p;
    int error = find(dir, name, &p);

    if (error) {
        return error == -ENOENT ? damaged(dir, "a name has gone", ino) : error;
    }
    struct ext2_dir_entry *e = entry_of(&p), *before = (void *)(p.data + p.previous);
    if (e->inode != ino) {
        error = damaged(dir, "a name leads elsewhere than before", ino);
    } else {
        e->inode = 0;
        if (before != e) {
            before->rec_len = (u16)(before->rec_len + e->rec_len);
        }
        ext2_inode_of(dir)->room_from = MIN(ext2_inode_of(dir)->room_from, p.index);
        changed(dir, &p);
    }
    page_put(p.page);
    return error ? error : ext2_inode_store(dir);
}

int ext2_dir_change(struct inode *dir, const char *name, u32 ino, u32 mode)
{
    struct place p;
    int error = find(dir, name, &p);

    if (error) {
        return error == -ENOENT ? damaged(dir, "a name has gone", ino) : error;
    }
    entry_of(&p)->inode = ino;
    entry_of(&p)->file_type = type_of(dir, mode);
    changed(dir, &p);
    page_put(p.page);
    return ext2_inode_store(dir);
}

int ext2_dir_make(struct inode *dir, u32 parent_ino)
{
    struct place p;
    int error = append_block(dir, &p);

    if (error) {
        return error;
    }
    u32 dot = ENTRY_BYTES(1);
    fill(dir, entry_of(&p), ".", (u32)dir->ino, S_IFDIR);
    entry_of(&p)->rec_len = (u16)dot;
    p.offset = dot;
    fill(dir, entry_of(&p), "..", parent_ino, S_IFDIR);
    entry_of(&p)->rec_len = (u16)(ext2_of(dir)->block_bytes - dot);
    changed(dir, &p);
    page_put(p.page);
    return 0;
}

u32 ext2_name_hash(const char *name, u32 len)
{
    u32 h = 0x811C9DC5; /* FNV-1a */

    while (len--) {
        h = (h ^ (u8)*name++) * 0x01000193;
    }
    return h ^ h >> 15;
}

int ext2_dir_each(struct inode *dir, bool (*see)(const struct ext2_dir_entry *, u32, void *),
                  void *argument)
{
    u32 size = ext2_of(dir)->block_bytes, block;
    struct page *page;
    bool more = true;
    int error = 0;

    for (u32 i = 0; i < nr_blocks(dir) && more && !error; i++) {
        u8 *data = get_block(dir, i, &block, &page, &error);
        for (u32 at = 0; data && at < size && more && !error;) {
            const struct ext2_dir_entry *e = entry_at(dir, data, at);
            if (!e) {
                error = -EIO;
            } else {
                more = !e->inode || see(e, i, argument);
                at += e->rec_len;
            }
        }
        if (data) {
            page_put(page);
        }
    }
    return error;
}

static bool is_dot(const struct ext2_dir_entry *e, u32 block, void *empty)
{
    (void)block;
    *(bool *)empty =
        e->name[0] == '.' && (e->name_len == 1 || (e->name_len == 2 && e->name[1] == '.'));
    return *(bool *)empty;
}

int ext2_dir_is_empty(struct inode *dir)
{
    bool empty = true;
    int error = ext2_dir_each(dir, is_dot, &empty);

    return error ? error : empty ? 0 : -ENOTEMPTY;
}

/* ---- reading. A position is a byte's offset; entries may have been joined since it was given. */

static int emit_block(struct inode *dir, u8 *data, u64 begin, u64 *pos, struct dir_sink *sink)
{
    u32 size = ext2_of(dir)->block_bytes;
    struct ext2_dir_entry *e;

    for (u32 at = 0; at < size; at += e->rec_len) {
        e = entry_at(dir, data, at);
        if (!e) {
            return -EIO;
        }
        u64 next = begin + at + e->rec_len;
        if (begin + at < *pos) {
            continue;
        }
        if (e->inode &&
            !sink->emit(sink, e->name, e->name_len, e->inode, dt_of(dir, e->file_type), next)) {
            return 1;
        }
        *pos = next;
    }
    return 0;
}

static int ext2_readdir(struct file *f, u64 *pos, struct dir_sink *sink)
{
    struct inode *dir = f->inode;
    struct ext2 *fs = ext2_of(dir);
    int result = 0;

    mutex_lock(&fs->lock);
    while (*pos < dir->size_bytes && !result) {
        u32 index = (u32)(*pos >> fs->block_shift), block;
        u64 begin = (u64)index << fs->block_shift;
        struct page *page;
        u8 *data = get_block(dir, index, &block, &page, &result);
        if (data) {
            result = emit_block(dir, data, begin, pos, sink);
            if (!result && *pos < begin + fs->block_bytes) {
                *pos = begin + fs->block_bytes;
            }
            page_put(page);
        }
    }
    mutex_unlock(&fs->lock);
    return MIN(result, 0);
}

const struct file_ops ext2_dir_file_ops = {.readdir = ext2_readdir};
