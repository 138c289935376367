"""EmbeddingTransformer: given vectors, pooled."""

import pickle

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn import config_context
from sklearn.base import clone
from sklearn.decomposition import TruncatedSVD
from sklearn.feature_extraction.text import (
    CountVectorizer,
    HashingVectorizer,
    TfidfTransformer,
    TfidfVectorizer,
)
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import FeatureUnion, make_pipeline
from sklearn.preprocessing import FunctionTransformer, Normalizer

from skml.text import (
    EmbeddingTransformer,
    TfidfWeighter,
    Word2VecTransformer,
    WordVectors,
)

WORDS = ["cat", "dog", "bread", "soup", "the", "and"]
VECTORS = WordVectors(np.random.default_rng(0).normal(size=(6, 4)), WORDS)
DOCUMENTS = ["the cat and the dog", "bread and soup", "the dog, the dog!", "soup"] * 5


def mean_of(words):
    return VECTORS[words].mean(axis=0)


def test_mean_of_the_words():
    found = EmbeddingTransformer(VECTORS).fit_transform(
        ["The cat sat", "unknown words", "", ["soup", "cat", "soup"]]
    )
    assert_allclose(found[0], mean_of(["the", "cat"]), rtol=1e-6)
    assert_array_equal(found[1:3], 0)
    assert_allclose(found[3], mean_of(["soup", "cat", "soup"]), rtol=1e-6)
    assert found.dtype == np.float32


@pytest.mark.parametrize("pooling", ["mean", "sum", "max", "mean+max"])
@pytest.mark.parametrize("weighter", [None, TfidfWeighter(sublinear_tf=True)])
@pytest.mark.parametrize("n_components", [0, 1])
def test_as_the_transformer_that_learned_them(pooling, weighter, n_components):
    shared = {
        "pooling": pooling,
        "weighter": weighter,
        "remove_components": n_components,
    }
    learned = Word2VecTransformer(4, min_count=1, random_state=0, **shared)
    expected = learned.fit_transform(DOCUMENTS)
    given = EmbeddingTransformer(learned.word_vectors_, **shared)
    assert_array_equal(given.fit_transform(DOCUMENTS), expected)
    assert_array_equal(given.transform(DOCUMENTS), learned.transform(DOCUMENTS))
    names = given.get_feature_names_out()
    assert len(names) == expected.shape[1] == (8 if pooling == "mean+max" else 4)
    assert names[0] == "embeddingtransformer0"


@pytest.mark.parametrize("weighter", [None, TfidfWeighter()])
def test_threads_change_nothing(weighter):
    documents = DOCUMENTS * 30
    parameters = {"weighter": weighter, "remove_components": 1, "stop_words": ["and"]}
    expected = EmbeddingTransformer(VECTORS, **parameters).fit_transform(documents)
    given = EmbeddingTransformer(VECTORS, n_jobs=3, **parameters)
    assert_array_equal(given.fit_transform(documents), expected)
    assert_array_equal(given.transform(iter(documents)), expected)


def test_threads_compose_the_same_words():
    parameters = {"subwords": (2, 3), "subsample": 0, "max_iter": 1, "random_state": 0}
    learned = Word2VecTransformer(4, **parameters).fit(DOCUMENTS)
    unseen = [f"{word}{i} soups the-dogs" for i in range(300) for word in WORDS]
    expected = learned.transform(unseen)
    given = EmbeddingTransformer(learned.word_vectors_, n_jobs=3).fit(DOCUMENTS)
    assert_array_equal(given.transform(unseen), expected)


class Vandal(TfidfWeighter):
    """Overwrites the counts that it is fitted on, and those that it weighs."""

    def fit(self, X, y=None):
        super().fit(X, y)
        X.data[:] = 0
        return self

    def transform(self, X):
        weights = super().transform(X)
        X.data[:] = 0
        return weights


def test_a_weighter_may_overwrite_the_counts():
    parameters = {"remove_components": 1, "pooling": "sum"}
    expected = EmbeddingTransformer(VECTORS, weighter=TfidfWeighter(), **parameters)
    given = EmbeddingTransformer(VECTORS, weighter=Vandal(), **parameters)
    expected = expected.fit_transform(DOCUMENTS)
    assert_array_equal(given.fit_transform(DOCUMENTS), expected)


