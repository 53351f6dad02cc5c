/* SMBIOS structures that firmware takes from fw_cfg (decision 009). */
#ifndef MACHINE_SMBIOS_TABLES_H
#define MACHINE_SMBIOS_TABLES_H

#include "cpu/cpu.h"
#include "devices/fw_cfg.h"

/* Adds the files etc/smbios/smbios-tables and etc/smbios/smbios-anchor, which say what CPUID does and how
 * many bytes of RAM lie below and above 4 GiB. 0, or -1: no memory or no room. */
int smbios_tables_add(struct fw_cfg *, const struct cpu *, u64 low_ram, u64 high_ram);

#endif
