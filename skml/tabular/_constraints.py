"""Constraints on features, by name or by position."""

from collections.abc import Iterable
from itertools import combinations

import numpy as np

from skml._table._feature_positions import feature_index


def resolve_monotonic_cst(monotonic_cst, n_features, names):
    """Turn the constraints into one number per feature; None if none is constrained."""
    directions = np.zeros(n_features, dtype=np.int8)
    if isinstance(monotonic_cst, dict):
        for feature, direction in monotonic_cst.items():
            j = feature_index(feature, "monotonic_cst", n_features, names)
            _check_direction(feature, direction)
            directions[j] = direction
    else:
        values = list(monotonic_cst)
        if len(values) != n_features:
            raise ValueError(
                f"monotonic_cst has {len(values)} values; X has {n_features} features."
            )
        for feature, direction in enumerate(values):
            _check_direction(feature, direction)
        directions[:] = values
    return directions if directions.any() else None


def _check_direction(feature, direction):
    if direction not in (-1, 0, 1):
        raise ValueError(
            f"monotonic_cst of feature {feature!r} is {direction!r}; must be 1 "
            "(increasing), -1 (decreasing) or 0 (no constraint)."
        )


def check_monotonic_cst(monotonic, reader, draft):
    """Refuse monotonic constraints that the predictions would not keep."""
    for j in np.flatnonzero(monotonic):
        if reader.is_categorical[j]:
            raise ValueError(
                f"monotonic_cst: {reader.name_of(j)} holds categories, which have no "
                "order."
            )
    if draft.n_outputs > 1:
        raise ValueError(
            f"monotonic_cst cannot be honoured for {draft.n_outputs} classes: "
            "their probabilities do not rise and fall with single scores."
        )
    if draft.loss in {"absolute_error", "quantile"}:
        raise ValueError(
            f"monotonic_cst cannot be honoured with loss={draft.loss!r}: the values of "
            "leaves are set when the tree has grown, whatever the constraints."
        )


def resolve_interaction_cst(interaction_cst, n_features, names):
    """Turn the constraints into lists of positions that cover all features."""
    if interaction_cst == "no_interactions":
        return [[j] for j in range(n_features)]
    if interaction_cst == "pairwise":
        pairs = [list(pair) for pair in combinations(range(n_features), 2)]
        return pairs or [[0]]
    groups = [
        sorted({feature_index(f, "interaction_cst", n_features, names) for f in group})
        for group in map(_check_group, interaction_cst)
    ]
    rest = sorted(set(range(n_features)) - {j for group in groups for j in group})
    return [*groups, rest] if rest else groups


def _check_group(group):
    """Refuse a feature where a list of features is expected."""
    if isinstance(group, Iterable) and not isinstance(group, (str, bytes)):
        return group
    raise ValueError(
        f"interaction_cst has {group!r:.60}; expected a list of lists of features, "
        "each by name or position, such as [[0, 1], [2, 3]]. Features of one list may "
        "interact."
    )
