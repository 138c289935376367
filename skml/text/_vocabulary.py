"""Documents as ids of terms, and which terms to keep."""

import itertools
from dataclasses import dataclass

import numpy as np

from skml.text._id_kernel import add_counts, rename
from skml.text._id_stream import CHUNK, release


@dataclass
class EncodedDocuments:
    """Documents as one stream of term ids.

    Document i is ``ids[offsets[i]:offsets[i + 1]]``; ids are int32, offsets int64.
    """

    ids: np.ndarray
    offsets: np.ndarray

    @property
    def n_documents(self):
        return len(self.offsets) - 1

    def copy(self):
        """Documents whose ids may be overwritten."""
        return EncodedDocuments(self.ids.copy(), self.offsets)


def spell(terms):
    """Terms in UTF-8, one behind the other, and 0 and where each of them ends."""
    spelled = [term.encode("utf-8", "surrogatepass") for term in terms]
    ends = np.zeros(len(spelled) + 1, dtype=np.int64)
    np.cumsum([len(term) for term in spelled], out=ends[1:])
    return np.frombuffer(b"".join(spelled), dtype=np.uint8), ends


def raise_bad_token(tokens, document, caller):
    """Raise a TypeError if a document is no sequence of str."""
    if not hasattr(tokens, "__iter__"):
        raise TypeError(
            f"{caller}: document {document} cannot be read as a sequence of tokens."
        )
    for position, token in enumerate(tokens):
        if not isinstance(token, str):
            raise TypeError(
                f"{caller}: token {position} of document {document} is {token!r:.60} "
                f"({type(token).__name__}); every token must be a str."
            )


def count_ids(ids, n_terms):
    """Count how often each id occurs, without a wide copy of the ids."""
    counts = np.zeros(n_terms, dtype=np.int64)
    for start in range(0, len(ids), 8 * CHUNK):
        add_counts(ids[start : start + 8 * CHUNK], counts)
        release(ids)
    return counts


def rank_terms(terms, counts, *, min_count=1, max_features=None):
    """Choose terms: the most frequent first, ties in order of the alphabet.

    Returns their positions in `terms`, in the order of the new vocabulary.
    """
    # Names of the candidates alone: most terms of a corpus are rare.
    candidates = np.flatnonzero(counts >= min_count)
    names = [terms[i] for i in candidates.tolist()]
    by_name = sorted(range(len(names)), key=names.__getitem__)
    candidates = candidates[np.array(by_name, dtype=np.intp)]
    order = np.argsort(-counts[candidates], kind="stable")
    return candidates[order[:max_features]]


def reindex(documents, new_id):
    """Rename the ids of documents in place; drop tokens whose new id is negative.

    Returns documents in the same memory, shorter by the tokens dropped.
    """
    ids, offsets = documents.ids, documents.offsets
    new_offsets = np.zeros_like(offsets)
    document = n_kept = 0
    for start in range(0, max(1, len(ids)), CHUNK):
        stop = min(start + CHUNK, len(ids))
        document, n_kept = rename(
            ids, offsets, new_id, new_offsets, start, stop, document, n_kept
        )
        release(ids)
    return EncodedDocuments(ids[:n_kept], new_offsets)


def take_parts(values, offsets, positions):
    """Some of the parts of an array, one behind the other, and their offsets.

    Part i is ``values[offsets[i]:offsets[i + 1]]``.
    """
    sizes = np.diff(offsets)[positions]
    ends = np.concatenate([[0], np.cumsum(sizes)])
    places = np.repeat(offsets[positions] - ends[:-1], sizes)
    return values[places + np.arange(ends[-1])], ends


def look_up(terms, vocabulary):
    """The id in `vocabulary` of each term, or -1; int32, for `reindex`."""
    ids = map(vocabulary.get, terms, itertools.repeat(-1))
    return np.fromiter(ids, dtype=np.int32, count=len(terms))
