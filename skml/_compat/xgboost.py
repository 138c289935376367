"""The one door to what of XGBoost is private or depends on its version."""

import json
import re
import warnings

import numpy as np


def errors():
    """What XGBoost raises where it cannot read a model."""
    from xgboost.core import XGBoostError  # 3.0 to 3.2; the package itself has no name

    return XGBoostError


def release(version):
    """The first two numbers of a version."""
    return [int(part) for part in re.findall(r"\d{1,9}", version)[:2]]


def absolute_error_is_smooth():
    """Whether "reg:absoluteerror" is a smooth approximation that starts from the mean.

    So it is from XGBoost 3.4 on, where outliers move all predictions. The quantile loss
    of one half is half the absolute error, and starts from the median.
    """
    import xgboost

    return release(xgboost.__version__) >= [3, 4]


def refuse_unknown(library_params):
    """Let XGBoost itself look at the names, on a table of two rows.

    It has no list of them. Versions 3.0 to 3.2 warn of names that "are not used"; where
    another version says it in other words, unknown names are passed on.
    """
    import xgboost

    with (
        warnings.catch_warnings(record=True) as caught,
        xgboost.config_context(verbosity=1),
    ):
        warnings.simplefilter("always")
        matrix = xgboost.DMatrix(np.eye(2), label=[0, 1], nthread=1)
        params = {**library_params, "validate_parameters": True}
        xgboost.train(params, matrix, num_boost_round=1)
    for warning in caught:
        message = str(warning.message)
        if "are not used" in message:
            unknown = re.findall(r'"([^"]*)"', message)
            raise ValueError(
                f"library_params has {', '.join(map(repr, unknown))}, which XGBoost "
                "does not know, or does not use with trees."
            )


def splits_of(booster):
    """Feature, gain, and whether missing values go left, of all splits.

    By the schema of the model as JSON, the same in XGBoost 3.0 to 3.2; where a name is
    gone, it is a KeyError.
    """
    model = json.loads(booster.save_raw("json"))
    trees = model["learner"]["gradient_booster"]["model"]["trees"]
    is_split = np.concatenate([tree["left_children"] for tree in trees]) >= 0
    return tuple(
        np.concatenate([tree[name] for tree in trees])[is_split].astype(dtype)
        for name, dtype in (
            ("split_indices", np.intp),
            ("loss_changes", np.float64),
            ("default_left", bool),
        )
    )


def leaves_of(booster, matrix):
    """In which leaf each row ends, one row of the result a tree.

    The matrix is a DMatrix: XGBoost 3.0 finds no leaves for a QuantileDMatrix.
    """
    leaves = booster.predict(matrix, pred_leaf=True)
    return leaves.reshape(matrix.num_row(), -1).T.astype(np.intp)
