/*
 * Random numbers: ChaCha20 (RFC 8439, 2.3) whose key is replaced by its own output at each use
 * ("fast key erasure", D. J. Bernstein 2017), so that what was given out cannot be computed later.
 * The key comes from RDRAND, where the CPU has it (SDM 1, 7.3.17), and from the low bits of the TSC
 * at moments that nobody chose: around port accesses at the start, then at interrupts.
 */
#include "guestos/abi/signal.h"
#include "guestos/drivers/random.h"
#include "guestos/fs/vfs.h"
#include "guestos/kernel/string.h"
#include "guestos/kernel/thread.h"
#include "guestos/kernel/x86.h"
#include "guestos/mm/layout.h"
#include "guestos/proc/process.h"
#include "guestos/sys/syscall.h"

#define BLOCK_BYTES   64u
#define KEY_WORDS     8u
#define POOL_WORDS    4u
#define ECX_RDRAND    (1u << 30) /* CPUID 1 */
#define RDRAND_TRIES  10
#define START_SAMPLES 256u
#define RNDGETENTCNT  0x80045200u
#define PORT_DELAY    0x80 /* POST code: slow on a real machine */

enum { GRND_NONBLOCK = 1, GRND_RANDOM = 2, GRND_INSECURE = 4 };

struct chacha {
    u32 key[KEY_WORDS];
    u64 counter;
};

static struct spinlock lock = SPINLOCK_INIT("random");
static struct chacha generator;
static u64 pool[POOL_WORDS]; /* events that the key does not know yet */
static u32 nr_events;

static u32 rotate(u32 x, u32 n)
{
    return x << n | x >> (32 - n);
}

static void quarter_round(u32 *x, u32 a, u32 b, u32 c, u32 d)
{
    x[a] += x[b], x[d] = rotate(x[d] ^ x[a], 16);
    x[c] += x[d], x[b] = rotate(x[b] ^ x[c], 12);
    x[a] += x[b], x[d] = rotate(x[d] ^ x[a], 8);
    x[c] += x[d], x[b] = rotate(x[b] ^ x[c], 7);
}

static void chacha_block(struct chacha *c, u32 out[BLOCK_BYTES / 4])
{
    u32 start[16] = {0x61707865, 0x3320646E, 0x79622D32, 0x6B206574};

    memcpy(start + 4, c->key, sizeof c->key);
    start[12] = (u32)c->counter;
    start[13] = (u32)(c->counter >> 32);
    c->counter++;
    memcpy(out, start, sizeof start);
    for (u32 round = 0; round < 10; round++) { /* each is a column and a diagonal round */
        quarter_round(out, 0, 4, 8, 12);
        quarter_round(out, 1, 5, 9, 13);
        quarter_round(out, 2, 6, 10, 14);
        quarter_round(out, 3, 7, 11, 15);
        quarter_round(out, 0, 5, 10, 15);
        quarter_round(out, 1, 6, 11, 12);
        quarter_round(out, 2, 7, 8, 13);
        quarter_round(out, 3, 4, 9, 14);
    }
    for (u32 i = 0; i < 16; i++) {
        out[i] += start[i];
    }
}

/* The key takes in the pool, and 32 bytes of its own output; `child` gets 32 others. Lock held. */
static void advance(struct chacha *child)
{
    u32 block[BLOCK_BYTES / 4];

    for (u32 i = 0; i < KEY_WORDS; i++) {
        generator.key[i] ^= (u32)(pool[i / 2] >> i % 2 * 32);
    }
    chacha_block(&generator, block);
    memcpy(generator.key, block, sizeof generator.key);
    memcpy(child->key, block + KEY_WORDS, sizeof child->key);
    child->counter = 0;
}

static void stir(u64 event)
{
    u64 *word = &pool[nr_events++ % POOL_WORDS];
    u64 mixed = (*word ^ event ^ rdtsc()) * 0x9E3779B97F4A7C15ul; /* 2^64 / the golden ratio */

    *word = mixed ^ mixed >> 29;
}

