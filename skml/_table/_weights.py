"""Weights of rows and of classes."""

from numbers import Real

import numpy as np
from sklearn.utils import check_array


def check_weights(sample_weight, n_samples, caller):
    """Check weights: finite, none negative, not all zero; one may stand for all."""
    if sample_weight is None:
        return None
    weights = check_array(
        np.full(n_samples, sample_weight, dtype=np.float64)
        if isinstance(sample_weight, Real)
        else sample_weight,
        ensure_2d=False,
        allow_nd=True,
        dtype=np.float64,
        ensure_all_finite=False,
        input_name="sample_weight",
    )
    if weights.ndim != 1:
        raise ValueError("Sample weights must be 1D array or scalar")
    if len(weights) != n_samples:
        raise ValueError(
            f"sample_weight.shape == {weights.shape}, expected {(n_samples,)}!"
        )
    wrong = np.flatnonzero(~np.isfinite(weights) | (weights < 0))
    if len(wrong):
        raise ValueError(
            f"{caller}: sample_weight of row {wrong[0]} is {weights[wrong[0]]}; a "
            "weight must be finite and not negative. A row of weight 0 is left out."
        )
    if not weights.any():
        raise ValueError(
            f"{caller}: all values of sample_weight are zero; no row is left to learn "
            "from."
        )
    return weights


def weigh_classes(class_weight, classes, y, sample_weight):
    """Multiply the weights of rows, or None, by those of their classes, coded by `y`.

    Balanced classes have equal sums of weights, and together the sum they had.
    """
    if class_weight is None:
        return sample_weight
    weights = np.ones(len(y)) if sample_weight is None else sample_weight
    return weights * weights_of_classes(class_weight, classes, y, weights)[y]


def weights_of_classes(class_weight, classes, y, weights):
    """Find the weight of each class."""
    if isinstance(class_weight, str):
        of_class = np.bincount(y, weights=weights, minlength=len(classes))
        return weights.sum() / (len(classes) * of_class)
    _check_labels(class_weight, classes.tolist())
    return np.array([_weight_of(class_weight, c) for c in classes.tolist()])


def _check_labels(class_weight, classes):
    """Refuse weights of labels that are none, where classes are left without.

    A fold that lacks a class leaves none without.
    """
    without = [label for label in classes if label not in class_weight]
    unknown = [label for label in class_weight if label not in classes]
    if without and unknown:
        raise ValueError(
            f"class_weight has {unknown[0]!r}, which is no label of y, and no weight "
            f"of {without[0]!r}; the classes are {classes!r:.300}."
        )


def _weight_of(class_weight, label):
    weight = class_weight.get(label, 1.0)
    if not (np.isfinite(weight) and weight > 0):
        raise ValueError(
            f"class_weight of class {label!r} is {weight!r}; it must be finite and "
            "positive. To leave a class out, leave out its rows."
        )
    return float(weight)
