/*
 * The block cache: lookup, decoding, invalidation. See cpu/block.h.
 *
 * Blocks are carved from one pool; when it is full everything is dropped at once. For
 * each 16 bytes of a page it is known how many blocks hold code there, so that a store beside
 * code costs a look.
 */
#include "cpu/block.h"
#include "core/clock.h"
#include "core/mem_view.h"
#include "cpu/forms.h"
#include "cpu/operand.h"
#include "cpu/vec.h"
#include "mmu/mmu.h"
#include <stdlib.h>

enum {
    POOL_BYTES = 32 << 20,
    HASH_SIZE = 1 << 17,
    FETCH_SIZE = 256,
    DECODE_MODE = MODE_CODE_MASK | MODE_PE | MODE_VM,
    MAX_INSN = 15,
};

/* A page whose fetch translation is known: dies with the epoch. */
struct fetch_page {
    u64 lin, off;
    u32 epoch;
    bool user, valid;
};

/* How many blocks hold code in each 16-byte piece of a page; what reaches MANY stays there until
 * the page has no block. */
enum { GRANULE_SHIFT = 4, MANY = 255 };
struct granules {
    u8 blocks[PAGE_SIZE >> GRANULE_SHIFT];
};

/* The instruction that was fetched last from where it cannot be kept. It may be a repetition that
 * goes on after its slice has ended: fetching it again would take time, and touch the device that
 * it lies in, once more for each slice, so that where slices end would show. */
struct fetched_apart {
    struct block *b; /* NULL: none; lies behind the pool's used part */
    u64 lin, icount, events;
};

struct block_cache {
    struct cpu *c;
    struct fetched_apart apart;
    u8 *pool;
    size_t used;
    struct block *hash[HASH_SIZE];
    struct block **page_blocks; /* per backing page */
    struct granules *granules;  /* per backing page */
    struct fetch_page fetch[FETCH_SIZE];
    block_dropped *dropped;
    void *h;
    unsigned max_insns;
    struct block_stats stats;
};

struct block_cache *block_cache_create(struct cpu *c, block_dropped *dropped, void *h)
{
    struct block_cache *k = calloc(1, sizeof(*k));
    u64 pages = c->cfg.view->backing_size >> PAGE_SHIFT;

    if (!k)
        return NULL;
    k->c = c;
    k->dropped = dropped;
    k->h = h;
    k->max_insns = c->cfg.engine.block_insns ? c->cfg.engine.block_insns : BLOCK_MAX_OPS;
    if (k->max_insns > BLOCK_MAX_OPS)
        k->max_insns = BLOCK_MAX_OPS;
    k->pool = malloc(POOL_BYTES);
    k->page_blocks = calloc(pages, sizeof(*k->page_blocks));
    k->granules = calloc(pages, sizeof(*k->granules));
    if (!k->pool || !k->page_blocks || !k->granules) {
        block_cache_destroy(k);
        return NULL;
    }
    return k;
}

void block_cache_destroy(struct block_cache *k)
{
    if (!k)
        return;
    free(k->pool);
    free(k->page_blocks);
    free(k->granules);
    free(k);
}

struct block_stats block_cache_stats(const struct block_cache *k)
{
    return k->stats;
}

static unsigned hash_of(u64 off, u32 mode)
{
    return (unsigned)(((off ^ (u64)mode << 52) * 0x9e3779b97f4a7c15ull) >> 47);
}
_Static_assert(HASH_SIZE == 1 << (64 - 47), "hash_of() yields bucket numbers");

/* ---- dropping ---- */

static void tell_dropped(struct block_cache *k, struct block *b)
{
    if (b->translations)
        k->dropped(k->h, b);
}

static void unhash(struct block_cache *k, struct block *b)
{
    struct block **p = &k->hash[hash_of(b->off, b->mode)];

    while (*p && *p != b)
        p = &(*p)->hash_next;
    if (*p)
        *p = b->hash_next;
    b->dead = true;
    tell_dropped(k, b);
}

/* Counts a block in (1) or out (-1). */
static void granules_count(struct granules *g, const struct block *b, int one)
{
    u64 first = b->off & (PAGE_SIZE - 1), last = first + b->nr_bytes - 1;

    if (last > PAGE_SIZE - 1)
        last = PAGE_SIZE - 1; /* of the rest, who comes to it looks itself */
    for (u64 i = first >> GRANULE_SHIFT; i <= last >> GRANULE_SHIFT; i++)
        if (g->blocks[i] != MANY)
            g->blocks[i] = (u8)(g->blocks[i] + one);
}

static bool granules_hit(const struct granules *g, u64 in_page, u64 len)
{
    for (u64 i = in_page >> GRANULE_SHIFT; i <= (in_page + len - 1) >> GRANULE_SHIFT; i++)
        if (g->blocks[i])
            return true;
    return false;
}

