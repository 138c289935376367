"""Rows in piecewise-linear encoding, kept as bins and fractions; products with them.

Of a value in bin b, the encoding is 1 for the bins before, the fraction of the way
through b, and 0 behind (Gorishniy et al., 2022). Written out it has `n_bins` columns a
feature; here it takes two values, and products cost two multiplications a feature.
Categories are bins, too, of which a row is in one, and none lies before another.
"""

from dataclasses import dataclass, replace

import numpy as np

from skml._codec import show, stored
from skml.attention._arrays import check_stored
from skml.attention._piecewise_kernel import gather, has_wide, look_up

WIDE = has_wide()
MOST_BINS = 2**31  # which an int32 tells apart


@stored
class BinLayout:
    """Where the bins of each feature lie in a matrix of weights."""

    edges: list  # of ndarray, ascending: the edges of the bins of a numeric feature
    n_choices: list  # of int: the categories of each feature that stands behind those

    def __post_init__(self):
        counts = np.array([*map(len, self.edges), *self.n_choices], dtype=np.intp)
        counts[: len(self.edges)] -= 1
        starts = np.concatenate([[0], np.cumsum(counts)]).astype(np.int32)
        derived = {
            "counts": counts,
            "starts": starts,
            "n_bins": int(starts[-1]),
            "n_ordered": int(starts[len(self.edges)]),  # that have bins before them
        }
        vars(self).update(derived)

    def check(self):
        """Check that edges ascend, and that there is a choice at least."""
        for edges in self.edges:
            check_stored("edges", edges, (len(edges),))
            if len(edges) < 2 or (np.diff(edges) <= 0).any():
                raise ValueError("edges do not ascend")
        if not all(type(n) is int and n > 0 for n in self.n_choices):
            raise ValueError(f"n_choices is {show(self.n_choices)}")
        if self.counts.sum() >= MOST_BINS:
            raise ValueError(f"{self.counts.sum()} bins")

    def locate(self, values, choices, fraction):
        """The bin of each value, a row of a matrix of weights, and how far it is in it.

        Choices are positions of categories, of that fraction; -1 stands for none.
        """
        n_numeric = values.shape[1]
        shape = len(values), n_numeric + choices.shape[1]
        bins, fractions = np.empty(shape, np.int32), np.empty(shape)
        for f, (column, edges) in enumerate(zip(values.T, self.edges, strict=True)):
            bin_ = np.searchsorted(edges, column, side="right") - 1
            bin_ = np.clip(bin_, 0, len(edges) - 2)
            passed = (column - edges[bin_]) / (edges[bin_ + 1] - edges[bin_])
            bins[:, f] = bin_
            fractions[:, f] = np.clip(passed, 0, 1)
        bins[:, n_numeric:] = np.maximum(choices, 0)
        fractions[:, n_numeric:] = fraction * (choices >= 0)
        bins += self.starts[:-1]
        return bins, fractions

    def means(self, tiles):
        """The mean of each column, from tiles of bins, fractions and weights.

        All weights add up to one.
        """
        inside, shared = np.zeros((2, self.n_bins, 1))
        for bins, fractions, weights in tiles:
            gather(weights[:, np.newaxis], bins, fractions, inside, shared, WIDE)
        return (shared + self.sums_behind(inside))[:, 0]

    def levels(self, weights):
        """Sums of the weights of the bins before each bin, of its feature."""
        levels, n = np.zeros_like(weights), self.n_ordered
        if n:
            np.cumsum(weights[: n - 1], axis=0, out=levels[1:n])
            starts = self.starts[: len(self.edges)]
            counts = self.counts[: len(self.edges)]
            levels[:n] -= np.repeat(levels[starts], counts, axis=0)
        return levels

    def sums_behind(self, values):
        """Sums of the values of the bins behind each bin, of its feature."""
        behind, n = np.zeros_like(values), self.n_ordered
        if n:
            behind[: n - 1] = np.cumsum(values[n - 1 : 0 : -1], axis=0)[::-1]
            ends = self.starts[1 : len(self.edges) + 1] - 1
            counts = self.counts[: len(self.edges)]
            behind[:n] -= np.repeat(behind[ends], counts, axis=0)
        return behind


@dataclass(eq=False)
class EncodedRows:
    """A matrix of rows: dense columns, then those of bins less `centre`."""

    dense: np.ndarray  # (n_rows, n_dense)
    bins: np.ndarray  # (n_rows, n_features), where each value is
    fractions: np.ndarray  # likewise
    layout: BinLayout
    centre: np.ndarray  # (n_bins,), the means of the columns of bins, or zero

    @property
    def shape(self):
        return len(self.dense), self.dense.shape[1] + self.layout.n_bins

    @property
    def dtype(self):
        return self.dense.dtype

    def __len__(self):
        return len(self.dense)

    def __getitem__(self, rows):
        parts = self.dense, self.bins, self.fractions
        if isinstance(rows, slice):
            parts = [part[rows] for part in parts]
        else:  # several times faster than brackets
            parts = [part.take(rows, axis=0) for part in parts]
        return EncodedRows(*parts, self.layout, self.centre)

    def with_noise(self, noise):
        """These rows with something added to the dense columns."""
        return replace(self, dense=self.dense + noise)

    def toarray(self):
        """The matrix, written out."""
        columns = np.arange(self.layout.n_bins)
        feature = np.repeat(np.arange(self.bins.shape[1]), self.layout.counts)
        bins = self.bins[:, feature]
        before = (columns < bins) & (columns < self.layout.n_ordered)
        encoded = before + (columns == bins) * self.fractions[:, feature]
        return np.hstack([self.dense, encoded - self.centre], dtype=self.dtype)

    def dot(self, weights):
        """The product with a matrix of weights."""
        n_dense = self.dense.shape[1]
        product = self.dense @ weights[:n_dense]
        if self.layout.n_bins:
            of_bins = np.ascontiguousarray(weights[n_dense:])
            product -= self.centre @ of_bins
            levels = self.layout.levels(of_bins)
            look_up(levels, of_bins, self.bins, self.fractions, product, WIDE)
        return product

    def transposed_dot(self, gradient):
        """The product of the transposed matrix with a matrix of as many rows."""
        n_dense = self.dense.shape[1]
        product = np.empty((self.shape[1], gradient.shape[1]), dtype=gradient.dtype)
        product[:n_dense] = self.dense.T @ gradient
        if self.layout.n_bins:
            shape = 2, self.layout.n_bins, gradient.shape[1]
            inside, shared = np.zeros(shape, gradient.dtype)
            gradient = np.ascontiguousarray(gradient)
            gather(gradient, self.bins, self.fractions, inside, shared, WIDE)
            shared += self.layout.sums_behind(inside)
            shared -= self.centre[:, None] * gradient.sum(axis=0)
            product[n_dense:] = shared
        return product
