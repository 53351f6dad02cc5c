/*
 * System calls on sockets: socket(2), socketpair(2), bind(2), listen(2), accept(2), connect(2),
 * send(2), recv(2), shutdown(2), getsockname(2), getsockopt(2); addresses as unix(7) has them.
 */
#include "guestos/fs/fd.h"
#include "guestos/fs/fs_context.h"
#include "guestos/fs/path.h"
#include "guestos/fs/socket.h"
#include "guestos/kernel/string.h"
#include "guestos/mm/slab.h"
#include "guestos/mm/user.h"
#include "guestos/proc/process.h"
#include "guestos/sys/syscall.h"

#define FAMILY_BYTES 2u
#define IOV_MAX      1024u

/* The file's socket; the file is held, to be put by the caller, if this is not NULL. */
static struct socket *socket_get(u64 fd, struct file **f, long *error)
{
    *f = fd_get_io((int)fd);
    struct socket *s = *f ? socket_of(*f) : NULL;

    if (*f && !s) {
        file_put(*f);
    }
    *error = !*f ? -EBADF : -ENOTSOCK;
    return s;
}

/* ---- addresses */

static int address_from_user(struct socket_address *a, u64 from, u64 len)
{
    memset(a, 0, sizeof *a);
    if (len < FAMILY_BYTES || len > sizeof a->un) {
        return -EINVAL;
    }
    if (copy_from_user(&a->un, from, len) < 0) {
        return -EFAULT;
    }
    if (a->un.family != AF_UNIX) {
        return -EAFNOSUPPORT;
    }
    a->len = (u32)len;
    return 0;
}

static bool is_path(const struct socket_address *a)
{
    return a->len > FAMILY_BYTES && a->un.path[0];
}

/* The path with an end, which sun_path need not have; to be kfree'd. */
static char *path_of_address(const struct socket_address *a)
{
    char *path = kmalloc(sizeof a->un.path + 1);

    if (path) {
        memcpy(path, a->un.path, a->len - FAMILY_BYTES);
    }
    return path;
}

/* Where a path leads: the inode of a socket, held; NULL for abstract names. */
static int find_inode(const struct socket_address *a, struct inode **inode)
{
    struct dentry *d;

    *inode = NULL;
    if (!is_path(a)) {
        return 0;
    }
    char *path = path_of_address(a);
    int error = path ? path_lookup(AT_FDCWD, path, LOOKUP_FOLLOW, &d) : -ENOMEM;
    kfree(path);
    if (error) {
        return error;
    }
    error = inode_permission(d->inode, MAY_WRITE);
    if (!error && !S_ISSOCK(d->inode->mode)) {
        error = -ECONNREFUSED;
    }
    if (!error) {
        *inode = inode_hold(d->inode);
    }
    dentry_put(d);
    return error;
}

/* A new name in the file system; its inode is held. */
static int make_inode(const struct socket_address *a, struct inode **made)
{
    struct walk w;
    struct dentry *d;
    char *path = path_of_address(a);

    if (!path) {
        return -ENOMEM;
    }
    int error = walk_begin(&w, AT_FDCWD, path, 0);
    error = error ? error : walk_to_last(&w);
    error = error ? error : walk_lock_new(&w, false, &d);
    if (!error) {
        struct inode *dir = w.at->inode;
        u32 mode = S_IFSOCK | (0777 & ~context_umask());
        error = dir->ops->create ? dir->ops->create(dir, w.name, mode, 0, made) : -EPERM;
        if (!error) {
            dentry_fill(d, inode_hold(*made));
        }
        mutex_unlock(&dir->lock);
        dentry_put(d);
    }
    walk_end(&w);
    kfree(path);
    return error == -EEXIST ? -EADDRINUSE : error;
}

static bool exists(const struct socket_address *a)
{
    struct dentry *d;
    char *path = path_of_address(a);
    bool found = path && path_lookup(AT_FDCWD, path, 0, &d) == 0;

    if (found) {
        dentry_put(d);
    }
    kfree(path);
    return found;
}

