"""Trees of scikit-learn's histogram-based gradient boosting."""

from dataclasses import replace

import numpy as np
from sklearn.metrics import check_scoring
from threadpoolctl import threadpool_limits

from skml._codec import fields_from_data, stored
from skml._compat.sklearn import interactions_of_hist
from skml._compat.sklearn_boosting import (
    add_hist,
    begin_hist,
    count_hist,
    first_hist,
    hist_from_data,
    hist_to_data,
    set_hist_scorer,
    splits_of_hist,
)
from skml._table._containers import as_dense
from skml.tabular._backends._trees import Splits, Trees, flat, refuse_changed
from skml.tabular._column_units import ColumnUnits
from skml.tabular._precision import HIST as PRECISION

# What only the exact method can honour, and the value that asks for nothing.
OTHERS = {
    "min_impurity_decrease": 0.0,
    "subsample": 1.0,
    "imputation": "median",
    "library_params": None,
}
SHARED = (
    "learning_rate",
    "max_leaf_nodes",
    "max_depth",
    "min_samples_leaf",
    "l2_regularization",
    "max_features",
    "max_bins",
    "n_iter_no_change",
    "tol",
    "scoring",
    "warm_start",
)


@stored
class HistTrees(Trees):
    """A HistGradientBoosting, and how tables became those that it was fitted to.

    Histograms cannot take columns in which all values are missing, `is_empty`, nor more
    categories than bins: of columns that have more, `frequent` has those that are
    themselves, and `rare` the code of all others.
    """

    method = "hist"
    precision = PRECISION
    targets_are_float32 = False
    reports = False

    native: object
    columns: ColumnUnits | None
    is_empty: np.ndarray
    frequent: dict
    rare: dict

    @classmethod
    def check_parameters(cls, parameters):
        """Refuse what only the exact method can honour."""
        refuse_changed(parameters, OTHERS)

    @classmethod
    def learn(cls, task, train, previous):
        """Learn the trees of a task, after those of an earlier fit."""
        n_before = previous.n_iter if previous else 0
        # A copy, to which trees are added.
        trees = previous.first(n_before) if previous else cls._prepared(task, train.X)
        native, monitor = trees.native, task.monitor
        native.set_params(**native_params(task), verbose=0)
        validation = {} if monitor is None else trees._watch(task, n_before)
        y = train.y if monitor is None else monitor.labels(train)
        with threadpool_limits(task.n_threads, user_api="openmp"):
            native.fit(trees.data(train.X), y, train.sample_weight, **validation)
        native.scoring = task.parameters.scoring
        set_hist_scorer(native, None)
        if monitor is not None:  # not the score before the first tree
            n_new = trees.n_iter - n_before
            monitor.train_score = native.train_score_[-n_new:]
            if monitor.validation is not None:
                monitor.validation_score = native.validation_score_[-n_new:]
        return trees

    @classmethod
    def _prepared(cls, task, X):
        """No trees yet, but the limits of histograms, learned from a table."""
        X, reader = as_dense(X), task.reader
        max_bins = task.parameters.max_bins
        many = [
            j
            for j in np.flatnonzero(reader.is_categorical).tolist()
            if len(reader.categories[j]) > max_bins
        ]
        return cls(
            native=class_of(task.draft.loss == "log_loss")(),
            columns=task.draft.columns,
            is_empty=np.isnan(X).all(axis=0),
            frequent={j: most_frequent(X[:, j], max_bins - 1) for j in many},
            rare={j: len(reader.categories[j]) for j in many},
        )

    def _watch(self, task, n_before):
        """Let the trees be scored while they grow; what `fit` gets for it."""
        native, monitor = self.native, task.monitor
        if not task.draft.early_stopping:  # scored, but never enough
            native.n_iter_no_change = native.max_iter + 1
        in_units = task.draft.units.target != 1.0  # and scores are not
        scoring = task.parameters.scoring
        if callable(scoring) or task.parameters.verbose or in_units:
            native.scoring = RowScores(self, task, n_before)
        if n_before and native.scoring != "loss":
            # Not there, unless the trees so far were scored as well.
            set_hist_scorer(native, check_scoring(native, native.scoring))
        if monitor.validation is None:
            native.validation_fraction = None
            return {}
        return {
            "X_val": self.data(monitor.validation.X),
            "y_val": monitor.labels(monitor.validation),
            "sample_weight_val": monitor.validation.sample_weight,
        }

    @property
    def n_iter(self):
        """The number of iterations."""
        return self.native.n_iter_

    @property
    def n_features(self):
        """The number of features."""
        return len(self.is_empty)

    def data(self, X):
        """A table as the library predicts it: zeros for columns of nothing."""
        X = as_dense(self.in_units(X))
        if not self.is_empty.any() and not self.frequent:
            return X
        X = X.copy()
        X[:, self.is_empty] = 0.0
        for j, frequent in self.frequent.items():
            is_rare = ~np.isin(X[:, j], frequent) & ~np.isnan(X[:, j])
            X[is_rare, j] = self.rare[j]
        return X

    def predict(self, data, raw, n_threads):
        """Raw scores."""
        X, scores = begin_hist(self.native, data)
        add_hist(self.native, X, scores, 0, self.n_iter, n_threads)
        return flat(scores)

    def stages(self, data, n_threads):
        """The raw scores after each iteration."""
        X, scores = begin_hist(self.native, data)
        for i in range(self.n_iter):
            add_hist(self.native, X, scores, i, i + 1, n_threads)
            yield flat(scores.copy())

    def first(self, n_iter):
        """The trees of the first iterations."""
        return replace(self, native=first_hist(self.native, n_iter))

    def splits(self):
        """The splits of all trees."""
        return Splits(*splits_of_hist(self.native))

    def to_data(self):
        """The model as arrays, and the rest."""
        return {**vars(self), "native": hist_to_data(self.native)}

    @classmethod
    def from_data(cls, data):
        """Make the model of arrays again, each index checked."""
        native, mask = data["native"], data["is_empty"]
        model = class_of(native["classes"] is not None)
        with threadpool_limits(1, user_api="openmp"):
            native = hist_from_data(model, native, len(mask))
        return fields_from_data(cls, data | {"native": native})

    def check(self):
        """Check that all is of columns that there are."""
        mask = self.is_empty
        if mask.dtype != bool or mask.ndim != 1:
            raise ValueError("is_empty is not an array of bools")
        if self.frequent.keys() != self.rare.keys():
            raise ValueError("frequent and rare do not belong together")
        for j in self.frequent:
            if type(j) is not int or not 0 <= j < len(mask):
                raise ValueError(f"frequent has {j!r:.60}")


