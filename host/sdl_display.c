/*
 * The SDL2 window. The guest's picture is scaled to the shape that it had on a monitor: first by
 * whole factors without smoothing, then smoothly to the window, so that pixels stay sharp and
 * even where the window is no multiple of the screen.
 *
 * Key repeat of the host is dropped: the guest's keyboard repeats by itself.
 */
#include "host/sdl_display.h"
#include "host/banner.h"
#include "host/sdl_keys.h"
#include <SDL.h>
#include <stdlib.h>

struct sdl_display {
    struct display base;
    SDL_Window *window;
    SDL_Renderer *renderer;
    SDL_Texture *picture; /* the guest's pixels */
    SDL_Texture *scaled;  /* the same times whole factors; a render target, or NULL */
    unsigned picture_w, picture_h, scaled_w, scaled_h;
    struct screen screen;
    u32 *shown; /* the last screen that was uploaded */
    bool stale; /* draw even if the guest's picture has not changed */
    bool grabbed;
    bool banner_on;
    char banner[256];
    char title[256];
    bool down[SDL_NUM_SCANCODES]; /* keys that the guest believes down */
    u8 buttons;                   /* as INPUT_MOUSE has them */
};

static void sdl_close(struct display *);

static const struct display_class sdl_class;

static struct sdl_display *sdl_of(struct display *d)
{
    return (struct sdl_display *)d;
}

enum { FIRST_W = 960, FIRST_H = 720, SMALL_W = 640, SMALL_H = 480 };

/* Without a display server SDL would try the bare console, or show nothing at all. */
static bool display_named(void)
{
    static const char *const names[] = {"DISPLAY", "WAYLAND_DISPLAY", "SDL_VIDEODRIVER"};
    for (unsigned i = 0; i < ARRAY_LEN(names); i++) {
        const char *value = getenv(names[i]);
        if (value && *value)
            return true;
    }
    return false;
}

struct display *sdl_display_open(const char *title, char err[MACHINE_ERR_LEN])
{
    static const char advice[] = "try -display none -serial stdio, or -nographic";
    SDL_SetHint(SDL_HINT_NO_SIGNAL_HANDLERS, "1");
    SDL_SetHint(SDL_HINT_VIDEO_X11_NET_WM_BYPASS_COMPOSITOR, "0");
    SDL_SetHint(SDL_HINT_APP_NAME, "Kiln");
    if (!display_named()) {
        snprintf(err, MACHINE_ERR_LEN, "no display: DISPLAY and WAYLAND_DISPLAY are not set; %s",
                 advice);
        return NULL;
    }
    if (SDL_Init(SDL_INIT_VIDEO) < 0) {
        snprintf(err, MACHINE_ERR_LEN, "no display: %s; %s", SDL_GetError(), advice);
        return NULL;
    }
    struct sdl_display *d = calloc(1, sizeof(*d));
    if (!d)
        abort();
    d->base.class = &sdl_class;
    SDL_Rect area = {0, 0, FIRST_W, FIRST_H};
    SDL_GetDisplayUsableBounds(0, &area);
    bool fits = area.w >= FIRST_W && area.h >= FIRST_H;
    d->window = SDL_CreateWindow(title, SDL_WINDOWPOS_UNDEFINED, SDL_WINDOWPOS_UNDEFINED,
                                 fits ? FIRST_W : SMALL_W, fits ? FIRST_H : SMALL_H,
                                 SDL_WINDOW_RESIZABLE | SDL_WINDOW_ALLOW_HIGHDPI);
    if (d->window)
        d->renderer = SDL_CreateRenderer(d->window, -1, 0);
    if (d->window && !d->renderer)
        d->renderer = SDL_CreateRenderer(d->window, -1, SDL_RENDERER_SOFTWARE);
    if (!d->renderer) {
        snprintf(err, MACHINE_ERR_LEN, "no window: %s; %s", SDL_GetError(), advice);
        sdl_close(&d->base);
        return NULL;
    }
    d->screen.px = calloc((size_t)SCREEN_MAX_W * SCREEN_MAX_H, sizeof(u32));
    d->shown = calloc((size_t)SCREEN_MAX_W * SCREEN_MAX_H, sizeof(u32));
    if (!d->screen.px || !d->shown)
        abort();
    SDL_SetWindowMinimumSize(d->window, 320, 240);
    SDL_StopTextInput();
    d->stale = true;
    return &d->base;
}

