/* Memory short: reclaim.h says what happens. */
#include "guestos/mm/reclaim.h"
#include "guestos/abi/errno.h"
#include "guestos/fs/cache.h"
#include "guestos/fs/vfs.h"
#include "guestos/kernel/clock.h"
#include "guestos/kernel/console.h"
#include "guestos/kernel/panic.h"
#include "guestos/kernel/string.h"
#include "guestos/mm/layout.h"
#include "guestos/mm/vm.h"
#include "guestos/proc/process.h"

#define RECLAIM_BATCH  128u
#define KILL_WAIT_NS   (10 * NS_PER_MS)
#define WAITS_PER_SYNC 50u
#define MAX_WAITS      500u /* of KILL_WAIT_NS: then the killed one is stuck, or there was none */

static u64 reserve, low_mark;
static struct wait_queue reclaim_wanted = WAIT_QUEUE_INIT(reclaim_wanted);
static struct wait_queue nothing = WAIT_QUEUE_INIT(nothing); /* only time passes here */

struct page *page_alloc(bool zeroed, bool from_reserve)
{
    u64 nr_free = frames_free();

    if (nr_free < low_mark) {
        wake_all(&reclaim_wanted);
    }
    struct page *p = nr_free > reserve || from_reserve ? frames_alloc_block(0) : NULL;
    if (p && zeroed) {
        memset(page_data(p), 0, PAGE_BYTES);
    }
    return p;
}

/* Pages of the cache that nobody maps; then those that were mapped. How many were freed. */
static u64 reclaim(void)
{
    u64 freed = cache_reclaim(RECLAIM_BATCH);

    if (freed == 0 && vm_age(8 * RECLAIM_BATCH) > 0) {
        freed = cache_reclaim(RECLAIM_BATCH);
    }
    return freed;
}

static void reclaim_thread(void *unused)
{
    (void)unused;
    for (;;) {
        WAIT(&reclaim_wanted, frames_free() < low_mark, WAIT_FIRM, NEVER);
        if (reclaim() == 0) {
            sleep_until(clock_monotonic() + 100 * NS_PER_MS, false); /* all dirty, or in use */
        }
    }
}

void reclaim_start(void)
{
    reserve = MIN(MAX(frames_total() / 64, 64ul), 1024ul);
    low_mark = 3 * reserve;
    if (!thread_spawn("reclaim", reclaim_thread, NULL)) {
        panic("no memory for the reclaimer");
    }
}

/* The process that holds most pages gets SIGKILL, unless one that did is still on its way out.
 * False: there is none that could. */
static bool kill_the_largest(void)
{
    struct process *victim = NULL;
    u64 most = 0;
    bool dying = false;

    spin_lock(&process_lock);
    for (LIST_EACH(struct process, p, &processes, table_link)) {
        u64 size = p->vm ? p->vm->nr_resident + p->vm->nr_tables : 0;
        if (size && (p->exiting)) {
            dying = true;
        } else if (size > most && p->pid != 1) {
            most = size;
            victim = p;
        }
    }
    if (victim && !dying) {
        vm_counters.oom_kills++;
        print("Out of memory: process %u (%s), which holds %lu KiB, is killed\n", victim->pid,
              victim->name, most * PAGE_BYTES >> 10);
        signal_process_locked(victim, SIGKILL, NULL);
    }
    spin_unlock(&process_lock);
    return victim || dying;
}

int memory_wait(void)
{
    for (u32 i = 0; i < MAX_WAITS; i++) {
        if (reclaim() > 0 || frames_free() > reserve + RECLAIM_BATCH) {
            return 0;
        }
        if (cache_nr_dirty() > 0 && i % WAITS_PER_SYNC == 0) {
            fs_sync_all();
            continue;
        }
        if (!kill_the_largest()) {
            return -ENOMEM;
        }
        u64 deadline = clock_monotonic() + KILL_WAIT_NS;
        if (WAIT(&nothing, false, WAIT_KILLABLE, deadline) == -EINTR) {
            return -EINTR;
        }
    }
    return -ENOMEM;
}
