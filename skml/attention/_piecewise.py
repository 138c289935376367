"""Rows in piecewise-linear encoding, kept as bins and shares, and products with them.

Of a number in bin b, the encoding is 1 for the bins before, the share of the way
through b, and 0 behind (Gorishniy et al., 2022). Written out it has `n_bins` columns a
feature; here it takes two numbers, and products cost two multiplications a feature.
"""

import numpy as np

from skml.attention._piecewise_kernel import gather, has_wide, look_up

WIDE = has_wide()


class BinLayout:
    """Where the bins of each feature lie in a matrix of weights.

    Parameters
    ----------
    edges : list of ndarray
        The edges of the bins of each feature.
    """

    def __init__(self, edges):
        self.edges = edges
        self.counts = np.array([len(e) - 1 for e in edges], dtype=np.intp)
        self.starts = np.concatenate([[0], np.cumsum(self.counts)]).astype(np.int32)

    @property
    def n_bins(self):
        return int(self.starts[-1])

    def locate(self, columns, n_rows):
        """Bins and shares of the values of each feature.

        Parameters
        ----------
        columns : list of ndarray of shape (n_rows,)
            The values, none missing.
        n_rows : int
            The number of rows.

        Returns
        -------
        bins : ndarray of shape (n_rows, n_features)
            Rows of a matrix of weights, of dtype int32.
        shares : ndarray of shape (n_rows, n_features)
            Between 0 and 1, of dtype float64.
        """
        bins = np.empty((n_rows, len(columns)), dtype=np.int32)
        shares = np.empty((n_rows, len(columns)))
        for f, (values, edges) in enumerate(zip(columns, self.edges, strict=True)):
            at = np.searchsorted(edges, values, side="right") - 1
            at = np.clip(at, 0, len(edges) - 2)
            shares[:, f] = (values - edges[at]) / (edges[at + 1] - edges[at])
            bins[:, f] = at + self.starts[f]
        return bins, np.clip(shares, 0, 1, out=shares)

    def means(self, bins, shares, weights):
        """The mean of each column of the encoding, over rows that have weights."""
        weights = weights / weights.sum()
        inside, shared = np.zeros((2, self.n_bins, 1))
        gather(weights[:, np.newaxis], bins, shares, inside, shared, WIDE)
        return (shared + self.sums_behind(inside))[:, 0]

    def levels(self, weights):
        """Sums of the weights of the bins before each bin, of its feature."""
        levels = np.zeros_like(weights)
        np.cumsum(weights[:-1], axis=0, out=levels[1:])
        starts = self.starts[:-1]
        return levels - np.repeat(levels[starts], self.counts, axis=0)

    def sums_behind(self, values):
        """Sums of the values of the bins behind each bin, of its feature."""
        flipped = np.cumsum(values[::-1], axis=0)[::-1]
        behind = np.zeros_like(values)
        behind[:-1] = flipped[1:]
        ends = self.starts[1:] - 1
        return behind - np.repeat(behind[ends], self.counts, axis=0)


class EncodedRows:
    """A matrix of rows: dense columns, then those of bins less their means.

    Parameters
    ----------
    dense : ndarray of shape (n_rows, n_dense)
        The dense columns.
    bins, shares : ndarray of shape (n_rows, n_features)
        Where each number is.
    layout : BinLayout
        Where the bins are.
    centre : ndarray of shape (n_bins,)
        The means of the columns of bins.
    """

    def __init__(self, dense, bins, shares, layout, centre):
        self.dense = dense
        self.bins = bins
        self.shares = shares
        self.layout = layout
        self.centre = centre

    @property
    def shape(self):
        return len(self.dense), self.dense.shape[1] + self.layout.n_bins

    @property
    def dtype(self):
        return self.dense.dtype

    def __len__(self):
        return len(self.dense)

    def __getitem__(self, rows):
        return self._with(self.dense[rows], self.bins[rows], self.shares[rows])

    def astype(self, dtype):
        """The same rows in another precision."""
        rows = self._with(
            self.dense.astype(dtype, copy=False),
            self.bins,
            self.shares.astype(dtype, copy=False),
        )
        rows.centre = self.centre.astype(dtype, copy=False)
        return rows

    def with_noise(self, noise):
        """These rows with something added to the dense columns."""
        return self._with(self.dense + noise, self.bins, self.shares)

    def stack(self, other):
        """These rows, and others below them."""
        pairs = zip(self._fields(), other._fields(), strict=True)
        return self._with(*(np.concatenate(pair) for pair in pairs))

    def toarray(self):
        """The matrix, written out."""
        columns = np.arange(self.layout.n_bins)
        feature = np.repeat(np.arange(self.bins.shape[1]), self.layout.counts)
        bins = self.bins[:, feature]
        encoded = (columns < bins) + (columns == bins) * self.shares[:, feature]
        return np.hstack([self.dense, encoded - self.centre], dtype=self.dtype)

    def dot(self, weights):
        """The product with a matrix of weights."""
        n_dense = self.dense.shape[1]
        product = self.dense @ weights[:n_dense]
        if self.layout.n_bins:
            of_bins = np.ascontiguousarray(weights[n_dense:])
            product -= self.centre @ of_bins
            levels = self.layout.levels(of_bins)
            look_up(levels, of_bins, self.bins, self.shares, product, WIDE)
        return product

    def transposed_dot(self, gradient):
        """The product of the transposed matrix with a matrix of as many rows."""
        n_dense = self.dense.shape[1]
        product = np.empty((self.shape[1], gradient.shape[1]), dtype=gradient.dtype)
        product[:n_dense] = self.dense.T @ gradient
        if self.layout.n_bins:
            inside, shared = np.zeros(
                (2, self.layout.n_bins, gradient.shape[1]), gradient.dtype
            )
            gather(
                np.ascontiguousarray(gradient),
                self.bins,
                self.shares,
                inside,
                shared,
                WIDE,
            )
            shared += self.layout.sums_behind(inside)
            shared -= self.centre[:, None] * gradient.sum(axis=0)
            product[n_dense:] = shared
        return product

    def _fields(self):
        return self.dense, self.bins, self.shares

    def _with(self, dense, bins, shares):
        return EncodedRows(dense, bins, shares, self.layout, self.centre)
