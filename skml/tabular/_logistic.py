"""Logistic regression of tables with missing values and categories."""

from inspect import signature
from numbers import Integral, Real
from typing import Any, Literal, Self

import numpy as np
from scipy import sparse
from sklearn.base import BaseEstimator
from sklearn.dummy import DummyClassifier
from sklearn.linear_model import LogisticRegression

from skml._codec import stored
from skml._compat.sklearn import Interval, StrOptions, _fit_context
from skml._random import make_random_state
from skml._table._learned_table import learn_table
from skml._table._preparation import check_squares, learn_preparation
from skml._table._statistics import weighted_moments
from skml._typing import ArrayLike, MatrixLike, RandomState
from skml.tabular._library_params import check_library_params
from skml.tabular._prepared import (
    BasePreparedLearner,
    FittedOnPrepared,
    PreparedClassifierMixin,
    PreparedModel,
    warn_if_constant,
)

# LogisticRegression's own names of what has a parameter here, or is set.
_OURS = {
    name: name
    for name in (
        *("C", "l1_ratio", "solver", "tol", "max_iter"),
        *("class_weight", "random_state", "verbose"),
    )
} | {"penalty": "C and l1_ratio", "multi_class": "", "n_jobs": "", "warm_start": ""}
# Those that know no multinomial model, or penalise the intercept, are not among them.
_SOLVERS = {"lbfgs", "newton-cg", "newton-cholesky", "sag", "saga"}


def penalty_parameters(l1_ratio):
    """Name the penalty as the installed version of scikit-learn does."""
    names = signature(LogisticRegression).parameters
    if "penalty" not in names or names["penalty"].default == "deprecated":  # >= 1.8
        return {"l1_ratio": l1_ratio}
    if 0 < l1_ratio < 1:
        return {"penalty": "elasticnet", "l1_ratio": l1_ratio}
    return {"penalty": "l1" if l1_ratio else "l2"}


@stored
class FittedLRClassifier(FittedOnPrepared):
    """What `LRClassifier` learned."""

    feature_importances_: np.ndarray

    def predict_codes(self, X):
        """The positions of the classes of rows that were read."""
        return self.model.predict(X)

    def check(self):
        super().check()
        if self.feature_importances_.shape != (self.table.n_features_in_,):
            raise ValueError("feature_importances_ has not one value per feature")


