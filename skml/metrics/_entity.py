"""Precision, recall and F1 of predicted entities."""

import warnings
from itertools import chain
from numbers import Integral, Real

import numpy as np
from sklearn.exceptions import UndefinedMetricWarning

from skml._compat.sklearn import Interval, Options, StrOptions, validate_params
from skml.metrics._entity_tags import (
    TAGS,
    check_lengths,
    check_reading,
    find_entities,
    read_sequences,
)

_COLUMNS = ("precision", "recall", "f1-score", "support")
_COUNTS = {"labels": ["array-like", None], "sample_weight": ["array-like", None]}
_DIVISION = {"zero_division": [StrOptions({"warn"}), Options(Real, {0.0, 1.0}), "nan"]}
_AVERAGE = {"average": [StrOptions({"micro", "macro", "weighted"}), None]}
_SCORE = {**_COUNTS, **_AVERAGE, **_DIVISION, **TAGS}


# From entities to counts


def _check_sample_weight(sample_weight, n_sequences):
    if sample_weight is None:
        return None
    weights = np.asarray(sample_weight, dtype=float)
    if weights.shape != (n_sequences,):
        raise ValueError(
            f"sample_weight must have one weight for each of the {n_sequences} "
            f"sequence(s); its shape is {weights.shape}."
        )
    wrong = ~np.isfinite(weights) | (weights < 0)
    if wrong.any():
        sequence = np.argmax(wrong)
        raise ValueError(
            f"the sample_weight of sequence {sequence} is {weights[sequence]}; weights "
            "must be finite and not negative."
        )
    if not weights.any():
        raise ValueError("sample_weight is 0 for all sequences; one must be positive.")
    return weights


def _check_labels(labels):
    if isinstance(labels, str):
        raise TypeError(f"labels must be a list of types; put {labels!r:.60} into one.")
    labels = list(labels)
    for position, label in enumerate(labels):
        if not isinstance(label, str):
            raise TypeError(
                f"labels, position {position}: expected the str of a type, got "
                f"{label!r:.60} ({type(label).__name__})."
            )
        if label in labels[:position]:
            raise ValueError(f"labels has {label!r:.60} twice.")
    if not labels:
        raise ValueError("labels is empty; name one type at least, or pass None.")
    return labels


def _match(true, pred, n_tags):
    """Which of the true and which of the predicted entities are on the other side."""
    # No two entities of a side begin at one tag.
    true_at = np.full(n_tags, -1)
    true_at[true.first] = np.arange(len(true.first))
    partner = true_at[pred.first]
    of_pred = partner >= 0
    for of_true, here in ((true.last, pred.last), (true.kind, pred.kind)):
        of_pred[of_pred] = of_true[partner[of_pred]] == here[of_pred]
    is_found = np.zeros(len(true.first), dtype=bool)
    is_found[partner[of_pred]] = True
    return is_found, of_pred


def _count_kinds(entities, chosen, weights, n_kinds):
    """The number of the chosen entities of each type, or their weight."""
    if weights is not None:
        weights = weights[entities.first[chosen]]
    return np.bincount(entities.kind[chosen], weights, n_kinds)


def _count(y_true, y_pred, labels, sample_weight, reading):
    """The types, and how many of each are found, invented and missed."""
    given = labels if labels is None else _check_labels(labels)
    y_true, lengths = read_sequences(y_true, "y_true")
    y_pred, lengths_pred = read_sequences(y_pred, "y_pred")
    check_lengths(lengths, lengths_pred)
    weights = _check_sample_weight(sample_weight, len(lengths))
    if weights is not None:
        weights = weights.repeat(lengths)
    kinds = {}
    true = find_entities(y_true, lengths, "y_true", kinds, reading)
    pred = find_entities(y_pred, lengths, "y_pred", kinds, reading)
    of_true, of_pred = _match(true, pred, lengths.sum())
    labels = given or sorted(kinds)
    numbers = [kinds.setdefault(label, len(kinds)) for label in labels]
    sides = (pred, of_pred), (pred, ~of_pred), (true, ~of_true)
    counts = np.stack(
        [_count_kinds(*side, weights, len(kinds))[numbers] for side in sides]
    )
    if given is None:
        # A type that is nowhere, or only where the weight is 0, is none.
        is_there = counts.any(axis=0)
        labels = [label for label, there in zip(labels, is_there, strict=True) if there]
        counts = counts[:, is_there]
    return labels, counts


