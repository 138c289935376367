"""Piecewise-linear rows as bins and fractions: equal to the encoding written out."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from skml.attention import _encoding as encoding
from skml.attention import _piecewise as piecewise
from skml.attention._encoding import learn_encoder, quantile_edges
from skml.attention._piecewise import BinLayout, EncodedRows
from tests.oracles.attention import encode_piecewise

DTYPES = [np.float32, np.float64]


@pytest.fixture(params=sorted({False, piecewise.WIDE}), autouse=True)
def wide(request, monkeypatch):
    """Each variant of the kernel that this processor can run."""
    monkeypatch.setattr(piecewise, "WIDE", request.param)


def make_rows(n_rows=40, dtype=np.float64, seed=0):
    """Rows with two dense columns, three of 2, 5 and 20 bins, two of categories; and
    the matrix."""
    rng = np.random.default_rng(seed)
    edges = [np.sort(rng.normal(size=n + 1)) for n in (2, 5, 20)]
    columns = [2 * rng.normal(size=n_rows) for _ in edges]
    columns[1][:6] = edges[1]  # on an edge exactly
    choices = [rng.integers(-1, 4, size=n_rows), np.zeros(n_rows, dtype=np.intp)]
    layout = BinLayout(edges=edges, n_choices=[4, 1])
    centre = rng.random(layout.n_bins)
    dense = rng.normal(size=(n_rows, 2))
    bins, fractions = layout.locate(
        np.column_stack(columns), np.column_stack(choices), 0.7
    )
    floats = (a.astype(dtype) for a in (dense, fractions, centre))
    as_dense, fractions, as_centre = floats
    rows = EncodedRows(as_dense, bins, fractions, layout, as_centre)
    encoded = [encode_piecewise(*pair) for pair in zip(columns, edges, strict=True)]
    encoded.append(0.7 * (choices[0][:, np.newaxis] == np.arange(4)))
    encoded.append(np.full((n_rows, 1), 0.7))
    matrix = np.hstack([dense, np.hstack(encoded) - centre])
    return rows, matrix


@pytest.mark.parametrize("dtype", DTYPES)
def test_rows_are_the_matrix(dtype):
    rows, matrix = make_rows(dtype=dtype)
    assert rows.shape == matrix.shape
    assert rows.toarray().dtype == dtype
    assert_allclose(rows.toarray(), matrix, atol=1e-6 if dtype is np.float32 else 1e-14)
    assert_array_equal(rows[3:5].toarray(), rows.toarray()[3:5])
    assert_array_equal(rows[[7, 3]].toarray(), rows.toarray()[[7, 3]])


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("width", [1, 3, 8, 33])
def test_products_are_those_of_the_matrix(dtype, width):
    rows, matrix = make_rows(dtype=dtype)
    rng = np.random.default_rng(1)
    weights = rng.normal(size=(matrix.shape[1], width)).astype(dtype)
    gradient = rng.normal(size=(len(matrix), width)).astype(dtype)
    tolerance = 1e-4 if dtype is np.float32 else 1e-12
    assert rows.dot(weights).dtype == dtype
    assert_allclose(rows.dot(weights), matrix @ weights, atol=tolerance)
    assert_allclose(rows.transposed_dot(gradient), matrix.T @ gradient, atol=tolerance)


def test_rows_without_bins_are_dense():
    layout = BinLayout(edges=[], n_choices=[])
    dense = np.arange(6.0).reshape(3, 2)
    nowhere = np.zeros((3, 0), np.int32), np.zeros((3, 0))
    rows = EncodedRows(dense, *nowhere, layout, np.zeros(0))
    assert_array_equal(rows.toarray(), dense)
    assert_array_equal(rows.dot(np.eye(2)), dense)
    assert_array_equal(rows.transposed_dot(np.eye(3)), dense.T)


def test_means_of_columns():
    rows, matrix = make_rows()
    weights = np.random.default_rng(2).random(len(matrix))
    expected = np.average(matrix[:, 2:] + rows.centre, axis=0, weights=weights)
    weights = weights / weights.sum()
    tiles = [slice(0, 15), slice(15, None)]
    found = rows.layout.means(
        (rows.bins[tile], rows.fractions[tile], weights[tile]) for tile in tiles
    )
    assert_allclose(found, expected, rtol=1e-12)


def test_edges_hold_equal_weight():
    values = np.arange(100.0)
    assert_array_equal(quantile_edges(values, np.ones(100), 4), [0, 24, 49, 74, 99])
    weights = np.where(values < 50, 3.0, 1.0)
    repeated = np.repeat(values, weights.astype(int))
    assert_array_equal(
        quantile_edges(values, weights, 7),
        quantile_edges(repeated, np.ones(len(repeated)), 7),
    )
    assert_array_equal(quantile_edges(np.ones(5), np.ones(5), 4), [1])


class Reader:
    """Knows which columns hold categories."""

    def __init__(self, categories):
        self.categories = categories
        self.is_categorical = np.array([c is not None for c in categories])


def learn(X, categories, numeric_encoding):
    encoder = learn_encoder(
        X,
        Reader(categories),
        np.ones(len(X)),
        numeric_encoding=numeric_encoding,
        n_bins=8,
    )
    encoder.check()
    return encoder


def test_tables_are_scaled_flagged_and_split_into_categories():
    X = np.array(
        [
            [1.0, 0, 5, np.nan],
            [3, 1, 5, np.nan],
            [np.nan, 1, 5, np.nan],
            [5, np.nan, 5, np.nan],
        ]
    )
    encoder = learn(X, [None, ["a", "b"], None, None], "none")
    encoded = encoder.transform(X).toarray()
    scaled = np.array([-1, 0, 0, 1]) / np.sqrt(2 / 3)
    near = np.sqrt(0.5)
    assert encoder.transform(X).dense.shape == (4, 1)
    assert_allclose(encoded[:, 0], scaled)
    assert_allclose(encoded[:, 1:3] / near, [[1, 0], [0, 1], [0, 1], [0, 0]])
    assert_allclose(encoded[:, 3:] / near, [[0, 0], [0, 0], [1, 0], [0, 1]])


def test_a_table_that_says_nothing_has_a_column_of_zeros():
    encoder = learn(np.ones((3, 2)), [None, None], "piecewise-linear")
    assert_array_equal(encoder.transform(np.ones((2, 2))).toarray(), np.zeros((2, 1)))


def test_a_missing_number_is_at_the_mean():
    X = np.random.default_rng(0).normal(size=(50, 1))
    X[7] = np.nan
    encoder = learn(X, [None], "piecewise-linear")
    missing = encoder.transform(np.array([[np.nan]])).toarray()
    at_mean = encoder.transform(np.array([[np.nanmean(X)]])).toarray()
    assert missing.shape == (1, 10)
    assert_allclose(missing[0, :-1], at_mean[0, :-1], atol=1e-12)
    assert missing[0, -1] > 0
    assert at_mean[0, -1] == 0


def test_tiles_are_encoded_as_the_table(monkeypatch):
    rng = np.random.default_rng(0)
    X = np.column_stack([rng.normal(size=(50, 2)), rng.integers(3, size=50)])
    X[::7, 0] = np.nan
    encoder = learn(X, [None, None, ["a", "b", "c"]], "piecewise-linear")
    expected = encoder.transform(X)
    monkeypatch.setattr(encoding, "tiles_of", lambda n: [slice(0, 20), slice(20, n)])
    found = encoder.transform_in_tiles(X, np.float32)
    assert found.dtype == np.float32
    assert_array_equal(found.bins, expected.bins)
    for name in ("dense", "fractions", "centre"):
        single = getattr(expected, name).astype(np.float32)
        assert_array_equal(getattr(found, name), single, strict=True)
    again = learn(X, [None, None, ["a", "b", "c"]], "piecewise-linear")
    assert_array_equal(again.centre, encoder.centre)
