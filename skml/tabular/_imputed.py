"""What the learners share that know no missing values: a matrix of numbers."""

from numbers import Real

import numpy as np
from scipy import sparse
from sklearn.base import clone, is_classifier
from sklearn.preprocessing import StandardScaler
from sklearn.utils import gen_batches
from sklearn.utils.validation import has_fit_parameter

from skml._compat.sklearn import HasMethods, Interval, StrOptions
from skml._fitting import warn_user
from skml._random import make_random_state
from skml._table._base import BaseTabular, count_missing, describe_treatment
from skml._table._matrices import (
    divide_columns,
    largest_sizes,
    repeat_row,
    with_small_indices,
    without_zeros,
)
from skml._table._statistics import (
    binary_units,
    is_mostly_zero,
    weighted_mean,
    weighted_median,
    weighted_mode,
)

LARGEST_SEED = 2**31 - 1
LARGEST_UNSCALED = 1e150  # of which the square is a number
ROWS_AT_ONCE = 2**13  # of a table that is prepared to predict
# A prepared table is sparse if it were larger than this as a dense one, and than this
# many times the sparse one.
DENSE_BYTES, DENSE_TIMES = 2**24, 8
SOME_ROWS, LEAST_SPREAD = 100, 1e-6  # of scores, to tell that something was learned
STATISTICS = {
    "median": weighted_median,
    "mean": weighted_mean,
    "most_frequent": weighted_mode,
}


