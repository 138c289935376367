# cython: language_level=3, boundscheck=False, wraparound=False, initializedcheck=False
"""Attention pooling in one pass; the arithmetic is in `_pooling_template.h`."""

from cython cimport floating
from libc.stdint cimport int64_t


cdef extern from "_pooling_steps.h" nogil:
    int skml_has_wide()
    int SKML_POOL_FLOAT(
        int, const float *, ptrdiff_t, const float *, ptrdiff_t, ptrdiff_t,
        const float *, ptrdiff_t, const float *, const int64_t *, const float *, int,
        float *, double *, float *
    )
    int SKML_POOL_DOUBLE(
        int, const double *, ptrdiff_t, const double *, ptrdiff_t, ptrdiff_t,
        const double *, ptrdiff_t, const double *, const int64_t *, const double *, int,
        double *, double *, double *
    )
    int SKML_BACKWARD_FLOAT(
        int, float *, const float *, const float *, ptrdiff_t, const float *,
        const float *, ptrdiff_t, const float *, ptrdiff_t, ptrdiff_t, int, float *,
        float *
    )
    int SKML_BACKWARD_DOUBLE(
        int, double *, const double *, const double *, ptrdiff_t, const double *,
        const double *, ptrdiff_t, const double *, ptrdiff_t, ptrdiff_t, int, double *,
        double *
    )


def best_level():
    """The fastest variant here: 0 is the baseline, 1 is AVX2 with FMA."""
    return skml_has_wide()


def pool(
    const floating[:, ::1] queries,  # IN  (n_queries, width)
    const floating[:, ::1] keys,  # IN  (n_keys, width)
    const floating[:, ::1] values,  # IN  (n_keys, n_values)
    const floating[::1] key_weights,  # IN  (n_keys,) or None
    const int64_t[::1] exclude,  # IN  (n_queries,) or None: a key each, -1 for none
    const floating[::1] bonus,  # IN  (n_queries,) or None: of the scores of those keys
    int score,
    floating[:, ::1] pooled,  # OUT  (n_queries, n_values)
    double[::1] log_normalizer,  # OUT  (n_queries,)
    floating[:, ::1] weights,  # OUT  (n_queries, n_keys) or None
    int level,
):
    """Pool the values for each query, with weights of its own that sum to one."""
    cdef const floating *of_keys = NULL
    cdef const int64_t *excluded = NULL
    cdef const floating *of_excluded = NULL
    cdef floating *written = NULL
    cdef int failed
    if queries.shape[0] == 0:
        return
    if key_weights is not None:
        of_keys = &key_weights[0]
    if exclude is not None:
        excluded = &exclude[0]
    if bonus is not None:
        of_excluded = &bonus[0]
    if weights is not None:
        written = &weights[0, 0]
    with nogil:
        if floating is float:
            failed = SKML_POOL_FLOAT(
                level, &queries[0, 0], queries.shape[0], &keys[0, 0], keys.shape[0],
                keys.shape[1], &values[0, 0], values.shape[1], of_keys, excluded,
                of_excluded, score, &pooled[0, 0], &log_normalizer[0], written
            )
        else:
            failed = SKML_POOL_DOUBLE(
                level, &queries[0, 0], queries.shape[0], &keys[0, 0], keys.shape[0],
                keys.shape[1], &values[0, 0], values.shape[1], of_keys, excluded,
                of_excluded, score, &pooled[0, 0], &log_normalizer[0], written
            )
    if failed:
        raise MemoryError()


def backward(
    floating[:, ::1] weights,  # IN and OUT  (n_queries, n_keys)
    const floating[:, ::1] pooled,  # IN  (n_queries, n_values)
    const floating[:, ::1] values,  # IN  (n_keys, n_values)
    const floating[:, ::1] gradient,  # IN  (n_queries, n_values)
    const floating[:, ::1] queries,  # IN  (n_queries, width)
    const floating[:, ::1] keys,  # IN  (n_keys, width)
    int score,
    floating[::1] row_sums,  # OUT  (n_queries,)
    floating[::1] column_sums,  # OUT  (n_keys,)
    int level,
):
    """Turn weights into derivatives of scores (of laplace, divided by distances)."""
    cdef int failed
    with nogil:
        if floating is float:
            failed = SKML_BACKWARD_FLOAT(
                level, &weights[0, 0], &pooled[0, 0], &values[0, 0], values.shape[1],
                &gradient[0, 0], &queries[0, 0], queries.shape[0], &keys[0, 0],
                keys.shape[0], keys.shape[1], score, &row_sums[0], &column_sums[0]
            )
        else:
            failed = SKML_BACKWARD_DOUBLE(
                level, &weights[0, 0], &pooled[0, 0], &values[0, 0], values.shape[1],
                &gradient[0, 0], &queries[0, 0], queries.shape[0], &keys[0, 0],
                keys.shape[0], keys.shape[1], score, &row_sums[0], &column_sums[0]
            )
    if failed:
        raise MemoryError()
