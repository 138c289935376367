"""Saved and loaded estimators are equal; files that lie are refused."""

import datetime
import json
import os
import random
import re
import warnings

import lightgbm
import numpy as np
import pandas as pd
import pytest
import skops.io
import xgboost
from numpy.testing import assert_array_equal
from sklearn.base import BaseEstimator, is_classifier
from sklearn.exceptions import NotFittedError

import skml.tabular
from skml.tabular import (
    LightGBMClassifier,
    LightGBMRegressor,
    XGBoostClassifier,
    XGBoostRegressor,
)
from skml.tabular._json_values import decode, encode

CLASSIFIERS = [XGBoostClassifier, LightGBMClassifier]
REGRESSORS = [XGBoostRegressor, LightGBMRegressor]
BOOSTERS = CLASSIFIERS + REGRESSORS
LOSSES = ["squared_error", "absolute_error", "quantile", "poisson", "gamma"]
SMALL = {"n_estimators": 4, "min_samples_leaf": 3, "random_state": 0}


def make_table(n_samples=120):
    """Numbers with holes, strings, and categories that are integers."""
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


def make_classes(X, labels):
    codes = np.where(X["length"].fillna(0) > 0.3, 0, np.where(X["width"] > 0, 1, 2))
    return np.array(labels)[codes % len(labels)]


def make_target(X):
    return np.exp(X["width"].to_numpy()) + (X["kind"] == "x") + 0.1


def fit(cls, **params):
    X = make_table()
    y = make_classes(X, ["a", "b", "c"]) if cls in CLASSIFIERS else make_target(X)
    return cls(**{**SMALL, **params}).fit(X, y), X, y


def all_predictions(model, X):
    """What a model says, in all ways that it can."""
    with np.errstate(all="raise"):
        results = [model.predict(X), *model.staged_predict(X)]
        results.append(model.feature_importances_)
        if is_classifier(model):
            results += [model.predict_proba(X), *model.staged_predict_proba(X)]
        if not model._is_constant():
            results += model.shap_values(X)
    return results


def assert_same(model, again, X):
    pairs = zip(all_predictions(model, X), all_predictions(again, X), strict=True)
    for one, other in pairs:
        np.testing.assert_array_equal(one, other, strict=True)
    assert repr(model.get_params()) == repr(again.get_params())
    for one, other in ((model, again), (model._reader, again._reader)):
        ours = {k: repr(v) for k, v in vars(one).items() if type(v) is not object}
        theirs = {k: repr(v) for k, v in vars(other).items()}
        for known in ("booster_", "_reader"):  # whose repr is an address
            assert (known in ours) == (known in theirs)
            ours.pop(known, None), theirs.pop(known, None)
        assert ours == theirs


def round_trip(model, folder):
    model.save_model(folder)
    return type(model).load_model(folder)


@pytest.mark.parametrize(
    "labels", [["a", "bc", "d"], [1, 5], [True, False], [1.0, 2.0]]
)
@pytest.mark.parametrize("cls", CLASSIFIERS)
def test_classifier_comes_back_the_same(cls, labels, tmp_path):
    X = make_table()
    y = make_classes(X, labels)
    model = cls(**SMALL, subsample=0.7, max_features=0.7, early_stopping=True)
    model.fit(X, y)
    again = round_trip(model, tmp_path / "model")
    assert_same(model, again, X)
    assert again.classes_.dtype == y.dtype


@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("cls", REGRESSORS)
def test_regressor_comes_back_the_same(cls, loss, tmp_path):
    quantile = 0.3 if loss == "quantile" else None
    model, X, _ = fit(cls, loss=loss, quantile=quantile)
    assert_same(model, round_trip(model, tmp_path / "model"), X)


@pytest.mark.parametrize("cls", BOOSTERS)
def test_warm_start_goes_on_after_loading(cls, tmp_path):
    model, X, y = fit(cls, subsample=0.7, max_features=0.7, early_stopping=True)
    again = round_trip(model, tmp_path / "model")
    n_estimators = model.n_iter_ + 4
    for one in (model, again):
        one.set_params(n_estimators=n_estimators, warm_start=True).fit(X, y)
    assert model.n_iter_ > SMALL["n_estimators"]
    assert_same(model, again, X)


