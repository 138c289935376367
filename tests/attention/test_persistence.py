"""Saved models: exact when they are read, and refused if their parts do not fit."""

import json

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_array_equal
from safetensors.numpy import load_file, save_file

from skml import AttentionPoolingClassifier, AttentionPoolingRegressor

FEW = {"n_estimators": 2, "max_iter": 3, "n_components": 4, "random_state": 0}
RNG = np.random.default_rng(0)
TABLE = pd.DataFrame(RNG.normal(size=(60, 2)), columns=["a", "b"])
TABLE["c"] = RNG.choice(["x", "y", "z"], size=60)
TABLE.loc[::7, "a"] = np.nan
Y = RNG.normal(size=60)


@pytest.mark.parametrize(
    ("cls", "parameters"),
    [
        (AttentionPoolingRegressor, {"embedding": "identity", "bandwidth": 0.5}),
        (AttentionPoolingRegressor, {"embedding": "scale", "residual": "linear"}),
        (AttentionPoolingRegressor, {"embedding": "mlp", "n_heads": 2}),
        (AttentionPoolingClassifier, {"embedding": "mlp", "attention": "auto"}),
        (AttentionPoolingClassifier, {"attention": "additive"}),
    ],
)
def test_what_was_saved_predicts_the_same(cls, parameters, tmp_path):
    y = Y if cls is AttentionPoolingRegressor else np.where(Y > 0, "high", "low")
    model = cls(**FEW, **parameters).fit(TABLE, y)
    again = cls.load(model.save(tmp_path / "model") and tmp_path / "model")
    assert repr(again) == repr(model)
    assert vars(again).keys() == vars(model).keys()
    names = ["predict", "transform", "attention_weights"]
    names.append("predict_proba" if hasattr(cls, "predict_proba") else "predict_offset")
    for name in names:
        assert_array_equal(getattr(again, name)(TABLE), getattr(model, name)(TABLE))
    if cls is AttentionPoolingRegressor:
        for one, other in zip(
            again.predict(TABLE, return_std=True),
            model.predict(TABLE, return_std=True),
            strict=True,
        ):
            assert_array_equal(one, other)
    assert_array_equal(again.loss_curve_, model.loss_curve_)
    assert again.get_feature_names_out().tolist() == (
        model.get_feature_names_out().tolist()
    )


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    """The JSON and the arrays of a network of each of the two classes."""
    folder, contents = tmp_path_factory.mktemp("models"), {}
    for cls in (AttentionPoolingRegressor, AttentionPoolingClassifier):
        y = Y if cls is AttentionPoolingRegressor else (Y > 0).astype(int)
        cls(**FEW, embedding="mlp", hidden_layer_sizes=(3,)).fit(TABLE, y).save(
            folder / "model"
        )
        arrays = load_file(folder / "model" / "arrays.safetensors")
        contents[cls] = (folder / "model" / "model.json").read_text(), arrays
    return folder, contents


def part(state, path):
    """What a path of names and positions leads to in the JSON of a model."""
    for name in path.split("."):
        if isinstance(state, dict) and state.get("is") == "dict":
            state = next(value for key, value in state["items"] if key == name)
            continue
        kind = state.get("is") if isinstance(state, dict) else None
        if kind in {"value", "tuple"}:
            state = state["data" if kind == "value" else "items"]
        state = state[int(name) if name.isdigit() else name]
    return state


POOLER = "ensemble.poolers.0"
NETWORK = f"{POOLER}.embedding"
ENCODER = "ensemble.encoder"
SHORTER = slice(None, -1)


