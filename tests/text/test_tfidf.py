"""Tests of TfidfWeighter: scikit-learn and a plain twin are the judges."""

import pickle
from itertools import cycle, product

import numpy as np
import pandas as pd
import polars as pl
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy import sparse
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.feature_extraction.text import (
    CountVectorizer,
    TfidfTransformer,
    TfidfVectorizer,
)
from sklearn.pipeline import make_pipeline

from skml.text._tfidf import TfidfWeighter
from tests.oracles.tfidf import tfidf

ENGLISH = [
    "The cat sat on the mat, and the cat slept.",
    "A dog sat on the log; the dog barked at the cat!",
    "",
    "Café crème for the naïve dog: café, café, CAFÉ.",
    "Logs and mats and cats and dogs are not the cat.",
    "nothing here matches any other words",
]
CHINESE = [
    "今天天气很好，我们去公园。",
    "昨天天气不好，他们没有去公园。",
    "公园里有很多人，也有很多花。",
    "",
    "他喜欢喝茶，她喜欢喝咖啡。",
]
UNSEEN = [
    "the cat saw an unseen café",
    "天气很好，喝茶很好",
    "",
    "xylophone zebra",
    "dog " * 7 + "barked",
]
TOKENS = [["b", "a", "b"], ["c", "b"], [], ["A", "c", "c", "c", "d e"]]


def pairs_of_characters(text):
    return [text[i : i + 2] for i in range(len(text) - 1)]


def assert_same(weights, expected):
    assert weights.shape == expected.shape
    assert weights.dtype == expected.dtype
    assert type(weights) is type(expected)
    assert_allclose(weights.toarray(), expected.toarray(), rtol=0, atol=1e-12)


def assert_equals_sklearn(documents, unseen, **parameters):
    ours, theirs = TfidfWeighter(**parameters), TfidfVectorizer(**parameters)
    assert_same(ours.fit_transform(documents), theirs.fit_transform(documents))
    assert_same(ours.transform(unseen), theirs.transform(unseen))
    assert ours.vocabulary_ == theirs.vocabulary_
    assert_array_equal(ours.get_feature_names_out(), theirs.get_feature_names_out())
    separate = clone(ours).fit(documents)
    assert_same(separate.transform(documents), theirs.transform(documents))
    if ours.use_idf:
        assert_allclose(ours.idf_, theirs.idf_, rtol=0, atol=1e-12)
    else:
        assert_array_equal(ours.idf_, 1.0)


def each_in_english_or_chinese(*factors):
    """All combinations, of which English and Chinese documents take turns."""
    return [
        (documents, *values)
        for documents, values in zip(
            cycle([ENGLISH, CHINESE, CHINESE, ENGLISH]), product(*factors), strict=False
        )
    ]


@pytest.mark.parametrize(
    ("documents", "use_idf", "smooth_idf", "sublinear_tf", "norm"),
    each_in_english_or_chinese(*3 * [[True, False]], ["l1", "l2", None]),
)
def test_formulas_equal_sklearn(documents, use_idf, smooth_idf, sublinear_tf, norm):
    assert_equals_sklearn(
        documents,
        UNSEEN,
        analyzer="char",
        use_idf=use_idf,
        smooth_idf=smooth_idf,
        sublinear_tf=sublinear_tf,
        norm=norm,
    )


@pytest.mark.parametrize(
    ("documents", "min_df", "max_df", "max_features"),
    each_in_english_or_chinese([1, 2, 0.0, 0.3], [1.0, 3, 0.6], [None, 1, 6]),
)
@pytest.mark.filterwarnings("ignore:.*no known word")
def test_pruning_equals_sklearn(documents, min_df, max_df, max_features):
    assert_equals_sklearn(
        documents,
        UNSEEN,
        analyzer="char",
        min_df=min_df,
        max_df=max_df,
        max_features=max_features,
    )