@pytest.mark.parametrize("cls", BOOSTERS)
def test_saving_again_writes_the_same_bytes(cls, tmp_path):
    model, *_ = fit(cls)
    again = round_trip(model, tmp_path / "one")
    again.save_model(tmp_path / "two")
    names = sorted(os.listdir(tmp_path / "one"))
    assert names == [cls._booster_file, "estimator.json"]
    for name in names:
        assert (tmp_path / "one" / name).read_bytes() == (
            tmp_path / "two" / name
        ).read_bytes()


@pytest.mark.parametrize("cls", BOOSTERS)
def test_stage_of_a_model_comes_back(cls, tmp_path):
    model, X, _ = fit(cls)
    stage = model._at_stage(2)
    again = round_trip(stage, tmp_path / "model")
    assert again.n_iter_ == 2
    assert_same(stage, again, X)


@pytest.mark.parametrize("cls", CLASSIFIERS)
def test_single_class_has_no_booster(cls, tmp_path):
    model, X, y = fit(cls)
    model.save_model(tmp_path / "model")
    model.fit(X, np.full(len(X), "all"))
    again = round_trip(model, tmp_path / "model")
    assert os.listdir(tmp_path / "model") == ["estimator.json"]
    np.testing.assert_array_equal(again.predict(X), model.predict(X), strict=True)
    np.testing.assert_array_equal(again.predict_proba(X), np.ones((len(y), 1)))
    assert len(list(again.staged_predict(X))) == model.n_iter_


@pytest.mark.parametrize("cls", REGRESSORS)
@pytest.mark.parametrize(
    ("X", "y"),
    [([[1.0], [1.0]], [1.0, 1.0]), (np.full((30, 2), np.nan), np.arange(30.0))],
)
@pytest.mark.filterwarnings("ignore:.*learned nothing")
def test_trees_without_splits_come_back(cls, X, y, tmp_path):
    model = cls(n_estimators=3).fit(X, y)
    assert_same(model, round_trip(model, tmp_path / "model"), X)


@pytest.mark.parametrize(
    "params",
    [
        {"library_params": {"num_parallel_tree": 2}},
        {"library_params": {"tree_method": "approx"}, "min_impurity_decrease": 3.0},
        {
            "library_params": {"tree_method": "exact"},  # which prunes trees
            "max_leaf_nodes": None,
            "max_depth": 5,
            "min_impurity_decrease": 3.0,
        },
    ],
)
def test_other_kinds_of_trees_come_back(params, tmp_path):
    X = make_table()[["length", "width"]]
    model = XGBoostRegressor(**SMALL, **params).fit(X, make_target(make_table()))
    assert_same(model, round_trip(model, tmp_path / "model"), X)


@pytest.mark.parametrize("cls", BOOSTERS)
@pytest.mark.parametrize("name", ['a"b', "e\tf", "é漢", "a=b", "a b", "[0]"])
def test_names_of_features_come_back(cls, name, tmp_path):
    X = make_table().rename(columns={"length": name})
    y = make_classes(make_table(), [0, 1])
    model = cls(**SMALL).fit(X, y)
    again = round_trip(model, tmp_path / "model")
    assert_same(model, again, X)
    with pytest.raises(ValueError, match="feature names"):
        again.predict(make_table().rename(columns={"length": "another"}))


@pytest.mark.parametrize("cls", REGRESSORS)
def test_sentinels_and_all_kinds_of_parameters_come_back(cls, tmp_path):
    params = {
        "missing_values": (-999, "?", np.int64(7)),
        "monotonic_cst": {"width": 1},
        "interaction_cst": [("width", "kind"), ["length"]],
        "learning_rate": np.float64(0.3),
        "categorical_features": np.array([False, True, False, True]),
        "library_params": {"max_delta_step": 0.5},
        "n_jobs": -1,
    }
    X = make_table().replace({"kind": {"x": "?"}})
    model = cls(**SMALL, **params).fit(X, make_target(make_table()))
    again = round_trip(model, tmp_path / "model")
    assert_same(model, again, X)
    assert type(again.learning_rate) is np.float64


