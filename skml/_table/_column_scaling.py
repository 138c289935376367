"""Numeric columns with mean 0 and standard deviation 1."""

import numpy as np
from scipy import sparse
from sklearn.preprocessing import StandardScaler

from skml._codec import stored
from skml._table._matrices import (
    divide_columns,
    largest_sizes,
    repeat_row,
    without_zeros,
)
from skml._table._statistics import binary_units, is_mostly_zero


@stored
class ColumnScaling:
    """What is done to columns of numbers to scale them.

    Attributes
    ----------
    unit : ndarray of shape (n_columns,) or None
        Powers of two, by which very large and very small numbers are divided first.
    mean : ndarray of shape (n_columns,) or None
        What is subtracted then; None if nothing is.
    deviation : ndarray of shape (n_columns,)
        What columns are divided by at last.
    """

    unit: np.ndarray | None
    mean: np.ndarray | None
    deviation: np.ndarray

    def check(self):
        """Check that there is one of each for each column."""
        for name, values in vars(self).items():
            if values is not None and (
                values.dtype != np.float64 or values.shape != (len(self.deviation),)
            ):
                raise ValueError(f"{name} is not an array of one float a column")

    def apply(self, numbers):
        """Scale columns; `numbers` are overwritten.

        Raises
        ------
        FloatingPointError
            If a result is no finite number.
        """
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
    units = binary_units(largest_sizes(numbers))
    is_ordinary = (units == 1).all()
    if not is_ordinary:
        numbers = numbers.copy()
        divide_columns(numbers, units)
    scaler = StandardScaler(with_mean=not sparse.issparse(numbers))
    scaler.fit(numbers, sample_weight=sample_weight)
    mean, deviation = scaler.mean_, scaler.scale_
    if sparse.issparse(numbers):
        mean[is_mostly_zero(without_zeros(numbers), sample_weight)] = 0.0
    return ColumnScaling(
        unit=None if is_ordinary else units, mean=mean, deviation=deviation
    )
