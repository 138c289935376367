"""The one door to scikit-learn names that are private or newer than 1.7."""

from contextlib import nullcontext

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


def __getattr__(name):
    # Not for everybody: it imports all of sklearn.metrics.
    if name in {"Scorer", "MultimetricScorer"}:
        from sklearn.metrics import _scorer

        return getattr(_scorer, f"_{name}")
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
