/*
 * Programs that mean harm: wild arguments to every system call, forged signal frames, odd flags,
 * damaged executables. Whatever happens to them, nothing may happen to the kernel or to us. Pseudo
 * random, the same each time; -r makes more rounds.
 */
#include "guestos/user/usertests/usertests.h"

#include <elf.h>
#include <fcntl.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <ucontext.h>
#include <unistd.h>

enum { PAGE = 4096, GUARD_MS = 300 };

/* Waits for a child that may hang, stop or be killed; true if it ended by itself. */
static bool ends(pid_t pid)
{
    uint64_t until = now_ms() + GUARD_MS;
    int status;

    CHECK(pid > 0);
    for (;;) {
        pid_t got = waitpid(pid, &status, WNOHANG);
        if (got == pid && !WIFSTOPPED(status)) {
            return true;
        }
        CHECK(got == 0 || got == pid);
        if (now_ms() > until) {
            kill(pid, SIGKILL);
            while (waitpid(pid, &status, 0) == pid && WIFSTOPPED(status)) {
            }
            return false;
        }
        sleep_ms(1);
    }
}

/* In a child: nothing of ours within reach. */
static void confine(void)
{
    struct rlimit memory = {256 << 20, 256 << 20}, none = {0, 0}, some = {64, 64};

    for (int fd = 0; fd < 3; fd++) {
        dup2(open("/dev/null", O_RDWR), fd);
    }
    setpgid(0, 0);
    setrlimit(RLIMIT_AS, &memory);
    setrlimit(RLIMIT_CORE, &none);
    setrlimit(RLIMIT_FSIZE, &some);
    if (geteuid() == 0) {
        become(65534, 65534);
    }
}

/* ---- every system call */

static const short spared[] = {
    SYS_fork, SYS_vfork, SYS_clone, 435 /* clone3 */, SYS_exit, SYS_exit_group, SYS_rt_sigreturn,
    SYS_kill, SYS_tkill, SYS_tgkill, SYS_rt_sigqueueinfo, SYS_rt_tgsigqueueinfo, SYS_ptrace,
    SYS_shmget, SYS_msgget, SYS_semget, 424 /* pidfd_send_signal */, SYS_pause, SYS_setpgid,
    SYS_setsid,
};
enum { NR_CALLS = 460 };

struct progress {
    int call, round;
};

static bool is_spared(int call)
{
    for (unsigned i = 0; i < sizeof spared / sizeof spared[0]; i++) {
        if (spared[i] == call) {
            return true;
        }
    }
    return false;
}

static void nothing(int signal)
{
    (void)signal;
}

