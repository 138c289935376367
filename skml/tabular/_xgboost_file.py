"""The JSON of XGBoost's models, checked before XGBoost reads it."""

import json
import re

import numpy as np

from skml.tabular._booster_files import LARGEST, NUMBER, check_children, refuse
from skml.tabular._json_values import without_repeats

_COUNT = re.compile(r"\d{1,9}", re.ASCII)
_NUMBERS = re.compile(rf"\[?{NUMBER}(?:,{NUMBER})*\]?", re.ASCII)
_FLOATS = ("base_weights", "loss_changes", "split_conditions", "sum_hessian")
_FLAGS = ("default_left", "split_type")
_NODES = ("left_children", "right_children", "parents", "split_indices")
_CATEGORIES = (
    "categories",
    "categories_nodes",
    "categories_segments",
    "categories_sizes",
)


def check_xgboost(text, place, expected):
    """Check a model of XGBoost.

    Parameters
    ----------
    text : str
        XGBoost's JSON.
    place : str
        The file, for messages.
    expected : Expected
        What it must agree with.

    Returns
    -------
    text : str
        The same once more, as JSON that is read in one way only.
    """
    try:
        model = json.loads(text, object_pairs_hook=without_repeats)
    except (ValueError, RecursionError) as error:
        raise ValueError(f"{place}: expected JSON; {error}.") from error
    _entries(model, {"learner", "version"}, place)
    _integers(model, "version", f"{place}: model", length=3, low=0)
    _refuse_newer(model["version"], place)
    learner = model["learner"]
    here = f"{place}: learner"
    _entries(
        learner,
        {
            "attributes",
            "feature_names",
            "feature_types",
            "gradient_booster",
            "learner_model_param",
            "objective",
        },
        here,
    )
    _strings(learner["attributes"], f"{here}.attributes")
    types = ["q" if n is None else "c" for n in expected.n_categories]
    for key, values in (
        ("feature_names", expected.names or []),
        ("feature_types", types),
    ):
        if learner[key] != values:
            refuse(f"{here}.{key}", f"{values!r:.60}", learner[key])
    _check_learner_param(learner["learner_model_param"], here, expected)
    _check_objective(learner["objective"], f"{here}.objective", expected)
    _check_trees(learner["gradient_booster"], f"{here}.gradient_booster", expected)
    return json.dumps(model, ensure_ascii=False)


def _refuse_newer(version, place):
    """Refuse what an older XGBoost reads, but misunderstands: a list as base score."""
    import xgboost

    installed = [int(part) for part in xgboost.__version__.split(".")[:2]]
    if version[:2] > installed:
        raise ValueError(
            f"{place} is of XGBoost {'.'.join(map(str, version))}, and XGBoost "
            f"{xgboost.__version__} would predict something else. Install the newer."
        )


def _check_learner_param(param, here, expected):
    place = f"{here}.learner_model_param"
    keys = {"base_score", "boost_from_average", "num_class", "num_feature"}
    _entries(param, keys | {"num_target"}, place)
    _strings(param, place)
    n_classes = expected.n_outputs if expected.n_outputs > 1 else 0
    for key, value in (
        ("num_class", n_classes),
        ("num_feature", len(expected.n_categories)),
        ("num_target", 1),
    ):
        if param[key] != str(value):
            refuse(f"{place}.{key}", repr(str(value)), param[key])
    score = param["base_score"]
    is_one = score.count(",") == 0
    if not _NUMBERS.fullmatch(score) or not (
        is_one or score.count(",") == expected.n_outputs - 1
    ):
        refuse(f"{place}.base_score", "a number for each output", score)
    if param["boost_from_average"] not in {"0", "1"}:
        refuse(f"{place}.boost_from_average", "'0' or '1'", param["boost_from_average"])


def _check_objective(objective, place, expected):
    if not isinstance(objective, dict) or objective.get("name") != expected.objective:
        refuse(place, f"the name {expected.objective!r}", objective)
    for key, param in objective.items():
        if key == "name":
            continue
        _strings(param, f"{place}.{key}")
        for name, value in param.items():
            if not _NUMBERS.fullmatch(value) or "," in value:
                refuse(f"{place}.{key}.{name}", "a number", value)
            if name == "num_class" and value != str(expected.n_outputs):
                refuse(f"{place}.{key}.{name}", expected.n_outputs, value)


def _check_trees(booster, here, expected):
    _entries(booster, {"model", "name"}, here)
    if booster["name"] != "gbtree":
        refuse(f"{here}.name", "'gbtree'", booster["name"])
    model, here = booster["model"], f"{here}.model"
    keys = {"gbtree_model_param", "iteration_indptr", "tree_info", "trees"}
    _entries(model, keys, here, optional={"cats"})
    cats = model.get("cats", {})
    if not isinstance(cats, dict) or any(value != [] for value in cats.values()):
        refuse(f"{here}.cats", "no categories; they are in estimator.json", cats)
    param = model["gbtree_model_param"]
    _entries(param, {"num_parallel_tree", "num_trees"}, f"{here}.gbtree_model_param")
    n_parallel = _count(param, "num_parallel_tree", f"{here}.gbtree_model_param")
    if n_parallel == 0:
        refuse(f"{here}.gbtree_model_param.num_parallel_tree", "1 or more", 0)
    step = n_parallel * expected.n_outputs
    n_trees = step * expected.n_iter
    trees = model["trees"]
    if not isinstance(trees, list) or n_trees != len(trees):
        n_found = len(trees) if isinstance(trees, list) else trees
        refuse(f"{here}.trees", f"{n_trees} trees", n_found)
    if _count(param, "num_trees", f"{here}.gbtree_model_param") != n_trees:
        refuse(f"{here}.gbtree_model_param.num_trees", n_trees, param["num_trees"])
    if model["iteration_indptr"] != list(range(0, n_trees + 1, step)):
        refuse(f"{here}.iteration_indptr", f"steps of {step}", "other numbers")
    of_output = np.repeat(np.arange(expected.n_outputs), n_parallel).tolist()
    if model["tree_info"] != of_output * expected.n_iter:
        refuse(f"{here}.tree_info", f"{of_output!r:.60} again and again", "others")
    _integers(model, "tree_info", here, length=n_trees)
    _integers(model, "iteration_indptr", here, length=expected.n_iter + 1)
    for i, tree in enumerate(trees):
        _check_xgboost_tree(tree, i, f"{here}.trees[{i}]", expected)


