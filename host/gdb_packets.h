/*
 * The framing of gdb's remote serial protocol: $data#checksum, acknowledgements, escapes, and the
 * interrupt byte. Hostile input is dropped or refused, never believed.
 *
 *     n = gdb_packets_feed(&p, bytes, len, &what);    what came, and how many bytes it took
 *     gdb_reply_text(&out, "OK");                     builds an answer
 */
#ifndef HOST_GDB_PACKETS_H
#define HOST_GDB_PACKETS_H

#include "core/types.h"

enum { GDB_PACKET_MAX = 0x4000 }; /* bytes between $ and #, as told to gdb */

enum gdb_input {
    GDB_NOTHING,   /* all bytes taken, no packet complete */
    GDB_PACKET,    /* p->data, p->len; escapes undone, a 0 behind it */
    GDB_BAD,       /* wrong checksum or too long: ask again */
    GDB_NACK,      /* send the last answer again */
    GDB_INTERRUPT, /* 03h between packets */
};

struct gdb_packets {
    u8 state, sum, escaped, too_long;
    u8 digits[2];
    size_t len;
    char data[GDB_PACKET_MAX + 1];
};

size_t gdb_packets_feed(struct gdb_packets *, const u8 *bytes, size_t len, enum gdb_input *what);

/* An answer in the making. Text that does not fit is cut, which `full` says. */
struct gdb_reply {
    size_t len;
    bool full;
    char data[2 * GDB_PACKET_MAX + 8];
};

void gdb_reply_start(struct gdb_reply *);
void gdb_reply_text(struct gdb_reply *, const char *text);
void gdb_reply_printf(struct gdb_reply *, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
void gdb_reply_hex(struct gdb_reply *, const void *bytes, size_t len);
void gdb_reply_binary(struct gdb_reply *, const void *bytes, size_t len); /* escaped */
/* Adds the checksum: data and len are then what is sent, from '$' on. */
void gdb_reply_finish(struct gdb_reply *);

/* Hexadecimal digits at *text, at least one and at most 16, to a number; moves *text on. */
bool gdb_take_number(const char **text, u64 *value);
/* Takes the character, if it is next. */
bool gdb_take(const char **text, char c);
/* Pairs of digits to bytes: exactly nr of them. */
bool gdb_take_bytes(const char **text, void *bytes, size_t nr);

#endif
