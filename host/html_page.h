/*
 * A page of HTML that needs nothing but itself: its file, its head with the style, and text made safe.
 *
 *     struct html_page p;
 *     if (html_open(&p, path, err))        before the work, so that a bad name is found first
 *         ...
 *     html_begin(&p, "title");
 *     fputs("<h2>", p.f), html_text(p.f, name), fputs("</h2>", p.f);
 *     html_end(&p, err);                   or html_give_up(&p): an empty file that was not there goes again
 */
#ifndef HOST_HTML_PAGE_H
#define HOST_HTML_PAGE_H

#include "core/types.h"
#include <stdio.h>

struct html_page {
    FILE *f;
    const char *path;
    bool made; /* the file was not there */
};

/* The path must outlive the page. What the file has stays in it until html_begin(). false, and why in err. */
bool html_open(struct html_page *, const char *path, char *err, size_t err_len);
void html_give_up(struct html_page *);

void html_begin(struct html_page *, const char *title);
bool html_end(struct html_page *, char *err, size_t err_len);

/* Text as text, in elements and attributes: <, >, &, quotes; a byte that is no character becomes '?'. */
void html_text(FILE *, const char *);

/* A row of a definition list: what, and how it is. */
void html_item(FILE *, const char *what, const char *how);

#endif
