/*
 * Who a process is: user and group ids. credentials(7), setresuid(2): an id may become another of
 * one's own, or anything for the superuser. The file system's id follows the effective one.
 */
#include "guestos/kernel/string.h"
#include "guestos/proc/process.h"
#include "guestos/sys/syscall.h"

#define KEEP (~0u)

bool is_superuser(void)
{
    return this_process()->cred.euid == 0;
}

bool in_group(u32 gid)
{
    const struct credentials *c = &this_process()->cred;

    for (u32 i = 0; i < c->nr_groups; i++) {
        if (c->group[i] == gid) {
            return true;
        }
    }
    return c->fsgid == gid;
}

bool may_signal(const struct process *p)
{
    const struct credentials *c = &this_process()->cred;

    return c->euid == 0 || c->euid == p->cred.uid || c->euid == p->cred.suid ||
           c->uid == p->cred.uid || c->uid == p->cred.suid;
}

#define GETTER(name, value)                                                                        \
    long sys_##name(const u64 *arg)                                                                \
    {                                                                                              \
        (void)arg;                                                                                 \
        return (value);                                                                            \
    }
GETTER(getuid, this_process()->cred.uid)
GETTER(geteuid, this_process()->cred.euid)
GETTER(getgid, this_process()->cred.gid)
GETTER(getegid, this_process()->cred.egid)

/* User and group ids go by the same rules. */
struct ids {
    u32 *real, *effective, *saved, *fs;
};

static struct ids user_ids(void)
{
    struct credentials *c = &this_process()->cred;

    return (struct ids){&c->uid, &c->euid, &c->suid, &c->fsuid};
}

static struct ids group_ids(void)
{
    struct credentials *c = &this_process()->cred;

    return (struct ids){&c->gid, &c->egid, &c->sgid, &c->fsgid};
}

static bool is_own(const struct ids *ids, u32 id)
{
    return id == KEEP || id == *ids->real || id == *ids->effective || id == *ids->saved;
}

static long set(const struct ids *ids, u32 real, u32 effective, u32 saved)
{
    if (real != KEEP) {
        *ids->real = real;
    }
    if (effective != KEEP) {
        *ids->effective = effective;
        *ids->fs = effective;
    }
    if (saved != KEEP) {
        *ids->saved = saved;
    }
    return 0;
}

static long set_res(struct ids ids, u32 real, u32 effective, u32 saved)
{
    if (!is_superuser() &&
        (!is_own(&ids, real) || !is_own(&ids, effective) || !is_own(&ids, saved))) {
        return -EPERM;
    }
    return set(&ids, real, effective, saved);
}

/* setreuid: the saved id follows when the real one is set or the effective one leaves it. */
static long set_re(struct ids ids, u32 real, u32 effective)
{
    if (!is_superuser() && ((real != KEEP && real != *ids.real && real != *ids.effective) ||
                            !is_own(&ids, effective))) {
        return -EPERM;
    }
    u32 old_real = *ids.real;
    bool saved_follows = real != KEEP || (effective != KEEP && effective != old_real);
    set(&ids, real, effective, KEEP);
    if (saved_follows) {
        *ids.saved = *ids.effective;
    }
    return 0;
}

static long set_one(struct ids ids, u32 id)
{
    if (id == KEEP) {
        return -EINVAL;
    }
    if (is_superuser()) {
        return set(&ids, id, id, id);
    }
    return id == *ids.real || id == *ids.saved ? set(&ids, KEEP, id, KEEP) : -EPERM;
}

static long set_fs(struct ids ids, u32 id)
{
    u32 old = *ids.fs;

    if (id != KEEP && (is_superuser() || is_own(&ids, id) || id == old)) {
        *ids.fs = id;
    }
    return old;
}

static long get_res(struct ids ids, const u64 *arg)
{
    return PUT_USER(arg[0], *ids.real) || PUT_USER(arg[1], *ids.effective) ||
                   PUT_USER(arg[2], *ids.saved)
               ? -EFAULT
               : 0;
}

long sys_setuid(const u64 *arg)
{
    return set_one(user_ids(), (u32)arg[0]);
}

