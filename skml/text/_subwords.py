"""Vectors of character n-grams, and the words that are composed of them."""

from numbers import Integral

import numpy as np
from scipy import sparse

from skml._codec import register, show
from skml.text._hashed_ngrams import character_ngrams

# FNV-1a (Fowler, Noll and Vo), 64 bits, over code points rather than bytes.
_BASIS, _PRIME = np.uint64(0xCBF29CE484222325), np.uint64(0x100000001B3)
# The token that ends each document in fastText; it alone has no n-grams of characters.
END_OF_LINE = "</s>"
# The characters of words looked at together: a megabyte of n-grams.
_CHARACTERS = 1 << 13
# No n-gram is longer, and none stands behind so many characters, so that a long token,
# such as a file in base64, has a bounded number of them.
LONGEST_NGRAM = 64
LONGEST_WORD = 1000
MOST_BUCKETS = (1 << 31) - 1


def check_subwords(estimator, instead):
    """Refuse a parameter `subwords`, which is not None, that names no n-grams.

    `instead` says what to do where tokens are characters.
    """
    caller, subwords = type(estimator).__name__, estimator.subwords
    is_pair = len(subwords) == 2 and all(
        isinstance(n, Integral) and not isinstance(n, bool) for n in subwords
    )
    shortest, longest = subwords if is_pair else (0, 0)
    if not 1 <= shortest <= longest <= LONGEST_NGRAM:
        raise ValueError(
            f"{caller}: subwords={subwords!r}; expected None or two integers, the "
            "lengths of the shortest and of the longest n-gram, from 1 to "
            f"{LONGEST_NGRAM}, such as (3, 6)."
        )
    if estimator.analyzer == "char":
        raise ValueError(
            f"{caller}: subwords={subwords!r} has no effect when analyzer='char': a "
            f"character has no parts. {instead}"
        )


def ngrams(words, lengths):
    """The distinct character n-grams of words, as hashes.

    A word is put between ``<`` and ``>`` first, so that its beginning and end are known
    from its middle (Bojanowski et al. 2017). Left out are the whole, for which the word
    itself stands, and the two marks alone. Of a word of more than 1000 characters, only
    the beginning has n-grams. Two n-grams share a hash with a probability of 2 ** -64.

    Returns hashes and offsets: those of word i, ascending, are
    ``hashes[offsets[i]:offsets[i + 1]]``.
    """
    shortest, longest = lengths
    marked = [f"<{word}>"[: LONGEST_WORD + 2] for word in words]
    text = "".join(marked).encode("utf-32-le", "surrogatepass")
    codes = np.frombuffer(text, dtype="<u4").astype(np.uint64)
    sizes = np.fromiter(map(len, marked), dtype=np.int64, count=len(words))
    word = np.repeat(np.arange(len(words)), sizes)
    position = np.arange(len(codes)) - np.repeat(np.cumsum(sizes) - sizes, sizes)
    # How many characters there are from each on, in its word.
    n_left = np.repeat(sizes, sizes) - position
    state = np.full(len(codes), _BASIS)
    hashes, owners = [np.empty(0, np.uint64)], [np.empty(0, np.int64)]
    for n in range(1, min(longest, sizes.max(initial=0) - 1) + 1):
        state = (state[: len(codes) - n + 1] ^ codes[n - 1 :]) * _PRIME
        if n < shortest:
            continue
        fits = (n_left >= n) & ((position > 0) | (n_left > n))
        if n == 1:
            fits &= (position > 0) & (n_left > 1)
        starts = np.flatnonzero(fits)
        hashes.append(state[starts])
        owners.append(word[starts])
    hashes, owners = np.concatenate(hashes), np.concatenate(owners)
    order = np.lexsort((hashes, owners))
    hashes, owners = hashes[order], owners[order]
    is_new = np.ones(len(hashes), dtype=bool)
    is_new[1:] = (hashes[1:] != hashes[:-1]) | (owners[1:] != owners[:-1])
    counts = np.bincount(owners[is_new], minlength=len(words))
    return hashes[is_new], np.concatenate([[0], np.cumsum(counts)])


def bucket_ngrams(words, lengths, n_buckets):
    """The buckets of all character n-grams of words, as fastText has them.

    Words are bytes. Other than in `ngrams`, an n-gram that occurs twice counts twice,
    the whole of a word is one of its n-grams, and no word is too long.

    Returns buckets and offsets: those of word i, in order of where the n-grams start
    and end, are ``buckets[offsets[i]:offsets[i + 1]]``.
    """
    has_ngrams = np.array([word != END_OF_LINE.encode() for word in words], dtype=bool)
    kept = [word for word, is_kept in zip(words, has_ngrams, strict=True) if is_kept]
    ends = np.zeros(len(kept) + 1, dtype=np.int64)
    np.cumsum(list(map(len, kept)), out=ends[1:])
    shortest, longest = lengths
    found, buckets = character_ngrams(
        np.frombuffer(b"".join(kept), dtype=np.uint8),
        ends,
        min_n=shortest,
        max_n=longest,
        n_buckets=n_buckets,
    )
    offsets = np.zeros(len(words) + 1, dtype=np.int64)
    offsets[1:][has_ngrams] = np.diff(found)
    return buckets.astype(np.uint64), np.cumsum(offsets)


def _spell(word):
    return word if isinstance(word, bytes) else word.encode("utf-8", "surrogatepass")


def batches(words):
    """Words, some at a time: as many as have so many characters, and at least one."""
    start, n_characters = 0, 0
    for i, word in enumerate(words):
        n_characters += len(word)
        if n_characters > _CHARACTERS and i > start:
            yield words[start:i]
            start, n_characters = i, len(word)
    if start < len(words):
        yield words[start:]


