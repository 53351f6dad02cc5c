/* Pseudo terminals: /dev/ptmx, whose opening makes a terminal /dev/pts/N for programs. */
#ifndef GUESTOS_TTY_PTY_H
#define GUESTOS_TTY_PTY_H

void pty_init(void);

#endif
