/*
 * -kernel, -initrd, -append: a file that says it is a multiboot kernel. The loader reads it all,
 * or refuses it with a message; it asks the host for no more memory than the guest has.
 */
#include "machine/kernel_image.h"
#include "tests/fuzz/fuzz.h"

enum { CAP = 64 << 10, SAMPLE_MAX = CAP / 2 };
static u8 sample[SAMPLE_MAX];
static size_t sample_len;

static void open_sample(const char *only)
{
    (void)only;
    sample_len = fuzz_sample(sample, sizeof(sample));
}

/* The board, as far as the loader looks at it. */
static struct pc *board(struct log *log)
{
    struct pc *pc = calloc(1, sizeof(*pc));
    char err[160];

    ASSERT(pc);
    clock_init(&pc->clk);
    bus_init(&pc->io, "io", 0x10000, 0, &pc->clk, log, NULL);
    pc->env = (struct dev_env){ .io = &pc->io, .clk = &pc->clk, .log = log };
    pc->low_ram = 8 << 20;
    ASSERT(dev_init(&pc->fw_cfg.dev, &fw_cfg_class, &pc->env, &(struct fw_cfg_cfg){ 0 }, err) == 0);
    return pc;
}

static u64 run(const u8 *bytes, size_t len)
{
    static const char *const initrds[] = { NULL, "%s", "%s a b,%s", "%s,", ",", "/nowhere", "%s,%s,%s,%s" };
    struct log log;
    struct pc *pc;
    struct fuzz_file file, rom;
    struct machine_config cfg = { 0 };
    char err[MACHINE_ERR_LEN] = "", initrd[300];

    if (len < 1)
        return 0;
    stderr = fuzz_quiet();
    log_init(&log, fuzz_quiet(), 0);
    pc = board(&log);
    file = fuzz_file(bytes + 1, len - 1);
    rom = fuzz_file(bytes, 1);
    cfg.kernel = file.path;
    cfg.kernel_rom_path = rom.path;
    cfg.append = bytes[0] & 0x80 ? "a=b c" : NULL;
    if (initrds[bytes[0] % ARRAY_LEN(initrds)]) {
        const char *p = file.path;

        snprintf(initrd, sizeof(initrd), initrds[bytes[0] % ARRAY_LEN(initrds)], p, p, p, p);
        cfg.initrd = initrd;
    }
    if (kernel_image_load(pc, &cfg, err))
        FUZZ_CHECK(err[0] && strlen(err) > 10);
    else
        FUZZ_CHECK(pc->fw_cfg.nr_items > 3);
    dev_fini(&pc->fw_cfg.dev);
    bus_fini(&pc->io);
    clock_fini(&pc->clk);
    log_fini(&log);
    fuzz_file_close(&file);
    fuzz_file_close(&rom);
    free(pc);
    return 1;
}

/* The sample, or a header with addresses, before anything. */
static size_t make(u64 *rng, u8 *out)
{
    size_t len = 1 + sample_len;

    fuzz_fill(rng, out, 1);
    memcpy(out + 1, sample, sample_len);
    if (fuzz_below(rng, 3) == 0) {
        u32 flags = 0x10000 | fuzz_below(rng, 8), at = 4 * fuzz_below(rng, 100), pa = 0x100000;
        u8 *h = out + 1 + at;

        len = 1 + at + 32 + fuzz_below(rng, 2000);
        memset(out + 1, 0, len - 1);
        store_le(h, 0x1badb002, 4);
        store_le(h + 4, flags, 4);
        store_le(h + 8, 0u - 0x1badb002 - flags, 4);
        store_le(h + 12, pa + at, 4);
        store_le(h + 16, pa, 4);
        store_le(h + 20, fuzz_below(rng, 2) ? 0 : pa + len - 1, 4);
        store_le(h + 24, pa + fuzz_below(rng, 0x1000000), 4);
        store_le(h + 28, pa + 32, 4);
        if (fuzz_below(rng, 2)) /* one of the addresses is anything */
            fuzz_fill(rng, h + 12 + 4 * fuzz_below(rng, 5), 4);
        return len;
    }
    return fuzz_mutate(rng, out, len, CAP);
}

const struct fuzz_target fuzz_target = { "kernel", "files", CAP, open_sample, run, make };
