"""Predictions of boosters from the raw scores of their trees."""

from numbers import Real

import numpy as np
from scipy.special import expit
from sklearn.base import ClassifierMixin, RegressorMixin
from sklearn.utils.extmath import softmax
from sklearn.utils.validation import check_is_fitted

from skml._compat.sklearn import Interval, StrOptions


def as_probabilities(values):
    """Give the probability of the first of two classes a column of its own."""
    return np.column_stack([1 - values, values]) if values.ndim == 1 else values


class BoostingClassifierMixin(ClassifierMixin):
    """Predictions of classes from raw scores."""

    _parameter_constraints = {
        "class_weight": [dict, StrOptions({"balanced"}), None],
    }

    def predict(self, X):
        """Predict classes.

        Parameters
        ----------
        X : table of shape (n_samples, n_features)
            Rows, in columns as in `fit`.

        Returns
        -------
        y : ndarray of shape (n_samples,)
            The most probable class of each row.
        """
        return self._predict_from_raw(self.decision_function(X))

    def predict_proba(self, X):
        """Predict the probabilities of the classes.

        Parameters
        ----------
        X : table of shape (n_samples, n_features)
            Rows, in columns as in `fit`.

        Returns
        -------
        probabilities : ndarray of shape (n_samples, n_classes)
            Columns in the order of `classes_`; dtype float64.
        """
        check_is_fitted(self)
        X = self._read_predict(X)
        if self._is_constant():
            return np.ones((X.shape[0], 1))
        return as_probabilities(self._native_predict(X, raw=False))

    def decision_function(self, X):
        """Compute the raw scores, before they become probabilities.

        Parameters
        ----------
        X : table of shape (n_samples, n_features)
            Rows, in columns as in `fit`.

        Returns
        -------
        scores : ndarray of shape (n_samples,) or (n_samples, n_classes)
            Log-odds of the second of two classes; of more classes, a score each.
        """
        check_is_fitted(self)
        X = self._read_predict(X)
        if self._is_constant():
            return np.zeros(X.shape[0])
        return self._native_predict(X, raw=True)

    def staged_decision_function(self, X):
        """Compute the raw scores after each iteration.

        Parameters
        ----------
        X : table of shape (n_samples, n_features)
            Rows, in columns as in `fit`.

        Yields
        ------
        scores : ndarray of shape (n_samples,) or (n_samples, n_classes)
            As `decision_function` of the trees so far.
        """
        check_is_fitted(self)
        X = self._read_predict(X)
        if self._is_constant():
            yield from (np.zeros(X.shape[0]) for _ in range(self.n_iter_))
        else:
            yield from self._staged_native_predict(X)

    def staged_predict(self, X):
        """Predict classes after each iteration.

        Parameters
        ----------
        X : table of shape (n_samples, n_features)
            Rows, in columns as in `fit`.

        Yields
        ------
        y : ndarray of shape (n_samples,)
            As `predict` with the trees so far.
        """
        for raw in self.staged_decision_function(X):
            yield self._predict_from_raw(raw)

    def staged_predict_proba(self, X):
        """Predict probabilities after each iteration.

        Parameters
        ----------
        X : table of shape (n_samples, n_features)
            Rows, in columns as in `fit`.

        Yields
        ------
        probabilities : ndarray of shape (n_samples, n_classes)
            As `predict_proba` with the trees so far.
        """
        for raw in self.staged_decision_function(X):
            yield self._proba_from_raw(raw)

    def _predict_from_raw(self, raw):
        codes = raw.argmax(axis=1) if raw.ndim == 2 else (raw > 0).astype(np.intp)
        return self.classes_[codes]

    def _proba_from_raw(self, raw):
        if self._is_constant():
            return np.ones((len(raw), 1))
        return as_probabilities(self._value_from_raw(raw))

    def _value_from_raw(self, raw):
        return expit(raw) if raw.ndim == 1 else softmax(raw)

    def _loss_name(self):
        return "log_loss"

    def _quantile_level(self):
        return None


class BoostingRegressorMixin(RegressorMixin):
    """Predictions of numbers from raw scores."""

    _parameter_constraints = {
        "loss": [
            StrOptions(
                {"squared_error", "absolute_error", "quantile", "poisson", "gamma"}
            )
        ],
        "quantile": [Interval(Real, 0, 1, closed="neither"), None],
    }

    def predict(self, X):
        """Predict targets.

        Parameters
        ----------
        X : table of shape (n_samples, n_features)
            Rows, in columns as in `fit`.

        Returns
        -------
        y : ndarray of shape (n_samples,)
            Predictions, of dtype float64.
        """
        check_is_fitted(self)
        values = self._native_predict(self._read_predict(X), raw=False)
        return self._units.of_values(values)

    def staged_predict(self, X):
        """Predict targets after each iteration.

        Parameters
        ----------
        X : table of shape (n_samples, n_features)
            Rows, in columns as in `fit`.

        Yields
        ------
        y : ndarray of shape (n_samples,)
            As `predict` with the trees so far.
        """
        check_is_fitted(self)
        for raw in self._staged_native_predict(self._read_predict(X)):
            yield self._units.of_values(self._value_from_raw(raw))

    def _predict_from_raw(self, raw):
        return self._value_from_raw(raw)

    def _value_from_raw(self, raw):
        return np.exp(raw) if self.loss in {"poisson", "gamma"} else raw

    def _loss_name(self):
        return self.loss

    def _quantile_level(self):
        return self.quantile