# From counts to scores


def _scores(counts, average, zero_division, *, beta=1.0, warn_for=_COLUMNS[:3]):
    """Precision, recall and F-score, defined and averaged as in scikit-learn."""
    if average == "micro" or (average is not None and counts.shape[1] == 0):
        counts = counts.sum(axis=1, keepdims=True)
    found, predicted, true = counts[0], counts[0] + counts[1], counts[0] + counts[2]
    of_recall = 1.0 if np.isinf(beta) else beta**2 / (1 + beta**2)
    wholes = {
        "precision": ("predicted", predicted),
        "recall": ("true", true),
        "f1-score": (
            "true or predicted",
            of_recall * true + (1 - of_recall) * predicted,
        ),
    }
    value = 0.0 if zero_division == "warn" else zero_division
    scores = []
    for name, (which, whole) in wholes.items():
        if zero_division == "warn" and name in warn_for and not whole.all():
            warnings.warn(
                f"{name} is undefined where there is no {which} entity, and is set to "
                "0.0 there. Pass zero_division to choose the value.",
                UndefinedMetricWarning,
                stacklevel=4,
            )
        filled = np.full(len(whole), value, dtype=float)
        scores.append(np.divide(found, whole, out=filled, where=whole > 0))
    if average is None:
        return scores
    return [_mean(each, true if average == "weighted" else None) for each in scores]


def _mean(scores, weights):
    """The mean without NaN; weights that are all 0 are as none."""
    is_defined = ~np.isnan(scores)
    if weights is None or not weights[is_defined].any():
        weights = np.ones(len(scores))
    if not is_defined.any():
        return np.nan
    return float(np.average(scores[is_defined], weights=weights[is_defined]))


def _table(rows, averages, digits):
    """A text table, as that of scikit-learn's classification_report."""
    width = max(digits, *map(len, [*rows, *averages]))
    head = f"{'':>{width}} " + "".join(f" {name:>9}" for name in _COLUMNS)
    lines = [head, ""]
    for part in (rows, averages):
        for name, (*scores, support) in part.items():
            cells = "".join(f" {score:>9.{digits}f}" for score in scores)
            lines.append(f"{name:>{width}} {cells} {support:>9}")
        lines.append("")
    return "\n".join(lines)


