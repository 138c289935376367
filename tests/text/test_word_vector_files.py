"""Tests of files of word vectors: gensim, Python's float and known bytes are judges."""

import bz2
import gzip
import json
import lzma
import os
import random
import re
import struct
import tracemalloc
from fractions import Fraction
from functools import partial

import numpy as np
import pytest
from numpy.testing import assert_array_equal
from safetensors.numpy import save_file

from skml.text import WordVectors, _word_vector_rows, _word_vector_window

FORMATS = ["word2vec-text", "word2vec-binary", "glove", "folder"]
FILE_FORMATS = FORMATS[:3]
# The time is no part of a test: its name would change with it.
gzipped = partial(gzip.compress, mtime=0)
COMPRESS = {".gz": gzipped, ".bz2": bz2.compress, ".xz": lzma.compress}
WORDS = ["the", "诗", "😀", "a\xa0b", "naïve", "42", "-1.5e3", ".", "\u3000", "'"]


def make_vectors(n_words=1000, size=7, seed=0):
    """Numbers of every magnitude, some extremes among them."""
    bits = np.random.default_rng(seed).integers(0, 2**32, (n_words, size), np.uint32)
    vectors = bits.view(np.float32)
    vectors[~np.isfinite(vectors)] = 0.1
    extremes = [3.4028235e38, -3.4028235e38, 1e-45, -0.0, 1.17549435e-38, 1 / 3, 1]
    vectors[-1] = np.resize(np.array(extremes, dtype=np.float32), size)
    words = (WORDS + [f"word{i}" for i in range(n_words)])[:n_words]
    return WordVectors(vectors, words)


def assert_identical(found, expected):
    assert found.words == expected.words
    assert found.vectors.dtype == np.float32
    # As bits: zero has two signs.
    assert_array_equal(
        np.ascontiguousarray(found.vectors).view(np.uint32),
        np.ascontiguousarray(expected.vectors).view(np.uint32),
    )


def write(path, data):
    path.write_bytes(data)
    return path


def binary(*rows, header=None, newline=b"\n"):
    """A file of word2vec in binary: pairs of bytes and numbers."""
    header = header or b"%d %d" % (len(rows), len(rows[0][1]))
    return (
        header
        + b"\n"
        + b"".join(
            word + b" " + struct.pack(f"<{len(numbers)}f", *numbers) + newline
            for word, numbers in rows
        )
    )


# There and back


@pytest.mark.parametrize("format", FORMATS)
@pytest.mark.parametrize("shape", [(1, 1), (10, 1), (1000, 7), (3, 2000)])
def test_round_trip(tmp_path, format, shape):
    vectors = make_vectors(*shape)
    vectors.save(tmp_path / "v", format=format)
    assert os.listdir(tmp_path) == ["v"]
    assert_identical(WordVectors.load(tmp_path / "v"), vectors)
    assert_identical(WordVectors.load(tmp_path / "v", format=format), vectors)


@pytest.mark.parametrize("ending", COMPRESS)
@pytest.mark.parametrize("format", FILE_FORMATS)
def test_round_trip_compressed(tmp_path, format, ending):
    vectors = make_vectors()
    plain, packed = tmp_path / "plain", tmp_path / f"v{ending}"
    vectors.save(plain, format=format)
    vectors.save(packed, format=format)
    unpack = {".gz": gzip, ".bz2": bz2, ".xz": lzma}[ending].decompress
    assert unpack(packed.read_bytes()) == plain.read_bytes()
    # The content tells, not the name.
    assert_identical(WordVectors.load(packed.rename(tmp_path / "v.txt")), vectors)


@pytest.mark.parametrize(
    ("name", "start"),
    [
        ("v.bin", b"10 3\nthe "),
        ("v.txt", b"10 3\nthe 0.333333343 "),
        ("v.VEC", b"10 3\nthe 0.333333343 "),
        ("v.bin.gz", b"\x1f\x8b\x08\x00\0\0\0\0"),
        ("v.txt.bz2", b"BZh9"),
        ("v.vec.xz", b"\xfd7zXZ\0"),
    ],
)
def test_the_name_tells_the_format(tmp_path, name, start):
    vectors = WordVectors(np.full((10, 3), 1 / 3), WORDS)
    vectors.save(str(tmp_path / name))
    assert (tmp_path / name).read_bytes().startswith(start)
    assert_identical(WordVectors.load(str(tmp_path / name)), vectors)


def test_folder_holds_any_word(tmp_path):
    words = ["", " ", "a b", "\n", "\t\0", '"\\"', "],[", "\u2028", "\\u0041"]
    words += ["\ud83d\ude00", "\U0001f600"]  # two halves of a pair, and the pair
    vectors = WordVectors(np.arange(11).reshape(-1, 1), words)
    vectors.save(tmp_path / "v")
    assert_identical(WordVectors.load(tmp_path / "v"), vectors)
    assert_identical(WordVectors.load(tmp_path / "v", mmap=True), vectors)


def test_folder_is_mapped(tmp_path):
    vectors = make_vectors(50)
    vectors.save(tmp_path / "v")
    mapped = WordVectors.load(tmp_path / "v", mmap=True)
    assert isinstance(mapped.vectors, np.memmap)
    assert not isinstance(WordVectors.load(tmp_path / "v").vectors, np.memmap)
    assert_identical(mapped, vectors)
    few = WordVectors.load(tmp_path / "v", mmap=True, limit=3)
    assert isinstance(few.vectors, np.memmap)
    assert few.words == vectors.words[:3]
    # What is mapped can be saved under its own name.
    mapped.save(tmp_path / "v")
    assert_identical(WordVectors.load(tmp_path / "v"), vectors)


