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
from safetensors.numpy import load_file, save_file
from sklearn.frozen import FrozenEstimator
from transformers import AutoModelForSequenceClassification, AutoTokenizer

from skml.neural import (
    BertClassifier,
    BertPretrainer,
    BertQuestionAnswerer,
    BertRegressor,
    BertTokenClassifier,
    BertTransformer,
)
from tests.neural.bert.cases import (
    CLASSES,
    LONG,
    NUMBERS,
    TARGETS,
    assert_same_weights,
    fit,
    outputs,
    small,
)
from tests.neural.bert.models import SENTENCES, SMALL, tiny_model

MODEL, ARRAYS = "model.json", "arrays.safetensors"
PRETRAINED = {"config.json", "model.safetensors", "tokenizer.json"}
PRETRAINED |= {"tokenizer_config.json"}
PAIRS = [("the cat", text) for text in SENTENCES]
TOKENS = [text.split() for text in SENTENCES]
LABELS = np.array([[1, 0, 1], [0, 1, 1]] * 4)


@pytest.fixture(scope="module")
def model():
    """A classifier of two networks; do not change it."""
    return fit(n_estimators=2, max_iter=1)


@pytest.fixture(scope="module")
def original(model, tmp_path_factory):
    """Its folder, which is not to be changed."""
    folder = tmp_path_factory.mktemp("saved") / "model"
    model.save(folder)
    return folder


@pytest.fixture
def saved(original, tmp_path):
    """A copy of its folder, to be damaged."""
    return Path(shutil.copytree(original, tmp_path / "model"))


# There and back


def assert_same(model, again, X=SENTENCES):
    assert type(again) is type(model)
    assert_same_weights(model, again)
    assert_array_equal(outputs(again, X), outputs(model, X))
    assert again.predict(X).dtype == model.predict(X).dtype
    assert again.get_params(deep=False) == model.get_params(deep=False)
    assert vars(again).keys() == vars(model).keys()
    for name, value in vars(model).items():
        if name.endswith("_"):
            assert_array_equal(getattr(again, name), value, strict=True)
    kind = "pairs" if type(X[0]) is str else "text"
    with pytest.raises(ValueError, match=f"X has {kind}.*; in fit it had "):
        again.predict([("a", "b")] if kind == "pairs" else ["a"])


CASES = [
    (BertClassifier, SENTENCES, CLASSES.astype(object)),
    (BertClassifier, PAIRS, np.arange(8, dtype=np.int16)),
    (BertClassifier, TOKENS, np.arange(8) % 2 == 0),
    (BertClassifier, SENTENCES, np.arange(8) / 1.0),
    (BertClassifier, SENTENCES, np.array(["猫", "\u2028", '"', ""] * 2)),
    (BertClassifier, SENTENCES, LABELS),
    (BertRegressor, PAIRS, NUMBERS),
    (BertRegressor, TOKENS, NUMBERS[:, None]),
    (BertRegressor, SENTENCES, np.column_stack([NUMBERS, 1e6 * NUMBERS])),
]


@pytest.mark.parametrize(("cls", "X", "y"), CASES)
def test_all_kinds_come_back_the_same(cls, X, y, tmp_path):
    model = fit(cls, X=X, y=y, max_iter=1, early_stopping=len(np.unique(y)) < 4)
    assert model.save(tmp_path / "model") is model
    assert {path.name for path in (tmp_path / "model").iterdir()} == {MODEL, ARRAYS}
    assert_same(model, cls.load(tmp_path / "model"), X)
    assert_same(model, pickle.loads(pickle.dumps(model)), X)


def test_ensembles_come_back(model, saved):
    again = BertClassifier.load(saved)
    assert_same(model, again)
    assert len(again.estimators_) == 2
    # And go on to learn the same.
    assert_same_weights(
        small().fit(SENTENCES, CLASSES),
        again.set_params(n_estimators=1, max_iter=2).fit(SENTENCES, CLASSES),
    )