/* Drops the page's blocks that hold a byte of [in_page, in_page + len): data beside code, as in
 * small real-mode programs, must not cost the whole page. */
static bool drop_overlapping(struct block_cache *k, u64 page, u64 in_page, u64 len)
{
    struct block **p = &k->page_blocks[page];
    bool any = false;

    while (*p) {
        struct block *b = *p;
        u64 first = b->off & (PAGE_SIZE - 1);

        if (first < in_page + len && in_page < first + b->nr_bytes) {
            unhash(k, b);
            granules_count(&k->granules[page], b, -1);
            *p = b->page_next;
            any = true;
        } else {
            p = &b->page_next;
        }
    }
    if (!k->page_blocks[page]) {
        k->granules[page] = (struct granules){ 0 };
        k->c->cfg.view->page_flags[page] &= (u8)~MEM_CODE;
    }
    return any;
}

bool block_invalidate(struct block_cache *k, u64 off, u64 len)
{
    bool any = false;

    while (len) {
        u64 page = off >> PAGE_SHIFT, in_page = off & (PAGE_SIZE - 1);
        u64 n = len < PAGE_SIZE - in_page ? len : PAGE_SIZE - in_page;

        if (granules_hit(&k->granules[page], in_page, n) &&
            drop_overlapping(k, page, in_page, n)) {
            k->stats.invalidations++;
            any = true;
        }
        off += n;
        len -= n;
    }
    return any;
}

bool block_near(const struct block_cache *k, u64 off, u64 len)
{
    return granules_hit(&k->granules[off >> PAGE_SHIFT], off & (PAGE_SIZE - 1), len);
}

void block_drop_all(struct block_cache *k)
{
    u64 pages = k->c->cfg.view->backing_size >> PAGE_SHIFT;

    for (u64 p = 0; p < pages; p++)
        if (k->page_blocks[p]) {
            for (struct block *b = k->page_blocks[p]; b; b = b->page_next)
                tell_dropped(k, b);
            k->page_blocks[p] = NULL;
            k->granules[p] = (struct granules){ 0 };
            k->c->cfg.view->page_flags[p] &= (u8)~MEM_CODE;
        }
    memset(k->hash, 0, sizeof(k->hash));
    k->apart.b = NULL;
    k->used = 0;
    k->stats.flushes++;
    k->c->jit.epoch = ++k->c->fetch_epoch; /* links lead nowhere now */
}

/* ---- fetching ---- */

/* What is cached of fetching from that page will be stale when the page is dropped. */
static void mark_fetched(struct cpu *c, u64 lin)
{
    u64 bit;

    *mmu_fetched(c, lin, &bit) |= bit;
}

/* Backing offset of the code byte at lin, or NO_BACKING where a device or nothing answers.
 * Raises #PF. */
static u64 fetch_offset(struct block_cache *k, u64 lin)
{
    struct cpu *c = k->c;
    struct fetch_page *f = &k->fetch[(lin >> PAGE_SHIFT) % FETCH_SIZE];
    bool user = c->cpl == 3;

    if (!f->valid || f->lin != lin >> PAGE_SHIFT || f->epoch != c->fetch_epoch || f->user != user) {
        u64 pa = mmu_translate(c, lin, ACC_EXEC);
        struct mem_page page = mem_view_page(c->cfg.view, pa);

        mark_fetched(c, lin);
        *f = (struct fetch_page){ lin >> PAGE_SHIFT, page.read_off, c->fetch_epoch, user, true };
    }
    return f->off >= MEM_PASS ? NO_BACKING : f->off | (lin & (PAGE_SIZE - 1));
}

/* Fetches one byte of code. Returns its backing offset, or NO_BACKING. */
static u64 fetch_byte(struct block_cache *k, u64 lin, u8 *out)
{
    struct cpu *c = k->c;
    u64 off = fetch_offset(k, lin);

    *out = off == NO_BACKING ? (u8)mem_read(c->cfg.view, mmu_translate(c, lin, ACC_EXEC), 1) : c->cfg.view->backing[off];
    return off;
}

/* ---- instructions that do not run ---- */

static void tell_undefined(struct cpu *c)
{
    mxcsr_to_memory(c);
    if (c->cfg.undefined)
        c->cfg.undefined(c->cfg.undefined_h, c);
}

static void op_undefined(struct cpu *c, const struct insn *in)
{
    (void)in;
    tell_undefined(c);
    cpu_raise_no_code(c, EXC_UD);
}

static void op_missing(struct cpu *c, const struct insn *in)
{
    if (!(c->mode & MODE_EM_TS))
        tell_undefined(c);
    isa_rows[in->row].exec(c, in);
}

static void op_too_long(struct cpu *c, const struct insn *in)
{
    (void)in;
    cpu_raise(c, EXC_GP, 0);
}

