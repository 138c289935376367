"""Word vectors from fastText's files, and back: words, and buckets of n-grams."""

import numpy as np

from skml.text._fasttext_files import (
    FastTextParameters,
    fasttext_chunks,
    read_fasttext,
)
from skml.text._fasttext_matrices import dense_chunks
from skml.text._quantized import decoded
from skml.text._subwords import SubwordVectors, batches, bucket_ngrams, mean_rows
from skml.text._word_vector_window import CHUNK


def read_fasttext_vectors(window, options):
    """The vectors of words, the words, and the vectors of their n-grams, or None."""
    _check_options(window.path, options)
    model = read_fasttext(window, limit=options.limit, with_output=False)
    words = _decode(window.path, model.words, options)
    vectors, subwords = _compose(model)
    if len(words) < len(vectors):
        vectors = vectors[list(words.values())]
    return vectors, list(words), subwords


def _check_options(path, options):
    """Refuse what has no effect here."""
    if options.encoding != "utf-8":
        raise ValueError(
            f"{path} is a model of fastText: encoding={options.encoding!r} has no "
            "effect, as its n-grams are those of the bytes of UTF-8; leave it out."
        )
    if options.on_bad_rows != "error":
        raise ValueError(
            f"{path} is a model of fastText, whose words have no rows of their own; "
            f"on_bad_rows={options.on_bad_rows!r} has no effect: leave it out."
        )


def _decode(path, spelled, options):
    """The row of each word, in order of the rows."""
    rows = {}
    for row, word in enumerate(spelled):
        try:
            decoded = word.decode(options.encoding, options.decode_error)
        except UnicodeDecodeError as error:
            raise ValueError(
                f"{path}: word {row}, {word!r:.60}, is not in UTF-8; pass "
                'decode_error="replace" or "ignore".'
            ) from error
        if not decoded:
            raise ValueError(
                f"{path}: nothing of word {row}, {word!r:.60}, is in UTF-8; pass "
                'decode_error="replace".'
            )
        if rows.setdefault(decoded, row) != row and options.duplicates == "raise":
            raise ValueError(
                f"{path}: word {row}, {decoded!r:.60}, is word {rows[decoded]} again; "
                'pass duplicates="first" to read the first alone.'
            )
    return rows


def _compose(model):
    """The vectors of words, in the place of their own rows; and of n-grams, or None.

    That of a word is the mean of its own row and those of its n-grams.
    """
    n_words, lengths = len(model.words), model.parameters.lengths
    all_rows = decoded(model.input_vectors)
    vectors = all_rows[:n_words]
    if lengths is None or not len(model.buckets):
        return vectors, None
    subwords = SubwordVectors(
        lengths,
        model.buckets.astype(np.uint64),
        all_rows[n_words:],
        model.parameters.n_buckets,
    )
    start = 0
    for batch in batches(model.words):
        rows, offsets = subwords.find(batch)
        own = np.arange(start, start + len(batch))
        rows = np.insert(rows + n_words, offsets[:-1], own)
        offsets += np.arange(len(offsets))
        # Other words need no row of these any more.
        stop = start + len(batch)
        vectors[start:stop] = mean_rows(offsets, rows, all_rows)
        start = stop
    return vectors, subwords


def fasttext_vector_chunks(words, vectors, subwords):
    """The bytes of a file of fastText, some at a time: a skip-gram model.

    `subwords` have buckets, or are None. A bucket without a row has zeros. The counts
    of words are not known, and 1; the output, which no word vector needs, is zeros.
    """
    n_words, vector_size = vectors.shape
    parameters = FastTextParameters(
        kind="skip-gram",
        loss="negative-sampling",
        vector_size=vector_size,
        word_ngrams=1,
        lengths=subwords and subwords.lengths,
        n_buckets=subwords.n_buckets if subwords is not None else 0,
    )
    matrices = [
        dense_chunks(n_rows, vector_size, rows)
        for n_rows, rows in (
            (n_words + parameters.n_buckets, _input_rows(words, vectors, subwords)),
            (n_words, zero_rows(n_words, vector_size)),
        )
    ]
    yield from fasttext_chunks(
        parameters,
        [word.encode() for word in words],
        np.ones(n_words, dtype=np.int64),
        [],
        np.empty(0, dtype=np.int64),
        matrices,
    )


def _input_rows(words, vectors, subwords):
    if subwords is None:
        step = max(1, CHUNK // vectors.itemsize // vectors.shape[1])
        for start in range(0, len(vectors), step):
            yield vectors[start : start + step]
        return
    start = 0
    for batch in batches(words):
        stop = start + len(batch)
        yield _own_rows(batch, vectors[start:stop], subwords)
        start = stop
    yield from bucket_rows(subwords.hashes, subwords.vectors, subwords.n_buckets)


def _own_rows(words, vectors, subwords):
    """What the vectors of words leave for their own rows."""
    spelled = [word.encode() for word in words]
    ngrams = bucket_ngrams(spelled, subwords.lengths, subwords.n_buckets)
    n_parts = 1 + np.diff(ngrams[1])[:, None]
    rows, offsets = subwords.find(words)
    sums = np.zeros(vectors.shape)
    filled = np.flatnonzero(np.diff(offsets))
    if len(filled):
        parts = subwords.vectors[rows].astype(np.float64)
        sums[filled] = np.add.reduceat(parts, offsets[filled], axis=0)
    return (vectors * n_parts.astype(np.float64) - sums).astype(np.float32)


def zero_rows(n_rows, n_columns):
    """Rows of zeros, some at a time."""
    step = max(1, CHUNK // 4 // n_columns)
    zeros = np.zeros((min(step, n_rows), n_columns), dtype=np.float32)
    for start in range(0, n_rows, step):
        yield zeros[: n_rows - start]


def bucket_rows(buckets, vectors, n_buckets):
    """A row for each bucket, some at a time: of those without one, zeros."""
    step = max(1, CHUNK // 4 // vectors.shape[1])
    for first in range(0, n_buckets, step):
        n_rows = min(step, n_buckets - first)
        start, stop = np.searchsorted(buckets, [first, first + n_rows])
        rows = np.zeros((n_rows, vectors.shape[1]), dtype=np.float32)
        rows[(buckets[start:stop] - first).astype(np.intp)] = vectors[start:stop]
        yield rows
