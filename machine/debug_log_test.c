/*
 * The formats of -d, compared with what qemu-system-x86_64 7.2 printed for the same state: the
 * literals were taken from its output, with the register values of the cases here put in.
 */
#include "machine/watch_rig.h"
#include <stdlib.h>

static void log_is(struct watch_rig *r, const char *expected)
{
    watch_rig_stop(r);
    if (strcmp(r->log_text, expected))
        print_error("--- expected\n%s--- logged\n%s", expected, r->log_text);
    assert_true(!strcmp(r->log_text, expected));
    watch_rig_destroy(r);
}

#define DEBUG_REGS                                                                                 \
    "DR0=0000000000000000 DR1=0000000000000000 DR2=0000000000000000 DR3=0000000000000000 \n"       \
    "DR6=00000000ffff0ff0 DR7=0000000000000400\n"

#define ZERO "0000000000000000"

/* QEMU says CCO=DYNAMIC here, and CS 00009b00, where SDM 3A table 10-1 has a data segment, and FCW
 * 037f with empty registers, where the table has 0040 and tags of 5555h. */
static const char at_reset[] = "CPU Reset (CPU 0)\n"
                               "EAX=00000000 EBX=00000000 ECX=00000000 EDX=00060fb1\n"
                               "ESI=00000000 EDI=00000000 EBP=00000000 ESP=00000000\n"
                               "EIP=0000fff0 EFL=00000002 [-------] CPL=0 II=0 A20=1 SMM=0 HLT=0\n"
                               "ES =0000 00000000 0000ffff 00009300\n"
                               "CS =f000 ffff0000 0000ffff 00009300\n"
                               "SS =0000 00000000 0000ffff 00009300\n"
                               "DS =0000 00000000 0000ffff 00009300\n"
                               "FS =0000 00000000 0000ffff 00009300\n"
                               "GS =0000 00000000 0000ffff 00009300\n"
                               "LDT=0000 00000000 0000ffff 00008200\n"
                               "TR =0000 00000000 0000ffff 00008b00\n"
                               "GDT=     00000000 0000ffff\n"
                               "IDT=     00000000 0000ffff\n"
                               "CR0=60000010 CR2=00000000 CR3=00000000 CR4=00000000\n" DEBUG_REGS
                               "CCS=00000000 CCD=00000000 CCO=EFLAGS\n"
                               "EFER=0000000000000000\n"
                               "FCW=0040 FSW=0000 [ST=0] FTW=ff MXCSR=00001f80\n"
                               "FPR0=" ZERO " 0000 FPR1=" ZERO " 0000\n"
                               "FPR2=" ZERO " 0000 FPR3=" ZERO " 0000\n"
                               "FPR4=" ZERO " 0000 FPR5=" ZERO " 0000\n"
                               "FPR6=" ZERO " 0000 FPR7=" ZERO " 0000\n"
                               "XMM00=" ZERO " " ZERO " XMM01=" ZERO " " ZERO "\n"
                               "XMM02=" ZERO " " ZERO " XMM03=" ZERO " " ZERO "\n"
                               "XMM04=" ZERO " " ZERO " XMM05=" ZERO " " ZERO "\n"
                               "XMM06=" ZERO " " ZERO " XMM07=" ZERO " " ZERO "\n";

static void cpu_reset_shows_the_registers(void **state)
{
    struct watch_rig *r = watch_rig_create("", 0);

    (void)state;
    cpu_reset(&r->c);
    watch_rig_start(r, LOG_CPU_RESET, false);
    observe_reset(r->observe);
    log_is(r, at_reset);
}

/* The descriptor's limit field is 03fffh pages: its upper four bits are 0. */
static void attributes_hold_the_limit_field(void **state)
{
    struct watch_rig *r = watch_rig_create("", 0);

    (void)state;
    r->c.seg[GS].limit = 0x3ffffff;
    r->c.seg[GS].attr |= SEG_G;
    r->c.seg[FS].limit = 0x9ffff;
    watch_rig_start(r, LOG_CPU_RESET, false);
    observe_reset(r->observe);
    watch_rig_stop(r);
    assert_non_null(strstr(r->log_text, "GS =0000 00000000 03ffffff 00809300\n"));
    assert_non_null(strstr(r->log_text, "FS =0000 00000000 0009ffff 00099300\n"));
    watch_rig_destroy(r);
}

