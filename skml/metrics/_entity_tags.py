"""Entities that sequences of tags mark, lenient and strict."""

from collections import defaultdict
from collections.abc import Sequence
from itertools import chain, count
from typing import Literal, NamedTuple

import numpy as np

from skml._compat.sklearn import StrOptions, validate_params
from skml._validation import is_missing


class _Scheme(NamedTuple):
    """The prefixes of a scheme, and those an entity may begin and end with."""

    prefixes: str
    first: str
    last: str


class Reading(NamedTuple):
    """How tags are read: the options of the functions below."""

    scheme: str | None
    mode: str
    invalid: str
    suffix: bool


_SCHEMES = {
    None: _Scheme("BIMESLU", "BIMESLU", "BIMESLU"),
    "BIO": _Scheme("BI", "B", "BI"),
    "IO": _Scheme("I", "I", "I"),
    "IOBES": _Scheme("BIES", "BS", "ES"),
    "BILOU": _Scheme("BILU", "UB", "LU"),
    "BMES": _Scheme("BMES", "BS", "ES"),
}
# A tag continues the one before it if that is of the same type and stays open.
_STAYS_OPEN, _CONTINUES = "BIM", "IMEL"
_OUTSIDE, _NO_TYPE = "O", "_"

TAGS = {
    "scheme": [StrOptions(set(_SCHEMES) - {None}), None],
    "mode": [StrOptions({"lenient", "strict"})],
    "invalid": [StrOptions({"accept", "raise"})],
    "suffix": ["boolean"],
}


# From sequences to numbers


def read_sequences(y, name):
    """The sequences as lists or tuples, and their lengths."""
    _check_container(y, name)
    sequences = list(y)
    if not sequences:
        raise ValueError(f"{name} is empty; give one sequence of tags at least.")
    if set(map(type, sequences)) != {list}:
        sequences = [_as_list(tags, name, i) for i, tags in enumerate(sequences)]
    lengths = np.fromiter(map(len, sequences), np.intp, len(sequences))
    return sequences, lengths


def _check_container(y, name):
    is_collection = hasattr(y, "__iter__") and getattr(y, "ndim", 1) in (1, 2)
    refused = (str, bytes, bytearray, dict, set, frozenset)
    if not is_collection or isinstance(y, refused) or hasattr(y, "columns"):
        raise TypeError(
            f"{name} must be a list of sequences of tags, such as "
            f"[['B-PER', 'O'], ['O']]; got {y!r:.60} ({type(y).__name__})."
        )


def _as_list(tags, name, sequence):
    """The tags of one sequence, which need not come as a list."""
    if isinstance(tags, (list, tuple)):
        return tags
    if getattr(tags, "ndim", 1) == 1 and hasattr(tags, "dtype"):
        return tags.to_list() if hasattr(tags, "to_list") else tags.tolist()
    error = ValueError if is_missing(tags) else TypeError
    advice = ""
    if isinstance(tags, str):
        advice = f" {name} is a list of sequences; put a single one into a list."
    elif is_missing(tags):
        advice = " Leave the sequence out, of the other argument too."
    raise error(
        f"{name}, sequence {sequence}: expected a list of tags, got {tags!r:.60} "
        f"({type(tags).__name__}).{advice}"
    )


def check_lengths(of_true, of_pred):
    if len(of_true) != len(of_pred):
        raise ValueError(
            f"y_true has {len(of_true)} sequence(s) and y_pred has {len(of_pred)}; "
            "both must have the same sequences, in the same order."
        )
    if (of_true != of_pred).any():
        sequence = np.argmax(of_true != of_pred)
        raise ValueError(
            f"sequence {sequence} has {of_true[sequence]} tag(s) in y_true and "
            f"{of_pred[sequence]} in y_pred; each token needs one in both. Predict "
            "without cutting off or padding sequences."
        )


def _place(position, lengths, name):
    """Where a tag is, for a message."""
    ends = lengths.cumsum()
    sequence = np.searchsorted(ends, position, side="right")
    within = position - ends[sequence] + lengths[sequence]
    return f"{name}, sequence {sequence}, position {within}"


def _encode(sequences, lengths, name):
    """The distinct tags, and for each tag of all sequences in a row which it is."""
    numbers = defaultdict(count().__next__)
    tags = chain.from_iterable(sequences)
    try:
        codes = np.fromiter(map(numbers.__getitem__, tags), np.intp, lengths.sum())
        has_wrong = not all(issubclass(kind, str) for kind in set(map(type, numbers)))
    except TypeError:  # a tag without a hash
        has_wrong = True
    if has_wrong:
        _refuse_wrong_tag(sequences, lengths, name)
    return list(map(str, numbers)), codes


