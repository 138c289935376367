"""Saved and loaded translators are equal; folders that lie are refused."""

import json
import os
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.testing import assert_array_equal
from safetensors.torch import load_file, save_file

from skml.neural import Seq2SeqTranslator, TransformerTranslator
from skml.neural._storage import ESTIMATOR, FILES, SOURCE, TARGET, WEIGHTS
from tests.neural.cases import (
    CLASSES,
    ENGLISH,
    FRENCH,
    TOKENS,
    are_same_weights,
    assert_same_weights,
    small,
)

classes = pytest.mark.parametrize("cls", CLASSES)


def fit(cls, X=ENGLISH, y=FRENCH, **parameters):
    return small(cls, **parameters).fit(X, y)


@pytest.fixture(scope="module", params=CLASSES)
def model(request):
    """A model of text; do not change it."""
    return fit(request.param)


@pytest.fixture(scope="module")
def word_model():
    """A model whose vocabularies are lists of words."""
    return fit(TransformerTranslator, tokenizer="word")


def edit_json(path, change):
    content = json.loads(path.read_text("utf-8"))
    change(content)
    path.write_text(json.dumps(content), "utf-8")


# There and back


def assert_same(model, again, X, y):
    assert type(again) is type(model)
    assert_same_weights(model, again)
    assert_array_equal(again.predict(X), model.predict(X))
    assert_array_equal(again.predict(X, n_best=2), model.predict(X, n_best=2))
    assert_array_equal(again.log_likelihood(X, y), model.log_likelihood(X, y))
    assert again.get_params() == model.get_params()
    for name in (
        "n_iter_",
        "loss_curve_",
        "validation_loss_curve_",
        "max_length_ratio_",
    ):
        assert_array_equal(getattr(again, name), getattr(model, name), strict=True)
    ours, theirs = ({k for k in vars(m) if k[-1] == "_"} for m in (model, again))
    assert ours == theirs


@pytest.mark.parametrize("tokenizer", ["bpe", "word", "char"])
@classes
def test_text_comes_back_the_same(cls, tokenizer, tmp_path):
    model = fit(cls, tokenizer=tokenizer, early_stopping=True)
    assert model.save(tmp_path / "model") is model
    assert {path.name for path in tmp_path.iterdir()} == {"model"}
    assert {path.name for path in (tmp_path / "model").iterdir()} == set(FILES)
    again = cls.load(tmp_path / "model")
    assert_same(model, again, ENGLISH, FRENCH)
    again.partial_fit(ENGLISH, FRENCH)
    assert_same_weights(again, model.partial_fit(ENGLISH, FRENCH))


@classes
def test_tokens_come_back_the_same(cls, tmp_path):
    X = [[*tokens, "猫", "\u2028", '"'] for tokens in TOKENS]
    model = fit(cls, X, TOKENS)
    again = cls.load(model.save(tmp_path / "model") and tmp_path / "model")
    assert_same(model, again, X, TOKENS)
    with pytest.raises(ValueError, match="X has text; in fit it had lists of tokens"):
        again.predict(ENGLISH)


@classes
def test_kinds_that_differ_come_back(cls, tmp_path):
    model = fit(cls, TOKENS, FRENCH)
    model.save(tmp_path / "model")
    assert_same(model, cls.load(tmp_path / "model"), TOKENS, FRENCH)


@pytest.mark.parametrize(
    ("cls", "options"),
    [
        (Seq2SeqTranslator, {"attention": None, "cell": "lstm"}),
        (Seq2SeqTranslator, {"attention": "additive", "tie_embeddings": False}),
        (Seq2SeqTranslator, {"bidirectional": False, "n_layers": 2}),
        (TransformerTranslator, {"positions": "learned", "activation": "gelu"}),
        (TransformerTranslator, {"norm_first": False, "tie_embeddings": False}),
        (TransformerTranslator, {"random_state": np.int64(3), "dropout": 0.25}),
    ],
)
def test_networks_of_all_forms(cls, options, tmp_path):
    model = fit(cls, **options)
    model.save(str(tmp_path / "model"))
    assert_same(model, cls.load(str(tmp_path / "model")), ENGLISH, FRENCH)


