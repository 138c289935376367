"""Tests of the schemes of TfidfWeighter: a plain twin and known cases judge."""

import pickle
from itertools import product

import numpy as np
import pandas as pd
import polars as pl
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy import sparse
from sklearn.base import clone
from sklearn.feature_extraction.text import CountVectorizer, TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.utils import get_tags

from skml.text import TfidfWeighter, Word2VecTransformer
from skml.text._pooling import pool
from skml.text._term_weights import (
    class_frequencies,
    class_sums,
    icf,
    log_count_ratio,
    odds_ratio,
    rf,
    usif,
)
from tests.oracles.term_weights import SUPERVISED, weigh, weights_of_terms

UNSUPERVISED = ("tf-idf", "idf", "bm25", "sif", "usif")
SCHEMES = (*UNSUPERVISED, *SUPERVISED)
WITH_SUBLINEAR_TF = ("tf-idf", "sif", "usif", *SUPERVISED)
N_DOCUMENTS = 40


def random_documents(seed, n_documents=N_DOCUMENTS):
    """Token lists of all lengths, one of them empty, over words of all frequencies."""
    rng = np.random.default_rng(seed)
    lengths = rng.integers(0, 30, size=n_documents)
    lengths[3] = 0
    return [
        [f"w{word:02}" for word in rng.zipf(1.4, size=length).clip(max=40)]
        for length in lengths
    ]


CORPUS = random_documents(0)
UNSEEN = [*random_documents(1, 8), ["never", "w01", "never"], ["never"], []]
# Three classes of unequal size.
LABELS = [("sport", "art", "sport", "law", "sport")[i % 5] for i in range(N_DOCUMENTS)]
VOCABULARY = sorted({token for tokens in CORPUS for token in tokens})


def assert_equals_twin(weighter, documents, *, terms=VOCABULARY, **parameters):
    """The rows of `documents`, after a fit on the corpus, are those of the twin."""
    rows = weigh(
        documents, CORPUS, weighter.scheme, terms=terms, labels=LABELS, **parameters
    )
    expected = [[row.get(term, 0) for term in terms] for row in rows]
    weights = weighter.transform(documents)
    assert_allclose(weights.toarray(), expected, rtol=0, atol=1e-12)
    assert np.all(weights.data != 0)


@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize("norm", ["l1", "l2", None])
def test_schemes_equal_the_twin(scheme, norm):
    weighter = TfidfWeighter(scheme=scheme, norm=norm)
    weights = weighter.fit_transform(CORPUS, LABELS)
    assert list(weighter.vocabulary_) == VOCABULARY
    assert_equals_twin(weighter, CORPUS, norm=norm)
    assert_equals_twin(weighter, UNSEEN, norm=norm)
    again = weighter.transform(CORPUS)
    assert_allclose(weights.toarray(), again.toarray(), rtol=0, atol=1e-15)
    expected = weights_of_terms(VOCABULARY, CORPUS, scheme, labels=LABELS)
    assert weighter.term_weights_.shape == (len(VOCABULARY),)
    assert_allclose(weighter.term_weights_, list(expected.values()), rtol=1e-12)


PARAMETERS = [
    *((scheme, {"sublinear_tf": True}) for scheme in WITH_SUBLINEAR_TF),
    ("tf-idf", {"use_idf": False}),
    ("tf-idf", {"smooth_idf": False}),
    ("idf", {"smooth_idf": False}),
    *(
        ("bm25", {"k1": k1, "b": b, "norm": None})
        for k1, b in product([0, 0.5, 2.0], [0, 0.3, 1])
    ),
    ("sif", {"a": 0.1}),
    ("sif", {"a": 5}),
    ("nb", {"alpha": 0.01}),
    ("nb", {"alpha": 3, "norm": None}),
]


@pytest.mark.parametrize(("scheme", "parameters"), PARAMETERS)
def test_parameters_equal_the_twin(scheme, parameters):
    weighter = TfidfWeighter(scheme=scheme, **parameters).fit(CORPUS, LABELS)
    assert_equals_twin(weighter, CORPUS, **parameters)
    assert_equals_twin(weighter, UNSEEN, **parameters)