@pytest.mark.parametrize("cls", REGRESSORS)
def test_dates_and_durations_come_back(cls, tmp_path):
    X = pd.DataFrame({"when": pd.date_range("2020-01-01", periods=60)})
    X["long"] = X["when"] - X["when"].shift(3)
    model = cls(**SMALL).fit(X, np.arange(60.0))
    again = round_trip(model, tmp_path / "model")
    assert_same(model, again, X)
    assert again._reader.kinds == {0: "dates", 1: "durations"}


@pytest.mark.parametrize(
    "value",
    [
        *(None, True, 3, -(2**70), 0.1, "é\ud800", np.inf, np.float32(0.1)),
        *([1, (2, {"a": {3, 4}})], {0: 1.0, "b": [None]}, frozenset({1}), np.str_("a")),
        *(np.bool_(True), np.array([[1, 2]], dtype=">i2"), np.array(["a", 1], object)),
        *(np.array(["ab", "c"]), np.zeros((0, 3)), np.float16([np.nan, 1])),
    ],
    ids=repr,
)
def test_value_comes_back_from_json(value):
    again = decode(json.loads(json.dumps(encode(value, "it"), allow_nan=False)))
    assert type(again) is type(value)
    assert repr(again) == repr(value)
    assert getattr(again, "dtype", None) == getattr(value, "dtype", None)


def test_value_nested_too_deep_is_a_value_error():
    value = 0
    for _ in range(2000):
        value = [value]
    with pytest.raises(ValueError, match="recursion"):
        decode(value)


def test_native_libraries_load_the_booster(tmp_path):
    model, X, _ = fit(XGBoostRegressor)
    model.save_model(tmp_path / "x")
    booster = xgboost.Booster(model_file=tmp_path / "x" / "booster.json")
    assert booster.save_raw("json") == model.booster_.save_raw("json")
    model, X, _ = fit(LightGBMRegressor)
    model.save_model(tmp_path / "l")
    booster = lightgbm.Booster(model_file=tmp_path / "l" / "booster.txt")
    values = model._read_predict(X)
    np.testing.assert_array_equal(booster.predict(values), model.predict(X))


@pytest.mark.parametrize("cls", BOOSTERS)
@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("scoring", lambda estimator, X, y: 1.0),
        ("random_state", np.random.RandomState(0)),
    ],
)
def test_what_is_no_data_is_refused_before_anything_is_written(
    cls, name, value, tmp_path
):
    model, *_ = fit(cls, early_stopping=True, **{name: value})
    with pytest.raises(TypeError, match=f"The parameter {name} is .* pickle"):
        model.save_model(tmp_path / "model")
    assert os.listdir(tmp_path) == []


@pytest.mark.parametrize("cls", REGRESSORS)
@pytest.mark.parametrize(
    "categories",
    [
        pd.cut(np.arange(60.0), 4),
        pd.Categorical([datetime.date(2020, 1, 1 + row % 5) for row in range(60)]),
        pd.Categorical([(row % 3, "a") for row in range(60)]),
    ],
    ids=["intervals", "dates", "tuples"],
)
def test_categories_that_are_no_data_are_refused_by_column(cls, categories, tmp_path):
    X = pd.DataFrame({"width": np.arange(60.0), "part": categories})
    model = cls(**SMALL).fit(X, np.arange(60.0))
    with pytest.raises(TypeError, match="column 'part' of X: one of its categories is"):
        model.save_model(tmp_path / "model")
    assert os.listdir(tmp_path) == []


def test_linear_trees_come_back(tmp_path):
    model, X, _ = fit(LightGBMRegressor, library_params={"linear_tree": True})
    again = round_trip(model, tmp_path / "model")
    np.testing.assert_array_equal(again.predict(X), model.predict(X))


