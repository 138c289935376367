"""Saved and loaded models are equal; folders that lie are refused, and run no code."""

import json
import os
import pickle
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.testing import assert_array_equal
from safetensors.torch import load_file, save_file
from transformers import AutoModelForSequenceClassification, AutoTokenizer

from skml.neural import BertClassifier, BertRegressor
from skml.neural._bert_base import CONFIG, ESTIMATOR, WEIGHTS
from tests.neural.bert.cases import (
    CLASSES,
    LONG,
    NUMBERS,
    TARGETS,
    TASKS,
    are_same_weights,
    assert_same_weights,
    fit,
    outputs,
    small,
)
from tests.neural.bert.models import SENTENCES, tiny_model

tasks = pytest.mark.parametrize("cls", TASKS)
TOKENIZER, MEMBER = "tokenizer.json", "member-1.safetensors"
FILES = {CONFIG, WEIGHTS, TOKENIZER, "tokenizer_config.json"}
PAIRS = [("the cat", text) for text in SENTENCES]
TOKENS = [text.split() for text in SENTENCES]
LABELS = np.array([[1, 0, 1], [0, 1, 1]] * 4)


@pytest.fixture(scope="module", params=TASKS)
def model(request):
    """A model of two members; do not change it."""
    return fit(request.param, n_estimators=2, max_iter=1)


@pytest.fixture(scope="module")
def originals(tmp_path_factory):
    """Folders of saved models, which are not to be changed."""
    folder = tmp_path_factory.mktemp("saved")
    for cls in TASKS:
        fit(cls, n_estimators=2, max_iter=1).save(folder / cls.__name__)
    return folder


@pytest.fixture
def saved(model, originals, tmp_path):
    """The folder of a saved model, to be damaged."""
    name = type(model).__name__
    return Path(shutil.copytree(originals / name, tmp_path / "model"))


@pytest.fixture
def broken(originals, tmp_path):
    """The folder of a saved classifier, to be damaged."""
    return Path(shutil.copytree(originals / "BertClassifier", tmp_path / "model"))


def edit_json(path, change):
    content = json.loads(path.read_text("utf-8"))
    change(content)
    path.write_text(json.dumps(content), "utf-8")


# There and back


def assert_same(model, again, X=SENTENCES):
    assert type(again) is type(model)
    assert_same_weights(model, again)
    assert_array_equal(outputs(again, X), outputs(model, X))
    assert_array_equal(again.predict(X), model.predict(X))
    assert again.predict(X).dtype == model.predict(X).dtype
    assert again.get_params(deep=False) == model.get_params(deep=False)
    for name in (
        "n_iter_",
        "loss_curve_",
        "validation_loss_curve_",
        "newly_initialized_",
    ):
        assert_array_equal(getattr(again, name), getattr(model, name), strict=True)
    if hasattr(model, "classes_"):
        assert_array_equal(again.classes_, model.classes_, strict=True)
    ours, theirs = ({k for k in vars(m) if k[-1] == "_"} for m in (model, again))
    assert ours == theirs
    kind = "pairs" if type(X[0]) is str else "text"
    with pytest.raises(ValueError, match=f"X has {kind}.*; in fit it had "):
        again.predict([("a", "b")] if kind == "pairs" else ["a"])


@pytest.mark.parametrize("X", [SENTENCES, PAIRS, TOKENS], ids=["text", "pair", "token"])
@tasks
def test_all_kinds_come_back_the_same(cls, X, tmp_path):
    model = fit(cls, X=X, early_stopping=True)
    assert model.save(tmp_path / "model") is model
    assert {path.name for path in tmp_path.iterdir()} == {"model"}
    found = {path.name for path in (tmp_path / "model").iterdir()}
    assert found == {*FILES, ESTIMATOR}
    assert_same(model, cls.load(tmp_path / "model"), X)


