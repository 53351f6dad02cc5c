/* What a program does wrong, and the signal that tells it so: number, code and address. */
#include "guestos/user/usertests/usertests.h"

#include <cpuid.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <ucontext.h>
#include <unistd.h>

static sigjmp_buf back;
static siginfo_t info;

static void on_fault(int signal, siginfo_t *i, void *context)
{
    (void)context;
    info = *i;
    siglongjmp(back, signal);
}

static void catch_all(void)
{
    static const int signals[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP};
    struct sigaction a = {.sa_sigaction = on_fault, .sa_flags = SA_SIGINFO};
    for (unsigned i = 0; i < sizeof signals / sizeof signals[0]; i++) {
        CHECK(sigaction(signals[i], &a, NULL) == 0);
    }
}

/* Runs the statement; the signal it got, or 0. */
#define SIGNAL_OF(...)                                                                             \
    ({                                                                                             \
        int signal_ = sigsetjmp(back, 1);                                                          \
        if (signal_ == 0) {                                                                        \
            __VA_ARGS__;                                                                           \
        }                                                                                          \
        signal_;                                                                                   \
    })

static bool told(int signal, int code, const volatile void *address)
{
    return info.si_signo == signal && info.si_code == code && info.si_addr == address;
}

static void test_fault_unmapped(void)
{
    volatile char *null = (volatile char *)8, *kernel = (volatile char *)0xffff800000000000;
    volatile char *odd = (volatile char *)0x8000000000000000;

    catch_all();
    CHECK(SIGNAL_OF(*null) == SIGSEGV && told(SIGSEGV, SEGV_MAPERR, null));
    CHECK(SIGNAL_OF(*null = 1) == SIGSEGV && told(SIGSEGV, SEGV_MAPERR, null));
    CHECK(SIGNAL_OF(*kernel) == SIGSEGV);
    CHECK(SIGNAL_OF(*kernel = 1) == SIGSEGV);
    CHECK(SIGNAL_OF(*odd) == SIGSEGV && info.si_code == SI_KERNEL); /* #GP tells no address */
    CHECK(SIGNAL_OF(((void (*)(void))8)()) == SIGSEGV && told(SIGSEGV, SEGV_MAPERR, (void *)8));
    CHECK(SIGNAL_OF(((void (*)(void))0xffffffff80000000)()) == SIGSEGV);
}

