/*
 * Keys by QEMU's names, as sendkey and QMP's send-key take them: "ctrl-alt-f1", "ret", "0x1e".
 */
#ifndef HOST_KEY_SENDER_H
#define HOST_KEY_SENDER_H

#include "core/types.h"

struct machine;

enum { KEYS_AT_ONCE = 16, KEYS_WAITING = 1024, KEY_HOLD_MS = 100 };

/* What is still to be pressed and released, in order. */
struct key_sender {
    struct {
        u16 code;
        bool down;
        u32 wait_ms; /* virtual, after the one before */
    } queue[KEYS_WAITING];
    unsigned head, len;
    u64 ready_ns;
};

/* The set-1 code of a name of this length; 0: there is no such key. */
u16 key_sender_code(const char *name, size_t len);

/* Queues a chord: down in order, up in reverse after the hold. false: too many wait already. */
bool key_sender_chord(struct key_sender *, const u16 *codes, unsigned nr, u32 hold_ms);

/* Between slices: does what is due. */
void key_sender_poll(struct key_sender *, struct machine *);

/* Virtual time of the next stroke; UINT64_MAX when none waits. A key that is released late
 * repeats, so the run loop stops the machine there. */
u64 key_sender_next_ns(const struct key_sender *);

#endif
