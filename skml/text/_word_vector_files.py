"""Files of word vectors: word2vec's two formats, GloVe's, and fastText's models.

Files are taken to be hostile. What a header claims is compared with the size of the
file before memory is taken for it. A compressed file has no size to compare with, and
one of GloVe no header: there, memory grows with the rows that were really read.
"""

import codecs
import os
import re
import secrets
import sys
from collections import Counter
from contextlib import contextmanager
from importlib import import_module
from numbers import Integral
from pathlib import Path

import numpy as np

from skml._folders import flush
from skml.text._fasttext_files import MAGIC
from skml.text._fasttext_vectors import fasttext_vector_chunks, read_fasttext_vectors
from skml.text._word_vector_rows import (
    BLANKS,
    LARGEST_VECTOR,
    LONGEST_WORD,
    NOT_FINITE,
    NUMBER,
    BinaryLayout,
    Options,
    TextLayout,
    WordVectorRows,
)
from skml.text._word_vector_window import CHUNK, Window

FORMATS = ("word2vec-text", "word2vec-binary", "glove", "fasttext-bin", "folder")
_SUFFIXES = {
    ".bin": "word2vec-binary",
    ".txt": "word2vec-text",
    ".vec": "word2vec-text",
    "": "folder",
}
_COMPRESSED = {".gz": "gzip", ".bz2": "bz2", ".xz": "lzma"}
# How files start that hold something else, and what to do.
_OTHERS = {
    rb"PK\x03\x04": "a zip archive; unpack it first",
    rb"\x28\xb5\x2f\xfd": "compressed by zstd; decompress it first",
    re.escape(MAGIC): 'a model of fastText; pass format="fasttext-bin", or none',
    rb"\x80": (
        "a pickle, which could run code and is never opened; where it comes from, "
        "save_word2vec_format writes what is read here"
    ),
    rb"\x93NUMPY": "an array without words; pass it and the words to WordVectors",
    rb"\xff\xfe|\xfe\xff": "text in UTF-16; save it as UTF-8",
}
_LONGEST_MAGIC = 8

# What ends a word for a C program, or a field; elsewhere, what cannot be read back.
_SEPARATOR = re.compile(r"[\0\t-\r ]")
_OTHER_SEPARATORS = {
    "word2vec-binary": re.compile(r"[\0 ]|\A\n"),
    "fasttext-bin": re.compile(r"\0"),
}
_HEADER = re.compile(rb"[ \t]*([+-]?\d+)[ \t]+([+-]?\d+)[ \t]*(?:\r?\n|\Z)")
_LONGEST_HEADER = 128
# The first lines of a file without a header tell the size of its vectors.
_FIRST_LINES = 8
# So many bytes tell text from binary; so many by themselves are no chance.
_SAMPLE = 4096
_NO_CHANCE = 8
_CONTROL = re.compile(rb"[\0-\x08\x0b\x0c\x0e-\x1f\x7f]")
_PRINTABLE = re.compile(rb"[!-~]+")
_FIRST_LINE = re.compile(rb"[\r\n]*([^\n]*)")


def _check_choice(name, value, choices):
    if value not in choices:
        shown = ", ".join(map(repr, choices))
        raise ValueError(f"{name} must be one of {shown}; got {value!r:.60}.")


# Writing


def write_word_vectors(path, words, vectors, subwords, format):
    """Write words and vectors to a file; what was at `path` stays if that fails.

    The n-grams are written if the format can hold them.
    """
    _check_writable(words, vectors, format, path)
    if format == "fasttext-bin":
        _check_buckets(subwords, path)
        chunks = fasttext_vector_chunks(words, vectors, subwords)
    else:
        chunks = _chunks(words, vectors, format)
    write_chunks(path, chunks)


def write_chunks(path, chunks):
    """Write bytes to a file, compressed if its name ends so, once all are there."""
    if path.is_dir():
        raise ValueError(f"{path} is a folder; pass the name of a file.")
    with _replacing(path) as temporary, open(temporary, "xb") as file:
        with _compressing(file, path.suffix.lower()) as out:
            for chunk in chunks:
                out.write(chunk)
        flush(file)


def choose_format(path, format):
    """The path through links, and the format."""
    _check_choice("format", format, ("auto", *FORMATS))
    path = real_path(path)
    return path, _format_of_name(path) if format == "auto" else format


def real_path(path):
    """The path through links, so that what it names is replaced."""
    return Path(os.path.realpath(os.fsdecode(path)))