static void sdl_close(struct display *base)
{
    struct sdl_display *d = sdl_of(base);
    if (d->scaled)
        SDL_DestroyTexture(d->scaled);
    if (d->picture)
        SDL_DestroyTexture(d->picture);
    if (d->renderer)
        SDL_DestroyRenderer(d->renderer);
    if (d->window)
        SDL_DestroyWindow(d->window);
    SDL_Quit();
    free(d->screen.px);
    free(d->shown);
    free(d);
}

static void set_grab(struct sdl_display *d, bool on)
{
    d->grabbed = on;
    SDL_SetWindowGrab(d->window, on ? SDL_TRUE : SDL_FALSE);
    SDL_SetWindowKeyboardGrab(d->window, on ? SDL_TRUE : SDL_FALSE);
    SDL_SetRelativeMouseMode(on ? SDL_TRUE : SDL_FALSE);
}

static void push_mouse(struct sdl_display *d, struct input_log *in, int dx, int dy, int wheel)
{
    i64 value = (i64)(u16)(i16)dx | (i64)(u16)(i16)dy << 16;
    input_push(in, INPUT_MOUSE, d->buttons, value, wheel);
}

static void release_everything(struct sdl_display *d, struct input_log *in)
{
    for (unsigned i = 0; i < SDL_NUM_SCANCODES; i++) {
        if (d->down[i]) {
            d->down[i] = false;
            input_push(in, INPUT_KEY, sdl_key_code(i), 0, 0);
        }
    }
    if (d->buttons) {
        d->buttons = 0;
        push_mouse(d, in, 0, 0, 0);
    }
}

static void toggle_full_screen(struct sdl_display *d)
{
    bool full = SDL_GetWindowFlags(d->window) & SDL_WINDOW_FULLSCREEN_DESKTOP;
    SDL_SetWindowFullscreen(d->window, full ? 0 : SDL_WINDOW_FULLSCREEN_DESKTOP);
    d->stale = true;
}

/* Ctrl+Alt and a letter are ours. Returns true when the key was one. */
static bool hot_key(struct sdl_display *d, const SDL_KeyboardEvent *e, unsigned *requests)
{
    if (!(e->keysym.mod & KMOD_CTRL) || !(e->keysym.mod & KMOD_ALT))
        return false;
    switch (e->keysym.scancode) {
    case SDL_SCANCODE_G: set_grab(d, !d->grabbed); return true;
    case SDL_SCANCODE_F: toggle_full_screen(d); return true;
    case SDL_SCANCODE_S: *requests |= DISPLAY_REQUEST_SCREENSHOT; return true;
    case SDL_SCANCODE_Q: *requests |= DISPLAY_REQUEST_QUIT; return true;
    default: return false;
    }
}

static unsigned banner_key(const SDL_KeyboardEvent *e)
{
    switch (e->keysym.sym) {
    case SDLK_r: return DISPLAY_REQUEST_RESET;
    case SDLK_s: return DISPLAY_REQUEST_SCREENSHOT;
    case SDLK_q: return DISPLAY_REQUEST_QUIT;
    default: return 0;
    }
}

