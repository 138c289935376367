"""Values of fitted models as JSON, arrays and files, and back: one codec for all.

It makes values of the classes that are registered here and no others, and runs no code
of what it reads. Each class checks what it gets.
"""

import math
import os
import reprlib
from dataclasses import dataclass, fields
from hashlib import sha256
from importlib import import_module
from typing import get_type_hints

import numpy as np
from scipy import sparse
from sklearn.base import BaseEstimator

from skml._compat.sklearn import output_container

MODEL = "model.json"
# Files that other libraries read.
LIBRARY_FILES = ("booster.json", "booster.txt", "tokenizer.json")
MOST_JOBS = 1024  # threads that a file may ask for
_REFUSALS = (KeyError, TypeError, ValueError, AttributeError, OverflowError)
_CLASSES = {}  # what a folder may hold, by name
_SPARSE = {"csr_array": sparse.csr_array, "csr_matrix": sparse.csr_matrix}
_COLLECTIONS = {"tuple": tuple, "set": set, "frozenset": frozenset}
_PANDAS = {"NAType": "NA", "NaTType": "NaT"}  # missing values, by the name of the type
_MOST_BYTES = 2**26  # of all arrays of strings
_CONTAINERS = {"default", "pandas", "polars"}  # of `set_output`
_REPR = reprlib.Repr()
_REPR.maxlevel, _REPR.maxstring, _REPR.maxother = 3, 60, 60


def show(value):
    """A value for a message, cut; no nesting is too deep for it."""
    return _REPR.repr(value)[:100]


def register(cls):
    """Let a folder hold values of a class that has `to_data` and `from_data`.

    If its module is executed once more, as pytest does, the first class stays.
    """
    if _CLASSES.setdefault(cls.__name__, cls).__module__ != cls.__module__:
        raise TypeError(f"two classes of the name {cls.__name__} cannot be stored.")
    return cls


def stored(cls):
    """Make a frozen dataclass, of keyword-only fields, that a folder can hold.

    Each field is annotated with the type, or the union of types, that is checked when
    it is read; `check`, if there is one, checks how they belong together, and raises
    a ValueError.
    """
    cls = dataclass(frozen=True, eq=False, kw_only=True)(cls)
    if not hasattr(cls, "to_data"):
        cls.to_data = fields_to_data
    if not hasattr(cls, "from_data"):
        cls.from_data = classmethod(fields_from_data)
    return register(cls)


def fields_to_data(value):
    """What is stored of a dataclass: its fields."""
    return {field.name: getattr(value, field.name) for field in fields(value)}


def fields_from_data(cls, data):
    """A dataclass of fields that were stored, each of the type that it has."""
    types = get_type_hints(cls)
    names = {field.name for field in fields(cls)}
    if wrong := names ^ data.keys():
        there = "is missing" if min(wrong) in names else "is unknown"
        raise ValueError(f"{show(min(wrong))} {there}")
    for name, value in data.items():
        expected = types[name]
        if not isinstance(value, expected) or (
            type(value) is bool and expected is not object and not _takes(expected)
        ):
            raise ValueError(f"{name} is {show(value)}")
    value = cls(**data)
    if hasattr(value, "check"):
        value.check()
    return value


def _takes(expected):
    """Whether a type, or a union of types, includes bool by name."""
    return bool in getattr(expected, "__args__", (expected,))


@dataclass
class File:
    """The content of a file that another library reads: of a booster, a tokenizer."""

    name: str
    content: bytes


def check_n_jobs(parameters):
    """Refuse parameters that were read, and ask for more threads than a machine has."""
    n_jobs = parameters.get("n_jobs")
    if n_jobs is not None and (n_jobs == 0 or abs(n_jobs) > MOST_JOBS):
        raise ValueError(
            f"n_jobs is {show(n_jobs)}; expected 1 to {MOST_JOBS}, or minus that, or "
            "None"
        )


def existing_file(path):
    if not path.is_file():
        raise ValueError(f"{path} is missing; pass a folder that save wrote.")
    return path


