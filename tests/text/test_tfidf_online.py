"""Tests of partial_fit: what `fit` learns of all documents at once is the judge."""

import pickle
import random
from collections import Counter
from itertools import pairwise

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy import sparse
from sklearn.feature_extraction.text import CountVectorizer

from skml.text import _ngrams, _tfidf_online
from skml.text._tfidf import TfidfWeighter
from tests.text.test_ngrams import random_documents

SCHEMES = ["tf-idf", "idf", "bm25", "sif", "usif"]
ANALYSES = [
    {"ngram_range": (1, 2), "token_pattern": r"\w+"},
    {"analyzer": "char_wb", "ngram_range": (2, 3)},
    {"analyzer": str.split},
    {"stop_words": ["ab"], "ngram_range": (2, 2), "token_pattern": r"\S+"},
]


def pieces(documents, rng):
    """Documents in pieces of any length, of none, too."""
    cuts = sorted(rng.choices(range(len(documents) + 1), k=3))
    return [
        documents[a:b]
        for a, b in zip([0, *cuts], [*cuts, len(documents)], strict=True)
        if a < b
    ]


def learn(weighter, parts):
    for part in parts:
        weighter.partial_fit(part)
    return weighter


def assert_equal_but_for_the_order(weighter, expected, documents):
    names = weighter.get_feature_names_out()
    others = expected.get_feature_names_out()
    order = [weighter.vocabulary_[name] for name in others]
    assert sorted(names) == sorted(others)
    assert_array_equal(weighter.term_weights_[order], expected.term_weights_)
    assert weighter.n_samples_seen_ == expected.n_samples_seen_
    found = weighter.transform(documents)[:, order]
    assert_allclose(found.toarray(), expected.transform(documents).toarray(), 1e-13)


@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize("analysis", range(len(ANALYSES)))
@pytest.mark.filterwarnings("ignore:.*no known word")
def test_a_stream_is_as_all_at_once(monkeypatch, scheme, analysis):
    rng = random.Random(analysis)
    monkeypatch.setattr(_ngrams, "BATCH", 2)
    documents = ["ab cd abc", *random_documents(rng, 30)]
    parameters = ANALYSES[analysis] | {"scheme": scheme, "binary": rng.random() < 0.5}
    expected = TfidfWeighter(**parameters).fit(documents)
    parts = pieces(documents, rng)
    weighter = learn(TfidfWeighter(**parameters, n_jobs=rng.choice([1, 3])), parts)
    assert_equal_but_for_the_order(weighter, expected, documents)
    fitted_first = TfidfWeighter(**parameters).fit(parts[0])
    learn(fitted_first, map(iter, parts[1:]))
    assert_equal_but_for_the_order(fitted_first, expected, documents)
    assert_array_equal(
        fitted_first.get_feature_names_out(), weighter.get_feature_names_out()
    )


def test_new_terms_stand_behind_in_order():
    weighter = TfidfWeighter().partial_fit(["dog cat"])
    assert weighter.get_feature_names_out().tolist() == ["cat", "dog"]
    weighter.partial_fit(["zebra dog", "ant"])
    assert weighter.get_feature_names_out().tolist() == ["cat", "dog", "ant", "zebra"]
    assert_allclose(weighter.idf_, 1 + np.log(4 / np.array([2, 3, 2, 2])))
    assert weighter.fixed_vocabulary_ is False


def test_the_first_call_is_a_fit():
    documents = random_documents(random.Random(3), 30)
    parameters = {"ngram_range": (1, 2), "token_pattern": r"\w+"}
    expected = TfidfWeighter(**parameters).fit(documents)
    found = TfidfWeighter(**parameters).partial_fit(documents)
    assert found.vocabulary_ == expected.vocabulary_
    assert (found.transform(documents) != expected.transform(documents)).nnz == 0


def test_new_terms_are_in_order_with_any_character():
    weighter = TfidfWeighter(ngram_range=(1, 2)).partial_fit([["a", "b"], ["a\x01b"]])
    names = ["a", "a\x01b", "a b", "b"]
    assert weighter.get_feature_names_out().tolist() == names


