"""fastText's files, byte by byte from the description of the format."""

import struct

import numpy as np

from tests.oracles.fasttext import character_buckets

KINDS = {"cbow": 1, "skip-gram": 2, "supervised": 3}
LOSSES = {"hs": 1, "ns": 2, "softmax": 3, "ova": 4}
END_OF_LINE = "</s>"


def buckets(word, shortest, longest, n_buckets):
    """The buckets of the character n-grams of a word; the end of a line has none."""
    if word == END_OF_LINE:
        return []
    return character_buckets(word, (shortest, longest), n_buckets)


def word_vector(word, rows, words, shortest, longest, n_buckets):
    """The mean of the row of a word, if it has one, and those of its n-grams."""
    parts = [words.index(word)] if word in words else []
    if longest:
        numbers = buckets(word, shortest, longest, n_buckets)
        parts += [len(words) + number for number in numbers]
    return rows[parts].mean(axis=0) if parts else np.zeros(rows.shape[1])


def file_sections(
    rows,
    outputs,
    words,
    labels=(),
    *,
    vector_size=3,
    kind="skip-gram",
    loss="ns",
    n_buckets=0,
    lengths=(0, 0),
    word_ngrams=1,
    version=12,
    kept=None,
    counts=None,
    label_counts=None,
    n_tokens=None,
):
    """The sections of a file by name, each its bytes.

    `kept` are pairs of a bucket and its row, after pruning. `rows` and `outputs` are
    the bytes of a matrix, or its numbers.
    """
    counts = counts or range(len(words), 0, -1)
    label_counts = label_counts or range(len(labels), 0, -1)
    entries = b"".join(
        name.encode() + b"\0" + struct.pack("<qb", count, is_label)
        for names, all_counts, is_label in (
            (words, counts, 0),
            (labels, label_counts, 1),
        )
        for name, count in zip(names, all_counts, strict=True)
    )
    n_entries = len(words) + len(labels)
    n_tokens = n_tokens or sum(counts) + sum(label_counts)
    n_kept = -1 if kept is None else len(kept)
    return {
        "header": struct.pack("<2i", 793712314, version),
        "parameters": struct.pack(
            "<12id",
            *(vector_size, 5, 5, 1, 5, word_ngrams, LOSSES[loss], KINDS[kind]),
            *(n_buckets, *lengths, 100, 1e-4),
        ),
        "dictionary, sizes": struct.pack(
            "<3i2q", n_entries, len(words), len(labels), n_tokens, n_kept
        ),
        "dictionary, entry": entries,
        "dictionary, pruned buckets": b"".join(
            struct.pack("<2i", *pair) for pair in kept or ()
        ),
        "input matrix": matrix(rows),
        "output matrix": matrix(outputs),
    }


def matrix(rows):
    """The mark of a dense matrix, its shape and numbers; ready bytes are kept."""
    if isinstance(rows, bytes):
        return rows
    return b"\0" + struct.pack("<2q", *rows.shape) + rows.astype("<f4").tobytes()


def quantised(codes, centroids, norm_codes=None, norms=None):
    """The bytes of a quantised matrix, and its numbers.

    The centroids are those of each part, of the shape (256, its size).
    """
    n_rows, n_parts = codes.shape
    sizes = [part.shape[1] for part in centroids]
    data = b"\1" + struct.pack(
        "<?2qi", norms is not None, n_rows, sum(sizes), codes.size
    )
    data += codes.tobytes()
    data += struct.pack("<4i", sum(sizes), n_parts, sizes[0], sizes[-1])
    data += b"".join(part.astype("<f4").tobytes() for part in centroids)
    rows = np.array(
        [
            np.concatenate([centroids[m][code] for m, code in enumerate(row)])
            for row in codes
        ]
    )
    if norms is not None:
        data += norm_codes.tobytes() + struct.pack("<4i", 1, 1, 1, 1)
        data += norms.astype("<f4").tobytes()
        rows = rows * norms[norm_codes][:, None]
    return data, rows
