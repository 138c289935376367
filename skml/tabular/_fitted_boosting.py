"""What a booster has learned, as one value."""

from dataclasses import replace

import numpy as np
from scipy.special import expit
from sklearn.utils.extmath import softmax

from skml._codec import show, stored
from skml._table._learner import SIDES, FittedOnTable
from skml.tabular._backends._trees import Trees
from skml.tabular._column_units import ColumnUnits
from skml.tabular._early_stopping import best_stage
from skml.tabular._precision import Precision
from skml.tabular._units import LOG_LINK, Units

LOSSES = {"squared_error", "absolute_error", "quantile", "poisson", "gamma"}


@stored
class FittedBoosting(FittedOnTable):
    """Trees, and all that makes predictions of them."""

    roundings = (ColumnUnits, Precision, type(None))

    loss: str  # of classifiers "log_loss"
    quantile: float | None  # the level of the quantile loss
    seed: int  # of random sampling, also in fits that add trees
    early_stopping: bool  # whether trees were cut after the best score
    units: Units  # of targets and weights, in which the library learned
    trees: Trees | None = None  # None before they are learned, and for one class
    n_iter_: int = 0
    train_score_: np.ndarray | None = None
    validation_score_: np.ndarray | None = None

    def check(self):
        """Check that the trees are those of this table and these classes."""
        super().check()
        if self.loss not in (LOSSES if self.classes_ is None else {"log_loss"}):
            raise ValueError(f"loss is {show(self.loss)}")
        if isinstance(self.columns, ColumnUnits):
            self.columns.check_columns(self.table.n_features_in_)
        if not 0 <= self.seed < 2**32 or not 1 <= self.n_iter_ < 2**32:
            raise ValueError(f"seed is {self.seed}, n_iter_ is {self.n_iter_}")
        for name in ("train_score_", "validation_score_"):
            scores = getattr(self, name)
            if scores is not None and (scores.dtype.kind, scores.ndim) != ("f", 1):
                raise ValueError(f"{name} is no array of floats")
        if (self.trees is None) != self.is_constant:
            raise ValueError("there are trees for one class, or none for several")
        if self.trees is not None:
            self._check_trees()

    def _check_trees(self):
        n_features = self.table.n_features_in_
        self.trees.check_table(self.table.reader)
        _expect("features", n_features, self.trees.n_features)
        _expect("iterations", self.n_iter_, self.trees.n_iter)
        row = np.full((1, n_features), np.nan, dtype=np.float64)
        _expect("outputs", self.n_outputs, self.raw(row, 1).size)

    @property
    def is_constant(self):
        """Whether there is one class only."""
        return self.classes_ is not None and len(self.classes_) == 1

    @property
    def n_outputs(self):
        """The number of raw scores a row."""
        n_classes = 0 if self.classes_ is None else len(self.classes_)
        return n_classes if n_classes > 2 else 1

    @property
    def columns(self):
        """The units of columns, where some need others."""
        rounding = self.table.rounding
        return rounding if isinstance(rounding, ColumnUnits) else None

    def stage(self, n_iter):
        """What would have been learned with fewer trees."""
        n_iter = int(n_iter)
        if self.is_constant:
            return replace(self, n_iter_=n_iter)
        scores = {
            name: getattr(self, name)[:n_iter]
            for name in ("train_score_", "validation_score_")
            if getattr(self, name) is not None
        }
        if self.early_stopping and scores:
            n_iter = best_stage(scores.get("validation_score_", scores["train_score_"]))
        if n_iter < self.n_iter_:
            scores["trees"] = self.trees.first(n_iter)
        return replace(self, n_iter_=min(n_iter, self.n_iter_), **scores)

    def raw(self, X, n_threads):
        """Raw scores of a table that was read."""
        if self.is_constant:
            return np.zeros(X.shape[0])
        return self.trees.predict(self.trees.data(X), True, n_threads)

    def values(self, X, n_threads):
        """Probabilities, or targets, of a table that was read."""
        if self.is_constant:
            return np.ones((X.shape[0], 1))
        data = self.trees.data(X)
        if self.trees.predicts_values:
            values = self.trees.predict(data, False, n_threads)
        else:
            values = self._link(self.trees.predict(data, True, n_threads))
        return self._finished(values)

    def staged_raw(self, X, n_threads):
        """Raw scores after each iteration."""
        if self.is_constant:
            return (np.zeros(X.shape[0]) for _ in range(self.n_iter_))
        return self.trees.stages(self.trees.data(X), n_threads)

    def values_of(self, raw):
        """Probabilities, or targets, of raw scores."""
        if self.is_constant:
            return np.ones((len(raw), 1))
        return self._finished(self._link(raw))

    def predictions_of(self, raw):
        """Classes, or targets, of raw scores."""
        if self.classes_ is None:
            return self.values_of(raw)
        codes = raw.argmax(axis=1) if raw.ndim == 2 else (raw > 0).astype(np.intp)
        return self.classes_[codes]

    def _link(self, raw):
        if self.loss == "log_loss":
            return expit(raw) if raw.ndim == 1 else softmax(raw)
        return np.exp(raw) if self.loss in LOG_LINK else raw

    def _finished(self, values):
        """Probabilities in a column a class, targets in the units of the user."""
        if self.classes_ is None:
            return self.units.of_values(values)
        return np.column_stack([1 - values, values]) if values.ndim == 1 else values

    def contributions(self, X, n_threads):
        """What each feature adds to raw scores, and the score before any."""
        if self.is_constant:
            return np.zeros(X.shape), np.float64(0)
        values = self.trees.contributions(self.trees.data(X), n_threads)
        return self.units.of_contributions(values[:, :-1], values[0, -1], self.loss)

    def importances(self):
        """The fraction that each feature has of the total gain of all splits."""
        n_features = self.table.n_features_in_
        if self.is_constant:
            return np.zeros(n_features)
        splits = self.trees.splits()
        gains = np.bincount(splits.feature, splits.gain, minlength=n_features)
        return gains / (gains.sum() or 1.0)

    def missing_treatments(self):
        """What becomes of the missing values of each feature, in words."""
        fraction = self.table.missing_fraction_
        treatments = [SIDES] * len(fraction)
        if self.trees is not None:
            treatments = self.trees.treatments(treatments, fraction)
        return self.table.treatments(treatments)

    def missing_directions(self):
        """The splits, where missing values have a side."""
        has_sides = self.trees is not None and self.trees.chooses_sides
        return self.trees.splits() if has_sides else None


def _expect(name, expected, actual):
    if expected != actual:
        raise ValueError(f"{name}: expected {expected}; got {actual}")
