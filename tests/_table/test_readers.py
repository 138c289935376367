"""Columns of all containers are numbers with NaN, or codes of labels."""

from datetime import date, datetime, time, timedelta
from decimal import Decimal
from fractions import Fraction

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

from skml._table._columns import (
    LabelColumn,
    NumberColumn,
    observed_labels,
    recode,
)
from skml._table._readers import read_column

NAN = float("nan")
NOON = datetime(2020, 1, 2, 12)
LATE = datetime(9999, 12, 31)
DAY_OF_NOON = 18263.5
DAY_OF_LATE = 2932896.0
PARIS = "Europe/Paris"  # one hour before UTC in winter


def arrow(values, dtype=None):
    """A column of pyarrow in two chunks."""
    dtype = dtype or pa.array(values).type
    return pa.chunked_array([pa.array(values[:1], dtype), pa.array(values[1:], dtype)])


def arrow_backed(values, dtype):
    return pd.Series(values, dtype=pd.ArrowDtype(dtype))


def dictionary(values, value_type):
    return arrow(values, value_type).dictionary_encode()


NUMBERS = {
    "ndarray-float64": np.array([3.0, NAN, 1.0]),
    "ndarray-float32": np.array([3.0, NAN, 1.0], dtype=np.float32),
    "ndarray-float16": np.array([3.0, NAN, 1.0], dtype=np.float16),
    "ndarray-longdouble": np.array([3.0, NAN, 1.0], dtype=np.longdouble),
    "ndarray-object-None": np.array([3, None, True], dtype=object),
    "ndarray-object-NA": np.array([3, pd.NA, 1.0], dtype=object),
    "ndarray-object-NaT": np.array([3, pd.NaT, np.int8(1)], dtype=object),
    "ndarray-object-rational": np.array([Fraction(3), NAN, Decimal(1)], dtype=object),
    "pandas-float64": pd.Series([3.0, NAN, 1.0]),
    "pandas-float32": pd.Series([3.0, NAN, 1.0], dtype="float32"),
    "pandas-Int64": pd.Series([3, None, 1], dtype="Int64"),
    "pandas-UInt8": pd.Series([3, None, 1], dtype="UInt8"),
    "pandas-Float32": pd.Series([3, None, 1], dtype="Float32"),
    "pandas-object-NA": pd.Series([3, pd.NA, 1], dtype=object),
    "pandas-object-None": pd.Series([3, None, True], dtype=object),
    "pandas-Decimal": pd.Series([Decimal(3), None, Decimal("1.0")]),
    "pandas-sparse": pd.Series(pd.arrays.SparseArray([3.0, NAN, 1.0])),
    "pandas-sparse-zero": pd.Series(
        pd.arrays.SparseArray([3.0, NAN, 1.0], fill_value=0.0)
    ),
    "pandas-arrow-int": arrow_backed([3, None, 1], pa.int32()),
    "pandas-arrow-double": arrow_backed([3.0, None, 1.0], pa.float64()),
    "pandas-arrow-decimal": arrow_backed(
        [Decimal(3), None, Decimal(1)], pa.decimal128(5, 2)
    ),
    "pandas-index": pd.Series([3.0, NAN, 1.0], index=[7, 7, -1]),
    **{
        f"polars-{dtype}": pl.Series([3, None, 1], dtype=dtype)
        for dtype in (
            *(pl.Int8, pl.Int16, pl.Int32, pl.Int64, pl.UInt8, pl.UInt16, pl.UInt32),
            *(pl.UInt64, pl.Float32, pl.Float64),
        )
    },
    "polars-Decimal": pl.Series([Decimal(3), None, Decimal(1)]),
    **{
        f"pyarrow-{dtype}": arrow([3, None, 1], dtype)
        for dtype in (pa.int8(), pa.uint16(), pa.int64(), pa.uint64(), pa.float32())
    },
    "pyarrow-double": arrow([3.0, None, NAN, 1.0], pa.float64()).take(
        pa.array([0, 1, 3])
    ),
    "pyarrow-halffloat": pa.chunked_array(
        [pa.array(np.array([3, NAN, 1], dtype=np.float16), pa.float16())]
    ),
    "pyarrow-decimal": arrow([Decimal(3), None, Decimal(1)], pa.decimal128(5, 2)),
    "pyarrow-array": pa.array([3, None, 1]),
}
BOOLS = {
    "ndarray-object": np.array([True, None, False], dtype=object),
    "ndarray-object-numpy": np.array([np.True_, pd.NA, np.False_], dtype=object),
    "pandas-boolean": pd.Series([True, None, False], dtype="boolean"),
    "pandas-object": pd.Series([True, None, False], dtype=object),
    "pandas-arrow": arrow_backed([True, None, False], pa.bool_()),
    "polars": pl.Series([True, None, False]),
    "pyarrow": arrow([True, None, False]),
}
STRINGS = {
    "ndarray-object-None": np.array(["b", None, "a", "b"], dtype=object),
    "ndarray-object-NaN": np.array(["b", NAN, "a", "b"], dtype=object),
    "ndarray-object-NA": np.array(["b", pd.NA, "a", np.str_("b")], dtype=object),
    "ndarray-StringDType": np.array(
        ["b", NAN, "a", "b"], dtype=np.dtypes.StringDType(na_object=NAN)
    ),
    "pandas-object": pd.Series(["b", None, "a", "b"], dtype=object),
    "pandas-default": pd.Series(["b", None, "a", "b"]),
    "pandas-string-python": pd.Series(["b", None, "a", "b"], dtype="string[python]"),
    "pandas-string-pyarrow": pd.Series(["b", None, "a", "b"], dtype="string[pyarrow]"),
    "pandas-arrow": arrow_backed(["b", None, "a", "b"], pa.string()),
    "pandas-arrow-dictionary": arrow_backed(
        ["b", None, "a", "b"], pa.dictionary(pa.int8(), pa.string())
    ),
    "pandas-category": pd.Series(["b", None, "a", "b"], dtype="category"),
    "pandas-category-ordered": pd.Series(
        pd.Categorical(["b", None, "a", "b"], categories=["b", "a"], ordered=True)
    ),
    "pandas-category-unused": pd.Series(
        pd.Categorical(["b", None, "a", "b"], categories=["z", "b", "y", "a"])
    ),
    "polars-String": pl.Series(["b", None, "a", "b"]),
    "polars-Categorical": pl.Series(["b", None, "a", "b"], dtype=pl.Categorical),
    "polars-Enum": pl.Series(["b", None, "a", "b"], dtype=pl.Enum(["z", "b", "a"])),
    "pyarrow-string": arrow(["b", None, "a", "b"]),
    "pyarrow-large_string": arrow(["b", None, "a", "b"], pa.large_string()),
    "pyarrow-string_view": arrow(["b", None, "a", "b"], pa.string_view()),
    "pyarrow-dictionary": dictionary(["b", None, "a", "b"], pa.string()),
    "pyarrow-dictionary-large": dictionary(["b", None, "a", "b"], pa.large_string()),
    "pyarrow-array": pa.array(["b", None, "a", "b"]),
}
INTEGER_CATEGORIES = {
    "pandas": pd.Series([20, None, 10], dtype="category"),
    "pandas-ordered": pd.Series(
        pd.Categorical([20, None, 10], categories=[30, 20, 10], ordered=True)
    ),
    "pandas-arrow": arrow_backed([20, None, 10], pa.dictionary(pa.int8(), pa.int64())),
    "pyarrow": dictionary([20, None, 10], pa.int64()),
}
BIG = 2**53
LARGE = [BIG + 1, None, BIG, BIG + 2, BIG + 1]
LARGE_INTEGERS = {
    "ndarray-object": np.array(LARGE, dtype=object),
    "ndarray-object-Decimal": np.array(
        [value if value is None else Decimal(value) for value in LARGE], dtype=object
    ),
    "pandas-Int64": pd.Series(LARGE, dtype="Int64"),
    "pandas-UInt64": pd.Series(LARGE, dtype="UInt64"),
    "pandas-object": pd.Series(LARGE, dtype=object),
    "pandas-category": pd.Series(LARGE, dtype="Int64").astype("category"),
    "pandas-arrow": arrow_backed(LARGE, pa.int64()),
    "polars-Int64": pl.Series(LARGE),
    "polars-UInt64": pl.Series(LARGE, dtype=pl.UInt64),
    "polars-Decimal": pl.Series(LARGE).cast(pl.Decimal(38, 0)),
    "pyarrow-int64": arrow(LARGE),
    "pyarrow-uint64": arrow(LARGE, pa.uint64()),
    "pyarrow-decimal": arrow(LARGE).cast(pa.decimal128(38, 0)),
    "pyarrow-dictionary": dictionary(LARGE, pa.int64()),
}
if hasattr(pl, "Int128"):  # polars >= 1.18
    LARGE_INTEGERS["polars-Int128"] = pl.Series(LARGE, dtype=pl.Int128)