def test_tokens_with_blanks_in_them():
    parts = [[["new", "york"], ["new york"]], ["york new york", "new york"]]
    parts += [[["new york", "new", "york"], ["a\x01b", "a"]]]
    documents = [document for part in parts for document in part]
    for ngram_range in ((1, 1), (1, 2)):
        expected = TfidfWeighter(ngram_range=ngram_range, scheme="bm25").fit(documents)
        weighter = TfidfWeighter(ngram_range=ngram_range, scheme="bm25")
        assert_equal_but_for_the_order(learn(weighter, parts), expected, documents)


@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize(
    "limits", [{}, {"min_df": 3, "max_df": 0.6}, {"max_features": 4}]
)
@pytest.mark.parametrize("container", [sparse.csr_array, np.asarray])
def test_rows_of_counts(scheme, limits, container):
    """All limits are honoured, as each column stays."""
    counts = np.random.default_rng(0).poisson(0.4, size=(40, 9)) * 1.0
    parameters = {"scheme": scheme, **limits}
    expected = TfidfWeighter(**parameters).fit(container(counts))
    # Of few rows, some terms are within the limits that are not in the end.
    parts = [container(part) for part in np.split(counts, [10, 11, 30])]
    weighter = learn(TfidfWeighter(**parameters), parts)
    assert_array_equal(weighter.term_weights_, expected.term_weights_)
    found = weighter.transform(container(counts))
    assert (found != expected.transform(container(counts))).nnz == 0
    assert weighter.n_features_in_ == 9
    with pytest.raises(ValueError, match="has 8 features, but"):
        weighter.partial_fit(container(counts[:, 1:]))


@pytest.mark.parametrize(
    "parameters", [{}, {"binary": True}, {"alternate_sign": False}]
)
def test_hashed_terms(monkeypatch, parameters):
    monkeypatch.setattr(_ngrams, "BATCH", 1)
    rng = random.Random(0)
    documents = random_documents(rng, 40)
    if parameters:
        parameters = parameters | {"scheme": "usif", "alternate_sign": False}
    parameters = {"n_features": 64, "analyzer": "char", **parameters}
    expected = TfidfWeighter(**parameters).fit(documents)
    weighter = learn(TfidfWeighter(**parameters), pieces(documents, rng))
    assert_array_equal(weighter.term_weights_, expected.term_weights_)
    assert (weighter.transform(documents) != expected.transform(documents)).nnz == 0
    assert weighter.n_samples_seen_ == 40


def test_hashed_terms_of_which_nothing_is_learned():
    weighter = TfidfWeighter(n_features=8, use_idf=False)
    weighter.partial_fit(["a cat"]).partial_fit(["a dog"])
    assert weighter.transform(["a cat"]).nnz == 1
    with pytest.raises(ValueError, match="X holds no documents"):
        weighter.partial_fit([])


def test_a_given_vocabulary():
    documents, vocabulary = ["ab cd", "ab", "zz", "cd ab ab"], ["zz", "ab", "cd", "no"]
    expected = TfidfWeighter(vocabulary=vocabulary, scheme="sif").fit(documents)
    weighter = TfidfWeighter(vocabulary=vocabulary, scheme="sif")
    learn(weighter, [documents[:1], documents[1:]])
    assert weighter.fixed_vocabulary_ is True
    assert_equal_but_for_the_order(weighter, expected, documents)
    assert_array_equal(weighter.get_feature_names_out(), vocabulary)
    weighter.set_params(vocabulary=["ab"])
    with pytest.raises(ValueError, match="no longer what they were"):
        weighter.partial_fit(documents)


def test_min_df_gives_a_column_in_time():
    weighter = TfidfWeighter(min_df=2).partial_fit(["cat dog", ""])
    with pytest.warns(UserWarning, match="no known word"):
        assert weighter.transform(["cat", "dog"]).shape == (2, 0)
    assert weighter.get_feature_names_out().tolist() == []
    weighter = pickle.loads(pickle.dumps(weighter.partial_fit(["dog eel"])))
    assert weighter.get_feature_names_out().tolist() == ["dog"]
    weighter.partial_fit(["eel cat", "new"])
    assert weighter.get_feature_names_out().tolist() == ["dog", "cat", "eel"]
    assert_allclose(weighter.idf_, 1 + np.log(6 / 3))
    documents = ["cat dog", "", "dog eel", "eel cat", "new"]
    expected = TfidfWeighter(min_df=2).fit(documents)
    assert_equal_but_for_the_order(weighter, expected, documents)


