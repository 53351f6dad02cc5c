/*
 * PIIX4 power management: PM1 event block, PM1 control, the 24-bit PM timer. Data sheet 290562,
 * 7.1 and 7.2; ACPI 1.0b, 4.7.3.
 *
 * There is no system management mode on this board. Writes to B2h that would make SMM firmware
 * switch ACPI on (F1h) or off (F0h) do that at once, as QEMU's machine does without SMM; SMI setup
 * reads as done already (5Bh bit 1), so that firmware does not wait for it.
 *
 * UNIMPL: general-purpose events, device monitors, SMBus.
 */
#include "devices/piix4_pm.h"

#define PM_HZ 3579545ull
enum { PMBASE = 0x40, DEVACTB = 0x58, PMREGMISC = 0x80, SMBBASE = 0x90, SMBHSTCFG = 0xd2 };
enum pm_reg { PM1_STS = 0, PM1_EN = 2, PM1_CNT = 4, PM_TMR = 8 };
enum pm1 { TMROF = 1, PWRBTN = 1 << 8, RTC_STS = 1 << 10, SCI_EN = 1, SLP_EN = 1 << 13 };
enum { APM_ACPI_ENABLE = 0xf1, APM_ACPI_DISABLE = 0xf0 };

static u64 pm_clk(const struct piix4_pm *p)
{
    return clock_muldiv(clock_now(p->dev.env.clk), PM_HZ, NS_PER_SEC);
}

/* How often bit 23, the highest, has changed since power-on. */
static u64 changes(const struct piix4_pm *p)
{
    return pm_clk(p) >> 23;
}

static u16 status(const struct piix4_pm *p)
{
    return p->status | (changes(p) != p->seen ? TMROF : 0);
}

static void update(struct piix4_pm *p)
{
    irq_set(&p->cfg.sci, (p->control & SCI_EN) && (status(p) & p->enable));
    /* The timer matters only while someone listens. */
    if ((p->enable & TMROF) && !(status(p) & TMROF)) {
        u64 next = (changes(p) + 1) << 23;
        timer_arm(&p->overflow, (u64)(((unsigned __int128)next * NS_PER_SEC + PM_HZ - 1) / PM_HZ));
    } else {
        timer_cancel(&p->overflow);
    }
}

static void overflowed(void *dev, u64 now_ns)
{
    (void)now_ns;
    update(dev);
}

static u64 pm_read(void *dev, u64 off, unsigned size)
{
    struct piix4_pm *p = dev;
    u8 regs[0x40] = { 0 };

    store_le(regs + PM1_STS, status(p), 2);
    store_le(regs + PM1_EN, p->enable, 2);
    store_le(regs + PM1_CNT, p->control, 2);
    store_le(regs + PM_TMR, pm_clk(p) & 0xffffff, 4);
    return load_le(regs + off, size);
}

/* SLP_TYP 0 is soft off on the PIIX4 (290562, PMCNTRL). */
static void write_control(struct piix4_pm *p, u16 v)
{
    p->control = v & (u16)~SLP_EN & 0x1c07;
    if (!(v & SLP_EN))
        return;
    if ((v >> 10 & 7) == 0)
        p->cfg.power.request(p->cfg.power.sink, POWER_OFF, 0);
    else
        unimplemented(p->dev.env.log, "piix4: sleep state with type %u", v >> 10 & 7);
}

static void pm_write_byte(struct piix4_pm *p, u64 off, u8 v, u16 *control)
{
    switch (off) {
    case PM1_STS:
        p->status &= (u16)~v;
        if (v & TMROF)
            p->seen = changes(p);
        break;
    case PM1_STS + 1: p->status &= (u16) ~(v << 8); break;
    case PM1_EN: p->enable = (u16)((p->enable & 0xff00) | v); break;
    case PM1_EN + 1: p->enable = (u16)((p->enable & 0x00ff) | v << 8); break;
    case PM1_CNT: *control = (u16)((*control & 0xff00) | v); break;
    case PM1_CNT + 1: *control = (u16)((*control & 0x00ff) | v << 8); break;
    }
}

static void pm_write(void *dev, u64 off, u64 v, unsigned size)
{
    struct piix4_pm *p = dev;
    u16 control = p->control;
    bool to_control = off < PM1_CNT + 2 && off + size > PM1_CNT;

    for (unsigned i = 0; i < size; i++)
        pm_write_byte(p, off + i, (u8)(v >> (8 * i)), &control);
    if (off >= 0x0c)
        unimplemented(p->dev.env.log, "piix4: power management register %02llx", (unsigned long long)off);
    if (to_control)
        write_control(p, control);
    update(p);
}

