/*
 * procfs as a file system: the tree of names, inodes that are made of their numbers, and files
 * whose text is made when they are read from the beginning. What the texts say is in proc_system.c,
 * proc_pid.c and proc_pid_files.c.
 *
 * An inode's number says everything: process (or thread) in the upper half, then whether it lies
 * below task/, the descriptor, and the node.
 */
#include "guestos/fs/proc_fs.h"
#include "guestos/fs/init.h"
#include "guestos/kernel/panic.h"
#include "guestos/kernel/string.h"
#include "guestos/mm/layout.h"
#include "guestos/mm/slab.h"
#include "guestos/mm/user.h"
#include "guestos/proc/process.h"

#define PROC_MAGIC   0x9FA0
#define WRITE_MAX    256u
#define FIRST_PID_AT 256u /* positions in a directory: nodes come first */

enum node_index {
    NO_NODE,
    ROOT,
    PID,  /* a process' directory, or a thread's */
    TASK, /* its threads */
    FD,
    FD_LINK,
    SYS,
    SYS_KERNEL,
    SYS_VM,
    SYS_FS,
    FIRST_OTHER,
};

struct node {
    u8 parent;        /* node_index */
    const char *name; /* NULL: names are found at run time */
    u32 mode;
    proc_show *show;
    proc_store *store;
    proc_follow *follow;
};

/* clang-format off */
#define DIR(parent, name, mode)        {parent, name, S_IFDIR | (mode), NULL, NULL, NULL}
#define TEXT(parent, name, show)       {parent, name, S_IFREG | 0444, show, NULL, NULL}
#define OWN(parent, name, show)        {parent, name, S_IFREG | 0400, show, NULL, NULL}
#define SET(parent, name, show, store) {parent, name, S_IFREG | 0644, show, store, NULL}
#define LINK(parent, name, show)       {parent, name, S_IFLNK | 0777, show, NULL, NULL}
#define JUMP(parent, name, follow)     {parent, name, S_IFLNK | 0777, NULL, NULL, follow}
/* clang-format on */

static const struct node nodes[] = {
    [ROOT] = DIR(NO_NODE, "", 0555),
    [PID] = DIR(ROOT, NULL, 0555),
    [TASK] = DIR(PID, "task", 0555),
    [FD] = DIR(PID, "fd", 0500),
    [FD_LINK] = {FD, NULL, S_IFLNK | 0777, proc_fd_text, NULL, proc_pid_fd},
    [SYS] = DIR(ROOT, "sys", 0555),
    [SYS_KERNEL] = DIR(SYS, "kernel", 0555),
    [SYS_VM] = DIR(SYS, "vm", 0555),
    [SYS_FS] = DIR(SYS, "fs", 0555),
    [FIRST_OTHER] = LINK(ROOT, "self", proc_self),
    LINK(ROOT, "thread-self", proc_thread_self),
    LINK(ROOT, "mounts", proc_mounts_link),
    TEXT(ROOT, "cpuinfo", proc_cpuinfo),
    TEXT(ROOT, "diskstats", proc_diskstats),
    TEXT(ROOT, "filesystems", proc_filesystems),
    TEXT(ROOT, "loadavg", proc_loadavg),
    TEXT(ROOT, "meminfo", proc_meminfo),
    TEXT(ROOT, "partitions", proc_partitions),
    TEXT(ROOT, "slabinfo", proc_slabinfo),
    TEXT(ROOT, "stat", proc_stat),
    TEXT(ROOT, "uptime", proc_uptime),
    TEXT(ROOT, "version", proc_version),
    TEXT(ROOT, "vmstat", proc_vmstat),
    TEXT(PID, "cmdline", proc_pid_cmdline),
    SET(PID, "comm", proc_pid_comm, proc_pid_set_comm),
    OWN(PID, "environ", proc_pid_environ),
    TEXT(PID, "limits", proc_pid_limits),
    TEXT(PID, "maps", proc_pid_maps),
    TEXT(PID, "mounts", proc_mounts),
    TEXT(PID, "smaps", proc_pid_smaps),
    TEXT(PID, "stat", proc_pid_stat),
    TEXT(PID, "statm", proc_pid_statm),
    TEXT(PID, "status", proc_pid_status),
    JUMP(PID, "cwd", proc_pid_cwd),
    JUMP(PID, "exe", proc_pid_exe),
    JUMP(PID, "root", proc_pid_root),
    SET(SYS_KERNEL, "hostname", proc_hostname, proc_set_hostname),
    SET(SYS_KERNEL, "domainname", proc_domainname, proc_set_domainname),
    TEXT(SYS_KERNEL, "ostype", proc_ostype),
    TEXT(SYS_KERNEL, "osrelease", proc_osrelease),
    TEXT(SYS_KERNEL, "version", proc_osversion),
    TEXT(SYS_KERNEL, "pid_max", proc_pid_max),
    TEXT(SYS_VM, "overcommit_memory", proc_overcommit),
    TEXT(SYS_VM, "max_map_count", proc_max_map_count),
    TEXT(SYS_FS, "file-nr", proc_file_nr),
};
_Static_assert(ARRAY_LEN(nodes) <= 256, "a node's index has 8 bits in an inode's number");
_Static_assert(ARRAY_LEN(nodes) <= FIRST_PID_AT - 2, "positions in a directory");

