# cython: language_level=3
from libc.stdint cimport int32_t, int64_t, uint32_t

from skml.text._count_rows cimport Count
from skml.text._terms cimport Terms


cdef struct Place:
    uint32_t place  # of a term's count in the last document that has it
    uint32_t n_documents  # that have it


cdef class TermCounts:
    cdef Terms terms
    cdef Count *counts
    cdef Place *places  # of each term
    cdef bint are_mapped
    cdef readonly int64_t n
    cdef int64_t capacity, places_capacity
    cdef int64_t begin  # of the document that is counted

    cdef int reserve(self, int64_t n) except -1 nogil
    cdef int reserve_places(self) except -1 nogil
    cdef int count_terms(self, const int32_t *terms, int64_t n) except -1 nogil
