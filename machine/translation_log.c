/*
 * -d out_asm, and names for perf and gdb. The translator tells of each translation as it is made
 * (cpu/translated.h); nothing here makes the engine do anything else than without it.
 *
 * The form follows QEMU's out_asm: "OUT:", then lines "-- guest addr" between the host's instructions.
 * perf looks for /tmp/perf-PID.map: address and size in hexadecimal, and a name, on each line
 * (tools/perf/Documentation/jit-interface.txt in Linux' sources).
 */
#define _GNU_SOURCE
#include "machine/translation_log.h"
#include "jit/gdb_jit.h"
#include "machine/debug_log.h"
#include "machine/event_words.h"
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

enum { CALL_REL32 = 0xe8, CALL_LEN = 5, SITE_LEN = 4, MAX_THUNKS = 32 };

struct translation_log {
    struct log *log;
    struct disasm *disasm;
    const struct symbols *symbols;
    FILE *perf_map; /* NULL: not asked for, or it could not be written any more */
    char perf_path[32];
    struct gdb_jit *gdb; /* NULL: not asked for */
    struct thunk {
        u64 runs_at;
        const char *name;
        bool takes_site;
    } thunks[MAX_THUNKS];
    unsigned nr_thunks;
};

/* Not through a link that somebody has put there: /tmp is everybody's. */
static bool open_perf_map(struct translation_log *l, char *err)
{
    int fd;

    snprintf(l->perf_path, sizeof(l->perf_path), "/tmp/perf-%d.map", (int)getpid());
    fd = open(l->perf_path, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0644);
    l->perf_map = fd < 0 ? NULL : fdopen(fd, "w");
    if (l->perf_map)
        return true;
    snprintf(err, MACHINE_ERR_LEN, "perf=on: cannot write %s: %s; run it without perf=on", l->perf_path, strerror(errno));
    if (fd >= 0)
        close(fd);
    return false;
}

struct translation_log *translation_log_create(struct log *log, struct disasm *disasm, const struct symbols *symbols,
                                               const struct engine_options *names, char err[MACHINE_ERR_LEN])
{
    struct translation_log *l = calloc(1, sizeof(*l));

    if (!l) {
        snprintf(err, MACHINE_ERR_LEN, "the host has no memory for a list of translations");
        return NULL;
    }
    *l = (struct translation_log){.log = log, .disasm = disasm, .symbols = symbols};
    if (names->gdb_names && !(l->gdb = gdb_jit_create()))
        snprintf(err, MACHINE_ERR_LEN, "the host has no memory for gdb's names");
    else if (!names->perf_map || open_perf_map(l, err))
        return l;
    gdb_jit_destroy(l->gdb);
    free(l);
    return NULL;
}

void translation_log_destroy(struct translation_log *l)
{
    if (!l)
        return;
    if (l->perf_map && fclose(l->perf_map))
        fprintf(stderr, "kiln: cannot write %s: %s\n", l->perf_path, strerror(errno));
    gdb_jit_destroy(l->gdb);
    free(l);
}

/* "main+0x12" behind `before`, or nothing. */
static void put_symbol(FILE *f, const struct translation_log *l, const char *before, u64 lin)
{
    u64 offset;
    const char *name = symbols_at(l->symbols, lin, &offset);

    if (!name)
        return;
    fprintf(f, "%s%s", before, name);
    if (offset)
        fprintf(f, "+0x%" PRIx64, offset);
}

/* ---- out_asm ---- */

static const struct thunk *thunk_at(const struct translation_log *l, u64 address)
{
    for (unsigned i = 0; i < l->nr_thunks; i++)
        if (l->thunks[i].runs_at == address)
            return &l->thunks[i];
    return NULL;
}

/* The host code from offset `from` to `to`. */
static void put_host(const struct translation_log *l, const struct translated *t, u32 from, u32 to)
{
    FILE *f = l->log->out;

    while (from < to) {
        const u8 *p = t->host + from;
        u64 address = t->runs_at + from;
        struct disasm_insn in = disasm_at(l->disasm, p, to - from, 64, address);
        const struct thunk *thunk = in.is_branch ? thunk_at(l, in.target) : NULL;
        char text[DISASM_TEXT_LEN + 64];

        snprintf(text, sizeof(text), "%s%s%s%s", in.text, thunk ? "  <" : "", thunk ? thunk->name : "", thunk ? ">" : "");
        debug_log_insn(f, address, p, in.len ? in.len : 1, text);
        from += in.len ? in.len : 1;
        if (thunk && thunk->takes_site && in.len == CALL_LEN && *p == CALL_REL32 && to - from >= SITE_LEN) {
            snprintf(text, sizeof(text), ".long %" PRIu64, load_le(p + CALL_LEN, SITE_LEN));
            debug_log_insn(f, address + CALL_LEN, p + CALL_LEN, SITE_LEN, text);
            from += SITE_LEN;
        }
    }
}

