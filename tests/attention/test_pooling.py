"""The fused kernel, and attention_pooling: against a plain twin, and differences."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from skml.attention import _pooling as pooling
from skml.attention import attention_pooling
from skml.attention._pooling_kernel import best_level
from tests.oracles.attention import slope, weigh

KINDS = ["gaussian", "laplace", "dot-product", "scaled-dot-product"]
DTYPES = [np.float32, np.float64]
TOLERANCE = {np.float32: 2e-5, np.float64: 1e-12}
LEVELS = range(best_level() + 1)


@pytest.fixture(params=LEVELS)
def level(request, monkeypatch):
    """Each variant of the kernel that this processor can run."""
    monkeypatch.setattr(pooling, "LEVEL", request.param)
    return request.param


def make(n_queries, n_keys, width, n_values, dtype, seed=0):
    rng = np.random.default_rng(seed)
    queries = rng.normal(size=(n_queries, width)).astype(dtype)
    keys = rng.normal(size=(n_keys, width)).astype(dtype)
    values = rng.normal(size=(n_keys, n_values)).astype(dtype)
    key_weights = (rng.random(n_keys) + 0.5).astype(dtype)
    return queries, keys, values, key_weights


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    ("n_queries", "n_keys", "width", "n_values"),
    [(1, 1, 1, 1), (5, 7, 3, 2), (13, 511, 20, 1), (6, 512, 37, 5), (25, 513, 2, 3)],
)
@pytest.mark.usefixtures("level")
def test_kernel_is_the_twin(n_queries, n_keys, width, n_values, kind, dtype):
    queries, keys, values, key_weights = make(n_queries, n_keys, width, n_values, dtype)
    exclude = np.random.default_rng(1).integers(-1, n_keys, n_queries)
    expected = weigh(queries, keys, kind, key_weights, exclude)
    pooled, weights = pooling.weigh_rows(
        queries, keys, values, key_weights, score=kind, exclude=exclude
    )
    assert_allclose(weights, expected, atol=TOLERANCE[dtype])
    assert_allclose(pooled, expected @ values, atol=10 * TOLERANCE[dtype])
    pooled, _ = pooling.weigh_rows(queries, keys, values, key_weights, score=kind)
    again = pooling.pool_rows(queries, keys, values, key_weights, score=kind)
    assert_array_equal(again, pooled)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.usefixtures("level")
def test_keys_far_away_do_not_underflow(kind, dtype):
    queries, keys, values, _ = make(7, 300, 5, 2, dtype)
    queries = queries * dtype(3) + dtype(100)
    expected = weigh(queries, keys, kind) @ values
    pooled = pooling.pool_rows(queries, keys, values, None, score=kind)
    # Scores are some thousands, of which float32 has four digits behind the point.
    assert_allclose(pooled, expected, atol=5e-3 if dtype is np.float32 else 1e-9)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.usefixtures("level")
def test_the_nearest_key_wins_where_all_are_far(dtype):
    keys = np.array([[0.0], [10.0], [20.0]], dtype=dtype)
    values = np.array([[1.0], [2.0], [3.0]], dtype=dtype)
    query = np.array([[200.0]], dtype=dtype)
    pooled = pooling.pool_rows(query, keys, values, None, score="gaussian")
    assert_allclose(pooled, 3, rtol=1e-6)


@pytest.mark.usefixtures("level")
def test_a_query_without_a_key_gets_zero():
    queries, keys, values, _ = make(2, 1, 3, 2, np.float64)
    exclude = np.array([0, -1])
    pooled, weights = pooling.weigh_rows(
        queries, keys, values, None, score="gaussian", exclude=exclude
    )
    assert_array_equal(pooled[0], 0)
    assert_allclose(weights, [[0], [1]])
    assert_allclose(pooled[1], values[0])


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.usefixtures("level")
def test_a_row_does_not_depend_on_its_neighbours(kind, dtype):
    queries, keys, values, key_weights = make(1100, 600, 6, 1, dtype)
    together = pooling.pool_rows(queries, keys, values, key_weights, score=kind)
    for rows in ([0], [5, 3], range(1000, 1100), range(0, 1100, 7)):
        some = pooling.pool_rows(
            queries[list(rows)], keys, values, key_weights, score=kind
        )
        assert_array_equal(some, together[list(rows)])
    threads = pooling.pool_rows(
        queries, keys, values, key_weights, score=kind, n_jobs=3
    )
    assert_array_equal(threads, together)


@pytest.mark.usefixtures("level")
def test_weights_of_keys_are_repetitions():
    queries, keys, values, _ = make(8, 40, 3, 2, np.float64)
    times = np.random.default_rng(2).integers(1, 4, size=40)
    weighted = pooling.pool_rows(
        queries, keys, values, times.astype(np.float64), score="laplace"
    )
    repeated = pooling.pool_rows(
        queries,
        np.repeat(keys, times, axis=0),
        np.repeat(values, times, axis=0),
        None,
        score="laplace",
    )
    assert_allclose(weighted, repeated, rtol=1e-12)


@pytest.mark.parametrize("kind", KINDS)
def test_float32_agrees_with_float64(kind):
    queries, keys, values, _ = make(200, 5000, 10, 1, np.float32)
    values = values + np.float32(10)  # so that none is near zero
    exact = attention_pooling(
        *(a.astype(np.float64) for a in (queries, keys, values)), score=kind
    )
    assert_allclose(
        attention_pooling(queries, keys, values, score=kind), exact, rtol=1e-5
    )


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("n_values", [1, 3])
@pytest.mark.usefixtures("level")
def test_derivatives_are_finite_differences(kind, n_values):
    queries, keys, values, key_weights = make(8, 30, 3, n_values, np.float64)
    keys[4] = queries[2]  # where laplace has no derivative; it must not be seen
    exclude = np.array([1, -1, 4, 5, -1, 0, 7, 8])
    gradient = np.random.default_rng(3).normal(size=(8, n_values))

    def total():
        pooled, _ = pooling.weigh_rows(
            queries, keys, values, key_weights, score=kind, exclude=exclude
        )
        return (gradient * pooled).sum()

    pooled, weights = pooling.weigh_rows(
        queries, keys, values, key_weights, score=kind, exclude=exclude
    )
    found = pooling.backward(
        weights, pooled, values, gradient, queries, keys, score=kind
    )
    for derivative, argument in zip(found, (queries, keys, values), strict=True):
        assert_allclose(derivative, slope(total, argument), atol=1e-7)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.usefixtures("level")
def test_derivatives_in_float32(kind):
    arrays = make(20, 600, 5, 2, np.float32)
    gradient = make(20, 1, 1, 2, np.float32)[0][:, :1] * np.ones(2, np.float32)
    found = {}
    for dtype in DTYPES:
        queries, keys, values, key_weights = (a.astype(dtype) for a in arrays)
        pooled, weights = pooling.weigh_rows(
            queries, keys, values, key_weights, score=kind
        )
        found[dtype] = pooling.backward(
            weights, pooled, values, gradient.astype(dtype), queries, keys, score=kind
        )
    for one, two in zip(*found.values(), strict=True):
        assert one.dtype == np.float32
        assert_allclose(one, two, atol=1e-4)


# attention_pooling


@pytest.mark.parametrize("kind", KINDS)
def test_a_mask_of_all_is_no_mask(kind):
    queries, keys, values, key_weights = make(30, 50, 4, 2, np.float64)
    plain = attention_pooling(queries, keys, values, score=kind, key_weight=key_weights)
    masked = attention_pooling(
        queries,
        keys,
        values,
        score=kind,
        key_weight=key_weights,
        mask=np.ones((30, 50), dtype=bool),
    )
    assert_allclose(masked, plain, rtol=1e-10)


def test_a_mask_hides_keys(monkeypatch):
    monkeypatch.setattr(pooling, "TILE_VALUES", 100)
    queries, keys, values, _ = make(30, 50, 4, 2, np.float64)
    mask = np.random.default_rng(0).random((30, 50)) < 0.5
    mask[3] = False
    pooled = attention_pooling(queries, keys, values, mask=mask)
    assert_array_equal(pooled[3], 0)
    for i in (0, 7, 29):
        expected = attention_pooling(queries[[i]], keys[mask[i]], values[mask[i]])
        assert_allclose(pooled[[i]], expected, rtol=1e-10)


def test_bandwidths_scale_features():
    queries, keys, values, _ = make(10, 20, 3, 1, np.float64)
    bandwidth = np.array([0.5, 1.0, 4.0])
    assert_allclose(
        attention_pooling(queries, keys, values, bandwidth=bandwidth),
        attention_pooling(queries / bandwidth, keys / bandwidth, values),
        rtol=1e-12,
    )
    assert attention_pooling(queries, keys, values.ravel()).shape == (10,)


def test_equal_keys_give_the_mean_and_one_key_its_value():
    values = np.array([1.0, 2.0, 6.0])
    assert_allclose(attention_pooling([[5.0]], [[1.0]] * 3, values), 3)
    assert_array_equal(attention_pooling([[5.0]], [[1.0]], [4.0]), [4])
    assert attention_pooling(np.empty((0, 1)), [[1.0]], [4.0]).shape == (0,)


def test_half_precision_is_computed_in_float32():
    X = np.array([[1, 2], [3, 4]], dtype=np.float16)
    pooled = attention_pooling(X, X, X)
    assert pooled.dtype == np.float32
    assert_allclose(pooled, attention_pooling(*[X.astype(np.float64)] * 3), rtol=1e-5)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"queries": [[1.0, 2.0]]}, "same number of features"),
        ({"values": [1.0]}, "one value, or one row"),
        ({"values": 1.0}, "one value, or one row"),
        ({"keys": np.empty((0, 1)), "values": []}, "no keys"),
        ({"queries": [[[1.0]]]}, r"expected \(n, d\)"),
        ({"values": [1.0, np.inf]}, r"values\[1\] is inf"),
        ({"bandwidth": 0.0}, "must be positive"),
        ({"score": "cosine"}, "score='cosine'"),
        ({"score": "dot-product", "bandwidth": 2.0}, "no effect"),
        ({"key_weight": [1.0]}, "key_weight has the shape"),
        ({"key_weight": [1.0, -1.0]}, "negative values"),
        ({"key_weight": [0.0, 0.0]}, "negative values, or none"),
        ({"mask": [[True]]}, "mask has dtype"),
        ({"mask": [[1, 0]]}, "mask has dtype"),
        ({"queries": [[1e200]]}, "score='gaussian' overflows in float64"),
        ({"bandwidth": 1e-300}, "overflows in float64"),
        (
            {"score": "dot-product", "queries": [[-1e200]], "keys": [[0], [1e200]]},
            "ove",
        ),
    ],
)
def test_bad_input_is_an_error(arguments, message):
    good = {"queries": [[0.0]], "keys": [[0.0], [1.0]], "values": [1.0, 2.0]}
    with pytest.raises(ValueError, match=message):
        attention_pooling(**(good | arguments))


def test_float32_that_overflows_is_an_error():
    far = np.array([[1e20], [0.0]], dtype=np.float32)
    with pytest.raises(ValueError, match="score='laplace' overflows in float32"):
        attention_pooling(far, far, far, score="laplace")
    assert_allclose(attention_pooling(*[far.astype(np.float64)] * 3), far)


@pytest.mark.parametrize("size", [1e-50, 1e50])
def test_only_ratios_of_key_weights_count(size):
    points = np.array([[0.0], [1.0]], dtype=np.float32)
    assert_allclose(
        attention_pooling(points, points, points, key_weight=[size, 3 * size]),
        attention_pooling(points, points, points, key_weight=[1, 3]),
        rtol=1e-6,
    )


@pytest.mark.parametrize("n_rows", [0, 1, 100, 1000])
@pytest.mark.parametrize("n_keys", [1, 2**20, 2**30])
@pytest.mark.parametrize("n_threads", [1, 3])
def test_parts_are_short_and_hold_each_row_once(n_rows, n_keys, n_threads):
    parts = pooling.split_rows(n_rows, n_keys, n_threads)
    rows = [row for part in parts for row in range(part.start, part.stop)]
    assert rows == list(range(n_rows))
    for part in parts:
        n = part.stop - part.start
        assert n <= 1 or n * n_keys <= 2 * pooling.PAIRS_OF_PART
    if n_threads == 3 and n_rows == 1000:
        assert len(parts) >= 3
    if n_keys == 1 and n_threads == 1:
        assert len(parts) == 1