/* As much as the program has room for; the whole length is told. No addresses: nothing. */
static long address_to_user(const struct socket_address *a, u64 to, u64 len_at)
{
    i32 room;

    if (!to) {
        return 0;
    }
    if (GET_USER(room, len_at) < 0) {
        return -EFAULT;
    }
    if (room < 0) {
        return -EINVAL;
    }
    u32 len = a->len;
    if (copy_to_user(to, &a->un, MIN((u32)room, len)) < 0 || PUT_USER(len_at, len) < 0) {
        return -EFAULT;
    }
    return 0;
}

/* A socket without a name has the family as its address; a message from one has none. */
static struct socket_address name_of(const struct socket *s)
{
    static const struct socket_address no_name = {.len = FAMILY_BYTES, .un.family = AF_UNIX};

    return s && s->address.len ? s->address : no_name;
}

/* ---- making */

static int check_kind(u64 family, u64 type, u64 protocol)
{
    u64 kind = type & SOCK_TYPES;

    if (family != AF_UNIX) {
        return -EAFNOSUPPORT;
    }
    if (type & ~(u64)(SOCK_TYPES | O_CLOEXEC | O_NONBLOCK)) {
        return -EINVAL;
    }
    if (kind != SOCK_STREAM && kind != SOCK_DGRAM && kind != SOCK_SEQPACKET) {
        return -ESOCKTNOSUPPORT;
    }
    return protocol && protocol != AF_UNIX ? -EPROTONOSUPPORT : 0;
}

static long install(struct socket *s, u64 flags)
{
    struct file *f = s ? socket_file(s, (u32)flags & O_NONBLOCK) : NULL;

    return f ? fd_install(f, 0, flags & O_CLOEXEC) : -ENOMEM;
}

long sys_socket(const u64 *arg)
{
    int error = check_kind(arg[0], arg[1], arg[2]);

    return error ? error : install(socket_new(arg[1] & SOCK_TYPES), arg[1]);
}

long sys_socketpair(const u64 *arg)
{
    u32 type = arg[1] & SOCK_TYPES;
    int error = check_kind(arg[0], arg[1], arg[2]);
    i32 fd[2] = {-1, -1};

    if (error) {
        return error;
    }
    struct socket *a = socket_new(type);
    struct socket *b = socket_new(type);
    if (a && b) {
        mutex_lock(&sockets_mutex);
        socket_join(a, b);
        mutex_unlock(&sockets_mutex);
    }
    fd[0] = (i32)install(a, arg[1]);
    fd[1] = (i32)install(b, arg[1]);
    error = fd[0] < 0 ? fd[0] : fd[1] < 0 ? fd[1] : copy_to_user(arg[3], fd, sizeof fd);
    for (u32 i = 0; error && i < 2; i++) {
        if (fd[i] >= 0) {
            fd_close((u32)fd[i]);
        }
    }
    return error;
}

/* ---- names and connections */

static long bind_to(struct socket *s, const struct socket_address *a)
{
    struct inode *inode = NULL;

    if (a->len == FAMILY_BYTES) { /* autobind: five hexadecimal digits */
        static u32 last;
        struct socket_address own = {.len = FAMILY_BYTES + 6, .un.family = AF_UNIX};
        u32 number = __atomic_add_fetch(&last, 1, __ATOMIC_RELAXED);
        for (u32 i = 0; i < 5; i++) {
            own.un.path[5 - i] = "0123456789abcdef"[number >> 4 * i & 15];
        }
        return socket_bind(s, &own, NULL);
    }
    if (s->address.len) { /* Linux looks at the path first */
        return is_path(a) && exists(a) ? -EADDRINUSE : -EINVAL;
    }
    long error = is_path(a) ? make_inode(a, &inode) : 0;
    if (!error) {
        error = socket_bind(s, a, inode);
    }
    if (inode) {
        inode_put(inode);
    }
    return error;
}

