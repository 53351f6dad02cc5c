/*
 * What is told of translations (cpu/translated.h): which host code belongs to which guest instruction,
 * what the stubs are, where the thunks are. Where nobody listens it costs a look per instruction that
 * is translated.
 */
#include "jit/translator.h"
#include "core/mem_view.h"
#include <stdlib.h>

_Static_assert(MAX_PARTS >= BLOCK_MAX_OPS + MAX_STUBS + 1, "a part for each instruction and stub");

static void tell(struct jit *j, const struct translated *t)
{
    j->c->cfg.translated(j->c->cfg.translated_h, j->c, t);
}

/* ---- thunks ---- */

static const char *const thunk_names[NR_THUNKS] = {
    [THUNK_SLOW] = "slow", [THUNK_SLOW_FLAGS] = "slow, flags first",
    [THUNK_HELP] = "row in C", [THUNK_HELP_FLAGS] = "row in C, flags first",
    [THUNK_EDGE] = "way out", [THUNK_EDGE_FLAGS] = "way out, flags first",
    [THUNK_ENTRY] = "no budget", [THUNK_ENTRY_FLAGS] = "no budget, flags first",
    [THUNK_VEC] = "vector state", [THUNK_VEC_FLAGS] = "vector state, flags first",
    [THUNK_X87] = "x87 state", [THUNK_X87_FLAGS] = "x87 state, flags first",
    [THUNK_TAIL] = "second page", [THUNK_TAIL_FLAGS] = "second page, flags first",
    [THUNK_WROTE] = "hash of a store", [THUNK_CHECK] = "check of a hit",
};

struct start {
    const u8 *run;
    const char *name;
    bool takes_site;
};

static int by_address(const void *x, const void *y)
{
    const struct start *a = x, *b = y;

    return (a->run > b->run) - (a->run < b->run);
}

static void tell_thunks(struct jit *j)
{
    struct start s[NR_THUNKS + 2 * NR_FAST_SETS + 2] = { { j->code.run, "enter", false } };
    unsigned n = 1;

    for (unsigned i = 0; i < NR_THUNKS; i++)
        if (j->thunk[i])
            s[n++] = (struct start){ j->thunk[i], thunk_names[i] ? thunk_names[i] : "thunk", true };
    for (unsigned i = 0; i < 2 * NR_FAST_SETS; i++)
        s[n++] = (struct start){ j->fill_slot[i / 2][i % 2], i % 2 ? "fill of a slot for stores" : "fill of a slot", false };
    qsort(s, n, sizeof(*s), by_address);
    s[n].run = j->code.run + j->code.thunks_end;
    for (unsigned i = 0; i < n; i++)
        tell(j, &(struct translated){ .kind = TRANSLATED_THUNK, .name = s[i].name, .takes_site = s[i].takes_site, .host = j->code.write + (s[i].run - j->code.run),
                                      .runs_at = (u64)(uintptr_t)s[i].run, .host_bytes = (u32)(s[i + 1].run - s[i].run) });
    j->listing.thunks_told = true;
}

/* ---- recipes in words ---- */

static const char *place_word(const struct flags_recipe *f, unsigned place, char word[16])
{
    static const char registers[16][4] = { "rax", "rcx", "rdx", "rbx", "rsp", "rbp", "rsi", "rdi",
                                           "r8", "r9", "r10", "r11", "r12", "r13", "r14", "r15" };

    if (place < 16)
        return registers[place];
    if (place == PLACE_IMM)
        snprintf(word, 16, "%#x", (u32)f->imm & (u32)size_mask(f->size < 4 ? f->size : 4));
    else
        snprintf(word, 16, "slot %u", place - PLACE_SLOT0);
    return word;
}

