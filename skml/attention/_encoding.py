"""What embeddings take: scaled columns, bins, categories, missing indicators."""

from dataclasses import replace

import numpy as np

from skml._codec import show, stored
from skml._table._statistics import mean_and_deviation
from skml.attention._arrays import check_stored, tiles_of
from skml.attention._piecewise import BinLayout, EncodedRows

ROUNDING = 1e-12  # of sums of weights
FAR = 5.0  # standard deviations; values farther out are brought nearer
LEAST_DEVIATION = 1e-10  # of the mean: below, a column is constant
CATEGORY = np.sqrt(0.5)
ENCODINGS = ("none", "piecewise-linear")


def quantile_edges(values, weights, n_bins):
    """Distinct edges, from the least value to the greatest, of bins of equal weight."""
    distinct, codes = np.unique(values, return_inverse=True)
    below = np.cumsum(np.bincount(codes, weights=weights))
    wanted = np.linspace(0, 1, n_bins + 1) * below[-1] * (1 - ROUNDING)
    return distinct[np.unique(np.searchsorted(below, wanted))]


def squash(values):
    """Bring values that are far out nearer, smoothly; near zero they stay."""
    return values / np.sqrt(1 + np.square(values / FAR))


@stored
class TableEncoder:
    """Encodes a table that was read: what an embedding is learned from.

    Numeric features get mean 0 and standard deviation 1, missing ones 0; with bins they
    are squashed. A feature that had missing values in `fit` has a missing indicator
    beside it. Of categories there is a column each, which is .7 where a row has it: two
    rows of different categories are then at distance 1. Constant columns are left out.
    """

    numeric_encoding: str  # "none" or "piecewise-linear"
    numeric: np.ndarray  # the numeric columns
    mean: np.ndarray  # of each of them
    deviation: np.ndarray
    binned: np.ndarray  # positions in `numeric` of those with bins
    categorical: np.ndarray  # the columns of categories
    indicated: np.ndarray  # the columns that have a missing indicator
    layout: BinLayout  # the bins, and behind them categories and indicators
    centre: np.ndarray  # what is subtracted from the columns of bins

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
        """Encode a table as `EncodedRows`: a column of zeros if no feature varies."""
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
        """Bins and fractions; a missing value is at the mean, or in no category."""
        values = X[:, self.numeric[self.binned]]
        values = np.where(np.isnan(values), self.mean[self.binned], values)
        categories = np.nan_to_num(X[:, self.categorical], nan=-1).astype(np.intp)
        indicators = np.isnan(X[:, self.indicated]) - 1
        choices = np.hstack([categories, indicators])
        return self.layout.locate(values, choices, CATEGORY)


def learn_encoder(X, reader, weights, *, numeric_encoding, n_bins):
    """Learn how to encode a table, whose categories the reader knows, as codes."""
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
        if len(quantiles) > 2:  # one bin is the scaled column over again
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
    """The numeric columns that are not constant, their means and deviations."""
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
