"""Numeric columns with mean 0 and standard deviation 1."""

import numpy as np
from scipy import sparse

from skml._codec import stored
from skml._table._statistics import binary_units, is_mostly_zero


@stored
class ColumnScaling:
    """What is done to columns of numbers to scale them, one number per column."""

    unit: np.ndarray | None  # powers of two, divided by first
    mean: np.ndarray | None  # subtracted then
    deviation: np.ndarray  # divided by at last

    def check(self):
        """Check that there is one of each for each column."""
        for name, values in vars(self).items():
            if values is not None and (
                values.dtype != np.float64 or values.shape != (len(self.deviation),)
            ):
                raise ValueError(f"{name} is not an array of one float a column")

    def apply(self, numbers):
        """Scale columns in place; FloatingPointError if a result is not finite."""
        with np.errstate(over="raise"):
            if self.unit is not None:
                divide_columns(numbers, self.unit)
            if not sparse.issparse(numbers):
                numbers -= self.mean
            else:
                numbers = numbers - repeat_row(self.mean, numbers.shape[0])
            divide_columns(numbers, self.deviation)
        return numbers


def learn_column_scaling(numbers, sample_weight):
    """Learn to scale; sparse columns that are mostly zero are not centred."""
    from sklearn.preprocessing import StandardScaler

    units = binary_units(largest_sizes(numbers))
    is_ordinary = (units == 1).all()
    if not is_ordinary:
        numbers = numbers.copy()
        divide_columns(numbers, units)
    scaler = StandardScaler(with_mean=not sparse.issparse(numbers))
    scaler.fit(numbers, sample_weight=sample_weight)
    mean, deviation = scaler.mean_, scaler.scale_
    if sparse.issparse(numbers):
        columns = numbers.tocsc(copy=True)
        columns.eliminate_zeros()
        mean[is_mostly_zero(columns, sample_weight)] = 0.0
    return ColumnScaling(
        unit=None if is_ordinary else units, mean=mean, deviation=deviation
    )


def largest_sizes(numbers):
    """The largest absolute value of each column."""
    if not sparse.issparse(numbers):
        return np.maximum(numbers.max(axis=0), -numbers.min(axis=0))
    sizes = np.zeros(numbers.shape[1])
    np.maximum.at(sizes, numbers.indices, np.abs(numbers.data))
    return sizes


def divide_columns(numbers, divisors):
    """Divide each column by its divisor, in place."""
    if sparse.issparse(numbers):
        numbers.data /= divisors[numbers.indices]
    else:
        numbers /= divisors


def repeat_row(row, n_rows):
    """A CSR matrix whose rows are all the same."""
    columns = np.flatnonzero(row)
    data, indices = np.tile(row[columns], n_rows), np.tile(columns, n_rows)
    indptr = np.arange(n_rows + 1) * len(columns)
    return sparse.csr_array((data, indices, indptr), shape=(n_rows, len(row)))
