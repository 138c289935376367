"""Nothing learned, or nothing known of the documents: a warning says so, once."""

import warnings

import numpy as np
import pytest

from skml.text import (
    EmbeddingTransformer,
    TfidfWeighter,
    Word2VecTransformer,
    WordVectors,
)

TEXTS = ["the cat sat on the mat", "a dog sat on the log"] * 10
VECTORS = WordVectors(np.eye(4), ["cat", "dog", "sat", "on"])
CHINESE = ["今天天气很好", "我们去公园", "猫在睡觉", "狗在花园里玩", "机器学习"]


def word2vec(**parameters):
    defaults = {"vector_size": 4, "min_count": 1, "subsample": 0, "max_iter": 1}
    return Word2VecTransformer(**defaults | parameters)


def warnings_of(call):
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        call()
    return [str(warning.message) for warning in caught]


ESTIMATORS = {
    "word2vec": word2vec(),
    "embedding": EmbeddingTransformer(VECTORS),
    "tf-idf": TfidfWeighter(),
}


@pytest.mark.parametrize("name", ESTIMATORS)
@pytest.mark.parametrize("unknown", [["ξψω φχ", ""] * 3, [["CAT", "DOG"]] * 2, CHINESE])
def test_documents_without_a_known_word(name, unknown):
    fitted = ESTIMATORS[name].fit(TEXTS)
    (message,) = warnings_of(lambda: fitted.transform(unknown))
    assert "all documents have no known word and become zeros" in message
    assert ("segmenter" in message) == (unknown is CHINESE)
    assert not warnings_of(lambda: fitted.transform([*unknown, TEXTS[0]] * 3))
    assert not warnings_of(lambda: fitted.transform(["", ""]))
    assert not warnings_of(lambda: fitted.transform(unknown[:1]))


def test_most_documents_of_fit():
    """A few words reach min_count; of the others, the documents become zeros."""
    rare = [f"{a}{b}" for a in "天地玄黄宇宙洪荒" for b in "日月盈昃辰宿列张"]
    texts = [*rare, "好的，谢谢", "好的，谢谢"]
    (message,) = warnings_of(lambda: word2vec(min_count=2).fit(texts))
    assert "most documents" in message
    assert "min_count=2 times" in message
    assert "analyzer='char'" in message
    (message,) = warnings_of(
        lambda: EmbeddingTransformer(VECTORS).fit(["a mat", "mats", "cat"])
    )
    assert "Do lowercase, token_pattern and analyzer fit" in message
    (message,) = warnings_of(lambda: TfidfWeighter(vocabulary=["owl"]).fit(TEXTS))
    assert "vocabulary holds ['owl']" in message


def test_no_pair_of_words():
    (message,) = warnings_of(lambda: word2vec().fit(["red", "blue", "red"] * 20))
    assert "not trained" in message
    assert "pass [X]" in message
    (message,) = warnings_of(lambda: word2vec().fit_transform(["今天天气很好"] * 9))
    assert "segmenter" in message
    (message,) = warnings_of(lambda: word2vec(subsample=1e-9).fit(TEXTS))
    assert "subsample=0." in message
    (message,) = warnings_of(lambda: word2vec().partial_fit(["red", "blue"]))
    assert "no document has two words" in message
    assert not warnings_of(lambda: word2vec().fit(["red blue"]))
    assert not warnings_of(lambda: word2vec().partial_fit(["red"]))


@pytest.mark.parametrize(
    ("term", "becomes", "parameters"),
    [
        ("Apple", "'apple'", {}),
        ("new york", "'new' and 'york'", {}),
        ("é", "nothing", {}),
        ("Apple", "'apple'", {"tokenizer": str.split, "token_pattern": None}),
        ("café", "'cafe'", {"strip_accents": "unicode"}),
        ("the", "nothing", {"stop_words": ["the"]}),
        ("ab", "'a' and 'b'", {"analyzer": "char"}),
    ],
)
def test_terms_that_text_never_becomes(term, becomes, parameters):
    weighter = TfidfWeighter(vocabulary=[term, "x", "pear"], **parameters)
    texts = [f"pear {term}", "pear x"]
    (message,) = warnings_of(lambda: weighter.fit(texts))
    assert "of 3 terms of vocabulary are never found in text" in message
    assert f"becomes {becomes}." in message
    assert not warnings_of(lambda: weighter.transform(texts))


@pytest.mark.parametrize(
    ("X", "parameters"),
    [
        (["pear Apple"], {"lowercase": False}),
        ([["pear", "Apple"]], {}),
        (["pear"], {"preprocessor": str.upper, "vocabulary": ["PEAR", "Apple"]}),
        (["pear"], {"analyzer": str.split}),
    ],
)
def test_terms_that_documents_may_hold(X, parameters):
    weighter = TfidfWeighter(**{"vocabulary": ["pear", "Apple", "owl"]} | parameters)
    assert not warnings_of(lambda: weighter.fit(X))


def test_stop_words_are_looked_at_once():
    weighter = TfidfWeighter(stop_words=["The", "don't"])
    (message,) = warnings_of(lambda: weighter.fit(["a cat"]))
    assert "stop_words may be inconsistent" in message
    assert not warnings_of(lambda: weighter.transform(["a cat"]))
