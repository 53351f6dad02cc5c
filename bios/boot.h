/* Boot: INT 19h, its order, and what is shown when nothing boots. */
#ifndef SPARK_BOOT_H
#define SPARK_BOOT_H

#include "settings.h"

_Noreturn void boot_start(void);

/* Takes the order from the settings, with `first` before all others unless it is SLOT_NONE, and
 * numbers the disks by it. */
void boot_load_order(u8 first);
bool boot_slot_present(u8 slot); /* a drive is there, a ROM has an entry */

/* menu.c: names the keys, waits as long as the settings say, and does what is asked for. */
void boot_offer_menu(void);
/* setup.c: the settings, on the screen; keeps them and loads the order anew if the user wants it. */
void setup_screen(void);

/* menu.c, for both: the next key, scan code and character; a slot by name and model. */
u16 menu_key(void);
void menu_slot(u8 slot);

#endif
