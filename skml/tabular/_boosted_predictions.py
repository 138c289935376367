"""Predictions of boosters, of classes and of numbers."""

from numbers import Real

import numpy as np
from joblib import effective_n_jobs
from sklearn.base import ClassifierMixin, RegressorMixin

from skml._compat.sklearn import Interval, StrOptions
from skml._typing import MatrixLike


class BoostingClassifierMixin(ClassifierMixin):
    """Predictions of classes from raw scores."""

    _parameter_constraints = {
        "class_weight": [dict, StrOptions({"balanced"}), None],
    }

    def predict(self, X: MatrixLike) -> np.ndarray:
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
        raw = self.decision_function(X)
        return self._fitted.predictions_of(raw)

    def predict_proba(self, X: MatrixLike) -> np.ndarray:
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
        X = self._read(X)
        return self._fitted.values(X, effective_n_jobs(self.n_jobs))

    def decision_function(self, X: MatrixLike) -> np.ndarray:
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
        X = self._read(X)
        return self._fitted.raw(X, effective_n_jobs(self.n_jobs))

    def staged_decision_function(self, X: MatrixLike):
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
        X = self._read(X)
        yield from self._fitted.staged_raw(X, effective_n_jobs(self.n_jobs))

    def staged_predict(self, X: MatrixLike):
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
            yield self._fitted.predictions_of(raw)

    def staged_predict_proba(self, X: MatrixLike):
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
            yield self._fitted.values_of(raw)


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

    def predict(self, X: MatrixLike) -> np.ndarray:
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
        X = self._read(X)
        return self._fitted.values(X, effective_n_jobs(self.n_jobs))

    def staged_predict(self, X: MatrixLike):
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
        X = self._read(X)
        for raw in self._fitted.staged_raw(X, effective_n_jobs(self.n_jobs)):
            yield self._fitted.values_of(raw)
