"""When boosting should stop: rows held out, and the scores of the stages."""

from numbers import Integral

import numpy as np
from sklearn.base import is_classifier
from sklearn.metrics import check_scoring
from sklearn.model_selection import (
    GroupShuffleSplit,
    StratifiedGroupKFold,
    train_test_split,
)

from skml._compat.sklearn import make_loss

N_ROWS_FOR_TRAIN_SCORE = 10_000


def split_rows(y, groups, fraction, *, stratify, random_state):
    """Choose the rows to hold out for validation.

    Parameters
    ----------
    y : ndarray of shape (n_samples,)
        Targets.
    groups : ndarray of shape (n_samples,) or None
        Rows of one group stay together.
    fraction : float or int
        How many rows are held out, as a share or as a number.
    stratify : bool
        Whether each side gets its share of each class.
    random_state : RandomState
        Chooses the rows.

    Returns
    -------
    train, validation : ndarray
        Positions of rows.
    """
    rows = np.arange(len(y))
    if groups is None:
        check_fraction(len(y), fraction, len(np.unique(y)) if stratify else 1)
        return train_test_split(
            rows,
            test_size=fraction,
            stratify=y if stratify else None,
            random_state=random_state,
        )
    n_groups = len(np.unique(groups))
    if n_groups < 2:
        raise ValueError(
            "early_stopping holds out whole groups, and groups has a single one. Pass "
            "X_val and y_val, or leave groups out."
        )
    share = fraction / len(y) if isinstance(fraction, Integral) else fraction
    if share >= 1:
        raise ValueError(
            f"validation_fraction={fraction} leaves none of {len(y)} rows to train."
        )
    if not stratify:
        splitter = GroupShuffleSplit(1, test_size=share, random_state=random_state)
        return next(splitter.split(rows, groups=groups))
    splitter = StratifiedGroupKFold(
        int(np.clip(round(1 / share), 2, n_groups)),
        shuffle=True,
        random_state=random_state,
    )
    return next(splitter.split(rows, y, groups))


def check_fraction(n_rows, fraction, n_least):
    """Refuse to hold out, or to leave, fewer rows than there are classes."""
    is_number = isinstance(fraction, Integral)
    n_held_out = fraction if is_number else int(np.ceil(fraction * n_rows))
    if n_held_out < n_least or n_rows - n_held_out < n_least:
        raise ValueError(
            f"early_stopping: validation_fraction={fraction!r} holds out {n_held_out} "
            f"of {n_rows} rows; each side needs {n_least} at least, one of each class. "
            "Change validation_fraction, or pass X_val and y_val."
        )


def check_classes_of_split(y_train, y_validation, classes):
    """Refuse a split that leaves a class on one side only."""
    for side, y in (("training", y_train), ("validation", y_validation)):
        lost = np.setdiff1d(np.arange(len(classes)), y)
        if len(lost):
            raise ValueError(
                f"early_stopping: the {side} part of the rows has none of class "
                f"{classes.tolist()[lost[0]]!r}. Hold out more rows "
                "(validation_fraction), choose other groups, or pass X_val and y_val."
            )


def should_stop(scores, n_iter_no_change, tol):
    """Whether none of the last stages is better, by `tol`, than the one before them.

    The rule of scikit-learn's HistGradientBoosting.
    """
    if len(scores) <= n_iter_no_change:
        return False
    reference = scores[-n_iter_no_change - 1] + tol
    return not any(score > reference for score in scores[-n_iter_no_change:])


def best_stage(scores):
    """The number of stages of the best score, the first of several."""
    if np.isnan(scores).all():
        raise ValueError(
            "early_stopping: the validation score is NaN after each iteration. Choose "
            "another scoring, or hold out other rows."
        )
    return int(np.nanargmax(scores)) + 1