TARGETS_OF_ALL_TYPES = [
    (BertClassifier, CLASSES.astype(object)),
    (BertClassifier, np.arange(8, dtype=np.int16)),
    (BertClassifier, np.arange(8) % 2 == 0),
    (BertClassifier, np.arange(8) / 1.0),
    (BertClassifier, np.array(["猫", "\u2028", '"', ""] * 2)),
    (BertClassifier, LABELS),
    (BertRegressor, NUMBERS[:, None]),
    (BertRegressor, np.column_stack([NUMBERS, 1e6 * NUMBERS])),
]


@pytest.mark.parametrize(("cls", "y"), TARGETS_OF_ALL_TYPES)
def test_targets_of_all_types(cls, y, tmp_path):
    model = fit(cls, y=y, max_iter=1)
    model.save(tmp_path / "model")
    assert_same(model, cls.load(tmp_path / "model"))


def test_members_come_back(model, saved):
    found = {path.name for path in saved.iterdir()}
    assert found == {*FILES, ESTIMATOR, MEMBER}
    again = type(model).load(saved)
    assert_same(model, again)
    # And go on to learn the same.
    y = TARGETS[type(model)]
    assert_same_weights(
        small(type(model)).fit(SENTENCES, y),
        again.set_params(n_estimators=1, max_iter=2).fit(SENTENCES, y),
    )


@pytest.mark.parametrize(
    "parameters",
    [
        {"class_weight": {0: 1.0, 1: 2.5}},
        {"class_weight": {"a": 1, "b": 2}},
        {"class_weight": {np.int64(0): np.float32(0.5), True: 1}},
        {"class_weight": "balanced", "random_state": np.int64(3)},
        {
            "max_grad_norm": np.inf,
            "freeze": np.int32(1),
            "warmup_steps": np.float64(0.25),
        },
        {"model": Path("a/b"), "checkpoint": Path("c/d"), "n_estimators": 3},
        {"max_length": 9, "long_text": "window", "window_overlap": 3, "dropout": 0.5},
    ],
    ids=repr,
)
def test_parameters_for_the_next_fit_come_back(parameters, tmp_path):
    model = fit(y=np.arange(8) % 2, max_iter=1).set_params(**parameters)
    model.save(tmp_path / "model")
    again = BertClassifier.load(tmp_path / "model")
    paths = {k: str(v) for k, v in parameters.items() if isinstance(v, Path)}
    assert_same(model.set_params(**paths), again)
    assert list(again.get_params()) == list(model.get_params())


def test_a_model_that_is_an_estimator_becomes_the_folder(tmp_path):
    model = fit(model=fit(), max_iter=1)
    model.save(tmp_path / "model")
    again = BertClassifier.load(tmp_path / "model")
    assert again.model == str(tmp_path / "model")
    assert_same(model.set_params(model=again.model), again)
    again.fit(SENTENCES, CLASSES)


