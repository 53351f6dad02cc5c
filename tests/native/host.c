/*
 * The child: see host.h. Everything below enter_case() runs in the signal handler, on its own
 * stack, perhaps with an FS base that is not libc's: raw system calls, no libc, no errno.
 */
#define _GNU_SOURCE
#include "tests/native/host.h"
#include <asm/ldt.h>
#include <asm/prctl.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <ucontext.h>
#include <unistd.h>

enum { HANDLER_STACK = 256 << 10, HANG_MS = 20000, CASE_SECONDS = 2 };

/* The child's world. One per process: the signal handler has no other way to find it. */
static struct world {
    struct shared *sh;
    int from_parent, to_parent;
    u8 *code; /* writable alias of the code region */
    u32 next;
    bool busy;    /* with a batch; else it waits for one, whatever sh->nr says by now */
    bool running; /* slot[next - 1] is under test */
    u64 fs_base, gs_base; /* as last set for a case */
    u16 cs64;
    bool map_low, map_top;
} w;

static long sys3(long nr, long a, long b, long c)
{
    long r;

    __asm__ volatile("syscall" : "=a"(r) : "a"(nr), "D"(a), "S"(b), "d"(c) : "rcx", "r11", "memory");
    return r;
}

#define COPY_BY(letter, dst, src, n)                                                               \
    do {                                                                                           \
        void *d_ = (dst);                                                                          \
        const void *s_ = (src);                                                                    \
        size_t n_ = (n);                                                                           \
        __asm__ volatile("rep movs" letter : "+D"(d_), "+S"(s_), "+c"(n_) : : "memory");           \
    } while (0)
#define COPY(dst, src, n)  COPY_BY("b", dst, src, n)
#define COPY8(dst, src, n) COPY_BY("q", dst, src, (n) / 8) /* emulators take an element at a time */

static bool mapped(enum region r)
{
    return !((r == R_LOW && !w.map_low) || (r == R_TOP && !w.map_top));
}

static void copy_image(u8 *image, bool out)
{
    for (int r = 0; r < NR_REGIONS; r++) {
        u8 *at = (u8 *)(uintptr_t)regions[r].lin;

        if (regions[r].image_off == NO_IMAGE || !mapped(r))
            continue;
        if (out)
            COPY8(image + regions[r].image_off, at, regions[r].pages * 4096u);
        else
            COPY8(at, image + regions[r].image_off, regions[r].pages * 4096u);
    }
}

/* The order of struct nstate.gpr is the encoding's: rAX rCX rDX rBX rSP rBP rSI rDI r8... */
static const u8 greg_of[16] = {
    REG_RAX, REG_RCX, REG_RDX, REG_RBX, REG_RSP, REG_RBP, REG_RSI, REG_RDI,
    REG_R8, REG_R9, REG_R10, REG_R11, REG_R12, REG_R13, REG_R14, REG_R15,
};

/* The frame holds an XSAVE image: its header says whether x87 and SSE are in their initial state,
 * and then what lies there is not restored. */
static void load_fx(const u8 *fx, u8 *frame)
{
    enum { RESERVED = 28, MAGIC = 464, MAGIC1 = 0x46505853, HEADER = 512 };

    COPY(frame, fx, RESERVED);
    COPY(frame + FX_ST, fx + FX_ST, FX_BYTES - FX_ST);
    if (*(const u32 *)(frame + MAGIC) == MAGIC1)
        *(u64 *)(frame + HEADER) |= 3;
}

static void save_outcome(struct slot *s, const greg_t *g, const u8 *fx, int sig)
{
    for (int i = 0; i < 16; i++)
        s->out.gpr[i] = (u64)g[greg_of[i]];
    s->out.rip = (u64)g[REG_RIP];
    s->out.flags = (u64)g[REG_EFL];
    s->out.cs = (u16)g[REG_CSGSFS];
    s->out.ss = (u16)((u64)g[REG_CSGSFS] >> 48);
    __asm__ volatile("mov %%ds, %0" : "=r"(s->out.ds));
    __asm__ volatile("mov %%es, %0" : "=r"(s->out.es));
    __asm__ volatile("mov %%fs, %0" : "=r"(s->out.fs));
    __asm__ volatile("mov %%gs, %0" : "=r"(s->out.gs));
    s->out.fs_base = w.fs_base;
    s->out.gs_base = w.gs_base;
    if (s->want_bases) {
        sys3(SYS_arch_prctl, ARCH_GET_FS, (long)&s->out.fs_base, 0);
        sys3(SYS_arch_prctl, ARCH_GET_GS, (long)&s->out.gs_base, 0);
    }
    COPY(s->out.fx, fx, FX_BYTES);
    s->end = (struct outcome){ (u32)g[REG_TRAPNO], (u32)g[REG_ERR], (u64)g[REG_CR2] };
    if (sig == SIGSYS)
        s->end.vector = END_SYSCALL;
    if (sig == SIGALRM)
        s->end.vector = END_TIMEOUT;
    copy_image(s->image_out, true);
    for (u32 i = 0; i < s->code_len; i++)
        w.code[s->code_off + i] = 0xcc;
}

