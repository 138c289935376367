"""The one door to what scikit-learn's gradient boosting keeps private.

It has no public way to predict without checking the table again, to keep some of the
trees, or to write them as data. The names were seen in scikit-learn 1.7 to 1.9. Where
one is gone, it is an AttributeError at the first fit, prediction or save that needs it,
never another result; GBDTClassifier and GBDTRegressor then need a new version here.
"""

import copy

import numpy as np

# Values that are no further apart are equal to exact trees: FEATURE_THRESHOLD, of
# sklearn/tree/_partitioner.pyx, which Python does not see.
FEATURE_THRESHOLD = 1e-7
_MT19937_SIZE = 624  # words of the state of a RandomState
# Which parameters trees as data have: what a fit sets, but for functions.
_NOT_DATA = {"scoring", "init", "verbose"}


# Histogram-based trees


def begin_hist(native, X):
    """A table as the trees take it, and what is predicted before the first."""
    if native._preprocessor is not None:  # categories come first
        X = native._preprocessor.transform(X)
    baseline = native._baseline_prediction
    shape = (X.shape[0], native.n_trees_per_iteration_)
    raw = np.zeros(shape, dtype=baseline.dtype, order="F")
    raw += baseline
    return X, raw


def add_hist(native, X, raw, begin, end, n_threads):
    """Add the values of the trees of some iterations."""
    native._predict_iterations(X, native._predictors[begin:end], raw, False, n_threads)


def count_hist(native):
    """The number of iterations so far, also while it is fitted."""
    return len(native._predictors)


def first_hist(native, n_iter):
    """A copy with the trees of the first iterations."""
    native = copy.copy(native)
    native._predictors = native._predictors[:n_iter]
    native._feature_subsample_rng = copy.deepcopy(native._feature_subsample_rng)
    native.train_score_ = native.train_score_[: n_iter + 1]
    native.validation_score_ = native.validation_score_[: n_iter + 1]
    return native


def set_hist_scorer(native, scorer):
    """Let scores be computed by this, in a fit that goes on."""
    native._scorer = scorer


def splits_of_hist(native):
    """Feature, gain, and whether missing values go left, of all splits."""
    nodes = np.concatenate([tree.nodes for tree in _trees_of_hist(native)])
    nodes = nodes[nodes["is_leaf"] == 0]
    feature = nodes["feature_idx"].astype(np.intp)
    if native.is_categorical_ is not None:  # they were moved to the front
        feature = np.argsort(~native.is_categorical_, kind="stable")[feature]
    return feature, nodes["gain"].astype(np.float64), nodes["missing_go_to_left"] > 0


def _trees_of_hist(native):
    return [tree for trees in native._predictors for tree in trees]


def hist_to_data(native):
    """A fitted HistGradientBoosting as numbers and arrays."""
    trees = _trees_of_hist(native)
    generator = native._feature_subsample_rng.bit_generator.state
    return {
        "parameters": _parameters(native),
        "classes": getattr(native, "classes_", None),
        "is_categorical": native.is_categorical_,
        "categories": _categories_of_hist(native),
        "baseline": native._baseline_prediction,
        "train_score": np.asarray(native.train_score_),
        "validation_score": np.asarray(native.validation_score_),
        "seed": int(native._random_seed),
        "generator": generator,
        "nodes": _as_columns(np.concatenate([tree.nodes for tree in trees])),
        "n_nodes": np.array([len(tree.nodes) for tree in trees]),
        "n_bitsets": np.array([len(tree.raw_left_cat_bitsets) for tree in trees]),
        "raw_bitsets": np.concatenate([t.raw_left_cat_bitsets for t in trees]),
        "binned_bitsets": np.concatenate([t.binned_left_cat_bitsets for t in trees]),
    }


