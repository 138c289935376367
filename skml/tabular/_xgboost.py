"""XGBoost as scikit-learn estimators."""

import json
import re
import warnings
from functools import partial
from numbers import Integral

import numpy as np
from sklearn.base import is_classifier
from sklearn.utils.validation import check_is_fitted

from skml._compat.sklearn import Interval
from skml._table._frame import as_dense
from skml.tabular._boosted_predictions import (
    BoostingClassifierMixin,
    BoostingRegressorMixin,
)
from skml.tabular._boosting import (
    BaseBoosting,
    Splits,
    check_quantile,
)
from skml.tabular._leaf_size import (
    can_break,
    few_are_heavy,
    typical_hessian,
    typical_weight,
    warn_of_small_leaf,
)
from skml.tabular._library_params import check_library_params, native_names, release
from skml.tabular._openmp import openmp_limit
from skml.tabular._persistence import NativeFilesMixin

# XGBoost's names, aliases included, of what has a parameter here; "" for what is set.
OURS = {
    "eta": "learning_rate",
    "learning_rate": "learning_rate",
    "num_boost_round": "n_estimators",
    "n_estimators": "n_estimators",
    "max_leaves": "max_leaf_nodes",
    "grow_policy": "max_leaf_nodes",
    "max_depth": "max_depth",
    "min_child_weight": "min_samples_leaf",
    "lambda": "l2_regularization",
    "reg_lambda": "l2_regularization",
    "alpha": "l1_regularization",
    "reg_alpha": "l1_regularization",
    "gamma": "min_impurity_decrease",
    "min_split_loss": "min_impurity_decrease",
    "colsample_bynode": "max_features",
    "subsample": "subsample",
    "max_bin": "max_bins",
    "monotone_constraints": "monotonic_cst",
    "interaction_constraints": "interaction_cst",
    "objective": "loss",
    "quantile_alpha": "quantile",
    "scale_pos_weight": "class_weight",
    "early_stopping_rounds": "n_iter_no_change",
    "eval_metric": "scoring",
    "missing": "missing_values",
    "enable_categorical": "categorical_features",
    "feature_types": "categorical_features",
    "nthread": "n_jobs",
    "n_jobs": "n_jobs",
    "seed": "random_state",
    "random_state": "random_state",
    "verbosity": "verbose",
    "num_class": "",
    "booster": "",
    "disable_default_eval_metric": "",
    "process_type": "",
    "updater": "",
}
REFUSED_IN_NAMES = "[]<"
OBJECTIVES = {
    "squared_error": "reg:squarederror",
    "absolute_error": "reg:absoluteerror",
    "quantile": "reg:quantileerror",
    "poisson": "count:poisson",
    "gamma": "reg:gamma",
}

MOST_LEAVES = 1_000_000  # rows times iterations, where the rows of leaves are counted


