/*
 * Why the decoder and Capstone 4 differ: the whole list.
 *
 * Capstone is a disassembler: it names what the manual reserves, knows families that the table
 * does not have yet, and is lenient with prefixes. A class is as narrow as it can be said.
 */
#include "tests/decode/classes.h"
#include "cpu/isa.h"
#include <stdio.h>

static bool row_in(const struct difference *d, u16 first, u16 last)
{
    return d->in.row >= first && d->in.row <= last;
}

static bool both_ok(const struct difference *d)
{
    return d->known && d->status == DECODE_OK;
}

static bool same_length(const struct difference *d)
{
    return both_ok(d) && d->size == d->in.len;
}

static bool only_kiln(const struct difference *d)
{
    return !d->known && d->status == DECODE_OK;
}

static bool only_capstone(const struct difference *d)
{
    return d->known && d->status == DECODE_INVALID;
}

/* The prefixes in front of the opcode. */
struct prefixes {
    bool p66, p67, rep, lock, rexw;
    u8 rex;
    unsigned n;
};

static struct prefixes prefixes_of(const struct difference *d)
{
    struct prefixes p = { 0 };

    for (; p.n < 15; p.n++) {
        u8 b = d->bytes[p.n];

        if (d->code == 8 && (b & 0xf0) == 0x40) {
            p.rex = b;
            continue;
        }
        if (b == 0x66)
            p.p66 = true;
        else if (b == 0x67)
            p.p67 = true;
        else if (b == 0xf0)
            p.lock = true;
        else if (b == 0xf2 || b == 0xf3)
            p.rep = true;
        else if (b != 0x26 && b != 0x2e && b != 0x36 && b != 0x3e && b != 0x64 && b != 0x65)
            break;
        p.rex = 0;
    }
    p.rexw = p.rex & 8;
    return p;
}

/* Whether the table has an instruction of this name at all. */
static bool in_table(const char *mnemonic)
{
    for (unsigned i = 1; i < NR_ROWS; i++) {
        const char *m = isa_rows[i].mnemonic;
        size_t n = strlen(mnemonic);

        for (m += *m == '@'; m; m = strchr(m, '|') ? strchr(m, '|') + 1 : NULL)
            if (!strncmp(m, mnemonic, n) && (m[n] == 0 || m[n] == '|'))
                return true;
    }
    return false;
}

static bool is_family(const struct difference *d)
{
    unsigned n = prefixes_of(d).n;
    bool sse = d->bytes[n] == 0x0f && (d->bytes[n + 1] == 0x10 || d->bytes[n + 1] == 0x11 || d->bytes[n + 1] == 0xc2);

    /* MOVSD and CMPSD are also the names of string instructions. */
    return only_capstone(d) && d->in.row == ROW_INVALID && (sse || !in_table(d->mnemonic));
}

static bool is_lock(const struct difference *d)
{
    return only_capstone(d) && (d->in.pfx & PFX_LOCK) && d->size == d->in.len;
}

static bool is_sal(const struct difference *d)
{
    return same_length(d) && row_in(d, ROW_SAL_EbIb, ROW_SAL_EvCL) && !strcmp(d->mnemonic, "sal");
}

static bool is_ud1(const struct difference *d)
{
    return same_length(d) && d->in.row == ROW_UD1 && !strcmp(d->mnemonic, "ud2b");
}

static bool is_ud0(const struct difference *d)
{
    return only_kiln(d) && d->in.row == ROW_UD0;
}

static bool is_cbw(const struct difference *d)
{
    return same_length(d) && row_in(d, ROW_CBW, ROW_CWD) && (d->code == 2 || prefixes_of(d).p66);
}

static bool is_rexw_66(const struct difference *d)
{
    struct prefixes p = prefixes_of(d);

    return (both_ok(d) || (only_capstone(d) && p.lock)) && p.p66 && p.rexw &&
           (d->in.row == ROW_RET_Iw || row_in(d, ROW_INSB, ROW_OUTSZ) || row_in(d, ROW_PUSHF, ROW_POPF) ||
            d->in.row == ROW_IRET || row_in(d, ROW_RETF, ROW_RETF_Iw) || d->in.row == ROW_MOV_ZvIv);
}

static bool is_66_rep(const struct difference *d)
{
    struct prefixes p = prefixes_of(d);

    return p.p66 && p.rep && (both_ok(d) || (only_kiln(d) && row_in(d, ROW_MOV_ALOb, ROW_MOV_OvAX)));
}

static bool is_call_66(const struct difference *d)
{
    return d->known && d->in.row == ROW_CALL_Jz && prefixes_of(d).p66;
}

