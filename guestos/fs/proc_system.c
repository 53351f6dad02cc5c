/*
 * The files at the top of /proc and in /proc/sys: proc(5), in the order of the alphabet. What Ember
 * does not count is shown as 0 where a column must be there, else it is left out.
 */
#include "guestos/drivers/block.h"
#include "guestos/fs/cache.h"
#include "guestos/fs/file.h"
#include "guestos/fs/init.h"
#include "guestos/fs/proc_fs.h"
#include "guestos/kernel/clock.h"
#include "guestos/kernel/cpu.h"
#include "guestos/kernel/percpu.h"
#include "guestos/kernel/sched.h"
#include "guestos/kernel/string.h"
#include "guestos/kernel/x86.h"
#include "guestos/mm/area.h"
#include "guestos/mm/layout.h"
#include "guestos/mm/paging.h"
#include "guestos/mm/slab.h"
#include "guestos/proc/fork.h"
#include "guestos/proc/system.h"

#define NS_PER_USER_TICK (NS_PER_S / 100) /* USER_HZ is 100 */
#define KIB(pages)       ((pages) * (PAGE_BYTES / 1024))

int proc_cpuinfo(struct text *t, const struct proc_ref *ref)
{
    struct cpu_identity c;
    const char *name;
    u64 khz = clock_tsc_khz();

    (void)ref;
    cpu_identify(&c);
    text_print(t, "processor\t: 0\nvendor_id\t: %s\ncpu family\t: %u\nmodel\t\t: %u\n", c.vendor,
               c.family, c.model);
    text_print(t, "model name\t: %s\nstepping\t: %u\n", c.brand, c.stepping);
    text_print(t, "cpu MHz\t\t: %lu.%03lu\nphysical id\t: 0\nsiblings\t: 1\ncore id\t\t: 0\n",
               khz / 1000, khz % 1000);
    text_print(t, "cpu cores\t: 1\nfpu\t\t: yes\nfpu_exception\t: yes\ncpuid level\t: %u\n",
               c.max_leaf);
    text_print(t, "wp\t\t: yes\nflags\t\t:");
    for (u32 i = 0; (name = cpu_feature(i)); i++) {
        text_print(t, " %s", name);
    }
    text_print(t, "\nclflush size\t: %u\n\n", (cpuid(1, 0).ebx >> 8 & 0xFF) * 8);
    return 0;
}

int proc_diskstats(struct text *t, const struct proc_ref *ref)
{
    (void)ref;
    for (LIST_EACH(struct block_device, b, &block_devices, link)) {
        text_print(t, "%4u %7u %s %lu 0 %lu 0 %lu 0 %lu 0 0 0 0\n", DEV_MAJOR(b->rdev),
                   DEV_MINOR(b->rdev), b->name, b->nr_reads, b->sectors_read, b->nr_writes,
                   b->sectors_written);
    }
    return 0;
}

int proc_filesystems(struct text *t, const struct proc_ref *ref)
{
    const char *name;
    bool needs_device;

    (void)ref;
    for (u32 i = 0; fs_type_name(i, &name, &needs_device); i++) {
        text_print(t, "%s\t%s\n", needs_device ? "" : "nodev", name);
    }
    return 0;
}

/* ---- load: how many threads run or want to, averaged over 1, 5 and 15 minutes. Every 5 seconds
 * average = average * f + now * (1 - f), with f = e^(-5 s / period), in units of 1/2048. */
#define LOAD_ONE       2048u
#define LOAD_PERIOD_NS (5 * NS_PER_S)

static const u32 load_factor[3] = {1884, 2014, 2037};
static u64 load_average[3];
static struct ktimer load_timer;

static void load_fires(struct ktimer *timer)
{
    u64 now = sched_nr_runnable() * LOAD_ONE;

    for (u32 i = 0; i < 3; i++) {
        load_average[i] =
            (load_average[i] * load_factor[i] + now * (LOAD_ONE - load_factor[i])) / LOAD_ONE;
    }
    timer_arm(timer, timer->when_ns + LOAD_PERIOD_NS);
}

void proc_start_load(void)
{
    timer_init(&load_timer, load_fires);
    timer_arm(&load_timer, clock_monotonic() + LOAD_PERIOD_NS);
}

static u32 count_threads(void)
{
    u32 nr = 0;

    spin_lock(&process_lock);
    for (LIST_EACH(struct process, p, &processes, table_link)) {
        nr += p->nr_threads;
    }
    spin_unlock(&process_lock);
    return nr;
}

int proc_loadavg(struct text *t, const struct proc_ref *ref)
{
    (void)ref;
    for (u32 i = 0; i < 3; i++) {
        u64 rounded = load_average[i] + LOAD_ONE / 200;
        text_print(t, "%lu.%02lu ", rounded / LOAD_ONE, rounded % LOAD_ONE * 100 / LOAD_ONE);
    }
    text_print(t, "%u/%u %u\n", sched_nr_runnable(), count_threads(), process_last_pid());
    return 0;
}