class BaseXGBoost(NativeFilesMixin, BaseBoosting):
    """What the classifier and the regressor share."""

    _library, _booster_file = "xgboost", "booster.json"
    _parameter_constraints = {
        **BaseBoosting._parameter_constraints,
        "l1_regularization": BaseBoosting._parameter_constraints["l2_regularization"],
        "max_bins": [Interval(Integral, 2, None, closed="left")],
    }

    @classmethod
    def _names_of_library(cls):
        return OURS

    def _check_parameters(self):
        check_library_params(self, None, OURS, "XGBoost")
        if not is_classifier(self):
            check_quantile(self.loss, self.quantile)
        if self.library_params:
            refuse_unknown(self.library_params)

    def _native_params(self, n_before, train):
        """The parameters in XGBoost's own vocabulary."""
        objective, of_objective = self._objective()
        penalties = self._penalties()
        params = {
            "objective": objective,
            **of_objective,
            "learning_rate": self.learning_rate,
            "max_leaves": self.max_leaf_nodes or 0,
            "grow_policy": "lossguide" if self.max_leaf_nodes else "depthwise",
            "max_depth": self.max_depth or 0,
            "min_child_weight": self.min_samples_leaf * self._hessian_of_a_row(train),
            "reg_lambda": self.l2_regularization / penalties.l2,
            "reg_alpha": self.l1_regularization / penalties.l1,
            "gamma": self.min_impurity_decrease / penalties.gain,
            "colsample_bynode": self.max_features,
            "subsample": self.subsample,
            "max_bin": self.max_bins,
            "seed": self._seed + n_before,  # what is drawn goes on as well
            "nthread": self._n_threads(),
            "disable_default_eval_metric": True,
        }
        monotonic, interactions = self._constraints()
        if monotonic is not None:
            params["monotone_constraints"] = tuple(monotonic.tolist())
        if interactions is not None:
            # A list would have to be of names.
            params["interaction_constraints"] = json.dumps(interactions)
        return params | (self.library_params or {})

    def _hessian_of_a_row(self, train):
        """What a row is in the sum of second derivatives, which XGBoost counts."""
        hessian = typical_hessian(self, train, softmax=2.0)
        if train.sample_weight is None:
            return hessian
        # A weight of 3 may stand for three rows.
        return hessian * min(1.0, typical_weight(train.sample_weight))

    def _objective(self):
        if not is_classifier(self):
            loss, quantile = self.loss, self.quantile
            if loss == "absolute_error" and absolute_error_is_smooth():
                loss, quantile = "quantile", 0.5
            of_objective = {} if quantile is None else {"quantile_alpha": quantile}
            return OBJECTIVES[loss], of_objective
        if len(self.classes_) == 2:
            return "binary:logistic", {}
        return "multi:softprob", {"num_class": len(self.classes_)}

    def _boost(self, train, monitor, n_before, progress):
        import xgboost

        params = self._native_params(n_before, train)
        if params.get("tree_method") == "exact":
            check_exact(self.max_leaf_nodes, self._reader)
        with (
            # What the user asks of the library is answered, such as for a device.
            xgboost.config_context(verbosity=1 if self.library_params else 0),
            # A QuantileDMatrix takes more threads than it is told to.
            openmp_limit("xgboost", params["nthread"]),
        ):
            matrix = self._matrix(train, params)
            booster = self._update(matrix, monitor, n_before, params, progress)
            if can_break(self, train.sample_weight):
                # XGBoost 3.0 finds no leaves for a QuantileDMatrix.
                rows = self._plain_matrix(train.X)
                n_rows = smallest_leaf(booster, rows, n_before)
                warn_of_small_leaf(self, n_rows, "XGBoost")
        self.booster_ = as_many_threads_as_allowed(booster.reset())
        self.n_iter_ = booster.num_boosted_rounds()

    def _update(self, matrix, monitor, n_before, params, progress):
        import xgboost

        scored = [] if monitor is None else [matrix]
        if monitor is not None and monitor.validation is not None:
            validation = self._units.of_sample(monitor.validation)
            scored.append(self._matrix(validation, params, reference=matrix))
        booster = xgboost.Booster(
            params,
            [matrix, *scored[1:]],
            model_file=self.booster_ if n_before else None,
        )
        for iteration in range(self.n_estimators - n_before):
            booster.update(matrix, iteration)
            raw = [booster.predict(m, output_margin=True) for m in scored]
            is_enough = monitor is not None and monitor.should_stop(
                *(scores.astype(np.float64) for scores in raw)
            )
            n_iter = n_before + iteration + 1
            learned = partial(self._learned, booster, n_iter)
            if progress.report(n_iter, monitor, learned) or is_enough:
                break
        return booster

    def _learned(self, booster, n_iter):
        return {
            "booster_": as_many_threads_as_allowed(booster.copy()),
            "n_iter_": n_iter,
        }

    def _matrix(self, sample, params, reference=None):
        import xgboost

        arguments = {
            "label": sample.y,
            "weight": sample.sample_weight,
            "nthread": params["nthread"],
            **self._native_columns(),
        }
        if params.get("tree_method", "hist") not in {"hist", "auto"}:
            return xgboost.DMatrix(as_dense(self._in_units(sample.X)), **arguments)
        if few_are_heavy(sample.sample_weight):
            # Else the few heavy rows would have nearly all bins as well.
            del arguments["weight"]
        matrix = xgboost.QuantileDMatrix(
            as_dense(self._in_units(sample.X)),
            max_bin=self.max_bins,
            ref=reference,
            **arguments,
        )
        if sample.sample_weight is not None:
            matrix.set_weight(sample.sample_weight)
        return matrix

    def _plain_matrix(self, X):
        """Rows as XGBoost predicts them, not in bins."""
        import xgboost

        return xgboost.DMatrix(
            as_dense(self._in_units(X)),
            nthread=self._n_threads(),
            **self._native_columns(),
        )

    def _native_columns(self):
        """What a matrix of XGBoost is told about its columns."""
        return {
            "feature_names": native_names(self._reader.names, REFUSED_IN_NAMES, "f"),
            "feature_types": ["c" if c else "q" for c in self._reader.is_categorical],
            "enable_categorical": True,
        }

    def _cut(self, n_iter):
        self.booster_ = as_many_threads_as_allowed(self.booster_[:n_iter])
        self.n_iter_ = n_iter

    def _native_predict(self, X, raw):
        with openmp_limit("xgboost", self._n_threads()):
            values = self.booster_.inplace_predict(
                as_dense(self._in_units(X)),
                predict_type="margin" if raw else "value",
                validate_features=False,
            ).astype(np.float64)
        if raw or values.ndim == 1:
            return values
        return values / values.sum(axis=1, keepdims=True)  # they were rounded

    def _staged_native_predict(self, X):
        X = as_dense(self._in_units(X))
        margin = None
        for iteration in range(self.n_iter_):
            with openmp_limit("xgboost", self._n_threads()):
                margin = self.booster_.inplace_predict(
                    X,
                    predict_type="margin",
                    iteration_range=(iteration, iteration + 1),
                    base_margin=margin,
                    validate_features=False,
                )
            yield margin.astype(np.float64)

    def _has_splits(self):
        return bool(self.booster_.get_score(importance_type="weight"))

    def _splits(self):
        model = json.loads(self.booster_.save_raw("json"))
        trees = model["learner"]["gradient_booster"]["model"]["trees"]
        return Splits(
            of_splits(trees, "split_indices", np.intp),
            of_splits(trees, "loss_changes", np.float64),
            of_splits(trees, "default_left", bool),
        )

    def shap_values(self, X):
        """Compute what each feature adds to each raw prediction: exact SHAP values.

        Parameters
        ----------
        X : table of shape (n_samples, n_features)
            Rows, in columns as in `fit`.

        Returns
        -------
        values : ndarray of shape (n_samples, n_features[, n_classes])
            Contributions to the raw scores (log-odds, of a regressor with a log link
            the logarithm); the last axis for three classes and more.
        base_value : ndarray of shape () or (n_classes,)
            What is predicted before any feature is known. Together with the values
            of a row it sums to the raw prediction.

        References
        ----------
        S. Lundberg et al., "From local explanations to global understanding with
        explainable AI for trees", Nature Machine Intelligence 2, 2020.
        """
        check_is_fitted(self)
        X = self._read_predict(X)
        if self._is_constant():
            return np.zeros(X.shape), np.float64(0)
        matrix = self._plain_matrix(X)
        with openmp_limit("xgboost", self._n_threads()):
            values = self.booster_.predict(matrix, pred_contribs=True)
        values = values.astype(np.float64)
        if values.ndim == 3:  # (n_samples, n_classes, n_features + 1)
            values = values.transpose(0, 2, 1)
        values, base_value = values[:, :-1], values[0, -1]
        return self._units.of_contributions(values, base_value, self._loss_name())

    def _booster_text(self):
        return self.booster_.save_raw("json").decode()

    def _take_booster(self, text, where):
        import xgboost

        booster = xgboost.Booster()
        try:
            booster.load_model(bytearray(text.encode()))
        except xgboost.core.XGBoostError as error:
            raise ValueError(f"{where}: XGBoost cannot read it: {error}") from error
        self.booster_ = as_many_threads_as_allowed(booster)

    def _booster_counts(self):
        return self.booster_.num_features(), self.booster_.num_boosted_rounds()


