"""The one door for tables: any table becomes a matrix of numbers with NaN."""

from numbers import Real

import numpy as np
from scipy import sparse

from skml._fitting import warn_user
from skml._table._columns import (
    DATES,
    TIMES,
    ZONED_DATES,
    LabelColumn,
    NumberColumn,
    as_labels,
    has_exact_labels,
    kind_of_labels,
    observed_labels,
    recode,
    rounded_labels,
    sentinel_numbers,
    show_label,
)
from skml._table._containers import (  # noqa: F401
    as_container,
    as_dense,
    as_matrix,
    as_table,
    column_names,
    dense_column,
    is_frame,
    is_matrix,
    split_columns,
    take_rows,
)
from skml._table._feature_positions import resolve_features
from skml._table._readers import read_column
from skml._validation import is_missing

MOST_UNIQUE, FEW_ROWS = 0.9, 100  # categories a row, and rows too few to say so


class TableReader:
    """Reads tables of one kind: what was learned from the table of `fit`.

    Parameters
    ----------
    categorical_features : "from_dtype", None or array-like
        Which columns are categories: those of strings and of a category type; none;
        or, as well, those given by name, position or mask.
    missing_values : scalar or list of scalars
        Values that mean missing, beside NaN, None, NA and NaT.
    dtype : type
        The type of float that the learner works with, and tables become.
    caller : str
        The estimator, for messages.

    Attributes
    ----------
    n_features : int
        The number of columns.
    names : list of str or None
        Their names, where the table has names.
    is_categorical : ndarray of shape (n_features,)
        Whether a column holds categories, whose codes are its values.
    categories : list of (list or None)
        The labels of each column of categories.
    kinds : dict of int to (str or None)
        What columns hold, if it is something else than numbers or categories: "dates",
        "dates with a time zone", "durations", or None for nothing but missing values.
    """

    def __init__(
        self,
        *,
        categorical_features,
        missing_values,
        dtype,
        caller,
    ):
        self.categorical_features = categorical_features
        self.sentinels = list_sentinels(missing_values)
        self.dtype = dtype
        self.caller = caller
        self.kinds = {}

    def fit_read(self, X):
        """Learn the kinds and categories of the columns of a table, and read it."""
        self.names = column_names(X)
        X = as_table(X, self.caller)
        self.n_features = X.shape[1]
        declared = self._declared()
        X = X if declared.any() else as_matrix(X)
        if is_matrix(X) and not declared.any():
            self.is_categorical = declared
            self.categories = [None] * self.n_features
            return self._read_matrix(X)
        columns = self._read_fit(X, declared)
        self.kinds = {
            j: column.kind for j, column in enumerate(columns) if column.kind in TIMES
        }
        self.is_categorical = np.array([isinstance(c, LabelColumn) for c in columns])
        self._refuse_undeclared()
        self.categories = [
            observed_labels(column) if isinstance(column, LabelColumn) else None
            for column in columns
        ]
        values = self._stack(columns)
        self._warn_of_labels(columns)
        return values

    def _read_fit(self, X, declared):
        """Read the columns, and let the declared ones be labels."""
        known = [[] if categorical else None for categorical in declared]
        return [
            column if labels is None else as_labels(column)
            for column, labels in zip(self._columns(X, known), known, strict=True)
        ]

    def read(self, X):
        """Read a table that has the columns of the one that was learned.

        Categories that were not seen then are `UNSEEN`.
        """
        if self._is_plain(X):
            return self._checked(self._as_floats(X))
        X = as_table(X, self.caller)
        if self._holds_numbers() and is_matrix(X := as_matrix(X)):
            return self._read_matrix(X)
        return self._stack(list(self._columns(X, self.categories)))

    def expect_nothing(self, columns):
        """Let columns in which nothing was seen hold anything."""
        self.kinds.update(dict.fromkeys(columns, None))

    def forget_unused(self, values):
        """Drop the categories that no row has, such as those of rows left out."""
        for j in np.flatnonzero(self.is_categorical):
            column = dense_column(values, j)
            seen = ~np.isnan(column)
            used, codes = np.unique(column[seen], return_inverse=True)
            if len(used) < len(self.categories[j]):
                self.categories[j] = [self.categories[j][int(code)] for code in used]
                column[seen] = codes
                values[:, j] = column
        return values

    def name_of(self, j):
        """How messages call a column."""
        return f"column {j}" if self.names is None else f"column {self.names[j]!r}"

    def _is_plain(self, X):
        """Whether nothing needs to be done to a table but to look at its values."""
        return (
            type(X) is np.ndarray
            and X.ndim == 2
            and X.dtype.kind == "f"
            and X.shape[0] > 0
            and not self.sentinels
            and self._holds_numbers()
        )

    def _holds_numbers(self):
        """Whether all columns were numbers in `fit`, or nothing."""
        return not (self.is_categorical.any() or any(self.kinds.values()))

    def _declared(self):
        """Which columns the user says are categories."""
        return resolve_features(
            self.categorical_features,
            "categorical_features",
            self.n_features,
            self.names,
        )

    def _refuse_undeclared(self):
        if self.categorical_features is not None or not self.is_categorical.any():
            return
        j = int(np.flatnonzero(self.is_categorical)[0])
        raise ValueError(
            f"{self.caller}: {self.name_of(j)} holds strings or categories, but "
            'categorical_features=None. Pass categorical_features="from_dtype", or '
            "convert the column to numbers."
        )

    def _columns(self, X, known):
        """Read the columns; `known` has for each what `read_column` takes."""
        if is_matrix(X):  # of numbers, some of which are declared to be categories
            X = as_dense(X)
        for j, (column, labels) in enumerate(zip(split_columns(X), known, strict=True)):
            name = f"{self.name_of(j)} of X ({self.caller})"
            yield read_column(column, name, self.sentinels, labels)

    def _read_matrix(self, X):
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

    def _stack(self, columns):
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
        """Refuse floats where `fit` had integers that no float can tell apart."""
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
        before, now = self._kind(j), column.kind
        if not values or before is None:
            return
        now = f"categories of {now}" if now == before else now
        advice = "Convert it to what it was."
        if {before, now} == {DATES, ZONED_DATES}:
            advice = (
                "Give it the time zone that it had, or take it away: in pandas and "
                "polars, dt.tz_localize or dt.replace_time_zone."
            )
        raise ValueError(
            f"{self.caller}: {self.name_of(j)} held {before} in fit, and now holds "
            f"{now}, such as {show_label(values[0], column.kind)}. {advice}"
        )

    def _warn_of_labels(self, columns):
        """Warn of categories from which nothing can be learned."""
        labelled = [(j, columns[j]) for j in np.flatnonzero(self.is_categorical)]
        rounded = [self.name_of(j) for j, c in labelled if rounded_labels(c.labels)]
        if rounded:
            warn_user(
                f"{self.caller}: {', '.join(rounded):.300} holds categories that are "
                "floats of 2**53 and more, each of which may stand for several "
                "integers. Read the column as integers (in pandas with missing values: "
                "Int64), or as strings."
            )
        nearly_unique = [self.name_of(j) for j, c in labelled if is_nearly_unique(c)]
        if nearly_unique:
            warn_user(
                f"{self.caller}: {', '.join(nearly_unique):.300} holds nearly as many "
                "categories as rows, from which little can be learned. If it is text, "
                "turn it into numbers first: ColumnTransformer([('text', "
                "TfidfWeighter(), column)], remainder='passthrough'). If it names the "
                "rows, drop it."
            )

    def _checked(self, values):
        data = values.data if sparse.issparse(values) else values
        if np.isfinite(data).all():
            return values
        wrong = np.isinf(data)
        if not wrong.any():
            return values
        if sparse.issparse(values):
            coordinates = values.tocoo()
            at = int(np.flatnonzero(wrong)[0])
            row, j = int(coordinates.row[at]), int(coordinates.col[at])
        else:
            row, j = (int(i) for i in np.argwhere(wrong)[0])
        raise ValueError(
            f"Input X contains infinity or a value too large for "
            f"dtype('{np.dtype(self.dtype).name}'): row {row}, "
            f"{self.name_of(j)} ({self.caller}). Missing values are NaN; mend or drop "
            "the value."
        )


def list_sentinels(missing_values):
    """The values that mean missing, without those that always do."""
    many = isinstance(missing_values, (list, tuple, set, frozenset, np.ndarray))
    values = list(missing_values) if many else [missing_values]
    values = [value for value in values if not is_missing(value)]
    for value in values:
        if not isinstance(value, (Real, str)) or isinstance(value, (bool, np.bool_)):
            raise TypeError(
                f"missing_values has {value!r:.60} ({type(value).__name__}); expected "
                "numbers and strings, beside NaN, None, NA and NaT."
            )
    return values


def is_nearly_unique(column):
    """Whether a column has nearly as many labels as values, and not just a few."""
    counts = np.bincount(column.codes[column.codes >= 0])
    n_values, n_labels = counts.sum(), np.count_nonzero(counts)
    return bool(n_values >= FEW_ROWS and n_labels >= MOST_UNIQUE * n_values)


def _n_rows(columns):
    column = columns[0]
    return len(column.codes if isinstance(column, LabelColumn) else column.values)