long sys_bind(const u64 *arg)
{
    struct socket_address a;
    struct file *f;
    long result;
    struct socket *s = socket_get(arg[0], &f, &result);

    if (!s) {
        return result;
    }
    result = address_from_user(&a, arg[1], arg[2]);
    if (result == 0) {
        result = bind_to(s, &a);
    }
    file_put(f);
    return result;
}

long sys_listen(const u64 *arg)
{
    struct file *f;
    long result;
    struct socket *s = socket_get(arg[0], &f, &result);

    if (s) {
        result = socket_listen(s, MIN((u32)arg[1], 4096u));
        file_put(f);
    }
    return result;
}

static bool is_nonblocking(const struct file *f)
{
    return f->flags & O_NONBLOCK;
}

static long accept_from(u64 fd, u64 to, u64 len_at, u64 flags)
{
    struct socket *accepted;
    struct file *f;
    long result;

    if (flags & ~(u64)(O_CLOEXEC | O_NONBLOCK)) {
        return -EINVAL;
    }
    struct socket *s = socket_get(fd, &f, &result);
    if (!s) {
        return result;
    }
    result = socket_accept(s, is_nonblocking(f), &accepted);
    file_put(f);
    if (result) {
        return result;
    }
    mutex_lock(&sockets_mutex);
    struct socket_address peer = name_of(accepted->peer);
    mutex_unlock(&sockets_mutex);
    result = install(accepted, flags);
    if (result >= 0) {
        long error = address_to_user(&peer, to, len_at);
        if (error) {
            fd_close((u32)result);
            return error;
        }
    }
    return result;
}

long sys_accept(const u64 *arg)
{
    return accept_from(arg[0], arg[1], arg[2], 0);
}

long sys_accept4(const u64 *arg)
{
    return accept_from(arg[0], arg[1], arg[2], arg[3]);
}

long sys_connect(const u64 *arg)
{
    struct socket_address a = {0};
    struct inode *inode = NULL;
    struct file *f;
    long result;
    struct socket *s = socket_get(arg[0], &f, &result);
    u16 family = 1;

    if (!s) {
        return result;
    }
    if (arg[2] >= FAMILY_BYTES && GET_USER(family, arg[1]) == 0 && family == 0) {
        result = 0; /* AF_UNSPEC: no longer connected */
    } else {
        result = address_from_user(&a, arg[1], arg[2]);
    }
    if (result == 0) {
        result = find_inode(&a, &inode);
    }
    if (result == 0) {
        result = socket_connect(s, &a, inode, is_nonblocking(f));
    }
    if (inode) {
        inode_put(inode);
    }
    file_put(f);
    return result;
}

long sys_shutdown(const u64 *arg)
{
    struct file *f;
    long result;
    struct socket *s = socket_get(arg[0], &f, &result);

    if (!s) {
        return result;
    }
    if (arg[1] > SHUT_RDWR) {
        result = -EINVAL;
    } else {
        socket_shut(s, arg[1] != SHUT_WR, arg[1] != SHUT_RD);
        result = 0;
    }
    file_put(f);
    return result;
}

static long name_to_user(const u64 *arg, bool of_peer)
{
    struct socket_address a = {0};
    struct file *f;
    long result;
    struct socket *s = socket_get(arg[0], &f, &result);

    if (!s) {
        return result;
    }
    mutex_lock(&sockets_mutex);
    bool connected = s->peer != NULL;
    if (!of_peer || connected) {
        a = name_of(of_peer ? s->peer : s);
    }
    mutex_unlock(&sockets_mutex);
    result = of_peer && !connected ? -ENOTCONN
             : arg[1]              ? address_to_user(&a, arg[1], arg[2])
                                   : -EFAULT;
    file_put(f);
    return result;
}

long sys_getsockname(const u64 *arg)
{
    return name_to_user(arg, false);
}

long sys_getpeername(const u64 *arg)
{
    return name_to_user(arg, true);
}

/* ---- options */

static long option_to_user(const void *value, u32 size, u64 to, u64 len_at)
{
    u32 room;

    if (GET_USER(room, len_at) < 0) {
        return -EFAULT;
    }
    if ((i32)room < 0) {
        return -EINVAL;
    }
    size = MIN(size, room);
    return copy_to_user(to, value, size) < 0 || PUT_USER(len_at, size) < 0 ? -EFAULT : 0;
}

