"""One column of any table: numbers with NaN, or codes of labels."""

from decimal import Decimal
from numbers import Integral, Real
from typing import NamedTuple

import numpy as np

from skml._validation import is_missing

DATES, ZONED_DATES, DURATIONS = "dates", "dates with a time zone", "durations"
LABELS = "strings or categories"
TIMES = {DATES, ZONED_DATES, DURATIONS}
FLOAT64_INTEGERS = 2.0**53  # up to here float64 has every integer
UNSEEN = -1.0  # the code of a label that is not known


class NumberColumn(NamedTuple):
    """Numbers; missing values are NaN."""

    values: np.ndarray  # float64, (n_samples,)
    kind: str = "numbers"  # or what they are made of, one of `TIMES`


class LabelColumn(NamedTuple):
    """Labels, each once, and which row has which; -1 where the value is missing."""

    codes: np.ndarray  # intp, (n_samples,)
    labels: list
    kind: str = LABELS  # or what a number column is made of


def kind_of_labels(labels):
    """What labels are: numbers, strings, or of another type, such as intervals."""
    if all(isinstance(label, (Real, Decimal)) for label in labels):
        return "numbers"
    types = set(map(type, labels))
    if len(types) > 1 or types == {str}:
        return LABELS
    zone = " with a time zone" if getattr(labels[0], "tzinfo", None) else ""
    return f"categories of {types.pop().__name__}{zone}"


def may_be_rounded(numbers):
    """Whether numbers are as large as integers of which float64 lacks some."""
    return bool((np.abs(numbers, dtype=np.float64) >= FLOAT64_INTEGERS).any())


def rounded_labels(labels):
    """Those that may stand for several integers: large floats."""
    return [
        label
        for label in labels
        if isinstance(label, float) and FLOAT64_INTEGERS <= abs(label) < np.inf
    ]


def has_exact_labels(labels):
    """Whether some are integers that float64 may not distinguish."""
    return any(
        isinstance(label, Integral) and abs(label) >= FLOAT64_INTEGERS
        for label in labels
    )


def without_sentinels(column, sentinels):
    """Take the values that mean missing out of a column."""
    if isinstance(column, NumberColumn):
        numbers = sentinel_numbers(sentinels)
        if not numbers:
            return column
        is_sentinel = np.isin(column.values, numbers)
        return column._replace(values=np.where(is_sentinel, np.nan, column.values))
    wanted = [label not in sentinels for label in column.labels]
    if all(wanted):
        return column
    new_codes = np.where(wanted, np.cumsum(wanted) - 1, -1)
    labels = [label for label, keep in zip(column.labels, wanted, strict=True) if keep]
    return column._replace(codes=_take(new_codes, column.codes), labels=labels)


def list_sentinels(missing_values):
    """The values that mean missing, without those that always do."""
    many = isinstance(missing_values, (list, tuple, set, frozenset, np.ndarray))
    values = list(missing_values) if many else [missing_values]
    values = [value for value in values if not is_missing(value)]
    for value in values:
        if not isinstance(value, (Real, str)) or isinstance(value, (bool, np.bool_)):
            raise TypeError(
                f"missing_values has {value!r:.60} ({type(value).__name__}); expected "
                "numbers and strings, beside NaN, None, NA and NaT."
            )
    return values


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


def show_label(label, kind):
    """A label for messages; a date not as days, but as a date, in UTC."""
    return _show_date(label, kind) if kind in {DATES, ZONED_DATES} else repr(label)


def show_number(number, kind):
    """A number of a column, with four digits; a date as a date, in UTC."""
    if kind in {DATES, ZONED_DATES}:
        return _show_date(number, kind)
    return f"{number:.4g}{' days' if kind == DURATIONS else ''}"


def _show_date(days, kind):
    date = np.datetime64(0, "s") + np.timedelta64(round(days * 86400), "s")
    unit = "D" if date == date.astype("M8[D]") else "s"
    return np.datetime_as_string(date, unit) + (" UTC" if kind == ZONED_DATES else "")


def recode(column, known):
    """Codes of labels: positions in `known`, NaN where missing, else `UNSEEN`."""
    position = {label: code for code, label in enumerate(known)}
    new_codes = [position.get(label, UNSEEN) for label in column.labels]
    return _take(np.array(new_codes, dtype=np.float64), column.codes, missing=np.nan)


def _take(new_codes, codes, missing=-1):
    """New codes of old ones, where -1 stays missing."""
    return np.append(new_codes, missing)[codes]
