"""Sentences and their references, checked; statistics of them that add up."""

from importlib.metadata import version
from itertools import chain
from numbers import Real
from typing import NamedTuple

import numpy as np

from skml._validation import check_documents, is_missing


class Corpus(NamedTuple):
    """Sentences and their references, checked."""

    predictions: list
    references: list
    is_text: bool

    @property
    def n_references(self):
        """The number of references of each sentence."""
        return np.array(list(map(len, self.references)), dtype=np.int64)

    def segments(self):
        """Yield each sentence, and behind it its references."""
        for prediction, references in zip(
            self.predictions, self.references, strict=True
        ):
            yield prediction
            yield from references


def check_corpus(y_true, y_pred, *, caller, multi_reference):
    """Check sentences and their references: all strings, or all lists of tokens."""
    predictions, references = (
        # A reference may stand in a list of its own.
        [
            *map(
                _plain,
                check_documents(y, caller=f"{name} of {caller}", allow_rows=True),
            )
        ]
        for name, y in (("y_pred", y_pred), ("y_true", y_true))
    )
    if len(predictions) != len(references):
        raise ValueError(
            f"y_true has {len(references)} items and y_pred {len(predictions)}; "
            f"{caller} compares them one by one."
        )
    if not predictions:
        raise ValueError(f"y_true and y_pred are empty; {caller} needs one sentence.")
    is_text = isinstance(predictions[0], str)
    for position, prediction in enumerate(predictions):
        if isinstance(prediction, str) != is_text:
            raise TypeError(
                f"item 0 of y_pred is a {_kind(predictions[0])}, and item {position} "
                f"a {_kind(prediction)}; all must be str, or all lists of tokens."
            )
    if multi_reference:
        references = [
            _check_references(item, position, is_text)
            for position, item in enumerate(references)
        ]
    else:
        for position, item in enumerate(references):
            _check_reference(item, position, is_text)
        references = [[item] for item in references]
    corpus = Corpus(predictions, references, is_text)
    if not is_text:
        _check_tokens(corpus, multi_reference)
    return corpus


def _plain(item):
    return item if isinstance(item, (str, list, tuple)) else list(item)


def _kind(item):
    return "str" if isinstance(item, str) else type(item).__name__


def _check_reference(item, position, is_text):
    """One reference of a sentence must be of the kind of the sentences."""
    if isinstance(item, str) == is_text:
        return
    if is_text:
        raise TypeError(
            f"item {position} of y_true is a {_kind(item)}, {item!r:.60}, where y_pred "
            "holds str. If it is a list of references, set multi_reference=True; if it "
            "holds tokens, y_pred must hold lists of tokens too."
        )
    raise TypeError(
        f"item {position} of y_true is a str, {item!r:.60}, where y_pred holds lists "
        "of tokens; split it into tokens, or pass y_pred as str."
    )


def _check_references(item, position, is_text):
    """The references of one sentence, as a list."""
    if isinstance(item, str):
        raise TypeError(
            f"item {position} of y_true is a str, {item!r:.60}; with "
            "multi_reference=True it must be a list of references. Put it into a list, "
            "or set multi_reference=False."
        )
    if not len(item):
        raise ValueError(
            f"item {position} of y_true is an empty list; a sentence needs one "
            "reference at least."
        )
    expected = "a str" if is_text else "a list of tokens"
    for number, reference in enumerate(item):
        where = f"reference {number} of item {position} of y_true"
        if is_missing(reference):
            raise ValueError(f"{where} is missing ({reference!r}); leave it out.")
        is_list = isinstance(reference, (list, tuple, np.ndarray))
        if not (isinstance(reference, str) if is_text else is_list):
            raise TypeError(
                f"{where} is {reference!r:.60} ({_kind(reference)}); expected "
                f"{expected}, as y_pred holds."
            )
    return list(item)


