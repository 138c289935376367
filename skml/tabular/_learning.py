"""How boosters learn: read, hold out, choose units, grow trees, keep the scores."""

from dataclasses import replace

import numpy as np
from sklearn.base import is_classifier
from sklearn.utils.validation import check_consistent_length, column_or_1d

from skml._fitting import warn_user
from skml._table._learned_table import Sample, learn_table
from skml._table._targets import check_target
from skml._table._weights import check_weights
from skml._validation import is_missing, uses_early_stopping
from skml.tabular._column_units import learn_column_units
from skml.tabular._early_stopping import best_stage, hold_out
from skml.tabular._fitted_boosting import FittedBoosting
from skml.tabular._leaf_size import warn_of_no_split
from skml.tabular._library_params import draw_seed
from skml.tabular._precision import FLOAT32, fraction_lost
from skml.tabular._stage_monitor import StageMonitor
from skml.tabular._task import BoostingTask
from skml.tabular._units import Units, learn_units

SCORES = ("train_score_", "validation_score_")


def check_parameters(estimator, validation):
    """Refuse parameters that cannot be honoured, before anything is read."""
    estimator._backend.check_parameters(estimator)
    if not is_classifier(estimator):
        check_quantile(estimator.loss, estimator.quantile)
    passed = [part is not None for part in validation]
    if any(passed) and not all(passed[:2]):
        missing = "y_val" if passed[0] else "X_val"
        raise ValueError(f"X_val and y_val go together; {missing} was not passed.")


def starting_point(estimator):
    """What an earlier fit learned, if this one adds trees to it."""
    if not (estimator.warm_start and hasattr(estimator, "_fitted")):
        return None
    previous, backend = estimator._fitted, estimator._backend
    trees = previous.trees
    if trees is not None and not isinstance(trees, backend):
        raise ValueError(
            f"warm_start=True adds trees to those of the earlier fit, which had "
            f"method={trees.method!r}; method={backend.method!r} cannot."
        )
    if estimator.n_estimators < previous.n_iter_:
        raise ValueError(
            f"n_estimators={estimator.n_estimators} must be larger than or equal to "
            f"n_iter_={previous.n_iter_} when warm_start=True."
        )
    return previous


def learn(estimator, data, groups, validation, previous, progress):
    """Learn what a booster predicts with; nothing is written on the estimator.

    `data` is X, y and sample_weight, `validation` the same of the validation set, as
    the user passed them; `previous` is what trees are added to, or None.
    """
    draft, train = read(estimator, data, previous)
    if groups is not None:
        groups = check_groups(groups, data[0])
    if previous and previous.n_iter_ == estimator.n_estimators:
        return previous
    if draft.is_constant:
        return replace(draft, n_iter_=int(estimator.n_estimators))
    train, held_out = split(estimator, draft, train, groups, validation)
    targets_are_float32 = estimator._backend.targets_are_float32
    if not previous:
        units = learn_units(train, draft.loss, targets_are_float32)
        draft = replace(draft, units=units)
    of_library = draft.units.of_sample(train)
    if targets_are_float32 and not previous:
        warn_of_lost_targets(estimator, train, of_library)
    monitor = None
    if draft.early_stopping or estimator.verbose or validation[0] is not None:
        monitor = StageMonitor(estimator, draft, train, held_out)
    task = BoostingTask(estimator, draft, len(train.y), monitor, progress)
    progress.start()
    trees = estimator._backend.learn(task, of_library, previous and previous.trees)
    if not trees.has_splits():
        warn_of_no_split(estimator, train)
    fitted = replace(draft, trees=trees, n_iter_=trees.n_iter)
    if draft.early_stopping or validation[0] is not None:
        fitted = with_scores(fitted, monitor, previous)
    return fitted


def read(estimator, data, previous):
    """Read the table; what is known before the first tree."""
    X, y, sample_weight = data
    precision = estimator._backend.precision

    def rounding(train, reader):
        if previous:
            check_agrees(reader, train.classes, previous)
            return previous.table.rounding
        columns = learn_column_units(train.X, reader.is_categorical, precision)
        return columns or (None if precision.dtype == "float64" else precision)

    table, train = learn_table(X, y, sample_weight, estimator, rounding=rounding)
    has_classes = train.classes is not None
    quantile = None if has_classes else estimator.quantile
    stops = uses_early_stopping(estimator.early_stopping, len(train.y))
    draft = FittedBoosting(
        table=table,
        classes_=train.classes,
        loss="log_loss" if has_classes else estimator.loss,
        quantile=quantile and float(quantile),
        seed=previous.seed if previous else draw_seed(estimator.random_state),
        early_stopping=bool(stops),
        units=previous.units if previous else Units(),
    )
    if not has_classes:
        check_target_of_loss(draft.loss, train.y)
    return draft, train


