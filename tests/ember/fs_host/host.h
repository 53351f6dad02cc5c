/*
 * Ember's file system code in a program of the host's. kernel.c stands in for the rest of the
 * kernel with one thread, 3,000 frames and two disks, which are files; calls.c and damage.c call
 * it. These two are the host's C and see system calls as sys_NAME(arguments) only.
 */
#ifndef TESTS_EMBER_FS_HOST_HOST_H
#define TESTS_EMBER_FS_HOST_HOST_H

#include <stdbool.h>
#include <stdint.h>

#define EMBER(name, ...)                                                                           \
    ({                                                                                             \
        long sys_##name(const uint64_t *);                                                         \
        sys_##name((const uint64_t[6]){__VA_ARGS__});                                              \
    })
#define AT(pointer) ((uint64_t)(pointer))

void host_start(int disk_fd, uint64_t disk_bytes);         /* mounts it as the root */
void host_second_disk(int disk_fd, uint64_t disk_bytes);   /* 8:17, to be mounted or not */
void host_forget(uint32_t nr_pages, uint32_t nr_dentries); /* caches give up clean, unused ones */
extern bool host_quiet;                                    /* kernel messages are not shown */

#endif