@pytest.mark.parametrize("format", ["word2vec-text", "word2vec-binary", "folder"])
def test_no_words(tmp_path, format):
    WordVectors(np.empty((0, 3)), []).save(tmp_path / "v", format=format)
    for mmap in {False, format == "folder"}:
        found = WordVectors.load(tmp_path / "v", mmap=mmap)
        assert found.words == []
        assert found.vectors.shape == (0, 3)


@pytest.mark.parametrize("format", FILE_FORMATS)
def test_equal_vectors_make_equal_files(tmp_path, format):
    for name in ("a.gz", "b.gz"):
        make_vectors().save(tmp_path / name, format=format)
    assert (tmp_path / "a.gz").read_bytes() == (tmp_path / "b.gz").read_bytes()


@pytest.mark.parametrize("is_binary", [False, True])
def test_gensim_reads_what_is_written(tmp_path, is_binary):
    models = pytest.importorskip("gensim.models")
    vectors = make_vectors()
    vectors.save(tmp_path / "v", format=FORMATS[is_binary])
    peer = models.KeyedVectors.load_word2vec_format(tmp_path / "v", binary=is_binary)
    assert peer.index_to_key == vectors.words
    assert_array_equal(peer.vectors, vectors.vectors)


@pytest.mark.filterwarnings("ignore:unclosed file:ResourceWarning")  # by gensim
def test_gensim_reads_glove(tmp_path):
    models = pytest.importorskip("gensim.models")
    vectors = make_vectors()
    vectors.save(tmp_path / "v", format="glove")
    peer = models.KeyedVectors.load_word2vec_format(tmp_path / "v", no_header=True)
    assert peer.index_to_key == vectors.words
    assert_array_equal(peer.vectors, vectors.vectors)


@pytest.mark.parametrize(
    "name", ["v.txt", "v.bin", "v.txt.gz", "v.bin.bz2", "v.bin.xz"]
)
@pytest.mark.parametrize("header", [True, False])
def test_what_gensim_writes_is_read(tmp_path, name, header):
    models = pytest.importorskip("gensim.models")
    is_binary = ".bin" in name
    if is_binary and not header:
        header = True  # there is no such format
    vectors = make_vectors()
    peer = models.KeyedVectors(7)
    peer.add_vectors(vectors.words, vectors.vectors)
    peer.save_word2vec_format(tmp_path / name, binary=is_binary, write_header=header)
    found = WordVectors.load(tmp_path / name)
    assert sorted(found.words) == sorted(vectors.words)
    assert_array_equal(found[vectors.words], vectors.vectors)


# Numbers


def some_numbers(n, seed=0):
    """Decimal numbers of many shapes."""
    generator = random.Random(seed)

    def digits(most):
        return "".join(generator.choices("0123456789", k=generator.randint(1, most)))

    def middle():
        """A number half way between two of float32, all its digits, or next to it."""
        bits = generator.randrange(0x7F7FFFFF)
        low, high = (
            struct.unpack("f", struct.pack("I", b))[0] for b in (bits, bits + 1)
        )
        exact = (Fraction(low) + Fraction(high)) / 2
        shift = exact.denominator.bit_length() - 1
        text = str(exact.numerator * 5**shift).rjust(shift + 1, "0")
        text = f"{text[:-shift]}.{text[-shift:]}" if shift else text + ".0"
        return text + generator.choice(["", "", "0" * 30, "0" * 30 + "1"])

    def double():
        exponent = generator.uniform(-50, 38)
        return repr(generator.choice([-1, 1]) * 10**exponent)

    def single():
        bits = generator.randrange(0x7F800000)
        return f"{struct.unpack('f', struct.pack('I', bits))[0]:.9g}"

    shapes = [
        lambda: f"{generator.choice(['', '-', '+'])}{digits(25)}",
        lambda: f"{generator.choice(['', '-', '+'])}{digits(20)}.{digits(25)}",
        lambda: f".{digits(50)}",
        lambda: f"{digits(3)}.",
        lambda: f"{digits(6)}.{digits(12)}{generator.choice('eE')}{digits(1)}",
        lambda: f"{digits(2)}e{generator.choice(['-', '+0', '-0', ''])}{digits(1)}",
        lambda: f"-{digits(4)}e-{generator.randrange(400)}",
        lambda: f"0.{'0' * generator.randrange(60)}{digits(25)}",
        lambda: f"0e{generator.randrange(10**30)}",
        lambda: f"{digits(10)}{'0' * 30}e-35",
        lambda: f"{generator.uniform(-1, 1):.{generator.randint(3, 25)}f}",
        lambda: f"{generator.gauss(0, 1):.18e}",
        middle,
        double,
        single,
    ]
    return [generator.choice(shapes)() for _ in range(n)]


