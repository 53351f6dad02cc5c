/*
 * Unix domain sockets: unix(7). socket.c is what they do, sys_socket.c the system calls.
 *
 * One mutex, sockets_mutex, guards all sockets: what connects two of them belongs to both.
 */
#ifndef GUESTOS_FS_SOCKET_H
#define GUESTOS_FS_SOCKET_H

#include "guestos/abi/socket.h"
#include "guestos/fs/vfs.h"

#define SOCKET_BYTES     0x30000u /* that wait to be read; one message more may be begun */
#define SOCKET_MAX_FILES 253u     /* in one message: Linux' SCM_MAX_FD */

struct socket_address {
    u32 len; /* of what is in un; 0: no name */
    struct sockaddr_un un;
};

/* What was sent at once; of a stream it may be read in parts. */
struct message {
    struct list link;
    u32 len, at; /* bytes, and how many of them have been read */
    u32 nr_files;
    struct file **file; /* held */
    struct socket_address from;
    u8 data[];
};

enum socket_state { SOCKET_NEW, SOCKET_LISTENING, SOCKET_CONNECTED, SOCKET_CLOSED };

struct socket {
    u32 refs; /* its file, and its peers */
    u32 type;
    enum socket_state state;
    struct socket_address address;
    struct inode *inode;    /* held: where its name is, if that is a path */
    struct list bound_link; /* sockets with names */
    struct socket *peer;    /* held; whom it is connected to. NULL: nobody, or it has gone */
    struct list messages;   /* for us to read */
    u32 nr_bytes;           /* in them */
    struct list pending;    /* of a listener: sockets that are connected, not accepted yet */
    struct list pending_link;
    u32 nr_pending, backlog;
    bool shut_in, shut_out;
    struct ucred owner, peer_owner;
    struct wait_queue changed;
};

extern struct mutex sockets_mutex;

struct socket *socket_of(const struct file *); /* NULL: no socket */
struct socket *socket_new(u32 type);           /* NULL: no memory */
/* A file for it; takes over the reference, also if that fails: NULL. */
struct file *socket_file(struct socket *, u32 flags);

void socket_join(struct socket *a, struct socket *b); /* connected to each other; mutex held */
int socket_bind(struct socket *, const struct socket_address *, struct inode *);
int socket_listen(struct socket *, u32 backlog);
/* to: of a listener, or of a datagram socket; inode: where its path leads, or NULL. */
int socket_connect(struct socket *, const struct socket_address *to, struct inode *,
                   bool nonblocking);
int socket_accept(struct socket *, bool nonblocking, struct socket **accepted);
void socket_shut(struct socket *, bool in, bool out);

struct message *message_new(u32 len_bytes); /* NULL: no memory */
void message_free(struct message *);
/* Takes the message over if it gives 0. to: for datagrams; NULL: the one it is connected to. */
int socket_send(struct socket *, struct message *, const struct socket_address *to, struct inode *,
                u32 flags);

/* Pieces of user memory, filled one after the other. */
struct pieces {
    const struct abi_iovec *iov;
    u64 nr, len_bytes; /* of all together */
};

/* What comes with the bytes that are read. */
struct received {
    u32 flags;    /* MSG_TRUNC */
    u32 nr_files; /* held; kfree(file) */
    struct file **file;
    struct socket_address from;
};
long socket_receive(struct socket *, const struct pieces *to, u32 flags, struct received *);
u32 socket_readable(struct socket *); /* bytes */

#endif
