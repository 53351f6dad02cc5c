/*
 * Disk images: reading and writing, snapshots, locks, and what is said about wrong files.
 */
#define _GNU_SOURCE /* memfd_create */
#include "host/disk.h"
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

static char dir[] = "/tmp/kiln-disk-test-XXXXXX", path[64];
static char err[DISK_ERR_LEN];
static char *notes;

static void put_file(const void *bytes, size_t len, u64 size)
{
    FILE *f = fopen(path, "wb");
    assert_non_null(f);
    assert_int_equal(fwrite(bytes, 1, len, f), len);
    assert_int_equal(fflush(f), 0);
    assert_int_equal(ftruncate(fileno(f), (off_t)size), 0);
    fclose(f);
}

static struct disk *open_it(bool readonly, bool snapshot, bool boots)
{
    size_t n;
    struct disk_request r = {path, readonly, snapshot, boots, DISK_HARD};
    free(notes);
    FILE *f = open_memstream(&notes, &n);
    struct disk *d = disk_open(&r, f, err);
    fflush(f);
    if (d)
        disk_blockdev(d); /* notes may be written later too; none of these tests does */
    fclose(f);
    return d;
}

static void reads_and_writes(void **state)
{
    (void)state;
    u8 a[512 * 3], b[512 * 3];
    put_file("hello", 5, 512 * 100);
    struct disk *d = open_it(false, false, false);
    assert_non_null(d);
    struct blockdev *bd = disk_blockdev(d);
    assert_int_equal(bd->nr_sectors, 100);
    assert_int_equal(bd->read(bd->h, 0, 1, b), 0);
    assert_memory_equal(b, "hello", 6);
    memset(a, 0x5a, sizeof(a));
    assert_int_equal(bd->write(bd->h, 97, 3, a), 0);
    assert_int_equal(bd->flush(bd->h), 0);
    disk_close(d);

    d = open_it(true, false, false);
    bd = disk_blockdev(d);
    assert_true(bd->readonly);
    assert_int_equal(bd->read(bd->h, 97, 3, b), 0);
    assert_memory_equal(a, b, sizeof(a));
    disk_close(d);
}

struct put_back {
    struct blockdev *to;
    u64 next;
};

static int put_back(void *sink, u64 lba, u32 n, const void *bytes)
{
    struct put_back *p = sink;
    assert_true(lba >= p->next);
    p->next = lba + n;
    return p->to->write(p->to->h, lba, n, bytes);
}

/* What is visited makes another disk equal; what is forgotten leaves the image's content. */
static void snapshot_is_visited_in_order_and_forgotten(void **state)
{
    (void)state;
    enum { LARGE = 3 * 4096 + 5 };
    static const u64 lbas[] = {LARGE - 1, 0, 4096, 4095, 9000, 2 * 4096 - 1, 17};
    u8 a[512], b[512];
    put_file("image", 5, LARGE * 512);
    struct disk *d = open_it(false, true, false), *e = open_it(false, true, false);
    struct blockdev *from = disk_blockdev(d);
    struct put_back p = {.to = disk_blockdev(e)};
    assert_non_null(from->under);
    for (unsigned i = 0; i < ARRAY_LEN(lbas); i++) {
        memset(a, (int)i + 1, sizeof(a));
        assert_int_equal(from->write(from->h, lbas[i], 1, a), 0);
    }
    assert_int_equal(from->visit(from->h, put_back, &p), 0);
    for (u64 lba = 0; lba < LARGE; lba++) {
        assert_int_equal(from->read(from->h, lba, 1, a), 0);
        assert_int_equal(p.to->read(p.to->h, lba, 1, b), 0);
        assert_memory_equal(a, b, sizeof(a));
    }
    from->forget(from->h);
    assert_int_equal(from->read(from->h, 0, 1, a), 0);
    assert_memory_equal(a, "image", 6);
    p.next = LARGE; /* nothing is visited any more */
    assert_int_equal(from->visit(from->h, put_back, &p), 0);
    disk_close(d);
    disk_close(e);
}

/* The overlay against a plain array, with the image unchanged after it. */
static void snapshot_agrees_with_an_array(void **state)
{
    (void)state;
    enum { SECTORS = 1003 };
    u8 *model = malloc(SECTORS * 512), *image = malloc(SECTORS * 512), buf[40 * 512];
    for (unsigned i = 0; i < SECTORS * 512; i++)
        model[i] = (u8)(i * 7 + i / 512);
    memcpy(image, model, SECTORS * 512);
    put_file(image, SECTORS * 512, SECTORS * 512);
    struct disk *d = open_it(false, true, false);
    struct blockdev *bd = disk_blockdev(d);
    unsigned seed = 1;
    for (unsigned i = 0; i < 4000; i++) {
        unsigned lba = (unsigned)rand_r(&seed) % SECTORS, n = 1 + (unsigned)rand_r(&seed) % 40;
        n = lba + n > SECTORS ? SECTORS - lba : n;
        if (i % 2) {
            for (unsigned j = 0; j < n * 512; j++)
                buf[j] = (u8)rand_r(&seed);
            assert_int_equal(bd->write(bd->h, lba, n, buf), 0);
            memcpy(model + lba * 512, buf, n * 512);
        } else {
            assert_int_equal(bd->read(bd->h, lba, n, buf), 0);
            assert_memory_equal(buf, model + lba * 512, n * 512);
        }
    }
    disk_close(d);
    d = open_it(true, false, false);
    bd = disk_blockdev(d);
    for (unsigned i = 0; i < SECTORS; i++) {
        assert_int_equal(bd->read(bd->h, i, 1, buf), 0);
        assert_memory_equal(buf, image + i * 512, 512);
    }
    disk_close(d);
    free(model);
    free(image);
}

