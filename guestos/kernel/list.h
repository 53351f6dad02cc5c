/* Circular doubly linked lists whose links live in the things that are listed. */
#ifndef GUESTOS_KERNEL_LIST_H
#define GUESTOS_KERNEL_LIST_H

#include "guestos/kernel/types.h"

struct list {
    struct list *next, *prev; /* of a head: first and last; of an unlinked one: itself */
};

#define LIST_INIT(name)                                                                            \
    {                                                                                              \
        &(name), &(name)                                                                           \
    }

static inline void list_init(struct list *l)
{
    l->next = l->prev = l;
}

static inline bool list_empty(const struct list *head)
{
    return head->next == head;
}

/* Before `at`: at a head, that is the end. */
static inline void list_add_before(struct list *at, struct list *link)
{
    link->next = at;
    link->prev = at->prev;
    at->prev->next = link;
    at->prev = link;
}

static inline void list_add_last(struct list *head, struct list *link)
{
    list_add_before(head, link);
}

static inline void list_add_first(struct list *head, struct list *link)
{
    list_add_before(head->next, link);
}

/* Unlinks; harmless for what is not linked, if it was initialised. */
static inline void list_remove(struct list *link)
{
    link->prev->next = link->next;
    link->next->prev = link->prev;
    list_init(link);
}

#define LIST_ENTRY(link, type, member) CONTAINER_OF(link, type, member)
#define LIST_FIRST(head, type, member)                                                             \
    (list_empty(head) ? NULL : LIST_ENTRY((head)->next, type, member))

/* for (LIST_EACH(struct thread, t, &threads, link)) ...; the body must not unlink t */
#define LIST_EACH(type, name, head, member)                                                        \
    type *name = LIST_ENTRY((head)->next, type, member);                                           \
    &name->member != (head);                                                                       \
    name = LIST_ENTRY(name->member.next, type, member)

/* The same; the body may unlink or free `name`. */
#define LIST_EACH_SAFE(type, name, head, member)                                                   \
    type *name = LIST_ENTRY((head)->next, type, member),                                           \
         *name##_next = LIST_ENTRY(name->member.next, type, member);                               \
    &name->member != (head);                                                                       \
    name = name##_next, name##_next = LIST_ENTRY(name->member.next, type, member)

#endif