static u64 smi_read(void *dev, u64 off, unsigned size)
{
    struct piix4_pm *p = dev;

    (void)size;
    return off == 0 ? p->apm_command : p->apm_status;
}

static void smi_write(void *dev, u64 off, u64 v, unsigned size)
{
    struct piix4_pm *p = dev;

    (void)size;
    if (off == 1) {
        p->apm_status = (u8)v;
        return;
    }
    p->apm_command = (u8)v;
    if (v == APM_ACPI_ENABLE)
        p->control |= SCI_EN;
    else if (v == APM_ACPI_DISABLE)
        p->control &= (u16)~SCI_EN;
    update(p);
}

static void place(struct piix4_pm *p)
{
    u32 base = pci_get(&p->func, PMBASE, 4) & 0xffc0;

    bus_move(p->dev.env.io, &p->pm_region, base, (p->func.config[PMREGMISC] & 1) && base);
}

static void written(void *dev, unsigned reg, unsigned size)
{
    (void)reg;
    (void)size;
    place(dev);
}

static int piix4_pm_init(struct dev *dev, const void *cfg, char err[160])
{
    static const struct bus_ops pm = { pm_read, pm_write, 1 | 2 | 4 };
    static const struct bus_ops smi = { smi_read, smi_write, 1 };
    struct piix4_pm *p = CONTAINER_OF(dev, struct piix4_pm, dev);

    (void)err;
    p->cfg = *(const struct piix4_pm_cfg *)cfg;
    pci_add(p->cfg.bus, 1 << 3 | 3, &p->func, p);
    pci_header(&p->func, 0x8086, 0x7113, 0x068000, 0x03);
    pci_set(&p->func, PCI_IRQ_PIN, 1, 1);
    pci_writable(&p->func, PCI_COMMAND, 2, PCI_COMMAND_IO);
    pci_writable(&p->func, PMBASE, 4, 0x0000ffc0);
    for (unsigned r = 0x44; r < 0x80; r += 4)
        pci_writable(&p->func, r, 4, 0xffffffff);
    pci_writable(&p->func, PMREGMISC, 1, 0x01);
    pci_writable(&p->func, SMBBASE, 4, 0x0000fff0);
    pci_writable(&p->func, SMBHSTCFG, 1, 0x0f);
    p->func.written = written;
    timer_init(&p->overflow, dev->env.clk, overflowed, p);
    p->pm_region = (struct bus_region){ .base = 0x600, .len = 0x40, .ops = &pm, .dev = p, .name = "piix4 pm" };
    p->smi_region = (struct bus_region){ .base = 0xb2, .len = 2, .ops = &smi, .dev = p, .name = "apm" };
    return bus_map(dev->env.io, &p->pm_region) | bus_map(dev->env.io, &p->smi_region);
}

static void piix4_pm_reset(struct dev *dev, enum reset_kind kind)
{
    struct piix4_pm *p = CONTAINER_OF(dev, struct piix4_pm, dev);

    (void)kind;
    pci_func_reset(&p->func);
    memset(p->func.config + PMBASE, 0, 0x80 - PMBASE);
    pci_set(&p->func, PMBASE, 4, 1);
    pci_set(&p->func, DEVACTB, 4, 2u << 24); /* 5Bh: SMI on APM writes is set up */
    pci_set(&p->func, PMREGMISC, 1, 0);
    pci_set(&p->func, SMBBASE, 4, 1);
    pci_set(&p->func, SMBHSTCFG, 1, 0);
    p->status = p->enable = p->control = 0;
    p->seen = changes(p);
    p->apm_command = p->apm_status = 0;
    place(p);
    update(p);
}

static void piix4_pm_loaded(struct dev *dev)
{
    struct piix4_pm *p = CONTAINER_OF(dev, struct piix4_pm, dev);

    place(p);
    update(p);
}

static void piix4_pm_fini(struct dev *dev)
{
    timer_cancel(&CONTAINER_OF(dev, struct piix4_pm, dev)->overflow);
}

static const struct state_field piix4_pm_fields[] = {
    STATE_STRUCT(struct piix4_pm, func, pci_func_fields), STATE(struct piix4_pm, status),
    STATE(struct piix4_pm, seen),
    STATE(struct piix4_pm, enable), STATE(struct piix4_pm, control),
    STATE(struct piix4_pm, apm_command), STATE(struct piix4_pm, apm_status),
    STATE_TIMER(struct piix4_pm, overflow), STATE_END,
};
static const struct state_desc piix4_pm_state = { "piix4_pm", 1, piix4_pm_fields };
const struct dev_class piix4_pm_class = { "piix4_pm", piix4_pm_init, piix4_pm_reset,
                                          piix4_pm_loaded, piix4_pm_fini, &piix4_pm_state, NULL };
