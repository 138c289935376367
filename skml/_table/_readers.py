"""Reading a column of any container: of an array, pandas, polars or pyarrow."""

import numpy as np

from skml._table._columns import (
    DATES,
    DURATIONS,
    ZONED_DATES,
    LabelColumn,
    NumberColumn,
    as_labels,
    kind_of_labels,
    may_be_rounded,
    without_sentinels,
)
from skml._table._objects import number_labels, read_objects, read_times

NOT_A_TIME = np.iinfo(np.int64).min  # the ticks of NaT


def library_of(table):
    """The library of data frames that an object is of, or made after; None if none."""
    modules = (cls.__module__.partition(".")[0] for cls in type(table).__mro__)
    return next((module for module in modules if module in _READERS), None)


def read_column(column, name, sentinels=(), known=None):
    """Read a column of a data frame, or a one-dimensional array.

    Times are numbers: days, since 1970. Messages call the column `name`. `known` are
    the labels that a column of categories had in `fit`; in `fit`, an empty list if it
    is declared to hold categories; None if it is not known to hold any. Integers among
    labels are exact where float64 cannot distinguish them.
    """
    read = _READERS.get(library_of(column), _read_array)
    result = read(column, name, sentinels, known)
    is_number = isinstance(result, NumberColumn) and result.kind == "numbers"
    if known is not None and is_number and may_be_rounded(result.values):
        result = number_labels(_as_objects(column))
    return without_sentinels(result, sentinels)


def _as_objects(column):
    """The values of a column, exactly."""
    names = ("to_pylist", "to_list", "tolist")  # of pyarrow, polars and pandas, NumPy
    return next(getattr(column, name) for name in names if hasattr(column, name))()


def _read_array(column, name, sentinels, known):
    column = np.asarray(column)
    kind = column.dtype.kind
    if kind in "fiub":
        return NumberColumn(np.asarray(column, dtype=np.float64))
    if kind in "mM":
        return _read_times(column)
    return read_objects(column.tolist(), name, sentinels, known)


def _read_times(column, zoned=False):
    """Read an array of points in time, those of a time zone in UTC, or of spans."""
    if column.dtype.kind == "m":
        return NumberColumn(read_times(column), DURATIONS)
    return NumberColumn(read_times(column), ZONED_DATES if zoned else DATES)


def _read_pandas(column, name, sentinels, known):
    dtype = column.dtype
    if hasattr(dtype, "categories"):
        codes = column.cat.codes.to_numpy().astype(np.intp)
        labels = dtype.categories.tolist()
        return LabelColumn(codes, labels, kind_of_labels(labels))
    if hasattr(dtype, "pyarrow_dtype"):
        import pyarrow

        return _read_pyarrow(pyarrow.array(column.array), name, sentinels, known)
    kind = getattr(dtype, "kind", "O")
    if kind in "fiub":
        return NumberColumn(column.to_numpy(dtype=np.float64, na_value=np.nan))
    if kind in "mM":
        zoned = getattr(dtype, "tz", None) is not None
        if zoned:
            column = column.dt.tz_convert("UTC").dt.tz_localize(None)
        return _read_times(column.to_numpy(), zoned)
    return read_objects(_without_na(column), name, sentinels, known)


def _without_na(column):
    values = column.to_numpy(dtype=object)
    missing = column.isna().to_numpy()
    if missing.any():
        values = np.where(missing, None, values)
    return values.tolist()


def _read_polars(column, name, sentinels, known):
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
        zoned = getattr(dtype, "time_zone", None) is not None
        return _read_times(ticks.view(f"{kind}[{dtype.time_unit}]"), zoned)
    return read_objects(column.to_list(), name, sentinels, known)


def _read_pyarrow(column, name, sentinels, known):
    import pyarrow
    from pyarrow import types

    dtype = column.type
    if types.is_dictionary(dtype):
        column = column.cast(dtype.value_type)
        return as_labels(read_column(column, name, sentinels, known or []))
    if types.is_boolean(dtype) or types.is_integer(dtype) or types.is_floating(dtype):
        column = column.cast(pyarrow.float64(), safe=False)
        return NumberColumn(np.asarray(column))
    if types.is_date(dtype) or types.is_timestamp(dtype) or types.is_duration(dtype):
        zoned = getattr(dtype, "tz", None) is not None
        return _read_times(np.asarray(column), zoned)
    return read_objects(column.to_pylist(), name, sentinels, known)


_READERS = {
    "pandas": _read_pandas,
    "polars": _read_polars,
    "pyarrow": _read_pyarrow,
}
