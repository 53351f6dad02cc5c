/*
 * One test of FEX's suite: code for user mode that ends in HLT, run in an engine or, with
 * --native, on the host's processor. See README.md.
 *
 *     fex_case [--native] CODE [ADDRESS:BYTES ...]
 *
 * CODE is loaded at 10000h; the memory at the addresses is added to what every test has. Registers
 * and flags begin as FEX's own harness sets them. Prints how it ended, and all registers. Status 0:
 * by HLT, 1: otherwise, 2: it could not be run.
 */
#define _GNU_SOURCE
#include "cpu/test_rig.h"
#include <signal.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <ucontext.h>
#include <unistd.h>

enum { CODE_AT = 0x10000, CODE_MAX = 1 << 20, MAX_MAPS = 16, MAPS_AT = 4 << 20, RUN_TICKS = 10000000,
       USER_CODE32 = 0x23, USER_DATA = 0x2b, USER_CODE64 = 0x33 };

struct map {
    u64 lin, bytes;
};

struct test {
    u8 code[CODE_MAX];
    u64 code_bytes;
    struct map maps[MAX_MAPS];
    unsigned nr_maps;
};

struct outcome {
    u64 gpr[16], rip;
    u64 xmm[16][2], mm[8][2]; /* mm: the physical x87 registers */
    int vector;               /* EXC_GP: by HLT, if one lies at rip */
};

static u64 pages(u64 bytes)
{
    return (bytes + 0xfff) & ~0xfffull;
}

/* ---- in an engine ---- */

static void run_here(const struct test *t, struct outcome *o)
{
    struct test_rig *r = rig_long(3, false);
    struct cpu *c = &r->c;
    u64 pa = MAPS_AT;

    for (unsigned i = 0; i < t->nr_maps; i++)
        for (u64 off = 0; off < pages(t->maps[i].bytes); off += 0x1000, pa += 0x1000) {
            if (t->maps[i].lin == CODE_AT && off < t->code_bytes)
                memcpy(rig_ram(r, pa), t->code + off, t->code_bytes - off < 0x1000 ? t->code_bytes - off : 0x1000);
            map4(r, t->maps[i].lin + off, pa, 7);
        }
    /* Linux's selectors, which some tests load. TR is loaded already. */
    set_descriptor(r, USER_CODE32, descriptor(0, 0xfffff, 0xfb, 0xc));
    set_descriptor(r, USER_DATA, descriptor(0, 0xfffff, 0xf3, 0xc));
    set_descriptor(r, USER_CODE64, descriptor(0, 0xfffff, 0xfb, 0xa));
    rig_load_seg(r, CS, USER_CODE64);
    for (unsigned s = 0; s < NR_SEGS; s++)
        if (s == SS)
            rig_load_seg(r, s, USER_DATA);
        else if (s != CS)
            c->seg[s] = (struct seg){ 0 };
    c->cr0 |= CR0_MP;
    c->cr4 |= CR4_OSFXSR | CR4_OSXMMEXCPT | CR4_OSXSAVE | CR4_FSGSBASE;
    memset(c->gpr, 0, sizeof(c->gpr));
    c->fpu = (struct fpu){ .cw = 0x37f, .mxcsr = 0x1f80 }; /* as FNINIT leaves it */
    cpu_set_flags(c, 0x202);
    c->rip = c->next_rip = CODE_AT;
    cpu_update_mode(c);
    mmu_flush_all(c);
    rig_run(r, RUN_TICKS);
    r->engine->sync(r->e);
    if (c->nr_events) {
        o->vector = c->events[(c->nr_events - 1) % EVENT_RING].vector;
        o->rip = c->events[(c->nr_events - 1) % EVENT_RING].rip;
    }
    memcpy(o->gpr, c->gpr, sizeof(o->gpr));
    if (o->vector == EXC_GP)
        o->gpr[RSP] = frame(r, 4);
    memcpy(o->xmm, c->fpu.xmm, sizeof(o->xmm));
    for (unsigned i = 0; i < 8; i++) {
        o->mm[i][0] = c->fpu.r[i].mant;
        o->mm[i][1] = c->fpu.r[i].exp;
    }
    rig_destroy(r);
}

/* ---- on the host's processor ---- */

static struct outcome *native; /* shared with the child, whose handler writes it */

static void ended(int sig, siginfo_t *info, void *context)
{
    static const u8 greg[16] = { REG_RAX, REG_RCX, REG_RDX, REG_RBX, REG_RSP, REG_RBP, REG_RSI, REG_RDI,
                                 REG_R8,  REG_R9,  REG_R10, REG_R11, REG_R12, REG_R13, REG_R14, REG_R15 };
    const mcontext_t *m = &((ucontext_t *)context)->uc_mcontext;
    unsigned top = m->fpregs->swd >> 11 & 7;

    (void)sig;
    (void)info;
    for (unsigned i = 0; i < 16; i++)
        native->gpr[i] = (u64)m->gregs[greg[i]];
    native->rip = (u64)m->gregs[REG_RIP];
    native->vector = (int)m->gregs[REG_TRAPNO];
    memcpy(native->xmm, m->fpregs->_xmm, sizeof(native->xmm));
    for (unsigned i = 0; i < 8; i++) {
        memcpy(&native->mm[(i + top) & 7][0], m->fpregs->_st[i].significand, 8);
        native->mm[(i + top) & 7][1] = m->fpregs->_st[i].exponent;
    }
    _exit(0);
}