static void handle_key(struct sdl_display *d, struct input_log *in, const SDL_KeyboardEvent *e,
                       unsigned *requests)
{
    unsigned sc = e->keysym.scancode;
    u16 code = sdl_key_code(sc);
    bool pressed = e->type == SDL_KEYDOWN;
    if (e->repeat || sc >= SDL_NUM_SCANCODES)
        return;
    if (pressed && hot_key(d, e, requests))
        return;
    if (d->banner_on) {
        d->down[sc] = false;
        if (pressed)
            *requests |= banner_key(e);
        return;
    }
    if (!code || d->down[sc] == pressed)
        return;
    d->down[sc] = pressed;
    input_push(in, INPUT_KEY, code, pressed, 0);
}

static void handle_button(struct sdl_display *d, struct input_log *in,
                          const SDL_MouseButtonEvent *e)
{
    static const u8 bit[] = {
        [SDL_BUTTON_LEFT] = 1, [SDL_BUTTON_RIGHT] = 2, [SDL_BUTTON_MIDDLE] = 4,
        [SDL_BUTTON_X1] = 8,   [SDL_BUTTON_X2] = 16};
    bool pressed = e->type == SDL_MOUSEBUTTONDOWN;
    if (d->banner_on)
        return;
    if (!d->grabbed) { /* the click that takes the mouse is not the guest's */
        if (pressed && e->button == SDL_BUTTON_LEFT)
            set_grab(d, true);
        return;
    }
    if (e->button >= ARRAY_LEN(bit) || !bit[e->button] || !(d->buttons & bit[e->button]) != pressed)
        return;
    d->buttons ^= bit[e->button];
    push_mouse(d, in, 0, 0, 0);
}

static void handle_window(struct sdl_display *d, struct input_log *in, const SDL_WindowEvent *e)
{
    switch (e->event) {
    case SDL_WINDOWEVENT_FOCUS_LOST:
        if (!d->banner_on)
            release_everything(d, in);
        if (d->grabbed)
            set_grab(d, false);
        break;
    case SDL_WINDOWEVENT_EXPOSED:
    case SDL_WINDOWEVENT_SIZE_CHANGED: d->stale = true; break;
    default: break;
    }
}

static unsigned sdl_poll(struct display *base, struct input_log *in, struct key_sender *keys)
{
    struct sdl_display *d = sdl_of(base);
    (void)keys;
    unsigned requests = 0;
    SDL_Event e;
    while (SDL_PollEvent(&e)) {
        switch (e.type) {
        case SDL_QUIT: requests |= DISPLAY_REQUEST_QUIT; break;
        case SDL_KEYDOWN:
        case SDL_KEYUP: handle_key(d, in, &e.key, &requests); break;
        case SDL_MOUSEBUTTONDOWN:
        case SDL_MOUSEBUTTONUP: handle_button(d, in, &e.button); break;
        case SDL_MOUSEMOTION:
            if (d->grabbed && !d->banner_on && (e.motion.xrel || e.motion.yrel))
                push_mouse(d, in, e.motion.xrel, -e.motion.yrel, 0);
            break;
        case SDL_MOUSEWHEEL:
            if (d->grabbed && !d->banner_on && e.wheel.y)
                push_mouse(d, in, 0, 0, -e.wheel.y);
            break;
        case SDL_WINDOWEVENT: handle_window(d, in, &e.window); break;
        case SDL_RENDER_TARGETS_RESET:
        case SDL_RENDER_DEVICE_RESET: d->stale = true; break;
        default: break;
        }
    }
    return requests;
}

static void sdl_wait(struct display *base, unsigned ms)
{
    (void)base;
    SDL_WaitEventTimeout(NULL, (int)ms);
}

static void make_texture(struct sdl_display *d, SDL_Texture **t, int access, const char *quality,
                         unsigned w, unsigned h)
{
    if (*t)
        SDL_DestroyTexture(*t);
    SDL_SetHint(SDL_HINT_RENDER_SCALE_QUALITY, quality);
    *t = SDL_CreateTexture(d->renderer, SDL_PIXELFORMAT_RGB888, access, (int)w, (int)h);
}