class TablePreparation:
    """Makes complete numbers of a table that was read: what a learner is fitted to.

    The columns of the result are those of numbers, imputed and scaled; then one for
    each category; then one for each feature that had missing values in `fit_transform`
    (1 where the value is missing). A feature that was all missing has none.

    What the result is depends on the table of `fit_transform` alone, so that later
    tables may be dense or sparse. A sparse one stays sparse: columns that are mostly
    zero are scaled, but not centred. A dense one becomes sparse where categories are so
    many that it takes much less memory.

    Parameters
    ----------
    imputation : {"median", "mean", "most_frequent", "constant"} or estimator
        What stands in for missing numbers.
    fill_value : float
        The number of the imputation "constant".
    add_indicator : bool
        Whether columns say where values were missing.
    scale : bool
        Whether columns of numbers get mean 0 and standard deviation 1.
    any_size : bool
        Whether numbers that are not scaled may be too large to be squared.
    random_state : int, RandomState instance or None
        Seeds an estimator that imputes and has no seed of its own.

    Attributes
    ----------
    feature_names_out : ndarray of str
        The names of the columns of the result.
    feature_of_output : ndarray of int
        The feature that each of them is made of.
    treatments : list of str
        For each feature, what becomes of its missing values.
    imputer : estimator
        The fitted estimator that imputes, if there is one.
    """

    imputation_constraint = [
        StrOptions({*STATISTICS, "constant"}),
        HasMethods(["fit_transform", "transform"]),
    ]

    def __init__(
        self,
        *,
        imputation="median",
        fill_value=0.0,
        add_indicator=True,
        scale=True,
        any_size=False,
        random_state=None,
    ):
        self.imputation = imputation
        self.fill_value = fill_value
        self.add_indicator = add_indicator
        self.scale = scale
        self.any_size = any_size
        self.random_state = random_state

    def fit_transform(self, X, reader, sample_weight=None):
        """Learn the statistics of a table, where a weight of k is k rows; prepare it.

        Parameters
        ----------
        X : ndarray or csr_array of shape (n_samples, n_features)
            Numbers, NaN and codes of categories.
        reader : TableReader
            Knows which columns hold categories.
        sample_weight : ndarray of shape (n_samples,), default=None
            Positive weights.

        Returns
        -------
        prepared : ndarray or csr_array of shape (n_samples, n_outputs)
            Finite numbers, of dtype float64.
        """
        self._choose_columns(X, reader)
        self._name_outputs(reader)
        self._choose_container(X)
        numbers = self._numbers(X)
        self._learn_fill(numbers, sample_weight)
        numbers = self._impute(numbers, sample_weight, is_fit=True)
        self._learn_scale(numbers, sample_weight)
        self.treatments = [self._treatment(j) for j in range(reader.n_features)]
        return self._assemble(X, numbers)

    def transform(self, X):
        """Prepare another table as the first one was."""
        if sparse.issparse(X) != self._was_sparse:
            X = sparse.csr_array(X) if self._was_sparse else X.toarray()
        numbers = self._impute(self._numbers(X))
        return self._assemble(X, numbers)

    @property
    def n_centred(self):
        """How many of the first columns have mean 0, or would in a dense table."""
        return 0 if self._deviation is None else len(self._numeric)

    def _choose_container(self, X):
        """Decide whether the prepared table is sparse, by what it would take a row."""
        n_outputs = len(self.feature_names_out)
        n_stored = len(self._numeric) + len(self._categorical) + len(self._indicated)
        dense_bytes, sparse_bytes = 8 * n_outputs, 12 * n_stored
        self._was_sparse = sparse.issparse(X)
        self._is_sparse = self._was_sparse or (
            X.shape[0] * dense_bytes > DENSE_BYTES
            and dense_bytes > DENSE_TIMES * sparse_bytes
        )

    def _choose_columns(self, X, reader):
        n_missing = count_missing(X)
        self._is_empty = n_missing == X.shape[0]
        self._has_holes = (n_missing > 0) & ~self._is_empty
        self._numeric = np.flatnonzero(~reader.is_categorical & ~self._is_empty)
        self._categorical = {
            int(j): len(reader.categories[j])
            for j in np.flatnonzero(reader.is_categorical & ~self._is_empty)
        }
        self._indicated = np.flatnonzero(self._has_holes & bool(self.add_indicator))

    def _numbers(self, X):
        """Copy the columns of numbers, row by row in memory if X is dense."""
        is_sparse = sparse.issparse(X)
        numbers = X[:, self._numeric] if is_sparse else X.take(self._numeric, axis=1)
        return numbers.astype(np.float64, copy=False)

    def _learn_fill(self, numbers, sample_weight):
        if not isinstance(self.imputation, str):
            self._fill = None
        elif self.imputation == "constant":
            self._fill = np.full(len(self._numeric), float(self.fill_value))
        else:
            statistic = STATISTICS[self.imputation]
            self._fill = np.array(
                [
                    statistic(*column)
                    for column in iterate_observed(numbers, sample_weight)
                ]
            )

    def _impute(self, numbers, sample_weight=None, is_fit=False):
        """Fill in what is missing; `numbers` may be overwritten."""
        if self._fill is None:
            return self._impute_by_estimator(numbers, sample_weight, is_fit)
        if sparse.issparse(numbers):
            missing = np.isnan(numbers.data)
            numbers.data[missing] = self._fill[numbers.indices[missing]]
        else:
            np.copyto(numbers, self._fill, where=np.isnan(numbers))
        return numbers

    def _impute_by_estimator(self, numbers, sample_weight, is_fit):
        if numbers.shape[1] == 0:
            return numbers
        if not is_fit:
            filled = self.imputer.transform(numbers)
        else:
            self.imputer = seeded(clone(self.imputation), self.random_state)
            if sample_weight is None or not has_fit_parameter(
                self.imputer, "sample_weight"
            ):
                filled = self.imputer.fit_transform(numbers)
            else:
                self.imputer.fit(numbers, sample_weight=sample_weight)
                filled = self.imputer.transform(numbers)
        return self._check_imputed(filled, numbers.shape[1])

    def _check_imputed(self, filled, n_columns):
        is_sparse = sparse.issparse(filled)
        filled = sparse.csr_array(filled) if is_sparse else np.asarray(filled)
        name = type(self.imputation).__name__
        if filled.shape[1] != n_columns:
            raise ValueError(
                f"imputation={name} made {filled.shape[1]} columns of the {n_columns} "
                "columns of numbers; it must return as many as it gets. Leave "
                "indicators to add_indicator."
            )
        if not np.isfinite(filled.data if is_sparse else filled).all():
            raise ValueError(
                f"imputation={name} left values missing or infinite; it must fill in "
                "all columns of numbers."
            )
        return filled.astype(np.float64, copy=False)

    def _learn_scale(self, numbers, sample_weight):
        self._unit, self._mean, self._deviation = None, None, None
        if numbers.shape[1] == 0:
            return
        if not self.scale:
            if not self.any_size:
                self._check_unscaled(numbers)
            return
        units = binary_units(largest_sizes(numbers))
        if (units != 1).any():
            self._unit = units
            numbers = numbers.copy()
            divide_columns(numbers, units)
        scaler = StandardScaler(with_mean=not sparse.issparse(numbers))
        scaler.fit(numbers, sample_weight=sample_weight)
        self._mean, self._deviation = scaler.mean_, scaler.scale_
        if sparse.issparse(numbers):
            self._mean[is_mostly_zero(without_zeros(numbers), sample_weight)] = 0.0

    def _check_unscaled(self, numbers):
        sizes = largest_sizes(numbers)
        if (sizes > LARGEST_UNSCALED).any():
            j = int(np.argmax(sizes))
            raise ValueError(
                f"The column {self.feature_names_out[j]!r} holds numbers as large as "
                f"{sizes[j]:.3g}, whose squares are no finite numbers. Pass scale=True "
                "or measure the column in a larger unit."
            )

    def _scale(self, numbers):
        """Let columns be in standard deviations; `numbers` are overwritten."""
        if self._deviation is None:
            return numbers
        try:
            with np.errstate(over="raise"):
                if self._unit is not None:
                    divide_columns(numbers, self._unit)
                numbers = self._centre(numbers)
                divide_columns(numbers, self._deviation)
        except FloatingPointError:
            j = int(np.argmax(largest_sizes(numbers)))
            raise ValueError(
                f"The column {self.feature_names_out[j]!r} holds a number that is no "
                "finite number of standard deviations of the training data. Check its "
                "unit."
            ) from None
        return numbers

    def _centre(self, numbers):
        if not sparse.issparse(numbers):
            numbers -= self._mean
            return numbers
        return numbers - repeat_row(self._mean, numbers.shape[0])

    def _assemble(self, X, numbers):
        """Put the blocks of columns side by side."""
        blocks = [self._scale(numbers)]
        for j, n_categories in self._categorical.items():
            blocks.append(self._one_hot(X[:, j], n_categories))
        if len(self._indicated):
            blocks.append(locate_missing(X[:, self._indicated]))
        if len(self.feature_names_out) > sum(block.shape[1] for block in blocks):
            blocks.append(np.zeros((X.shape[0], 1)))  # no feature tells anything
        if not self._is_sparse:
            return np.hstack(blocks, dtype=np.float64)
        blocks = [sparse.csr_array(block, dtype=np.float64) for block in blocks]
        return with_small_indices(sparse.csr_array(sparse.hstack(blocks, format="csr")))

    def _one_hot(self, codes, n_categories):
        """Columns of 0 and 1, one a category; all are 0 where it is missing."""
        if not self._is_sparse:
            return codes[:, np.newaxis] == np.arange(n_categories)
        rows = np.flatnonzero(~np.isnan(codes))
        places = rows, codes[rows].astype(np.intp)
        shape = len(codes), n_categories
        return sparse.coo_array((np.ones(len(rows)), places), shape=shape)

    def _name_outputs(self, reader):
        names = reader.names or [f"x{j}" for j in range(reader.n_features)]
        numeric, indicated = self._numeric.tolist(), self._indicated.tolist()
        outputs = (
            [(j, names[j]) for j in numeric]
            + [
                (j, f"{names[j]}_{label}")
                for j in self._categorical
                for label in reader.categories[j]
            ]
            + [(j, f"missingindicator_{names[j]}") for j in indicated]
        ) or [(0, "nothing")]
        self.feature_of_output = np.array([j for j, _ in outputs])
        self.feature_names_out = np.array([name for _, name in outputs], dtype=object)

    def _treatment(self, j):
        if self._is_empty[j]:
            return "no information: all missing"
        if not self._has_holes[j]:
            return "none missing"
        indicator = " + indicator" if self.add_indicator else ""
        if j in self._categorical:
            return f"one-hot, missing = no category{indicator}"
        if self._fill is None:
            return type(self.imputation).__name__ + indicator
        value = self._fill[np.searchsorted(self._numeric, j)]
        return f"{self.imputation} {value:.4g}{indicator}"


