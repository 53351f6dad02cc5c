/* PCI configuration space by mechanism 1, and the set-up of the devices on it. */
#ifndef SPARK_PCI_H
#define SPARK_PCI_H

#include "types.h"

enum {
    PCI_ID = 0x00,
    PCI_COMMAND = 0x04,
    PCI_CLASS = 0x08, /* dword: class, subclass, programming interface, revision */
    PCI_HEADER = 0x0E,
    PCI_BAR0 = 0x10,
    PCI_ROM = 0x30,
    PCI_IRQ_LINE = 0x3C,
    PCI_IRQ_PIN = 0x3D,
    PCI_CMD_IO = 1,
    PCI_CMD_MEM = 2,
    PCI_CMD_MASTER = 4
};

/* bdf: bus << 8 | device << 3 | function, as INT 1Ah takes it in BX. */
u8 pci_read8(u16 bdf, u8 reg);
u16 pci_read16(u16 bdf, u8 reg);
u32 pci_read32(u16 bdf, u8 reg);
void pci_write8(u16 bdf, u8 reg, u8 v);
void pci_write16(u16 bdf, u8 reg, u16 v);
void pci_write32(u16 bdf, u8 reg, u32 v);
bool pci_present(void);
u8 pci_last_bus(void);
void pci_set_last_bus(u8 bus);
/* The next function after `from` that exists, or FFFFh; start with pci_first(). */
u16 pci_first(void);
u16 pci_next(u16 from);

/* pci_setup.c */
void pci_setup(void);
u16 pci_find_class(u16 class_subclass); /* FFFFh if none */
u16 pci_find_id(u32 device_vendor);     /* FFFFh if none */
/* A free, aligned piece of the memory window, for looking at an expansion ROM. */
u32 pci_mem_free(u32 align);

/* INT 1Ah AH=B1h */
struct regs;
void pci_services(struct regs *r);

#endif
