"""Word vectors that keep growing: a batch costs what it holds, not the vocabulary."""

from dataclasses import dataclass

import numpy as np

from skml._codec import register, show
from skml.text._vocabulary import EncodedDocuments
from skml.text._word2vec_tables import noise_weights
from skml.text._word_vectors import WordVectors

_MOST_TOKENS = 2**53  # that are counted exactly in floats, too


@dataclass
class Growth:
    """What a batch of documents adds to a vocabulary.

    New words have counts of all batches. Known words are given by their rows, with
    counts of the batch. `seen` is how often each term that was no word was seen in all
    batches. The documents are rows of known and new words.
    """

    words: list
    word_counts: np.ndarray
    rows: np.ndarray
    row_counts: np.ndarray
    seen: dict
    documents: EncodedDocuments

    @property
    def n_counted(self):
        """By how much the counts of words grow, all together."""
        return int(self.row_counts.sum() + self.word_counts.sum())

    def counts(self, counts):
        """The counts of all words, given those of the known ones."""
        counts = np.append(counts, self.word_counts)
        counts[self.rows] += self.row_counts
        return counts


class _GrowingRows:
    """Rows of a matrix in memory that has room for more."""

    def __init__(self, rows):
        self._memory, self._n = np.array(rows), len(rows)

    @property
    def rows(self):
        return self._memory[: self._n]

    def append(self, rows):
        n = self._n + len(rows)
        if n > len(self._memory):
            memory = np.empty((n + n // 2, *rows.shape[1:]), dtype=rows.dtype)
            memory[: self._n] = self.rows
            self._memory = memory
        self._memory[self._n : n] = rows
        self._n = n


def check_tables(n_words, vector_size, counts, output_vectors, rare_counts):
    """Refuse what does not belong to so many words, or cannot be trained."""
    shape = n_words, vector_size
    if output_vectors.shape != shape or output_vectors.dtype != np.float32:
        raise ValueError(
            f"output_vectors are {output_vectors.dtype} of {output_vectors.shape}"
        )
    if not np.isfinite(output_vectors).all():
        raise ValueError("output_vectors are not finite")
    if counts.shape != (n_words,) or counts.dtype != np.int64:
        raise ValueError(f"counts are {counts.dtype} of {counts.shape}")
    if n_words and (counts.min() < 1 or counts.sum(dtype=float) > _MOST_TOKENS):
        raise ValueError("counts are not positive, or too large")
    if not all(type(n) is int and 0 < n < _MOST_TOKENS for n in rare_counts.values()):
        raise ValueError(f"rare_counts are {show(rare_counts)}")


@register
class OnlineVectors:
    """Words, their counts and both vectors of each, which grow in place.

    `rare_counts` is how often each term was seen that is no word yet. `noise` is what
    noise words are drawn by: the cumulated weights of words, how many tokens were
    counted for them, and with which exponent. What is given is copied.
    """

    own_rows = None  # no vector is composed of n-grams

    def __init__(self, words, counts, vectors, output_vectors, rare_counts, noise=None):
        self.words = list(words)
        self.vocabulary = {word: row for row, word in enumerate(self.words)}
        self._counts = _GrowingRows(counts)
        self._inputs, self._outputs = map(_GrowingRows, (vectors, output_vectors))
        self.n_counted = int(counts.sum())
        self.rare_counts = dict(rare_counts)
        self.noise = noise
        self.vector_size = vectors.shape[1]
        self._word_vectors = self._output_copy = None  # made when they are asked for

    def __len__(self):
        return len(self.words)

    def __reduce__(self):
        return self.from_data, (self.to_data(),)

    def to_data(self):
        """The parts, for a file."""
        return {
            "words": list(self.words),
            "counts": self.counts,
            "vectors": self.word_vectors.vectors,
            "output_vectors": self.output_vectors,
            "rare_counts": dict(self.rare_counts),
            "noise": self.noise,
        }

    @classmethod
    def from_data(cls, data):
        """Make it of the parts that a file holds; they may be wrong."""
        words, vectors = data["words"], WordVectors(data["vectors"], data["words"])
        size, outputs = vectors.vector_size, data["output_vectors"]
        check_tables(len(words), size, data["counts"], outputs, data["rare_counts"])
        if data["noise"] is not None:
            cumulated, n_counted, exponent = data["noise"]
            if (
                cumulated.dtype != np.float64
                or cumulated.ndim != 1
                or not 0 < len(cumulated) <= len(words)
                or not np.isfinite([cumulated[-1], n_counted, exponent]).all()
            ):
                raise ValueError("the weights of noise words do not fit the words")
        return cls(**data | {"vectors": vectors.vectors})

    @property
    def counts(self):
        """A copy of the counts."""
        return self._counts.rows.copy()

    @property
    def word_vectors(self):
        """A copy of the words and their vectors, made once a batch."""
        if self._word_vectors is None:
            self._word_vectors = WordVectors(self._inputs.rows.copy(), self.words)
        return self._word_vectors

    @property
    def output_vectors(self):
        """A copy of the vectors that predict, made once a batch."""
        if self._output_copy is None:
            self._output_copy = self._outputs.rows.copy()
        return self._output_copy

    def rows_of(self, growth, n_noise_words, noise_exponent, random_state):
        """The rows to train on, and the weight of each as a noise word.

        These are the words of the batch and as many noise words as will be drawn, once
        drawn from all words; or all words if they are not more than that.
        """
        n_known, n_words = len(self), len(self) + len(growth.words)
        if n_noise_words >= n_words:
            counts = growth.counts(self._counts.rows)
            return np.arange(n_words), noise_weights(counts, noise_exponent)
        drawn = self._draw(n_noise_words, noise_exponent, random_state)
        new = np.arange(n_known, n_words)
        rows = np.unique(np.concatenate([growth.documents.ids, new, drawn]))
        n_drawn = np.bincount(np.searchsorted(rows, drawn), minlength=len(rows))
        return rows, n_drawn.astype(np.float64)

    def _draw(self, n_noise_words, exponent, random_state):
        """Draw noise words by counts that are at most a hundredth behind."""
        cumulated, n_counted, drawn_with = self.noise or (None, 0, None)
        if drawn_with != exponent or self.n_counted > 1.01 * n_counted:
            cumulated = np.cumsum(noise_weights(self._counts.rows, exponent))
            self.noise = cumulated, self.n_counted, exponent
        heights = random_state.random_sample(n_noise_words) * cumulated[-1]
        return np.searchsorted(cumulated[:-1], heights, side="right")

    def counts_of(self, growth, rows):
        """How often the words of some rows, new ones last, were seen with the batch."""
        n_known = len(rows) - len(growth.words)
        counts = np.append(self._counts.rows[rows[:n_known]], growth.word_counts)
        counts[np.searchsorted(rows, growth.rows)] += growth.row_counts
        return counts

    def read(self, rows, training):
        """Copy the vectors of known rows to where they are trained."""
        training.word_rows[: len(rows)] = self._inputs.rows[rows]
        training.output_rows[: len(rows)] = self._outputs.rows[rows]

    def take(self, growth, rows, training):
        """Take over a batch: its words, its counts, and the vectors that it trained."""
        n_known = len(rows) - len(growth.words)
        for all_rows, trained in (
            (self._inputs, training.word_rows),
            (self._outputs, training.output_rows),
        ):
            all_rows.rows[rows[:n_known]] = trained[:n_known]
            all_rows.append(trained[n_known:])
        self._counts.rows[growth.rows] += growth.row_counts
        self._counts.append(growth.word_counts)
        self.n_counted += growth.n_counted
        self.vocabulary.update(zip(growth.words, rows[n_known:].tolist(), strict=True))
        self.words += growth.words
        self.count_rare(growth)
        self._word_vectors = self._output_copy = None

    def count_rare(self, growth):
        """Count the terms of a batch that are no words."""
        self.rare_counts.update(growth.seen)
        for word in growth.words:
            del self.rare_counts[word]