def test_weights_are_those_of_the_weighter():
    weighter = TfidfWeighter(norm=None)
    transformer = EmbeddingTransformer(VECTORS, weighter=weighter).fit(DOCUMENTS)
    columns = {word: i for i, word in enumerate(WORDS)}
    idf = TfidfWeighter(vocabulary=columns, norm=None).fit(DOCUMENTS).idf_
    expected = np.average(VECTORS[["soup", "and"]], axis=0, weights=idf[[3, 5]])
    assert_allclose(transformer.transform(["soup and"])[0], expected, rtol=1e-5)


def test_components_are_learned_in_fit_and_applied_in_transform():
    transformer = EmbeddingTransformer(VECTORS, remove_components=1)
    transformer.fit(DOCUMENTS)
    plain = EmbeddingTransformer(VECTORS).fit(DOCUMENTS)
    pooled = plain.transform(DOCUMENTS)
    first = np.linalg.svd(pooled.astype(float))[2][:1]
    new = ["cat soup", "bread"]
    expected = plain.transform(new) - plain.transform(new) @ first.T @ first
    before = transformer.components_.copy()
    assert_allclose(transformer.transform(new), expected, atol=1e-5)
    assert_array_equal(transformer.components_, before)


def test_vectors_are_shared_by_clones_and_kept_by_pickle():
    transformer = EmbeddingTransformer(VECTORS).fit(DOCUMENTS)
    assert clone(transformer).word_vectors is VECTORS
    again = pickle.loads(pickle.dumps(transformer))
    assert again.word_vectors_ == VECTORS
    assert_array_equal(again.transform(DOCUMENTS), transformer.transform(DOCUMENTS))


def test_vectors_cannot_change_under_an_estimator():
    with pytest.raises(ValueError, match="read-only"):
        VECTORS.vectors[0] = 1


def test_grid_search():
    y = [0, 1] * (len(DOCUMENTS) // 2)
    model = make_pipeline(
        EmbeddingTransformer(VECTORS, weighter=TfidfWeighter()), LogisticRegression()
    )
    grid = {
        "embeddingtransformer__pooling": ["mean", "mean+max"],
        "embeddingtransformer__weighter__sublinear_tf": [False, True],
    }
    search = GridSearchCV(model, grid, cv=2).fit(DOCUMENTS, y)
    assert search.best_score_ == 1


def test_no_word_has_a_vector():
    message = (
        r"none of the 2 distinct words .*'CAT', 'DOG'.* is among the 6 .*lowercase"
    )
    with pytest.raises(ValueError, match=message):
        EmbeddingTransformer(VECTORS, lowercase=False).fit(["CAT DOG"])


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"word_vectors": None}, "'word_vectors' parameter"),
        ({"pooling": "median"}, "'pooling' parameter"),
        ({"remove_components": -1}, "'remove_components' parameter"),
        ({"remove_components": 4}, "remove_components=4 would leave nothing"),
    ],
)
def test_bad_parameters(parameters, message):
    with pytest.raises(ValueError, match=message):
        EmbeddingTransformer(**{"word_vectors": VECTORS, **parameters}).fit(DOCUMENTS)


@pytest.mark.parametrize("output", ["default", "pandas"])
@pytest.mark.parametrize(
    "weighter",
    [
        make_pipeline(TfidfTransformer(), Normalizer()),
        make_pipeline(Normalizer(), make_pipeline(TfidfTransformer())),
        FeatureUnion([("tf-idf", TfidfTransformer())]),
        FunctionTransformer(lambda counts: (counts > 0).toarray()),
    ],
)
def test_weighters_of_scikit_learn(weighter, output):
    """Some have no `set_output`, and a Pipeline of them refuses it."""
    with config_context(transform_output=output):
        model = EmbeddingTransformer(VECTORS, weighter=weighter, pooling="mean+max")
        pooled = model.fit_transform(DOCUMENTS)
    assert pooled.shape == (len(DOCUMENTS), 2 * VECTORS.vector_size)
    assert_array_equal(model.transform(DOCUMENTS), pooled)


@pytest.mark.parametrize(
    ("weighter", "error", "message"),
    [
        (
            TfidfVectorizer(),
            TypeError,
            "cannot be fitted on a matrix .*reads text",
        ),
        (HashingVectorizer(), TypeError, "cannot be fitted on a matrix"),
        (make_pipeline(CountVectorizer()), TypeError, "cannot be fitted on a matrix"),
        (TruncatedSVD(1), ValueError, r"of the shape \(1, .*to the shape \(1, 1\)"),
    ],
)
def test_what_is_no_weighter(weighter, error, message):
    with pytest.raises(error, match=f"EmbeddingTransformer: weighter=.*{message}"):
        EmbeddingTransformer(VECTORS, weighter=weighter).fit(DOCUMENTS)
