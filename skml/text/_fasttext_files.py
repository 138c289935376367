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
from contextlib import contextmanager
from dataclasses import dataclass
from math import prod

import numpy as np

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
SHAPE = struct.Struct("<2q")
_QUANTIZER = struct.Struct("<4i")
# Centroids of each part of a vector.
_N_CENTROIDS = 256
# A quantised matrix may take so many times the memory of its codes.
_MOST_TIMES = 256
# Arrays of compressed files, whose size is not known, begin with so many items.
_ROOM = 1 << 16


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
    (of a classifier) or word, are None if they were not asked for.
    """

    parameters: FastTextParameters
    words: list
    word_counts: np.ndarray
    labels: list
    label_counts: np.ndarray
    buckets: np.ndarray
    input_vectors: np.ndarray
    output_vectors: np.ndarray | None


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
    reader = _Reader(window)
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


class _Reader:
    """Reads numbers, names the section that is read, and checks sizes before."""

    def __init__(self, window):
        self.window = window
        self._sections = []

    @contextmanager
    def section(self, name):
        """Name what is read, for errors."""
        self._sections.append(name)
        yield
        self._sections.pop()

    def error(self, problem):
        """An error at the place that was reached."""
        window = self.window
        section = ", ".join(self._sections) or "header"
        where = window.where(window.start)
        return ValueError(f"{window.path}, {section}, {where}: {problem}.")

    def _cut_off(self, n_bytes, n_left):
        return self.error(
            f"expected {n_bytes} bytes, the file has {n_left} more. It was cut off: "
            "fetch it again; or a size in it is wrong"
        )

    def check_room(self, n_bytes):
        """Refuse what is longer than the rest of the file, as far as that is known."""
        n_left = self.window.n_left()
        if n_left is not None and n_bytes > n_left:
            raise self._cut_off(n_bytes, n_left)

    def unpack(self, layout):
        """Some numbers."""
        window = self.window
        if not window.require(layout.size):
            raise self._cut_off(layout.size, window.stop - window.start)
        numbers = layout.unpack_from(window.data, window.start)
        window.start += layout.size
        return numbers

    def flag(self, name):
        """One byte that is 0 or 1."""
        (value,) = self.unpack(struct.Struct("<B"))
        if value > 1:
            raise self.error(f"{name} is {value}; expected 0 or 1")
        return bool(value)

    def array(self, shape, dtype, skipped=range(0)):
        """An array without a range of its rows; it takes memory as the file has bytes.

        That is at once if the size of the file is known, and else step by step.
        """
        dtype = np.dtype(dtype)
        n_columns = prod(shape[1:])
        self.check_room(shape[0] * n_columns * dtype.itemsize)
        n_rows = shape[0] - len(skipped)
        n_items = n_rows * n_columns
        n_now = min(n_items, _ROOM) if self.window.is_compressed else n_items
        array = np.empty(n_now, dtype)
        self._fill(array, 0, skipped.start * n_columns)
        if skipped:
            self._skip(len(skipped) * n_columns * dtype.itemsize)
        self._fill(array, skipped.start * n_columns, n_items)
        array = array.reshape(n_rows, *shape[1:])
        return array.astype(dtype.newbyteorder("="), copy=False)

    def _fill(self, array, start, stop):
        """Read some items of a flat array, which may have to grow for them."""
        while start < stop:
            if start == len(array):
                array.resize(min(stop, 2 * start), refcheck=False)
            end = min(stop, len(array))
            with memoryview(array[start:end].view(np.uint8)) as view:
                n_came = self.window.read_into(view)
                if n_came < len(view):
                    raise self._cut_off((stop - start) * array.itemsize, n_came)
            start = end

    def _skip(self, n_bytes):
        n_came = self.window.skip(n_bytes)
        if n_came < n_bytes:
            raise self._cut_off(n_bytes, n_came)


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
        read = _read_quantised if is_quantised else _read_dense
        vectors = read(reader, shape, range(n_wanted, n_words))
    if rows is not None:
        vectors[n_wanted:] = vectors[n_wanted + rows]
    return vectors, is_quantised


def _read_output(reader, parameters, dictionary, is_quantised, is_wanted):
    n_rows = dictionary.n_words
    if parameters.kind == "supervised":
        n_rows = len(dictionary.names) - n_rows
    shape = n_rows, parameters.vector_size
    with reader.section("output matrix"):
        is_quantised &= reader.flag("the quantisation flag")
        read = _read_quantised if is_quantised else _read_dense
        vectors = read(reader, shape, range(n_rows if is_wanted else 0, n_rows))
    return vectors if is_wanted else None


def _check_shape(reader, shape):
    found = reader.unpack(SHAPE)
    if found != shape:
        raise reader.error(
            f"its shape is {found}; expected {shape}, by the parameters and the "
            "dictionary"
        )


def _read_dense(reader, shape, skipped):
    """The rows of a matrix without those of a range."""
    _check_shape(reader, shape)
    return reader.array(shape, "<f4", skipped)


def _read_quantised(reader, shape, skipped):
    """The rows of a matrix that is product-quantised, without those of a range.

    A row is in parts, of each of which there is the number of its nearest centroid. Its
    length may be quantised by itself.
    """
    has_norms = reader.flag("the norms flag")
    _check_shape(reader, shape)
    n_rows, n_columns = shape
    (n_codes,) = reader.unpack(struct.Struct("<i"))
    if n_codes < 0 or (n_codes % n_rows if n_rows else n_codes):
        raise reader.error(f"{n_codes} codes for {n_rows} rows do not belong together")
    codes = reader.array((n_rows, n_codes // max(1, n_rows)), np.uint8)
    with reader.section("centroids"):
        n_parts = codes.shape[1] if n_rows else None
        centroids = _read_centroids(reader, n_columns, n_parts)
    if has_norms:
        norm_codes = reader.array((n_rows,), np.uint8)
        with reader.section("norms"):
            (norms,) = _read_centroids(reader, 1, 1)
    if 4 * n_rows * n_columns > _MOST_TIMES * (n_codes + 4 * n_columns * _N_CENTROIDS):
        raise reader.error(
            f"its vectors take more than {_MOST_TIMES} times the memory of its codes; "
            "quantise it with smaller parts (dsub)"
        )
    kept = np.r_[: skipped.start, skipped.stop : n_rows] if skipped else slice(None)
    codes = codes[kept]
    vectors = np.empty((len(codes), n_columns), dtype=np.float32)
    start = 0
    for part, column in zip(centroids, codes.T, strict=False):
        stop = start + part.shape[1]
        vectors[:, start:stop] = part[column]
        start = stop
    if has_norms:
        # What is not finite is refused later.
        with np.errstate(over="ignore", invalid="ignore"):
            vectors *= norms[norm_codes[kept]]
    return vectors


def _read_centroids(reader, n_columns, n_parts):
    """The centroids of each of so many parts, or of any number."""
    found = reader.unpack(_QUANTIZER)
    size = found[2]
    expected = ()
    if size > 0:
        last = n_columns % size or size
        expected = n_columns, -(-n_columns // size), size, last
    if found != expected or n_parts not in (None, found[1]):
        raise reader.error(
            f"vectors of {found[0]} dimensions in {found[1]} parts of {size}, the last "
            f"of {found[3]}, do not belong to a matrix of {n_columns} columns, with "
            f"{n_parts or 'any number of'} codes in each row"
        )
    numbers = reader.array((n_columns * _N_CENTROIDS,), "<f4")
    bounds = np.arange(size, n_columns, size) * _N_CENTROIDS
    return [part.reshape(_N_CENTROIDS, -1) for part in np.split(numbers, bounds)]


# Writing


def fasttext_chunks(
    parameters, words, word_counts, labels, label_counts, input_rows, output_rows
):
    """The bytes of a file that is not quantised, some at a time.

    Words and labels are bytes. The rows of both matrices come in parts: first those of
    the words, then those of all buckets; those of the labels, or of the words.
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
    yield SIZES.pack(len(words) + len(labels), len(words), len(labels), n_tokens, -1)
    for kind, names, counts in ((0, words, word_counts), (1, labels, label_counts)):
        for name, count in zip(names, counts.tolist(), strict=True):
            yield name + b"\0" + ENTRY.pack(count, kind)
    n_outputs = len(labels) if parameters.kind == "supervised" else len(words)
    for n_rows, rows in (
        (len(words) + parameters.n_buckets, input_rows),
        (n_outputs, output_rows),
    ):
        yield b"\0" + SHAPE.pack(n_rows, size)
        for part in rows:
            yield part.astype("<f4", copy=False).tobytes()
