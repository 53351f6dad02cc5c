/* Flags of the system calls whose names end in -at. */
#ifndef GUESTOS_FS_AT_H
#define GUESTOS_FS_AT_H

#define AT_SYMLINK_NOFOLLOW 0x100u
#define AT_EACCESS          0x200u /* faccessat2 */
#define AT_REMOVEDIR        0x200u /* unlinkat */
#define AT_SYMLINK_FOLLOW   0x400u /* linkat */
#define AT_NO_AUTOMOUNT     0x800u
#define AT_EMPTY_PATH       0x1000u

#endif
