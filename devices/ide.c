/*
 * IDE: task file registers, device selection, reset and interrupts. ATA/ATAPI-6, 7 and 9. What
 * commands do is devices/ata's.
 *
 * While a drive has BSY or DRQ set the command block takes no writes, so neither selection nor
 * parameters change under a command. One command is under way on a channel at a time.
 *
 * DEVIATION: channels decode their ports from power-on, where the PIIX3 waits for IDETIM and the
 * I/O enable bit: firmware of other machines finds its disk.
 */
#include "devices/ide.h"

enum { CTRL_NIEN = 2, CTRL_SRST = 4, SELECT_DEV = 0x10 };
enum task_file { DATA, ERROR_FEATURE, COUNT, LBA_LOW, LBA_MID, LBA_HIGH, DEVICE, STATUS_COMMAND };

static struct ata_drive *current(struct ide_channel *ch)
{
    return &ch->drive[ch->selected];
}

static bool present(const struct ide_channel *ch)
{
    return ata_present(&ch->drive[ch->selected]);
}

static bool channel_empty(const struct ide_channel *ch)
{
    return !ata_present(&ch->drive[0]) && !ata_present(&ch->drive[1]);
}

/* INTRQ is the selected drive's, while nIEN is 0. The bus master's interrupt bit latches each
 * edge of it (290550, BMISX bit 2). */
static void drive_irq(struct ide_channel *ch)
{
    bool level = ch->irq_pending[ch->selected] && !(ch->control & CTRL_NIEN);

    if (level && !ch->intrq)
        ch->bm_status |= 4;
    ch->intrq = level;
    irq_set(&ch->irq, level);
}

/* The active drive asks for attention. */
static void raise_irq(struct ide_channel *ch)
{
    ch->irq_pending[ch->active] = 1;
    drive_irq(ch);
}

static void reset_channel(struct ide_channel *ch)
{
    timer_cancel(&ch->done);
    for (int i = 0; i < 2; i++) {
        ata_reset(&ch->drive[i]);
        ch->irq_pending[i] = 0;
    }
    ch->selected = ch->active = 0;
    ch->dma_wanted = 0;
    drive_irq(ch);
}

/* ---- what the drives ask for: struct ata_link ---- */

static void link_wait(struct ata_drive *d, u64 ns)
{
    struct ide_channel *ch = d->cfg.owner;

    timer_arm(&ch->done, clock_now(ch->ide->dev.env.clk) + ns);
}

static void link_data(struct ata_drive *d, bool irq)
{
    if (irq)
        raise_irq(d->cfg.owner);
}

static void link_dma(struct ata_drive *d)
{
    struct ide_channel *ch = d->cfg.owner;

    ch->dma_wanted = 1;
    ide_dma_begin(ch);
}

static void link_done(struct ata_drive *d)
{
    struct ide_channel *ch = d->cfg.owner;

    ch->dma_wanted = 0;
    if (d->command == ATA_DIAGNOSTIC) { /* both have run it; device 0 answers */
        struct ata_drive *other = &ch->drive[!ch->active];

        ata_signature(other);
        other->select = 0;
        other->status = !ata_present(other) || other->cfg.cdrom ? 0 : ATA_DRDY | ATA_DSC;
        ch->selected = 0;
    }
    raise_irq(ch);
}

static const struct ata_link link = { link_wait, link_data, link_dma, ide_dma_move, link_done };

static void start_command(struct ide_channel *ch, u8 command)
{
    if (timer_armed(&ch->done)) /* diagnostics run, and a drive that is absent was selected */
        return;
    if (command == ATA_DIAGNOSTIC) { /* meant for both, whichever is selected */
        struct ata_drive *other;

        ch->selected = ata_present(&ch->drive[0]) ? 0 : 1;
        other = &ch->drive[!ch->selected];
        other->status = ata_present(other) ? ATA_BSY : 0;
    }
    ch->active = ch->selected;
    ata_start(ide_active(ch), command);
}

static u8 read_status(struct ide_channel *ch)
{
    if (ch->ide->cfg.broken)
        return ATA_BSY;
    if (channel_empty(ch))
        return 0x7f; /* pulled up, but for BSY */
    if (ch->control & CTRL_SRST)
        return ATA_BSY;
    return present(ch) ? current(ch)->status : 0;
}

