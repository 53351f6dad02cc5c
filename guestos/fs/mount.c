/*
 * Mounted file systems: registering types, mounting and unmounting, writing all of them back. A
 * mount covers a dentry with the root of another file system; several may lie on each other.
 */
#include "guestos/drivers/block.h"
#include "guestos/fs/block_file.h"
#include "guestos/fs/cache.h"
#include "guestos/fs/fs_context.h"
#include "guestos/fs/init.h"
#include "guestos/fs/path.h"
#include "guestos/kernel/console.h"
#include "guestos/kernel/panic.h"
#include "guestos/kernel/string.h"
#include "guestos/mm/layout.h"
#include "guestos/mm/slab.h"
#include "guestos/proc/process.h"

struct list mounts = LIST_INIT(mounts);
struct mutex mounts_lock = MUTEX_INIT(mounts_lock);
static struct list types = LIST_INIT(types);
static struct dentry *root;
static u32 last_unnamed_dev = 15; /* st_dev of what has no device */

void fs_register(struct fs_type *type)
{
    list_add_last(&types, &type->link);
}

static const struct fs_type *find_type(const char *name)
{
    for (LIST_EACH(struct fs_type, type, &types, link)) {
        if (strcmp(type->name, name) == 0) {
            return type;
        }
    }
    return NULL;
}

bool fs_type_name(u32 number, const char **name, bool *needs_device)
{
    for (LIST_EACH(struct fs_type, type, &types, link)) {
        if (number-- == 0) {
            *name = type->name;
            *needs_device = type->needs_device;
            return true;
        }
    }
    return false;
}

struct dentry *vfs_root(void)
{
    return dentry_hold(root);
}

static bool device_is_mounted(const struct block_device *device)
{
    for (LIST_EACH(struct super, super, &mounts, link)) {
        if (device && super->device == device) {
            return true;
        }
    }
    return false;
}

/* Makes the file system known and covers `at` (held, taken over; NULL: it is the root). */
static int mount_on(struct dentry *at, const struct fs_type *type, struct block_device *device,
                    const char *source, u32 flags, const char *options)
{
    struct super *super = kmalloc(sizeof *super);
    struct inode *inode = NULL;
    int error = -ENOMEM;

    if (!super) {
        goto fail;
    }
    super->type = type;
    super->device = device;
    super->dev = device ? (u32)device->rdev : ++last_unnamed_dev; /* major 0, below 256 of them */
    super->flags = flags;
    super->readonly = (flags & MS_RDONLY) || (device && device->readonly);
    super->max_bytes = ~0ul >> 1;
    super->block_bytes = PAGE_BYTES;
    mutex_init(&super->rename_lock);
    list_init(&super->inodes);
    string_copy(super->source, source, sizeof super->source);
    error = type->mount(super, options, &inode);
    if (error) {
        goto fail;
    }
    super->root = dentry_root(inode);
    if (!super->root) {
        error = -ENOMEM;
        super->ops->unmount(super);
        goto fail;
    }
    spin_lock(&dentry_lock);
    if (at) {
        super->root->covers = at;
        at->mounted = super->root;
    } else {
        root = super->root;
    }
    spin_unlock(&dentry_lock);
    list_add_last(&mounts, &super->link);
    return 0;
fail:
    kfree(super);
    dentry_put(at);
    return error;
}

static int remount(struct dentry *at, u32 flags)
{
    struct super *super = at->super;
    bool readonly = flags & MS_RDONLY;
    int error = 0;

    if (at != super->root) {
        error = -EINVAL;
    } else if (readonly != super->readonly) {
        if (readonly) {
            fs_sync(super);
        }
        error = !super->ops->remount ? -EINVAL : super->ops->remount(super, readonly);
    }
    if (!error) {
        super->flags = flags & ~(u32)MS_REMOUNT;
        super->readonly = readonly;
    }
    dentry_put(at);
    return error;
}

static int find_device(const char *source, struct block_device **device)
{
    struct dentry *d;
    int error = path_lookup(AT_FDCWD, source, LOOKUP_FOLLOW, &d);

    if (error) {
        return error;
    }
    if (!S_ISBLK(d->inode->mode)) {
        error = -ENOTBLK;
    } else if (!(*device = block_by_dev(d->inode->rdev))) {
        error = -ENXIO;
    }
    dentry_put(d);
    return error;
}

