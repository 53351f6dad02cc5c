/*
 * /dev: a RAM file system that has a node for each registered device from the start, and gets those
 * that are registered later. Programs may make nodes and links in it, too.
 */
#include "guestos/drivers/block.h"
#include "guestos/fs/init.h"
#include "guestos/fs/tmpfs.h"
#include "guestos/kernel/console.h"
#include "guestos/kernel/string.h"
#include "guestos/mm/slab.h"

struct device_node {
    struct list link;
    const char *name;
    u32 mode;
    u64 rdev;
    const struct file_ops *ops;
};

static struct list nodes = LIST_INIT(nodes);
static struct spinlock nodes_lock = SPINLOCK_INIT("devices"); /* nothing is ever taken off */
static struct inode *devfs_root;                              /* held; NULL: not mounted yet */

const struct file_ops *device_ops(u64 rdev)
{
    const struct file_ops *ops = NULL;

    spin_lock(&nodes_lock);
    for (LIST_EACH(struct device_node, node, &nodes, link)) {
        if (node->rdev == rdev && S_ISCHR(node->mode)) {
            ops = node->ops;
            break;
        }
    }
    spin_unlock(&nodes_lock);
    return ops;
}

/* name in dir: a node, or the directory of that name, made if need be. *made is held. */
static int make(struct inode *dir, const char *name, u32 mode, u64 rdev, struct inode **made)
{
    mutex_lock(&dir->lock);
    int error = tmpfs_find(dir, name, made);
    if (error) {
        error = tmpfs_make(dir, name, mode, rdev, made);
    }
    mutex_unlock(&dir->lock);
    return error;
}

static int make_path(struct inode *root, const char *path, u32 mode, u64 rdev)
{
    char name[32];
    struct inode *dir = inode_hold(root), *inode;
    int error = 0;

    for (const char *slash; !error && (slash = strchr(path, '/')); path = slash + 1) {
        string_copy(name, path, MIN(sizeof name, (size_t)(slash - path + 1)));
        error = make(dir, name, S_IFDIR | 0755, 0, &inode);
        if (!error) {
            inode_put(dir);
            dir = inode;
        }
    }
    error = error ? error : make(dir, path, mode, rdev, &inode);
    inode_put(dir);
    if (!error) {
        inode_put(inode);
    }
    return error;
}

void device_register(const char *name, u32 mode, u64 rdev, const struct file_ops *ops)
{
    struct device_node *node = kmalloc(sizeof *node);

    if (!node) {
        print("devfs: no memory for %s\n", name);
        return;
    }
    *node = (struct device_node){.name = name, .mode = mode, .rdev = rdev, .ops = ops};
    spin_lock(&nodes_lock);
    list_add_last(&nodes, &node->link);
    struct inode *root = devfs_root;
    spin_unlock(&nodes_lock);
    if (root && make_path(root, name, mode, rdev)) {
        print("devfs: no node for %s\n", name);
    }
}

static int devfs_mount(struct super *super, const char *options, struct inode **root)
{
    int error = tmpfs_mount(super, options, root);

    if (error) {
        return error;
    }
    (*root)->mode = S_IFDIR | 0755;
    for (LIST_EACH(struct device_node, node, &nodes, link)) {
        error = error ? error : make_path(*root, node->name, node->mode, node->rdev);
    }
    for (LIST_EACH(struct block_device, device, &block_devices, link)) {
        error = error ? error : make_path(*root, device->name, S_IFBLK | 0660, device->rdev);
    }
    static const char *const directories[] = {"pts", "shm"};
    for (u32 i = 0; i < ARRAY_LEN(directories); i++) {
        struct inode *inode;
        int no_dir = make(*root, directories[i], S_IFDIR | (i ? 01777 : 0755), 0, &inode);
        if (!no_dir) {
            inode_put(inode);
        }
    }
    static const char *const links[][2] = {{"fd", "/proc/self/fd"},
                                           {"stdin", "/proc/self/fd/0"},
                                           {"stdout", "/proc/self/fd/1"},
                                           {"stderr", "/proc/self/fd/2"}};
    for (u32 i = 0; i < ARRAY_LEN(links); i++) {
        struct inode *inode;
        mutex_lock(&(*root)->lock);
        int no_link = (*root)->ops->symlink(*root, links[i][0], links[i][1], &inode);
        mutex_unlock(&(*root)->lock);
        if (!no_link) {
            inode_put(inode);
        }
    }
    if (error) {
        print("devfs: not all nodes could be made: error %d\n", -error);
    }
    spin_lock(&nodes_lock);
    if (!devfs_root) {
        devfs_root = *root;
    }
    bool first = devfs_root == *root;
    spin_unlock(&nodes_lock);
    if (first) {
        (void)inode_hold(*root);
    }
    return 0;
}

struct fs_type devfs_type = {.name = "devfs", .mount = devfs_mount};
