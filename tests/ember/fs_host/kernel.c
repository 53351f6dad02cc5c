/*
 * The rest of the kernel, as far as the file system code asks for it. One thread: whoever would
 * wait would wait for ever, which is a failure, as is a lock taken twice, a transfer or a copy to
 * the user under a spinlock, and a frame that is given back too often.
 */
#include "guestos/drivers/block.h"
#include "guestos/fs/cache.h"
#include "guestos/fs/fs_context.h"
#include "guestos/fs/path.h"
#include "guestos/kernel/clock.h"
#include "guestos/kernel/console.h"
#include "guestos/kernel/panic.h"
#include "guestos/kernel/string.h"
#include "guestos/fs/pipe.h"
#include "guestos/mm/frames.h"
#include "guestos/mm/reclaim.h"
#include "guestos/mm/slab.h"
#include "guestos/mm/vm.h"
#include "guestos/proc/process.h"
#include "tests/ember/fs_host/host.h"

#define NR_FRAMES 3000u
#define FRAME     4096ul

/* The host's C library, whose headers would meet the kernel's. */
void *calloc(size_t, size_t);
void *aligned_alloc(size_t, size_t);
void free(void *);
_Noreturn void abort(void);
int printf(const char *, ...);
int vprintf(const char *, va_list);
long pread(int, void *, size_t, long);
long pwrite(int, const void *, size_t, long);
long time(long *);

bool host_quiet;
static struct thread only_thread;
static struct process only_process;
static u32 nr_spinlocks;

_Noreturn void panic(const char *format, ...)
{
    va_list args;

    va_start(args, format);
    vprintf(format, args);
    printf("\n");
    abort();
}

void print(const char *format, ...)
{
    va_list args;

    va_start(args, format);
    if (!host_quiet) {
        vprintf(format, args);
    }
    va_end(args);
}

/* ---- threads, locks, time */
struct thread *current(void)
{
    return &only_thread;
}

void spin_init(struct spinlock *l, const char *name)
{
    *l = (struct spinlock){.name = name};
}

void spin_lock(struct spinlock *l)
{
    if (l->taken++) {
        panic("spinlock %s is taken twice", l->name);
    }
    nr_spinlocks++;
}

void spin_unlock(struct spinlock *l)
{
    if (!l->taken--) {
        panic("spinlock %s was not taken", l->name);
    }
    nr_spinlocks--;
}

static void may_sleep(void)
{
    if (nr_spinlocks) {
        panic("sleeping with a spinlock");
    }
}

void mutex_init(struct mutex *m)
{
    m->holder = NULL;
}

void mutex_lock(struct mutex *m)
{
    may_sleep();
    if (m->holder) {
        panic("a mutex is taken twice");
    }
    m->holder = &only_thread;
}

void mutex_unlock(struct mutex *m)
{
    if (!m->holder) {
        panic("a mutex was not taken");
    }
    m->holder = NULL;
}

void wait_queue_init(struct wait_queue *q)
{
    list_init(&q->waiters);
}

void wake_all(struct wait_queue *q)
{
    (void)q;
}

void wait_link(struct waiter *w, struct wait_queue *q)
{
    (void)w;
    (void)q;
}

void wait_unlink(struct waiter *w)
{
    (void)w;
}

void wait_arm(void)
{
}

void wait_disarm(void)
{
}

int wait_sleep(enum wait_kind kind, u64 deadline)
{
    (void)kind;
    (void)deadline;
    panic("the only thread waits for ever");
}

u64 clock_monotonic(void)
{
    return 0;
}

u64 clock_realtime(void)
{
    return (u64)time(NULL) * NS_PER_S;
}

int sleep_until(u64 when, bool interruptible)
{
    (void)when;
    (void)interruptible;
    return 0;
}

struct thread *thread_spawn(const char *name, void (*function)(void *), void *argument)
{
    (void)name;
    (void)function;
    (void)argument;
    return &only_thread; /* write-back is called for by the tests */
}

