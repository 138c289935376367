"""Monotonic and interaction constraints: honoured, by name or position, or refused."""

import json
from functools import cache

import numpy as np
import pandas as pd
import pytest

from skml.tabular import (
    GBDTClassifier,
    GBDTRegressor,
    LightGBMClassifier,
    LightGBMRegressor,
    XGBoostClassifier,
    XGBoostRegressor,
)
from skml.tabular._constraints import resolve_interaction_cst, resolve_monotonic_cst

BOOSTERS = {
    "xgboost": (XGBoostClassifier, XGBoostRegressor),
    "lightgbm": (LightGBMClassifier, LightGBMRegressor),
    "hist": (GBDTClassifier, GBDTRegressor),
}
booster = pytest.mark.parametrize("name", BOOSTERS)
KINDS = ["classifier", "regressor"]

RNG = np.random.default_rng(0)
N = 400
X = RNG.normal(size=(N, 4))
NOISY = np.sin(2 * X[:, 0]) - np.sin(2 * X[:, 1]) + X[:, 2] * X[:, 3]
NOISY += 0.5 * RNG.normal(size=N)
X[RNG.random(X.shape) < 0.1] = np.nan
TABLE = pd.DataFrame(X, columns=list("abcd"))


def fit(name, kind, X=TABLE, **parameters):
    cls = BOOSTERS[name][kind == "regressor"]
    y = NOISY if kind == "regressor" else (NOISY > 0).astype(int)
    if parameters.get("loss") in {"poisson", "gamma"}:
        y = np.exp(y)
    few = {"n_estimators": 30, "min_samples_leaf": 5}
    return cls(**few | parameters).fit(X, y)


def steps(model, feature, X=TABLE):
    """The smallest and the largest step up, as the feature alone rises."""
    grid = np.linspace(-3, 3, 60)
    lines = X.iloc[np.repeat(np.arange(25), len(grid))].copy()
    lines[lines.columns[feature]] = np.tile(grid, 25)
    if hasattr(model, "predict_proba"):
        values = model.predict_proba(lines)[:, 1]
    else:
        values = model.predict(lines)
    differences = np.diff(values.reshape(25, -1), axis=1)
    return differences.min(), differences.max()


# Each way to say it becomes positions before a booster sees it: all go with one.
MONOTONIC = [{"a": 1, "b": -1}, {0: 1, 1: -1}, [1, -1, 0, 0], np.array([1, -1, 0, 0])]


@pytest.mark.parametrize(
    ("name", "kind", "monotonic_cst"),
    [
        *(("hist", "regressor", way) for way in MONOTONIC[1:]),
        *((name, kind, MONOTONIC[0]) for name in BOOSTERS for kind in KINDS),
    ],
)
def test_predictions_rise_and_fall_as_they_must(name, kind, monotonic_cst):
    free = fit(name, kind)
    assert steps(free, 0)[0] < 0 < steps(free, 1)[1]
    model = fit(name, kind, monotonic_cst=monotonic_cst)
    assert steps(model, 0)[0] >= 0 < steps(model, 0)[1]
    assert steps(model, 1)[1] <= 0 > steps(model, 1)[0]
    assert steps(model, 2)[0] < 0 < steps(model, 2)[1]


@booster
@pytest.mark.parametrize("loss", ["poisson", "gamma"])
def test_monotonic_with_a_log_link(name, loss):
    model = fit(name, "regressor", loss=loss, monotonic_cst={"a": 1})
    assert steps(model, 0)[0] >= 0


@booster
def test_monotonic_beside_categories_means_the_right_column(name):
    kind = np.array(["x", "y", "z"], dtype=object)[np.arange(N) % 3]
    X = TABLE.copy()
    X.insert(0, "kind", kind)
    model = fit(name, "regressor", X=X, monotonic_cst={"a": 1, "b": -1})
    assert steps(model, 1, X)[0] >= 0
    assert steps(model, 2, X)[1] <= 0
    with pytest.raises(
        ValueError, match="'kind' holds categories, which have no order"
    ):
        fit(name, "regressor", X=X, monotonic_cst={"kind": 1})


@booster
def test_monotonic_that_cannot_be_honoured_is_refused(name):
    for loss, quantile in (("absolute_error", None), ("quantile", 0.3)):
        own = {"loss": loss, "quantile": quantile}
        with pytest.raises(ValueError, match=f"honoured with loss='{loss}'"):
            fit(name, "regressor", monotonic_cst={"a": 1}, **own)
        fit(name, "regressor", monotonic_cst={"a": 0}, **own)
    y = np.arange(N) % 3
    model = BOOSTERS[name][0](n_estimators=2, monotonic_cst={"a": 1})
    with pytest.raises(ValueError, match="cannot be honoured for 3 classes"):
        model.fit(TABLE, y)


def paths_of(name, model):
    """The features that meet on each way from a root to a leaf, in all trees."""
    paths = []

    def walk(node, above, split):
        feature, children = split(node)
        if feature is None:
            paths.append(above)
        else:
            for child in children:
                walk(child, above | {feature}, split)

    def of_xgboost(node):
        return node.get("split"), node.get("children")

    def of_lightgbm(node):
        if "split_feature" not in node:
            return None, None
        return node["split_feature"], (node["left_child"], node["right_child"])

    if name == "xgboost":
        for tree in model.booster_.get_dump(dump_format="json"):
            walk(json.loads(tree), frozenset(), of_xgboost)
        return {frozenset("abcd".index(f) for f in path) for path in paths}
    if name == "lightgbm":
        for tree in model.booster_.dump_model()["tree_info"]:
            walk(tree["tree_structure"], frozenset(), of_lightgbm)
        return set(paths)
    for tree in (t for trees in model.estimator_._predictors for t in trees):

        def of_hist(node, nodes=tree.nodes):
            if nodes[node]["is_leaf"]:
                return None, None
            children = int(nodes[node]["left"]), int(nodes[node]["right"])
            return int(nodes[node]["feature_idx"]), children

        walk(0, frozenset(), of_hist)
    return set(paths)