def one_more(text):
    """A model of a later version of a library, which writes a key or a line more."""
    if text.startswith("tree\n"):
        return text.replace("\nnum_class=", "\nof_tomorrow=1\nnum_class=", 1)
    content = json.loads(text)
    content["of_tomorrow"] = content["learner"]["of_tomorrow"] = {"a": [1]}
    content["learner"]["gradient_booster"]["model"]["trees"][0]["of_tomorrow"] = "1"
    return json.dumps(content)


@pytest.mark.parametrize("cls", BOOSTERS)
def test_what_a_library_adds_to_its_file_does_no_harm(cls, tmp_path, monkeypatch):
    model, X, _ = fit(cls)
    text = one_more(model._booster_text())
    monkeypatch.setattr(cls, "_booster_text", lambda self: text)
    again = round_trip(model, tmp_path / "model")
    assert "of_tomorrow" in (tmp_path / "model" / cls._booster_file).read_text()
    np.testing.assert_array_equal(again.predict(X), model.predict(X), strict=True)


@pytest.mark.parametrize("cls", BOOSTERS)
def test_only_what_is_fitted_is_saved(cls, tmp_path):
    with pytest.raises(NotFittedError):
        cls().save_model(tmp_path / "model")
    assert os.listdir(tmp_path) == []


def test_folder_of_other_things_is_not_replaced(tmp_path):
    model, *_ = fit(XGBoostRegressor)
    (tmp_path / "letter.txt").write_text("Dear")
    with pytest.raises(ValueError, match=r"holds 'letter\.txt', and is to hold"):
        model.save_model(tmp_path)
    with pytest.raises(ValueError, match="is a file"):
        model.save_model(tmp_path / "letter.txt")
    assert os.listdir(tmp_path) == ["letter.txt"]


def test_saved_model_of_another_library_is_replaced(tmp_path):
    fit(LightGBMRegressor)[0].save_model(tmp_path / "model")
    model, X, _ = fit(XGBoostRegressor)
    assert_same(model, round_trip(model, tmp_path / "model"), X)
    assert "booster.txt" not in os.listdir(tmp_path / "model")


@pytest.mark.parametrize("fails_at", range(1, 5))
def test_what_was_there_stays_until_all_is_written(fails_at, tmp_path, monkeypatch):
    model, X, _ = fit(XGBoostRegressor)
    model.save_model(tmp_path / "model")
    other, *_ = fit(XGBoostRegressor, n_estimators=7)
    n_calls = 0

    def failing(function):
        def call(*args):
            nonlocal n_calls
            n_calls += 1
            if n_calls == fails_at:
                raise OSError("no space left")
            return function(*args)

        return call

    for name in ("fsync", "replace"):
        monkeypatch.setattr(os, name, failing(getattr(os, name)))
    with pytest.raises(OSError, match="no space left"):
        other.save_model(tmp_path / "model")
    assert os.listdir(tmp_path) == ["model"]
    assert_same(model, XGBoostRegressor.load_model(tmp_path / "model"), X)


def edit_json(path, edit):
    content = json.loads(path.read_text())
    edit(content)
    path.write_text(json.dumps(content))


def setting(*keys, to):
    """A function that sets what stands at a place of nested dicts and lists."""

    def edit(content):
        for key in keys[:-1]:
            content = content[key]
        content[keys[-1]] = to

    return edit


ARRAY = {"array": ["<f8", [1], [0.5]]}


