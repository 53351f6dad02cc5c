/* What processes have used: getrusage(2). */
#ifndef GUESTOS_PROC_RUSAGE_H
#define GUESTOS_PROC_RUSAGE_H

#include "guestos/proc/process.h"

struct rusage { /* struct rusage of Linux on x86-64; what is not counted stays 0 */
    i64 user_s, user_us, system_s, system_us;
    i64 max_resident_kib, ixrss, idrss, isrss, faults_minor, faults_major, nswap;
    i64 in_blocks, out_blocks, msgsnd, msgrcv, nsignals, voluntary, involuntary;
};
_Static_assert(sizeof(struct rusage) == 144, "struct rusage");

void rusage_of_zombie(const struct process *, struct rusage *);
void rusage_of_process(struct process *, struct rusage *); /* process_lock held; all its threads */
/* User and system time of all threads, ended ones too; process_lock held. */
void process_times(struct process *, u64 *user_ns, u64 *system_ns);

#endif
