"""Saved SVMs and logistic regressions: exact, or refused with the place."""

import json
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_array_equal
from safetensors.numpy import load_file, save_file
from scipy import sparse
from sklearn.impute import KNNImputer

from skml import LRClassifier, SVMClassifier, SVMRegressor
from skml._codec import MODEL
from skml._store import ARRAYS
from tests.answers import answers


def made_frame():
    rng = np.random.default_rng(0)
    frame = pd.DataFrame(
        {
            "x": rng.normal(size=60),
            "complete": rng.normal(size=60),
            "port": rng.choice(["S", "C", None], 60),
            "code": pd.Categorical(rng.integers(3, size=60)),
            "day": pd.Timestamp("2020-01-01") + pd.to_timedelta(np.arange(60), "D"),
            "nothing": np.nan,
        }
    )
    frame.loc[::7, "x"] = np.nan
    return frame


FRAME = made_frame()
THREE = np.array(["a", "b", "c"])[np.digitize(FRAME["complete"], [-0.5, 0.5])]
TWO = np.where(THREE == "a", "a", "b")
SPARSE = sparse.csr_array(np.maximum(np.random.default_rng(1).normal(size=(60, 5)), 0))
CASES = {
    "LR, three classes": (LRClassifier(), FRAME, THREE),
    "LR, sparse": (LRClassifier(), SPARSE, TWO),
    "LR, no intercept": (
        LRClassifier(library_params={"fit_intercept": False}),
        *(FRAME, TWO),
    ),
    "LR, one class": (LRClassifier(), FRAME, ["a"] * 60),
    "LR, a generator": (
        LRClassifier(solver="saga", random_state=np.random.RandomState(0)),
        *(SPARSE, TWO),
    ),
    "SVM, two classes": (SVMClassifier(kernel="poly", coef0=1.0), FRAME, TWO),
    "SVM, three classes": (SVMClassifier(C=1e300, max_iter=50), FRAME, THREE),
    "SVM, sparse": (SVMClassifier(), SPARSE, TWO),
    "SVM, sparse, three classes": (SVMClassifier(scale=False), SPARSE, THREE),
    "SVM, one class": (SVMClassifier(calibration="sigmoid"), FRAME, ["a"] * 60),
    "SVM, sigmoid": (SVMClassifier(calibration="sigmoid"), FRAME, THREE),
    "SVM, isotonic": (SVMClassifier(calibration="isotonic"), FRAME, TWO),
    "SVM, Nystroem": (
        SVMClassifier(approximation="nystroem", n_components=9, random_state=0),
        *(SPARSE, THREE),
    ),
    "SVM, Fourier": (
        SVMClassifier(approximation="rff", n_components=9, calibration="sigmoid"),
        *(FRAME, TWO),
    ),
    "SVR": (SVMRegressor(), FRAME, FRAME["complete"] * 1e200),
    "SVR, sparse": (SVMRegressor(scale_target=False), SPARSE, FRAME["complete"]),
    "SVR, Nystroem": (
        SVMRegressor(approximation="nystroem", n_components=9),
        *(FRAME, FRAME["complete"]),
    ),
}
PUBLIC = (
    *("classes_", "support_", "n_iter_", "feature_importances_", "target_scale_"),
    *("prepared_feature_names_", "missing_fraction_", "feature_names_in_"),
)


@pytest.fixture
def path(tmp_path):
    return tmp_path / "model"


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.parametrize("name", CASES)
def test_a_saved_model_predicts_the_same(name, path):
    estimator, X, y = CASES[name]
    model = estimator.fit(X, y)
    if "generator" in name:
        with pytest.raises(TypeError, match="the parameter random_state is RandomS"):
            model.save(path)
        model.set_params(random_state=3)
    again = type(model).load(model.save(path) and path)
    for method, expected in answers(model, X).items():
        assert_array_equal(getattr(again, method)(X), expected, strict=True)
    assert vars(again).keys() == vars(model).keys()
    for attribute in PUBLIC:
        if hasattr(model, attribute):
            assert_array_equal(getattr(again, attribute), getattr(model, attribute))


def test_a_fresh_process_predicts_the_same(path):
    X = FRAME[["x", "port"]]
    model = SVMClassifier(calibration="sigmoid").fit(X.to_numpy(), THREE).save(path)
    code = (
        f"import skml; model = skml.SVMClassifier.load({str(path)!r}); "
        "print(model.predict_proba([[0.3, None]]).tobytes().hex())"
    )
    printed = subprocess.check_output([sys.executable, "-c", code], text=True)
    assert printed.strip() == model.predict_proba([[0.3, None]]).tobytes().hex()


