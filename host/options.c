/*
 * The command line's parser: verbs, the walk over the arguments, the rules that need all options
 * at once. What single options mean is in option_drives.c, option_machine.c and
 * option_session.c; the list of them in option_table.c.
 */
#include "host/option_parser.h"
#include "host/option_text.h"
#include <stdarg.h>
#include <stdlib.h>

bool option_fail(struct option_parser *p, const char *format, ...)
{
    va_list ap;
    va_start(ap, format);
    fprintf(p->err, "kiln: %s: ", p->name);
    vfprintf(p->err, format, ap);
    fputc('\n', p->err);
    va_end(ap);
    return false;
}

bool option_note(struct option_parser *p, const char *format, ...)
{
    va_list ap;
    va_start(ap, format);
    fprintf(p->err, "kiln: %s: ", p->name);
    vfprintf(p->err, format, ap);
    fputc('\n', p->err);
    va_end(ap);
    return true;
}

char *option_keep(struct option_parser *p, const char *text)
{
    struct options *o = p->o;
    char **owned = realloc(o->owned, (o->nr_owned + 1) * sizeof(*owned));
    char *copy = strdup(text);
    if (!owned || !copy)
        abort();
    o->owned = owned;
    return owned[o->nr_owned++] = copy;
}

const char *option_nearest(const char *word, const char *const *words, unsigned nr)
{
    const char *best = NULL;
    unsigned best_distance = strlen(word) < 5 ? 2 : 3; /* farther is no misspelling */
    for (unsigned i = 0; i < nr; i++) {
        unsigned d = option_edit_distance(word, words[i]);
        if (d < best_distance || (d == best_distance && !best)) {
            best = words[i];
            best_distance = d;
        }
    }
    return best;
}

/* Whether name is among the blank-separated names of a row. */
static bool row_has_name(const struct option_row *row, const char *name)
{
    size_t len = strlen(name);
    for (const char *p = row->names; *p;) {
        size_t n = strcspn(p, " ");
        if (n == len && !memcmp(p, name, n))
            return true;
        p += n + (p[n] == ' ');
    }
    return false;
}

static const struct option_row *find_row(const char *name)
{
    for (unsigned i = 0; i < nr_option_rows; i++)
        if (row_has_name(&option_table[i], name))
            return &option_table[i];
    return NULL;
}

static bool unknown_option(struct option_parser *p, const char *name)
{
    enum { MAX_NAMES = 256 };
    const char *names[MAX_NAMES];
    char storage[4096];
    size_t used = 0;
    unsigned nr = 0;
    for (unsigned i = 0; i < nr_option_rows; i++) {
        for (const char *s = option_table[i].names; *s && nr < MAX_NAMES;) {
            size_t n = strcspn(s, " ");
            if (used + n + 1 > sizeof(storage))
                break;
            memcpy(storage + used, s, n);
            storage[used + n] = 0;
            names[nr++] = storage + used;
            used += n + 1;
            s += n + (s[n] == ' ');
        }
    }
    const char *near = option_nearest(name, names, nr);
    const char *dashes = near && strlen(near) > 2 && p->name[1] == '-' ? "--" : "-";
    if (near)
        return option_fail(p, "unknown option; did you mean %s%s?", dashes, near);
    return option_fail(p, "unknown option; kiln --help lists them");
}

static bool parse_one(struct option_parser *p, int argc, char **argv, int *i)
{
    char *word = argv[(*i)++];
    p->name = word;
    if (word[0] != '-' || !word[1]) {
        if ((p->o->verb != VERB_REPLAY && p->o->verb != VERB_LOCKSTEP) || p->o->replay)
            return opt_image(p, word);
        p->o->replay = option_keep(p, word);
        return true;
    }
    const char *name = word + 1 + (word[1] == '-');
    const struct option_row *row = find_row(name);
    const char *arg = NULL;
    char *eq = strchr(word, '=');
    if (!row && eq && word[1] == '-') { /* --name=value, as other programs have it */
        *eq = 0;
        row = find_row(name);
        if (!row) {
            bool r = unknown_option(p, name);
            *eq = '=';
            return r;
        }
        if (!row->arg)
            return option_fail(p, "takes no argument");
        arg = eq + 1;
    }
    if (!row)
        return unknown_option(p, name);
    if (row->arg && !arg) {
        if (*i >= argc)
            return option_fail(p, "needs an argument: %s", row->arg);
        arg = argv[(*i)++];
    }
    return row->set(p, row, arg);
}

