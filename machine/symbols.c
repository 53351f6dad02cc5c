/*
 * ELF symbol tables, read with libelf (elf(5)).
 *
 * A function without a size, as assemblers leave them, reaches to the next symbol of its section
 * or to the section's end. Labels inside of a function that has a size are dropped, so that
 * "name+offset" counts from the function.
 */
#include "machine/symbols.h"
#include <errno.h>
#include <fcntl.h>
#include <gelf.h>
#include <inttypes.h>
#include <libelf.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

struct symbol {
    u64 lin, end;
    char *name;
    bool sized, global;
};

struct symbols {
    struct symbol *sym; /* by address */
    unsigned nr, cap;
    struct source_lines *lines;
};

/* ---- reading ---- */

static bool add(struct symbols *s, const struct symbol *sym)
{
    if (s->nr == s->cap) {
        unsigned cap = s->cap ? 2 * s->cap : 256;
        struct symbol *more = realloc(s->sym, cap * sizeof(*more));

        if (!more)
            return false;
        s->sym = more;
        s->cap = cap;
    }
    s->sym[s->nr] = *sym;
    s->sym[s->nr].name = strdup(sym->name);
    return s->sym[s->nr++].name != NULL;
}

static bool is_code(Elf *elf, const GElf_Sym *sym, GElf_Shdr *section)
{
    unsigned type = GELF_ST_TYPE(sym->st_info);
    Elf_Scn *scn;

    if ((type != STT_FUNC && type != STT_NOTYPE) || sym->st_shndx == SHN_UNDEF ||
        sym->st_shndx >= SHN_LORESERVE)
        return false;
    scn = elf_getscn(elf, sym->st_shndx);
    return scn && gelf_getshdr(scn, section) && (section->sh_flags & SHF_EXECINSTR);
}

static bool read_table(struct symbols *s, Elf *elf, Elf_Scn *scn, const GElf_Shdr *table)
{
    Elf_Data *data = elf_getdata(scn, NULL);
    size_t n = table->sh_entsize ? table->sh_size / table->sh_entsize : 0;

    for (size_t i = 0; data && i < n; i++) {
        GElf_Shdr section;
        GElf_Sym sym;
        struct symbol new;

        if (!gelf_getsym(data, (int)i, &sym) || !is_code(elf, &sym, &section))
            continue;
        new.name = elf_strptr(elf, table->sh_link, sym.st_name);
        if (!new.name || !*new.name)
            continue;
        new.lin = sym.st_value;
        new.sized = sym.st_size != 0;
        new.end = new.sized ? new.lin + sym.st_size : section.sh_addr + section.sh_size;
        new.global = GELF_ST_BIND(sym.st_info) != STB_LOCAL;
        if (new.end > new.lin && !add(s, &new))
            return false;
    }
    return true;
}

/* The symbol table, or where the file was stripped, the one for dynamic linking. */
static bool read_elf(struct symbols *s, Elf *elf)
{
    static const unsigned types[] = {SHT_SYMTAB, SHT_DYNSYM};
    unsigned before = s->nr;

    for (unsigned t = 0; t < ARRAY_LEN(types) && s->nr == before; t++)
        for (Elf_Scn *scn = NULL; (scn = elf_nextscn(elf, scn));) {
            GElf_Shdr h;
            if (gelf_getshdr(scn, &h) && h.sh_type == types[t] && !read_table(s, elf, scn, &h))
                return false;
        }
    return true;
}

/* The file's bytes with zeros behind them, to be freed: libdw reads strings of damaged files without
 * looking for their section's end. NULL: errno says why. */
static char *read_padded(int fd, size_t *len)
{
    enum { PADDING = 4096 };
    struct stat st;
    char *image;

    if (fstat(fd, &st) < 0)
        return NULL;
    if (!S_ISREG(st.st_mode)) {
        errno = S_ISDIR(st.st_mode) ? EISDIR : ESPIPE;
        return NULL;
    }
    *len = (size_t)st.st_size;
    image = calloc(1, *len + PADDING);
    for (size_t done = 0; image && done < *len;) {
        ssize_t n = read(fd, image + done, *len - done);

        if (n <= 0) {
            free(image);
            errno = n ? errno : EIO;
            return NULL;
        }
        done += (size_t)n;
    }
    return image;
}

