/*
 * What a file is by its first bytes. The table names formats that are taken for raw images; the
 * signatures are from the formats' own documents.
 */
#include "host/image_check.h"
#include <unistd.h>

static const struct image_magic {
    u16 offset, len;
    const char *bytes, *what, *advice;
} magics[] = {
    {0, 4, "QFI\xfb", "a qcow2 image", "make it raw: qemu-img convert -O raw %s disk.raw"},
    {0, 4, "KDMV", "a VMDK image", "make it raw: qemu-img convert -O raw %s disk.raw"},
    {0, 21, "# Disk DescriptorFile", "a VMDK descriptor",
     "make it raw: qemu-img convert -O raw %s disk.raw"},
    {0x40, 4, "\x7f\x10\xda\xbe", "a VDI image",
     "make it raw: qemu-img convert -O raw %s disk.raw"},
    {0, 8, "conectix", "a VHD image", "make it raw: qemu-img convert -O raw %s disk.raw"},
    {0, 8, "vhdxfile", "a VHDX image", "make it raw: qemu-img convert -O raw %s disk.raw"},
    {0, 4, "QED\0", "a QED image", "make it raw: qemu-img convert -O raw %s disk.raw"},
    {0, 4,
     "\x7f"
     "ELF",
     "an ELF program", "try -kernel %s"},
    {0, 2, "\x1f\x8b", "compressed with gzip", "try gunzip -k %s first"},
    {0, 6,
     "\xfd"
     "7zXZ\0",
     "compressed with xz", "try unxz -k %s first"},
    {0, 4, "\x28\xb5\x2f\xfd", "compressed with zstd", "try unzstd %s first"},
    {0, 3, "BZh", "compressed with bzip2", "try bunzip2 -k %s first"},
    {0, 4, "PK\3\4", "a zip archive", "try unzip %s first"},
};

void image_peek(struct image_peek *p, int fd, u64 size)
{
    memset(p, 0, sizeof(*p));
    p->size = size;
    u64 tail = size >= 512 ? size - 512 : 0;
    if (pread(fd, p->head, sizeof(p->head), 0) < 0 ||
        pread(fd, p->tail, sizeof(p->tail), (off_t)tail) < 0 ||
        pread(fd, p->iso, sizeof(p->iso), 0x8000) < 0)
        return; /* a disk that cannot be read says so when the guest reads it */
}

static bool has_signature(const struct image_peek *p)
{
    return p->head[510] == 0x55 && p->head[511] == 0xaa;
}

int image_check_format(const struct image_peek *p, const char *path, bool cd, char *err, size_t err_len)
{
    for (unsigned i = 0; i < ARRAY_LEN(magics); i++) {
        const struct image_magic *m = &magics[i];
        if (p->size < (u64)m->offset + m->len || memcmp(p->head + m->offset, m->bytes, m->len) != 0)
            continue;
        if (m->len < 4 && has_signature(p))
            continue; /* two letters may be a boot sector's code */
        int n = snprintf(err, err_len, "%s is %s, not a raw disk image; ", path, m->what);
        if (n > 0 && (size_t)n < err_len) {
            const char *hole = strstr(m->advice, "%s");
            snprintf(err + n, err_len - (size_t)n, "%.*s%s%s", (int)(hole - m->advice), m->advice,
                     path, hole + 2);
        }
        return -1;
    }
    /* A hybrid ISO carries an MBR, and boots as a hard disk. */
    if (!cd && !memcmp(p->iso, "\1CD001", 6) && !has_signature(p)) {
        snprintf(err, err_len,
                 "%s is a CD image (ISO 9660) without a boot sector for hard disks; "
                 "try -cdrom %s",
                 path, path);
        return -1;
    }
    return 0;
}

void image_warn(const struct image_peek *p, const char *path, bool boots, FILE *notes)
{
    if (p->size % 512)
        fprintf(notes,
                "kiln: %s: %llu bytes are no multiple of 512; the last sector is filled up with "
                "zeros. A truncated copy? Pad it with: truncate -s %%512 %s\n",
                path, (unsigned long long)p->size, path);
    if (!memcmp(p->tail, "conectix", 8))
        fprintf(notes, "kiln: %s: ends like a fixed VHD image; its last sector is not the disk's\n",
                path);
    if (!boots || has_signature(p))
        return;
    fprintf(notes,
            "kiln: %s: the first sector does not end with 55 AA, so a BIOS will not boot it\n"
            "      it begins",
            path);
    for (unsigned i = 0; i < 16; i++)
        fprintf(notes, " %02x", p->head[i]);
    fprintf(notes,
            " and ends %02x %02x\n"
            "      a boot sector ends with: times 510-($-$$) db 0, then dw 0xaa55; "
            "a multiboot kernel starts with -kernel\n",
            p->head[510], p->head[511]);
}