DATES = {
    **{
        f"ndarray-{unit}": np.array([NOON, "NaT", LATE], dtype=f"M8[{unit}]")
        for unit in ("h", "m", "s", "ms", "us")
    },
    "pandas-s": pd.Series(np.array([NOON, "NaT", LATE], dtype="M8[s]")),
    "pandas-us": pd.Series(np.array([NOON, "NaT", LATE], dtype="M8[us]")),
    "pandas-arrow": arrow_backed([NOON, None, LATE], pa.timestamp("us")),
    "polars-us": pl.Series([NOON, None, LATE]),
    "polars-ms": pl.Series([NOON, None, LATE], dtype=pl.Datetime("ms")),
    "pyarrow-s": arrow([NOON, None, LATE], pa.timestamp("s")),
    "pyarrow-us": arrow([NOON, None, LATE], pa.timestamp("us")),
}
ZONED_DATES = {
    "pandas-tz": pd.Series(np.array([NOON, "NaT", LATE], dtype="M8[us]"))
    .dt.tz_localize("UTC")
    .dt.tz_convert(PARIS),
    "pandas-arrow-tz": pd.Series(
        pd.arrays.ArrowExtensionArray(
            arrow([NOON, None, LATE], pa.timestamp("s", tz=PARIS))
        )
    ),
    "polars-tz": pl.Series([NOON, None, LATE], dtype=pl.Datetime("us", "UTC")),
    "pyarrow-tz": arrow([NOON, None, LATE], pa.timestamp("us", tz=PARIS)),
}
WHOLE_DAYS = {
    "ndarray-D": np.array(["2020-01-02", "NaT"], dtype="M8[D]"),
    "ndarray-ns": np.array(["2020-01-02", "NaT"], dtype="M8[ns]"),
    "pandas-arrow-date32": arrow_backed([date(2020, 1, 2), None], pa.date32()),
    "polars-Date": pl.Series([date(2020, 1, 2), None]),
    "polars-ns": pl.Series([date(2020, 1, 2), None]).cast(pl.Datetime("ns")),
    "pyarrow-date32": arrow([date(2020, 1, 2), None], pa.date32()),
    "pyarrow-date64": arrow([date(2020, 1, 2), None], pa.date64()),
    "pyarrow-ns": arrow([datetime(2020, 1, 2), None], pa.timestamp("ns")),
}
SPANS = {
    "ndarray-h": np.array([36, "NaT"], dtype="m8[h]"),
    "ndarray-ns": np.array([36, "NaT"], dtype="m8[h]").astype("m8[ns]"),
    "pandas": pd.Series(pd.to_timedelta(["36h", None])),
    "pandas-arrow": arrow_backed([timedelta(hours=36), None], pa.duration("ms")),
    "polars": pl.Series([timedelta(hours=36), None]),
    "pyarrow": arrow([timedelta(hours=36), None], pa.duration("s")),
}
NOTHING = {
    "ndarray-object": np.array([None, NAN, pd.NA], dtype=object),
    "ndarray-float": np.full(3, NAN),
    "pandas-object": pd.Series([None, None, pd.NA], dtype=object),
    "pandas-string": pd.Series([None] * 3, dtype="string"),
    "pandas-Int64": pd.Series([None] * 3, dtype="Int64"),
    "pandas-arrow-null": arrow_backed([None] * 3, pa.null()),
    "polars-Null": pl.Series([None] * 3),
    "polars-String": pl.Series([None] * 3, dtype=pl.String),
    "pyarrow-null": arrow([None] * 3, pa.null()),
    "pyarrow-string": arrow([None] * 3, pa.string()),
}


