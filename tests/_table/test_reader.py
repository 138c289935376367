"""Tables of all containers become the same matrix."""

import warnings
from datetime import datetime
from decimal import Decimal

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from numpy.testing import assert_array_equal
from scipy import sparse

from skml import SVMRegressor
from skml._table._columns import UNSEEN, list_sentinels
from skml._table._containers import as_table
from skml._table._feature_positions import feature_index
from skml._table._learned_table import learn_table
from skml._table._reader_learning import drop_unused_categories, learn_reader

NAN = float("nan")


def fit_read(X, **changes):
    parameters = {
        "categorical_features": "from_dtype",
        "missing_values": NAN,
        "dtype": np.float64,
        "caller": "Learner",
    }
    return learn_reader(as_table(X, "Learner"), **parameters | changes)


def read(learned, X):
    return learned.read(as_table(X, "Learner"))


# Numbers: one table in all containers.

NUMBERS = np.array([[0.0, 1.0, NAN], [2.0, 0.0, 0.0], [0.0, NAN, 3.0], [4.0, 0.0, 0.0]])
COMPLETE = np.array([[0, 1, 0], [2, 0, 0], [0, 0, 3], [4, 0, 0]])


def read_only(X):
    X = X.copy()
    X.flags.writeable = False
    return X


def as_coo_with_duplicates(X):
    row, column = (np.isnan(X) | (X != 0)).nonzero()
    values = X[row, column]
    return sparse.coo_array(
        # Each value in two parts, and zeros that are stored.
        (
            np.concatenate([values - 1, np.ones(len(row)), [0.0, 0.0]]),
            (
                np.concatenate([row, row, [1, 3]]),
                np.concatenate([column, column, [1, 2]]),
            ),
        ),
        shape=X.shape,
    )


def as_csr_with_duplicates(X):
    triples = as_coo_with_duplicates(X)
    order = np.argsort(triples.coords[0], kind="stable")
    counts = np.bincount(triples.coords[0], minlength=X.shape[0])
    starts = np.append(0, np.cumsum(counts))
    return sparse.csr_array(
        (triples.data[order], triples.coords[1][order], starts), shape=X.shape
    )


def as_objects(X, missing):
    X = X.astype(object)
    X[np.isnan(NUMBERS)] = missing
    return X


def as_list(X):
    return [[None if value != value else value for value in row] for row in X.tolist()]


def as_columns(X):
    return {name: as_list(X[:, [j]].T)[0] for j, name in enumerate("abc")}


CONTAINERS = {
    "float64": lambda X: X,
    "float32": lambda X: X.astype(np.float32),
    "float16": lambda X: X.astype(np.float16),
    "longdouble": lambda X: X.astype(np.longdouble),
    "big-endian": lambda X: X.astype(">f8"),
    "object-None": lambda X: as_objects(X, None),
    "object-NA": lambda X: as_objects(X, pd.NA),
    "Fortran": np.asfortranarray,
    "read-only": read_only,
    "every-second": lambda X: np.repeat(np.repeat(X, 2, 0), 2, 1)[::2, ::2],
    "reversed": lambda X: X[::-1, ::-1].copy()[::-1, ::-1],
    "masked": lambda X: np.ma.array(np.where(np.isnan(X), 99, X), mask=np.isnan(X)),
    "list": as_list,
    "list-NaN": lambda X: X.tolist(),
    "tuples": lambda X: tuple(map(tuple, as_list(X))),
    "csr_matrix": sparse.csr_matrix,
    "csr_array": sparse.csr_array,
    "csc_array": sparse.csc_array,
    "coo_array": sparse.coo_array,
    "coo_matrix": sparse.coo_matrix,
    "lil_array": sparse.lil_array,
    "csr-float32": lambda X: sparse.csr_array(X.astype(np.float32)),
    "triples-duplicates": as_coo_with_duplicates,
    "csr-duplicates": as_csr_with_duplicates,
    "pandas": lambda X: pd.DataFrame(X, columns=list("abc")),
    "pandas-float32": lambda X: pd.DataFrame(X.astype(np.float32)),
    "pandas-index": lambda X: pd.DataFrame(X, index=[9, 9, 7, -1]),
    "pandas-integer-names": lambda X: pd.DataFrame(X, columns=[3, 1, 2]),
    "pandas-repeated-names": lambda X: pd.DataFrame(X, columns=["a", "b", "a"]),
    "pandas-MultiIndex": lambda X: pd.DataFrame(
        X, columns=pd.MultiIndex.from_tuples([("a", 1), ("a", 2), ("b", 1)])
    ),
    "pandas-object": lambda X: pd.DataFrame(as_objects(X, pd.NA)),
    "pandas-Float64": lambda X: pd.DataFrame(X).astype("Float64"),
    "pandas-mixed": lambda X: pd.DataFrame(X).astype({0: "int8", 1: "Int64"}),
    "pandas-arrow": lambda X: pd.DataFrame(as_columns(X)).astype("float64[pyarrow]"),
    "pandas-sparse": lambda X: pd.DataFrame.sparse.from_spmatrix(sparse.csr_matrix(X)),
    "polars": lambda X: pl.DataFrame(as_columns(X)),
    "polars-NaN": lambda X: pl.DataFrame(X, schema=["a", "b", "c"]),
    "pyarrow": lambda X: pa.table(as_columns(X)),
    "pyarrow-chunks": lambda X: pa.concat_tables(
        [pa.table(as_columns(X)).slice(0, 1), pa.table(as_columns(X)).slice(1)]
    ),
    "pyarrow-batch": lambda X: pa.record_batch(as_columns(X)),
}
containers = pytest.mark.parametrize("make", CONTAINERS.values(), ids=CONTAINERS.keys())