static void enter_case(const struct slot *s, greg_t *g, u8 *fx, unsigned long *uc_flags)
{
    load_fx(s->in.fx, fx);
    copy_image((u8 *)s->image, false);
    COPY(w.code + s->code_off, s->code, s->code_len);
    for (int i = 0; i < 16; i++)
        g[greg_of[i]] = (greg_t)s->in.gpr[i];
    g[REG_RIP] = (greg_t)s->in.rip;
    g[REG_EFL] = (greg_t)s->in.flags;
    g[REG_CSGSFS] = (greg_t)(s->in.cs | (u64)s->in.ss << 48);
    *uc_flags |= 6; /* UC_SIGCONTEXT_SS, UC_STRICT_RESTORE_SS */
    sys3(SYS_arch_prctl, ARCH_SET_FS, (long)s->in.fs_base, 0);
    sys3(SYS_arch_prctl, ARCH_SET_GS, (long)s->in.gs_base, 0);
    w.fs_base = s->in.fs_base;
    w.gs_base = s->in.gs_base;
    if (s->in.fs)
        __asm__ volatile("mov %0, %%fs" : : "r"((u32)s->in.fs));
    if (s->in.gs)
        __asm__ volatile("mov %0, %%gs" : : "r"((u32)s->in.gs));
    __asm__ volatile("mov %0, %%ds" : : "r"((u32)s->in.ds));
    __asm__ volatile("mov %0, %%es" : : "r"((u32)s->in.es));
}

/* Clears AC, NT and ID, which the kernel hands to the handler as the code under test left them. */
__asm__(".pushsection .text\n"
        "native_handler_entry:\n"
        "    pushfq\n"
        "    andl $~0x244000, (%rsp)\n"
        "    popfq\n"
        "    jmp native_handler\n"
        ".popsection");
void native_handler_entry(int sig, siginfo_t *, void *);
void native_handler(int sig, siginfo_t *info, void *uc);

__attribute__((used)) void native_handler(int sig, siginfo_t *info, void *uc)
{
    ucontext_t *ctx = uc;
    greg_t *g = ctx->uc_mcontext.gregs;
    u8 *fx = (u8 *)ctx->uc_mcontext.fpregs;
    char c = 0;

    (void)info;
    if (w.running)
        save_outcome(&w.sh->slot[w.next - 1], g, fx, sig);
    else if (sig == SIGALRM)
        return;
    /* The kernel keeps IOPL, VIF and the like for ever, if an emulator lets user mode have them. */
    if (g[REG_EFL] & ~(greg_t)0x254fd7)
        sys3(SYS_exit_group, 0, 0, 0);
    w.running = false;
    if (!w.busy || w.next == w.sh->nr) {
        if (w.busy)
            sys3(SYS_write, w.to_parent, (long)&c, 1);
        w.next = 0;
        w.busy = true;
        while (sys3(SYS_read, w.from_parent, (long)&c, 1) == -EINTR)
            ;
        if (c != 'g')
            sys3(SYS_exit_group, 0, 0, 0);
        struct itimerval limit = { .it_value = { CASE_SECONDS, 0 } };
        sys3(SYS_setitimer, ITIMER_REAL, (long)&limit, 0);
    }
    w.sh->current = w.next;
    enter_case(&w.sh->slot[w.next++], g, fx, &ctx->uc_flags);
    w.running = true;
}

/* ---- setting up ---- */

static bool map_at(u64 lin, u32 pages, int prot, int fd)
{
    void *at = (void *)(uintptr_t)lin;
    int flags = MAP_FIXED_NOREPLACE | MAP_POPULATE | (fd < 0 ? MAP_PRIVATE | MAP_ANONYMOUS : MAP_SHARED);
    void *got = mmap(at, pages * 4096u, prot, flags, fd, 0);

    if (got != MAP_FAILED && got != at)
        munmap(got, pages * 4096u);
    return got == at;
}

