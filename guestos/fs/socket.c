/*
 * Unix domain sockets: names, connections, and messages on their way. unix(7), socket(7).
 *
 * UNIMPL: files in messages that refer to each other in a circle are never freed; SO_PASSCRED;
 * out-of-band data; time-outs.
 */
#include "guestos/fs/socket.h"
#include "guestos/abi/signal.h"
#include "guestos/abi/termios.h"
#include "guestos/fs/poll.h"
#include "guestos/fs/unnamed.h"
#include "guestos/kernel/string.h"
#include "guestos/kernel/thread.h"
#include "guestos/mm/layout.h"
#include "guestos/mm/slab.h"
#include "guestos/mm/user.h"
#include "guestos/proc/process.h"

struct mutex sockets_mutex = MUTEX_INIT(sockets_mutex);
static struct list bound = LIST_INIT(bound);

/* ---- messages */

struct message *message_new(u32 len_bytes)
{
    struct message *m = kmalloc(sizeof *m + len_bytes);

    if (m) {
        m->len = len_bytes;
    }
    return m;
}

void message_free(struct message *m)
{
    for (u32 i = 0; i < m->nr_files; i++) {
        file_put(m->file[i]);
    }
    kfree(m->file);
    kfree(m);
}

static void free_messages(struct list *messages)
{
    for (LIST_EACH_SAFE(struct message, m, messages, link)) {
        list_remove(&m->link);
        message_free(m);
    }
}

/* ---- life; the mutex is held where peers change */

static struct ucred my_credentials(void)
{
    const struct process *p = this_process();

    return (struct ucred){p->pid, p->cred.euid, p->cred.egid};
}

struct socket *socket_new(u32 type)
{
    struct socket *s = kmalloc(sizeof *s);

    if (s) {
        s->refs = 1;
        s->type = type;
        s->owner = my_credentials();
        list_init(&s->bound_link);
        list_init(&s->messages);
        list_init(&s->pending);
        list_init(&s->pending_link);
        wait_queue_init(&s->changed);
    }
    return s;
}

static struct socket *hold(struct socket *s)
{
    __atomic_add_fetch(&s->refs, 1, __ATOMIC_RELAXED);
    return s;
}

static void put(struct socket *s)
{
    if (__atomic_sub_fetch(&s->refs, 1, __ATOMIC_ACQ_REL) == 0) {
        kfree(s);
    }
}

void socket_join(struct socket *a, struct socket *b)
{
    a->peer = hold(b);
    b->peer = hold(a);
    a->peer_owner = b->owner;
    b->peer_owner = a->owner;
    a->state = b->state = SOCKET_CONNECTED;
}

static void forget_peer(struct socket *s)
{
    struct socket *peer = s->peer;

    s->peer = NULL;
    if (peer) {
        put(peer);
    }
}

/* Its other end learns of it; what it has not read is collected in `unread`. */
static void close_locked(struct socket *s, struct list *unread)
{
    struct socket *peer = s->peer;

    s->state = SOCKET_CLOSED;
    list_remove(&s->bound_link);
    while (!list_empty(&s->messages)) {
        struct list *link = s->messages.next;
        list_remove(link);
        list_add_last(unread, link);
    }
    for (LIST_EACH_SAFE(struct socket, p, &s->pending, pending_link)) {
        list_remove(&p->pending_link);
        close_locked(p, unread);
        put(p);
    }
    if (peer) {
        if (peer->peer == s) {
            forget_peer(peer);
            wake_all(&peer->changed);
        }
        forget_peer(s);
    }
    wake_all(&s->changed);
}

static void close(struct socket *s)
{
    struct list unread = LIST_INIT(unread);

    mutex_lock(&sockets_mutex);
    close_locked(s, &unread);
    mutex_unlock(&sockets_mutex);
    free_messages(&unread); /* may close other sockets: without the mutex */
    if (s->inode) {
        inode_put(s->inode);
    }
    put(s);
}

/* ---- names */

static bool same_address(const struct socket_address *a, const struct socket_address *b)
{
    return a->len == b->len && memcmp(&a->un, &b->un, a->len) == 0;
}

