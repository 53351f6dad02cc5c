/*
 * Images as disks: any content and size behind any kind of path, writable, read-only and with
 * -snapshot. What is written is read back; sectors that were not written keep their content, and
 * without permission to write the file stays as it was. What is refused is refused with a message.
 *
 * An input: flags, kind of path, the size that the file is given beyond its content, then the
 * content. The accesses follow from the content.
 */
#include "host/disk.h"
#include "tests/fuzz/fuzz.h"
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

enum { HEAD = 6, CAP = HEAD + 40000, PART = 64 }; /* sectors at once */
enum flag { READONLY = 1, SNAPSHOT = 2, BOOTS = 4 };
enum kind { PLAIN, LINK, DANGLING, LOOP, DIRECTORY, FIFO, DEV_NULL, DEV_ZERO, ABSENT, BELOW_FILE, NR_KINDS };

static char dir[32];

static void remove_dir(void)
{
    static const char *const names[] = { "link", "dangling", "loop", "fifo" };
    char path[64];

    for (unsigned i = 0; i < ARRAY_LEN(names); i++) {
        snprintf(path, sizeof(path), "%s/%s", dir, names[i]);
        unlink(path);
    }
    rmdir(dir);
}

static void open_dir(const char *only)
{
    char path[64];

    (void)only;
    strcpy(dir, "/tmp/fuzz_disk.XXXXXX");
    ASSERT(mkdtemp(dir));
    snprintf(path, sizeof(path), "%s/dangling", dir);
    ASSERT(!symlink("/nowhere/at/all", path));
    snprintf(path, sizeof(path), "%s/loop", dir);
    ASSERT(!symlink("loop", path));
    snprintf(path, sizeof(path), "%s/fifo", dir);
    ASSERT(!mkfifo(path, 0600));
    atexit(remove_dir);
}

static const char *make_path(enum kind kind, const struct fuzz_file *f, char path[64])
{
    static const char *const fixed[NR_KINDS] = { [DEV_NULL] = "/dev/null", [DEV_ZERO] = "/dev/zero",
                                                 [ABSENT] = "/nowhere/x.img", [DIRECTORY] = "/tmp" };
    static const char *const inside[NR_KINDS] = { [LINK] = "link", [DANGLING] = "dangling",
                                                  [LOOP] = "loop", [FIFO] = "fifo",
                                                  [BELOW_FILE] = "fifo/x" };

    if (kind == PLAIN)
        return f->path;
    if (fixed[kind])
        return fixed[kind];
    snprintf(path, 64, "%s/%s", dir, inside[kind]);
    if (kind == LINK) {
        unlink(path);
        ASSERT(!symlink(f->path, path));
    }
    return path;
}

/* A sector of the file as it is now; zeros beyond its end. */
static void file_sector(int fd, u64 lba, u8 out[SECTOR_SIZE])
{
    memset(out, 0, SECTOR_SIZE);
    ASSERT(pread(fd, out, SECTOR_SIZE, (off_t)(lba * SECTOR_SIZE)) >= 0);
}

static void access_disk(struct blockdev *b, int fd, bool snapshot, u64 *rng)
{
    static u8 bytes[PART * SECTOR_SIZE], back[PART * SECTOR_SIZE], before[SECTOR_SIZE];
    u32 n = 1 + fuzz_below(rng, PART), far = fuzz_below(rng, 3);
    u64 lba = far == 0 ? 0 : far == 1 ? b->nr_sectors - 1 : fuzz_below(rng, 1u << 31) % b->nr_sectors;

    if (n > b->nr_sectors - lba)
        n = (u32)(b->nr_sectors - lba);
    FUZZ_CHECK(b->read(b->h, lba, n, bytes) == 0);
    if (!snapshot) {
        file_sector(fd, lba + n - 1, before);
        FUZZ_CHECK(!memcmp(before, bytes + (n - 1) * SECTOR_SIZE, SECTOR_SIZE));
    }
    if (b->readonly)
        return;
    fuzz_fill(rng, bytes, 1 + fuzz_below(rng, 700));
    file_sector(fd, lba + n, before);
    FUZZ_CHECK(b->write(b->h, lba, n, bytes) == 0);
    FUZZ_CHECK(b->read(b->h, lba, n, back) == 0);
    FUZZ_CHECK(!memcmp(bytes, back, (size_t)n * SECTOR_SIZE));
    file_sector(fd, lba + n, back);
    FUZZ_CHECK(!memcmp(before, back, SECTOR_SIZE));
    FUZZ_CHECK(b->flush(b->h) == 0);
}

