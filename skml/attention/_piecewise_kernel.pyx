# cython: language_level=3, boundscheck=False, wraparound=False, initializedcheck=False
"""A linear layer of piecewise-linear encodings; the loops are in `_piecewise_steps.h`."""

from cython cimport floating
from libc.stdint cimport int32_t


cdef extern from "_piecewise_steps.h" nogil:
    int skml_has_wide()
    void SKML_LOOK_UP_FLOAT(
        int, const float *, const float *, const int32_t *, const float *, ptrdiff_t,
        ptrdiff_t, ptrdiff_t, float *
    )
    void SKML_LOOK_UP_DOUBLE(
        int, const double *, const double *, const int32_t *, const double *, ptrdiff_t,
        ptrdiff_t, ptrdiff_t, double *
    )
    void SKML_GATHER_FLOAT(
        int, const float *, const int32_t *, const float *, ptrdiff_t, ptrdiff_t,
        ptrdiff_t, float *, float *
    )
    void SKML_GATHER_DOUBLE(
        int, const double *, const int32_t *, const double *, ptrdiff_t, ptrdiff_t,
        ptrdiff_t, double *, double *
    )


def has_wide():
    """Whether the processor has the instructions of the wide variant."""
    return bool(skml_has_wide())


def look_up(
    const floating[:, ::1] levels,  # IN  (n_bins, width)
    const floating[:, ::1] weights,  # IN  (n_bins, width)
    const int32_t[:, ::1] bins,  # IN  (n_rows, n_features)
    const floating[:, ::1] fractions,  # IN  (n_rows, n_features)
    floating[:, ::1] out,  # IN and OUT  (n_rows, width)
    bint wide,
):
    """Add to each row the levels of its bins, and the fractions of their weights."""
    cdef ptrdiff_t n_rows = bins.shape[0], n_features = bins.shape[1]
    cdef ptrdiff_t width = weights.shape[1]
    if n_rows == 0 or n_features == 0 or width == 0:
        return
    with nogil:
        if floating is float:
            SKML_LOOK_UP_FLOAT(
                wide, &levels[0, 0], &weights[0, 0], &bins[0, 0], &fractions[0, 0],
                n_rows, n_features, width, &out[0, 0]
            )
        else:
            SKML_LOOK_UP_DOUBLE(
                wide, &levels[0, 0], &weights[0, 0], &bins[0, 0], &fractions[0, 0],
                n_rows, n_features, width, &out[0, 0]
            )


def gather(
    const floating[:, ::1] gradient,  # IN  (n_rows, width)
    const int32_t[:, ::1] bins,  # IN  (n_rows, n_features)
    const floating[:, ::1] fractions,  # IN  (n_rows, n_features)
    floating[:, ::1] inside,  # IN and OUT  (n_bins, width)
    floating[:, ::1] shared,  # IN and OUT  (n_bins, width)
    bint wide,
):
    """Add up the gradients of the rows of each bin, and those times the fractions."""
    cdef ptrdiff_t n_rows = bins.shape[0], n_features = bins.shape[1]
    cdef ptrdiff_t width = gradient.shape[1]
    if n_rows == 0 or n_features == 0 or width == 0:
        return
    with nogil:
        if floating is float:
            SKML_GATHER_FLOAT(
                wide, &gradient[0, 0], &bins[0, 0], &fractions[0, 0],
                n_rows, n_features, width, &inside[0, 0], &shared[0, 0]
            )
        else:
            SKML_GATHER_DOUBLE(
                wide, &gradient[0, 0], &bins[0, 0], &fractions[0, 0],
                n_rows, n_features, width, &inside[0, 0], &shared[0, 0]
            )
