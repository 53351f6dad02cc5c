/*
 * Battery-backed memory in a file: 256 bytes, CMOS cells 00h to 7Fh and the extended bank's.
 */
#include "host/nvram.h"
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static int fail(char *err, const char *what, const char *path)
{
    snprintf(err, NVRAM_ERR_LEN, "--nvram: cannot %s %.180s: %s", what, path, strerror(errno));
    return -1;
}

int nvram_load(const char *path, u8 cells[NVRAM_BYTES], char err[NVRAM_ERR_LEN])
{
    u8 bytes[NVRAM_BYTES + 1];
    ssize_t n;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);

    memset(cells, 0, NVRAM_BYTES);
    if (fd < 0)
        return errno == ENOENT ? 0 : fail(err, "read", path);
    n = read(fd, bytes, sizeof(bytes));
    close(fd);
    if (n < 0)
        return fail(err, "read", path);
    if (n != NVRAM_BYTES) {
        snprintf(err, NVRAM_ERR_LEN, "--nvram: %.150s is no such file: it has %s, not %d; name a new one",
                 path, n > NVRAM_BYTES ? "more bytes" : "fewer bytes", NVRAM_BYTES);
        return -1;
    }
    memcpy(cells, bytes, NVRAM_BYTES);
    return 0;
}

int nvram_save(const char *path, const u8 cells[NVRAM_BYTES], char err[NVRAM_ERR_LEN])
{
    char fresh[PATH_MAX];
    int fd, n = snprintf(fresh, sizeof(fresh), "%s.XXXXXX", path);
    bool good;

    if ((size_t)n >= sizeof(fresh)) {
        errno = ENAMETOOLONG;
        return fail(err, "write", path);
    }
    fd = mkstemp(fresh);
    if (fd < 0)
        return fail(err, "write", fresh);
    good = write(fd, cells, NVRAM_BYTES) == NVRAM_BYTES && fchmod(fd, 0644) == 0 && fsync(fd) == 0;
    if (close(fd) < 0 || !good || rename(fresh, path) < 0) {
        fail(err, "write", path);
        unlink(fresh);
        return -1;
    }
    return 0;
}
