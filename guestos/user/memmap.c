/*
 * memmap [PID]: a process' address space, drawn: a box for each area of /proc/PID/maps, highest
 * addresses first, gaps between them, and how much of each is there at all (/proc/PID/smaps, where
 * the kernel has it).
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct area {
    unsigned long begin, end, offset;
    char rights[8], name[80];
    long resident_kib; /* -1: not told */
};

static const char *size_text(unsigned long bytes, char *to, size_t size)
{
    static const char units[] = "KMGT";
    double n = (double)bytes / 1024;
    int u = 0;

    while (n >= 1024 && u < 3) {
        n /= 1024;
        u++;
    }
    snprintf(to, size, n < 10 && u ? "%.1f %ciB" : "%.0f %ciB", n, units[u]);
    return to;
}

static const char *kind(const struct area *a)
{
    return strcmp(a->name, "[stack]") == 0  ? "stack, grows down"
           : strcmp(a->name, "[heap]") == 0 ? "heap, by brk"
           : a->name[0] == '['              ? "the kernel's"
           : !a->name[0]                    ? (strchr(a->rights, 's') ? "shared, no file" : "anonymous, zeroes")
           : strchr(a->rights, 'x')         ? "code"
           : strchr(a->rights, 's')         ? "shared file"
           : strchr(a->rights, 'w')         ? "data, copy-on-write"
                                            : "read-only data";
}

int main(int argc, char **argv)
{
    static struct area areas[512];
    char path[64], line[512], text[32];
    int n = 0;
    long kib;

    snprintf(path, sizeof path, "/proc/%s/smaps", argc > 1 ? argv[1] : "self");
    FILE *f = fopen(path, "re");
    if (!f) {
        path[strlen(path) - 5] = 0;
        strcat(path, "maps");
        f = fopen(path, "re");
    }
    if (!f) {
        perror(path);
        return 1;
    }
    while (fgets(line, sizeof line, f)) {
        struct area a = {.resident_kib = -1};
        if (sscanf(line, "%lx-%lx %7s %lx %*s %*s %79[^\n]", &a.begin, &a.end, a.rights, &a.offset,
                   a.name) >= 4) {
            if (n < 512) {
                areas[n++] = a;
            }
        } else if (n && sscanf(line, "Rss: %ld", &kib) == 1) {
            areas[n - 1].resident_kib = kib;
        }
    }
    fclose(f);
    for (int i = n - 1; i >= 0; i--) {
        const struct area *a = &areas[i];
        if (i == n - 1 || areas[i + 1].begin != a->end) {
            printf("  %016lx +%s\n", a->end, "----------------------------------------------+");
        }
        printf("  %16s | %s  %-9s %-30s|", "", a->rights, size_text(a->end - a->begin, text, sizeof text), kind(a));
        if (a->resident_kib >= 0) {
            printf(" %ld KiB there", a->resident_kib);
        }
        printf("\n");
        if (a->name[0]) {
            printf("  %16s |   %-43.43s|\n", "", a->name);
        }
        printf("  %016lx +----------------------------------------------+\n", a->begin);
        if (i && areas[i - 1].end != a->begin) {
            printf("  %16s   ... %s of nothing\n", "", size_text(a->begin - areas[i - 1].end, text, sizeof text));
        }
    }
    return 0;
}
