/*
 * IDE: task file registers, device selection, reset and interrupts. ATA/ATAPI-6, 7 and 9.
 *
 * While a drive has BSY or DRQ set the command block takes no writes, so neither selection nor
 * parameters change under a command. One command is under way on a channel at a time.
 *
 * DEVIATION: channels decode their ports from power-on, where the PIIX3 waits for IDETIM and the
 * I/O enable bit: firmware of other machines finds its disk.
 */
#include "devices/ide.h"

enum { CTRL_NIEN = 2, CTRL_SRST = 4, SELECT_DEV = 0x10, SELECT_LBA = 0x40 };
enum task_file { DATA, ERROR_FEATURE, COUNT, LBA_LOW, LBA_MID, LBA_HIGH, DEVICE, STATUS_COMMAND };

static struct ide_drive *current(struct ide_channel *ch)
{
    return &ch->drive[ch->selected];
}

static bool present(const struct ide_channel *ch)
{
    return ch->disk[ch->selected] != NULL;
}

/* INTRQ is the selected drive's, while nIEN is 0. The bus master's interrupt bit latches each
 * edge of it (290550, BMISX bit 2). */
static void drive_irq(struct ide_channel *ch)
{
    bool level = current(ch)->irq_pending && !(ch->control & CTRL_NIEN);

    if (level && !ch->intrq)
        ch->bm_status |= 4;
    ch->intrq = level;
    irq_set(&ch->irq, level);
}

void ide_raise(struct ide_channel *ch)
{
    ide_active(ch)->irq_pending = 1;
    drive_irq(ch);
}

void ide_signature(struct ide_drive *d)
{
    memset(d->feature, 0, sizeof(d->feature));
    d->count[0] = d->count[1] = 1;
    d->lba_low[0] = d->lba_low[1] = 1;
    d->lba_mid[0] = d->lba_mid[1] = d->lba_high[0] = d->lba_high[1] = 0;
    d->error = 1; /* diagnostics passed */
}

static void reset_channel(struct ide_channel *ch)
{
    timer_cancel(&ch->done);
    for (int i = 0; i < 2; i++) {
        struct ide_drive *d = &ch->drive[i];

        ide_signature(d);
        d->select = 0;
        d->status = ch->disk[i] ? ATA_DRDY | ATA_DSC : 0;
        d->command = d->multiple = 0;
        d->left = d->buf_pos = d->buf_len = 0;
        d->writing = d->irq_pending = 0;
    }
    ch->selected = ch->active = 0;
    ch->dma_wanted = 0;
    drive_irq(ch);
}

static u8 read_status(struct ide_channel *ch)
{
    if (ch->ide->cfg.broken)
        return ATA_BSY;
    if (!ch->disk[0] && !ch->disk[1])
        return 0x7f; /* pulled up, but for BSY */
    if (ch->control & CTRL_SRST)
        return ATA_BSY;
    return present(ch) ? current(ch)->status : 0;
}

/* ---- the data register ---- */

static u64 read_data(struct ide_channel *ch, unsigned size)
{
    struct ide_drive *d = current(ch);
    u64 v;

    if (!(d->status & ATA_DRQ) || d->writing || d->buf_pos + size > d->buf_len)
        return size_mask(size);
    v = load_le(d->buf + d->buf_pos, size);
    d->buf_pos += size;
    if (d->buf_pos == d->buf_len)
        ide_block_read(ch);
    return v;
}

static void write_data(struct ide_channel *ch, u64 v, unsigned size)
{
    struct ide_drive *d = current(ch);

    if (!(d->status & ATA_DRQ) || !d->writing || d->buf_pos + size > d->buf_len)
        return;
    store_le(d->buf + d->buf_pos, v, size);
    d->buf_pos += size;
    if (d->buf_pos == d->buf_len)
        ide_block_written(ch);
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
    const struct ide_drive *d = current(ch);

    if (off == DATA)
        return read_data(ch, size);
    if (size != 1)
        return size_mask(size);
    if (ch->ide->cfg.broken)
        return ATA_BSY;
    if (!ch->disk[0] && !ch->disk[1])
        return off == STATUS_COMMAND ? 0x7f : 0xff;
    switch (off) {
    case ERROR_FEATURE: return present(ch) ? d->error : 0;
    case COUNT: return pair(ch, d->count);
    case LBA_LOW: return pair(ch, d->lba_low);
    case LBA_MID: return pair(ch, d->lba_mid);
    case LBA_HIGH: return pair(ch, d->lba_high);
    case DEVICE: return d->select | 0xa0;
    default:
        current(ch)->irq_pending = 0; /* reading the status acknowledges */
        drive_irq(ch);
        return read_status(ch);
    }
}

