"""Models as they come: folders, names, estimators; of other kinds, and damaged."""

import json
import pickle
import shutil
import socket
import sys
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import huggingface_hub
import numpy as np
import pytest
import torch
import transformers
from huggingface_hub.utils import are_progress_bars_disabled, enable_progress_bars
from numpy.testing import assert_allclose, assert_array_equal
from safetensors.torch import load_file, save_file
from sklearn.exceptions import NotFittedError
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, cross_val_score
from transformers import (
    AutoConfig,
    AutoModel,
    AutoModelForSequenceClassification,
    AutoTokenizer,
)
from transformers.utils import logging

from skml.neural import (
    BertClassifier,
    BertPretrainer,
    BertQuestionAnswerer,
    BertRegressor,
    BertTransformer,
)
from skml.neural._torch._layers import find_layers
from skml.neural._torch._pretrained import check_encoder, longest_input, read_network
from skml.neural._torch._sources import as_source, explained, quietly
from tests.neural.bert.models import SENTENCES, SMALL, tiny_model

CLASSES = np.array(["zoo", "lab"])[[0, 0, 1, 1, 0, 1, 1, 1]]
WEIGHTS = "model.safetensors"
HEAD = ["classifier.bias", "classifier.weight"]
POOLER = ["bert.pooler.dense.bias", "bert.pooler.dense.weight"]


def make(model, cls=BertClassifier, **parameters):
    return cls(model, **{**SMALL, "max_iter": 1, **parameters})


def fit(model, y=CLASSES, **parameters):
    return make(model, **parameters).fit(SENTENCES, y)


@pytest.fixture
def folder(tmp_path):
    """A copy of the tiny model, to be damaged."""
    return Path(shutil.copytree(tiny_model(n_layers=1), tmp_path / "model"))


def edit_json(path, **changes):
    path.write_text(json.dumps({**json.loads(path.read_text("utf-8")), **changes}))


def edit_weights(folder, change):
    weights = load_file(folder / WEIGHTS)
    change(weights)
    save_file(weights, folder / WEIGHTS, metadata={"format": "pt"})


# What is there


def test_a_folder_as_str_and_path():
    path = tiny_model(n_layers=1)
    one, other = fit(path), fit(Path(path))
    assert one.newly_initialized_ == other.newly_initialized_ == HEAD
    assert_array_equal(one.predict_proba(SENTENCES), other.predict_proba(SENTENCES))


def test_a_folder_relative_to_here_and_to_home(folder, monkeypatch):
    monkeypatch.chdir(folder.parent)
    monkeypatch.setenv("HOME", str(folder.parent))
    monkeypatch.setenv("USERPROFILE", str(folder.parent))
    expected = fit(folder).predict_proba(SENTENCES)
    for name in ("model", "./model", "~/model"):
        assert_array_equal(fit(name).predict_proba(SENTENCES), expected)


def test_no_model():
    message = r"BertClassifier: model=None; pass the folder of a model, .*BertPretrain"
    with pytest.raises(ValueError, match=message):
        fit(None)


@pytest.mark.parametrize("name", ["a/b/none", "./none", "~/none", "~nobody_here/x/y"])
def test_a_folder_that_is_not_there(name):
    for model in (name, Path(name)):
        with pytest.raises(ValueError, match=r"BertClassifier: there is no folder '.*"):
            fit(model)


def test_a_folder_of_something_else(folder):
    (folder / "config.json").unlink()
    with pytest.raises(
        ValueError, match=r"folder '.*model' has no config\.json: it ho"
    ):
        fit(folder)
    with pytest.raises(ValueError, match=r"there is no folder '.*model\.safetensors'"):
        fit(str(folder / WEIGHTS))


# What is on a hub


NAME = "somebody/something"
COMMIT = "0123456789" * 4


@pytest.fixture
def cache(monkeypatch, tmp_path):
    """The empty cache of a hub."""
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_CACHE", str(tmp_path / "c"))
    return tmp_path / "c"


