# cython: language_level=3, boundscheck=False, wraparound=False, initializedcheck=False
# cython: cdivision=True
"""How often each term is in each document, and in how many; and rows of a matrix."""

from cython cimport floating
from libc.stdint cimport int32_t, int64_t, uint32_t
from libc.stdlib cimport free, realloc
from libc.string cimport memset

import numpy as np

from skml.text._count_rows cimport Count, RowSorter
from skml.text._terms cimport AHEAD, Terms, grow, prefetch

cdef extern from "_pages.h" nogil:
    void *map_zeros(size_t size)
    void unmap_zeros(void *memory, size_t size)

# Counts of a document.
cdef int64_t MOST = <int64_t>1 << 32

cdef enum:
    MAPPED = 1 << 22  # counts whose memory any allocator maps


cdef class TermCounts:
    """Counts of terms, document by document.

    Parameters
    ----------
    terms : Terms
        The terms.

    Attributes
    ----------
    n : int
        The number of counts.
    """

    def __cinit__(self, Terms terms not None):
        self.terms = terms

    def __dealloc__(self):
        free(self.counts)
        if self.are_mapped:
            unmap_zeros(self.places, self.places_capacity * sizeof(Place))
        else:
            free(self.places)

    cdef int reserve(self, int64_t n) except -1 nogil:
        """Memory for some counts more."""
        cdef int64_t needed = self.n + n
        if needed - self.begin >= MOST:
            with gil:
                raise OverflowError("a document has more than 2**32 n-grams")
        # What is mapped grows without a copy, and costs nothing before it is used.
        if needed > MAPPED // 16 and self.capacity < MAPPED:
            needed = max(needed, MAPPED)
        self.counts = <Count *>grow(self.counts, &self.capacity, needed, sizeof(Count))
        return 0

    cdef int reserve_places(self) except -1 nogil:
        """Memory for the places of all terms."""
        cdef int64_t n = self.places_capacity
        if self.terms.n_terms <= n:
            return 0
        if n == 0 and self.terms.is_closed:
            # There will be no more, and of many terms few may be found.
            self.places = <Place *>map_zeros(self.terms.n_terms * sizeof(Place))
            if self.places == NULL:
                with gil:
                    raise MemoryError("no memory for the terms")
            self.places_capacity, self.are_mapped = self.terms.n_terms, True
            return 0
        self.places = <Place *>grow(
            self.places, &self.places_capacity, self.terms.n_terms, sizeof(Place)
        )
        memset(self.places + n, 0, (self.places_capacity - n) * sizeof(Place))
        return 0

    cdef int count_terms(self, const int32_t *terms, int64_t n) except -1 nogil:
        """Count terms of the document, but for -1, which is an unknown one."""
        cdef int64_t i, n_counts
        cdef Place *known
        cdef Count *counts
        self.reserve(n)
        self.reserve_places()
        counts, n_counts = self.counts + self.begin, self.n - self.begin
        for i in range(n):
            if i + AHEAD < n and terms[i + AHEAD] >= 0:
                prefetch(&self.places[terms[i + AHEAD]])
            if terms[i] < 0:
                continue
            known = &self.places[terms[i]]
            # A place is right if the term is there: it may be one in another document.
            if known.place < n_counts and counts[known.place].term == terms[i]:
                counts[known.place].count += 1
                continue
            known.place = <uint32_t>n_counts
            known.n_documents += 1
            counts[n_counts].term, counts[n_counts].count = terms[i], 1
            n_counts += 1
        self.n = self.begin + n_counts
        return 0

    def clear(self):
        """Forget all counts, and in how many documents terms are."""
        self.n = self.begin = 0
        if self.places_capacity:
            memset(self.places, 0, self.places_capacity * sizeof(Place))

    def take_tokens(self):
        """The terms of all counts; -1 of an unknown one. They are forgotten.

        Where a counter keeps tokens in order, these are all tokens.

        Returns
        -------
        tokens : ndarray of shape (n,), dtype int32
        """
        cdef int64_t i
        tokens = np.empty(self.n, dtype=np.int32)
        cdef int32_t[::1] token = tokens
        for i in range(self.n):
            token[i] = self.counts[i].term
        self.n = 0
        return tokens

    def add_document_frequencies(self, const int32_t[::1] renamed, int64_t[::1] to):
        """Add in how many documents each term is.

        Parameters
        ----------
        renamed : ndarray of shape (n_terms,), dtype int32, or None
            Where each term is in `to`, an ndarray of dtype int64; None is at its number.
        """
        cdef int64_t t, node
        with nogil:
            for t in range(min(self.terms.n_terms, self.places_capacity)):
                node = t if renamed is None else renamed[t]
                to[node] += self.places[t].n_documents

    def add_frequencies(self, const int32_t[::1] renamed, int64_t[::1] to):
        """Add how often each term is in all documents together, in the same way."""
        cdef int64_t i, node
        with nogil:
            for i in range(self.n):
                node = self.counts[i].term
                if renamed is not None:
                    node = renamed[node]
                to[node] += self.counts[i].count

    def take_columns(self, const int64_t[::1] ends, const int32_t[::1] columns):
        """Have counts say the column that they stand in, not the term; only once.

        Parameters
        ----------
        ends : ndarray of shape (n_documents,), dtype int64
            Where the counts of each document end.
        columns : ndarray of shape (n_terms,), dtype int32
            The column of each term; -1 leaves it out.

        Returns
        -------
        ends : ndarray of shape (n_documents + 1,), dtype int64
            0, and where the counts of each document end now.
        """
        cdef int64_t i, j, first = 0, n = 0
        cdef int32_t column
        kept = np.zeros(ends.shape[0] + 1, dtype=np.int64)
        cdef int64_t[::1] end = kept
        if columns.shape[0] < self.terms.n_terms:
            raise ValueError(f"{columns.shape[0]} columns of {self.terms.n_terms} terms")
        with nogil:
            for i in range(ends.shape[0]):
                for j in range(first, ends[i]):
                    if j + AHEAD < self.n:
                        prefetch(&columns[self.counts[j + AHEAD].term])
                    column = columns[self.counts[j].term]
                    self.counts[n].term = column
                    self.counts[n].count = self.counts[j].count
                    n += column >= 0
                first, end[i + 1] = ends[i], n
        self.n = n
        return kept

    def write_rows(
        self,
        const int64_t[::1] ends,
        int64_t n_columns,
        int32_t[::1] columns,
        floating[::1] values,
    ):
        """Write counts of documents as rows of a sparse matrix, in order of columns.

        Parameters
        ----------
        ends : ndarray of shape (n_documents + 1,), dtype int64
            Some that follow each other of those that `take_columns` gave.
        n_columns : int
            The number of columns.
        columns, values : ndarray of shape (n_values,), dtype int32 and any float
            Where to write.
        """
        cdef int64_t i, widest = 0, n_rows = ends.shape[0] - 1
        cdef int64_t n = ends[n_rows] - ends[0]
        cdef RowSorter sorter = RowSorter()
        if not n == columns.shape[0] == values.shape[0]:
            raise ValueError(f"{n} counts for {columns.shape[0]} values")
        if n == 0:
            return
        with nogil:
            for i in range(n_rows):
                widest = max(widest, ends[i + 1] - ends[i])
            sorter.prepare(widest, n_columns)
            sorter.sort_rows(
                self.counts + ends[0],
                &ends[0],
                n_rows,
                &columns[0],
                &values[0],
                floating is double,
            )

    def forget(self, int64_t n_kept=0):
        """Give back the memory of the counts, but for the first ones."""
        cdef void *kept
        self.n = min(max(n_kept, 0), self.n)
        if self.n == 0:
            free(self.counts)
            self.counts, self.capacity = NULL, 0
            return
        kept = realloc(self.counts, self.n * sizeof(Count))
        if kept != NULL:
            self.counts, self.capacity = <Count *>kept, self.n
