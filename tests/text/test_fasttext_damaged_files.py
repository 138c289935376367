"""Damaged files of fastText: each error names what is wrong, and where."""

import gzip
import re
import struct
import tracemalloc

import numpy as np
import pytest

from skml.text import WordVectors
from tests.oracles import fasttext_files as oracle
from tests.text.fasttext_vector_files import (
    CENTROIDS,
    CODES,
    NORM_CODES,
    NORMS,
    ROWS,
    WORDS,
    replaced,
    sections,
    write,
)

MATRICES = {
    "dense": sections(),
    "quantised": sections(
        oracle.quantised(CODES, CENTROIDS, NORM_CODES, NORMS)[0],
        oracle.quantised(CODES[: len(WORDS)], CENTROIDS)[0],
    ),
    "pruned": sections(
        oracle.quantised(CODES[: len(WORDS) + 2], CENTROIDS)[0], kept=[(3, 1), (2, 0)]
    ),
}


@pytest.mark.parametrize("name", MATRICES)
@pytest.mark.parametrize("compress", [bytes, gzip.compress])
def test_cut_in_any_section(tmp_path, name, compress):
    """The error names the section, and a byte in it."""
    parts, before = MATRICES[name], b""
    for section, data in parts.items():
        places = {0, 1, 2, len(data) // 3, len(data) // 2, len(data) - 5, len(data) - 1}
        for place in sorted(place for place in places if 0 <= place < len(data)):
            whole = before + data[:place]
            if not whole.startswith(b"\xba\x16\x4f\x2f"):
                continue
            path = write(tmp_path / "v", compress(whole))
            with pytest.raises(ValueError, match="cut off") as caught:
                WordVectors.load(path)
            message = str(caught.value)
            at = int(message.partition("byte offset ")[2].split(":")[0].split(" ")[0])
            assert message.startswith(f"{path}, ")
            if not (section == "dictionary, entry" and compress is bytes):
                assert f", {section}" in message
                assert len(before) <= at <= len(whole)
        before += data
    path = write(tmp_path / "v", compress(before + b"\0"))
    with pytest.raises(ValueError, match=r"end, byte offset .*, got more bytes"):
        WordVectors.load(path)


def changed(section, place, layout, *numbers, base="dense", **parameters):
    """A file in which some numbers of a section are others."""
    parts = {**(sections(**parameters) if parameters else MATRICES[base])}
    data = bytearray(parts[section])
    struct.pack_into(layout, data, place, *numbers)
    parts[section] = bytes(data)
    return parts


HUGE = 2**62
SIZES, INPUT, OUTPUT = "dictionary, sizes", "input matrix", "output matrix"
# Where the codes of the quantised matrix end.
END = 22 + CODES.size
DAMAGED = {
    "version": (
        changed("header", 4, "<i", 13),
        "header, byte offset 8: the version of the format is 13; 11 and 12 are read",
    ),
    "kind": (
        changed("parameters", 28, "<i", 4),
        r"the kind of model is 4; expected 1 \(cbow\), 2 \(skip-gram\), 3 \(superv",
    ),
    "loss": (changed("parameters", 24, "<i", 0), r"the loss is 0; expected 1 \(hier"),
    "no dimension": (
        changed("parameters", 0, "<i", 0),
        "parameters, byte offset 64: vectors of 0 dimensions; expected 1 to 65536",
    ),
    "many dimensions": (
        changed("parameters", 0, "<i", 65537),
        "vectors of 65537 dimensions",
    ),
    "buckets": (changed("parameters", 32, "<i", -1), "-1 buckets of n-grams; expected"),
    "long n-grams": (
        changed("parameters", 40, "<i", 65),
        "character n-grams of up to 65 characters; expected up to 64",
    ),
    "other buckets": (
        changed("parameters", 32, "<i", 36),
        r"its shape is \(43, 3\); expected \(42, 3\), by the parameters and the",
    ),
    "huge buckets": (
        changed("parameters", 32, "<i", 2**31 - 1),
        r"input matrix, .*: its shape is \(43, 3\); expected \(2147483653, 3\)",
    ),
    "other dimensions": (
        changed("parameters", 0, "<i", 4),
        r"its shape is \(43, 3\); expected \(43, 4\)",
    ),
    "entries": (
        changed(SIZES, 0, "<i", 7),
        "sizes, byte offset 92: 7 entries, 6 words, 0 labels and 21 tokens do not bel",
    ),
    "negative": (changed(SIZES, 4, "<2i", 7, -1), "6 entries, 7 words, -1 labels"),
    "tokens": (changed(SIZES, 12, "<q", -1), "0 labels and -1 tokens do not belong"),
    "huge dictionary": (
        changed(SIZES, 0, "<2i", 2**31 - 1, 2**31 - 1),
        "sizes, byte offset 92: expected 23622320117 bytes, the file has",
    ),
    "no kept buckets": (changed(SIZES, 20, "<q", -2), "-2 buckets that pruning left"),
    "too many kept": (
        changed(SIZES, 20, "<q", 38),
        "38 buckets that pruning left; expected up to 37, or -1",
    ),
    "no word": (
        replaced(b"x\0", b"\0\0"),
        "entry 4, byte offset .*: b'' with the count .* at least one byte",
    ),
    "label among words": (
        changed("dictionary, entry", 13, "<b", 1),
        r"entry 0, byte offset 92: b'</s>' with the count 6 and the kind 1; expected a "
        r"word \(0\)",
    ),
    "word among labels": (
        changed(SIZES, 4, "<2i", 5, 1),
        r"entry 5, .* expected a label \(1\) of at least one byte",
    ),
    "count": (changed("dictionary, entry", 5, "<q", -6), "with the count -6 and"),
    "long word": (
        {
            **sections(),
            "dictionary, entry": b"a" * 3_000_000,
        },
        "entry 0, byte offset 92: a word has more than 1048576 bytes",
    ),
    "kept twice": (
        changed("dictionary, pruned buckets", 0, "<i", 2, base="pruned"),
        "pruned buckets, byte offset .*: expected 2 distinct buckets of 0 to 36",
    ),
    "no such bucket": (
        changed("dictionary, pruned buckets", 0, "<i", 37, base="pruned"),
        "expected 2 distinct buckets of 0 to 36, and a row of its own for each",
    ),
    "no such row": (
        changed("dictionary, pruned buckets", 4, "<i", 2, base="pruned"),
        "expected 2 distinct buckets",
    ),
    "one row for two": (
        changed("dictionary, pruned buckets", 4, "<i", 0, base="pruned"),
        "expected 2 distinct buckets",
    ),
    "pruned and dense": (
        sections(ROWS[: len(WORDS) + 1], kept=[(0, 0)]),
        "input matrix, byte offset .*: it is not quantised, but the dictionary is pru",
    ),
    "mark": (
        changed(INPUT, 0, "<B", 2),
        "input matrix, byte offset .*: the quantisation flag is 2; expected 0 or 1",
    ),
    "rows": (changed(INPUT, 1, "<q", HUGE), r"its shape is \(46116\d+, 3\); expected"),
    "columns": (
        changed(OUTPUT, 9, "<q", -3),
        r"output .* shape is \(6, -3\); expected",
    ),
    "output mark": (
        changed(OUTPUT, 0, "<B", 2),
        "output matrix, .* quantisation flag is 2",
    ),
    "norms flag": (
        changed(INPUT, 1, "<B", 255, base="quantised"),
        "the norms flag is 255",
    ),
    "codes": (
        changed(INPUT, 18, "<i", 87, base="quantised"),
        "87 codes for 43 rows do not belong together",
    ),
    "negative codes": (
        changed(INPUT, 18, "<i", -86, base="quantised"),
        "-86 codes for 43 rows do not belong",
    ),
    "huge codes": (
        changed(INPUT, 18, "<i", 43 * 2**24, base="quantised"),
        "input matrix, byte offset .*: expected 721420288 bytes, the file has",
    ),
    "no codes": (
        changed(INPUT, 18, "<i", 0, base="quantised"),
        "input matrix, centroids, byte offset .* vectors of .* do not belong to a mat",
    ),
    "columns of centroids": (
        changed(INPUT, END, "<i", 2, base="quantised"),
        "vectors of 2 dimensions in 2 parts of 2, the last of 1, do not belong to a "
        "matrix of 3 columns, with 2 codes",
    ),
    "parts": (
        changed(INPUT, END, "<4i", 3, 1, 3, 3, base="quantised"),
        "in 1 parts of 3, the last of 3, do not belong to .* with 2 codes in each row",
    ),
    "no size of parts": (
        changed(INPUT, END + 8, "<i", 0, base="quantised"),
        "2 parts of 0, the last",
    ),
    "last part": (
        changed(INPUT, END + 12, "<i", 2, base="quantised"),
        "2 parts of 2, the last of 2, do not",
    ),
    "norms": (
        changed(INPUT, END + 16 + 3 * 1024 + 43, "<i", 2, base="quantised"),
        "input matrix, norms, byte offset .*: vectors of 2 dimensions",
    ),
}


@pytest.mark.parametrize("name", DAMAGED)
def test_damaged_files(tmp_path, name):
    parts, message = DAMAGED[name]
    path = write(tmp_path / "v", parts)
    with pytest.raises(ValueError, match=f"{re.escape(str(path))}, .*{message}"):
        WordVectors.load(path)


@pytest.mark.parametrize("compress", [bytes, gzip.compress])
@pytest.mark.parametrize(
    "name", ["huge dictionary", "huge buckets", "rows", "huge codes", "long word"]
)
def test_lying_sizes_take_no_memory(tmp_path, name, compress):
    """What is compressed has no size to compare with, and is read on to its end."""
    path = write(tmp_path / "v", compress(b"".join(DAMAGED[name][0].values())))
    tracemalloc.start()
    with pytest.raises(ValueError, match=re.escape(f"{path}, ")):
        WordVectors.load(path)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 3e7


def test_many_rows_of_few_codes(tmp_path):
    """A code of a byte may not stand for a vector of megabytes."""
    centroids = [np.zeros((256, 3000), np.float32)]
    data, _ = oracle.quantised(np.zeros((1, 1), np.uint8), centroids)
    n_rows = 600_000
    data = bytearray(data)
    struct.pack_into("<qqi", data, 2, n_rows, 3000, n_rows)
    data[22:23] = bytes(n_rows)
    words = ["</s>"]
    parts = sections(
        bytes(data), np.zeros((1, 3000)), words, n_buckets=n_rows - 1, vector_size=3000
    )
    message = "its vectors take more than 256 times the memory of its codes; quantise"
    with pytest.raises(ValueError, match=message):
        WordVectors.load(write(tmp_path / "v", parts))
