"""Fitted estimators of scikit-learn as data: parameters, and what they learned."""

from numbers import Real

import numpy as np
from scipy import sparse
from sklearn.dummy import DummyClassifier
from sklearn.kernel_approximation import Nystroem, RBFSampler
from sklearn.linear_model import LogisticRegression
from sklearn.svm import SVC, SVR, LinearSVC, LinearSVR

from skml._codec import check_n_jobs, show, stored
from skml._compat.sklearn import restore_svm

KERNELS = {"rbf", "linear", "poly", "sigmoid"}
_VECTORS = ("support_", "support_vectors_", "n_support_", "dual_coef_", "intercept_")
_COEFFICIENTS = ("coef_", "intercept_", "n_iter_", "n_features_in_")
_CLASSES = {
    DummyClassifier: (),
    LogisticRegression: (*_COEFFICIENTS, "classes_"),
    LinearSVC: (*_COEFFICIENTS, "classes_"),
    LinearSVR: _COEFFICIENTS,
    SVC: (*_VECTORS, "n_iter_", "n_features_in_", "classes_"),
    SVR: (*_VECTORS, "n_iter_", "n_features_in_"),
    Nystroem: (
        *("components_", "component_indices_", "normalization_"),
        "n_features_in_",
    ),
    RBFSampler: ("random_weights_", "random_offset_", "n_features_in_"),
}
_BY_NAME = {cls.__name__: cls for cls in _CLASSES}


@stored
class SklearnModel:
    """A fitted estimator of scikit-learn."""

    name: str  # of its class
    parameters: dict  # not at their defaults, but for `random_state`
    learned: dict  # public attributes that predictions need

    def check(self):
        """Check names and sizes: nobody does where they are used."""
        cls, learned = _BY_NAME.get(self.name), self.learned
        if cls is None:
            raise ValueError(f"{show(self.name)} is no estimator that is known")
        if learned.keys() != set(_CLASSES[cls]):
            raise ValueError(f"{self.name} has learned {show(sorted(learned))}")
        n = learned.get("n_features_in_", 1)
        if type(n) is not int or n < 1:
            raise ValueError(f"n_features_in_ is {show(n)}")
        n_iter = np.asarray(learned.get("n_iter_", 1))
        if n_iter.dtype.kind != "i" or n_iter.size == 0:
            raise ValueError(f"n_iter_ is {show(learned['n_iter_'])}")
        if "classes_" in learned:
            classes = learned["classes_"]
            _expect(learned, "classes_", "i", (classes.size,))
            if classes.size < 2 or (classes != np.arange(classes.size)).any():
                raise ValueError(f"classes_ are {show(classes)}")
        if "support_" in learned:
            self._check_vectors(n)
        elif "coef_" in learned:
            self._check_coefficients(n)
        elif "components_" in learned:
            self._check_nystroem(n)
        elif "random_weights_" in learned:
            n_components = self._parameter("n_components")
            _expect(learned, "random_weights_", "f", (n, n_components))
            _expect(learned, "random_offset_", "f", (n_components,))

    def _check_vectors(self, n):
        learned = self.learned
        vectors = learned["support_vectors_"]
        n_vectors = vectors.shape[0]
        n_classes = learned["classes_"].size if self.name == "SVC" else 2
        n_pairs = n_classes * (n_classes - 1) // 2
        _expect(learned, "support_vectors_", "f", (n_vectors, n))
        _expect(learned, "support_", "i", (n_vectors,), np.int32)
        n_counts = n_classes if self.name == "SVC" else 1
        _expect(learned, "n_support_", "i", (n_counts,), np.int32)
        _expect(learned, "dual_coef_", "f", (n_classes - 1, n_vectors))
        _expect(learned, "intercept_", "f", (n_pairs,))
        n_support = learned["n_support_"]
        if (n_support < 0).any() or n_support.sum(dtype=np.int64) != n_vectors:
            raise ValueError(f"n_support_ is {show(n_support)}")
        self._check_kernel()

    def _check_kernel(self):
        kernel, gamma = self._parameter("kernel"), self._parameter("gamma")
        if kernel not in KERNELS or not isinstance(gamma, Real):
            raise ValueError(f"the kernel is {show(kernel)} and gamma {show(gamma)}")

    def _check_coefficients(self, n):
        learned, coef = self.learned, self.learned["coef_"]
        n_scores = 1
        if "classes_" in learned and learned["classes_"].size > 2:
            n_scores = learned["classes_"].size
        _expect(learned, "coef_", "f", (n,) if coef.ndim == 1 else (n_scores, n))
        if (coef.ndim == 1) != (self.name == "LinearSVR"):
            raise ValueError(f"coef_ has the shape {coef.shape}")
        if not isinstance(learned["intercept_"], float):  # a model without one
            _expect(learned, "intercept_", "f", (n_scores,))

    def _check_nystroem(self, n):
        n_components = self._parameter("n_components")
        _expect(self.learned, "components_", "f", (n_components, n))
        _expect(self.learned, "component_indices_", "i", (n_components,))
        _expect(self.learned, "normalization_", "f", (n_components, n_components))
        self._check_kernel()

    @property
    def n_features_out(self):
        """How many columns it makes, if it is a feature map."""
        if self.name in {"Nystroem", "RBFSampler"}:
            return self._parameter("n_components")
        return 1

    def _parameter(self, name):
        default = getattr(_BY_NAME[self.name](), name)
        return self.parameters.get(name, default)

    def restore(self):
        """Make the estimator, which predicts as it did."""
        estimator = _BY_NAME[self.name](**self.parameters)
        if self.name in {"SVC", "SVR"}:
            return restore_svm(estimator, self.learned)
        if self.name == "DummyClassifier":
            return estimator.fit([[0.0]], [0])
        estimator._validate_params()
        check_n_jobs(self.parameters)
        if hasattr(estimator, "set_output"):
            estimator.set_output(transform="default")
        vars(estimator).update(self.learned)
        return estimator


def store_model(estimator):
    """A fitted estimator of scikit-learn as data."""
    defaults = type(estimator)().get_params(deep=False)
    parameters = {
        name: value
        for name, value in estimator.get_params(deep=False).items()
        if name != "random_state" and value != defaults[name]
    }
    learned = {n: getattr(estimator, n) for n in _CLASSES[type(estimator)]}
    if sparse.issparse(learned.get("dual_coef_")):
        learned["dual_coef_"] = learned["dual_coef_"].toarray()
    return SklearnModel(
        name=type(estimator).__name__, parameters=parameters, learned=learned
    )


def _expect(learned, name, kind, shape, dtype=None):
    """Check an array, or a sparse matrix, of floats of 64 bits or of integers."""
    array = learned[name]
    dtype = dtype or (np.float64 if kind == "f" else array.dtype)
    if array.dtype.kind != kind or array.dtype != dtype or array.shape != shape:
        raise ValueError(
            f"{name} has the shape {array.shape} and the dtype {array.dtype}; expected "
            f"{shape}"
        )