def test_an_imputing_estimator_cannot_be_saved(path):
    model = LRClassifier(imputation=KNNImputer()).fit(SPARSE.toarray(), TWO)
    with pytest.raises(TypeError, match="the parameter imputation is KNNImputer"):
        model.save(path)
    assert not path.exists()


def test_categories_that_are_no_data_are_refused_by_column(path):
    frame = pd.DataFrame({"n": np.arange(60), "bin": pd.cut(FRAME["complete"], 3)})
    model = LRClassifier().fit(frame, TWO)
    with pytest.raises(TypeError, match=r"column 'bin' of X: one of its.*Interval"):
        model.save(path)


# What is refused: entries of the model's file, each behind its path there.

READER, TABLE = "table.reader.", "table."
PREPARATION, SVC_DATA = "model.preparation.", "model.estimator.learned."


def zeros(*shape, dtype=np.float64):
    return lambda array: np.zeros(shape, dtype)


def with_first(value):
    def change(array):
        array = array.copy()
        array.flat[0] = value
        return array

    return change


WRONG = [
    (READER + "dtype", "int8", "dtype is 'int8'"),
    (READER + "dtype", 7, "dtype is 7"),
    (READER + "names", ["a"], "names are not 6 strings"),
    (READER + "is_categorical", zeros(5, dtype=bool), "not an array of 6 bools"),
    (READER + "is_categorical", zeros(6), "not an array of 6 bools"),
    (READER + "is_categorical", zeros(6, dtype=bool), "categories: column 2 has"),
    (READER + "categories.2", ["S", "S"], r"categories: column 2 has \['S', 'S'\]"),
    (READER + "categories.2", ["S", None], "categories: column 2 has"),
    (READER + "categories.0", ["S"], r"categories: column 0 has \['S'\]"),
    (READER + "sentinels", [[1]], r"missing_values has \[1\]"),
    (TABLE + "n_features_in_", 5, "n_features_in_ is 5, not 6"),
    (TABLE + "missing_fraction_", zeros(7), "missing_fraction_ is not an array of 6"),
    (TABLE + "missing_fraction_", with_first(1.5), "is not from 0 to 1"),
    (TABLE + "missing_fraction_", with_first(0.0), "do not belong together"),
    (TABLE + "fill", zeros(6, dtype=np.float32), "fill is not an array of 6 floats"),
    (TABLE + "rounding", 1.5, "rounding is 1.5"),
    (TABLE + "fill", with_first(1.0), "fill and missing_fraction_ do not belong"),
    ("classes_.items", ["b", "a"], "classes_ are not distinct and sorted"),
    ("classes_.items", ["a", "a"], "classes_ are not distinct and sorted"),
    (PREPARATION + "numeric", with_first(6), "numeric are not columns of 6"),
    (PREPARATION + "numeric", zeros(3), "numeric are not columns of 6"),
    (PREPARATION + "treatments", ["x"], "numeric are not columns of 1"),
    (PREPARATION + "fill", zeros(2), "fill is not an array of 3 floats"),
    (PREPARATION + "fill", None, "imputer is None"),
    (PREPARATION + "scaling.deviation", zeros(2), "is not an array of one float"),
    (PREPARATION + "categorical.items.0.1", 10**12, "feature_names_out"),
    (PREPARATION + "categorical.items.0.0", -1, "categorical: column -1 has 2"),
    ("model.estimator.name", "SVR", "SVR has learned"),
    ("model.estimator.name", "Pipeline", "'Pipeline' is no estimator"),
    ("model.estimator.parameters", {"is": "dict", "items": []}, "gamma 'scale'"),
    (
        "model.estimator.parameters",
        {"is": "dict", "items": [["kernel", "precomputed"], ["gamma", 1.0]]},
        "the kernel is 'precomputed'",
    ),
    (SVC_DATA + "n_iter_", "many", "n_iter_ is 'many'"),
    (SVC_DATA + "n_features_in_", 3, "support_vectors_ has the shape"),
    (SVC_DATA + "support_vectors_", zeros(4, 10), "support_ has the shape"),
    (SVC_DATA + "n_support_", with_first(-1), "n_support_ is"),
    (SVC_DATA + "n_support_", with_first(999), "n_support_ is"),
    (SVC_DATA + "dual_coef_", zeros(1, 3), "dual_coef_ has the shape"),
    (SVC_DATA + "intercept_", zeros(0), "intercept_ has the shape"),
    (SVC_DATA + "classes_", zeros(2, dtype=np.int64), "classes_ are"),
    ("curves", [], "calibration has not 1 curves"),
    ("curves", [3], "calibration has not 1 curves"),
    ("curves.0.values", zeros(1), "not floats of one shape"),
    ("curves.0.thresholds", with_first(1e9), "thresholds are not in order"),
    ("support_", "all", "support_ is 'all'"),
]


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    path = tmp_path_factory.mktemp("saved") / "model"
    SVMClassifier(calibration="isotonic").fit(FRAME, TWO).save(path)
    return path