/* Verbs that DESIGN names and that are not there yet say so. */
static bool parse_verb(struct option_parser *p, int argc, char **argv, int *i)
{
    static const struct {
        const char *name, *missing;
        enum verb verb;
    } verbs[] = {
        {"run", NULL, VERB_RUN},
        {"trace", NULL, VERB_TRACE},
        {"replay", NULL, VERB_REPLAY},
        {"bench", NULL, VERB_BENCH},
        {"lockstep", NULL, VERB_LOCKSTEP},
        {"debug", "kiln's own debugger is not there yet; -s -S lets gdb in, -monitor stdio has a monitor",
         0},
        {"img", "image tools are not there yet; qemu-img and dd make and convert images", 0},
    };
    if (*i >= argc)
        return true;
    for (unsigned v = 0; v < ARRAY_LEN(verbs); v++) {
        if (strcmp(argv[*i], verbs[v].name))
            continue;
        p->name = argv[(*i)++];
        if (verbs[v].missing)
            return option_fail(p, "%s", verbs[v].missing);
        p->o->verb = verbs[v].verb;
        return true;
    }
    return true;
}

static bool claim_stdout(struct option_parser *p, const char **user, const char *claim,
                         const char *instead)
{
    if (*user) {
        fprintf(p->err,
                "kiln: %s and %s both want stdout, where their bytes would mix; "
                "send one to a file, such as %s\n",
                *user, claim, instead);
        return false;
    }
    *user = claim;
    return true;
}

/* What lock step needs. Both machines must see the images as they are now. */
static bool check_lockstep(struct option_parser *p)
{
    struct options *o = p->o;
    bool told = false;
    p->name = "lockstep";
    if (o->verb == VERB_LOCKSTEP) {
        if (!o->replay)
            return option_fail(p, "needs the FOLDER of a reproducer, which -accel lockstep has written");
        const char *odd = o->record ? "--record" : o->keys ? "--keys" : o->loadvm ? "-loadvm" : NULL;
        if (odd)
            return option_fail(p, "all input comes from the reproducer; leave out %s", odd);
    }
    p->name = "-accel";
    if (o->lockstep.on && o->verb == VERB_TRACE)
        return option_fail(p, "lock step and kiln trace do not go together; trace one engine, then the other");
    for (unsigned i = 0; i < MAX_DISKS && o->lockstep.on; i++) {
        struct drive_options *d = &o->drive[i];
        if (d->file && !d->snapshot && !d->readonly && !told && o->verb == VERB_RUN)
            told = option_note(p, "in lock step writes to disks stay in memory, as with -snapshot");
        d->snapshot |= d->file != NULL;
    }
    return true;
}

/* What a recording needs, and what makes no sense beside a replay. */
static bool check_recording(struct option_parser *p)
{
    struct options *o = p->o;
    bool told = false;
    p->name = "replay";
    if (o->verb == VERB_REPLAY) {
        if (!o->replay)
            return option_fail(p, "needs the FILE that --record has written");
        const char *odd = o->record ? "--record" : o->keys ? "--keys" : o->nvram ? "--nvram"
                          : o->loadvm ? "-loadvm" : NULL;
        if (odd)
            return option_fail(p, "all input comes from the recording; leave out %s", odd);
    }
    if (o->partial && o->verb != VERB_REPLAY) {
        p->name = "--partial";
        return option_fail(p, "belongs to kiln replay");
    }
    for (unsigned i = 0; i < MAX_DISKS; i++) {
        struct drive_options *d = &o->drive[i];
        if (!d->file || (!o->record && o->verb != VERB_REPLAY))
            continue;
        if (o->record && !d->snapshot && !d->readonly && !told) {
            p->name = "--record";
            told = option_note(p, "writes to disks stay in memory, as with -snapshot, so that a "
                                  "replay finds what this run begins with");
        }
        d->snapshot = true;
    }
    return true;
}