def test_numbers_are_those_of_python(tmp_path):
    numbers = some_numbers(50_000)
    lines = [f"w{i} {' '.join(numbers[i : i + 100])}\n" for i in range(0, 50_000, 100)]
    path = write(tmp_path / "v", "".join(lines).encode())
    found = WordVectors.load(path).vectors.ravel()
    with np.errstate(under="ignore"):
        expected = np.array([np.float32(float(number)) for number in numbers])
    different = found.view(np.uint32) != expected.view(np.uint32)
    assert not different.any(), np.array(numbers)[different][:5]
    # The numbers are hard enough: rounding to a double at 19 digits is not their value.
    assert sum(len(re.sub(r"e.*|\D", "", number)) > 19 for number in numbers) > 5_000


@pytest.mark.parametrize(
    "number",
    [
        *("nan", "-inf", "infinity", "0x1p3", "1_0", "1e", "1e+", ".", "+", "-.e1"),
        *(
            "1.2.3",
            "1,5",
            "--1",
            "1e5.0",
            "1d3",
            "１",
            "1\v",
            "\xa01",
            "1\0",
            "1f",
            "0e",
        ),
    ],
)
def test_what_is_no_number(tmp_path, number):
    path = write(tmp_path / "v", f"3 3\na 1 2 3\nb 1 {number} 3\nc 1 2 3\n".encode())
    with pytest.raises(ValueError, match=r"line 3: number 2 of 3 is b'.*'; expected a"):
        WordVectors.load(path)


@pytest.mark.parametrize(
    "number", ["1e39", "-3.4028236e38", "1e999999999999", "9" * 500]
)
def test_numbers_beyond_float32(tmp_path, number):
    path = write(tmp_path / "v", f"1 2\na {number} 0\n".encode())
    with pytest.raises(ValueError, match=r"line 2: number 1 of 2, b'.*, is beyond flo"):
        WordVectors.load(path)


# What valid files look like


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"2 2\na 1 2\nb 3 4\n", ["a", "b"]),
        (b"2 2\na 1 2\nb 3 4", ["a", "b"]),
        (b"2 2\r\na 1 2\r\nb 3 4\r\n", ["a", "b"]),
        (b"2 2\na 1 2 \nb 3 4 \r\n", ["a", "b"]),
        (b"2\t2\na\t1\t2\nb\t3\t4\n", ["a", "b"]),
        (b" 2  2 \na 1 2\nb 3 4\n\n \r\n\n", ["a", "b"]),
        (b"\xef\xbb\xbf2 2\na 1 2\nb 3 4\n", ["a", "b"]),
        (b"+2 02\na +1 2.0\nb 3e0 .4E+1\n", ["a", "b"]),
        (b"a 1 2\nb 3 4\n", ["a", "b"]),
        (b"a 1 2\nb 3 4\n\n\n\n\n\n\n\n\n\n", ["a", "b"]),
        (b"7 1 2\n8 3 4", ["7", "8"]),
        (b". . . 1 2\nb 3 4\n", [". . .", "b"]),
        (b"2 2\n. . . 1 2\nat 5 3 4\n", [". . .", "at 5"]),
        (b"\xef\xbb\xbfa 1 2\n\xef\xbb\xbfb 3 4\n", ["a", "\ufeffb"]),
        (b"\xef\xbb\xbf 1 2\nb 3 4\n", ["\ufeff", "b"]),
        (b"2 2\na  b 1 2\n9\t9 3 4\n", ["a  b", "9\t9"]),
        (binary((b"a", [1, 2]), (b"b", [3, 4])), ["a", "b"]),
        (binary((b"a", [1, 2]), (b"b", [3, 4]), newline=b""), ["a", "b"]),
        (binary((b"a", [1, 2]), (b"b", [3, 4])).rstrip(b"\n"), ["a", "b"]),
        (binary((b"1", [1, 2]), ("诗".encode(), [3, 4])), ["1", "诗"]),
        (binary((b"a\tb\r", [1, 2]), (b"c\n\nd\v", [3, 4])), ["a\tb\r", "c\n\nd\v"]),
    ],
)
def test_valid_files(tmp_path, data, words):
    path = write(tmp_path / "v", data)
    expected = WordVectors([[1, 2], [3, 4]], words)
    assert_identical(WordVectors.load(path), expected)
    for compress in COMPRESS.values():
        assert_identical(WordVectors.load(write(path, compress(data))), expected)
    first = WordVectors.load(path, limit=1)
    assert_identical(first, WordVectors([[1, 2]], words[:1]))


@pytest.mark.parametrize("numbers", [b" 0.1", b"12.5", b"\0\0\0\0", b"abcd"])
def test_binary_that_looks_like_text(tmp_path, numbers):
    """The format can be said where it cannot be told."""
    data = b"1 1\na " + numbers
    expected = np.frombuffer(numbers, "<f4")
    found = WordVectors.load(write(tmp_path / "v", data), format="word2vec-binary")
    assert_array_equal(found.vectors[0], expected)


def test_the_first_lines_tell_the_size(tmp_path):
    """Most of them: a word that ends in a number, or damage, is outvoted."""
    path = write(tmp_path / "v", b"at 5 1 2\nb 3 4\nc 5 6\n")
    found = WordVectors.load(path)
    assert_identical(found, WordVectors([[1, 2], [3, 4], [5, 6]], ["at 5", "b", "c"]))


def test_one_dimension_without_a_header(tmp_path):
    path = write(tmp_path / "v", b"2 3\n4 5\n6 7\n")
    with pytest.raises(ValueError, match="header says 2 words of 3 dimensions"):
        WordVectors.load(path)
    found = WordVectors.load(path, format="glove")
    assert_identical(found, WordVectors([[3], [5], [7]], ["2", "4", "6"]))