@pytest.mark.parametrize(
    ("edit", "message"),
    [
        (setting("format", to="other"), "not a model of this package"),
        (setting("version", to=2), "expected version 1; got 2. A newer skml"),
        (setting("version", to=True), "expected version 1; got True"),
        (setting("class", to="Word2Vec"), "has a 'Word2Vec', not a XGBoostClassifier"),
        (setting("class", to=[]), "not a XGBoostClassifier"),
        (setting("more", to=1), "expected parameters and fitted"),
        (setting("parameters", to=[]), "parameters: expected an object"),
        (setting("parameters", "gamma", to=1), "parameters: 'gamma' is unknown"),
        (lambda d: d["parameters"].pop("tol"), "parameters: 'tol' is missing"),
        (setting("parameters", "tol", to="a"), "parameters: The 'tol' parameter"),
        (setting("parameters", "tol", to={"code": 1}), "tol: unknown kind of value"),
        (setting("parameters", "tol", to={"float": "1"}), "tol: unknown number"),
        (setting("parameters", "tol", to={"set": [[1]]}), "tol: .*unhashable"),
        (setting("parameters", "tol", to={"array": 1}), "tol: cannot unpack"),
        (setting("parameters", "tol", to={"scalar": ["O", [], [1]]}), "unknown dtype"),
        (setting("parameters", "n_jobs", to=10**6), "n_jobs is 1000000"),
        (setting("parameters", "n_jobs", to=0), "n_jobs is 0"),
        (setting("fitted", to=1), "fitted: expected an object"),
        (setting("fitted", "more", to=1), "fitted: 'more' is there"),
        (lambda d: d["fitted"].pop("seed"), "fitted: 'seed' is missing"),
        (setting("fitted", "seed", to=-1), "seed is -1"),
        (setting("fitted", "n_iter_", to=-4), "n_iter_ is -4"),
        (setting("fitted", "n_iter_", to=10**30), "n_iter_ is 1000"),
        (
            setting("fitted", "n_iter_", to=5),
            r"booster\.json: trees: expected 15",
        ),
        (
            setting("fitted", "n_features_in_", to=5),
            "missing_fraction_ is not .* 5 floats",
        ),
        (setting("fitted", "n_features_in_", to=2**31), "missing_fraction_ is not"),
        (setting("fitted", "fill", to=ARRAY), "fill is not an array of 4 floats"),
        (setting("fitted", "train_score_", to=[1]), "train_score_ is not an array"),
        (
            setting("fitted", "fill", "array", 2, 1, to=6.0),
            "fill: column 1 has no category 6.0",
        ),
        (
            setting("fitted", "fill", "array", 2, 1, to={"float": "nan"}),
            "fill and missing_fraction_ do not belong together",
        ),
        (
            setting("fitted", "missing_fraction_", "array", 2, 0, to=1.5),
            "missing_fraction_ is not from 0 to 1",
        ),
        (
            setting("fitted", "missing_fraction_", "array", 1, to=[3]),
            r"shape \[3\] has 4 values",
        ),
        (
            setting("fitted", "missing_fraction_", "array", 1, to=[2**70, -1]),
            "has 4 values",
        ),
        (setting("fitted", "names", 1, to=5), "are not the same"),
        (setting("fitted", "feature_names_in_", to=[]), "feature_names_in_ are not 4"),
        (setting("fitted", "is_categorical", to=[1]), "is_categorical is not an array"),
        (setting("fitted", "sentinels", to=None), "sentinels is not a list"),
        (setting("fitted", "categories", to=[None]), "categories is not a list of 4"),
        (setting("fitted", "categories", 0, to=["a"]), "categories: column 0"),
        (setting("fitted", "categories", 1, to=["a", "a"]), "categories: column 1"),
        (setting("fitted", "categories", 1, to=[["a"]]), "categories: column 1"),
        (setting("fitted", "categories", 1, to=["a"]), "column 1 has no category"),
        (setting("fitted", "classes_", to=None), "classes_ are not distinct"),
        (setting("fitted", "classes_", "array", 2, 0, to="c"), "classes_ are not"),
        (setting("fitted", "classes_", "array", 2, 0, to=1), "is 1"),
        (setting("fitted", "classes_", "array", 2, 0, to="abc"), "longer than dtype"),
        (setting("fitted", "classes_", "array", 0, to="<U99999999"), "are too many"),
        (
            setting("fitted", "classes_", to={"array": ["|O", [2], ["a", 1]]}),
            "classes_ are not",
        ),
        (
            setting("fitted", "classes_", to={"array": ["|i1", [2], [1, 300]]}),
            "classes_: .*300",
        ),
        (
            setting("fitted", "classes_", to={"array": ["<i8", [2], [1, 3]]}),
            r"booster\.json: outputs: expected 1; got 3",
        ),
        (setting("booster", to=None), "booster: got None"),
        (setting("booster", "size", to=True), "booster: expected version, size"),
        (setting("booster", "size", to=7), r"booster\.json: bytes: expected 7"),
        (setting("booster", "sha256", to="0"), r"booster\.json is not the file that"),
        (setting("booster", "version", to="1000.0"), "Install the newer"),
        (setting("fitted", "kinds", to={"dict": [[4, None]]}), "kinds are not those"),
        (setting("fitted", "kinds", to={"dict": [[0, 1], [0, 1]]}), "stands twice"),
        (setting("fitted", "names", to=["a"]), "are not the same"),
    ],
)
def test_lies_about_the_estimator_are_refused(edit, message, tmp_path):
    fit(XGBoostClassifier)[0].save_model(tmp_path / "model")
    edit_json(tmp_path / "model" / "estimator.json", edit)
    with pytest.raises(ValueError, match=rf"model.*{message}"):
        XGBoostClassifier.load_model(tmp_path / "model")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "expected JSON"),
        (b"\xff", "byte offset 0 is not UTF-8"),
        (b"[" * 10**6, "expected JSON"),
        (b'{"format": "skml.tabular", "format": 1}', "'format' stands twice"),
        (b'{"format": NaN}', "NaN is no number"),
        (b"9" * 10**5, "expected JSON"),
        (b"[]", "not a model of this package"),
    ],
    ids=range(7),
)
def test_file_that_is_no_such_json_is_refused(content, message, tmp_path):
    fit(XGBoostRegressor)[0].save_model(tmp_path)
    (tmp_path / "estimator.json").write_bytes(content)
    with pytest.raises(ValueError, match=rf"estimator\.json.*{message}"):
        XGBoostRegressor.load_model(tmp_path)


