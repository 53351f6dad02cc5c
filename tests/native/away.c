/*
 * See away.h.
 */
#include "tests/native/away.h"
#include "tests/native/carry.h"
#include "tests/native/deviations.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>

enum { DIFF_TEXT = 8192 };

static FILE *open_or_say(const char *path, const char *mode)
{
    FILE *f = fopen(path, mode);

    if (!f)
        fprintf(stderr, "native_test: %s: %s\n", path, strerror(errno));
    return f;
}

/* What is there is written over: it may be a disk. */
static FILE *open_output(const char *path)
{
    FILE *f = fopen(path, "r+b");

    return f ? f : open_or_say(path, "wb");
}

/* ---- there ---- */

int away_probe(const char *facts, const char *emulator)
{
    struct carry_head h;
    FILE *f = open_output(facts);
    bool ok;

    carry_head_init(&h);
    if (!f || host_probe(&h.facts))
        return 1;
    snprintf(h.facts.emulator, sizeof(h.facts.emulator), "%s", emulator ? emulator : "");
    ok = carry_put_head(f, &h);
    return fclose(f) == 0 && ok ? 0 : 1;
}

struct execution {
    struct carry_head head;
    struct host host;
    struct shared *sh;
    FILE *in, *out;
    u64 cases, died;
};

/* Runs the slots that are loaded and writes their outcomes, also when the child dies on the way. */
static bool run_loaded(struct execution *x)
{
    struct shared *sh = x->sh;

    for (u32 left = sh->nr, idle = 0; left;) {
        u32 nr = left;

        sh->nr = left;
        for (u32 i = 0; i < left; i++)
            sh->slot[i].end.vector = END_TIMEOUT; /* unless the child writes another */
        sh->current = left;
        host_go(&x->host);
        if (host_wait(&x->host, &x->head.facts)) {
            if (sh->current == left && idle++ < 3)
                continue; /* it died before it took a case */
            nr = sh->current == left ? 1 : sh->current + 1;
            idle = 0;
            if (sh->slot[nr - 1].end.vector == END_TIMEOUT)
                memcpy(sh->slot[nr - 1].image_out, sh->slot[nr - 1].image, IMAGE_BYTES);
            x->died++;
        }
        for (u32 i = 0; i < nr; i++)
            if (!carry_put_outcome(x->out, &sh->slot[i]))
                return false;
        x->cases += nr;
        left -= nr;
        memmove(sh->slot, sh->slot + nr, left * sizeof(sh->slot[0]));
    }
    return true;
}

static int execute(struct execution *x)
{
    struct carry_note note;
    struct host_facts here;
    int got = 1;

    if (!carry_get_head(x->in, &x->head) || host_probe(&here))
        return 1;
    memcpy(here.emulator, x->head.facts.emulator, sizeof(here.emulator));
    if (memcmp(&here, &x->head.facts, sizeof(here))) {
        fprintf(
            stderr,
            "native_test: these cases are for another processor or kernel: --probe here first\n");
        return 1;
    }
    memcpy(x->sh->constant, x->head.constant, sizeof(x->sh->constant));
    if (host_start(&x->host, x->sh, &x->head.facts) || !carry_put_head(x->out, &x->head))
        return 1;
    while (got == 1) {
        u32 nr = 0;

        while (nr < BATCH &&
               (got = carry_get_case(x->in, &x->sh->slot[nr], &note, x->head.pristine)) == 1)
            nr++;
        x->sh->nr = nr;
        if (got < 0 || !run_loaded(x)) {
            fprintf(stderr, "native_test: %s\n",
                    got < 0 ? "the cases are damaged" : strerror(errno));
            break;
        }
    }
    host_stop(&x->host);
    printf("native_test: %llu cases run, the child died in %llu\n", (unsigned long long)x->cases,
           (unsigned long long)x->died);
    return got == 0 && carry_put_end(x->out) ? 0 : 1;
}

