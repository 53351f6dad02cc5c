/*
 * QMP: any bytes, and requests with right syntax and wrong content. An input is what the client
 * sends.
 */
#include "host/qmp.h"
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/talk.h"

enum { CAP = 4096 };

static u64 run(const u8 *bytes, size_t len)
{
    struct channel *ch;
    struct talk t;

    if (!talk_is_harmless(bytes, len))
        return 0;
    talk_start(&t, GDB_X86_64, &ch);
    qmp_open(&t.s.control, ch);
    talk_say(&t, bytes, len);
    talk_end(&t);
    return t.answered;
}

static size_t make(u64 *rng, u8 *out)
{
    static const char capabilities[] = "{\"execute\":\"qmp_capabilities\"}";
    static const char *const requests[] = {
        "{\"execute\":\"query-status\",\"id\":[1,{}]}", "{\"execute\":\"stop\"}", "{\"execute\":\"cont\"}",
        "{\"execute\":\"system_reset\"}",
        "{\"execute\":\"human-monitor-command\",\"arguments\":{\"command-line\":\"info mem\"}}",
        "{\"execute\":\"send-key\",\"arguments\":{\"keys\":[{\"type\":\"qcode\",\"data\":\"a\"}],\"hold-time\":1}}",
        "{\"execute\":\"query-commands\"}", "{\"execute\":\"query-version\",\"arguments\":{}}", "{\"execute\":1}",
        "[]", "{\"arguments\":null}", "{\"execute\":\"query-kvm\"}", "{\"execute\":\"system_powerdown\"}",
        "{\"execute\":\"quit\"}", "[[[[[[[[[[[[[[[[[[[[[[", "{\"a\":{\"a\":{\"a\":{\"a\":{\"a\":{}}}}}}",
    };
    size_t len = 0;

    if (fuzz_below(rng, 8)) {
        len = sizeof(capabilities) - 1;
        memcpy(out, capabilities, len);
    }
    for (unsigned n = 1 + fuzz_below(rng, 8); n; n--) {
        char text[900];
        size_t one = fuzz_text(rng, requests, ARRAY_LEN(requests), text, sizeof(text));

        if (len + one > CAP)
            break;
        memcpy(out + len, text, one);
        len += one;
    }
    return len;
}

const struct fuzz_target fuzz_target = { "qmp", "bytes of answers", CAP, talk_setup, run, make };
