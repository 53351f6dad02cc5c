/*
 * Terminals as files: the registry of them, open, read, write, poll. Reading takes whole lines in
 * canonical mode, else what MIN and TIME say (POSIX.1-2017, XBD 11.1.7).
 */
#include "guestos/abi/signal.h"
#include "guestos/drivers/keyboard.h"
#include "guestos/drivers/serial.h"
#include "guestos/fs/poll.h"
#include "guestos/fs/vfs.h"
#include "guestos/kernel/clock.h"
#include "guestos/kernel/string.h"
#include "guestos/mm/slab.h"
#include "guestos/mm/user.h"
#include "guestos/proc/process.h"
#include "guestos/tty/pty.h"
#include "guestos/tty/tty.h"
#include "guestos/tty/vt.h"

#define DEV_TTY     MAKE_DEV(5, 0)
#define DEV_CONSOLE MAKE_DEV(5, 1)
#define WRITE_CHUNK 512u
#define ENOUGH_ROOM 64u
#define NS_PER_TIME (100 * NS_PER_MS) /* of VTIME */

/* What an open file knows. */
struct tty_open {
    struct tty *tty;
    u32 hangups;     /* the terminal's, when it was opened */
    bool is_console; /* opened as /dev/console: no hangup, no job control, as in Linux */
};

struct tty *tty_console;
static struct list ttys = LIST_INIT(ttys); /* none is ever taken off */
static struct spinlock ttys_lock = SPINLOCK_INIT("terminals");

/* What Linux starts with. */
static const struct termios default_termios = {
    .iflag = ICRNL | IXON | IUTF8,
    .oflag = OPOST | ONLCR,
    .cflag = B38400 | CS8 | CREAD | HUPCL,
    .lflag = ISIG | ICANON | ECHO | ECHOE | ECHOK | ECHOCTL | ECHOKE | IEXTEN,
    .cc = {[VINTR] = 3,
           [VQUIT] = 28,
           [VERASE] = 0x7F,
           [VKILL] = 21,
           [VEOF] = 4,
           [VMIN] = 1,
           [VSTART] = 17,
           [VSTOP] = 19,
           [VSUSP] = 26,
           [VREPRINT] = 18,
           [VDISCARD] = 15,
           [VWERASE] = 23,
           [VLNEXT] = 22},
};

static struct tty *tty_of(const struct file *f)
{
    return ((struct tty_open *)f->data)->tty;
}

bool tty_is_dead(const struct file *f)
{
    const struct tty_open *o = f->data;

    return !o->is_console && o->hangups != o->tty->hangups;
}

static int check_job(const struct file *f, u32 signal)
{
    const struct tty_open *o = f->data;

    return o->is_console ? 0 : tty_job_control(o->tty, signal);
}

/* ---- open, close */

struct tty *tty_find(u64 rdev)
{
    if (rdev == DEV_TTY) {
        return tty_of_process();
    }
    if (rdev == DEV_CONSOLE) {
        return tty_console;
    }
    struct tty *found = NULL;
    spin_lock(&ttys_lock);
    for (LIST_EACH(struct tty, t, &ttys, link)) {
        if (t->rdev == rdev) {
            found = t;
        }
    }
    spin_unlock(&ttys_lock);
    return found;
}

static int open(struct inode *inode, struct file *f)
{
    struct tty *t = tty_find(inode->rdev);
    bool may_control = !(f->flags & O_NOCTTY) && inode->rdev != DEV_TTY &&
                       inode->rdev != DEV_CONSOLE && (f->flags & O_ACCMODE) != O_WRONLY;
    int result = 0;

    if (!t) {
        return -ENXIO;
    }
    struct tty_open *o = kmalloc(sizeof *o);
    if (!o) {
        return -ENOMEM;
    }
    spin_lock(&t->lock);
    if (t->exclusive && t->opened && !is_superuser()) {
        result = -EBUSY;
    } else if (!t->device->may_open || (result = t->device->may_open(t)) == 0) {
        t->opened++;
        *o = (struct tty_open){t, t->hangups, inode->rdev == DEV_CONSOLE};
    }
    spin_unlock(&t->lock);
    if (result) {
        kfree(o);
        return result;
    }
    f->data = o;
    if (may_control) {
        tty_set_controlling(t, false); /* if it can be; else it is opened all the same */
    }
    return 0;
}