/* Goes on from *at; what blocks is interrupted by a timer. */
static void call_all(struct progress *at, int nr_rounds, char *read_only)
{
    char *edge = mmap(NULL, 2 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    struct itimerval every = {{0, 20000}, {0, 20000}};
    struct sigaction a = {.sa_handler = nothing};
    int fd[2];

    confine();
    munmap(edge + PAGE, PAGE);
    memset(edge, 'e', PAGE);
    sigaction(SIGALRM, &a, NULL);
    signal(SIGPIPE, SIG_IGN);
    pipe(fd);
    const uint64_t evil[] = {
        0, 1, 3, 4, 100, ~0ul, (uint64_t)AT_FDCWD, 0x1000, 1ul << 31, 1ul << 32, 1ul << 63,
        0x7ffffffff000, 0x7fffffffffff, 0x800000000000, 0xffff7fffffffffff, 0xffff800000000000,
        0xffffffff80000000, 0xffffffff80101000, 0xfffffffffffff000, (uint64_t)read_only,
        (uint64_t)(edge + PAGE - 1), (uint64_t)(edge + PAGE - 7), (uint64_t)edge,
    };
    for (; at->call < NR_CALLS; at->call++, at->round = 0) {
        for (; at->round < nr_rounds && !is_spared(at->call); at->round++) {
            uint32_t state = (uint32_t)(at->call * 7919 + at->round + 1);
            uint64_t arg[6];
            for (int i = 0; i < 6; i++) {
                uint32_t r = random32(&state);
                arg[i] = r % 16 == 0 ? (uint64_t)random32(&state) << 32 | random32(&state)
                                     : evil[r / 16 % (sizeof evil / sizeof evil[0])];
            }
            setitimer(ITIMER_REAL, &every, NULL);
            syscall(at->call, arg[0], arg[1], arg[2], arg[3], arg[4], arg[5]);
        }
    }
    _exit(0);
}

static void test_wild_arguments(void)
{
    struct progress *at = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    char *page = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    int hung = 0;

    memset(page, 'r', PAGE);
    CHECK(mprotect(page, PAGE, PROT_READ) == 0);
    while (at->call < NR_CALLS) {
        struct progress before = *at;
        pid_t pid = fork();
        if (pid == 0) {
            call_all(at, rounds(8), page);
        }
        hung += !ends(pid);
        kill(-pid, SIGKILL);
        if (at->call < NR_CALLS && at->call == before.call && at->round == before.round) {
            at->round++; /* that one ended it */
        }
        for (int i = 0; i < PAGE; i++) {
            CHECK(page[i] == 'r'); /* the kernel writes nothing for who may not */
        }
    }
    CHECK(hung < 60);
}

/* ---- forged signal frames: SYS_rt_sigreturn takes all registers from the stack */

static void forged_return(ucontext_t *frame)
{
    __asm__ volatile("mov %0, %%rsp; mov $15, %%eax; syscall; ud2" ::"r"(frame) : "memory");
}

static ucontext_t true_frame;
static void keep_frame(int signal, siginfo_t *info, void *context)
{
    (void)signal, (void)info;
    true_frame = *(ucontext_t *)context;
}

static void landed(void)
{
    syscall(SYS_exit_group, 44);
}

static void test_forged_signal_frames(void)
{
    static const uint64_t places[] = {
        8, 0x7ffffffff000, 0x800000000000, 0xffff800000000000, 0xffffffff80101000, ~0ul,
    };
    static const uint16_t selectors[] = {0x33, 0x2b, 0x23, 0x08, 0x10, 0x1b, 0, 0x3, 0xffff, 0x38};
    uint32_t state = 77;
    struct sigaction a = {.sa_sigaction = keep_frame, .sa_flags = SA_SIGINFO};
    ucontext_t u;
    int nr_landed = 0;

    CHECK(sigaction(SIGUSR1, &a, NULL) == 0 && raise(SIGUSR1) == 0);
    for (int i = 0; i < rounds(150); i++) {
        static char stack[65536], fpu[1024] __attribute__((aligned(64)));
        uint32_t r = random32(&state);
        greg_t *g = u.uc_mcontext.gregs;

        u = true_frame;
        for (unsigned k = 0; k < sizeof fpu; k++) {
            fpu[k] = (char)random32(&state);
        }
        g[REG_RIP] = r % 3 ? (greg_t)(uintptr_t)landed : (greg_t)places[r / 3 % 6];
        g[REG_RSP] = r % 5 ? (greg_t)(uintptr_t)(stack + 32768 + 8) : (greg_t)places[r / 7 % 6];
        g[REG_EFL] = r % 2 ? 0x202 : (greg_t)random32(&state);
        uint64_t cs = r % 4 ? 0x33 : selectors[r / 11 % 10], ss = r % 8 ? 0x2b : selectors[r / 13 % 10];
        g[REG_CSGSFS] = (greg_t)(cs | ss << 48);
        u.uc_mcontext.fpregs = (r % 6 == 0   ? (void *)(uintptr_t)places[r / 17 % 6]
                                : r % 6 == 1 ? (void *)(fpu + r / 19 % 64)
                                             : NULL);
        pid_t pid = fork();
        if (pid == 0) {
            confine();
            forged_return(&u);
        }
        int status;
        uint64_t until = now_ms() + GUARD_MS;
        while (waitpid(pid, &status, WNOHANG) == 0) {
            if (now_ms() > until) {
                kill(pid, SIGKILL);
            }
        }
        nr_landed += WIFEXITED(status) && WEXITSTATUS(status) == 44;
    }
    CHECK(nr_landed > 10); /* some were right: the others were not refused as a whole */
}

/* ---- flags and places from which the kernel is entered */

static long getpid_with_flags(uint64_t flags)
{
    long result;
    __asm__ volatile("sub $128, %%rsp; pushfq; pushfq; orq %1, (%%rsp); popfq; mov $39, %%eax; syscall;"
                     "popfq; add $128, %%rsp"
                     : "=&a"(result)
                     : "r"(flags)
                     : "rcx", "r11", "memory", "cc");
    return result;
}

static void odd_flags(void)
{
    static const uint64_t flags[] = {0x400 /* DF */, 0x4000 /* NT */, 0x40000 /* AC */,
                                     0x200000 /* ID */, 0x444d5};
    signal(SIGTRAP, nothing);
    for (unsigned i = 0; i < sizeof flags / sizeof flags[0]; i++) {
        CHECK(getpid_with_flags(flags[i]) == getpid());
    }
    CHECK(getpid_with_flags(0x100) == getpid()); /* TF */
}

static void test_odd_flags(void)
{
    CHECK(in_child(odd_flags) == 0);
    for (int i = 0; i < 3; i++) { /* and nobody else has them now */
        CHECK(getpid() == syscall(SYS_getpid));
    }
}

static void at_the_edge(void)
{
    char *last = (char *)0x7fffffffe000;
    if (mmap(last, PAGE, PROT_READ | PROT_WRITE | PROT_EXEC,
             MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0) != last) {
        _exit(0); /* it is the stack's, or not to be had */
    }
    memcpy(last + PAGE - 2, "\x0f\x05", 2); /* syscall: its return address is not user space */
    __asm__ volatile("mov $39, %%eax; jmp *%0" ::"r"(last + PAGE - 2));
}

static void jump_to_hole(void)
{
    __asm__ volatile("jmp *%0" ::"r"(0x800000000000));
}

static void stack_in_kernel(void)
{
    __asm__ volatile("mov %0, %%rsp; mov $39, %%eax; syscall; push %%rax" ::"r"(0xffffffff80200000)
                     : "memory");
}

static void fs_base_in_kernel(void)
{
    CHECK_FAILS(syscall(SYS_arch_prctl, 0x1002, 0xffff800000000000), EPERM);
    CHECK_FAILS(syscall(SYS_arch_prctl, 0x1002, 0x8000000000000000), EPERM);
}

static void old_entries(void)
{
    __asm__ volatile("sysenter");
}

static void test_odd_entries(void)
{
    int status = in_child(at_the_edge);
    CHECK(status == 0 || status == 128 + SIGSEGV);
    CHECK(in_child(jump_to_hole) == 128 + SIGSEGV);
    CHECK(in_child(stack_in_kernel) == 128 + SIGSEGV);
    CHECK(in_child(fs_base_in_kernel) == 0);
    status = in_child(old_entries);
    CHECK(status == 128 + SIGSEGV || status == 128 + SIGILL);
    CHECK_FAILS(syscall(0x7fffffff), ENOSYS);
    CHECK_FAILS(syscall(-1l), ENOSYS);
}

static void handler_without_stack(void)
{
    stack_t s = {.ss_sp = (void *)0x10000, .ss_size = 65536};
    struct sigaction a = {.sa_handler = nothing, .sa_flags = SA_ONSTACK};

    sigaltstack(&s, NULL);
    sigaction(SIGUSR1, &a, NULL);
    raise(SIGUSR1); /* no frame can be written */
    _exit(0);
}

static void handler_faults(void)
{
    struct sigaction a = {.sa_handler = (void (*)(int))8, .sa_flags = SA_NODEFER};

    sigaction(SIGSEGV, &a, NULL); /* each delivery faults again, until the stack ends */
    *(volatile char *)8 = 1;
}

static void test_bad_handlers(void)
{
    CHECK(in_child(handler_without_stack) == 128 + SIGSEGV);
    CHECK(in_child(handler_faults) == 128 + SIGSEGV);
}

/* ---- damaged executables */

struct tiny {
    Elf64_Ehdr header;
    Elf64_Phdr program[3];
    unsigned char code[32];
};

static const struct tiny good = {
    .header = {.e_ident = {0x7f, 'E', 'L', 'F', ELFCLASS64, ELFDATA2LSB, EV_CURRENT},
               .e_type = ET_EXEC,
               .e_machine = EM_X86_64,
               .e_version = EV_CURRENT,
               .e_entry = 0x400000 + offsetof(struct tiny, code),
               .e_phoff = sizeof(Elf64_Ehdr),
               .e_ehsize = sizeof(Elf64_Ehdr),
               .e_phentsize = sizeof(Elf64_Phdr),
               .e_phnum = 3},
    .program = {{.p_type = PT_LOAD, .p_flags = PF_R | PF_X, .p_vaddr = 0x400000,
                 .p_filesz = sizeof(struct tiny), .p_memsz = sizeof(struct tiny), .p_align = PAGE},
                {.p_type = PT_LOAD, .p_flags = PF_R | PF_W, .p_vaddr = 0x500000,
                 .p_filesz = 100, .p_memsz = 20000, .p_align = PAGE},
                {.p_type = PT_GNU_STACK, .p_flags = PF_R | PF_W}},
    .code = {0xb8, 231, 0, 0, 0, 0xbf, 45, 0, 0, 0, 0x0f, 0x05, 0xf4}, /* exit_group(45) */
};

static void damage(struct tiny *t, uint32_t *state)
{
    static const uint64_t values[] = {0, 1, 0xfff, 0x1000, 0x1001, 1ul << 31, 1ul << 32, 1ul << 47,
                                      0xffff800000000000, 0xffffffff80000000, ~0ul, ~0xffful, 1ul << 63};
    enum { HEADERS = offsetof(struct tiny, code) };
    unsigned char *bytes = (unsigned char *)t;

    for (uint32_t n = 1 + random32(state) % 3; n > 0; n--) {
        uint32_t at = random32(state) % HEADERS;
        if (random32(state) % 2) {
            bytes[at] = (unsigned char)random32(state);
        } else {
            memcpy(bytes + at / 8 * 8, &values[random32(state) % 13], 8);
        }
    }
}

static int execute(const void *data, size_t len_bytes)
{
    char *argv[] = {"tiny", NULL};
    int status = -1;

    unlink("tiny");
    write_file("tiny", data, len_bytes, 0755);
    pid_t pid = fork();
    if (pid == 0) {
        confine();
        execv("tiny", argv);
        _exit(46);
    }
    uint64_t until = now_ms() + GUARD_MS;
    while (waitpid(pid, &status, WNOHANG) == 0) {
        if (now_ms() > until) {
            kill(pid, SIGKILL);
        }
    }
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

static void test_damaged_programs(void)
{
    uint32_t state = 4711;
    int ran = 0, refused = 0;

    CHECK(execute(&good, sizeof good) == 45);
    for (int i = 0; i < rounds(100); i++) {
        struct tiny t = good;
        damage(&t, &state);
        int status = execute(&t, random32(&state) % 8 ? sizeof t : random32(&state) % sizeof t);
        ran += status == 45;
        refused += status == 46;
    }
    CHECK(ran > 0 && refused > 0);
    CHECK(execute(&good, sizeof good) == 45);
}

const struct test hostile_tests[] = {
    TEST(wild_arguments), TEST(forged_signal_frames), TEST(odd_flags),        TEST(odd_entries),
    TEST(bad_handlers),   TEST(damaged_programs),     {0},
};
