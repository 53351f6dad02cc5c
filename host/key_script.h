/*
 * --keys TEXT: a script of key strokes, typed in virtual time on a US keyboard.
 *
 * The script says when it wants to be run next; the run loop stops the machine exactly there and
 * calls key_script_run(). So what is typed when depends only on the guest, and a run with keys
 * repeats exactly.
 *
 *     text \n \t \e \b \\ \{ {F1} {up} {ctrl-alt-del} {wait:1.5} {screen:login:} {serial:ok}
 */
#ifndef HOST_KEY_SCRIPT_H
#define HOST_KEY_SCRIPT_H

#include "core/types.h"

#define KEY_SCRIPT_ERR_LEN 200

struct key_script;

/* The machine, as a typist sees it. */
struct key_target {
    bool (*ready)(void *h); /* the keyboard takes a key */
    void (*key)(void *h, u16 code, bool down);
    bool (*on_screen)(void *h, const char *text);
    bool (*on_serial)(void *h, const char *text); /* since the last time this was true */
    void *h;
};

/* NULL, with the reason in err, when the text cannot be understood. */
struct key_script *key_script_parse(const char *text, char err[KEY_SCRIPT_ERR_LEN]);
void key_script_free(struct key_script *);

/* Virtual time of the next step; UINT64_MAX when all is typed. */
u64 key_script_next_ns(const struct key_script *);

/* Does what is due at now_ns. */
void key_script_run(struct key_script *, u64 now_ns, const struct key_target *);

#endif
