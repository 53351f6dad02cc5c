/* Terminal settings: the kernel's structures of Linux (asm-generic/termbits), and the ioctls. */
#ifndef GUESTOS_ABI_TERMIOS_H
#define GUESTOS_ABI_TERMIOS_H

#include "guestos/kernel/types.h"

#define NCCS 19

struct termios {
    u32 iflag, oflag, cflag, lflag;
    u8 line, cc[NCCS];
};

struct termio { /* TCGETA's, of System V */
    u16 iflag, oflag, cflag, lflag;
    u8 line, cc[8];
};

struct winsize {
    u16 rows, columns, x_pixels, y_pixels;
};

/* clang-format off */
enum { /* indices of cc */
    VINTR, VQUIT, VERASE, VKILL, VEOF, VTIME, VMIN, VSWTC, VSTART, VSTOP, VSUSP, VEOL, VREPRINT,
    VDISCARD, VWERASE, VLNEXT, VEOL2,
};
enum { /* iflag */
    IGNBRK = 0001, BRKINT = 0002, IGNPAR = 0004, PARMRK = 0010, INPCK = 0020, ISTRIP = 0040,
    INLCR = 0100, IGNCR = 0200, ICRNL = 0400, IUCLC = 01000, IXON = 02000, IXANY = 04000,
    IXOFF = 010000, IMAXBEL = 020000, IUTF8 = 040000,
};
enum {
    OPOST = 0001, OLCUC = 0002, ONLCR = 0004, OCRNL = 0010, ONOCR = 0020, ONLRET = 0040,
    TABDLY = 0014000, /* XTABS: all its bits */
};
enum { B38400 = 0000017, B115200 = 0010002, CS8 = 0000060, CREAD = 0000200, HUPCL = 0002000, CLOCAL = 0004000 };
enum { /* lflag */
    ISIG = 0000001, ICANON = 0000002, ECHO = 0000010, ECHOE = 0000020, ECHOK = 0000040,
    ECHONL = 0000100, NOFLSH = 0000200, TOSTOP = 0000400, ECHOCTL = 0001000, ECHOPRT = 0002000,
    ECHOKE = 0004000, IEXTEN = 0100000,
};
enum {
    TCGETS = 0x5401, TCSETS, TCSETSW, TCSETSF, TCGETA, TCSETA, TCSETAW, TCSETAF, TCSBRK, TCXONC,
    TCFLSH, TIOCEXCL, TIOCNXCL, TIOCSCTTY, TIOCGPGRP, TIOCSPGRP, TIOCOUTQ, TIOCSTI, TIOCGWINSZ,
    TIOCSWINSZ, TIOCMGET, FIONREAD = 0x541B, TIOCNOTTY = 0x5422, TCSBRKP = 0x5425, TIOCGSID = 0x5429,
    TIOCGETD = 0x5424, FIONCLEX = 0x5450, FIOCLEX = 0x5451, FIOASYNC = 0x5452, FIONBIO = 0x5421,
};
enum {
    TIOCSPTLCK = 0x40045431, TIOCGPTPEER = 0x5441,
};
#define TIOCGPTN   0x80045430u
#define TIOCGPTLCK 0x80045439u
#define TIOCSIG    0x40045436u
enum { TCOOFF, TCOON, TCIOFF, TCION };          /* of TCXONC */
enum { TCIFLUSH, TCOFLUSH, TCIOFLUSH };          /* of TCFLSH */
/* clang-format on */

#endif
