/* The head of saved machines and logs: what is refused, and that the refusal names it. */
#include "machine/identity.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

static char bios[] = "/tmp/kiln-identity-XXXXXX";
static u8 disk_bytes[4 * SECTOR_SIZE];

static int disk_read(void *h, u64 lba, u32 n, void *dst)
{
    (void)h;
    memcpy(dst, disk_bytes + lba * SECTOR_SIZE, n * SECTOR_SIZE);
    return 0;
}

static struct blockdev disk = { .read = disk_read, .nr_sectors = 4 };
static u8 nvram[NVRAM_BYTES];

static void defaults(struct machine_config *cfg)
{
    *cfg = (struct machine_config){ 0 };
    machine_config_defaults(cfg);
    cfg->ram_bytes = 2 << 20;
    cfg->bios_path = bios;
    cfg->disk[0] = &disk;
}

static int setup(void **state)
{
    u8 *image = calloc(1, 64 << 10);
    int fd = mkstemp(bios);

    (void)state;
    assert_true(fd >= 0 && image);
    assert_int_equal(write(fd, image, 64 << 10), 64 << 10);
    close(fd);
    free(image);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    return unlink(bios);
}

static struct state_buf head_of(const struct machine_config *cfg, enum identity_kind kind)
{
    char err[MACHINE_ERR_LEN];
    struct machine *m = machine_create(cfg, err);
    struct state_buf b = { 0 };

    assert_non_null(m);
    assert_int_equal(identity_write(&b, kind, m, err), 0);
    machine_destroy(m);
    return b;
}

/* Reads the head in a machine of cfg. Returns the position behind it, or 0 with err. */
static size_t read_in(const u8 *data, size_t len, enum identity_kind kind,
                      const struct machine_config *cfg, char *err)
{
    struct machine *m = machine_create(cfg, err);
    struct state_reader r = { .data = data, .len = len };
    int failed;

    assert_non_null(m);
    failed = identity_read(&r, kind, m, err);
    machine_destroy(m);
    assert_int_equal(failed ? r.pos : 0, 0);
    return r.pos;
}

static void the_same_machine_is_accepted(void **state)
{
    struct machine_config cfg;
    char err[MACHINE_ERR_LEN], value[32];
    struct state_buf b;
    size_t len;

    (void)state;
    for (enum identity_kind kind = IDENTITY_STATE; kind <= IDENTITY_LOG; kind++) {
        defaults(&cfg);
        b = head_of(&cfg, kind);
        len = b.len;
        state_put(&b, "what follows\nsum 5\n", 19);
        assert_int_equal(read_in(b.data, b.len, kind, &cfg, err), len);
        assert_true(identity_find(b.data, b.len, "memory", value, sizeof(value)));
        assert_string_equal(value, "2 MiB");
        assert_int_equal(identity_find(b.data, b.len, "date", value, sizeof(value)),
                         kind == IDENTITY_LOG);
        assert_false(identity_find(b.data, b.len, "what", value, sizeof(value)));
        free(b.data);
    }
}

static void a_refusal_names_what_differs(void **state)
{
    static struct chardev console;
    struct machine_config cfg, other;
    char err[MACHINE_ERR_LEN];
    struct state_buf b;

    (void)state;
    defaults(&cfg);
    b = head_of(&cfg, IDENTITY_LOG);
#define REFUSED(change, what)                                                                      \
    defaults(&other);                                                                              \
    change;                                                                                        \
    assert_int_equal(read_in(b.data, b.len, IDENTITY_LOG, &other, err), 0);                        \
    assert_non_null(strstr(err, what))
    REFUSED(other.ram_bytes = 1 << 20, "its memory is '2 MiB', here '1 MiB': run with -m 2");
    REFUSED(other.disk[0] = NULL, "its disk0 is '4 sectors, ");
    REFUSED(other.disk[1] = &disk, "its disk1 is 'none', here '4 sectors");
    REFUSED(other.vgabios_path = bios, "its vga-bios is 'none'");
    REFUSED(other.debugcon = &console, "its debugcon is 'none', here 'e9h'");
    REFUSED(other.exit_device = true, "its exit-port is 'none', here 'f4h, 4 bytes'");
    REFUSED(other.tick_den = 2, "its ticks is '1/1 ns', here '1/2 ns'");
    REFUSED(other.break_device = "rtc", "its break-device is 'none', here 'rtc'");
    REFUSED(other.nvram = nvram, "its nvram-kept is 'no', here 'yes'");
    REFUSED(other.rtc_seconds++, "its date is '1704067200', here '1704067201'");
    REFUSED(other.reset_on_triple_fault = true, "its on-triple-fault is 'stop'");
    REFUSED(disk_bytes[700]++, "give the same first disk, unchanged");
    disk_bytes[700] = 0;
    free(b.data);

    /* What only a run from power-on depends on is no part of a saved machine. */
    b = head_of(&cfg, IDENTITY_STATE);
    defaults(&other);
    other.rtc_seconds++;
    other.reset_on_triple_fault = true;
    assert_int_equal(read_in(b.data, b.len, IDENTITY_STATE, &other, err), b.len);
    free(b.data);
}