def _format_of_name(path):
    name = path.name
    if path.suffix.lower() in _COMPRESSED:
        name = path.stem
        if not Path(name).suffix:
            name += ".?"
    suffix = Path(name).suffix.lower()
    if suffix not in _SUFFIXES:
        raise ValueError(
            f"{path}: the name does not tell the format. Let it end in .bin, .txt or "
            ".vec, and .gz, .bz2 or .xz behind that, or in nothing for a folder; or "
            f"pass format=, one of {', '.join(FORMATS)}."
        )
    return _SUFFIXES[suffix]


def _check_writable(words, vectors, format, path):
    """Refuse what could not be read back as it is."""
    for row, word in enumerate(words):
        if problem := _problem_of(word, format):
            raise ValueError(
                f"{path}: the word {word!r:.60} in row {row} {problem}. Leave it out, "
                'or pass format="folder".'
            )
    if vectors.shape[1] > LARGEST_VECTOR:
        raise ValueError(
            f"{path}: {vectors.shape[1]} dimensions are more than the {LARGEST_VECTOR} "
            'that are read back from such a file; pass format="folder".'
        )
    if format == "glove" and not words:
        raise ValueError(
            f"{path}: without a word, a file of GloVe does not tell the size of the "
            'vectors; pass format="word2vec-text".'
        )


def _check_buckets(subwords, path):
    """Refuse n-grams that do not share rows as those of fastText do."""
    if subwords is not None and subwords.n_buckets is None:
        raise ValueError(
            f"{path}: these n-grams have a row each, where fastText has buckets that "
            'they share. Pass format="folder", which keeps them; or leave them out: '
            "WordVectors(words.vectors, words.words).save."
        )


def _problem_of(word, format):
    if not _is_unicode(word):
        return "has half of a surrogate pair, which no file of words can hold"
    if not word:
        return f"is empty, which the format {format} cannot hold"
    separators = _OTHER_SEPARATORS.get(format, _SEPARATOR)
    if separator := separators.search(word):
        return f"has {separator[0]!r} in it, which the format {format} cannot hold"
    if len(word.encode()) > LONGEST_WORD:
        return f"has more than {LONGEST_WORD} bytes"
    return ""


def _is_unicode(word):
    """Whether a word can be written down: it has no half of a surrogate pair."""
    try:
        word.encode()
    except UnicodeEncodeError:
        return False
    return True