static void put_guest(const struct translation_log *l, const struct translated *t, const struct translated_part *p)
{
    struct disasm_insn in = disasm_at(l->disasm, t->guest + p->guest_off, p->guest_len, 8 * code_size(t->mode),
                                      t->rip + p->guest_off);

    fprintf(l->log->out, "  -- guest addr 0x%08" PRIx64 ": ", t->lin + p->guest_off);
    for (unsigned i = 0; i < p->guest_len; i++)
        fprintf(l->log->out, " %02x", t->guest[p->guest_off + i]);
    fprintf(l->log->out, "  %s\n", in.text);
}

static void put_block(const struct translation_log *l, const struct translated *t)
{
    FILE *f = l->log->out;

    for (u32 i = 0; i < t->nr_parts; i++) {
        const struct translated_part *p = &t->part[i];
        u32 end = i + 1 < t->nr_parts ? p[1].at : t->host_bytes;

        if (!p->what)
            put_guest(l, t, p);
        else if (i)
            fprintf(f, "  -- stub of 0x%08" PRIx64 ": %s\n", t->lin + p->guest_off, p->what);
        else
            fprintf(f, "  -- %s\n", p->what);
        put_host(l, t, p->at, end);
    }
}

static void put_out_asm(const struct translation_log *l, const struct translated *t)
{
    FILE *f = l->log->out;

    fprintf(f, "----------------\nOUT:");
    if (t->kind == TRANSLATED_THUNK) {
        fprintf(f, " thunk: %s [size=%u]\n", t->name, t->host_bytes);
        put_host(l, t, 0, t->host_bytes);
    } else {
        put_symbol(f, l, " ", t->lin);
        fprintf(f, " [size=%u]\n  %s 0x%08" PRIx64 ", rip 0x%" PRIx64 ", mode %s %08x, flags: %s\n", t->host_bytes,
                t->kind == TRANSLATED_LINK ? "link to" : "block at", t->lin, t->rip, mode_name(t->mode), t->mode, t->flags);
        if (t->kind == TRANSLATED_LINK)
            put_host(l, t, 0, t->host_bytes);
        else
            put_block(l, t);
    }
    fputc('\n', f);
}

/* ---- perf and gdb ---- */

/* "kiln:main+0x12", "kiln:thunk slow". */
static void name_of(const struct translation_log *l, const struct translated *t, char name[256])
{
    u64 offset;
    const char *symbol = t->kind == TRANSLATED_THUNK ? NULL : symbols_at(l->symbols, t->lin, &offset);
    int n;

    if (t->kind == TRANSLATED_THUNK)
        n = snprintf(name, 240, "kiln:thunk %s", t->name);
    else if (!symbol)
        n = snprintf(name, 240, "kiln:%" PRIx64, t->rip);
    else
        n = snprintf(name, 240, offset ? "kiln:%s+0x%" PRIx64 : "kiln:%s", symbol, offset);
    if (t->kind == TRANSLATED_LINK)
        strcpy(name + (n < 240 ? n : 239), " (link)");
}

static void put_names(struct translation_log *l, const struct translated *t)
{
    char name[256];

    name_of(l, t, name);
    if (l->perf_map)
        fprintf(l->perf_map, "%" PRIx64 " %x %s\n", t->runs_at, t->host_bytes, name);
    if (l->gdb)
        gdb_jit_add(l->gdb, t->runs_at, t->host_bytes, name);
}

void translation_log_told(void *h, struct cpu *c, const struct translated *t)
{
    struct translation_log *l = h;

    (void)c;
    if (t->kind == TRANSLATED_THUNK && l->nr_thunks < MAX_THUNKS)
        l->thunks[l->nr_thunks++] = (struct thunk){t->runs_at, t->name, t->takes_site};
    if (l->perf_map || l->gdb)
        put_names(l, t);
    if (log_on(l->log, LOG_OUT_ASM) && (t->kind == TRANSLATED_THUNK ? !l->log->nr_ranges : log_covers(l->log, t->lin)))
        put_out_asm(l, t);
}