def absolute_error_is_smooth():
    """Whether "reg:absoluteerror" is a smooth approximation that starts from the mean.

    So it is from XGBoost 3.4 on, where outliers move all predictions. The quantile loss
    of one half is half the absolute error, and starts from the median.
    """
    import xgboost

    return release(xgboost.__version__) >= [3, 4]


def as_many_threads_as_allowed(booster):
    """Let a booster use what OpenMP allows, so that `predict` need not change it."""
    with openmp_limit("xgboost", 1):
        booster.set_param({"nthread": 0})
        booster.num_boosted_rounds()  # which puts the parameter into effect
    return booster


def smallest_leaf(booster, matrix, n_before):
    """The number of rows in the smallest leaf of the new trees; of many, of some."""
    n_rows, n_iter = matrix.num_row(), booster.num_boosted_rounds()
    n_looked_at = max(1, min(n_iter - n_before, MOST_LEAVES // n_rows))
    smallest = n_rows
    for i in np.linspace(n_iter - 1, n_before, n_looked_at).astype(int).tolist():
        leaves = booster[i : i + 1].predict(matrix, pred_leaf=True)
        for leaf_of_row in leaves.reshape(n_rows, -1).T.astype(np.intp):
            sizes = np.bincount(leaf_of_row)
            smallest = min(smallest, int(sizes[sizes > 0].min()))
    return smallest


def of_splits(trees, name, dtype):
    """A property of the nodes of trees that are split."""
    is_split = np.concatenate([tree["left_children"] for tree in trees]) >= 0
    return np.concatenate([tree[name] for tree in trees])[is_split].astype(dtype)


def check_exact(max_leaf_nodes, reader):
    """Refuse what XGBoost's exact method has not."""
    if max_leaf_nodes is not None:
        raise ValueError(
            "library_params={'tree_method': 'exact'} cannot honour max_leaf_nodes="
            f"{max_leaf_nodes}; pass max_leaf_nodes=None and a max_depth."
        )
    if reader.is_categorical.any():
        j = int(np.flatnonzero(reader.is_categorical)[0])
        raise ValueError(
            "library_params={'tree_method': 'exact'} knows no categories, which "
            f"{reader.name_of(j)} holds; leave the method, or encode the column."
        )


def refuse_unknown(library_params):
    """Let XGBoost itself look at the names, on a table of two rows."""
    import xgboost

    with (
        warnings.catch_warnings(record=True) as caught,
        xgboost.config_context(verbosity=1),
    ):
        warnings.simplefilter("always")
        matrix = xgboost.DMatrix(np.eye(2), label=[0, 1], nthread=1)
        params = {**library_params, "validate_parameters": True}
        xgboost.train(params, matrix, num_boost_round=1)
    for warning in caught:
        message = str(warning.message)
        if "are not used" in message:
            unknown = re.findall(r'"([^"]*)"', message)
            raise ValueError(
                f"library_params has {', '.join(map(repr, unknown))}, which XGBoost "
                "does not know, or does not use with trees."
            )


class XGBoostClassifier(BoostingClassifierMixin, BaseXGBoost):
    """Gradient boosting by XGBoost, for classes.

    One of a family of estimators of tables that share parameters, the meaning of a
    missing value, and early stopping. Missing values go, at each split, to the side
    where the loss gains more.

    Read more in the :ref:`User Guide <tables>`.

    Parameters
    ----------
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
        The smallest number of rows in a leaf, which XGBoost takes from the sum of
        second derivatives: `min_child_weight` is this number times that of a typical
        row before the first tree, its weight (of at most 1) included. Leaves may have
        fewer rows; `fit` warns of them, unless this is the default.
    min_impurity_decrease : float, default=0.0
        The smallest gain of a split, in units of the library.
    l2_regularization : float, default=0.0
        Shrinks the values of leaves.
    l1_regularization : float, default=0.0
        Shrinks the values of leaves, small ones to zero.
    max_features : float, default=1.0
        The share of the features that each split may choose from, drawn at random.
    subsample : float, default=1.0
        The share of the rows that each tree learns from, drawn at random.
    max_bins : int, default=255
        The largest number of bins that the values of a feature are sorted into; missing
        values have one more.
    categorical_features : "from_dtype", None or array-like of str, int or bool, \
            default="from_dtype"
        Which columns hold categories: those of strings or of a category type; none; or
        those, beside them, that are named, numbered or marked.
    missing_values : scalar or list of scalars, default=np.nan
        Values that mean missing, such as -999 or ``"?"``, beside NaN, None, NA and NaT,
        which always do.
    monotonic_cst : dict, array-like of shape (n_features,) or None, default=None
        1 where the prediction may only rise with a feature, -1 where it may only fall,
        0 otherwise; by name or position as a dict, or one value a feature. Not for
        three classes or more.
    interaction_cst : "pairwise", "no_interactions", list of lists, or None, \
            default=None
        Lists of features that may meet in a tree; what no list has is one more list.
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
        More parameters of XGBoost, by its own names, such as ``{"num_parallel_tree":
        4}``. Names that it does not know or that have a parameter here are refused.
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
    booster_ : xgboost.Booster
        XGBoost's own model.
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
    Values are kept as float32. A column of which that would lose too many differences,
    such as times within minutes, is learned in another unit or as ranks; `booster_` has
    those then. Zeros of sparse matrices are zeros, as everywhere in
    scikit-learn; they are made dense, since XGBoost takes what is not stored for
    missing.

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
        n_estimators=100,
        learning_rate=0.1,
        max_leaf_nodes=31,
        max_depth=None,
        min_samples_leaf=20,
        min_impurity_decrease=0.0,
        l2_regularization=0.0,
        l1_regularization=0.0,
        max_features=1.0,
        subsample=1.0,
        max_bins=255,
        categorical_features="from_dtype",
        missing_values=np.nan,
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
    """Gradient boosting by XGBoost, for numbers.

    One of a family of estimators of tables that share parameters, the meaning of a
    missing value, and early stopping. Missing values go, at each split, to the side
    where the loss gains more.

    Read more in the :ref:`User Guide <tables>`.

    Parameters
    ----------
    loss : {"squared_error", "absolute_error", "quantile", "poisson", "gamma"}, \
            default="squared_error"
        What is minimised. Poisson and gamma have a log link.
    quantile : float, default=None
        The level of the quantile loss, between 0 and 1; for no other loss.
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
        The smallest number of rows in a leaf. It is exact with `squared_error` and no
        weights; else XGBoost takes it from the sum of second derivatives:
        `min_child_weight` is this number times that of a typical row before the first
        tree, its weight (of at most 1) included. Leaves may have fewer rows then;
        `fit` warns of them, unless this is the default.
    min_impurity_decrease : float, default=0.0
        The smallest gain of a split, in units of the library.
    l2_regularization : float, default=0.0
        Shrinks the values of leaves.
    l1_regularization : float, default=0.0
        Shrinks the values of leaves, small ones to zero.
    max_features : float, default=1.0
        The share of the features that each split may choose from, drawn at random.
    subsample : float, default=1.0
        The share of the rows that each tree learns from, drawn at random.
    max_bins : int, default=255
        The largest number of bins that the values of a feature are sorted into; missing
        values have one more.
    categorical_features : "from_dtype", None or array-like of str, int or bool, \
            default="from_dtype"
        Which columns hold categories: those of strings or of a category type; none; or
        those, beside them, that are named, numbered or marked.
    missing_values : scalar or list of scalars, default=np.nan
        Values that mean missing, such as -999 or ``"?"``, beside NaN, None, NA and NaT,
        which always do.
    monotonic_cst : dict, array-like of shape (n_features,) or None, default=None
        1 where the prediction may only rise with a feature, -1 where it may only fall,
        0 otherwise; by name or position as a dict, or one value a feature. Not with the
        losses `absolute_error` and `quantile`.
    interaction_cst : "pairwise", "no_interactions", list of lists, or None, \
            default=None
        Lists of features that may meet in a tree; what no list has is one more list.
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
        More parameters of XGBoost, by its own names, such as ``{"num_parallel_tree":
        4}``. Names that it does not know or that have a parameter here are refused.
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
    booster_ : xgboost.Booster
        XGBoost's own model.
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
    Values are kept as float32. A column of which that would lose too many differences,
    such as times within minutes, is learned in another unit or as ranks; `booster_` has
    those then. Zeros of sparse matrices are zeros, as everywhere in
    scikit-learn; they are made dense, since XGBoost takes what is not stored for
    missing.

    From XGBoost 3.4 on, `absolute_error` is XGBoost's quantile loss of one half, as its
    own absolute error follows the mean. Both losses are smooth approximations there,
    which targets of more than 1e4 times the spread of the others still move.

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
        loss="squared_error",
        quantile=None,
        n_estimators=100,
        learning_rate=0.1,
        max_leaf_nodes=31,
        max_depth=None,
        min_samples_leaf=20,
        min_impurity_decrease=0.0,
        l2_regularization=0.0,
        l1_regularization=0.0,
        max_features=1.0,
        subsample=1.0,
        max_bins=255,
        categorical_features="from_dtype",
        missing_values=np.nan,
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