INTERACTIONS = [
    ([["a", "b"], ["c", "d"]], [{0, 1}, {2, 3}]),
    ([[0, "b"]], [{0, 1}, {2, 3}]),
    ((("c", "a"),), [{0, 2}, {1, 3}]),
    ([[0, 1, 2], [2, 3]], [{0, 1, 2}, {2, 3}]),
    ("no_interactions", [{0}, {1}, {2}, {3}]),
    ("pairwise", [{0, 1}, {0, 2}, {0, 3}, {1, 2}, {1, 3}, {2, 3}]),
]


@cache
def free_paths(name, kind):
    return paths_of(name, fit(name, kind))


@pytest.mark.parametrize(
    ("name", "kind", "interaction_cst", "allowed"),
    [
        *(("hist", "classifier", *case) for case in INTERACTIONS),
        # What reaches the libraries: groups apart, groups that overlap, single ones.
        *(
            (name, kind, *INTERACTIONS[i])
            for name in ("xgboost", "lightgbm")
            for kind, i in (("classifier", 3), ("regressor", 0), ("regressor", 4))
        ),
        ("hist", "regressor", *INTERACTIONS[3]),
    ],
)
def test_only_features_that_may_interact_do(name, kind, interaction_cst, allowed):
    free = free_paths(name, kind)
    assert any(not any(path <= set_ for set_ in allowed) for path in free)
    paths = paths_of(name, fit(name, kind, interaction_cst=interaction_cst))
    assert all(any(path <= set_ for set_ in allowed) for path in paths)
    assert len(paths) >= 2


@booster
@pytest.mark.parametrize("order", ["abk", "kab", "akb"])
def test_interactions_beside_categories_mean_the_right_columns(name, order):
    rng = np.random.default_rng(0)
    a, b = rng.normal(size=(2, 1000))
    k = rng.choice(list("uvw"), 1000).astype(object)
    X, y = pd.DataFrame({"a": a, "b": b, "k": k})[list(order)], a * b

    def score(interaction_cst):
        cls = BOOSTERS[name][1]
        few = {"n_estimators": 30, "learning_rate": 0.2}
        return cls(**few, interaction_cst=interaction_cst).fit(X, y).score(X, y)

    assert score([["a", "b"]]) > 0.8 < score("pairwise")
    assert score([["a", "k"], ["b", "k"]]) < 0.4 > score("no_interactions")


@booster
def test_names_that_a_library_does_not_take(name):
    """Of such columns, libraries get none; the constraints are meant by position."""
    X = TABLE.set_axis(["a[1]", "b<", "c d", 'e"'], axis=1)
    model = fit(
        name,
        "regressor",
        X=X,
        monotonic_cst={"a[1]": 1},
        interaction_cst=[["a[1]", "b<"], ["c d", 'e"']],
    )
    assert steps(model, 0, X)[0] >= 0


@booster
@pytest.mark.parametrize(
    ("parameter", "value", "message"),
    [
        ("monotonic_cst", [1, 0], "monotonic_cst has 2 values; X has 4 features"),
        ("monotonic_cst", {"e": 1}, "monotonic_cst has the name 'e', which is no"),
        ("monotonic_cst", {4: 1}, "monotonic_cst has the position 4; X has 4"),
        ("monotonic_cst", {"a": 2}, "monotonic_cst of feature 'a' is 2; must be 1"),
        ("monotonic_cst", [0, 0, 0.5, 0], "monotonic_cst of feature 2 is 0.5"),
        ("interaction_cst", [["a", "e"]], "interaction_cst has the name 'e'"),
        ("interaction_cst", [[0, -1]], "interaction_cst has the position -1"),
        ("interaction_cst", "all", "The 'interaction_cst' parameter"),
        ("interaction_cst", ["a", "b"], "has 'a'; expected a list of lists"),
        ("interaction_cst", [["a", "b"], 2], "has 2; expected a list of lists"),
    ],
)
def test_constraints_that_cannot_be(name, parameter, value, message):
    with pytest.raises(ValueError, match=message):
        fit(name, "regressor", **{parameter: value})


@booster
def test_names_need_a_table_that_has_them(name):
    with pytest.raises(ValueError, match="'a', but X has no column names"):
        fit(name, "regressor", X=X, monotonic_cst={"a": 1})


def test_constraints_become_positions():
    names = ["a", "b", "c"]
    assert resolve_monotonic_cst({"c": -1, 0: 1}, 3, names).tolist() == [1, 0, -1]
    assert resolve_monotonic_cst([0, 0, 0], 3, None) is None
    assert resolve_interaction_cst([["c", 1]], 3, names) == [[1, 2], [0]]
    assert resolve_interaction_cst([[2, 1, 0]], 3, names) == [[0, 1, 2]]
    assert resolve_interaction_cst("pairwise", 1, None) == [[0]]
    assert resolve_interaction_cst("no_interactions", 2, None) == [[0], [1]]