/* ---- memory: a frame's "physical address" is its address */
static u8 *frames;
static struct page pages[NR_FRAMES];
static u32 nr_free = NR_FRAMES, hint;

u64 frame_alloc_dirty(void)
{
    for (u32 n = 0; n < NR_FRAMES; n++) {
        u32 i = (hint + n) % NR_FRAMES;
        if (pages[i].refs == 0) {
            hint = i + 1;
            nr_free--;
            pages[i] = (struct page){.refs = 1};
            list_init(&pages[i].lru);
            memset(frames + i * FRAME, 0xA5, FRAME);
            return (u64)(frames + i * FRAME);
        }
    }
    return NO_FRAME;
}

u64 frame_alloc(void)
{
    u64 pa = frame_alloc_dirty();

    return pa ? (u64)memset((void *)pa, 0, FRAME) : NO_FRAME;
}

struct page *page_alloc(bool zeroed, bool from_reserve)
{
    (void)from_reserve;
    u64 pa = zeroed ? frame_alloc() : frame_alloc_dirty();
    return pa ? page_of(pa) : NULL;
}

int memory_wait(void)
{
    panic("there is no memory, and nobody else who gives some back");
}

struct page *page_of(u64 pa)
{
    return &pages[(pa - (u64)frames) / FRAME];
}

u64 page_pa(const struct page *p)
{
    return (u64)frames + (u64)(p - pages) * FRAME;
}

void *page_data(const struct page *p)
{
    return (void *)page_pa(p);
}

void page_get(struct page *p)
{
    if (!p->refs++) {
        panic("a free page is held");
    }
}

void page_put(struct page *p)
{
    if (!p->refs) {
        panic("a free page is put");
    }
    if (--p->refs == 0) {
        if (!list_empty(&p->lru)) {
            panic("a page is freed that is in the list of cached ones");
        }
        nr_free++;
    }
}

u64 frames_total(void)
{
    return NR_FRAMES;
}

u64 frames_free(void)
{
    return nr_free;
}

void slab_cache_init(struct slab_cache *c, const char *name, u32 bytes)
{
    c->name = name;
    c->object_bytes = bytes;
}

void *slab_alloc(struct slab_cache *c)
{
    return calloc(1, c->object_bytes);
}

void slab_free(struct slab_cache *c, void *p)
{
    (void)c;
    free(p);
}

void *kmalloc(size_t bytes)
{
    return calloc(1, bytes ? bytes : 1);
}

void kfree(void *p)
{
    free(p);
}

char *kstrdup(const char *s)
{
    size_t bytes = strlen(s) + 1;
    return memcpy(kmalloc(bytes), s, bytes);
}

void string_copy(char *to, const char *from, size_t size)
{
    for (; size > 1 && *from; size--) {
        *to++ = *from++;
    }
    *to = 0;
}

/* ---- the user: the tests' own memory */
bool user_range_ok(u64 begin, u64 len)
{
    return begin + len >= begin && begin + len <= USER_END;
}

static bool is_bad(u64 at, u64 len)
{
    may_sleep();
    return len && (at < USER_BEGIN || !user_range_ok(at, len));
}

int copy_from_user(void *to, u64 from, size_t len)
{
    return is_bad(from, len) ? -EFAULT : (memcpy(to, (void *)from, len), 0);
}

int copy_to_user(u64 to, const void *from, size_t len)
{
    return is_bad(to, len) ? -EFAULT : (memcpy((void *)to, from, len), 0);
}

long string_from_user(char *to, u64 from, size_t size)
{
    if (is_bad(from, 1)) {
        return -EFAULT;
    }
    size_t len = strlen((const char *)from);
    if (len >= size) {
        return -ENAMETOOLONG;
    }
    memcpy(to, (const char *)from, len + 1);
    return (long)len;
}

void vm_drop_mappings(struct inode *inode, u64 first, u64 last)
{
    (void)inode;
    (void)first;
    (void)last;
}

