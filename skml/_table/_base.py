"""The old face of the estimators of tables, until all of them have the new one."""

import numpy as np
from scipy import sparse
from sklearn.base import BaseEstimator, is_classifier
from sklearn.utils.validation import check_consistent_length, validate_data

from skml._compat.sklearn import StrOptions
from skml._fitting import warn_user
from skml._table import _weights
from skml._table._columns import UNSEEN
from skml._table._containers import as_container, column_names
from skml._table._frame import TableReader
from skml._table._learned_table import count_missing, fill_columns
from skml._table._statistics import is_mostly_zero, weighted_median, weighted_mode
from skml._table._targets import check_target, encode_labels
from skml._table._weights import weigh_classes


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
        self.missing_fraction_ = n_missing / X.shape[0]
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


def check_weights(sample_weight, n_samples, estimator):
    return _weights.check_weights(sample_weight, n_samples, type(estimator).__name__)


def describe_treatment(missing_fraction, fill, labels):
    """Say in words what becomes of the missing values of a feature."""
    if missing_fraction == 1:
        return "no information: all missing"
    if missing_fraction > 0:
        return "each split has a side for missing values"
    typical = f"median {fill:.4g}" if labels is None else f"mode {labels[int(fill)]!r}"
    return f"none missing; in predict: {typical}"
