/*
 * The emulator's side: see board.h.
 */
#include "tests/vectors/board.h"
#include "cpu/rig_engine.h"
#include "cpu/segment.h"
#include "mmu/mmu.h"

enum { MOST_TICKS = 200000 };

static void touch(struct board *b, u64 pa)
{
    ASSERT(pa < BOARD_RAM && b->nr_touched < BOARD_MAX_TOUCHED);
    b->touched[b->nr_touched++] = (u32)pa;
}

static void poke(struct board *b, u32 pa, u8 value)
{
    b->view.backing[pa] = value;
    mem_view_wrote(&b->view, pa, 1);
}

static void saw_access(void *h, struct cpu *c, u64 lin, u64 value, unsigned size, bool write)
{
    struct board *b = h;

    (void)c;
    (void)value;
    for (unsigned i = 0; write && i < size; i++)
        touch(b, lin + i);
}

static void saw_end(void *h, struct cpu *c, const struct insn *in)
{
    (void)c;
    (void)in;
    ((struct board *)h)->retired = true;
}

static void code_written(void *sink, u64 off, u64 len)
{
    struct board *b = sink;

    b->engine->code_changed(b->e, off, len);
}

int board_init(struct board *b)
{
    struct cpu_config cfg = { .view = &b->view, .io = &b->io, .clk = &b->clk, .log = &b->log,
                              .features = ~0ull };

    memset(b, 0, sizeof(*b));
    b->sink = fopen("/dev/null", "w");
    clock_init(&b->clk);
    log_init(&b->log, b->sink, 0);
    trace_init(&b->trace, b->sink, &b->clk);
    bus_init(&b->io, "io", 0x10000, 1000, &b->clk, &b->log, &b->trace);
    bus_init(&b->mem, "mem", 0, 200, &b->clk, &b->log, &b->trace);
    if (!b->sink || mem_view_init(&b->view, BOARD_RAM, &b->mem, &b->trace))
        return -1;
    mem_view_add(&b->view, (struct mem_overlay){ "ram", 0, BOARD_RAM, 0, 0, 0, true });
    b->view.sink = b;
    b->view.code_written = code_written;
    b->engine = rig_engine(&cfg);
    if (cpu_init(&b->c, &cfg) || !(b->e = b->engine->create(&b->c)))
        return -1;
    b->observer = (struct cpu_observer){ .after = saw_end, .mem = saw_access, .h = b };
    cpu_observe(&b->c, &b->observer);
    return 0;
}

void board_fini(struct board *b)
{
    b->engine->destroy(b->e);
    cpu_fini(&b->c);
    mem_view_fini(&b->view);
    bus_fini(&b->io);
    bus_fini(&b->mem);
    clock_fini(&b->clk);
    log_fini(&b->log);
    fclose(b->sink);
}

static const u8 gpr_of[NR_MOO_REGS] = {
    [MOO_AX] = RAX, [MOO_BX] = RBX, [MOO_CX] = RCX, [MOO_DX] = RDX,
    [MOO_SP] = RSP, [MOO_BP] = RBP, [MOO_SI] = RSI, [MOO_DI] = RDI,
};
static const u8 seg_of[NR_MOO_REGS] = { [MOO_CS] = CS, [MOO_SS] = SS, [MOO_DS] = DS, [MOO_ES] = ES };

void board_load(struct board *b, const struct moo_state *s)
{
    struct cpu *c = &b->c;

    cpu_reset(c);
    for (u32 i = 0; i < s->nr_ram; i++) {
        touch(b, s->ram[i].addr);
        poke(b, s->ram[i].addr, s->ram[i].value);
    }
    for (int r = MOO_AX; r <= MOO_DI; r++)
        if (r >= MOO_CS && r <= MOO_ES)
            seg_load_real(c, seg_of[r], s->reg[r]);
        else
            c->gpr[gpr_of[r]] = s->reg[r];
    c->rip = c->next_rip = s->reg[MOO_IP];
    /* A 286 has no NT and IOPL in real mode: the suite's README says to leave them out. */
    cpu_set_flags(c, (s->reg[MOO_FLAGS] & 0x0fd5) | F_1);
    cpu_update_mode(c);
}

struct ending board_run(struct board *b)
{
    struct cpu *c = &b->c;
    struct ending e = { 0 };
    u64 events = c->nr_events;

    b->retired = false;
    for (unsigned tick = 0; !b->retired && c->nr_events == events; tick++) {
        if (tick == MOST_TICKS) {
            e.hung = true;
            return e;
        }
        clock_open_slice(&b->clk, clock_ticks(&b->clk) + 1);
        e.shutdown = b->engine->run(b->e) == STOP_TRIPLE;
    }
    e.exception = c->nr_events != events;
    if (e.exception)
        e.vector = c->events[(c->nr_events - 1) % EVENT_RING].vector;
    return e;
}

u16 board_reg(const struct board *b, enum moo_reg r)
{
    switch (r) {
    case MOO_IP: return (u16)b->c.rip;
    case MOO_FLAGS: return (u16)cpu_flags(&b->c);
    case MOO_CS: case MOO_SS: case MOO_DS: case MOO_ES: return b->c.seg[seg_of[r]].sel;
    default: return (u16)b->c.gpr[gpr_of[r]];
    }
}

bool board_clean(struct board *b, bool thorough)
{
    for (u32 i = 0; i < b->nr_touched; i++)
        poke(b, b->touched[i], 0);
    b->nr_touched = 0;
    for (u64 at = 0; thorough && at < BOARD_RAM; at += 8)
        if (load_le(b->view.backing + at, 8))
            return false;
    return true;
}
