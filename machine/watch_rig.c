#include "machine/watch_rig.h"
#include "cpu/rig_engine.h"
#include "cpu/segment.h"
#include "mmu/mmu.h"
#include <stdlib.h>
#include <unistd.h>

enum {
    RAM = 1 << 20,
    PML4 = 0x10000,
    PDPT = 0x11000,
    PD = 0x12000,
    PTE_P_W = 3,
    PTE_PS = 1 << 7,
};

static void code_written(void *sink, u64 off, u64 len)
{
    struct watch_rig *r = sink;

    r->engine->code_changed(r->e, off, len);
}

struct watch_rig *watch_rig_create(const void *code, size_t len)
{
    struct watch_rig *r = calloc(1, sizeof(*r));
    struct cpu_config cfg = {.view = &r->view, .io = &r->io, .clk = &r->clk, .log = &r->log,
                              .features = ~0ull };

    r->log_file = open_memstream(&r->log_text, &r->log_len);
    clock_init(&r->clk);
    log_init(&r->log, r->log_file, 0);
    trace_init(&r->trace, r->log_file, &r->clk);
    bus_init(&r->io, "io", 0x10000, 1000, &r->clk, &r->log, &r->trace);
    bus_init(&r->mem, "mem", 0, 200, &r->clk, &r->log, &r->trace);
    assert_int_equal(mem_view_init(&r->view, RAM, &r->mem, &r->trace), 0);
    mem_view_add(&r->view, (struct mem_overlay){"ram", 0, RAM, 0, 0, 0, true});
    r->view.sink = r;
    r->view.code_written = code_written;
    r->engine = rig_engine(&cfg);
    assert_int_equal(cpu_init(&r->c, &cfg), 0);
    r->e = r->engine->create(&r->c);
    r->c.seg[CS].sel = 0;
    r->c.seg[CS].base = 0;
    r->c.rip = RIG_CODE;
    r->c.gpr[RSP] = RIG_STACK;
    memcpy(r->view.backing + RIG_CODE, code, len);
    return r;
}

void watch_rig_destroy(struct watch_rig *r)
{
    watch_rig_stop(r);
    r->engine->destroy(r->e);
    cpu_fini(&r->c);
    mem_view_fini(&r->view);
    bus_fini(&r->io);
    bus_fini(&r->mem);
    clock_fini(&r->clk);
    log_fini(&r->log);
    free(r->log_text);
    free(r->trace_text);
    free(r);
}

void watch_rig_poke(struct watch_rig *r, u64 pa, u64 value)
{
    store_le(r->view.backing + pa, value, 8);
}

static void load(struct watch_rig *r, unsigned seg, u16 sel)
{
    r->c.seg[seg] = seg_from_desc(sel, load_le(r->view.backing + RIG_GDT + (sel & ~7u), 8));
    seg_update_fast(&r->c.seg[seg]);
}

void watch_rig_protected(struct watch_rig *r)
{
    static const u64 gdt[] = {0,
                              0x00cf9b000000ffff,  /* RIG_CS32 */
                              0x00cf93000000ffff,  /* RIG_DS */
                              0x00209b0000000000,  /* RIG_CS64 */
                              0x00cffb000000ffff,  /* RIG_USER_CS */
                              0x00cff3000000ffff}; /* RIG_USER_DS */

    memcpy(r->view.backing + RIG_GDT, gdt, sizeof(gdt));
    r->c.gdtr = (struct dtable){RIG_GDT, RIG_GDT_LIMIT};
    r->c.idtr = (struct dtable){RIG_IDT, 0x7ff};
    r->c.cr0 |= CR0_PE;
    load(r, CS, RIG_CS32);
    for (unsigned s = 0; s < NR_SEGS; s++)
        if (s != CS)
            load(r, s, RIG_DS);
    cpu_update_mode(&r->c);
}

void watch_rig_long(struct watch_rig *r)
{
    watch_rig_protected(r);
    watch_rig_poke(r, PML4, PDPT | PTE_P_W);
    watch_rig_poke(r, PDPT, PD | PTE_P_W);
    watch_rig_poke(r, PD, PTE_P_W | PTE_PS);
    r->c.cr3 = PML4;
    r->c.cr4 |= CR4_PAE;
    r->c.msr.efer |= EFER_LME | EFER_LMA;
    r->c.cr0 |= CR0_PG;
    load(r, CS, RIG_CS64);
    mmu_flush_all(&r->c);
    cpu_update_mode(&r->c);
}

void watch_rig_start(struct watch_rig *r, u32 log_mask, bool traced)
{
    struct machine_config cfg = {0};
    char err[MACHINE_ERR_LEN] = "";
    int fd;

    r->log.mask = log_mask;
    if (traced) {
        snprintf(r->trace_path, sizeof(r->trace_path), "/tmp/kiln_trace_XXXXXX");
        fd = mkstemp(r->trace_path);
        assert_true(fd >= 0);
        close(fd);
        r->options.output = r->trace_path;
        cfg.insn_trace = &r->options;
    }
    r->observe = observe_create(&r->c, &r->clk, &r->log, &cfg, err);
    assert_string_equal(err, "");
    assert_non_null(r->observe);
    r->c.cfg.undefined = observe_undefined;
    r->c.cfg.undefined_h = r->observe;
}

enum stop_reason watch_rig_run(struct watch_rig *r, u64 ticks)
{
    clock_open_slice(&r->clk, ticks);
    return r->engine->run(r->e);
}

static char *read_trace(const char *path)
{
    FILE *f = fopen(path, "r");
    char *text = calloc(1, 1 << 20), *first_end;
    size_t n;

    assert_non_null(f);
    n = fread(text, 1, (1 << 20) - 1, f);
    fclose(f);
    text[n] = 0;
    first_end = strchr(text, '\n');
    assert_non_null(first_end);
    memmove(text, first_end + 1, strlen(first_end));
    return text;
}

void watch_rig_stop(struct watch_rig *r)
{
    if (!r->observe)
        return;
    observe_destroy(r->observe);
    r->observe = NULL;
    r->c.cfg.undefined = NULL;
    fclose(r->log_file);
    if (*r->trace_path) {
        r->trace_text = read_trace(r->trace_path);
        unlink(r->trace_path);
    }
}
