/*
 * Registers for debuggers: by number, and by the names that people type.
 */
#include "cpu/operand.h"
#include "cpu/segment.h"
#include "cpu/vec.h"
#include "machine/debug.h"
#include "machine/pc.h"
#include <strings.h>

/* ORDER: enum debug_reg. */
static const char *const debug_reg_names[NR_DEBUG_REGS] = {
    "rax",     "rbx",     "rcx",     "rdx",     "rsi",     "rdi",     "rbp",       "rsp",
    "r8",      "r9",      "r10",     "r11",     "r12",     "r13",     "r14",       "r15",
    "rip",     "eflags",  "cs",      "ss",      "ds",      "es",      "fs",        "gs",
    "cs_base", "ss_base", "ds_base", "es_base", "fs_base", "gs_base", "k_gs_base", "cr0",
    "cr2",     "cr3",     "cr4",     "cr8",     "efer",    "fctrl",   "fstat",     "ftag",
    "fiseg",   "fioff",   "foseg",   "fooff",   "fop",     "mxcsr",   "pc",
};

/* ORDER: the first eight of enum debug_reg. */
static const u8 low_gpr[8] = {RAX, RBX, RCX, RDX, RSI, RDI, RBP, RSP};
/* ORDER: DR_CS on. */
static const u8 segments[NR_SEGS] = {CS, SS, DS, ES, FS, GS};

static u64 *gpr(struct cpu *c, enum debug_reg r)
{
    return &c->gpr[r < DR_R8 ? low_gpr[r] : r];
}

/* ---- x87 and SSE; they may live in the host's registers ---- */

static u64 floating_reg(struct cpu *c, enum debug_reg r)
{
    const struct fpu *f = &c->fpu;

    floating_to_memory(c);
    switch (r) {
    case DR_FCTRL: return f->cw;
    case DR_FSTAT: return f->sw;
    case DR_FTAG: return fpu_tag_word(f);
    case DR_FISEG: return f->fip >> 32;
    case DR_FIOFF: return (u32)f->fip;
    case DR_FOSEG: return f->fdp >> 32;
    case DR_FOOFF: return (u32)f->fdp;
    case DR_FOP: return f->fop;
    default: return f->mxcsr;
    }
}

static u64 with_half(u64 old, bool high, u64 value)
{
    return high ? (u32)old | value << 32 : (old >> 32 << 32) | value;
}

static bool set_floating_reg(struct cpu *c, enum debug_reg r, u64 value)
{
    static const u32 most[] = {0xffff,     0xffff,     0xffff, UINT32_MAX, UINT32_MAX,
                               UINT32_MAX, UINT32_MAX, 0x7ff,  MXCSR_MASK}; /* ORDER: DR_FCTRL on */
    struct fpu *f = &c->fpu;

    if (value > most[r - DR_FCTRL])
        return false;
    floating_to_memory(c);
    switch (r) {
    case DR_FCTRL: f->cw = (u16)value; break;
    case DR_FSTAT: f->sw = (u16)value; break;
    case DR_FTAG: fpu_set_tag_word(f, (u16)value); break;
    case DR_FISEG:
    case DR_FIOFF: f->fip = with_half(f->fip, r == DR_FISEG, value); break;
    case DR_FOSEG:
    case DR_FOOFF: f->fdp = with_half(f->fdp, r == DR_FOSEG, value); break;
    case DR_FOP: f->fop = (u16)value; break;
    default: f->mxcsr = (u32)value; break;
    }
    fpu_settle(c);
    return true;
}

/* ---- by number ---- */

u64 machine_reg(struct machine *m, enum debug_reg r)
{
    struct cpu *c = &machine_pc(m)->cpu;

    if (r <= DR_R15)
        return *gpr(c, r);
    if (r >= DR_CS && r <= DR_GS)
        return c->seg[segments[r - DR_CS]].sel;
    if (r >= DR_CS_BASE && r <= DR_GS_BASE)
        return c->seg[segments[r - DR_CS_BASE]].base;
    if (r >= DR_FCTRL && r <= DR_MXCSR)
        return floating_reg(c, r);
    switch (r) {
    case DR_RIP: return c->rip;
    case DR_EFLAGS: return cpu_flags(c);
    case DR_K_GS_BASE: return c->msr.kernel_gs_base;
    case DR_CR0: return c->cr0;
    case DR_CR2: return c->cr2;
    case DR_CR3: return c->cr3;
    case DR_CR4: return c->cr4;
    case DR_CR8: return c->cr8;
    case DR_EFER: return c->msr.efer;
    case DR_PC: return cpu_lin_rip(c);
    default: return 0;
    }
}

