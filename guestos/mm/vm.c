/* Address spaces as a whole: their beginning, their end, and which one CR3 holds. */
#include "guestos/mm/vm.h"
#include "guestos/fs/vfs.h"
#include "guestos/kernel/percpu.h"
#include "guestos/kernel/x86.h"
#include "guestos/mm/area.h"
#include "guestos/mm/paging.h"
#include "guestos/mm/slab.h"
#include "guestos/mm/tables.h"

struct vm_counters vm_counters;

static struct slab_cache vm_cache;

void vm_init(void)
{
    slab_cache_init(&vm_cache, "vm", sizeof(struct vm));
    areas_init();
    zero_page_init();
}

struct vm *vm_create(void)
{
    struct vm *vm = slab_alloc(&vm_cache);

    if (!vm) {
        return NULL;
    }
    vm->root = tables_new();
    if (vm->root == NO_FRAME) {
        slab_free(&vm_cache, vm);
        return NULL;
    }
    vm->users = 1;
    vm->nr_tables = 1;
    mutex_init(&vm->lock);
    spin_init(&vm->table_lock, "page tables");
    list_init(&vm->areas);
    return vm;
}

void vm_get(struct vm *vm)
{
    __atomic_fetch_add(&vm->users, 1, __ATOMIC_RELAXED);
}

void vm_put(struct vm *vm)
{
    if (__atomic_fetch_sub(&vm->users, 1, __ATOMIC_ACQ_REL) > 1) {
        return;
    }
    if (cpu_local()->vm == vm) {
        vm_switch(NULL);
    }
    tables_clear(vm, 0, USER_END);
    for (LIST_EACH_SAFE(struct vm_area, a, &vm->areas, link)) {
        area_free(vm, a);
    }
    tables_trim(vm, 0, USER_END + PAGE_BYTES);
    frame_free(vm->root);
    if (vm->exe) {
        file_allow_write(vm->exe->inode);
        file_put(vm->exe);
    }
    slab_free(&vm_cache, vm);
}

/* No spinlock is needed, but interrupts must not switch threads half-way. */
void vm_switch(struct vm *vm)
{
    irq_off();
    struct cpu_local *cpu = cpu_local();
    if (cpu->vm != vm) {
        cpu->vm = vm;
        write_cr3(vm ? vm->root : paging_root());
    }
    irq_back();
}
