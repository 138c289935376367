"""Vectors of character n-grams, and the words that are composed of them."""

import numpy as np
from scipy import sparse

# FNV-1a (Fowler, Noll and Vo), 64 bits, over code points rather than bytes.
_BASIS, _PRIME = np.uint64(0xCBF29CE484222325), np.uint64(0x100000001B3)
# Words looked at together: a few MB of n-grams.
_WORDS = 8192


def ngrams(words, lengths):
    r"""The character n-grams of words, as hashes.

    A word is put between ``<`` and ``>`` first, so that its beginning and end are known
    from its middle (Bojanowski et al. 2017). Left out are the whole, for which the word
    itself stands, and the two marks alone.

    Parameters
    ----------
    words : list of str
        The words.
    lengths : tuple of (int, int)
        The shortest and the longest n-gram, in characters.

    Returns
    -------
    hashes : ndarray of shape (n_ngrams,), dtype uint64
        Of all n-grams, word after word, by position and then by length. Those of two
        different n-grams are the same with a probability of :math:`2^{-64}`.
    offsets : ndarray of shape (n_words + 1,), dtype int64
        Word i has ``hashes[offsets[i]:offsets[i + 1]]``.
    """
    shortest, longest = lengths
    text = "".join(f"<{word}>" for word in words).encode("utf-32-le", "surrogatepass")
    codes = np.frombuffer(text, dtype="<u4").astype(np.uint64)
    sizes = np.fromiter(map(len, words), dtype=np.int64, count=len(words)) + 2
    starts = np.cumsum(sizes) - sizes
    place = np.arange(len(codes)) - np.repeat(starts, sizes)
    size = np.repeat(sizes, sizes)
    state = np.full(len(codes), _BASIS)
    found, is_ngram = [], []
    for n in range(1, min(longest, sizes.max(initial=0)) + 1):
        state = (state[: len(codes) - n + 1] ^ codes[n - 1 :]) * _PRIME
        if n < shortest:
            continue
        fits = (place + n <= size) & (n < size)
        if n == 1:
            fits &= (place > 0) & (place < size - 1)
        found.append(np.append(state, np.zeros(n - 1, np.uint64)))
        is_ngram.append(fits)
    if not found:
        return np.empty(0, np.uint64), np.zeros(len(words) + 1, np.int64)
    is_ngram = np.array(is_ngram).T
    n_before = np.concatenate([[0], np.cumsum(is_ngram.sum(axis=1))])
    offsets = n_before[np.append(starts, len(codes))]
    return np.array(found).T[is_ngram], offsets


def distinct_ngrams(words, lengths):
    """The sorted hashes of all n-grams of words, each once."""
    hashes = np.empty(0, dtype=np.uint64)
    for start in range(0, len(words), _WORDS):
        some, _ = ngrams(words[start : start + _WORDS], lengths)
        hashes = np.union1d(hashes, some)
    return hashes


def find(hashes, wanted):
    """The places of hashes in a sorted array of them, or -1."""
    if len(hashes) == 0:
        return np.full(len(wanted), -1)
    places = np.minimum(np.searchsorted(hashes, wanted), len(hashes) - 1)
    return np.where(hashes[places] == wanted, places, -1)


def word_parts(words, hashes, lengths):
    """What the vector of each word is the mean of: its own row, those of its n-grams.

    Parameters
    ----------
    words : list of str
        The words, which have the first rows.
    hashes : ndarray of shape (n_subwords,), dtype uint64
        The sorted n-grams, which have the rows behind; all n-grams of the words.
    lengths : tuple of (int, int)
        The shortest and the longest n-gram.

    Returns
    -------
    offsets : ndarray of shape (n_words + 1,), dtype int64
        Word i has ``rows[offsets[i]:offsets[i + 1]]``.
    rows : ndarray of shape (n_parts,), dtype int32
        An n-gram that stands twice in a word stands twice here.
    """
    all_offsets, all_rows = [np.zeros(1, dtype=np.int64)], []
    for start in range(0, len(words), _WORDS):
        some = words[start : start + _WORDS]
        wanted, offsets = ngrams(some, lengths)
        rows = np.searchsorted(hashes, wanted) + len(words)
        own = np.arange(start, start + len(some))
        all_rows.append(np.insert(rows, offsets[:-1], own).astype(np.int32))
        n_before = all_offsets[-1][-1]
        all_offsets.append(n_before + offsets[1:] + np.arange(1, len(some) + 1))
    return np.concatenate(all_offsets), np.concatenate(all_rows)


def mean_rows(offsets, rows, matrix):
    """The means of rows of a matrix; zeros where there is none to take."""
    n_means = len(offsets) - 1
    ones = np.ones(len(rows), dtype=np.float32)
    chosen = sparse.csr_array((ones, rows, offsets), shape=(n_means, len(matrix)))
    means = np.asarray(chosen @ np.asarray(matrix), dtype=np.float32)
    means /= np.maximum(np.diff(offsets), 1)[:, None].astype(np.float32)
    return means


class SubwordVectors:
    """Vectors of character n-grams, which give a vector to any word that has some.

    Parameters
    ----------
    lengths : tuple of (int, int)
        The shortest and the longest n-gram.
    hashes : ndarray of shape (n_subwords,), dtype uint64
        The n-grams, sorted.
    vectors : ndarray of shape (n_subwords, vector_size), dtype float32
        Their vectors.
    """

    def __init__(self, lengths, hashes, vectors):
        self.lengths, self.hashes, self.vectors = lengths, hashes, vectors

    def __len__(self):
        return len(self.hashes)

    def __eq__(self, other):
        if not isinstance(other, SubwordVectors):
            return NotImplemented
        return (
            self.lengths == other.lengths
            and np.array_equal(self.hashes, other.hashes)
            and np.array_equal(self.vectors, other.vectors)
        )

    __hash__ = None

    def compose(self, words):
        """The mean of the vectors of each word's n-grams, those that have one.

        Parameters
        ----------
        words : list of str
            Any words.

        Returns
        -------
        composed : ndarray of shape (n_composed, vector_size), dtype float32
            The vectors of the words that have a known n-gram.
        is_composed : ndarray of shape (n_words,), dtype bool
            Which words these are.
        """
        composed = [np.empty((0, self.vectors.shape[1]), dtype=np.float32)]
        is_composed = np.zeros(len(words), dtype=bool)
        for start in range(0, len(words), _WORDS):
            wanted, offsets = ngrams(words[start : start + _WORDS], self.lengths)
            rows = find(self.hashes, wanted)
            offsets = np.concatenate([[0], np.cumsum(rows >= 0)])[offsets]
            known = np.diff(offsets) > 0
            means = mean_rows(offsets, rows[rows >= 0], self.vectors)
            composed.append(means[known])
            is_composed[start : start + _WORDS] = known
        return np.vstack(composed), is_composed