/* The image under a device that keeps writes apart is what counts. */
static void writes_kept_apart_do_not_count(void **state)
{
    struct machine_config cfg, apart;
    struct blockdev over = { .nr_sectors = 4, .under = &disk }; /* reading it would crash */
    char err[MACHINE_ERR_LEN];
    struct state_buf b;

    (void)state;
    defaults(&cfg);
    defaults(&apart);
    apart.disk[0] = &over;
    b = head_of(&apart, IDENTITY_STATE);
    assert_int_equal(read_in(b.data, b.len, IDENTITY_STATE, &cfg, err), b.len);
    free(b.data);
}

/* A head with one line's value replaced, and its sum made right again when asked for. */
static void replace(struct state_buf *b, const char *name, const char *value, bool sum)
{
    char *text = strndup((const char *)b->data, b->len), *at = strstr(text, name), rest[4096], last[40];

    assert_non_null(at);
    snprintf(rest, sizeof(rest), "%s", strchr(at, '\n'));
    at[strlen(name)] = 0;
    b->len = 0;
    state_put(b, text, strlen(text));
    state_put(b, value, strlen(value));
    if (sum)
        *(strstr(rest, "\nsum ") + 1) = 0;
    state_put(b, rest, strlen(rest));
    if (sum) {
        snprintf(last, sizeof(last), "sum %016llx\n",
                 (unsigned long long)state_hash_bytes(0, b->data, b->len));
        state_put(b, last, strlen(last));
    }
    free(text);
}

static void foreign_and_damaged_heads_are_refused(void **state)
{
    static const struct { const char *name, *value, *why; bool sum; } rows[] = {
        { "definition ", "1", "keeps time differently (definition 1, here ", true },
        { "host ", "z80", "another class of host (z80; here: x86-64", true },
        { "undefined-flags ", "mul sideways", "another class of host (mul sideways; here: mul ", true },
        { "approximations ", "0", "another class of host (0; here: ", true },
        { "Kiln ", "Kiln spoon 1", "it is no saved machine", true },
        { "Kiln ", "input log 1", "it is an input log; use kiln replay", true },
        { "Kiln saved machine ", "7", "it is in format 7, this program knows format 1", true },
        { "memory ", "3 MiB", "altered", false },
        { "sum ", "0123456789abcdef", "altered", false },
    };
    struct machine_config cfg;
    char err[MACHINE_ERR_LEN];
    struct state_buf b;

    (void)state;
    defaults(&cfg);
    for (unsigned i = 0; i < ARRAY_LEN(rows); i++) {
        b = head_of(&cfg, IDENTITY_STATE);
        replace(&b, rows[i].name, rows[i].value, rows[i].sum);
        assert_int_equal(read_in(b.data, b.len, IDENTITY_STATE, &cfg, err), 0);
        assert_non_null(strstr(err, rows[i].why));
        free(b.data);
    }
}

static void a_part_of_a_head_is_refused(void **state)
{
    struct machine_config cfg;
    char err[MACHINE_ERR_LEN];
    struct machine *m;
    struct state_buf b;

    (void)state;
    defaults(&cfg);
    b = head_of(&cfg, IDENTITY_STATE);
    m = machine_create(&cfg, err);
    assert_non_null(m);
    for (size_t len = 0; len < b.len; len++) {
        u8 *part = malloc(len ? len : 1); /* of the exact size: a sanitizer sees a byte too many */
        struct state_reader r = { .data = part, .len = len };

        memcpy(part, b.data, len);
        assert_int_equal(identity_read(&r, IDENTITY_STATE, m, err), -1);
        if (len >= 20)
            assert_non_null(strstr(err, "truncated"));
        free(part);
    }
    machine_destroy(m);
    free(b.data);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_same_machine_is_accepted),
        cmocka_unit_test(a_refusal_names_what_differs),
        cmocka_unit_test(writes_kept_apart_do_not_count),
        cmocka_unit_test(foreign_and_damaged_heads_are_refused),
        cmocka_unit_test(a_part_of_a_head_is_refused),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
