/*
 * vectors_test: our processor against tests recorded from a chip. See README.md.
 */
#include "tests/vectors/rules.h"
#include "tests/vectors/verdict.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

enum { THOROUGH_EVERY = 1000, MAX_REPORTS = 20 };

struct run {
    struct board board;
    struct moo_test test;
    struct verdict verdict;
    u8 (*revoked)[MOO_HASH_BYTES];
    size_t nr_revoked;
    u64 nr_whole, nr_failed, nr_unusable, nr_hit_revoked, under[NR_VECTOR_RULES];
};

/* The suite's list of tests that turned out to be bad: a hash in hexadecimal on a line. */
static int read_revoked(struct run *r, const char *path)
{
    FILE *f = fopen(path, "r");
    char line[256];

    if (!f) {
        fprintf(stderr, "vectors_test: %s: %s\n", path, strerror(errno));
        return -1;
    }
    while (fgets(line, sizeof(line), f)) {
        u8 hash[MOO_HASH_BYTES];
        unsigned n = 0;
        void *p;

        while (n < MOO_HASH_BYTES && sscanf(line + 2 * n, "%2hhx", &hash[n]) == 1)
            n++;
        if (n < MOO_HASH_BYTES)
            continue;
        p = realloc(r->revoked, (r->nr_revoked + 1) * MOO_HASH_BYTES);
        if (!p) {
            perror("vectors_test");
            fclose(f);
            return -1;
        }
        r->revoked = p;
        memcpy(r->revoked[r->nr_revoked++], hash, MOO_HASH_BYTES);
    }
    fclose(f);
    return 0;
}

static bool is_revoked(const struct run *r)
{
    for (size_t i = 0; i < r->nr_revoked; i++)
        if (!memcmp(r->revoked[i], r->test.hash, MOO_HASH_BYTES))
            return true;
    return false;
}

/* Everything that it names is there. */
static bool fits(const struct moo_state *s)
{
    for (u32 i = 0; i < s->nr_ram; i++)
        if (s->ram[i].addr >= BOARD_RAM)
            return false;
    return true;
}

static void report(const struct run *r, u32 opcode)
{
    const struct moo_test *t = &r->test;

    printf("MISMATCH: opcode %02X test %u: %s:", opcode, t->index, t->name);
    for (u32 i = 0; i < t->nr_bytes; i++)
        printf(" %02x", t->bytes[i]);
    if (r->verdict.rule >= 0)
        printf("   (rule %s)", rules[r->verdict.rule].name);
    printf("\n%s", r->verdict.text);
}

static void print_result(const struct run *r, const struct moo_reader *in)
{
    u64 in_part = 0, out = 0;

    for (int i = 0; i < NR_VECTOR_RULES; i++)
        *(rules[i].parts & WITHOUT_ALL ? &out : &in_part) += r->under[i];
    for (int i = 0; i < NR_VECTOR_RULES; i++)
        printf("  %-9s %7llu %s: %s\n", rules[i].name, (unsigned long long)r->under[i],
               rules[i].parts & WITHOUT_ALL ? "excluded" : "in part ", rules[i].reason);
    printf("vectors_test: %llu files, %llu tests: %llu compared, %llu in part, %llu excluded, %llu revoked;\n"
           "%llu failed\n", (unsigned long long)in->nr_files, (unsigned long long)in->nr_tests,
           (unsigned long long)r->nr_whole, (unsigned long long)in_part, (unsigned long long)out,
           (unsigned long long)r->nr_hit_revoked, (unsigned long long)r->nr_failed);
}

static int run_all(struct run *r, struct expected *e)
{
    struct moo_reader in;
    int status = 0;

    moo_init(&in, stdin);
    while (moo_next(&in, &r->test)) {
        if (is_revoked(r)) {
            r->nr_hit_revoked++;
            continue;
        }
        if (!fits(&r->test.initial) || !fits(&r->test.final)) {
            in.error = "a test has memory above 2 MiB: not of real mode";
            break;
        }
        verdict_reach(&r->board, e, &r->test, &r->verdict);
        if (r->verdict.rule < 0)
            r->nr_whole++;
        else
            r->under[r->verdict.rule]++;
        if (r->verdict.nr_differences && r->nr_failed++ < MAX_REPORTS)
            report(r, in.opcode);
        if (!board_clean(&r->board, in.nr_tests % THOROUGH_EVERY == 0)) {
            printf("a test before number %llu wrote memory that the observer did not see\n",
                   (unsigned long long)in.nr_tests);
            r->nr_failed++;
            break;
        }
    }
    if (!in.error && in.nr_files && strcmp(in.cpu, "C286"))
        in.error = "tests of another processor: the rules are those of an 80286";
    print_result(r, &in);
    if (in.error || !in.nr_tests) {
        fprintf(stderr, "vectors_test: standard input: %s\n", in.error ? in.error : "no tests");
        status = 2;
    }
    moo_fini(&in);
    return status ? status : r->nr_failed != 0;
}

int main(int argc, char **argv)
{
    static struct run r;
    struct expected *e = expected_create();
    int status;

    if (argc > 2 || (argc == 2 && argv[1][0] == '-')) {
        fprintf(stderr, "usage: gzip -dc DIR/*.MOO.gz | vectors_test [REVOCATION_LIST]\n"
                        "Status: 0 all agree, 1 differences, 2 the tests cannot be read.\n");
        return 2;
    }
    if (argc == 2 && read_revoked(&r, argv[1]))
        return 2;
    if (!e || board_init(&r.board)) {
        perror("vectors_test: setting up");
        return 2;
    }
    status = run_all(&r, e);
    board_fini(&r.board);
    expected_destroy(e);
    free(r.revoked);
    return status;
}