static void op_privileged(struct cpu *c, const struct insn *in)
{
    if (c->cpl != 0)
        cpu_raise(c, EXC_GP, 0);
    isa_rows[in->row].exec(c, in);
}

bool block_op_plain(const struct op *op)
{
    return block_op_plain_at_0(op) && op->fn != op_privileged;
}

bool block_op_plain_at_0(const struct op *op)
{
    return op->fn != op_undefined && op->fn != op_missing && op->fn != op_too_long;
}

static exec_fn *function_of(const struct cpu *c, struct insn *in, enum decode_status s)
{
    const struct isa_row *r = &isa_rows[in->row];

    if ((r->attr & A_ELSE) && !cpu_offers(c, isa_feature(r)))
        r = &isa_rows[++in->row];
    if (s == DECODE_TOO_LONG)
        return op_too_long;
    if (s != DECODE_OK || !cpu_offers(c, isa_feature(r)))
        return op_undefined;
    if (r->attr & A_MISSING)
        return op_missing;
    return r->attr & A_CPL0 ? op_privileged : form_of(in);
}

/* ---- decoding ---- */

static void own_page(struct block_cache *k, struct block *b)
{
    u64 page = b->off >> PAGE_SHIFT;
    u8 *flags = &k->c->cfg.view->page_flags[page];

    b->page_next = k->page_blocks[page];
    k->page_blocks[page] = b;
    granules_count(&k->granules[page], b, 1);
    if (!(*flags & MEM_CODE)) {
        *flags |= MEM_CODE;
        mmu_flush_fast(k->c); /* stores to this page must take the slow path from now on */
    }
}

static struct block *alloc_block(struct block_cache *k)
{
    size_t most = sizeof(struct block) + BLOCK_MAX_OPS * sizeof(struct op);
    struct block *b;

    k->apart.b = NULL;
    if (k->used + most > POOL_BYTES)
        block_drop_all(k);
    b = (struct block *)(k->pool + k->used);
    *b = (struct block){ .off = NO_BACKING };
    return b;
}

static void keep_block(struct block_cache *k, struct block *b)
{
    unsigned h = hash_of(b->off, b->mode);

    k->used += sizeof(struct block) + b->nr_ops * sizeof(struct op);
    b->hash_next = k->hash[h];
    k->hash[h] = b;
    k->stats.decoded++;
}

static u64 lin_after(const struct cpu *c, u64 lin, unsigned n)
{
    return (c->mode & MODE_CODE_MASK) == MODE_CODE64 ? lin + n : (u32)(lin + n);
}

static bool within_limit(const struct cpu *c, u64 last)
{
    return (c->mode & MODE_CODE_MASK) == MODE_CODE64 || last <= c->seg[CS].limit;
}

/* Behind the fetch of both pages of an instruction: where the second has driven the first out of the TLB, that is
 * fetched again, so that the present epoch is good for both. False: there is no room for both. */
static bool both_fetched(struct block_cache *k, u64 lin)
{
    u32 epoch = k->c->fetch_epoch;

    fetch_offset(k, lin);
    return k->c->fetch_epoch == epoch;
}

/* Fetches the second part. False: it is another one, and the block is dropped. */
static bool tail_holds(struct block_cache *k, const struct block *b, u64 lin)
{
    struct cpu *c = k->c;
    u64 tail = fetch_offset(k, lin_after(c, lin, (unsigned)(PAGE_SIZE - (lin & (PAGE_SIZE - 1)))));

    if (both_fetched(k, lin) && tail == b->tail && block_tail_same(c, b))
        return true;
    block_invalidate(k, b->off, 1);
    return false;
}

/* One instruction whose bytes cross a page or are not backed. */
static struct block *decode_apart(struct block_cache *k, u64 lin)
{
    struct cpu *c = k->c;
    struct block *b = alloc_block(k);
    struct op *op = &b->ops[0];
    enum decode_status s = DECODE_MORE;
    u64 first = NO_BACKING, tail = NO_BACKING;
    unsigned n = 0;

    /* Byte by byte, so that no page is touched that the instruction does not reach, or may not. */
    while (s == DECODE_MORE && n < MAX_INSN) {
        u64 at = lin_after(c, lin, n), off, *part = at >> PAGE_SHIFT == lin >> PAGE_SHIFT ? &first : &tail;

        if (!within_limit(c, c->rip + n))
            cpu_raise(c, EXC_GP, 0);
        off = fetch_byte(k, at, &b->raw[n]);
        if (*part == NO_BACKING)
            *part = off;
        s = insn_decode(&op->in, b->raw, ++n, c->mode);
    }
    if (s == DECODE_MORE)
        s = DECODE_TOO_LONG;
    op->fn = function_of(c, &op->in, s);
    b->nr_ops = 1;
    b->nr_bytes = (u16)n;
    b->mode = c->mode & DECODE_MODE;
    if (first != NO_BACKING && tail != NO_BACKING && s == DECODE_OK && c->cfg.tlb_capacity != 1 && both_fetched(k, lin)) {
        b->crosses = true;
        b->off = first;
        b->tail = tail;
        keep_block(k, b);
        own_page(k, b);
        mark_fetched(c, lin);
        mark_fetched(c, lin_after(c, lin, n - 1));
        return b;
    }
    k->apart = (struct fetched_apart){ b, lin, clock_icount(c->cfg.clk), c->nr_events };
    return b;
}

