"""What the boosters share: one vocabulary, early stopping, stages, importances."""

import copy
from numbers import Integral, Real
from typing import NamedTuple

import numpy as np
from joblib import effective_n_jobs
from sklearn.base import is_classifier
from sklearn.utils.validation import (
    check_consistent_length,
    check_is_fitted,
    column_or_1d,
)

from skml._compat.sklearn import (
    CallbackSupportMixin,
    Interval,
    StrOptions,
    _fit_context,
    with_callbacks,
)
from skml._fitting import all_or_nothing, warn_user
from skml._table._base import (
    BaseTabular,
    check_target,
    check_weights,
    describe_treatment,
)
from skml._table._frame import take_rows
from skml._validation import is_missing
from skml.tabular._column_units import learn_column_units
from skml.tabular._constraints import resolve_interaction_cst, resolve_monotonic_cst
from skml.tabular._early_stopping import (
    StageMonitor,
    best_stage,
    check_classes_of_split,
    split_rows,
)
from skml.tabular._leaf_size import warn_of_no_split
from skml.tabular._library_params import draw_seed
from skml.tabular._other_names import explain_other_names, refuse_other_parameters
from skml.tabular._precision import FLOAT32, share_lost
from skml.tabular._progress import BoostingProgress
from skml.tabular._units import Units, learn_units


class Sample(NamedTuple):
    """Rows as a learner takes them."""

    X: np.ndarray
    y: np.ndarray
    sample_weight: np.ndarray | None
    table: object  # what the user passed
    positions: np.ndarray  # of the rows in it

    def at(self, rows):
        """Some of the rows."""
        weight = None if self.sample_weight is None else self.sample_weight[rows]
        return Sample(
            self.X[rows], self.y[rows], weight, self.table, self.positions[rows]
        )

    def as_passed(self):
        """The rows as the user passed them."""
        return take_rows(self.table, self.positions)


