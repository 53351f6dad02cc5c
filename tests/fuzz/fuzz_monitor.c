/*
 * The monitor: any lines, to a machine in protected mode that runs now and then. An input is
 * lines of text.
 */
#include "host/monitor.h"
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/rig.h"
#include "tests/fuzz/talk.h"

enum { CAP = 2048 };

static u64 run(const u8 *bytes, size_t len)
{
    char *text = malloc(len + 1);
    struct talk t;
    u64 lines = 0;

    ASSERT(text);
    memcpy(text, bytes, len);
    text[len] = 0;
    if (talk_is_harmless(bytes, len)) {
        talk_start(&t, GDB_X86_64, NULL);
        for (char *p = text; p < text + len && !t.s.control.quit; lines++) {
            size_t n = strcspn(p, "\n");
            enum machine_stop stop;

            p[n] = 0;
            monitor_execute(&t.s.control, p, fuzz_quiet());
            key_sender_poll(&t.s.control.keys, t.s.m);
            if (!t.s.control.stopped && !rig_run(t.s.m, 50, &stop))
                control_stop(&t.s.control, STOPPED_BY_POINT);
            p += n + 1;
        }
        talk_end(&t);
    }
    free(text);
    return lines;
}

static size_t make(u64 *rng, u8 *out)
{
    static const char *const lines[] = {
        "info registers", "info mem", "info tlb", "info tab", "info pic", "info pci", "info mtree",
        "info idt 0 300", "info gdt", "info ldt", "info ivt", "info tss", "info status", "info jit", "x/16xb $esp",
        "xp/10i 0xffff0", "x/100d 0", "x/5i $pc", "print/x ($rax+1)*2", "p/c 'a'", "stop", "cont", "step", "step",
        "system_reset", "sendkey ctrl-alt-f1 1", "help info", "gva2gpa $rip", "p -1%-1", "p 1/0", "p 1<<99",
        "p -9223372036854775808/-1", "p ((((((((1))))))))", "info gdt 8191 70000",
        "x/999999999xg 0xfffffffffffffff0", "xp/4000s 0", "x/9c 0xb8000", "info qtree", "quit",
    };
    size_t len = 0;

    for (unsigned n = 1 + fuzz_below(rng, 8); n; n--) {
        char text[700];
        size_t one = fuzz_text(rng, lines, ARRAY_LEN(lines), text, sizeof(text) - 1);

        if (len + one + 1 > CAP)
            break;
        memcpy(out + len, text, one);
        len += one;
        out[len++] = '\n';
    }
    return len;
}

const struct fuzz_target fuzz_target = { "monitor", "lines", CAP, talk_setup, run, make };
