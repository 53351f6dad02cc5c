/*
 * Comparing, reporting: see judge.h.
 */
#include "tests/native/judge.h"
#include <capstone/capstone.h>
#include <stdarg.h>
#include <stdio.h>

enum { RUN_TICKS = 100000 };

void judge_run(struct rig *r, const struct slot *s, struct rng *slices, struct verdict *v)
{
    u64 ticks = 0, slice;

    rig_load(r, s);
    do {
        slice = slices ? 1 + rng_below(slices, 12) : RUN_TICKS;
        ticks += slice;
    } while (!rig_run(r, slice) && ticks < RUN_TICKS);
    if (!r->ended) {
        rig_state(r, &v->out);
        v->end = (struct outcome){ END_TIMEOUT, 0, 0 };
    } else {
        rig_outcome(r, &v->out, &v->end);
    }
    rig_save_image(r, v->image);
}

bool judge_next_step(const struct rig *r, struct step *st)
{
    u64 off = cpu_lin_rip(&r->c) - regions[R_CODE].lin;
    u64 room = CODE_PAGES * 4096 - off < 15 ? CODE_PAGES * 4096 - off : 15;
    enum decode_status status;

    if (off >= CODE_PAGES * 4096)
        return false;
    *st = (struct step){ .rip = cpu_lin_rip(&r->c) };
    memcpy(st->bytes, r->region[R_CODE] + off, room);
    status = insn_decode(&st->in, st->bytes, (unsigned)room, r->c.mode);
    if (status != DECODE_OK) {
        if (status != DECODE_MORE) /* that ends in a page that is not there */
            st->in.row = ROW_INVALID;
        st->in.len = (u8)room;
    }
    return true;
}

void judge_steps(struct rig *r, const struct slot *s, struct verdict *v)
{
    rig_load(r, s);
    for (v->nr_steps = 0; !r->ended; rig_run(r, 1)) {
        struct step st;

        if (!judge_next_step(r, &st) || (v->nr_steps && v->steps[v->nr_steps - 1].rip == st.rip))
            continue; /* the latter: an element of a string instruction */
        if (v->nr_steps == KEPT_STEPS)
            memmove(&v->steps[KEPT_STEPS / 2], &v->steps[KEPT_STEPS / 2 + 1],
                    (KEPT_STEPS / 2 - 1) * sizeof(v->steps[0]));
        else
            v->nr_steps++;
        v->steps[v->nr_steps - 1] = st;
    }
}

u32 judge_undefined_flags(struct rig *r, const struct host_facts *f, const struct slot *s,
                          const struct verdict *v)
{
    struct cpu *c = &r->c;
    u32 undefined = 0;

    rig_load(r, s);
    while (!r->ended) {
        struct step st;
        struct flag_rule rule = { 0, 0 };
        u64 rip = c->rip;

        if (judge_next_step(r, &st))
            rule = witness_rule(c, &st.in, f);
        if (rig_run(r, 1) && v->out.rip == rip)
            break; /* it faulted, and has changed no flags */
        undefined = (undefined & ~(rule.defined | rule.undefined)) | rule.undefined;
    }
    return undefined;
}

struct lines {
    char *text;
    size_t cap, n;
    unsigned count;
};

static void add(struct lines *l, const char *format, ...)
{
    va_list ap;
    int n;

    va_start(ap, format);
    n = vsnprintf(l->text + l->n, l->cap - l->n, format, ap);
    va_end(ap);
    if (n > 0 && l->n + (size_t)n < l->cap)
        l->n += (size_t)n;
    l->count++;
}

static const char *const reg_names[16] = { "rax", "rcx", "rdx", "rbx", "rsp", "rbp", "rsi", "rdi",
                                           "r8",  "r9",  "r10", "r11", "r12", "r13", "r14", "r15" };

static u32 same_vector(const struct host_facts *f, const struct outcome *o)
{
    return f->ss_is_gp && o->vector == EXC_SS && o->error == 0 ? EXC_GP : o->vector;
}

static void compare_ends(const struct host_facts *f, const struct outcome *k, const struct outcome *n,
                         struct lines *l)
{
    u32 ignore = 0;

    if (same_vector(f, k) != same_vector(f, n)) {
        add(l, "  vector     kiln %u (error %x)   host %u (error %x)\n", k->vector, k->error, n->vector, n->error);
        return;
    }
    if (k->vector == EXC_PF && k->cr2 != n->cr2)
        add(l, "  cr2        kiln %016llx   host %016llx\n", (unsigned long long)k->cr2, (unsigned long long)n->cr2);
    if (k->vector == EXC_PF && k->cr2 >= 0x7ffffffff000)
        ignore = 1;
    if ((k->error ^ n->error) & ~ignore)
        add(l, "  error code kiln %x   host %x\n", k->error, n->error);
}

