/*
 * See cpu/rig_engine.h. It lies here because it knows all engines.
 */
#include "cpu/rig_engine.h"
#include "jit/jit.h"
#include <stdlib.h>

const struct engine *rig_engine(struct cpu_config *cfg)
{
    static const struct engine *const engines[] = { &interp_engine, &jit_engine };
    const char *accel = getenv("KILN_ACCEL");
    char words[200], *rest, *word;
    const struct engine *e = NULL;

    if (!accel)
        return &interp_engine;
    snprintf(words, sizeof(words), "%s", accel);
    word = strtok_r(words, ",", &rest);
    for (unsigned i = 0; word && i < ARRAY_LEN(engines); i++)
        if (!strcmp(engines[i]->name, word))
            e = engines[i];
    while (e && (word = strtok_r(NULL, ",", &rest))) {
        char *value = strchr(word, '=');

        if (value)
            *value++ = 0;
        if (!engine_option(&cfg->engine, &cfg->tlb_capacity, word, value))
            e = NULL;
    }
    if (!e) {
        fprintf(stderr, "KILN_ACCEL=%s: no engine, or no option of one\n", accel);
        exit(2);
    }
    return e;
}
