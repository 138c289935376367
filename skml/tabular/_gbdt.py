"""scikit-learn's gradient boosting, by histograms or exact, as one estimator."""

from numbers import Integral

import numpy as np
from sklearn.ensemble import (
    GradientBoostingClassifier,
    GradientBoostingRegressor,
    HistGradientBoostingClassifier,
    HistGradientBoostingRegressor,
)

from skml._compat.sklearn import Interval, StrOptions, interactions_of_hist
from skml.tabular._boosted_predictions import (
    BoostingClassifierMixin,
    BoostingRegressorMixin,
)
from skml.tabular._boosting import (
    BaseBoosting,
    check_quantile,
)
from skml.tabular._gbdt_exact import ExactTrees
from skml.tabular._gbdt_hist import HistTrees
from skml.tabular._imputed import TablePreparation
from skml.tabular._library_params import check_library_params
from skml.tabular._precision import EXACT, HIST

# What only one of the methods can honour, and the value that asks for nothing.
ONLY_HIST = {
    "l2_regularization": 0.0,
    "max_bins": 255,
    "monotonic_cst": None,
    "interaction_cst": None,
}
ONLY_EXACT = {
    "min_impurity_decrease": 0.0,
    "subsample": 1.0,
    "imputation": "median",
    "library_params": None,
}
# GradientBoosting's own names of what has a parameter here; "" for what is set.
OURS = {
    name: name
    for name in (
        "n_estimators",
        "learning_rate",
        "max_leaf_nodes",
        "max_depth",
        "min_samples_leaf",
        "min_impurity_decrease",
        "max_features",
        "subsample",
        "loss",
        "random_state",
        "verbose",
        "warm_start",
        "n_iter_no_change",
        "tol",
        "validation_fraction",
    )
} | {"alpha": "quantile", "init": ""}


class BaseGBDT(BaseBoosting):
    """What the classifier and the regressor share.

    A subclass names scikit-learn's two classes, `_hist_class` and `_exact_class`.
    """

    _parameter_constraints = {
        **BaseBoosting._parameter_constraints,
        "method": [StrOptions({"hist", "exact"})],
        "max_bins": [Interval(Integral, 2, 255, closed="both")],
        "imputation": TablePreparation.imputation_constraint,
    }

    _targets_are_float32 = False

    @property
    def _precision(self):
        return EXACT if self.method == "exact" else HIST

    @property
    def estimator_(self):
        """scikit-learn's own model."""
        return self._trees.native

    def _check_parameters(self):
        others = ONLY_EXACT if self.method == "hist" else ONLY_HIST
        for name, default in others.items():
            value = getattr(self, name)
            if not (value is default or value == default):
                raise ValueError(
                    f"method={self.method!r} cannot honour {name}={value!r:.60}; leave "
                    f"it at {default!r}, or choose the other method."
                )
        if self.method == "exact":
            native = self._exact_class
            known = native._parameter_constraints
            check_library_params(self, known, OURS, native.__name__)

    def _n_tasks(self):
        return 0 if self.method == "hist" else super()._n_tasks()

    def _new_trees(self):
        if self.method == "hist":
            return HistTrees(self._hist_class(), self._reader, self._columns)
        return ExactTrees(
            self._exact_class(), self._reader, self.imputation, self._seed
        )

    def _boost(self, train, monitor, n_before, progress):
        if n_before and self._trees.method != self.method:
            raise ValueError(
                f"warm_start=True goes on with the trees of the earlier fit, which had "
                f"method={self._trees.method!r}; method={self.method!r} cannot."
            )
        # A copy, so that nothing is half done where fit fails.
        trees = self._trees.cut(n_before) if n_before else self._new_trees()
        params = self._shared_params()
        params |= self._hist_params() if self.method == "hist" else self._exact_params()
        trees.boost(params, train, monitor, n_before, self._n_threads(), progress)
        self._trees = trees
        self.n_iter_ = trees.n_iter

    def _shared_params(self):
        return {
            "learning_rate": self.learning_rate,
            "max_leaf_nodes": self.max_leaf_nodes,
            "max_depth": self.max_depth,
            "min_samples_leaf": self.min_samples_leaf,
            "max_features": self.max_features,
            "warm_start": self.warm_start,
            "random_state": self._seed,
        }

    def _hist_params(self):
        monotonic, interactions = self._constraints()
        categorical = self._reader.is_categorical
        return {
            "max_iter": self.n_estimators,
            "l2_regularization": self.l2_regularization / self._penalties().l2,
            "max_bins": self.max_bins,
            "categorical_features": categorical if categorical.any() else None,
            "monotonic_cst": monotonic,
            "interaction_cst": interactions_of_hist(interactions, categorical),
            "scoring": self.scoring,
            "n_iter_no_change": self.n_iter_no_change,
            "tol": self.tol,
        }

    def _exact_params(self):
        return {
            "n_estimators": self.n_estimators,
            "min_impurity_decrease": self._least_decrease(),
            "subsample": self.subsample,
            **(self.library_params or {}),
        }

    def _least_decrease(self):
        """An impurity is a mean over rows: the unit of weights is no part of it."""
        penalties = self._penalties()
        return self.min_impurity_decrease / (penalties.gain / self._units.weight)

    def _cut(self, n_iter):
        self._trees = self._trees.cut(n_iter)
        self.n_iter_ = n_iter

    def _native_predict(self, X, raw):
        values = self._trees.raw_predict(X, self._n_threads())
        return values if raw else self._value_from_raw(values)

    def _staged_native_predict(self, X):
        return self._trees.staged_raw_predict(X, self._n_threads())

    def _has_splits(self):
        return len(self._splits().feature) > 0

    def _splits(self):
        return self._trees.splits()

    def _chosen_sides(self):
        return super()._chosen_sides() if self.method == "hist" else None

    def _missing_treatments(self):
        treatments = super()._missing_treatments()
        if self.method == "hist" or self._is_constant():
            return treatments
        prepared = zip(self._trees.preparation.treatments, treatments, strict=True)
        has_holes = self.missing_fraction_ > 0
        return [p[0] if h else p[1] for p, h in zip(prepared, has_holes, strict=True)]