/* By inode, if the name is a path. The mutex is held. */
static struct socket *find(const struct socket_address *a, const struct inode *inode)
{
    for (LIST_EACH(struct socket, s, &bound, bound_link)) {
        if (inode ? s->inode == inode : !s->inode && same_address(&s->address, a)) {
            return s;
        }
    }
    return NULL;
}

int socket_bind(struct socket *s, const struct socket_address *a, struct inode *inode)
{
    int error = 0;

    mutex_lock(&sockets_mutex);
    if (s->address.len) {
        error = -EINVAL;
    } else if (!inode && find(a, NULL)) {
        error = -EADDRINUSE;
    } else {
        s->address = *a;
        s->inode = inode ? inode_hold(inode) : NULL;
        list_add_last(&bound, &s->bound_link);
    }
    mutex_unlock(&sockets_mutex);
    return error;
}

/* ---- connections */

int socket_listen(struct socket *s, u32 backlog)
{
    int error = 0;

    mutex_lock(&sockets_mutex);
    if (s->type == SOCK_DGRAM) {
        error = -EOPNOTSUPP;
    } else if (!s->address.len || s->state == SOCKET_CONNECTED) {
        error = -EINVAL;
    } else {
        s->state = SOCKET_LISTENING;
        s->backlog = backlog;
        s->owner = my_credentials();
    }
    mutex_unlock(&sockets_mutex);
    return error;
}

/* -EAGAIN: the listener has no room; it is held then, and in *busy. The mutex is held. */
static int try_connect(struct socket *s, const struct socket_address *to, struct inode *inode,
                       struct socket *fresh, struct socket **busy)
{
    struct socket *listener = find(to, inode);

    if (s->state == SOCKET_CONNECTED) {
        return -EISCONN;
    }
    if (s->state == SOCKET_LISTENING) {
        return -EINVAL;
    }
    if (!listener || listener->state != SOCKET_LISTENING) {
        return -ECONNREFUSED;
    }
    if (listener->type != s->type) {
        return -EPROTOTYPE;
    }
    if (listener->nr_pending > listener->backlog) {
        *busy = hold(listener);
        return -EAGAIN;
    }
    fresh->address = listener->address;
    fresh->owner = listener->owner;
    socket_join(s, fresh);
    list_add_last(&listener->pending, &hold(fresh)->pending_link);
    listener->nr_pending++;
    wake_all(&listener->changed);
    return 0;
}

static bool has_room(struct socket *listener)
{
    mutex_lock(&sockets_mutex);
    bool yes = listener->state != SOCKET_LISTENING || listener->nr_pending <= listener->backlog;
    mutex_unlock(&sockets_mutex);
    return yes;
}

static int connect_stream(struct socket *s, const struct socket_address *to, struct inode *inode,
                          bool nonblocking)
{
    struct socket *fresh = socket_new(s->type);
    int error = fresh ? -EAGAIN : -ENOMEM;

    while (error == -EAGAIN) {
        struct socket *busy = NULL;
        mutex_lock(&sockets_mutex);
        error = try_connect(s, to, inode, fresh, &busy);
        mutex_unlock(&sockets_mutex);
        if (!busy) {
            break;
        }
        bool broken_off =
            nonblocking || WAIT(&busy->changed, has_room(busy), WAIT_INTERRUPTIBLE, NEVER) < 0;
        put(busy);
        if (broken_off) {
            error = nonblocking ? -EAGAIN : -ERESTARTSYS;
            break;
        }
    }
    if (fresh) {
        put(fresh);
    }
    return error;
}

int socket_connect(struct socket *s, const struct socket_address *to, struct inode *inode,
                   bool nonblocking)
{
    if (s->type != SOCK_DGRAM) {
        return connect_stream(s, to, inode, nonblocking);
    }
    mutex_lock(&sockets_mutex);
    struct socket *peer = to->len ? find(to, inode) : NULL; /* no address: connected no more */
    int error = to->len && !peer ? -ECONNREFUSED : peer && peer->type != s->type ? -EPROTOTYPE : 0;
    if (!error) {
        forget_peer(s);
        s->peer = peer ? hold(peer) : NULL;
        s->state = peer ? SOCKET_CONNECTED : SOCKET_NEW;
    }
    mutex_unlock(&sockets_mutex);
    return error;
}

