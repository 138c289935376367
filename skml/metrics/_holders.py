"""What the scores of word vectors share: find vectors, read files, make scorers."""

from collections.abc import Mapping

import numpy as np
from sklearn.utils.validation import check_is_fitted


def _find_word_vectors(holder):
    """What has the vectors: the object itself, or what it learned; None if nothing."""
    if hasattr(holder, "word_vectors_"):
        return _find_word_vectors(holder.word_vectors_)
    if hasattr(holder, "vectors") and hasattr(holder, "vocabulary"):
        return holder
    of_steps = (_find_word_vectors(step) for _, step in getattr(holder, "steps", ()))
    return next((vectors for vectors in of_steps if vectors is not None), None)


def vectors_and_words(holder):
    """The vectors, and the words in order of the rows."""
    word_vectors = _find_word_vectors(holder)
    if word_vectors is None:
        if hasattr(holder, "fit"):
            check_is_fitted(holder)
        raise TypeError(
            "word_vectors must have `vectors` and `vocabulary`, as a WordVectors has, "
            "or be an estimator that has them as its `word_vectors_`, or a Pipeline "
            f"with such a step; got {holder!r:.60} ({type(holder).__name__})."
        )
    vectors, vocabulary = np.asanyarray(word_vectors.vectors), word_vectors.vocabulary
    if vectors.ndim != 2 or vectors.dtype.kind not in "fiu":
        raise ValueError(
            "vectors must be a table of numbers with a row for each word; got the "
            f"shape {vectors.shape} and the dtype {vectors.dtype}."
        )
    if not isinstance(vocabulary, Mapping):
        raise TypeError(
            "vocabulary must be a dict of the row of each word; got a "
            f"{type(vocabulary).__name__}."
        )
    words = sorted(vocabulary, key=vocabulary.get)
    if [vocabulary[word] for word in words] != list(range(len(vectors))):
        raise ValueError(
            f"the values of vocabulary must be the rows 0 to {len(vectors) - 1} of "
            "vectors, each once."
        )
    return vectors, words


def compose(holder, words):
    """Vectors that n-grams give to unknown words, and the number of that of each."""
    word_vectors = _find_word_vectors(holder)
    subwords = getattr(word_vectors, "subwords", None)
    if not hasattr(subwords, "compose"):
        return np.empty((0, np.shape(word_vectors.vectors)[1])), {}
    words = list(dict.fromkeys(words))
    composed, is_composed = subwords.compose(words)
    known = [words[i] for i in np.flatnonzero(is_composed)]
    return composed, {word: number for number, word in enumerate(known)}


def take(vectors, rows):
    """Some of the vectors, in memory; they must be finite."""
    taken = np.asarray(vectors[rows])
    finite = np.isfinite(taken).all(axis=1)
    if not finite.all():
        row = np.arange(len(vectors))[rows][~finite][0]
        raise ValueError(f"vectors must be finite; row {row} is not.")
    return taken


def unit(vectors, rows):
    """Some of the vectors, divided by their lengths; a zero vector stays zero."""
    taken = take(vectors, rows)
    # A double keeps the squares of large and small numbers.
    squares = np.einsum("ij,ij->i", taken, taken, dtype=float, casting="same_kind")
    lengths = np.sqrt(squares)
    lengths[lengths == 0] = 1
    return (taken / lengths[:, None]).astype(np.float32)


def spellings(words, case_sensitive):
    """The first row of each word, also by row, and what makes words comparable."""
    look_up = str if case_sensitive else str.casefold
    rows = {}
    first = [rows.setdefault(look_up(word), row) for row, word in enumerate(words)]
    return rows, np.array(first, dtype=np.intp), look_up


def read_lines(path):
    """Yield the number and the text of each line that is not blank."""
    with open(path, "rb") as file:
        for number, line in enumerate(file, start=1):
            try:
                text = line.decode("utf-8-sig" if number == 1 else "utf-8").strip()
            except UnicodeDecodeError as error:
                raise ValueError(
                    f"{path}, line {number}: byte {error.start + 1} of the line is not "
                    "UTF-8. Convert the file to UTF-8 first."
                ) from error
            if text:
                yield number, text


class WordVectorsScorer:
    """A score of word vectors, called as scikit-learn calls its scorers."""

    def __init__(self, score, against, what, options):
        self._score = score
        self._against = against
        self._what = what
        self._options = options

    def __call__(self, estimator, X=None, y=None):
        return self._score(estimator, self._against, **self._options)

    def __repr__(self):
        name = self._score.__name__.removesuffix("_score")
        options = "".join(f", {key}={value!r}" for key, value in self._options.items())
        return f"make_{name}_scorer(<{self._what}>{options})"