@pytest.mark.parametrize("seed", range(2))
@pytest.mark.parametrize("n_classes", [2, 3, 7])
@pytest.mark.parametrize("scheme", SUPERVISED)
def test_any_number_of_classes_equals_the_twin(scheme, n_classes, seed):
    """Also where most documents are of one class."""
    documents = random_documents(seed, 60)
    rng = np.random.default_rng(seed)
    labels = (rng.zipf(1.5, size=60).clip(max=n_classes) - 1).tolist()
    labels[:n_classes] = range(n_classes)
    weighter = TfidfWeighter(scheme=scheme).fit(documents, labels)
    terms = list(weighter.vocabulary_)
    expected = weights_of_terms(terms, documents, scheme, labels=labels)
    assert_allclose(weighter.term_weights_, list(expected.values()), rtol=1e-12)


def test_the_default_is_tfidf_as_in_sklearn():
    documents = [" ".join(tokens) for tokens in CORPUS]
    assert TfidfWeighter().scheme == "tf-idf"
    theirs = TfidfVectorizer().fit(documents)
    ours = TfidfWeighter(scheme="tf-idf").fit(documents)
    assert abs(ours.transform(documents) - theirs.transform(documents)).max() < 1e-12
    assert_allclose(ours.term_weights_, theirs.idf_, rtol=0, atol=1e-12)


# By hand


def test_bm25_equals_the_explanation_of_a_search_engine():
    """The example of Elasticsearch's Explain API, score 1.55077.

    One document of five holds the word, once, and is 4 words long where the mean is
    5.4. That version still multiplies by k1 + 1 = 2.2, and knows lengths as single
    bytes, 4 among them exactly.
    """
    lengths = [4, 6, 6, 6, 5]
    documents = [["other"] * length for length in lengths]
    documents[0][2] = "elasticsearch"
    weighter = TfidfWeighter(scheme="bm25", norm=None).fit(documents)
    column = weighter.vocabulary_["elasticsearch"]
    assert weighter.mean_length_ == 5.4
    assert_allclose(weighter.idf_[column], 1.3862944, rtol=1e-7)
    weight = weighter.transform(documents[:1])[0, column]
    assert_allclose(2.2 * weight, 1.3862944 * 1.1186441, rtol=1e-7)
    assert_allclose(2.2 * weight, 1.55077, rtol=1e-5)


def test_bm25_is_positive_for_a_word_of_every_document():
    weighter = TfidfWeighter(scheme="bm25").fit([["a", "b"], ["a"], ["a"]])
    assert_allclose(weighter.idf_, [np.log(8 / 7), np.log(8 / 3)])


def test_idf_counts_a_term_once():
    weighter = TfidfWeighter(scheme="idf", norm=None, smooth_idf=False)
    weights = weighter.fit_transform([["a"] * 9 + ["b"], ["b"]])
    assert_allclose(weights.toarray(), [[1 + np.log(2), 1], [0, 1]])


def test_sif_by_hand():
    """Of four tokens "x" is three and "y" one; with a = 1/4."""
    weighter = TfidfWeighter(scheme="sif", a=0.25).fit([["x", "x"], ["x", "y"]])
    assert_allclose(weighter.term_weights_, [0.25, 0.5])


def test_usif_by_hand():
    """Four terms in documents of two tokens: the bound is 1 - (3/4)**2 = 7/16.

    Only "w", half of the tokens, is above it, so that alpha is 1/4, Z is 2 and a is
    (3/4) / (2/4) = 3/2.
    """
    documents = [["w", "x"], ["w", "x"], ["w", "y"], ["w", "z"]]
    weighter = TfidfWeighter(scheme="usif").fit(documents)
    expected = [1.5 / 1.25, 1.5 / 1, 1.5 / 0.875, 1.5 / 0.875]
    assert_allclose(weighter.term_weights_, expected)


