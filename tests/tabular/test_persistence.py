"""Saved and loaded boosters are equal; files that lie are refused."""

import json
import os
import random
import shutil
import warnings
from hashlib import sha256

import lightgbm
import numpy as np
import pandas as pd
import pytest
import xgboost
from numpy.testing import assert_array_equal
from safetensors.numpy import load_file, save_file
from sklearn.base import is_classifier
from sklearn.exceptions import NotFittedError

from skml.tabular import (
    GBDTClassifier,
    GBDTRegressor,
    LightGBMClassifier,
    LightGBMRegressor,
    XGBoostClassifier,
    XGBoostRegressor,
)

BOOSTERS = {
    "xgboost": (XGBoostClassifier, XGBoostRegressor, {}),
    "lightgbm": (LightGBMClassifier, LightGBMRegressor, {}),
    "hist": (GBDTClassifier, GBDTRegressor, {}),
    "exact": (GBDTClassifier, GBDTRegressor, {"method": "exact"}),
}
FILES = {"xgboost": "booster.json", "lightgbm": "booster.txt"}
SMALL = {"n_estimators": 4, "min_samples_leaf": 3, "random_state": 0}
booster = pytest.mark.parametrize("name", BOOSTERS)
native = pytest.mark.parametrize("name", FILES)


def make_table(n_samples=120):
    """Numbers with missing values, strings, and categories that are integers."""
    rng = np.random.default_rng(0)
    X = pd.DataFrame(
        {
            "length": rng.normal(size=n_samples),
            "kind": rng.choice(list("uvwxyz"), n_samples),
            "width": rng.normal(size=n_samples),
            "size": pd.Categorical(rng.choice([3, 5, 8], n_samples)),
        }
    )
    X.loc[::4, "length"] = np.nan
    return X


X = make_table()
CODES = np.where(X["length"].fillna(0) > 0.3, 0, np.where(X["width"] > 0, 1, 2))
TARGET = np.exp(X["width"].to_numpy()) + (X["kind"] == "x") + 0.1


def make(name, kind="classifier", **params):
    cls = BOOSTERS[name][kind == "regressor"]
    return cls(**{**SMALL, **BOOSTERS[name][2], **params})


def fit(name, kind="classifier", labels=("a", "b", "c"), **params):
    codes = CODES % len(labels)
    y = np.array(labels)[codes] if kind == "classifier" else TARGET
    return make(name, kind, **params).fit(X, y)


def all_predictions(model, X):
    """What a model predicts, in all ways that it can."""
    results = [model.predict(X), *model.staged_predict(X), model.feature_importances_]
    if is_classifier(model):
        results += [model.predict_proba(X), *model.staged_predict_proba(X)]
    if hasattr(model, "booster_"):
        results += model.shap_values(X)
    return results


def assert_same(model, again, X=X):
    pairs = zip(all_predictions(model, X), all_predictions(again, X), strict=True)
    for one, other in pairs:
        assert_array_equal(one, other, strict=True)
    assert repr(model.get_params()) == repr(again.get_params())
    for name, value in vars(model).items():
        if name.endswith("_"):
            assert_array_equal(value, getattr(again, name), strict=True)


def round_trip(model, path):
    return type(model).load(model.save(path) and path)


@booster
@pytest.mark.parametrize("labels", [["a", "bc", "d"], [True, False]])
def test_classifiers_come_back_the_same(name, labels, tmp_path):
    model = fit(name, labels=labels, max_features=0.7, early_stopping=True)
    again = round_trip(model, tmp_path / "model")
    assert_same(model, again)
    again.save(tmp_path / "again")
    names = sorted(os.listdir(tmp_path / "model"))
    assert names == sorted({"arrays.safetensors", "model.json"} | {*own_file(name)})
    for file in names:
        one, other = (tmp_path / part / file for part in ("model", "again"))
        assert one.read_bytes() == other.read_bytes()


def own_file(name):
    return [FILES[name]] if name in FILES else []


LOSSES = [
    (name, loss)
    for loss in ("squared_error", "quantile", "poisson")
    for name in BOOSTERS
    if (name, loss) != ("exact", "poisson")  # which the exact method has not
]


@pytest.mark.parametrize(("name", "loss"), LOSSES)
def test_regressors_come_back_the_same(name, loss, tmp_path):
    quantile = 0.3 if loss == "quantile" else None
    model = fit(name, "regressor", loss=loss, quantile=quantile)
    assert_same(model, round_trip(model, tmp_path / "model"))


