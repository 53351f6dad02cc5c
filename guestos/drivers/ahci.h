/* SATA disks behind AHCI controllers: sda to sdp as block devices. */
#ifndef GUESTOS_DRIVERS_AHCI_H
#define GUESTOS_DRIVERS_AHCI_H

void ahci_init(void); /* finds controllers, disks and partitions; threads must be there */

#endif
