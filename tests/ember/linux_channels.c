/*
 * What pipes, eventfds, epolls and unix domain sockets do at their edges, printed: one line for
 * each call. linux.sh runs it on the host's Linux and in Ember and compares; nothing here knows
 * what is right.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#define SHOW(call) show(__LINE__, #call, (errno = 0, (long)(call)), 1)
#define TRY(call)  show(__LINE__, #call, (errno = 0, (long)(call)), 0) /* values differ */

static char buffer[1 << 17];

static long show(int line, const char *call, long result, int with_value)
{
    if (result < 0) {
        printf("%d %s: %s\n", line, call, strerror(errno));
    } else if (with_value) {
        printf("%d %s: %ld\n", line, call, result);
    } else {
        printf("%d %s: fine\n", line, call);
    }
    return result;
}

static int events(int fd)
{
    struct pollfd p = {fd, POLLIN | POLLOUT | POLLRDHUP, 0};

    return poll(&p, 1, 0) < 0 ? -1 : p.revents;
}

static void pipes(void)
{
    int fd[2];

    SHOW(pipe2(fd, O_NONBLOCK));
    SHOW(fcntl(fd[0], 1032));
    SHOW(events(fd[0]));
    SHOW(events(fd[1]));
    SHOW(read(fd[0], buffer, 1));
    SHOW(write(fd[1], buffer, sizeof buffer)); /* what fits */
    SHOW(write(fd[1], buffer, 1));
    SHOW(events(fd[1]));
    SHOW(read(fd[0], buffer, 4095));
    SHOW(write(fd[1], buffer, 4096)); /* all or nothing */
    SHOW(fcntl(fd[1], 1031, 4096));   /* it holds more */
    SHOW(read(fd[0], buffer, sizeof buffer));
    SHOW(fcntl(fd[1], 1031, 5000));
    SHOW(fcntl(fd[1], 1031, 4096));
    SHOW(write(fd[1], buffer, sizeof buffer));
    SHOW(lseek(fd[0], 0, SEEK_SET));
    SHOW(close(fd[1]));
    SHOW(events(fd[0]));
    SHOW(read(fd[0], buffer, 5000));
    SHOW(read(fd[0], buffer, 1));
    SHOW(events(fd[0]));
    close(fd[0]);
    SHOW(pipe(fd));
    close(fd[0]);
    SHOW(events(fd[1]));
    SHOW(write(fd[1], "x", 1));
    close(fd[1]);
    SHOW(pipe2(fd, 3));
}

static void eventfds(void)
{
    uint64_t v = 5;
    int fd = eventfd(3, EFD_NONBLOCK | EFD_SEMAPHORE);

    SHOW(events(fd));
    SHOW((read(fd, &v, 8), v));
    SHOW(read(fd, &v, 7));
    v = UINT64_MAX;
    SHOW(write(fd, &v, 8));
    v = UINT64_MAX - 3;
    SHOW(write(fd, &v, 8));
    SHOW(events(fd));
    SHOW(write(fd, &v, 8));
    SHOW((read(fd, &v, 8), v));
    close(fd);
    SHOW(eventfd(0, 4));
}

static int wait_for(int e, struct epoll_event *got)
{
    got->events = 0;
    return epoll_wait(e, got, 1, 0);
}

static void epolls(void)
{
    struct epoll_event in = {.events = EPOLLIN, .data.u64 = 7}, got;
    int fd[2], e = epoll_create1(0), outer = epoll_create1(0);

    SHOW(pipe(fd));
    SHOW(epoll_ctl(e, EPOLL_CTL_ADD, fd[0], &in));
    SHOW(epoll_ctl(e, EPOLL_CTL_ADD, fd[0], &in));
    SHOW(epoll_ctl(e, EPOLL_CTL_MOD, fd[1], &in));
    SHOW(epoll_ctl(e, EPOLL_CTL_ADD, e, &in));
    SHOW(epoll_ctl(e, EPOLL_CTL_ADD, open("/", O_RDONLY), &in));
    SHOW(epoll_ctl(fd[0], EPOLL_CTL_ADD, fd[1], &in));
    SHOW(epoll_ctl(outer, EPOLL_CTL_ADD, e, &in));
    SHOW(epoll_ctl(e, EPOLL_CTL_ADD, outer, &in));
    SHOW(wait_for(e, &got));
    SHOW(events(outer));
    SHOW(write(fd[1], "ab", 2));
    SHOW(wait_for(outer, &got));
    SHOW(wait_for(e, &got) + 100 * (int)got.data.u64);
    SHOW(wait_for(e, &got)); /* level */
    in.events = EPOLLIN | EPOLLET;
    SHOW(epoll_ctl(e, EPOLL_CTL_MOD, fd[0], &in));
    SHOW(wait_for(e, &got));
    SHOW(wait_for(e, &got)); /* edge: once */
    SHOW(read(fd[0], buffer, 1));
    SHOW(wait_for(e, &got));
    SHOW(write(fd[1], "c", 1));
    SHOW(wait_for(e, &got));
    in.events = EPOLLIN | EPOLLONESHOT;
    SHOW(epoll_ctl(e, EPOLL_CTL_MOD, fd[0], &in));
    SHOW(wait_for(e, &got));
    SHOW(write(fd[1], "d", 1));
    SHOW(wait_for(e, &got));
    SHOW(epoll_ctl(e, EPOLL_CTL_MOD, fd[0], &in));
    SHOW(close(fd[1]));
    SHOW((wait_for(e, &got), got.events));
    SHOW(close(fd[0]));
    SHOW(epoll_wait(e, &got, 0, 0));
    SHOW(epoll_wait(e, (void *)8, 1, 0));
    close(e);
    close(outer);
}

