"""Rows of word vectors that cannot be read: errors that name them, or left out."""

import gzip
import struct
import warnings
from itertools import cycle, product

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from skml.text import EmbeddingTransformer, Word2VecTransformer, WordVectors

NOT_FINITE = ["nan", "NaN", "-NAN", "inf", "+Inf", "-Infinity", "-nan(ind)", "1.#QNAN"]
SKIPPED = "skipped {} of {} rows, which cannot be read .*The first is {}"


def write(path, data):
    path.write_bytes(data if isinstance(data, bytes) else data.encode())
    return path


def binary(*rows):
    header = b"%d %d\n" % (len(rows), len(rows[0][1]))
    return header + b"".join(
        word + b" " + struct.pack(f"<{len(numbers)}f", *numbers)
        for word, numbers in rows
    )


@pytest.mark.parametrize("number", NOT_FINITE)
@pytest.mark.parametrize("has_header", [True, False])
def test_text_with_a_number_that_is_not_finite_is_never_read(
    tmp_path, number, has_header
):
    """A blank and three letters are the four bytes of a number in binary."""
    places = ["all", "first row", "last number", "first number"]
    ways = cycle(product(["utf-8", "gb18030"], [bytes, gzip.compress]))
    for size, place, end in product([1, 3, 70], places, ["\n", "\r\n", " \n"]):
        rows = np.full((3, size), "0.5", dtype="U10")
        where = {"all": ..., "first row": 0, "last number": (-1, -1)}
        rows[where.get(place, (slice(None), 0))] = number
        words = ["red", "诗 歌", "y"]
        lines = [" ".join([w, *row]) for w, row in zip(words, rows, strict=True)]
        text = f"3 {size}\n" * has_header + "".join(line + end for line in lines)
        line = 1 + has_header + 2 * (place == "last number")
        for _, (encoding, pack) in zip(range(3), ways, strict=False):
            path = write(tmp_path / "v", pack(text.encode(encoding)))
            with pytest.raises(ValueError, match=f"v, line {line}: number .* finite"):
                WordVectors.load(path, encoding=encoding)


def test_whoever_reads_a_file_finds_what_is_not_finite(tmp_path):
    path = write(tmp_path / "v", "2 3\nred nan nan nan\nblue nan nan nan\n")
    for estimator in [EmbeddingTransformer(path), Word2VecTransformer(3, init=path)]:
        with pytest.raises(ValueError, match="v, line 2: number 1 of 3 is b'nan'"):
            estimator.fit(["red blue"] * 20)


@pytest.mark.parametrize(
    "data",
    [
        "2 3\nred NULL\n",
        "2 3\n\nred - - -\n",
        "2 9\n诗\n",
        "2 2\n诗歌 1.#QNAN\n歌 1.#QNAN\n".encode("gb18030"),
    ],
)
def test_damaged_text_is_not_taken_for_binary(tmp_path, data):
    with pytest.raises(ValueError, match=r"word2vec-text|line 2"):
        WordVectors.load(write(tmp_path / "v", data))