@pytest.mark.parametrize("n_terms", range(1, 60))
@pytest.mark.parametrize("frequency", [1, 3, 0.1])
def test_usif_of_terms_all_as_frequent(n_terms, frequency):
    """None is above the bound, whatever rounding says; fewer than one draw are one."""
    frequencies = np.full(n_terms, float(frequency))
    for mean_length in (0.01, 1, 5):
        assert_allclose(usif(frequencies, mean_length), 2)


def class_counts(*columns):
    """The frequencies of some terms in classes 0, 1, ..., as `class_frequencies`."""
    return sparse.coo_array(np.array(columns, dtype=float).T)


def test_icf_by_hand():
    """In one, two and all of three classes, and in none."""
    frequencies = class_counts([7, 0, 0], [1, 0, 9], [1, 1, 1], [0, 0, 0])
    assert_allclose(icf(frequencies), [2, np.log2(2.5), 1, 1])


def test_rf_by_hand():
    """The largest ratio: 3 to 1 rather than 1 to 3; 4 to none is 4 to 1."""
    frequencies = class_counts([3, 1], [4, 0], [2, 2], [0, 0])
    assert_allclose(rf(frequencies), np.log2([5, 6, 3, 2]))


def test_odds_ratio_by_hand():
    """Ten documents of class 0 and five of class 1.

    The first term is in six of class 0 and one of class 1: (6.5 / 4.5) / (1.5 / 4.5).
    The second is only in class 1: (5.5 / 0.5) / (0.5 / 10.5). The third is in one
    document of class 0; the half outweighs it: (1.5 / 9.5) / (0.5 / 5.5) > 1. The
    fourth is in every document: (10.5 / 0.5) / (5.5 / 0.5) > 1. The last is in none.
    """
    frequencies = class_counts([6, 1], [0, 5], [1, 0], [10, 5], [0, 0])
    ratios = [6.5 / 1.5, 11 * 21, 1.5 * 5.5 / (9.5 * 0.5), 21 / 11, 1]
    assert_allclose(odds_ratio(frequencies, np.array([10, 5])), np.log(ratios))


def test_odds_ratio_is_never_negative():
    """A term of all documents of three equal classes speaks for none of them."""
    frequencies = class_counts([4, 4, 4], [1, 1, 1])
    weights = odds_ratio(frequencies, np.array([4, 4, 4]))
    assert weights[0] == 0
    assert np.all(weights >= 0)


def test_log_count_ratio_by_hand():
    """Seven tokens in class 0 and three in class 1, of three terms that occur.

    With alpha = 1 the first is 5 of 10 and 1 of 6, the second 4 of 10 and 1 of 6 and
    the third 1 of 10 and 4 of 6, which no other sign tells from evidence for class 0.
    """
    sums = class_counts([4, 0], [3, 0], [0, 3], [0, 0])
    expected = np.log([3, 2.4, 20 / 3, 1])
    assert_allclose(log_count_ratio(sums, alpha=1), expected)
    halved = class_counts([2, 0], [1.5, 0], [0, 1.5], [0, 0])
    assert_allclose(log_count_ratio(halved, alpha=0.5), expected)


def test_log_count_ratio_of_two_classes_is_that_of_the_paper():
    """``ln((p / |p|) / (q / |q|))``, where p and q count documents by their class."""
    y = np.arange(N_DOCUMENTS) % 3 == 0
    weighter = TfidfWeighter(scheme="nb", binary=True).fit(CORPUS, y)
    occurs = counts_of(CORPUS).toarray() > 0
    p, q = 1 + occurs[y].sum(axis=0), 1 + occurs[~y].sum(axis=0)
    expected = np.log((p / p.sum()) / (q / q.sum()))
    assert expected.min() < 0 < expected.max()
    assert_allclose(weighter.term_weights_, abs(expected), rtol=1e-12)