static socklen_t name(struct sockaddr_un *a, const char *text)
{
    memset(a, 0, sizeof *a);
    a->sun_family = AF_UNIX;
    strcpy(a->sun_path + (*text == '@'), text + (*text == '@'));
    return (socklen_t)(sizeof a->sun_family + strlen(text) + (*text != '@'));
}

static void pairs(int type)
{
    struct iovec out[] = {{"ab", 2}, {"cdef", 4}}, in[] = {{buffer, 2}, {buffer + 100, 3}};
    struct msghdr to = {.msg_iov = out, .msg_iovlen = 2}, from = {.msg_iov = in, .msg_iovlen = 2};
    int s[2];

    SHOW(socketpair(AF_UNIX, type | SOCK_NONBLOCK, 0, s) + type);
    SHOW(read(s[0], buffer, 1));
    SHOW(write(s[0], "hello", 5));
    SHOW(write(s[0], "world", 5));
    SHOW(events(s[1]));
    SHOW(recv(s[1], buffer, 3, MSG_PEEK));
    SHOW(recv(s[1], buffer, 3, MSG_TRUNC));
    SHOW(read(s[1], buffer, 100));
    SHOW(sendmsg(s[0], &to, 0));
    SHOW(recvmsg(s[1], &from, 0));
    SHOW(from.msg_flags);
    SHOW(recvmsg(s[1], &from, 0));
    SHOW(listen(s[0], 1));
    SHOW(shutdown(s[0], 3));
    if (type != SOCK_DGRAM) {
        SHOW(shutdown(s[0], SHUT_WR));
        SHOW(read(s[1], buffer, 1));
        SHOW(events(s[1]));
        SHOW(write(s[0], "x", 1));
        SHOW(write(s[1], "y", 1));
        SHOW(read(s[0], buffer, 9));
    }
    SHOW(close(s[0]));
    SHOW(write(s[1], "x", 1));
    SHOW(read(s[1], buffer, 1));
    close(s[1]);
}

static void servers(const char *path)
{
    struct sockaddr_un a, peer;
    socklen_t len = name(&a, path), peer_len = sizeof peer;
    int s = socket(AF_UNIX, SOCK_STREAM, 0), c = socket(AF_UNIX, SOCK_STREAM, 0);

    unlink(path);
    SHOW(connect(c, (void *)&a, len));
    SHOW(bind(s, (void *)&a, len));
    SHOW(bind(s, (void *)&a, len));
    SHOW(bind(c, (void *)&a, len));
    SHOW(connect(c, (void *)&a, len));
    SHOW(accept(s, NULL, NULL));
    SHOW(listen(s, 1));
    SHOW(connect(c, (void *)&a, len));
    SHOW(connect(c, (void *)&a, len));
    SHOW(events(s));
    SHOW(write(c, "early", 5));
    int d = (int)TRY(accept(s, (void *)&peer, &peer_len));
    SHOW(peer_len);
    SHOW(read(d, buffer, 100));
    peer_len = sizeof peer;
    SHOW(getpeername(c, (void *)&peer, &peer_len));
    SHOW(peer_len);
    SHOW(close(d));
    SHOW(events(c));
    SHOW(read(c, buffer, 1));
    close(s);
    close(c);
    c = socket(AF_UNIX, SOCK_STREAM, 0);
    SHOW(connect(c, (void *)&a, len));
    close(c);
    unlink(path);
}

static void datagrams(void)
{
    struct sockaddr_un a, b, from;
    socklen_t a_len = name(&a, "@ember a"), b_len = name(&b, "@ember b"), len = sizeof from;
    int s = socket(AF_UNIX, SOCK_DGRAM, 0), c = socket(AF_UNIX, SOCK_DGRAM, 0);

    SHOW(send(s, "x", 1, 0));
    SHOW(bind(s, (void *)&a, a_len));
    SHOW(sendto(c, "one", 3, 0, (void *)&a, a_len));
    SHOW(recvfrom(s, buffer, 2, 0, (void *)&from, &len));
    SHOW(len);
    SHOW(bind(c, (void *)&b, b_len));
    SHOW(connect(c, (void *)&a, a_len));
    SHOW(send(c, "two", 3, 0));
    len = sizeof from;
    SHOW(recvfrom(s, buffer, 100, 0, (void *)&from, &len));
    SHOW(len);
    SHOW(sendto(s, "back", 4, 0, (void *)&from, len));
    SHOW(recv(c, buffer, 100, 0));
    close(s);
    SHOW(send(c, "x", 1, 0));
    close(c);
}

int main(void)
{
    setvbuf(stdout, NULL, _IOLBF, 0);
    signal(SIGPIPE, SIG_IGN);
    pipes();
    eventfds();
    epolls();
    pairs(SOCK_STREAM);
    pairs(SOCK_DGRAM);
    pairs(SOCK_SEQPACKET);
    servers("/tmp/ember_socket");
    servers("@ember server");
    datagrams();
    SHOW(socket(AF_UNIX, 9, 0));
    SHOW(socket(99, SOCK_STREAM, 0));
    SHOW(socket(AF_UNIX, SOCK_STREAM, 7));
    SHOW(send(0, "x", 1, 0));
    SHOW(send(99, "x", 1, 0));
    return 0;
}
