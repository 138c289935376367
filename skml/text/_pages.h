/* Pages of memory for large tables: large ones, and ones that cost nothing. */

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#if defined(__linux__)
#include <sys/mman.h>
#endif

/* Ask for large pages. They are taken when they are touched; not asking is as right. */
static inline void
use_large_pages(void *memory, size_t size)
{
#if defined(__linux__) && defined(MADV_HUGEPAGE)
    const uintptr_t page = 1 << 21;
    uintptr_t begin = ((uintptr_t)memory + page - 1) & ~(page - 1);
    uintptr_t end = ((uintptr_t)memory + size) & ~(page - 1);
    if (memory != NULL && begin < end)
        (void)madvise((void *)begin, end - begin, MADV_HUGEPAGE);
#else
    (void)memory;
    (void)size;
#endif
}

/* Zeros, of which only those cost time that are touched; NULL if there is no memory.
   calloc would clear all of them where it takes memory that was used before. */
static inline void *
map_zeros(size_t size)
{
#if defined(__linux__)
    void *memory = mmap(NULL, size, PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    return memory == MAP_FAILED ? NULL : memory;
#else
    return calloc(size, 1);
#endif
}

static inline void
unmap_zeros(void *memory, size_t size)
{
#if defined(__linux__)
    if (memory != NULL)
        (void)munmap(memory, size);
#else
    (void)size;
    free(memory);
#endif
}
