/*
 * PCI functions and the bus that carries them. PCI Local Bus Specification 2.1, chapter 6.
 *
 * A function is a plain struct that a device embeds: its configuration bytes, which bits the
 * guest may write, and its BARs with the bus regions that they place.
 */
#ifndef DEVICES_PCI_H
#define DEVICES_PCI_H

#include "core/dev.h"

enum { PCI_BARS = 6, PCI_ROM = 6, PCI_SLOTS = 7, PCI_FUNCTIONS = 256 };
enum pci_reg {
    PCI_VENDOR = 0x00, PCI_DEVICE = 0x02, PCI_COMMAND = 0x04, PCI_STATUS = 0x06, PCI_REVISION = 0x08,
    PCI_CLASS = 0x09, PCI_HEADER_TYPE = 0x0e, PCI_BAR0 = 0x10, PCI_SUBSYSTEM_VENDOR = 0x2c,
    PCI_SUBSYSTEM = 0x2e, PCI_ROM_BAR = 0x30, PCI_IRQ_LINE = 0x3c, PCI_IRQ_PIN = 0x3d,
};
enum { PCI_COMMAND_IO = 1, PCI_COMMAND_MEM = 2, PCI_COMMAND_MASTER = 4, PCI_COMMAND_INTX_OFF = 0x400 };

struct pci_bus;

struct pci_bar {
    struct bus_region *region; /* NULL: no such BAR */
    u32 size;                  /* power of two */
    bool io;
};

struct pci_func {
    u8 config[256];
    u8 writable[256];        /* masks */
    struct pci_bar bar[PCI_SLOTS]; /* the last is the expansion ROM */
    struct pci_bus *bus;
    u8 devfn;
    u8 intx;                 /* level of its interrupt pin */
    /* Told after the guest wrote configuration bytes; may be NULL. */
    void (*written)(void *dev, unsigned reg, unsigned size);
    /* Told where the BARs are now, after pci_update_bars(); may be NULL. */
    void (*bars_placed)(void *dev);
    void *dev;
};

/* Routes an interrupt pin of a slot: the ISA bridge sets it. pirq 0 to 3. */
struct pci_bus {
    struct pci_func *func[PCI_FUNCTIONS];
    void (*pirq)(void *sink, unsigned pirq, bool level);
    void *pirq_sink;
    struct bus *io, *mem;
    struct trace *trace;
};

/* Fills in the header. class_code: class << 16 | subclass << 8 | interface. */
void pci_header(struct pci_func *, u16 vendor, u16 device, u32 class_code, u8 revision);
/* Gives the function a BAR (n below 6) or its ROM (PCI_ROM); maps the region, switched off. */
int pci_add_bar(struct pci_func *, unsigned n, struct bus_region *, u32 size, bool io);
void pci_add(struct pci_bus *, unsigned devfn, struct pci_func *, void *dev);
void pci_writable(struct pci_func *, unsigned reg, unsigned size, u32 mask);
void pci_set(struct pci_func *, unsigned reg, unsigned size, u32 value);
u32 pci_get(const struct pci_func *, unsigned reg, unsigned size);

/* Puts command, BARs and interrupt line to their values after RST#. */
void pci_func_reset(struct pci_func *);
/* Places the regions as the configuration says: after a reset, write or load. */
void pci_update_bars(struct pci_func *);
void pci_set_intx(struct pci_func *, bool level);

u32 pci_config_read(struct pci_bus *, unsigned devfn, unsigned reg, unsigned size);
void pci_config_write(struct pci_bus *, unsigned devfn, unsigned reg, u32 v, unsigned size);

extern const struct state_field pci_func_fields[];

#endif