static void compare_images(const struct host_facts *f, const struct slot *s, const struct verdict *v,
                           struct lines *l)
{
    unsigned shown = 0;

    for (int r = 0; r < NR_REGIONS; r++) {
        u32 at = regions[r].image_off, bytes = regions[r].pages * 4096u;

        if (at == NO_IMAGE || (r == R_LOW && !f->low) || (r == R_TOP && !f->top) ||
            !memcmp(v->image + at, s->image_out + at, bytes))
            continue;
        for (u32 i = 0; i < bytes; i++)
            if (v->image[at + i] != s->image_out[at + i] && shown++ < 16)
                add(l, "  [%09llx] kiln %02x   host %02x   before %02x\n",
                    (unsigned long long)(regions[r].lin + i), v->image[at + i], s->image_out[at + i],
                    s->image[at + i]);
    }
}

static void compare_fx(const u8 *k, const u8 *n, const u8 *before, bool high, struct lines *l)
{
    static const struct { u8 at, size; const char *name; } fields[] = {
        { FX_CW, 2, "fcw" }, { FX_SW, 2, "fsw" }, { FX_TAGS, 1, "ftw" }, { FX_MXCSR, 4, "mxcsr" },
    };
    unsigned nr_xmm = high ? 16 : 8;

    for (unsigned i = 0; i < ARRAY_LEN(fields); i++) {
        u64 a = load_le(k + fields[i].at, fields[i].size), b = load_le(n + fields[i].at, fields[i].size);

        if (a != b)
            add(l, "  %-10s kiln %04llx   host %04llx   before %04llx\n", fields[i].name,
                (unsigned long long)a, (unsigned long long)b,
                (unsigned long long)load_le(before + fields[i].at, fields[i].size));
    }
    for (unsigned i = 0; i < 8 + nr_xmm; i++) {
        bool st = i < 8;
        unsigned at = st ? FX_ST + 16 * i : FX_XMM + 16 * (i - 8);

        if (memcmp(k + at, n + at, st ? 10 : 16) == 0)
            continue;
        add(l, "  %s%-7u kiln %016llx %016llx   host %016llx %016llx   before %016llx %016llx\n",
            st ? "st " : "xmm", st ? i : i - 8, (unsigned long long)load_le(k + at + 8, st ? 2 : 8),
            (unsigned long long)load_le(k + at, 8), (unsigned long long)load_le(n + at + 8, st ? 2 : 8),
            (unsigned long long)load_le(n + at, 8), (unsigned long long)load_le(before + at + 8, st ? 2 : 8),
            (unsigned long long)load_le(before + at, 8));
    }
}

bool judge_equal_fx(const u8 *a, const u8 *b, bool high)
{
    char text[1];
    struct lines l = { text, sizeof(text), 0, 0 };

    compare_fx(a, b, a, high, &l);
    return l.count == 0;
}

unsigned judge_compare(const struct host_facts *f, const struct slot *s, const struct verdict *v,
                       char *text, size_t cap)
{
    struct lines l = { text, cap, 0, 0 };
    const struct nstate *k = &v->out, *n = &s->out;
    u64 flags = F_ARITH | F_T | F_I | F_D | F_IOPL | F_NT | F_RF | F_VM | F_AC | F_ID;
    /* The kernel's way back to a 16-bit stack leaves an address of its own in bits 63 to 32. */
    u64 stack = s->in.ss == LDT_STACK16 * 8 + 7 || k->ss == LDT_STACK16 * 8 + 7 ? 0xffffffff : ~0ull;
    char names[64];

    text[0] = 0;
    for (int i = 0; i < 16; i++)
        if ((k->gpr[i] ^ n->gpr[i]) & (i == RSP ? stack : ~0ull) && (i < 8 || s->in.cs == f->cs64))
            add(&l, "  %-10s kiln %016llx   host %016llx   before %016llx\n", reg_names[i],
                (unsigned long long)k->gpr[i], (unsigned long long)n->gpr[i], (unsigned long long)s->in.gpr[i]);
    if (k->rip != n->rip)
        add(&l, "  rip        kiln %016llx   host %016llx\n", (unsigned long long)k->rip, (unsigned long long)n->rip);
    flags &= ~(u64)(v->undefined | (f->rf_lost ? F_RF : 0));
    if ((k->flags ^ n->flags) & flags)
        add(&l, "  flags      kiln %08llx   host %08llx   differ: %s\n", (unsigned long long)k->flags,
            (unsigned long long)n->flags, flag_names((u32)((k->flags ^ n->flags) & flags), names));
#define SAME(what, format)                                                                         \
    if (k->what != n->what)                                                                        \
    add(&l, "  %-10s kiln " format "   host " format "\n", #what, (unsigned long long)k->what,     \
        (unsigned long long)n->what)
#define SAME_SEG(what)                                                                             \
    if ((k->what | n->what) & ~3u)                                                                 \
    SAME(what, "%04llx")
    SAME(cs, "%04llx");
    SAME(ss, "%04llx");
    SAME_SEG(ds);
    SAME_SEG(es);
    if (!f->fs_lost) {
        SAME_SEG(fs);
        SAME_SEG(gs);
    }
    if (s->want_bases) {
        SAME(fs_base, "%016llx");
        SAME(gs_base, "%016llx");
    }
#undef SAME_SEG
#undef SAME
    compare_fx(k->fx, n->fx, s->in.fx, s->in.cs == f->cs64, &l);
    compare_ends(f, &v->end, &s->end, &l);
    compare_images(f, s, v, &l);
    return l.count;
}

