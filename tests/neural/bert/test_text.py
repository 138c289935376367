"""From documents to windows: kinds of documents, pieces, pairs, means."""

import pickle
from collections import deque, namedtuple
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from tokenizers import Tokenizer, models, pre_tokenizers, trainers
from transformers import AutoTokenizer, XLMRobertaTokenizer

from skml.neural import BertTransformer
from skml.neural._bert_text import (
    SubwordTokenizer,
    Windows,
    cut_into_windows,
    mean_of_windows,
    read_texts,
    warn_truncated,
)
from tests.neural.bert.models import SENTENCES, tiny_model

FIRST, SECOND = SENTENCES, SENTENCES[::-1]
PAIRS = list(zip(FIRST, SECOND, strict=True))
FRAME = pd.DataFrame({"a": FIRST, "b": SECOND}, index=range(9, 9 + len(PAIRS)))


def stored(folder):
    return Path(folder, "tokenizer.json").read_text("utf-8")


def cut(documents, kind="text", folder=None, **options):
    names = ("tokenizer.json", "tokenizer_config.json")
    folder = Path(folder or tiny_model(n_layers=1))
    tokenizer = SubwordTokenizer({n: (folder / n).read_text("utf-8") for n in names})
    options = {"max_length": 64, **options}
    return cut_into_windows(tokenizer, documents, kind, **options)


# Kinds


def test_rows_of_a_table_with_one_column_are_no_documents():
    rows = [["A first text."], ["Another one."]]
    with pytest.raises(ValueError, match="E: every document is a list of one text"):
        read_texts(rows, "E")
    assert read_texts(rows, "E", allow_rows=True)[1] == "tokens"


Row = namedtuple("Row", "first second")
TABLES = {
    "array of objects": np.array(PAIRS, dtype=object),
    "array of str": np.array(PAIRS),
    "array of StringDType": np.array(PAIRS, dtype=np.dtypes.StringDType()),
    "in the order of columns": np.asfortranarray(np.array(PAIRS, dtype=object)),
    "pandas": FRAME,
    "pandas strings": FRAME.astype("string"),
    "pandas categories": FRAME.astype("category"),
    "polars": pl.DataFrame({"a": FIRST, "b": SECOND}),
    "pyarrow": pa.table({"a": FIRST, "b": SECOND}),
}
COLLECTIONS = {
    "list": PAIRS,
    "tuple": tuple(PAIRS),
    "deque": deque(PAIRS),
    "array of tuples": pd.Series(PAIRS).to_numpy(),
    "Series of tuples": pd.Series(PAIRS, index=range(9, 9 + len(PAIRS))),
    "named tuples": [Row(*pair) for pair in PAIRS],
    "rows of pandas": FRAME.itertuples(index=False),
    "str of NumPy": [tuple(map(np.str_, pair)) for pair in PAIRS],
    "zip": zip(FIRST, SECOND, strict=True),
}


@pytest.mark.parametrize("X", [*TABLES.values(), *COLLECTIONS.values()])
def test_pairs(X):
    found, kind = read_texts(X, "Reader")
    assert (found, kind) == (PAIRS, "pairs")
    assert {type(text) for pair in found for text in pair} == {str}


@pytest.mark.parametrize(
    ("X", "documents", "kind"),
    [
        (["a", "b"], ["a", "b"], "text"),
        (["a", ""], ["a", ""], "text"),
        (("a", "b"), ["a", "b"], "text"),
        (np.array(["a", "b"]), ["a", "b"], "text"),
        (iter(["a"]), ["a"], "text"),
        ([["a", "b"], ["b", "c"]], [["a", "b"], ["b", "c"]], "tokens"),
        ([("a",), ("b", "c")], [["a"], ["b", "c"]], "tokens"),
        ([("a", "b", "c")], [["a", "b", "c"]], "tokens"),
        ([("a", "b"), ["b", "c"]], [["a", "b"], ["b", "c"]], "tokens"),
        ([[]], [[]], "tokens"),
        ([], [], None),
        (iter([]), [], None),
        (np.empty((0, 2), dtype=object), [], "pairs"),
    ],
)
def test_kinds(X, documents, kind):
    assert read_texts(X, "Reader") == (documents, kind)


