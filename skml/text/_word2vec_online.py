"""Word vectors that go on growing: a batch costs what it holds, not the vocabulary."""

from dataclasses import dataclass

import numpy as np
from sklearn.utils.validation import check_is_fitted

from skml.text._vocabulary import EncodedDocuments
from skml.text._word2vec_tables import noise_weights
from skml.text._word_vectors import WordVectors


@dataclass
class Growth:
    """What a batch of documents adds to a vocabulary.

    Attributes
    ----------
    words : list of str
        New words.
    word_counts : ndarray of shape (n_new,), dtype int64
        How often each was seen in all batches.
    rows, row_counts : ndarrays of shape (n_known,)
        The rows of known words, and how often each occurs in the batch.
    seen : dict
        How often each term that was no word before was seen in all batches.
    documents : EncodedDocuments
        The batch, as rows of known and new words.
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


class OnlineVectors:
    """Words, their counts and both vectors of each, which grow in place.

    Parameters
    ----------
    words : list of str
        The words.
    counts : ndarray of shape (n_words,), dtype int64
        How often each was seen.
    vectors, output_vectors : ndarrays of shape (n_words, vector_size), dtype float32
        Their vectors; copied.
    noise : tuple of (ndarray, int, float) or None, default=None
        What noise words are drawn by: the cumulated weights of words, how many tokens
        were counted for them, and with which exponent.
    """

    def __init__(self, words, counts, vectors, output_vectors, noise=None):
        self.words = list(words)
        self.vocabulary = {word: row for row, word in enumerate(self.words)}
        self._counts = _GrowingRows(counts)
        self._inputs, self._outputs = map(_GrowingRows, (vectors, output_vectors))
        self.n_counted = int(counts.sum())
        self.noise = noise
        self.vector_size = vectors.shape[1]
        self._is_ahead = False

    def __len__(self):
        return len(self.words)

    @property
    def counts(self):
        return self._counts.rows

    def rows_of(self, growth, n_noise_words, noise_exponent, random_state):
        """The rows to train on, and the weight of each as a noise word.

        These are the words of the batch and as many noise words as will be drawn, once
        drawn from all words; or all words if they are not more than that.
        """
        n_known, n_words = len(self), len(self) + len(growth.words)
        if n_noise_words >= n_words:
            counts = growth.counts(self.counts)
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
            cumulated = np.cumsum(noise_weights(self.counts, exponent))
            self.noise = cumulated, self.n_counted, exponent
        places = random_state.random_sample(n_noise_words) * cumulated[-1]
        return np.searchsorted(cumulated[:-1], places, side="right")

    def counts_of(self, growth, rows):
        """How often the words of some rows, new ones last, were seen with the batch."""
        n_known = len(rows) - len(growth.words)
        counts = np.append(self.counts[rows[:n_known]], growth.word_counts)
        counts[np.searchsorted(rows, growth.rows)] += growth.row_counts
        return counts

    def read(self, rows, training):
        """Copy the vectors of known rows to where they are trained."""
        training.word_rows[: len(rows)] = self._inputs.rows[rows]
        training.output_rows[: len(rows)] = self._outputs.rows[rows]

    def take(self, growth, rows, training):
        """Take over a batch: its words, its counts, and the vectors that it trained."""
        n_known = len(rows) - len(growth.words)
        for kept, trained in (
            (self._inputs, training.word_rows),
            (self._outputs, training.output_rows),
        ):
            kept.rows[rows[:n_known]] = trained[:n_known]
            kept.append(trained[n_known:])
        self.counts[growth.rows] += growth.row_counts
        self._counts.append(growth.word_counts)
        self.n_counted += growth.n_counted
        self.vocabulary.update(zip(growth.words, rows[n_known:].tolist(), strict=True))
        self.words += growth.words
        self._is_ahead = True

    def publish(self):
        """Copies as the attributes of an estimator; none if they are up to date."""
        if not self._is_ahead:
            return {}
        self._is_ahead = False
        return {
            "word_vectors_": WordVectors(self._inputs.rows.copy(), self.words),
            "output_vectors_": self._outputs.rows.copy(),
            "counts_": self.counts.copy(),
        }


def publish(estimator):
    """Let the attributes of an estimator be what its online vectors are by now."""
    online = vars(estimator).get("_online")
    if online is not None:
        vars(estimator).update(online.publish())


def published(name, doc):
    """An attribute that is made of the online vectors when it is asked for."""

    def get(self):
        check_is_fitted(self)
        publish(self)
        return vars(self)[name]

    def put(self, value):
        vars(self)[name] = value

    return property(get, put, doc=doc)