def fill(cache):
    """Let the cache have the tiny model, as a hub's."""
    there = cache / f"models--{NAME.replace('/', '--')}"
    (there / "refs").mkdir(parents=True)
    (there / "refs" / "main").write_text(COMMIT)
    shutil.copytree(tiny_model(n_layers=1), there / "snapshots" / COMMIT)


@contextmanager
def hub(monkeypatch, status, **headers):
    """A hub that gives one answer; yields what was asked."""
    asked = []

    class Handler(BaseHTTPRequestHandler):
        def do_HEAD(self):
            asked.append(self.path)
            self.send_response(status)
            for name, value in {"Content-Length": "0", **headers}.items():
                self.send_header(name.replace("_", "-"), value)
            self.end_headers()

        def log_message(self, *args):
            pass

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        point_to(monkeypatch, server.server_address[1])
        try:
            yield asked
        finally:
            server.shutdown()
            thread.join()


def point_to(monkeypatch, port):
    url = f"http://127.0.0.1:{port}/{{repo_id}}/resolve/{{revision}}/{{filename}}"
    constants = huggingface_hub.constants
    monkeypatch.setattr(constants, "HUGGINGFACE_CO_URL_TEMPLATE", url)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    huggingface_hub.utils.close_session()  # whose client knows proxies of before


@pytest.fixture
def no_connection(monkeypatch):
    """A hub that is not there; who waits to try again is caught."""

    def sleep(seconds):
        raise AssertionError(f"waits {seconds} seconds")

    with socket.socket() as unheard:  # a port that nobody else gets
        unheard.bind(("127.0.0.1", 0))
        point_to(monkeypatch, unheard.getsockname()[1])
        monkeypatch.setattr("time.sleep", sleep)
        yield


@pytest.mark.usefixtures("cache")
@pytest.mark.parametrize("name", ["nobody/nothing", "nothing-here", "a b/c!"])
def test_a_name_that_cannot_be_had_from_the_hub(name, monkeypatch):
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", True)
    message = rf"BertClassifier: model='{name}' is no folder here, and no model of that"
    with pytest.raises(ValueError, match=rf"{message}.*Pass the path of a folder"):
        fit(name)


@pytest.mark.usefixtures("cache", "no_connection")
@pytest.mark.parametrize(
    "cls", [BertClassifier, BertPretrainer, BertTransformer, BertQuestionAnswerer]
)
def test_without_a_connection_an_error_comes_at_once_and_alone(cls, capfd, caplog):
    message = rf"{cls.__name__}: model='{NAME}' is .* in the cache of the hub, which "
    with pytest.raises(ValueError, match=rf"{message}cannot be reached: .*refused"):
        cls(NAME).fit([("who?", "a cat")] * 2, ["cat", "a"])
    assert capfd.readouterr() == ("", "")
    assert caplog.text == ""


@pytest.mark.usefixtures("no_connection")
def test_without_a_connection_the_cache_is_read(cache, capfd):
    fill(cache)
    expected = fit(tiny_model(n_layers=1)).predict_proba(SENTENCES)
    capfd.readouterr()
    model = fit(NAME)
    assert model.model == NAME
    assert_array_equal(model.predict_proba(SENTENCES), expected)
    assert capfd.readouterr() == ("", "")


def test_what_the_hub_does_not_have(monkeypatch, cache):
    with hub(monkeypatch, 404, X_Error_Code="RepoNotFound") as asked:
        message = rf"model='{NAME}' is no folder here, .* on the hub, or it is private"
        with pytest.raises(ValueError, match=rf"{message}: .*Not Found.*Pass the path"):
            fit(NAME)
        assert asked == [f"/{NAME}/resolve/main/config.json"]
        fill(cache)  # as of a model that was deleted
        assert fit(NAME).newly_initialized_ == HEAD


@pytest.mark.parametrize("status", [200, 500])
def test_a_hub_that_answers_is_left_to_transformers(status, monkeypatch):
    with hub(monkeypatch, status) as asked, as_source(NAME, "caller") as source:
        assert source == NAME
    assert len(asked) == 1