def test_missing_files_and_other_classes_are_refused(tmp_path):
    model, *_ = fit(XGBoostRegressor)
    model.save_model(tmp_path)
    with pytest.raises(ValueError, match="has a 'XGBoostRegressor', not a LightGBMRe"):
        LightGBMRegressor.load_model(tmp_path)
    (tmp_path / "booster.json").unlink()
    with pytest.raises(ValueError, match=r"booster\.json is missing"):
        XGBoostRegressor.load_model(tmp_path)
    with pytest.raises(ValueError, match=r"none.*estimator\.json is missing"):
        XGBoostRegressor.load_model(tmp_path / "none")


@pytest.mark.parametrize("cls", BOOSTERS)
def test_booster_of_another_model_is_refused(cls, tmp_path):
    fit(cls)[0].save_model(tmp_path / "one")
    fit(cls, random_state=1, subsample=0.5)[0].save_model(tmp_path / "two")
    content = (tmp_path / "two" / cls._booster_file).read_bytes()
    (tmp_path / "one" / cls._booster_file).write_bytes(content)
    with pytest.raises(ValueError, match=r"bytes: expected|not the file that was"):
        cls.load_model(tmp_path / "one")


def damage(rng, content):
    """Flip bits, cut, leave out, or write another number."""
    kind = rng.randrange(5)
    if kind == 0:
        position = rng.randrange(len(content))
        flipped = content[position] ^ (1 << rng.randrange(8))
        return content[:position] + bytes([flipped]) + content[position + 1 :]
    if kind == 1:
        return content[: rng.randrange(len(content))]
    if kind == 2:
        start = rng.randrange(len(content))
        return content[:start] + content[start + rng.randint(1, 40) :]
    found = rng.choice(list(re.finditer(rb"-?\d+(?:\.\d+)?(?:[eE]-?\d+)?", content)))
    number = rng.choice(["-1", "0", "2", "2147483647", "99999999999999999999", "1e999"])
    return content[: found.start()] + number.encode() + content[found.end() :]