def _check_xgboost_tree(tree, i, place, expected):
    keys = {"id", "tree_param", *_FLOATS, *_FLAGS, *_NODES, *_CATEGORIES}
    _entries(tree, keys, place)
    if type(tree["id"]) is not int or tree["id"] != i:
        refuse(f"{place}.id", i, tree["id"])
    param, of_param = tree["tree_param"], f"{place}.tree_param"
    names = {"num_deleted", "num_feature", "num_nodes", "size_leaf_vector"}
    _entries(param, names, of_param)
    n_nodes = _count(param, "num_nodes", of_param)
    n_deleted = _count(param, "num_deleted", of_param)
    n_features = len(expected.n_categories)
    if _count(param, "num_feature", of_param) != n_features:
        refuse(f"{of_param}.num_feature", n_features, param["num_feature"])
    if param["size_leaf_vector"] not in {"0", "1"}:
        refuse(f"{of_param}.size_leaf_vector", "'1'", param["size_leaf_vector"])
    for key in _FLOATS:
        _check_list(tree, key, float, place, n_nodes)
    for key in _FLAGS:
        _integers(tree, key, place, length=n_nodes, low=0, high=1)
    left, right, parents, features = (
        _integers(tree, key, place, length=n_nodes, low=-1) for key in _NODES
    )
    if ((left < 0) != (right < 0)).any():
        refuse(place, "two children or none", "a node with one")
    check_children(left, right, n_nodes - n_deleted, place)
    is_split = left >= 0
    nodes = np.flatnonzero(is_split)
    if (
        (parents[left[nodes]] != nodes).any()
        or (parents[right[nodes]] != nodes).any()
        or parents[0] not in {-1, LARGEST}
        or ((parents >= n_nodes) & (parents != LARGEST)).any()
    ):
        refuse(f"{place}.parents", "the parent of each child", "another node")
    if (features[nodes] < 0).any() or (features[nodes] >= n_features).any():
        wrong = features[nodes].max()
        refuse(f"{place}.split_indices", f"features 0 to {n_features - 1}", int(wrong))
    is_categorical = np.array([n is not None for n in expected.n_categories])
    by_category = np.asarray(tree["split_type"], dtype=bool)
    if (by_category[nodes] != is_categorical[features[nodes]]).any():
        refuse(f"{place}.split_type", "1 for categories, else 0", "another value")
    _check_categories(tree, np.flatnonzero(by_category), features, place, expected)


def _check_categories(tree, nodes, features, place, expected):
    """Check that each node that splits categories has a list of them."""
    _integers(tree, "categories_nodes", place)
    if tree["categories_nodes"] != nodes.tolist():
        refuse(f"{place}.categories_nodes", "nodes that split categories", "others")
    codes = _integers(tree, "categories", place, low=0)
    starts, sizes = (
        _integers(tree, f"categories_{name}", place, length=len(nodes), low=0)
        for name in ("segments", "sizes")
    )
    if (starts != np.cumsum(sizes) - sizes).any() or sizes.sum() != len(codes):
        refuse(f"{place}.categories_sizes", "parts of categories, in order", "others")
    n_categories = [expected.n_categories[j] or 0 for j in features[nodes]]
    if (codes >= np.repeat(n_categories, sizes)).any():
        refuse(f"{place}.categories", "codes of categories", int(codes.max()))


def _entries(value, keys, place, optional=frozenset()):
    """Check that something is an object of JSON with these keys and no others."""
    if not isinstance(value, dict):
        refuse(place, "an object", value)
    missing, others = keys - value.keys(), value.keys() - keys - optional
    if missing or others:
        got = f"none {min(missing)!r}" if missing else f"the key {min(others)!r:.40}"
        raise ValueError(
            f"{place}: expected {', '.join(sorted(keys))}; there is {got}."
        )


def _strings(value, place):
    if not isinstance(value, dict) or not all(type(v) is str for v in value.values()):
        refuse(place, "an object of strings", value)


def _count(owner, key, place):
    value = owner[key]
    if type(value) is not str or not _COUNT.fullmatch(value):
        refuse(f"{place}.{key}", "a count, as a string", value)
    return int(value)


def _check_list(owner, key, kind, place, length):
    values = owner[key]
    if not isinstance(values, list):
        refuse(f"{place}.{key}", "a list", values)
    if length is not None and len(values) != length:
        refuse(f"{place}.{key}", f"{length} values", f"{len(values)} values")
    if not set(map(type, values)) <= {kind}:
        wrong = next(value for value in values if type(value) is not kind)
        refuse(f"{place}.{key}", f"values of type {kind.__name__}", wrong)
    return values


def _integers(owner, key, place, *, length=None, low=-LARGEST, high=LARGEST):
    values = _check_list(owner, key, int, place, length)
    if values and not low <= min(values) <= max(values) <= high:
        wrong = min(values) if min(values) < low else max(values)
        refuse(f"{place}.{key}", f"integers from {low} to {high}", wrong)
    return np.array(values, dtype=np.int64)