@pytest.mark.parametrize(
    ("data", "words", "n_bad", "n_rows", "first"),
    [
        ("3 1\na 1\nb nan\nc 3\n", "ac", 1, 3, "line 3: number 1 of 1 is b'nan'"),
        ("3 1\na\nb 2.0000\nc\n", "b", 2, 3, "line 2: expected a word and 1"),
        ("a 1\n\n \nb 1e39\nc 3\n\n", "ac", 3, 5, "line 2: .* got an empty line"),
        # A word with a newline in it: two rows for one of the header.
        ("2 1\nx\ny 1\nz 2\n", "yz", 1, 3, "line 2: expected"),
        (
            b"a 1\n\xff 2\nc 3\n",
            "ac",
            1,
            3,
            r"line 2, byte offset 4.*: .* b'\\xff' is c",
        ),
        (b"2 1\na 1\n\xe8\xaf 2\n", "a", 1, 2, r"line 3, .* is cut"),
        (
            binary((b"a", [1]), (b"bb", [np.inf]), (b"", [2]), (b"c", [3])),
            "ac",
            2,
            4,
            "word 1, byte offset 13.*: number 1 of 1 of the word b'bb' is inf",
        ),
        (binary((b"a\0", [1]), (b"b", [1])), "b", 1, 2, "word 0, .* expected a word"),
    ],
)
@pytest.mark.parametrize("pack", [bytes, gzip.compress])
def test_bad_rows_are_skipped(tmp_path, data, words, n_bad, n_rows, first, pack):
    data = data if isinstance(data, bytes) else data.encode()
    path = write(tmp_path / "v", pack(data))
    with pytest.raises(ValueError, match=f"{first}.* pass on_bad_rows=.skip. to Word"):
        WordVectors.load(path)
    with pytest.warns(UserWarning, match=SKIPPED.format(n_bad, n_rows, first)) as seen:
        found = WordVectors.load(path, on_bad_rows="skip")
    assert len(seen) == 1
    assert seen[0].filename == __file__
    assert found.words == list(words)
    numbers = {"a": 1, "b": 2, "c": 3, "y": 1, "z": 2}
    if b"\0" not in data[:7]:
        assert_array_equal(found.vectors[:, 0], [numbers[word] for word in words])


def test_good_rows_beside_many_bad_ones(tmp_path):
    lines = [f"w{i} {i} 1\n" if i % 3 else f"w{i} {i}\n" for i in range(30_000)]
    path = write(tmp_path / "v", "30000 2\n" + "".join(lines))
    with pytest.warns(UserWarning, match=SKIPPED.format(10_000, 30_000, "line 2")):
        found = WordVectors.load(path, on_bad_rows="skip")
    kept = [i for i in range(30_000) if i % 3]
    assert found.words == [f"w{i}" for i in kept]
    assert_array_equal(found.vectors[:, 0], kept)
    with pytest.warns(UserWarning, match=SKIPPED.format(1, 3, "line 2")):
        found = WordVectors.load(path, on_bad_rows="skip", limit=3)
    assert found.words == ["w1", "w2"]


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ("2 1\na x\nb nan\n", "no row can be read; .* The first of 2 is line 2: num"),
        ("3 1\na 1\nb nan\n", "header says 3 words; the file ends in line 4"),
        ("1 1\na 1\nb 2\n", "expected the end of the file after the 1 words"),
        (
            "3 1\na 1\nx\na 2\nb 3\n",
            "line 4: the word 'a' is the one of an earlier row",
        ),
        (binary((b"a", [1]), (b"b", [2]))[:-1], "word2vec-binary; the file has 15"),
        (b"2 1\na \0\0\0\0" + b"b" * 1_048_577, "word 1, .* and a space[.]"),
    ],
)
def test_what_is_no_bad_row_is_not_skipped(tmp_path, data, message):
    with pytest.raises(ValueError, match=message):
        WordVectors.load(write(tmp_path / "v", data), on_bad_rows="skip")


def test_nothing_to_skip(tmp_path):
    path = write(tmp_path / "v", "2 1\na 1\nb 2\n\n\n")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert WordVectors.load(path, on_bad_rows="skip") == WordVectors.load(path)


def test_gensim_reads_words_that_only_binary_holds(tmp_path):
    models = pytest.importorskip("gensim.models")
    words = ["a\tb", "c\r", "d\ne", "f"]
    vectors = WordVectors(np.arange(8).reshape(4, 2), words)
    vectors.save(tmp_path / "v.bin")
    peer = models.KeyedVectors.load_word2vec_format(tmp_path / "v.bin", binary=True)
    assert peer.index_to_key == words
    peer.save_word2vec_format(tmp_path / "w.bin", binary=True)
    assert WordVectors.load(tmp_path / "w.bin") == vectors
