"""Numbers for an embedding: scaled columns, bins, categories, missing indicators."""

from dataclasses import replace

import numpy as np

from skml._codec import show, stored
from skml._table._statistics import mean_and_deviation
from skml.attention._arrays import check_stored
from skml.attention._piecewise import BinLayout, EncodedRows

ROUNDING = 1e-12  # of sums of weights
FAR = 5.0  # standard deviations; numbers farther out are brought nearer
LEAST_DEVIATION = 1e-10  # of the mean: below, a column is constant
CATEGORY = np.sqrt(0.5)
TILE_ROWS = 2048  # that are encoded and embedded at a time
ENCODINGS = ("none", "piecewise-linear")


def tiles_of(n_rows, size=TILE_ROWS):
    """Slices of rows that are looked at together, so that little memory is taken."""
    starts = range(0, n_rows, size)
    return list(map(slice, starts, range(size, n_rows + size, size)))


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


@stored
class TableEncoder:
    """Encodes a table that was read: what an embedding is learned from.

    Numbers have mean 0 and standard deviation 1, and missing ones are 0. A column that
    had missing values in `fit` has a missing indicator beside it. Of categories there
    is a column each, which is .7 where a row has it: two rows of different categories
    are then at distance 1. Constant columns are left out.

    Attributes
    ----------
    numeric_encoding : {"none", "piecewise-linear"}
        Whether bins are added to scaled numbers, which are then squashed.
    numeric : ndarray of shape (n_numeric,)
        The columns of numbers.
    mean, deviation : ndarray of shape (n_numeric,)
        What they are scaled by.
    binned : ndarray of shape (n_binned,)
        Which of them have bins.
    categorical : ndarray of shape (n_categorical,)
        The columns of categories.
    indicated : ndarray of shape (n_indicators,)
        The columns that have a missing indicator.
    layout : BinLayout
        The bins, and behind them the categories and the indicators.
    centre : ndarray of shape (n_bins,)
        What is subtracted from the columns of bins.
    """

    numeric_encoding: str
    numeric: np.ndarray
    mean: np.ndarray
    deviation: np.ndarray
    binned: np.ndarray
    categorical: np.ndarray
    indicated: np.ndarray
    layout: BinLayout
    centre: np.ndarray

    def check(self):
        """Check that the parts belong together."""
        if self.numeric_encoding not in ENCODINGS:
            raise ValueError(f"numeric_encoding is {show(self.numeric_encoding)}")
        for name in ("numeric", "binned", "categorical", "indicated"):
            positions = getattr(self, name)
            check_stored(name, positions, (positions.size,), np.intp)
            if (positions < 0).any():
                raise ValueError(f"{name} has {show(positions.tolist())}")
        check_stored("mean", self.mean, self.numeric.shape)
        check_stored("deviation", self.deviation, self.numeric.shape)
        check_stored("centre", self.centre, (self.layout.n_bins,))
        if (self.deviation <= 0).any():
            raise ValueError("deviation is not positive")
        if (self.binned >= len(self.numeric)).any():
            raise ValueError("binned has columns that are not numeric")
        n_choices = len(self.categorical) + len(self.indicated)
        counts = len(self.layout.edges), len(self.layout.n_choices)
        if counts != (len(self.binned), n_choices):
            raise ValueError("layout does not have the bins of these columns")

    def check_table(self, reader):
        """Check that the encoder belongs to tables of this reader."""
        columns = np.concatenate([self.numeric, self.categorical, self.indicated])
        if (columns >= reader.n_features).any():
            raise ValueError(f"the encoder has column {columns.max()}")
        is_categorical = reader.is_categorical
        is_right = not is_categorical[self.numeric].any()
        if not (is_right and is_categorical[self.categorical].all()):
            raise ValueError("the encoder takes categories for numbers")
        counts = [len(reader.categories[j]) for j in self.categorical]
        if counts + [1] * len(self.indicated) != list(self.layout.n_choices):
            raise ValueError("the encoder does not have the categories of the table")

    @property
    def n_informative(self):
        """The number of encoded columns that vary."""
        return len(self.numeric) + self.layout.n_bins

    @property
    def n_columns(self):
        """The number of encoded columns: one at least."""
        return max(1, self.n_informative)

    def transform(self, X):
        """Encode a table.

        Parameters
        ----------
        X : ndarray of shape (n_samples, n_features)
            Numbers, NaN and codes of categories.

        Returns
        -------
        encoded : EncodedRows of shape (n_samples, n_columns)
            Finite numbers; a column of zeros if no feature varies.
        """
        if self.n_informative == 0:
            scaled = np.zeros((len(X), 1))
        else:
            scaled = (X[:, self.numeric] - self.mean) / self.deviation
            np.nan_to_num(scaled, copy=False, nan=0.0)
        if self.numeric_encoding == "piecewise-linear":
            scaled = squash(scaled)
        return EncodedRows(scaled, *self.locate(X), self.layout, self.centre)

    def transform_in_tiles(self, X, dtype):
        """Encode a table in another precision, with little memory beside the result."""
        shape = len(X), len(self.layout.counts)
        dense = np.empty((len(X), self.n_columns - self.layout.n_bins), dtype)
        bins, fractions = np.empty(shape, np.int32), np.empty(shape, dtype)
        for rows in tiles_of(len(X)):
            encoded = self.transform(X[rows])
            dense[rows] = encoded.dense
            bins[rows], fractions[rows] = encoded.bins, encoded.fractions
        centre = self.centre.astype(dtype)
        return EncodedRows(dense, bins, fractions, self.layout, centre)

    def locate(self, X):
        """Bins and fractions; a missing number is at the mean, a category in none."""
        numbers = X[:, self.numeric[self.binned]]
        numbers = np.where(np.isnan(numbers), self.mean[self.binned], numbers)
        categories = np.nan_to_num(X[:, self.categorical], nan=-1).astype(np.intp)
        indicators = np.isnan(X[:, self.indicated]) - 1
        choices = np.hstack([categories, indicators])
        return self.layout.locate(numbers, choices, CATEGORY)