@pytest.mark.parametrize(
    "parameters",
    [
        {},
        {"lowercase": False},
        {"strip_accents": "unicode"},
        {"strip_accents": "ascii"},
        {"stop_words": "english"},
        {"stop_words": ["the", "cat"]},
        {"token_pattern": r"[a-z]+"},
        {"tokenizer": str.split, "token_pattern": None},
        {"preprocessor": str.upper},
        {"analyzer": str.split},
        {"vocabulary": ["the", "cat", "zebra", "barked"]},
        {"vocabulary": {"zebra": 2, "cat": 0, "the": 1}},
        {"vocabulary": {"zebra", "cat", "the"}},
        {"vocabulary": ["zebra", "cat"], "norm": None, "use_idf": False},
        {"dtype": np.float32},
    ],
)
def test_analysis_equals_sklearn_on_english(parameters):
    ours = {k: v for k, v in parameters.items() if v is not None or k == "norm"}
    theirs = TfidfVectorizer(**parameters)
    weighter = TfidfWeighter(**ours)
    assert_same(weighter.fit_transform(ENGLISH), theirs.fit_transform(ENGLISH))
    assert_same(weighter.transform(UNSEEN), theirs.transform(UNSEEN))
    assert weighter.vocabulary_ == theirs.vocabulary_


@pytest.mark.parametrize("smooth_idf", [True, False])
@pytest.mark.parametrize("max_features", [None, 9])
def test_segmented_chinese_equals_sklearn(smooth_idf, max_features):
    parameters = {"smooth_idf": smooth_idf, "max_features": max_features}
    theirs = TfidfVectorizer(
        tokenizer=pairs_of_characters, token_pattern=None, **parameters
    )
    ours = TfidfWeighter(tokenizer=pairs_of_characters, **parameters)
    assert_same(ours.fit_transform(CHINESE), theirs.fit_transform(CHINESE))
    assert_same(ours.transform(UNSEEN), theirs.transform(UNSEEN))


@pytest.mark.parametrize("max_features", [7, 50, 400])
def test_ties_of_max_features_fall_as_in_sklearn(max_features):
    """Many terms tie for the last places, in more columns than a small sort has."""
    rng = np.random.default_rng(0)
    documents = [
        " ".join(f"w{word}" for word in rng.zipf(1.3, size=60).clip(max=5000))
        for _ in range(100)
    ]
    assert_equals_sklearn(documents, documents[:3], max_features=max_features)


@pytest.mark.parametrize("sublinear_tf", [True, False])
@pytest.mark.parametrize("norm", ["l1", "l2", None])
@pytest.mark.parametrize("use_idf", [True, False])
@pytest.mark.parametrize("smooth_idf", [True, False])
def test_token_lists_equal_the_plain_twin(sublinear_tf, norm, use_idf, smooth_idf):
    parameters = {
        "sublinear_tf": sublinear_tf,
        "norm": norm,
        "use_idf": use_idf,
        "smooth_idf": smooth_idf,
    }
    weighter = TfidfWeighter(**parameters).fit(TOKENS)
    documents = [*TOKENS, ["a", "new", "a", "c"]]
    rows = tfidf(documents, TOKENS, **parameters)
    expected = [[row.get(term, 0) for term in weighter.vocabulary_] for row in rows]
    assert list(weighter.vocabulary_) == ["A", "a", "b", "c", "d e"]
    assert_allclose(weighter.transform(documents).toarray(), expected, atol=1e-12)


def test_by_hand():
    """Four documents; "a" is in one and "b" in two, so that idf is 1 + ln 4, 1 + ln 2.

    Without smoothing, the first document (a, a, b) has the weights 2 (1 + ln 4) and
    1 + ln 2 = 3.386294... / 1.693147..., which l1 divides by their sum.
    """
    documents = [["a", "a", "b"], ["b"], ["c"], ["c"]]
    weighter = TfidfWeighter(smooth_idf=False, norm="l1").fit(documents)
    assert_allclose(weighter.idf_, [2.386294361, 1.693147181, 1.693147181], atol=1e-9)
    a, b = 4.772588722, 1.693147181
    expected = [[a / (a + b), b / (a + b), 0], [0, 1, 0], [0, 0, 1], [0, 0, 1]]
    assert_allclose(weighter.transform(documents).toarray(), expected, atol=1e-9)