def test_class_sums():
    counts = sparse.csr_matrix([[2.0, 0, 1], [1, 0, 0], [0, 0, 5], [3, 0, 0]])
    sums = class_sums(counts, np.array([1, 0, 1, 1]), 2)
    assert_array_equal(sums.toarray(), [[1, 0, 0], [5, 0, 6]])


def test_class_frequencies():
    counts = sparse.csr_matrix([[2.0, 0, 1], [1, 0, 0], [0, 0, 5], [3, 0, 0]])
    frequencies = class_frequencies(counts, np.array([1, 0, 1, 1]), 2)
    assert_array_equal(frequencies.toarray(), [[1, 0, 0], [2, 0, 2]])


# Kinds of input


def counts_of(documents, terms=VOCABULARY):
    return CountVectorizer(analyzer=list, vocabulary=terms).transform(documents)


@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize("container", [sparse.csr_matrix, sparse.csc_array, np.asarray])
def test_counts_equal_documents(scheme, container):
    dress = (lambda X: X.toarray()) if container is np.asarray else container
    on_documents = TfidfWeighter(scheme=scheme).fit(CORPUS, LABELS)
    on_counts = TfidfWeighter(scheme=scheme).fit(dress(counts_of(CORPUS)), LABELS)
    assert_array_equal(on_counts.term_weights_, on_documents.term_weights_)
    assert_array_equal(
        on_counts.transform(dress(counts_of(UNSEEN))).toarray(),
        on_documents.transform(UNSEEN).toarray(),
    )


@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize(
    "limits", [{"min_df": 4}, {"max_df": 0.2}, {"max_features": 5}]
)
def test_terms_left_out_are_as_if_never_seen(scheme, limits):
    """Nor do their tokens count, in lengths and shares, with a column or without."""
    weighter = TfidfWeighter(scheme=scheme, norm=None, **limits)
    on_documents = clone(weighter).fit(CORPUS, LABELS)
    on_counts = clone(weighter).fit(counts_of(CORPUS), LABELS)
    names = on_documents.get_feature_names_out()
    assert_equals_twin(on_documents, UNSEEN, terms=list(names), norm=None)
    kept = np.isin(VOCABULARY, names)
    assert 0 < kept.sum() < len(kept)
    weights = on_counts.transform(counts_of(UNSEEN))
    expected = on_documents.transform(UNSEEN)
    assert_allclose(weights[:, kept].toarray(), expected.toarray(), rtol=1e-15)
    assert weights.nnz == expected.nnz
    assert_array_equal(on_counts.term_weights_[~kept], 0)
    fitted = clone(weighter).fit_transform(counts_of(CORPUS), LABELS)
    again = on_counts.transform(counts_of(CORPUS))
    assert_allclose(fitted.toarray(), again.toarray(), rtol=1e-15)


@pytest.mark.parametrize(
    ("scheme", "weight"),
    [
        ("tf-idf", 1 + np.log(N_DOCUMENTS + 1)),
        ("idf", 1 + np.log(N_DOCUMENTS + 1)),
        ("bm25", np.log1p((N_DOCUMENTS + 0.5) / 0.5)),
        ("sif", 1),
        ("usif", 2),
        ("icf", 1),
        ("rf", 1),
        ("or", 0),
        ("nb", 0),
    ],
)
def test_terms_that_fit_has_not_seen(scheme, weight):
    """The largest weight of all without classes, and the smallest with them."""
    terms = [*VOCABULARY, "never"]
    options = {"scheme": scheme, "norm": None}
    on_documents = TfidfWeighter(**options, vocabulary=terms).fit(CORPUS, LABELS)
    on_counts = TfidfWeighter(**options).fit(counts_of(CORPUS, terms), LABELS)
    weights = on_documents.term_weights_
    assert_array_equal(on_counts.term_weights_, weights)
    assert_allclose(weights[-1], weight, rtol=1e-15)
    others = weights[:-1]
    assert np.all(others >= weight if scheme in SUPERVISED else others <= weight)
    assert_equals_twin(on_documents, UNSEEN, terms=terms, norm=None)


