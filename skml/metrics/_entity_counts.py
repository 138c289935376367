"""Counts of true and predicted entities, and precision, recall and F1 of them."""

import warnings
from numbers import Real

import numpy as np
from sklearn.exceptions import UndefinedMetricWarning

from skml._compat.sklearn import Options, StrOptions
from skml.metrics._entity_tags import check_lengths, find_entities, read_sequences
from skml.metrics._translations import check_sample_weight

COLUMNS = ("precision", "recall", "f1-score", "support")
COUNT_OPTIONS = {"labels": ["array-like", None], "sample_weight": ["array-like", None]}
DIVISION_OPTIONS = {
    "zero_division": [StrOptions({"warn"}), Options(Real, {0.0, 1.0}), "nan"]
}


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


def count_entities(y_true, y_pred, labels, sample_weight, reading):
    """The types, and how many of each are found, invented and missed."""
    given = labels if labels is None else _check_labels(labels)
    y_true, lengths = read_sequences(y_true, "y_true")
    y_pred, lengths_pred = read_sequences(y_pred, "y_pred")
    check_lengths(lengths, lengths_pred)
    weights = check_sample_weight(sample_weight, len(lengths), "sequence")
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


def entity_scores(counts, average, zero_division, *, beta=1.0, warn_for=COLUMNS[:3]):
    """Precision, recall and F-score, defined and averaged as in scikit-learn."""
    if average == "micro" or (average is not None and counts.shape[1] == 0):
        counts = counts.sum(axis=1, keepdims=True)
    true_positives, false_positives, false_negatives = counts
    predicted = true_positives + false_positives
    true = true_positives + false_negatives
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
        scores.append(np.divide(true_positives, whole, out=filled, where=whole > 0))
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
