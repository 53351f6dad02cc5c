/* Writing into an address space that is not, or not yet, the current one: execve's stack. */
#include "guestos/kernel/string.h"
#include "guestos/mm/frames.h"
#include "guestos/mm/layout.h"
#include "guestos/mm/vm.h"

int vm_write(struct vm *vm, u64 lin, const void *from, size_t len)
{
    const u8 *bytes = from;

    while (len) {
        struct page *page;
        size_t at = lin % PAGE_BYTES;
        size_t part = MIN(len, PAGE_BYTES - at);
        int error = vm_page(vm, lin, VM_WRITE, &page);
        if (error) {
            return error;
        }
        memcpy((u8 *)page_data(page) + at, bytes, part);
        page_put(page);
        lin += part;
        bytes += part;
        len -= part;
    }
    return 0;
}