@pytest.mark.parametrize("scheme", SCHEMES)
def test_a_corpus_without_tokens(scheme):
    """Zeros, and finite weights for what comes later."""
    weighter = TfidfWeighter(scheme=scheme, norm=None)
    assert weighter.fit_transform(np.zeros((4, 2)), [0, 1, 1, 0]).nnz == 0
    weights = weighter.transform(np.array([[3, 0], [1, 2]])).toarray()
    assert np.all(np.isfinite(weights))
    assert np.all(weights >= 0)


@pytest.mark.parametrize("scheme", SCHEMES)
def test_token_weights_add_up_to_the_row(scheme):
    weighter = TfidfWeighter(scheme=scheme).fit(CORPUS, LABELS)
    documents = [*CORPUS[:10], *UNSEEN]
    rows = weighter.transform(documents).toarray()
    token_weights = weighter.token_weights(documents)
    for tokens, weights, row in zip(documents, token_weights, rows, strict=True):
        assert weights.shape == (len(tokens),)
        total = dict.fromkeys([*VOCABULARY, "never"], 0.0)
        for token, weight in zip(tokens, weights, strict=True):
            total[token] += weight
        assert total.pop("never") == 0
        assert_allclose(list(total.values()), row, rtol=0, atol=1e-12)


@pytest.mark.parametrize("scheme", SCHEMES)
def test_input_is_left_alone(scheme):
    counts = counts_of(CORPUS).astype(np.float64)
    labels = np.array(LABELS)
    before = counts.copy()
    for array in (counts.data, counts.indices, counts.indptr, labels):
        array.flags.writeable = False
    weighter = TfidfWeighter(scheme=scheme, min_df=3)
    weighter.fit(counts, labels).transform(counts)
    weighter.fit_transform(counts, labels)
    assert (before != counts).nnz == 0


@pytest.mark.parametrize("scheme", SCHEMES)
def test_float32(scheme):
    weighter = TfidfWeighter(scheme=scheme, dtype=np.float32)
    weights = weighter.fit_transform(CORPUS, LABELS)
    assert weights.dtype == weighter.term_weights_.dtype == np.float32
    expected = TfidfWeighter(scheme=scheme).fit_transform(CORPUS, LABELS)
    assert_allclose(weights.toarray(), expected.toarray(), rtol=1e-5, atol=1e-7)


@pytest.mark.parametrize("scheme", SCHEMES)
def test_pickle_is_exact(scheme):
    weighter = TfidfWeighter(scheme=scheme).fit(CORPUS, LABELS)
    again = pickle.loads(pickle.dumps(weighter))
    assert (again.transform(UNSEEN) != weighter.transform(UNSEEN)).nnz == 0


# Classes


@pytest.mark.parametrize("scheme", SUPERVISED)
@pytest.mark.parametrize(
    "relabel",
    [
        np.array,
        lambda y: [{"sport": 7, "art": -1, "law": 0}[label] for label in y],
        lambda y: np.array([len(label) for label in y], dtype=float),
        lambda y: np.array(y, dtype=object),
        pd.Series,
        lambda y: pd.Series(y, dtype="string", index=range(len(y), 0, -1)),
        pd.Categorical,
        pl.Series,
    ],
)
def test_labels_may_be_of_any_kind(scheme, relabel):
    """The third joins two classes, whose names have the same length."""
    labels = relabel(LABELS)
    weighter = TfidfWeighter(scheme=scheme).fit(CORPUS, labels)
    assert_array_equal(weighter.classes_, np.unique(np.asarray(labels)))
    plain = [str(label) for label in labels]
    expected = weights_of_terms(VOCABULARY, CORPUS, scheme, labels=plain)
    assert_allclose(weighter.term_weights_, list(expected.values()), rtol=1e-12)


