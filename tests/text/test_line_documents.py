"""Files with a document a line, and ids that do not fit into memory."""

import bz2
import errno
import gzip
import lzma
import pickle

import numpy as np
import pytest
from numpy.testing import assert_array_equal
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline

from skml.text import (
    EmbeddingTransformer,
    LineDocuments,
    TfidfWeighter,
    Word2VecTransformer,
    WordVectors,
    _id_stream,
)
from skml.text._characters import alphabet
from skml.text._id_stream import CHUNK, IdStream, mapping_of, release
from skml.text._ngrams import Analysis, encode
from skml.text._vocabulary import count_ids, reindex

# A few lines are too small a corpus for the default of `subsample`.
pytestmark = pytest.mark.filterwarnings("ignore:.*the word vectors are not trained")

LINES = [
    "The cat sat, on the mat; a x_y 42 don't",
    "",
    "Ünïcödé straße ΌΣΟΣ ΣΑΣ İstanbul ǅ ﬁne Ⅷ ² ½ ٣٤",
    "床前明月光，疑是地上霜。 🐼🐼 𝔘𝔫𝔦 e\u0301te",
    "  tab\tand\x0bother  blanks\u3000here\u00a0 \x00nul\x00l ",
    "The CAT again",
    "a\u200bb zero\u200dwidth under_score __ _",
    # Marks: vowel signs, joiners beside a mark, accents on one letter and on none.
    "बिल्ली में क् ශ්‍රී র‍্যাব می‌خواهم a\u0301 \u0301ab ab\u0301\u200d\u200dcd 1\ufe0f\u20e3",
]


@pytest.fixture
def path(tmp_path):
    path = tmp_path / "corpus.txt"
    path.write_bytes("\n".join(LINES).encode())
    return path


def make(**parameters):
    defaults = {"vector_size": 8, "min_count": 1, "max_iter": 2, "random_state": 0}
    return Word2VecTransformer(**{**defaults, **parameters})


ANALYSIS = Analysis("test", alphabet(lowercase=False), list)


def zipf_lines(n_lines, seed=0):
    rng = np.random.default_rng(seed)
    words = rng.zipf(1.5, size=(n_lines, 20)) % 5000
    return [" ".join(f"w{word}" for word in row) for row in words]


# Lines as documents


def test_lines_are_documents(path):
    documents = LineDocuments(path)
    assert list(documents) == LINES
    assert list(documents) == LINES  # once more
    assert repr(documents) == f"LineDocuments({str(path)!r}, encoding='utf-8')"
    assert list(pickle.loads(pickle.dumps(documents))) == LINES


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b"", []),
        (b"\n", [""]),
        (b"one\n\ntwo", ["one", "", "two"]),
        (b"one\r\ntwo\r\n", ["one", "two"]),
        (b"one\rtwo\n", ["one\rtwo"]),
        (b"\xef\xbb\xbfone\ntwo\n", ["one", "two"]),
        ("one\u2028two\x85three\n".encode(), ["one\u2028two\x85three"]),
    ],
)
def test_ends_of_lines(tmp_path, data, expected):
    (tmp_path / "f").write_bytes(data)
    assert list(LineDocuments(tmp_path / "f")) == expected


@pytest.mark.parametrize(
    ("suffix", "module"), [(".gz", gzip), (".bz2", bz2), (".XZ", lzma)]
)
def test_compressed_files(tmp_path, suffix, module):
    path = tmp_path / f"corpus.txt{suffix}"
    with module.open(path, "wt", encoding="utf-8") as file:
        file.write("\n".join(LINES))
    assert list(LineDocuments(path)) == LINES
    found = make().fit(LineDocuments(path))
    assert_array_equal(found.vectors_, make().fit(LINES).vectors_)


def test_other_encodings(tmp_path):
    path = tmp_path / "f"
    path.write_bytes("月光\n明月 明月\n".encode("gb18030"))
    documents = LineDocuments(path, encoding="gb18030")
    assert list(documents) == ["月光", "明月 明月"]
    assert make().fit(documents).vocabulary_ == {"明月": 0, "月光": 1}


def test_cross_validation_takes_lines(path):
    model = make_pipeline(TfidfWeighter(), LogisticRegression())
    y = np.arange(len(LINES)) % 2
    search = GridSearchCV(model, {"tfidfweighter__norm": ["l1", "l2"]}, cv=2)
    predicted = search.fit(LineDocuments(path), y).predict(LineDocuments(path))
    assert_array_equal(predicted, search.fit(LINES, y).predict(LINES))
    assert np.array(LineDocuments(path)).tolist() == LINES


