"""The text of LightGBM's models, checked before LightGBM reads it."""

import re

import numpy as np

from skml.tabular._booster_files import NUMBER, check_children, refuse

_INTEGERS = re.compile(r"(?:-?\d{1,10}(?: -?\d{1,10})*)?", re.ASCII)
_FLOATS = re.compile(rf"(?:{NUMBER}(?: {NUMBER})*)?", re.ASCII)
_CONTROL = re.compile(r"[\x00-\x09\x0b-\x1f\x7f]")
_INFO = re.compile(rf"none|\[{NUMBER}:{NUMBER}\]|-?\d{{1,10}}(?::-?\d{{1,10}})*", re.A)
_PARAMETER = re.compile(r"\[\w{1,60}: [^:\"\\\n]*\]", re.ASCII)
_OBJECTIVE = re.compile(rf"\w+(?: \w+:{NUMBER}| sqrt)*", re.ASCII)
# A line of a tree: how its numbers look, and how many there are, by the numbers of
# leaves, splits and splits of categories; None if it is no matter, or told elsewhere.
_LINES = {
    "num_leaves": (_INTEGERS, lambda leaves, splits, cats: 1),
    "num_cat": (_INTEGERS, lambda leaves, splits, cats: 1),
    "split_feature": (_INTEGERS, lambda leaves, splits, cats: splits),
    "split_gain": (_FLOATS, lambda leaves, splits, cats: splits),
    "threshold": (_FLOATS, lambda leaves, splits, cats: splits),
    "decision_type": (_INTEGERS, lambda leaves, splits, cats: splits),
    "left_child": (_INTEGERS, lambda leaves, splits, cats: splits),
    "right_child": (_INTEGERS, lambda leaves, splits, cats: splits),
    "leaf_value": (_FLOATS, lambda leaves, splits, cats: leaves),
    "leaf_weight": (_FLOATS, lambda leaves, splits, cats: leaves if splits else 0),
    "leaf_count": (_INTEGERS, lambda leaves, splits, cats: leaves if splits else None),
    "internal_value": (_FLOATS, lambda leaves, splits, cats: splits),
    "internal_weight": (_FLOATS, lambda leaves, splits, cats: splits),
    "internal_count": (_INTEGERS, lambda leaves, splits, cats: splits),
    "cat_boundaries": (_INTEGERS, lambda leaves, splits, cats: cats + 1),
    "cat_threshold": (_INTEGERS, lambda leaves, splits, cats: None),
    "is_linear": (_INTEGERS, lambda leaves, splits, cats: 1),
    "shrinkage": (_FLOATS, lambda leaves, splits, cats: 1),
}
_OF_CATEGORIES = ("cat_boundaries", "cat_threshold")


def check_lightgbm(text, place, expected):
    """Check a model of LightGBM.

    Parameters
    ----------
    text : str
        LightGBM's text.
    place : str
        The file, for messages.
    expected : Expected
        What it must agree with.

    Returns
    -------
    text : str
        The same.
    """
    if found := _CONTROL.search(text):
        line = text.count("\n", 0, found.start()) + 1
        refuse(f"{place}, line {line}", "printable characters", found[0])
    head, *trees = re.split(r"^(?=Tree=)", text, flags=re.MULTILINE)
    last, end, rest = trees[-1].partition("end of trees\n") if trees else ("", "", "")
    if not end:
        refuse(place, "trees, and a line 'end of trees' after them", text[-60:])
    trees[-1] = last
    _check_head(head, trees, f"{place}, before the first tree", expected)
    for i, tree in enumerate(trees):
        _check_tree(tree, i, f"{place}, Tree={i}", expected)
    _check_rest(rest, f"{place}, after the last tree")
    return text


def _check_head(head, trees, place, expected):
    """Check the lines before the trees."""
    n_features = len(expected.n_categories)
    names = expected.names or [f"Column_{j}" for j in range(n_features)]
    lines = iter(head.split("\n"))
    for wanted in (
        "tree",
        "version=v4",
        f"num_class={expected.n_outputs}",
        f"num_tree_per_iteration={expected.n_outputs}",
        "label_index=0",
        f"max_feature_idx={n_features - 1}",
    ):
        if (line := next(lines, "")) != wanted:
            refuse(place, f"the line {wanted!r}", line)
    _check_objective(next(lines, ""), place, expected)
    line = next(lines, "")
    if line != f"feature_names={' '.join(names)}":
        refuse(place, f"feature_names={' '.join(names):.60}", line)
    line = next(lines, "")
    if line.startswith("monotone_constraints="):
        _read(line, "monotone_constraints", _INTEGERS, n_features, place)
        line = next(lines, "")
    infos = line.removeprefix("feature_infos=").split(" ")
    if (
        not line.startswith("feature_infos=")
        or len(infos) != n_features
        or not all(map(_INFO.fullmatch, infos))
    ):
        refuse(place, f"feature_infos={n_features} ranges", line)
    sizes = " ".join(str(len(tree.encode())) for tree in trees)
    if (line := next(lines, "")) != f"tree_sizes={sizes}":
        refuse(place, f"tree_sizes={sizes:.60}", line)
    if len(trees) != expected.n_outputs * expected.n_iter:
        refuse(place, f"{expected.n_outputs * expected.n_iter} trees", len(trees))
    if (rest := list(lines)) != ["", ""]:
        refuse(place, "an empty line", rest)