@pytest.mark.parametrize(
    "parameters",
    [
        {"class_weight": {0: 1.0, 1: 2.5, "a": 1, np.int64(2): np.float32(0.5)}},
        {"max_grad_norm": np.inf, "freeze": np.int32(1), "random_state": np.int64(3)},
        {"model": Path("a/b"), "checkpoint": Path("c/d"), "n_estimators": 3},
        {"max_length": 9, "long_text": "window", "window_overlap": 3, "dropout": 0.5},
    ],
    ids=repr,
)
def test_parameters_for_the_next_fit_come_back(parameters, model, tmp_path):
    changed = pickle.loads(pickle.dumps(model)).set_params(**parameters)
    changed.save(tmp_path / "model")
    again = BertClassifier.load(tmp_path / "model")
    paths = {k: str(v) for k, v in parameters.items() if isinstance(v, Path)}
    assert again.get_params() == changed.set_params(**paths).get_params()


@pytest.mark.parametrize("dress", [lambda model: model, FrozenEstimator])
def test_a_model_that_is_an_estimator_becomes_the_folder(model, dress, tmp_path):
    tuned = fit(model=dress(model), max_iter=1, random_state=1)
    tuned.save(tmp_path / "model")
    size, alone = (
        (folder / ARRAYS).stat().st_size
        for folder in (tmp_path / "model", _saved_alone(tuned, tmp_path))
    )
    assert size == alone
    again = BertClassifier.load(tmp_path / "model")
    assert again.model == str(tmp_path / "model")
    assert_same(tuned.set_params(model=again.model), again)
    assert again.fit(SENTENCES, CLASSES).newly_initialized_ == []


def _saved_alone(model, tmp_path):
    alone = pickle.loads(pickle.dumps(model)).set_params(model="a/b")
    alone.save(tmp_path / "alone")
    return tmp_path / "alone"


def test_a_saved_estimator_is_a_model(model, saved, tmp_path):
    one, other = (fit(model=m, random_state=1) for m in (model, str(saved)))
    assert_same_weights(one, other)
    assert BertTransformer(saved).fit(SENTENCES).transform(["a"]).shape == (1, 32)
    for text in ("{}", '{"class": "StagedGridSearchCV"}'):
        (saved / MODEL).write_text(text)
        with pytest.raises(ValueError, match=r"model\.json is not a model of this"):
            fit(model=saved)


def test_the_weights_that_two_names_share_are_written_once(tmp_path):
    model = BertPretrainer(tiny_model(), **SMALL, max_length=16).fit(SENTENCES)
    model.save(tmp_path / "model")
    model.save_pretrained(tmp_path / "pretrained")
    sizes = [
        sum(a.nbytes for a in load_file(tmp_path / path).values())
        for path in (f"model/{ARRAYS}", "pretrained/model.safetensors")
    ]
    assert sizes[0] < sizes[1] + 1000
    again = BertPretrainer.load(tmp_path / "model")
    assert_same_weights(again, model)
    assert again.model == tiny_model()


def test_transformers_reads_what_save_pretrained_writes(model, tmp_path, monkeypatch):
    model.save_pretrained(tmp_path / "model")
    assert {path.name for path in (tmp_path / "model").iterdir()} == PRETRAINED
    monkeypatch.chdir(tmp_path / "model")
    model.save_pretrained(".")  # a name that has none
    network = AutoModelForSequenceClassification.from_pretrained(tmp_path / "model")
    ours = model.estimators_[0].state_dict()
    assert network.state_dict().keys() == ours.keys()
    for name, w in network.state_dict().items():
        assert torch.equal(w, ours[name])
    tokenizer = AutoTokenizer.from_pretrained(tmp_path / "model")
    reference = AutoTokenizer.from_pretrained(tiny_model(n_layers=1))
    assert tokenizer(LONG) == reference(LONG)
    assert tokenizer.model_max_length == 64
    with pytest.raises(ValueError, match=r"model\.json is missing; pass a folder"):
        BertClassifier.load(tmp_path / "model")


# What is there already


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


