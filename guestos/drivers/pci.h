/* PCI configuration space, and what is found there. */
#ifndef GUESTOS_DRIVERS_PCI_H
#define GUESTOS_DRIVERS_PCI_H

#include "guestos/kernel/types.h"

struct pci_function {
    u8 bus, device, function;
};

#define PCI_ID      0x00 /* vendor, device */
#define PCI_COMMAND 0x04
#define PCI_CLASS   0x08 /* revision, interface, subclass, class */
#define PCI_HEADER  0x0C /* the header type in bits 16 to 23 */
#define PCI_BAR0    0x10
#define PCI_BUSES   0x18 /* of a bridge: primary, secondary, subordinate */
#define PCI_IRQ     0x3C /* line, pin */

#define PCI_COMMAND_IO     0x1u
#define PCI_COMMAND_MEMORY 0x2u
#define PCI_COMMAND_MASTER 0x4u /* it may do DMA */
#define PCI_COMMAND_NO_INT 0x400u

u32 pci_read(struct pci_function at, u8 reg); /* dwords; reg is a multiple of 4 */
void pci_write(struct pci_function at, u8 reg, u32 value);

/* Visits every function behind the host bridge until visit says true; returns whether it did. */
typedef bool (*pci_visitor)(struct pci_function at, void *arg);
bool pci_scan(pci_visitor visit, void *arg);
bool pci_find(u16 vendor, u16 device, struct pci_function *found);
void pci_list(void); /* prints them */

#endif
