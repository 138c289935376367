# cython: language_level=3
from libc.stdint cimport int32_t, int64_t, uint32_t, uint64_t


cdef struct Count:
    int32_t term, count


cdef class RowSorter:
    cdef uint64_t *entries
    cdef uint64_t *others
    cdef uint32_t *heads  # of the buckets of each digit
    cdef int n_digits, digit_bits

    cdef int prepare(self, int64_t widest, int64_t n_columns) except -1 nogil
    cdef void sort_rows(
        self,
        const Count *counts,
        const int64_t *ends,
        int64_t n_rows,
        int32_t *columns,
        void *values,
        bint is_double,
    ) noexcept nogil
    cdef int64_t gather(
        self, const Count *counts, const int64_t *ends, int64_t n_rows
    ) noexcept nogil
    cdef uint64_t *sort(self, int64_t n) noexcept nogil