def dense(values):
    return values.toarray() if sparse.issparse(values) else values


@containers
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_numbers_of_all_containers(make, dtype):
    learned, values = fit_read(make(NUMBERS), dtype=dtype)
    assert values.dtype == dtype
    assert_array_equal(dense(values), NUMBERS)
    assert_array_equal(dense(read(learned, make(NUMBERS))), NUMBERS)
    assert not learned.is_categorical.any()
    assert learned.categories == [None] * 3


@containers
def test_sentinels_of_all_containers(make):
    expected = np.where(np.isin(NUMBERS, [4, 1]), NAN, NUMBERS)
    learned, values = fit_read(make(NUMBERS), missing_values=[4, "?", 1.0])
    assert_array_equal(dense(values), expected)
    assert_array_equal(dense(read(learned, make(NUMBERS))), expected)


@containers
def test_declared_categories_of_all_containers(make):
    learned, values = fit_read(make(NUMBERS), categorical_features=[0])
    assert learned.categories == [[0.0, 2.0, 4.0], None, None]
    assert_array_equal(values[:, 0], [0, 1, 0, 2])
    assert_array_equal(values[:, 1:], NUMBERS[:, 1:])
    assert_array_equal(read(learned, make(NUMBERS)), values)


@containers
def test_tables_are_not_changed(make):
    X = make(NUMBERS)
    before = str(X) + str(getattr(X, "indices", "")) + str(getattr(X, "data", ""))
    for changes in ({"missing_values": [4, 1]}, {"categorical_features": [0]}):
        learned, values = fit_read(X, **changes)
        values[:] = 7.0 if not sparse.issparse(values) else values * 7
        values = read(learned, X)
        values[:] = 7.0 if not sparse.issparse(values) else values * 7
    after = str(X) + str(getattr(X, "indices", "")) + str(getattr(X, "data", ""))
    assert after == before


@pytest.mark.parametrize("dtype", [*np.typecodes["AllInteger"], "?", ">i4"])
@pytest.mark.parametrize("make", [np.asarray, pd.DataFrame, sparse.csr_array])
def test_integers_of_all_types(dtype, make):
    X = COMPLETE.astype(dtype)
    if make is sparse.csr_array and np.dtype(dtype).byteorder == ">":
        X = X.astype("i4")  # SciPy has no other byte order
    _, values = fit_read(make(X))
    assert_array_equal(dense(values), X.astype(float))


def test_bools_beside_integers_are_numbers():
    frame = pd.DataFrame({"a": [True, False], "b": [3, 4], "c": [0.5, 1.5]})
    _, values = fit_read(frame)
    assert_array_equal(values, [[1, 3, 0.5], [0, 4, 1.5]])


