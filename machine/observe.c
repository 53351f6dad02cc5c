#include "machine/observe.h"
#include <stdlib.h>
struct observe { int x; };
struct observe *observe_create(struct cpu *c, struct clock *k, struct log *l, const struct machine_config *cfg, char err[MACHINE_ERR_LEN]) { (void)c;(void)k;(void)l;(void)cfg;(void)err; return calloc(1,8); }
void observe_destroy(struct observe *o) { free(o); }
void observe_reset(struct observe *o) { (void)o; }
void observe_undefined(void *o, struct cpu *c, const u8 *b, unsigned l) { (void)o;(void)c;(void)b;(void)l; }
void observe_triple_fault(struct observe *o, FILE *f) { (void)o; fprintf(f,"triple fault\n"); }
void observe_print_stats(struct observe *o, FILE *f) { (void)o;(void)f; }