/* ---- memory */

/* caches_lock is not needed: the list only grows. */
static u64 slab_pages(void)
{
    u64 pages = 0;

    for (LIST_EACH(struct slab_cache, c, &slab_caches, link)) {
        pages += c->nr_slabs;
    }
    return pages;
}

struct memory_use {
    u64 resident, file, tables;
};

/* All processes' together: a page that several share counts for each. */
static void sum_processes(struct memory_use *use)
{
    *use = (struct memory_use){0};
    spin_lock(&process_lock);
    for (LIST_EACH(struct process, p, &processes, table_link)) {
        if (p->vm) {
            use->resident += p->vm->nr_resident;
            use->file += p->vm->nr_file;
            use->tables += p->vm->nr_tables;
        }
    }
    spin_unlock(&process_lock);
}

int proc_meminfo(struct text *t, const struct proc_ref *ref)
{
    u64 cached = cache_nr_pages(), dirty = cache_nr_dirty();
    struct memory_use use;

    (void)ref;
    sum_processes(&use);
    const struct {
        const char *name;
        u64 pages;
    } rows[] = {
        {"MemTotal:", frames_total()},
        {"MemFree:", frames_free()},
        {"MemAvailable:", frames_free() + cached - MIN(dirty, cached)},
        {"Buffers:", 0}, /* a block device's pages are cached like any file's */
        {"Cached:", cached},
        {"SwapCached:", 0},
        {"SwapTotal:", 0},
        {"SwapFree:", 0},
        {"Dirty:", dirty},
        {"Slab:", slab_pages()},
        {"SReclaimable:", 0},
        {"SUnreclaim:", slab_pages()},
        {"PageTables:", use.tables + paging_frames()},
    };
    for (u32 i = 0; i < ARRAY_LEN(rows); i++) {
        text_print(t, "%-15s %8lu kB\n", rows[i].name, KIB(rows[i].pages));
    }
    return 0;
}

int proc_slabinfo(struct text *t, const struct proc_ref *ref)
{
    (void)ref;
    text_print(t, "slabinfo - version: 2.1\n"
                  "# name            <active_objs> <num_objs> <objsize> <objperslab> <pagesperslab>"
                  " : tunables <limit> <batchcount> <sharedfactor>"
                  " : slabdata <active_slabs> <num_slabs> <sharedavail>\n");
    for (LIST_EACH(struct slab_cache, c, &slab_caches, link)) {
        u32 per_slab = PAGE_BYTES / c->object_bytes;
        text_print(t, "%-17s %6lu %6lu %6u %4u    1 : tunables    0    0    0 : slabdata", c->name,
                   c->nr_used, c->nr_slabs * per_slab, c->object_bytes, per_slab);
        text_print(t, " %6lu %6lu      0\n", c->nr_slabs, c->nr_slabs);
    }
    return 0;
}

/* Linux' names for what Linux has; the others are Ember's, for looking at copy-on-write and
 * sharing: a fork adds to none of the copies; a file that two processes map is counted once in
 * nr_file_pages and twice in file_mappings. */
int proc_vmstat(struct text *t, const struct proc_ref *ref)
{
    struct memory_use use;

    (void)ref;
    sum_processes(&use);
    const struct {
        const char *name;
        u64 value;
    } rows[] = {
        {"nr_free_pages", frames_free()},
        {"nr_file_pages", cache_nr_pages()},
        {"nr_dirty", cache_nr_dirty()},
        {"nr_slab_unreclaimable", slab_pages()},
        {"nr_page_table_pages", use.tables},
        {"pgfault", vm_counters.faults},
        {"pgmajfault", vm_counters.faults_major},
        {"oom_kill", vm_counters.oom_kills},
        {"forks", vm_counters.forks},
        {"zero_fills", vm_counters.zero_fills},
        {"cow_copies", vm_counters.cow_copies},
        {"cow_reuses", vm_counters.cow_reuses},
        {"resident_mappings", use.resident},
        {"file_mappings", vm_counters.file_mappings},
    };
    for (u32 i = 0; i < ARRAY_LEN(rows); i++) {
        text_print(t, "%s %lu\n", rows[i].name, rows[i].value);
    }
    return 0;
}

/* ---- mounts */

int proc_mounts_link(struct text *t, const struct proc_ref *ref)
{
    (void)ref;
    text_print(t, "self/mounts");
    return 0;
}

static void print_mount(struct text *t, const struct super *s, char *buffer)
{
    static const struct {
        u32 flag;
        const char *name;
    } options[] = {{MS_NOSUID, ",nosuid"},
                   {MS_NODEV, ",nodev"},
                   {MS_NOEXEC, ",noexec"},
                   {MS_NOATIME, ",noatime"}};
    const char *path = path_of(s->root, buffer, PATH_MAX);

    text_print(t, "%s %s %s %s", s->source, path ? path : "?", s->type->name,
               s->readonly ? "ro" : "rw");
    for (u32 i = 0; i < ARRAY_LEN(options); i++) {
        if (s->flags & options[i].flag) {
            text_print(t, "%s", options[i].name);
        }
    }
    text_print(t, " 0 0\n");
}

