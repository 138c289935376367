"""Trees of scikit-learn's histogram-based gradient boosting.

scikit-learn has no public way to predict without checking the table again, to look at
the trees, or to keep some of them: the names with an underscore here are its own.
"""

import copy

import numpy as np
from sklearn.metrics import check_scoring
from threadpoolctl import threadpool_limits

from skml._table._frame import as_dense
from skml.tabular._boosting import Splits


class HistTrees:
    """Histogram-based trees of a table that was read.

    Parameters
    ----------
    native : HistGradientBoostingClassifier or HistGradientBoostingRegressor
        Not fitted yet.
    reader : TableReader
        Knows which columns hold categories.
    columns : ColumnUnits or None
        Other units of columns, where some need any.
    """

    method = "hist"

    def __init__(self, native, reader, columns):
        self.native = native
        self.columns = columns
        self.n_categories = {
            j: len(reader.categories[j]) for j in np.flatnonzero(reader.is_categorical)
        }

    @property
    def n_iter(self):
        """The number of iterations that are kept."""
        return self.native.n_iter_

    def boost(self, params, train, monitor, n_before, n_threads, progress):
        """Grow trees, from where the last call ended."""
        native, validation = self.native, {}
        native.set_params(**params, early_stopping=monitor is not None, verbose=0)
        if not n_before:
            self._learn_limits(train.X)
        if monitor is not None:
            validation = self._watch(monitor, n_before, n_threads, progress)
        y = train.y if monitor is None else monitor.labels(train)
        with threadpool_limits(n_threads, user_api="openmp"):
            native.fit(self._limit(train.X), y, train.sample_weight, **validation)
        native.scoring, native._scorer = params["scoring"], None
        if monitor is not None:  # not the score before the first tree
            n_new = self.n_iter - n_before
            monitor.train_score = native.train_score_[-n_new:]
            if monitor.validation is not None:
                monitor.validation_score = native.validation_score_[-n_new:]

    def _watch(self, monitor, n_before, n_threads, progress):
        """Let the trees be scored while they grow; what `fit` gets for it."""
        native, estimator = self.native, monitor.estimator
        if not estimator.early_stopping:  # scored, but never enough
            native.n_iter_no_change = native.max_iter + 1
        in_units = estimator._units.target != 1.0  # and scores are not
        if callable(estimator.scoring) or estimator.verbose or in_units:
            native.scoring = RowScores(self, monitor, n_before, n_threads, progress)
        if n_before and native.scoring != "loss":
            # Not there, unless the trees so far were scored as well.
            native._scorer = check_scoring(native, native.scoring)
        if monitor.validation is None:
            native.validation_fraction = None
            return {}
        return {
            "X_val": self._limit(monitor.validation.X),
            "y_val": monitor.labels(monitor.validation),
            "sample_weight_val": monitor.validation.sample_weight,
        }

    def cut(self, n_iter):
        """Keep the first trees, in a copy."""
        kept = copy.copy(self)
        kept.native = native = copy.copy(self.native)
        native._predictors = native._predictors[:n_iter]
        native._feature_subsample_rng = copy.deepcopy(native._feature_subsample_rng)
        native.train_score_ = native.train_score_[: n_iter + 1]
        native.validation_score_ = native.validation_score_[: n_iter + 1]
        return kept

    def raw_predict(self, X, n_threads):
        """Sum the values of the trees."""
        X, raw = self.start(X)
        self.native._predict_iterations(
            X, self.native._predictors, raw, False, n_threads
        )
        return flat(raw)

    def start(self, X):
        """A table as the trees take it, and what is predicted before the first."""
        native, X = self.native, self._limit(X)
        if native._preprocessor is not None:  # categories come first
            X = native._preprocessor.transform(X)
        baseline = native._baseline_prediction
        shape = (X.shape[0], native.n_trees_per_iteration_)
        raw = np.zeros(shape, dtype=baseline.dtype, order="F")
        raw += baseline
        return X, raw

    def staged_raw_predict(self, X, n_threads):
        """Sum the values of the trees, after each iteration."""
        stages = self.native._staged_raw_predict(self._limit(X))
        with threadpool_limits(n_threads, user_api="openmp"):
            first = next(stages)  # where it looks how many threads there are
        yield flat(first)
        yield from map(flat, stages)

    def splits(self):
        """The splits of all trees."""
        nodes = np.concatenate(
            [
                predictor.nodes[predictor.nodes["is_leaf"] == 0]
                for predictors in self.native._predictors
                for predictor in predictors
            ]
        )
        feature = nodes["feature_idx"].astype(np.intp)
        if self.native.is_categorical_ is not None:  # they were moved to the front
            order = np.argsort(~self.native.is_categorical_, kind="stable")
            feature = order[feature]
        return Splits(
            feature, nodes["gain"].astype(np.float64), nodes["missing_go_to_left"] > 0
        )

    def _learn_limits(self, X):
        """Learn what histograms cannot take: columns of nothing, rare categories."""
        X = as_dense(X)
        max_bins = self.native.max_bins
        self._is_empty = np.isnan(X).all(axis=0)
        self._frequent = {
            j: most_frequent(X[:, j], max_bins - 1)
            for j, n_categories in self.n_categories.items()
            if n_categories > max_bins
        }

    def _limit(self, X):
        """Zeros for columns of nothing; one code for all rare categories."""
        X = as_dense(X if self.columns is None else self.columns.apply(X))
        if not self._is_empty.any() and not self._frequent:
            return X
        X = X.copy()
        X[:, self._is_empty] = 0.0
        for j, frequent in self._frequent.items():
            rare = ~np.isin(X[:, j], frequent) & ~np.isnan(X[:, j])
            X[rare, j] = self.n_categories[j]
        return X


class RowScores:
    """A scorer for trees that grow, which looks at rows as the user passed them.

    scikit-learn itself would let a scorer see bins. It calls it before the first tree
    and after each iteration, with rows to learn from, then with those held out, if any.
    """

    def __init__(self, trees, monitor, n_before, n_threads, progress):
        self.trees = trees
        self.monitor = monitor
        self.n_before = n_before
        self.n_threads = n_threads
        self.progress = progress
        self.parts = None
        self.next = 0

    def __call__(self, native, X, y, sample_weight=None):
        i, self.next = self.next, (self.next + 1) % len(self.monitor.samples)
        score = self.monitor.score(i, self._raw(i))
        if len(native._predictors) > self.n_before:
            self.monitor.note(i, score)
            if self.next == 0:
                self.progress.show(len(native._predictors), self.monitor)
        return score

    def _raw(self, i):
        """Raw predictions of rows, to which those of the new trees are added."""
        if self.parts is None:
            samples = self.monitor.samples
            self.parts = [[*self.trees.start(sample.X), 0] for sample in samples]
        X, raw, n_seen = self.parts[i]
        native = self.trees.native
        new = native._predictors[n_seen:]
        native._predict_iterations(X, new, raw, False, self.n_threads)
        self.parts[i][2] += len(new)
        return flat(raw)


def most_frequent(column, n_most):
    """The most frequent values of a column, in a fixed order; missing ones left out."""
    values, counts = np.unique(column[~np.isnan(column)], return_counts=True)
    return values[np.argsort(-counts, kind="stable")[:n_most]]


def flat(raw):
    """Raw predictions in one dimension where there is one a row."""
    return raw.ravel() if raw.ndim == 2 and raw.shape[1] == 1 else raw