static void int_shows_faults_and_the_registers(void **state)
{
    static const u8 code[] = {0xb8, 0x10, 0x00, 0x00, 0x00, 0x31, 0xc9, 0xf7, 0xf1, 0xf4};
    struct watch_rig *r = watch_rig_create(code, sizeof(code)); /* mov eax, 10h; xor; div ecx */

    (void)state;
    watch_rig_protected(r);
    r->c.gpr[RSP] = 0x7000;
    watch_rig_poke(r, RIG_IDT, 0x00008e0000081009); /* #DE: to the hlt */
    watch_rig_start(r, LOG_INT, false);
    assert_int_equal(watch_rig_run(r, 100), STOP_HALT);
    log_is(r, "check_exception old: 0xffffffff new 0x0\n"
              "     0: v=00 e=0000 i=0 cpl=0 IP=0008:0000000000001007 pc=0000000000001007 "
              "SP=0010:0000000000007000 env->regs[R_EAX]=0000000000000010\n"
              "EAX=00000010 EBX=00000000 ECX=00000000 EDX=00060fb1\n"
              "ESI=00000000 EDI=00000000 EBP=00000000 ESP=00007000\n"
              "EIP=00001007 EFL=00000046 [---Z-P-] CPL=0 II=0 A20=1 SMM=0 HLT=0\n"
              "ES =0010 00000000 ffffffff 00cf9300 DPL=0 DS   [-WA]\n"
              "CS =0008 00000000 ffffffff 00cf9b00 DPL=0 CS32 [-RA]\n"
              "SS =0010 00000000 ffffffff 00cf9300 DPL=0 DS   [-WA]\n"
              "DS =0010 00000000 ffffffff 00cf9300 DPL=0 DS   [-WA]\n"
              "FS =0010 00000000 ffffffff 00cf9300 DPL=0 DS   [-WA]\n"
              "GS =0010 00000000 ffffffff 00cf9300 DPL=0 DS   [-WA]\n"
              "LDT=0000 00000000 0000ffff 00008200 DPL=0 LDT\n"
              "TR =0000 00000000 0000ffff 00008b00 DPL=0 TSS32-busy\n"
              "GDT=     00000600 0000003f\n"
              "IDT=     00003000 000007ff\n"
              "CR0=60000011 CR2=00000000 CR3=00000000 CR4=00000000\n" DEBUG_REGS
              "CCS=00000000 CCD=00000000 CCO=EFLAGS\n"
              "EFER=0000000000000000\n");
}

/* The lines that begin with prefix, joined. */
static char *lines(const char *text, const char *prefix)
{
    char *out = calloc(1, strlen(text) + 1);

    for (const char *p = text; *p;) {
        size_t n = strcspn(p, "\n") + 1;

        if (!strncmp(p, prefix, strlen(prefix)))
            strncat(out, p, n);
        p += n;
    }
    return out;
}

static void lines_are(const char *text, const char *prefix, const char *expected)
{
    char *found = lines(text, prefix);

    assert_string_equal(found, expected);
    free(found);
}

/* int3; mov [40000000h], rax -> #PF, too high for the IDT -> #GP -> #DF -> #GP */
static void int_shows_a_triple_fault_in_long_mode(void **state)
{
    static const u8 code[] = {0xcc, 0x48, 0x89, 0x04, 0x25, 0x00, 0x00, 0x00, 0x40};
    struct watch_rig *r = watch_rig_create(code, sizeof(code));
    FILE *null = fopen("/dev/null", "w");

    (void)state;
    watch_rig_long(r);
    r->c.gpr[RSP] = 0x7000;
    r->c.idtr.limit = 0x3f;
    watch_rig_poke(r, RIG_IDT + 3 * 16, 0x00008e0000181100);
    memcpy(r->view.backing + 0x1100, "\x48\xcf", 2); /* iretq */
    watch_rig_start(r, LOG_INT | LOG_CPU_RESET, false);
    assert_int_equal(watch_rig_run(r, 100), STOP_TRIPLE);
    observe_triple_fault(r->observe, null);
    fclose(null);
    watch_rig_stop(r);
    lines_are(r->log_text, "     ",
              "     0: v=03 e=0000 i=1 cpl=0 IP=0018:0000000000001000 pc=0000000000001000 "
              "SP=0010:0000000000007000 env->regs[R_EAX]=0000000000000000\n"
              "     1: v=0e e=0002 i=0 cpl=0 IP=0018:0000000000001001 pc=0000000000001001 "
              "SP=0010:0000000000007000 CR2=0000000040000000\n"
              "     2: v=08 e=0000 i=0 cpl=0 IP=0018:0000000000001001 pc=0000000000001001 "
              "SP=0010:0000000000007000 env->regs[R_EAX]=0000000000000000\n");
    lines_are(r->log_text, "check_exception",
              "check_exception old: 0xffffffff new 0xe\n"
              "check_exception old: 0xe new 0xd\n"
              "check_exception old: 0x8 new 0xd\n");
    lines_are(r->log_text, "Triple", "Triple fault\n");
    lines_are(r->log_text, "RIP=",
              "RIP=0000000000001000 RFL=00000002 [-------] CPL=0 II=0 A20=1 SMM=0 HLT=0\n"
              "RIP=0000000000001001 RFL=00000002 [-------] CPL=0 II=0 A20=1 SMM=0 HLT=0\n"
              "RIP=0000000000001001 RFL=00000002 [-------] CPL=0 II=0 A20=1 SMM=0 HLT=0\n");
    lines_are(r->log_text, "R12=",
              "R12=0000000000000000 R13=0000000000000000 R14=0000000000000000 "
              "R15=0000000000000000\n"
              "R12=0000000000000000 R13=0000000000000000 R14=0000000000000000 "
              "R15=0000000000000000\n"
              "R12=0000000000000000 R13=0000000000000000 R14=0000000000000000 "
              "R15=0000000000000000\n");
    lines_are(r->log_text, "R8 =",
              "R8 =0000000000000000 R9 =0000000000000000 R10=0000000000000000 "
              "R11=0000000000000000\n"
              "R8 =0000000000000000 R9 =0000000000000000 R10=0000000000000000 "
              "R11=0000000000000000\n"
              "R8 =0000000000000000 R9 =0000000000000000 R10=0000000000000000 "
              "R11=0000000000000000\n");
    assert_non_null(
        strstr(r->log_text, "CS =0018 0000000000000000 00000000 00209b00 DPL=0 CS64 [-RA]\n"));
    assert_non_null(
        strstr(r->log_text, "TR =0000 0000000000000000 0000ffff 00008b00 DPL=0 TSS64-busy\n"));
    watch_rig_destroy(r);
}

