/* The areas of an address space, for mm/vm_*.c. vm->lock is held in all of these. */
#ifndef GUESTOS_MM_AREA_H
#define GUESTOS_MM_AREA_H

#include "guestos/mm/vm.h"

#define MAX_AREAS 65530u /* Linux' vm.max_map_count */
/* What stays free below a stack, so that one overrun does not land in somebody's heap. */
#define STACK_GAP_BYTES 0x100000ul

void areas_init(void);
/* Linked into the list, and the file's. Takes over the reference to file. NULL: no memory. */
struct vm_area *area_new(struct vm *, u64 begin, u64 end, const struct vm_area *like);
void area_free(struct vm *, struct vm_area *);   /* unlinked; its pages must be gone */
struct vm_area *area_find(struct vm *, u64 lin); /* the first that ends beyond lin; NULL: none */
struct vm_area *area_next(struct vm *, struct vm_area *); /* NULL: it is the last */
struct vm_area *area_previous(struct vm *, struct vm_area *);
struct vm_area *area_at(struct vm *, u64 lin); /* the one that lin is in; NULL: none */
/* Cuts areas so that none crosses begin or end. -ENOMEM: nothing changed that matters. */
int areas_cut(struct vm *, u64 begin, u64 end);
/* Joins what belongs together around and between begin and end. */
void areas_join(struct vm *, u64 begin, u64 end);
/* New bounds; the file's offset goes along with begin. */
void area_resize(struct vm_area *, u64 begin, u64 end);
/* The highest free range below the room for the stack, else one above. 0: no room. */
u64 areas_find_room(struct vm *, u64 len_bytes);
bool areas_free_range(struct vm *, u64 begin, u64 end);
/* All of [begin, end) belongs to areas. */
bool areas_cover(struct vm *, u64 begin, u64 end);

/* Limits of the current process (none for the kernel's threads). 0, -ENOMEM; of what is locked:
 * -EAGAIN, -EPERM. */
int areas_check_limits(struct vm *, u64 more_bytes, u32 prot, u32 flags);
u64 vm_limit(u32 which);
u64 areas_locked(struct vm *, u64 begin, u64 end); /* bytes */
int areas_check_lock_limit(u64 bytes); /* may so much be locked in all? 0, -ENOMEM, -EPERM */

/* vm_map.c; vm->lock is held */
int vm_unmap_locked(struct vm *, u64 begin, u64 end);
/* vm_fault.c */
int vm_fault_locked(struct vm *, u64 lin, enum vm_access);
void vm_populate(struct vm *, u64 begin, u64 end); /* vm->lock is not held */

/* for (AREAS_IN(area, vm, begin, end)) ...: those that have a part in the range */
#define AREAS_IN(name, vm, from, to)                                                               \
    struct vm_area *name = area_find(vm, from);                                                    \
    name && name->begin < (to);                                                                    \
    name = area_next(vm, name)

#endif
