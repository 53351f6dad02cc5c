/*
 * Monitor commands that steer the run.
 */
#include "host/key_sender.h"
#include "host/monitor_commands.h"
#include "host/screen_dump.h"
#include "host/session.h"
#include "machine/debug.h"
#include "machine/snapshot.h"
#include <inttypes.h>
#include <stdlib.h>

static void do_stop(const struct monitor_call *c)
{
    control_stop(c->ctl, STOPPED_BY_USER);
}
static void do_cont(const struct monitor_call *c)
{
    control_go_on(c->ctl, false);
}
static void do_reset(const struct monitor_call *c)
{
    if (!control_reset(c->ctl))
        fprintf(c->out, "Error: a replay takes no input\n");
}
static void do_nmi(const struct monitor_call *c)
{
    if (!machine_nmi(c->m))
        fprintf(c->out, "Error: a replay takes no input\n");
}
static void do_quit(const struct monitor_call *c)
{
    control_quit(c->ctl);
}

static void do_step(const struct monitor_call *c)
{
    if (!c->ctl->stopped)
        fprintf(c->out, "the guest runs; stop it first\n");
    else
        control_go_on(c->ctl, true);
}

/* "ctrl-alt-f1": names joined by minus signs; the key of the minus sign is "minus". */
static bool take_chord(const struct monitor_call *c, const char *text, u16 *codes, unsigned *nr)
{
    for (*nr = 0; *text; ++*nr) {
        size_t n = strcspn(text, "-");

        if (*nr == KEYS_AT_ONCE) {
            fprintf(c->out, "too many keys\n");
            return false;
        }
        codes[*nr] = key_sender_code(text, n);
        if (!codes[*nr]) {
            fprintf(c->out, "invalid parameter: %.*s\n", (int)n, text);
            return false;
        }
        text += n + (text[n] == '-');
    }
    return *nr > 0;
}

static void do_sendkey(const struct monitor_call *c)
{
    const char *args = c->args;
    char keys[256], hold[16];
    u16 codes[KEYS_AT_ONCE];
    unsigned nr;
    unsigned long ms = KEY_HOLD_MS;

    if (!monitor_word(&args, keys, sizeof(keys))) {
        fprintf(c->out, "sendkey needs keys, such as ctrl-alt-f1\n");
        return;
    }
    if (monitor_word(&args, hold, sizeof(hold)))
        ms = strtoul(hold, NULL, 0);
    if (machine_input(c->m)->replaying)
        fprintf(c->out, "Error: a replay takes no input\n");
    else if (take_chord(c, keys, codes, &nr) &&
        !key_sender_chord(&c->ctl->keys, codes, nr, ms < 60000 ? (u32)ms : 60000))
        fprintf(c->out, "too many keys wait to be pressed\n");
}

static void do_screendump(const struct monitor_call *c)
{
    const char *args = c->args;
    char path[1024], word[16] = "", format[16], err[512];
    bool chosen = false;

    if (!monitor_word(&args, path, sizeof(path))) {
        fprintf(c->out, "screendump needs a file name\n");
        return;
    }
    if (monitor_word(&args, word, sizeof(word)))
        chosen = !strcmp(word, "-f") && monitor_word(&args, format, sizeof(format));
    if (screen_dump(c->m, path, chosen ? format : NULL, err, sizeof(err)))
        fprintf(c->out, "Error: %s\n", err);
}

/* The rest of the line is the name: it may hold blanks. */
static const char *file_name(const struct monitor_call *c)
{
    if (!*c->args)
        fprintf(c->out, "Error: the name of a file is missing\n");
    return *c->args ? c->args : NULL;
}

static void do_savevm(const struct monitor_call *c)
{
    const char *path = file_name(c);
    char err[MACHINE_ERR_LEN];

    if (path && snapshot_save(c->m, path, err))
        fprintf(c->out, "Error: %s\n", err);
}

static void do_loadvm(const struct monitor_call *c)
{
    const char *path = file_name(c);
    char err[MACHINE_ERR_LEN];

    if (!path)
        return;
    if (c->ctl->s->tape)
        fprintf(c->out, "Error: a run that is recorded or replayed cannot leave its past\n");
    else if (snapshot_load(c->m, path, err))
        fprintf(c->out, "Error: %s\n", err);
    else
        control_loaded(c->ctl);
}

const struct monitor_command monitor_run_commands[] = {
    {"stop|s", "", "stop the guest", do_stop},
    {"cont|c", "", "let it go on", do_cont},
    {"step", "", "let it run one instruction", do_step},
    {"system_reset", "", "reset the board", do_reset},
    {"nmi", "", "a non-maskable interrupt", do_nmi},
    {"quit|q", "", "end the run", do_quit},
    {"sendkey", "keys [hold_ms]", "press keys together: ctrl-alt-delete, ret, f1, 0x1e",
     do_sendkey},
    {"screendump", "file [-f format]", "the screen to a file: ppm, .png or .txt", do_screendump},
    {"savevm", "file", "save the machine to a file", do_savevm},
    {"loadvm", "file", "go on from a saved machine", do_loadvm},
    {NULL, NULL, NULL, NULL},
};