def test_a_model_of_the_hub_that_cannot_be_read():
    message = rf"caller: model='{NAME}' is no folder here, .* not be read: no weights\."
    with pytest.raises(ValueError, match=message), explained(NAME, NAME, "caller"):
        raise OSError("no\nweights.")


# What is damaged


def damaged(folder, reason):
    model = make(folder)
    with pytest.raises(ValueError, match=rf"BertClassifier: the .*{reason}") as caught:
        model.fit(SENTENCES, CLASSES)
    assert len(str(caught.value)) < 800
    assert not hasattr(model, "estimators_")


@pytest.mark.parametrize("content", ["", "{", "[]", "null", "{}", "[" * 10**5, "\xff"])
@pytest.mark.parametrize("name", ["config.json", "tokenizer.json"])
def test_damaged_json(folder, name, content):
    (folder / name).write_text(content, "latin-1")
    damaged(folder, r"model in '.*' cannot be read; it is damaged, or of a kind that")


@pytest.mark.parametrize("n_bytes", [0, 7, 100, -1])
def test_damaged_weights(folder, n_bytes):
    (folder / WEIGHTS).write_bytes((folder / WEIGHTS).read_bytes()[:n_bytes])
    damaged(folder, r"model in '.*' cannot be read; it is damaged")


def test_no_weights(folder):
    (folder / WEIGHTS).unlink()
    damaged(folder, r"model in '.*' cannot be read.*no file named model\.safetensors")


def test_weights_that_the_configuration_knows_and_the_file_does_not(folder):
    name = "bert.encoder.layer.0.output.dense.weight"
    edit_weights(folder, lambda weights: weights.pop(name))
    damaged(folder, rf"model in '.*' is damaged: it lacks 1 of its weights.*'{name}'")


def test_weights_of_other_sizes(folder):
    name = "bert.encoder.layer.0.output.dense.weight"
    edit_weights(folder, lambda weights: weights.update({name: torch.zeros(3, 3)}))
    damaged(folder, rf"is damaged: it lacks 1 of its weights, or has .*sizes.*'{name}'")
    edit_json(folder / "config.json", intermediate_size=65)
    damaged(
        folder, r"is damaged: it lacks 3 of its weights, or has them in other sizes"
    )


@pytest.mark.parametrize(
    "changes",
    [
        {"model_type": "none"},
        {"hidden_size": "32"},
        {"num_attention_heads": 5},
        {"num_hidden_layers": 2},
        {"max_position_embeddings": 128},
    ],
    ids=repr,
)
def test_configurations_that_lie(folder, changes):
    edit_json(folder / "config.json", **changes)
    damaged(folder, r"model in '.*' (cannot be read|is damaged)")


@pytest.mark.parametrize("names", [["tokenizer.json"], ["tokenizer.json", "_config"]])
def test_no_tokenizer(folder, names):
    # transformers makes one of nothing but special pieces.
    for name in names:
        path = folder / ("tokenizer_config.json" if name == "_config" else name)
        path.unlink()
    damaged(folder, r"cannot be used: its tokenizer has 5 tokens, and its network \d+")


def test_a_tokenizer_of_a_larger_model(folder):
    content = json.loads((folder / "tokenizer.json").read_text("utf-8"))
    n_pieces = len(content["model"]["vocab"])
    content["model"]["vocab"]["more"] = n_pieces
    (folder / "tokenizer.json").write_text(json.dumps(content), "utf-8")
    damaged(folder, rf"tokenizer has {n_pieces + 1} tokens, and its network {n_pieces}")