static void use(struct disk *d, const struct disk_request *r, int fd, u64 size, u64 rng)
{
    struct blockdev *b = disk_blockdev(d);
    struct stat st;

    FUZZ_CHECK(b->nr_sectors == size / SECTOR_SIZE + (size % SECTOR_SIZE != 0));
    FUZZ_CHECK(b->readonly == r->readonly);
    for (unsigned i = 0; i < 8; i++)
        access_disk(b, fd, r->snapshot, &rng);
    ASSERT(fstat(fd, &st) == 0);
    FUZZ_CHECK(r->readonly || r->snapshot ? (u64)st.st_size == size
                                          : (u64)st.st_size <= b->nr_sectors * SECTOR_SIZE);
}

static u64 run(const u8 *bytes, size_t len)
{
    char err[DISK_ERR_LEN] = "", path[64];
    struct disk_request r;
    struct fuzz_file f;
    struct disk *d;
    u64 size, sum = 1, tail;
    enum kind kind;
    u8 now[SECTOR_SIZE];

    if (len < HEAD)
        return 0;
    kind = bytes[1] & 0x80 ? PLAIN : bytes[1] % NR_KINDS;
    tail = (u64)load_le(bytes + 3, 3) << (bytes[2] % 48);
    len -= HEAD;
    f = fuzz_file(bytes + HEAD, len);
    size = len + tail;
    if (bytes[0] & 8 || ftruncate(f.fd, (off_t)size))
        size = len;
    r = (struct disk_request){ .path = make_path(kind, &f, path), .readonly = bytes[0] & READONLY,
                               .snapshot = bytes[0] & SNAPSHOT, .boots = bytes[0] & BOOTS };
    for (size_t i = 0; i < len; i += 97)
        sum = (sum ^ bytes[HEAD + i]) * 0x100000001b3ull | 1;
    d = disk_open(&r, fuzz_quiet(), err);
    FUZZ_CHECK(d ? kind <= LINK : strlen(err) > 10);
    if (d)
        use(d, &r, f.fd, size, sum);
    disk_close(d);
    if (r.readonly || r.snapshot) {
        size_t n = len < sizeof(now) ? len : sizeof(now);

        ASSERT(pread(f.fd, now, n, 0) == (ssize_t)n);
        FUZZ_CHECK(!memcmp(now, bytes + HEAD, n));
    }
    fuzz_file_close(&f);
    return 1;
}

static size_t make(u64 *rng, u8 *out)
{
    static const struct { u16 at; u8 len; const char *bytes; } magics[] = {
        { 0, 4, "QFI\xfb" }, { 0, 4, "KDMV" }, { 0, 4, "\x7f" "ELF" }, { 0, 8, "conectix" },
        { 0, 2, "\x1f\x8b" }, { 0x8000, 6, "\1CD001" }, { 0x40, 4, "\x7f\x10\xda\xbe" },
        { 0, 3, "BZh" }, { 510, 2, "\x55\xaa" }, { 510, 2, "\x55\xaa" },
    };
    size_t len = fuzz_below(rng, 3) ? fuzz_below(rng, 2000) : 0x8000 + fuzz_below(rng, 4000);
    unsigned m = fuzz_below(rng, ARRAY_LEN(magics) * 2);

    memset(out, 0, HEAD + len);
    fuzz_fill(rng, out, HEAD);
    if (fuzz_below(rng, 4))
        out[1] |= 0x80, out[2] = (u8)fuzz_below(rng, 24);
    for (unsigned i = 0; i < 20 && len; i++)
        out[HEAD + fuzz_below(rng, (u32)len)] = (u8)fuzz_below(rng, 256);
    if (m < ARRAY_LEN(magics) && (size_t)magics[m].at + magics[m].len <= len)
        memcpy(out + HEAD + magics[m].at, magics[m].bytes, magics[m].len);
    return HEAD + len;
}

const struct fuzz_target fuzz_target = { "disk", "images", CAP, open_dir, run, make };