static bool map_regions(const u8 *constant)
{
    int fd = memfd_create("code", 0);

    if (fd < 0 || ftruncate(fd, CODE_PAGES * 4096))
        return false;
    w.code = mmap(NULL, CODE_PAGES * 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (w.code == MAP_FAILED)
        return false;
    memset(w.code, 0xcc, CODE_PAGES * 4096);
    for (int r = 0; r < NR_REGIONS; r++) {
        const struct region_def *d = &regions[r];
        int prot = d->exec ? PROT_READ | PROT_EXEC : PROT_READ | PROT_WRITE;
        bool ok = map_at(d->lin, d->pages, prot, d->exec ? fd : -1);

        if (r == R_LOW)
            w.map_low = ok;
        else if (r == R_TOP)
            w.map_top = ok;
        else if (!ok)
            return false;
        if (ok && !d->exec) /* so that every page is there: a fault's P bit depends on it */
            memset((void *)(uintptr_t)d->lin, 0x11, d->pages * 4096u);
    }
    memcpy((void *)(uintptr_t)regions[R_CONST].lin, constant, 4096);
    close(fd);
    return mprotect((void *)(uintptr_t)regions[R_CONST].lin, 4096, PROT_READ) == 0;
}

static bool install_ldt(const struct host_facts *f)
{
    for (unsigned i = 0; i < NR_LDT; i++) {
        u64 d = ldt_entry(f, i);
        struct user_desc u = {
            .entry_number = i,
            .base_addr = (unsigned)(bits(d, 39, 16) | bits(d, 63, 56) << 24),
            .limit = (unsigned)(bits(d, 15, 0) | bits(d, 51, 48) << 16),
            .seg_32bit = bits(d, 54, 54),
            .contents = bits(d, 43, 42),
            .read_exec_only = !bits(d, 41, 41),
            .limit_in_pages = bits(d, 55, 55),
            .seg_not_present = !bits(d, 47, 47),
        };
        if (d && syscall(SYS_modify_ldt, 0x11, &u, sizeof(u)))
            return false;
    }
    return true;
}

/* Only what the handler needs, and only from where it is called. */
static bool forbid_system_calls(void)
{
    u64 lo = (u64)(uintptr_t)&sys3 & ~0xfffull, hi = lo + 0x2000;
    struct sock_filter f[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, arch)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, AUDIT_ARCH_X86_64, 1, 0),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_TRAP),
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_rt_sigreturn, 4, 0), /* libc's trampoline */
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, instruction_pointer) + 4),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (u32)(lo >> 32), 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_TRAP),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    struct sock_fprog p = { ARRAY_LEN(f), f };

    /* The program is loaded above 4 GiB and everything under test runs below it (or, by a wild
     * jump, nowhere), so the upper half of the address tells them apart. */
    if (lo >> 32 == 0 || hi >> 32 != lo >> 32)
        return false;
    return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
           prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &p) == 0;
}

static _Noreturn void child(struct shared *sh, const struct host_facts *facts, int from, int to)
{
    static const int sigs[] = { SIGTRAP, SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGSYS, SIGALRM };
    stack_t stack = { .ss_size = HANDLER_STACK };
    struct sigaction sa = { .sa_flags = SA_SIGINFO | SA_ONSTACK };

    w = (struct world){ .sh = sh, .from_parent = from, .to_parent = to, .cs64 = facts->cs64 };
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    stack.ss_sp = mmap(NULL, HANDLER_STACK, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    sa.sa_sigaction = native_handler_entry;
    sigfillset(&sa.sa_mask);
    if (stack.ss_sp == MAP_FAILED || sigaltstack(&stack, NULL) || !map_regions(sh->constant))
        _exit(2);
    if (facts->ldt && !install_ldt(facts))
        _exit(3);
    for (unsigned i = 0; i < ARRAY_LEN(sigs); i++)
        sigaction(sigs[i], &sa, NULL);
    if (!forbid_system_calls())
        _exit(4);
    sh->nr = 0;
    sys3(SYS_write, to, (long)"", 1); /* ready */
    __asm__ volatile("int3");
    _exit(5);
}

int host_start(struct host *h, struct shared *sh, const struct host_facts *facts)
{
    int down[2], up[2];
    char ready;

    signal(SIGPIPE, SIG_IGN);
    h->sh = sh;
    if (pipe2(down, O_CLOEXEC) || pipe2(up, O_CLOEXEC))
        return -1;
    fflush(NULL);
    h->pid = fork();
    if (h->pid < 0)
        return -1;
    if (h->pid == 0) {
        close(down[1]);
        close(up[0]);
        child(sh, facts, down[0], up[1]);
    }
    close(down[0]);
    close(up[1]);
    h->to = down[1];
    h->from = up[0];
    if (read(h->from, &ready, 1) != 1) {
        static const char *const what[] = { [2] = "mapping memory", [3] = "the LDT", [4] = "seccomp" };
        int status = 0;

        waitpid(h->pid, &status, 0);
        status = WIFEXITED(status) ? WEXITSTATUS(status) : 0;
        fprintf(stderr, "native_test: the sandbox cannot be made here: %s\n",
                status >= 2 && status <= 4 ? what[status] : "the child died");
        return -1;
    }
    return 0;
}

void host_stop(struct host *h)
{
    if (h->pid > 0) {
        kill(h->pid, SIGKILL);
        waitpid(h->pid, NULL, 0);
    }
    close(h->to);
    close(h->from);
    h->pid = 0;
}

void host_go(struct host *h)
{
    if (write(h->to, "g", 1) != 1)
        perror("native_test: the child's pipe");
}

int host_wait(struct host *h, const struct host_facts *facts)
{
    struct pollfd p = { .fd = h->from, .events = POLLIN };
    char c;

    if (poll(&p, 1, HANG_MS) == 1 && read(h->from, &c, 1) == 1)
        return 0;
    host_stop(h);
    host_start(h, h->sh, facts);
    return -1;
}
