"""Product quantisation: codes and centroids, against loops and known cases."""

from dataclasses import replace

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from threadpoolctl import threadpool_limits

from skml.text._quantized import QuantizedVectors, quantize

RNG = np.random.default_rng(0)
# Long and short ones, as those of words are.
VECTORS = RNG.normal(size=(1000, 5)) * np.geomspace(1e-6, 10, 1000)[:, None]
VECTORS = RNG.permutation(VECTORS).astype(np.float32)


def quantized(vectors=VECTORS, part_size=2, seed=0):
    found = quantize(vectors, part_size, np.random.RandomState(seed))
    found.check()
    return found


def twin(found):
    """The rows, number by number."""
    rows = []
    for i, codes in enumerate(found.codes.tolist()):
        row = []
        for column in range(found.centroids.shape[1]):
            row.append(found.centroids[codes[column // found.part_size], column])
        if found.norms is not None:
            row = [number * found.norms[found.norm_codes[i]] for number in row]
        rows.append(row)
    return np.array(rows, dtype=np.float32)


def lengths(vectors):
    return np.linalg.norm(vectors.astype(np.float64), axis=1)


@pytest.mark.parametrize("part_size", [1, 2, 3, 5])
def test_decoded_as_one_by_one(part_size):
    found = quantized(part_size=part_size)
    n_parts = -(-5 // part_size)
    assert (found.codes.dtype, found.codes.shape) == (np.uint8, (1000, n_parts))
    assert found.shape == VECTORS.shape
    assert_array_equal(found.decode(), twin(found))
    bare = replace(found, norms=None, norm_codes=None)
    bare.check()
    assert_array_equal(bare.decode(), twin(bare))


def test_rare_rows_are_exact():
    """They need not be among those in which centroids are looked for."""
    rows = np.zeros((20000, 2), dtype=np.float32)
    rows[:, 0], rows[7] = 1, [0, -3]
    for seed in range(4):
        assert_allclose(quantized(rows, seed=seed).decode(), rows)


def test_rows_beyond_the_sample_have_the_nearest_centroid():
    many = RNG.normal(size=(9000, 2)).astype(np.float32)
    found = quantized(many)
    directions = many / np.linalg.norm(many, axis=1, keepdims=True)
    distances = np.linalg.norm(directions[:, None] - found.centroids, axis=2)
    chosen = distances[np.arange(9000), found.codes[:, 0]]
    assert_allclose(chosen, distances.min(axis=1), atol=1e-5)


@pytest.mark.parametrize("part_size", [1, 2, 3, 5])
@pytest.mark.parametrize("n_distinct", [1, 2, 255])
def test_few_distinct_rows_are_exact(part_size, n_distinct):
    distinct = RNG.normal(size=(n_distinct, 5)).astype(np.float32)
    distinct[0] = 0
    rows = distinct[RNG.integers(0, n_distinct, size=400)]
    found = quantized(rows, part_size)
    assert_allclose(found.decode(), rows, rtol=1e-6)
    assert not found.decode()[(rows == 0).all(axis=1)].any()


def test_codes_are_the_nearest_centroids():
    found = quantized()
    directions = VECTORS / lengths(VECTORS)[:, None]
    for part, start in enumerate((0, 2, 4)):
        points = directions[:, start : start + 2]
        centroids = found.centroids[:, start : start + 2]
        distances = ((points[:, None] - centroids) ** 2).sum(axis=2)
        chosen = distances[np.arange(1000), found.codes[:, part]]
        assert_allclose(chosen, distances.min(axis=1), atol=1e-6)
        # As near as that many centroids are in two dimensions; in one, much nearer.
        assert chosen.mean() < (2e-3, 2e-3, 2e-5)[part]
    gaps = np.abs(found.norms - lengths(VECTORS)[:, None])
    assert_array_equal(gaps.argmin(axis=1), found.norm_codes)


def test_short_vectors_are_as_exact_as_long_ones():
    found = quantized()
    errors = lengths(found.decode() - VECTORS)
    assert (errors < 0.2 * lengths(VECTORS) + 5e-5 * lengths(VECTORS).max()).all()
    ratios = found.norms[found.norm_codes] / lengths(VECTORS)
    is_long = lengths(VECTORS) > 1e-4 * lengths(VECTORS).max()
    assert np.abs(ratios[is_long] - 1).max() < 0.02


def test_the_same_seed_gives_the_same_codes():
    expected = quantized().codes
    with threadpool_limits(2):
        codes = quantized().codes
    assert_array_equal(codes, expected)
    assert (quantized(seed=1).codes != codes).any()


def test_rows_that_are_taken():
    found, positions = quantized(), np.array([5, 0, 999, 5])
    assert_array_equal(found[positions].decode(), found.decode()[positions])
    part = found[3:9]
    assert (len(part), part.codes.flags.c_contiguous) == (6, True)
    assert_array_equal(part.decode(), found.decode()[3:9])
    assert found[:0].decode().shape == (0, 5)


def test_no_rows():
    found = quantized(VECTORS[:0])
    assert (found.shape, found.codes.shape) == ((0, 5), (0, 3))
    assert_array_equal(found.decode(), VECTORS[:0])


ZEROS = np.zeros((256, 5), np.float32)
WRONG = {
    "parts": ({"part_size": 0}, "parts of 0 in 5 columns"),
    "columns": ({"centroids": ZEROS[:, :0]}, "parts of 2 in 0 columns"),
    "a number": ({"centroids": np.array(1.0)}, "in 0 columns"),
    "flat codes": ({"codes": np.zeros(3, np.uint8)}, "parts of 2 in 5"),
    "codes": ({"part_size": 1}, r"codes is uint8 of the shape \(1000, 3\); expected"),
    "wide codes": ({"codes": np.zeros((1000, 3), int)}, "codes is int64"),
    "few centroids": ({"centroids": ZEROS[:255]}, r"expected float32 .* \(256, 5\)"),
    "float64": ({"centroids": ZEROS.astype(float)}, "centroids is float64"),
    "norm codes": ({"norm_codes": np.zeros(9, np.uint8)}, "norm_codes is uint8 of th"),
    "norms": ({"norms": ZEROS[:, :1]}, r"norms is float32 of the shape \(256, 1\)"),
    "no norms": ({"norms": None}, "codes without norms"),
    "no codes": ({"norm_codes": None}, "norms without codes"),
}


@pytest.mark.parametrize(("changes", "message"), WRONG.values(), ids=WRONG)
def test_what_does_not_fit_is_refused(changes, message):
    with pytest.raises(ValueError, match=message):
        replace(quantized(VECTORS), **changes).check()


def test_a_code_does_not_stand_for_a_vector_of_megabytes():
    found = QuantizedVectors(
        codes=np.zeros((600_000, 1), np.uint8),
        centroids=np.zeros((256, 3000), np.float32),
        part_size=3000,
        norm_codes=None,
        norms=None,
    )
    with pytest.raises(ValueError, match="600000 vectors of 3000 have 1 codes"):
        found.check()
