/* The BIOS data area at 0040:0000 and the extended one, by the offsets that programs rely on
 * (IBM AT and PS/2 technical references). */
#ifndef SPARK_BDA_H
#define SPARK_BDA_H

#include "io.h"

enum {
    BDA_SEG = 0x40,
    BDA_COM = 0x00,           /* 4 words: base ports */
    BDA_LPT = 0x08,           /* 3 words */
    BDA_EBDA = 0x0E,          /* segment of the EBDA */
    BDA_EQUIPMENT = 0x10,     /* INT 11h */
    BDA_BASE_KIB = 0x13,      /* INT 12h */
    BDA_KBD_FLAGS1 = 0x17,
    BDA_KBD_FLAGS2 = 0x18,
    BDA_ALT_PAD = 0x19,       /* number being typed on the keypad with Alt held */
    BDA_KBD_HEAD = 0x1A,
    BDA_KBD_TAIL = 0x1C,
    BDA_KBD_BUFFER = 0x1E,
    BDA_FLOPPY_RECAL = 0x3E,  /* bits 0, 1: drive was recalibrated; 7: IRQ 6 came */
    BDA_MOTOR = 0x3F,
    BDA_MOTOR_TICKS = 0x40,   /* until the motors stop */
    BDA_FLOPPY_STATUS = 0x41,
    BDA_FLOPPY_RESULT = 0x42, /* 7 bytes */
    BDA_VIDEO_MODE = 0x49,
    BDA_CURSOR = 0x50,        /* column and row of page 0's cursor */
    BDA_RESET_JUMP = 0x67,    /* far pointer used by CMOS shutdown codes 5, 9 and 0Ah */
    BDA_TICKS = 0x6C,
    BDA_MIDNIGHT = 0x70,
    BDA_BREAK = 0x71,
    BDA_RESET_FLAG = 0x72,    /* 1234h: warm boot */
    BDA_DISK_STATUS = 0x74,
    BDA_NR_DISKS = 0x75,
    BDA_LPT_TIMEOUT = 0x78,
    BDA_COM_TIMEOUT = 0x7C,
    BDA_KBD_START = 0x80,
    BDA_KBD_END = 0x82,
    BDA_DISK_IRQ = 0x8E,
    BDA_FLOPPY_MEDIA = 0x90,  /* of both drives */
    BDA_FLOPPY_TRACK = 0x94,
    BDA_KBD_MODE = 0x96,
    BDA_KBD_LEDS = 0x97,
    BDA_WAIT_PTR = 0x98,      /* far pointer to the flag that INT 15h AH=83h sets */
    BDA_WAIT_US = 0x9C,       /* microseconds left */
    BDA_WAIT_ACTIVE = 0xA0,
    EBDA_SEG = 0x9FC0,
    EBDA_SIZE_KIB = 0x00,
    EBDA_FDPT0 = 0x3D,        /* fixed disk parameter tables, INT 41h and 46h */
    EBDA_FDPT1 = 0x4D,
};

static inline u8 bda8(u32 off) { return peek8(BDA_SEG, off); }
static inline u16 bda16(u32 off) { return peek16(BDA_SEG, off); }
static inline u32 bda32(u32 off) { return peek32(BDA_SEG, off); }
static inline void bda_set8(u32 off, u8 v) { poke8(BDA_SEG, off, v); }
static inline void bda_set16(u32 off, u16 v) { poke16(BDA_SEG, off, v); }
static inline void bda_set32(u32 off, u32 v) { poke32(BDA_SEG, off, v); }

#endif