class RowScores:
    """A scorer for trees that grow, which looks at rows as the user passed them.

    scikit-learn itself would let a scorer see bins. It calls it before the first tree
    and after each iteration, with rows to learn from, then with those held out, if any.
    """

    def __init__(self, trees, task, n_before):
        self.trees = trees
        self.task = task
        self.monitor = task.monitor
        self.n_before = n_before
        self.parts = None
        self.next = 0

    def __call__(self, native, X, y, sample_weight=None):
        i, self.next = self.next, (self.next + 1) % len(self.monitor.samples)
        score = self.monitor.score(i, self._raw(native, i))
        n_iter = count_hist(native)
        if n_iter > self.n_before:
            self.monitor.note(i, score)
            if self.next == 0:
                self.task.progress.show(self.task.step(n_iter))
        return score

    def _raw(self, native, i):
        """Raw scores of rows, to which those of the new trees are added."""
        if self.parts is None:
            tables = [self.trees.data(sample.X) for sample in self.monitor.samples]
            self.parts = [[*begin_hist(native, X), 0] for X in tables]
        X, raw, n_seen = self.parts[i]
        n_iter = count_hist(native)
        add_hist(native, X, raw, n_seen, n_iter, self.task.n_threads)
        self.parts[i][2] = n_iter
        return flat(raw)


def class_of(is_classifier):
    """scikit-learn's class for a task."""
    from sklearn import ensemble

    if is_classifier:
        return ensemble.HistGradientBoostingClassifier
    return ensemble.HistGradientBoostingRegressor


def native_params(task):
    """The parameters in HistGradientBoosting's own vocabulary."""
    monotonic, interactions = task.constraints()
    categorical = task.reader.is_categorical
    of_loss = {}
    if task.draft.loss != "log_loss":
        of_loss = {"loss": task.draft.loss, "quantile": task.draft.quantile}
    return task.translate(SHARED) | {
        "max_iter": task.parameters.n_estimators,
        "random_state": task.draft.seed,
        "categorical_features": categorical if categorical.any() else None,
        "monotonic_cst": monotonic,
        "interaction_cst": interactions_of_hist(interactions, categorical),
        "early_stopping": task.monitor is not None,
        **of_loss,
    }


def most_frequent(column, n_most):
    """The most frequent values of a column, in a fixed order; missing ones left out."""
    values, counts = np.unique(column[~np.isnan(column)], return_counts=True)
    return values[np.argsort(-counts, kind="stable")[:n_most]]