@contextmanager
def _replacing(path):
    """A name beside `path`; what is there takes its place if nothing goes wrong."""
    temporary = path.with_name(f".{secrets.token_hex(8)}.tmp")
    try:
        yield temporary
        os.replace(temporary, path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


@contextmanager
def _compressing(file, suffix):
    if suffix not in _COMPRESSED:
        yield file
        return
    module = import_module(_COMPRESSED[suffix])
    if suffix == ".gz":
        # Neither time nor name in it: the same vectors make the same file.
        out = module.GzipFile("", "wb", compresslevel=6, fileobj=file, mtime=0)
    else:
        out = (module.BZ2File if suffix == ".bz2" else module.LZMAFile)(file, "wb")
    with out:
        yield out


def _chunks(words, vectors, format):
    """The bytes of a file, some rows at a time."""
    n_words, size = vectors.shape
    if format != "glove":
        yield f"{n_words} {size}\n".encode()
    step = max(1, CHUNK // (4 * size))
    # Nine digits tell every float32 from every other.
    line = "%s" + " %.9g" * size + "\n"
    for start in range(0, n_words, step):
        rows = np.asarray(vectors[start : start + step])
        row_words = words[start : start + step]
        if format == "word2vec-binary":
            rows = rows.astype("<f4", copy=False)
            yield b"".join(
                b"%b %b\n" % (word.encode(), row.tobytes())
                for word, row in zip(row_words, rows, strict=True)
            )
        else:
            yield "".join(
                line % (word, *row.tolist())
                for word, row in zip(row_words, rows, strict=True)
            ).encode()


# Reading


def check_options(format, encoding, decode_error, duplicates, on_bad_rows, limit):
    """What to read of a file, and how; the parameters are those of `load`."""
    _check_choice("format", format, ("auto", *FORMATS))
    _check_choice("decode_error", decode_error, ("strict", "ignore", "replace"))
    _check_choice("duplicates", duplicates, ("raise", "first"))
    _check_choice("on_bad_rows", on_bad_rows, ("error", "skip"))
    encoding, limit = _check_encoding(encoding), _check_limit(limit)
    return Options(encoding, decode_error, duplicates, on_bad_rows, limit)


def read_word_vectors(path, format, options):
    """Read vectors, words and n-grams (or None) from a file, by checked options."""
    if format == "folder":
        raise ValueError(
            f"{path} is no folder, and nothing else can be mapped into memory; load it "
            'with format="auto" and without mmap, and save it with format="folder".'
        )
    if path.exists() and not path.is_file():
        raise ValueError(f"{path} is neither a file nor a folder; expected one.")
    with open(path, "rb", buffering=0) as file:
        window = Window(path, file)
        if _is_fasttext(window, format):
            return read_fasttext_vectors(window, options)
        rows = _read_file(window, format, options)
    rows.warn_of_bad_ones()
    return *rows.result(), None


def _check_encoding(encoding):
    """Check that blanks and digits are those of ASCII; return the name of each word's.

    A byte order mark is at the start of a file, and not in every word.
    """
    plain = "0 1\t2\n"
    try:
        name = codecs.lookup(encoding).name.replace("utf-8-sig", "utf-8")
        is_known = plain.encode(name) == plain.encode("ascii")
    except (LookupError, TypeError, ValueError):
        is_known = False
    if not is_known:
        raise ValueError(
            "encoding must be the name of an encoding that contains ASCII, such as "
            f"'utf-8' or 'latin-1'; got {encoding!r:.60}."
        )
    return name


def _check_limit(limit):
    if limit is None:
        return sys.maxsize
    if not isinstance(limit, Integral) or isinstance(limit, bool) or limit < 1:
        raise ValueError(
            f"limit must be a positive integer or None; got {limit!r:.60}."
        )
    return min(int(limit), sys.maxsize)


def check_folder_options(path, format, options):
    """Refuse what has no effect on a folder, which holds what was checked before."""
    if format not in ("auto", "folder"):
        raise ValueError(f"{path} is a folder, and no file of the format {format}.")
    if options._replace(limit=0) != Options("utf-8", "strict", "raise", "error", 0):
        raise ValueError(
            f"{path} is a folder: encoding, decode_error, duplicates and on_bad_rows "
            "have no effect; leave them out."
        )


def _is_fasttext(window, format):
    return format == "fasttext-bin" or (
        format == "auto" and window.data.startswith(MAGIC)
    )


def _read_file(window, format, options):
    if window.start == window.stop:
        raise ValueError(f"{window.path} is empty; expected word vectors.")
    start = bytes(window.data[: min(_LONGEST_MAGIC, window.stop)])
    for magic, what in _OTHERS.items():
        if format != "glove" and re.match(magic, start, re.DOTALL):
            raise ValueError(f"{window.path} is {what}.")
    _skip_byte_order_mark(window, options.encoding)
    header = bytes(window.data[window.start : window.stop][:_LONGEST_HEADER])
    fields = None if format == "glove" else _HEADER.match(header)
    if fields:
        return _read_with_header(window, fields, format, options)
    if format in ("word2vec-text", "word2vec-binary"):
        raise ValueError(
            f"{window.path}, line 1: expected a header, the numbers of words and of "
            f'dimensions, got {header!r:.60}. Without a header, pass format="glove".'
        )
    return _read_without_header(window, options)


def _skip_byte_order_mark(window, encoding):
    """Leave out a mark in front of the header or a word; by itself it is a word."""
    for mark in {codecs.BOM_UTF8, "\ufeff".encode(encoding, "ignore")} - {b""}:
        if window.data.startswith(mark) and window.data[len(mark)] not in b" \t":
            window.start = len(mark)


def _read_with_header(window, header, format, options):
    n_words, vector_size = _check_header(window, header)
    window.start += header.end()
    if format == "auto":
        format = _format_of_rows(window, vector_size)
    if format == "word2vec-text":
        layout = TextLayout(vector_size, has_header=True)
    else:
        layout = BinaryLayout(vector_size)
    # Compressed data have no size to compare with; a bad line may be the shortest row.
    has_least_size = not window.is_compressed and (
        options.on_bad_rows == "error" or format == "word2vec-binary"
    )
    if has_least_size:
        _check_size(window, layout, n_words, format)
    n_wanted = min(n_words, options.limit) if has_least_size else 0
    rows = WordVectorRows(window.path, layout, options, n_wanted)
    _read_rows(window, layout, rows, n_words)
    _check_end(window, layout, rows, n_words)
    return rows


def _check_header(window, header):
    """The numbers of words and of dimensions, if they can be those."""
    n_words, vector_size = map(int, header.groups())
    if n_words < 0 or not 0 < vector_size <= LARGEST_VECTOR:
        raise ValueError(
            f"{window.path}, line 1: the header says {n_words:.4g} words of "
            f"{vector_size:.4g} dimensions; expected 0 or more words of 1 to "
            f"{LARGEST_VECTOR} dimensions."
        )
    return n_words, vector_size


def _check_size(window, layout, n_words, format):
    """Compare what the header says with the size of the file."""
    n_bytes = window.start + layout.least_bytes(n_words)
    if window.size < n_bytes:
        raise ValueError(
            f"{window.path}, line 1: the header says {n_words} words of "
            f"{layout.vector_size} dimensions, which take at least {n_bytes} bytes as "
            f"{format}; the file has {window.size}. It was cut off: fetch it again. Or "
            "it is another format: pass format=. Or lines of text lack numbers: pass "
            'on_bad_rows="skip" to WordVectors.load.'
        )


def _check_end(window, layout, rows, n_words):
    """Compare what was read with what the header says."""
    if rows.n_read < min(n_words, rows.limit):
        raise ValueError(
            f"{window.path}: the header says {n_words} words; the file ends in "
            f"{layout.place(rows.n_read)}, {window.where(window.stop)}. It was cut "
            "off: fetch it again. Or the header is wrong: correct it."
        )
    if rows.n_read < rows.limit and not window.is_blank(layout.blanks):
        raise ValueError(
            f"{window.path}, {window.where(window.start)}: expected the end of the "
            f"file after the {n_words} words of the header, got "
            f"{bytes(window.data[window.start : window.stop][:20])!r}. The header is "
            "wrong, or the file damaged: correct it, or pass limit= to leave out the "
            "rest."
        )


def _format_of_rows(window, vector_size):
    """Tell text from binary by what is behind the header.

    Not by whether there are numbers: in text they may be NaN, spelled in many ways, or
    damaged, and would be floats by chance.
    """
    space = window.data.find(b" ", window.start, window.stop)
    if _is_text(bytes(window.data[max(space, window.start) : window.stop][:_SAMPLE])):
        return "word2vec-text"
    # Words may be in any encoding. Behind the first one, a row is printable.
    line = _FIRST_LINE.match(window.data, window.start, window.stop)[1]
    numbers = re.split(rb"[ \t]", line.strip(BLANKS))[1:][-vector_size:]
    text = b"".join(numbers)
    is_enough = (
        len(numbers) == vector_size
        or len(text) >= _NO_CHANCE
        or any(map(NOT_FINITE.fullmatch, numbers))
    )
    if is_enough and _PRINTABLE.fullmatch(text):
        return "word2vec-text"
    return "word2vec-binary"


def _is_text(sample):
    """Whether bytes, the last of which may be cut, are UTF-8 without control codes."""
    try:
        codecs.getincrementaldecoder("utf-8")().decode(sample)
    except UnicodeDecodeError:
        return False
    return not _CONTROL.search(sample)


def _read_without_header(window, options):
    layout = TextLayout(_vector_size_of_lines(window), has_header=False)
    rows = WordVectorRows(window.path, layout, options, 0)
    _read_rows(window, layout, rows, options.limit)
    return rows


def _vector_size_of_lines(window):
    """How many numbers most of the first lines have behind a word."""
    longest = TextLayout(LARGEST_VECTOR, has_header=False).longest_line
    while window.data.find(b"\n", window.start, window.stop) < 0:
        if window.stop > longest or not window.fill():
            break
    lines = bytes(window.data[window.start : window.stop][:longest])
    lines = lines.split(b"\n", _FIRST_LINES)
    if len(lines) > 1:
        # What is behind the last newline may be half a line, or nothing.
        lines.pop()
    lines = [line for line in lines if line.strip(BLANKS)] or lines
    sizes = Counter(map(_count_numbers, lines))
    size = max(sizes, key=lambda size: (sizes[size], size))
    if not 0 < size <= LARGEST_VECTOR:
        raise ValueError(
            f"{window.path}: the format is not known. Expected a line with the number "
            "of words and of dimensions, or words and numbers with one blank before "
            f"each; got {lines[0]!r:.60}."
        )
    return size


def _count_numbers(line):
    """How many of the last fields of a line are numbers, the first field apart.

    A number that is not finite counts. Otherwise the finite ones behind it would be
    the vector, and all before them the word.
    """
    fields = re.split(rb"[ \t]", line.rstrip(BLANKS))[1:]
    count = 0
    for field in reversed(fields):
        if not (NUMBER.fullmatch(field) or NOT_FINITE.fullmatch(field)):
            break
        count += 1
    return count


def _read_rows(window, layout, rows, n_words):
    """Read until there are so many words, or nothing but blanks.

    A bad row that is skipped may be one of the words, or not: a word with a newline in
    it makes two rows of one.
    """
    while (n_wanted := min(n_words + rows.n_bad, rows.limit) - rows.n_read) > 0:
        if rows.read(window, n_wanted):
            continue
        if not window.fill() and not layout.complete(window):
            break