static bool is_67_rexw(const struct difference *d)
{
    struct prefixes p = prefixes_of(d);

    return both_ok(d) && p.p67 && p.rexw;
}

static bool is_jcxz(const struct difference *d)
{
    return same_length(d) && d->in.row == ROW_JCXZ && prefixes_of(d).p67;
}

static bool is_moffs(const struct difference *d)
{
    return same_length(d) && row_in(d, ROW_MOV_ALOb, ROW_MOV_OvAX) && prefixes_of(d).p67;
}

static bool is_sreg_rex(const struct difference *d)
{
    return only_kiln(d) && (d->in.row == ROW_MOV_EvSw || d->in.row == ROW_MOV_SwEw) &&
           (prefixes_of(d).rex & 4);
}

static bool is_no_register(const struct difference *d)
{
    return only_capstone(d) && row_in(d, ROW_MOV_RdCd, ROW_MOV_DdRd) && d->size == d->in.len;
}

static bool is_mov_cs(const struct difference *d)
{
    return only_capstone(d) && (d->in.row == ROW_MOV_SwEw || d->in.row == ROW_MOV_EvSw) && d->size == d->in.len;
}

static bool is_hint(const struct difference *d)
{
    return only_kiln(d) && row_in(d, ROW_NOP_Ev, ROW_NOP_1E);
}

static bool is_hint_name(const struct difference *d)
{
    return same_length(d) && ((d->in.row == ROW_NOP_18 && !strncmp(d->mnemonic, "prefetch", 8)) ||
                              (d->in.row == ROW_NOP_1E && !strncmp(d->mnemonic, "endbr", 5)));
}

static bool is_xchg_r8(const struct difference *d)
{
    return same_length(d) && d->in.row == ROW_XCHG_ZvAX && d->in.reg[0] == R8 && !strcmp(d->mnemonic, "nop");
}

static bool is_prefetchw(const struct difference *d)
{
    return d->in.row == ROW_PREFETCHW &&
           (only_kiln(d) || (same_length(d) && !strncmp(d->mnemonic, "prefetch", 8)));
}

static bool is_fence(const struct difference *d)
{
    return only_kiln(d) && row_in(d, ROW_LFENCE, ROW_SFENCE);
}

static bool is_16_bit_ext(const struct difference *d)
{
    if (only_kiln(d))
        return d->in.row == ROW_ADCX || d->in.row == ROW_ADOX || d->in.row == ROW_POPCNT ||
               row_in(d, ROW_CRC32_GyEb, ROW_CRC32_GyEv) || row_in(d, ROW_RDFSBASE, ROW_WRGSBASE);
    if (only_capstone(d))
        return d->in.row == ROW_INVALID && !strcmp(d->mnemonic, "adcx") && prefixes_of(d).p67;
    return same_length(d) &&
           ((d->in.row == ROW_TZCNT && !strcmp(d->mnemonic, "bsf")) ||
            (d->in.row == ROW_LZCNT && !strcmp(d->mnemonic, "bsr")) ||
            (row_in(d, ROW_CRC32_GyEb, ROW_CRC32_GyEv) && !strcmp(d->mnemonic, "movbe")));
}

static bool is_vex(const struct difference *d)
{
    struct prefixes p = prefixes_of(d);

    return only_capstone(d) && d->in.row == ROW_INVALID && (d->bytes[p.n] & 0xfe) == 0xc4 &&
           (p.p66 || p.rep || p.lock || p.rex);
}

static bool is_newer(const struct difference *d)
{
    return same_length(d) && ((d->in.row == ROW_CLFLUSHOPT && !strcmp(d->mnemonic, "clflush")) ||
                              (d->in.row == ROW_CLWB && !strncmp(d->mnemonic, "xsaveopt", 8)) ||
                              (d->in.row == ROW_RDPID && !strcmp(d->mnemonic, "rdseed")));
}

static bool is_pause(const struct difference *d)
{
    return same_length(d) && d->in.row == ROW_NOP_90 && prefixes_of(d).rep;
}

static bool is_np(const struct difference *d)
{
    static const char *const names[] = { "movnti", "lfence", "mfence", "sfence", "clflush",
                                         "stac",   "clac",   "movbe",  "rdrand", "rdseed",
                                         "adcx",   "adox",   "clwb",   "clflushopt",
                                         "fxsave", "fxsave64", "fxrstor", "fxrstor64", "xsave",
                                         "xsave64", "xrstor", "xrstor64", "xgetbv", "xsetbv" };
    struct prefixes p = prefixes_of(d);

    if (!only_capstone(d) || d->in.row != ROW_INVALID || !(p.p66 || p.rep))
        return false;
    for (unsigned i = 0; i < ARRAY_LEN(names); i++)
        if (!strcmp(d->mnemonic, names[i]))
            return true;
    return false;
}