@pytest.mark.parametrize("format", FILE_FORMATS)
@pytest.mark.parametrize("ending", ["", ".gz"])
def test_windows_may_end_anywhere(tmp_path, monkeypatch, format, ending):
    vectors = make_vectors(30, 3)
    vectors.save(tmp_path / f"v{ending}", format=format)
    monkeypatch.setattr(_word_vector_rows, "_ROWS", 4)
    monkeypatch.setattr(_word_vector_rows, "_ROOM", 30)
    for n_bytes in range(128, 220):
        monkeypatch.setattr(_word_vector_window, "CHUNK", n_bytes)
        monkeypatch.setattr(_word_vector_window, "_PIECE", n_bytes - 100)
        assert_identical(WordVectors.load(tmp_path / f"v{ending}"), vectors)


def test_several_windows(tmp_path):
    """Lines longer than a window, and more rows than are parsed at a time."""
    vectors = make_vectors(9000, 150)
    vectors.save(tmp_path / "v.bin")
    assert (tmp_path / "v.bin").stat().st_size > 2 * _word_vector_window.CHUNK
    assert_identical(WordVectors.load(tmp_path / "v.bin"), vectors)
    number = b"0." + b"1" * 900_000
    line = b" ".join([b"x" * 1_000_000, number, number, *[b"3"] * 60_000])
    found = WordVectors.load(write(tmp_path / "v", line))
    assert found.vectors.shape == (1, 60_002)
    assert_array_equal(found.vectors[0, :3], np.float32([1 / 9, 1 / 9, 3]))


@pytest.mark.parametrize("ending", COMPRESS)
def test_streams_behind_each_other(tmp_path, ending):
    compress, data = COMPRESS[ending], b"2 1\na 1\nb 2\n"
    pieces = [compress(data[:3]), compress(b""), compress(data[3:])]
    for packed in (b"".join(pieces), b"".join(pieces) + b"\0" * 40_000):
        found = WordVectors.load(write(tmp_path / "v", packed))
        assert_identical(found, WordVectors([[1], [2]], ["a", "b"]))


# Options


@pytest.mark.parametrize("format", ["word2vec-text", "word2vec-binary"])
def test_encodings(tmp_path, format):
    words = ["naïve", "诗歌"]
    rows = [(word.encode("gb18030", "replace"), [1.0, 2.0]) for word in words]
    text = b"2 2\n" + b"".join(word + b" 1 2\n" for word, _ in rows)
    path = write(tmp_path / "v", text if format == "word2vec-text" else binary(*rows))
    assert WordVectors.load(path, encoding="gb18030").words == words
    with pytest.raises(
        ValueError, match=r"is cut, or not in utf-8; pass the right enc"
    ):
        WordVectors.load(path)


@pytest.mark.parametrize("encoding", ["utf-8-sig", "UTF8", "gb18030", "latin-1"])
@pytest.mark.parametrize("header", ["", "2 2\n"])
def test_a_byte_order_mark_is_no_part_of_a_word(tmp_path, encoding, header):
    codec = encoding.replace("latin-1", "utf-8").replace("-sig", "")
    data = f"\ufeff{header}ab 1 2\nb 3 4\n".encode(codec)
    found = WordVectors.load(write(tmp_path / "v", data), encoding=encoding)
    assert found.words == ["ab", "b"]


def test_words_cut_within_a_character(tmp_path):
    words = ["诗歌".encode()[:-1], "诗歌".encode(), b"\xff"]
    path = write(tmp_path / "v", binary(*((word, [1, 2]) for word in words)))
    with pytest.raises(ValueError, match=r"word 0, byte offset 4: the word b'\\xe8"):
        WordVectors.load(path)
    replaced = WordVectors.load(path, decode_error="replace")
    assert replaced.words == ["诗\ufffd", "诗歌", "\ufffd"]
    assert WordVectors.load(path, decode_error="ignore", limit=2).words == [
        "诗",
        "诗歌",
    ]
    with pytest.raises(ValueError, match="word 2: nothing of the word is in utf-8"):
        WordVectors.load(path, decode_error="ignore")


def test_duplicates(tmp_path, monkeypatch):
    monkeypatch.setattr(_word_vector_rows, "_ROWS", 4)
    words = [b"abcabcdaeb"[i : i + 1] for i in range(10)]
    rows = [(word, [i, i + 0.5]) for i, word in enumerate(words)]
    expected = WordVectors([[i, i + 0.5] for i in (0, 1, 2, 6, 8)], list("abcde"))
    text = b"".join(b"%b %g %g\n" % (word, *numbers) for word, numbers in rows)
    for data, places in [
        (binary(*rows), "word 3: the word 'a' is the one of word 0"),
        (text, "line 4: the word 'a' is the one of line 1"),
        (b"10 2\n" + text, "line 5: the word 'a' is the one of line 2"),
    ]:
        path = write(tmp_path / "v", data)
        with pytest.raises(ValueError, match=f"{places} again; pass duplicates"):
            WordVectors.load(path)
        assert_identical(WordVectors.load(path, duplicates="first"), expected)
        few = WordVectors.load(path, duplicates="first", limit=7)
        assert few.words == list("abcd")