def test_zeros_of_sparse_tables_stay_zeros():
    _, values = fit_read(sparse.csr_array(NUMBERS))
    assert type(values) is sparse.csr_array
    assert values.nnz == np.count_nonzero(NUMBERS)


def test_duplicates_are_summed_before_numbers_are_rounded():
    X = sparse.csr_array(
        (np.array([1e8 + 0.5, 1.0, -1e8 - 0.5]), np.array([0, 0, 0]), np.array([0, 3])),
        shape=(1, 1),
    )
    _, values = fit_read(X, dtype=np.float32)
    assert values.toarray() == 1.0


# Strings, categories, dates beside numbers.

DATES = [datetime(2020, 1, 2), None, datetime(2021, 1, 1, 12), datetime(2020, 1, 2)]
MIXED = {
    "number": [1.5, None, -2.0, 0.0],
    "integer": [3, None, 1, 3],
    "flag": [True, None, False, True],
    "word": ["b", "a", None, "c"],
    "date": DATES,
}
MIXED_VALUES = np.array(
    [
        [1.5, 3.0, 1.0, 1.0, 18263.0],
        [NAN, NAN, NAN, 0.0, NAN],
        [-2.0, 1.0, 0.0, NAN, 18628.5],
        [0.0, 3.0, 1.0, 2.0, 18263.0],
    ]
)


def as_pandas(**dtypes):
    return lambda table: pd.DataFrame(table).astype(dtypes)


MIXED_CONTAINERS = {
    "pandas": pd.DataFrame,
    "pandas-nullable": as_pandas(
        number="Float64", integer="Int64", flag="boolean", word="string[python]"
    ),
    "pandas-arrow-strings": as_pandas(integer="Int8", word="string[pyarrow]"),
    "pandas-category": as_pandas(word="category"),
    "pandas-category-unused": as_pandas(
        word=pd.CategoricalDtype(["z", "c", "a", "y", "b"])
    ),
    "pandas-category-ordered": as_pandas(
        word=pd.CategoricalDtype(["c", "b", "a"], ordered=True)
    ),
    "pandas-object": lambda table: pd.DataFrame(table, dtype=object).astype(
        {"date": "datetime64[us]"}
    ),
    "pandas-arrow": lambda table: pa.table(table).to_pandas(types_mapper=pd.ArrowDtype),
    "polars": pl.DataFrame,
    "polars-Categorical": lambda table: pl.DataFrame(
        table, schema_overrides={"word": pl.Categorical}
    ),
    "polars-Enum": lambda table: pl.DataFrame(
        table, schema_overrides={"word": pl.Enum(["c", "z", "b", "a"])}
    ),
    "pyarrow": pa.table,
    "pyarrow-dictionary": lambda table: pa.table(
        {**table, "word": pa.array(table["word"]).dictionary_encode()}
    ),
    "pyarrow-chunks": lambda table: pa.concat_tables(
        [pa.table(table).slice(0, 1), pa.table(table).slice(1)]
    ),
    "pyarrow-batch": pa.record_batch,
    "polars-via-arrow": lambda table: pl.DataFrame(table).to_arrow(),
}
mixed_containers = pytest.mark.parametrize(
    "make", MIXED_CONTAINERS.values(), ids=MIXED_CONTAINERS.keys()
)


@mixed_containers
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_mixed_tables_of_all_containers(make, dtype):
    learned, values = fit_read(make(MIXED), dtype=dtype)
    assert values.dtype == dtype
    assert_array_equal(values, MIXED_VALUES)
    assert learned.categories == [None, None, None, ["a", "b", "c"], None]
    assert learned.names == list(MIXED)
    assert_array_equal(learned.is_categorical, [0, 0, 0, 1, 0])


@mixed_containers
def test_each_container_reads_as_another_was_read_in_fit(make):
    learned, _ = fit_read(pl.DataFrame(MIXED))
    assert_array_equal(read(learned, make(MIXED)), MIXED_VALUES)