@pytest.mark.parametrize(
    "parameters",
    [
        {},
        {"sublinear_tf": True, "norm": "l1"},
        {"norm": None, "use_idf": False},
        {"min_df": 2},
        {"stop_words": ["the"], "dtype": np.float32},
    ],
)
def test_token_weights_add_up_to_the_row(parameters):
    weighter = TfidfWeighter(**parameters).fit(ENGLISH)
    documents = ENGLISH + UNSEEN
    token_weights = weighter.token_weights(documents)
    rows = weighter.transform(documents).toarray()
    assert len(token_weights) == len(documents)
    analyze = CountVectorizer(stop_words=weighter.stop_words).build_analyzer()
    for document, weights, row in zip(documents, token_weights, rows, strict=True):
        tokens = analyze(document)
        assert weights.shape == (len(tokens),)
        assert weights.dtype == weighter.dtype
        total = dict.fromkeys(weighter.get_feature_names_out(), 0.0)
        for token, weight in zip(tokens, weights, strict=True):
            if token in total:
                total[token] += weight
            else:
                assert weight == 0
        atol = 1e-6 if weighter.dtype == np.float32 else 1e-12
        assert_allclose(list(total.values()), row, rtol=0, atol=atol)


def test_token_weights_of_a_term_are_equal_shares():
    weighter = TfidfWeighter(norm=None, sublinear_tf=True, use_idf=False)
    (weights,) = weighter.fit([["a", "b"]]).token_weights(iter([list("abcaa")]))
    share = (1 + np.log(3)) / 3
    assert_allclose(weights, [share, 1, 0, share, share], atol=1e-15)


def count_matrix(dtype=np.int64):
    return CountVectorizer(dtype=dtype).fit_transform(ENGLISH)


COUNT_CONTAINERS = {
    "csr_matrix": sparse.csr_matrix,
    "csr_array": sparse.csr_array,
    "csc_array": sparse.csc_array,
    "coo_matrix": sparse.coo_matrix,
    "array": lambda counts: counts.toarray(),
    "float32": lambda counts: counts.toarray().astype(np.float32),
    "pandas": lambda counts: pd.DataFrame(counts.toarray()),
    "polars": lambda counts: pl.DataFrame(counts.toarray()),
    "pandas-sparse": lambda counts: pd.DataFrame.sparse.from_spmatrix(counts),
}


@pytest.mark.parametrize("container", COUNT_CONTAINERS)
@pytest.mark.parametrize("use_idf", [True, False])
def test_counts_equal_documents(container, use_idf):
    counts = COUNT_CONTAINERS[container](count_matrix())
    on_documents = TfidfWeighter(use_idf=use_idf, sublinear_tf=True)
    on_counts = clone(on_documents)
    expected = on_documents.fit_transform(ENGLISH)
    assert_same(on_counts.fit_transform(counts), expected)
    assert_same(on_counts.transform(counts), expected)
    assert_same(clone(on_counts).fit(counts).transform(counts), expected)
    assert_array_equal(on_counts.idf_, on_documents.idf_)
    assert on_counts.n_features_in_ == expected.shape[1]
    assert not hasattr(on_documents, "n_features_in_")
    assert not hasattr(on_counts, "vocabulary_")