static void print_code(const struct verdict *v, unsigned code)
{
    for (unsigned i = 0; i < v->nr_steps; i++) {
        const struct step *s = &v->steps[i];
        csh h;
        cs_insn *in = NULL;
        size_t n = 0;

        if (i && s[-1].rip == s->rip && i + 1 < v->nr_steps && s[1].rip == s->rip)
            continue;
        if (cs_open(CS_ARCH_X86, code == 8 ? CS_MODE_64 : code == 4 ? CS_MODE_32 : CS_MODE_16, &h) == CS_ERR_OK) {
            n = cs_disasm(h, s->bytes, 15, s->rip, 1, &in);
            printf("    %09llx ", (unsigned long long)s->rip);
            for (unsigned b = 0; b < (n ? in->size : 15u); b++)
                printf(" %02x", s->bytes[b]);
            printf("   %s %s   (%s)\n", n ? in->mnemonic : "?", n ? in->op_str : "", isa_rows[s->in.row].id);
            if (n)
                cs_free(in, n);
            cs_close(&h);
        }
    }
}

void judge_report(const struct verdict *v, const struct slot *s, unsigned code, const char *diffs)
{
    const struct nstate *in = &s->in;
    char names[64];

    printf("MISMATCH, %u-bit code\n", 8 * code);
    printf("  executed:\n");
    print_code(v, code);
    printf("  before: cs %04x ss %04x ds %04x es %04x fs %04x gs %04x fs_base %llx gs_base %llx\n"
           "          rip %llx flags %llx\n", in->cs, in->ss, in->ds, in->es, in->fs, in->gs,
           (unsigned long long)in->fs_base, (unsigned long long)in->gs_base,
           (unsigned long long)in->rip, (unsigned long long)in->flags);
    for (int i = 0; i < 16; i += 4)
        printf("          %-3s %016llx %-3s %016llx %-3s %016llx %-3s %016llx\n", reg_names[i],
               (unsigned long long)in->gpr[i], reg_names[i + 1], (unsigned long long)in->gpr[i + 1],
               reg_names[i + 2], (unsigned long long)in->gpr[i + 2], reg_names[i + 3],
               (unsigned long long)in->gpr[i + 3]);
    printf("          mxcsr %04llx\n", (unsigned long long)load_le(in->fx + FX_MXCSR, 4));
    for (int i = 0; i < 16; i += 2)
        printf("          xmm%-2d %016llx %016llx  xmm%-2d %016llx %016llx\n", i,
               (unsigned long long)load_le(in->fx + FX_XMM + 16 * i + 8, 8),
               (unsigned long long)load_le(in->fx + FX_XMM + 16 * i, 8), i + 1,
               (unsigned long long)load_le(in->fx + FX_XMM + 16 * i + 24, 8),
               (unsigned long long)load_le(in->fx + FX_XMM + 16 * i + 16, 8));
    printf("  kiln ended with vector %u error %x cr2 %llx rip %llx\n", v->end.vector, v->end.error,
           (unsigned long long)v->end.cr2, (unsigned long long)v->out.rip);
    printf("  host ended with vector %u error %x cr2 %llx rip %llx\n", s->end.vector, s->end.error,
           (unsigned long long)s->end.cr2, (unsigned long long)s->out.rip);
    printf("  not compared: %s\n%s", flag_names(v->undefined, names), diffs);
}