def test_lists_and_object_arrays_of_mixed_values():
    rows = [list(row) for row in zip(*list(MIXED.values())[:4], strict=True)]
    for X in (rows, [tuple(row) for row in rows], np.array(rows, dtype=object)):
        learned, values = fit_read(X)
        assert_array_equal(values, MIXED_VALUES[:, :4])
        assert learned.names is None
        assert_array_equal(read(learned, X), values)


def test_numbers_beside_strings_in_lists_stay_numbers():
    _, values = fit_read([[10, "b"], [9, "a"], [NAN, "b"]])
    assert_array_equal(values, [[10, 1], [9, 0], [NAN, 1]])


def test_arrays_of_strings_are_categories():
    learned, values = fit_read(np.array([["10", "b"], ["9", "a"]]))
    assert learned.categories == [["10", "9"], ["a", "b"]]
    assert_array_equal(values, [[0, 1], [1, 0]])
    X = np.array([["10", "b"], ["9", "a"]], dtype=np.dtypes.StringDType())
    assert_array_equal(read(learned, X), values)


def test_arrays_of_dates_are_days():
    _, values = fit_read(np.array([["2020-01-02", "NaT"]], dtype="M8[D]"))
    assert_array_equal(values, [[18263.0, NAN]])


@pytest.mark.parametrize("make", [pd.DataFrame, pl.DataFrame, pa.table])
def test_order_of_rows_does_not_matter(make):
    _, values = fit_read(make(MIXED))
    order = [2, 0, 3, 1]
    shuffled = {name: [column[i] for i in order] for name, column in MIXED.items()}
    _, of_shuffled = fit_read(make(shuffled))
    assert_array_equal(of_shuffled, values[order])


def test_derived_frames_are_frames():
    class Table(pd.DataFrame):
        pass

    learned, values = fit_read(Table({"a": pd.Series([20, 10], dtype="category")}))
    assert learned.categories == [[10, 20]]
    assert learned.names == ["a"]
    assert_array_equal(values, [[1], [0]])


@pytest.mark.parametrize("make", [pd.DataFrame, pl.DataFrame, pa.table])
@pytest.mark.parametrize("features", [["word"], [3], np.array([0, 0, 0, 1, 0], bool)])
def test_declaring_what_is_a_category_has_no_effect(make, features):
    _, values = fit_read(make(MIXED), categorical_features=features)
    assert_array_equal(values, MIXED_VALUES)


@pytest.mark.parametrize("make", [pd.DataFrame, pl.DataFrame, pa.table])
def test_numbers_and_dates_may_be_declared_categories(make):
    learned, values = fit_read(make(MIXED), categorical_features=["integer", "date"])
    assert learned.categories[1] == [1, 3]
    assert_array_equal(values[:, 1], [1, NAN, 0, 1])
    assert_array_equal(values[:, 4], [0, NAN, 1, 0])
    assert_array_equal(read(learned, make(MIXED)), values)


@pytest.mark.parametrize("value", [1, 1.0, True, np.int8(1)])
def test_categories_of_integers_are_known_as_other_numbers_too(value):
    learned, _ = fit_read(pd.DataFrame({"a": pd.Series([1, 2], dtype="category")}))
    assert_array_equal(read(learned, pd.DataFrame({"a": [value]})), [[0]])


def test_unseen_categories_are_not_missing_ones():
    learned, _ = fit_read(pd.DataFrame({"a": ["x", "y"]}))
    read_again = read(learned, pd.DataFrame({"a": ["z", "y", None]}))
    assert_array_equal(read_again, [[UNSEEN], [1], [NAN]])


def test_categories_of_left_out_rows_are_dropped():
    learned, values = fit_read(pd.DataFrame({"n": [1, 2, 3], "a": ["x", "y", "z"]}))
    learned, values = drop_unused_categories(learned, values[[0, 2]])
    assert learned.categories == [None, ["x", "z"]]
    assert_array_equal(values, [[1, 0], [3, 1]])


BIG = 2**53
IDENTIFIERS = {"id": [BIG + 1, BIG, BIG + 2, BIG + 1], "n": [0.5, 1.5, 2.5, 3.5]}


def as_rows(table):
    return [list(row) for row in zip(*table.values(), strict=True)]


