"""A folder of word vectors that can be mapped into memory: an array, and the words."""

import json
import math
import os
import re

import numpy as np

from skml._folders import check_replaceable, flush, replace_folder
from skml.text._subwords import LONGEST_NGRAM
from skml.text._word_vector_rows import warn_of_bad_rows
from skml.text._word_vector_window import CHUNK

VECTORS, WORDS = "vectors.npy", "words.json"
# Of n-grams, if there are any: the vectors, the hashes in one column, the lengths.
SUBWORDS = SUBWORD_VECTORS, SUBWORD_HASHES, SUBWORD_LENGTHS = (
    "subword_vectors.npy",
    "subword_hashes.npy",
    "subword_lengths.json",
)
FILES = (VECTORS, WORDS, *SUBWORDS)
_DTYPES = {"<f4": "float32", "<u8": "uint64"}
# The header as NumPy writes it. It is not evaluated, as NumPy does.
_HEADER = re.compile(
    rb"\{'descr': '([^']{1,20})', 'fortran_order': (True|False), "
    rb"'shape': \((?:(\d{1,18}), (\d{1,18})|[\d, ]*)\), \} *\n"
)
# Whatever follows a quote matches, so that no text is searched twice.
_STRING = re.compile(r'"[^"\\]*+(?:\\.[^"\\]*+)*+(?:"|\\?\Z)', re.DOTALL)
_LENGTHS = re.compile(r"\s*\[\s*(\d{1,9})\s*,\s*(\d{1,9})\s*\]\s*", re.ASCII)
_SPACE = str.maketrans("", "", " \t\r\n")


def write_folder(path, words, vectors, subwords):
    """Write a folder beside `path`, then let both change places.

    Parameters
    ----------
    path : Path
        The folder. If it is there, it must hold nothing but what this function writes.
    words : list of str
        The words.
    vectors : ndarray of shape (n_words, vector_size), dtype float32
        Their vectors.
    subwords : SubwordVectors or None
        Those of n-grams.
    """
    check_replaceable(path, FILES, "word vectors")

    def write(folder):
        _write_array(folder / VECTORS, vectors, "<f4")
        # A word a line, so that people and their tools can read it.
        _write_json(folder / WORDS, words, indent=0)
        if subwords is not None:
            _write_array(folder / SUBWORD_VECTORS, subwords.vectors, "<f4")
            _write_array(folder / SUBWORD_HASHES, subwords.hashes[:, None], "<u8")
            _write_json(folder / SUBWORD_LENGTHS, list(subwords.lengths))

    replace_folder(path, FILES, write)


