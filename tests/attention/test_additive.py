"""Pooling by the additive score, against the score and the softmax written out."""

import numpy as np
import pytest
from numpy.testing import assert_allclose

from skml.attention import _additive as additive
from skml.attention import additive_score, masked_softmax
from skml.attention._pooling import pool_rows, weigh_rows

RNG = np.random.default_rng(0)
VECTOR = RNG.normal(size=4)


def make_points(n):
    return np.hstack([RNG.normal(size=(n, 8)), np.tile(VECTOR, (n, 1))])


QUERIES, KEYS = make_points(9), make_points(31)
VALUES, WEIGHTS = RNG.normal(size=(31, 2)), RNG.random(31) + 0.1


@pytest.mark.parametrize("excludes", [False, True])
@pytest.mark.parametrize("tile", [1, 62, 2**18])
def test_pooling_is_the_softmax_of_scores(monkeypatch, tile, excludes):
    monkeypatch.setattr(additive, "TILE_PAIRS", tile)
    exclude = np.array([-1, *range(8)]) if excludes else None
    scores = additive_score(
        QUERIES[:, :4],
        KEYS[:, 4:8],
        query_weights=np.eye(4),
        key_weights=np.eye(4),
        vector=VECTOR,
    ) + np.log(WEIGHTS)
    mask = np.ones(scores.shape, dtype=bool)
    if excludes:
        mask[np.arange(1, 9), np.arange(8)] = False
    expected = masked_softmax(scores, mask)
    arguments = {"score": "additive", "exclude": exclude}
    pooled, weights = weigh_rows(QUERIES, KEYS, VALUES, WEIGHTS, **arguments)
    assert_allclose(pooled, expected @ VALUES)
    if not excludes:
        again = pool_rows(QUERIES, KEYS, VALUES, WEIGHTS, score="additive")
        assert_allclose(again, pooled)
    assert_allclose(weights, expected, atol=1e-15)


def test_nothing_to_attend_to_is_zero():
    pooled, _ = weigh_rows(
        QUERIES[:1],
        KEYS[:1],
        VALUES[:1],
        None,
        score="additive",
        exclude=np.zeros(1, dtype=np.int64),
    )
    assert_allclose(pooled, 0)


def test_no_queries():
    pooled = pool_rows(QUERIES[:0], KEYS, VALUES, None, score="additive")
    assert pooled.shape == (0, 2)