def as_masked(table):
    return np.ma.masked_array(np.array(as_rows(table), dtype=np.int64), mask=False)


EXACT_CONTAINERS = {
    "pandas": pd.DataFrame,
    "pandas-category": as_pandas(id="category"),
    "pandas-category-Decimal": lambda table: pd.DataFrame(
        {**table, "id": pd.Categorical(list(map(Decimal, table["id"])))}
    ),
    "pandas-nullable": as_pandas(id="Int64"),
    "pandas-integers": as_pandas(n="int64"),
    "pandas-unsigned": as_pandas(id="uint64"),
    "pandas-object": as_pandas(id="object"),
    "polars": pl.DataFrame,
    "pyarrow": pa.table,
    "pyarrow-batch": pa.record_batch,
    "list": as_rows,
    "array-object": lambda table: np.array(as_rows(table), dtype=object),
    "array-int64": lambda table: np.array(as_rows(table), dtype=np.int64),
    "array-uint64": lambda table: np.array(as_rows(table), dtype=np.uint64),
    "masked": as_masked,
    "csr": lambda table: sparse.csr_array(np.array(as_rows(table), dtype=np.int64)),
}


@pytest.mark.parametrize("now", EXACT_CONTAINERS)
@pytest.mark.parametrize("before", ["pandas", "pandas-category", "list", "array-int64"])
def test_integers_that_are_categories_stay_distinct_in_all_containers(before, now):
    X = EXACT_CONTAINERS[before](IDENTIFIERS)
    learned, values = fit_read(X, categorical_features=[0])
    assert learned.categories[0] == [BIG, BIG + 1, BIG + 2]
    for codes in (values, read(learned, EXACT_CONTAINERS[now](IDENTIFIERS))):
        assert_array_equal(codes[:, 0], [1, 0, 2, 1])


def test_floats_are_no_large_integers():
    floats = pd.DataFrame(IDENTIFIERS).astype(float)
    with pytest.warns(
        UserWarning, match="^Learner: column 'id' holds .* 2.*53 and more"
    ):
        fit_read(floats, categorical_features=["id"])
    learned, _ = fit_read(pd.DataFrame(IDENTIFIERS), categorical_features=["id"])
    with pytest.raises(ValueError, match=r"column 'id' held integers .*now .*Int64"):
        read(learned, floats)


# Categories of nearly one row each.


def words(n_rows, n_words):
    return [f"评论 {row % n_words}" for row in range(n_rows)]


@pytest.mark.parametrize("make", [pd.DataFrame, as_pandas(it="category"), pl.DataFrame])
@pytest.mark.parametrize("n_missing", [0, 60])
def test_categories_that_are_nearly_as_many_as_rows_are_warned_of(make, n_missing):
    it = words(200, 185) + [None] * n_missing
    with pytest.warns(UserWarning, match="column 'it' holds nearly.*TfidfWeighter"):
        fit_read(make({"it": it, "n": list(range(200 + n_missing))}))


def test_other_categories_are_not_warned_of():
    for it in (words(200, 150), words(99, 99), words(99, 99) + [None] * 200):
        with warnings.catch_warnings(action="error"):
            reader, _ = fit_read(pd.DataFrame({"it": it}))
        assert reader.is_categorical.tolist() == [True]


# Strings of dates.

DATES = {
    "ISO": ["2021-03-05", "2021-11-17", None, "2020-02-29"],
    "minutes": ["2021-03-05 12:00", "2021-03-05 13:30", "2021-03-06 9:00"],
    "seconds": ["2021-03-05T12:00:00Z", "2021-03-05T12:00:00.123", "2021-03-06"],
    "zoned": ["2021-03-05 12:00+01:00", "2021-03-05 13:00+01:00", "2021-03-06"],
    "German": ["05.03.2021", "17.11.2021", "29.02.2020"],
    "American": ["3/5/2021", "11/17/2021", "2/29/20 1:30 PM"],
}
NO_DATES = {
    "two dates": ["2021-03-05", "2021-11-17"],
    "one is none": ["2021-03-05", "2021-11-17", "2020-02-29", "never"],
    "versions": ["1.2.13", "1.10.12", "2.0.1"],
    "sort codes": ["12-10-30", "20-11-28", "20-12-24"],
    "ratings": ["1/2", "2/2", "3/2"],
    "addresses": ["10.1.1.2021", "10.1.2.2021", "10.1.3.2021"],
    "months that are none": ["2021-03-45", "2021-11-32", "2020-02-50"],
    "numbers": ["20210305", "20211117", "20200229"],
    "times": ["12:00", "13:30", "14:45"],
}