@pytest.mark.parametrize(
    ("X", "error", "message"),
    [
        ("ab", ValueError, r"a single str"),
        ({"a": ("b", "c")}, TypeError, r"got a dict"),
        ({("a", "b")}, TypeError, r"got a set"),
        (None, TypeError, r"got None"),
        (np.array("a"), ValueError, r"0 dimension"),
        (np.ones((3, 2)), ValueError, r"ndarray with 2 dimension"),
        (np.array([["a"], ["b"]]), ValueError, r"ndarray with 2 dimension"),
        (FRAME[["a"]], ValueError, r"DataFrame with 2 dimension.*Select the column"),
        ([("a", "b"), "c"], TypeError, r"document 1 is a str.*before are lists"),
        (["c", ("a", "b")], TypeError, r"document 1 is a tuple.*before are str"),
        (["a", None], ValueError, r"document 1 is missing \(None\)"),
        (["a", np.nan], ValueError, r"document 1 is missing \(nan\)"),
        ([("a", "b"), None], ValueError, r"document 1 is missing \(None\)"),
        ([("a", None)], ValueError, r"0: the second text of the pair is missing"),
        ([("a", "b"), (pd.NA, "")], ValueError, r"1: the first text .*\(<NA>\)"),
        (
            pd.DataFrame({"a": ["x", None], "b": ["y", "z"]}),
            ValueError,
            r"document 1: the first text of the pair is missing.*Drop the row",
        ),
        (
            pl.DataFrame({"a": ["x", "y"], "b": ["y", None]}),
            ValueError,
            r"document 1: the second text of the pair is missing \(None\)",
        ),
        ([("a", 3)], TypeError, r"the second text of the pair is 3 \(int\); expected"),
        ([(b"a", "b")], TypeError, r"the first text of the pair is b'a' \(bytes\)"),
        (np.array([["a", 1.5]], dtype=object), TypeError, r"second .* 1\.5 \(float\)"),
        (["\ud800"], ValueError, r"document 0 has '\\ud800', half of a surrogate"),
        ([("a", "b"), ("a", "\ud800")], ValueError, r"document 1 has '\\ud800'"),
    ],
)
def test_what_is_no_collection_of_texts(X, error, message):
    with pytest.raises(error, match=rf"^Reader(:| expects).*{message}"):
        read_texts(X, "Reader")
    with pytest.raises(error, match=rf"^Reader, the queries(:| expects).*{message}"):
        read_texts(X, "Reader", "the queries")


# Pieces


@pytest.mark.parametrize("pairs", [False, True])
def test_pieces_are_those_of_transformers(pairs):
    reference = AutoTokenizer.from_pretrained(tiny_model(n_layers=1))
    documents = [*PAIRS, ("", ""), ("a", ""), ("", "b")] if pairs else [*SENTENCES, ""]
    found, n_cut = cut(documents, "pairs" if pairs else "text")
    expected = reference(*zip(*documents, strict=True)) if pairs else None
    expected = expected or reference(documents)
    assert n_cut == 0
    for ours, theirs in zip(found.ids, expected["input_ids"], strict=True):
        assert_array_equal(ours, theirs)
        assert ours.dtype == np.int32
    for ours, theirs in zip(found.segments, expected["token_type_ids"], strict=True):
        assert_array_equal(ours, theirs)
    assert_array_equal(found.documents, np.arange(len(documents)))
    assert any(segments.any() for segments in found.segments) == pairs


def test_tokens_are_cut_into_pieces():
    words = [text.split() for text in SENTENCES]
    for ours, theirs in zip(cut(words, "tokens")[0].ids, cut(SENTENCES)[0].ids):  # noqa: B905
        assert_array_equal(ours, theirs)
    empty, _ = cut([[], [""], ["", "cat"]], "tokens")
    assert [len(ids) for ids in empty.ids] == [2, 2, 3]


SPELLED = ["a [SEP] b", "[MASK]", "[CLS][PAD]", "[UNK]", "</s> a <mask>", "<s><pad>"]


