"""The number of rows of a leaf: what a library is given, and what became of it."""

import inspect

import numpy as np

from skml._fitting import warn_user
from skml._table._containers import as_dense

# By how much a logarithm may change: Poisson's second derivative is larger by it.
POISSON_STEP = 0.7
# A sum of weights is a number of rows, unless so many weigh less than this mean.
LIGHT_ROWS, LEAST_TYPICAL_WEIGHT = 0.95, 0.25
PENALTIES = ("min_impurity_decrease", "l2_regularization", "l1_regularization")


def typical_hessian(loss, train, softmax):
    """The second derivative of the loss by a score, of a row of weight 1.

    That before the first tree, in the mean. Of classes it is p (1 - p), where p is
    their fraction; of three and more, libraries multiply it by a factor of their own.
    """
    if train.classes is not None:
        n_classes = len(train.classes)
        p = np.bincount(train.y, train.sample_weight, minlength=n_classes)
        p = p / p.sum()
        factor = softmax if n_classes > 2 else 1.0
        return factor * float(np.mean(p * (1 - p)))
    if loss == "poisson":
        mean = np.average(train.y, weights=train.sample_weight)
        return float(mean * np.exp(POISSON_STEP))
    return 1.0


def typical_weight(sample_weight):
    """The mean weight; the middle one, where few rows have nearly all the weight."""
    if few_are_heavy(sample_weight):
        return float(np.median(sample_weight))
    return float(np.mean(sample_weight))


def few_are_heavy(sample_weight):
    """Whether few rows have nearly all the weight, so that it counts no rows."""
    if sample_weight is None:
        return False
    most = np.quantile(sample_weight, LIGHT_ROWS)
    return most < LEAST_TYPICAL_WEIGHT * np.mean(sample_weight)


def can_break(estimator, loss, sample_weight):
    """Whether leaves may have fewer rows than the user chose.

    The default is no choice, nor is what a subclass sets by itself, and no leaf has
    less than one row. Where all second derivatives are one, they are a count.
    """
    parameter = inspect.signature(type(estimator)).parameters.get("min_samples_leaf")
    is_chosen = parameter and estimator.min_samples_leaf not in {1, parameter.default}
    is_count = sample_weight is None and loss == "squared_error"
    return is_chosen and not is_count


def warn_of_small_leaf(estimator, n_rows, library):
    """Warn of a leaf that has fewer rows than it should."""
    if n_rows >= estimator.min_samples_leaf:
        return
    warn_user(
        f"{type(estimator).__name__}: a leaf has {n_rows} rows, fewer than "
        f"min_samples_leaf={estimator.min_samples_leaf}: {library} does not count "
        "rows, but takes their number from sums of second derivatives and weights. "
        "Raise min_samples_leaf, or use GBDTClassifier or GBDTRegressor, which count."
    )


def warn_of_no_split(estimator, train):
    """Warn that no tree has a split, why, and what to change."""
    n_rows, least = len(train.y), estimator.min_samples_leaf
    if (train.y == train.y[0]).all():
        return  # there was nothing to learn
    if not columns_that_vary(as_dense(train.X)).any():
        why, advice = "no column has two different values", "Pass other columns"
    elif n_rows < 2 * least:
        why = f"{n_rows} rows do not make two leaves of min_samples_leaf={least}"
        advice = "Lower min_samples_leaf"
    else:
        why = (
            f"none was found that lowers the loss with min_samples_leaf={least} of "
            f"{n_rows} rows on either side"
        )
        limits = ["min_samples_leaf"] if least > 1 else []
        limits += [name for name in PENALTIES if getattr(estimator, name, 0) > 0]
        advice = f"Lower {', '.join(limits)}" if limits else "Pass more rows or columns"
    warn_user(
        f"{type(estimator).__name__} learned nothing, and predicts the same for all "
        f"rows: no tree has a split, for {why}. {advice}."
    )


def columns_that_vary(X):
    """Which columns have two different values, of which missing is one."""
    same = (X[:1] == X) | (np.isnan(X) & np.isnan(X[:1]))
    return ~same.all(axis=0)