def _refuse_wrong_tag(sequences, lengths, name):
    position, tag = next(
        (position, tag)
        for position, tag in enumerate(chain.from_iterable(sequences))
        if not isinstance(tag, str)
    )
    error = ValueError if is_missing(tag) else TypeError
    raise error(
        f"{_place(position, lengths, name)}: every tag must be a str, got {tag!r:.60} "
        f"({type(tag).__name__})."
    )


# From tags to entities


class _Entities(NamedTuple):
    """Where entities begin and end in the row of all tags, and their types' numbers."""

    first: np.ndarray
    last: np.ndarray
    kind: np.ndarray


def _split(tag, suffix):
    """The prefix and the type of a tag; the prefix is empty if it has none."""
    if len(tag) < 2:
        return tag, _NO_TYPE
    hyphen, prefix, kind = (
        (tag[-2], tag[-1], tag[:-2]) if suffix else (tag[1], tag[0], tag[2:])
    )
    if hyphen != "-" or prefix == _OUTSIDE:
        return "", _NO_TYPE
    return prefix, kind or _NO_TYPE


def find_entities(sequences, lengths, name, kinds, reading):
    """Find the entities of all sequences, and number their types in `kinds`.

    One rule holds for all schemes: a tag that is not outside continues the entity of
    the tag before it or begins one. Schemes and modes differ in which prefixes they
    have, and in which entities count by their first and last prefix.
    """
    scheme = _SCHEMES[reading.scheme]
    distinct, codes = _encode(sequences, lengths, name)
    pairs = [_split(tag, reading.suffix) for tag in distinct]

    def fail(position, problem):
        raise ValueError(
            f"{_place(position, lengths, name)}: the tag "
            f"{distinct[codes[position]]!r:.60} {problem}"
        )

    prefixes = [prefix for prefix, _ in pairs]
    is_known = _one_of(prefixes, _OUTSIDE + scheme.prefixes)[codes]
    if not is_known.all():
        fail(np.argmin(is_known), _no_prefix(reading))
    numbers = [kinds.setdefault(kind, len(kinds)) for _, kind in pairs]
    # The type each tag hands on and the type it continues: equal, or not joined.
    hands_on = np.where(_one_of(prefixes, _STAYS_OPEN), numbers, -1)
    continues = np.where(_one_of(prefixes, _CONTINUES), numbers, -2)
    joined = np.zeros(len(codes) + 1, dtype=bool)
    np.equal(hands_on[codes[:-1]], continues[codes[1:]], out=joined[1:-1])
    joined[lengths.cumsum()] = False
    is_inside = _one_of(prefixes, scheme.prefixes)[codes]
    first = np.flatnonzero(is_inside & ~joined[:-1])
    last = np.flatnonzero(is_inside & ~joined[1:])
    begins_well = _one_of(prefixes, scheme.first)[codes[first]]
    ends_well = _one_of(prefixes, scheme.last)[codes[last]]
    is_well = begins_well & ends_well
    if reading.invalid == "raise" and not is_well.all():
        # Entities are apart: the first broken one has the first broken tag.
        entity = np.argmin(is_well)
        position = last[entity] if begins_well[entity] else first[entity]
        fail(position, _breaks(reading.scheme, not begins_well[entity]))
    if reading.mode == "strict":
        first, last = first[is_well], last[is_well]
    return _Entities(first, last, np.array(numbers, dtype=np.intp)[codes[first]])


def _one_of(prefixes, letters):
    # An empty prefix would be in every str.
    return np.array([prefix in set(letters) for prefix in prefixes], dtype=bool)


def _no_prefix(reading):
    letters = _SCHEMES[reading.scheme].prefixes
    what = "suffix" if reading.suffix else "prefix"
    of_scheme = f" of the scheme {reading.scheme}" if reading.scheme else ""
    example = f"PER-{letters[0]}" if reading.suffix else f"{letters[0]}-PER"
    return (
        f"has no known {what}{of_scheme}. Expected 'O', or {' or '.join(letters)} with "
        f"a hyphen and a type, such as {example!r}. Correct the tag, or choose another "
        "`scheme` or `suffix`."
    )


def _breaks(scheme, at_first):
    verb = "begins" if at_first else "ends"
    letters = _SCHEMES[scheme].first if at_first else _SCHEMES[scheme].last
    return (
        f"breaks the scheme {scheme}: it {verb} an entity, which takes "
        f'{" or ".join(letters)}. Correct the tag, or pass invalid="accept".'
    )


