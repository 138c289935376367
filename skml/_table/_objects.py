"""Reading Python objects: numbers, strings, points and spans of time, intervals."""

from datetime import UTC, date, timedelta
from decimal import Decimal
from numbers import Real

import numpy as np

from skml._table._columns import (
    DATES,
    DURATIONS,
    LABELS,
    ZONED_DATES,
    LabelColumn,
    NumberColumn,
    kind_of_labels,
)
from skml._validation import is_missing

DAY = np.timedelta64(1, "D")
EPOCH = np.datetime64(0, "D")
NOT_A_TIME = np.datetime64("NaT", "D")
_MISSING_TYPES = {"NoneType", "NAType", "NaTType"}


def read_objects(values, name, sentinels, known):
    """Read Python objects: all of one kind, or of the types of labels `known` in `fit`.

    Those that equal one of `sentinels` are missing. Messages call the column `name`.
    """
    kinds = _kinds_by_type(values)
    if sentinels and "other" not in kinds.values():
        values = [
            None if kinds[type(value)] == "missing" or value in sentinels else value
            for value in values
        ]
        kinds = _kinds_by_type(values)
    present = set(kinds.values()) - {"missing"}
    if not known and present <= {"number"}:
        return _read_numbers(values, name)
    if not kinds.keys() <= {str, type(None)}:  # NaN among strings is missing
        values = [None if is_missing(value) else value for value in values]
        kinds = _kinds_by_type(values)
        present = set(kinds.values()) - {"missing"}
    if known and kinds.keys() <= {type(None), *map(type, known)}:
        return _factorize(values, kind_of_labels(known))
    if len(present) > 1 or "other" in present:
        raise TypeError(_first_offender(values, name))
    return _READERS[present.pop() if present else "number"](values, name)


def _kinds_by_type(values):
    return {cls: _kind_of(cls) for cls in set(map(type, values))}


def _kind_of(cls):
    if cls.__name__ in _MISSING_TYPES:
        return "missing"
    if issubclass(cls, (date, np.datetime64)):
        return "date"
    if issubclass(cls, (timedelta, np.timedelta64)):  # which NumPy calls an integer
        return "duration"
    if issubclass(cls, (Real, Decimal, np.bool_)):
        return "number"
    if cls.__name__ == "Interval" and cls.__module__.startswith("pandas"):
        return "interval"
    return "string" if issubclass(cls, str) else "other"


def _kind(value):
    return _kind_of(type(value))


def _read_numbers(values, name):
    kinds = _kinds_by_type(values)
    floats = [np.nan if kinds[type(v)] == "missing" else _float(v) for v in values]
    return NumberColumn(np.array(floats, dtype=np.float64))


def _float(number):
    try:
        return float(number)
    except OverflowError:  # an integer, which is refused with all infinite values
        return np.inf


def number_labels(values):
    """Let numbers be labels: integers as they are, and all others as floats."""
    return _factorize([_number_label(value) for value in values], "numbers")


def _number_label(value):
    if _kind(value) == "missing" or value != value:
        return None
    if isinstance(value, (float, np.floating)) or abs(value) == np.inf:
        return float(value)
    return int(value) if value == int(value) else float(value)


def _read_strings(values, name):
    column = _factorize(values)
    return column._replace(labels=list(map(str, column.labels)))


def _read_intervals(values, name):
    return _factorize(values, kind_of_labels([v for v in values if v is not None]))


def _factorize(values, kind=LABELS):
    """Number distinct values in the order of their appearance; None is missing."""
    numbers = {None: -1}
    codes = np.empty(len(values), dtype=np.intp)
    for row, value in enumerate(values):
        code = numbers.get(value)
        if code is None:
            code = numbers[value] = len(numbers) - 1
        codes[row] = code
    return LabelColumn(codes, list(numbers)[1:], kind)


def _read_dates(values, name):
    is_zoned = [getattr(value, "tzinfo", None) is not None for value in values]
    if not any(is_zoned):
        return NumberColumn(_read_all_times(values), DATES)
    for row, (value, zoned) in enumerate(zip(values, is_zoned, strict=True)):
        if value is not None and not zoned:
            raise TypeError(
                f"Row {row} of {name} is {value!r:.60}, which has no time zone, and "
                f"row {is_zoned.index(True)} has one. Give all of them one, or none."
            )
    values = [
        v if v is None else v.astimezone(UTC).replace(tzinfo=None) for v in values
    ]
    return NumberColumn(_read_all_times(values), ZONED_DATES)


def _read_durations(values, name):
    return NumberColumn(_read_all_times(values), DURATIONS)


def _read_all_times(values):
    """Days of points or spans of time, each in its own unit; None is missing."""
    times = list(map(_as_time, values))
    dtypes = [time.dtype for time in times]
    days = np.empty(len(times))
    for dtype in set(dtypes):
        rows = [row for row, other in enumerate(dtypes) if other == dtype]
        days[rows] = read_times(np.array([times[row] for row in rows], dtype))
    return days


def _as_time(value):
    """A point or span of time as NumPy has it."""
    for convert in ("to_datetime64", "to_timedelta64"):  # those of pandas
        if hasattr(value, convert):
            return getattr(value, convert)()
    if isinstance(value, (timedelta, np.timedelta64)):
        return np.timedelta64(value)
    return np.datetime64(NOT_A_TIME if value is None else value)


def read_times(column):
    """Days, the same of all units of time: each division is of exact numbers."""
    spans = column - EPOCH if column.dtype.kind == "M" else column
    whole = spans.astype(DAY.dtype)
    return whole / DAY + (spans - whole) / DAY


def _first_offender(values, name):
    kinds = list(map(_kind, values))
    expected = next((kind for kind in kinds if kind not in {"missing", "other"}), "")
    row = next(r for r, kind in enumerate(kinds) if kind not in {expected, "missing"})
    where = f"Row {row} of {name} is {values[row]!r:.60} ({type(values[row]).__name__})"
    if kinds[row] == "other":
        return (
            f"{where}; the argument must be a string or a real number, or a date. "
            "Convert the column, or drop it."
        )
    return (
        f"{where}, but the rows before hold {expected}s: a column must hold strings "
        "only, which are categories, or numbers only, or dates only. Convert the "
        "column, or declare the values that mean missing: missing_values=[...]."
    )


_READERS = {
    "number": _read_numbers,
    "string": _read_strings,
    "date": _read_dates,
    "duration": _read_durations,
    "interval": _read_intervals,
}