def check_agrees(reader, classes, previous):
    """Refuse tables of other columns or classes than trees were grown for."""
    earlier = previous.table.reader
    changed = None
    if reader.names != earlier.names or reader.n_features != earlier.n_features:
        changed = "other columns"
    elif reader.categories != earlier.categories:
        pairs = zip(reader.categories, earlier.categories, strict=True)
        j = next(j for j, (now, then) in enumerate(pairs) if now != then)
        changed = f"other categories in {reader.name_of(j)}"
    elif not np.array_equal(classes, previous.classes_):
        changed = f"the classes {classes.tolist()!r:.200}"
    if changed:
        raise ValueError(
            "warm_start=True adds trees to those of the earlier fit; X must have the "
            "same columns and categories, and y the same classes. Now there are "
            f"{changed}."
        )


def split(estimator, draft, train, groups, validation):
    """The rows to learn from, and the validation set, if there is one."""
    if validation[0] is not None:
        return train, read_validation(estimator, draft, *validation)
    if not draft.early_stopping or estimator.validation_fraction is None:
        return train, None
    return hold_out(estimator, train, groups, draft.seed)


def read_validation(estimator, draft, X_val, y_val, sample_weight_val):
    """Read the validation set that the user passed."""
    X = draft.table.read(X_val)
    y = check_target(estimator, y_val)
    check_consistent_length(X, y)
    weight = check_weights(sample_weight_val, X.shape[0], type(estimator).__name__)
    if draft.classes_ is not None:
        y = encode(y, draft.classes_)
    else:
        check_target_of_loss(draft.loss, y)
    return Sample(X, y, weight, X_val, np.arange(len(y)), draft.classes_)


def encode(y, classes):
    """Positions of labels among the classes."""
    unknown = np.setdiff1d(y, classes)
    if len(unknown):
        raise ValueError(
            f"y_val has the label {unknown.tolist()[0]!r}, which y has not; its "
            f"classes are {classes.tolist()!r:.300}."
        )
    return np.searchsorted(classes, y)


def with_scores(fitted, monitor, previous):
    """Keep all scores; with early stopping, cut the trees after the best one."""
    n_before = previous.n_iter_ if previous else 0
    scores = {}
    for name in SCORES:
        new = getattr(monitor, name[:-1])
        if new is not None:
            # Where an earlier fit had no scores, its trees have none.
            earlier = getattr(previous, name, None) if previous else None
            earlier = np.full(n_before, np.nan) if earlier is None else earlier
            scores[name] = np.append(earlier[:n_before], new)
    fitted = replace(fitted, **scores)
    if not fitted.early_stopping:
        return fitted
    n_iter = best_stage(scores.get("validation_score_", scores["train_score_"]))
    n_iter = min(n_iter, fitted.n_iter_)
    return replace(fitted, trees=fitted.trees.cut(n_iter), n_iter_=n_iter)


def check_target_of_loss(loss, y):
    """Refuse targets that a loss is not defined for."""
    if loss == "poisson" and not (y.min() >= 0 and y.sum() > 0):
        raise ValueError("loss='poisson' requires non-negative y and sum(y) > 0.")
    if loss == "gamma" and y.min() <= 0:
        row = int(np.argmin(y))
        raise ValueError(f"loss='gamma' requires strictly positive y; it has {y[row]}.")


def warn_of_lost_targets(estimator, train, of_library):
    """Warn of targets whose differences no offset can save."""
    y = train.y
    if train.classes is not None or not fraction_lost(of_library.y, FLOAT32):
        return
    warn_user(
        f"{type(estimator).__name__}: y is from {y.min():.4g} to {y.max():.4g}, and "
        "many of its values are closer together than single precision can tell apart, "
        "in which the library keeps them. Use GBDTRegressor, or split the table."
    )


def check_quantile(loss, quantile):
    """A level belongs to the quantile loss, and to it alone."""
    if (loss == "quantile") == (quantile is not None):
        return
    raise ValueError(
        f"loss={loss!r} and quantile={quantile!r}: the quantile loss needs a level "
        "between 0 and 1, and no other loss takes one."
    )


def check_groups(groups, X):
    """Check groups: one value per row, none missing."""
    groups = column_or_1d(groups)
    check_consistent_length(X, groups)
    missing = [row for row, group in enumerate(groups.tolist()) if is_missing(group)]
    if missing:
        raise ValueError(
            f"groups has no value for row {missing[0]}; each row needs a group."
        )
    return groups