@booster
def test_warm_start_continues_after_loading(name, tmp_path):
    drawn = {"max_features": 0.7} | ({} if name == "hist" else {"subsample": 0.7})
    model = fit(name, "regressor", early_stopping=True, **drawn)
    again = round_trip(model, tmp_path / "model")
    n_estimators = model.n_iter_ + 4
    for one in (model, again):
        one.set_params(n_estimators=n_estimators, warm_start=True).fit(X, TARGET)
    assert model.n_iter_ > SMALL["n_estimators"]
    assert_same(model, again)


@booster
def test_a_model_of_one_class_has_no_booster(name, tmp_path):
    model = fit(name, labels=["all"])
    again = round_trip(model, tmp_path / "model")
    assert sorted(os.listdir(tmp_path / "model")) == [
        "arrays.safetensors",
        "model.json",
    ]
    assert_same(model, again)


@booster
@pytest.mark.filterwarnings("ignore:.*learned nothing")
def test_trees_without_splits_come_back(name, tmp_path):
    for X, y in [
        ([[1.0], [1.0]], [1.0, 1.0]),
        (np.full((30, 2), np.nan), [*range(30)]),
    ]:
        model = make(name, "regressor").fit(X, y)
        again = round_trip(model, tmp_path / "model")
        assert_array_equal(again.predict(X), model.predict(X))


@pytest.mark.parametrize(
    ("name", "params"),
    [
        ("xgboost", {"library_params": {"num_parallel_tree": 2}}),
        (
            "xgboost",
            {
                "library_params": {"tree_method": "exact"},  # which prunes trees
                "max_leaf_nodes": None,
                "max_depth": 5,
                "min_impurity_decrease": 3.0,
            },
        ),
        ("lightgbm", {"library_params": {"linear_tree": True}}),
        ("exact", {"library_params": {"ccp_alpha": 0.01}}),
    ],
)
def test_other_kinds_of_trees_come_back(name, params, tmp_path):
    numbers = X[["length", "width"]]
    model = make(name, "regressor", **params).fit(numbers, TARGET)
    again = round_trip(model, tmp_path / "model")
    assert_array_equal(again.predict(numbers), model.predict(numbers))


@native
@pytest.mark.parametrize("column", ['a"b', "e\tf", "é漢", "[0]"])
def test_names_of_features_come_back(name, column, tmp_path):
    table = X.rename(columns={"length": column})
    model = make(name, "regressor").fit(table, TARGET)
    again = round_trip(model, tmp_path / "model")
    assert_same(model, again, table)
    with pytest.raises(ValueError, match="feature names"):
        again.predict(X)


@native
def test_native_libraries_load_the_booster(name, tmp_path):
    numbers = X[["length", "width"]].to_numpy()
    model = make(name, "regressor").fit(numbers, TARGET).save(tmp_path / "model")
    path = tmp_path / "model" / FILES[name]
    if name == "xgboost":
        raw = xgboost.Booster(model_file=path).inplace_predict(numbers)
    else:
        raw = lightgbm.Booster(model_file=path).predict(numbers)
    assert_array_equal(raw, model.predict(numbers))


@booster
def test_what_is_no_data_is_refused_before_anything_is_written(name, tmp_path):
    model = fit(name, random_state=np.random.RandomState(0))
    with pytest.raises(TypeError, match=r"parameter random_state is .* pickle"):
        model.save(tmp_path / "model")
    with pytest.raises(NotFittedError):
        make(name).save(tmp_path / "model")
    assert os.listdir(tmp_path) == []


@booster
def test_units_come_back(name, tmp_path):
    rng = np.random.default_rng(0)
    X = rng.normal(size=(100, 2))
    y = X[:, 0] + 3e7
    X = np.column_stack([X[:, 0] * 1e-40, 1e14 + X[:, 1]])
    model = make(name, "regressor").fit(X, y)
    assert_same(model, round_trip(model, tmp_path / "model"), X)


# What a later version of a library may add to its own file


def add_to_json(text):
    content = json.loads(text)
    content["of_tomorrow"] = content["learner"]["of_tomorrow"] = {"a": [1]}
    content["learner"]["gradient_booster"]["model"]["trees"][0]["of_tomorrow"] = "1"
    return json.dumps(content)


def add_to_text(text):
    return text.replace("\nnum_class=", "\nof_tomorrow=1\nnum_class=", 1)


