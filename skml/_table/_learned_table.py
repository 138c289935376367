"""What estimators learn about a table before they learn from it, as one value."""

from dataclasses import replace
from typing import NamedTuple

import numpy as np
from scipy import sparse
from sklearn.base import BaseEstimator, is_classifier
from sklearn.utils.validation import check_consistent_length, validate_data

from skml._codec import show, stored
from skml._estimator import Fitted
from skml._fitting import warn_user
from skml._table._columns import UNSEEN, show_number
from skml._table._containers import (
    as_table,
    column_names,
    dense_column,
    take_rows,
)
from skml._table._imputation import impute
from skml._table._reader import TableReader
from skml._table._reader_learning import drop_unused_categories, learn_reader
from skml._table._statistics import is_mostly_zero, weighted_median, weighted_mode
from skml._table._targets import check_target, encode_labels
from skml._table._weights import check_weights, weigh_classes


class Sample(NamedTuple):
    """Rows as a learner takes them."""

    X: np.ndarray  # or a csr_array: numbers, NaN and codes of categories
    y: np.ndarray  # targets; of a classifier, codes of `classes`
    sample_weight: np.ndarray | None  # positive, those of the classes included
    table: object  # what the user passed
    positions: np.ndarray  # of the rows in it
    classes: np.ndarray | None = None  # of a classifier: the labels, sorted

    def take(self, rows):
        """Some of the rows."""
        weight = None if self.sample_weight is None else self.sample_weight[rows]
        return self._replace(
            X=self.X[rows],
            y=self.y[rows],
            sample_weight=weight,
            positions=self.positions[rows],
        )

    def as_passed(self):
        """The rows as the user passed them."""
        return take_rows(self.table, self.positions)


@stored
class Table(Fitted):
    """How tables are read, which was learned from the table of `fit`."""

    reader: TableReader  # turns tables into matrices of numbers
    n_features_in_: int
    feature_names_in_: np.ndarray | None  # if all are strings
    missing_fraction_: np.ndarray  # fraction of rows where a feature was missing
    # The median, or mode, of features that had no missing values; NaN for the others.
    fill: np.ndarray
    rounding: object = None  # its method `round` gives the precision of the learner

    def check(self):
        """Check that the parts belong together."""
        n, names = self.reader.n_features, self.feature_names_in_
        if self.n_features_in_ != n:
            raise ValueError(f"n_features_in_ is {show(self.n_features_in_)}, not {n}")
        if names is not None and (
            names.shape != (n,) or self.reader.names not in (None, names.tolist())
        ):
            raise ValueError("names and feature_names_in_ are not the same")
        for name in ("missing_fraction_", "fill"):
            values = getattr(self, name)
            if values.dtype != np.float64 or values.shape != (n,):
                raise ValueError(f"{name} is not an array of {n} floats")
        fraction = self.missing_fraction_
        if not ((fraction >= 0) & (fraction <= 1)).all():
            raise ValueError("missing_fraction_ is not from 0 to 1")
        if (np.isnan(self.fill) != (fraction > 0)).any():
            raise ValueError("fill and missing_fraction_ do not belong together")
        for j in np.flatnonzero((fraction == 0) & self.reader.is_categorical):
            code, labels = self.fill[j], self.reader.categories[j]
            if not (code.is_integer() and 0 <= code < len(labels)):
                raise ValueError(f"fill: column {j} has no category {code}")

    @property
    def is_complete(self):
        """Which features had no missing values in `fit`."""
        return self.missing_fraction_ == 0

    def read(self, X, *, warn=True):
        """Read a table with the columns of the one in `fit`: numbers, NaN and codes."""
        X = as_table(X, self.reader.caller)
        self._check_features(X)
        X = self.reader.read(X)
        if self.rounding is not None:
            X = self.rounding.round(X)
        for j in np.flatnonzero(self.reader.is_categorical):
            # Missing; if nothing was in fit, there is no side for it, but the mode.
            X[X[:, j] == UNSEEN, j] = self.fill[j]
        return self._impute_newly_missing(X, warn) if self.is_complete.any() else X

    def _check_features(self, X):
        """Refuse other features than in `fit`, by name."""
        is_array = type(X) is np.ndarray and self.feature_names_in_ is None
        if is_array and X.shape[1] == self.n_features_in_:
            return  # most of the time of a single row would go here
        fitted = _anonymous(self.reader.caller)
        vars(fitted).update(self.attributes())
        try:
            validate_data(fitted, X, reset=False, skip_check_array=True)
        except ValueError as error:
            names, fit_names = column_names(X), self.reader.names
            if names is None or sorted(names) != sorted(fit_names or ()):
                raise
            j = next(j for j, name in enumerate(names) if name != fit_names[j])
            raise ValueError(
                f"{error}Column {j} is {names[j]!r}; in fit it was {fit_names[j]!r}. "
                "Select the columns in their order: X[model.feature_names_in_]."
            ) from None

    def _impute_newly_missing(self, X, warn):
        """Impute features that had no missing values in `fit`."""
        data = X.data if sparse.issparse(X) else X
        if np.isfinite(data).all():
            return X
        new = np.flatnonzero((count_missing(X) > 0) & self.is_complete)
        if len(new) == 0:
            return X
        if warn:
            names = ", ".join(self.reader.name_of(j) for j in new)
            warn_user(
                f"{self.reader.caller}: {names:.300} had no missing values in fit, "
                "and has some now; the median of the training data is imputed, for a "
                "category the most frequent."
            )
        return impute(X.copy(), self.fill)

    def treatments(self, of_missing):
        """Describe what becomes of the missing values of each feature.

        `of_missing` does where some were missing in `fit`, and not all.
        """
        return [
            of_missing[j] if 0 < fraction < 1 else self._treatment(j, fraction)
            for j, fraction in enumerate(self.missing_fraction_)
        ]

    def _treatment(self, j, missing_fraction):
        """What becomes of the missing values of a feature that had all or none."""
        if missing_fraction == 1:
            return "ignored: all values missing"
        fill, labels = self.fill[j], self.reader.categories[j]
        if labels is None:
            typical = f"median {show_number(fill, self.reader.kinds.get(j))}"
        else:
            typical = f"mode {labels[int(fill)]!r}"
        return f"none missing in fit; in predict: {typical}"


