/*
 * Line tables, flattened: one row for each address at which the source line changes.
 *
 * Rows outside of executable sections are dropped: they belong to functions that the linker threw
 * away, which it leaves at address 0. Where several rows have one address, the last of its table
 * counts, as the others have no code.
 */
#define _GNU_SOURCE /* tdestroy */
#include "machine/source_lines.h"
#include <elfutils/libdw.h>
#include <fcntl.h>
#include <gelf.h>
#include <search.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

enum { MAX_SOURCE_BYTES = 64 << 20 };

struct row {
    u64 lin;
    u32 line;  /* 0: none from here on */
    u32 path;  /* index */
    u32 order; /* in which they were read */
};

struct source {
    char *path;
    const char *file; /* its last part */
    bool tried;
    char *text; /* NULL: not read, or not to be read */
    size_t len, *starts;
    u32 nr_lines;
};

struct source_lines {
    struct row *row;
    u32 nr, cap;
    struct source *source;
    u32 nr_sources, cap_sources;
};

/* While the tables of a file are read. */
struct reader {
    struct source_lines *s;
    Elf *elf;
    void *paths; /* tree of struct path */
    const char *last_path;
    u32 last_index;
};

struct path {
    const char *path;
    u32 index;
};

struct source_lines *source_lines_create(void)
{
    return calloc(1, sizeof(struct source_lines));
}

void source_lines_free(struct source_lines *s)
{
    if (!s)
        return;
    for (u32 i = 0; i < s->nr_sources; i++) {
        free(s->source[i].path);
        free(s->source[i].text);
        free(s->source[i].starts);
    }
    free(s->source);
    free(s->row);
    free(s);
}

/* ---- reading tables ---- */

/* The array with room for one more, doubled where it is full; NULL: no memory. */
static void *grow(void *array, u32 nr, u32 *cap, size_t size)
{
    u32 more = *cap ? 2 * *cap : 256;

    if (nr < *cap)
        return array;
    array = more > *cap ? realloc(array, more * size) : NULL;
    if (array)
        *cap = more;
    return array;
}

static int compare_paths(const void *x, const void *y)
{
    return strcmp(((const struct path *)x)->path, ((const struct path *)y)->path);
}

static bool add_source(struct source_lines *s, const char *path)
{
    struct source new = {.path = strdup(path)};
    struct source *array = grow(s->source, s->nr_sources, &s->cap_sources, sizeof(new));

    if (array)
        s->source = array;
    if (!array || !new.path) {
        free(new.path);
        return false;
    }
    new.file = strrchr(new.path, '/');
    new.file = new.file ? new.file + 1 : new.path;
    s->source[s->nr_sources++] = new;
    return true;
}

/* The number of a path, which gets one when it is new. */
static bool index_of(struct reader *r, const char *path, u32 *index)
{
    struct path wanted = {path, 0}, **found, *new;

    if (path == r->last_path) {
        *index = r->last_index;
        return true;
    }
    found = tfind(&wanted, &r->paths, compare_paths);
    if (found) {
        *index = (*found)->index;
    } else {
        new = malloc(sizeof(*new));
        if (!new)
            return false;
        *new = (struct path){path, *index = r->s->nr_sources};
        if (!add_source(r->s, path) || !tsearch(new, &r->paths, compare_paths)) {
            free(new);
            return false;
        }
    }
    r->last_path = path;
    r->last_index = *index;
    return true;
}

static bool is_code(Elf *elf, u64 lin)
{
    GElf_Shdr h;

    for (Elf_Scn *scn = NULL; (scn = elf_nextscn(elf, scn));)
        if (gelf_getshdr(scn, &h) && (h.sh_flags & SHF_EXECINSTR) && (h.sh_flags & SHF_ALLOC) &&
            lin - h.sh_addr < h.sh_size)
            return true;
    return false;
}

static bool add_row(struct reader *r, Dwarf_Line *line)
{
    struct row new = {.order = r->s->nr}, *array;
    const char *path;
    Dwarf_Addr lin;
    int number;
    bool end;

    if (dwarf_lineaddr(line, &lin) || dwarf_lineno(line, &number) ||
        dwarf_lineendsequence(line, &end))
        return true;
    /* The end of a table is the first address behind its code. */
    if (!is_code(r->elf, end ? lin - 1 : lin))
        return true;
    new.lin = lin;
    path = end || number <= 0 ? NULL : dwarf_linesrc(line, NULL, NULL);
    if (path) {
        new.line = (u32)number;
        if (!index_of(r, path, &new.path))
            return false;
    }
    array = grow(r->s->row, r->s->nr, &r->s->cap, sizeof(new));
    if (!array)
        return false;
    r->s->row = array;
    array[r->s->nr++] = new;
    return true;
}

