"""Pairs of documents for translators: read, and turned into ids."""

import numpy as np

from skml._fitting import warn_user
from skml.neural._codec import END, START, read_documents

KINDS = {"text": "text", "tokens": "lists of tokens"}


def read_side(X, what, caller, expected=None):
    """Documents of X or y, and of which kind; that of `fit`, if it is known."""
    documents, kind = read_documents(X, caller, what)
    if None not in (kind, expected) and kind != expected:
        raise ValueError(
            f"{caller}: {what} has {KINDS[kind]}; in fit it had {KINDS[expected]}."
        )
    return documents, kind


def read_pairs(X, y, caller, kinds=(None, None)):
    """Sources, as many targets, and the kinds of both; those of `fit`, if known."""
    sources, source_kind = read_side(X, "X", caller, kinds[0])
    if y is None:
        raise ValueError(f"{caller} requires y to be passed, but the target y is None.")
    targets, target_kind = read_side(y, "y", caller, kinds[1])
    if len(sources) != len(targets):
        raise ValueError(
            f"{caller}: X has {len(sources)} document(s), and y has {len(targets)}; "
            "expected one target for each source."
        )
    return sources, targets, (source_kind, target_kind)


def encode_pairs(sources, targets, vocabularies, max_length, caller):
    """Ids of pairs, with their ends; those that are too long are left out."""
    sources = vocabularies[0].encode(sources)
    targets = vocabularies[1].encode(targets)
    for position, ids in enumerate(targets):
        if len(ids) == 0:
            raise ValueError(
                f"{caller}, y: document {position} is empty; there is nothing to learn "
                "from it. Drop the pair."
            )
    lengths = np.maximum(list(map(len, sources)), list(map(len, targets)))
    is_short = lengths <= max_length
    if not is_short.any():
        raise ValueError(
            f"{caller}: all pairs have more tokens than max_length={max_length!r}; the "
            f"first has {lengths[0]}. Raise max_length."
        )
    if not is_short.all():
        first = int(np.argmin(is_short))
        warn_user(
            f"{caller}: {np.sum(~is_short)} pair(s) are left out, which have more "
            f"tokens than max_length={max_length!r}; the first is document {first}, "
            f"with {lengths[first]}."
        )
    positions = np.flatnonzero(is_short)
    return (
        with_end([sources[i] for i in positions]),
        with_both_ends([targets[i] for i in positions]),
    )


def encode_sources(documents, vocabulary, max_length, caller):
    """Ids of sources, with their ends; what is too long is cut, with a warning."""
    sources = vocabulary.encode(documents)
    too_long = [i for i, ids in enumerate(sources) if len(ids) > max_length]
    if too_long:
        warn_user(
            f"{caller}: {len(too_long)} document(s) have more tokens than "
            f"max_length={max_length!r} and were truncated; the first is document "
            f"{too_long[0]}, with {len(sources[too_long[0]])}."
        )
    return with_end([ids[:max_length] for ids in sources])


def encode_targets(documents, vocabulary, max_length, caller):
    """Ids of targets, with both ends; what is too long is refused."""
    targets = vocabulary.encode(documents)
    for position, ids in enumerate(targets):
        if len(ids) > max_length:
            raise ValueError(
                f"{caller}, y: document {position} has {len(ids)} tokens, more than "
                f"max_length={max_length!r}. Cut or drop it."
            )
    return with_both_ends(targets)


def with_end(sequences):
    """Sources as an encoder reads them: none is empty."""
    return [np.array([*sequence, END], dtype=np.int64) for sequence in sequences]


def with_both_ends(sequences):
    """Targets as a decoder learns them."""
    return [np.array([START, *sequence, END], np.int64) for sequence in sequences]


def lengths_of(sources, targets):
    """The lengths of pairs, a column for each side."""
    lengths = [(len(s), len(t)) for s, t in zip(sources, targets, strict=True)]
    return np.array(lengths, dtype=np.intp).reshape(-1, 2)


def ratio_of(sources, targets):
    """The most target ids for one of the source, of pairs with their ends; 2 at least.

    The end of a source counts, that of a target does not.
    """
    lengths = lengths_of(sources, targets)
    return max(2.0, float(((lengths[:, 1] - 2) / lengths[:, 0]).max(initial=0)))


def entropy_of(targets):
    """The mean loss of an id, if all that is known is how frequent each is."""
    counts = np.bincount(np.concatenate([target[1:] for target in targets]))
    fractions = counts[counts > 0] / counts.sum()
    return float(-(fractions * np.log(fractions)).sum())


def pair_with_others(targets, n=256):
    """Positions of some targets, and for each that of a pair with another target."""
    some = np.linspace(0, len(targets) - 1, min(n, len(targets)), dtype=int)
    pairs = np.array(sorted(some.tolist(), key=lambda i: targets[i].tolist()))
    others = np.roll(pairs, len(pairs) // 2)  # the same only if most are
    differ = [
        not np.array_equal(targets[i], targets[j])
        for i, j in zip(pairs, others, strict=True)
    ]
    return pairs[differ], others[differ]