@native
def test_what_a_library_adds_to_its_file_does_no_harm(name, tmp_path, monkeypatch):
    model = fit(name)
    if name == "xgboost":
        write = xgboost.Booster.save_raw

        def save_raw(self, raw_format="ubj"):
            return bytearray(add_to_json(write(self, raw_format)).encode())

        monkeypatch.setattr(xgboost.Booster, "save_raw", save_raw)
    else:
        as_text = lightgbm.Booster.model_to_string
        monkeypatch.setattr(
            lightgbm.Booster,
            "model_to_string",
            lambda self, *args, **kwargs: add_to_text(as_text(self, *args, **kwargs)),
        )
    again = round_trip(model, tmp_path / "model")
    assert "of_tomorrow" in (tmp_path / "model" / FILES[name]).read_text()
    assert_array_equal(again.predict_proba(X), model.predict_proba(X))
    assert_array_equal(
        round_trip(again, tmp_path / "model").predict(X), again.predict(X)
    )


# Files that lie


def edit(path, change):
    state = json.loads((path / "model.json").read_text())
    change(state)
    (path / "model.json").write_text(json.dumps(state))


def fitted(**values):
    return lambda state: state["fitted"]["data"].update(values)


def of(part, **values):
    return lambda state: state["fitted"]["data"][part]["data"].update(values)


def precision(dtype, largest):
    data = {"dtype": dtype, "gap": 0.0, "zero": 0.0, "largest": largest}
    return {"is": "value", "class": "Precision", "data": data}


LIES = {
    "iterations": (fitted(n_iter_=5), "iterations: expected 5; got 4"),
    "no iteration": (fitted(n_iter_=0), "n_iter_ is 0"),
    "seed": (fitted(seed=-1), "seed is -1"),
    "loss": (fitted(loss="poisson"), "loss is 'poisson'"),
    "no classes": (fitted(classes_=None, loss="poisson"), "expected 1; got 3"),
    "no trees": (fitted(trees=None), "trees for one class, or none for several"),
    "other trees": (fitted(trees={"is": "dict", "items": []}), "trees is {}"),
    "units": (of("units", target=0.0), "units are"),
    "scores": (fitted(train_score_=[1.0]), "train_score_ is"),
    "rounding": (of("table", rounding={"is": "dict", "items": []}), "rounding is "),
    "range": (of("table", rounding=precision("float32", 1e308)), "largest is 1e"),
    "negative": (of("table", rounding=precision("float64", -1.0)), "is negative"),
}


@pytest.mark.parametrize("lie", LIES)
def test_false_metadata_of_the_fit_are_refused(lie, saved):
    change, message = LIES[lie]
    path = saved("lightgbm")
    edit(path, change)
    with pytest.raises(ValueError, match=message):
        LightGBMClassifier.load(path)


@booster
def test_a_regressor_is_not_loaded_as_a_classifier(name, tmp_path):
    fit(name, "regressor").save(tmp_path)
    classifier, regressor, _ = BOOSTERS[name]
    with pytest.raises(ValueError, match=f"has a '{regressor.__name__}', not a"):
        classifier.load(tmp_path)
    parameters = fit(name).save(tmp_path / "other") and json.loads(
        (tmp_path / "other" / "model.json").read_text()
    )
    edit(
        tmp_path,
        lambda state: state.update(
            {key: parameters[key] for key in ("class", "parameters")}
        ),
    )
    with pytest.raises(ValueError, match="fitted has no classes; expected some"):
        classifier.load(tmp_path)


@native
def test_trees_of_another_library_are_refused(name, tmp_path, saved):
    """In a folder that holds the files of both, and calls itself a model of one."""
    path, other_name = saved(name), "lightgbm" if name == "xgboost" else "xgboost"
    other_path = fit(other_name).save(tmp_path / "other") and tmp_path / "other"
    other = json.loads((other_path / "model.json").read_text())
    edit(path, lambda state: state.update(fitted=other["fitted"]))
    for file in ("arrays.safetensors", FILES[other_name]):
        shutil.copy(other_path / file, path)
    cls, other_cls = BOOSTERS[name][0], BOOSTERS[other_name][0]
    library, other_library = (
        c.__name__.removesuffix("Classifier") for c in (cls, other_cls)
    )
    message = f"trees are {other_library}Trees; {cls.__name__} has {library}Trees"
    with pytest.raises(ValueError, match=message):
        cls.load(path)


@pytest.fixture
def saved(tmp_path):
    """Saves a small classifier, and returns where."""
    return lambda name: fit(name).save(tmp_path / "m") and tmp_path / "m"