static void test_fault_protection(void)
{
    volatile char *page = mmap(NULL, 8192, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    catch_all();
    CHECK(page != MAP_FAILED && *page == 0);
    CHECK(SIGNAL_OF(page[5] = 1) == SIGSEGV && told(SIGSEGV, SEGV_ACCERR, page + 5));
    CHECK(mprotect((void *)page, 8192, PROT_READ | PROT_WRITE) == 0);
    page[5] = 0x55;
    CHECK(mprotect((void *)page, 4096, PROT_NONE) == 0);
    CHECK(SIGNAL_OF(page[5]) == SIGSEGV && told(SIGSEGV, SEGV_ACCERR, page + 5));
    page[4096] = 1;
    CHECK(mprotect((void *)page, 4096, PROT_READ) == 0 && page[5] == 0x55);
    CHECK(mprotect((void *)page, 4096, PROT_READ | PROT_WRITE) == 0);
    page[0] = (char)0xc3; /* ret */
    CHECK(SIGNAL_OF(((void (*)(void))(uintptr_t)page)()) == SIGSEGV); /* NX */
    CHECK(told(SIGSEGV, SEGV_ACCERR, page));
    CHECK(mprotect((void *)page, 4096, PROT_READ | PROT_EXEC) == 0);
    ((void (*)(void))(uintptr_t)page)();
    CHECK(SIGNAL_OF(*(volatile char *)(uintptr_t)&test_fault_protection = 1) == SIGSEGV);
}

static void test_fault_beyond_file(void)
{
    write_text("f", "0123456789");
    int fd = open("f", O_RDWR);
    volatile char *page = mmap(NULL, 3 * 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);

    catch_all();
    CHECK(page != MAP_FAILED && page[9] == '9' && page[10] == 0 && page[4095] == 0);
    CHECK(SIGNAL_OF(page[4096]) == SIGBUS && told(SIGBUS, BUS_ADRERR, page + 4096));
    CHECK(ftruncate(fd, 5000) == 0 && page[4096] == 0);
    page[4096] = 'x';
    CHECK(ftruncate(fd, 10) == 0);
    CHECK(SIGNAL_OF(page[4096]) == SIGBUS);
    CHECK(ftruncate(fd, 5000) == 0 && page[4096] == 0); /* the old byte does not come back */
}

static void test_fault_arithmetic(void)
{
    volatile int zero = 0, one = 1, min = -2147483647 - 1, minus = -1;

    catch_all();
    CHECK(SIGNAL_OF(one = one / zero) == SIGFPE && info.si_code == FPE_INTDIV);
    CHECK(SIGNAL_OF(one = min / minus) == SIGFPE);
    CHECK(SIGNAL_OF({
        unsigned short control = 0x37b; /* unmasked division by zero */
        __asm__ volatile("fldcw %0; fldz; fld1; fdivp; fwait" ::"m"(control));
    }) == SIGFPE && info.si_code == FPE_FLTDIV);
    __asm__ volatile("fninit");
}

/* QEMU's TCG 7.2 raises no SIMD floating-point exceptions: it says who it is in CPUID. */
static bool on_tcg(void)
{
    unsigned a, b, c, d;
    __cpuid(0x40000000, a, b, c, d);
    return b == 0x54474354; /* "TCGT" */
}

static void test_fault_arithmetic_sse(void)
{
    if (on_tcg()) {
        skip("QEMU's TCG raises no such exceptions");
    }
    catch_all();
    CHECK(SIGNAL_OF({
        unsigned csr = 0x1d80; /* unmasked division by zero */
        double a = 1, b = 0;
        __asm__ volatile("ldmxcsr %1; divsd %2, %0" : "+x"(a) : "m"(csr), "x"(b));
    }) == SIGFPE && info.si_code == FPE_FLTDIV);
}

static void test_fault_instructions(void)
{
    catch_all();
    CHECK(SIGNAL_OF(__asm__ volatile("ud2")) == SIGILL && info.si_code == ILL_ILLOPN);
    CHECK(SIGNAL_OF(__asm__ volatile("int3")) == SIGTRAP);
    CHECK(SIGNAL_OF(__asm__ volatile("pushfq; orl $0x100, (%%rsp); popfq; nop" ::: "memory")) ==
          SIGTRAP);
    CHECK(info.si_code == TRAP_TRACE);
    CHECK(SIGNAL_OF(__asm__ volatile("hlt")) == SIGSEGV);
    CHECK(SIGNAL_OF(__asm__ volatile("cli")) == SIGSEGV);
    CHECK(SIGNAL_OF(__asm__ volatile("inb $0x60, %%al" ::: "rax")) == SIGSEGV);
    CHECK(SIGNAL_OF(__asm__ volatile("mov %%cr3, %%rax" ::: "rax")) == SIGSEGV);
    CHECK(SIGNAL_OF(__asm__ volatile("wbinvd")) == SIGSEGV);
    CHECK(SIGNAL_OF(__asm__ volatile("rdmsr" ::"c"(0xc0000080) : "rax", "rdx")) == SIGSEGV);
    CHECK(SIGNAL_OF(__asm__ volatile("int $0x20")) == SIGSEGV); /* no gate of ours */
    CHECK(SIGNAL_OF(__asm__ volatile("mov %0, %%ds" ::"r"(0x10))) == SIGSEGV);
    CHECK(SIGNAL_OF(__asm__ volatile("pushq $0; pushq $0; pushq $0; pushq $8; pushq $0; iretq")) ==
          SIGSEGV);
}

static void test_fault_default_ends(void)
{
    pid_t pid = fork();
    if (pid == 0) {
        *(volatile char *)8 = 1;
        _exit(0);
    }
    CHECK(status_of(pid) == 128 + SIGSEGV);
    pid = fork();
    if (pid == 0) { /* blocked or ignored, it ends the process all the same */
        signal(SIGSEGV, SIG_IGN);
        *(volatile char *)8 = 1;
        _exit(0);
    }
    CHECK(status_of(pid) == 128 + SIGSEGV);
}

/* A handler that mends the cause: the instruction is done again. */
static char *mend_page;
static void mend(int signal, siginfo_t *i, void *context)
{
    (void)signal, (void)context;
    CHECK((char *)i->si_addr == mend_page + 100);
    CHECK(mprotect(mend_page, 4096, PROT_READ | PROT_WRITE) == 0);
}

static void test_fault_mended(void)
{
    struct sigaction a = {.sa_sigaction = mend, .sa_flags = SA_SIGINFO};

    mend_page = mmap(NULL, 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    CHECK(sigaction(SIGSEGV, &a, NULL) == 0);
    *(volatile char *)(mend_page + 100) = 'm';
    CHECK(mend_page[100] == 'm');
}

/* A handler that changes the registers it came from. */
static void step_over(int signal, siginfo_t *i, void *context)
{
    ucontext_t *c = context;
    (void)signal, (void)i;
    c->uc_mcontext.gregs[REG_RIP] += 2; /* ud2 */
    c->uc_mcontext.gregs[REG_RAX] = 1234;
}

static void test_fault_changes_context(void)
{
    struct sigaction a = {.sa_sigaction = step_over, .sa_flags = SA_SIGINFO};
    long value = 0;

    CHECK(sigaction(SIGILL, &a, NULL) == 0);
    __asm__ volatile("ud2" : "+a"(value));
    CHECK(value == 1234);
}

/* ---- the stack */

static int __attribute__((noinline)) deep(int n)
{
    volatile char frame[4000];
    frame[0] = (char)n;
    frame[3999] = 1;
    return n == 0 ? 0 : deep(n - 1) + frame[3999] + (frame[0] == (char)n ? 0 : 1000000);
}

static void test_stack_grows(void)
{
    CHECK(deep(1000) == 1000); /* 4 MiB */
}

static void overflow(int signal, siginfo_t *i, void *context)
{
    char here;
    (void)context, (void)i;
    _exit(signal == SIGSEGV && (char *)i->si_addr != &here ? 33 : 1);
}

static void too_deep(void)
{
    static char alternate[32768];
    stack_t s = {.ss_sp = alternate, .ss_size = sizeof alternate};
    struct sigaction a = {.sa_sigaction = overflow, .sa_flags = SA_SIGINFO | SA_ONSTACK};

    CHECK(sigaltstack(&s, NULL) == 0 && sigaction(SIGSEGV, &a, NULL) == 0);
    deep(1 << 20);
}

static void too_deep_without_handler(void)
{
    deep(1 << 20);
}

static void test_stack_limit(void)
{
    struct rlimit limit = {1 << 20, 8 << 20};

    CHECK(setrlimit(RLIMIT_STACK, &limit) == 0);
    CHECK(in_child(too_deep) == 33);
    CHECK(in_child(too_deep_without_handler) == 128 + SIGSEGV);
}

const struct test fault_tests[] = {
    TEST(fault_unmapped),     TEST(fault_protection),   TEST(fault_beyond_file),
    TEST(fault_arithmetic),   TEST(fault_arithmetic_sse), TEST(fault_instructions), TEST(fault_default_ends),
    TEST(fault_mended),       TEST(fault_changes_context), TEST(stack_grows),
    TEST(stack_limit),        {0},
};