def test_duplicates_far_apart(tmp_path):
    words = [f"w{i}" for i in range(9000)] + ["w8"]
    data = b"".join(b"%b 1\n" % word.encode() for word in words)
    path = write(tmp_path / "v", data)
    with pytest.raises(
        ValueError, match="line 9001: the word 'w8' is the one of line 9 "
    ):
        WordVectors.load(path)
    assert WordVectors.load(path, duplicates="first").words == words[:-1]


def test_limit_leaves_out_damage(tmp_path):
    path = write(tmp_path / "v", b"3 2\na 1 2\nb 3 4\nc nan 5\n")
    assert WordVectors.load(path, limit=2).words == ["a", "b"]
    with pytest.raises(ValueError, match="line 4"):
        WordVectors.load(path, limit=3)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"format": "text"}, "format must be one of 'auto', 'word2vec-text'"),
        ({"decode_error": "skip"}, "decode_error must be one of 'strict'"),
        ({"duplicates": "last"}, "duplicates must be one of 'raise', 'first'"),
        ({"on_bad_rows": "warn"}, "on_bad_rows must be one of 'error', 'skip'"),
        ({"encoding": "utf-16"}, "encoding must be .* contains ASCII.* got 'utf-16'"),
        ({"encoding": "utf-9"}, "got 'utf-9'"),
        ({"encoding": None}, "got None"),
        ({"limit": 0}, "limit must be a positive integer or None; got 0"),
        ({"limit": True}, "got True"),
        ({"limit": 1.5}, "got 1.5"),
        ({"mmap": True}, "v is no folder, and nothing else can be mapped"),
        ({"format": "folder"}, "v is no folder"),
        ({"format": "glove"}, "line 1"),
        ({"format": "word2vec-binary"}, "It was cut off"),
    ],
)
def test_bad_options(tmp_path, options, message):
    path = write(tmp_path / "v", b"2 2\na 1 2\nb 3 4\n")
    with pytest.raises(ValueError, match=message):
        WordVectors.load(path, **options)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"format": "glove"}, "v is a folder, and no file of the format glove"),
        *(
            (option, "encoding, decode_error, duplicates and on_bad_rows have no eff")
            for option in (
                {"encoding": "latin-1"},
                {"decode_error": "ignore"},
                {"duplicates": "first"},
                {"on_bad_rows": "skip"},
            )
        ),
    ],
)
def test_bad_options_for_a_folder(tmp_path, options, message):
    make_vectors(3).save(tmp_path / "v")
    with pytest.raises(ValueError, match=message):
        WordVectors.load(tmp_path / "v", **options)


def test_other_kinds_of_paths(tmp_path):
    with pytest.raises(FileNotFoundError, match="nothing"):
        WordVectors.load(tmp_path / "nothing")
    with pytest.raises(TypeError):
        WordVectors.load(3)
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(ValueError, match="pipe is neither a file nor a folder"):
        WordVectors.load(tmp_path / "pipe")


# Damaged files


def cut(compress, n_bytes=-9):
    return compress(b"2 2\na 1 2\nb 3 4\n")[:n_bytes]


def flipped(compress, place):
    data = bytearray(compress(b"2 2\na 1 2\nb 3 4\n"))
    data[place] ^= 1
    return bytes(data)


