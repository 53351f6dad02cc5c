/* Spinlocks and mutexes; the rules are in lock.h. */
#include "guestos/kernel/lock.h"
#include "guestos/kernel/panic.h"
#include "guestos/kernel/percpu.h"
#include "guestos/kernel/thread.h"
#include "guestos/kernel/x86.h"

#define RFLAGS_IF (1ul << 9)

void irq_off(void)
{
    bool were_on = irq_save() & RFLAGS_IF;
    struct cpu_local *cpu = cpu_local();

    if (cpu->irq_off_depth++ == 0) {
        cpu->irq_were_on = were_on;
    }
}

void irq_back(void)
{
    struct cpu_local *cpu = cpu_local();

    ASSERT(cpu->irq_off_depth > 0);
    if (--cpu->irq_off_depth == 0 && cpu->irq_were_on) {
        __asm__ volatile("sti" : : : "memory");
    }
}

void spin_init(struct spinlock *lock, const char *name)
{
    *lock = (struct spinlock){.name = name};
}

bool spin_held(const struct spinlock *lock)
{
    return lock->taken && lock->holder == cpu_local();
}

void spin_lock(struct spinlock *lock)
{
    irq_off();
    if (spin_held(lock)) {
        panic("the lock %s is taken twice", lock->name);
    }
    while (__atomic_exchange_n(&lock->taken, 1, __ATOMIC_ACQUIRE)) {
        __asm__ volatile("pause");
    }
    lock->holder = cpu_local();
}

void spin_unlock(struct spinlock *lock)
{
    if (!spin_held(lock)) {
        panic("the lock %s is given back by who does not hold it", lock->name);
    }
    lock->holder = NULL;
    __atomic_store_n(&lock->taken, 0, __ATOMIC_RELEASE);
    irq_back();
}

void mutex_init(struct mutex *m)
{
    m->holder = NULL;
    wait_queue_init(&m->waiters);
}

bool mutex_held(const struct mutex *m)
{
    return m->holder == current();
}

bool mutex_try(struct mutex *m)
{
    struct thread *nobody = NULL;

    return __atomic_compare_exchange_n(&m->holder, &nobody, current(), false, __ATOMIC_ACQUIRE,
                                       __ATOMIC_RELAXED);
}

/* The waiter's look: it has been given the mutex, or takes it. One who was woken in vain asks for it
 * to be handed over, since who unlocks and locks in a loop would else always be faster. */
static bool mutex_mine(struct mutex *m, u32 *looks)
{
    if (mutex_held(m) || mutex_try(m)) {
        return true;
    }
    if ((*looks)++ > 0) {
        __atomic_store_n(&m->hand_over, true, __ATOMIC_RELAXED);
    }
    return false;
}

void mutex_lock(struct mutex *m)
{
    u32 looks = 0;

    ASSERT(!mutex_held(m));
    ASSERT(cpu_local()->irq_off_depth == 0);
    if (!mutex_try(m)) {
        WAIT(&m->waiters, mutex_mine(m, &looks), WAIT_FIRM, NEVER);
    }
}

void mutex_unlock(struct mutex *m)
{
    ASSERT(mutex_held(m));
    spin_lock(&m->waiters.lock);
    bool hand_over = __atomic_exchange_n(&m->hand_over, false, __ATOMIC_RELAXED);
    const struct waiter *next =
        hand_over ? LIST_FIRST(&m->waiters.waiters, struct waiter, link) : NULL;
    __atomic_store_n(&m->holder, next ? next->thread : NULL, __ATOMIC_RELEASE);
    spin_unlock(&m->waiters.lock);
    wake_one(&m->waiters);
}
