"""XGBoost as scikit-learn estimators."""

from collections.abc import Callable, Sequence
from typing import Any, Literal

import numpy as np

from skml._typing import ArrayLike, RandomState
from skml.tabular._backends._names import XGBOOST, names_of
from skml.tabular._backends._xgboost import XGBoostTrees
from skml.tabular._boosted_predictions import (
    BoostingClassifierMixin,
    BoostingRegressorMixin,
)
from skml.tabular._boosting import BaseNativeBoosting


class BaseXGBoost(BaseNativeBoosting):
    """What the classifier and the regressor share."""

    _backends = (XGBoostTrees,)

    @classmethod
    def _names_of_library(cls):
        return names_of(XGBOOST)


class XGBoostClassifier(BoostingClassifierMixin, BaseXGBoost):
    """Gradient boosting classifier of XGBoost.

    One of a family of estimators of tables that share parameters, the treatment of
    missing values, and early stopping. At each split, missing values go to the child
    where the loss becomes lower.

    Read more in the :ref:`User Guide <tables>`.

    Parameters
    ----------
    n_estimators : int, default=100
        Number of boosting iterations; each adds one tree, or one per class for more
        than two classes.
    learning_rate : float, default=0.1
        Factor by which the values of each tree are multiplied (shrinkage).
    max_leaf_nodes : int or None, default=31
        Maximum number of leaves of a tree, which is grown leaf-wise (best-first). None:
        no limit.
    max_depth : int or None, default=None
        Maximum depth of a tree. None: no limit.
    min_samples_leaf : int, default=20
        Minimum number of samples in a leaf. XGBoost derives it from the sum of second
        derivatives: `min_child_weight` is this number times that of a typical sample
        before the first tree, its weight (of at most 1) included. Leaves may have fewer
        samples; `fit` warns of them, unless this is the default.
    min_impurity_decrease : float, default=0.0
        Minimum decrease of the loss by a split, in units of the library.
    l2_regularization : float, default=0.0
        L2 regularization of the leaf values.
    l1_regularization : float, default=0.0
        L1 regularization of the leaf values.
    max_features : float, default=1.0
        Fraction of the features that each split may choose from, sampled at random.
    subsample : float, default=1.0
        Fraction of the samples that each tree is trained on, sampled at random.
    max_bins : int, default=255
        Maximum number of bins of a feature; missing values have one more.
    categorical_features : "from_dtype", None or array-like of str, int or bool, \
            default="from_dtype"
        Categorical features: those of strings or of a category type ("from_dtype");
        none; or, beside those, the features that are given by name, position or mask.
    missing_values : scalar or list of scalars, default=np.nan
        Values that mean missing, such as -999 or ``"?"``, beside NaN, None, NA and NaT,
        which always do.
    monotonic_cst : dict, array-like of shape (n_features,) or None, default=None
        Constraint on each feature: 1 for a prediction that may only increase with it,
        -1 for one that may only decrease, 0 for none. A dict by name or position, or
        one value per feature. Not supported for three classes or more.
    interaction_cst : "pairwise", "no_interactions", list of lists, or None, \
            default=None
        Lists of features that may interact; the features in none of them are one more
        list.
    class_weight : dict, "balanced" or None, default=None
        Weights of the classes, multiplied with those of the samples. If balanced, the
        weights of each class have the same sum.
    early_stopping : bool or "auto", default=False
        Whether to stop when the validation score no longer improves, and to keep the
        trees of the best iteration. If "auto", early stopping is enabled if there are
        more than 10000 samples.
    scoring : str, callable or None, default="loss"
        Validation score: the loss, or a scorer, which gets the samples as they were
        passed to `fit`; None is the `score` method.
    validation_fraction : float, int or None, default=0.1
        Fraction or number of the samples in the validation set of early stopping,
        stratified by class, or in whole groups. None: no validation set, and the
        training score decides. Not used if `fit` gets `X_val`.
    n_iter_no_change : int, default=10
        Number of iterations without improvement after which training stops.
    tol : float, default=1e-07
        Tolerance: what a score must rise by to count as an improvement.
    warm_start : bool, default=False
        Whether `fit` adds trees to those of the previous fit.
    library_params : dict, default=None
        More parameters of XGBoost, by its own names, such as ``{"num_parallel_tree":
        4}``. Names that are unknown, or that have a parameter here, are refused.
    n_jobs : int, default=None
        Number of threads. None means one, unless a joblib context says otherwise; -1
        means all cores.
    random_state : int, RandomState or None, default=None
        Seed of the random sampling of samples and features, and of the validation set.
    verbose : int, default=0
        Print a line after each `verbose`-th iteration: the training loss or score, that
        of the validation set if there is one, rows per second, and the time elapsed and
        left; 0 prints nothing.

    Attributes
    ----------
    booster_ : xgboost.Booster
        XGBoost's own model.
    classes_ : ndarray of shape (n_classes,)
        Class labels, sorted.
    n_iter_ : int
        Number of iterations that are kept.
    train_score_ : ndarray of shape (n_iterations,)
        Training score after each iteration, the higher the better. Only with early
        stopping, or if `fit` got `X_val`.
    validation_score_ : ndarray of shape (n_iterations,)
        Score of the validation set after each iteration, if there is one. With early
        stopping, the best is that of iteration `n_iter_`.
    missing_fraction_ : ndarray of shape (n_features,)
        Fraction of the samples in which a feature was missing.
    feature_importances_ : ndarray of shape (n_features,)
        Normalised total gain of the splits of each feature.
    n_features_in_ : int
        Number of features.
    feature_names_in_ : ndarray of shape (n_features,)
        Names of the features, if all are strings.

    Notes
    -----
    XGBoost keeps values as float32. A column of which that would lose too many
    differences, such as times within minutes, is learned in another unit or as ranks,
    which `booster_` then has. Zeros of sparse matrices are zeros, as everywhere in
    scikit-learn: the matrices are made dense, since to XGBoost a value that is not
    stored is missing.

    References
    ----------
    .. [1] T. Chen and C. Guestrin, "XGBoost: A scalable tree boosting system", KDD
       2016.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.datasets import load_breast_cancer
    >>> from skml import XGBoostClassifier
    >>> X, y = load_breast_cancer(return_X_y=True, as_frame=True)
    >>> X.iloc[::3, 0] = np.nan
    >>> model = XGBoostClassifier(n_estimators=20, random_state=0)
    >>> model = model.fit(X[:400], y[:400])
    >>> bool(model.score(X[400:], y[400:]) > 0.9)
    True
    """

    _parameter_constraints = {
        **BaseXGBoost._parameter_constraints,
        **BoostingClassifierMixin._parameter_constraints,
    }

    def __init__(
        self,
        *,
        n_estimators: int = 100,
        learning_rate: float = 0.1,
        max_leaf_nodes: int | None = 31,
        max_depth: int | None = None,
        min_samples_leaf: int = 20,
        min_impurity_decrease: float = 0.0,
        l2_regularization: float = 0.0,
        l1_regularization: float = 0.0,
        max_features: float = 1.0,
        subsample: float = 1.0,
        max_bins: int = 255,
        categorical_features: Literal["from_dtype"] | ArrayLike | None = "from_dtype",
        missing_values: Any = np.nan,
        monotonic_cst: dict | ArrayLike | None = None,
        interaction_cst: Literal["pairwise", "no_interactions"]
        | Sequence[Sequence]
        | None = None,
        class_weight: dict | Literal["balanced"] | None = None,
        early_stopping: bool | Literal["auto"] = False,
        scoring: str | Callable | None = "loss",
        validation_fraction: float | None = 0.1,
        n_iter_no_change: int = 10,
        tol: float = 1e-07,
        warm_start: bool = False,
        library_params: dict | None = None,
        n_jobs: int | None = None,
        random_state: RandomState = None,
        verbose: int = 0,
    ):
        self.n_estimators = n_estimators
        self.learning_rate = learning_rate
        self.max_leaf_nodes = max_leaf_nodes
        self.max_depth = max_depth
        self.min_samples_leaf = min_samples_leaf
        self.min_impurity_decrease = min_impurity_decrease
        self.l2_regularization = l2_regularization
        self.l1_regularization = l1_regularization
        self.max_features = max_features
        self.subsample = subsample
        self.max_bins = max_bins
        self.categorical_features = categorical_features
        self.missing_values = missing_values
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


