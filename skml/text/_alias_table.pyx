# cython: language_level=3, boundscheck=False, wraparound=False, initializedcheck=False
"""A table to draw from a discrete distribution (Vose 1991)."""

from libc.stdint cimport int64_t, uint64_t

import numpy as np

cdef double ONE = <double>(<uint64_t>1 << 32)


def fill_alias_table(double[::1] heights):
    """Make the table that `alias_table` describes.

    Parameters
    ----------
    heights : ndarray of shape (n,), dtype float64
        The probabilities times n; overwritten.

    Returns
    -------
    table : ndarray of shape (n,), dtype uint64
    """
    cdef int64_t i, n = heights.shape[0], n_low = 0, n_high = 0, short, tall
    table = np.empty(n, dtype=np.uint64)
    cdef uint64_t[::1] entry = table
    # Positions that are lower than one, and the others.
    cdef int64_t[::1] low = np.empty(n, dtype=np.int64)
    cdef int64_t[::1] high = np.empty(n, dtype=np.int64)
    with nogil:
        for i in range(n):
            entry[i] = <uint64_t>(ONE - 1) << 32 | <uint64_t>i
            if heights[i] < 1:
                low[n_low] = i
                n_low += 1
            else:
                high[n_high] = i
                n_high += 1
        while n_low and n_high:
            n_low -= 1
            short, tall = low[n_low], high[n_high - 1]
            entry[short] = (
                <uint64_t>min(heights[short] * ONE, ONE - 1) << 32 | <uint64_t>tall
            )
            heights[tall] -= 1 - heights[short]
            if heights[tall] < 1:
                n_high -= 1
                low[n_low] = tall
                n_low += 1
    return table