@validate_params(
    {**_SCORE, "beta": [Interval(Real, 0, None, closed="both")]},
    prefer_skip_nested_validation=True,
)
def entity_precision_recall_fscore_support(
    y_true,
    y_pred,
    *,
    beta=1.0,
    labels=None,
    average=None,
    sample_weight=None,
    zero_division="warn",
    scheme=None,
    mode="lenient",
    invalid="accept",
    suffix=False,
):
    """Precision, recall, F-score and number of entities, of each type or averaged.

    A predicted entity is right if there is a true one with the same first and last
    token and the same type. Read more in the :ref:`User Guide <entity_scores>`.

    Parameters
    ----------
    y_true : list of list of str
        The true tags of each sequence; see :func:`extract_entities`.
    y_pred : list of list of str
        The predicted tags of the same sequences.
    beta : float, default=1.0
        The weight of recall against precision in the F-score.
    labels : list of str, default=None
        The types to score, in this order. None takes all that occur, sorted.
    average : {"micro", "macro", "weighted"} or None, default=None
        None scores each type; "micro" counts all entities together; "macro" is the mean
        over the types, "weighted" that by the numbers of true entities.
    sample_weight : array-like of shape (n_sequences,), default=None
        How often each sequence counts.
    zero_division : {"warn", 0.0, 1.0, np.nan}, default="warn"
        The value of what is undefined; "warn" is 0 with a warning. Averages leave NaN
        out.
    scheme : {"BIO", "IO", "IOBES", "BILOU", "BMES"} or None, default=None
        The prefixes that there may be; None, in lenient mode alone, allows all.
    mode : {"lenient", "strict"}, default="lenient"
        Whether all entities count, as in the shared tasks of CoNLL, or those that obey
        the scheme.
    invalid : {"accept", "raise"}, default="accept"
        Whether a broken entity is treated as `mode` says, or is an error.
    suffix : bool, default=False
        Whether the prefix comes last, such as in 'PER-B'.

    Returns
    -------
    precision : float or ndarray of shape (n_types,)
        The share of the predicted entities that are right.
    recall : float or ndarray of shape (n_types,)
        The share of the true entities that are found.
    fbeta_score : float or ndarray of shape (n_types,)
        The harmonic mean of both, by `beta`.
    support : None or ndarray of shape (n_types,)
        The number of true entities, or their weight; None with an average.

    Raises
    ------
    TypeError
        If an argument is no list of sequences, or a tag is no str.
    ValueError
        If there is no sequence, lengths differ, a sequence or a tag is missing, a tag
        has no prefix of the scheme, or breaks it with ``invalid="raise"``; or if a
        weight is negative or not finite, or all are 0.

    Warns
    -----
    UndefinedMetricWarning
        If a score is undefined and `zero_division` is "warn".

    See Also
    --------
    entity_classification_report : The same as a table.
    sklearn.metrics.precision_recall_fscore_support : Scores tags, not entities.

    References
    ----------
    .. [1] E. F. Tjong Kim Sang and F. De Meulder (2003). Introduction to the CoNLL-2003
       shared task: language-independent named entity recognition. CoNLL, 142-147.

    Examples
    --------
    >>> from skml.metrics import entity_precision_recall_fscore_support
    >>> y_true = [["B-PER", "I-PER", "O"], ["B-LOC", "O", "B-LOC"]]
    >>> y_pred = [["B-PER", "I-PER", "O"], ["B-LOC", "I-LOC", "B-LOC"]]
    >>> entity_precision_recall_fscore_support(y_true, y_pred)
    (array([0.5, 1. ]), array([0.5, 1. ]), array([0.5, 1. ]), array([2, 1]))
    >>> entity_precision_recall_fscore_support(y_true, y_pred, average="macro")
    (0.75, 0.75, 0.75, None)
    """
    reading = check_reading(scheme, mode, invalid, suffix)
    _, counts = _count(y_true, y_pred, labels, sample_weight, reading)
    scores = _scores(counts, average, zero_division, beta=beta)
    return *scores, counts[0] + counts[2] if average is None else None


@validate_params(_SCORE, prefer_skip_nested_validation=True)
def entity_f1_score(
    y_true,
    y_pred,
    *,
    labels=None,
    average="micro",
    sample_weight=None,
    zero_division="warn",
    scheme=None,
    mode="lenient",
    invalid="accept",
    suffix=False,
):
    """F1 of entities: the harmonic mean of their precision and recall.

    A predicted entity is right if there is a true one with the same first and last
    token and the same type. Read more in the :ref:`User Guide <entity_scores>`.

    Parameters
    ----------
    y_true : list of list of str
        The true tags of each sequence; see :func:`extract_entities`.
    y_pred : list of list of str
        The predicted tags of the same sequences.
    labels : list of str, default=None
        The types to score, in this order. None takes all that occur, sorted.
    average : {"micro", "macro", "weighted"} or None, default="micro"
        None scores each type; "micro" counts all entities together; "macro" is the mean
        over the types, "weighted" that by the numbers of true entities.
    sample_weight : array-like of shape (n_sequences,), default=None
        How often each sequence counts.
    zero_division : {"warn", 0.0, 1.0, np.nan}, default="warn"
        The score of a type that has no true and no predicted entity; "warn" is 0 with a
        warning. Averages leave NaN out.
    scheme : {"BIO", "IO", "IOBES", "BILOU", "BMES"} or None, default=None
        The prefixes that there may be; None, in lenient mode alone, allows all.
    mode : {"lenient", "strict"}, default="lenient"
        Whether all entities count, as in the shared tasks of CoNLL, or those that obey
        the scheme.
    invalid : {"accept", "raise"}, default="accept"
        Whether a broken entity is treated as `mode` says, or is an error.
    suffix : bool, default=False
        Whether the prefix comes last, such as in 'PER-B'.

    Returns
    -------
    score : float or ndarray of shape (n_types,)
        The score, in [0, 1]; of each type if `average` is None.

    Raises
    ------
    TypeError
        If an argument is no list of sequences, or a tag is no str.
    ValueError
        If there is no sequence, lengths differ, a sequence or a tag is missing, a tag
        has no prefix of the scheme, or breaks it with ``invalid="raise"``; or if a
        weight is negative or not finite, or all are 0.

    Warns
    -----
    UndefinedMetricWarning
        If the score is undefined and `zero_division` is "warn".

    See Also
    --------
    entity_precision_score : The share of the predicted entities that are right.
    entity_recall_score : The share of the true entities that are found.
    entity_classification_report : All scores as a table.

    References
    ----------
    .. [1] E. F. Tjong Kim Sang and F. De Meulder (2003). Introduction to the CoNLL-2003
       shared task: language-independent named entity recognition. CoNLL, 142-147.
    .. [2] L. A. Ramshaw and M. P. Marcus (1995). Text chunking using
       transformation-based learning. Third Workshop on Very Large Corpora, 82-94.

    Examples
    --------
    >>> from skml.metrics import entity_f1_score
    >>> y_true = [["B-PER", "I-PER", "O"], ["B-LOC", "O", "B-LOC"]]
    >>> y_pred = [["B-PER", "I-PER", "O"], ["B-LOC", "I-LOC", "O"]]
    >>> entity_f1_score(y_true, y_pred)
    0.4
    >>> entity_f1_score(y_true, y_pred, average=None)
    array([0., 1.])

    An entity that begins with I breaks the scheme BIO:

    >>> y_pred = [["I-PER", "I-PER", "O"], ["B-LOC", "O", "B-LOC"]]
    >>> entity_f1_score(y_true, y_pred)
    1.0
    >>> entity_f1_score(y_true, y_pred, scheme="BIO", mode="strict")
    0.8
    """
    reading = check_reading(scheme, mode, invalid, suffix)
    _, counts = _count(y_true, y_pred, labels, sample_weight, reading)
    scores = _scores(counts, average, zero_division, warn_for=("f1-score",))
    return scores[2]