def test_no_code_is_run(folder, tmp_path):
    marker = tmp_path / "marker"
    edit_json(
        folder / "config.json",
        model_type="own",
        auto_map={"AutoConfig": "own.C", "AutoModelForSequenceClassification": "own.M"},
    )
    code = f"open({str(marker)!r}, 'w')"
    (folder / "own.py").write_text(code)
    damaged(folder, r"model in '.*' cannot be read")
    # The same for a known kind, whose own code is not asked for.
    edit_json(folder / "config.json", model_type="bert")
    fit(folder)

    class Opening:
        def __reduce__(self):
            return exec, (code,)

    (folder / WEIGHTS).unlink()
    (folder / "pytorch_model.bin").write_bytes(pickle.dumps({"bert": Opening()}))
    damaged(folder, r"model in '.*' cannot be read")
    assert not marker.exists()


# Of other kinds


def test_a_head_of_another_task_is_replaced(folder):
    model = fit(tiny_model(n_layers=1))
    assert model.newly_initialized_ == HEAD
    assert fit(model).newly_initialized_ == []
    assert fit(model, y=list("abcdabcd")).newly_initialized_ == HEAD
    assert fit(model, y=np.arange(8.0), cls=BertRegressor).newly_initialized_ == HEAD


@pytest.mark.parametrize(
    ("before", "after", "is_kept"),
    [
        (["a", "b"], ["a", "b"], True),
        (["a", "b"], ["b", "a"], True),  # classes are in order
        (["a", "b"], ["a", "c"], False),
        (["0", "1"], [0, 1], True),
        ([[0, 1], [1, 0]], [[1, 1], [0, 1]], True),
        ([[0, 1], [1, 0]], [0, 1], False),  # one of two, not any of two
        ([0, 1], [[0, 1], [1, 0]], False),
        ([[0.5, 1.5], [2.5, 3.5]], [0, 1], False),
        ([[0.5, 1.5], [2.5, 3.5]], [[0.0, 0.5], [1.5, 9.0]], True),
    ],
)
def test_a_head_is_kept_if_its_outputs_mean_the_same(before, after, is_kept):
    def learn(model, y):
        y = np.array(y * 4)
        return fit(model, y, cls=BertRegressor if y.dtype == float else BertClassifier)

    model = learn(tiny_model(n_layers=1), before)
    again = learn(model, after)
    assert again.newly_initialized_ == ([] if is_kept else HEAD)
    assert model.newly_initialized_ == HEAD


def test_a_head_that_is_not_kept_is_drawn():
    model = fit(tiny_model(n_layers=1), y=list("abababab"))
    still = {"learning_rate": 1e-30, "weight_decay": 0.0, "dropout": 0.0}
    heads = [
        fit(model, y=list(y), **still).estimators_[0].classifier.weight.detach()
        for y in ("abababab", "acacacac", "acacacac")
    ]
    assert torch.equal(heads[0], model.estimators_[0].classifier.weight)
    assert not torch.allclose(heads[1], heads[0])
    assert torch.equal(heads[1], heads[2])  # by random_state
    expected = model.estimators_[0].config.initializer_range
    assert_allclose(heads[1].std(), expected, rtol=0.5)


@pytest.mark.parametrize("n_labels", [2, 3])
def test_labels_without_names_stand_for_integers(folder, n_labels):
    y = np.arange(8) % n_labels
    model = fit(folder, y)
    model.save_pretrained(folder.parent / "again")
    names = {i: f"LABEL_{i}" for i in range(n_labels)}
    config = {"id2label": names, "label2id": {name: i for i, name in names.items()}}
    edit_json(folder.parent / "again" / "config.json", **config, problem_type=None)
    assert fit(folder.parent / "again", y).newly_initialized_ == []
    assert (
        fit(folder.parent / "again", np.array(list("abc"))[y]).newly_initialized_
        == HEAD
    )


def test_a_loaded_classifier_learns_other_classes_anew(folder):
    fit(folder, y=list("abababab")).save(folder.parent / "saved")
    model = BertClassifier.load(folder.parent / "saved")
    assert model.fit(SENTENCES, list("xyxyxyxy")).newly_initialized_ == HEAD
    assert model.classes_.tolist() == ["x", "y"]


