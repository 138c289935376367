"""Phrases as words and scores, and documents in which they are joined."""

from itertools import pairwise

import numpy as np

from skml._codec import register, stored
from skml._estimator import Fitted
from skml.text._phrase_kernel import add_phrases, join_phrases, token_lists
from skml.text._terms import Terms
from skml.text._vocabulary import look_up, spell


@register
class PhraseTable:
    """Phrases, as the positions of their words in a list.

    Those of phrase i are ``parts[ends[i]:ends[i + 1]]``.
    """

    def __init__(self, words, parts, ends):
        self.words, self.parts, self.ends = words, parts, ends
        self.index = dict(zip(words, range(len(words)), strict=True))
        self._terms = Terms(of_words=True)
        self._terms.add(*spell(words), 1)
        numbers = add_phrases(self._terms, parts, ends)
        self._terms.close()
        self._phrase_of = np.full(self._terms.n_terms, -1, dtype=np.int32)
        self._phrase_of[numbers] = np.arange(len(numbers))

    def __len__(self):
        return len(self.ends) - 1

    def __reduce__(self):
        return type(self), (self.words, self.parts, self.ends)

    def names(self, delimiter):
        """The words of each phrase, joined."""
        words = [self.words[i] for i in self.parts.tolist()]
        return [delimiter.join(words[a:b]) for a, b in pairwise(self.ends.tolist())]

    def join(self, terms, documents, delimiter, connectors):
        """Encoded documents (overwritten) as lists of words and phrases."""
        is_connector = look_up(terms, dict.fromkeys(connectors, 1)) > 0
        is_phrase = self._phrase_of >= 0
        offsets = join_phrases(
            self._terms,
            np.where(is_phrase, self._phrase_of + np.int32(len(terms)), np.int32(-1)),
            look_up(terms, self.index),
            is_connector.astype(np.uint8),
            documents.ids,
            documents.offsets,
        )
        names = [*terms, *self.names(delimiter)]
        return token_lists(names, documents.ids, offsets)

    def to_data(self):
        return {"words": self.words, "parts": self.parts, "ends": self.ends}

    @classmethod
    def from_data(cls, data):
        words, parts, ends = data["words"], data["parts"], data["ends"]
        if not isinstance(words, list) or set(map(type, words)) - {str}:
            raise ValueError("the words of phrases are no list of str")
        if len(set(words)) < len(words):
            raise ValueError("a word of the phrases stands twice")
        if (
            (parts.dtype, parts.ndim) != (np.int32, 1)
            or (ends.dtype, ends.ndim) != (np.int64, 1)
            or len(ends) == 0
            or ends[0] != 0
            or ends[-1] != len(parts)
            or np.any(np.diff(ends) < 2)
        ):
            raise ValueError("the ends of phrases do not fit their words")
        if len(parts) and not 0 <= parts.min() <= parts.max() < len(words):
            raise ValueError("a phrase has a word that is none")
        return cls(words, parts, ends)


@stored
class FittedPhrases(Fitted):
    """Phrases and their scores, best first."""

    table: PhraseTable
    scores: np.ndarray
    delimiter: str
    connector_words: list

    def check(self):
        if self.scores.shape != (len(self.table),) or self.scores.dtype != np.float64:
            raise ValueError(
                f"{len(self.table)} phrases have {self.scores.shape} scores"
            )
        if set(map(type, self.connector_words)) - {str}:
            raise ValueError("connector_words are no list of str")

    @property
    def phrases(self):
        """The score of each phrase; of those of one name the best."""
        names = self.table.names(self.delimiter)
        pairs = zip(reversed(names), reversed(self.scores.tolist()), strict=True)
        return dict(reversed(dict(pairs).items()))

    def join(self, terms, documents):
        return self.table.join(terms, documents, self.delimiter, self.connector_words)