@validate_params(_SCORE, prefer_skip_nested_validation=True)
def entity_precision_score(
    y_true,
    y_pred,
    *,
    labels=None,
    average="micro",
    sample_weight=None,
    zero_division="warn",
    scheme=None,
    mode="lenient",
    invalid="accept",
    suffix=False,
):
    """Precision of entities: the share of the predicted ones that are right.

    A predicted entity is right if there is a true one with the same first and last
    token and the same type. Read more in the :ref:`User Guide <entity_scores>`.

    Parameters
    ----------
    y_true : list of list of str
        The true tags of each sequence; see :func:`extract_entities`.
    y_pred : list of list of str
        The predicted tags of the same sequences.
    labels : list of str, default=None
        The types to score, in this order. None takes all that occur, sorted.
    average : {"micro", "macro", "weighted"} or None, default="micro"
        None scores each type; "micro" counts all entities together; "macro" is the mean
        over the types, "weighted" that by the numbers of true entities.
    sample_weight : array-like of shape (n_sequences,), default=None
        How often each sequence counts.
    zero_division : {"warn", 0.0, 1.0, np.nan}, default="warn"
        The score of a type that has no predicted entity; "warn" is 0 with a
        warning. Averages leave NaN out.
    scheme : {"BIO", "IO", "IOBES", "BILOU", "BMES"} or None, default=None
        The prefixes that there may be; None, in lenient mode alone, allows all.
    mode : {"lenient", "strict"}, default="lenient"
        Whether all entities count, as in the shared tasks of CoNLL, or those that obey
        the scheme.
    invalid : {"accept", "raise"}, default="accept"
        Whether a broken entity is treated as `mode` says, or is an error.
    suffix : bool, default=False
        Whether the prefix comes last, such as in 'PER-B'.

    Returns
    -------
    score : float or ndarray of shape (n_types,)
        The score, in [0, 1]; of each type if `average` is None.

    Raises
    ------
    TypeError
        If an argument is no list of sequences, or a tag is no str.
    ValueError
        If there is no sequence, lengths differ, a sequence or a tag is missing, a tag
        has no prefix of the scheme, or breaks it with ``invalid="raise"``; or if a
        weight is negative or not finite, or all are 0.

    Warns
    -----
    UndefinedMetricWarning
        If the score is undefined and `zero_division` is "warn".

    See Also
    --------
    entity_f1_score : The harmonic mean of precision and recall.
    entity_recall_score : The share of the true entities that are found.
    entity_classification_report : All scores as a table.

    References
    ----------
    .. [1] E. F. Tjong Kim Sang and F. De Meulder (2003). Introduction to the CoNLL-2003
       shared task: language-independent named entity recognition. CoNLL, 142-147.

    Examples
    --------
    >>> from skml.metrics import entity_precision_score
    >>> y_true = [["B-PER", "I-PER", "O"], ["B-LOC", "O", "B-LOC"]]
    >>> y_pred = [["B-PER", "I-PER", "O"], ["B-LOC", "I-LOC", "O"]]
    >>> entity_precision_score(y_true, y_pred)
    0.5
    """
    reading = check_reading(scheme, mode, invalid, suffix)
    _, counts = _count(y_true, y_pred, labels, sample_weight, reading)
    scores = _scores(counts, average, zero_division, warn_for=("precision",))
    return scores[0]