def test_a_pooler_is_new_if_there_is_none(folder):
    edit_weights(folder, lambda weights: [weights.pop(name) for name in POOLER])
    assert fit(folder).newly_initialized_ == [*POOLER, *HEAD]


def test_a_new_pooler_learns_as_the_head_does(folder):
    edit_weights(folder, lambda weights: [weights.pop(name) for name in POOLER])
    options = {"max_iter": 1, "lr_schedule": "constant", "dropout": 0.0}
    models = [
        fit(folder, freeze="all", learning_rate=rate, **options)
        for rate in (1e-30, 1e-3)
    ]
    one, other = (model.estimators_[0].state_dict() for model in models)
    assert {n for n in one if not torch.allclose(one[n], other[n], rtol=0)} == {
        *POOLER,
        *HEAD,
    }


def test_what_a_hub_has_may_be_no_encoder():
    message = r"^Reader: the model 'gpt2' cannot be used: a 'gpt2' is no encoder"
    with pytest.raises(ValueError, match=message), explained("gpt2", "gpt2", "Reader"):
        check_encoder(AutoConfig.for_model("gpt2"))


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_models_in_half_precision_are_trained_in_float32(folder, dtype):
    edit_weights(
        folder,
        lambda weights: weights.update({n: w.to(dtype) for n, w in weights.items()}),
    )
    edit_json(folder / "config.json", dtype=str(dtype).removeprefix("torch."))
    model = fit(folder, precision="float32")
    assert {p.dtype for p in model.estimators_[0].parameters()} == {torch.float32}
    model.save_pretrained(folder.parent / "again")
    assert fit(folder.parent / "again").newly_initialized_ == []


SIZES = {
    "hidden_size": 16,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "intermediate_size": 32,
    "max_position_embeddings": 64,
    "pad_token_id": 0,
    "type_vocab_size": 2,
    "initializer_range": 0.3,
}
KINDS = {
    "albert": {"embedding_size": 8},
    "deberta-v2": {"pos_att_type": ["c2p", "p2c"], "relative_attention": True},
    "distilbert": {"dim": 16, "n_layers": 2, "n_heads": 2, "hidden_dim": 32},
    "xlm-roberta": {},
}
DECODERS = {
    "gpt2": {"n_embd": 16, "n_layer": 1, "n_head": 2, "n_positions": 64},
    "llama": {},
    "bart": {"d_model": 16, "encoder_layers": 1, "decoder_layers": 1},
}


def make_kind(kind, folder):
    """A model of another kind, with the tokenizer of the tiny one."""
    source = tiny_model(n_layers=1)
    n_pieces = AutoConfig.from_pretrained(source).vocab_size
    options = {**SIZES, **KINDS.get(kind, DECODERS.get(kind))}
    if kind in DECODERS:
        options = {"bos_token_id": 2, "eos_token_id": 3, **options}
    config = AutoConfig.for_model(kind, vocab_size=n_pieces, **options)
    AutoModel.from_config(config).save_pretrained(folder)
    shutil.copy(Path(source, "tokenizer.json"), folder)
    Path(folder, "tokenizer_config.json").write_text(
        '{"tokenizer_class": "PreTrainedTokenizerFast", "pad_token": "[PAD]"}'
    )
    return folder