/* A benchmark of a disk ends at a condition, which the benchmark's own guest has no use for. */
static bool check_bench(struct option_parser *p)
{
    const struct options *o = p->o;
    bool ends = o->nr_until || o->until_port >= 0 || o->max_insns != UINT64_MAX;
    if (o->verb != VERB_BENCH)
        return true;
    p->name = "bench";
    if (options_bench_disk(o) && !ends)
        return option_fail(p, "of a disk it wants to know where to stop, such as --until serial:TEXT");
    if (ends && !options_bench_disk(o))
        return option_fail(p, "--until and --max-insns want a disk to run, such as kiln bench DISK.img --until ..");
    if (o->bench.check && options_bench_disk(o))
        return option_fail(p, "--check is for the benchmark's own guest; --runs 1 compares a disk's states, too");
    if (o->bench.check && o->bench.html)
        return option_fail(p, "--check takes no times, so that there is nothing to draw for --html");
    return true;
}

static void check_log(struct option_parser *p)
{
    const struct options *o = p->o;

    if (!(o->log_mask & LOG_OUT_ASM))
        return;
    p->name = "-d";
    if (!strcmp(o->engine, "interp"))
        option_note(p, "out_asm: interp makes no host code; try -accel jit");
    else if (o->log_mask & (LOG_EXEC | LOG_CPU | LOG_PCALL | LOG_MMU))
        option_note(p, "out_asm: exec, cpu, pcall and mmu have each instruction interpreted, so nothing is translated");
}

/* The rules that need all options: defaults by verb, and who writes to stdout. */
static bool finish(struct option_parser *p)
{
    struct options *o = p->o;
    if (o->nographic) {
        o->display = DISPLAY_NONE;
        options_use_terminal(o);
    }
    if (o->display == DISPLAY_UNSET)
        o->display = o->verb == VERB_RUN ? DISPLAY_DEFAULT : DISPLAY_NONE;
    check_log(p);
    if (!option_resolve_drives(p) || !check_recording(p) || !check_bench(p) || !check_lockstep(p))
        return false;
    if (o->screenshot_at_s >= 0 && !o->screenshot) {
        p->name = "--screenshot-at";
        return option_fail(p, "needs --screenshot FILE.png");
    }
    if ((o->append || o->initrd) && !o->kernel) {
        p->name = o->append ? "-append" : "-initrd";
        return option_fail(p, "needs -kernel FILE");
    }
    const char *user = NULL;
    if (o->display == DISPLAY_CURSES)
        claim_stdout(p, &user, "-display curses", "");
    static const char *const serial_names[] = {"the first -serial", "the second -serial"};
    for (unsigned i = 0; i < 2; i++)
        if (o->serial[i].kind == CHAR_STDIO &&
            !claim_stdout(p, &user, serial_names[i], "-serial file:FILE"))
            return false;
    if (o->debugcon.kind == CHAR_STDIO &&
        !claim_stdout(p, &user, "-debugcon stdio", "-debugcon file:FILE"))
        return false;
    if (o->gdb.kind == CHANNEL_STDIO &&
        !claim_stdout(p, &user, "-gdb stdio", "gdb to -gdb tcp::1234 or the serial port to a file"))
        return false;
    for (unsigned i = 0; i < OPTIONS_MONITORS; i++) {
        if (i < o->nr_monitors && o->monitor[i].kind == CHANNEL_STDIO &&
            !claim_stdout(p, &user, "-monitor stdio", "-monitor unix:FILE,server,nowait"))
            return false;
        if (i < o->nr_qmp && o->qmp[i].kind == CHANNEL_STDIO &&
            !claim_stdout(p, &user, "-qmp stdio", "-qmp unix:FILE,server,nowait"))
            return false;
    }
    if (o->verb == VERB_TRACE && !o->trace.output &&
        !claim_stdout(p, &user, "the trace", "-o FILE for the trace"))
        return false;
    if (o->verb == VERB_BENCH && !claim_stdout(p, &user, "the benchmark's table", "-serial file:FILE"))
        return false;
    return true;
}