@validate_params(_SCORE, prefer_skip_nested_validation=True)
def entity_recall_score(
    y_true,
    y_pred,
    *,
    labels=None,
    average="micro",
    sample_weight=None,
    zero_division="warn",
    scheme=None,
    mode="lenient",
    invalid="accept",
    suffix=False,
):
    """Recall of entities: the share of the true ones that are found.

    A predicted entity is right if there is a true one with the same first and last
    token and the same type. Read more in the :ref:`User Guide <entity_scores>`.

    Parameters
    ----------
    y_true : list of list of str
        The true tags of each sequence; see :func:`extract_entities`.
    y_pred : list of list of str
        The predicted tags of the same sequences.
    labels : list of str, default=None
        The types to score, in this order. None takes all that occur, sorted.
    average : {"micro", "macro", "weighted"} or None, default="micro"
        None scores each type; "micro" counts all entities together; "macro" is the mean
        over the types, "weighted" that by the numbers of true entities.
    sample_weight : array-like of shape (n_sequences,), default=None
        How often each sequence counts.
    zero_division : {"warn", 0.0, 1.0, np.nan}, default="warn"
        The score of a type that has no true entity; "warn" is 0 with a
        warning. Averages leave NaN out.
    scheme : {"BIO", "IO", "IOBES", "BILOU", "BMES"} or None, default=None
        The prefixes that there may be; None, in lenient mode alone, allows all.
    mode : {"lenient", "strict"}, default="lenient"
        Whether all entities count, as in the shared tasks of CoNLL, or those that obey
        the scheme.
    invalid : {"accept", "raise"}, default="accept"
        Whether a broken entity is treated as `mode` says, or is an error.
    suffix : bool, default=False
        Whether the prefix comes last, such as in 'PER-B'.

    Returns
    -------
    score : float or ndarray of shape (n_types,)
        The score, in [0, 1]; of each type if `average` is None.

    Raises
    ------
    TypeError
        If an argument is no list of sequences, or a tag is no str.
    ValueError
        If there is no sequence, lengths differ, a sequence or a tag is missing, a tag
        has no prefix of the scheme, or breaks it with ``invalid="raise"``; or if a
        weight is negative or not finite, or all are 0.

    Warns
    -----
    UndefinedMetricWarning
        If the score is undefined and `zero_division` is "warn".

    See Also
    --------
    entity_f1_score : The harmonic mean of precision and recall.
    entity_precision_score : The share of the predicted entities that are right.
    entity_classification_report : All scores as a table.

    References
    ----------
    .. [1] E. F. Tjong Kim Sang and F. De Meulder (2003). Introduction to the CoNLL-2003
       shared task: language-independent named entity recognition. CoNLL, 142-147.

    Examples
    --------
    >>> from skml.metrics import entity_recall_score
    >>> y_true = [["B-PER", "I-PER", "O"], ["B-LOC", "O", "O", "B-LOC"]]
    >>> y_pred = [["B-PER", "I-PER", "O"], ["B-LOC", "I-LOC", "O", "B-LOC"]]
    >>> entity_recall_score(y_true, y_pred, average="macro")
    0.75
    """
    reading = check_reading(scheme, mode, invalid, suffix)
    _, counts = _count(y_true, y_pred, labels, sample_weight, reading)
    scores = _scores(counts, average, zero_division, warn_for=("recall",))
    return scores[1]