/* Whether that instruction has been begun and goes on: nothing has retired or happened since. */
static bool goes_on(const struct block_cache *k, u64 lin)
{
    const struct fetched_apart *a = &k->apart;
    const struct cpu *c = k->c;

    return a->b && a->lin == lin && a->icount == clock_icount(c->cfg.clk) &&
           a->events == c->nr_events && a->b->mode == (c->mode & DECODE_MODE);
}

static bool ends_block(const struct insn *in, enum decode_status s)
{
    return s != DECODE_OK || (isa_rows[in->row].attr & (A_BR | A_ENDS | A_MISSING));
}

/* The block at lin; NULL: its first instruction must be decoded apart, and nothing has been fetched. */
static struct block *kept_block(struct block_cache *k, u64 lin)
{
    struct cpu *c = k->c;
    u32 mode = c->mode & DECODE_MODE;
    u64 off;
    struct block *b;
    unsigned avail, n = 0, bytes = 0;
    const u8 *code;

    if (!within_limit(c, c->rip))
        cpu_raise(c, EXC_GP, 0);
    off = fetch_offset(k, lin);
    if (off == NO_BACKING)
        return NULL;
    for (b = k->hash[hash_of(off, mode)]; b; b = b->hash_next)
        if (b->off == off && b->mode == mode) {
            if (LIKELY(!b->crosses))
                return b;
            return within_limit(c, c->rip + b->nr_bytes - 1) && tail_holds(k, b, lin) ? b : NULL;
        }

    b = alloc_block(k);
    avail = (unsigned)(PAGE_SIZE - (off & (PAGE_SIZE - 1)));
    code = c->cfg.view->backing + off;
    while (n < k->max_insns && bytes < avail) {
        struct op *op = &b->ops[n];
        enum decode_status s = insn_decode(&op->in, code + bytes, avail - bytes, c->mode);

        if (s == DECODE_MORE)
            break;
        if (s == DECODE_TOO_LONG)
            op->in.len = (u8)(avail - bytes < MAX_INSN ? avail - bytes : MAX_INSN);
        op->fn = function_of(c, &op->in, s);
        bytes += op->in.len;
        n++;
        if (ends_block(&op->in, s))
            break;
    }
    if (n == 0)
        return NULL;
    b->off = off;
    b->mode = mode;
    b->nr_ops = (u16)n;
    b->nr_bytes = (u16)bytes;
    keep_block(k, b);
    own_page(k, b);
    mark_fetched(c, lin); /* again: this may have begun an epoch, which links to the block will be of */
    return b;
}

struct block *block_lookup(struct block_cache *k)
{
    u64 lin = cpu_lin_rip(k->c);
    struct block *b;

    if (UNLIKELY(goes_on(k, lin)))
        return k->apart.b;
    b = kept_block(k, lin);
    return b ? b : decode_apart(k, lin);
}

struct block *block_lookup_kept(struct block_cache *k)
{
    u64 lin = cpu_lin_rip(k->c);

    return UNLIKELY(goes_on(k, lin)) ? NULL : kept_block(k, lin);
}

/* A link stands for a lookup: the same linear address in the same mode (which holds the privilege),
 * and no translation has been dropped since, so the fetch would neither walk nor fault. */
struct block *block_lookup_from(struct block_cache *k, struct block *from)
{
    struct cpu *c = k->c;
    u64 lin = cpu_lin_rip(c), flushes = k->stats.flushes;
    struct block *to;

    if (!from || from->off == NO_BACKING)
        return block_lookup(k);
    for (int i = 0; i < 2; i++) {
        const struct block_link *l = &from->link[i];

        if (l->lin == lin && l->to && l->mode == c->mode && l->epoch == c->fetch_epoch &&
            !l->to->dead && (!l->to->crosses || block_tail_same(c, l->to)))
            return l->to;
    }
    to = block_lookup(k);
    if (to->off != NO_BACKING && k->stats.flushes == flushes) {
        from->link[from->link_turn & 1] = (struct block_link){ to, lin, c->mode, c->fetch_epoch };
        from->link_turn++;
    }
    return to;
}