static int read_file(struct symbols *s, const char *path, char *err, size_t err_len)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC), result = -1;
    unsigned before = s->nr;
    size_t len = 0;
    char *image = fd < 0 ? NULL : read_padded(fd, &len);
    Elf *elf;

    if (!image) {
        snprintf(err, err_len, "--sym %s: cannot read: %s", path, strerror(errno));
        if (fd >= 0)
            close(fd);
        return -1;
    }
    elf = elf_memory(image, len);
    if (!elf || elf_kind(elf) != ELF_K_ELF)
        snprintf(err, err_len,
                 "--sym %s: not an ELF file; name the linker's output, before objcopy", path);
    else if (!read_elf(s, elf) || !source_lines_add(s->lines, elf))
        snprintf(err, err_len, "--sym %s: the host has no memory for its symbols", path);
    else if (s->nr == before)
        snprintf(err, err_len, "--sym %s: it has no symbols of functions; link it without -s",
                 path);
    else
        result = 0;
    elf_end(elf);
    free(image);
    close(fd);
    return result;
}

/* ---- putting in order ---- */

/* By address; of several at one address, the one that is kept comes first. */
static int compare(const void *x, const void *y)
{
    const struct symbol *a = x, *b = y;

    if (a->lin != b->lin)
        return a->lin < b->lin ? -1 : 1;
    if (a->sized != b->sized)
        return a->sized ? -1 : 1;
    if (a->global != b->global)
        return a->global ? -1 : 1;
    return strcmp(a->name, b->name);
}

static void put_in_order(struct symbols *s)
{
    unsigned kept = 0;
    u64 sized_end = 0; /* of the last function that has a size */

    if (s->nr)
        qsort(s->sym, s->nr, sizeof(*s->sym), compare);
    for (unsigned i = 0; i < s->nr; i++) {
        struct symbol *sym = &s->sym[i];

        if ((kept && s->sym[kept - 1].lin == sym->lin) || (!sym->sized && sym->lin < sized_end)) {
            free(sym->name);
            continue;
        }
        if (sym->sized)
            sized_end = sym->end;
        if (kept && s->sym[kept - 1].end > sym->lin)
            s->sym[kept - 1].end = sym->lin;
        s->sym[kept++] = *sym;
    }
    s->nr = kept;
}

struct symbols *symbols_load(const char *const *paths, unsigned nr, char *err, size_t err_len)
{
    struct symbols *s = calloc(1, sizeof(*s));

    if (s)
        s->lines = source_lines_create();
    if (!s || !s->lines || elf_version(EV_CURRENT) == EV_NONE) {
        snprintf(err, err_len, "the host has no memory for symbols, or an old libelf");
        symbols_free(s);
        return NULL;
    }
    for (unsigned i = 0; i < nr; i++)
        if (read_file(s, paths[i], err, err_len)) {
            symbols_free(s);
            return NULL;
        }
    put_in_order(s);
    source_lines_sort(s->lines);
    return s;
}

void symbols_free(struct symbols *s)
{
    if (!s)
        return;
    for (unsigned i = 0; i < s->nr; i++)
        free(s->sym[i].name);
    free(s->sym);
    source_lines_free(s->lines);
    free(s);
}

/* ---- asking ---- */

const char *symbols_at(const struct symbols *s, u64 lin, u64 *offset)
{
    unsigned lo = 0, hi = s->nr;

    while (lo < hi) { /* the first beyond lin */
        unsigned mid = (lo + hi) / 2;

        if (s->sym[mid].lin <= lin)
            lo = mid + 1;
        else
            hi = mid;
    }
    if (!lo || lin >= s->sym[lo - 1].end)
        return NULL;
    *offset = lin - s->sym[lo - 1].lin;
    return s->sym[lo - 1].name;
}

bool symbols_value(const struct symbols *s, const char *name, u64 *lin, u64 *len)
{
    size_t n = strcspn(name, "+");
    u64 offset = 0;

    if (name[n]) {
        char *end;
        offset = strtoull(name + n + 1, &end, 0);
        if (end == name + n + 1 || *end)
            return false;
    }
    for (unsigned i = 0; i < s->nr; i++) {
        const struct symbol *sym = &s->sym[i];

        if (strlen(sym->name) == n && !strncmp(sym->name, name, n)) {
            *lin = sym->lin + offset;
            *len = sym->end - sym->lin;
            return true;
        }
    }
    return false;
}

struct source_lines *symbols_lines(const struct symbols *s)
{
    return s->lines;
}

void symbols_print(FILE *f, const struct symbols *s, u64 lin)
{
    struct source_line at = source_lines_at(s->lines, lin);
    u64 offset;
    const char *name = symbols_at(s, lin, &offset);

    if (name && offset)
        fprintf(f, " <%s+0x%" PRIx64 ">", name, offset);
    else if (name)
        fprintf(f, " <%s>", name);
    if (at.path)
        fprintf(f, " (%s:%u)", at.file, at.line);
}