def _write_array(path, array, dtype):
    with open(path, "xb") as file:
        header = {"descr": dtype, "fortran_order": False, "shape": array.shape}
        np.lib.format.write_array_header_1_0(file, header)
        step = max(1, CHUNK // (8 * array.shape[1]))
        for start in range(0, len(array), step):
            rows = np.asarray(array[start : start + step], dtype=dtype)
            file.write(np.ascontiguousarray(rows))
        flush(file)


def _write_json(path, value, indent=None):
    with open(path, "x", encoding="ascii") as file:
        file.write(json.dumps(value, indent=indent) + "\n")
        flush(file)


def read_folder(path, options, *, mmap):
    """Read what `write_folder` wrote.

    Parameters
    ----------
    path : Path
        The folder.
    options : Options
        How many rows to read, and what to do with repeated words and bad rows.
    mmap : bool
        Map the vectors into memory instead of reading them.

    Returns
    -------
    vectors : ndarray or memmap of shape (n_words, vector_size), dtype float32
        The vectors.
    words : list of str
        The words.
    subwords : tuple or None
        The lengths, hashes and vectors of n-grams, if there are any.
    """
    missing = [name for name in (VECTORS, WORDS) if not (path / name).is_file()]
    if missing:
        raise ValueError(
            f"{path} is a folder without {' and '.join(missing)}; pass a file, or a "
            "folder that was saved by WordVectors."
        )
    shape, offset = _read_header(path / VECTORS, "<f4")
    words = _read_words(path / WORDS, shape[0])[: options.limit]
    vectors = _read_array(
        path / VECTORS, "<f4", (len(words), shape[1]), offset, mmap=mmap
    )
    kept = _distinct(path / WORDS, words, options.duplicates)
    # Without this, WordVectors checks the vectors, once they are in order.
    if options.on_bad_rows == "skip" or len(kept) < len(words):
        kept = _finite(path, words, vectors, kept, options.on_bad_rows)
    if len(kept) < len(words):
        words, vectors = [words[row] for row in kept], vectors[kept]
    return vectors, words, _read_subwords(path, shape[1], mmap=mmap)


def _read_subwords(path, vector_size, *, mmap):
    """The lengths, hashes and vectors of n-grams; None if there are none."""
    missing = [name for name in SUBWORDS if not (path / name).is_file()]
    if len(missing) == len(SUBWORDS):
        return None
    if missing:
        raise ValueError(
            f"{path} has only a part of the n-grams: it is without "
            f"{' and '.join(missing)}. Fetch or save it again."
        )
    text = (path / SUBWORD_LENGTHS).read_bytes()[:99].decode("latin-1")
    found = _LENGTHS.fullmatch(text)
    if found is None or not 1 <= int(found[1]) <= int(found[2]) <= LONGEST_NGRAM:
        raise ValueError(
            f"{path / SUBWORD_LENGTHS}: expected the lengths of the shortest and the "
            f"longest n-gram, from 1 to {LONGEST_NGRAM}; got {text!r:.60}."
        )
    shape, offset = _read_header(path / SUBWORD_VECTORS, "<f4")
    hashes_shape, hashes_offset = _read_header(path / SUBWORD_HASHES, "<u8")
    if shape[1] != vector_size or hashes_shape != (shape[0], 1):
        raise ValueError(
            f"{path}: {SUBWORD_VECTORS} has the shape {shape} and {SUBWORD_HASHES} "
            f"{hashes_shape}, beside vectors of {vector_size} dimensions; they do not "
            "belong together."
        )
    hashes = _read_array(
        path / SUBWORD_HASHES, "<u8", (shape[0],), hashes_offset, mmap=False
    )
    if (hashes[1:] <= hashes[:-1]).any():
        raise ValueError(f"{path / SUBWORD_HASHES}: the hashes do not ascend.")
    vectors = _read_array(path / SUBWORD_VECTORS, "<f4", shape, offset, mmap=mmap)
    return (int(found[1]), int(found[2])), hashes, vectors


def _read_array(path, dtype, shape, offset, *, mmap):
    if mmap and shape[0]:
        return np.memmap(path, dtype, "r", offset, shape)
    return np.fromfile(path, dtype, math.prod(shape), offset=offset).reshape(shape)


def _read_header(path, dtype):
    """The shape of the array, and where in the file it starts."""
    with open(path, "rb") as file:
        start = file.read(10)
        header = file.read(int.from_bytes(start[8:], "little"))
        size = os.fstat(file.fileno()).st_size
    found = _HEADER.fullmatch(header)
    if start[:8] != b"\x93NUMPY\1\0" or found is None:
        raise ValueError(
            f"{path}: expected an array as NumPy writes it (format 1.0) with a header "
            f"like {{'descr': '<f4', ...}}; got {(start + header)[:80]!r}."
        )
    descr, order, n_rows, n_columns = found.groups()
    expected = f"expected {_DTYPES[dtype]} ({dtype!r}), C order, and two dimensions"
    if b"O" in descr:
        raise ValueError(
            f"{path}: the array holds Python objects, pickled, which could run code "
            f"and are never loaded; {expected}."
        )
    if descr != dtype.encode():
        raise ValueError(
            f"{path}: the dtype is {descr.decode('latin-1')!r}; {expected}."
        )
    if order == b"True":
        raise ValueError(f"{path}: the array is in Fortran order; {expected}.")
    if n_rows is None or int(n_columns) == 0:
        shape = header[header.index(b"(") : header.rindex(b")") + 1].decode()
        raise ValueError(f"{path}: the shape is {shape:.60}; {expected}.")
    shape = int(n_rows), int(n_columns)
    offset = len(start) + len(header)
    expected_size = offset + int(dtype[2:]) * shape[0] * shape[1]
    if expected_size != size:
        raise ValueError(
            f"{path}: an array of shape {shape} takes {expected_size} bytes; the file "
            f"has {size}. It was cut or damaged: fetch it again."
        )
    return shape, offset


def _read_words(path, n_words):
    """A JSON list of so many strings, and of nothing else."""
    try:
        text = path.read_bytes().decode("utf-8")
    except UnicodeDecodeError as error:
        raise ValueError(
            f"{path}: byte offset {error.start} is not UTF-8; expected a JSON list of "
            "words."
        ) from error
    # What a parser makes of brackets, numbers and the like may take twenty times the
    # memory of the file, or nest until the stack ends. So there must be none.
    rest = _STRING.sub("", text).translate(_SPACE)
    if rest[:1] != "[" or rest[-1:] != "]":
        raise ValueError(f"{path}: expected a JSON list of words; got {text!r:.60}.")
    if other := rest[1:-1].strip(","):
        raise ValueError(
            f"{path}: expected a JSON list of words; there is {other!r:.40} among "
            "them, which is no string."
        )
    try:
        words = json.loads(text) if len(rest) == max(2, n_words + 1) else None
    except ValueError as error:
        raise ValueError(f"{path}: expected a JSON list of words; {error}.") from error
    if words is None or len(words) != n_words:
        n_found = len(rest) - 1 if words is None else len(words)
        raise ValueError(
            f"{path} has {n_found} words, and {VECTORS} beside it {n_words} rows; they "
            "do not belong together."
        )
    for row, word in enumerate(words):
        if not word.isascii() and not is_unicode(word):
            raise ValueError(
                f"{path}: word {row}, {word!r:.60}, has half of a surrogate pair."
            )
    return words


def is_unicode(word):
    """Whether a word can be written down: it has no half of a surrogate pair."""
    try:
        word.encode()
    except UnicodeEncodeError:
        return False
    return True


def _distinct(path, words, duplicates):
    """The rows of words that stand first."""
    rows = {}
    for row, word in enumerate(words):
        first = rows.setdefault(word, row)
        if first != row and duplicates == "raise":
            raise ValueError(
                f"{path}: word {row}, {word!r:.60}, is word {first} again; pass "
                'duplicates="first" to read the first alone.'
            )
    return list(rows.values())


def _finite(path, words, vectors, rows, on_bad_rows):
    """Those of the rows whose numbers are finite; raise or warn if there are others."""
    step = max(1, CHUNK // (4 * vectors.shape[1]))
    starts = range(0, len(vectors), step)
    parts = [np.isfinite(vectors[i : i + step]).all(axis=1) for i in starts]
    is_finite = np.concatenate([np.empty(0, dtype=bool), *parts])
    bad = [row for row in rows if not is_finite[row]]
    kept = [row for row in rows if is_finite[row]]
    if bad:
        word = words[bad[0]]
        first = f"row {bad[0]} of {VECTORS}: the vector of {word!r:.60} is not finite"
        if on_bad_rows == "error":
            raise ValueError(f"{path}, {first}.")
        warn_of_bad_rows(path, len(bad), len(words), len(kept), first)
    return kept
