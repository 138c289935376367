"""Support vector machine that predicts numbers from tables with missing values."""

from numbers import Real
from typing import Any, Literal, Self

import numpy as np
from sklearn.base import BaseEstimator, RegressorMixin
from sklearn.svm import SVR, LinearSVR

from skml._codec import stored
from skml._compat.sklearn import Interval, _fit_context
from skml._table._learned_table import learn_table
from skml._table._targets import TargetScaling, learn_target_scaling
from skml._typing import ArrayLike, MatrixLike, RandomState
from skml.tabular._prepared import warn_if_constant
from skml.tabular._svm_base import BaseSVM, FittedSVM, warn_of_many_rows


@stored
class FittedSVMRegressor(FittedSVM):
    """What `SVMRegressor` learned; the scaling of targets included."""

    scaling: TargetScaling

    def attributes(self):
        mean, scale = self.scaling.mean, self.scaling.scale
        return super().attributes() | {
            "target_mean_": float(mean),
            "target_scale_": float(scale),
        }

    def check(self):
        super().check()
        if np.ndim(self.scaling.mean):
            raise ValueError("scaling is of several targets")


class SVMRegressor(RegressorMixin, BaseSVM):
    r"""Support vector machine that predicts numbers from tables with missing values.

    Before the SVM is fitted, missing numbers are imputed, missing indicators are added,
    categories are one-hot encoded, and numeric features are scaled. All this is learned
    in `fit`, so that in cross-validation nothing is known of the validation set.

    The SVM is scikit-learn's :class:`~sklearn.svm.SVR` [1]_. Rows that are equal
    and have equal targets are one row with all their weight, so that a weight of k is
    exactly k rows.

    Parameters
    ----------
    C : float, default=1.0
        The inverse of the regularisation strength: the larger, the closer the SVM
        follows the training data.
    epsilon : float, default=0.1
        Errors up to this size have no loss.
    scale_target : bool, default=True
        Whether targets are scaled to mean 0 and standard deviation 1, so that `epsilon`
        and `C` mean the same for prices and for lengths in metres. Without, they are in
        the units of y, as in scikit-learn.
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
    approximation : {"nystroem", "rff"} or None, default=None
        Replaces the kernel by the inner product of `n_components` features, and the
        SVM by a linear one, whose loss is squared: by randomly sampled rows of the
        training data [2]_, or by random Fourier features [3]_, of the kernel "rbf"
        only. The time then grows with the rows, not with their square; `fit` holds
        24 bytes times rows times `n_components` in memory. None is exact.
    n_components : int, default=500
        How many features `approximation` makes; "nystroem" no more than there are
        rows, and is then exact but for the loss. Of no effect without.
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
        More parameters of :class:`~sklearn.svm.SVR`, such as `shrinking`; with
        `approximation` of :class:`~sklearn.svm.LinearSVR`, such as `loss`.
    random_state : int, RandomState instance or None, default=None
        Seeds the approximation, and an estimator that imputes.
    verbose : int, default=0
        Whether the solver prints its progress.

    Attributes
    ----------
    estimator_ : SVR or LinearSVR
        The fitted SVM of the prepared columns, or of the features of `feature_map_`,
        and of the scaled targets.
    feature_map_ : Nystroem, RBFSampler or None
        The fitted approximation of the kernel.
    preparation_ : TablePreparation
        The transformer of tables to the prepared columns.
    prepared_feature_names_ : ndarray of shape (n_prepared,)
        The names of the prepared columns.
    support_ : ndarray of shape (n_support,)
        The rows of X that are support vectors, of equal ones the first. Only without
        `approximation`.
    target_mean_ : float
        What was subtracted from the targets; 0 without `scale_target`.
    target_scale_ : float
        What they were then divided by; 1 without `scale_target`.
    missing_fraction_ : ndarray of shape (n_features,)
        The fraction of rows where a feature was missing in `fit`.
    n_iter_ : int
        The number of iterations.
    n_features_in_ : int
        The number of features.
    feature_names_in_ : ndarray of shape (n_features,)
        Names of the features seen in `fit`. Only if all names of X are strings.

    See Also
    --------
    SVMClassifier : SVM for classification.

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
    The price of a flat by its size and its district:

    >>> from skml import SVMRegressor
    >>> X = [[45.0, "north"], [80.0, "south"], [None, "north"], [60.0, None]]
    >>> y = [310_000, 420_000, 350_000, 330_000]
    >>> model = SVMRegressor(C=10).fit(X, y)
    >>> model.predict([[70.0, "south"]]).round(-4)
    array([390000.])
    """

    _fitted_class = FittedSVMRegressor
    _exact_class, _linear_class = SVR, LinearSVR
    _linear_parameters = {"dual": False, "loss": "squared_epsilon_insensitive"}
    _parameter_constraints = {
        **BaseSVM._parameter_constraints,
        "epsilon": [Interval(Real, 0, None, closed="left")],
        "scale_target": ["boolean"],
    }

    def __init__(
        self,
        C: float = 1.0,
        *,
        epsilon: float = 0.1,
        scale_target: bool = True,
        kernel: Literal["rbf", "linear", "poly", "sigmoid"] = "rbf",
        degree: int = 3,
        gamma: Literal["scale", "auto"] | float = "scale",
        coef0: float = 0.0,
        approximation: Literal["nystroem", "rff"] | None = None,
        n_components: int = 500,
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
        self.epsilon = epsilon
        self.scale_target = scale_target
        self.kernel = kernel
        self.degree = degree
        self.gamma = gamma
        self.coef0 = coef0
        self.approximation = approximation
        self.n_components = n_components
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
            Targets.
        sample_weight : array-like of shape (n_samples,), default=None
            Weights of the rows, which multiply C. A row of weight 0 is left out.

        Returns
        -------
        self : SVMRegressor
            The fitted estimator.

        Raises
        ------
        ValueError
            If X holds infinity, y a missing value, a weight is negative or all are
            zero, or a parameter cannot be honoured.
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
        if self.approximation is None:
            warn_of_many_rows(caller, len(sample.y))
        scaling, advice = TargetScaling(), "Pass scale_target=True."
        if self.scale_target:
            scaling = learn_target_scaling(sample.y, sample.sample_weight)
            sample = sample._replace(y=scaling.apply(sample.y))
            advice = f"Lower epsilon={self.epsilon:g}, or raise C={self.C:g}."
        recipe = self._recipe(table.reader, epsilon=self.epsilon)
        model, rows = recipe.learn(sample.X, sample.y, sample.sample_weight)
        fitted = FittedSVMRegressor(
            table=table,
            model=model,
            support_=model.support(sample.positions[rows]),
            scaling=scaling,
        )
        warn_if_constant(caller, model.predict, sample, model.preparation, advice)
        self._publish(fitted)
        return self

    def predict(self, X: MatrixLike) -> np.ndarray:
        """Predict the targets of rows.

        Parameters
        ----------
        X : table of shape (n_samples, n_features)
            Rows, with the columns of `fit`.

        Returns
        -------
        y : ndarray of shape (n_samples,)
            Predictions.
        """
        X = self._read(X)
        return self._fitted.scaling.invert(self._fitted.model.predict(X))
