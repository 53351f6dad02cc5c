/*
 * The instructions that touch user memory. A page fault between user_access_begin and
 * user_access_end on a user address that cannot be mended goes on at user_access_failed, with the
 * stack as the function found it: so none of them pushes anything (mm/fault.c).
 */
#include "guestos/mm/smap.inc"

        .set    EFAULT, 14
        .set    ENAMETOOLONG, 36

        .text
        .globl  user_access_begin, user_access_end, user_access_failed
user_access_begin:

/* int user_copy(void *to, const void *from, size_t len): 0 or -EFAULT */
        .globl  user_copy
user_copy:
        movq    %rdx, %rcx
        xorl    %eax, %eax
        USER_OPEN
        rep movsb
        USER_CLOSE
        ret

/* int user_clear(void *to, size_t len): 0 or -EFAULT */
        .globl  user_clear
user_clear:
        movq    %rsi, %rcx
        xorl    %eax, %eax
        USER_OPEN
        rep stosb
        USER_CLOSE
        ret

/* long user_string(char *to, const char *from, size_t size): the length without the end, -EFAULT,
 * or -ENAMETOOLONG if there is no end in size bytes */
        .globl  user_string
user_string:
        xorl    %eax, %eax
        USER_OPEN
1:      cmpq    %rdx, %rax
        je      2f
        movb    (%rsi, %rax), %cl
        movb    %cl, (%rdi, %rax)
        incq    %rax
        testb   %cl, %cl
        jnz     1b
        decq    %rax
        USER_CLOSE
        ret
2:      movq    $-ENAMETOOLONG, %rax
        USER_CLOSE
        ret

/* int user_cmpxchg(u32 *at, u32 expected, u32 new_value, u32 *old): 0 or -EFAULT */
        .globl  user_cmpxchg
user_cmpxchg:
        movl    %esi, %eax
        USER_OPEN
        lock cmpxchgl %edx, (%rdi)
        USER_CLOSE
        movl    %eax, (%rcx)
        xorl    %eax, %eax
        ret

user_access_end:

user_access_failed:
        USER_CLOSE
        movq    $-EFAULT, %rax
        ret

        .section .note.GNU-stack, "", @progbits
