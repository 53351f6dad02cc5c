/* pstree: the processes as a tree, from /proc/PID/stat: who is whose child, its state, its memory. */
#include <ctype.h>
#include <dirent.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

struct process {
    int pid, parent, group, session;
    char name[32], state;
    long threads, resident_kib;
};

static struct process *all;
static int nr;

static bool read_process(int pid, struct process *p)
{
    char path[64];
    long pages = 0;
    snprintf(path, sizeof path, "/proc/%d/stat", pid);
    FILE *f = fopen(path, "re");
    if (!f) {
        return false; /* it has ended since */
    }
    /* proc(5): fields 1 to 6, 20 and 24; the name may hold spaces */
    int n = fscanf(f,
                   "%d (%31[^)]) %c %d %d %d %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s "
                   "%ld %*s %*s %*s %ld",
                   &p->pid, p->name, &p->state, &p->parent, &p->group, &p->session, &p->threads, &pages);
    fclose(f);
    p->resident_kib = pages * 4;
    return n >= 6;
}

static void print_tree(int parent, char *lines, int depth)
{
    int last = -1;

    for (int i = 0; i < nr; i++) {
        if (all[i].parent == parent) {
            last = i;
        }
    }
    for (int i = 0; i <= last; i++) {
        const struct process *p = &all[i];
        if (p->parent != parent) {
            continue;
        }
        printf("%5d %c %6ld K  ", p->pid, p->state, p->resident_kib);
        for (int d = 1; d < depth; d++) {
            printf("%c  ", lines[d]);
        }
        printf("%s%s", depth == 0 ? "" : "+- ", p->name);
        if (p->threads > 1) {
            printf(" (%ld threads)", p->threads);
        }
        printf("%s\n", p->pid == p->session ? "  [leads a session]" : "");
        lines[depth] = i == last ? ' ' : '|';
        if (depth < 60) {
            print_tree(p->pid, lines, depth + 1);
        }
    }
}

int main(void)
{
    char lines[64];
    DIR *d = opendir("/proc");
    struct dirent *e;

    if (!d) {
        perror("/proc");
        return 1;
    }
    while ((e = readdir(d))) {
        if (!isdigit((unsigned char)e->d_name[0])) {
            continue;
        }
        all = realloc(all, sizeof *all * (size_t)(nr + 1));
        if (!all) {
            perror("pstree");
            return 1;
        }
        nr += read_process(atoi(e->d_name), &all[nr]);
    }
    closedir(d);
    printf("  PID S   MEMORY  (R runs, S sleeps, D firmly, T stopped, Z zombie)\n");
    print_tree(0, lines, 0);
    return 0;
}