def test_bool_labels_and_a_column():
    y = np.array([label == "art" for label in LABELS])
    weighter = TfidfWeighter(scheme="rf").fit(CORPUS, y)
    assert_array_equal(weighter.classes_, [False, True])
    expected = weighter.term_weights_
    with pytest.warns(UserWarning, match="column-vector y was passed"):
        weighter.fit(CORPUS, y[:, None])
    assert_array_equal(weighter.term_weights_, expected)


@pytest.mark.parametrize("scheme", SUPERVISED)
@pytest.mark.parametrize(
    ("kind", "method"), [("documents", "fit_transform"), ("counts", "fit")]
)
@pytest.mark.parametrize(
    ("y", "error", "message"),
    [
        (None, ValueError, "scheme='{scheme}' requires y to be passed"),
        (LABELS[:-1], ValueError, "X holds 40 document.* and y 39 label"),
        (["law"] * 40, ValueError, "y holds 1 class.* needs at least 2"),
        ([], ValueError, "y holds 0 class"),
        ([*LABELS[:39], np.nan], ValueError, r"label 39 of y is missing \(nan\)"),
        ([None, *LABELS[1:]], ValueError, r"label 0 of y is missing \(None\)"),
        (np.array([1.0, np.nan] * 20), ValueError, "label 1 of y is missing"),
        (
            pd.Series([1, pd.NA] * 20, dtype="Int64"),
            ValueError,
            "label 1 of y is missing",
        ),
        (pl.Series(["a", "b", None, "a"] * 10), ValueError, "label 2 of y is missing"),
        (np.linspace(0, 1, 40), ValueError, "Unknown label type: continuous"),
        (np.eye(40, 2), ValueError, "y should be a 1d array"),
        (3, ValueError, "y should be a 1d array"),
    ],
)
def test_bad_classes(scheme, kind, method, y, error, message):
    """A fit that fails leaves the weighter as it was."""
    X = CORPUS if kind == "documents" else counts_of(CORPUS)
    weighter = TfidfWeighter(scheme=scheme).fit(X, LABELS)
    before = dict(vars(weighter))
    with pytest.raises(error, match=message.format(scheme=scheme)):
        getattr(weighter, method)(X, y)
    assert vars(weighter).keys() == before.keys()
    assert all(vars(weighter)[name] is before[name] for name in before)


@pytest.mark.parametrize("scheme", UNSUPERVISED)
@pytest.mark.parametrize("y", [None, [1], np.full(N_DOCUMENTS, np.nan), LABELS])
def test_other_schemes_ignore_the_classes(scheme, y):
    weighter = TfidfWeighter(scheme=scheme).fit(CORPUS, y)
    expected = TfidfWeighter(scheme=scheme).fit(CORPUS).term_weights_
    assert_array_equal(weighter.term_weights_, expected)
    assert not hasattr(weighter, "classes_")


@pytest.mark.parametrize("scheme", SCHEMES)
def test_tags_say_whether_classes_are_needed(scheme):
    tags = get_tags(TfidfWeighter(scheme=scheme))
    assert tags.target_tags.required == (scheme in SUPERVISED)


@pytest.mark.parametrize("scheme", SUPERVISED)
def test_no_information_leaks_from_held_out_documents(scheme):
    """Labels are drawn by lot: nothing can be learned of those held out.

    Weights that were learned on all documents know better, which is what this test is
    there to notice: they favour terms whose held-out documents happen to agree.
    """
    rng = np.random.default_rng(0)
    honest, leaking = [], []
    for _ in range(3):
        documents = [
            [f"w{word}" for word in row] for row in rng.integers(800, size=(80, 15))
        ]
        y = rng.permutation(np.arange(80) % 2)
        weighter = TfidfWeighter(scheme=scheme)
        model = LogisticRegression(solver="liblinear")
        pipeline = make_pipeline(weighter, model)
        honest.append(cross_val_score(pipeline, documents, y, cv=3).mean())
        weights = clone(weighter).fit_transform(documents, y)
        leaking.append(cross_val_score(model, weights, y, cv=3).mean())
    # The standard deviation of the first is that of 240 throws of a coin, 0.03.
    assert abs(np.mean(honest) - 0.5) < 0.1
    assert np.mean(leaking) > np.mean(honest) + 0.1


