"""fastText's own files, .bin and .ftz, read to a plain value.

Such a file is the bytes of what the program holds, in this order: two numbers that
name the format and its version; the parameters; the dictionary, of words, labels, and
the buckets that pruning left; the input matrix, with a row for each word and, behind
them, for each bucket of n-grams; the output matrix, with a row for each label or word.
A matrix may be quantised (Joulin et al. 2016, FastText.zip). All is least significant
byte first.

Files are taken to be hostile: every size is compared with what is left of the file
before memory is taken for it, and with the other sizes.
"""

import struct
from dataclasses import dataclass

import numpy as np

from skml.text._fasttext_matrices import read_matrix
from skml.text._fasttext_reader import FastTextReader
from skml.text._quantized import QuantizedVectors
from skml.text._subwords import LONGEST_NGRAM
from skml.text._word_vector_rows import LARGEST_VECTOR, LONGEST_WORD
from skml.text._word_vector_window import Window

MAGIC = b"\xba\x16\x4f\x2f"
# In version 11, classifiers have no character n-grams, whatever their parameters say.
VERSION, _OLD_VERSION = 12, 11
KINDS = {1: "cbow", 2: "skip-gram", 3: "supervised"}
LOSSES = {
    1: "hierarchical-softmax",
    2: "negative-sampling",
    3: "softmax",
    4: "one-vs-all",
}
_NUMBERS = {name: number for names in (KINDS, LOSSES) for number, name in names.items()}
PARAMETERS = struct.Struct("<12id")
SIZES = struct.Struct("<3i2q")
ENTRY = struct.Struct("<qb")


@dataclass(frozen=True, kw_only=True)
class FastTextParameters:
    """The parameters of a file that say what is in it, and how it predicts.

    `lengths` are those of the shortest and the longest character n-gram, or None if
    there are none. `n_buckets` is the number of buckets by which n-grams are hashed.
    """

    kind: str
    loss: str
    vector_size: int
    word_ngrams: int
    lengths: tuple | None
    n_buckets: int


@dataclass(frozen=True, kw_only=True, eq=False)
class FastTextModel:
    """What a file holds.

    Words and labels are bytes, as those are what is hashed. The rows of
    `input_vectors` are those of the words, and then those of `buckets`, which ascend
    and are some or all of ``range(n_buckets)``. `output_vectors`, a row for each label
    (of a classifier) or word, are None if they were not asked for. Either is quantised
    if it is in the file.
    """

    parameters: FastTextParameters
    words: list
    word_counts: np.ndarray
    labels: list
    label_counts: np.ndarray
    buckets: np.ndarray
    input_vectors: np.ndarray | QuantizedVectors
    output_vectors: np.ndarray | QuantizedVectors | None


# Reading


def open_fasttext(path):
    """Read all of the model in a file."""
    if path.exists() and not path.is_file():
        raise ValueError(f"{path} is no file; expected a model of fastText.")
    with open(path, "rb", buffering=0) as file:
        return read_fasttext(Window(path, file))


def read_fasttext(window, *, limit=None, with_output=True):
    """Read a model from the start of a `Window`.

    Of the words, only the first `limit` may be wanted. Without output, the size of that
    matrix is checked and its numbers are left out.
    """
    reader = FastTextReader(window)
    is_old = _read_version(reader)
    parameters = _read_parameters(reader, is_old)
    dictionary = _read_dictionary(reader, parameters)
    n_words = min(dictionary.n_words, limit or dictionary.n_words)
    vectors, is_quantised = _read_input(reader, parameters, dictionary, n_words)
    output = _read_output(reader, parameters, dictionary, is_quantised, with_output)
    with reader.section("end"):
        if window.require(1):
            raise reader.error("expected the end of the file, got more bytes")
    buckets = dictionary.buckets
    if buckets is None:
        buckets = np.arange(parameters.n_buckets)
    return FastTextModel(
        parameters=parameters,
        words=dictionary.names[:n_words],
        word_counts=dictionary.counts[:n_words],
        labels=dictionary.names[dictionary.n_words :],
        label_counts=dictionary.counts[dictionary.n_words :],
        buckets=buckets,
        input_vectors=vectors,
        output_vectors=output,
    )


# Parameters


def _read_version(reader):
    """Check what the file is; return whether it is of the version before."""
    window = reader.window
    if not window.require(len(MAGIC)) or not window.data.startswith(MAGIC):
        start = bytes(window.data[: min(len(MAGIC), window.stop)])
        raise reader.error(
            f"expected the bytes {MAGIC!r}, with which a model of fastText (.bin, "
            f".ftz) begins, got {start!r}"
        )
    window.start += len(MAGIC)
    (version,) = reader.unpack(struct.Struct("<i"))
    if version not in (_OLD_VERSION, VERSION):
        raise reader.error(
            f"the version of the format is {version}; {_OLD_VERSION} and {VERSION} are "
            "read. Save the model again with a current fastText, or fetch a newer file"
        )
    return version == _OLD_VERSION


