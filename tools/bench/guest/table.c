/* The list of kernels, as the image's table; see table.h. */
#include "tools/bench/guest/guest.h"

#define USER(name, symbol, group, count)   \
    void setup_##symbol(u8 *);             \
    u64 kernel_##symbol(u8 *, u64);        \
    static const struct code code_##symbol = {setup_##symbol, kernel_##symbol};
#define SYSTEM(name, symbol, group, count) extern const struct code system_##symbol;
#include "tools/bench/kernels/kernels.def"
#undef USER
#undef SYSTEM

#define USER(name, symbol, group, count)   {name, group, 0, count, 0, &code_##symbol},
#define SYSTEM(name, symbol, group, count) {name, group, 1, count, 0, &system_##symbol},
#define COUNT_ONE(...)                     +1
__attribute__((section(".table"), used)) struct table table = {
    .magic = {'K', 'I', 'L', 'N', 'B', 'E', 'N', 'C'},
    .version = 1,
    .rounds = 1,
    .nr_entries = 0
#undef USER
#undef SYSTEM
#define USER   COUNT_ONE
#define SYSTEM COUNT_ONE
#include "tools/bench/kernels/kernels.def"
    ,
    .entry = {
#undef USER
#undef SYSTEM
#define USER(name, symbol, group, count)   {name, group, 0, count, 0, &code_##symbol},
#define SYSTEM(name, symbol, group, count) {name, group, 1, count, 0, &system_##symbol},
#include "tools/bench/kernels/kernels.def"
    },
};
