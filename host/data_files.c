/*
 * The search for Kiln's own files; see data_files.h.
 */
#include "host/data_files.h"
#include "core/types.h"
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static void program_dir(char *out, size_t cap)
{
    ssize_t n = readlink("/proc/self/exe", out, cap - 1);
    out[n > 0 ? n : 0] = 0;
    char *slash = strrchr(out, '/');
    if (slash)
        *slash = 0;
}

char *data_file_find(const char *name, const char *data_dir, char *err, size_t err_len)
{
    char dir[PATH_MAX], share[PATH_MAX + 16], path[PATH_MAX + 64];
    program_dir(dir, sizeof(dir));
    snprintf(share, sizeof(share), "%s/../share/kiln", dir);
    const char *places[] = {dir, share, getenv("KILN_DATA"), KILN_DATA_DIR};
    unsigned nr = ARRAY_LEN(places);
    if (data_dir) {
        places[0] = data_dir;
        nr = 1;
    }
    for (unsigned i = 0; i < nr; i++) {
        if (!places[i])
            continue;
        snprintf(path, sizeof(path), "%s/%s", places[i], name);
        if (access(path, R_OK) == 0)
            return strdup(path);
    }
    int n = snprintf(err, err_len, "%s is not there; looked in", name);
    for (unsigned i = 0; i < nr; i++)
        if (places[i] && n > 0 && (size_t)n < err_len)
            n += snprintf(err + n, err_len - (size_t)n, "%s %s", i ? "," : "", places[i]);
    return NULL;
}
