/* The end: says why and stops. Only for what the kernel itself did wrong, or cannot do without. */
#ifndef GUESTOS_KERNEL_PANIC_H
#define GUESTOS_KERNEL_PANIC_H

_Noreturn void panic(const char *format, ...) __attribute__((format(printf, 1, 2)));

#define PANIC_STRING_(x) #x
#define PANIC_STRING(x)  PANIC_STRING_(x)
#define ASSERT(condition)                                                                          \
    do {                                                                                           \
        if (!(condition)) {                                                                        \
            panic("%s", __FILE__ ":" PANIC_STRING(__LINE__) ": " #condition);                      \
        }                                                                                          \
    } while (0)

#endif