static void real_mode_interrupts_are_not_int_records(void **state)
{
    static const u8 code[] = {0xcd, 0x10, 0xf4}; /* int 10h, whose handler is iret; hlt */
    struct watch_rig *r = watch_rig_create(code, sizeof(code));

    (void)state;
    watch_rig_poke(r, 0x10 * 4, 0x1100);
    r->view.backing[0x1100] = 0xcf;
    watch_rig_start(r, LOG_INT, false);
    assert_int_equal(watch_rig_run(r, 100), STOP_HALT);
    log_is(r, "");
}

static void in_asm_shows_a_block_once_and_exec_each_time(void **state)
{
    /* mov cx, 3; 1: dec cx; jnz 1b; mov dword [ds:1234h], 12345678h (9 bytes); hlt */
    static const u8 code[] = {0xb9, 0x03, 0x00, 0x49, 0x75, 0xfd, 0x66, 0xc7,
                              0x06, 0x34, 0x12, 0x78, 0x56, 0x34, 0x12, 0xf4};
    struct watch_rig *r = watch_rig_create(code, sizeof(code));
    char *traces;

    (void)state;
    watch_rig_start(r, LOG_IN_ASM | LOG_EXEC, false);
    assert_int_equal(watch_rig_run(r, 100), STOP_HALT);
    watch_rig_stop(r);
    traces = lines(r->log_text, "Trace 0: 0x");
    /* entry, back edge twice, after the loop */
    assert_int_equal(strlen(traces) - strlen(strchr(traces, '\n') + 1), strlen(traces) / 4);
    assert_non_null(strstr(traces, " [0000000000000000/0000000000001000/"));
    free(traces);
    lines_are(r->log_text, "0x",
              "0x00001000:  b9 03 00                 mov      cx, 3\n"
              "0x00001003:  49                       dec      cx\n"
              "0x00001004:  75 fd                    jne      0x1003\n"
              "0x00001003:  49                       dec      cx\n"
              "0x00001004:  75 fd                    jne      0x1003\n"
              "0x00001006:  66 c7 06 34 12 78 56 34  mov      dword ptr [0x1234], 0x12345678\n"
              "0x0000100e:  12\n"
              "0x0000100f:  f4                       hlt      \n");
    lines_are(r->log_text, "IN: ", "IN: \nIN: \nIN: \n");
    watch_rig_destroy(r);
}

static void cpu_shows_the_registers_before_each_block(void **state)
{
    static const u8 code[] = {0xb0, 0x01, 0xeb, 0x00, 0xf4}; /* mov al, 1; jmp +0; hlt */
    struct watch_rig *r = watch_rig_create(code, sizeof(code));

    (void)state;
    watch_rig_start(r, LOG_CPU, false);
    watch_rig_run(r, 100);
    watch_rig_stop(r);
    lines_are(r->log_text, "EAX=",
              "EAX=00000000 EBX=00000000 ECX=00000000 EDX=00060fb1\n"
              "EAX=00000001 EBX=00000000 ECX=00000000 EDX=00060fb1\n");
    watch_rig_destroy(r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(cpu_reset_shows_the_registers),
        cmocka_unit_test(attributes_hold_the_limit_field),
        cmocka_unit_test(int_shows_faults_and_the_registers),
        cmocka_unit_test(int_shows_a_triple_fault_in_long_mode),
        cmocka_unit_test(real_mode_interrupts_are_not_int_records),
        cmocka_unit_test(in_asm_shows_a_block_once_and_exec_each_time),
        cmocka_unit_test(cpu_shows_the_registers_before_each_block),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
