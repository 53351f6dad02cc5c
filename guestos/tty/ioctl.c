/*
 * What ioctl() does with a terminal: Linux' ioctl_tty(2). What only Linux' virtual consoles have
 * (KD..., VT_..., TIOCLINUX) is refused with -ENOTTY, as on its serial ports.
 */
#include "guestos/abi/errno.h"
#include "guestos/abi/signal.h"
#include "guestos/kernel/string.h"
#include "guestos/mm/user.h"
#include "guestos/proc/process.h"
#include "guestos/tty/tty.h"

static struct termios get_termios(struct tty *t)
{
    spin_lock(&t->lock);
    struct termios now = t->termios;
    spin_unlock(&t->lock);
    return now;
}

/* command: TCSETS, TCSETSW (after the output is sent), TCSETSF (and the input is forgotten). */
static long set_termios(struct tty *t, u32 command, const struct termios *wanted)
{
    long result = command == TCSETS ? 0 : tty_drain(t);

    if (result == 0) {
        spin_lock(&t->lock);
        struct termios old = t->termios;
        if (command == TCSETSF) {
            tty_flush_input(t);
        }
        t->termios = *wanted;
        t->termios.line = 0;
        tty_mode_changed(t, &old);
        if (t->device->set) {
            t->device->set(t);
        }
        spin_unlock(&t->lock);
    }
    return result;
}

/* System V's structure has the low halves. */
static long get_termio(struct tty *t, u64 to)
{
    struct termios now = get_termios(t);
    struct termio old = {(u16)now.iflag, (u16)now.oflag, (u16)now.cflag, (u16)now.lflag, 0, {0}};

    memcpy(old.cc, now.cc, sizeof old.cc);
    return PUT_USER(to, old);
}

static long set_termio(struct tty *t, u32 command, u64 from)
{
    struct termios now = get_termios(t);
    struct termio v;

    if (GET_USER(v, from) < 0) {
        return -EFAULT;
    }
    now.iflag = (now.iflag & 0xFFFF0000) | v.iflag;
    now.oflag = (now.oflag & 0xFFFF0000) | v.oflag;
    now.cflag = (now.cflag & 0xFFFF0000) | v.cflag;
    now.lflag = (now.lflag & 0xFFFF0000) | v.lflag;
    memcpy(now.cc, v.cc, sizeof v.cc);
    return set_termios(t, TCSETS + (command - TCSETA), &now);
}

static long set_termios_user(struct tty *t, u32 command, u64 from)
{
    struct termios wanted;

    return GET_USER(wanted, from) < 0 ? -EFAULT : set_termios(t, command, &wanted);
}

static long flow(struct tty *t, u64 what)
{
    long result = 0;

    spin_lock(&t->lock);
    switch (what) {
    case TCOOFF: tty_set_stopped(t, true); break;
    case TCOON: tty_set_stopped(t, false); break;
    case TCIOFF: tty_echo_raw(t, (char)t->termios.cc[VSTOP]); break;
    case TCION: tty_echo_raw(t, (char)t->termios.cc[VSTART]); break;
    default: result = -EINVAL;
    }
    spin_unlock(&t->lock);
    return result;
}

static long flush(struct tty *t, u64 what)
{
    if (what > TCIOFLUSH) {
        return -EINVAL;
    }
    spin_lock(&t->lock);
    if (what != TCOFLUSH) {
        tty_flush_input(t);
    }
    if (what != TCIFLUSH && t->device->drop) {
        t->device->drop(t);
    }
    spin_unlock(&t->lock);
    tty_room(t);
    return 0;
}

static long set_exclusive(struct tty *t, bool exclusive)
{
    spin_lock(&t->lock);
    t->exclusive = exclusive;
    spin_unlock(&t->lock);
    return 0;
}

static long simulate_input(struct tty *t, u64 from)
{
    char c;

    if (tty_of_process() != t && !is_superuser()) {
        return -EPERM;
    }
    if (GET_USER(c, from) < 0) {
        return -EFAULT;
    }
    tty_input(t, c);
    return 0;
}

static long put_u32(u64 to, int result, u32 value)
{
    return result < 0 ? result : PUT_USER(to, value);
}

static u32 count_input(struct tty *t)
{
    spin_lock(&t->lock);
    u32 n = tty_nr_readable(t);
    spin_unlock(&t->lock);
    return n;
}

static u32 count_output(struct tty *t)
{
    spin_lock(&t->lock);
    u32 n = t->device->pending ? t->device->pending(t) : 0;
    spin_unlock(&t->lock);
    return n;
}

void tty_resize(struct tty *t, const struct winsize *size)
{
    spin_lock(&t->lock);
    bool changed = memcmp(&t->size, size, sizeof *size) != 0;
    t->size = *size;
    spin_unlock(&t->lock);
    if (changed) {
        tty_signal_foreground(t, SIGWINCH);
    }
}

static long set_size(struct tty *t, u64 from)
{
    struct winsize size;

    if (GET_USER(size, from) < 0) {
        return -EFAULT;
    }
    tty_resize(t, &size);
    return 0;
}

static long get_size(struct tty *t, u64 to)
{
    spin_lock(&t->lock);
    struct winsize size = t->size;
    spin_unlock(&t->lock);
    return PUT_USER(to, size);
}

static long set_group(struct tty *t, u64 from)
{
    i32 pgid;

    return GET_USER(pgid, from) < 0 ? -EFAULT : tty_set_foreground(t, pgid);
}

/* These are for the foreground, as writing under TOSTOP is. */
static bool is_change(u32 command)
{
    return (command >= TCSETS && command <= TCSETSF) || (command >= TCSETA && command <= TCFLSH) ||
           command == TCSBRKP || command == TIOCSPGRP;
}

long tty_ioctl(struct file *f, struct tty *t, u32 command, u64 argument)
{
    u32 value = 0;
    long result = is_change(command) ? tty_job_control(t, SIGTTOU) : 0;

    (void)f;
    if (result) {
        return result;
    }
    switch (command) {
    case TCGETS: {
        struct termios now = get_termios(t);
        return PUT_USER(argument, now);
    }
    case TCSETS:
    case TCSETSW:
    case TCSETSF: return set_termios_user(t, command, argument);
    case TCGETA: return get_termio(t, argument);
    case TCSETA:
    case TCSETAW:
    case TCSETAF: return set_termio(t, command, argument);
    case TCSBRK: /* a break itself is not sent */
    case TCSBRKP: return tty_drain(t);
    case TCXONC: return flow(t, argument);
    case TCFLSH: return flush(t, argument);
    case TIOCEXCL: return set_exclusive(t, true);
    case TIOCNXCL: return set_exclusive(t, false);
    case TIOCSCTTY: return tty_set_controlling(t, argument == 1);
    case TIOCNOTTY: return tty_give_up(t);
    case TIOCGPGRP:
        result = tty_foreground(t, &value);
        return put_u32(argument, (int)result, value);
    case TIOCSPGRP: return set_group(t, argument);
    case TIOCGSID: result = tty_session(t, &value); return put_u32(argument, (int)result, value);
    case TIOCOUTQ: return put_u32(argument, 0, count_output(t));
    case FIONREAD: return put_u32(argument, 0, count_input(t));
    case TIOCSTI: return simulate_input(t, argument);
    case TIOCGWINSZ: return get_size(t, argument);
    case TIOCSWINSZ: return set_size(t, argument);
    case TIOCGETD: return put_u32(argument, 0, 0); /* N_TTY */
    default: return -ENOTTY;
    }
}
