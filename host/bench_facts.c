/* See bench_facts.h. The host's names are Linux': /proc/cpuinfo, uname. */
#include "host/bench_facts.h"
#include "host/html_page.h"
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>

static void processor_name(char *name, size_t len)
{
    FILE *f = fopen("/proc/cpuinfo", "r");
    char line[256], *colon;

    snprintf(name, len, "a processor that does not tell its name");
    while (f && fgets(line, sizeof(line), f))
        if (!strncmp(line, "model name", 10) && (colon = strchr(line, ':'))) {
            line[strcspn(line, "\n")] = 0;
            snprintf(name, len, "%s", colon + 1 + strspn(colon + 1, " "));
            break;
        }
    if (f)
        fclose(f);
}

void bench_facts_begin(FILE *f, const struct options *o)
{
    char name[200], text[512], day[32];
    struct utsname u = {0};
    time_t now = time(NULL);
    struct tm tm = {0};

    fputs("<dl>\n", f);
    processor_name(name, sizeof(name));
    uname(&u);
    snprintf(text, sizeof(text), "%s, %ld processors; %.60s %.60s", name, sysconf(_SC_NPROCESSORS_ONLN), u.sysname, u.release);
    html_item(f, "Host", text);
    html_item(f, "Kiln", KILN_VERSION);
    html_item(f, "Command", o->command);
    gmtime_r(&now, &tm);
    strftime(day, sizeof(day), "%Y-%m-%d %H:%M UTC", &tm);
    html_item(f, "Day", day);
    snprintf(text, sizeof(text), "%u", o->bench.runs);
    html_item(f, "Rounds", text);
}

void bench_facts_end(FILE *f)
{
    fputs("</dl>\n", f);
}
