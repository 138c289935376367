"""What a fitted booster is beside its trees, as JSON, and back."""

import json

import numpy as np
from sklearn.base import is_classifier

from skml._table._frame import TableReader
from skml.tabular._column_units import MOST_EXPONENT, ColumnUnits
from skml.tabular._json_values import decode, encode, show, without_repeats
from skml.tabular._units import Units

FORMAT, VERSION = "skml.tabular", 1
MOST_JOBS = 1024  # threads that a file may ask for
_HEAD = ("format", "version", "class")
_OF_BOOSTER = {"version": str, "size": int, "sha256": str}
_LABELS = {str, int, float, bool}
_FITTED = {
    "n_features_in_",
    "feature_names_in_",
    "classes_",
    "n_iter_",
    "train_score_",
    "validation_score_",
    "missing_fraction_",
    "fill",
    "seed",
    "names",
    "is_categorical",
    "kinds",
    "categories",
    "categorical_features",
    "sentinels",
    "units",
    "column_units",
}


def write_state(estimator, booster):
    """What belongs to an estimator beside its booster, as JSON.

    Parameters
    ----------
    estimator : estimator
        The fitted estimator.
    booster : dict or None
        What identifies the file of its booster; None if there is none.
    """
    reader, columns = estimator._reader, estimator._columns
    check_categories(reader)
    optional = {
        name: getattr(estimator, name, None)
        for name in ("feature_names_in_", "classes_", "train_score_")
    }
    fitted = {
        **optional,
        "validation_score_": getattr(estimator, "validation_score_", None),
        "n_features_in_": estimator.n_features_in_,
        "n_iter_": estimator.n_iter_,
        "missing_fraction_": estimator.missing_fraction_,
        "fill": estimator._fill,
        "seed": estimator._seed,
        "names": None if reader.names is None else [str(n) for n in reader.names],
        "is_categorical": reader.is_categorical,
        "kinds": reader.kinds,
        "categories": reader.categories,
        "categorical_features": reader.categorical_features,
        "sentinels": reader.sentinels,
        "units": None if estimator._units == Units() else tuple(estimator._units),
        "column_units": columns and (columns.exponents, columns.knots),
    }
    state = {
        "format": FORMAT,
        "version": VERSION,
        "class": type(estimator).__name__,
        "parameters": {
            name: encode(value, f"The parameter {name}")
            for name, value in estimator.get_params(deep=False).items()
        },
        "fitted": {name: encode(value, name) for name, value in fitted.items()},
        "booster": booster,
    }
    return json.dumps(state, indent=1, allow_nan=False) + "\n"


def check_categories(reader):
    """Refuse categories that JSON has no words for, and say which column holds them."""
    for j, labels in enumerate(reader.categories):
        for label in labels or ():
            if type(label) not in _LABELS:
                raise TypeError(
                    f"{reader.name_of(j)} of X: one of its categories is {label!r:.99} "
                    f"(type {type(label).__name__}), which cannot be written as data; "
                    "strings, numbers and bools can. Convert the column to strings "
                    "before fit, or use pickle."
                )


def read_state(cls, text, where):
    """Make an estimator that is fitted, but for its booster.

    Parameters
    ----------
    cls : type
        Its class.
    text : str
        What `write_state` wrote.
    where : str or Path
        The file, for messages.

    Returns
    -------
    estimator : object
        The estimator. The names and lengths of all its parts agree.
    booster : dict or None
        What identifies the file of its booster.
    """
    state = _parse(text, where, cls.__name__)
    estimator = _with_parameters(cls, state["parameters"], where)
    fitted = _decode_all(state["fitted"], f"{where}: fitted")
    if wrong := fitted.keys() ^ _FITTED:
        there = "is there" if min(wrong) in fitted else "is missing"
        raise ValueError(f"{where}: fitted: {show(min(wrong))} {there}.")
    try:
        _set_fitted(estimator, fitted)
    except _WrongError as error:
        raise ValueError(f"{where}: fitted: {error}.") from error
    return estimator, _check_booster(state["booster"], estimator, where)


def _check_booster(booster, estimator, where):
    """Check what identifies the file of a booster, where there is one."""
    if (booster is None) != estimator._is_constant():
        raise ValueError(f"{where}: booster: got {show(booster)}.")
    if booster is not None and not (
        isinstance(booster, dict)
        and booster.keys() == _OF_BOOSTER.keys()
        and all(type(booster[name]) is kind for name, kind in _OF_BOOSTER.items())
    ):
        raise ValueError(
            f"{where}: booster: expected {', '.join(_OF_BOOSTER)}; got {show(booster)}."
        )
    return booster