static _Noreturn void child(const struct test *t)
{
    static const int signals[] = { SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGTRAP };
    static char stack[65536];
    stack_t ss = { .ss_sp = stack, .ss_size = sizeof(stack) };
    struct sigaction sa = { .sa_flags = SA_SIGINFO | SA_ONSTACK, .sa_sigaction = ended };

    sigaltstack(&ss, NULL);
    for (unsigned i = 0; i < ARRAY_LEN(signals); i++)
        sigaction(signals[i], &sa, NULL);
    for (unsigned i = 0; i < t->nr_maps; i++)
        if (mmap((void *)t->maps[i].lin, pages(t->maps[i].bytes), PROT_READ | PROT_WRITE | PROT_EXEC,
                 MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0) == MAP_FAILED)
            _exit(2);
    memcpy((void *)CODE_AT, t->code, t->code_bytes);
    alarm(10);
    __asm__ volatile("mov $0x1f80, %%eax; push %%rax; ldmxcsr (%%rsp); push $0x202; popf; fninit\n"
                     "pxor %%xmm0, %%xmm0; pxor %%xmm1, %%xmm1; pxor %%xmm2, %%xmm2; pxor %%xmm3, %%xmm3\n"
                     "pxor %%xmm4, %%xmm4; pxor %%xmm5, %%xmm5; pxor %%xmm6, %%xmm6; pxor %%xmm7, %%xmm7\n"
                     "pxor %%xmm8, %%xmm8; pxor %%xmm9, %%xmm9; pxor %%xmm10, %%xmm10; pxor %%xmm11, %%xmm11\n"
                     "pxor %%xmm12, %%xmm12; pxor %%xmm13, %%xmm13; pxor %%xmm14, %%xmm14; pxor %%xmm15, %%xmm15\n"
                     "mov $0, %%eax; mov $0, %%ebx; mov $0, %%ecx; mov $0, %%edx; mov $0, %%esi; mov $0, %%edi\n"
                     "mov $0, %%ebp; mov $0, %%esp; mov $0, %%r8d; mov $0, %%r9d; mov $0, %%r10d; mov $0, %%r11d\n"
                     "mov $0, %%r12d; mov $0, %%r13d; mov $0, %%r14d; mov $0, %%r15d; jmp *entry(%%rip)\n"
                     "entry: .quad 0x10000" : : : "memory");
    __builtin_unreachable();
}

static bool run_there(const struct test *t, struct outcome *o)
{
    int status;
    pid_t pid;

    native = mmap(NULL, sizeof(*native), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (native == MAP_FAILED || (pid = fork()) < 0)
        return false;
    if (pid == 0)
        child(t);
    if (waitpid(pid, &status, 0) != pid || !WIFEXITED(status) || WEXITSTATUS(status))
        return false;
    *o = *native;
    return true;
}

/* ---- the test ---- */

static bool load(struct test *t, char **argv)
{
    FILE *f = fopen(argv[0], "rb");

    if (!f) {
        perror(argv[0]);
        return false;
    }
    t->code_bytes = fread(t->code, 1, CODE_MAX, f);
    fclose(f);
    /* What FEX's harness maps for every test. */
    t->maps[0] = (struct map){ CODE_AT, t->code_bytes };
    t->maps[1] = (struct map){ 0xe0000000, 0xa000 };
    t->maps[2] = (struct map){ 0xe8000000 - 0x1000, 0x2000 };
    for (t->nr_maps = 3; *++argv; t->nr_maps++) {
        char *end;
        struct map m = { strtoull(*argv, &end, 0), 0 };

        if (*end == ':')
            m.bytes = strtoull(end + 1, NULL, 0);
        if (!m.bytes || m.bytes > RAM_SIZE / 2 || t->nr_maps == MAX_MAPS) {
            fprintf(stderr, "fex_case: %s: not ADDRESS:BYTES, or too much\n", *argv);
            return false;
        }
        t->maps[t->nr_maps] = m;
    }
    return true;
}

static bool at_hlt(const struct test *t, const struct outcome *o)
{
    u64 off = o->rip - CODE_AT;

    return o->vector == EXC_GP && off < t->code_bytes && t->code[off] == 0xf4;
}

static void print(const struct test *t, const struct outcome *o)
{
    static const char *const names[16] = { "RAX", "RCX", "RDX", "RBX", "RSP", "RBP", "RSI", "RDI",
                                           "R8",  "R9",  "R10", "R11", "R12", "R13", "R14", "R15" };

    if (at_hlt(t, o))
        printf("END hlt\n");
    else
        printf("END vector %d at %llx\n", o->vector, (unsigned long long)o->rip);
    printf("RIP %llx\n", (unsigned long long)o->rip);
    for (unsigned i = 0; i < 16; i++)
        printf("%s %llx\n", names[i], (unsigned long long)o->gpr[i]);
    for (unsigned i = 0; i < 16; i++)
        printf("XMM%u %llx %llx\n", i, (unsigned long long)o->xmm[i][0], (unsigned long long)o->xmm[i][1]);
    for (unsigned i = 0; i < 8; i++)
        printf("MM%u %llx %llx\n", i, (unsigned long long)o->mm[i][0], (unsigned long long)o->mm[i][1]);
}

int main(int argc, char **argv)
{
    static struct test t;
    bool there = argc > 1 && !strcmp(argv[1], "--native");
    struct outcome o = { .vector = -1 };

    if (argc < 2 + there) {
        fprintf(stderr, "usage: fex_case [--native] CODE [ADDRESS:BYTES ...]\n");
        return 2;
    }
    if (!load(&t, argv + 1 + there))
        return 2;
    if (there) {
        if (!run_there(&t, &o))
            return 2;
    } else {
        run_here(&t, &o);
    }
    print(&t, &o);
    return !at_hlt(&t, &o);
}