class LRClassifier(PreparedClassifierMixin, BasePreparedLearner):
    r"""Logistic regression for tables with missing values and categories.

    Before the model is fitted, missing numbers are imputed, missing indicators are
    added, categories are one-hot encoded, and numeric features are scaled. All this is
    learned in `fit`, so that in cross-validation nothing is known of the validation
    set. The model is scikit-learn's
    :class:`~sklearn.linear_model.LogisticRegression`: multinomial, and without a
    penalty on the intercept. With weights :math:`s_i` of rows, it minimises

    .. math:: -\sum_i s_i \log p(y_i | x_i)
        + \frac{1}{C} \left(\frac{1 - \rho}{2} \|w\|_2^2 + \rho \|w\|_1\right),

    where :math:`\rho` is `l1_ratio`. See [1]_, chapter 4.4.

    Parameters
    ----------
    C : float, default=1.0
        The inverse of the regularisation strength; `np.inf` means no penalty.
    l1_ratio : float, default=0.0
        The elastic-net mixing parameter: 0 is the L2 penalty, 1 the L1 penalty. Only
        `solver="saga"` supports values above 0.
    solver : {"lbfgs", "newton-cg", "newton-cholesky", "sag", "saga"}, default="lbfgs"
        The algorithm. "newton-cholesky" is fast where rows are many and prepared
        columns few; "sag" and "saga" shuffle the rows, and a weight of k equals k rows
        only to within `tol`.
    tol : float, default=1e-4
        The tolerance of the stopping criterion, on the gradient.
    max_iter : int, default=1000
        The largest number of iterations.
    class_weight : dict, "balanced" or None, default=None
        Weights of the classes, which multiply those of the rows; "balanced" gives all
        classes the same total weight. A class that a dict leaves out has weight 1.
    imputation : str or estimator, default="median"
        What is imputed for missing numbers: "median", "mean" or "most_frequent" of the
        feature; "constant", the number `fill_value`; or what a transformer makes of the
        numeric features, such as :class:`~sklearn.impute.KNNImputer`. It is cloned,
        and gets the weights of the rows if it takes them. A missing category is no
        category.
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
    library_params : dict, default=None
        More parameters of :class:`~sklearn.linear_model.LogisticRegression`, such as
        `fit_intercept`.
    random_state : int, RandomState instance or None, default=None
        Seeds the solvers "sag" and "saga", and an estimator that imputes.
    verbose : int, default=0
        How much the solver prints of its progress.

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
        The labels.
    prepared_feature_names_ : ndarray of shape (n_prepared,)
        The names of the prepared columns, whose coefficients are `estimator_.coef_`.
    estimator_ : LogisticRegression
        The fitted model of the prepared columns, whose classes are positions in
        `classes_`. Of a single class, a :class:`~sklearn.dummy.DummyClassifier`.
    feature_importances_ : ndarray of shape (n_features,)
        The standard deviation of the terms of each feature in the scores, over the
        training rows and the classes, weighted by their frequency. They sum to one, or
        are all zero, and rank features much as permutation importance does.
    preparation_ : TablePreparation
        The transformer of tables to the prepared columns.
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
    SVMClassifier : Support vector machine, with the same preparation.

    References
    ----------
    .. [1] T. Hastie, R. Tibshirani, J. Friedman, "The Elements of Statistical
       Learning", 2nd edition, Springer, 2009.

    Examples
    --------
    Passengers of whom some are of unknown age, some of unknown port:

    >>> from skml import LRClassifier
    >>> X = [[22.0, "S"], [38.0, "C"], [None, "S"], [35.0, None], [54.0, "C"]]
    >>> y = ["lost", "saved", "lost", "saved", "saved"]
    >>> model = LRClassifier().fit(X, y)
    >>> model.predict([[None, "C"], [30.0, "S"]])
    array(['saved', 'lost'], dtype='<U5')

    Missing indicators have coefficients of their own:

    >>> weights = model.estimator_.coef_[0]
    >>> for name, weight in zip(model.prepared_feature_names_, weights):
    ...     print(f"{name:20} {weight:5.2f}")
    x0                    0.60
    x1_C                  0.37
    x1_S                 -0.68
    missingindicator_x0  -0.39
    missingindicator_x1   0.30
    """

    _fitted_class = FittedLRClassifier
    _parameter_constraints = {
        **BasePreparedLearner._parameter_constraints,
        "C": [Interval(Real, 0, None, closed="right")],
        "l1_ratio": [Interval(Real, 0, 1, closed="both")],
        "solver": [StrOptions(_SOLVERS)],
        "tol": [Interval(Real, 0, None, closed="neither")],
        "max_iter": [Interval(Integral, 1, None, closed="left")],
        "class_weight": [dict, StrOptions({"balanced"}), None],
    }

    def __init__(
        self,
        C: float = 1.0,
        *,
        l1_ratio: float = 0.0,
        solver: Literal[
            "lbfgs", "newton-cg", "newton-cholesky", "sag", "saga"
        ] = "lbfgs",
        tol: float = 1e-4,
        max_iter: int = 1000,
        class_weight: dict | Literal["balanced"] | None = None,
        imputation: str | BaseEstimator = "median",
        fill_value: float = 0.0,
        add_indicator: bool = True,
        scale: bool = True,
        categorical_features: Literal["from_dtype"] | ArrayLike | None = "from_dtype",
        missing_values: Any = np.nan,
        library_params: dict | None = None,
        random_state: RandomState = None,
        verbose: int = 0,
    ):
        self.C = C
        self.l1_ratio = l1_ratio
        self.solver = solver
        self.tol = tol
        self.max_iter = max_iter
        self.class_weight = class_weight
        self.imputation = imputation
        self.fill_value = fill_value
        self.add_indicator = add_indicator
        self.scale = scale
        self.categorical_features = categorical_features
        self.missing_values = missing_values
        self.library_params = library_params
        self.random_state = random_state
        self.verbose = verbose

    # The imputing estimator and LogisticRegression check their own parameters.
    @_fit_context(prefer_skip_nested_validation=False)
    def fit(
        self, X: MatrixLike, y: ArrayLike, sample_weight: ArrayLike | None = None
    ) -> Self:
        """Fit the preparation and the model.

        Parameters
        ----------
        X : table of shape (n_samples, n_features)
            Array, sparse matrix, list of lists, or data frame of pandas, polars or
            pyarrow. Values may be missing; strings and categories are categories.
        y : array-like of shape (n_samples,)
            Labels.
        sample_weight : array-like of shape (n_samples,), default=None
            Weights of the rows. A row of weight 0 is left out.

        Returns
        -------
        self : LRClassifier
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
            If nothing was learned: all rows get the same probabilities.
        """
        self._check_parameters()
        caller = type(self).__name__
        table, sample = learn_table(X, y, sample_weight, self)
        random_state = make_random_state(self.random_state)
        preparation, prepared = learn_preparation(
            sample.X,
            table.reader,
            sample.sample_weight,
            **self._preparation_options(),
            random_state=random_state,
        )
        if not self.scale:
            check_squares(prepared, preparation.feature_names_out)
        estimator = self._new_estimator(len(sample.classes), random_state)
        estimator.fit(prepared, sample.y, sample.sample_weight)
        model = PreparedModel(preparation=preparation, estimator=estimator)
        fitted = FittedLRClassifier(
            table=table,
            classes_=sample.classes,
            model=model,
            feature_importances_=learn_importances(model, prepared, sample),
        )
        advice = f"Raise C={self.C:g}, or lower tol={self.tol:g}."
        score = model.decision_function
        warn_if_constant(caller, score, sample, preparation, advice)
        self._publish(fitted)
        return self

    def _check_parameters(self):
        if self.l1_ratio > 0 and self.solver != "saga":
            raise ValueError(
                f"solver={self.solver!r} cannot honour l1_ratio={self.l1_ratio}: it "
                "knows the L2 penalty only. Use solver='saga'."
            )
        known = LogisticRegression._parameter_constraints
        check_library_params(self, known, _OURS, "LogisticRegression")

    def _new_estimator(self, n_classes, random_state):
        if n_classes == 1:
            return DummyClassifier(strategy="prior")
        return LogisticRegression(
            C=self.C,
            **penalty_parameters(self.l1_ratio),
            solver=self.solver,
            tol=self.tol,
            max_iter=self.max_iter,
            random_state=random_state,
            verbose=self.verbose,
            **(self.library_params or {}),
        )

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
        return self._fitted.model.call("predict_proba", X)


def learn_importances(model, prepared, sample):
    """How far each feature drives the scores apart, as fractions of the sum.

    A feature adds a term to the score of each class. Its importance is the standard
    deviation of these terms over rows and, weighted by their frequency, classes.
    """
    n_features, of_output = sample.X.shape[1], model.preparation.feature_of_output
    if model.is_constant:
        return np.zeros(n_features)
    coefficients, fractions = model.estimator.coef_, np.ones(1)
    if len(coefficients) > 1:
        fractions = np.bincount(sample.y, weights=sample.sample_weight)
        fractions = fractions / fractions.sum()
        coefficients = coefficients - fractions @ coefficients
    positions = np.arange(len(of_output)), of_output
    shape = len(of_output), n_features
    variances = np.zeros(n_features)
    for fraction, values in zip(fractions, coefficients, strict=True):
        of_feature = sparse.csr_array((values, positions), shape=shape)
        if not sparse.issparse(prepared):
            of_feature = of_feature.toarray()  # much faster
        terms = prepared @ of_feature
        variances += fraction * weighted_moments(terms, sample.sample_weight)[1]
    deviations = np.sqrt(variances)
    return deviations / (deviations.sum() or 1.0)