LATE_NAN = binary((b"a", [1, 2]), (b"bc", [3, np.nan]))
LONG = binary((b"longer", [1, 2]), (b"words", [3, 4]))
TWO = binary((b"a", [1, 2]), (b"b", [3, 4]))
GREEDY = lzma.compress(
    b"a 1\n", filters=[{"id": lzma.FILTER_LZMA2, "dict_size": 1 << 28}]
)
DAMAGED = {
    "empty": (b"", "v is empty"),
    "empty, compressed": (gzipped(b""), "v is empty"),
    "blank": (b"\n\n", "the format is not known"),
    "other content": (b"hello world\n", "the format is not known.* got b'hello world'"),
    "zip": (b"PK\x03\x04 1 2\n", "v is a zip archive; unpack it"),
    "zstd": (b"\x28\xb5\x2f\xfd 1 2\n", "v is compressed by zstd"),
    "pickle": (b"\x80\x04\x95", "v is a pickle, which could run code"),
    "array": (b"\x93NUMPY\x01\0", "v is an array without words; pass it and"),
    # Headers that lie
    "no words": (b"0 2\na 1 2\n", "byte offset 4: expected the end of the file after"),
    "too few words": (b"1 2\na 1 2\nb 3 4\n", "after the 1 words.* got b'b 3 4"),
    "too many words": (b"3 2\na 1.25 2.25\nb 3.25 4.25\n", "file ends in line 4, byte"),
    "many words": (b"9000 2\na 1 2\n", "9000 words of 2.*take at least 54006 bytes"),
    "huge": (b"9" * 30 + b" 2\na 1 2\n", "at least 60000000000000000000000000000"),
    "huge, binary": (b"4000000000 300\na \0\0\xff", "at least 4808000000015 bytes"),
    "no end": (b"9" * 500 + b" 2\na 1 2\n", "line"),
    "negative": (b"-1 2\na 1 2\n", "line 1: the header says -1 words"),
    "negative size": (b"1 -2\na 1 2\n", "1 words of -2 dimensions; expected"),
    "no size": (b"1 0\na 1 2\n", "1 words of 0 dimensions"),
    "huge size": (b"1 99999999999\na 1 2\n", "1 words of 1e.11 dimensions"),
    "larger size": (b"2 3\na 1 2\nb 3 4\n", "take at least 19 bytes"),
    "larger size, room": (
        b"2 3\na 1.5 2.5\nb 3 4\n",
        "line 2: expected a word and 3 numbers .* got 2 behind b'a'",
    ),
    "larger size, compressed": (
        bz2.compress(b"2 3\na 1 2\nb 3 4\n"),
        "line 2: .*got 2",
    ),
    "larger size, binary": (TWO.replace(b"2 2", b"2 3", 1), "take at least 32 bytes"),
    "smaller size, binary": (
        TWO.replace(b"2 2", b"2 1", 1),
        "word 1, .* or the file is",
    ),
    "header cut": (b"2 2", "take at least 14 bytes"),
    "header alone": (
        b"2 2\n",
        "take at least 15 bytes as word2vec-text; the file has 4",
    ),
    # Rows
    "cut in a row": (b"2 2\na 1.25 2.25\nb 3", "line 3: expected a word and 2.* got 1"),
    "cut in a word": (b"2 2\na 1.25 2.25\nb", "line 3: expected .* got 0 behind b'b'"),
    "empty line": (b"2 2\na 1.5 2\n\nb 3 4\n", "line 3: expected .* got an empty line"),
    "blanks": (
        b"2 2\na 1  2\nb 3 4\n",
        "line 2: .* another blank in place of number 1",
    ),
    "blanks behind": (
        b"2 2\na 1 2  \nb 3 4\n",
        "line 2: .* blank in place of number 2",
    ),
    "no word": (b"2 2\n 1 2\nb 3 4 \n", "line 2: expected .* got no word"),
    "blank in front": (
        b"2 2\n a 1 2\nb 3 4\n",
        "line 2: .* begins or ends with a blank",
    ),
    "blank behind": (
        b"2 2\na b  1 2\nb 3 4\n",
        "line 2: .* begins or ends with a blank",
    ),
    "long word": (
        b"1 1\n" + b"a" * 1_048_577 + b" 1\n",
        "line 2: expected a word of at ",
    ),
    "long line": (
        b"1 1\n" + b"a" * 2_000_000,
        "line 2: expected at most 1048640 bytes",
    ),
    "long first line": (b"a" * 6_000_000, "format is not known"),
    "long number": (
        b"a 1" + b"0" * 2_000_000 + b"e-2000000",
        "line 1: expected at most",
    ),
    "half a character": (
        b"1 1\n\xe8\xaf 1\n",
        r"line 2, .*b'\\xe8\\xaf' is cut, or not",
    ),
    "glove, few": (b"a 1 2\nb 3\nc 5 6\n", "line 2: expected a word and 2 .* got 1"),
    "glove, first": (b"a 1\nb 3 4\nc 5 6\n", "line 1: expected a word and 2 .* got 1"),
    "glove, NaN": (b"a 1 2\nb 3 4\nc nan 6\n", "line 3: number 1 of 2 is b'nan'"),
    "UTF-16": ("2 2\na 1 2\n".encode("utf-16"), "v is text in UTF-16; save it as"),
    "glove, NaN first": (b"a 1 x\nb 3 4\nc 5 6\n", "line 1: number 2 of 2 is b'x'"),
    "NaN": (
        LATE_NAN,
        r"word 1, byte offset 22: number 2 of 2 of the word b'bc' is nan",
    ),
    "inf": (binary((b"a", [-np.inf, 2])), "byte offset 6: number 1 of 2 .* is -inf"),
    "binary, cut": (LONG[:-3], "2 words; the file ends in word 1, byte offset 32"),
    "binary, cut more": (LONG[:-25], "take at least 15 bytes .* the file has 10"),
    "binary, more": (TWO + b"x", r"byte offset 25: expected the end .* got b'\\nx'"),
    "binary, no word": (
        binary((b"", [1, 2])),
        "word 0, byte offset 4: expected a word",
    ),
    "binary, no words": (
        binary((b"ab", [1, 2]), (b"", [1, 2])),
        "word 1, byte offset 16: expected a word, got b''",
    ),
    "binary, NUL": (binary((b"a\0b", [1, 2])), r"word 0, .* got b'a\\x00b'"),
    "binary, long": (
        binary((b"a" * 1_048_577, [1, 2])),
        "word 0, byte offset 4: expected a word of at most 1048576 bytes and a space",
    ),
    # Compression
    "gzip, cut": (cut(gzipped), "damaged before byte offset .* end too early"),
    "gzip, header cut": (cut(gzipped, 11), "damaged .* end too early"),
    "gzip, sum": (flipped(gzipped, -8), "damaged .* incorrect data check"),
    "gzip, length": (flipped(gzipped, -1), "damaged .* incorrect length check"),
    "gzip, more": (gzipped(b"a 1\n") + b"x", "damaged before byte offset 25"),
    "bzip2, cut": (cut(bz2.compress), "damaged .* end too early"),
    "bzip2, sum": (flipped(bz2.compress, 10), "damaged .* Invalid data stream"),
    "bzip2, more": (bz2.compress(b"a 1\n") + b"x 2\n", "damaged .* Invalid data"),
    "xz, cut": (cut(lzma.compress), "damaged .* end too early"),
    "xz, sum": (flipped(lzma.compress, -20), "damaged .* Corrupt input data"),
    "xz, more": (lzma.compress(b"a 1\n") + b"x 2\n", "damaged"),
    "xz, wants memory": (GREEDY, "damaged .* Memory usage limit exceeded"),
    "compressed, cut": (
        gzipped(LONG[:-3]),
        "the file ends in word 1.*decompressed",
    ),
    "compressed, huge": (gzipped(b"9" * 30 + b" 2\na 1 2\n"), "ends in line 3"),
    "compressed twice": (gzipped(gzipped(TWO)), "not known.* got b'.x1f"),
}


