/*
 * Points, steps and memory for debuggers. See machine/debug.h; registers are in debug_regs.c.
 */
#include "machine/debug.h"
#include "machine/pc.h"

/* ---- points and steps ---- */

/* Attached only while there is something to look for: an idle debugger costs nothing. */
static void attach(struct pc *pc)
{
    bool wanted = pc->debug.nr_points || pc->debug.stepping;

    cpu_debug_attach(&pc->cpu, wanted ? &pc->debug : NULL);
}

static struct debug_point *find(struct cpu_debug *d, const struct debug_point *p)
{
    for (unsigned i = 0; i < d->nr_points; i++) {
        struct debug_point *q = &d->point[i];

        if (q->lin == p->lin && q->len == p->len && q->access == p->access && q->tag == p->tag)
            return q;
    }
    return NULL;
}

bool machine_debug_insert(struct machine *m, const struct debug_point *p)
{
    struct pc *pc = machine_pc(m);
    struct cpu_debug *d = &pc->debug;

    if (find(d, p))
        return true;
    if (d->nr_points == DEBUG_MAX_POINTS || p->len == 0 || p->len > 1ull << 32 || !p->access)
        return false;
    d->point[d->nr_points++] = *p;
    attach(pc);
    return true;
}

bool machine_debug_remove(struct machine *m, const struct debug_point *p)
{
    struct pc *pc = machine_pc(m);
    struct cpu_debug *d = &pc->debug;

    struct debug_point *q = find(d, p);

    if (!q)
        return false;
    *q = d->point[--d->nr_points];
    attach(pc);
    return true;
}

void machine_debug_clear(struct machine *m)
{
    struct pc *pc = machine_pc(m);

    pc->debug = (struct cpu_debug){0};
    attach(pc);
}

void machine_debug_resume(struct machine *m, bool step)
{
    struct pc *pc = machine_pc(m);
    struct cpu_debug *d = &pc->debug;

    d->why = DEBUG_NOTHING;
    d->stepping = step;
    d->step_icount = d->skip_icount = clock_icount(&pc->clk);
    d->step_events = pc->cpu.nr_events;
    d->skip_lin = cpu_lin_rip(&pc->cpu);
    d->skip_rsp = pc->cpu.gpr[RSP];
    attach(pc);
}

struct debug_hit machine_debug_hit(struct machine *m)
{
    const struct cpu_debug *d = &machine_pc(m)->debug;

    return (struct debug_hit){d->why, d->hit_tag, d->hit_lin};
}

/* ---- memory ---- */

enum { VGA_WINDOW = 0xa0000, VGA_WINDOW_END = 0xc0000 };

/* The display's window as the processor would read it. Its reads change the card's latches, so
 * these are put back. */
static u64 peek_vga(struct pc *pc, u64 pa, u8 *dst, u64 len)
{
    const struct bus_region *window = &pc->vga.window;
    u8 latch[sizeof(pc->vga.latch)];
    u64 n;

    memcpy(latch, pc->vga.latch, sizeof(latch));
    for (n = 0; n < len && pa + n < VGA_WINDOW_END; n++)
        dst[n] = (u8)window->ops->read(window->dev, pa + n - VGA_WINDOW, 1);
    memcpy(pc->vga.latch, latch, sizeof(latch));
    return n;
}

u64 machine_peek_phys(struct machine *m, u64 pa, void *dst, u64 len)
{
    struct pc *pc = machine_pc(m);
    u64 done = 0;

    while (done < len) {
        u64 at = (pa + done) & pc->view.a20_mask, n = PAGE_SIZE - (at & (PAGE_SIZE - 1));
        u8 *to = (u8 *)dst + done;

        if (n > len - done)
            n = len - done;
        if (at >= VGA_WINDOW && at < VGA_WINDOW_END &&
            mem_view_page(&pc->view, at).read_off == MEM_BUS)
            peek_vga(pc, at, to, n);
        else if (mem_view_read_bytes(&pc->view, at, to, n) != n)
            break;
        done += n;
    }
    return done;
}

bool machine_linear_to_phys(struct machine *m, u64 lin, u64 *pa)
{
    struct cpu *c = &machine_pc(m)->cpu;

    return cpu_peek_translate(c, c->mode & MODE_LMA ? lin : (u32)lin, pa);
}

static u64 write_phys(struct machine *m, u64 pa, const void *src, u64 len)
{
    struct pc *pc = machine_pc(m);

    return mem_view_write_bytes(&pc->view, pa & pc->view.a20_mask, src, len);
}

/* Page by page, since neighbours in linear memory need not be so in physical memory. */
u64 machine_read_linear(struct machine *m, u64 lin, void *dst, u64 len)
{
    u64 done = 0, pa;

    while (done < len && machine_linear_to_phys(m, lin + done, &pa)) {
        u64 n = PAGE_SIZE - (pa & (PAGE_SIZE - 1)), got;

        n = n < len - done ? n : len - done;
        got = machine_peek_phys(m, pa, (u8 *)dst + done, n);
        done += got;
        if (got < n)
            break;
    }
    return done;
}

bool machine_may_change(struct machine *m)
{
    return !input_is_strict(machine_input(m));
}

u64 machine_write_linear(struct machine *m, u64 lin, const void *src, u64 len)
{
    u64 done = 0, pa;

    if (!machine_may_change(m))
        return 0;

    while (done < len && machine_linear_to_phys(m, lin + done, &pa)) {
        u64 n = PAGE_SIZE - (pa & (PAGE_SIZE - 1)), got;

        n = n < len - done ? n : len - done;
        got = write_phys(m, pa, (const u8 *)src + done, n);
        done += got;
        if (got < n)
            break;
    }
    return done;
}
