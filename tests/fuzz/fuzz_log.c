/*
 * Input logs: bytes that say that they are one. A log is refused with a reason, or replayed as far
 * as it goes, on a machine that it may or may not have come from.
 *
 * An input: a byte of flags, then the log. Unless a flag says otherwise its sums are set right
 * first, so that what it says is believed.
 */
#include "core/irq.h"
#include "machine/identity.h"
#include "machine/record.h"
#include "machine/replay.h"
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/rig.h"
#include "tests/replay/log_sums.h"

enum { CAP = 8192, EVENTS = 24, MOST = 100000 };
enum flag { WRONG_SUMS = 1, PARTIAL = 2 };

/* A loop with a port, a call and memory. */
static const u8 code[] = { 0xe8, 0x04, 0, 0, 0, 0xeb, 0xf9, 0x90, 0x90, 0x50, 0xff, 0x00, 0xe6, 0x80,
                           0x58, 0xc3 };
static struct state_buf sample;

static struct machine *make_machine(void)
{
    return rig_create(code, sizeof(code), RIG_PROTECTED, NULL);
}

static void record_sample(const char *only)
{
    static const char *const args[] = { "-m", "4" };
    char err[MACHINE_ERR_LEN];
    struct machine *m = make_machine();
    struct record *r = record_begin(m, &(struct record_setup){ args, 2, NULL }, err);
    enum machine_stop stop;

    (void)only;
    ASSERT(r);
    for (unsigned i = 1; i <= EVENTS; i++) {
        rig_run(m, 500, &stop);
        input_push(machine_input(m), INPUT_KEY, (u16)i, i & 1, 0);
        input_push(machine_input(m), INPUT_MOUSE, i & 7, i * 0x10003, -1);
        input_push(machine_input(m), INPUT_SERIAL, i & 1, i, 0);
        if (i % 5 == 0)
            record_cut(r);
    }
    record_end(r, 3);
    state_put(&sample, record_bytes(r)->data, record_bytes(r)->len);
    ASSERT(sample.len > 500 && sample.len < CAP / 2);
    record_free(r);
    machine_destroy(m);
}

static void replay(struct replay *r)
{
    struct machine *m = make_machine();
    char err[MACHINE_ERR_LEN] = "";
    enum machine_stop stop = MACHINE_SLICE_DONE;
    enum replay_state state;

    if (replay_begin(r, m, err)) {
        FUZZ_CHECK(err[0]);
    } else {
        while ((state = replay_step(r, m, stop)) == REPLAY_GOES_ON && machine_icount(m) < MOST) {
            u64 until = replay_next_tick(r), most = machine_ticks(m) + 200 * MOST;
            struct machine_limit limit = { until < most ? until : most, MOST, false, -1 };

            stop = machine_run(m, &limit);
            if (machine_ticks(m) >= most)
                break;
        }
        FUZZ_CHECK(state != REPLAY_DIVERGED || *replay_trouble(r));
    }
    machine_destroy(m);
}

static u64 run(const u8 *bytes, size_t len)
{
    char err[MACHINE_ERR_LEN] = "";
    struct replay *r;
    u8 *copy;

    if (len < 1)
        return 0;
    copy = malloc(len > 1 ? len - 1 : 1); /* a read beyond it is seen */
    ASSERT(copy);
    memcpy(copy, bytes + 1, len - 1);
    if (!(bytes[0] & WRONG_SUMS))
        log_set_sums(copy, len - 1);
    r = replay_read(copy, len - 1, bytes[0] & PARTIAL, err);
    FUZZ_CHECK(r || strlen(err) > 10);
    if (r)
        replay(r);
    replay_free(r);
    free(copy);
    return 1;
}

static size_t make(u64 *rng, u8 *out)
{
    size_t head = log_head_length(sample.data, sample.len), len;

    out[0] = (u8)(fuzz_below(rng, 8) == 0) | (u8)(fuzz_below(rng, 2) << 1);
    memcpy(out + 1, sample.data, sample.len);
    if (fuzz_below(rng, 8) == 0)
        return 1 + fuzz_mutate(rng, out + 1, sample.len, CAP - 1);
    for (unsigned n = 1 + fuzz_below(rng, 3); n; n--) /* small changes of what is said */
        out[1 + head + fuzz_below(rng, (u32)(sample.len - head))] += (u8)(1 + fuzz_below(rng, 3) * 127);
    len = fuzz_mutate(rng, out + 1 + head, sample.len - head, CAP - 1 - head);
    return 1 + head + len;
}

const struct fuzz_target fuzz_target = { "log", "logs", CAP, record_sample, run, make };
