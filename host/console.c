/*
 * Console output with a buffer of its own, rather than stdio's, since a failing write must be
 * seen and said: a full disk, or a pipe whose reader has gone.
 */
#define _GNU_SOURCE /* memmem */
#include "host/console.h"
#include "host/channel.h"
#include "host/stop_signal.h"
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { OUT_BUFFER = 4096, IN_BUFFER = 256, MEMORY = 1 << 16, FAR_BEHIND = 1 << 20 };

struct console {
    struct chardev dev;
    int fd;
    struct channel *ch; /* NULL: fd it is */
    u8 in[IN_BUFFER];
    size_t in_at, in_len;
    const char *name;
    bool failed;
    u8 out[OUT_BUFFER];
    unsigned out_len;
    u64 total;
    u64 memory_start;      /* position of memory[0] */
    u8 memory[2 * MEMORY]; /* the last bytes, moved down when full */
};

void console_flush(struct console *c)
{
    unsigned done = 0;
    if (c->ch) {
        if (channel_pending(c->ch) < FAR_BEHIND) {
            channel_write(c->ch, c->out, c->out_len);
        } else if (!c->failed) {
            c->failed = true;
            fprintf(stderr, "kiln: %s: its reader does not keep up; bytes are lost\n", c->name);
        }
    }
    while (done < c->out_len && c->fd >= 0 && !c->failed) {
        ssize_t n = write(c->fd, c->out + done, c->out_len - done);
        if (n > 0) {
            done += (unsigned)n;
        } else if (errno == EAGAIN) { /* somebody made our stdout non-blocking: wait a little */
            usleep(1000);
            if (stop_signal_pending())
                break;
        } else if (errno != EINTR) {
            c->failed = true;
            if (errno == EPIPE && c->fd == STDOUT_FILENO)
                stop_signal_raise(SIGPIPE); /* as any program in a pipe ends */
            else
                fprintf(stderr, "kiln: %s: cannot write: %s; its further output is lost\n", c->name,
                        strerror(errno));
        }
    }
    c->out_len = 0;
}

static void console_put(void *h, u8 byte)
{
    struct console *c = h;
    size_t kept = (size_t)(c->total - c->memory_start);
    if (kept == sizeof(c->memory)) {
        memmove(c->memory, c->memory + MEMORY, MEMORY);
        c->memory_start += MEMORY;
        kept -= MEMORY;
    }
    c->memory[kept] = byte;
    c->total++;
    if (c->fd < 0 && !c->ch)
        return;
    c->out[c->out_len++] = byte;
    if (c->out_len == OUT_BUFFER)
        console_flush(c);
}

struct console *console_open(int fd, const char *name)
{
    struct console *c = calloc(1, sizeof(*c));
    if (!c)
        abort();
    c->fd = fd;
    c->name = name;
    c->dev = (struct chardev){console_put, c};
    return c;
}

struct console *console_open_channel(struct channel *ch, const char *name)
{
    struct console *c = console_open(-1, name);
    c->ch = ch;
    return c;
}

bool console_interactive(const struct console *c)
{
    return c->ch;
}

bool console_peek(struct console *c, u8 *byte)
{
    if (!c->ch)
        return false;
    while (channel_poll(c->ch) != CHANNEL_QUIET)
        ;
    if (!c->in_len) {
        c->in_at = 0;
        c->in_len = channel_read(c->ch, c->in, sizeof(c->in));
    }
    if (c->in_len)
        *byte = c->in[c->in_at];
    return c->in_len;
}

void console_pop(struct console *c)
{
    c->in_at++;
    c->in_len--;
}

bool console_pollfd(const struct console *c, struct pollfd *p)
{
    return c->ch && !c->in_len && channel_pollfd(c->ch, p);
}

void console_close(struct console *c)
{
    if (!c)
        return;
    console_flush(c);
    channel_close(c->ch);
    if (c->fd > STDERR_FILENO)
        close(c->fd);
    free(c);
}

struct chardev *console_chardev(struct console *c)
{
    return &c->dev;
}

u64 console_total(const struct console *c)
{
    return c->total;
}

u64 console_find(const struct console *c, u64 from, const char *text)
{
    if (from < c->memory_start)
        from = c->memory_start;
    if (from >= c->total)
        return 0;
    const u8 *start = c->memory + (from - c->memory_start);
    size_t len = strlen(text);
    const u8 *hit = memmem(start, (size_t)(c->total - from), text, len);
    return hit ? from + (u64)(hit - start) + len : 0;
}
