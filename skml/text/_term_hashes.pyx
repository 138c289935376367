# cython: language_level=3, boundscheck=False, wraparound=False, initializedcheck=False
# cython: cdivision=True
"""Hashes of terms: MurmurHash3 (A. Appleby), 32 bits, as scikit-learn hashes them."""

from cython cimport floating
from libc.stdint cimport int32_t, int64_t, uint8_t, uint32_t

import numpy as np


cdef inline uint32_t rotate(uint32_t value, int by) noexcept nogil:
    return value << by | value >> (32 - by)


cdef inline uint32_t scramble(uint32_t block) noexcept nogil:
    return rotate(block * <uint32_t>0xCC9E2D51, 15) * <uint32_t>0x1B873593


cdef uint32_t murmur(const uint8_t *text, int64_t size) noexcept nogil:
    """MurmurHash3_x86_32 of some bytes, with the seed 0."""
    cdef uint32_t state = 0, block = 0
    cdef int64_t i, n_blocks = size // 4
    for i in range(n_blocks):
        block = (
            text[4 * i]
            | <uint32_t>text[4 * i + 1] << 8
            | <uint32_t>text[4 * i + 2] << 16
            | <uint32_t>text[4 * i + 3] << 24
        )
        state = rotate(state ^ scramble(block), 13) * 5 + <uint32_t>0xE6546B64
    block = 0
    for i in range(size - 1, 4 * n_blocks - 1, -1):
        block = block << 8 | text[i]
    if size & 3:
        state ^= scramble(block)
    state ^= <uint32_t>size
    state = (state ^ state >> 16) * <uint32_t>0x85EBCA6B
    state = (state ^ state >> 13) * <uint32_t>0xC2B2AE35
    return state ^ state >> 16


def hash_columns(
    const uint8_t[::1] spelling, const int64_t[::1] ends, int64_t n_features
):
    """Twice the column of each term, and one more if its sign is negative.

    Parameters
    ----------
    spelling : ndarray of shape (n_bytes,), dtype uint8
        The terms in UTF-8, one behind the other.
    ends : ndarray of shape (n_terms + 1,), dtype int64
        0, and where each of them ends.
    n_features : int
        The number of columns, at most 2**30.

    Returns
    -------
    columns : ndarray of shape (n_terms,), dtype int32
    """
    cdef int64_t i, magnitude, n = ends.shape[0] - 1
    cdef const uint8_t *text = &spelling[0] if spelling.shape[0] else NULL
    cdef int32_t value
    columns = np.empty(n, dtype=np.int32)
    cdef int32_t[::1] column = columns
    if not 1 <= n_features <= 1 << 30:
        raise ValueError(f"n_features is {n_features}")
    with nogil:
        for i in range(n):
            value = <int32_t>murmur(text + ends[i], ends[i + 1] - ends[i])
            # The absolute value of the least one has 32 bits, which wrap around there:
            # (2**31 - 1 - (n_features - 1)) modulo n_features is 2**31 modulo it.
            magnitude = -<int64_t>value if value < 0 else value
            column[i] = <int32_t>(2 * (magnitude % n_features) + (value < 0))
    return columns


def take_signs(int32_t[::1] columns, floating[::1] values):
    """Halve columns as `hash_columns` gives them; odd ones negate their value."""
    cdef int64_t i, n = min(columns.shape[0], values.shape[0])
    cdef int32_t odd
    with nogil:
        for i in range(n):
            odd = columns[i] & 1
            columns[i] >>= 1
            values[i] = values[i] * (1 - 2 * odd)
