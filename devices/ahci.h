/*
 * A Serial ATA controller with six ports, as in the ICH9 (8086:2922). AHCI 1.3.1; Serial ATA 2.6 for
 * the frames (FIS); the drives are devices/ata's.
 *
 *     BAR5    000 - 02B   host: capabilities, control, interrupts, ports that there are
 *             100 + 80 n  port n
 */
#ifndef DEVICES_AHCI_H
#define DEVICES_AHCI_H

#include "devices/ata.h"
#include "devices/pci.h"

enum { AHCI_PORTS = 6, AHCI_SLOTS = 32, AHCI_NO_SLOT = AHCI_SLOTS };

struct ahci_cfg {
    struct pci_bus *bus;
    unsigned slot;                     /* on the PCI bus */
    struct blockdev *disk[AHCI_PORTS]; /* or NULL */
    bool cdrom[AHCI_PORTS];            /* a CD-ROM drive, whose medium, if any, is disk */
};

/* A queued command that the drive has accepted. */
struct ahci_queued {
    u64 lba;
    u32 left;   /* sectors */
    u8 writing;
};

struct ahci_port {
    struct ahci *hba;
    u8 number;
    bool offered, irq, over; /* what the drive has said since it was last looked after: no state */
    struct ata_drive drive;
    struct timer done;       /* the drive's command, or the next queued one, goes on */
    u32 clb, clbu, fb, fbu, is, ie, cmd, tfd, sig, ssts, sctl, serr, sact, ci;
    u8 slot;                 /* whose command is under way; AHCI_NO_SLOT: none that is not queued */
    u8 last_slot;            /* the one that was fetched last */
    u8 stopped;              /* by an error, until ST is cleared */
    u8 owes_signature;       /* the drive's first FIS waits for FRE */
    u8 soft_reset;           /* SRST is set */
    u8 dma_wanted;           /* the timer means ata_dma_run() */
    u32 queued;              /* bits: commands in queue[] */
    u8 last_queued;
    struct ahci_queued queue[AHCI_SLOTS];
    /* Where in the slot's table of regions the transfer is. */
    u64 table, prd_base;
    u32 nr_prd, next_prd, prd_room, moved;
    u8 prd_irq;
};

struct ahci {
    struct dev dev;
    struct ahci_cfg cfg;
    struct pci_func func;
    struct bus_region abar;
    u32 ghc, is, bohc;
    struct ahci_port port[AHCI_PORTS];
};

extern const struct dev_class ahci_class;

/* ---- between ahci.c and ahci_port.c ---- */

enum ahci_cmd_bit {
    CMD_ST = 1, CMD_SUD = 2, CMD_POD = 4, CMD_CLO = 8, CMD_FRE = 1 << 4, CMD_CCS = 31 << 8,
    CMD_FR = 1 << 14, CMD_CR = 1 << 15, CMD_ATAPI = 1 << 24, CMD_DLAE = 1 << 25,
};
enum { SERR_DIAG_N = 1 << 16, SERR_DIAG_X = 1 << 26 }; /* PhyRdy changed; the device was exchanged */
enum ahci_is_bit {
    IS_DHRS = 1, IS_PSS = 2, IS_DSS = 4, IS_SDBS = 8, IS_DPS = 1 << 5, IS_PCS = 1 << 6,
    IS_PRCS = 1 << 22, IS_OFS = 1 << 24, IS_IFS = 1 << 27, IS_HBFS = 1 << 29, IS_TFES = 1 << 30,
};

extern const struct ata_link ahci_link;
extern const struct state_field ahci_port_fields[];

/* Recomputes what the port's interrupt bits mean for the host. */
void ahci_interrupt(struct ahci_port *);
void ahci_port_timer(void *port, u64 now_ns);
/* Fetches and finishes what can be: after ST, CI, FRE or bus mastering changed. */
void ahci_port_kick(struct ahci_port *);
/* The port loses its commands: ST was cleared. */
void ahci_port_stop(struct ahci_port *);
/* COMRESET, or a reset of the host: the drive answers with its signature. */
void ahci_port_link_reset(struct ahci_port *);
const char *ahci_port_impossible(const struct ahci_port *);

#endif