int fs_mount(const char *type_name, const char *source, const char *path, u32 flags,
             const char *options)
{
    struct block_device *device = NULL;
    const struct fs_type *type = find_type(type_name);
    struct dentry *at;
    int error = path_lookup(AT_FDCWD, path, LOOKUP_FOLLOW, &at);

    if (error) {
        return error;
    }
    if (flags & MS_REMOUNT) {
        mutex_lock(&mounts_lock);
        error = remount(at, flags);
        mutex_unlock(&mounts_lock);
        return error;
    }
    error = !type ? -ENODEV : type->needs_device ? find_device(source, &device) : 0;
    if (!error && !S_ISDIR(at->inode->mode)) {
        error = -ENOTDIR;
    }
    if (error) {
        dentry_put(at);
        return error;
    }
    mutex_lock(&mounts_lock);
    if (at->unlinked || at->mounted || device_is_mounted(device)) {
        dentry_put(at);
        error = -EBUSY;
    } else {
        error = mount_on(at, type, device, source, flags, options);
    }
    mutex_unlock(&mounts_lock);
    return error;
}

/* ---- unmounting */

/* Uncovers what it covers, unless somebody uses it. at: held by the caller, and put. */
static int uncover(struct super *super, struct dentry *at)
{
    struct dentry *top = super->root;

    spin_lock(&dentry_lock);
    bool busy = top->refs > (at == top ? 2u : 1u) || !list_empty(&top->children) || top->mounted;
    if (!busy) {
        top->covers->mounted = NULL;
    }
    spin_unlock(&dentry_lock);
    dentry_put(at);
    return busy ? -EBUSY : 0;
}

int fs_unmount(const char *path)
{
    struct dentry *at;
    int error = path_lookup(AT_FDCWD, path, LOOKUP_FOLLOW, &at);

    if (error) {
        return error;
    }
    mutex_lock(&mounts_lock);
    struct super *super = at->super;
    if (at != super->root || !at->covers) {
        error = at == root ? -EBUSY : -EINVAL;
        dentry_put(at);
    } else {
        fs_sync(super);
        dentry_forget(super);
        error = uncover(super, at);
    }
    if (!error) {
        struct dentry *below = super->root->covers;
        list_remove(&super->link);
        dentry_put(super->root);
        super->ops->unmount(super);
        kfree(super);
        dentry_put(below);
    }
    mutex_unlock(&mounts_lock);
    return error;
}

/* ---- writing back */

void fs_sync(struct super *super)
{
    for (struct inode *i = inode_next(super, NULL); i; i = inode_next(super, i)) {
        if (i->metadata_dirty || i->nr_dirty || !list_empty(&i->mappings)) {
            (void)inode_write(i, true);
        }
    }
    if (super->ops && super->ops->sync && !super->readonly) { /* pipes have none */
        (void)super->ops->sync(super);
    }
}

void fs_sync_all(void)
{
    mutex_lock(&mounts_lock);
    for (LIST_EACH(struct super, super, &mounts, link)) {
        fs_sync(super);
    }
    mutex_unlock(&mounts_lock);
    block_files_sync();
}

void fs_shutdown(void)
{
    mutex_lock(&mounts_lock);
    for (LIST_EACH(struct super, super, &mounts, link)) {
        fs_sync(super);
        if (!super->readonly && super->ops->remount && super->ops->remount(super, true) == 0) {
            super->readonly = true;
        }
    }
    mutex_unlock(&mounts_lock);
    block_files_sync();
}

/* ---- the beginning */

void vfs_init(void)
{
    inodes_init();
    dentries_init();
    files_init();
    cache_init();
    tmpfs_init_unnamed();
    fs_register(&ext2_type);
    fs_register(&tmpfs_type);
    fs_register(&devfs_type);
    fs_register(&proc_type);
}

static void mount_if_there(const char *type, const char *path)
{
    int error = fs_mount(type, type, path, 0, "");

    if (error && error != -ENOENT) {
        print("fs: %s cannot be mounted on %s: error %d\n", type, path, -error);
    }
}

static int try_root(struct block_device *device)
{
    char source[sizeof device->name + 5] = "/dev/";

    string_copy(source + 5, device->name, sizeof source - 5);
    mutex_lock(&mounts_lock);
    int error = mount_on(NULL, &ext2_type, device, source, 0, "");
    mutex_unlock(&mounts_lock);
    return error;
}

void vfs_mount_root(const char *name)
{
    int error = -ENODEV;

    if (name) {
        struct block_device *device = block_find(name);
        if (!device) {
            panic("root=%s: there is no such disk or partition", name);
        }
        error = try_root(device);
        if (error) {
            panic("root=%s: no ext2 that can be mounted: error %d", name, -error);
        }
    } else {
        for (LIST_EACH(struct block_device, device, &block_devices, link)) {
            if (device->disk && (error = try_root(device)) == 0) {
                break;
            }
        }
        if (error) {
            panic("no partition holds an ext2 for the root; root=NAME chooses one");
        }
    }
    struct super *super = root->super;
    print("Root: %s (ext2%s)\n", super->source, super->readonly ? ", read-only" : "");
    mount_if_there("devfs", "/dev");
    mount_if_there("proc", "/proc");
}