def learn_table(X, y, sample_weight, estimator, *, dtype=np.float64, rounding=None):
    """Check what `fit` got; learn how tables are read, and read this one.

    Parameters
    ----------
    X, y, sample_weight : table, array-like, array-like or None
        What the user passed.
    estimator : estimator
        Has the parameters `categorical_features`, `missing_values` and, if it is a
        classifier, `class_weight`; nothing is written on it.
    dtype : type, default=np.float64
        The type of float that the learner works with.
    rounding : callable, default=None
        Called with the sample and the reader, it returns what `Table.rounding` is.

    Returns
    -------
    table : Table
        Reads later tables.
    sample : Sample
        The rows, without those of weight 0.
    """
    caller = type(estimator).__name__
    container = as_table(X, caller)
    seen = _anonymous(caller)
    validate_data(seen, container, skip_check_array=True)
    reader, values = learn_reader(
        container,
        categorical_features=estimator.categorical_features,
        missing_values=estimator.missing_values,
        dtype=dtype,
        caller=caller,
    )
    y = check_target(estimator, y)
    check_consistent_length(values, y)
    weights = check_weights(sample_weight, len(y), caller)
    sample = Sample(values, y, weights, X, np.arange(len(y)))
    if weights is not None and not weights.all():
        sample = sample.take(np.flatnonzero(weights))
        reader, values = drop_unused_categories(reader, sample.X)
        sample = sample._replace(X=values)
    if is_classifier(estimator):
        classes, y = encode_labels(sample.y)
        weights = sample.sample_weight
        weights = weigh_classes(estimator.class_weight, classes, y, weights)
        sample = sample._replace(y=y, sample_weight=weights, classes=classes)
    rounding = rounding and rounding(sample, reader)
    if rounding is not None:
        sample = sample._replace(X=rounding.round(sample.X))
    table = _learn_missing(sample, reader, rounding, seen)
    return table, sample


def _anonymous(caller):
    """An estimator that has learned nothing yet, for scikit-learn's checks."""
    return type(caller, (BaseEstimator,), {})()


def _learn_missing(sample, reader, rounding, seen):
    """Learn where values are missing, and what to impute where none was."""
    n_samples = sample.X.shape[0]
    n_missing = count_missing(sample.X)
    all_missing = np.flatnonzero(n_missing == n_samples).tolist()
    kinds = reader.kinds | dict.fromkeys(all_missing)  # they take anything
    return Table(
        reader=replace(reader, kinds=kinds),
        n_features_in_=seen.n_features_in_,
        feature_names_in_=getattr(seen, "feature_names_in_", None),
        missing_fraction_=n_missing / n_samples,
        fill=_typical_values(sample, reader, n_missing == 0),
        rounding=rounding,
    )


def _typical_values(sample, reader, is_complete):
    """The median or the mode of each feature that has no missing values."""
    X, weights = sample.X, sample.sample_weight
    fill = np.full(reader.n_features, np.nan)
    if sparse.issparse(X):
        X = X.tocsc()
        mostly_zero = is_mostly_zero(X, weights)
        fill[is_complete & mostly_zero] = 0.0
        is_complete = is_complete & ~mostly_zero
    for j in np.flatnonzero(is_complete):
        typical = weighted_mode if reader.is_categorical[j] else weighted_median
        fill[j] = typical(dense_column(X, j), weights)
    return fill


def count_missing(X):
    """Count the missing values of each column."""
    if not sparse.issparse(X):
        return np.isnan(X).sum(axis=0)
    return np.bincount(X.indices[np.isnan(X.data)], minlength=X.shape[1])
