/* Boot: INT 19h and what is shown when nothing boots. */
#ifndef SPARK_BOOT_H
#define SPARK_BOOT_H

_Noreturn void boot_start(void);

#endif