class Encoder:
    """Turns values into what JSON can hold, and collects arrays and files.

    JSON's own values stand for themselves; an object whose entry "is" names the kind
    stands for another.
    """

    def __init__(self):
        self.arrays = {}
        self.files = {}
        self._keys = {}  # of arrays that were seen, so that what is shared stays so
        self._n_bytes = 0  # of arrays of strings

    def encode_estimator(self, estimator, place):
        parameters = estimator.get_params(deep=False)
        fitted = vars(estimator).get("_fitted")
        return {
            "class": type(estimator).__name__,
            "parameters": {
                name: self.encode(value, f"{place}: the parameter {name}")
                for name, value in parameters.items()
            },
            "output": output_container(estimator),
            "fitted": self.encode(fitted, place),
        }

    def encode_value(self, value, place):
        data = {
            name: self.encode(part, f"{place}: {name.lstrip('_')}")
            for name, part in value.to_data().items()
        }
        return {"class": type(value).__name__, "data": data}

    def encode(self, value, place):
        kind = type(value)
        if value is None or kind in {bool, int, str}:
            return value
        if kind is float:
            if math.isfinite(value):
                return value
            return {"is": "float", "value": repr(value)}
        if kind is list:
            return self._encode_all(value, place)
        if kind in _COLLECTIONS.values():
            return {"is": kind.__name__, "items": self._encode_all(value, place)}
        if kind is dict:
            items = [self._encode_all(pair, place) for pair in value.items()]
            return {"is": "dict", "items": items}
        if isinstance(value, (np.ndarray, np.generic)):
            return self._encode_array(value, place)
        if kind.__name__ in _SPARSE and sparse.issparse(value):
            parts = {n: getattr(value, n) for n in ("data", "indices", "indptr")}
            coded = {n: self._encode_array(part, place) for n, part in parts.items()}
            shape = list(map(int, value.shape))
            return {"is": kind.__name__, "shape": shape, **coded}
        if kind is File:
            return self._encode_file(value)
        if _CLASSES.get(kind.__name__) is kind:
            return {"is": "value", **self.encode_value(value, place)}
        if isinstance(value, BaseEstimator) and find_estimator(kind.__name__) is kind:
            return {"is": "estimator", **self.encode_estimator(value, place)}
        if isinstance(value, os.PathLike):
            return os.fspath(value)
        package = kind.__module__.partition(".")[0]
        if package in {"pandas", "polars"} and hasattr(value, "to_list"):
            return self._encode_all(value.to_list(), place)  # an index, a series
        if package == "pandas" and kind.__name__ in _PANDAS:
            return {"is": "pandas", "name": _PANDAS[kind.__name__]}
        is_type = isinstance(value, type) and issubclass(value, np.generic)
        if (is_type or isinstance(value, np.dtype)) and np.dtype(value).kind in "biuf":
            return {"is": "dtype", "name": np.dtype(value).str, "is_type": is_type}
        raise TypeError(
            f"{place} is {value!r:.100} (type {kind.__name__}), which cannot be "
            "written as data. Numbers, strings, None, and lists, dicts and NumPy "
            "arrays of them can. pickle and joblib also keep functions and classes "
            "that can be imported from a module."
        )

    def _encode_all(self, values, place):
        return [self.encode(value, place) for value in values]

    def _encode_array(self, value, place):
        array = np.asarray(value)
        is_number = array.dtype.kind in "biuf" and array.itemsize <= 8
        if isinstance(value, np.generic) and (is_number or array.dtype.kind == "U"):
            coded = self.encode(value.item(), place)
            return {"is": "scalar", "dtype": array.dtype.str, "value": coded}
        if is_number:
            key, _ = self._keys.get(id(value), (None, None))
            if key is None:
                key = str(len(self.arrays))
                self._keys[id(value)] = key, value  # kept, as its id is used
                self.arrays[key] = np.require(array, array.dtype.newbyteorder("="), "C")
            return {"is": "array", "key": key, "is_fortran": _is_fortran(array)}
        if array.dtype.kind in "UO":
            self._n_bytes += _bytes_of_strings(array.dtype, array.size)
            if self._n_bytes > _MOST_BYTES:
                raise ValueError(
                    f"{place} is an array of {array.size} strings of the dtype "
                    f"{array.dtype}; all such arrays may take {_MOST_BYTES} bytes. Use "
                    "an array of objects, or a list."
                )
            return {
                "is": "objects",
                "dtype": array.dtype.str,
                "shape": list(array.shape),
                "items": [self._encode_item(v, place) for v in array.ravel().tolist()],
            }
        raise TypeError(
            f"{place} is an array of the dtype {array.dtype}, which cannot be written "
            "as data. Convert it to numbers or strings, or use pickle."
        )

    def _encode_item(self, value, place):
        """A value of an array of objects, which Python's own types stand for."""
        if isinstance(value, str):
            return str(value)
        value = value.item() if isinstance(value, np.generic) else value
        if value is not None and type(value) not in {str, int, float, bool}:
            raise TypeError(
                f"{place} holds {value!r:.100} (type {type(value).__name__}), which "
                "cannot be written as data. Strings, numbers and None can; convert it "
                "before fit, or use pickle."
            )
        return self.encode(value, place)

    def _encode_file(self, file):
        self.files[file.name] = file
        return {
            "is": "file",
            "name": file.name,
            "sha256": sha256(file.content).hexdigest(),
        }