def _parse(text, where, name):
    """Read `estimator.json` as far as it concerns all estimators."""
    try:
        state = json.loads(
            text, object_pairs_hook=without_repeats, parse_constant=_refuse_constant
        )
    except (ValueError, RecursionError) as error:
        raise ValueError(f"{where}: expected JSON; {error}.") from error
    if not isinstance(state, dict) or state.get("format") != FORMAT:
        raise ValueError(f"{where} is not a model of this package.")
    version = state.get("version")
    if type(version) is not int or version != VERSION:
        raise ValueError(
            f"{where}: expected version {VERSION}; got {show(version)}. A newer skml "
            "may read it."
        )
    if state.get("class") != name:
        raise ValueError(f"{where} has a {show(state.get('class'))}, not a {name}.")
    if state.keys() != {*_HEAD, "parameters", "fitted", "booster"}:
        raise ValueError(
            f"{where}: expected parameters and fitted and booster; got {list(state)}."
        )
    return state


def _refuse_constant(name):
    raise ValueError(f"{name} is no number of JSON")


def _decode_all(values, place):
    if not isinstance(values, dict):
        raise ValueError(f"{place}: expected an object; got {show(values)}.")
    result = {}
    for name, value in values.items():
        try:
            result[name] = decode(value)
        except ValueError as error:
            raise ValueError(f"{place}: {name:.60}: {error}.") from error
    return result


def _with_parameters(cls, parameters, where):
    """An estimator that is not fitted yet."""
    place = f"{where}: parameters"
    parameters = _decode_all(parameters, place)
    if wrong := parameters.keys() ^ set(cls._get_param_names()):
        there = "is missing" if min(wrong) not in parameters else "is unknown"
        raise ValueError(f"{place}: {show(min(wrong))} {there}.")
    estimator = cls(**parameters)
    try:
        estimator._validate_params()
    except (TypeError, ValueError, RecursionError) as error:
        raise ValueError(f"{place}: {error}") from error
    n_jobs = estimator.n_jobs
    if n_jobs is not None and (n_jobs == 0 or abs(n_jobs) > MOST_JOBS):
        raise ValueError(
            f"{place}: n_jobs is {show(n_jobs)}; expected 1 to {MOST_JOBS}, or minus "
            "that, or None."
        )
    return estimator


class _WrongError(Exception):
    """Says what is wrong, to be told with the place."""


def _set_fitted(estimator, fitted):
    """Set what `fit` leaves, but for the booster."""
    n_features = _integer(fitted, "n_features_in_", 1)
    estimator.n_features_in_ = n_features
    estimator.n_iter_ = _integer(fitted, "n_iter_", 1)
    estimator._seed = _integer(fitted, "seed", 0)
    estimator.missing_fraction_ = _floats(fitted, "missing_fraction_", n_features)
    estimator._fill = _floats(fitted, "fill", n_features)
    estimator._is_complete = estimator.missing_fraction_ == 0
    if not (
        (estimator.missing_fraction_ >= 0) & (estimator.missing_fraction_ <= 1)
    ).all():
        raise _WrongError("missing_fraction_ is not from 0 to 1")
    if fitted["units"] is not None:
        estimator._units = _units(fitted["units"])
    if fitted["column_units"] is not None:
        estimator._columns = _column_units(fitted["column_units"], estimator)
    for name in ("train_score_", "validation_score_"):
        if fitted[name] is not None:
            setattr(estimator, name, _floats(fitted, name, None))
    names = fitted["feature_names_in_"]
    if names is not None:
        if (
            not isinstance(names, np.ndarray)
            or names.shape != (n_features,)
            or names.dtype != object
            or not all(type(name) is str for name in names)
        ):
            raise _WrongError(f"feature_names_in_ are not {n_features} names")
        if fitted["names"] not in (None, names.tolist()):
            raise _WrongError("names and feature_names_in_ are not the same")
        estimator.feature_names_in_ = names
    estimator._reader = _make_reader(estimator, fitted, n_features)
    _check_fill(estimator)
    if is_classifier(estimator):
        estimator.classes_ = _classes(fitted["classes_"])
    elif fitted["classes_"] is not None:
        raise _WrongError("a regressor has no classes_")


