/* The screen: 80 x 25 characters of VGA text, scrolling, with the hardware's cursor. */
#ifndef GUESTOS_DRIVERS_VGA_TEXT_H
#define GUESTOS_DRIVERS_VGA_TEXT_H

void vga_text_init(void);  /* goes on where the firmware's cursor stands */
void vga_text_put(char c); /* \n \r \t \b and printable characters */
void vga_text_clear(void);

#endif