class BaseBoosting(CallbackSupportMixin, BaseTabular):
    """Template of the boosters: reads, holds out, boosts, cuts, predicts.

    A subclass provides `_boost`, `_cut`, `_native_predict`,
    `_staged_native_predict`, `_splits` and `_has_splits`.
    """

    _targets_are_float32 = True
    _units = Units()
    _precision = FLOAT32
    _columns = None  # the units of those that need others

    _parameter_constraints = {
        **BaseTabular._parameter_constraints,
        "n_estimators": [Interval(Integral, 1, None, closed="left")],
        "learning_rate": [Interval(Real, 0, None, closed="neither")],
        "max_leaf_nodes": [Interval(Integral, 2, None, closed="left"), None],
        "max_depth": [Interval(Integral, 1, None, closed="left"), None],
        "min_samples_leaf": [Interval(Integral, 1, None, closed="left")],
        "min_impurity_decrease": [Interval(Real, 0, None, closed="left")],
        "l2_regularization": [Interval(Real, 0, None, closed="left")],
        "max_features": [Interval(Real, 0, 1, closed="right")],
        "subsample": [Interval(Real, 0, 1, closed="right")],
        "monotonic_cst": ["array-like", dict, None],
        "interaction_cst": [
            list,
            tuple,
            StrOptions({"pairwise", "no_interactions"}),
            None,
        ],
        "early_stopping": ["boolean"],
        "scoring": [str, callable, None],
        "validation_fraction": [
            Interval(Real, 0, 1, closed="neither"),
            Interval(Integral, 1, None, closed="left"),
            None,
        ],
        "n_iter_no_change": [Interval(Integral, 1, None, closed="left")],
        "tol": [Interval(Real, 0, None, closed="left")],
        "warm_start": ["boolean"],
        "library_params": [dict, None],
        "n_jobs": [Integral, None],
        "random_state": ["random_state"],
        "verbose": ["verbose"],
    }

    def __new__(cls, *args, **kwargs):
        refuse_other_parameters(cls, kwargs.keys())
        return super().__new__(cls)

    @classmethod
    def _names_of_library(cls):
        """The library's names of what has a parameter here, and its name."""
        return {}

    @explain_other_names
    @with_callbacks
    @_fit_context(prefer_skip_nested_validation=True)
    def fit(
        self,
        X,
        y,
        sample_weight=None,
        *,
        groups=None,
        X_val=None,
        y_val=None,
        sample_weight_val=None,
    ):
        """Fit the trees.

        Parameters
        ----------
        X : table of shape (n_samples, n_features)
            Array, sparse matrix, list of lists, or data frame of pandas, polars or
            pyarrow. Values may be missing; strings and categories are categories.
        y : array-like of shape (n_samples,)
            Targets.
        sample_weight : array-like of shape (n_samples,), default=None
            Weights of the rows. A row of weight 0 is left out.
        groups : array-like of shape (n_samples,), default=None
            Groups of rows that early stopping holds out as a whole.
        X_val : table of shape (n_val, n_features), default=None
            Rows to score after each iteration, and to stop early by if
            `early_stopping=True`, in the place of a part of X.
        y_val : array-like of shape (n_val,), default=None
            Their targets.
        sample_weight_val : array-like of shape (n_val,), default=None
            Their weights.

        Returns
        -------
        self : object
            The fitted estimator.

        Raises
        ------
        ValueError
            If X holds infinity, y a missing value, a weight is negative, a parameter
            cannot be honoured, or a class is lost by holding out rows.
        TypeError
            If a column of X mixes strings and numbers, or holds something else.
        """
        self._check_parameters()
        check_validation_data(X_val, y_val, sample_weight_val)
        context = self._init_callback_context(max_subtasks=self._n_tasks())
        progress = BoostingProgress(self, context, {"X": X, "y": y})
        validation = (X_val, y_val, sample_weight_val)
        self._fit(X, y, sample_weight, groups, validation, progress)
        progress.end()
        return self

    def _n_tasks(self):
        """The number of iterations that are reported."""
        goes_on = self.warm_start and hasattr(self, "n_iter_")
        return max(self.n_estimators - (self.n_iter_ if goes_on else 0), 0)

    @all_or_nothing
    def _fit(self, X, y, sample_weight, groups, validation, progress):
        goes_on = self.warm_start and hasattr(self, "n_iter_")
        before = self._remember() if goes_on else {}
        n_before = before.get("n_iter_", 0)
        train = self._read_training(X, y, sample_weight, before)
        groups = check_groups(groups, X)
        if not goes_on:
            self._seed = draw_seed(self.random_state)
            self._forget("booster_", "_trees")
        if n_before == self.n_estimators:
            return
        self._forget("train_score_", "validation_score_")
        if self._is_constant():
            self.n_iter_ = self.n_estimators
            return
        train, monitor = self._monitor(train, groups, validation)
        if not goes_on:
            self._learn_units(train)
        self._boost(self._units.of_sample(train), monitor, n_before, progress)
        if not self._has_splits():
            warn_of_no_split(self, train)
        if self.early_stopping or validation[0] is not None:
            self._keep_scores(monitor, before, n_before)

    def _learn_units(self, train):
        """Learn in which units of targets and weights the library learns."""
        self._forget("_units")
        units = self._choose_units(train)
        if units != Units():
            self._units = units

    def _choose_units(self, train):
        if is_classifier(self):
            return learn_units(train, None)
        is_float32 = self._targets_are_float32
        units = learn_units(train, self.loss, centre=is_float32)
        if is_float32 and share_lost(units.of_sample(train).y, FLOAT32):
            warn_of_lost_targets(self, train.y)
        return units

    def _penalties(self):
        """What the library's penalties are divided by, in those units."""
        return self._units.penalties(self._loss_name())

    def _forget(self, *names):
        for name in names:
            vars(self).pop(name, None)

    def _remember(self):
        """What an earlier fit left that the next one must agree with."""
        if self.n_estimators < self.n_iter_:
            raise ValueError(
                f"n_estimators={self.n_estimators} must be larger than or equal to "
                f"n_iter_={self.n_iter_} when warm_start=True."
            )
        return {
            name: getattr(self, name)
            for name in (
                "_reader",
                "classes_",
                "n_iter_",
                "train_score_",
                "validation_score_",
            )
            if hasattr(self, name)
        }

    def _fit_precision(self, X):
        if not (self.warm_start and hasattr(self, "n_iter_")):
            self._forget("_columns")
            mask = self._reader.is_categorical
            if columns := learn_column_units(X, mask, self._precision):
                self._columns = columns
        return self._to_precision(X)

    def _to_precision(self, X):
        if self._columns is not None:
            return self._columns.round(X)
        is_float64 = self._precision.dtype is np.float64
        return X if is_float64 else self._precision.clipped(X)

    def _in_units(self, X):
        """A table as the library learns it."""
        return X if self._columns is None else self._columns.apply(X)

    def _read_training(self, X, y, sample_weight, before):
        *rows, kept = self._read_fit(X, y, sample_weight)
        if before:
            self._check_agrees(before)
        train = Sample(*rows, X, kept)
        if not is_classifier(self):
            check_target_of_loss(self.loss, train.y)
        return train

    def _check_agrees(self, before):
        reader, earlier = self._reader, before["_reader"]
        changed = None
        if reader.names != earlier.names or reader.n_features != earlier.n_features:
            changed = "other columns"
        elif reader.categories != earlier.categories:
            pairs = zip(reader.categories, earlier.categories, strict=True)
            j = next(j for j, (now, then) in enumerate(pairs) if now != then)
            changed = f"other categories in {reader.name_of(j)}"
        elif "classes_" in before and not np.array_equal(
            self.classes_, before["classes_"]
        ):
            changed = f"the classes {self.classes_.tolist()!r:.200}"
        if changed:
            raise ValueError(
                "warm_start=True goes on with the trees of the earlier fit; X must "
                "have the same columns and categories, and y the same classes. Now "
                f"there are {changed}."
            )

    def _is_constant(self):
        return is_classifier(self) and len(self.classes_) == 1

    def _monitor(self, train, groups, validation):
        """The rows to learn from, and what scores each iteration, if anything does."""
        if validation[0] is not None:
            return train, StageMonitor(self, train, self._read_validation(*validation))
        if not (self.early_stopping or self.verbose):
            return train, None
        if not self.early_stopping or self.validation_fraction is None:
            return train, StageMonitor(self, train, None)
        train, validation = self._hold_out(train, groups)
        return train, StageMonitor(self, train, validation)

    def _hold_out(self, train, groups):
        if groups is not None:
            groups = groups[train.positions]
        if is_classifier(self):
            check_enough_to_split(train.y, self.classes_)
        rows = split_rows(
            train.y,
            groups,
            self.validation_fraction,
            stratify=is_classifier(self),
            # The same rows again, where trees are added to those of an earlier fit.
            random_state=np.random.RandomState(self._seed),
        )
        train, validation = (train.at(np.sort(part)) for part in rows)
        if is_classifier(self):
            check_classes_of_split(train.y, validation.y, self.classes_)
        return train, validation

    def _read_validation(self, X_val, y_val, sample_weight_val):
        X = self._read_predict(X_val)
        y = check_target(self, y_val)
        check_consistent_length(X, y)
        weight = check_weights(sample_weight_val, X.shape[0], self)
        if is_classifier(self):
            y = self._encode(y)
        else:
            check_target_of_loss(self.loss, y)
        return Sample(X, y, weight, X_val, np.arange(len(y)))

    def _encode(self, y):
        unknown = np.setdiff1d(y, self.classes_)
        if len(unknown):
            raise ValueError(
                f"y_val has the label {unknown.tolist()[0]!r}, which y has not; its "
                f"classes are {self.classes_.tolist()!r:.300}."
            )
        return np.searchsorted(self.classes_, y)

    def _keep_scores(self, monitor, before, n_before):
        """Note all scores; with early stopping, cut the trees after the best one."""
        for name in ("train_score", "validation_score"):
            scores = getattr(monitor, name)
            if scores is None:
                continue
            # Where an earlier fit had no scores, its trees have none.
            earlier = before.get(f"{name}_", np.full(n_before, np.nan))[:n_before]
            setattr(self, f"{name}_", np.append(earlier, scores))
        if self.early_stopping:
            self._cut(best_stage(self._decisive_score()))

    def _decisive_score(self):
        """The scores that early stopping looks at."""
        return getattr(self, "validation_score_", self.train_score_)

    def _at_stage(self, n_estimators):
        """The estimator as it would be, had it been fitted with fewer trees."""
        stage = copy.copy(self)
        stage.n_estimators = n_estimators
        if self._is_constant():
            stage.n_iter_ = n_estimators
            return stage
        kept = min(n_estimators, self.n_iter_)
        for name in ("train_score_", "validation_score_"):
            if hasattr(self, name):
                setattr(stage, name, getattr(self, name)[:n_estimators])
        if self.early_stopping and hasattr(self, "train_score_"):
            kept = best_stage(stage._decisive_score())
        if kept < self.n_iter_:
            stage._use_first(kept)
        return stage

    def _use_first(self, n_iter):
        """Predict with the first trees only; a stage does not live long."""
        self._cut(n_iter)

    def _constraints(self):
        """Monotonic and interaction constraints by position."""
        reader = self._reader
        monotonic = resolve_monotonic_cst(
            self.monotonic_cst, reader.n_features, reader.names
        )
        if monotonic is not None:
            check_monotonic_cst(self, monotonic)
        return monotonic, resolve_interaction_cst(
            self.interaction_cst, reader.n_features, reader.names
        )

    def _n_threads(self):
        return effective_n_jobs(self.n_jobs)

    def _n_outputs(self):
        n_classes = len(getattr(self, "classes_", ()))
        return n_classes if n_classes > 2 else 1

    def _chosen_sides(self):
        """The splits, where missing values choose a side."""
        return None if self._is_constant() else self._splits()

    def _missing_treatments(self):
        """What is done about the missing values of each feature."""
        reader = self._reader
        return [
            describe_treatment(share, fill, labels)
            for share, fill, labels in zip(
                self.missing_fraction_, self._fill, reader.categories, strict=True
            )
        ]

    @property
    def feature_importances_(self):
        """Importances of the features: their share of the total gain of all splits.

        Returns
        -------
        importances : ndarray of shape (n_features,)
            They sum to one, or are all zero where no tree has a split.
        """
        check_is_fitted(self)
        if self._is_constant():
            return np.zeros(self.n_features_in_)
        splits = self._splits()
        gains = np.bincount(
            splits.feature, weights=splits.gain, minlength=self.n_features_in_
        )
        return gains / (gains.sum() or 1.0)


