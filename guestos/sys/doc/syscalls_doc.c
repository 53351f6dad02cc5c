/*
 * Writes build/SYSCALLS.md: which of Linux' system calls Ember has, from sys/syscalls.def. Runs on the
 * host. usage: ember_syscalls_doc OUT
 */
#include <stdio.h>

enum kind { KIND_WORKS, KIND_REFUSED, KIND_UNKNOWN, NR_KINDS };

static const struct call {
    int number;
    const char *name, *arguments;
    enum kind kind;
    const char *error, *text;
} calls[] = {
#define WORKS(number, name, arguments, text) {number, #name, arguments, KIND_WORKS, "", text},
#define REFUSED(number, name, arguments, error, text)                                              \
    {number, #name, arguments, KIND_REFUSED, #error, text},
#define UNKNOWN(number, name, arguments) {number, #name, arguments, KIND_UNKNOWN, "ENOSYS", ""},
#include "guestos/sys/syscalls.def"
};
#define NR_CALLS (sizeof calls / sizeof calls[0])

static int count(enum kind kind)
{
    int n = 0;
    for (size_t i = 0; i < NR_CALLS; i++) {
        n += calls[i].kind == kind;
    }
    return n;
}

static void rows(FILE *f, enum kind kind)
{
    for (size_t i = 0; i < NR_CALLS; i++) {
        const struct call *c = &calls[i];
        if (c->kind == kind) {
            fprintf(f, "| %d | `%s` | %s%s%s |\n", c->number, c->name, c->error,
                    c->error[0] && c->text[0] ? ": " : "", c->text);
        }
    }
}

int main(int argc, char **argv)
{
    FILE *f = argc == 2 ? fopen(argv[1], "w") : NULL;

    if (!f) {
        fprintf(stderr, "usage: ember_syscalls_doc OUT, a file that can be written\n");
        return 1;
    }
    fprintf(f,
            "# System calls\n\nMade from `guestos/sys/syscalls.def`; numbers, names and structures "
            "are those of Linux on x86-64.\n%d work (with the limits that their rows name), %d are "
            "known and refused, %d are not there: they\ngive ENOSYS, and the kernel says who asked, "
            "once a program.\n",
            count(KIND_WORKS), count(KIND_REFUSED), count(KIND_UNKNOWN));
    fprintf(f, "\n## Works\n\n| number | name | what works, and what does not |\n|---|---|---|\n");
    rows(f, KIND_WORKS);
    fprintf(f, "\n## Refused\n\nPrograms do without these.\n\n"
               "| number | name | answer |\n|---|---|---|\n");
    rows(f, KIND_REFUSED);
    fprintf(f, "\n## Not there\n\n");
    for (size_t i = 0, column = 0; i < NR_CALLS; i++) {
        if (calls[i].kind == KIND_UNKNOWN) {
            column += (size_t)fprintf(f, "%s ", calls[i].name);
            if (column > 90) {
                fputc('\n', f);
                column = 0;
            }
        }
    }
    fputc('\n', f);
    return fclose(f) ? 1 : 0;
}
