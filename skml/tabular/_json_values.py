"""Python and NumPy values as JSON and back, exactly, with no code in between."""

import math
import re
import reprlib

import numpy as np

MOST_CHARACTERS = 2**24  # of all strings of an array, at their full width
_REPR = reprlib.Repr()
_REPR.maxlevel, _REPR.maxstring, _REPR.maxother = 3, 60, 60
_NUMBERS = re.compile(r"\|b1|\|[iu]1|[<>][iu][248]|[<>]f[248]")
_STRINGS = re.compile(r"[<>]U(\d{1,8})")
_TYPE_OF_KIND = {"b": bool, "i": int, "u": int, "f": float, "U": str}


def show(value):
    """A value for a message, cut; no nesting is too deep for it."""
    return _REPR.repr(value)[:100]


def encode(value, place):
    """Turn a value into what JSON can hold.

    Parameters
    ----------
    value : object
        None, numbers, strings and containers of them, those of NumPy included.
    place : str
        What it is, for messages.

    Returns
    -------
    encoded : object
        JSON's own values stand for themselves; a dict of one entry, whose key is the
        type, stands for another.

    Raises
    ------
    TypeError
        If it is something else, such as a function.
    """
    kind = type(value)
    if value is None or kind in {bool, int, str}:
        return value
    if kind is float:
        return value if math.isfinite(value) else {"float": repr(value)}
    if kind is list:
        return _encode_all(value, place)
    if kind in {tuple, set, frozenset}:
        return {kind.__name__: _encode_all(value, place)}
    if kind is dict:
        return {"dict": [_encode_all(pair, place) for pair in value.items()]}
    if isinstance(value, (np.ndarray, np.generic)):
        return _encode_array(value, place)
    raise TypeError(
        f"{place} is {value!r:.100} (type {kind.__name__}), which cannot be written as "
        "data. Numbers, strings, None, and lists, dicts and NumPy arrays of them can; "
        "pickle keeps anything."
    )


def _encode_all(values, place):
    return [encode(value, place) for value in values]


def _encode_array(value, place):
    array = np.asarray(value)
    dtype = array.dtype.str
    if not (_is_known(dtype) or dtype == "|O"):
        raise TypeError(
            f"{place} has the dtype {array.dtype}, which cannot be written as data."
        )
    # As an object, an array stands for itself, and a scalar for its one value.
    name = "array" if isinstance(value, np.ndarray) else "scalar"
    values = _encode_all(array.ravel().tolist(), place)
    return {name: [dtype, list(array.shape), values]}


def _is_known(dtype):
    return bool(_NUMBERS.fullmatch(dtype) or _STRINGS.fullmatch(dtype))


def decode(value):
    """Turn back what `encode` made; a ValueError if it made no such thing."""
    try:
        return _decode(value)
    except (TypeError, OverflowError, RecursionError) as error:
        raise ValueError(f"{error} ({show(value)})") from error


def _decode(value):
    if isinstance(value, list):
        return [_decode(item) for item in value]
    if not isinstance(value, dict):
        if type(value) is float and not math.isfinite(value):
            raise ValueError(f"{value} is no number of JSON")
        return value
    if len(value) != 1 or not _DECODERS.keys() >= value.keys():
        raise ValueError(f"unknown kind of value: {show(value)}")
    ((name, content),) = value.items()
    return _DECODERS[name](content)


def _decode_float(content):
    if content not in {"nan", "inf", "-inf"}:
        raise ValueError(f"unknown number: {show(content)}")
    return float(content)


def _decode_items(content):
    if not isinstance(content, list):
        raise ValueError(f"expected a list; got {show(content)}")
    return _decode(content)


def _decode_dict(content):
    pairs = _decode_items(content)
    result = dict(pairs)
    if len(result) < len(pairs):
        raise ValueError(f"a key stands twice in {show(content)}")
    return result


def _decode_array(content):
    dtype, shape, values = content
    values = _decode_items(values)
    counts = [count for count in shape if type(count) is int and count >= 0]
    if len(counts) < len(shape) or math.prod(counts) != len(values):
        raise ValueError(f"an array of shape {show(shape)} has {len(values)} values")
    if dtype == "|O":
        array = np.empty(len(values), dtype=object)
        array[:] = values
        return array.reshape(shape)
    if not (isinstance(dtype, str) and _is_known(dtype)):
        raise ValueError(f"unknown dtype: {show(dtype)}")
    _check_items(dtype, values)
    return np.array(values, dtype=dtype).reshape(shape)


def _check_items(dtype, values):
    kind = _TYPE_OF_KIND[dtype[1]]
    for position, item in enumerate(values):
        if type(item) is not kind:
            raise ValueError(
                f"value {position} of an array of dtype {dtype!r} is {show(item)}"
            )
    if kind is str:
        width = int(dtype[2:])
        if max(map(len, values), default=0) > width:
            raise ValueError(f"a string is longer than dtype {dtype!r} allows")
        if width * len(values) > MOST_CHARACTERS:
            raise ValueError(f"{len(values)} strings of dtype {dtype!r} are too many")


def _decode_scalar(content):
    array = _decode_array(content)
    if array.shape != () or array.dtype == object:
        raise ValueError(f"expected a single value; got {show(content)}")
    return array[()]


_DECODERS = {
    "float": _decode_float,
    "tuple": lambda content: tuple(_decode_items(content)),
    "set": lambda content: set(_decode_items(content)),
    "frozenset": lambda content: frozenset(_decode_items(content)),
    "dict": _decode_dict,
    "array": _decode_array,
    "scalar": _decode_scalar,
}


def without_repeats(pairs):
    """Make a dict of JSON's pairs, and refuse keys that stand twice."""
    result = dict(pairs)
    if len(result) < len(pairs):
        keys = [key for key, _ in pairs]
        twice = next(key for key in keys if keys.count(key) > 1)
        raise ValueError(f"the key {show(twice)} stands twice")
    return result
