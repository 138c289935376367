/* Where words begin and end, 64 characters at a time. */

#include <stdint.h>
#include <string.h>

#include "../_processor.h"

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

#define SCAN 64 /* bytes that may be read behind the characters */

/* What each character becomes; 0, if it is no part of a word, and behind the end. */
static inline void
translate(const uint8_t *text, int64_t n, const uint8_t *letters, uint8_t *to)
{
    int64_t i;
    for (i = 0; i < n; i++)
        to[i] = letters[text[i]];
    memset(to + n, 0, SCAN);
}

/* A bit for each of 64 bytes, set where it is not 0. */
static inline uint64_t
member_mask(const uint8_t *bytes)
{
    uint64_t mask = 0;
    int i;
#if defined(__SSE2__)
    const __m128i zero = _mm_setzero_si128();
    for (i = 0; i < 4; i++) {
        __m128i part = _mm_loadu_si128((const __m128i *)(bytes + 16 * i));
        uint64_t zeros = (uint64_t)_mm_movemask_epi8(_mm_cmpeq_epi8(part, zero));
        mask |= zeros << 16 * i;
    }
    return ~mask;
#else
    for (i = 0; i < 64; i++)
        mask |= (uint64_t)(bytes[i] != 0) << i;
    return mask;
#endif
}

static inline int
lowest_bit(uint64_t mask)
{
    return __builtin_ctzll(mask);
}

/* Up to eight bytes as an integer, the first one in front; SCAN more can be read. */
static inline uint64_t
short_key(const uint8_t *bytes, int64_t size)
{
    uint64_t key = 0;
    int64_t i;
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
    memcpy(&key, bytes, 8);
    (void)i;
    return __builtin_bswap64(key) >> (64 - 8 * size);
#else
    for (i = 0; i < size; i++)
        key = key << 8 | bytes[i];
    return key;
#endif
}
