"""Support vector machine that classifies tables with missing values."""

from operator import methodcaller
from typing import Any, Literal, Self

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.svm import SVC, LinearSVC
from sklearn.utils.metaestimators import available_if

from skml._codec import stored
from skml._compat.sklearn import StrOptions, _fit_context
from skml._table._learned_table import learn_table
from skml._typing import ArrayLike, MatrixLike, RandomState
from skml.tabular._calibration import (
    IsotonicCurve,
    SigmoidCurve,
    calibrate,
    count_folds,
)
from skml.tabular._prepared import PreparedClassifierMixin, warn_if_constant
from skml.tabular._svm_base import BaseSVM, FittedSVM, warn_of_many_rows


@stored
class FittedSVMClassifier(FittedSVM):
    """What `SVMClassifier` learned."""

    # one a score; None without calibration, and for one class
    curves: list | None = None

    def check(self):
        super().check()
        n_curves = {1: 0, 2: 1}.get(len(self.classes_), len(self.classes_))
        if self.curves is not None and (
            len(self.curves) != n_curves
            or not all(
                isinstance(c, (SigmoidCurve, IsotonicCurve)) for c in self.curves
            )
        ):
            raise ValueError(f"calibration has not {n_curves} curves")

    def predict_codes(self, X):
        """The positions of the classes of rows that were read."""
        if self.curves is None:
            return self.model.predict(X)
        return np.argmax(self.predict_proba(X), axis=1)

    def predict_proba(self, X):
        """Calibrated probabilities of rows that were read."""
        if self.curves is None:
            return np.ones((X.shape[0], 1))
        return calibrate(self.model.decision_function(X), self.curves)


