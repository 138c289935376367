"""One column of any table: numbers with NaN, or codes of labels."""

from decimal import Decimal
from numbers import Real
from typing import NamedTuple

import numpy as np

from skml._validation import is_missing

DAY = np.timedelta64(1, "D")
EPOCH = np.datetime64(0, "D")
UNSEEN = -1.0  # the code of a label that is not known
NOT_A_TIME = np.iinfo(np.int64).min  # the ticks of NaT
_MISSING_TYPES = {"NoneType", "NAType", "NaTType"}


class NumberColumn(NamedTuple):
    """Numbers; missing values are NaN."""

    values: np.ndarray  # float64, (n_samples,)
    kind: str = "numbers"  # or what they are made of: "dates", "durations"


class LabelColumn(NamedTuple):
    """Labels, each once, and which row has which; -1 where the value is missing."""

    codes: np.ndarray  # intp, (n_samples,)
    labels: list
    kind: str = "strings or categories"  # or what a number column is made of


def kind_of_labels(labels):
    """What labels are: numbers, or not."""
    are_numbers = all(isinstance(label, Real) for label in labels)
    return "numbers" if are_numbers else "strings or categories"


def library_of(table):
    """The library of data frames that an object is of, or made after; None if none."""
    modules = (cls.__module__.partition(".")[0] for cls in type(table).__mro__)
    return next((module for module in modules if module in _READERS), None)


def read_column(column, name, sentinels=()):
    """Read a column of a data frame, or a one-dimensional array.

    Parameters
    ----------
    column : ndarray, or Series of pandas or polars, or ChunkedArray of pyarrow
        The column.
    name : str
        How messages call it, e.g. ``"column 'age'"``.
    sentinels : collection of numbers and strings, default=()
        Values that mean missing, beside NaN, None, NA and NaT.

    Returns
    -------
    column : NumberColumn or LabelColumn
        Its values. Points in time and spans of time are numbers: days, since 1970.

    Raises
    ------
    TypeError
        If values are of other types, or numbers and strings are mixed.
    """
    read = _READERS.get(library_of(column), _read_array)
    column = read(column, name, sentinels)
    return without_sentinels(column, sentinels)


def without_sentinels(column, sentinels):
    """Take the values that mean missing out of a column."""
    if isinstance(column, NumberColumn):
        numbers = sentinel_numbers(sentinels)
        if not numbers:
            return column
        found = np.isin(column.values, numbers)
        return column._replace(values=np.where(found, np.nan, column.values))
    wanted = [label not in sentinels for label in column.labels]
    if all(wanted):
        return column
    new_codes = np.where(wanted, np.cumsum(wanted) - 1, -1)
    labels = [label for label, keep in zip(column.labels, wanted, strict=True) if keep]
    return column._replace(codes=_take(new_codes, column.codes), labels=labels)


def sentinel_numbers(sentinels):
    """Those that are numbers; of a fraction also what is left of it in float32."""
    numbers = [float(s) for s in sentinels if isinstance(s, Real)]
    return numbers + [float(np.float32(s)) for s in numbers if not s.is_integer()]


def as_labels(column):
    """Let the distinct values of a column of numbers be its labels."""
    if isinstance(column, LabelColumn):
        return column
    missing = np.isnan(column.values)
    labels, codes = np.unique(column.values[~missing], return_inverse=True)
    all_codes = np.full(len(missing), -1, dtype=np.intp)
    all_codes[~missing] = codes
    return LabelColumn(all_codes, labels.tolist(), column.kind)


def observed_labels(column):
    """The labels that rows have, in a fixed order."""
    seen = np.unique(column.codes[column.codes >= 0])
    labels = [column.labels[code] for code in seen]
    try:
        return sorted(labels)
    except TypeError:  # labels of several types
        return sorted(labels, key=lambda label: (_rank_of_type(label), label))


def _rank_of_type(label):
    return "" if isinstance(label, Real) else type(label).__name__


def recode(column, known):
    """Codes of a column by given labels, as numbers; NaN where missing.

    Parameters
    ----------
    column : LabelColumn
        The column.
    known : list
        The labels whose positions are the new codes.

    Returns
    -------
    codes : ndarray of shape (n_samples,)
        The codes, of dtype float64; `UNSEEN` for other labels.
    """
    position = {label: code for code, label in enumerate(known)}
    new_codes = [position.get(label, UNSEEN) for label in column.labels]
    return _take(np.array(new_codes, dtype=np.float64), column.codes, missing=np.nan)


def _take(new_codes, codes, missing=-1):
    """New codes of old ones, where -1 stays missing."""
    return np.append(new_codes, missing)[codes]


def _read_array(column, name, sentinels):
    column = np.asarray(column)
    kind = column.dtype.kind
    if kind in "fiub":
        return NumberColumn(np.asarray(column, dtype=np.float64))
    if kind in "mM":
        return _read_times(column)
    return _read_objects(column.tolist(), name, sentinels)


def _read_times(column):
    """Days, the same of all units of time: each division is of exact numbers."""
    is_date = column.dtype.kind == "M"
    spans = column - EPOCH if is_date else column
    whole = spans.astype(DAY.dtype)
    days = whole / DAY + (spans - whole) / DAY
    return NumberColumn(days, "dates" if is_date else "durations")