def all_ngrams(words, lengths):
    """As `ngrams`, for any number of words."""
    all_hashes, all_offsets = [np.empty(0, np.uint64)], [np.zeros(1, dtype=np.int64)]
    for batch in batches(words):
        hashes, offsets = ngrams(batch, lengths)
        all_hashes.append(hashes)
        all_offsets.append(all_offsets[-1][-1] + offsets[1:])
    return np.concatenate(all_hashes), np.concatenate(all_offsets)


def find_hashes(hashes, wanted):
    """The positions of hashes in a sorted array of them, or -1."""
    if len(hashes) == 0:
        return np.full(len(wanted), -1)
    positions = np.minimum(np.searchsorted(hashes, wanted), len(hashes) - 1)
    return np.where(hashes[positions] == wanted, positions, -1)


def word_parts(words, lengths):
    """The rows whose mean is the vector of each word: its own, those of its n-grams.

    Returns the sorted hashes of all n-grams, whose rows follow those of the words;
    offsets; and rows: of word i ``rows[offsets[i]:offsets[i + 1]]``, its own first.
    """
    all_hashes, offsets = all_ngrams(words, lengths)
    hashes, positions = np.unique(all_hashes, return_inverse=True)
    own = np.arange(len(words))
    rows = np.insert(positions + len(words), offsets[:-1], own).astype(np.int32)
    return hashes, offsets + np.arange(len(words) + 1), rows


def mean_rows(offsets, rows, matrix):
    """The means of rows of a matrix; zeros where there is none to take."""
    n_means = len(offsets) - 1
    ones = np.ones(len(rows), dtype=np.float32)
    chosen = sparse.csr_array((ones, rows, offsets), shape=(n_means, len(matrix)))
    means = np.asarray(chosen @ np.asarray(matrix), dtype=np.float32)
    # As fastText does, to the last bit.
    means *= (1 / np.maximum(np.diff(offsets), 1)[:, None]).astype(np.float32)
    return means


@register
class SubwordVectors:
    """Vectors of character n-grams, which give a vector to any word that has some.

    The hashes ascend, one for each row of the vectors (float32). Without `n_buckets`
    they are those of `ngrams`, so that each n-gram has a row of its own. With it they
    are buckets, below that number, which n-grams share: those of `bucket_ngrams`.
    """

    def __init__(self, lengths, hashes, vectors, n_buckets=None):
        self.lengths, self.hashes, self.vectors = lengths, hashes, vectors.view()
        self.n_buckets = n_buckets
        # Clones of an estimator share it.
        self.vectors.flags.writeable = False

    def to_data(self):
        """The parts, for a file."""
        return vars(self)

    @classmethod
    def from_data(cls, data):
        """Make it of the parts that a file holds; they may be wrong."""
        lengths, hashes, vectors = data["lengths"], data["hashes"], data["vectors"]
        n_buckets = data["n_buckets"]
        is_pair = type(lengths) is tuple and [*map(type, lengths)] == [int, int]
        if not is_pair or not 1 <= lengths[0] <= lengths[1] <= LONGEST_NGRAM:
            raise ValueError(
                "expected the lengths of the shortest and the longest n-gram, from 1 "
                f"to {LONGEST_NGRAM}; got {show(lengths)}"
            )
        if (hashes.dtype, vectors.dtype) != (np.uint64, np.float32) or (
            vectors.ndim != 2 or hashes.shape != vectors.shape[:1]
        ):
            raise ValueError(
                f"hashes of the shape {hashes.shape} and vectors of the shape "
                f"{vectors.shape} do not belong together"
            )
        if (hashes[1:] <= hashes[:-1]).any():
            raise ValueError("the hashes do not ascend")
        if n_buckets is not None:
            if type(n_buckets) is not int or not 1 <= n_buckets <= MOST_BUCKETS:
                raise ValueError(f"n_buckets is {show(n_buckets)}")
            if len(hashes) and hashes[-1] >= n_buckets:
                raise ValueError(f"bucket {hashes[-1]} is none of {n_buckets}")
        return cls(lengths, hashes, vectors, n_buckets)

    def __len__(self):
        return len(self.hashes)

    def __eq__(self, other):
        if not isinstance(other, SubwordVectors):
            return NotImplemented
        return (
            self.lengths == other.lengths
            and self.n_buckets == other.n_buckets
            and np.array_equal(self.hashes, other.hashes)
            and np.array_equal(self.vectors, other.vectors)
        )

    __hash__ = None

    def find(self, words):
        """The rows of the known n-grams of words, and offsets.

        Words are str or, with `n_buckets`, may be bytes.
        """
        if self.n_buckets is None:
            wanted, offsets = ngrams(words, self.lengths)
        else:
            spelled = list(map(_spell, words))
            wanted, offsets = bucket_ngrams(spelled, self.lengths, self.n_buckets)
        if len(self.hashes) == self.n_buckets:
            return wanted.astype(np.int64), offsets
        rows = find_hashes(self.hashes, wanted)
        offsets = np.concatenate([[0], np.cumsum(rows >= 0)])[offsets]
        return rows[rows >= 0], offsets

    def compose(self, words):
        """The means of the vectors of words' known n-grams; which words have any."""
        composed = [np.empty((0, self.vectors.shape[1]), dtype=np.float32)]
        is_composed = [np.empty(0, dtype=bool)]
        for batch in batches(words):
            rows, offsets = self.find(batch)
            is_composed.append(np.diff(offsets) > 0)
            means = mean_rows(offsets, rows, self.vectors)
            composed.append(means[is_composed[-1]])
        return np.vstack(composed), np.concatenate(is_composed)