# DeBERTa's own modules use what is deprecated in PyTorch, in older transformers.
@pytest.mark.filterwarnings("ignore:.*torch.jit:DeprecationWarning")
@pytest.mark.parametrize("kind", KINDS)
def test_other_kinds_of_encoders(kind, tmp_path):
    path = make_kind(kind, tmp_path / "model")
    y = np.array([[100.0 + i, -i] for i in range(8)])
    model = fit(path, y=y, cls=BertRegressor, dropout=0, layer_decay=0.5, freeze=1)
    shares = {
        module.p
        for module in model.estimators_[0].modules()
        if "Dropout" in type(module).__name__
    }
    assert shares == {0.0}
    # Both are of what the mean of the targets is, and not of what the body is.
    found = model.predict(SENTENCES)
    assert_allclose(found.mean(axis=0), [103.5, -3.5], atol=5)
    assert_allclose(
        np.vstack([model.predict([s]) for s in SENTENCES]), found, rtol=1e-5
    )
    model.save(tmp_path / "saved")
    assert_array_equal(BertRegressor.load(tmp_path / "saved").predict(SENTENCES), found)
    model.save_pretrained(tmp_path / "again")
    network = AutoModelForSequenceClassification.from_pretrained(tmp_path / "again")
    tokenizer = transformers.AutoTokenizer.from_pretrained(tmp_path / "again")
    for text, row in zip(SENTENCES, found, strict=True):
        inputs = tokenizer(text, return_tensors="pt")
        if kind in ("distilbert", "xlm-roberta", "deberta-v2"):
            inputs.pop("token_type_ids", None)
        with torch.no_grad():
            assert_allclose(network.eval()(**inputs).logits[0], row, rtol=1e-5)
    weights = load_file(path / WEIGHTS)
    changed = {
        name
        for name, w in model.estimators_[0].base_model.state_dict().items()
        if name in weights and not torch.equal(w, weights[name])
    }
    # All layers of ALBERT are one.
    assert {name.split(".")[0] for name in changed} <= (
        {"pooler"} if kind == "albert" else {"encoder", "pooler", "transformer"}
    )
    assert not any("layer.0." in name for name in changed)
    assert changed


@pytest.mark.parametrize("kind", DECODERS)
def test_decoders_are_refused(kind, tmp_path):
    path = make_kind(kind, tmp_path / "model")
    damaged(path, rf"model '.*' cannot be used: a '{kind}' is no encoder")


def test_a_decoder_of_the_family_is_refused(folder):
    edit_json(folder / "config.json", is_decoder=True)
    damaged(folder, r"model '.*' cannot be used: a 'bert' is no encoder")


def test_positions_that_begin_behind_that_of_padding(tmp_path):
    path = make_kind("xlm-roberta", tmp_path / "model")
    network, *_ = read_network(path, path, "sequence-classification", "Reader")
    assert longest_input(network, 10**30) == 63  # as padding is 0
    assert longest_input(network, 40) == 40
    model = fit(path, long_text="window")
    assert model.predict(["the cat " * 70]).shape == (1,)
    with pytest.raises(
        ValueError, match=r"max_length=64, and the model takes 63 tokens"
    ):
        fit(path, max_length=64)


@pytest.mark.parametrize("n_layers", [1, 2])
def test_layers(n_layers):
    path = Path(tiny_model(n_layers))
    network, *_ = read_network(path, path, "encoder", "Reader")
    assert len(find_layers(network)) == n_layers


# Estimators


def test_an_estimator_is_a_model():
    first = fit(tiny_model(n_layers=1))
    second = fit(first)
    assert second.model is first
    frozen = fit(FrozenEstimator(first))
    assert_array_equal(frozen.predict_proba(SENTENCES), second.predict_proba(SENTENCES))
    before = first.estimators_[0].state_dict()
    assert any(
        not torch.equal(w, before[name])
        for name, w in second.estimators_[0].state_dict().items()
    )


@pytest.mark.parametrize("model", [BertClassifier(), LogisticRegression()])
def test_an_estimator_that_is_not_fitted(model):
    message = (
        rf"BertClassifier: model is a {type(model).__name__} that is not fitted.*F"
    )
    for estimator in (model, FrozenEstimator(model)):
        with pytest.raises(NotFittedError, match=message):
            fit(estimator)


def test_a_search_takes_a_frozen_estimator():
    fitted = fit(tiny_model(n_layers=1))
    texts, y = SENTENCES * 2, np.tile(CLASSES, 2)
    scores = cross_val_score(
        make(FrozenEstimator(fitted)), texts, y, cv=2, error_score="raise"
    )
    expected = []
    for half in (slice(8, 16), slice(0, 8)):
        rest = slice(0, 8) if half.start else slice(8, 16)
        model = make(fitted).fit(texts[half], y[half])
        expected.append(model.score(texts[rest], y[rest]))
    assert_allclose(scores, expected)
    search = GridSearchCV(make(fitted), {"max_iter": [1]}, cv=2, error_score="raise")
    with pytest.raises(NotFittedError, match=r"pass sklearn\.frozen\.FrozenEstimator"):
        search.fit(texts, y)