def hist_from_data(cls, data, n_features):
    """The same again: a sketch that is fitted to its categories, and gets the trees.

    It is a ValueError if they would read outside of themselves or of a table, or are of
    another version of scikit-learn.
    """
    from sklearn.ensemble._hist_gradient_boosting.common import PREDICTOR_RECORD_DTYPE
    from sklearn.ensemble._hist_gradient_boosting.predictor import TreePredictor

    nodes = _as_nodes(data["nodes"], PREDICTOR_RECORD_DTYPE)
    mask = data["is_categorical"]
    categories = _check_categories(data["categories"], mask, n_features)
    native = _sketch_hist(cls, data, n_features, categories)
    parts = []
    for name in ("raw_bitsets", "binned_bitsets"):
        bits = np.ascontiguousarray(data[name])
        if bits.ndim != 2 or bits.shape[1] != 8 or bits.dtype != np.uint32:
            raise ValueError(f"{name} are not rows of eight words")
        parts.append(_split(bits, data["n_bitsets"], name))
    trees = _split(nodes, data["n_nodes"], "nodes")
    if not len(trees) == len(parts[0]) == len(parts[1]):
        raise ValueError("there are not the same numbers of trees and of bitsets")
    for tree, bits in zip(trees, parts[0], strict=True):
        is_split = tree["is_leaf"] == 0
        _check_tree(tree["left"], tree["right"], is_split)
        _check_range(tree["feature_idx"][is_split], n_features, "features")
        by_category = tree[is_split & (tree["is_categorical"] > 0)]
        _check_range(by_category["feature_idx"], len(categories), "categories")
        _check_range(by_category["bitset_idx"], len(bits), "bitsets")
    k = native.n_trees_per_iteration_
    if len(trees) % k or data["baseline"].shape != (1, k):
        raise ValueError(f"{len(trees)} trees are not {k} for each iteration")
    trees = [TreePredictor(*t) for t in zip(trees, parts[1], parts[0], strict=True)]
    native._predictors = [trees[i : i + k] for i in range(0, len(trees), k)]
    native._baseline_prediction = data["baseline"]
    native.train_score_ = data["train_score"]
    native.validation_score_ = data["validation_score"]
    native._random_seed = np.uint64(data["seed"])
    native._feature_subsample_rng = np.random.default_rng(0)
    native._feature_subsample_rng.bit_generator.state = data["generator"]
    return native.set_params(**data["parameters"])


def _categories_of_hist(native):
    """The codes of each column of categories that were there in fit."""
    if native._preprocessor is None:
        return None
    encoder = native._preprocessor.named_transformers_["encoder"]
    return [codes[~np.isnan(codes)] for codes in encoder.categories_]


def _check_categories(categories, mask, n_features):
    if (categories is None) != (mask is None):
        raise ValueError("categories and is_categorical do not belong together")
    if mask is None:
        return []
    if mask.dtype != bool or mask.shape != (n_features,):
        raise ValueError(f"is_categorical is not an array of {n_features} bools")
    if len(categories) != mask.sum() or not all(
        codes.dtype == np.float64 and codes.ndim == 1 and len(codes) <= 255
        for codes in categories
    ):
        raise ValueError("categories are not codes of the columns of categories")
    return categories


def _sketch_hist(cls, data, n_features, categories):
    """A model of the same columns and classes, fitted to one row a category."""
    classes, mask = data["classes"], data["is_categorical"]
    y = np.array([1.0, 2.0]) if classes is None else classes
    n_rows = max([len(y), *map(len, categories)])
    X = np.zeros((n_rows, n_features))
    if mask is not None:
        for j, codes in zip(np.flatnonzero(mask), categories, strict=True):
            X[:, j] = np.resize(codes, n_rows) if len(codes) else np.nan
    own = {k: v for k, v in data["parameters"].items() if k in {"loss", "quantile"}}
    native = cls(**own, max_iter=1, categorical_features=mask, early_stopping=False)
    return native.fit(X, np.resize(y, n_rows))


# Exact trees


def first_exact(native, n_iter):
    """A copy with the trees of the first iterations."""
    native = copy.copy(native)
    native.estimators_ = native.estimators_[:n_iter]
    native._rng = copy.deepcopy(native._rng)
    native.train_score_ = native.train_score_[:n_iter]
    native.n_estimators_ = native.n_estimators = n_iter
    return native


def exact_to_data(native):
    """A fitted GradientBoosting as numbers and arrays."""
    trees = [tree.tree_ for tree in native.estimators_.ravel()]
    states = [tree.__getstate__() for tree in trees]
    return {
        "parameters": _parameters(native),
        "classes": getattr(native, "classes_", None),
        "initial": getattr(native.init_, _initial(native.init_)),
        "train_score": native.train_score_,
        "generator": native._rng.get_state(legacy=False),
        "nodes": _as_columns(np.concatenate([state["nodes"] for state in states])),
        "values": np.concatenate([state["values"] for state in states]),
        "n_nodes": np.array([state["node_count"] for state in states]),
        "max_depth": np.array([state["max_depth"] for state in states]),
    }


