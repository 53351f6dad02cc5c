/*
 * The banner: a box with lines of text, drawn glyph by glyph as small rectangles from the 8x13
 * font that the VGA option ROM has, too.
 */
#include "host/banner.h"
#include "core/types.h"
#include "host/banner_font.h"

enum { GLYPH_W = 8, GLYPH_H = 13, MARGIN = 12 };

static void draw_glyph(SDL_Renderer *renderer, unsigned c, int x, int y, int scale)
{
    for (int row = 0; row < GLYPH_H; row++) {
        for (int col = 0; col < GLYPH_W; col++) {
            if (!(banner_font[c][row] >> (7 - col) & 1))
                continue;
            SDL_Rect dot = {x + col * scale, y + row * scale, scale, scale};
            SDL_RenderFillRect(renderer, &dot);
        }
    }
}

void banner_draw(SDL_Renderer *renderer, const char *text, int w, int h)
{
    int lines = 1, columns = 0, column = 0;
    for (const char *p = text; *p; p++) {
        column = *p == '\n' ? 0 : column + 1;
        lines += *p == '\n';
        columns = column > columns ? column : columns;
    }
    int scale = w >= columns * GLYPH_W * 2 + 4 * MARGIN ? 2 : 1;
    int box_w = columns * GLYPH_W * scale + 2 * MARGIN;
    int box_h = lines * GLYPH_H * scale * 5 / 4 + 2 * MARGIN;
    SDL_Rect all = {0, 0, w, h}, box = {(w - box_w) / 2, (h - box_h) / 2, box_w, box_h};

    SDL_SetRenderDrawBlendMode(renderer, SDL_BLENDMODE_BLEND);
    SDL_SetRenderDrawColor(renderer, 0, 0, 0, 110);
    SDL_RenderFillRect(renderer, &all);
    SDL_SetRenderDrawColor(renderer, 24, 28, 44, 255);
    SDL_RenderFillRect(renderer, &box);
    SDL_SetRenderDrawColor(renderer, 240, 200, 90, 255);
    SDL_RenderDrawRect(renderer, &box);
    SDL_SetRenderDrawColor(renderer, 255, 255, 255, 255);
    int y = box.y + MARGIN;
    while (*text) {
        int n = (int)strcspn(text, "\n");
        int x = box.x + (box_w - n * GLYPH_W * scale) / 2;
        for (int i = 0; i < n; i++)
            draw_glyph(renderer, (u8)text[i], x + i * GLYPH_W * scale, y, scale);
        y += GLYPH_H * scale * 5 / 4;
        text += n + (text[n] == '\n');
    }
}