@pytest.mark.parametrize(
    ("path", "change", "message"),
    [
        (f"{POOLER}.keys.0", lambda a: a[SHORTER], "keys has the shape"),
        (f"{POOLER}.keys.0", lambda a: a[:, SHORTER], "keys has the shape"),
        (
            f"{POOLER}.keys.0",
            lambda a: a.astype(np.float64),
            "keys is not an array of float32",
        ),
        (f"{POOLER}.keys.0", lambda a: a * np.float32(np.nan), "not finite"),
        (f"{POOLER}.keys.0", lambda a: a[:, 0], "keys has the shape"),
        (f"{POOLER}.values", lambda a: np.hstack([a, a]), "values has the shape"),
        (
            f"{NETWORK}.parameters.x_weights",
            lambda a: a[SHORTER],
            "x_weights has the shape",
        ),
        (
            f"{NETWORK}.parameters.z_weights",
            lambda a: np.float32(np.nan) * a,
            "z_weights is not finite",
        ),
        (
            f"{NETWORK}.parameters.bias_0",
            lambda a: a.astype(int),
            "bias_0 is not an array of float32",
        ),
        ("ensemble.weights", lambda a: a[SHORTER], "targets has the shape"),
        ("ensemble.weights", lambda a: -a, "weights are not positive"),
        ("ensemble.targets", lambda a: np.hstack([a, a]), "one for each target"),
        (f"{ENCODER}.numeric", lambda a: a + 1, "takes categories for numbers"),
        (f"{ENCODER}.numeric", lambda a: a + 9, "the encoder has column 10"),
        (f"{ENCODER}.numeric", lambda a: -a - 1, "numeric has"),
        (f"{ENCODER}.mean", lambda a: a[SHORTER], "mean has the shape"),
        (f"{ENCODER}.deviation", lambda a: 0 * a, "deviation is not positive"),
        (f"{ENCODER}.binned", lambda a: a + 9, "binned has columns"),
        (f"{ENCODER}.centre", lambda a: a[SHORTER], "centre has the shape"),
        (f"{ENCODER}.indicated", lambda a: a[:0], "bins of these columns"),
        (f"{ENCODER}.layout.edges.0", lambda a: a[::-1], "edges do not ascend"),
        (f"{ENCODER}.layout.edges.0", lambda a: a[SHORTER], "centre has the shape"),
        (f"{ENCODER}.layout.edges.0", lambda a: a[:1], "edges do not ascend"),
        ("loss_curve_", lambda a: a[SHORTER], "has the shape"),
        ("validation_score_", lambda a: a[SHORTER], "has the shape"),
        ("sample_rows", lambda a: a - 1, "sample_rows are not rows"),
        ("sample_rows", lambda a: a + 1, "sample_rows are not rows"),
        ("sample_rows", lambda a: a[SHORTER], "sample_fractions has the shape"),
        ("sample_fractions", lambda a: a * np.inf, "sample_fractions is not finite"),
    ],
)
def test_arrays_that_do_not_fit_are_refused(saved, path, change, message):
    folder, contents = saved
    text, arrays = contents[AttentionPoolingRegressor]
    key = part(json.loads(text)["fitted"], path)["key"]
    changed = arrays | {key: np.ascontiguousarray(change(arrays[key]))}
    check_refusal(folder, AttentionPoolingRegressor, text, changed, message)


@pytest.mark.parametrize(
    ("cls", "path", "name", "value", "message"),
    [
        (0, POOLER, "score", "cosine", "score is 'cosine'"),
        (0, POOLER, "score", "additive", "does not belong to the embedding"),
        (0, NETWORK, "n_components", 5, "has the shape"),
        (0, NETWORK, "n_features", -1, "an embedding of"),
        (0, NETWORK, "n_outputs", 2, "has the shape"),
        (
            0,
            NETWORK,
            "hidden_layer_sizes",
            {"is": "tuple", "items": [-3]},
            "hidden_lay",
        ),
        (0, "ensemble", "kind", "cosine", "an ensemble of 2"),
        (0, "ensemble", "poolers", {"is": "tuple", "items": []}, "an ensemble of 0"),
        (0, "ensemble", "poolers", {"is": "tuple", "items": [1]}, "poolers have 1"),
        (0, ENCODER, "numeric_encoding", "cosine", "numeric_encoding is 'cosine'"),
        (0, f"{ENCODER}.layout", "n_choices", [1, 3], "does not have the categories"),
        (0, f"{ENCODER}.layout", "n_choices", [3, 2**40], "[0-9] bins"),
        (0, f"{ENCODER}.layout", "edges", [1, 2], "layout: "),
        (0, "scaling", "mean", 1, "mean is 1"),
        (0, None, "n_iter_", 4, "loss_curve_ has the shape"),
        (0, None, "scaling", None, "do not belong to the objective"),
        (1, None, "classes_", None, "do not belong to the objective"),
    ],
)
def test_values_that_do_not_fit_are_refused(saved, cls, path, name, value, message):
    folder, contents = saved
    cls = (AttentionPoolingRegressor, AttentionPoolingClassifier)[cls]
    text, arrays = contents[cls]
    state = json.loads(text)
    place = state["fitted"] if path is None else part(state["fitted"], path)
    assert name in place["data"]
    place["data"][name] = value
    check_refusal(folder, cls, json.dumps(state), arrays, message)


def check_refusal(folder, cls, text, arrays, message):
    (folder / "model" / "model.json").write_text(text)
    save_file(arrays, folder / "model" / "arrays.safetensors")
    with pytest.raises(ValueError, match=message):
        cls.load(folder / "model")