@pytest.mark.parametrize("dates", DATES)
@pytest.mark.parametrize(
    "make",
    [pd.DataFrame, as_pandas(it="category"), pl.DataFrame, pa.table, as_rows],
)
def test_dates_that_are_strings_are_warned_of(make, dates):
    warning = r"column .* holds dates as strings, such as .*to_datetime.*parse_dates"
    with pytest.warns(UserWarning, match=warning):
        fit_read(make({"it": DATES[dates], "n": list(range(len(DATES[dates])))}))


def test_the_warning_of_dates_names_columns_and_a_date_and_is_the_only_one():
    dates = pd.date_range("2021-03-05", periods=200).strftime("%Y-%m-%d")
    X = pd.DataFrame({"signup": dates, "n": range(200), "end": dates[::-1]})
    with pytest.warns(UserWarning, match="holds dates") as caught:
        SVMRegressor().fit(X, X["n"])
    (message,) = (str(warning.message) for warning in caught)
    assert message.startswith("SVMRegressor: column 'signup', column 'end' holds dates")
    assert "such as '2021-03-05'" in message


@pytest.mark.parametrize("it", NO_DATES)
def test_other_strings_are_no_dates(it):
    with warnings.catch_warnings(action="error"):
        reader, _ = fit_read(pd.DataFrame({"it": NO_DATES[it]}))
    assert reader.is_categorical.tolist() == [True]


def test_strings_of_dates_may_be_declared_to_be_categories():
    X = pd.DataFrame({"it": DATES["ISO"]})
    fit_read(X, categorical_features=["it"])
    with pytest.raises(ValueError, match="holds strings or categories"):
        fit_read(X, categorical_features=None)


# Kinds of columns that change.

KINDS = {
    "numbers": [1.0, 2.0],
    "strings": ["x", "y"],
    "categories": pd.Categorical(["x", "y"]),
    "categories-of-numbers": pd.Categorical([1, 2]),
    "dates": pd.to_datetime(["2020-01-01", "2020-01-02"]),
    "zoned dates": pd.to_datetime(["2020-01-01", "2020-01-02"]).tz_localize("UTC"),
    "bins": pd.cut([1, 2], [0, 1, 2]),
    "days": pd.Categorical(pd.to_datetime(["2020-01-01", "2020-01-02"])),
    "zoned days": pd.Categorical(
        pd.to_datetime(["2020-01-01", "2020-01-02"], utc=True)
    ),
    "durations": pd.to_timedelta(["1h", "2h"]),
}
SAME = [
    {"strings", "categories"},
    {"categories-of-numbers", "numbers"},  # but not the other way round
]


@pytest.mark.parametrize("now", KINDS)
@pytest.mark.parametrize("before", KINDS)
def test_columns_of_another_kind_are_refused(before, now):
    learned, _ = fit_read(pd.DataFrame({"n": [1, 2], "it": KINDS[before]}))
    X = pd.DataFrame({"n": [1, 2], "it": KINDS[now]})
    is_same = before == now or {before, now} in SAME
    if is_same and (before, now) != ("numbers", "categories-of-numbers"):
        assert np.isfinite(read(learned, X)).all()
        return
    with pytest.raises(ValueError, match=r"column 'it' held .* in fit, and now holds"):
        read(learned, X)


@pytest.mark.parametrize("before", KINDS)
@pytest.mark.parametrize("nothing", [None, NAN, pd.NA, pd.NaT])
def test_all_missing_columns_are_of_any_kind(before, nothing):
    learned, _ = fit_read(pd.DataFrame({"n": [1, 2], "it": KINDS[before]}))
    X = pd.DataFrame({"n": [1, 2], "it": pd.Series([nothing, None], dtype=object)})
    assert_array_equal(read(learned, X), [[1, NAN], [2, NAN]])


