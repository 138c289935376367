# cython: language_level=3, boundscheck=False, wraparound=False, initializedcheck=False
# cython: cdivision=True
"""The terms of one worker in the order of their spelling, level by level.

An n-gram is a child of the n-gram without its last symbol. Level by level, children are
sorted by their parent and their last symbol, so that no spelling is compared but that
of symbols.
"""

from libc.stdint cimport int32_t, int64_t, uint8_t, uint32_t, uint64_t
from libc.stdlib cimport free, malloc
from libc.string cimport memcpy, memset

import numpy as np

from skml.text._terms cimport Term, Terms

cdef enum:
    DIGIT = 11  # bits of a key by which entries are sorted at a time


cdef int fail() except -1 nogil:
    with gil:
        raise MemoryError("no memory for the order of terms")


cdef inline int bits_of(uint64_t value) noexcept nogil:
    cdef int n = 0
    while value:
        value >>= 1
        n += 1
    return n


cdef Entry *sort_entries(
    Entry *entries, Entry *others, int64_t n, int n_bits
) noexcept nogil:
    """Sort by the lowest bits of keys, stably; return which of the two it is in."""
    cdef int64_t heads[1 << DIGIT]
    cdef int64_t i, size, head
    cdef int shift = 0, digit
    cdef uint64_t mask = (1 << DIGIT) - 1
    while shift < n_bits:
        memset(heads, 0, sizeof(heads))
        for i in range(n):
            heads[entries[i].key >> shift & mask] += 1
        head = 0
        for digit in range(1 << DIGIT):
            size, heads[digit] = heads[digit], head
            head += size
        for i in range(n):
            digit = entries[i].key >> shift & mask
            others[heads[digit]] = entries[i]
            heads[digit] += 1
        entries, others = others, entries
        shift += DIGIT
    return entries


cdef void sort_ties(
    const uint8_t *spelling, const int64_t *starts, Entry *ties, Entry *others, int64_t n
) noexcept nogil:
    """Sort symbols by merging runs of them, that are twice as long each time."""
    cdef Entry *source = ties
    cdef Entry *target = others
    cdef int64_t width = 1, begin, middle, end = 0, left, right, i, a, b
    while width < n:
        end = 0
        while end < n:
            begin, middle = end, min(end + width, n)
            end = min(middle + width, n)
            left, right = begin, middle
            for i in range(begin, end):
                if left < middle and right < end:
                    a, b = source[left].index, source[right].index
                    if compare(
                        spelling + starts[a], starts[a + 1] - starts[a],
                        spelling + starts[b], starts[b + 1] - starts[b],
                    ) < 0:
                        target[i] = source[left]
                        left += 1
                    else:
                        target[i] = source[right]
                        right += 1
                elif left < middle:
                    target[i] = source[left]
                    left += 1
                else:
                    target[i] = source[right]
                    right += 1
        source, target = target, source
        width *= 2
    if source != ties:
        memcpy(ties, source, n * sizeof(Entry))


cdef class SortedTerms:
    """The terms of one worker, level by level: symbols, n-grams of two, and so on.

    Parameters
    ----------
    terms : Terms
        They may not change from now on.

    Attributes
    ----------
    begins : ndarray of shape (n_levels + 1,), dtype int64
        Where each level begins, and the last one ends.
    ids : ndarray of shape (n_terms,), dtype int32
        Which term each is.
    parents, lasts : ndarray of shape (n_terms,), dtype int32
        The rank of its parent in the level before, and of its last symbol.
    """

    def __init__(self, Terms terms):
        cdef int64_t n = terms.n_terms, t
        cdef Entry *entries = <Entry *>malloc((n + 1) * sizeof(Entry))
        cdef Entry *others = <Entry *>malloc((n + 1) * sizeof(Entry))
        self.terms = terms
        levels = np.empty(n, dtype=np.int32)
        cdef int32_t[::1] level = levels
        try:
            if entries == NULL or others == NULL:
                fail()
            with nogil:
                for t in range(n):
                    level[t] = 0
                    if terms.terms[t].prefix >= 0:
                        level[t] = level[terms.terms[t].prefix] + 1
            self.begins = np.concatenate([[0], np.cumsum(np.bincount(levels, minlength=1))])
            self.ids = np.empty(n, dtype=np.int32)
            self.parents = np.empty(n, dtype=np.int32)
            self.lasts = np.empty(n, dtype=np.int32)
            self.sort(level, entries, others)
        finally:
            free(entries)
            free(others)

    cdef int sort(self, int32_t[::1] level, Entry *entries, Entry *others) except -1:
        cdef int64_t n = self.terms.n_terms, t, i, first, last, l
        cdef int64_t n_levels = self.begins.shape[0] - 1
        cdef Term *terms = self.terms.terms
        cdef const int64_t[::1] begins = self.begins
        cdef int64_t[::1] heads = self.begins.copy()
        cdef int32_t[::1] ids = self.ids, parents = self.parents, lasts = self.lasts
        cdef int32_t[::1] rank = np.empty(n, dtype=np.int32)
        cdef Entry *found
        cdef uint64_t key
        cdef int symbol_bits = bits_of(self.terms.n_symbols)
        with nogil:
            for t in range(n):
                ids[heads[level[t]]] = <int32_t>t
                heads[level[t]] += 1
            for l in range(n_levels):
                first, last = begins[l], begins[l + 1]
                if l == 0:
                    found = self.sort_symbols(&ids[0], entries, others)
                else:
                    for i in range(first, last):
                        t = ids[i]
                        entries[i - first].index = t
                        entries[i - first].key = (
                            <uint64_t>rank[terms[t].prefix] << symbol_bits
                            | <uint64_t>rank[terms[t].last]
                        )
                    found = sort_entries(
                        entries,
                        others,
                        last - first,
                        symbol_bits + bits_of(first - begins[l - 1]),
                    )
                for i in range(first, last):
                    t, key = found[i - first].index, found[i - first].key
                    ids[i], rank[t] = <int32_t>t, <int32_t>(i - first)
                    parents[i], lasts[i] = -1, rank[t]
                    if l:
                        parents[i] = <int32_t>(key >> symbol_bits)
                        lasts[i] = <int32_t>(key & (<uint64_t>1 << symbol_bits) - 1)
        return 0

    cdef Entry *sort_symbols(
        self, const int32_t *ids, Entry *entries, Entry *others
    ) noexcept nogil:
        """Sort the terms that are symbols; the index of each is the term."""
        cdef int64_t n = self.terms.n_symbols, i, symbol, begin = 0, end
        cdef int64_t *starts = self.terms.starts
        cdef Entry *found
        for i in range(n):
            symbol = self.terms.terms[ids[i]].last
            entries[i].index = symbol
            entries[i].key = first_bytes(
                self.terms.spelling + starts[symbol], starts[symbol + 1] - starts[symbol]
            )
        found = sort_entries(entries, others, n, 64)
        if found != entries:
            entries, others = others, entries
        while begin < n:
            end = begin + 1
            while end < n and found[end].key == found[begin].key:
                end += 1
            if end > begin + 1:
                sort_ties(
                    self.terms.spelling, starts, found + begin, others, end - begin
                )
            begin = end
        for i in range(n):
            # Symbols have their numbers in the order of the terms that they are.
            found[i].index = ids[found[i].index]
        return found