static long get_option(struct socket *s, u64 option, u64 to, u64 len_at)
{
    i32 value = 0;

    switch (option) {
    case SO_TYPE: value = (i32)s->type; break;
    case SO_DOMAIN: value = AF_UNIX; break;
    case SO_ACCEPTCONN: value = s->state == SOCKET_LISTENING; break;
    case SO_SNDBUF:
    case SO_RCVBUF: value = SOCKET_BYTES; break;
    case SO_PEERCRED: return option_to_user(&s->peer_owner, sizeof s->peer_owner, to, len_at);
    case SO_ERROR:
    case SO_PROTOCOL:
    case SO_REUSEADDR:
    case SO_KEEPALIVE: break;
    default: return -ENOPROTOOPT;
    }
    return option_to_user(&value, sizeof value, to, len_at);
}

long sys_getsockopt(const u64 *arg)
{
    struct file *f;
    long result;
    struct socket *s = socket_get(arg[0], &f, &result);

    if (s) {
        result = arg[1] == SOL_SOCKET ? get_option(s, arg[2], arg[3], arg[4]) : -EOPNOTSUPP;
        file_put(f);
    }
    return result;
}

/* Of the options only those are taken that mean nothing to unix domain sockets anyhow. */
long sys_setsockopt(const u64 *arg)
{
    struct file *f;
    i32 value;
    long result;

    if (!socket_get(arg[0], &f, &result)) {
        return result;
    }
    bool known = arg[2] == SO_REUSEADDR || arg[2] == SO_KEEPALIVE;
    result = arg[1] != SOL_SOCKET      ? -EOPNOTSUPP
             : arg[4] < sizeof value   ? -EINVAL
             : GET_USER(value, arg[3]) ? -EFAULT
             : known                   ? 0
                                       : -ENOPROTOOPT;
    file_put(f);
    return result;
}

/* ---- messages: pieces of memory, an address, and files */

/* All their bytes, or one more than a message may have. */
static u64 count_bytes(const struct abi_iovec *iov, u64 nr)
{
    u64 total = 0;

    for (u64 i = 0; i < nr; i++) {
        total = MIN(total + MIN(iov[i].len, SOCKET_BYTES + 1ul), SOCKET_BYTES + 1ul);
    }
    return total;
}

static long iov_from_user(const struct msghdr *h, struct abi_iovec **iov)
{
    if (h->nr_iov > IOV_MAX) {
        return -EMSGSIZE;
    }
    *iov = kmalloc(MAX(h->nr_iov, 1ul) * sizeof **iov);
    if (!*iov) {
        return -ENOMEM;
    }
    return copy_from_user(*iov, h->iov, h->nr_iov * sizeof **iov) < 0 ? -EFAULT : 0;
}

static void put_files(struct file **file, u32 nr)
{
    for (u32 i = 0; i < nr; i++) {
        file_put(file[i]);
    }
    kfree(file);
}

/* The files of a control message, SCM_RIGHTS, held. */
static long files_from_user(const struct msghdr *h, struct file ***file, u32 *nr_files)
{
    struct cmsghdr c;
    i32 fd;

    *file = NULL;
    *nr_files = 0;
    if (!h->control_len) {
        return 0;
    }
    if (h->control_len < sizeof c || GET_USER(c, h->control) < 0) {
        return h->control_len < sizeof c ? -EINVAL : -EFAULT;
    }
    if (c.level != SOL_SOCKET || c.type != SCM_RIGHTS || c.len < sizeof c ||
        c.len > h->control_len || (c.len - sizeof c) / sizeof fd > SOCKET_MAX_FILES) {
        return -EINVAL;
    }
    u32 nr = (u32)((c.len - sizeof c) / sizeof fd);
    *file = kmalloc(MAX(nr, 1u) * sizeof **file);
    long error = *file ? 0 : -ENOMEM;
    while (!error && *nr_files < nr) {
        error = GET_USER(fd, h->control + sizeof c + *nr_files * sizeof fd);
        struct file *f = error ? NULL : fd_get(fd);
        if (f) {
            (*file)[(*nr_files)++] = f;
        } else {
            error = error ? error : -EBADF;
        }
    }
    if (error) {
        put_files(*file, *nr_files);
    }
    return error;
}

