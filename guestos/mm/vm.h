/*
 * A process' address space: areas (what may be there) over page tables (what is there). Pages come
 * when they are touched: from a file's page cache, as zeroes, or as a copy of a shared one.
 */
#ifndef GUESTOS_MM_VM_H
#define GUESTOS_MM_VM_H

#include "guestos/kernel/lock.h"

struct file;
struct inode;
struct page;

enum { PROT_READ = 1, PROT_WRITE = 2, PROT_EXEC = 4 };
#define MAP_SHARED          0x01u
#define MAP_PRIVATE         0x02u
#define MAP_SHARED_VALIDATE 0x03u
#define MAP_FIXED           0x10u
#define MAP_ANONYMOUS       0x20u
#define MAP_GROWSDOWN       0x100u
#define MAP_DENYWRITE       0x800u /* ignored, as is MAP_EXECUTABLE */
#define MAP_EXECUTABLE      0x1000u
#define MAP_LOCKED          0x2000u
#define MAP_NORESERVE       0x4000u
#define MAP_POPULATE        0x8000u
#define MAP_NONBLOCK        0x10000u
#define MAP_STACK           0x20000u
#define MAP_HUGETLB         0x40000u
#define MAP_SYNC            0x80000u
#define MAP_FIXED_NOREPLACE 0x100000u

#define USER_BEGIN     0x10000ul
#define USER_END       0x00007FFFFFFFF000ul /* the last page below the hole is never mapped */
#define USER_STACK_TOP 0x00007FFFFFF00000ul

/* Of an area besides MAP_SHARED or MAP_PRIVATE, MAP_GROWSDOWN, MAP_LOCKED, MAP_NORESERVE: */
#define AREA_DONT_FORK    (1u << 24) /* madvise */
#define AREA_WIPE_ON_FORK (1u << 25)

struct vm_area {
    u64 begin, end;    /* page-aligned. With a file: changed under inode->mappings_lock too */
    u32 prot;          /* PROT_ bits */
    u32 flags;         /* see above */
    struct file *file; /* held; NULL: zeroes. Shared zeroes have an unnamed file of tmpfs */
    u64 offset_pages;  /* of begin in the file */
    struct vm *vm;
    struct list link;       /* vm->areas, by address */
    struct list inode_link; /* inode->mappings: who maps a file, for truncate and write-back */
    const char *name;       /* for /proc/PID/maps: "[heap]", "[stack]"; NULL */
};

struct vm {
    u32 users;                  /* threads and borrowers; atomic */
    struct mutex lock;          /* all that follows, but for: */
    struct spinlock table_lock; /* entries of the page tables, nr_resident (mm/tables.h) */
    u64 root;                   /* the PML4's frame */
    struct list areas;          /* by address */
    struct vm_area *recent;     /* what was found last: most often it is wanted again */
    u32 nr_areas;
    bool lock_future; /* mlockall(MCL_FUTURE) */
    u64 brk_begin, brk_end;
    u64 nr_pages, max_pages;       /* areas' sizes */
    u64 nr_resident, max_resident; /* pages that are there, and of them */
    u64 nr_file;                   /* those of the page cache */
    u64 nr_tables;                 /* frames of page tables */
    u64 stack_limit_bytes;         /* RLIMIT_STACK at execve */
    u64 args_begin, args_end, env_begin, env_end, stack_begin; /* for /proc */
    struct file *exe; /* held, and denied to writers (file_deny_write); for /proc/PID/exe */
    u64 faults_minor, faults_major, cow_copies, cow_reuses;
};

struct vm *vm_create(void);      /* empty, one user; NULL: no memory */
struct vm *vm_fork(struct vm *); /* copy-on-write; NULL: no memory */
void vm_get(struct vm *);
void vm_put(struct vm *);    /* the last user's frees all */
void vm_switch(struct vm *); /* loads CR3; NULL: the kernel's own tables */

/* As mmap: the address, or a negative error. file may be NULL; it is held again. */
long vm_map(struct vm *, u64 at, u64 len_bytes, u32 prot, u32 flags, struct file *,
            u64 offset_bytes, const char *name);
/* The mmap of files that read as zeroes (/dev/zero): anonymous memory instead. */
int vm_map_zeroes(struct file *, struct vm_area *);
int vm_unmap(struct vm *, u64 at, u64 len_bytes);
int vm_protect(struct vm *, u64 at, u64 len_bytes, u32 prot);
u64 vm_brk(struct vm *, u64 to); /* the end afterwards */

enum { MREMAP_MAYMOVE = 1, MREMAP_FIXED = 2, MREMAP_DONTUNMAP = 4 };
long vm_remap(struct vm *, u64 at, u64 old_bytes, u64 new_bytes, u32 flags, u64 to);

enum vm_access { VM_READ, VM_WRITE, VM_EXEC };
/* Makes the page at lin present for an access. 0; -EFAULT nothing is there (SEGV_MAPERR), -EACCES
 * (SEGV_ACCERR), -ENXIO beyond the file's end (SIGBUS), -EIO, -ENOMEM, -EINTR (killed). Sleeps. */
int vm_fault(struct vm *, u64 lin, enum vm_access);
/* For others' memory (ptrace's like, /proc/PID/cmdline, futex keys): the page at lin, held. Who
 * writes to a page that has an inode calls cache_mark_dirty() afterwards. */
int vm_page(struct vm *, u64 lin, enum vm_access, struct page **);
int vm_read(struct vm *, u64 lin, void *to, size_t len); /* bytes got, or -EFAULT */
int vm_write(struct vm *, u64 lin, const void *from,
             size_t len); /* 0, or as vm_fault; all or part */

/* What all processes together did, for /proc/vmstat. */
struct vm_counters {
    u64 faults, faults_major, zero_fills, cow_copies, cow_reuses, forks, oom_kills;
    u64 file_mappings; /* entries for pages of the page cache, at present */
};
extern struct vm_counters vm_counters;

void vm_init(void);

/* What of an area is in memory, in pages. vm->lock is held. */
struct vm_use {
    u64 resident, anonymous, referenced;
    u64 shared_clean, shared_dirty, private_clean, private_dirty;
    u64 share_bytes; /* each page divided by how many map it */
};
void vm_measure(struct vm *, const struct vm_area *, struct vm_use *);

/* A file's pages from first_index on (to last_index) go away, or have been written back: every
 * mapping's entries for them are cleared, or made read-only (true: some were writable), so that the
 * next write faults and marks the page dirty again. For a truncation inode->size_bytes is the new
 * one already, and the pages are still in the cache; private copies go too. */
void vm_drop_mappings(struct inode *, u64 first_index, u64 last_index);
bool vm_clean_mappings(struct inode *, u64 index);
/* For the reclaimer: takes clean pages of files that were not used of late out of page tables, so
 * that the page cache can drop them; how many. Sleeps; no vm->lock is held. */
u64 vm_age(u64 nr_wanted);

#endif
