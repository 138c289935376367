"""Tests of the one door for text input."""

from decimal import Decimal
from io import StringIO
from pathlib import Path

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from scipy import sparse

from skml._validation import check_documents, is_missing

TEXTS = ["a cat", "", "猫"]
TOKEN_LISTS = [["a", "cat"], [], ["猫"]]


def checked(X, **options):
    return list(check_documents(X, caller="Estimator", **options))


STR_CONTAINERS = {
    "list": list,
    "tuple": tuple,
    "iterator": iter,
    "generator": lambda texts: (text for text in texts),
    "array": np.array,
    "object array": lambda texts: np.array(texts, dtype=object),
    "StringDType": lambda texts: np.array(texts, dtype=np.dtypes.StringDType()),
    "Series": lambda texts: pd.Series(texts, index=[5, 3, 4]),
    "string Series": lambda texts: pd.Series(texts, dtype="string"),
    "Index": pd.Index,
    "polars": pl.Series,
    "pyarrow": pa.array,
    "large pyarrow": lambda texts: pa.array(texts, pa.large_string()),
    "pyarrow dictionary": lambda texts: pa.array(texts).dictionary_encode(),
    "pyarrow chunks": lambda texts: pa.chunked_array([texts[:1], texts[1:]]),
    "pyarrow scalars": lambda texts: [*map(pa.scalar, texts)],
}


@pytest.mark.parametrize("container", STR_CONTAINERS)
def test_containers_of_str(container):
    documents = checked(STR_CONTAINERS[container](TEXTS))
    assert documents == TEXTS
    assert all(isinstance(document, str) for document in documents)


@pytest.mark.parametrize(
    "container",
    [
        list,
        lambda lists: [tuple(tokens) for tokens in lists],
        lambda lists: [np.array(tokens, dtype=str) for tokens in lists],
        lambda lists: [pd.Series(tokens, dtype=str) for tokens in lists],
        lambda lists: np.array(lists, dtype=object),
        pd.Series,
        lambda lists: pl.Series(lists, dtype=pl.List(pl.String)),
        pa.array,
        lambda lists: [pa.array(tokens, pa.string()) for tokens in lists],
    ],
    ids=[
        *("lists", "tuples", "arrays", "Series", "object-array", "pandas", "polars"),
        *("pyarrow", "pyarrow-arrays"),
    ],
)
def test_containers_of_token_lists(container):
    documents = checked(container(TOKEN_LISTS))
    assert [list(tokens) for tokens in documents] == TOKEN_LISTS


def test_documents_are_handed_on_as_they_are():
    documents = [["a"], "b"]
    first, second = checked(documents)
    assert first is documents[0]
    assert second is documents[1]


def test_generators_are_consumed_one_document_at_a_time():
    reached = []

    def generate():
        for text in TEXTS:
            reached.append(text)
            yield text

    documents = check_documents(generate(), caller="Estimator")
    assert reached == []
    assert next(documents) == TEXTS[0]
    assert reached == TEXTS[:1]


@pytest.mark.parametrize(
    ("X", "error", "message"),
    [
        ("a cat", ValueError, "got a single str.* string object received"),
        (b"a cat", ValueError, "got a single bytes"),
        (bytearray(b"a cat"), ValueError, "got a single bytearray"),
        (None, TypeError, r"got None \(NoneType\)"),
        (3, TypeError, r"got 3 \(int\)"),
        (Path("a.txt"), TypeError, "got .*Path"),
        ({"a": "cat"}, TypeError, "got a dict, which has no order"),
        ({"a cat"}, TypeError, "got a set, which has no order"),
        (frozenset(["a cat"]), TypeError, "got a frozenset, which has no order"),
        (sparse.csr_array([[1]]), TypeError, "got a sparse matrix"),
        (np.array("a cat"), ValueError, "got a ndarray with 0 dim"),
        (np.array([["a"], ["b"]]), ValueError, "got a ndarray with 2 dim"),
        (np.ones((2, 2, 2)), ValueError, "got a ndarray with 3 dim"),
        (
            pd.DataFrame({"a": TEXTS}),
            ValueError,
            "DataFrame with 2 .*Select the column",
        ),
        (
            pl.DataFrame({"a": TEXTS}),
            ValueError,
            "DataFrame with 2 .*Select the column",
        ),
        (pa.table({"a": TEXTS}), ValueError, "Table with 2 .*Select the column"),
        (pa.scalar("a cat"), TypeError, "got .*StringScalar"),
    ],
)
def test_containers_refused(X, error, message):
    """At once, before the first document is asked for."""
    with pytest.raises(error, match=f"^Estimator expects .*{message}"):
        check_documents(X, caller="Estimator")


