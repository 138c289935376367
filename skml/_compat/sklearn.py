"""The one door to scikit-learn names that are private or newer than 1.7."""

from contextlib import nullcontext
from functools import cache

import numpy as np
from sklearn.base import _fit_context
from sklearn.utils._param_validation import (
    HasMethods,
    Interval,
    Options,
    RealNotInt,
    StrOptions,
    validate_params,
)

try:  # scikit-learn >= 1.9
    from sklearn.callback import CallbackSupportMixin, with_callbacks
except ImportError:

    class CallbackSupportMixin:
        """Stand-in without ``set_callbacks``: tasks are entered, nobody is told."""

        def _init_callback_context(self, **kwargs):
            return _SilentCallbackContext()

    class _SilentCallbackContext:
        def subcontext(self, **kwargs):
            return self

        def call_on_fit_task_begin(self, **kwargs):
            return self

        def call_on_fit_task_end(self, **kwargs):
            return False

        def propagate_callback_context(self, sub_estimator):
            return nullcontext()

    def with_callbacks(method):
        return method


__all__ = [
    "CallbackSupportMixin",
    "HasMethods",
    "Interval",
    "Options",
    "RealNotInt",
    "StrOptions",
    "_fit_context",
    "interactions_of_hist",
    "make_loss",
    "validate_params",
    "with_callbacks",
]


def make_loss(name, n_classes=0, quantile=None):
    """A loss of the raw predictions, as scikit-learn's own boosting computes it."""
    from sklearn import _loss

    if name == "log_loss":
        return (
            _loss.HalfBinomialLoss()
            if n_classes <= 2
            else _loss.HalfMultinomialLoss(n_classes=n_classes)
        )
    if name == "quantile":
        return _loss.PinballLoss(quantile=quantile)
    return {
        "squared_error": _loss.HalfSquaredError,
        "absolute_error": _loss.AbsoluteError,
        "poisson": _loss.HalfPoissonLoss,
        "gamma": _loss.HalfGammaLoss,
    }[name]()


def interactions_of_hist(groups, is_categorical):
    """Interaction constraints by the positions that HistGradientBoosting means.

    Parameters
    ----------
    groups : list of list of int or None
        Positions of the columns of X.
    is_categorical : ndarray of shape (n_features,)
        Which columns hold categories.

    Returns
    -------
    groups : list of list of int or None
        The positions to pass as `interaction_cst`.
    """
    if groups is None or not is_categorical.any() or not _constrains_moved_columns():
        return groups
    moved = np.argsort(np.argsort(~is_categorical, kind="stable")).tolist()
    return [[moved[j] for j in group] for group in groups]


@cache
def _constrains_moved_columns():
    """Whether `interaction_cst` is taken after categories were moved to the front.

    So do scikit-learn 1.7 to 1.9.1, where `monotonic_cst` means the columns of X. Tried
    on four rows, as a later version may mend it: only a tree that lets the columns 0
    and 2 interact has four leaves.
    """
    from sklearn.ensemble import HistGradientBoostingRegressor
    from threadpoolctl import threadpool_limits

    X = np.array([[0, 0, 0], [0, 0, 1], [1, 0, 0], [1, 0, 1]])
    model = HistGradientBoostingRegressor(
        max_iter=1,
        min_samples_leaf=1,
        categorical_features=[1],
        interaction_cst=[[0, 2], [1]],
    )
    with threadpool_limits(1, user_api="openmp"):
        predicted = model.fit(X, [0.0, 1.0, 3.0, 9.0]).predict(X)
    return len(set(predicted.tolist())) < len(X)