bool machine_set_reg(struct machine *m, enum debug_reg r, u64 value)
{
    struct cpu *c = &machine_pc(m)->cpu;
    bool code64 = (c->mode & MODE_CODE_MASK) == MODE_CODE64;

    if (!machine_may_change(m))
        return machine_reg(m, r) == value;
    if (r <= DR_R15) {
        *gpr(c, r) = value;
        return true;
    }
    if (r >= DR_CS && r <= DR_GS) {
        if (!mode_real(c->mode) || value > 0xffff)
            return c->seg[segments[r - DR_CS]].sel == value;
        seg_load_real(c, segments[r - DR_CS], (u16)value);
        cpu_update_mode(c);
        return true;
    }
    if (r == DR_RIP) {
        if (code64 ? !canonical(value) : value > UINT32_MAX)
            return false;
        c->rip = value;
        return true;
    }
    if (r == DR_EFLAGS) {
        u32 mask = F_C | F_P | F_A | F_Z | F_S | F_T | F_I | F_D | F_O | F_IOPL | F_NT | F_RF |
                   F_AC | F_ID;

        cpu_set_flags(c, (cpu_flags(c) & ~mask) | ((u32)value & mask));
        return true;
    }
    if (r >= DR_FCTRL && r <= DR_MXCSR)
        return set_floating_reg(c, r, value);
    return machine_reg(m, r) == value;
}

void machine_wide_reg(struct machine *m, enum debug_reg r, u64 value[2])
{
    struct cpu *c = &machine_pc(m)->cpu;

    if (r < DR_ST0) {
        value[0] = machine_reg(m, r);
        value[1] = 0;
        return;
    }
    floating_to_memory(c);
    if (r < DR_XMM0) {
        const struct st *s = fpu_st(&c->fpu, r - DR_ST0);

        value[0] = s->mant;
        value[1] = s->exp;
    } else {
        memcpy(value, c->fpu.xmm[r - DR_XMM0].q, 16);
    }
}

bool machine_set_wide_reg(struct machine *m, enum debug_reg r, const u64 value[2])
{
    struct cpu *c = &machine_pc(m)->cpu;
    u64 old[2];

    if (r < DR_ST0)
        return machine_set_reg(m, r, value[0]);
    machine_wide_reg(m, r, old);
    if (!machine_may_change(m))
        return !memcmp(old, value, sizeof(old));
    if (r < DR_XMM0)
        *fpu_st(&c->fpu, r - DR_ST0) = (struct st){value[0], (u16)value[1]};
    else
        memcpy(c->fpu.xmm[r - DR_XMM0].q, value, 16);
    return true;
}

/* ---- by name ---- */

/* "eax", "ax", "al", "ah", "r8d", "eip", "sp": the parts of a register. */
static bool part_by_name(struct machine *m, const char *name, size_t len, u64 *value)
{
    static const char low[] = "abcd";
    const char *letter = len == 2 ? strchr(low, name[0] | 0x20) : NULL;
    char full[8];

    if (len == 2 && letter && *letter && strchr("lhLH", name[1])) {
        enum debug_reg r = (enum debug_reg)(DR_RAX + (letter - low));

        *value = machine_reg(m, r) >> ((name[1] | 0x20) == 'h' ? 8 : 0) & 0xff;
        return true;
    }
    for (int r = DR_RAX; r <= DR_RIP; r++) {
        const char *n = debug_reg_names[r];
        size_t n_len = strlen(n);

        if (r >= DR_R8 && r <= DR_R15) {
            static const char suffix[] = "dwb";
            const char *s;

            if (len != n_len + 1 || strncasecmp(n, name, n_len) ||
                !(s = strchr(suffix, name[len - 1] | 0x20)) || !*s)
                continue;
            *value = machine_reg(m, (enum debug_reg)r) & (*s == 'd'   ? 0xffffffff
                                                          : *s == 'w' ? 0xffff
                                                                      : 0xff);
            return true;
        }
        snprintf(full, sizeof(full), "e%s", n + 1);
        if (len == n_len && !strncasecmp(full, name, len)) {
            *value = (u32)machine_reg(m, (enum debug_reg)r);
            return true;
        }
        if (len == n_len - 1 && !strncasecmp(n + 1, name, len)) {
            *value = (u16)machine_reg(m, (enum debug_reg)r);
            return true;
        }
    }
    return false;
}

bool machine_reg_by_name(struct machine *m, const char *name, size_t len, u64 *value)
{
    for (int r = 0; r < NR_DEBUG_REGS; r++)
        if (strlen(debug_reg_names[r]) == len && !strncasecmp(debug_reg_names[r], name, len)) {
            *value = machine_reg(m, (enum debug_reg)r);
            return true;
        }
    return part_by_name(m, name, len, value);
}

unsigned machine_code_bits(struct machine *m)
{
    return 8 * code_size(machine_pc(m)->cpu.mode);
}