def edit(node, place, change, arrays):
    """Change the entry of a model's file that a path of names leads to."""
    *names, last = place.split(".")
    for name in names:
        if isinstance(node, list):
            node = node[int(name)]
            continue
        node = node.get("data", node)
        if node.get("is") == "dict" and name != "items":
            node = dict(node["items"])[name]
        else:
            node = node[name]
    node = node.get("data", node) if isinstance(node, dict) else node
    if isinstance(node, dict) and node.get("is") == "dict" and last != "items":
        pair = next(pair for pair in node["items"] if pair[0] == last)
        node, last = pair, 1
    last = int(last) if isinstance(node, list) else last
    if callable(change):
        key = node[last]["key"]
        arrays[f"new {key}"] = change(arrays[key])
        node[last] = {**node[last], "key": f"new {key}"}
    else:
        node[last] = change


@pytest.mark.parametrize(
    ("place", "change", "message"), WRONG, ids=[f"{w[0]}-{w[2]}" for w in WRONG]
)
def test_parts_that_do_not_belong_together_are_refused(
    place, change, message, saved, path
):
    state, arrays = json.loads((saved / MODEL).read_text()), load_file(saved / ARRAYS)
    edit(state["fitted"], place, change, arrays)
    path.mkdir()
    (path / MODEL).write_text(json.dumps(state))
    save_file(arrays, path / ARRAYS)
    with pytest.raises(ValueError, match=rf"(?s)is damaged: .*{message}"):
        SVMClassifier.load(path)


LINEAR = [
    ("coef_", zeros(3, 2), "coef_ has the shape"),
    ("intercept_", zeros(2), "intercept_ has the shape"),
]
NYSTROEM = [
    ("normalization_", zeros(9, 8), "normalization_ has the shape"),
    ("components_", zeros(9, 2), "components_ has the shape"),
    ("component_indices_", zeros(8, dtype=np.int64), "component_indices_ has"),
]


def parameter(name, value):
    return {"is": "dict", "items": [["n_components", 9], ["gamma", 1.0], [name, value]]}


@pytest.mark.parametrize(
    ("name", "place", "change", "message"),
    [
        *(("LR, three classes", f"estimator.learned.{p}", c, m) for p, c, m in LINEAR),
        *(("SVR, Nystroem", f"feature_map.learned.{p}", c, m) for p, c, m in NYSTROEM),
        ("SVR, Nystroem", "estimator.learned.coef_", zeros(8), "coef_ has the shape"),
        (
            *("SVM, Fourier", "feature_map.learned.random_offset_"),
            *(zeros(3), "random_offset_ has the shape"),
        ),
        ("SVR", "estimator.learned.n_support_", with_first(2), "n_support_ is"),
        *(
            ("SVR, Nystroem", "feature_map.parameters", parameter(name, value), message)
            for name, value, message in (
                ("n_jobs", 10**6, "n_jobs is 1000000; expected 1 to 1024"),
                ("degree", "x", "The 'degree' parameter of Nystroem"),
            )
        ),
    ],
)
def test_estimators_of_other_sizes_are_refused(name, place, change, message, path):
    estimator, X, y = CASES[name]
    estimator.fit(X, y).save(path)
    state, arrays = json.loads((path / MODEL).read_text()), load_file(path / ARRAYS)
    edit(state["fitted"], f"model.{place}", change, arrays)
    (path / MODEL).write_text(json.dumps(state))
    save_file(arrays, path / ARRAYS)
    with pytest.raises(ValueError, match=rf"(?s)is damaged: .*{message}"):
        type(estimator).load(path)
