/* Drives on the first AHCI controller; drive.h says what the calls do. */
#ifndef SPARK_AHCI_H
#define SPARK_AHCI_H

#include "drive.h"

void ahci_probe(struct drive *drives); /* AHCI_DRIVES of them */
u16 ahci_bdf(void);                    /* FFFFh: no controller */
enum drive_result ahci_transfer(const struct drive *d, enum drive_op op, u64 lba, u16 nr, u16 seg,
                                u16 off, u16 *done);
enum drive_result ahci_packet(const struct drive *d, const u8 cdb[12], u16 seg, u16 off, u32 len);

#endif