def check_reading(scheme, mode, invalid, suffix):
    if scheme is None and (mode == "strict" or invalid == "raise"):
        wish = 'mode="strict"' if mode == "strict" else 'invalid="raise"'
        names = ", ".join(repr(name) for name in _SCHEMES if name is not None)
        raise ValueError(
            f"{wish} needs the scheme that the tags are to obey; pass scheme=, one of "
            f"{names}."
        )
    return Reading(scheme, mode, invalid, suffix)


@validate_params(TAGS, prefer_skip_nested_validation=True)
def extract_entities(
    tags: Sequence[Sequence[str]],
    *,
    scheme: Literal["BIO", "IO", "IOBES", "BILOU", "BMES"] | None = None,
    mode: Literal["lenient", "strict"] = "lenient",
    invalid: Literal["accept", "raise"] = "accept",
    suffix: bool = False,
):
    """Find the entities that sequences of tags mark.

    Read more in the :ref:`User Guide <entity_scores>`.

    Parameters
    ----------
    tags : list of list of str
        The sequences, each with a tag for each token: 'O' outside of entities, else a
        prefix, a hyphen and the type. A prefix alone, such as 'B', has the type '_'.
    scheme : {"BIO", "IO", "IOBES", "BILOU", "BMES"} or None, default=None
        The prefixes that there may be. None, in lenient mode alone, allows all.

        - "BIO", also known as IOB2: an entity begins with B and continues with I.
        - "IO": I alone; entities of a type that follow each other are one.
        - "IOBES": begins with B, continues with I, ends with E; a single token is S.
        - "BILOU": the same with L for E and U for S.
        - "BMES": the same as IOBES with M for I, as is usual for Chinese.
    mode : {"lenient", "strict"}, default="lenient"
        Which entities count. Lenient, all, as in the shared tasks of CoNLL [1]_: an
        entity ends where the next begins, where the type changes or at 'O', and it may
        begin with any prefix. That also reads mixed schemes, and the one of [2]_, where
        B only separates entities of a type. Strict, those that obey the scheme.
    invalid : {"accept", "raise"}, default="accept"
        Whether an entity that breaks the scheme is accepted and treated as `mode` says,
        or is an error that names the place. The latter needs `scheme`.
    suffix : bool, default=False
        Whether the prefix comes last, such as in 'PER-B'.

    Returns
    -------
    entities : list of list of tuple
        For each sequence the type of its entities, the position of the first token and
        that behind the last, so that ``tokens[start:stop]`` is the entity.

    Raises
    ------
    TypeError
        If `tags` is no list of sequences, or a tag is no str.
    ValueError
        If there is no sequence, a sequence or a tag is missing, a tag has no prefix
        of the scheme, or breaks it with ``invalid="raise"``.

    See Also
    --------
    entity_f1_score : Compares the entities of two lists of sequences.

    References
    ----------
    .. [1] E. F. Tjong Kim Sang and F. De Meulder (2003). Introduction to the CoNLL-2003
       shared task: language-independent named entity recognition. CoNLL, 142-147.
    .. [2] L. A. Ramshaw and M. P. Marcus (1995). Text chunking using
       transformation-based learning. Third Workshop on Very Large Corpora, 82-94.

    Examples
    --------
    >>> from skml.metrics import extract_entities
    >>> tags = [["B-PER", "I-PER", "O"], ["O", "I-LOC", "B-LOC"]]
    >>> extract_entities(tags)
    [[('PER', 0, 2)], [('LOC', 1, 2), ('LOC', 2, 3)]]

    In BIO, an entity begins with B:

    >>> extract_entities(tags, scheme="BIO", mode="strict")
    [[('PER', 0, 2)], [('LOC', 2, 3)]]
    >>> extract_entities(tags, scheme="BIO", invalid="raise")
    Traceback (most recent call last):
        ...
    ValueError: tags, sequence 1, position 1: the tag 'I-LOC' breaks the scheme BIO...
    """
    reading = check_reading(scheme, mode, invalid, suffix)
    sequences, lengths = read_sequences(tags, "tags")
    kinds = {}
    first, last, kind = find_entities(sequences, lengths, "tags", kinds, reading)
    ends = lengths.cumsum()
    sequence = np.searchsorted(ends, first, side="right")
    offset = (ends - lengths)[sequence]
    columns = sequence, kind, first - offset, last - offset + 1
    names = list(kinds)
    entities = [[] for _ in sequences]
    for i, k, start, stop in zip(*(each.tolist() for each in columns), strict=True):
        entities[i].append((names[k], start, stop))
    return entities
