/* ACPI tables that firmware takes from fw_cfg (decision 009). */
#ifndef MACHINE_ACPI_TABLES_H
#define MACHINE_ACPI_TABLES_H

#include "devices/fw_cfg.h"

/* Adds the files etc/acpi/rsdp, etc/acpi/tables and etc/table-loader. 0, or -1: no memory or no room. */
int acpi_tables_add(struct fw_cfg *, bool hpet);

#endif