def _read_objects(values, name, sentinels):
    """Read Python objects: all numbers, or all strings, beside missing values."""
    types = _kinds_by_type(values)
    if sentinels and "other" not in types.values():
        values = [
            None if types[type(value)] == "missing" or value in sentinels else value
            for value in values
        ]
        types = _kinds_by_type(values)
    if set(types.values()) <= {"number", "missing"}:
        floats = [np.nan if types[type(v)] == "missing" else _float(v) for v in values]
        return NumberColumn(np.array(floats, dtype=np.float64))
    if not types.keys() <= {str, type(None)}:  # NaN, say, among strings is missing
        values = [None if is_missing(value) else value for value in values]
        types = _kinds_by_type(values)
    if set(types.values()) <= {"string", "missing"}:
        return _factorize(values)
    raise TypeError(_first_offender(values, name))


def _kinds_by_type(values):
    return {cls: _kind_of(cls) for cls in set(map(type, values))}


def _float(number):
    try:
        return float(number)
    except OverflowError:  # an integer, which is refused with all infinite values
        return np.inf


def _kind_of(cls):
    if cls.__name__ in _MISSING_TYPES:
        return "missing"
    if issubclass(cls, (Real, Decimal, np.bool_)):
        return "number"
    return "string" if issubclass(cls, str) else "other"


def _first_offender(values, name):
    expected = next((k for k in map(_kind, values) if k in {"number", "string"}), "")
    row = next(
        row
        for row, value in enumerate(values)
        if _kind(value) not in {expected, "missing"}
    )
    kind = type(values[row]).__name__
    where = f"Row {row} of {name} is {values[row]!r:.60} ({kind})"
    if _kind(values[row]) == "other":
        return (
            f"{where}; the argument must be a string or a real number. Convert the "
            "column (dates: to a type of dates), or drop it."
        )
    return (
        f"{where}, but the rows before are each a {expected}: a column must be of "
        "strings only, which are categories, or of numbers only. Convert the column, "
        "or declare the values that mean missing: missing_values=[...]."
    )


def _kind(value):
    return _kind_of(type(value))


def _factorize(values):
    """Number distinct strings in the order of their appearance; None is missing."""
    numbers = {None: -1}
    labels = []
    codes = np.empty(len(values), dtype=np.intp)
    for row, value in enumerate(values):
        code = numbers.get(value)
        if code is None:
            code = numbers[value] = len(labels)
            labels.append(str(value))
        codes[row] = code
    return LabelColumn(codes, labels)


def _read_pandas(column, name, sentinels):
    dtype = column.dtype
    if hasattr(dtype, "categories"):
        codes = column.cat.codes.to_numpy().astype(np.intp)
        labels = dtype.categories.tolist()
        return LabelColumn(codes, labels, kind_of_labels(labels))
    if hasattr(dtype, "pyarrow_dtype"):
        import pyarrow

        return _read_pyarrow(pyarrow.array(column.array), name, sentinels)
    kind = getattr(dtype, "kind", "O")
    if kind in "fiub":
        return NumberColumn(column.to_numpy(dtype=np.float64, na_value=np.nan))
    if kind in "mM":
        if getattr(dtype, "tz", None) is not None:
            column = column.dt.tz_convert("UTC").dt.tz_localize(None)
        return _read_times(column.to_numpy())
    return _read_objects(_without_na(column), name, sentinels)


def _without_na(column):
    values = column.to_numpy(dtype=object)
    missing = column.isna().to_numpy()
    if missing.any():
        values = np.where(missing, None, values)
    return values.tolist()


def _read_polars(column, name, sentinels):
    import polars

    dtype = column.dtype
    if dtype.is_numeric() or dtype == polars.Boolean:
        return NumberColumn(column.cast(polars.Float64).to_numpy())
    if dtype == polars.Date:
        column = column.cast(polars.Datetime("us"))
        dtype = column.dtype
    if dtype in (polars.Datetime, polars.Duration):
        ticks = column.to_physical().fill_null(NOT_A_TIME).to_numpy()
        kind = "m8" if dtype == polars.Duration else "M8"
        return _read_times(ticks.view(f"{kind}[{dtype.time_unit}]"))
    return _read_objects(column.to_list(), name, sentinels)


def _read_pyarrow(column, name, sentinels):
    import pyarrow
    from pyarrow import types

    dtype = column.type
    if types.is_dictionary(dtype):
        column = column.cast(dtype.value_type)
        return as_labels(_read_pyarrow(column, name, sentinels))
    if types.is_boolean(dtype) or types.is_integer(dtype) or types.is_floating(dtype):
        column = column.cast(pyarrow.float64(), safe=False)
        return NumberColumn(np.asarray(column))
    if types.is_date(dtype) or types.is_timestamp(dtype) or types.is_duration(dtype):
        return _read_times(np.asarray(column))
    return _read_objects(column.to_pylist(), name, sentinels)


_READERS = {
    "pandas": _read_pandas,
    "polars": _read_polars,
    "pyarrow": _read_pyarrow,
}
