"""The compiled kernel of attention pooling: each variant, at the edges of blocks."""

from itertools import product

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from skml.attention import _pooling_kernel as kernel
from tests.oracles.attention import weigh

GAUSSIAN, LAPLACE, DOT = KINDS = range(3)
NAMES = ("gaussian", "laplace", "dot-product")
DTYPES = [np.float32, np.float64]
TOLERANCE = {np.float32: 1e-5, np.float64: 1e-13}

all_kinds = pytest.mark.parametrize("kind", KINDS, ids=NAMES)
all_dtypes = pytest.mark.parametrize("dtype", DTYPES)


@pytest.fixture(params=range(kernel.best_level() + 1))
def level(request):
    """Each variant that this processor can run."""
    return request.param


def make(n_queries, n_keys, width, n_values, dtype):
    rng = np.random.default_rng(0)
    # Scores of much the same size, however many features there are.
    queries = rng.normal(size=(n_queries, width)) * 2 / width**0.5
    keys = rng.normal(size=(n_keys, width)) * 2 / width**0.5
    values = rng.normal(size=(n_keys, n_values))
    return tuple(array.astype(dtype) for array in (queries, keys, values))


def attend(
    queries, keys, values, kind, level, *, key_weights=None, exclude=None, bonus=None
):
    """What the kernel gives: pooled values, logarithms of sums, weights."""
    pooled = np.full((len(queries), values.shape[1]), np.nan, dtype=queries.dtype)
    sums = np.full(len(queries), np.nan)
    weights = np.full((len(queries), len(keys)), np.nan, dtype=queries.dtype)
    kernel.pool(
        queries,
        keys,
        values,
        key_weights,
        exclude,
        bonus,
        kind,
        pooled,
        sums,
        weights,
        level,
    )
    return pooled, sums, weights


def derive(weights, pooled, values, gradient, queries, keys, kind, level):
    """Derivatives of scores, and their sums, of rows and of columns."""
    weights = weights.copy()
    rows = np.full(len(queries), np.nan, dtype=queries.dtype)
    columns = np.full(len(keys), np.nan, dtype=queries.dtype)
    kernel.backward(
        weights, pooled, values, gradient, queries, keys, kind, rows, columns, level
    )
    return weights, rows, columns


@all_dtypes
@all_kinds
@pytest.mark.parametrize(
    ("n_queries", "n_keys"),
    [(100, 1), (100, 7), *product([1, 5, 6, 7], [255, 256, 257]), (5, 1000)],
)
def test_sizes_at_the_edges(n_queries, n_keys, kind, dtype, level):
    for width, n_values in ((1, 1), (3, 5), (20, 2), (37, 1)):
        queries, keys, values = make(n_queries, n_keys, width, n_values, dtype)
        expected = weigh(queries, keys, NAMES[kind])
        pooled, _, weights = attend(queries, keys, values, kind, level)
        assert_allclose(weights, expected, atol=TOLERANCE[dtype])
        assert_allclose(pooled, expected @ values, atol=TOLERANCE[dtype])


@all_dtypes
@all_kinds
def test_many_features_make_blocks_small(kind, dtype, level):
    queries, keys, values = make(130, 150, 1500, 1, dtype)
    expected = weigh(queries, keys, NAMES[kind])
    _, _, weights = attend(queries, keys, values, kind, level)
    assert_allclose(weights, expected, atol=TOLERANCE[dtype])


@all_kinds
def test_both_variants_agree(kind):
    for dtype in DTYPES:
        arrays = make(20, 700, 9, 3, dtype)
        gradient = make(20, 1, 3, 1, dtype)[0]
        baseline = attend(*arrays, kind, 0)
        wide = attend(*arrays, kind, kernel.best_level())
        for one, other in zip(baseline, wide, strict=True):
            assert_allclose(one, other, rtol=TOLERANCE[dtype], atol=TOLERANCE[dtype])
        queries, keys, values = arrays
        both = [
            derive(baseline[2], baseline[0], values, gradient, queries, keys, kind, v)
            for v in (0, kernel.best_level())
        ]
        for one, other in zip(*both, strict=True):
            assert_allclose(one, other, atol=TOLERANCE[dtype])


