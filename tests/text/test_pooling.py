"""Tests of pooling: a weighted mean for each row."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy import sparse

from skml.text._counts import count_matrix
from skml.text._pooling import pool
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


def test_no_documents():
    assert pool(sparse.csr_array((0, 5)), VECTORS).shape == (0, 3)