@pytest.mark.parametrize("method", ["save", "save_pretrained"])
def test_what_fails_leaves_the_old_model(model, method, tmp_path, monkeypatch):
    def contents():
        return {p.name: p.read_bytes() for p in (tmp_path / "model").iterdir()}

    getattr(model, method)(tmp_path / "model")
    before, replace, calls = contents(), os.replace, []

    def fail_at_second(source, target):
        calls.append(source)
        if len(calls) == 2:
            raise OSError("the disk is full")
        replace(source, target)

    other = fit(random_state=1, max_iter=1)
    monkeypatch.setattr(os, "replace", fail_at_second)
    with pytest.raises(OSError, match="the disk is full"):
        getattr(other, method)(tmp_path / "model")
    monkeypatch.undo()
    assert contents() == before
    assert [path.name for path in tmp_path.iterdir()] == ["model"]


# What is refused


def load_damaged(path, match="is damaged", cls=BertClassifier):
    with pytest.raises(ValueError, match=match) as caught:
        cls.load(path)
    assert str(path) in str(caught.value)
    assert len(str(caught.value)) < 800


def entry_of(coded, name):
    """What stands in a coded dict under a name, as a list of the name and the value."""
    (entry,) = (item for item in coded["items"] if item[0] == name)
    return entry


def setting(*names, to):
    """Change a value in `model.json`, found by its names from the fitted value on."""

    def change(state):
        coded, last = state["fitted"]["data"], names[-1]
        for name in names[:-1]:
            coded = entry_of(coded, name)[1] if "items" in coded else coded[name]
            coded = coded[0] if type(coded) is list else coded
            coded = coded["data"] if coded.get("is") == "value" else coded
        if "items" in coded:
            entry_of(coded, last)[1] = to
        else:
            coded[last] = to

    return change


CONFIG = ("networks", "architecture", "config")
LIES = [
    setting(
        "classes_", to={"is": "objects", "dtype": "<U1", "shape": [1], "items": "a"}
    ),
    setting("is_multilabel", to="no"),
    setting("n_iter_", to=0),
    setting("n_iter_", to=2),
    setting("newly_initialized_", to=[3]),
    setting("networks", to=[]),
    setting("networks", to=[1]),
    setting("reader", to=None),
    *(setting("reader", "kind", to=kind) for kind in (None, 3)),
    *(setting("reader", "max_length", to=n) for n in (0, 3, 65, 10**30, "64", 64.0)),
    *(setting("reader", "longest", to=n) for n in (0, 63, "64")),
    *(setting("reader", "special_ids", "pad", to=i) for i in (-1, 10**9, None, [])),
    setting("reader", "tokenizer", "files", "tokenizer.json", to=""),
    setting("reader", "tokenizer", "files", "tokenizer.json", to="{}"),
    setting("reader", "tokenizer", "files", "tokenizer.json", to=3),
    setting("reader", "tokenizer", "files", to={"is": "dict", "items": [["../x", ""]]}),
    setting("networks", "architecture", "head", to="token-classification"),
    setting("networks", "architecture", "head", to="none"),
    setting(*CONFIG, to=3),
    setting(*CONFIG, "model_type", to="none"),
    setting(*CONFIG, "model_type", to="roberta"),
    setting(*CONFIG, "model_type", to="gpt2"),
    setting(*CONFIG, "num_hidden_layers", to=2),
    setting(*CONFIG, "num_hidden_layers", to=10**9),
    setting(*CONFIG, "num_attention_heads", to=5),
    setting(*CONFIG, "hidden_size", to=-1),
    setting(*CONFIG, "intermediate_size", to=2**40),
    setting(*CONFIG, "vocab_size", to=90),
    setting(*CONFIG, "max_position_embeddings", to=16),
    setting(*CONFIG, "is_decoder", to=True),
    setting(*CONFIG, "id2label", to={"is": "dict", "items": [["0", "a"]]}),
    setting(*CONFIG, "hidden_act", to="none"),
]


def edit(folder, change):
    state = json.loads((folder / MODEL).read_text("utf-8"))
    change(state)
    (folder / MODEL).write_text(json.dumps(state), "utf-8")


