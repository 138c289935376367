"""Every estimator of text keeps the contracts of scikit-learn, in each of its modes."""

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import FeatureUnion, Pipeline, make_pipeline

from skml.text import (
    EmbeddingTransformer,
    FastTextClassifier,
    PhraseTransformer,
    TfidfWeighter,
    Word2VecTransformer,
    WordVectors,
)
from skml.utils.estimator_checks import text_estimator_checks_generator

# Of the few documents of a fold, most may have none of the words.
pytestmark = pytest.mark.filterwarnings("ignore:.*no known word")

# Enough to learn something from the short documents of the checks.
SMALL = {"vector_size": 8, "min_count": 1, "max_iter": 2}

# Words of the documents of the checks, and a character of each alphabet in them.
WORDS = ["the", "cat", "dog", "sleeps", "learns", "computer", "data", "garden", "warm"]
WORDS += ["mat", "from", "on", "春", "眠", "🐼"]
VECTORS = WordVectors(np.random.default_rng(0).normal(size=(len(WORDS), 8)), WORDS)


class StreamedWeighter(TfidfWeighter):
    """Learns the documents of `fit` piece by piece."""

    def fit(self, X, y=None):
        if getattr(X, "ndim", 1) == 1 and hasattr(X, "__iter__"):
            is_whole = isinstance(X, (str, bytes, dict, set)) or hasattr(X, "columns")
            X = X if is_whole else list(X)
        learned, is_list = clone(self), isinstance(X, list)
        learned.partial_fit(X[:30] if is_list else X)
        if is_list and len(X) > 30:
            learned.partial_fit(iter(X[30:]))
        self._publish(learned._fitted)
        return self

    def fit_transform(self, X, y=None):
        X = list(X) if iter(X) is X else X
        return self.fit(X).transform(X)


# Of each class the defaults, or nearly, and an extreme.
ESTIMATORS = [
    Word2VecTransformer(**SMALL),
    Word2VecTransformer(
        **SMALL,
        architecture="cbow",
        loss="hierarchical-softmax",
        weighter=TfidfWeighter(scheme="rf"),
        pooling="mean+max",
        remove_components=1,
    ),
    EmbeddingTransformer(VECTORS),
    EmbeddingTransformer(
        VECTORS, weighter=TfidfWeighter(), pooling="max", remove_components=2
    ),
    TfidfWeighter(),
    TfidfWeighter(scheme="or", sublinear_tf=True, ngram_range=(1, 2)),
    TfidfWeighter(analyzer="char_wb", ngram_range=(2, 3), n_jobs=2),
    StreamedWeighter(max_features=40),
    TfidfWeighter(n_features=64, use_idf=False, ngram_range=(1, 2)),
    FastTextClassifier(vector_size=8, max_iter=5),
    FastTextClassifier(
        **SMALL,
        loss="hierarchical-softmax",
        subwords=(1, 3),
        class_weight="balanced",
        early_stopping=True,
    ),
    # What is made of others keeps to the contracts, but for parameters and tags.
    make_pipeline(
        PhraseTransformer(min_count=1, threshold=0.1, connector_words=["the"]),
        TfidfWeighter(),
    ),
    make_pipeline(
        FeatureUnion(
            [("sum", TfidfWeighter()), ("of", TfidfWeighter(analyzer="char"))]
        ),
        LogisticRegression(solver="liblinear"),
    ),
]
# A process takes longer than all else: one for all that could depend on its hashes.
IN_A_PROCESS = FeatureUnion(
    [
        ("default", Word2VecTransformer(**SMALL)),
        ("subwords", Word2VecTransformer(**SMALL, subwords=(2, 3))),
        ("others", ESTIMATORS[1]),
        ("embedding", ESTIMATORS[4]),
        ("supervised", FastTextClassifier(**SMALL)),
        *(
            (scheme, TfidfWeighter(scheme=scheme))
            for scheme in ("bm25", "usif", "or", "nb")
        ),
    ]
)
# What does not hang on the mode: the first estimator of a class is asked alone.
OF_CLASSES = {
    "check_param_validation",
    "check_parameters_default_constructible",
    "check_set_params",
    "check_text_cross_validation",
    "check_text_grid_search",
    "check_text_html_repr",
    "check_text_parameter_values",
}


def is_asked(i, name):
    """Whether a check runs for an estimator; compositions are not of one class."""
    cls = type(ESTIMATORS[i])
    is_first = cls is Pipeline or cls not in map(type, ESTIMATORS[:i])
    return name != "check_text_hash_seed" and (is_first or name not in OF_CLASSES)


CHECKS = [
    pytest.param(estimator, check, id=f"{i}-{type(estimator).__name__}-{name}")
    for i, estimator in enumerate(ESTIMATORS)
    for _, check in text_estimator_checks_generator(estimator)
    if is_asked(i, name := getattr(check, "func", check).__name__)
]


@pytest.mark.parametrize(("estimator", "check"), CHECKS)
def test_text_estimators(estimator, check):
    check(estimator)


def test_hashes_of_the_process_change_nothing():
    checks = text_estimator_checks_generator(IN_A_PROCESS)
    names = {getattr(c, "func", c).__name__: c for _, c in checks}
    names["check_text_hash_seed"](IN_A_PROCESS)


class ShortWeighter(TfidfWeighter):
    def __init__(self, norm="l1"):
        super().__init__(norm=norm)


class ShortEmbedding(EmbeddingTransformer):
    def __init__(self, pooling="sum"):
        super().__init__(VECTORS, pooling=pooling)


class ShortWord2Vec(Word2VecTransformer):
    def __init__(self, vector_size=4):
        super().__init__(vector_size, min_count=1, max_iter=1, subsample=0)


@pytest.mark.parametrize("cls", [ShortWeighter, ShortEmbedding, ShortWord2Vec])
def test_a_subclass_may_have_fewer_parameters(cls):
    documents = ["the cat sleeps", "the dog learns", "the garden"]
    model = cls()
    assert model.fit_transform(documents).shape[0] == 3
    model.encoding = "cp437"
    with pytest.warns(UserWarning, match=r"'encoding' will not .* default, 'utf-8'"):
        model.fit(documents)
