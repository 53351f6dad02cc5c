/*
 * Channels over standard input and output, TCP and Unix sockets. See host/channel.h.
 */
#define _GNU_SOURCE /* accept4, posix_openpt */
#include "host/channel.h"
#include "host/stop_signal.h"
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <netdb.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <termios.h>
#include <unistd.h>

enum { OUT_MAX = 8 << 20 }; /* a client that is so far behind does not read */

struct channel {
    int listener;     /* -1: standard input and output */
    int pty;          /* our side of a pseudo-terminal, or -1 */
    int in, out;      /* -1: nobody is there */
    bool stdio, over; /* over: standard input has ended, and nobody comes after it */
    bool gone;        /* the client has left, and that has not been told yet */
    char *unlink_path;
    u8 *pending; /* not yet written */
    size_t nr_pending, cap_pending;
};

/* ---- opening ---- */

static int listen_unix(struct channel *c, const char *path, char *err)
{
    struct sockaddr_un a = {.sun_family = AF_UNIX};
    struct stat st;

    if (strlen(path) >= sizeof(a.sun_path)) {
        snprintf(err, CHANNEL_ERR_LEN, "%s is longer than the %zu bytes of a socket's path", path,
                 sizeof(a.sun_path) - 1);
        return -1;
    }
    strcpy(a.sun_path, path);
    c->listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (lstat(path, &st) == 0 && S_ISSOCK(st.st_mode))
        unlink(path); /* of a run that was killed; a file of another kind is somebody's */
    if (c->listener < 0 || bind(c->listener, (struct sockaddr *)&a, sizeof(a)) ||
        listen(c->listener, 4)) {
        snprintf(err, CHANNEL_ERR_LEN, "cannot make the socket %s: %s", path, strerror(errno));
        return -1;
    }
    c->unlink_path = strdup(path);
    return 0;
}

