/*
 * The command line: any words. They are accepted or refused with a message; nothing is opened.
 * An input is the words, each ended by a line feed.
 */
#include "host/option_parser.h"
#include "tests/fuzz/fuzz.h"

enum { CAP = 2048, MAX_WORDS = 40 };

static u64 run(const u8 *bytes, size_t len)
{
    char *text = malloc(len + 1), *argv[MAX_WORDS + 2] = { "kiln" };
    struct options o;
    FILE *err;
    char *said = NULL;
    size_t nr_said;
    int argc = 1;
    enum options_result result;

    ASSERT(text);
    memcpy(text, bytes, len);
    text[len] = 0;
    for (char *p = text; p < text + len && argc <= MAX_WORDS; argc++) {
        argv[argc] = p;
        p += strcspn(p, "\n");
        *p++ = 0;
    }
    argv[argc] = NULL;
    err = open_memstream(&said, &nr_said);
    ASSERT(err);
    result = options_parse(&o, argc, argv, fuzz_quiet(), err);
    fclose(err);
    FUZZ_CHECK(result != OPTIONS_BAD || (nr_said && said[nr_said - 1] == '\n'));
    if (result == OPTIONS_GO)
        options_stdout_user(&o);
    options_free(&o);
    free(said);
    free(text);
    return 1;
}

static const char *const arguments[] = {
    "a.img", "file=a.img,format=raw,index=1,media=disk,if=ide,id=d,snapshot=on,readonly=on", "512M",
    "1G", "isa-debug-exit,iobase=0xf4,iosize=0x04", "ide-hd,drive=d,bus=ide.0,unit=1", "pc,accel=tcg",
    "base=2006-06-17T16:01:21", "base=localtime", "stdio", "mon:stdio", "file:x", "null", "c",
    "order=c,menu=on", "tcp::1234", "tcp:127.0.0.1:99999", "unix:/tmp/x,server,nowait", "none", "sdl",
    "int,exec,cpu_reset", "isa-debugcon.iobase=0x402", "serial:login:", "screen:$", "port:0x80",
    "1.5", "0x10000", "hello{ctrl-alt-del}\\n", "stop", "reset", "bus_*,ide_*", "trace", "run", "bench",
    "user,id=n,hostfwd=tcp::1-:2", "?", "help", "1000..2000", "0x7c00+100", "kernel:start", "virtio-net",
};

static size_t make(u64 *rng, u8 *out)
{
    size_t len = 0;

    for (unsigned n = 1 + fuzz_below(rng, 6); n && len + 400 < CAP; n--) {
        const struct option_row *row = &option_table[fuzz_below(rng, nr_option_rows)];
        char text[300];

        len += (size_t)sprintf((char *)out + len, "%s%.*s\n", fuzz_below(rng, 2) ? "-" : "--",
                               (int)strcspn(row->names, " "), row->names);
        if (row->arg || fuzz_below(rng, 16) == 0) {
            size_t n_text = fuzz_text(rng, arguments, ARRAY_LEN(arguments), text, sizeof(text) - 2);

            memcpy(out + len, text, n_text);
            len += n_text;
            out[len++] = '\n';
        }
    }
    return len;
}

const struct fuzz_target fuzz_target = { "options", "command lines", CAP, NULL, run, make };