@pytest.mark.parametrize("now", KINDS)
def test_columns_that_were_all_missing_hold_anything(now):
    X = pd.DataFrame({"n": [1, 2], "it": [None, None]})
    table, _ = learn_table(X, [1.0, 2.0], None, SVMRegressor())
    X = pd.DataFrame({"n": [1, 2], "it": KINDS[now]})
    assert_array_equal(table.read(X)[:, 0], [1, 2])


def test_dates_are_shown_as_dates():
    learned, _ = fit_read(pd.DataFrame({"it": KINDS["dates"]}))
    message = "held dates in fit, and now holds dates with a time zone, such as 2020-01"
    with pytest.raises(ValueError, match=f"{message}-01 UTC. Give it"):
        read(learned, pd.DataFrame({"it": KINDS["zoned dates"]}))


def test_an_array_is_no_table_of_dates():
    learned, _ = fit_read(pd.DataFrame({"it": KINDS["dates"]}))
    with pytest.raises(ValueError, match="held dates in fit, and now holds numbers"):
        read(learned, np.array([[1.0]]))


# What is refused.


@pytest.mark.parametrize(
    ("X", "message"),
    [
        (pl.LazyFrame({"a": [1]}), r"LazyFrame: Learner takes .* X\.collect\(\)"),
        ({"a": [1]}, "Expected 2D array, got dict"),
        ((row for row in [[1]]), "Expected 2D array, got generator"),
        ("text", "Expected 2D array, got str"),
        (None, "Expected 2D array, got NoneType"),
        ([1.0, 2.0], "Expected 2D array, got 1D array"),
        (np.zeros(3), "Expected 2D array, got 1D array"),
        (np.zeros((1, 1, 1)), "dim 3"),
        (pd.Series([1.0]), "Expected a 2-dimensional container"),
        (pl.Series([1.0]), "Expected 2D array, got 1D array"),
        (pa.chunked_array([[1.0]]), "Expected 2D array, got 1D array"),
        (np.zeros((0, 2)), r"0 sample\(s\)"),
        (np.zeros((2, 0)), r"0 feature\(s\)"),
        (pd.DataFrame({"a": []}), r"0 sample\(s\).* Learner"),
        (pd.DataFrame(index=[0]), r"0 feature\(s\).* Learner"),
        (pl.DataFrame({"a": []}), r"0 sample\(s\).* Learner"),
        (pa.table({"a": pa.array([], pa.float64())}), r"0 sample\(s\).* Learner"),
        ([[1.0], [1.0, 2.0]], "inhomogeneous"),
        (np.array([[1j]]), "Complex data not supported"),
    ],
    ids=lambda value: type(value).__name__,
)
def test_other_things_are_refused(X, message):
    with pytest.raises(ValueError, match=message):
        fit_read(X)


@pytest.mark.parametrize("make", [pd.DataFrame, pl.DataFrame, pa.table])
def test_offenders_are_named_by_row_and_column(make):
    with pytest.raises(TypeError, match=r"Row 1 of column 'b' of X \(Learner\) is \["):
        fit_read(make({"a": [1, 2], "b": [None, [3]]}))


INFINITE = [[1.0, 2.0], [NAN, -np.inf]]


@pytest.mark.parametrize(
    ("make", "name"),
    [
        (np.array, "column 1"),
        (lambda X: np.array(X, dtype=object), "column 1"),
        (list, "column 1"),
        (sparse.csr_array, "column 1"),
        (sparse.csc_array, "column 1"),
        (lambda X: pd.DataFrame(X, columns=["a", "b"]), "column 'b'"),
        (lambda X: pd.DataFrame(X, columns=["a", "b"], dtype="Float64"), "column 'b'"),
        (lambda X: pl.DataFrame(X, schema=["a", "b"], orient="row"), "column 'b'"),
        (lambda X: pa.table({"a": [1.0, None], "b": [2.0, -np.inf]}), "column 'b'"),
    ],
)
def test_infinity_is_refused_and_named(make, name):
    message = rf"contains infinity .* row 1, {name} \(Learner\)"
    with pytest.raises(ValueError, match=message):
        fit_read(make(INFINITE))
    finite = (
        np.eye(2) if name == "column 1" else pd.DataFrame(np.eye(2), columns=[*"ab"])
    )
    learned, _ = fit_read(finite)
    with pytest.raises(ValueError, match=message):
        read(learned, make(INFINITE))


