"""Saved and loaded translators are equal; folders that lie are refused."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.testing import assert_array_equal
from safetensors.numpy import load_file, save_file

from skml._codec import MODEL
from skml._store import ARRAYS
from skml.neural import Seq2SeqTranslator, TransformerTranslator
from tests.neural.cases import (
    CLASSES,
    ENGLISH,
    FRENCH,
    TOKENS,
    assert_same_weights,
    small,
)

classes = pytest.mark.parametrize("cls", CLASSES)


def fit(cls, X=ENGLISH, y=FRENCH, **parameters):
    return small(cls, **parameters).fit(X, y)


# There and back

FORMS = [
    (Seq2SeqTranslator, {"attention": None, "cell": "lstm", "tokenizer": "word"}),
    (Seq2SeqTranslator, {"attention": "additive", "tie_embeddings": False}),
    (Seq2SeqTranslator, {"bidirectional": False, "n_layers": np.int64(2)}),
    (TransformerTranslator, {"positions": "learned", "tokenizer": "char"}),
    (TransformerTranslator, {"norm_first": False, "tie_embeddings": np.bool_(False)}),
    (TransformerTranslator, {"random_state": np.int64(3), "dropout": 0}),
]


def assert_same(model, again, X, y):
    assert type(again) is type(model)
    assert_same_weights(model, again)
    assert_array_equal(again.predict(X, n_best=2), model.predict(X, n_best=2))
    assert_array_equal(again.log_likelihood(X, y), model.log_likelihood(X, y))
    assert again.get_params() == model.get_params()
    for name in ("n_iter_", "loss_curve_", "validation_loss_curve_"):
        assert_array_equal(getattr(again, name), getattr(model, name), strict=True)
    assert again.max_length_ratio_ == model.max_length_ratio_
    assert vars(again).keys() == vars(model).keys()


@pytest.mark.parametrize(("cls", "options"), FORMS)
def test_networks_of_all_forms_come_back(cls, options, tmp_path):
    model = fit(cls, early_stopping=True, **options)
    before = torch.get_rng_state()
    again = cls.load(model.save(tmp_path / "model") and tmp_path / "model")
    assert torch.equal(torch.get_rng_state(), before)
    assert_same(model, again, ENGLISH, FRENCH)
    again.partial_fit(ENGLISH, FRENCH)
    assert_same_weights(again, model.partial_fit(ENGLISH, FRENCH))


@classes
def test_tokens_come_back(cls, tmp_path):
    X = [[*tokens, "猫", "\u2028", '"'] for tokens in TOKENS]
    model = fit(cls, X, FRENCH)
    again = cls.load(model.save(tmp_path / "model") and tmp_path / "model")
    assert_same(model, again, X, FRENCH)
    with pytest.raises(ValueError, match="X has text; in fit it had lists of tokens"):
        again.predict(ENGLISH)


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    """The folder of a transformer with vocabularies of words; do not change it."""
    path = tmp_path_factory.mktemp("saved") / "model"
    fit(TransformerTranslator, tokenizer="word").save(path)
    return path


@pytest.fixture
def path(saved, tmp_path):
    """A copy of it, to change."""
    return Path(shutil.copytree(saved, tmp_path / "model"))


def test_parameters_for_the_next_fit_come_back(path):
    model = TransformerTranslator.load(path).set_params(n_layers=2, tokenizer="bpe")
    model.set_params(checkpoint=path.parent / "state").save(path)
    again = TransformerTranslator.load(path)
    assert again.checkpoint == str(path.parent / "state")
    assert_same(model.set_params(checkpoint=again.checkpoint), again, ENGLISH, FRENCH)


# What is refused


def fields(state):
    return state["fitted"]["data"]


def network(state):
    return fields(state)["network"]["data"]


def option(name, value):
    """Lie about one option of the architecture."""

    def change(state):
        items = network(state)["architecture"]["items"]
        items[:] = [[n, value if n == name else v] for n, v in items]

    return change


def side(name, tokens):
    """Lie about the tokens of a vocabulary."""

    def change(state):
        data = fields(state)[f"{name}_vocabulary_"]["data"]
        data["tokens"] = tokens(data["tokens"])

    return change


LIES = {
    "network of another": (
        lambda s: fields(s)["network"].update({"class": "WordVocabulary"}),
        "network",
    ),
    "recurrent": (
        lambda s: fields(s)["network"].update({"class": "RecurrentNetwork"}),
        "is missing in the architecture, or wrong",
    ),
    "no option": (
        lambda s: network(s)["architecture"]["items"].pop(),
        "'tie_embeddings' is missing",
    ),
    "more options": (
        lambda s: network(s)["architecture"]["items"].append(["more", 1]),
        "'more' is missing in the architecture, or wrong",
    ),
    **{
        f"n_layers {value!r}": (option("n_layers", value), "n_layers is")
        for value in (0, -1, 10**9, "1", True, 1.5, None)
    },
    "layers": (option("n_layers", 2), "the weights .* are None; expected"),
    "positions": (option("max_length", 2**40), "max_length is 10995"),
    "large": (option("feed_forward_size", 2**40), "feed_forward_size is 10995"),
    "size": (option("feed_forward_size", 15), r"are \(\(16,\)"),
    "odd": (option("model_size", 9), "the architecture is wrong"),
    "heads": (option("n_heads", 3), "the architecture is wrong"),
    "dropout": (option("dropout", 7.0), "the architecture is wrong"),
    "activation": (option("activation", "tanh"), "the architecture is wrong"),
    "tied": (option("tie_embeddings", "yes"), "tie_embeddings is 'yes'"),
    "untied": (option("tie_embeddings", False), "the weights"),
    "kinds": (
        lambda s: fields(s).update(kinds={"is": "tuple", "items": ["text", "image"]}),
        r"kinds is \('text', 'image'\)",
    ),
    "kind": (
        lambda s: fields(s).update(kinds={"is": "tuple", "items": ["text", "tokens"]}),
        "a vocabulary of 'word' is of 'tokens'",
    ),
    "ratio": (lambda s: fields(s).update(max_length_ratio_=1.5), "max_length_ratio_"),
    "nan": (
        lambda s: fields(s).update(max_length_ratio_={"is": "float", "value": "nan"}),
        "max_length_ratio_ is nan",
    ),
    "epochs": (lambda s: fields(s).update(n_iter_=3), "loss_curve_ has the shape"),
    "no epochs": (lambda s: fields(s).update(n_iter_=0), "n_iter_ is 0"),
    "parameters": (
        lambda s: fields(s).update(vocabulary_parameters={"is": "dict", "items": []}),
        "expected a tokenizer",
    ),
    **{
        f"{name} vocabulary of {what}": (side(name, tokens), message)
        for name in ("source", "target")
        for what, tokens, message in (
            ("one token", lambda t: t[:1], "has 5 tokens, and the network"),
            ("a token twice", lambda t: [t[1], *t[1:]], "a token stands there twice"),
            ("numbers", lambda t: [3, *t[1:]], "a token is no str"),
            ("text", lambda t: "abc", "a token is no str"),
        )
    },
}


def refuse(path, message, cls=TransformerTranslator):
    with pytest.raises(ValueError, match=message) as caught:
        cls.load(path)
    assert str(path) in str(caught.value)
    assert len(str(caught.value)) < 800


@pytest.mark.parametrize("lie", LIES)
def test_lies_are_refused(lie, path):
    change, message = LIES[lie]
    state = json.loads((path / MODEL).read_text("utf-8"))
    change(state)
    (path / MODEL).write_text(json.dumps(state), "utf-8")
    refuse(path, message)


TOKENIZER_LIES = {
    "nothing": lambda t: {},
    "no model": lambda t: {n: v for n, v in t.items() if n != "model"},
    "version": lambda t: t | {"version": "9"},
    "merges": lambda t: t | {"model": t["model"] | {"merges": ["a"]}},
    "a new id": lambda t: t | {"model": t["model"] | {"vocab": {"a": 10**6}}},
}


def test_lies_about_subword_tokens(tmp_path):
    path = tmp_path / "model"
    fit(TransformerTranslator, tokenizer="bpe").save(path)
    text = (path / MODEL).read_text("utf-8")
    for lie in TOKENIZER_LIES.values():
        state = json.loads(text)
        data = fields(state)["source_vocabulary_"]["data"]
        data["tokenizer"] = json.dumps(lie(json.loads(data["tokenizer"])))
        (path / MODEL).write_text(json.dumps(state), "utf-8")
        refuse(path, "source_vocabulary_: (the tokenizer is damaged|ids are missing)")
        data["tokenizer"] = 3
        (path / MODEL).write_text(json.dumps(state), "utf-8")
        refuse(path, "source_vocabulary_")


WEIGHT_LIES = {
    "shape": lambda w: w.reshape(-1),
    "transposed": lambda w: w.T.copy(),
    "float16": lambda w: w.astype(np.float16),
    "integers": lambda w: w.astype(np.uint32),
    "nan": lambda w: w * np.float32(np.nan),
}


@pytest.mark.parametrize("lie", WEIGHT_LIES)
def test_lies_about_weights(lie, path):
    arrays = load_file(path / ARRAYS)
    key = max((k for k in arrays if arrays[k].ndim == 2), key=lambda k: arrays[k].size)
    arrays[key] = WEIGHT_LIES[lie](arrays[key])
    save_file(arrays, path / ARRAYS)
    refuse(path, "network")


def test_what_another_class_saved_is_refused(path):
    refuse(path, "has a 'TransformerTranslator'", Seq2SeqTranslator)
    theirs = json.loads((path / MODEL).read_text("utf-8"))
    fit(Seq2SeqTranslator).save(path)
    state = json.loads((path / MODEL).read_text("utf-8"))
    (path / MODEL).write_text(json.dumps(theirs | {"fitted": state["fitted"]}))
    refuse(path, "network is a RecurrentNetwork")
