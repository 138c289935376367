"""Vectors by product quantisation: some bytes each, which name centroids.

A vector is its length times a direction. The direction is in parts, and of each part
there is the number of the nearest of 256 centroids, which k-means found (Jegou et al.
2011); of the length, too.
"""

import warnings

import numpy as np
from sklearn.exceptions import ConvergenceWarning
from threadpoolctl import threadpool_limits

from skml._codec import stored

# A byte tells so many apart.
N_CENTROIDS = 256
# Vectors may take so many times the memory of their codes.
MOST_TIMES = 256
# Of more numbers in a part, a vector would take more than that.
LARGEST_PART = MOST_TIMES // 4
# Centroids are found in so many vectors, by so many steps; twice as many of either
# lower the error by a few percent.
_N_SAMPLES, _N_STEPS = 1 << 13, 10
# Of the longest vector; what is shorter is rounded to that, or to zero.
_SHORTEST = 1e-4


@stored
class QuantizedVectors:
    """The rows of a matrix of float32, quantised; parts of it can be taken like rows.

    Attributes
    ----------
    codes : ndarray of shape (n_rows, n_parts), dtype uint8
        The centroid of each part of a row.
    centroids : ndarray of shape (256, n_columns), dtype float32
        The centroids of a part are in the columns of that part.
    part_size : int
        How many columns a part has; the last may have fewer.
    norm_codes : ndarray of shape (n_rows,), dtype uint8, or None
        Which of `norms` a row is multiplied by.
    norms : ndarray of shape (256,), dtype float32, or None
        None if rows are not multiplied.
    """

    codes: np.ndarray
    centroids: np.ndarray
    part_size: int
    norm_codes: np.ndarray | None
    norms: np.ndarray | None

    def check(self):
        n_columns = self.centroids.shape[-1] if self.centroids.ndim else 0
        if self.part_size < 1 or n_columns < 1 or self.codes.ndim != 2:
            raise ValueError(f"parts of {self.part_size} in {n_columns} columns")
        n_rows, n_parts = len(self.codes), -(-n_columns // self.part_size)
        has_norms = self.norms is not None
        if has_norms != (self.norm_codes is not None):
            raise ValueError("there are norms without codes, or codes without norms")
        shapes = [
            ("codes", np.uint8, (n_rows, n_parts)),
            ("centroids", np.float32, (N_CENTROIDS, n_columns)),
            ("norm_codes", np.uint8, (n_rows,)),
            ("norms", np.float32, (N_CENTROIDS,)),
        ]
        for name, dtype, shape in shapes[: 4 if has_norms else 2]:
            array = getattr(self, name)
            if array.dtype != dtype or array.shape != shape:
                raise ValueError(
                    f"{name} is {array.dtype} of the shape {array.shape}; expected "
                    f"{np.dtype(dtype)} of the shape {shape}"
                )
        if takes_too_much(n_rows, n_parts, n_columns):
            raise ValueError(f"{n_rows} vectors of {n_columns} have {n_parts} codes")

    def __len__(self):
        return len(self.codes)

    @property
    def shape(self):
        return len(self.codes), self.centroids.shape[1]

    def __getitem__(self, rows):
        """Some of the rows, by a slice or an array."""
        has_norms = self.norms is not None
        return QuantizedVectors(
            codes=np.ascontiguousarray(self.codes[rows]),
            centroids=self.centroids,
            part_size=self.part_size,
            norm_codes=self.norm_codes[rows] if has_norms else None,
            norms=self.norms,
        )

    def decode(self):
        """The rows as float32."""
        n_columns, size = self.centroids.shape[1], self.part_size
        vectors = np.empty(self.shape, dtype=np.float32)
        for part, start in enumerate(range(0, n_columns, size)):
            columns = slice(start, start + size)
            vectors[:, columns] = self.centroids[self.codes[:, part], columns]
        if self.norms is not None:
            # Who reads a file looks for what is not finite.
            with np.errstate(over="ignore", invalid="ignore"):
                vectors *= self.norms[self.norm_codes][:, np.newaxis]
        return vectors


def takes_too_much(n_rows, n_parts, n_columns):
    """Whether vectors take too many times the memory of their codes."""
    n_bytes = n_rows * n_parts + 4 * n_columns * N_CENTROIDS
    return 4 * n_rows * n_columns > MOST_TIMES * n_bytes


def decoded(vectors):
    """Vectors as an array, whichever they are."""
    return vectors.decode() if isinstance(vectors, QuantizedVectors) else vectors


def quantize(vectors, part_size, random_state):
    """Quantise the rows of an array of float32.

    Where no part has more than 256 different values, it is exact but for rounding. The
    result depends on nothing but the arguments: one thread does the work.
    """
    n_rows, n_columns = vectors.shape
    lengths = np.sqrt(np.einsum("ij,ij->i", vectors, vectors, dtype=np.float64))
    norms, norm_codes = _quantize_lengths(lengths.astype(np.float32))
    scales = np.where(lengths > 0, lengths, 1).astype(np.float32)
    directions = vectors / scales[:, np.newaxis]
    sample = random_state.permutation(n_rows)[:_N_SAMPLES]
    starts = range(0, n_columns, part_size)
    seeds = random_state.randint(0, 1 << 31, size=len(starts)).tolist()
    codes = np.zeros((n_rows, len(starts)), dtype=np.uint8)
    centroids = np.zeros((N_CENTROIDS, n_columns), dtype=np.float32)
    with threadpool_limits(1):
        for part, (start, seed) in enumerate(zip(starts, seeds, strict=True)):
            columns = slice(start, start + part_size)
            points = np.ascontiguousarray(directions[:, columns])
            found, codes[:, part] = _quantize_part(points, sample, seed)
            centroids[: len(found), columns] = found
    return QuantizedVectors(
        codes=codes,
        centroids=centroids,
        part_size=part_size,
        norm_codes=norm_codes,
        norms=norms,
    )


def _quantize_lengths(lengths):
    """256 lengths, and of each, which of them is nearest.

    If there are more, each is a few percent longer than the one before, so that long
    and short vectors have the same relative error.
    """
    norms = np.zeros(N_CENTROIDS, dtype=np.float32)
    found = np.unique(lengths)
    if len(found) > N_CENTROIDS:
        least = max(found[found > 0][0], _SHORTEST * found[-1])
        found = np.append(0, np.geomspace(least, found[-1], N_CENTROIDS - 1))
    norms[: len(found)] = found
    bounds = (found[1:] + found[:-1]) / 2
    return norms, np.searchsorted(bounds, lengths).astype(np.uint8)


def _quantize_part(points, sample, seed):
    """Centroids of points, found in some of them; and of each, which is nearest."""
    from sklearn.cluster import KMeans
    from sklearn.metrics import pairwise_distances_argmin

    if not len(points):
        return points, 0
    drawn = points[sample]
    if all(len(np.unique(column)) <= N_CENTROIDS for column in drawn.T):
        distinct = np.unique(points, axis=0)
        if len(distinct) <= N_CENTROIDS:
            return distinct, pairwise_distances_argmin(points, distinct)
    means = KMeans(
        N_CENTROIDS, init="random", n_init=1, max_iter=_N_STEPS, random_state=seed
    )
    with warnings.catch_warnings():
        # Some clusters may be the same, if points are.
        warnings.simplefilter("ignore", ConvergenceWarning)
        means.fit(drawn)
    return means.cluster_centers_, means.predict(points)
