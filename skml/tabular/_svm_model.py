"""Preparation of a table and support vector machine as one, refitted as one."""

import copy
from functools import partial

import numpy as np
from scipy import sparse
from sklearn.base import BaseEstimator, ClassifierMixin, clone
from sklearn.dummy import DummyClassifier
from sklearn.kernel_approximation import Nystroem

from skml._table._rows import group_equal_rows
from skml._table._statistics import weighted_moments
from skml.tabular._imputed import predict_by_batches


class _PreparedSVM(BaseEstimator):
    """A model of numbers, NaN and codes, as `TableReader` gives them.

    Parameters
    ----------
    preparation : TablePreparation
        Makes complete numbers; a copy is fitted.
    reader : TableReader
        Knows which columns hold categories.
    machine : SVC, SVR, LinearSVC or LinearSVR
        The machine; a clone is fitted.
    feature_map : Nystroem, RBFSampler or None
        Approximates a kernel, for a linear machine; a clone is fitted.

    Attributes
    ----------
    preparation_, estimator_, feature_map_ : objects
        What was fitted.
    rows_ : ndarray of shape (n_distinct,)
        Which rows the machine was fitted to: of equal ones the first.
    """

    def __init__(self, preparation, reader, machine, feature_map=None):
        self.preparation = preparation
        self.reader = reader
        self.machine = machine
        self.feature_map = feature_map

    def fit(self, X, y, sample_weight=None):
        """Merge, prepare, map if asked to, and fit the machine."""
        X, y, sample_weight, self.rows_ = merge_equal_rows(X, y, sample_weight)
        self.preparation_ = copy.deepcopy(self.preparation)
        features = self.preparation_.fit_transform(X, self.reader, sample_weight)
        self.estimator_ = clone(self.machine)
        self.feature_map_ = None
        if self.feature_map is None:
            set_gamma(self.estimator_, self._kernel_scale(features, sample_weight))
        else:
            self.feature_map_ = clone(self.feature_map).set_output(transform="default")
            set_gamma(self.feature_map_, self._kernel_scale(features, sample_weight))
            features = self._fit_map(features)
        self._fit_machine(features, y, sample_weight)
        return self

    def _kernel_scale(self, features, sample_weight):
        return kernel_scales(features, sample_weight, self.preparation_.n_centred)

    def _fit_map(self, features):
        if isinstance(self.feature_map_, Nystroem):  # takes no more rows than there are
            n_components = min(self.feature_map_.n_components, features.shape[0])
            self.feature_map_.set_params(n_components=n_components)
        return self.feature_map_.fit_transform(features)

    def _fit_machine(self, features, y, sample_weight):
        self.estimator_.fit(features, y, sample_weight)

    def predict(self, X):
        return predict_by_batches(partial(self._call, "predict"), X)

    def _call(self, method, X):
        features = self.preparation_.transform(X)
        if self.feature_map_ is not None:
            features = self.feature_map_.transform(features)
        return getattr(self.estimator_, method)(features)


class _PreparedSVC(ClassifierMixin, _PreparedSVM):
    """The same of a classifier; of a single class a constant."""

    def _fit_machine(self, features, y, sample_weight):
        if y.min() == y.max():
            self.estimator_ = DummyClassifier(strategy="prior")
        super()._fit_machine(features, y, sample_weight)
        self.classes_ = self.estimator_.classes_

    def decision_function(self, X):
        if len(self.classes_) == 1:
            return np.zeros(X.shape[0])
        return predict_by_batches(partial(self._call, "decision_function"), X)


def set_gamma(kernel_owner, scales):
    """Put a number in the place of a word for the parameter gamma of a kernel."""
    if kernel_owner.gamma in scales:
        kernel_owner.set_params(gamma=1.0 / (scales[kernel_owner.gamma] or 1.0))


def kernel_scales(X, sample_weight=None, n_centred=0):
    """What one is divided by for gamma: "auto" and "scale", as scikit-learn has them.

    "scale" is the number of columns times the variance of all values. Of a sparse
    table, the first `n_centred` columns count as those of a dense one, centred.
    """
    means, variances = weighted_moments(X, sample_weight)
    if sparse.issparse(X):
        means[:n_centred] = 0.0
    n_columns = X.shape[1]
    total = (variances + means**2).sum() - means.sum() ** 2 / n_columns
    return {"auto": n_columns, "scale": total}


def merge_equal_rows(X, y, sample_weight):
    """Let rows that are equal, with equal targets, be one row with all their weight.

    A weight of k is then exactly k rows, down to the last bit of what a machine makes
    of them: the solvers' answers depend on the order of rows, if only to within their
    tolerance. Rows all distinct and of weight 1 stay as they are.

    Parameters
    ----------
    X : ndarray or csr_array of shape (n_samples, n_features)
        The rows.
    y : ndarray of shape (n_samples,)
        Their targets.
    sample_weight : ndarray of shape (n_samples,) or None
        Their weights.

    Returns
    -------
    X : ndarray or csr_array of shape (n_distinct, n_features)
        The distinct rows.
    y : ndarray of shape (n_distinct,)
        Their targets.
    sample_weight : ndarray of shape (n_distinct,) or None
        Their weights; None if all are 1.
    rows : ndarray of shape (n_distinct,)
        Where each of them stood first.
    """
    rows, group = group_equal_rows(X, y)
    all_distinct = len(rows) == len(y)
    if all_distinct and (sample_weight is None or (sample_weight == 1).all()):
        return X, y, None, np.arange(len(y))
    weights = np.bincount(group, weights=sample_weight).astype(np.float64)
    return X[rows], y[rows], weights, rows
