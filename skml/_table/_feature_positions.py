"""Which columns of a table the user means: by name, position or mask."""

from numbers import Integral

import numpy as np


def resolve_features(features, parameter, n_features, names):
    """A mask of the columns that are given by name, position or mask.

    "from_dtype" and None name no column. Messages are of `parameter`.
    """
    mask = np.zeros(n_features, dtype=bool)
    if features is None or isinstance(features, str):
        return mask
    features = list(features)
    if features and all(isinstance(f, (bool, np.bool_)) for f in features):
        if len(features) != n_features:
            raise ValueError(
                f"{parameter} is a mask of {len(features)} values; X has {n_features} "
                "features."
            )
        return np.array(features, dtype=bool)
    mask[[feature_index(f, parameter, n_features, names) for f in features]] = True
    return mask


def feature_index(feature, parameter, n_features, names):
    """The position of a column that is given by name or position."""
    if isinstance(feature, str):
        if names is None:
            raise ValueError(
                f"{parameter} has the name {feature!r}, but X has no column names. "
                "Give positions, or pass a data frame."
            )
        if feature not in names:
            raise ValueError(
                f"{parameter} has the name {feature!r}, which is no column of X; its "
                f"columns are {', '.join(map(repr, names)):.300}."
            )
        if names.count(feature) > 1:
            raise ValueError(
                f"{parameter} has the name {feature!r}, which {names.count(feature)} "
                "columns of X have. Give positions, or rename columns."
            )
        return names.index(feature)
    if not isinstance(feature, Integral) or isinstance(feature, bool):
        raise TypeError(
            f"{parameter} has {feature!r:.60} ({type(feature).__name__}); expected "
            "names or positions of columns, or one bool a column."
        )
    if not 0 <= feature < n_features:
        raise ValueError(
            f"{parameter} has the position {feature}; X has {n_features} features, "
            f"0 to {n_features - 1}."
        )
    return int(feature)