@pytest.mark.parametrize("make", [np.array, sparse.csr_array, pd.DataFrame, list])
def test_what_is_too_large_for_the_learner_is_refused(make):
    changes = {"dtype": np.float32}
    with pytest.raises(
        ValueError, match=r"too large for dtype\('float32'\): row 0, col"
    ):
        fit_read(make([[0.0, 1e39], [1.0, 2.0]]), **changes)
    learned, _ = fit_read(make([[0.0, 1.0]]), **changes)
    with pytest.raises(
        ValueError, match=r"too large for dtype\('float32'\): row 1, col"
    ):
        read(learned, make([[0.0, 1.0], [-1e39, 2.0]]))
    fit_read(make([[0.0, 1e39]]))


def test_integers_too_large_for_any_float_are_refused():
    with pytest.raises(ValueError, match="row 1, column 0"):
        fit_read([[1], [10**400]])


def test_infinity_may_mean_missing():
    _, values = fit_read(np.array(INFINITE), missing_values=-np.inf)
    assert_array_equal(values, [[1, 2], [NAN, NAN]])


# Sentinels.


@pytest.mark.parametrize("missing", [NAN, None, pd.NA, pd.NaT, [], [NAN, None, pd.NA]])
def test_what_always_means_missing_is_no_sentinel(missing):
    assert list_sentinels(missing) == []


@pytest.mark.parametrize("many", [list, tuple, set, frozenset, np.array])
def test_sentinels_come_in_all_containers(many):
    assert sorted(list_sentinels(many([-9, 7]))) == [-9, 7]


@pytest.mark.parametrize("wrong", [pd.Timestamp(0), [[-9]], {"a": -9}, b"?", 1j])
def test_other_sentinels_are_refused(wrong):
    with pytest.raises(TypeError, match=r"missing_values has .* expected numbers and"):
        list_sentinels(wrong)


def test_zero_cannot_mean_missing_in_a_sparse_table():
    with pytest.raises(ValueError, match=r"missing_values has 0, and X is sparse"):
        fit_read(sparse.csr_array(COMPLETE), missing_values=[0])
    _, values = fit_read(COMPLETE, missing_values=0)
    assert_array_equal(np.isnan(values), COMPLETE == 0)


def test_sentinels_are_compared_before_numbers_are_rounded():
    X = np.array([[16777216], [16777217], [-1]])
    _, values = fit_read(X, dtype=np.float32, missing_values=16777217)
    assert_array_equal(np.isnan(values.ravel()), [False, True, False])


# Features that a parameter names.

NAMES = ["a", "b", "a"]


def test_features_by_name_and_position():
    assert feature_index("b", "parameter", 3, NAMES) == 1
    assert feature_index(np.int64(2), "parameter", 3, None) == 2


@pytest.mark.parametrize(
    ("feature", "names", "error", "message"),
    [
        ("b", None, ValueError, "X has no column names"),
        ("z", NAMES, ValueError, "no column of X; its columns are 'a', 'b', 'a'"),
        ("a", NAMES, ValueError, "which 2 columns of X have"),
        (3, NAMES, ValueError, "0 to 2"),
        (-1, NAMES, ValueError, "0 to 2"),
        (1.0, NAMES, TypeError, r"1\.0 \(float\); expected names"),
        (None, NAMES, TypeError, "expected names"),
    ],
)
def test_features_that_are_not_there(feature, names, error, message):
    with pytest.raises(error, match=f"^categorical_features.*{message}"):
        feature_index(feature, "categorical_features", 3, names)


def test_masks_of_another_length_are_refused():
    with pytest.raises(ValueError, match="mask of 2 values; X has 3 features"):
        fit_read(COMPLETE, categorical_features=[True, False])


def test_categories_must_not_be_refused_and_present():
    with pytest.raises(ValueError, match="column 'word' holds strings or categories"):
        fit_read(pd.DataFrame(MIXED), categorical_features=None)
