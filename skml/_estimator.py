"""The face that all estimators share: a fitted model is one value, kept as data."""

from typing import Self

from sklearn.base import BaseEstimator
from sklearn.utils.validation import check_is_fitted

from skml._store import read_model, write_model
from skml._typing import FilePath

# Where meta-estimators keep the one that they fitted.
INSIDE = ("best_estimator_", "estimator_", "regressor_")


class Fitted:
    """What an estimator learned, which nothing changes any more.

    A subclass is a dataclass made by :func:`skml._store.stored`. Fields whose names end
    with an underscore become attributes of the estimator, but for those that are None.
    """

    def attributes(self):
        """What the estimator shows of it."""
        return {
            name: value
            for name, value in vars(self).items()
            if name.endswith("_") and value is not None
        }


def published(fitted):
    """The attributes of an estimator that has learned this."""
    return {"_fitted": fitted, **fitted.attributes()}


class BaseLearner(BaseEstimator):
    """An estimator whose `fit` publishes what it learned in one assignment.

    `fit` collects a `Fitted` value, which methods read as ``self._fitted``, and calls
    `_publish` at the end: a fit that fails leaves the estimator as it was.
    """

    _fitted_class = Fitted  # which fitted values it takes when it is loaded

    def _publish(self, fitted):
        """Replace what an earlier fit learned, in one assignment."""
        own = {name: v for name, v in vars(self).items() if not name.endswith("_")}
        self.__dict__ = own | published(fitted)

    def _check_fitted(self, fitted):
        """Refuse a value that was read and cannot be what this estimator learned."""
        if type(fitted) is not self._fitted_class:
            raise ValueError(f"fitted is a {type(fitted).__name__}")

    def __sklearn_is_fitted__(self):
        return "_fitted" in vars(self)

    def save(self, path: FilePath) -> Self:
        """Write the fitted estimator to a folder of data; no code runs on loading.

        Parameters
        ----------
        path : str or path-like
            The folder, which is made; a model that is there is replaced once all is
            written.

        Returns
        -------
        self : object
            The estimator.

        Raises
        ------
        TypeError
            If a parameter is no data, such as a function or a `RandomState`; nothing is
            written then.
        ValueError
            If the folder holds other files, or arrays of strings take over 64 MiB.
        sklearn.exceptions.NotFittedError
            If the estimator is not fitted.
        """
        check_is_fitted(self)
        write_model(path, self)
        return self

    @classmethod
    def load(cls, path: FilePath) -> Self:
        """Read an estimator that `save` wrote; no code in the folder runs.

        Parameters
        ----------
        path : str or path-like
            The folder.

        Returns
        -------
        estimator : object
            The fitted estimator, whose predictions equal those of the saved one.

        Raises
        ------
        ValueError
            If a file is missing or damaged, or is of another class or version.
        ImportError
            If the model needs a package that is not installed.
        """
        return read_model(path, cls)


def unwrap(estimator, is_wanted):
    """What is wanted inside of pipelines and of what has fitted a single estimator.

    The innermost estimator if none is wanted. An ensemble, which has fitted several, is
    one: its `estimator_` is the template, which is not fitted.
    """
    from sklearn.frozen import FrozenEstimator
    from sklearn.pipeline import Pipeline

    while not is_wanted(estimator):
        if isinstance(estimator, Pipeline):
            inner = estimator[-1]
        elif isinstance(estimator, FrozenEstimator):
            inner = estimator.estimator
        else:
            fitted = vars(estimator) if hasattr(estimator, "__dict__") else {}
            names = () if "estimators_" in fitted else INSIDE
            inner = next((fitted[name] for name in names if name in fitted), None)
        if inner is None:
            break
        estimator = inner
    return estimator