@pytest.mark.parametrize("cls", BOOSTERS)
def test_damaged_files_are_value_errors_or_models(cls, tmp_path):
    model, X, _ = fit(cls, n_estimators=2, max_leaf_nodes=4)
    model.save_model(tmp_path)
    whole = {name: (tmp_path / name).read_bytes() for name in os.listdir(tmp_path)}
    rng = random.Random(0)
    n_loaded = n_refused = 0
    for _ in range(150):
        name = rng.choice(["estimator.json", "estimator.json", cls._booster_file])
        (tmp_path / name).write_bytes(damage(rng, whole[name]))
        try:
            again = cls.load_model(tmp_path)
        except ValueError as error:
            assert str(tmp_path) in str(error)  # noqa: PT017
            n_refused += 1
        else:
            with warnings.catch_warnings(action="ignore"):  # holes differ
                assert len(again.predict(X)) == len(X)
                assert len(list(again.staged_predict(X))) == again.n_iter_
                assert len(again.feature_importances_) == X.shape[1]
            n_loaded += 1
        (tmp_path / name).write_bytes(whole[name])
    # Both happen, or the damage is not worth the name.
    assert min(n_loaded, n_refused) > 5


ESTIMATORS = [
    cls
    for cls in map(skml.tabular.__dict__.get, skml.tabular.__all__)
    if isinstance(cls, type)
    and issubclass(cls, BaseEstimator)
    and not cls.__name__.startswith(("LR", "SVM"))  # which write data by themselves
]
# What skops has to be told to trust, beside the class of the estimator.
TRUSTED = {
    "GBDT": {
        "functools.partial",
        "skml._table._frame.TableReader",
        "skml.tabular._gbdt_hist.HistTrees",
    },
    "LightGBM": {
        "lightgbm.basic.Booster",
        "skml._table._frame.TableReader",
    },
    "XGBoost": {"skml._table._frame.TableReader", "xgboost.core.Booster"},
}


@pytest.mark.parametrize("cls", ESTIMATORS)
def test_skops_with_a_short_list_of_trusted_types(cls, tmp_path):
    X = make_table()
    y = make_classes(X, ["a", "b"]) if is_classifier(cls()) else make_target(X)
    few = {"n_estimators": 4} if "n_estimators" in cls().get_params() else {}
    model = cls(**few).fit(X, y)
    skops.io.dump(model, tmp_path / "model.skops")
    types = skops.io.get_untrusted_types(file=tmp_path / "model.skops")
    family = cls.__name__.removesuffix("Classifier").removesuffix("Regressor")
    allowed = TRUSTED[family] | {f"{cls.__module__}.{cls.__name__}"}
    # Of scikit-learn's own types, skops comes to know more with each release.
    assert {name for name in types if not name.startswith("sklearn.")} <= allowed
    again = skops.io.load(tmp_path / "model.skops", trusted=types)
    np.testing.assert_array_equal(again.predict(X), model.predict(X), strict=True)


@pytest.mark.parametrize("cls", [XGBoostRegressor, LightGBMRegressor])
def test_units_are_kept(cls, tmp_path):
    X = np.random.default_rng(0).normal(size=(100, 2))
    y = X[:, 0] + 3e7
    X = np.column_stack([X[:, 0] * 1e-40, 1e14 + X[:, 1]])
    model = cls(n_estimators=5).fit(X, y)
    model.save_model(tmp_path / "model")
    again = cls.load_model(tmp_path / "model")
    assert_array_equal(again.predict(X), model.predict(X))
    (path,) = (tmp_path / "model").glob("estimator.json")
    state = json.loads(path.read_text())
    state["fitted"]["units"]["tuple"][1] = 0.0
    path.write_text(json.dumps(state))
    with pytest.raises(ValueError, match="units are not three numbers"):
        cls.load_model(tmp_path / "model")
    state["fitted"]["units"] = None
    state["fitted"]["column_units"]["tuple"][0] = {"dict": [[7, 1]]}
    path.write_text(json.dumps(state))
    with pytest.raises(ValueError, match="column_units: 7 has the exponent 1"):
        cls.load_model(tmp_path / "model")
