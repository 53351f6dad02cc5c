/*
 * QMP, the protocol: greeting, negotiation, requests, errors, events. QEMU's "QEMU Machine
 * Protocol Specification"; texts of errors are QEMU's, since clients show and compare them.
 */
#include "host/qmp.h"
#include "host/qmp_commands.h"
#include <poll.h>
#include <stdlib.h>
#include <sys/time.h>

enum { REQUEST_MAX = 256 * 1024 };

struct qmp {
    struct control *ctl;
    struct channel *ch;
    bool negotiated;
    char *request; /* from its first byte on, as far as it has come */
    size_t len;
    unsigned depth; /* of brackets open in it */
    bool in_string, escaped;
};

/* ---- saying ---- */

static void send(struct qmp *q, json_t *message)
{
    char *text = json_dumps(message, JSON_PRESERVE_ORDER);

    if (text) {
        channel_write(q->ch, text, strlen(text));
        channel_write(q->ch, "\r\n", 2);
    }
    free(text);
    json_decref(message);
}

static void answer(struct qmp *q, const char *kind, json_t *what, json_t *id)
{
    json_t *message = json_object();

    json_object_set_new(message, kind, what);
    if (id)
        json_object_set(message, "id", id);
    send(q, message);
}

static void error(struct qmp *q, json_t *id, const char *class, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

static void error(struct qmp *q, json_t *id, const char *class, const char *format, ...)
{
    char text[1024];
    json_t *desc;
    va_list ap;

    va_start(ap, format);
    vsnprintf(text, sizeof(text), format, ap);
    va_end(ap);
    desc = json_string(text);
    if (!desc) /* it repeats what the client sent, cut within a character */
        desc = json_string("invalid request");
    answer(q, "error", json_pack("{s:s,s:o}", "class", class, "desc", desc), id);
}

static void forget_request(struct qmp *q)
{
    q->len = q->depth = 0;
    q->in_string = q->escaped = false;
}

static void greet(struct qmp *q)
{
    q->negotiated = false;
    forget_request(q);
    send(q, json_pack("{s:{s:o,s:[]}}", "QMP", "version", qmp_version(), "capabilities"));
}

static void say_event(struct qmp *q, const char *name, json_t *data)
{
    struct timeval now;
    json_t *message;

    if (!q->negotiated || !channel_connected(q->ch)) {
        json_decref(data);
        return;
    }
    gettimeofday(&now, NULL);
    message = json_pack("{s:{s:I,s:I},s:s}", "timestamp", "seconds", (json_int_t)now.tv_sec,
                        "microseconds", (json_int_t)now.tv_usec, "event", name);
    if (data)
        json_object_set_new(message, "data", data);
    send(q, message);
}

/* ---- requests ---- */

static const char *type_name(json_type t)
{
    switch (t) {
    case JSON_STRING: return "string";
    case JSON_INTEGER: return "integer";
    case JSON_ARRAY: return "array";
    default: return "object";
    }
}

/* The arguments against the command's: all that must be there, of the right types, no others. */
static bool check_args(struct qmp *q, const struct qmp_command *c, json_t *args, json_t *id)
{
    const char *key;
    json_t *value;

    for (unsigned i = 0; i < QMP_MAX_ARGS && c->args[i].name; i++) {
        value = json_object_get(args, c->args[i].name);
        if (!value && !c->args[i].optional) {
            error(q, id, "GenericError", "Parameter '%s' is missing", c->args[i].name);
            return false;
        }
        if (value && json_typeof(value) != c->args[i].type) {
            error(q, id, "GenericError", "Invalid parameter type for '%s', expected: %s",
                  c->args[i].name, type_name(c->args[i].type));
            return false;
        }
    }
    json_object_foreach(args, key, value)
    {
        bool known = false;

        for (unsigned i = 0; i < QMP_MAX_ARGS && c->args[i].name; i++)
            known |= !strcmp(c->args[i].name, key);
        if (!known) {
            error(q, id, "GenericError", "Parameter '%.100s' is unexpected", key);
            return false;
        }
    }
    return true;
}

static void run(struct qmp *q, const char *name, json_t *args, json_t *id)
{
    const struct qmp_command *c = qmp_commands;
    struct qmp_call call = {.ctl = q->ctl, .args = args};
    json_t *result;

    while (c->name && strcmp(c->name, name))
        c++;
    if (!c->name) {
        error(q, id, "CommandNotFound", "The command %.100s has not been found", name);
        return;
    }
    if (!check_args(q, c, args, id))
        return;
    result = c->run(&call);
    if (result)
        answer(q, "return", result, id);
    else
        error(q, id, "GenericError", "%s", call.error);
}

static void negotiate(struct qmp *q, const char *name, json_t *id)
{
    bool capabilities = !strcmp(name, "qmp_capabilities");

    if (q->negotiated) {
        error(q, id, "CommandNotFound",
              "Capabilities negotiation is already complete, command ignored");
    } else if (!capabilities) {
        error(q, id, "CommandNotFound",
              "Expecting capabilities negotiation with 'qmp_capabilities'");
    } else {
        q->negotiated = true;
        answer(q, "return", json_object(), id);
    }
}

/* The members of a request: execute, arguments, id. */
static bool check_request(struct qmp *q, json_t *r, json_t *id)
{
    const char *key;
    json_t *value;

    json_object_foreach(r, key, value)
    {
        if (!strcmp(key, "execute") && !json_is_string(value)) {
            error(q, id, "GenericError", "QMP input member 'execute' must be a string");
            return false;
        }
        if (!strcmp(key, "arguments") && !json_is_object(value)) {
            error(q, id, "GenericError", "QMP input member 'arguments' must be an object");
            return false;
        }
        if (strcmp(key, "execute") && strcmp(key, "arguments") && strcmp(key, "id")) {
            error(q, id, "GenericError", "QMP input member '%.100s' is unexpected", key);
            return false;
        }
    }
    if (!json_object_get(r, "execute")) {
        error(q, id, "GenericError", "QMP input lacks member 'execute'");
        return false;
    }
    return true;
}

static void request(struct qmp *q)
{
    json_error_t why;
    json_t *r = json_loadb(q->request, q->len, JSON_REJECT_DUPLICATES, &why), *id, *args;
    const char *name;

    if (!r) {
        error(q, NULL, "GenericError", "JSON parse error, %.200s", why.text);
        return;
    }
    if (!json_is_object(r)) {
        error(q, NULL, "GenericError", "QMP input must be a JSON object");
        json_decref(r);
        return;
    }
    id = json_object_get(r, "id");
    if (check_request(q, r, id)) {
        name = json_string_value(json_object_get(r, "execute"));
        args = json_object_get(r, "arguments");
        args = args ? json_incref(args) : json_object();
        if (!q->negotiated || !strcmp(name, "qmp_capabilities"))
            negotiate(q, name, id);
        else
            run(q, name, args, id);
        json_decref(args);
    }
    json_decref(r);
}

/* ---- bytes to requests ---- */

/* Requests are objects, one after the other: each ends with the bracket that closes its first. */
static void take(struct qmp *q, char c)
{
    if ((u8)c == 0xff) { /* in no UTF-8 text: a client's way to begin anew, as with QEMU */
        forget_request(q);
        return;
    }
    if (q->len == 0 && strchr(" \t\r\n", c) && c)
        return;
    if (q->len == REQUEST_MAX) {
        error(q, NULL, "GenericError", "JSON parse error, the request is too long");
        forget_request(q);
        return;
    }
    q->request[q->len++] = c;
    if (q->in_string) {
        if (q->escaped)
            q->escaped = false;
        else if (c == '\\')
            q->escaped = true;
        else if (c == '"')
            q->in_string = false;
        return;
    }
    if (c == '"')
        q->in_string = true;
    else if (c == '{' || c == '[')
        q->depth++;
    else if ((c == '}' || c == ']') && q->depth)
        q->depth--;
    if (q->depth == 0 && (c == '}' || c == ']' || c == '\n')) {
        request(q);
        q->len = 0;
    }
}

/* ---- the controller ---- */

static void poll_qmp(void *h)
{
    struct qmp *q = h;
    enum channel_event e;
    char buf[4096];
    size_t n;

    while ((e = channel_poll(q->ch)) != CHANNEL_QUIET)
        if (e == CHANNEL_OPENED)
            greet(q);
    while (!q->ctl->quit && (n = channel_read(q->ch, buf, sizeof(buf))) != 0)
        for (size_t i = 0; i < n && !q->ctl->quit; i++)
            take(q, buf[i]);
}

static void event(void *h, enum control_event e)
{
    struct qmp *q = h;

    switch (e) {
    case CONTROL_STOPPED: say_event(q, "STOP", NULL); break;
    case CONTROL_GOES_ON: say_event(q, "RESUME", NULL); break;
    case CONTROL_RESET:
        say_event(q, "RESET",
                  json_pack("{s:b,s:s}", "guest", 0, "reason", "host-qmp-system-reset"));
        break;
    case CONTROL_GUEST_RESET:
        say_event(q, "RESET", json_pack("{s:b,s:s}", "guest", 1, "reason", "guest-reset"));
        break;
    case CONTROL_SHUTDOWN:
        say_event(q, "SHUTDOWN", json_pack("{s:b,s:s}", "guest", 1, "reason", "guest-shutdown"));
        break;
    case CONTROL_ENDED:
        if (q->ctl->quit)
            say_event(q, "SHUTDOWN", json_pack("{s:b,s:s}", "guest", 0, "reason", "host-qmp-quit"));
        break;
    }
}

static unsigned pollfds(void *h, struct pollfd *fds, unsigned room)
{
    return room && channel_pollfd(((struct qmp *)h)->ch, fds) ? 1 : 0;
}

static bool attending(void *h)
{
    return channel_connected(((struct qmp *)h)->ch);
}

static void close_qmp(void *h)
{
    struct qmp *q = h;

    channel_close(q->ch);
    free(q->request);
    free(q);
}

void qmp_open(struct control *ctl, struct channel *ch)
{
    struct qmp *q = calloc(1, sizeof(*q));

    if (!q || !(q->request = malloc(REQUEST_MAX)))
        abort();
    q->ctl = ctl;
    q->ch = ch;
    control_add(ctl, (struct controller){q, poll_qmp, event, pollfds, attending, close_qmp});
}