static void release(struct file *f)
{
    struct tty *t = tty_of(f);

    spin_lock(&t->lock);
    if (--t->opened == 0) {
        t->exclusive = false;
        if (t->device->all_closed) {
            t->device->all_closed(t);
        }
    }
    spin_unlock(&t->lock);
    kfree(f->data);
}

/* What was done counts for more than what then went wrong. */
static long count_or(u32 count, int error)
{
    return count ? (long)count : error;
}

/* ---- read */

/* A look at the queue: what tty_take() says, or 0 from a dead file. */
static long take(const struct file *f, char *to, u32 len)
{
    struct tty *t = tty_of(f);

    spin_lock(&t->lock);
    long n = tty_is_dead(f) ? 0 : tty_take(t, to, len);
    spin_unlock(&t->lock);
    return n;
}

static bool readable(const struct file *f)
{
    struct tty *t = tty_of(f);

    spin_lock(&t->lock);
    bool yes = tty_is_dead(f) || tty_has_input(t, 1);
    spin_unlock(&t->lock);
    return yes;
}

/* Bytes; or -EAGAIN, -ERESTARTSYS. */
static long read_queue(struct file *f, char *to, u32 len)
{
    struct tty *t = tty_of(f);
    bool canonical = t->termios.lflag & ICANON;
    u32 min = canonical ? 1 : t->termios.cc[VMIN];
    u64 time_ns = canonical ? 0 : t->termios.cc[VTIME] * NS_PER_TIME;
    u64 deadline = min ? NEVER : clock_monotonic() + time_ns;
    u32 got = 0;

    for (;;) {
        long n = take(f, to + got, len - got);
        if (n >= 0) {
            got += (u32)n;
            if (n == 0 || canonical || got >= MIN(min, len) || got == len) {
                return got;
            }
            deadline = time_ns ? clock_monotonic() + time_ns : NEVER; /* between bytes */
        }
        if (!got && min == 0 && time_ns == 0) {
            return 0;
        }
        if (f->flags & O_NONBLOCK) {
            return count_or(got, -EAGAIN);
        }
        int result = WAIT(&t->readers, readable(f), WAIT_INTERRUPTIBLE, deadline);
        if (result == -EINTR) {
            return count_or(got, -ERESTARTSYS);
        }
        if (result == -ETIMEDOUT) {
            return got;
        }
    }
}

static long read(struct file *f, u64 to, u64 len, u64 *pos)
{
    u32 size = (u32)MIN(len, TTY_QUEUE_BYTES);
    long result = tty_is_dead(f) ? 0 : check_job(f, SIGTTIN);

    (void)pos;
    if (result || !len || tty_is_dead(f)) {
        return result;
    }
    char *bytes = kmalloc(size);
    if (!bytes) {
        return -ENOMEM;
    }
    result = read_queue(f, bytes, size);
    if (result > 0 && copy_to_user(to, bytes, (size_t)result) < 0) {
        result = -EFAULT;
    }
    kfree(bytes);
    return result;
}

/* ---- write */

static bool writable(const struct file *f, u32 room)
{
    struct tty *t = tty_of(f);

    spin_lock(&t->lock);
    bool yes = tty_is_dead(f) || (!t->stopped && t->device->room(t) >= room);
    spin_unlock(&t->lock);
    return yes;
}

/* Bytes written, if any were; else an error. */
static long write_chunk(struct file *f, const char *text, u32 len)
{
    struct tty *t = tty_of(f);
    u32 done = 0;

    while (done < len) {
        spin_lock(&t->lock);
        bool dead = tty_is_dead(f);
        done += dead ? 0 : tty_output(t, text + done, len - done);
        spin_unlock(&t->lock);
        if (done == len) {
            break;
        }
        if (dead) {
            return count_or(done, -EIO);
        }
        if (f->flags & O_NONBLOCK) {
            return count_or(done, -EAGAIN);
        }
        if (WAIT(&t->writers, writable(f, ENOUGH_ROOM), WAIT_INTERRUPTIBLE, NEVER) < 0) {
            return count_or(done, -ERESTARTSYS);
        }
    }
    return done;
}