@validate_params(
    {
        **_COUNTS,
        **_DIVISION,
        **TAGS,
        "digits": [Interval(Integral, 0, None, closed="left")],
        "output_dict": ["boolean"],
    },
    prefer_skip_nested_validation=True,
)
def entity_classification_report(
    y_true,
    y_pred,
    *,
    labels=None,
    sample_weight=None,
    digits=2,
    output_dict=False,
    zero_division="warn",
    scheme=None,
    mode="lenient",
    invalid="accept",
    suffix=False,
):
    """Precision, recall and F1 of entities, by type and averaged, as a table.

    A predicted entity is right if there is a true one with the same first and last
    token and the same type. Read more in the :ref:`User Guide <entity_scores>`.

    Parameters
    ----------
    y_true : list of list of str
        The true tags of each sequence; see :func:`extract_entities`.
    y_pred : list of list of str
        The predicted tags of the same sequences.
    labels : list of str, default=None
        The types to score, in this order. None takes all that occur, sorted.
    sample_weight : array-like of shape (n_sequences,), default=None
        How often each sequence counts.
    digits : int, default=2
        Digits behind the point; without effect on the dict.
    output_dict : bool, default=False
        Whether to return a dict.
    zero_division : {"warn", 0.0, 1.0, np.nan}, default="warn"
        The value of what is undefined; "warn" is 0 with a warning. Averages leave NaN
        out.
    scheme : {"BIO", "IO", "IOBES", "BILOU", "BMES"} or None, default=None
        The prefixes that there may be; None, in lenient mode alone, allows all.
    mode : {"lenient", "strict"}, default="lenient"
        Whether all entities count, as in the shared tasks of CoNLL, or those that obey
        the scheme.
    invalid : {"accept", "raise"}, default="accept"
        Whether a broken entity is treated as `mode` says, or is an error.
    suffix : bool, default=False
        Whether the prefix comes last, such as in 'PER-B'.

    Returns
    -------
    report : str or dict
        The table; or for each type and each average, "micro avg", "macro avg" and
        "weighted avg", a dict of "precision", "recall", "f1-score" and "support".

    Raises
    ------
    TypeError
        If an argument is no list of sequences, or a tag is no str.
    ValueError
        If there is no sequence, lengths differ, a sequence or a tag is missing, a tag
        has no prefix of the scheme, or breaks it with ``invalid="raise"``; or if a
        weight is negative or not finite, or all are 0.

    Warns
    -----
    UndefinedMetricWarning
        If a score is undefined and `zero_division` is "warn".

    See Also
    --------
    entity_precision_recall_fscore_support : The same as arrays.
    sklearn.metrics.classification_report : Reports on tags, not on entities.

    References
    ----------
    .. [1] E. F. Tjong Kim Sang and F. De Meulder (2003). Introduction to the CoNLL-2003
       shared task: language-independent named entity recognition. CoNLL, 142-147.

    Examples
    --------
    >>> from skml.metrics import entity_classification_report
    >>> y_true = [["B-PER", "I-PER", "O"], ["B-LOC", "O", "B-LOC"]]
    >>> y_pred = [["B-PER", "I-PER", "O"], ["B-LOC", "I-LOC", "B-LOC"]]
    >>> print(entity_classification_report(y_true, y_pred))
                  precision    recall  f1-score   support
    <BLANKLINE>
             LOC       0.50      0.50      0.50         2
             PER       1.00      1.00      1.00         1
    <BLANKLINE>
       micro avg       0.67      0.67      0.67         3
       macro avg       0.75      0.75      0.75         3
    weighted avg       0.67      0.67      0.67         3
    <BLANKLINE>
    """
    reading = check_reading(scheme, mode, invalid, suffix)
    labels, counts = _count(y_true, y_pred, labels, sample_weight, reading)
    by_type = _scores(counts, None, zero_division)
    support = counts[0] + counts[2]
    rows = dict(zip(labels, zip(*by_type, support, strict=True), strict=True))
    averages = {}
    for average in ("micro", "macro", "weighted"):
        scores = _scores(counts, average, zero_division)
        averages[f"{average} avg"] = (*scores, support.sum())
    if not output_dict:
        return _table(rows, averages, digits)
    return {
        name: dict(zip(_COLUMNS, map(float, row), strict=True))
        for name, row in chain(rows.items(), averages.items())
    }