int away_execute(const char *cases, const char *outcomes)
{
    static struct execution x;
    int status;

    x.in = open_or_say(cases, "rb");
    x.out = open_output(outcomes);
    x.sh = mmap(NULL, sizeof(*x.sh), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (!x.in || !x.out || x.sh == MAP_FAILED)
        return 1;
    status = execute(&x);
    fclose(x.in);
    return fclose(x.out) ? 1 : status;
}

/* ---- here ---- */

struct judgement {
    struct carry_head head;
    struct rig rig;
    FILE *cases, *outcomes, *singles; /* the last: NULL when the cases are singles themselves */
    struct slot slot, single;
    struct verdict verdict;
    u64 nr, differ, unknown, max_reports;
    u64 deviated[MAX_DEVIATIONS];
    u32 whole;      /* the singles' case of late */
    bool explained; /* whether one of them has differed */
    char text[DIFF_TEXT];
};

static bool write_single(struct judgement *j, const struct step *st)
{
    struct carry_note note = { .whole = j->whole };
    struct slot *s = &j->single;

    *s = (struct slot){.code_off = (u32)(st->rip - regions[R_CODE].lin),
                       .code_len = st->in.len,
                       .want_bases = true};
    rig_start_state(&j->rig, &s->in);
    memcpy(s->code, st->bytes, st->in.len);
    rig_save_image(&j->rig, s->image);
    return carry_put_case(j->singles, s, &note, j->head.pristine);
}

/* Writes the instructions of the case one by one; of a long one the first and the last. */
static bool write_singles(struct judgement *j)
{
    u64 last = 0;
    unsigned n = 0, at = 0, written = 0;

    for (unsigned pass = 0; pass < 2; pass++) {
        rig_load(&j->rig, &j->slot);
        for (at = 0, last = 0; !j->rig.ended; rig_run(&j->rig, 1)) {
            struct step st;

            if (!judge_next_step(&j->rig, &st) || last == st.rip)
                continue;
            last = st.rip;
            at++;
            if (pass == 0 || (at > KEPT_STEPS / 2 && at + KEPT_STEPS / 2 < n) ||
                (st.in.row == ROW_INT3 && written))
                continue;
            if (!write_single(j, &st))
                return false;
            written++;
        }
        n = at;
    }
    return true;
}

/* Before singles of another case, and at the end. */
static void check_explained(struct judgement *j)
{
    if (j->whole && !j->explained) {
        j->unknown++;
        printf("MISMATCH: case %u differs, but none of its instructions does by itself\n",
               j->whole);
    }
    j->explained = false;
}

static bool judge_one(struct judgement *j, const struct carry_note *note)
{
    int known;

    if (note->whole && note->whole != j->whole) {
        check_explained(j);
        j->whole = note->whole;
    }
    judge_run(&j->rig, &j->slot, NULL, &j->verdict);
    j->verdict.undefined = note->whole ? judge_undefined_flags(&j->rig, &j->head.facts, &j->slot, &j->verdict) : note->undefined;
    j->nr++;
    if (!judge_compare(&j->head.facts, &j->slot, &j->verdict, j->text, sizeof(j->text)))
        return true;
    j->differ++;
    j->explained = true;
    judge_steps(&j->rig, &j->slot, &j->verdict);
    known = deviation_of(&j->head.facts, &j->slot, &j->verdict, !note->whole);
    if (known >= 0) {
        j->deviated[known]++;
    } else if (j->singles) {
        j->whole++;
        return write_singles(j);
    } else if (j->unknown++ < j->max_reports) {
        judge_report(&j->verdict, &j->slot, j->head.code, j->text);
    }
    return true;
}

static bool judge_all(struct judgement *j)
{
    for (;;) {
        struct carry_note note;
        int got = carry_get_case(j->cases, &j->slot, &note, j->head.pristine);
        int outcome = carry_get_outcome(j->outcomes, &j->slot);

        if (got == 0 && outcome == 0)
            return true;
        if (got != 1 || outcome != 1) {
            fprintf(stderr, "native_test: cases and outcomes do not fit, or are damaged\n");
            return false;
        }
        if (!judge_one(j, &note))
            return false;
    }
}

int away_judge(const char *outcomes, const char *cases, const char *singles, u64 max_reports)
{
    static struct judgement j;
    bool ok;

    j.max_reports = max_reports;
    j.cases = open_or_say(cases, "rb");
    j.outcomes = open_or_say(outcomes, "rb");
    j.singles = singles ? open_or_say(singles, "wb") : NULL;
    if (!j.cases || !j.outcomes || (singles && !j.singles) || !carry_get_head(j.cases, &j.head) ||
        !carry_get_head(j.outcomes, &j.head) || (singles && !carry_put_head(j.singles, &j.head)))
        return 1;
    if (rig_init(&j.rig, &j.head.facts, j.head.constant)) {
        perror("native_test: setting up");
        return 1;
    }
    ok = judge_all(&j) && (!singles || carry_put_end(j.singles));
    if (!singles)
        check_explained(&j);
    for (int i = 0; i < MAX_DEVIATIONS; i++)
        if (j.deviated[i])
            deviation_print(&j.head.facts, i, j.deviated[i]);
    printf("native_test: %llu cases judged, %llu differ; %llu mismatches\n",
           (unsigned long long)j.nr, (unsigned long long)j.differ, (unsigned long long)j.unknown);
    rig_fini(&j.rig);
    fclose(j.cases);
    fclose(j.outcomes);
    if (singles && fclose(j.singles))
        ok = false;
    return ok && !j.unknown && !(singles && j.whole) ? 0 : 1;
}
