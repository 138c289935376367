"""Fitting of support vector machines to tables that were read."""

from functools import partial
from typing import NamedTuple

import numpy as np
from scipy import sparse
from sklearn.base import BaseEstimator, clone, is_classifier
from sklearn.dummy import DummyClassifier
from sklearn.kernel_approximation import Nystroem

from skml._table._preparation import check_squares, learn_preparation
from skml._table._reader import TableReader
from skml._table._rows import group_equal_rows
from skml._table._statistics import weighted_moments
from skml.tabular._calibration import learn_calibration
from skml.tabular._prepared import PreparedModel


class Recipe(NamedTuple):
    """What an SVM is made of, none of it fitted."""

    reader: TableReader  # knows which columns hold categories
    options: dict  # of `learn_preparation`
    seed: int
    svm: BaseEstimator  # SVC, SVR, LinearSVC or LinearSVR
    feature_map: BaseEstimator | None  # Nystroem or RBFSampler, for a linear SVM

    def learn(self, X, y, sample_weight):
        """Merge equal rows, prepare, approximate a kernel if asked to, and fit.

        Returns a `PreparedModel`, and which rows it was fitted to.
        """
        X, y, sample_weight, rows = merge_equal_rows(X, y, sample_weight)
        preparation, features = learn_preparation(
            X, self.reader, sample_weight, **self.options, random_state=self.seed
        )
        if not self.options["scale"]:
            check_squares(features, preparation.feature_names_out)
        scales = kernel_scales(features, sample_weight, preparation.n_centred)
        svm, feature_map = clone(self.svm), None
        if self.feature_map is None:
            set_gamma(svm, scales)
        else:
            feature_map = set_gamma(clone(self.feature_map), scales)
            features = fit_map(feature_map, features)
        if is_classifier(svm) and y.min() == y.max():
            svm = DummyClassifier(strategy="prior")
        svm.fit(features, y, sample_weight)
        model = PreparedModel(
            preparation=preparation, estimator=svm, feature_map=feature_map
        )
        return model, rows

    def learn_calibrated(self, sample, calibration, n_folds):
        """The same, and the curves that make probabilities of scores, if any."""
        if n_folds == 0:
            return *self.learn(sample.X, sample.y, sample.sample_weight), None
        learn = partial(Recipe.learn, self)
        return learn_calibration(learn, sample, calibration, n_folds, self.seed)


def fit_map(feature_map, features):
    """Fit a feature map, which takes no more rows than there are."""
    feature_map.set_output(transform="default")
    if isinstance(feature_map, Nystroem):
        n_components = min(feature_map.n_components, features.shape[0])
        feature_map.set_params(n_components=n_components)
    return feature_map.fit_transform(features)


def set_gamma(kernel_owner, scales):
    """Put a number in the place of a word for the parameter gamma of a kernel."""
    if kernel_owner.gamma in scales:
        kernel_owner.set_params(gamma=1.0 / (scales[kernel_owner.gamma] or 1.0))
    return kernel_owner


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

    A weight of k is then exactly k rows, down to the last bit of what is predicted: the
    solvers' results depend on the order of rows, if only to within their tolerance.
    Rows all distinct and of weight 1 stay as they are. Returned last is where each
    distinct row stood first.
    """
    rows, group = group_equal_rows(X, y)
    all_distinct = len(rows) == len(y)
    if all_distinct and (sample_weight is None or (sample_weight == 1).all()):
        return X, y, None, np.arange(len(y))
    weights = np.bincount(group, weights=sample_weight).astype(np.float64)
    return X[rows], y[rows], weights, rows