@all_dtypes
def test_the_exponential(dtype, level):
    # One key at the query, whose weight is exp(0), and one at a distance.
    distances = np.linspace(0, 13, 4001).astype(dtype)[:, np.newaxis]
    keys = np.zeros((1, 1), dtype=dtype)
    values = np.ones((1, 1), dtype=dtype)
    _, sums, _ = attend(distances, keys, values, GAUSSIAN, level)
    # Beyond -55 the float32 kernel takes the greatest score as the shift.
    score = np.square(distances).astype(dtype) * dtype(-0.5)
    far = score[:, 0] < (-55 if dtype is np.float32 else -640)
    assert_allclose(sums[far], score[far, 0], rtol=1e-7)
    tolerance = 3e-7 if dtype is np.float32 else 2e-14
    exact = score[~far, 0].astype(np.float64)
    # The sum is exp(score), and its logarithm is taken in float64.
    assert_allclose(sums[~far], exact, rtol=0, atol=tolerance)
    assert sums[0] == 0


@all_dtypes
def test_scores_that_are_all_very_negative(dtype, level):
    # The zeros that pad a block would have the greatest score of all.
    queries = np.array([[30.0, 0.0]], dtype=dtype)
    keys = np.array([[-30.0, 5.0], [-31.0, 2.0], [-30.0, 1.0]], dtype=dtype)
    values = np.array([[1.0], [2.0], [5.0]], dtype=dtype)
    pooled, sums, weights = attend(queries, keys, values, DOT, level)
    assert_allclose(weights, [[0.5, 0, 0.5]], rtol=1e-6, atol=1e-12)
    assert_allclose(pooled, [[3.0]], rtol=1e-6)
    assert_allclose(sums, -900 + np.log(2), rtol=1e-6)


@all_dtypes
@all_kinds
def test_a_key_of_no_weight_is_not_there(kind, dtype, level):
    queries, keys, values = make(30, 40, 3, 2, dtype)
    key_weights = np.ones(40, dtype=dtype)
    key_weights[:3] = 0
    keys[:3] = queries[:3] * dtype(1 if kind < DOT else 1000)
    keys[3:] += dtype(100)
    pooled, sums, weights = attend(
        queries, keys, values, kind, level, key_weights=key_weights
    )
    rest = attend(queries, keys[3:], values[3:], kind, level)
    assert_array_equal(weights[:, :3], 0)
    # Scores are some thousands, of which float32 has four digits behind the point.
    close = {"rtol": 2e-3, "atol": 2e-3} if dtype is np.float32 else {"rtol": 1e-9}
    assert_allclose(weights[:, 3:], rest[2], **close)
    assert_allclose(pooled, rest[0], **close)
    assert_allclose(sums, rest[1], rtol=1e-6)


@all_dtypes
@all_kinds
def test_a_key_that_is_excluded_is_not_there(kind, dtype, level):
    queries, keys, values = make(9, 300, 3, 2, dtype)
    queries[4] = keys[299]
    exclude = np.array([-1, 0, 1, 255, 299, 256, 298, -1, 7])
    pooled, sums, weights = attend(queries, keys, values, kind, level, exclude=exclude)
    for i, j in enumerate(exclude):
        left = np.delete(np.arange(300), j) if j >= 0 else np.arange(300)
        expected = attend(queries[[i]], keys[left], values[left], kind, level)
        assert j < 0 or weights[i, j] == 0
        assert_allclose(weights[[i]][:, left], expected[2], rtol=1e-4)
        assert_allclose(pooled[[i]], expected[0], rtol=1e-4, atol=1e-6)
        assert_allclose(sums[[i]], expected[1], rtol=1e-5, atol=1e-6)


@all_dtypes
@all_kinds
def test_with_a_bonus_a_part_of_an_excluded_key_is_left(kind, dtype, level):
    queries, keys, values = make(4, 300, 3, 2, dtype)
    exclude = np.array([-1, 7, 255, 299])
    left = np.array([1, 0.25, 0.5, 0], dtype=dtype)
    with np.errstate(divide="ignore"):
        bonus = np.log(left)
    found = attend(queries, keys, values, kind, level, exclude=exclude, bonus=bonus)
    for i, j in enumerate(exclude):
        key_weights = np.ones(300, dtype=dtype)
        key_weights[j] = left[i] if j >= 0 else 1
        expected = attend(
            queries[[i]], keys, values, kind, level, key_weights=key_weights
        )
        for ours, theirs in zip(found, expected, strict=True):
            assert_allclose(ours[[i]], theirs, rtol=1e-4, atol=1e-6)


