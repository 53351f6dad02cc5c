/*
 * QMP commands. Names, arguments and answers are those of QEMU's QMP reference manual.
 */
#include "host/qmp_commands.h"
#include "host/monitor.h"
#include "host/screen_dump.h"
#include "host/session.h"
#include <stdlib.h>

/* Clients look at the member "qemu" to learn which protocol is spoken: this is the version whose
 * commands and events ours are like. What we are is in "package". */
json_t *qmp_version(void)
{
    return json_pack("{s:{s:i,s:i,s:i},s:s}", "qemu", "micro", 0, "minor", 2, "major", 7, "package",
                     "Kiln " KILN_VERSION);
}

static json_t *query_version(struct qmp_call *c)
{
    (void)c;
    return qmp_version();
}

static json_t *query_status(struct qmp_call *c)
{
    return json_pack("{s:s,s:b,s:b}", "status", control_status(c->ctl), "singlestep", 0, "running",
                     !c->ctl->stopped);
}

static json_t *query_name(struct qmp_call *c)
{
    const char *name = c->ctl->s->o->name;

    return name ? json_pack("{s:s}", "name", name) : json_object();
}

static json_t *query_kvm(struct qmp_call *c)
{
    (void)c;
    return json_pack("{s:b,s:b}", "enabled", 0, "present", 0);
}

static json_t *query_commands(struct qmp_call *c)
{
    json_t *list = json_array();

    (void)c;
    json_array_append_new(list, json_pack("{s:s}", "name", "qmp_capabilities"));
    for (const struct qmp_command *q = qmp_commands; q->name; q++)
        json_array_append_new(list, json_pack("{s:s}", "name", q->name));
    return list;
}

static json_t *stop(struct qmp_call *c)
{
    control_stop(c->ctl, STOPPED_BY_USER);
    return json_object();
}

static json_t *cont(struct qmp_call *c)
{
    control_go_on(c->ctl, false);
    return json_object();
}

static json_t *system_reset(struct qmp_call *c)
{
    if (control_reset(c->ctl))
        return json_object();
    snprintf(c->error, sizeof(c->error), "a replay takes no input");
    return NULL;
}

static json_t *inject_nmi(struct qmp_call *c)
{
    if (machine_nmi(c->ctl->m))
        return json_object();
    snprintf(c->error, sizeof(c->error), "a replay takes no input");
    return NULL;
}

static json_t *quit(struct qmp_call *c)
{
    control_quit(c->ctl);
    return json_object();
}

/* Lines end in "\r\n" there. */
static json_t *human_monitor_command(struct qmp_call *c)
{
    const char *line = json_string_value(json_object_get(c->args, "command-line"));
    char *text = NULL, *crlf;
    size_t len, n = 0;
    FILE *out = open_memstream(&text, &len);
    json_t *answer;

    if (!out)
        abort();
    monitor_execute(c->ctl, line, out);
    fclose(out);
    crlf = malloc(2 * len + 1);
    if (!crlf)
        abort();
    for (size_t i = 0; i < len; i++) {
        if (text[i] == '\n')
            crlf[n++] = '\r';
        crlf[n++] = text[i];
    }
    crlf[n] = 0;
    answer = json_string(crlf);
    if (!answer)
        snprintf(c->error, sizeof(c->error), "the answer is no UTF-8 text");
    free(crlf);
    free(text);
    return answer;
}

static json_t *screendump(struct qmp_call *c)
{
    const char *path = json_string_value(json_object_get(c->args, "filename"));
    const char *format = json_string_value(json_object_get(c->args, "format"));

    if (screen_dump(c->ctl->m, path, format, c->error, sizeof(c->error)))
        return NULL;
    return json_object();
}

/* {"type": "qcode", "data": "ctrl"} or {"type": "number", "data": 29} */
static u16 key_code(struct qmp_call *c, json_t *key)
{
    const char *type = json_string_value(json_object_get(key, "type"));
    json_t *data = json_object_get(key, "data");
    u16 code = 0;

    if (!type || !data) {
        snprintf(c->error, sizeof(c->error), "Parameter '%s' is missing", type ? "data" : "type");
        return 0;
    }
    if (!strcmp(type, "qcode") && json_is_string(data)) {
        const char *name = json_string_value(data);

        code = key_sender_code(name, strlen(name));
        if (!code)
            snprintf(c->error, sizeof(c->error), "Parameter 'data' does not accept value '%.100s'",
                     name);
    } else if (!strcmp(type, "number") && json_is_integer(data)) {
        json_int_t n = json_integer_value(data);

        if (n > 0 && n <= 0xff)
            code = (u16)(n & 0x80 ? 0xe000 | (n & 0x7f) : n);
        else
            snprintf(c->error, sizeof(c->error), "Parameter 'data' is no key code");
    } else {
        snprintf(c->error, sizeof(c->error), "Invalid parameter type for 'data'");
    }
    return code;
}

static json_t *send_key(struct qmp_call *c)
{
    json_t *keys = json_object_get(c->args, "keys"), *hold = json_object_get(c->args, "hold-time");
    json_int_t ms = hold ? json_integer_value(hold) : KEY_HOLD_MS;
    u16 codes[KEYS_AT_ONCE];
    size_t nr = json_array_size(keys);

    if (nr > KEYS_AT_ONCE) {
        snprintf(c->error, sizeof(c->error), "at most %d keys at once", KEYS_AT_ONCE);
        return NULL;
    }
    for (size_t i = 0; i < nr; i++)
        if (!(codes[i] = key_code(c, json_array_get(keys, i))))
            return NULL;
    if (machine_input(c->ctl->m)->replaying) {
        snprintf(c->error, sizeof(c->error), "a replay takes no input");
        return NULL;
    }
    if (ms < 0 || ms > 60000)
        ms = KEY_HOLD_MS;
    if (nr && !key_sender_chord(&c->ctl->keys, codes, (unsigned)nr, (u32)ms)) {
        snprintf(c->error, sizeof(c->error), "too many keys wait to be pressed");
        return NULL;
    }
    return json_object();
}

const struct qmp_command qmp_commands[] = {
    {"query-status", query_status, {{0}}},
    {"query-version", query_version, {{0}}},
    {"query-name", query_name, {{0}}},
    {"query-kvm", query_kvm, {{0}}},
    {"query-commands", query_commands, {{0}}},
    {"stop", stop, {{0}}},
    {"cont", cont, {{0}}},
    {"system_reset", system_reset, {{0}}},
    {"inject-nmi", inject_nmi, {{0}}},
    {"quit", quit, {{0}}},
    {"human-monitor-command",
     human_monitor_command,
     {{"command-line", JSON_STRING, false}, {"cpu-index", JSON_INTEGER, true}}},
    {"screendump",
     screendump,
     {{"filename", JSON_STRING, false},
      {"format", JSON_STRING, true},
      {"device", JSON_STRING, true},
      {"head", JSON_INTEGER, true}}},
    {"send-key", send_key, {{"keys", JSON_ARRAY, false}, {"hold-time", JSON_INTEGER, true}}},
    {NULL, NULL, {{0}}},
};
