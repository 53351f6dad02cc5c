/*
 * A file in memory takes stderr's place. See host/held_stderr.h.
 */
#define _GNU_SOURCE /* memfd_create */
#include "host/held_stderr.h"
#include <stdio.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

enum { MOST = 1 << 20 }; /* of a log that nobody wanted on this terminal */

/* For the handlers of faults, which get no argument. real_stderr is written last. */
static int kept_fd = -1, real_stderr = -1;
static off_t news_from;

void held_stderr_start(void)
{
    int copy;

    if (real_stderr >= 0 || !isatty(STDERR_FILENO))
        return;
    kept_fd = memfd_create("kiln-stderr", MFD_CLOEXEC);
    copy = kept_fd < 0 ? -1 : dup(STDERR_FILENO);
    if (copy < 0)
        return;
    fflush(stderr);
    news_from = 0;
    dup2(kept_fd, STDERR_FILENO);
    real_stderr = copy;
}

void held_stderr_release(void)
{
    char buf[4096];
    ssize_t n;
    off_t at = 0;

    if (real_stderr < 0)
        return;
    dup2(real_stderr, STDERR_FILENO);
    close(real_stderr);
    real_stderr = -1;
    while ((n = pread(kept_fd, buf, sizeof(buf), at)) > 0) {
        if (write(STDERR_FILENO, buf, (size_t)n) != n)
            break;
        at += n;
    }
    close(kept_fd);
    kept_fd = -1;
}

bool held_stderr_news(char *line, size_t cap)
{
    struct stat st;
    off_t from;
    ssize_t n;
    char *start;

    if (real_stderr < 0 || fstat(kept_fd, &st) || st.st_size <= news_from)
        return false;
    from = st.st_size - news_from < (off_t)cap - 1 ? news_from : st.st_size - (off_t)cap + 1;
    n = pread(kept_fd, line, cap - 1, from);
    news_from = st.st_size;
    if (st.st_size > MOST && ftruncate(kept_fd, 0) == 0) {
        lseek(kept_fd, 0, SEEK_SET);
        news_from = 0;
        dprintf(kept_fd, "kiln: messages before this point were too many to keep; -D FILE takes logs\n");
    }
    while (n > 0 && line[n - 1] == '\n')
        n--;
    if (n <= 0)
        return false;
    line[n] = 0;
    start = strrchr(line, '\n');
    if (start)
        memmove(line, start + 1, strlen(start + 1) + 1);
    return true;
}
