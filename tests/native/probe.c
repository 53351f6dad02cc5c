/*
 * What the host is and can do: tried in a child, since a wrong guess ends a process.
 */
#define _GNU_SOURCE
#include "cpu/cpu_model.h"
#include "tests/native/host.h"
#include <asm/ldt.h>
#include <cpuid.h>
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <ucontext.h>
#include <unistd.h>

/* LAR and LSL as user mode sees them (SDM 2A): the descriptor without its base. */
static u64 visible_descriptor(u16 sel)
{
    u32 lar = 0, lsl = 0;
    u8 ok;

    __asm__("lar %2, %0; setz %1" : "+r"(lar), "=q"(ok) : "r"((u32)sel) : "cc");
    if (!ok)
        return 0;
    __asm__("lsl %1, %0" : "+r"(lsl) : "r"((u32)sel) : "cc");
    if (lar & 0x800000)
        lsl >>= 12;
    return (u64)(lar & 0xf0ff00) << 32 | (lsl & 0xffff) | (u64)(lsl >> 16 & 15) << 48;
}

static bool child_says_yes(bool (*question)(const struct host_facts *), const struct host_facts *f)
{
    int status;
    pid_t pid = fork();

    if (pid == 0) {
        signal(SIGSEGV, SIG_DFL);
        _exit(question(f) ? 0 : 1);
    }
    return pid > 0 && waitpid(pid, &status, 0) == pid && WIFEXITED(status) && !WEXITSTATUS(status);
}

static bool ldt_works(const struct host_facts *f)
{
    struct user_desc u = { .entry_number = 0, .limit = 0xfff, .seg_32bit = 1 };
    u32 lar = 0;
    u8 ok;

    (void)f;
    if (syscall(SYS_modify_ldt, 0x11, &u, sizeof(u)))
        return false;
    __asm__("lar %2, %0; setz %1" : "+r"(lar), "=q"(ok) : "r"(7) : "cc");
    return ok;
}

static bool ldt16_works(const struct host_facts *f)
{
    struct user_desc u = { .entry_number = 0, .limit = 0xfff };

    (void)f;
    return syscall(SYS_modify_ldt, 0x11, &u, sizeof(u)) == 0;
}

static bool page_maps(u64 lin)
{
    void *at = (void *)(uintptr_t)lin;

    return mmap(at, 4096, PROT_READ | PROT_WRITE, MAP_FIXED_NOREPLACE | MAP_PRIVATE | MAP_ANONYMOUS,
                -1, 0) == at;
}

static bool low_maps(const struct host_facts *f)
{
    (void)f;
    return page_maps(regions[R_LOW].lin);
}

static bool top_maps(const struct host_facts *f)
{
    (void)f;
    return page_maps(regions[R_TOP].lin);
}

static void answer_vector(int sig, siginfo_t *info, void *uc)
{
    (void)sig;
    (void)info;
    _exit(((ucontext_t *)uc)->uc_mcontext.gregs[REG_TRAPNO] == 13 ? 0 : 1);
}

/* PUSH through a stack pointer that is not canonical is #SS(0) (SDM 2B PUSH, 64-bit mode). */
static bool ss_arrives_as_gp(const struct host_facts *f)
{
    static char stack[65536];
    stack_t st = { .ss_sp = stack, .ss_size = sizeof(stack) };
    struct sigaction sa = { .sa_flags = SA_SIGINFO | SA_ONSTACK, .sa_sigaction = answer_vector };

    (void)f;
    sigaltstack(&st, NULL);
    sigaction(SIGSEGV, &sa, NULL);
    sigaction(SIGBUS, &sa, NULL);
    __asm__ volatile("movabs $0x8000000000000000, %%rsp; push %%rax" : : : "memory");
    return false;
}

static void answer_gs(int sig, siginfo_t *info, void *uc)
{
    u32 gs;

    (void)sig;
    (void)info;
    (void)uc;
    __asm__ volatile("mov %%gs, %0" : "=r"(gs));
    _exit(gs == 0x2b ? 1 : 0);
}

static bool gs_is_lost(const struct host_facts *f)
{
    struct sigaction sa = { .sa_flags = SA_SIGINFO, .sa_sigaction = answer_gs };

    (void)f;
    sigaction(SIGTRAP, &sa, NULL);
    __asm__ volatile("mov %0, %%gs; int3" : : "r"(0x2b));
    return false;
}

static void answer_rf(int sig, siginfo_t *info, void *uc)
{
    (void)sig;
    (void)info;
    _exit(((ucontext_t *)uc)->uc_mcontext.gregs[REG_EFL] & 0x10000 ? 1 : 0);
}

/* Faults push RF as 1 (SDM 3B 17.3.1.1). */
static bool rf_is_lost(const struct host_facts *f)
{
    struct sigaction sa = { .sa_flags = SA_SIGINFO, .sa_sigaction = answer_rf };

    (void)f;
    sigaction(SIGILL, &sa, NULL);
    __asm__ volatile("ud2");
    return false;
}

int host_probe(struct host_facts *f)
{
    u32 eax, words[3];

    *f = (struct host_facts){ 0 };
    __cpuid(0, eax, words[0], words[2], words[1]);
    memcpy(f->vendor, words, 12);
    f->amd = !strcmp(f->vendor, "AuthenticAMD") || !strcmp(f->vendor, "HygonGenuine");
    f->features = cpu_host_features();
    f->bus_locks = __get_cpuid_count(7, 0, &eax, &words[0], &words[1], &words[2]) && (words[1] >> 24 & 1);
    __asm__("mov %%cs, %0" : "=r"(f->cs64));
    __asm__("mov %%ss, %0" : "=r"(f->ss));
    for (unsigned i = 1; i < 16; i++)
        f->gdt[i] = visible_descriptor((u16)(i * 8 + 3));
    f->ldt = child_says_yes(ldt_works, f);
    f->ldt16 = f->ldt && child_says_yes(ldt16_works, f);
    f->low = child_says_yes(low_maps, f);
    f->top = child_says_yes(top_maps, f);
    f->fs_lost = child_says_yes(gs_is_lost, f);
    f->rf_lost = child_says_yes(rf_is_lost, f);
    f->ss_is_gp = child_says_yes(ss_arrives_as_gp, f);
    /* 32-bit code: the kernel's own selector 23h, or one of the LDT. Flat, DPL 3, not long. */
    for (unsigned i = 1; i < 16 && !f->cs32; i++)
        if (bits(f->gdt[i], 43, 43) && bits(f->gdt[i], 54, 53) == 2 && bits(f->gdt[i], 46, 45) == 3)
            f->cs32 = (u16)(i * 8 + 3);
    if (!f->cs32 && f->ldt)
        f->cs32 = LDT_CODE32 * 8 + 7;
    return 0;
}