@pytest.mark.parametrize("name", DAMAGED)
def test_damaged_files(tmp_path, name):
    data, message = DAMAGED[name]
    path = write(tmp_path / "v", data)
    with pytest.raises(ValueError, match=message) as caught:
        WordVectors.load(path)
    assert type(caught.value) is ValueError
    assert str(path) in str(caught.value)


@pytest.mark.parametrize("format", ["word2vec-text", "word2vec-binary"])
def test_header_that_is_no_header(tmp_path, format):
    for header in (b"x 2", b"2.0 2", b"2", b"2 2 2", b"0x2 2", b"1_0 2", b""):
        path = write(tmp_path / "v", header + b"\na 1 2\nb 3 4\n")
        with pytest.raises(ValueError, match="line 1: expected a header, the numbers"):
            WordVectors.load(path, format=format)


@pytest.mark.parametrize("format", FILE_FORMATS)
@pytest.mark.parametrize("ending", ["", *COMPRESS])
def test_every_cut_is_an_error(tmp_path, format, ending):
    """A cut within the last number of a text shows in nothing, and is left out.

    Nor does any in a text without a header, unless it is compressed.
    """
    if format == "glove" and not ending:
        return
    make_vectors(3, 2).save(tmp_path / f"v{ending}", format=format)
    data = (tmp_path / f"v{ending}").read_bytes()
    n_last = 1
    if format == "word2vec-text" and not ending:
        n_last = len(data) - data.rindex(b" ") - 1
    for stop in range(len(data) - n_last):
        path = write(tmp_path / "v", data[:stop])
        with pytest.raises(ValueError, match=str(path)):
            WordVectors.load(path, format=format)


def parts(**changes):
    """Change what the folder says."""

    def change(folder):
        state = json.loads((folder / "model.json").read_text())
        state["data"].update(changes)
        (folder / "model.json").write_text(json.dumps(state))

    return change


def arrays(vectors):
    return lambda folder: save_file({"0": vectors}, folder / "arrays.safetensors")


FOLDERS = {
    "another": (parts(size=3), "expected words, vectors, subwords; got"),
    "no list": (parts(words="ab"), "expected words, vectors, subwords; got"),
    "too few words": (parts(words=["a"]), "has 1 words and vectors has 2 rows"),
    "no word": (parts(words=["a", 1]), r"vocabulary has 1 \(int\) in row 1"),
    "the same": (parts(words=["a", "a"]), "has 'a' twice, in rows 0 and 1"),
    "n-grams": (parts(subwords=[1]), "subwords must be those of other WordVectors"),
    "one dimension": (arrays(np.ones(2, "f4")), r"vectors must be a table.*\(2,\)"),
    "no column": (arrays(np.ones((2, 0), "f4")), r"vectors must be a table"),
    "NaN": (arrays(np.float32([[1], [np.nan]])), "row 1, column 0 is nan"),
    "flags": (arrays(np.ones((2, 2), bool)), "vectors must be numbers"),
}


@pytest.mark.parametrize("mmap", [False, True])
@pytest.mark.parametrize("name", FOLDERS)
def test_damaged_folders(tmp_path, name, mmap):
    change, message = FOLDERS[name]
    WordVectors([[1, 2, 3], [4, 5, 6]], ["a", "b"]).save(tmp_path / "v")
    change(tmp_path / "v")
    with pytest.raises(ValueError, match=message) as caught:
        WordVectors.load(tmp_path / "v", mmap=mmap)
    assert str(tmp_path / "v") in str(caught.value)


# Memory


@pytest.mark.parametrize(
    ("data", "most"),
    [
        (b"1000000000 300\nword 1 2\n", 100_000),
        (b"1000000000 300\nword \0\0\0", 100_000),
        (b"1 65536\nword 1 2\n", 100_000),
        (gzipped(b"1000000000 300\nword 1 2\n"), 600_000),
        (gzipped(b"1000000000 65536\nword \0\0\0"), 900_000),
        (bz2.compress(b"1000000000 300\nword 1 2\n", 1), 1_500_000),
        (b"\x93NUMPY\1\0\xff\xff", 100_000),
    ],
)
def test_a_lie_takes_no_memory(tmp_path, data, most):
    path = write(tmp_path / "v", data)
    assert peak_of_error(path) < most


def test_a_bomb_takes_no_memory(tmp_path):
    """Many megabytes without a row, in some kilobytes."""
    for start in (b"5 5\nword ", b"a 1\n", b"2 1\na 1\n", b"1 1\na 1\n"):
        for filler in (b"0", b" ", b"\n", b"a", b"\0"):
            pieces = gzipped(start + filler * 12_000_000, 1)
            peak = peak_of_error(write(tmp_path / "v", pieces), bombs=start[:2])
            assert peak < 12_000_000, (start, filler)


