"""LightGBM as scikit-learn estimators."""

import re
from contextlib import contextmanager
from functools import partial
from numbers import Integral

import numpy as np
from scipy import sparse
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
from skml.tabular._library_params import check_library_params, native_names
from skml.tabular._openmp import openmp_limit
from skml.tabular._persistence import NativeFilesMixin
from skml.tabular._precision import LIGHTGBM

# LightGBM's names of what has a parameter here; "" for what is set.
OURS = {
    "num_iterations": "n_estimators",
    "learning_rate": "learning_rate",
    "num_leaves": "max_leaf_nodes",
    "max_depth": "max_depth",
    "min_data_in_leaf": "min_samples_leaf",
    "lambda_l1": "l1_regularization",
    "lambda_l2": "l2_regularization",
    "min_gain_to_split": "min_impurity_decrease",
    "feature_fraction_bynode": "max_features",
    "bagging_fraction": "subsample",
    "bagging_freq": "subsample",
    "max_bin": "max_bins",
    "categorical_feature": "categorical_features",
    "monotone_constraints": "monotonic_cst",
    "interaction_constraints": "interaction_cst",
    "objective": "loss",
    "alpha": "quantile",
    "scale_pos_weight": "class_weight",
    "is_unbalance": "class_weight",
    "early_stopping_round": "n_iter_no_change",
    "early_stopping_min_delta": "tol",
    "metric": "scoring",
    "use_missing": "missing_values",
    "num_threads": "n_jobs",
    "seed": "random_state",
    "verbosity": "verbose",
    "num_class": "",
    "boosting": "",
    "data": "",
    "valid": "",
    "task": "",
    "zero_as_missing": "missing_values",
    "reg_sqrt": "loss",
    "sigmoid": "",
    "input_model": "",
    "output_model": "",
    "config": "",
}
REFUSED_IN_NAMES = '[]{}":,\\ '
OBJECTIVES = {
    "squared_error": "regression",
    "absolute_error": "regression_l1",
    "quantile": "quantile",
    "poisson": "poisson",
    "gamma": "gamma",
}
MOST_LEAVES = 131_072  # LightGBM's own limit
# LightGBM's own least rows of a group of categories, and of one that splits may name.
GROUP_SIZE, CAT_SMOOTH = 100, 10
POOL_SIZE = 1024  # megabytes of histograms, where the number of leaves has no limit