def _make_reader(estimator, fitted, n_features):
    reader = TableReader(
        categorical_features=fitted["categorical_features"],
        missing_values=None,
        dtype=estimator._dtype,
        caller=type(estimator).__name__,
    )
    reader.n_features = n_features
    reader.names = names = fitted["names"]
    if names is not None and not (
        _is_list(names, n_features) and all(type(name) is str for name in names)
    ):
        raise _WrongError(f"names are not {n_features} strings")
    reader.is_categorical = mask = fitted["is_categorical"]
    if not (
        isinstance(mask, np.ndarray)
        and mask.shape == (n_features,)
        and mask.dtype == bool
    ):
        raise _WrongError(f"is_categorical is not an array of {n_features} bools")
    reader.categories = categories = fitted["categories"]
    if not _is_list(categories, n_features):
        raise _WrongError(f"categories is not a list of {n_features}")
    for j, labels in enumerate(categories):
        if mask[j] != (labels is not None) or not (
            labels is None or _are_labels(labels)
        ):
            raise _WrongError(f"categories: column {j} has {show(labels)}")
    reader.kinds = kinds = fitted["kinds"]
    if not (
        isinstance(kinds, dict)
        and all(type(j) is int and 0 <= j < n_features for j in kinds)
        and all(kind is None or type(kind) is str for kind in kinds.values())
    ):
        raise _WrongError(f"kinds are not those of columns: {show(kinds)}")
    reader.sentinels = fitted["sentinels"]
    if not isinstance(reader.sentinels, list):
        raise _WrongError("sentinels is not a list")
    return reader


def _are_labels(labels):
    """Whether something is a list of numbers or strings, each once."""
    return (
        isinstance(labels, list)
        and all(type(label) in _LABELS for label in labels)
        and len(set(labels)) == len(labels)
    )


def _check_fill(estimator):
    """Check that what stands in for missing values is a number or a code."""
    complete = estimator._is_complete
    if (np.isnan(estimator._fill) != ~complete).any():
        raise _WrongError("fill and missing_fraction_ do not belong together")
    for j in np.flatnonzero(complete & estimator._reader.is_categorical):
        code, labels = estimator._fill[j], estimator._reader.categories[j]
        if not (code.is_integer() and 0 <= code < len(labels)):
            raise _WrongError(f"fill: column {j} has no category {code}")


def _units(values):
    are_numbers = isinstance(values, tuple) and [type(v) for v in values] == [float] * 3
    if not are_numbers or not np.isfinite(values).all() or min(values[:2]) <= 0:
        raise _WrongError(f"units are not three numbers: {show(values)}")
    return Units(*values)


def _column_units(values, estimator):
    is_pair = isinstance(values, tuple) and [type(v) for v in values] == [dict] * 2
    if not is_pair:
        raise _WrongError(f"column_units are not exponents and knots: {show(values)}")
    exponents, knots = values
    columns = range(estimator.n_features_in_)
    for j, exponent in exponents.items():
        if type(j) is not int or j not in columns or type(exponent) is not int:
            raise _WrongError(f"column_units: {show(j)} has the exponent {exponent!r}")
        if abs(exponent) > MOST_EXPONENT:
            raise _WrongError(f"column_units: column {j} has the exponent {exponent}")
    for j, values in knots.items():
        if not (
            j in exponents
            and isinstance(values, np.ndarray)
            and values.dtype == np.float64
            and values.ndim == 1
            and len(values) > 1
            and np.isfinite(values).all()
            and (np.diff(values) > 0).all()
        ):
            raise _WrongError(f"column_units: knots of {show(j)} are not sorted floats")
    return ColumnUnits(estimator._precision, exponents, knots)


def _classes(classes):
    try:
        is_sorted = (
            isinstance(classes, np.ndarray)
            and classes.ndim == 1
            and len(classes) > 0
            and np.array_equal(np.unique(classes), classes)
        )
    except TypeError:  # labels that cannot be compared
        is_sorted = False
    if not is_sorted:
        raise _WrongError(f"classes_ are not distinct and sorted: {show(classes)}")
    return classes


def _is_list(value, length):
    return isinstance(value, list) and len(value) == length


def _integer(fitted, name, low):
    value = fitted[name]
    if type(value) is not int or not low <= value < 2**32:
        raise _WrongError(f"{name} is {show(value)}; expected an integer from {low}")
    return value


def _floats(fitted, name, length):
    value = fitted[name]
    if (
        not isinstance(value, np.ndarray)
        or value.dtype != np.float64
        or value.ndim != 1
        or (length is not None and len(value) != length)
    ):
        many = "" if length is None else f"{length} "
        raise _WrongError(f"{name} is not an array of {many}floats")
    return value
