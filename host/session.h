/*
 * A run in the making: the options' files, consoles, display and machine, opened and connected.
 *
 *     struct session s;
 *     if (session_open(&s, &options) == 0)
 *         status = run_loop(&s);
 *     session_close(&s);
 */
#ifndef HOST_SESSION_H
#define HOST_SESSION_H

#include "host/control.h"
#include "host/options.h"
#include "machine/machine.h"

struct console;
struct disk;
struct display;
struct key_script;
struct tape;
struct terminal;
struct twin;

enum { CONSOLE_COM1, CONSOLE_COM2, CONSOLE_DEBUG, NR_CONSOLES };
enum { NO_PORT = 2 };

struct session {
    struct options *o;
    struct machine *m;
    struct disk *disk[MAX_DISKS];
    struct console *console[NR_CONSOLES]; /* DEBUG: NULL unless asked for */
    struct terminal *terminal;            /* NULL: standard input is not the guest's */
    unsigned terminal_port;               /* 0 COM1, 1 COM2, NO_PORT: it shows the screen */
    struct display *display;              /* NULL: none */
    struct key_script *keys;              /* NULL: none */
    struct control control;               /* gdb, monitors, QMP */
    u8 nvram[NVRAM_BYTES];                /* of --nvram, as it was at the start */
    struct tape *tape;                    /* recorder or replay; NULL: none */
    struct twin *twin;                    /* of lock step: the other machine; NULL: none */
    void (*between)(void *h, struct machine *); /* looks on between two slices; NULL: nobody does */
    void *between_h;
    const char *image_name;               /* for the title */
    FILE *log_file;                       /* of -D; NULL: stderr */
    char *bios, *vgabios, *kernel_rom;
};

/* 0, or -1 when something is not to be had, which has been said on stderr. */
int session_open(struct session *, struct options *);
void session_close(struct session *);

#endif
