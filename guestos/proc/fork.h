/* What the files of proc/ know of each other. process_lock is held where it says so. */
#ifndef GUESTOS_PROC_FORK_H
#define GUESTOS_PROC_FORK_H

#include "guestos/proc/process.h"

/* process.c */
#define MAX_PID 32768u /* numbers are below it */
struct process *process_new(void);             /* NULL: no memory */
void process_enter(struct process *, u32 pid); /* into the table; lock held */
void process_remove(struct process *);         /* lock held */
void process_free(struct process *);
bool thread_join(struct thread *, struct process *); /* gets a tid if it has none; lock held */
void thread_leave(struct thread *);                  /* lock held */
void thread_take_pid(struct thread *);               /* lock held */
struct signal_actions *actions_copy(const struct signal_actions *); /* NULL: no memory */
void actions_put(struct signal_actions *);
u32 process_last_pid(void);
u32 process_count(void);

/* exec.c: the current process, which has no program yet, gets one. Panics if it cannot. */
void exec_first(const char *path, const char *const argv[], const char *const envp[]);

/* exit.c */
void exit_other_threads(void); /* execve: waits until the current thread is alone */
void vfork_done(void);         /* fork.c: the current thread has a memory of its own, or ends */

/* futex.c */
void futex_wake_address(u64 address, u32 how_many); /* of the current process */
void futex_exit_robust(struct thread *);

/* sys_time.c */
void alarm_fires(struct ktimer *);

/* sys_timer.c */
void timers_delete(struct process *);

#endif