def columns(table):
    """A parameter for each column of a table of columns."""
    return pytest.mark.parametrize("column", table.values(), ids=table.keys())


def labels_by_row(column):
    return [None if c < 0 else column.labels[c] for c in column.codes]


def assert_numbers(column, expected, kind="numbers"):
    assert isinstance(column, NumberColumn)
    assert column.kind == kind
    assert column.values.dtype == np.float64
    np.testing.assert_array_equal(column.values, expected)


@columns(NUMBERS)
def test_numbers(column):
    assert_numbers(read_column(column, "column 0"), [3.0, NAN, 1.0])


@columns(BOOLS)
def test_bools_are_numbers(column):
    assert_numbers(read_column(column, "column 0"), [1.0, NAN, 0.0])


def test_complete_bools_are_numbers():
    for column in (np.array([True, False]), pd.Series([True, False])):
        assert_numbers(read_column(column, "column 0"), [1.0, 0.0])


@columns(STRINGS)
def test_strings_are_labels(column):
    column = read_column(column, "column 0")
    assert isinstance(column, LabelColumn)
    assert labels_by_row(column) == ["b", None, "a", "b"]
    assert {type(label) for label in column.labels} == {str}
    assert observed_labels(column) == ["a", "b"]
    np.testing.assert_array_equal(recode(column, ["a", "b"]), [1.0, NAN, 0.0, 1.0])


