"""Precision, recall and F1 of predicted entities."""

from collections.abc import Sequence
from numbers import Real
from typing import Literal

from skml._compat.sklearn import Interval, StrOptions, validate_params
from skml._typing import ArrayLike, Sentences
from skml.metrics._entity_counts import (
    COUNT_OPTIONS,
    DIVISION_OPTIONS,
    count_entities,
    entity_scores,
)
from skml.metrics._entity_tags import TAGS, check_reading

_AVERAGE = {"average": [StrOptions({"micro", "macro", "weighted"}), None]}
_SCORE = {**COUNT_OPTIONS, **_AVERAGE, **DIVISION_OPTIONS, **TAGS}


@validate_params(
    _SCORE | {"beta": [Interval(Real, 0, None, closed="both")]},
    prefer_skip_nested_validation=True,
)
def entity_precision_recall_fscore_support(
    y_true: Sentences,
    y_pred: Sentences,
    *,
    beta: float = 1.0,
    labels: Sequence[str] | None = None,
    average: Literal["micro", "macro", "weighted"] | None = None,
    sample_weight: ArrayLike | None = None,
    zero_division: Literal["warn"] | float = "warn",
    scheme: Literal["BIO", "IO", "IOBES", "BILOU", "BMES"] | None = None,
    mode: Literal["lenient", "strict"] = "lenient",
    invalid: Literal["accept", "raise"] = "accept",
    suffix: bool = False,
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
        Whether a broken entity is treated according to `mode`, or is an error.
    suffix : bool, default=False
        Whether the prefix comes last, such as in 'PER-B'.

    Returns
    -------
    precision : float or ndarray of shape (n_types,)
        The fraction of the predicted entities that are right.
    recall : float or ndarray of shape (n_types,)
        The fraction of the true entities that are found.
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
    _, counts = count_entities(y_true, y_pred, labels, sample_weight, reading)
    scores = entity_scores(counts, average, zero_division, beta=beta)
    return *scores, counts[0] + counts[2] if average is None else None


@validate_params(_SCORE, prefer_skip_nested_validation=True)
def entity_f1_score(
    y_true: Sentences,
    y_pred: Sentences,
    *,
    labels: Sequence[str] | None = None,
    average: Literal["micro", "macro", "weighted"] | None = "micro",
    sample_weight: ArrayLike | None = None,
    zero_division: Literal["warn"] | float = "warn",
    scheme: Literal["BIO", "IO", "IOBES", "BILOU", "BMES"] | None = None,
    mode: Literal["lenient", "strict"] = "lenient",
    invalid: Literal["accept", "raise"] = "accept",
    suffix: bool = False,
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
        Whether a broken entity is treated according to `mode`, or is an error.
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
    entity_precision_score : The fraction of the predicted entities that are right.
    entity_recall_score : The fraction of the true entities that are found.
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
    _, counts = count_entities(y_true, y_pred, labels, sample_weight, reading)
    scores = entity_scores(counts, average, zero_division, warn_for=("f1-score",))
    return scores[2]


@validate_params(_SCORE, prefer_skip_nested_validation=True)
def entity_precision_score(
    y_true: Sentences,
    y_pred: Sentences,
    *,
    labels: Sequence[str] | None = None,
    average: Literal["micro", "macro", "weighted"] | None = "micro",
    sample_weight: ArrayLike | None = None,
    zero_division: Literal["warn"] | float = "warn",
    scheme: Literal["BIO", "IO", "IOBES", "BILOU", "BMES"] | None = None,
    mode: Literal["lenient", "strict"] = "lenient",
    invalid: Literal["accept", "raise"] = "accept",
    suffix: bool = False,
):
    """Precision of entities: the fraction of predicted ones that are right.

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
        Whether a broken entity is treated according to `mode`, or is an error.
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
    entity_recall_score : The fraction of the true entities that are found.
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
    _, counts = count_entities(y_true, y_pred, labels, sample_weight, reading)
    scores = entity_scores(counts, average, zero_division, warn_for=("precision",))
    return scores[0]


@validate_params(_SCORE, prefer_skip_nested_validation=True)
def entity_recall_score(
    y_true: Sentences,
    y_pred: Sentences,
    *,
    labels: Sequence[str] | None = None,
    average: Literal["micro", "macro", "weighted"] | None = "micro",
    sample_weight: ArrayLike | None = None,
    zero_division: Literal["warn"] | float = "warn",
    scheme: Literal["BIO", "IO", "IOBES", "BILOU", "BMES"] | None = None,
    mode: Literal["lenient", "strict"] = "lenient",
    invalid: Literal["accept", "raise"] = "accept",
    suffix: bool = False,
):
    """Recall of entities: the fraction of true ones that are found.

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
        Whether a broken entity is treated according to `mode`, or is an error.
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
    entity_precision_score : The fraction of the predicted entities that are right.
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
    _, counts = count_entities(y_true, y_pred, labels, sample_weight, reading)
    scores = entity_scores(counts, average, zero_division, warn_for=("recall",))
    return scores[1]
