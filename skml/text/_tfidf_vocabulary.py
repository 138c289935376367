"""The terms of a TfidfWeighter, and where the columns of documents' terms are."""

import itertools
from functools import cached_property
from threading import Lock

import numpy as np

from skml._codec import register
from skml.text._vocabulary import spell


@register
class Vocabulary:
    """Terms in the order of their columns.

    Parameters
    ----------
    spelling : ndarray of shape (n_bytes,), dtype uint8
        The terms in UTF-8, one behind the other.
    ends : ndarray of shape (n_terms + 1,), dtype int64
        0, and where each of them ends.
    """

    def __init__(self, spelling, ends):
        self.spelling, self.ends = spelling, ends
        self._closed, self._lock = {}, Lock()

    @classmethod
    def of(cls, terms):
        """The vocabulary of a list of str."""
        return cls(*spell(terms))

    def __len__(self):
        return len(self.ends) - 1

    def __contains__(self, term):
        return term in self.index

    def __reduce__(self):
        return type(self), (self.spelling, self.ends)

    @cached_property
    def terms(self):
        """The terms, as a list of str."""
        spelling, ends = self.spelling.tobytes(), self.ends.tolist()
        if spelling.isascii():
            text = spelling.decode()
            return [text[a:b] for a, b in itertools.pairwise(ends)]
        return [
            spelling[a:b].decode("utf-8", "surrogatepass")
            for a, b in itertools.pairwise(ends)
        ]

    @cached_property
    def index(self):
        """The column of each term."""
        return {term: column for column, term in enumerate(self.terms)}

    def closed(self, analysis):
        """Terms that take no others, and the column of each; threads may share them."""
        key = _key(analysis)
        with self._lock:
            if key not in self._closed:
                self._closed = {key: lambda: self._add_to(analysis)}
            if callable(self._closed[key]):
                terms, columns = self._closed[key]()
                terms.close()
                self._closed = {key: (terms, columns)}
            return self._closed[key]

    def keep_closed(self, analysis, close):
        """Take what `close` returns, when it is needed, for what `closed` would."""
        self._closed = {_key(analysis): close}

    def _add_to(self, analysis):
        terms = analysis.new_terms()
        numbers = terms.add(self.spelling, self.ends, analysis.ngram_range[1])
        columns = np.full(terms.n_terms, -1, dtype=np.int32)
        # Where symbols are characters, the empty term has none.
        reachable = np.flatnonzero(numbers >= 0)
        columns[numbers[reachable]] = reachable
        return terms, columns

    def columns_of(self, spelled):
        """The column of each of some terms, or -1."""
        columns = map(self.index.get, spelled, [-1] * len(spelled))
        return np.fromiter(columns, dtype=np.int32, count=len(spelled))

    def to_data(self):
        return {"spelling": self.spelling, "ends": self.ends}

    @classmethod
    def from_data(cls, data):
        spelling, ends = data["spelling"], data["ends"]
        if (
            (spelling.dtype, spelling.ndim) != (np.uint8, 1)
            or (ends.dtype, ends.ndim) != (np.int64, 1)
            or len(ends) == 0
            or ends[0] != 0
            or ends[-1] != len(spelling)
            or np.any(np.diff(ends) < 0)
        ):
            raise ValueError("the ends of the terms do not fit their spelling")
        vocabulary = cls(spelling, ends)
        try:
            n_distinct = len(vocabulary.index)
        except UnicodeDecodeError as error:
            raise ValueError("terms of the vocabulary are no UTF-8") from error
        if n_distinct != len(vocabulary):
            raise ValueError("a term of the vocabulary has two columns")
        return vocabulary


def _key(analysis):
    """What terms depend on, besides their spelling."""
    return analysis.of_words, analysis.ngram_range[1], analysis.stop_words