def _read_parameters(reader, is_old):
    with reader.section("parameters"):
        numbers = reader.unpack(PARAMETERS)
        vector_size, _, _, _, _, word_ngrams, loss, kind, n_buckets = numbers[:9]
        shortest, longest = numbers[9:11]
        if kind not in KINDS:
            raise reader.error(f"the kind of model is {kind}; expected {_shown(KINDS)}")
        if loss not in LOSSES:
            raise reader.error(f"the loss is {loss}; expected {_shown(LOSSES)}")
        if not 0 < vector_size <= LARGEST_VECTOR:
            raise reader.error(
                f"vectors of {vector_size} dimensions; expected 1 to {LARGEST_VECTOR}"
            )
        if n_buckets < 0:
            raise reader.error(f"{n_buckets} buckets of n-grams; expected 0 or more")
        if longest > LONGEST_NGRAM:
            raise reader.error(
                f"character n-grams of up to {longest} characters; expected up to "
                f"{LONGEST_NGRAM}"
            )
        if is_old and kind == 3:
            longest = 0
    lengths = max(1, shortest), longest
    return FastTextParameters(
        kind=KINDS[kind],
        loss=LOSSES[loss],
        vector_size=vector_size,
        word_ngrams=max(1, word_ngrams),
        lengths=lengths if n_buckets and lengths[0] <= longest else None,
        n_buckets=n_buckets,
    )


def _shown(names):
    return ", ".join(f"{number} ({name})" for number, name in names.items())


# Dictionary


@dataclass(frozen=True, kw_only=True)
class _Dictionary:
    """The words and, behind them, the labels; and the buckets that have a row.

    After pruning, these are `buckets`, ascending, and their rows are in the order of
    `rows`. Both are None if all buckets have one.
    """

    names: list
    counts: np.ndarray
    n_words: int
    buckets: np.ndarray | None
    rows: np.ndarray | None


def _read_dictionary(reader, parameters):
    with reader.section("dictionary, sizes"):
        n_entries, n_words, n_labels, n_tokens, n_kept = reader.unpack(SIZES)
        if min(n_words, n_labels, n_tokens) < 0 or n_words + n_labels != n_entries:
            raise reader.error(
                f"{n_entries} entries, {n_words} words, {n_labels} labels and "
                f"{n_tokens} tokens do not belong together"
            )
        if not -1 <= n_kept <= parameters.n_buckets:
            raise reader.error(
                f"{n_kept} buckets that pruning left; expected up to "
                f"{parameters.n_buckets}, or -1"
            )
        # An entry is a byte at least, a NUL behind, its count and its kind.
        reader.check_room(n_entries * (2 + ENTRY.size) + 8 * max(0, n_kept))
    names, counts = _read_entries(reader, n_entries, n_words)
    with reader.section("dictionary, pruned buckets"):
        buckets, rows = _read_kept(reader, n_kept, parameters.n_buckets)
    return _Dictionary(
        names=names, counts=counts, n_words=n_words, buckets=buckets, rows=rows
    )


def _read_entries(reader, n_entries, n_words):
    """The words and labels, and how often each occurred."""
    window, names, counts = reader.window, [], []
    for entry in range(n_entries):
        end = window.data.find(b"\0", window.start, window.stop)
        if not 0 <= end <= window.stop - ENTRY.size - 1:
            end = _find_end(reader, entry)
        count, kind = ENTRY.unpack_from(window.data, end + 1)
        if end == window.start or kind != (entry >= n_words) or count < 0:
            raise _entry_error(reader, entry, n_words, end, count, kind)
        names.append(bytes(window.data[window.start : end]))
        counts.append(count)
        window.start = end + 1 + ENTRY.size
    if sum(counts) >= 1 << 63:
        raise reader.error("the counts of the dictionary do not add up to 64 bits")
    return names, np.array(counts, dtype=np.int64)


def _find_end(reader, entry):
    """Where a name ends, once all of the entry is in memory."""
    window = reader.window
    with reader.section(f"dictionary, entry {entry}"):
        while (end := window.data.find(b"\0", window.start, window.stop)) < 0:
            if window.stop - window.start > LONGEST_WORD:
                raise reader.error(f"a word has more than {LONGEST_WORD} bytes")
            if not window.fill():
                raise reader.error(
                    "the file ends within a word. It was cut off: fetch it again"
                )
        n_bytes = end + 1 - window.start
        if not window.require(n_bytes + ENTRY.size):
            raise reader.error(
                "the file ends behind a word. It was cut off: fetch it again"
            )
    return window.start + n_bytes - 1