long sys_setgid(const u64 *arg)
{
    return set_one(group_ids(), (u32)arg[0]);
}

long sys_setreuid(const u64 *arg)
{
    return set_re(user_ids(), (u32)arg[0], (u32)arg[1]);
}

long sys_setregid(const u64 *arg)
{
    return set_re(group_ids(), (u32)arg[0], (u32)arg[1]);
}

long sys_setresuid(const u64 *arg)
{
    return set_res(user_ids(), (u32)arg[0], (u32)arg[1], (u32)arg[2]);
}

long sys_setresgid(const u64 *arg)
{
    return set_res(group_ids(), (u32)arg[0], (u32)arg[1], (u32)arg[2]);
}

long sys_getresuid(const u64 *arg)
{
    return get_res(user_ids(), arg);
}

long sys_getresgid(const u64 *arg)
{
    return get_res(group_ids(), arg);
}

long sys_setfsuid(const u64 *arg)
{
    return set_fs(user_ids(), (u32)arg[0]);
}

long sys_setfsgid(const u64 *arg)
{
    return set_fs(group_ids(), (u32)arg[0]);
}

long sys_getgroups(const u64 *arg)
{
    const struct credentials *c = &this_process()->cred;
    i32 size = (i32)arg[0];

    if (size < 0 || (size && (u32)size < c->nr_groups)) {
        return -EINVAL;
    }
    if (size && copy_to_user(arg[1], c->group, c->nr_groups * sizeof c->group[0])) {
        return -EFAULT;
    }
    return c->nr_groups;
}

long sys_setgroups(const u64 *arg)
{
    struct credentials *c = &this_process()->cred;
    u32 group[MAX_GROUPS];

    if (!is_superuser()) {
        return -EPERM;
    }
    if ((u32)arg[0] > MAX_GROUPS) {
        return -EINVAL;
    }
    if (copy_from_user(group, arg[1], (u32)arg[0] * sizeof group[0])) {
        return -EFAULT;
    }
    memcpy(c->group, group, sizeof group);
    c->nr_groups = (u32)arg[0];
    return 0;
}

/* ---- capabilities: all for the superuser, none for others. capget(2), version 3. */

#define CAPABILITY_VERSION_3 0x20080522u

struct cap_header {
    u32 version;
    i32 pid;
};

struct cap_data {
    u32 effective, permitted, inheritable;
};

static int read_header(u64 at, struct cap_header *header)
{
    if (GET_USER(*header, at)) {
        return -EFAULT;
    }
    if (header->version != CAPABILITY_VERSION_3) {
        header->version = CAPABILITY_VERSION_3;
        return PUT_USER(at, *header) ? -EFAULT : -EINVAL;
    }
    return header->pid < 0 ? -EINVAL : 0;
}

long sys_capget(const u64 *arg)
{
    struct cap_header header;
    struct cap_data data[2] = {0};
    int error = read_header(arg[0], &header);

    if (error) {
        return error == -EINVAL && !arg[1] ? 0 : error; /* asked for the version only */
    }
    spin_lock(&process_lock);
    struct process *p = header.pid ? process_find((u32)header.pid) : this_process();
    bool all = p && p->cred.euid == 0;
    spin_unlock(&process_lock);
    if (!p) {
        return -ESRCH;
    }
    if (all) {
        data[0].effective = data[0].permitted = ~0u;
        data[1].effective = data[1].permitted = 0x1FF;
    }
    return arg[1] ? PUT_USER(arg[1], data) : -EFAULT;
}

long sys_capset(const u64 *arg)
{
    struct cap_header header;
    struct cap_data data[2];
    int error = read_header(arg[0], &header);

    if (error) {
        return error;
    }
    if (GET_USER(data, arg[1])) {
        return -EFAULT;
    }
    if (header.pid && (u32)header.pid != this_process()->pid) {
        return -EPERM;
    }
    bool wants = data[0].effective | data[0].permitted | data[1].effective | data[1].permitted;
    return wants && !is_superuser() ? -EPERM : 0;
}