def iterate_observed(numbers, sample_weight=None):
    """Yield the values of each column that are not missing, and their weights.

    The zeros that a sparse column does not hold come as one, with all their weight.
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


def locate_missing(X):
    """Tell where values are missing: 1 where they are, else 0."""
    if not sparse.issparse(X):
        return np.isnan(X)
    missing = X.copy()
    missing.data = np.isnan(X.data).astype(np.float64)
    missing.eliminate_zeros()
    return missing


def predict_by_batches(predict, X):
    """Predict for many rows, of which only some are prepared at a time."""
    if X.shape[0] <= ROWS_AT_ONCE:
        return predict(X)
    batches = gen_batches(X.shape[0], ROWS_AT_ONCE)
    return np.concatenate([predict(X[rows]) for rows in batches])


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


class BaseImputing(BaseTabular):
    """Common ground of the estimators that prepare their table."""

    _parameter_constraints = {
        **BaseTabular._parameter_constraints,
        "imputation": TablePreparation.imputation_constraint,
        "fill_value": [Interval(Real, None, None, closed="neither")],
        "add_indicator": ["boolean"],
        "scale": ["boolean"],
        "library_params": [dict, None],
        "random_state": ["random_state"],
        "verbose": ["verbose"],
    }

    def _new_preparation(self, random_state):
        if self.imputation != "constant" and self.fill_value != 0:
            raise ValueError(
                f"fill_value={self.fill_value!r} belongs to imputation='constant'; "
                f"imputation={self.imputation!r} does not use it."
            )
        return TablePreparation(
            imputation=self.imputation,
            fill_value=self.fill_value,
            add_indicator=self.add_indicator,
            scale=self.scale,
            random_state=random_state,
        )

    def _warn_if_constant(self, score, X, y, advice):
        """Warn if all rows get the same scores, though their targets differ.

        Parameters
        ----------
        score : callable
            Computes the scores of rows that were read.
        X, y : ndarray or csr_array, ndarray
            What was read in `fit`.
        advice : str
            Which parameters to change, should it not be the columns that are constant.
        """
        some = np.arange(0, len(y), 1 + len(y) // SOME_ROWS)
        if np.ptp(y) == 0 or any(
            self._are_spread(score(rows), y) for rows in (X[some], X)
        ):
            return
        prepared = self.preparation_.transform(X)
        if (prepared.max(axis=0) - prepared.min(axis=0)).sum() == 0:
            advice = "No column of X differs between rows."
        warn_user(
            f"{type(self).__name__} learned nothing, and predicts the same for all "
            f"rows. {advice}"
        )

    def _are_spread(self, scores, y):
        size = np.abs(scores).max() if is_classifier(self) else np.ptp(y)
        return (np.ptp(scores, axis=0) > LEAST_SPREAD * size).any()

    def _missing_treatments(self):
        """What is done about the missing values of each feature."""
        reader = self._reader
        return [
            treatment if share > 0 else describe_treatment(share, fill, labels)
            for treatment, share, fill, labels in zip(
                self.preparation_.treatments,
                self.missing_fraction_,
                self._fill,
                reader.categories,
                strict=True,
            )
        ]
