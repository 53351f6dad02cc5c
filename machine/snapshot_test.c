/*
 * Saved machines: a loaded machine goes on as the saved one, also inside a repeated string
 * instruction; what is damaged or cannot be is refused, and leaves a running machine as it was.
 */
#include "machine/snapshot.h"
#include "machine/identity.h"
#include "machine/pc.h"
#include "machine/snapshot_file.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

enum { BIOS_LEN = 64 << 10, SECTORS = 64, RAM = 2 << 20 };

/* At F000:FFF0 a jump to 0; there stores without end, each round with another byte:
 * xor ax, ax; mov es, ax; L: mov di, 600h; mov cx, 8000h; rep stosb; inc ax; out 80h, al; jmp L */
static const u8 reset_vector[] = { 0xe9, 0x0d, 0x00 };
static const u8 program[] = { 0x31, 0xc0, 0x8e, 0xc0, 0xbf, 0x00, 0x06, 0xb9, 0x00, 0x80, 0xf3, 0xaa,
                              0x40, 0xe6, 0x80, 0xeb, 0xf3 };

static char dir[] = "/tmp/kiln-snapshot-XXXXXX", bios[80], file[80], other[80];

/* A disk that keeps its writes apart from an image of zeros. */
struct apart {
    struct blockdev dev, under;
    u8 sector[SECTORS][SECTOR_SIZE];
    bool written[SECTORS];
};

static int zeros_read(void *h, u64 lba, u32 n, void *dst)
{
    (void)h;
    (void)lba;
    memset(dst, 0, n * SECTOR_SIZE);
    return 0;
}

static int apart_read(void *h, u64 lba, u32 n, void *dst)
{
    struct apart *a = h;

    memcpy(dst, a->sector[lba], n * SECTOR_SIZE);
    return 0;
}

static int apart_write(void *h, u64 lba, u32 n, const void *src)
{
    struct apart *a = h;

    ASSERT(lba + n <= SECTORS);
    memcpy(a->sector[lba], src, n * SECTOR_SIZE);
    for (u32 i = 0; i < n; i++)
        a->written[lba + i] = true;
    return 0;
}

static int apart_visit(void *h, int (*each)(void *, u64, u32, const void *), void *sink)
{
    struct apart *a = h;

    for (u64 i = 0; i < SECTORS; i++)
        if (a->written[i] && each(sink, i, 1, a->sector[i]))
            return -1;
    return 0;
}

static void apart_forget(void *h)
{
    struct apart *a = h;

    memset(a->sector, 0, sizeof(a->sector));
    memset(a->written, 0, sizeof(a->written));
}

static struct machine *make(struct apart *a, u64 ram)
{
    struct machine_config cfg = { 0 };
    char err[MACHINE_ERR_LEN];
    struct machine *m;

    machine_config_defaults(&cfg);
    cfg.ram_bytes = ram;
    cfg.bios_path = bios;
    *a = (struct apart){ .under = { .read = zeros_read, .nr_sectors = SECTORS } };
    a->dev = (struct blockdev){ .read = apart_read, .write = apart_write, .nr_sectors = SECTORS,
                                .h = a, .under = &a->under, .visit = apart_visit,
                                .forget = apart_forget };
    cfg.disk[0] = &a->dev;
    m = machine_create(&cfg, err);
    assert_non_null(m);
    return m;
}

static void run_to(struct machine *m, u64 ticks)
{
    struct machine_limit limit = { .max_ticks = ticks, .max_icount = UINT64_MAX, .until_port = -1 };

    assert_int_equal(machine_run(m, &limit), MACHINE_SLICE_DONE);
}

static void save_to(struct machine *m, const char *path)
{
    char err[MACHINE_ERR_LEN];

    if (snapshot_save(m, path, err))
        fail_msg("%s", err);
}

static void refused(struct machine *m, const char *path, const char *why)
{
    char err[MACHINE_ERR_LEN] = "";
    u64 before = machine_state_hash(m);

    assert_int_equal(snapshot_load(m, path, err), -1);
    if (!strstr(err, why))
        fail_msg("'%s' does not say '%s'", err, why);
    assert_int_equal(machine_state_hash(m), before);
}

static u8 *contents(const char *path, size_t *len)
{
    FILE *f = fopen(path, "rb");
    u8 *p = malloc(1 << 20);

    assert_non_null(f);
    *len = fread(p, 1, 1 << 20, f);
    fclose(f);
    return p;
}

static void store(const char *path, const void *bytes, size_t len)
{
    FILE *f = fopen(path, "wb");

    assert_non_null(f);
    assert_int_equal(fwrite(bytes, 1, len, f), len);
    fclose(f);
}

