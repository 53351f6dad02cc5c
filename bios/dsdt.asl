/* The DSDT: what an i440FX/PIIX3 board of QEMU's, Bochs' or Kiln's kind is to an ACPI system.
 *
 * What differs from machine to machine is asked of a block of bytes that POST leaves in ACPI NVS
 * memory (struct acpi_info in acpi.c); POST puts its address into INFO below. Everything else is
 * fixed by the chips and by Spark's own choice of addresses (pci_setup.c).
 * Interrupts: PIRQA to PIRQD come out of the PIIX3 as ISA interrupts, and these reach the I/O APIC
 * at the pins of the same numbers (IRQ 0 at pin 2). So one _PRT with link devices is right in both
 * models, and moving a link moves the pin; _PIC only keeps what it is told. */
DefinitionBlock ("", "DSDT", 1, "KILN", "SPARK", 1)
{
    Name (INFO, 0x12345678)
    OperationRegion (BOAR, SystemMemory, INFO, 16)
    Field (BOAR, ByteAcc, NoLock, Preserve)     /* ORDER: struct acpi_info */
    {
        NCPU, 8, HPTP, 8, COMA, 8, COMB, 8, FDCP, 8, KBDP, 8, MOUP, 8, IOAP, 8
    }

    Name (PICF, 0)
    Method (_PIC, 1) { Store (Arg0, PICF) }
    Name (_S5, Package () { 0, 0, 0, 0 })       /* PIIX4 data sheet, PMCNTRL: type 0 is soft off */

    Scope (_SB)
    {
        Device (PCI0)
        {
            Name (_HID, EisaId ("PNP0A03"))
            Name (_UID, 0)
            Name (_CRS, ResourceTemplate ()
            {
                WordBusNumber (ResourceProducer, MinFixed, MaxFixed, PosDecode, 0, 0, 0xFF, 0, 0x100)
                IO (Decode16, 0x0CF8, 0x0CF8, 1, 8)
                WordIO (ResourceProducer, MinFixed, MaxFixed, PosDecode, EntireRange,
                        0, 0x0000, 0x0CF7, 0, 0x0CF8)
                WordIO (ResourceProducer, MinFixed, MaxFixed, PosDecode, EntireRange,
                        0, 0x0D00, 0xFFFF, 0, 0xF300)
                DWordMemory (ResourceProducer, PosDecode, MinFixed, MaxFixed, Cacheable, ReadWrite,
                        0, 0x000A0000, 0x000BFFFF, 0, 0x00020000)
                DWordMemory (ResourceProducer, PosDecode, MinFixed, MaxFixed, NonCacheable, ReadWrite,
                        0, 0xE0000000, 0xFEBFFFFF, 0, 0x1EC00000)
            })

            /* 128 entries: pin p of slot s is at PIRQ (s - 1 + p) mod 4; slot 1 pin A is the SCI's. */
            Method (_PRT, 0)
            {
                Store (Package (128) {}, Local0)
                Store (0, Local1)
                While (LLess (Local1, 128))
                {
                    Store (ShiftRight (Local1, 2), Local2)
                    Store (And (Add (Local1, Add (Local2, 3)), 3), Local3)
                    If (LEqual (Local3, 0)) { Store (Package (4) { 0, 0, LNKA, 0 }, Local4) }
                    If (LEqual (Local3, 1)) { Store (Package (4) { 0, 0, LNKB, 0 }, Local4) }
                    If (LEqual (Local3, 2)) { Store (Package (4) { 0, 0, LNKC, 0 }, Local4) }
                    If (LEqual (Local3, 3)) { Store (Package (4) { 0, 0, LNKD, 0 }, Local4) }
                    If (LEqual (Local1, 4)) { Store (Package (4) { 0, 0, LNKS, 0 }, Local4) }
                    Store (Or (ShiftLeft (Local2, 16), 0xFFFF), Index (Local4, 0))
                    Store (And (Local1, 3), Index (Local4, 1))
                    Store (Local4, Index (Local0, Local1))
                    Increment (Local1)
                }
                Return (Local0)
            }

            Device (ISA)                        /* PIIX3, function 0 */
            {
                Name (_ADR, 0x00010000)
                OperationRegion (PIRQ, PCI_Config, 0x60, 4)
                Field (PIRQ, ByteAcc, NoLock, Preserve) { PRQA, 8, PRQB, 8, PRQC, 8, PRQD, 8 }

                Device (RTC)
                {
                    Name (_HID, EisaId ("PNP0B00"))
                    Name (_CRS, ResourceTemplate () { IO (Decode16, 0x70, 0x70, 1, 2) IRQNoFlags () {8} })
                }
                Device (PIC)
                {
                    Name (_HID, EisaId ("PNP0000"))
                    Name (_CRS, ResourceTemplate ()
                    {
                        IO (Decode16, 0x20, 0x20, 1, 2)
                        IO (Decode16, 0xA0, 0xA0, 1, 2)
                        IO (Decode16, 0x4D0, 0x4D0, 1, 2)
                        IRQNoFlags () {2}
                    })
                }
                Device (TIMR)
                {
                    Name (_HID, EisaId ("PNP0100"))
                    Name (_CRS, ResourceTemplate () { IO (Decode16, 0x40, 0x40, 1, 4) IRQNoFlags () {0} })
                }
                Device (DMAC)
                {
                    Name (_HID, EisaId ("PNP0200"))
                    Name (_CRS, ResourceTemplate ()
                    {
                        IO (Decode16, 0x00, 0x00, 1, 0x10)
                        IO (Decode16, 0x81, 0x81, 1, 0x0F)
                        IO (Decode16, 0xC0, 0xC0, 1, 0x20)
                        DMA (Compatibility, NotBusMaster, Transfer8) {4}
                    })
                }
                Device (SPKR)
                {
                    Name (_HID, EisaId ("PNP0800"))
                    Name (_CRS, ResourceTemplate () { IO (Decode16, 0x61, 0x61, 1, 1) })
                }
                Device (KBD)
                {
                    Name (_HID, EisaId ("PNP0303"))
                    Method (_STA, 0) { If (KBDP) { Return (0x0F) } Return (0) }
                    Name (_CRS, ResourceTemplate ()
                    {
                        IO (Decode16, 0x60, 0x60, 1, 1)
                        IO (Decode16, 0x64, 0x64, 1, 1)
                        IRQNoFlags () {1}
                    })
                }
                Device (MOU)
                {
                    Name (_HID, EisaId ("PNP0F13"))
                    Method (_STA, 0) { If (MOUP) { Return (0x0F) } Return (0) }
                    Name (_CRS, ResourceTemplate () { IRQNoFlags () {12} })
                }
                Device (FDC0)
                {
                    Name (_HID, EisaId ("PNP0700"))
                    Method (_STA, 0) { If (FDCP) { Return (0x0F) } Return (0) }
                    Name (_CRS, ResourceTemplate ()
                    {
                        IO (Decode16, 0x3F2, 0x3F2, 1, 4)
                        IO (Decode16, 0x3F7, 0x3F7, 1, 1)
                        IRQNoFlags () {6}
                        DMA (Compatibility, NotBusMaster, Transfer8) {2}
                    })
                }
                Device (COM1)
                {
                    Name (_HID, EisaId ("PNP0501"))
                    Name (_UID, 1)
                    Method (_STA, 0) { If (COMA) { Return (0x0F) } Return (0) }
                    Name (_CRS, ResourceTemplate () { IO (Decode16, 0x3F8, 0x3F8, 1, 8) IRQNoFlags () {4} })
                }
                Device (COM2)
                {
                    Name (_HID, EisaId ("PNP0501"))
                    Name (_UID, 2)
                    Method (_STA, 0) { If (COMB) { Return (0x0F) } Return (0) }
                    Name (_CRS, ResourceTemplate () { IO (Decode16, 0x2F8, 0x2F8, 1, 8) IRQNoFlags () {3} })
                }
            }
        }

        /* Ports that no device above names: DMA pages aside, port 80h, A20, APM, PM and SMBus. */
        Device (MBRD)
        {
            Name (_HID, EisaId ("PNP0C02"))
            Name (_UID, 0)
            Name (_CRS, ResourceTemplate ()
            {
                IO (Decode16, 0x80, 0x80, 1, 1)
                IO (Decode16, 0x92, 0x92, 1, 1)
                IO (Decode16, 0xB2, 0xB2, 1, 2)
                IO (Decode16, 0x600, 0x600, 1, 0x40)
                IO (Decode16, 0x700, 0x700, 1, 0x10)
            })
        }
        Device (APIC)
        {
            Name (_HID, EisaId ("PNP0003"))
            Method (_STA, 0) { If (IOAP) { Return (0x0F) } Return (0) }
            Name (_CRS, ResourceTemplate () { Memory32Fixed (ReadWrite, 0xFEC00000, 0x1000) })
        }
        Device (HPET)
        {
            Name (_HID, EisaId ("PNP0103"))
            Name (_UID, 0)
            Method (_STA, 0) { If (HPTP) { Return (0x0F) } Return (0) }
            Name (_CRS, ResourceTemplate () { Memory32Fixed (ReadOnly, 0xFED00000, 0x400) })
        }

        Method (LSTA, 1) { If (And (Arg0, 0x80)) { Return (0x09) } Return (0x0B) }
        Method (LCRS, 1, Serialized)
        {
            Name (BUFF, ResourceTemplate () { Interrupt (ResourceConsumer, Level, ActiveHigh, Shared) {0} })
            CreateDWordField (BUFF, 5, IRQN)
            If (LNot (And (Arg0, 0x80))) { Store (And (Arg0, 0x0F), IRQN) }
            Return (BUFF)
        }
        Name (LPRS, ResourceTemplate () { Interrupt (ResourceConsumer, Level, ActiveHigh, Shared) {5, 10, 11} })
        Device (LNKA)
        {
            Name (_HID, EisaId ("PNP0C0F"))
            Name (_UID, 1)
            Method (_PRS, 0) { Return (LPRS) }
            Method (_STA, 0) { Return (LSTA (^^PCI0.ISA.PRQA)) }
            Method (_DIS, 0) { Or (^^PCI0.ISA.PRQA, 0x80, ^^PCI0.ISA.PRQA) }
            Method (_CRS, 0) { Return (LCRS (^^PCI0.ISA.PRQA)) }
            Method (_SRS, 1) { CreateDWordField (Arg0, 5, IRQN) Store (IRQN, ^^PCI0.ISA.PRQA) }
        }
        Device (LNKB)
        {
            Name (_HID, EisaId ("PNP0C0F"))
            Name (_UID, 2)
            Method (_PRS, 0) { Return (LPRS) }
            Method (_STA, 0) { Return (LSTA (^^PCI0.ISA.PRQB)) }
            Method (_DIS, 0) { Or (^^PCI0.ISA.PRQB, 0x80, ^^PCI0.ISA.PRQB) }
            Method (_CRS, 0) { Return (LCRS (^^PCI0.ISA.PRQB)) }
            Method (_SRS, 1) { CreateDWordField (Arg0, 5, IRQN) Store (IRQN, ^^PCI0.ISA.PRQB) }
        }
        Device (LNKC)
        {
            Name (_HID, EisaId ("PNP0C0F"))
            Name (_UID, 3)
            Method (_PRS, 0) { Return (LPRS) }
            Method (_STA, 0) { Return (LSTA (^^PCI0.ISA.PRQC)) }
            Method (_DIS, 0) { Or (^^PCI0.ISA.PRQC, 0x80, ^^PCI0.ISA.PRQC) }
            Method (_CRS, 0) { Return (LCRS (^^PCI0.ISA.PRQC)) }
            Method (_SRS, 1) { CreateDWordField (Arg0, 5, IRQN) Store (IRQN, ^^PCI0.ISA.PRQC) }
        }
        Device (LNKD)
        {
            Name (_HID, EisaId ("PNP0C0F"))
            Name (_UID, 4)
            Method (_PRS, 0) { Return (LPRS) }
            Method (_STA, 0) { Return (LSTA (^^PCI0.ISA.PRQD)) }
            Method (_DIS, 0) { Or (^^PCI0.ISA.PRQD, 0x80, ^^PCI0.ISA.PRQD) }
            Method (_CRS, 0) { Return (LCRS (^^PCI0.ISA.PRQD)) }
            Method (_SRS, 1) { CreateDWordField (Arg0, 5, IRQN) Store (IRQN, ^^PCI0.ISA.PRQD) }
        }
        Device (LNKS)                           /* the SCI: IRQ 9, not to be moved */
        {
            Name (_HID, EisaId ("PNP0C0F"))
            Name (_UID, 5)
            Name (LRES, ResourceTemplate () { Interrupt (ResourceConsumer, Level, ActiveHigh, Shared) {9} })
            Method (_PRS, 0) { Return (LRES) }
            Method (_STA, 0) { Return (0x0B) }
            Method (_DIS, 0) { }
            Method (_CRS, 0) { Return (LRES) }
            Method (_SRS, 1) { }
        }
    }

    Scope (_PR)                                 /* ORDER: CPUS_MAX in board.h; ids as in the MADT */
    {
        Processor (CP00, 0, 0, 0) { Method (_STA, 0) { If (LGreater (NCPU, 0)) { Return (0x0F) } Return (0) } }
        Processor (CP01, 1, 0, 0) { Method (_STA, 0) { If (LGreater (NCPU, 1)) { Return (0x0F) } Return (0) } }
        Processor (CP02, 2, 0, 0) { Method (_STA, 0) { If (LGreater (NCPU, 2)) { Return (0x0F) } Return (0) } }
        Processor (CP03, 3, 0, 0) { Method (_STA, 0) { If (LGreater (NCPU, 3)) { Return (0x0F) } Return (0) } }
        Processor (CP04, 4, 0, 0) { Method (_STA, 0) { If (LGreater (NCPU, 4)) { Return (0x0F) } Return (0) } }
        Processor (CP05, 5, 0, 0) { Method (_STA, 0) { If (LGreater (NCPU, 5)) { Return (0x0F) } Return (0) } }
        Processor (CP06, 6, 0, 0) { Method (_STA, 0) { If (LGreater (NCPU, 6)) { Return (0x0F) } Return (0) } }
        Processor (CP07, 7, 0, 0) { Method (_STA, 0) { If (LGreater (NCPU, 7)) { Return (0x0F) } Return (0) } }
        Processor (CP08, 8, 0, 0) { Method (_STA, 0) { If (LGreater (NCPU, 8)) { Return (0x0F) } Return (0) } }
        Processor (CP09, 9, 0, 0) { Method (_STA, 0) { If (LGreater (NCPU, 9)) { Return (0x0F) } Return (0) } }
        Processor (CP10, 10, 0, 0) { Method (_STA, 0) { If (LGreater (NCPU, 10)) { Return (0x0F) } Return (0) } }
        Processor (CP11, 11, 0, 0) { Method (_STA, 0) { If (LGreater (NCPU, 11)) { Return (0x0F) } Return (0) } }
        Processor (CP12, 12, 0, 0) { Method (_STA, 0) { If (LGreater (NCPU, 12)) { Return (0x0F) } Return (0) } }
        Processor (CP13, 13, 0, 0) { Method (_STA, 0) { If (LGreater (NCPU, 13)) { Return (0x0F) } Return (0) } }
        Processor (CP14, 14, 0, 0) { Method (_STA, 0) { If (LGreater (NCPU, 14)) { Return (0x0F) } Return (0) } }
        Processor (CP15, 15, 0, 0) { Method (_STA, 0) { If (LGreater (NCPU, 15)) { Return (0x0F) } Return (0) } }
    }
}
