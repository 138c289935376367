"""What all estimators of tables share: input, weights, targets, missing values."""

from numbers import Real

import numpy as np
from scipy import sparse
from sklearn.base import BaseEstimator, is_classifier
from sklearn.utils import check_array, get_tags
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import (
    check_consistent_length,
    column_or_1d,
    validate_data,
)

from skml._compat.sklearn import StrOptions
from skml._fitting import warn_user
from skml._table._columns import UNSEEN
from skml._table._frame import TableReader, as_container, column_names
from skml._table._statistics import is_mostly_zero, weighted_median, weighted_mode
from skml._validation import is_missing


class BaseTabular(BaseEstimator):
    """Common ground of the estimators of tables.

    A subclass names the type of float that its learner works with, `_dtype`.
    """

    _dtype = np.float64
    _parameter_constraints = {
        "categorical_features": [StrOptions({"from_dtype"}), "array-like", None],
        "missing_values": [object],
    }

    def _read_fit(self, X, y, sample_weight):
        """Check what `fit` got; learn how to read tables.

        Parameters
        ----------
        X : table
            What the user passed.
        y : array-like of shape (n_samples,) or (n_samples, n_outputs)
            The targets.
        sample_weight : array-like of shape (n_samples,) or None
            The weights.

        Returns
        -------
        X : ndarray or csr_array of shape (n_kept, n_features)
            Numbers, NaN and codes of categories.
        y : ndarray of shape (n_kept,) or (n_kept, n_outputs)
            Targets; of a classifier, codes of `classes_`.
        sample_weight : ndarray of shape (n_kept,) or None
            Positive weights, those of the classes included.
        kept : ndarray of shape (n_kept,)
            Which rows they are: those whose weight is not zero.
        """
        X = as_container(X, type(self).__name__)
        validate_data(self, X, skip_check_array=True)
        reader = TableReader(
            categorical_features=self.categorical_features,
            missing_values=self.missing_values,
            dtype=self._dtype,
            caller=type(self).__name__,
        )
        X = reader.fit_read(X)
        y = check_target(self, y)
        check_consistent_length(X, y)
        sample_weight = check_weights(sample_weight, X.shape[0], self)
        kept = np.arange(X.shape[0])
        if sample_weight is not None and not sample_weight.all():
            kept = np.flatnonzero(sample_weight)
            X, y, sample_weight = X[kept], y[kept], sample_weight[kept]
            X = reader.forget_unused(X)
        if is_classifier(self):
            self.classes_, y = encode_labels(y)
            sample_weight = weigh_classes(
                self.class_weight, self.classes_, y, sample_weight
            )
        self._reader = reader
        X = self._fit_precision(X)
        self._learn_missing(X, sample_weight)
        return X, y, sample_weight, kept

    def _learn_missing(self, X, sample_weight):
        """Learn where values are missing, and what stands in where none was."""
        reader = self._reader
        n_missing = count_missing(X)
        reader.expect_nothing(np.flatnonzero(n_missing == X.shape[0]).tolist())
        self.missing_share_ = n_missing / X.shape[0]
        self._is_complete = n_missing == 0
        self._fill = np.full(reader.n_features, np.nan)
        columns = self._is_complete
        if sparse.issparse(X):
            X = X.tocsc()
            mostly_zero = is_mostly_zero(X, sample_weight)
            self._fill[columns & mostly_zero] = 0.0
            columns = columns & ~mostly_zero
        for j in np.flatnonzero(columns):
            column = X[:, [j]].toarray().ravel() if sparse.issparse(X) else X[:, j]
            typical = weighted_mode if reader.is_categorical[j] else weighted_median
            self._fill[j] = typical(column, sample_weight)

    def _read_predict(self, X, *, warn=True):
        """Read a table that has the columns of the one in `fit`."""
        X = as_container(X, type(self).__name__)
        self._check_features(X)
        X = self._to_precision(self._reader.read(X))
        for j in np.flatnonzero(self._reader.is_categorical):
            # Missing; if nothing was in fit, there is no side for it, but the mode.
            X[X[:, j] == UNSEEN, j] = self._fill[j]
        if not self._is_complete.any():
            return X
        return self._fill_new_holes(X, warn)

    def _fit_precision(self, X):
        """Learn of which columns the learner loses digits."""
        return X

    def _to_precision(self, X):
        """Round a table as the learner does."""
        return X

    def _check_features(self, X):
        """Refuse other features than in `fit`, and say which."""
        is_array = type(X) is np.ndarray and not hasattr(self, "feature_names_in_")
        if is_array and X.shape[1] == self.n_features_in_:
            return  # most of the time of a single row would go here
        try:
            validate_data(self, X, reset=False, skip_check_array=True)
        except ValueError as error:
            names = column_names(X)
            if names is None or sorted(names) != sorted(self._reader.names or ()):
                raise
            pairs = enumerate(zip(names, self._reader.names, strict=True))
            j, (now, before) = next(
                (j, pair) for j, pair in pairs if len(set(pair)) > 1
            )
            raise ValueError(
                f"{error}Column {j} is {now!r}; in fit it was {before!r}. Select the "
                "columns in their order: X[model.feature_names_in_]."
            ) from None

    def _fill_new_holes(self, X, warn):
        """Fill what is missing in columns where in `fit` nothing was."""
        data = X.data if sparse.issparse(X) else X
        if np.isfinite(data).all():
            return X
        new = np.flatnonzero((count_missing(X) > 0) & self._is_complete)
        if len(new) == 0:
            return X
        if warn:
            names = ", ".join(self._reader.name_of(j) for j in new)
            warn_user(
                f"{type(self).__name__}: {names:.300} had no missing values in fit, "
                "and has some now; the median of the training data stands in, for a "
                "category the most frequent."
            )
        return fill_columns(X, new, self._fill)

    def _chosen_sides(self):
        """The splits, where missing values choose a side."""
        return

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        tags.input_tags.sparse = True
        tags.input_tags.categorical = True
        return tags


