"""Imputation of numeric columns: by a statistic, a constant, or an estimator."""

import numpy as np
from scipy import sparse
from sklearn.base import clone
from sklearn.utils.validation import has_fit_parameter

from skml._compat.sklearn import HasMethods, StrOptions
from skml._random import make_random_state
from skml._table._statistics import weighted_mean, weighted_median, weighted_mode

LARGEST_SEED = 2**31 - 1
STATISTICS = {
    "median": weighted_median,
    "mean": weighted_mean,
    "most_frequent": weighted_mode,
}
IMPUTATION_CONSTRAINT = [
    StrOptions({*STATISTICS, "constant"}),
    HasMethods(["fit_transform", "transform"]),
]


def check_fill_value(imputation, fill_value):
    """Refuse a value to impute that is not used."""
    if imputation != "constant" and fill_value != 0:
        raise ValueError(
            f"fill_value={fill_value!r} belongs to imputation='constant'; "
            f"imputation={imputation!r} does not use it."
        )


def learn_fill(numbers, sample_weight, imputation, fill_value):
    """Find what is imputed in each column; None if an estimator imputes."""
    if not isinstance(imputation, str):
        return None
    if imputation == "constant":
        return np.full(numbers.shape[1], float(fill_value))
    statistic = STATISTICS[imputation]
    columns = iterate_observed(numbers, sample_weight)
    return np.array([statistic(*column) for column in columns], dtype=np.float64)


def impute(numbers, fill):
    """Impute one value per column; `numbers` are overwritten."""
    if sparse.issparse(numbers):
        missing = np.isnan(numbers.data)
        numbers.data[missing] = fill[numbers.indices[missing]]
    else:
        np.copyto(numbers, fill, where=np.isnan(numbers))
    return numbers


def fit_imputer(numbers, sample_weight, imputation, random_state):
    """Fit a clone of an estimator that imputes (None without columns), and impute."""
    if numbers.shape[1] == 0:
        return None, numbers
    imputer = seeded(clone(imputation), random_state)
    if sample_weight is None or not has_fit_parameter(imputer, "sample_weight"):
        imputed = imputer.fit_transform(numbers)
    else:
        imputer.fit(numbers, sample_weight=sample_weight)
        imputed = imputer.transform(numbers)
    return imputer, check_imputed(imputed, imputer, numbers.shape[1])


def impute_by_estimator(numbers, imputer):
    """Impute later rows."""
    if imputer is None:
        return numbers
    return check_imputed(imputer.transform(numbers), imputer, numbers.shape[1])


def check_imputed(imputed, imputer, n_columns):
    """Refuse another number of columns than there was, and missing values."""
    is_sparse = sparse.issparse(imputed)
    imputed = sparse.csr_array(imputed) if is_sparse else np.asarray(imputed)
    name = type(imputer).__name__
    if imputed.shape[1] != n_columns:
        raise ValueError(
            f"imputation={name} made {imputed.shape[1]} columns of the {n_columns} "
            "columns of numbers; it must return as many as it gets. Leave "
            "indicators to add_indicator."
        )
    if not np.isfinite(imputed.data if is_sparse else imputed).all():
        raise ValueError(
            f"imputation={name} left values missing or infinite; it must fill in "
            "all columns of numbers."
        )
    return imputed.astype(np.float64, copy=False)


def iterate_observed(numbers, sample_weight=None):
    """Yield the values of each column that are not missing, and their weights.

    The zeros that a sparse column does not store come as one, with all their weight.
    """
    if not sparse.issparse(numbers):
        for column in numbers.T:
            seen = ~np.isnan(column)
            weights = None if sample_weight is None else sample_weight[seen]
            yield column[seen], weights
        return
    n_rows = numbers.shape[0]
    all_weights = np.ones(n_rows) if sample_weight is None else sample_weight
    columns = sparse.csc_array(numbers)
    for start, stop in zip(columns.indptr[:-1], columns.indptr[1:], strict=True):
        values = columns.data[start:stop]
        weights = all_weights[columns.indices[start:stop]]
        absent = all_weights.sum() - weights.sum() if stop - start < n_rows else 0.0
        seen = ~np.isnan(values)
        values, weights = values[seen], weights[seen]
        if absent > 0:
            values, weights = np.append(values, 0.0), np.append(weights, absent)
        yield values, weights


def seeded(estimator, random_state):
    """Give seeds to an estimator, and those inside it, that have none."""
    unset = [
        name
        for name, value in sorted(estimator.get_params().items())
        if name.rpartition("__")[2] == "random_state" and value is None
    ]
    if unset:
        random_state = make_random_state(random_state)
        seeds = {name: int(random_state.randint(LARGEST_SEED)) for name in unset}
        estimator.set_params(**seeds)
    return estimator