# Packages, and what they print


@pytest.mark.parametrize("package", ["torch", "tokenizers", "transformers"])
def test_missing_packages_are_named(package, monkeypatch, tmp_path):
    stored = pickle.dumps(fit(tiny_model(n_layers=1)))
    monkeypatch.setitem(sys.modules, package, None)
    message = rf"needs the package '{package}'.*skml\[bert\]"
    repr(BertClassifier())
    with pytest.raises(ImportError, match=rf"BertClassifier {message}"):
        fit(tiny_model(n_layers=1))
    with pytest.raises(ImportError, match=rf"BertClassifier {message}"):
        BertClassifier.load(tmp_path)
    with pytest.raises(ImportError, match=message):
        pickle.loads(stored)


@pytest.fixture(params=[True, False])
def settings(request):
    """What transformers and the hub print, which is to be left alone."""
    before = logging.get_verbosity(), logging.is_progress_bar_enabled()
    logging.set_verbosity(logging.INFO)
    if request.param:
        logging.enable_progress_bar()
    else:
        logging.disable_progress_bar()
        enable_progress_bars()
    yield
    found = logging.get_verbosity(), logging.is_progress_bar_enabled()
    hub_shows_bars = not are_progress_bars_disabled()
    logging.set_verbosity(before[0])
    logging.enable_progress_bar() if before[1] else logging.disable_progress_bar()
    assert found == (logging.INFO, request.param)
    assert hub_shows_bars


@pytest.mark.usefixtures("settings")
def test_nothing_is_printed(folder, capfd):
    other = fit(tiny_model(n_layers=1), y=list("abcdabcd"))
    model = fit(other).save(folder.parent / "saved")
    BertClassifier.load(folder.parent / "saved").predict(SENTENCES)
    pickle.loads(pickle.dumps(model)).predict(SENTENCES)
    (folder / WEIGHTS).write_bytes(b"")
    damaged(folder, "model in")
    assert capfd.readouterr() == ("", "")


def test_settings_come_back_whatever_happens():
    enable_progress_bars()
    before = logging.get_verbosity(), logging.is_progress_bar_enabled()

    def fail():
        assert logging.get_verbosity() == logging.CRITICAL
        assert not logging.is_progress_bar_enabled()
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt), quietly():
        fail()
    assert (logging.get_verbosity(), logging.is_progress_bar_enabled()) == before
    assert not are_progress_bars_disabled()


def test_the_environment_may_have_the_last_word(monkeypatch):
    # The hub warns if it has.
    module = sys.modules["huggingface_hub.utils.tqdm"]
    for value in (True, False):
        monkeypatch.setattr(module, "HF_HUB_DISABLE_PROGRESS_BARS", value)
        with quietly():
            pass


@pytest.mark.skipif(
    not hasattr(transformers, "EuroBertConfig"), reason="transformers is too old"
)
def test_a_family_without_the_head_is_not_called_damaged(tmp_path):
    config = transformers.EuroBertConfig(
        vocab_size=200,
        hidden_size=16,
        num_hidden_layers=1,
        num_attention_heads=2,
        num_key_value_heads=2,
        intermediate_size=16,
        pad_token_id=0,
    )
    transformers.EuroBertModel(config).save_pretrained(tmp_path)
    AutoTokenizer.from_pretrained(tiny_model()).save_pretrained(tmp_path)
    message = (
        r"cannot be used: transformers has no head for question answering on a 'euro"
    )
    with pytest.raises(ValueError, match=message):
        BertQuestionAnswerer(tmp_path).fit([("who?", "a cat")] * 2, ["cat", "a"])
