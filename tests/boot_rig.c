/*
 * A machine that boots a disk image, for tests in C.
 */
#include "tests/boot_rig.h"
#include "cpu/rig_engine.h"
#include "host/disk.h"
#include <stdlib.h>

void boot_rig_start(struct boot_rig *r, char *const files[3], const struct machine_config *cfg)
{
    struct machine_config full = *cfg;
    char err[1024];

    full.bios_path = files[0];
    full.vgabios_path = files[1];
    r->disk = disk_open(&(struct disk_request){.path = files[2], .snapshot = true}, stderr, err);
    if (getenv("KILN_ACCEL")) {
        struct cpu_config c = {0};

        full.engine = rig_engine(&c)->name;
        full.engine_options = c.engine;
        full.tlb_capacity = c.tlb_capacity;
    }
    full.disk[0] = r->disk ? disk_blockdev(r->disk) : NULL;
    r->m = r->disk ? machine_create(&full, err) : NULL;
    if (!r->m) {
        fprintf(stderr, "no machine: %s\n", err);
        exit(1);
    }
}

void boot_rig_end(struct boot_rig *r)
{
    machine_destroy(r->m);
    disk_close(r->disk);
}

u64 random_state(u64 seed)
{
    return seed * 0x9e3779b97f4a7c15ull + 1;
}

u64 random_below(u64 *state, u64 n)
{
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    return *state % n;
}