/* ---- the data register ---- */

/* How much of an access falls into the block: of an odd one's last word, one byte. */
static u32 in_block(const struct ata_drive *d, unsigned size)
{
    u32 left = d->buf_len - d->buf_pos;

    return size < left ? size : left;
}

static u64 read_data(struct ide_channel *ch, unsigned size)
{
    struct ata_drive *d = current(ch);
    u32 n = in_block(d, size);
    u64 v;

    if (!(d->status & ATA_DRQ) || d->writing || !n)
        return size_mask(size);
    v = load_le(d->buf + d->buf_pos, n);
    d->buf_pos += n;
    if (d->buf_pos == d->buf_len)
        ata_block_taken(d);
    return v;
}

static void write_data(struct ide_channel *ch, u64 v, unsigned size)
{
    struct ata_drive *d = current(ch);
    u32 n = in_block(d, size);

    if (!(d->status & ATA_DRQ) || !d->writing || !n)
        return;
    store_le(d->buf + d->buf_pos, v, n);
    d->buf_pos += n;
    if (d->buf_pos == d->buf_len)
        ata_block_given(d);
}

/* ---- the other registers ---- */

/* A register of two deep: a read shows the latest, or with HOB the one before. */
static u8 pair(const struct ide_channel *ch, const u8 r[2])
{
    return r[ch->control & 0x80 ? 1 : 0];
}

static u64 command_block_read(void *dev, u64 off, unsigned size)
{
    struct ide_channel *ch = dev;
    const struct ata_drive *d = current(ch);

    if (off == DATA)
        return read_data(ch, size);
    if (size != 1)
        return size_mask(size);
    if (ch->ide->cfg.broken)
        return ATA_BSY;
    if (channel_empty(ch))
        return off == STATUS_COMMAND ? 0x7f : 0xff;
    switch (off) {
    case ERROR_FEATURE: return present(ch) ? d->error : 0;
    case COUNT: return pair(ch, d->count);
    case LBA_LOW: return pair(ch, d->lba_low);
    case LBA_MID: return pair(ch, d->lba_mid);
    case LBA_HIGH: return pair(ch, d->lba_high);
    case DEVICE: return d->select | 0xa0;
    default:
        ch->irq_pending[ch->selected] = 0; /* reading the status acknowledges */
        drive_irq(ch);
        return read_status(ch);
    }
}

static void push_pair(u8 r[2], u8 v)
{
    r[1] = r[0];
    r[0] = v;
}

static void device_reset(struct ide_channel *ch)
{
    u8 select = current(ch)->select;

    if (ch->active == ch->selected) {
        timer_cancel(&ch->done);
        ch->dma_wanted = 0;
    }
    ata_reset(current(ch));
    current(ch)->select = select; /* the DEV bit stays */
    ch->irq_pending[ch->selected] = 0;
    drive_irq(ch);
}

static void command_block_write(void *dev, u64 off, u64 val, unsigned size)
{
    struct ide_channel *ch = dev;
    u8 v = (u8)val;

    if (off == DATA) {
        write_data(ch, val, size);
        return;
    }
    if (size != 1 || ch->ide->cfg.broken)
        return;
    if (channel_empty(ch))
        return;
    if (off == STATUS_COMMAND && v == ATA_DEVICE_RESET && current(ch)->cfg.cdrom &&
        !(ch->control & CTRL_SRST)) { /* a packet drive hears it at any time: 8.9 */
        device_reset(ch);
        return;
    }
    if ((ch->control & CTRL_SRST) || (current(ch)->status & (ATA_BSY | ATA_DRQ))) {
        if (off == STATUS_COMMAND)
            guest_error(ch->ide->dev.env.log, "ide: command %02x to a busy drive", v);
        return;
    }
    ch->control &= 0x7f; /* any write clears HOB */
    if (off == STATUS_COMMAND) {
        ch->irq_pending[ch->selected] = 0;
        drive_irq(ch);
        if (present(ch) || v == ATA_DIAGNOSTIC)
            start_command(ch, v);
        return;
    }
    for (int i = 0; i < 2; i++) { /* both devices see every write */
        struct ata_drive *d = &ch->drive[i];

        switch (off) {
        case ERROR_FEATURE: push_pair(d->feature, v); break;
        case COUNT: push_pair(d->count, v); break;
        case LBA_LOW: push_pair(d->lba_low, v); break;
        case LBA_MID: push_pair(d->lba_mid, v); break;
        case LBA_HIGH: push_pair(d->lba_high, v); break;
        case DEVICE: d->select = v & 0x5f; break;
        }
    }
    if (off == DEVICE) {
        ch->selected = v & SELECT_DEV ? 1 : 0;
        drive_irq(ch);
    }
}