@pytest.mark.parametrize(
    "analysis",
    [
        {},
        {"lowercase": False},
        {"analyzer": "char"},
        {"stop_words": ["the"]},
        {"strip_accents": "unicode"},
        {"token_pattern": r"\S+"},
        {"tokenizer": str.split},
        {"preprocessor": str.upper},
        {"analyzer": str.split},
    ],
)
def test_lines_become_what_a_list_becomes(path, analysis):
    model = make(**analysis)
    terms, documents = model._encode(LineDocuments(path))
    expected_terms, expected = model._encode(LINES)
    assert terms == expected_terms
    assert_array_equal(documents.ids, expected.ids)
    assert_array_equal(documents.offsets, expected.offsets)
    fitted = model.fit(LineDocuments(path))
    assert_array_equal(fitted.vectors_, make(**analysis).fit(LINES).vectors_)


def test_parameters_without_effect_warn(path):
    with pytest.warns(UserWarning, match="'token_pattern' will not be used"):
        make(analyzer="char", token_pattern="x").fit(LineDocuments(path))
    with pytest.warns(UserWarning, match="'encoding' will not be used"):
        make(encoding="latin-1").fit(LineDocuments(path))


@pytest.mark.parametrize(
    "damage",
    [
        b"\xff",
        b"\x80",
        b"\xc0\xaf",
        b"\xc3",
        b"\xe2\x82",
        b"\xe0\x80\xaf",
        b"\xed\xa0\x80",
        b"\xf0\x80\x80\xaf",
        b"\xf4\x90\x80\x80",
        b"\xf5\x80\x80\x80",
        b"\xc3(",
    ],
)
@pytest.mark.parametrize("analyzer", ["word", "char"])
def test_bytes_that_are_no_utf8(tmp_path, damage, analyzer):
    path = tmp_path / "f"
    path.write_bytes(b"fine line\nab " + damage + b"\nlast\n")
    model = make(analyzer=analyzer)
    with pytest.raises(ValueError, match=r"f, line 2: byte 0x.* at position 3 is not"):
        model.fit(LineDocuments(path))
    for decode_error in ("replace", "ignore"):
        documents = LineDocuments(path, decode_error=decode_error)
        expected = make(analyzer=analyzer).fit(list(documents))
        assert_array_equal(model.fit(documents).vectors_, expected.vectors_)


def test_long_lines_and_many_terms(tmp_path):
    lines = [" ".join(f"{i:x}q{i % 7}" for i in range(100_000)), "z" * 1_000_000, "x"]
    path = tmp_path / "f"
    path.write_text("\n".join(lines), encoding="utf-8")
    terms, documents = make()._encode(LineDocuments(path))
    expected_terms, expected = make()._encode(lines)
    assert list(terms) == expected_terms
    assert_array_equal(documents.ids, expected.ids)
    assert len(terms) == 100_001


@pytest.mark.filterwarnings("ignore:.*no known word")
def test_all_estimators_take_lines(path):
    weighter = TfidfWeighter()
    difference = weighter.fit_transform(LineDocuments(path)) - weighter.transform(LINES)
    assert abs(difference).max() == 0
    vectors = WordVectors([[1, 0], [0, 1]], ["cat", "the"])
    given = EmbeddingTransformer(vectors)
    expected = given.fit_transform(LINES)
    assert_array_equal(given.fit_transform(LineDocuments(path)), expected)


def test_errors_of_words_are_the_same(tmp_path):
    path = tmp_path / "f"
    path.write_text("明月 光\n")
    with pytest.raises(ValueError, match="analyzer='char'"):
        make(min_count=5).fit(LineDocuments(path))
    path.write_text("\n\n")
    with pytest.raises(ValueError, match="the 2 documents hold no token"):
        make().fit(LineDocuments(path))
    path.write_text("")
    with pytest.raises(ValueError, match="X holds no documents"):
        make().fit(LineDocuments(path))


@pytest.mark.parametrize("path", [3, None, b"f", ["f"]])
def test_paths_that_are_none(path):
    with pytest.raises(TypeError, match="path must be the path of a file"):
        LineDocuments(path)


