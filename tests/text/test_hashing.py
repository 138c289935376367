"""Tests of hashed terms: HashingVectorizer is the judge, to the last bit."""

import pickle
import random

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.exceptions import NotFittedError
from sklearn.feature_extraction.text import HashingVectorizer, TfidfTransformer
from sklearn.linear_model import SGDClassifier
from sklearn.pipeline import make_pipeline
from sklearn.utils import get_tags, murmurhash3_32

from skml.text import _ngrams
from skml.text._term_hashes import hash_columns
from skml.text._tfidf import TfidfWeighter
from skml.text._vocabulary import spell
from tests.text.test_ngrams import ALPHABETS, random_documents

ENGLISH = ["The cat sat on the mat.", "", "A dog, a cat and 2 dogs!", "café CAFÉ cat"]
EMPTY = np.empty(0, dtype=np.uint8)


def assert_same(weights, expected):
    """Equal to the last bit, but for zeros that are stored."""
    assert weights.shape == expected.shape
    assert weights.dtype == expected.dtype
    assert (weights != expected).nnz == 0
    assert weights.has_canonical_format


def test_hashes_are_those_of_scikit_learn():
    rng = random.Random(0)
    terms = ["", "a", "é", "字", "😀", "\x00", "\x00\x00", "x" * 1000]
    terms += [
        rng.choice(ALPHABETS) * rng.randint(0, 3) + "ab"[: i % 3] for i in range(50)
    ]
    terms += [f"{i}" for i in range(2000)]
    signed = np.array([murmurhash3_32(term) for term in terms], dtype=np.int64)
    for n_features in (1, 7, 2**20, 2**30):
        columns = hash_columns(*spell(terms), n_features)
        assert_array_equal(columns & 1, signed < 0)
        assert_array_equal(columns >> 1, abs(signed) % n_features)
    for n_features in (0, 2**30 + 1):
        with pytest.raises(ValueError, match="n_features is"):
            hash_columns(EMPTY, np.zeros(1, dtype=np.int64), n_features)


@pytest.mark.parametrize("n_features", [3, 1000, 2**20])
def test_the_least_hash(n_features):
    """-2**31 has no positive counterpart; scikit-learn takes a way around it."""
    documents = ["aivlts3m", "cat"]
    assert murmurhash3_32(documents[0]) == -(2**31)
    ours = TfidfWeighter(n_features=n_features, norm=None, use_idf=False)
    theirs = HashingVectorizer(n_features=n_features, norm=None)
    assert_same(ours.transform(documents), theirs.transform(documents))


@pytest.mark.parametrize("seed", range(25))
@pytest.mark.filterwarnings("ignore")
def test_equal_to_hashing_vectorizer(seed, monkeypatch):
    rng = random.Random(seed)
    monkeypatch.setattr(_ngrams, "BATCH", rng.choice([1, 2, 1000]))
    documents = random_documents(rng, 40)
    min_n = rng.randint(1, 3)
    parameters = {
        "analyzer": rng.choice(["word", "char", "char_wb"]),
        "ngram_range": (min_n, min_n + rng.randint(0, 2)),
        "lowercase": rng.random() < 0.7,
        "strip_accents": rng.choice([None, "ascii", "unicode"]),
        "n_features": rng.choice([1, 5, 100, 2**15]),
        "alternate_sign": rng.random() < 0.6,
        "binary": rng.random() < 0.3,
        "norm": rng.choice(["l1", "l2", None]),
        "dtype": rng.choice([np.float64, np.float32]),
    }
    if parameters["analyzer"] == "word":
        parameters["token_pattern"] = rng.choice([r"\w+", r"[a-z]+", r"a(\w)"])
        parameters["stop_words"] = rng.choice([None, ["abc", "ab", "a"]])
    theirs = HashingVectorizer(**parameters)
    ours = TfidfWeighter(**parameters, use_idf=False, n_jobs=rng.choice([None, 3]))
    expected = theirs.transform(documents)
    assert_same(ours.transform(documents), expected)
    assert_same(ours.fit_transform(iter(documents)), expected)
    theirs.set_params(norm=None)
    idf = TfidfTransformer(norm=ours.norm)
    pipeline = make_pipeline(theirs, idf)
    ours.set_params(use_idf=True)
    assert_same(ours.fit_transform(documents), pipeline.fit_transform(documents))
    assert_array_equal(ours.idf_, idf.idf_)
    assert_same(ours.transform(documents[::2]), pipeline.transform(documents[::2]))


@pytest.mark.parametrize("scheme", ["idf", "bm25", "sif", "usif", "rf", "or", "nb"])
def test_schemes_see_columns_as_terms(scheme):
    """Without signs, hashed counts are a matrix of counts like another."""
    y = [0, 1, 1, 0]
    hashing = {"n_features": 20, "alternate_sign": False}
    counts = TfidfWeighter(use_idf=False, norm=None, **hashing).transform(ENGLISH)
    on_counts = TfidfWeighter(scheme=scheme).fit(counts, y)
    weighter = TfidfWeighter(scheme=scheme, **hashing).fit(ENGLISH, y)
    assert_array_equal(weighter.term_weights_, on_counts.term_weights_)
    assert_same(weighter.transform(ENGLISH), on_counts.transform(counts))


