/*
 * Noise for whoever takes commands from outside: packets, lines or requests that are well formed
 * on the outside and mutated inside, so that they reach what looks at them.
 *
 *     noise gdb|monitor|qmp SEED COUNT
 */
#define _GNU_SOURCE /* memmem */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static unsigned long long state;

static unsigned below(unsigned n)
{
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return (unsigned)((state >> 16) % n);
}

static const char *const packets[] = {"?",
                                      "g",
                                      "G00112233445566778899",
                                      "p0",
                                      "p10",
                                      "P10=00f0ff0000000000",
                                      "P5=ffffffffffffffff",
                                      "P11=00000000",
                                      "P16=ffff0000",
                                      "m7c00,100",
                                      "mfffffff0,10",
                                      "mb8000,20",
                                      "M500,4:01020304",
                                      "X500,4:abcd",
                                      "c",
                                      "s",
                                      "s",
                                      "s",
                                      "C05",
                                      "S05;7c00",
                                      "c7c00",
                                      "vCont?",
                                      "vCont;s:1;c",
                                      "vCont;c",
                                      "Z0,7c00,1",
                                      "z0,7c00,1",
                                      "Z1,f0000,1",
                                      "Z2,500,8",
                                      "Z3,0,1000",
                                      "Z4,fffffffffffffff0,20",
                                      "z2,500,8",
                                      "qSupported:swbreak+;hwbreak+",
                                      "qXfer:features:read:target.xml:0,fff",
                                      "qC",
                                      "qRcmd,696e666f206d656d",
                                      "qRcmd,782f31306920307837633030",
                                      "qfThreadInfo",
                                      "qAttached",
                                      "Hg0",
                                      "T1",
                                      "QStartNoAckMode",
                                      "qThreadExtraInfo,1",
                                      "vMustReplyEmpty"};

static const char *const lines[] = {"info registers",
                                    "info mem",
                                    "info tlb",
                                    "info tab",
                                    "info pic",
                                    "info pci",
                                    "info mtree",
                                    "info block",
                                    "info idt 0 300",
                                    "info gdt",
                                    "info ldt",
                                    "info ivt",
                                    "info tss",
                                    "info status",
                                    "info jit",
                                    "x/16xb $rsp",
                                    "xp/10i 0xffff0",
                                    "x/100d 0",
                                    "print/x ($rax+1)*2",
                                    "p/c 'a'",
                                    "stop",
                                    "cont",
                                    "step",
                                    "step",
                                    "system_reset",
                                    "nmi",
                                    "sendkey ctrl-alt-f1 1",
                                    "savevm",
                                    "help info",
                                    "gva2gpa $rip",
                                    "p -1%-1",
                                    "info gdt 8191 70000",
                                    "x/999999999xg 0xfffffffffffffff0"};

static const char *const requests[] = {
    "{\"execute\":\"qmp_capabilities\"}",
    "{\"execute\":\"query-status\",\"id\":[1,{}]}",
    "{\"execute\":\"stop\"}",
    "{\"execute\":\"cont\"}",
    "{\"execute\":\"system_reset\"}",
    "{\"execute\":\"human-monitor-command\",\"arguments\":{\"command-line\":\"info mem\"}}",
    "{\"execute\":\"send-key\",\"arguments\":{\"keys\":[{\"type\":\"qcode\",\"data\":\"a\"}]}}",
    "{\"execute\":\"query-commands\"}",
    "{\"execute\":\"query-version\",\"arguments\":{}}"};

static size_t mutate(char *text, size_t len, size_t cap)
{
    static const char likely[] = "0123456789abcdef,;:=#$}*{}[]\"\\ ()-+/~xZzmqv\x03\xff";

    for (unsigned n = below(4); n; n--) {
        size_t at = len ? below((unsigned)len) : 0, run = 1 + below(8);

        switch (below(4)) {
        case 0: /* another character */
            if (len)
                text[at] = likely[below(sizeof(likely) - 1)];
            break;
        case 1: /* a piece away */
            if (at + run < len) {
                memmove(text + at, text + at + run, len - at - run);
                len -= run;
            }
            break;
        case 2: /* a piece twice */
            if (at + run < len && len + run < cap) {
                memmove(text + at + run, text + at, len - at);
                len += run;
            }
            break;
        default: /* many of one */
            for (unsigned k = below(600); k && len < cap; k--)
                text[len++] = likely[at % (sizeof(likely) - 1)];
        }
    }
    return len;
}

static void put_packet(const char *text, size_t len)
{
    unsigned char sum = 0;

    if (len && (*text == 'k' || *text == 'D'))
        return; /* an end, which would be no test */
    putchar('$');
    for (size_t i = 0; i < len; i++) {
        unsigned char c = (unsigned char)text[i];

        if (c == '#' || c == '$' || c == '}') {
            putchar('}');
            sum = (unsigned char)(sum + '}');
            c ^= 0x20;
        }
        putchar(c);
        sum = (unsigned char)(sum + c);
    }
    printf("#%02x", sum);
    if (below(3) == 0)
        putchar(3);
}

int main(int argc, char **argv)
{
    const char *kind = argc > 3 ? argv[1] : "";
    unsigned long count = argc > 3 ? strtoul(argv[3], NULL, 0) : 0;

    state = argc > 3 ? strtoull(argv[2], NULL, 0) * 0x9e3779b97f4a7c15ull + 1 : 1;
    for (unsigned long i = 0; i < count; i++) {
        char text[4096];
        const char *from = !strcmp(kind, "gdb") ? packets[below(sizeof(packets) / sizeof(*packets))]
                           : !strcmp(kind, "monitor")
                               ? lines[below(sizeof(lines) / sizeof(*lines))]
                               : requests[below(sizeof(requests) / sizeof(*requests))];
        size_t len = strlen(from);

        memcpy(text, from, len);
        len = mutate(text, len, sizeof(text));
        if (!strcmp(kind, "gdb")) {
            put_packet(text, len);
        } else if (!memmem(text, len, "quit", 4) && !memmem(text, len, "screendump", 10)) {
            fwrite(text, 1, len, stdout);
            putchar('\n');
        }
    }
    return 0;
}
