/*
 * --keys: any text. It is refused with a message, or typed to the end: every key that goes down
 * goes up, and time never stands still. An input is the text.
 */
#include "host/key_script.h"
#include "tests/fuzz/fuzz.h"

enum { CAP = 600 };

struct typist {
    unsigned asked;
    int down;
};

static bool ready(void *h)
{
    return ((struct typist *)h)->asked++ % 3 == 2;
}

static void key(void *h, u16 code, bool down)
{
    FUZZ_CHECK(code);
    ((struct typist *)h)->down += down ? 1 : -1;
}

static bool seen(void *h, const char *text)
{
    FUZZ_CHECK(*text);
    return ready(h);
}

static u64 run(const u8 *bytes, size_t len)
{
    char *text = malloc(len + 1), err[KEY_SCRIPT_ERR_LEN] = "";
    struct typist t = { 0 };
    const struct key_target target = { ready, key, seen, seen, &t };
    struct key_script *s;
    u64 now = 0, next, steps = 0;

    ASSERT(text);
    memcpy(text, bytes, len);
    text[len] = 0;
    s = key_script_parse(text, err);
    FUZZ_CHECK(s || err[0]);
    while (s && (next = key_script_next_ns(s)) != UINT64_MAX) {
        FUZZ_CHECK(++steps < 100 * len + 100);
        now = next > now ? next : now;
        key_script_run(s, now, &target);
    }
    FUZZ_CHECK(t.down == 0);
    key_script_free(s);
    free(text);
    return 1;
}

static size_t make(u64 *rng, u8 *out)
{
    static const char *const texts[] = { "root\\n", "{F1}{up}{enter}", "{ctrl-alt-del}", "{wait:1.5}ls\\n",
                                         "{screen:login:}x{serial:ok}", "{shift-a}\\{\\\\\\t\\e\\b", "{-}{ctrl--}" };
    size_t len = 0;

    for (unsigned n = 1 + fuzz_below(rng, 3); n; n--) {
        char text[200];
        size_t one = fuzz_text(rng, texts, ARRAY_LEN(texts), text, sizeof(text));

        if (len + one > CAP)
            break;
        memcpy(out + len, text, one);
        len += one;
    }
    return len;
}

const struct fuzz_target fuzz_target = { "keys", "scripts", CAP, NULL, run, make };