static long write(struct file *f, u64 from, u64 len, u64 *pos)
{
    struct tty *t = tty_of(f);
    long result = tty_is_dead(f) ? -EIO : 0;
    u64 done = 0;

    (void)pos;
    if (!result && (t->termios.lflag & TOSTOP)) {
        result = check_job(f, SIGTTOU);
    }
    char *text = result ? NULL : kmalloc(WRITE_CHUNK);
    if (!text) {
        return result ? result : -ENOMEM;
    }
    while (done < len) {
        u32 n = (u32)MIN(len - done, WRITE_CHUNK);
        result = copy_from_user(text, from + done, n);
        if (result == 0) {
            result = write_chunk(f, text, n);
        }
        if (result < 0) {
            break;
        }
        done += (u64)result;
        if (result < (long)n) {
            break;
        }
    }
    kfree(text);
    return done ? (long)done : result;
}

static bool is_drained(struct tty *t)
{
    spin_lock(&t->lock);
    bool yes = !t->device->pending || t->device->pending(t) == 0;
    spin_unlock(&t->lock);
    return yes;
}

int tty_drain(struct tty *t)
{
    return WAIT(&t->writers, is_drained(t), WAIT_INTERRUPTIBLE, NEVER) < 0 ? -ERESTARTSYS : 0;
}

/* ---- the rest */

static u32 poll(struct file *f, struct poll_table *table)
{
    struct tty *t = tty_of(f);
    u32 events = 0;

    poll_wait(table, &t->readers);
    poll_wait(table, &t->writers);
    spin_lock(&t->lock);
    u32 wanted = t->termios.cc[VTIME] ? 1 : MAX(t->termios.cc[VMIN], 1u);
    if (tty_is_dead(f)) {
        events |= POLLIN | POLLRDNORM | POLLERR | POLLHUP;
    }
    if (tty_has_input(t, wanted)) {
        events |= POLLIN | POLLRDNORM;
    }
    if (!t->stopped && t->device->room(t) >= ENOUGH_ROOM) {
        events |= POLLOUT | POLLWRNORM;
    }
    spin_unlock(&t->lock);
    return events;
}

static i64 seek(struct file *f, i64 offset, int whence)
{
    (void)f, (void)offset, (void)whence;
    return -ESPIPE;
}

static long ioctl(struct file *f, u32 command, u64 argument)
{
    return tty_is_dead(f) ? -EIO : tty_ioctl(f, tty_of(f), command, argument);
}

static const struct file_ops tty_file_ops = {
    .open = open,
    .release = release,
    .read = read,
    .write = write,
    .seek = seek,
    .ioctl = ioctl,
    .poll = poll,
};

void tty_reset(struct tty *t)
{
    t->termios = default_termios;
    t->stopped = t->literal_next = t->exclusive = false;
    t->column = 0;
}

void tty_register(struct tty *t)
{
    spin_init(&t->lock, t->name);
    wait_queue_init(&t->readers);
    wait_queue_init(&t->writers);
    tty_reset(t);
    spin_lock(&ttys_lock);
    list_add_last(&ttys, &t->link);
    spin_unlock(&ttys_lock);
    device_register(t->name, S_IFCHR | 0620, t->rdev, &tty_file_ops);
}

static bool starts_with_word(const char *text, const char *word)
{
    for (; *word; text++, word++) {
        if (*text != *word) {
            return false;
        }
    }
    return *text == 0 || *text == ','; /* "ttyS0,115200" */
}

void tty_init(const char *console)
{
    vt_register();
    serial_register();
    pty_init();
    keyboard_to_tty();
    tty_console = LIST_FIRST(&ttys, struct tty, link);
    for (LIST_EACH(struct tty, t, &ttys, link)) {
        if (console && starts_with_word(console, t->name)) {
            tty_console = t;
        }
    }
    device_register("tty", S_IFCHR | 0666, DEV_TTY, &tty_file_ops);
    device_register("console", S_IFCHR | 0600, DEV_CONSOLE, &tty_file_ops);
}
