"""Python objects are read as the columns that hold the same values."""

from datetime import UTC, date, datetime, timedelta, timezone

import numpy as np
import pandas as pd
import pytest

from skml._table._columns import LabelColumn, NumberColumn, kind_of_labels
from skml._table._readers import read_column

NAN = float("nan")
MISSING = [None, NAN, pd.NA, pd.NaT, np.datetime64("NaT", "s")]
SHANGHAI = timezone(timedelta(hours=8))


def read(values, **options):
    column = np.empty(len(values), dtype=object)
    column[:] = values
    return read_column(column, "column 'when'", **options)


@pytest.mark.parametrize(
    "day",
    [
        date(2020, 1, 2),
        datetime(2020, 1, 2),
        pd.Timestamp("2020-01-02"),
        np.datetime64("2020-01-02"),
        np.datetime64("2020-01-02", "ns"),
    ],
    ids=lambda day: type(day).__name__,
)
@pytest.mark.parametrize("missing", MISSING, ids=repr)
def test_dates_are_days(day, missing):
    column = read([day, missing, date(9999, 12, 31)])
    assert column.kind == "dates"
    np.testing.assert_array_equal(column.values, [18263.0, NAN, 2932896.0])


@pytest.mark.parametrize("unit", ["ms", "us", "ns"])
def test_objects_and_columns_agree_to_the_last_bit(unit):
    times = pd.Series(["2021-03-04T05:06:07.089"], dtype=f"M8[{unit}]")
    spans = times - pd.Timestamp("2000-01-01")
    for column in (times, spans):
        days = read_column(column, "column 0").values
        assert read(column.tolist()).values == days
        assert read([column.to_numpy()[0]]).values == days


@pytest.mark.parametrize(
    "noon",
    [
        datetime(2020, 1, 2, 12, tzinfo=UTC),
        datetime(2020, 1, 2, 20, tzinfo=SHANGHAI),
        pd.Timestamp("2020-01-02 20:00", tz="Asia/Shanghai"),
    ],
    ids=str,
)
@pytest.mark.parametrize("missing", MISSING[:-1], ids=repr)
def test_dates_with_a_time_zone_are_days_in_utc(noon, missing):
    column = read([noon, missing])
    assert column.kind == "dates with a time zone"
    np.testing.assert_array_equal(column.values, [18263.5, NAN])


def test_dates_with_and_without_a_time_zone_are_refused():
    values = [None, datetime(2020, 1, 2, tzinfo=UTC), datetime(2020, 1, 2)]
    with pytest.raises(
        TypeError, match=r"Row 2 of column 'when' .* no time zone.* row 1"
    ):
        read(values)


@pytest.mark.parametrize(
    "span",
    [
        timedelta(hours=36),
        pd.Timedelta(hours=36),
        np.timedelta64(36, "h"),
        np.timedelta64(36, "h").astype("m8[ns]"),
    ],
    ids=lambda span: type(span).__name__,
)
@pytest.mark.parametrize("missing", MISSING[:-1], ids=repr)
def test_durations_are_days(span, missing):
    column = read([span, missing])
    assert column.kind == "durations"
    np.testing.assert_array_equal(column.values, [1.5, NAN])


def test_intervals_are_labels():
    bins = pd.cut(pd.Series([1.0, NAN, 9.0]), [0, 5, 10])
    column = read(bins.tolist())
    assert isinstance(column, LabelColumn)
    assert column.labels == [pd.Interval(0, 5), pd.Interval(5, 10)]
    np.testing.assert_array_equal(column.codes, [0, -1, 1])


@pytest.mark.parametrize(
    "known",
    [
        [pd.Timestamp("2020-01-01"), pd.Timestamp("2020-01-02")],
        [pd.Period("2020", "Y"), pd.Period("2021", "Y")],
        [(1, "a"), (1, "b")],
        [b"a", b"b"],
        [1, "a"],
    ],
    ids=lambda known: type(known[0]).__name__,
)
def test_values_of_the_types_of_known_labels_are_labels(known):
    column = read([known[1], None, known[0]], known=known)
    assert isinstance(column, LabelColumn)
    assert column.kind == kind_of_labels(known)
    assert column.labels == [known[1], known[0]]
    np.testing.assert_array_equal(column.codes, [0, -1, 1])


def test_values_of_other_types_than_known_labels_are_read_as_what_they_are():
    assert isinstance(read([1, 2.5], known=["a"]), NumberColumn)
    assert read([date(2020, 1, 2)], known=["a"]).kind == "dates"


@pytest.mark.parametrize(
    ("values", "message"),
    [
        (
            [date(2020, 1, 2), "a"],
            r"Row 1 .* is 'a' \(str\), .* rows before hold dates",
        ),
        ([1, None, date(2020, 1, 2)], r"Row 2 .* \(date\), .* before hold numbers"),
        (["a", pd.Interval(0, 1)], r"Row 1 .* \(Interval\), .* before hold strings"),
        ([timedelta(1), np.timedelta64(1, "D"), 3], r"Row 2 .* before hold durations"),
    ],
    ids=str,
)
def test_mixed_kinds_are_refused(values, message):
    with pytest.raises(TypeError, match=message):
        read(values)
