"""What the support vector machines share: parameters, and what is refused."""

from inspect import signature
from numbers import Integral, Real

import numpy as np
from sklearn.kernel_approximation import Nystroem, RBFSampler

from skml._codec import stored
from skml._compat.sklearn import Interval, Options, StrOptions
from skml._fitting import warn_user
from skml.tabular._library_params import check_library_params, draw_seed
from skml.tabular._prepared import BasePreparedLearner, FittedOnPrepared
from skml.tabular._svm_model import Recipe

MANY_ROWS = 30_000
SECONDS_OF_10_000_ROWS = 5.0
NO_LIMIT = 100_000  # iterations of a linear SVM, which needs some ten
# The kernels that use a parameter.
_KERNELS_OF = {
    "gamma": {"rbf", "poly", "sigmoid"},
    "degree": {"poly"},
    "coef0": {"poly", "sigmoid"},
}
# The names that scikit-learn has for what has a parameter here.
_OURS = {
    name: name
    for name in (
        *("C", "epsilon", "kernel", "degree", "gamma", "coef0", "class_weight"),
        *("tol", "cache_size", "max_iter", "random_state", "verbose"),
    )
} | {"probability": "calibration"}


@stored
class FittedSVM(FittedOnPrepared):
    """What an SVM learned."""

    support_: np.ndarray | None  # None with an approximated kernel

    def attributes(self):
        return super().attributes() | {"feature_map_": self.model.feature_map}


class BaseSVM(BasePreparedLearner):
    """What the classifier and the regressor share.

    A subclass names scikit-learn's classes, `_exact_class` and `_linear_class`.
    """

    _parameter_constraints = {
        **BasePreparedLearner._parameter_constraints,
        "C": [Interval(Real, 0, None, closed="neither")],
        "kernel": [StrOptions({"rbf", "linear", "poly", "sigmoid"})],
        "degree": [Interval(Integral, 0, None, closed="left")],
        "gamma": [
            StrOptions({"scale", "auto"}),
            Interval(Real, 0, None, closed="neither"),
        ],
        "coef0": [Interval(Real, None, None, closed="neither")],
        "approximation": [StrOptions({"nystroem", "rff"}), None],
        "n_components": [Interval(Integral, 1, None, closed="left")],
        "tol": [Interval(Real, 0, None, closed="neither")],
        "cache_size": [Interval(Real, 0, None, closed="neither")],
        "max_iter": [
            Options(Integral, {-1}),
            Interval(Integral, 1, None, closed="left"),
        ],
    }

    def _check_parameters(self):
        """Refuse what the kernel, or the approximation, cannot honour."""
        for name, kernels in _KERNELS_OF.items():
            if self.kernel not in kernels:
                self._refuse_unless_default(name, f"kernel={self.kernel!r}")
        mode = f"approximation={self.approximation!r}"
        if self.approximation is not None:
            self._refuse_unless_default("cache_size", mode)
        if self.approximation == "rff" and self.kernel != "rbf":
            raise ValueError(
                f"{mode} knows kernel='rbf' only; for kernel={self.kernel!r} use "
                "approximation='nystroem'."
            )
        if self.approximation is not None and self.kernel == "linear":
            raise ValueError(
                f"{mode} cannot honour kernel='linear', which needs no approximation. "
                "LRClassifier is a linear model that is fast on many rows."
            )
        svm = self._exact_class if self.approximation is None else self._linear_class
        check_library_params(self, svm._parameter_constraints, _OURS, svm.__name__)

    def _refuse_unless_default(self, name, mode):
        value = getattr(self, name)
        # A subclass may have a constructor of fewer parameters.
        cls = next(c for c in type(self).__mro__ if name in signature(c).parameters)
        default = signature(cls).parameters[name].default
        if value != default:
            raise ValueError(
                f"{mode} cannot honour {name}={value!r}; leave it at {default!r}."
            )

    def _recipe(self, reader, **parameters):
        """What the SVM is made of, with more parameters of it."""
        seed = draw_seed(self.random_state)
        parameters = {"C": self.C, "tol": self.tol, **parameters}
        is_exact = self.approximation is None
        return Recipe(
            reader=reader,
            options=self._preparation_options(),
            seed=seed,
            svm=(self._exact_svm if is_exact else self._linear_svm)(seed, parameters),
            feature_map=None if is_exact else self._feature_map(seed),
        )

    def _kernel_parameters(self):
        names = ("kernel", "degree", "gamma", "coef0")
        return {name: getattr(self, name) for name in names}

    def _exact_svm(self, seed, parameters):
        svm = self._exact_class(
            **self._kernel_parameters(),
            **parameters,
            cache_size=self.cache_size,
            max_iter=self.max_iter,
            verbose=bool(self.verbose),
            **(self.library_params or {}),
        )
        if "random_state" in svm.get_params():  # else of the global generator
            svm.set_params(random_state=seed)
        return svm

    def _linear_svm(self, seed, parameters):
        return self._linear_class(
            **parameters,
            max_iter=NO_LIMIT if self.max_iter == -1 else self.max_iter,
            verbose=int(self.verbose),
            random_state=seed,
            **{**self._linear_parameters, **(self.library_params or {})},
        )

    def _feature_map(self, seed):
        parameters = {"n_components": self.n_components, "random_state": seed}
        if self.approximation == "rff":
            return RBFSampler(gamma=self.gamma, **parameters)
        return Nystroem(**self._kernel_parameters(), **parameters)


def warn_of_many_rows(caller, n_rows, n_folds=0):
    """Warn that an exact SVM takes long, and how long."""
    if n_rows <= MANY_ROWS:
        return
    n_fits = 1 + n_folds * (1 - 1 / n_folds) ** 2 if n_folds else 1
    minutes = n_fits * SECONDS_OF_10_000_ROWS * (n_rows / 10_000) ** 2 / 60
    warn_user(
        f"{caller} faces {n_rows} rows. The time that an exact support vector machine "
        "takes grows with their square: at "
        f"{SECONDS_OF_10_000_ROWS:g} seconds for 10000 rows, about {minutes:.1f} "
        "minutes here. approximation='nystroem' takes time in proportion to the rows, "
        "as logistic regression and boosted trees do."
    )
