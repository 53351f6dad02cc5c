/*
 * Both engines at random points of one boot: their state hashes must be equal at each. Unlike in lock
 * step (machine/lockstep.h) each runs as it does in earnest, with blocks linked and from one point to the
 * next in one go; where a run ends is up to a tick, so also between the elements of a repeated string
 * instruction, in the shadow of an STI, before an interrupt, or right behind an access to a device.
 *
 *     points SPARK.bin VGABIOS.bin DISK.img ENGINE[,KEY=VALUE ..] POINTS INSTRUCTIONS SEED [RAM_MIB]
 *
 * Half of the points are just random. The others are looked for from a random point on: the interpreter is
 * stepped until it is in such a place, and the other engine is sent there. Keys are typed in the last part,
 * where the guest has booted.
 */
#include "core/clock.h"
#include "core/input.h"
#include "cpu/cpu.h"
#include "machine/lin_peek.h"
#include "machine/pc.h"
#include "mmu/mmu.h"
#include "tests/boot_rig.h"
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

enum { FAR = 200000, NR_KEYS = 40 }; /* steps that a place is looked for; keys */

enum place { ANYWHERE, IN_REP, IN_SHADOW, AT_EVENT, AT_MMIO, AT_PORT, NR_PLACES };
static const char *const place_names[] = { "anywhere", "inside a repeated instruction", "in a shadow", "at an event",
                                           "behind MMIO", "behind a port" };

static struct boot_rig tested, reference;
static u64 rng;

/* The TLB's size is part of what the machine is: the second gets the first's. */
static void start(struct boot_rig *r, char **argv, char *engine, u64 ram_mib, u32 tlb_capacity)
{
    struct machine_config cfg = { 0 };
    char *rest;

    machine_config_defaults(&cfg);
    cfg.ram_bytes = ram_mib << 20;
    cfg.reset_on_triple_fault = true;
    cfg.tlb_capacity = tlb_capacity;
    cfg.engine = strtok_r(engine, ",", &rest);
    for (char *key; (key = strtok_r(NULL, ",", &rest));) {
        char *value = strchr(key, '=');

        if (value)
            *value++ = 0;
        if (!engine_option(&cfg.engine_options, &cfg.tlb_capacity, key, value)) {
            fprintf(stderr, "points: no engine has '%s'\n", key);
            exit(2);
        }
    }
    boot_rig_start(r, argv + 1, &cfg);
}

static bool run_to(struct boot_rig *r, u64 ticks, u64 icount)
{
    while (machine_ticks(r->m) < ticks && machine_icount(r->m) < icount) {
        enum machine_stop stop = machine_run(r->m, &(struct machine_limit){ .max_ticks = ticks, .max_icount = icount,
                                                                            .until_port = -1 });

        if (stop != MACHINE_SLICE_DONE && stop != MACHINE_IDLE && stop != MACHINE_RESET) {
            printf("the guest has ended (%d) at tick %" PRIu64 "\n", stop, machine_ticks(r->m));
            return false;
        }
    }
    return true;
}

static bool at_repeated(struct cpu *c)
{
    u8 bytes[4];
    unsigned n = lin_peek(c, cpu_lin_rip(c), bytes, sizeof(bytes)), i = 0;
    bool rep = false;

    for (; i < n && (bytes[i] == 0xf3 || bytes[i] == 0xf2 || bytes[i] == 0x66 || (bytes[i] & 0xf0) == 0x40); i++)
        rep |= bytes[i] == 0xf3 || bytes[i] == 0xf2;
    return rep && i < n && ((bytes[i] >= 0xa4 && bytes[i] <= 0xa7) || (bytes[i] >= 0xaa && bytes[i] <= 0xaf));
}

/* Steps the reference until it is in such a place. */
static bool find_place(enum place place)
{
    struct pc *pc = machine_pc(reference.m);
    struct cpu *c = &pc->cpu;

    for (unsigned i = 0; i < FAR; i++) {
        u64 icount = machine_icount(reference.m), ticks = machine_ticks(reference.m), events = c->nr_events;
        u64 mem = pc->mem.nr_accesses, io = pc->io.nr_accesses;
        bool repeated = !c->halted && at_repeated(c);

        if (place == IN_REP && repeated) { /* a tick only */
            if (!run_to(&reference, ticks + 1, UINT64_MAX))
                return false;
        } else if (!run_to(&reference, UINT64_MAX, icount + 1)) {
            return false;
        }
        if ((place == IN_REP && repeated && machine_icount(reference.m) == icount) || (place == IN_SHADOW && c->shadow) ||
            (place == AT_EVENT && c->nr_events != events) || (place == AT_MMIO && pc->mem.nr_accesses != mem) ||
            (place == AT_PORT && pc->io.nr_accesses != io))
            return true;
    }
    return false;
}

