"""Preparation of tables for learners that know no missing values: a complete matrix."""

from typing import NamedTuple

import numpy as np
from scipy import sparse
from sklearn.utils import gen_batches

from skml._codec import show, stored
from skml._table._column_scaling import (
    ColumnScaling,
    largest_sizes,
    learn_column_scaling,
)
from skml._table._columns import show_number
from skml._table._imputation import (
    fit_imputer,
    impute,
    impute_by_estimator,
    learn_fill,
)
from skml._table._learned_table import count_missing

LARGEST_UNSCALED = 1e150  # of which the square is a number
ROWS_AT_ONCE = 2**13  # of a table that is prepared to predict
# A prepared table is sparse if it were larger than this as a dense one, and than this
# many times the sparse one.
DENSE_BYTES, DENSE_TIMES = 2**24, 8


class Roles(NamedTuple):
    """What becomes of the features; those that are all missing have no role."""

    numeric: np.ndarray  # positions of the features that are numbers
    categorical: dict  # the number of categories of each feature that has some
    indicated: np.ndarray  # positions of those with a missing indicator


@stored
class TablePreparation:
    """Makes complete numbers of a table that was read: what a learner is fitted to.

    The columns of the result are those of numbers, imputed and scaled; then one for
    each category; then one for each feature that had missing values in `fit` (1 where
    the value is missing). A feature that was all missing has none.

    What the result is depends on the table of `fit` alone, so that later tables may be
    dense or sparse. A sparse one stays sparse: columns that are mostly zero are scaled,
    but not centred. A dense one becomes sparse where categories are so many that it
    takes much less memory.
    """

    feature_names_out: np.ndarray
    feature_of_output: np.ndarray  # the position of the feature that it is made of
    treatments: list  # of missing values, in words, one a feature
    numeric: np.ndarray  # those of `Roles`
    categorical: dict
    indicated: np.ndarray
    fill: np.ndarray | None  # None if an estimator imputes
    imputer: object  # fitted, or None
    scaling: ColumnScaling | None
    was_sparse: bool  # the table of `fit`
    is_sparse: bool  # the result

    def check(self):
        """Check that the parts belong together, and to a number of features."""
        n, n_numeric = len(self.treatments), len(self.numeric)
        for name in ("numeric", "indicated", "feature_of_output"):
            columns = getattr(self, name)
            if (
                columns.dtype.kind != "i"
                or columns.ndim != 1
                or not _are_in(columns, n)
            ):
                raise ValueError(f"{name} are not columns of {n}")
        for j, n_categories in self.categorical.items():
            if not all(type(v) is int for v in (j, n_categories)) or not 0 <= j < n:
                raise ValueError(f"categorical: column {show(j)} has {n_categories!r}")
        wide = n_numeric + sum(self.categorical.values()) + len(self.indicated)
        names = self.feature_names_out
        if not names.shape == self.feature_of_output.shape == (wide or 1,):
            raise ValueError(f"there are not {wide or 1} feature_names_out")
        if self.fill is None:
            if n_numeric and not hasattr(self.imputer, "transform"):
                raise ValueError(f"imputer is {show(self.imputer)}")
        elif self.fill.dtype != np.float64 or self.fill.shape != (n_numeric,):
            raise ValueError(f"fill is not an array of {n_numeric} floats")
        if self.scaling is not None and len(self.scaling.deviation) != n_numeric:
            raise ValueError(f"scaling is not of {n_numeric} columns")

    def check_table(self, reader):
        """Check that these are the features of a table."""
        if len(self.treatments) != reader.n_features or any(
            reader.categories[j] is None or len(reader.categories[j]) != n_categories
            for j, n_categories in self.categorical.items()
        ):
            raise ValueError("preparation and table do not belong together")

    @property
    def n_centred(self):
        """How many of the first columns have mean 0, or would in a dense table."""
        return 0 if self.scaling is None else len(self.numeric)

    def transform(self, X):
        """Prepare another table as the first one was."""
        if sparse.issparse(X) != self.was_sparse:
            X = sparse.csr_array(X) if self.was_sparse else X.toarray()
        numbers = take_numbers(X, self.numeric)
        if self.fill is None:
            numbers = impute_by_estimator(numbers, self.imputer)
        else:
            numbers = impute(numbers, self.fill)
        return self.assemble(X, numbers)

    def assemble(self, X, numbers):
        """Put the blocks of columns side by side."""
        blocks = [numbers if self.scaling is None else self._scale(numbers)]
        for j, n_categories in self.categorical.items():
            blocks.append(one_hot(X[:, j], n_categories, self.is_sparse))
        if len(self.indicated):
            blocks.append(locate_missing(X[:, self.indicated]))
        if len(self.feature_names_out) > sum(block.shape[1] for block in blocks):
            blocks.append(np.zeros((X.shape[0], 1)))  # no feature has a role
        if not self.is_sparse:
            return np.hstack(blocks, dtype=np.float64)
        blocks = [sparse.csr_array(block, dtype=np.float64) for block in blocks]
        return with_small_indices(sparse.csr_array(sparse.hstack(blocks, format="csr")))

    def _scale(self, numbers):
        try:
            return self.scaling.apply(numbers)
        except FloatingPointError:
            j = int(np.argmax(largest_sizes(numbers)))
            raise ValueError(
                f"The column {self.feature_names_out[j]!r} holds a number that is no "
                "finite number of standard deviations of the training data. Check its "
                "unit."
            ) from None


