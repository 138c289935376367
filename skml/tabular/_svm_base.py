"""What the support vector machines share: parameters, machines, what is refused."""

from inspect import signature
from numbers import Integral, Real

import numpy as np
from sklearn.kernel_approximation import Nystroem, RBFSampler

from skml._compat.sklearn import Interval, Options, StrOptions
from skml._fitting import warn_user
from skml.tabular._imputed import BaseImputing
from skml.tabular._library_params import check_library_params, draw_seed

MANY_ROWS = 30_000
SECONDS_OF_10_000_ROWS = 5.0
NO_LIMIT = 100_000  # iterations of a linear machine, which needs some ten
# The kernels that use a parameter.
_KERNELS_OF = {
    "gamma": {"rbf", "poly", "sigmoid"},
    "degree": {"poly"},
    "coef0": {"poly", "sigmoid"},
}
# The machines' own names of what has a parameter here.
_OURS = {
    name: name
    for name in (
        *("C", "epsilon", "kernel", "degree", "gamma", "coef0", "class_weight"),
        *("tol", "cache_size", "max_iter", "random_state", "verbose"),
    )
} | {"probability": "calibration"}


class BaseSVM(BaseImputing):
    """What the classifier and the regressor share.

    A subclass names its machines, `_exact_class` and `_linear_class`.
    """

    _parameter_constraints = {
        **BaseImputing._parameter_constraints,
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
        machine = (
            self._exact_class if self.approximation is None else self._linear_class
        )
        known = machine._parameter_constraints
        check_library_params(self, known, _OURS, machine.__name__)

    def _refuse_unless_default(self, name, mode):
        value = getattr(self, name)
        default = signature(type(self)).parameters[name].default
        if value != default:
            raise ValueError(
                f"{mode} cannot honour {name}={value!r}; leave it at {default!r}."
            )

    def _warn_of_many_rows(self, n_rows, n_folds=0):
        if self.approximation is not None or n_rows <= MANY_ROWS:
            return
        n_fits = 1 + n_folds * (1 - 1 / n_folds) ** 2 if n_folds else 1
        minutes = n_fits * SECONDS_OF_10_000_ROWS * (n_rows / 10_000) ** 2 / 60
        warn_user(
            f"{type(self).__name__} faces {n_rows} rows. The time that an exact "
            "support vector machine takes grows with their square: at "
            f"{SECONDS_OF_10_000_ROWS:g} seconds for 10000 rows, about {minutes:.1f} "
            "minutes here. approximation='nystroem' takes time in proportion to the "
            "rows, as logistic regression and boosted trees do."
        )

    def _new_model(self, model_class, **parameters):
        """Put preparation and machine together, with the parameters of the latter."""
        seed = draw_seed(self.random_state)
        kernel = {
            name: getattr(self, name) for name in ("kernel", "degree", "gamma", "coef0")
        }
        shared = {"C": self.C, "tol": self.tol, **parameters}
        if self.approximation is None:
            feature_map = None
            machine = self._exact_class(
                **kernel,
                **shared,
                cache_size=self.cache_size,
                max_iter=self.max_iter,
                verbose=bool(self.verbose),
                **(self.library_params or {}),
            )
            if "random_state" in machine.get_params():  # or it draws a global number
                machine.set_params(random_state=seed)
        else:
            feature_map = self._new_feature_map(kernel, seed)
            machine = self._linear_class(
                **shared,
                max_iter=NO_LIMIT if self.max_iter == -1 else self.max_iter,
                verbose=int(self.verbose),
                random_state=seed,
                **{**self._linear_parameters, **(self.library_params or {})},
            )
        preparation = self._new_preparation(seed)
        return model_class(preparation, self._reader, machine, feature_map)

    def _new_feature_map(self, kernel, seed):
        if self.approximation == "rff":
            return RBFSampler(
                gamma=self.gamma, n_components=self.n_components, random_state=seed
            )
        return Nystroem(**kernel, n_components=self.n_components, random_state=seed)

    def _publish(self, model, kept):
        """Let what was fitted be seen."""
        self._model = model
        self.estimator_ = model.estimator_
        self.feature_map_ = model.feature_map_
        self.preparation_ = model.preparation_
        self.prepared_feature_names_ = model.preparation_.feature_names_out
        self.n_iter_ = int(np.max(getattr(self.estimator_, "n_iter_", 1)))
        if hasattr(self.estimator_, "support_"):
            self.support_ = kept[model.rows_[self.estimator_.support_]]
        elif hasattr(self, "support_"):
            del self.support_
