/*
 * Our messages while the terminal shows the guest's screen: kept, and written when it is given back.
 *
 * There is one stderr in a process, so there is one of these.
 */
#ifndef HOST_HELD_STDERR_H
#define HOST_HELD_STDERR_H

#include "core/types.h"

/* From here on messages are kept, if stderr is a terminal at all. */
void held_stderr_start(void);

/* Writes what was kept; stderr is the terminal again. For signal handlers too. */
void held_stderr_release(void);

/* The last line kept since the last call; false: there is none. */
bool held_stderr_news(char *line, size_t cap);

#endif
