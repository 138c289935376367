"""When boosting should stop: the validation set, and the rule."""

from numbers import Integral

import numpy as np
from sklearn.model_selection import (
    GroupShuffleSplit,
    StratifiedGroupKFold,
    train_test_split,
)


def hold_out(estimator, train, groups, seed):
    """Split the rows to learn from into those and a validation set.

    A seed chooses the same rows again, where trees are added to those of an earlier
    fit.
    """
    fraction, stratify = estimator.validation_fraction, train.classes is not None
    if stratify:
        check_enough_to_split(train.y, train.classes)
    random_state = np.random.RandomState(seed)
    if groups is None:
        rows = split_rows(train.y, fraction, stratify, random_state)
    else:
        groups = groups[train.positions]
        rows = split_groups(train.y, groups, fraction, stratify, random_state)
    train, validation = (train.take(np.sort(part)) for part in rows)
    if stratify:
        check_classes_of_split(train.y, validation.y, train.classes)
    return train, validation


def split_rows(y, fraction, stratify, random_state):
    """Choose the rows to learn from, and those to hold out, of each class alike."""
    n_rows, n_least = len(y), len(np.unique(y)) if stratify else 1
    is_number = isinstance(fraction, Integral)
    n_held_out = fraction if is_number else int(np.ceil(fraction * n_rows))
    if n_held_out < n_least or n_rows - n_held_out < n_least:
        raise ValueError(
            f"early_stopping: validation_fraction={fraction!r} holds out {n_held_out} "
            f"of {n_rows} rows; each side needs {n_least} at least, one of each class. "
            "Change validation_fraction, or pass X_val and y_val."
        )
    return train_test_split(
        np.arange(n_rows),
        test_size=fraction,
        stratify=y if stratify else None,
        random_state=random_state,
    )


def split_groups(y, groups, fraction, stratify, random_state):
    """Choose rows as `split_rows`, where those of one group stay together."""
    rows, n_groups = np.arange(len(y)), len(np.unique(groups))
    if n_groups < 2:
        raise ValueError(
            "early_stopping holds out whole groups, and groups has a single one. Pass "
            "X_val and y_val, or leave groups out."
        )
    part = fraction / len(y) if isinstance(fraction, Integral) else fraction
    if part >= 1:
        raise ValueError(
            f"validation_fraction={fraction} leaves none of {len(y)} rows to train."
        )
    if not stratify:
        splitter = GroupShuffleSplit(1, test_size=part, random_state=random_state)
        return next(splitter.split(rows, groups=groups))
    n_folds = int(np.clip(round(1 / part), 2, n_groups))
    splitter = StratifiedGroupKFold(n_folds, shuffle=True, random_state=random_state)
    return next(splitter.split(rows, y, groups))


def check_enough_to_split(y, classes):
    """Refuse to split classes of a single row."""
    counts = np.bincount(y, minlength=len(classes))
    if counts.min() < 2:
        label = classes.tolist()[int(np.argmin(counts))]
        raise ValueError(
            f"early_stopping holds out rows of each class, and class {label!r} has a "
            "single row. Leave the class out, or pass X_val and y_val."
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
