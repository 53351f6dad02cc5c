/*
 * --help and -version: the texts that a question on the command line gets.
 */
#include "host/option_parser.h"

static const char *const group_titles[NR_GROUPS] = {
    [GROUP_DISKS] = "Disks",
    [GROUP_MACHINE] = "Machine",
    [GROUP_BOOT] = "Boot",
    [GROUP_DISPLAY] = "Display",
    [GROUP_CONSOLES] = "Consoles",
    [GROUP_SCRIPTS] = "Scripts (exit status in parentheses)",
    [GROUP_DEBUG] = "Looking inside",
    [GROUP_TRACE] = "kiln trace",
    [GROUP_BENCH] = "kiln bench",
    [GROUP_ACCEPTED] = "Accepted, without effect",
    [GROUP_MISSING] = "Not there yet",
};

static void print_row(FILE *f, const struct option_row *row)
{
    size_t n = strcspn(row->names, " ");
    int width = 0;
    width += fprintf(f, "  -%.*s", (int)n, row->names);
    if (row->names[n])
        width += fprintf(f, ", -%s", row->names + n + 1);
    if (row->arg)
        width += fprintf(f, " %s", row->arg);
    if (width > 30)
        width = fprintf(f, "\n") - 1;
    fprintf(f, "%*s  %s\n", 30 - width, "", row->help);
}

void option_print_help(FILE *f)
{
    fprintf(f, "usage: kiln [run] DISK.img [options]     boot it in a window\n"
               "       kiln trace DISK.img [options]     write every instruction\n"
               "       kiln replay FILE [options]        repeat a run that --record wrote down\n"
               "       kiln lockstep FOLDER [options]    run a reproducer of -accel lockstep again\n"
               "       kiln bench [options]              how fast both engines are, beside the host\n"
               "\n"
               "A PC: x86-64 processor, i440FX board, BIOS. Options are QEMU's where QEMU has\n"
               "the thing; --name and -name are the same. The manual is kiln(1).\n");
    for (unsigned g = 0; g < NR_GROUPS; g++) {
        fprintf(f, "\n%s:\n", group_titles[g]);
        for (unsigned i = 0; i < nr_option_rows; i++)
            if (option_table[i].group == g)
                print_row(f, &option_table[i]);
    }
    fprintf(f, "\nKeys in the window: Ctrl+Alt+G releases the mouse, Ctrl+Alt+F full screen,\n"
               "Ctrl+Alt+S screenshot, Ctrl+Alt+Q quit. In the terminal: Ctrl-A x quits, "
               "Ctrl-A h helps.\n"
               "\nExit status: 0 powered off, 1 bad options, 70 triple fault, 72 fault of ours,\n"
               "74 halted for good, 124 timeout, 128+N signal N, isa-debug-exit (v<<1)|1.\n");
}

bool opt_help(struct option_parser *p, const struct option_row *row, const char *arg)
{
    (void)row, (void)arg;
    option_print_help(p->out);
    return p->done = true;
}

bool opt_version(struct option_parser *p, const struct option_row *row, const char *arg)
{
    (void)row, (void)arg;
    fprintf(p->out, "Kiln %s, an x86-64 PC emulator (options are QEMU's)\n", KILN_VERSION);
    return p->done = true;
}
