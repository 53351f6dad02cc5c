/*
 * -kernel, -initrd, -append: a multiboot 1 kernel (ELF32, ELF64, or with addresses in its header)
 * made ready for the option ROM that starts it (firmware/multiboot.S) once the BIOS is done.
 * Multiboot Specification 0.6.96. The items of fw_cfg are those of QEMU's own loader.
 */
#ifndef MACHINE_KERNEL_IMAGE_H
#define MACHINE_KERNEL_IMAGE_H

#include "machine/pc.h"

/* Reads the files and adds them to fw_cfg. 0, or -1 with what, why and what to try in err. */
int kernel_image_load(struct pc *, const struct machine_config *, char err[MACHINE_ERR_LEN]);

#endif