@pytest.mark.parametrize("smooth_idf", [True, False])
@pytest.mark.parametrize("norm", ["l1", "l2", None])
def test_counts_equal_sklearns_transformer(smooth_idf, norm):
    rng = np.random.default_rng(0)
    counts = rng.poisson(0.5, size=(20, 9))
    counts[0] = 1  # no column may be empty, for scikit-learn without smoothing
    theirs = TfidfTransformer(smooth_idf=smooth_idf, norm=norm)
    ours = TfidfWeighter(smooth_idf=smooth_idf, norm=norm)
    assert_same(ours.fit_transform(counts), theirs.fit_transform(counts))
    assert_array_equal(ours.idf_, theirs.idf_)


@pytest.mark.parametrize("use_idf", [True, False])
@pytest.mark.parametrize(
    "limits", [{"min_df": 2}, {"max_df": 0.3}, {"max_features": 5}]
)
def test_pruned_terms_keep_their_column_of_counts(limits, use_idf):
    """The other columns have the weights of an estimator that never saw the pruned."""
    names = CountVectorizer().fit(ENGLISH).get_feature_names_out()
    on_documents = TfidfWeighter(use_idf=use_idf, **limits)
    on_counts = clone(on_documents)
    expected = on_documents.fit_transform(ENGLISH)
    weights = on_counts.fit_transform(count_matrix())
    kept = np.isin(names, on_documents.get_feature_names_out())
    assert 0 < kept.sum() < len(names)
    assert weights.shape[1] == len(names)
    assert_same(weights[:, kept], expected)
    assert weights.nnz == expected.nnz
    assert_array_equal(on_counts.idf_[~kept], 0)


def test_unseen_columns():
    """Smoothing gives a term of no document the largest idf; without, it has none."""
    seen, new = np.array([[1, 2, 0], [0, 1, 0]]), np.array([[1, 0, 3]])
    smooth = TfidfWeighter(norm=None).fit(seen)
    assert_same(
        smooth.transform(new), TfidfTransformer(norm=None).fit(seen).transform(new)
    )
    assert smooth.idf_[2] == 1 + np.log(3)
    exact = TfidfWeighter(norm=None, smooth_idf=False).fit(seen)
    assert_allclose(exact.transform(new).toarray(), [[1 + np.log(2), 0, 0]])
    words = TfidfWeighter(vocabulary=["a", "z"], smooth_idf=False).fit([["a"]])
    assert_array_equal(words.transform([["z", "a", "z"]]).toarray(), [[1, 0]])
    unweighted = TfidfWeighter(norm=None, smooth_idf=False, use_idf=False).fit(seen)
    assert_array_equal(unweighted.transform(new).toarray(), new)


def test_counts_that_are_not_canonical():
    """Stored zeros have no logarithm, and an entry may be stored in two parts."""
    data, rows, columns = [1.0, 0.0, 1.0, 2.0], [0, 0, 0, 1], [1, 0, 1, 0]
    messy = sparse.csr_array((data, columns, [0, 3, 4]), shape=(2, 2))
    assert messy.nnz == len(rows)
    dense = np.array([[0, 2], [2, 0]])
    weighter = TfidfWeighter(sublinear_tf=True)
    assert_same(weighter.fit_transform(messy), clone(weighter).fit_transform(dense))


def test_input_is_left_alone():
    counts = count_matrix(np.float64)
    documents, tokens = list(ENGLISH), [list(tokens) for tokens in TOKENS]
    before = counts.copy()
    for array in (counts.data, counts.indices, counts.indptr):
        array.flags.writeable = False
    weighter = TfidfWeighter(sublinear_tf=True, max_features=4)
    weighter.fit(counts).transform(counts)
    weighter.fit_transform(counts)
    assert (before != counts).nnz == 0
    weighter.fit(documents).token_weights(documents)
    weighter.fit(tokens).token_weights(tokens)
    assert documents == ENGLISH
    assert tokens == TOKENS


def test_one_pass_is_enough():
    weighter = TfidfWeighter()
    expected = weighter.fit_transform(ENGLISH)
    assert_same(weighter.fit_transform(iter(ENGLISH)), expected)
    assert_same(weighter.transform(document for document in ENGLISH), expected)


