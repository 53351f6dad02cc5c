/* Ports that exist for people who write firmware and kernels. */
#ifndef DEVICES_DEBUG_PORTS_H
#define DEVICES_DEBUG_PORTS_H

#include "core/backend.h"
#include "core/dev.h"

/* A console of one port (E9h): bytes written go out; reads give E9h, so that guests find it. */
struct debugcon_cfg {
    u16 port;
    struct chardev *out;
};
struct debugcon {
    struct dev dev;
    struct debugcon_cfg cfg;
    struct bus_region region;
};
extern const struct dev_class debugcon_class;

/* isa-debug-exit: writing v ends the emulator with status (v << 1) | 1. */
struct exit_port_cfg {
    u16 port, size;
    struct power_switch power;
};
struct exit_port {
    struct dev dev;
    struct exit_port_cfg cfg;
    struct bus_region region;
};
extern const struct dev_class exit_port_class;

/* POST codes on port 80h: kept and traced. */
struct post_port_cfg {
    u8 unused;
};
struct post_port {
    struct dev dev;
    struct bus_region region;
    u8 code;
};
extern const struct dev_class post_port_class;

#endif
