/*
 * Key scripts: parsing into steps, and typing them.
 *
 * A chord (one key, or keys held together) waits until the keyboard is ready, then goes down and
 * up again without waiting, so that the keyboard's own repeat never starts. The pace, about 20
 * keys a second of virtual time, is what a BIOS's 16-key buffer and a polling guest keep up with.
 */
#include "host/key_script.h"
#include "host/option_text.h"
#include "host/us_keyboard.h"
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>

#define MS 1000000ull

enum pace {
    START_MS = 1000, /* firmware empties the keyboard's buffer while it starts */
    POLL_MS = 5,     /* keyboard not ready: ask again */
    STROKE_MS = 5,   /* between the keys of a chord */
    HOLD_MS = 25,
    GAP_MS = 20,  /* between chords */
    LOOK_MS = 20, /* waiting for a text: look again */
};

enum step_kind { STEP_CHORD, STEP_WAIT, STEP_SCREEN, STEP_SERIAL };

#define CHORD_MAX 4

struct step {
    enum step_kind kind;
    u16 codes[CHORD_MAX];
    unsigned nr_codes;
    u64 wait_ns;
    char *text;
};

struct key_script {
    struct step *steps;
    unsigned nr_steps, at;
    unsigned stroke; /* within the chord: keys down so far, then up */
    u64 next_ns;
};

struct key_name {
    const char *name;
    u16 code; /* set 1 */
};

static const struct key_name key_names[] = {
    {"esc", 0x01},       {"backspace", 0x0e}, {"tab", 0x0f},       {"enter", 0x1c},
    {"ret", 0x1c},       {"return", 0x1c},    {"ctrl", 0x1d},      {"lctrl", 0x1d},
    {"shift", 0x2a},     {"lshift", 0x2a},    {"rshift", 0x36},    {"alt", 0x38},
    {"lalt", 0x38},      {"space", 0x39},     {"caps", 0x3a},      {"capslock", 0x3a},
    {"f1", 0x3b},        {"f2", 0x3c},        {"f3", 0x3d},        {"f4", 0x3e},
    {"f5", 0x3f},        {"f6", 0x40},        {"f7", 0x41},        {"f8", 0x42},
    {"f9", 0x43},        {"f10", 0x44},       {"num", 0x45},       {"numlock", 0x45},
    {"scroll", 0x46},    {"kp7", 0x47},       {"kp8", 0x48},       {"kp9", 0x49},
    {"kpminus", 0x4a},   {"kp4", 0x4b},       {"kp5", 0x4c},       {"kp6", 0x4d},
    {"kpplus", 0x4e},    {"kp1", 0x4f},       {"kp2", 0x50},       {"kp3", 0x51},
    {"kp0", 0x52},       {"kpdot", 0x53},     {"less", 0x56},      {"f11", 0x57},
    {"f12", 0x58},       {"minus", 0x0c},     {"plus", 0x0d},      {"kpstar", 0x37},
    {"kpenter", 0xe01c}, {"rctrl", 0xe01d},   {"kpslash", 0xe035}, {"print", 0xe037},
    {"sysrq", 0xe037},   {"ralt", 0xe038},    {"altgr", 0xe038},   {"home", 0xe047},
    {"up", 0xe048},      {"pgup", 0xe049},    {"left", 0xe04b},    {"right", 0xe04d},
    {"end", 0xe04f},     {"down", 0xe050},    {"pgdn", 0xe051},    {"ins", 0xe052},
    {"insert", 0xe052},  {"del", 0xe053},     {"delete", 0xe053},  {"win", 0xe05b},
    {"super", 0xe05b},   {"rwin", 0xe05c},    {"menu", 0xe05d},    {"pause", 0xe11d},
};

static struct step *add_step(struct key_script *s, enum step_kind kind)
{
    struct step *steps = realloc(s->steps, (s->nr_steps + 1) * sizeof(*steps));
    if (!steps)
        abort();
    s->steps = steps;
    struct step *step = &steps[s->nr_steps++];
    *step = (struct step){.kind = kind};
    return step;
}

static bool add_char(struct key_script *s, char c, char err[KEY_SCRIPT_ERR_LEN])
{
    bool shift;
    u16 code = us_key_code(c, &shift);
    if (!code) {
        snprintf(err, KEY_SCRIPT_ERR_LEN, "a US keyboard has no key for byte %02x", (u8)c);
        return false;
    }
    struct step *step = add_step(s, STEP_CHORD);
    if (shift)
        step->codes[step->nr_codes++] = KEY_CODE_SHIFT;
    step->codes[step->nr_codes++] = code;
    return true;
}