def learn_preparation(
    X,
    reader,
    sample_weight=None,
    *,
    imputation="median",
    fill_value=0.0,
    add_indicator=True,
    scale=True,
    random_state=None,
):
    """Learn the statistics of a table, where a weight of k is k rows; prepare it.

    `random_state` seeds an estimator that imputes and has no seed of its own.
    """
    roles = learn_roles(X, reader, add_indicator=add_indicator)
    names, of_output = name_outputs(roles, reader)
    numbers = take_numbers(X, roles.numeric)
    imputer, fill = None, learn_fill(numbers, sample_weight, imputation, fill_value)
    if fill is None:
        imputer, numbers = fit_imputer(numbers, sample_weight, imputation, random_state)
    else:
        numbers = impute(numbers, fill)
    scaling = None
    if scale and numbers.shape[1]:
        scaling = learn_column_scaling(numbers, sample_weight)
    name = imputation if isinstance(imputation, str) else type(imputation).__name__
    preparation = TablePreparation(
        feature_names_out=names,
        feature_of_output=of_output,
        treatments=describe_treatments(roles, reader, name, fill, add_indicator),
        **roles._asdict(),
        fill=fill,
        imputer=imputer,
        scaling=scaling,
        was_sparse=sparse.issparse(X),
        is_sparse=sparse.issparse(X) or is_better_sparse(X, roles, len(names)),
    )
    return preparation, preparation.assemble(X, numbers)


def learn_roles(X, reader, *, add_indicator=True):
    """Find what becomes of each feature."""
    n_missing = count_missing(X)
    has_values = n_missing < X.shape[0]
    has_missing = (n_missing > 0) & has_values & bool(add_indicator)
    return Roles(
        numeric=np.flatnonzero(~reader.is_categorical & has_values),
        categorical={
            int(j): len(reader.categories[j])
            for j in np.flatnonzero(reader.is_categorical & has_values)
        },
        indicated=np.flatnonzero(has_missing),
    )


def name_outputs(roles, reader):
    """The names of the prepared columns, and the feature that each is made of."""
    names = reader.names or [f"x{j}" for j in range(reader.n_features)]
    outputs = (
        [(j, names[j]) for j in roles.numeric.tolist()]
        + [
            (j, f"{names[j]}_{label}")
            for j in roles.categorical
            for label in reader.categories[j]
        ]
        + [(j, f"missingindicator_{names[j]}") for j in roles.indicated.tolist()]
    ) or [(0, "nothing")]
    feature_of_output = np.array([j for j, _ in outputs])
    return np.array([name for _, name in outputs], dtype=object), feature_of_output


def describe_treatments(roles, reader, imputation, fill, add_indicator):
    """Describe what becomes of the missing values of each feature."""
    indicator = " + indicator" if add_indicator else ""
    treatments = ["ignored: all values missing"] * reader.n_features
    for j in roles.categorical:
        treatments[j] = f"one-hot, missing encoded as zeros{indicator}"
    for i, j in enumerate(roles.numeric.tolist()):
        # A constant is shown as the number that was passed.
        kind = None if imputation == "constant" else reader.kinds.get(j)
        value = "" if fill is None else f" {show_number(fill[i], kind)}"
        treatments[j] = f"{imputation}{value}{indicator}"
    return treatments


def is_better_sparse(X, roles, n_outputs):
    """Decide whether a prepared table is sparse, by what it would take a row."""
    n_stored = sum(map(len, roles))
    dense_bytes, sparse_bytes = 8 * n_outputs, 12 * n_stored
    return (
        X.shape[0] * dense_bytes > DENSE_BYTES
        and dense_bytes > DENSE_TIMES * sparse_bytes
    )


def check_squares(prepared, names):
    """Refuse columns whose squares are no finite numbers."""
    sizes = largest_sizes(prepared)
    if (sizes > LARGEST_UNSCALED).any():
        j = int(np.argmax(sizes))
        raise ValueError(
            f"The column {names[j]!r} holds numbers as large as {sizes[j]:.3g}, whose "
            "squares are no finite numbers. Pass scale=True or measure the column in a "
            "larger unit."
        )


def take_numbers(X, numeric):
    """Copy the columns of numbers, row by row in memory if X is dense."""
    numbers = X[:, numeric] if sparse.issparse(X) else X.take(numeric, axis=1)
    return numbers.astype(np.float64, copy=False)


def one_hot(codes, n_categories, is_sparse):
    """Columns of 0 and 1, one a category; all are 0 where it is missing."""
    if not is_sparse:
        return codes[:, np.newaxis] == np.arange(n_categories)
    rows = np.flatnonzero(~np.isnan(codes))
    positions = rows, codes[rows].astype(np.intp)
    shape = len(codes), n_categories
    return sparse.coo_array((np.ones(len(rows)), positions), shape=shape)


def locate_missing(X):
    """Missing indicators: 1 where values are missing, else 0."""
    if not sparse.issparse(X):
        return np.isnan(X)
    missing = X.copy()
    missing.data = np.isnan(X.data).astype(np.float64)
    missing.eliminate_zeros()
    return missing


def with_small_indices(X):
    """A sparse matrix of 32-bit indices, if it can be: liblinear takes no others."""
    if X.nnz < 2**31:
        X.indices = X.indices.astype(np.int32, copy=False)
        X.indptr = X.indptr.astype(np.int32, copy=False)
    return X


def predict_by_batches(predict, X):
    """Predict for many rows, of which only some are prepared at a time."""
    if X.shape[0] <= ROWS_AT_ONCE:
        return predict(X)
    batches = gen_batches(X.shape[0], ROWS_AT_ONCE)
    return np.concatenate([predict(X[rows]) for rows in batches])


def _are_in(columns, n):
    return len(columns) == 0 or (columns.min() >= 0 and columns.max() < n)