def _entry_error(reader, entry, n_words, end, count, kind):
    name = bytes(reader.window.data[reader.window.start : end])
    with reader.section(f"dictionary, entry {entry}"):
        expected = "a label (1)" if entry >= n_words else "a word (0)"
        return reader.error(
            f"{name!r:.60} with the count {count} and the kind {kind}; expected "
            f"{expected} of at least one byte, with a count of 0 or more"
        )


def _read_kept(reader, n_kept, n_buckets):
    """The buckets that have a row, ascending, and the row of each; None if all have."""
    if n_kept < 0:
        return None, None
    pairs = reader.array((n_kept, 2), "<i4")
    order = np.argsort(pairs[:, 0], kind="stable")
    buckets, rows = pairs[order].T.astype(np.int64)
    is_right = (
        (buckets[1:] > buckets[:-1]).all()
        and (n_kept == 0 or (buckets[0] >= 0 and buckets[-1] < n_buckets))
        and np.array_equal(np.sort(rows), np.arange(n_kept))
    )
    if not is_right:
        raise reader.error(
            f"expected {n_kept} distinct buckets of 0 to {n_buckets - 1}, and a row of "
            "its own for each"
        )
    return buckets, rows


# Matrices


def _read_input(reader, parameters, dictionary, n_wanted):
    """The rows of the first words and of all buckets; whether they are quantised."""
    n_words, rows = dictionary.n_words, dictionary.rows
    n_buckets = parameters.n_buckets if rows is None else len(rows)
    shape = n_words + n_buckets, parameters.vector_size
    with reader.section("input matrix"):
        is_quantised = reader.flag("the quantisation flag")
        if rows is not None and not is_quantised:
            raise reader.error(
                "it is not quantised, but the dictionary is pruned, and the one only "
                "goes with the other. fastText refuses such a file, too: fetch a "
                "newer one"
            )
        skipped = range(n_wanted, n_words)
        vectors = read_matrix(reader, shape, skipped, is_quantised=is_quantised)
    if rows is not None:
        vectors = vectors[np.concatenate([np.arange(n_wanted), n_wanted + rows])]
    return vectors, is_quantised


def _read_output(reader, parameters, dictionary, is_quantised, is_wanted):
    n_rows = dictionary.n_words
    if parameters.kind == "supervised":
        n_rows = len(dictionary.names) - n_rows
    shape = n_rows, parameters.vector_size
    with reader.section("output matrix"):
        is_quantised &= reader.flag("the quantisation flag")
        skipped = range(n_rows if is_wanted else 0, n_rows)
        vectors = read_matrix(reader, shape, skipped, is_quantised=is_quantised)
    return vectors if is_wanted else None


# Writing


def fasttext_chunks(
    parameters, words, word_counts, labels, label_counts, matrices, buckets=None
):
    """The bytes of a file, some at a time.

    Words and labels are bytes. The matrices, of the input and the output, are chunks of
    bytes. The rows of the input are those of the words, then those of all buckets, or
    of the given ones; those of the output are of the labels, or of the words.
    """
    size, lengths = parameters.vector_size, parameters.lengths or (0, 0)
    loss, kind = _NUMBERS[parameters.loss], _NUMBERS[parameters.kind]
    yield MAGIC + struct.pack("<i", VERSION)
    # What training needs has the defaults of fastText: window, epochs, least count,
    # negatives; the rate at which it updates; sub-sampling.
    yield PARAMETERS.pack(
        *(size, 5, 5, 1, 5, parameters.word_ngrams, loss, kind),
        *(parameters.n_buckets, *lengths, 100, 1e-4),
    )
    n_tokens = int(np.sum(word_counts) + np.sum(label_counts))
    n_kept = -1 if buckets is None else len(buckets)
    n_entries = len(words) + len(labels)
    yield SIZES.pack(n_entries, len(words), len(labels), n_tokens, n_kept)
    for kind, names, counts in ((0, words, word_counts), (1, labels, label_counts)):
        for name, count in zip(names, counts.tolist(), strict=True):
            yield name + b"\0" + ENTRY.pack(count, kind)
    if buckets is not None:
        pairs = np.column_stack([buckets, np.arange(n_kept)])
        yield pairs.astype("<i4").tobytes()
    for chunks in matrices:
        yield from chunks