static void push_pair(u8 r[2], u8 v)
{
    r[1] = r[0];
    r[0] = v;
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
    if (!ch->disk[0] && !ch->disk[1])
        return;
    if ((ch->control & CTRL_SRST) || (current(ch)->status & (ATA_BSY | ATA_DRQ))) {
        if (off == STATUS_COMMAND)
            guest_error(ch->ide->dev.env.log, "ide: command %02x to a busy drive", v);
        return;
    }
    ch->control &= 0x7f; /* any write clears HOB */
    if (off == STATUS_COMMAND) {
        current(ch)->irq_pending = 0;
        drive_irq(ch);
        if (present(ch) || v == ATA_DIAGNOSTIC)
            ide_command_start(ch, v);
        return;
    }
    for (int i = 0; i < 2; i++) { /* both devices see every write */
        struct ide_drive *d = &ch->drive[i];

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
    (void)now_ns;
    ide_command_done(dev);
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
            if (ide->ch[i].dma_wanted && ide_dma_started(&ide->ch[i]) && !timer_armed(&ide->ch[i].done))
                ide_start_latency(&ide->ch[i], ide_active(&ide->ch[i])->left);
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
        ch->disk[0] = ide->cfg.disk[2 * i];
        ch->disk[1] = ide->cfg.disk[2 * i + 1];
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
        ch->bm_status = (u8)((ch->disk[0] ? 0x20 : 0) | (ch->disk[1] ? 0x40 : 0));
        ch->bm_prdt = 0;
        for (int k = 0; k < 2; k++)
            ch->drive[k] = (struct ide_drive){ .heads = 16, .sectors = 63 };
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

/* Transfers are not checked again while they go on, so whatever is under way must be within its
 * disk and its buffer. */
static const char *impossible(const struct ide_channel *ch)
{
    bool waits = timer_armed(&ch->done) || ch->dma_wanted;

    for (unsigned i = 0; i < 2; i++) {
        const struct ide_drive *d = &ch->drive[i];
        u64 total = ch->disk[i] ? ch->disk[i]->nr_sectors : 0;

        if (d->left && (d->lba >= total || d->left > total - d->lba))
            return "a transfer reaches beyond its disk";
        if (d->buf_pos > d->buf_len)
            return "a transfer is beyond its block";
        if ((d->status & ATA_DRQ) && (i != ch->active || i != ch->selected || waits))
            return "a drive offers data out of turn";
        if (d->multiple & (d->multiple - 1))
            return "a drive has no such block size";
        if (i == ch->active && (waits || (d->status & ATA_DRQ)) && !ide_block_fits(d))
            return "more data waits to be written than was asked for";
    }
    if ((waits || (ch->drive[ch->active].status & ATA_DRQ)) && !ch->disk[ch->active])
        return "a drive that is not there is busy";
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

static const struct state_field drive_fields[] = {
    STATE(struct ide_drive, error), STATE(struct ide_drive, status),
    STATE_BYTES(struct ide_drive, feature), STATE_BYTES(struct ide_drive, count),
    STATE_BYTES(struct ide_drive, lba_low), STATE_BYTES(struct ide_drive, lba_mid),
    STATE_BYTES(struct ide_drive, lba_high), STATE(struct ide_drive, select),
    STATE(struct ide_drive, command), STATE_UPTO(struct ide_drive, multiple, IDE_MAX_MULTIPLE),
    STATE(struct ide_drive, dma_mode), STATE(struct ide_drive, heads),
    STATE(struct ide_drive, sectors), STATE(struct ide_drive, lba), STATE_UPTO(struct ide_drive, left, 65536),
    STATE_UPTO(struct ide_drive, buf_pos, IDE_MAX_MULTIPLE * SECTOR_SIZE),
    STATE_UPTO(struct ide_drive, buf_len, IDE_MAX_MULTIPLE * SECTOR_SIZE),
    STATE_UPTO(struct ide_drive, writing, 1), STATE_UPTO(struct ide_drive, irq_pending, 1),
    STATE_BYTES(struct ide_drive, buf), STATE_END,
};
static const struct state_field channel_fields[] = {
    STATE_STRUCTS(struct ide_channel, drive, drive_fields), STATE_UPTO(struct ide_channel, selected, 1),
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
