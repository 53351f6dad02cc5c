/*
 * Terminals and sessions: who controls which terminal, and which group is in its foreground.
 * POSIX.1-2017, XBD 11.1.3 and 11.1.4; Linux' ioctl_tty(2).
 */
#include "guestos/abi/errno.h"
#include "guestos/proc/process.h"
#include "guestos/tty/tty.h"

int tty_job_control(struct tty *t, u32 signal)
{
    struct process *p = this_process();
    bool may_pass = signal_is_ignored_or_blocked(signal);

    spin_lock(&process_lock);
    u32 pgid = p->pgid;
    bool is_background = p->tty == t && t->foreground && t->foreground != pgid;
    spin_unlock(&process_lock);
    if (!is_background) {
        return 0;
    }
    if (may_pass) {
        return signal == SIGTTIN ? -EIO : 0;
    }
    if (group_is_orphaned(pgid)) {
        return -EIO; /* nobody could continue it */
    }
    signal_group(pgid, signal, NULL);
    return -ERESTARTSYS;
}

/* Takes the terminal from all of a session. Both locks held. */
static void detach_session(struct tty *t)
{
    for (LIST_EACH(struct process, p, &processes, table_link)) {
        if (p->tty == t) {
            p->tty = NULL;
        }
    }
    t->session = t->foreground = 0;
}

static void lock_both(struct tty *t)
{
    spin_lock(&process_lock);
    spin_lock(&t->lock);
}

static void unlock_both(struct tty *t)
{
    spin_unlock(&t->lock);
    spin_unlock(&process_lock);
}

static int take_over(struct tty *t, bool may_steal)
{
    struct process *p = this_process();

    if (p->sid != p->pid || (p->tty && p->tty != t)) {
        return -EPERM; /* only a session's leader that has none yet */
    }
    if (p->tty == t && t->session == p->sid) {
        return 0;
    }
    if (t->session && t->session != p->sid) {
        if (!may_steal) {
            return -EPERM;
        }
        detach_session(t);
    }
    p->tty = t;
    t->session = p->sid;
    t->foreground = p->pgid;
    return 0;
}

int tty_set_controlling(struct tty *t, bool steal)
{
    bool may_steal = steal && is_superuser();

    lock_both(t);
    int result = take_over(t, may_steal);
    unlock_both(t);
    return result;
}

int tty_give_up(struct tty *t)
{
    struct process *p = this_process();
    u32 foreground = 0;

    lock_both(t);
    bool is_mine = p->tty == t;
    if (is_mine && t->session == p->pid) { /* the leader takes it from the whole session */
        foreground = t->foreground;
        detach_session(t);
    }
    p->tty = is_mine ? NULL : p->tty;
    unlock_both(t);
    if (foreground) {
        signal_group(foreground, SIGHUP, NULL);
        signal_group(foreground, SIGCONT, NULL);
    }
    return is_mine ? 0 : -ENOTTY;
}

int tty_foreground(struct tty *t, u32 *pgid)
{
    spin_lock(&process_lock);
    bool is_mine = this_process()->tty == t;
    *pgid = t->foreground;
    spin_unlock(&process_lock);
    return is_mine ? 0 : -ENOTTY;
}

int tty_session(struct tty *t, u32 *sid)
{
    spin_lock(&process_lock);
    bool is_mine = this_process()->tty == t;
    *sid = t->session;
    spin_unlock(&process_lock);
    return is_mine && *sid ? 0 : -ENOTTY;
}

static int set_foreground(struct tty *t, i32 pgid)
{
    struct process *me = this_process();

    if (me->tty != t || t->session != me->sid) {
        return -ENOTTY;
    }
    if (pgid < 0) {
        return -EINVAL;
    }
    for (LIST_EACH(struct process, p, &processes, table_link)) {
        if (p->pgid == (u32)pgid) {
            if (p->sid != me->sid) {
                return -EPERM;
            }
            t->foreground = (u32)pgid;
            return 0;
        }
    }
    return -ESRCH;
}

int tty_set_foreground(struct tty *t, i32 pgid)
{
    lock_both(t);
    int result = set_foreground(t, pgid);
    unlock_both(t);
    return result;
}

void tty_signal_foreground(struct tty *t, u32 signal)
{
    spin_lock(&t->lock);
    u32 pgid = t->foreground;
    spin_unlock(&t->lock);
    if (pgid) {
        signal_group(pgid, signal, NULL);
    }
}

struct tty *tty_of_process(void)
{
    spin_lock(&process_lock);
    struct tty *t = this_process()->tty;
    spin_unlock(&process_lock);
    return t;
}

/* Ends it all if the session is still `sid` (0: whichever it is). */
static void hang_up(struct tty *t, u32 sid)
{
    lock_both(t);
    u32 session = t->session, foreground = t->foreground;
    bool ends = sid == 0 || session == sid;
    if (ends) {
        t->hangups++;
        detach_session(t);
        tty_flush_input(t);
        tty_set_stopped(t, false);
    }
    unlock_both(t);
    if (!ends) {
        return;
    }
    wake_all(&t->readers);
    wake_all(&t->writers);
    if (session && sid == 0) {
        spin_lock(&process_lock);
        struct process *leader = process_find(session);
        if (leader) {
            signal_process_locked(leader, SIGHUP, NULL);
            signal_process_locked(leader, SIGCONT, NULL);
        }
        spin_unlock(&process_lock);
    }
    if (foreground) {
        signal_group(foreground, SIGHUP, NULL);
        signal_group(foreground, SIGCONT, NULL);
    }
}

void tty_hangup(struct tty *t)
{
    hang_up(t, 0);
}

void tty_leave(struct tty *t, u32 sid)
{
    if (t) {
        hang_up(t, sid);
    }
}
