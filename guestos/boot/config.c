#include "guestos/boot/config.h"
#include "guestos/boot/loader.h"

void config_fallback(struct config *config)
{
    memset(config, 0, sizeof *config);
    memcpy(config->entry[0].title, "Ember", sizeof "Ember");
    memcpy(config->entry[0].kernel, "/boot/ember", sizeof "/boot/ember");
    config->nr_entries = 1;
    config->timeout_s = DEFAULT_TIMEOUT;
}

static bool word_is(const char *word, const char *name)
{
    size_t len = strlen(name);

    return strlen(word) == len && memcmp(word, name, len) == 0;
}

static bool copy(char *to, const char *from, size_t size)
{
    size_t len = strlen(from);

    if (len == 0) {
        return error("needs a value");
    }
    if (len >= size) {
        return error("is longer than %u characters", (uint32_t)size - 1);
    }
    memcpy(to, from, len + 1);
    return true;
}

static bool number(uint32_t *to, const char *text)
{
    uint32_t value = 0;

    for (const char *p = text; *p; p++) {
        if (*p < '0' || *p > '9' || p - text > 3) {
            return error("wants a number up to 9999");
        }
        value = value * 10 + (uint32_t)(*p - '0');
    }
    *to = value;
    return *text || error("needs a value");
}

static bool set(struct config *config, const char *word, const char *value)
{
    struct config_entry *entry = config->nr_entries ? &config->entry[config->nr_entries - 1] : NULL;

    if (word_is(word, "timeout")) {
        if (word_is(value, "never")) {
            config->timeout_s = TIMEOUT_NEVER;
            return true;
        }
        return number(&config->timeout_s, value);
    }
    if (word_is(word, "default")) {
        return number(&config->first, value); /* from 1 until all entries are known */
    }
    if (word_is(word, "title")) {
        if (config->nr_entries == MAX_ENTRIES) {
            return error("is one more than %u entries", MAX_ENTRIES);
        }
        config->nr_entries++;
        return copy(config->entry[config->nr_entries - 1].title, value, MAX_TITLE);
    }
    if (word_is(word, "kernel")) {
        return entry ? copy(entry->kernel, value, MAX_LINE) : error("needs a title before it");
    }
    if (word_is(word, "module")) {
        if (!entry) {
            return error("needs a title before it");
        }
        if (entry->nr_modules == MAX_MODULES) {
            return error("is one more than %u modules", MAX_MODULES);
        }
        return copy(entry->module[entry->nr_modules], value, MAX_LINE) && ++entry->nr_modules;
    }
    return error("is unknown");
}

static struct config *faulty; /* whose problem is written */
static uint32_t problem_len;

static void put_problem(char c)
{
    if (problem_len < sizeof faulty->problem - 1) {
        faulty->problem[problem_len++] = c;
    }
}

static void note_problem(struct config *config, const char *text, ...)
{
    va_list args;

    if (config->problem[0]) {
        return; /* the first one is the one to mend */
    }
    faulty = config;
    problem_len = 0;
    va_start(args, text);
    format(put_problem, text, args);
    va_end(args);
    config->problem[problem_len] = 0;
}

/* Cuts one line off: its word and its value, without blanks around them. Returns what follows. */
static char *next_line(char *text, char **word, char **value)
{
    char *end = text;

    while (*end && *end != '\n') {
        if (*end == '\t' || *end == '\r') {
            *end = ' ';
        }
        end++;
    }
    char *next = *end ? end + 1 : end;
    *end = 0;
    while (end > text && end[-1] == ' ') {
        *--end = 0;
    }
    while (*text == ' ') {
        text++;
    }
    *word = text;
    while (*text && *text != ' ') {
        text++;
    }
    if (*text) {
        *text++ = 0;
    }
    while (*text == ' ') {
        text++;
    }
    *value = text;
    return next;
}

void config_parse(struct config *config, char *text)
{
    char *word, *value;

    memset(config, 0, sizeof *config);
    config->timeout_s = DEFAULT_TIMEOUT;
    config->first = 1;
    for (uint32_t line = 1; *text; line++) {
        text = next_line(text, &word, &value);
        if (*word && *word != '#' && !set(config, word, value)) {
            note_problem(config, "line %u: \"%s\" %s", line, word, error_text());
        }
    }
    if (config->nr_entries == 0) {
        config_fallback(config);
        note_problem(config, "no entry; an entry begins with \"title\"");
        return;
    }
    if (config->first == 0 || config->first > config->nr_entries) {
        note_problem(config, "\"default %u\", but there are %u entries", config->first,
                     config->nr_entries);
        config->first = 1;
    }
    config->first--;
}