/* The bytes [skip, skip + len) of the pieces. */
static long copy_pieces(u8 *to, const struct abi_iovec *iov, u64 nr, u64 skip, u64 len)
{
    for (u64 i = 0; i < nr && len; i++) {
        if (skip >= iov[i].len) {
            skip -= iov[i].len;
            continue;
        }
        u64 n = MIN(iov[i].len - skip, len);
        if (copy_from_user(to, iov[i].base + skip, n) < 0) {
            return -EFAULT;
        }
        to += n;
        len -= n;
        skip = 0;
    }
    return 0;
}

#define STREAM_PIECE 16000u

static long send_pieces(struct socket *s, const struct abi_iovec *iov, u64 nr, u64 total,
                        const struct socket_address *to, struct inode *inode, struct file **file,
                        u32 nr_files, u32 flags)
{
    u64 done = 0;
    long error = 0;

    do {
        u32 n = (u32)(s->type == SOCK_STREAM ? MIN(total - done, STREAM_PIECE) : total);
        struct message *m = message_new(n);
        error = m ? copy_pieces(m->data, iov, nr, done, n) : -ENOMEM;
        if (!error) {
            m->file = file; /* with the first piece; they are the message's now */
            m->nr_files = nr_files;
            file = NULL;
            nr_files = 0;
            error = socket_send(s, m, to, inode, flags);
        }
        if (error && m) {
            message_free(m);
        }
        done += error ? 0 : n;
    } while (!error && done < total);
    put_files(file, nr_files);
    return done ? (long)done : error;
}

static long send_message(struct socket *s, const struct msghdr *h, u32 flags)
{
    struct socket_address a;
    struct inode *inode = NULL;
    struct abi_iovec *iov = NULL;
    struct file **file = NULL;
    u32 nr_files = 0;
    u64 total = 0;
    bool has_address = h->name && h->name_len;
    long result = has_address ? address_from_user(&a, h->name, h->name_len) : 0;

    if (!result && has_address && s->type != SOCK_DGRAM) {
        result = s->state == SOCKET_CONNECTED ? -EISCONN : -EOPNOTSUPP;
    }
    result = result || !has_address ? result : find_inode(&a, &inode);
    result = result ? result : iov_from_user(h, &iov);
    total = result ? 0 : count_bytes(iov, h->nr_iov);
    if (!result && s->type != SOCK_STREAM && total > SOCKET_BYTES) {
        result = -EMSGSIZE;
    }
    total = MIN(total, SOCKET_BYTES); /* of a stream it goes in parts anyhow */
    result = result ? result : files_from_user(h, &file, &nr_files);
    if (!result) {
        result = send_pieces(s, iov, h->nr_iov, total, has_address ? &a : NULL, inode, file,
                             nr_files, flags);
    }
    kfree(iov);
    if (inode) {
        inode_put(inode);
    }
    return result;
}

static u32 flags_of(const struct file *f, u64 flags)
{
    return (u32)flags | (is_nonblocking(f) ? MSG_DONTWAIT : 0);
}

long sys_sendmsg(const u64 *arg)
{
    struct msghdr h;
    struct file *f;
    long result;
    struct socket *s = socket_get(arg[0], &f, &result);

    if (s) {
        result = GET_USER(h, arg[1]) < 0 ? -EFAULT : send_message(s, &h, flags_of(f, arg[2]));
        file_put(f);
    }
    return result;
}

