/* See fpu.h. Areas are kept in the standard (not compacted) form, which signal frames show too. */
#include "guestos/kernel/fpu.h"
#include "guestos/kernel/string.h"
#include "guestos/kernel/x86.h"
#include "guestos/mm/slab.h"

#define FXSAVE_BYTES   512u
#define XSAVE_HEADER   64u
#define MXCSR_OFFSET   24u
#define MXCSR_MASK     28u
#define XSTATE_BV      512u /* of the header: which components are not in their initial state */
#define XCOMP_BV       520u
#define CPUID1_XSAVE   (1u << 26)
#define CPUID1_OSXSAVE (1u << 27)
#define CR0_MP         (1ul << 1)
#define CR0_EM         (1ul << 2)
#define CR0_TS         (1ul << 3)
#define CR0_NE         (1ul << 5)
#define CR4_OSFXSR     (1ul << 9)
#define CR4_OSXMMEXCPT (1ul << 10)
#define CR4_OSXSAVE    (1ul << 18)
#define XCR0_SUPPORTED 7ul /* x87, SSE, AVX */

#define ALIGN 64u

static u64 xcr0;
static u32 area_bytes = FXSAVE_BYTES;
static u32 mxcsr_mask = 0xFFBF;
static u8 initial[FXSAVE_BYTES] __attribute__((aligned(64)));

void fpu_init(void)
{
    u32 default_mxcsr = 0x1F80;

    write_cr0((read_cr0() & ~(CR0_EM | CR0_TS)) | CR0_MP | CR0_NE);
    write_cr4(read_cr4() | CR4_OSFXSR | CR4_OSXMMEXCPT);
    if (cpuid(1, 0).ecx & CPUID1_XSAVE) {
        struct cpuid_regs r;
        write_cr4(read_cr4() | CR4_OSXSAVE);
        r = cpuid(0xD, 0);
        xcr0 = (r.eax | (u64)r.edx << 32) & XCR0_SUPPORTED;
        __asm__ volatile("xsetbv" : : "a"((u32)xcr0), "d"((u32)(xcr0 >> 32)), "c"(0));
        area_bytes = cpuid(0xD, 0).ebx; /* for what XCR0 says now */
    }
    __asm__ volatile("fninit; ldmxcsr %0" : : "m"(default_mxcsr));
    __asm__ volatile("fxsave64 %0" : "=m"(initial));
    memset(initial + 160, 0, 256); /* XMM registers hold what the firmware left */
    memset(initial + 32, 0, 128);  /* as do x87's */
    u32 mask;
    memcpy(&mask, initial + MXCSR_MASK, sizeof mask);
    if (mask) {
        mxcsr_mask = mask;
    }
}

u32 fpu_bytes(void)
{
    return area_bytes;
}

u64 fpu_components(void)
{
    return xcr0;
}

void fpu_reset(void *area)
{
    memset(area, 0, area_bytes);
    memcpy(area, initial, FXSAVE_BYTES);
}

/* kmalloc() aligns what has 64 bytes and more to 64. */
void *fpu_alloc(void)
{
    void *area = kmalloc(ROUND_UP(area_bytes, ALIGN));

    if (area) {
        fpu_reset(area);
    }
    return area;
}

void fpu_free(void *area)
{
    kfree(area);
}

void fpu_save(void *area)
{
    if (xcr0) {
        __asm__ volatile("xsave64 (%0)" : : "r"(area), "a"(~0u), "d"(~0u) : "memory");
    } else {
        __asm__ volatile("fxsave64 (%0)" : : "r"(area) : "memory");
    }
}

void fpu_load(const void *area)
{
    if (xcr0) {
        __asm__ volatile("xrstor64 (%0)" : : "r"(area), "a"(~0u), "d"(~0u) : "memory");
    } else {
        __asm__ volatile("fxrstor64 (%0)" : : "r"(area) : "memory");
    }
}

u32 fpu_x87_exceptions(void)
{
    u16 control, status;

    __asm__ volatile("fnstcw %0; fnstsw %1" : "=m"(control), "=m"(status));
    return status & ~control & 0x3F;
}

u32 fpu_sse_exceptions(void)
{
    u32 mxcsr;

    __asm__ volatile("stmxcsr %0" : "=m"(mxcsr));
    return mxcsr & ~(mxcsr >> 7) & 0x3F;
}

bool fpu_sanitize(void *area)
{
    u32 mxcsr;
    u64 header[XSAVE_HEADER / 8];
    u8 *bytes = area;

    memcpy(&mxcsr, bytes + MXCSR_OFFSET, sizeof mxcsr);
    if (mxcsr & ~mxcsr_mask) {
        return false; /* reserved bits: FXRSTOR would give #GP */
    }
    if (xcr0) {
        memcpy(header, bytes + XSTATE_BV, sizeof header);
        header[0] &= xcr0;
        memset(header + 1, 0, sizeof header - sizeof header[0]); /* XCOMP_BV, reserved */
        memcpy(bytes + XSTATE_BV, header, sizeof header);
    }
    return true;
}
