/* User memory: the checks around mm/user.S. An address is a user's if it lies below USER_END; what
 * is there, if anything, the page fault finds out. */
#include "guestos/mm/user.h"
#include "guestos/abi/errno.h"
#include "guestos/mm/vm.h"

/* user.S */
int user_copy(void *to, const void *from, size_t len_bytes);
int user_clear(void *to, size_t len_bytes);
long user_string(char *to, const char *from, size_t size);
int user_cmpxchg(u32 *at, u32 expected, u32 new_value, u32 *old);

bool user_range_ok(u64 begin, u64 len_bytes)
{
    return begin <= USER_END && len_bytes <= USER_END - begin;
}

int copy_from_user(void *to, u64 from, size_t len_bytes)
{
    return user_range_ok(from, len_bytes) ? user_copy(to, (const void *)from, len_bytes) : -EFAULT;
}

int copy_to_user(u64 to, const void *from, size_t len_bytes)
{
    return user_range_ok(to, len_bytes) ? user_copy((void *)to, from, len_bytes) : -EFAULT;
}

int clear_user(u64 to, size_t len_bytes)
{
    return user_range_ok(to, len_bytes) ? user_clear((void *)to, len_bytes) : -EFAULT;
}

long string_from_user(char *to, u64 from, size_t size)
{
    if (from >= USER_END) {
        return -EFAULT;
    }
    u64 room = USER_END - from;
    long len = user_string(to, (const char *)from, MIN(size, room));

    return len == -ENAMETOOLONG && room < size ? -EFAULT : len;
}

int user_compare_exchange(u64 at, u32 expected, u32 new_value, u32 *old)
{
    if (!user_range_ok(at, sizeof expected) || at % sizeof expected != 0) {
        return -EFAULT;
    }
    return user_cmpxchg((u32 *)at, expected, new_value, old);
}
