/*
 * The code cache: memory that is written through one mapping and runs at another, so that none is
 * ever both writable and executable; and data beside the code, which the code reads.
 */
#define _GNU_SOURCE
#include "jit/internal.h"
#include <sys/mman.h>
#include <unistd.h>

bool code_cache_create(struct code_cache *k, size_t bytes)
{
    size_t data = bytes / 2;
    int fd = memfd_create("kiln-jit", MFD_CLOEXEC);
    u8 *base;

    *k = (struct code_cache){ .size = bytes, .data_size = data };
    if (fd < 0 || ftruncate(fd, (off_t)bytes)) {
        if (fd >= 0)
            close(fd);
        return false;
    }
    k->write = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    base = mmap(NULL, data + bytes, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (k->write == MAP_FAILED || base == MAP_FAILED) {
        close(fd);
        return false;
    }
    k->data = mmap(base, data, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED, -1, 0);
    k->run = mmap(base + data, bytes, PROT_READ | PROT_EXEC, MAP_SHARED | MAP_FIXED, fd, 0);
    close(fd);
    if (k->data == MAP_FAILED || k->run == MAP_FAILED)
        return false;
    return true;
}

void code_cache_destroy(struct code_cache *k)
{
    if (k->write)
        munmap(k->write, k->size);
    if (k->data)
        munmap(k->data, k->data_size + k->size);
}

void *code_cache_data(struct code_cache *k, size_t bytes)
{
    void *p = k->data + k->data_used;

    bytes = (bytes + 15) & ~15ull;
    if (k->data_used + bytes > k->data_size)
        return NULL;
    k->data_used += bytes;
    return p;
}
