"""What networks are fine-tuned to: classes, labels and numbers of texts."""

from dataclasses import dataclass

import numpy as np
from scipy import sparse
from scipy.special import xlogy
from scipy.stats import entropy
from sklearn.utils import compute_class_weight
from sklearn.utils.multiclass import check_classification_targets, type_of_target
from sklearn.utils.validation import assert_all_finite, check_array, column_or_1d

from skml._validation import is_missing


class Targets:
    """The targets of a fit, `values` as numbers; nothing changes them."""

    def learned(self):
        """The fields of the fitted value that come from targets, by name."""
        return {}

    def config_changes(self):
        """What the configuration of the network must say of the targets."""
        return {}

    def document_classes(self):
        """Which document has which class: two arrays; None without classes."""

    def values_of_windows(self, windows):
        """The targets of windows, as `WindowTask` takes them."""
        return self.values[windows.documents]

    def weights_of_windows(self, windows, values, weights):
        """How much windows count: those of a document together as much as it."""
        return (weights / np.bincount(windows.documents))[windows.documents]

    def chance_loss(self, values, weights):
        """The loss of the best constant prediction, which attends to no text."""
        raise NotImplementedError

    def objective(self, outputs, values, weights):
        """The weighted sum of the losses of a batch, and that of the weights."""
        raise NotImplementedError

    def start(self, network, newly_initialized):
        """What is done to a network before it is trained."""

    def finish(self, network):
        """What is still done to a network that is trained."""


def name_outputs(names):
    """The changes of a configuration whose outputs have these names."""
    return {
        "num_labels": len(names),
        "id2label": dict(enumerate(names)),
        "label2id": {name: i for i, name in enumerate(names)},
    }


def check_labels(y, caller):
    """No label of a column is missing."""
    is_table = sparse.issparse(y) or hasattr(y, "columns")
    for position, label in enumerate(() if is_table else y):
        if is_missing(label):
            raise ValueError(
                f"{caller}: target {position} of y is missing ({label!r}); drop the "
                "document, or name a class of its own."
            )


def read_classes(y, weights, class_weight, caller):
    """The classes of documents, or several labels at once: zeros and ones."""
    check_labels(y, caller)
    with np.errstate(invalid="ignore"):  # NaN, which it refuses
        kind = type_of_target(y, input_name="y")
    if kind == "multilabel-indicator":
        return _read_several(y, weights, class_weight, caller)
    y = column_or_1d(y, warn=True)
    check_classification_targets(y)
    classes, codes = np.unique(y, return_inverse=True)
    if len(classes) < 2:
        raise ValueError(
            f"{caller}: y has one class, {classes.tolist()[0]!r:.60}; at least two are "
            "needed."
        )
    if class_weight == "balanced":
        found = weights.sum() / np.bincount(codes, weights) / len(classes)
    else:
        found = compute_class_weight(class_weight, classes=classes, y=y)
    found = np.asarray(found, dtype=np.float32)
    if not ((found >= 0) & np.isfinite(found)).all():
        raise ValueError(
            f"{caller}: class_weight={class_weight!r:.60}; expected finite weights of "
            "at least 0."
        )
    return ClassTargets(classes, codes.astype(np.int64), found)


def _read_several(y, weights, class_weight, caller):
    y = y.toarray() if sparse.issparse(y) else np.asarray(y)
    if not np.isin(y, (0, 1)).all():
        raise ValueError(
            f"{caller}: y has {np.unique(y).tolist()}; of several labels at once, each "
            "must be 0 or 1."
        )
    if class_weight is None:
        found = np.ones(y.shape[1], dtype=np.float32)
    elif class_weight == "balanced":
        ones = weights @ (y != 0)
        # A label that all have, or none, is not weighed.
        ones[(y == y[:1]).all(axis=0)] = weights.sum() / 2
        found = np.asarray((weights.sum() - ones) / ones, dtype=np.float32)
    else:
        raise ValueError(
            f"{caller}: class_weight={class_weight!r:.60} with several labels at once; "
            "expected None or 'balanced'."
        )
    return LabelTargets(np.arange(y.shape[1]), y.astype(np.float32), found)


