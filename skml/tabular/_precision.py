"""What a library can tell apart, and columns in which that is not enough."""

from typing import NamedTuple

import numpy as np
from scipy import sparse

N_LOOKED_AT = 2048  # rows, evenly spaced
LARGEST_SHARE = 0.05  # of distinct values, that may be lost


class Precision(NamedTuple):
    """How a library looks at numbers."""

    dtype: type  # what it keeps them as
    gap: float = 0.0  # values that are no further apart are equal
    zero: float = 0.0  # values that are no further from zero are zero
    largest: float = np.inf  # larger values are not handled

    def seen(self, values):
        """Values as the library sees them, in float64."""
        with np.errstate(over="ignore"):
            seen = values.astype(self.dtype).astype(np.float64)
        return np.where(np.abs(seen) <= self.zero, 0.0, seen)

    def handles(self, values):
        """Whether all values are in the range of the library."""
        return not (np.abs(values) > self.limit).any()

    @property
    def limit(self):
        """The largest value."""
        return min(self.largest, float(np.finfo(self.dtype).max))

    def clipped(self, X):
        """A table as floats of the library; what is out of range at its ends."""
        if not self.handles(X.data if sparse.issparse(X) else X):
            X = X.copy()
            values = X.data if sparse.issparse(X) else X
            np.clip(values, -self.limit, self.limit, out=values)
        return X.astype(self.dtype, copy=False)

    def is_suspicious(self, X):
        """Which columns have values that the library sees as others."""
        values = X.data if sparse.issparse(X) else X
        changed = np.abs(values) > self.limit
        if self.dtype is not np.float64 or self.zero:
            changed |= (self.seen(values) != values) & ~np.isnan(values)
        if self.gap:
            changed |= values != 0
        if not sparse.issparse(X):
            return changed.any(axis=0)
        return np.bincount(X.indices[changed], minlength=X.shape[1]) > 0


FLOAT32 = Precision(np.float32)
# Values that scikit-learn's exact trees see as equal: FEATURE_THRESHOLD, its own.
EXACT = Precision(np.float32, gap=1e-7)
# LightGBM's own: kZeroThreshold, and the largest threshold of a split.
LIGHTGBM = Precision(np.float64, zero=1e-35, largest=1e300)
HIST = Precision(
    np.float64, largest=8e307
)  # bins end between two values, at half a sum


def share_lost(values, precision):
    """The share of distinct values that become equal to the next smaller one.

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
        told_apart = np.diff(precision.seen(distinct)) > precision.gap
    share = 1 - told_apart.mean()
    return float(share) if share > LARGEST_SHARE else 0.0
