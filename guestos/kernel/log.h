/* What the kernel has said, for dmesg: syslog(2). */
#ifndef GUESTOS_KERNEL_LOG_H
#define GUESTOS_KERNEL_LOG_H

void log_put(char c); /* keeps the character; the oldest ones go */

#endif