/* ---- numbers */

static u64 number_of(u32 node, const struct proc_ref *ref)
{
    return (u64)ref->pid << 32 | (u64)ref->is_task << 31 | (u64)ref->fd << 8 | node;
}

static u32 decode(u64 ino, struct proc_ref *ref)
{
    *ref = (struct proc_ref){
        .pid = (u32)(ino >> 32), .is_task = ino >> 31 & 1, .fd = ino >> 8 & 0x7FFFFF};
    return ino & 0xFF;
}

/* ---- inodes */

static const struct inode_ops dir_ops, link_ops, jump_ops, file_inode_ops;
static const struct file_ops dir_file_ops, text_file_ops;

/* Whose files they are: those of who runs the process. */
static void set_owner(struct inode *inode, const struct proc_ref *ref)
{
    struct thread *t;

    spin_lock(&process_lock);
    const struct process *p = ref->pid ? proc_process(ref, &t) : NULL;
    inode->uid = p ? p->cred.euid : 0;
    inode->gid = p ? p->cred.egid : 0;
    spin_unlock(&process_lock);
}

static int get_inode(struct super *super, u32 index, const struct proc_ref *ref,
                     struct inode **found)
{
    const struct node *n = &nodes[index];
    bool fresh;
    struct inode *inode = inode_get(super, number_of(index, ref), &fresh);

    if (!inode) {
        return -ENOMEM;
    }
    set_owner(inode, ref);
    if (fresh) {
        inode->mode = n->mode;
        inode->nlink = S_ISDIR(n->mode) ? 2 : 1;
        inode->atime_ns = inode->mtime_ns = inode->ctime_ns = clock_realtime();
        inode->ops = S_ISDIR(n->mode)   ? &dir_ops
                     : S_ISREG(n->mode) ? &file_inode_ops
                     : n->follow        ? &jump_ops
                                        : &link_ops;
        inode->file_ops = S_ISDIR(n->mode) ? &dir_file_ops : &text_file_ops;
        inode_ready(inode);
    }
    *found = inode;
    return 0;
}

/* ---- directories */

static bool parse_number(const char *name, u32 *number)
{
    u64 n = 0;

    if (!*name || (name[0] == '0' && name[1])) {
        return false;
    }
    for (; *name; name++) {
        if (*name < '0' || *name > '9' || n > 0x7FFFFF) {
            return false;
        }
        n = n * 10 + (u64)(*name - '0');
    }
    *number = (u32)n;
    return n <= 0x7FFFFF;
}

/* The process, or in task/ the thread, with the smallest number from `from` on; 0: none. */
static u32 next_pid(u32 dir, const struct proc_ref *ref, u32 from)
{
    u32 best = 0;

    spin_lock(&process_lock);
    if (dir == TASK) {
        struct thread *t;
        struct process *p = proc_process(ref, &t);
        for (struct list *at = p ? p->threads.next : NULL; p && at != &p->threads; at = at->next) {
            u32 tid = LIST_ENTRY(at, struct thread, process_link)->tid;
            best = tid >= from && (!best || tid < best) ? tid : best;
        }
    } else {
        for (LIST_EACH(struct process, p, &processes, table_link)) {
            best = p->pid >= from && (!best || p->pid < best) ? p->pid : best;
        }
    }
    spin_unlock(&process_lock);
    return best;
}

/* Does the node belong into this directory? task/ is not below task/. */
static bool is_child(u32 index, u32 dir, const struct proc_ref *ref)
{
    return nodes[index].parent == dir && nodes[index].name && !(index == TASK && ref->is_task);
}

/* What a number means as a name in a directory. False: nothing. */
static bool find_number(u32 dir, struct proc_ref *ref, u32 number, u32 *index)
{
    u32 fd;

    switch (dir) {
    case ROOT:
    case TASK:
        *index = PID;
        if (number == 0 || next_pid(dir, ref, number) != number) {
            return false;
        }
        *ref = (struct proc_ref){.pid = number, .is_task = dir == TASK};
        return true;
    case FD:
        *index = FD_LINK;
        ref->fd = number;
        return proc_next_fd(ref, number, &fd) && fd == number;
    default: return false;
    }
}