class Splits(NamedTuple):
    """The splits of all trees, one value a split."""

    feature: np.ndarray  # position of the feature
    gain: np.ndarray  # what the loss gained by the split
    missing_left: np.ndarray  # whether missing values go left


def check_target_of_loss(loss, y):
    """Refuse targets that a loss is not defined for."""
    if loss == "poisson" and not (y.min() >= 0 and y.sum() > 0):
        raise ValueError("loss='poisson' requires non-negative y and sum(y) > 0.")
    if loss == "gamma" and y.min() <= 0:
        row = int(np.argmin(y))
        raise ValueError(f"loss='gamma' requires strictly positive y; it has {y[row]}.")


def warn_of_lost_targets(estimator, y):
    """Warn of targets whose differences no offset can save."""
    warn_user(
        f"{type(estimator).__name__}: y is from {y.min():.4g} to {y.max():.4g}, and "
        "many of its values are closer together than single precision can tell apart, "
        "in which the library keeps them. Use GBDTRegressor, or split the table."
    )


def check_monotonic_cst(estimator, monotonic):
    """Refuse monotonic constraints that the predictions would not keep."""
    reader = estimator._reader
    for j in np.flatnonzero(monotonic):
        if reader.is_categorical[j]:
            raise ValueError(
                f"monotonic_cst: {reader.name_of(j)} holds categories, which have no "
                "order."
            )
    if estimator._n_outputs() > 1:
        raise ValueError(
            f"monotonic_cst cannot be honoured for {estimator._n_outputs()} classes: "
            "their probabilities do not rise and fall with single scores."
        )
    loss = getattr(estimator, "loss", None)
    if loss in {"absolute_error", "quantile"}:
        raise ValueError(
            f"monotonic_cst cannot be honoured with loss={loss!r}: the values of "
            "leaves are set when the tree has grown, whatever the constraints."
        )