/* "ctrl-alt-del", "F1", "shift-a" */
static bool add_chord(struct key_script *s, const char *text, char err[KEY_SCRIPT_ERR_LEN])
{
    struct step *step = add_step(s, STEP_CHORD);
    while (*text) {
        size_t n = strcspn(text, "-");
        if (n == 0)
            n = 1; /* the minus key itself */
        u16 code = 0;
        bool shift = false;
        for (unsigned i = 0; i < ARRAY_LEN(key_names); i++)
            if (strlen(key_names[i].name) == n && !strncasecmp(key_names[i].name, text, n))
                code = key_names[i].code;
        if (!code && n == 1)
            code = us_key_code((char)tolower((u8)text[0]), &shift);
        if (!code) {
            snprintf(err, KEY_SCRIPT_ERR_LEN,
                     "no key {%.*s}; write {F1}, {up}, {ctrl-alt-del}, {wait:1.5}; \\{ is a brace",
                     (int)(n < 40 ? n : 40), text);
            return false;
        }
        if (step->nr_codes + shift >= CHORD_MAX) {
            snprintf(err, KEY_SCRIPT_ERR_LEN, "more than %d keys at once", CHORD_MAX);
            return false;
        }
        if (shift)
            step->codes[step->nr_codes++] = KEY_CODE_SHIFT;
        step->codes[step->nr_codes++] = code;
        text += n + (text[n] == '-' && text[n + 1]);
    }
    if (!step->nr_codes)
        snprintf(err, KEY_SCRIPT_ERR_LEN, "{} names no key; \\{ is a brace");
    return step->nr_codes > 0;
}

static bool add_braced(struct key_script *s, char *inner, char err[KEY_SCRIPT_ERR_LEN])
{
    double seconds;
    bool screen = !strncmp(inner, "screen:", 7);
    if (!strncmp(inner, "wait:", 5)) {
        if (!option_seconds(inner + 5, &seconds)) {
            snprintf(err, KEY_SCRIPT_ERR_LEN, "{wait:%.40s}: no number of seconds", inner + 5);
            return false;
        }
        add_step(s, STEP_WAIT)->wait_ns = (u64)(seconds * 1e9);
        return true;
    }
    if (screen || !strncmp(inner, "serial:", 7)) {
        if (!inner[7]) {
            snprintf(err, KEY_SCRIPT_ERR_LEN, "{%s} needs a text", inner);
            return false;
        }
        struct step *step = add_step(s, screen ? STEP_SCREEN : STEP_SERIAL);
        step->text = strdup(inner + 7);
        if (!step->text)
            abort();
        return true;
    }
    return add_chord(s, inner, err);
}

static bool parse_text(struct key_script *s, const char *p, char err[KEY_SCRIPT_ERR_LEN])
{
    static const char from[] = "ntebr\\{}", to[] = "\n\t\x1b\b\n\\{}";
    for (; *p; p++) {
        if (*p == '\\') {
            const char *e = p[1] ? strchr(from, p[1]) : NULL;
            if (!e) {
                snprintf(err, KEY_SCRIPT_ERR_LEN,
                         "unknown escape '\\%.1s'; \\n \\t \\e \\b \\\\ \\{", p + 1);
                return false;
            }
            if (!add_char(s, to[e - from], err))
                return false;
            p++;
        } else if (*p == '{') {
            size_t n = strcspn(p, "}");
            if (!p[n]) {
                snprintf(err, KEY_SCRIPT_ERR_LEN, "'{' without '}'; \\{ is a brace");
                return false;
            }
            char *inner = strndup(p + 1, n - 1);
            if (!inner)
                abort();
            bool good = add_braced(s, inner, err);
            free(inner);
            if (!good)
                return false;
            p += n;
        } else if (!add_char(s, *p, err)) {
            return false;
        }
    }
    return true;
}

struct key_script *key_script_parse(const char *text, char err[KEY_SCRIPT_ERR_LEN])
{
    struct key_script *s = calloc(1, sizeof(*s));
    if (!s)
        abort();
    if (!parse_text(s, text, err)) {
        key_script_free(s);
        return NULL;
    }
    bool types_at_once = s->nr_steps && s->steps[0].kind == STEP_CHORD;
    s->next_ns = types_at_once ? START_MS * MS : 0;
    return s;
}

void key_script_free(struct key_script *s)
{
    if (!s)
        return;
    for (unsigned i = 0; i < s->nr_steps; i++)
        free(s->steps[i].text);
    free(s->steps);
    free(s);
}

u64 key_script_next_ns(const struct key_script *s)
{
    return s->at < s->nr_steps ? s->next_ns : UINT64_MAX;
}

/* Returns the pause until the next stroke, in ms. */
static unsigned chord_stroke(struct key_script *s, const struct step *step,
                             const struct key_target *t)
{
    unsigned nr = step->nr_codes;
    if (s->stroke == 0 && !t->ready(t->h))
        return POLL_MS;
    unsigned i = s->stroke++;
    bool down = i < nr;
    t->key(t->h, step->codes[down ? i : 2 * nr - 1 - i], down);
    if (s->stroke == nr)
        return HOLD_MS;
    if (s->stroke < 2 * nr)
        return STROKE_MS;
    s->stroke = 0;
    s->at++;
    return GAP_MS;
}

void key_script_run(struct key_script *s, u64 now_ns, const struct key_target *t)
{
    if (s->at >= s->nr_steps || now_ns < s->next_ns)
        return;
    const struct step *step = &s->steps[s->at];
    u64 pause_ns = 0;
    switch (step->kind) {
    case STEP_CHORD: pause_ns = chord_stroke(s, step, t) * MS; break;
    case STEP_WAIT:
        pause_ns = step->wait_ns;
        s->at++;
        break;
    case STEP_SCREEN:
    case STEP_SERIAL:
        if ((step->kind == STEP_SCREEN ? t->on_screen : t->on_serial)(t->h, step->text))
            s->at++;
        pause_ns = LOOK_MS * MS;
        break;
    }
    s->next_ns = now_ns + pause_ns;
}