static int proc_lookup(struct inode *dir, const char *name, struct inode **found)
{
    struct proc_ref ref;
    u32 at = decode(dir->ino, &ref);
    u32 number, index;

    for (u32 i = ROOT; i < ARRAY_LEN(nodes); i++) {
        if (is_child(i, at, &ref) && strcmp(nodes[i].name, name) == 0) {
            return get_inode(dir->super, i, &ref, found);
        }
    }
    if (parse_number(name, &number) && find_number(at, &ref, number, &index)) {
        return get_inode(dir->super, index, &ref, found);
    }
    return -ENOENT;
}

static bool emit_number(struct dir_sink *sink, u32 number, u32 node, const struct proc_ref *ref,
                        u64 next_pos)
{
    char digits[12];
    u32 at = sizeof digits;

    do {
        digits[--at] = (char)('0' + number % 10);
        number /= 10;
    } while (number);
    return sink->emit(sink, digits + at, sizeof digits - at, number_of(node, ref),
                      DT_OF_MODE(nodes[node].mode), next_pos);
}

/* The numbers in a directory, from *pos on. */
static void read_numbers(u32 dir, const struct proc_ref *ref, u64 *pos, struct dir_sink *sink)
{
    for (;;) {
        u32 number, from = (u32)(*pos - FIRST_PID_AT);
        struct proc_ref child = *ref;
        if (dir == FD) {
            if (!proc_next_fd(ref, from, &number)) {
                return;
            }
            child.fd = number;
        } else {
            number = next_pid(dir, ref, MAX(from, 1u));
            if (!number) {
                return;
            }
            child = (struct proc_ref){.pid = number, .is_task = dir == TASK};
        }
        u64 next = FIRST_PID_AT + (u64)number + 1;
        if (!emit_number(sink, number, dir == FD ? FD_LINK : PID, &child, next)) {
            return;
        }
        *pos = next;
    }
}

static u64 parent_number(u32 index, const struct proc_ref *ref)
{
    u32 parent = nodes[index].parent;

    if (index == PID || parent <= ROOT || parent >= SYS) {
        return number_of(parent ? parent : ROOT, &(struct proc_ref){0});
    }
    return number_of(parent, ref);
}

static int proc_readdir(struct file *file, u64 *pos, struct dir_sink *sink)
{
    struct proc_ref ref;
    u32 dir = decode(file->inode->ino, &ref);

    for (; *pos < FIRST_PID_AT; ++*pos) {
        u32 i = (u32)*pos - 1; /* position 0 and 1: . and .. */
        bool more = true;
        if (*pos == 0) {
            more = sink->emit(sink, ".", 1, file->inode->ino, DT_DIR, 1);
        } else if (*pos == 1) {
            more = sink->emit(sink, "..", 2, parent_number(dir, &ref), DT_DIR, 2);
        } else if (i >= ROOT && i < ARRAY_LEN(nodes) && is_child(i, dir, &ref)) {
            more = sink->emit(sink, nodes[i].name, (u32)strlen(nodes[i].name), number_of(i, &ref),
                              DT_OF_MODE(nodes[i].mode), *pos + 1);
        }
        if (!more) {
            return 0;
        }
    }
    if (dir == ROOT || dir == TASK || dir == FD) {
        read_numbers(dir, &ref, pos, sink);
    }
    return 0;
}

static const struct inode_ops dir_ops = {.lookup = proc_lookup};
static const struct file_ops dir_file_ops = {.readdir = proc_readdir};

/* ---- links */

static int make_text(struct text *text, const struct inode *inode)
{
    struct proc_ref ref;
    const struct node *n = &nodes[decode(inode->ino, &ref)];
    int result = n->show ? n->show(text, &ref) : -EINVAL;

    if (result == 0 && text->failed) {
        result = -ENOMEM;
    }
    if (result < 0) {
        kfree(text->data);
        text->data = NULL;
    }
    return result;
}

static int dentry_text(const struct node *n, const struct proc_ref *ref, struct text *text)
{
    struct dentry *d;
    char *buffer = kmalloc(PATH_MAX);
    int result = buffer ? n->follow(ref, &d) : -ENOMEM;

    if (result == 0) {
        const char *path = path_of(d, buffer, PATH_MAX);
        if (path) {
            text_print(text, "%s", path);
        }
        dentry_put(d);
        result = !path ? -ENAMETOOLONG : text->failed ? -ENOMEM : 0;
    }
    kfree(buffer);
    return result;
}

static int proc_readlink(struct inode *inode, char **to)
{
    struct proc_ref ref;
    const struct node *n = &nodes[decode(inode->ino, &ref)];
    struct text text = {0};
    int result = n->show ? make_text(&text, inode) : dentry_text(n, &ref, &text);

    if (result == 0) {
        text_add(&text, "", 1);
        result = text.failed ? -ENOMEM : 0;
    }
    if (result < 0) {
        kfree(text.data);
        return result;
    }
    *to = text.data;
    return 0;
}