def test_refit_forgets_the_other_kind():
    frame = pd.DataFrame({"a": [1, 0], "b": [1, 2]})
    weighter = TfidfWeighter().fit(frame)
    assert_array_equal(weighter.feature_names_in_, ["a", "b"])
    weighter.fit(ENGLISH)
    assert not hasattr(weighter, "n_features_in_")
    assert not hasattr(weighter, "feature_names_in_")
    assert weighter.transform(ENGLISH).shape == (6, len(weighter.vocabulary_))
    weighter.fit(frame.to_numpy())
    assert not hasattr(weighter, "vocabulary_")
    assert_array_equal(weighter.get_feature_names_out(), ["x0", "x1"])


def test_feature_names():
    frame = pd.DataFrame({"a": [1, 0], "b": [1, 2]})
    assert_array_equal(TfidfWeighter().fit(frame).get_feature_names_out(), ["a", "b"])
    words = TfidfWeighter(vocabulary={"z": 0, "b": 1}).fit([["b"], ["z"]])
    names = words.get_feature_names_out()
    assert names.dtype == object
    assert_array_equal(names, ["z", "b"])


def test_pipelines():
    counting = make_pipeline(CountVectorizer(), TfidfWeighter()).fit(ENGLISH)
    expected = TfidfVectorizer().fit(ENGLISH)
    assert_same(counting.transform(UNSEEN), expected.transform(UNSEEN))
    names = counting.get_feature_names_out()
    assert_array_equal(names, expected.get_feature_names_out())


def test_pickle_is_exact():
    weighter = TfidfWeighter(analyzer="char", max_df=0.8).fit(CHINESE)
    again = pickle.loads(pickle.dumps(weighter))
    assert (again.transform(UNSEEN) != weighter.transform(UNSEEN)).nnz == 0


def test_sparse_weights_make_no_tables():
    """There is no `set_output`, as in scikit-learn."""

    class Subclass(TfidfWeighter):
        pass

    assert not hasattr(TfidfWeighter(), "set_output")
    assert not hasattr(Subclass(), "set_output")
    pipeline = make_pipeline(TfidfWeighter())
    with pytest.raises(ValueError, match="`set_output` is not available"):
        pipeline.set_output(transform="pandas")


@pytest.mark.parametrize(
    "method", ["fit", "fit_transform", "transform", "token_weights"]
)
@pytest.mark.parametrize(
    ("X", "error", "message"),
    [
        ("a cat", ValueError, "single str"),
        ([], ValueError, "X holds no documents.*generator"),
        (iter([]), ValueError, "X holds no documents.*generator"),
        (["a cat", None], ValueError, "document 1 is missing"),
        (["a cat", 3], TypeError, "document 1 is 3 \\(int\\)"),
        ([["cat", 3]], TypeError, "token 1 of document 0 is 3 \\(int\\)"),
        ([[["cat"]]], TypeError, "token 0 of document 0 is \\['cat'\\] \\(list\\)"),
        (np.array([["a cat", "a dog"]]), ValueError, "2 dimension.*Select the column"),
        (pd.DataFrame({"x": ["a cat"]}), ValueError, "2 dimension.*Select the column"),
        (pl.DataFrame({"x": ["a cat"]}), ValueError, "2 dimension.*Select the column"),
        (pd.DataFrame({"n": [1], "x": ["a cat"]}), ValueError, "Select the column"),
        (np.array([[b"a cat"]]), ValueError, "Select the column"),
    ],
)
def test_bad_documents(method, X, error, message):
    weighter = TfidfWeighter()
    if method in ("transform", "token_weights"):
        weighter.fit(ENGLISH)
    with pytest.raises(error, match=f"TfidfWeighter.*{message}"):
        getattr(weighter, method)(X)


