/*
 * gdb's protocol: any bytes, and packets with right checksums and wrong content, to a stub on a
 * machine that runs. An input: a byte for the architecture, then what the client sends.
 */
#include "host/gdb_stub.h"
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/talk.h"

enum { CAP = 4096 };

static u64 run(const u8 *bytes, size_t len)
{
    struct channel *ch;
    struct talk t;

    if (!len || !talk_is_harmless(bytes, len))
        return 0;
    talk_start(&t, bytes[0] % 3, &ch);
    gdb_stub_open(&t.s.control, ch);
    talk_say(&t, bytes + 1, len - 1);
    talk_end(&t);
    return t.answered;
}

static size_t put_packet(u8 *out, const char *text, size_t len)
{
    u8 sum = 0;
    size_t n = 0;

    out[n++] = '$';
    for (size_t i = 0; i < len; i++) {
        u8 c = (u8)text[i];

        if (c == '#' || c == '$' || c == '}') {
            out[n++] = '}';
            sum = (u8)(sum + '}');
            c ^= 0x20;
        }
        out[n++] = c;
        sum = (u8)(sum + c);
    }
    return n + (size_t)sprintf((char *)out + n, "#%02x", sum);
}

static size_t make(u64 *rng, u8 *out)
{
    static const char *const packets[] = {
        "?", "g", "G00112233445566778899", "p0", "p10", "P10=00f0ff0000000000", "P5=ffffffffffffffff",
        "P11=00000000", "P16=ffff0000", "m7c00,100", "mfffffff0,10", "mb8000,20", "M500,4:01020304",
        "X500,4:abcd", "X8000,0:", "c", "s", "s", "s", "C05", "S05;7c00", "c7c00", "vCont?", "vCont;s:1;c", "vCont;c",
        "Z0,8000,1", "z0,8000,1", "Z1,8009,1", "Z2,500,8", "Z3,0,1000", "Z4,fffffffffffffff0,20",
        "z2,500,8", "qSupported:swbreak+;hwbreak+", "qXfer:features:read:target.xml:0,fff", "qC",
        "qRcmd,696e666f206d656d", "qRcmd,782f31306920307837633030", "qfThreadInfo", "qAttached", "Hg0",
        "T1", "QStartNoAckMode", "qThreadExtraInfo,1", "vMustReplyEmpty", "D", "k", "vKill;1",
    };
    size_t len = 1;

    out[0] = (u8)fuzz_below(rng, 256);
    for (unsigned n = 1 + fuzz_below(rng, 12); n; n--) {
        char text[700];
        size_t one = fuzz_text(rng, packets, ARRAY_LEN(packets), text, sizeof(text));

        if (len + 2 * one + 8 > CAP)
            break;
        len += put_packet(out + len, text, one);
        if (fuzz_below(rng, 3) == 0)
            out[len++] = (u8)"\x03+-"[fuzz_below(rng, 3)];
    }
    return fuzz_below(rng, 8) ? len : fuzz_mutate(rng, out, len, CAP);
}

const struct fuzz_target fuzz_target = { "gdb", "bytes of answers", CAP, talk_setup, run, make };
