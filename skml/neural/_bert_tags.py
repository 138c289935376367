"""A tag for each word: as targets, as tokens of windows, and back."""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from scipy.stats import entropy

from skml._fitting import warn_user
from skml._validation import is_missing
from skml.neural._bert_targets import Targets, name_outputs
from skml.neural._codec import check_characters

OUTSIDE = "O"  # the tag of most words that are of no entity


class WordTokens(NamedTuple):
    """The tokens that stand for words, in the order of the words."""

    positions: np.ndarray  # of each, among the tokens of all windows
    words: np.ndarray  # of which word it is, among those of all documents


def read_tags(y, documents, caller):
    """The tags of documents as lists of str, one for each token."""
    found = []
    for position, (tags, tokens) in enumerate(zip(y, documents, strict=True)):
        tags = _as_list(tags, position, caller)
        if len(tags) != len(tokens):
            raise ValueError(
                f"{caller}: document {position} has {len(tokens)} tokens and "
                f"{len(tags)} tags; expected one tag for each token."
            )
        for at, tag in enumerate(tags):
            if not isinstance(tag, str):
                error = ValueError if is_missing(tag) else TypeError
                raise error(
                    f"{caller}, y: document {position}, tag {at} is {tag!r:.60} "
                    f"({type(tag).__name__}); expected a str."
                )
        check_characters("".join(tags), position, f"{caller}, y")
        found.append(list(map(str, tags)))  # those of NumPy, too
    return found


def _as_list(tags, position, caller):
    if isinstance(tags, (list, tuple)):
        return tags
    if getattr(tags, "ndim", 1) == 1 and hasattr(tags, "dtype"):
        return tags.to_list() if hasattr(tags, "to_list") else tags.tolist()
    error = ValueError if is_missing(tags) else TypeError
    raise error(
        f"{caller}, y: document {position} is {tags!r:.60} ({type(tags).__name__}); "
        "expected a list of tags, one for each token."
    )


def find_tokens(windows, n_words, overlap, labels):
    """Find the tokens that stand for words: the first of each, or all.

    A token that is in several windows is taken from that where it is farthest from
    the ends, beyond which the network sees nothing. A word may have none.
    """
    words_before = np.cumsum([0, *n_words])
    n_before, start, stop, document = 0, 0, 0, -1
    # Of each token: where it is, its number in all documents, its word, its distance.
    columns = [np.empty((4, 0), dtype=np.intp)]
    details = windows.details["word_ids"]
    for row, word_ids in zip(windows.documents, details, strict=True):
        positions = np.flatnonzero(word_ids >= 0)
        words = word_ids[positions]
        # Windows of a document follow each other; all but the last are full.
        start = stop - overlap if row == document else stop
        stop, document = start + len(words), row
        numbers = np.arange(len(words))
        columns.append(
            np.stack(
                [
                    n_before + positions,
                    start + numbers,
                    words_before[row] + words,
                    np.minimum(numbers, numbers[::-1]),
                ]
            )
        )
        n_before += len(word_ids)
    positions, numbers, words, distances = np.concatenate(columns, axis=1)
    order = np.lexsort((-distances, numbers))
    order = order[np.diff(numbers[order], prepend=-1) > 0]
    if labels == "first":
        order = order[np.diff(words[order], prepend=-1) > 0]
    return WordTokens(positions[order], words[order])


def mean_of_words(values, words):
    """The means of the values of each word that has some, and which words these are."""
    starts = np.flatnonzero(np.diff(words, prepend=-1))
    counts = np.diff(starts, append=len(words))
    sums = np.add.reduceat(values, starts, axis=0)
    return sums / counts[:, None].astype(values.dtype), words[starts]


def split(values, lengths):
    """Parts of the given lengths."""
    return np.split(values, np.cumsum(lengths)[:-1])


def learn_tags(y, weights, labels, caller):
    """The tags of documents, as `read_tags` returns them, as targets."""
    lengths = [len(tags) for tags in y]
    flat = [tag for tags in y for tag in tags]
    classes = sorted(set(flat))
    if len(classes) < 2:
        found = f"one tag, {classes[0]!r:.60}" if classes else "no tag"
        raise ValueError(f"{caller}: y has {found}; at least two are needed.")
    _warn_of_prefixes(classes, caller)
    code_of = {tag: code for code, tag in enumerate(classes)}
    codes = np.array([code_of[tag] for tag in flat], dtype=np.int64)
    counts = np.bincount(codes, np.repeat(weights, lengths))
    fallback = code_of.get(OUTSIDE, int(counts.argmax()))
    return TagTargets(np.array(classes), split(codes, lengths), fallback, labels)


def _warn_of_prefixes(classes, caller):
    """Warn, before training, of tags of entities that `score` will refuse."""
    from skml.metrics import extract_entities

    others = set(classes) - {OUTSIDE}
    if len(others) == len(classes) or not all("-" in tag for tag in others):
        return  # of no entities, such as parts of speech
    try:
        extract_entities([classes])
    except ValueError as error:
        warn_user(
            f"{caller}: `score` will refuse these tags; predict them, and score them "
            "by entity_f1_score with another scheme or suffix, or write them "
            f"otherwise: {error}"
        )


@dataclass(frozen=True, eq=False)
class TagTargets(Targets):
    """A tag for each word of each document."""

    classes: np.ndarray
    values: list  # of ndarray: which tag each word of each document has
    fallback: int  # which tag a word has that has no token
    labels: str  # "first" or "all": which tokens of a word get its tag

    def learned(self):
        return {"classes_": self.classes, "fallback": self.fallback}

    def config_changes(self):
        return name_outputs(self.classes.tolist())

    def document_classes(self):
        samples = np.repeat(np.arange(len(self.values)), list(map(len, self.values)))
        return samples, np.concatenate(self.values)

    def values_of_windows(self, windows):
        """The codes of the tags of tokens, in one window each."""
        from skml.neural._torch._windows import NO_TARGET

        n_words = [len(codes) for codes in self.values]
        positions, words = find_tokens(windows, n_words, windows.overlap, self.labels)
        found = np.full(windows.lengths.sum(), NO_TARGET, dtype=np.int64)
        found[positions] = np.concatenate(self.values)[words]
        return split(found, windows.lengths)

    def weights_of_windows(self, windows, values, weights):
        # Each word is in one window only, so that those of a document share no weight.
        has_target = np.array([(codes >= 0).any() for codes in values])
        return weights[windows.documents] * has_target

    def chance_loss(self, values, weights):
        weights = np.repeat(weights, list(map(len, values)))
        values = np.concatenate(values)
        has_tag = values >= 0
        return entropy(np.bincount(values[has_tag], weights[has_tag]))

    def objective(self, outputs, values, weights):
        from torch.nn import functional

        from skml.neural._torch._windows import NO_TARGET

        losses = functional.cross_entropy(
            outputs.logits.float().transpose(1, 2),
            values,
            reduction="none",
            ignore_index=NO_TARGET,
        )
        weights = weights[:, None] * (values != NO_TARGET)
        return (losses * weights).sum(), float(weights.sum())