static void tell_difference(void)
{
    struct pc *p = machine_pc(reference.m), *q = machine_pc(tested.m);
    unsigned shown = 0;

    printf("ticks %" PRIu64 " %" PRIu64 ", instructions %" PRIu64 " %" PRIu64 "; expected and got:\n",
           machine_ticks(reference.m), machine_ticks(tested.m), machine_icount(reference.m), machine_icount(tested.m));
    if (tlb_hash(p->cpu.tlb, 0) != tlb_hash(q->cpu.tlb, 0))
        printf("the TLBs differ\n");
    state_diff(stdout, "cpu", &cpu_state, &p->cpu, &q->cpu);
    for (unsigned i = 0; i < p->nr_devices; i++)
        if (p->devices[i]->class->state)
            state_diff(stdout, p->devices[i]->class->name, p->devices[i]->class->state, p->devices[i], q->devices[i]);
    for (u64 off = 0; off < p->view.backing_size && shown < 8; off++)
        if (p->view.backing[off] != q->view.backing[off]) {
            printf("memory %08" PRIx64 "h: %02x %02x\n", off, p->view.backing[off], q->view.backing[off]);
            shown++;
        }
}

static void type(u64 n)
{
    static const u16 keys[] = { 0x32, 0x12, 0x32, 0x1c, 0x23, 0x12, 0x26, 0x19, 0x1c }; /* mem, help */

    input_push(machine_input(reference.m), INPUT_KEY, keys[n / 2 % ARRAY_LEN(keys)], !(n & 1), 0);
    input_push(machine_input(tested.m), INPUT_KEY, keys[n / 2 % ARRAY_LEN(keys)], !(n & 1), 0);
}

int main(int argc, char **argv)
{
    u64 points = argc > 5 ? strtoull(argv[5], NULL, 0) : 0, span = argc > 6 ? strtoull(argv[6], NULL, 0) : 0;
    u64 seed = argc > 7 ? strtoull(argv[7], NULL, 0) : 1, ram_mib = argc > 8 ? strtoull(argv[8], NULL, 0) : 64;
    u64 nr[NR_PLACES] = { 0 }, keys = 0, n;
    char interp[] = "interp";

    if (!points || !span) {
        fprintf(stderr, "usage: points BIOS VGABIOS DISK ENGINE POINTS INSTRUCTIONS SEED [RAM_MIB]\n");
        return 2;
    }
    rng = random_state(seed);
    start(&tested, argv, argv[4], ram_mib, 0);
    start(&reference, argv, interp, ram_mib, machine_config_of(tested.m)->tlb_capacity);
    for (n = 0; n < points; n++) {
        u64 part = span / points, at = n * part + random_below(&rng, part);
        enum place place = random_below(&rng, 2) ? ANYWHERE : IN_REP + random_below(&rng, NR_PLACES - 1);

        if (!run_to(&reference, UINT64_MAX, at))
            break;
        if (place != ANYWHERE && !find_place(place))
            place = ANYWHERE;
        if (!run_to(&tested, machine_ticks(reference.m), UINT64_MAX))
            break;
        if (machine_state_hash(tested.m) != machine_state_hash(reference.m) ||
            machine_icount(tested.m) != machine_icount(reference.m)) {
            printf("FAILED: point %" PRIu64 " (%s), seed %" PRIu64 "\n", n, place_names[place], seed);
            tell_difference();
            return 1;
        }
        nr[place]++;
        if (n * 20 > points * 17 && keys < NR_KEYS)
            type(keys++);
    }
    printf("%" PRIu64 " points, seed %" PRIu64 ", %" PRIu64 " instructions, %" PRIu64 " ticks: equal state hashes\n", n, seed,
           machine_icount(reference.m), machine_ticks(reference.m));
    for (unsigned i = 0; i < NR_PLACES; i++)
        printf("  %" PRIu64 " %s\n", nr[i], place_names[i]);
    boot_rig_end(&tested);
    boot_rig_end(&reference);
    if (n < points * 9 / 10 || (points >= 100 && (!nr[IN_REP] || !nr[IN_SHADOW] || !nr[AT_EVENT] || !nr[AT_MMIO]))) {
        printf("FAILED: too few points, or none of a kind\n");
        return 1;
    }
    return 0;
}
