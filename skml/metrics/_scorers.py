"""Scorers: ours by name beside scikit-learn's, and those of classification as one."""

from collections.abc import Callable
from copy import deepcopy
from numbers import Real
from typing import Literal

from sklearn import metrics
from sklearn.metrics import make_scorer
from sklearn.utils.multiclass import type_of_target, unique_labels

from skml._compat.sklearn import Interval, Options, StrOptions, validate_params
from skml._compat.sklearn_search import ClassesScorer
from skml.metrics._answers import answer_exact_match_score, answer_f1_score
from skml.metrics._bleu import bleu_score
from skml.metrics._chrf import chrf_score
from skml.metrics._entity import (
    entity_f1_score,
    entity_precision_score,
    entity_recall_score,
)

answer_exact_match_scorer = make_scorer(answer_exact_match_score)
answer_f1_scorer = make_scorer(answer_f1_score)
bleu_scorer = make_scorer(bleu_score)
chrf_scorer = make_scorer(chrf_score)
entity_f1_scorer = make_scorer(entity_f1_score)

_SCORERS = {
    "answer_exact_match": answer_exact_match_scorer,
    "answer_f1": answer_f1_scorer,
    "bleu": bleu_scorer,
    "chrf": chrf_scorer,
    "entity_f1": entity_f1_scorer,
    "entity_precision": make_scorer(entity_precision_score),
    "entity_recall": make_scorer(entity_recall_score),
}
_PLACES = {"precision": 0, "recall": 1, "fbeta": 2}


def get_scorer_names() -> list[str]:
    """The names that `get_scorer` knows: ours, and all of scikit-learn's.

    Returns
    -------
    names : list of str
        The names, sorted.

    See Also
    --------
    get_scorer : The scorer of a name.

    Examples
    --------
    >>> from skml.metrics import get_scorer_names
    >>> names = get_scorer_names()
    >>> "bleu" in names, "accuracy" in names
    (True, True)
    """
    return sorted([*_SCORERS, *metrics.get_scorer_names()])


def get_scorer(scoring: str | Callable):
    """The scorer of a name, ours or scikit-learn's.

    Parameters
    ----------
    scoring : str or callable
        A name; a scorer is returned as it is. Ours are "answer_exact_match",
        "answer_f1", "bleu", "chrf", "entity_f1", "entity_precision" and
        "entity_recall", with the defaults of their scores.

    Returns
    -------
    scorer : callable
        ``scorer(estimator, X, y)`` returns the score; a copy, whose metadata requests
        may be changed.

    Raises
    ------
    ValueError
        If there is no such name.

    See Also
    --------
    get_scorer_names : All names.
    sklearn.metrics.make_scorer : A scorer with other parameters, such as
        ``make_scorer(bleu_score, tokenize="zh")``.

    Examples
    --------
    >>> from skml.metrics import get_scorer
    >>> get_scorer("bleu")
    make_scorer(bleu_score, response_method='predict')
    """
    if not isinstance(scoring, str):
        return metrics.get_scorer(scoring)
    if scoring in _SCORERS:
        return deepcopy(_SCORERS[scoring])
    if scoring not in metrics.get_scorer_names():
        raise ValueError(
            f"{scoring!r:.60} is no name of a scorer; expected one of "
            f"{', '.join(map(repr, get_scorer_names()))}."
        )
    return metrics.get_scorer(scoring)


def _positive_label(classes, pos_label):
    """The positive one of two classes: the last in order, such as 1, True or "yes"."""
    if pos_label is None:
        return classes[-1]
    if pos_label not in classes:
        raise ValueError(
            f"pos_label={pos_label!r} is none of the classes {list(classes)}."
        )
    return pos_label