def exact_from_data(cls, data, n_features):
    """The same again: a sketch that is fitted to its classes, and gets the trees."""
    from sklearn.tree._tree import NODE_DTYPE

    nodes = _as_nodes(data["nodes"], NODE_DTYPE)
    trees = _split(nodes, data["n_nodes"], "nodes")
    values = _split(data["values"], data["n_nodes"], "values")
    depths = data["max_depth"]
    if depths.shape != (len(trees),) or depths.dtype.kind != "i":
        raise ValueError(f"max_depth is not one number for each of {len(trees)} trees")
    for tree in trees:
        is_split = tree["left_child"] != -1
        _check_tree(tree["left_child"], tree["right_child"], is_split)
        _check_range(tree["feature"][is_split], n_features, "features")
    native = _sketch_exact(cls, data, n_features)
    k = native.n_trees_per_iteration_
    if len(trees) % k:
        raise ValueError(f"{len(trees)} trees are not {k} for each iteration")
    _set_initial(native.init_, data["initial"])
    pairs = zip(trees, values, depths.tolist(), strict=True)
    trees = [_exact_tree(native.estimators_[0, 0], *parts) for parts in pairs]
    native.estimators_ = np.array(trees, dtype=object).reshape(-1, k)
    native.n_estimators_ = len(trees) // k
    native.train_score_ = data["train_score"]
    native._rng = _random_state(data["generator"])
    return native


def _sketch_exact(cls, data, n_features):
    """A model of the same columns and classes, fitted to one row a class."""
    y = np.array([1.0, 2.0]) if data["classes"] is None else data["classes"]
    small = {"n_estimators": 1, "subsample": 1.0, "warm_start": False}
    native = cls(**(data["parameters"] | small))
    native.fit(np.zeros((len(y), n_features)), y)
    return native.set_params(**data["parameters"])


def _exact_tree(sketch, nodes, values, max_depth):
    tree = copy.copy(sketch)
    state = {"max_depth": max_depth, "node_count": len(nodes)}
    state |= {"nodes": nodes, "values": np.ascontiguousarray(values)}
    tree.tree_ = type(sketch.tree_)(sketch.n_features_in_, np.array([1]), 1)
    tree.tree_.__setstate__(state)
    return tree


def _initial(dummy):
    """Where a dummy has what it predicts: fractions of classes, or one number."""
    return "class_prior_" if hasattr(dummy, "class_prior_") else "constant_"


def _set_initial(dummy, values):
    name = _initial(dummy)
    if values.shape != getattr(dummy, name).shape or values.dtype != np.float64:
        raise ValueError("initial is not one number for each output")
    setattr(dummy, name, values)


def _random_state(state):
    """A RandomState; NumPy does not check where it goes on."""
    inner = state["state"]
    if inner["key"].shape != (_MT19937_SIZE,) or not 0 <= inner["pos"] <= _MT19937_SIZE:
        raise ValueError("generator is not the state of one")
    random_state = np.random.RandomState(0)
    random_state.set_state(state)
    return random_state


# Trees as arrays


def _parameters(native):
    parameters = native.get_params(deep=False)
    return {name: v for name, v in parameters.items() if name not in _NOT_DATA}


def _as_columns(nodes):
    return {name: np.ascontiguousarray(nodes[name]) for name in nodes.dtype.names}


def _as_nodes(columns, dtype):
    """Nodes as the library has them in this version."""
    if columns.keys() != set(dtype.names):
        raise ValueError(
            f"nodes have {', '.join(sorted(columns))}; this version of scikit-learn "
            f"has {', '.join(sorted(dtype.names))}"
        )
    nodes = np.empty(len(next(iter(columns.values()))), dtype=dtype)
    for name, column in columns.items():
        if column.shape != nodes.shape or column.dtype.kind != dtype[name].kind:
            raise ValueError(f"nodes: {name} is not one number for each node")
        nodes[name] = column
    return nodes


def _split(values, lengths, name):
    """The parts of an array, one a tree."""
    if lengths.dtype.kind != "i" or lengths.ndim != 1 or (lengths < 0).any():
        raise ValueError(f"{name}: expected the number of each tree")
    if lengths.sum() != len(values):
        raise ValueError(f"{name}: there are {len(values)}; expected {lengths.sum()}")
    return np.split(values, np.cumsum(lengths)[:-1])


def _check_tree(left, right, is_split):
    """Refuse a tree that has no root, or whose nodes do not lead to later ones."""
    if len(left) == 0:
        raise ValueError("a tree has no node")
    parents = np.flatnonzero(is_split)
    for children in (left[is_split].astype(np.int64), right[is_split].astype(np.int64)):
        if ((children <= parents) | (children >= len(left))).any():
            raise ValueError("nodes: a child is not one of the nodes that follow")


def _check_range(positions, length, name):
    if len(positions) and not 0 <= positions.min() <= positions.max() < length:
        raise ValueError(f"nodes: {name} are not among {length}")