static int listen_tcp(struct channel *c, const struct channel_options *o, char *err)
{
    struct addrinfo hints = {.ai_family = AF_UNSPEC,
                             .ai_socktype = SOCK_STREAM,
                             .ai_flags = AI_PASSIVE},
                    *list, *a;
    const char *host = o->host ? o->host : "127.0.0.1";
    char port[16];
    int one = 1, e;

    snprintf(port, sizeof(port), "%u", o->port);
    e = getaddrinfo(host, port, &hints, &list);
    if (e) {
        snprintf(err, CHANNEL_ERR_LEN, "%s: %s", host, gai_strerror(e));
        return -1;
    }
    for (a = list; a; a = a->ai_next) {
        c->listener = socket(a->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
        if (c->listener < 0)
            continue;
        setsockopt(c->listener, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
        if (!bind(c->listener, a->ai_addr, a->ai_addrlen) && !listen(c->listener, 4))
            break;
        e = errno;
        close(c->listener);
        c->listener = -1;
        errno = e;
    }
    freeaddrinfo(list);
    if (c->listener < 0) {
        snprintf(err, CHANNEL_ERR_LEN,
                 "cannot listen on port %u of %s: %s; another port may be free", o->port, host,
                 strerror(errno));
        return -1;
    }
    return 0;
}

static int call_unix(struct channel *c, const char *path, char *err)
{
    struct sockaddr_un a = {.sun_family = AF_UNIX};

    if (strlen(path) >= sizeof(a.sun_path)) {
        snprintf(err, CHANNEL_ERR_LEN, "%s is longer than the %zu bytes of a socket's path", path,
                 sizeof(a.sun_path) - 1);
        return -1;
    }
    strcpy(a.sun_path, path);
    c->in = c->out = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (c->in >= 0 && !connect(c->in, (struct sockaddr *)&a, sizeof(a)))
        return fcntl(c->in, F_SETFL, O_NONBLOCK);
    snprintf(err, CHANNEL_ERR_LEN, "nobody listens at %s: %s; add ,server,nowait to listen there",
             path, strerror(errno));
    return -1;
}

static int call_tcp(struct channel *c, const struct channel_options *o, char *err)
{
    struct addrinfo hints = {.ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM}, *list, *a;
    const char *host = o->host ? o->host : "127.0.0.1";
    char port[16];
    int e;

    snprintf(port, sizeof(port), "%u", o->port);
    e = getaddrinfo(host, port, &hints, &list);
    if (e) {
        snprintf(err, CHANNEL_ERR_LEN, "%s: %s", host, gai_strerror(e));
        return -1;
    }
    for (a = list; a && c->in < 0; a = a->ai_next) {
        c->in = socket(a->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
        if (c->in >= 0 && connect(c->in, a->ai_addr, a->ai_addrlen)) {
            e = errno;
            close(c->in);
            c->in = -1;
        }
    }
    freeaddrinfo(list);
    c->out = c->in;
    if (c->in >= 0)
        return fcntl(c->in, F_SETFL, O_NONBLOCK);
    snprintf(err, CHANNEL_ERR_LEN,
             "nobody listens on port %u of %s: %s; add ,server,nowait to listen there", o->port, host,
             strerror(e));
    return -1;
}

/* The other side is opened and closed once: only then does ours tell that nobody is there. */
static int open_pty(struct channel *c, const char *name, char *err)
{
    struct termios mode;
    int other = -1;

    c->pty = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
    if (c->pty >= 0 && !grantpt(c->pty) && !unlockpt(c->pty))
        other = open(ptsname(c->pty), O_RDWR | O_NOCTTY | O_CLOEXEC);
    if (other < 0 || tcgetattr(other, &mode) || fcntl(c->pty, F_SETFL, O_NONBLOCK)) {
        snprintf(err, CHANNEL_ERR_LEN, "cannot make a pseudo-terminal: %s", strerror(errno));
        if (other >= 0)
            close(other);
        return -1;
    }
    cfmakeraw(&mode);
    tcsetattr(other, TCSANOW, &mode);
    close(other);
    fprintf(stderr, "char device redirected to %s (label %s)\n", ptsname(c->pty), name);
    return 0;
}

static void say_port(const struct channel *c, const char *name)
{
    struct sockaddr_storage a;
    socklen_t len = sizeof(a);
    unsigned port = 0;

    if (getsockname(c->listener, (struct sockaddr *)&a, &len))
        return;
    if (a.ss_family == AF_INET)
        port = ntohs(((struct sockaddr_in *)&a)->sin_port);
    if (a.ss_family == AF_INET6)
        port = ntohs(((struct sockaddr_in6 *)&a)->sin6_port);
    fprintf(stderr, "kiln: %s: listening on port %u\n", name, port);
}

struct channel *channel_open(const struct channel_options *o, const char *name,
                             char err[CHANNEL_ERR_LEN])
{
    struct channel *c = calloc(1, sizeof(*c));
    int bad = 0;

    if (!c)
        abort();
    c->listener = c->in = c->out = c->pty = -1;
    switch (o->kind) {
    case CHANNEL_STDIO: c->stdio = true; break;
    case CHANNEL_UNIX: bad = o->calls ? call_unix(c, o->path, err) : listen_unix(c, o->path, err); break;
    case CHANNEL_TCP: bad = o->calls ? call_tcp(c, o, err) : listen_tcp(c, o, err); break;
    case CHANNEL_PTY: bad = open_pty(c, name, err); break;
    case CHANNEL_NONE: break;
    }
    if (bad) {
        channel_close(c);
        return NULL;
    }
    if (o->kind == CHANNEL_TCP && o->port == 0 && !o->calls)
        say_port(c, name);
    if (o->wait && c->listener >= 0) {
        struct pollfd p = {.fd = c->listener, .events = POLLIN};

        fprintf(stderr, "kiln: %s: waiting for a connection\n", name);
        while (poll(&p, 1, -1) < 0 && errno == EINTR && !stop_signal_pending())
            ;
    }
    return c;
}

/* ---- the client ---- */

static void hang_up(struct channel *c)
{
    if (!c->stdio && c->in >= 0 && c->in != c->pty)
        close(c->in);
    c->in = c->out = -1;
    c->nr_pending = 0;
    c->gone = true;
    c->over = c->stdio;
}

static void flush(struct channel *);

/* Whoever has said all may still want to hear the answers. */
static void flush_patiently(struct channel *c)
{
    for (int patience = 20; c->nr_pending && c->out >= 0 && patience; patience--) {
        poll(&(struct pollfd){.fd = c->out, .events = POLLOUT}, 1, 50);
        flush(c);
    }
}

static bool let_in(struct channel *c)
{
    int one = 1;

    if (c->stdio) {
        if (c->over)
            return false;
        c->in = STDIN_FILENO;
        c->out = STDOUT_FILENO;
        return true;
    }
    if (c->pty >= 0) {
        struct pollfd p = {.fd = c->pty, .events = POLLIN};

        if (poll(&p, 1, 0) > 0 && (p.revents & POLLHUP))
            return false;
        c->in = c->out = c->pty;
        return true;
    }
    if (c->listener < 0)
        return false;
    c->in = c->out = accept4(c->listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
    if (c->in < 0)
        return false;
    setsockopt(c->in, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one)); /* fails on Unix sockets */
    return true;
}

static bool ready(int fd, short events)
{
    struct pollfd p = {.fd = fd, .events = events};

    return poll(&p, 1, 0) > 0;
}

static void flush(struct channel *c)
{
    size_t done = 0;

    while (done < c->nr_pending && c->out >= 0 && ready(c->out, POLLOUT)) {
        size_t most = c->stdio ? PIPE_BUF : c->nr_pending; /* it blocks beyond what is ready */
        size_t left = c->nr_pending - done;
        ssize_t n = write(c->out, c->pending + done, left < most ? left : most);

        if (n > 0) {
            done += (size_t)n;
        } else if (n < 0 && errno != EINTR && errno != EAGAIN) {
            hang_up(c);
            return;
        }
    }
    memmove(c->pending, c->pending + done, c->nr_pending - done);
    c->nr_pending -= done;
}

enum channel_event channel_poll(struct channel *c)
{
    if (c->in < 0 && c->gone) {
        c->gone = false;
        return CHANNEL_CLOSED;
    }
    if (c->in < 0)
        return let_in(c) ? CHANNEL_OPENED : CHANNEL_QUIET;
    if (c->nr_pending)
        flush(c);
    return CHANNEL_QUIET;
}

bool channel_connected(const struct channel *c)
{
    return c->in >= 0;
}

bool channel_is_stdio(const struct channel *c)
{
    return c->stdio;
}

size_t channel_pending(const struct channel *c)
{
    return c->nr_pending;
}

size_t channel_read(struct channel *c, void *buf, size_t cap)
{
    ssize_t n;

    if (c->in < 0 || !ready(c->in, POLLIN))
        return 0;
    n = read(c->in, buf, cap);
    if (n > 0)
        return (size_t)n;
    if (n == 0)
        flush_patiently(c);
    if (n == 0 || (errno != EINTR && errno != EAGAIN))
        hang_up(c);
    return 0;
}

void channel_write(struct channel *c, const void *buf, size_t len)
{
    if (c->out < 0 || !len)
        return;
    if (c->nr_pending + len > c->cap_pending) {
        size_t cap = 2 * (c->nr_pending + len);
        u8 *more = realloc(c->pending, cap);

        if (!more || cap > 2 * OUT_MAX) {
            if (more)
                c->pending = more;
            hang_up(c);
            return;
        }
        c->pending = more;
        c->cap_pending = cap;
    }
    memcpy(c->pending + c->nr_pending, buf, len);
    c->nr_pending += len;
    flush(c);
}

bool channel_pollfd(const struct channel *c, struct pollfd *p)
{
    *p = (struct pollfd){.fd = c->in >= 0 ? c->in : c->listener, .events = POLLIN};
    if (c->in >= 0 && c->nr_pending)
        p->events |= POLLOUT;
    return p->fd >= 0;
}

void channel_close(struct channel *c)
{
    if (!c)
        return;
    flush_patiently(c);
    hang_up(c);
    if (c->pty >= 0)
        close(c->pty);
    if (c->listener >= 0)
        close(c->listener);
    if (c->unlink_path)
        unlink(c->unlink_path);
    free(c->unlink_path);
    free(c->pending);
    free(c);
}