static u64 control_block_read(void *dev, u64 off, unsigned size)
{
    (void)off;
    (void)size;
    return read_status(dev);
}

static void control_block_write(void *dev, u64 off, u64 v, unsigned size)
{
    struct ide_channel *ch = dev;
    bool was = ch->control & CTRL_SRST;

    (void)off;
    (void)size;
    ch->control = (u8)v & 0x86;
    if (!was && (v & CTRL_SRST))
        reset_channel(ch);
    drive_irq(ch);
}

static void completed(void *dev, u64 now_ns)
{
    struct ide_channel *ch = dev;

    (void)now_ns;
    if (!ch->dma_wanted)
        ata_continue(ide_active(ch));
    else if (ide_dma_started(ch))
        ide_dma_run(ch);
}

/* IDETIM bit 15 of each channel switches its ports on; the master bit may start a transfer that
 * waits for it. */
static void apply_config(struct ide *ide)
{
    for (int i = 0; i < 2; i++) {
        struct ide_channel *ch = &ide->ch[i];
        bool on = ide->func.config[0x41 + 2 * i] & 0x80;

        bus_move(ide->dev.env.io, &ch->command_block, i ? 0x170 : 0x1f0, on);
        bus_move(ide->dev.env.io, &ch->control_block, i ? 0x376 : 0x3f6, on);
    }
}

static void config_written(void *dev, unsigned reg, unsigned size)
{
    struct ide *ide = dev;

    (void)size;
    apply_config(ide);
    if (reg <= PCI_COMMAND + 1)
        for (int i = 0; i < 2; i++)
            ide_dma_begin(&ide->ch[i]);
}

static int ide_init(struct dev *dev, const void *cfg, char err[160])
{
    static const struct bus_ops command = { command_block_read, command_block_write, 1 | 2 | 4 };
    static const struct bus_ops control = { control_block_read, control_block_write, 1 };
    static const struct bus_ops bm = { ide_bm_read, ide_bm_write, 1 | 2 | 4 };
    struct ide *ide = CONTAINER_OF(dev, struct ide, dev);
    int bad = 0;

    (void)err;
    ide->cfg = *(const struct ide_cfg *)cfg;
    pci_add(ide->cfg.bus, 1 << 3 | 1, &ide->func, ide);
    pci_header(&ide->func, 0x8086, 0x7010, 0x010180, 0x00);
    pci_writable(&ide->func, PCI_COMMAND, 2, PCI_COMMAND_IO | PCI_COMMAND_MASTER);
    pci_writable(&ide->func, 0x40, 4, 0xffffffff); /* IDETIM: timing, and the decode enables */
    pci_writable(&ide->func, 0x44, 1, 0xff);
    pci_writable(&ide->func, PCI_IRQ_LINE, 1, 0);
    ide->func.written = config_written;
    ide->bmiba = (struct bus_region){ .ops = &bm, .dev = ide, .name = "ide bus master" };
    bad |= pci_add_bar(&ide->func, 4, &ide->bmiba, 16, true);
    for (int i = 0; i < 2; i++) {
        struct ide_channel *ch = &ide->ch[i];

        ch->ide = ide;
        ch->irq = i ? ide->cfg.irq15 : ide->cfg.irq14;
        for (int k = 0; k < 2; k++)
            ch->drive[k].cfg = (struct ata_cfg){
                .link = &link, .owner = ch, .log = dev->env.log, .trace = dev->env.trace,
                .name = i ? "ide1" : "ide0", .disk = ide->cfg.disk[2 * i + k],
                .cdrom = ide->cfg.cdrom[2 * i + k], .number = (u8)(2 * i + k), .slave = k,
            };
        timer_init(&ch->done, dev->env.clk, completed, ch);
        ch->command_block = (struct bus_region){ .base = i ? 0x170 : 0x1f0, .len = 8, .ops = &command, .dev = ch, .name = i ? "ide1" : "ide0" };
        ch->control_block = (struct bus_region){ .base = i ? 0x376 : 0x3f6, .len = 1, .ops = &control, .dev = ch, .name = i ? "ide1 control" : "ide0 control" };
        bad |= bus_map(dev->env.io, &ch->command_block) | bus_map(dev->env.io, &ch->control_block);
    }
    return bad;
}

