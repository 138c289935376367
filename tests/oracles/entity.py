"""Entities in tags and their scores, slow and plain: one tag after the other."""

import math

FIRST = {"BIO": "B", "IO": "I", "IOBES": "BS", "BILOU": "UB"}
LAST = {"BIO": "BI", "IO": "I", "IOBES": "ES", "BILOU": "LU"}


def split(tag, suffix=False):
    """The prefix and the type of a tag."""
    if suffix:
        return tag[-1], tag[:-2] or "_"
    return tag[0], tag[2:] or "_"


def entities(tags, scheme=None, mode="lenient", suffix=False):
    """A list of (type, start, stop) of one sequence."""
    found = []
    current = None  # type, start, first prefix, last prefix

    def close(stop):
        if current is None:
            return
        kind, start, first, last = current
        if mode == "lenient" or (first in FIRST[scheme] and last in LAST[scheme]):
            found.append((kind, start, stop))

    for position, tag in enumerate(tags):
        prefix, kind = split(tag, suffix)
        if (
            current is not None
            and prefix in "IEL"
            and kind == current[0]
            and current[3] in "BI"
        ):
            current = (*current[:3], prefix)
            continue
        close(position)
        current = None if prefix == "O" else (kind, position, prefix, prefix)
    close(len(tags))
    return found


def first_break(tags, scheme):
    """The position of the first tag that breaks the scheme; None if there is none."""
    for position, tag in enumerate(tags):
        prefix, kind = split(tag)
        if prefix == "O":
            continue
        before = split(tags[position - 1]) if position else ("O", "_")
        behind = split(tags[position + 1]) if position + 1 < len(tags) else ("O", "_")
        continues = prefix in "IEL" and before[0] in "BI" and before[1] == kind
        goes_on = prefix in "BI" and behind[0] in "IEL" and behind[1] == kind
        if not continues and prefix not in FIRST[scheme]:
            return position
        if not goes_on and prefix not in LAST[scheme]:
            return position
    return None


def divide(numerator, denominator, zero_division):
    return numerator / denominator if denominator else zero_division


def scores(y_true, y_pred, average, zero_division=0.0, sample_weight=None, **reading):
    """Precision, recall and F1: numbers, or a dict by type if average is None."""
    counts = {}
    if sample_weight is None:
        sample_weight = [1] * len(y_true)
    for tags_true, tags_pred, weight in zip(y_true, y_pred, sample_weight, strict=True):
        true, pred = entities(tags_true, **reading), entities(tags_pred, **reading)
        for entity in {*true, *pred}:
            of_kind = counts.setdefault(entity[0], [0, 0, 0])
            of_kind[0] += weight * (entity in true and entity in pred)
            of_kind[1] += weight * (entity in pred)
            of_kind[2] += weight * (entity in true)
    counts = {kind: counts[kind] for kind in sorted(counts) if any(counts[kind])}
    if average == "micro":
        pooled = [sum(column) for column in zip(*counts.values(), strict=True)]
        return three(pooled or [0, 0, 0], zero_division)
    by_kind = {kind: three(count, zero_division) for kind, count in counts.items()}
    if average is None:
        return by_kind
    shares = [1 if average == "macro" else count[2] for count in counts.values()]
    return (
        tuple(mean(column, shares) for column in zip(*by_kind.values(), strict=True))
        or (zero_division,) * 3
    )


def three(count, zero_division):
    found, predicted, true = count
    return (
        divide(found, predicted, zero_division),
        divide(found, true, zero_division),
        divide(2 * found, predicted + true, zero_division),
    )


def mean(values, shares):
    """The weighted mean without NaN; the plain one if nothing has a share."""
    kept = [
        (value, share)
        for value, share in zip(values, shares, strict=True)
        if not math.isnan(value)
    ]
    if not kept:
        return math.nan
    total = sum(share for _, share in kept)
    if total == 0:
        return sum(value for value, _ in kept) / len(kept)
    return sum(value * share for value, share in kept) / total
