#include "host/monitor.h"

void monitor_execute(struct control *ctl, const char *line, FILE *out)
{
    if (!strcmp(line, "info status"))
        fprintf(out, "VM status: %s\n", control_status(ctl));
    else
        fprintf(out, "unknown command: '%s'\n", line);
}
