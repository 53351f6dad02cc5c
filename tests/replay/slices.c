/*
 * Where slices end changes nothing: the state hash along a boot is the same whether the machine
 * runs from one key to the next in one go, or in slices of random length, with HLT waited for in
 * random portions, its screen looked at and its state hashed on the way. That is what recording
 * and replay rest on: host input is polled between slices whose ends depend on the host's speed.
 *
 *     slices SPARK.bin VGABIOS.bin DISK.img [SEED [INSTRUCTIONS [RAM_MIB]]]
 */
#include "core/clock.h"
#include "cpu/cpu.h"
#include "machine/pc.h"
#include "tests/boot_rig.h"
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

enum { NR_POINTS = 40 }; /* a key and a comparison at each */

struct rig {
    struct boot_rig boot;
    struct machine *m; /* boot's */
    u64 in_rep, in_shadow, in_hlt, slices; /* slice ends that were hard ones */
};

static u64 rng;

static u64 below(u64 n)
{
    return random_below(&rng, n);
}

static void start(struct rig *r, char **argv, u64 ram_mib)
{
    struct machine_config cfg = {0};

    *r = (struct rig){0};
    machine_config_defaults(&cfg);
    cfg.ram_bytes = ram_mib << 20;
    cfg.reset_on_triple_fault = true;
    boot_rig_start(&r->boot, argv + 1, &cfg);
    r->m = r->boot.m;
}

static void check_stop(struct rig *r, enum machine_stop stop)
{
    if (stop == MACHINE_SLICE_DONE || stop == MACHINE_IDLE || stop == MACHINE_RESET)
        return;
    fprintf(stderr, "slices: the machine stopped with %d at %" PRIu64 "\n", stop,
            machine_icount(r->m));
    exit(1);
}

static void run_whole(struct rig *r, u64 ticks)
{
    while (machine_ticks(r->m) < ticks)
        check_stop(r, machine_run(r->m, &(struct machine_limit){ticks, UINT64_MAX, false, -1}));
}

static void look(struct rig *r)
{
    static char text[65536];
    static u32 px[SCREEN_MAX_W * SCREEN_MAX_H];
    struct screen s = {.px = px};

    switch (below(30000)) {
    case 0: machine_screen_text(r->m, text, sizeof(text)); break;
    case 1: machine_render(r->m, &s); break;
    case 2: machine_state_hash(r->m); break;
    }
}

static void run_sliced(struct rig *r, u64 ticks)
{
    u64 longest = 2ull << below(14);

    while (machine_ticks(r->m) < ticks) {
        const struct cpu *c = machine_cpu(r->m);
        u64 until = machine_ticks(r->m) + 1 + below(longest), icount = machine_icount(r->m);
        bool halted = c->halted;
        struct machine_limit limit = {until < ticks ? until : ticks, UINT64_MAX, below(2), -1};
        enum machine_stop stop = machine_run(r->m, &limit);

        check_stop(r, stop);
        r->slices++;
        if (stop == MACHINE_IDLE) { /* the wall clock has come to somewhere in the wait */
            limit.wait_in_hlt = false;
            check_stop(r, machine_run(r->m, &limit));
            r->in_hlt++;
        }
        r->in_rep += !halted && machine_icount(r->m) == icount;
        r->in_shadow += c->shadow;
        look(r);
        if (below(100000) == 0)
            longest = 2ull << below(14);
    }
}

static void tell_difference(struct rig *a, struct rig *b)
{
    struct pc *p = machine_pc(a->m), *q = machine_pc(b->m);
    unsigned shown = 0;

    state_diff(stdout, "cpu", &cpu_state, &p->cpu, &q->cpu);
    for (unsigned i = 0; i < p->nr_devices; i++)
        if (p->devices[i]->class->state)
            state_diff(stdout, p->devices[i]->class->name, p->devices[i]->class->state,
                       p->devices[i], q->devices[i]);
    for (u64 off = 0; off < p->view.backing_size && shown < 8; off++)
        if (p->view.backing[off] != q->view.backing[off]) {
            printf("memory %08" PRIx64 "h: %02x, sliced %02x\n", off, p->view.backing[off],
                   q->view.backing[off]);
            shown++;
        }
}

int main(int argc, char **argv)
{
    u64 seed = argc > 4 ? strtoull(argv[4], NULL, 0) : 1;
    u64 total = argc > 5 ? strtoull(argv[5], NULL, 0) : 40000000;
    u64 ram_mib = argc > 6 ? strtoull(argv[6], NULL, 0) : 16;
    u64 step = total / NR_POINTS;
    static const u16 keys[] = {0x32, 0x12, 0x32, 0x1c, 0xe050, 0x23, 0xe048}; /* m e m Enter ... */
    struct rig whole, sliced;

    if (argc < 4) {
        fprintf(stderr, "usage: slices BIOS VGABIOS DISK [SEED [TICKS [RAM_MIB]]]\n");
        return 2;
    }
    rng = random_state(seed);
    start(&whole, argv, ram_mib);
    start(&sliced, argv, ram_mib);
    for (u64 i = 1; i <= NR_POINTS; i++) {
        u64 a, b;

        run_whole(&whole, i * step);
        run_sliced(&sliced, i * step);
        a = machine_state_hash(whole.m);
        b = machine_state_hash(sliced.m);
        if (a != b || machine_icount(whole.m) != machine_icount(sliced.m)) {
            printf("FAILED: after %" PRIu64 " ticks the hashes are %016" PRIx64 " and %016" PRIx64
                   ", the counts %" PRIu64 " and %" PRIu64 "\n", i * step, a, b,
                   machine_icount(whole.m), machine_icount(sliced.m));
            tell_difference(&whole, &sliced);
            return 1;
        }
        for (struct rig *r = &whole;; r = &sliced) {
            input_push(machine_input(r->m), INPUT_KEY, keys[i / 2 % ARRAY_LEN(keys)], i & 1, 0);
            if (r == &sliced)
                break;
        }
    }
    printf("%" PRIu64 " ticks, %" PRIu64 " instructions: equal in %" PRIu64 " slices, of which %"
           PRIu64 " ended inside a repeated instruction, %" PRIu64 " in a shadow, %" PRIu64
           " in HLT\n", machine_ticks(whole.m), machine_icount(whole.m), sliced.slices,
           sliced.in_rep, sliced.in_shadow, sliced.in_hlt);
    boot_rig_end(&whole.boot);
    boot_rig_end(&sliced.boot);
    if (sliced.in_rep < 100) {
        printf("FAILED: too few hard slice ends to prove anything\n");
        return 1;
    }
    return 0;
}
