"""The classes of documents, one each or several, and how much each document counts."""

from dataclasses import dataclass, replace

import numpy as np
from scipy import sparse

from skml._table._targets import check_target, encode_labels
from skml._table._weights import check_weights, weigh_classes
from skml.text._vocabulary import take_parts


@dataclass(frozen=True)
class DocumentClasses:
    """The classes of documents.

    Those of document d are ``labels[offsets[d]:offsets[d + 1]]``, as positions in
    `classes`.
    """

    classes: np.ndarray
    offsets: np.ndarray
    labels: np.ndarray
    weights: np.ndarray
    is_multilabel: bool

    @property
    def n_documents(self):
        return len(self.offsets) - 1

    def counts(self):
        """How many documents have each class."""
        return np.bincount(self.labels, minlength=len(self.classes))

    def take(self, positions):
        """Those of some documents."""
        labels, offsets = take_parts(self.labels, self.offsets, positions)
        weights = self.weights[positions]
        return replace(self, offsets=offsets, labels=labels, weights=weights)

    def accuracy(self, proba):
        """Of the most probable class, or of all labels that are more probable than not.

        Weighted, as in scikit-learn's `accuracy_score`.
        """
        if not self.is_multilabel:
            is_right = proba.argmax(axis=1) == self.labels
        else:
            truth = np.zeros(proba.shape, dtype=bool)
            rows = np.repeat(np.arange(len(proba)), np.diff(self.offsets))
            truth[rows, self.labels] = True
            is_right = ((proba > 0.5) == truth).all(axis=1)
        return float(np.average(is_right, weights=self.weights))


def read_classes(estimator, y, n_documents, sample_weight, classes=None):
    """Check targets and weights.

    `classes` are those that are known, if any; else they are learned.

    Returns the positions of the documents that have a weight, and their classes.
    """
    caller = type(estimator).__name__
    has_columns = _has_columns(y, caller)
    y = _check_indicator(estimator, y) if has_columns else check_target(estimator, y)
    if len(y) != n_documents:
        raise ValueError(
            f"{caller}: X holds {n_documents} document(s), and y {len(y)} target(s); "
            "pass one target for each document."
        )
    weights = check_weights(sample_weight, n_documents, caller)
    kept = np.arange(n_documents) if weights is None else np.flatnonzero(weights)
    weights = np.ones(n_documents) if weights is None else weights
    read = _read_indicator if has_columns else _read_column
    found = read(estimator, y[kept], classes)
    weights = weights[kept]
    if estimator.class_weight is not None:
        weights = weigh_classes(
            estimator.class_weight, found.classes, found.labels, weights
        )
    return kept, replace(found, weights=weights)


def _has_columns(y, caller):
    """Whether targets have a column for each of several classes."""
    nested = (list, tuple, set, frozenset, np.ndarray)
    if sparse.issparse(y):
        return True
    if isinstance(y, (list, tuple)):
        position = next((i for i, item in enumerate(y) if isinstance(item, nested)), -1)
        if position < 0:
            return False
        sizes = {len(item) if isinstance(item, nested) else -1 for item in y}
        items = y[position]
        has_names = any(isinstance(item, str) for item in items)
        if len(sizes) > 1 or has_names or isinstance(items, (set, frozenset)):
            raise ValueError(
                f"{caller}: target {position} of y is {items!r:.60}; several classes a "
                "document are passed as columns of zeros and ones, one for each class: "
                "see MultiLabelBinarizer of scikit-learn."
            )
    shape = np.shape(y) if y is not None else ()
    return len(shape) == 2 and shape[1] != 1


def _check_indicator(estimator, y):
    """Several classes a document, as columns of zeros and ones."""
    caller = type(estimator).__name__
    y = y.toarray() if sparse.issparse(y) else np.asarray(y)
    if estimator.loss != "one-vs-rest":
        raise ValueError(
            f"{caller}: y has {y.shape[1]} columns, several classes a document, which "
            f"loss={estimator.loss!r} cannot learn. Pass loss='one-vs-rest'."
        )
    if estimator.class_weight is not None:
        raise ValueError(
            f"{caller}: class_weight={estimator.class_weight!r:.60} has no effect when "
            "y has several classes a document. Leave it at its default, None."
        )
    is_wrong = ~np.isin(y, (0, 1))
    if is_wrong.any():
        row, column = np.argwhere(is_wrong)[0].tolist()
        raise ValueError(
            f"{caller}: y has {y.shape[1]} columns, and row {row}, column {column} is "
            f"{y[row, column]!r:.60}; expected zeros and ones."
        )
    if y.shape[1] == 0:
        raise ValueError(f"{caller}: y has no columns, and so no classes.")
    return y


def _read_indicator(estimator, y, classes):
    n_classes = y.shape[1]
    if classes is None:
        classes = np.arange(n_classes)
    elif len(classes) != n_classes:
        raise ValueError(
            f"{type(estimator).__name__}: y has {n_classes} columns, and the classes "
            f"are {np.asarray(classes).tolist()!r:.100}."
        )
    rows, labels = np.nonzero(y)
    offsets = np.searchsorted(rows, np.arange(len(y) + 1))
    ones = np.ones(len(y))
    return DocumentClasses(classes, offsets, labels.astype(np.int32), ones, True)


def _read_column(estimator, y, classes):
    """One class a document."""
    if classes is None:
        classes, labels = encode_labels(y)
    else:
        labels = np.searchsorted(classes, y)
        labels = np.minimum(labels, len(classes) - 1)
        is_unknown = classes[labels] != y
        if is_unknown.any():
            row = int(np.argmax(is_unknown))
            label = y[row : row + 1].tolist()[0]
            raise ValueError(
                f"{type(estimator).__name__}: target {row} of y is {label!r:.60}, "
                f"which is none of the classes {classes.tolist()!r:.200}."
            )
    offsets = np.arange(len(y) + 1)
    return DocumentClasses(
        classes, offsets, labels.astype(np.int32), np.ones(len(y)), False
    )