@pytest.mark.parametrize(
    ("document", "error", "message"),
    [
        (None, ValueError, "missing \\(None\\)"),
        (float("nan"), ValueError, "missing \\(nan\\)"),
        (np.float32("nan"), ValueError, "missing"),
        (pd.NA, ValueError, "missing \\(<NA>\\)"),
        (pd.NaT, ValueError, "missing \\(NaT\\)"),
        (b"a cat", TypeError, "bytes; decode it first"),
        (3, TypeError, "3 \\(int\\); expected a str or a list of str tokens"),
        (0.5, TypeError, "0.5 \\(float\\)"),
        (True, TypeError, "True \\(bool\\)"),
        ({"a": 1}, TypeError, ".*\\(dict\\)"),
        ({"a"}, TypeError, ".*\\(set\\)"),
        (np.array([["a"]]), TypeError, ".*\\(ndarray\\)"),
        (np.array("a"), TypeError, ".*\\(ndarray\\)"),
        (iter(["a"]), TypeError, ".*iterator"),
        (StringIO("a"), TypeError, ".*StringIO"),
    ],
)
def test_documents_refused(document, error, message):
    """With their position, and not before those in front of them were handed on."""
    documents = check_documents(["a cat", [], document], caller="Estimator")
    assert [next(documents), next(documents)] == ["a cat", []]
    with pytest.raises(error, match=f"^Estimator: document 2 is {message}"):
        next(documents)


@pytest.mark.parametrize(
    "X",
    [
        pd.Series(["a", None]),
        pd.Series(["a", None], dtype="string"),
        np.array(["a", np.nan], dtype=object),
        pl.Series(["a", None]),
        pl.Series([["a"], None]),
        pa.array(["a", None]),
    ],
    ids=["pandas", "pandas-string", "array", "polars", "polars-lists", "pyarrow"],
)
def test_missing_documents_in_columns(X):
    with pytest.raises(ValueError, match=r"document 1 is missing .*Drop the row"):
        checked(X)


def test_long_documents_do_not_fill_the_message():
    with pytest.raises(TypeError) as error:
        checked([{"a": "b" * 1000}])
    assert len(str(error.value)) < 200


def test_filenames():
    paths = ["a.txt", Path("b.txt")]
    assert checked(paths, input="filename") == paths
    with pytest.raises(TypeError, match=r"document 1 is 3 .*the path of a file"):
        checked(["a.txt", 3], input="filename")
    with pytest.raises(TypeError, match=r"document 0 is \['a'\] \(list\)"):
        checked([["a"]], input="filename")
    with pytest.raises(ValueError, match="document 0 is None"):
        checked([None], input="filename")


def test_files():
    files = [StringIO("a"), StringIO("b")]
    assert checked(files, input="file") == files
    message = r"document 0 is 'a' .*an open file.*'str' object has no attribute 'read'"
    with pytest.raises(AttributeError, match=message):
        checked(["a"], input="file")


@pytest.mark.parametrize(
    "value", [None, float("nan"), np.float64("nan"), pd.NA, pd.NaT]
)
def test_is_missing(value):
    assert is_missing(value) is True


@pytest.mark.parametrize("value", ["", "nan", 0, 0.0, np.inf, [], Decimal("1"), b""])
def test_is_not_missing(value):
    assert is_missing(value) is False


ROWS = [["the cat sat"], ["a dog"], ["cats"]]


@pytest.mark.parametrize(
    "rows",
    [
        ROWS,
        list(zip(["the cat sat", "a dog"], strict=True)),
        [("the cat sat", "on the mat"), ("a dog sat", "on the log")],
        pd.DataFrame({"text": ["the cat", "a dog"]})[["text"]].to_numpy().tolist(),
        pa.array(ROWS),
        [["今天天气很好，我们去公园"], ["很好"]],
        [["今天天气很好"], ["你们去公园"], ["好。"]],
        [["วันนี้อากาศดีมากเลยครับ"], ["สวัสดี"]],
    ],
)
def test_rows_of_a_table_are_no_lists_of_tokens(rows):
    """At the end, as one list of tokens more would tell that these are tokens, too."""
    message = r"^Estimator: every document is a list of (one text|2 texts),.*row\[0\]"
    with pytest.raises(ValueError, match=message):
        checked(iter(rows))
    assert len(checked(rows, allow_rows=True)) == len(rows)
    assert len(checked([*rows, ["a", "cat", "sat"]])) == len(rows) + 1


@pytest.mark.parametrize(
    "documents",
    [
        [["cat"], ["dog"]],
        [["cat"], ["New York"], ["dog"]],
        [["New York", "is big"], ["Los Angeles", "as well"]],
        [["，", "猫"], ["猫", "。"]],
        [["北京大学"], ["中华人民共和国"], ["。"]],
        [["这只猫在学习"]],
        [[3]],
        [["New", "York"]] * 100 + [["New York is", "big on maps"]] * 300,
        [[], []],
        [],
    ],
)
def test_lists_of_tokens_of_one_length(documents):
    assert checked(documents) == documents
