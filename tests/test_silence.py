"""An estimator that learned nothing says so once: why, and what to change."""

import re
import warnings
from typing import NamedTuple

import numpy as np
import pytest

import skml
from tests.neural import cases
from tests.neural.bert.models import SENTENCES, SMALL, tiny_model

RNG = np.random.default_rng(0)
NOISE = RNG.normal(size=(40, 3))
CONSTANT = np.full((40, 3), 7.0)
CLASSES = np.tile([0, 0, 1], 14)[:40]


class Nothing(NamedTuple):
    """A fit from which nothing can be learned, and how the warning says why."""

    estimator: object
    X: object
    y: object
    why: str


def of_tables():
    """Leaves larger than the table; no column that varies."""
    for name in skml.__all__:
        if not name.endswith(("Classifier", "Regressor")):
            continue
        if name.startswith(("Bert", "FastText")):
            continue
        y = CLASSES if name.endswith("Classifier") else CLASSES + NOISE[:, 0]
        cls = getattr(skml, name)
        yield name, Nothing(cls(), CONSTANT, y, "(?i)no feature|no column|no split")
        if "min_samples_leaf" in cls().get_params():
            model = cls(min_samples_leaf=30)
            yield f"{name}, leaves", Nothing(model, NOISE, y, "min_samples_leaf")


def of_text():
    """No pair of words; no word that has a vector."""
    vectors = skml.WordVectors(np.eye(2), ["red", "blue"])
    single = ["red", "blue"] * 20
    rare = ["red green", *["yellow violet"] * 60]
    yield "pairs", Nothing(skml.Word2VecTransformer(min_count=1), single, None, "pair")
    yield "known", Nothing(skml.EmbeddingTransformer(vectors), rare, None, "known word")


def of_networks():
    """A single epoch of a network that begins at random, or a rate of nearly zero."""
    model = skml.BertClassifier(tiny_model(n_layers=1), **{**SMALL, "max_iter": 1})
    yield "BertClassifier", Nothing(model, SENTENCES, list("aabbaabb"), "learning_rate")
    slow = cases.small(skml.Seq2SeqTranslator, learning_rate=1e-12)
    X, y = cases.ENGLISH, cases.FRENCH
    yield "Seq2SeqTranslator", Nothing(slow, X, y, "max_iter|learning_rate")


CASES = dict([*of_tables(), *of_text(), *of_networks()])


@pytest.mark.filterwarnings("default")  # seen below
@pytest.mark.parametrize("name", CASES)
def test_who_learned_nothing_says_so_once(name):
    case = CASES[name]
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        case.estimator.fit(case.X, case.y)
    ours = [
        w for w in caught if str(w.message).startswith(type(case.estimator).__name__)
    ]
    assert len(ours) == 1, [str(w.message) for w in caught]
    assert issubclass(ours[0].category, UserWarning)
    assert ours[0].filename == __file__
    assert re.search(case.why, str(ours[0].message))
