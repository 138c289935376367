"""Scores of the stages of boosting, while it runs."""

from dataclasses import replace

import numpy as np
from sklearn.metrics import check_scoring

from skml._compat.sklearn import make_loss
from skml.tabular._early_stopping import should_stop
from skml.tabular._units import Units

N_ROWS_FOR_TRAIN_SCORE = 10_000


class StageMonitor:
    """Scores the stages of boosting while it runs.

    `should_stop` gets the raw scores of `scored`: the rows to learn from, and the
    validation set if there is one. Of the former it scores the rows in `samples`. Its
    scores are the higher the better, one a stage; None where there are no rows.
    """

    def __init__(self, estimator, draft, train, validation):
        self.estimator = estimator
        self.draft = draft
        self.validation = validation
        self.scored = [train] if validation is None else [train, validation]
        self.train_score = []
        self.validation_score = None if validation is None else []
        self._scored_rows = slice(None)
        if estimator.scoring == "loss":
            n_classes = 0 if draft.classes_ is None else len(draft.classes_)
            self._loss = make_loss(draft.loss, n_classes, draft.quantile)
        else:
            self._scorer = check_scoring(estimator, estimator.scoring)
            if len(train.y) > N_ROWS_FOR_TRAIN_SCORE:
                shuffled = np.random.RandomState(0).permutation(len(train.y))
                self._scored_rows = shuffled[:N_ROWS_FOR_TRAIN_SCORE]
        self.samples = [train.take(self._scored_rows), *self.scored[1:]]
        self._tables = [
            sample.as_passed() if callable(estimator.scoring) else sample.X
            for sample in self.samples
        ]

    def should_stop(self, train_raw, validation_raw=None):
        """Score a stage by its raw scores; whether boosting should stop."""
        self.note(0, self.score(0, train_raw[self._scored_rows]))
        if self.validation is not None:
            self.note(1, self.score(1, validation_raw))
        scores = self.train_score if self.validation is None else self.validation_score
        patience, tol = self.estimator.n_iter_no_change, self.estimator.tol
        return self.draft.early_stopping and should_stop(scores, patience, tol)

    def note(self, i, score):
        """Note a score of one of the samples."""
        (self.train_score, self.validation_score)[i].append(score)

    def last_scores(self):
        """The losses or scores of the last stage, by name."""
        if self.estimator.scoring == "loss":
            names, sign = (f"loss ({self.draft.loss})", "validation loss"), -1
        else:
            metric, sign = self._name_of_metric(), 1
            names = f"train {metric}", f"validation {metric}"
        curves = [self.train_score, self.validation_score]
        return {
            name: sign * curve[-1]
            for name, curve in zip(names, curves, strict=True)
            if curve is not None
        }

    def _name_of_metric(self):
        scoring = self.estimator.scoring
        if scoring is None:
            return "R2" if self.draft.classes_ is None else "accuracy"
        return scoring if isinstance(scoring, str) else "score"

    def labels(self, sample):
        """The targets of a sample as a scorer takes them."""
        classes = self.draft.classes_
        return sample.y if classes is None else classes[sample.y]

    def score(self, i, raw):
        """Score one of the samples by the raw scores of the library."""
        sample = self.samples[i]
        raw = self.draft.units.of_raw(raw, self.draft.loss)
        if self.estimator.scoring == "loss":
            return -self._loss(
                y_true=sample.y.astype(np.float64),
                raw_prediction=np.ascontiguousarray(raw),
                sample_weight=sample.sample_weight,
            )
        weight = {}
        if sample.sample_weight is not None:
            weight = {"sample_weight": sample.sample_weight}
        known = FixedPredictions(self.estimator, self.draft, raw)
        return self._scorer(known, self._tables[i], self.labels(sample), **weight)


class FixedPredictions:
    """An estimator whose raw scores are known, in the units of the user."""

    def __init__(self, estimator, draft, raw):
        self._estimator = estimator
        self._draft = replace(draft, units=Units())
        self._raw = raw
        if draft.classes_ is not None:
            self.classes_ = draft.classes_

    def fit(self, X, y=None):
        """Return the same predictions as before, as a frozen estimator does."""
        return self

    def predict(self, X):
        return self._draft.predictions_of(self._raw)

    def predict_proba(self, X):
        return self._draft.values_of(self._raw)

    def decision_function(self, X):
        return self._raw

    def score(self, X, y, sample_weight=None):
        return type(self._estimator).score(self, X, y, sample_weight)

    def __sklearn_tags__(self):
        return self._estimator.__sklearn_tags__()

    def __sklearn_is_fitted__(self):
        return True
