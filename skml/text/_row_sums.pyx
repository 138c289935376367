# cython: language_level=3, boundscheck=False, wraparound=False, initializedcheck=False
"""Weighted sums of rows of a matrix: a sparse matrix times a dense one."""

from libc.stdint cimport int32_t, int64_t


cdef extern from "_row_sums.h" nogil:
    ctypedef void (*skml_row_sums)(
        const float *, const int32_t *, ptrdiff_t, ptrdiff_t, const float *, ptrdiff_t,
        float *
    ) noexcept
    skml_row_sums skml_choose_row_sums(int)


def add_rows(
    const float[::1] weights,  # IN
    const int32_t[::1] rows,  # IN
    const int64_t[::1] ends,  # IN
    const float[:, ::1] matrix,  # IN
    const float[::1] scales,  # IN
    float[:, ::1] sums,  # IN OUT
    int64_t first,
    int64_t last,
    *,
    bint wide=True,
):
    """Add to some of the sums, from `first` on and before `last`, their rows.

    Those of sum i are ``rows[ends[i]:ends[i + 1]]``, with a weight each, and the sum is
    multiplied by its scale. The rows are trusted to be in the matrix.
    """
    cdef skml_row_sums add = skml_choose_row_sums(wide)
    cdef int64_t i, k, start, stop = rows.shape[0]
    cdef int64_t width = matrix.shape[1]
    if first >= last or stop == 0:
        return
    with nogil:
        for i in range(first, last):
            start = ends[i]
            add(
                &weights[start], &rows[start], ends[i + 1] - start, stop - start,
                &matrix[0, 0], width, &sums[i, 0],
            )
            for k in range(width):
                sums[i, k] *= scales[i]