bool vm_clean_mappings(struct inode *inode, u64 index)
{
    (void)inode;
    (void)index;
    return false;
}

/* ---- the process: root */
bool is_superuser(void)
{
    return true;
}

bool in_group(u32 gid)
{
    return gid == 0;
}

void signal_thread(struct thread *t, u32 signal, const struct siginfo *info)
{
    (void)t;
    (void)signal;
    (void)info;
}

/* ---- disks */
struct list block_devices = LIST_INIT(block_devices);
static int disk_fd[2];
static struct block_device disks[2] = {
    {.name = "sda1", .rdev = MAKE_DEV(8, 1)},
    {.name = "sdb1", .rdev = MAKE_DEV(8, 17)},
};

struct block_device *block_find(const char *name)
{
    return strcmp(name, disks[0].name) == 0 ? &disks[0] : NULL;
}

struct block_device *block_by_dev(u64 rdev)
{
    for (u32 i = 0; i < ARRAY_LEN(disks); i++) {
        if (disks[i].rdev == rdev && disks[i].nr_sectors) {
            return &disks[i];
        }
    }
    return NULL;
}

int block_transfer(struct block_device *d, bool write, u64 sector, const struct block_piece *p,
                   u32 nr)
{
    int fd = disk_fd[d - disks];
    u64 at = sector * SECTOR_BYTES;

    may_sleep();
    for (u32 i = 0; i < nr; at += p[i++].len_bytes) {
        u64 len = p[i].len_bytes;
        if (len == 0 || len % SECTOR_BYTES || p[i].pa % FRAME + len > FRAME) {
            panic("a piece of %lu bytes at %lx", len, p[i].pa);
        }
        if (at + len > d->nr_sectors * SECTOR_BYTES) {
            return -EIO;
        }
        long done = write ? pwrite(fd, (void *)p[i].pa, len, (long)at)
                          : pread(fd, (void *)p[i].pa, len, (long)at);
        if (done != (long)len) {
            return -EIO;
        }
    }
    return 0;
}

int block_flush(struct block_device *d)
{
    (void)d;
    return 0;
}

static void set_disk(u32 i, int fd, u64 bytes)
{
    disk_fd[i] = fd;
    disks[i].nr_sectors = bytes / SECTOR_BYTES;
    list_add_last(&block_devices, &disks[i].link);
}

/* ---- what is not here */
const struct file_ops fifo_file_ops;
struct fs_type proc_type;

void epoll_forget(struct file *f)
{
    (void)f;
}

long pipe_size(struct file *f)
{
    (void)f;
    return -EBADF;
}

long pipe_set_size(struct file *f, u64 bytes)
{
    (void)bytes;
    return pipe_size(f);
}

static int no_proc(struct super *super, const char *options, struct inode **root)
{
    (void)super;
    (void)options;
    (void)root;
    return -ENODEV;
}

/* ---- for the tests */
void host_start(int fd, uint64_t bytes)
{
    frames = aligned_alloc(FRAME, NR_FRAMES * FRAME);
    proc_type = (struct fs_type){.name = "proc", .mount = no_proc};
    only_thread.process = &only_process;
    only_process.pid = 1;
    for (u32 i = 0; i < NR_RLIMITS; i++) {
        only_process.limit[i] = (struct rlimit){RLIM_INFINITY, RLIM_INFINITY};
    }
    set_disk(0, fd, bytes);
    vfs_init();
    only_process.files = fd_table_new();
    vfs_mount_root(disks[0].name);
    only_process.fs = fs_context_new();
    only_process.fs->umask = 0;
}

void host_second_disk(int fd, uint64_t bytes)
{
    set_disk(1, fd, bytes);
}

void host_forget(uint32_t nr_pages, uint32_t nr_dentries)
{
    (void)cache_reclaim(nr_pages);
    dentry_trim(nr_dentries);
}