def _classification_score(
    y_true,
    y_pred,
    *,
    which,
    average,
    positive,
    zero_division,
    beta,
    classes=None,
    sample_weight=None,
):
    """Precision, recall or F of predictions, averaged as fits the classes."""
    if classes is None:
        classes = unique_labels(y_true, y_pred)
    target_type = type_of_target(y_true)
    is_binary = not target_type.startswith("multilabel") and len(classes) <= 2
    parameters = {
        "beta": beta,
        "zero_division": zero_division,
        "sample_weight": sample_weight,
        "warn_for": ("f-score" if which == "fbeta" else which,),
    }
    if average == "binary" or (average == "auto" and is_binary):
        if not is_binary:
            raise ValueError(
                f"average='binary' needs two classes; there are {len(classes)} "
                f"({target_type}). Use average='auto', or one of 'macro', 'micro' and "
                "'weighted'."
            )
        # By its label, so that a fold without it or with it alone is no exception.
        label = _positive_label(classes, positive)
        scores = metrics.precision_recall_fscore_support(
            y_true, y_pred, labels=[label], average=None, **parameters
        )
        return float(scores[_PLACES[which]][0])
    if positive is not None:
        raise ValueError(
            f"pos_label={positive!r} has no effect on the average over classes: "
            f"average={average!r} and {len(classes)} classes. Leave it at None."
        )
    average = "macro" if average == "auto" else average
    scores = metrics.precision_recall_fscore_support(
        y_true, y_pred, average=average, **parameters
    )
    return float(scores[_PLACES[which]])


@validate_params(
    {
        "average": [StrOptions({"auto", "binary", "macro", "micro", "weighted"})],
        "pos_label": [Real, str, "boolean", None],
        "zero_division": [Options(Real, {0.0, 1.0}), "nan", StrOptions({"warn"})],
        "beta": [Interval(Real, 0, None, closed="neither")],
    },
    prefer_skip_nested_validation=True,
)
def classification_scorers(
    *,
    average: Literal["auto", "binary", "macro", "micro", "weighted"] = "auto",
    pos_label: float | bool | str | None = None,
    zero_division: Literal["warn"] | float = "warn",
    beta: float = 1.0,
):
    """Accuracy, precision, recall and F1 for `scoring`, on labels of any kind.

    The dict goes to :func:`~sklearn.model_selection.cross_validate` or
    :class:`~sklearn.model_selection.GridSearchCV` (with ``refit="f1"``) as it is. The
    labels may be numbers or strings, two or many, or several for each sample. What
    there is to average is decided by the classes that the estimator learned, not by
    those in a fold, so that all folds are scored in the same way.

    Parameters
    ----------
    average : {"auto", "binary", "macro", "micro", "weighted"}, default="auto"
        How precision, recall and F of the classes become one. "auto" is "binary" for
        two classes, the score of the positive one, and otherwise "macro", the mean
        over the classes; the others are scikit-learn's.
    pos_label : int, float, bool, str or None, default=None
        The positive one of two classes. By default the last in order, as everywhere in
        scikit-learn: 1 of 0 and 1, "yes" of "no" and "yes", "spam" of "ham" and "spam".
    zero_division : {"warn", 0.0, 1.0, nan}, default="warn"
        What a score is where nothing was predicted or nothing was there to be found.
        "warn" is 0 with a warning.
    beta : float, default=1.0
        How many times as important recall is as precision in F.

    Returns
    -------
    scorers : dict of str to callable
        "accuracy", "precision", "recall" and "f1"; with another `beta` the last is
        called after it, such as "f2" or "f0.5". They route `sample_weight`.

    Raises
    ------
    ValueError
        While scoring: if `pos_label` is no class, or has no effect; if `average` is
        "binary" and there are more than two classes.

    See Also
    --------
    get_scorer : A scorer by its name.
    sklearn.metrics.precision_recall_fscore_support : What is computed.

    Examples
    --------
    >>> from sklearn.linear_model import LogisticRegression
    >>> from sklearn.model_selection import cross_validate
    >>> from skml.metrics import classification_scorers
    >>> X = [[number] for number in range(20)]
    >>> y = ["ham"] * 12 + ["spam"] * 8
    >>> found = cross_validate(
    ...     LogisticRegression(), X, y, cv=4, scoring=classification_scorers()
    ... )
    >>> found["test_recall"]
    array([0.5, 1. , 1. , 1. ])
    """
    parameters = {
        "average": average,
        "positive": pos_label,
        "zero_division": zero_division,
        "beta": beta,
    }
    name = f"f{beta:g}"
    scorers = {"accuracy": metrics.get_scorer("accuracy")}
    for key, which in [("precision",) * 2, ("recall",) * 2, (name, "fbeta")]:
        scorers[key] = ClassesScorer(
            _classification_score, 1, {"which": which, **parameters}, "predict"
        )
    return scorers