static int setup(void **state)
{
    u8 *image = calloc(1, BIOS_LEN);

    (void)state;
    assert_non_null(mkdtemp(dir));
    snprintf(bios, sizeof(bios), "%s/bios", dir);
    snprintf(file, sizeof(file), "%s/a.kiln", dir);
    snprintf(other, sizeof(other), "%s/b.kiln", dir);
    memcpy(image, program, sizeof(program));
    memcpy(image + 0xfff0, reset_vector, sizeof(reset_vector));
    store(bios, image, BIOS_LEN);
    free(image);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    unlink(bios);
    unlink(file);
    unlink(other);
    return rmdir(dir); /* nothing else may be left in it */
}

static void a_loaded_machine_goes_on_as_the_saved_one(void **state)
{
    static struct apart a, b;
    char err[MACHINE_ERR_LEN];
    unsigned inside = 0;

    (void)state;
    for (u64 tick = 0; tick < 6000; tick += 331) {
        struct machine *m = make(&a, RAM), *n = make(&b, RAM);
        u8 sector[SECTOR_SIZE] = { (u8)tick, 1 };

        run_to(m, tick);
        inside += machine_cpu(m)->rip == 10 && machine_cpu(m)->gpr[RCX] != 0x8000;
        a.dev.write(&a, 3, 1, sector);
        b.dev.write(&b, 9, 1, sector); /* which the load takes back */
        save_to(m, file);
        if (tick % 2) /* into a machine that has been elsewhere */
            run_to(n, 10 * tick);
        if (snapshot_load(n, file, err))
            fail_msg("%s", err);
        assert_int_equal(machine_state_hash(n), machine_state_hash(m));
        assert_memory_equal(a.sector, b.sector, sizeof(a.sector));
        run_to(m, 20000);
        run_to(n, 20000);
        assert_int_equal(machine_icount(n), machine_icount(m));
        assert_int_equal(machine_state_hash(n), machine_state_hash(m));
        save_to(m, file);
        save_to(n, other);
        {
            size_t la, lb;
            u8 *pa = contents(file, &la), *pb = contents(other, &lb);

            assert_int_equal(la, lb);
            assert_memory_equal(pa, pb, la); /* equal machines make equal files */
            free(pa);
            free(pb);
        }
        machine_destroy(m);
        machine_destroy(n);
    }
    assert_true(inside > 3); /* of a rep stosb, that is */
}

static void another_machine_is_refused(void **state)
{
    static struct apart a, b;
    struct machine *m = make(&a, RAM), *n = make(&b, RAM / 2);
    char err[MACHINE_ERR_LEN];

    (void)state;
    save_to(m, file);
    refused(n, file, "its memory is '2 MiB', here '1 MiB': run with -m 2");
    refused(n, "/nowhere/x", "cannot read /nowhere/x: No such file");
    refused(n, bios, "it is no saved machine of Kiln's");
    refused(n, dir, "it is no file");
    a.dev.under = NULL;
    unlink(other);
    assert_int_equal(snapshot_save(m, other, err), -1);
    assert_non_null(strstr(err, "the image of disk 0 would be written to"));
    assert_non_null(strstr(err, "-snapshot"));
    assert_int_equal(access(other, F_OK), -1);
    machine_destroy(m);
    machine_destroy(n);
}

static void a_file_that_cannot_be_written_leaves_the_old_one(void **state)
{
    static struct apart a;
    struct machine *m = make(&a, RAM);
    char err[MACHINE_ERR_LEN];

    (void)state;
    assert_int_equal(snapshot_save(m, "/nowhere/x", err), -1);
    assert_non_null(strstr(err, "cannot write /nowhere/x: No such file"));
    assert_int_equal(snapshot_save(m, dir, err), -1);
    assert_non_null(strstr(err, "Is a directory"));
    machine_destroy(m);
}

static void every_truncation_is_refused(void **state)
{
    static struct apart a, b;
    struct machine *m = make(&a, RAM), *n = make(&b, RAM);
    size_t len;
    u8 *bytes;

    (void)state;
    run_to(m, 5000);
    run_to(n, 777);
    save_to(m, file);
    bytes = contents(file, &len);
    for (size_t cut = 0; cut + 1 < len; cut += cut < 700 ? 57 : 331) {
        store(other, bytes, cut);
        refused(n, other, cut ? "truncated" : "it is no");
    }
    free(bytes);
    machine_destroy(m);
    machine_destroy(n);
}

