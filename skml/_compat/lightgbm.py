"""The one door to what of LightGBM is private or depends on its version."""

import re
from contextlib import contextmanager

import numpy as np


def errors():
    """What LightGBM raises where it cannot read a model."""
    from lightgbm.basic import LightGBMError  # 4.5 to 4.7; the package has no name

    return LightGBMError


def stop_training(iteration):
    """Let a callback end `lightgbm.train` after this iteration."""
    from lightgbm.callback import EarlyStopException  # 4.5 to 4.7, public there

    raise EarlyStopException(iteration, [])


def aliases():
    """LightGBM's own table: each name and what else it is called; None without it.

    Seen in LightGBM 4.5 to 4.7. Where it is gone, names are known by themselves alone,
    and those that LightGBM does not know are passed on.
    """
    try:
        from lightgbm.basic import _ConfigAliases

        return _ConfigAliases._get_all_param_aliases()
    except (ImportError, AttributeError):
        return None


def smallest_leaf(booster, n_before):
    """The number of rows in the smallest leaf of the trees after the first ones.

    Infinity if none has a split: LightGBM 4.5 counts no row in such a tree. It is read
    from the lines ``leaf_count=`` of the model as text; if they are gone, it is
    infinity, and nobody is warned of small leaves.
    """
    text = booster.model_to_string()
    counts = re.findall(r"^leaf_count=(.+)$", text, re.MULTILINE)
    of_trees = (tree.split() for tree in counts[n_before:])
    return min(
        (int(count) for tree in of_trees if len(tree) > 1 for count in tree),
        default=np.inf,
    )


def splits_of(booster, n_iter):
    """Feature, gain, and whether missing values go left, of all splits.

    By the names of `dump_model`, the same in LightGBM 4.5 to 4.7; where one is gone, it
    is a KeyError.
    """
    nodes = []
    for tree in booster.dump_model(num_iteration=n_iter)["tree_info"]:
        waiting = [tree["tree_structure"]]
        while waiting:
            node = waiting.pop()
            if "split_feature" in node:
                left = node["missing_type"] != "None" and node["default_left"]
                nodes.append((node["split_feature"], node["split_gain"], left))
                waiting += [node["right_child"], node["left_child"]]
    feature, gain, left = zip(*nodes, strict=True) if nodes else ((), (), ())
    return (
        np.array(feature, dtype=np.intp),
        np.array(gain, dtype=np.float64),
        np.array(left, dtype=bool),
    )


@contextmanager
def messages_come_back():
    """Undo the silence of a training, which LightGBM keeps for all that follows."""
    import lightgbm

    try:
        yield
    finally:  # its level of messages is set by any call that names one
        level = {"verbosity": 1, "min_data_in_leaf": 1, "min_data_in_bin": 1}
        lightgbm.Dataset(np.array([[0.0], [1.0]]), params=level).construct()
