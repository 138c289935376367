"""Trees of scikit-learn's exact gradient boosting, over a table without holes."""

import copy
from functools import partial
from itertools import islice

import numpy as np
from sklearn.base import is_classifier

from skml.tabular._boosting import Splits
from skml.tabular._column_units import learn_column_units
from skml.tabular._gbdt_hist import flat
from skml.tabular._imputed import TablePreparation, predict_by_batches
from skml.tabular._precision import EXACT


class ExactTrees:
    """Exact trees of a table that was read.

    Parameters
    ----------
    native : GradientBoostingClassifier or GradientBoostingRegressor
        Not fitted yet.
    reader : TableReader
        Knows which columns hold categories.
    imputation : str or estimator
        What stands in for missing values.
    random_state : int
        Seeds an estimator that imputes.
    """

    method = "exact"

    def __init__(self, native, reader, imputation, random_state):
        self.native = native
        self.reader = reader
        self.preparation = TablePreparation(
            imputation=imputation, scale=False, any_size=True, random_state=random_state
        )
        self._raw = "decision_function" if is_classifier(native) else "predict"

    @property
    def n_iter(self):
        """The number of iterations that are kept."""
        return self.native.n_estimators_

    def boost(self, params, train, monitor, n_before, n_threads, progress):
        """Grow trees, from where the last call ended; always in one thread."""
        self.native.set_params(**params)
        if n_before:
            X = self._prepare(train.X)
        else:
            X = self.preparation.fit_transform(
                train.X, self.reader, train.sample_weight
            )
            # Holes are filled before, in the units of the user.
            are_codes = np.zeros(X.shape[1], dtype=bool)
            self.columns = learn_column_units(X, are_codes, EXACT)
            X = X if self.columns is None else self.columns.apply(X)
        prepared = None
        if monitor is not None and monitor.validation is not None:
            prepared = self._prepare(monitor.validation.X)
        stages = StageScores(self, monitor, prepared, progress)
        self.native.fit(X, train.y, train.sample_weight, monitor=stages)

    def _prepare(self, X):
        X = self.preparation.transform(X)
        return X if self.columns is None else self.columns.apply(X)

    def cut(self, n_iter):
        """Keep the first trees, in a copy."""
        kept = copy.copy(self)
        kept.native = native = copy.copy(self.native)
        native.estimators_ = native.estimators_[:n_iter]
        native._rng = copy.deepcopy(native._rng)
        native.train_score_ = native.train_score_[:n_iter]
        native.n_estimators_ = native.n_estimators = n_iter
        return kept

    def raw_predict(self, X, n_threads):
        """Sum the values of the trees."""
        predict = getattr(self.native, self._raw)
        return predict_by_batches(lambda X: predict(self._prepare(X)), X)

    def staged_raw_predict(self, X, n_threads):
        """Sum the values of the trees, after each iteration."""
        X = self._prepare(X)
        return self.stages(X)

    def stages(self, X):
        """The raw predictions of a prepared table, after each iteration."""
        return map(flat, getattr(self.native, f"staged_{self._raw}")(X))

    def splits(self):
        """The splits of all trees, by the features before they were prepared."""
        features, gains = [], []
        for tree in (t.tree_ for t in self.native.estimators_.ravel()):
            impurity = tree.impurity * tree.weighted_n_node_samples
            split = np.flatnonzero(tree.children_left >= 0)
            left, right = tree.children_left[split], tree.children_right[split]
            features.append(self.preparation.feature_of_output[tree.feature[split]])
            gains.append(impurity[split] - impurity[left] - impurity[right])
        feature = np.concatenate(features).astype(np.intp)
        return Splits(
            feature, np.concatenate(gains), np.zeros(len(feature), dtype=bool)
        )


class StageScores:
    """Tells the progress, and a monitor if there is one, of each iteration."""

    def __init__(self, trees, monitor, X_validation, progress):
        self.trees = trees
        self.monitor = monitor
        self.X = X_validation
        self.progress = progress
        self.raw = None

    def __call__(self, iteration, native, variables):
        is_enough = False
        if self.monitor is not None:
            raw = [flat(variables["raw_predictions"])]
            if self.X is not None:
                if self.raw is None:  # it looks at each tree when the tree is there
                    self.raw = islice(self.trees.stages(self.X), iteration, None)
                raw.append(next(self.raw))
            is_enough = self.monitor.should_stop(*raw)
        learned = partial(self._learned, iteration + 1)
        return self.progress.report(iteration + 1, self.monitor, learned) or is_enough

    def _learned(self, n_iter):
        return {"_trees": self.trees.cut(n_iter), "n_iter_": n_iter}
