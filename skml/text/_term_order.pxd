# cython: language_level=3
from libc.stdint cimport int32_t, int64_t, uint8_t, uint64_t
from libc.string cimport memcmp

from skml.text._terms cimport Terms


cdef inline uint64_t first_bytes(const uint8_t *spelled, int64_t size) noexcept nogil:
    """Up to eight bytes as an integer that sorts as they do."""
    cdef uint64_t key = 0
    cdef int64_t i
    for i in range(min(size, 8)):
        key |= <uint64_t>spelled[i] << (56 - 8 * i)
    return key


cdef inline int compare(
    const uint8_t *spelled, int64_t size, const uint8_t *other, int64_t other_size
) noexcept nogil:
    cdef int sign = memcmp(spelled, other, min(size, other_size))
    return sign if sign else (size > other_size) - (size < other_size)


cdef int fail() except -1 nogil


cdef struct Entry:
    uint64_t key
    int64_t index


cdef class SortedTerms:
    cdef Terms terms
    cdef readonly object begins, ids, parents, lasts

    cdef int sort(self, int32_t[::1] level, Entry *entries, Entry *others) except -1
    cdef Entry *sort_symbols(
        self, const int32_t *ids, Entry *entries, Entry *others
    ) noexcept nogil