def test_max_features_hand_columns_on():
    weighter = TfidfWeighter(max_features=2).partial_fit(["ant ant bee", "bee bee cat"])
    assert weighter.get_feature_names_out().tolist() == ["ant", "bee"]
    weighter.partial_fit(["cat cat", "bee"])
    assert weighter.get_feature_names_out().tolist() == ["cat", "bee"]
    weighter.partial_fit(["ant ant ant ant"])
    assert weighter.get_feature_names_out().tolist() == ["ant", "bee"]
    assert_allclose(weighter.idf_, 1 + np.log(6 / np.array([3, 4])))
    weighter.set_params(max_features=1).partial_fit([""])
    assert weighter.get_feature_names_out().tolist() == ["ant"]
    weighter.set_params(max_features=None).partial_fit([""])
    assert weighter.get_feature_names_out().tolist() == ["ant", "bee", "cat"]


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("max_features", [1, 5, 30])
def test_max_features_are_those_of_fit(seed, max_features):
    """As long as not too many terms are seen to be kept."""
    rng = np.random.default_rng(seed)
    documents = [
        " ".join(f"w{word}" for word in rng.zipf(1.3, size=20).clip(max=40))
        for _ in range(60)
    ]
    parameters = {"max_features": max_features, "scheme": "bm25"}
    expected = TfidfWeighter(**parameters).fit(documents)
    weighter = TfidfWeighter(**parameters)
    learn(weighter, [documents[:7], documents[7:50], documents[50:]])
    if max_features > 4:
        assert_equal_but_for_the_order(weighter, expected, documents)
    assert len(weighter.vocabulary_) == max_features


def kept_by_a_plain_twin(batches, n_kept):
    """The counts of words of which only the most frequent are kept."""
    counts = Counter()
    for batch in batches:
        counts.update(word for document in batch for word in document.split())
        first = sorted(counts, key=lambda word: (-counts[word], word))[:n_kept]
        counts = Counter({word: counts[word] for word in first})
    return counts


@pytest.mark.parametrize("n_jobs", [1, 2])
def test_the_terms_that_are_kept_meanwhile(monkeypatch, n_jobs):
    monkeypatch.setattr(_ngrams, "BATCH", 1)
    rng = np.random.default_rng(0)
    documents = [
        " ".join(f"w{word}" for word in rng.zipf(1.2, size=30).clip(max=900))
        for _ in range(200)
    ]
    weighter = TfidfWeighter(max_features=4, n_jobs=n_jobs)
    learn(weighter, [documents[:90], iter(documents[90:])])
    # A batch is of eight documents, or ends with the call.
    starts = [*range(0, 90, 8), *range(90, 200, 8), 200]
    batches = [documents[a:b] for a, b in pairwise(starts)]
    expected = kept_by_a_plain_twin(batches, 4 * _tfidf_online.KEPT)
    seen = weighter._fitted.seen
    terms = weighter._fitted.vocabulary.terms + seen.hidden.terms
    assert dict(zip(terms, seen.tf.tolist(), strict=True)) == expected
    assert sorted(terms[:4]) == sorted(word for word, _ in expected.most_common(4))
    in_all = CountVectorizer().fit(documents).vocabulary_
    assert len(terms) == 40 < len(in_all) / 5


