"""Checks of words and vectors before they are word vectors."""

from collections.abc import Mapping

import numpy as np

from skml.text._nearest import TILE
from skml.text._subwords import SubwordVectors


def check_words(vocabulary, n_words):
    """Check a vocabulary; return its words in order of the rows."""
    if isinstance(vocabulary, str):
        raise TypeError("vocabulary is a single str; pass a list of words.")
    words = list(vocabulary)
    if len(words) != n_words:
        raise ValueError(
            f"vocabulary has {len(words)} words and vectors has {n_words} rows; there "
            "must be one row for each word."
        )
    if isinstance(vocabulary, Mapping):
        words.sort(key=vocabulary.get)
        if [vocabulary[word] for word in words] != list(range(n_words)):
            raise ValueError(
                f"the values of vocabulary must be the rows 0 to {n_words - 1} of "
                "vectors, each once."
            )
    if set(map(type, words)) <= {str}:
        return words
    for row, word in enumerate(words):
        if not isinstance(word, str):
            raise TypeError(
                f"vocabulary has {word!r:.60} ({type(word).__name__}) in row {row}; "
                "every word must be a str."
            )
    return words


def index_words(words):
    """The row of each word."""
    rows = dict(zip(words, range(len(words)), strict=True))
    if len(rows) < len(words):
        # The last row of a word is in the dict; an earlier one gives it away.
        row = next(row for row, word in enumerate(words) if rows[word] != row)
        raise ValueError(
            f"vocabulary has {words[row]!r:.60} twice, in rows {row} and "
            f"{rows[words[row]]}; words must be distinct."
        )
    return rows


def check_vectors(vectors):
    """A two-dimensional array of finite float32, without a copy if it is one."""
    vectors = np.asanyarray(vectors)
    if vectors.ndim != 2 or vectors.shape[1] == 0:
        raise ValueError(
            "vectors must be a table with a row for each word and at least one column; "
            f"got the shape {vectors.shape}."
        )
    if vectors.dtype.kind not in "fiu":
        raise TypeError(f"vectors must be numbers; got the dtype {vectors.dtype}.")
    vectors = vectors.astype(np.float32, copy=False)
    for start in range(0, len(vectors), TILE):
        finite = np.isfinite(vectors[start : start + TILE])
        if not finite.all():
            row, column = np.argwhere(~finite)[0] + (start, 0)
            raise ValueError(
                f"vectors must be finite; row {row}, column {column} is "
                f"{vectors[row, column]}."
            )
    return vectors


def check_subwords(subwords, vector_size):
    if subwords is None:
        return None
    if not isinstance(subwords, SubwordVectors):
        raise TypeError(
            "subwords must be those of other WordVectors or None; got "
            f"{subwords!r:.60} ({type(subwords).__name__})."
        )
    try:
        check_vectors(subwords.vectors)
    except ValueError as error:
        raise ValueError(f"of n-grams, the {error}") from error
    size = subwords.vectors.shape[1]
    if size != vector_size:
        raise ValueError(
            f"the vectors of n-grams have {size} dimensions, those of words "
            f"{vector_size}; they must agree."
        )
    return subwords