def test_fixed_width_strings_are_labels():
    column = read_column(np.array(["b", "a", "b"]), "column 0")
    assert labels_by_row(column) == ["b", "a", "b"]


@columns(INTEGER_CATEGORIES)
def test_categories_of_integers_are_labels(column):
    column = read_column(column, "column 0")
    assert isinstance(column, LabelColumn)
    assert labels_by_row(column) == [20, None, 10]
    assert observed_labels(column) == [10, 20]


@columns(DATES)
def test_dates_are_days(column):
    column = read_column(column, "column 0")
    assert_numbers(column, [DAY_OF_NOON, NAN, DAY_OF_LATE], "dates")


@columns(ZONED_DATES)
def test_dates_with_a_time_zone_are_days_in_utc(column):
    column = read_column(column, "column 0")
    assert_numbers(column, [DAY_OF_NOON, NAN, DAY_OF_LATE], "dates with a time zone")


@columns(WHOLE_DAYS)
def test_dates_of_all_units_are_days(column):
    assert_numbers(read_column(column, "column 0"), [18263.0, NAN], "dates")


@columns(SPANS)
def test_durations_are_days(column):
    assert_numbers(read_column(column, "column 0"), [1.5, NAN], "durations")


@pytest.mark.parametrize("unit", ["ms", "us", "ns"])
def test_units_agree_to_the_last_bit(unit):
    days = read_column(np.array(["2021-03-04T05:06:07.089"], "M8[ms]"), "column 0")
    same = np.array(["2021-03-04T05:06:07.089"], f"M8[{unit}]")
    assert read_column(same, "column 0").values == days.values


@columns(NOTHING)
def test_all_missing_columns_are_numbers(column):
    assert_numbers(read_column(column, "column 0"), [NAN] * 3)


def test_labels_may_be_intervals_and_dates():
    bins = pd.cut(pd.Series([1.0, 9.0, NAN]), [0, 5, 10])
    labels = observed_labels(read_column(bins, "column 0"))
    assert labels == [pd.Interval(0, 5), pd.Interval(5, 10)]
    dates = pd.Series(pd.to_datetime(["2020-01-02", None])).astype("category")
    assert observed_labels(read_column(dates, "c")) == [pd.Timestamp("2020-01-02")]


@pytest.mark.parametrize(
    ("column", "sentinels", "expected"),
    [
        (np.array([1.0, -9.0]), [-9], [1.0, NAN]),
        (np.array([1, -9]), [-9.0], [1.0, NAN]),
        (np.array([1, -9, 7]), [-9, 7], [1.0, NAN, NAN]),
        (np.array([1.5, -99.9], dtype=np.float32), [-99.9], [1.5, NAN]),
        (np.array([1, "?", 2], dtype=object), ["?"], [1.0, NAN, 2.0]),
        (np.array([pd.NA, "?", 2], dtype=object), ["?", 2], [NAN, NAN, NAN]),
        (pd.Series([1, -9, None], dtype="Int64"), [-9], [1.0, NAN, NAN]),
        (pd.Series([1.5, -99.9], dtype="float32"), [-99.9], [1.5, NAN]),
        (pl.Series([1, -9, None]), [-9], [1.0, NAN, NAN]),
        (arrow([1, -9, None]), [-9], [1.0, NAN, NAN]),
        (np.array([1.0, 2.0]), ["?"], [1.0, 2.0]),
    ],
)
def test_sentinels_among_numbers(column, sentinels, expected):
    assert_numbers(read_column(column, "column 0", sentinels), expected)