def test_a_name_relative_to_here(model, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    model.save("model")
    assert_same(model, type(model).load("model"))
    monkeypatch.chdir("model")
    model.save(".")
    assert_same(model, type(model).load(str(tmp_path / "model")))


@pytest.mark.parametrize("method", ["save", "save_pretrained"])
def test_transformers_reads_the_folder(model, method, tmp_path):
    getattr(model, method)(tmp_path / "model")
    found = {path.name for path in (tmp_path / "model").iterdir()}
    assert found == FILES | ({ESTIMATOR, MEMBER} if method == "save" else set())
    network = AutoModelForSequenceClassification.from_pretrained(tmp_path / "model")
    ours = model.networks_[0].state_dict()
    assert network.state_dict().keys() == ours.keys()
    for name, w in network.state_dict().items():
        assert torch.equal(w, ours[name])
    tokenizer = AutoTokenizer.from_pretrained(tmp_path / "model")
    reference = AutoTokenizer.from_pretrained(tiny_model(n_layers=1))
    assert tokenizer(LONG) == reference(LONG)
    assert tokenizer.model_max_length == 64


def test_a_folder_of_transformers_is_no_estimator(model, tmp_path):
    model.save_pretrained(tmp_path / "model")
    load_damaged(tmp_path / "model", rf"{ESTIMATOR} is missing; pass a folder")
    load_damaged(tmp_path / "none", rf"{ESTIMATOR} is missing; pass a folder")


# What is there already


def test_a_saved_model_is_replaced(model, saved):
    other = fit(type(model), random_state=1, max_iter=1)
    assert not are_same_weights(other, fit(type(model), max_iter=1))
    other.save(saved)
    assert_same(other, type(model).load(saved))
    assert not (saved / MEMBER).exists()
    assert [path.name for path in saved.parent.iterdir()] == ["model"]


def test_an_empty_folder_is_filled(model, tmp_path):
    (tmp_path / "model").mkdir()
    model.save(tmp_path / "model")
    type(model).load(tmp_path / "model")


@pytest.mark.parametrize("method", ["save", "save_pretrained"])
def test_other_files_are_left_alone(model, method, tmp_path):
    save = getattr(model, method)
    (tmp_path / "thesis.tex").write_text("years of work")
    with pytest.raises(ValueError, match=r"holds 'thesis\.tex'.*pass a new name"):
        save(tmp_path)
    with pytest.raises(ValueError, match=r"thesis\.tex is a file; pass the name of a"):
        save(tmp_path / "thesis.tex")
    with pytest.raises(FileNotFoundError, match=r"no folder '.*none' to save 'model'"):
        save(tmp_path / "none" / "model")
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.tex"]
    assert (tmp_path / "thesis.tex").read_text() == "years of work"


@pytest.mark.parametrize(
    ("parameters", "y", "what"),
    [
        ({"random_state": np.random.RandomState(0)}, CLASSES, r"RandomState"),
        ({"class_weight": {("a",): 1j}}, CLASSES, r"1j \(complex\)"),
        ({}, np.array(["2020-01-01", "2020-01-02"] * 4, dtype="M8[D]"), r"datetime"),
    ],
)
def test_what_is_no_data_is_refused_before_anything_is_written(
    parameters, y, what, tmp_path
):
    model = fit(y=y, max_iter=1).set_params(**parameters)
    with pytest.raises(TypeError, match=rf"BertClassifier: .*{what}.*is no data that"):
        model.save(tmp_path / "model")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("fails_at", [1, 2])
def test_what_fails_leaves_the_old_model(model, saved, fails_at, monkeypatch):
    n_calls, replace = [0], os.replace

    def failing(source, target):
        n_calls[0] += 1
        if n_calls[0] == fails_at:
            raise OSError("the disk is full")
        replace(source, target)

    other = fit(type(model), random_state=1, max_iter=1)
    monkeypatch.setattr(os, "replace", failing)
    with pytest.raises(OSError, match="the disk is full"):
        other.save(saved)
    monkeypatch.undo()
    assert_same(model, type(model).load(saved))
    assert [path.name for path in saved.parent.iterdir()] == ["model"]


# What is refused


def load_damaged(path, match="is damaged", cls=BertClassifier):
    with pytest.raises(ValueError, match=match) as caught:
        cls.load(path)
    assert str(path) in str(caught.value)
    assert len(str(caught.value)) < 800


@pytest.mark.parametrize("name", [ESTIMATOR, CONFIG, WEIGHTS, TOKENIZER, MEMBER])
def test_missing_files(name, broken):
    (broken / name).unlink()
    load_damaged(broken, rf"{name}|cannot be read|{TOKENIZER}")


@pytest.mark.parametrize("n_bytes", [0, 1, 30, -30])
@pytest.mark.parametrize("name", [ESTIMATOR, CONFIG, WEIGHTS, TOKENIZER, MEMBER])
def test_truncated_files(name, n_bytes, broken):
    content = (broken / name).read_bytes()
    (broken / name).write_bytes(content[:n_bytes])
    load_damaged(broken)


GARBAGE = [
    b"\xff\xfe garbage",
    b"\x80\x04]\x94.",
    b"[" * 10**5,
    b"null",
    b"[]",
    b"3",
    b"{}",
    b"9" * 10**5,
]


@pytest.mark.parametrize("content", GARBAGE, ids=range(len(GARBAGE)))
@pytest.mark.parametrize("name", [ESTIMATOR, CONFIG, WEIGHTS, TOKENIZER, MEMBER])
def test_garbage(name, content, broken):
    (broken / name).write_bytes(content)
    load_damaged(broken, r"is (damaged|not of this version)")


def test_files_of_others(model, saved):
    other = TASKS[1 - TASKS.index(type(model))]
    name = type(model).__name__
    with pytest.raises(ValueError, match=rf"{ESTIMATOR} is of '{name}'; load it with"):
        other.load(saved)


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
    setting("format", to=2),
    removing("format"),
    setting("class", to=["x"]),
    removing("class"),
    *(removing(name) for name in ("parameters", "n_estimators", "kind", "n_pieces")),
    *(removing(name) for name in ("longest", "special", "data")),
    *(setting(name, to=[]) for name in ("parameters", "n_estimators", "kind", "data")),
    setting(PARAMETERS, to=3),
    setting(PARAMETERS, "batch_size", to=0),
    setting(PARAMETERS, "batch_size", to="5"),
    setting(PARAMETERS, "model", to=3),
    setting(PARAMETERS, "dropout", to=[0.1]),
    setting(PARAMETERS, "unknown", to=1),
    setting(PARAMETERS, "tol", to={}),
    setting(PARAMETERS, "tol", to={"items": 3}),
    setting(PARAMETERS, "tol", to={"items": [[[], 3]]}),
    *(setting("n_estimators", to=n) for n in (0, 1.0, True, "2", 3, 1000, 10**30)),
    *(setting("kind", to=kind) for kind in (None, "image", 3, ["text"])),
    *(setting("n_pieces", to=n) for n in (0, 3, 65, 10**9, 10**30, "64", 64.0)),
    *(setting("longest", to=n) for n in (0, 63, "64")),
    *(setting("special", to=special) for special in ([], 3, {"pad": "x"})),
    *(setting("special", "pad", to=i) for i in (-1, 10**9, None, [])),
    *(setting("data", "n_iter_", to=n) for n in ("many", 1.5, None)),
    setting("data", "newly_initialized_", to=[3]),
    removing("data", "newly_initialized_"),
]