@dataclass(frozen=True, eq=False)
class ClassTargets(Targets):
    """One class a document."""

    classes: np.ndarray
    values: np.ndarray  # which class each document has
    class_weights: np.ndarray

    problem = "single_label_classification"
    is_multilabel = False

    def learned(self):
        return {"classes_": self.classes, "is_multilabel": self.is_multilabel}

    def config_changes(self):
        names = [str(c) for c in self.classes]
        return {**name_outputs(names), "problem_type": self.problem}

    def document_classes(self):
        return np.arange(len(self.values)), self.values

    def weights_of_windows(self, windows, values, weights):
        weights = super().weights_of_windows(windows, values, weights)
        return weights * self.class_weights[values]

    def chance_loss(self, values, weights):
        return entropy(np.bincount(values, weights))

    def objective(self, outputs, values, weights):
        from torch.nn import functional

        logits = outputs.logits.float()
        losses = functional.cross_entropy(logits, values, reduction="none")
        return (losses * weights).sum(), float(weights.sum())


class LabelTargets(ClassTargets):
    """Several labels a document, of which each is 0 or 1.

    A class weight is that of ones relative to zeros.
    """

    problem = "multi_label_classification"
    is_multilabel = True

    def document_classes(self):
        return np.nonzero(self.values)

    def weights_of_windows(self, windows, values, weights):
        return Targets.weights_of_windows(self, windows, values, weights)

    def chance_loss(self, values, weights):
        ones = self.class_weights * (weights @ values)
        counts = np.stack([ones, weights @ (1 - values)])
        losses = -xlogy(counts, counts / counts.sum(axis=0)).sum(axis=0)
        return losses.mean() / weights.sum()

    def objective(self, outputs, values, weights):
        import torch
        from torch.nn import functional

        logits = outputs.logits.float()
        losses = functional.binary_cross_entropy_with_logits(
            logits,
            values,
            reduction="none",
            pos_weight=torch.as_tensor(self.class_weights, device=logits.device),
        ).mean(dim=1)
        return (losses * weights).sum(), float(weights.sum())


def read_numbers(y, weights):
    """The numeric targets of documents, standardised."""
    y = check_array(y, ensure_2d=False, dtype=np.float64, input_name="y")
    with np.errstate(over="ignore"):
        assert_all_finite(y.astype(np.float32), input_name="y")
    is_1d = y.ndim == 1
    y = y.reshape(len(y), -1)
    mean = np.average(y, axis=0, weights=weights)
    variance = np.average((y - mean) ** 2, axis=0, weights=weights)
    scale = np.sqrt(variance)
    # Without a spread, there is nothing to divide by.
    scale[scale <= 1e-12 * np.abs(mean)] = 1.0
    return NumberTargets(((y - mean) / scale).astype(np.float32), mean, scale, is_1d)


@dataclass(frozen=True, eq=False)
class NumberTargets(Targets):
    """Numeric targets, less their means, in units of their standard deviations."""

    values: np.ndarray  # of shape (n_samples, n_outputs)
    mean: np.ndarray
    scale: np.ndarray
    is_1d: bool  # whether they were given without a second axis

    def learned(self):
        return {"is_1d": self.is_1d}

    def config_changes(self):
        names = [f"LABEL_{i}" for i in range(len(self.mean))]
        return {**name_outputs(names), "problem_type": "regression"}

    def chance_loss(self, values, weights):
        means = np.average(values, axis=0, weights=weights)
        return np.average((values - means) ** 2, axis=0, weights=weights).mean()

    def objective(self, outputs, values, weights):
        losses = (outputs.logits.float() - values).square().mean(dim=1)
        return (losses * weights).sum(), float(weights.sum())

    def start(self, network, newly_initialized):
        """Let a stored last layer return standardised targets."""
        import torch

        layer, scale, mean = self._scaled(network)
        if any(network.get_parameter(n) is layer.weight for n in newly_initialized):
            return
        with torch.no_grad():
            layer.weight.div_(scale[:, None])
            layer.bias.sub_(mean).div_(scale)

    def finish(self, network):
        """Let the last layer return the targets as they were given."""
        import torch

        layer, scale, mean = self._scaled(network)
        with torch.no_grad():
            layer.weight.mul_(scale[:, None])
            layer.bias.mul_(scale).add_(mean)

    def _scaled(self, network):
        """The last layer, and by what its outputs are less than targets."""
        import torch

        from skml.neural._torch._layers import find_last_layer

        layer = find_last_layer(network)
        scale, mean = (
            torch.as_tensor(v, dtype=torch.float32, device=layer.weight.device)
            for v in (self.scale, self.mean)
        )
        return layer, scale, mean
