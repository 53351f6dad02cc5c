/* Drives on the two legacy IDE channels, in PIO; drive.h says what the calls do. */
#ifndef SPARK_IDE_H
#define SPARK_IDE_H

#include "drive.h"

void ide_probe(struct drive *drives); /* four of them */
bool ide_channel_dead(unsigned channel);
u16 ide_base(unsigned channel);
enum drive_result ide_read(const struct drive *d, u64 lba, u16 nr, u16 seg, u16 off, u16 *done);
enum drive_result ide_write(const struct drive *d, u64 lba, u16 nr, u16 seg, u16 off, u16 *done);
enum drive_result ide_verify(const struct drive *d, u64 lba, u16 nr);
enum drive_result ide_packet(const struct drive *d, const u8 cdb[12], u16 seg, u16 off, u32 len);

#endif