static bool is_invpcid(const struct difference *d)
{
    struct prefixes p = prefixes_of(d);

    if (only_kiln(d))
        return d->in.row == ROW_INVPCID && (d->code == 2 || d->bytes[p.n - 1] != 0x66);
    return only_capstone(d) && d->in.row == ROW_INVALID && !strcmp(d->mnemonic, "invpcid") && (!p.p66 || p.rep);
}

/* MMX and SSE. */
static bool is_vector_row(u16 row)
{
    return row >= ROW_PUNPCKLBW_M && row <= ROW_SHA1RNDS4;
}

static bool names_vector_row(const char *mnemonic)
{
    char name[32];

    for (u16 i = ROW_PUNPCKLBW_M; i <= ROW_SHA1RNDS4; i++)
        for (u8 size = 4; size <= 8; size *= 2) {
            struct insn in = { .row = i, .opsz = size, .srcsz = size };
            if (!strcmp(isa_mnemonic(&in, name, sizeof(name)), mnemonic))
                return true;
        }
    return false;
}

static bool is_vector_np(const struct difference *d)
{
    struct prefixes p = prefixes_of(d);

    return only_capstone(d) && d->in.row == ROW_INVALID && (p.p66 || p.rep || p.p67) &&
           names_vector_row(d->mnemonic);
}

/* Capstone looks for 66, F2 and F3 only right before the opcode, and not at all in 16-bit code. */
static bool is_vector_prefix(const struct difference *d)
{
    u64 attr = isa_rows[d->in.row].attr;
    u8 mandatory = attr & A_66 ? 0x66 : attr & A_F3 ? 0xf3 : attr & A_F2 ? 0xf2 : 0;
    unsigned at = prefixes_of(d).n;

    if (d->status != DECODE_OK || !is_vector_row(d->in.row) || !mandatory)
        return false;
    at -= at && prefixes_of(d).rex;
    return d->code == 2 || at == 0 || d->bytes[at - 1] != mandatory || prefixes_of(d).p67 ||
           prefixes_of(d).rexw ||
           (prefixes_of(d).p66 && mandatory != 0x66);
}

static bool is_cmp_name(const struct difference *d)
{
    return same_length(d) && d->in.row >= ROW_CMPPS && d->in.row <= ROW_CMPSD && !strncmp(d->mnemonic, "cmp", 3);
}

static bool is_movd(const struct difference *d)
{
    return same_length(d) && (prefixes_of(d).rexw) && !strcmp(d->mnemonic, "movd") &&
           (d->in.row == ROW_MOVD_PqEy || d->in.row == ROW_MOVD_EyPq || d->in.row == ROW_MOVD_VxEy ||
            d->in.row == ROW_MOVD_EyVx);
}

static bool is_swapgs(const struct difference *d)
{
    return only_capstone(d) && d->in.row == ROW_INVALID && d->code != 8 && !strcmp(d->mnemonic, "swapgs");
}