def test_columns_are_handed_on_in_order(monkeypatch):
    """What leaves makes place for what is new, in order; the rest stays."""
    monkeypatch.setattr(_ngrams, "BATCH", 1)  # two batches a call
    monkeypatch.setattr(_tfidf_online, "KEPT", 1)
    rng = np.random.default_rng(0)
    weighter, columns, n_left = TfidfWeighter(max_features=3), [], 0
    for i in range(60):
        words = (rng.zipf(1.5, size=8 * i + 8) + i // 4).clip(max=30)
        weighter.partial_fit([" ".join(f"w{word}" for word in words)] * 9)
        found = weighter.get_feature_names_out().tolist()
        new = sorted(set(found) - set(columns))
        expected = [term if term in found else None for term in columns]
        n_left += None in expected
        expected = [term or new.pop(0) for term in expected] + new
        assert found == expected
        columns = found
    assert n_left > 3
    # All leave with the first batch of a call, and one that comes with the second.
    weighter = TfidfWeighter(max_features=3).partial_fit(["aa bb cc"])
    weighter.partial_fit(["dd ee ff"] * 8 + ["gg " * 9])
    assert weighter.get_feature_names_out().tolist() == ["dd", "ee", "gg"]


@pytest.mark.parametrize("parameters", [{}, {"min_df": 2}, {"n_features": 16}])
def test_saved_and_continued(tmp_path, parameters):
    documents = random_documents(random.Random(5), 20)
    parameters = {"analyzer": "char", **parameters}
    expected = learn(TfidfWeighter(**parameters), [documents[:9], documents[9:]])
    weighter = TfidfWeighter(**parameters).partial_fit(documents[:9])
    weighter.save(tmp_path / "m")
    again = TfidfWeighter.load(tmp_path / "m").partial_fit(documents[9:])
    assert_array_equal(again.get_feature_names_out(), expected.get_feature_names_out())
    assert (again.transform(documents) != expected.transform(documents)).nnz == 0


@pytest.mark.parametrize(
    ("X", "error"),
    [(["ok", None], ValueError), ([["ok", 3]], TypeError), ([], ValueError)],
)
def test_a_call_that_fails_changes_nothing(X, error):
    weighter = TfidfWeighter(min_df=2).partial_fit(["a cat", "the cat"])
    before = weighter._fitted
    with pytest.raises(error):
        weighter.partial_fit(X)
    assert weighter._fitted is before
    assert weighter.partial_fit(["ok cat"]).n_samples_seen_ == 3
    assert weighter.fit(["new new"] * 2).n_samples_seen_ == 2


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"scheme": "rf"}, "scheme='rf' weighs terms by the classes of all"),
        ({"max_df": 0.5}, "max_df=0.5 has no effect when partial_fit"),
        ({"min_df": 0.5}, "min_df=0.5 is a proportion"),
        ({"scheme": "bm25", "use_idf": False}, "use_idf=False has no effect"),
        ({"vocabulary": ["a"], "min_df": 2}, "min_df=2 has no effect when vocabulary"),
        ({"n_features": 8, "sublinear_tf": True}, "Pass alternate_sign=False"),
        ({"norm": "l3"}, "'norm' parameter"),
    ],
)
def test_what_a_stream_cannot_honour(parameters, message):
    with pytest.raises(ValueError, match=message):
        TfidfWeighter(**parameters).partial_fit(["a cat", "the cat"])


@pytest.mark.parametrize(
    ("before", "after", "message"),
    [
        ({}, {"n_features": 8}, "no longer what they were"),
        ({"n_features": 8}, {"n_features": 9}, "no longer what they were"),
        ({"n_features": 8}, {"n_features": None}, "no longer what they were"),
        ({}, {"vocabulary": ["cat", "the"]}, "no longer what they were"),
        ({"scheme": "rf"}, {"scheme": "idf"}, "was not counted with the parameters"),
        ({}, {"scheme": "bm25"}, "was not counted with the parameters"),
        ({}, {"max_features": 3}, "was not counted with the parameters"),
        ({"analyzer": list}, {"analyzer": "char"}, "is none any more"),
    ],
)
def test_what_cannot_go_on(before, after, message):
    documents = [["the", "cat", ""], ["the"]]
    if "analyzer" not in before:
        documents = ["the cat", "the"]
    weighter = TfidfWeighter(**before).fit(documents, [0, 1])
    with pytest.raises(ValueError, match=message):
        weighter.set_params(**after).partial_fit(["the cat"])
    with pytest.raises(ValueError, match="fitted on documents; got a count matrix"):
        weighter.partial_fit(np.eye(2))


def test_parameters_that_were_changed_are_checked():
    weighter = TfidfWeighter().partial_fit(["a cat"]).set_params(scheme="x")
    with pytest.raises(ValueError, match="'scheme' parameter"):
        weighter.partial_fit(["a cat"])


def test_an_idf_that_is_set_is_learned_anew():
    weighter = TfidfWeighter(vocabulary=["cat", "dog"])
    weighter.idf_ = [5, 6]
    assert not hasattr(weighter, "n_samples_seen_")
    with pytest.raises(AttributeError, match="no n_samples_seen_: it is not fitted"):
        _ = weighter.n_samples_seen_
    weighter.partial_fit(["cat dog", "cat"])
    assert_allclose(weighter.idf_, [1, 1 + np.log(3 / 2)])
    weighter.idf_ = [5, 6]
    weighter.partial_fit(["dog"])
    assert_allclose(weighter.idf_, 1 + np.log([4 / 3, 4 / 3]))
