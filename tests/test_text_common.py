"""Every estimator of text keeps the contracts of scikit-learn, in each of its modes."""

import numpy as np
import pytest
from sklearn.decomposition import TruncatedSVD
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import FeatureUnion, make_pipeline

from skml.text import (
    EmbeddingTransformer,
    TfidfWeighter,
    Word2VecTransformer,
    WordVectors,
)
from skml.utils.estimator_checks import (
    check_text_estimator,
    parametrize_with_text_checks,
)

# Of the few documents of a fold, most may have none of the words.
pytestmark = pytest.mark.filterwarnings("ignore:.*no known word")

# Enough to learn something from the short documents of the checks.
SMALL = {"vector_size": 8, "min_count": 1, "max_iter": 2}

# Words of the documents of the checks, and a character of each alphabet in them.
WORDS = ["the", "cat", "dog", "sleeps", "learns", "computer", "data", "garden", "warm"]
WORDS += ["mat", "from", "on", "春", "眠", "🐼"]
VECTORS = WordVectors(np.random.default_rng(0).normal(size=(len(WORDS), 8)), WORDS)

ESTIMATORS = [
    *(
        Word2VecTransformer(**SMALL, architecture=architecture, loss=loss)
        for architecture in ("skip-gram", "cbow")
        for loss in ("negative-sampling", "hierarchical-softmax")
    ),
    Word2VecTransformer(**SMALL, weighter=TfidfWeighter()),
    Word2VecTransformer(**SMALL, analyzer="char"),
    Word2VecTransformer(**SMALL, pooling="mean+max", remove_components=1),
    *(
        EmbeddingTransformer(VECTORS, pooling=pooling)
        for pooling in ("mean", "sum", "max", "mean+max")
    ),
    EmbeddingTransformer(VECTORS, weighter=TfidfWeighter(), remove_components=2),
    TfidfWeighter(),
    *(TfidfWeighter(scheme=scheme) for scheme in ("bm25", "usif", "rf")),
    Word2VecTransformer(**SMALL, weighter=TfidfWeighter(scheme="rf")),
    # What is made of others keeps to the contracts, but for parameters and tags.
    make_pipeline(TfidfWeighter(), TruncatedSVD(2)),
    make_pipeline(
        FeatureUnion(
            [("sum", TfidfWeighter()), ("of", TfidfWeighter(analyzer="char"))]
        ),
        LogisticRegression(solver="liblinear"),
    ),
]


@parametrize_with_text_checks(ESTIMATORS)
def test_text_estimators(estimator, check):
    check(estimator)


@pytest.mark.filterwarnings("ignore:.*the word vectors are not trained")
@pytest.mark.parametrize("cls", [TfidfWeighter, Word2VecTransformer])
def test_defaults(cls):
    results = check_text_estimator(cls())
    assert {result["status"] for result in results} == {"passed"}