@all_dtypes
@all_kinds
def test_without_any_key_all_is_zero(kind, dtype, level):
    queries, keys, values = make(8, 1, 2, 2, dtype)
    exclude = np.array([0, -1] * 4)
    pooled, sums, weights = attend(queries, keys, values, kind, level, exclude=exclude)
    assert_array_equal(pooled[::2], 0)
    assert_allclose(weights[:, 0], [0, 1] * 4, rtol=1e-6, atol=0)
    assert_array_equal(sums[::2], -np.inf)
    of_scores, rows, _ = derive(
        weights, pooled, values, pooled, queries, keys, kind, level
    )
    assert_array_equal(of_scores[::2], 0)
    assert_array_equal(rows[::2], 0)


@all_dtypes
@all_kinds
def test_a_row_does_not_depend_on_its_tile(kind, dtype, level):
    queries, keys, values = make(1100, 400, 5, 2, dtype)
    queries[::5] += dtype(60)  # some are done again
    together = attend(queries, keys, values, kind, level)
    for start, n_rows in product((0, 3, 1030), range(1, 14)):
        rows = slice(start, start + n_rows)
        some = attend(queries[rows], keys, values, kind, level)
        for one, all_rows in zip(some, together, strict=True):
            assert_array_equal(one, all_rows[rows])


@all_dtypes
@all_kinds
def test_weights_need_not_be_kept(kind, dtype, level):
    queries, keys, values = make(20, 600, 4, 2, dtype)
    expected, logarithms, _ = attend(queries, keys, values, kind, level)
    pooled, sums = np.empty_like(expected), np.empty(20)
    kernel.pool(
        queries, keys, values, None, None, None, kind, pooled, sums, None, level
    )
    assert_array_equal(pooled, expected)
    assert_array_equal(sums, logarithms)


@all_kinds
def test_sums_over_very_many_keys_stay_exact(kind):
    arrays = make(2, 1_000_000, 2, 1, np.float32)
    queries, keys, values = arrays[0], arrays[1], arrays[2] + np.float32(3)
    pooled, sums = np.empty((2, 1), dtype=np.float32), np.empty(2)
    kernel.pool(queries, keys, values, None, None, None, kind, pooled, sums, None, 1)
    scores = queries.astype(np.float64) @ keys.T.astype(np.float64)
    if kind != DOT:
        distances = (queries.astype(np.float64)[:, None] - keys) ** 2
        scores = -distances.sum(axis=2) / 2
    if kind == LAPLACE:
        scores = -np.sqrt(-2 * scores)
    weights = np.exp(scores)
    total = weights.sum(axis=1)
    assert_allclose(pooled[:, 0], weights @ values[:, 0] / total, rtol=1e-6)
    assert_allclose(sums, np.log(total), rtol=1e-6)


@all_dtypes
@all_kinds
@pytest.mark.parametrize("n_keys", [1, 255, 256, 257, 1000])
@pytest.mark.parametrize("n_values", [1, 2, 5])
def test_derivatives_of_scores(n_values, n_keys, kind, dtype, level):
    queries, keys, values = make(13, n_keys, 4, n_values, dtype)
    keys[-1] = queries[7]  # laplace has no derivative there
    gradient = make(13, 1, n_values, 1, dtype)[0]
    pooled, _, weights = attend(queries, keys, values, kind, level)
    found, rows, columns = derive(
        weights, pooled, values, gradient, queries, keys, kind, level
    )
    p, y, v, g = (a.astype(np.float64) for a in (weights, pooled, values, gradient))
    expected = p * (g @ v.T - (g * y).sum(axis=1)[:, np.newaxis])
    if kind == LAPLACE:
        distances = np.linalg.norm(
            queries[:, np.newaxis].astype(np.float64) - keys, axis=2
        )
        expected[distances == 0] = 0
        distances[distances == 0] = 1
        expected /= distances
        assert found[7, -1] == 0
    tolerance = TOLERANCE[dtype]
    assert_allclose(found, expected, atol=tolerance)
    assert_allclose(rows, expected.sum(axis=1), atol=5 * tolerance)
    assert_allclose(columns, expected.sum(axis=0), atol=5 * tolerance)
