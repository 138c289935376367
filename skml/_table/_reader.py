"""The one door for tables: any table becomes a matrix of numbers with NaN."""

import numpy as np
from scipy import sparse

from skml._codec import show, stored
from skml._table._columns import (
    DATES,
    TIMES,
    ZONED_DATES,
    LabelColumn,
    NumberColumn,
    as_labels,
    has_exact_labels,
    kind_of_labels,
    list_sentinels,
    observed_labels,
    recode,
    rounded_labels,
    sentinel_numbers,
    show_label,
)
from skml._table._containers import as_dense, as_matrix, split_columns
from skml._table._readers import read_column

_LABELS = {str, int, float, bool}  # types of categories that can be stored
_DTYPES = {"float32", "float64"}


@stored
class TableReader:
    """How tables with the columns of the one in `fit` become matrices of numbers."""

    caller: str  # the estimator, for messages
    dtype: str  # type of float that the learner works with
    names: list | None
    is_categorical: np.ndarray  # one bool a column
    categories: list  # a list of labels, or None, for each column
    # One of `TIMES` for columns of them, None for those of nothing but missing values.
    kinds: dict
    sentinels: list  # numbers and strings that mean missing

    @property
    def n_features(self):
        """The number of columns."""
        return len(self.is_categorical)

    def to_data(self):
        """What is stored; categories that are no data are refused."""
        for j, labels in enumerate(self.categories):
            for label in labels or ():
                if type(label) not in _LABELS:
                    raise TypeError(
                        f"{self.name_of(j)} of X: one of its categories is "
                        f"{label!r:.99} (type {type(label).__name__}), which cannot be "
                        "written as data; strings, numbers and bools can. Convert the "
                        "column to strings before fit, or use pickle."
                    )
        return dict(vars(self))

    def check(self):
        """Check that there is one of each for each column."""
        mask, n = self.is_categorical, len(self.categories)
        if self.dtype not in _DTYPES:
            raise ValueError(f"dtype is {show(self.dtype)}")
        if mask.dtype != bool or mask.shape != (n,) or n == 0:
            raise ValueError(f"is_categorical is not an array of {n} bools")
        if self.names is not None and not _are_strings(self.names, n):
            raise ValueError(f"names are not {n} strings")
        for j, labels in enumerate(self.categories):
            are_labels = labels is not None and _are_labels(labels)
            if mask[j] != are_labels or (labels is not None and not are_labels):
                raise ValueError(f"categories: column {j} has {show(labels)}")
        for j, kind in self.kinds.items():
            if type(j) is not int or not 0 <= j < n or kind not in {*TIMES, None}:
                raise ValueError(f"kinds: column {show(j)} has {show(kind)}")
        list_sentinels(self.sentinels)  # raises

    def read(self, X):
        """Read what `as_table` returned; categories not seen in `fit` are `UNSEEN`."""
        holds_numbers = not (self.is_categorical.any() or any(self.kinds.values()))
        matrix = as_matrix(X) if holds_numbers else None
        if matrix is not None:
            return self.read_matrix(matrix)
        return self.stack(list(self.read_columns(X, self.categories)))

    def name_of(self, j):
        """How messages call a column."""
        return f"column {j}" if self.names is None else f"column {self.names[j]!r}"

    def read_columns(self, X, known):
        """Read the columns; `known` has for each what `read_column` takes."""
        columns = split_columns(as_dense(X))
        for j, (column, labels) in enumerate(zip(columns, known, strict=True)):
            name = f"{self.name_of(j)} of X ({self.caller})"
            yield read_column(column, name, self.sentinels, labels)

    def read_matrix(self, X):
        """Read a matrix of numbers, dense or sparse."""
        if not sparse.issparse(X):
            return self._checked(self._as_floats(X))
        if 0 in self.sentinels:
            raise ValueError(
                f"{self.caller}: missing_values has 0, and X is sparse: zeros that are "
                "not stored cannot be missing. Pass X.toarray(), or another value."
            )
        X = X.copy()
        X.sum_duplicates()
        with np.errstate(over="ignore"):
            values = X.astype(self.dtype)
        values.data = self._as_floats(X.data)
        return self._checked(values)

    def _as_floats(self, numbers):
        """Numbers as floats: of those too large, infinity; of sentinels, NaN."""
        with np.errstate(over="ignore"):
            values = np.asarray(numbers, dtype=self.dtype, order="C")
        sentinels = sentinel_numbers(self.sentinels)
        if not sentinels:
            return values
        return np.where(np.isin(numbers, sentinels), np.nan, values)

    def stack(self, columns):
        """Make one matrix of the columns, with the learned codes for labels."""
        values = np.empty((_n_rows(columns), self.n_features), dtype=self.dtype)
        with np.errstate(over="ignore"):
            for j, column in enumerate(columns):
                values[:, j] = self._numbers(column, j)
        return self._checked(values)

    def _numbers(self, column, j):
        is_number = isinstance(column, NumberColumn)
        if column.kind != self._kind(j) or not (is_number or self.is_categorical[j]):
            self._check_empty(column, j)
            return np.full(_n_rows([column]), np.nan)
        if self.is_categorical[j]:
            column = as_labels(column)
            self._refuse_rounded(column.labels, j)
            return recode(column, self.categories[j])
        return column.values

    def _refuse_rounded(self, labels, j):
        """Refuse floats where `fit` had integers that no float distinguishes."""
        rounded = rounded_labels(labels)
        if rounded and has_exact_labels(self.categories[j]):
            raise ValueError(
                f"{self.caller}: {self.name_of(j)} held integers of 2**53 and more in "
                f"fit, and now holds floats, such as {rounded[0]!r}, each of which may "
                "stand for several of them. Pass integers (in pandas with missing "
                "values: Int64), or fit and predict with strings."
            )

    def _kind(self, j):
        """What a column was made of in `fit`."""
        if j in self.kinds:
            return self.kinds[j]
        return kind_of_labels(self.categories[j] or [])

    def _check_empty(self, column, j):
        """Refuse values of another kind than in `fit`, unless there were none."""
        values = observed_labels(as_labels(column))
        expected, kind = self._kind(j), column.kind
        if not values or expected is None:
            return
        kind = f"categories of {kind}" if kind == expected else kind
        advice = "Convert it to what it was."
        if {expected, kind} == {DATES, ZONED_DATES}:
            advice = (
                "Give it the time zone that it had, or take it away: in pandas and "
                "polars, dt.tz_localize or dt.replace_time_zone."
            )
        raise ValueError(
            f"{self.caller}: {self.name_of(j)} held {expected} in fit, and now holds "
            f"{kind}, such as {show_label(values[0], column.kind)}. {advice}"
        )

    def _checked(self, values):
        data = values.data if sparse.issparse(values) else values
        if np.isfinite(data).all():
            return values
        wrong = np.argwhere(np.isinf(data))
        if len(wrong) == 0:
            return values
        row, j = wrong[0].tolist() if data is values else _place(values, wrong[0, 0])
        raise ValueError(
            f"Input X contains infinity or a value too large for "
            f"dtype('{np.dtype(self.dtype).name}'): row {row}, "
            f"{self.name_of(j)} ({self.caller}). Missing values are NaN; mend or drop "
            "the value."
        )


def _n_rows(columns):
    column = columns[0]
    return len(column.codes if isinstance(column, LabelColumn) else column.values)


def _place(matrix, i):
    """The row and the column of a value that a sparse matrix stores."""
    coordinates = matrix.tocoo()
    return int(coordinates.row[i]), int(coordinates.col[i])


def _are_strings(values, length):
    return len(values) == length and all(type(value) is str for value in values)


def _are_labels(labels):
    """Whether something is a list of numbers or strings, each once."""
    return (
        isinstance(labels, list)
        and all(type(label) in _LABELS for label in labels)
        and len(set(labels)) == len(labels)
    )
