"""Probabilities from scores, by curves that were fitted to out-of-fold scores."""

import numpy as np
from scipy.interpolate import interp1d
from scipy.special import expit
from sklearn import config_context
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.calibration import CalibratedClassifierCV
from sklearn.model_selection import StratifiedKFold

from skml._codec import stored
from skml._compat.sklearn import curves_of_calibration

MOST_FOLDS = 5


@stored
class SigmoidCurve:
    """A logistic function of scores."""

    slope: float
    intercept: float

    def __call__(self, scores):
        return expit(-(self.slope * scores + self.intercept))


@stored
class IsotonicCurve:
    """A monotonic function of scores, linear between thresholds, constant outside."""

    thresholds: np.ndarray
    values: np.ndarray

    def check(self):
        """Check that thresholds are in order, and have a value each."""
        x, y = self.thresholds, self.values
        if x.dtype != np.float64 or y.dtype != np.float64 or x.shape != y.shape:
            raise ValueError("thresholds and values are not floats of one shape")
        if x.ndim != 1 or len(x) == 0 or not (np.diff(x) > 0).all():
            raise ValueError("thresholds are not in order")

    def __call__(self, scores):
        if len(self.values) == 1:
            return self.values.repeat(len(scores))
        scores = np.clip(scores, self.thresholds[0], self.thresholds[-1])
        return interp1d(self.thresholds, self.values)(scores)


def calibrate(scores, curves):
    """Compute probabilities.

    Parameters
    ----------
    scores : ndarray of shape (n_samples,) or (n_samples, n_classes)
        The scores; of two classes, those of the second.
    curves : list of SigmoidCurve or IsotonicCurve
        The curve of each score.

    Returns
    -------
    probabilities : ndarray of shape (n_samples, n_classes)
        The probabilities; equal ones where all curves are zero.
    """
    if scores.ndim == 1:
        positive = curves[0](scores)
        return np.column_stack([1.0 - positive, positive])
    found = np.column_stack(
        [curve(column) for curve, column in zip(curves, scores.T, strict=True)]
    )
    total = found.sum(axis=1, keepdims=True)
    equal = np.full_like(found, 1 / len(curves))
    probabilities = np.divide(found, total, out=equal, where=total != 0)
    return np.minimum(probabilities, 1.0)


def count_folds(sample, calibration):
    """How many folds the calibration has; 0 if there is none."""
    counts = np.bincount(sample.y)
    if calibration is None or len(counts) == 1:
        return 0
    if counts.min() < 2:
        label = sample.classes.tolist()[np.argmin(counts)]
        raise ValueError(
            f"calibration={calibration!r} holds out rows of each class in turn, and "
            f"class {label!r} has a single row. Leave the class out, or pass "
            "calibration=None."
        )
    return min(MOST_FOLDS, int(counts.min()))


class _Calibrated(ClassifierMixin, BaseEstimator):
    """What CalibratedClassifierCV fits to folds.

    Parameters
    ----------
    learn : callable
        Called with X, y and weights, it returns what has a `decision_function`, and
        where its rows stood.
    """

    def __init__(self, learn):
        self.learn = learn

    def fit(self, X, y, sample_weight=None):
        self.classes_ = np.unique(y)
        self.model, self.rows = self.learn(X, y, sample_weight)
        return self

    def decision_function(self, X):
        return self.model.decision_function(X)

    def predict(self, X):  # asked for by scikit-learn, which does not call it
        return self.model.predict(X)


def learn_calibration(learn, sample, method, n_folds, random_state):
    """Fit a model, and curves from its scores to probabilities.

    Parameters
    ----------
    learn : callable
        Fits a model, which has a `decision_function`, to X, y and weights; returns it
        and the rows that were used.
    sample : Sample
        What is learned from.
    method : {"sigmoid", "isotonic"}
        The kind of the curves.
    n_folds : int
        The number of folds.
    random_state : int
        Seeds the folds.

    Returns
    -------
    model : object
        What `learn` returned for all rows.
    rows : ndarray
        The rows that it used.
    curves : list of SigmoidCurve or IsotonicCurve
        The curve of each score.
    """
    folds = StratifiedKFold(n_folds, shuffle=True, random_state=random_state)
    calibrated = CalibratedClassifierCV(
        _Calibrated(learn), method=method, cv=folds, ensemble=False
    )
    with config_context(enable_metadata_routing=False):
        calibrated.fit(sample.X, sample.y, sample.sample_weight)
    fitted, curves = curves_of_calibration(calibrated)
    if method == "sigmoid":
        curves = [SigmoidCurve(slope=a, intercept=b) for a, b in curves]
    else:
        curves = [IsotonicCurve(thresholds=x, values=y) for x, y in curves]
    return fitted.model, fitted.rows, curves