# Use


@pytest.mark.parametrize("scheme", SCHEMES)
def test_as_weighter_of_word_vectors(scheme):
    word2vec = Word2VecTransformer(
        vector_size=5,
        min_count=2,
        max_iter=1,
        random_state=0,
        weighter=TfidfWeighter(scheme=scheme),
    )
    pooled = word2vec.fit_transform(CORPUS, LABELS)
    counts = counts_of(CORPUS, word2vec.vocabulary_)
    weights = TfidfWeighter(scheme=scheme).fit_transform(counts, LABELS)
    expected = pool(weights, word2vec.vectors_)
    assert_allclose(pooled, expected, rtol=1e-5, atol=1e-8)
    if scheme in SUPERVISED:
        with pytest.raises(ValueError, match="requires y to be passed"):
            word2vec.fit(CORPUS)


def test_refit_forgets_the_other_scheme():
    weighter = TfidfWeighter(scheme="bm25").fit(CORPUS)
    assert_array_equal(weighter.idf_, weighter.term_weights_)
    assert weighter.mean_length_ == sum(map(len, CORPUS)) / N_DOCUMENTS
    weighter.set_params(scheme="rf").fit(CORPUS, LABELS)
    assert_array_equal(weighter.classes_, ["art", "law", "sport"])
    assert not hasattr(weighter, "idf_")
    assert not hasattr(weighter, "mean_length_")
    weighter.set_params(scheme="tf-idf").fit(CORPUS)
    assert_array_equal(weighter.idf_, weighter.term_weights_)
    assert not hasattr(weighter, "classes_")


HONOURED = {
    "use_idf": ("tf-idf",),
    "smooth_idf": ("tf-idf", "idf"),
    "sublinear_tf": WITH_SUBLINEAR_TF,
    "k1": ("bm25",),
    "b": ("bm25",),
    "a": ("sif",),
    "alpha": ("nb",),
}
NOT_DEFAULT = {
    "use_idf": False,
    "smooth_idf": False,
    "sublinear_tf": True,
    "k1": 2.0,
    "b": 0,
    "a": 0.01,
    "alpha": 0.1,
}


@pytest.mark.parametrize("X", [CORPUS, counts_of(CORPUS)], ids=["documents", "counts"])
@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize("name", HONOURED)
def test_a_parameter_has_an_effect_or_is_refused(name, scheme, X):
    plain = TfidfWeighter(scheme=scheme)
    weighter = clone(plain).set_params(**{name: NOT_DEFAULT[name]})
    if scheme in HONOURED[name]:
        changed = weighter.fit_transform(X, LABELS) != plain.fit_transform(X, LABELS)
        assert changed.nnz > 0
        return
    message = f"{name}=.* has no effect when scheme='{scheme}'"
    with pytest.raises(ValueError, match=message):
        weighter.fit(X, LABELS)


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"scheme": "tfidf"}, "'scheme' parameter of TfidfWeighter"),
        ({"scheme": None}, "'scheme' parameter"),
        ({"scheme": ["rf"]}, "'scheme' parameter"),
        ({"scheme": "bm25", "k1": -1}, "'k1' parameter"),
        ({"scheme": "bm25", "k1": np.inf}, "'k1' parameter"),
        ({"scheme": "bm25", "b": 1.1}, "'b' parameter"),
        ({"scheme": "bm25", "b": np.nan}, "'b' parameter"),
        ({"scheme": "sif", "a": 0}, "'a' parameter"),
        ({"scheme": "sif", "a": "1e-3"}, "'a' parameter"),
        ({"scheme": "nb", "alpha": 0}, "'alpha' parameter"),
        ({"scheme": "nb", "alpha": np.inf}, "'alpha' parameter"),
    ],
)
def test_bad_parameters(parameters, message):
    with pytest.raises(ValueError, match=message):
        TfidfWeighter(**parameters).fit(CORPUS, LABELS)