@pytest.mark.parametrize("lie", LIES, ids=range(len(LIES)))
def test_lies_are_refused(lie, saved):
    edit(saved, lie)
    load_damaged(saved)


OTHERS = {
    BertTokenClassifier: (TOKENS, [["B"] + ["O"] * (len(t) - 1) for t in TOKENS]),
    BertQuestionAnswerer: (PAIRS, [text[:3] for text in SENTENCES]),
    BertRegressor: (SENTENCES, NUMBERS),
    BertTransformer: (SENTENCES, None),
    BertPretrainer: (SENTENCES, None),
}
OTHER_LIES = [
    (BertTokenClassifier, setting("fallback", to=9)),
    (BertTokenClassifier, setting("classes_", to={"is": "array", "key": "0"})),
    (BertQuestionAnswerer, setting("networks", "architecture", "head", to="encoder")),
    (BertRegressor, setting("is_1d", to=1)),
    (BertRegressor, setting("reader", "kind", to="PAIRS")),
    (BertTransformer, setting("networks", "architecture", "head", to="pretraining")),
    (BertPretrainer, setting("history_", to=[])),
    (BertPretrainer, setting("masked_loss_", to="low")),
    (BertPretrainer, setting("reader", "special_ids", to={"is": "dict", "items": []})),
]


@pytest.mark.parametrize(("cls", "lie"), OTHER_LIES)
def test_lies_about_others_are_refused(cls, lie, tmp_path):
    X, y = OTHERS[cls]
    options = {"model": tiny_model(n_layers=1)}
    options |= {} if cls is BertTransformer else {**SMALL, "max_iter": 1}
    if cls is BertQuestionAnswerer:
        options |= {"max_question_length": 8, "max_answer_length": 8}
    if cls is BertPretrainer:
        options["max_length"] = 32
    cls(**options).fit(X, y).save(tmp_path / "model")
    edit(tmp_path / "model", lie)
    load_damaged(tmp_path / "model", cls=cls)


WEIGHT_LIES = {
    "shape": lambda arrays, key: arrays.update({key: np.zeros(7, dtype=np.float32)}),
    "dtype": lambda arrays, key: arrays.update({key: arrays[key].astype(np.float64)}),
    "missing": lambda arrays, key: arrays.pop(key),
    "none": lambda arrays, key: arrays.clear(),
}


@pytest.mark.parametrize("number", [0, 1])
@pytest.mark.parametrize("lie", WEIGHT_LIES)
def test_lies_about_weights(lie, number, saved):
    state = json.loads((saved / MODEL).read_text("utf-8"))
    weights = state["fitted"]["data"]["networks"][number]["data"]["weights"]
    arrays = load_file(saved / ARRAYS)
    WEIGHT_LIES[lie](arrays, entry_of(weights, "classifier.bias")[1]["key"])
    save_file(arrays, saved / ARRAYS)
    load_damaged(saved)


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

    def add(state):
        architecture = state["fitted"]["data"]["networks"]
        for network in architecture:
            config = entry_of(network["data"]["architecture"], "config")[1]
            config["items"].append(
                ["auto_map", {"is": "dict", "items": [*own.items()]}]
            )

    edit(saved, add)
    again = BertClassifier.load(saved)
    assert_array_equal(outputs(again), outputs(model))
    again.set_params(max_iter=1, model=saved).fit(SENTENCES, TARGETS[BertClassifier])
    for name in (ARRAYS, MODEL):
        (saved / name).write_bytes(bomb)
        load_damaged(saved)
    assert not marker.exists()


def test_the_place_of_a_checkpoint_need_not_be_there_any_more(tmp_path):
    folder = tmp_path / "checkpoints"
    folder.mkdir()
    first = fit(checkpoint=folder / "state", max_iter=1)
    first.save(tmp_path / "model")
    shutil.rmtree(folder)
    again = BertClassifier.load(tmp_path / "model")
    assert again.checkpoint == str(folder / "state")
