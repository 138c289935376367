"""Columns whose values a library cannot distinguish, in units in which it can.

Times within a few minutes differ after the seventh digit, which single precision has
not; what is smaller than a least difference is nothing to some. Trees know the order of
values only, and so lose nothing by other units.
"""

import numpy as np
from scipy import sparse

from skml._codec import show, stored
from skml.tabular._precision import Precision, fraction_lost

LARGEST = 20  # the exponent of the largest value, in other units
MOST_EXPONENT = 1100  # of the least number there is
MOST_KNOTS = 2**16


@stored
class ColumnUnits:
    """Units of the columns that a library cannot take as they are.

    Such a column is multiplied by a power of two. Where that is not enough, its values
    become their ranks, and what is between them is in between. Zero stays zero, so that
    sparse tables are the same as dense ones.
    """

    precision: Precision  # of the library
    exponents: dict  # the power of two of each such column
    knots: dict  # the sorted values of ranks, of the columns that need them

    def check(self):
        """Check that exponents are not too large, and knots sorted numbers."""
        for j, exponent in self.exponents.items():
            are_integers = {type(j), type(exponent)} == {int}
            if not are_integers or j < 0 or abs(exponent) > MOST_EXPONENT:
                raise ValueError(f"column_units: {show(j)} has the exponent {exponent}")
        for j, values in self.knots.items():
            if not (
                j in self.exponents
                and isinstance(values, np.ndarray)
                and values.dtype == np.float64
                and values.ndim == 1
                and len(values) > 1
                and np.isfinite(values).all()
                and (np.diff(values) > 0).all()
            ):
                raise ValueError(f"column_units: knots of {show(j)} are not sorted")

    def check_columns(self, n_features):
        """Check that they are of columns that there are."""
        if max(self.exponents, default=0) >= n_features:
            raise ValueError(f"column_units: there are only {n_features} columns")

    def round(self, X):
        """Give the other columns the precision of the library."""
        values = self.precision.round(X).astype(np.float64)
        for j in self.exponents:
            put_column(values, j, column_of(X, j))
        return values

    def apply(self, X):
        """Give the columns their units."""
        X = X.copy()
        for j, exponent in self.exponents.items():
            with np.errstate(over="ignore"):
                column = np.ldexp(column_of(X, j), exponent)
            if j in self.knots:
                column = ranks(column, self.knots[j])
            put_column(X, j, column)
        return X


def learn_column_units(X, is_categorical, precision):
    """Find the columns that need other units, and learn them; None if none does."""
    exponents, knots = {}, {}
    by_column = X.tocsc() if sparse.issparse(X) else X
    for j in np.flatnonzero(precision.is_suspicious(X) & ~is_categorical).tolist():
        column = observed(by_column, j)
        if precision.handles(column) and not fraction_lost(column, precision):
            continue
        largest = np.nanmax(np.abs(column))
        exponents[j] = LARGEST - int(np.frexp(largest)[1])
        column = np.ldexp(column, exponents[j])
        if fraction_lost(column, precision):
            distinct = np.unique(column[~np.isnan(column)])
            n_knots = min(len(distinct), MOST_KNOTS)
            positions = np.linspace(0, len(distinct) - 1, n_knots).astype(np.intp)
            knots[j] = distinct[positions]
    if not exponents:
        return None
    return ColumnUnits(precision=precision, exponents=exponents, knots=knots)


def ranks(column, knots):
    """Positions among sorted values, less that of zero."""
    positions = np.arange(len(knots), dtype=np.float64)
    return np.interp(column, knots, positions) - np.interp(0.0, knots, positions)


def observed(X, j):
    """The values of a column; of a sparse one those stored, and zero."""
    if not sparse.issparse(X):
        return X[:, j]
    stored = X.data[X.indptr[j] : X.indptr[j + 1]]
    return stored if len(stored) == X.shape[0] else np.append(stored, 0.0)


def column_of(X, j):
    """The values of a column; of a sparse one those stored."""
    return X.data[X.indices == j] if sparse.issparse(X) else X[:, j]


def put_column(X, j, values):
    """Put values where `column_of` found others."""
    if sparse.issparse(X):
        X.data[X.indices == j] = values
    else:
        X[:, j] = values
