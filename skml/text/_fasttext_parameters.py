"""Parameters of FastTextClassifier that declared constraints cannot check."""

from dataclasses import dataclass

import numpy as np
from sklearn.utils.multiclass import unique_labels

from skml.text._analysis import check_ngram_range, refuse_set
from skml.text._subwords import MOST_BUCKETS, check_subwords


@dataclass(frozen=True)
class NgramSettings:
    """Which n-grams there are; fitted values have attributes of the same names."""

    word_ngrams: int
    subwords: tuple | None
    n_buckets: int
    end_of_line: bool = True


def ngram_settings(estimator):
    """The n-grams that the parameters ask for."""
    subwords = estimator.subwords
    if subwords is not None:
        subwords = tuple(int(n) for n in subwords)
    # No document has longer ones.
    word_ngrams = min(int(estimator.ngram_range[1]), MOST_BUCKETS)
    has_ngrams = word_ngrams > 1 or subwords is not None
    n_buckets = int(estimator.n_buckets) if has_ngrams else 0
    return NgramSettings(word_ngrams, subwords, n_buckets)


def check_parameters(estimator):
    """Refuse parameters that do not go together."""
    caller = type(estimator).__name__
    check_ngram_range(estimator.ngram_range, caller)
    if estimator.ngram_range[0] != 1:
        raise ValueError(
            f"{caller}: ngram_range={estimator.ngram_range!r} leaves out single words; "
            "the first number must be 1."
        )
    if estimator.subwords is not None:
        check_subwords(
            estimator,
            "Leave it at its default, None, and use ngram_range for n-grams of "
            "characters.",
        )
    if estimator.ngram_range[1] == 1 and estimator.subwords is None:
        reason = "ngram_range=(1, 1) and subwords=None leave no n-grams"
        refuse_set(estimator, ("n_buckets",), reason)
    vectors = estimator.pretrained_vectors
    if vectors is not None and vectors.vector_size != estimator.vector_size:
        raise ValueError(
            f"{caller}: pretrained_vectors have {vectors.vector_size} dimensions and "
            f"vector_size={estimator.vector_size!r}; they must agree."
        )


def check_partial_fit(estimator, classes, previous):
    """Refuse what needs all documents at once, or is other than it was before."""
    caller = type(estimator).__name__
    for name, is_refused, reason in (
        ("early_stopping", estimator.early_stopping is True, "documents are held out"),
        (
            "class_weight",
            estimator.class_weight == "balanced",
            "classes are weighed by their frequencies",
        ),
        (
            "loss",
            estimator.loss == "hierarchical-softmax" and previous is None,
            "the tree of classes is built",
        ),
    ):
        if is_refused:
            raise ValueError(
                f"{caller}: partial_fit is not for "
                f"{name}={getattr(estimator, name)!r}: {reason} once all documents are "
                "there. Use fit, or leave it at its default."
            )
    if previous is None:
        if classes is None:
            raise ValueError(
                f"{caller}: classes must be passed on the first call of partial_fit: "
                "all labels that y can have in any call."
            )
        return
    settings = ngram_settings(estimator)
    now = {
        "vector_size": (estimator.vector_size, previous.vector_size),
        "loss": (estimator.loss, previous.loss),
        "ngram_range": (settings.word_ngrams, previous.word_ngrams),
        "subwords": (settings.subwords, previous.subwords),
        "n_buckets": (settings.n_buckets, previous.n_buckets),
    }
    for name, (wanted, there) in now.items():
        if wanted != there:
            raise ValueError(
                f"{caller}: {name}={getattr(estimator, name)!r}, and what was learned "
                f"before has {there!r}. Set it back to continue, or begin anew with "
                "fit."
            )


def check_classes(estimator, classes, previous):
    """All classes, sorted; they are the same in each call."""
    known = None if previous is None else previous.classes_
    if classes is None:
        return known
    given = unique_labels(classes)
    # Columns are in the order of the classes, which must not be another one.
    if known is not None and previous.is_multilabel:
        given = np.asarray(classes)
    if known is not None and not np.array_equal(given, known):
        raise ValueError(
            f"{type(estimator).__name__}: classes={given.tolist()!r:.200}, and those "
            f"of the first call are {known.tolist()!r:.200}. Pass the same, or none."
        )
    return given