static struct socket *take_pending(struct socket *listener)
{
    mutex_lock(&sockets_mutex);
    struct socket *s = LIST_FIRST(&listener->pending, struct socket, pending_link);
    if (s) {
        list_remove(&s->pending_link);
        listener->nr_pending--;
        wake_all(&listener->changed);
    }
    mutex_unlock(&sockets_mutex);
    return s;
}

int socket_accept(struct socket *listener, bool nonblocking, struct socket **accepted)
{
    if (listener->type == SOCK_DGRAM) {
        return -EOPNOTSUPP;
    }
    if (listener->state != SOCKET_LISTENING) {
        return -EINVAL;
    }
    *accepted = take_pending(listener);
    if (!*accepted && nonblocking) {
        return -EAGAIN;
    }
    if (!*accepted && WAIT(&listener->changed, (*accepted = take_pending(listener)) != NULL,
                           WAIT_INTERRUPTIBLE, NEVER) < 0) {
        return -ERESTARTSYS;
    }
    return 0;
}

void socket_shut(struct socket *s, bool in, bool out)
{
    mutex_lock(&sockets_mutex);
    struct socket *peer = s->type == SOCK_DGRAM ? NULL : s->peer;
    s->shut_in |= in;
    s->shut_out |= out;
    if (peer) {
        peer->shut_in |= out;
        peer->shut_out |= in;
        wake_all(&peer->changed);
    }
    mutex_unlock(&sockets_mutex);
    wake_all(&s->changed);
}

/* ---- sending */

/* Where a message goes now: held in *to. The mutex is held. */
static int destination(struct socket *s, const struct socket_address *a, struct inode *inode,
                       struct socket **to)
{
    struct socket *peer = a ? find(a, inode) : s->peer;

    if (s->shut_out) {
        return -EPIPE;
    }
    if (!a && s->state != SOCKET_CONNECTED) {
        return -ENOTCONN;
    }
    if (!peer || peer->state == SOCKET_CLOSED) {
        return s->type == SOCK_DGRAM ? -ECONNREFUSED : -EPIPE;
    }
    if (peer->type != s->type) {
        return -EPROTOTYPE;
    }
    if (peer->shut_in) {
        return -EPIPE;
    }
    *to = hold(peer);
    return peer->nr_bytes && peer->nr_bytes >= SOCKET_BYTES ? -EAGAIN : 0;
}

/* Can more be sent, or is it of no use to wait? */
static bool drained(struct socket *to)
{
    mutex_lock(&sockets_mutex);
    bool yes = to->state == SOCKET_CLOSED || to->shut_in || to->nr_bytes < SOCKET_BYTES;
    mutex_unlock(&sockets_mutex);
    return yes;
}

int socket_send(struct socket *s, struct message *m, const struct socket_address *a,
                struct inode *inode, u32 flags)
{
    for (;;) {
        struct socket *to = NULL;
        mutex_lock(&sockets_mutex);
        int error = destination(s, a, inode, &to);
        if (!error) {
            m->from = s->address;
            list_add_last(&to->messages, &m->link);
            to->nr_bytes += m->len;
            wake_all(&to->changed);
        }
        mutex_unlock(&sockets_mutex);
        bool wait = error == -EAGAIN && !(flags & MSG_DONTWAIT);
        if (wait && WAIT(&to->changed, drained(to), WAIT_INTERRUPTIBLE, NEVER) < 0) {
            wait = false;
            error = -ERESTARTSYS;
        }
        if (to) {
            put(to);
        }
        if (error == -EPIPE && !(flags & MSG_NOSIGNAL)) {
            signal_thread(current(), SIGPIPE, NULL);
        }
        if (!wait) {
            return error;
        }
    }
}

/* ---- receiving */

/* The message's files, or, if they stay in it, nothing. */
static void take_files(struct message *m, struct received *r, bool peek)
{
    if (!peek && m->nr_files && !r->nr_files) {
        r->file = m->file;
        r->nr_files = m->nr_files;
        m->file = NULL;
        m->nr_files = 0;
    }
}

static void consume(struct socket *s, struct message *m, u32 n, struct list *done)
{
    m->at += n;
    s->nr_bytes -= n;
    if (m->at == m->len) {
        list_remove(&m->link);
        list_add_last(done, &m->link);
    }
}

