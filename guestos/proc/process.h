/*
 * Processes: what threads share. The table of them is guarded by process_lock(), a spinlock; it
 * guards parents, children, groups, sessions, states and exit codes as well.
 */
#ifndef GUESTOS_PROC_PROCESS_H
#define GUESTOS_PROC_PROCESS_H

#include "guestos/abi/signal.h"
#include "guestos/kernel/clock.h"
#include "guestos/kernel/thread.h"

struct tty;
struct vm;
struct fd_table;
struct dentry;

#define MAX_GROUPS 32

/* Linux' resource numbers. */
enum {
    RLIMIT_CPU,
    RLIMIT_FSIZE,
    RLIMIT_DATA,
    RLIMIT_STACK,
    RLIMIT_CORE,
    RLIMIT_RSS,
    RLIMIT_NPROC,
    RLIMIT_NOFILE,
    RLIMIT_MEMLOCK,
    RLIMIT_AS,
    RLIMIT_LOCKS,
    RLIMIT_SIGPENDING,
    RLIMIT_MSGQUEUE,
    RLIMIT_NICE,
    RLIMIT_RTPRIO,
    RLIMIT_RTTIME,
    NR_RLIMITS,
};
#define RLIM_INFINITY (~0ul)

struct rlimit {
    u64 soft, hard;
};

struct credentials {
    u32 uid, euid, suid, fsuid, gid, egid, sgid, fsgid;
    u32 nr_groups;
    u32 group[MAX_GROUPS];
};

/* What CLONE_SIGHAND shares. */
struct signal_actions {
    u32 users;
    struct abi_sigaction of[NR_SIGNALS + 1]; /* guarded by its processes' signal_lock */
};

/* What CLONE_FS shares: see fs/path.h. */
struct fs_context {
    u32 users;
    struct spinlock lock;
    struct dentry *root, *cwd; /* held */
    u32 umask;
};

/* setitimer(2)'s ITIMER_VIRTUAL and ITIMER_PROF (proc/cpu_time.c); at_ns: of time used, 0: off */
enum cpu_timer { CPU_TIMER_VIRTUAL, CPU_TIMER_PROF, NR_CPU_TIMERS };
struct cpu_itimer {
    u64 at_ns, interval_ns;
};

enum process_state { PROCESS_ALIVE, PROCESS_STOPPED, PROCESS_ZOMBIE };

struct process {
    u32 pid; /* = the tid of its first thread */
    enum process_state state;
    struct process *parent; /* NULL: init */
    struct list children, sibling_link;
    struct list table_link; /* all processes */
    struct list threads;
    u32 nr_threads;
    u32 pgid, sid;
    struct tty *tty; /* the controlling one, or NULL */
    struct vm *vm;   /* NULL: a zombie */
    struct fd_table *files;
    struct fs_context *fs;
    struct credentials cred;
    struct rlimit limit[NR_RLIMITS];
    char name[16]; /* comm */
    bool did_exec; /* setpgid by the parent is over */
    bool no_new_privs, dumpable, traced;
    i32 nice;

    struct spinlock signal_lock;
    struct signal_actions *actions;
    u64 signal_pending;       /* for any thread */
    struct list signal_queue; /* struct queued_signal */

    u64 reported_calls[8]; /* system calls that are not there, by number (sys/dispatch.c) */
    u32 nr_reports;

    bool exiting;                         /* exit_group or a fatal signal */
    u32 exit_code;                        /* as wait4 shows it */
    u32 exit_signal;                      /* what the parent gets: SIGCHLD, or clone's */
    bool stop_reported, continue_pending; /* WUNTRACED, WCONTINUED: said already, to be said */
    u32 stop_signal;
    struct wait_queue stop_wait;        /* its threads: stopped, or waiting to be alone */
    struct wait_queue child_wait;       /* a child changed */
    u64 started_ns, user_ns, system_ns; /* of ended threads */
    u64 children_user_ns, children_system_ns;
    u64 children_faults_minor, children_faults_major, children_max_resident;
    u64 max_resident, faults_minor, faults_major; /* of a zombie */
    struct ktimer alarm;                          /* ITIMER_REAL */
    u64 alarm_interval_ns;
    struct cpu_itimer cpu_timer[NR_CPU_TIMERS];
    u64 xcpu_after_s; /* RLIMIT_CPU: no SIGXCPU before that */
    struct list timers; /* timer_create(2); guarded by process_lock */
};

extern struct spinlock process_lock;
extern struct list processes;

struct process *process_find(u32 pid); /* process_lock held; zombies too */
struct thread *thread_find(u32 tid);   /* process_lock held */
static inline struct process *this_process(void)
{
    return current()->process;
}

/* The first process: runs the program at path. Panics if it cannot. */
void process_start_init(const char *path);

/* ---- signals (proc/signal.c). info may be NULL (sent by the kernel). Safe in interrupts. */
void signal_process(struct process *, u32 signal, const struct siginfo *info);
void signal_thread(struct thread *, u32 signal, const struct siginfo *info);
void signal_process_locked(struct process *, u32 signal, const struct siginfo *info);
void signal_thread_locked(struct thread *, u32 signal, const struct siginfo *info);
int signal_group(u32 pgid, u32 signal, const struct siginfo *info); /* -ESRCH: nobody there */
bool signal_is_pending(const struct thread *); /* one that its mask lets through, or it must end */
bool signal_is_ignored_or_blocked(u32 signal); /* by the current thread: for the tty's SIGTTOU */
bool group_is_orphaned(u32 pgid);              /* process_lock not held */

/* ---- credentials */
bool is_superuser(void); /* the current process: euid 0 */
bool in_group(u32 gid);  /* fsgid or a supplementary one */
bool may_signal(const struct process *);

/* ---- the end. exit_code: as wait4 shows it, status << 8 or a signal */
_Noreturn void process_exit(u32 exit_code); /* exit_group: all threads */
_Noreturn void thread_end(void);            /* the current one; the last one ends the process */
/* proc/wait.c; process_lock is held: SIGCHLD, and wakes who waits. */
void job_tell_parent(struct process *, i32 code, i32 status);

#endif