static int proc_jump(struct inode *inode, struct dentry **to)
{
    struct proc_ref ref;
    const struct node *n = &nodes[decode(inode->ino, &ref)];

    return n->follow(&ref, to);
}

static const struct inode_ops link_ops = {.readlink = proc_readlink};
static const struct inode_ops jump_ops = {.readlink = proc_readlink, .follow = proc_jump};

/* ---- files */

static void drop_text(struct file *file)
{
    struct text *text = file->data;

    if (text) {
        kfree(text->data);
        kfree(text);
        file->data = NULL;
    }
}

/* The text as of now. */
static int renew_text(struct file *file)
{
    struct text *text = kmalloc(sizeof *text);
    int result = text ? make_text(text, file->inode) : -ENOMEM;

    if (result < 0) {
        kfree(text);
        return result;
    }
    drop_text(file);
    file->data = text;
    return 0;
}

/* Who reads on reads the text that was made at the beginning, however things have changed. */
static long text_read(struct file *file, u64 to, u64 len, u64 *pos)
{
    if (*pos == 0 || !file->data) {
        int result = renew_text(file);
        if (result < 0) {
            return result;
        }
    }
    const struct text *text = file->data;
    if (*pos >= text->len) {
        return 0;
    }
    len = MIN(len, text->len - *pos);
    if (copy_to_user(to, text->data + *pos, len) < 0) {
        return -EFAULT;
    }
    *pos += len;
    return (long)len;
}

static long text_write(struct file *file, u64 from, u64 len, u64 *pos)
{
    struct proc_ref ref;
    const struct node *n = &nodes[decode(file->inode->ino, &ref)];
    char text[WRITE_MAX + 1];

    if (!n->store) {
        return -EACCES;
    }
    if (len > WRITE_MAX) {
        return -EINVAL;
    }
    if (copy_from_user(text, from, len) < 0) {
        return -EFAULT;
    }
    size_t used = len && text[len - 1] == '\n' ? len - 1 : len;
    text[used] = 0;
    int result = n->store(text, used, &ref);
    *pos += result < 0 ? 0 : len;
    return result < 0 ? result : (long)len;
}

static int no_mmap(struct file *file, struct vm_area *area)
{
    (void)file, (void)area;
    return -ENODEV;
}

static int refuse_truncate(struct inode *inode, u64 size)
{
    (void)inode, (void)size;
    return 0; /* `echo x > file` truncates first */
}

static const struct inode_ops file_inode_ops = {.truncate = refuse_truncate};
static const struct file_ops text_file_ops = {
    .read = text_read, .write = text_write, .release = drop_text, .mmap = no_mmap};

/* ---- the file system */

static int proc_statfs(struct super *super, struct abi_statfs *to)
{
    (void)super;
    *to = (struct abi_statfs){
        .type = PROC_MAGIC, .bsize = PAGE_BYTES, .frsize = PAGE_BYTES, .namelen = NAME_MAX};
    return 0;
}

static void nothing_to_free(struct inode *inode)
{
    (void)inode;
}

static void nothing_to_unmount(struct super *super)
{
    (void)super;
}

static const struct super_ops super_ops = {
    .free_inode = nothing_to_free, .statfs = proc_statfs, .unmount = nothing_to_unmount};

static int proc_mount(struct super *super, const char *options, struct inode **root)
{
    static bool load_started;

    (void)options;
    super->ops = &super_ops;
    if (!__atomic_exchange_n(&load_started, true, __ATOMIC_ACQ_REL)) {
        proc_start_load();
    }
    return get_inode(super, ROOT, &(struct proc_ref){0}, root);
}

struct fs_type proc_type = {.name = "proc", .volatile_names = true, .mount = proc_mount};

/* ---- texts */

static bool make_room(struct text *text, size_t more)
{
    if (text->failed || text->len + more <= text->size) {
        return !text->failed;
    }
    size_t size = MAX(text->size * 2, ROUND_UP(text->len + more, (size_t)1024));
    char *data = kmalloc(size);
    if (!data) {
        text->failed = true;
        return false;
    }
    if (text->data) {
        memcpy(data, text->data, text->len);
        kfree(text->data);
    }
    text->data = data;
    text->size = size;
    return true;
}

void text_add(struct text *text, const char *bytes, size_t len)
{
    if (make_room(text, len)) {
        memcpy(text->data + text->len, bytes, len);
        text->len += len;
    }
}

static void put_char(struct format_sink *sink, char c)
{
    text_add(CONTAINER_OF(sink, struct text, sink), &c, 1);
}

void text_print(struct text *text, const char *format, ...)
{
    va_list args;

    text->sink.put = put_char;
    va_start(args, format);
    vformat(&text->sink, format, args);
    va_end(args);
}