/* To the pieces' bytes from `skip` on, where there is room for all. */
static int copy_out(const struct pieces *to, u64 skip, const u8 *data, u64 len)
{
    for (u64 i = 0; i < to->nr && len; i++) {
        u64 room = to->iov[i].len - MIN(skip, to->iov[i].len);
        u64 n = MIN(room, len);
        if (n && copy_to_user(to->iov[i].base + skip, data, n) < 0) {
            return -EFAULT;
        }
        skip -= MIN(skip, to->iov[i].len);
        data += n;
        len -= n;
    }
    return 0;
}

/* From as many messages as there is room for beyond `skip`; one with files ends what is read at
 * once. */
static long take_stream(struct socket *s, const struct pieces *to, u64 skip, bool peek,
                        struct received *r, struct list *done)
{
    u64 len = to->len_bytes - skip, got = 0;

    for (LIST_EACH_SAFE(struct message, m, &s->messages, link)) {
        u32 n = (u32)MIN(len - got, m->len - m->at);
        if (got && (n == 0 || m->nr_files)) {
            break;
        }
        if (copy_out(to, skip + got, m->data + m->at, n) < 0) {
            return got ? (long)got : -EFAULT;
        }
        got += n;
        take_files(m, r, peek);
        if (!peek) {
            consume(s, m, n, done);
        }
    }
    return (long)got;
}

static long take_packet(struct socket *s, const struct pieces *to, u32 flags, struct received *r,
                        struct list *done)
{
    struct message *m = LIST_FIRST(&s->messages, struct message, link);
    u32 n = (u32)MIN(to->len_bytes, m->len);

    if (copy_out(to, 0, m->data, n) < 0) {
        return -EFAULT;
    }
    r->flags = n < m->len ? MSG_TRUNC : 0;
    r->from = m->from;
    u32 whole = m->len;
    take_files(m, r, flags & MSG_PEEK);
    if (!(flags & MSG_PEEK)) {
        consume(s, m, m->len, done);
    }
    return flags & MSG_TRUNC ? whole : n;
}

/* -EAGAIN: nothing yet. */
static long try_receive(struct socket *s, const struct pieces *to, u64 skip, u32 flags,
                        struct received *r)
{
    struct list done = LIST_INIT(done);
    bool is_stream = s->type == SOCK_STREAM;
    long result;

    mutex_lock(&sockets_mutex);
    if (!list_empty(&s->messages)) {
        result = is_stream ? take_stream(s, to, skip, flags & MSG_PEEK, r, &done)
                           : take_packet(s, to, flags, r, &done);
        wake_all(&s->changed); /* who waits for room */
        if (s->peer) {
            wake_all(&s->peer->changed);
        }
    } else if (s->shut_in || (s->type != SOCK_DGRAM && s->state == SOCKET_CONNECTED && !s->peer)) {
        result = 0;
    } else if (s->type != SOCK_DGRAM && s->state != SOCKET_CONNECTED) {
        result = is_stream ? -EINVAL : -ENOTCONN;
    } else {
        result = -EAGAIN;
    }
    mutex_unlock(&sockets_mutex);
    free_messages(&done);
    return result;
}

static bool readable(struct socket *s)
{
    mutex_lock(&sockets_mutex);
    bool yes = !list_empty(&s->messages) || s->shut_in ||
               (s->type != SOCK_DGRAM && (!s->peer || s->state != SOCKET_CONNECTED));
    mutex_unlock(&sockets_mutex);
    return yes;
}

long socket_receive(struct socket *s, const struct pieces *to, u32 flags, struct received *r)
{
    bool all = (flags & MSG_WAITALL) && s->type == SOCK_STREAM && !(flags & MSG_PEEK);
    u64 got = 0;

    for (;;) {
        long n = try_receive(s, to, got, flags, r);
        if (n > 0) {
            got += (u64)n;
        }
        if ((n >= 0 && (!all || n == 0 || got == to->len_bytes)) || (n < 0 && n != -EAGAIN)) {
            return got ? (long)got : n;
        }
        if (flags & MSG_DONTWAIT) {
            return got ? (long)got : -EAGAIN;
        }
        if (WAIT(&s->changed, readable(s), WAIT_INTERRUPTIBLE, NEVER) < 0) {
            return got ? (long)got : -ERESTARTSYS;
        }
    }
}