class GBDTClassifier(BoostingClassifierMixin, BaseGBDT):
    """Gradient boosting by scikit-learn, for classes.

    One of a family of estimators of tables that share parameters, the meaning of a
    missing value, and early stopping. By histograms, missing values go, at each split,
    to the side where the loss gains more.

    Read more in the :ref:`User Guide <tables>`.

    Parameters
    ----------
    method : {"hist", "exact"}, default="hist"
        Histograms of binned values, as in
        :class:`~sklearn.ensemble.HistGradientBoostingClassifier`, or every split point,
        as in :class:`~sklearn.ensemble.GradientBoostingClassifier`, which takes no
        missing values and no categories itself: they are imputed, flagged and encoded.
    n_estimators : int, default=100
        The number of iterations; each adds one tree, or one a class for more than two
        classes.
    learning_rate : float, default=0.1
        What the values of each tree are multiplied by.
    max_leaf_nodes : int or None, default=31
        The largest number of leaves of a tree, which grows where it gains most. None:
        no limit.
    max_depth : int or None, default=None
        The largest depth of a tree. None: no limit.
    min_samples_leaf : int, default=20
        The smallest number of rows in a leaf.
    min_impurity_decrease : float, default=0.0
        The smallest gain of a split. Only of the exact method.
    l2_regularization : float, default=0.0
        Shrinks the values of leaves. Only with histograms.
    max_features : float, default=1.0
        The share of the features that each split may choose from, drawn at random.
    subsample : float, default=1.0
        The share of the rows that each tree learns from, drawn at random. Only of the
        exact method.
    max_bins : int, default=255
        The largest number of bins, up to 255, that the values of a feature are sorted
        into; missing values have one more. Only with histograms.
    categorical_features : "from_dtype", None or array-like of str, int or bool, \
            default="from_dtype"
        Which columns hold categories: those of strings or of a category type; none; or
        those, beside them, that are named, numbered or marked.
    missing_values : scalar or list of scalars, default=np.nan
        Values that mean missing, such as -999 or ``"?"``, beside NaN, None, NA and NaT,
        which always do.
    imputation : {"median", "mean", "most_frequent", "constant"} or transformer, \
            default="median"
        For the exact method: what stands in for missing values, computed with the
        weights of the rows; constant is 0. A flag beside it tells the trees.
    monotonic_cst : dict, array-like of shape (n_features,) or None, default=None
        1 where the prediction may only rise with a feature, -1 where it may only fall,
        0 otherwise; by name or position as a dict, or one value a feature. Not for
        three classes or more. Only with histograms.
    interaction_cst : "pairwise", "no_interactions", list of lists, or None, \
            default=None
        Lists of features that may meet in a tree; what no list has is one more list.
        Only with histograms.
    class_weight : dict, "balanced" or None, default=None
        Weights of the classes, which multiply those of the rows. Balanced classes have
        equal sums of weights.
    early_stopping : bool, default=False
        Whether to stop when the validation score does not rise any more, and keep the
        trees of the best score.
    scoring : str, callable or None, default="loss"
        The validation score: the loss, or a scorer, which gets the rows as they were
        passed to `fit`; None is the `score` method.
    validation_fraction : float, int or None, default=0.1
        How many rows are held out for early stopping, of each class or in whole groups,
        as a fraction or as a number. None: none, and the training score decides. Not
        used if `fit` gets `X_val`.
    n_iter_no_change : int, default=10
        Stop when this many iterations bring nothing better.
    tol : float, default=1e-07
        By how much a score must be higher to be better.
    warm_start : bool, default=False
        Whether `fit` goes on with the trees of the fit before.
    library_params : dict, default=None
        More parameters of the exact method, by scikit-learn's names, such as
        ``{"ccp_alpha": 0.01}``. Others are refused.
    n_jobs : int, default=None
        The number of threads. None is one, unless a joblib context says otherwise; -1
        is all cores.
    random_state : int, RandomState or None, default=None
        Seed of what is drawn: rows, features, the rows held out.
    verbose : int, default=0
        Whether each iteration is printed, with the training loss or score, that of the
        validation rows if there are some, and the seconds since the start.

    Attributes
    ----------
    estimator_ : HistGradientBoostingClassifier or GradientBoostingClassifier
        scikit-learn's own model.
    classes_ : ndarray of shape (n_classes,)
        The classes, sorted.
    n_iter_ : int
        The number of iterations that are kept.
    train_score_ : ndarray of shape (n_iterations,)
        Training score after each iteration that was run, the higher the better. Only
        with early stopping, or if `fit` got `X_val`.
    validation_score_ : ndarray of shape (n_iterations,)
        The same of the rows held out, or of `X_val`, if there are some. With early
        stopping, the best is that of iteration `n_iter_`.
    missing_fraction_ : ndarray of shape (n_features,)
        The share of the rows in which a feature was missing.
    feature_importances_ : ndarray of shape (n_features,)
        The share of each feature in the total gain of all splits.
    n_features_in_ : int
        The number of features.
    feature_names_in_ : ndarray of shape (n_features,)
        Their names, if X had names that are all strings.

    Notes
    -----
    With histograms, of more categories than bins the rarest become one. With the exact
    method, early stopping is that of this package, with the same rule.

    References
    ----------
    .. [1] J. H. Friedman, "Greedy function approximation: a gradient boosting
       machine", Annals of Statistics 29, 2001.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.datasets import load_breast_cancer
    >>> from skml import GBDTClassifier
    >>> X, y = load_breast_cancer(return_X_y=True, as_frame=True)
    >>> X.iloc[::3, 0] = np.nan
    >>> model = GBDTClassifier(n_estimators=20, random_state=0)
    >>> model = model.fit(X[:400], y[:400])
    >>> bool(model.score(X[400:], y[400:]) > 0.9)
    True
    """

    _hist_class = HistGradientBoostingClassifier
    _exact_class = GradientBoostingClassifier
    _parameter_constraints = {
        **BaseGBDT._parameter_constraints,
        **BoostingClassifierMixin._parameter_constraints,
    }

    def __init__(
        self,
        *,
        method="hist",
        n_estimators=100,
        learning_rate=0.1,
        max_leaf_nodes=31,
        max_depth=None,
        min_samples_leaf=20,
        min_impurity_decrease=0.0,
        l2_regularization=0.0,
        max_features=1.0,
        subsample=1.0,
        max_bins=255,
        categorical_features="from_dtype",
        missing_values=np.nan,
        imputation="median",
        monotonic_cst=None,
        interaction_cst=None,
        class_weight=None,
        early_stopping=False,
        scoring="loss",
        validation_fraction=0.1,
        n_iter_no_change=10,
        tol=1e-07,
        warm_start=False,
        library_params=None,
        n_jobs=None,
        random_state=None,
        verbose=0,
    ):
        self.method = method
        self.n_estimators = n_estimators
        self.learning_rate = learning_rate
        self.max_leaf_nodes = max_leaf_nodes
        self.max_depth = max_depth
        self.min_samples_leaf = min_samples_leaf
        self.min_impurity_decrease = min_impurity_decrease
        self.l2_regularization = l2_regularization
        self.max_features = max_features
        self.subsample = subsample
        self.max_bins = max_bins
        self.categorical_features = categorical_features
        self.missing_values = missing_values
        self.imputation = imputation
        self.monotonic_cst = monotonic_cst
        self.interaction_cst = interaction_cst
        self.class_weight = class_weight
        self.early_stopping = early_stopping
        self.scoring = scoring
        self.validation_fraction = validation_fraction
        self.n_iter_no_change = n_iter_no_change
        self.tol = tol
        self.warm_start = warm_start
        self.library_params = library_params
        self.n_jobs = n_jobs
        self.random_state = random_state
        self.verbose = verbose