bool options_bench_disk(const struct options *o)
{
    for (unsigned i = 0; i < MAX_DISKS; i++)
        if (o->drive[i].file)
            return true;
    return o->kernel;
}

const char *options_stdout_user(const struct options *o)
{
    if (o->display == DISPLAY_CURSES)
        return "-display curses";
    if (o->serial[0].kind == CHAR_STDIO || o->serial[1].kind == CHAR_STDIO)
        return "-serial stdio";
    if (o->debugcon.kind == CHAR_STDIO)
        return "-debugcon stdio";
    if (o->gdb.kind == CHANNEL_STDIO)
        return "-gdb stdio";
    for (unsigned i = 0; i < OPTIONS_MONITORS; i++)
        if (o->monitor[i].kind == CHANNEL_STDIO || o->qmp[i].kind == CHANNEL_STDIO)
            return i < o->nr_monitors && o->monitor[i].kind == CHANNEL_STDIO ? "-monitor stdio"
                                                                             : "-qmp stdio";
    if (o->verb == VERB_TRACE && !o->trace.output)
        return "the trace";
    if (o->verb == VERB_BENCH)
        return "the benchmark's table";
    return NULL;
}

void options_use_terminal(struct options *o)
{
    if (o->serial[0].kind != CHAR_UNSET || options_stdout_user(o))
        return;
    o->serial[0].kind = CHAR_STDIO;
    o->serial[0].escape = true;
}

/* The words as they came, with blanks between them: for reports, not for a shell. */
static char *command_line(struct option_parser *p, int argc, char **argv)
{
    size_t len = 1;
    char *text, *kept;
    for (int i = 1; i < argc; i++)
        len += strlen(argv[i]) + 1;
    text = calloc(1, len + sizeof("kiln"));
    if (!text)
        abort();
    strcpy(text, "kiln");
    for (int i = 1; i < argc; i++)
        strcat(strcat(text, " "), argv[i]);
    kept = option_keep(p, text);
    free(text);
    return kept;
}

enum options_result options_parse(struct options *o, int argc, char **argv, FILE *out, FILE *err)
{
    *o = (struct options){
        .max_insns = UINT64_MAX, .until_port = -1, .screenshot_at_s = -1, .verb = VERB_RUN,
        .processor = processor_default(),
        .bench = {.runs = 3, .ms = 100},
        .engine = "jit",
        .lockstep = {.blocks = LOCKSTEP_BLOCKS, .every = LOCKSTEP_EVERY, .hash = true}};
    struct option_parser p = {.o = o, .out = out, .err = err, .name = "kiln"};
    int i = 1;
    if (argc < 2) {
        fprintf(err, "kiln: no disk image given\n"
                     "usage: kiln DISK.img [options], such as -m 512 -serial stdio; "
                     "kiln --help lists them\n");
        return OPTIONS_BAD;
    }
    const char *accel = getenv("KILN_ACCEL");
    if (accel) {
        p.name = "KILN_ACCEL";
        if (!opt_accel(&p, NULL, accel))
            return OPTIONS_BAD;
    }
    if (!parse_verb(&p, argc, argv, &i))
        return OPTIONS_BAD;
    o->command = command_line(&p, argc, argv);
    while (i < argc) {
        if (!parse_one(&p, argc, argv, &i))
            return OPTIONS_BAD;
        if (p.done)
            return OPTIONS_DONE;
    }
    return finish(&p) ? OPTIONS_GO : OPTIONS_BAD;
}

void options_free(struct options *o)
{
    for (size_t i = 0; i < o->nr_owned; i++)
        free(o->owned[i]);
    free(o->owned);
    o->owned = NULL;
    o->nr_owned = 0;
}
