/* Sessions and process groups: setsid(2), setpgid(2) and their like. POSIX.1-2017, XBD 11.1. */
#include "guestos/proc/fork.h"
#include "guestos/sys/syscall.h"
#include "guestos/tty/tty.h"

/* 0 is the current process. process_lock is held. */
static struct process *find(i32 pid)
{
    return pid ? process_find((u32)pid) : this_process();
}

long sys_setsid(const u64 *arg)
{
    struct process *self = this_process();
    long result = 0;

    (void)arg;
    spin_lock(&process_lock);
    for (LIST_EACH(struct process, p, &processes, table_link)) {
        if (p->pgid == self->pid) {
            result = -EPERM; /* a group has our number: we, or who we left behind */
        }
    }
    if (!result) {
        self->sid = self->pgid = self->pid;
        self->tty = NULL;
        result = self->pid;
    }
    spin_unlock(&process_lock);
    return result;
}

static bool group_in_session(u32 pgid, u32 sid)
{
    for (LIST_EACH(struct process, p, &processes, table_link)) {
        if (p->pgid == pgid && p->sid == sid) {
            return true;
        }
    }
    return false;
}

static long set_group(i32 pid, i32 pgid)
{
    struct process *self = this_process();
    struct process *p = find(pid);

    if (!p || (p != self && p->parent != self)) {
        return -ESRCH;
    }
    if (p != self && p->did_exec) {
        return -EACCES;
    }
    if (p->sid != self->sid || p->sid == p->pid) {
        return -EPERM;
    }
    u32 wanted = pgid ? (u32)pgid : p->pid;
    if (wanted != p->pid && !group_in_session(wanted, self->sid)) {
        return -EPERM;
    }
    p->pgid = wanted;
    return 0;
}

long sys_setpgid(const u64 *arg)
{
    if ((i32)arg[1] < 0) {
        return -EINVAL;
    }
    spin_lock(&process_lock);
    long result = set_group((i32)arg[0], (i32)arg[1]);
    spin_unlock(&process_lock);
    return result;
}

static long group_or_session(i32 pid, bool session)
{
    spin_lock(&process_lock);
    struct process *p = find(pid);
    long result = p ? (long)(session ? p->sid : p->pgid) : -ESRCH;
    spin_unlock(&process_lock);
    return result;
}

long sys_getpgid(const u64 *arg)
{
    return group_or_session((i32)arg[0], false);
}

long sys_getsid(const u64 *arg)
{
    return group_or_session((i32)arg[0], true);
}

long sys_getpgrp(const u64 *arg)
{
    (void)arg;
    return this_process()->pgid;
}
