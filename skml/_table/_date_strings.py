"""Whether the categories of a column are dates that were read as strings."""

import re

FEWEST = 3  # of one or two dates, categories say as much as numbers
LOOKED_AT = 100

_YEAR, _MONTH_OR_DAY = r"[12]\d{3}", r"(0?[1-9]|[12]\d|3[01])"
_DAY = (
    rf"{_YEAR}(?P<a>[-/.]){_MONTH_OR_DAY}(?P=a){_MONTH_OR_DAY}"
    rf"|{_MONTH_OR_DAY}(?P<b>[-/.]){_MONTH_OR_DAY}(?P=b)({_YEAR}|(?<=/)\d\d)"
)
_TIME = r"\d?\d:\d\d(:\d\d([.,]\d+)?)?( ?[AaPp][Mm])?( ?(Z|UTC|[+-]\d\d:?\d\d))?"
_DATE = re.compile(rf"({_DAY})([T ]{_TIME})?")


def are_dates(labels):
    """Whether all are dates, as far as a sample of them shows."""
    sample = labels[:: len(labels) // LOOKED_AT + 1]
    return len(labels) >= FEWEST and all(
        isinstance(label, str) and _DATE.fullmatch(label) for label in sample
    )