static void recipe_words(const struct flags_recipe *f, char *out, size_t cap)
{
    char wa[16], wb[16];
    const char *a = place_word(f, f->a, wa), *b = place_word(f, f->b, wb);
    unsigned bits = 8 * f->size;

    switch (f->kind) {
    case FLAGS_STORED: snprintf(out, cap, "stored"); break;
    case FLAGS_DEAD: snprintf(out, cap, "of no use"); break;
    case FLAGS_CMP: snprintf(out, cap, "cmp %s, %s (%u bits)", a, b, bits); break;
    case FLAGS_TEST: snprintf(out, cap, "test %s, %s (%u bits)", a, b, bits); break;
    case FLAGS_LOGIC: snprintf(out, cap, "of a logical operation that gave %s (%u bits)", a, bits); break;
    case FLAGS_ADD: snprintf(out, cap, "of adding %s, which gave %s (%u bits)", b, a, bits); break;
    case FLAGS_SUB: snprintf(out, cap, "of taking %s off, which gave %s (%u bits)", b, a, bits); break;
    case FLAGS_NEG: snprintf(out, cap, "of a negation that gave %s (%u bits)", a, bits); break;
    case FLAGS_ROW:
        snprintf(out, cap, "%s again%s%s%s%s (%u bits)", isa_rows[f->row].id, f->a == PLACE_NONE ? "" : ", of ",
                 f->a == PLACE_NONE ? "" : a, f->b == PLACE_NONE ? "" : " and ", f->b == PLACE_NONE ? "" : b, bits);
        break;
    default: snprintf(out, cap, "?"); break;
    }
}

/* ---- blocks ---- */

static bool listens(const struct jit *j)
{
    return UNLIKELY(j->c->cfg.translated != NULL);
}

static void add(struct translator *t, u32 guest_off, unsigned guest_len, const char *what)
{
    struct listing *l = &t->j->listing;

    if (l->nr < MAX_PARTS)
        l->part[l->nr++] = (struct translated_part){ .at = (u32)(ASM_RX(&t->a, t->a.p) - t->t->entry), .guest_off = (u16)guest_off,
                                                     .guest_len = (u8)guest_len, .what = what };
}

void listing_begin(struct translator *t)
{
    if (!listens(t->j))
        return;
    t->j->listing.nr = 0;
    add(t, 0, 0, "entry");
}

void listing_insn(struct translator *t)
{
    if (listens(t->j))
        add(t, t->off, t->in->len, NULL);
}

void listing_stub(struct translator *t, const struct stub *s)
{
    static const char *const words[] = {
        [SITE_READ] = "a load that missed", [SITE_WRITE] = "a store that missed", [SITE_EXEC] = "the whole instruction in C",
        [SITE_HELP] = "a row in C", [SITE_LAST] = "a row in C", [SITE_EDGE] = "a way out that is not linked",
    };
    const struct site *site = &t->j->site[s->word];
    const char *what = site->kind < ARRAY_LEN(words) ? words[site->kind] : NULL;

    if (listens(t->j))
        add(t, site->rip_off, 0, what ? what : thunk_names[s->thunk]);
}

void listing_end(struct translator *t)
{
    struct jit *j = t->j;
    const struct translation *tn = t->t;
    char flags[96];

    if (!listens(j))
        return;
    if (!j->listing.thunks_told)
        tell_thunks(j);
    recipe_words(&j->recipe[tn->flags], flags, sizeof(flags));
    tell(j, &(struct translated){
        .kind = TRANSLATED_BLOCK, .rip = tn->rip, .lin = cpu_lin_rip(j->c), .mode = j->c->mode,
        .guest = tn->block->crosses ? tn->block->raw : j->c->cfg.view->backing + tn->block->off, .flags = flags, .host = tn->entry - t->a.rx_delta,
        .runs_at = (u64)(uintptr_t)tn->entry, .host_bytes = tn->code_bytes, .part = j->listing.part, .nr_parts = j->listing.nr });
}

void listing_link(struct jit *j, const struct edge *e, const u8 *start, size_t bytes)
{
    char flags[96];

    if (!listens(j))
        return;
    recipe_words(&j->recipe[e->flags], flags, sizeof(flags));
    tell(j, &(struct translated){
        .kind = TRANSLATED_LINK, .rip = e->rip, .lin = cpu_lin_rip(j->c), .mode = j->c->mode, .flags = flags, .host = start,
        .runs_at = (u64)(uintptr_t)(start + (j->code.run - j->code.write)), .host_bytes = (u32)bytes });
}
