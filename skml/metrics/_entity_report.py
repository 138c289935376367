"""A report on predicted entities, type by type."""

from collections.abc import Sequence
from itertools import chain
from numbers import Integral
from typing import Literal

from skml._compat.sklearn import Interval, validate_params
from skml._typing import ArrayLike, Sentences
from skml.metrics._entity_counts import (
    COLUMNS,
    COUNT_OPTIONS,
    DIVISION_OPTIONS,
    count_entities,
    entity_scores,
)
from skml.metrics._entity_tags import TAGS, check_reading


def _table(rows, averages, digits):
    """A text table, as that of scikit-learn's classification_report."""
    width = max(digits, *map(len, [*rows, *averages]))
    head = f"{'':>{width}} " + "".join(f" {name:>9}" for name in COLUMNS)
    lines = [head, ""]
    for part in (rows, averages):
        for name, (*scores, support) in part.items():
            cells = "".join(f" {score:>9.{digits}f}" for score in scores)
            lines.append(f"{name:>{width}} {cells} {support:>9}")
        lines.append("")
    return "\n".join(lines)


@validate_params(
    COUNT_OPTIONS
    | DIVISION_OPTIONS
    | TAGS
    | {
        "digits": [Interval(Integral, 0, None, closed="left")],
        "output_dict": ["boolean"],
    },
    prefer_skip_nested_validation=True,
)
def entity_classification_report(
    y_true: Sentences,
    y_pred: Sentences,
    *,
    labels: Sequence[str] | None = None,
    sample_weight: ArrayLike | None = None,
    digits: int = 2,
    output_dict: bool = False,
    zero_division: Literal["warn"] | float = "warn",
    scheme: Literal["BIO", "IO", "IOBES", "BILOU", "BMES"] | None = None,
    mode: Literal["lenient", "strict"] = "lenient",
    invalid: Literal["accept", "raise"] = "accept",
    suffix: bool = False,
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
        Whether a broken entity is treated according to `mode`, or is an error.
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
    labels, counts = count_entities(y_true, y_pred, labels, sample_weight, reading)
    by_type = entity_scores(counts, None, zero_division)
    support = counts[0] + counts[2]
    rows = dict(zip(labels, zip(*by_type, support, strict=True), strict=True))
    averages = {}
    for average in ("micro", "macro", "weighted"):
        scores = entity_scores(counts, average, zero_division)
        averages[f"{average} avg"] = (*scores, support.sum())
    if not output_dict:
        return _table(rows, averages, digits)
    return {
        name: dict(zip(COLUMNS, map(float, row), strict=True))
        for name, row in chain(rows.items(), averages.items())
    }