def _check_tokens(corpus, multi_reference):
    kinds = set(map(type, chain.from_iterable(corpus.segments())))
    if all(issubclass(kind, str) for kind in kinds):
        return
    for position, (prediction, references) in enumerate(
        zip(corpus.predictions, corpus.references, strict=True)
    ):
        for name, tokens in (
            ("y_pred", prediction),
            *(("y_true", r) for r in references),
        ):
            wrong = [token for token in tokens if not isinstance(token, str)]
            if wrong:
                _refuse_token(wrong[0], name, position, multi_reference)


def _refuse_token(token, name, position, multi_reference):
    error = ValueError if is_missing(token) else TypeError
    message = (
        f"item {position} of {name} holds {token!r:.60} ({type(token).__name__}) where "
        "a token must be a str."
    )
    if name == "y_true" and not multi_reference and isinstance(token, (list, tuple)):
        message += " If it is a list of references, set multi_reference=True."
    raise error(message)


def check_sample_weight(sample_weight, n_samples, sample="sentence"):
    """Check `sample_weight`, of which `sample` names one; None stays None."""
    if sample_weight is None:
        return None
    weights = np.asarray(sample_weight)
    if weights.ndim == 1 and weights.dtype.kind == "O":
        weights = _as_floats(weights, sample)
    if weights.ndim != 1 or weights.dtype.kind not in "biuf":
        raise ValueError(
            f"sample_weight must be a number for each {sample}; got the shape "
            f"{weights.shape} and the dtype {weights.dtype}."
        )
    if len(weights) != n_samples:
        raise ValueError(
            f"sample_weight has {len(weights)} numbers for {n_samples} {sample}s."
        )
    wrong = np.flatnonzero(~(np.isfinite(weights) & (weights >= 0)))
    if len(wrong):
        raise ValueError(
            f"the weight of {sample} {wrong[0]} is {weights[wrong[0]]}; sample_weight "
            "must be finite and not negative."
        )
    if not weights.any():
        raise ValueError(f"sample_weight is zero for all {sample}s; one must count.")
    return weights


def _as_floats(weights, sample):
    """Weights in an array of objects, which must be numbers."""
    for position, weight in enumerate(weights):
        if not isinstance(weight, (Real, np.bool_)):
            raise ValueError(
                f"the weight of {sample} {position} is {weight!r:.60}; expected a "
                "number."
            )
    return weights.astype(float)


def add_up(statistics, sample_weight):
    """The weighted sum of statistics; integers as long as all weights are."""
    weights = check_sample_weight(sample_weight, len(statistics))
    if weights is None:
        return statistics.sum(axis=0)
    # Whole numbers below 2**53 are exact.
    sums = weights.astype(float) @ statistics
    is_whole = statistics.dtype.kind in "iu" and (weights == np.floor(weights)).all()
    return sums.astype(np.int64) if is_whole else sums


def check_statistics(statistics, columns, is_right):
    """Check an array of statistics; a single row makes a table."""
    statistics = np.atleast_2d(np.asarray(statistics))
    if statistics.ndim != 2 or statistics.dtype.kind not in "iuf":
        raise ValueError(
            "statistics must be a table of numbers with a row for each sentence; got "
            f"the shape {statistics.shape} and the dtype {statistics.dtype}."
        )
    if not is_right(statistics.shape[1]):
        raise ValueError(
            f"statistics must have {columns} columns; got {statistics.shape[1]}."
        )
    if not len(statistics):
        raise ValueError("statistics is empty; it needs one sentence.")
    # No number is below zero if the least is not; the test is false for NaN.
    if not (statistics.min() >= 0 and np.isfinite(statistics.max())):
        raise ValueError("statistics must be finite and not negative.")
    return statistics


def make_signature(n_references, fields):
    """What made a score, in the form of sacrebleu's signatures."""
    numbers = np.unique(n_references)
    fields = {"nrefs": numbers[0] if len(numbers) == 1 else "var", **fields}
    fields["version"] = f"skml-{version('skml')}"
    return "|".join(f"{name}:{value}" for name, value in fields.items())