def peak_of_error(path, bombs=()):
    tracemalloc.start()
    try:
        with pytest.raises(ValueError, match=str(path)):
            WordVectors.load(path)
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("format", FORMATS)
def test_memory_is_that_of_the_file(tmp_path, format):
    make_vectors(10_000, 30).save(tmp_path / "v", format=format)
    size = sum(p.stat().st_size for p in tmp_path.rglob("*") if p.is_file())
    tracemalloc.start()
    WordVectors.load(tmp_path / "v")
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 5 * size


# What cannot be written


@pytest.mark.parametrize("format", ["word2vec-text", "glove"])
@pytest.mark.parametrize("word", ["a\tb", "a\n", "\r", "\v"])
def test_words_that_binary_alone_can_hold(tmp_path, word, format):
    vectors = WordVectors([[1, 2], [3, 4]], ["a", word])
    with pytest.raises(ValueError, match=r"in row 1 has '\\.*' in it"):
        vectors.save(tmp_path / "v", format=format)
    vectors.save(tmp_path / "v.bin")
    assert_identical(WordVectors.load(tmp_path / "v.bin"), vectors)


@pytest.mark.parametrize(
    ("word", "message"),
    [
        ("", "the word '' in row 1 is empty, which the format"),
        ("a b", "the word 'a b' in row 1 has ' ' in it"),
        ("\na", r"has '\\n' in it"),
        ("a\0", r"has '\\x00' in it"),
        ("\ud800", r"the word '\\ud800' in row 1 has half of a surrogate pair"),
        ("x" * 1_048_577, "has more than 1048576 bytes"),
    ],
)
@pytest.mark.parametrize("format", FILE_FORMATS)
def test_words_that_a_format_cannot_hold(tmp_path, word, message, format):
    path = write(tmp_path / "v", b"before")
    with pytest.raises(ValueError, match=message):
        WordVectors([[1], [2]], ["a", word]).save(path, format=format)
    assert path.read_bytes() == b"before"
    assert os.listdir(tmp_path) == ["v"]


@pytest.mark.parametrize(
    ("name", "options", "message"),
    [
        ("v.kv", {}, r"v.kv: the name does not tell the format. Let it end in .bin"),
        ("v.gz", {}, "the name does not tell the format"),
        ("v.bin", {"format": "binary"}, "format must be one of 'auto'"),
        ("folder", {"format": "glove"}, "folder is a folder; pass the name of a file"),
        ("file", {}, "file is a file; pass the name of a folder"),
        ("folder", {}, "holds 'mine', and is to hold nothing but a saved model"),
    ],
)
def test_bad_names(tmp_path, name, options, message):
    (tmp_path / "folder").mkdir()
    write(tmp_path / "folder" / "mine", b"")
    write(tmp_path / "file", b"")
    with pytest.raises(ValueError, match=message):
        make_vectors(3).save(tmp_path / name, **options)
    assert sorted(os.listdir(tmp_path)) == ["file", "folder"]
    assert os.listdir(tmp_path / "folder") == ["mine"]


def test_sizes_that_a_format_cannot_hold(tmp_path):
    wide = WordVectors(np.ones((1, 65_537)), ["a"])
    with pytest.raises(ValueError, match="65537 dimensions are more than the 65536"):
        wide.save(tmp_path / "v.bin")
    with pytest.raises(ValueError, match="does not tell the size of the vectors"):
        WordVectors(np.ones((0, 2)), []).save(tmp_path / "v.txt", format="glove")
    wide.save(tmp_path / "v")
    assert_identical(WordVectors.load(tmp_path / "v"), wide)


@pytest.mark.parametrize("format", FORMATS)
def test_a_failed_save_changes_nothing(tmp_path, monkeypatch, format):
    before = make_vectors(5)
    before.save(tmp_path / "v", format=format)

    def fail(file):
        raise OSError("no space left")

    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(OSError, match="no space left"):
        make_vectors(9).save(tmp_path / "v", format=format)
    assert os.listdir(tmp_path) == ["v"]
    assert_identical(WordVectors.load(tmp_path / "v"), before)


def test_files_that_cannot_change_places(tmp_path, monkeypatch):
    before = make_vectors(5)
    before.save(tmp_path / "v")
    replace = os.replace

    def fail(source, target):
        # The old file moves away, and back; the new one does not come.
        if (
            target == tmp_path / "v" / "arrays.safetensors"
            and source.stat().st_size > 400
        ):
            raise OSError("no")
        replace(source, target)

    monkeypatch.setattr(os, "replace", fail)
    with pytest.raises(OSError, match="no"):
        make_vectors(50).save(tmp_path / "v")
    assert os.listdir(tmp_path) == ["v"]
    assert_identical(WordVectors.load(tmp_path / "v"), before)


@pytest.mark.parametrize("name", ["v.txt", "v"])
def test_a_link_stays_a_link(tmp_path, name):
    make_vectors(5).save(tmp_path / name)
    (tmp_path / f"link{name[1:]}").symlink_to(tmp_path / name)
    make_vectors(6).save(tmp_path / f"link{name[1:]}")
    assert (tmp_path / f"link{name[1:]}").is_symlink()
    assert_identical(WordVectors.load(tmp_path / name), make_vectors(6))


def test_subclass(tmp_path):
    class Mine(WordVectors):
        pass

    make_vectors(3).save(tmp_path / "v.txt")
    assert type(Mine.load(tmp_path / "v.txt")) is Mine
