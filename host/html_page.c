/*
 * See html_page.h. Colours are variables, given once for light and once for dark; the charts
 * (svg_chart.c) name them. `color-scheme` has the browser draw its own parts to match.
 */
#include "host/html_page.h"
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

/* Each series' colours stand out from the ground by 4.5 : 1 and more, and from each other in grey, too. */
static const char style[] =
    ":root{color-scheme:light dark;--ground:#fff;--text:#1b1f24;--dim:#59636e;--line:#d8dde3;--stripe:#f5f7f9;"
    "--jit:#0b62b8;--interp:#b04a00;--native:#2c7a3f;--c:#7fb2e5}\n"
    "@media(prefers-color-scheme:dark){:root{--ground:#15181c;--text:#e6e9ec;--dim:#a3adb8;--line:#363d45;"
    "--stripe:#1c2025;--jit:#66b3ff;--interp:#ff9d4d;--native:#6fd187;--c:#2f6ea8}}\n"
    "body{background:var(--ground);color:var(--text);font:15px/1.5 system-ui,sans-serif;max-width:60rem;"
    "margin:2rem auto;padding:0 1rem}\n"
    "h1{font-size:1.6rem;line-height:1.25;margin-bottom:.3rem}h2{font-size:1.15rem;margin:2.4rem 0 .2rem}\n"
    "p{max-width:46rem;margin:.3rem 0 .8rem}.dim{color:var(--dim)}\n"
    "dl{display:grid;grid-template-columns:max-content 1fr;gap:.1rem 1.2rem;margin:1rem 0}dt{color:var(--dim)}"
    "dd{margin:0;overflow-wrap:anywhere}code{font-family:ui-monospace,monospace;font-size:.92em}\n"
    "svg{display:block;width:100%;height:auto;margin:.4rem 0}svg text{font:12px system-ui,sans-serif;"
    "fill:var(--text)}svg text.dim{fill:var(--dim)}svg text.end{text-anchor:end}svg text.mid{text-anchor:middle}\n"
    "svg .grid{stroke:var(--line)}svg .base{stroke:var(--dim);stroke-dasharray:4 3}svg .stripe{fill:var(--stripe)}\n"
    ".f-jit{fill:var(--jit)}.f-interp{fill:var(--interp)}.f-native{fill:var(--native)}.f-c{fill:var(--c)}\n"
    ".s-jit{stroke:var(--jit)}.s-interp{stroke:var(--interp)}.s-native{stroke:var(--native)}\n"
    ".range{stroke-width:2;fill:none}.curve{stroke-width:1.6;fill:none}.over{stroke:var(--text);stroke-width:1.4}\n"
    ".scroll{overflow-x:auto}table{border-collapse:collapse;font-variant-numeric:tabular-nums;font-size:13px;"
    "margin:.5rem 0}\nth,td{padding:.2rem .6rem;text-align:right;border-bottom:1px solid var(--line);"
    "white-space:nowrap}th{color:var(--dim);font-weight:600;vertical-align:bottom}"
    "th:first-child,td:first-child,td.words,th.words{text-align:left}\n"
    ".bad{font-weight:700;text-decoration:underline}\n";

bool html_open(struct html_page *p, const char *path, char *err, size_t err_len)
{
    int fd;

    p->path = path;
    fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    p->made = fd >= 0;
    if (fd < 0 && errno == EEXIST)
        fd = open(path, O_WRONLY | O_CLOEXEC);
    p->f = fd < 0 ? NULL : fdopen(fd, "w");
    if (p->f)
        return true;
    snprintf(err, err_len, "cannot write %s: %s", path, strerror(errno));
    if (fd >= 0)
        close(fd);
    return false;
}

void html_give_up(struct html_page *p)
{
    if (!p->f)
        return;
    fclose(p->f);
    p->f = NULL;
    if (p->made)
        unlink(p->path);
}

void html_begin(struct html_page *p, const char *title)
{
    if (ftruncate(fileno(p->f), 0))
        errno = 0; /* a pipe has no end to cut; a disk that is full says so at the end */
    fputs("<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\"/>\n"
          "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"/>\n<title>", p->f);
    html_text(p->f, title);
    fprintf(p->f, "</title>\n<style>\n%s</style>\n</head>\n<body>\n<h1>", style);
    html_text(p->f, title);
    fputs("</h1>\n", p->f);
}

bool html_end(struct html_page *p, char *err, size_t err_len)
{
    bool good;

    fputs("</body>\n</html>\n", p->f);
    good = !ferror(p->f);
    errno = good ? 0 : EIO;
    good = fclose(p->f) == 0 && good;
    p->f = NULL;
    if (!good)
        snprintf(err, err_len, "cannot write %s: %s", p->path, strerror(errno));
    return good;
}

/* How many bytes at s are one character of UTF-8 that XML allows; 0: none. */
static unsigned character(const u8 *s)
{
    unsigned len = s[0] < 0x80 ? 1 : s[0] >= 0xc2 && s[0] < 0xe0 ? 2 : s[0] >= 0xe0 && s[0] < 0xf0 ? 3 : s[0] >= 0xf0 && s[0] < 0xf5 ? 4 : 0;

    if (len == 1)
        return s[0] >= 0x20 && s[0] != 0x7f ? 1 : 0;
    for (unsigned i = 1; i < len; i++)
        if ((s[i] & 0xc0) != 0x80)
            return 0;
    if ((s[0] == 0xe0 && s[1] < 0xa0) || (s[0] == 0xed && s[1] >= 0xa0) || (s[0] == 0xf0 && s[1] < 0x90) ||
        (s[0] == 0xf4 && s[1] >= 0x90) || (s[0] == 0xef && s[1] == 0xbf && s[2] >= 0xbe))
        return 0;
    return len;
}

void html_text(FILE *f, const char *text)
{
    for (const u8 *s = (const u8 *)text; *s;) {
        unsigned len = character(s);

        switch (*s) {
        case '<': fputs("&lt;", f); break;
        case '>': fputs("&gt;", f); break;
        case '&': fputs("&amp;", f); break;
        case '"': fputs("&quot;", f); break;
        case '\'': fputs("&#39;", f); break;
        default:
            if (len)
                fwrite(s, 1, len, f);
            else
                fputc('?', f);
        }
        s += len ? len : 1;
    }
}

void html_item(FILE *f, const char *what, const char *how)
{
    fputs("<dt>", f);
    html_text(f, what);
    fputs("</dt><dd>", f);
    html_text(f, how);
    fputs("</dd>\n", f);
}