u32 socket_readable(struct socket *s)
{
    mutex_lock(&sockets_mutex);
    struct message *m = LIST_FIRST(&s->messages, struct message, link);
    u32 n = s->type != SOCK_DGRAM ? s->nr_bytes : m ? m->len : 0;
    mutex_unlock(&sockets_mutex);
    return n;
}

/* ---- the file */

#define CHUNK_BYTES (4u * PAGE_BYTES - (u32)sizeof(struct message)) /* whole frames */

static u32 flags_of(const struct file *f)
{
    return f->flags & O_NONBLOCK ? MSG_DONTWAIT : 0;
}

static long socket_read(struct file *f, u64 to, u64 len, u64 *pos)
{
    const struct abi_iovec iov = {to, len};
    const struct pieces pieces = {&iov, 1, len};
    struct received r = {0};

    (void)pos;
    long n = socket_receive(f->data, &pieces, flags_of(f), &r);
    for (u32 i = 0; i < r.nr_files; i++) {
        file_put(r.file[i]); /* read() has no place for them */
    }
    kfree(r.file);
    return n;
}

static long socket_write(struct file *f, u64 from, u64 len, u64 *pos)
{
    struct socket *s = f->data;
    u64 done = 0;
    int error = 0;

    (void)pos;
    if (s->type != SOCK_STREAM && len > SOCKET_BYTES) {
        return -EMSGSIZE;
    }
    do {
        u32 n = (u32)(s->type == SOCK_STREAM ? MIN(len - done, CHUNK_BYTES) : len);
        struct message *m = message_new(n);
        error = !m ? -ENOMEM : copy_from_user(m->data, from + done, n);
        if (!error) {
            error = socket_send(s, m, NULL, NULL, flags_of(f));
        }
        if (error && m) {
            message_free(m);
        }
        done += error ? 0 : n;
    } while (!error && done < len);
    return done ? (long)done : error;
}

static u32 socket_poll(struct file *f, struct poll_table *table)
{
    struct socket *s = f->data;
    u32 events = 0;

    poll_wait(table, &s->changed);
    mutex_lock(&sockets_mutex);
    bool is_stream = s->type != SOCK_DGRAM;
    bool gone = is_stream && s->state == SOCKET_CONNECTED && !s->peer;
    if (!list_empty(&s->messages) || !list_empty(&s->pending) || s->shut_in || gone) {
        events |= POLLIN | POLLRDNORM;
    }
    if (s->shut_in || gone) {
        events |= POLLRDHUP;
    }
    if ((s->shut_in && s->shut_out) || gone || (is_stream && s->state == SOCKET_NEW)) {
        events |= POLLHUP;
    }
    if (s->state != SOCKET_LISTENING && (!s->peer || s->peer->nr_bytes < SOCKET_BYTES)) {
        events |= POLLOUT | POLLWRNORM;
    }
    mutex_unlock(&sockets_mutex);
    return events;
}

static long socket_ioctl(struct file *f, u32 command, u64 argument)
{
    if (command != FIONREAD) {
        return -ENOTTY;
    }
    u32 n = socket_readable(f->data);
    return PUT_USER(argument, n);
}

static void socket_release(struct file *f)
{
    close(f->data);
}

static const struct file_ops socket_ops = {
    .release = socket_release,
    .read = socket_read,
    .write = socket_write,
    .seek = unnamed_seek,
    .ioctl = socket_ioctl,
    .poll = socket_poll,
};

struct socket *socket_of(const struct file *f)
{
    return f->ops == &socket_ops ? f->data : NULL;
}

struct file *socket_file(struct socket *s, u32 flags)
{
    struct inode *inode = inode_unnamed(S_IFSOCK | 0777);
    struct file *f = inode ? file_new(inode, &socket_ops, O_RDWR | flags) : NULL;

    if (f) {
        f->data = s;
    } else {
        if (inode) {
            inode_put(inode);
        }
        close(s);
    }
    return f;
}