def test_a_name_relative_to_here(model, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    model.save("model")
    assert_same(model, type(model).load("model"), ENGLISH, FRENCH)
    monkeypatch.chdir("model")
    model.save(".")
    assert_same(model, type(model).load(tmp_path / "model"), ENGLISH, FRENCH)


def test_files_are_data(model, tmp_path):
    model.save(tmp_path / "model")
    for name in (ESTIMATOR, SOURCE, TARGET):
        json.loads((tmp_path / "model" / name).read_text("utf-8"))
    weights = load_file(tmp_path / "model" / WEIGHTS)
    assert weights.keys() == model.network_.state_dict().keys()


# What is there already


def test_a_saved_model_is_replaced(model, tmp_path):
    path = tmp_path / "model"
    model.save(path)
    other = fit(type(model), random_state=1)
    assert not are_same_weights(model, other)
    other.save(path)
    assert_same(other, type(model).load(path), ENGLISH, FRENCH)
    assert [p.name for p in tmp_path.iterdir()] == ["model"]


def test_an_empty_folder_is_filled(model, tmp_path):
    (tmp_path / "model").mkdir()
    model.save(tmp_path / "model")
    type(model).load(tmp_path / "model")


def test_a_folder_with_other_files_is_left_alone(model, tmp_path):
    (tmp_path / "thesis.tex").write_text("years of work")
    (tmp_path / ESTIMATOR).write_text("{}")
    with pytest.raises(ValueError, match=r"holds 'thesis\.tex'.*pass a new name"):
        model.save(tmp_path)
    assert (tmp_path / "thesis.tex").read_text() == "years of work"
    assert len(list(tmp_path.iterdir())) == 2


def test_a_file_is_left_alone(model, tmp_path):
    (tmp_path / "model").write_text("years of work")
    with pytest.raises(ValueError, match=r"model is a file; pass the name of a folder"):
        model.save(tmp_path / "model")
    assert (tmp_path / "model").read_text() == "years of work"


def test_a_folder_that_is_not_there(model, tmp_path):
    with pytest.raises(FileNotFoundError, match=r"no folder '.*none' to save 'model'"):
        model.save(tmp_path / "none" / "model")
    assert list(tmp_path.iterdir()) == []


@classes
def test_what_is_no_data_is_refused_before_anything_is_written(cls, tmp_path):
    model = fit(cls, random_state=np.random.RandomState(0))
    message = rf"{cls.__name__}: RandomState.*\(RandomState\) is no data that a file"
    with pytest.raises(TypeError, match=message):
        model.save(tmp_path / "model")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("fails_at", [1, 2])
def test_what_fails_leaves_the_old_model(model, fails_at, tmp_path, monkeypatch):
    path, n_calls, replace = tmp_path / "model", [0], os.replace
    model.save(path)

    def failing(source, target):
        n_calls[0] += 1
        if n_calls[0] == fails_at:
            raise OSError("the disk is full")
        replace(source, target)

    other = fit(type(model), random_state=1)
    monkeypatch.setattr(os, "replace", failing)
    with pytest.raises(OSError, match="the disk is full"):
        other.save(path)
    monkeypatch.undo()
    assert_same(model, type(model).load(path), ENGLISH, FRENCH)
    assert [p.name for p in tmp_path.iterdir()] == ["model"]


# What is refused

# Where two files do not fit, either may lie.
ANY_FILE = "|".join(rf"{name} is damaged" for name in FILES)


def load_damaged(model, path, match):
    """Loading fails with a message that begins with the file."""
    with pytest.raises(ValueError, match=match) as caught:
        type(model).load(path)
    assert str(path) in str(caught.value)
    assert len(str(caught.value)) < 800


@pytest.mark.parametrize("name", FILES)
def test_missing_files(model, name, tmp_path):
    path = tmp_path / "model"
    model.save(path)
    (path / name).unlink()
    load_damaged(model, path, rf"{name} is missing; pass a folder that save wrote")


def test_a_folder_of_nothing(model, tmp_path):
    load_damaged(model, tmp_path, rf"{ESTIMATOR} is missing")
    load_damaged(model, tmp_path / "none", rf"{ESTIMATOR} is missing")


@pytest.mark.parametrize("n_bytes", [0, 1, 30, -30, -1])
@pytest.mark.parametrize("name", FILES)
def test_truncated_files(model, name, n_bytes, tmp_path):
    path = tmp_path / "model"
    model.save(path)
    content = (path / name).read_bytes()
    (path / name).write_bytes(content[:n_bytes])
    load_damaged(model, path, rf"{name} is damaged")


GARBAGE = [
    b"\xff\xfe garbage",
    b"\x80\x04]\x94.",
    b"[" * 10**5,
    b"null",
    b"[]",
    b"3",
    b'"text"',
    b"{}",
    b"\xff" * 64,
    b"9" * 10**5,
]


@pytest.mark.parametrize("content", GARBAGE, ids=range(len(GARBAGE)))
@pytest.mark.parametrize("name", FILES)
def test_garbage(model, name, content, tmp_path):
    path = tmp_path / "model"
    model.save(path)
    (path / name).write_bytes(content)
    load_damaged(model, path, rf"{name} is (damaged|not of this version)")


def test_files_of_others(model, tmp_path):
    path = tmp_path / "model"
    model.save(path)
    other = CLASSES[1 - CLASSES.index(type(model))]
    name = type(model).__name__
    with pytest.raises(ValueError, match=rf"{ESTIMATOR} is of '{name}'; load it with"):
        other.load(path)


def setting(*keys, to):
    def change(content):
        for key in keys[:-1]:
            content = content[key]
        content[keys[-1]] = to

    return change


def removing(*keys):
    def change(content):
        for key in keys[:-1]:
            content = content[key]
        del content[keys[-1]]

    return change


PARAMETERS = "parameters"
LIES = [
    setting("format", to=1),
    setting("format", to=None),
    removing("format"),
    setting("class", to=["x"]),
    removing("class"),
    removing(PARAMETERS),
    setting(PARAMETERS, to=[]),
    setting(PARAMETERS, to=3),
    setting(PARAMETERS, "beam_size", to=0),
    setting(PARAMETERS, "beam_size", to="5"),
    setting(PARAMETERS, "dropout", to=None),
    setting(PARAMETERS, "unknown", to=1),
    setting(PARAMETERS, "n_layers", to=2.5),
    setting(PARAMETERS, "tokenizer", to="none"),
    removing("kinds"),
    setting("kinds", to=["text"]),
    setting("kinds", to=["text", "images"]),
    setting("kinds", to=[["text"], "text"]),
    setting("kinds", to=3),
    removing("n_iter_"),
    removing("max_length_ratio_"),
    setting("max_length_ratio_", to=float("nan")),
    setting("max_length_ratio_", to="2"),
    removing("loss_curve_"),
    setting("n_iter_", to="many"),
    setting("loss_curve_", to=7),
    setting("validation_loss_curve_", to=["low"]),
]


@pytest.mark.parametrize("lie", LIES, ids=range(len(LIES)))
def test_lies_about_the_estimator(model, lie, tmp_path):
    path = tmp_path / "model"
    model.save(path)
    edit_json(path / ESTIMATOR, lie)
    load_damaged(model, path, rf"{ESTIMATOR} is (damaged|not of this version|of )")


@pytest.mark.parametrize("size", [{"model_size": 9}, {"n_heads": 3}, {"n_heads": 16}])
def test_lies_about_heads(size, tmp_path):
    path = tmp_path / "model"
    fit(TransformerTranslator).save(path)
    edit_json(path / ESTIMATOR, lambda content: content[PARAMETERS].update(size))
    with pytest.raises(ValueError, match=rf"{ESTIMATOR} is damaged|{WEIGHTS} is dam"):
        TransformerTranslator.load(path)


@pytest.mark.parametrize("size", [7, 24, 2**40])
def test_lies_about_sizes(model, size, tmp_path):
    recurrent = isinstance(model, Seq2SeqTranslator)
    name = "hidden_size" if recurrent else "feed_forward_size"
    path = tmp_path / "model"
    model.save(path)
    edit_json(path / ESTIMATOR, setting("architecture", name, to=size))
    load_damaged(model, path, ANY_FILE)


ARCHITECTURE_LIES = [
    removing("architecture"),
    setting("architecture", to=3),
    setting("architecture", to={}),
    setting("architecture", to=[["n_layers", 1]]),
    removing("architecture", "n_layers"),
    setting("architecture", "n_layers", to=2),
    setting("architecture", "n_layers", to=0),
    setting("architecture", "n_layers", to=-1),
    setting("architecture", "n_layers", to=10**9),
    setting("architecture", "n_layers", to="1"),
    setting("architecture", "n_layers", to=True),
    setting("architecture", "n_layers", to=1.5),
    setting("architecture", "more", to=1),
    setting("architecture", "dropout", to=7.0),
    setting("architecture", "dropout", to="0"),
    setting("architecture", "tie_embeddings", to="yes"),
]


@pytest.mark.parametrize("lie", ARCHITECTURE_LIES, ids=range(len(ARCHITECTURE_LIES)))
def test_lies_about_the_network(model, lie, tmp_path):
    path = tmp_path / "model"
    model.save(path)
    edit_json(path / ESTIMATOR, lie)
    load_damaged(model, path, rf"{ESTIMATOR} is damaged")


@pytest.mark.parametrize("size", [{"model_size": 9}, {"n_heads": 3}, {"n_heads": 16}])
def test_lies_about_the_heads_of_the_network(size, tmp_path):
    path = tmp_path / "model"
    fit(TransformerTranslator).save(path)
    edit_json(path / ESTIMATOR, lambda content: content["architecture"].update(size))
    with pytest.raises(ValueError, match=rf"{ESTIMATOR} is damaged"):
        TransformerTranslator.load(path)


@classes
def test_parameters_for_the_next_fit_come_back(cls, tmp_path):
    model = fit(cls).set_params(n_layers=2, tokenizer="word")
    model.save(tmp_path / "model")
    assert_same(model, cls.load(tmp_path / "model"), ENGLISH, FRENCH)


VOCABULARY_LIES = [
    setting("name", to="none"),
    setting("name", to=["word"]),
    removing("name"),
    removing("tokens"),
    setting("tokens", to=3),
    setting("tokens", to="abc"),
    setting("tokens", 0, to=3),
    setting("tokens", 0, to=None),
    setting("tokens", to=["a"]),  # too few for the weights
    lambda content: content["tokens"].append("one more"),
    lambda content: setting("tokens", 0, to=content["tokens"][1])(content),  # twice
    setting("name", to="tokens"),  # which takes lists, and not text
]


@pytest.mark.parametrize("name", [SOURCE, TARGET])
@pytest.mark.parametrize("lie", VOCABULARY_LIES, ids=range(len(VOCABULARY_LIES)))
def test_lies_about_words(word_model, lie, name, tmp_path):
    path = tmp_path / "model"
    word_model.save(path)
    edit_json(path / name, lie)
    load_damaged(word_model, path, ANY_FILE)


def add_piece(content):
    content["tokenizer"]["model"]["vocab"]["ab"] = 10**6


def rename_id(content):
    vocabulary = content["tokenizer"]["model"]["vocab"]
    vocabulary[next(iter(vocabulary))] = 10**6


PIECE_LIES = [
    removing("tokenizer"),
    setting("tokenizer", to={}),
    setting("tokenizer", to="x"),
    removing("tokenizer", "model"),
    setting("tokenizer", "model", "vocab", to={}),
    setting("tokenizer", "model", "merges", to=["a"]),
    setting("tokenizer", "version", to="9"),
    add_piece,
    rename_id,  # an id for which there are no weights
]


@pytest.mark.parametrize("lie", PIECE_LIES, ids=range(len(PIECE_LIES)))
def test_lies_about_pieces(model, lie, tmp_path):
    path = tmp_path / "model"
    model.save(path)
    edit_json(path / SOURCE, lie)
    load_damaged(model, path, ANY_FILE)


def reshape(weights):
    weights["output_bias"] = weights["output_bias"][:-1].clone()


def transpose(weights):
    name = "source_embedding.weight"
    weights[name] = weights[name].T.contiguous()


WEIGHT_LIES = {
    "shape": reshape,
    "transposed": transpose,
    "missing": lambda weights: weights.pop("output_bias"),
    "more": lambda weights: weights.update(more=torch.zeros(2)),
    "bfloat16": lambda weights: weights.update(
        {name: w.bfloat16() for name, w in weights.items()}
    ),
    "none": lambda weights: weights.clear(),
}


@pytest.mark.parametrize("lie", WEIGHT_LIES)
def test_lies_about_weights(model, lie, tmp_path):
    path = tmp_path / "model"
    model.save(path)
    weights = load_file(path / WEIGHTS)
    WEIGHT_LIES[lie](weights)
    save_file(weights, path / WEIGHTS)
    load_damaged(model, path, ANY_FILE)


@pytest.mark.parametrize("kind", [str, Path])
def test_the_place_of_a_checkpoint_need_not_be_there_any_more(model, kind, tmp_path):
    folder = tmp_path / "checkpoints"
    folder.mkdir()
    first = fit(type(model), checkpoint=kind(folder / "state"))
    first.save(tmp_path / "model")
    shutil.rmtree(folder)
    again = type(model).load(tmp_path / "model")
    assert again.checkpoint == str(folder / "state")
    assert_same(first.set_params(checkpoint=again.checkpoint), again, ENGLISH, FRENCH)