@columns(LARGE_INTEGERS)
@pytest.mark.parametrize("sentinels", [[], [BIG + 2]])
def test_integers_that_are_labels_are_exact(column, sentinels):
    found = read_column(column, "column 0", sentinels, known=[])
    missing = None if sentinels else BIG + 2
    assert labels_by_row(found) == [BIG + 1, None, BIG, missing, BIG + 1]
    assert found.kind == "numbers"
    assert {type(label) for label in found.labels} == {int}


def test_numbers_beside_large_integers_are_labels_too():
    values = [10**30, 0.5, Fraction(1, 2), Decimal("-2.5"), -(10**400), True, np.inf]
    column = np.array([*values, Decimal("NaN")], dtype=object)
    labels = labels_by_row(read_column(column, "column 0", known=[]))
    assert labels == [10**30, 0.5, 0.5, -2.5, -(10**400), 1, np.inf, None]


@columns(STRINGS)
def test_sentinels_among_labels(column):
    column = read_column(column, "column 0", [-9, "b"])
    assert labels_by_row(column) == [None, None, "a", None]
    assert "b" not in column.labels


@columns(INTEGER_CATEGORIES)
def test_sentinels_among_categories_of_integers(column):
    column = read_column(column, "column 0", [20])
    assert labels_by_row(column) == [None, None, 10]


@pytest.mark.parametrize("table", [NUMBERS, STRINGS, INTEGER_CATEGORIES])
def test_columns_are_not_changed(table):
    for column in table.values():
        before = list(map(str, column))
        read_column(column, "column 0", [3, "b", 20])
        assert list(map(str, column)) == before


@pytest.mark.parametrize(
    ("column", "message"),
    [
        (np.array([None, 1, "a"], dtype=object), r"Row 2 .* is 'a' \(str\).* numbers:"),
        (pd.Series(["a", 1.5], dtype=object), r"Row 1 .* is 1.5 \(float\).* strings:"),
        ([1.0, NAN, "a"], r"Row 2 of column 'x' is 'a' \(str\)"),
        (np.array([b"a"]), r"Row 0 of column 'x' is b'a' \(bytes\)"),
        (pd.Series([1j]), r"Row 0 of column 'x' is 1j \(complex\)"),
        (pd.Series([None, time(1)]), r"Row 1 .*\(time\); .* or a date"),
        (pd.Series([None, [1]]), r"Row 1 of column 'x' is \[1\] \(list\)"),
        (pd.Series(pd.period_range("2020", periods=1)), r"\(Period\)"),
        (pl.Series([None, [1]]), r"Row 1 of column 'x' is \[1\] \(list\)"),
        (pl.Series([{"a": 1}]), r"\(dict\)"),
        (pl.Series([time(1)]), r"\(time\)"),
        (pl.Series([b"a"]), r"\(bytes\)"),
        (arrow_backed([time(1)], pa.time64("us")), r"\(time\)"),
        (arrow([None, time(1)]), r"\(time\)"),
        (arrow([None, [1]]), r"Row 1 of column 'x' is \[1\] \(list\)"),
    ],
)
def test_other_values_are_refused(column, message):
    column = np.array(column, dtype=object) if isinstance(column, list) else column
    with pytest.raises(TypeError, match=message):
        read_column(column, "column 'x'")


def test_mixed_columns_name_the_way_out():
    with pytest.raises(TypeError, match=r"missing_values=\[\.\.\.\]"):
        read_column(np.array([1, "?"], dtype=object), "column 0")


def test_derived_series_is_read_as_what_it_is_derived_from():
    class Column(pd.Series):
        pass

    column = read_column(Column([2, 1], dtype="category"), "column 0")
    assert labels_by_row(column) == [2, 1]
