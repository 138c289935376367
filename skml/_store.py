"""A fitted model as a folder of data: one format for all estimators.

``model.json`` holds values, ``arrays.safetensors`` the arrays, and a booster or a
tokenizer its own file. See :mod:`skml._codec` for what values can be.
"""

import json
import os
from pathlib import Path

import numpy as np
from safetensors import SafetensorError, safe_open
from safetensors.numpy import load_file, save_file
from sklearn.base import BaseEstimator

from skml._codec import (
    LIBRARY_FILES,
    MODEL,
    DamagedError,
    Decoder,
    Encoder,
    existing_file,
    find_estimator,
    show,
)
from skml._folders import check_replaceable, flush, replace_folder

FORMAT, VERSION = "skml", 1
ARRAYS = "arrays.safetensors"
FILES = (MODEL, ARRAYS, *LIBRARY_FILES)


def write_model(path, model):
    """Write an estimator, or a value of a registered class, to a folder.

    The folder appears, or is replaced, at once; nothing is written after an error.
    """
    path = Path(os.fspath(path)).absolute()  # "." has no name to put others beside
    check_replaceable(path, FILES)
    writer = Encoder()
    head = {"format": FORMAT, "version": VERSION}
    is_estimator = isinstance(model, BaseEstimator)
    encode = writer.encode_estimator if is_estimator else writer.encode_value
    state = head | encode(model, type(model).__name__)
    text = json.dumps(state, indent=1, allow_nan=False, ensure_ascii=False) + "\n"

    def write(folder):
        _write_file(folder / MODEL, text.encode("utf-8", "surrogatepass"))
        for file in writer.files.values():
            _write_file(folder / file.name, file.content)
        save_file(writer.arrays, folder / ARRAYS)
        with open(folder / ARRAYS, "rb+") as file:
            flush(file)

    replace_folder(path, FILES, write)


def _write_file(path, content):
    with open(path, "xb") as file:
        file.write(content)
        flush(file)


def read_model(path, cls, *, mmap=False):
    """Read what `write_model` wrote, from a folder of unknown origin.

    With `mmap`, arrays are mapped into memory: they are read when they are used. What
    is missing, damaged, or of another class or version raises a ValueError.
    """
    path = Path(os.fspath(path))
    where = path / MODEL
    state = _parse(where)
    if not isinstance(state, dict) or state.get("format") != FORMAT:
        raise ValueError(f"{where} is not a model of this package.")
    if state.get("version") != VERSION:
        raise ValueError(
            f"{where}: expected version {VERSION}; got {show(state.get('version'))}. "
            "Save the model again, or read it with the version that wrote it."
        )
    if state.get("class") != cls.__name__:
        raise ValueError(
            f"{where} has a {show(state.get('class'))}, not a {cls.__name__}; load it "
            "with its own class."
        )
    file = existing_file(path / ARRAYS)
    try:
        arrays = (_map_file if mmap else load_file)(file)
    except (SafetensorError, AttributeError, TypeError, ValueError) as error:
        # Those but the first are of dtypes that NumPy has not.
        raise ValueError(f"{path / ARRAYS} is damaged: {error!s:.200}") from None
    try:
        reader = Decoder(path, arrays)
        if issubclass(cls, BaseEstimator):
            if state.get("fitted") is None:
                raise DamagedError(f"{cls.__name__}: nothing was fitted")
            return reader.make_estimator(state, cls.__name__, cls)
        return reader.decode({**state, "is": "value"}, cls.__name__)
    except DamagedError as error:
        reason = str(error).rstrip(".")
        raise ValueError(f"{where} is damaged: {reason}.") from error
    except RecursionError:
        raise ValueError(f"{where} is damaged: it is nested too deep.") from None


def _map_file(path):
    """The arrays of a file, mapped into memory."""
    with safe_open(path, "numpy"):  # checks that sizes and places fit the file
        header = np.memmap(path, np.uint8, "r")
    start = 8 + int.from_bytes(header[:8], "little")
    entries = json.loads(bytes(header[8:start]))
    entries.pop("__metadata__", None)
    return {key: _map_array(path, start, entry) for key, entry in entries.items()}


def _map_array(path, start, entry):
    name, shape = entry["dtype"], tuple(entry["shape"])
    code = "?" if name == "BOOL" else f"<{name[0].lower()}{int(name[1:]) // 8}"
    if 0 in shape:
        return np.empty(shape, code)
    return np.memmap(path, code, "r", start + entry["data_offsets"][0], shape)


def read_any_model(path):
    """Read an estimator that `write_model` wrote, of whichever public class it is."""
    where = Path(os.fspath(path)) / MODEL
    state = _parse(where)
    name = state.get("class") if isinstance(state, dict) else None
    cls = find_estimator(name) if isinstance(name, str) else None
    if not hasattr(cls, "load"):
        raise ValueError(f"{where} is not a model of this package.")
    return cls.load(path)


def _parse(where):
    content = existing_file(where).read_bytes()
    try:
        return json.loads(
            content.decode("utf-8", "surrogatepass"),
            object_pairs_hook=_without_repeats,
            parse_constant=_refuse_constant,
        )
    except (ValueError, RecursionError) as error:  # also numbers of too many digits
        raise ValueError(f"{where} is damaged: {error!s:.200}") from None


def _without_repeats(pairs):
    result = dict(pairs)
    if len(result) < len(pairs):
        raise ValueError("an object has a name twice")
    return result


def _refuse_constant(name):
    raise ValueError(f"{name} is no number of JSON")