@native
def test_boosters_of_other_tables_and_classes_are_refused(name, tmp_path, saved):
    path, file = saved(name), FILES[name]
    others = {
        "features: expected 4; got 2": make(name).fit(X[["length", "width"]], CODES),
        "outputs: expected 3; got 1": fit(name, labels=["a", "b"]),
    }
    for message, other in others.items():
        other.save(tmp_path / "other")
        content = (tmp_path / "other" / file).read_bytes()
        (path / file).write_bytes(content)
        with pytest.raises(ValueError, match="is not the file that was saved"):
            BOOSTERS[name][0].load(path)
        digest = sha256(content).hexdigest()
        edit(path, lambda s, d=digest: booster_of(s).update(sha256=d))
        with pytest.raises(ValueError, match=message):
            BOOSTERS[name][0].load(path)
    content = b"no booster"
    (path / file).write_bytes(content)
    edit(path, lambda s: booster_of(s).update(sha256=sha256(content).hexdigest()))
    with pytest.raises(ValueError, match="cannot read its file"):
        BOOSTERS[name][0].load(path)


def booster_of(state):
    return state["fitted"]["data"]["trees"]["data"]["booster"]


def node_column(state, *names):
    """The key of an array of a native model."""
    part = state["fitted"]["data"]["trees"]["data"]["native"]
    for name in names:
        part = dict(part["items"])[name]
    return part["key"]


ELSEWHERE = {
    "hist": [
        (("nodes", "left"), 10**6, "a child is not one of the nodes that follow"),
        (("nodes", "right"), 0, "a child is not one of the nodes that follow"),
        (("nodes", "feature_idx"), 4, "features are not among 4"),
        (("nodes", "feature_idx"), 3, "categories are not among 2"),
        (("nodes", "bitset_idx"), 10**6, "bitsets are not among"),
        (("n_nodes",), 1, "nodes: there are"),
        (("n_bitsets",), 100, "raw_bitsets: there are"),
    ],
    "exact": [
        (("nodes", "left_child"), 10**6, "a child is not one of the nodes that follow"),
        (("nodes", "right_child"), 0, "a child is not one of the nodes that follow"),
        (("nodes", "feature"), 100, "features are not among"),
        (("n_nodes",), 1, "nodes: there are"),
        (("max_depth",), 0.5, "max_depth is not one number"),
    ],
}
ELSEWHERE = [(name, *case) for name, cases in ELSEWHERE.items() for case in cases]


@pytest.mark.parametrize(("name", "names", "value", "message"), ELSEWHERE)
def test_trees_that_would_read_elsewhere_are_refused(
    name, names, value, message, saved
):
    path = saved(name)
    state = json.loads((path / "model.json").read_text())
    arrays = load_file(path / "arrays.safetensors")
    key = node_column(state, *names)
    arrays[key] = np.full_like(arrays[key], value, dtype=np.asarray(value).dtype)
    if np.asarray(value).dtype.kind == "i":
        arrays[key] = arrays[key].astype(
            load_file(path / "arrays.safetensors")[key].dtype
        )
    save_file(arrays, path / "arrays.safetensors")
    with pytest.raises(ValueError, match=message):
        GBDTClassifier.load(path)


@pytest.mark.parametrize("name", ["hist", "exact"])
def test_damaged_trees_are_value_errors_or_models(name, tmp_path):
    model = fit(name, n_estimators=2, max_leaf_nodes=4, labels=["a", "b"])
    model.save(tmp_path)
    where = tmp_path / "arrays.safetensors"
    whole, rng = load_file(where), random.Random(0)
    n_loaded = n_refused = 0
    for _ in range(25):
        arrays = {key: array.copy() for key, array in whole.items()}
        array = arrays[rng.choice(sorted(key for key, a in whole.items() if a.size))]
        array.view(np.uint8).reshape(-1)[rng.randrange(array.nbytes)] ^= 1 << (
            rng.randrange(8)
        )
        save_file(arrays, where)
        try:
            again = GBDTClassifier.load(tmp_path)
        except ValueError as error:
            assert str(tmp_path) in str(error)  # noqa: PT017
            n_refused += 1
        else:
            with warnings.catch_warnings(action="ignore"):  # missing values differ
                assert len(again.predict(X)) == len(X)
                assert len(list(again.staged_predict(X))) == again.n_iter_
            n_loaded += 1
    # Both happen, or the damage is not worth the name.
    assert min(n_loaded, n_refused) > 2
