"""Tests of input that Word2VecTransformer refuses, and how it says so.

What any estimator of text refuses is in the checks of `skml.utils.estimator_checks`.
"""

import numpy as np
import pytest
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import LogisticRegression

from skml.text import Word2VecTransformer
from tests.oracles.word2vec import two_groups

SMALL = two_groups(n_documents=40)[0]


def make(**parameters):
    defaults = {"vector_size": 8, "min_count": 1, "max_iter": 2, "random_state": 0}
    return Word2VecTransformer(**{**defaults, **parameters})


def fit(documents=SMALL, **parameters):
    return make(**parameters).fit(documents)


@pytest.mark.parametrize("method", ["fit", "fit_transform"])
def test_no_documents(method):
    exhausted = iter(SMALL)
    list(exhausted)
    for nothing in ([], exhausted, (document for document in [])):
        with pytest.raises(ValueError, match=r"X holds no documents.*used up"):
            getattr(make(), method)(nothing)


def test_no_documents_to_transform():
    word2vec, once = fit(), iter(SMALL)
    word2vec.transform(once)
    with pytest.raises(ValueError, match=r"X holds no documents.*used up"):
        word2vec.transform(once)


@pytest.mark.parametrize("documents", [[""], [[], []], ["", "! ?"]])
def test_no_tokens(documents):
    message = f"the {len(documents)} documents hold no token"
    with pytest.raises(ValueError, match=message):
        fit(documents)


@pytest.mark.filterwarnings("ignore:.*the word vectors are not trained")
def test_min_count_too_high():
    documents = [["a", "b", "a"], ["b", "c"]]
    message = (
        "no word reaches min_count=5: of 3 words in 5 tokens, the most frequent occurs "
        "2 times. min_count=2 would keep 2."
    )
    with pytest.raises(ValueError, match=message) as error:
        fit(documents, min_count=5)
    assert "Chinese" not in str(error.value)
    assert len(fit(documents, min_count=2).vocabulary_) == 2


@pytest.mark.filterwarnings("ignore:.*the word vectors are not trained")
def test_min_count_too_high_for_chinese_in_one_piece():
    poem = ["床前明月光，", "疑是地上霜。", "举头望明月，", "低头思故乡。"]
    message = "no word reaches min_count=2.*analyzer='char'.*segmenter as tokenizer"
    with pytest.raises(ValueError, match=message):
        fit(poem, min_count=2)
    assert "月" in fit(poem, min_count=2, analyzer="char").vocabulary_


@pytest.mark.parametrize(
    "parameters",
    [
        {"vector_size": 0},
        {"vector_size": 2.5},
        {"architecture": "skipgram"},
        {"loss": "softmax"},
        {"window": 0},
        {"window": 10_001},
        {"n_negatives": 0},
        {"noise_exponent": np.nan},
        {"noise_exponent": np.inf},
        {"subsample": -1e-3},
        {"min_count": 0},
        {"max_features": 0},
        {"max_iter": 0},
        {"learning_rate": 0},
        {"learning_rate": np.nan},
        {"learning_rate_min": -1e-4},
        {"shrink_window": "yes"},
        {"weighter": "tfidf"},
        {"weighter": LogisticRegression()},
        {"n_jobs": 1.5},
        {"random_state": "seed"},
        {"verbose": -1},
    ],
    ids=lambda parameters: "{}={}".format(*next(iter(parameters.items()))),
)
def test_bad_parameters(parameters):
    """Refused by name, in fit and not in the constructor."""
    word2vec = make(**parameters)
    name, value = next(iter(parameters.items()))
    for method in (word2vec.fit, word2vec.fit_transform):
        with pytest.raises(ValueError, match=f"'{name}' parameter .* must be") as error:
            method(SMALL)
        assert f"{value!r}" in str(error.value)


@pytest.mark.parametrize("parameters", [{"n_negatives": 6}, {"noise_exponent": 1.0}])
def test_parameters_without_effect(parameters):
    name, value = next(iter(parameters.items()))
    message = (
        f"{name}={value} has no effect when loss='hierarchical-softmax'.*default, "
    )
    with pytest.raises(ValueError, match=message):
        fit(**parameters, loss="hierarchical-softmax")
    fit(**parameters)


def test_learning_rate_must_not_rise():
    message = "learning_rate_min=0.1 is above learning_rate=0.05"
    with pytest.raises(ValueError, match=message):
        fit(learning_rate=0.05, learning_rate_min=0.1)


@pytest.mark.parametrize("token", [7, 2.5, None, b"bytes", ["list"], np.float64("nan")])
def test_tokens_that_are_no_str(token):
    documents = [["a", "b"], [], ["a", token, "b"]]
    message = rf"token 1 of document 2 is .*\({type(token).__name__}\).*must be a str"
    with pytest.raises(TypeError, match=message):
        fit(documents)
    with pytest.raises(TypeError, match=message):
        fit().transform(documents)


def test_a_loss_that_diverges():
    with pytest.raises(ValueError, match=r"loss of epoch \d is .*Lower learning_rate"):
        fit(learning_rate=1e4, max_iter=20)


@pytest.mark.parametrize("noise_exponent", [-500.0, 0.0, 500.0])
def test_extreme_noise(noise_exponent):
    assert np.isfinite(fit(noise_exponent=noise_exponent).vectors_).all()


def test_what_fit_learns_is_not_there_before():
    for name in ("vocabulary_", "vectors_"):
        with pytest.raises(NotFittedError, match="not fitted yet"):
            getattr(Word2VecTransformer(), name)
        assert not hasattr(Word2VecTransformer(), name)