def check_quantile(loss, quantile):
    """A level belongs to the quantile loss, and to it alone."""
    if (loss == "quantile") == (quantile is not None):
        return
    raise ValueError(
        f"loss={loss!r} and quantile={quantile!r}: the quantile loss needs a level "
        "between 0 and 1, and no other loss takes one."
    )


def check_enough_to_split(y, classes):
    """Refuse to split classes of a single row."""
    counts = np.bincount(y, minlength=len(classes))
    if counts.min() < 2:
        label = classes.tolist()[int(np.argmin(counts))]
        raise ValueError(
            f"early_stopping holds out rows of each class, and class {label!r} has a "
            "single row. Leave the class out, or pass X_val and y_val."
        )


def check_validation_data(X_val, y_val, sample_weight_val):
    """Refuse a part of the validation data without the rest."""
    if X_val is None and y_val is None and sample_weight_val is None:
        return
    if X_val is None or y_val is None:
        missing = "X_val" if X_val is None else "y_val"
        raise ValueError(f"X_val and y_val go together; {missing} was not passed.")


def check_groups(groups, X):
    """Check groups: one value a row, none missing."""
    if groups is None:
        return None
    groups = column_or_1d(groups)
    check_consistent_length(X, groups)
    missing = [row for row, group in enumerate(groups.tolist()) if is_missing(group)]
    if missing:
        raise ValueError(
            f"groups has no value for row {missing[0]}; each row needs a group."
        )
    return groups