@pytest.mark.parametrize("method", ["fit", "fit_transform", "transform"])
@pytest.mark.parametrize(
    ("X", "message"),
    [
        (np.array([[1, -1]]), "Negative values .* TfidfWeighter"),
        (sparse.csr_array([[1, -1]]), "Negative values .* TfidfWeighter"),
        (np.array([[1, np.nan]]), "contains NaN"),
        (np.array([[1, np.inf]]), "contains infinity"),
        (np.empty((0, 2)), "0 sample"),
        (pd.DataFrame({"a": [1, None], "b": [1, 1]}), "contains NaN"),
    ],
)
def test_bad_counts(method, X, message):
    weighter = TfidfWeighter()
    if method == "transform":
        weighter.fit(np.array([[1, 2], [3, 0]]))
        if hasattr(X, "columns"):
            weighter.fit(pd.DataFrame({"a": [1, 2], "b": [3, 0]}))
    with pytest.raises(ValueError, match=message):
        getattr(weighter, method)(X)


def test_a_fit_on_one_kind_refuses_the_other():
    on_counts = TfidfWeighter().fit(count_matrix())
    with pytest.raises(ValueError, match="fitted on a count matrix; got documents"):
        on_counts.transform(ENGLISH)
    with pytest.raises(ValueError, match="count matrix, which has no tokens"):
        on_counts.token_weights(ENGLISH)
    with pytest.raises(ValueError, match="has 2 features, but TfidfWeighter is expect"):
        on_counts.transform(np.ones((3, 2)))
    on_documents = TfidfWeighter().fit(ENGLISH)
    for method in (on_documents.transform, on_documents.token_weights):
        with pytest.raises(ValueError, match="fitted on documents; got a count matrix"):
            method(count_matrix())


@pytest.mark.parametrize("X", [ENGLISH, np.ones((2, 2))], ids=["documents", "counts"])
@pytest.mark.parametrize("method", ["transform", "token_weights"])
def test_not_fitted(method, X):
    with pytest.raises(NotFittedError, match="TfidfWeighter"):
        getattr(TfidfWeighter(), method)(X)
    with pytest.raises(NotFittedError, match="TfidfWeighter"):
        TfidfWeighter().get_feature_names_out()


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"norm": "l3"}, "'norm' parameter"),
        ({"min_df": -1}, "'min_df' parameter"),
        ({"max_df": 1.5}, "'max_df' parameter"),
        ({"max_features": 0}, "'max_features' parameter"),
        ({"use_idf": "yes"}, "'use_idf' parameter"),
        ({"vocabulary": 3}, "'vocabulary' parameter"),
        ({"vocabulary": "cat"}, "'vocabulary' parameter"),
        ({"vocabulary": []}, "empty vocabulary"),
        ({"vocabulary": ["cat", "cat"]}, "Duplicate term"),
        ({"vocabulary": {"cat": 0, "dog": 2}}, "doesn't contain index"),
        ({"vocabulary": ["cat"], "min_df": 2}, "min_df=2 has no effect"),
        ({"vocabulary": ["cat"], "min_df": 1.0}, "min_df=1.0 has no effect"),
        ({"vocabulary": ["cat"], "max_df": 1}, "max_df=1 has no effect"),
        ({"vocabulary": ["cat"], "max_features": 9}, "max_features=9 has no effect"),
        ({"dtype": np.complex128}, "dtype=.*complex128.* is no type for weights"),
        ({"dtype": "int64"}, "'dtype' parameter"),
        ({"dtype": None}, "'dtype' parameter"),
    ],
)
def test_bad_parameters(parameters, message):
    with pytest.raises(ValueError, match=message):
        TfidfWeighter(**parameters).fit(ENGLISH)


@pytest.mark.parametrize("dtype", [np.float32, "float32", np.dtype("float32")])
def test_float32(dtype):
    weighter = TfidfWeighter(dtype=dtype)
    assert weighter.fit_transform(ENGLISH).dtype == np.float32
    assert weighter.fit_transform(count_matrix()).dtype == np.float32