@pytest.mark.parametrize("lie", LIES, ids=range(len(LIES)))
def test_lies_about_the_estimator(lie, broken):
    edit_json(broken / ESTIMATOR, lie)
    load_damaged(broken, rf"is damaged|{ESTIMATOR} is (not of this version|of )")


CLASS_LIES = [
    removing("arrays"),
    setting("arrays", to=[]),
    removing("arrays", "classes_", "dtype"),
    setting("arrays", "classes_", to=3),
    setting("arrays", "classes_", "values", to=["a", "b", "c"]),
    setting("arrays", "classes_", "values", to=[["a"], ["b", "c"]]),
    setting("arrays", "classes_", "values", to="ab"),
    setting("arrays", "classes_", "values", to=None),
    setting("arrays", "classes_", "dtype", to="V8"),
    setting("arrays", "classes_", "dtype", to="none"),
    setting("arrays", "classes_", "dtype", to="<i8"),
    setting("arrays", "classes_", to={"dtype": "|O", "values": [{}, []]}),
    setting("arrays", "classes_", to={"dtype": "<i8", "values": [1, 10**30]}),
    setting("arrays", "classes_", to={"dtype": "<M8[D]", "values": ["2020-01-01"]}),
    setting("data", "_is_multilabel", to="no"),
    removing("arrays", "classes_"),
]


@pytest.mark.parametrize("lie", CLASS_LIES, ids=range(len(CLASS_LIES)))
def test_lies_about_classes(lie, broken):
    edit_json(broken / ESTIMATOR, lie)
    load_damaged(broken)