@pytest.fixture(scope="module")
def unigram(tmp_path_factory):
    """A tokenizer as that of XLM-R, whose own pieces are in its vocabulary."""
    special = ["<s>", "<pad>", "</s>", "<unk>", "<mask>"]
    tokenizer = Tokenizer(models.Unigram())
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace()
    trainer = trainers.UnigramTrainer(
        vocab_size=150, special_tokens=special, unk_token="<unk>", show_progress=False
    )
    tokenizer.train_from_iterator(SENTENCES, trainer)
    scores = {piece: -3.0 for piece in tokenizer.get_vocab() if piece not in special}
    vocabulary = [*((piece, 0.0) for piece in special), *sorted(scores.items())]
    folder = tmp_path_factory.mktemp("unigram")
    XLMRobertaTokenizer(vocab=vocabulary).save_pretrained(folder)
    return folder


@pytest.mark.parametrize("kind", ["text", "tokens", "pairs"])
@pytest.mark.parametrize("name", ["word pieces", "unigram"])
def test_text_that_spells_special_pieces_is_text(name, kind, request):
    unknown, special, folder = 1, 5, None
    if name == "unigram":
        unknown, folder = 3, request.getfixturevalue("unigram")
    documents = {
        "text": SPELLED,
        "tokens": [text.split() for text in SPELLED],
        "pairs": [(text, text) for text in SPELLED],
    }[kind]
    empty = {"text": "", "tokens": [], "pairs": ("", "")}[kind]
    windows, _ = cut([*documents, empty], kind, folder)
    *found, alone = [[i for i in ids if i < special] for ids in windows.ids]
    for ids in found:
        assert [i for i in ids if i != unknown] == alone
    # As they stand there, they would be special.
    plain = Tokenizer.from_str(stored(folder or tiny_model(n_layers=1)))
    spelled = SPELLED[0] if folder is None else SPELLED[-2]
    assert {2, 3} & set(plain.encode(spelled, add_special_tokens=False).ids)


@pytest.mark.parametrize("how", ["named", "added"])
@pytest.mark.parametrize("name", ["word pieces", "unigram"])
def test_markers_that_somebody_added_are_read(name, how, request, tmp_path):
    folder = tiny_model(n_layers=1)
    if name == "unigram":
        folder = request.getfixturevalue("unigram")
    tokenizer = AutoTokenizer.from_pretrained(folder)
    if how == "named":
        tokenizer.add_special_tokens({"additional_special_tokens": ["[E1]", "实体"]})
    else:
        tokenizer.add_tokens(["[E1]", "实体"], special_tokens=True)
    tokenizer.save_pretrained(tmp_path)
    documents = ["a [E1] cat [E1]", "机器实体学习", "a cat"]
    for ours, text in zip(cut(documents, folder=tmp_path)[0].ids, documents):  # noqa: B905
        assert_array_equal(ours, tokenizer(text).input_ids)
    for kind, documents in {
        "tokens": [["a", "[E1]", "cat"]],
        "pairs": [("a", "[E1] cat")],
    }.items():
        ids = cut(documents, kind, tmp_path)[0].ids[0]
        assert tokenizer.convert_tokens_to_ids("[E1]") in ids
    # Those of the model itself remain text.
    special = set(tokenizer.convert_tokens_to_ids(["[SEP]", "[MASK]", "</s>"]))
    ids = cut(["[SEP][MASK]</s>[E1]"], folder=tmp_path)[0].ids[0]
    assert not special - {tokenizer.unk_token_id} & set(ids[1:-1])


def test_few_documents_are_encoded_at_a_time():
    taken = []

    class Documents(list):
        def __getitem__(self, rows):
            taken.append(rows)
            return super().__getitem__(rows)

    documents = Documents([f"{number} cats" for number in range(2500)])
    windows, _ = cut(documents)
    assert taken == [slice(i, i + 1000) for i in (0, 1000, 2000)]
    assert_array_equal(windows.documents, np.arange(2500))
    for row in (0, 999, 1000, 2499):
        assert_array_equal(windows.ids[row], cut([documents[row]])[0].ids[0])


def test_threads_share_a_tokenizer():
    tokenizer = SubwordTokenizer({"tokenizer.json": stored(tiny_model(n_layers=1))})
    text = " ".join(SENTENCES)

    def read(max_length):
        kind, X = ("tokens", [text.split()]) if max_length % 2 else ("text", [text])
        windows, _ = cut_into_windows(
            tokenizer, X * 50, kind, max_length=max_length, overlap=None
        )
        return [len(ids) for ids in windows.ids]

    lengths = [*range(8, 40)]
    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(read, lengths)) == [[n] * 50 for n in lengths]