@pytest.mark.parametrize("dtype", [int, np.int32, np.uint8, bool])
@pytest.mark.parametrize("X", [ENGLISH, np.eye(2)], ids=["documents", "counts"])
def test_integers_become_float64_with_a_warning(dtype, X):
    weighter = TfidfWeighter(dtype=dtype)
    with pytest.warns(UserWarning, match="'dtype' should be used.*float64") as warned:
        weights = weighter.fit_transform(X)
    assert len(warned) == 1
    assert_same(weights, TfidfWeighter().fit_transform(X))
    assert_same(weighter.transform(X), weights)


# What a user of TfidfVectorizer finds


def public_names(estimator):
    return {name for name in dir(estimator) if not name.startswith("_")}


def test_public_names_are_as_in_sklearn():
    ours, theirs = TfidfWeighter().fit(ENGLISH), TfidfVectorizer().fit(ENGLISH)
    assert public_names(theirs) <= public_names(ours)


@pytest.mark.parametrize("vocabulary", [None, ["cat", "dog"]])
def test_fixed_vocabulary(vocabulary):
    weighter = TfidfWeighter(vocabulary=vocabulary)
    assert not hasattr(weighter, "fixed_vocabulary_")
    weighter.fit(ENGLISH)
    assert weighter.fixed_vocabulary_ is (vocabulary is not None)
    assert not hasattr(weighter.set_params(vocabulary=None).fit(np.eye(2)), "fixed_voc")


@pytest.mark.parametrize("scheme", ["tf-idf", "idf", "bm25"])
def test_idf_can_be_set(scheme):
    """In one assignment, and as a copy; a new fit learns it again."""
    weighter = TfidfWeighter(scheme=scheme, norm=None).fit(ENGLISH)
    learned, before = weighter._fitted, weighter.transform(ENGLISH)
    idf = np.arange(1.0, 1 + len(weighter.vocabulary_))
    weighter.idf_ = idf
    expected = before.toarray() / learned.term_weights_ * idf
    assert_allclose(weighter.transform(ENGLISH).toarray(), expected, rtol=1e-14)
    assert_allclose(pickle.loads(pickle.dumps(weighter)).idf_, idf)
    idf[:] = 0
    assert weighter.idf_.min() == 1
    assert_array_equal(weighter.term_weights_, weighter.idf_)
    assert learned.term_weights_ is not weighter._fitted.term_weights_
    assert_same(weighter.fit(ENGLISH).transform(ENGLISH), before)


def test_idf_of_a_vocabulary_can_be_set_before_fit():
    fitted = TfidfWeighter().fit(ENGLISH)
    weighter = TfidfWeighter(vocabulary=fitted.vocabulary_)
    weighter.idf_ = fitted.idf_.tolist()
    assert_same(weighter.transform(UNSEEN), fitted.transform(UNSEEN))
    theirs = TfidfVectorizer(vocabulary=fitted.vocabulary_)
    theirs.idf_ = fitted.idf_
    assert_same(weighter.transform(UNSEEN), theirs.transform(UNSEEN))


@pytest.mark.parametrize(
    ("parameters", "idf", "message"),
    [
        ({"vocabulary": ["a"], "use_idf": False}, [1], "cannot be set when"),
        ({"vocabulary": ["a"]}, [1, 2], r"has the shape \(2,\); there are 1 terms"),
        ({"vocabulary": ["a"]}, [np.nan], "NaN"),
        ({"vocabulary": ["a"]}, [[1]], "has the shape"),
        ({"vocabulary": ["a"], "scheme": "rf"}, [1], "scheme='rf' has no `idf_`"),
        ({"vocabulary": ["a"], "scheme": "bm25"}, [1], "Call fit first"),
        ({}, [1], "vocabulary=None. Call fit first"),
        ({"vocabulary": ["a"], "norm": "l3"}, [1], "'norm' parameter"),
    ],
)
def test_an_idf_that_cannot_be_set(parameters, idf, message):
    weighter = TfidfWeighter(**parameters)
    with pytest.raises(ValueError, match=message):
        weighter.idf_ = idf
    assert not hasattr(weighter, "idf_")