def count_missing(X):
    """Count the missing values of each column."""
    if not sparse.issparse(X):
        return np.isnan(X).sum(axis=0)
    return np.bincount(X.indices[np.isnan(X.data)], minlength=X.shape[1])


def fill_columns(X, columns, fill):
    """Put a value a column in the place of what is missing there, in a copy."""
    X = X.copy()
    if sparse.issparse(X):
        of_column = np.full(X.shape[1], np.nan)
        of_column[columns] = fill[columns]
        missing = np.isnan(X.data)
        X.data[missing] = of_column[X.indices[missing]]
        return X
    for j in columns:
        X[np.isnan(X[:, j]), j] = fill[j]
    return X


def check_target(estimator, y):
    """Check targets: none missing; those of a regressor as floats.

    They have one dimension; those of a regressor whose tags say so may have two.
    """
    caller = type(estimator).__name__
    if y is None:
        raise ValueError(f"{caller} requires y to be passed, but the target y is None.")
    given, y = y, _without_library(y)
    if getattr(y, "dtype", None) is not None and y.dtype.kind == "T":
        raise TypeError(
            f"{caller}: y has the dtype {y.dtype}, which scikit-learn's metrics do not "
            "know. Convert it: y.astype(object)."
        )
    if _takes_columns(estimator) and np.asarray(y).ndim == 2:
        return _check_columns(y, column_names(given), caller)
    if isinstance(y, (list, tuple)):  # NumPy would make "nan" of NaN beside strings
        _refuse_missing(y, caller)
    y = column_or_1d(y, warn=True)
    if y.dtype.kind == "O":
        _refuse_missing(y.tolist(), caller)
        if all(isinstance(value, (Real, np.bool_)) for value in y):
            y = np.array(y.tolist())
    if y.dtype.kind == "f":
        _refuse_not_finite(y, caller)
    if is_classifier(estimator):
        for labels in (given, y):
            _refuse_objects(labels, caller)
        check_classification_targets(y)
        return y
    return check_array(y, ensure_2d=False, dtype=np.float64, input_name="y")


def _without_library(y):
    """Targets in a container of pandas, polars or pyarrow as an array."""
    if type(y).__module__.startswith("pyarrow"):
        return np.asarray(y)
    return y.to_numpy() if hasattr(y, "to_numpy") else y


def _takes_columns(estimator):
    """Whether targets may have several columns, which of classes none has."""
    return not is_classifier(estimator) and get_tags(estimator).target_tags.multi_output


def _check_columns(y, names, caller):
    """Check targets of several columns: numbers, none missing."""
    checks = {"ensure_all_finite": False, "input_name": "y", "estimator": caller}
    y = check_array(y, dtype=None, ensure_min_features=0, **checks)
    if y.shape[1] == 0:
        raise ValueError(
            f"Input y has no columns: its shape is {y.shape} ({caller}). Pass a column "
            "for each target."
        )
    if y.dtype.kind == "O":  # NumPy makes a number of None, but not of pandas' NA
        missing = np.vectorize(is_missing, otypes=[bool])(y)
        y = np.where(missing, np.nan, y)
    y = check_array(y, dtype=np.float64, **checks)
    _refuse_holes(y, names, caller)
    return y


def _refuse_holes(y, names, caller):
    if np.isfinite(y).all():
        return
    row, j = np.argwhere(~np.isfinite(y))[0].tolist()
    what = "NaN" if np.isnan(y[row, j]) else "infinity"
    column = j if names is None else repr(names[j])
    raise ValueError(
        f"Input y contains {what}: row {row}, column {column} ({caller}). Drop the "
        "rows whose target is missing."
    )


def _refuse_missing(y, caller):
    if set(map(type, y)) <= {str, int, bool}:
        return
    for row, value in enumerate(y):
        if is_missing(value):
            raise ValueError(
                f"Input y contains NaN: row {row} is {value!r} ({caller}). Drop the "
                "rows whose target is missing."
            )


