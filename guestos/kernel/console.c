/*
 * Output goes to both places as it comes; input of both goes through one ring. Escape sequences of
 * serial terminals (cursor keys) are understood by drivers/serial.c, so that keys are keys here.
 */
#include "guestos/kernel/console.h"
#include "guestos/drivers/serial.h"
#include "guestos/kernel/lock.h"
#include "guestos/tty/vt.h"

#define QUEUE_KEYS 128 /* a power of two */

static u16 queue[QUEUE_KEYS];
static u32 head, tail; /* written at head, read at tail; both only grow */
static struct spinlock queue_lock = SPINLOCK_INIT("console keys");
static struct wait_queue readers = WAIT_QUEUE_INIT(readers);

void console_init(void)
{
    vt_init();
    serial_init();
}

void console_put(char c)
{
    vt_print(c);
    if (c == '\n') {
        serial_print('\r');
    }
    serial_print(c);
}

void console_input(u16 key)
{
    spin_lock(&queue_lock);
    if (head - tail < QUEUE_KEYS) {
        queue[head % QUEUE_KEYS] = key == KEY_ENTER ? '\n' : key == KEY_BACKSPACE ? '\b' : key;
        head++;
    }
    spin_unlock(&queue_lock);
    wake_all(&readers);
}

static bool take(u16 *key)
{
    spin_lock(&queue_lock);
    bool is_there = head != tail;
    if (is_there) {
        *key = queue[tail % QUEUE_KEYS];
        tail++;
    }
    spin_unlock(&queue_lock);
    return is_there;
}

u16 console_get(void)
{
    u16 key = 0;

    WAIT(&readers, take(&key), WAIT_FIRM, NEVER);
    return key;
}