/* The largest picture of the right shape that fits into the window. */
static SDL_Rect picture_place(const struct screen *s, int w, int h)
{
    unsigned aw = s->aspect_w ? s->aspect_w : 4, ah = s->aspect_h ? s->aspect_h : 3;
    SDL_Rect r = {.w = w, .h = (int)((unsigned)w * ah / aw)};
    if (r.h > h)
        r = (SDL_Rect){.w = (int)((unsigned)h * aw / ah), .h = h};
    r.x = (w - r.w) / 2;
    r.y = (h - r.h) / 2;
    return r;
}

static void draw(struct sdl_display *d)
{
    int w, h;
    SDL_GetRendererOutputSize(d->renderer, &w, &h);
    const struct screen *s = &d->screen;
    SDL_Rect place = picture_place(s, w, h);
    unsigned kx = ((unsigned)place.w + s->w - 1) / s->w, ky = ((unsigned)place.h + s->h - 1) / s->h;
    kx = kx < 1 ? 1 : kx > 8 ? 8 : kx;
    ky = ky < 1 ? 1 : ky > 8 ? 8 : ky;
    if (d->scaled_w != kx * s->w || d->scaled_h != ky * s->h) {
        d->scaled_w = kx * s->w;
        d->scaled_h = ky * s->h;
        make_texture(d, &d->scaled, SDL_TEXTUREACCESS_TARGET, "linear", d->scaled_w, d->scaled_h);
    }
    SDL_Texture *source = d->picture;
    if (d->scaled && SDL_SetRenderTarget(d->renderer, d->scaled) == 0) {
        SDL_RenderCopy(d->renderer, d->picture, NULL, NULL);
        SDL_SetRenderTarget(d->renderer, NULL);
        source = d->scaled;
    }
    SDL_SetRenderDrawColor(d->renderer, 0, 0, 0, 255);
    SDL_RenderClear(d->renderer);
    SDL_RenderCopy(d->renderer, source, NULL, &place);
    if (d->banner_on)
        banner_draw(d->renderer, d->banner, w, h);
    SDL_RenderPresent(d->renderer);
}

static void sdl_show(struct display *base, struct machine *m)
{
    struct sdl_display *d = sdl_of(base);
    struct screen *s = &d->screen;
    machine_render(m, s);
    if (!s->w || !s->h)
        return;
    bool resized = s->w != d->picture_w || s->h != d->picture_h;
    size_t bytes = (size_t)s->w * s->h * sizeof(u32);
    if (resized) {
        d->picture_w = s->w;
        d->picture_h = s->h;
        make_texture(d, &d->picture, SDL_TEXTUREACCESS_STREAMING, "nearest", s->w, s->h);
    }
    bool changed = resized || memcmp(d->shown, s->px, bytes) != 0;
    if (!changed && !d->stale)
        return;
    if (changed) {
        memcpy(d->shown, s->px, bytes);
        SDL_UpdateTexture(d->picture, NULL, s->px, (int)(s->w * sizeof(u32)));
    }
    d->stale = false;
    draw(d);
}

static void sdl_set_title(struct display *base, const char *title)
{
    struct sdl_display *d = sdl_of(base);
    if (!strcmp(d->title, title))
        return;
    snprintf(d->title, sizeof(d->title), "%s", title);
    SDL_SetWindowTitle(d->window, title);
}

static void sdl_set_banner(struct display *base, const char *text)
{
    struct sdl_display *d = sdl_of(base);
    d->banner_on = text != NULL;
    snprintf(d->banner, sizeof(d->banner), "%s", text ? text : "");
    d->stale = true;
    memset(d->down, 0, sizeof(d->down));
    if (text && d->grabbed)
        set_grab(d, false);
}

static const struct display_class sdl_class = {.poll = sdl_poll,
                                               .wait = sdl_wait,
                                               .show = sdl_show,
                                               .set_title = sdl_set_title,
                                               .set_banner = sdl_set_banner,
                                               .close = sdl_close};
