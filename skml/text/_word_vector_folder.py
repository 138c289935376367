"""A folder of word vectors that can be mapped into memory: an array, and the words."""

import json
import os
import re
import secrets

import numpy as np

from skml.text._word_vector_window import CHUNK

VECTORS, WORDS = "vectors.npy", "words.json"
# The header as NumPy writes it. It is not evaluated, as NumPy does.
_HEADER = re.compile(
    rb"\{'descr': '([^']{1,20})', 'fortran_order': (True|False), "
    rb"'shape': \((?:(\d{1,18}), (\d{1,18})|[\d, ]*)\), \} *\n"
)
# Whatever follows a quote matches, so that no text is searched twice.
_STRING = re.compile(r'"[^"\\]*+(?:\\.[^"\\]*+)*+(?:"|\\?\Z)', re.DOTALL)
_SPACE = str.maketrans("", "", " \t\r\n")


def write_folder(path, words, vectors):
    """Write a folder beside `path`, then let both change places.

    Parameters
    ----------
    path : Path
        The folder. If it is there, it must hold nothing but what this function writes.
    words : list of str
        The words.
    vectors : ndarray of shape (n_words, vector_size), dtype float32
        Their vectors.
    """
    if path.exists() and not path.is_dir():
        raise ValueError(f"{path} is a file; pass the name of a folder.")
    others = (
        {p.name for p in path.iterdir()} - {VECTORS, WORDS} if path.exists() else {}
    )
    if others:
        raise ValueError(
            f"{path} holds {min(others)!r:.60}, and would be replaced as a whole; pass "
            "a new name, or a folder with nothing but word vectors."
        )
    new, old = (path.with_name(f".{secrets.token_hex(8)}.tmp") for _ in range(2))
    try:
        new.mkdir()
        _write_files(new, words, vectors)
        if path.exists():
            os.replace(path, old)
        try:
            os.replace(new, path)
        except BaseException:
            if old.exists():
                os.replace(old, path)
            raise
    finally:
        for folder in (new, old):
            _remove(folder)


def _write_files(folder, words, vectors):
    with open(folder / VECTORS, "xb") as file:
        header = {"descr": "<f4", "fortran_order": False, "shape": vectors.shape}
        np.lib.format.write_array_header_1_0(file, header)
        step = max(1, CHUNK // (4 * vectors.shape[1]))
        for start in range(0, len(vectors), step):
            rows = np.asarray(vectors[start : start + step], dtype="<f4")
            file.write(np.ascontiguousarray(rows))
        flush(file)
    with open(folder / WORDS, "x", encoding="ascii") as file:
        # A word a line, so that people and their tools can read it.
        file.write(json.dumps(words, indent=0) + "\n")
        flush(file)


def flush(file):
    """See to it that the data are on the disk before the name is."""
    file.flush()
    os.fsync(file.fileno())


def _remove(folder):
    if folder.exists():
        for name in (VECTORS, WORDS):
            (folder / name).unlink(missing_ok=True)
        folder.rmdir()


def read_folder(path, *, mmap, limit, duplicates):
    """Read what `write_folder` wrote.

    Parameters
    ----------
    path : Path
        The folder.
    mmap : bool
        Map the vectors into memory instead of reading them.
    limit : int
        Read at most so many rows.
    duplicates : {"raise", "first"}
        What to do with a word that stands twice.

    Returns
    -------
    vectors : ndarray or memmap of shape (n_words, vector_size), dtype float32
        The vectors.
    words : list of str
        The words.
    """
    missing = [name for name in (VECTORS, WORDS) if not (path / name).is_file()]
    if missing:
        raise ValueError(
            f"{path} is a folder without {' and '.join(missing)}; pass a file, or a "
            "folder that was saved by WordVectors."
        )
    shape, offset = _read_header(path / VECTORS)
    words = _read_words(path / WORDS, shape[0])[:limit]
    shape = len(words), shape[1]
    if mmap and words:
        vectors = np.memmap(path / VECTORS, "<f4", "r", offset, shape)
    else:
        vectors = np.fromfile(path / VECTORS, "<f4", shape[0] * shape[1], offset=offset)
        vectors = vectors.reshape(shape)
    kept = _distinct(path / WORDS, words, duplicates)
    if kept is not None:
        words, vectors = [words[row] for row in kept], vectors[kept]
    return vectors, words


def _read_header(path):
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
    dtype, order, n_words, vector_size = found.groups()
    expected = "expected float32 ('<f4'), C order, and two dimensions"
    if b"O" in dtype:
        raise ValueError(
            f"{path}: the array holds Python objects, pickled, which could run code "
            f"and are never loaded; {expected}."
        )
    if dtype != b"<f4":
        raise ValueError(
            f"{path}: the dtype is {dtype.decode('latin-1')!r}; {expected}."
        )
    if order == b"True":
        raise ValueError(f"{path}: the array is in Fortran order; {expected}.")
    if n_words is None or int(vector_size) == 0:
        shape = header[header.index(b"(") : header.rindex(b")") + 1].decode()
        raise ValueError(f"{path}: the shape is {shape:.60}; {expected}.")
    shape = int(n_words), int(vector_size)
    offset = len(start) + len(header)
    if offset + 4 * shape[0] * shape[1] != size:
        raise ValueError(
            f"{path}: an array of shape {shape} takes "
            f"{offset + 4 * shape[0] * shape[1]} bytes; the file has {size}. It was "
            "cut or damaged: fetch it again."
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
    """The rows of words that stand first; None if that is all."""
    rows = {}
    for row, word in enumerate(words):
        first = rows.setdefault(word, row)
        if first != row and duplicates == "raise":
            raise ValueError(
                f"{path}: word {row}, {word!r:.60}, is word {first} again; pass "
                'duplicates="first" to read the first alone.'
            )
    return None if len(rows) == len(words) else list(rows.values())