static void ide_reset(struct dev *dev, enum reset_kind kind)
{
    struct ide *ide = CONTAINER_OF(dev, struct ide, dev);

    (void)kind;
    pci_func_reset(&ide->func);
    pci_set(&ide->func, PCI_STATUS, 2, 0x0280);
    pci_set(&ide->func, 0x40, 4, 0x80008000); /* both channels decode their ports */
    pci_set(&ide->func, 0x44, 1, 0);
    for (int i = 0; i < 2; i++) {
        struct ide_channel *ch = &ide->ch[i];

        ch->control = ch->bm_command = 0;
        ch->bm_status = (u8)((ata_present(&ch->drive[0]) ? 0x20 : 0) | (ata_present(&ch->drive[1]) ? 0x40 : 0));
        ch->bm_prdt = 0;
        for (int k = 0; k < 2; k++)
            ata_power_on(&ch->drive[k]);
        reset_channel(ch);
    }
    apply_config(ide);
}

static void ide_loaded(struct dev *dev)
{
    struct ide *ide = CONTAINER_OF(dev, struct ide, dev);

    pci_update_bars(&ide->func);
    apply_config(ide);
    for (int i = 0; i < 2; i++)
        irq_set(&ide->ch[i].irq, ide->ch[i].intrq);
}

static const char *impossible(const struct ide_channel *ch)
{
    bool waits = timer_armed(&ch->done) || ch->dma_wanted;

    for (unsigned i = 0; i < 2; i++) {
        const struct ata_drive *d = &ch->drive[i];
        bool offers = d->status & ATA_DRQ;
        const char *why = ata_impossible(d, i == ch->active && (waits || offers));

        if (why)
            return why;
        if (offers && (i != ch->active || i != ch->selected || waits))
            return "a drive offers data out of turn";
    }
    return NULL;
}

static int ide_check(const struct dev *dev, char err[160])
{
    const struct ide *ide = CONTAINER_OF(dev, struct ide, dev);

    for (int i = 0; i < 2; i++) {
        const char *why = impossible(&ide->ch[i]);

        if (why) {
            snprintf(err, 160, "ide%d: %s", i, why);
            return -1;
        }
    }
    return 0;
}

static void ide_fini(struct dev *dev)
{
    struct ide *ide = CONTAINER_OF(dev, struct ide, dev);

    for (int i = 0; i < 2; i++)
        timer_cancel(&ide->ch[i].done);
}

static const struct state_field channel_fields[] = {
    STATE_STRUCTS(struct ide_channel, drive, ata_drive_fields),
    STATE_ARRAY_UPTO(struct ide_channel, irq_pending, 1), STATE_UPTO(struct ide_channel, selected, 1),
    STATE(struct ide_channel, control), STATE_UPTO(struct ide_channel, active, 1),
    STATE_UPTO(struct ide_channel, intrq, 1),
    STATE(struct ide_channel, bm_command), STATE(struct ide_channel, bm_status),
    STATE(struct ide_channel, bm_prdt), STATE_UPTO(struct ide_channel, dma_wanted, 1),
    STATE_TIMER(struct ide_channel, done), STATE_END,
};
static const struct state_field ide_fields[] = {
    STATE_STRUCT(struct ide, func, pci_func_fields), STATE_STRUCTS(struct ide, ch, channel_fields),
    STATE_END,
};
static const struct state_desc ide_state = { "piix3_ide", 1, ide_fields };
const struct dev_class ide_class = { "piix3-ide", ide_init, ide_reset, ide_loaded, ide_fini,
                                     &ide_state, ide_check };
