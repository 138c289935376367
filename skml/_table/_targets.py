"""Targets of estimators of tables: labels, numbers, and their standard units."""

from numbers import Real

import numpy as np
from sklearn.utils import check_array, get_tags
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import column_or_1d

from skml._codec import show, stored
from skml._table._containers import column_names
from skml._table._statistics import binary_units, mean_and_deviation
from skml._validation import is_missing

LEAST_DEVIATION = 1e-12  # of the mean: below, a target is constant


@stored
class TargetScaling:
    """Standard units of targets: the mean 0 and the standard deviation 1."""

    mean: float | np.ndarray = 0.0  # subtracted
    scale: float | np.ndarray = 1.0  # divided by then; 1 if constant

    def check(self):
        """Check that they are finite, and the scale positive."""
        if np.shape(self.mean) != np.shape(self.scale) or np.ndim(self.mean) > 1:
            raise ValueError("mean and scale are not of one shape")
        if not (np.isfinite(self.mean) & np.isfinite(self.scale)).all():
            raise ValueError("mean or scale is not finite")
        if not np.all(np.greater(self.scale, 0)):
            raise ValueError(f"scale is {show(self.scale)}")

    def apply(self, y):
        """Targets in standard units."""
        unit = binary_units(self.scale)  # in which no difference overflows
        return (y / unit - self.mean / unit) / (self.scale / unit)

    def invert(self, y):
        """Predictions in the units of the user."""
        return y * self.scale + self.mean


def learn_target_scaling(y, weights=None):
    """Find the mean and the standard deviation of targets, where a weight is k rows."""
    mean, deviation = mean_and_deviation(y, weights)
    is_constant = deviation <= LEAST_DEVIATION * np.abs(mean)
    scale = np.where(is_constant, 1.0, deviation)
    return TargetScaling(mean=mean, scale=scale if y.ndim > 1 else scale[()])


def check_target(estimator, y):
    """Check targets: none missing; those of a regressor as floats.

    They have one dimension; those of a regressor may have two, if its tags allow it.
    """
    caller = type(estimator).__name__
    if y is None:
        raise ValueError(f"{caller} requires y to be passed, but the target y is None.")
    given, y = y, _without_library(y)
    if getattr(y, "dtype", None) is not None and y.dtype.kind == "T":
        raise TypeError(
            f"{caller}: y has the dtype {y.dtype}, which scikit-learn's metrics do not "
            "know. Convert it: y.astype(object)."
        )
    tags = get_tags(estimator)
    has_classes = tags.estimator_type == "classifier"
    takes_columns = tags.target_tags.multi_output and not has_classes
    if takes_columns and np.asarray(y).ndim == 2:
        return _check_columns(y, column_names(given), caller)
    if isinstance(y, (list, tuple)):  # NumPy would make "nan" of NaN beside strings
        _refuse_missing(y, caller)
    y = column_or_1d(y, warn=True)
    if y.dtype.kind == "O":
        _refuse_missing(y.tolist(), caller)
        if all(isinstance(value, (Real, np.bool_)) for value in y):
            y = np.array(y.tolist())
    if y.dtype.kind == "f":
        _refuse_not_finite(y, caller)
    if has_classes:
        for labels in (given, y):
            _refuse_objects(labels, caller)
        check_classification_targets(y)
        return y
    return check_array(y, ensure_2d=False, dtype=np.float64, input_name="y")


def _without_library(y):
    """Targets in a container of pandas, polars or pyarrow as an array."""
    if type(y).__module__.startswith("pyarrow"):
        return np.asarray(y)
    return y.to_numpy() if hasattr(y, "to_numpy") else y


def _check_columns(y, names, caller):
    """Check targets of several columns: numbers, none missing."""
    checks = {"ensure_all_finite": False, "input_name": "y", "estimator": caller}
    y = check_array(y, dtype=None, ensure_min_features=0, **checks)
    if y.shape[1] == 0:
        raise ValueError(
            f"Input y has no columns: its shape is {y.shape} ({caller}). Pass a column "
            "for each target."
        )
    if y.dtype.kind == "O":  # NumPy makes a number of None, but not of pandas' NA
        missing = np.vectorize(is_missing, otypes=[bool])(y)
        y = np.where(missing, np.nan, y)
    y = check_array(y, dtype=np.float64, **checks)
    _refuse_not_finite(y, caller, names)
    return y


def _refuse_missing(y, caller):
    if set(map(type, y)) <= {str, int, bool}:
        return
    for row, value in enumerate(y):
        if is_missing(value):
            raise ValueError(
                f"Input y contains NaN: row {row} is {value!r} ({caller}). Drop the "
                "rows whose target is missing."
            )


def _refuse_objects(y, caller):
    """Refuse objects that scikit-learn does not know as labels: all but strings.

    Its metrics fail on them, which makes scores NaN, and its splits ignore them.
    """
    dtype = getattr(y, "dtype", None)
    if not (isinstance(dtype, np.dtype) and dtype.kind == "O"):
        return
    labels = np.ravel(y).tolist()
    row = next(
        (r for r, label in enumerate(labels) if not isinstance(label, str)), None
    )
    if row is None:
        return
    are_numbers = all(isinstance(label, (Real, np.bool_)) for label in labels)
    target = np.array(labels).dtype.name if are_numbers else "object"
    target = "str" if target == "object" else target  # integers too large, too
    raise ValueError(
        f"Unknown label type: row {row} of y is {labels[row]!r:.60} "
        f"({type(labels[row]).__name__}), of dtype object; scikit-learn's metrics know "
        f"no objects but strings ({caller}). Convert it: y.astype({target!r})."
    )


def _refuse_not_finite(y, caller, names=None):
    if np.isfinite(y).all():
        return
    position = tuple(np.argwhere(~np.isfinite(y))[0].tolist())
    what = "NaN" if np.isnan(y[position]) else "infinity"
    where = f"row {position[0]}"
    if y.ndim == 2:
        column = position[1] if names is None else repr(names[position[1]])
        where += f", column {column}"
    raise ValueError(
        f"Input y contains {what}: {where} ({caller}). Drop the rows whose target is "
        "missing."
    )


def encode_labels(y):
    """Find the classes, sorted, and the position of the class of each row.

    As `np.unique` does, which takes its time to sort strings.
    """
    if y.dtype.kind != "O":
        return np.unique(y, return_inverse=True)
    values = y.tolist()
    try:
        classes = sorted(set(values))
    except TypeError as error:
        raise TypeError(f"y mixes labels that have no order: {error}.") from None
    position = {label: code for code, label in enumerate(classes)}
    codes = np.fromiter(map(position.__getitem__, values), np.intp, len(values))
    return np.array(classes, dtype=object), codes