def _bytes_of_strings(dtype, n):
    """The bytes of an array of strings, which take less in the file; of objects, 0."""
    return dtype.itemsize * max(1, n) if dtype.kind == "U" else 0


def _is_fortran(array):
    return bool(array.flags.f_contiguous and not array.flags.c_contiguous)


class DamagedError(Exception):
    """Says what is wrong, and where in the file."""


class Decoder:
    """Turns what `Encoder` wrote back into values, each checked."""

    def __init__(self, path, arrays):
        self.path = path
        self.arrays = arrays
        self._fortran = {}  # arrays in that order, so that what is shared stays so
        self._n_bytes = 0  # of arrays of strings

    def make_estimator(self, state, place, cls):
        parameters = state.get("parameters")
        if not isinstance(parameters, dict):
            raise DamagedError(f"{place}: parameters are {show(parameters)}")
        parameters = {
            name: self.decode(value, f"{place}: {name}")
            for name, value in parameters.items()
        }
        if wrong := parameters.keys() ^ set(cls._get_param_names()):
            there = "is missing" if min(wrong) not in parameters else "is unknown"
            raise DamagedError(f"{place}: the parameter {show(min(wrong))} {there}")
        estimator = cls(**parameters)
        try:
            estimator._validate_params()
            check_n_jobs(parameters)
        except (TypeError, ValueError, RecursionError) as error:
            raise DamagedError(f"{place}: {error!s:.300}") from error
        container = state.get("output")
        if container is not None:
            is_known = type(container) is str and container in _CONTAINERS
            if not is_known or not hasattr(estimator, "set_output"):
                raise DamagedError(f"{place}: output is {show(container)}")
            estimator.set_output(transform=container)
        fitted = self.decode(state.get("fitted"), place)
        if fitted is not None:
            try:
                estimator._check_fitted(fitted)
            except ValueError as error:
                raise DamagedError(f"{place}: {error}") from error
            estimator._publish(fitted)
        return estimator

    def decode(self, coded, place):
        if isinstance(coded, list):
            return [self.decode(value, place) for value in coded]
        if not isinstance(coded, dict):
            return coded
        decode = self._METHODS.get(str(coded.get("is")))
        if decode is None:
            raise DamagedError(f"{place}: {show(coded)} is of no known kind")
        try:
            return decode(self, coded, place)
        except _REFUSALS as error:
            missing = " is missing" if isinstance(error, KeyError) else ""
            raise DamagedError(f"{place}: {error!s:.300}{missing}") from error

    def _decode_float(self, coded, place):
        if coded["value"] not in {"nan", "inf", "-inf"}:
            raise ValueError(f"{show(coded['value'])} is no float")
        return float(coded["value"])

    def _decode_collection(self, coded, place):
        return _COLLECTIONS[coded["is"]](self._decode_items(coded, place))

    def _decode_dict(self, coded, place):
        result = {}
        for key, value in self._decode_items(coded, place):
            if key in result:
                raise ValueError(f"the key {show(key)} stands there twice")
            result[key] = value
        return result

    def _decode_items(self, coded, place):
        if not isinstance(coded["items"], list):
            raise ValueError(f"expected items; got {show(coded['items'])}")
        return self.decode(coded["items"], place)

    def _decode_scalar(self, coded, place):
        dtype = _known_dtype(coded["dtype"], "biufU")
        return dtype.type(self.decode(coded["value"], place))

    def _decode_dtype(self, coded, place):
        dtype = _known_dtype(coded["name"], "biuf")
        return dtype.type if coded["is_type"] else dtype

    def _decode_array(self, coded, place):
        key, is_fortran = coded["key"], coded["is_fortran"]
        array = self.arrays[key]
        if type(is_fortran) is not bool:
            raise ValueError(f"is_fortran is {show(is_fortran)}")
        if is_fortran and key not in self._fortran:
            self._fortran[key] = np.asfortranarray(array)
        return self._fortran[key] if is_fortran else array

    def _decode_objects(self, coded, place):
        dtype = _known_dtype(coded["dtype"], "UO")
        items = self._decode_items(coded, place)
        if not all(type(i) in {str, int, float, bool, type(None)} for i in items):
            raise ValueError("an array holds something else than strings and numbers")
        self._n_bytes += _bytes_of_strings(dtype, len(items))
        if self._n_bytes > _MOST_BYTES:
            raise ValueError(f"{len(items)} strings of the dtype {dtype} are too long")
        array = np.empty(len(items), dtype=dtype)
        array[:] = items
        return array.reshape(coded["shape"])

    def _decode_sparse(self, coded, place):
        data, indices, indptr = (
            self.decode(coded[name], place) for name in ("data", "indices", "indptr")
        )
        matrix = _SPARSE[coded["is"]]((data, indices, indptr), shape=coded["shape"])
        matrix.check_format(full_check=True)
        return matrix

    def _decode_pandas(self, coded, place):
        if coded["name"] not in _PANDAS.values():
            raise ValueError(f"{show(coded['name'])} is no missing value")
        try:
            pandas = import_module("pandas")
        except ModuleNotFoundError as error:
            raise ImportError(
                f"{self.path / MODEL}: {place} is pandas.{coded['name']}, which needs "
                "the package 'pandas'. Install it with: pip install pandas"
            ) from error
        return getattr(pandas, coded["name"])

    def _decode_file(self, coded, place):
        name = coded["name"]
        if name not in LIBRARY_FILES:
            raise ValueError(f"{show(name)} is no file of a model")
        where = self.path / name
        content = existing_file(where).read_bytes()
        if sha256(content).hexdigest() != coded["sha256"]:
            raise ValueError(
                f"{where} is not the file that was saved: its SHA-256 is another. Copy "
                "the folder again, or save the model again"
            )
        return File(name, content)

    def _decode_value(self, coded, place):
        cls = _CLASSES.get(coded["class"])
        if cls is None or not isinstance(coded["data"], dict):
            raise ValueError(f"{show(coded['class'])} is no class of a fitted model")
        data = {
            name: self.decode(value, f"{place}: {name.lstrip('_')}")
            for name, value in coded["data"].items()
        }
        return cls.from_data(data)

    def _decode_estimator(self, coded, place):
        cls = find_estimator(coded["class"])
        if cls is None:
            raise ValueError(f"{show(coded['class'])} is no estimator of this package")
        return self.make_estimator(coded, place, cls)

    _METHODS = {
        **dict.fromkeys(_COLLECTIONS, _decode_collection),
        **dict.fromkeys(_SPARSE, _decode_sparse),
        "float": _decode_float,
        "dict": _decode_dict,
        "scalar": _decode_scalar,
        "dtype": _decode_dtype,
        "array": _decode_array,
        "objects": _decode_objects,
        "pandas": _decode_pandas,
        "file": _decode_file,
        "value": _decode_value,
        "estimator": _decode_estimator,
    }


def _known_dtype(text, kinds):
    dtype = np.dtype(text) if type(text) is str else None
    if dtype is None or dtype.kind not in kinds:
        raise ValueError(f"dtype {show(text)}")
    return dtype


def find_estimator(name):
    """The public estimator of this name, or None."""
    skml = import_module("skml")
    cls = getattr(skml, name, None) if name in skml.__all__ else None
    return cls if isinstance(cls, type) and issubclass(cls, BaseEstimator) else None