class StageMonitor:
    """Scores the stages of boosting while it runs.

    Parameters
    ----------
    estimator : estimator
        Says how to score and when to stop.
    train : Sample
        What is learned from.
    validation : Sample or None
        What was held out, if something was.

    Attributes
    ----------
    samples : list of Sample
        What is scored: rows of the first, and the second if there is one.
    train_score, validation_score : list of float
        One score a stage; higher is better. None where there are no rows.
    """

    def __init__(self, estimator, train, validation):
        self.estimator = estimator
        self.train = train
        self.validation = validation
        self.train_score = []
        self.validation_score = None if validation is None else []
        self._scored_rows = slice(None)
        if estimator.scoring == "loss":
            self._loss = make_loss(
                estimator._loss_name(),
                len(getattr(estimator, "classes_", ())),
                estimator._quantile_level(),
            )
        else:
            self._scorer = check_scoring(estimator, estimator.scoring)
            if len(train.y) > N_ROWS_FOR_TRAIN_SCORE:
                shuffled = np.random.RandomState(0).permutation(len(train.y))
                self._scored_rows = shuffled[:N_ROWS_FOR_TRAIN_SCORE]
        self.samples = [train.at(self._scored_rows)]
        if validation is not None:
            self.samples.append(validation)
        self._tables = [
            sample.as_passed() if callable(estimator.scoring) else sample.X
            for sample in self.samples
        ]

    def should_stop(self, train_raw, validation_raw=None):
        """Score a stage by its raw predictions; whether boosting should stop."""
        self.note(0, self.score(0, train_raw[self._scored_rows]))
        if self.validation is not None:
            self.note(1, self.score(1, validation_raw))
        scores = self.train_score if self.validation is None else self.validation_score
        patience, tol = self.estimator.n_iter_no_change, self.estimator.tol
        return self.estimator.early_stopping and should_stop(scores, patience, tol)

    def note(self, i, score):
        """Note a score of one of the samples."""
        (self.train_score, self.validation_score)[i].append(score)

    def describe(self):
        """The last scores, in words."""
        estimator, sign = self.estimator, 1
        name = estimator.scoring
        if name == "loss":
            name, sign = f"loss ({estimator._loss_name()})", -1
        elif not isinstance(name, str):
            name = getattr(name, "__name__", "score")
        line = f"{name}: train {sign * self.train_score[-1]:.5f}"
        if self.validation is not None:
            line += f", validation {sign * self.validation_score[-1]:.5f}"
        return line

    def labels(self, sample):
        """The targets of a sample as a scorer takes them."""
        if is_classifier(self.estimator):
            return self.estimator.classes_[sample.y]
        return sample.y

    def score(self, i, raw):
        """Score one of the samples by the raw predictions of the library."""
        sample = self.samples[i]
        raw = self.estimator._units.of_raw(raw, self.estimator._loss_name())
        if self.estimator.scoring == "loss":
            return -self._loss(
                y_true=sample.y.astype(np.float64),
                raw_prediction=np.ascontiguousarray(raw),
                sample_weight=sample.sample_weight,
            )
        weight = {}
        if sample.sample_weight is not None:
            weight = {"sample_weight": sample.sample_weight}
        known = FixedPredictions(self.estimator, raw)
        return self._scorer(known, self._tables[i], self.labels(sample), **weight)


class FixedPredictions:
    """An estimator whose raw predictions are known, for a scorer to ask."""

    def __init__(self, estimator, raw):
        self._estimator = estimator
        self._raw = raw
        if is_classifier(estimator):
            self.classes_ = estimator.classes_

    def predict(self, X):
        return self._estimator._predict_from_raw(self._raw)

    def predict_proba(self, X):
        return self._estimator._proba_from_raw(self._raw)

    def decision_function(self, X):
        return self._raw

    def score(self, X, y, sample_weight=None):
        return type(self._estimator).score(self, X, y, sample_weight)

    def __sklearn_tags__(self):
        return self._estimator.__sklearn_tags__()

    def __sklearn_is_fitted__(self):
        return True