# Windows


@pytest.mark.parametrize("overlap", [0, 1, 3])
@pytest.mark.parametrize("max_length", [8, 9, 13])
def test_windows_have_all_pieces(max_length, overlap):
    text = " ".join(SENTENCES)
    (whole,) = cut([text], max_length=10**4)[0].ids
    windows, n_cut = cut(["cat", text, "mat"], max_length=max_length, overlap=overlap)
    assert n_cut == 1
    assert_array_equal(windows.documents[[0, -1]], [0, 2])
    assert (windows.documents[1:-1] == 1).all()
    assert len(windows) == len(windows.ids)
    inner, step = max_length - 2, max_length - 2 - overlap
    body = whole[1:-1]
    for number, ids in enumerate(windows.ids[1:-1]):
        assert_array_equal(ids[[0, -1]], whole[[0, -1]])
        start = number * step
        assert_array_equal(ids[1:-1], body[start : start + inner])
    assert start + inner >= len(body)


def test_without_windows_long_texts_are_cut():
    texts = ["cat", " ".join(SENTENCES), " ".join(SENTENCES[::-1])]
    windows, n_cut = cut(texts, max_length=9, overlap=None)
    assert n_cut == 2
    assert_array_equal(windows.documents, [0, 1, 2])
    for ids, text in zip(windows.ids, texts, strict=True):
        (whole,) = cut([text], max_length=10**4)[0].ids
        assert_array_equal(ids[:-1], whole[: min(8, len(whole) - 1)])
        assert ids[-1] == whole[-1]


def test_the_longer_text_of_a_pair_is_cut_first():
    long, short = "cat " * 30, "the"
    for pair, n_first in [((long, short), 5), ((short, long), 1), ((long, long), 3)]:
        windows, n_cut = cut([pair], "pairs", max_length=9, overlap=None)
        (segments,) = windows.segments
        assert n_cut == 1
        assert len(segments) == 9
        assert (segments == 0).sum() == n_first + 2  # [CLS] and [SEP]


def test_the_warning_is_of_the_line_that_called():
    message = r"Reader: 3 document\(s\) have more tokens than max_length=8 and were"
    for kind, way_out in [("text", r"long_text='window'"), ("pairs", r"max_length\.$")]:
        with pytest.warns(UserWarning, match=f"{message}.*{way_out}") as caught:
            warn_truncated(3, 8, "Reader", kind)
        assert [w.filename for w in caught] == [__file__]


# Means


def make_windows(documents):
    return Windows([None] * len(documents), None, np.array(documents), None)


@pytest.mark.parametrize("shape", [(), (3,), (2, 3)])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_means_of_windows(dtype, shape):
    values = np.random.default_rng(0).normal(size=(6, *shape)).astype(dtype)
    windows = make_windows([0, 1, 1, 1, 2, 2])
    found = mean_of_windows(values, windows, 3)
    assert found.dtype == dtype
    for row, part in enumerate([values[:1], values[1:4], values[4:]]):
        assert_allclose(found[row], part.mean(axis=0), rtol=1e-5, atol=1e-6)
    assert_array_equal(found[0], values[0])
    weights = np.array([5, 1, 2, 3, 4, 0])
    found = mean_of_windows(values, windows, 3, weights)
    expected = np.average(values[1:4], axis=0, weights=weights[1:4])
    assert_allclose(found[1], expected, rtol=1e-5, atol=1e-6)
    assert_array_equal(found[[0, 2]], values[[0, 4]])


def test_one_window_each_is_left_as_it_is():
    values = np.random.default_rng(0).normal(size=(4, 2))
    found = mean_of_windows(values, make_windows([0, 1, 2, 3]), 4, np.arange(4))
    assert_array_equal(found, values)


# Speed


def test_a_fitted_model_does_not_read_its_tokenizer_again(monkeypatch):
    model = BertTransformer(tiny_model(n_layers=1), device="cpu").fit(SENTENCES)
    expected = model.transform(SENTENCES)
    again = pickle.loads(pickle.dumps(model))
    monkeypatch.setattr("skml.neural._bert_text.make_backend", None)
    assert_array_equal(model.transform(SENTENCES), expected)
    assert_array_equal(again.transform(SENTENCES), expected)