int proc_mounts(struct text *t, const struct proc_ref *ref)
{
    char *buffer = kmalloc(PATH_MAX);

    (void)ref;
    if (!buffer) {
        return -ENOMEM;
    }
    mutex_lock(&mounts_lock);
    for (LIST_EACH(struct super, s, &mounts, link)) {
        print_mount(t, s, buffer);
    }
    mutex_unlock(&mounts_lock);
    kfree(buffer);
    return 0;
}

int proc_partitions(struct text *t, const struct proc_ref *ref)
{
    (void)ref;
    text_print(t, "major minor  #blocks  name\n\n");
    for (LIST_EACH(struct block_device, b, &block_devices, link)) {
        text_print(t, "%4u  %7u %10lu %s\n", DEV_MAJOR(b->rdev), DEV_MINOR(b->rdev),
                   b->nr_sectors / 2, b->name);
    }
    return 0;
}

/* ---- time */

int proc_stat(struct text *t, const struct proc_ref *ref)
{
    const struct cpu_local *cpu = cpu_local();
    u64 now = clock_monotonic();
    u64 user = cpu->user_ns, idle = cpu->idle->system_ns;
    u64 kernel = now > user + idle ? now - user - idle : 0;
    u32 nr_running = sched_nr_runnable();

    (void)ref;
    for (u32 i = 0; i < 2; i++) { /* all CPUs together, and each */
        text_print(t, "%s %lu 0 %lu %lu 0 0 0 0 0 0\n", i == 0 ? "cpu " : "cpu0",
                   user / NS_PER_USER_TICK, kernel / NS_PER_USER_TICK, idle / NS_PER_USER_TICK);
    }
    text_print(t, "intr %lu\n", cpu->nr_interrupts);
    text_print(t, "ctxt %lu\nbtime %lu\nprocesses %u\nprocs_running %u\nprocs_blocked 0\n",
               sched_nr_switches(), (clock_realtime() - now) / NS_PER_S, process_last_pid(),
               nr_running);
    return 0;
}

int proc_uptime(struct text *t, const struct proc_ref *ref)
{
    u64 up = clock_monotonic() / NS_PER_USER_TICK;
    u64 idle = cpu_local()->idle->system_ns / NS_PER_USER_TICK;

    (void)ref;
    text_print(t, "%lu.%02lu %lu.%02lu\n", up / 100, up % 100, idle / 100, idle % 100);
    return 0;
}

/* ---- the system's names and numbers */

int proc_version(struct text *t, const struct proc_ref *ref)
{
    (void)ref;
    text_print(t, "Linux version %s (Ember follows its system calls) %s\n", EMBER_RELEASE,
               EMBER_VERSION);
    return 0;
}

static int print_host_name(struct text *t, const char *from)
{
    char name[HOST_NAME_BYTES];

    spin_lock(&host_names.lock);
    string_copy(name, from, sizeof name);
    spin_unlock(&host_names.lock);
    text_print(t, "%s\n", name);
    return 0;
}

static int set_host_name(char *to, const char *name, size_t len)
{
    if (!is_superuser()) {
        return -EPERM;
    }
    if (len >= HOST_NAME_BYTES) {
        return -EINVAL;
    }
    spin_lock(&host_names.lock);
    string_copy(to, name, HOST_NAME_BYTES);
    spin_unlock(&host_names.lock);
    return 0;
}

int proc_hostname(struct text *t, const struct proc_ref *ref)
{
    (void)ref;
    return print_host_name(t, host_names.node);
}

int proc_set_hostname(const char *name, size_t len, const struct proc_ref *ref)
{
    (void)ref;
    return set_host_name(host_names.node, name, len);
}

int proc_domainname(struct text *t, const struct proc_ref *ref)
{
    (void)ref;
    return print_host_name(t, host_names.domain);
}

int proc_set_domainname(const char *name, size_t len, const struct proc_ref *ref)
{
    (void)ref;
    return set_host_name(host_names.domain, name, len);
}

/* A file that holds one line. */
#define CONSTANT(function, ...)                                                                    \
    int function(struct text *t, const struct proc_ref *ref)                                       \
    {                                                                                              \
        (void)ref;                                                                                 \
        text_print(t, __VA_ARGS__);                                                                \
        return 0;                                                                                  \
    }
CONSTANT(proc_ostype, "Linux\n")
CONSTANT(proc_osrelease, "%s\n", EMBER_RELEASE)
CONSTANT(proc_osversion, "%s\n", EMBER_VERSION)
CONSTANT(proc_pid_max, "%u\n", MAX_PID)
CONSTANT(proc_overcommit, "0\n")
CONSTANT(proc_max_map_count, "%u\n", MAX_AREAS)
CONSTANT(proc_file_nr, "%lu\t0\t%lu\n", files_open(), frames_total())
