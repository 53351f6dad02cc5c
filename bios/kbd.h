/* The i8042 and the keyboard behind it. */
#ifndef SPARK_KBD_H
#define SPARK_KBD_H

#include "types.h"

void kbd_init(void); /* POST: controller test, keyboard reset; names what fails */
bool kbc_command(u8 command);           /* to the controller; false if it never takes it */
bool kbc_write_data(u8 byte);           /* to port 60h */
bool kbc_read_data(u8 *byte, u32 us);   /* waits for a byte */
bool kbc_modify_command_byte(u8 clear, u8 set);
bool kbc_ok(void);
void kbd_store_key(u16 key); /* into the BDA's ring; drops it when full */
void mouse_init(void);
void mouse_services(struct regs *r); /* INT 15h AH=C2h */

/* keymap.c: scan code set 1 to key words (ASCII low, scan code high). */
enum key_shift { KEY_PLAIN, KEY_SHIFT, KEY_CTRL, KEY_ALT };
enum key_class { KEY_NORMAL, KEY_LETTER, KEY_PAD };
struct key { u16 code[4]; u8 kind; };
enum { KEYS = 0x59 };
extern const struct key keymap[KEYS];

#endif
