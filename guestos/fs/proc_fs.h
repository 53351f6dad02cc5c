/*
 * procfs: what the kernel knows, as text. Nothing is stored: a name is looked up among the
 * processes of the moment, a file's text is made when it is read from its beginning. proc(5)
 * describes the formats; the programs that read them decide the rest.
 *
 * The tree is the table `nodes` in proc_fs.c; below a process' directory each node exists once for
 * every process, and once more for every thread below task/.
 */
#ifndef GUESTOS_FS_PROC_FS_H
#define GUESTOS_FS_PROC_FS_H

#include "guestos/fs/vfs.h"
#include "guestos/kernel/clock.h"
#include "guestos/kernel/format.h"

struct process;
struct thread;
struct vm;

/* Text that grows. When there is no memory it stays as it is, and says so. */
struct text {
    struct format_sink sink;
    char *data; /* kmalloc'ed */
    size_t len, size;
    bool failed;
};

void text_print(struct text *, const char *format, ...) __attribute__((format(printf, 2, 3)));
void text_add(struct text *, const char *bytes, size_t len);

/* Whom a node belongs to. */
struct proc_ref {
    u32 pid;      /* 0: nobody in particular; of a thread: its tid */
    bool is_task; /* below task/ */
    u32 fd;       /* of fd/N */
};

/* Functions, not structs: what a file (or the text of a link) shows; what is written to it; where a
 * link leads, a held dentry. 0 or an error; -ESRCH: the process is gone. */
typedef int proc_show(struct text *, const struct proc_ref *);
typedef int proc_store(const char *text, size_t len, const struct proc_ref *);
typedef int proc_follow(const struct proc_ref *, struct dentry **);

void proc_start_load(void); /* begins to average; once */

/* ---- finding whom it is about (proc_pid.c) */
/* With process_lock held: the process, and its thread (of a process: the first). NULL: gone. */
struct process *proc_process(const struct proc_ref *, struct thread **);
int proc_hold_vm(const struct proc_ref *, struct vm **); /* *vm NULL: it has none; or -ESRCH */
int proc_may_look(const struct proc_ref *); /* at its memory and files: 0, -EACCES, -ESRCH */

proc_show proc_meminfo, proc_stat, proc_uptime, proc_loadavg, proc_version, proc_cpuinfo,
    proc_mounts, proc_filesystems, proc_slabinfo, proc_vmstat, proc_partitions, proc_diskstats,
    proc_hostname, proc_domainname, proc_ostype, proc_osrelease, proc_osversion, proc_pid_max,
    proc_overcommit, proc_max_map_count, proc_file_nr;
proc_store proc_set_hostname, proc_set_domainname, proc_pid_set_comm;
proc_show proc_pid_stat, proc_pid_status, proc_pid_statm, proc_pid_cmdline, proc_pid_comm,
    proc_pid_maps, proc_pid_smaps, proc_pid_environ, proc_pid_limits;
proc_follow proc_pid_exe, proc_pid_cwd, proc_pid_root, proc_pid_fd;
/* Texts of links. */
proc_show proc_self, proc_thread_self, proc_mounts_link, proc_fd_text;

/* The next descriptor that is open, from `from` on; false: none. */
bool proc_next_fd(const struct proc_ref *, u32 from, u32 *fd);

#endif
