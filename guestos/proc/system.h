/* What the system calls itself: uname(2), /proc/version. */
#ifndef GUESTOS_PROC_SYSTEM_H
#define GUESTOS_PROC_SYSTEM_H

#include "guestos/kernel/lock.h"

/* glibc looks at the release: it wants at least 3.2. The numbers are those of the calls we follow.
 */
#define EMBER_RELEASE "6.1.0-ember"
#define EMBER_VERSION "#1 Ember 0.2"

#define HOST_NAME_BYTES 65

extern struct host_names {
    struct spinlock lock;
    char node[HOST_NAME_BYTES], domain[HOST_NAME_BYTES];
} host_names;

#endif
