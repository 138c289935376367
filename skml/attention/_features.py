"""Numbers for an embedding: scaled columns, bins, categories and flags of holes."""

import numpy as np

from skml.attention._piecewise import BinLayout, EncodedRows

ROUNDING = 1e-12  # of sums of weights
FAR = 5.0  # standard deviations; numbers farther out are brought nearer
LEAST_DEVIATION = 1e-10  # of the mean: below, a column is constant
CATEGORY = np.sqrt(0.5)


def quantile_edges(values, weights, n_bins):
    """Find distinct edges of bins that hold about equal weight.

    Parameters
    ----------
    values : ndarray of shape (n_samples,)
        Numbers, none missing.
    weights : ndarray of shape (n_samples,)
        Positive weights; k stands for k equal rows.
    n_bins : int
        The largest number of bins.

    Returns
    -------
    edges : ndarray of shape (n_edges,)
        Some of the values, sorted, the least and the greatest among them.
    """
    distinct, codes = np.unique(values, return_inverse=True)
    below = np.cumsum(np.bincount(codes, weights=weights))
    wanted = np.linspace(0, 1, n_bins + 1) * below[-1] * (1 - ROUNDING)
    return distinct[np.unique(np.searchsorted(below, wanted))]


def squash(values):
    """Bring numbers that are far out nearer, smoothly; near zero they stay."""
    return values / np.sqrt(1 + np.square(values / FAR))


def mean_and_deviation(values, weights):
    """The weighted mean and standard deviation of columns, in whatever unit they are.

    Differences are divided by a power of two, which is exact, so that neither squares
    of tiny ones vanish nor those of huge ones overflow.
    """
    mean = np.average(values, axis=0, weights=weights)
    differences = values - mean
    exponent = np.frexp(np.abs(differences).max(axis=0))[1]
    squares = np.square(np.ldexp(differences, -exponent))
    variance = np.average(squares, axis=0, weights=weights)
    return mean, np.ldexp(np.sqrt(variance), exponent)


class TableEncoder:
    """Encodes a table that was read: what an embedding is learned from.

    Numbers have mean 0 and standard deviation 1, and missing ones are 0. A column that
    had holes in `fit` has one more, which is 1 where the value is missing. Of
    categories there is a column each, which is .7 where a row has it: two rows of
    different categories are then at distance 1. Columns that say nothing are left out.

    Parameters
    ----------
    numeric_encoding : {"none", "piecewise-linear"}
        Whether bins are added to scaled numbers, which are then squashed.
    n_bins : int
        The largest number of bins of a column.
    """

    def __init__(self, *, numeric_encoding, n_bins):
        self.numeric_encoding = numeric_encoding
        self.n_bins = n_bins

    def fit(self, X, reader, weights):
        """Learn from a table.

        Parameters
        ----------
        X : ndarray of shape (n_samples, n_features)
            Numbers, NaN and codes of categories.
        reader : TableReader
            Knows which columns hold categories.
        weights : ndarray of shape (n_samples,)
            Positive weights.

        Returns
        -------
        self : TableEncoder
            The fitted encoder.
        """
        missing = np.isnan(X)
        has_holes = missing.any(axis=0) & ~missing.all(axis=0)
        self.indicated = np.flatnonzero(has_holes)
        self.categories = [
            (int(j), len(reader.categories[j]))
            for j in np.flatnonzero(reader.is_categorical)
            if len(reader.categories[j]) + has_holes[j] > 1
        ]
        self._learn_scale(X, np.flatnonzero(~reader.is_categorical), weights)
        self._learn_bins(X, weights)
        return self

    def transform(self, X):
        """Encode a table.

        Parameters
        ----------
        X : ndarray of shape (n_samples, n_features)
            Numbers, NaN and codes of categories.

        Returns
        -------
        encoded : EncodedRows of shape (n_samples, n_encoded)
            Finite numbers; a column of zeros if no feature says anything.
        """
        scaled = (X[:, self.numeric] - self.mean) / self.deviation
        np.nan_to_num(scaled, copy=False, nan=0.0)
        if self.numeric_encoding == "piecewise-linear":
            scaled = squash(scaled)
        if self.n_columns == 0:
            scaled = np.zeros((len(X), 1))
        return EncodedRows(scaled, *self._locate(X), self.layout, self.centre)

    @property
    def n_columns(self):
        """The number of columns that say anything."""
        return len(self.numeric) + self.layout.n_bins

    def _learn_scale(self, X, numeric, weights):
        """The means and deviations of columns of numbers that are not constant."""
        kept = []
        for j in numeric:
            seen = ~np.isnan(X[:, j])
            if not seen.any():
                continue
            mean, deviation = mean_and_deviation(X[seen, j], weights[seen])
            if deviation > LEAST_DEVIATION * abs(mean):
                kept.append((j, mean, deviation))
        columns = np.array(kept).reshape(-1, 3).T
        self.numeric = columns[0].astype(np.intp)
        self.mean, self.deviation = columns[1:]

    def _learn_bins(self, X, weights):
        """The bins of columns of numbers that have more than one."""
        self.binned, edges = [], []
        wanted = self.numeric if self.numeric_encoding == "piecewise-linear" else []
        for j, mean in zip(wanted, self.mean, strict=False):
            seen = ~np.isnan(X[:, j])
            found = quantile_edges(X[seen, j], weights[seen], self.n_bins)
            if len(found) > 2:  # one bin is the scaled number over again
                self.binned.append((j, mean))
                edges.append(found)
        n_choices = [n for _, n in self.categories] + [1] * len(self.indicated)
        self.layout = BinLayout(edges, n_choices)
        self.centre = self.layout.means(*self._locate(X), weights)
        self.centre[self.layout.n_ordered :] = 0

    def _locate(self, X):
        """Bins and shares; a missing number is at the mean, a category is none."""
        columns = [
            np.where(np.isnan(X[:, j]), mean, X[:, j]) for j, mean in self.binned
        ]
        choices = [
            np.nan_to_num(X[:, j], nan=-1).astype(np.intp) for j, _ in self.categories
        ]
        choices += [np.isnan(X[:, j]) - 1 for j in self.indicated]
        if not columns and not choices:
            return np.zeros((len(X), 0), np.int32), np.zeros((len(X), 0))
        return self.layout.locate(columns, choices, CATEGORY)
