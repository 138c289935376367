"""One small fit of every public estimator, for the contracts that all of them keep."""

from functools import cache
from typing import NamedTuple

import numpy as np
from sklearn.base import BaseEstimator

import skml
from tests.neural import cases
from tests.neural.bert.models import SENTENCES, SMALL, tiny_model

BOOSTER = {"n_estimators": 5, "min_samples_leaf": 5}
ATTENTION = {
    "n_estimators": 2,
    "max_iter": 5,
    "n_components": 4,
    "hidden_layer_sizes": (8,),
    "n_bins": 8,
}
TRANSLATOR = {**cases.FEW, "max_iter": 1}
BERT = {**SMALL, "max_iter": 1, "batch_size": 4}
ANSWERS = ["cat", "garden", "computer", "words", "猫", "数据", "capital", "Berlin"]


class Case(NamedTuple):
    """An estimator that is soon fitted, and what it is fitted to."""

    estimator: BaseEstimator
    X: object
    y: object = None

    def fit(self):
        return self.estimator.fit(self.X, self.y)


def estimators():
    """The names of all public estimators, searches left out: they fit others."""
    return [
        name
        for name in skml.__all__
        if isinstance(cls := getattr(skml, name), type)
        and issubclass(cls, BaseEstimator)
        and not name.endswith("SearchCV")
    ]


@cache
def table():
    """Numbers with missing values and a column of codes; three classes; numbers."""
    rng = np.random.default_rng(0)
    X = rng.normal(size=(60, 4))
    target = X @ [1.0, -2.0, 0.5, 0.0] + 0.1 * rng.normal(size=60)
    X[rng.random(X.shape) < 0.1] = np.nan
    X[:, 3] = rng.integers(4, size=60)
    return X, np.digitize(target, [-1, 1]), target


def _of_table(name, **parameters):
    X, classes, target = table()
    y = classes if name.endswith("Classifier") else target
    return Case(getattr(skml, name)(**parameters), X, y)


def _of_text(name, **parameters):
    return Case(getattr(skml, name)(**parameters), SENTENCES * 3)


def _translator(name):
    cls = getattr(skml, name)
    sizes = cases.SIZES[cls]
    return Case(cls(**sizes, **TRANSLATOR), cases.ENGLISH, cases.FRENCH)


def _bert(name, X, y, **parameters):
    model = tiny_model(n_layers=1)
    return Case(getattr(skml, name)(model, **{**BERT, **parameters}), X, y)


def case(name):
    """The small case of a public estimator, by its name."""
    return _CASES[name]()


def _word_vectors():
    words = sorted({word for text in SENTENCES for word in text.lower().split()})
    vectors = np.random.default_rng(0).normal(size=(len(words), 6))
    return skml.WordVectors(vectors, words)


_PAIRS = [("who is it?", text) for text in SENTENCES]
_WORDS = [text.split() for text in SENTENCES]
_TAGS = [["B-A" if len(word) > 4 else "O" for word in words] for words in _WORDS]
_CASES = {
    "AttentionPoolingClassifier": lambda: _of_table(
        "AttentionPoolingClassifier", **ATTENTION, random_state=0
    ),
    "AttentionPoolingRegressor": lambda: _of_table(
        "AttentionPoolingRegressor", **ATTENTION, random_state=0
    ),
    "BertClassifier": lambda: _bert("BertClassifier", SENTENCES, list("aabbaabb")),
    "BertPretrainer": lambda: Case(
        skml.BertPretrainer(
            **{**BERT, "vocabulary_size": 120, "hidden_size": 16, "n_layers": 1},
            n_heads=2,
            max_length=32,
        ),
        SENTENCES * 2,
    ),
    "BertQuestionAnswerer": lambda: _bert(
        "BertQuestionAnswerer",
        _PAIRS,
        ANSWERS,
        max_question_length=16,
        max_answer_length=12,
    ),
    "BertRegressor": lambda: _bert("BertRegressor", SENTENCES, np.arange(8.0)),
    "BertTokenClassifier": lambda: _bert("BertTokenClassifier", _WORDS, _TAGS),
    "BertTransformer": lambda: Case(
        skml.BertTransformer(tiny_model(n_layers=1), device="cpu"), SENTENCES
    ),
    "EmbeddingTransformer": lambda: Case(
        skml.EmbeddingTransformer(_word_vectors()), SENTENCES
    ),
    "FastTextClassifier": lambda: Case(
        skml.FastTextClassifier(vector_size=8, max_iter=10, random_state=0),
        SENTENCES * 3,
        list("aabbaabb") * 3,
    ),
    "GBDTClassifier": lambda: _of_table("GBDTClassifier", **BOOSTER, random_state=0),
    "GBDTRegressor": lambda: _of_table(
        "GBDTRegressor", **BOOSTER, method="exact", random_state=0
    ),
    "LRClassifier": lambda: _of_table("LRClassifier"),
    "LightGBMClassifier": lambda: _of_table(
        "LightGBMClassifier", **BOOSTER, random_state=0
    ),
    "LightGBMRegressor": lambda: _of_table(
        "LightGBMRegressor", **BOOSTER, random_state=0
    ),
    "PhraseTransformer": lambda: _of_text(
        "PhraseTransformer", min_count=2, threshold=0.1, connector_words=["the"]
    ),
    "SVMClassifier": lambda: _of_table("SVMClassifier", random_state=0),
    "SVMRegressor": lambda: _of_table(
        "SVMRegressor", approximation="nystroem", n_components=20, random_state=0
    ),
    "Seq2SeqTranslator": lambda: _translator("Seq2SeqTranslator"),
    "TfidfWeighter": lambda: _of_text("TfidfWeighter"),
    "TransformerTranslator": lambda: _translator("TransformerTranslator"),
    "Word2VecTransformer": lambda: _of_text(
        "Word2VecTransformer",
        vector_size=8,
        min_count=1,
        weighter=skml.TfidfWeighter(),
        random_state=0,
    ),
    "XGBoostClassifier": lambda: _of_table(
        "XGBoostClassifier", **BOOSTER, subsample=0.7, random_state=0
    ),
    "XGBoostRegressor": lambda: _of_table(
        "XGBoostRegressor", **BOOSTER, random_state=0
    ),
}