def test_a_scheme_without_idf_has_none():
    weighter = TfidfWeighter(scheme="sif")
    with pytest.raises(NotFittedError, match="not fitted yet and has no idf_"):
        weighter.idf_  # noqa: B018
    weighter.fit(ENGLISH)
    with pytest.raises(AttributeError, match="no idf_ by scheme='sif'"):
        weighter.idf_  # noqa: B018
    with pytest.raises(ValueError, match="scheme='sif' has no `idf_`"):
        weighter.idf_ = weighter.term_weights_


def test_terms_of_the_vocabulary_must_be_str():
    for vocabulary in ([1, "a"], {"a", 1}, {1: 1, "a": 0}):
        with pytest.raises(TypeError, match=r"term \d of vocabulary is 1 \(int\)"):
            TfidfWeighter(vocabulary=vocabulary).fit(ENGLISH)


def test_a_default_given_as_a_numpy_scalar_is_a_default():
    weighter = TfidfWeighter(vocabulary=["cat"], min_df=np.int64(1))
    assert weighter.fit(ENGLISH).vocabulary_ == {"cat": 0}


@pytest.mark.parametrize(
    "parameters",
    [
        {"vocabulary": ["cat"]},
        {"stop_words": "english"},
        {"analyzer": "char"},
        {"input": "filename"},
        {"lowercase": False},
    ],
)
def test_counts_refuse_what_is_for_documents(parameters):
    (name,) = parameters
    with pytest.raises(
        ValueError, match=f"{name}=.* no effect when X is a count matrix"
    ):
        TfidfWeighter(**parameters).fit(count_matrix())


def test_nothing_but_stop_words():
    with pytest.raises(ValueError, match="empty vocabulary; none of the 2 documents"):
        TfidfWeighter(stop_words=["the"]).fit(["the", "the the"])
    with pytest.raises(ValueError, match="empty vocabulary; none of the 1 documents"):
        TfidfWeighter().fit([""])


@pytest.mark.parametrize(
    ("limits", "remedy"),
    [
        ({"min_df": 4}, {"min_df": 3}),
        ({"max_df": 1}, {"max_df": 2}),
        ({"min_df": 4, "max_df": 4}, {"min_df": 3}),
        ({"min_df": 1, "max_df": 0.3}, {"max_df": 2}),
    ],
)
def test_nothing_left_says_what_would_keep_some(limits, remedy):
    """Here "a" is in three of the five documents and "b" in two."""
    documents = [["a", "b"], ["a"], ["a"], ["b"], []]
    (name, value), *_ = remedy.items()
    counts = CountVectorizer(analyzer=list).fit_transform(documents)
    for X in (documents, counts):
        message = f"no terms remain: none of the 2 terms .*{name}={value} would keep"
        with pytest.raises(ValueError, match=message):
            TfidfWeighter(**limits).fit(X)
    kept = TfidfWeighter(**(limits | remedy)).fit(documents).vocabulary_
    assert len(kept) == 1


def test_max_df_below_min_df():
    with pytest.raises(
        ValueError, match="max_df corresponds to < documents than min_df"
    ):
        TfidfWeighter(min_df=3, max_df=2).fit(ENGLISH)


def test_parameters_are_as_in_sklearn():
    """A user of TfidfVectorizer finds the same names with the same defaults."""
    ours, theirs = TfidfWeighter().get_params(), TfidfVectorizer().get_params()
    assert theirs.keys() <= ours.keys()
    assert ours.keys() - theirs.keys() == {
        *("scheme", "k1", "b", "a", "alpha", "n_jobs", "n_features", "alternate_sign")
    }
    assert all(ours[name] == theirs[name] for name in ours.keys() & theirs.keys())
