/* Sockets as programs see them: Linux on x86-64, as far as unix domain sockets need it. */
#ifndef GUESTOS_ABI_SOCKET_H
#define GUESTOS_ABI_SOCKET_H

#include "guestos/kernel/types.h"

enum { AF_UNIX = 1 };
enum { SOCK_STREAM = 1, SOCK_DGRAM = 2, SOCK_SEQPACKET = 5, SOCK_TYPES = 15 };
enum { SHUT_RD, SHUT_WR, SHUT_RDWR };

enum {
    MSG_PEEK = 0x02,
    MSG_CTRUNC = 0x08,
    MSG_TRUNC = 0x20,
    MSG_DONTWAIT = 0x40,
    MSG_EOR = 0x80,
    MSG_WAITALL = 0x100,
    MSG_NOSIGNAL = 0x4000,
    MSG_CMSG_CLOEXEC = 0x40000000,
};

enum {
    SOL_SOCKET = 1,
    SO_REUSEADDR = 2,
    SO_TYPE = 3,
    SO_ERROR = 4,
    SO_SNDBUF = 7,
    SO_RCVBUF = 8,
    SO_KEEPALIVE = 9,
    SO_PASSCRED = 16,
    SO_PEERCRED = 17,
    SO_ACCEPTCONN = 30,
    SO_PROTOCOL = 38,
    SO_DOMAIN = 39,
};
enum { SCM_RIGHTS = 1 };

struct sockaddr_un {
    u16 family;
    char path[108]; /* begins with 0: an abstract name, all its bytes count */
};

struct ucred {
    u32 pid, uid, gid;
};

struct abi_iovec {
    u64 base, len;
};

struct msghdr {
    u64 name;
    u32 name_len, pad0;
    u64 iov, nr_iov;
    u64 control, control_len;
    u32 flags, pad1;
};
_Static_assert(sizeof(struct msghdr) == 56, "struct msghdr");

struct cmsghdr {
    u64 len; /* with this header */
    i32 level, type;
};

#endif
