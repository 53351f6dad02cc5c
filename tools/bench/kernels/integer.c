/*
 * What embedded programs do, after the idea of CoreMark: a list that is searched, reversed and sorted, a
 * matrix of 16-bit numbers, a state machine that reads numbers, and CRCs over the results.
 */
#include "tools/bench/kernels/kernel.h"

enum { NODES = 48, N = 10, TEXT = 256, TEXT_AT = 8192, MATRIX_AT = 4096, NONE = 0xffff };

struct node {
    u16 next; /* index, NONE at the end */
    short value;
    u32 key;
};

static u16 crc16(u16 crc, u16 value)
{
    for (u32 i = 0; i < 16; i++) {
        u16 bit = (crc ^ value) & 1;
        crc >>= 1;
        value >>= 1;
        if (bit)
            crc ^= 0xa001;
    }
    return crc;
}

void setup_integer(u8 *arena)
{
    static const char words[] = "12 -7 +3.25 1e9 0x1f 99. .5 abc 4711 -2.5e-3 +8e+1 7z ";
    struct node *node = (struct node *)arena;
    short *matrix = (short *)(arena + MATRIX_AT);
    u64 random = 31;

    for (u32 i = 0; i < NODES; i++) {
        node[i].next = (u16)(i + 1 < NODES ? i + 1 : NONE);
        node[i].value = (short)next_random(&random);
        node[i].key = next_random(&random) % 512;
    }
    for (u32 i = 0; i < 3 * N * N; i++)
        matrix[i] = (short)(next_random(&random) % 199) - 99;
    for (u32 i = 0, j = 0; i < TEXT; i++) {
        arena[TEXT_AT + i] = (u8)words[j];
        j = words[j + 1] ? j + 1 : 0;
    }
}

/* ---- the list ---- */

static u16 list_find(const struct node *node, u16 head, u32 key)
{
    while (head != NONE && node[head].key != key)
        head = node[head].next;
    return head;
}

static u16 list_reverse(struct node *node, u16 head)
{
    u16 done = NONE;

    while (head != NONE) {
        u16 next = node[head].next;
        node[head].next = done;
        done = head;
        head = next;
    }
    return done;
}

/* Merges runs of 1, 2, 4 ... nodes until one run is left. */
static u16 list_sort(struct node *node, u16 list, bool by_value)
{
    for (u32 run = 1;; run *= 2) {
        u16 p = list, tail = NONE;
        u32 merges = 0;

        list = NONE;
        while (p != NONE) {
            u16 q = p;
            u32 np = 0, nq = run;

            merges++;
            while (np < run && q != NONE) {
                np++;
                q = node[q].next;
            }
            while (np || (nq && q != NONE)) {
                bool first = !nq || q == NONE ||
                             (np && (by_value ? node[p].value <= node[q].value : node[p].key <= node[q].key));
                u16 e = first ? p : q;

                if (first) {
                    p = node[p].next;
                    np--;
                } else {
                    q = node[q].next;
                    nq--;
                }
                if (tail == NONE)
                    list = e;
                else
                    node[tail].next = e;
                tail = e;
            }
            p = q;
        }
        node[tail].next = NONE;
        if (merges <= 1)
            return list;
    }
}

static u16 list_work(struct node *node, u16 *head, u16 crc)
{
    u32 found = 0;

    for (u32 i = 0; i < 8; i++) {
        u16 at = list_find(node, *head, (crc + 7 * i) % 512);
        found += at == NONE ? 1 : (u32)node[at].value & 0xff;
        *head = list_reverse(node, *head);
    }
    *head = list_sort(node, *head, crc & 1);
    for (u16 at = *head; at != NONE; at = node[at].next)
        crc = (u16)(crc * 3 + (u16)node[at].value);
    return crc16(crc, (u16)found);
}

/* ---- the matrix ---- */

static u16 matrix_work(short *a, u16 crc)
{
    short *b = a + N * N, *c = b + N * N;
    int sum = 0;

    for (u32 i = 0; i < N; i++) {
        for (u32 j = 0; j < N; j++) {
            int s = 0;
            for (u32 k = 0; k < N; k++)
                s += a[i * N + k] * b[k * N + j];
            c[i * N + j] = (short)(s >> 3);
            sum += s > 0 ? 10 : (s & 0xff) - (s >> 5);
        }
    }
    for (u32 i = 0; i < N * N; i++)
        a[i] = (short)((a[i] + c[i]) % 99);
    return crc16(crc, (u16)sum);
}

/* ---- the state machine ---- */

enum state { START, SIGN, INTEGER, POINT, EXPONENT, EXPONENT_SIGN, SCIENTIFIC, INVALID, STATES };

static bool digit(u8 c)
{
    return c >= '0' && c <= '9';
}

static enum state next_state(enum state s, u8 c)
{
    switch (s) {
    case START:
        return digit(c) ? INTEGER : c == '+' || c == '-' ? SIGN : c == '.' ? POINT : INVALID;
    case SIGN: return digit(c) ? INTEGER : c == '.' ? POINT : INVALID;
    case INTEGER: return digit(c) ? INTEGER : c == '.' ? POINT : c == 'e' ? EXPONENT : INVALID;
    case POINT: return digit(c) ? POINT : c == 'e' ? EXPONENT : INVALID;
    case EXPONENT: return digit(c) ? SCIENTIFIC : c == '+' || c == '-' ? EXPONENT_SIGN : INVALID;
    case EXPONENT_SIGN:
    case SCIENTIFIC: return digit(c) ? SCIENTIFIC : INVALID;
    default: return INVALID;
    }
}

static u16 state_work(u8 *text, u16 crc)
{
    u32 count[STATES] = {0};
    enum state s = START;

    for (u32 i = 0; i < TEXT; i++) {
        if (text[i] == ' ') {
            count[s]++;
            s = START;
        } else {
            s = next_state(s, text[i]);
        }
    }
    text[crc % TEXT] ^= 1; /* another text the next time */
    for (u32 i = 0; i < STATES; i++)
        crc = crc16(crc, (u16)count[i]);
    return crc;
}

u64 kernel_integer(u8 *arena, u64 iterations)
{
    struct node *node = (struct node *)arena;
    u16 head = 0, crc = 0;
    u64 sum = 0;

    while (iterations--) {
        crc = list_work(node, &head, crc);
        crc = matrix_work((short *)(arena + MATRIX_AT), crc);
        crc = state_work(arena + TEXT_AT, crc);
        sum = mix(sum, crc);
    }
    return sum;
}