static void altered_files_are_refused(void **state)
{
    static struct apart a, b;
    struct machine *m = make(&a, RAM), *n = make(&b, RAM);
    size_t len;
    u8 *bytes;

    (void)state;
    run_to(m, 5000);
    save_to(m, file);
    bytes = contents(file, &len);
    for (size_t at = 1; at + 30 < len; at += 151) {
        char err[MACHINE_ERR_LEN] = "";

        bytes[at] ^= 0x10;
        store(other, bytes, len);
        bytes[at] ^= 0x10;
        /* A few bits of zstd's own mean nothing; then it is the machine that was saved. */
        if (snapshot_load(n, other, err) == 0)
            assert_int_equal(machine_state_hash(n), machine_state_hash(m));
        else
            assert_true(strlen(err) > 20);
    }
    free(bytes);
    machine_destroy(m);
    machine_destroy(n);
}

/* Writes `other` as `file` with the section-th section of that tag changed at an offset, with a
 * good sum. SIZE_MAX: the section is left out. */
static void rewrite(const char *tag, unsigned nth, size_t at, u8 value)
{
    char err[MACHINE_ERR_LEN];
    const u8 *start;
    size_t len, head_len;
    struct section s;
    struct section_reader *r = section_reader_open(file, &start, &len, err, sizeof(err));
    struct state_reader head = { .data = start, .len = len };
    struct section_writer *w;

    assert_non_null(r);
    section_reader_errors(r, err, sizeof(err));
    assert_int_equal(identity_check(&head, IDENTITY_STATE, err), 0);
    head_len = head.pos;
    w = section_writer_open(other, start, head_len, err, sizeof(err));
    assert_non_null(w);
    assert_int_equal(section_reader_rewind(r, head_len), 0);
    while (section_read(r, &s) > 0) {
        u8 *copy = malloc(s.len + 1);
        bool hit = !strcmp(s.tag, tag) && nth-- == 0;

        memcpy(copy, s.data, s.len);
        if (hit && at < s.len)
            copy[at] = value;
        if (!hit || at != SIZE_MAX)
            section_write(w, s.tag, copy, s.len);
        free(copy);
    }
    section_reader_close(r);
    assert_int_equal(section_writer_close(w, true), 0);
}

/* Offsets are those of the sections as machine/snapshot.c and the state tables lay them out. */
static void what_cannot_be_is_refused_and_leaves_all_as_it_was(void **state)
{
    static struct apart a, b;
    struct machine *m = make(&a, RAM), *n = make(&b, RAM);
    const struct { const char *tag; unsigned nth; size_t at; u8 value; const char *why; } rows[] = {
        { "clock", 0, 7, 0xff, "no possible time" },
        { "clock", 0, 32, 0, "no possible time" },
        { "clock", 0, SIZE_MAX, 0, "out of order" },
        { "board", 0, 0, 9, "no such request" },
        { "device", 0, SIZE_MAX, 0, "it has fewer devices" },
        { "device", 0, 6 + 4, 1, "a base that cannot be" },
        { "device", 1, 6 + 4 + 4, 5, "icw_step is 5 in the saved state, at most 4" },
        { "device", 4, 6 + 4 + 7, 0x10, "counter 0 has begun in the future" },
        { "device", 6, 6 + 4 + 32, 200, "head is 200 in the saved state" },
        { "cpu", 0, 4 + 4 + 8 * NO_REG, 1, "a register that is always 0 is not" },
        { "cpu", 0, 4 + 4 + 8 * (NO_REG + 1) + 8, 0, "bit 1 of EFLAGS is 0" },
        { "cpu", 0, SIZE_MAX, 0, "out of order" },
        { "tlb", 0, SIZE_MAX, 0, "out of order" },
        { "memory", 0, 7, 1, "a page out of place" },
        { "disk", 0, 0, 1, "a disk that takes none" },
        { "disk", 0, 8, 64, "beyond a disk" },
        { "disk", 0, 4, 2, "beyond a disk" },
    };
    u8 sector[SECTOR_SIZE] = { 1 };

    (void)state;
    run_to(m, 5000);
    run_to(n, 777);
    a.dev.write(&a, 3, 1, sector);
    save_to(m, file);
    for (unsigned i = 0; i < ARRAY_LEN(rows); i++) {
        rewrite(rows[i].tag, rows[i].nth, rows[i].at, rows[i].value);
        refused(n, other, rows[i].why);
    }
    machine_destroy(m);
    machine_destroy(n);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_loaded_machine_goes_on_as_the_saved_one),
        cmocka_unit_test(another_machine_is_refused),
        cmocka_unit_test(a_file_that_cannot_be_written_leaves_the_old_one),
        cmocka_unit_test(every_truncation_is_refused),
        cmocka_unit_test(altered_files_are_refused),
        cmocka_unit_test(what_cannot_be_is_refused_and_leaves_all_as_it_was),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
