"""Term weights and term vectors to one vector per document."""

from itertools import pairwise

import numpy as np
from joblib import effective_n_jobs
from scipy import sparse

from skml.text._row_sums import add_rows
from skml.text._threads import in_threads

# Word vectors gathered at a time for a maximum, 25 MB of them at 100 dimensions.
_GATHERED = 1 << 16

POOLINGS = {"mean": ("mean",), "sum": ("sum",), "max": ("max",)}
POOLINGS["mean+max"] = ("mean", "max")


def pool(weights, vectors, pooling="mean", n_jobs=None):
    """Weighted mean, sum or maximum of the vectors of terms, one a row of weights.

    A mean is zero where weights add to zero. A maximum is that in each dimension, over
    the terms whose weight is not zero; zeros if there is none. The result does not
    depend on `n_jobs`, the number of threads.
    """
    weights = weights.astype(np.float32, copy=False)
    vectors = np.ascontiguousarray(vectors, dtype=np.float32)
    parts = [_POOL[part](weights, vectors, n_jobs) for part in POOLINGS[pooling]]
    return parts[0] if len(parts) == 1 else np.hstack(parts)


def _sum(weights, vectors, n_jobs, scales=None):
    n_documents, n_terms = weights.shape
    if n_terms != len(vectors):
        raise ValueError(f"there are weights of {n_terms} terms, not {len(vectors)}")
    weights.check_format()
    rows, ends = weights.indices.astype(np.int32, copy=False), weights.indptr
    if scales is None:
        scales = np.ones(n_documents, dtype=np.float32)
    pooled = np.zeros((n_documents, vectors.shape[1]), dtype=np.float32)
    parts = weights.data, rows, ends.astype(np.int64, copy=False)
    # Documents of about as many terms for each thread.
    n_jobs = effective_n_jobs(n_jobs)
    shares = np.linspace(0, len(rows), n_jobs + 1)[1:-1]
    cuts = [0, *np.searchsorted(ends[1:], shares).tolist(), n_documents]
    in_threads(
        lambda cut: add_rows(*parts, vectors, scales, pooled, *cut),
        list(pairwise(cuts)),
    )
    return pooled


def _mean(weights, vectors, n_jobs):
    total = np.asarray(weights.sum(axis=1, dtype=np.float64)).ravel()
    # Not divided by the total with zeros replaced by one: weights of both signs may add
    # to zero while the product does not.
    scales = np.divide(1.0, total, out=np.zeros_like(total), where=total != 0)
    return _sum(weights, vectors, n_jobs, scales.astype(np.float32))


def _max(weights, vectors, n_jobs):
    weights = weights.copy()
    weights.eliminate_zeros()
    pooled = np.zeros((weights.shape[0], vectors.shape[1]), dtype=np.float32)
    rows = np.flatnonzero(np.diff(weights.indptr))
    starts, stops = weights.indptr[rows], weights.indptr[rows + 1]
    first = 0
    while first < len(rows):
        # As many documents as fit, and at least one.
        limit = starts[first] + _GATHERED
        last = max(first + 1, int(np.searchsorted(stops, limit, side="right")))
        terms = weights.indices[starts[first] : stops[last - 1]]
        pooled[rows[first:last]] = np.maximum.reduceat(
            vectors[terms], starts[first:last] - starts[first], axis=0
        )
        first = last
    return pooled


_POOL = {"mean": _mean, "sum": _sum, "max": _max}


def weigh_with_unseen(counts, n_unseen, weighter):
    """Weigh words by a weighter that knows the last `n_unseen` as one, an unseen one.

    The weight of an unseen word is what it is if it is the only one of the document.
    """
    n_documents, n_words = counts.shape[0], counts.shape[1] - n_unseen
    seen, unseen = counts[:, :n_words], counts[:, n_words:]
    # A row for each document and each number of times that an unseen word is in it.
    n_unseen = np.diff(unseen.indptr)
    without = np.flatnonzero(n_unseen == 0)
    pairs = np.column_stack(
        [
            np.append(np.repeat(np.arange(n_documents), n_unseen), without),
            np.append(unseen.data, np.zeros(len(without))),
        ]
    )
    pairs, place = np.unique(pairs, axis=0, return_inverse=True)
    document, number = pairs[:, 0].astype(np.intp), pairs[:, 1:]
    weights = sparse.csr_matrix(
        weighter.transform(sparse.hstack([seen[document], number], format="csr"))
    )
    unseen = unseen.copy()
    unseen.data = weights[:, n_words:].toarray().ravel()[place.ravel()[: unseen.nnz]]
    # The other words weigh what they do beside the rarest of the unseen ones.
    first = np.searchsorted(document, np.arange(n_documents))
    return sparse.hstack([weights[first, :n_words], unseen], format="csr")


def take_used(weights, vectors, further):
    """Leave out the terms without any weight; their vectors are in one array then."""
    used, columns = np.unique(weights.indices, return_inverse=True)
    weights = sparse.csr_matrix(
        (weights.data, columns, weights.indptr), shape=(weights.shape[0], len(used))
    )
    n_first = np.searchsorted(used, len(vectors))
    taken = vectors[used[:n_first]], further[used[n_first:] - len(vectors)]
    return weights, np.vstack(taken)


def common_components(pooled, n_components, *, caller):
    """The directions that pooled vectors share most (Arora, Liang & Ma 2017).

    They are the first right singular vectors of the vectors, which are not centred.
    """
    pooled = pooled.astype(np.float64)
    values, directions = np.linalg.eigh(pooled.T @ pooled)
    rank = int((values > values[-1] * len(values) * np.finfo(np.float32).eps).sum())
    if n_components >= rank:
        raise ValueError(
            f"{caller}: remove_components={n_components} would leave nothing: the "
            f"{len(pooled)} document vectors span {rank} dimension(s). Choose a number "
            f"below {max(rank, 1)}."
        )
    components = directions[:, ::-1][:, :n_components].T
    # The sign of a singular vector is arbitrary: let the largest entry be positive.
    largest = np.abs(components).argmax(axis=1)
    signs = np.sign(components[np.arange(n_components), largest])
    return (components * signs[:, None]).astype(np.float32)


def remove_components(pooled, components):
    """Subtract from each row, in place, its projections on orthonormal components."""
    if len(components):
        pooled -= (pooled @ components.T) @ components
    return pooled