static void partial_last_sector_reads_as_zeros(void **state)
{
    (void)state;
    u8 b[512];
    put_file("x", 1, 700);
    struct disk *d = open_it(false, false, false);
    assert_non_null(d);
    assert_non_null(strstr(notes, "multiple of 512"));
    struct blockdev *bd = disk_blockdev(d);
    assert_int_equal(bd->nr_sectors, 2);
    memset(b, 0xff, sizeof(b));
    assert_int_equal(bd->read(bd->h, 1, 1, b), 0);
    for (unsigned i = 0; i < 512; i++)
        assert_int_equal(b[i], 0);
    disk_close(d);
}

static void wrong_files(void **state)
{
    (void)state;
    static const struct {
        const char *bytes;
        size_t len;
        const char *says;
    } cases[] = {
        {"QFI\xfb", 4, "qemu-img convert"},
        {"KDMV", 4, "VMDK"},
        {"conectix", 8, "VHD"},
        {"\x7f"
         "ELF\2",
         5, "try -kernel"},
        {"\x1f\x8b\x08", 3, "gunzip"},
    };
    for (unsigned i = 0; i < ARRAY_LEN(cases); i++) {
        put_file(cases[i].bytes, cases[i].len, 65536);
        assert_null(open_it(false, false, true));
        assert_non_null(strstr(err, cases[i].says));
    }
    u8 iso[0x8800] = {0};
    memcpy(iso + 0x8000, "\1CD001", 6);
    put_file(iso, sizeof(iso), sizeof(iso));
    assert_null(open_it(false, false, true));
    assert_non_null(strstr(err, "try -cdrom"));
    iso[510] = 0x55, iso[511] = 0xaa; /* a hybrid boots as a disk */
    put_file(iso, sizeof(iso), sizeof(iso));
    struct disk *d = open_it(false, false, true);
    assert_non_null(d);
    assert_string_equal(notes, "");
    disk_close(d);

    put_file("", 0, 0);
    assert_null(open_it(false, false, true));
    assert_non_null(strstr(err, "is empty"));
    unlink(path);
    assert_null(open_it(false, false, true));
    assert_non_null(strstr(err, "no such file"));
    mkdir(path, 0700);
    assert_null(open_it(false, false, true));
    assert_non_null(strstr(err, "directory"));
    rmdir(path);

    put_file("\xeb\xfe", 2, 1024);
    d = open_it(false, false, true);
    assert_non_null(d);
    assert_non_null(strstr(notes, "55 AA"));
    assert_non_null(strstr(notes, "eb fe 00"));
    disk_close(d);
}

static void one_writer_or_many_readers(void **state)
{
    (void)state;
    put_file("x", 1, 1024);
    struct disk *a = open_it(false, false, false);
    assert_non_null(a);
    assert_null(open_it(false, false, false));
    assert_non_null(strstr(err, "in use"));
    assert_null(open_it(false, true, false));
    disk_close(a);
    a = open_it(false, true, false);
    struct disk *b = open_it(true, false, false);
    assert_true(a && b);
    assert_null(open_it(false, false, false));
    assert_non_null(strstr(err, "in use"));
    disk_close(a);
    disk_close(b);
}

static int make_dir(void **state)
{
    (void)state;
    if (!mkdtemp(dir))
        return -1;
    snprintf(path, sizeof(path), "%s/a.img", dir);
    return 0;
}

static int remove_dir(void **state)
{
    (void)state;
    unlink(path);
    free(notes);
    return rmdir(dir);
}

/* As without sanitizers: what is too large is not had. */
const char *__asan_default_options(void);
const char *__asan_default_options(void)
{
    return "allocator_may_return_null=1";
}

/* Sparse files can be larger than any disk, and larger than what -snapshot finds memory for. */
static void sizes_that_no_disk_has(void **state)
{
    char file[40], saved[sizeof(path)];
    int fd = memfd_create("disk", MFD_CLOEXEC);
    struct disk *d;

    (void)state;
    assert_true(fd >= 0);
    snprintf(file, sizeof(file), "/proc/self/fd/%d", fd);
    strcpy(saved, path);
    strcpy(path, file);
    for (unsigned snapshot = 0; snapshot < 2; snapshot++) {
        assert_int_equal(ftruncate(fd, (off_t)1 << 58), 0);
        assert_null(open_it(false, snapshot, false));
        assert_non_null(strstr(err, "128 PiB"));
        assert_int_equal(ftruncate(fd, (off_t)1 << 57), 0);
        d = open_it(false, snapshot, false);
        assert_true(d || strstr(err, "memory"));
        disk_close(d);
    }
    strcpy(path, saved);
    close(fd);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_and_writes),
        cmocka_unit_test(snapshot_agrees_with_an_array),
        cmocka_unit_test(snapshot_is_visited_in_order_and_forgotten),
        cmocka_unit_test(partial_last_sector_reads_as_zeros),
        cmocka_unit_test(wrong_files),
        cmocka_unit_test(sizes_that_no_disk_has),
        cmocka_unit_test(one_writer_or_many_readers),
    };
    return cmocka_run_group_tests(tests, make_dir, remove_dir);
}