def test_options_that_are_none(tmp_path):
    for encoding in ("utf-16", "utf-32-le", "nonsense", None):
        with pytest.raises(ValueError, match="encoding must be"):
            LineDocuments("f", encoding=encoding)
    with pytest.raises(ValueError, match="decode_error must be"):
        LineDocuments("f", decode_error="skip")
    with pytest.raises(FileNotFoundError):
        make().fit(LineDocuments(tmp_path / "missing"))


# Ids in a file


def test_ids_above_the_limit_are_in_a_file():
    stream = IdStream(max_bytes=4 * 100)
    for start in range(0, 100, 25):
        stream.write(np.arange(start, start + 25, dtype=np.int32))
    assert mapping_of(stream.finish()) is None
    stream.write(np.array([100], dtype=np.int32))
    stream.write(np.array([], dtype=np.int32))
    ids = stream.finish()
    assert mapping_of(ids[3:]) is not None
    assert_array_equal(ids, np.arange(101))
    ids[7] = -1
    release(ids[:50])
    assert ids[7] == -1
    assert stream.n_ids == 101
    assert len(IdStream(0).finish()) == 0


@pytest.mark.parametrize("max_bytes", [0, 4 * CHUNK, 12 * CHUNK, np.inf])
def test_streams_are_equal(max_bytes):
    rng = np.random.default_rng(0)
    sequences = [[f"t{i}" for i in rng.integers(0, 50, n)] for n in [3, 0, CHUNK, 7]]
    sequences += [["t1"] * (2 * CHUNK), ["t2"] * 5]
    terms, documents = encode(sequences, ANALYSIS, max_bytes)
    assert (mapping_of(documents.ids) is not None) == (max_bytes <= 12 * CHUNK)
    flat = [token for tokens in sequences for token in tokens]
    assert [terms[i] for i in documents.ids.tolist()] == flat
    counts = count_ids(documents.ids, len(terms))
    assert counts.sum() == len(flat)
    new_id = np.where(np.arange(len(terms)) % 2, np.arange(len(terms)), -1)
    kept = reindex(documents, new_id.astype(np.int32))
    expected = [token for token in flat if terms.index(token) % 2]
    assert [terms[i] for i in kept.ids.tolist()] == expected


@pytest.mark.parametrize(
    ("kind", "parameters"),
    [("lines", {}), ("list", {}), ("lines", {"loss": "hierarchical-softmax"})],
)
def test_the_result_is_the_same_bit_by_bit(tmp_path, parameters, kind):
    lines = zipf_lines(5000)
    path = tmp_path / "f"
    path.write_text("\n".join(lines), encoding="utf-8")
    documents = LineDocuments(path) if kind == "lines" else lines
    expected = make(**parameters).fit(lines)
    model = make(max_memory=0.1, **parameters).fit(documents)
    assert model.n_tokens_ > 0.1 * 2**20 / 4
    assert_array_equal(model.vectors_, expected.vectors_)
    assert_array_equal(model.output_vectors_, expected.output_vectors_)
    assert_array_equal(model.loss_curve_, expected.loss_curve_)


def test_weighter_subwords_and_threads_with_ids_in_a_file():
    lines = zipf_lines(2000)
    parameters = {"weighter": TfidfWeighter(), "subwords": (2, 3)}
    model = make(max_memory=0, **parameters)
    expected = make(max_memory=None, **parameters).fit_transform(lines)
    assert_array_equal(model.fit_transform(lines), expected)
    assert make(max_memory=0, n_jobs=2, max_iter=1).fit(lines).n_tokens_ == 40_000
    assert_array_equal(
        make(max_memory=0).partial_fit(lines).vectors_,
        make().partial_fit(lines).vectors_,
    )


def test_no_room_for_the_file(monkeypatch):
    def no_room():
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(_id_stream.tempfile, "TemporaryFile", no_room)
    with pytest.raises(OSError, match=r"No space left on device: .* TMPDIR") as caught:
        make(max_memory=0).fit(LINES)
    assert caught.value.errno == errno.ENOSPC
    assert make(max_memory=None).fit(LINES).n_iter_ == 2


def test_no_file_is_left_behind(tmp_path, monkeypatch):
    monkeypatch.setattr(_id_stream.tempfile, "tempdir", str(tmp_path))
    make(max_memory=0).fit(LINES)
    assert list(tmp_path.iterdir()) == []