class SVMClassifier(PreparedClassifierMixin, BaseSVM):
    r"""Support vector machine that classifies tables with missing values.

    Before the SVM is fitted, missing numbers are imputed, missing indicators are added,
    categories are one-hot encoded, and numeric features are scaled. All this is learned
    in `fit`, so that in cross-validation nothing is known of the validation set.

    The SVM is scikit-learn's :class:`~sklearn.svm.SVC` [1]_: of several classes, one
    SVM for each pair. Rows that are equal and have equal labels are one row
    with all their weight, so that a weight of k is exactly k rows.

    Parameters
    ----------
    C : float, default=1.0
        The inverse of the regularisation strength: the larger, the closer the SVM
        follows the training data.
    kernel : {"rbf", "linear", "poly", "sigmoid"}, default="rbf"
        The kernel: :math:`e^{-\gamma \|x - x'\|^2}`,
        :math:`\langle x, x' \rangle`, :math:`(\gamma \langle x, x' \rangle + r)^d` or
        :math:`\tanh(\gamma \langle x, x' \rangle + r)`, where r is `coef0` and d is
        `degree`. The last two depend on where the origin is, so that sparse X, where
        features that are mostly zero are not centred, makes another model than dense X.
    degree : int, default=3
        The degree of the kernel "poly".
    gamma : {"scale", "auto"} or float, default="scale"
        The coefficient of the kernels other than "linear": one over the
        number of prepared columns, times the variance of their values for "scale",
        weighted, as scikit-learn has it; or a number.
    coef0 : float, default=0.0
        The constant of the kernels "poly" and "sigmoid".
    class_weight : dict, "balanced" or None, default=None
        Weights of the classes, which multiply those of the rows; "balanced" gives all
        classes the same total weight. A class that a dict leaves out has weight 1.
    approximation : {"nystroem", "rff"} or None, default=None
        Replaces the kernel by the inner product of `n_components` features, and the
        SVM by a linear one, whose loss is squared: by randomly sampled rows of the
        training data [2]_, or by random Fourier features [3]_, of the kernel "rbf"
        only. The time then grows with the rows, not with their square; `fit` holds
        24 bytes times rows times `n_components` in memory. None is exact.
    n_components : int, default=500
        How many features `approximation` makes; "nystroem" no more than there are
        rows, and is then exact but for the loss. Of no effect without.
    calibration : {"sigmoid", "isotonic"} or None, default=None
        How scores become probabilities: by a logistic or by an isotonic regression on
        the score. It is learned from out-of-fold scores: of five folds, or as many as
        the rarest class has rows. With weights of rows or classes, probabilities are
        those of the weighted data; the folds do not depend on the weights. None means
        no `predict_proba`, and a fit four times as fast: scorers that need
        probabilities, such as "neg_log_loss", then fail.
    imputation : str or estimator, default="median"
        What is imputed for missing numbers: "median", "mean" or "most_frequent" of the
        feature; "constant", the number `fill_value`; or what a transformer makes of the
        numeric features, such as :class:`~sklearn.impute.KNNImputer`. It is cloned,
        and gets the weights of the rows if it takes them; equal rows are passed once. A
        missing category is no category.
    fill_value : float, default=0.0
        The number that `imputation="constant"` imputes.
    add_indicator : bool, default=True
        Whether a missing indicator is added for each feature with missing values in
        `fit`.
    scale : bool, default=True
        Whether numeric features are centred and divided by their standard deviation. If
        `fit` gets sparse X, features that are mostly zero are not centred. Either way,
        `predict` takes dense and sparse X alike.
    categorical_features : "from_dtype", None or array-like, default="from_dtype"
        Which columns are categories: those of strings and of a category type; none; or,
        as well, those given by name, position or mask.
    missing_values : scalar or list of scalars, default=np.nan
        Values that mean missing, beside NaN, None, NA and NaT.
    tol : float, default=1e-3
        The tolerance of the stopping criterion of the solver.
    cache_size : float, default=200
        The size of the kernel cache, in megabytes. Not with `approximation`.
    max_iter : int, default=-1
        The largest number of iterations of the solver; -1 means no limit.
    library_params : dict, default=None
        More parameters of :class:`~sklearn.svm.SVC`, such as `shrinking`; with
        `approximation` of :class:`~sklearn.svm.LinearSVC`, such as `loss`.
    random_state : int, RandomState instance or None, default=None
        Seeds the approximation, the folds of `calibration`, and an estimator that
        imputes.
    verbose : int, default=0
        Whether the solver prints its progress.

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
        The labels.
    estimator_ : SVC or LinearSVC
        The fitted SVM of the prepared columns, or of the features of `feature_map_`;
        its classes are positions in `classes_`. Of a single class, a
        :class:`~sklearn.dummy.DummyClassifier`.
    feature_map_ : Nystroem, RBFSampler or None
        The fitted approximation of the kernel.
    preparation_ : TablePreparation
        The transformer of tables to the prepared columns.
    prepared_feature_names_ : ndarray of shape (n_prepared,)
        The names of the prepared columns.
    support_ : ndarray of shape (n_support,)
        The rows of X that are support vectors, of equal ones the first. Only without
        `approximation`.
    missing_fraction_ : ndarray of shape (n_features,)
        The fraction of rows where a feature was missing in `fit`.
    n_iter_ : int
        The number of iterations, the largest of all pairs of classes.
    n_features_in_ : int
        The number of features.
    feature_names_in_ : ndarray of shape (n_features,)
        Names of the features seen in `fit`. Only if all names of X are strings.

    See Also
    --------
    SVMRegressor : SVM for regression.
    LRClassifier : Logistic regression, with the same preparation.

    References
    ----------
    .. [1] C.-C. Chang, C.-J. Lin, "LIBSVM: a library for support vector machines", ACM
       Transactions on Intelligent Systems and Technology 2, 2011.
    .. [2] C. Williams, M. Seeger, "Using the Nyström method to speed up kernel
       machines", NIPS 2000.
    .. [3] A. Rahimi, B. Recht, "Random features for large-scale kernel machines", NIPS
       2007.

    Examples
    --------
    >>> from skml import SVMClassifier
    >>> X = [[22.0, "S"], [38.0, "C"], [None, "S"], [35.0, None], [54.0, "C"]]
    >>> y = ["lost", "saved", "lost", "saved", "saved"]
    >>> model = SVMClassifier().fit(X, y)
    >>> model.predict([[None, "C"], [30.0, "S"]])
    array(['saved', 'lost'], dtype='<U5')

    Probabilities are learned by calibration:

    >>> model = SVMClassifier(calibration="sigmoid", random_state=0).fit(X, y)
    >>> model.predict_proba([[None, "C"], [30.0, "S"]]).shape
    (2, 2)
    """

    _fitted_class = FittedSVMClassifier
    _exact_class, _linear_class = SVC, LinearSVC
    _linear_parameters = {"dual": False}
    _parameter_constraints = {
        **BaseSVM._parameter_constraints,
        "class_weight": [dict, StrOptions({"balanced"}), None],
        "calibration": [StrOptions({"sigmoid", "isotonic"}), None],
    }

    def __init__(
        self,
        C: float = 1.0,
        *,
        kernel: Literal["rbf", "linear", "poly", "sigmoid"] = "rbf",
        degree: int = 3,
        gamma: Literal["scale", "auto"] | float = "scale",
        coef0: float = 0.0,
        class_weight: dict | Literal["balanced"] | None = None,
        approximation: Literal["nystroem", "rff"] | None = None,
        n_components: int = 500,
        calibration: Literal["sigmoid", "isotonic"] | None = None,
        imputation: str | BaseEstimator = "median",
        fill_value: float = 0.0,
        add_indicator: bool = True,
        scale: bool = True,
        categorical_features: Literal["from_dtype"] | ArrayLike | None = "from_dtype",
        missing_values: Any = np.nan,
        tol: float = 1e-3,
        cache_size: float = 200,
        max_iter: int = -1,
        library_params: dict | None = None,
        random_state: RandomState = None,
        verbose: int = 0,
    ):
        self.C = C
        self.kernel = kernel
        self.degree = degree
        self.gamma = gamma
        self.coef0 = coef0
        self.class_weight = class_weight
        self.approximation = approximation
        self.n_components = n_components
        self.calibration = calibration
        self.imputation = imputation
        self.fill_value = fill_value
        self.add_indicator = add_indicator
        self.scale = scale
        self.categorical_features = categorical_features
        self.missing_values = missing_values
        self.tol = tol
        self.cache_size = cache_size
        self.max_iter = max_iter
        self.library_params = library_params
        self.random_state = random_state
        self.verbose = verbose

    # The imputing estimator and the SVM check their own parameters.
    @_fit_context(prefer_skip_nested_validation=False)
    def fit(
        self, X: MatrixLike, y: ArrayLike, sample_weight: ArrayLike | None = None
    ) -> Self:
        """Fit the preparation and the SVM.

        Parameters
        ----------
        X : table of shape (n_samples, n_features)
            Array, sparse matrix, list of lists, or data frame of pandas, polars or
            pyarrow. Values may be missing; strings and categories are categories.
        y : array-like of shape (n_samples,)
            Labels.
        sample_weight : array-like of shape (n_samples,), default=None
            Weights of the rows, which multiply C. A row of weight 0 is left out.

        Returns
        -------
        self : SVMClassifier
            The fitted estimator.

        Raises
        ------
        ValueError
            If X holds infinity, y a missing value, a weight is negative or all are
            zero, a class has too few rows to be calibrated, or a parameter cannot be
            honoured.
        TypeError
            If a column of X mixes strings and numbers, or holds something else.

        Warns
        -----
        UserWarning
            If an exact SVM is fitted to more than 30000 rows, or if nothing was
            learned: all rows get the same prediction.
        """
        self._check_parameters()
        caller = type(self).__name__
        table, sample = learn_table(X, y, sample_weight, self)
        n_folds = count_folds(sample, self.calibration)
        if self.approximation is None:
            warn_of_many_rows(caller, len(sample.y), n_folds)
        recipe = self._recipe(table.reader)
        model, rows, curves = recipe.learn_calibrated(sample, self.calibration, n_folds)
        fitted = FittedSVMClassifier(
            table=table,
            classes_=sample.classes,
            model=model,
            support_=model.support(sample.positions[rows]),
            curves=curves,
        )
        score, advice = model.decision_function, f"Raise C={self.C:g}."
        warn_if_constant(caller, score, sample, model.preparation, advice)
        self._publish(fitted)
        return self

    def _check_parameters(self):
        super()._check_parameters()
        shape = (self.library_params or {}).get("decision_function_shape", "ovr")
        if self.calibration is not None and shape != "ovr":
            raise ValueError(
                f"calibration={self.calibration!r} needs one score for each class; it "
                f"cannot honour decision_function_shape={shape!r} in library_params."
            )

    def _has_probabilities(self):
        if self.calibration is None:
            raise AttributeError(
                "Probabilities need calibration: pass calibration='sigmoid' or "
                "'isotonic'."
            )
        return True

    @available_if(methodcaller("_has_probabilities"))
    def predict_proba(self, X: MatrixLike) -> np.ndarray:
        """Predict the probabilities of the classes.

        Parameters
        ----------
        X : table of shape (n_samples, n_features)
            Rows, with the columns of `fit`.

        Returns
        -------
        probabilities : ndarray of shape (n_samples, n_classes)
            The probabilities, in the order of `classes_`.
        """
        X = self._read(X)
        return self._fitted.predict_proba(X)