def test_terms_that_outweigh_each_other_are_left_out():
    weighter = TfidfWeighter(n_features=1, use_idf=False, norm=None)
    pairs = [(a, b) for a in "abcdefgh" for b in "abcdefgh"]
    signs = {c: np.sign(murmurhash3_32(f"{c}{c}")) for c in "abcdefgh"}
    a, b = next((a, b) for a, b in pairs if signs[a] != signs[b])
    weights = weighter.transform([f"{a}{a} {b}{b}", f"{a}{a} {a}{a} {b}{b}"])
    assert weights.nnz == 1
    assert weights[1, 0] == signs[a]


@pytest.mark.parametrize("use_idf", [True, False])
def test_nothing_is_learned_without_idf(use_idf):
    weighter = TfidfWeighter(n_features=50, use_idf=use_idf)
    assert get_tags(weighter).requires_fit is use_idf
    if use_idf:
        with pytest.raises(NotFittedError):
            weighter.transform(ENGLISH)
    weights = weighter.fit(ENGLISH).transform(ENGLISH)
    assert weights.shape == (4, 50)
    assert hasattr(weighter, "term_weights_") is use_idf
    assert hasattr(weighter, "idf_") is use_idf
    assert not hasattr(weighter, "vocabulary_")
    assert not hasattr(weighter, "fixed_vocabulary_")
    again = pickle.loads(pickle.dumps(weighter))
    assert_same(again.transform(ENGLISH), weights)
    assert len(pickle.dumps(weighter)) < 3000


@pytest.mark.parametrize("use_idf", [True, False])
def test_saved(tmp_path, use_idf):
    weighter = TfidfWeighter(n_features=50, use_idf=use_idf).fit(ENGLISH)
    again = TfidfWeighter.load(weighter.save(tmp_path / "m") and tmp_path / "m")
    assert_same(again.transform(ENGLISH), weighter.transform(ENGLISH))


def test_columns_have_names_but_no_terms():
    weighter = TfidfWeighter(n_features=3, use_idf=False)
    names = [f"tfidfweighter{i}" for i in range(3)]
    assert weighter.get_feature_names_out().tolist() == names
    with pytest.raises(ValueError, match="hashed terms cannot be looked up"):
        weighter.inverse_transform(np.eye(3))
    with pytest.raises(ValueError, match="fitted with n_features, so that tokens"):
        weighter.token_weights(ENGLISH)


@pytest.mark.parametrize("method", ["transform", "fit", "fit_transform"])
@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"n_features": 0}, "'n_features' parameter"),
        ({"n_features": 2**30 + 1}, "'n_features' parameter"),
        ({"n_features": 2.0}, "'n_features' parameter"),
        ({"alternate_sign": "no"}, "'alternate_sign' parameter"),
        ({"vocabulary": ["a"]}, "vocabulary=.* no effect when n_features is given"),
        ({"min_df": 2}, "min_df=2 has no effect when n_features is given"),
        ({"max_features": 2}, "max_features=2 has no effect when n_features is given"),
        ({"sublinear_tf": True}, "not negative; .*Pass alternate_sign=False"),
    ],
)
def test_what_hashing_cannot_honour(method, parameters, message):
    weighter = TfidfWeighter(**{"n_features": 8, "use_idf": False} | parameters)
    with pytest.raises(ValueError, match=message):
        getattr(weighter, method)(ENGLISH)


def test_signs_are_for_tfidf_and_for_hashing():
    with pytest.raises(ValueError, match=r"scheme='bm25' and .* not negative"):
        TfidfWeighter(n_features=8, scheme="bm25").fit(ENGLISH)
    with pytest.raises(ValueError, match="alternate_sign=False has no effect when n_f"):
        TfidfWeighter(alternate_sign=False).fit(ENGLISH)
    with pytest.raises(ValueError, match="n_features=8 has no effect when X is a coun"):
        TfidfWeighter(n_features=8).fit(np.eye(2))


def test_sublinear_counts_by_column():
    weighter = TfidfWeighter(
        n_features=1, use_idf=False, alternate_sign=False, sublinear_tf=True, norm=None
    )
    assert_allclose(weighter.transform(["ab cd ab"]).toarray(), [[1 + np.log(3)]])


@pytest.mark.parametrize("X", [[], iter([])])
def test_no_documents(X):
    with pytest.raises(ValueError, match="X holds no documents"):
        TfidfWeighter(n_features=8, use_idf=False).transform(X)


def test_errors_say_where_the_document_is(monkeypatch):
    monkeypatch.setattr(_ngrams, "BATCH", 1)
    documents = [["a"]] * 20 + [["a", 3]]
    with pytest.raises(TypeError, match="token 1 of document 20 is 3"):
        TfidfWeighter(n_features=8, use_idf=False).transform(documents)


def test_a_stream_of_documents():
    """A classifier that learns batch by batch, with a transformer that needs no fit."""
    documents, y = ["cats purr", "dogs bark"] * 50, [0, 1] * 50
    weighter, model = TfidfWeighter(n_features=2**10, use_idf=False), SGDClassifier()
    for begin in range(0, 100, 20):
        X = weighter.transform(documents[begin : begin + 20])
        model.partial_fit(X, y[begin : begin + 20], classes=[0, 1])
    assert model.predict(weighter.transform(["cats", "dogs"])).tolist() == [0, 1]
