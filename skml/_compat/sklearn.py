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
from sklearn.utils.validation import _check_sample_weight  # private up to 1.9

try:  # scikit-learn >= 1.9
    from sklearn.callback import CallbackSupportMixin, with_callbacks
except ImportError:

    class CallbackSupportMixin:
        """Stand-in without ``set_callbacks``: tasks begin and end, and that is all."""

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
    "_check_sample_weight",
    "_fit_context",
    "curves_of_calibration",
    "interactions_of_hist",
    "make_loss",
    "output_container",
    "restore_svm",
    "validate_params",
    "with_callbacks",
]


def output_container(estimator):
    """What `set_output` asked an estimator to return; None if nobody called it."""
    return vars(estimator).get("_sklearn_output_config", {}).get("transform")


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
    """Groups of positions of columns of X, as `interaction_cst` takes them."""
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


def restore_svm(svm, learned):
    """Let an SVC or SVR, not fitted yet, predict with what another one learned.

    libsvm reads private attributes (scikit-learn 1.7 to 1.9.1): those that are not the
    learned arrays come from a fit to a few rows. If they are gone, SVMs cannot be
    loaded, which tests notice; all else works.

    The SVM has a number as `gamma`. `learned` are the public attributes ``support_``,
    ``support_vectors_``, ``n_support_``, ``dual_coef_`` (dense), ``intercept_``,
    ``n_iter_``, ``n_features_in_`` and, of a classifier, ``classes_``.
    """
    from scipy import sparse

    svm._validate_params()
    parameters = svm.get_params()
    vectors, n_support = learned["support_vectors_"], learned["n_support_"]
    few = np.arange(max(2, len(n_support)), dtype=np.float64)
    rows = few[:, np.newaxis]
    safe = {"kernel": "linear", "C": 1.0, "max_iter": -1, "verbose": False}
    svm.set_params(**safe, tol=1e-3, cache_size=1)
    svm.fit(sparse.csr_matrix(rows) if sparse.issparse(vectors) else rows, few)
    svm.set_params(**parameters)
    is_binary = len(getattr(svm, "classes_", ())) == 2
    sign = -1 if is_binary else 1  # libsvm's own, of two classes
    dual_coef = learned["dual_coef_"]
    if sparse.issparse(vectors):  # every entry is stored
        n_rows, n_columns = dual_coef.shape
        indices = np.tile(np.arange(n_columns, dtype=np.int32), n_rows)
        indptr = np.arange(n_rows + 1) * n_columns
        parts = dual_coef.ravel(), indices, indptr
        dual_coef = type(svm.dual_coef_)(parts, shape=dual_coef.shape)
    vars(svm).update(learned, dual_coef_=dual_coef)
    del vars(svm)["n_support_"]  # a property of what follows
    svm._n_support = np.resize(n_support, svm._n_support.shape)
    svm._dual_coef_ = sign * dual_coef
    svm._intercept_ = sign * learned["intercept_"]
    return svm


def curves_of_calibration(calibrated):
    """What a CalibratedClassifierCV with `ensemble=False` calibrated, and its curves.

    A curve is the slope and the intercept of a sigmoid, or the positions and the values
    of thresholds. Private are the class of `calibrated_classifiers_` and that of a
    sigmoid with its attributes (scikit-learn 1.7 to 1.9.1); if they are gone, fits that
    calibrate fail.
    """
    inner = calibrated.calibrated_classifiers_[0]
    return inner.estimator, [
        (float(curve.a_), float(curve.b_))
        if hasattr(curve, "a_")
        else (curve.X_thresholds_, curve.y_thresholds_)
        for curve in inner.calibrators
    ]
