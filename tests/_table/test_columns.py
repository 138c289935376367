"""Labels of a column: their order and their codes."""

import numpy as np
import pandas as pd

from skml._table._columns import UNSEEN, as_labels, observed_labels, recode
from skml._table._readers import read_column
from tests._table.test_readers import labels_by_row

NAN = float("nan")


def test_labels_of_several_types_have_an_order():
    series = pd.Series(pd.Categorical(["b", 2, 1, "a"], categories=["b", 2, "a", 1]))
    assert observed_labels(read_column(series, "column 0")) == [1, 2, "a", "b"]


def test_codes_round_trip():
    column = read_column(np.array(["c", "a", None, "b"], dtype=object), "column 0")
    known = observed_labels(column)
    codes = recode(column, known)
    back = [None if np.isnan(code) else known[int(code)] for code in codes]
    assert back == ["c", "a", None, "b"]


def test_unknown_labels_are_not_missing_ones():
    column = read_column(np.array(["a", "new", None], dtype=object), "column 0")
    np.testing.assert_array_equal(recode(column, ["a"]), [0.0, UNSEEN, NAN])


def test_numbers_become_labels():
    column = as_labels(read_column(np.array([20.0, NAN, 10.0, 20.0]), "column 0"))
    assert labels_by_row(column) == [20.0, None, 10.0, 20.0]
    assert column.kind == "numbers"
    assert as_labels(column) is column


def test_labels_of_a_column_do_not_depend_on_the_order_of_rows():
    values = ["d", "b", None, "c", "a"]
    for order in ([0, 1, 2, 3, 4], [4, 2, 0, 3, 1]):
        column = read_column(np.array(values, dtype=object)[order], "column 0")
        assert observed_labels(column) == ["a", "b", "c", "d"]


def test_categories_without_rows():
    column = read_column(pd.Series([None, None], dtype="category"), "column 0")
    assert observed_labels(column) == []
    assert np.isnan(recode(column, [])).all()
