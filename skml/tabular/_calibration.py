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
    """Compute probabilities of scores, which of two classes are those of the second.

    They are equal where all curves are zero.
    """
    if scores.ndim == 1:
        positive = curves[0](scores)
        return np.column_stack([1.0 - positive, positive])
    calibrated = np.column_stack(
        [curve(column) for curve, column in zip(curves, scores.T, strict=True)]
    )
    total = calibrated.sum(axis=1, keepdims=True)
    equal = np.full_like(calibrated, 1 / len(curves))
    probabilities = np.divide(calibrated, total, out=equal, where=total != 0)
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
    """What CalibratedClassifierCV fits to folds: what `learn` returns."""

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

    `learn` fits a model with a `decision_function` to X, y and weights, and returns it
    and the rows that it used. So does this, for all rows, and the curve of each score.
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
