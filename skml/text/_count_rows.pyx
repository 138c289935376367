# cython: language_level=3, boundscheck=False, wraparound=False, initializedcheck=False
# cython: cdivision=True
"""Rows of a sparse matrix: counts in the order of their columns, and their weights."""

from cython cimport floating, integral
from libc.math cimport fabs, sqrt
from libc.stdint cimport int32_t, int64_t, uint32_t, uint64_t
from libc.stdlib cimport free, malloc
from libc.string cimport memset

cdef enum:
    # An entry is 32 bits of a column, a row among those that are sorted together, and
    # a count; or a column and 32 bits of a count, where there is one row.
    ROW_BITS = 12
    COUNT_BITS = 20
    BLOCK = 1 << 13  # about so many entries at a time stay in the cache
    MOST_DIGIT_BITS = 11

_NORMS = {None: 0, "l1": 1, "l2": 2}


cdef class RowSorter:
    """Memory to sort the counts of documents by columns."""

    def __dealloc__(self):
        free(self.entries)
        free(self.others)
        free(self.heads)

    cdef int prepare(self, int64_t widest, int64_t n_columns) except -1 nogil:
        """Memory for rows up to the widest; once only."""
        cdef int n_bits = 1
        cdef int64_t n = max(widest, BLOCK)
        while n_columns > <int64_t>1 << n_bits:
            n_bits += 1
        self.n_digits = (n_bits + MOST_DIGIT_BITS - 1) // MOST_DIGIT_BITS
        self.digit_bits = (n_bits + self.n_digits - 1) // self.n_digits
        self.entries = <uint64_t *>malloc(n * sizeof(uint64_t))
        self.others = <uint64_t *>malloc(n * sizeof(uint64_t))
        self.heads = <uint32_t *>malloc(
            (self.n_digits << self.digit_bits) * sizeof(uint32_t)
        )
        if self.entries == NULL or self.others == NULL or self.heads == NULL:
            with gil:
                raise MemoryError("no memory for the rows")
        return 0

    cdef void sort_rows(
        self,
        const Count *counts,
        const int64_t *ends,
        int64_t n_rows,
        int32_t *columns,
        void *values,
        bint is_double,
    ) noexcept nogil:
        """Sort the counts of each row by what they count, which is a column.

        Row i is from ends[i] to ends[i + 1], here and there, less ends[0].
        """
        cdef int64_t first = 0, last, i, n, place, offset = ends[0]
        cdef int64_t heads[1 << ROW_BITS]
        cdef uint64_t *entries
        cdef uint32_t count
        while first < n_rows:
            last = first + 1
            while last < n_rows and (
                ends[last + 1] - ends[first] <= BLOCK and last - first < 1 << ROW_BITS
            ):
                last += 1
            n = self.gather(counts + ends[first] - offset, ends + first, last - first)
            if n < 0:
                last = first + 1
                n = self.gather(counts + ends[first] - offset, ends + first, 1)
            entries = self.sort(n)
            for i in range(last - first):
                heads[i] = ends[first + i] - offset
            for i in range(n):
                count = <uint32_t>entries[i]
                if last > first + 1:
                    place = heads[count >> COUNT_BITS]
                    heads[count >> COUNT_BITS] = place + 1
                    count &= (1 << COUNT_BITS) - 1
                else:
                    place = heads[0] + i
                columns[place] = <int32_t>(entries[i] >> 32)
                if is_double:
                    (<double *>values)[place] = count
                else:
                    (<float *>values)[place] = count
            first = last

    cdef int64_t gather(
        self, const Count *counts, const int64_t *ends, int64_t n_rows
    ) noexcept nogil:
        """Entries of rows, and how many have each digit; -1 if a count is too large."""
        cdef int64_t row, i, n = 0
        cdef int d, shift
        cdef uint32_t column, count, largest = 0
        cdef uint32_t mask = (1 << self.digit_bits) - 1
        memset(self.heads, 0, (self.n_digits << self.digit_bits) * sizeof(uint32_t))
        for row in range(n_rows):
            for i in range(ends[row + 1] - ends[row]):
                column, count = counts[n].term, counts[n].count
                largest |= count
                self.entries[n] = (
                    <uint64_t>column << 32 | <uint64_t>row << COUNT_BITS | count
                )
                for d in range(self.n_digits):
                    shift = d * self.digit_bits
                    self.heads[(d << self.digit_bits) + (column >> shift & mask)] += 1
                n += 1
        return -1 if n_rows > 1 and largest >> COUNT_BITS else n

    cdef uint64_t *sort(self, int64_t n) noexcept nogil:
        """Sort what was gathered, digit by digit; return where it is."""
        cdef uint64_t *entries = self.entries
        cdef uint64_t *others = self.others
        cdef uint32_t *heads
        cdef uint64_t entry
        cdef int64_t i
        cdef int d, shift
        cdef uint32_t head, size, mask = (1 << self.digit_bits) - 1
        for d in range(self.n_digits):
            heads, head = self.heads + (d << self.digit_bits), 0
            for i in range(1 << self.digit_bits):
                size, heads[i] = heads[i], head
                head += size
            shift = 32 + d * self.digit_bits
            for i in range(n):
                entry = entries[i]
                head = heads[entry >> shift & mask]
                heads[entry >> shift & mask] = head + 1
                others[head] = entry
            entries, others = others, entries
        return entries


def weigh_rows(
    floating[::1] values,
    const integral[::1] columns,
    const int64_t[::1] ends,
    const floating[::1] weights,
    norm,
):
    """Multiply each value by the weight of its column, and divide rows by their norm.

    The order of all operations is that of scikit-learn, so that results are the same.

    Parameters
    ----------
    values : ndarray of shape (n_values,)
        Overwritten.
    columns : ndarray of shape (n_values,)
        The column of each value.
    ends : ndarray of shape (n_rows + 1,), dtype int64
        Where each row begins, and the last one ends.
    weights : ndarray of shape (n_columns,) or None
        The weight of each column; None is 1.
    norm : {"l1", "l2", None}
        The norm that each row has in the end.

    Returns
    -------
    n_zeros : int
        How many values became 0.
    """
    cdef int64_t i, j, n_zeros = 0, n_zeros_of_row, n_rows = ends.shape[0] - 1
    cdef int64_t n_columns = 0 if weights is None else weights.shape[0]
    cdef bint is_weighted = weights is not None
    cdef int which = _NORMS[norm]
    cdef floating value
    cdef double total
    for i in range(n_rows):
        if not 0 <= ends[i] <= ends[i + 1] <= min(values.shape[0], columns.shape[0]):
            raise ValueError(f"row {i} ends before it begins, or beyond all values")
    with nogil:
        for i in range(n_rows):
            total, n_zeros_of_row = 0, 0
            for j in range(ends[i], ends[i + 1]):
                value = values[j]
                if is_weighted:
                    if not 0 <= columns[j] < n_columns:
                        with gil:
                            raise IndexError(f"row {i} has no column {columns[j]}")
                    value = value * weights[columns[j]]
                    values[j] = value
                n_zeros_of_row += value == 0
                total += fabs(value) if which == 1 else value * value
            if which and total != 0:
                n_zeros_of_row = 0
                if which == 2:
                    total = sqrt(total)
                for j in range(ends[i], ends[i + 1]):
                    value = <floating>(values[j] / total)
                    values[j] = value
                    n_zeros_of_row += value == 0
            n_zeros += n_zeros_of_row
    return n_zeros