def _check_objective(line, place, expected):
    name, _, objective = line.partition("=")
    params = objective.split(" ")
    if name != "objective" or params[0] != expected.objective:
        refuse(place, f"the line 'objective={expected.objective}'", line)
    if not _OBJECTIVE.fullmatch(objective):
        refuse(place, "numbers as parameters of the objective", line)
    for param in params[1:]:
        if param.startswith("num_class") and param != f"num_class:{expected.n_outputs}":
            refuse(place, f"num_class:{expected.n_outputs}", line)


def _check_tree(text, i, place, expected):
    """Check one tree, line by line."""
    lines = text.split("\n")
    if lines[0] != f"Tree={i}":
        refuse(place, f"Tree={i}", lines[0])
    values, position = {}, 1
    n_leaves = n_cat = 1
    for key, (pattern, count) in _LINES.items():
        if key in _OF_CATEGORIES and n_cat == 0:
            continue
        line = lines[position] if position < len(lines) else ""
        n_values = count(n_leaves, n_leaves - 1, n_cat)
        values[key] = _read(line, key, pattern, n_values, place)
        position += 1
        if key == "num_leaves":
            n_leaves = _bounded(values[key], key, 1, 2**30, place)
        elif key == "num_cat":
            n_cat = _bounded(values[key], key, 0, n_leaves - 1, place)
        elif key == "is_linear":
            _bounded(values[key], key, 0, 0, place)
    if lines[position:] != ["", "", ""]:
        refuse(place, "two empty lines", lines[position:])
    if n_leaves > 1:
        _check_nodes(values, n_leaves, n_cat, place, expected)


def _check_nodes(values, n_leaves, n_cat, place, expected):
    n_features, n_splits = len(expected.n_categories), n_leaves - 1
    features = _array(values, "split_feature", 0, n_features - 1, place)
    kinds = _array(values, "decision_type", 0, 11, place)
    left, right = (
        # Leaf i is ~i; here it comes after the nodes that split.
        np.where(children < 0, n_splits + ~children, children)
        for children in (
            _array(values, key, -n_leaves, n_splits - 1, place)
            for key in ("left_child", "right_child")
        )
    )
    no_children = np.full(n_leaves, -1)
    check_children(
        np.concatenate([left, no_children]),
        np.concatenate([right, no_children]),
        n_splits + n_leaves,
        place,
    )
    by_category = (kinds & 1).astype(bool)
    is_categorical = np.array([n is not None for n in expected.n_categories])
    if (by_category != is_categorical[features]).any():
        refuse(f"{place}, decision_type", "odd numbers for categories alone", "others")
    for key in ("leaf_count", "internal_count"):
        _array(values, key, 0, 2**31 - 1, place)
    if n_cat:
        _check_categories(values, by_category, n_cat, place)
    elif by_category.any():
        refuse(f"{place}, num_cat", "the number of splits of categories", "0")


def _check_categories(values, by_category, n_cat, place):
    """Check the sets of categories, which are words of 32 bits, and who has which."""
    starts = _array(values, "cat_boundaries", 0, 2**31 - 1, place)
    n_words = len(values["cat_threshold"])
    if starts[0] != 0 or (np.diff(starts) < 1).any() or starts[-1] != n_words:
        refuse(f"{place}, cat_boundaries", f"parts of 0 to {n_words}", "others")
    _array(values, "cat_threshold", 0, 2**32 - 1, place)
    for position in np.flatnonzero(by_category):
        which = values["threshold"][position]
        if not re.fullmatch(r"\d{1,9}", which, re.ASCII) or int(which) >= n_cat:
            refuse(f"{place}, threshold", f"sets of categories below {n_cat}", which)


def _check_rest(text, place):
    """Check what stands after the trees: importances, which nobody reads, and more."""
    found = re.fullmatch(
        r"\nfeature_importances:\n(?P<importances>(?:[^\n]*=[\d.e+-]{1,30}\n)*)"
        r"(?:\nparameters:\n(?P<parameters>(?:\[[^\n]*\n)*)\nend of parameters\n)?"
        r"\npandas_categorical:null\n*",
        text,
    )
    if found is None:
        refuse(place, "feature_importances, parameters, pandas_categorical:null", text)
    for line in (found["parameters"] or "").splitlines():
        if not _PARAMETER.fullmatch(line):
            refuse(f"{place}, parameters", "[name: value]", line)
        if line.startswith("[linear_tree:") and line != "[linear_tree: 0]":
            refuse(f"{place}, parameters", "[linear_tree: 0], as in the trees", line)


def _read(line, key, pattern, n_values, place):
    """The values of a line."""
    if not line.startswith(f"{key}="):
        refuse(place, f"the line {key}=...", line)
    text = line[len(key) + 1 :]
    if not pattern.fullmatch(text):
        refuse(f"{place}, {key}", "numbers with a space between them", text)
    values = text.split(" ") if text else []
    if n_values is not None and len(values) != n_values:
        refuse(f"{place}, {key}", f"{n_values} values", f"{len(values)} values")
    return values


def _bounded(values, key, low, high, place):
    value = int(values[0])
    if not low <= value <= high:
        refuse(f"{place}, {key}", f"{low} to {high}", value)
    return value


def _array(values, key, low, high, place):
    array = np.array(values[key], dtype=np.int64)
    wrong = array[(array < low) | (array > high)]
    if len(wrong):
        refuse(f"{place}, {key}", f"{low} to {high}", int(wrong[0]))
    return array
