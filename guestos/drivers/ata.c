/* What an ATA disk says of itself: ATA/ATAPI-6, 8.15. */
#include "guestos/drivers/ata.h"

#define ID_CONFIG        0
#define ID_IS_ATAPI      (1u << 15)
#define ID_MODEL         27
#define ID_MODEL_WORDS   20
#define ID_CAPABILITIES  49
#define ID_HAS_DMA       (1u << 8)
#define ID_HAS_LBA       (1u << 9)
#define ID_SECTORS28     60
#define ID_COMMAND_SETS  83 /* bits 15:14 are 01 if the word is valid */
#define ID_SETS_VALID    (1u << 14)
#define ID_HAS_LBA48     (1u << 10)
#define ID_HAS_FLUSH     (1u << 12)
#define ID_HAS_FLUSH_EXT (1u << 13)
#define ID_SECTORS48     100

/* Two characters a word, the first one high; spaces at the end. */
static void read_model(char *to, const u16 *words)
{
    u32 len = 0;

    for (u32 i = 0; i < 2 * ID_MODEL_WORDS; i++) {
        to[i] = (char)(i % 2 ? words[i / 2] : words[i / 2] >> 8);
        if (to[i] != ' ') {
            len = i + 1;
        }
    }
    to[len] = 0;
}

bool ata_identify(struct ata_identity *id, const u16 words[256])
{
    u16 sets = words[ID_COMMAND_SETS] & ID_SETS_VALID ? words[ID_COMMAND_SETS] : 0;

    if ((words[ID_CONFIG] & ID_IS_ATAPI) || !(words[ID_CAPABILITIES] & ID_HAS_LBA)) {
        return false;
    }
    id->has_dma = words[ID_CAPABILITIES] & ID_HAS_DMA;
    id->has_lba48 = sets & ID_HAS_LBA48;
    id->has_flush = sets & ID_HAS_FLUSH;
    id->has_flush_ext = sets & ID_HAS_FLUSH_EXT;
    id->nr_sectors = words[ID_SECTORS28] | (u64)words[ID_SECTORS28 + 1] << 16;
    if (id->has_lba48) {
        id->nr_sectors = 0;
        for (u32 i = 0; i < 4; i++) {
            id->nr_sectors |= (u64)words[ID_SECTORS48 + i] << 16 * i;
        }
    }
    read_model(id->model, words + ID_MODEL);
    return id->nr_sectors > 0;
}