class GBDTRegressor(BoostingRegressorMixin, BaseGBDT):
    """Gradient boosting by scikit-learn, for numbers.

    One of a family of estimators of tables that share parameters, the meaning of a
    missing value, and early stopping. By histograms, missing values go, at each split,
    to the side where the loss gains more.

    Read more in the :ref:`User Guide <tables>`.

    Parameters
    ----------
    loss : {"squared_error", "absolute_error", "quantile", "poisson", "gamma"}, \
            default="squared_error"
        What is minimised. Poisson and gamma have a log link, and need histograms.
    quantile : float, default=None
        The level of the quantile loss, between 0 and 1; for no other loss.
    method : {"hist", "exact"}, default="hist"
        Histograms of binned values, as in
        :class:`~sklearn.ensemble.HistGradientBoostingRegressor`, or every split point,
        as in :class:`~sklearn.ensemble.GradientBoostingRegressor`, which takes no
        missing values and no categories itself: they are imputed, flagged and encoded.
    n_estimators : int, default=100
        The number of iterations; each adds one tree, or one a class for more than two
        classes.
    learning_rate : float, default=0.1
        What the values of each tree are multiplied by.
    max_leaf_nodes : int or None, default=31
        The largest number of leaves of a tree, which grows where it gains most. None:
        no limit.
    max_depth : int or None, default=None
        The largest depth of a tree. None: no limit.
    min_samples_leaf : int, default=20
        The smallest number of rows in a leaf.
    min_impurity_decrease : float, default=0.0
        The smallest gain of a split. Only of the exact method.
    l2_regularization : float, default=0.0
        Shrinks the values of leaves. Only with histograms.
    max_features : float, default=1.0
        The share of the features that each split may choose from, drawn at random.
    subsample : float, default=1.0
        The share of the rows that each tree learns from, drawn at random. Only of the
        exact method.
    max_bins : int, default=255
        The largest number of bins, up to 255, that the values of a feature are sorted
        into; missing values have one more. Only with histograms.
    categorical_features : "from_dtype", None or array-like of str, int or bool, \
            default="from_dtype"
        Which columns hold categories: those of strings or of a category type; none; or
        those, beside them, that are named, numbered or marked.
    missing_values : scalar or list of scalars, default=np.nan
        Values that mean missing, such as -999 or ``"?"``, beside NaN, None, NA and NaT,
        which always do.
    imputation : {"median", "mean", "most_frequent", "constant"} or transformer, \
            default="median"
        For the exact method: what stands in for missing values, computed with the
        weights of the rows; constant is 0. A flag beside it tells the trees.
    monotonic_cst : dict, array-like of shape (n_features,) or None, default=None
        1 where the prediction may only rise with a feature, -1 where it may only fall,
        0 otherwise; by name or position as a dict, or one value a feature. Not with the
        losses `absolute_error` and `quantile`. Only with histograms.
    interaction_cst : "pairwise", "no_interactions", list of lists, or None, \
            default=None
        Lists of features that may meet in a tree; what no list has is one more list.
        Only with histograms.
    early_stopping : bool, default=False
        Whether to stop when the validation score does not rise any more, and keep the
        trees of the best score.
    scoring : str, callable or None, default="loss"
        The validation score: the loss, or a scorer, which gets the rows as they were
        passed to `fit`; None is the `score` method.
    validation_fraction : float, int or None, default=0.1
        How many rows are held out for early stopping, of each class or in whole groups,
        as a fraction or as a number. None: none, and the training score decides. Not
        used if `fit` gets `X_val`.
    n_iter_no_change : int, default=10
        Stop when this many iterations bring nothing better.
    tol : float, default=1e-07
        By how much a score must be higher to be better.
    warm_start : bool, default=False
        Whether `fit` goes on with the trees of the fit before.
    library_params : dict, default=None
        More parameters of the exact method, by scikit-learn's names, such as
        ``{"ccp_alpha": 0.01}``. Others are refused.
    n_jobs : int, default=None
        The number of threads. None is one, unless a joblib context says otherwise; -1
        is all cores.
    random_state : int, RandomState or None, default=None
        Seed of what is drawn: rows, features, the rows held out.
    verbose : int, default=0
        Whether each iteration is printed, with the training loss or score, that of the
        validation rows if there are some, and the seconds since the start.

    Attributes
    ----------
    estimator_ : HistGradientBoostingRegressor or GradientBoostingRegressor
        scikit-learn's own model.
    n_iter_ : int
        The number of iterations that are kept.
    train_score_ : ndarray of shape (n_iterations,)
        Training score after each iteration that was run, the higher the better. Only
        with early stopping, or if `fit` got `X_val`.
    validation_score_ : ndarray of shape (n_iterations,)
        The same of the rows held out, or of `X_val`, if there are some. With early
        stopping, the best is that of iteration `n_iter_`.
    missing_fraction_ : ndarray of shape (n_features,)
        The share of the rows in which a feature was missing.
    feature_importances_ : ndarray of shape (n_features,)
        The share of each feature in the total gain of all splits.
    n_features_in_ : int
        The number of features.
    feature_names_in_ : ndarray of shape (n_features,)
        Their names, if X had names that are all strings.

    Notes
    -----
    With histograms, of more categories than bins the rarest become one. With the exact
    method, early stopping is that of this package, with the same rule.

    References
    ----------
    .. [1] J. H. Friedman, "Greedy function approximation: a gradient boosting
       machine", Annals of Statistics 29, 2001.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.datasets import load_diabetes
    >>> from skml import GBDTRegressor
    >>> X, y = load_diabetes(return_X_y=True, as_frame=True)
    >>> X.loc[::3, "bmi"] = np.nan
    >>> model = GBDTRegressor(n_estimators=50, random_state=0)
    >>> model = model.fit(X[:300], y[:300])
    >>> bool(model.score(X[300:], y[300:]) > 0.3)
    True
    """

    _hist_class = HistGradientBoostingRegressor
    _exact_class = GradientBoostingRegressor
    _parameter_constraints = {
        **BaseGBDT._parameter_constraints,
        **BoostingRegressorMixin._parameter_constraints,
    }

    def __init__(
        self,
        *,
        loss="squared_error",
        quantile=None,
        method="hist",
        n_estimators=100,
        learning_rate=0.1,
        max_leaf_nodes=31,
        max_depth=None,
        min_samples_leaf=20,
        min_impurity_decrease=0.0,
        l2_regularization=0.0,
        max_features=1.0,
        subsample=1.0,
        max_bins=255,
        categorical_features="from_dtype",
        missing_values=np.nan,
        imputation="median",
        monotonic_cst=None,
        interaction_cst=None,
        early_stopping=False,
        scoring="loss",
        validation_fraction=0.1,
        n_iter_no_change=10,
        tol=1e-07,
        warm_start=False,
        library_params=None,
        n_jobs=None,
        random_state=None,
        verbose=0,
    ):
        self.loss = loss
        self.quantile = quantile
        self.method = method
        self.n_estimators = n_estimators
        self.learning_rate = learning_rate
        self.max_leaf_nodes = max_leaf_nodes
        self.max_depth = max_depth
        self.min_samples_leaf = min_samples_leaf
        self.min_impurity_decrease = min_impurity_decrease
        self.l2_regularization = l2_regularization
        self.max_features = max_features
        self.subsample = subsample
        self.max_bins = max_bins
        self.categorical_features = categorical_features
        self.missing_values = missing_values
        self.imputation = imputation
        self.monotonic_cst = monotonic_cst
        self.interaction_cst = interaction_cst
        self.early_stopping = early_stopping
        self.scoring = scoring
        self.validation_fraction = validation_fraction
        self.n_iter_no_change = n_iter_no_change
        self.tol = tol
        self.warm_start = warm_start
        self.library_params = library_params
        self.n_jobs = n_jobs
        self.random_state = random_state
        self.verbose = verbose

    def _check_parameters(self):
        super()._check_parameters()
        check_quantile(self.loss, self.quantile)
        if self.method == "exact" and self.loss in {"poisson", "gamma"}:
            raise ValueError(
                f"method='exact' cannot honour loss={self.loss!r}; choose "
                "method='hist'."
            )

    def _hist_params(self):
        return super()._hist_params() | {
            "loss": self.loss,
            "quantile": self.quantile,
        }

    def _exact_params(self):
        params = super()._exact_params() | {"loss": self.loss}
        return params | ({"alpha": self.quantile} if self.quantile else {})