def _refuse_objects(y, caller):
    """Refuse objects that scikit-learn does not know as labels: all but strings.

    Its metrics fail on them, which makes scores NaN, and its splits ignore them.
    """
    dtype = getattr(y, "dtype", None)
    if not (isinstance(dtype, np.dtype) and dtype.kind == "O"):
        return
    labels = np.ravel(y).tolist()
    row = next(
        (r for r, label in enumerate(labels) if not isinstance(label, str)), None
    )
    if row is None:
        return
    are_numbers = all(isinstance(label, (Real, np.bool_)) for label in labels)
    target = np.array(labels).dtype.name if are_numbers else "object"
    target = "str" if target == "object" else target  # integers too large, too
    raise ValueError(
        f"Unknown label type: row {row} of y is {labels[row]!r:.60} "
        f"({type(labels[row]).__name__}), of dtype object; scikit-learn's metrics know "
        f"no objects but strings ({caller}). Convert it: y.astype({target!r})."
    )


def _refuse_not_finite(y, caller):
    if np.isfinite(y).all():
        return
    row = int(np.flatnonzero(~np.isfinite(y))[0])
    what = "NaN" if np.isnan(y[row]) else "infinity"
    raise ValueError(
        f"Input y contains {what}: row {row} ({caller}). Drop the rows whose target "
        "is missing."
    )


def encode_labels(y):
    """Find the classes, sorted, and the position of the class of each row.

    As `np.unique` does, which takes its time to sort strings.
    """
    if y.dtype.kind != "O":
        return np.unique(y, return_inverse=True)
    values = y.tolist()
    try:
        classes = sorted(set(values))
    except TypeError as error:
        raise TypeError(f"y mixes labels that have no order: {error}.") from None
    position = {label: code for code, label in enumerate(classes)}
    codes = np.fromiter(map(position.__getitem__, values), np.intp, len(values))
    return np.array(classes, dtype=object), codes


def check_weights(sample_weight, n_samples, caller):
    """Check weights: finite, none negative, not all zero; one may stand for all."""
    if sample_weight is None:
        return None
    weights = check_array(
        np.full(n_samples, sample_weight, dtype=np.float64)
        if isinstance(sample_weight, Real)
        else sample_weight,
        ensure_2d=False,
        allow_nd=True,
        dtype=np.float64,
        ensure_all_finite=False,
        input_name="sample_weight",
    )
    if weights.ndim != 1:
        raise ValueError("Sample weights must be 1D array or scalar")
    if len(weights) != n_samples:
        raise ValueError(
            f"sample_weight.shape == {weights.shape}, expected {(n_samples,)}!"
        )
    wrong = np.flatnonzero(~np.isfinite(weights) | (weights < 0))
    if len(wrong):
        raise ValueError(
            f"{type(caller).__name__}: sample_weight of row {wrong[0]} is "
            f"{weights[wrong[0]]}; a weight must be finite and not negative. A row of "
            "weight 0 is left out."
        )
    if not weights.any():
        raise ValueError(
            f"{type(caller).__name__}: all values of sample_weight are zero; no row "
            "is left to learn from."
        )
    return weights


def weigh_classes(class_weight, classes, y, sample_weight):
    """Multiply the weights of rows by those of their classes.

    Balanced classes have equal sums of weights, and together the sum they had.
    """
    if class_weight is None:
        return sample_weight
    weights = np.ones(len(y)) if sample_weight is None else sample_weight
    if isinstance(class_weight, str):
        of_class = weights.sum() / (
            len(classes) * np.bincount(y, weights=weights, minlength=len(classes))
        )
    else:
        _check_labels(class_weight, classes.tolist())
        of_class = np.array([_weight_of(class_weight, c) for c in classes.tolist()])
    return weights * of_class[y]


def _check_labels(class_weight, classes):
    """Refuse weights of labels that are none, where classes are left without.

    A fold that lacks a class leaves none without.
    """
    without = [label for label in classes if label not in class_weight]
    unknown = [label for label in class_weight if label not in classes]
    if without and unknown:
        raise ValueError(
            f"class_weight has {unknown[0]!r}, which is no label of y, and no weight "
            f"of {without[0]!r}; the classes are {classes!r:.300}."
        )


def _weight_of(class_weight, label):
    weight = class_weight.get(label, 1.0)
    if not (np.isfinite(weight) and weight > 0):
        raise ValueError(
            f"class_weight of class {label!r} is {weight!r}; it must be finite and "
            "positive. To leave a class out, leave out its rows."
        )
    return float(weight)


def describe_treatment(missing_share, fill, labels):
    """Say in words what becomes of the missing values of a feature."""
    if missing_share == 1:
        return "no information: all missing"
    if missing_share > 0:
        return "each split has a side for missing values"
    typical = f"median {fill:.4g}" if labels is None else f"mode {labels[int(fill)]!r}"
    return f"none missing; in predict: {typical}"
