/* fw_cfg through its ports 510h (selector) and 511h (data): the "etc/e820" file, option ROMs below
 * "genroms/", which is how -kernel brings its own, and "opt/kiln/nvram", by which Kiln says whether
 * CMOS memory outlasts the run.
 * QEMU's docs/specs/fw_cfg: key 0 is the signature, 19h the directory; directory numbers are
 * big-endian, e820 records are packed {u64 addr, u64 len, u32 type} little-endian. */
#include "board.h"
#include "io.h"
#include "memory.h"
#include "rom.h"
#include "settings.h"

enum { SELECT = 0x510, DATA = 0x511, KEY_SIGNATURE = 0, KEY_UUID = 2, KEY_CPUS = 5, KEY_DIRECTORY = 0x19, NAME_LEN = 56 };

static u32 read_be(unsigned bytes)
{
    u32 v = 0;
    while (bytes-- > 0)
        v = v << 8 | inb(DATA);
    return v;
}

static u32 read_le32(void)
{
    u32 v = inb(DATA);
    v |= (u32)inb(DATA) << 8;
    v |= (u32)inb(DATA) << 16;
    return v | (u32)inb(DATA) << 24;
}

bool fwcfg_present(void)
{
    outw(SELECT, KEY_SIGNATURE);
    return read_be(4) == 0x51454D55; /* "QEMU" */
}

/* The selector of the skip-th file whose name starts with `name` (or is it, if it ends in 0 within
 * NAME_LEN and `whole`), and its size; 0 if there is none. */
static u16 find(const char *name, bool whole, unsigned skip, u32 *size)
{
    outw(SELECT, KEY_DIRECTORY);
    u32 count = read_be(4);
    u16 found = 0;
    for (u32 i = 0; i < count && i < 256; i++) {
        u32 len = read_be(4);
        u16 key = (u16)read_be(2);
        (void)read_be(2);
        bool same = true, ended = false;
        for (unsigned j = 0; j < NAME_LEN; j++) {
            char c = (char)inb(DATA);
            ended = ended || (name[j] == 0 && !whole);
            if (!ended)
                same = same && c == name[j];
            ended = ended || name[j] == 0;
        }
        if (same && found == 0 && skip-- == 0) {
            found = key;
            *size = len;
        }
    }
    return found;
}

u32 fwcfg_rom_select(unsigned n)
{
    u32 size = 0;
    u16 key = fwcfg_present() ? find("genroms/", false, n, &size) : 0;
    if (key == 0)
        return 0;
    outw(SELECT, key);
    return size;
}

u32 fwcfg_rom_next(void)
{
    return read_le32();
}

unsigned fwcfg_e820(struct e820_entry *out, unsigned max)
{
    u32 size = 0;
    if (!fwcfg_present())
        return 0;
    u16 key = find("etc/e820", true, 0, &size);
    if (key == 0)
        return 0;
    outw(SELECT, key);
    unsigned n = 0;
    for (; n < max && (n + 1) * 20 <= size; n++) {
        out[n].addr = read_le32();
        out[n].addr |= (u64)read_le32() << 32;
        out[n].len = read_le32();
        out[n].len |= (u64)read_le32() << 32;
        out[n].type = read_le32();
    }
    return n;
}

u16 fwcfg_cpus(void)
{
    if (!fwcfg_present())
        return 0;
    outw(SELECT, KEY_CPUS);
    u16 v = inb(DATA);
    return (u16)(v | inb(DATA) << 8);
}

void fwcfg_uuid(u8 uuid[16])
{
    bool here = fwcfg_present();
    outw(SELECT, KEY_UUID);
    for (unsigned i = 0; i < 16; i++)
        uuid[i] = here ? inb(DATA) : 0;
    /* RFC 4122's byte order comes in, SMBIOS 2.6's first three fields are little-endian */
    static const u8 swap[][2] = {{0, 3}, {1, 2}, {4, 5}, {6, 7}};
    for (unsigned i = 0; i < 4; i++) {
        u8 keep = uuid[swap[i][0]];
        uuid[swap[i][0]] = uuid[swap[i][1]];
        uuid[swap[i][1]] = keep;
    }
}

bool fwcfg_kiln(void)
{
    u32 size;
    return fwcfg_present() && find("opt/kiln/", false, 0, &size) != 0;
}

enum nvram fwcfg_nvram(void)
{
    u32 size = 0;
    u16 key = fwcfg_present() ? find("opt/kiln/nvram", true, 0, &size) : 0;
    if (key == 0 || size != 1)
        return NVRAM_UNKNOWN;
    outw(SELECT, key);
    return inb(DATA) != 0 ? NVRAM_KEPT : NVRAM_THIS_RUN;
}