CONFIG_LIES = [
    setting("model_type", to="none"),
    setting("model_type", to="roberta"),
    setting("model_type", to="gpt2"),
    setting("num_hidden_layers", to=2),
    setting("num_hidden_layers", to=0),
    setting("num_attention_heads", to=5),
    setting("hidden_size", to=64),
    setting("hidden_size", to=-1),
    setting("intermediate_size", to=2**40),
    setting("vocab_size", to=10**6),
    setting("vocab_size", to=90),
    setting("max_position_embeddings", to=16),
    setting("max_position_embeddings", to=10**6),
    setting("is_decoder", to=True),
    setting("id2label", to={"0": "a", "1": "b", "2": "c"}),
    setting("hidden_act", to="none"),
]


@pytest.mark.parametrize("lie", CONFIG_LIES, ids=range(len(CONFIG_LIES)))
def test_lies_about_the_network(lie, broken):
    edit_json(broken / CONFIG, lie)
    load_damaged(broken)


def add_piece(content):
    content["model"]["vocab"]["ab"] = 10**6


TOKENIZER_LIES = [
    removing("model"),
    setting("model", to={}),
    setting("model", "vocab", to={}),
    setting("model", "type", to="None"),
    setting("version", to="9"),
    setting("pre_tokenizer", to={"type": "None"}),
    setting("normalizer", to=3),
    add_piece,
]


@pytest.mark.parametrize("lie", TOKENIZER_LIES, ids=range(len(TOKENIZER_LIES)))
def test_lies_about_pieces(lie, broken):
    edit_json(broken / TOKENIZER, lie)
    load_damaged(broken)


BIAS = "classifier.bias"
WEIGHT_LIES = {
    "shape": lambda weights: weights.update({BIAS: torch.zeros(7)}),
    "missing": lambda weights: weights.pop(BIAS),
    "missing body": lambda weights: weights.pop("bert.pooler.dense.bias"),
    "more": lambda weights: weights.update(more=torch.zeros(2)),
    "none": lambda weights: weights.clear(),
}


@pytest.mark.parametrize("name", [WEIGHTS, MEMBER])
@pytest.mark.parametrize("lie", WEIGHT_LIES)
def test_lies_about_weights(lie, name, broken):
    weights = load_file(broken / name)
    WEIGHT_LIES[lie](weights)
    save_file(weights, broken / name, metadata={"format": "pt"})
    load_damaged(broken)


def test_no_code_is_run(model, saved, tmp_path):
    marker = tmp_path / "marker"
    code = f"open({str(marker)!r}, 'w')"

    class Opening:
        def __reduce__(self):
            return exec, (code,)

    bomb = pickle.dumps(Opening())
    (saved / "own.py").write_text(code)
    (saved / "pytorch_model.bin").write_bytes(bomb)
    own = {"AutoConfig": "own.C", "AutoModelForSequenceClassification": "own.M"}
    edit_json(saved / CONFIG, setting("auto_map", to=own))
    edit_json(
        saved / "tokenizer_config.json",
        setting("auto_map", to={"AutoTokenizer": ["own.T", None]}),
    )
    edit_json(
        saved / ESTIMATOR, setting(PARAMETERS, "model", to=str(tmp_path / "model"))
    )
    again = type(model).load(saved)
    assert_array_equal(outputs(again), outputs(model))
    again.set_params(max_iter=1).fit(SENTENCES, TARGETS[type(model)])
    for name in (WEIGHTS, MEMBER, TOKENIZER, ESTIMATOR):
        (saved / name).write_bytes(bomb)
        load_damaged(saved, cls=type(model))
    (saved / WEIGHTS).unlink()
    load_damaged(saved, cls=type(model))
    assert not marker.exists()


@pytest.mark.parametrize("kind", [str, Path])
def test_the_place_of_a_checkpoint_need_not_be_there_any_more(model, kind, tmp_path):
    folder = tmp_path / "checkpoints"
    folder.mkdir()
    first = fit(type(model), checkpoint=kind(folder / "state"), max_iter=1)
    first.save(tmp_path / "model")
    shutil.rmtree(folder)
    again = type(model).load(tmp_path / "model")
    assert again.checkpoint == str(folder / "state")
    assert_same(first.set_params(checkpoint=again.checkpoint), again)
