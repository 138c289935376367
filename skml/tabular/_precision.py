"""Which values a library can distinguish, and columns where that is not enough."""

import numpy as np
from scipy import sparse

from skml._codec import show, stored
from skml._compat.sklearn_boosting import FEATURE_THRESHOLD

N_LOOKED_AT = 2048  # rows, evenly spaced
LARGEST_FRACTION = 0.05  # of distinct values, that may be lost


@stored
class Precision:
    """How a library looks at numbers."""

    dtype: str  # what it keeps them as
    gap: float = 0.0  # values that are no further apart are equal
    zero: float = 0.0  # values that are no further from zero are zero
    largest: float = float(np.finfo(np.float32).max)  # of those that it handles

    def check(self):
        """Check that it is a type of float, with limits that it has, none negative."""
        if self.dtype not in {"float32", "float64"}:
            raise ValueError(f"dtype is {show(self.dtype)}")
        if not min(self.gap, self.zero, self.largest) >= 0:
            raise ValueError("gap, zero or largest is negative")
        if not self.largest <= float(np.finfo(self.dtype).max):
            raise ValueError(f"largest is {self.largest}, which no {self.dtype} is")

    def seen(self, values):
        """Values as the library sees them, in float64."""
        with np.errstate(over="ignore"):
            seen = values.astype(self.dtype).astype(np.float64)
        return np.where(np.abs(seen) <= self.zero, 0.0, seen)

    def handles(self, values):
        """Whether all values are in the range of the library."""
        return not (np.abs(values) > self.largest).any()

    def round(self, X):
        """A table as floats of the library; what is out of range at its ends."""
        if not self.handles(X.data if sparse.issparse(X) else X):
            X = X.copy()
            values = X.data if sparse.issparse(X) else X
            np.clip(values, -self.largest, self.largest, out=values)
        return X.astype(self.dtype, copy=False)

    def is_suspicious(self, X):
        """Which columns have values that the library sees as others."""
        values = X.data if sparse.issparse(X) else X
        changed = np.abs(values) > self.largest
        if self.dtype != "float64" or self.zero:
            changed |= (self.seen(values) != values) & ~np.isnan(values)
        if self.gap:
            changed |= values != 0
        if not sparse.issparse(X):
            return changed.any(axis=0)
        return np.bincount(X.indices[changed], minlength=X.shape[1]) > 0


FLOAT32 = Precision(dtype="float32")
EXACT = Precision(dtype="float32", gap=FEATURE_THRESHOLD)
# LightGBM's own: kZeroThreshold, and the largest threshold of a split.
LIGHTGBM = Precision(dtype="float64", zero=1e-35, largest=1e300)
# Bins end between two values, at half a sum.
HIST = Precision(dtype="float64", largest=8e307)


def fraction_lost(values, precision):
    """The fraction of distinct values that become equal to the next smaller one.

    It is 0 where it is too small to matter.
    """
    step = -(-len(values) // N_LOOKED_AT)
    values = values[::step]
    seen = precision.seen(values)
    if precision.gap == 0 and np.array_equal(seen, values, equal_nan=True):
        return 0.0
    distinct = np.unique(values[~np.isnan(values)])
    if len(distinct) < 2:
        return 0.0
    with np.errstate(invalid="ignore"):  # infinity less infinity
        are_distinct = np.diff(precision.seen(distinct)) > precision.gap
    fraction = 1 - are_distinct.mean()
    return float(fraction) if fraction > LARGEST_FRACTION else 0.0