long sys_sendto(const u64 *arg)
{
    struct socket_address a;
    struct inode *inode = NULL;
    struct file *f;
    long result;
    struct socket *s = socket_get(arg[0], &f, &result);
    struct abi_iovec iov = {arg[1], arg[2]};
    bool has_address = arg[4] && (u32)arg[5];

    if (!s) {
        return result;
    }
    result = has_address ? address_from_user(&a, arg[4], (u32)arg[5]) : 0;
    if (!result && has_address && s->type != SOCK_DGRAM) {
        result = s->state == SOCKET_CONNECTED ? -EISCONN : -EOPNOTSUPP;
    }
    if (!result && has_address) {
        result = find_inode(&a, &inode);
    }
    if (!result && s->type != SOCK_STREAM && arg[2] > SOCKET_BYTES) {
        result = -EMSGSIZE;
    }
    if (!result) {
        result = send_pieces(s, &iov, 1, arg[2], has_address ? &a : NULL, inode, NULL, 0,
                             flags_of(f, arg[3]));
    }
    if (inode) {
        inode_put(inode);
    }
    file_put(f);
    return result;
}

/* ---- receiving */

/* Installs the files that came and tells their descriptors; MSG_CTRUNC if there is no room. */
static u32 files_to_user(struct msghdr *h, struct received *r, bool close_on_exec)
{
    u64 room = h->control_len < sizeof(struct cmsghdr)
                   ? 0
                   : (h->control_len - sizeof(struct cmsghdr)) / sizeof(i32);
    u32 n = 0;

    for (; n < r->nr_files && n < room; n++) {
        i32 fd = fd_install(file_hold(r->file[n]), 0, close_on_exec);
        if (fd < 0 || PUT_USER(h->control + sizeof(struct cmsghdr) + n * sizeof fd, fd) < 0) {
            break;
        }
    }
    u32 lost = n < r->nr_files ? MSG_CTRUNC : 0;
    put_files(r->file, r->nr_files);
    struct cmsghdr c = {sizeof c + n * sizeof(i32), SOL_SOCKET, SCM_RIGHTS};
    h->control_len = n && PUT_USER(h->control, c) == 0 ? ROUND_UP(c.len, 8ul) : 0;
    return lost;
}

static long receive_message(struct socket *s, struct msghdr *h, u64 at, u32 flags)
{
    struct abi_iovec *iov = NULL;
    struct received r = {0};
    long result = iov_from_user(h, &iov);
    struct pieces to = {iov, h->nr_iov, 0};

    for (u64 i = 0; !result && i < to.nr; i++) {
        to.len_bytes += MIN(iov[i].len, 0x7FFFFFFFul);
    }
    if (!result) {
        result = socket_receive(s, &to, flags, &r);
    }
    kfree(iov);
    if (result < 0) {
        return result;
    }
    h->flags = r.flags | files_to_user(h, &r, flags & MSG_CMSG_CLOEXEC);
    if (h->name) {
        u32 len = MIN(r.from.len, h->name_len);
        if (copy_to_user(h->name, &r.from.un, len) < 0) {
            return -EFAULT;
        }
        h->name_len = r.from.len;
    }
    return copy_to_user(at, h, sizeof *h) < 0 ? -EFAULT : result;
}

long sys_recvmsg(const u64 *arg)
{
    struct msghdr h;
    struct file *f;
    long result;
    struct socket *s = socket_get(arg[0], &f, &result);

    if (s) {
        result =
            GET_USER(h, arg[1]) < 0 ? -EFAULT : receive_message(s, &h, arg[1], flags_of(f, arg[2]));
        file_put(f);
    }
    return result;
}

long sys_recvfrom(const u64 *arg)
{
    struct received r = {0};
    struct file *f;
    long result;
    struct socket *s = socket_get(arg[0], &f, &result);

    if (!s) {
        return result;
    }
    const struct abi_iovec iov = {arg[1], arg[2]};
    const struct pieces to = {&iov, 1, arg[2]};
    result = socket_receive(s, &to, flags_of(f, arg[3]), &r);
    put_files(r.file, r.nr_files);
    if (result >= 0 && arg[4]) {
        long error = address_to_user(&r.from, arg[4], arg[5]);
        result = error ? error : result;
    }
    file_put(f);
    return result;
}