class XGBoostRegressor(BoostingRegressorMixin, BaseXGBoost):
    """Gradient boosting regressor of XGBoost.

    One of a family of estimators of tables that share parameters, the treatment of
    missing values, and early stopping. At each split, missing values go to the child
    where the loss becomes lower.

    Read more in the :ref:`User Guide <tables>`.

    Parameters
    ----------
    loss : {"squared_error", "absolute_error", "quantile", "poisson", "gamma"}, \
            default="squared_error"
        Loss to minimise. Poisson and gamma have a log link.
    quantile : float, default=None
        Level of the quantile loss, between 0 and 1; for no other loss.
    n_estimators : int, default=100
        Number of boosting iterations; each adds one tree, or one per class for more
        than two classes.
    learning_rate : float, default=0.1
        Factor by which the values of each tree are multiplied (shrinkage).
    max_leaf_nodes : int or None, default=31
        Maximum number of leaves of a tree, which is grown leaf-wise (best-first). None:
        no limit.
    max_depth : int or None, default=None
        Maximum depth of a tree. None: no limit.
    min_samples_leaf : int, default=20
        Minimum number of samples in a leaf. It is exact with `squared_error` and
        without weights; else XGBoost derives it from the sum of second derivatives:
        `min_child_weight` is this number times that of a typical sample before the
        first tree, its weight (of at most 1) included. Leaves may have fewer samples;
        `fit` warns of them, unless this is the default.
    min_impurity_decrease : float, default=0.0
        Minimum decrease of the loss by a split, in units of the library.
    l2_regularization : float, default=0.0
        L2 regularization of the leaf values.
    l1_regularization : float, default=0.0
        L1 regularization of the leaf values.
    max_features : float, default=1.0
        Fraction of the features that each split may choose from, sampled at random.
    subsample : float, default=1.0
        Fraction of the samples that each tree is trained on, sampled at random.
    max_bins : int, default=255
        Maximum number of bins of a feature; missing values have one more.
    categorical_features : "from_dtype", None or array-like of str, int or bool, \
            default="from_dtype"
        Categorical features: those of strings or of a category type ("from_dtype");
        none; or, beside those, the features that are given by name, position or mask.
    missing_values : scalar or list of scalars, default=np.nan
        Values that mean missing, such as -999 or ``"?"``, beside NaN, None, NA and NaT,
        which always do.
    monotonic_cst : dict, array-like of shape (n_features,) or None, default=None
        Constraint on each feature: 1 for a prediction that may only increase with it,
        -1 for one that may only decrease, 0 for none. A dict by name or position, or
        one value per feature. Not supported with the losses `absolute_error` and
        `quantile`.
    interaction_cst : "pairwise", "no_interactions", list of lists, or None, \
            default=None
        Lists of features that may interact; the features in none of them are one more
        list.
    early_stopping : bool or "auto", default=False
        Whether to stop when the validation score no longer improves, and to keep the
        trees of the best iteration. If "auto", early stopping is enabled if there are
        more than 10000 samples.
    scoring : str, callable or None, default="loss"
        Validation score: the loss, or a scorer, which gets the samples as they were
        passed to `fit`; None is the `score` method.
    validation_fraction : float, int or None, default=0.1
        Fraction or number of the samples in the validation set of early stopping,
        stratified by class, or in whole groups. None: no validation set, and the
        training score decides. Not used if `fit` gets `X_val`.
    n_iter_no_change : int, default=10
        Number of iterations without improvement after which training stops.
    tol : float, default=1e-07
        Tolerance: what a score must rise by to count as an improvement.
    warm_start : bool, default=False
        Whether `fit` adds trees to those of the previous fit.
    library_params : dict, default=None
        More parameters of XGBoost, by its own names, such as ``{"num_parallel_tree":
        4}``. Names that are unknown, or that have a parameter here, are refused.
    n_jobs : int, default=None
        Number of threads. None means one, unless a joblib context says otherwise; -1
        means all cores.
    random_state : int, RandomState or None, default=None
        Seed of the random sampling of samples and features, and of the validation set.
    verbose : int, default=0
        Print a line after each `verbose`-th iteration: the training loss or score, that
        of the validation set if there is one, rows per second, and the time elapsed and
        left; 0 prints nothing.

    Attributes
    ----------
    booster_ : xgboost.Booster
        XGBoost's own model.
    n_iter_ : int
        Number of iterations that are kept.
    train_score_ : ndarray of shape (n_iterations,)
        Training score after each iteration, the higher the better. Only with early
        stopping, or if `fit` got `X_val`.
    validation_score_ : ndarray of shape (n_iterations,)
        Score of the validation set after each iteration, if there is one. With early
        stopping, the best is that of iteration `n_iter_`.
    missing_fraction_ : ndarray of shape (n_features,)
        Fraction of the samples in which a feature was missing.
    feature_importances_ : ndarray of shape (n_features,)
        Normalised total gain of the splits of each feature.
    n_features_in_ : int
        Number of features.
    feature_names_in_ : ndarray of shape (n_features,)
        Names of the features, if all are strings.

    Notes
    -----
    XGBoost keeps values as float32. A column of which that would lose too many
    differences, such as times within minutes, is learned in another unit or as ranks,
    which `booster_` then has. Zeros of sparse matrices are zeros, as everywhere in
    scikit-learn: the matrices are made dense, since to XGBoost a value that is not
    stored is missing.

    From XGBoost 3.4 on, `absolute_error` is XGBoost's quantile loss of level 0.5, as
    its own absolute error follows the mean. Both losses are smooth approximations
    there; targets of more than 1e4 times the spread of the others have an influence.

    References
    ----------
    .. [1] T. Chen and C. Guestrin, "XGBoost: A scalable tree boosting system", KDD
       2016.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.datasets import load_diabetes
    >>> from skml import XGBoostRegressor
    >>> X, y = load_diabetes(return_X_y=True, as_frame=True)
    >>> X.loc[::3, "bmi"] = np.nan
    >>> model = XGBoostRegressor(n_estimators=50, random_state=0)
    >>> model = model.fit(X[:300], y[:300])
    >>> bool(model.score(X[300:], y[300:]) > 0.3)
    True
    """

    _parameter_constraints = {
        **BaseXGBoost._parameter_constraints,
        **BoostingRegressorMixin._parameter_constraints,
    }

    def __init__(
        self,
        *,
        loss: Literal[
            "squared_error", "absolute_error", "quantile", "poisson", "gamma"
        ] = "squared_error",
        quantile: float | None = None,
        n_estimators: int = 100,
        learning_rate: float = 0.1,
        max_leaf_nodes: int | None = 31,
        max_depth: int | None = None,
        min_samples_leaf: int = 20,
        min_impurity_decrease: float = 0.0,
        l2_regularization: float = 0.0,
        l1_regularization: float = 0.0,
        max_features: float = 1.0,
        subsample: float = 1.0,
        max_bins: int = 255,
        categorical_features: Literal["from_dtype"] | ArrayLike | None = "from_dtype",
        missing_values: Any = np.nan,
        monotonic_cst: dict | ArrayLike | None = None,
        interaction_cst: Literal["pairwise", "no_interactions"]
        | Sequence[Sequence]
        | None = None,
        early_stopping: bool | Literal["auto"] = False,
        scoring: str | Callable | None = "loss",
        validation_fraction: float | None = 0.1,
        n_iter_no_change: int = 10,
        tol: float = 1e-07,
        warm_start: bool = False,
        library_params: dict | None = None,
        n_jobs: int | None = None,
        random_state: RandomState = None,
        verbose: int = 0,
    ):
        self.loss = loss
        self.quantile = quantile
        self.n_estimators = n_estimators
        self.learning_rate = learning_rate
        self.max_leaf_nodes = max_leaf_nodes
        self.max_depth = max_depth
        self.min_samples_leaf = min_samples_leaf
        self.min_impurity_decrease = min_impurity_decrease
        self.l2_regularization = l2_regularization
        self.l1_regularization = l1_regularization
        self.max_features = max_features
        self.subsample = subsample
        self.max_bins = max_bins
        self.categorical_features = categorical_features
        self.missing_values = missing_values
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