static const struct class classes[] = {
    { "families", "none", "2A to 2D", "MMX, SSE, AVX, 3DNow!, VMX, SVM, XSAVE, RDRAND and so on: not there yet", is_family },
    { "call-66", "CALL_Jz", "APM 3 1.2.4", "with 66h a 16-bit offset, on AMD in 64-bit code too; with more prefixes Capstone misses the 66h", is_call_66 },
    { "lock", "all without LOCK", "2A LOCK", "#UD in the manual; Capstone is lenient, more so with F2 and F3", is_lock },
    { "sal", "SAL_*", "2B SAL/SAR/SHL/SHR", "/6 is an alias: shl to us, sal to Capstone", is_sal },
    { "ud1", "UD1", "2B UD", "Capstone's name is ud2b", is_ud1 },
    { "ud0", "UD0", "2B UD", "Capstone does not know it", is_ud0 },
    { "cbw", "CBW, CWD", "2A CBW, CWD", "Capstone names the size wrong in 16-bit code and with 66h", is_cbw },
    { "rexw-66", "INSZ, OUTSZ, PUSHF, POPF, IRET, RET, RETF, MOV_ZvIv", "2A 2.2.1.2", "REX.W overrides 66h; Capstone's name or length follows 66h", is_rexw_66 },
    { "66-rep", "size-dependent rows; MOV_ALOb to MOV_OvAX", "2A 2.1.1", "66h with an F2 or F3 that means nothing, or REP: Capstone misses the 66h", is_66_rep },
    { "67-rexw", "size-dependent rows", "2A 2.2.1.2", "67h with REX.W: Capstone takes a wrong size, even a wrong length", is_67_rexw },
    { "jcxz", "JCXZ", "2A Jcc", "Capstone overlooks 67h with other prefixes behind it", is_jcxz },
    { "moffs", "MOV_ALOb to MOV_OvAX", "2B MOV", "with 67h: mov to us (a 32-bit offset), movabs to Capstone at times", is_moffs },
    { "sreg-rex", "MOV_EvSw, MOV_SwEw", "2A 2.2.1.2", "REX.R means nothing for segment registers; Capstone refuses it", is_sreg_rex },
    { "no-register", "MOV_RdCd to MOV_DdRd", "2B MOV", "registers that are not there (CR1, CR5, DR8 ...): #UD", is_no_register },
    { "mov-cs", "MOV_SwEw, MOV_EvSw", "2B MOV", "a load of CS, segment registers 6 and 7: #UD", is_mov_cs },
    { "hint", "NOP_Ev, NOP_18 to NOP_1E", "2D appendix A", "reserved NOPs that Capstone does not know", is_hint },
    { "hint-name", "NOP_18, NOP_1E", "2B PREFETCHh, 2A ENDBR64", "Capstone has the hint's name", is_hint_name },
    { "xchg-r8", "XCHG_ZvAX", "2D XCHG", "90 with REX.B exchanges R8 and rAX; with more prefixes Capstone calls it nop", is_xchg_r8 },
    { "prefetchw", "PREFETCHW", "2B PREFETCHW", "/0 and /2 to /7 are aliases (APM 3 PREFETCH)", is_prefetchw },
    { "fence", "LFENCE, MFENCE, SFENCE", "2A, 2B", "the low three bits of ModRM mean nothing; Capstone wants 0", is_fence },
    { "ext-prefix", "TZCNT, LZCNT, POPCNT, CRC32, ADX, FSGSBASE", "2B TZCNT, 2A LZCNT, CRC32, ADCX", "Capstone overlooks F2 and F3 in 16-bit code or with other prefixes behind, and takes 67h for ADCX's 66h", is_16_bit_ext },
    { "vex", "A_VEX", "2A 2.3.2 to 2.3.4", "behind 66, F2, F3, LOCK or REX: #UD; Capstone does not mind", is_vex },
    { "newer", "CLFLUSHOPT, CLWB, RDPID", "2A CLFLUSHOPT, CLWB, 2B RDPID", "Capstone 4 has them by the names of their neighbours", is_newer },
    { "pause", "NOP_90", "2B PAUSE", "a NOP with F3 (xchg to Capstone when there is a REX)", is_pause },
    { "np", "MOVNTI, fences, CLFLUSH, STAC, CLAC, MOVBE, RDRAND, RDSEED, FXSAVE to XSETBV", "2A 3.1.1.1", "NP: not with 66, F2, F3; Capstone does not mind", is_np },
    { "invpcid", "INVPCID", "2A INVPCID", "66h anywhere, and no F2 or F3, selects it; Capstone wants 66h last, takes REX.W for it, and knows it not in 16-bit code", is_invpcid },
    { "vec-np", "MMX and SSE", "2A 3.1.1.1", "NP and other rows without 66, F2, F3: #UD with them (silicon, too); Capstone does not mind", is_vector_np },
    { "vec-prefix", "MMX and SSE", "2A 2.1.1, 3.1.1.1", "a mandatory prefix that is not the last, and any in 16-bit code or with REX.W: Capstone overlooks it at times", is_vector_prefix },
    { "cmp-name", "CMPPS to CMPSD", "2A CMPPS", "Capstone has the predicate in the name", is_cmp_name },
    { "movd", "MOVD with REX.W", "2B MOVD/MOVQ", "movq to us, movd to Capstone at times", is_movd },
    { "swapgs", "SWAPGS", "2B SWAPGS", "only in 64-bit mode; Capstone names it everywhere", is_swapgs },
};
_Static_assert(ARRAY_LEN(classes) <= 40, "at most 40 classes");

/* Counts; this is a test program, and it has one of them. */
static u64 counts[ARRAY_LEN(classes)];

const struct class *class_of(const struct difference *d)
{
    for (unsigned i = 0; i < ARRAY_LEN(classes); i++)
        if (classes[i].is(d)) {
            counts[i]++;
            return &classes[i];
        }
    return NULL;
}

void class_print(void)
{
    printf("%-12s %10s  %-44s %-20s %s\n", "class", "count", "rows", "SDM", "what");
    for (unsigned i = 0; i < ARRAY_LEN(classes); i++)
        printf("%-12s %10llu  %-44s %-20s %s\n", classes[i].name, (unsigned long long)counts[i],
               classes[i].rows, classes[i].manual, classes[i].says);
}