void random_add(u64 event)
{
    spin_lock(&lock);
    stir(event);
    spin_unlock(&lock);
}

static bool rdrand(u64 *value)
{
    bool good = false;

    for (u32 i = 0; i < RDRAND_TRIES && !good; i++) {
        __asm__ volatile("rdrand %0" : "=r"(*value), "=@ccc"(good));
    }
    return good;
}

static void new_child(struct chacha *child)
{
    spin_lock(&lock);
    advance(child);
    spin_unlock(&lock);
}

void random_bytes(void *to, size_t len_bytes)
{
    struct chacha child;
    u32 block[BLOCK_BYTES / 4];

    new_child(&child);
    while (len_bytes) {
        size_t n = MIN(len_bytes, sizeof block);
        chacha_block(&child, block);
        memcpy(to, block, n);
        to = (u8 *)to + n;
        len_bytes -= n;
    }
    memset(&child, 0, sizeof child);
}

/* Bytes; fewer than asked for if a signal came or memory ended; or -EFAULT. */
static long random_to_user(u64 to, u64 len)
{
    struct chacha child;
    u32 block[BLOCK_BYTES / 4];
    u64 done = 0;

    new_child(&child);
    while (done < len) {
        size_t n = MIN(len - done, sizeof block);
        chacha_block(&child, block);
        if (copy_to_user(to + done, block, n) < 0) {
            return done ? (long)done : -EFAULT;
        }
        done += n;
        if (done % PAGE_BYTES == 0 && signal_is_pending(current())) {
            break;
        }
    }
    memset(&child, 0, sizeof child);
    return (long)done;
}

static long read(struct file *f, u64 to, u64 len, u64 *pos)
{
    (void)f, (void)pos;
    return random_to_user(to, MIN(len, 0x7FFFFFFFul));
}

static long write(struct file *f, u64 from, u64 len, u64 *pos)
{
    u64 word;

    (void)f, (void)pos;
    for (u64 done = 0; done < len; done += sizeof word) {
        word = 0;
        if (copy_from_user(&word, from + done, MIN(len - done, sizeof word)) < 0) {
            return done ? (long)done : -EFAULT;
        }
        random_add(word);
    }
    return (long)len;
}

/* random(4): the estimate is of the whole key, once it is seeded. */
static long ioctl(struct file *f, u32 command, u64 argument)
{
    u32 bits = 8 * sizeof generator.key;

    (void)f;
    return command == RNDGETENTCNT ? PUT_USER(argument, bits) : -ENOTTY;
}

static i64 seek(struct file *f, i64 offset, int whence)
{
    (void)f, (void)offset, (void)whence;
    return 0;
}

long sys_getrandom(const u64 *arg)
{
    if (arg[2] & ~(u64)(GRND_NONBLOCK | GRND_RANDOM | GRND_INSECURE)) {
        return -EINVAL;
    }
    if ((arg[2] & GRND_RANDOM) && (arg[2] & GRND_INSECURE)) {
        return -EINVAL;
    }
    return random_to_user(arg[0], MIN(arg[1], 0x7FFFFFFFul));
}

void random_init(void)
{
    static const struct file_ops ops = {.read = read, .write = write, .seek = seek, .ioctl = ioctl};
    bool has_rdrand = cpuid(1, 0).ecx & ECX_RDRAND;
    struct chacha unused;
    u64 value = 0;

    for (u32 i = 0; i < START_SAMPLES; i++) {
        out8(PORT_DELAY, 0);
        random_add(has_rdrand && rdrand(&value) ? value : i);
        if (i % POOL_WORDS == POOL_WORDS - 1) {
            new_child(&unused);
        }
    }
    device_register("random", S_IFCHR | 0666, MAKE_DEV(1, 8), &ops);
    device_register("urandom", S_IFCHR | 0666, MAKE_DEV(1, 9), &ops);
}
