/* Who may do what: owner, group and others, as inode(7) and path_resolution(7) say. */
#include "guestos/fs/path.h"
#include "guestos/proc/process.h"

static u32 fsuid(void)
{
    return this_process() ? this_process()->cred.fsuid : 0;
}

bool is_owner(const struct inode *inode)
{
    u32 uid = fsuid();

    return uid == 0 || uid == inode->uid;
}

int inode_permission(struct inode *inode, u32 wanted)
{
    u32 mode = inode->mode, uid = fsuid();
    bool stored = S_ISREG(mode) || S_ISDIR(mode) || S_ISLNK(mode);

    if ((wanted & MAY_WRITE) && inode->super->readonly && stored) {
        return -EROFS;
    }
    if (uid == 0) {
        bool may_exec = S_ISDIR(mode) || (mode & 0111);
        return (wanted & MAY_EXEC) && !may_exec ? -EACCES : 0;
    }
    u32 bits = uid == inode->uid ? mode >> 6 : in_group(inode->gid) ? mode >> 3 : mode;
    return (bits & wanted) == wanted ? 0 : -EACCES;
}

int may_create(struct inode *dir)
{
    return dir->nlink == 0 ? -ENOENT : inode_permission(dir, MAY_WRITE | MAY_EXEC);
}

int may_delete(struct inode *dir, struct inode *victim)
{
    int error = inode_permission(dir, MAY_WRITE | MAY_EXEC);

    if (!error && (dir->mode & S_ISVTX) && !is_owner(dir) && !is_owner(victim)) {
        error = -EPERM;
    }
    return error;
}
