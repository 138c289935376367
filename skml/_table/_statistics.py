"""Statistics of a column, where a weight of k stands for k equal rows."""

import numpy as np
from scipy import sparse
from sklearn.utils.sparsefuncs import mean_variance_axis

ROUNDING = 1e-12  # of sums of weights
ORDINARY = 1e-100, 1e100  # sizes of numbers whose squares are numbers, too


def weighted_median(values, weights=None):
    """Compute the median of values, of which none is missing."""
    if weights is None:
        return float(np.median(values))
    order = np.argsort(values, kind="stable")
    values = values[order]
    total = np.cumsum(weights[order])
    # Half the weight may lie at the end of a value: then the next counts too.
    half = total[-1] / 2 * (1 + np.array([-ROUNDING, ROUNDING]))
    lower, upper = np.searchsorted(total, half)
    return float((values[lower] + values[min(upper, len(values) - 1)]) / 2)


def weighted_mode(values, weights=None):
    """Find the value of the largest total weight, of several the smallest."""
    distinct, codes = np.unique(values, return_inverse=True)
    return float(distinct[np.argmax(np.bincount(codes, weights=weights))])


def weighted_mean(values, weights=None):
    """Compute the mean."""
    return float(np.average(values, weights=weights))


def is_mostly_zero(X, weights=None):
    """Find the columns of a CSC array of which most rows have a zero, not stored."""
    weights = np.ones(X.shape[0]) if weights is None else weights
    stored = np.add.reduceat(np.append(weights[X.indices], 0.0), X.indptr[:-1])
    stored[np.diff(X.indptr) == 0] = 0.0  # where reduceat gives the next value
    return stored < weights.sum() / 2 * (1 - ROUNDING)


def weighted_moments(X, weights=None):
    """Compute the mean and the variance of each column, of a dense or CSR matrix."""
    if sparse.issparse(X):
        return mean_variance_axis(X, axis=0, weights=weights)
    means = np.average(X, axis=0, weights=weights)
    squares = X - means
    np.square(squares, out=squares)
    return means, np.average(squares, axis=0, weights=weights)


def mean_and_deviation(values, weights=None):
    """Compute the mean and the standard deviation of columns, in whatever unit.

    Values and differences are divided by powers of two, which is exact, so that neither
    squares of tiny ones vanish nor those of huge ones overflow.
    """
    unit = np.frexp(np.abs(values).max(axis=0))[1]
    values = np.ldexp(values, -unit)
    mean = np.average(values, axis=0, weights=weights)
    differences = values - mean
    exponent = np.frexp(np.abs(differences).max(axis=0))[1]
    squares = np.square(np.ldexp(differences, -exponent))
    variance = np.average(squares, axis=0, weights=weights)
    return np.ldexp(mean, unit), np.ldexp(np.sqrt(variance), exponent + unit)


def binary_units(sizes):
    """Find powers of two by which columns of these largest sizes have sizes near one.

    To divide by them rounds nothing; ordinary sizes keep the unit 1.
    """
    exponents = np.frexp(sizes)[1] - 1
    low, high = ORDINARY
    is_ordinary = (sizes == 0) | ((sizes > low) & (sizes < high))
    return np.where(is_ordinary, 1.0, np.ldexp(1.0, exponents))