class BaseLightGBM(NativeFilesMixin, BaseBoosting):
    """What the classifier and the regressor share."""

    _precision = LIGHTGBM
    _library, _booster_file = "lightgbm", "booster.txt"
    _parameter_constraints = {
        **BaseBoosting._parameter_constraints,
        "l1_regularization": BaseBoosting._parameter_constraints["l2_regularization"],
        "max_bins": [Interval(Integral, 2, None, closed="left")],
    }

    @classmethod
    def _names_of_library(cls):
        try:
            return names_with_aliases()
        except ImportError:  # without LightGBM, its own names and no others
            return OURS

    def _check_parameters(self):
        if self.library_params:
            check_library_params(self, known_names(), names_with_aliases(), "LightGBM")
        if not is_classifier(self):
            check_quantile(self.loss, self.quantile)

    def _native_params(self, n_before, train):
        """The parameters in LightGBM's own vocabulary."""
        penalties = self._penalties()
        params = {
            **self._objective(),
            "learning_rate": self.learning_rate,
            "num_leaves": self.max_leaf_nodes or self._most_leaves(len(train.y)),
            "max_depth": self.max_depth or -1,
            "min_data_in_leaf": self.min_samples_leaf,
            # Else categories need so many rows whatever a leaf needs.
            "min_data_per_group": min(self.min_samples_leaf, GROUP_SIZE),
            "cat_smooth": min(self.min_samples_leaf, CAT_SMOOTH),
            "lambda_l2": self.l2_regularization / penalties.l2,
            "lambda_l1": self.l1_regularization / penalties.l1,
            "min_gain_to_split": self.min_impurity_decrease / penalties.gain,
            "feature_fraction_bynode": self.max_features,
            "bagging_fraction": self.subsample,
            "bagging_freq": int(self.subsample < 1),
            "max_bin": self.max_bins,
            "seed": self._seed + n_before,  # what is drawn goes on as well
            "num_threads": 0,  # what OpenMP allows
            "verbosity": -1,
            # Else LightGBM chooses its way of counting by the clock.
            "deterministic": True,
            "force_col_wise": True,
        }
        if few_are_heavy(train.sample_weight):
            params |= self._leaf_by_weight(train)
        if self.max_leaf_nodes is None:
            params["histogram_pool_size"] = POOL_SIZE
        if (self.library_params or {}).get("force_row_wise"):
            del params["force_col_wise"]
        monotonic, interactions = self._constraints()
        if monotonic is not None:
            params["monotone_constraints"] = monotonic.tolist()
        if interactions is not None:
            params["interaction_constraints"] = interactions
        return params | (self.library_params or {})

    def _leaf_by_weight(self, train):
        """The size of a leaf by its weight, which the few heavy rows do not change."""
        n_outputs = self._n_outputs()
        hessian = typical_hessian(
            self, train, softmax=n_outputs / max(n_outputs - 1, 1)
        )
        of_a_row = hessian * typical_weight(train.sample_weight)
        return {
            "min_data_in_leaf": 0,
            "min_sum_hessian_in_leaf": self.min_samples_leaf * of_a_row,
        }

    def _most_leaves(self, n_rows):
        """What a tree can have, for LightGBM takes memory for each."""
        n_leaves = min(MOST_LEAVES, n_rows // self.min_samples_leaf)
        if self.max_depth is not None:
            n_leaves = min(n_leaves, 2 ** min(self.max_depth, 30))
        return max(2, n_leaves)

    def _objective(self):
        if not is_classifier(self):
            params = {"objective": OBJECTIVES[self.loss]}
            return params | (
                {"alpha": self.quantile} if self.loss == "quantile" else {}
            )
        if len(self.classes_) == 2:
            return {"objective": "binary"}
        return {"objective": "multiclass", "num_class": len(self.classes_)}

    def _boost(self, train, monitor, n_before, progress):
        import lightgbm

        params = self._native_params(n_before, train)
        data = lightgbm.Dataset(
            self._for_native(train.X),
            label=train.y,
            weight=train.sample_weight,
            feature_name=native_names(self._reader.names, REFUSED_IN_NAMES, "Column_")
            or "auto",
            categorical_feature=np.flatnonzero(self._reader.is_categorical).tolist(),
            params={"verbosity": -1},
        )
        with openmp_limit("lightgbm", self._n_threads()), messages_come_back():
            self.booster_ = lightgbm.train(
                params,
                data,
                num_boost_round=self.n_estimators - n_before,
                init_model=self.booster_ if n_before else None,
                callbacks=[StageCallback(self, monitor, progress)],
            )
        self.booster_.best_iteration = 0
        self.booster_.best_score = {}
        self.n_iter_ = self.booster_.current_iteration()
        if can_break(self, train.sample_weight):
            n_trees = n_before * self._n_outputs()
            n_rows = smallest_leaf(self.booster_.model_to_string(), n_trees)
            warn_of_small_leaf(self, n_rows, "LightGBM")

    def _for_native(self, X):
        """Missing is one more category, where `fit` saw holes among categories.

        LightGBM never sends missing categories left, and so cannot learn from them
        where the categories are many and rare.
        """
        X = self._in_units(X)
        with_holes = np.flatnonzero(self._reader.is_categorical & ~self._is_complete)
        if len(with_holes) == 0:
            return sparse.csr_matrix(X) if sparse.issparse(X) else X
        X = X.copy()
        for j in with_holes:
            X[np.isnan(X[:, j]), j] = len(self._reader.categories[j])
        return X

    def _missing_treatments(self):
        return [
            "missing is a category of its own"
            if labels and 0 < share < 1
            else treatment
            for treatment, labels, share in zip(
                super()._missing_treatments(),
                self._reader.categories,
                self.missing_fraction_,
                strict=True,
            )
        ]

    def _cut(self, n_iter):
        if n_iter < self.n_iter_:
            self.booster_ = self._copy_booster(n_iter)
        self.n_iter_ = min(n_iter, self.n_iter_)

    def _copy_booster(self, n_iter):
        """A booster of the first iterations."""
        import lightgbm

        with openmp_limit("lightgbm", self._n_threads()):
            text = self.booster_.model_to_string(num_iteration=n_iter)
            return lightgbm.Booster(model_str=text)

    def _use_first(self, n_iter):
        self.n_iter_ = n_iter  # to cut goes through text, which takes its time

    def _native_predict(self, X, raw):
        with openmp_limit("lightgbm", self._n_threads()):
            return self.booster_.predict(
                self._for_native(X), raw_score=raw, num_iteration=self.n_iter_
            )

    def _staged_native_predict(self, X):
        X = self._for_native(X)
        # LightGBM keeps the range of iterations in the booster: another thread that
        # predicts meanwhile would get that of this one.
        booster = self._copy_booster(self.n_iter_)
        raw = 0.0
        for iteration in range(self.n_iter_):
            with openmp_limit("lightgbm", self._n_threads()):
                raw = raw + booster.predict(
                    X, raw_score=True, start_iteration=iteration, num_iteration=1
                )
            yield raw

    def _has_splits(self):
        return bool(self.booster_.feature_importance("split").any())

    def _splits(self):
        nodes = []
        for tree in self.booster_.dump_model(num_iteration=self.n_iter_)["tree_info"]:
            collect_splits(tree["tree_structure"], nodes)
        feature, gain, left = zip(*nodes, strict=True) if nodes else ((), (), ())
        return Splits(
            np.array(feature, dtype=np.intp),
            np.array(gain, dtype=np.float64),
            np.array(left, dtype=bool),
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
        with openmp_limit("lightgbm", self._n_threads()):
            values = self.booster_.predict(
                as_dense(self._for_native(X)),
                pred_contrib=True,
                num_iteration=self.n_iter_,
            )
        if self._n_outputs() > 1:  # (n_samples, n_classes * (n_features + 1))
            values = values.reshape(X.shape[0], self._n_outputs(), -1)
            values = values.transpose(0, 2, 1)
        values, base_value = values[:, :-1], values[0, -1]
        return self._units.of_contributions(values, base_value, self._loss_name())

    def _booster_text(self):
        return self.booster_.model_to_string(num_iteration=self.n_iter_)

    def _take_booster(self, text, where):
        import lightgbm

        try:
            self.booster_ = lightgbm.Booster(model_str=text)
        except lightgbm.basic.LightGBMError as error:
            raise ValueError(f"{where}: LightGBM cannot read it: {error}") from error

    def _booster_counts(self):
        return self.booster_.num_feature(), self.booster_.current_iteration()


@contextmanager
def messages_come_back():
    """Undo the silence of a training, which LightGBM keeps for all that follows."""
    import lightgbm

    try:
        yield
    finally:  # its level of messages is set by any call that names one
        level = {"verbosity": 1, "min_data_in_leaf": 1, "min_data_in_bin": 1}
        lightgbm.Dataset(np.array([[0.0], [1.0]]), params=level).construct()


class StageCallback:
    """Tells the progress, and a monitor if there is one, of each iteration."""

    order = 30

    def __init__(self, estimator, monitor, progress):
        self.monitor = monitor
        self.progress = progress
        if monitor is not None:
            self.samples = [
                estimator._for_native(sample.X)
                for sample in (monitor.train, monitor.validation)
                if sample is not None
            ]
        self.n_seen = 0
        self.raw = [0.0] * (0 if monitor is None else len(self.samples))

    def __call__(self, env):
        from lightgbm.callback import EarlyStopException

        is_enough = False
        if self.monitor is not None:
            n_new = env.model.current_iteration() - self.n_seen
            if n_new > 0:  # none where no split is left to make
                self._add(env.model, n_new)
            is_enough = self.monitor.should_stop(*self.raw)
        learned = partial(learned_so_far, env.model)
        if self.progress.report(env.iteration + 1, self.monitor, learned) or is_enough:
            raise EarlyStopException(env.iteration, [])

    def _add(self, model, n_new):
        for i, X in enumerate(self.samples):
            self.raw[i] = self.raw[i] + model.predict(
                X,
                raw_score=True,
                start_iteration=self.n_seen,
                num_iteration=n_new,
            )
        self.n_seen += n_new


def learned_so_far(booster):
    """What an estimator has whose fit stops here."""
    import lightgbm

    return {
        "booster_": lightgbm.Booster(model_str=booster.model_to_string()),
        "n_iter_": booster.current_iteration(),
    }


def smallest_leaf(text, n_before):
    """The number of rows in the smallest leaf of the trees after the first ones.

    Infinity if none has a split: LightGBM 4.5 counts no row in such a tree.
    """
    counts = re.findall(r"^leaf_count=(.+)$", text, re.MULTILINE)
    of_trees = (tree.split() for tree in counts[n_before:])
    return min(
        (int(count) for tree in of_trees if len(tree) > 1 for count in tree),
        default=np.inf,
    )


def collect_splits(root, into):
    """Walk a tree, and note feature, gain and side of missing values of each split."""
    waiting = [root]
    while waiting:
        node = waiting.pop()
        if "split_feature" in node:
            left = node["default_left"] if node["missing_type"] != "None" else False
            into.append((node["split_feature"], node["split_gain"], left))
            waiting += [node["right_child"], node["left_child"]]


def native_aliases():
    """LightGBM's own table: each name and what else it is called."""
    from lightgbm.basic import _ConfigAliases

    return _ConfigAliases._get_all_param_aliases()


def known_names():
    """All names of parameters that LightGBM knows."""
    return {name for names in native_aliases().values() for name in names}


def names_with_aliases():
    """The names that clash, each under all its names."""
    aliases = native_aliases()
    return {
        alias: ours
        for name, ours in OURS.items()
        for alias in aliases.get(name, [name])
    }


class LightGBMClassifier(BoostingClassifierMixin, BaseLightGBM):
    """Gradient boosting by LightGBM, for classes.

    One of a family of estimators of tables that share parameters, the meaning of a
    missing value, and early stopping. Missing values go, at each split, to the side
    where the loss gains more; among categories, they are one more category.

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
        The smallest number of rows in a leaf, which LightGBM estimates from its
        fraction of the sum of second derivatives. Leaves may have fewer rows; `fit`
        warns of them, unless this is the default.
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
        More parameters of LightGBM, by its own names, such as ``{"path_smooth": 1.0}``.
        Names that it does not know or that have a parameter here are refused.
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
    booster_ : lightgbm.Booster
        LightGBM's own model.
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
    LightGBM never sends missing categories to the left, so that it could not learn from
    them where categories are many and rare: it gets them as a category. LightGBM's own
    choice between two ways to count depends on the clock; here it is always by columns
    (`force_col_wise`), so that results repeat.

    References
    ----------
    .. [1] G. Ke et al., "LightGBM: A highly efficient gradient boosting decision
       tree", NIPS 2017.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.datasets import load_breast_cancer
    >>> from skml import LightGBMClassifier
    >>> X, y = load_breast_cancer(return_X_y=True, as_frame=True)
    >>> X.iloc[::3, 0] = np.nan
    >>> model = LightGBMClassifier(n_estimators=20, random_state=0)
    >>> model = model.fit(X[:400], y[:400])
    >>> bool(model.score(X[400:], y[400:]) > 0.9)
    True
    """

    _parameter_constraints = {
        **BaseLightGBM._parameter_constraints,
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


class LightGBMRegressor(BoostingRegressorMixin, BaseLightGBM):
    """Gradient boosting by LightGBM, for numbers.

    One of a family of estimators of tables that share parameters, the meaning of a
    missing value, and early stopping. Missing values go, at each split, to the side
    where the loss gains more; among categories, they are one more category.

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
        The smallest number of rows in a leaf. It is exact with `squared_error`,
        `absolute_error` and `quantile` and no weights; else LightGBM estimates it from
        the leaf's fraction of the sum of second derivatives. Leaves may have fewer rows
        then; `fit` warns of them, unless this is the default.
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
        More parameters of LightGBM, by its own names, such as ``{"path_smooth": 1.0}``.
        Names that it does not know or that have a parameter here are refused.
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
    booster_ : lightgbm.Booster
        LightGBM's own model.
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
    LightGBM never sends missing categories to the left, so that it could not learn from
    them where categories are many and rare: it gets them as a category. LightGBM's own
    choice between two ways to count depends on the clock; here it is always by columns
    (`force_col_wise`), so that results repeat.

    References
    ----------
    .. [1] G. Ke et al., "LightGBM: A highly efficient gradient boosting decision
       tree", NIPS 2017.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.datasets import load_diabetes
    >>> from skml import LightGBMRegressor
    >>> X, y = load_diabetes(return_X_y=True, as_frame=True)
    >>> X.loc[::3, "bmi"] = np.nan
    >>> model = LightGBMRegressor(n_estimators=50, random_state=0)
    >>> model = model.fit(X[:300], y[:300])
    >>> bool(model.score(X[300:], y[300:]) > 0.3)
    True
    """

    _parameter_constraints = {
        **BaseLightGBM._parameter_constraints,
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