def learn_encoder(X, reader, weights, *, numeric_encoding, n_bins):
    """Learn how to encode a table.

    Parameters
    ----------
    X : ndarray of shape (n_samples, n_features)
        Numbers, NaN and codes of categories.
    reader : TableReader
        Knows which columns hold categories.
    weights : ndarray of shape (n_samples,)
        Positive weights.
    numeric_encoding : {"none", "piecewise-linear"}
        Whether bins are added to scaled numbers.
    n_bins : int
        The largest number of bins of a column.

    Returns
    -------
    encoder : TableEncoder
        The encoder.
    """
    n_missing = np.isnan(X).sum(axis=0)
    has_missing = (n_missing > 0) & (n_missing < len(X))
    indicated = np.flatnonzero(has_missing)
    categorical = [
        j
        for j in np.flatnonzero(reader.is_categorical)
        if len(reader.categories[j]) + has_missing[j] > 1
    ]
    numeric, mean, deviation = _learn_scale(X, ~reader.is_categorical, weights)
    binned, edges = [], []
    for k, j in enumerate(numeric if numeric_encoding == "piecewise-linear" else []):
        observed = ~np.isnan(X[:, j])
        quantiles = quantile_edges(X[observed, j], weights[observed], n_bins)
        if len(quantiles) > 2:  # one bin is the scaled number over again
            binned.append(k)
            edges.append(quantiles)
    n_choices = [len(reader.categories[j]) for j in categorical] + [1] * len(indicated)
    layout = BinLayout(edges=edges, n_choices=n_choices)
    encoder = TableEncoder(
        numeric_encoding=numeric_encoding,
        numeric=numeric,
        mean=mean,
        deviation=deviation,
        binned=np.array(binned, dtype=np.intp),
        categorical=np.array(categorical, dtype=np.intp),
        indicated=indicated,
        layout=layout,
        centre=np.zeros(layout.n_bins),
    )
    return replace(encoder, centre=_learn_centre(encoder, X, weights))


def _learn_scale(X, is_numeric, weights):
    """The means and deviations of columns of numbers that are not constant."""
    varying = []
    for j in np.flatnonzero(is_numeric):
        observed = ~np.isnan(X[:, j])
        if not observed.any():
            continue
        mean, deviation = mean_and_deviation(X[observed, j], weights[observed])
        if deviation > LEAST_DEVIATION * abs(mean):
            varying.append((j, mean, deviation))
    columns = np.array(varying).reshape(-1, 3).T
    return columns[0].astype(np.intp), columns[1], columns[2]


def _learn_centre(encoder, X, weights):
    """The means of the columns of bins; those of categories stay where they are."""
    weights = weights / weights.sum()
    tiles = ((*encoder.locate(X[t]), weights[t]) for t in tiles_of(len(X)))
    centre = encoder.layout.means(tiles)
    centre[encoder.layout.n_ordered :] = 0
    return centre
