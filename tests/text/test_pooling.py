"""Tests of pooling: a weighted mean for each row."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy import sparse

from skml.text import _pooling
from skml.text._counts import count_matrix
from skml.text._pooling import common_components, pool, remove_components
from skml.text._row_sums import add_rows
from skml.text._vocabulary import EncodedDocuments

VECTORS = np.random.default_rng(0).normal(size=(5, 3)).astype(np.float32)


@pytest.mark.parametrize("container", [sparse.csr_matrix, sparse.csr_array])
@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.int64])
def test_weighted_mean(container, dtype):
    weights = np.array([[1, 0, 2, 0, 0], [0, 3, 0, 0, 5], [0, 0, 0, 4, 0]], dtype=dtype)
    pooled = pool(container(weights), VECTORS)
    expected = [np.average(VECTORS, axis=0, weights=row) for row in weights]
    assert_allclose(pooled, expected, rtol=1e-6)
    assert type(pooled) is np.ndarray
    assert pooled.dtype == np.float32


def test_rows_without_weight_are_zero():
    weights = sparse.csr_array(
        # The zeros are stored: a weighter may give a known word no weight.
        (np.array([0.0, 0.0, 1.0]), np.array([1, 2, 3]), np.array([0, 0, 2, 3])),
        shape=(3, 5),
    )
    pooled = pool(weights, VECTORS)
    assert_array_equal(pooled[:2], 0)
    assert_array_equal(pooled[2], VECTORS[3])


def test_weights_that_cancel_give_zeros():
    weights = sparse.csr_array([[1.0, -1.0, 0, 0, 0], [2.0, -1.0, 0, 0, 0]])
    pooled = pool(weights, VECTORS)
    assert_array_equal(pooled[0], 0)
    assert_allclose(pooled[1], 2 * VECTORS[0] - VECTORS[1], rtol=1e-6)


def test_scale_of_weights_does_not_matter():
    numbers = np.random.default_rng(0).integers(4, size=(20, 5))
    weights = sparse.csr_array(numbers.astype(float))
    expected = pool(weights, VECTORS)
    for scale in (1e-20, 1e20):
        assert_allclose(pool(weights * scale, VECTORS), expected, rtol=1e-5, atol=1e-6)


def test_counts_as_weights():
    ids = np.array([0, 2, 0, 0, 4], dtype=np.int32)
    documents = EncodedDocuments(ids, np.array([0, 4, 4, 5]))
    pooled = pool(count_matrix(documents, 5), VECTORS)
    assert_allclose(pooled[0], VECTORS[[0, 2, 0, 0]].mean(axis=0), rtol=1e-6)
    assert_array_equal(pooled[1], 0)
    assert_array_equal(pooled[2], VECTORS[4])


def test_arguments_are_left_as_they_were():
    weights = sparse.csr_array([[1.0, 0, 2, 0, 0], [0, 0, 0, 0, 0]])
    data, vectors = weights.data.copy(), VECTORS.copy()
    vectors.flags.writeable = weights.data.flags.writeable = False
    pool(weights, vectors)
    assert_array_equal(weights.data, data)
    assert_array_equal(vectors, VECTORS)


@pytest.mark.parametrize("size", [1, 3, 8, 100])
@pytest.mark.parametrize("wide", [False, True])
def test_sums_are_those_of_a_plain_loop(size, wide):
    """To the last bit: each product and each sum is rounded by itself, in order."""
    rng = np.random.default_rng(size)
    ends = np.array([0, 3, 3, 4, 20, 33])
    matrix = rng.normal(size=(7, size)).astype(np.float32)
    weights, scales = (rng.normal(size=n).astype(np.float32) for n in (33, 5))
    rows = rng.integers(7, size=33).astype(np.int32)
    expected = np.zeros((5, size), dtype=np.float32)
    for i in range(5):
        for j in range(ends[i], ends[i + 1]):
            expected[i] += weights[j] * matrix[rows[j]]
        expected[i] *= scales[i]
    found = np.zeros((5, size), dtype=np.float32)
    for first, last in [(0, 2), (2, 2), (2, 5)]:
        add_rows(weights, rows, ends, matrix, scales, found, first, last, wide=wide)
    assert_array_equal(found, expected)


@pytest.mark.parametrize("pooling", ["mean", "sum", "max", "mean+max"])
def test_threads_change_nothing(pooling):
    vectors = np.random.default_rng(0).normal(size=(5, 20)).astype(np.float32)
    weights = random_weights()[1]
    expected = pool(weights, vectors, pooling)
    for n_jobs in (2, 3, 200):
        assert_array_equal(pool(weights, vectors, pooling, n_jobs), expected)


def test_weights_that_are_none_of_the_vectors():
    with pytest.raises(ValueError, match="weights of 4 terms, not 5"):
        pool(sparse.csr_array((2, 4)), VECTORS)
    wrong = sparse.csr_array((2, 5))
    wrong.data, wrong.indices = np.ones(1), np.array([7], dtype=np.int32)
    wrong.indptr = np.array([0, 0, 1])
    with pytest.raises(ValueError, match="ndices"):
        pool(wrong, VECTORS)


def test_no_documents():
    assert pool(sparse.csr_array((0, 5)), VECTORS).shape == (0, 3)


# The other ways of pooling


def random_weights(n_documents=50, n_terms=5, seed=0):
    """Weights with zeros, some of them stored, and documents without any."""
    rng = np.random.default_rng(seed)
    weights = rng.integers(-1, 3, size=(n_documents, n_terms)) * rng.random()
    weights[::7] = 0
    stored = sparse.csr_array(np.ones_like(weights))
    stored.data[:] = weights.ravel()
    return weights, stored


def test_sum():
    weights, stored = random_weights()
    assert_allclose(pool(stored, VECTORS, "sum"), weights @ VECTORS, rtol=1e-5)


@pytest.mark.parametrize("gathered", [1, 7, 1 << 16])
def test_max_is_over_words_with_weight(gathered, monkeypatch):
    monkeypatch.setattr(_pooling, "_GATHERED", gathered)
    weights, stored = random_weights()
    pooled = pool(stored, VECTORS, "max")
    for row, of_document in zip(pooled, weights, strict=True):
        words = VECTORS[of_document != 0]
        assert_array_equal(row, words.max(axis=0) if len(words) else np.zeros(3))
    assert stored.nnz == weights.size, "the weights were changed"


def test_mean_and_max_stand_side_by_side():
    _, stored = random_weights()
    both = [pool(stored, VECTORS, "mean"), pool(stored, VECTORS, "max")]
    assert_array_equal(pool(stored, VECTORS, "mean+max"), np.hstack(both))


# Common components


def test_components_are_singular_vectors():
    pooled = np.random.default_rng(0).normal(size=(40, 6)).astype(np.float32) + 1
    found = common_components(pooled, 2, caller="test")
    expected = np.linalg.svd(pooled.astype(float))[2][:2]
    signs = np.sign((found * expected).sum(axis=1, keepdims=True))
    assert_allclose(found, expected * signs, atol=1e-6)
    removed = remove_components(pooled.copy(), found)
    assert_allclose(removed @ expected.T, 0, atol=1e-5)
    assert_allclose(removed, pooled - pooled @ expected.T @ expected, atol=1e-5)


def test_known_component():
    """All documents share one large direction; what differs is left."""
    own = np.random.default_rng(0).normal(size=(30, 4)).astype(np.float32)
    own[:, 0] = 0
    shared = np.array([[100, 0, 0, 0]], dtype=np.float32)
    components = common_components(own + shared, 1, caller="test")
    assert_allclose(components, [[1, 0, 0, 0]], atol=0.01)
    left = remove_components(own + shared, components)
    assert_allclose(
        left, own - own.mean(axis=0), atol=3 * np.abs(own.mean(axis=0)).max()
    )


@pytest.mark.parametrize(
    ("pooled", "rank"), [(np.ones((9, 3)), 1), (np.zeros((9, 3)), 0), (np.eye(3), 3)]
)
def test_more_components_than_dimensions(pooled, rank):
    with pytest.raises(ValueError, match=rf"=3 would leave nothing.* span {rank} "):
        common_components(pooled, 3, caller="test")