bool source_lines_add(struct source_lines *s, Elf *elf)
{
    struct reader r = {.s = s, .elf = elf};
    Dwarf *dwarf = dwarf_begin_elf(elf, DWARF_C_READ, NULL);
    Dwarf_Off at = 0;
    Dwarf_Files *files;
    Dwarf_Lines *lines;
    Dwarf_CU *unit;
    size_t nr, nr_files;
    bool good = true;

    if (!dwarf)
        return true;
    while (good && dwarf_next_lines(dwarf, at, &at, &unit, &files, &nr_files, &lines, &nr) == 0)
        for (size_t i = 0; good && i < nr; i++)
            good = add_row(&r, dwarf_onesrcline(lines, i));
    tdestroy(r.paths, free);
    dwarf_end(dwarf);
    return good;
}

/* ---- putting in order ---- */

static int compare_rows(const void *x, const void *y)
{
    const struct row *a = x, *b = y;

    if (a->lin != b->lin)
        return a->lin < b->lin ? -1 : 1;
    if (!a->line != !b->line) /* one table begins where another ends */
        return a->line ? 1 : -1;
    return a->order < b->order ? -1 : a->order > b->order;
}

void source_lines_sort(struct source_lines *s)
{
    u32 kept = 0;

    if (s->nr)
        qsort(s->row, s->nr, sizeof(*s->row), compare_rows);
    for (u32 i = 0; i < s->nr; i++) {
        if (kept && s->row[kept - 1].lin == s->row[i].lin)
            kept--;
        s->row[kept++] = s->row[i];
    }
    s->nr = kept;
}

/* ---- asking ---- */

bool source_lines_any(const struct source_lines *s)
{
    return s->nr != 0;
}

struct source_line source_lines_at(const struct source_lines *s, u64 lin)
{
    struct source_line at = {.from = 0, .to = UINT64_MAX};
    u32 lo = 0, hi = s->nr;
    const struct row *row;

    while (lo < hi) { /* the first beyond lin */
        u32 mid = (lo + hi) / 2;

        if (s->row[mid].lin <= lin)
            lo = mid + 1;
        else
            hi = mid;
    }
    if (lo < s->nr)
        at.to = s->row[lo].lin;
    if (!lo)
        return at;
    row = &s->row[lo - 1];
    at.from = row->lin;
    if (row->line) {
        at.path = s->source[row->path].path;
        at.file = s->source[row->path].file;
        at.line = row->line;
        at.index = row->path;
    }
    return at;
}

/* ---- the sources' text ---- */

/* A whole regular file, or NULL. */
static char *read_file(const char *path, size_t *len)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    struct stat st;
    char *text = NULL;
    ssize_t n = -1;

    if (fd >= 0 && !fstat(fd, &st) && S_ISREG(st.st_mode) && st.st_size <= MAX_SOURCE_BYTES)
        text = malloc((size_t)st.st_size + 1);
    if (text)
        n = read(fd, text, (size_t)st.st_size);
    if (fd >= 0)
        close(fd);
    if (n < 0) {
        free(text);
        return NULL;
    }
    *len = (size_t)n;
    return text;
}

static void find_lines(struct source *f)
{
    u32 cap = 0;

    for (size_t at = 0; at < f->len;) {
        const char *end = memchr(f->text + at, '\n', f->len - at);

        size_t *array = grow(f->starts, f->nr_lines, &cap, sizeof(*array));

        if (!array)
            return;
        f->starts = array;
        array[f->nr_lines++] = at;
        at = end ? (size_t)(end - f->text) + 1 : f->len;
    }
}

const char *source_lines_text(struct source_lines *s, const struct source_line *at, size_t *len)
{
    struct source *f = &s->source[at->index];
    const char *start, *end;

    if (!f->tried) {
        f->tried = true;
        f->text = read_file(f->path, &f->len);
        if (f->text)
            find_lines(f);
    }
    if (at->line - 1 >= f->nr_lines)
        return NULL;
    start = f->text + f->starts[at->line - 1];
    end = at->line < f->nr_lines ? f->text + f->starts[at->line] : f->text + f->len;
    while (end > start && (u8)end[-1] <= ' ')
        end--;
    while (start < end && (u8)*start <= ' ')
        start++;
    *len = (size_t)(end - start);
    return start;
}
